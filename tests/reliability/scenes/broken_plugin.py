"""A pytest plugin that breaks pytest itself while the bench is live: where nothing is caught, after the test's call."""

from __future__ import annotations

import pytest

from tests.reliability.scenes.live import Teller

_attach: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    _attach.append(config.getoption("attach"))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Fail with the fixtures still up."""
    if report.when == "call":
        Teller(_attach[0]).deed()
        raise ZeroDivisionError("a flaw of this plugin")
