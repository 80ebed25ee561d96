"""Probabilities of events in random networks: proved, or exact orbit by exact orbit and averaged, or sampled."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from geomrelu.arguments import integer, kind
from geomrelu.budget import Budget, Exhausted
from geomrelu.errors import InputError
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.random_networks.by_orbits import by_orbits, is_one_orbit, too_many_choices
from geomrelu.random_networks.by_sampling import by_sampling
from geomrelu.random_networks.estimate import LEVEL, Estimate, between, proved_bounds
from geomrelu.random_networks.experiment import DATA_ALIVE, STABLE, Experiment
from geomrelu.random_networks.living_batch import is_affordable
from geomrelu.random_networks.stably_unactivated import WIDEST, rademacher_probability

if TYPE_CHECKING:
    from geomrelu.random_networks.shape import Shape

__all__ = ["probability"]

ORBITS, TRIALS = 1000, 4096  # unless something else is asked for
AFFORDABLE = 1 << 18  # networks of any shape that are decided for an answer in seconds
LOOKED_AT = 16  # orbits that have to agree before a proof is tried


def probability(
    experiment: Experiment,
    orbits: int | None = None,
    trials: int | None = None,
    half_width: float | None = None,
    seed: int = 0,
    level: float = LEVEL,
    shape: Shape | None = None,
    **running: Any,
) -> Estimate:
    """The probability of an event: what is proved if it is, else an estimate.

    Args:
        orbits, trials, half_width: how an estimate is found (at most one of them): see :func:`by_orbits`,
            :func:`by_sampling`. None: 1000 orbits; fewer, or networks, where orbits are too large.
        shape: of the networks, where the experiment names a model.
        running: ``pool``, ``journal`` and ``progress``, see :mod:`geomrelu.parallel`.

    Returns:
        Where a theorem gives the value, or all magnitudes have been walked, ``exact`` is set, nothing is sampled, and
        what was asked for to sample is not done.

    Raises:
        InputError: see the two functions.

    Exact: what is proved, and each orbit; the interval of a mean is statistical, at the ``level`` and from the
    ``seed`` that are said. Method: a theorem, else the mean over sign orbits, else Monte Carlo. Cost: of an orbit, see
    :func:`by_orbits`.

    Source: Rister & Rubin; Lu, Shin, Su & Karniadakis; Brownlowe et al.; ``interval`` names the theorem.

    >>> probability(Experiment("alive", (2, 2, 2))).exact
    Fraction(63, 64)
    """
    if not isinstance(experiment, Experiment):
        raise InputError(f'an experiment is Experiment("alive", (2, 3, 1)) or another, not {kind(experiment)}')
    level = between(level, "the level")
    seed = integer(seed, "seed", 0)
    orbits = None if orbits is None else integer(orbits, "the number of orbits", 1)
    trials = None if trials is None else integer(trials, "the number of trials", 1)
    half_width = None if half_width is None else between(half_width, "the half width")  # said also if none is needed
    if sum(v is not None for v in (orbits, trials, half_width)) > 1:
        raise InputError("orbits are walked, trials and a half width sample networks: choose one")
    known = _known(experiment, seed, level, shape, running.get("budget"))
    if known is not None:
        return known
    domain = experiment.read_domain(seed, running.get("budget"))
    if trials is None and half_width is None and orbits is None:
        orbits, trials = _amount(experiment, shape, domain)
    if orbits is not None:
        orbits = 1 if is_one_orbit(experiment) and experiment.law != "own" else orbits
        return by_orbits(experiment, orbits, seed, level, shape=shape, domain=domain, **running)
    return by_sampling(experiment, trials, half_width, seed, level, shape=shape, domain=domain, **running)


def _known(
    experiment: Experiment, seed: int, level: float, shape: Shape | None, budget: Budget | None
) -> Estimate | None:
    """The value, if it is proved."""
    same = experiment
    if shape is not None and shape.is_dense and not shape.tied and experiment.law != "own":
        same = replace(experiment, model=None)
    value = same.proved()
    share = Budget.of(budget).share(2)
    with suppress(Exhausted):  # what is left is for orbits
        if value is None and experiment.event == STABLE and experiment.law == "rademacher":
            exact = rademacher_probability(experiment.widths[0], experiment.widths[1], _sizes(experiment), share)
            value = None if exact is None else (exact, "all first layers were walked")
        if value is None and experiment.model is None and experiment.scheme == "iid":
            value = _by_classes(experiment, seed, share)
    if value is None:
        return None
    exact, why = value
    bounds, number = proved_bounds(experiment, shape), float(exact)
    return Estimate(experiment, "proved", 0, 1, {}, number, number, number, level, why, "none", seed, exact, bounds)


def _sizes(experiment: Experiment) -> list[float]:
    """The magnitudes of all parameters where they are all known: of weights and bias of layers 1 and 2."""
    rng, (n0, n1) = np.random.default_rng(0), experiment.widths[:2]
    pairs = [experiment.initialisation.layers(rng, 1, *fan) for fan in ((n0, n1), (n1, 1))]
    return [float(abs(part).flat[0]) for pair in pairs for part in pair]


def _by_classes(experiment: Experiment, seed: int, budget: Budget) -> tuple[Fraction, str] | None:
    """Small networks: is the count the same for all magnitudes?"""
    law = experiment.initialisation
    if experiment.event == STABLE or experiment.domain.startswith("points:") or experiment.flipped != "all":
        return None
    if law.missing(symmetric=True, atomless=True) is not None or too_many_choices(experiment, None):
        return None
    from geomrelu.random_networks import chambers

    signs = sum(m * (n + experiment.bias) for n, m in pairwise(experiment.widths[:-1]))
    if signs > chambers.MOST_SIGNS:
        return None
    looked = by_orbits(experiment, LOOKED_AT, seed)
    if len(looked.counts) > 1:
        return None
    through = experiment.event == DATA_ALIVE
    domain = experiment.read_domain(0)
    classes = chambers.counts_by_class(experiment.widths, experiment.bias, domain, experiment.happens, through, budget)
    if classes is None or set(classes) != set(looked.counts):
        return None
    number = classes.total()
    how = f"the same on all {number:,} classes of magnitudes" if number > 1 else "the same for all magnitudes"
    return Fraction(next(iter(classes)), looked.size), how


def _amount(
    experiment: Experiment, shape: Shape | None, domain: Polyhedron | FiniteSet
) -> tuple[int | None, int | None]:
    """How many orbits are walked, or else how many networks are drawn."""
    law = experiment.initialisation
    if experiment.law == "own":
        return 1, None
    if experiment.scheme != "iid" or law.missing(symmetric=True, no_zero=True) is not None:
        return None, TRIALS
    if experiment.event == STABLE:
        return (ORBITS, None) if experiment.widths[1] <= WIDEST else (None, TRIALS)
    if too_many_choices(experiment, shape):
        return None, TRIALS
    if shape is not None and not shape.is_dense:
        return max(1, min(ORBITS, AFFORDABLE >> len(shape.magnitudes))), None
    signs = experiment.inner_signs if experiment.flipped == "all" else 0
    inner = experiment.widths[1 : experiment.goal.last]
    return (ORBITS, None) if is_affordable(domain, inner, signs) else (None, TRIALS)
