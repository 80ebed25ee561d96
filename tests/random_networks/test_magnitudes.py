"""Orbit counts on all classes of magnitudes: against random orbits, theorems, and signs that do not fit together."""

from __future__ import annotations

from itertools import pairwise
from operator import lt

import numpy as np
import pytest

from geomrelu import Budget, FiniteSet, Polyhedron, probability
from geomrelu.budget import Exhausted
from geomrelu.random_networks import chambers
from geomrelu.random_networks.chambers import counts_by_class
from geomrelu.random_networks.experiment import Experiment
from geomrelu.random_networks.orbit import alive_orbit


def alive(widths):
    return lambda dead: all(map(lt, dead, widths[1:]))


def random_counts(widths, bias, domain, orbits=60):
    rng = np.random.default_rng(sum(widths))
    found = set()
    for _ in range(orbits):
        net = []
        for n, m in pairwise(widths):
            weights, constants = np.exp(3 * rng.standard_normal((m, n))), np.exp(3 * rng.standard_normal(m))
            net.append((weights, constants if bias else [0] * m))
        absent = 1 if bias else 2 ** sum(widths[1:])
        found.add(alive_orbit(net, domain)[0] // absent)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("widths", "bias", "count"),
    [
        ((1, 1, 1), True, 12),
        ((1, 1, 1, 1), True, 32),
        ((1, 1, 1, 1, 1), True, 80),  # (k + 1) 2^k: a proof of its own
        ((2, 2, 2), True, 4032),
        ((1, 2, 2), False, 54),
        ((1, 2, 1), False, 10),
        ((1, 2, 1), True, 104),  # classes with 106 and 108 are empty, which only products of polynomials show
        ((2, 2, 1), True, 448),
    ],
)
def test_constant_counts_are_proved(widths, bias, count):
    domain = Polyhedron.space(widths[0])
    assert set(counts_by_class(widths, bias, domain, alive(widths))) == {count}
    assert random_counts(widths, bias, domain, 5) == {count}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("widths", "bias", "domain"),
    [
        ((1, 1, 1), True, Polyhedron.box([(-1, 1)])),
        ((1, 1, 1, 1), True, Polyhedron.orthant(1)),
        ((2, 1, 1), True, Polyhedron.box([(0, 1), (0, 2)])),
        ((1, 1, 1), True, FiniteSet.of([[1], [-3]])),
    ],
)
def test_every_random_count_is_that_of_a_class(widths, bias, domain):
    """And counts that differ are never called constant."""
    classes = set(counts_by_class(widths, bias, domain, alive(widths)))
    found = random_counts(widths, bias, domain)
    assert found <= classes and (len(found) > 1 or len(classes) == 1)


def test_too_large_or_too_many(monkeypatch):
    assert counts_by_class((3, 3, 3), True, Polyhedron.space(3), alive((3, 3, 3))) is None
    monkeypatch.setattr(chambers, "MOST_WALKS", 3)
    assert counts_by_class((1, 2, 1), True, Polyhedron.space(1), alive((1, 2, 1))) is None


def test_signs_that_do_not_fit_together():
    """x > y, y > z, z > x; and x > y, y z > x z, where a monomial has to be multiplied in."""
    x, y, z = (1, 0, 0), (0, 1, 0), (0, 0, 1)

    def minus(a, b):
        return ((a, 1), (b, -1))

    assert chambers._is_empty({minus(x, y): 1, minus(y, z): 1, minus(z, x): 1})
    assert not chambers._is_empty({minus(x, y): 1, minus(y, z): 1, minus(z, x): -1})
    assert chambers._is_empty({minus(x, y): 1, minus((0, 1, 1), (1, 0, 1)): 1})


def test_many_signs_are_given_up_and_look_at_the_clock():
    """256 classes of hundreds of signs: to see which of them are empty took longer than anybody waited."""
    experiment = Experiment("data-alive", (1, 3, 3), domain="box:1,1")
    what = (1, 3, 3), True, experiment.read_domain(0), experiment.happens, True
    assert counts_by_class(*what) is None
    with pytest.raises(Exhausted):
        counts_by_class(*what, budget=Budget(1e-3))
    found = probability(experiment, orbits=4, budget=Budget(600.0))
    assert (found.exact, found.counts) == (None, {200_704: 4})  # (7/8)^2 of 2^18 sign choices
