"""The simulated unit's bad line, by the faults' names."""

import pytest

from hil.errors import Blame
from hil.links.rpc import UnitRebooted
from tests.misbehaving.fixture_rig import FixtureRig


def test_the_named_faults_of_the_line_never_give_a_wrong_word():
    """Noise, half a frame and a bouncing EN at a real unit: right, or the bench is blamed; then right again."""
    rig = FixtureRig()
    try:
        board = rig.board(rig.open())
        right = board.identity()
        rig.begin("console-noise")
        for _ in range(20):
            assert board.identity() == right
            rig.clock.sleep(0.15)

        rig.begin("console-half-frame")
        assert board.identity() == right

        rig.begin("console-reboots")
        with pytest.raises(UnitRebooted, match="POWERON") as caught:
            board.identity()
        assert caught.value.blame is Blame.BENCH
        rig.clock.sleep(1.0)
        assert board.identity() == right
    finally:
        rig.close()
