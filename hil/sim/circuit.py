"""The mains circuit in phasors, one for each harmonic: source, fuse, MOV, supply, relays, snubbers, load.

Between two events everything is steady; `solve` returns that steady state. Phasors are rms and refer to a sine.
The MOV (hil.sim.mov) stays an open circuit, but for the leak of an aged one: the source's largest peak is 424 V. The
current transformers sit after contact and snubber, so a meter sees what its socket draws [A].
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hil.sim.settings import AcSetting, LoadSetting

SOURCE_OHM = 0.010  # Chroma output and leads to J2 [A]
FUSE_OHM = 0.0231  # Littelfuse 213 3.15 A, cold (facts smart-power 6.3)
SNUBBER_OHM = 100.0  # [A]
SNUBBER_F = 100e-9  # [A]
LOAD_SATURATED_OHM = 0.05  # the load's lowest resistance, when it cannot reach its setting [A]
SUPPLY_MINIMUM_V = 85.0  # the HLK-10M05 works from 85 V on [A]
# A capacitor-input rectifier draws its pulse at the voltage's peak: harmonics as fractions of the fundamental [A].
SUPPLY_HARMONICS = {3: 0.80, 5: 0.55, 7: 0.30, 9: 0.12}

Phasors = Mapping[int, complex]


@dataclass(frozen=True)
class Port:
    """Voltage and current at one place, by harmonic order."""

    u: Phasors
    i: Phasors

    @cached_property
    def u2(self) -> float:
        """The mean square of the voltage, in V^2."""
        return sum(abs(value) ** 2 for value in self.u.values())

    @cached_property
    def i2(self) -> float:
        """The mean square of the current, in A^2."""
        return sum(abs(value) ** 2 for value in self.i.values())

    @cached_property
    def s_complex(self) -> complex:
        """Active power and reactive power, summed over the harmonics: W + j var (inductive +)."""
        return sum((self.u[order] * i.conjugate() for order, i in self.i.items() if order in self.u), 0j)

    @cached_property
    def peaks(self) -> tuple[float, float]:
        """The peak voltage and the peak current of one period."""
        return _peak(self.u), _peak(self.i)


@dataclass(frozen=True)
class Segment:
    """One steady state of the mains circuit. frequency_hz is 0 without voltage."""

    frequency_hz: float
    source: Port  # at J2, everything the board and the load draw
    reference: Port  # voltage at the bus, current of the load's live lead
    load: Port  # at the load's terminals
    sockets: tuple[Phasors, ...]  # current through each socket's current transformer
    polarity: float = 1.0  # -1 where live and neutral are exchanged in front of J2

    def place(self, name: str) -> Port:
        """Return one of the places that an instrument sits at."""
        port = {"source": self.source, "reference": self.reference, "load": self.load}.get(name)
        if port is None:
            raise ValueError(f"no instrument sits at {name!r}: source, reference or load")
        return port


DEAD = Segment(0.0, Port({}, {}), Port({}, {}), Port({}, {}), ({}, {}, {}, {}))


def solve(
    ac: AcSetting,
    load: LoadSetting,
    contacts_ohm: Sequence[float | None],
    sockets: frozenset[int],
    supply_w: float,
    fed: bool,
    leak_s: float = 0.0,
) -> Segment:
    """Return the steady state. contacts_ohm: None is an open contact; sockets: where the load is routed, 1..4.

    fed: the mains path is closed: fuse whole, neutral connected. leak_s: what lies across the bus, in siemens.
    """
    if not ac.on or ac.voltage_v <= 0.0:
        return DEAD
    segment = _solve(ac, load, contacts_ohm, sockets, supply_w, fed, leak_s, 1.0)
    if math.sqrt(segment.source.i2) <= ac.current_limit_a:
        return segment
    low, high = 0.0, 1.0  # the source folds its voltage back until its current is the limit
    for _ in range(30):
        scale = (low + high) / 2
        segment = _solve(ac, load, contacts_ohm, sockets, supply_w, fed, leak_s, scale)
        low, high = (scale, high) if math.sqrt(segment.source.i2) <= ac.current_limit_a else (low, scale)
    return _solve(ac, load, contacts_ohm, sockets, supply_w, fed, leak_s, low)


def _solve(
    ac: AcSetting,
    load: LoadSetting,
    contacts_ohm: Sequence[float | None],
    sockets: frozenset[int],
    supply_w: float,
    fed: bool,
    leak_s: float,
    scale: float,
) -> Segment:
    fundamental = cmath.rect(ac.voltage_v * scale, math.radians(ac.phase_deg))
    emf = {1: fundamental}
    for order, fraction, phase_deg in ac.harmonics:
        emf[order] = cmath.rect(ac.voltage_v * scale * fraction, math.radians(phase_deg + order * ac.phase_deg))
    if not fed:
        return Segment(ac.frequency_hz, Port(emf, {}), Port({}, {}), Port({}, {}), ({}, {}, {}, {}))

    feed_ohm = SOURCE_OHM + FUSE_OHM
    bus1 = fundamental
    paths = {order: _paths(order * ac.frequency_hz, contacts_ohm, sockets) for order in emf}
    drawn: dict[int, complex] = {}
    load_i: dict[int, complex] = {}
    for _ in range(3):  # the feed is stiff: the supply's current moves the bus by millivolts
        drawn = _supply_current(bus1, supply_w)
        load_i = {}
        for order, volts in emf.items():
            path = sum(paths[order].values())
            if path:
                current = _load_current(
                    volts - feed_ohm * drawn.get(order, 0j), feed_ohm + 1 / path, load, fundamental=order == 1
                )
                if current:
                    load_i[order] = current
        bus1 = fundamental - feed_ohm * (drawn.get(1, 0j) + load_i.get(1, 0j))

    orders = {*emf, *drawn}
    leak = {order: leak_s * volts for order, volts in emf.items()}  # too small for the feed to drop
    total = {order: drawn.get(order, 0j) + load_i.get(order, 0j) + leak.get(order, 0j) for order in orders}
    terminal = {order: emf.get(order, 0j) - SOURCE_OHM * total[order] for order in orders}
    bus = {order: terminal[order] - FUSE_OHM * total[order] for order in orders}
    load_u: dict[int, complex] = {}
    sockets_i: tuple[dict[int, complex], ...] = ({}, {}, {}, {})
    for order, by_socket in paths.items():
        path = sum(by_socket.values())
        if not path:
            continue
        current = load_i.get(order, 0j)
        load_u[order] = bus[order] - current / path
        if current:
            for socket, admittance in by_socket.items():
                sockets_i[socket - 1][order] = current * admittance / path
    return Segment(ac.frequency_hz, Port(terminal, total), Port(bus, load_i), Port(load_u, load_i), sockets_i)


def _paths(frequency_hz: float, contacts_ohm: Sequence[float | None], sockets: frozenset[int]) -> dict[int, complex]:
    """Return socket -> admittance from the bus to the load: contact and snubber in parallel."""
    snubber = 1 / complex(SNUBBER_OHM, -1 / (2 * math.pi * frequency_hz * SNUBBER_F))
    paths = {}
    for socket in sorted(sockets):
        contact_ohm = contacts_ohm[socket - 1]
        paths[socket] = snubber if contact_ohm is None else snubber + 1 / contact_ohm
    return paths


def _supply_current(bus: complex, supply_w: float) -> dict[int, complex]:
    volts = abs(bus)
    if volts < SUPPLY_MINIMUM_V or supply_w <= 0.0:
        return {}
    amps, angle = supply_w / volts, cmath.phase(bus)
    current = {1: cmath.rect(amps, angle)}
    for order, fraction in SUPPLY_HARMONICS.items():
        current[order] = cmath.rect(fraction * amps, order * angle + math.radians(90 * (1 - order)))
    return current


def _load_current(open_v: complex, path_ohm: complex, load: LoadSetting, fundamental: bool) -> complex:
    """Return what the load draws from an open-circuit voltage behind an impedance."""
    if not load.on or not open_v:
        return 0j
    angle = math.copysign(math.acos(min(1.0, abs(load.power_factor))), load.power_factor)
    turn = cmath.rect(1.0, -angle)
    if load.function == "RES":
        return open_v / (path_ohm + load.resistance_ohm * (turn.conjugate() if fundamental else 1.0))
    if not fundamental:
        return 0j  # in CURR and POW the load regulates a sine [A]
    if load.function == "POW":
        amps = _amps_for_power(abs(open_v), path_ohm * turn, load.power_w / max(1e-3, abs(load.power_factor)))
    else:
        amps = load.current_a
    if amps is not None:
        drop = path_ohm * amps * turn
        inside = abs(open_v) ** 2 - drop.imag**2
        terminal_v = math.sqrt(inside) - drop.real if inside > 0 else -1.0
        if terminal_v > LOAD_SATURATED_OHM * amps:
            return cmath.rect(amps, cmath.phase(open_v) - cmath.phase(terminal_v + drop)) * turn
    return open_v / (path_ohm + LOAD_SATURATED_OHM)


def _amps_for_power(open_v: float, turned_ohm: complex, apparent_va: float) -> float | None:
    """Return the current at the higher of the two voltages that carry this power; None when none does."""
    middle = open_v**2 - 2 * apparent_va * turned_ohm.real
    inside = middle**2 - 4 * (apparent_va * abs(turned_ohm)) ** 2
    if middle <= 0 or inside < 0:
        return None
    return apparent_va / math.sqrt((middle + math.sqrt(inside)) / 2)


def _peak(phasors: Phasors) -> float:
    if len(phasors) <= 1:
        return math.sqrt(2) * sum(abs(value) for value in phasors.values())
    angle = np.linspace(0.0, 2 * np.pi, 512, endpoint=False)
    wave = np.zeros_like(angle)
    for order, value in phasors.items():
        wave += math.sqrt(2) * abs(value) * np.sin(order * angle + cmath.phase(value))
    return float(np.max(np.abs(wave)))
