"""Readings, budgets, limits, decisions, risks and statistics of a laboratory: usable without a bench or a run.

Everything named in __all__ can be imported from here, and is loaded only when it is asked for: importing hil.metrology
imports neither numpy, scipy nor GTC. Statistics have a package of their own, hil.metrology.statistics. One page with
examples: docs/metrology.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hil.metrology.budget import Budget, Component, coverage_factor, normal, rectangular, resolution, type_a
    from hil.metrology.composite import MidLimits, composite_error, largest_change, mid_limits
    from hil.metrology.decision import Judgement, Refusal, RiskKind, Verdict, judge, judge_limit
    from hil.metrology.influence import (
        current_ratios,
        difference_limit,
        influence_limit,
        limit_by_name,
        quantities,
        reference_conditions,
    )
    from hil.metrology.limit_tables import load_table, table_names
    from hil.metrology.limits import Limit, lookup, starting_current_a
    from hil.metrology.metering import (
        constant_energy_kwh,
        initial_startup_limit,
        pulse_interval_s,
        register_change_limit,
        repeatability_limit,
    )
    from hil.metrology.monte_carlo import simulate
    from hil.metrology.no_load import NoLoad, no_load_test
    from hil.metrology.propagation import Input, observed, propagate, simultaneous
    from hil.metrology.reading import NotANumber, Reading
    from hil.metrology.risks import (
        Prior,
        conformance_probability,
        global_risks,
        guard_band_for_global_risk,
        guard_band_for_specific_risk,
        nonconformance_probability,
        tur,
    )
    from hil.metrology.rounding import round_for_report
    from hil.metrology.rules import Rule, describe
    from hil.metrology.sources import UnverifiedRow, unverified

_HOME = {  # which module each name lives in
    "budget": ("Budget", "Component", "coverage_factor", "normal", "rectangular", "resolution", "type_a"),
    "composite": ("MidLimits", "composite_error", "largest_change", "mid_limits"),
    "decision": ("Judgement", "Refusal", "RiskKind", "Verdict", "judge", "judge_limit"),
    "influence": (
        "current_ratios",
        "difference_limit",
        "influence_limit",
        "limit_by_name",
        "quantities",
        "reference_conditions",
    ),
    "limit_tables": ("load_table", "table_names"),
    "limits": ("Limit", "lookup", "starting_current_a"),
    "metering": (
        "constant_energy_kwh",
        "initial_startup_limit",
        "pulse_interval_s",
        "register_change_limit",
        "repeatability_limit",
    ),
    "monte_carlo": ("simulate",),
    "no_load": ("NoLoad", "no_load_test"),
    "propagation": ("Input", "observed", "propagate", "simultaneous"),
    "reading": ("NotANumber", "Reading"),
    "risks": (
        "Prior",
        "conformance_probability",
        "global_risks",
        "guard_band_for_global_risk",
        "guard_band_for_specific_risk",
        "nonconformance_probability",
        "tur",
    ),
    "rounding": ("round_for_report",),
    "rules": ("Rule", "describe"),
    "sources": ("UnverifiedRow", "unverified"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "Budget",
    "Component",
    "Input",
    "Judgement",
    "Limit",
    "MidLimits",
    "NoLoad",
    "NotANumber",
    "Prior",
    "Reading",
    "Refusal",
    "RiskKind",
    "Rule",
    "UnverifiedRow",
    "Verdict",
    "composite_error",
    "conformance_probability",
    "constant_energy_kwh",
    "coverage_factor",
    "current_ratios",
    "describe",
    "difference_limit",
    "global_risks",
    "guard_band_for_global_risk",
    "guard_band_for_specific_risk",
    "influence_limit",
    "initial_startup_limit",
    "judge",
    "judge_limit",
    "largest_change",
    "limit_by_name",
    "load_table",
    "lookup",
    "mid_limits",
    "no_load_test",
    "nonconformance_probability",
    "normal",
    "observed",
    "propagate",
    "pulse_interval_s",
    "quantities",
    "rectangular",
    "reference_conditions",
    "register_change_limit",
    "repeatability_limit",
    "resolution",
    "round_for_report",
    "simulate",
    "simultaneous",
    "starting_current_a",
    "table_names",
    "tur",
    "type_a",
    "unverified",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})
