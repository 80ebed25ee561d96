"""Far out: a list of cones that shows a dead neuron to stay dead there for all nearby parameters.

The recession cone is cut, two generators at a time, until every earlier neuron keeps its sign on each part; the plain
judge checks the list (``covered`` and ``quiet`` in ``checker``). Parts always have as many generators as the whole, so
that a list is as long as the number of its parts.

Cost: one evaluation of the network a part. The number of parts can grow like that of the linear regions, times the
simplices of each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from geomrelu import checker
from geomrelu.checker import Cone, Domain, Model

__all__ = ["cones"]

MOST = 20_000  # parts
Direction = tuple[int, ...]


def cones(
    model: Model, domain: Domain, level: int, neuron: int, tick: Callable[[], None], most: int = MOST
) -> list[Any] | None:
    """The list for a neuron, in the grammar of certificates; None: it does not stay dead, or that takes too many parts.

    ``tick`` is called for each part; it may raise.
    """
    nodes: list[Any] = []
    stack, known = [checker.recession(domain)], dict[Direction, list[list[int]]]()
    while stack:
        tick()
        cone = stack.pop()
        if len(nodes) >= most:
            return None
        left = set(checker.within(domain, cone))
        for g in left - known.keys():
            known[g] = checker.growths(model, [checker.number(v) for v in g], level)
            if domain.generators is None and not domain.recedes([checker.number(v) for v in g]):
                continue
            if not checker.off(model, level, neuron, known[g]):
                return None
        found = _row_crossing(domain, cone) or _crossing(cone, {g: known[g] for g in left}, level)
        if found is None:
            if not all(checker.off(model, level, neuron, known[g]) for g in left):
                return None
            nodes.append([])
            continue
        p, q, a, b = found
        nodes.append([p, q, str(a), str(b)])
        middle = checker.primitive([a * x + b * y for x, y in zip(cone[p], cone[q], strict=True)])
        stack += [[middle if k == new else g for k, g in enumerate(cone)] for new in (q, p)]
    return nodes


def _row_crossing(domain: Domain, cone: Cone) -> tuple[int, int, int, int] | None:
    """Two generators on either side of a row of the domain, and what brings them to 0."""
    for row in (*domain.rows, *domain.equalities):
        found = _opposite([checker.dot(row[1:], g) for g in cone])
        if found is not None:
            return found
    return None


def _crossing(cone: Cone, growths: dict[Direction, list[list[int]]], level: int) -> tuple[int, int, int, int] | None:
    """The same for the first neuron that does not keep its sign on the generators that are left."""
    places = [k for k, g in enumerate(cone) if g in growths]
    for at in range(level - 1):
        table = [growths[cone[k]][at] for k in places]
        for values in zip(*table, strict=True):
            found = _opposite(values)
            if found is not None:
                p, q, a, b = found
                return places[p], places[q], a, b
    return None


def _opposite(values: Any) -> tuple[int, int, int, int] | None:
    low, high = min(values, default=0), max(values, default=0)
    if not low < 0 < high:
        return None
    values = list(values)
    return values.index(high), values.index(low), -low, high
