"""Small ONNX files that were once read as something else, or refused, with what is right; their like, made here; and
real networks."""

from __future__ import annotations

import os
import struct
from fractions import Fraction

import graphs
import numpy as np
import onnx
import pytest
from exports.kinds import compared
from graphs import node, whole
from onnx import TensorProto, helper, numpy_helper

from geomrelu import InputError, Network, Polyhedron, decide
from geomrelu.cli.main import main

pytestmark = pytest.mark.onnx

A, B = np.float32([[1, -2], [0.5, 4]]), np.float32([-0.25, 1])


def read(model, folder, **options):
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return Network.from_file(path, **options)


def mlp(*before, constants=(), shape=(1, 2), **more):
    """Nodes that make h from x, then ReLU."""
    return graphs.model([*before, node("Relu", "h", "y")], constants, shape, **more)


# ---- the shared cases ---------------------------------------------------------------------------------------------

CASES = {  # file: (inputs, widths, the layers that are the model's own)
    "abs": (4, (3,), [1]),
    "argmax_last": (4, (3,), [1]),
    "batch12": (2, (2,), [1]),
    "bf16": (5, (6,), [1]),
    "clip_min0": (4, (3,), [1]),
    "clip_relu6": (4, (3, 3), [1]),
    "convtranspose": (18, (36,), [1]),
    "dequant_weight": (4, (3,), [1]),
    "leaky_default": (4, (3,), [1]),
    "matmul_of_constants": (2, (2,), [1]),
    "max_zero": (4, (3,), [1]),
    "maxpool": (36, (32, 16, 8), [1]),
    "mid_sigmoid": (2, (2,), [1]),
    "mlp_b4": (5, (64, 64), [1, 2]),
    "mul_of_two_variables": (2, (2,), [1]),
    "pool_old": (36, (72,), [1]),
    "resize": (18, (32,), [1]),
    "sk_c3_nozip": (5, (6,), [1]),
    "skl_clf3": (3, (6,), [1]),
    "skl_pipe": (3, (6,), [1]),
    "softmax_last": (4, (3,), [1]),
    "torch_default": (5, (64, 64), [1, 2]),
    "two": (5, (6, 6, 6), [1, 2, 3]),
    "two_inputs": (2, (2,), [1]),
    "upsample_nearest9": (4, (9,), [1]),
    "where_const_cond": (2, (2,), [1]),
}
LEFT = {  # what is left out, and the ReLU layers with it
    "argmax_last": "operator ArgMax (node 5, output 'y') is not supported",
    "mid_sigmoid": "operator Sigmoid (node 3, output 's') is not supported; with it 1 ReLU layer, which read it",
    "mul_of_two_variables": "operator Mul (node 3, output 'y'): one of the factors must be constant, but depends on "
    "the input of the network",
    "sk_c3_nozip": "operator Softmax (node 7, output 'out_activations_result') is not supported",
    "skl_clf3": "operator Softmax (node 7, output 'out_activations_result') is not supported",
    "softmax_last": "operator Softmax (node 5, output 'y') is not supported",
}


def case(shared, name):
    path = shared / "cases" / "read" / name
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    return path


@pytest.mark.parametrize("name", CASES)
def test_cases(name, shared, tmp_path):
    path = case(shared, f"{name}.onnx")
    net = Network.from_file(path)
    inputs, widths, own = CASES[name]
    assert (net.inputs, net.widths, net.judged) == (inputs, widths, own)
    assert net.reading.left == ((LEFT[name],) if name in LEFT else ())
    if name == "bf16":  # onnxruntime has no kernels for it; PyTorch wrote 18-bit sums of these
        assert {v.denominator.bit_length() <= 30 for v in net.neuron(1, 0).slope} == {True}
        return
    model = onnx.load(path)
    dims = {i.name: [d.dim_value or 1 for d in i.type.tensor_type.shape.dim] for i in model.graph.input}
    if name in ("mlp_b4", "batch12"):
        rows = np.random.default_rng(0).integers(-8, 9, size=next(iter(dims.values()))) / 8
        right = run_batch(path, rows.astype(np.float32))
        for row, expected in zip(rows, right, strict=True):
            assert [float(v) for v in net(row.tolist())] == pytest.approx(expected.tolist(), abs=1e-5)
        return
    rng = np.random.default_rng(1)
    x = {p.name: (rng.integers(-8, 9, size=dims[p.name]) / 8).astype(np.float32) for p in net.reading.inputs}
    compared(model, tmp_path, x)


def run_batch(path, rows):
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: rows})[0]


def test_all_neurons_of_two_outputs_are_judged(shared):
    net = Network.from_file(case(shared, "two.onnx"))
    report = decide(net, (0, 1))
    assert len(report.verdicts) == 18 and not report.undecided
    assert [(p.name, p.size) for p in net.reading.outputs] == [("15", 2), ("18", 1)]


def test_a_batch_is_as_many_inputs_as_the_domain_numbers(shared, tmp_path, capsys):
    path = case(shared, "batch12.onnx")
    for size, neurons in ((2, 2), (24, 24)):
        names = range(size)
        text = "\n".join(
            [*(f"(declare-const X_{k} Real)" for k in names), "(declare-const Y_0 Real)",
             *(f"(assert (>= X_{k} 0))\n(assert (<= X_{k} 1))" for k in names)]
        )  # fmt: skip
        (tmp_path / "box.vnnlib").write_text(text)
        assert main(["decide", str(path), "--domain", str(tmp_path / "box.vnnlib")]) == 0
        assert f"{neurons} neurons" in capsys.readouterr().out


def test_quantised_activations_are_refused_with_the_operator(shared):
    with pytest.raises(InputError, match=r"no ReLU layer comes before .*QuantizeLinear"):
        Network.from_file(case(shared, "q_def.onnx"))


@pytest.mark.parametrize(("name", "own", "depth"), [("softmax_last_layer", [1, 2], 2), ("cnn_max_mnist", [1, 2, 5], 5)])
def test_real_networks_are_decided(name, own, depth, shared):
    path = shared / "networks" / "real" / f"{name}.onnx"
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    net = Network.from_file(path)
    assert (net.judged, net.depth) == (own, depth)
    model, port = onnx.load(path), net.reading.inputs[0]
    x = (np.random.default_rng(0).integers(0, 5, size=port.shape) / 4).astype(np.float32)
    compared(model, path.parent, x)
    box = Polyhedron.box([(Fraction(float(v)), Fraction(float(v)) + Fraction(1, 512)) for v in x.ravel()])
    report = decide(net, box, layers=None if depth == 2 else [1])
    assert [layer.layer for layer in report] == (own if depth == 2 else [1])
    assert not report.undecided and len(report.alive) > len(report.verdicts) // 4


# ---- their like ---------------------------------------------------------------------------------------------------


