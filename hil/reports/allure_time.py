"""When things happened in Allure's eyes: by the bench's clock, counted from the wall clock's time at its start.

On a real bench the two are one clock, save that nobody can set the bench's. On a simulated bench only the bench's own
clock shows what a run costs a laboratory: a type run is 36 hours of load and heat there and two minutes of this
computer, and a timeline of those two minutes would show how quick the simulation is.
"""

from __future__ import annotations

from hil.journal.reader import Journal
from hil.reports.cases import parse_utc


def stamps_ms(journal: Journal) -> list[int]:
    """Return when each line was written, by bench time, in ms since 1970; they never go back."""
    found: list[int] = []
    anchor: tuple[float, float] | None = None  # utc and bench time, in s, of the first line with a running bench clock
    for entry in journal.entries:
        utc_s = parse_utc(entry.utc).timestamp()
        if anchor is None and entry.bench_s > 0.0:  # it stands at zero until the bench is open
            anchor = utc_s, entry.bench_s
        at_s = utc_s if anchor is None else anchor[0] + entry.bench_s - anchor[1]
        found.append(max(round(at_s * 1000.0), *found[-1:]) if found else round(at_s * 1000.0))
    return found


def lasted(duration_s: float) -> str:
    """Return a duration as a person says it: its two largest units, the smallest being the second."""
    whole = round(duration_s)
    parts = ((whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s"))
    first = next((place for place, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2])
