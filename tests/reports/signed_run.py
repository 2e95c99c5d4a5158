"""A small signed run on disk, and whom to believe about it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sample_run import build

from hil.journal.reader import read_journal
from hil.reports import allure, attest, junit, manifest
from hil.signing.keys import new_key, open_signer
from hil.signing.signer import Signer
from hil.signing.trusted import load_trusted


class Keys:
    """A station's key, which is trusted, another that is too, and a stranger's."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o700)
        self.trusted_folder = folder / "trusted"
        made = {
            name: new_key(folder / place, name, None)[0]
            for name, place in (("bench-1", "trusted"), ("bench-2", "trusted"), ("stranger", "elsewhere"))
        }
        self.bench, self.second, self.stranger = (open_signer(str(path)) for path in made.values())
        self.paths = made
        self.trusted = load_trusted(self.trusted_folder)


def lay_out(folder: Path, keys: Keys) -> None:
    """Make a folder to work in: stations.toml, the keys it trusts, and a signed run."""
    (folder / "stations.toml").write_text("")
    shutil.copytree(keys.trusted_folder, folder / "trusted_keys")
    make(folder / "runs/SP-000123/20261121T083000.000000Z-abcd", keys.bench)


def make(folder: Path, signer: Signer | None, *, died: bool = False) -> Path:
    """Make a run with reports, a manifest, and its envelope where there is a signer."""
    folder.mkdir(parents=True, exist_ok=True)
    journal = build(folder, died=died)
    (folder / "junit.xml").write_bytes(junit.render(journal, folder))
    allure.write(journal, folder)
    sign(folder, signer)
    return folder


def sign(folder: Path, signer: Signer | None) -> None:
    """Make manifest and envelope over whatever lies in the folder."""
    journal = read_journal(folder)
    listed = manifest.render(journal, folder)
    (folder / manifest.NAME).write_bytes(listed)
    if signer is not None:
        (folder / manifest.ENVELOPE).write_bytes(attest.envelope(journal, listed, signer))


@contextmanager
def spoilt(run: Path, room: Path) -> Iterator[Path]:
    """Lend a copy of the run to be altered."""
    copy = room / "copy"
    shutil.copytree(run, copy)
    try:
        yield copy
    finally:
        shutil.rmtree(copy)
