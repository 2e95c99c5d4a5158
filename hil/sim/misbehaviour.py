"""How an instrument of the bench misbehaves on its wire. The models of the instruments stay right: a server asks here
how the next answer is to reach the wire. Faults by name are `bench-<role>-<kind>`, with `@S` from that bench time on:

| kind           | what happens                                                                          | how often |
|----------------|---------------------------------------------------------------------------------------|-----------|
| silent         | the next answer never comes                                                           | once      |
| late           | the next answer comes LATE_S late, in real time: longer than any driver waits         | once      |
| empty          | the next answer is a terminator, and nothing before it                                | once      |
| garbage        | the next answer is bytes that are no answer to anything                               | once      |
| half-block     | half of the next answer comes (of a block or a line), without its end; then nothing   | once      |
| queue-error    | an entry nobody caused is in the error queue before the next question                 | once      |
| over-range     | the next reading is the model's over-range sentinel; of a waveform, its top code      | once      |
| nan            | the next reading is NAN as text; of a waveform, every sample is a hole (code 0)       | once      |
| misnumbered    | the next answer bears the number of the request before it (Modbus only)               | once      |
| wrong-identity | another model answers when asked who it is; all else stays right                      | for good  |
| cut            | the connection breaks in the middle of the next answer, and new ones are refused      | for good  |
| reconnects     | the same, but new connections are served: a LAN card that restarts                    | once      |
| dies           | all connections break, new ones are refused; that is done by hil.sim.station          | for good  |

After `cut` and `reconnects` the instrument itself goes on: whatever it energised it still energises.
A reading is an answer of numbers only, one of them with a point or an exponent, a block, or what VPK? and IPK? say: a
switch and a resistance decade never give one, nor does a hipot tester, whose numbers have units: over-range and nan do
not exist for them.

By transport. VXI-11: `silent` is the whole LAN card, no reply to the remote call; `late` and `half-block` are the
instrument behind it, and the card reports its time-outs. Serial: a cut is the adapter unplugged, `reconnects` plugged
in again under the same name; the error of `queue-error` is one that E? tells. SNMP, where a request repeated is the
same request: `empty` is a response without objects, `queue-error` the error status genErr, `over-range` an object that
is not there, `wrong-identity` a port that is no Ethernet, `cut` an agent that ends (the host says that nobody listens),
`reconnects` one that starts again; it has neither blocks nor numbers that are none: no half-block, no nan.
Modbus: `empty` is an answer without registers, `queue-error` the exception "server device failure", `nan` a float that
is none, `half-block` a header that promises more than comes; there is no sentinel, so no over-range.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

LATE_S = 6.0  # real time
GARBAGE = b"\x81\xfe~@}\x1b`^"
WRONG_IDENTITIES = {"*IDN?": b"RIGOL TECHNOLOGIES,DP832,DP8A000000001,00.01.16", "ID?": b"PSD 2.04"}
OVER_RANGE = {"PowerMeter": b"INF"}
OTHER_OVER_RANGE = b"+9.90000000E+37"
QUEUE_ERROR = (-310, "System error")
SERIAL_ERROR = 64  # of a TRA3000: other error
NUMBER = rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[Ee][+-]?\d+)?"
ITEM = rb"(?:" + NUMBER + rb"|NAN|[+-]?INF)"  # a WT310E gives NAN for a function that is off
READING = re.compile(rb"(?=.*\d[.Ee])" + ITEM + rb"(?:\s*,\s*" + ITEM + rb")*,?")
WHOLE_READINGS = {"VPK?", "IPK?"}  # of a TRA3000: whole volts and amperes
BLOCK = re.compile(rb"#([1-9])", re.DOTALL)

_TRANSIENT = ("silent", "late", "empty", "garbage", "half-block", "queue-error", "over-range", "nan", "misnumbered")
_LASTING = ("wrong-identity", "cut", "reconnects")
_ROLES = (
    "ac-source", "power-meter", "ac-load", "scope", "dc-supply", "dmm", "switch", "programmable-resistor",
    "surge-generator", "link-partner", "thermal-chamber", "hipot-tester",
)  # fmt: skip
_WITHOUT = {
    ("switch", "over-range"), ("switch", "nan"), ("programmable-resistor", "over-range"),
    ("programmable-resistor", "nan"), ("link-partner", "half-block"), ("link-partner", "nan"),
    ("hipot-tester", "over-range"), ("hipot-tester", "nan"),
    ("thermal-chamber", "over-range"),
    *((role, "misnumbered") for role in _ROLES if role != "thermal-chamber"),
}  # fmt: skip


class Kind(Enum):
    """What goes wrong."""

    SILENT = "silent"
    LATE = "late"
    EMPTY = "empty"
    GARBAGE = "garbage"
    HALF_BLOCK = "half-block"
    QUEUE_ERROR = "queue-error"
    OVER_RANGE = "over-range"
    NAN = "nan"
    MISNUMBERED = "misnumbered"
    WRONG_IDENTITY = "wrong-identity"
    CUT = "cut"
    RECONNECTS = "reconnects"


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """One misbehaviour, waiting for its answer; `skip` answers before it are right."""

    kind: Kind
    skip: int = 0
    late_s: float = LATE_S


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one answer reaches the wire: data without its end; whether the end follows; whether the connection breaks."""

    data: bytes
    ended: bool = True
    delay_s: float = 0.0
    silent: bool = False
    cut: bool = False
    reconnects: bool = False
    misnumbered: bool = False


