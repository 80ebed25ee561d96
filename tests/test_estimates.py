"""Probabilities by orbits and by sampling: agreement, intervals, and what is said to be proved."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from geomrelu import InputError, Network
from geomrelu.random_networks import estimate, montecarlo
from geomrelu.random_networks.estimate import Experiment, by_orbits, by_sampling, orbit_interval
from geomrelu.random_networks.shape import Shape


@pytest.mark.parametrize(
    "experiment",
    [
        Experiment("stably-unactivated", (2, 4)),
        Experiment("stably-unactivated", (1, 3), law="laplace", scale="he"),
        Experiment("alive", (2, 2, 2, 2), law="uniform"),
        Experiment("alive", (1, 3, 2, 1), bias=False),
        Experiment("alive", (2, 2, 2), domain="box:-1,1", scale="glorot"),
        Experiment("alive", (2, 3, 3, 2)),  # too many signs: those of the last layer
        Experiment("killed", (2, 1, 2), layer=2, domain="R+^n"),
        Experiment("dead-neurons", (2, 2, 2), number=1, domain="box:-1,1"),
        Experiment("dead-neurons", (2, 2, 2), number=2, layer=2, law="t:3"),
    ],
    ids=lambda e: f"{e.event} {e.widths} {e.law}",
)
def test_orbits_and_sampling_agree(experiment):
    walked = by_orbits(experiment, 400 if experiment.event == "stably-unactivated" else 60, seed=1, level=0.999)
    sampled = by_sampling(experiment, 1 << 14 if experiment.event == "stably-unactivated" else 600, seed=2, level=0.999)
    assert walked.low <= sampled.high and sampled.low <= walked.high
    assert json.loads(json.dumps(walked.as_json()))["estimate"] == walked.estimate


def test_what_is_proved_and_what_is_only_constant():
    proved = by_orbits(Experiment("alive", (1, 1, 1, 1)), 6)
    assert proved.counts == {32: 6} and proved.experiment.proved() == (Fraction(1, 2), "width-one")
    stable = by_orbits(Experiment("stably-unactivated", (3, 4)), 20)
    assert stable.counts == {18: 20} and stable.experiment.proved() == (Fraction(9, 256), "one-more-than-input")
    walked = by_orbits(Experiment("alive", (1, 2, 1), bias=False), 6)  # no theorem: all classes of magnitudes
    assert walked.counts == {10: 6} and walked.low == walked.high == 10 / 16
    assert walked.as_json()["exact"] == "5/8" and "2 classes of magnitudes" in walked.as_text()
    only_seen = by_orbits(Experiment("alive", (1, 3, 3), bias=False), 6)
    assert only_seen.is_constant and only_seen.as_json()["exact"] is None
    assert only_seen.low < only_seen.estimate < only_seen.high


def test_equal_magnitudes_are_one_orbit():
    found = by_orbits(Experiment("alive", (2, 2, 2), law="rademacher"), 1)
    assert found.low == found.high == float(Fraction(found.as_json()["exact"]))
    assert found.experiment.proved() is None  # the theorem needs densities


@pytest.mark.parametrize(
    ("law", "has"), [("normal", {"lower", "upper"}), ("rademacher", {"upper"}), ("gamma:2", set())]
)
def test_bounds_hold_only_under_their_hypotheses(law, has):
    assert set(Experiment("alive", (2, 2, 2), law=law).bounds()) == has


def test_bounds_of_unequal_widths():
    found = Experiment("alive", (2, 3, 1)).bounds()
    assert found == {"lower": Fraction(7, 16), "upper": Fraction(15, 16)}
    assert Experiment("alive", (2, 3, 1), bias=False).bounds()["upper"] == Fraction(7, 8)
    assert Experiment("alive", (2, 3, 1), bias=False, domain="box:0,0").bounds() == {}


@pytest.mark.parametrize("law", ["gamma:2", "rai", "randint:-1,2"])
def test_laws_without_orbits_are_refused_by_name(law):
    with pytest.raises(InputError, match="no sign orbits: the law"):
        by_orbits(Experiment("alive", (2, 2), law=law), 3)
    assert by_sampling(Experiment("alive", (2, 2), law=law), 20).trials == 20


def test_the_mean_and_its_interval():
    counts = {28: 50, 30: 30, 32: 20}
    mean, low, high, _ = orbit_interval(counts, 512, 0.95)
    values = [k / 512 for k, n in counts.items() for _ in range(n)]
    interval = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (mean, low, high) == pytest.approx((sum(values) / 100, interval.low, interval.high))
    assert orbit_interval({3: 1}, 4, 0.95)[1:3] == pytest.approx((0.75 * 0.05, 0.75 * 0.05 + 0.95))


def test_the_stopping_rule():
    found = by_sampling(Experiment("stably-unactivated", (2, 3)), half_width=0.002, seed=4)
    assert found.high - found.low <= 0.004 and found.trials == 1 << 18
    assert found.low <= 5 / 64 <= found.high
    short = by_sampling(Experiment("stably-unactivated", (2, 3)), half_width=0.0002, seed=4, most=1 << 14)
    assert short.trials == 1 << 14 and short.high - short.low > 0.0004
    plain = by_sampling(Experiment("stably-unactivated", (2, 3)), trials=found.trials, seed=4)
    assert plain.counts == found.counts  # looking changes nothing
    assert plain.high - plain.low < found.high - found.low  # but costs level


# ---- data and schemes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["batch-norm", "sign-flip"])
def test_schemes_are_sampled_and_never_walked(scheme, tmp_path):
    experiment = Experiment("alive", (3, 3, 3, 3), domain="points:5", scheme=scheme)
    found = by_sampling(experiment, 500, seed=1)
    assert found.high > 0.99 > 0.9 > by_sampling(Experiment("alive", (3, 3, 3, 3), domain="points:1"), 300).high
    assert experiment.proved() is None and experiment.bounds() == {}
    with pytest.raises(InputError, match=f"no sign orbits: under {scheme}"):
        by_orbits(experiment, 5)
    with pytest.raises(InputError, match="needs data"):
        by_sampling(Experiment("alive", (3, 3), scheme=scheme), 5)
    file = tmp_path / "data.json"
    file.write_text('{"points": [[1, 0], [0, "1/2"]]}')
    assert by_sampling(Experiment("killed", (2, 2, 2), domain=str(file), scheme=scheme, layer=1), 50).trials == 50


def test_schemes_against_a_plain_pass():
    """Dead neurons on data, network by network, by the definitions."""
    rng = np.random.default_rng(5)
    data = rng.standard_normal((3, 7))
    layers = [(rng.standard_normal((40, m, n)), rng.standard_normal((40, m))) for n, m in ((3, 4), (4, 2), (2, 3))]
    for scheme in montecarlo.SCHEMES:
        found = montecarlo.dead_on_data(layers, data, scheme)
        for k in range(40):
            x, lives = data, np.ones(7, dtype=bool)
            for level, (weights, bias) in enumerate(layers):
                z = weights[k] @ x + bias[k][:, None]
                if scheme == "batch-norm":
                    z = (z - z.mean(axis=1, keepdims=True)) / np.maximum(z.std(axis=1, keepdims=True), 1e-300)
                    z[(weights[k] @ x).std(axis=1) < 1e-12] = 0
                if scheme == "sign-flip" and 2 * (lives & (z <= 0).all(axis=0)).sum() > lives.sum():
                    z = -z
                lives &= (z > 0).any(axis=0)
                if scheme != "batch-norm" or lives.any():
                    assert found[k, level] == (z <= 0).all(axis=1).sum()
                x = np.maximum(z, 0)


def test_the_same_scheme_by_floats_and_exactly():
    """Without a scheme floats on data agree with the exact passes on the same networks."""
    experiment = Experiment("dead-neurons", (2, 3, 2), domain="points:6", number=1, law="cauchy")
    rng = np.random.default_rng(6)
    domain = estimate._domain(experiment, 3)
    layers = experiment.layers(rng, 50)
    data = np.array([[float(v) for v in point] for point in domain.points]).T
    floats = [experiment.happens(tuple(d)) for d in montecarlo.dead_on_data(layers, data, "iid").tolist()]
    single = [[(w[k], b[k]) for w, b in layers] for k in range(50)]
    assert floats == [bool(estimate._event_count(experiment, domain, one, "none")[0]) for one in single]


def test_one_random_point_has_the_lower_bound_exactly():
    found = by_orbits(Experiment("alive", (2, 2, 2), domain="points:1"), 20, seed=2)
    assert found.counts == {2304: 20} and found.experiment.proved() == (Fraction(9, 16), "single-point")


# ---- models -----------------------------------------------------------------------------------------------------


def test_orbits_of_a_model():
    network = Network.from_layers([([[2, 3, 0], [0, 2, 3]], [5, 5], "relu"), ([[7, 11]], [13], "relu")])
    shape = Shape(network, tied=True)
    own = by_orbits(Experiment("alive", (3, 2, 1), model="m", law="own"), 1, shape=shape)
    assert own.size == 64 and own.low == own.high == float(Fraction(own.as_json()["exact"]))
    drawn = by_orbits(Experiment("alive", (3, 2, 1), model="m", scale="he"), 10, shape=shape)
    assert drawn.size == 64 and drawn.low < drawn.high and drawn.experiment.bounds() == {}
    with pytest.raises(InputError, match="one orbit"):
        by_orbits(Experiment("alive", (3, 2, 1), model="m", law="own"), 2, shape=shape)
    with pytest.raises(InputError, match="orbits"):
        by_sampling(Experiment("alive", (3, 2, 1), model="m", law="own"), 2)
    with pytest.raises(InputError, match="shape"):
        by_orbits(Experiment("alive", (3, 2, 1), model="m"), 2)
    with pytest.raises(InputError, match="rai"):
        by_orbits(Experiment("alive", (3, 2, 1), model="m", law="rai"), 2, shape=shape)


def test_laws_with_atoms_are_simulated_and_the_missing_hypothesis_is_named():
    """Sign vectors are decided exactly: hyperplanes meet, and floats would divide by zero."""
    experiment = Experiment("stably-unactivated", (2, 3, 1), law="rademacher")
    walked, sampled = by_orbits(experiment, 100, seed=1), by_sampling(experiment, 1500, seed=2, level=0.999)
    assert sampled.low <= walked.estimate <= sampled.high and walked.low < walked.high
    assert experiment.refused() == "the law 'rademacher' has atoms" and experiment.refused() in walked.as_text()
    assert Experiment("stably-unactivated", (2, 3, 1)).refused() is None
    assert Experiment("stably-unactivated", (2, 4, 1), law="rademacher").refused() is None


def test_orbits_in_groups():
    """Orbits that share all but the constant: the same mean as their groups', an interval that speaks of groups."""
    experiment = Experiment("stably-unactivated", (2, 4, 1))
    found = by_orbits(experiment, 800, seed=3, shared=8)
    assert found.trials == sum(found.counts.values()) == 800 and "groups of 8" in found.interval
    alone = by_orbits(experiment, 800, seed=3)
    assert found.high - found.low > alone.high - alone.low
    assert found.low < alone.high and alone.low < found.high
    for orbits, shared, event in ((10, 3, experiment), (10, 0, experiment), (4, 2, Experiment("alive", (1, 1)))):
        with pytest.raises(InputError, match="shared"):
            by_orbits(event, orbits, shared=shared)


