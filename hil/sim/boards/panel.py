"""What a person sees, hears and touches of the unit: two LEDs, the buzzer, the Wi-Fi switch.

Ref: facts smart-power 1.3 (GPIO41 green, 42 red, 45 buzzer through Q17, 46 switch). A high pin lights or sounds; the
buzzer has its own oscillator. The switch pulls GPIO46 down when it is on, so that it never disturbs the strap (DR-06);
all [A].
"""

from __future__ import annotations

from hil.sim.world import World

INDICATORS = ("green", "red", "buzzer")
DEAD = {"green": "led-green-dead", "red": "led-red-dead", "buzzer": "buzzer-dead"}


class Panel:
    """The pins as the MCU drives them, and what comes out."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._driven = dict.fromkeys(INDICATORS, False)
        self.wifi_switch = True

    def drive(self, name: str, on: bool) -> None:
        """Drive the pin of "green", "red" or "buzzer"."""
        if self._driven[name] != on:
            self._driven[name] = on
            self._world.record("indicator", name=name, driven=on)

    def release(self) -> None:
        """Let every pin float: pull-downs put everything out."""
        for name in INDICATORS:
            self.drive(name, False)

    def acts(self, name: str) -> bool:
        """Return whether it shines or sounds."""
        return self._driven[name] and not self._world.fault(DEAD[name])

    def set_wifi_switch(self, on: bool) -> None:
        """Move the switch."""
        if on != self.wifi_switch:
            self.wifi_switch = on
            self._world.record("gpio", line="Wi-Fi switch", level=on)
