"""The firmware as a program: boots, loads its calibration, polls its meters, pulses its coils, answers RPC.

Ref: facts smart-power 3.6.1 (meter start-up), 6.5 (interfaces), 7.6 (boot log). It knows its pins and nothing of the
circuit behind them. Its flash (`Nvs`) outlives it.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Protocol

import simpy

from hil.sim.boards.console import ConsoleFrames
from hil.sim.boards.rpc import RpcServer

VERSION, BUILD = "1.0.3", "20261114-091500/1.0.3-g7c1e5d2"
EN_RC_S = 0.010  # 10 kohm, 1 uF on EN [A]
ROM_S, SECOND_STAGE_S, APP_S = 0.002, 0.025, 0.87  # facts 7.6; the first [A]
PULSE_S = 0.050
DEAD_TIME_S = 0.065
POLL_S = 1.0
METER_GAP_S = 2.5e-3  # nine frames at 100 kHz take this long
FUNC_EN = 0x0030
WH_PER_COUNT = 0.1 / 3200 * 1e3  # 0.1 pulse at 3200 imp/kWh
METERING = range(0x21, 0x2C)
MEASUREMENT = range(0x31, 0x3B)
# What the firmware loads into a meter that nobody has calibrated: the board's planning set (facts 3.4), else defaults.
UNCALIBRATED = {
    0x21: 0x0016, 0x22: 0xD478, 0x23: 0, 0x24: 0, 0x25: 0, 0x26: 0, 0x27: 0x05BC, 0x28: 0,
    0x29: 0x0AEC, 0x2A: 0, 0x2B: 0x9422,
    0x31: 0x6720, 0x32: 0x7A13, 0x33: 0x7530, 0x34: 0, 0x35: 0, 0x36: 0, 0x37: 0, 0x38: 0, 0x39: 0, 0x3A: 0,
}  # fmt: skip
RESET_NAMES = {1: "POWERON", 0xC: "RTC_SW_CPU_RST"}


class Hardware(Protocol):
    """The MCU's pins."""

    def coil(self, name: str, on: bool) -> None:
        """Drive one of the eight coil GPIOs."""
        ...

    def spi(self, chip_select: int, frame: int) -> int:
        """Do one 24-bit frame on chip select 0..3; return the 16 bits of its data phase."""
        ...

    def transmit(self, data: bytes) -> None:
        """Send on UART0."""
        ...

    def ntc_mv(self) -> float:
        """Return the calibrated millivolts at the NTC divider."""
        ...

    def restart(self, reason: int) -> None:
        """Reset the MCU from inside."""
        ...


