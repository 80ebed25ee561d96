"""Whole layers at once on a bounded box, with rows or without, before any neuron is worked on by itself.

What linear bounds of the default lines prove is found for all neurons of a layer together, and so are points at which
neurons are positive; both with proven errors (:mod:`geomrelu.deadness.layer_bounds`), so that the judge is asked only
where these leave something open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from geomrelu.certificates.batch import derived
from geomrelu.certificates.files import Claim
from geomrelu.deadness import falsify, layer_slopes, whole_box
from geomrelu.deadness.inside import Inside
from geomrelu.deadness.layer_bounds import Ball, LayerBounds, values
from geomrelu.deadness.problem import Problem
from geomrelu.deadness.relaxation import FloatNetwork, dense_rows
from geomrelu.deadness.verdict import Status, Verdict
from geomrelu.exact.numbers import common, nearest, nearest_float
from geomrelu.geometry.polyhedron import Polyhedron

__all__ = ["AT_A_POINT", "ON_THE_BOX", "WholeLayers"]

Array = np.ndarray
Step = Callable[[Polyhedron, int, list[int]], Iterator[Verdict]]
WORK = 1 << 27  # multiplications in a layer, about: budgets are looked at in between
CELLS = 1 << 18  # numbers of a batch of points
ROUNDS = 10  # of ascent
LITTLE = 2.0**-24  # part of the way to a point inside
ON_THE_BOX, AT_A_POINT = "bounded on the whole box", "positive at a point"


class WholeLayers:
    """The steps on one problem."""

    def __init__(self, problem: Problem, floating: FloatNetwork) -> None:
        self.problem, self.floating = problem, floating
        self.lower, self.upper = floating.lower, floating.upper
        self._random = np.random.default_rng(0)
        self._root: Any = None  # with the layers that fit fixed point derived
        # layer -> neuron -> its bound from above, about, and the corner where that is attained, packed
        self._bounded: dict[int, dict[int, tuple[float, Array]]] = {}

    def steps(self, layer: int, intervals: Step, bounded: Step) -> list[Step]:
        """What is done with a layer; the two given ones are for layers that the judge bounds in fixed point."""
        if layer > self.floating.coarse_depth:
            return [self._sampled, self._rough, self._fine, self._sloped, self._ascended]
        sloped = [] if self.floating.cornered else [self._fine, self._sloped]
        return [intervals, self._sampled, bounded, *sloped, self._ascended]

    # ---- dead ------------------------------------------------------------------------------------------------------

    def _exact(self, level: int) -> tuple[list[int], list[int], int]:
        """What the judge derives of a layer that fits fixed point."""
        if self._root is None:
            root = self.problem.quick.root
            assert root is not None
            self._root = root.copy()
        self.problem.quick.watch(self.problem.budget.poll)
        if len(self._root.known) < level:
            root = self._root.copy()  # the time may be over in the middle of it
            root.derive([[at] for at in range(len(root.known) + 1, level + 1)], level + 1)
            self._root = root
        pairs, d = self._root.bounds(level)
        low, high = zip(*pairs, strict=True)
        return list(low), list(high), d

    @cached_property
    def _by_intervals(self) -> LayerBounds:
        return LayerBounds(self.floating, False, self._exact)

    @cached_property
    def _going_back(self) -> LayerBounds:
        return LayerBounds(self.floating, True, self._exact)

    def _rough(self, domain: Polyhedron, layer: int, asked: list[int]) -> Iterator[Verdict]:
        """Earlier layers bounded by intervals: a proof that anybody checks quickly."""
        proof = whole_box.interval_leaf(self.floating, layer)
        for neurons, top, _ in self._by_intervals.upper(layer, asked, self.problem.budget):
            yield from self._dead(layer, neurons[top.most < 0], proof)

    def _fine(self, domain: Polyhedron, layer: int, asked: list[int]) -> Iterator[Verdict]:
        """Earlier layers bounded by going back. Where it is not enough, the neuron may be positive at that corner."""
        proof, left = [derived(layer)], set(asked)
        for neurons, top, corners in self._going_back.upper(layer, asked, self.problem.budget):
            yield from self._dead(layer, neurons[top.most < 0], proof)
            yield from self._at_corners(domain, layer, left, neurons, top, corners)

    def _sloped(self, domain: Polyhedron, layer: int, asked: list[int]) -> Iterator[Verdict]:
        """The same with slopes for each neuron, those of small bounds first, while some of them fall."""
        bounds, left, leaf = self._going_back, set(asked), derived(layer)
        bounds.derive(layer - 1, self.problem.budget)
        asked = sorted(asked, key=lambda i: self._bounded[layer][i][0])
        for neurons, slopes in layer_slopes.improved(bounds, layer, asked, self.problem.budget):
            top, corners = bounds.back(layer, neurons, 1, slopes)
            dead = top.most < 0
            for k in np.flatnonzero(dead).tolist():
                proof = [leaf | {"slopes": layer_slopes.texts(bounds, slopes, k)}]
                yield from self._dead(layer, neurons[k : k + 1], proof)
            yield from self._at_corners(domain, layer, left, neurons, top, corners)
            if not dead.any():
                break

    def _at_corners(
        self, domain: Polyhedron, layer: int, left: set[int], neurons: Array, top: Ball, corners: Array
    ) -> Iterator[Verdict]:
        """Those that are positive where their bounds are attained; bounds and corners of the others are kept."""
        dead = top.most < 0
        left -= set(neurons[dead].tolist())
        known, packed = self._bounded.setdefault(layer, {}), np.packbits(corners, axis=1)
        known |= {i: pair for i, *pair in zip(neurons.tolist(), top.centre.tolist(), packed, strict=True)}
        step = self._count(layer)
        for k in range(0, len(neurons), step):
            some = [i for i in neurons[k : k + step].tolist() if i in left]
            if some:
                for verdict in self._shown(domain, layer, sorted(left), self._starts(layer, some)):
                    left.remove(verdict.neuron)
                    yield verdict

    def _dead(self, layer: int, neurons: Array, proof: Any) -> Iterator[Verdict]:
        for i in neurons.tolist():
            claim: Claim = {
                "layer": layer,
                "neuron": i,
                "status": "dead",
                "stable": True,
                "proof": proof,
                **self._inner,
            }
            yield Verdict(layer, i, Status.DEAD, True, None, ON_THE_BOX, claim)

    @cached_property
    def _inner(self) -> Claim:
        """Where the domain has rows, a claim shows that it is not empty."""
        inside = self.floating.inside
        return {"point": self._named(inside.centre)} if inside.has_rows else {}

    # ---- alive -----------------------------------------------------------------------------------------------------

    def _sampled(self, domain: Polyhedron, layer: int, asked: list[int]) -> Iterator[Verdict]:
        """Random points and corners."""
        count = self._count(layer, 256)
        yield from self._shown(domain, layer, asked, self.floating.inside.sampled(self._random, count))

    def _ascended(self, domain: Polyhedron, layer: int, asked: list[int]) -> Iterator[Verdict]:
        """Gradient ascent for many neurons at once, from the corners where their bounds are attained."""
        left, step = dict.fromkeys(asked), self._count(layer)  # in order
        for k in range(0, len(asked), step):
            climbing = np.array([i for i in asked[k : k + step] if i in left], dtype=int)
            if not len(climbing):
                continue
            points = self._moved_in(self._starts(layer, climbing.tolist()))
            for turn in range(ROUNDS):
                self.problem.budget.poll()
                z = self.floating.forward(points, layer)
                reached = z[-1][np.arange(len(climbing)), climbing] > 0
                if reached.any():
                    for verdict in self._shown(domain, layer, list(left), points[reached]):
                        del left[verdict.neuron]
                        yield verdict
                    there = np.array([i in left for i in climbing.tolist()])
                    climbing, points, z = climbing[there], points[there], [v[there] for v in z]
                    if not len(climbing):
                        break
                if turn == 0:  # to the corner ahead
                    share: Any = 1.0
                else:
                    share = 0.5 * 0.05 ** (turn / ROUNDS) * self._random.random(points.shape)
                way = np.sign(self._gradients(z, layer, climbing)) * (self.upper - self.lower)
                points = self._moved_in(points + share * way)

    def _moved_in(self, points: Array) -> Array:
        """Points of the domain; a little further in than its rows, so that floats do not leave it."""
        inside = self.floating.inside
        assert isinstance(inside, Inside)
        moved = inside.moved_in(points)
        return moved + LITTLE * (nearest(*common(inside.centre)) - moved) if inside.has_rows else moved

    def _count(self, layer: int, most: int = 1 << 20) -> int:
        """How many points at a time."""
        network = self.floating.network
        weights = max(1, *(len(map_.data) for map_ in network.layers[:layer]))
        return int(np.clip(min(CELLS // max(network.inputs, *network.widths[:layer]), WORK // weights), 8, most))

    def _starts(self, layer: int, neurons: Sequence[int]) -> Array:
        """The corners where their bounds are attained; where none is known, the middle of the box."""
        corners = self._bounded.get(layer, {})
        points = np.repeat((self.lower + self.upper)[None, :] / 2, len(neurons), axis=0)
        for point, i in zip(points, neurons, strict=True):
            if i in corners:
                upper = np.unpackbits(corners[i][1], count=len(point)).astype(bool)
                point[:] = np.where(upper, self.upper, self.lower)
        return points

    def _gradients(self, z: Sequence[Array], level: int, neurons: Array) -> Array:
        """Of a neuron each at points with pre-activations ``z``: (count, n)."""
        layers = self.floating.layers
        flow = {b: dense_rows(m, neurons) for b, m in layers[level - 1][0].items()}
        for at in range(level - 1, 0, -1):
            here = flow.pop(at, None)
            if here is None:
                continue
            here = here * (z[at - 1] > 0)
            for b, matrix in layers[at - 1][0].items():
                flow[b] = flow.get(b, 0) + (matrix.T @ here.T).T
        found: Array = flow.get(0, np.zeros((len(neurons), len(self.lower))))
        return found

    def _shown(self, domain: Polyhedron, layer: int, asked: Sequence[int], points: Array) -> Iterator[Verdict]:
        """Which neurons the points show to be positive; few of them for many."""
        points, waiting = self._moved_in(points), np.array(asked, dtype=int)
        hits = self.floating.reached(points, layer, waiting, self.problem.budget) > 0
        chosen = [(points[best], waiting[shown]) for best, shown in falsify.covering(hits)]
        for k in range(0, len(chosen), step := self._count(layer, 64)):
            self.problem.budget.poll()
            some = chosen[k : k + step]
            sure = values(self.floating, np.array([point for point, _ in some]), layer).least > 0
            for (point, neurons), certain in zip(some, sure, strict=True):
                exact = self.floating.inside.exact(point)
                if exact is not None:
                    if self.floating.inside.has_rows:  # it may have been moved by more than a rounding
                        certain &= np.array_equal([nearest_float(x) for x in exact], point)
                    yield from self._alive(layer, neurons.tolist(), certain, self._named(exact))

    def _alive(self, layer: int, neurons: list[int], certain: Array, point: int) -> Iterator[Verdict]:
        for i in neurons:
            claim: Claim = {"layer": layer, "neuron": i, "status": "alive", "point": point}
            if certain[i]:
                yield Verdict(layer, i, Status.ALIVE, None, None, AT_A_POINT, claim)
            elif (verdict := self.problem.tried(claim, AT_A_POINT)) is not None:
                yield verdict

    def _named(self, point: Sequence[Fraction]) -> int:
        """The number of a point in the table."""
        self.problem.points.append([self._text(x) for x in point])
        return len(self.problem.points) - 1

    def _text(self, x: Fraction) -> str:
        """Sides of the box stand in many points, and are kept once."""
        return self._sides.get(x) or str(x)

    @cached_property
    def _sides(self) -> dict[Fraction, str]:
        domain = self.problem.domain.checked
        return {x: str(x) for x in (*domain.lower, *domain.upper) if x is not None}
