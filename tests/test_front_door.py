"""What people type first works, and what cannot be meant is refused in one line."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import geomrelu
from geomrelu import FiniteSet, InputError, Network, Polyhedron, as_domain, as_network, decide, prune

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
    assert first.files and {(v.layer, v.reason) for v in again.verdicts} == {
        (1, "maximal corner"),  # found anew as quickly as it is judged
        (2, "proved in an earlier run"),
    }


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
        ("R^n_+", Polyhedron.orthant(2)),
        (np.array([[0.5, 1], [2, 3]]), FiniteSet.of([["1/2", 1], [2, 3]])),
        (np.array([0.5, 1]), FiniteSet.of([["1/2", 1]])),
        (Polyhedron.simplex(2), Polyhedron.simplex(2)),
    ],
)
def test_domains(domain, same):
    assert as_domain(domain, 2) == same


NET, BOX = Network.from_layers(LAYERS), Polyhedron.box([(-1, 1)] * 2)
FORM = geomrelu.AffineForm.of(1, [2, 0])
PLANE = geomrelu.Arrangement([[1, 0], [0, 1]], [0, 0])


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
        (lambda: decide(LAYERS, (0, 1), scheduler=5), "scheduler is text"),
        # models
        (lambda: decide(None, (0, 1)), "a network is a path"),
        (lambda: decide([np.eye(2), np.eye(2)], (0, 1)), "not a list of numpy.ndarray"),
        (lambda: decide([Network.from_layers(LAYERS)], (0, 1)), "not a list of geomrelu.network.network.Network"),
        (lambda: decide([([[1, 2], [3]], [0, 0], "relu")], (0, 1)), "rows of different lengths"),
        (lambda: decide([([[1, 2]], 0, "relu")], (0, 1)), "layer 1, bias: expected a list"),
        (lambda: decide([([[1, 2]], [0], "sigmoid")], (0, 1)), "must be relu or none"),
        (lambda: decide([([[1, float("nan")]], [0], "relu")], (0, 1)), "not a finite number"),
        (lambda: decide({}, (0, 1)), "at least one layer"),
        (lambda: Network.from_layers(None), "layers are a list of"),
        (lambda: geomrelu.load(3), "a model file is a path, not int"),
        (lambda: NET.neuron(3, 0), "no layer 3"),
        (lambda: NET.neuron(1, 3), "no neuron 3 in layer 1"),
        (lambda: NET([1]), "reads R^2"),
        # sets
        (lambda: decide(LAYERS, ()), "a domain is"),
        (lambda: decide(LAYERS, {"low": 0, "high": 1}), "a domain is"),
        (lambda: decide(LAYERS, [(0, 1), (0,)]), "a list of 2 pairs"),
        (lambda: decide(LAYERS, ([0, 0, 0], [1, 1, 1])), "a list of 2 pairs"),
        (lambda: decide(LAYERS, (True, False)), "a truth value"),
        (lambda: decide(LAYERS, np.zeros((0, 2))), "at least one point"),
        (lambda: decide(LAYERS, np.array([["a", "b"]])), "not a rational number"),
        (lambda: decide(LAYERS, "box:" + "9" * 5000 + ",1"), "not a rational number"),
        (lambda: as_domain((0, 1), "2"), "the number of inputs is a whole number"),
        (lambda: geomrelu.read_domain(None, 2), "a domain is a path"),
        (lambda: Polyhedron([[1, 2]]), "Polyhedron.box"),
        (lambda: Polyhedron.box(3), "a list of sides"),
        (lambda: Polyhedron.box([(0, 1, 2)]), "expected a pair"),
        (lambda: Polyhedron.space("a"), "the dimension is a whole number"),
        (lambda: FiniteSet.of(None), "a list of points"),
        (lambda: geomrelu.Union.of([BOX, 3]), "a list of Polyhedron"),
        # which neurons, and how long
        (lambda: decide(LAYERS, (0, 1), layers=0), "no layer 0"),
        (lambda: decide(LAYERS, (0, 1), layers="all"), "layers are whole numbers"),
        (lambda: decide(LAYERS, (0, 1), layers=[1.0]), "not 1.0"),
        (lambda: decide(LAYERS, (0, 1), layers=True), "not True"),
        (lambda: decide(LAYERS, (0, 1), neurons=[(1, 0)]), "not a tuple of int"),
        (lambda: decide(LAYERS, (0, 1), neurons=[True, False, True]), "not True"),
        (lambda: decide(LAYERS, (0, 1), neurons={9: [0]}), "layer 9"),
        (lambda: decide(LAYERS, (0, 1), neurons={"1": [0]}), "a layer is a whole number"),
        (lambda: decide(LAYERS, (0, 1), time=-1), "time must be positive"),
        (lambda: decide(LAYERS, (0, 1), time="10"), "a number of seconds"),
        (lambda: decide(LAYERS, (0, 1), time=10**400), "a number of seconds"),
        (lambda: decide(LAYERS, (0, 1), regions=1.5), "regions is a whole number"),
        (lambda: decide(LAYERS, (0, 1), neuron_time=0), "neuron_time must be positive"),
        (lambda: decide(LAYERS, (0, 1), workers=None), "workers is a whole number"),
        (lambda: decide(LAYERS, (0, 1), certificates=3), "is a path, not int"),
        (lambda: decide(LAYERS, (0, 1), progress=True), "progress is a function"),
        (lambda: geomrelu.Budget("a"), "the time of a budget is a number of seconds, not 'a'"),
        # what comes of it
        (lambda: decide(LAYERS, (0, 1)).save(None), "is a path, not NoneType"),
        (lambda: geomrelu.prune(LAYERS), "say on which set"),
        (lambda: geomrelu.prune(LAYERS, (0, 1), time="x"), "a number of seconds"),
        (lambda: geomrelu.check(None, LAYERS, (0, 1)), "certificates are paths"),
        (lambda: geomrelu.check([3], LAYERS, (0, 1)), "a certificate is a path"),
        (lambda: geomrelu.plot(BOX), "a network is a path"),
        (lambda: geomrelu.plot(PLANE, (0, 1)), "has its own domain"),
        (lambda: geomrelu.plot(PLANE, size=3), "size is no way to draw it"),
        (lambda: geomrelu.plot(LAYERS, layer="a"), "layer is a whole number"),
        (lambda: geomrelu.plot(PLANE).save(3), "is a path, not int"),
        # geometry
        (lambda: geomrelu.Arrangement(None), "a list of normals"),
        (lambda: geomrelu.Arrangement([[1, 0], [1]], [0, 0]), "the same number"),
        (lambda: geomrelu.Arrangement([[1, 0]], [0], np.zeros((1, 2))), "is a polyhedron"),
        (lambda: geomrelu.Complex(None), "a network is a path"),
        (lambda: geomrelu.Complex(NET, layers="a"), "layers is a whole number"),
        (lambda: geomrelu.Complex(NET, np.zeros((1, 2))), "needs a polyhedron"),
        (lambda: geomrelu.difference(NET, None), "a network is a path"),
        (lambda: geomrelu.catalogue.braid("a"), "the dimension is a whole number"),
        (lambda: geomrelu.rational([1]), "not a number"),
        (lambda: geomrelu.AffineForm.of(0, {1, 2}), "slope: expected a list of numbers"),  # a set has no order
        (lambda: geomrelu.AffineForm.of(0, np.array(3)), "slope: expected a list of numbers"),
        (lambda: geomrelu.AffineForm(0.1, (0.2,)), "made by AffineForm.of"),
        (lambda: FORM([1]), "a form on R^2 was given a point of R^1"),
        (lambda: FORM(None), "point: expected a list of numbers"),
        (lambda: FORM.along([1, float("nan")]), "point, entry 1: nan is not a finite number"),
        (lambda: NET.layers[0].form(-1), "there is no row -1: they count from 0 to 2"),
        (lambda: NET.layers[0].take([0, -1]), "places count from 0 to 2"),
        (lambda: geomrelu.AffineMap.from_dense([[1, 2]]).after([[1], [2]]), "what a map follows is an AffineMap"),
        (lambda: FiniteSet(((0.1, 0.2),)), "made by FiniteSet.of"),
        (lambda: FiniteSet(()), "made by FiniteSet.of"),
        (lambda: geomrelu.Union((BOX, BOX)), "made by Union.of"),
        (lambda: geomrelu.Ellipsoid.ball([0, 0], 1).maximum([1, 2]), "an AffineForm, not a list of int"),
        (lambda: geomrelu.Ellipsoid.of([0], np.array(1)), "the shape: expected a list"),
        (lambda: geomrelu.Ellipsoid.of([0], centred="no"), "centred is True or False, not 'no'"),
        (lambda: BOX.supremum([1, 2]), "what has a supremum is an AffineForm, not a list of int"),
        (lambda: BOX.intersection(FiniteSet.of([[0, 0]])), "is a Polyhedron, not geomrelu"),
        (lambda: BOX.image([[1, 2]]), "what has an image is an AffineMap"),
        (lambda: BOX.same_set(None), "is a Polyhedron, not NoneType"),
        (lambda: Polyhedron.from_rows(5), "inequality: expected a list of lists, not 5"),
        (lambda: Polyhedron.from_rows([[1, 0]], dimension=True), "the dimension is a whole number"),
        (lambda: geomrelu.Arrangement.from_rows([(1, 0), (1, 0, 0)], 2), "the same number"),
        (lambda: geomrelu.Arrangement.from_rows([(1, 0)], 2), "the same number"),
        (lambda: geomrelu.Arrangement.from_rows([(0.5, 1)], 1), "each entry of row 0 is a whole number"),
        (lambda: geomrelu.Arrangement.from_rows([(1, 0)], None), "the dimension is a whole number"),
        (lambda: geomrelu.Arrangement.from_rows([(1, 1, 0)], 2, FiniteSet.of([[0, 0]])), "is a polyhedron, not"),
        (lambda: geomrelu.Arrangement.from_file(True), "a file is a path, not bool"),  # which would close stdout
        (lambda: PLANE.delete(-1), "there is no form -1"),
        (lambda: PLANE.restrict(True), "form is a whole number"),
        (lambda: PLANE.faces(1.0), "a whole number, not 1.0"),
        (lambda: PLANE.faces(-1), "must be at least 0"),
        (lambda: PLANE.witness(3), "a sign vector has"),
        (lambda: PLANE.witness([0.5, 1]), "each of signs is a whole number"),
        (lambda: PLANE.graph(5), "a budget is Budget(seconds, regions), not int"),
        (lambda: PLANE.count_bounded("5"), "a budget is Budget(seconds, regions), not str"),
        (lambda: geomrelu.Complex(NET, budget=5), "a budget is Budget(seconds, regions), not int"),
        (lambda: geomrelu.difference(NET, NET, budget=0), "a budget is Budget(seconds, regions), not int"),
        (lambda: geomrelu.Complex(NET, BOX).dead(1.0), "layer is a whole number"),
        (lambda: geomrelu.Complex(NET, BOX).image(1, maximal="no"), "maximal is True or False"),
        (lambda: geomrelu.Complex(NET, BOX).cells[0].affine("1"), "layer is a whole number"),
        (lambda: NET.pre_activations([0, 0], 5), "there is no layer 5"),
        (lambda: NET.pre_activations([0, 0], -1), "up_to must be at least 0"),
        (lambda: NET.save(3), "a model file is a path, not int"),
        (lambda: Network.from_file(True), "a model file is a path, not bool"),
        (lambda: geomrelu.Budget(float("nan")), "not nan"),
        (lambda: geomrelu.Budget(1, 1.5), "regions of a budget is a whole number"),
        (lambda: prune(LAYERS, (0, 1), fold="no"), "fold is True or False, not 'no'"),
        (lambda: decide(LAYERS, (0, 1), together=0), "together is True or False, not 0"),
        (lambda: decide(LAYERS, (0, 1), arithmetic=["float32"]), "the arithmetic ['float32'] is not known"),
        (lambda: decide(LAYERS, (0, 1), certificates="a\0b"), "null byte"),
        (lambda: geomrelu.catalogue.generic(2, "3", 1), "the number of hyperplanes is a whole number"),
        (lambda: geomrelu.catalogue.generic(2, 3, 1, size=-1), "the size must be positive"),
        (lambda: NET.neuron(10**5000, 0), "layer is a whole number of at most 1024 bits"),
        (lambda: PLANE.delete(10**5000), "form is a whole number of at most 1024 bits"),
        # random networks and claims
        (lambda: geomrelu.probability(geomrelu.Experiment("alive", (2, 2)), level=10**5000), "not 1e+5000"),
        (lambda: geomrelu.Experiment("alive", {2, 3}), "widths: expected a list of numbers"),
        (lambda: geomrelu.Experiment("alive", (2, 2), law=None), "law is text, not NoneType"),
        (lambda: geomrelu.Experiment("alive", (2, 2), bias="no"), "bias is True or False"),
        (lambda: geomrelu.Experiment("killed", (2, 2), layer="1"), "layer is a whole number"),
        (lambda: geomrelu.probability(geomrelu.Experiment("alive", (2, 2)), level="0.9"), "between 0 and 1"),
        (lambda: decide(LAYERS, (-1, 1), told=3), "told is a function, not 3"),
        (lambda: geomrelu.probability("alive"), "an experiment is"),
        (lambda: geomrelu.Experiment("alive", "2,2"), "widths: expected a list of numbers"),
        (lambda: geomrelu.Experiment("alive", (2.5, 2)), "not 2.5"),
        (lambda: geomrelu.probability(geomrelu.Experiment("alive", (2, 2)), seed="a"), "seed is a whole number"),
        (lambda: geomrelu.probability(geomrelu.Experiment("alive", (2, 2)), orbits=2.5), "orbits is a whole number"),
        (lambda: geomrelu.verify(["point-half"]), "labels are texts"),
        (lambda: geomrelu.verify("nonsense"), "unknown claim"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(call, says):
    with pytest.raises(InputError) as caught:
        call()
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_numbers_of_numpy_are_numbers():
    report = decide(LAYERS, (-1, 1), layers=np.int64(2), neurons={np.int64(2): np.int64(0)}, time=np.float32(60))
    assert report.dead == [(2, 0)]


def test_what_fits_is_taken(tmp_path):
    """A report is checked and drawn, an arrangement and a complex take the sets that ``decide`` takes."""
    report = decide(LAYERS, (-1, 1))
    assert geomrelu.check(report, LAYERS, (-1, 1)) == 5
    assert geomrelu.plot(report).svg == geomrelu.plot(LAYERS, (-1, 1)).svg
    assert geomrelu.Arrangement([[1, 0], [0, 1]], [0, 2], (-1, 1)).n_regions == 2
    assert geomrelu.Complex(LAYERS, (-1, 1)).n_regions == geomrelu.Complex(NET, BOX).n_regions
    assert geomrelu.difference(LAYERS, NET) is None
    assert decide(LAYERS, (-1, 1), time=float("inf")).dead == decide(LAYERS, (-1, 1), time=1e300).dead


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_tensors_are_arrays():
    import torch

    points = torch.tensor([[0.5, 1], [2, 3]])
    for tensor in (points, points.bfloat16(), points.double()):
        assert as_domain(tensor, 2) == FiniteSet.of([["1/2", 1], [2, 3]])
    layers = [(torch.eye(2, requires_grad=True), torch.zeros(2)), (torch.ones(1, 2).half(), torch.tensor([1]))]
    assert as_network(layers) == as_network([(np.eye(2), [0, 0]), ([[1, 1]], [1])])
    for tensor in (points.to("meta"), points.to_sparse()):
        with pytest.raises(InputError, match="holds each of its numbers"):
            as_domain(tensor, 2)
    with pytest.raises(InputError, match="Linear"):
        as_domain(torch.nn.Linear(2, 2), 2)


def test_ends_of_a_box_may_be_tensors(torch):
    low, high, same = torch.tensor(-0.5), np.array(2), as_domain([("-1/2", 2), ("-1/2", 2)], 2)
    assert as_domain((low, high), 2) == as_domain([(low, high), [low, 2]], 2) == same
    assert as_domain([(None, low.double()), (np.float32(0), None)], 2) == as_domain([(None, -0.5), (0, None)], 2)


def test_numbers_may_have_more_digits_than_python_prints(tmp_path):
    digits = sys.get_int_max_str_digits()
    for power in ("1e999", "1e-999"):
        layers = [([[power]], [power], "relu")] * 6
        report = decide(layers, (0, 1))
        assert len(report.alive) == report.check() == len(report.ranges.found) == 6
        assert "~" in str(report) and "~" in report._repr_html_()
        assert report.save(tmp_path / power) and report.save_page(tmp_path / f"{power} page").exists()
        assert len(report.active) == 6
        smaller = prune(layers, (0, 1))
        smaller.save(tmp_path / "s.json", tmp_path / "p.json")
        assert smaller.check() and Network.from_file(tmp_path / "s.json") == smaller.network
    big = 10**5000
    assert decide(LAYERS, (-big, -big)).dead and decide(LAYERS, Polyhedron.from_rows([[big, 1, 0], [1, -big, 3]])).alive
    with pytest.raises(InputError, match=r"^a number of more than 100,000 digits would have to be written$"):
        decide(LAYERS, (-(big**21), big**21))
    assert sys.get_int_max_str_digits() == digits


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_numbers_of_a_class_of_their_own():
    weights = np.ma.array([[1.0, 2.0]], mask=[[True, False]])
    for call, words in (
        (lambda: decide([(weights, [0], "relu")], (0, 1)), "some entries are masked"),
        (lambda: Network.from_layers([(weights, [0], "relu")]), "weights: some entries are masked"),
        (lambda: decide(LAYERS, weights), "some entries are masked"),
        (lambda: decide(LAYERS, np.ones((1, 2), np.longdouble)), "a longdouble is not read|a float128 is not read"),
        (lambda: decide(LAYERS, (-np.inf, np.inf)), "None stands for no end"),
        (lambda: decide(LAYERS, [(0, np.float32("inf"))] * 2), "None stands for no end"),
    ):
        with pytest.raises(InputError, match=words):
            call()
    right = decide([([[1, 2]], [0], "relu")], (0, 1)).verdicts[0].supremum
    for kind in (np.matrix, np.ma.array):
        net = Network.from_layers([(kind([[1, 2]]), np.ma.array([0]), "relu")])
        assert decide(net, (0, 1)).verdicts[0].supremum == right
        assert as_domain(kind([[1, 2]]), 2) == as_domain(np.array([[1, 2]]), 2)


def test_names_are_there_to_be_seen():
    shown = dir(geomrelu)
    assert set(geomrelu.__all__) <= set(shown)
    for name in geomrelu.__all__:
        assert getattr(geomrelu, name) is not None


def test_what_a_thing_is_stands_in_its_repr():
    report = decide(LAYERS, (-1, 1))
    said = {
        repr(NET): "<a network on R^2: ReLU layers of 3, 2 neurons>",
        repr(NET.layers[0]): "<an affine map R^2 -> R^3 with 4 coefficients>",
        repr(NET.neuron(1, 2)): "AffineForm.of('3', ['1', '1'])",
        repr(Polyhedron.box([(-1, "1/2"), (0, None)])): "Polyhedron.box([(-1, '1/2'), (0, None)])",
        repr(Polyhedron.space(784)): "<a box in R^784>",
        repr(Polyhedron.simplex(2)): "<a polyhedron in R^2: 3 inequalities, 0 equalities>",
        repr(Polyhedron.from_generators([[0, 0]], [[1, 0]])): "<a polyhedron in R^2: 1 vertices, 1 rays, 0 lines>",
        repr(FiniteSet.of([[0, 1]])): "<1 point in R^2>",
        repr(geomrelu.Union.of([BOX, Polyhedron.simplex(2)])): "<the union of 2 polyhedra in R^2>",
        repr(geomrelu.Complex(NET, BOX)): "<the linear pieces of 2 ReLU layers on R^2>",
        repr(PLANE): "Arrangement(2 forms, 2 hyperplanes in R^2)",
        repr(report.layers[2]): "<layer 2 of 2 neurons: 1 alive, 1 dead, 0 undecided>",
    }
    assert all(found == expected for found, expected in said.items()), said
    assert repr(report) == str(report) and "claim" not in repr(report.verdicts[0])
    for box in (Polyhedron.box([(-1, "1/2"), (0, None)]), BOX):
        assert eval(repr(box), {"Polyhedron": Polyhedron}) == box
    form = geomrelu.AffineForm.of("-1/2", [0, 1, "-3/4"])
    assert eval(repr(form), {"AffineForm": geomrelu.AffineForm}) == form
    found = geomrelu.probability(geomrelu.Experiment("alive", (2, 2, 2)))
    assert repr(found) == found.as_text() and "exactly 63/64" in repr(found)


def test_notebooks_show_pictures_and_formulas():
    assert PLANE._repr_svg_() == PLANE.plot().svg and "<svg" in PLANE._repr_svg_()
    assert geomrelu.catalogue.braid(3)._repr_svg_() is None  # R^3 cannot be drawn
    assert geomrelu.plot(PLANE)._repr_svg_() == PLANE._repr_svg_()
    form = geomrelu.AffineForm.of("-1/2", [0, 1, "-3/4"])
    assert form._repr_latex_() == r"$- \frac{1}{2} + x_{2} - \frac{3}{4} x_{3}$"
    assert geomrelu.AffineForm.of(0, [0, 0])._repr_latex_() == "$0$"
    assert geomrelu.AffineForm.of(0, [2])._repr_latex_() == "$2 x_{1}$"
    assert decide(LAYERS, (-1, 1))._repr_html_().startswith("<div>")
