"""Where the unit on the fixture is in the network."""

from __future__ import annotations

from dataclasses import dataclass

from hil.station import launch
from hil.station.config import StationConfig


@dataclass(frozen=True, slots=True)
class UnitAddresses:
    """Where the unit is in the network; empty: nowhere that this station knows."""

    http: str  # by Wi-Fi
    ethernet_http: str
    echo: str  # host:port

    @classmethod
    def of(cls, config: StationConfig, simulated: launch.SimulatedStation | None) -> UnitAddresses:
        """Take them from the launched station, or from stations.toml."""
        if simulated is None:
            return cls(config.unit_http, config.unit_ethernet, config.unit_echo)
        unit = simulated.addresses["unit"]
        return cls(unit["http"], unit["ethernet_http"], unit["echo"])
