"""Allure results: names, statuses and steps that follow from the journal alone, and a page that talks to nobody."""

import json
import stat
import sys
from dataclasses import replace

import pytest
from sample_run import POWER, RUN_ID, WAVE, Standing, Ticking, build, requirement

from hil.journal.events import RunStarted, TestFinished, TestStarted
from hil.journal.reader import read_journal
from hil.journal.summary import RequirementSummary
from hil.journal.writer import JournalWriter
from hil.metrology.decision import Verdict
from hil.reports import allure, allure_history, allure_html, certificate
from hil.reports.allure_files import waveform_csv
from hil.reports.allure_labels import severity, suites
from hil.reports.allure_time import lasted


class Bench(Standing):
    """A simulated bench's clock: it stands where it was put."""

    time_s = 0.0

    def now_s(self):
        return self.time_s


def made(folder):
    folder.mkdir()
    return folder


def started():
    """Return the first line of a run that asks for one measurement."""
    return RunStarted(
        serial="SP-000123",
        board="smart-power",
        revision="A",
        stage="type",
        station="sim",
        simulated=True,
        operator="",
        plan={},
        software={},
        python="3.11.7",
        seed=0,
        requirements=(requirement("MET-05", ["power[i=0.05Ib]"]),),
        run_id=RUN_ID,
    )


@pytest.fixture
def journal(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    return build(folder)


@pytest.fixture
def folder(journal):
    return allure.write(journal, journal.folder)


@pytest.fixture
def results(folder):
    return {r["fullName"]: r for r in map(read, sorted(folder.glob("*-result.json")))}


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def labels(result, name):
    return [label["value"] for label in result["labels"] if label["name"] == name]


def test_the_same_journal_gives_the_same_files(journal, folder):
    """Names and bytes do not depend on time, chance, or what lay there before."""
    once = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "stale-result.json").write_text("{}")
    allure.write(journal, journal.folder)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == once


def test_failed_is_the_unit_and_broken_the_bench(results):
    """A broken station never counts as a failed unit; what was required and not measured is broken, never green."""
    status = {name.rpartition("#")[2]: result["status"] for name, result in results.items()}

    assert status == {
        "test_power[0.05]": "passed",
        "test_set_latches": "failed",
        "test_energy": "broken",
        "MET-05": "broken",
        "ETH-01": "skipped",
    }


def test_categories_tell_whose_fault_it_was(results):
    """The message begins with the blame, by which the categories sort."""
    messages = {name: result.get("statusDetails", {}).get("message", "") for name, result in results.items()}

    assert messages["hil.tests.smart_power.test_relays#test_set_latches"].startswith("unit: ")
    assert messages["hil.tests.smart_power.test_metering#test_energy"] == "bench: PowerMeter: no answer"
    assert messages["requirements#MET-05"] == "not measured: power[i=Ib]"
    assert "comes with the next issue" in messages["requirements#ETH-01"]


def test_measurements_are_steps_with_their_numbers(results):
    """Every attempt is a step: value, unit, u, limits, where they come from, and the point."""
    power = results["hil.tests.smart_power.test_metering#test_power[0.05]"]
    first, second = (step for step in power["steps"] if step["name"].startswith("power["))
    parameters = {one["name"]: one["value"] for one in second["parameters"]}

    assert (first["status"], second["status"]) == ("failed", "passed")
    assert "(attempt 2)" in second["name"]
    assert (parameters["value"], parameters["unit"], parameters["standard uncertainty u"]) == ("0.25", "%", "0.05")
    assert (parameters["lower limit"], parameters["upper limit"]) == ("-1.0", "1.0")
    assert (parameters["limit from"], parameters["limit source mark"]) == ("IEC 62053-21 2003 T", "nrc")
    assert (parameters["point socket"], parameters["point i"]) == ("1", "0.05Ib")
    assert power["statusDetails"] == {"flaky": True}
    assert [step["name"] for step in power["steps"] if "power[" not in step["name"]] == [
        "source on, 230 V = Un",
        "finding DR-12: chip select shared",
    ]


