"""Points and rays of a polyhedron that is given by generators, as combinations of these."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from geomrelu.errors import InputError
from geomrelu.exact import linear_programs
from geomrelu.exact.numbers import primitive
from geomrelu.geometry.polyhedron import Point, Polyhedron

__all__ = ["of_point", "of_ray"]

Weights = list[Fraction]


def of_point(domain: Polyhedron, point: Point) -> tuple[Weights, Weights, Weights]:
    """Convex weights of a contained point over the given vertices, and weights over rays and lines.

    Raises:
        InputError: it does not lie in the polyhedron.

    Exact: yes. Cost: one linear program, unless it is a vertex.
    """
    vertices, rays, lines = domain.checked.generators
    if tuple(point) in vertices:
        unit = [Fraction(int(v == tuple(point))) for v in vertices]
        return unit, [Fraction(0)] * len(rays), [Fraction(0)] * len(lines)
    return _weights(domain, (Fraction(1), *point))


def of_ray(domain: Polyhedron, ray: Sequence[int]) -> tuple[Weights, Weights]:
    """Weights of a direction of the recession cone over the given rays and lines.

    Raises:
        InputError: it does not lie in the cone.

    Exact: yes. Cost: one linear program.
    """
    return _weights(domain, (Fraction(0), *map(Fraction, ray)))[1:]


def _weights(domain: Polyhedron, target: Point) -> tuple[Weights, Weights, Weights]:
    vertices, rays, lines = domain.checked.generators
    generators = [(1, *v) for v in vertices] + [(0, *r) for r in rays] + [(0, *r) for r in lines]
    count = len(generators)
    free = len(vertices) + len(rays)
    positive = [tuple(int(j == i + 1) for j in range(count + 1)) for i in range(free)]
    balance = [primitive((-t, *(g[i] for g in generators))) for i, t in enumerate(target)]
    found = linear_programs.maximise((0,) * (count + 1), positive, balance).point
    if found is None:
        raise InputError("the point does not lie in the polyhedron")
    return list(found[: len(vertices)]), list(found[len(vertices) : free]), list(found[free:])
