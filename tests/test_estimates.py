"""Probabilities by orbits and by sampling: agreement, intervals, and what is said to be proved."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from scipy import stats

from geomrelu import InputError, estimates
from geomrelu.estimates import Experiment, by_orbits, by_sampling, orbit_interval


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
    only_seen = by_orbits(Experiment("alive", (1, 2, 1), bias=False), 6)
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


@pytest.mark.parametrize(
    "arguments",
    [
        {"event": "undead"},
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
    assert estimates._chunk_size(few.experiment) == 1024
