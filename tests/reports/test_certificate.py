"""The certificate: complete, self-contained, accessible, and never better than the record it is made from."""

import hashlib
import itertools
import re
import shutil
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from certificate_sample import RUN_ID, Scenario, make_run

from hil.journal.events import Attachment, Instrument, Measurement
from hil.journal.reader import read_journal
from hil.reports.certificate import css_string, render

TEMPLATES = Path(__file__).parents[2] / "hil" / "reports" / "templates"
VOID = {"meta", "br", "col"}
CALIBRATED = {"certificate": "WT-2026-0042", "laboratory": "Cal Ltd", "date": "2026-03-02", "due": "2027-03-02"}


class Page(HTMLParser):
    """The page as a reader meets it: its texts, its tags, and whether they nest."""

    def __init__(self, data):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.texts = [], [], []
        self.feed(data.decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self):
        """All words, with plain spaces and signs."""
        return " ".join("".join(self.texts).replace("\u2212", "-").split())

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Four runs: a pass, a fail with a retry, one that died on a real bench, one with a waiver."""
    root = tmp_path_factory.mktemp("runs")
    real = {"simulated": False, "calibration": CALIBRATED}
    scenarios = {
        "pass": Scenario(),
        "fail": Scenario(bad_meter=2, stuck_relay="K2", retried=True, faults=("k2-set-open",)),
        "dead": Scenario(dies=True, **real),
        "waived": Scenario(stuck_relay="K4", waived=True, **real),
    }
    return {name: make_run(root / name, scenario) for name, scenario in scenarios.items()}


@pytest.fixture(scope="module")
def pages(runs):
    """The certificates of the runs."""
    return {name: Page(render(journal, journal.folder)) for name, journal in runs.items()}


def read_again(journal, root):
    """The same run from a copy of its folder, as years later."""
    return read_journal(Path(shutil.copytree(journal.folder, root / "copy")))


@pytest.mark.parametrize("name", ["pass", "fail", "dead", "waived"])
def test_same_journal_same_bytes(runs, name, tmp_path):
    """A page made from a copy of the folder is the same page."""
    journal = runs[name]
    copy = read_again(journal, tmp_path)

    assert render(copy, copy.folder) == render(journal, journal.folder)


@pytest.mark.parametrize("name", ["pass", "fail", "dead", "waived"])
def test_the_page_needs_nothing_from_outside(runs, pages, name):
    """No script, no address, no file: what is shown is in the page."""
    data = render(runs[name], runs[name].folder).decode()
    tags = {tag for tag, _ in pages[name].tags}

    assert not tags & {"script", "link", "img", "iframe", "object", "base", "form"}
    assert not re.search(r"https?:|//[a-z]|@import|url\(|data:|javascript:", data.replace("ftdi://", ""))
    assert not [key for _, attrs in pages[name].tags for key in attrs if key.startswith("on") or key == "src"]
    assert all(link["href"].startswith("#") for link in pages[name].all("a"))


@pytest.mark.parametrize("name", ["pass", "fail", "dead", "waived"])
def test_the_page_can_be_read_by_all(pages, name):
    """A language, headings without gaps, scoped table heads, captions, links that lead somewhere, ids used once."""
    page = pages[name]
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]

    assert page.all("html")[0]["lang"] == "en"
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert all("scope" in head for head in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert len(page.all("figcaption")) == len(page.all("figure"))
    assert len(ids) == len(set(ids))
    assert {link["href"][1:] for link in page.all("a")} <= set(ids)
    assert all(svg.get("aria-hidden") == "true" or svg.get("aria-label") for svg in page.all("svg"))


def test_colours_are_dark_enough():
    """Every colour of text has a contrast of at least 4.5 to 1 on white, on a warning and on a failed row."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    css = (TEMPLATES / "certificate.css").read_text()
    inks = dict(re.findall(r"--(ink|muted|accent|pass|fail|caution|plain|waived): (#[0-9a-f]{6})", css))
    grounds = ("#ffffff", "#fbf5e9", "#fbeef0")
    worst = min((luminance(g) + 0.05) / (luminance(ink) + 0.05) for ink in inks.values() for g in grounds)

    assert len(inks) == 8
    assert worst >= 4.5


