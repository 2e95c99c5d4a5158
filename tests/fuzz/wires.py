"""What stands where a peer would: it says what the fuzzer wants, as the link would hand it on."""

from __future__ import annotations

from hil.errors import BadAnswer, NoAnswer
from hil.links.scpi import parse_block


class Answers:
    """A SCPI link whose peer answers with the next line each time, and then no more."""

    def __init__(self, data: bytes) -> None:
        self.who, self.where = "instrument", "TCPIP::192.0.2.1::INSTR"
        self._rest = data
        self.last = ""

    def tell(self, message: str) -> None:
        """Take it in silence."""

    def ask(self, message: str) -> str:
        line, _, self._rest = self._rest.partition(b"\n")
        self.last = line.decode("latin-1").strip()  # as VisaLink.ask
        if not self.last:
            if not self._rest:
                raise NoAnswer(self.who, message, 1.0)
            raise BadAnswer(self.who, message, "", "empty")
        return self.last

    def ask_block(self, message: str) -> bytes:
        """All that is left is one answer."""
        data, self._rest = self._rest, b""
        return parse_block(self.who, message, data)

    def close(self) -> None:
        """Nothing to do."""


class StandingClock:
    """Bench time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.time_s = 0.0

    def now_s(self) -> float:
        return self.time_s

    def sleep(self, duration_s: float) -> None:
        assert 0.0 <= duration_s < 1e5, "a wait of more than a day is none that anybody asked for"
        self.time_s += duration_s
