"""Plain Monte Carlo: random networks by the million, and exact binomial intervals for what they say.

A *kernel* draws ``size`` networks from a symmetric law and counts the ones in an event; :func:`count` runs it in
chunks, each with a seed of its own, so that the answer depends on the seed and on nothing else. The networks are
floats: these functions estimate and never prove.

Array axes: one axis for the networks first, then neurons, then inputs (``(size, out, in)``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.random_networks.initialisation import Law

__all__ = [
    "SCHEMES",
    "alive_on_line",
    "alive_on_points",
    "count",
    "dead_on_data",
    "killed_at_two",
    "living_data",
    "orthant_killed",
    "pre_activations",
    "rescaled",
    "stably_unactivated",
]

Array = np.ndarray[Any, np.dtype[np.float64]]
Kernel = Callable[..., int]
CHUNK = 1 << 14  # networks drawn at once; the seeds of the chunks do not depend on the machine
SCHEMES = ("iid", "batch-norm", "sign-flip")
LARGE = 128  # exponents beyond which points are scaled back


def count(kernel: Kernel, trials: int, seed: int, law: str = "normal", **parameters: Any) -> int:
    """In how many of ``trials`` random networks the kernel's event happens.

    Args:
        kernel: one of this module's, called as ``kernel(draw, size, **parameters)``.
        trials, seed: fix them before the run.
        law: of every parameter, independently: a name for :class:`~geomrelu.random_networks.initialisation.Law`,
        symmetric about 0.

    Returns:
        Successes, 0..trials. The same for every order (or process) in which the chunks are run.

    Exact: statistical. Cost: linear in trials.
    """
    if trials < 1:
        raise InputError(f"the number of trials must be positive, not {trials}")
    parsed = Law(law)
    if (missing := parsed.missing(symmetric=True)) is not None:
        raise InputError(missing)
    sizes = [CHUNK] * (trials // CHUNK) + ([trials % CHUNK] if trials % CHUNK else [])
    seeds = np.random.SeedSequence(seed).spawn(len(sizes))
    return sum(
        int(kernel(partial(parsed.sample, np.random.default_rng(child)), size, **parameters))
        for child, size in zip(seeds, sizes, strict=True)
    )


# ---- forward passes ---------------------------------------------------------------------------------------------
# Each point x of each network is held as x 2^-shift with a shift of its own: neither depth nor heavy tails overflow.


def pre_activations(
    weights: Array, bias: Array, x: Array, shift: np.ndarray[Any, Any], lives: np.ndarray[Any, Any], scheme: str
) -> Array:
    """What the next layer of many networks computes on their data, each point divided by its 2^shift.

    Args:
        weights: (networks, out, in). bias: (networks, out). x: (networks, in, points). shift: (networks, points).
        lives: (networks, points), the points at which each layer so far is positive somewhere.
        scheme: "iid"; "batch-norm": the pre-activations of each neuron are shifted to mean 0 and scaled to variance 1
            over the data (shifts must be 0); "sign-flip": a layer that kills more than half of the living points is
            negated.

    Source: Rister & Rubin, sections 6 and 8.
    """
    z = np.matmul(weights, x)
    z += bias[:, :, None] * np.ldexp(1.0, np.minimum(-shift, 900))[:, None] if shift.any() else bias[:, :, None]
    if scheme == "batch-norm":
        z -= z.mean(axis=2, keepdims=True)
        deviation = np.sqrt(np.einsum("bnp,bnp->bn", z, z) / z.shape[2])
        z /= np.where(deviation > 0, deviation, 1)[:, :, None]
    elif scheme == "sign-flip":
        killed = lives & ~(z.max(axis=1) > 0)
        z[2 * killed.sum(axis=1) > lives.sum(axis=1)] *= -1
    return z


def rescaled(x: Array, shift: np.ndarray[Any, Any], largest: Array) -> tuple[Array, np.ndarray[Any, Any]]:
    """Points with their shifts, brought back to moderate size if their largest entries have left it."""
    exponent = np.frexp(np.maximum(largest, 0))[1]
    if abs(exponent).max(initial=0) <= LARGE:
        return x, shift
    return np.ldexp(x, -exponent[:, None]), shift + exponent


def dead_on_data(layers: Sequence[tuple[Array, Array]], data: Array, scheme: str) -> np.ndarray[Any, Any]:
    """How many neurons of each layer are nowhere positive on the data, as floats see it.

    Args:
        layers: ``(weights, bias)``, shapes (networks, out, in) and (networks, out). data: (inputs, points).
        scheme: of :data:`SCHEMES`, see :func:`pre_activations`.

    Returns:
        int64, shape (networks, depth).
    """
    return np.stack([(z <= 0).all(axis=2).sum(axis=1) for z, _ in _passes(layers, data, scheme)], axis=1)


def living_data(layers: Sequence[tuple[Array, Array]], data: Array, scheme: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """How many data points of each network are alive through all layers; arguments as for :func:`dead_on_data`."""
    for _, lives in _passes(layers, data, scheme):
        found = lives
    return np.asarray(found.sum(axis=1))


def _passes(layers: Sequence[tuple[Array, Array]], data: Array, scheme: str) -> Iterator[tuple[Array, Array]]:
    """For each layer its pre-activations (up to scale, valid until the next layer) and which points live."""
    count, points = len(layers[0][0]), data.shape[1]
    x, shift = np.repeat(data[None], count, axis=0), np.zeros((count, points), dtype=np.int64)
    lives = np.ones((count, points), dtype=bool)
    for weights, bias in layers:
        z = pre_activations(weights, bias, x, shift, lives, scheme)
        largest = z.max(axis=1)
        lives &= largest > 0
        yield z, lives
        x = np.maximum(z, 0)
        if scheme != "batch-norm":
            x, shift = rescaled(x, shift, largest)


# ---- kernels ----------------------------------------------------------------------------------------------------

Draw = Callable[[tuple[int, ...]], Array]


def orthant_killed(draw: Draw, size: int, *, n: int) -> int:
    """Layers R^n -> R^n that are nowhere positive on R^n_+ (looked at in 0 and far out on each axis)."""
    far = float(1 << 40)
    probes = np.vstack([np.zeros(n), far * np.eye(n)])
    return size - _living(draw, size, np.broadcast_to(probes, (size, n + 1, n)), n, 1)


def alive_on_points(draw: Draw, size: int, *, points: Sequence[Sequence[float]], n: int, k: int) -> int:
    """Networks of width n and depth k in which every layer is positive somewhere on the given points of R^n."""
    table = np.asarray(points, dtype=np.float64)
    return _living(draw, size, np.broadcast_to(table, (size, *table.shape)), n, k)


def _living(draw: Draw, size: int, x: Array, n: int, k: int) -> int:
    """Networks with every layer positive at one of their points, shape (size, points, n)."""
    alive = np.ones(size, dtype=bool)
    for _ in range(k):
        weights, bias = draw((size, n, n)), draw((size, n))
        z = np.matmul(x, weights.transpose(0, 2, 1)) + bias[:, None, :]
        alive &= (z > 0).any(axis=(1, 2))
        x = np.maximum(z, 0)
    return int(alive.sum())


def alive_on_line(draw: Draw, size: int, *, k: int) -> int:
    """Networks of width 1 and depth k in which every layer is positive somewhere on the whole line.

    Method: the image of an interval is an interval.
    """
    low, high, alive = np.full(size, -np.inf), np.full(size, np.inf), np.ones(size, dtype=bool)
    for _ in range(k):
        a, b = draw((size,)), draw((size,))
        ends = a * low + b, a * high + b
        low, high = np.maximum(np.minimum(*ends), 0), np.maximum(*ends)
        alive &= high > 0
        high = np.maximum(high, 0)
    return int(alive.sum())


def killed_at_two(draw: Draw, size: int, *, n: int) -> int:
    """Networks of width n whose second layer is dead on all of R^n.

    Method: the n hyperplanes of the first layer meet in one point and cut R^n into 2^n cones; the network is looked
    at in that point and far out on each of the 2n edges.
    """
    weights, bias = draw((size, n, n)), draw((size, n))
    inverse = np.linalg.inv(weights)
    corner = -np.matmul(inverse, bias[:, :, None])[:, None, :, 0]
    edges = inverse.transpose(0, 2, 1) * float(1 << 20)
    probes = np.concatenate([corner, corner + edges, corner - edges], axis=1)
    x = np.maximum(np.matmul(probes, weights.transpose(0, 2, 1)) + bias[:, None, :], 0)
    return size - _living(draw, size, x, n, 1)


def stably_unactivated(draw: Draw, size: int, *, n0: int, n1: int) -> int:
    """Networks whose second-layer neuron (read on R^n0 through n1 neurons) is stably unactivated."""
    weights, bias = draw((size, n1, n0)), draw((size, n1))
    return int(stable(weights, bias, draw((size, n1)), draw((size,))).sum())


def stable(weights: Array, bias: Array, w: Array, c: Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which neurons ``sum_i w_i max(a_i·x + b_i, 0) + c`` are stably unactivated on R^n0, as floats see it.

    Args:
        weights: (size, n1, n0). bias: (size, n1). w: (size, n1). c: (size,).

    Method: the criterion of :mod:`geomrelu.random_networks.stably_unactivated` for hyperplanes in general position:
    every r = min(n0, n1) of them meet in one flat (a point, if n1 >= n0), from which r edges leave in both directions.
    By construction it is known which neurons are 0 on a flat or an edge; only the others are computed.
    """
    size, n1, n0 = weights.shape
    r = min(n0, n1)
    # along a line on which all first-layer neurons are constant, the neuron is flat as well: it must be held down
    found = (c < 0) & (w < 0).all(axis=1) if n1 < n0 else np.ones(size, dtype=bool)
    for meeting in combinations(range(n1), r):
        inside = np.array(meeting)
        outside = np.setdiff1d(np.arange(n1), inside)
        inverse = _right_inverse(weights[:, inside])
        corner = -np.matmul(inverse, bias[:, inside, None])[:, :, 0]
        z = np.einsum("toi,ti->to", weights[:, outside], corner) + bias[:, outside]
        found &= (w[:, outside] * np.maximum(z, 0)).sum(axis=1) + c < 0
        growth = np.matmul(
            weights[:, outside], inverse
        )  # (size, outside, r): along the edge that leaves neuron `inside`
        for edge in range(r):
            flat = np.delete(inside, edge)
            held = (c < 0) & (w[:, flat] < 0).all(axis=1)
            forward = (w[:, outside] * np.maximum(growth[:, :, edge], 0)).sum(axis=1) + w[:, inside[edge]]
            backward = (w[:, outside] * np.maximum(-growth[:, :, edge], 0)).sum(axis=1)
            silent = (growth[:, :, edge] > 0).all(axis=1)
            found &= (forward < 0) & ((backward < 0) | (silent & held))
    return np.asarray(found)


def _right_inverse(a: Array) -> Array:
    """Of matrices of full row rank, shape (size, r, n), r <= n."""
    transposed = a.transpose(0, 2, 1)
    square = a.shape[1] == a.shape[2]
    return np.asarray(np.linalg.inv(a) if square else transposed @ np.linalg.inv(a @ transposed), dtype=np.float64)
