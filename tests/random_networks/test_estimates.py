"""Probabilities by orbits and by sampling: agreement, intervals, and what is said to be proved."""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from polls import Polls

from geomrelu import InputError, Network, Polyhedron
from geomrelu.budget import Budget, Exhausted
from geomrelu.certificates import infinity
from geomrelu.deadness.problem import Problem
from geomrelu.exact.affine import AffineMap
from geomrelu.io.tape import Tape, joined
from geomrelu.parallel import seed_of
from geomrelu.random_networks import by_orbits as walks
from geomrelu.random_networks import montecarlo, sampling
from geomrelu.random_networks import probability as chooser
from geomrelu.random_networks.by_orbits import by_orbits
from geomrelu.random_networks.by_sampling import by_sampling
from geomrelu.random_networks.experiment import Experiment
from geomrelu.random_networks.probability import probability
from geomrelu.random_networks.shape import Shape, dead_neurons_in
from geomrelu.random_networks.stably_unactivated import (
    is_stably_unactivated,
    rademacher_probability,
    stably_unactivated_orbit,
)

pytestmark = pytest.mark.slow


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


def test_what_is_proved_is_said_and_nothing_is_sampled():
    for event, widths, value, why in (
        ("alive", (1, 1, 1, 1), Fraction(1, 2), "width-one"),
        ("alive", (2, 2, 2), Fraction(63, 64), "tight-at-two"),
        ("stably-unactivated", (3, 4), Fraction(9, 256), "one-more-than-input"),
    ):
        for more in ({}, {"orbits": 20}, {"trials": 20}, {"half_width": 0.1}):
            found = probability(Experiment(event, widths), **more)
            assert (found.exact, found.interval) == (value, why)
            assert found.low == found.high == found.estimate == float(value)
            assert not found.counts and "orbit" not in found.as_text() and f"exactly {value}" in found.as_text()
            assert found.as_json()["exact"] == str(value) and found.as_json()["proved_by"] == why
    walked = probability(Experiment("alive", (1, 2, 1), bias=False))  # no theorem: all classes of magnitudes
    assert walked.exact == Fraction(5, 8) and "2 classes of magnitudes" in walked.as_text()
    assert probability(Experiment("data-alive", (2, 2, 2), domain="points:1")).exact == Fraction(9, 16)


def test_what_is_only_constant():
    only_seen = by_orbits(Experiment("alive", (1, 3, 3), bias=False), 6)
    assert only_seen.is_constant and only_seen.as_json()["exact"] is None
    assert only_seen.low < only_seen.estimate < only_seen.high and "not proved" in only_seen.as_text()


def test_equal_magnitudes_are_one_orbit():
    found = probability(Experiment("alive", (2, 2, 2), law="rademacher"))
    assert found.low == found.high == float(found.exact) and found.trials == 1
    assert found.experiment.proved() is None  # the theorem needs densities


@pytest.mark.parametrize(("widths", "scale"), [((1, 2), "none"), ((2, 2), "none"), ((2, 3, 1), "none"), ((1, 3), "he")])
def test_stably_unactivated_under_signs_is_exact(widths, scale):
    """All parameters -1 or 1 (times the scale): all of them, by the definition of one neuron."""
    n0, n1 = widths[:2]
    a, c = (np.sqrt(2 / n0), np.sqrt(2 / n1)) if scale == "he" else (1.0, 1.0)
    total = 0
    for signs in product((-1, 1), repeat=n1 * (n0 + 2) + 1):
        rows = np.array(signs[: n1 * (n0 + 1)]).reshape(n1, n0 + 1) * a
        total += is_stably_unactivated(
            rows[:, :n0].tolist(), rows[:, n0].tolist(), [c * v for v in signs[-n1 - 1 : -1]], c * signs[-1]
        )
    found = probability(Experiment("stably-unactivated", widths, law="rademacher", scale=scale))
    assert found.exact == Fraction(total, 2 ** (n1 * (n0 + 2) + 1)) and found.method == "proved"


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


