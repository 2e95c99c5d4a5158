"""One piece of work for each of many folders, on all cores: a thousand certificates are soon made."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, TypeVar

Made = TypeVar("Made")
_AT_ONCE = 8  # folders handed to a process together
_work: Callable[[Path], Any] | None = None  # what forked processes inherit: opened keys cannot be sent
_stopped: Event | None = None


def over(work: Callable[[Path], Made], folders: Sequence[Path]) -> Iterator[Made]:
    """Yield what work makes of each folder, in their order; raises what work raises, for the first such folder.

    The first folder is done here, which loads whatever work needs; the rest in forked processes, one a core. Where
    processes cannot be forked all is done here. On any way out the folders that were begun are finished first.
    """
    first, rest = folders[:1], folders[1:]
    yield from map(work, first)
    cores = min(os.cpu_count() or 1, len(rest))
    if cores < 2 or "fork" not in multiprocessing.get_all_start_methods():
        yield from map(work, rest)
        return
    global _work, _stopped  # noqa: PLW0603 - the only way into a forked process that nothing has to be sent for
    forks = multiprocessing.get_context("fork")
    _work, _stopped = work, forks.Event()
    pool = forks.Pool(cores, _settle)
    try:
        yield from pool.imap(_one, rest, chunksize=min(_AT_ONCE, -(-len(rest) // cores)))
    finally:
        _stopped.set()
        pool.close()
        pool.join()
        _work = _stopped = None


def _settle() -> None:
    """Look for rubbish rarely: a record is tens of thousands of objects, all of them in use until its page is made.

    An interruption is the parent's to answer: a folder that was begun is finished, no other is begun.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def _one(folder: Path) -> Any:
    assert _work is not None
    assert _stopped is not None
    return None if _stopped.is_set() else _work(folder)
