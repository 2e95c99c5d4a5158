"""hil doctor: what is missing on this computer, each with the line that mends it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from hil.doctor import examine

HEALTHY, ILL = 0, 4


def run(asked: argparse.Namespace) -> int:
    """Print each finding as it is made; exit code 4 when one is bad."""
    findings = []
    for finding in examine(Path(asked.runs), Path(asked.stations), asked.station):
        findings.append(finding)
        if not asked.json:
            print(finding, flush=True)
    if asked.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=1))
    return ILL if any(finding.level == "bad" for finding in findings) else HEALTHY
