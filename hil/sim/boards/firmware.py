"""The firmware as a program: boots, pulses its coils, answers RPC; its meters, trips and Wi-Fi have files of their own.

Ref: facts smart-power 6.5 (interfaces), 7.6 (boot log). It knows its pins and nothing of the circuit behind them. Its
flash (`Nvs`) outlives it.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Callable, Generator
from typing import Any

import simpy

from hil.sim.boards.channels import Channels
from hil.sim.boards.console import ConsoleFrames
from hil.sim.boards.hardware import Hardware, Nvs
from hil.sim.boards.metering import Metering
from hil.sim.boards.protection import Protection, ntc_c
from hil.sim.boards.rpc import RpcServer
from hil.sim.boards.wifi import WifiStation

VERSION, BUILD = "1.0.3", "20261114-091500/1.0.3-g7c1e5d2"
EN_RC_S = 0.010  # 10 kohm, 1 uF on EN [A]
ROM_S, SECOND_STAGE_S, APP_S = 0.002, 0.025, 0.87  # facts 7.6; the first [A]
PULSE_S = 0.050
DEAD_TIME_S = 0.065
TICK_S = 0.1  # between two looks of the application at its currents, its NTC and its Wi-Fi switch
TRIP_GAP_S = 0.005  # between the RESET pulses of a trip: no opposite coil follows, only the supply must recover [A]
DETECT_LOST_MV = 1900.0  # the detections rest at 1650 mV; mains where it should be pulls down, a lost line up [A]
RESET_NAMES = {1: "POWERON", 0xC: "RTC_SW_CPU_RST"}


class Firmware:
    """One life of the program, from reset to reset."""

    coil_names = tuple(f"K{number}.{action}" for number in range(1, 5) for action in ("SET", "RESET"))

    def __init__(
        self,
        env: simpy.Environment,
        hardware: Hardware,
        nvs: Nvs,
        who: dict[str, str],
        reason: int,
        download: bool,
        defect: Callable[[str], bool] = lambda name: False,
    ) -> None:
        self._env, self._hardware, self._nvs, self._who = env, hardware, nvs, who
        self._reason = reason
        self._alive = True
        self.running = False
        self._started_s = env.now + EN_RC_S
        self._queue: deque[tuple[str, float, float]] = deque()  # coil, pulse, pause after it
        self._wake = env.event()
        self._source = ["init"] * 4
        self.metering = Metering(env, hardware, nvs, lambda: self._alive, self._log)
        self.protection = Protection(
            env, hardware, nvs, lambda: self._alive, self.metering.currents_a, self._open_sockets, self._log, defect
        )
        self.wifi = WifiStation(lambda: env.now)
        self.mac = who["mac"]
        self.device_id = f"smartpower-{self.mac.lower()}"
        self.rpc = RpcServer(self)
        self.channels = Channels(self)
        self.frames = ConsoleFrames(lambda: env.now, hardware.transmit, self.rpc.answer)
        env.process(self._download() if download else self._boot())

    def die(self) -> None:
        """Stop: reset or power loss. The pins float."""
        self._alive = self.running = False
        self.channels.close()

    @property
    def outputs(self) -> list[bool]:
        """What was last commanded for each switch; there is no readback (DR-29)."""
        return self._nvs.outputs

    def received(self, data: bytes) -> None:
        """Take bytes that arrived on UART0."""
        if self.running:
            self.frames.feed(data)

    def http(self, method: str, path: str, body: bytes, via: str = "wifi") -> tuple[int, bytes] | None:
        """Answer over a network; None when it does not carry our frames now."""
        return self.rpc.http(method, path, body) if self.reachable(via) else None

    def reachable(self, via: str) -> bool:
        """Return whether the program has the network "wifi" or "ethernet"."""
        port = self._hardware.ethernet
        return self.running and (self.wifi.joined if via == "wifi" else port.has_mac and port.ip is not None)

    def joining(self, via: str) -> bool:
        """Return whether that network is about to carry our frames."""
        return via == "wifi" and self.running and self.wifi.joining

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
            self.metering.start(meter)
        yield env.timeout(0.02)
        if not self._alive:
            return
        self.running = True
        self._log("app", f"smart-power {VERSION} ({BUILD}), serial {self._who['serial']}")
        self._hardware.indicate("green", True)
        self._hardware.ethernet.attach()
        self.wifi.start(self._hardware.wifi_switch())
        env.process(self._pulses())
        env.process(self.metering.poll())
        self.protection.start()
        while True:
            yield env.timeout(TICK_S)
            if not self._alive:
                return
            self.protection.tick()
            self.wifi.poll(self._hardware.wifi_switch())
            self.channels.look()

    # -- relays ------------------------------------------------------------------------------------------------------

    def switch(self, number: int, on: bool, source: str) -> None:
        """Command switch 0..3: one pulse on SET or RESET, whatever it was."""
        self._nvs.outputs[number] = on
        self._source[number] = source
        self.pulse(f"K{number + 1}.{'SET' if on else 'RESET'}", PULSE_S)

    def switch_by_timer(self, number: int, on: bool) -> None:
        """Command a switch without anybody waiting for the answer: what a trip keeps open stays open."""
        if not (on and self.protection.errors(number)):
            self.switch(number, on, "timer")

    def pulse(self, coil: str, duration_s: float, pause_s: float = DEAD_TIME_S) -> None:
        """Queue a pulse: one coil at a time, with a pause after each."""
        self._queue.append((coil, duration_s, pause_s))
        if not self._wake.triggered:
            self._wake.succeed()

    def _open_sockets(self, numbers: list[int]) -> None:
        """Pulse RESET of these switches before anything else; what still waited for their relays is forgotten."""
        relays = {f"K{number + 1}" for number in numbers}
        waiting = [item for item in self._queue if item[0].partition(".")[0] not in relays]
        self._queue.clear()
        for number in numbers:
            self._nvs.outputs[number] = False
            self._source[number] = "protection"
            last = number == numbers[-1]
            self.pulse(f"K{number + 1}.RESET", PULSE_S, DEAD_TIME_S if last else TRIP_GAP_S)
        self._queue.extend(waiting)

    def _pulses(self) -> Generator[simpy.Event, None, None]:
        while self._alive:
            if not self._queue:
                self._wake = self._env.event()
                yield self._wake
                continue
            coil, duration_s, pause_s = self._queue.popleft()
            self._hardware.coil(coil, True)
            yield self._env.timeout(duration_s)
            if not self._alive:
                return
            self._hardware.coil(coil, False)
            self._log("relay", f"{coil} {duration_s * 1e3:.0f} ms")
            yield self._env.timeout(pause_s)

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
        reading = self.metering.readings[number]
        return {
            "id": number, "source": self._source[number], "output": self._nvs.outputs[number],
            "apower": round(reading.power_w, 2) + 0.0, "voltage": reading.voltage_v, "current": reading.current_a,
            "pf": reading.factor, "freq": reading.frequency_hz,
            "aenergy": {
                "total": round(self._nvs.energy_wh[number], 3),
                "by_minute": self.metering.last_minutes_mwh(number),
                "minute_ts": self.uptime_s() // 60 * 60,
            },
            "temperature": {key: value for key, value in self.temperature_status().items() if key != "id"},
            "errors": self.protection.errors(number) + ["meter"] * (not reading.healthy),
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

    def indicate(self, name: str, on: bool) -> None:
        """Drive an indicator's pin: "green", "red" or "buzzer"."""
        self._hardware.indicate(name, on)

    def inputs(self) -> dict[str, Any]:
        """Return Factory.Inputs."""
        neutral_mv, earth_mv = self._hardware.neutral_mv(), self._hardware.earth_mv()
        return {
            "neutral": neutral_mv < DETECT_LOST_MV,
            "earth": earth_mv < DETECT_LOST_MV,
            "wifi_switch": self._hardware.wifi_switch(),
            "neutral_mv": round(neutral_mv, 1),
            "earth_mv": round(earth_mv, 1),
        }

    def ethernet_status(self) -> dict[str, Any]:
        """Return Eth.GetStatus; without a MAC the program cannot ask the PHY anything."""
        port = self._hardware.ethernet
        return {"ip": port.ip, "link": port.link_led} if port.has_mac else {"ip": None, "link": None}

    def temperature_status(self) -> dict[str, Any]:
        """Return Temperature.GetStatus from the NTC."""
        temp_c = ntc_c(self._hardware.ntc_mv())
        return {"id": 100, "tC": round(temp_c, 1), "tF": round(temp_c * 1.8 + 32, 1)}

    def ntc_raw(self) -> dict[str, float]:
        """Return Factory.NtcRaw."""
        millivolts = self._hardware.ntc_mv()
        return {"raw": round(millivolts / 3300 * 4096), "mv": round(millivolts, 1)}
