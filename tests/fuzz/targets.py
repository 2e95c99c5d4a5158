"""All targets; importing this registers them."""

from __future__ import annotations

from fuzz import driver_targets, file_targets, net_targets, scpi_targets, sim_targets, unit_targets
from fuzz.registry import TARGETS

__all__ = [
    "TARGETS",
    "driver_targets",
    "file_targets",
    "net_targets",
    "scpi_targets",
    "sim_targets",
    "unit_targets",
]