@dataclass
class Nvs:
    """What the flash keeps through power loss."""

    outputs: list[bool] = field(default_factory=lambda: [False] * 4)
    calibration: dict[int, dict[int, int]] = field(default_factory=dict)
    energy_wh: list[float] = field(default_factory=lambda: [0.0] * 4)
    config: dict[int, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Reading:
    """What the last poll of a meter brought."""

    voltage_v: float = 0.0
    current_a: float = 0.0
    power_w: float = 0.0
    factor: float = 0.0
    frequency_hz: float = 0.0
    healthy: bool = True


class Firmware:
    """One life of the program, from reset to reset."""

    coil_names = tuple(f"K{number}.{action}" for number in range(1, 5) for action in ("SET", "RESET"))

    def __init__(
        self, env: simpy.Environment, hardware: Hardware, nvs: Nvs, who: dict[str, str], reason: int, download: bool
    ) -> None:
        self._env, self._hardware, self._nvs, self._who = env, hardware, nvs, who
        self._reason = reason
        self._alive = True
        self.running = False
        self._started_s = env.now + EN_RC_S
        self._queue: deque[tuple[str, float]] = deque()
        self._wake = env.event()
        self._source = ["init"] * 4
        self._readings = [Reading() for _ in range(4)]
        self._minutes: list[deque[float]] = [deque([0.0] * 4, maxlen=4) for _ in range(4)]
        self.mac = who["mac"]
        self.device_id = f"smartpower-{self.mac.lower()}"
        self.rpc = RpcServer(self)
        self.frames = ConsoleFrames(lambda: env.now, hardware.transmit, self.rpc.answer)
        env.process(self._download() if download else self._boot())

    def die(self) -> None:
        """Stop: reset or power loss. The pins float."""
        self._alive = self.running = False

    @property
    def outputs(self) -> list[bool]:
        """What was last commanded for each switch; there is no readback (DR-29)."""
        return self._nvs.outputs

    def received(self, data: bytes) -> None:
        """Take bytes that arrived on UART0."""
        if self.running:
            self.frames.feed(data)

    def http(self, method: str, path: str, body: bytes) -> tuple[int, bytes] | None:
        """Answer over the network, once the application runs."""
        return self.rpc.http(method, path, body) if self.running else None

    # -- boot --------------------------------------------------------------------------------------------------------

    def _log(self, tag: str, text: str, level: str = "I") -> None:
        milliseconds = math.floor((self._env.now - self._started_s) * 1e3)
        self.frames.log(f"{level} ({milliseconds}) {tag}: {text}\r\n".encode())

    def _banner(self, mode: str) -> None:
        name = RESET_NAMES.get(self._reason, "POWERON")
        self.frames.log(
            f"ESP-ROM:esp32s3-20210327\r\nBuild:Mar 27 2021\r\nrst:0x{self._reason:x} ({name}),boot:{mode}\r\n".encode()
        )

    def _download(self) -> Generator[simpy.Event, None, None]:
        yield self._env.timeout(EN_RC_S + ROM_S)
        if self._alive:
            self._banner("0x0 (DOWNLOAD(USB/UART0))")
            self.frames.log(b"waiting for download\r\n")

    def _boot(self) -> Generator[simpy.Event, None, None]:
        env = self._env
        yield env.timeout(EN_RC_S + ROM_S)
        if not self._alive:
            return
        self._banner("0x8 (SPI_FAST_FLASH_BOOT)")
        self.frames.log(
            b"SPIWP:0xee\r\nmode:DIO, clock div:1\r\nload:0x3fce3810,len:0x178c\r\nload:0x403c9700,len:0x4\r\n"
            b"load:0x403c9704,len:0xcb8\r\nload:0x403cc700,len:0x2d9c\r\nentry 0x403c9914\r\n"
        )
        yield env.timeout(SECOND_STAGE_S - ROM_S)
        if not self._alive:
            return
        self._log("boot", "ESP-IDF v5.3.1 2nd stage bootloader")
        yield env.timeout(APP_S - SECOND_STAGE_S - 0.1)
        if not self._alive:
            return
        self._log("esp_psram", "Adding pool of 8192K of PSRAM memory to heap allocator")
        for meter in range(1, 5):
            yield env.timeout(0.02)  # 33 frames at 100 kHz
            if not self._alive:
                return
            self._start_meter(meter)
        yield env.timeout(0.02)
        if not self._alive:
            return
        self.running = True
        self._log("app", f"smart-power {VERSION} ({BUILD}), serial {self._who['serial']}")
        env.process(self._pulses())
        yield from self._poll()

    # -- meters ------------------------------------------------------------------------------------------------------

    def read_meter(self, meter: int, address: int) -> int:
        """Read a register of meter 1..4 over the board's SPI."""
        return self._hardware.spi(meter - 1, (0x80 | address) << 16)

    def write_meter(self, meter: int, address: int, word: int) -> None:
        """Write a register of meter 1..4."""
        self._hardware.spi(meter - 1, address << 16 | word)

    def _start_meter(self, meter: int) -> None:
        """Start a meter as the public drivers do (facts 3.6.1); the checksums are the ones the chip computes."""
        words = UNCALIBRATED | self._nvs.calibration.get(meter, {})
        self.write_meter(meter, 0x00, 0x789A)
        self.write_meter(meter, 0x02, FUNC_EN)
        for start, block, checksum in ((0x20, METERING, 0x2C), (0x30, MEASUREMENT, 0x3B)):
            self.write_meter(meter, start, 0x5678)
            for address in block:
                self.write_meter(meter, address, words[address])
            self.write_meter(meter, checksum, self.read_meter(meter, checksum))
            self.write_meter(meter, start, 0x8765)
        status = self.read_meter(meter, 0x01)
        healthy = self.read_meter(meter, 0x02) == FUNC_EN and not status & 0xF000
        self._readings[meter - 1].healthy = healthy
        if not healthy:
            self._log("meter", f"U{meter} does not answer as it should (status 0x{status:04X})", "E")

    def _poll(self) -> Generator[simpy.Event, None, None]:
        polls = 0
        while True:
            for meter in range(1, 5):
                yield self._env.timeout(METER_GAP_S)
                if not self._alive:
                    return
                self._poll_meter(meter)
            polls += 1
            if polls % 60 == 0:
                for minutes in self._minutes:
                    minutes.append(0.0)
            yield self._env.timeout(POLL_S - 4 * METER_GAP_S)
            if not self._alive:
                return

    def _poll_meter(self, meter: int) -> None:
        reading = self._readings[meter - 1]
        if self.read_meter(meter, 0x02) != FUNC_EN:
            self._start_meter(meter)  # the meter was reset, or does not answer
            if not reading.healthy:
                return
        read = self.read_meter
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

    def calibration(self, meter: int) -> dict[str, int]:
        """Return what is stored for a meter, {"21": word, ...}; the firmware's own set when nothing is."""
        words = UNCALIBRATED | self._nvs.calibration.get(meter, {})
        return {f"{address:02X}": word for address, word in sorted(words.items())}

    def store_calibration(self, meter: int, words: dict[int, int]) -> None:
        """Keep words in flash and load them into the meter."""
        self._nvs.calibration[meter] = self._nvs.calibration.get(meter, {}) | words
        self._start_meter(meter)

    # -- relays ------------------------------------------------------------------------------------------------------

    def switch(self, number: int, on: bool, source: str) -> None:
        """Command switch 0..3: one pulse on SET or RESET, whatever it was."""
        self._nvs.outputs[number] = on
        self._source[number] = source
        self.pulse(f"K{number + 1}.{'SET' if on else 'RESET'}", PULSE_S)

    def pulse(self, coil: str, duration_s: float) -> None:
        """Queue a pulse: one coil at a time, with a dead time after each."""
        self._queue.append((coil, duration_s))
        if not self._wake.triggered:
            self._wake.succeed()

    def _pulses(self) -> Generator[simpy.Event, None, None]:
        while self._alive:
            if not self._queue:
                self._wake = self._env.event()
                yield self._wake
                continue
            coil, duration_s = self._queue.popleft()
            self._hardware.coil(coil, True)
            yield self._env.timeout(duration_s)
            if not self._alive:
                return
            self._hardware.coil(coil, False)
            self._log("relay", f"{coil} {duration_s * 1e3:.0f} ms")
            yield self._env.timeout(DEAD_TIME_S)

    # -- status ------------------------------------------------------------------------------------------------------

    def later(self, delay_s: float, action: Callable[[], None]) -> None:
        """Do action after delay_s, if this life still goes on."""
        self._env.timeout(delay_s).callbacks.append(lambda _: action() if self._alive else None)

    def reboot(self) -> None:
        """Reset by software."""
        self._hardware.restart(0xC)

    def uptime_s(self) -> int:
        """Return whole seconds since reset."""
        return int(self._env.now - self._started_s)

    def device_info(self) -> dict[str, Any]:
        """Return Shelly.GetDeviceInfo."""
        return {
            "name": None, "id": self.device_id, "mac": self.mac, "slot": 0, "model": "SP-4", "gen": 2,
            "fw_id": BUILD, "ver": VERSION, "app": "SmartPower", "auth_en": False, "auth_domain": None,
        }  # fmt: skip

    def identity(self) -> dict[str, str]:
        """Return Factory.Identity."""
        who = self._who
        return {
            "serial": who["serial"],
            "board": "smart-power",
            "revision": who["revision"],
            "firmware": VERSION,
            "build": BUILD,
        }

    def sys_status(self) -> dict[str, Any]:
        """Return Sys.GetStatus."""
        return {
            "mac": self.mac, "restart_required": False, "time": None, "unixtime": None, "uptime": self.uptime_s(),
            "ram_size": 327680, "ram_free": 186420, "fs_size": 1048576, "fs_free": 802816, "cfg_rev": 1, "kvs_rev": 0,
            "reset_reason": self._reason, "available_updates": {},
        }  # fmt: skip

    def switch_status(self, number: int) -> dict[str, Any]:
        """Return Switch.GetStatus."""
        reading = self._readings[number]
        minutes = list(self._minutes[number])
        return {
            "id": number, "source": self._source[number], "output": self._nvs.outputs[number],
            "apower": round(reading.power_w, 2) + 0.0, "voltage": reading.voltage_v, "current": reading.current_a,
            "pf": reading.factor, "freq": reading.frequency_hz,
            "aenergy": {
                "total": round(self._nvs.energy_wh[number], 3),
                "by_minute": [round(value, 3) for value in reversed(minutes[:3])],
                "minute_ts": self.uptime_s() // 60 * 60,
            },
            "temperature": {key: value for key, value in self.temperature_status().items() if key != "id"},
            "errors": [] if reading.healthy else ["meter"],
        }  # fmt: skip

    def switch_config(self, number: int) -> dict[str, Any]:
        """Return Switch.GetConfig."""
        default = {"id": number, "name": None, "in_mode": "detached", "initial_state": "restore_last"}
        return default | self._nvs.config.get(number, {})

    def set_switch_config(self, number: int, config: dict[str, Any]) -> None:
        """Keep a switch's configuration in flash."""
        kept = json.loads(json.dumps(config)) | {"id": number}
        self._nvs.config[number] = self._nvs.config.get(number, {}) | kept

    def reset_counters(self, number: int) -> dict[str, Any]:
        """Return the energy so far and begin again."""
        total = self._nvs.energy_wh[number]
        self._nvs.energy_wh[number] = 0.0
        return {"aenergy": {"total": round(total, 3)}}

    def temperature_status(self) -> dict[str, Any]:
        """Return Temperature.GetStatus from the NTC: 10 kohm, B 3950, 10 kohm to 3.3 V (facts 6.1)."""
        millivolts = min(3299.0, max(1.0, self._hardware.ntc_mv()))
        ohm = 10e3 * millivolts / (3300 - millivolts)
        temp_c = 1 / (1 / 298.15 + math.log(ohm / 10e3) / 3950) - 273.15
        return {"id": 100, "tC": round(temp_c, 1), "tF": round(temp_c * 1.8 + 32, 1)}

    def ntc_raw(self) -> dict[str, float]:
        """Return Factory.NtcRaw."""
        millivolts = self._hardware.ntc_mv()
        return {"raw": round(millivolts / 3300 * 4096), "mv": round(millivolts, 1)}