@pytest.mark.parametrize(
    "arguments",
    [
        {"event": "undead"},
        {"scheme": "magic"},
        {"event": "stably-unactivated", "scheme": "sign-flip"},
        {"event": "stably-unactivated", "model": "m"},
        {"scheme": "sign-flip", "model": "m"},
        {"law": "own"},
        {"widths": (2,)},
        {"widths": (2, 0)},
        {"law": "gama"},
        {"scale": "big"},
        {"event": "killed"},
        {"event": "dead-neurons"},
        {"event": "killed", "layer": 3},
        {"event": "stably-unactivated", "domain": "R+^n"},
        {"event": "stably-unactivated", "bias": False},
    ],
)
def test_unusable_experiments_are_refused(arguments):
    with pytest.raises(InputError):
        Experiment(**{"event": "alive", "widths": (2, 2)} | arguments)


@pytest.mark.parametrize("domain", ["points:0", "points:x", "points:-1", "points:99999999999"])
def test_unusable_data_are_refused(domain):
    with pytest.raises(InputError, match="points:N"):
        by_orbits(Experiment("alive", (2, 2), domain=domain), 2)


@pytest.mark.parametrize(
    "arguments", [{}, {"trials": 0}, {"trials": 5, "half_width": 0.1}, {"half_width": 0.0}, {"trials": 5, "level": 1}]
)
def test_unusable_samples_are_refused(arguments):
    with pytest.raises(InputError):
        by_sampling(Experiment("alive", (1, 1)), **arguments)
    with pytest.raises(InputError):
        by_orbits(Experiment("alive", (1, 1)), 0)


def test_chunks_of_orbits_do_not_depend_on_their_number():
    """More orbits begin with the same ones."""
    few, many = (by_orbits(Experiment("stably-unactivated", (2, 4)), n, seed=3) for n in (1024, 2048))
    assert all(many.counts[k] >= n for k, n in few.counts.items())
    assert estimate._chunk_size(few.experiment) == 1024
