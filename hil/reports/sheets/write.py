"""Sheets into a PDF that WeasyPrint is about to write: our pages among its, our fonts beside its, one head and foot.

Ref: ISO 32000-1:2008, 9.7 (composite fonts), 9.10.3 (ToUnicode); ISO 19005-3:2012, 6.2.11 (fonts embedded, widths as
in the program).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from hil.reports.sheets.face import Face, faces, outline, shown
from hil.reports.sheets.flow import Sheets, Style, rgb, wrap

_QUIET = Style("regular", 7.4, "#4d565e")
_LOUD = Style("bold", 8.6, "#a3142e")


@dataclass(frozen=True, slots=True)
class Running:
    """What stands on every page: at the head left and right, marks between them and across; the foot on the left."""

    head: tuple[str, str]
    foot: str
    marks: tuple[str, ...]
    page_of: str  # with places for {n} and {total}


def finish(pdf: Any, sheets: Sheets, running: Running, before: int, own: Sequence[tuple[int, str, int]]) -> None:
    """Put the sheets before one of WeasyPrint's pages, number all pages, and make the table of bookmarks.

    The first sheet lies on the page before that one, beneath what is there. own are the bookmarks of WeasyPrint's
    pages: level, words, page from 0.
    """
    import pydyf

    kids = [int(one) for one in pdf.pages["Kids"][::3]]
    resources = _object(pdf, pdf.objects[kids[0]]["Resources"])  # one for all pages
    for kind in ("ExtGState", "XObject", "Pattern", "Shading"):
        if not resources[kind]:
            del resources[kind]
    fonts = _object(pdf, resources["Font"])
    for name, face in faces().items():
        fonts[name] = _font(pdf, face)
    shared = pdf.objects[kids[before - 1]]
    shared["Contents"] = pydyf.Array([_stream(pdf, "\n".join(sheets.pages[0])), shared["Contents"]])
    made = [_page(pdf, shared, operators) for operators in sheets.pages[1:]]
    order = [*kids[:before], *made, *kids[before:]]
    across = _stream(pdf, _marks(running))
    for number, one in enumerate(order):
        under = _stream(pdf, _running(running, sheets, number + 1, len(order)))
        contents = pdf.objects[one]["Contents"]
        rest = contents if isinstance(contents, pydyf.Array) else [contents]
        pdf.objects[one]["Contents"] = pydyf.Array([across, under, *rest])
    pdf.pages["Kids"] = pydyf.Array([part for one in order for part in (one, 0, "R")])
    pdf.pages["Count"] = len(order)
    marks = [(level, words, order[page if page < before else page + len(made)], 842.0) for level, words, page in own]
    marks += [
        (one.level, one.label, order[before - 1 + one.page], sheets.top_pt - one.down_pt + 4.0)
        for one in sheets.bookmarks
    ]
    places = {one: number for number, one in enumerate(order)}
    _outline(pdf, sorted(marks, key=lambda one: (places[one[2]], -one[3])))


def _page(pdf: Any, like: Any, operators: Sequence[str]) -> int:
    """Add a page of the same size and with the same resources as another; return its object's number."""
    import pydyf

    page = pydyf.Dictionary(
        {key: like[key] for key in ("Type", "Parent", "MediaBox", "Resources", "TrimBox", "BleedBox")}
    )
    page["Contents"] = _stream(pdf, "\n".join(operators))
    pdf.add_object(page)
    return int(page.number)


def _stream(pdf: Any, operators: str) -> Any:
    import pydyf

    stream = pydyf.Stream([f"q {operators} Q".encode()], compress=True)
    pdf.add_object(stream)
    return stream.reference


def _running(running: Running, sheets: Sheets, number: int, total: int) -> str:
    """Return the head and the foot of one page."""
    made = Sheets(sheets.width_pt, sheets.height_pt, sheets.left_pt, sheets.top_pt, pages=[[]])
    foot_pt = sheets.top_pt - sheets.height_pt - 22.0
    left, right = running.head
    marks = "  ·  ".join(running.marks)
    for x, y, text, style in (
        (0.0, sheets.top_pt + 15.0, _short(left, 170.0), _QUIET),
        (sheets.width_pt - _QUIET.width(shown(right)), sheets.top_pt + 15.0, right, _QUIET),
        ((sheets.width_pt - _LOUD.width(shown(marks))) / 2, sheets.top_pt + 15.0, marks, _LOUD),
        (0.0, foot_pt, running.foot, _QUIET),
    ):
        made.label(x, y, text, style)
    counted = running.page_of.format(n=number, total=total)
    made.label(sheets.width_pt - _QUIET.width(shown(counted)), foot_pt, counted, _QUIET)
    return " ".join(made.pages[0])


def _marks(running: Running) -> str:
    """Return the marks across a page, which lie beneath all else."""
    middles = (410.0,) if len(running.marks) == 1 else (560.0, 260.0)
    return " ".join(_across(mark, 300.0, y_pt) for mark, y_pt in zip(running.marks, middles, strict=False))


def _across(mark: str, x_pt: float, y_pt: float) -> str:
    """Return a word in pale letters across the page, its middle at a place."""
    letters, width = outline("bold", shown(mark))
    scale = min(84.0, 560.0 * 1000 / width) / 1000
    half, angle = width * scale / 2, math.radians(32)
    x, y = x_pt - half * math.cos(angle), y_pt - half * math.sin(angle)
    along, up = scale * math.cos(angle), scale * math.sin(angle)
    turned = f"{along:.5f} {up:.5f} {-up:.5f} {along:.5f} {x:.2f} {y:.2f} cm"
    return f"q {turned} {rgb('#f8e9ec')} rg {letters} f Q"


