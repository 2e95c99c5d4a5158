"""What is known of chips, as data: one TOML file a chip in chips/, Ethernet parts in ethernet.toml, each fact with its
source. Rules take pin roles from here and hold no pin number themselves."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from hil.review.finding import Evidence


@dataclass(frozen=True, slots=True)
class Strap:
    """A strapping pin, read at reset. `selects`: boot mode | download | flash voltage | jtag source | log | other.

    `normal` and `download`: the level ("low", "high" or "any") it needs at reset for a normal start, and for the
    download mode that programs the chip. `pull`: its own weak pull ("up", "down" or "none").
    """

    gpio: int
    selects: str
    normal: str
    download: str
    pull: str
    effect: str
    source: Evidence


@dataclass(frozen=True, slots=True)
class Taken:
    """GPIOs that memory inside a module or chip takes for itself. `memory`: "PSRAM" or "flash"."""

    gpios: frozenset[int]
    memory: str
    source: Evidence


@dataclass(frozen=True, slots=True)
class Chip:
    """A microcontroller: its pins' roles. GPIO numbers everywhere."""

    name: str
    gpios: frozenset[int]
    input_only: frozenset[int]
    uart0: tuple[int, int]  # TX, RX
    usb: tuple[int, ...]  # D-, D+; empty where it has none
    usb_jtag: bool
    jtag: Mapping[str, int]
    adc1: frozenset[int]
    adc2: frozenset[int]
    adc2_shared_with_wifi: bool
    emac: bool
    clock_inputs: frozenset[int]
    straps: tuple[Strap, ...]
    sources: Mapping[str, Evidence]  # by topic: emac, gpio, jtag, adc, uart, strap
    aliases: Mapping[str, int]  # pin names of modules that name no GPIO number
    predecessor: str
    _taken: tuple[tuple[str, Taken], ...]
    _modules: tuple[tuple[str, frozenset[int]], ...]

    def strap(self, gpio: int) -> Strap | None:
        """The strapping pin with this number, if it is one."""
        return next((strap for strap in self.straps if strap.gpio == gpio), None)

    def taken(self, model: str) -> tuple[Taken, ...]:
        """What memory inside this model of the chip or module takes."""
        return tuple(taken for pattern, taken in self._taken if re.search(pattern, model, re.IGNORECASE))

    def module_gpios(self, model: str) -> frozenset[int]:
        """The GPIOs this module brings out; those of the chip where the module is not known."""
        return next((gpios for pattern, gpios in self._modules if re.search(pattern, model, re.IGNORECASE)), self.gpios)


@dataclass(frozen=True, slots=True)
class Ethernet:
    """An Ethernet part. `bus`: "rmii" (a PHY: needs a MAC beside it) or "spi" (MAC and PHY in one)."""

    name: str
    bus: str
    signals: tuple[str, ...]  # of its bus and management, without the reference clock
    clock: str  # name of the reference clock signal; empty where there is none
    reset_pins: tuple[str, ...]  # as symbols name it
    optional_pins: tuple[str, ...]
    reset_rule: str  # what its datasheet demands of reset; empty where nothing is known
    io_max_v: float | None
    sources: Mapping[str, Evidence]


def _numbers(text: str) -> frozenset[int]:
    """GPIO numbers of a list like "0-21, 26-48"."""
    numbers: set[int] = set()
    for item in filter(None, (item.strip() for item in text.split(","))):
        low, _, high = item.partition("-")
        numbers.update(range(int(low), int(high or low) + 1))
    return frozenset(numbers)


def _sources(table: Mapping[str, str]) -> dict[str, Evidence]:
    """Each source is "what it says @ document": the document is cited, what it says is ours."""
    found = {}
    for topic, text in table.items():
        said, _, where = text.rpartition(" @ ")
        found[topic] = Evidence(said, where)
    return found


def _chip(table: Mapping[str, Any]) -> Chip:
    sources = _sources(table["sources"])
    return Chip(
        name=table["name"],
        gpios=_numbers(table["gpios"]),
        input_only=_numbers(table.get("input_only", "")),
        uart0=(table["uart0"]["tx"], table["uart0"]["rx"]),
        usb=tuple(table.get("usb", ())),
        usb_jtag=table.get("usb_jtag", False),
        jtag=dict(table["jtag"]),
        adc1=_numbers(table["adc1"]),
        adc2=_numbers(table.get("adc2", "")),
        adc2_shared_with_wifi=table.get("adc2_shared_with_wifi", False),
        emac=table["emac"],
        clock_inputs=_numbers(table.get("clock_inputs", "")),
        straps=tuple(
            Strap(
                strap["gpio"],
                strap["selects"],
                strap.get("normal", "any"),
                strap.get("download", "any"),
                strap.get("pull", "none"),
                strap["effect"],
                _sources({"strap": strap["source"]})["strap"],
            )
            for strap in table["strap"]
        ),
        sources=sources,
        aliases={name.upper(): gpio for name, gpio in table.get("aliases", {}).items()},
        predecessor=table.get("predecessor", ""),
        _taken=tuple(
            (
                taken["models"],
                Taken(_numbers(taken["gpios"]), taken["memory"], _sources({"taken": taken["source"]})["taken"]),
            )
            for taken in table.get("taken", ())
        ),
        _modules=tuple((module["models"], _numbers(module["gpios"])) for module in table.get("module", ())),
    )


@cache
def chips() -> tuple[tuple[str, Chip], ...]:
    """Every known chip with the pattern of the models it is in."""
    folder = resources.files("hil.review") / "knowledge" / "chips"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    tables = [tomllib.loads(file.read_text("utf-8")) for file in files]
    return tuple((table["models"], _chip(table)) for table in tables)


def chip_of(model: str) -> Chip | None:
    """The chip in a part of this model; None where knowledge has none."""
    return next((chip for pattern, chip in chips() if re.match(pattern, model, re.IGNORECASE)), None)


def chip_named(name: str) -> Chip | None:
    """The chip with this name, e.g. "ESP32-S2"."""
    return next((chip for _, chip in chips() if chip.name == name), None)


@cache
def _ethernet() -> tuple[tuple[str, Ethernet], ...]:
    text = (resources.files("hil.review") / "knowledge" / "ethernet.toml").read_text("utf-8")
    found = []
    for table in tomllib.loads(text)["part"]:
        part = Ethernet(
            name=table["name"],
            bus=table["bus"],
            signals=tuple(table["signals"]),
            clock=table.get("clock", ""),
            reset_pins=tuple(table.get("reset_pins", ())),
            optional_pins=tuple(table.get("optional_pins", ())),
            reset_rule=table.get("reset_rule", ""),
            io_max_v=table.get("io_max_v"),
            sources=_sources(table["sources"]),
        )
        found.append((table["models"], part))
    return tuple(found)


def ethernet_of(model: str) -> Ethernet | None:
    """What is known of an Ethernet part of this model; None where nothing is."""
    return next((part for pattern, part in _ethernet() if re.match(pattern, model, re.IGNORECASE)), None)
