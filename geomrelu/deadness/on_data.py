"""Which neurons are silent on data: floats with a proved bound of their error, exact numbers where that leaves it open.

The bound is the usual one for sums of products in any order, fused or not (Higham, Accuracy and Stability of Numerical
Algorithms, section 3.1), carried through the layers: |z - computed| <= |W| e + gamma (|W| (|x| + e) + |b|).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from geomrelu.arguments import kind
from geomrelu.budget import Budget, Exhausted
from geomrelu.errors import InputError
from geomrelu.exact.numbers import nearest, rationals
from geomrelu.io.arrays import as_array
from geomrelu.io.reading import Reading
from geomrelu.network.network import Network
from geomrelu.rounding import to_nearest

__all__ = ["Points", "Seen", "as_points", "seen_on"]

UNIT = 2.0**-53
MORE = 1 + 2.0**-20  # for the rounding of the bound itself
TINY = 2.0**-1040  # for what is below the normal floats
BATCH = 1 << 22  # numbers at a time
Key = tuple[int, int]


@dataclass(frozen=True)
class Points:
    """Data: ``source`` (points, n), of floats, integers or Fractions."""

    source: np.ndarray

    def __len__(self) -> int:
        return len(self.source)

    @cached_property
    def floats(self) -> np.ndarray:
        """(points, n) in float64, each number correctly rounded."""
        if self.source.dtype != object:
            return self.source.astype(np.float64)
        rows = [[nearest([x.numerator], x.denominator)[0] for x in rationals(row)] for row in self.source.tolist()]
        return np.array(rows, dtype=np.float64)

    @property
    def rounded(self) -> bool:
        """May :attr:`floats` differ from the data?"""
        return self.source.dtype.kind != "f"

    def exact(self, k: int) -> tuple[Fraction, ...]:
        """A point as it is."""
        return rationals(self.source[k].tolist(), f"point {k}")

    @cached_property
    def sides(self) -> list[tuple[Fraction, Fraction]]:
        """The least box around the points."""
        low, high = self.source.min(axis=0).tolist(), self.source.max(axis=0).tolist()
        return list(zip(rationals(low), rationals(high), strict=True))

    @cached_property
    def first(self) -> np.ndarray:
        """For each point the number of the first one that is equal to it."""
        _, at, inverse = np.unique(self.floats, axis=0, return_index=True, return_inverse=True)
        return np.arange(len(self)) if self.rounded else at[inverse.reshape(-1)]


def as_points(data: Any, inputs: int, reading: Reading | None = None) -> Points:
    """Data as a table of points.

    Args:
        data: an array or tensor (points, ...) of ``inputs`` numbers a point, or anything that gives such batches, as a
            ``torch.utils.data.DataLoader`` does; of a batch (x, y, ...) the first is taken.
        reading: of the model, which says how the inputs lie along axes.

    Raises:
        InputError: something else, no points, another number of inputs, other axes, or numbers that are not finite.
    """
    found = as_array(data)
    if not isinstance(found, np.ndarray):
        if isinstance(found, (str, bytes, Mapping)) or not hasattr(found, "__iter__"):
            raise InputError(f"data are an array of points, or batches of them, not {kind(data)}")
        try:
            batches = [_batch(batch) for batch in found]
            if len({batch.ndim for batch in batches}) > 1:
                raise InputError("the data are batches of points, but not all have the same axes (labels among them?)")
            tables = [_points(batch, inputs, reading) for batch in batches]
            found = np.concatenate(tables) if tables else np.zeros((0, inputs))
        except InputError:
            raise
        except (ValueError, TypeError):
            raise InputError(f"the data are not batches of points of {inputs} numbers") from None
    if found.dtype.kind not in "fiuO" or found.dtype.itemsize > 8:
        raise InputError(f"data are floats of at most 64 bits or whole numbers, not {found.dtype}")
    table = _points(found, inputs, reading)
    if table.dtype.kind == "f" and not np.isfinite(table).all():
        k, j = np.argwhere(~np.isfinite(table))[0].tolist()
        raise InputError(f"point {k}, input {j}: {table[k, j]} is not a finite number")
    if table.dtype == object:
        flat = np.empty(table.shape, dtype=object)
        flat[:] = [rationals(row, f"point {k}") for k, row in enumerate(table.tolist())]
        table = flat
    return Points(table)


def _points(array: np.ndarray, inputs: int, reading: Reading | None) -> np.ndarray:
    """Several points, or one, as a table."""
    axes = array.shape[1:]
    if array.size == inputs and math.prod(axes) != inputs:  # one point, along the axes of the model or along one axis
        own = [n for port in reading.inputs for n in port.shape if n > 1] if reading is not None else [inputs]
        if [n for n in array.shape if n > 1] in (own, [inputs]):
            axes = array.shape
    if not array.size or math.prod(axes) != inputs:
        raise InputError(f"data have the shape (points, {inputs}), not {array.shape}")
    if reading is not None and len(axes) > 1:
        reading.check_axes([axes])
    return array.reshape(-1, inputs)


def _batch(batch: Any) -> np.ndarray:
    one = batch[0] if isinstance(batch, (list, tuple)) and batch and hasattr(batch[0], "__array__") else batch
    return np.asarray(as_array(one))


@dataclass(frozen=True)
class Seen:
    """A neuron on the data.

    Attributes:
        fires: the number of a point at which z > 0; None if none is known.
        silent: z <= 0 at all points; None: the budget ended before that was clear.
        low, high: the largest z on the data lies between these; equal if it is known.
    """

    layer: int
    neuron: int
    fires: int | None
    silent: bool | None
    low: Fraction | None
    high: Fraction | None


def seen_on(
    network: Network,
    points: Points,
    asked: Mapping[int, Sequence[int]],
    budget: Budget,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[Key, Seen]:
    """(layer, neuron) -> what it does on the data.

    Exact: yes: where an error may change a sign, the point is evaluated exactly, once for all neurons.
    Cost: two products with each matrix in floats, and an exact evaluation for each point that is not clear.
    """
    to_nearest()
    deepest = max(asked, default=0)
    best = {layer: [np.full(network.widths[layer - 1], -np.inf) for _ in range(2)] for layer in asked}
    fires = {layer: np.full(network.widths[layer - 1], -1) for layer in asked}
    open_: dict[Key, list[int]] = {}
    ended = False
    step = max(1, BATCH // network.starts[-1])
    floats = [(matrix, abs(matrix), bias) for matrix, bias in (map_.floats for map_ in network.layers[:deepest])]
    try:
        for start in range(0, len(points), step):
            budget.poll()
            with np.errstate(all="ignore"):
                for layer, (z, error) in enumerate(_values(floats, points, slice(start, start + step)), 1):
                    if layer in asked:
                        _noted(layer, asked[layer], z, error, start, best[layer], fires[layer], open_)
            if progress is not None:
                progress("on the data", min(start + step, len(points)), len(points))
        exact = _exactly(network, points, fires, open_, deepest, budget)
    except Exhausted:
        exact, ended = {}, True
    found = {}
    for layer, neurons in asked.items():
        for i in neurons:
            at = int(fires[layer][i])
            low, high = (_fraction(side[i]) for side in best[layer])
            silent: bool | None = at < 0
            if at < 0 and (ended or open_.get((layer, i))):
                silent, high = None, None
            elif at < 0:
                high = Fraction(0) if high is None else min(high, Fraction(0))
                if (layer, i) in exact:
                    low = exact[layer, i] if low is None else max(low, exact[layer, i])
                low = None if low is None else min(low, high)
            found[layer, i] = Seen(layer, i, None if at < 0 else at, silent, low, high)
    return found


def _fraction(value: float) -> Fraction | None:
    return Fraction(float(value)) if math.isfinite(value) else None


def _values(floats: list[Any], points: Points, rows: slice) -> Any:
    """Layer by layer (z, a bound of its error), each (points, width)."""
    x = points.floats[rows]
    values, errors = [x], [UNIT * abs(x) + TINY if points.rounded else np.zeros_like(x)]
    for matrix, size, bias in floats:
        v, e = np.hstack(values), np.hstack(errors)
        terms = int(np.diff(matrix.indptr).max(initial=0)) + 6
        z = (matrix @ v.T).T + bias
        whole = (size @ (abs(v) + e).T).T + abs(bias)
        error = (size @ e.T).T + terms * UNIT * MORE * whole
        error = MORE * error + terms * TINY * (1 + abs(v).max(axis=1, initial=0)[:, None])
        yield z, error
        values.append(np.maximum(z, 0))
        errors.append(np.where(z < -error, 0, error))


def _noted(
    layer: int,
    neurons: Sequence[int],
    z: Any,
    error: Any,
    start: int,
    best: Any,
    fires: Any,
    open_: dict[Key, list[int]],
) -> None:
    """What a batch shows of a layer."""
    low, high = np.nextafter(z - error, -np.inf), np.nextafter(z + error, np.inf)
    best[0] = np.fmax(best[0], np.nanmax(np.where(np.isnan(low), -np.inf, low), axis=0))
    best[1] = np.maximum(best[1], np.where(np.isnan(high), np.inf, high).max(axis=0))
    positive = z > error
    first = np.where(positive.any(axis=0), positive.argmax(axis=0) + start, -1)
    fires[:] = np.where(fires < 0, first, fires)
    unclear = ~positive & ~((z <= -error) & np.isfinite(error))  # -inf +- inf is anything
    for i in neurons:
        if fires[i] >= 0:
            open_.pop((layer, i), None)
        elif unclear[:, i].any():
            open_.setdefault((layer, i), []).extend((np.flatnonzero(unclear[:, i]) + start).tolist())


def _exactly(
    network: Network, points: Points, fires: Any, open_: dict[Key, list[int]], deepest: int, budget: Budget
) -> dict[Key, Fraction]:
    """Evaluate what is not clear; the largest value of each neuron that was evaluated. ``open_`` is emptied."""
    largest: dict[Key, Fraction] = {}
    wanted: dict[int, list[Key]] = {}
    for key, some in open_.items():
        for k in dict.fromkeys(points.first[some].tolist()):
            wanted.setdefault(k, []).append(key)
    left = {key: len(set(points.first[some].tolist())) for key, some in open_.items()}
    for k in sorted(wanted, key=lambda k: -len(wanted[k])):
        keys = [key for key in wanted[k] if left[key]]
        if not keys:
            continue
        try:
            budget.poll()
        except Exhausted:
            return largest
        z = network.pre_activations(points.exact(k), max(layer for layer, _ in keys))
        for layer, i in keys:
            value = z[layer - 1][i]
            largest[layer, i] = max(value, largest.get((layer, i), value))
            left[layer, i] -= 1
            if value > 0:
                fires[layer][i], left[layer, i] = k, 0
            if not left[layer, i]:
                open_.pop((layer, i))
    return largest