def test_outputs_and_layers_before_what_is_left_out(tmp_path):
    model = graphs.model(
        [
            node("Gemm", "x a b", "h"), node("Relu", "h", "r"), node("Sigmoid", "r", "s"), node("Gemm", "s a b", "g"),
            node("Relu", "g", "q"), node("LeakyRelu", "g", "l"), node("Add", "q l", "y"), node("Neg", "h", "z"),
        ],
        {"a": A, "b": B}, (1, 2), outputs="y z",
    )  # fmt: skip
    net = read(model, tmp_path)
    assert net.widths == (2,)
    assert [port.name for port in net.reading.outputs] == ["z", "r"]
    (line,) = net.reading.left
    assert line.startswith("operator Sigmoid (node 3, output 's')") and "2 ReLU layers" in line
    x = [Fraction(1), Fraction(1, 2)]
    assert net(x) == [-1, -1, 1, 1]
    report = decide(net, (0, 1))
    assert len(report.verdicts) == 2
    nothing = graphs.model([node("Sin", "x", "s"), node("Relu", "s", "y")])
    with pytest.raises(InputError, match=r"no ReLU layer comes before what is left out: operator Sin"):
        read(nothing, tmp_path)


@pytest.mark.parametrize(
    ("nodes", "constants", "kinds", "values"),
    [
        ([node("Clip", "x lo", "y")], {"lo": np.float32(0)}, [("ReLU", True)], [0, 2, 0, 9]),
        ([node("Clip", "x - hi", "y")], {"hi": np.float32(6)}, [("upper bound", False)], [-1, 2, 0, 6]),
        ([node("Clip", "x lo hi", "y")], {"lo": np.float32(-0.5), "hi": np.float32(6)},
         [("clip", True), ("upper bound", False)], [-0.5, 2, 0, 6]),
        ([node("LeakyRelu", "x", "y", alpha=0.25)], {}, [("LeakyReLU", True)], [-0.25, 2, 0, 9]),
        ([node("PRelu", "x s", "y")], {"s": np.float32([2])}, [("LeakyReLU", True)], [-2, 2, 0, 9]),
        ([node("Abs", "x", "y")], {}, [("absolute value", True)], [1, 2, 0, 9]),
        ([node("Max", "x z", "y")], {"z": np.float32(0)}, [("ReLU", True)], [0, 2, 0, 9]),
        ([node("Max", "x z", "y")], {"z": np.float32([1])}, [("clip", True)], [1, 2, 1, 9]),
        ([node("Min", "x z", "y")], {"z": np.float32([1])}, [("upper bound", False)], [-1, 1, 0, 1]),
        ([node("Neg", "x", "n"), node("Max", "x n", "y")], {}, [("maximum", False)], [1, 2, 0, 9]),
        ([node("Greater", "x z", "c"), node("Where", "c x z", "y")], {"z": np.float32(0)}, [("ReLU", True)],
         [0, 2, 0, 9]),
        ([node("Less", "x z", "c"), node("Not", "c", "d"), node("Cast", "d", "m", to=1), node("Mul", "m x", "y")],
         {"z": np.float32(0)}, [("ReLU", True)], [0, 2, 0, 9]),
        ([node("HardSigmoid", "x", "y", alpha=0.5, beta=0.5)], {}, [("ReLU", True), ("upper bound", False)],
         [0, 1, 0.5, 1]),
    ],
)  # fmt: skip
def test_what_is_piecewise_linear_is_exact_and_says_what_dead_means(nodes, constants, kinds, values, tmp_path):
    net = read(graphs.model([*nodes, node("Neg", "y", "w")], constants, outputs="w"), tmp_path)
    assert [(layer.kind, layer.own) for layer in net.reading.layers] == kinds
    assert net([-1, 2, 0, 9]) == [-Fraction(v) for v in values]
    said = "\n".join(net.reading.lines())
    assert all(kind in said for kind, _ in kinds)
    assert said.count("dead: ") == sum(kind != "ReLU" for kind, _ in kinds)


def test_jumps_are_no_relu(tmp_path):
    jump = [node("Greater", "x z", "c"), node("Where", "c x o", "h"), node("Relu", "x", "r"), node("Add", "h r", "y")]
    net = read(graphs.model(jump, {"z": np.float32(0), "o": np.float32(1)}), tmp_path)
    assert net.reading.left == ("operator Where (node 2, output 'h'): a choice that jumps is not supported",)
    assert net.widths == (4,)


def test_batches_and_first_axes_that_are_none(tmp_path):
    alone = mlp(node("Gemm", "x a b", "h"), constants={"a": A, "b": B}, shape=(5, 2))
    net = read(alone, tmp_path)
    assert (net.inputs, net.widths, net.reading.rows) == (2, (2,), 5)
    assert read(alone, tmp_path, whole_batch=True).widths == (10,)
    mixing = [node("ReduceMean", "x", "m", axes=[0], keepdims=1), node("Add", "x m", "h")]
    assert read(mlp(*mixing, shape=(3, 2)), tmp_path).inputs == 6
    own = mlp(node("Add", "x c", "h"), constants={"c": np.float32([[1, 2], [3, 4]])}, shape=(2, 2))
    assert read(own, tmp_path).inputs == 4  # each row has its own bias
    assert any("no batch" in note for note in read(own, tmp_path).reading.notes)
    assert read(mlp(node("Neg", "x", "h"), shape=(7,)), tmp_path).inputs == 7
    with pytest.raises(InputError, match=r"no batch.*shape \[n, 2\]; give its shape"):
        read(mlp(*mixing, shape=("n", 2)), tmp_path)
    assert read(mlp(*mixing, shape=("n", 2)), tmp_path, shape=(3, 2)).inputs == 6
    for shape in (("n",), (1, "m"), ("n", 2, "k")):
        with pytest.raises(InputError, match=r"unknown size.*give its shape"):
            read(mlp(node("Neg", "x", "h"), shape=shape), tmp_path)
    fixed = [node("Reshape", "x s", "f"), node("Gemm", "f a b", "h")]
    one = read(mlp(*fixed, constants={"a": A, "b": B, "s": whole(1, 2)}, shape=("n", 2)), tmp_path)
    assert one.inputs == 2 and any("one row" in note for note in one.reading.notes)


def test_several_inputs_are_numbered_in_order(tmp_path):
    model = mlp(
        node("Concat", "x u", "c", axis=1), node("Gemm", "c a", "h"), constants={"a": np.eye(3, dtype=np.float32)}
    )
    model.graph.input.append(helper.make_tensor_value_info("u", TensorProto.FLOAT, [1, 1]))
    model.graph.input.append(helper.make_tensor_value_info("unused", TensorProto.INT64, [1]))
    net = read(model, tmp_path)
    assert net([1, -2, 3]) == [1, 0, 3] and [p.name for p in net.reading.inputs] == ["x", "u"]


