"""One run: its options, its plan, its bench, its journal, and how it ends."""

from __future__ import annotations

import importlib
import platform
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hil
from hil.clock import RecordClock
from hil.errors import Blame, HilError, SetupError
from hil.interrupt import uninterrupted
from hil.journal import events
from hil.journal.summary import RunSummary, conclude
from hil.journal.writer import JournalWriter, new_run_folder, utc_now
from hil.metrology.decision import Verdict
from hil.names import check_operator, without_secrets
from hil.plans.plan import STAGES, Plan, load_plan
from hil.run import calibrations, findings, released, software
from hil.run.measure import Measurer
from hil.run.order import Order
from hil.station.config import CALIBRATIONS, StationConfig, find_stations_file, load_stations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from hil.station.launch import SimulatedStation
    from hil.station.locks import BenchLock
    from hil.station.station import Station

ABORT_CODE = {Blame.UNIT: 1, Blame.BENCH: 3, Blame.SETUP: 4}


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the operator asked for."""

    serial: str
    board: str
    revision: str = "A"
    stage: str = "production"
    station: str = "sim"
    operator: str = ""
    seed: int = 0
    faults: tuple[str, ...] = ()
    attach: str = ""
    stations_file: Path = Path("stations.toml")
    runs: Path = Path("runs")
    sync: str = "test"  # what is written through to the disk at its end: each test, or each measurement
    order: Order = field(default_factory=Order)


class Run:
    """Create it (everything is checked, nothing opened), `start()` it, and `finish()` it whatever happened."""

    def __init__(self, options: RunOptions, now: Callable[[], datetime] = utc_now) -> None:
        self.options = options
        self.plan: Plan = load_plan(options.board)
        self.plan.check_serial(options.serial)
        check_operator(options.operator)
        if options.stage not in STAGES:
            raise SetupError(f"no stage {options.stage!r}", f"stages: {', '.join(STAGES)}")
        self.planned = self.plan.resolve(options.revision)
        self.config: StationConfig = _station(options)
        self._today = now().date()  # a run that goes beyond midnight keeps its calibrations
        options.order.check(self._today)
        calibrations.check(self.config, self.plan.calibration, options.stage, self._today)
        self._release = released.release_of(self.plan, options.revision, options.stations_file)
        self.events: list[events.Event] = []
        self.station: Station | None = None
        self.board: Any = None
        self.folder: Path | None = None
        self.summary: RunSummary | None = None
        self._clock = RecordClock()
        self._lock: BenchLock | None = None
        self._lost = ""  # why the record could not be finished
        self._journal: JournalWriter | None = None
        self._measure: Measurer | None = None
        self._stopped: tuple[Blame, str] | None = None
        self._interrupted = False

    @property
    def measure(self) -> Measurer:
        """What the tests measure with."""
        assert self._measure is not None, "the run has not started"
        return self._measure

    @property
    def stopped(self) -> bool:
        """Whether something happened after which no further test may run."""
        return self._stopped is not None or self._interrupted

    def check_high_voltage(self) -> None:
        """Raise InterlockOpen where the stage wants high voltage, and nobody or no relay box is named for it."""
        from hil.station.high_voltage import check_isolator, check_person

        stage, needs = self.options.stage, "HipotTester."
        wanted = [one for one in self.plan.requirements.values() if stage in one.stages and one.needs.startswith(needs)]
        if any(self._bench_can(one.needs) for one in wanted):
            check_person(self.options.operator or self.config.operator)
            check_isolator(self.config.isolators)

    def start(self) -> None:
        """Begin the record, then open the bench. What fails from there on is on record, and raised."""
        from hil.station.bench import lock_station, simulate
        from hil.station.locks import Owner

        o = self.options
        started, beside = self._run_started(), tuple(self._beside())  # files are read before anything is held
        # first, for it knows whether there are such a board and such faults: no record begins with a misspelt word
        simulated = simulate(
            self.config,
            serial=o.serial,
            board=o.board,
            revision=o.revision,
            seed=o.seed,
            faults=o.faults,
            attach=o.attach,
        )
        try:
            owner = Owner(operator=o.operator, serial=o.serial, station=o.station)
            self._lock = lock_station(self.config, simulated, owner)
            self.folder = new_run_folder(o.runs, o.serial)
            self._lock.write(replace(owner, record=str(self.folder)))
            self._journal = JournalWriter(self.folder, self._clock, sync=o.sync)
            recorder = _Recorder(self._journal, self.events, self.check)
            self._measure = Measurer(self.plan, self.planned, recorder, o.stage)
            self._begin(started, beside)
        except BaseException as error:
            if self._lock is not None:
                self._lock.abandon()
            if simulated is not None:
                simulated.close()
            if self._journal is not None and isinstance(error, HilError):
                self.stop(error.blame, str(error))
            raise
        try:
            self._open_bench(simulated)
        except HilError as error:
            self.stop(error.blame, str(error))
            raise

    def _begin(self, started: events.RunStarted, beside: tuple[tuple[str, bytes, str], ...]) -> None:
        """Write what is known before the bench is open, and keep what the run stands on beside its journal."""
        assert self._journal is not None
        o = self.options
        self.write(started)
        for waiver in self.plan.waivers:
            if o.revision in waiver.revisions and o.stage in self.plan.requirements[waiver.requirement].stages:
                self.write(events.Waiver("", waiver.text, waiver.requirement, waiver.finding))
        for finding in findings.on_record(self.plan, o.revision):
            self.write(finding)
        for name, data, media_type in beside:
            self._journal.attach("", name, data, media_type)

    def _beside(self) -> Iterator[tuple[str, bytes, str]]:
        """Yield what the run stands on, name, content and media type: plan, its review, software, calibrations."""
        yield self.plan.path.name, self.plan.text, "application/toml"
        if self.plan.review is not None:
            yield self.plan.review.path.name, self.plan.review.text, "application/json"
        yield software.NAME, software.on_record(), software.MEDIA_TYPE
        folder = find_stations_file(self.options.stations_file).parent / CALIBRATIONS
        yield from calibrations.files(self.config, folder)

    def write(self, event: events.Event) -> None:
        """Journal an event, and keep it for the summary."""
        assert self._journal is not None, "the run has not started"
        with uninterrupted:  # the line and its digest in the next one belong together
            self._journal.write(event)
            self.events.append(event)

    def stop(self, blame: Blame, reason: str) -> None:
        """Make the bench safe now, and let no further test run. The first reason counts."""
        if self._stopped is None:
            self._stopped = (blame, reason)
            with uninterrupted.shielded():
                self.make_safe(reason)

    def interrupt(self) -> None:
        """Note that a person stopped the run, and make the bench safe; once is enough."""
        if not self._interrupted:
            self._interrupted = True
            with uninterrupted.shielded():
                self.make_safe(f"interrupted ({uninterrupted.seen})" if uninterrupted.seen else "interrupted")

    def make_safe(self, why: str) -> bool:
        """Go through the station's safe state and journal what was read back."""
        if self.station is None:
            return True
        state = self.station.make_safe()
        self._write_if_it_can(events.SafeState(by="run", why=why, readback=state.readback, safe=state.safe))
        return state.safe

    def check(self) -> None:
        """Raise what was found wrong meanwhile: an opened lid, a guard that died."""
        uninterrupted.raise_alarm()
        if self.station is not None and self.station.watch is not None:
            self.station.watch.check()

    def roles_used(self, *, with_board: bool) -> tuple[str, ...]:
        """Return the roles that the test which ends now spoke to; the board is spoken to through the fixture."""
        if self.station is None:
            return ()
        if with_board and self.measure.valued:
            self.station.roles.note("Fixture")
        return self.station.roles.used()

    def _write_if_it_can(self, event: events.Event) -> None:
        """Journal an event, or remember why not: the bench comes first."""
        try:
            self.write(event)
        except HilError as error:
            self._lost = self._lost or str(error)
            self.events.append(event)

    def finish(self) -> RunSummary:
        """Make the bench safe, close it and write the verdict. Call it exactly once."""
        with uninterrupted.shielded():
            return self._finish()

    def _finish(self) -> RunSummary:
        safe = self.make_safe("the run is over")
        if self.station is not None:
            self.station.close()
        summary = conclude(self.events, interrupted=self._interrupted)
        verdict, exit_code, reason = summary.verdict, summary.exit_code, summary.reason
        if safe and self._stopped is not None and not self._interrupted:
            blame, reason = self._stopped
            exit_code = ABORT_CODE[blame]
            verdict = Verdict.FAIL if blame is Blame.UNIT else Verdict.ABORTED
        if safe and self._interrupted and uninterrupted.seen not in {"", "SIGINT"}:
            reason = f"interrupted by {uninterrupted.seen}"
        if self._lost:
            verdict, exit_code, reason = Verdict.ABORTED, ABORT_CODE[Blame.BENCH], self._lost
        end = events.RunFinished(verdict=verdict.value, exit_code=exit_code, reason=reason, counts=summary.counts)
        self._write_if_it_can(end)
        assert self._journal is not None
        self._journal.close()
        self.summary = RunSummary(verdict, exit_code, reason, summary.requirements, summary.counts)
        return self.summary

    def _open_bench(self, simulated: SimulatedStation | None) -> None:
        from hil.station.bench import Guarded, open_station

        o = self.options
        assert self._lock is not None
        times = self.plan.guard
        guarded = Guarded(self._lock, str(self.folder), times.heartbeat_s, times.stall_s)
        self.station = open_station(self.config, simulated, guarded)
        self._clock.clock = self.station.clock
        for one in self.station.opened:
            self.write(
                events.Instrument(
                    role=one.role,
                    driver=one.driver,
                    resource=without_secrets(one.resource),
                    identity=one.identity,
                    serial=one.serial,
                    calibration=calibrations.on_record(one.calibration, self.plan.calibration, self._today),
                )
            )
        for _, trouble in calibrations.troubles(self.config, self.plan.calibration, self._today):
            self.write(events.Note("", trouble))
        if self.station.taken_over is not None:
            owner, state = self.station.taken_over
            why = f"taken over from {owner}, who died with the bench"
            self.write(events.SafeState(by="run", why=why, readback=state.readback, safe=state.safe))
        package = importlib.import_module(f"hil.dut.{o.board.replace('-', '_')}.connect")
        self.board = package.connect(self.station.fixture, self.station.clock, o.revision)

    def _run_started(self) -> events.RunStarted:
        o = self.options
        return events.RunStarted(
            serial=o.serial,
            board=o.board,
            revision=o.revision,
            stage=o.stage,
            station=o.station,
            simulated=bool(self.config.launch),
            operator=o.operator,
            plan={"path": self.plan.path.name, "version": self.plan.version, "sha256": self.plan.sha256},
            software={"version": hil.__version__, "commit": _commit()},
            python=platform.python_version(),
            seed=o.seed,
            faults=o.faults,
            requirements=tuple(self._requirements()),
            charts=self.plan.charts,
            unit_facts={**self.plan.rating, "laboratory": dict(self.config.laboratory)},
            decision=self.plan.decision.to_dict(o.stage),
            order=o.order.told(),
            release=released.on_record(self._release, self.plan, o.stations_file, o.station),
        )

    def _requirements(self) -> list[dict[str, Any]]:
        rows = []
        for requirement in self.plan.requirements.values():
            able = not requirement.needs or self._bench_can(requirement.needs)
            why = requirement.why or ("" if able else requirement.without or f"this bench cannot: {requirement.needs}")
            at_stage = self.options.stage in requirement.stages
            if requirement.stages and not at_stage:
                why = f"a matter of stage {' and '.join(requirement.stages)}"
            rows.append(
                {
                    "id": requirement.id,
                    "title": requirement.title,
                    "area": requirement.area,
                    "required": at_stage and able,
                    "stages": list(requirement.stages),
                    "why": why,
                    "method": requirement.method,
                    "measurements": [p.name for p in self.planned.values() if p.requirement == requirement.id],
                }
            )
        return rows

    def _bench_can(self, ability: str) -> bool:
        role, _, name = ability.partition(".")
        if role == "Board":
            revisions = importlib.import_module(f"hil.dut.{self.options.board.replace('-', '_')}.revisions")
            return bool(revisions.revision(self.options.revision).can(name))
        entry = self.config.instruments.get(role)
        if entry is None:
            return False
        return bool(getattr(importlib.import_module(f"hil.instruments.{entry.driver}").DRIVER, name, False))


