"""The front panel of a Keysight InfiniiVision DSO-X 3024T: channels, time base and trigger level.

Ref: InfiniiVision 3000T X-Series programmer's guide, :CHANnel, :TIMebase and :TRIGger (facts, instruments 3.5;
PyMeasure's DSOX1102G driver).
"""

from __future__ import annotations

from typing import Any, ClassVar

from hil.sim.scpi import ChoiceSetting, NumberSetting, ScpiErrorQueue, ScpiInstrument, SwitchSetting, scpi
from hil.sim.scpi_syntax import Call, ScpiError

CHANNELS = (1, 2, 3, 4)
SOURCES = ("CHANnel1", "CHANnel2", "CHANnel3", "CHANnel4", "EXTernal", "LINE")


class DsoxFront(ScpiErrorQueue, ScpiInstrument):
    """What a user sets on the scope; a change that matters to a running acquisition calls `front_changed`."""

    SUFFIXES: ClassVar = dict.fromkeys(
        ("offset_v", "coupling", "impedance", "display", "limit", "invert", "units", "probe", "skew_s"), (1, 4)
    )
    SETTINGS: ClassVar = (
        NumberSetting("offset_v", ":CHANnel#:OFFSet", 0.0, -400.0, 400.0, "V", "{:+.5E}"),
        ChoiceSetting("coupling", ":CHANnel#:COUPling", "DC", ("AC", "DC")),
        ChoiceSetting("impedance", ":CHANnel#:IMPedance", "ONEM", ("ONEMeg", "FIFTy")),
        SwitchSetting("display", ":CHANnel#:DISPlay", True),
        SwitchSetting("limit", ":CHANnel#:BWLimit", False),
        SwitchSetting("invert", ":CHANnel#:INVert", False),
        ChoiceSetting("units", ":CHANnel#:UNITs", "VOLT", ("VOLT", "AMPere")),
        NumberSetting("skew_s", ":CHANnel#:PROBe:SKEW", 0.0, -1e-7, 1e-7, "S", "{:+.2E}"),
        ChoiceSetting("timebase_mode", ":TIMebase:MODE", "MAIN", ("MAIN", "WINDow", "XY", "ROLL")),
        NumberSetting("position_s", ":TIMebase:POSition", 0.0, -500.0, 500.0, "S", "{:+.8E}"),
        ChoiceSetting("reference", ":TIMebase:REFerence", "CENT", ("LEFT", "CENTer", "RIGHt")),
        ChoiceSetting("acquire_type", ":ACQuire:TYPE", "NORM", ("NORMal", "AVERage", "HRESolution", "PEAK")),
        ChoiceSetting("acquire_mode", ":ACQuire:MODE", "RTIM", ("RTIMe", "SEGMented")),
        NumberSetting("acquire_count", ":ACQuire:COUNt", 8, 2, 65536, "", "{:+.0f}"),
        NumberSetting("acquire_complete", ":ACQuire:COMPlete", 100, 100, 100, "", "{:+.0f}"),
        ChoiceSetting("trigger_mode", ":TRIGger:MODE", "EDGE", ("EDGE",)),  # other modes are not modelled: refused
        ChoiceSetting("sweep", ":TRIGger:SWEep", "AUTO", ("AUTO", "NORMal")),
        ChoiceSetting("source", ":TRIGger[:EDGE]:SOURce", "CHAN1", SOURCES),
        ChoiceSetting("slope", ":TRIGger[:EDGE]:SLOPe", "POS", ("POSitive", "NEGative", "EITHer", "ALTernate")),
        ChoiceSetting("trigger_coupling", ":TRIGger[:EDGE]:COUPling", "DC", ("AC", "DC", "LFReject")),
        ChoiceSetting("reject", ":TRIGger[:EDGE]:REJect", "OFF", ("OFF", "LFReject", "HFReject")),
        SwitchSetting("noise_reject", ":TRIGger:NREJect", False),
        SwitchSetting("high_reject", ":TRIGger:HFReject", False),
        NumberSetting("holdoff_s", ":TRIGger:HOLDoff", 4e-8, 4e-8, 10.0, "S", "{:+.2E}"),
        ChoiceSetting("wave_source", ":WAVeform:SOURce", "CHAN1", SOURCES[:4]),
        ChoiceSetting("format", ":WAVeform:FORMat", "BYTE", ("BYTE", "WORD", "ASCii")),
        ChoiceSetting("order", ":WAVeform:BYTeorder", "MSBF", ("LSBFirst", "MSBFirst")),
        SwitchSetting("unsigned", ":WAVeform:UNSigned", True),
        ChoiceSetting("points_mode", ":WAVeform:POINts:MODE", "NORM", ("NORMal", "MAXimum", "RAW")),
        ChoiceSetting("measure_source", ":MEASure:SOURce", "CHAN1", SOURCES[:4]),
    )

    def front_changed(self) -> None:
        """Do what a running acquisition needs after a change of channel, time base or trigger."""

    async def changed(self, name: str, value: Any, suffixes: tuple[int, ...]) -> None:
        if not name.startswith(("wave_", "format", "order", "unsigned", "points", "measure_")):
            self.front_changed()

    def value_of(self, name: str, n: int, default: float) -> float:
        return float(self.values.get((name, (n,)), default))

    def probe(self, n: int) -> float:
        """Return the probe factor the channel is set to; the wires are 1:1 whatever it is."""
        return self.value_of("probe", n, 1.0)

    def range_v(self, n: int) -> float:
        """Return the channel's full scale of eight divisions, in volts at the probe tip."""
        return self.value_of("range", n, 40.0 * self.probe(n))

    # -- channels and time base ------------------------------------------------------------------------------------

    def _channel(self, call: Call) -> int:
        if call.suffixes[0] not in CHANNELS:
            raise ScpiError(-114)
        return call.suffixes[0]

    @scpi(":CHANnel#:RANGe")
    def _set_range(self, call: Call) -> None:
        n = self._channel(call)
        self.put("range", call.number(0, 0.008 * self.probe(n), 40.0 * self.probe(n), "V"), n)
        self.front_changed()

    @scpi(":CHANnel#:RANGe?")
    def _range(self, call: Call) -> str:
        return f"{self.range_v(self._channel(call)):+.2E}"

    @scpi(":CHANnel#:SCALe")
    def _set_scale(self, call: Call) -> None:
        n = self._channel(call)
        self.put("range", 8.0 * call.number(0, 0.001 * self.probe(n), 5.0 * self.probe(n), "V"), n)
        self.front_changed()

    @scpi(":CHANnel#:SCALe?")
    def _scale(self, call: Call) -> str:
        return f"{self.range_v(self._channel(call)) / 8.0:+.2E}"

    @scpi(":CHANnel#:PROBe")
    def _set_probe(self, call: Call) -> None:
        """Set the probe factor; range and offset are multiplied by the change."""
        n = self._channel(call)
        factor = call.number(0, 0.1, 10000.0)
        change = factor / self.probe(n)
        self.put("range", self.range_v(n) * change, n)
        self.put("offset_v", self.get("offset_v", n) * change, n)
        self.put("probe", factor, n)
        self.front_changed()

    @scpi(":CHANnel#:PROBe?")
    def _probe(self, call: Call) -> str:
        return f"{self.probe(self._channel(call)):+.2E}"

    @scpi(":CHANnel#:LABel")
    def _set_label(self, call: Call) -> None:
        self.put("label", call.string(0)[:32], self._channel(call))

    @scpi(":CHANnel#:LABel?")
    def _label(self, call: Call) -> str:
        n = self._channel(call)
        return f'"{self.values.get(("label", (n,)), n)}"'

    @scpi(":CHANnel#?")
    def _channel_setup(self, call: Call) -> str:
        n = self._channel(call)
        label = self.values.get(("label", (n,)), n)
        return (
            f":CHAN{n}:RANG {self.range_v(n):+.2E};OFFS {self.get('offset_v', n):+.5E};COUP {self.get('coupling', n)};"
            f"IMP {self.get('impedance', n)};DISP {int(self.get('display', n))};BWL {int(self.get('limit', n))};"
            f'INV {int(self.get("invert", n))};LAB "{label}";UNIT {self.get("units", n)};PROB {self.probe(n):+.2E};'
            f"PROB:SKEW {self.get('skew_s', n):+.2E};STYP SING"
        )

    @property
    def span_s(self) -> float:
        """The time base's full scale of ten divisions."""
        return float(self.values.get(("span", ()), 1e-3))

    @scpi(":TIMebase[:MAIN]:RANGe")
    def _set_span(self, call: Call) -> None:
        self.put("span", call.number(0, 2e-8, 500.0, "S"))
        self.front_changed()

    @scpi(":TIMebase[:MAIN]:RANGe?")
    def _span(self, call: Call) -> str:
        return f"{self.span_s:+.2E}"

    @scpi(":TIMebase:SCALe")
    def _set_time_scale(self, call: Call) -> None:
        self.put("span", 10.0 * call.number(0, 2e-9, 50.0, "S"))
        self.front_changed()

    @scpi(":TIMebase:SCALe?")
    def _time_scale(self, call: Call) -> str:
        return f"{self.span_s / 10.0:+.2E}"

    @scpi(":TIMebase?")
    def _timebase(self, call: Call) -> str:
        return (
            f":TIM:MODE {self.get('timebase_mode')};REF {self.get('reference')};MAIN:RANG {self.span_s:+.2E};"
            f"POS {self.get('position_s'):+.1E}"
        )

    @scpi(":TRIGger[:EDGE]:LEVel", most=2)
    def _set_level(self, call: Call) -> None:
        n = self._trigger_channel(call, 1)
        top_v = 0.75 * self.range_v(n)
        center_v = self.get("offset_v", n)
        self.put("level", call.number(0, center_v - top_v, center_v + top_v, "V"), n)
        self.front_changed()

    @scpi(":TRIGger[:EDGE]:LEVel?", most=1)
    def _level(self, call: Call) -> str:
        return f"{self.value_of('level', self._trigger_channel(call, 0), 0.0):+.2E}"

    def _trigger_channel(self, call: Call, index: int) -> int:
        source = call.choice(index, SOURCES) if call.has(index) else self.get("source")
        return int(source[-1]) if source[-1].isdigit() else 1
