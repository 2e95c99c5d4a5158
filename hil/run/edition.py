"""Make ready what a run's reports are made with: language, letterhead and keys, each checked before the run begins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hil.reports.edition import Edition

if TYPE_CHECKING:
    from collections.abc import Callable

    from hil.station.config import StationConfig


@dataclass(frozen=True, slots=True)
class EditionAsked:
    """What a person asked for on the command line."""

    language: str = "en"
    template: str = ""
    key: str = ""  # file or pkcs11: URI; empty: the station's
    passphrase_file: str = ""
    pdf: bool = True


def make_edition(asked: EditionAsked, station: StationConfig | None = None) -> Edition:
    """Open the keys and check language and template; raises SetupError for what cannot be used."""
    from hil.reports.language import language

    language(asked.language)
    template = Path(asked.template) if asked.template else None
    if template is not None:
        from hil.reports.laboratory import load

        load(template)
    signing = station.signing if station is not None else None
    key = asked.key or (signing.key if signing is not None else "")
    signer = None
    if key:
        from hil.signing.keys import open_signer

        signer = open_signer(key, passphrase_file=asked.passphrase_file)
    seal: Callable[[bytes], bytes] | None = None
    if asked.pdf and signing is not None and signing.pdf_key:
        from hil.signing.pades import open_seal

        seal = open_seal(signing.pdf_key, signing.pdf_certificate, passphrase_file=asked.passphrase_file)
    return Edition(asked.language, template, signer, asked.pdf, seal)