def test_the_stopping_rule_keeps_its_promise():
    experiment = Experiment("stably-unactivated", (2, 3))
    found = by_sampling(experiment, half_width=0.004, seed=4)
    assert found.high - found.low <= 0.008 and found.low <= 5 / 64 <= found.high
    assert by_sampling(experiment, half_width=0.05, seed=4).trials < 1000  # not 16,384 first
    plain = by_sampling(experiment, trials=found.trials, seed=4)
    assert plain.high - plain.low < found.high - found.low  # looking costs level
    with pytest.raises(InputError, match="may take"):
        by_sampling(experiment, half_width=1e-7)


def test_intervals_are_cut_by_what_is_proved():
    experiment = Experiment("alive", (1, 1, 1), domain="box:-1,1")
    for found in (by_orbits(experiment, 10), by_sampling(experiment, 10)):
        assert found.low >= 1 / 4 and found.high <= 3 / 4
        assert found.as_json()["bounds"] == {"lower": "1/4", "upper": "3/4"}


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
    domain = experiment.read_domain(3)
    layers = experiment.layers(rng, 50)
    data = np.array([[float(v) for v in point] for point in domain.points]).T
    floats = [experiment.happens(tuple(d)) for d in montecarlo.dead_on_data(layers, data, "iid").tolist()]
    single = [[(w[k], b[k]) for w, b in layers] for k in range(50)]
    assert floats == [bool(sampling.event_count(experiment, domain, one, "none")) for one in single]


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
    with pytest.raises(InputError, match="not random"):
        by_sampling(Experiment("alive", (3, 2, 1), model="m", law="own"), 2, shape=shape)
    with pytest.raises(InputError, match="shape"):
        by_orbits(Experiment("alive", (3, 2, 1), model="m"), 2)
    with pytest.raises(InputError, match="rai"):
        by_orbits(Experiment("alive", (3, 2, 1), model="m", law="rai"), 2, shape=shape)


def kernels():
    """A kernel of two on three pixels, then a neuron."""
    return Network.from_layers([([[2, 3, 0], [0, 2, 3]], [5, 5], "relu"), ([[7, 11]], [13], "relu")])


def around(values):
    """One input, one neuron, and a second one that reads the input too."""
    a, b, c, d = values
    tape = Tape(1)
    first = tape.relu(AffineMap.from_dense([[a]], [b]).after(tape.input))
    second = tape.relu(joined(AffineMap.from_dense([[c]], [d]).after(first), tape.input))
    return Network.from_tape(tape.finish(second))


@pytest.mark.parametrize("domain", ["R^n", "box:-1,2", "points:4"])
@pytest.mark.parametrize("event", ["alive", "data-alive", "killed", "dead-neurons"])
@pytest.mark.parametrize("tied", [False, True])
def test_models_with_connections_and_ties_by_orbits_and_by_sampling(event, tied, domain):
    """Orbits of 2^4 and 2^6 choices; exact fallbacks agree with floats network by network."""
    if tied:
        shape = Shape(
            Network.from_layers([([[2, 3, 0], [0, 2, 3]], [5, 5], "relu"), ([[7, 11]], [13], "relu")]), tied=True
        )
    else:
        shape = Shape(around([2, 1, 5, 7]))
    widths = (shape.network.inputs, *shape.network.widths)
    more = {"killed": {"layer": 2}, "dead-neurons": {"number": 1}}.get(event, {})
    experiment = Experiment(event, widths, model="m", domain=domain, **more)
    walked = by_orbits(experiment, 40, seed=1, level=0.999, shape=shape)
    sampled = by_sampling(experiment, 600, seed=1, level=0.999, shape=shape)
    assert walked.low <= sampled.high and sampled.low <= walked.high
    set_ = experiment.read_domain(1)
    values = np.random.default_rng(3).standard_normal((12, len(shape.magnitudes)))
    floats = sampling.decided(experiment, set_, shape.arrays(values), shape, values)
    if event != "data-alive" or tied or domain == "points:4":
        assert floats.tolist() == [sampling._shaped(experiment, set_, shape, v) for v in values]


