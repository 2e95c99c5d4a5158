"""pytest glue: options, fixtures, and the journal's lines around each certification test.

Without --serial the plugin does nothing at all, so that it may stay installed beside other projects' tests.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hil.errors import Blame, HilError
from hil.interrupt import SIGNALS, uninterrupted, watch
from hil.names import printable

if TYPE_CHECKING:
    from hil.plans.plan import Plan
    from hil.reports.edition import Edition
    from hil.run.measure import Measurer
    from hil.run.run import Run
    from hil.station.config import StationConfig
    from hil.station.station import Station

SETUP_FAULT = 4
NOTHING_TESTED = 5
ORDER = (
    ("customer", "for whom the unit is tested, name and address"),
    ("contact", "how to reach the customer"),
    ("order", "its number"),
    ("received", "when the unit came, e.g. 2026-11-21"),
    ("condition", "in which condition it came"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a certification run."""
    group = parser.getgroup("hil", "certification of a unit")
    group.addoption("--serial", help="serial number of the unit, e.g. SP-000123")
    group.addoption("--board", help="type of board; default: the folder of tests, else smart-power")
    group.addoption("--board-revision", default="A", help="revision of the board (default: A)")
    group.addoption("--station", default="sim", help="station of stations.toml (default: sim)")
    group.addoption("--stations", default="stations.toml", help="the file that describes the stations")
    group.addoption("--stage", default="production", help="production, release or type (default: production)")
    group.addoption("--fault", action="append", default=[], help="fault of the simulated unit or bench; repeatable")
    group.addoption("--operator", default="", help="who tests")
    group.addoption("--seed", type=int, default=0, help="seed of the simulated bench's noise (default: 0)")
    group.addoption("--attach", default="", help="HOST:PORT of a simulated station that is open already")
    group.addoption("--sync", default="test", help="write through to the disk after each test, or each measurement")
    group.addoption(
        "--monte-carlo", action="store_true", help="check every uncertainty by Monte Carlo too (JCGM 101); slower"
    )
    group.addoption("--runs", default="runs", help="where the record goes (default: runs)")
    for name, what in ORDER:
        group.addoption(f"--{name}", default="", help=f"of the order, for the certificate: {what}")
    group.addoption("--lang", default="en", help="language of the certificate: en or de (default: en)")
    group.addoption("--template", default="", help="the laboratory's folder: letterhead, logo, templates")
    group.addoption("--key", default="", help="signs the manifest: a file, or a pkcs11: URI (default: the station's)")
    group.addoption("--passphrase-file", default="", help="holds the key's passphrase (default: HIL_PASSPHRASE)")
    group.addoption("--no-pdf", action="store_true", help="leave certificate.pdf out")


def pytest_configure(config: pytest.Config) -> None:
    """Take part only in a certification run."""
    if config.getoption("serial"):
        if hasattr(config, "workerinput") or getattr(config.option, "numprocesses", None):
            raise pytest.UsageError("one unit on one bench cannot be spread over processes: leave -n away")
        # a socket that some library forgot is no reason to say that a unit has failed, and pytest would exit with 1
        config.addinivalue_line("filterwarnings", "default::pytest.PytestUnraisableExceptionWarning")
        config.pluginmanager.register(_RunPlugin(config), "hil.run")
    elif _board_of_arguments(config.args) and not config.option.collectonly:
        raise pytest.UsageError("certification tests need a unit: add --serial, e.g. --serial SP-000123")


def _board_of_arguments(arguments: list[str]) -> str:
    certification = Path(__file__).resolve().parent / "tests"
    for argument in arguments:
        path = Path(argument.partition("::")[0]).resolve()
        if path.is_relative_to(certification) and path != certification:
            return path.relative_to(certification).parts[0].replace("_", "-")
    return ""


@pytest.fixture(scope="session")
def run(pytestconfig: pytest.Config) -> Run:
    """The run this test is part of."""
    plugin = pytestconfig.pluginmanager.get_plugin("hil.run")
    if plugin is None:
        raise pytest.UsageError("this test needs a unit: add --serial")
    started: Run = plugin.run
    return started


@pytest.fixture(scope="session")
def plan(run: Run) -> Plan:
    """The plan of the board."""
    return run.plan


@pytest.fixture(scope="session")
def bench(run: Run) -> Station:
    """The opened bench, instruments by role."""
    assert run.station is not None
    return run.station


@pytest.fixture(scope="session")
def board(run: Run) -> Any:
    """The unit on the bench, as its board's package drives it."""
    return run.board


@pytest.fixture
def measure(run: Run) -> Measurer:
    """Journal and judge a reading: `measure("rail.voltage", reading, rail="5V")`."""
    return run.measure


