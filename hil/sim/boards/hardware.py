"""What the firmware stands on: the MCU's pins, and the flash that outlives each life of the program."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol


class EthernetPort(Protocol):
    """What the MCU's driver knows of its network port."""

    @property
    def has_mac(self) -> bool: ...
    @property
    def link_led(self) -> bool: ...
    @property
    def ip(self) -> str | None: ...
    def attach(self) -> None: ...


class Hardware(Protocol):
    """The MCU's pins."""

    @property
    def ethernet(self) -> EthernetPort:
        """The network port behind the MAC, where the board has one."""
        ...

    def coil(self, name: str, on: bool) -> None:
        """Drive one of the eight coil GPIOs."""
        ...

    def indicate(self, name: str, on: bool) -> None:
        """Drive the pin of "green", "red" or "buzzer"."""
        ...

    def spi(self, chip_select: int, frame: int) -> int:
        """Do one 24-bit frame on chip select 0..3; return the 16 bits of its data phase."""
        ...

    def transmit(self, data: bytes) -> None:
        """Send on UART0."""
        ...

    def ntc_mv(self) -> float:
        """Return the calibrated millivolts at the NTC divider."""
        ...

    def neutral_mv(self) -> float:
        """Return the calibrated millivolts at the neutral detection."""
        ...

    def earth_mv(self) -> float:
        """Return the calibrated millivolts at the earth detection."""
        ...

    def wifi_switch(self) -> bool:
        """Return whether the Wi-Fi switch stands on."""
        ...

    def restart(self, reason: int) -> None:
        """Reset the MCU from inside."""
        ...

    def record(self, kind: str, **detail: Any) -> None:
        """Tell the world's event log; no pin, and nothing that runs on the board sees it."""
        ...


@dataclass
class Nvs:
    """What the flash keeps through power loss. overcurrent holds the switches, 0..3, that a trip keeps open."""

    outputs: list[bool] = field(default_factory=lambda: [False] * 4)
    calibration: dict[int, dict[int, int]] = field(default_factory=dict)
    energy_wh: list[float] = field(default_factory=lambda: [0.0] * 4)
    config: dict[int, dict[str, Any]] = field(default_factory=dict)
    overtemp: bool = False
    overcurrent: set[int] = field(default_factory=set)
