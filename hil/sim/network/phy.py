"""One end of a twisted-pair link: 10BASE-T and 100BASE-TX, with auto-negotiation as IEEE 802.3 clause 28 has it.

Ref: facts standards 5.1, smart-power 4.3. Only changes are events: bursts and pulses are counted as durations. Each
state is one of the arbitration diagram, those without an exit of their own folded together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from hil.sim.world import World

MODES = ("100FD", "100HD", "10FD", "10HD")  # the highest common one is resolved (annex 28B.3)
ALL_MODES = frozenset(MODES)


class Kind(Enum):
    """What is on a pair."""

    SILENT = "silent"
    NLP = "link pulses"  # 10BASE-T
    MLT3 = "idle symbols"  # 100BASE-TX
    FLP = "fast link pulses"


@dataclass(frozen=True, slots=True)
class Signal:
    """What an end sends; the code word counts with FLP only."""

    kind: Kind = Kind.SILENT
    modes: frozenset[str] = frozenset()
    pause: bool = False
    acknowledge: bool = False


SILENCE = Signal()


class State(Enum):
    """Where the arbitration is."""

    OFF = "off"
    BREAK = "transmit disable"
    DETECT = "ability detect"
    MATCH = "ability match"
    ACKNOWLEDGE = "acknowledge detect"
    COMPLETE = "complete acknowledge"
    PARALLEL = "link status check"
    CHECK = "link good check"
    FORCED = "forced"


@dataclass(frozen=True, slots=True)
class Timing:
    """The timers of one end, within what clause 28 allows."""

    break_link_s: float = 1.35  # 1.2 to 1.5
    link_fail_inhibit_s: float = 0.85  # 0.75 to 1.0
    autoneg_wait_s: float = 0.75  # 0.5 to 1.0
    burst_s: float = 16e-3  # FLP burst to burst, 8 to 24
    lock_s: float = 0.020  # descrambler and link monitor of 100BASE-TX [A]
    reset_s: float = 0.001  # from power to the first state [A]


ABILITY_BURSTS, ACKNOWLEDGE_BURSTS, COMPLETE_BURSTS = 3, 3, 7  # complete: 6 to 8
TEN_LOCK_S, TEN_LOSS_S = 0.112, 0.100  # seven link pulses; nlp_test_max 50 to 150 ms
HUNDRED_LOSS_S = 1e-3


class Line(Protocol):
    """The cable as an end sees it."""

    def changed(self) -> None:
        """Learn that this end sends something else, or that its pairs changed places."""
        ...


class Phy:
    """A link end. `mode` is the link's while it is up, else empty; listeners are told when the link comes or goes."""

    def __init__(
        self, world: World, name: str, timing: Timing, *, swapped: bool = False, auto_mdix: bool = True
    ) -> None:
        self._world, self.name, self.timing = world, name, timing
        self.line: Line | None = None
        self.natively_swapped = self.swapped = swapped  # transmits on pins 3-6 (MDI-X) instead of 1-2 (MDI)
        self.auto_mdix = auto_mdix
        self.clock_ppm = 0.0
        self.autoneg = True
        self.advertised = ALL_MODES
        self.pause = False
        self.forced = "100FD"
        self.state = State.OFF
        self.mode = ""
        self.negotiated = False  # the last link, by code words; else by parallel detection, or forced
        self.partner = SILENCE  # the last code word; for parallel detection its one mode
        self.pages = 0  # code words received
        self.sends = SILENCE
        self.hears = SILENCE
        self.changed_s = 0.0  # when the link came or went
        self.silent_s = -1.0  # when the line last fell silent
        self.symbol_errors = 0
        self.listeners: list[Callable[[], None]] = []
        self._rng = world.rng("phy", name)
        self._turn = self._lock = 0  # a timer of an older turn does nothing
        self._locking = False  # the link test is about to change its mind
        self._resolved = ""

    # -- outside ---------------------------------------------------------------------------------------------------

    @property
    def up(self) -> bool:
        """Whether this end has a link."""
        return bool(self.mode)

    @property
    def running(self) -> bool:
        """Whether it is powered and enabled."""
        return self.state is not State.OFF

    def run(self, on: bool) -> None:
        """Power and enable it, or stop it: it sends and hears nothing then."""
        if on == self.running:
            return
        if on:
            self._enter(State.BREAK, SILENCE, self.timing.reset_s, self.restart)
        else:
            self.partner = SILENCE
            self._enter(State.OFF, SILENCE)

    def restart(self) -> None:
        """Begin again with the settings as they are."""
        if not self.running:
            return
        self.partner = SILENCE
        if self.autoneg:
            self._enter(State.BREAK, SILENCE, self.timing.break_link_s, self._detect)
        else:
            self._enter(State.FORCED, Signal(_medium(self.forced)))
            self._resolve(self.forced, negotiated=False)

    def disturb(self) -> None:
        """Take the contacts of a plug that close one after another: what was begun on half a cable begins again."""
        if self.running and self.autoneg:
            self.restart()

    def hear(self, signal: Signal) -> None:
        """Follow what comes in."""
        same, kind = signal == self.hears, signal.kind
        if kind is Kind.SILENT and not same:
            self.silent_s = self._world.now_s
        self.hears = signal
        if same:
            return
        match self.state:
            case State.DETECT:
                self._detected()
            case State.MATCH if kind is not Kind.FLP:
                self._detect()
            case State.ACKNOWLEDGE if kind is not Kind.FLP:
                self.restart()
            case State.ACKNOWLEDGE:
                self._acknowledged()
            case State.PARALLEL if kind is not _medium(self._resolved):
                self._detect()
            case State.CHECK | State.FORCED:
                self._follow()

    # -- negotiation -------------------------------------------------------------------------------------------------

    def _word(self, acknowledge: bool = False) -> Signal:
        return Signal(Kind.FLP, self.advertised, self.pause, acknowledge)

    def _detect(self) -> None:
        self._enter(State.DETECT, self._word())
        self._detected()

    def _detected(self) -> None:
        kind = self.hears.kind
        if kind is Kind.FLP:
            bursts = ABILITY_BURSTS + float(self._rng.random())  # it comes in somewhere between two
            self._enter(State.MATCH, self._word(), bursts * self.timing.burst_s, self._acknowledge)
        elif kind is not Kind.SILENT:
            mode = "10HD" if kind is Kind.NLP else "100HD"  # parallel detection cannot know the duplex
            self._enter(State.PARALLEL, self._word(), self.timing.autoneg_wait_s, lambda: self._found(mode))
            self._resolved = mode

    def _acknowledge(self) -> None:
        self.partner, self.pages = self.hears, self.pages + 1
        self._enter(State.ACKNOWLEDGE, self._word(acknowledge=True))
        self._acknowledged()

    def _acknowledged(self) -> None:
        if self.hears.acknowledge:
            self._timer(ACKNOWLEDGE_BURSTS * self.timing.burst_s, self._complete)
        else:
            self._timer(None, None)

    def _complete(self) -> None:
        self.partner = self.hears
        self._enter(State.COMPLETE, self.sends, COMPLETE_BURSTS * self.timing.burst_s, self._agree)

    def _agree(self) -> None:
        common = self.advertised & self.partner.modes
        mode = next((mode for mode in MODES if mode in common), "")
        if mode:
            self._check(mode, negotiated=True)
        else:
            self.restart()

    def _found(self, mode: str) -> None:
        if mode not in self.advertised:
            self.restart()
            return
        self.partner = Signal(modes=frozenset({mode}))
        self._check(mode, negotiated=False)

    def _check(self, mode: str, negotiated: bool) -> None:
        self._enter(State.CHECK, Signal(_medium(mode)), self.timing.link_fail_inhibit_s, self._checked)
        self._resolve(mode, negotiated)

    def _checked(self) -> None:
        if not self.up:
            self.restart()

    # -- the link itself ---------------------------------------------------------------------------------------------

    def _resolve(self, mode: str, negotiated: bool) -> None:
        self._resolved, self.negotiated = mode, negotiated
        self._follow()

    def _follow(self) -> None:
        """Compare what is heard with what the mode needs; a link test of 10BASE-T takes fast link pulses as well."""
        medium, kind = _medium(self._resolved), self.hears.kind
        good = kind is medium or (medium is Kind.NLP and kind is Kind.FLP)
        if good == self.up:
            self._lock += 1  # nothing to change, and what was on its way to change is called off
            self._locking = False
            return
        if self._locking:
            return
        self._locking = True
        lock = self._lock = self._lock + 1
        if medium is Kind.NLP:
            delay_s = TEN_LOCK_S if good else TEN_LOSS_S
        else:
            delay_s = self.timing.lock_s if good else HUNDRED_LOSS_S
        self._world.at(self._world.now_s + delay_s, lambda: self._settle(good) if lock == self._lock else None)

    def _settle(self, good: bool) -> None:
        self._locking = False
        self._set_mode(self._resolved if good else "")
        if not good and self.autoneg:
            self.restart()

    def _set_mode(self, mode: str) -> None:
        if mode == self.mode:
            return
        self.mode = mode
        self.changed_s = self._world.now_s
        for listener in self.listeners:
            listener()

    # -- states ------------------------------------------------------------------------------------------------------

    def _enter(
        self, state: State, sends: Signal, after_s: float | None = None, then: Callable[[], None] | None = None
    ) -> None:
        self.state = state
        self._resolved, self._locking = "", False
        self._lock += 1
        self._timer(after_s, then)
        self._set_mode("")
        if sends != self.sends:
            self.sends = sends
            if self.line is not None:
                self.line.changed()

    def _timer(self, after_s: float | None, then: Callable[[], None] | None) -> None:
        self._turn += 1
        turn = self._turn
        if after_s is not None and then is not None:
            self._world.at(self._world.now_s + after_s, lambda: then() if turn == self._turn else None)


def _medium(mode: str) -> Kind:
    """Return what a mode's link sends when it carries nothing."""
    return Kind.MLT3 if mode.startswith("100") else Kind.NLP