def _short(text: str, room_pt: float) -> str:
    """Return as much of a text as a line has room for."""
    lines = wrap(text, _QUIET, room_pt)
    return lines[0] if len(lines) == 1 else f"{lines[0]} …"


def _outline(pdf: Any, marks: Sequence[tuple[int, str, int, float]]) -> None:
    """Make the bookmarks: each level, words, page object and height; a level hangs under the last higher one.

    Ref: ISO 32000-1:2008, 12.3.3.
    """
    import pydyf

    root = pydyf.Dictionary({"Type": "/Outlines"})
    pdf.add_object(root)
    above: list[tuple[int, Any]] = [(0, root)]
    last: dict[int, Any] = {}
    for level, words, page, height in marks:
        while above[-1][0] >= level:
            above.pop()
        parent = above[-1][1]
        one = pydyf.Dictionary(
            {
                "Title": pydyf.String(words),
                "Dest": pydyf.Array([f"{page} 0 R", "/XYZ", 0, round(height, 1), 0]),
                "Parent": parent.reference,
            }
        )
        pdf.add_object(one)
        before = last.get(parent.number)
        if before is None:
            parent["First"] = one.reference
        else:
            before["Next"], one["Prev"] = one.reference, before.reference
        parent["Last"] = one.reference
        if parent is not root:
            parent["Count"] = parent.get("Count", 0) - 1  # closed: only the sections show at first
        else:
            root["Count"] = root.get("Count", 0) + 1
        last[parent.number] = one
        above.append((level, one))
    pdf.catalog["Outlines"] = root.reference


def name_files_once(pdf: Any) -> None:
    """Say of each file inside once what it is to the document: WeasyPrint lists those of the document twice."""
    import pydyf

    files = [one.decode() if isinstance(one, bytes) else str(one) for one in pdf.catalog.get("AF", ())]
    if files:
        pdf.catalog["AF"] = pydyf.Array(dict.fromkeys(files))


def deflate_once(pdf: Any) -> None:
    """Deflate large streams now: written with an identifier, each would be deflated twice."""
    import pydyf

    for one in pdf.objects:
        if isinstance(one, pydyf.Stream) and one.compress:
            data = b"\n".join(part if isinstance(part, bytes) else str(part).encode() for part in one.stream)
            if len(data) > 4096:
                one.stream, one.compress = [zlib.compress(data, 6)], False
                one.extra["Filter"] = "/FlateDecode"


def _object(pdf: Any, reference: Any) -> Any:
    """Return the object behind a reference such as `12 0 R`."""
    text = reference.decode() if isinstance(reference, bytes) else str(reference)
    return pdf.objects[int(text.split()[0])]


def _font(pdf: Any, face: Face) -> Any:
    """Embed a face and return the reference to its font."""
    import pydyf

    def added(made: Any) -> Any:
        pdf.add_object(made)
        return made.reference

    def deflated(data: bytes, **more: Any) -> Any:
        return added(pydyf.Stream([data], pydyf.Dictionary({"Filter": "/FlateDecode", **more})))

    descriptor = pydyf.Dictionary(
        {
            "Type": "/FontDescriptor",
            "FontName": f"/{face.name}",
            "Flags": 4,  # symbolic: its characters are reached by glyph number
            "FontBBox": pydyf.Array(face.box),
            "ItalicAngle": 0,
            "Ascent": face.ascent,
            "Descent": face.descent,
            "CapHeight": face.cap_height,
            "StemV": 80,
            "FontFile2": deflated(face.program, Length1=face.program_bytes),
        }
    )
    descendant = pydyf.Dictionary(
        {
            "Type": "/Font",
            "Subtype": "/CIDFontType2",
            "BaseFont": f"/{face.name}",
            "CIDSystemInfo": pydyf.Dictionary(
                {"Registry": pydyf.String("Adobe"), "Ordering": pydyf.String("Identity"), "Supplement": 0}
            ),
            "CIDToGIDMap": "/Identity",
            "FontDescriptor": added(descriptor),
            "W": pydyf.Array([0, pydyf.Array(face.advances)]),
        }
    )
    return added(
        pydyf.Dictionary(
            {
                "Type": "/Font",
                "Subtype": "/Type0",
                "BaseFont": f"/{face.name}",
                "Encoding": "/Identity-H",
                "DescendantFonts": pydyf.Array([added(descendant)]),
                "ToUnicode": deflated(_to_unicode(face.name)),
            }
        )
    )


@cache
def _to_unicode(name: str) -> bytes:
    """Return the map from glyphs back to characters, deflated."""
    face = next(one for one in faces().values() if one.name == name)
    pairs = sorted({glyph: letter for letter, glyph in reversed(list(face.glyphs.items()))}.items())
    lines = [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
        "1 begincodespacerange <0000> <ffff> endcodespacerange",
    ]
    for start in range(0, len(pairs), 100):
        block = pairs[start : start + 100]
        lines.append(f"{len(block)} beginbfchar")
        lines += [f"<{glyph:04x}> <{letter.encode('utf-16-be').hex()}>" for glyph, letter in block]
        lines.append("endbfchar")
    lines.append("endcmap CMapName currentdict /CMap defineresource pop end end")
    return zlib.compress("\n".join(lines).encode(), 9)
