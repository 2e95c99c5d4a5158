"""The software bill of materials of a station: what its runs recorded of packages, system and instruments' firmware.

Ref: CycloneDX 1.6 (ECMA-424)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from hil.journal.events import Instrument
from hil.reports.bundle.collect import Unit, software


def bills(units: Iterable[Unit]) -> dict[str, bytes]:
    """Return one bill for each station and software that runs were made with, by file name."""
    found: dict[str, bytes] = {}
    seen: dict[tuple[str, str], Unit] = {}
    for unit in units:
        said = software(unit)
        if said is not None:
            seen.setdefault((unit.journal.started.station, repr(said)), unit)
    for (station, _), unit in seen.items():
        stem = re.sub(r"[^A-Za-z0-9._-]", "_", station)[:64]  # a record from elsewhere may say anything
        number = sum(name.startswith(f"{stem}-") for name in found) + 1
        found[f"{stem}-{number}.cdx.json"] = _bill(unit, software(unit) or {})
    return found


def _bill(unit: Unit, said: dict[str, Any]) -> bytes:
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    started = unit.journal.started
    bom = Bom()
    # of the run, so that the same record gives the same bytes
    bom.serial_number = uuid5(NAMESPACE_URL, f"hil:sbom:{unit.journal.run_id}")
    bom.metadata.timestamp = datetime.fromisoformat(unit.journal.entries[0].utc)
    bom.metadata.component = station = Component(
        name=f"station {started.station}", type=ComponentType.PLATFORM, bom_ref="station"
    )
    parts = [
        Component(
            name="hil",
            version=f"{started.software.get('version', '')} {started.software.get('commit', '')}".strip(),
            type=ComponentType.APPLICATION,
            bom_ref="hil",
        ),
        Component(
            name=str(said["implementation"]), version=str(said["python"]), type=ComponentType.PLATFORM, bom_ref="python"
        ),
        Component(name=str(said["system"]), type=ComponentType.OPERATING_SYSTEM, bom_ref="system"),
    ]
    for one in said["packages"]:
        purl = PackageURL("pypi", name=one["name"], version=one["version"])
        parts.append(
            Component(
                name=one["name"],
                version=one["version"],
                type=ComponentType.LIBRARY,
                purl=purl,
                bom_ref=purl.to_string(),
            )
        )
    for instrument in unit.journal.of(Instrument):
        parts.append(
            Component(
                name=f"{instrument.role}: {instrument.identity}",
                version=firmware(instrument.identity) or None,
                type=ComponentType.DEVICE,
                bom_ref=f"instrument {instrument.role}",
            )
        )
    bom.components.update(parts)
    bom.register_dependency(station, parts)
    return JsonV1Dot6(bom).output_as_string(indent=1).encode() + b"\n"


def firmware(identity: str) -> str:
    """Return the firmware of an instrument as its identity on record names it, or nothing."""
    found = re.search(r", firmware (.+)$", identity)
    return found[1] if found else ""