@pytest.mark.parametrize(
    ("opset", "outputs", "more", "fits"),
    [(6, "h", {}, False), (6, "h", {"is_test": 1}, True), (7, "h", {}, True), (9, "h m s n v", {}, False),
     (13, "h m s n v", {}, False), (14, "h", {}, True), (15, "h m s", {"training_mode": 1}, False)],
)  # fmt: skip
def test_normalisation_by_the_batch_itself_is_not_read(opset, outputs, more, fits, tmp_path):
    """Which it is, an attribute said first, then the number of outputs, then an attribute again."""
    parameters = {"a": np.float32([2, 1]), "b": B, "c": np.float32([1, 0]), "d": np.float32([1, 4])}
    nodes = [node("Relu", "x", "r"), node("BatchNormalization", "r a b c d", outputs, **more)]
    reading = read(mlp(*nodes, constants=parameters, shape=(2, 2), opset=opset), tmp_path).reading
    assert len(reading.layers) == 1 + fits and any("fixed statistics" in line for line in reading.left) != fits


@pytest.mark.parametrize(
    ("operator", "opset", "scales", "fits"),
    [("Resize", 13, (1, 1, 1, 1.3), False), ("Resize", 10, (1, 1, 1, 1.3), False),
     ("Upsample", 9, (1, 1, 1, 1.3), False), ("Resize", 13, (1, 1, 2, 1.3), True), ("Resize", 13, (1, 1, 1, 1), True)],
)  # fmt: skip
def test_scales_that_keep_every_size(operator, opset, scales, fits, tmp_path):
    """2 times 1.3 are 2 entries: a copy to inference engines, an interpolation in the standard."""
    names = "x - s" if opset == 13 else "x s"
    resize = node(operator, f"r {names[2:]}", "h", mode="linear")
    made = mlp(node("Relu", "x", "r"), resize, constants={"s": np.float32(scales)}, shape=(1, 1, 2, 2), opset=opset)
    net, points = read(made, tmp_path), [[1, 2, 4, 8]]
    if fits:
        found = graphs.run(tmp_path / "model.onnx", points)[0]
        assert np.allclose([float(v) for v in net(points[0])], found, rtol=1e-6)
    assert (len(net.widths) == 2) == fits and any("keep every size" in line for line in net.reading.left) != fits


@pytest.mark.parametrize("scale", [0.3, 0.5, 0.6, 0.9, 1, 1.5, 2])
def test_nearest_neighbours_of_operator_set_10(scale, tmp_path):
    """Where an axis shrinks, the next entry is taken, as in an example of the standard: the 1st and 3rd of 4."""
    resize = node("Resize", "x s", "h", mode="nearest")
    net = read(mlp(resize, constants={"s": np.float32([1, 1, 1, scale])}, shape=(1, 1, 1, 5), opset=10), tmp_path)
    assert net([1, 2, 3, 4, 5]) == graphs.run(tmp_path / "model.onnx", [[1, 2, 3, 4, 5]])[0].tolist()


@pytest.mark.parametrize(
    ("size", "scale", "mode", "fits"),
    [(5, 2, "floor", True), (4, 0.5, "round_prefer_ceil", True), (3, 1 / 3, "floor", False), (5, 0.6, "floor", False),
     (2, 0.75, "round_prefer_ceil", False), (7, 0.7, "ceil", True)],
)  # fmt: skip
def test_symmetric_half_pixels_that_rounding_decides(size, scale, mode, fits, tmp_path):
    """Engines add them up in several precisions; what is nearest to a coordinate that would be 1 is not known."""
    more = {"mode": "nearest", "nearest_mode": mode, "coordinate_transformation_mode": "half_pixel_symmetric"}
    nodes = [node("Relu", "x", "r"), node("Resize", "r - s", "h", **more)]
    net = read(mlp(*nodes, constants={"s": np.float32([1, scale])}, shape=(1, size), opset=19), tmp_path)
    assert (len(net.widths) == 2) == fits
    if fits:
        points = [list(range(size))]
        assert net(points[0]) == graphs.run(tmp_path / "model.onnx", points)[0].tolist()


@pytest.mark.parametrize(
    ("sizes", "mode", "fits"),
    [((7, 2), "round_prefer_ceil", False), ((7, 2), "round_prefer_floor", False), ((7, 2), "floor", True),
     ((8, 4), "round_prefer_ceil", True), ((6, 4), "round_prefer_floor", True), ((3, 7), "round_prefer_ceil", True)],
)  # fmt: skip
def test_almost_in_the_middle_between_two_entries(sizes, mode, fits, tmp_path):
    """1 / (2 / 7) is 3.4999998 in floats, and newer engines take that for 3 1/2."""
    more = {"mode": "nearest", "nearest_mode": mode, "coordinate_transformation_mode": "asymmetric"}
    nodes = [node("Relu", "x", "r"), node("Resize", "r - - s", "h", **more)]
    net = read(mlp(*nodes, constants={"s": whole(1, sizes[1])}, shape=(1, sizes[0]), opset=18), tmp_path)
    assert (len(net.widths) == 2) == fits
    if fits:
        points = [list(range(sizes[0]))]
        assert net(points[0]) == graphs.run(tmp_path / "model.onnx", points)[0].tolist()


@pytest.mark.parametrize(("scale", "width", "read"), [(0.6, 4, False), (0.75, 4, True), (4 / 3, 3, True), (2, 3, True)])
def test_aligned_corners_of_a_part_of_an_entry(scale, width, read, tmp_path):
    """4 entries times 0.6 are 2.4: what the last of them is aligned with, the standard says in two ways."""
    nodes = [node("Relu", "x", "r"), node("Resize", "r - s", "h", mode="linear",
             coordinate_transformation_mode="align_corners"), node("Relu", "h", "y")]  # fmt: skip
    model = graphs.model(nodes, {"s": np.float32([1, 1, 1, scale])}, (1, 1, 1, width))
    trace = compared(model, tmp_path, np.float32(range(width)).reshape(1, 1, 1, width))
    assert [("align_corners" in line) for line in trace.left] == ([] if read else [True])


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [([node("Squeeze", "x", "s"), node("CumSum", "s zero", "h")], "there is no axis 0"),
     ([node("CumSum", "x two", "h")], "there is no axis 2"), ([node("CumSum", "x none", "h")], "must be one number"),
     ([node("Squeeze", "x", "s"), node("Trilu", "s", "h")], "has no triangle")],
)  # fmt: skip
def test_axes_that_are_not_there(nodes, reason, tmp_path):
    constants = {"zero": np.int64(0), "two": np.int64(2), "none": whole()}
    with pytest.raises(InputError, match=reason):
        read(mlp(*nodes, constants=constants, shape=(1, 1)), tmp_path)


