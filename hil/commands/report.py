"""hil report: make the reports of runs again. The same journal gives the same bytes."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil.commands.edition import edition_of
from hil.commands.find import find_run
from hil.errors import HilError, SetupError
from hil.journal.reader import is_going_on, read_journal
from hil.names import one_line, printable
from hil.signing.errors import short

if TYPE_CHECKING:
    from hil.reports.edition import Edition
    from hil.signing.signer import Signer

SETUP_FAULT = 4


def run(asked: argparse.Namespace) -> int:
    """Make every report of each run anew and print the paths; say what a record lacks."""
    folders = [find_run(Path(asked.runs), one) for one in asked.run]
    for folder in folders:
        if is_going_on(folder):
            raise SetupError(f"the run in {folder} is going on: its journal is being written", "wait for its end")
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise SetupError("a run is named twice", "name each once")
    edition = edition_of(asked)
    out = Path(asked.out) if asked.out else None
    if edition.signer is not None:
        for folder in folders:
            _check_signature(asked, folder, edition.signer)
    if len(folders) == 1:
        one = _made(folders[0], out, edition)
        print(json.dumps(one, indent=1) if asked.json else _in_words(one), flush=True)
        exit_code = 0
    else:
        exit_code = _several(folders, out, edition, as_json=asked.json)
    from hil.reports import without_pdf

    if lacking := without_pdf(edition):
        print(f"hil: {one_line(lacking)}", file=sys.stderr)
    return exit_code


def _several(folders: Sequence[Path], out: Path | None, edition: Edition, *, as_json: bool) -> int:
    """Make those of each run; one that cannot be made keeps none of the others from being made, and is counted."""
    from hil.reports.many import over
    from hil.signing.token import TokenSigner

    targets = [out / folder.resolve().parent.name / folder.resolve().name if out else None for folder in folders]
    if out and len(set(targets)) < len(targets):
        raise SetupError(f"two of the runs would be written to the same folder in {out}", "make them one by one")
    into = dict(zip(folders, targets, strict=True))

    def work(folder: Path) -> dict[str, Any]:
        try:
            return _made(folder, into[folder], edition)
        except HilError as error:
            return {"record": str(folder), "reports": [], "error": str(error)}

    # a forked process has no session with the token: there one run is done after the other
    made = map(work, folders) if isinstance(edition.signer, TokenSigner) else over(work, folders)
    said = []
    for one in made:
        said.append(one)
        if not as_json:
            print(_in_words(one), end="\n" if one["reports"] else "", flush=True)
    if as_json:
        print(json.dumps(said, indent=1))
    failed = sum("error" in one for one in said)
    if failed:
        print(f"hil: {failed} of {len(said)} runs got no reports", file=sys.stderr)
    return SETUP_FAULT if failed else 0


def _made(folder: Path, target: Path | None, edition: Edition) -> dict[str, Any]:
    from hil.reports import make_copies, make_reports

    journal = read_journal(folder)
    made = make_reports(folder, edition) if target is None else make_copies(folder, target, edition)
    return {
        "record": str(folder),
        "reports": [str(path) for path in made],
        "died": journal.finished is None,
        "torn": journal.torn,
        "lines": len(journal.entries),
    }


def _check_signature(asked: argparse.Namespace, folder: Path, signer: Signer) -> None:
    """Refuse to sign a run again whose signature nobody here can vouch for: it may be of another record."""
    from hil.commands.trust import trust_asked
    from hil.reports.manifest import ENVELOPE
    from hil.reports.verify import verify_signature

    if not (folder / ENVELOPE).exists():
        return
    asked.trust = ""
    outcome = verify_signature(folder, trust_asked(asked, folder).with_key(signer.name, signer.public))
    if outcome is not None and (why := outcome.difference or outcome.unknown):
        raise SetupError(f"{folder} is not signed again: {why}", "restore it from a copy, or trust the key it names")
    if outcome is not None and outcome.keyid != signer.keyid:
        said = f"{folder} was signed by {outcome.signer} (key {short(outcome.keyid)}), now by {signer.name}"
        print(f"hil: {one_line(said)}", file=sys.stderr)


def _in_words(one: dict[str, Any]) -> str:
    if "error" in one:
        print(f"hil: {one_line(one['record'])}: {printable(one['error'])}", file=sys.stderr)
    elif one["died"] or one["torn"]:
        cut = "; its last line was cut short and is left out" if one["torn"] else ""
        print(f"hil: this run died, the reports hold what it left: {one['lines']} lines{cut}", file=sys.stderr)
    return "\n".join(one_line(path) for path in one["reports"])
