"""EMC Partner TRA3000 surge generator with its coupling network, L to N, on its serial line.

Ref: TRA3000 manual, p. 134 and 135: ID, FID, LC, VPK, IPK, REN, GTL, E with its codes, and the name VNOM. The rest of
the settings, the states and TRIG are not public: [A], and kept in COMMANDS alone. Also [A]: 6 s to charge, and the
errors: 3 % of the level, 2 % of each peak measured.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hil.sim.bench import Bench
    from hil.sim.surge import Shot
    from hil.sim.world import World

NO_ERROR, ONLY_REMOTE, UNKNOWN, BAD_ARGUMENT, NO_QUERY, ONLY_STANDBY, OTHER = 0, 1, 2, 3, 4, 5, 64
STANDBY, CHARGING, READY, TRIGGERED = range(4)  # ST? [A]
LEVELS_V = (200, 3300)  # [A]
CHARGE_S = 6.0
LEVEL_ACCURACY, PEAK_ACCURACY = 0.03, 0.02


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its name's source, whether it can be set and asked, and where it may be set."""

    source: str
    settable: bool = False
    query: bool = False
    local: bool = False  # may be sent before REN
    standby: bool = False  # may be set in standby only


MANUAL_134, MANUAL_135, ASSUMED = "manual p. 134", "manual p. 135", "[A]"
COMMANDS = {
    "ID": Command(MANUAL_134, query=True),
    "FID": Command(MANUAL_134, query=True),
    "LC": Command(MANUAL_134, query=True),
    "VPK": Command(MANUAL_134, query=True),
    "IPK": Command(MANUAL_134, query=True),
    "REN": Command(MANUAL_135, settable=True, local=True),
    "GTL": Command(MANUAL_135, settable=True, local=True),
    "E": Command(MANUAL_135, query=True),
    "VNOM": Command("manual p. 135, its name; arguments [A]", settable=True, query=True, standby=True),
    "POL": Command(ASSUMED, settable=True, query=True, standby=True),
    "PHI": Command(ASSUMED, settable=True, query=True, standby=True),
    "TEST": Command(ASSUMED, settable=True, standby=True),
    "STBY": Command(ASSUMED, settable=True),
    "TRIG": Command(ASSUMED, settable=True),
    "ST": Command(ASSUMED, query=True),
}


class Refused(Exception):
    """A command that is not done, with the code that E? answers."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class EmcPartnerTra3000:
    """Charges, waits for the mains' angle, fires once, and measures its own pulse."""

    ROLE = "SurgeGenerator"
    MODEL = "EMC Partner TRA3000"

    def __init__(self, world: World, bench: Bench) -> None:
        self._world, self._bench = world, bench
        draw = world.rng("bench", self.ROLE, "errors")
        self._level_gain, self._volt_gain, self._amp_gain = (
            1.0 + float(draw.uniform(-0.5, 0.5)) * width for width in (LEVEL_ACCURACY, PEAK_ACCURACY, PEAK_ACCURACY)
        )
        self._lock = asyncio.Lock()
        self._remote = False
        self._error = NO_ERROR
        self._level_v, self._positive, self._angle_deg = LEVELS_V[0], True, 0
        self._state = STANDBY
        self._episode = 0  # counts departures from standby: what an earlier one began is void
        self._peak_v = self._peak_a = 0
        self._answers: dict[str, Callable[[], str]] = {
            "ID": lambda: "TRA 1.15",
            "FID": lambda: "TRA3000 F-S-D-V",
            "LC": lambda: "L-N",
            "VPK": lambda: str(self._peak_v),
            "IPK": lambda: str(self._peak_a),
            "E": self._take_error,
            "VNOM": lambda: str(self._level_v),
            "POL": lambda: "POS" if self._positive else "NEG",
            "PHI": lambda: str(self._angle_deg),
            "ST": lambda: str(self._state),
        }
        self._actions: dict[str, Callable[[str], None]] = {
            "REN": self._to_remote,
            "GTL": self._to_local,
            "VNOM": self._set_level,
            "POL": self._set_polarity,
            "PHI": self._set_angle,
            "TEST": self._charge,
            "STBY": self._stand_by,
            "TRIG": self._trigger,
        }

    async def execute(self, message: str) -> str | None:
        """Execute one command and return its answer, or None; a mistake is kept for E?."""
        async with self._lock:
            name, _, argument = message.strip().partition(" ")
            try:
                return self._one(name.upper(), argument.strip())
            except Refused as refused:
                self._error = refused.code
                return None

    def _one(self, name: str, argument: str) -> str | None:
        if not name:
            return None
        asks = name.endswith("?")
        command = COMMANDS.get(name.removesuffix("?"))
        if command is None:
            raise Refused(UNKNOWN)
        if asks:
            if not command.query:
                raise Refused(NO_QUERY)
            return self._answers[name.removesuffix("?")]()
        if not command.settable:
            raise Refused(UNKNOWN)
        if not (self._remote or command.local):
            raise Refused(ONLY_REMOTE)
        if command.standby and self._state != STANDBY:
            raise Refused(ONLY_STANDBY)
        self._actions[name](argument)
        self._error = NO_ERROR
        return None

    def fail(self, code: int) -> None:
        """Have an error for E? that no command caused."""
        self._error = code

    def _take_error(self) -> str:
        code, self._error = self._error, NO_ERROR
        return str(code)

    # -- settings ----------------------------------------------------------------------------------------------------

    def _to_remote(self, _: str) -> None:
        self._remote = True

    def _to_local(self, argument: str) -> None:
        self._stand_by(argument)
        self._remote = False

    def _set_level(self, argument: str) -> None:
        self._level_v = _integer(argument, *LEVELS_V)

    def _set_polarity(self, argument: str) -> None:
        if argument.upper() not in {"POS", "NEG"}:
            raise Refused(BAD_ARGUMENT)
        self._positive = argument.upper() == "POS"

    def _set_angle(self, argument: str) -> None:
        self._angle_deg = _integer(argument, 0, 359)

    # -- the shot ----------------------------------------------------------------------------------------------------

    def _stand_by(self, _: str) -> None:
        self._state = STANDBY
        self._episode += 1
        self._bench.charge_surge(False)

    def _charge(self, _: str) -> None:
        self._state = CHARGING
        self._bench.charge_surge(True)
        self._episode += 1
        episode = self._episode
        self._world.at(self._world.now_s + CHARGE_S, lambda: self._charged(episode))

    def _charged(self, episode: int) -> None:
        if episode == self._episode:
            self._state = READY

    def _trigger(self, _: str) -> None:
        if self._state != READY:
            raise Refused(OTHER)
        self._state = TRIGGERED
        episode = self._episode
        level_v = self._level_v * self._level_gain * (1 if self._positive else -1)
        self._bench.fire_surge(level_v, float(self._angle_deg), self._fired, lambda: episode == self._episode)

    def _fired(self, shot: Shot) -> None:
        self._state = STANDBY
        self._bench.charge_surge(False)
        self._peak_v = round(shot.peak_v * self._volt_gain)
        self._peak_a = round(shot.peak_a * self._amp_gain)


def _integer(argument: str, low: int, high: int) -> int:
    try:
        value = int(argument)
    except ValueError:
        raise Refused(BAD_ARGUMENT) from None
    if not low <= value <= high:
        raise Refused(BAD_ARGUMENT)
    return value
