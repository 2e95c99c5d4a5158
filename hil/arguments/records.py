"""hil report, verify, runs: what a person may type behind it."""

from __future__ import annotations

from typing import Any

from hil.arguments.common import add_command, add_edition, add_runs, add_stations, count

_VERIFY_EXITS = """exit codes: 0 whole, unaltered, and signed by somebody trusted here (where nobody is: not signed),
            1 altered, or signed by nobody or by an unknown key, 4 it cannot be said"""


def add(commands: Any) -> None:
    """Add the arguments."""
    what = "make the reports of runs again, from their journals"
    report = add_command(commands, "report", "report", what, "hil report SP-000123 --lang de --out /tmp/certificate")
    report.add_argument(
        "run", metavar="RUN", nargs="+", help="a run's folder or id, or a serial number for its newest run"
    )
    what = "put certificates there and leave the record as it is, signature and all: a folder, one more a run for many"
    report.add_argument("--out", default="", metavar="DIR", help=what)
    add_edition(report)
    add_stations(report)
    report.add_argument("--station", default="", metavar="NAME", help="whose keys sign (default: nobody's)")
    add_runs(report)
    what = "say whether a record is whole and unaltered, and who signed it"
    verify = add_command(commands, "verify", "verify", what, "hil verify SP-000123")
    verify.epilog = f"{verify.epilog}\n\n{_VERIFY_EXITS}"
    verify.add_argument(
        "run",
        metavar="RUN|FILE",
        help="a run's folder or id, or a serial number for its newest run; a certificate.pdf; the folder or the"
        " archive (.zip) of an evidence bundle; an envelope (.dsse.json)",
    )
    what = "believe only this key, or those in this folder (default: those of 'hil keys list')"
    verify.add_argument("--trust", default="", metavar="PATH", help=what)
    add_stations(verify)
    add_runs(verify)
    runs = add_command(
        commands, "runs", "runs", "list what has been run, and how it ended", "hil runs SP-000123 --last 5"
    )
    runs.add_argument("serial", metavar="SERIAL", nargs="?", default="", help="only the runs of this unit")
    runs.add_argument("--last", type=count, default=0, metavar="N", help="only the newest N")
    add_runs(runs)
