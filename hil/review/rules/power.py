"""The budget of the low-voltage supply."""

from __future__ import annotations

from collections.abc import Iterator

from hil.review.board import Board
from hil.review.document import Part
from hil.review.finding import Certainty, Evidence, Finding, Severity
from hil.review.knowledge import electrical
from hil.review.rule import rule
from hil.review.rules.relays import bistable
from hil.review.wording import counted, names


def _logic_a(board: Board) -> tuple[float, tuple[Evidence, ...]]:
    """What the logic draws at its worst, in amperes, and the figures it is made of."""
    table = electrical.loads()
    total_a, said = 0.0, []
    if board.controller is not None:
        total_a += table["controller_a"]
        said.append(electrical.cited(table, "controller", f"controller {table['controller_a'] * 1e3:g} mA"))
    if phys := [one for one, knowledge in board.ethernet if knowledge.bus == "rmii"]:
        total_a += len(phys) * table["phy_a"]
        said.append(electrical.cited(table, "phy", f"PHY {table['phy_a'] * 1e3:g} mA"))
    meters = [chip for one in board.of_kind("meter") if (chip := electrical.chip(one.part.model)) is not None]
    if meters:
        total_a += sum(chip.supply_a for chip in meters)
        said.append(
            Evidence(f"{counted(len(meters), 'meter')}, {meters[0].supply_a * 1e3:g} mA each", meters[0].source)
        )
    leds = {use.gpio for use in board.gpios if "led" in use.kinds}
    if leds:
        total_a += len(leds) * table["led_a"]
        said.append(electrical.cited(table, "led", f"{counted(len(leds), 'LED')}, {table['led_a'] * 1e3:g} mA each"))
    return total_a, tuple(said)


def _supply(board: Board) -> tuple[Part, electrical.Rating] | None:
    """The one supply of the board whose rating its model tells."""
    known = [
        (one.part, rating) for one in board.of_kind("smps") if (rating := electrical.supply(one.part.model)) is not None
    ]
    return known[0] if len(known) == 1 else None


@rule(
    "DR-33", "The supply carries all coils together with the logic and a margin, or the coils are pulsed one at a time."
)
def supply_budget(board: Board) -> Iterator[Finding]:
    """Compare the supply's rating with its loads, coils at once and one by one."""
    found, table = _supply(board), electrical.loads()
    coils = len(board.coils) or max((block.count for block in board.blocks_of("coil")), default=0)
    if found is None or coils < 2:
        return
    part, rating = found
    coil_a = table["coil_a"] * table["coil_volts"] / rating.volts  # the same power at another voltage
    logic_a, said = _logic_a(board)
    together_a, single_a = coils * coil_a + logic_a, coil_a + logic_a
    if together_a <= table["share"] * rating.amperes:
        return
    relays = [one.ref for one in board.of_kind("relay") if "connector" not in one.kinds]
    held = bool(relays) and not bistable(board)  # a coil that must be fed as long as its contact is to be closed
    which = f"the coils of {names(relays)} are not told" if relays else "no relay is listed"
    fed = names(
        one.part.ref
        for one in board.connectors
        if any((net := board.nets.get(pin.net)) and net.volts == rating.volts for pin in one.pins)
    )
    beyond = [*(["a buzzer"] if board.of_kind("buzzer") else []), *([f"what {fed} feed"] if fed else [])]
    at_once = f"{coils} at once and the logic may take {together_a:.2f} A of {rating.amperes:g} A"
    yield Finding(
        "DR-33",
        f"The {rating.volts:g} V budget is not sure to carry all coils: {at_once}"
        if held
        else f"The {rating.volts:g} V budget is sure only if the coils are pulsed one at a time: {at_once}, "
        f"one {single_a:.2f} A",
        Severity.MED if held else Severity.INFO,
        Certainty.DEPENDS if held else Certainty.CERTAIN,
        (
            board.document.quote(part),
            Evidence(f"{rating.volts:g} V, {rating.amperes:g} A", rating.source),
            electrical.cited(table, "coil", f"a coil takes up to {coil_a * 1e3:.0f} mA; {which}"),
            *said,
            electrical.cited(table, "share", f"planned with {table['share']:.0%} of the rating"),
        ),
        (
            "Add up the coils of the relays that are fitted; choose a supply for all of them, or let the firmware "
            "limit how many are on."
            if held
            else "Pulse one coil at a time and say so in the firmware's requirements; then measure the dip of the rail "
            "during a pulse."
        )
        + (f" Not in this budget: {' and '.join(beyond)}." if beyond else ""),
        condition="on the coils' currents, taken as those of usual parts"
        if held
        else "of the rule and the counts; coil currents are those of usual parts",
    )
