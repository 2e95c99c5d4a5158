"""`python -m hil.doctor`: the doctor, where even the command line is broken."""

from __future__ import annotations

import sys
from pathlib import Path

from hil.doctor import examine

if __name__ == "__main__":
    ill = False
    for finding in examine(Path("runs"), Path("stations.toml")):
        sys.stdout.write(f"{finding}\n")
        ill |= finding.level == "bad"
    sys.exit(4 if ill else 0)
