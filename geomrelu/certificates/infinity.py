"""Far out: a list of cones that shows a dead neuron to stay dead there for all nearby parameters.

Another way to show it, where the neuron falls along every ray, is in :mod:`geomrelu.deadness.falling`.

The recession cone is cut, two generators at a time, until every earlier neuron keeps its sign on each part; the plain
judge checks the list (``cones_of`` and ``quiet`` in ``checker``). Parts always have as many generators as the whole, so
that a list is as long as the number of its parts.

Cost: one evaluation of the network and of the rows of the domain a part. The number of parts can grow like that of the
linear regions, times the simplices of each, and like 2^n where nothing keeps n coordinates from moving.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from fractions import Fraction
from typing import Any

from geomrelu import checker
from geomrelu.checker import Cone, Domain, Model

__all__ = ["FEW", "TooManyParts", "bounded", "cones"]

MOST = 20_000  # parts
FEW = 100  # that are found at once
WORK = 200_000_000  # products that rows and generators take
Crossing = tuple[int, int, int, int]  # two generators on either side of a function, and what brings them to 0
Direction = tuple[int, ...]


class TooManyParts(Exception):
    """A list would be longer than is allowed."""


def bounded(domain: Domain, tick: Callable[[], None]) -> list[Any] | None:
    """The list that shows a domain given by rows bounded, for any neuron; None: it is not bounded.

    ``tick`` is called for each part; it may raise.

    Raises:
        TooManyParts: it is too long.
    """
    return _listed(domain, tick, lambda cone, left: False if left else None)


def cones(
    model: Model, domain: Domain, level: int, neuron: int, tick: Callable[[], None], most: int | None = None
) -> list[Any] | None:
    """The list for a neuron, in the grammar of certificates; None: it does not stay dead.

    ``tick`` is called for each part; it may raise. ``most``: parts; None: :data:`MOST`.

    Raises:
        TooManyParts: it is too long.
    """
    known = dict[Direction, list[int]]()

    def look(cone: Cone, left: set[Direction]) -> Crossing | bool | None:
        for g in left - known.keys():
            known[g] = checker.growths(model, [Fraction(v) for v in g], level)
        found = _crossing(cone, {g: known[g][model.inputs : model.start[level]] for g in left})
        if found is not None:
            return found
        return None if all(checker.off(model, level, neuron, known[g]) for g in left) else False

    return _listed(domain, tick, look, most)


def _listed(
    domain: Domain,
    tick: Callable[[], None],
    look: Callable[[Cone, set[Direction]], Crossing | bool | None],
    most: int | None = None,
) -> list[Any] | None:
    """``look`` says of a cone and of those of its generators that are left: fine (None), hopeless (False), or where to
    cut it. Rows cut first, where they take both signs on what is left: a part that is fine needs none of them.
    """
    nodes: list[Any] = []
    stack = [checker.recession(domain)]
    most = min(
        MOST if most is None else most,
        WORK // ((len(domain.rows) + len(domain.equalities)) * len(stack[0]) * domain.dimension + 1),
    )
    while stack:
        tick()
        if len(nodes) >= most:
            raise TooManyParts
        cone = stack.pop()
        left = set(checker.within(domain, cone))
        found = look(cone, left)
        if found is not None:
            # of the others too: the judge goes through the rows once, so one may be negative on what is left
            found = _row_crossing(domain, cone, left) or _row_crossing(domain, cone, set(cone)) or found
        if found is None:
            nodes.append([])
        elif isinstance(found, bool):
            return None
        else:
            p, q, a, b = found
            nodes.append([p, q, str(a), str(b)])
            middle = checker.primitive([a * x + b * y for x, y in zip(cone[p], cone[q], strict=True)])
            stack += [[middle if k == new else g for k, g in enumerate(cone)] for new in (q, p)]
    return nodes


def _row_crossing(domain: Domain, cone: Cone, left: set[Direction]) -> Crossing | None:
    """Of the first row of the domain that takes both signs on the generators that are left."""
    rows = ([checker.dot(row[1:], g) for g in cone if g in left] for row in (*domain.rows, *domain.equalities))
    return _first(rows, cone, left)


def _crossing(cone: Cone, growths: dict[Direction, list[int]]) -> Crossing | None:
    """Of the first neuron that does not keep its sign on the generators that are left."""
    return _first(zip(*(growths[g] for g in cone if g in growths), strict=True), cone, growths)


def _first(functions: Iterable[Sequence[int]], cone: Cone, left: Container[Direction]) -> Crossing | None:
    """Of the first of these functions, given by their values on the generators that are left."""
    places = [k for k, g in enumerate(cone) if g in left]
    for values in functions:
        low, high = min(values, default=0), max(values, default=0)
        if low < 0 < high:
            return places[values.index(high)], places[values.index(low)], -low, high
    return None
