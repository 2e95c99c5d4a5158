"""Doubles of the wires to the unit: SPI frames, RPC calls and the reset line. What stands behind them is not ours."""

from collections.abc import Sequence
from typing import Any

import pytest

from hil.errors import UnitSilent
from hil.links.spi import SpiRead, SpiWrite


class SpiTranscript:
    """Expects frames in order: (chip select, bytes sent in hex, bytes answered in hex or "")."""

    def __init__(self, *frames: tuple[int, str, str]) -> None:
        self._frames = list(frames)
        self.batches = 0

    def transfer(self, steps: Sequence[SpiRead | SpiWrite]) -> list[bytes]:
        self.batches += 1
        answers = []
        for step in steps:
            assert self._frames, f"{step} is too much"
            cs, sent, answered = self._frames.pop(0)
            data = step.command if isinstance(step, SpiRead) else step.data
            assert (step.cs, data.hex(" ").upper()) == (cs, sent)
            if isinstance(step, SpiRead):
                assert step.length == 2
                answers.append(bytes.fromhex(answered))
        return answers

    def assert_all_sent(self) -> None:
        assert not self._frames, f"never sent: {self._frames[0]}"


class RpcTranscript:
    """Expects calls in order: (method, params, result); a result of None is silence."""

    def __init__(self, *calls: tuple[str, dict[str, Any] | None, Any]) -> None:
        self._calls = list(calls)

    def call(self, method: str, params: dict[str, Any] | None = None, timeout_s: float = 2.0) -> Any:
        assert self._calls, f"{method} is too much"
        expected, expected_params, result = self._calls.pop(0)
        assert (method, params) == (expected, expected_params)
        if result is None:
            raise UnitSilent("unit", method, timeout_s)
        return result

    def assert_all_sent(self) -> None:
        assert not self._calls, f"never called: {self._calls[0]}"


class ResetWire:
    """Remembers what happened to EN."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def hold_in_reset(self) -> None:
        self.events.append("hold")

    def release_reset(self, download: bool = False) -> None:
        self.events.append("download" if download else "release")


class StandingClock:
    """Bench time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.time_s = 0.0

    def now_s(self) -> float:
        return self.time_s

    def sleep(self, duration_s: float) -> None:
        self.time_s += duration_s


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def spi() -> type[SpiTranscript]:
    return SpiTranscript


@pytest.fixture
def rpc() -> type[RpcTranscript]:
    return RpcTranscript


@pytest.fixture
def reset_wire() -> ResetWire:
    return ResetWire()
