"""The three kinds of settings an instrument has: a number, one of a few words, on or off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hil.sim.scpi_syntax import Call


@dataclass(frozen=True, slots=True)
class NumberSetting:
    """A numeric setting: its header (manual notation, # for a suffix), default, range and unit."""

    name: str
    header: str
    default: float
    low: float
    high: float
    unit: str = ""
    form: str = "{:+.8E}"

    def read(self, call: Call) -> float:
        return call.number(0, self.low, self.high, self.unit, self.default)

    def write(self, value: Any, call: Call) -> str:
        if call.has(0):  # VOLT? MAX asks for the limit, not for the setting
            value = call.number(0, self.low, self.high, self.unit, self.default)
        return self.form.format(value)


@dataclass(frozen=True, slots=True)
class ChoiceSetting:
    """A setting that is one of a few words (manual notation); the query answers the short form."""

    name: str
    header: str
    default: str
    choices: tuple[str, ...]

    def read(self, call: Call) -> str:
        return call.choice(0, self.choices)

    def write(self, value: Any, call: Call) -> str:
        return str(value)


@dataclass(frozen=True, slots=True)
class SwitchSetting:
    """A setting that is on or off; the query answers 1 or 0."""

    name: str
    header: str
    default: bool

    def read(self, call: Call) -> bool:
        return call.boolean(0)

    def write(self, value: Any, call: Call) -> str:
        return str(int(value))


Setting = NumberSetting | ChoiceSetting | SwitchSetting
