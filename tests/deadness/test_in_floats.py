"""Dead in floating point: no neuron that is called so fires, in any order of summation; those that fire are shown."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from itertools import pairwise

import families
import numpy as np
import pytest
from commands import run

from geomrelu import FiniteSet, InputError, Network, Polyhedron, check, checker, decide
from geomrelu.deadness.float_arithmetic import ARITHMETICS, Evaluator, errors, float_type, growth
from geomrelu.deadness.in_floats import DEAD, OPEN, REALS_ONLY, _above
from geomrelu.geometry.domains import Union

TYPES = tuple(ARITHMETICS)


def float_layers(rng, widths, kind):
    """Layers of float32 numbers: of all sizes, of a few digits (sums are often exact, suprema often 0), or ternary."""
    layers = []
    for level, (inputs, outputs) in enumerate(pairwise(widths)):
        if kind == "fine":
            rows = [[np.float32(rng.gauss(0, 1)) for _ in range(inputs)] for _ in range(outputs)]
            bias = [np.float32(rng.gauss(-0.6 * level, 1)) for _ in range(outputs)]
        elif kind == "scaled":
            scale = [2.0 ** rng.randint(-30, 20) for _ in range(outputs)]
            rows = [[np.float32(s * rng.gauss(0, 1)) for _ in range(inputs)] for s in scale]
            bias = [np.float32(s * rng.gauss(-level, 0.5)) for s in scale]
        else:
            size = 1 if kind == "ternary" else 4
            rows = [[np.float32(rng.randint(-size, size)) / np.float32(size) for _ in range(inputs)]
                    for _ in range(outputs)]  # fmt: skip
            bias = [np.float32(rng.randint(-size, size // 2)) / np.float32(size) for _ in range(outputs)]
        layers.append((rows, bias))
    return layers


def summed(layers, points, rng):
    """NumPy float32, products and sums one by one, each neuron in an order of its own; some products are fused."""
    values = points.astype(np.float32)
    found = []
    for rows, bias in layers:
        z = np.zeros((len(values), len(rows)), dtype=np.float32)
        for i, (row, b) in enumerate(zip(rows, bias, strict=True)):
            terms = [None, *range(len(row))]
            rng.shuffle(terms)
            total = np.zeros(len(values), dtype=np.float32)
            for j in terms:
                if j is None:
                    total = total + np.float32(b)
                elif rng.random() < 0.5:
                    total = total + np.float32(row[j]) * values[:, j]
                else:  # exact in float64, rounded once more there: as a fused operation but for rare ties
                    total = (total.astype(float) + float(row[j]) * values[:, j].astype(float)).astype(np.float32)
            z[:, i] = total
        found.append(z)
        values = np.maximum(z, 0)
    return found


def samples(report, rng, count=200):
    """Points of float32 in the box [-1, 1]^n: random ones, corners, points of claims, and neighbours of all."""
    n = report.network.inputs
    points = np.array([[rng.choice((-1, 1, rng.uniform(-1, 1))) for _ in range(n)] for _ in range(count)])
    claimed = [
        v.claim["point"] for layer in report for v in layer.verdicts if isinstance((v.claim or {}).get("point"), list)
    ]
    claimed += [p for layer in report for p in layer.points]
    more = np.array([[float(Fraction(x)) for x in p] for p in claimed] or np.zeros((0, n)))
    points = np.concatenate([points, more]).astype(np.float32)
    near = np.nextafter(points, np.array([[rng.choice((-9, 9)) for _ in range(n)] for _ in points], dtype=np.float32))
    return np.clip(np.concatenate([points, near]), -1, 1)


@pytest.mark.parametrize("block", range(10))
def test_no_neuron_called_dead_in_floats_fires(block):
    """20 networks a block, summed in random orders, at points where neurons are largest and beside them."""
    rng = random.Random(900 + block)
    dead = fired = 0
    for k in range(20):
        kind = ("fine", "scaled", "few digits", "ternary")[k % 4]
        widths = rng.choice(((2, 5, 5), (3, 6, 4, 3), (1, 4, 4), (4, 6, 5)))
        layers = float_layers(rng, widths, kind)
        net = Network.from_layers([(rows, bias, "relu") for rows, bias in layers])
        report = decide(net, (-1, 1), arithmetic="float32", time=60)
        points = samples(report, rng)
        for z in (summed(layers, points, rng) for _ in range(3)):
            for v in report.floats:
                if v.status == DEAD:
                    assert z[v.layer - 1][:, v.neuron].max() <= 0, (kind, v)
        dead += len(report.floats.dead)
        for v in report.floats:
            assert (v.status in (DEAD, REALS_ONLY, OPEN)) == ((v.layer, v.neuron) in report.dead)
            if v.status == REALS_ONLY:
                fired += 1
                exact = net.pre_activations(v.point, v.layer)[-1][v.neuron]
                assert exact <= 0
                assert all(-1 <= x <= 1 and np.float32(float(x)) == x for x in v.point)
    assert dead > 20


@pytest.mark.parametrize("name", TYPES)
def test_errors_are_bounded(name):
    """Exact values beside values in floats, in several orders; parameters that are no numbers of the type as well."""
    rng, kind = random.Random(5), float_type(name)
    most = 0.0
    for k in range(30):
        layers = families.network(rng, rng.choice(((2, 4, 3), (3, 9, 5, 2), (20, 3, 3))), ("rational", "scaled")[k % 2])
        if k % 3 == 0:
            layers = [([[Fraction(kind.rounded(np.array([float(w)]))[0]) for w in row] for row in rows],
                       [Fraction(kind.rounded(np.array([float(b)]))[0]) for b in bias]) for rows, bias in layers
                      if k % 2 == 0] or layers  # fmt: skip
        net, n = families.as_network(layers), len(layers[0][0][0])
        sides = [(Fraction(-1), Fraction(3, 4))] * n
        points = kind.rounded(np.array([[rng.uniform(-1, 0.75) for _ in range(n)] for _ in range(12)]))
        exact = [net.pre_activations([Fraction(x) for x in p]) for p in points.tolist()]
        high = [np.array([max(float(z[at][i]) for z in exact) * 1.001 + 1e-9 for i in range(w)])
                for at, w in enumerate(net.widths)]  # fmt: skip
        # upper bounds that hold at these points: the errors then hold there
        found = list(errors(net, kind, sides, high, net.depth))
        for layer, own in enumerate(found, 1):
            evaluate = Evaluator(net, kind, layer)
            for order in ("stored", "reversed", "random"):
                z = evaluate(points, order, k)
                for p, values in enumerate(exact):
                    for i, right in enumerate(values[layer - 1]):
                        if not np.isfinite(own.bound[i]):
                            continue
                        off = abs(Fraction(float(z[p, i])) - right)
                        assert off <= Fraction(float(own.bound[i])), (k, layer, i, order)
                        most = max(most, float(off) / float(own.bound[i])) if own.bound[i] else most
                        if own.silent[i]:
                            assert z[p, i] <= 0
    assert most > 0.02  # the bounds are of the right size


def test_a_supremum_of_0_that_fires_is_shown():
    """x + x - 2x with rounded weights: 0 over the reals, positive in float32 for some x."""
    a, b = Fraction(float(np.float32(0.3))), Fraction(float(np.float32(0.3) * np.float32(1 + 2**-22)))
    assert float(a + b) == np.float32(float(a + b))
    net = Network.from_layers([([[1], [1], [1]], [0, 0, 0], "relu"), ([[a, b, -a - b]], [0], "relu")])
    report = decide(net, (0, 1), arithmetic="float32")
    v = report.floats[2, 0]
    assert (v.status, v.upper) == (REALS_ONLY, 0)
    (x,) = v.point
    assert net.pre_activations([x])[1][0] == 0
    x = np.float32(float(x))
    terms = [np.float32(float(w)) * x for w in (a, b, -a - b)]
    sums = [terms[i] + terms[j] + terms[k] for i, j, k in ((0, 1, 2), (1, 2, 0), (0, 2, 1))]
    assert max(sums) > 0
    assert "fires, " in str(report.floats)
    assert report.floats.dead == []


def test_what_the_file_computes_in_several_steps_is_said():
    """3 (x / 3) - x - 3e-8 is negative, but in floats 3 (x / 3) is not x: a network of single steps is meant."""
    third, b = np.float32(1) / np.float32(3), np.float32(-3.1e-8)
    steps = [([[third], [-1]], [0, 0], "none"), ([[3, 1]], [b], "relu")]
    floats = decide(Network.from_layers(steps), (0, 1), arithmetic="float32").floats
    x = np.random.default_rng(0).random(1000, dtype=np.float32)
    assert ((x * third) * np.float32(3) + x * np.float32(-1) + b > 0).any()
    (note,) = floats.notes
    assert note.startswith(
        "layer 1: several linear maps in the file were made one: what is bounded is the network whose"
    )
    once = [([[third], [-1]], [0, 0], "relu"), ([[3, 1]], [b], "relu"), ([[1]], [0], "none"), ([[2]], [1], "none")]
    assert not decide(Network.from_layers(once), (0, 1), arithmetic="float32").floats.notes


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([("MatMul", "x w", "h"), ("Add", "h b", "z")], 0),
        ([("Gemm", "x w b", "z")], 0),
        ([("Concat", "x c", "h"), ("MatMul", "h v", "z")], 0),
        ([("Gemm", "x w b", "h"), ("Relu", "h", "r"), ("MatMul", "r w", "k"), ("Add", "k x", "z")], 0),
        ([("MatMul", "x w", "h"), ("Add", "h x", "z")], 1),  # a product and x of the same input
        ([("Concat", "x x", "h"), ("MatMul", "h v", "z")], 1),
        ([("Add", "x b", "h"), ("MatMul", "h w", "z")], 1),
        ([("Gemm", "x w b", "h"), ("Add", "h b", "z")], 1),
        ([("Gemm", "x w b", "h"), ("Gemm", "h w", "z")], 1),
    ],
)
def test_one_sum_of_products_or_several(tmp_path, nodes, said):
    onnx, graphs = pytest.importorskip("onnx"), pytest.importorskip("graphs")
    made = [graphs.node(name, *places, **({"axis": 1} if name == "Concat" else {})) for name, *places in nodes]
    constants = {"w": [[1, -2], [3, 1]], "v": [[1, 2], [2, -1], [-3, 1], [1, 1]], "b": [1, 2], "c": [[0, 0]]}
    arrays = {name: np.array(array, dtype=np.float32) for name, array in constants.items()}
    path = str(tmp_path / "m.onnx")
    onnx.save(graphs.model([*made, graphs.node("Relu", "z", "y")], arrays, (1, 2)), path)
    assert len(decide(path, (-1, 1), arithmetic="float32").floats.notes) == said


def test_signs_are_kept_by_rounding_and_no_error_matters():
    net = Network.from_layers([([[1e30, 0]], [0], "relu"), ([[-3], [0], [-1]], [0, 0, 1e-40], "relu")])
    found = decide(net, [(0, None), (0, 1)], arithmetic="float32").floats
    assert found[2, 0].status == found[2, 1].status == DEAD
    assert found[2, 0].error == np.inf
    assert found[2, 2].status == "alive over the reals"


def test_rows_and_generators_bound_inputs_as_well():
    net = Network.from_layers([([[1, 1]], [-3], "relu"), ([[1]], [0], "relu")])
    diamond = Polyhedron.from_rows([[1, a, b] for a in (1, -1) for b in (1, -1)])
    corners = Polyhedron.from_generators([[1, 0], [0, 1], [-1, 0], [0, -1]])
    for domain in (diamond, corners, Polyhedron.box([(-1, 1)] * 2)):
        found = decide(net, domain, arithmetic="float32").floats
        assert found.dead == [(1, 0), (2, 0)]
        assert 0 < found[1, 0].error < 1e-5
    endless = decide(net, Polyhedron.from_rows([[1, -1, -1]]), arithmetic="float32").floats
    assert endless[1, 0].error == np.inf
    assert endless[1, 0].status == OPEN
    points = decide(net, FiniteSet.of([[0.5, 0.25], [1, 2]]), arithmetic="float32").floats
    assert (points[1, 0].status, points[1, 0].upper) == (OPEN, 0)


def test_what_may_overflow_has_no_bound():
    net = Network.from_layers([([[3e38, -3e38, -3e38]], [-3e38], "relu"), ([[1]], [-1], "relu")])
    found = decide(net, (0, 1), arithmetic="float32").floats
    assert found[1, 0].error == np.inf
    assert found[1, 0].status != DEAD  # -3e38 - 3e38 is infinite in float32
    assert decide(net, (0, 0.01), arithmetic="float32").floats[1, 0].status == DEAD


def test_margins_are_claims_that_the_judge_accepts():
    """Where the range is not low enough, z <= -error is proved by a tree."""
    rng = random.Random(2)
    proved, sides = 0, (-0.1, 0.1)
    for _ in range(6):  # in eleven inputs suprema are not computed
        layers = float_layers(rng, (11, 6, 6, 6), "fine")
        net = Network.from_layers([(rows, bias, "relu") for rows, bias in layers])
        report = decide(net, sides, arithmetic="float16", time=60)
        claimed = [v for v in report.floats if v.claim is not None]
        proved += len(claimed)
        for v in claimed:
            assert v.upper == -Fraction(v.error) == Fraction(v.claim["bound"])
            assert v.status == DEAD
        assert check(report.floats.certificates, net, sides) == len(claimed)
    assert proved > 5
    with pytest.raises(InputError, match="piece by piece"):
        decide(net, Union.of([Polyhedron.box([(0, 1)] * 11)] * 2), arithmetic="float32")
    with pytest.raises(InputError, match="'float8' is not known"):
        decide(net, (0, 1), arithmetic="float8")


def test_growth_is_rounded_upward():
    for digits, count in ((24, 1), (24, 1000), (11, 787), (8, 3000), (8, 0)):
        true = (1 + Fraction(1, 1 << digits)) ** count
        assert true <= growth(Fraction(1, 1 << digits), count) <= true * (1 + Fraction(1, 1 << 50))
    assert growth(Fraction(1, 256), 10**9) > 1 << 600


def test_numbers_are_rounded_as_numpy_and_torch_do():
    random_ = np.random.default_rng(0)
    values = np.concatenate(
        [random_.normal(size=500), np.ldexp(random_.normal(size=2000), random_.integers(-160, 130, 2000))]
    )
    ties = np.float32(random_.normal(size=200)).astype(float)
    values = np.concatenate([values, (ties + np.nextafter(np.float32(ties), np.float32(9)).astype(float)) / 2, [0.0]])
    with np.errstate(over="ignore"):
        assert (ARITHMETICS["float32"].rounded(values) == values.astype(np.float32)).all()
        assert (ARITHMETICS["float16"].rounded(values) == values.astype(np.float16)).all()
        single = values.astype(np.float32)
    torch = pytest.importorskip("torch")
    kind = ARITHMETICS["bfloat16"]
    right = torch.from_numpy(single).to(torch.bfloat16).to(torch.float64).numpy()
    normal = abs(single) >= 1e-37
    assert (kind.rounded(single.astype(float)) == right)[normal].all()


def test_bfloat16_sums_are_those_of_torch():
    """One product and one sum at a time: torch rounds each to bfloat16."""
    torch = pytest.importorskip("torch")
    rng = random.Random(1)
    layers = float_layers(rng, (4, 6), "fine")
    net = Network.from_layers([(rows, bias, "relu") for rows, bias in layers])
    kind = ARITHMETICS["bfloat16"]
    points = kind.rounded(np.array([[rng.uniform(-1, 1) for _ in range(4)] for _ in range(50)]))
    found = Evaluator(net, kind, 1)(points)
    x = torch.tensor(points, dtype=torch.bfloat16)
    for i, (row, b) in enumerate(zip(*layers[0], strict=True)):
        total = torch.zeros(50, dtype=torch.bfloat16)
        for j, w in enumerate(row):
            total = total + torch.tensor(float(w), dtype=torch.bfloat16) * x[:, j]
        total = total + torch.tensor(float(b), dtype=torch.bfloat16)
        assert (found[:, i] == total.to(torch.float32).numpy()).all()


def test_onnxruntime_agrees():
    """No neuron called dead in floats fires there either, on 20 networks and 20,000 points each."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from geomrelu.deadness.in_floats import by_onnxruntime

    rng, random_ = random.Random(77), np.random.default_rng(1)
    dead = 0
    for k in range(20):
        layers = float_layers(rng, (3, 6, 10), ("fine", "few digits")[k % 2])
        net = Network.from_layers([(rows, bias, "relu") for rows, bias in layers])
        report = decide(net, (-1, 1), arithmetic="float32")
        points = np.concatenate([samples(report, rng), random_.uniform(-1, 1, (20_000, 3)).astype(np.float32)])
        for layer in (1, 2):
            z = by_onnxruntime(net, layer, points)
            for v in report.floats:
                if v.layer == layer and v.status == DEAD:
                    assert z[:, v.neuron].max() <= 0
                    dead += 1
    assert dead > 20


