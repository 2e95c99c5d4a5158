"""A wire that answers from a transcript: the only double in these tests, and it stands where the instrument would."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

TRANSCRIPTS = Path(__file__).parent / "transcripts"
Replay = Callable[[str, str], "Transcript"]


class Transcript:
    """Expects each message of one scene, in order, and gives the answer that the transcript holds."""

    def __init__(self, model: str, scene: str) -> None:
        self.who, self.where = model, f"transcript {model}.jsonl, {scene}"
        lines = [json.loads(line) for line in (TRANSCRIPTS / f"{model}.jsonl").read_text().splitlines()]
        assert "source" in lines[0], "the first line says where the transcript comes from"
        self._pairs = [line for line in lines[1:] if line["scene"] == scene]
        assert self._pairs, f"{self.where} is empty"
        self.closed = False

    def tell(self, message: str) -> None:
        assert "answered" not in self._next(message), f"{message!r} has an answer"

    def ask(self, message: str) -> str:
        return str(self._next(message)["answered"])

    def ask_block(self, message: str) -> bytes:
        return bytes.fromhex(self._next(message)["answered_hex"])

    def close(self) -> None:
        self.closed = True

    def assert_all_sent(self) -> None:
        assert not self._pairs, f"{self.where}: never sent {self._pairs[0]['sent']!r}"

    def _next(self, message: str) -> dict[str, str]:
        assert self._pairs, f"{self.where}: {message!r} is too much"
        pair: dict[str, str] = self._pairs.pop(0)
        assert message == pair["sent"], self.where
        return pair


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
def replay() -> Iterator[Replay]:
    """Return a function (model, scene) -> Transcript; at the end, everything in them must have been sent."""
    transcripts: list[Transcript] = []

    def make(model: str, scene: str) -> Transcript:
        transcripts.append(Transcript(model, scene))
        return transcripts[-1]

    yield make
    for transcript in transcripts:
        transcript.assert_all_sent()
