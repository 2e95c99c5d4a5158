"""The Smart Power board's revisions, as data: what is connected to what, what is expected of it, and how sure we are.

Revision A is the design document as it stands ([SP]: flow chart and key components of 8 Mar 2026, no netlist). Revision
B is a corrected board that has an Ethernet MAC. What the document does not say carries its mark: [A] assumed for
planning, [inferred] from the order of a list. The open points are questions to the owner of the schematic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from hil.dut.atm90e26 import Calibration
from hil.dut.atm90e26.calibration import pl_constant, threshold_word
from hil.dut.smart_power.fuse import Fuse
from hil.dut.smart_power.ntc import Ntc
from hil.errors import SetupError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """A value and how we know it: "[SP]", "[A] why", "[inferred] from what"."""

    value: T
    mark: str

    @property
    def assumed(self) -> bool:
        """Whether the design document does not state it."""
        return not self.mark.startswith("[SP]")


@dataclass(frozen=True, slots=True)
class Coil:
    """One coil of a bistable relay, and the chain that drives it."""

    name: str  # as the firmware calls it: "K1.SET"
    relay: int
    closes: bool  # SET closes the contact, RESET opens it
    gpio: Known[int]
    optocoupler: Known[str]
    driver: str
    flyback: tuple[str, str, str]  # sets A, B, C on the same nets (DR-14)
    connectors: tuple[str, str]  # sets A, B; pin 1 = collector of the driver, pin 2 = 5V_RELAY


@dataclass(frozen=True, slots=True)
class Socket:
    """One outlet: its relay's contact, its terminals and its meter."""

    number: int
    meter: str
    chip_select: int  # ADBUS3 + this on the fixture
    chip_select_gpio: int
    live_terminal: str
    neutral_terminal: str
    contact_terminal: str  # COM, NO


@dataclass(frozen=True, slots=True)
class OpenPoint:
    """Something the owner of the schematic has to answer."""

    name: str
    text: str
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Metering:
    """The sense paths and what the meters are set up for: the planning set of facts 3.4."""

    un_v: Known[float]
    ib_a: Known[float]
    imp_per_kwh: Known[float]
    current_transformer_ratio: Known[float]
    burden_ohm: Known[float]
    divider_ratio: Known[float]
    start_fraction: Known[float]  # start-up power as a fraction of Un x Ib

    def voltage_input_mv(self) -> float:
        """Return the millivolts at the meter's voltage input at Un."""
        return 1e3 * self.un_v.value / self.divider_ratio.value

    def current_input_mv(self) -> float:
        """Return the millivolts at the meter's current input at Ib."""
        return 1e3 * self.ib_a.value / self.current_transformer_ratio.value * self.burden_ohm.value

    def nominal_calibration(self) -> Calibration:
        """Return the words of a board without tolerances: where calibration of a unit starts."""
        chip_gain = 1.0  # MMode 9422: L channel x1
        constant = pl_constant(
            chip_gain,
            self.current_input_mv(),
            self.voltage_input_mv(),
            self.imp_per_kwh.value,
            self.un_v.value,
            self.ib_a.value,
        )
        constant = round(constant / 4) * 4  # a multiple of 4 leaves room for accelerated tests [AN26 4.1]
        start = threshold_word(chip_gain, self.current_input_mv(), self.voltage_input_mv(), self.start_fraction.value)
        return replace(Calibration().with_pl_constant(constant), p_start_th=start)


@dataclass(frozen=True, slots=True)
class Relays:
    """What is expected of the four relays; the document names no part (facts 5)."""

    rated_coil_v: Known[float]
    coil_ohm: Known[float]
    coil_temp_c: Known[float]  # at which coil_ohm holds
    pulse_s: Known[float]
    dead_time_s: Known[float]
    must_set_v: Known[float]
    driver_saturation_v: Known[float]


@dataclass(frozen=True, slots=True)
class CurrentTrip:
    """A current, the sum of all sockets, that the firmware lets flow for hold_s and no longer."""

    current_a: float
    hold_s: float


