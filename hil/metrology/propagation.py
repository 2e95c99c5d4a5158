"""Propagation of uncertainty through a model of the measurement, by GTC: sensitivities, correlation, effective dof.

Ref: JCGM 100:2008 (GUM), 5.1.2 (first order, and its note for the second), 5.2.2 (correlation), G.4
(Welch-Satterthwaite). Usable without a bench: `propagate(lambda p, u, i: p / (u * i), inputs, "1")`. A model is a
function of the inputs' values that holds for uncertain numbers and numpy arrays alike: plain arithmetic, and the
functions of `hil.metrology.functions`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from hil.errors import OutOfRange
from hil.metrology.budget import Budget, Component, type_a
from hil.metrology.reading import NotANumber, Reading
from hil.metrology.statistics import mean

Model = Callable[..., Any]
_ensembles = count(1)


@dataclass(frozen=True, slots=True)
class Input:
    """A value the model takes, in `unit`, with what is uncertain about it: components in their own units.

    A component's sensitivity is the derivative of this input by it. raw is the value before `corrections`.
    observations are the readings whose mean the value is: their scatter is uncertain too, and correlated between inputs
    that were read together (`simultaneous`). roles are the instruments whose readings the value is made of.
    """

    name: str
    value: float
    unit: str
    components: tuple[Component, ...] = ()
    raw: float | None = None
    corrections: tuple[Mapping[str, Any], ...] = ()
    observations: tuple[float, ...] = ()
    together: int = 0  # the same number: observed at the same moments
    roles: tuple[str, ...] = ()

    def plus(self, *components: Component) -> Input:
        """Return the input with more components, each with its derivative of this input as sensitivity."""
        return replace(self, components=(*self.components, *components))


@dataclass(frozen=True, slots=True)
class Influence:
    """One independent cause of uncertainty: a component, and by how much one of its u moves each input it acts on."""

    component: Component
    moves: Mapping[int, float]  # by the input's place, in the input's unit per standard uncertainty
    names: tuple[str, ...]  # of these inputs


@dataclass(slots=True)
class _Check:
    """Whether every budget is checked by Monte Carlo as well: off, unless a run asks for it."""

    seed: int | None = field(default=None)

    def off(self) -> None:
        """Check no more."""
        self.seed = None


CHECK = _Check()


def observed(name: str, readings: Sequence[float], unit: str, components: Sequence[Component] = ()) -> Input:
    """Make the mean of repeated readings an input, in `unit`, its scatter a type A component (GUM, 4.2.3)."""
    return repeated(Input(name, mean(readings), unit, tuple(components)), readings)


def repeated(one: Input, readings: Sequence[float]) -> Input:
    """Add the scatter of the readings whose mean an input is, corrected or not; one reading says nothing about it."""
    shift = one.value - mean(readings)
    return replace(one, observations=tuple(reading + shift for reading in readings) if len(readings) > 1 else ())


def simultaneous(*inputs: Input) -> tuple[Input, ...]:
    """Say that inputs were observed together, reading by reading.

    Their scatter is correlated as the readings show, and has n - 1 degrees of freedom together, where
    Welch-Satterthwaite does not hold (GUM, 5.2.3, H.2 and G.4.1). Raises OutOfRange for unequal numbers of readings.
    """
    n, number = len(inputs[0].observations), next(_ensembles)
    for one in inputs:
        if len(one.observations) != n:
            raise OutOfRange(f"number of readings of {one.name}", len(one.observations), n, n)
    return tuple(replace(one, together=number) for one in inputs)


def direct(value: float, unit: str, components: Sequence[Component], roles: Sequence[str] = ()) -> Budget:
    """Make the budget of a value that is read as it is, in `unit`: the components' sensitivities are by that value."""
    return as_read(Input("", value, unit, tuple(components), roles=tuple(roles)))


def as_read(one: Input) -> Budget:
    """Return the budget of an input that is the result itself, in its unit."""
    return propagate(_itself, [one], one.unit)


def propagate(model: Model, inputs: Sequence[Input], unit: str, *, second_order: bool = False) -> Budget:
    """Return the budget, in `unit`, of model(*values of inputs): first order, by GTC.

    The budget's lines are independent of each other, so their contributions add up as squares: what inputs share is one
    line with its net effect, and so is the scatter of readings taken together. second_order adds the terms of the note
    in GUM 5.1.2, for a model that is strongly curved; where they would make u smaller they are left out. Raises
    NotANumber where the model has no value or no derivative at the inputs.
    """
    values = [one.value for one in inputs]
    value, slopes = _derivatives(model, values)
    causes, scatters = influences(inputs), _scatters(inputs, slopes)
    lines = [_line(cause, slopes) for cause in causes] + scatters
    u, dof = _combined(model, inputs, causes, scatters)
    if second_order and (more := _second_order_u(model, values, causes)):
        line = Component("second-order terms (GUM 5.1.2, note)", "B", "normal", more)
        ratio = u / math.hypot(u, more)
        u, dof, lines = math.hypot(u, more), dof / ratio**4 if ratio else math.inf, [*lines, line]
    raw = None
    if any(one.raw is not None for one in inputs):
        raw = _value_of(model(*(one.value if one.raw is None else one.raw for one in inputs)))
    corrections = tuple(correction for one in inputs for correction in one.corrections)
    instruments = tuple(dict.fromkeys(role for one in inputs for role in one.roles))
    budget = Budget(Reading(value, unit, u, dof), tuple(lines), raw, corrections, instruments=instruments)
    if CHECK.seed is None:
        return budget
    from hil.metrology.monte_carlo import compare

    return replace(budget, monte_carlo=compare(budget, model, inputs, seed=CHECK.seed))


