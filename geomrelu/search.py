"""Floating-point guidance on bounded boxes: where a neuron may be positive, and how to split a box that hides it.

Nothing here decides. A point found here is confirmed by the exact forward pass; a tree of boxes found here becomes a
proof only when the exact checker has re-derived every leaf from it.

Bounds go backward through the layers, many boxes at once (Zhang et al. 2018, Singh et al. 2019): an unstable neuron
v = max(y, 0) with low < 0 < high is replaced by v <= high (y - low) / (high - low), or by v >= y or v >= 0,
whichever is closer. The rules are those of the checker's default multipliers, so a leaf needs no data in the proof.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from scipy import sparse

from geomrelu.budget import Budget
from geomrelu.exact import common, nearest
from geomrelu.network import Network
from geomrelu.polyhedron import Polyhedron

__all__ = ["FloatNetwork", "box_tree", "candidates"]

Array = np.ndarray
_SAFETY = 1e-9  # relative: a float bound must clear zero by this before the exact checker is asked
_BATCH = 1 << 22  # numbers held at once in one backward pass
_DENSE = 1 << 26  # the largest layer matrix that is kept dense (half a gigabyte)


class FloatNetwork:
    """The network in float64, layer matrices cut by the blocks they read, and its box.

    Overflow is nothing to warn of: what it spoils is not confirmed.
    """

    def __init__(self, network: Network, box: Polyhedron) -> None:
        self.network = network
        self.lower, self.upper = _sides(box)
        self.layers: list[tuple[dict[int, Any], Array]] = []
        for level, map_ in enumerate(network.layers, 1):
            matrix, bias = map_.floats
            starts = network.starts
            parts = {b: _compact(matrix[:, starts[b] : starts[b + 1]]) for b in network.blocks[level]}
            self.layers.append((parts, bias))

    def forward(self, points: Array, up_to: int) -> list[Array]:
        """Pre-activations of layers 1..up_to at points (count, n): arrays (count, width)."""
        outputs, result = [points], []
        for parts, bias in self.layers[:up_to]:
            z = np.broadcast_to(bias, (len(points), len(bias))).copy()
            for b, matrix in parts.items():
                z += (matrix @ outputs[b].T).T
            result.append(z)
            outputs.append(np.maximum(z, 0))
        return result

    def gradient(self, z: Sequence[Array], level: int, neuron: int) -> Array:
        """Gradient of one neuron at points with pre-activations ``z``: (count, n)."""
        parts, _ = self.layers[level - 1]
        count = len(z[0])
        flow: dict[int, Array] = {b: np.tile(_row(m, neuron), (count, 1)) for b, m in parts.items()}
        for at in range(level - 1, 0, -1):
            here = flow.pop(at, None)
            if here is None:
                continue
            here = here * (z[at - 1] > 0)
            for b, matrix in self.layers[at - 1][0].items():
                flow[b] = flow.get(b, 0) + _times(here, matrix)
        return flow.get(0, np.zeros((count, self.network.inputs)))

    def bounds(self, lower: Array, upper: Array, up_to: int) -> list[tuple[Array, Array]]:
        """Lower and upper bounds (boxes, width) of all pre-activations of layers 1..up_to on boxes (boxes, n)."""
        found: list[tuple[Array, Array]] = []
        for level in range(1, up_to + 1):
            width = len(self.layers[level - 1][1])
            inside = self._interval(found, lower, upper, level)
            if (
                level > 1 and len(lower) * width * width <= 16 * _BATCH
            ):  # else intervals alone: less tight, but they fit
                everything = np.arange(width)
                high = self.upper_bounds(found, lower, upper, level, everything)[0]
                low = -self.upper_bounds(found, lower, upper, level, everything, -1)[0]
                inside = np.maximum(inside[0], low), np.minimum(inside[1], high)
            found.append(inside)
        return found

    def _interval(
        self, found: Sequence[tuple[Array, Array]], lower: Array, upper: Array, level: int
    ) -> tuple[Array, Array]:
        parts, bias = self.layers[level - 1]
        low = np.broadcast_to(bias, (len(lower), len(bias))).copy()
        high = low.copy()
        for b, matrix in parts.items():
            bottom, top = (lower, upper) if b == 0 else (np.maximum(v, 0) for v in found[b - 1])
            middle, radius = (bottom + top) / 2, (top - bottom) / 2
            centre, spread = (matrix @ middle.T).T, (abs(matrix) @ radius.T).T
            low += centre - spread
            high += centre + spread
        return low, high

    def upper_bounds(
        self,
        found: Sequence[tuple[Array, Array]],
        lower: Array,
        upper: Array,
        level: int,
        neurons: Array,
        sign: int = 1,
    ) -> tuple[Array, Array]:
        """Upper bounds of ``sign * z`` for some neurons: (boxes, neurons), and the slopes in x (boxes, neurons, n)."""
        parts, bias = self.layers[level - 1]
        count, targets = len(lower), len(neurons)
        constant = np.broadcast_to(sign * bias[neurons], (count, targets)).copy()
        flow = {b: np.broadcast_to(sign * _rows(m, neurons), (count, targets, m.shape[1])) for b, m in parts.items()}
        for at in range(level - 1, 0, -1):
            here = flow.pop(at, None)
            if here is None:
                continue
            low, high = (v[:, None, :] for v in found[at - 1])
            gap = np.where((low < 0) & (high > 0), high - low, 1)
            chord = np.where(low >= 0, 1.0, np.where(high <= 0, 0.0, high / gap))
            floor = np.where(low >= 0, 1.0, np.where((high <= 0) | (high <= -low), 0.0, 1.0))
            rise = np.where((low < 0) & (high > 0), -low * high / gap, 0.0)
            positive = np.maximum(here, 0)
            constant += (positive * rise).sum(axis=2)
            here = positive * chord + np.minimum(here, 0) * floor
            inner, inner_bias = self.layers[at - 1]
            constant += here @ inner_bias
            for b, matrix in inner.items():
                flow[b] = flow.get(b, 0) + _times(here.reshape(-1, here.shape[2]), matrix).reshape(count, targets, -1)
        slope = flow.get(0, np.zeros((count, targets, self.network.inputs)))
        middle, radius = (lower + upper)[:, :, None] / 2, (upper - lower)[:, :, None] / 2
        return constant + (slope @ middle + abs(slope) @ radius)[:, :, 0], slope


def _sides(box: Polyhedron) -> tuple[Array, Array]:
    """The box in floats; an infinite side is moved in to a distance where witnesses are likely."""
    lower, upper = [], []
    for low, high in zip(box.checked.lower, box.checked.upper, strict=True):
        far = 100 + abs(low or 0) + abs(high or 0)
        lower.append(low if low is not None else (high or Fraction(0)) - far)
        upper.append(high if high is not None else (low or Fraction(0)) + far)
    return nearest(*common(lower)), nearest(*common(upper))


def _compact(matrix: sparse.csr_matrix) -> Any:
    """Dense where that is small or the matrix is nearly full."""
    size = matrix.shape[0] * matrix.shape[1]
    return matrix.toarray() if size <= 1 << 16 or (matrix.nnz * 4 > size and size <= _DENSE) else matrix.tocsr()


def _rows(matrix: Any, rows: Array) -> Array:
    picked = matrix[rows]
    return picked.toarray() if sparse.issparse(picked) else picked


def _row(matrix: Any, i: int) -> Array:
    return _rows(matrix, np.array([i]))[0]


def _times(left: Array, matrix: Any) -> Array:
    return left @ matrix if not sparse.issparse(matrix) else (matrix.T @ left.T).T


# ---- witnesses --------------------------------------------------------------------------------------------------


def candidates(
    floating: FloatNetwork, level: int, neurons: Sequence[int], rounds: int = 40, seed: int = 0
) -> Iterator[tuple[int, Array]]:
    """Points of the box where, in floating point, a neuron is positive: ``(neuron, point)``, at most one a neuron.

    Method: random points and random corners for all neurons at once (a point serves as many as it can), then
    projected gradient ascent for each neuron that is left.
    """
    random = np.random.default_rng(seed)
    lower, upper = floating.lower, floating.upper
    n, waiting = len(lower), list(neurons)
    count = int(np.clip(_BATCH // (max(floating.network.widths[:level]) + n), 16, 4096))
    share = random.random((count, n))
    share[::2] = share[::2] > 0.5
    share[0] = 0.5
    points = lower + share * (upper - lower)
    z = floating.forward(points, level)
    reached = z[-1]
    while waiting:
        hits = reached[:, waiting] > 0
        best = int(np.argmax(hits.sum(axis=1)))
        if not hits[best].any():
            break
        for i, hit in zip(list(waiting), hits[best], strict=True):
            if hit:
                yield i, points[best]
                waiting.remove(i)
    for i in waiting:
        best_points = points[np.argsort(-reached[:, i])[:64]]
        step = (upper - lower) / 4
        for _ in range(rounds):
            z = floating.forward(best_points, level)
            if z[-1][:, i].max() > 0:
                yield i, best_points[int(np.argmax(z[-1][:, i]))]
                break
            slope = floating.gradient(z, level, i)
            best_points = np.clip(best_points + step * np.sign(slope), lower, upper)
            step = step * 0.85  # forty steps: from a quarter of the box down to 0.0004 of it


# ---- trees of boxes ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class BoxTree:
    """Outcome of :func:`box_tree`: a proof to be checked, or a point to be confirmed, or neither (it gave up)."""

    proof: list[dict[str, Any]] | None = None
    point: Array | None = None
    boxes: int = 0
    open_bound: float = float("nan")


def box_tree(floating: FloatNetwork, level: int, neuron: int, most: int, budget: Budget) -> BoxTree:
    """Halve the box until a float bound of the neuron is negative on each part, or a part shows it positive.

    Args:
        most: give up after this many boxes.

    Raises:
        Exhausted: the budget has ended.

    Method: all open boxes at once, in batches, the worst bounds first; each is halved across the coordinate that
    contributes most to its bound. Splitting coordinates have few binary digits.
    """
    n = floating.network.inputs
    width = max(floating.network.widths[:level])
    batch = int(np.clip(_BATCH // (n * 4 + width * (1 if level <= 2 else 2 * width)), 1, 1024))
    lower, upper = floating.lower[None, :].copy(), floating.upper[None, :].copy()
    identity = np.array([0])
    splits: dict[int, tuple[int, float, int]] = {}  # node -> (coordinate, place, first child)
    nodes, done = 1, 0
    scale = np.inf
    priority = np.array([np.inf])
    target = np.array([neuron])
    derive = [[at] for at in range(2, level)]
    while len(identity):
        if done >= most:
            return BoxTree(boxes=done, open_bound=float(priority.max()))
        order = np.argsort(-priority, kind="stable")
        take, rest = order[:batch], order[batch:]
        budget.spend(len(take))
        done += len(take)
        low, high, ids = lower[take], upper[take], identity[take]
        found = floating.bounds(low, high, level - 1)
        bound, slope = floating.upper_bounds(found, low, high, level, target)
        bound, slope = bound[:, 0], slope[:, 0, :]
        if not np.isfinite(scale):
            scale = max(1e-300, abs(bound[0]))
        corner = np.where(slope > 0, high, low)
        points = np.concatenate([corner, (low + high) / 2])
        value = floating.forward(points, level)[-1][:, neuron]
        if value.max() > 0:
            return BoxTree(point=points[int(np.argmax(value))], boxes=done)
        stay = ~(bound <= -_SAFETY * scale)  # NaN, from numbers beyond the floats, stays open too
        low, high, ids, slope, bound = low[stay], high[stay], ids[stay], slope[stay], bound[stay]
        if len(ids):
            # the small terms only break ties: where the bound does not depend on x, the widest side is halved
            gain = (high - low) * (abs(slope) + 1e-6 * abs(slope).max(axis=1, keepdims=True) + 1e-300)
            across = np.argmax(gain, axis=1)
            row = np.arange(len(ids))
            place = _short((low[row, across] + high[row, across]) / 2, high[row, across] - low[row, across])
            if ((place <= low[row, across]) | (place >= high[row, across])).any():
                return BoxTree(boxes=done, open_bound=float(bound.max()))  # a box too thin for floats: hand over
            children = nodes + 2 * row
            nodes += 2 * len(ids)
            for node, j, c, child in zip(ids.tolist(), across.tolist(), place.tolist(), children.tolist(), strict=True):
                splits[node] = (j, c, child)
            left_high, right_low = high.copy(), low.copy()
            left_high[row, across] = place
            right_low[row, across] = place
            low, high = np.concatenate([low, right_low]), np.concatenate([left_high, high])
            ids, bound = np.concatenate([children, children + 1]), np.concatenate([bound, bound])
        lower, upper = np.concatenate([lower[rest], low]), np.concatenate([upper[rest], high])
        identity, priority = np.concatenate([identity[rest], ids]), np.concatenate([priority[rest], bound])
    return BoxTree(proof=_preorder(splits, {"derive": derive} if derive else {}), boxes=done)


def _short(middle: Array, width: Array) -> Array:
    """A number near the middle with few binary digits (a hundredth of the width is fine enough)."""
    grid = np.exp2(np.floor(np.log2(np.maximum(width, 1e-300) / 64)))
    return np.round(middle / grid) * grid


def _preorder(splits: dict[int, tuple[int, float, int]], leaf: dict[str, Any]) -> list[dict[str, Any]]:
    proof, stack = [], [0]
    while stack:
        node = stack.pop()
        if node in splits:
            j, c, child = splits[node]
            proof.append({"split": ["x", j, str(Fraction(c))]})
            stack += [child + 1, child]
        else:
            proof.append(leaf)
    return proof


def clipped(point: Array, box: Polyhedron) -> tuple[Fraction, ...] | None:
    """The exact point nearest to a float point inside the box; None if the floats have overflowed."""
    if not np.isfinite(point).all():
        return None
    exact = []
    for x, low, high in zip(point.tolist(), box.checked.lower, box.checked.upper, strict=True):
        inside = Fraction(x) if low is None else max(Fraction(x), low)
        exact.append(inside if high is None else min(inside, high))
    return tuple(exact)
