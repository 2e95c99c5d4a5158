"""Check ATML with IEEE's own schema, where somebody has it: nothing is loaded from a network."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree as ET

from hil.errors import SetupError
from hil.names import one_line
from hil.reports.exports.atml_values import TR

_LONGEST = 300


def check(documents: Iterable[bytes], path: Path) -> None:
    """Raise SetupError, naming the first contradiction, where ATML is not valid by the schema in a file."""
    from xmlschema import XMLSchema, XMLSchemaException

    try:
        path.read_bytes()  # xmlschema's own words for a file that is not there are an address
        with warnings.catch_warnings(action="ignore"):  # of an import that fails: what it lacks is an error below
            schema = XMLSchema(
                path.resolve().as_uri(), base_url=path.parent.resolve().as_uri(), allow="local", defuse="always"
            )
    except OSError as error:
        raise SetupError(f"{one_line(str(path))} cannot be read: {error.strerror or error}", "name a schema") from error
    except (XMLSchemaException, ET.ParseError) as error:
        first = next((line for line in str(error).splitlines() if line.strip(" :")), type(error).__name__)
        what = f"{one_line(str(path))} is no schema that can be used: {one_line(first)[:_LONGEST]}"
        raise SetupError(what, "put what it imports beside it") from error
    if schema.target_namespace != TR:
        what = f"{one_line(str(path))} is a schema of {schema.target_namespace!r}, not of ATML test results"
        raise SetupError(what, "name TestResults.xsd")
    for data in documents:
        for wrong in schema.iter_errors(
            data.decode(), use_location_hints=False
        ):  # as text: xsi:type needs its prefixes
            said = one_line(f"{wrong.path}: {wrong.reason}")[:_LONGEST]
            raise SetupError(f"the ATML is not valid by {one_line(path.name)}: {said}", "tell a maintainer of hil")