def test_slopes_of_old_operator_sets_are_one_for_each_channel(tmp_path):
    def slopes(opset):
        made = mlp(node("PRelu", "x s", "h"), constants={"s": np.float32([0.5, 2])}, shape=(1, 2, 1, 2), opset=opset)
        made.graph.node.pop()
        made.graph.output[0].name = "h"
        return [float(v) for v in read(made, tmp_path)([-1, -1, -1, -1])]

    assert slopes(6) == [-0.5, -0.5, -2, -2] and slopes(7) == [-0.5, -2, -0.5, -2]


@pytest.mark.parametrize(
    ("opset", "more", "fits"),
    [(6, {}, False), (6, {"is_test": 1}, True), (6, {"ratio": 0.0}, True), (7, {}, True), (12, {}, True)],
)
def test_dropout_that_drops(opset, more, fits, tmp_path):
    """Up to operator set 6 it drops entries unless an attribute says that it is a test."""
    nodes = [node("Relu", "x", "r"), node("Dropout", "r", "h", **more)]
    reading = read(mlp(*nodes, opset=opset), tmp_path).reading
    assert len(reading.layers) == 1 + fits and any("training mode" in line for line in reading.left) != fits


@pytest.mark.parametrize("operator", ["ReduceL1", "ReduceSum", "ReduceMean", "ReduceMax"])
def test_reductions_over_no_axes_at_all(operator, tmp_path):
    """No sum is taken then, but the sizes of the entries still are."""
    net = read(mlp(node(operator, "x", "h", noop_with_empty_axes=1), opset=18), tmp_path)
    for point in ([-2, 1], [3, -0.5]):
        assert net(point) == graphs.run(tmp_path / "model.onnx", [point])[0].tolist()


