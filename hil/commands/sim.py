"""hil sim: become the simulated station. It stands behind the wire, so it is started as a module, never imported."""

from __future__ import annotations

import argparse
import os
import sys

from hil.names import check_serial
from hil.plans.plan import load_plan


def run(asked: argparse.Namespace) -> int:
    """Replace this process by the simulated station; Ctrl-C ends it."""
    command = [sys.executable, "-m", "hil.sim"]
    if asked.list_faults:
        command.append("--list-faults")
    else:
        load_plan(asked.board).resolve(asked.revision)  # there are such a board and such a revision
        check_serial(asked.serial)
        # with "=", so that no value can be taken for an option
        command += [f"--serial={asked.serial}", f"--board={asked.board}", f"--revision={asked.revision}"]
        command += [f"--seed={asked.seed}", *(f"--fault={fault}" for fault in asked.fault)]
        command += [] if asked.bench_time else ["--real-time"]
    command += ["--json"] if asked.json else []
    sys.stdout.flush()
    os.execv(sys.executable, command)
    return 0
