"""Keysight InfiniiVision DSO-X 3024T oscilloscope, four channels, over HiSLIP. Its record is what the bench really did.

Ref: InfiniiVision 3000T X-Series programmer's guide (facts, instruments 3.5; PyMeasure's DSOX1102G driver). Accuracy,
unverified: DC gain 2 % of full scale, offset 0.1 division + 2 mV, time base 1.6 ppm. The inputs are wired 1:1.
"""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hil.sim.instruments.dsox_front import CHANNELS, SOURCES, DsoxFront
from hil.sim.instruments.dsox_screen import draw
from hil.sim.instruments.scope_acquisition import (
    CODES_ON_SCREEN,
    WORD_STEP,
    Acquirer,
    Front,
    Record,
    Settings,
    digitise,
    points_for,
)
from hil.sim.instruments.scope_measure import NAMES, measure
from hil.sim.scpi import scpi
from hil.sim.scpi_syntax import Call, ScpiError, definite_block

if TYPE_CHECKING:
    from hil.sim.bench import Bench
    from hil.sim.world import World

INVALID = "+9.9E+37"
SCREEN_POINTS, MEMORY_POINTS = 62500, 2_000_000  # [A] of the measurement record, and with all four channels on
SAMPLE_HZ = 2.5e9
REFERENCE = {"LEFT": 0.1, "CENT": 0.5, "RIGH": 0.9}  # of the screen
BLOCKED_S = 1.0  # bench time that passes while a command waits for a trigger nobody has announced
SLOPES = {"POS": (True,), "NEG": (False,), "EITH": (True, False), "ALT": (True, False)}
TYPES = {"NORM": 0, "PEAK": 1, "AVER": 2, "HRES": 3}


