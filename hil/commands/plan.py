"""hil plan: is the plan whole, what was released of it, and what is different now."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
from collections.abc import Collection
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hil.commands.tables import print_table, say
from hil.errors import SetupError
from hil.names import LONGEST_OPERATOR, one_line, what_is_wrong
from hil.plans import coverage, release
from hil.plans.plan import Plan, PlanError, load_plan
from hil.run.released import deciding_now, folder_of, release_of

OK, DIFFERS, SETUP_FAULT = 0, 1, 4
LONGEST_NOTE = 500
TESTS = Path(__file__).parents[1] / "tests"


def run(asked: argparse.Namespace) -> int:
    """Do what was asked with one plan."""
    plan = load_plan(asked.board)
    actions = {"check": _check, "release": _release, "diff": _diff, "show": _show}
    return actions[asked.action](plan, asked)


def _check(plan: Plan, asked: argparse.Namespace) -> int:
    found = find_holes(plan)
    if asked.json:
        print(json.dumps({"board": plan.board, "ok": not found, "holes": [asdict(one) for one in found]}, indent=1))
    elif found:
        say(f"{plan.path.name}: {one}" for one in found)
    else:
        of = f"{len(plan.requirements)} requirements, {len(plan.kinds)} kinds of measurement"
        print(f"{plan.board} {plan.version}: {of}: each has its test, and each test its requirement")
    return SETUP_FAULT if found else OK


def _release(plan: Plan, asked: argparse.Namespace) -> int:
    _check_words(plan, asked)
    stations = Path(asked.stations)
    before = release_of(plan, asked.revision, stations)
    now = deciding_now(plan, stations)
    changed = release.differences(before, now) if before else []
    if before and not changed:
        return _say_released(asked, before, [], "is released as it is; nothing was written")
    if found := find_holes(plan):
        raise PlanError(f"{len(found)} errors in the plan: {found[0]}", f"see them all: hil plan check {plan.board}")
    folder, on = folder_of(stations), datetime.now(UTC)
    id_ = release.next_id(folder, plan.board, asked.revision)
    new = release.new_release(now, plan.board, asked.revision, id_=id_, by=asked.by, on=on, note=asked.note)
    path = release.write_release(new, folder)
    return _say_released(asked, new, changed, f"is released: {one_line(str(path))}")


def _check_words(plan: Plan, asked: argparse.Namespace) -> None:
    """Refuse what could not stand on a certificate."""
    plan.resolve(asked.revision)
    if not asked.by.strip():
        raise SetupError("nobody is named who releases the plan", "add --by NAME")
    for what, text, longest in (
        ("name of who releases", asked.by, LONGEST_OPERATOR),
        ("note", asked.note, LONGEST_NOTE),
    ):
        if why := what_is_wrong(text, longest):
            raise SetupError(f"the {what} is refused: {why}", "type it again")


def _say_released(asked: argparse.Namespace, one: release.Release, changed: list[release.Difference], what: str) -> int:
    if asked.json:
        said = {"id": one.id, "by": one.by, "on": one.on, "note": one.note, "since": [asdict(c) for c in changed]}
        print(json.dumps(said, indent=1))
        return OK
    print(one_line(f"{one.id} by {one.by}, {one.on}, {what}"))
    if changed:
        print(f"different from the release before it, {len(changed)}:")
        say(f"  {change}" for change in changed)
    return OK


def _diff(plan: Plan, asked: argparse.Namespace) -> int:
    plan.resolve(asked.revision)
    stations = Path(asked.stations)
    found = release_of(plan, asked.revision, stations)
    now = deciding_now(plan, stations)
    if asked.station and asked.station not in now.stations:
        raise SetupError(f"no station {asked.station!r} in {asked.stations}", f"known: {', '.join(now.stations)}")
    changed = release.differences(found, now, asked.station or None) if found else []
    if asked.json:
        print(json.dumps({**_status(found, changed), "differences": [asdict(one) for one in changed]}, indent=1))
    elif found is None:
        print(f"{plan.board} revision {asked.revision} is not released: hil plan release {plan.board} --by NAME")
    else:
        told = f"{len(changed)} differences" if changed else "nothing differs"
        print(one_line(f"{found.id} by {found.by}, {found.on}: {told}"))
        say(str(one) for one in changed)
    return OK if found and not changed else DIFFERS


def _show(plan: Plan, asked: argparse.Namespace) -> int:
    planned = plan.resolve(asked.revision)
    stations = Path(asked.stations)
    found = release_of(plan, asked.revision, stations)
    changed = release.differences(found, deciding_now(plan, stations)) if found else []
    rows = [
        {
            "requirement": one.id,
            "title": one.title,
            "stages": list(one.stages),
            "measurements": sum(p.requirement == one.id for p in planned.values()),
        }
        for one in plan.requirements.values()
    ]
    status = _status(found, changed)
    if asked.json:
        head = {"board": plan.board, "revision": asked.revision, "version": plan.version, "sha256": plan.sha256}
        print(json.dumps({**head, "release": status, "requirements": rows}, indent=1))
        return OK
    print_table(
        ("requirement", "", "stages", "measurements"),
        [
            [str(row["requirement"]), str(row["title"]), _stages(row["stages"]), str(row["measurements"])]
            for row in rows
        ],
        whole=1,
        figures_from=3,
    )
    told = f"released as {status['id']} by {status['by']}, {status['on']}" if found else "not released"
    since = f"; {len(changed)} differences since: hil plan diff {plan.board}" if changed else ""
    print(one_line(f"{plan.board} revision {asked.revision}, plan {plan.version}: {told}{since}"))
    return OK


def _stages(stages: Any) -> str:
    return ", ".join(stages) or "none"


def _status(found: release.Release | None, changed: Collection[release.Difference]) -> dict[str, str]:
    if found is None:
        return {"status": "none", "id": "", "by": "", "on": "", "note": ""}
    status = "changed" if changed else "released"
    return {"status": status, "id": found.id, "by": found.by, "on": found.on, "note": found.note}


def find_holes(plan: Plan) -> list[coverage.Hole]:
    """Collect the tests of the board and hold the plan against them. Raises PlanError where they do not collect."""
    folder = TESTS / plan.board.replace("-", "_")
    if not folder.is_dir():
        raise PlanError(f"there are no tests of {plan.board}", f"write them in {folder}")
    sources = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.py"))}
    return coverage.holes(plan, _collect(folder), sources)


class _Collector:
    """A pytest plugin that keeps what was collected."""

    def __init__(self) -> None:
        self.tests: list[coverage.PlanTest] = []

    def pytest_collection_finish(self, session: Any) -> None:
        for item in session.items:
            marks = tuple(str(id_) for mark in item.iter_markers("requirement") for id_ in mark.args)
            self.tests.append(coverage.PlanTest(item.nodeid, item.path.stem, marks))


def _collect(folder: Path) -> list[coverage.PlanTest]:
    import pytest

    collector, output = _Collector(), io.StringIO()
    arguments = [str(folder), "--collect-only", "-q", "-p", "hil.plugin"]
    arguments += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # this process has imported parts of hil already
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        exit_code = int(pytest.main(arguments, plugins=[collector]))
    if exit_code != OK or not collector.tests:
        last = output.getvalue().strip().splitlines()[-1:] or ["pytest said nothing"]
        raise PlanError(f"the tests cannot be collected: {one_line(last[0])}", f"see: pytest --collect-only {folder}")
    return collector.tests
