"""What a DCC is checked against: hil's own subset always, and PTB's own schema where the laboratory gives it.

Nothing is loaded from a network. A file that a given schema imports is looked for beside it by its name alone; that of
XML signatures is the one in the package xmlschema, for the W3C's declares entities, and no file that does is read.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, ParseError

from hil.errors import SetupError
from hil.names import one_line

if TYPE_CHECKING:
    from xmlschema import XMLSchema11

SUBSET = Path(__file__).parent / "schema" / "dcc_subset.xsd"
NAME = "dcc.xsd"  # of PTB's, in a folder
NAMESPACES = ("https://ptb.de/dcc", "https://ptb.de/si", "http://www.w3.org/2000/09/xmldsig#")
SIGNATURES = "xmldsig-core-schema.xsd"
LONGEST_REASON = 300
CLASS = re.compile(r" for <class '[^']*'>")  # Python's, which tells a person nothing
SUBSET_ONLY = "it was checked against hil's own subset of the DCC schema, not against PTB's (import-dcc --schema)"


def flaw(root: Element, schema: XMLSchema11) -> str:
    """Return the first thing in a document that a schema forbids, with its place; "" where there is none."""
    for error in schema.iter_errors(root, use_location_hints=False):
        said = f"{error.path or ''}: {CLASS.sub('', error.reason or '')}"
        for namespace in NAMESPACES:
            said = said.replace(f"{{{namespace}}}", "")
        return one_line(said)[:LONGEST_REASON]
    return ""


@cache
def subset() -> XMLSchema11:
    """Return hil's own schema, compiled; 0.3 s, which only a DCC costs."""
    return _compiled(SUBSET)


def given(asked: Path) -> tuple[XMLSchema11, str]:
    """Return the schema in a file, or in the dcc.xsd of a folder, and its name with its SHA-256; raises SetupError."""
    from xmlschema import XMLSchemaException

    path = asked / NAME if asked.is_dir() else asked
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        with warnings.catch_warnings(action="ignore"):  # of an import that fails: what it lacks is an error below
            schema = _compiled(path)
    except OSError as error:
        what = f"{one_line(str(path))} cannot be read: {error.strerror or error}"
        raise SetupError(what, "name PTB's dcc.xsd, or the folder it lies in") from error
    except (XMLSchemaException, ParseError) as error:
        first = next((line for line in str(error).splitlines() if line.strip(" :")), type(error).__name__)
        what = f"{one_line(str(path))} is no schema that can be used: {one_line(first)[:LONGEST_REASON]}"
        raise SetupError(what, "download it again") from error
    if schema.target_namespace != NAMESPACES[0]:
        what = f"{one_line(str(path))} is a schema of {schema.target_namespace!r}, not of a DCC"
        raise SetupError(what, "name PTB's dcc.xsd")
    return schema, f"{path.name}, SHA-256 {digest}"


def _compiled(path: Path) -> XMLSchema11:
    from xmlschema import XMLSchema11
    from xmlschema.locations import FALLBACK_LOCATIONS

    folder = path.parent.resolve()

    def local(address: str) -> str:
        name = address.replace("\\", "/").rstrip("/").rpartition("/")[2]
        if name == SIGNATURES:
            return str(FALLBACK_LOCATIONS[NAMESPACES[2]])
        if not (folder / name).is_file():
            raise SetupError(f"{one_line(str(path))} needs {one_line(name)!r}", "download it too, and put it beside")
        return (folder / name).as_uri()

    return XMLSchema11(
        path.resolve().as_uri(),
        uri_mapper=local,
        base_url=folder.as_uri(),
        allow="local",
        defuse="always",
        use_fallback=False,
    )