def test_bounds_of_models():
    dense = Shape(Network.from_layers([([[1, 2], [3, 4]], [5, 6], "relu"), ([[1, 2], [3, 4]], [5, 6], "relu")]))
    experiment = Experiment("alive", (2, 2, 2), model="m")
    assert probability(experiment, shape=dense).exact == Fraction(63, 64)  # as for --widths
    box = Experiment("alive", (2, 2, 2), model="m", domain="box:0,1")
    assert by_sampling(box, 10, shape=dense).bounds == Experiment("alive", (2, 2, 2), domain="box:0,1").bounds()
    kernel = Shape(
        Network.from_layers([([[2, 3, 0], [0, 2, 3]], [5, 5], "relu"), ([[7, 11]], [13], "relu")]), tied=True
    )
    assert kernel.bounds() == {"lower": Fraction(1, 4), "upper": Fraction(7, 8)}
    assert Shape(around([2, 1, 5, 7])).bounds() == {"upper": 1}
    free = Experiment("alive", (3, 2, 1), model="m", law="keras")
    assert by_sampling(free, 5, shape=kernel).bounds == {}


def test_a_layer_without_weights_reads_nothing_but_is_chained():
    """max(-1/3, 0), then a constant: of 4 sign choices 1 is alive, at every point of the line."""
    network = Network.from_layers([([[0]], [Fraction(-1, 3)], "relu"), ([[0]], [Fraction(2, 3)], "relu")])
    shape = Shape(network)
    assert shape.is_chained and shape.is_free
    experiment = Experiment("data-alive", (1, 1, 1), "own", model="m.json")
    assert probability(experiment, shape=shape).exact == Fraction(1, 4)


def test_large_networks_are_sampled_and_decided():
    """Alive on a few points is alive; what stays open goes to the analyzer."""
    experiment = Experiment("alive", (3, 40, 40, 30), law="pytorch", domain="box:0,1")
    assert chooser._amount(experiment, None, 0) == (None, chooser.TRIALS)
    found = by_sampling(experiment, 64, seed=1)
    assert found.bounds["lower"] < found.estimate <= 1
    layers = [(w[:1], b[:1]) for w, b in experiment.layers(np.random.default_rng(2), 1)]
    layers[1] = -abs(layers[1][0]), -abs(layers[1][1])  # kills everything
    assert sampling.decided(experiment, experiment.read_domain(0), layers).tolist() == [False]


@pytest.mark.parametrize("domain", ["R^n", "R+^n"])
@pytest.mark.parametrize("widths", [(1, 3, 3, 2), (2, 3, 3, 2), (2, 4, 2)])
def test_cones_are_decided_on_the_faces_of_a_cube(widths, domain):
    """Against the walk over all pieces."""
    rng = np.random.default_rng(5)
    for event, more in (
        ("alive", {}), ("killed", {"layer": 2}), ("dead-neurons", {"number": 1}),
        ("dead-neurons", {"number": 1, "layer": 2}),
    ):  # fmt: skip
        experiment = Experiment(event, widths, domain=domain, **more)
        set_, layers = experiment.read_domain(0), experiment.layers(rng, 6)
        faces = sampling._faces(set_)
        assert len(faces) == (2 if domain == "R^n" else 1) * widths[0] + 1
        for k in range(6):
            one = [(w[k], b[k]) for w, b in layers]
            judged = sampling._judged(experiment, faces, Network.from_layers(sampling._homogeneous(one)))
            assert judged == bool(sampling.event_count(experiment, set_, one, "none"))


