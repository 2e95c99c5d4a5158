"""The public API: what it exports is there, and asking for nothing loads nothing."""

import subprocess
import sys

import pytest

import hil.metrology


def test_every_exported_name_is_there():
    """Each name of __all__ can be had, and nothing else."""
    assert all(getattr(hil.metrology, name) is not None for name in hil.metrology.__all__)
    assert set(hil.metrology.__all__) <= set(dir(hil.metrology))
    with pytest.raises(AttributeError, match="jugde"):
        hil.metrology.jugde  # noqa: B018 - the attribute is the test


def test_importing_the_package_imports_nothing_heavy():
    """A limit can be looked up without numpy, scipy, GTC or pydantic."""
    code = (
        "import sys, hil.metrology as m\n"
        "m.lookup('iec62053_21_2003.balanced', accuracy_class='1', connection='direct', current_a=1.0,"
        " power_factor='1', references_a={'Ib': 1.0, 'Imax': 3.0})\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert set(done.stdout.split()) & {"numpy", "scipy", "GTC", "pydantic", "pandas", "rich", "pytest"} == set()
