"""Laws by name, the hypotheses they satisfy, and initialisation of layers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from geomrelu import InputError
from geomrelu.random_networks.initialisation import SCALES, Initialisation, Law


@pytest.mark.parametrize(
    "name",
    ["normal", "uniform", "cauchy", "norm", "laplace", "t:3", "logistic:scale=2", "uniform:-3,6", "beta:2,2,loc=-0.5"],
)
def test_symmetric_laws_without_atoms(name):
    law = Law(name)
    assert law.missing(symmetric=True, no_zero=True, atomless=True) is None
    drawn = law.sample(np.random.default_rng(1), (20_000,))
    assert stats.binomtest(int((drawn > 0).sum()), 20_000).pvalue > 1e-4


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("gamma:2", "symmetric"),
        ("norm:loc=0.001", "symmetric"),
        ("uniform:0,1", "symmetric"),
        ("skewnorm:1", "symmetric"),
        ("expon", "symmetric"),
        ("poisson:3", "symmetric"),
        ("randint:-1,2", "atom at 0"),
        ("dlaplace:0.5", "atom at 0"),
        ("rademacher", "has atoms"),
    ],
)
def test_the_hypothesis_that_fails_is_named(name, part):
    assert part in Law(name).missing(symmetric=True, no_zero=True, atomless=True)


@pytest.mark.parametrize(
    "name", ["", "gama", "t", "t:x", "t:3,4,5,6,7", "norm:scale=-1", "t:df=nan", "norm:foo=1", "stats", "__doc__"]
)
def test_unusable_laws_are_refused(name):
    with pytest.raises(InputError):
        Law(name)


def test_scipy_laws_are_reproducible():
    first, second = (Law("t:3").sample(np.random.default_rng(5), (4, 2)) for _ in range(2))
    assert (first == second).all()


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("bias", [True, False])
def test_layers_have_the_variance_of_their_scale(scale, bias):
    weights, constants = Initialisation("normal", scale, bias).layers(np.random.default_rng(2), 500, 8, 5)
    assert weights.shape == (500, 5, 8) and constants.shape == (500, 5)
    assert math.isclose(weights.std(), SCALES[scale](8, 5), rel_tol=0.03)
    assert math.isclose(constants.std(), SCALES[scale](8, 5) * bias, rel_tol=0.06)


def test_asymmetric_initialisation():
    weights, bias = Initialisation("rai").layers(np.random.default_rng(3), 4000, 3, 2)
    rows = np.concatenate([weights, bias[:, :, None]], axis=2)
    assert (rows.max(axis=2) > 0).all()  # so it never kills the orthant
    at_zero = int((bias <= 0).all(axis=1).sum())
    assert stats.binomtest(at_zero, 4000, (3 / 8) ** 2).pvalue > 1e-4
    assert Initialisation("rai").missing(symmetric=True) is not None


@pytest.mark.parametrize("arguments", [("normal", "him"), ("rai", "he"), ("rai", "none", False), ("gama",)])
def test_unusable_initialisations_are_refused(arguments):
    with pytest.raises(InputError):
        Initialisation(*arguments)
