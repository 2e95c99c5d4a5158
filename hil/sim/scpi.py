"""A small SCPI instrument: command tree, settings, status registers and error queue. Models inherit it.

Ref: IEEE 488.2-1992, chapters 6, 10 and 11; SCPI-1999, volumes 1 and 2
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from hil.sim.scpi_settings import ChoiceSetting, NumberSetting, Setting, SwitchSetting
from hil.sim.scpi_syntax import Call, Node, ScpiError, short_form, split_outside, split_unit

if TYPE_CHECKING:
    from hil.sim.bench import Bench
    from hil.sim.world import World

Answer = str | bytes | None
Handler = Callable[[Any, Call], "Answer | Awaitable[Answer]"]
H = TypeVar("H", bound=Callable[..., Any])

QUEUE_LENGTH = 20  # errors; 34465A manual p. 386 (facts, instruments 3)


@dataclass(frozen=True, slots=True)
class _Command:
    pattern: str
    handler: Handler
    most: int  # parameters


def scpi(*patterns: str, most: int | None = None) -> Callable[[H], H]:
    """Hang a method at these headers (manual notation); most = how many parameters it takes."""

    def mark(handler: H) -> H:
        marks: list[tuple[str, int | None]] = getattr(handler, "scpi_headers", [])
        handler.scpi_headers = [*marks, *((pattern, most) for pattern in patterns)]  # type: ignore[attr-defined]
        return handler

    return mark


class ScpiInstrument:
    """Executes messages. A model adds SETTINGS, methods marked with @scpi, and what time its actions take."""

    MODEL: ClassVar[str] = ""
    ROLE: ClassVar[str] = ""
    IDENTITY: ClassVar[str] = ""  # what *IDN? answers
    SETTINGS: ClassVar[Sequence[Setting]] = ()
    SUFFIXES: ClassVar[dict[str, tuple[int, int]]] = {}  # highest numbers of suffixes by setting name, default any
    NO_ERROR: ClassVar[str] = '+0,"No error"'
    UNKNOWN: ClassVar[frozenset[str]] = frozenset()  # common commands this model does not have
    RESET_S: ClassVar[float] = 0.1  # [A] how long *RST takes where the manual is silent

    def __init__(self, world: World, bench: Bench) -> None:
        self.world, self.bench = world, bench
        self.values: dict[tuple[str, tuple[int, ...]], Any] = {}
        self.errors: deque[tuple[int, str]] = deque()
        self.event_status = 0x80  # power on
        self.event_enable = self.service_enable = 0
        self.busy_until_s = 0.0
        self._complete_asked = False
        self._lock = asyncio.Lock()
        self._defaults: dict[str, Any] = {setting.name: setting.default for setting in self.SETTINGS}
        self._tree = Node()
        for _, member in inspect.getmembers(type(self), inspect.isfunction):
            for pattern, most in getattr(member, "scpi_headers", ()):
                default = 0 if pattern.endswith("?") else 1
                self._tree.add(pattern, _Command(pattern, member, default if most is None else most))
        for setting in self.SETTINGS:
            self._tree.add(setting.header, _Command(setting.header, _setter(setting), 1))
            self._tree.add(setting.header + "?", _Command(setting.header + "?", _getter(setting), 1))
        self.errors_drawn = world.rng("bench", self.ROLE, "errors")
        self.noise = world.rng("bench", self.ROLE, "noise")

    def hang(
        self, pattern: str, handler: Callable[[Call], Answer | Awaitable[Answer]], most: int | None = None
    ) -> None:
        """Hang a handler at a header at run time: for families of headers that differ in one word."""
        default = 0 if pattern.endswith("?") else 1
        self._tree.add(pattern, _Command(pattern, lambda _, call: handler(call), default if most is None else most))

    # -- executing -------------------------------------------------------------------------------------------------

    async def execute(self, message: str) -> Answer:
        """Execute one message and return its answer, or None; a mistake goes to the error queue, the rest is done."""
        async with self._lock:
            answers: list[str | bytes] = []
            path: tuple[str, ...] = ()
            for unit in split_outside(message.strip(), ";"):
                if not unit.strip():
                    continue
                try:
                    header, args = split_unit(unit)
                    answer, path = await self._one(header, args, path)
                except ScpiError as error:
                    self.push(error.code, error.text)
                else:
                    if answer is not None:
                        answers.append(answer)
            try:
                await self.message_ends()
            except ScpiError as error:
                self.push(error.code, error.text)
        return _joined(answers)

    async def _one(self, header: str, args: list[str], path: tuple[str, ...]) -> tuple[Answer, tuple[str, ...]]:
        name = header.upper().removesuffix("?")
        if name.startswith("*"):
            words: tuple[str, ...] = (name,)
        elif name.startswith(":"):
            words = tuple(name[1:].split(":"))
        else:
            words = (*path, *name.split(":"))
        found = self._tree.find(words) if name not in self.UNKNOWN else None
        if found is None:
            raise ScpiError(-113)
        node, suffixes = found
        command: _Command | None = node.query if header.endswith("?") else node.command
        if command is None:
            raise ScpiError(-113)
        if len(args) > command.most:
            raise ScpiError(-108)
        call = Call(header, suffixes, args)
        await self.before(call, words)
        answer = command.handler(self, call)
        if inspect.isawaitable(answer):
            answer = await answer
        if answer is not None and not isinstance(answer, bytes):
            answer = self.dress(command.pattern, call, answer)
        return answer, path if name.startswith("*") else words[:-1]

    async def before(self, call: Call, words: tuple[str, ...]) -> None:
        """Do what the model does before any command: refuse it, or apply settings that wait for the next command."""

    async def message_ends(self) -> None:
        """Do what the model does when a message is complete."""

    def dress(self, pattern: str, call: Call, answer: str) -> str:
        """Return the answer as it goes out; a model that answers with headers adds them here."""
        return answer

    async def abort(self) -> None:
        """Do what a device clear does beside emptying the buffers."""

    # -- settings --------------------------------------------------------------------------------------------------

    def get(self, name: str, *suffixes: int) -> Any:
        """Return the value of a setting."""
        if (name, suffixes) in self.values:
            return self.values[name, suffixes]
        return self._defaults[name]

    def put(self, name: str, value: Any, *suffixes: int) -> None:
        """Set a setting from inside, without the hook."""
        self.values[name, suffixes] = value

    async def changed(self, name: str, value: Any, suffixes: tuple[int, ...]) -> None:
        """Do what follows from a new value; raising ScpiError brings the old one back."""

    def check_suffixes(self, name: str, suffixes: tuple[int, ...]) -> None:
        """Refuse a numeric suffix that does not exist."""
        low, high = self.SUFFIXES.get(name, (1, 9999))
        if any(not low <= suffix <= high for suffix in suffixes):
            raise ScpiError(-114)

    # -- time and chance -------------------------------------------------------------------------------------------

    def takes(self, duration_s: float) -> None:
        """Remember an operation that goes on for duration_s; *OPC? waits for it."""
        self.busy_until_s = max(self.busy_until_s, self.world.now_s + duration_s)

    def later(self, delay_s: float, action: Callable[[], None]) -> None:
        """Do action after delay_s of bench time (at once when zero); *OPC? waits for it."""
        if delay_s <= 0.0:
            action()
            return
        self.takes(delay_s)
        self.world.at(self.world.now_s + delay_s, action)

    def drawn(self, half_width: float) -> float:
        """Draw this instrument's own error: within a third of half_width, its specification."""
        return max(-1.0, min(1.0, float(self.errors_drawn.normal(0.0, 0.4)))) * half_width / 3.0

    async def finish(self) -> None:
        """Wait until nothing is pending."""
        if self.busy_until_s > self.world.now_s:
            await self.world.wait_until(self.busy_until_s)

    # -- status ----------------------------------------------------------------------------------------------------

    def push(self, code: int, text: str = "") -> None:
        """Put an error into the queue; the 21st turns the last one into -350."""
        text = text or ScpiError(code).text
        self.event_status |= (
            0x20 if -199 <= code <= -100 else 0x10 if -299 <= code <= -200 else 0x04 if code <= -400 else 0x08
        )
        if len(self.errors) >= QUEUE_LENGTH:
            self.errors[-1] = (-350, ScpiError(-350).text)
        else:
            self.errors.append((code, text))

    def format_error(self, code: int, text: str) -> str:
        """Return an error as this dialect writes it."""
        return f'{code:+d},"{text}"'

    def next_error(self) -> str:
        """Take the oldest error out of the queue."""
        if not self.errors:
            return self.NO_ERROR
        code, text = self.errors.popleft()
        return self.format_error(code, text)

    def status_byte(self, message_available: bool = False) -> int:
        """Return the status byte; a serial poll and *STB? read the same here."""
        if self._complete_asked and self.world.now_s >= self.busy_until_s:
            self._complete_asked, self.event_status = False, self.event_status | 0x01
        status = self.summary_bits() | (0x10 if message_available else 0)
        status |= 0x20 if self.event_status & self.event_enable else 0
        return status | (0x40 if status & self.service_enable & ~0x40 else 0)

    def summary_bits(self) -> int:
        """Return the bits of the status byte that the model's registers feed; bit 2 is the error queue."""
        return 0x04 if self.errors else 0

    @scpi("*IDN?")
    def _identity(self, call: Call) -> str:
        return self.IDENTITY

    @scpi("*OPT?")
    def _options(self, call: Call) -> str:
        return "0"

    @scpi("*RST", most=0)
    async def _reset(self, call: Call) -> None:
        self.values.clear()
        self.busy_until_s = 0.0
        await self.reset()
        await self.world.wait(self.RESET_S)

    async def reset(self) -> None:
        """Bring the model to its reset state; its settings are at their defaults already."""

    @scpi("*CLS", most=0)
    def _clear_status(self, call: Call) -> None:
        self.errors.clear()
        self.event_status = 0
        self._complete_asked = False
        self.clear_events()

    def clear_events(self) -> None:
        """Clear the model's own event registers."""

    @scpi("*OPC", most=0)
    def _complete(self, call: Call) -> None:
        self._complete_asked = True

    @scpi("*OPC?")
    async def _is_complete(self, call: Call) -> str:
        await self.finish()
        return "1"

    @scpi("*WAI", most=0)
    async def _wait(self, call: Call) -> None:
        await self.finish()

    @scpi("*ESR?")
    def _event_status(self, call: Call) -> str:
        self.status_byte()
        status, self.event_status = self.event_status, 0
        return f"{status:+d}" if self.NO_ERROR.startswith("+") else str(status)

    @scpi("*ESE")
    def _event_enable(self, call: Call) -> None:
        self.event_enable = call.integer(0, 0, 255)

    @scpi("*ESE?")
    def _event_enabled(self, call: Call) -> str:
        return str(self.event_enable)

    @scpi("*SRE")
    def _service_enable(self, call: Call) -> None:
        self.service_enable = call.integer(0, 0, 255) & ~0x40

    @scpi("*SRE?")
    def _service_enabled(self, call: Call) -> str:
        return str(self.service_enable)

    @scpi("*STB?")
    def _status_byte(self, call: Call) -> str:
        return str(self.status_byte())

    @scpi("*TST?")
    def _self_test(self, call: Call) -> str:
        return "0"

    @scpi("*TRG", most=0)
    async def _trigger(self, call: Call) -> None:
        await self.trigger()

    async def trigger(self) -> None:
        """Do what *TRG and the interface's trigger do."""
        raise ScpiError(-211)


