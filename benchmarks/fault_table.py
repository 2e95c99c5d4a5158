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

TABLE = tomllib.loads((ROOT / "tests/certification/faults.toml").read_text())
EXPECTED: dict[str, list[str]] = TABLE["faults"] | {fault: one["fails"] for fault, one in TABLE["type"].items()}
SERIAL = "SP-000321"


def variants(fault: str) -> list[str]:
    """A fault on every relay or meter it can sit on."""
    match = re.match(r"([ku])[1-4](-.*)", fault)
    return [f"{match[1]}{n}{match[2]}" for n in range(1, 5)] if match else [fault]


def place(fault: str) -> str:
    """Where in the circuit a fault sits: the K or U of its description gets its number."""
    text = next(text[0] for pattern, text in PLACES.items() if re.fullmatch(pattern, fault))
    number = re.match(r"[ku]([1-4])-", fault)
    return re.sub(r"\b([KU])\b", rf"\g<1>{number[1]}", text) if number else text


def stage(fault: str) -> list[str]:
    """The part of the type test that looks for a fault, where a production run does not."""
    part = next((part for named, part in TABLE["type"].items() if fault in variants(named)), None)
    return ["--stage", "type", "-k", part["tests"]] if part else []


def ranges(names: list[str]) -> str:
    """Shorten MET-02 MET-03 MET-04 to MET-02...04."""
    runs: list[list[str]] = []
    for name in sorted(names):
        area, _, number = name.partition("-")
        before, _, last = runs[-1][-1].partition("-") if runs else ("", "", "0")
        if runs and before == area and int(number) == int(last) + 1:
            runs[-1].append(name)
        else:
            runs.append([name])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]}…{run[-1].partition('-')[2]}" for run in runs)


def main() -> int:
    """Run everything and write the page; 0 when each fault failed what it should and every healthy unit passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=50, help="how many healthy units of each revision (default: 50)")
    count = parser.parse_args().units
    faults = [(v, EXPECTED[f]) for f in EXPECTED for v in variants(f)]
    units = [(f"SP-{n:06d}", revision) for revision in ("A", "B") for n in range(1, count + 1)]
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = Path(folder)
        found = list(pool.map(lambda f: certify(SERIAL, runs / f[0], "--fault", f[0], *stage(f[0])), faults))
        healthy = list(pool.map(lambda u: certify(u[0], runs / u[1], "--board-revision", u[1]), units))
        rows = [_row(fault, expected, done) for (fault, expected), done in zip(faults, found, strict=True)]
        wrong = [row for row in rows if not row[1]]
    print("\n".join(row[0] for row in wrong) or "every fault failed exactly what it should")
    passed = dict.fromkeys(("A", "B"), 0)
    for (serial, revision), done in zip(units, healthy, strict=True):
        passed[revision] += done.exit_code == 0
        if done.exit_code:
            print(serial, revision, done.exit_code, done.output[-500:])
    each = count
    verdict = f"{len(rows) - len(wrong)} of {len(rows)} faults failed exactly what they should. Healthy units " + (
        f"(SP-000001 to {units[-1][0] if units else 'none'}) that passed: {passed['A']} of {each} of revision A, "
        f"{passed['B']} of {each} of revision B."
    )
    with (ROOT / "docs/faults.md").open("w", encoding="utf-8") as page:
        page.write("# Faults the certification finds\n\nMade by `make faults`; do not edit.\n\n")
        page.write("Each row is one production run on the simulated station with one fault built into the unit. ")
        page.write(f"By a part of the type test: {', '.join(TABLE['type'])}.\n\n")
        page.write("| fault | place in the circuit | must fail | did fail | refused because of it | exit code |\n")
        page.write("|---|---|---|---|---|---|\n")
        page.writelines(row[0] + "\n" for row in rows)
        page.write(f"\n{verdict}\n")
    print(f"{verdict} {time.monotonic() - started:.0f} s")
    return 0 if not wrong and set(passed.values()) == {each} else 1


def _row(fault: str, expected: list[str], done: Certified) -> tuple[str, bool]:
    failed = done.failed
    refused = [r.id for r in done.summary.requirements if r.verdict.value == "refused"]
    right = failed == set(expected) and done.exit_code == 1
    cells = (
        f"`{fault}`",
        place(fault),
        " ".join(expected),
        " ".join(sorted(failed)),
        ranges(refused),
        str(done.exit_code),
    )
    return "| " + " | ".join(cells) + " |" + ("" if right else " WRONG"), right


if __name__ == "__main__":
    raise SystemExit(main())
