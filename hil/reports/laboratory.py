"""Whose letterhead a report carries: laboratory.toml, a logo and templates in a folder, or else what the record says.

    name = "Example Laboratory"
    address = "Example Street 1, 12345 Example City"
    place = "Test hall 2"                                            # of the work, where it is not the address
    contact = "lab@example.org"
    accreditation = { body = "Example body", number = "D-PL-00000-01-00", scope = "Annex 3" }
    authorised_by = { name = "A. Example", function = "head of the laboratory" }

Beside it: logo.svg or logo.png, and templates (*.j2, *.css) that stand in for ours of the same name.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from hil.errors import SetupError
from hil.names import LONGEST_TEXT, what_is_wrong
from hil.reports.logo import data_uri

FILE = "laboratory.toml"
LARGEST_FILE = 64 * 1024  # bytes
LARGEST_TEMPLATE = 256 * 1024  # bytes
MOST_TEMPLATES = 50
_LOGOS = ("logo.svg", "logo.png")


@dataclass(frozen=True, slots=True)
class Accreditation:
    """Who accredited the laboratory, under which number, for what."""

    body: str
    number: str
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Who authorises the report."""

    name: str
    function: str = ""


@dataclass(frozen=True, slots=True)
class Laboratory:
    """The laboratory as a report names it; empty where nobody said. `logo` is a data: address, or empty."""

    name: str = ""
    address: str = ""
    place: str = ""  # of the work, where it is not the address
    contact: str = ""
    accreditation: Accreditation | None = None
    authorised_by: Person | None = None
    logo: str = field(default="", repr=False)
    templates: Path | None = None  # the folder of its own, where there are any
    more: Mapping[str, Any] = field(default_factory=dict)  # what the station's table says besides


Part = TypeVar("Part", Accreditation, Person)


def of_record(recorded: Mapping[str, Any]) -> Laboratory:
    """Return the laboratory that the journal's station names."""
    plain = {name: str(recorded.get(name) or "") for name in ("name", "address", "place", "contact")}
    more = {key: value for key, value in recorded.items() if key not in plain and key != "customer"}
    return Laboratory(plain["name"], plain["address"], plain["place"], plain["contact"], more=more)


def load(folder: Path) -> Laboratory:
    """Read the laboratory's folder; raises SetupError that names the file, the key and what is wrong with it."""
    path = folder / FILE
    said = _toml(path)
    _known(path, "", said, {one.name for one in fields(Laboratory)} - {"logo", "templates", "more"})
    texts = {key: _text(path, key, said.get(key)) for key in ("name", "address", "place", "contact")}
    for key in ("name", "address"):
        if not texts[key]:
            raise SetupError(f"{path}: {key} is missing", f'add {key} = "..."')
    return Laboratory(
        texts["name"],
        texts["address"],
        texts["place"],
        texts["contact"],
        accreditation=_table(path, said, "accreditation", Accreditation),
        authorised_by=_table(path, said, "authorised_by", Person),
        logo=_logo(folder),
        templates=folder if _templates(folder) else None,
    )


def _toml(path: Path) -> dict[str, Any]:
    data = read(path, LARGEST_FILE)
    try:
        return tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SetupError(f"{path} is no TOML: {error}", "mend that line") from error


def read(path: Path, largest: int) -> bytes:
    """Read a file of the laboratory's folder; raises SetupError for none, or one of more than largest bytes."""
    try:
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}", f"a laboratory's folder has a {FILE}") from error
    if len(data) > largest:
        raise SetupError(f"{path} is larger than {largest} bytes", "make it smaller")
    return data


def _known(path: Path, table: str, said: Mapping[str, Any], known: set[str]) -> None:
    for key in said:
        if key not in known:
            close = difflib.get_close_matches(key.casefold(), sorted(known), n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(known))}"
            raise SetupError(f"{path}: {table}{key}: there is no such key", hint)


def _text(path: Path, key: str, value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise SetupError(f"{path}: {key}: text in double quotes is wanted here, not {value!r:.40}", "write it as text")
    if why := what_is_wrong(value, LONGEST_TEXT):
        raise SetupError(f"{path}: {key}: {why}", "write it again")
    return value


def _table(path: Path, said: Mapping[str, Any], key: str, kind: type[Part]) -> Part | None:
    value = said.get(key)
    if value is None:
        return None
    names = [one.name for one in fields(kind)]
    if not isinstance(value, dict):
        raise SetupError(f"{path}: {key}: a table is wanted here", f"{key} = {{ {names[0]} = ... }}")
    _known(path, f"{key}.", value, set(names))
    texts = {name: _text(path, f"{key}.{name}", value.get(name)) for name in names}
    for name in names[:-1]:
        if not texts[name]:
            raise SetupError(f"{path}: {key}.{name} is missing", "a report that names one must say which")
    return kind(**texts)


def _logo(folder: Path) -> str:
    found = [folder / name for name in _LOGOS if (folder / name).exists()]
    if len(found) > 1:
        raise SetupError(f"{folder} has both {' and '.join(_LOGOS)}", "keep one")
    return data_uri(found[0]) if found else ""


def _templates(folder: Path) -> list[Path]:
    found = sorted([*folder.glob("*.j2"), *folder.glob("*.css")])
    if len(found) > MOST_TEMPLATES:
        raise SetupError(f"{folder} has {len(found)} templates", f"{MOST_TEMPLATES} are the most")
    for path in found:
        read(path, LARGEST_TEMPLATE)
    return found
