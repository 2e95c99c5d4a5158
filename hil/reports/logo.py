"""A laboratory's logo inside the page: a picture that acts and fetches nothing, as a data: address."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from xml.etree import ElementTree

from hil.errors import SetupError

LARGEST_LOGO = 256 * 1024  # bytes; it stands in every certificate
LARGEST_SIDE_PX = 4000
_PNG = b"\x89PNG\r\n\x1a\n"
_SVG = "{http://www.w3.org/2000/svg}"
_HREFS = ("href", "{http://www.w3.org/1999/xlink}href")
_ELEMENTS = frozenset(
    {"svg", "g", "defs", "symbol", "use", "title", "desc", "path", "rect", "circle", "ellipse", "line", "polyline"}
    | {"polygon", "text", "tspan", "linearGradient", "radialGradient", "stop", "clipPath", "mask", "pattern", "style"}
)
_OUTSIDE = re.compile(r"@import|expression|javascript:|url\s*\(\s*['\"]?\s*(?!#)", re.IGNORECASE)
_PLAIN = "save it as plain SVG, with its text turned into paths"


def data_uri(path: Path) -> str:
    """Return the picture as a data: address; raises SetupError for one that is too large, no picture, or could act."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_LOGO + 1)
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}", "mend its permissions") from error
    if len(data) > LARGEST_LOGO:
        raise SetupError(f"{path} is larger than {LARGEST_LOGO} bytes", "every certificate carries it: make it smaller")
    if path.suffix == ".png":
        _check_png(path, data)
        kind = "image/png"
    else:
        _check_svg(path, data)
        kind = "image/svg+xml"
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _check_png(path: Path, data: bytes) -> None:
    if not data.startswith(_PNG) or data[12:16] != b"IHDR":
        raise SetupError(f"{path} is no PNG", "export it again")
    width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    if not 0 < max(width, height) <= LARGEST_SIDE_PX:
        raise SetupError(f"{path} has {width} x {height} pixels", f"{LARGEST_SIDE_PX} a side are the most")


def _check_svg(path: Path, data: bytes) -> None:
    """Refuse whatever is not plain drawing; a document type comes first, because its entities can grow without end."""
    if re.search(rb"<!(?:DOCTYPE|ENTITY)", data, re.IGNORECASE):
        raise SetupError(f"{path} has a document type of its own", _PLAIN)
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError) as error:
        raise SetupError(f"{path} is no SVG: {error}", "export it again") from error
    if root.tag != f"{_SVG}svg":
        raise SetupError(f"{path} is no SVG: its root is {root.tag[:80]!r}", "export it again")
    for element in root.iter():
        name = str(element.tag).removeprefix(_SVG)
        if name not in _ELEMENTS:
            raise SetupError(f"{path} has an element {name[:80]!r}, which a logo must not have", _PLAIN)
        if name == "style" and _OUTSIDE.search(_unescaped(element.text or "")):
            raise SetupError(f"{path} refers to something outside itself in a style", _PLAIN)
        for key, value in element.attrib.items():
            _check_attribute(path, key, value)


def _check_attribute(path: Path, key: str, value: str) -> None:
    if key.lower().startswith("on"):
        raise SetupError(f"{path} has the attribute {key[:80]!r}, which can act", _PLAIN)
    if key in _HREFS and not value.startswith("#"):
        raise SetupError(f"{path} refers to {value[:80]!r}, outside itself", _PLAIN)
    if _OUTSIDE.search(_unescaped(value)):
        raise SetupError(f"{path} refers to something outside itself in {key[:80]!r}", _PLAIN)


def _unescaped(css: str) -> str:
    """Return CSS without comments, and with its escapes spelled as what they stand for."""
    plain = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    return re.sub(r"\\([0-9a-fA-F]{1,6})\s?|\\(.)", _spelled, plain)


def _spelled(found: re.Match[str]) -> str:
    if not found[1]:
        return found[2]
    code = int(found[1], 16)
    return chr(code) if code < 0x110000 else ""
