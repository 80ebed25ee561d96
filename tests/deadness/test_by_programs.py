"""Contradictions that linear programs suggest: what the judge derives from them, and nothing else, counts."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from geomrelu import checker
from geomrelu.budget import UNLIMITED, Budget, Exhausted
from geomrelu.certificates import files
from geomrelu.certificates.batch import Quick
from geomrelu.deadness import by_programs, by_search, workers
from geomrelu.deadness import decide as chooser
from geomrelu.deadness.by_programs import ByPrograms, refuted
from geomrelu.deadness.checking import check
from geomrelu.deadness.front_door import decide
from geomrelu.deadness.unit_bounds import Assumed
from geomrelu.deadness.workers import Bench
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network

INPUTS, RADIUS = 40, 1.0
BOX = Polyhedron.box([(-1, 1)] * INPUTS)
MARGIN = 0.4


def sparse(random: np.random.Generator, shape: tuple[int, int], kind: str) -> np.ndarray:
    """Six weights a row, so that the layer does not fit fixed point."""
    weights = np.zeros(shape)
    for row in weights:
        row[random.choice(shape[1], 6, replace=False)] = (
            random.choice([-1.0, 1.0], 6) if kind == "ternary" else np.round(64 * random.standard_normal(6)) / 64
        )
    return weights


def network_of(kind: str, widths: tuple[int, int], open_: tuple[int, int], alive: bool, seed: int) -> Network:
    """Of most neurons of two layers the signs are known; the only one of the third is never positive, or a little."""
    random = np.random.default_rng(seed)
    first, second = sparse(random, (widths[0], INPUTS), kind), sparse(random, (widths[1], widths[0]), kind)
    reach = abs(first).sum(axis=1)
    above = random.random(widths[0]) < 0.3
    bias = np.where(above, reach + 1, -reach - 1)
    bias[: open_[0]] = np.round(32 * random.uniform(-0.4, 0.2, open_[0]) * reach[: open_[0]]) / 32
    low, high = np.maximum(bias - reach, 0), np.maximum(bias + reach, 0)
    second[:, open_[0] :] *= np.where(random.random((widths[1], widths[0] - open_[0])) < 0.5, 1, 0)
    for i in range(open_[1]):  # these read open ones
        second[i, random.choice(open_[0], 3, replace=False)] = random.choice([-1.0, 1.0, 2.0], 3)
    least = np.minimum(second, 0) @ high + np.maximum(second, 0) @ low
    most = np.maximum(second, 0) @ high + np.minimum(second, 0) @ low
    shift = np.where(random.random(widths[1]) < 0.3, -least + 1, -most - 1)
    shift[: open_[1]] = -np.round(8 * (0.6 * most + 0.4 * least))[: open_[1]] / 8
    last = np.zeros((1, widths[1]))
    last[0, : open_[1]] = random.choice([-2.0, -1.0, 1.0, 2.0], open_[1])
    top = largest([(first, bias), (second, shift), (last, np.zeros(1))])
    loose = np.maximum(last, 0) @ (shift + most).clip(0) + np.minimum(last, 0) @ (shift + least).clip(0)
    end = -top + (loose[0] - top) * (MARGIN if alive else -MARGIN)
    if kind == "badly scaled":
        first, bias, last, end = first * 2.0**-20, bias * 2.0**-20, last * 2.0**30, end * 2.0**20
        second, shift = second * 2.0**10, shift * 2.0**-10
    layers = [(first, bias), (second, shift), (last, np.array([np.round(1024 * end) / 1024]))]
    return Network.from_layers([(w, [Fraction(float(v)) for v in b], "relu") for w, b in layers])


def largest(layers: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """The largest value of the last neuron on the box, by a mixed-integer program in floats."""
    count = INPUTS + 2 * sum(len(b) for _, b in layers[:-1])  # x, then (v, sign) of each layer
    rows, low, high = [], [], []
    least, most, place, before = -np.ones(INPUTS), np.ones(INPUTS), INPUTS, slice(0, INPUTS)
    limits = [(-1.0, 1.0)] * INPUTS
    for weights, bias in layers[:-1]:
        width = len(bias)
        down = np.maximum(weights, 0) @ least + np.minimum(weights, 0) @ most + bias
        up = np.maximum(weights, 0) @ most + np.minimum(weights, 0) @ least + bias
        for i in range(width):
            y, v, s = np.zeros((3, count))
            y[before], v[place + i], s[place + width + i] = weights[i], 1, 1
            rows += [v - y, v - y - down[i] * s, v - max(up[i], 0) * s]
            low += [bias[i], -np.inf, -np.inf]
            high += [np.inf, bias[i] - min(down[i], 0) if down[i] < 0 else bias[i], 0]
            if down[i] >= 0:
                rows[-2:], low[-2:], high[-2:] = [v - y, s], [bias[i], 0], [bias[i], 1]
        limits += [(0.0, max(u, 0.0)) for u in up] + [(0.0, 1.0)] * width
        least, most = np.maximum(down, 0), np.maximum(up, 0)
        before, place = slice(place, place + width), place + 2 * width
    weights, bias = layers[-1]
    aim, whole = np.zeros(count), np.zeros(count)
    aim[before] = weights[0]
    place = INPUTS
    for _, b in layers[:-1]:
        whole[place + len(b) : place + 2 * len(b)] = 1
        place += 2 * len(b)
    found = milp(
        -aim,
        constraints=LinearConstraint(np.array(rows), low, high),
        integrality=whole,
        bounds=Bounds(*zip(*limits, strict=True)),
    )
    assert found.status == 0
    return float(-found.fun + bias[0])


CASES = [
    ("gaussian", (129, 129), (10, 10)),
    ("ternary", (129, 300), (12, 14)),
    ("badly scaled", (60, 60), (10, 10)),
    ("gaussian", (1000, 129), (14, 16)),
]


def certificate_of(network: Network, found) -> dict:
    tree = [{"derive": [[1], [2], [3, []]], "split": ["neuron", 3, 0]}, {}, *found.nodes(0)]
    claim = {"layer": 3, "neuron": 0, "status": "dead", "proof": "parts"}
    return files.as_certificate([claim], network.digest, BOX.checked.digest(), []) | {"parts": tree}


@pytest.mark.parametrize(("kind", "widths", "open_"), CASES)
@pytest.mark.parametrize("seed", [0, 1])
def test_what_is_found_is_accepted_by_both_judges(kind, widths, open_, seed: int) -> None:
    network = network_of(kind, widths, open_, False, seed)
    found = refuted(Bench(network, BOX), Assumed(3, 0), 3, UNLIMITED)
    assert found is not None
    certificate = json.loads(json.dumps(certificate_of(network, found)))
    for judge in (checker.Judge, Quick):
        assert checker.check(certificate, network.checked, BOX.checked, judge)


@pytest.mark.parametrize(("kind", "widths", "open_"), CASES)
def test_a_neuron_that_is_positive_somewhere_is_not_contradicted(kind, widths, open_) -> None:
    network = network_of(kind, widths, open_, True, 0)
    assert refuted(Bench(network, BOX), Assumed(3, 0), 3, UNLIMITED) is None


def test_multipliers_that_lie_prove_nothing_false(monkeypatch: pytest.MonkeyPatch) -> None:
    random, solved = np.random.default_rng(3), by_programs._solved

    def lying(*program):
        bound, point, multipliers, kept = solved(*program)
        return bound - abs(bound) - 1, point, multipliers * random.random(len(multipliers)) * 2, kept * random.random()

    monkeypatch.setattr(by_programs, "_solved", lying)
    for seed in range(3):
        network = network_of("gaussian", (60, 60), (10, 10), seed % 2 == 0, seed)
        found = refuted(Bench(network, BOX), Assumed(3, 0), 3, UNLIMITED)
        assert found is None or seed % 2
        if found is not None:
            assert checker.check(certificate_of(network, found), network.checked, BOX.checked)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trees do not settle what is asked here."""
    monkeypatch.setattr(chooser, "TREES_FIRST", 0.0)
    monkeypatch.setattr(by_search, "SPROUT", 10)
    monkeypatch.setattr(workers, "TURN", 1)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("processes", [1, 2])