@pytest.mark.parametrize(
    ("operator", "opset", "attributes", "fits"),
    [("Softmax", 11, {"axis": 1}, False), ("Softmax", 13, {"axis": 1}, True), ("LogSoftmax", 12, {}, False),
     ("Hardmax", 13, {}, True), ("LRN", 13, {"size": 3}, False), ("LpNormalization", 13, {"p": 1}, False),
     ("ReduceLogSumExp", 13, {"axes": [1]}, True), ("Erf", 13, {}, True)],
)  # fmt: skip
def test_constants_that_the_package_onnx_computes_as_engines_do(operator, opset, attributes, fits, tmp_path):
    """Softmax of old operator sets goes over all axes from one on; the package takes it for the newer one."""
    array = np.random.default_rng(0).normal(size=(1, 2, 3, 2)).astype(np.float32)
    nodes = [node("Relu", "x", "r"), node(operator, "w", "v", **attributes), node("Add", "r v", "h")]
    net = read(mlp(*nodes, constants={"w": array}, shape=(1, 2, 3, 2), opset=opset), tmp_path)
    assert (len(net.widths) == 2) == fits
    if fits:
        points = [np.ones(12), np.arange(12) - 6]
        for point, right in zip(points, graphs.run(tmp_path / "model.onnx", points), strict=True):
            assert np.allclose([float(v) for v in net(point.tolist())], right, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("floor", [False, True])
def test_sizes_computed_in_floats(floor, tmp_path):
    """As PyTorch writes `interpolate`: 10 times the float 0.7 is 7 in floats, though a little less exactly."""
    nodes = [node("Shape", "x", "n"), node("Cast", "n", "f", to=1), node("Mul", "f c", "g")]
    nodes += [node("Floor", "g", "e")] * floor + [node("Cast", "e" if floor else "g", "i", to=7)]
    model = mlp(
        *nodes, node("Slice", "x o i", "h"), constants={"c": np.float32([1, 0.7]), "o": whole(0, 0)}, shape=(1, 10)
    )
    net = read(model, tmp_path)
    assert net.widths == (7,) == (len(graphs.run(tmp_path / "model.onnx", [np.ones(10)])[0]),)


@pytest.mark.parametrize(
    ("size", "steps", "right"),
    [(14, [("Div", 1 / 3), ("Div", 0.3), ("Div", 10), ("Floor", None)], 14), (20, [("Div", 3), ("Mul", 0.9)], 5),
     (18, [("Mul", 0.7), ("Sub", -0.5), ("Sub", 0.1)], 12), (27, [("Mul", 0.5), ("Ceil", None)], 14)],
)  # fmt: skip
def test_sizes_computed_in_several_steps(size, steps, right, tmp_path):
    """Each step is rounded, as engines do it; rounded only once, at the end, the second would be 6."""
    nodes = [node("Shape", "x", "n"), node("Gather", "n one", "k"), node("Cast", "k", "f0", to=1)]
    constants = {"one": whole(1), "o": whole(0)}
    for k, (operator, value) in enumerate(steps):
        nodes.append(node(operator, f"f{k}" if value is None else f"f{k} c{k}", f"f{k + 1}"))
        constants |= {} if value is None else {f"c{k}": np.float32(value)}
    nodes += [node("Cast", f"f{len(steps)}", "i", to=7), node("Slice", "x o i one", "h")]
    net = read(mlp(*nodes, constants=constants, shape=(1, size)), tmp_path)
    assert net.widths == (right,) == (len(graphs.run(tmp_path / "model.onnx", [np.ones(size)])[0]),)


def test_computed_constants_are_rounded_by_a_cast_to_half_precision(tmp_path):
    nodes = [node("Mul", "w c", "v"), node("Cast", "v", "h16", to=10), node("Cast", "h16", "k", to=1)]
    nodes.append(node("MatMul", "x k", "h"))
    constants = {"w": np.float32([[1], [3]]), "c": np.float32(0.1)}
    found = read(mlp(*nodes, constants=constants), tmp_path).neuron(1, 0).slope
    assert found == tuple(Fraction(float(np.float16(w * np.float32(0.1)))) for w in np.array([1, 3], np.float32))


@pytest.mark.parametrize(
    ("first", "then", "shown"),
    [
        (TensorProto.FLOAT, TensorProto.FLOAT16, "float16"),
        (TensorProto.DOUBLE, TensorProto.FLOAT, "float32"),
        (TensorProto.FLOAT, TensorProto.DOUBLE, "float32"),  # back at the end
    ],
)
def test_casts_between_layers_are_read_over_the_reals_with_a_note(first, then, shown, tmp_path):
    constants = {name: A.astype(helper.tensor_dtype_to_np_dtype(kind)) for name, kind in (("v", first), ("w", then))}
    nodes = [node("Cast", "x", "d", to=first), node("MatMul", "d v", "a"), node("Relu", "a", "r")]
    nodes += [node("Cast", "r", "c", to=then), node("MatMul", "c w", "g"), node("Cast", "g", "h", to=TensorProto.FLOAT)]
    net = read(mlp(*nodes, constants=constants), tmp_path)
    assert net.widths == (2, 2) and not net.reading.left
    (note,) = net.reading.notes
    assert f"the model casts values to {shown}, which may round them" in note
    for x in ([1, -2], [0.25, 3], [-1, -0.5]):  # nothing is rounded
        assert [float(v) for v in net(x)] == graphs.run(tmp_path / "model.onnx", [np.float32(x)])[0].ravel().tolist()


def test_layouts_of_one_processor_are_refused_with_what_to_do(tmp_path):
    for domain in ("com.microsoft.nchwc", "mine"):
        conv = node("Conv", "x", "h")
        conv.domain = domain
        with pytest.raises(InputError, match=rf"Conv \(node 1.* is not supported in the domain '{domain}'") as caught:
            read(mlp(conv), tmp_path)
        assert ("ORT_ENABLE_EXTENDED" in str(caught.value)) == (domain != "mine")


def test_hard_swish_is_left_out(tmp_path):
    nodes = [node("MatMul", "x w", "a"), node("Relu", "a", "r"), node("HardSwish", "r", "h")]
    net = read(mlp(*nodes, constants={"w": A}), tmp_path)
    assert net.widths == (2,) and "operator HardSwish (node 3, output 'h') is not supported" in net.reading.left[0]


# ---- how files hold numbers ---------------------------------------------------------------------------------------

SMALL = {  # element type: bit patterns and their values
    TensorProto.BFLOAT16: ("<u2", {0x3F80: 1, 0xC040: -3, 0x0001: Fraction(1, 2**133)}),
    TensorProto.FLOAT16: ("<u2", {0x3C00: 1, 0xC200: -3, 0x0001: Fraction(1, 2**24)}),
    TensorProto.FLOAT8E4M3FN: ("u1", {0x38: 1, 0xC4: -3, 0x01: Fraction(1, 2**9), 0x7E: 448}),
    TensorProto.FLOAT8E4M3FNUZ: ("u1", {0x40: 1, 0xCC: -3, 0x01: Fraction(1, 2**10)}),
    TensorProto.FLOAT8E5M2: ("u1", {0x3C: 1, 0xC2: -3, 0x01: Fraction(1, 2**16)}),
    TensorProto.FLOAT8E5M2FNUZ: ("u1", {0x40: 1, 0xC6: -3, 0x01: Fraction(1, 2**17)}),
}


@pytest.mark.parametrize("kind", SMALL)
def test_narrow_floats_are_what_their_bits_say(kind, tmp_path):
    dtype, patterns = SMALL[kind]
    tensor = TensorProto(name="w", data_type=kind, dims=[len(patterns), 1])
    tensor.raw_data = np.array(list(patterns), dtype=dtype).tobytes()
    typed = TensorProto(name="w", data_type=kind, dims=[len(patterns), 1])
    typed.int32_data.extend(patterns)
    for proto in (tensor, typed):
        model = mlp(node("Cast", "w", "v", to=1), node("MatMul", "x v", "h"), shape=(1, len(patterns)))
        if kind not in (TensorProto.BFLOAT16, TensorProto.FLOAT16):
            model.graph.node[0].op_type = "Identity"
            del model.graph.node[0].attribute[:]
        model.graph.initializer.append(proto)
        assert read(model, tmp_path).neuron(1, 0).slope == tuple(patterns.values())


def test_four_bits_and_no_numbers(tmp_path):
    if not hasattr(TensorProto, "FLOAT4E2M1"):
        pytest.skip("this release of onnx has no floats of four bits")

    def model(kind, data, count):
        made = mlp(node("MatMul", "x w", "h"), shape=(1, count))
        made.graph.initializer.append(TensorProto(name="w", data_type=kind, dims=[count, 1], raw_data=data))
        return made

    for kind, values in (
        (TensorProto.INT4, (1, -2, 7, -8, 3)),
        (TensorProto.UINT4, (1, 14, 7, 8, 3)),
        (TensorProto.FLOAT4E2M1, (Fraction(1, 2), -4, 6, 0, Fraction(3, 2))),
    ):
        assert read(model(kind, bytes([0xE1, 0x87, 0x03]), 5), tmp_path).neuron(1, 0).slope == values
    for kind, data in (
        (TensorProto.FLOAT8E4M3FN, b"\x7f"),
        (TensorProto.FLOAT8E5M2, b"\x7c"),
        (TensorProto.FLOAT, b"\0\0\x80\x7f"),
    ):
        with pytest.raises(InputError, match="not a finite number"):
            read(model(kind, data, 1), tmp_path)
    with pytest.raises(InputError, match="3 bytes for 4 entries"):
        read(model(TensorProto.FLOAT8E5M2, b"abc", 4), tmp_path)


def test_float_data_are_read_bit_by_bit(tmp_path):
    bits = struct.pack("<f", 1e-45)
    made = mlp(node("MatMul", "x w", "h"))
    made.graph.initializer.append(
        helper.make_tensor("w", TensorProto.FLOAT, [2, 1], [np.frombuffer(bits, "<f4")[0], 2])
    )
    assert read(made, tmp_path).neuron(1, 0).slope == (Fraction(1, 2**149), 2)


def test_sparse_initializers(tmp_path):
    for indices in (np.array([1, 2]), np.array([[0, 1], [1, 0]])):
        made = mlp(node("MatMul", "x w", "h"))
        sparse = made.graph.sparse_initializer.add(dims=[2, 2])
        sparse.values.CopyFrom(numpy_helper.from_array(np.float32([3, -4]), "w"))
        sparse.indices.CopyFrom(numpy_helper.from_array(indices, "i"))
        net = read(made, tmp_path)
        assert [net.neuron(1, i).slope for i in (0, 1)] == [(0, -4), (3, 0)]
    sparse.indices.CopyFrom(numpy_helper.from_array(np.array([1, 9]), "i"))
    with pytest.raises(InputError, match="'w' is not a sparse tensor"):
        read(made, tmp_path)


def test_nodes_in_any_order_and_functions(tmp_path):
    made = graphs.model(
        [node("Relu", "h", "y"), node("Gemm", "t a b", "h"), node("Neg", "x", "t")], {"a": A, "b": B}, (1, 2)
    )
    right = read(
        graphs.model(
            [node("Neg", "x", "t"), node("Gemm", "t a b", "h"), node("Relu", "h", "y")], {"a": A, "b": B}, (1, 2)
        ),
        tmp_path,
    )
    assert read(made, tmp_path) == right
    inner = helper.make_function(
        "own", "Scaled", ["v"], ["w"], [node("LeakyRelu", "v", "w")], [helper.make_opsetid("", 17)], ["slope"]
    )
    reference = onnx.AttributeProto(name="alpha", ref_attr_name="slope", type=onnx.AttributeProto.FLOAT)
    inner.node[0].attribute.append(reference)
    outer = helper.make_function(
        "own", "Twice", ["v"], ["w"],
        [helper.make_node("Scaled", ["v"], ["t"], domain="own", slope=0.5),
         helper.make_node("Scaled", ["t"], ["w"], domain="own", slope=0.25)],
        [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)],
    )  # fmt: skip
    made = graphs.model([helper.make_node("Twice", ["x"], ["t"], domain="own"), node("Neg", "t", "y")])
    made.functions.extend([inner, outer])
    made.opset_import.append(helper.make_opsetid("own", 1))
    net = read(made, tmp_path)
    assert net([-8, 8, 0, -1]) == [1, -8, 0, Fraction(1, 8)]
    compared(made, tmp_path, np.float32([[-8, 8, 0, -1]]))
    endless = helper.make_function(
        "own", "Twice", ["v"], ["w"], [helper.make_node("Twice", ["v"], ["w"], domain="own")], []
    )
    del made.functions[:]
    made.functions.append(endless)
    with pytest.raises(InputError, match="nested too deeply"):
        read(made, tmp_path)