def test_command(capsys, tmp_path):
    model = tmp_path / "m.json"
    model.write_text(json.dumps({"layers": [
        {"weights": [[1, 0], [0, 1]], "bias": [0, 0]}, {"weights": [[1, 1], [1, -1]], "bias": [-3, 0]}]}))  # fmt: skip
    arguments = ["decide", str(model), "--domain", "box:0,1", "--arithmetic", "float32"]
    code, text, _ = run(capsys, *arguments)
    assert code == 0
    assert "Layer 2 in float32: 1 dead in floats too, 1 alive" in text
    code, text, _ = run(capsys, *arguments, "--ranges", "--format", "json")
    data = json.loads(text)
    assert [v["status"] for v in data["floats"]["neurons"]] == [
        "alive over the reals",
        "alive over the reals",
        DEAD,
        "alive over the reals",
    ]
    assert data["floats"]["arithmetic"] == "float32"
    assert data["ranges"]["fixed"][-1] == [2, 0, "dead"]


def test_other_activations_are_refused():
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.LeakyReLU(), torch.nn.Linear(3, 1))
    with pytest.raises(InputError, match="layer 1 is a LeakyReLU: rounding is bounded for ReLU layers only"):
        decide(model, (0, 1), arithmetic="float32")


def least_not_below(value, kind):
    """The least NumPy number of a type that is not below a fraction, by walking from a number nearby."""
    with np.errstate(all="ignore"):
        x = kind(np.clip(float(value), -np.finfo(kind).max, np.finfo(kind).max))
        while np.isfinite(x) and Fraction(float(x)) < value:
            x = np.nextafter(x, kind(np.inf))
        while np.isfinite(y := np.nextafter(x, kind(-np.inf))) and Fraction(float(y)) >= value:
            x = y
    return float(x)


