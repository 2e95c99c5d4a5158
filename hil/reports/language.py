"""The language of a report: its words from a catalogue, its figures by the language's rules.

English is the language of the code and of the journal. What the catalogue does not know stays as it is on record.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hil.errors import SetupError

ENGLISH = "en"
_LOCALES = Path(__file__).with_name("locale")
_TIME = re.compile(r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)(?:T(?P<time>\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00))?")
_POINT = re.compile(r"(?<=\d)\.(?=\d)")


@dataclass(frozen=True, slots=True)
class Language:
    """Words and figures of one language; `code` is ISO 639-1."""

    code: str
    catalogue: Mapping[str, str] = field(default_factory=dict, repr=False)
    decimal: str = "."
    day: str = "{y}-{m}-{d}"  # how a date is written

    def text(self, english: str) -> str:
        """Return the sentence in this language, or as it is where nobody has translated it."""
        return self.catalogue.get(english, english)

    def say(self, english: str, **values: object) -> str:
        """Return the sentence in this language with its {named} places filled in."""
        return self.text(english).format(**values)

    def knows(self, english: str) -> bool:
        """Say whether there is a translation; English needs none."""
        return self.code == ENGLISH or english in self.catalogue

    def figures(self, text: str) -> str:
        """Write the numbers in a text, made with a decimal point, the way this language does."""
        return text if self.decimal == "." else _POINT.sub(self.decimal, text)

    def date(self, iso: str) -> str:
        """Write an ISO 8601 date or UTC time of the record; the microseconds stay there. Other text stays as it is."""
        parts = _TIME.fullmatch(iso)
        if not parts:
            return iso
        day = self.day.format(y=parts["y"], m=parts["m"], d=parts["d"])
        return f"{day} {parts['time']} UTC" if parts["time"] else day


@cache
def language(code: str) -> Language:
    """Return a language by its code; raises SetupError for one that has no catalogue."""
    if code == ENGLISH:
        return Language(ENGLISH)
    path = _LOCALES / f"{code}.po"
    known = [ENGLISH, *sorted(one.stem for one in _LOCALES.glob("*.po"))]
    if code not in known:
        raise SetupError(f"there is no language {code!r}", f"known: {', '.join(known)}")
    from babel import Locale
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        messages = read_po(file, locale=code)
    found = {str(one.id): str(one.string) for one in messages if one.id and one.string}
    known_to_babel = Locale(code)
    pattern = str(known_to_babel.date_formats["medium"].pattern)  # dd.MM.y
    day = re.sub(r"y+|M+|d+", lambda part: f"{{{part[0][0].lower()}}}", pattern)
    return Language(code, found, str(known_to_babel.number_symbols["latn"]["decimal"]), day)
