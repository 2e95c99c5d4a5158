"""What the design review found, put on a run's record at its start. It weighs nothing in any verdict."""

from __future__ import annotations

from collections.abc import Iterator

from hil.journal import events
from hil.plans.plan import Plan
from hil.plans.review import touched


def on_record(plan: Plan, revision: str) -> Iterator[events.Event]:
    """Go through the findings about a revision, with the requirements they touch; or say that there is no review."""
    if plan.review is None or revision not in plan.review.revisions:
        if plan.review is not None:
            about = ", ".join(plan.review.revisions)
            yield events.Note("", f"the design review is about revision {about}; there is none of revision {revision}")
        return
    for touch in touched(plan, revision):
        one = touch.finding
        text = f"{one.title} ({one.condition})" if one.condition else one.title  # or "certain" would claim too much
        yield events.Finding("", text, touch.requirement, one.id, one.severity, one.certainty)
