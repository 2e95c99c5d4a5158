"""Whom a command believes: the keys named on its line, else those of the bench."""

from __future__ import annotations

import argparse
from pathlib import Path

from hil.errors import SetupError
from hil.reports import manifest
from hil.signing.trusted import Trusted, load_trusted
from hil.station.config import find_stations_file
from hil.station.trusted_folders import trusted_folders


def trust_asked(asked: argparse.Namespace, record: Path) -> Trusted:
    """Return whom to believe about that record; raises SetupError for keys that came with it."""
    if asked.trust:
        places = [Path(asked.trust)]
        if not places[0].exists():
            raise SetupError(f"--trust {asked.trust}: there is no such file or folder", "name a .pub file, or a folder")
    else:
        places = trusted_folders(find_stations_file(Path(asked.stations)))
    trusted = load_trusted(*places)
    whole = record.resolve()
    around = [one for one in (whole, *whole.parents) if manifest.is_record(one)]
    for place in places if trusted and not asked.trust else ():
        if place.exists() and any(place.resolve().is_relative_to(one) for one in around):
            raise SetupError(
                f"the keys in {place} came with the record itself: whoever made it up could have put them there",
                "go to another folder, or name keys you know with --trust",
            )
    if asked.trust and not trusted:
        raise SetupError(f"--trust {asked.trust} holds no key", "name a .pub file, or a folder with some")
    return trusted
