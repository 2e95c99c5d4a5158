"""Whatever ends a run: nothing stays energised, nothing measured is lost, and the record says what happened."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.journal.reader import read_journal
from hil.journal.summary import summarise
from tests.reliability.bench import open_bench, unsafe
from tests.reliability.harness import LIVE_A, SWITCHED, Interruption, broken, interrupt_fairly
from tests.reliability.interruptions import PROMISED
from tests.reliability.running import NoSmallDisk, Ways, start

OF_EVERY_DAY = [one for one in PROMISED if one.often]


@pytest.mark.parametrize("one", OF_EVERY_DAY, ids=lambda one: one.name.replace(" ", "-"))
def test_nothing_stays_on_and_nothing_is_lost(one: Interruption, tmp_path: Path) -> None:
    """Physics, exit code, record and reports, after anything that can befall a run; an interlock within 200 ms.

    A machine that was late itself, and can be shown to have been, is asked again.
    """
    try:
        outcome = interrupt_fairly(one, tmp_path)
    except NoSmallDisk as error:
        pytest.skip(str(error))

    assert broken(one, outcome) == [], outcome.output


@pytest.mark.parametrize(
    "hand", [("lid", {"closed": False}), ("emergency_stop", {"released": False})], ids=lambda h: h[0]
)
def test_in_bench_time_an_interlock_is_as_quick_on_any_machine(
    hand: tuple[str, dict[str, bool]], tmp_path: Path
) -> None:
    """Where time stands still between two steps, 200 ms are 200 ms however busy the computer is."""
    what, position = hand
    at_s = 30.0
    with open_bench(real_time=False) as bench:
        bench.control.ask(what, at_s=at_s, **position)
        with start(bench, tmp_path, Ways()) as running:
            assert running.hold()["load_a"] > LIVE_A
            exit_code = running.finish()
            off_s = min(e["t_s"] for e in bench.events(at_s) if SWITCHED["mains"](e) is False)
            left_on = unsafe(bench.state())
            summary = summarise(read_journal(running.record).events)

    assert off_s - at_s <= 0.2
    assert left_on == []
    assert exit_code == 4
    assert f"{what.replace('_', ' ')} is" in summary.reason
    assert "mains was on" in summary.reason