def test_labels_and_links_lead_to_the_requirement(results):
    """Suite by area in the plan's order, severity by what the plan requires, and a link into the certificate."""
    power, ethernet = results["hil.tests.smart_power.test_metering#test_power[0.05]"], results["requirements#ETH-01"]

    assert (labels(power, "suite"), labels(power, "severity")) == (["01 metering"], ["normal"])
    assert labels(power, "subSuite") == ["MET-05 title <of> MET-05"]
    assert (labels(ethernet, "suite"), labels(ethernet, "severity")) == (["03 ethernet"], ["minor"])
    assert labels(power, "tag") == ["production", "simulated"]
    assert (labels(power, "host"), labels(power, "thread")) == (["sim"], ["slot 1"])
    assert power["links"] == [
        {"type": "tms", "url": "../certificate.html#MET-05", "name": "MET-05 title <of> MET-05"},
        {"type": "issue", "url": "../certificate.html#remarks", "name": "finding DR-12"},
    ]
    assert power["name"] == "Power is right at 5 % of Ib. [0.05]"
    assert power["parameters"] == [{"name": "case", "value": "0.05"}]


def test_every_link_leads_somewhere(journal, results):
    """Each address is a file beside the report and a mark that the certificate has."""
    page = certificate.render(journal, journal.folder).decode()
    marks = {link["url"].partition("../certificate.html#")[2] for one in results.values() for link in one["links"]}

    assert "" not in marks
    assert {mark for mark in marks if f'id="{mark}"' not in page} == set()


@pytest.mark.parametrize(
    ("area", "required", "grade"),
    [
        ("electrical safety", True, "blocker"),
        ("before power", True, "blocker"),
        ("interlocks", True, "critical"),
        ("metering", True, "normal"),
        ("electrical safety", False, "minor"),
    ],
)
def test_severity_is_what_a_failure_would_do(area, required, grade):
    """Who may be hurt now, who later, what is only wrong, and what is not asked for at this stage."""
    one = RequirementSummary("X-1", "x", area, required, Verdict.PASS, "", (), (), False)

    assert severity([one]) == grade


def test_a_test_without_a_requirement_stands_apart():
    """It is no part of any area, and nothing follows from it."""
    assert (severity([]), suites([], ("metering",))) == ("trivial", [("suite", "02 no requirement of the plan")])


def test_times_are_the_benchs(tmp_path):
    """An hour of creep on a simulated bench is an hour on the timeline; the report says which clock that is."""
    bench = Bench()
    with JournalWriter(tmp_path, bench, Ticking()) as writer:
        writer.write(started())
        for step_s in (1.0, 3600.0):
            bench.time_s += step_s
            writer.write(TestStarted(POWER, ("MET-05",)) if step_s == 1.0 else TestFinished(POWER, ("MET-05",)))
    folder = allure.write(read_journal(tmp_path), tmp_path)
    (power,) = (one for one in map(read, folder.glob("*-result.json")) if "test_power" in one["fullName"])

    assert power["stop"] - power["start"] == 3_600_000
    assert "times=of the simulated bench: 1 h 0 min; by the wall clock 0 s" in (
        folder / "environment.properties"
    ).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("duration_s", "text"), [(0.2, "0 s"), (61.0, "1 min 1 s"), (132_209.3, "1 d 12 h"), (3600.0, "1 h 0 min")]
)
def test_a_duration_is_said_in_two_units(duration_s, text):
    assert lasted(duration_s) == text


def test_history_follows_the_test_not_the_unit(tmp_path, journal, results):
    """Another run of the same test has the same history and another identity."""
    head = journal.entries[0]
    other = replace(
        journal,
        folder=journal.folder,
        entries=(replace(head, event=replace(head.event, run_id="other", serial="SP-9")), *journal.entries[1:]),
    )
    again = {r["fullName"]: r for r in map(read, allure.write(other, journal.folder).glob("*-result.json"))}
    name = "hil.tests.smart_power.test_metering#test_power[0.05]"

    assert again[name]["historyId"] == results[name]["historyId"]
    assert again[name]["uuid"] != results[name]["uuid"]