@pytest.mark.parametrize(
    ("name", "verdict"), [("pass", "PASS"), ("fail", "FAIL"), ("dead", "ABORTED"), ("waived", "ABORTED")]
)
def test_the_verdict_stands_at_the_head(pages, name, verdict):
    """The first thing under the title is the word; the unit and the certificate's number stand above it."""
    head = pages[name].text.partition("Not passed")[0]

    assert re.search(rf"\b{verdict}\b", head)
    assert "SP-000123" in head
    assert RUN_ID in head


def test_what_did_not_pass_is_listed_with_its_reason(pages):
    """Fail, refused and not covered stand on the first page, required ones first, in words."""
    listed = pages["fail"].text.partition("Not passed")[2].partition("Item, laboratory")[0]

    assert "MET-05" in listed
    assert "Active power error: 5 of 64 points, outside the upper limit" in listed
    assert "REL-02" in listed
    assert "Refused" in listed
    assert "ETH-01" in listed
    assert "not yet part of this plan" in listed
    assert listed.index("MET-05") < listed.index("REL-05") < listed.index("ETH-01")


def test_counts_stand_beside_the_verdict(runs):
    """Waived, refused, not covered and conditional verdicts are counted large, zeros too."""
    data = render(runs["waived"], runs["waived"].folder).decode()
    tiles = data.partition('<ul class="tiles">')[2].partition("</ul>")[0]
    counts = {word: int(n) for n, word in re.findall(r"<b>(\d+)</b>.*?</svg>([A-Z][a-z ]+)<", tiles, re.DOTALL)}

    assert counts == {
        "Fail": 0, "Conditional fail": 0, "Conditional pass": 0, "Waived": 1, "Refused": 2, "Not covered": 3,
    }  # fmt: skip


def test_a_simulated_run_says_so_across_the_page(pages, runs):
    """On the screen, on paper, at the instruments and in the title; and a real run does not."""
    data = render(runs["pass"], runs["pass"].folder).decode()
    simulated, real = pages["pass"], pages["dead"]

    assert "SIMULATED" in simulated.text
    assert any(div.get("class") == "watermark" for div in simulated.all("div"))
    assert re.search(r'@top-center \{ content: "SIMULATED', data)
    assert "(SIMULATED)" in data.partition("<title>")[2].partition("</title>")[0]
    assert simulated.text.count("not calibrated: simulated") == 4
    assert "SIMULATED" not in real.text
    assert not any(div.get("class") == "watermark" for div in real.all("div"))


def test_every_measurement_is_on_the_page(runs, pages):
    """One row an attempt, with its full name; nothing that was measured is left out, of the run that died either."""
    for name, journal in runs.items():
        titles = [head["title"] for head in pages[name].all("th") if "title" in head]
        assert sorted(titles) == sorted(one.name for one in journal.of(Measurement))


def test_a_row_says_all_there_is(tmp_path):
    """Value, U with k, limit with its source and mark, margin to the nearer limit and in percent, verdict."""
    journal = make_run(tmp_path, Scenario())
    one = next(m for m in journal.of(Measurement) if m.name == "metering.active_power_error[socket=1,i=0.05Ib,pf=1]")
    row = _row(render(journal, tmp_path), one.name)

    # u = hypot(0.07, 0.006 / 0.05) = 0.1389; t at 95 % for 14 degrees of freedom is 2.1448 (GUM, table G.2: 2.14)
    assert "0.30 % (2.14)" in row
    assert f"{one.value:.2f} %" in row
    assert "±1.5 % S2†" in row
    assert f"+{1.5 - abs(one.value):.2f} % +{100 * (1.5 - abs(one.value)) / 1.5:.0f} %" in row
    assert row.endswith("Pass")


def _row(data, name):
    """The text of one measurement's row."""
    found = re.search(rf'<th scope="row" title="{re.escape(name)}">.*?</tr>', data.decode(), re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).replace("\u202f", " ").replace("\u2212", "-").split())


