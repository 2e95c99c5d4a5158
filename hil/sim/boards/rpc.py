"""The firmware's methods: JSON-RPC in the Shelly Gen2 convention, and our own Factory namespace.

Ref: Shelly Gen2 API, RPC protocol and common errors (facts smart-power 6.5). Factory.* is documented nowhere else.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from hil.sim.boards.wifi import SSID

if TYPE_CHECKING:
    from hil.sim.boards.firmware import Firmware

BAD_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION, NO_HANDLER, UNAVAILABLE = -103, -105, -109, 404, -114
MAX_COIL_PULSE_MS = 1000
MAX_CURRENT_LIMIT_A = 16.0  # [A]

DHCP = {"ipv4mode": "dhcp", "ip": None, "netmask": None, "gw": None, "nameserver": None}

Params = dict[str, Any]


class RpcError(Exception):
    """An error that the caller gets as an answer."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code, self.message = code, message


class RpcServer:
    """Answers requests out of the firmware's state."""

    def __init__(self, firmware: Firmware) -> None:
        self._firmware = firmware
        self._methods: dict[str, Callable[[Params], Any]] = {
            "Shelly.GetDeviceInfo": lambda p: firmware.device_info(),
            "Shelly.GetStatus": lambda p: self._status(),
            "Shelly.GetConfig": lambda p: self._config(),
            "Shelly.GetComponents": self._components,
            "Shelly.ListMethods": lambda p: {"methods": sorted(self._methods)},
            "Shelly.Reboot": self._reboot,
            "Switch.Set": self._switch_set,
            "Switch.Toggle": lambda p: self._switch(self._id(p), not firmware.outputs[self._id(p)]),
            "Switch.GetStatus": lambda p: firmware.switch_status(self._id(p)),
            "Switch.GetConfig": lambda p: firmware.switch_config(self._id(p)),
            "Switch.SetConfig": self._switch_set_config,
            "Switch.ResetCounters": lambda p: firmware.reset_counters(self._id(p)),
            "Sys.GetStatus": lambda p: firmware.sys_status(),
            "Sys.GetConfig": lambda p: self._config()["sys"],
            "Wifi.GetConfig": lambda p: self._config()["wifi"],
            "Eth.GetConfig": lambda p: self._config()["eth"],
            "Temperature.GetConfig": lambda p: self._config()["temperature:100"],
            "Wifi.GetStatus": lambda p: firmware.wifi.status(),
            "Eth.GetStatus": lambda p: firmware.ethernet_status(),
            "Temperature.GetStatus": lambda p: firmware.temperature_status(),
            "Factory.Identity": lambda p: firmware.identity(),
            "Factory.MeterRead": self._meter_read,
            "Factory.MeterWrite": self._meter_write,
            "Factory.CoilPulse": self._coil_pulse,
            "Factory.Led": self._led,
            "Factory.Buzzer": self._buzzer,
            "Factory.NtcRaw": lambda p: firmware.ntc_raw(),
            "Factory.Trips": lambda p: firmware.protection.thresholds(),
            "Factory.Rearm": self._rearm,
            "Factory.Inputs": lambda p: firmware.inputs(),
            "Factory.CalStore": self._cal_store,
            "Factory.CalGet": self._cal_get,
        }

    # -- carriers ----------------------------------------------------------------------------------------------------

    def answer(self, request: Any) -> dict[str, Any]:
        """Answer one request frame {id, src, method, params} with {id, src, dst, result | error}."""
        frame = request if isinstance(request, dict) else {}
        reply: dict[str, Any] = {"id": frame.get("id"), "src": self._firmware.device_id}
        if "src" in frame:
            reply["dst"] = frame["src"]
        try:
            if not isinstance(frame.get("method"), str):
                raise RpcError(BAD_ARGUMENT, "Missing required argument 'method'!")
            reply["result"] = self.call(frame["method"], frame.get("params"))
        except RpcError as error:
            reply["error"] = {"code": error.code, "message": error.message}
        return reply

    def call(self, method: str, params: Any) -> Any:
        """Do one method; raises RpcError."""
        handler = self._methods.get(method)
        if handler is None:
            raise RpcError(NO_HANDLER, f"No handler for {method}")
        if params is not None and not isinstance(params, dict):
            raise RpcError(BAD_ARGUMENT, "Argument 'params' is not an object!")
        return handler(params or {})

    def http(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        """Answer one HTTP request: POST /rpc, GET or POST /rpc/Method, GET /shelly."""
        try:
            url = urlsplit(target)
        except ValueError:
            return 404, _json({"code": NO_HANDLER, "message": "No handler"})
        path = url.path.rstrip("/")
        try:
            sent = json.loads(body) if body else None
        except (ValueError, RecursionError):
            return 400, _json({"code": BAD_ARGUMENT, "message": "Request is not JSON!"})
        if path == "/shelly" and method == "GET":
            return 200, _json(self._firmware.device_info())
        if path == "/rpc" and method == "POST":
            return 200, _json(self.answer(sent))
        if path.startswith("/rpc/") and method in ("GET", "POST"):
            try:
                params = sent if method == "POST" else {key: _value(text) for key, text in parse_qsl(url.query)}
                return 200, _json(self.call(path.removeprefix("/rpc/"), params))
            except RpcError as error:
                status = 404 if error.code == NO_HANDLER else 500
                return status, _json({"code": error.code, "message": error.message})
        return 404, _json({"code": NO_HANDLER, "message": f"No handler for {path}"})

    # -- arguments ---------------------------------------------------------------------------------------------------

    @staticmethod
    def _integer(params: Params, name: str, low: int, high: int) -> int:
        value = params.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise RpcError(BAD_ARGUMENT, f"Missing or bad argument '{name}'!")
        if not low <= value <= high:
            raise RpcError(NOT_FOUND, f"Argument '{name}', value {value} not found!")
        return value

    @staticmethod
    def _flag(params: Params, name: str) -> bool:
        value = params.get(name)
        if not isinstance(value, bool):
            raise RpcError(BAD_ARGUMENT, f"Missing or bad argument '{name}'!")
        return value

    def _id(self, params: Params) -> int:
        return self._integer(params, "id", 0, 3)

    def _meter(self, params: Params) -> int:
        return self._integer(params, "meter", 1, 4)

    # -- methods -----------------------------------------------------------------------------------------------------

    def _switch(self, number: int, on: bool, source: str = "http") -> dict[str, bool]:
        if on:
            self._refuse_while_tripped(f"Switch {number}", number)
        was_on = self._firmware.outputs[number]
        self._firmware.switch(number, on, source)
        return {"was_on": was_on}

    def _refuse_while_tripped(self, what: str, number: int) -> None:
        errors = self._firmware.protection.errors(number)
        if errors:
            raise RpcError(FAILED_PRECONDITION, f"{what} stays off, FAILED_PRECONDITION: {', '.join(errors)}")

    def _switch_set(self, params: Params) -> dict[str, bool]:
        number, on = self._id(params), self._flag(params, "on")
        after_s = params.get("toggle_after")
        if after_s is not None:
            number_given = isinstance(after_s, (int, float)) and not isinstance(after_s, bool)
            if not number_given or not 0 < after_s < math.inf:
                raise RpcError(BAD_ARGUMENT, "Missing or bad argument 'toggle_after'!")
        answer = self._switch(number, on)
        if after_s is not None:
            self._firmware.later(float(after_s), lambda: self._firmware.switch_by_timer(number, not on))
        return answer

    def _switch_set_config(self, params: Params) -> dict[str, bool]:
        config = params.get("config")
        if not isinstance(config, dict):
            raise RpcError(BAD_ARGUMENT, "Missing or bad argument 'config'!")
        limit_a = config.get("current_limit")
        if limit_a is not None:
            number_given = isinstance(limit_a, (int, float)) and not isinstance(limit_a, bool)
            if not number_given or not 0 < limit_a <= MAX_CURRENT_LIMIT_A:
                raise RpcError(BAD_ARGUMENT, f"Argument 'current_limit', value {limit_a!r} out of range!")
        self._firmware.set_switch_config(self._id(params), config)
        return {"restart_required": False}

    def _reboot(self, params: Params) -> None:
        self._firmware.later(0.5, self._firmware.reboot)

    def _meter_read(self, params: Params) -> dict[str, int]:
        meter, address = self._meter(params), self._integer(params, "address", 0, 0x7F)
        return {"meter": meter, "address": address, "value": self._firmware.metering.read(meter, address)}

    def _meter_write(self, params: Params) -> dict[str, int]:
        meter, address = self._meter(params), self._integer(params, "address", 0, 0x7F)
        value = self._integer(params, "value", 0, 0xFFFF)
        self._firmware.metering.write(meter, address, value)
        return {"meter": meter, "address": address, "value": value}

    def _coil_pulse(self, params: Params) -> dict[str, Any]:
        coil = params.get("coil")
        if not isinstance(coil, str) or coil not in self._firmware.coil_names:
            raise RpcError(NOT_FOUND, f"Argument 'coil', value {coil!r} not found!")
        duration_ms = params.get("duration_ms", 50)
        if isinstance(duration_ms, bool) or not isinstance(duration_ms, (int, float)):
            raise RpcError(BAD_ARGUMENT, "Missing or bad argument 'duration_ms'!")
        if not 0 < duration_ms <= MAX_COIL_PULSE_MS:
            raise RpcError(BAD_ARGUMENT, f"Argument 'duration_ms', value {duration_ms} out of range!")
        if coil.endswith("SET") and not coil.endswith("RESET"):
            self._refuse_while_tripped(coil, int(coil[1]) - 1)
        self._firmware.pulse(coil, duration_ms / 1e3)
        return {"coil": coil, "duration_ms": duration_ms}

    def _led(self, params: Params) -> dict[str, Any]:
        colour = params.get("colour", params.get("color"))
        if colour not in ("green", "red"):
            raise RpcError(NOT_FOUND, f"Argument 'colour', value {colour!r} not found!")
        on = self._flag(params, "on")
        self._firmware.indicate(colour, on)
        return {"colour": colour, "on": on}

    def _buzzer(self, params: Params) -> dict[str, bool]:
        on = self._flag(params, "on")
        self._firmware.indicate("buzzer", on)
        return {"on": on}

    def _rearm(self, params: Params) -> dict[str, list[str]]:
        left = self._firmware.protection.rearm()
        if left:
            raise RpcError(FAILED_PRECONDITION, f"Not cool enough to re-arm, FAILED_PRECONDITION: {', '.join(left)}")
        return {"errors": left}

    def _cal_store(self, params: Params) -> dict[str, int]:
        meter, registers = self._meter(params), params.get("registers")
        if not isinstance(registers, dict) or not registers:
            raise RpcError(BAD_ARGUMENT, "Missing or bad argument 'registers'!")
        words = {}
        for key, word in registers.items():
            address = int(key, 16) if len(key) == 2 and all(c in "0123456789abcdefABCDEF" for c in key) else -1
            if not (0x21 <= address <= 0x2B or 0x31 <= address <= 0x3A):
                raise RpcError(NOT_FOUND, f"Argument 'registers', key {key!r} not found!")
            if not isinstance(word, int) or isinstance(word, bool) or not 0 <= word <= 0xFFFF:
                raise RpcError(BAD_ARGUMENT, f"Argument 'registers', value {word!r} of {key!r} out of range!")
            words[address] = word
        self._firmware.metering.store_calibration(meter, words)
        return {"meter": meter, "stored": len(words)}

    def _cal_get(self, params: Params) -> dict[str, Any]:
        meter = self._meter(params)
        return {"meter": meter, "registers": self._firmware.metering.calibration(meter)}

    def _status(self) -> dict[str, Any]:
        firmware = self._firmware
        switches = {f"switch:{number}": firmware.switch_status(number) for number in range(4)}
        return {
            **switches,
            "sys": firmware.sys_status(),
            "wifi": self.call("Wifi.GetStatus", None),
            "eth": self.call("Eth.GetStatus", None),
            "temperature:100": firmware.temperature_status(),
        }

    def _config(self) -> dict[str, Any]:
        return {f"switch:{number}": self._firmware.switch_config(number) for number in range(4)} | {
            "sys": {
                "device": {"name": None, "mac": self._firmware.mac, "fw_id": self._firmware.device_info()["fw_id"]},
                "location": {"tz": None, "lat": None, "lon": None},
                "cfg_rev": 1,
            },
            "wifi": {"ap": {"enable": False}, "sta": {"enable": True, "ssid": SSID, **DHCP}},
            "eth": {"enable": True, **DHCP},
            "temperature:100": {"id": 100, "name": None, "report_thr_C": 5.0, "offset_C": 0.0},
        }

    def _components(self, params: Params) -> dict[str, Any]:
        """Return what there is; nothing of it can be added or removed, so that nothing is dynamic."""
        status = {} if params.get("dynamic_only") else self._status()
        config = self._config()
        found = [{"key": key, "status": status[key], "config": config.get(key, {})} for key in status]
        return {"components": found, "cfg_rev": 1, "offset": 0, "total": len(found)}


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
