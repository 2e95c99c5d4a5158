"""What the customer told the laboratory about a unit: for whom it is tested, when it came, in which condition.

Ref: ISO/IEC 17025:2017, 7.8.2.1 e, g, h. The laboratory answers for all else on a certificate, not for this (7.8.2.2).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date

from hil.errors import SetupError
from hil.names import LONGEST_TEXT, what_is_wrong


@dataclass(frozen=True, slots=True)
class Order:
    """As it was told; whatever was not told is empty. `received` is an ISO 8601 date."""

    customer: str = ""
    contact: str = ""
    number: str = ""
    received: str = ""
    condition: str = ""

    def check(self, today: date) -> None:
        """Refuse what cannot stand on a certificate; raises SetupError."""
        for name, text in self.told().items():
            if why := what_is_wrong(text, LONGEST_TEXT):
                raise SetupError(f"the order's {name} {text[:40]!r} is refused: {why}", "type it again")
        if not self.received:
            return
        try:
            day = date.fromisoformat(self.received)
            if day.isoformat() != self.received:  # 20261121, 2026-W47-6: dates too, but not as a certificate has them
                raise ValueError(self.received)
        except ValueError as error:
            raise SetupError(f"{self.received!r} is no date on which a unit came", "write it as 2026-11-21") from error
        if day > today:
            raise SetupError(f"the unit cannot have come on {self.received}: today is {today}", "type the date again")

    def told(self) -> dict[str, str]:
        """Return what was told, for the record."""
        return {name: text for name, text in asdict(self).items() if text}
