"""Keysight DAQ970A with two DAQM901A multiplexers (slots 1, 2) and a DAQM903A actuator (slot 3); SCPI over HiSLIP.

Ref: Keysight DAQ970A Programming Guide, ROUTe subsystem. Facts: instruments 3.7. Here it only routes; its own
meter is not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from hil.clock import Clock
from hil.errors import BadAnswer, InstrumentRefused, SetupError
from hil.instruments.identity import ask_identity
from hil.instruments.roles import Identity, Switch
from hil.links.scpi import ScpiLink, tell_checked

CHANNELS = tuple(slot + number for slot in (100, 200, 300) for number in range(1, 21))
EVERY_CHANNEL = "(@101:120,201:220,301:320)"
SETTLE_S = 0.01  # relay operate time; the multiplexer closes 80 channels/s, unverified


class KeysightDaq970a:
    """Closes and opens routes and reads them back. Satisfies the Switch role."""

    ROLE = "Switch"
    MODEL = "Keysight DAQ970A"
    LINK: ClassVar[dict[str, str]] = {"read_termination": "\n", "write_termination": "\n"}

    def __init__(self, link: ScpiLink, clock: Clock) -> None:
        self._link, self._clock = link, clock

    def identify(self) -> Identity:
        return ask_identity(self._link, self.MODEL, r"DAQ970A")

    def close_channels(self, channels: Sequence[int]) -> None:
        """Close channels, wait for their relays, and read them back; the others stay as they are."""
        if channels:
            self._move("CLOS", _listed(channels), len(channels), closed=True)

    def open_channels(self, channels: Sequence[int]) -> None:
        """Open channels, wait for their relays, and read them back; the others stay as they are."""
        if channels:
            self._move("OPEN", _listed(channels), len(channels), closed=False)

    def open_all(self) -> None:
        """Open every channel and read them back."""
        self._move("OPEN", EVERY_CHANNEL, len(CHANNELS), closed=False)

    def closed_channels(self) -> frozenset[int]:
        """Return the numbers of the channels that are closed now."""
        states = self._states(EVERY_CHANNEL, len(CHANNELS))
        return frozenset(channel for channel, closed in zip(CHANNELS, states, strict=True) if closed)

    def off(self) -> None:
        """Open every channel. Safe in any state, any number of times."""
        self.open_all()

    def is_off(self) -> bool:
        return not self.closed_channels()

    def close(self) -> None:
        self._link.close()

    def _move(self, verb: str, channels: str, count: int, *, closed: bool) -> None:
        tell_checked(self._link, f"ROUT:{verb} {channels}")
        self._clock.sleep(SETTLE_S)
        states = self._states(channels, count)
        if any(state is not closed for state in states):
            raise InstrumentRefused(self._link.who, f"ROUT:{verb} {channels}", f"read back as {states}")

    def _states(self, channels: str, expected: int) -> list[bool]:
        query = f"ROUT:CLOS? {channels}"
        answer = self._link.ask(query)
        fields = [field.strip() for field in answer.split(",")]
        if any(field not in {"0", "1"} for field in fields) or len(fields) != expected:
            raise BadAnswer(self._link.who, query, answer, "not a 0 or 1 for each channel")
        return [field == "1" for field in fields]


def _listed(channels: Sequence[int]) -> str:
    if unknown := [channel for channel in channels if channel not in CHANNELS]:
        raise SetupError(f"the switch has no channel {unknown[0]}", f"its channels are {EVERY_CHANNEL}")
    return "(@" + ",".join(str(channel) for channel in channels) + ")"


DRIVER: type[Switch] = KeysightDaq970a
