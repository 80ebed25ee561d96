"""Where all signs are known: one exact linear program, and what it proves.

On a part of a domain on which every earlier neuron that matters keeps its sign, a neuron is an affine form, and the
signs that splits have fixed are linear inequalities, as the rows of the domain are. The largest value of the form is
attained, so this is where a supremum of exactly 0 is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.certificates.batch import derived
from geomrelu.certificates.folding import replaced
from geomrelu.certificates.region import Region, signed
from geomrelu.exact import linear_programs
from geomrelu.exact.numbers import common, nearest_float

__all__ = ["Leaf", "Open", "Positive", "forms", "solved"]

FEW = 12  # with more inputs, floating point guesses which of them lie at their sides
LARGEST = 1 << 13  # numbers in a linear program that is solved exactly: coordinates that move, by rows and sides


Best = tuple[Fraction, tuple[Fraction, ...], list[Fraction]]
Node = dict[str, Any]


@dataclass(frozen=True)
class Leaf:
    """A leaf of a proof, and a point where the neuron is exactly 0, if that is its largest value."""

    node: Node
    zero: tuple[Fraction, ...] | None = None


@dataclass(frozen=True)
class Positive:
    """A point where the neuron is positive."""

    point: tuple[Fraction, ...]


@dataclass(frozen=True)
class Open:
    """An earlier neuron that matters and whose sign is not known."""

    layer: int
    neuron: int


def solved(region: Region, level: int, neuron: int) -> Leaf | Positive | Open | None:
    """Decide a neuron on a region of a bounded domain; None if that was too much.

    Exact: yes. Method: bounds of earlier neurons, then one linear program (GMP), two where the region is empty.
    """
    splits = [(k, at, i, sign) for k, (at, i, sign) in enumerate(region.splits)]
    wanted, derive = [(level, neuron), *((at, i) for _, at, i, _ in splits)], Node()
    known = forms(region, wanted) if len(region.known) >= level - 1 else None
    if known is None or isinstance(known, Open):  # perhaps bounds of the region tell
        region, derive = region.copy(), derived(level)
        region.derive(derive["derive"], level)
        if region.empty:
            return Leaf(derive)
        known = forms(region, wanted)
    if isinstance(known, Open):
        return known
    facts = [("splits", str(k)) for k, *_ in splits]
    rows = [[sign * v for v in known[at, i]] for _, at, i, sign in splits]
    form, best, multipliers = known[level, neuron], None, None
    if region.domain.generators is not None:
        best = _on_hull(form, rows, region.domain.generators[0])
        if best is None:
            multipliers = _contradiction_on_hull(form, rows, region.domain.generators[0])
    else:
        for k, row in enumerate(region.domain.rows):
            facts, rows = [*facts, ("rows", str(k))], [*rows, list(map(Fraction, row))]
        for k, row in enumerate(region.domain.equalities):
            facts += [("equalities", str(k)), ("equalities", f"-{k}")]
            rows += [list(map(Fraction, row)), [Fraction(-v) for v in row]]
        sides = _sides(region)
        # with few inputs the exact program is the quicker one, and SciPy is not loaded for it
        quick = _by_floats(form, rows, *sides) if len(sides[0]) > FEW else None
        if quick is not None:
            return Leaf(derive | _said(facts, quick))
        best = _maximum(form, rows, *sides)
        if best is None:
            multipliers = _contradiction(form, rows, *sides)
    if best is None:
        return None if multipliers is None else Leaf(derive | _said(facts, multipliers))
    value, point, multipliers = best
    return Positive(point) if value > 0 else Leaf(derive | _said(facts, multipliers), None if value else point)


def _said(facts: list[tuple[str, str]], multipliers: Sequence[Fraction]) -> dict[str, Any]:
    """How a leaf says them; an equality may have stood for two facts."""
    tables: dict[str, dict[str, Fraction]] = {}
    for (name, k), m in zip(facts, multipliers, strict=True):
        if m:
            table = tables.setdefault(name, {})
            table[k.strip("-")] = table.get(k.strip("-"), Fraction(0)) + (-m if k.startswith("-") else m)
    return {name: {k: str(m) for k, m in table.items()} for name, table in tables.items()}


def _on_hull(
    form: Sequence[Fraction], rows: list[list[Fraction]], vertices: Sequence[Sequence[Fraction]]
) -> Best | None:
    """As :func:`_maximum`, on the hull of vertices: a linear program over their weights."""
    highest, *heights = ([_value(row, v) for v in vertices] for row in (form, *rows))
    scaled = [common([Fraction(0), *height]) for height in heights]
    objective, scale = common([Fraction(0), *highest])
    count = len(vertices)
    weights = [(0, *(int(j == k) for j in range(count))) for k in range(count)]
    table = [*(tuple(row) for row, _ in scaled), *weights]
    best = linear_programs.maximise(tuple(objective), table, [(-1, *[1] * count)])
    if best.value is None or best.point is None or best.multipliers is None:
        return None
    pairs = [(w, v) for w, v in zip(best.point, vertices, strict=True) if w]
    point = tuple(sum((w * v[j] for w, v in pairs), Fraction(0)) for j in range(len(form) - 1))
    below = best.multipliers[0]
    return best.value / scale, point, [below.get(k, Fraction(0)) * d / scale for k, (_, d) in enumerate(scaled)]


def _contradiction_on_hull(
    form: Sequence[Fraction], rows: list[list[Fraction]], vertices: Sequence[Sequence[Fraction]]
) -> list[Fraction] | None:
    """As :func:`_contradiction`: the multipliers, which add up to 1, whose sum is least at the vertex where it is
    largest."""
    count = len(rows)
    table = [(0, *(int(j == k) for j in range(count)), 0) for k in range(count)]
    for v in vertices:
        table.append(tuple(common([Fraction(0), *(-_value(row, v) for row in rows), Fraction(1)])[0]))
    best = linear_programs.maximise((0,) * (count + 1) + (-1,), table, [(-1, *[1] * count, 0)])
    if best.value is None or best.point is None or best.value <= 0:
        return None
    factor = max(*(_value(form, v) for v in vertices), Fraction(0)) / best.value + 1
    return [factor * m for m in best.point[:count]]


def _value(row: Sequence[Fraction], point: Sequence[Fraction]) -> Fraction:
    return row[0] + sum((a * x for a, x in zip(row[1:], point, strict=True) if a), Fraction(0))


def forms(region: Region, wanted: list[tuple[int, int]]) -> dict[tuple[int, int], list[Fraction]] | Open:
    """The affine forms ``(b, a...)`` of the wanted neurons on the region, or a neuron that keeps them from being so."""
    found = {}
    for key in wanted:
        form = _form(region, *key)
        if isinstance(form, Open):
            return form
        found[key] = form
    return found


def _form(region: Region, level: int, neuron: int) -> list[Fraction] | Open:
    start, fold = region.model.start, region.folded
    bias, columns, entries, scale = fold.row(level, neuron)
    coefficient = dict(zip(columns, entries, strict=True))
    for at in range(level - 1, 0, -1):
        first, last = start[at], start[at + 1]
        here = {j - first: c for j, c in coefficient.items() if first <= j < last and c}
        if not here:
            continue
        before = ((j, c) for j, c in coefficient.items() if j < first)
        pairs = region.bounds(at, here)[0]
        unknown = [i for i in here if not signed(pairs[i])]
        if unknown:
            return Open(at, min(unknown))
        rows = [(c, fold.row(at, i)) for i, c in here.items() if (low := pairs[i][0]) is not None and low >= 0]
        coefficient, gained, grow = replaced(before, rows)
        bias, scale = bias * grow + gained, scale * grow
    return [Fraction(bias, scale), *(Fraction(coefficient.get(j, 0), scale) for j in range(region.model.inputs))]


def _sides(region: Region) -> tuple[list[Fraction], list[Fraction]]:
    lower, upper = [v for v in region.lower if v is not None], [v for v in region.upper if v is not None]
    assert len(lower) == len(upper) == len(region.lower)
    return lower, upper


def _by_floats(
    form: Sequence[Fraction], rows: list[list[Fraction]], lower: Sequence[Fraction], upper: Sequence[Fraction]
) -> list[Fraction] | None:
    """Multipliers of the rows that show the form to be negative on a box where they are >= 0, if those that floating
    point finds show it: any do, so only a maximum of 0, or almost, needs exact ones."""
    if not rows:
        return None
    from scipy.optimize import linprog  # start-up time

    program = _floats(form, rows, lower, upper)
    if program is None:
        return None
    slope, table, ends = program
    scale = np.maximum(abs(table).max(axis=1), 1e-300)
    table /= scale[:, None]
    found = linprog(slope, A_ub=-table[:, 1:], b_ub=table[:, 0], bounds=ends)
    if found.x is not None:
        multipliers = _multipliers(found, scale)
        return multipliers if _highest(_sum(form, rows, multipliers), lower, upper) < 0 else None
    # no points: rows that cannot all be >= t for any t >= 0
    slack = np.hstack([-table[:, 1:], np.ones((len(rows), 1))])
    found = linprog([*[0.0] * len(lower), -1.0], A_ub=slack, b_ub=table[:, 0], bounds=[*ends, (None, 1)])
    if found.x is None:
        return None
    multipliers = _multipliers(found, scale)
    least = _highest(_sum([Fraction(0)] * len(form), rows, multipliers), lower, upper)
    if least >= 0:
        return None
    factor = max(_highest(form, lower, upper), Fraction(0)) / -least + 1
    return [factor * m for m in multipliers]


def _floats(
    form: Sequence[Fraction], rows: list[list[Fraction]], lower: Sequence[Fraction], upper: Sequence[Fraction]
) -> tuple[list[float], np.ndarray, list[tuple[float, float]]] | None:
    """The slope to be made small, the rows and the sides of the box; None: some are beyond the floats."""
    table = np.array([[nearest_float(v) for v in row] for row in rows]).reshape(len(rows), len(form))
    ends = [(nearest_float(low), nearest_float(high)) for low, high in zip(lower, upper, strict=True)]
    slope = [-nearest_float(a) for a in form[1:]]
    return (slope, table, ends) if all(np.isfinite(numbers).all() for numbers in (slope, table, ends)) else None


def _multipliers(found: Any, scale: np.ndarray) -> list[Fraction]:
    """Of the rows before they were scaled; any are allowed."""
    with np.errstate(all="ignore"):
        return [Fraction(m) for m in np.nan_to_num(np.maximum(-found.ineqlin.marginals, 0) / scale).tolist()]


def _sum(form: Sequence[Fraction], rows: list[list[Fraction]], multipliers: Sequence[Fraction]) -> list[Fraction]:
    used = [(m, row) for m, row in zip(multipliers, rows, strict=True) if m]
    return [v + sum((m * row[j] for m, row in used), Fraction(0)) for j, v in enumerate(form)]


def _highest(form: Sequence[Fraction], lower: Sequence[Fraction], upper: Sequence[Fraction]) -> Fraction:
    sides = zip(form[1:], lower, upper, strict=True)
    return form[0] + sum((a * (high if a > 0 else low) for a, low, high in sides), Fraction(0))


def _maximum(
    form: Sequence[Fraction], rows: list[list[Fraction]], lower: Sequence[Fraction], upper: Sequence[Fraction]
) -> Best | None:
    """The maximum of a form on a box where rows are >= 0, a maximiser, multipliers of the rows; None: empty (or lost).

    Method: coordinates that floating point sees at their sides stay there, unless the exact multipliers disagree.
    """
    n = len(lower)
    free, sides = set(range(n)), list(lower)
    if n > FEW:
        guess = _guess(form, rows, lower, upper)
        if guess is None:
            return None
        free, sides = guess
    while True:
        best = _on_face(form, rows, lower, upper, sorted(free), sides)
        if best is None:
            return None
        slopes = [a + sum(m * row[j + 1] for m, row in zip(best[2], rows, strict=True)) for j, a in enumerate(form[1:])]
        wrong = {j for j, s in enumerate(slopes) if j not in free and s * (lower[j] + upper[j] - 2 * sides[j]) > 0}
        if not wrong:
            return best
        free |= wrong


def _guess(
    form: Sequence[Fraction], rows: list[list[Fraction]], lower: Sequence[Fraction], upper: Sequence[Fraction]
) -> tuple[set[int], list[Fraction]] | None:
    """Which coordinates of a maximiser lie inside their ranges, and at which sides the others are."""
    from scipy.optimize import linprog  # start-up time

    program = _floats(form, rows, lower, upper)
    if program is None:
        return None
    slope, table, ends = program
    more = {"A_ub": -table[:, 1:], "b_ub": table[:, 0]} if rows else {}
    found = linprog(slope, bounds=ends, **more)
    if found.x is None:
        return None
    free, sides = set(), []
    for j, (x, (low, high)) in enumerate(zip(found.x.tolist(), ends, strict=True)):
        if min(x - low, high - x) > 1e-7 * (high - low):
            free.add(j)
        sides.append(lower[j] if x - low < high - x else upper[j])
    return free, sides


def _on_face(
    form: Sequence[Fraction],
    rows: list[list[Fraction]],
    lower: Sequence[Fraction],
    upper: Sequence[Fraction],
    free: list[int],
    sides: Sequence[Fraction],
) -> Best | None:
    """The same where only some coordinates move."""
    fixed = sorted(set(range(len(lower))) - set(free))

    def cut(row: Sequence[Fraction]) -> tuple[tuple[int, ...], int]:
        numerators, denominator = common(
            [row[0] + sum(row[j + 1] * sides[j] for j in fixed), *(row[j + 1] for j in free)]
        )
        return tuple(numerators), denominator

    objective, scale = cut(form)
    scaled = [cut(row) for row in rows]
    box = []
    for k, j in enumerate(free):
        for side, sign in ((lower[j], 1), (upper[j], -1)):
            unit = [-sign * side, *(Fraction(sign * (k == m)) for m in range(len(free)))]
            box.append(tuple(common(unit)[0]))
    if len(free) * (len(rows) + len(box)) > LARGEST:
        return None
    best = linear_programs.maximise(objective, [*(row for row, _ in scaled), *box])
    if best.value is None or best.point is None or best.multipliers is None:
        return None
    point = list(sides)
    for j, x in zip(free, best.point, strict=True):
        point[j] = x
    multipliers = [best.multipliers[0].get(k, Fraction(0)) * d / scale for k, (_, d) in enumerate(scaled)]
    return best.value / scale, tuple(point), multipliers


def _contradiction(
    form: Sequence[Fraction], rows: list[list[Fraction]], lower: Sequence[Fraction], upper: Sequence[Fraction]
) -> list[Fraction] | None:
    """Multipliers that make the form negative on a box where rows >= 0 is impossible: the largest t <= 1 with
    rows >= t is negative."""

    def least(row: Sequence[Fraction]) -> Fraction:
        return -_highest([-v for v in row], lower, upper)

    n, zero, one = len(lower), Fraction(0), Fraction(1)
    start = min([one, *map(least, rows)])
    objective = [zero] * (n + 1) + [one]
    below = [[*row, -one] for row in rows]
    best = _maximum(objective, below, [*lower, start], [*upper, one])
    if best is None or best[0] >= 0:
        return None
    factor = max(_highest(form, lower, upper), zero) / -best[0] + 1
    return [factor * m for m in best[2]]
