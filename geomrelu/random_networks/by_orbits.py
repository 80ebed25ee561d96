"""The probability of an event as the mean over sign orbits, each counted exactly.

    P(event) = E[fraction of the sign orbit that lies in the event]

holds for each law that sign flips leave alone. So the estimate is the mean of exact rationals, one for each random set
of magnitudes, and only the magnitudes are random: its interval speaks of orbits, not of sign choices.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from fractions import Fraction
from functools import partial
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np

from geomrelu.budget import Budget
from geomrelu.errors import InputError
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.parallel import Progress, Workers, results, seed_of
from geomrelu.random_networks.estimate import LEVEL, Estimate, between, cut, proved_bounds
from geomrelu.random_networks.experiment import DATA_ALIVE, STABLE, Experiment
from geomrelu.random_networks.intervals import mean_of_parts
from geomrelu.random_networks.living_batch import Walk
from geomrelu.random_networks.orbit_batch import stably_unactivated_counts
from geomrelu.random_networks.sampling import decided, event_count
from geomrelu.resume import Journal

if TYPE_CHECKING:
    from geomrelu.random_networks.shape import Shape

__all__ = ["by_orbits", "is_one_orbit", "too_many_choices"]

MOST_CHOICES = 1 << 16  # of one neuron, or of all parameters of a network of any shape


def by_orbits(
    experiment: Experiment,
    orbits: int,
    seed: int = 0,
    level: float = LEVEL,
    pool: Workers = (None, 1),
    journal: str | None = None,
    progress: Progress | None = None,
    shared: int = 1,
    shape: Shape | None = None,
    rows: int | None = None,
    budget: Budget | None = None,
    domain: Polyhedron | FiniteSet | None = None,
) -> Estimate:
    """The mean of the orbit probabilities of random magnitudes.

    Args:
        orbits: how many, fixed before the run. level: of the interval. pool, journal, progress: see
            :mod:`geomrelu.parallel`.
        shared: "stably-unactivated" only: so many orbits at a time share all magnitudes but that of the last constant,
            which costs little; the interval speaks of such groups, because only they are independent.
        shape: of the networks, where the experiment names a model.
        rows: "stably-unactivated" only: how many independent row flips are walked, see
            :func:`~geomrelu.random_networks.orbit_batch.stably_unactivated_counts`. Large orbits all have much the same
            count, and an interval for N of them cannot be narrower than some 4 / N of the range: many small ones say
            more in the same time. None: all.
        budget: when its time is over, the orbits that are finished count, with an interval that holds at any time. Half
            of the risk 1 - level is kept for that, whether it comes to it or not.
        domain: of the experiment, if it has been read.

    Returns:
        An estimate; the same for the same experiment, orbits and seed, whoever computes it.

    Raises:
        InputError: a law that sign flips change or that has an atom at 0 (the hypothesis is named), or networks too
            large to walk.
        Exhausted: the time was over before any orbit was finished.

    Exact: each orbit is; the mean is statistical. Method:
    :func:`~geomrelu.random_networks.orbit_batch.stably_unactivated_counts`, or
    :class:`~geomrelu.random_networks.living_batch.Walk`; the interval:
    :func:`~geomrelu.random_networks.intervals.bounded_mean`.

    >>> by_orbits(Experiment("alive", (1, 1, 1, 1)), 5).counts  # (k + 1) 2^k
    {32: 5}
    """
    _affordable(experiment, orbits, level, shared, shape, rows)
    size = _chunk_size(experiment, rows)
    description = {"orbits": asdict(experiment), "seed": seed, "chunk": size, "total": orbits, "shared": shared}
    if rows is not None:
        description |= {"rows": rows}
    if shape is not None:
        description |= {"shape": shape.network.digest, "tied": shape.tied}
    domain = experiment.read_domain(seed, budget) if domain is None else domain
    description |= experiment.digest_of(domain)
    work = partial(_orbit_chunk, experiment, domain, shape, seed, size, orbits // shared, shared, rows)
    chunks = range(-(-orbits // shared // size))
    with Journal(journal, description) as kept:
        found = results(work, chunks, pool, kept, progress, budget)
        stopped = None if len(found) == len(chunks) else kept.stopped(bool(found))
        if stopped is None:
            kept.finish()
    parts = [Counter({int(k): n for k, n in sums.items()}) for _, sums in found]
    counts: Counter[int] = Counter()
    for orbit_counts, _ in found:
        counts.update({int(k): n for k, n in orbit_counts.items()})
    groups, done = sum(parts, Counter()), counts.total()
    if stopped is not None:
        stopped = f"{stopped}: {done:,} of {orbits:,} orbits"
    orbit_size = _orbit_size(experiment, rows) if shape is None else 2 ** len(shape.magnitudes)
    bounds = proved_bounds(experiment, shape)
    mean = Fraction(sum(k * n for k, n in groups.items()), groups.total() * shared * orbit_size)
    exact, how = None, "betting on orbits"
    if is_one_orbit(experiment):
        exact, low, high = mean, float(mean), float(mean)
        how = "all magnitudes are equal, so this is the only orbit"
        if experiment.law == "own":
            how = "the one orbit of these magnitudes"
    else:
        of_each = bounds if experiment.flipped == "all" or experiment.event == STABLE else {}
        if rows is not None and bounds:  # what holds for each choice of the row flips
            of_each = {"lower": Fraction(1, 2 ** (experiment.widths[1] + 1)), "upper": Fraction(1, 4)}
        values = [
            {Fraction(k, shared * orbit_size): n for k, n in part.items()}
            for part in ([groups] if stopped is None else parts)
        ]
        risked = level if budget is None else (1 + level) / 2
        range_ = of_each.get("lower", 0), of_each.get("upper", 1)
        low, high = mean_of_parts(values, risked, seed_of(seed, 1 << 20, 0), *range_, at_any_time=stopped is not None)
        if stopped is not None:
            how += ", at any time"
        if shared > 1:
            how += f", in groups of {shared} that share all but the last constant"
    low, high = cut(low, high, bounds)
    walked = "row flips, signs of the second layer" if experiment.event == STABLE else experiment.flipped
    walked = walked if rows is None else f"some {walked}"
    return Estimate(
        experiment, "orbits", done, orbit_size, dict(sorted(counts.items())), float(mean), low, high, level, how,
        walked, seed, exact, bounds, stopped,
    )  # fmt: skip


def _affordable(
    experiment: Experiment, orbits: int, level: float, shared: int, shape: Shape | None, rows: int | None
) -> None:
    """Refuse what has no orbits, or too large ones."""
    if orbits < 1:
        raise InputError(f"the number of orbits must be positive, not {orbits}")
    level = between(level, "the level")
    missing = experiment.initialisation.missing(symmetric=True, no_zero=True)
    if experiment.scheme != "iid":
        missing = f"under {experiment.scheme} layers depend on the data"
    if missing is not None:
        raise InputError(f"no sign orbits: {missing}; sample instead (--trials)")
    if (shape is None) != (experiment.model is None):
        raise InputError("a model needs its shape, and a shape its model")
    if experiment.law == "own" and orbits != 1:
        raise InputError("a model's own magnitudes are one orbit; say --law for random ones")
    if shared < 1 or orbits % shared or (shared > 1 and experiment.event != STABLE):
        raise InputError("shared: a divisor of the number of orbits, and 1 unless the event is stably-unactivated")
    if rows is not None and (experiment.event != STABLE or not 1 <= rows <= experiment.widths[1]):
        raise InputError("rows: from 1 to the width of the first layer, for stably-unactivated")
    if experiment.event != STABLE and too_many_choices(experiment, shape):
        raise InputError("too many sign choices to walk: sample instead (--trials)")


def too_many_choices(experiment: Experiment, shape: Shape | None) -> bool:
    """Are the sign choices of one neuron (or of a network that is not dense) too many to walk?"""
    if shape is not None and not shape.is_dense:
        return 1 << min(len(shape.magnitudes), 64) > MOST_CHOICES
    last = experiment.goal.last
    return 1 << min(experiment.widths[last - 1] + experiment.bias, 64) > MOST_CHOICES


def is_one_orbit(experiment: Experiment) -> bool:
    """Are all magnitudes known?"""
    walked = experiment.law == "rademacher" and experiment.flipped == "all" and experiment.event != STABLE
    return walked or experiment.law == "own"


def _orbit_size(experiment: Experiment, rows: int | None = None) -> int:
    widths = experiment.widths
    if experiment.event == STABLE:
        return int(2 ** (widths[1] + 1 + (rows or widths[1])))
    fans = list(pairwise(widths))
    return int(2 ** sum(m * (n + experiment.bias) for n, m in (fans if experiment.flipped == "all" else fans[-1:])))


def _chunk_size(experiment: Experiment, rows: int | None = None) -> int:
    if experiment.event == STABLE:
        return int(max(4, min(1024, (1 << 14) >> (rows or experiment.widths[1]))))
    return 8


def _orbit_chunk(
    experiment: Experiment,
    domain: Polyhedron | FiniteSet,
    shape: Shape | None,
    seed: int,
    size: int,
    groups: int,
    shared: int,
    rows: int | None,
    chunk: int,
) -> list[dict[str, int]]:
    """How often each count came up in one chunk, for orbits and for sums over groups of orbits."""
    rng = np.random.default_rng(seed_of(seed, chunk))
    count = min(size, groups - chunk * size)
    if experiment.event == STABLE:
        n0, n1 = experiment.widths[:2]
        weights, bias = experiment.initialisation.layers(rng, count, n0, n1)
        w, c = experiment.initialisation.layers(rng, count * shared, n1, 1)
        found = stably_unactivated_counts(weights, bias, w[::shared, 0], c.reshape(count, shared), rows).tolist()
    elif shape is not None:
        found = [[_shaped_count(experiment, shape, domain, rng)] for _ in range(count)]
    else:
        found = [[k] for k in _counted(experiment, domain, experiment.layers(rng, count))]
    orbits, sums = Counter(k for group in found for k in group), Counter(map(sum, found))
    return [{str(k): n for k, n in sorted(part.items())} for part in (orbits, sums)]


def _counted(experiment: Experiment, domain: Polyhedron | FiniteSet, layers: Sequence[tuple[Any, Any]]) -> list[int]:
    """The count of each of some orbits of dense layers."""
    if _has_few_images(experiment):
        return [
            event_count(experiment, domain, [(w[k], b[k]) for w, b in layers], experiment.flipped)
            for k in range(len(layers[0][0]))
        ]
    biased = [(w, b if experiment.bias else None) for w, b in layers]
    walk = Walk(biased, domain, experiment.goal, experiment.flipped)
    later = list(pairwise(experiment.widths))[experiment.goal.last :]
    if experiment.flipped == "last":
        later = later[-1:]
    signs = sum(m * (n + experiment.bias) for n, m in later)
    return [
        int(walk.counts[k]) << signs
        if walk.sure[k]
        else event_count(experiment, domain, [(w[k], b[k]) for w, b in layers], experiment.flipped)
        for k in range(len(walk.sure))
    ]


def _has_few_images(experiment: Experiment) -> bool:
    """Is the image of the first layer all of the orthant, whatever its signs? The exact walk, which knows images that
    come again, is then faster than a batch."""
    n0, first = experiment.widths[:2]
    return experiment.domain in ("R^n", f"R^{n0}") and experiment.bias and first <= n0 and experiment.goal.last > 2


def _shaped_count(experiment: Experiment, shape: Shape, domain: Polyhedron | FiniteSet, rng: Any) -> int:
    """The count of one orbit of a network of any shape."""
    if experiment.law == "own":
        values: Sequence[Any] = shape.magnitudes
    else:
        values = experiment.initialisation.parameters(rng, shape.fans, shape.is_bias).tolist()
    floats = None if shape.rounds else _as_floats(values)
    if shape.is_dense and floats is not None and experiment.bias:
        layers = shape.arrays(np.array([floats]))
        return _counted(replace(experiment, model=None, law="normal", scale="none"), domain, layers)[0]
    if floats is not None and len(values) <= math.log2(MOST_CHOICES):
        signs = np.array(list(product((-1.0, 1.0), repeat=len(values))))
        found, step = 0, 1 << 10
        for k in range(0, len(signs), step):
            part = signs[k : k + step] * np.array(floats)
            found += int(decided(experiment, domain, shape.arrays(part), shape, part).sum())
        return found
    if experiment.event == DATA_ALIVE and not shape.is_free:
        raise InputError("data-alive: too many sign choices of a model with connections or ties; say --trials")
    profiles, _ = shape.dead_neurons(values, domain, experiment.event == DATA_ALIVE)
    return sum(n for dead, n in profiles.items() if experiment.happens(dead))


def _as_floats(values: Sequence[Any]) -> list[float] | None:
    """The same numbers, if floats hold them all."""
    try:
        floats = [float(v) for v in values]
    except OverflowError:
        return None
    return floats if all(Fraction(f) == v for f, v in zip(floats, values, strict=True)) else None
