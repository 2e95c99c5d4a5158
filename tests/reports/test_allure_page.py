"""The page that Allure 3 makes, opened in Chromium: it shows what a laboratory looks for, and talks to nobody.

Needs Node with Allure 3, and Chromium. Neither is a package of Python, so where one is missing nothing here is proven,
and the reason for that is said.
"""

import hashlib
import re
import shutil
from pathlib import Path

import pytest
from chromium import NAMES, Chromium, find
from sample_run import RUN_ID, build

from hil.reports import allure, allure_html

OURS = Path(__file__).parents[2] / ".allure/node_modules/.bin"  # where no run finds it: not each is to make a page
EARLIER = ("20261120T080000.000000Z-abcd", "20261120T090000.000000Z-abcd")


@pytest.fixture(scope="module")
def browser():
    command = find()
    if command is None:
        pytest.skip(f"no Chromium: none of {', '.join(NAMES)} is on PATH (Debian: apt-get install chromium)")
    with Chromium(command) as browser:
        yield browser


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Make three runs of one unit, the last of which failed, and the page of that one."""
    command = shutil.which("allure", path=str(OURS)) or allure_html.find_allure()
    if command is None:
        pytest.skip("no Allure 3: npm install --no-save --prefix .allure allure@3.18.0, or `allure` on PATH")
    unit = tmp_path_factory.mktemp("SP-000123")
    for run_id in (*EARLIER, RUN_ID):
        (unit / run_id).mkdir()
        journal = build(unit / run_id, run_id=run_id, failed=run_id == RUN_ID)
    results = allure.write(journal, journal.folder)
    page = allure_html.write(journal, results, journal.folder, command)
    assert page is not None
    return journal, results, command


@pytest.fixture(scope="module")
def opened(browser, run):
    browser.open((run[0].folder / "allure-report/index.html").as_uri())
    browser.wait_for("01 metering")
    return browser


@pytest.fixture
def page(opened):
    """Return how to go to a view and read it."""

    def view(mark, text):
        opened.script(f"location.hash = {mark!r}")
        return opened.wait_for(text)

    return view


@pytest.fixture
def latch(run):
    """Return the mark of the test whose relay did not latch, as Allure makes it from our uuid."""
    one = next(one for one in allure.outlines(run[0]) if one.fullName.endswith("test_set_latches"))
    return hashlib.md5(one.uuid.encode(), usedforsecurity=False).hexdigest()


def test_the_same_journals_give_the_same_page(run):
    """No clock and no chance: Allure run again writes the same bytes."""
    journal, results, command = run
    path = journal.folder / "allure-report/index.html"
    once = path.read_bytes()
    allure_html.write(journal, results, journal.folder, command)

    assert path.read_bytes() == once


def test_the_first_view_says_which_unit_and_shows_the_areas_in_the_plans_order(page):
    shown = page("", "03 ethernet")

    assert "SP-000123 smart-power A, production: ABORTED SIMULATED" in shown
    assert shown.index("01 metering") < shown.index("02 relays") < shown.index("03 ethernet")


def test_a_test_shows_its_measurement_its_blame_and_where_the_certificate_has_it(page, latch, browser):
    """Value, limit and verdict stand in the step's name; the links open the certificate beside the report."""
    shown = page(latch, "latch[relay=K1] = 0")

    assert re.search(r"latch\[relay=K1\] = .+, limit .+: fail\n", shown)
    assert "unit: latch[relay=K1] = 0" in shown
    browser.script("open = (to) => { asked = to }")
    browser.click("[data-testid=test-result-meta-link]")
    assert browser.script("asked") == "../certificate.html#REL-01"


def test_the_history_has_the_units_earlier_runs(page, latch, browser):
    """It passed twice before."""
    page(latch, "latch[relay=K1] = 0")
    browser.click("[data-testid=test-result-tab-history]")
    shown = browser.wait_for("11/21/2026 at 08:30:00\n20ms")

    assert shown.count("at 08:30:00\n20ms") == len(EARLIER)


def test_categories_are_by_blame(page):
    shown = page("categories", "Unit: out of limits")

    assert "Bench: test the unit again" in shown
    assert "Not due at this stage" in shown


def test_the_timeline_has_a_lane_for_the_slot(page):
    shown = page("timeline", "slot 1")

    assert "Host: sim" in shown


def test_the_charts_show_the_runs_of_the_unit(page):
    assert "No history information available" not in page("charts", "Runs of this unit")


def test_no_view_asks_the_network_or_complains(opened):
    """In all that was seen above."""
    assert opened.trouble() == []


def test_a_page_that_does_is_found_out(browser, tmp_path):
    """A request, a message on the console and an exception are each seen; so that silence means something."""
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<script src='https://metrics.example/a.js'></script>"
        "<script>console.error('one'); throw Error('two')</script><p>seen</p>"
    )
    browser.open(bad.as_uri())
    browser.wait_for("seen")
    trouble = "\n".join(browser.trouble())

    assert "https://metrics.example/a.js" in trouble
    assert '"one"' in trouble
    assert "two" in trouble
