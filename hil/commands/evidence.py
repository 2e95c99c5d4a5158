"""hil evidence: runs of several units in one package, each verified before it goes in."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from hil.commands.edition import edition_of
from hil.commands.find import find_run
from hil.commands.trust import trust_asked
from hil.errors import SetupError
from hil.journal.reader import is_going_on
from hil.names import one_line
from hil.reports import without_pdf

DECISIONS = Path(__file__).parents[2] / "docs" / "decisions"  # in a checkout; an installed hil has none


def run(asked: argparse.Namespace) -> int:
    """Verify the runs, gather them, write the package and print where it is."""
    folders = [find_run(Path(asked.runs), one) for one in asked.run]
    for folder in folders:
        if is_going_on(folder):
            raise SetupError(f"the run in {folder} is going on: its journal is being written", "wait for its end")
        _verify(asked, folder)
    edition = edition_of(asked)
    target = Path(asked.out)
    beside = target if target.name not in {"", ".."} else target.resolve()
    packed = beside.with_name(f"{beside.name}.zip") if asked.zip else None
    if packed is not None and packed.exists():
        raise SetupError(f"{packed} is there already", "name another folder with --out, or move that file away")
    from hil.reports.bundle import bundle

    made = bundle(asked.board, asked.revision, folders, target, edition, DECISIONS if DECISIONS.is_dir() else None)
    if packed is not None:
        _pack(target, packed)
    if asked.json:
        said = {"evidence": str(target), "zip": str(packed) if packed else None, "runs": list(map(str, folders))}
        print(json.dumps({**said, "notices": list(map(str, made.notices))}, indent=1))
        return 0
    for notice in (*map(str, made.notices), *filter(None, [without_pdf(edition, "evidence.pdf")])):
        print(f"hil: {one_line(notice)}", file=sys.stderr)
    print(f"{len(folders)} run{'' if len(folders) == 1 else 's'}: {one_line(str(target / 'index.html'))}")
    if packed:
        print(one_line(str(packed)))
    return 0


def _verify(asked: argparse.Namespace, folder: Path) -> None:
    """Refuse a run whose record is not what its manifest says, or that was signed by somebody nobody here knows."""
    from hil.reports.tree import FolderTree
    from hil.reports.verify import verify_tree

    outcome = verify_tree(FolderTree(folder), trust_asked(asked, folder))
    if outcome.difference:
        raise SetupError(f"{folder} is ALTERED: {outcome.difference}", "restore it from a copy, or leave it out")
    if outcome.unknown:
        raise SetupError(f"{folder}: {outcome.unknown}", "or leave it out")


def _pack(target: Path, packed: Path) -> None:
    from hil.journal import disk
    from hil.reports.bundle.write import pack

    try:
        pack(target, packed)
    except OSError as error:
        what = f"{packed} cannot be written: {disk.in_words(error)}"
        raise SetupError(what, f"the bundle itself is whole, in {target}") from error
