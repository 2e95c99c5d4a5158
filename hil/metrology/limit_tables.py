"""The packaged tables of standards: TOML files in `limits/`, one a standard and edition, never mixed.

Each file, section and row may say where its figures come from (`source_mark`) and who compared them with the bought
text, and when; what a row does not say its section says, and what that does not say the file says.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hil.errors import OutOfRange, SetupError

CONNECTIONS = ("direct", "ct")
SOURCE_KEYS = ("source_mark", "verified_by", "verified_on")
_RIVALS = {"Ib": "In", "In": "Ib"}  # what one edition or connection calls Ib another calls In: not the same current
_FOLDER = Path(__file__).with_name("limits")


def table_names() -> list[str]:
    """Return the names of the packaged files."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


@cache
def load_table(file_name: str) -> Mapping[str, Any]:
    """Load a packaged file such as "iec62053_21_2003"; raises SetupError naming those that exist."""
    if file_name not in table_names():
        raise SetupError(f"there is no limit table {file_name!r}", f"there are {', '.join(table_names())}")
    return tomllib.loads((_FOLDER / f"{file_name}.toml").read_text(encoding="utf-8"))


def title(data: Mapping[str, Any]) -> str:
    """Return standard and edition of a loaded file as they are cited: IEC 62053-21:2003."""
    return f"{data['standard']}:{data['edition']}"


def section(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a section of a loaded file; raises SetupError when the file has none of that name."""
    if name not in data:
        raise SetupError(f"{title(data)} has no {name}")
    found: Mapping[str, Any] = data[name]
    return found


def by_class(data: Mapping[str, Any], name: str, key: str, accuracy_class: str) -> Any:
    """Return what section `name` says under `key` for a class; raises SetupError when it says nothing."""
    found = section(data, name).get(key, {}).get(accuracy_class)
    if found is None:
        raise SetupError(f"{title(data)}: {name} says nothing of class {accuracy_class}, {key}")
    return found


def provenance(data: Mapping[str, Any], *parts: Mapping[str, Any]) -> dict[str, str]:
    """Return source_mark, verified_by and verified_on; parts from the row outwards, the file last."""
    return {key: str(next(part[key] for part in (*parts, data) if key in part)) for key in SOURCE_KEYS}


def check_class(data: Mapping[str, Any], accuracy_class: str) -> None:
    """Refuse a class that the standard does not have; raises SetupError naming those it has."""
    if accuracy_class not in data["classes"]:
        raise SetupError(f"{title(data)} has no class {accuracy_class!r}", f"it has {', '.join(data['classes'])}")


def check_connection(connection: str) -> None:
    """Refuse what is neither a direct connected nor a transformer operated meter; raises SetupError."""
    if connection not in CONNECTIONS:
        raise SetupError(f"a meter is not connected {connection!r}", "it is direct or ct")


def for_connection(rows: Iterable[Mapping[str, Any]], connection: str) -> list[Mapping[str, Any]]:
    """Return the rows that hold for a connection, "direct" or "ct"; a row that names none holds for both."""
    return [row for row in rows if row.get("conn", connection) == connection]


def currents_named(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the reference currents that rows speak of, in the order of their first use."""
    names = (bound[1] for row in rows for bound in (row.get("from"), row.get("to")) if bound is not None)
    scaled = (row["scale"].partition("/")[0] for row in rows if "scale" in row)
    return list(dict.fromkeys((*names, *scaled)))


def check_references(data: Mapping[str, Any], needed: Sequence[str], references_a: Mapping[str, float]) -> None:
    """Refuse reference currents, in amperes, that are not those of this edition and connection.

    Raises SetupError for one that is missing, or for Ib where the edition speaks of In (and the other way round);
    OutOfRange for one that is no positive number.
    """
    for name in needed:
        rival = _RIVALS.get(name, "")
        if rival in references_a:
            raise SetupError(
                f"{title(data)} speaks of {name}, and {rival} is given",
                f"give {name} in place of {rival}: editions and connections are not mixed",
            )
        if name not in references_a:
            raise SetupError(f"{title(data)} speaks of {name}, which is not given", f"it needs {', '.join(needed)}")
        if not (math.isfinite(references_a[name]) and references_a[name] > 0.0):
            raise OutOfRange(name, references_a[name], 0.0, math.inf)


def reference_a(data: Mapping[str, Any], multiple: Sequence[Any], references_a: Mapping[str, float]) -> float:
    """Turn [0.05, "Ib"] into amperes; raises SetupError for a reference current that is not given."""
    factor, name = multiple
    check_references(data, [name], references_a)
    return float(factor) * references_a[name]