def test_only_cones_have_such_faces():
    for domain, number in (("R^n", 5), ("R+^n", 3), ("box:-1,1", 0), ("box:0,1", 0)):
        assert len(sampling._faces(Experiment("alive", (2, 2), domain=domain).read_domain(0))) == number


def test_a_wide_network_that_dies_only_in_a_narrow_last_layer():
    """40 neurons on 40: tens of thousands of pieces, of which bounds need none."""
    experiment = Experiment("alive", (3, 40, 40, 2))
    rng = np.random.default_rng(1)
    layers = experiment.layers(rng, 2)
    layers[-1][0][0] = -abs(layers[-1][0][0])  # dead: no positive weight, no positive constant
    layers[-1][1][0] = -abs(layers[-1][1][0])
    layers[-1][0][1] = abs(layers[-1][0][1])
    assert sampling.decided(experiment, experiment.read_domain(0), layers).tolist() == [False, True]


def test_laws_with_atoms_are_simulated_and_the_missing_hypothesis_is_named():
    """Sign vectors are decided exactly: hyperplanes meet, and floats would divide by zero."""
    experiment = Experiment("stably-unactivated", (2, 3, 1), law="rademacher")
    walked, sampled = by_orbits(experiment, 100, seed=1), by_sampling(experiment, 1500, seed=2, level=0.999)
    assert sampled.low <= probability(experiment).exact <= sampled.high
    assert walked.low <= probability(experiment).exact <= walked.high
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


class Clock(Budget):
    """A budget whose time is over after so many looks."""

    def __init__(self, looks):
        super().__init__()
        self.looks = looks

    @property
    def ended(self):
        self.looks -= 1
        return self.looks < 0


def test_the_clock_stops_and_the_interval_knows_it():
    experiment = Experiment("alive", (1, 1), domain="box:-2,2")
    full = by_orbits(experiment, 400, seed=1)
    part = by_orbits(experiment, 400, seed=1, budget=Clock(5))
    assert part.trials == 40 and sum(part.counts.values()) == 40 and full.trials == 400
    assert "the time was over: 40 of 400 orbits" in part.as_text() and part.as_json()["stopped"] == part.stopped
    assert part.high - part.low > full.high - full.low and "any time" in part.interval
    assert part.low <= 1 - np.arctan(1 / 2) / np.pi <= part.high
    in_time = by_orbits(experiment, 400, seed=1, budget=Budget(3600))
    assert in_time.stopped is None and in_time.counts == full.counts
    assert in_time.high - in_time.low > full.high - full.low  # half of the risk was kept for the clock
    with pytest.raises(Exhausted, match="before anything"):
        by_orbits(experiment, 400, budget=Clock(0))
    sampled = by_sampling(experiment, 640, seed=1, budget=Clock(3))
    assert sampled.trials == 192 and "192 of 640 networks" in sampled.as_text() and "any time" in sampled.interval
    assert sampled.low <= 1 - np.arctan(1 / 2) / np.pi <= sampled.high
    stopping = by_sampling(experiment, half_width=0.02, seed=1, budget=Clock(10))
    assert stopping.stopped is not None and stopping.high - stopping.low > 0.04
    kept = by_sampling(experiment, half_width=0.1, seed=1, budget=Budget(3600))
    assert kept.stopped is None and kept.high - kept.low <= 0.2 and "look" in kept.interval
    with pytest.raises(Exhausted, match="before anything"):
        by_sampling(experiment, 640, budget=Clock(0))


