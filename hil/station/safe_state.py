"""The safe state of a bench: all off in the station's order, then read back, never assumed (design, section 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from hil.errors import BenchError, HilError, NotConnected
from hil.instruments.roles import Instrument

Get = Callable[[str], Instrument]  # a role's driver; raises HilError where it cannot be had


T = TypeVar("T")
OFF = "off"
BEHIND = {"Switch": "HipotTester"}  # its relay box, once open, brings source and probes to what is still charged


@dataclass(frozen=True, slots=True)
class SafeState:
    """What was read back after making the bench safe: role -> off, ON, or why it cannot be told."""

    readback: dict[str, str]
    safe: bool

    def __str__(self) -> str:
        if self.safe:
            return "every instrument reads back off"
        return "; ".join(f"{role}: {state}" for role, state in self.readback.items() if state != OFF)


def make_safe(order: Iterable[str], get: Get, reopen: Get | None = None) -> SafeState:
    """Switch every role off in order, whatever fails; then read back. Never raises.

    A link that broke may hide an instrument that is on: reopen, where given, makes a new one that `get` returns then.
    """
    roles, readback = tuple(order), dict[str, str]()
    for role in roles:
        if (first := BEHIND.get(role, "")) in readback:
            readback[role] = f"left as it is: the {first} is not proven off; keep the lid closed, press its stop key"
            continue
        try:
            _do(_off, role, get, reopen)
        except Exception as error:  # noqa: BLE001  even a flaw of one driver must not keep the others on
            readback[role] = _words(error)
    for role in roles:
        if role not in readback:
            try:
                readback[role] = OFF if _do(_is_off, role, get, reopen) else "ON"
            except Exception as error:  # noqa: BLE001  likewise
                readback[role] = _words(error)
    return SafeState({role: readback[role] for role in roles}, all(state == OFF for state in readback.values()))


def _do(deed: Callable[[Instrument], T], role: str, get: Get, reopen: Get | None) -> T:
    """Do it once more after trouble: on a new link where the old one broke, else on the same, which is clear again."""
    instrument = get(role)
    try:
        return deed(instrument)
    except NotConnected:
        if reopen is None:
            raise
        return deed(reopen(role))
    except BenchError:
        return deed(instrument)


def _off(instrument: Instrument) -> None:
    instrument.off()


def _is_off(instrument: Instrument) -> bool:
    return instrument.is_off()


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, HilError) else f"{type(error).__name__}: {error}"
