"""The shipped fonts: how wide their letters are, and what a PDF embeds of them.

Fonts: Source Sans 3 (3.052) and Source Code Pro (2.042), Adobe, SIL Open Font License 1.1; the files are as released.
"""

from __future__ import annotations

import hashlib
import io
import unicodedata
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from hil.names import printable

FONTS = Path(__file__).parents[1] / "fonts"
FILES = {
    "regular": "SourceSans3-Regular.ttf.woff",
    "bold": "SourceSans3-Semibold.ttf.woff",
    "mono": "SourceCodePro-Regular.ttf.woff",
}
# Latin, Greek, Cyrillic, Vietnamese; punctuation, superscripts, letterlike signs, arrows, mathematics, shapes
_RANGES = (
    *(
        (0x20, 0x7E),
        (0xA0, 0x24F),
        (0x370, 0x3FF),
        (0x400, 0x45F),
        (0x1E00, 0x1EFF),
        (0x2010, 0x2044),
        (0x2070, 0x209F),
    ),
    *((0x20A0, 0x20BF), (0x2100, 0x214F), (0x2190, 0x21FF), (0x2200, 0x22FF), (0x25A0, 0x25FF)),
)
_DROPPED = ("BASE", "DSIG", "GDEF", "GPOS", "GSUB", "name", "post", "OS/2", "GlyphOrder")
_PER_EM = 1000  # of all three fonts


@dataclass(frozen=True, slots=True)
class Face:
    """One font as a PDF embeds it: glyph and width (1/1000 em) by character; `program` is deflated TrueType."""

    name: str  # with the six letters that mark a subset
    glyphs: Mapping[str, int]
    widths: Mapping[str, int]
    advances: tuple[int, ...]  # the same widths by glyph
    program: bytes = field(repr=False)
    program_bytes: int  # inflated
    box: tuple[int, int, int, int]
    ascent: int
    descent: int
    cap_height: int

    def width(self, text: str, size_pt: float) -> float:
        """Return how wide a text is, in points; every character must be one that the face has."""
        widths = self.widths
        return sum([widths[one] for one in text]) * size_pt / _PER_EM

    def code(self, text: str) -> str:
        """Return a text as the hexadecimal string a PDF shows."""
        glyphs = self.glyphs
        return "".join([f"{glyphs[one]:04x}" for one in text])


@cache
def faces() -> Mapping[str, Face]:
    """Return the shipped faces by name: regular, bold, mono."""
    return {name: _face(name) for name in FILES}


@cache
def truetype(name: str) -> bytes:
    """Return a face's whole file, unpacked."""
    from fontTools.ttLib import TTFont

    font = TTFont(FONTS / FILES[name], recalcBBoxes=False, recalcTimestamp=False)
    font.flavor = None
    file = io.BytesIO()
    font.save(file)
    return file.getvalue()


@cache
def outline(name: str, text: str) -> tuple[str, int]:
    """Return a text's letters as PDF paths, in 1/1000 em, and its width: drawn, but no words that a reader extracts."""
    from fontTools.pens.recordingPen import DecomposingRecordingPen
    from fontTools.ttLib import TTFont

    font = TTFont(io.BytesIO(truetype(name)))
    shapes, names = font.getGlyphSet(), font.getBestCmap()
    parts: list[str] = []
    right = 0
    for letter in text:
        glyph = names[ord(letter)]
        pen = DecomposingRecordingPen(shapes)
        shapes[glyph].draw(pen)
        parts += _traced(pen.value, right)
        right += int(shapes[glyph].width)
    return " ".join(parts), right


def _traced(strokes: Sequence[tuple[str, Any]], right: int) -> Iterator[str]:
    """Turn one glyph's contours into operators, so far to the right; PDF has cubic curves only."""
    from fontTools.pens.basePen import decomposeQuadraticSegment

    x = y = 0.0
    for stroke, points in strokes:
        if stroke in {"moveTo", "lineTo"}:
            ((x, y),) = points
            yield f"{x + right:g} {y:g} {'m' if stroke == 'moveTo' else 'l'}"
        elif stroke == "qCurveTo":
            for (cx, cy), (ex, ey) in decomposeQuadraticSegment(points):
                handles = (x + 2 / 3 * (cx - x), y + 2 / 3 * (cy - y), ex + 2 / 3 * (cx - ex), ey + 2 / 3 * (cy - ey))
                yield f"{handles[0] + right:.1f} {handles[1]:.1f} {handles[2] + right:.1f} {handles[3]:.1f}"
                yield f"{ex + right:g} {ey:g} c"
                x, y = ex, ey
        elif stroke == "closePath":
            yield "h"


@cache
def characters(mono: bool = False) -> frozenset[str]:
    """Return every character that regular and bold have, or mono."""
    return frozenset.intersection(
        *(frozenset(faces()[one].glyphs) for one in (["mono"] if mono else ["regular", "bold"]))
    )


@lru_cache(maxsize=8192)
def shown(text: str, mono: bool = False) -> str:
    """Return text in characters that the fonts have: others are spelled as `\\u6f22`, so that none is lost.

    A space of a width that the fonts do not have is a plain one.
    """
    known = characters(mono)
    whole = printable(unicodedata.normalize("NFC", text)).replace("\n", " ").replace("\t", " ")
    if known.issuperset(whole):
        return whole
    return "".join(one if one in known else spelled(one) for one in whole)


def spelled(character: str) -> str:
    """Return a character that the fonts do not have in those that they have."""
    return " " if unicodedata.category(character) == "Zs" else character.encode("unicode_escape").decode()


def _face(name: str) -> Face:
    from fontTools import subset
    from fontTools.ttLib import TTFont

    font = TTFont(io.BytesIO(truetype(name)), recalcBBoxes=False, recalcTimestamp=False, lazy=True)
    own = font["name"].getDebugName(6)
    cap_height = int(font["OS/2"].sCapHeight)
    wanted = [code for first, last in _RANGES for code in range(first, last + 1)]
    options = subset.Options(
        hinting=False, notdef_outline=True, glyph_names=False, recalc_timestamp=False, drop_tables=[*_DROPPED]
    )
    made = subset.Subsetter(options)
    made.populate(unicodes=[code for code in wanted if code in font.getBestCmap()])
    made.subset(font)
    file = io.BytesIO()
    font.save(file)
    program = file.getvalue()
    letters = {chr(code): glyph for code, glyph in font.getBestCmap().items()}
    head = font["head"]
    tag = "".join(chr(65 + byte % 26) for byte in hashlib.sha256(program).digest()[:6])
    return Face(
        name=f"{tag}+{own}",
        glyphs={letter: font.getGlyphID(glyph) for letter, glyph in letters.items()},
        widths={letter: int(font["hmtx"][glyph][0]) for letter, glyph in letters.items()},
        advances=tuple(int(font["hmtx"][glyph][0]) for glyph in font.getGlyphOrder()),
        program=zlib.compress(program, 9),
        program_bytes=len(program),
        box=(head.xMin, head.yMin, head.xMax, head.yMax),
        ascent=int(font["hhea"].ascent),
        descent=int(font["hhea"].descent),
        cap_height=cap_height,
    )