def test_a_pass_at_the_second_attempt_is_printed_as_one(runs, pages):
    """Both attempts stay, the first is marked as repeated, and the head counts it."""
    data = render(runs["fail"], runs["fail"].folder).decode()

    assert "passed at attempt 2" in pages["fail"].text
    assert "attempt 1, repeated" in pages["fail"].text
    assert "1 took more than one attempt" in pages["fail"].text.partition("Not passed")[0]
    assert data.count('title="metering.active_power_error[socket=3,i=Ib,pf=1]"') == 2


def test_a_refused_point_has_no_number(runs):
    """What was not measured says so and why; it does not show a zero."""
    row = _row(render(runs["fail"], runs["fail"].folder), "relay.operate_time[relay=K2,action=SET]")

    assert "not measured" in row
    assert "relay.changes_state[relay=K2,action=SET] is fail" in row
    assert row.endswith("Refused")


def test_a_point_without_a_limit_is_not_covered(runs):
    """It keeps its value and U and passes nothing."""
    row = _row(render(runs["pass"], runs["pass"].folder), "metering.active_power_error[socket=1,i=0.05Ib,pf=0.5i]")

    assert "no limit covers this point" in row
    assert row.endswith("Not covered")


def test_a_run_that_died_shows_what_it_had(pages):
    """ABORTED, the reason, the names of what is missing, and the charts of what was measured."""
    text = pages["dead"].text

    assert "The record has no end" in text
    assert "relay.operate_time[relay=K4,action=RESET]" in text.partition("Required and not measured")[2]
    assert "7 of 8 points were not measured" in text
    assert "the record ends before the test does" in text
    assert "Active power error against load" in text


def test_a_torn_record_is_named(tmp_path):
    """A last line that was cut short is left out and said to be."""
    journal = make_run(tmp_path, Scenario())
    path = journal.folder / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    torn = read_journal(journal.folder)

    assert "last line was cut short" in Page(render(torn, torn.folder)).text


def test_the_decision_rule_is_stated_with_its_risk(pages):
    """ISO/IEC 17025, 7.8.6: which rule, for which results, against which limits, at what risk."""
    text = pages["pass"].text

    assert "Decision rule: ILAC-G8:09/2019, 4.2.3" in text
    assert "It applies to 88 results" in text
    assert "below 2.5 % for a pass and for a fail" in text


def test_unchecked_limits_are_explained_once_and_marked_everywhere(pages, runs):
    """The dagger stands at each limit quoted from a standard that nobody compared with the bought text."""
    text = pages["pass"].text
    judged = [one for one in runs["pass"].of(Measurement) if one.limit and one.limit["source_mark"] == "nrc"]

    assert text.count("Not re-checked against the bought standard") == 1
    assert f"The limits of {len(judged)} results carry this sign" in text
    assert text.count("S2†") == len(judged) + 1


def test_waivers_and_findings_are_told(pages):
    """The waived requirement says what it would be without the waiver."""
    text = pages["waived"].text

    assert "Accepted for the pilot series until revision B (DR-29); without the waiver: fail" in text
    assert "No readback of the relay state in hardware" in text


def test_waveforms_of_what_failed_are_drawn(pages, runs):
    """A failed relay test shows its waveform; a run without failures shows none."""
    assert "Waveform: relay.changes_state[relay=K2,action=SET]" in pages["fail"].text
    assert "K2 SET collector" in pages["fail"].text
    assert "Waveform:" not in pages["pass"].text


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"{}")])
def test_a_damaged_attachment_is_reported_in_its_place(tmp_path, damage):
    """The rest of the page is there, and the waveform is said to be missing or altered."""
    journal = make_run(tmp_path, Scenario(stuck_relay="K2"))
    wave = next(one for one in journal.of(Attachment) if "waveform" in one.media_type)
    damage(journal.folder / "attachments" / wave.sha256)

    text = Page(render(journal, journal.folder)).text
    assert re.search(rf"It cannot be shown: attachment {wave.sha256} (cannot be read|was altered)", text)
    assert "End of certificate" in text


def test_budgets_are_folded_and_whole(pages):
    """A budget names its components, their types, the degrees of freedom and k; and folds without a script."""
    text = pages["pass"].text

    assert re.search(r"reference meter, accuracy ?B ?rectangular", text)
    assert "Expanded U, k = 2.14" in text
    assert all("open" not in one for one in pages["pass"].all("details"))
    assert len(pages["pass"].all("summary")) == len(pages["pass"].all("details"))


