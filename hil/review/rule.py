"""The registry of review rules. A rule is a function from a board to findings, with its general statement beside it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hil.review.finding import Finding

if TYPE_CHECKING:
    from hil.review.board import Board

Judge = Callable[["Board"], Iterator[Finding]]

_RULES: dict[str, Rule] = {}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its id, what it demands of any board (no word of one document in it), and the function that judges."""

    id: str
    statement: str
    judge: Judge


def rule(rule_id: str, statement: str) -> Callable[[Judge], Judge]:
    """Register the decorated function as rule `rule_id`; raise ValueError where the id is taken.

    The function yields findings, or none. Where the document does not say enough it raises `CannotJudge(why)`.
    """

    def register(judge: Judge) -> Judge:
        if rule_id in _RULES:
            raise ValueError(f"rule {rule_id} is registered twice")
        _RULES[rule_id] = Rule(rule_id, statement, judge)
        return judge

    return register


def all_rules() -> tuple[Rule, ...]:
    """Every rule of hil/review/rules/, by id."""
    package = importlib.import_module("hil.review.rules")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"hil.review.rules.{module.name}")
    return tuple(_RULES[rule_id] for rule_id in sorted(_RULES))
