"""How the firmware keeps its four meters: start-up, one poll a second, energies, calibration from flash.

Ref: facts smart-power 3.4 (planning set), 3.6.1 (start-up as the public drivers do it).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass

import simpy

from hil.sim.boards.hardware import Hardware, Nvs

POLL_S = 1.0
METER_GAP_S = 2.5e-3  # nine frames at 100 kHz take this long
FUNC_EN = 0x0030
NOT_DRIVEN = 0xFFFF  # what MISO's pull-up shows when no meter answers
WH_PER_COUNT = 0.1 / 3200 * 1e3  # 0.1 pulse at 3200 imp/kWh
METERING = range(0x21, 0x2C)
MEASUREMENT = range(0x31, 0x3B)
# What the firmware loads into a meter that nobody has calibrated: the board's planning set (facts 3.4), else defaults.
UNCALIBRATED = {
    0x21: 0x0016, 0x22: 0xD478, 0x23: 0, 0x24: 0, 0x25: 0, 0x26: 0, 0x27: 0x05BC, 0x28: 0,
    0x29: 0x0AEC, 0x2A: 0, 0x2B: 0x9422,
    0x31: 0x6720, 0x32: 0x7A13, 0x33: 0x7530, 0x34: 0, 0x35: 0, 0x36: 0, 0x37: 0, 0x38: 0, 0x39: 0, 0x3A: 0,
}  # fmt: skip


@dataclass
class Reading:
    """What the last poll of a meter brought."""

    voltage_v: float = 0.0
    current_a: float = 0.0
    power_w: float = 0.0
    factor: float = 0.0
    frequency_hz: float = 0.0
    healthy: bool = True


class Metering:
    """The four meters as the program sees them; they are numbered 1..4."""

    def __init__(
        self,
        env: simpy.Environment,
        hardware: Hardware,
        nvs: Nvs,
        alive: Callable[[], bool],
        log: Callable[[str, str, str], None],
    ) -> None:
        self._env, self._hardware, self._nvs, self._alive, self._log = env, hardware, nvs, alive, log
        self.readings = tuple(Reading() for _ in range(4))
        self._minutes: list[deque[float]] = [deque([0.0] * 4, maxlen=4) for _ in range(4)]

    def read(self, meter: int, address: int) -> int:
        """Read a register over the board's SPI."""
        return self._hardware.spi(meter - 1, (0x80 | address) << 16)

    def write(self, meter: int, address: int, word: int) -> None:
        """Write a register."""
        self._hardware.spi(meter - 1, address << 16 | word)

    def currents_a(self) -> list[float]:
        """Read the four currents now; a meter that is not healthy, or does not answer, counts as no current."""
        words = [self.read(meter, 0x48) if self.readings[meter - 1].healthy else 0 for meter in range(1, 5)]
        return [0.0 if word == NOT_DRIVEN else word / 1000 for word in words]

    def start(self, meter: int) -> None:
        """Start a meter as the public drivers do; the checksums are the ones the chip computes."""
        words = UNCALIBRATED | self._nvs.calibration.get(meter, {})
        self.write(meter, 0x00, 0x789A)
        self.write(meter, 0x02, FUNC_EN)
        for start, block, checksum in ((0x20, METERING, 0x2C), (0x30, MEASUREMENT, 0x3B)):
            self.write(meter, start, 0x5678)
            for address in block:
                self.write(meter, address, words[address])
            self.write(meter, checksum, self.read(meter, checksum))
            self.write(meter, start, 0x8765)
        status = self.read(meter, 0x01)
        healthy = self.read(meter, 0x02) == FUNC_EN and not status & 0xF000
        self.readings[meter - 1].healthy = healthy
        if not healthy:
            self._log("meter", f"U{meter} does not answer as it should (status 0x{status:04X})", "E")

    def poll(self) -> Generator[simpy.Event, None, None]:
        """Read all meters once a second, for as long as the program lives."""
        polls = 0
        while True:
            for meter in range(1, 5):
                yield self._env.timeout(METER_GAP_S)
                if not self._alive():
                    return
                self._poll(meter)
            polls += 1
            if polls % 60 == 0:
                for minutes in self._minutes:
                    minutes.append(0.0)
            yield self._env.timeout(POLL_S - 4 * METER_GAP_S)
            if not self._alive():
                return

    def _poll(self, meter: int) -> None:
        reading = self.readings[meter - 1]
        if self.read(meter, 0x02) != FUNC_EN:
            self.start(meter)  # the meter was reset, or does not answer
            if not reading.healthy:
                return
        read = self.read
        reading.healthy = True
        reading.voltage_v = read(meter, 0x49) / 100
        reading.current_a = read(meter, 0x48) / 1000
        word, fraction = read(meter, 0x4A), read(meter, 0x08)
        reading.power_w = (word - 0x10000 if word & 0x8000 else word) + fraction / 65536
        factor = read(meter, 0x4D)
        reading.factor = (factor & 0x7FFF) / (-1000 if factor & 0x8000 else 1000)
        reading.frequency_hz = read(meter, 0x4C) / 100
        forward_wh = read(meter, 0x40) * WH_PER_COUNT
        self._nvs.energy_wh[meter - 1] += forward_wh
        self._minutes[meter - 1][-1] += forward_wh * 1e3

    def last_minutes_mwh(self, number: int) -> list[float]:
        """Return the energy of the last three minutes of switch 0..3, the newest first."""
        return [round(value, 3) for value in reversed(list(self._minutes[number])[:3])]

    def calibration(self, meter: int) -> dict[str, int]:
        """Return what is stored for a meter, {"21": word, ...}; the firmware's own set when nothing is."""
        words = UNCALIBRATED | self._nvs.calibration.get(meter, {})
        return {f"{address:02X}": word for address, word in sorted(words.items())}

    def store_calibration(self, meter: int, words: dict[int, int]) -> None:
        """Keep words in flash and load them into the meter."""
        self._nvs.calibration[meter] = self._nvs.calibration.get(meter, {}) | words
        self.start(meter)
