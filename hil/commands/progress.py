"""What a person sees while a run goes on: a bar on a terminal, a line a file of tests elsewhere."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TextIO


class Display(Protocol):
    """Is told what happens."""

    def begin(self, tests: int) -> None:
        """Say how many tests there are."""

    def test(self, node: str) -> None:
        """Name the test that begins."""

    def failed(self, node: str) -> None:
        """Name a test that did not end well."""

    def done(self) -> None:
        """Count a test that ended."""


def in_words(node: str) -> str:
    """Turn a pytest node id into words: `relays: set closes and stays (K1)`."""
    path, _, name = node.partition("::")
    area = path.rpartition("/")[2].removesuffix(".py").removeprefix("test_").replace("_", " ")
    function, _, point = name.partition("[")
    test = function.rpartition("::")[2].removeprefix("test_").replace("_", " ")
    return f"{area}: {test}" + (f" ({point.removesuffix(']')})" if point else "")


@contextmanager
def open_display() -> Iterator[Display]:
    """Open a display on the error stream, past the capture of pytest, which takes the stream over."""
    with os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace") as stream:
        if not stream.isatty():
            yield _Lines(stream)
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            BarColumn(24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
        )
        from hil.links.terminal import pausing

        with Progress(*columns, console=Console(file=stream), transient=True) as progress:

            @contextmanager
            def pause() -> Iterator[None]:
                progress.stop()
                try:
                    yield
                finally:
                    progress.start()

            with pausing(pause):
                yield _Bar(progress)


class _Bar:
    def __init__(self, progress: Any) -> None:
        self._progress = progress
        self._task = progress.add_task("preparing", total=None)

    def begin(self, tests: int) -> None:
        self._progress.update(self._task, total=tests, description="opening the station")

    def test(self, node: str) -> None:
        self._progress.update(self._task, description=in_words(node))

    def failed(self, node: str) -> None:
        self._progress.print(f"not passed: {in_words(node)}", markup=False, highlight=False)

    def done(self) -> None:
        self._progress.advance(self._task)


class _Lines:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._area = ""

    def begin(self, tests: int) -> None:
        self._say(f"{tests} tests; opening the station")

    def test(self, node: str) -> None:
        area = re.split(":", in_words(node), maxsplit=1)[0]
        if area != self._area:
            self._say(area)
        self._area = area

    def failed(self, node: str) -> None:
        self._say(f"not passed: {in_words(node)}")

    def done(self) -> None:
        pass

    def _say(self, what: str) -> None:
        self._stream.write(f"  {what}\n")
        self._stream.flush()