class _Recorder:
    """What the measurer writes to: the journal, with every event kept for the summary."""

    def __init__(self, journal: JournalWriter, kept: list[events.Event], check: Callable[[], None]) -> None:
        self._journal = journal
        self._kept = kept
        self._check = check

    def write(self, event: events.Event) -> None:
        self._check()
        with uninterrupted:
            self._journal.write(event)
            self._kept.append(event)

    def attach(self, test: str, name: str, data: bytes, media_type: str) -> str:
        with uninterrupted:
            return self._journal.attach(test, name, data, media_type)


def _station(options: RunOptions) -> StationConfig:
    stations = load_stations(options.stations_file)
    if options.station not in stations:
        raise SetupError(f"no station {options.station!r} in {options.stations_file}", f"known: {', '.join(stations)}")
    config = stations[options.station]
    if options.faults and not config.launch:
        raise SetupError(f"station {options.station} is a real bench", "faults belong to the simulated station")
    return config


def _commit() -> str:
    """Return the commit of the checkout this code runs from, with a plus where it was changed; "" outside one."""
    here = Path(__file__).resolve().parents[2]
    try:
        commit = _git(here, "rev-parse", "HEAD") if (here / ".git").exists() else ""
        return commit + ("+" if commit and _git(here, "status", "--porcelain", "--untracked-files=no") else "")
    except OSError:
        return ""


def _git(checkout: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(checkout), *words], capture_output=True, text=True, check=False)
    return done.stdout.strip()
