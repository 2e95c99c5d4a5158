"""Every target under valid messages and their mutations. The same examples each time, unless FUZZ_S asks for more."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.mutations import inputs
from fuzz.targets import TARGETS

LONG = "FUZZ_S" in os.environ
EXAMPLES = 20 * int(os.environ["FUZZ_S"]) if LONG else 50


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_holds(name: str) -> None:
    """What the manuals show is read, or refused, as each target demands."""
    target = TARGETS[name]

    for data in (b"", *target.seeds):
        target.check(data)


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_gets_past_the_parser(name: str) -> None:
    """Whatever becomes of a valid message on its way, the parser reads it or refuses it, as each target demands."""
    target = TARGETS[name]

    @settings(
        max_examples=EXAMPLES,
        derandomize=not LONG,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def feed(data: st.DataObject) -> None:
        target.check(data.draw(inputs(target)))

    feed()
