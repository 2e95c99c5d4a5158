"""hil sim: become the simulated station. It stands behind the wire, so it is started as a module, never imported."""

from __future__ import annotations

import argparse
import os
import sys


def run(asked: argparse.Namespace) -> int:
    """Replace this process by the simulated station; Ctrl-C ends it."""
    command = [sys.executable, "-m", "hil.sim"]
    if asked.list_faults:
        command.append("--list-faults")
    else:
        command += ["--serial", asked.serial, "--board", asked.board, "--revision", asked.revision]
        command += ["--seed", str(asked.seed), *(part for fault in asked.fault for part in ("--fault", fault))]
        command += [] if asked.bench_time else ["--real-time"]
    command += ["--json"] if asked.json else []
    sys.stdout.flush()
    os.execv(sys.executable, command)
    return 0
