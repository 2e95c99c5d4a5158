"""What is done again and again while somebody waits, on a real bench and on the simulated one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from hil.clock import BenchClock, ControlRefused, RealClock, RecordClock, StationClock, WaitTimeout, wait_until
from hil.interrupt import uninterrupted


class Bench:
    """A control socket's other end: time is a number, and something stirs at certain times."""

    def __init__(self) -> None:
        self.time_s, self.advances, self.gone = 0.0, 0, False
        self.stirs_s: list[float] = []

    def ask(self, do: str, **fields: float) -> dict[str, float]:
        if self.gone:
            raise ControlRefused(do, "gone")
        began_s = self.time_s
        if do == "advance":
            self.advances += 1
            end_s = self.time_s + fields["s"]
            if fields.get("stirs", self._stirs(end_s)) == self._stirs(end_s):
                self.time_s = end_s
            else:
                self.time_s = max(began_s, min(at_s for at_s in self.stirs_s[int(fields["stirs"]) :]))
        return {"now_s": self.time_s, "waited_s": self.time_s - began_s, "stirs": self._stirs(self.time_s)}

    def _stirs(self, until_s: float) -> int:
        return sum(at_s <= until_s for at_s in self.stirs_s)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    uninterrupted.forget_alarm()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def on(bench: Bench) -> BenchClock:
    return BenchClock(bench)  # type: ignore[arg-type]


def test_in_bench_time_a_look_is_taken_when_something_stirs(bench: Bench) -> None:
    """No later than the period after it, in the midst of a sleep or between two, and not again without a cause."""
    clock, seen = on(bench), list[float]()
    bench.stirs_s = [100.0, 350.0]
    stop = clock.every(0.05, lambda: seen.append(bench.time_s))
    clock.sleep(300.0)
    bench.time_s = 360.0  # an instrument took its time
    clock.sleep(1.0)
    clock.sleep(1.0)
    stop()
    bench.stirs_s.append(362.5)
    clock.sleep(1.0)

    assert seen == pytest.approx([100.05, 360.05])
    assert bench.time_s == pytest.approx(363.0)


def test_what_stirred_before_the_watch_began_is_not_looked_for(bench: Bench) -> None:
    """It was looked at then."""
    clock, seen = on(bench), list[float]()
    bench.stirs_s, bench.time_s = [1.0], 2.0
    clock.every(0.05, lambda: seen.append(bench.time_s))
    clock.sleep(10.0)

    assert seen == []


def test_a_long_sleep_is_taken_in_pieces(bench: Bench) -> None:
    """Each takes a moment of real time, so that a guard sees the run alive."""
    clock = on(bench)
    clock.sleep(1.0)
    assert bench.advances == 1
    clock.sleep(3600.0)
    assert bench.time_s == pytest.approx(3601.0)
    assert 100 <= bench.advances <= 130


@pytest.fixture(params=["bench", "real"])
def clock(request: pytest.FixtureRequest, bench: Bench) -> StationClock:
    bench.stirs_s = [0.1]
    return on(bench) if request.param == "bench" else RealClock()


def test_an_alarm_ends_the_sleep_it_is_found_in(clock: StationClock) -> None:
    """It is raised where the test waits, once."""

    def look() -> None:
        uninterrupted.alarm(ValueError("lid"))

    begin_s = clock.now_s()
    stop = clock.every(0.02, look)
    with pytest.raises(ValueError, match="lid"):
        clock.sleep(60.0)
    stop()
    assert clock.now_s() - begin_s < 20.0
    uninterrupted.forget_alarm()
    clock.sleep(0.0)


def test_only_the_main_thread_hears_an_alarm() -> None:
    """What looks is not what is told."""
    heard: list[BaseException] = []

    def sleeper() -> None:
        try:
            RealClock().sleep(0.0)
        except ValueError as error:
            heard.append(error)

    uninterrupted.alarm(ValueError("lid"))
    thread = threading.Thread(target=sleeper)
    thread.start()
    thread.join()
    assert heard == []
    with pytest.raises(ValueError, match="lid"):
        RealClock().sleep(5.0)


def test_making_the_bench_safe_sleeps_through_an_alarm() -> None:
    """Relays need their time to open, whatever was found."""
    uninterrupted.alarm(ValueError("lid"))
    begin_s = time.monotonic()
    with uninterrupted.shielded():
        RealClock().sleep(0.05)
    assert time.monotonic() - begin_s >= 0.05


def test_stopped_it_is_not_done_any_more() -> None:
    """In real time a thread does it: it is over when `stop` returns."""
    seen: list[int] = []
    stop = RealClock().every(0.01, lambda: seen.append(1))
    wait_until(RealClock(), "a look", lambda: bool(seen), 5.0)
    stop()
    count = len(seen)
    time.sleep(0.05)
    assert len(seen) == count


def test_a_record_goes_on_with_the_last_time_told(bench: Bench) -> None:
    """The bench died; what is written about it is not lost."""
    clock = RecordClock()
    assert clock.now_s() == 0.0
    with pytest.raises(WaitTimeout):
        clock.sleep(1.0)
    clock.clock = on(bench)
    clock.sleep(2.0)
    assert clock.now_s() == 2.0
    bench.gone = True
    assert clock.now_s() == 2.0
