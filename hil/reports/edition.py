"""How the reports of a run are made: in which language, with whose letterhead, signed by whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hil.signing.signer import Signer


@dataclass(frozen=True, slots=True)
class Edition:
    """The same journal and the same edition give the same bytes, but for the time and chance in a PDF's signature."""

    language: str = "en"
    template: Path | None = None  # the laboratory's folder: laboratory.toml, a logo, templates of its own
    signer: Signer | None = None  # of the manifest
    pdf: bool = True  # certificate.pdf too, where that can be made
    seal: Callable[[bytes], bytes] | None = None  # signs the PDF
