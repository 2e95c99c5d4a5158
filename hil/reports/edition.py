"""How the reports of a run are made: in which language, with whose letterhead, signed by whom."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hil.signing.signer import Signer


@dataclass(frozen=True, slots=True)
class Edition:
    """The same journal and the same edition give the same bytes."""

    language: str = "en"
    template: Path | None = None  # the laboratory's folder: laboratory.toml, a logo, templates of its own
    signer: Signer | None = None
    pdf: bool = True  # where WeasyPrint is installed
