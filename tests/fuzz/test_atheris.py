"""Every parser of wire data under atheris: a coverage-guided search, in a process of its own, for a short while.

By default a number of runs from a fixed seed, so that a loaded machine searches no less, with a limit of time beside
it; `make fuzz` searches each for FUZZ_S seconds instead, from a new seed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.targets import TARGETS

pytest.importorskip(
    "atheris", reason="no wheel of atheris for this Python and machine; test_hypothesis.py has them all"
)

TESTS = Path(__file__).parents[1]
RUNS, MOST_S = 300, 20
LARGEST_BYTES = 1024
SLOWEST_S = 20  # of one input; libFuzzer ends it then
FUZZ_S = os.environ.get("FUZZ_S")
WIRE = {name: target for name, target in TARGETS.items() if target.wire}
MODULES = sorted({target.check.__module__ for target in WIRE.values()})


@pytest.mark.parametrize("module", MODULES)
def test_no_input_breaks_a_parser_of_wire_data(module: str, tmp_path: Path) -> None:
    """Whatever a peer sends, the parser reads it or refuses it, as the target demands."""
    limits = [f"-max_total_time={FUZZ_S}"] if FUZZ_S else ["-seed=1", f"-runs={RUNS}", f"-max_total_time={MOST_S}"]
    options = [*limits, f"-max_len={LARGEST_BYTES}", f"-timeout={SLOWEST_S}"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(TESTS), str(TESTS.parent)))}
    command = [sys.executable, "-m", "fuzz.campaign", module, str(tmp_path), *options]
    done = subprocess.run(
        command, cwd=TESTS, env=environment, capture_output=True, text=True, errors="replace", check=False
    )

    broken = [
        f"{found.parent.name} breaks on {found.read_bytes()!r}"
        for kind in ("crash", "timeout", "oom")
        for found in tmp_path.glob(f"*/{kind}-*")
    ]
    said = re.findall(r"=== Uncaught Python exception: ===(.*?)(?===|\nINFO: |\Z)", done.stdout, re.DOTALL)
    assert not broken, "\n".join((*broken, *said))
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    tried = re.findall(r"stat::number_of_executed_units:\s*(\d+)", done.stderr)
    assert len(tried) == sum(target.check.__module__ == module for target in WIRE.values())
    assert min(map(int, tried)) > 20
