"""A run as STDF V4: one part, a parametric (PTR) or, for yes and no, a functional record (FTR) each attempt.

Ref: Standard Test Data Format (STDF) Specification, version 4 (Teradyne). What a yield tool should know:

- TEST_NUM comes from the measurement's full name, so that it is the same in every run, plan and year.
- RESULT and limits are in the base unit of UNITS; RES_SCAL, LLM_SCAL and HLM_SCAL say by which prefix to show them.
- R*4 holds 7 digits. A generic record (GDR) behind each result has the journal's numbers in full, u, U and the verdict.
- A test failed (TEST_FLG bit 7) when its value does not stand: fail, conditional fail, or the stage's screen says no.
  A conditional pass has PARM_FLG bit 5, "passed alternate limits": inside the limits, but not by its guard band.
  What is not judged (not covered, refused) has bit 6; what has no value bit 4, and in a PTR bit 1.
- A repeated measurement is a repeated record with the same TEST_NUM; the last one counts, and the bins follow from it.
- Hard bins: 1 pass, 2 fail, 3 test again (the bench's fault, or interrupted). Soft bins: 1 pass, 2 pass with conditions
  or waivers, 3 test again, 100 + n: the n-th requirement of the plan is the first that failed, 99 none of them did.
- MODE_COD is D, so that nothing counts as production, for a simulated bench or a plan that was not released; else
  P (production), E (release, the firmware's gate) or Q (type).
- Times are UTC, though the format means the tester's local time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime

from hil.journal.events import Instrument, Measurement
from hil.journal.lasted import lasted_s
from hil.journal.reader import Journal
from hil.journal.summary import RunSummary, standing, summarise
from hil.metrology.decision import ACCEPTED, REJECTED, Verdict
from hil.reports.exports.lines import Line, lines, marks
from hil.reports.exports.stdf_records import c1, cn, generic, i1, i2, i4, r4, record, remark, u1, u2, u4

HEAD = 1
ALL_SITES = 255
PASS_BIN, FAIL_BIN, AGAIN_BIN = 1, 2, 3
CONDITIONS_BIN, OTHER_BIN, FIRST_REQUIREMENT_BIN = 2, 99, 100
INVALID, NOT_EXECUTED, ABORTED, NO_INDICATION, FAILED = 0x02, 0x10, 0x20, 0x40, 0x80  # TEST_FLG
HIGH, LOW, ALTERNATE, EQUAL_PASSES = 0x08, 0x10, 0x20, 0xC0  # PARM_FLG
RESERVED, NO_SPEC, NO_LOW, NO_HIGH = 0x02, 0x0C, 0x40, 0x80  # OPT_FLAG of a PTR
MODES = {"production": "P", "release": "E", "type": "Q"}
NOT_COUNTED = "D"
GENERIC = (
    *("hil measurement", "journal line", "utc", "measurement", "attempt", "last attempt", "requirement"),
    *("value", "unit", "u", "dof", "U", "k", "low", "high", "rule", "verdict", "standing", "reason"),
)
_SCALED = frozenset({"V", "A", "W", "Wh", "ohm", "Hz", "s", "var", "varh", "VA", "VAh", "F", "H", "J", "bit/s"})
_MOST = 12


def render(journal: Journal) -> bytes:
    """Return the run as STDF V4; raises nothing that reading the journal did not."""
    return b"".join(_records(journal, lines(journal), summarise(journal.events)))


def test_number(name: str) -> int:
    """Return the number of a measurement, 1 to 2^31 - 1, by its full name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % (2**31 - 1) + 1


def _records(journal: Journal, measured: tuple[Line, ...], summary: RunSummary) -> Iterator[bytes]:
    site = journal.started.slot % ALL_SITES
    yield record((0, 10), u1(2), u1(4))  # FAR
    yield _master_information(journal)
    yield record((1, 80), u1(HEAD), u1(1), u1(1), u1(site), *(cn(""),) * 14, cn("hil slot"), cn(str(site)))  # SDR
    yield from _remarks(journal, summary)
    yield record((5, 10), u1(HEAD), u1(site))  # PIR
    for line in measured:
        yield _functional(line, site) if line.said.unit == "yes" else _parametric(line, site)
        yield _in_full(line)
    hard, soft, soft_name = _bins(summary)
    yield _part(journal, measured, summary, (hard, soft), site)
    yield from _synopses(measured, site)
    yield from _totals((hard, soft), soft_name, site)
    end = _unix(journal.entries[-1].utc)
    yield record((1, 20), u4(end), c1(" "), cn("; ".join(marks(journal.started))), cn(summary.reason))  # MRR


