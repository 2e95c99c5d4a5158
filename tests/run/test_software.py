"""What a run says of the software it was made with, compared with what Python's own metadata say."""

import json
from importlib import metadata

from hil.run.software import on_record


def test_every_installed_package_is_on_record_with_its_version():
    """None is left out, none is invented."""
    known = {one.name.lower().replace("_", "-").replace(".", "-"): one.version for one in metadata.distributions()}
    said = {one["name"]: one["version"] for one in json.loads(on_record())["packages"]}

    assert said == known
