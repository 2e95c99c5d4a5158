"""What software a run was made with, for its record: every installed package, the interpreter, the system."""

from __future__ import annotations

import json
import platform
import re
import sys
from pathlib import Path

NAME = "software.json"
MEDIA_TYPE = "application/vnd.hil.software+json"
# the folder's name says it, and to open each package's METADATA would take 0.2 s more (measured with 150 packages)
_INSTALLED = re.compile(r"(?P<name>[A-Za-z0-9._]+)-(?P<version>[^-]+)\.dist-info")


def on_record() -> bytes:
    """Return software.json: names and versions, in order; the same environment gives the same bytes.

    Ref: Python packaging specifications, recording installed projects (the .dist-info directory)
    """
    found: dict[str, str] = {}
    for folder in (Path(entry) for entry in sys.path if Path(entry).is_dir()):
        for one in folder.glob("*.dist-info"):
            if named := _INSTALLED.fullmatch(one.name):
                found.setdefault(re.sub(r"[-_.]+", "-", named["name"]).lower(), named["version"])
    said = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "packages": [{"name": name, "version": version} for name, version in sorted(found.items())],
    }
    return json.dumps(said, indent=1).encode() + b"\n"
