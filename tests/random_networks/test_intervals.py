"""Intervals that hold a mean as often as they say: coverage where the truth is known, bounds, and stopping."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from geomrelu import InputError
from geomrelu.random_networks.by_orbits import by_orbits
from geomrelu.random_networks.experiment import Experiment
from geomrelu.random_networks.intervals import bounded_mean, clopper_pearson, looks, mean_of_parts


def counts(values):
    return {Fraction(v): n for v, n in Counter(values.tolist()).items()}


LAWS = {  # how values are drawn, and their mean
    "constant": (lambda rng, n: np.full(n, 0.25), 0.25),
    "zero": (lambda rng, n: np.zeros(n), 0.0),
    "one in 200 is 0": (lambda rng, n: np.where(rng.random(n) < 1 / 200, 0.0, 1.0), 1 - 1 / 200),
    "one in 1000 is 1": (lambda rng, n: np.where(rng.random(n) < 1 / 1000, 1.0, 0.0), 1 / 1000),
    "a coin": (lambda rng, n: np.floor(2 * rng.random(n)), 0.5),
    "uniform": (lambda rng, n: rng.random(n), 0.5),
    "narrow": (lambda rng, n: 0.5 + (rng.random(n) - 0.5) / 64, 0.5),
}


@pytest.mark.parametrize("size", [1, 5, 40, 300])
@pytest.mark.parametrize("name", LAWS)
def test_the_mean_is_held_as_often_as_promised(name, size):
    """100 samples: at 95 % at most 12 miss (more have a probability below 1/500 if 5 % do), at 99.9 % at most 2."""
    draw, mean = LAWS[name]
    for level, most in ((0.95, 12), (0.999, 2)):
        missed = 0
        for seed in range(100):
            values = draw(np.random.default_rng([seed, size]), size)
            low, high = bounded_mean(counts(values), level, seed)
            missed += not low <= mean <= high
        assert missed <= most


@pytest.mark.parametrize("name", LAWS)
def test_at_any_time_the_mean_is_held_at_all_times_at_once(name):
    """100 samples of 40 parts, each looked at after every part: at 95 % at most 12 ever miss, at 99.9 % at most 2."""
    draw, mean = LAWS[name]
    for level, most in ((0.95, 12), (0.999, 2)):
        missed = 0
        for seed in range(100):
            rng = np.random.default_rng([seed, 7])
            parts = [counts(draw(rng, 8)) for _ in range(40)]
            for number in (1, 2, 3, 5, 8, 13, 20, 30, 40):
                low, high = mean_of_parts(parts[:number], level, seed, at_any_time=True)
                if not low <= mean <= high:
                    missed += 1
                    break
        assert missed <= most


def test_a_number_fixed_in_advance_gives_a_narrower_interval():
    rng = np.random.default_rng(3)
    parts = [counts(rng.random(8)) for _ in range(100)]
    free, fixed = mean_of_parts(parts, 0.95, at_any_time=True), mean_of_parts(parts, 0.95)
    assert fixed[1] - fixed[0] < free[1] - free[0] < 2 * (fixed[1] - fixed[0])
    with pytest.raises(InputError):
        mean_of_parts([], 0.95)


@pytest.mark.parametrize(("radius", "orbits"), [(200, 1000), (98, 1000), (18, 200), (2, 20)])
def test_few_deviating_orbits(radius, orbits):
    """One neuron on [-r, r] is dead with probability atan(1/r) / pi; only one orbit in hundreds shows it."""
    truth = 1 - math.atan(1 / radius) / math.pi
    found = [
        by_orbits(Experiment("alive", (1, 1), domain=f"box:-{radius},{radius}"), orbits, seed) for seed in range(30)
    ]
    assert sum(e.low <= truth <= e.high for e in found) >= 26
    assert all(Fraction(1, 2) <= e.low and e.high <= 1 for e in found)  # proved bounds
    none, one = ([e.high - e.low for e in found if len(e.counts) == k] for k in (1, 2))
    assert not none or not one or max(one) > max(none)  # who has seen none knows less, not more


def test_a_range_makes_it_narrower_and_order_does_not_matter_much():
    values = {Fraction(k, 100): 10 for k in range(20, 24)}
    wide, narrow = bounded_mean(values, 0.95), bounded_mean(values, 0.95, 0, 0, Fraction(1, 4))
    assert narrow[1] - narrow[0] < wide[1] - wide[0]
    again = bounded_mean(dict(reversed(values.items())), 0.95)
    assert again == wide  # the seed alone decides
    assert bounded_mean(values, 0.95, 1) == pytest.approx(wide, abs=0.02)
    assert bounded_mean({Fraction(1, 3): 5}, 0.95, 0, Fraction(1, 3), Fraction(1, 3)) == (1 / 3, 1 / 3)


@pytest.mark.parametrize("arguments", [({}, 0.95), ({Fraction(1): 3}, 1), ({Fraction(1): 3}, 0)])
def test_impossible_means_are_refused(arguments):
    with pytest.raises(InputError):
        bounded_mean(*arguments)


@pytest.mark.parametrize("half_width", [0.4, 0.05, 0.004])
@pytest.mark.parametrize("level", [0.9, 0.999])
def test_the_last_look_always_does(half_width, level):
    found = looks(half_width, level)
    each = 1 - (1 - level) / len(found)
    assert found == [found[0] << j for j in range(len(found))]
    for successes in {0, 1, found[-1] // 3, found[-1] // 2, found[-1]}:
        low, high = clopper_pearson(successes, found[-1], each)
        assert high - low <= 2 * half_width
