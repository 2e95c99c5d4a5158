"""How long a run or a test took, although the wall clock may have been set meanwhile."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime


def lasted_s(times: Iterable[tuple[str, float]], *, simulated: bool) -> float:
    """Return the time from the first to the last of these pairs of `utc` and `bench_s`, in seconds; never negative.

    On a real bench the bench's clock is this computer's monotonic one, and decides wherever it ran. A simulated bench
    has a time of its own; there the wall clock decides, and a step back counts as nothing.
    """
    total_s = 0.0
    told = ((datetime.fromisoformat(utc), bench_s) for utc, bench_s in times)
    for (before, bench_before_s), (after, bench_after_s) in itertools.pairwise(told):
        if not simulated and 0.0 < bench_before_s <= bench_after_s:  # it stands at zero until the bench is open
            total_s += bench_after_s - bench_before_s
        else:
            total_s += max(0.0, (after - before).total_seconds())
    return total_s