def test_some_row_flips_have_the_same_mean():
    """And many small orbits say more than few large ones: none of these has ever shown a value near 1/4."""
    experiment = Experiment("stably-unactivated", (2, 6))
    large, small = by_orbits(experiment, 64, seed=1), by_orbits(experiment, 1024, seed=1, rows=2)
    assert small.size == 2**9 and "some row flips" in small.as_text()
    assert large.low < small.high and small.low < large.high
    assert small.high - small.low < (large.high - large.low) / 4
    exact = by_orbits(Experiment("stably-unactivated", (2, 3)), 2000, seed=1, rows=1)
    assert exact.low <= 5 / 64 <= exact.high
    for rows, event in ((0, experiment), (7, experiment), (1, Experiment("alive", (1, 1)))):
        with pytest.raises(InputError, match="rows"):
            by_orbits(event, 4, rows=rows)


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
        {"event": "stably-unactivated", "law": "keras"},
        {"event": "stably-unactivated", "widths": (2, 2, 2, 2)},
        {"event": "dead-neurons", "number": 9},
        {"event": "dead-neurons", "number": 3, "layer": 1},
        {"event": "dead-neurons", "number": -1},
        {"layer": 1},
        {"number": 1},
        {"event": "killed", "layer": 0},
        {"biases": "some"},
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
    assert walks._chunk_size(few.experiment) == 1024


@pytest.mark.parametrize("way", [{"orbits": 20}, {"trials": 300}])
def test_chunks_on_another_set_do_not_count(tmp_path, monkeypatch, way):
    """The file of the set has come to hold another one: what was found on the former one is not of this run."""
    monkeypatch.chdir(tmp_path)
    experiment = Experiment("data-alive", (2, 2, 2), domain="set.json")
    find = by_orbits if "orbits" in way else by_sampling
    (tmp_path / "set.json").write_text('{"points": [[1, 2], [3, -1]]}')
    former = find(experiment, **way, journal="kept.chunks")
    assert find(experiment, **way, journal="kept.chunks") == former
    (tmp_path / "set.json").write_text('{"box": [[0, 1], [0, 1]]}')
    with pytest.raises(InputError, match="another computation"):
        find(experiment, **way, journal="kept.chunks")
    assert find(experiment, **way).counts != former.counts


@pytest.mark.parametrize("domain", ["R^n", "box:-1,1", "R+^n"])
@pytest.mark.parametrize("tied", [False, True])
def test_magnitudes_beyond_the_floats(domain, tied):
    """One orbit of them, against each of its networks."""
    huge = 10**400
    network = Network.from_layers([([[huge], [2]], [3 * huge, huge], "relu"), ([[7, huge]], [0], "relu")])
    shape = Shape(network, tied)
    experiment = Experiment("alive", (1, 2, 1), "own", model="m", domain=domain)
    found = probability(experiment, shape=shape)
    profiles, size = dead_neurons_in(shape.with_parameters, shape.magnitudes, experiment.read_domain(0))
    assert found.exact == Fraction(sum(n for dead, n in profiles.items() if experiment.happens(dead)), size)


def test_walks_of_first_layers_and_random_points_look_at_the_clock():
    with pytest.raises(Exhausted):
        rademacher_probability(3, 7, budget=Polls(20))
    with pytest.raises(Exhausted):
        stably_unactivated_orbit([[1, 2], [3, 1], [2, 7]], [1, 1, 5], [1, 1, 1], 1, budget=Polls(4))
    with pytest.raises(Exhausted):
        Experiment("alive", (2, 2), domain="points:100000").read_domain(0, Polls(3))
    points = Experiment("alive", (2, 2), domain="points:20000").read_domain(5).points
    drawn = np.random.default_rng(seed_of(5, 0, 0)).standard_normal((20000, 2))
    assert [tuple(map(float, p)) for p in points] == list(map(tuple, drawn.tolist()))


def test_a_list_of_cones_with_too_many_digits_costs_no_verdict(monkeypatch):
    """As of some sets of 60 rows in R^6: what would show them to be bounded has numbers of thousands of digits."""
    monkeypatch.setattr(infinity, "bounded", lambda domain, tick: str(10 ** sys.get_int_max_str_digits()))
    square = [[1, 1, 1], [1, 1, -1], [1, -1, 1], [1, -1, -1]]
    network = Network.from_layers([([[1, 2]], [1], "relu")])
    assert Problem(network, Polyhedron.from_rows(square), Budget()).bounding is None
