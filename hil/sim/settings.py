"""What the instruments are set to, as electricity sees it, and what the mains circuit does over a window."""

from __future__ import annotations

from dataclasses import dataclass

# order, fraction of the fundamental, its own degrees (as a sine) where the fundamental passes zero upwards
Harmonic = tuple[int, float, float]


@dataclass(frozen=True, slots=True)
class AcSetting:
    """The mains source at J2 of the unit."""

    voltage_v: float = 0.0  # rms of the fundamental
    frequency_hz: float = 50.0
    phase_deg: float = 0.0
    harmonics: tuple[Harmonic, ...] = ()
    on: bool = False
    current_limit_a: float = 16.0


@dataclass(frozen=True, slots=True)
class LoadSetting:
    """The electronic load at the routed socket. power_factor: + lagging (inductive), - leading (capacitive)."""

    function: str = "CURR"  # CURR, RES or POW
    current_a: float = 0.0
    resistance_ohm: float = 1e6
    power_w: float = 0.0
    power_factor: float = 1.0
    on: bool = False


@dataclass(frozen=True, slots=True)
class DcSetting:
    """One output of the DC supply."""

    voltage_v: float = 0.0
    current_limit_a: float = 0.1
    on: bool = False


@dataclass(frozen=True, slots=True)
class ResistorSetting:
    """The programmable resistor at its terminals; disconnected, it is an open circuit."""

    ohm: float = 100.0
    connected: bool = False


@dataclass(frozen=True, slots=True)
class AcWindow:
    """Averages over a window, harmonics included; the peaks are the largest in it. q_var: + inductive."""

    u_rms_v: float
    i_rms_a: float
    p_w: float
    q_var: float
    s_va: float
    power_factor: float  # p_w / s_va, with the sign of p_w; 0 when there is no current
    frequency_hz: float  # 0 without voltage
    u_peak_v: float
    i_peak_a: float
