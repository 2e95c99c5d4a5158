"""hil certify: run the certification tests of a board on one unit, in this process, under a display of its own."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.commands.edition import edition_asked
from hil.commands.progress import Display, open_display
from hil.journal.events import RunStarted
from hil.names import one_line
from hil.reports import CERTIFICATE, PDF
from hil.reports.edition import Edition
from hil.run.edition import make_edition
from hil.run.order import Order
from hil.run.run import Run, RunOptions
from hil.run.words import counted, decided, headline, stands_out

SETUP_FAULT = 4
_FOR_PYTEST = ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_ADDOPTS", "PYTEST_PLUGINS")
_ORDER = (
    ("customer", "customer"),
    ("contact", "contact"),
    ("order", "number"),
    ("received", "received"),
    ("condition", "condition"),
)


def run(asked: argparse.Namespace) -> int:
    """Check everything first, then run pytest on the board's tests; print how it ended."""
    options = RunOptions(
        serial=asked.serial,
        board=asked.board,
        revision=asked.revision,
        stage=asked.stage,
        station=asked.station,
        operator=asked.operator,
        seed=asked.seed,
        faults=tuple(asked.fault),
        attach=asked.attach,
        stations_file=Path(asked.stations),
        runs=Path(asked.runs),
        sync=asked.sync,
        order=Order(asked.customer, asked.contact, asked.order, asked.received, asked.condition),
    )
    planned = Run(options)
    planned.check_high_voltage()  # raises what is wrong, before pytest says it in its own way, on record
    edition = make_edition(edition_asked(asked), planned.config)
    watcher = _certify(options, edition, monte_carlo=asked.monte_carlo)
    if watcher.run is None or watcher.run.summary is None or watcher.run.folder is None:
        words = watcher.output.getvalue().strip()
        print(f"hil: the run did not begin: {one_line(_last_line(words)) or 'pytest said nothing'}", file=sys.stderr)
        return watcher.exit_code or SETUP_FAULT
    result = _result(watcher.run, watcher.exit_code) | {"unreported": watcher.unreported or None}
    print(json.dumps(result, indent=1) if asked.json else _in_words(watcher.run, result))
    return watcher.exit_code


def _last_line(words: str) -> str:
    """Return what pytest said last, without its own marks."""
    lines = words.splitlines()
    return lines[-1].strip("! ").removeprefix("_pytest.outcomes.Exit: ") if lines else ""


@dataclass(slots=True)
class _Watcher:
    """A pytest plugin that tells the display what is being done, and keeps the run."""

    __name__ = "hil.certify"  # the name under which pytest registers it

    display: Display
    output: io.StringIO
    edition: Edition  # for hil.plugin, which makes the reports: its keys are open already
    run: Run | None = None
    unreported: str = ""  # why reports are missing
    exit_code: int = 0

    def pytest_collection_finish(self, session: Any) -> None:
        self._take_run(session.config)
        self.display.begin(len(session.items))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        if self.run is None or not self.run.stopped:  # what comes after a stop is not done
            self.display.test(nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.display.failed(report.nodeid)

    def pytest_runtest_logfinish(self) -> None:
        self.display.done()

    def pytest_unconfigure(self, config: Any) -> None:
        self._take_run(config)

    def _take_run(self, config: Any) -> None:
        plugin = config.pluginmanager.get_plugin("hil.run")
        self.run = None if plugin is None or plugin.refused else plugin.run
        self.unreported = plugin.unreported if plugin is not None else ""


def _certify(options: RunOptions, edition: Edition, *, monte_carlo: bool) -> _Watcher:
    import pytest

    tests = Path(__file__).parents[1] / "tests" / options.board.replace("-", "_")
    # with "=", so that no value can be taken for an option
    arguments = [str(tests), "-p", "hil.plugin", "-q", f"--serial={options.serial}", f"--board={options.board}"]
    # this process has imported parts of hil already, which pytest would have liked to rewrite for its asserts
    arguments += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    arguments += [f"--board-revision={options.revision}", f"--station={options.station}", f"--stage={options.stage}"]
    arguments += [f"--stations={options.stations_file}", f"--runs={options.runs}", f"--seed={options.seed}"]
    arguments += [f"--sync={options.sync}", f"--operator={options.operator}", f"--attach={options.attach}"]
    arguments += [f"--fault={fault}" for fault in options.faults]
    arguments += [f"--{name}={getattr(options.order, at)}" for name, at in _ORDER]
    arguments += ["--monte-carlo"] if monte_carlo else []
    with open_display() as display:
        watcher = _Watcher(display, io.StringIO(), edition)
        with contextlib.redirect_stdout(watcher.output), contextlib.redirect_stderr(watcher.output), _alone():
            watcher.exit_code = int(pytest.main(arguments, plugins=[watcher]))
    return watcher


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Let pytest load our plugin only, and take our options only: what else is about could reorder or skip tests."""
    before = {name: os.environ.pop(name, None) for name in _FOR_PYTEST}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _result(run: Run, exit_code: int) -> dict[str, Any]:
    assert run.summary is not None
    assert run.folder is not None
    certificate, pdf = run.folder / CERTIFICATE, run.folder / PDF
    return {
        "serial": run.options.serial,
        "board": run.options.board,
        "revision": run.options.revision,
        "stage": run.options.stage,
        "station": run.options.station,
        "simulated": bool(run.config.launch),
        "verdict": str(run.summary.verdict.value),
        "exit_code": exit_code,
        "reason": run.summary.reason,
        "counts": {str(verdict): count for verdict, count in run.summary.counts.items() if count},
        "requirements": [
            {
                "id": one.id,
                "title": one.title,
                "required": one.required,
                "verdict": one.verdict.value,
                "reason": one.reason,
            }
            for one in run.summary.requirements
        ],
        "record": str(run.folder),
        "certificate": str(certificate) if certificate.exists() else None,
        "pdf": str(pdf) if pdf.exists() else None,
    }


def _in_words(run: Run, result: dict[str, Any]) -> str:
    summary, options = run.summary, run.options
    assert summary is not None
    marks = (", SIMULATED" if run.config.launch else "") + ("" if _released(run) else ", NOT RELEASED")
    lines = [
        headline(options.serial, summary),
        f"  {options.board} revision {options.revision}, stage {options.stage}, station {options.station}{marks}",
        *counted(summary),
        *decided(run.events, summary),
        *stands_out(summary),
        *(f"certificate: {result[made]}" for made in ("certificate", "pdf") if result[made]),
        *([one_line(result["unreported"])] if result["unreported"] else []),
        f"record: {run.folder}",
    ]
    return "\n".join(lines)


def _released(run: Run) -> bool:
    """Say whether the record says that the run was made from a released plan."""
    return any(isinstance(one, RunStarted) and one.release.get("status") == "released" for one in run.events)
