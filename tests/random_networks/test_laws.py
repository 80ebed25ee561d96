"""Laws by name, the hypotheses they satisfy, and initialisation of layers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from geomrelu import InputError
from geomrelu.random_networks.initialisation import FRAMEWORKS, Initialisation, Law


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
        ("norm:loc=1e-7", "symmetric"),
        ("uniform:0,1", "symmetric"),
        ("skewnorm:1", "symmetric"),
        ("expon", "symmetric"),
        ("poisson:3", "symmetric"),
        ("poisson:500", "symmetric"),  # far from 0
        ("randint:65,67", "symmetric"),
        ("randint:-200,-64", "symmetric"),
        ("randint:-128,128", "symmetric"),  # as far as 127 it is
        ("truncnorm:-9,12", "symmetric"),
        ("binom:200,0.5,loc=-100", "atom at 0"),
        ("randint:-1,2", "atom at 0"),
        ("dlaplace:0.5", "atom at 0"),
        ("rademacher", "has atoms"),
    ],
)
def test_the_hypothesis_that_fails_is_named(name, part):
    assert part in Law(name).missing(symmetric=True, no_zero=True, atomless=True)


@pytest.mark.parametrize(
    "name",
    ["", "gama", "t", "t:x", "t:3,4,5,6,7", "norm:scale=-1", "t:df=nan", "norm:foo=1", "stats", "__doc__",
     "bernoulli:0.3,loc=-0.5", "randint:-2,2,0.5", "binom:n=3,p=0.5,loc=0.5"],  # SciPy cuts what it draws to integers
)  # fmt: skip
def test_unusable_laws_are_refused(name):
    with pytest.raises(InputError):
        Law(name)


def test_numbers_of_trials_are_whole_and_parameters_are_named():
    values, _ = Initialisation("binom:3,.5").layers(np.random.default_rng(1), 200, 3, 2)
    assert set(values.ravel().tolist()) == {0, 1, 2, 3}
    for name, text in (
        ("t", "the parameters of t are df, loc, scale"),
        ("laplace:0,1,2", "the parameters of laplace are loc, scale"),
        ("binom:3", "the parameters of binom are n, p, loc"),
    ):
        with pytest.raises(InputError, match=text):
            Law(name)


def test_scipy_laws_are_reproducible():
    first, second = (Law("t:3").sample(np.random.default_rng(5), (4, 2)) for _ in range(2))
    assert (first == second).all()


VARIANCES = {"he": 2 / 8, "glorot": 2 / 13, "xavier": 2 / 13, "lecun": 1 / 8}  # of 8 inputs and 5 neurons


@pytest.mark.parametrize("scale", VARIANCES)
@pytest.mark.parametrize("law", ["normal", "uniform", "rademacher", "laplace", "t:9", "truncnorm:-2,2", "norm:0,3"])
def test_a_scale_gives_the_variance_that_it_names_for_every_law(law, scale):
    weights, constants = Initialisation(law, scale).layers(np.random.default_rng(2), 1500, 8, 5)
    assert weights.shape == (1500, 5, 8) and constants.shape == (1500, 5)
    assert math.isclose(weights.var(), VARIANCES[scale], rel_tol=0.05)
    assert math.isclose(constants.var(), VARIANCES[scale], rel_tol=0.12)


@pytest.mark.parametrize("law", ["normal", "uniform", "laplace"])
def test_what_biases_are(law):
    """Like the weights, or of the law itself whatever the scale, or 0; said in words."""
    own = {"normal": 1, "uniform": 1 / 3, "laplace": 2}[law]
    weights, constants = Initialisation(law, "he", "unscaled").layers(np.random.default_rng(3), 4000, 8, 5)
    assert math.isclose(weights.var(), 2 / 8, rel_tol=0.05) and math.isclose(constants.var(), own, rel_tol=0.1)
    weights, constants = Initialisation(law, "he", "zero").layers(np.random.default_rng(3), 4000, 8, 5)
    assert math.isclose(weights.var(), 2 / 8, rel_tol=0.05) and not constants.any()
    assert "law itself" in Initialisation(law, "he", "unscaled").described


def test_without_a_scale_the_law_is_as_it_is():
    weights, _ = Initialisation("uniform").layers(np.random.default_rng(4), 500, 8, 5)
    assert 0.999 < abs(weights).max() < 1
    with pytest.raises(InputError, match="no finite variance"):
        Initialisation("cauchy", "he")
    with pytest.raises(InputError, match="no finite variance"):
        Initialisation("t:2", "lecun")


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_frameworks_by_their_names(name):
    """Bounds and variances from their documentation; biases."""
    fan_in, fan_out = 24, 40
    weights, biases = Initialisation(name).layers(np.random.default_rng(5), 600, fan_in, fan_out)
    bound = {
        "pytorch": math.sqrt(1 / 24), "keras": math.sqrt(6 / 64), "tensorflow": math.sqrt(6 / 64),
        "scikit-learn": math.sqrt(6 / 64), "flax": 2 * math.sqrt(1 / 24) / 0.87962566103423978,
    }[name]  # fmt: skip
    variance = 1 / 24 if name == "flax" else bound**2 / 3
    assert 0.999 * bound < abs(weights).max() <= bound
    assert math.isclose(weights.var(), variance, rel_tol=0.01)
    if name in ("pytorch", "scikit-learn"):
        assert 0.99 * bound < abs(biases).max() <= bound and Initialisation(name).bias
    else:
        assert not biases.any() and not Initialisation(name).bias
    assert Initialisation(name).missing(symmetric=True, no_zero=True, atomless=True) is None
    for wrong in ({"scale": "he"}, {"biases": "unscaled"}):
        with pytest.raises(InputError, match="its own"):
            Initialisation(name, **wrong)


def same_law(ours, theirs):
    """Two samples of one law: Kolmogorov and Smirnov, with a fixed level."""
    return stats.ks_2samp(ours.ravel(), theirs.ravel()).pvalue > 1e-4


@pytest.mark.torch
def test_the_installed_torch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    layers = [torch.nn.Linear(7, 11) for _ in range(200)]
    weights, biases = Initialisation("pytorch").layers(np.random.default_rng(6), 200, 7, 11)
    assert same_law(weights, np.array([layer.weight.detach().numpy() for layer in layers]))
    assert same_law(biases, np.array([layer.bias.detach().numpy() for layer in layers]))
    he = np.empty((200, 11, 7))
    for k in range(200):
        he[k] = torch.nn.init.kaiming_uniform_(torch.empty(11, 7), nonlinearity="relu").numpy()
    assert same_law(Initialisation("uniform", "he").layers(np.random.default_rng(7), 200, 7, 11)[0], he)


def test_the_installed_scikit_learn():
    """It draws its layers in a method of its own."""
    perceptron = pytest.importorskip("sklearn.neural_network").MLPClassifier(activation="relu")
    perceptron._random_state = np.random.RandomState(2)
    layers = [perceptron._init_coef(7, 11, np.float64) for _ in range(200)]
    weights, biases = Initialisation("scikit-learn").layers(np.random.default_rng(8), 200, 7, 11)
    assert same_law(weights, np.array([w for w, _ in layers])) and same_law(biases, np.array([b for _, b in layers]))


def test_the_installed_keras():
    initializers = pytest.importorskip("keras").initializers
    theirs = np.array([np.asarray(initializers.GlorotUniform(seed=k)((7, 11))) for k in range(200)])
    for name in ("keras", "tensorflow"):
        assert same_law(Initialisation(name).layers(np.random.default_rng(9), 200, 7, 11)[0], theirs)


def test_the_installed_flax():
    jax, linen = pytest.importorskip("jax"), pytest.importorskip("flax.linen")
    keys = jax.random.split(jax.random.PRNGKey(0), 200)
    theirs = np.array([np.asarray(linen.initializers.lecun_normal()(key, (7, 11))) for key in keys])
    assert same_law(Initialisation("flax").layers(np.random.default_rng(10), 200, 7, 11)[0], theirs)


def test_the_list_of_laws_is_complete():
    with pytest.raises(InputError) as refusal:
        Initialisation("gama")
    for name in ("normal", "uniform", "cauchy", "rademacher", "rai", "scipy.stats", *FRAMEWORKS):
        assert name in str(refusal.value)


def test_asymmetric_initialisation():
    weights, bias = Initialisation("rai").layers(np.random.default_rng(3), 4000, 3, 2)
    rows = np.concatenate([weights, bias[:, :, None]], axis=2)
    assert (rows.max(axis=2) > 0).all()  # so it never kills the orthant
    at_zero = int((bias <= 0).all(axis=1).sum())
    assert stats.binomtest(at_zero, 4000, (3 / 8) ** 2).pvalue > 1e-4
    assert Initialisation("rai").missing(symmetric=True) is not None


@pytest.mark.parametrize(
    "arguments", [("normal", "him"), ("rai", "he"), ("rai", "none", "zero"), ("gama",), ("normal", "he", "none")]
)
def test_unusable_initialisations_are_refused(arguments):
    with pytest.raises(InputError):
        Initialisation(*arguments)