class _RunPlugin:
    """The hooks of one certification run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._run: Run | None = None
        self._started = False
        self._errors: list[BaseException] = []  # of the test that runs now
        self._checked = 0  # events of the run in which Monte Carlo's answers have been looked for
        self._reports: list[Path] = []
        self.unreported = ""  # why reports are missing
        self._edition: Edition | None = None

    @property
    def run(self) -> Run:
        """The run; it exists from the start of the session."""
        assert self._run is not None
        return self._run

    @property
    def refused(self) -> bool:
        """Whether something was asked for that cannot be: there is no run."""
        return self._run is None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Check everything that was asked for, before anything is opened."""
        from hil.run.order import Order
        from hil.run.run import Run, RunOptions

        option = self._config.option
        board = option.board or _board_of_arguments(self._config.args) or "smart-power"
        try:
            self._run = Run(
                RunOptions(
                    serial=option.serial,
                    board=board,
                    revision=option.board_revision,
                    stage=option.stage,
                    station=option.station,
                    operator=option.operator,
                    seed=option.seed,
                    faults=tuple(option.fault),
                    attach=option.attach,
                    stations_file=Path(option.stations),
                    runs=Path(option.runs),
                    sync=option.sync,
                    order=Order(option.customer, option.contact, option.order, option.received, option.condition),
                )
            )
            self._edition = self._made_edition(self._run.config)
        except HilError as error:
            pytest.exit(printable(str(error)), returncode=SETUP_FAULT)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Bring the test files into the plan's sequence; inside a file the order stays."""
        order = {name: place for place, name in enumerate(self.run.plan.sequence)}
        items.sort(key=lambda item: order.get(item.path.stem, len(order)))

    def _made_edition(self, station: StationConfig) -> Edition:
        """Return what the reports are made with; `hil certify` has it ready, and asked for passphrases before."""
        certify = self._config.pluginmanager.get_plugin("hil.certify")
        if certify is not None:
            ready: Edition = certify.edition
            return ready
        from hil.run.edition import EditionAsked, make_edition

        o = self._config.option
        with self._terminal():  # a key may ask for its passphrase
            return make_edition(EditionAsked(o.lang, o.template, o.key, o.passphrase_file, not o.no_pdf), station)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Begin the record and open the bench, unless there is nothing to do with it."""
        if session.testsfailed or not session.items or self._config.option.collectonly:
            return
        from hil.run.run import ABORT_CODE

        self._started = True
        self._config.add_cleanup(_until_the_end(watch()))
        try:
            with self._terminal():
                self.run.start()
            if self._config.option.monte_carlo:
                self._check_by_monte_carlo()
        except HilError as error:
            self._started = self.run.folder is not None
            if not self._started:
                pytest.exit(printable(str(error)), returncode=ABORT_CODE[error.blame])
        except KeyboardInterrupt:
            self._started = self.run.folder is not None
            raise

    def _check_by_monte_carlo(self) -> None:
        """Let every budget of this run be checked by Monte Carlo, and say so on record."""
        from hil.journal.events import Note
        from hil.metrology.propagation import CHECK

        CHECK.seed = self.run.options.seed
        self._config.add_cleanup(CHECK.off)
        self.run.write(Note("", f"every budget is checked by Monte Carlo (JCGM 101, PCG64, seed {CHECK.seed})"))

    def _note_disagreements(self, test: str) -> None:
        """Put on record where Monte Carlo disagrees with the first order."""
        if not self._config.option.monte_carlo:
            return
        from hil.journal.events import Measurement, Note
        from hil.metrology.monte_carlo import disagreement

        new, self._checked = self.run.events[self._checked :], len(self.run.events)
        for one in new:
            if isinstance(one, Measurement) and (sentence := disagreement(one.monte_carlo, one.unit)):
                self.run.write(Note(test, f"{one.name}: {sentence}"))

    def _terminal(self) -> AbstractContextManager[None]:
        """Let what is started inside, the guard, write to the terminal itself and not into what pytest captures."""
        capture = self._config.pluginmanager.get_plugin("capturemanager")
        return capture.global_and_fixture_disabled() if capture is not None else nullcontext()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Put the test's beginning and end on record; make the bench safe after anything but a verdict."""
        from hil.journal.events import TestFinished, TestStarted

        run, requirements = self.run, _requirements(item)
        if uninterrupted.seen and not run.stopped:
            run.interrupt()  # it landed where Python drops exceptions
        if run.stopped:
            return (yield)
        title = (getattr(getattr(item, "obj", None), "__doc__", None) or "").strip().partition("\n")[0]
        try:
            run.check()
            run.write(TestStarted(test=item.nodeid, requirement=requirements, title=title))
        except HilError as error:
            run.stop(error.blame, str(error))
            return (yield)
        run.measure.begin(item.nodeid)
        run.roles_used(with_board=False)  # what was asked for before it began is none of its
        self._errors = []
        result = yield
        verdict, blame, reason = self._outcome()
        try:
            used = run.roles_used(with_board="board" in getattr(item, "fixturenames", ()))
            run.write(TestFinished(item.nodeid, requirements, verdict, blame.value if blame else "", reason, used))
        except HilError as error:
            run.stop(error.blame, str(error))
        if uninterrupted.seen:
            run.interrupt()
        elif blame in {Blame.BENCH, Blame.SETUP}:
            run.stop(blame, reason)
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Skip what comes after a stop; the record says why, and names what was not measured."""
        if self.run.stopped:
            pytest.skip("the run was stopped")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Fail the test at its end for what it measured out of limits."""
        try:
            yield
        finally:
            self._note_disagreements(item.nodeid)
        self.run.check()
        self.run.measure.end()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Keep the errors of all phases; print those meant for a person without a traceback."""
        report = yield
        if call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
            self._errors.append(call.excinfo.value)
            from hil.run.measure import OutOfLimits

            if isinstance(call.excinfo.value, HilError | OutOfLimits) and not self._config.option.fulltrace:
                what = f"{type(call.excinfo.value).__name__}: {call.excinfo.value}"
                report.longrepr = f"{item.nodeid}\n{printable(what)}"
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """A person pressed Ctrl-C: safe first, then the record."""
        if self._started and isinstance(excinfo.value, KeyboardInterrupt):
            self.run.interrupt()

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Something in pytest itself, or in a plugin, broke: the bench is made safe, and the record says it."""
        if self._started and uninterrupted.seen:
            self.run.interrupt()  # it landed in another plugin's hook, and pytest took it for that plugin's error
        elif self._started:
            error = excinfo.value
            ours = isinstance(error, HilError)
            self.run.stop(_blame(error), str(error) if ours else f"pytest broke: {excinfo.exconly()}")

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        """After the last teardown: safe state, verdict, reports, exit code."""
        try:
            yield
        except HilError as error:
            self.run.stop(error.blame, f"teardown: {error}")
        finally:
            if self._started:
                session.exitstatus = self.run.finish().exit_code
                self._make_reports()

    def _make_reports(self) -> None:
        from hil.reports import make_reports, without_pdf

        assert self.run.folder is not None
        assert self._edition is not None
        try:
            self._reports = make_reports(self.run.folder, self._edition)
            self.unreported = without_pdf(self._edition)
        except (HilError, OSError) as error:
            self.unreported = f"no reports were made: {error}; make them with 'hil report {self.run.folder.name}'"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how the run ended and where its record is."""
        from hil.run.words import counted, decided, headline, stands_out

        summary = self._run.summary if self._run else None
        if summary is None:
            return
        write = terminalreporter.write_line
        run = self.run
        begin = ["", headline(run.options.serial, summary), *counted(summary)]
        for line in [*begin, *decided(run.events, summary), *stands_out(summary)]:
            write(line)
        for path in self._reports:
            if path.stem == "certificate":
                write(f"certificate: {path}")
        if self.unreported:
            write(self.unreported)
        write(f"record: {run.folder}")

    def _outcome(self) -> tuple[str, Blame | None, str]:
        """Judge a test by its errors; the one with the heaviest blame speaks for all."""
        if not self._errors:
            return self.run.measure.worst().value, None, ""
        weight = {Blame.UNIT: 0, Blame.SETUP: 1, Blame.BENCH: 2}
        error = max(self._errors, key=lambda e: weight[_blame(e)])
        blame = _blame(error)
        text = str(error) if isinstance(error, HilError | AssertionError) else f"{type(error).__name__}: {error}"
        return ("fail" if blame is Blame.UNIT else "aborted"), blame, text.partition("\n")[0]


def _until_the_end(undo: Callable[[], None]) -> Callable[[], None]:
    """Let who asked for the end not ask again while Python tidies up: the exit code is settled."""

    def end() -> None:
        undo()
        if uninterrupted.seen:
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN)

    return end


def _blame(error: BaseException) -> Blame:
    """An assertion about the unit blames the unit; an error nobody foresaw is a flaw of the set-up."""
    if isinstance(error, HilError):
        return error.blame
    return Blame.UNIT if isinstance(error, AssertionError) else Blame.SETUP


def _requirements(item: pytest.Item) -> tuple[str, ...]:
    return tuple(str(id_) for mark in item.iter_markers("requirement") for id_ in mark.args)
