"""Functional dimension: the Jacobian against difference quotients, the rank against SymPy, the minor recomputed."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise

import commands
import numpy as np
import pytest
import sympy
from polls import Polls

from geomrelu import InputError
from geomrelu.budget import Budget, Exhausted
from geomrelu.network.dimension import (
    dense_layers,
    functional_dimension,
    jacobian,
    random_points,
    ranks_of_orbit,
    upper_bound,
)
from geomrelu.network.network import Network


def drawn(rng, widths, last="none", entry=lambda rng: Fraction(2 * rng.randint(-99, 99) + 1, rng.randint(1, 9))):
    layers = [
        ([[entry(rng) for _ in range(m)] for _ in range(n)], [entry(rng) for _ in range(n)], "relu")
        for m, n in pairwise(widths)
    ]
    layers[-1] = (*layers[-1][:2], last)
    return Network.from_layers(layers)


@pytest.mark.parametrize("last", ["none", "relu"])
@pytest.mark.parametrize("widths", [(1, 2, 1), (2, 3, 2), (2, 2, 3, 1), (3, 1, 2, 2)])
def test_the_jacobian_is_that_of_difference_quotients(widths, last):
    """In a region the outputs are affine in each single parameter, so a small difference quotient is the derivative."""
    rng = random.Random(6)
    network = drawn(rng, widths, last)
    points = random_points(network, 4, 2)
    layers = dense_layers(network)
    rows, _ = jacobian(layers, points, last == "relu")
    step = Fraction(1, 10**9)

    def outputs(changed):
        again = Network.from_layers(
            [(w, b, "relu" if k < len(changed) - 1 else last) for k, (w, b) in enumerate(changed)]
        )
        return [v for point in points for v in again(point)]

    base, column = outputs(layers), 0
    for weights, bias in layers:
        for i, row in enumerate(weights):
            for vector, j in [(row, j) for j in range(len(row))] + [(bias, i)]:
                vector[j] += step
                moved = outputs(layers)
                vector[j] -= step
                assert [(v - u) / step for u, v in zip(base, moved, strict=True)] == [r[column] for r in rows]
                column += 1
    assert column == len(rows[0])


@pytest.mark.parametrize("seed", range(12))
def test_rank_minor_and_bound(seed):
    rng = random.Random(seed)
    widths = [rng.randint(1, 3) for _ in range(rng.randint(3, 4))]
    entry = (lambda rng: rng.choice((-1, 0, 1, 2)), lambda rng: rng.gauss(0, 1), lambda rng: rng.randint(-99, 99))[
        seed % 3
    ]
    network = drawn(rng, widths, "none", entry)
    points = random_points(network, 12, seed)
    try:
        found = functional_dimension(network, points)
    except InputError:
        return  # a ternary neuron is 0 everywhere
    rows, _ = jacobian(dense_layers(network), points)
    exact = sympy.Matrix([[sympy.Rational(v.numerator, v.denominator) for v in row] for row in rows])
    assert found.rank == exact.rank() <= found.bound
    assert len(found.rows) == len(found.columns) == found.rank
    if found.rank:
        assert exact.extract(list(found.rows), list(found.columns)).det() != 0
        assert 0 < found.minor < found.prime
    assert sympy.isprime(found.prime)
    assert found.parameters == sum(n * (m + 1) for m, n in pairwise(widths))


def test_a_silent_neuron_costs_what_the_bound_says():
    """max(x + y + 100, 0) and max(-x - y - 100, 0): on the square the second moves nothing."""
    network = Network.from_layers([([[1, 2], [-1, -3], [3, -1]], [100, -100, 50], "relu"), ([[1, 5, -2]], [3], "none")])
    points = [[Fraction(i), Fraction(j)] for i in range(-3, 4) for j in range(-3, 4)]
    found = functional_dimension(network, points)
    assert found.silent == ((1, 1),)
    assert found.bound == upper_bound([2, 3, 1]) - (2 + 1) == 7
    assert found.rank == 3  # on one region: an affine map


def test_a_convolution_tied_and_as_the_dense_layer_that_it_equals():
    """A kernel (2, -3) on four inputs, then a sum: by hand, f = v * (sum of max(2 x_i - 3 x_(i+1) + b, 0)) + c."""
    kernel = [[2, -3, 0, 0], [0, 2, -3, 0], [0, 0, 2, -3]]
    network = Network.from_layers([(kernel, ["1/3"] * 3, "relu"), ([[5, 5, 5]], [1], "none")])
    points = random_points(network, 40, 1)
    dense, tied = functional_dimension(network, points), functional_dimension(network, points, tied=True)
    assert (dense.parameters, dense.zeros, tied.parameters, tied.zeros) == (3 * 5 + 4, 6, 5, 0)
    assert "6 of the weights are 0" in str(dense)
    assert "equal ones of a layer are one" in str(tied)
    rows = []
    for x in points:
        z = [2 * a - 3 * b + Fraction(1, 3) for a, b in pairwise(x)]
        on = [int(v > 0) for v in z]
        sums = [sum(s * v for s, v in zip(on, part, strict=True)) for part in (x[:3], x[1:], [1] * 3, z)]
        rows.append([*(5 * v for v in sums[:3]), sums[3], 1])
    exact = sympy.Matrix([[sympy.Rational(v) for v in row] for row in rows]).rank()
    assert tied.rank == exact == 4  # the scale of the kernel and the bias against 5
    ranks = ranks_of_orbit(network, points, 20, 3, tied=True)
    assert ranks.total() == 20
    assert max(ranks) <= 5


def test_silent_neighbours_share_a_weight():
    assert upper_bound([2, 3, 3, 1]) == 2 * 3 + 3 + 9 + 3 + 3 + 1 - 6
    one, two = upper_bound([2, 3, 3, 1], [(1, 0)]), upper_bound([2, 3, 3, 1], [(2, 0)])
    both = upper_bound([2, 3, 3, 1], [(1, 0), (2, 0)])
    whole = upper_bound([2, 3, 3, 1])
    assert (whole - one, whole - two, whole - both) == (5, 4, 8)
    assert both == upper_bound([2, 2, 2, 1])  # as if they were not there
    assert upper_bound([2, 3, 3, 1], [(1, 0), (1, 0)]) == one


def test_the_minor_of_a_wider_network():
    """130 neurons, float weights; not a rank of floats: those of NumPy only agree."""
    rng = np.random.default_rng(5)
    network = Network.from_layers(
        [
            (rng.standard_normal((130, 2)), rng.standard_normal(130), "relu"),
            (rng.standard_normal((1, 130)), [0.5], "none"),
        ]
    )
    points = random_points(network, 60, 1)
    found = functional_dimension(network, points)
    rows, _ = jacobian(dense_layers(network), points)
    floats = np.array([[float(v) for v in row] for row in rows])
    assert found.rank == np.linalg.matrix_rank(floats) == 60


def test_orbits():
    network = drawn(random.Random(4), (1, 3, 1))
    points = random_points(network, 15, 1)
    ranks = ranks_of_orbit(network, points, 30, seed=2)
    assert sum(ranks.values()) == 30 and max(ranks) <= upper_bound([1, 3, 1])
    assert ranks == ranks_of_orbit(network, points, 30, seed=2)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda net: functional_dimension(net, []), "at least one point"),
        (lambda net: functional_dimension(net, [[0]]), "is 0 at the point"),
        (lambda net: functional_dimension(net, [[1, 2]]), "reads R"),
        (lambda net: random_points(net, 0), "at least one point"),
    ],
)
def test_what_makes_no_sense_is_refused(call, text):
    with pytest.raises(InputError, match=text):
        call(Network.from_layers([([[1], [-1]], [0, 0], "relu"), ([[1, 1]], [-2], "none")]))


def test_the_command(tmp_path):
    path = tmp_path / "model.json"
    layers = [
        {"weights": [[2], [-3], [5]], "bias": [1, "7/2", -1], "activation": "relu"},
        {"weights": [[1, -2, 3]], "bias": ["-9/2"], "activation": "none"},
    ]
    path.write_text(json.dumps({"inputs": 1, "layers": layers}))

    def run(*arguments):
        command = [sys.executable, "-m", "geomrelu", "dimension", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    code, out, _ = run(path, "--orbits", 5)
    assert code == 0 and out.startswith("functional dimension 7 on 20 points, of 10 parameters\n")
    assert "a minor of size 7" in out and "over 5 random sign choices" in out
    (tmp_path / "points.json").write_text('{"points": [["1/7"], [3]]}')
    code, out, _ = run(path, "--points", tmp_path / "points.json", "--format", "json")
    assert (code, json.loads(out)["rank"]) == (0, 2)
    for bad in (["--points", "0"], ["--points", "R^n"], ["--orbits", "0"], ["--seed", "-1"]):
        code, out, err = run(path, *bad)
        assert (code, out, err.count("\n")) == (2, "", 1)


def test_what_is_too_large_is_refused_before_anything_is_made(monkeypatch):
    """2 inputs, 600 neurons, 1 output: 2,401 parameters, so 20,825 points have more than 50 million derivatives."""
    network = Network.from_layers([([[1, 2]] * 600, [1] * 600, "relu"), ([[1] * 600], [0], "none")])
    monkeypatch.setattr("geomrelu.network.dimension._layers", None)
    for refuse in (
        lambda: functional_dimension(network, [[1, 1]] * 20_825),
        lambda: ranks_of_orbit(network, [[1, 1]] * 20_825, 1),
        lambda: random_points(network, 20_825),
    ):
        with pytest.raises(InputError, match=r"^the Jacobian at 20825 points: 50000825 entries, but at most 50000000"):
            refuse()
    assert len(random_points(network, 20_824)) == 20_824


# ---- the output layer ------------------------------------------------------------------------------------------------


def symbolic_rank(layers, points, rectified):
    """The definition: each output at each point as a polynomial in symbols, one for each parameter, differentiated."""
    symbols, values = [], {}

    def parameter(value):
        symbols.append(sympy.Symbol(f"p{len(symbols)}"))
        values[symbols[-1]] = sympy.Rational(str(value))
        return symbols[-1]

    named = [
        [([parameter(v) for v in row], parameter(b)) for row, b in zip(weights, bias, strict=True)]
        for weights, bias in layers
    ]
    rows = []
    for point in points:
        value = [sympy.Rational(str(v)) for v in point]
        for level, layer in enumerate(named):
            value = [sum((a * v for a, v in zip(row, value, strict=True)), b) for row, b in layer]
            if level < len(named) - 1 or rectified:
                value = [v if v.subs(values) > 0 else sympy.Integer(0) for v in value]
        rows += [[sympy.diff(v, p).subs(values) for p in symbols] for v in value]
    return sympy.Matrix(rows).rank()


@pytest.mark.parametrize("last", ["none", "relu", "identity"])
@pytest.mark.parametrize("seed", range(4))
def test_the_output_layer_counts(last, seed):
    rng = random.Random(seed)
    widths = [rng.randint(1, 2), rng.randint(1, 3), rng.randint(1, 2)]
    network = drawn(rng, widths, "relu" if last == "identity" else last)
    layers = dense_layers(network)
    if last == "identity":
        eye = [[Fraction(int(i == j)) for j in range(widths[-1])] for i in range(widths[-1])]
        layers.append((eye, [Fraction(0)] * widths[-1]))
        words = ["relu"] * (len(layers) - 1) + ["none"]
        network = Network.from_layers([(*layer, word) for layer, word in zip(layers, words, strict=True)])
        assert network.output is None and network.identity_output
    points = random_points(network, 8, seed)
    found = functional_dimension(network, points)
    assert found.parameters == sum(len(bias) * (len(weights[0]) + 1) for weights, bias in layers)
    assert found.rank == symbolic_rank(layers, points, last == "relu")


def test_an_identity_is_a_layer_like_its_neighbours():
    """max(x + 1, 0) and max(-x + 1, 0), then a matrix: 4 + 6 parameters and two scales; almost the identity or it."""
    hidden = ([[1], [-1]], [1, 1], "relu")
    points = [[Fraction(k, 3)] for k in range(-10, 11) if abs(k) != 3]
    found = [
        functional_dimension(Network.from_layers([hidden, (matrix, bias, "none")]), points)
        for matrix, bias in (
            ([[1, 0], [0, 1]], [0, 0]),
            ([[1, 0], [0, 1]], [0, "1/1000"]),
            ([[1, "1/1000"], [0, 1]], [0, 0]),
        )
    ]
    assert [(f.rank, f.bound, f.parameters) for f in found] == [(8, 8, 10)] * 3
    assert functional_dimension(Network.from_layers([hidden]), points).parameters == 4


@pytest.mark.onnx
def test_an_identity_in_a_graph_counts_and_what_has_no_weights_does_not(tmp_path):
    onnx = pytest.importorskip("onnx")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    arrays = {"w": np.array([[1, 2, 3], [-1, 1, 2]], dtype=np.float32), "eye": np.eye(3, dtype=np.float32)}
    arrays["shape"] = np.array([1, 3])
    first = [helper.make_node("MatMul", ["x", "w"], ["z"]), helper.make_node("Relu", ["z"], ["a"])]
    for last, own in (
        (helper.make_node("MatMul", ["a", "eye"], ["y"]), True),
        (helper.make_node("Gemm", ["a", "eye"], ["y"], transB=1), True),
        (helper.make_node("Reshape", ["a", "shape"], ["y"]), False),
    ):
        x, y = (helper.make_tensor_value_info(name, 1, [1, n]) for name, n in (("x", 2), ("y", 3)))
        used = [numpy_helper.from_array(v, k) for k, v in arrays.items() if k == "w" or k in last.input]
        model = helper.make_model(helper.make_graph([*first, last], "g", [x], [y], used))
        onnx.save(model, tmp_path / "m.onnx")
        network = Network.from_file(tmp_path / "m.onnx")
        assert network.output is None and network.identity_output is own
        found = functional_dimension(network, random_points(network, 5, 1))
        assert found.parameters == 3 * 3 + (3 * 4 if own else 0)


@pytest.mark.torch
def test_an_identity_in_a_module_counts(torch):
    first, last = torch.nn.Linear(2, 3), torch.nn.Linear(3, 3, bias=False)
    last.weight.data = torch.eye(3)
    relu = torch.nn.ReLU()
    assert Network.from_torch(torch.nn.Sequential(first, relu, last)).identity_output
    assert not Network.from_torch(torch.nn.Sequential(first, relu, torch.nn.Flatten())).identity_output


# ---- within a budget ------------------------------------------------------------------------------------------------


def test_what_a_budget_leaves_is_proved():
    network = drawn(random.Random(3), (2, 3, 2, 1))
    points = random_points(network, 60, 1)
    whole = functional_dimension(network, points)
    rows, _ = jacobian(dense_layers(network), points)
    exact = sympy.Matrix([[sympy.Rational(v.numerator, v.denominator) for v in row] for row in rows])
    seen = set()
    for most in range(6, 1300, 31):
        found = functional_dimension(network, points, budget=Polls(most))
        seen.add((found.complete, found.rank))
        if found.complete:
            assert found == whole
        else:
            assert found.rank <= whole.rank <= found.bound
            assert "at least" in str(found) and str(found).endswith("\nNot finished: the time for it is over.")
        if found.rank:
            assert exact.extract(list(found.rows), list(found.columns)).det() != 0
    assert {complete for complete, _ in seen} == {True, False} and len(seen) > 2


def test_as_many_as_rows_are_all_even_if_the_time_is_over_by_then():
    network = drawn(random.Random(3), (2, 3, 2, 1))
    points = random_points(network, 2, 1)
    found = [functional_dimension(network, points, budget=Polls(most)) for most in range(10, 60)]
    complete = [f for f in found if f.complete]
    assert found[-1] in complete and all(f == found[-1] for f in complete)
    assert all(f.complete for f in found if f.rank == 2) and found[-1].rank == 2
    assert "  not more than 2: so many outputs at all points; more points may give more" in str(found[-1]).splitlines()
    enough = functional_dimension(network, random_points(network, 60, 1))
    assert enough.rank == 13 and "more points" not in str(enough)


def test_rows_are_spared_where_the_rank_is_as_large_as_it_can_be(monkeypatch):
    """One neuron on a line: 3 of 4 parameters, which 3 points show; a late point where the silent one fires counts."""
    monkeypatch.setattr("geomrelu.network.dimension.WIDEST", 1)
    network = Network.from_layers([([[1], [-1]], [1, -9], "relu"), ([[2, 3]], [5], "none")])
    early = [[Fraction(k)] for k in (-3, 1, 2, 3, 4, 5, 6, 7)]
    late = [[Fraction(k)] for k in (-10, -11, -12)]
    for points in (early, early + late):
        found = functional_dimension(network, points)
        rows, _ = jacobian(dense_layers(network), points)
        assert found.rank == sympy.Matrix([[sympy.Rational(str(v)) for v in row] for row in rows]).rank()
    assert (found.rank, found.silent) == (5, ())
    assert functional_dimension(network, early).silent == ((1, 1),)


def test_an_exact_rank_that_is_long_ends_with_the_budget(monkeypatch):
    """The rank is less than the bound, so it takes more than a prime; that has a process of its own."""
    monkeypatch.setattr("geomrelu.network.dimension.HEAVY", 0)
    network = Network.from_layers([([[1, 2], [-1, -3], [3, -1]], [100, -100, 50], "relu"), ([[1, 5, -2]], [3], "none")])
    points = [[Fraction(i), Fraction(j)] for i in range(-3, 4) for j in range(-3, 4)]
    found = functional_dimension(network, points, budget=Budget(300))
    assert (found.complete, found.rank) == (True, 3)

    def ends(budget, function, *arguments):
        raise Exhausted("the time for it is over")

    monkeypatch.setattr("geomrelu.network.dimension.apart", ends)
    found = functional_dimension(network, points, budget=Budget(300))
    assert (found.complete, found.rank, found.silent, found.bound) == (False, 3, ((1, 1),), 7)


def test_orbits_within_a_budget():
    network = drawn(random.Random(4), (1, 3, 1))
    points = random_points(network, 15, 1)
    whole = ranks_of_orbit(network, points, 30, seed=2)
    some = [ranks_of_orbit(network, points, 30, seed=2, budget=Polls(most)) for most in (0, 300, 10**6)]
    assert some[0].total() == 0 < some[1].total() < 30
    assert some[1] <= whole == some[2]


def test_the_command_within_its_time(tmp_path, capsys, monkeypatch):
    path = tmp_path / "model.npz"
    drawn(random.Random(4), (1, 3, 1), entry=lambda rng: float(rng.randint(1, 9))).save(path)
    monkeypatch.setattr("geomrelu.cli.dimension.clock_of", lambda options: Polls(150))
    code, out, err = commands.run(capsys, "dimension", path, "--orbits", 3)
    assert code == 3 and not err
    assert "at least" in out and "\nNot finished: " in out and "over 0 of 3 random sign choices" in out
    code, out, err = commands.run(capsys, "dimension", path, "--orbits", 3, "--format", "json")
    assert (code, json.loads(out)["complete"], json.loads(out)["walked"]) == (3, False, 0)
    monkeypatch.setattr("geomrelu.cli.dimension.clock_of", lambda options: Polls(0))
    code, out, err = commands.run(capsys, "dimension", path)
    assert (code, out, err) == (3, "", "geomrelu: the time for it is over\n")
