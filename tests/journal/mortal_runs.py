"""Runs that are killed at random instants; a process of its own, for it forks.

`python mortal_runs.py FOLDER COUNT SEED` prints how many lines each run had completed: a run says so in memory that
outlives it, after write() has returned and before it writes the next line.
"""

import json
import mmap
import os
import random
import signal
import struct
import sys
import time
from pathlib import Path

from hil.clock import RealClock
from hil.journal.events import Measurement, Note, RunStarted, TestFinished, TestStarted
from hil.journal.writer import JournalWriter

LONGEST_LIFE_S = 0.03
PLAIN = {"u": 0.05, "dof": 9.0, "low": -1.0, "high": 1.0, "limit": {"standard": "IEC 62053-21"}, "rule": "simple"}


def live(folder: Path, lines: mmap.mmap, chance: random.Random) -> None:
    """Write as fast as it goes, until death."""
    journal = JournalWriter(folder, RealClock(), sync=chance.choice(["test", "test", "test", "measurement"]))
    done = 0

    def tell() -> None:
        nonlocal done
        done += 1
        lines[:8] = struct.pack("q", done)

    journal.write(RunStarted("S", "b", "A", "type", "sim", True, "", {}, {}, "3", 0))
    tell()
    for n in range(1_000_000):
        kind = chance.random()
        if kind < 0.05:
            journal.attach("t", "wave", chance.randbytes(chance.randrange(1, 200_000)), "text/plain")
        elif kind < 0.08:
            journal.write(Note("t", "Ω" * chance.randrange(1, 200_000)))  # long enough to be torn
        elif kind < 0.10:
            journal.write(TestStarted(f"t{n}"))
        elif kind < 0.12:
            journal.write(TestFinished(f"t{n}"))
        else:
            point = {"test": "t", "name": f"p[n={n}]", "requirement": "R", "value": n * 1e-3, "unit": "V"}
            journal.write(Measurement(**point, **PLAIN, verdict="pass", point={"n": n}))
        tell()


def kill(folder: Path, seed: int) -> int:
    """Let one run live for a random time; return how many lines it had completed."""
    chance = random.Random(seed)
    lines = mmap.mmap(-1, 8)
    life_s = chance.uniform(0.0, LONGEST_LIFE_S)
    child = os.fork()
    if not child:
        try:
            live(folder, lines, chance)
        finally:
            os._exit(1)  # not killed: the parent will see it
    time.sleep(life_s)
    os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if not os.WIFSIGNALED(status):
        raise SystemExit(f"run {seed} ended by itself")
    return struct.unpack("q", lines[:8])[0]


def main() -> None:
    root, count, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    told = []
    for number in range(count):
        folder = root / f"{number:03}"
        folder.mkdir()
        told.append(kill(folder, seed + number))
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
