"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hil.names import one_line

Level = Literal["ok", "warn", "bad"]  # warn: something optional is missing


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor; mend is a line to type, or empty."""

    level: Level
    subject: str
    what: str
    mend: str = ""

    def __str__(self) -> str:
        told = f"{self.level:<5}{one_line(self.subject)}: {one_line(self.what)}"
        return told + (f"\n       mend it: {one_line(self.mend)}" if self.mend else "")
