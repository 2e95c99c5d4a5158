"""Ctrl-C waits for the end of a conversation, and is not forgotten."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from hil.interrupt import uninterrupted, watch


@pytest.fixture(autouse=True)
def watched() -> Iterator[None]:
    """The handler of a run, for one test."""
    undo = watch()
    yield
    undo()


def ctrl_c() -> None:
    """Press it."""
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoever_ends_a_run_is_heard_in_the_same_way(number: signal.Signals) -> None:
    """A terminal that closes, a CI that cancels: the bench is made safe first, as after Ctrl-C."""
    with pytest.raises(KeyboardInterrupt), uninterrupted.asleep():
        signal.raise_signal(number)
    assert uninterrupted.seen == number.name


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    """`nohup` means it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    undo = watch()
    try:
        signal.raise_signal(signal.SIGHUP)
        with uninterrupted:
            pass
        assert not uninterrupted.seen
    finally:
        undo()
        signal.signal(signal.SIGHUP, before)


def test_steps_stand_still_only_when_nothing_is_done() -> None:
    """What a guard goes by."""
    steps = uninterrupted.steps
    with uninterrupted:
        pass
    assert uninterrupted.steps > steps
    with uninterrupted.asleep():
        assert uninterrupted.waiting
    assert not uninterrupted.waiting


def test_outside_it_waits_for_the_next_block() -> None:
    """It comes before that block has begun."""
    ctrl_c()
    begun = []
    with pytest.raises(KeyboardInterrupt), uninterrupted:
        begun.append("block")
    assert not begun
    assert uninterrupted.seen


def test_pressed_twice_outside_it_comes_at_once() -> None:
    """Whoever presses again means it."""
    ctrl_c()
    with pytest.raises(KeyboardInterrupt):
        ctrl_c()


def test_a_sleeper_is_woken_at_once() -> None:
    """Nothing is under way while a run sleeps; inside a conversation a sleep is part of it."""
    with pytest.raises(KeyboardInterrupt), uninterrupted.asleep():
        ctrl_c()
    with pytest.raises(KeyboardInterrupt), uninterrupted, uninterrupted.asleep():
        ctrl_c()


def test_inside_it_waits_for_the_outermost_end() -> None:
    """However deep, and however often it was pressed; then it is over."""
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted:  # noqa: PT012  the order of these lines is what is tested
        with uninterrupted:
            ctrl_c()
            done.append("inner")
        ctrl_c()
        done.append("outer")
    assert done == ["inner", "outer"]
    with uninterrupted:
        done.append("again")
    assert len(done) == 3


def test_making_the_bench_safe_is_not_interrupted() -> None:
    """Neither by what was pressed before it nor by what is pressed during it; both are forgotten then."""
    ctrl_c()
    done = []
    with uninterrupted.shielded():
        with uninterrupted:
            ctrl_c()
        done.append("safe")
    with uninterrupted:
        done.append("next")
    assert done == ["safe", "next"]


def test_an_error_inside_is_kept_as_its_context() -> None:
    """Nothing of what happened is lost."""
    with pytest.raises(KeyboardInterrupt) as caught, uninterrupted:  # noqa: PT012
        ctrl_c()
        raise ValueError("wire")
    assert isinstance(caught.value.__context__, ValueError)


def test_other_threads_hold_nothing_back() -> None:
    """Only the main thread is interrupted, so only its blocks count."""
    inside, leave = threading.Event(), threading.Event()

    def talk() -> None:
        with uninterrupted, uninterrupted.shielded():
            inside.set()
            leave.wait()

    thread = threading.Thread(target=talk)
    thread.start()
    inside.wait()
    with pytest.raises(KeyboardInterrupt), uninterrupted.asleep():
        ctrl_c()
    leave.set()
    thread.join()