def test_a_waveform_is_a_picture_and_a_table(folder, results):
    """The SVG needs nothing from outside; the table has every sample. Other files stay as they are."""
    power = results["hil.tests.smart_power.test_metering#test_power[0.05]"]
    files = {one["name"]: (one["type"], (folder / one["source"]).read_bytes()) for one in power["attachments"]}

    assert files["K1 SET (picture)"][0] == "image/svg+xml"
    assert files["K1 SET (picture)"][1].startswith(b"<svg")
    assert files["K1 SET (data)"] == ("text/csv", waveform_csv(WAVE))
    assert waveform_csv(WAVE).decode().splitlines()[:2] == ["trace,unit,time_s,value", "collector,V,0.0,5.0"]
    assert files["console"] == ("text/plain", b"boot \x1b[0m ok\n")


def test_a_lost_attachment_is_said_and_the_report_made(journal):
    """Reports are made from what is left, and name what is not."""
    for path in (journal.folder / "attachments").iterdir():
        path.unlink()
    folder = allure.write(journal, journal.folder)
    power = next(r for r in map(read, folder.glob("*-result.json")) if r["fullName"].endswith("test_power[0.05]"))

    assert [one["name"] for one in power["attachments"]] == ["K1 SET (not available)", "console (not available)"]


def test_environment_executor_and_categories_are_there(journal, folder):
    """Who, what, where, with which plan; keys and values survive the properties format."""
    text = (folder / "environment.properties").read_text(encoding="utf-8")

    assert "serial=SP-000123\n" in text
    assert "station=sim SIMULATED\n" in text
    assert "verdict=aborted (exit code 3)\n" in text
    assert "AcSource=Chroma, 61604 at TCPIP::x::2101::SOCKET\n" in text
    assert read(folder / "executor.json")["buildName"] == journal.run_id
    assert read(folder / "categories.json")[0]["matchedStatuses"] == ["failed"]


def test_the_bench_stands_around_all_tests(folder, results):
    """Instruments before, safe state with its read-back after, for the tests that ran."""
    (container,) = (read(path) for path in folder.glob("*-container.json"))
    ran = {r["uuid"] for name, r in results.items() if not name.startswith("requirements#")}

    assert set(container["children"]) == ran
    assert container["befores"][0]["steps"][0]["name"].startswith("AcSource: Chroma")
    assert container["afters"][0]["parameters"] == [{"name": "AcSource", "value": "off"}]


def test_a_run_that_died_is_broken_where_it_died(tmp_path):
    """The last test has no end in the record, so it is broken."""
    folder = allure.write(build(tmp_path, died=True), tmp_path)
    found = {r["fullName"]: r["status"] for r in map(read, folder.glob("*-result.json"))}

    assert found["hil.tests.smart_power.test_relays#test_set_latches"] == "broken"


# --- the history ----------------------------------------------------------------------------------------------------

EARLIER = [f"20261120T0{hour}0000.000000Z-abcd" for hour in range(3)]


def test_the_history_is_that_of_the_unit_before_this_run(tmp_path):
    """What came later, what belongs to another unit and what cannot be read is not in it; the oldest run is first."""
    for run_id in (*EARLIER, "20261122T000000.000000Z-abcd"):
        build(made(tmp_path / run_id), run_id=run_id, failed=run_id != EARLIER[0])
    other = made(tmp_path / "20261120T050000.000000Z-abcd")
    with JournalWriter(other, Standing(), Ticking()) as writer:
        writer.write(replace(started(), serial="SP-9", run_id=other.name))
    (made(tmp_path / "20261120T060000.000000Z-abcd") / "journal.jsonl").write_text("no journal\n")
    journal = build(made(tmp_path / RUN_ID))

    points = [json.loads(line) for line in allure_history.write(journal, tmp_path).read_text("utf-8").splitlines()]

    latch = next(one.historyId for one in allure.outlines(journal) if one.fullName.endswith("test_set_latches"))
    assert [point["testResults"][latch]["status"] for point in points] == ["passed", "failed", "failed"]
    assert [point["name"].partition(": ")[2] for point in points] == ["ABORTED SIMULATED"] * 3


