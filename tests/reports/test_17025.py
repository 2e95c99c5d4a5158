"""ISO/IEC 17025:2017, 7.8.2.1 a to p, 7.8.3 and 7.8.6, walked through one certificate; and what is not released."""

import html
import re

import pytest
from certificate_sample import RUN_ID, Scenario, make_run
from test_certificate import CALIBRATED, Page

from hil.journal.events import Finding
from hil.reports.certificate import render
from hil.reports.edition import Edition

REVIEW = (
    Finding("", "Mains reaches the logic supply", "SAF-05", "DR-20", "blocker", "certain"),
    Finding("", "No fuse before the <varistor>", "", "DR-24", "med", "depends"),
)
EDITION = Edition()
CHANGED = {
    "status": "changed",
    "id": "smart-power-A-1",
    "by": "K. Muster",
    "on": "2026-11-01T08:00:00Z",
    "differences": [
        {"path": "hil/plans/smart_power.toml", "key": "limits.relay", "released": "0.5", "now": "0.7"},
        {"path": "hil/dut/<x>.py", "key": "", "released": "aa" * 32, "now": "bb" * 32},
    ],
}


class Key:
    """A signer that a page only has to name."""

    name, keyid = "quality-2026", "5e" * 32

    def sign(self, data):
        raise AssertionError("a page signs nothing")


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    place = {"place": "Halle 2, Platz 4", "customer": ""}
    scenario = Scenario(simulated=False, calibration=CALIBRATED, findings=REVIEW, stuck_relay="K4", waived=True)
    scenario.laboratory |= place
    return make_run(tmp_path_factory.mktemp("17025"), scenario)


def words(journal, edition=EDITION):
    """The page's text, a space wherever a tag stood."""
    data = render(journal, journal.folder, edition).decode()
    Page(data.encode())  # it is well formed

    return " ".join(html.unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", data, flags=re.DOTALL)).split())


@pytest.fixture(scope="module")
def text(journal):
    return words(journal, Edition(signer=Key()))


@pytest.mark.parametrize(
    ("clause", "said"),
    [
        ("7.8.2.1 a: title", "Test certificate"),
        ("b: name and address", "Prüflabor Nord Kanalstraße 4, Kiel"),
        ("c: place", "Place of the test Halle 2, Platz 4"),
        ("d: unique identification, end", f"Certificate no. {RUN_ID}"),
        ("d: clear end", f"End of certificate {RUN_ID}"),
        ("e: customer and contact", "Customer Stadtwerke Musterstadt Contact Frau Beispiel"),
        ("f: method", "Method Reference meter in the same circuit"),
        ("g: item", "Serial number SP-000123"),
        ("g: condition", "Condition on receipt packed, no visible damage"),
        ("h: receipt", "Received on 2026-11-20"),
        ("h: sampling", "Sampling Not applicable"),
        ("i: dates of the test", "Begun 2026-11-21 14:02:11 UTC"),
        ("j: date of issue", "Ended, date of issue 2026-11-21 14:02:"),
        ("k: sampling plan", "the one item named here was tested"),
        ("l: only this item", "The results relate only to the item tested"),
        ("l: copying", "may be copied only as a whole"),
        ("m: results with units", "U is the expanded uncertainty at about 95"),
        ("n: deviations", "Additions, deviations, exclusions"),
        ("n: a waiver is one", "Requirements that were waived: REL-02"),
        ("o: who authorises", "Authorised by: name, function, signature"),
        ("p: external providers", "Results from external providers None"),
        ("7.8.2.2: the customer's data", "as the customer told them; the laboratory has not verified them"),
        ("7.8.3.1 a: conditions", "no ambient conditions were recorded"),
        ("7.8.3.1 c: uncertainty", "Expanded U, k = 2.14"),
        ("7.8.6.1: rule", "Decision rule: ILAC-G8:09/2019, 4.2.3"),
        ("7.8.6.1: risk", "The probability of a wrong statement"),
        ("7.8.6.2: which results", "It applies to"),
        ("7.8.7: opinions are marked", "they are not results of this test and change no verdict"),
        ("plan", "smart-power-A-1, by K. Muster on 2026-11-01 08:00:00 UTC"),
        ("signature", f"Signed by quality-2026, key {'5e' * 32}"),
    ],
)
def test_a_report_says_what_17025_asks(text, clause, said):
    """Each letter of the list has its place on the page."""
    assert said in text, clause


def test_a_fact_that_is_not_on_record_is_said_to_be_missing(tmp_path):
    """No customer is invented, and no signature."""
    journal = make_run(tmp_path, Scenario(order={}))
    text = words(journal)

    assert text.count("not stated in the record") >= 5
    assert "Signed by not signed electronically" in text
    assert "as the customer told them" not in text


def test_the_design_review_has_a_table_of_its_own(journal):
    """Worst first, with severity and certainty; a requirement is named where there is one."""
    data = render(journal, journal.folder).decode()
    table = data.partition('<table class="stack review">')[2].partition("</table>")[0]
    rows = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r"<tr class.*?</tr>", table)]

    assert rows == [
        "DR-20 blocker certain SAF-05 Mains reaches the logic supply",
        "DR-24 med depends &mdash; No fuse before the &lt;varistor&gt;",
    ]


def test_a_released_plan_leaves_no_mark(journal):
    """Neither across the page nor in its head."""
    data = render(journal, journal.folder).decode()

    assert "NOT RELEASED" not in data
    assert 'class="watermark"' not in data


@pytest.mark.parametrize("release", [{}, {"status": "none"}, CHANGED], ids=["silent", "none", "changed"])
def test_what_is_not_released_says_so_across_the_page(tmp_path, release):
    """In the title, on the screen, on paper, and among the deviations; a record that says nothing is not released."""
    journal = make_run(tmp_path, Scenario(simulated=False, calibration=CALIBRATED, release=release))
    data = render(journal, journal.folder).decode()

    assert "(NOT RELEASED)" in data.partition("</title>")[0]
    assert '<div class="watermark" aria-hidden="true"><span>NOT RELEASED</span></div>' in data
    assert '@top-center { content: "NOT RELEASED"' in data
    assert "The plan was not run as released" in data


def test_simulated_and_not_released_stand_together(tmp_path):
    """Neither hides the other."""
    data = render((journal := make_run(tmp_path, Scenario(release={}))), journal.folder).decode()

    assert "<span>SIMULATED</span><span>NOT RELEASED</span>" in data


def test_the_differences_from_the_release_are_listed(tmp_path):
    """File, key, what was released and what it is now; escaped like all that comes from outside."""
    journal = make_run(tmp_path, Scenario(release=CHANGED))
    text = words(journal)

    assert "not those of release smart-power-A-1" in text
    assert "hil/plans/smart_power.toml limits.relay 0.5 0.7" in text
    assert f"hil/dut/<x>.py the whole file {'aa' * 32} {'bb' * 32}" in text
