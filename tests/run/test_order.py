"""What a customer told: refused where it cannot stand on a certificate."""

from datetime import date

import pytest

from hil.errors import SetupError
from hil.run.order import Order

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize("received", ["20261121", "2026-W47-6", "2026-11-31", "2026-11-22", "yesterday"])
def test_a_day_is_written_in_one_way_and_is_not_to_come(received):
    """Python reads other spellings of ISO 8601 too; the certificate prints what is on record."""
    with pytest.raises(SetupError):
        Order(received=received).check(TODAY)
    Order(received="2026-11-21").check(TODAY)