@dataclass(frozen=True, slots=True)
class Trips:
    """At what the firmware opens the relays, and when it may be re-armed."""

    overtemperature_c: Known[float]
    rearm_c: Known[float]  # by command, and only below this
    overcurrent: Known[tuple[CurrentTrip, ...]]  # ascending
    socket_hold_s: Known[float]  # of a socket's own limit, which is off unless it is configured


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of the Smart Power board."""

    name: str
    title: str
    coils: tuple[Coil, ...]
    sockets: tuple[Socket, ...]
    metering: Metering
    relays: Relays
    trips: Trips
    ntc: Known[Ntc]
    ntc_access: Known[str]  # the bench comes "in place" of the NTC, or in "parallel": only hotter, or short
    fuse_a: Known[float]
    fuse: Known[Fuse]
    ethernet_mac: Known[str]  # "" where there is none
    rail_v: Known[float]
    logic_v: Known[float]
    boot_s: Known[float]  # release of EN to the first RPC answer, at most
    open_points: tuple[OpenPoint, ...]

    @property
    def has_ethernet(self) -> bool:
        """Whether the controller can exchange frames at all (DR-01)."""
        return bool(self.ethernet_mac.value)

    def can(self, ability: str) -> bool:
        """Say whether a unit of this revision, on its fixture, has what a requirement needs of it."""
        abilities = {"ntc_in_place": self.ntc_access.value == "in place", "ethernet_mac": self.has_ethernet}
        if ability not in abilities:
            raise SetupError(f"nobody knows whether smart-power has {ability!r}", "known: " + ", ".join(abilities))
        return abilities[ability]

    def coil(self, name: str) -> Coil:
        """Return the coil called "K1.SET" .. "K4.RESET"."""
        for coil in self.coils:
            if coil.name == name:
                return coil
        raise SetupError(f"no coil {name!r}", "they are " + ", ".join(coil.name for coil in self.coils))

    def socket(self, number: int) -> Socket:
        """Return the socket with that number, from 1."""
        for socket in self.sockets:
            if socket.number == number:
                return socket
        raise SetupError(f"no socket {number}", f"the board has 1 .. {len(self.sockets)}")


BY_ORDER = "[inferred] from the order of a list"
COIL_GPIOS = (15, 16, 17, 18, 21, 38, 39, 40)  # "15/16 17/18 21/38 39/40" of the flow chart


def _coils() -> tuple[Coil, ...]:
    return tuple(
        Coil(
            name=f"K{index // 2 + 1}.{'RESET' if index % 2 else 'SET'}",
            relay=index // 2 + 1,
            closes=index % 2 == 0,
            gpio=Known(COIL_GPIOS[index], BY_ORDER),
            optocoupler=Known(f"Q{index + 1}", BY_ORDER),
            driver=f"Q{index + 9}",
            flyback=(f"D{index + 1}", f"D{index + 13}", f"D{index + 21}"),
            connectors=(f"J{index + 27}", f"J{index + 35}"),
        )
        for index in range(8)
    )


def _sockets() -> tuple[Socket, ...]:
    return tuple(
        Socket(
            number=number,
            meter=f"U{number}",
            chip_select=number - 1,
            chip_select_gpio=number + 3,
            live_terminal=f"J{number + 6}",
            neutral_terminal=f"J{number + 2}",
            contact_terminal=f"J{number + 22}",
        )
        for number in range(1, 5)
    )


OPEN_POINTS = (
    OpenPoint("pins", "GPIOs of SCLK, MOSI, MISO, PHY and PHY reset", ("DR-11", "DR-12")),
    OpenPoint("relays", "relay part, coil resistance, pulse; is RELAY1-4 a command or a coil?", ("DR-18", "DR-31")),
    OpenPoint("ground", "where the meters' ground is; is the low-voltage side mains-referenced?", ("DR-20", "DR-21")),
    OpenPoint("detect", "neutral and earth detect circuits, NTC topology", ("DR-07", "DR-21", "DR-31")),
    OpenPoint("metering", "MMD straps, transformer, burden, divider ratio, pulse constant, Ib", ("DR-31", "DR-36")),
    OpenPoint("fuse", "does the fuse feed only the SMPS, or the whole strip?", ("DR-23", "DR-24")),
    OpenPoint("fitted", "which of the duplicated connectors and diodes are fitted?", ("DR-14", "DR-15", "DR-16")),
)

REVISION_A = Revision(
    name="A",
    title="the design document as it stands",
    coils=_coils(),
    sockets=_sockets(),
    metering=Metering(
        un_v=Known(230.0, "[A] 230 VAC SMPS"),
        ib_a=Known(1.0, "[A] Imax 3 A stays below the 3.15 A fuse; the scale of the meter does not depend on it"),
        imp_per_kwh=Known(3200.0, "[A] planning set"),
        current_transformer_ratio=Known(1000.0, "[A] planning set"),
        burden_ohm=Known(4.8, "[A] planning set"),
        divider_ratio=Known(841.0, "[A] 7 x 120 kohm over 1 kohm, as in the schematic of AN26"),
        start_fraction=Known(0.002, "[A] half the starting current of class 1, 0.004 Ib"),
    ),
    relays=Relays(
        rated_coil_v=Known(5.0, "[SP] 5V_RELAY"),
        coil_ohm=Known(42.0, "[A] HF115F-L, RT1 class"),
        coil_temp_c=Known(20.0, "[A] usual reference of relay sheets"),
        pulse_s=Known(0.050, "[A] typical pulse of HF115F-L"),
        dead_time_s=Known(0.050, "[A]"),
        must_set_v=Known(3.5, "[A] 70 % of 5 V"),
        driver_saturation_v=Known(0.7, "[A] BC817 at 500 mA / 50 mA"),
    ),
    trips=Trips(
        overtemperature_c=Known(90.0, "[A] the default of Tasmota"),
        rearm_c=Known(80.0, "[A]"),
        overcurrent=Known((CurrentTrip(3.30, 10.0), CurrentTrip(4.0, 1.0)), "[A] above the fuse's 3.15 A"),
        socket_hold_s=Known(1.0, "[A]"),
    ),
    ntc=Known(Ntc(10e3, 3950.0, 0.01, 0.01, 10e3, 3.3), "[A] the usual part; topology not in the document"),
    ntc_access=Known("in place", "[A] a relay of the fixture takes the NTC out and brings a resistance in"),
    fuse_a=Known(3.15, "[SP] 3.15 A T"),
    fuse=Known(
        Fuse(3.15, ((1.5, 3600.0), (2.75, 0.6), (4.0, 0.15), (10.0, 0.02))),
        "[A] Littelfuse 213 class, IEC 60127-2 sheet 3",
    ),
    ethernet_mac=Known("", "[SP] ESP32-S3 has no Ethernet MAC (DR-01)"),
    rail_v=Known(5.0, "[SP] 5V_MAIN"),
    logic_v=Known(3.3, "[SP] 3V3_MAIN"),
    boot_s=Known(3.0, "[A] app_main at about 0.87 s with 8 MB PSRAM"),
    open_points=OPEN_POINTS,
)

REVISION_B = replace(
    REVISION_A,
    name="B",
    title="corrected: Ethernet through an SPI MAC and PHY",
    ethernet_mac=Known("W5500", "[A] the correction proposed by DR-01"),
    # with SPI Ethernet the RMII pins are free again, so the questions about the PHY fall away
    open_points=tuple(
        replace(point, text="GPIOs of SCLK, MOSI, MISO and of the Ethernet chip", findings=())
        if point.name == "pins"
        else point
        for point in OPEN_POINTS
    ),
)

REVISIONS = {revision.name: revision for revision in (REVISION_A, REVISION_B)}


def revision(name: str) -> Revision:
    """Return the revision called name; raises SetupError naming those that exist."""
    if name not in REVISIONS:
        raise SetupError(f"smart-power has no revision {name!r}", f"known: {', '.join(REVISIONS)}")
    return REVISIONS[name]
