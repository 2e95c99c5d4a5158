"""Ctrl-C, taken at places where it can do no harm.

Python would raise KeyboardInterrupt between any two instructions: between a question and its answer, which spoils the
next conversation on that wire, or inside pytest, which then takes it for an error of its own. A run installs `watch`.
From then on Ctrl-C waits for the next `uninterrupted` block to begin or end, and those surround every line of the
journal and every exchange of bench time, so that it waits milliseconds. Sleeping, and a second Ctrl-C outside such a
block, end at once. A `shielded` block is not interrupted at all: the bench is being made safe.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType


class _Uninterrupted:
    """A block that may be entered again and again; nested ones count. Only the main thread is ever interrupted."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forget everything."""
        self._depth = 0
        self._pending = self._asleep = False
        self.seen = False  # since `watch`

    def __enter__(self) -> None:
        if _main_thread():
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
        """Take a SIGINT."""
        self.seen = True
        if self._depth or not (self._asleep or self._pending):
            self._pending = True
        else:
            self._pending = False
            signal.default_int_handler(number, frame)

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Let Ctrl-C end a block at once: nothing is under way in it."""
        if not _main_thread() or self._depth:
            yield
            return
        self.check()
        self._asleep = True
        try:
            yield
        finally:
            self._asleep = False

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Let a block run to its end, and forget what was pressed meanwhile: it is what Ctrl-C asks for."""
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


def _main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


uninterrupted = _Uninterrupted()


def watch() -> Callable[[], None]:
    """Take Ctrl-C as described above from now on; return what undoes it. Does nothing in other threads."""
    if not _main_thread():
        return lambda: None
    uninterrupted.begin()
    before = signal.signal(signal.SIGINT, uninterrupted.handle)

    def undo() -> None:
        signal.signal(signal.SIGINT, before)

    return undo
