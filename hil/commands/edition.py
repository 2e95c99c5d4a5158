"""What a person asked for about the certificate, read from the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hil.run.edition import EditionAsked, make_edition

if TYPE_CHECKING:
    from hil.reports.edition import Edition


def edition_asked(asked: argparse.Namespace) -> EditionAsked:
    """Return it as hil.run.edition wants it."""
    return EditionAsked(
        language=asked.lang,
        template=asked.template,
        key=asked.key,
        passphrase_file=asked.passphrase_file,
        pdf=not asked.no_pdf,
    )


def edition_of(asked: argparse.Namespace) -> Edition:
    """Open what was asked for; the keys are those of `--station` where `--key` names none."""
    station = None
    if asked.station:
        from hil.station.config import load_stations, pick_station

        station = pick_station(load_stations(Path(asked.stations)), asked.station)
    return make_edition(edition_asked(asked), station)