class Saboteur:
    """Sits between an instrument and its wire. Without anything armed it changes nothing."""

    def __init__(self, instrument: Any) -> None:
        self._instrument = instrument
        self._over_range = OVER_RANGE.get(getattr(instrument, "ROLE", ""), OTHER_OVER_RANGE)
        self._armed: Misbehaviour | None = None
        self._skip = 0
        self.answered: list[str] = []  # questions, since it was armed
        self.acted = False  # since it was armed

    def arm(self, misbehaviour: Misbehaviour | None) -> None:
        """Misbehave from now on; None: behave."""
        self._armed, self.acted = misbehaviour, False
        self._skip = misbehaviour.skip if misbehaviour else 0
        self.answered = []

    def before(self, message: str) -> None:
        """Act on the instrument before it executes a message."""
        if "?" in message and not self._skip and self._armed and self._armed.kind is Kind.QUEUE_ERROR:
            self._done()
            if hasattr(self._instrument, "push"):
                self._instrument.push(*QUEUE_ERROR)
            else:
                self._instrument.fail(SERIAL_ERROR)

    def deliver(self, message: str, answer: str | bytes) -> Delivery:
        """Say how the answer to a message reaches the wire."""
        data = answer if isinstance(answer, bytes) else answer.encode("latin-1")
        self.answered.append(message)
        if self._armed is None or self._armed.kind is Kind.QUEUE_ERROR:
            self._skip = max(0, self._skip - 1)
            return Delivery(data)
        if self._skip:
            self._skip -= 1
            return Delivery(data)
        return self._sabotage(self._armed, message, data)

    def _sabotage(self, armed: Misbehaviour, message: str, data: bytes) -> Delivery:
        kind = armed.kind
        if kind is Kind.WRONG_IDENTITY:
            wrong = WRONG_IDENTITIES.get(message.strip().upper())
            self.acted |= wrong is not None
            return Delivery(data if wrong is None else wrong)
        if kind in {Kind.OVER_RANGE, Kind.NAN}:
            changed = self._no_reading(kind, message, data)
            if changed != data:
                self._done()
            return Delivery(changed)
        self._done()
        half = data[: len(data) // 2]
        match kind:
            case Kind.SILENT:
                return Delivery(b"", silent=True)
            case Kind.LATE:
                return Delivery(data, delay_s=armed.late_s)
            case Kind.EMPTY:
                return Delivery(b"")
            case Kind.GARBAGE:
                return Delivery(GARBAGE)
            case Kind.HALF_BLOCK:
                return Delivery(half, ended=False)
            case Kind.CUT:
                return Delivery(half, ended=False, cut=True)
            case _:
                return Delivery(half, ended=False, cut=True, reconnects=True)

    def _no_reading(self, kind: Kind, message: str, data: bytes) -> bytes:
        if found := BLOCK.match(data):
            start = 2 + int(found[1])
            return data[:start] + (b"\xff" if kind is Kind.OVER_RANGE else b"\x00") * (len(data) - start)
        if message.upper() not in WHOLE_READINGS and not READING.fullmatch(data):
            return data
        return re.sub(ITEM, self._over_range if kind is Kind.OVER_RANGE else b"NAN", data)

    def _done(self) -> None:
        self._armed, self.acted = None, True


def fault_patterns() -> dict[str, tuple[str, str]]:
    """Return what hil.sim.faults lists: pattern -> (place, description)."""
    texts = {
        "silent": "one answer of that instrument never comes",
        "late": f"one answer of that instrument comes {LATE_S:g} s late",
        "empty": "one answer of that instrument is empty",
        "garbage": "one answer of that instrument is garbage",
        "half-block": "one answer of that instrument stops in its middle",
        "queue-error": "an error nobody caused is in that instrument's error queue",
        "over-range": "one reading of that instrument is its over-range sentinel",
        "nan": "one reading of that instrument is not a number",
        "misnumbered": "one answer of that instrument bears the number of the request before it",
        "wrong-identity": "that instrument identifies itself as another model, for good",
        "cut": "that instrument drops its connections in the middle of an answer, and refuses new ones",
        "reconnects": "that instrument drops its connections in the middle of an answer, and takes new ones",
    }
    return {
        f"bench-({'|'.join(role for role in _ROLES if (role, kind) not in _WITHOUT)})-{kind}": ("bench", texts[kind])
        for kind in (*_TRANSIENT, *_LASTING)
    }


def parse_bench_fault(name: str) -> tuple[str, Kind | None]:
    """Return role, as faults spell it, and kind of a fault by name; ("", None) where it is none of these."""
    for kind in Kind:
        role = name.removeprefix("bench-").removesuffix(f"-{kind.value}")
        if name == f"bench-{role}-{kind.value}" and role in _ROLES and (role, kind.value) not in _WITHOUT:
            return role, kind
    return "", None
