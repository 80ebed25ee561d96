"""What people type first works, and what cannot be meant is refused in one line."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import geomrelu
from geomrelu import FiniteSet, InputError, Network, Polyhedron, as_domain, as_network, decide

LAYERS = [([[1, 0], [0, 1], [1, 1]], [0, 0, 3], "relu"), ([[1, 1, 0], [1, -1, 0]], [-3, 0], "relu")]


def test_a_report_says_what_there_is_to_know(tmp_path):
    report = decide(LAYERS, (-1, 1))
    assert report.dead == [(2, 0)]
    assert report.alive == [(1, 0), (1, 1), (1, 2), (2, 1)] and not report.undecided
    assert report.active == [(1, 2)]  # 3 + x + y >= 1
    assert report.layers[1].killed is False and report.killed_by is None
    assert [layer.layer for layer in report] == [1, 2] and len(report) == 2
    assert report.check() == 6  # five neurons, and that one is always active
    assert "2 neurons: 1 dead (1 stably)" in str(report) and repr(report) == str(report)
    assert report._repr_html_().count("<details") == 2
    written = report.save(tmp_path / "out")
    assert {json.loads(Path(path).read_text())["geomrelu"][:11] for path in written} == {"certificate"}
    assert any("active" in path for path in written)


def test_a_directory_of_certificates_is_taken_up_again(tmp_path):
    first = decide(LAYERS, (-1, 1), certificates=tmp_path / "out")
    again = decide(LAYERS, (-1, 1), certificates=tmp_path / "out")
    assert first.files and {v.reason for v in again.verdicts} == {"proved in an earlier run"}


def test_layers_and_neurons_are_numbers_or_lists():
    assert decide(LAYERS, (-1, 1), layers=2).alive == [(2, 1)]
    assert decide(LAYERS, (-1, 1), layers=[2], neurons=[0]).dead == [(2, 0)]
    assert decide(LAYERS, (-1, 1), neurons=0, layers=1).alive == [(1, 0)]


def test_wide_layers_are_shortened_in_a_repr_only():
    report = decide([(-np.ones((100, 1), dtype=int), [-2] * 100, "relu")], (0, 1))
    assert repr(report).endswith("... and 60 more\nLayer 1 kills the domain: the network is constant on it.")
    assert len(str(report).split("\n")) == 103


@pytest.mark.parametrize(
    ("model", "widths"),
    [
        (Network.from_layers(LAYERS), (3, 2)),
        (LAYERS, (3, 2)),
        ([(np.eye(2), np.zeros(2)), (np.ones((1, 2)), [0.5])], (2,)),
        ({"0.weight": np.eye(2), "0.bias": np.zeros(2), "2.weight": np.ones((1, 2)), "2.bias": np.zeros(1)}, (2,)),
    ],
)
def test_models(model, widths):
    assert as_network(model).widths == widths


def test_a_file_is_a_model(tmp_path):
    path = tmp_path / "model.json"
    path.write_text(Network.from_layers(LAYERS).to_json())
    assert as_network(path) == as_network(str(path)) == geomrelu.load(path) == as_network(LAYERS)


@pytest.mark.torch
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_a_module_is_a_model():
    import torch

    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    assert as_network(module).widths == (3,) and decide(module, (-1, 1)).check() == 3


@pytest.mark.parametrize(
    ("domain", "same"),
    [
        ((-1, 1), Polyhedron.box([(-1, 1)] * 2)),
        ([(-1, 1), (0, "1/3")], Polyhedron.box([(-1, 1), (0, "1/3")])),
        ([[0, 1], [2, 3]], Polyhedron.box([(0, 1), (2, 3)])),
        ("box:-1,1", Polyhedron.box([(-1, 1)] * 2)),
        ("R+^n", Polyhedron.orthant(2)),
        (np.array([[0.5, 1], [2, 3]]), FiniteSet.of([["1/2", 1], [2, 3]])),
        (np.array([0.5, 1]), FiniteSet.of([["1/2", 1]])),
        (Polyhedron.simplex(2), Polyhedron.simplex(2)),
    ],
)
def test_domains(domain, same):
    assert as_domain(domain, 2) == same


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: decide(LAYERS), "say on which set"),
        (lambda: decide(3, (0, 1)), "a network is a path"),
        (lambda: decide([], (0, 1)), "a network is a path"),
        (lambda: decide([([[1]], [0])], (0, 1)), 'write (weights, bias, "relu")'),
        (lambda: decide([([[1]], [0], "relu"), ([[1]], [0])], (0, 1)), "layers are"),
        (lambda: decide([([[1, 2]],)], (0, 1)), "layers are"),
        (lambda: decide("model.txt", (0, 1)), "unknown kind of model file"),
        (lambda: decide(LAYERS, (1, 2, 3)), "a list of 2 such pairs"),
        (lambda: decide(LAYERS, [(0, 1)]), "a list of 2 pairs"),
        (lambda: decide(LAYERS, [(0, 1, 2), (0, 1, 2)]), "a list of 2 pairs"),
        (lambda: decide(LAYERS, np.zeros((4, 3))), "(points, 2), not (4, 3)"),
        (lambda: decide(LAYERS, 1.5), "a domain is"),
        (lambda: decide(LAYERS, (1, 0)), "empty"),
        (lambda: decide(LAYERS, (0, "x")), "not a rational number"),
        (lambda: decide(LAYERS, (0, float("nan"))), "nan"),
        (lambda: decide(LAYERS, "box:1"), "box:low,high"),
        (lambda: decide(LAYERS, Polyhedron.space(3)), "lies in R^3"),
        (lambda: decide(LAYERS, (0, 1), layers=3), "no layer 3"),
        (lambda: decide(LAYERS, (0, 1), neurons=9), "no neuron 9"),
        (lambda: decide(LAYERS, (0, 1), time=0), "must be positive"),
        (lambda: decide(LAYERS, (0, 1), workers=0), "workers"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(call, says):
    with pytest.raises(InputError) as caught:
        call()
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_names_are_there_to_be_seen():
    shown = dir(geomrelu)
    assert set(geomrelu.__all__) <= set(shown)
    for name in geomrelu.__all__:
        assert getattr(geomrelu, name) is not None
