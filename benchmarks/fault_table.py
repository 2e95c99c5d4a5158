"""Make docs/faults.md: certify a unit with each named fault, and many healthy ones, and say what the runs found.

Run it as `python -m benchmarks.fault_table [--units N]`.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hil.sim.faults import FAULTS as PLACES
from tests.certification.certify import ROOT, Certified, certify

EXPECTED: dict[str, list[str]] = tomllib.loads((ROOT / "tests/certification/faults.toml").read_text())["faults"]
SERIAL = "SP-000321"


def variants(fault: str) -> list[str]:
    """A fault on every relay or meter it can sit on."""
    match = re.match(r"([ku])[1-4](-.*)", fault)
    return [f"{match[1]}{n}{match[2]}" for n in range(1, 5)] if match else [fault]


def place(fault: str) -> str:
    """Where in the circuit a fault sits."""
    return next(text[0] for pattern, text in PLACES.items() if re.fullmatch(pattern, fault))


def main() -> int:
    """Run everything and write the page; 0 when each fault failed what it should and every healthy unit passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=50, help="how many healthy units (default: 50)")
    units = parser.parse_args().units
    faults = [(v, EXPECTED[f]) for f in EXPECTED for v in variants(f)]
    serials = [f"SP-{n:06d}" for n in range(1, units + 1)]
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = Path(folder)
        found = list(pool.map(lambda f: certify(SERIAL, runs / f[0], "--fault", f[0]), faults))
        healthy = list(pool.map(lambda s: certify(s, runs / "healthy"), serials))
        rows = [_row(fault, expected, done) for (fault, expected), done in zip(faults, found, strict=True)]
        wrong = [row for row in rows if not row[1]]
        passed = sum(done.exit_code == 0 for done in healthy)
    print("\n".join(row[0] for row in wrong) or "every fault failed exactly what it should")
    for serial, done in zip(serials, healthy, strict=True):
        if done.exit_code:
            print(serial, done.exit_code, done.output[-500:])
    page = (ROOT / "docs/faults.md").open("w", encoding="utf-8")
    with page:
        page.write("# Faults the certification finds\n\nMade by `make faults`; do not edit.\n\n")
        page.write("Each row is one production run on the simulated station with one fault built into the unit.\n\n")
        page.write("| fault | place in the circuit | must fail | did fail | refused because of it | exit code |\n")
        page.write("|---|---|---|---|---|---|\n")
        page.writelines(row[0] + "\n" for row in rows)
        page.write(f"\n{len(rows) - len(wrong)} of {len(rows)} faults failed exactly what they should; ")
        page.write(f"{passed} of {units} healthy units (SP-000001 to {serials[-1]}) passed.\n")
    print(f"{passed}/{units} healthy units passed; {time.monotonic() - started:.0f} s")
    return 0 if not wrong and passed == units else 1


def _row(fault: str, expected: list[str], done: Certified) -> tuple[str, bool]:
    failed = done.failed
    refused = sorted(r.id for r in done.summary.requirements if r.verdict.value == "refused")
    right = failed == set(expected) and done.exit_code == 1
    cells = (
        f"`{fault}`",
        place(fault),
        " ".join(expected),
        " ".join(sorted(failed)),
        " ".join(refused),
        str(done.exit_code),
    )
    return "| " + " | ".join(cells) + " |" + ("" if right else " WRONG"), right


if __name__ == "__main__":
    raise SystemExit(main())