class ScpiErrorQueue:
    """The error queries of SCPI-1999; mixed into every model that has no others."""

    @scpi(":SYSTem:ERRor[:NEXT]?")
    def _next_error(self, call: Call) -> str:
        return self.next_error()  # type: ignore[attr-defined, no-any-return]  # of the ScpiInstrument it is mixed with

    @scpi(":SYSTem:VERSion?")
    def _version(self, call: Call) -> str:
        return "1999.0"


def _setter(setting: Setting) -> Handler:
    async def set_it(instrument: ScpiInstrument, call: Call) -> None:
        instrument.check_suffixes(setting.name, call.suffixes)
        value, before = setting.read(call), instrument.get(setting.name, *call.suffixes)
        instrument.put(setting.name, value, *call.suffixes)
        try:
            await instrument.changed(setting.name, value, call.suffixes)
        except ScpiError:
            instrument.put(setting.name, before, *call.suffixes)
            raise

    return set_it


def _getter(setting: Setting) -> Handler:
    def get_it(instrument: ScpiInstrument, call: Call) -> str:
        instrument.check_suffixes(setting.name, call.suffixes)
        return setting.write(instrument.get(setting.name, *call.suffixes), call)

    return get_it


def _joined(answers: list[str | bytes]) -> Answer:
    if not answers:
        return None
    if all(isinstance(answer, str) for answer in answers):
        return ";".join(answer for answer in answers if isinstance(answer, str))
    return b";".join(answer.encode("latin-1") if isinstance(answer, str) else answer for answer in answers)


__all__ = [
    "Answer",
    "ChoiceSetting",
    "NumberSetting",
    "ScpiErrorQueue",
    "ScpiInstrument",
    "SwitchSetting",
    "scpi",
    "short_form",
]
