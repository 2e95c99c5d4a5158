"""The drivers of a bench by role, with what the record says of their use: which a test asked for, which were on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from hil.instruments.roles import Instrument


class DriversByRole:
    """Hands drivers out and remembers to whom it did: `used` tells it, from one call to the next."""

    def __init__(self, drivers: Mapping[str, Instrument]) -> None:
        self._drivers = drivers  # the station's own: a driver that was opened anew is in it
        self._asked: set[str] = set()
        self._on: Counter[str] = Counter()

    def __getitem__(self, role: str) -> Instrument:
        self._asked.add(role)
        return self._drivers[role]

    def __contains__(self, role: str) -> bool:
        return role in self._drivers

    def note(self, role: str) -> None:
        """Count an instrument as used that was reached by another way."""
        self._asked.add(role)

    @contextmanager
    def on(self, role: str) -> Iterator[None]:
        """Count an instrument as used as long as the block lasts: it feeds or loads the unit."""
        self._on[role] += 1
        try:
            yield
        finally:
            self._on[role] -= 1
            self._asked.add(role)  # it was on in the test that ends here

    def used(self) -> tuple[str, ...]:
        """Return the roles asked for since the last call, and those that are on, in the station's order."""
        found, self._asked = self._asked | {role for role, count in self._on.items() if count}, set()
        return tuple(role for role in self._drivers if role in found)