class KeysightDsox(DsoxFront):
    """A four-channel scope with an eight-bit converter."""

    ROLE = "Scope"
    MODEL = "Keysight DSO-X 3024T"
    IDENTITY = "KEYSIGHT TECHNOLOGIES,DSO-X 3024T,MY58104237,07.40.2021031200"
    RESET_S = 0.5  # [A]

    def __init__(self, world: World, bench: Bench) -> None:
        super().__init__(world, bench)
        self._acquirer = Acquirer(world, bench)
        self._acquirer.before_forgotten = self._keep
        self._kept: dict[tuple[int, int, int], NDArray[np.int64]] = {}
        self._fronts: dict[int, Front] = {}
        self._gains = {n: self.drawn(0.02) for n in CHANNELS}
        self._offsets = {n: (self.drawn(0.1 / 8.0), self.drawn(0.002)) for n in CHANNELS}
        self._timebase_error = self.drawn(1.6e-6)
        self._digitising = False
        for name, short in NAMES:
            self.hang(f":MEASure:{name}?", partial(self._measure, short), most=3)
            self.hang(f":MEASure:{name}", self._ignored, most=3)  # puts it on the screen
        self._start("RUN")

    # -- acquiring -------------------------------------------------------------------------------------------------

    def _settings(self) -> Settings:
        source = self.get("source")
        n = int(source[-1]) if source[-1].isdigit() else None
        slopes: tuple[bool, ...] = SLOPES[self.get("slope")]
        if n is not None and self.get("invert", n):
            slopes = tuple(not rising for rising in slopes)
        level_v = self.value_of("level", n, 0.0) / self.probe(n) if n is not None else 0.0
        return Settings(
            start_s=self.get("position_s") - REFERENCE[self.get("reference")] * self.span_s,
            duration_s=self.span_s * (1.0 + self._timebase_error),
            source=n,
            level_v=-level_v if n is not None and self.get("invert", n) else level_v,
            slopes=slopes,
            auto=self.get("sweep") == "AUTO",
        )

    def _start(self, state: str) -> None:
        self._kept.clear()
        self._fronts = {n: self._front(n) for n in CHANNELS}
        self._acquirer.start(state, self._settings())

    def front_changed(self) -> None:
        """Begin again with the new settings; a stopped scope keeps its record as it is."""
        if self._acquirer.state == "SING":
            self._acquirer.update()
        if self._acquirer.state != "STOP":
            self._start(self._acquirer.state)

    @scpi(":RUN", most=0)
    def _run(self, call: Call) -> None:
        self._start("RUN")

    @scpi(":SINGle", most=0)
    def _single(self, call: Call) -> None:
        self._start("SING")

    @scpi(":STOP", most=0)
    def _stop(self, call: Call) -> None:
        self._digitising = False
        self._acquirer.stop()

    @scpi(":DIGitize", most=4)
    def _digitize(self, call: Call) -> None:
        """Acquire once; every later command waits until it is done."""
        named = [call.choice(index, SOURCES[:4]) for index in range(len(call.args))]
        for n in CHANNELS if named else ():
            self.put("display", f"CHAN{n}" in named, n)
        self._start("SING")
        self._digitising = True

    @scpi(":TRIGger:FORCe", most=0)
    async def _force(self, call: Call) -> None:
        self._acquirer.force()

    async def trigger(self) -> None:
        """*TRG is :DIGitize without parameters."""
        self._start("SING")
        self._digitising = True

    async def before(self, call: Call, words: tuple[str, ...]) -> None:
        if self._digitising and words[0] not in {"STOP", "*RST"}:
            await self.finish()

    async def finish(self) -> None:
        """Wait for the acquisition that was asked for; only its trigger, :STOP from elsewhere or a clear ends this."""
        if self._acquirer.state == "SING":
            given_up_s = self.world.now_s + BLOCKED_S
            while not self._acquirer.complete():
                await self._pass_time(given_up_s)
        self._digitising = False

    async def _pass_time(self, given_up_s: float) -> None:
        next_s = self._acquirer.next_s()
        if next_s is not None and next_s > self.world.now_s:
            await self.world.wait_until(next_s)
        elif self.world.real_time or self.world.now_s < given_up_s:
            await self.world.wait(0.01)
        else:
            await asyncio.sleep(0.002)  # bench time is for others to advance now

    async def abort(self) -> None:
        self._digitising = False

    async def reset(self) -> None:
        self._digitising = False
        self._start("RUN")

    @scpi(":OPERegister:CONDition?")
    def _operation(self, call: Call) -> str:
        """Answer bit 3 while it runs and bit 5 while it waits for the trigger."""
        waiting = self._acquirer.waits_for_trigger()
        return f"{(0x08 if self._acquirer.state != 'STOP' else 0) | (0x20 if waiting else 0):+d}"

    @scpi(":RSTate?")
    def _run_state(self, call: Call) -> str:
        self._acquirer.update()
        return self._acquirer.state

    @scpi(":AER?")
    def _armed_event(self, call: Call) -> str:
        self._acquirer.update()
        armed, self._acquirer.armed_events = self._acquirer.armed_events, 0
        return f"{armed:+d}"

    @scpi(":TER?")
    def _trigger_event(self, call: Call) -> str:
        self._acquirer.update()
        triggered, self._acquirer.trigger_events = self._acquirer.trigger_events, 0
        return f"{triggered:+d}"

    @scpi(":AUToscale", most=4)
    def _autoscale(self, call: Call) -> None:
        self._start("RUN")

    @scpi(":SYSTem:PRESet", most=0)
    async def _preset(self, call: Call) -> None:
        self.values.clear()
        await self.reset()

    @scpi(":SYSTem:HEADer", ":SYSTem:DSP", most=1)
    def _ignored(self, call: Call) -> None:
        """Accept what changes nothing on this side of the wire."""

    # -- the record ------------------------------------------------------------------------------------------------

    def _record(self) -> Record:
        self._acquirer.update()
        record = self._acquirer.record
        if record is None or self._acquirer.state == "SING":
            raise ScpiError(-230)
        return record

    def _front(self, n: int) -> Front:
        """Return a channel's input as it is set now."""
        probe, range_v = self.probe(n), self.range_v(n) / self.probe(n)
        return Front(
            range_v=range_v,
            center_v=self.get("offset_v", n) / probe,
            gain=self._gains[n],
            offset_v=self._offsets[n][0] * range_v + self._offsets[n][1],
            ac=self.get("coupling", n) == "AC",
            inverted=self.get("invert", n),
            high_resolution=self.get("acquire_type") in {"HRES", "AVER"},
        )

    def _codes(self, record: Record, n: int, points: int) -> NDArray[np.int64]:
        key = (record.number, n, points)
        if key not in self._kept:
            self._kept = {k: codes for k, codes in self._kept.items() if k[0] == record.number}
            self._kept[key] = digitise(self.world, self.bench, record, n, self._fronts[n], points)
        return self._kept[key]

    def _keep(self, record: Record) -> None:
        """Sample what is displayed while the bench still remembers it."""
        if self._acquirer.record is record:
            for n in CHANNELS:
                if self.get("display", n):
                    self._codes(record, n, self._points())

    def _most_points(self) -> int:
        most = SCREEN_POINTS if self.get("points_mode") == "NORM" else MEMORY_POINTS
        return max(100, int(min(most, self.span_s * SAMPLE_HZ)))

    def _points(self) -> int:
        return points_for(self.values.get(("points", ()), 1000), self._most_points())

    @scpi(":WAVeform:POINts", most=2)
    def _set_points(self, call: Call) -> None:
        if call.has(1):
            self.put("points_mode", call.choice(1, ("NORMal", "MAXimum", "RAW")))
        self.put("points", call.number(0, 100, 8_000_000))

    @scpi(":WAVeform:POINts?", most=1)
    def _point_count(self, call: Call) -> str:
        return f"{self._most_points() if call.has(0) else self._points():+d}"

    @scpi(":ACQuire:POINts?")
    def _acquired_points(self, call: Call) -> str:
        return f"{int(min(MEMORY_POINTS, self.span_s * SAMPLE_HZ)):+d}"

    @scpi(":ACQuire:SRATe?", most=1)
    def _sample_rate(self, call: Call) -> str:
        return f"{min(SAMPLE_HZ, MEMORY_POINTS / self.span_s):+.8E}"

    def _wave_channel(self) -> int:
        return int(self.get("wave_source")[-1])

    def _origin_s(self) -> float:
        """Return the time of the first point from the trigger."""
        return self._acquirer.settings.start_s

    def _step_s(self) -> float:
        """Return the time between two points, by the scope's own clock."""
        return self._acquirer.settings.duration_s / (1.0 + self._timebase_error) / self._points()

    def _scaling(self, n: int) -> tuple[float, float, int]:
        """Return volts a code, volts at the reference code, and the reference code, for the format that is set."""
        front, probe = self._fronts[n], self.probe(n)
        step_v = front.range_v / CODES_ON_SCREEN * probe
        reference = 128 if self.get("unsigned") else 0
        if self.get("format") == "BYTE":
            return step_v, front.center_v * probe, reference
        return step_v / WORD_STEP, front.center_v * probe, reference * WORD_STEP

    @scpi(":WAVeform:PREamble?")
    def _preamble(self, call: Call) -> str:
        n = self._wave_channel()
        points = self._points()
        step_v, origin_v, reference = self._scaling(n)
        count = round(self.get("acquire_count")) if self.get("acquire_type") == "AVER" else 1
        kind = {"BYTE": 0, "WORD": 1, "ASC": 4}[self.get("format")]
        return (
            f"{kind:+d},{TYPES[self.get('acquire_type')]:+d},{points:+d},{count:+d},{self._step_s():+.8E},"
            f"{self._origin_s():+.8E},+0,{step_v:+.8E},{origin_v:+.8E},{reference:+d}"
        )

    @scpi(":WAVeform:XINCrement?")
    def _x_increment(self, call: Call) -> str:
        return f"{self._step_s():+.8E}"

    @scpi(":WAVeform:XORigin?")
    def _x_origin(self, call: Call) -> str:
        return f"{self._origin_s():+.8E}"

    @scpi(":WAVeform:YINCrement?")
    def _y_increment(self, call: Call) -> str:
        return f"{self._scaling(self._wave_channel())[0]:+.8E}"

    @scpi(":WAVeform:YORigin?")
    def _y_origin(self, call: Call) -> str:
        return f"{self._scaling(self._wave_channel())[1]:+.8E}"

    @scpi(":WAVeform:YREFerence?")
    def _y_reference(self, call: Call) -> str:
        return f"{self._scaling(self._wave_channel())[2]:+d}"

    @scpi(":WAVeform:DATA?")
    def _data(self, call: Call) -> bytes:
        """Answer the record as a definite block: bytes, words or text."""
        record, n = self._record(), self._wave_channel()
        codes = self._codes(record, n, self._points())
        if self.get("format") == "ASC":
            volts = self._volts(n, codes)
            return definite_block(",".join(f"{value:.6E}" for value in volts).encode())
        if self.get("format") == "BYTE":
            codes = codes // WORD_STEP - (0 if self.get("unsigned") else 128)
            return definite_block(codes.astype(np.uint8 if self.get("unsigned") else np.int8).tobytes())
        codes = codes - (0 if self.get("unsigned") else 128 * WORD_STEP)
        order = ">" if self.get("order") == "MSBF" else "<"
        return definite_block(codes.astype(order + ("u2" if self.get("unsigned") else "i2")).tobytes())

    def _volts(self, n: int, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        front, probe = self._fronts[n], self.probe(n)
        return ((codes / WORD_STEP - 128.0) * (front.range_v / CODES_ON_SCREEN) + front.center_v) * probe

    @scpi(":DISPlay:DATA?", most=3)
    def _screen(self, call: Call) -> bytes:
        """Answer a picture of the screen; only PNG, and without a record only the grid."""
        if call.has(0) and call.text(0).upper() != "PNG":
            raise ScpiError(-224)
        self._acquirer.update()
        record = self._acquirer.record
        shown = [n for n in CHANNELS if record is not None and self.get("display", n)]
        traces = {}
        for n in shown:
            assert record is not None
            volts = self._volts(n, self._codes(record, n, 1000))
            traces[n] = (volts - self.get("offset_v", n)) / self.range_v(n) * 8.0
        return definite_block(draw(traces))

    @scpi(":SYSTem:SETup?")
    def _setup(self, call: Call) -> bytes:
        """Answer the settings as a block that nobody but this scope needs to understand."""
        values = [[name, list(suffixes), value] for (name, suffixes), value in self.values.items()]
        return definite_block(json.dumps(values).encode())

    @scpi(":SYSTem:SETup", most=999)
    def _restore_setup(self, call: Call) -> None:
        text = ",".join(call.args)
        try:
            digits = int(text[1])
            restored = json.loads(text[2 + digits :])
        except (ValueError, IndexError) as error:
            raise ScpiError(-161) from error
        self.values = {(name, tuple(suffixes)): value for name, suffixes, value in restored}
        self.front_changed()

    # -- measurements ----------------------------------------------------------------------------------------------

    def _measure(self, name: str, call: Call) -> str:
        named = [text for text in call.args if text.upper().startswith("CHAN")]
        n = int(named[-1][-1]) if named and named[-1][-1].isdigit() else int(self.get("measure_source")[-1])
        if n not in CHANNELS:
            raise ScpiError(-224)
        try:
            record = self._record()
        except ScpiError:
            return INVALID  # nothing acquired: no value, and no error either
        if not self.get("display", n):
            return INVALID
        points = min(SCREEN_POINTS, self._most_points())
        codes = self._codes(record, n, points)
        clipped = bool((codes <= WORD_STEP).any() or (codes >= 255 * WORD_STEP).any())
        value = measure(name, self._volts(n, codes), record.duration_s / points, clipped, self.range_v(n))
        return INVALID if value is None else f"{value:+.5E}"
