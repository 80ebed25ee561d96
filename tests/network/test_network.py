"""Networks against onnxruntime and against plain loops, and what survives a journey through JSON."""

from __future__ import annotations

import json
import random
from fractions import Fraction

import graphs
import numpy as np
import onnx
import oracles
import pytest

from geomrelu import checker
from geomrelu.errors import InputError
from geomrelu.exact.numbers import common
from geomrelu.io.tape import Tape, average_pooling, convolution
from geomrelu.network.network import Network

pytestmark = pytest.mark.onnx

CASES = graphs.cases()


def saved(model, folder, name="model.onnx"):
    path = folder / name
    onnx.save(model, str(path))
    return path


@pytest.mark.parametrize(("model", "tolerance"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_the_exact_forward_pass_is_that_of_onnxruntime(model, tolerance, tmp_path):
    """With small dyadic parameters float arithmetic is exact, so the outputs are equal, not close."""
    path = saved(model, tmp_path)
    net = Network.from_file(path)
    rng = np.random.default_rng(1)
    points = [graphs.eighths(rng, net.inputs).tolist() for _ in range(4)]
    for point, right in zip(points, graphs.run(path, points), strict=True):
        output = net(point)
        assert len(output) == len(right)
        assert np.array([float(v) for v in output]) == pytest.approx(right, abs=tolerance, rel=tolerance)
    read_again(net, tmp_path)


def read_again(net, folder):
    """To JSON and back: the checker's reader and the package's reader give the network with the same digest."""
    text = net.to_json()
    assert checker.Model.parse(json.loads(text)).digest() == net.digest
    path = folder / "again.json"
    path.write_text(text)
    again = Network.from_file(path)
    assert again == net
    assert again.digest == net.digest
    assert again.widths == net.widths
    point = [Fraction(k % 5 - 2, 3) for k in range(net.inputs)]
    assert again(point) == net(point)


@pytest.mark.parametrize("name", ["acasxu_1_1", "acasxu_2_1", "acasxu_3_3", "mnist_256x2", "mnist_cnn", "nano"])
def test_real_networks(name, shared, tmp_path):
    path = shared / "networks" / f"{name}.onnx"
    if not path.exists():
        pytest.skip(f"{path} is absent")
    net = Network.from_file(path)
    rng = np.random.default_rng(2)
    points = [rng.uniform(-0.5, 0.5, net.inputs).astype(np.float32).tolist() for _ in range(2)]
    for point, right in zip(points, graphs.run(path, points), strict=True):
        assert np.array([float(v) for v in net(point)]) == pytest.approx(right, abs=1e-4, rel=1e-3)
    if name.startswith(("acasxu", "nano")):
        read_again(net, tmp_path)


# ---- images against plain loops ---------------------------------------------------------------------------------


def random_window(rng):
    size, kernel = (rng.randint(3, 7), rng.randint(3, 7)), (rng.randint(1, 3), rng.randint(1, 3))
    strides, dilations = (rng.randint(1, 3), rng.randint(1, 3)), (rng.randint(1, 2), rng.randint(1, 2))
    return size, kernel, strides, [rng.randint(0, 2) for _ in range(4)], dilations


def tensor(rng, *shape):
    if not shape:
        return Fraction(rng.randint(-9, 9), rng.choice((1, 2, 3)))
    return [tensor(rng, *shape[1:]) for _ in range(shape[0])]


def flat(values):
    return [v for inner in values for v in flat(inner)] if isinstance(values, list) else [values]


def applied(map_, image):
    numerators, denominator = common(flat(image))
    return [Fraction(v, denominator * map_.denominator) for v in map_.apply(numerators, denominator)]


@pytest.mark.parametrize("seed", range(40))
def test_convolution_is_what_the_loops_say(seed):
    rng = random.Random(seed)
    size, kernel, strides, pads, dilations = random_window(rng)
    groups, per_group = rng.choice((1, 1, 2)), rng.randint(1, 2)
    out_channels = groups * rng.randint(1, 2)
    weights = tensor(rng, out_channels, per_group, *kernel)
    bias, image = tensor(rng, out_channels), tensor(rng, groups * per_group, *size)
    right = oracles.convolved(image, weights, bias, strides, pads, dilations, groups)
    if not right[0] or not right[0][0]:
        with pytest.raises(InputError, match="larger than the padded input"):
            convolution(
                np.array(weights), np.array(bias), (groups * per_group, *size), strides, pads, dilations, groups
            )
        return
    map_, shape = convolution(
        np.array(weights), np.array(bias), (groups * per_group, *size), strides, pads, dilations, groups
    )
    assert shape == (out_channels, len(right[0]), len(right[0][0]))
    assert applied(map_, image) == flat(right)


@pytest.mark.parametrize("seed", range(40))
def test_average_pooling_is_what_the_loops_say(seed):
    rng = random.Random(seed)
    size, kernel, strides, _, _ = random_window(rng)
    pads = [rng.randint(0, k - 1) for k in (*kernel, *kernel)]
    image, count = tensor(rng, 2, *size), rng.random() < 0.5
    map_, shape = average_pooling((2, *size), kernel, strides, pads, count)
    right = oracles.average_pooled(image, kernel, strides, pads, count)
    assert shape == (2, len(right[0]), len(right[0][0]))
    assert applied(map_, image) == flat(right)


# ---- structure --------------------------------------------------------------------------------------------------


def test_exact_numbers_of_a_folded_graph(tmp_path):
    """0.1f * 0.1f is the exact product of the two floats, which no float is."""
    tenth = np.float32(0.1)
    nodes = [
        graphs.node("Mul", "x a", "p"),
        graphs.node("Mul", "p b", "q"),
        graphs.node("Sub", "q a", "h"),
        graphs.node("Relu", "h", "y"),
    ]
    net = Network.from_file(saved(graphs.model(nodes, {"a": tenth, "b": tenth}, shape=(1, 1)), tmp_path))
    exact = Fraction(float(tenth))
    form = net.neuron(1, 0)
    assert (form.constant, form.slope) == (-exact, (exact * exact,))


def test_residual_and_skip_layers_read_earlier_blocks(tmp_path):
    """y = relu(W relu(x) + x) reads the inputs too; a concatenation reads all of its parts."""
    nodes = [
        graphs.node("Relu", "x", "r"),
        graphs.node("MatMul", "r w", "h"),
        graphs.node("Add", "h x", "s"),
        graphs.node("Relu", "s", "t"),
        graphs.node("Concat", "t r", "c", axis=1),
        graphs.node("MatMul", "c v", "u"),
        graphs.node("Relu", "u", "y"),
    ]
    constants = {"w": np.float32([[1, 2], [3, 4]]), "v": np.float32([[1], [0], [-1], [1]])}
    net = Network.from_file(saved(graphs.model(nodes, constants, shape=(1, 2)), tmp_path))
    assert net.widths == (2, 2, 1)
    assert net.blocks[2] == (0, 1)
    assert net.blocks[3] == (1, 2)
    assert net([1, -1]) == [1]
    assert [list(map(int, z)) for z in net.pre_activations([1, -1])] == [[1, -1], [2, 1], [1]]


def test_dead_branches_are_no_layers(tmp_path):
    nodes = [
        graphs.node("Relu", "x", "unused"),
        graphs.node("Softmax", "unused", "never"),
        graphs.node("Neg", "x", "h"),
        graphs.node("Relu", "h", "y"),
    ]
    net = Network.from_file(saved(graphs.model(nodes, outputs="y"), tmp_path))
    assert net.depth == 1
    both = Network.from_file(saved(graphs.model(nodes, outputs="y never"), tmp_path))
    assert both.depth == 2 and [port.name for port in both.reading.outputs] == ["y", "unused"]
    assert both.reading.left == ("operator Softmax (node 2, output 'never') is not supported",)


def test_layers_without_relu_are_composed():
    net = Network.from_layers([([[2, 0], [1, 1]], [1, 0], "none"), ([[1, -1]], [3], "relu"), ([[5]], [1], "none")])
    assert net.widths == (1,)
    form = net.neuron(1, 0)
    assert (form.constant, form.slope) == (4, (1, -1))
    assert net([1, 2]) == [16]
    assert net.output is not None


@pytest.mark.parametrize("ending", [".json", ".npz", ".onnx"])
@pytest.mark.parametrize("last", [[[1, 1], [0, 0]], [[0, 0], [1, 1]], [[0, 1], [1, 0]], [[1, 0], [0, 1]], [[1, 1]]])
def test_only_an_output_that_repeats_the_last_layer_is_left_out(last, ending, tmp_path):
    """Not one that reads each of its neurons once, but in another row."""
    net = Network.from_layers([([[1, 0], [0, 1]], [0, 0], "relu"), (last, [0] * len(last), "none")])
    right = [3 * a + 5 * b for a, b in last]
    assert net([3, 5]) == right
    assert (net.output is None) == (last == [[1, 0], [0, 1]])
    net.save(tmp_path / f"net{ending}")
    assert Network.from_file(tmp_path / f"net{ending}")([3, 5]) == right


def test_parameters_that_only_a_rational_holds():
    net = Network.from_layers([([["1/3", "0.1"]], ["-2/7"], "relu")])
    assert net([1, 1]) == [Fraction(1, 3) + Fraction(1, 10) - Fraction(2, 7)]
    assert net == Network.from_layers([([[Fraction(2, 6), Fraction(1, 10)]], [Fraction(-2, 7)], "relu")])
    assert net != Network.from_layers([([[1 / 3, 0.1]], [-2 / 7], "relu")])


def test_what_does_not_fit_together():
    for layers, words in (
        ([], "at least one layer"),
        ([([[1, 2]], [0], "relu"), ([[1, 2]], [0], "relu")], "layer 2 reads 2 values, but 1 come before it"),
        ([([[1, 2]], [0], "tanh")], "activation must be relu or none"),
        ([([[1, 2]], [0], "none")], "no ReLU layer"),
        ([([[1, 2], [3]], [0, 0], "relu")], "different lengths"),
        ([([[1, float("nan")]], [0], "relu")], "not a finite number"),
    ):
        with pytest.raises(InputError, match=words):
            Network.from_layers(layers)
    with pytest.raises(InputError, match="at least one input"):
        Tape(0)


def test_the_digest_is_the_judges():
    for seed, kind in enumerate(("generic", "ternary", "rational", "eighths")):
        numbers = np.random.default_rng(seed)
        weights = numbers.normal(size=(2, 6, 6)) if kind == "generic" else numbers.integers(-1, 2, size=(2, 6, 6))
        if kind == "eighths":  # all different, whole ones among them
            weights = numbers.permutation(np.arange(-36, 36) / 8).reshape(2, 6, 6)
        scale = Fraction(1, 3) if kind == "rational" else Fraction(1)
        layers = [([[Fraction(v) * scale for v in row] for row in w.tolist()], [0] * 6, "relu") for w in weights]
        for last in ([], [(*layers[-1][:2], "none")]):
            model = Network.from_layers([*layers, *last]).checked
            plain = checker.Model(model.inputs, model.layers, model.output)
            assert (model.digest(), model.whole_digest()) == (plain.digest(), plain.whole_digest())
