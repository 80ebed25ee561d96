"""The papers' simulations: how many networks and data points stay alive, layer by layer; figure 5 by sign orbits.

A *data point* is alive at layer k if each of the layers 1, ..., k has a neuron that is positive there; a network is
alive at layer k if one of its data points is. (Alive on the set of data, where each layer may be positive at another
point, is a weaker condition: see :func:`geomrelu.random_networks.montecarlo.alive_on_points`.) Forward passes are
floats with a power of two of their own for each point, so neither depth nor a law with heavy tails overflows or
underflows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from geomrelu.budget import Budget, Exhausted
from geomrelu.errors import InputError
from geomrelu.parallel import Progress, Workers, results, seed_of
from geomrelu.random_networks.by_orbits import by_orbits
from geomrelu.random_networks.estimate import Estimate
from geomrelu.random_networks.experiment import Experiment
from geomrelu.random_networks.initialisation import Initialisation
from geomrelu.random_networks.montecarlo import SCHEMES, pre_activations, rescaled
from geomrelu.resume import Journal

__all__ = ["SCHEMES", "TARGETS", "Living", "Survival", "figure_five", "living", "survivors", "widths_along"]

Array = np.ndarray[Any, np.dtype[Any]]

BLOCK = 32  # networks in a chunk
AT_ONCE = 1 << 15  # doubles in a working array
FIGURE_FIVE = {0: 2, 1: 2, 2: 2048, 3: 2048, 4: 2048, 5: 2048, 6: 2048}  # n1 - n0: orbits
ROWS = 2  # independent row flips of each: as good as the best, by trial, at equal time
WHOLE = {0: 2, 1: 2, 2: 1024, 3: 512, 4: 256, 5: 256, 6: 128}  # n1 - n0: first layers with all their row flips
SHARED = 8  # whole orbits for each of them: they share all but the last constant


@dataclass(frozen=True)
class Survival:
    """Living networks and data for one width, all depths.

    Attributes:
        networks: how many. points: data points of each.
        alive: shape (depth,): networks with a living data point after each layer.
        living: shape (depth,): living data points of all networks together.
        variance: shape (depth,): sum over the living networks of |sd of F_k|^2 / |mean of F_k|^2 over the data; None if
            it was not asked for.
    """

    width: int
    scheme: str
    networks: int
    points: int
    alive: tuple[int, ...]
    living: tuple[int, ...]
    variance: tuple[float, ...] | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data for ``json.dumps``: what was computed."""
        return {"event": "data-alive"} | {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Living:
    """What :func:`living` simulates.

    Attributes:
        widths: of the networks (inputs and all layers). depth: layers. networks: for each width and scheme.
        points: data, standard normal. schemes: of :data:`SCHEMES`. law, scale: of weights and biases alike.
        variance: the normalised variances too.
    """

    widths: tuple[int, ...] = tuple(range(1, 16))
    depth: int = 256
    networks: int = 1024
    points: int = 1024
    schemes: tuple[str, ...] = SCHEMES
    law: str = "normal"
    scale: str = "he"
    variance: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if min(*self.widths, self.depth, self.networks, self.points, 2**31) < 1:
            raise InputError("widths, depth, networks and points must be positive")
        if unknown := set(self.schemes) - set(SCHEMES):
            raise InputError(f"unknown scheme {unknown.pop()!r} (known: {', '.join(SCHEMES)})")
        Initialisation(self.law, self.scale)


def living(
    plan: Living,
    pool: Workers = (None, 1),
    journal: str | None = None,
    progress: Progress | None = None,
    budget: Budget | None = None,
) -> dict[tuple[int, str], Survival]:
    """Random networks on random data, for each width and scheme.

    Returns:
        (width, scheme) -> survival; the same for each pool.

    Raises:
        Exhausted: the time is over; finished chunks are in the journal.

    Exact: statistical, in floats. Cost: networks × points × sum of width^2 × depth multiplications for each scheme.
    Source: Rister & Rubin, section 8.
    """
    places = [(n, s, b) for s in plan.schemes for n in plan.widths for b in range(-(-plan.networks // BLOCK))]
    with Journal(journal, {"living": {**plan.__dict__, "block": BLOCK}}) as kept:
        parts = results(partial(_living_chunk, plan, tuple(places)), range(len(places)), pool, kept, progress, budget)
        if len(parts) < len(places):
            raise Exhausted(kept.stopped(bool(kept.found), keep=True))
        kept.finish()
    found = {}
    for scheme in plan.schemes:
        for width in plan.widths:
            own = [p for (n, s, _), p in zip(places, parts, strict=True) if (n, s) == (width, scheme)]
            columns = [[sum(layer) for layer in zip(*(p[k] for p in own), strict=True)] for k in range(3)]
            alive, lives, variance = map(tuple, columns)
            more = variance if plan.variance else None
            found[width, scheme] = Survival(width, scheme, plan.networks, plan.points, alive, lives, more)
    return found


def _living_chunk(plan: Living, places: tuple[tuple[int, str, int], ...], chunk: int) -> list[list[Any]]:
    width, scheme, block = places[chunk]
    count = min(BLOCK, plan.networks - block * BLOCK)
    data = np.random.default_rng(seed_of(plan.seed, 0, width)).standard_normal((width, plan.points))
    rng = np.random.default_rng(seed_of(plan.seed, 1, width, SCHEMES.index(scheme), block))
    at_once = max(1, AT_ONCE // (width * plan.points))
    total = [np.zeros(plan.depth, dtype=np.int64), np.zeros(plan.depth, dtype=np.int64), np.zeros(plan.depth)]
    for start in range(0, count, at_once):
        size = min(at_once, count - start)
        part = survivors(data, Initialisation(plan.law, plan.scale), rng, size, plan.depth, scheme, plan.variance)
        for whole, one in zip(total, part, strict=True):
            whole += one
    return [whole.tolist() for whole in total]


def survivors(
    data: Array,
    law: Initialisation,
    rng: np.random.Generator,
    size: int,
    depth: int,
    scheme: str = "iid",
    normalised_variance: bool = False,
) -> tuple[Array, Array, Array]:
    """Random networks of one width on the same data.

    Args:
        data: shape (width, points). size: number of networks.
        scheme: of :data:`~geomrelu.random_networks.montecarlo.SCHEMES`, see
        :func:`~geomrelu.random_networks.montecarlo.pre_activations`.

    Returns:
        For each layer: networks with a living point, living points, and, if asked for, the sum of the normalised
        variances of the living networks (Rister & Rubin, assumption 5.1), else 0.
    """
    width, points = data.shape
    x, shift = np.repeat(data[None], size, axis=0), np.zeros((size, points), dtype=np.int64)  # the true x is x 2^shift
    lives = np.ones((size, points), dtype=bool)
    alive, living_points, variance = np.zeros(depth, np.int64), np.zeros(depth, np.int64), np.zeros(depth)
    for k in range(depth):
        weights, bias = law.layers(rng, len(x), width, width)
        z = pre_activations(weights, bias, x, shift, lives, scheme)
        largest = z.max(axis=1)
        lives &= largest > 0
        x = np.maximum(z, 0, out=z)
        remaining = lives.any(axis=1)
        if not remaining.all():  # a dead network stays dead
            x, shift, lives, largest = x[remaining], shift[remaining], lives[remaining], largest[remaining]
            if not len(x):
                break
        alive[k], living_points[k] = len(x), lives.sum()
        if normalised_variance:
            active = np.where(largest > 0, shift, shift.min() - 1)
            level = x * np.ldexp(1.0, np.minimum(shift - active.max(axis=1, keepdims=True), 0))[:, None]
            variance[k] = (level.var(axis=2).sum(axis=1) / (level.mean(axis=2) ** 2).sum(axis=1)).sum()
        if scheme != "batch-norm":
            x, shift = rescaled(x, shift, largest)
    return alive, living_points, variance


TARGETS = (0.1, 0.5, 0.9)


def widths_along(p: float, depth: int) -> list[int]:
    """``n(k) = -log2(1 - p^(1/k))``, rounded and at least 1, for k = 1, ..., depth.

    Raises:
        InputError: p is not in (0, 1).

    Source: Rister & Rubin, eq. 9.
    """
    if not 0 < p < 1:
        raise InputError(f"probability p: {p} is not between 0 and 1")
    return [max(1, round(-math.log2(-math.expm1(math.log(p) / k)))) for k in range(1, depth + 1)]


def figure_five(
    dimensions: tuple[int, ...] = (2, 3, 4),
    excesses: tuple[int, ...] = tuple(FIGURE_FIVE),
    law: str = "normal",
    share: float = 1.0,
    seed: int = 0,
    level: float = 0.95,
    pool: Workers = (None, 1),
    journal: str | None = None,
    progress: Progress | None = None,
    budget: Budget | None = None,
    whole: bool = False,
) -> dict[tuple[int, int], Estimate]:
    """The probability that a second-layer neuron is stably unactivated: (n0, n1) -> estimate.

    Args:
        excesses: n1 - n0, at most 6. share: of the orbits that :data:`FIGURE_FIVE` lists (:data:`WHOLE`, if whole).
        journal: files of this name with the widths appended.
        whole: walk all row flips. The fractions of whole orbits differ little, but their interval is wider at equal
            time: at 95 % that of N orbits is at least 3.7 / N of the proved range, [2^(-n1 - 1), 1/4].

    Returns:
        Of all widths; if the time of the budget ends, of those that were reached, the last one marked as stopped.

    Raises:
        Exhausted: it ended before anything was finished.

    Exact: each orbit is. Source: Brownlowe et al., figure 5.
    """
    if min(dimensions) < 1 or not set(excesses) <= set(FIGURE_FIVE):
        raise InputError(f"n0 must be positive, and n1 - n0 from {min(FIGURE_FIVE)} to {max(FIGURE_FIVE)}")
    if not 0 < share <= 1:
        raise InputError(f"a share of the orbits is more than 0 and at most 1, not {share}")
    found: dict[tuple[int, int], Estimate] = {}
    for n0, excess in product(dimensions, excesses):
        experiment = Experiment("stably-unactivated", (n0, n0 + excess), law)
        shared, rows = (SHARED, None) if whole or excess < 2 else (1, ROWS)
        orbits = shared * max(2, round(share * (WHOLE if whole else FIGURE_FIVE)[excess]))
        file = None if journal is None else f"{journal}.{n0},{n0 + excess}"
        try:
            found[n0, n0 + excess] = by_orbits(
                experiment, orbits, seed, level, pool, file, progress, shared, rows=rows, budget=budget
            )
        except Exhausted:
            if not found:
                raise
            break
    return found
