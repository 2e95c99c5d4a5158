"""Known defects by name, each with the place in the circuit where it acts. Nobody here knows what a defect means."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from hil.sim.misbehaviour import fault_patterns

FAULTS: dict[str, tuple[str, str]] = {
    "k[1-4]-set-open": ("K SET coil", "the SET coil is open: it draws no current and never moves the contact"),
    "k[1-4]-reset-open": ("K RESET coil", "the RESET coil is open: it draws no current and never moves the contact"),
    "k[1-4]-welded": ("K contact", "the contact is welded: closed whatever the coils do"),
    "k[1-4]-contact-resistance": ("K contact", "the contact is burnt: 0.25 ohm instead of some milliohms"),
    "k[1-4]-slow": ("K armature", "the armature sticks: operate and release take 18 ms longer"),
    "k[1-4]-worn": ("K armature", "its pivot is worn: after 150 movements it sticks now and then"),
    "k[1-4]-no-flyback": (
        "flyback diodes of K",
        "no diodes across the coils: they swing up to the transistor's breakdown",
    ),
    "k[1-4]-coils-swapped": ("drivers of K", "SET and RESET are swapped between the MCU and the collectors"),
    "cs-swapped-u1-u2": ("SPI chip selects", "the chip selects of U1 and U2 are swapped on the board"),
    "u[1-4]-gain-out-of-range": ("burden of U", "a burden of half the value: more than the gain register can correct"),
    "u[1-4]-burden-drifts": ("burden of U", "a resistor of the wrong material: its value drifts by 0.15 % per kelvin"),
    "u[1-4]-clamp-leaky": (
        "clamp diode of U",
        "it leaks near the crest: voltage reads low, the more the higher it is",
    ),
    "u[1-4]-phase-error": ("CT of U", "a wrong CT: 12 degrees of phase error"),
    "u[1-4]-ct-reversed": ("CT of U", "the CT is mounted the wrong way round"),
    "u[1-4]-ct-nonlinear": (
        "CT of U",
        "a core of low permeability, trimmed at 1 A: 3 %, or =PERCENT, of the current is lost at 50 mA, more below",
    ),
    "miso-stuck": ("SPI MISO", "MISO is shorted to ground"),
    "rail-3v3-low": ("3.3 V regulator", "the regulator gives 3.05 V"),
    "k[1-4]-coil-glitch": ("GPIO of K SET", "a 2 ms pulse on the SET coil when EN is released"),
    "trip-missing": ("firmware", "the over-temperature trip is missing: nothing happens however hot it gets"),
    "trip-wrong-threshold": ("firmware", "the over-temperature trip stands at 100 degrees Celsius"),
    "trip-late": ("firmware", "the over-temperature trip comes 2 s late"),
    "overcurrent-slow": ("firmware", "the over-current trips come 1 s late"),
    "led-green-dead": ("green LED", "the green LED is dark although its pin is driven"),
    "led-red-dead": ("red LED", "the red LED is dark although its pin is driven"),
    "buzzer-dead": ("BZ1", "the buzzer is silent although its pin is driven"),
    "ntc-open": ("NTC", "a broken solder joint: the NTC is an open circuit"),
    "ntc-short": ("NTC", "the NTC is shorted"),
    "ntc-wrong-type": ("NTC", "a part of 100 kohm in place of 10 kohm"),
    "mov-aged": ("MOV", "worn out by surges: 20 % less voltage at 1 mA, and half a milliampere of leakage"),
    "mov-missing": ("MOV", "not fitted"),
    "supply-hold-up-short": ("PS1", "its capacitor has dried out: half a cycle without mains resets the board"),
    "insulation-weak": ("insulation of mains to earth", "it flashes over at about 1 kV"),
    "insulation-leaky": ("insulation of mains to earth", "damp or flux: 0.8 Mohm"),
    "earth-bond-high": ("earth terminal J48", "a bad joint: 0.4 ohm to the other earth terminals"),
    "earth-open": ("earth terminal J48", "a track is broken: open to the other earth terminals"),
    "neutral-detect-stuck": ("neutral detection", "the input shows a healthy neutral whatever the wiring"),
    "phy-dead": ("Ethernet PHY", "the PHY never comes out of reset: it sends and hears nothing"),
    "phy-pair-open": ("Ethernet socket", "the pair on pins 3-6 is open between socket and PHY"),
    "phy-forced-10": ("Ethernet PHY", "the mode straps are pulled low: 10 Mbit/s half duplex, no auto-negotiation"),
    "phy-crystal-off": ("Ethernet PHY", "its crystal runs 500 ppm fast: receivers slip now and then"),
    (
        "bench-(ac-source|power-meter|ac-load|scope|dc-supply|dmm|switch"
        "|programmable-resistor|surge-generator|link-partner|hipot-tester|thermal-chamber)-dies"
    ): ("bench", "that instrument drops its connections and answers no more"),
    **fault_patterns(),
    "bench-fixture-unplugged": ("fixture USB", "the cable is pulled, in the middle of a transfer, and stays out"),
    "bench-fixture-replugged": ("fixture USB", "a loose cable: out for half a second, then back at a new address"),
    "bench-fixture-short-read": ("fixture USB", "one bulk transfer brings half of its data, the rest is lost"),
    "bench-fixture-wrong-serial": ("fixture USB", "another adapter is plugged in, with a serial number of its own"),
    "bench-fixture-busy": ("fixture USB", "another process takes the console's interface as soon as it is free"),
    "console-noise": ("console line", "bursts of noise whenever the line is idle"),
    "console-half-frame": ("console line", "the contact breaks in the middle of one RPC frame"),
    "console-reboots": ("EN line", "the contact bounces in the middle of one RPC frame: the unit is reset"),
}

AMOUNTS: dict[str, tuple[float, float, float]] = {  # faults that come with a number: default, least, most
    "u[1-4]-ct-nonlinear": (3.0, 0.0, 25.0),
}


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """A fault by name, the bench time it begins at, in seconds, and its number if it is one that has it."""

    name: str
    from_s: float
    amount: float | None = None


class UnknownFault(ValueError):
    """No fault has this name."""

    def __init__(self, text: str, close: tuple[str, ...]) -> None:
        super().__init__(text, close)
        self.text, self.close = text, close

    def __str__(self) -> str:
        hint = f"; did you mean {', '.join(self.close)}?" if self.close else "; --list-faults names them all"
        return f"no fault is called {self.text!r}{hint}"


def parse_fault(text: str) -> ActiveFault:
    """Read name, name@seconds, name=number or name=number@seconds; raises UnknownFault naming the closest matches."""
    name, at, when = text.partition("@")
    name, equals, number = name.partition("=")
    try:
        from_s = float(when) if at else 0.0
        amount = float(number) if equals else None
    except ValueError:
        from_s, amount = float("nan"), None
    default, least, most = next((row for one, row in AMOUNTS.items() if re.fullmatch(one, name)), (None, 0.0, 0.0))
    if amount is not None and (default is None or not least <= amount <= most):
        hint = f"{name}={least:g} to {most:g}" if default is not None else f"{name} without a number"
        raise UnknownFault(text, (hint,))
    if not any(re.fullmatch(pattern, name) for pattern in FAULTS) or not 0.0 <= from_s < float("inf"):
        raise UnknownFault(text, tuple(difflib.get_close_matches(name, fault_names(), n=3)))
    return ActiveFault(name, from_s, default if amount is None else amount)


def fault_names() -> list[str]:
    """Return every fault's full name, patterns written out."""
    return [name for pattern in FAULTS for name in _spelled_out(pattern)]


def describe(name: str) -> tuple[str, str]:
    """Return (place in the circuit, description) of one fault's full name."""
    for pattern, place_and_text in FAULTS.items():
        if re.fullmatch(pattern, name):
            return place_and_text
    raise UnknownFault(name, tuple(difflib.get_close_matches(name, fault_names(), n=3)))


def _spelled_out(pattern: str) -> list[str]:
    if "[1-4]" in pattern:
        return [pattern.replace("[1-4]", str(number)) for number in range(1, 5)]
    found = re.fullmatch(r"(.*)\((.*)\)(.*)", pattern)
    if found:
        return [found[1] + choice + found[3] for choice in found[2].split("|")]
    return [pattern]
