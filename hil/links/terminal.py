"""The terminal of the person who started the run: questions in words, answers typed."""

from __future__ import annotations

import os
import termios
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from hil.errors import SetupError
from hil.interrupt import uninterrupted

LINE_BYTES = 1024
Pause = Callable[[], AbstractContextManager[None]]

_pauses: list[Pause] = []


@contextmanager
def pausing(pause: Pause) -> Iterator[None]:
    """Ask every question inside the block within pause(), so that a progress display does not write over it."""
    _pauses.append(pause)
    try:
        yield
    finally:
        _pauses.remove(pause)


class Terminal:
    """/dev/tty, which pytest does not capture. An interrupt while it asks is the run's own: it passes."""

    def __init__(self, who: str) -> None:
        """Open it; raises SetupError where nobody could answer: no terminal, or a run in the background."""
        self.who = who
        try:
            self._fd = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
        except OSError as error:
            raise SetupError(
                f"{who}: an operator must answer questions, and this run has no terminal",
                "start it in a terminal, or choose an instrument with a remote control in stations.toml",
            ) from error
        if os.tcgetpgrp(self._fd) != os.getpgrp():
            self.close()
            raise SetupError(
                f"{who}: an operator must answer questions, and this run is in the background", "bring it to the front"
            )

    def ask(self, question: str) -> str:
        """Return the line that is typed after the question, stripped; what was typed before it does not count."""
        with ExitStack() as room:
            for pause in _pauses:
                room.enter_context(pause())
            termios.tcflush(self._fd, termios.TCIFLUSH)
            os.write(self._fd, f"\n{question} ".encode())
            with uninterrupted.asleep():
                line = os.read(self._fd, LINE_BYTES)
        if not line:
            raise SetupError(f"{self.who}: the operator ended the input instead of answering", "start the run again")
        return line.decode(errors="replace").strip()

    def close(self) -> None:
        """Close it; safe any number of times."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
