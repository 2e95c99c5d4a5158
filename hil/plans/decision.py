"""A plan's [decision]: the certificate's rule, the screens of its stages, the smallest TUR, target and priors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hil.metrology.decision import Judgement, judge
from hil.metrology.reading import Reading
from hil.metrology.risks import Prior
from hil.metrology.rules import RuleText, describe


@dataclass(frozen=True, slots=True)
class Decision:
    """How a plan decides. `rule` is the certificate's; a stage may also screen by a rule of its own."""

    rule: str
    minimum_tur: float
    target_risk: float | None = None
    screens: Mapping[str, str] = field(default_factory=dict)  # rule by stage
    priors: Mapping[str, Prior] = field(default_factory=dict)  # by base name of a measurement, in its unit

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Decision:
        """Read a plan's [decision], whose shape has been checked."""
        return cls(
            rule=table["rule"],
            minimum_tur=float(table["minimum_tur"]),
            target_risk=table.get("target_risk"),
            screens=dict(table.get("screen", {})),
            priors={base: Prior(row["mean"], row["s"]) for base, row in table.get("priors", {}).items()},
        )

    def judge(self, reading: Reading, low: float | None, high: float | None, base: str) -> Judgement:
        """Judge a reading of the measurement `base` by the certificate's rule."""
        return self._judge(self.rule, reading, low, high, base)

    def screen(
        self, stage: str, reading: Reading, low: float | None, high: float | None, base: str
    ) -> Judgement | None:
        """Judge it by the stage's screen; None where there is none, no limit, or an exact reading."""
        rule = self.screens.get(stage)
        if rule is None or reading.u == 0.0 or (low is None and high is None):
            return None
        return self._judge(rule, reading, low, high, base)

    def screened_out(self, stage: str) -> str:
        """Say why a unit is rejected although the certificate's rule passes it."""
        short = self.text(self.screens[stage]).short
        return f"inside its limit, but outside the acceptance limit of the {stage} screen ({short})"

    def text(self, rule: str) -> RuleText:
        """Return how a certificate states one of the plan's rules."""
        return describe(rule, target_risk=self.target_risk)

    def to_dict(self, stage: str) -> dict[str, Any]:
        """Return what the journal records of it at the start of a run; the screen's keys only where there is one."""
        rule, screen = self.text(self.rule), self.screens.get(stage, "")
        record = {
            "rule": self.rule,
            "screen": screen,
            "minimum_tur": self.minimum_tur,
            "rule_text": rule.rule_text,
            "risk_text": rule.risk_text,
            "clause": rule.clause,
        }
        if screen:
            words = self.text(screen)
            record |= {
                "screen_text": words.rule_text,
                "screen_risk_text": words.risk_text,
                "screen_clause": words.clause,
                "screen_short": words.short,
            }
        return record

    def _judge(self, rule: str, reading: Reading, low: float | None, high: float | None, base: str) -> Judgement:
        return judge(
            reading,
            low,
            high,
            rule,
            self.minimum_tur,
            target_risk=self.target_risk,
            prior=self.priors.get(base),
        )
