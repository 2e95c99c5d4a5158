"""The unit's Ethernet link as its partner sees it: plug, flap and force it, watch what comes and how soon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from hil.errors import SetupError
from hil.instruments.roles import LinkPartner, LinkState
from hil.metrology.budget import Budget, rectangular
from hil.station.station import Station
from hil.tests.smart_power.waiting import Moment, Waited, moment_of, wait_for

STRAIGHT, CROSSED = "eth.straight", "eth.crossed"
POLL_S = 0.25
DEADLINE_S = 8.0  # what takes longer has failed by far
DOWN_DEADLINE_S = 3.0
SETTLE_S = 0.2  # from link up until mode and lights have followed [A]
ARBITRATION_S = (
    1.5  # a partner forced to 10 Mbit/s takes the unit's search for a link: it may need 1 s more (clause 28)
)
DOWN_S = 0.5  # long enough for either side to notice
PARTNER_DELAY_S = 0.1  # the partner asks its own PHY now and then [A]
LIGHT_SAMPLES, LIGHT_PAUSE_S = 5, 0.04  # the link light blinks with traffic: seen lit once is lit


@dataclass(frozen=True, slots=True)
class Seen:
    """A link as it was found when it had settled, and how long it took; a lower bound where it did not come."""

    came: bool
    took: Budget
    state: LinkState


class EthernetLink:
    """The link between the unit and its partner; `unplug` and `negotiate` leave it as it should be found."""

    def __init__(self, bench: Station) -> None:
        self._bench = bench
        self._cable, self._plugged = "", ExitStack()

    @property
    def partner(self) -> LinkPartner:
        """Whom the unit's port is connected to."""
        return self._bench.link_partner

    def negotiate(self) -> None:
        """Let the partner's port be up and negotiate."""
        self.partner.set_mode("auto")
        self.partner.set_port(True)

    def unplug(self) -> None:
        """Take the cable out."""
        self._cable = ""
        self._plugged.close()

    def plug(self, cable: str) -> Moment:
        """Take the cable out, plug one in, and return when that was."""
        self.unplug()
        self.await_down("the cable is out")
        after_s = self._bench.clock.now_s()
        self._plugged.enter_context(self._bench.route(cable))
        self._cable = cable
        return Moment(after_s, self._bench.clock.now_s())

    def ready(self) -> bool:
        """Have the straight cable in and wait for the link that should be there; say whether it is."""
        if self._cable != STRAIGHT:
            self.plug(STRAIGHT)
        now_s = self._bench.clock.now_s()
        return self.watch(Moment(now_s, now_s)).came

    @contextmanager
    def port_down(self) -> Iterator[None]:
        """Take the partner's port down inside the block; up again on every way out."""
        try:
            self.partner.set_port(False)
            self.await_down("its port is down")
            self._bench.clock.sleep(DOWN_S)
            yield
        finally:
            self.partner.set_port(True)

    @contextmanager
    def forced(self, mode: str) -> Iterator[Seen]:
        """Force the partner to a mode inside the block and yield what came of it; it negotiates again afterwards.

        Its port is down meanwhile: a forced port may go on sending what the unit has, and the unit would see no change.
        """
        try:
            with self.port_down():
                self.partner.set_mode(mode)
                since = moment_of(self._bench.clock, lambda: self.partner.set_port(True))
            seen = self.watch(since, mode)
            self._bench.clock.sleep(ARBITRATION_S)
            yield replace(seen, state=self.partner.link())
        finally:
            self.partner.set_mode("auto")

    def flap(self) -> Seen:
        """Take the partner's port down and up again; return what came back."""
        with self.port_down():
            return self.watch(moment_of(self._bench.clock, lambda: self.partner.set_port(True)))

    def watch(self, since: Moment, mode: str = "") -> Seen:
        """Wait for the link, in a mode if one is named, and look at it when it has settled."""
        waited = self._await(lambda link: link.up and mode in {"", link.mode}, since, DEADLINE_S)
        if waited.happened:
            self._bench.clock.sleep(SETTLE_S)
        return Seen(waited.happened, waited.took, self.partner.link())

    def await_down(self, why: str) -> None:
        """Wait until the link is down; a link that stays up is not this unit's."""
        now_s = self._bench.clock.now_s()
        if not self._await(lambda link: not link.up, Moment(now_s, now_s), DOWN_DEADLINE_S).happened:
            raise SetupError(
                f"the link partner reports a link although {why}",
                "check that its resource names the unit's port, and the wiring of eth.straight and eth.crossed",
            )

    def lights(self) -> set[str]:
        """Return which lights of the port shine, "link" and "speed"; one that blinks shines."""
        lit = set()
        for _ in range(LIGHT_SAMPLES):
            lit |= {name for name in ("link", "speed") if self._bench.fixture.light(name)}
            self._bench.clock.sleep(LIGHT_PAUSE_S)
        return lit

    def _await(self, wanted: Callable[[LinkState], bool], since: Moment, deadline_s: float) -> Waited:
        def found() -> bool:
            return wanted(self.partner.link())

        parts = [rectangular("the partner's own delay [A]", PARTNER_DELAY_S)]
        return wait_for(self._bench.clock, found, since, poll_s=POLL_S, deadline_s=deadline_s, parts=parts)
