"""A surge generator whose maker publishes no commands: the operator sets, arms and fires it, and types what it shows.

EM Test, Teseq, AMETEK CTS, Schaffner and others come with PC software only: facts instruments 3.8.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from hil.clock import Clock
from hil.errors import NoReading, SetupError
from hil.instruments.accuracy import specified
from hil.instruments.combination_wave import can_be_current, can_be_peak, check_setting
from hil.instruments.roles import Accuracy, Identity, SurgeGenerator, SurgeShot
from hil.links.scpi import NUMBER

if TYPE_CHECKING:
    from hil.links.terminal import Terminal

RESOURCE = re.compile(r"operator://(?P<generator>[^/?#]*)")
MIN_LEVEL_V, MAX_LEVEL_V = 100.0, 6600.0  # what there is; the generator on the bench may end before that
QUANTITY = re.compile(rf"(?P<number>{NUMBER.pattern})\s*(?P<kilo>[kK]?)(?P<unit>[VA]?)")
Ask = Callable[[str], str]  # a question, and the line that was typed


class OperatorSurge:
    """Asks a person. Satisfies the SurgeGenerator role; each step is confirmed with a word, never with Enter alone."""

    ROLE = "SurgeGenerator"
    MODEL = "operator"

    def __init__(self, resource: str, ask: Ask, clock: Clock, terminal: Terminal | None = None) -> None:
        match = RESOURCE.fullmatch(resource)
        if not match:
            raise SetupError(f"{resource!r} names no operator", "write it like operator:// or operator://UCS 500N5")
        self.generator = match["generator"] or "surge generator"
        self._ask, self._clock, self._terminal = ask, clock, terminal
        self._level_v = 0.0
        self._charged = False  # as far as anybody knows

    @classmethod
    def open(cls, resource: str, clock: Clock) -> OperatorSurge:
        """Take the run's terminal; raises SetupError where there is none, before anything is energised."""
        from hil.links.terminal import Terminal

        terminal = Terminal(cls.ROLE)
        return cls(resource, terminal.ask, clock, terminal)

    def identify(self) -> Identity:
        """Return what stations.toml calls the generator: nobody asked it."""
        return Identity("operator", self.generator, "", "")

    def arm(self, level_v: float, angle_deg: float) -> None:
        """Have it set, in volts with its polarity and degrees of the mains, coupled line to neutral, and charged."""
        check_setting(level_v, angle_deg, MIN_LEVEL_V, MAX_LEVEL_V)
        self._charged = True
        self._confirm(
            f"Set the {self.generator} to {level_v:+.0f} V, 1.2/50 us, line to neutral, one pulse at {angle_deg:.0f} "
            "degrees of the mains, and charge it. Do not fire.",
            "armed",
        )
        self._level_v = level_v

    def fire(self) -> SurgeShot:
        """Have it fired once, and return the peaks that the operator reads on it; NoReading where no pulse came."""
        level_v, self._level_v = self._level_v, 0.0
        if not level_v:
            raise NoReading(self.generator, "fire", "", "it is not charged: arm it first")
        done = self._confirm(f"Fire the {self.generator} now, once. If no pulse comes, type none.", "fired", "none")
        if done == "none":
            raise NoReading(self.generator, "fire", done, "the operator says that no pulse came")
        peak_v = self._quantity("voltage", "V", lambda value: can_be_peak(value, level_v))
        peak_a = self._quantity("current", "A", lambda value: can_be_current(value, level_v))
        self.off()
        return SurgeShot(peak_v, peak_a)

    def accuracy_v(self, peak_v: float) -> Accuracy:
        """Return a peak voltage with its half-width, in volts."""
        return specified("operator_surge", "peak_voltage", peak_v)

    def off(self) -> None:
        """Have it discharged, unless it is known to be. Safe in any state, any number of times."""
        self._level_v = 0.0
        if self._charged:
            self._confirm(f"Discharge the {self.generator} and lock it: it must not fire any more.", "safe")
            self._charged = False

    def is_off(self) -> bool:
        """Return whether the operator has confirmed that it is discharged since it was last to be charged."""
        return not self._charged

    def close(self) -> None:
        if self._terminal is not None:
            self._terminal.close()

    def _confirm(self, what: str, *words: str) -> str:
        wanted = " or ".join(f"'{word}'" for word in words)
        question = f"{what} Then type {words[0]}:"
        while True:
            typed = self._ask(question).strip().lower()
            if typed in words:
                return typed
            question = f"{typed!r} is not {wanted}. {what} Then type {words[0]}:"

    def _quantity(self, name: str, unit: str, possible: Callable[[float], bool]) -> float:
        """Ask until a number comes that can be the peak of the pulse."""
        what = question = f"Peak {name} that the {self.generator} shows, with its sign, in {unit}:"
        while True:
            typed = self._ask(question).strip()
            match = QUANTITY.fullmatch(typed)
            if not match or match["unit"] not in {"", unit}:
                question = f"{typed!r} is no number of {unit}, such as -950 or 0.95 k{unit}. {what}"
                continue
            value = float(match["number"]) * (1e3 if match["kilo"] else 1.0)
            if possible(value):
                return value
            question = f"{typed!r} cannot be the peak of this pulse: look at its sign and size. {what}"


DRIVER: type[SurgeGenerator] = OperatorSurge
