"""The evidence of a board type: runs of several units in one folder that opens from a memory stick."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hil.errors import SetupError

if TYPE_CHECKING:
    from hil.reports.bundle.collect import Evidence
    from hil.reports.edition import Edition


def bundle(
    board: str,
    revision: str,
    folders: Sequence[Path],
    target: Path,
    edition: Edition,
    decisions: Path | None = None,
) -> Evidence:
    """Gather the runs in folders, write their package into target, and return what it says.

    target is a new or empty folder; what could not be finished is removed again. Raises SetupError for runs of another
    board or revision and for a target that holds files, JournalDamaged or JournalVersion for what cannot be read.
    """
    from hil.journal import disk
    from hil.reports import refuse_inside
    from hil.reports.bundle.collect import collect
    from hil.reports.bundle.write import write

    found = collect(board, revision, folders)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise SetupError(f"{target} is not empty", "name a new folder: nothing else may lie in a bundle")
    refuse_inside(target)
    try:
        write(found, target, edition, decisions)
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise SetupError(f"{target} cannot be written: {disk.in_words(error)}", "mend that, or name another") from error
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return found
