"""hil verify: is this record whole, unaltered, and signed by whom?"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path

from hil.commands.find import find_run
from hil.commands.trust import trust_asked
from hil.errors import SetupError
from hil.journal.folders import is_run_id
from hil.journal.reader import JOURNAL_NAME, is_going_on
from hil.names import one_line
from hil.reports import manifest, verify
from hil.reports.tree import FolderTree, ZipTree
from hil.reports.verify import Outcome
from hil.signing.errors import short
from hil.signing.trusted import Trusted

WHOLE, DOUBTED = 0, 1


def run(asked: argparse.Namespace) -> int:
    """Check chain, manifest, every file and the signatures; name the first difference."""
    path = _find(asked)
    trusted = trust_asked(asked, path)
    outcome = _of_another(asked.run, path, _check(path, trusted))
    why = _why_not(outcome, trusted)
    if asked.json:
        said = {
            "record": str(path),
            "whole": outcome.whole,
            "why": why or None,
            "signed": bool(outcome.signer or outcome.pages),
            "signer": outcome.signer or None,
            "keyid": outcome.keyid or None,
            "result": outcome.result or None,
            "pages": outcome.pages or None,
            "torn": outcome.journal is not None and outcome.journal.torn,
        }
        print(json.dumps(said, indent=1))
    else:
        print(_in_words(path, outcome, why, trusted))
    return DOUBTED if why else WHOLE


def _find(asked: argparse.Namespace) -> Path:
    """Return the folder or the file that is meant; a file of a run that has its manifest beside it means the run."""
    named = Path(asked.run)
    try:
        if named.is_file():
            alone = named.suffix in {".pdf", ".zip"}
            return named.parent if not alone and (named.parent / manifest.NAME).exists() else named
        if named.is_dir() and (named / manifest.NAME).exists():
            return named
    except OSError:  # a name too long, a folder not to be read: no file of that name here
        pass
    return find_run(Path(asked.runs), asked.run)


def _check(path: Path, trusted: Trusted) -> Outcome:
    if path.is_dir():
        if is_going_on(path):
            raise SetupError(f"the run in {path} is going on: its journal is being written", "wait for its end")
        return verify.verify_tree(FolderTree(path), trusted)
    if path.suffix == ".pdf":
        return verify.verify_pdf(path, trusted)
    if path.suffix == ".zip":
        return verify.verify_tree(ZipTree(path), trusted)
    if path.name.endswith(".dsse.json"):
        return verify.verify_envelope(path, trusted)
    if path.name == JOURNAL_NAME:
        return verify.verify_tree(FolderTree(path.parent), trusted)
    raise SetupError(
        f"{path} is nothing that can be verified", "name a run, its PDF, an evidence bundle or its archive"
    )


def _of_another(called: str, path: Path, outcome: Outcome) -> Outcome:
    """Doubt a record that was asked for by its serial number or its id, and is another's; a path may be any copy's."""
    journal = outcome.journal
    if outcome.difference or journal is None or not path.is_dir() or os.path.lexists(called):
        return outcome
    asked = (path.parent.name, path.name) if is_run_id(path.name) else (path.parent.name, journal.run_id)
    found = (journal.started.serial, journal.run_id or path.name)
    if found == asked:
        return outcome
    return replace(outcome, difference=f"it is the record of {found[0]}, run {found[1]}: put there in place of another")


def _why_not(outcome: Outcome, trusted: Trusted) -> str:
    """Say why the record is not to be believed, or nothing."""
    if outcome.difference or outcome.unknown:
        return outcome.difference or outcome.unknown
    if trusted.keys and not outcome.signer:
        return "it is whole but NOT SIGNED, and keys are trusted here: anybody could have made it"
    return ""


def _in_words(path: Path, outcome: Outcome, why: str, trusted: Trusted) -> str:
    where = one_line(str(path))
    if why:
        how = "ALTERED" if outcome.difference else "UNKNOWN KEY" if outcome.unknown else "NOT SIGNED"
        return f"{how}: {where}: {one_line(why)}"
    parts = []
    journal = outcome.journal
    if journal is not None:
        end = "; the run died" if journal.finished is None else ""
        end += "; its last line was cut short" if journal.torn else ""
        lines = f"{len(journal.entries)} lines, each with the digest of the one before{end}"
        parts.append(f"{journal.started.serial}, run {journal.run_id}: {lines}")
    elif outcome.listed is not None:
        files, runs = len(outcome.listed["files"]), len(outcome.listed.get("runs", ()))
        parts.append(f"{runs} run{'' if runs == 1 else 's'}, {files} files, each by its digest")
    if outcome.signer:
        known = trusted.keys[outcome.keyid].path
        parts.append(f"signed by {outcome.signer} (key {short(outcome.keyid)}, {known}) as {outcome.result}")
    if outcome.pages:
        parts.append(f"pages signed by {outcome.pages}")
    return one_line(f"whole and unaltered: {where}: {'; '.join(parts)}{'' if outcome.signer else '; NOT SIGNED'}")