def external(location, tmp_path, offset="0", length="16"):
    made = mlp(node("MatMul", "x w", "h"))
    tensor = made.graph.initializer.add(name="w", data_type=TensorProto.FLOAT, dims=[2, 2], data_location=1)
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=value)
    return read(made, tmp_path)


def test_external_data_stay_in_the_folder(tmp_path):
    secret = tmp_path / "secret.bin"
    secret.write_bytes(A.tobytes() * 2)
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "w.bin").write_bytes(b"1234" + A.tobytes())
    (folder / "sub" / "w.bin").write_bytes(A.tobytes())
    assert external("w.bin", folder, "4").neuron(1, 0).slope == (1, 0.5)
    assert external("sub/w.bin", folder).neuron(1, 1).slope == (-2, 4)
    os.symlink(secret, folder / "link.bin")
    os.symlink(tmp_path, folder / "up")
    for bad in ("../secret.bin", str(secret), "link.bin", "up/secret.bin", "", ".", "sub/../../secret.bin"):
        with pytest.raises(InputError, match="not in the folder"):
            external(bad, folder)
    for location, offset, length in (("w.bin", "8", "16"), ("w.bin", "-4", "16"), ("w.bin", "0", "99999999999999")):
        with pytest.raises(InputError, match="does not hold bytes"):
            external(location, folder, offset, length)
    for location, words in (("none.bin", "not there"), ("sub", "not there"), ("w.bin\0", "not in the folder")):
        with pytest.raises(InputError, match=words):
            external(location, folder)
    with pytest.raises(InputError, match="whole numbers"):
        external("w.bin", folder, "a")
    with pytest.raises(InputError, match="12 bytes for 4 entries"):
        external("w.bin", folder, "0", "12")


def test_branches_that_a_constant_chooses(tmp_path):
    branches = [
        helper.make_graph([node(kind, "x", name)], name, [], [helper.make_tensor_value_info(name, 1, None)])
        for kind, name in (("Neg", "t"), ("Abs", "e"))
    ]
    for chosen, right in ((True, [0, 1]), (False, [2, 1])):
        made = mlp(
            helper.make_node("If", ["c"], ["h"], then_branch=branches[0], else_branch=branches[1]),
            constants={"c": np.array(chosen)},
        )
        assert read(made, tmp_path)([2, -1]) == right
        compared(made, tmp_path, np.float32([[2, -1]]))


def branch(kind, *initializers, reads="x", **attributes):
    """A branch that calls what it makes as others do."""
    nodes = [node(kind, f"{reads} inner" if initializers else reads, "made", **attributes)]
    result = [helper.make_tensor_value_info("made", 1, None)]
    return helper.make_graph(nodes, "branch", [], result, [numpy_helper.from_array(a, "inner") for a in initializers])


def test_branches_may_call_different_things_by_one_name(tmp_path):
    constants = {"c": np.array(True), "d": np.array(False)}
    two = [
        helper.make_node(
            "If", ["c"], ["a"], then_branch=branch("Add", np.float32(1)), else_branch=branch("Add", np.float32(9))
        ),
        helper.make_node(
            "If",
            ["d"],
            ["h"],
            then_branch=branch("Neg", reads="a"),
            else_branch=branch("Mul", np.float32(3), reads="a"),
        ),
    ]
    made = mlp(*two, constants=constants)
    assert read(made, tmp_path)([2, -2]) == [9, 0]
    compared(made, tmp_path, np.float32([[2, -2]]))
    made.graph.node[1].output[0] = "a/then_branch/made"  # a name that a branch would get
    made.graph.node[2].input[0] = "a/then_branch/made"
    made.graph.initializer.add(name="a/then_branch/inner", data_type=1, dims=[], float_data=[5])
    with pytest.raises(InputError, match="made twice"):
        read(made, tmp_path)


def test_a_branch_within_a_function_reads_what_the_function_makes(tmp_path):
    """Its names are those of the function, whatever the graph around the call has of the same name."""
    slope = onnx.AttributeProto(name="alpha", ref_attr_name="slope", type=onnx.AttributeProto.FLOAT)
    chosen = branch("LeakyRelu", reads="t")
    chosen.node[0].attribute.append(slope)
    nodes = [
        node("Neg", "v", "t"),
        node("Constant", "", "c", value=numpy_helper.from_array(np.array(True))),
        helper.make_node("If", ["c"], ["w"], then_branch=chosen, else_branch=branch("Abs", reads="t")),
    ]
    called = helper.make_function("own", "F", ["v"], ["w"], nodes, [helper.make_opsetid("", 17)], ["slope"])
    for name in ("t", "made", "x2"):
        call = helper.make_node("F", [name], ["h"], domain="own", slope=0.5)
        made = mlp(node("Mul", "x two", name), call, constants={"two": np.float32(2)})
        made.functions.append(called)
        made.opset_import.append(helper.make_opsetid("own", 1))
        assert read(made, tmp_path)([-3, 1]) == [6, 0]
        compared(made, tmp_path, np.float32([[-3, 1]]))


def test_functions_of_one_name_are_told_apart_by_their_overload(tmp_path):
    made = mlp(node("F", "x", "t"), node("F", "t", "h"))
    for kind, call in zip(("Neg", "Abs"), made.graph.node, strict=False):
        call.domain, call.overload = "own", kind
        made.functions.append(
            helper.make_function("own", "F", ["v"], ["w"], [node(kind, "v", "w")], [helper.make_opsetid("", 17)])
        )
        made.functions[-1].overload = kind
    made.opset_import.append(helper.make_opsetid("own", 1))
    assert read(made, tmp_path)([-3, 2]) == [3, 2]
    assert [layer.kind for layer in read(made, tmp_path).reading.layers] == ["absolute value", "ReLU"]


OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]


def branching(then, otherwise, *functions, constants=None):
    """``If`` with two branches that make ``made`` from ``x``, of which the first is taken."""
    ends = [helper.make_tensor_value_info("made", 1, None)]
    graphs = [helper.make_graph(nodes, "branch", [], ends) for nodes in (then, otherwise)]
    call = helper.make_node("If", ["c"], ["h"], then_branch=graphs[0], else_branch=graphs[1])
    made = mlp(call, constants={"c": np.array(True), **(constants or {})})
    made.functions.extend(functions)
    made.opset_import.append(helper.make_opsetid("own", 1))
    return made


def own(kind, proto):
    proto.domain = kind
    return proto


def test_functions_are_called_in_branches(tmp_path):
    """Also one whose operator has a rule, a function within it, and both branches inside functions."""
    inner = helper.make_function("own", "Inner", ["v"], ["w"], [node("Neg", "v", "t"), node("Abs", "t", "w")], OPSETS)
    outer = [node("Add", "v v", "t"), own("own", node("Inner", "t", "w"))]
    quant = helper.make_function("onnx.brevitas", "Quant", ["v"], ["w"], [node("Neg", "v", "w")], OPSETS)
    calls = [own("own", node("Outer", "x", "t")), own("onnx.brevitas", node("Quant", "t", "made"))]
    functions = [inner, helper.make_function("own", "Outer", ["v"], ["w"], outer, OPSETS), quant]
    made = branching(calls, [node("Neg", "x", "made")], *functions)
    made.opset_import.append(helper.make_opsetid("onnx.brevitas", 1))
    assert read(made, tmp_path)([3, -2]) == [0, 0]
    compared(made, tmp_path, np.float32([[3, -2]]))


def test_functions_in_functions_may_call_things_by_one_name(tmp_path):
    """What a function hands on from another has one name in both; and names may be long."""
    inner = helper.make_function("own", "Inner", ["v"], ["w"], [node("Neg", "v", "t"), node("Neg", "t", "w")], OPSETS)
    nodes = [node("Add", "v v", "t"), own("own", node("Inner", "t", "w"))]
    outer = helper.make_function("own", "Outer", ["v"], ["w"], nodes, OPSETS)
    long = ["n" * 90 + end for end in "ab"]
    calls = [own("own", node("Outer", "x", long[0])), own("own", node("Outer", "x", long[1]))]
    made = mlp(*calls, node("Add", " ".join(long), "h"))
    made.functions.extend([inner, outer])
    made.opset_import.append(helper.make_opsetid("own", 1))
    assert read(made, tmp_path)([3, -2]) == [12, 0]
    compared(made, tmp_path, np.float32([[3, -2]]))


def test_functions_that_call_themselves_in_branches_end(tmp_path):
    branches = {"then_branch": branch("Neg", reads="q"), "else_branch": branch("Abs", reads="v")}
    branches["then_branch"].node.insert(0, own("own", node("F", "v", "q")))
    nodes = [
        node("Constant", "", "c", value=numpy_helper.from_array(np.array(True))),
        helper.make_node("If", ["c"], ["w"], **branches),
    ]
    made = mlp(own("own", node("F", "x", "h")))
    made.functions.append(helper.make_function("own", "F", ["v"], ["w"], nodes, OPSETS))
    made.opset_import.append(helper.make_opsetid("own", 1))
    with pytest.raises(InputError, match="branches are nested more than 50 deep"):
        read(made, tmp_path)


@pytest.mark.parametrize(
    ("domain", "owner"),
    [
        ("", "ONNX's own"),
        ("ai.onnx", "ONNX's own"),
        ("ai.onnx.ml", "ai.onnx.ml's"),
        ("com.microsoft", "com.microsoft's"),
    ],
)
def test_a_function_that_has_the_name_of_an_operator_is_refused(tmp_path, domain, owner):
    """The standard leaves it to the runtime which of the two a call means; onnxruntime takes its own."""
    made = mlp(node("Neg", "x", "h"))
    body = [node("Abs", "v", "w")]
    made.functions.append(helper.make_function(domain, "Neg", ["v"], ["w"], body, [helper.make_opsetid("", 17)]))
    with pytest.raises(InputError, match=f"the function 'Neg' is in the domain of {owner} operators"):
        read(made, tmp_path)


@pytest.mark.parametrize("name", [b"made", b"inner", b"Add"])
def test_names_within_branches_are_text(tmp_path, name):
    branches = {"then_branch": branch("Add", np.float32(1)), "else_branch": branch("Identity")}
    made = mlp(helper.make_node("If", ["c"], ["h"], **branches), constants={"c": np.array(True)})
    (tmp_path / "m.onnx").write_bytes(made.SerializeToString().replace(name, b"\xff" * len(name)))
    with pytest.raises(InputError, match="not an ONNX model: a name in it is not text"):
        Network.from_file(tmp_path / "m.onnx")


@pytest.mark.parametrize("shape", [(2, 1), (1, 2), (1, 1), (3, 2)])
@pytest.mark.parametrize("axis", [1, 2])
def test_indices_of_elements_stand_where_they_are(tmp_path, shape, axis):
    """They may be fewer than the entries along any axis, and are never repeated."""
    chosen = np.random.default_rng(3).integers(-2, 2, size=(1, *shape))
    made = mlp(node("GatherElements", "x i", "h", axis=axis), constants={"i": chosen}, shape=(1, 3, 2))
    net = read(made, tmp_path)
    assert net.widths == (chosen.size,)
    compared(made, tmp_path, np.arange(-2, 4, dtype=np.float32).reshape(1, 3, 2))


def test_a_constant_of_no_axes(tmp_path):
    value = helper.make_tensor("v", TensorProto.FLOAT, [1], [0.5])
    made = mlp(
        node("ConstantOfShape", "s", "c", value=value), node("Add", "x c", "h"), constants={"s": np.zeros(0, np.int64)}
    )
    assert read(made, tmp_path)([1, -1]) == [Fraction(3, 2), 0]


@pytest.mark.parametrize(
    ("operator", "options"),
    [
        ("MaxPool", {"kernel_shape": [2], "dilations": [2]}),
        ("AveragePool", {"kernel_shape": [2], "dilations": [2], "strides": [2]}),
        ("MaxPool", {"kernel_shape": [1], "strides": [4]}),
        ("Conv", {"strides": [4]}),
        ("ConvTranspose", {"strides": [3]}),
    ],
)
def test_padding_on_which_engines_do_not_agree_is_not_read(tmp_path, operator, options):
    """onnxruntime cuts what the standard pads, or the other way round."""
    weights = {"k": np.ones((1, 1, 2 if operator == "ConvTranspose" else 1), np.float32)} if "Conv" in operator else {}
    for auto in ("SAME_UPPER", "SAME_LOWER"):
        pool = node(operator, " ".join(["a", *weights]), "h", auto_pad=auto, **options)
        made = mlp(node("Relu", "x", "a"), pool, constants=weights, shape=(1, 1, 4), opset=19)
        net = read(made, tmp_path)
        assert net.depth == 1
        assert "not the same in the standard and in inference engines" in net.reading.left[0]