def test_the_record_can_be_verified_from_the_page(pages, runs):
    """The last line's SHA-256 is on the page and is that of the file."""
    journal = runs["pass"]
    last = (journal.folder / "journal.jsonl").read_bytes().splitlines()[-1]

    assert hashlib.sha256(last).hexdigest() in pages["pass"].text
    assert f"head -n {len(journal.entries)} journal.jsonl" in pages["pass"].text


def test_the_page_ends_with_its_number(pages):
    """ISO/IEC 17025, 7.8.2.1: an identification on every page and a clear end mark."""
    assert pages["pass"].text.endswith(f"End of certificate {RUN_ID}")


def test_each_printed_page_carries_the_run_id(runs):
    """The foot of each sheet is in the page's own style sheet."""
    assert f'@bottom-left {{ content: "{RUN_ID}"; }}' in render(runs["pass"], runs["pass"].folder).decode()


@pytest.mark.parametrize(
    "fact",
    [
        "Prüflabor Nord", "Kanalstraße 4, Kiel", "M. Petersen", "bench-2", "2026-11-21 14:02:11 UTC", "C3QJ12034E",
        "smart_power.toml, version 0.1.0", "3c" * 32, "bd3a942f", "certificate WT-2026-0042", "due 2027-03-02",
        "relate only to the item tested", "IEC 62053-21, edition 2003", "Reference meter in the same circuit",
    ],
)  # fmt: skip
def test_who_what_when_with_what(pages, fact):
    """ISO/IEC 17025, 7.8.2.1 and 7.8.3: laboratory, item, dates, equipment, method, software, scope."""
    assert fact in pages["waived"].text


def test_an_overdue_calibration_is_said_at_the_head(tmp_path):
    """Whoever reads the verdict reads that an instrument was out of its calibration on that day."""
    journal = make_run(tmp_path, Scenario(simulated=False, calibration=CALIBRATED | {"due": "2026-11-20"}))
    text = Page(render(journal, journal.folder)).text

    assert "Calibration overdue on the day of the test" in text.partition("Not passed")[0]


def test_a_real_bench_without_calibration_is_said_at_the_head(tmp_path):
    """Traceability that is not shown is not implied."""
    journal = make_run(tmp_path, Scenario(simulated=False))

    assert "No calibration on record" in Page(render(journal, journal.folder)).text.partition("Not passed")[0]


def test_what_comes_from_outside_is_escaped(tmp_path):
    """An operator, an instrument or a laboratory cannot write markup into the page or its styles."""
    evil = '</style><script>alert("x")</script>&\\'
    journal = make_run(tmp_path, Scenario(operator=evil, laboratory={"name": evil}))
    entries = [
        replace(one, event=replace(one.event, identity=evil)) if isinstance(one.event, Instrument) else one
        for one in journal.entries
    ]
    page = Page(render(replace(journal, entries=tuple(entries)), journal.folder))

    assert not page.all("script")
    assert page.text.count('alert("x")') >= 6
    assert css_string(evil).strip('"').isascii()
    assert "<" not in css_string(evil)


def test_templates_print_numbers_only_through_qty():
    """No template rounds or formats by itself, and none marks data as safe."""
    for path in TEMPLATES.glob("*.j2"):
        source = path.read_text()
        assert not re.search(r"\|\s*(round|format|int|float)\b|%\.\d", source), path.name
        assert all("class=" in one for one in re.findall(r"\{\{[^}]*\|\s*safe[^}]*\}\}", source)), path.name


def test_macros_are_short():
    """A macro of 20 lines or more is a template of its own."""
    for path in TEMPLATES.glob("*.j2"):
        for body in re.findall(r"{% macro .*?{%-? endmacro %}", path.read_text(), re.DOTALL):
            assert len(body.splitlines()) < 20, path.name


def test_a_certificate_takes_a_blink(runs):
    """A hundred measurements are a page in well under 0.3 s of one core, however busy the computer is."""
    journal = runs["fail"]
    render(journal, journal.folder)
    start_s = time.process_time()
    render(journal, journal.folder)

    assert time.process_time() - start_s < 0.3
