"""Our own drawings (hil.reports.svg: paths, rectangles, circles, text) as operators of a PDF page.

WeasyPrint draws SVG too, at 30 ms a chart; these are the few elements that our drawings are made of, at 1 ms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from xml.etree import ElementTree

from hil.reports.sheets.face import shown
from hil.reports.sheets.flow import Style, rgb

_TOKEN = re.compile(r"[A-Za-z]|-?\d+(?:\.\d+)?")
_ROUND = 0.5523  # of a circle's radius: where the handles of its four curves stand
_Place = Callable[[float, float], tuple[float, float]]


def size(drawing: str) -> tuple[float, float]:
    """Return how wide and high a drawing is, in its own units."""
    _, _, width, height = re.search(r'viewBox="([^"]*)"', drawing)[1].split()  # type: ignore[index]  # ours has one
    return float(width), float(height)


def operators(drawing: str, left_pt: float, top_pt: float, scale: float) -> str:
    """Return a drawing whose upper left corner is at a place of the page, scale points a unit."""

    def place(x: float, y: float) -> tuple[float, float]:
        return left_pt + scale * x, top_pt - scale * y

    root = ElementTree.fromstring(drawing)
    parts = ["q"]
    for one in root.iter():
        name = one.tag.rpartition("}")[2]
        if name == "text":
            parts += _text(one, place, scale)
        elif name in {"path", "rect", "circle"}:
            parts.append(_painted(one, " ".join(_OUTLINES[name](one, place, scale)), scale))
    return " ".join([*parts, "Q"])


def _painted(one: ElementTree.Element, outline: str, scale: float) -> str:
    fill, stroke = one.get("fill", "none" if one.get("stroke") else "#000000"), one.get("stroke", "none")
    said = []
    if fill != "none":
        said.append(f"{rgb(_whole(fill))} rg")
    if stroke != "none":
        said.append(f"{rgb(_whole(stroke))} RG {float(one.get('stroke-width', '1')) * scale:.2f} w")
        said.append(f"{'1' if one.get('stroke-linejoin') == 'round' else '0'} j")
        dashes = " ".join(f"{float(part) * scale:.2f}" for part in one.get("stroke-dasharray", "").split())
        said.append(f"[{dashes}] 0 d")
    paint = {(True, True): "B", (True, False): "f", (False, True): "S"}.get((fill != "none", stroke != "none"), "n")
    return " ".join([*said, outline, paint])


def _rect(one: ElementTree.Element, place: _Place, scale: float) -> Iterator[str]:
    width, height = float(one.get("width", "0")) * scale, float(one.get("height", "0")) * scale
    x, y = place(float(one.get("x", "0")), float(one.get("y", "0")))
    yield f"{x:.2f} {y - height:.2f} {width:.2f} {height:.2f} re"


def _circle(one: ElementTree.Element, place: _Place, scale: float) -> Iterator[str]:
    x, y = place(float(one.get("cx", "0")), float(one.get("cy", "0")))
    r = float(one.get("r", "0")) * scale
    h = _ROUND * r
    yield f"{x + r:.2f} {y:.2f} m"
    yield f"{x + r:.2f} {y + h:.2f} {x + h:.2f} {y + r:.2f} {x:.2f} {y + r:.2f} c"
    yield f"{x - h:.2f} {y + r:.2f} {x - r:.2f} {y + h:.2f} {x - r:.2f} {y:.2f} c"
    yield f"{x - r:.2f} {y - h:.2f} {x - h:.2f} {y - r:.2f} {x:.2f} {y - r:.2f} c"
    yield f"{x + h:.2f} {y - r:.2f} {x + r:.2f} {y - h:.2f} {x + r:.2f} {y:.2f} c h"


def _path(one: ElementTree.Element, place: _Place, scale: float) -> Iterator[str]:
    """Follow M, L, H, V, their small letters, and Z."""
    tokens = iter(_TOKEN.findall(one.get("d", "")))
    command, x, y = "M", 0.0, 0.0
    for token in tokens:
        if token in "Zz":
            yield "h"
            continue
        if token.isalpha():
            command = token
            number = float(next(tokens))
        else:
            number = float(token)
        if command in "Hh":
            x = number + (x if command == "h" else 0.0)
        elif command in "Vv":
            y = number + (y if command == "v" else 0.0)
        else:
            second = float(next(tokens))
            x, y = (x + number, y + second) if command.islower() else (number, second)
        at_x, at_y = place(x, y)
        yield f"{at_x:.2f} {at_y:.2f} {'m' if command in 'Mm' else 'l'}"
        command = {"M": "L", "m": "l"}.get(command, command)


_OUTLINES = {"path": _path, "rect": _rect, "circle": _circle}


def _text(one: ElementTree.Element, place: _Place, scale: float) -> Iterator[str]:
    style = Style("bold" if one.get("font-weight") else "regular", float(one.get("font-size", "12")) * scale)
    text = shown("".join(one.itertext()))
    x, y = place(float(one.get("x", "0")), float(one.get("y", "0")))
    x -= style.width(text) * {"middle": 0.5, "end": 1.0}.get(one.get("text-anchor", ""), 0.0)
    said = f"/{style.face} {style.size_pt:.2f} Tf 1 0 0 1 {x:.2f} {y:.2f} Tm <{style.font.code(text)}> Tj"
    if one.get("paint-order"):  # a white edge around it, so that it reads on top of a line
        yield f"BT 1 Tr 1 1 1 RG {3 * scale:.2f} w {said} ET"
    yield f"BT 0 Tr {rgb(_whole(one.get('fill', '#000000')))} rg {said} ET"


def _whole(colour: str) -> str:
    """Return `#fff` as `#ffffff`."""
    return f"#{colour[1] * 2}{colour[2] * 2}{colour[3] * 2}" if len(colour) == 4 else colour