def test_random_constants_are_not_folded(tmp_path):
    made = mlp(node("RandomNormal", "", "c", shape=[1, 2]), node("Add", "x c", "h"))
    with pytest.raises(InputError, match=r"RandomNormal.* is not supported"):
        read(made, tmp_path)
    made = mlp(node("Exp", "c", "e"), node("Add", "x e", "h"), constants={"c": np.float32([0, 1])})
    net = read(made, tmp_path)
    assert [float(net.neuron(1, i).constant) for i in (0, 1)] == [1, float(np.exp(np.float32(1)))]
    assert any("rounded" in note for note in net.reading.notes)


def test_scalers_and_quantised_weights(tmp_path):
    scaler = node("Scaler", "x", "h", offset=[1.0, 2.0], scale=[0.5, 0.25])
    scaler.domain = "ai.onnx.ml"
    assert read(mlp(scaler), tmp_path)([3, 10]) == [1, 2]
    blocks = {"q": np.int8([[1, 2], [3, 4]]), "s": np.float32([[0.5, 2]]), "z": np.int8([[1, 0]])}
    made = mlp(
        node("DequantizeLinear", "q s z", "w", axis=0, block_size=2),
        node("MatMul", "x w", "h"),
        constants=blocks,
        opset=21,
    )
    net = read(made, tmp_path)
    assert [net.neuron(1, i).slope for i in (0, 1)] == [(0, 1), (4, 8)]


IMPUTED = {"imputed_value_floats": [9.0], "replaced_value_float": float("nan")}
CHOSEN = {"i": np.int64([[2, 0, 2]])}


@pytest.mark.parametrize(
    ("of", "constants", "words"),
    [
        (node("Imputer", "x", "h", **IMPUTED), {}, None),
        (node("ArrayFeatureExtractor", "x i", "h"), CHOSEN, None),
        (node("FeatureVectorizer", "x x", "h", inputdimensions=[3, 3]), {}, None),
        (node("Imputer", "x", "h", **IMPUTED | {"replaced_value_float": -1.0}), {}, "replacing a number is not"),
        (node("Imputer", "x", "h", imputed_value_floats=[9.0]), {}, "replacing a number is not"),
        (node("FeatureVectorizer", "x x", "h", inputdimensions=[3, 2]), {}, "sizes other than those of its inputs"),
        (node("ArrayFeatureExtractor", "x i", "h"), {"i": whole(3)}, r"there are no columns \[3\] in shape \[1, 3\]"),
        (node("ArrayFeatureExtractor", "x i", "h"), {"i": whole(-1)}, "there are no columns"),
    ],
)
def test_operators_that_skl2onnx_writes_of_pipelines(of, constants, words, tmp_path):
    of.domain = "ai.onnx.ml"
    made = mlp(of, constants=constants, shape=(1, 3))
    made.opset_import.append(helper.make_opsetid("ai.onnx.ml", 1))
    if words is not None:
        with pytest.raises(InputError, match=words):
            read(made, tmp_path)
        return
    net = read(made, tmp_path)
    assert not net.reading.left and (of.op_type != "Imputer" or "missing values are no inputs" in net.reading.notes[0])
    for x in ([1, -2, 3], [0.25, 4, -1]):
        assert net(x) == graphs.run(tmp_path / "model.onnx", [np.float32(x)])[0].tolist()


def test_inspect(tmp_path, capsys):
    made = mlp(
        node("Gemm", "x a b", "t"),
        node("Clip", "t lo hi", "h"),
        constants={"a": A, "b": B, "lo": np.float32(-1), "hi": np.float32(6)},
    )
    made.graph.node.append(node("Softmax", "y", "p"))
    made.graph.output[0].name = "p"
    (tmp_path / "m.onnx").write_bytes(made.SerializeToString())
    assert main(["inspect", str(tmp_path / "m.onnx")]) == 0
    said = capsys.readouterr().out
    for words in ("format   ONNX, opset 17", "x [1, 2]: 2 numbers", "before   Gemm", "clip; dead: never above",
                  "auxiliary",
                  "left out operator Softmax (node 4, output 'p')", "output   y [1, 2]"):  # fmt: skip
        assert words in said, said
    assert main(["inspect", str(tmp_path / "m.onnx"), "--format", "json"]) == 0
    assert '"kind": "clip"' in capsys.readouterr().out
    decided = ["decide", str(tmp_path / "m.onnx"), "--domain", "box:0,1"]
    assert main(decided) == 0
    left, meaning, *_ = capsys.readouterr().out.splitlines()
    assert left == "Not judged: operator Softmax (node 4, output 'p') is not supported."
    assert meaning == "clip (layer 1): dead: never above its lower bound, so that it is constant."
    assert main([*decided, "--layer", "2"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("upper bound (layer 2): dead: ")


def test_rows_that_are_split_or_turned_are_still_a_batch(tmp_path):
    halves = [node("Reshape", "x s", "t"), node("Gemm", "t a b", "h")]
    net = read(mlp(*halves, constants={"a": A, "b": B, "s": whole(-1, 2)}, shape=("n", 4)), tmp_path)
    assert (net.inputs, net.widths, net.reading.outputs[0].shape) == (4, (4,), (2, 2))
    turned = [node("Transpose", "x", "t"), node("MatMul", "a t", "h")]
    for rows in ("n", 3):
        net = read(mlp(*turned, constants={"a": A}, shape=(rows, 2)), tmp_path)
        assert (net.inputs, net.widths) == (2, (2,))
        assert net([1, 2]) == [0, Fraction(17, 2)]


def test_bounds_that_cross(tmp_path):
    """Since operator set 13 all is the upper bound then; before, nothing says what it is."""
    crossing = [node("Clip", "x two one", "c"), node("Add", "c x", "h")]
    constants = {"two": np.float32(2), "one": np.float32(1)}
    net = read(mlp(*crossing, constants=constants), tmp_path)
    assert [net(p) for p in ([0, 3], [-5, 1])] == [[1, 4], [0, 2]]
    assert net([0, 3]) == graphs.run(tmp_path / "model.onnx", [[0, 3]])[0].tolist()
    with pytest.raises(InputError, match="the lower bound 2 is above the upper bound 1"):
        read(mlp(*crossing, constants=constants, opset=12), tmp_path)
