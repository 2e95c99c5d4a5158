"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "bad"]  # warn: something optional is missing


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor; mend is a line to type, or empty."""

    level: Level
    subject: str
    what: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.level:<5}{self.subject}: {self.what}" + (f"\n       mend it: {self.mend}" if self.mend else "")