def influences(inputs: Sequence[Input]) -> list[Influence]:
    """Return what makes the inputs uncertain, the scatter of readings taken together left out; shared causes once."""
    found: dict[str, Influence] = {}
    for place, one in enumerate(inputs):
        for number, component in enumerate(one.components):
            key = component.shared or f"{place} {number}"
            moves, first = component.sensitivity * component.value, found.get(key)
            if first is None:
                found[key] = Influence(component, {place: moves}, (one.name,))
                continue
            names = first.names if one.name in first.names else (*first.names, one.name)
            together = {**first.moves, place: first.moves.get(place, 0.0) + moves}
            kept = replace(max(first.component, component, key=_size), dof=min(first.component.dof, component.dof))
            found[key] = Influence(kept, together, names)
    return list(found.values())


def ensembles(inputs: Sequence[Input]) -> list[list[int]]:
    """Return the places of the inputs that were observed, those read together in one list."""
    found: dict[int, list[int]] = {}
    for place, one in enumerate(inputs):
        if one.observations:
            found.setdefault(one.together or -place - 1, []).append(place)
    return list(found.values())


def _size(component: Component) -> float:
    return component.value


def _itself(value: Any) -> Any:
    return value


def _value_of(result: Any) -> float:
    return float(getattr(result, "x", result))


def _evaluate(model: Model, values: Sequence[Any]) -> Any:
    try:
        return model(*values)
    except (ArithmeticError, ValueError) as error:
        at = [_value_of(one) for one in values]
        raise NotANumber(f"the model at {', '.join(f'{v:g}' for v in at)} ({error})", math.nan, "") from error


def _derivatives(model: Model, values: Sequence[float]) -> tuple[float, list[float]]:
    """Return the model's value and its derivatives by each input, at these values."""
    import GTC  # 0.4 s to import: only a run that has uncertainties pays for it
    from GTC import reporting

    leaves = [GTC.ureal(value, 1.0) for value in values]
    result = _evaluate(model, leaves)
    if not isinstance(result, type(leaves[0])):
        return _value_of(result), [0.0] * len(leaves)
    return float(result.x), [float(reporting.u_component(result, leaf)) for leaf in leaves]


def _combined(
    model: Model, inputs: Sequence[Input], causes: Sequence[Influence], scatters: Sequence[Component]
) -> tuple[float, float]:
    """Return u and the effective degrees of freedom, by GTC.

    What was read together comes in as its net scatter: GTC's own ensembles take the root of a variance that rounding
    makes negative where readings are fully correlated, and give the same u and dof where they are not (a test).
    """
    import GTC

    values: list[Any] = [one.value for one in inputs]
    for cause in causes:
        if any(cause.moves.values()):
            leaf = GTC.ureal(0.0, 1.0, cause.component.dof)
            for place, moves in cause.moves.items():
                values[place] = values[place] + moves * leaf
    result = _evaluate(model, values) + sum(GTC.ureal(0.0, one.value, one.dof) for one in scatters if one.value)
    u = float(getattr(result, "u", 0.0))
    return u, float(result.df) if u > 0.0 else math.inf


def _scatters(inputs: Sequence[Input], slopes: Sequence[float]) -> list[Component]:
    """Return one line an ensemble: to first order the scatter of the result, made of readings taken together."""
    lines = []
    for places in ensembles(inputs):
        results = [
            math.fsum(slopes[p] * (inputs[p].observations[n] - inputs[p].value) for p in places)
            for n in range(len(inputs[places[0]].observations))
        ]
        names = " and ".join(inputs[p].name for p in places)
        lines.append(type_a(f"scatter of {names}{', read together' if len(places) > 1 else ''}", results))
    return lines


def _line(cause: Influence, slopes: Sequence[float]) -> Component:
    """Return an influence as a line of the budget: its net effect on the result."""
    component, names = cause.component, " and ".join(name for name in cause.names if name)
    name = f"{names}: {component.name}" if names else component.name
    shared = component.shared if len(cause.moves) > 1 else ""
    if component.value == 0.0:
        (place,) = list(cause.moves)[:1]
        return replace(component, name=name, sensitivity=slopes[place] * component.sensitivity, shared=shared)
    net = math.fsum(slopes[place] * moves for place, moves in cause.moves.items())
    return replace(component, name=name, sensitivity=net / component.value, shared=shared)


def _second_order_u(model: Model, values: Sequence[float], causes: Sequence[Influence]) -> float:
    """Return the root of SUM_ij [f_ij^2 / 2 + f_i f_ijj] u_i^2 u_j^2, in the result's unit; 0 where it is negative.

    Derivatives are differences over half a standard uncertainty: exact for models up to the third power.
    """
    h, n = 0.5, len(causes)

    def at(*steps: tuple[int, float]) -> float:
        moved = list(values)
        for cause, step in steps:
            for place, moves in causes[cause].moves.items():
                moved[place] += step * moves
        return _value_of(_evaluate(model, moved))

    def mixed(i: int, j: int, *also: tuple[int, float]) -> float:
        both = [s * t * at((i, s * h), (j, t * h), *also) for s in (1, -1) for t in (1, -1)]
        return math.fsum(both) / (4 * h * h)

    total = 0.0
    for i in range(n):
        slope = (at((i, h)) - at((i, -h))) / (2 * h)
        for j in range(n):
            third = 0.0
            if slope:
                bend = [at((j, 2 * h), (i, s * h)) - 2 * at((i, s * h)) + at((j, -2 * h), (i, s * h)) for s in (1, -1)]
                third = (bend[0] - bend[1]) / (2 * h * (2 * h) ** 2)
            total += mixed(i, j) ** 2 / 2 + slope * third
    return math.sqrt(total) if total > 0.0 else 0.0
