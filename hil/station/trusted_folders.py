"""Where the keys are that this bench believes, read from stations.toml whether or not the rest of it is right."""

from __future__ import annotations

import tomllib
from pathlib import Path

from hil.errors import SetupError
from hil.names import one_line
from hil.signing.trusted import FOLDER


def trusted_folders(file: Path) -> list[Path]:
    """Return the folders of trusted keys that a stations.toml names, and the one beside it.

    What else is in the file is not looked at: a mistake in it must not keep anybody from checking a signature.
    """
    try:
        with file.open("rb") as text:
            stations = tomllib.load(text).get("stations", {})
        tables = [one.get("signing", {}) for one in stations.values()]
        named = [str(one["trusted"]) for one in tables if "trusted" in one]
    except FileNotFoundError:
        named = []
    except OSError as error:
        raise SetupError(f"{one_line(str(file))} cannot be read: {error.strerror}", "name keys with --trust") from error
    except (ValueError, AttributeError, TypeError) as error:
        what = f"{one_line(str(file))} cannot be read, so nobody can say who is trusted"
        raise SetupError(what, "'hil station list' lists its mistakes; or name keys with --trust") from error
    return list(dict.fromkeys([file.parent / FOLDER, *(file.parent / one for one in named)]))
