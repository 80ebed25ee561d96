"""Points at which living neurons of a report are positive, written out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import cache, partial
from operator import add
from os import PathLike
from typing import Any, Protocol

from geomrelu import checker
from geomrelu.deadness.verdict import LayerReport, Status, Verdict
from geomrelu.network.network import Network

__all__ = ["Judged", "far_out", "witnesses"]

CORNERS = 1000  # that are written out
Key = tuple[int, int]


class Judged(Protocol):
    """A :class:`geomrelu.deadness.report.Report` (on a union it has ``parts`` as well)."""

    @property
    def network(self) -> Network: ...
    @property
    def domain(self) -> Any: ...
    @property
    def verdicts(self) -> list[Verdict]: ...
    @property
    def killed_by(self) -> int | None: ...
    def __iter__(self) -> Iterator[LayerReport]: ...
    def save(self, directory: str | PathLike[str]) -> list[str]: ...


def witnesses(report: Judged) -> dict[Key, tuple[str, ...]]:
    """A point of the set at which each living neuron is positive, where its claim names one; exact, as strings."""
    found: dict[Key, tuple[str, ...]] = {}
    parts: Sequence[Judged] = getattr(report, "parts", ()) or (report,)
    corners = 0
    for part, layer in ((one, layer) for one in parts for layer in one):
        table: dict[int, tuple[str, ...]] = {}
        corner = cache(partial(_Corners, report.network, part))  # the sides of many inputs are spelled once
        for v in layer.verdicts:
            claim = (v.claim or {}) if v.status is Status.ALIVE else {}
            point = claim.get("point")
            if "ray" in claim:
                point = layer.points[point] if type(point) is int else point
                if isinstance(point, list):
                    found.setdefault((v.layer, v.neuron), _grown(report.network, v, point, claim["ray"]))
            elif type(point) is int:
                if point not in table:
                    table[point] = _written(part, layer.points[point], v.neuron)
                found.setdefault((v.layer, v.neuron), table[point])
            elif isinstance(point, dict) and "ball" in point:
                found.setdefault((v.layer, v.neuron), _written(part, point, v.neuron))
            elif isinstance(point, list):
                found.setdefault((v.layer, v.neuron), tuple(map(str, point)))
            elif point == "corner" and corners < CORNERS:
                found.setdefault((v.layer, v.neuron), corner().of(v.neuron))
                corners += 1
    return found


def far_out(
    point: Sequence[Any], ray: Sequence[Any], holds: Callable[[tuple[Fraction, ...]], bool]
) -> tuple[Fraction, ...]:
    """The first of ``point``, ``point + ray``, ``point + 3 ray``, ... where what holds far enough out does hold."""
    at, step = tuple(map(Fraction, point)), tuple(map(Fraction, ray))
    while not holds(at):
        at, step = tuple(map(add, at, step)), tuple(2 * v for v in step)
    return at


def _grown(network: Network, verdict: Verdict, point: Sequence[Any], ray: Sequence[Any]) -> tuple[str, ...]:
    """Where a neuron that grows along a ray is positive."""
    form = network.neuron(verdict.layer, verdict.neuron)

    def fires(at: tuple[Fraction, ...]) -> bool:
        before = network.pre_activations(at, verdict.layer - 1)
        values = [*at, *(max(z, Fraction(0)) for layer in before for z in layer)]
        return form(values) > 0

    return tuple(map(str, far_out(point, ray, fires)))


def _written(part: Judged, point: Any, neuron: int) -> tuple[str, ...]:
    """The coordinates of a point of the table, or of an ellipsoid."""
    if not isinstance(point, dict):
        return tuple(map(str, point))
    ball = part.domain.checked.ball
    if not isinstance(point["ball"], list):
        point = {"ball": checker.uphill(part.network.checked, ball, 1, neuron, checker.number(point["ball"]))}
    return tuple(map(str, ball.at(point)))


class _Corners:
    """Where neurons of layer 1 are largest on a box."""

    def __init__(self, network: Network, part: Judged) -> None:
        sides = part.domain.checked
        self.map = network.layers[0]
        self.lower, self.upper = ([None if v is None else str(v) for v in side] for side in (sides.lower, sides.upper))
        self.any = [low or high or "0" for low, high in zip(self.lower, self.upper, strict=True)]

    def of(self, neuron: int) -> tuple[str, ...]:
        point = list(self.any)
        _, columns, entries = self.map.row(neuron)
        for j, weight in zip(columns, entries, strict=True):
            point[j] = str((self.upper if weight > 0 else self.lower)[j])
        return tuple(point)