def test_the_front_door_writes_what_check_accepts(tmp_path: Path, processes: int) -> None:
    network = network_of("gaussian", (129, 129), (10, 12), False, 0)
    *_, report = decide(network, BOX, certificates=tmp_path, workers=processes)
    (verdict,) = report.verdicts
    assert (verdict.status.value, verdict.stable) == ("dead", None)
    assert verdict.reason == "positive nowhere, by contradiction"
    path = str(tmp_path / files.TOGETHER)
    for independent in (False, True):
        assert check(path, network, BOX, independent=independent) == 1


def test_trees_that_take_all_of_their_share_leave_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a share is not that of the whole time: programs come after it, and trees again."""
    calls = []

    def hard(self, *_):
        calls.append(self.problem.budget)
        if len(calls) == 1:
            self.problem.budget = Budget(seconds=0)  # the share is over
            self.problem.budget.poll()
        yield from ()

    monkeypatch.setattr(by_search, "SPROUT", 0)
    monkeypatch.setattr(by_search.BySearch, "hard", hard)
    *_, report = decide(network_of("gaussian", (129, 129), (10, 12), False, 0), BOX)
    assert report.verdicts[0].reason == "positive nowhere, by contradiction"
    assert len(calls) == 2


@pytest.mark.usefixtures("at_once")
def test_prunings_do_without_them() -> None:
    network = network_of("gaussian", (129, 129), (10, 12), False, 0)
    *_, report = decide(network, BOX, together=False, time=5)
    assert report.verdicts[0].reason != "positive nowhere, by contradiction"


def test_a_budget_that_ends_is_kept() -> None:
    network = network_of("gaussian", (129, 129), (10, 12), False, 0)
    with pytest.raises(Exhausted):
        refuted(Bench(network, BOX), Assumed(3, 0), 3, Budget(seconds=0.05))


def test_where_it_does_not_apply() -> None:
    dense = Network.from_layers([(np.ones((4, INPUTS)), [0] * 4, "relu"), (np.ones((1, 4)), [0], "relu")])
    assert not ByPrograms.fits(Bench(dense, BOX), 2, UNLIMITED)
    few = Network.from_layers([(np.eye(3), [0] * 3, "relu"), (np.eye(3), [0] * 3, "relu")])
    assert not ByPrograms.fits(Bench(few, Polyhedron.box([(-1, 1)] * 3)), 2, UNLIMITED)
    many = Network.from_layers([(np.eye(500), [0] * 500, "relu"), (np.eye(500), [0] * 500, "relu")])
    assert not ByPrograms.fits(Bench(many, Polyhedron.box([(-1, 1)] * 500)), 2, UNLIMITED)