# --- the page -------------------------------------------------------------------------------------------------------

# Shortened from what Allure 3.18.0 wrote; the analytics are as they were.
PAGE = """<!DOCTYPE html>
<html dir="ltr" lang="en">
<head>
    <meta charset="utf-8">
    <link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'%3E%3C/svg%3E">
</head>
<body>
    <div id="app"></div>
    <script async src="data:text/javascript;base64,YQ=="></script>
    <script async src="https://www.googletagmanager.com/gtag/js?id=G-LNDJ3J7WT0"></script>
    <script>
        window.dataLayer = window.dataLayer || [];
        function gtag(){dataLayer.push(arguments);}
        gtag('js', new Date());
        gtag('config', 'G-LNDJ3J7WT0', {
          "report": "awesome",
          "reportUuid": "cacf2e22-3d12-4157-a2af-2ecf116edd4f"
        });
    </script>
    <script async>
        window.allureReportDataReady = true;
    </script>
</body>
</html>
"""


def test_the_page_loads_nothing_from_outside():
    """The analytics are gone with all that belongs to them, the rest stays, and a policy forbids the network."""
    page = allure_html.strip(PAGE)

    for word in ("googletagmanager", "gtag", "dataLayer", "reportUuid"):
        assert word not in page
    assert "allureReportDataReady = true" in page
    assert 'http-equiv="Content-Security-Policy" content="default-src \'unsafe-inline\'' in page


@pytest.mark.parametrize(
    "more",
    [
        '<script src="https://cdn.example/x.js"></script>',
        "<img src='//example.com/p.gif'>",
        '<link rel="stylesheet" href=http://example.com/a.css>',
        "<script>load('googletagmanager')</script>",
    ],
)
def test_a_page_that_would_still_load_something_is_refused(more):
    """A later Allure may hide its analytics elsewhere: then there is no page rather than a leaking one."""
    with pytest.raises(ValueError, match="network"):
        allure_html.strip(PAGE.replace("<body>", f"<body>{more}"))


@pytest.fixture
def generator(tmp_path):
    """Make a command that stands where Allure 3 would and runs this Python text."""

    def make(text):
        path = tmp_path / "allure"
        path.write_text(f"#!{sys.executable}\nimport json, os, pathlib, sys\n{text}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return make


def test_the_generator_is_run_with_our_settings(journal, folder, generator, monkeypatch):
    """One page, grouped by area, with our categories; nothing of the environment of CI reaches it."""
    monkeypatch.setenv("CI_JOB_URL", "https://ci.example/1")
    command = generator(
        "config = json.loads(pathlib.Path('allurerc.json').read_text())\n"
        "assert config['plugins']['awesome']['options']['singleFile'] and config['categories']\n"
        "assert 'CI_JOB_URL' not in os.environ and os.environ['HIL_RUN']\n"
        "assert pathlib.Path(sys.argv[-1], 'executor.json').exists()\n"
        f"pathlib.Path('report').mkdir(); pathlib.Path('report/index.html').write_text({PAGE!r})"
    )

    page = allure_html.write(journal, folder, journal.folder, command)

    assert page == journal.folder / "allure-report" / "index.html"
    assert page.read_text(encoding="utf-8") == allure_html.link(allure_html.strip(PAGE), journal)


@pytest.mark.parametrize("text", ["sys.exit('no such command: generate')", "print('plugin error', file=sys.stderr)"])
def test_a_generator_that_fails_costs_only_its_page(journal, folder, generator, caplog, text):
    """Allure 2, or a plugin that breaks: no page, an old one is gone, and the log says why."""
    (journal.folder / "allure-report").mkdir()

    assert allure_html.write(journal, folder, journal.folder, generator(text)) is None
    assert not (journal.folder / "allure-report").exists()
    assert "made no page" in caplog.text


def test_without_allure_there_is_no_page(journal, folder):
    """The results are there all the same."""
    assert allure_html.write(journal, folder, journal.folder, None) is None
    assert (folder / "executor.json").exists()
