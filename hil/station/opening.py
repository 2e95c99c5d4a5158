"""Open one instrument by its role, driver and resource."""

from __future__ import annotations

import importlib
from typing import cast

from hil.clock import Clock
from hil.instruments.roles import Instrument


def open_instrument(role: str, driver: str, resource: str, clock: Clock) -> Instrument:
    """Open the link and put the driver on it; raises HilError."""
    kind = importlib.import_module(f"hil.instruments.{driver}").DRIVER
    if hasattr(kind, "open"):  # its resource is not VISA's: it opens itself
        return cast(Instrument, kind.open(resource, clock))
    from hil.links.visa import VisaLink

    link = VisaLink(f"{kind.MODEL} ({role})", resource, **kind.LINK)
    try:
        return cast(Instrument, kind(link, clock))
    except BaseException:
        link.close()
        raise
