"""What ends a run from outside, taken at places where it can do no harm; and whether the run still does anything.

Python would raise KeyboardInterrupt between any two instructions: between a question and its answer, which spoils the
next conversation on that wire, or inside pytest, which then takes it for an error of its own. A run installs `watch`.
From then on Ctrl-C, SIGTERM and SIGHUP wait for the next `uninterrupted` block to begin or end, and those surround
every line of the journal and every exchange of bench time, so that they wait milliseconds. Sleeping, and a second
signal outside such a block, end at once. A `shielded` block is not interrupted at all: the bench is being made safe.

What another thread finds wrong (a lid, a dead guard) is an `alarm`: the main thread raises it where it next sleeps or
measures.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType, TracebackType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Uninterrupted:
    """A block that may be entered again and again; nested ones count. Only the main thread is ever interrupted."""

    def __init__(self) -> None:
        self._woken = threading.Event()
        self.begin()

    def begin(self) -> None:
        """Forget everything."""
        self._depth = 0
        self._pending = self._asleep = False
        self._alarm: Exception | None = None
        self._woken.clear()
        self.steps = 0  # of the main thread: a run whose steps stand still, and who does not wait, is hung
        self.seen = ""  # the first signal's name since `watch`
        self.terminal = 0

    def step(self) -> None:
        """Note that the main thread does something that ends by itself, an exchange with its own deadline."""
        if _main_thread():
            self.steps += 1

    def __enter__(self) -> None:
        if _main_thread():
            self.steps += 1
            if not self._depth:
                self.check()
            self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if _main_thread():
            self._depth -= 1
            if not self._depth:
                self.check()

    def check(self) -> None:
        """Raise the KeyboardInterrupt that has been waiting, if there is one."""
        if self._pending:
            self._pending = False
            raise KeyboardInterrupt

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Take a signal that asks the run to end."""
        self.seen = self.seen or signal.Signals(number).name
        if number == signal.SIGHUP:
            _leave(self.terminal)
        if self._depth or not (self._asleep or self._pending):
            self._pending = True
        else:
            self._pending = False
            raise KeyboardInterrupt

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Let a signal end a block at once: nothing is under way in it but waiting, for as long as it takes."""
        if not _main_thread() or self._depth:
            yield
            return
        self.check()
        self._asleep = True
        try:
            yield
        finally:
            self._asleep = False
            self.steps += 1

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Let a block run to its end, and forget what was asked meanwhile: it is what a signal asks for."""
        if not _main_thread():
            yield
            return
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self._pending = False

    # -- what other threads find ---------------------------------------------------------------------------------------

    def alarm(self, error: Exception) -> None:
        """Let the main thread raise error at its next sleep, which ends now, or measurement. The first one counts."""
        if self._alarm is None:
            self._alarm = error
        self._woken.set()

    def forget_alarm(self) -> None:
        """Forget what was found: the bench it was about is closed."""
        self._alarm = None
        self._woken.clear()

    def raise_alarm(self) -> None:
        """Raise what another thread has found, once; in the main thread, and not while the bench is made safe."""
        if self._alarm is not None and _main_thread() and not self._depth:
            error, self._alarm = self._alarm, None
            self._woken.clear()
            raise error

    def sleep(self, duration_s: float) -> None:
        """Sleep in real time, until a signal or an alarm ends it."""
        with self.asleep():
            woken = self._woken if _main_thread() and not self._depth else threading.Event()
            woken.wait(max(0.0, duration_s))
        self.raise_alarm()

    @property
    def waiting(self) -> bool:
        """Whether the main thread waits on purpose."""
        return self._asleep


def _main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _terminal() -> int:
    """Return the device number of the controlling terminal, 0 where there is none (proc(5), tty_nr)."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0
    number = int(fields[4]) & 0xFFFFFFFF
    return os.makedev(number >> 8 & 0xFFF, number & 0xFF | number >> 12 & 0xFFF00) if number else 0


def _leave(terminal: int) -> None:
    """Write into nowhere from now on: the terminal is gone, and every line to it would be an error."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for path in tuple(Path("/proc/self/fd").iterdir()) if terminal else ():
        with suppress(OSError):
            if os.fstat(int(path.name)).st_rdev == terminal:
                os.dup2(nowhere, int(path.name))
    os.close(nowhere)


uninterrupted = _Uninterrupted()


def watch() -> Callable[[], None]:
    """Take signals as described above from now on; return what undoes it. Does nothing in other threads."""
    if not _main_thread():
        return lambda: None
    uninterrupted.begin()
    uninterrupted.terminal = _terminal()
    # whoever started us with a signal ignored, as nohup does, meant it
    taken = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, uninterrupted.handle) for number in taken}

    def undo() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return undo