@pytest.mark.parametrize(("name", "kind"), [("float16", np.float16), ("float32", np.float32)])
def test_numbers_of_a_type_are_found(name, kind):
    own, rng = float_type(name), np.random.default_rng(0)
    values = [Fraction(v) for v in (0, "1/10", "-1/10", "1/3", 65504, 65505, -65505, 65519, -65504, -70000, 2**24 + 1)]
    values += [s * Fraction(2) ** e for s in (1, -1) for e in (-150, -149, -126, -25, -24, -14, 16, 128)]
    values += [Fraction(rng.normal()) * Fraction(10) ** int(e) for e in rng.integers(-50, 45, 60)]
    for value in values:
        assert _above(value, own) == least_not_below(value, kind)
        with np.errstate(all="ignore"):
            near = kind(float(value)) if abs(value) < 1e300 else kind(np.inf)
        assert own.has(value) == (bool(np.isfinite(near)) and Fraction(float(near)) == value)


@pytest.mark.parametrize(
    ("name", "limit"), [("float16", 65520), ("float32", 2**128 - 2**103), ("bfloat16", 2**128 - 2**119)]
)
def test_what_a_type_cannot_hold_is_refused_in_one_line(name, limit, capsys, tmp_path):
    """Half of a last place above the largest number a parameter becomes infinite; NumPy and PyTorch say the same."""

    def layers(first, second):
        return [([[1, 1]], [0], "relu"), ([[1]], [-1], "relu"), ([[first]], [second], "relu")]

    assert decide(layers(limit - 1, -(limit - 1)), (0, 1), arithmetic=name).floats.arithmetic == name
    assert decide(layers(limit, 1), (0, 1), [1, 2], arithmetic=name).floats.arithmetic == name  # not asked about it
    for first, second, said in ((limit, 0, "a parameter is"), (-limit, limit, "2 parameters are")):
        with pytest.raises(
            InputError, match=f"^layer 3: {said} infinite in {name}, whose largest number is [0-9.e+]+$"
        ):
            decide(layers(first, second), (0, 1), arithmetic=name)
    net, third = layers(1, 0), Fraction(1, 3)
    for sides in (
        [(0, 1), (third, third)],
        [(0, 1), (third, third + Fraction(1, 2**40))],
        [(0, 1), (limit, 2 * limit)],
    ):
        with pytest.raises(InputError, match=f"^input 1 of the domain lies in .*, where there is no {name} number$"):
            decide(net, sides, arithmetic=name)
    wide = decide(net, [(0, 1), (-10 * limit, 0)], arithmetic=name)  # its numbers of the type are many
    assert wide.floats.arithmetic == name
    with pytest.raises(InputError, match=f"no point of the domain consists of {name} numbers"):
        decide(net, FiniteSet.of([[third, 1], [1, third]]), arithmetic=name)
    assert decide(net, FiniteSet.of([[third, 1], [1, 1]]), arithmetic=name).floats.arithmetic == name
    (tmp_path / "m.json").write_text(json.dumps({"layers": [
        {"weights": [[str(limit), 1]], "bias": [0]}, {"weights": [[1]], "bias": [0]}]}))  # fmt: skip
    code, out, err = run(capsys, "decide", str(tmp_path / "m.json"), "--domain", "box:0,1", "--arithmetic", name)
    assert code == 2 and not out and err.startswith("geomrelu: error: layer 1: a parameter is") and err.count("\n") == 1


def test_the_plain_judge_refuses_a_margin_that_does_not_hold():
    net = Network.from_layers([([[1]], [0], "relu"), ([[1]], ["-1.5"], "relu")])
    judge = checker.Judge([], net.checked, Polyhedron.box([(0, 1)]).checked)
    claim = {"layer": 2, "neuron": 0, "status": "at most", "bound": "-0.5", "proof": [{"derive": [[1]]}]}
    checker.prove(claim, judge)
    with pytest.raises(checker.Rejected):
        checker.prove(claim | {"bound": "-0.5000001"}, judge)
