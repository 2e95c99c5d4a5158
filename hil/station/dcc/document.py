"""A DCC as a checked XML tree: no DOCTYPE, no entities, no network, not too large; valid by hil's subset."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element, XMLParser
from xml.parsers import expat

from hil.errors import SetupError
from hil.station.dcc.schemas import flaw, subset

READABLE = re.compile(r"3\.[0-9]{1,2}\.[0-9]{1,2}")
LARGEST_BYTES = 20 * 2**20  # a scanned certificate may be embedded
DEEPEST, MOST_ELEMENTS = 60, 100_000
DCC, SI = "{https://ptb.de/dcc}", "{https://ptb.de/si}"


class DccRefused(SetupError):
    """A file is no DCC that can be read safely, or says nothing that can be used."""


def tree_of(data: bytes) -> Element:
    """Return the root of a DCC; raises DccRefused."""
    if len(data) > LARGEST_BYTES:
        raise DccRefused(f"this file has {len(data)} bytes, a DCC has {LARGEST_BYTES} at most", "is it the right one?")
    _look(data)
    parser = XMLParser()
    parser.feed(data)
    root: Element = parser.close()
    if root.tag != f"{DCC}digitalCalibrationCertificate":
        raise DccRefused(f"this is no DCC: its root is {root.tag[:80]!r}", "ask the laboratory for the DCC")
    version = root.get("schemaVersion", "")
    if not READABLE.fullmatch(version):
        raise DccRefused(f"this is a DCC of schema {version[:20]!r}, not 3.x", "enter the calibration as TOML")
    if wrong := flaw(root, subset()):
        raise DccRefused(f"this is no DCC that hil can read: {wrong}", "ask the laboratory")
    return root


def _look(data: bytes) -> None:
    """Go through the file once without building anything; refuse what could hurt."""
    parser = expat.ParserCreate()
    depth = elements = 0

    def refuse(*_: Any) -> None:
        raise DccRefused("it has a DOCTYPE or an entity, which a DCC has not", "do not use this file")

    def start(_: str, __: Any) -> None:
        nonlocal depth, elements
        depth, elements = depth + 1, elements + 1
        if depth > DEEPEST or elements > MOST_ELEMENTS:
            raise DccRefused(f"more than {DEEPEST} elements deep, or {MOST_ELEMENTS} in all", "do not use this file")

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # the last two: an encoding nobody has
        raise DccRefused(f"this is no XML: {error}", "is it the right file?") from error
