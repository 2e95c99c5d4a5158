"""Each way in which the bench may misbehave, begun while a run holds it live.

A bench that misbehaves never fails a unit, nothing measured is lost, and nothing stays energised; or, where what is on
can no longer be reached, the run says so, and the next one is refused.
"""

from __future__ import annotations

from hil.sim.faults import fault_names
from tests.reliability.harness import BENCH_FAULT, Interruption
from tests.reliability.running import Ways

PREFIXES = ("bench-", "console-")
FROM_START = ("-wrong-identity", "-wrong-serial", "-busy")  # seen when the bench is opened, before anything is on
OUT_OF_REACH = ("-dies", "-cut", "-unplugged")
SAFE_ROLES = (
    "ac-source", "ac-load", "dc-supply", "hipot-tester", "surge-generator", "thermal-chamber", "programmable-resistor",
    "switch", "fixture",
)  # fmt: skip
SAFE_STATE = tuple(f"bench-{who}" for who in SAFE_ROLES)


def row(name: str) -> Interruption:
    """The row of one fault."""
    begins = name.endswith(FROM_START)
    return Interruption(
        name,
        "",
        None,
        BENCH_FAULT,
        ways=Ways("scene_round.py", fault=name),
        bench=("--fault", name) if begins else (),
        safe=not (name.startswith(SAFE_STATE) and name.endswith(OUT_OF_REACH)),
    )


MISBEHAVIOURS = tuple(row(name) for name in fault_names() if name.startswith(PREFIXES))