def _master_information(journal: Journal) -> bytes:
    facts, start = journal.started, _unix(journal.entries[0].utc)
    seen = "; ".join(marks(facts))
    laboratory = facts.unit_facts.get("laboratory") or {}
    texts = (
        str(facts.order.get("number") or journal.run_id),  # LOT_ID
        facts.board,  # PART_TYP
        facts.station,  # NODE_NAM
        "hil",  # TSTR_TYP
        str(facts.plan.get("path", "")),  # JOB_NAM
        str(facts.plan.get("version", "")),  # JOB_REV
        journal.run_id,  # SBLOT_ID
        facts.operator,  # OPER_NAM
        "hil",  # EXEC_TYP
        str(facts.software.get("version", "")),  # EXEC_VER
        facts.stage,  # TEST_COD
        "",  # TST_TEMP
        seen,  # USER_TXT
        "journal.jsonl",  # AUX_FILE
        *("", facts.board, ""),  # PKG_TYP, FAMLY_ID, DATE_COD
        str(laboratory.get("name", "")),  # FACIL_ID
        *("", "", ""),  # FLOOR_ID, PROC_ID, OPER_FRQ
        str(facts.plan.get("path", "")),  # SPEC_NAM
        str(facts.plan.get("version", "")),  # SPEC_VER
        facts.stage,  # FLOW_ID
        str(facts.plan.get("sha256", ""))[:16],  # SETUP_ID
        facts.revision,  # DSGN_REV
        *("", "", "", ""),  # ENG_ID, ROM_COD, SERL_NUM, SUPR_NAM
    )
    mode = NOT_COUNTED if seen else MODES.get(facts.stage, NOT_COUNTED)
    head = (u4(start), u4(start), u1(facts.slot % ALL_SITES), c1(mode), c1(" "), c1(" "), u2(65535), c1(" "))
    return record((1, 10), *head, *map(cn, texts))


def _remarks(journal: Journal, summary: RunSummary) -> Iterator[bytes]:
    """Say what has no field: marks, the journal's digest, faults, instruments, what was not measured."""
    facts = journal.started
    for mark in marks(facts):
        yield remark(f"{mark}: do not count this part")
    yield remark(f"journal.jsonl, SHA-256 of its last line: {journal.last_hash}")
    yield remark("times are UTC; each GDR: " + ", ".join(GENERIC))
    if facts.faults:
        yield remark(f"faults on purpose: {', '.join(facts.faults)}")
    for one in journal.of(Instrument):
        known = one.calibration or {}
        due = f"calibration {known.get('certificate', '')}, due {known.get('due', '')}" if known else "not calibrated"
        yield remark(f"{one.role}: {one.identity}; {due}")
    for asked in summary.requirements:
        for name in asked.missing if asked.required else ():
            yield remark(f"NOT MEASURED: {name}, {asked.id}")


def _flags(line: Line) -> int:
    said, stands = line.said, line.standing
    flags = FAILED if stands in REJECTED else 0 if stands in ACCEPTED else NO_INDICATION
    if stands is Verdict.ABORTED:
        flags |= ABORTED
    if said.value is None:
        flags |= NOT_EXECUTED if said.unit == "yes" else INVALID | NOT_EXECUTED
    return flags


def _parametric(line: Line, site: int) -> bytes:
    """Return a PTR with its limits and units, although a repeated one could leave them out: each stands by itself."""
    said = line.said
    value = 0.0 if said.value is None else float(said.value)
    above = said.value is not None and said.high is not None and value > said.high
    below = said.value is not None and said.low is not None and value < said.low
    parameters = EQUAL_PASSES | HIGH * above | LOW * below
    parameters |= ALTERNATE * (line.standing is Verdict.CONDITIONAL_PASS)
    options = RESERVED | NO_SPEC | NO_LOW * (said.low is None) | NO_HIGH * (said.high is None)
    scale = _scale(said)
    shown = cn("%.6g")
    return record(
        (15, 10),
        *(u4(test_number(said.name)), u1(HEAD), u1(site), u1(_flags(line)), u1(parameters), r4(value)),
        *(cn(said.name), cn(""), u1(options), i1(scale), i1(scale), i1(scale)),
        *(r4(said.low or 0.0), r4(said.high or 0.0), cn("" if said.unit == "1" else said.unit)),
        *(shown, shown, shown, r4(0.0), r4(0.0)),
    )


def _functional(line: Line, site: int) -> bytes:
    said = line.said
    result = "" if said.value is None else repr(float(said.value))
    return record(
        (15, 20),
        *(u4(test_number(said.name)), u1(HEAD), u1(site), u1(_flags(line)), u1(0xFF)),
        *(u4(0), u4(0), u4(0), u4(0), i4(0), i4(0), i2(0), u2(0), u2(0), u2(0)),
        *(cn(""), cn(""), cn(""), cn(said.name), cn(""), cn(_asked(said)), cn(result), u1(255), u2(0)),
    )


def _asked(said: Measurement) -> str:
    return f"{_plain(said.low)} to {_plain(said.high)}"


