"""Every English text of ours that a report prints, found in the sources: what the catalogue of a language must know."""

import ast
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from jinja2 import Environment, nodes

from hil.metrology.rules import _TEXTS
from hil.plans.plan import STAGES, load_plan
from hil.reports.evidence import OUTSIDE_THE_PLAN
from hil.reports.rows import humane
from hil.reports.words import MARKS, VERDICTS

REPORTS = Path(__file__).parents[2] / "hil" / "reports"
FIXED = (
    # what templates print through `words`: of budgets, of findings, of blame
    "rectangular", "normal", "triangular", "arcsine", "blocker", "critical", "high", "med", "info", "certain",
    "depends",
    "unit", "bench", "setup",
    # why a measurement or a requirement did not pass, where the words are fixed (hil.metrology.decision, hil.journal)
    "no limit covers this point", "not required", "inside the upper limit by less than U", "pass", "fail",
    "inside the lower limit by less than U", "outside the upper limit by no more than U", "outside the upper limit",
    "outside the lower limit by no more than U", "outside the lower limit", "conditional_pass", "conditional_fail",
    "not_covered", "refused", "aborted", "the reading has no uncertainty, so it cannot be judged",
    "inside the upper limit by less than the guard band", "inside the lower limit by less than the guard band",
    "inside the upper limit by less than the guard band U", "inside the lower limit by less than the guard band U",
)  # fmt: skip


def of_templates() -> Iterator[str]:
    """The sentences of the templates: whatever goes through `t`."""
    for path in sorted((REPORTS / "templates").rglob("*.j2")):
        for one in Environment().parse(path.read_text()).find_all(nodes.Filter):
            if one.name == "t":
                assert isinstance(one.node, nodes.Const), f"{path.name}, line {one.lineno}: `t` takes a fixed sentence"
                yield one.node.value


def of_code() -> Iterator[str]:
    """The sentences of the modules: what goes through Language.text or say, and the heads of the PDF's columns."""
    for path in sorted(REPORTS.rglob("*.py")):
        for one in ast.walk(ast.parse(path.read_text())):
            if isinstance(one, ast.Call):
                named = one.func.attr if isinstance(one.func, ast.Attribute) else getattr(one.func, "id", "")
                if named in {"text", "say", "heading"} and one.args:
                    yield from _constants(one.args[0])
                elif named == "Column":
                    yield from (text for argument in one.args for text in _constants(argument) if len(text) > 1)


def _constants(node: ast.expr) -> Iterator[str]:
    """The texts that an argument may be: one, or one of two."""
    if isinstance(node, ast.IfExp):
        yield from (*_constants(node.body), *_constants(node.orelse))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def of_words() -> Iterator[str]:
    """The words of verdicts, marks, rules and areas."""
    yield from FIXED
    yield OUTSIDE_THE_PLAN
    yield from (one.word for one in VERDICTS.values())
    yield from chain.from_iterable((one.short, one.text) for one in MARKS.values())
    yield from chain.from_iterable(texts[:2] for texts in _TEXTS.values())


def of_plan(board: str = "smart-power") -> Iterator[str]:
    """The plan's titles, methods, areas, reasons, waivers, charts, and the names of what it measures."""
    plan = load_plan(board)
    yield from STAGES
    for one in plan.requirements.values():
        yield from filter(None, (one.title, one.area, one.method, one.why))
    yield from (one.text for one in plan.waivers)
    for chart in plan.charts:
        yield from (chart["title"], chart["x_label"], *chart.get("series", ()), *filter(None, [chart.get("panel")]))
    for base in plan.kinds:
        yield humane(base)
    for revision in plan.revisions:
        for name in plan.resolve(revision):
            yield from (part.partition("=")[0] for part in name.partition("[")[2].removesuffix("]").split(",") if part)
    yield from chain.from_iterable(plan.rating.items())


def everything() -> list[str]:
    """All of it, each once, in a stable order."""
    found = chain(of_templates(), of_code(), of_words(), of_plan())
    return list(dict.fromkeys(one for one in found if any(letter.isalpha() for letter in one)))
