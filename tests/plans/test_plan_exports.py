"""[exports] of a plan: what it names must be measured."""

import re
import shutil
from pathlib import Path

import pytest

import hil.plans
from hil.plans.check import mistakes
from hil.plans.plan import PlanError, load_plan

SHIPPED = Path(hil.plans.__file__).parent


@pytest.mark.parametrize("key", ["dcc", "conditions"])
def test_what_is_not_measured_cannot_be_exported(tmp_path, key):
    """The plan is refused, and the name said."""
    for path in SHIPPED.glob("smart_power*"):
        shutil.copy(path, tmp_path)
    text = (SHIPPED / "smart_power.toml").read_text()
    changed, count = re.subn(rf'(?m)^{key} = \["[^"]+"\]$', f'{key} = ["metering.nothing"]', text)
    (tmp_path / "smart_power.toml").write_text(changed)

    assert count == 1
    with pytest.raises(
        PlanError, match=rf"\[exports\] {key} names 'metering\.nothing', which the plan does not measure"
    ):
        load_plan("smart-power", tmp_path)


def test_an_unknown_export_is_a_mistake_of_the_plan():
    """Named by its key."""
    assert "exports.stdf: a plan has no such key" in mistakes({"exports": {"stdf": []}})
