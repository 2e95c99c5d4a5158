"""A tiny disk of its own that fills up, and one that is read-only; run inside a mount namespace, prints JSON."""

import json
import subprocess
import sys
from pathlib import Path

from hil.clock import RealClock
from hil.errors import HilError
from hil.journal.events import Note, RunStarted, TestFinished
from hil.journal.reader import read_journal
from hil.journal.writer import JournalWriter, NotJournaled, new_run_folder


def said_by(action, *arguments):
    try:
        action(*arguments)
    except HilError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def main() -> None:
    disk = Path(sys.argv[1])
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "none", str(disk)], check=True)
    folder = new_run_folder(disk, "SP-1")
    with JournalWriter(folder, RealClock()) as journal:
        journal.write(RunStarted("SP-1", "b", "A", "type", "sim", True, "", {}, {}, "3", 0))
        too_large = said_by(journal.attach, "t", "wave", b"x" * 200_000, "text/plain")
        left = sorted(path.name for path in folder.rglob("*"))
        written = 1
        try:
            while True:
                journal.write(Note("t", "x" * 1000))
                written += 1
        except NotJournaled as error:
            full = str(error)
        at_full = len(read_journal(folder).entries)
        subprocess.run(["mount", "-o", "remount,size=1m", str(disk)], check=True)
        journal.write(Note("t", "room was made"))
        journal.write(TestFinished("t"))
    whole = read_journal(folder)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    read_only = [
        said_by(new_run_folder, disk, "SP-2"),
        said_by(JournalWriter, folder, RealClock()),
        said_by(JournalWriter.resume, folder, RealClock()),
    ]
    sys.stdout.write(
        json.dumps(
            {
                "too_large": too_large,
                "left": left,
                "full": full,
                "written": written,
                "at_full": at_full,
                "lines": len(whole.entries),
                "torn": whole.torn,
                "read_only": read_only,
            }
        )
    )


if __name__ == "__main__":
    main()