def _in_full(line: Line) -> bytes:
    said, judged = line.said, line.said.judgement
    dof = "" if said.u is None else _plain(said.dof)
    return generic(
        [
            *(GENERIC[0], str(line.seq + 1), line.utc, said.name, str(said.attempt), str(line.last).lower()),
            *(said.requirement, _plain(said.value), said.unit, _plain(said.u), dof),
            *(_plain(judged.get("expanded_u")), _plain(judged.get("k")), _plain(said.low), _plain(said.high)),
            *(said.rule, str(said.verdict), str(line.standing), said.reason),
        ]
    )


def _plain(value: float | None) -> str:
    return "" if value is None else repr(float(value))


def _scale(said: Measurement) -> int:
    """Return the exponent of the SI prefix by which a value is shown: 3 for milli, -3 for kilo.

    The limits choose it where there are any, so that it is the same in every run.
    """
    if said.unit not in _SCALED:
        return 0
    edges = [abs(edge) for edge in (said.low, said.high) if edge] or [abs(said.value or 0.0)]
    if not edges[0]:
        return 0
    decade = int(f"{max(edges):.5e}".partition("e")[2])
    return max(-_MOST, min(_MOST, -3 * (decade // 3)))


def _bins(summary: RunSummary) -> tuple[int, int, str]:
    if summary.verdict is Verdict.PASS:
        limited = [word for word in ("conditional_pass", "waived") if summary.counts.get(word)]
        return (PASS_BIN, CONDITIONS_BIN, f"pass with {', '.join(limited)}") if limited else (PASS_BIN, 1, "pass")
    if summary.verdict is not Verdict.FAIL:
        return AGAIN_BIN, AGAIN_BIN, "test again"
    for number, one in enumerate(summary.requirements, 1):
        if one.required and (one.verdict in REJECTED or any(standing(part) in REJECTED for part in one.measurements)):
            return FAIL_BIN, FIRST_REQUIREMENT_BIN + number, f"{one.id} {one.title}"
    return FAIL_BIN, OTHER_BIN, "fail"


def _part(journal: Journal, measured: tuple[Line, ...], summary: RunSummary, bins: tuple[int, int], site: int) -> bytes:
    flags = {Verdict.PASS: 0x00, Verdict.FAIL: 0x08}.get(summary.verdict, 0x14)  # the last: abnormal end, no indication
    times = [(entry.utc, entry.bench_s) for entry in journal.entries]
    took_ms = round(1e3 * lasted_s(times, simulated=journal.started.simulated))
    return record(
        (5, 20),
        *(u1(HEAD), u1(site), u1(flags), u2(min(len(measured), 65535)), u2(bins[0]), u2(bins[1])),
        *(i2(-32768), i2(-32768), u4(min(took_ms, 2**32 - 1)), cn(journal.started.serial)),
        *(cn("; ".join([str(summary.verdict), *marks(journal.started)])), u1(0)),
    )


def _synopses(measured: tuple[Line, ...], site: int) -> Iterator[bytes]:
    by_name: dict[str, list[Line]] = {}
    for line in measured:
        by_name.setdefault(line.said.name, []).append(line)
    for name, attempts in by_name.items():
        kind = "F" if attempts[0].said.unit == "yes" else "P"
        failed = sum(one.standing in REJECTED for one in attempts)
        values = [float(one.said.value) for one in attempts if one.said.value is not None] if kind == "P" else []
        options = 0xCC if values else 0xFF  # TEST_TIM is never told
        low, high = (min(values), max(values)) if values else (0.0, 0.0)
        yield record(
            (10, 30),
            *(u1(HEAD), u1(site), c1(kind), u4(test_number(name)), u4(len(attempts)), u4(failed), u4(0)),
            *(cn(name), cn(""), cn(attempts[0].said.requirement), u1(options)),
            *(r4(0.0), r4(low), r4(high), r4(sum(values)), r4(sum(value * value for value in values))),
        )


def _totals(bins: tuple[int, int], soft_name: str, site: int) -> Iterator[bytes]:
    names: Mapping[int, tuple[str, str]] = {1: ("P", "pass"), 2: ("F", "fail"), 3: (" ", "test again")}
    good, aborted = int(bins[0] == PASS_BIN), int(bins[0] == AGAIN_BIN)
    counts = (1, 0, aborted, good, good)  # parts, of them retested, aborted, good, functional
    for head, of_site in ((HEAD, site), (ALL_SITES, 0)):
        for number, (passes, name) in names.items():
            yield record(
                (1, 40),
                *(u1(head), u1(of_site), u2(number), u4(int(number == bins[0])), c1(passes), cn(name)),
            )
        yield record((1, 50), u1(head), u1(of_site), u2(bins[1]), u4(1), c1(names[bins[0]][0]), cn(soft_name))
        yield record((1, 30), u1(head), u1(of_site), *map(u4, counts))


def _unix(utc: str) -> int:
    return int(datetime.fromisoformat(utc).timestamp())
