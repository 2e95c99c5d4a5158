"""Many runs at once: whatever ends it, no folder is left half made."""

import os
import signal
import time
from pathlib import Path

import pytest

from hil.reports.many import over


def test_an_interruption_waits_for_the_folders_that_were_begun(tmp_path, monkeypatch):
    """Ctrl-C reaches every process of the terminal; what comes after is not begun."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    folders = [tmp_path / str(number) for number in range(9)]
    parent = os.getpid()

    def work(folder: Path) -> str:
        (folder).mkdir()
        if os.getpid() != parent:
            if folder.name == "1":
                os.kill(parent, signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)
        (folder / "done").touch()
        return folder.name

    with pytest.raises(KeyboardInterrupt):
        list(over(work, folders))
    begun = list(tmp_path.iterdir())

    assert 1 < len(begun) < len(folders)
    assert all((folder / "done").exists() for folder in begun)
