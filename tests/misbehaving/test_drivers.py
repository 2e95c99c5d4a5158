"""Every driver, every method of its role that talks, every question that the method asks, every way to misbehave.

Whatever happens, a method returns the right value or raises an error with blame `bench`; it keeps its deadline; and
what is asked next gets its own answer. Garbage here is bytes that are no answer to anything: an answer that is merely
another valid one, say a reading with a digit flipped, cannot be told by anybody.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from hil.errors import Blame, HilError, NoAnswer, NotConnected, WrongInstrument
from hil.sim.misbehaviour import Kind, Misbehaviour

from .cases import CASES, Case
from .rig import Rig

QUICK_S, SHORT_S = 1.5, 0.15  # time-outs of the links: where no answer is waited for in vain, and where one is
LATE_S = 0.3
SLOW = {Kind.SILENT, Kind.LATE, Kind.HALF_BLOCK}
UNFRAMED = {Kind.GARBAGE, Kind.MISNUMBERED}  # of Modbus: what is no frame of the answer's is waited past
LOST = {Kind.GARBAGE, Kind.CUT, Kind.RECONNECTS}  # of datagrams: what is no answer is not heard
BREAKING = {Kind.CUT, Kind.RECONNECTS}
MARGIN_S = 6.0  # this computer may be busy
OFTEN, WAITED_FOR = 2, 2
TIMEOUTS = 12  # that one method may wait: SNMP tries thrice, a link finds back with a question of its own


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.close()


def has(case: Case, kind: Kind) -> bool:
    """Say whether the misbehaviour exists for the role, and is about this method at all."""
    if case.role == "LinkPartner" and kind in {Kind.HALF_BLOCK, Kind.NAN}:
        return False
    if kind is (Kind.OVER_RANGE if case.role == "ThermalChamber" else Kind.MISNUMBERED):
        return False
    return case.name == "identify" if kind is Kind.WRONG_IDENTITY else True


MATRIX = [pytest.param(case, kind, id=f"{case}-{kind.value}") for case in CASES for kind in Kind if has(case, kind)]


@pytest.mark.parametrize(("case", "kind"), MATRIX)
def test_no_wrong_number_no_hang_and_the_bench_is_blamed(rig: Rig, case: Case, kind: Kind) -> None:
    """Each question of the method in turn is spoilt once."""
    lost = {"LinkPartner": LOST, "ThermalChamber": UNFRAMED}.get(case.role, set())
    timeout_s = SHORT_S if kind in SLOW | lost else QUICK_S
    rig.reset()
    try:
        asked = questions(rig, case, timeout_s)
        for number in (number for number in chosen(asked, kind) if asked[number].startswith(case.only)):
            spoil(rig, case, Misbehaviour(kind, number, LATE_S), timeout_s)
    finally:
        rig.revive(case.role)
        rig.forget(case.role)


def questions(rig: Rig, case: Case, timeout_s: float) -> list[str]:
    """Return what the method asks when nothing misbehaves."""
    driver = rig.driver(case.role, timeout_s)
    for _ in range(3):
        case.ready(rig, driver)
        rig.saboteur(case.role).arm(None)
        try:
            value = case.call(driver)
        except NoAnswer:  # this computer is busy
            continue
        assert case.right(rig, value), f"undisturbed, {case} is wrong: {value}"
        return list(rig.saboteur(case.role).answered)
    raise AssertionError("never answered within its time-out")


def chosen(asked: list[str], kind: Kind) -> list[int]:
    """Return which questions to spoil: all, but of polling the first few.

    Where each costs a time-out, the first two different ones; of what lasts, the first.
    """
    if kind is Kind.WRONG_IDENTITY:
        return [0]
    if kind not in SLOW:
        return [number for number, message in enumerate(asked) if asked[:number].count(message) < OFTEN]
    return [number for number, message in enumerate(asked) if message not in asked[:number]][:WAITED_FOR]


def spoil(rig: Rig, case: Case, misbehaviour: Misbehaviour, timeout_s: float) -> None:
    """Call the method with one question spoilt; then ask on."""
    kind = misbehaviour.kind
    rig.clear_errors(case.role)
    driver = rig.driver(case.role, timeout_s)
    case.ready(rig, driver)
    rig.saboteur(case.role).arm(misbehaviour)
    began_s = time.monotonic()
    value, error = tried(case.call, driver)
    lasted_s = time.monotonic() - began_s
    acted = rig.saboteur(case.role).acted
    late_until_s = time.monotonic() + LATE_S if kind is Kind.LATE else 0.0
    if kind not in {Kind.CUT, Kind.WRONG_IDENTITY}:
        rig.saboteur(case.role).arm(None)

    assert lasted_s < TIMEOUTS * timeout_s + MARGIN_S
    if error is None:
        assert case.right(rig, value), f"{value} is wrong"
    if kind is Kind.WRONG_IDENTITY:
        assert isinstance(error, WrongInstrument)
        rig.saboteur(case.role).arm(None)
    if case.role != "LinkPartner" and (isinstance(error, NotConnected) or (acted and kind in BREAKING)):
        breaks(rig, case, driver, kind, timeout_s)
        return
    if kind is Kind.CUT:
        rig.revive(case.role)
    goes_on(rig, case, driver, late_until_s, kind)


def tried(call: Any, driver: Any) -> tuple[Any, HilError | None]:
    """Call; an error must be one that blames the bench."""
    try:
        return call(driver), None
    except HilError as error:
        caught = error
    assert caught.blame is Blame.BENCH, repr(caught)
    return None, caught


def breaks(rig: Rig, case: Case, driver: Any, kind: Kind, timeout_s: float) -> None:
    """A broken connection stays broken: the instrument may have lost its settings. A new driver finds what is there."""
    for _ in range(2):
        with pytest.raises(NotConnected):
            (case.again or case.call)(driver)
    rig.forget(case.role)
    rig.done()
    if kind is Kind.CUT:
        with pytest.raises(NotConnected):
            rig.open(case.role, timeout_s)
        rig.revive(case.role)
    fresh = rig.driver(case.role, timeout_s)
    case.ready(rig, fresh)
    assert case.right(rig, case.call(fresh))


def goes_on(rig: Rig, case: Case, driver: Any, late_until_s: float, kind: Kind) -> None:
    """What is asked next is answered, and rightly, also when the late answer arrives meanwhile."""
    again, right = case.again or case.call, case.right_again or case.right
    case.change(rig, driver)
    while True:
        over = time.monotonic() > late_until_s
        for _ in range(3):
            value, error = tried(again, driver)
            if error is None:
                break
            # an error in the queue is told once, and so is an answer that came too late; a busy computer is late itself
            told = kind is Kind.QUEUE_ERROR or "before the question" in str(error)
            assert told or isinstance(error, NoAnswer), repr(error)
        assert error is None, f"after three attempts: {error}"
        assert right(rig, value), f"afterwards, {value} is wrong"
        if over:
            return
        time.sleep(0.05)
        case.change(rig, driver)
