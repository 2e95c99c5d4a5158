"""Check a plan against its tests: every requirement has evidence, and every test and waiver a requirement.

Which names of measurements the tests make is read from their sources, as far as these say it: a name put together from
parts matches what its constant parts allow.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hil.plans.plan import Plan
from hil.plans.review import unreviewed_waivers

MEASURES = frozenset({"measure", "check", "ready", "cannot", "planned"})  # what the tests call with a base name first
_BASE = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")
_ANSWERS = ("requirement", "requirement_uncovered")  # keys of a measurement


@dataclass(frozen=True, slots=True)
class PlanTest:
    """A test as pytest collected it: its node id, its file's name without suffix, its requirements."""

    __test__ = False  # pytest must not collect it

    node: str
    module: str
    requirements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hole:
    """Something a plan lacks, or has too much of: what about, what is wrong, what to do."""

    about: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.about}: {self.what}; {self.remedy}"


def holes(plan: Plan, tests: Sequence[PlanTest], sources: Mapping[str, str]) -> list[Hole]:
    """Return what is wrong between a plan and its tests; sources are the texts of their folder by file name."""
    named, spoken = _names(sources)
    return [
        *_requirements(plan, tests),
        *_tests(plan, tests),
        *_measurements(plan, tests, named, spoken),
        *_waivers(plan),
    ]


def _requirements(plan: Plan, tests: Sequence[PlanTest]) -> Iterator[Hole]:
    measured = {kind[key] for kind in plan.kinds.values() for key in _ANSWERS if key in kind}
    marked = {id_ for test in tests for id_ in test.requirements}
    for id_, one in plan.requirements.items():
        if not one.stages:
            if not one.why:
                yield Hole(id_, "it is required at no stage, and does not say why", "give it stages, or a why")
            elif id_ not in measured | marked:
                continue  # nothing is asked, and why is told
        if id_ not in measured:
            yield Hole(id_, "no measurement answers it", "let a measurement name it as its requirement")
        if id_ not in marked:
            yield Hole(id_, "no test is marked with it", f'mark one: @pytest.mark.requirement("{id_}")')


def _tests(plan: Plan, tests: Sequence[PlanTest]) -> Iterator[Hole]:
    for node, requirements in dict.fromkeys((_function(test.node), test.requirements) for test in tests):
        if not requirements:
            yield Hole(node, "it answers no requirement", "mark it with one of the plan, or take it out")
        for id_ in requirements:
            if id_ not in plan.requirements:
                yield Hole(node, f"it is marked with {id_}, which the plan does not have", "mend the mark, or the plan")
    modules = {test.module for test in tests}
    for name in plan.sequence:
        if name not in modules:
            yield Hole(f"plan.sequence, {name}", "there is no such file of tests", "mend the name, or take it out")
    for module in sorted(modules - {*plan.sequence}):
        yield Hole(module, "it is not in plan.sequence, so it would run behind all others", "put it in its place")


def _measurements(
    plan: Plan, tests: Sequence[PlanTest], named: Mapping[str, str], spoken: Mapping[str, str]
) -> Iterator[Hole]:
    modules = {test.module for test in tests}
    patterns = {module: re.compile(pattern) for module, pattern in named.items()}
    for base, kind in plan.kinds.items():
        made = {module for module, pattern in patterns.items() if pattern.fullmatch(base)}
        marked = {test.module for test in tests if kind["requirement"] in test.requirements}
        if not made:
            yield Hole(base, "no test makes this measurement", "write one, or take it out of the plan")
        elif made <= modules - marked:  # what several files share may be called by any test
            what = f"it answers {kind['requirement']}, but only tests of other requirements make it"
            yield Hole(base, what, f"mark its test in {', '.join(sorted(made))}, or mend its requirement")
    for base, where in spoken.items():
        if base not in plan.kinds:
            yield Hole(where, f"it measures {base}, which the plan does not have", "mend the name, or the plan")


def _waivers(plan: Plan) -> Iterator[Hole]:
    for waiver in plan.waivers:
        if not plan.requirements[waiver.requirement].stages:  # load_plan has seen to it that there is one
            yield Hole(f"waiver of {waiver.requirement}", "no stage requires what it waives", "take it out")
    for unreviewed in unreviewed_waivers(plan):
        yield Hole("[[waivers]]", unreviewed, "review the board, or take the waiver out")


def _function(node: str) -> str:
    return node.partition("[")[0]


def _names(sources: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return by module a pattern of the names it speaks of, and by plain name where it is measured."""
    named: dict[str, str] = {}
    measured: dict[str, str] = {}
    for file, text in sources.items():
        patterns = {"(?!)"}  # which nothing matches
        for node in ast.walk(ast.parse(text, file)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _BASE.fullmatch(node.value):
                patterns.add(re.escape(node.value))
            elif isinstance(node, ast.JoinedStr) and (pattern := _pattern(node)):
                patterns.add(pattern)
            elif isinstance(node, ast.Call) and (base := _measured(node)):
                measured.setdefault(base, f"{file}, line {node.lineno}")
        named[file.removesuffix(".py")] = "|".join(sorted(patterns))
    return named, measured


def _pattern(node: ast.JoinedStr) -> str:
    """Return what a name put together may be; nothing where its area, before the point, is not constant."""
    parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
    first = parts[0] if parts else None
    if not isinstance(first, str) or not re.match(r"[a-z0-9_]+\.", first):
        return ""
    return "".join("[a-z0-9_]+" if part is None else re.escape(str(part)) for part in parts)


def _measured(node: ast.Call) -> str:
    """Return the base name that a call measures, checks or asks about; nothing where it is no such call."""
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    first = node.args[0] if node.args else None
    if called not in MEASURES or not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        return ""
    return first.value if _BASE.fullmatch(first.value) else ""
