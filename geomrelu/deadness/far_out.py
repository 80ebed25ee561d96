"""Unbounded polyhedra that are no boxes: points and rays that show neurons alive, sought on two bounded sets.

One is the part of the polyhedron around a point inside. The other is a part of its recession cone, with the network
without biases: from any point on, far out along a ray r, a neuron grows as that network's neuron is at r. What is
found on either is confirmed by the checker's rules on the polyhedron itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from geomrelu import checker
from geomrelu.budget import Budget, Exhausted
from geomrelu.certificates.files import Claim
from geomrelu.deadness import falsify
from geomrelu.deadness.by_signs import BySigns, Found, is_wide, searched
from geomrelu.deadness.falling import without_biases
from geomrelu.deadness.problem import Problem
from geomrelu.deadness.relaxation import FloatNetwork
from geomrelu.deadness.verdict import Verdict
from geomrelu.deadness.whole_layers import AT_A_POINT
from geomrelu.exact.numbers import primitive
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.parallel import Pool, WorkersDied, ahead, shared

__all__ = ["FarOut", "around"]

PARTS = 20, 100, 1_000, 10_000  # of a proof by signs, for each neuron; the first are found before a worker starts
FAR = 100  # at least so far around the point inside


def around(domain: Polyhedron, centre: Sequence[Fraction], far: Fraction) -> Polyhedron:
    """A bounded part of a polyhedron: what lies at most so far from a point of it in each coordinate; given by
    generators, the vertices and what rays and lines of about that length lead to from the point."""
    if not domain.given_by_generators:
        box = [
            [c - far if low is None else max(low, c - far), c + far if high is None else min(high, c + far)]
            for c, low, high in zip(centre, domain.checked.lower, domain.checked.upper, strict=True)
        ]
        return Polyhedron(checker.Domain.from_rows(domain.dimension, domain.rows, domain.flats, box))
    vertices, rays, lines = domain.checked.generators
    ends = []
    for ray in (*rays, *lines, *map(checker.opposite, lines)):
        step = far / max(map(abs, ray))
        ends.append([c + step * r for c, r in zip(centre, ray, strict=True)])
    return Polyhedron.from_generators([*vertices, *ends])


class FarOut:
    """The search on one problem, whose domain is an unbounded polyhedron."""

    def __init__(self, problem: Problem, domain: Polyhedron) -> None:
        self.problem, self.domain = problem, domain

    @cached_property
    def _centre(self) -> tuple[Fraction, ...]:
        return self.domain.interior_point()

    @cached_property
    def _near(self) -> FloatNetwork:
        """The network around the point inside."""
        far = FAR + 2 * max(map(abs, self._centre))
        return FloatNetwork(self.problem.network, around(self.domain, self._centre, far))

    @cached_property
    def _along(self) -> FloatNetwork:
        """The network without biases on rays."""
        cone = self.domain.recession_cone()
        return FloatNetwork(
            without_biases(self.problem.network), around(cone, (Fraction(0),) * cone.dimension, Fraction(1))
        )

    def verdicts(self, layer: int, asked: Sequence[int]) -> Iterator[Verdict]:
        """Neurons that grow along a ray, or are positive at a point."""
        left = list(asked)
        for effort in falsify.EFFORTS:
            for rays in (True, False):
                floating, settled = self._along if rays else self._near, set()
                for i, found in falsify.candidates(floating, layer, left, self.problem.budget, *effort):
                    verdict = self._verdict(layer, i, found, rays)
                    if verdict is not None:
                        settled.add(i)
                        yield verdict
                left = [i for i in left if i not in settled]

    def _verdict(self, layer: int, i: int, found: np.ndarray, is_ray: bool) -> Verdict | None:
        self.problem.budget.poll()
        exact = (self._along if is_ray else self._near).inside.exact(found)
        if exact is None or (is_ray and not any(exact)):
            return None
        claim: Claim = {"layer": layer, "neuron": i, "status": "alive"}
        if not is_ray:
            return self.problem.tried(claim | {"point": self.problem.placed(exact)}, AT_A_POINT)
        claim |= {"supremum": "inf", "point": self._inner, "ray": self.problem.ray(primitive(exact))}
        return self.problem.tried(claim, "grows along a ray", "inf")

    def by_signs(
        self, layer: int, asked: Sequence[int], budget: Budget, executor: Executor | None
    ) -> Iterator[Verdict]:
        """Neurons by linear programs, of a domain given by rows."""
        search, settled = BySigns(self.problem.network, self.domain, layer), set[int]()
        long = is_wide(self.problem.network, layer) and budget.left is not None
        with Pool(1) if long and executor is None else nullcontext(executor) as pool:
            for most in PARTS:
                left = [i for i in asked if i not in settled]
                where = None if most == PARTS[0] and not long else pool
                calls = ((shared(where, search), i, most, budget.left) for i in left)
                try:
                    for i, found in zip(left, ahead(where, searched, calls, budget), strict=True):
                        budget.poll()
                        verdict = None if found is None else self._found(layer, i, found)
                        if verdict is not None:
                            settled.add(i)
                            yield verdict
                except WorkersDied as problem:
                    raise Exhausted(str(problem)) from None

    def _found(self, layer: int, i: int, found: Found) -> Verdict | None:
        problem = self.problem
        if found.ray is not None:
            return problem.unbounded(layer, i, found.point or (), found.ray)
        claim: Claim = {"layer": layer, "neuron": i, "status": "alive"}
        if found.proof is None:
            return problem.tried(claim | {"point": self.problem.placed(found.point or ())}, AT_A_POINT)
        far = problem.far(layer, i) if found.is_negative else None
        how = f"{found.parts} part{'s' * (found.parts > 1)}, by the signs that matter"
        if found.supremum is not None and found.point is not None:
            point = self.problem.placed(found.point)
            return problem.tried(
                problem.claimed(layer, i, found.supremum, point, found.proof, far), how, found.supremum
            )
        claim |= {"status": "dead", "proof": found.proof} | (far or {})
        if "ray" in claim or not self.domain.is_box:
            claim["point"] = self._inner
        return problem.tried(claim, how)

    @cached_property
    def _inner(self) -> Any:
        return self.problem.placed(self._centre)
