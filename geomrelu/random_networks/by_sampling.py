"""The probability of an event by plain Monte Carlo: each network is decided, the interval is the exact binomial one."""

from __future__ import annotations

from dataclasses import asdict
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from geomrelu.budget import Budget
from geomrelu.errors import InputError
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.parallel import Progress, Workers, results, seed_of
from geomrelu.random_networks.estimate import LEVEL, Estimate, between, cut, proved_bounds
from geomrelu.random_networks.experiment import STABLE, Experiment
from geomrelu.random_networks.intervals import clopper_pearson, looks, mean_of_parts
from geomrelu.random_networks.sampling import drawn
from geomrelu.resume import Journal

if TYPE_CHECKING:
    from geomrelu.random_networks.shape import Shape

__all__ = ["by_sampling"]

SAMPLES = 1 << 12  # networks in a chunk of plain sampling by a vectorised kernel; a power of two
MOST_TRIALS = 1 << 32


def by_sampling(
    experiment: Experiment,
    trials: int | None = None,
    half_width: float | None = None,
    seed: int = 0,
    level: float = LEVEL,
    pool: Workers = (None, 1),
    journal: str | None = None,
    progress: Progress | None = None,
    shape: Shape | None = None,
    budget: Budget | None = None,
    domain: Polyhedron | FiniteSet | None = None,
) -> Estimate:
    """Plain Monte Carlo: random networks one by one, with the exact binomial interval.

    Args:
        trials: how many networks; or
        half_width: stop when the interval is +- this. The rule is fixed in advance, see
            :func:`~geomrelu.random_networks.intervals.looks`: it always keeps this promise, and all looks together are
            wrong with probability at most 1 - level.
        shape: of the networks, where the experiment names a model.
        budget: when its time is over, the networks that are finished count, with an interval by betting that holds at
            any time. Half of the risk 1 - level is kept for that, whether it comes to it or not.
        domain: of the experiment, if it has been read.

    Returns:
        An estimate whose interval (Clopper & Pearson, cut by proved bounds) holds the probability with at least the
        given level.

    Raises:
        InputError: both or none of trials and half_width; networks too large for the event.
        Exhausted: the time was over before any network was finished.

    Exact: the event is decided exactly (:func:`~geomrelu.random_networks.sampling.decided`), except that floats decide
    "stably-unactivated" for laws without atoms and the schemes other than "iid"; the rest is statistical.
    """
    if (trials is None) == (half_width is None):
        raise InputError("say either how many trials, or how narrow the interval must be")
    if trials is not None and trials < 1:
        raise InputError(f"the number of trials must be positive, not {trials}")
    level = between(level, "the level")
    half_width = None if half_width is None else between(half_width, "the half width")
    if (shape is None) != (experiment.model is None):
        raise InputError("a model needs its shape, and a shape its model")
    if experiment.law == "own":
        raise InputError("a model's own magnitudes are not random: walk their orbit, or say --law")
    risked = level if budget is None else (1 + level) / 2
    targets = [trials] if trials is not None else looks(half_width or 0.5, risked)
    if targets[-1] > MOST_TRIALS:
        raise InputError(f"a half width of {half_width:g} may take {targets[-1]:,} networks; at most {MOST_TRIALS:,}")
    general = experiment.event == STABLE and experiment.initialisation.missing(atomless=True) is None
    size = min(SAMPLES if general else 64, targets[0] if trials is None else SAMPLES)
    description = {"sampling": asdict(experiment), "seed": seed, "chunk": size, "total": trials}
    if shape is not None:
        description |= {"shape": shape.network.digest, "tied": shape.tied}
    domain = experiment.read_domain(seed, budget) if domain is None else domain
    bounds = proved_bounds(experiment, shape)
    description |= experiment.digest_of(domain)
    each = 1 - (1 - risked) / len(targets)
    parts: list[dict[Fraction, int]] = []  # failures and successes, chunk by chunk
    stopped = None
    with Journal(journal, description) as kept:
        for target in targets:
            work = partial(_sample_chunk, experiment, domain, shape, seed, size, target)
            chunks = range(len(parts), -(-target // size))
            found = results(work, chunks, pool, kept, progress, budget)
            stopped = None if len(found) == len(chunks) else kept.stopped(bool(parts or found))
            for chunk, number in zip(chunks, found, strict=False):
                parts.append({Fraction(0): min(size, target - chunk * size) - number, Fraction(1): number})
            successes, done = (sum(k) for k in zip(*((p[Fraction(1)], sum(p.values())) for p in parts), strict=True))
            if stopped is not None:
                break
            low, high = clopper_pearson(successes, done, each)
            if half_width is not None and high - low <= 2 * half_width:
                break
        if stopped is None:
            kept.finish()
    how = "Clopper-Pearson"
    if trials is None:
        how += f", look {targets.index(target) + 1} of {len(targets)} fixed in advance"
    if stopped is not None:
        how, stopped = "betting, at any time", f"{stopped}: {done:,} of {target:,} networks"
        low, high = mean_of_parts(parts, risked, seed_of(seed, 1 << 20, 0), at_any_time=True)
    counts = {k: n for k, n in ((0, done - successes), (1, successes)) if n}
    low, high = cut(low, high, bounds)
    return Estimate(
        experiment, "sampling", done, 1, counts, successes / done, low, high, level, how, "none", seed, None, bounds,
        stopped,
    )  # fmt: skip


def _sample_chunk(
    experiment: Experiment,
    domain: Polyhedron | FiniteSet,
    shape: Shape | None,
    seed: int,
    size: int,
    total: int,
    chunk: int,
) -> int:
    rng = np.random.default_rng(seed_of(seed, chunk))
    return drawn(experiment, domain, rng, min(size, total - chunk * size), shape)
