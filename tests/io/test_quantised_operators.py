"""Quantised operators beside onnxruntime, on codes of an input; Quant, of the package qonnx, beside its formula."""

import contextlib
import random
from fractions import Fraction

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from quantised_models import outputs_of

from geomrelu.errors import InputError
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.io.onnx import read_quantised
from geomrelu.network.front_door import load_judged
from geomrelu.network.network import Network
from geomrelu.network.quantised import QuantisedNetwork, WholeNumbers

pytest.importorskip("onnxruntime")

node = helper.make_node
MS = "com.microsoft"


def saved(folder, nodes, shape, output="y", opset=17, **arrays):
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(v), name) for name, v in arrays.items()],
    )
    domains = [helper.make_opsetid(d, 1) for d in sorted({n.domain for n in nodes} - {""})]
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), *domains], ir_version=9)
    path = folder / "m.onnx"
    onnx.save(model, path)
    return path


def compared(path, shape, low=-1.0, high=1.0, most=4000):
    """Our exact output and that of onnxruntime over the grid are equal; returns the network.

    Scales of few digits would put sums beside a half, where floats decide; here they have many.
    """
    network = load_judged(path)
    assert isinstance(network, QuantisedNetwork)
    whole = WholeNumbers(network, Polyhedron.box([(low, high)] * network.inputs))
    assert whole.complete
    rng = np.random.default_rng(0)
    t = (
        whole.grid(0, whole.count)
        if whole.count <= most
        else rng.integers(whole.lower, whole.upper + 1, (most, network.inputs))
    )
    values = whole.values(t)
    points = [whole.point(row) for row in t]
    (computed,) = outputs_of(path, np.array([[float(v) for v in p] for p in points]).reshape(-1, *shape))
    variables = np.concatenate([t, *values], axis=1).astype(float) * np.array([float(s) for s in whole.scales])
    matrix, bias = (network.output or network.layers[-1]).floats
    ours = (matrix @ variables.T).T + bias if network.output is not None else values[-1].astype(float)
    close = np.isclose(ours, computed.reshape(ours.shape), rtol=1e-5, atol=1e-6).all(axis=1)
    assert close.all()
    assert len(np.unique(ours)) > 3
    for k in range(0, len(points), max(1, len(points) // 5)):
        assert np.allclose([float(v) for v in network(points[k])], ours[k], rtol=1e-9)
    return network


QUANTISED_INPUT = node("QuantizeLinear", ["x", "xs", "xz"], ["q"])


def inputs(scale=0.010417, zero=3, kind=np.int8):
    return {"xs": np.float32(scale), "xz": kind(zero)}


def test_scales_that_are_powers_of_two_meet_halves_all_the_time(tmp_path):
    """Nothing is rounded in floats then, so that every point must agree: halves go to the even neighbour."""
    arrays = {**inputs(1 / 64, 0), "w": np.array([[3, -5], [2, 7]], np.int8), "ws": np.float32(0.5), "wz": np.int8(0)}
    arrays |= {"ys": np.float32(1 / 16), "yz": np.int8(1), "b": np.array([0.03125, -0.125], np.float32)}
    for zero, y_kind in ((1, np.int8), (0, np.uint8), (-128, np.int8)):
        arrays |= {"yz": y_kind(zero)}
        path = saved(
            tmp_path,
            [
                QUANTISED_INPUT, node("DequantizeLinear", ["q", "xs", "xz"], ["r"]),
                node("DequantizeLinear", ["w", "ws", "wz"], ["f"]), node("MatMul", ["r", "f"], ["m"]),
                node("Add", ["m", "b"], ["z"]), node("QuantizeLinear", ["z", "ys", "yz"], ["k"]),
                node("DequantizeLinear", ["k", "ys", "yz"], ["y"]),
            ],
            ["N", 2], **arrays,
        )  # fmt: skip
        network = compared(path, (2,), most=1 << 14)
        assert network.judged == ([2] if zero == (0 if y_kind is np.uint8 else -128) else [])


@pytest.mark.parametrize("zero", [0, 1, 2, 7])
@pytest.mark.parametrize("kind", [np.int8, np.uint8])
def test_halves_beside_odd_zero_points(zero, kind, tmp_path):
    """Some operators of onnxruntime round after the zero point was added: 2 1/2 above 3 is the even code 6, not 5."""
    arrays = {"xs": np.float32(0.25), "xz": kind(4), "ys": np.float32(1), "yz": kind(zero)}
    arrays |= {"w": np.array([[1, 2], [2, 1]], kind), "ws": np.float32(0.5), "wz": kind(0)}
    for shape, fused in {
        (2,): node("QLinearAdd", ["q", "xs", "xz", "q", "xs", "xz", "ys", "yz"], ["o"], domain=MS),
        (2, 1): node("QLinearMatMul", ["w", "ws", "wz", "q", "xs", "xz", "ys", "yz"], ["o"]),
        (1, 2, 3): node("QLinearAveragePool", ["q", "xs", "xz", "ys", "yz"], ["o"], domain=MS, kernel_shape=[2, 2]),
        (1, 2, 2): node("QLinearGlobalAveragePool", ["q", "xs", "xz", "ys", "yz"], ["o"], domain=MS, channels_last=0),
        (2, 2): node("QLinearConcat", ["ys", "yz", *2 * ("q", "xs", "xz")], ["o"], domain=MS, axis=1),
    }.items():
        nodes = [QUANTISED_INPUT, fused, node("DequantizeLinear", ["o", "ys", "yz"], ["y"])]
        path = saved(tmp_path, nodes, [1, *shape], **arrays)
        points = np.random.default_rng(0).integers(-20, 21, (50, *shape)) / 4
        network = load_judged(path)
        for point in points:
            (computed,) = outputs_of(path, point[None], optimised=False)
            assert network([Fraction(v) for v in point.ravel()]) == computed.ravel().tolist()


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("bias", ["floats", "codes"])
def test_what_onnxruntime_rounds_when_it_optimises_is_said(bias, fused, tmp_path):
    """A float bias between DequantizeLinear and QuantizeLinear becomes whole steps there: 0.05 becomes 0."""
    arrays = {**inputs(0.25, 0, np.uint8), "w": np.array([[3], [5]], np.int8), "ws": np.float32(0.5), "wz": np.int8(0)}
    arrays |= {"b": np.float32([0.05]), "ys": np.float32(1 / 32), "yz": np.uint8(0)}
    nodes = [QUANTISED_INPUT, node("DequantizeLinear", ["q", "xs", "xz"], ["d"])]
    nodes.append(node("DequantizeLinear", ["w", "ws", "wz"], ["v"]))
    if bias == "codes":
        arrays |= {"b": np.array([3], np.int32), "bs": np.float32(0.125)}
        nodes.append(node("DequantizeLinear", ["b", "bs"], ["c"]))
    name = "c" if bias == "codes" else "b"
    nodes += [node("Gemm", ["d", "v", name], ["h"])] if fused else [
        node("MatMul", ["d", "v"], ["m"]), node("Add", ["m", name], ["h"])
    ]  # fmt: skip
    nodes += [node("QuantizeLinear", ["h", "ys", "yz"], ["k"]), node("DequantizeLinear", ["k", "ys", "yz"], ["y"])]
    path = saved(tmp_path, nodes, [1, 2], **arrays)
    network, zero = load_judged(path), np.zeros((1, 2))
    exact = float(network([0, 0])[0])
    assert exact == outputs_of(path, zero, optimised=False)[0]
    said = [line for line in network.reading.notes if "when it optimises" in line]
    assert len(said) == (bias == "floats")
    if not said:
        assert exact == outputs_of(path, zero)[0]


def products(bias=0.125, kind=np.uint8, zero=0, sums="Gemm"):
    """Products of codes with a bias in codes, and what they are made of."""
    arrays = {**inputs(0.25, 0, kind), "w": np.array([[3], [5]], np.int8), "ws": np.float32(0.5), "wz": np.int8(0)}
    arrays |= {"b": np.array([3], np.int32), "bs": np.float32(bias), "bz": np.int32(zero)}
    arrays |= {"ys": np.float32(1 / 32), "yz": kind(0)}
    nodes = [QUANTISED_INPUT, node("DequantizeLinear", ["q", "xs", "xz"], ["d"])]
    nodes += [node("DequantizeLinear", ["w", "ws", "wz"], ["v"]), node("DequantizeLinear", ["b", "bs", "bz"], ["c"])]
    if sums == "Conv":
        arrays["w"] = arrays["w"].reshape(1, 2, 1, 1)
    if sums == "Add":
        nodes += [node("MatMul", ["d", "v"], ["m"]), node("Add", ["m", "c"], ["h"])]
    else:
        nodes.append(node(sums, ["d", "v", "c"], ["h"]))
    return nodes, arrays, [1, 2, 1, 1] if sums == "Conv" else [1, 2]


@pytest.mark.parametrize("sums", ["Gemm", "Add", "Conv"])
@pytest.mark.parametrize(("bias", "zero", "said"), [(0.125, 0, 0), (0.5, 0, 1), (0.125, 1, 1)])
def test_biases_in_codes_of_another_scale(bias, zero, said, sums, tmp_path):
    """onnxruntime, when it optimises, takes the codes of a bias for steps of the product of the scales. Its own
    quantiser writes such models where two products share a bias."""
    nodes, arrays, shape = products(bias, zero=zero, sums=sums)
    nodes += [node("QuantizeLinear", ["h", "ys", "yz"], ["k"]), node("DequantizeLinear", ["k", "ys", "yz"], ["y"])]
    path = saved(tmp_path, nodes, shape, **arrays)
    network, nothing = load_judged(path), np.zeros(shape)
    exact = float(network([0, 0])[0])
    assert exact == outputs_of(path, nothing, optimised=False)[0] == (3 - zero) * bias
    assert sum("codes of biases" in line for line in network.reading.notes) == (said and sums != "Conv")
    if sums == "Conv" or not said:
        assert exact == outputs_of(path, nothing)[0]


@pytest.mark.parametrize(
    ("operator", "kinds", "largest", "said"),
    [("Gemm", (np.uint8, np.int8), 127, 1), ("Gemm", (np.int8, np.int8), 127, 1),
     ("Gemm", (np.uint8, np.uint8), 127, 0), ("Gemm", (np.uint8, np.int8), 64, 0),
     ("Conv", (np.uint8, np.int8), -127, 1), ("Conv", (np.uint8, np.int8), -64, 0),
     ("MatMulInteger", (np.uint8, np.int8), 100, 1), ("MatMulInteger", (np.int8, np.int8), 100, 0),
     ("QLinearMatMul", (np.uint8, np.int8), 100, 1), ("QLinearConv", (np.uint8, np.int8), 100, 1)],
)  # fmt: skip
def test_sums_of_two_products_that_exceed_16_bits(operator, kinds, largest, said, tmp_path):
    """There are processors on which onnxruntime cuts them off."""
    arrays = {**inputs(0.25, 0, kinds[0]), "w": np.full((3, 3), largest).astype(kinds[1]), "ws": np.float32(0.5)}
    arrays |= {"wz": kinds[1](0), "os": np.float32(16), "oz": kinds[0](0)}
    arrays["w"][1:] = 0
    arrays["w"][2] = -largest if kinds[1] is np.int8 else 0  # another sign in the same sum does no harm
    shape = [1, 3]
    if "Conv" in operator:
        arrays["w"], shape = arrays["w"].reshape(3, 3, 1, 1), [1, 3, 1, 1]
    else:
        arrays["w"][1] = arrays["w"][0]
    dequantised = [node("DequantizeLinear", ["q", "xs", "xz"], ["d"]), node("DequantizeLinear", ["w", "ws"], ["v"])]
    ends = [node("DequantizeLinear", ["o", "os", "oz"], ["y"])]
    nodes = {
        "MatMulInteger": [node("MatMulInteger", ["q", "w"], ["i"]), node("Cast", ["i"], ["y"], to=1)],
        "QLinearMatMul": [node("QLinearMatMul", ["q", "xs", "xz", "w", "ws", "wz", "os", "oz"], ["o"]), *ends],
        "QLinearConv": [node("QLinearConv", ["q", "xs", "xz", "w", "ws", "wz", "os", "oz"], ["o"]), *ends],
    }.get(
        operator,
        [*dequantised, node(operator, ["d", "v"], ["m"]), node("QuantizeLinear", ["m", "os", "oz"], ["o"]), *ends],
    )
    path = saved(tmp_path, [QUANTISED_INPUT, *nodes], shape, **arrays)
    assert sum("VNNI" in line for line in load_judged(path).reading.notes) == said


def test_activations_of_16_bits_beside_weights_of_8(tmp_path):
    for kind, said in ((np.uint8, 0), (np.uint16, 1)):
        nodes, arrays, shape = products(kind=kind)
        nodes.append(node("Relu", ["h"], ["y"]))
        path = saved(tmp_path, nodes, shape, opset=21, **arrays)
        assert sum("to 8 bits ('h')" in line for line in load_judged(path).reading.notes) == said


def test_two_roundings_in_a_row(tmp_path):
    """onnxruntime, when it optimises, rounds once, by the smaller step: 0.3 is 0.25 then, and not 0."""
    arrays = {**inputs(0.25, 0, np.uint8), "ys": np.float32(1), "yz": np.uint8(0)}
    for again, said in ((["ys", "yz"], 1), (["xs", "xz"], 0)):
        nodes = [QUANTISED_INPUT, node("DequantizeLinear", ["q", "xs", "xz"], ["d"])]
        nodes += [node("QuantizeLinear", ["d", *again], ["k"]), node("DequantizeLinear", ["k", *again], ["y"])]
        path = saved(tmp_path, nodes, [1, 1], **arrays)
        network, point = load_judged(path), np.full((1, 1), 0.3, np.float32)
        assert network([0.3]) == outputs_of(path, point, optimised=False)[0] == [0 if said else 0.25]
        assert sum("rounds twice" in line for line in network.reading.notes) == said


@pytest.mark.parametrize(("block", "said"), [(0, 0), (16, 1)])
def test_weights_in_blocks_beside_codes(block, said, tmp_path):
    """onnxruntime, when it optimises, takes their scales for those of something else."""
    arrays = {**inputs(0.01, 0, np.uint8), "w": np.ones((32, 2), np.int8)}
    arrays["ws"] = np.float32([[1, 2], [4, 8]] if block else [1, 2])
    more = {"axis": 0, "block_size": block} if block else {"axis": 1}
    nodes = [QUANTISED_INPUT, node("DequantizeLinear", ["q", "xs", "xz"], ["d"])]
    nodes += [node("DequantizeLinear", ["w", "ws"], ["v"], **more), node("MatMul", ["d", "v"], ["h"])]
    path = saved(tmp_path, [*nodes, node("Relu", ["h"], ["y"])], [1, 32], opset=21, **arrays)
    network, point = load_judged(path), np.ones((1, 32), np.float32)
    (exact,) = outputs_of(path, point, optimised=False)
    assert np.allclose([float(v) for v in network([1] * 32)], exact.ravel(), rtol=1e-6)
    assert sum("blocks" in line for line in network.reading.notes) == said


@pytest.mark.parametrize(("kind", "said"), [(np.uint8, 1), (np.int8, 1), (np.int16, 0)])
def test_weights_alone_in_few_bits(kind, said, tmp_path):
    """What they are multiplied with is rounded to 8 bits by onnxruntime, when it optimises."""
    nodes = [
        node("DequantizeLinear", ["w", "ws"], ["v"]),
        node("MatMul", ["x", "v"], ["h"]),
        node("Relu", ["h"], ["y"]),
    ]
    codes = np.arange(1, 9, dtype=kind).reshape(4, 2)
    path = saved(tmp_path, nodes, [1, 4], opset=21, w=codes, ws=np.float32(0.125))
    network, point = load_judged(path), np.array([[1, 0.01, 0.01, 0.01]], np.float32)
    (exact,) = outputs_of(path, point, optimised=False)
    assert np.allclose([float(v) for v in network([Fraction(float(v)) for v in point[0]])], exact, rtol=1e-6)
    assert sum("to 8 bits ('h')" in line for line in network.reading.notes) == said
    if not said:
        assert np.allclose(outputs_of(path, point)[0], exact, rtol=1e-6)


def test_fused_operators(tmp_path):
    rng = np.random.default_rng(1)
    codes = lambda *shape: rng.integers(-127, 128, shape).astype(np.int8)  # noqa: E731
    scales = {"ys": np.float32(0.041873), "yz": np.int8(-5), "ws": np.float32(0.013219), "wz": np.int8(0)}
    last = node("DequantizeLinear", ["k", "ys", "yz"], ["y"])
    weights = ["w", "ws", "wz", "ys", "yz"]
    image, vector = ["N", 2, 3, 3], ["N", 3]
    cases = [
        (vector, [node("QLinearMatMul", ["q", "xs", "xz", *weights], ["k"])], {"w": codes(3, 4)}),
        (vector, [node("QGemm", ["q", "xs", "xz", *weights[:3], "b", "ys", "yz"], ["k"], domain=MS, transB=1)],
         {"w": codes(4, 3), "b": rng.integers(-900, 900, 4).astype(np.int32),
          "ws": np.array([0.010931, 0.021177, 0.013119, 0.0043713], np.float32), "wz": np.zeros(4, np.int8)}),
        (image, [node("QLinearConv", ["q", "xs", "xz", *weights, "b"], ["k"], pads=[1, 1, 0, 0], strides=[2, 1],
                      group=2)],
         {"w": codes(4, 1, 2, 2), "b": rng.integers(-900, 900, 4).astype(np.int32),
          "ws": np.array([0.010931, 0.021177, 0.013119, 0.0043713], np.float32), "wz": np.zeros(4, np.int8)}),
        (vector, [node("QLinearAdd", ["q", "xs", "xz", "q", "xs", "xz", "ys", "yz"], ["k"], domain=MS)], {}),
        (vector, [node("QLinearConcat", ["ys", "yz", "q", "xs", "xz", "q", "xs", "xz"], ["k"], domain=MS, axis=1)], {}),
        (image, [node("QLinearAveragePool", ["q", "xs", "xz", "ys", "yz"], ["k"], domain=MS, kernel_shape=[2, 2])], {}),
        (image, [node("QLinearGlobalAveragePool", ["q", "xs", "xz", "ys", "yz"], ["k"], domain=MS)], {}),
        (image, [node("MaxPool", ["q"], ["k"], kernel_shape=[2, 2])], {"ys": np.float32(0.010417), "yz": np.int8(3)}),
    ]  # fmt: skip
    for shape, nodes, more in cases:
        path = saved(tmp_path, [QUANTISED_INPUT, *nodes, last], shape, **{**inputs(), **scales, **more})
        compared(path, shape[1:], most=1500)


def test_products_of_integers(tmp_path):
    rng = np.random.default_rng(2)
    arrays = {
        **inputs(0.010417, 100, np.uint8),
        "ys": np.float32(0.023711),
        "yz": np.uint8(0),
        "s": np.float32(0.00071931),
    }
    ends = [
        node("Cast", ["i"], ["f"], to=1), node("Mul", ["f", "s"], ["m"]), node("Relu", ["m"], ["r"]),
        node("QuantizeLinear", ["r", "ys", "yz"], ["k"]), node("DequantizeLinear", ["k", "ys", "yz"], ["y"]),
    ]  # fmt: skip
    w = rng.integers(0, 255, (3, 4)).astype(np.uint8)
    path = saved(
        tmp_path, [QUANTISED_INPUT, node("MatMulInteger", ["q", "w", "xz", "wz"], ["i"]), *ends], ["N", 3],
        w=w, wz=np.uint8(120), **arrays,
    )  # fmt: skip
    network = compared(path, (3,), most=1500)
    assert network.judged == [2] and network.widths == (3, 4)
    w = rng.integers(0, 255, (2, 1, 2, 2)).astype(np.uint8)
    path = saved(
        tmp_path, [QUANTISED_INPUT, node("ConvInteger", ["q", "w", "xz", "wz"], ["i"], pads=[0, 0, 1, 1]), *ends],
        ["N", 1, 2, 2], w=w, wz=np.uint8(120), **arrays,
    )  # fmt: skip
    compared(path, (1, 2, 2), most=1500)
    path = saved(
        tmp_path,
        [
            QUANTISED_INPUT,
            node("MatMulIntegerToFloat", ["q", "v", "xs", "s", "xz", "wz", "b"], ["m"], domain=MS), *ends[2:],
        ],
        ["N", 3], v=rng.integers(0, 255, (3, 4)).astype(np.uint8), wz=np.uint8(120), b=np.float32([0.1, 0, -1, 1]),
        **arrays,
    )  # fmt: skip
    compared(path, (3,), most=1500)


def test_codes_clipped_to_fewer_bits(tmp_path):
    """QCDQ: four bits in a type of eight."""
    arrays = {
        **inputs(0.103719, 0),
        "ys": np.float32(0.117177),
        "yz": np.uint8(0),
        "w": np.float32([[1, -2], [0.5, 1]]),
    }
    arrays |= {"lo": np.uint8(0), "hi": np.uint8(15), "lx": np.int8(-7), "hx": np.int8(7)}
    path = saved(
        tmp_path,
        [
            QUANTISED_INPUT, node("Clip", ["q", "lx", "hx"], ["c"]), node("DequantizeLinear", ["c", "xs", "xz"], ["r"]),
            node("MatMul", ["r", "w"], ["z"]), node("Relu", ["z"], ["p"]),
            node("QuantizeLinear", ["p", "ys", "yz"], ["k"]),
            node("Clip", ["k", "lo", "hi"], ["n"]), node("DequantizeLinear", ["n", "ys", "yz"], ["y"]),
        ],
        ["N", 2], **arrays,
    )  # fmt: skip
    network = compared(path, (2,))
    assert network.widths == (2, 2) and network.judged == [2]
    assert {(q.low, q.high) for q in network.quantisers} == {((-7, -7), (7, 7)), ((0, 0), (15, 15))}


def test_quant_beside_its_formula(tmp_path):
    domain = "qonnx.custom_op.general"
    w = np.array([[0.3, -1.7], [2.2, 0.8]], np.float32)
    arrays = {"w": w, "ws": np.float32(0.25), "z": np.float32(0), "b4": np.float32(4), "b3": np.float32(3)}
    arrays |= {"xs": np.float32(0.1), "ys": np.float32(0.3), "z2": np.float32(2)}
    path = saved(
        tmp_path,
        [
            node("Quant", ["x", "xs", "z2", "b4"], ["r"], domain=domain, signed=1, narrow=0, rounding_mode="ROUND"),
            node("Quant", ["w", "ws", "z", "b4"], ["v"], domain=domain, signed=1, narrow=1, rounding_mode="ROUND"),
            node("MatMul", ["r", "v"], ["m"]), node("Relu", ["m"], ["p"]),
            node("Quant", ["p", "ys", "z", "b3"], ["y"], domain=domain, signed=0, narrow=0, rounding_mode="ROUND"),
        ],
        ["N", 2], **arrays,
    )  # fmt: skip

    def quant(v, scale, zero, least, largest):
        scale = Fraction(float(np.float32(scale)))
        return (min(max(round(Fraction(v) / scale + zero), least), largest) - zero) * scale

    network = load_judged(path)
    weights = [[quant(float(v), 0.25, 0, -7, 7) for v in row] for row in w]
    assert network.judged == [2] and network.widths == (2, 2)
    for point in np.random.default_rng(0).uniform(-1.5, 1.5, (200, 2)):
        x = [quant(float(v), 0.1, 2, -8, 7) for v in point]
        z = [
            max(sum(a * b for a, b in zip(x, column, strict=True)), Fraction(0))
            for column in zip(*weights, strict=True)
        ]
        assert network([float(v) for v in point]) == [quant(v, 0.3, 0, 0, 7) for v in z]


def test_a_float_layer_before_the_first_quantiser(tmp_path):
    """The inputs are real then: there is no grid, and the codes of layer 1 are not independent."""
    arrays = {"w": np.float32([[1, 2], [-1, 0.5]]), "ys": np.float32(0.01), "yz": np.uint8(0)}
    path = saved(
        tmp_path,
        [
            node("MatMul", ["x", "w"], ["z"]), node("QuantizeLinear", ["z", "ys", "yz"], ["k"]),
            node("DequantizeLinear", ["k", "ys", "yz"], ["y"]),
        ],
        ["N", 2], **arrays,
    )  # fmt: skip
    network = load_judged(path)
    whole = WholeNumbers(network, Polyhedron.box([(-1, 1), (0, 2)]))
    assert not whole.complete and network.judged == [1]
    rng = np.random.default_rng(0)
    t = rng.integers(whole.lower, whole.upper + 1, (50, 2))
    values = whole.values(t)[0]
    for row, made in zip(t, values, strict=True):
        assert network.values(whole.point(row))[0] == made.tolist()


@pytest.mark.parametrize(
    ("nodes", "fits"),
    [
        ([node("Add", ["q", "q"], ["k"])], False), ([node("Sub", ["q", "xz"], ["k"])], False),
        ([node("Mul", ["q", "two"], ["k"])], False), ([node("Div", ["q", "two"], ["k"])], False),
        ([node("Clip", ["q", "xz", "seven"], ["c"]), node("Sub", ["c", "xz"], ["k"])], True),
        ([node("Max", ["q", "seven"], ["k"])], True), ([node("MaxPool", ["q"], ["k"], kernel_shape=[2, 2])], True),
        ([node("Resize", ["q", "", "twice"], ["k"], mode="nearest")], True),
        ([node("Resize", ["q", "", "twice"], ["k"], mode="linear")], False),
        ([node("Cast", ["q"], ["i"], to=6), node("Sub", ["i", "big"], ["j"]), node("Mul", ["j", "j2"], ["l"]),
          node("Cast", ["l"], ["f"], to=1), node("Mul", ["f", "xs"], ["y"])], True),
        ([node("Cast", ["q"], ["i"], to=6), node("Sub", ["i", "big"], ["j"]), node("Cast", ["j"], ["k"], to=2)], False),
        ([node("Cast", ["q"], ["i"], to=6), node("Div", ["i", "big"], ["j"]), node("Cast", ["j"], ["f"], to=1),
          node("Mul", ["f", "xs"], ["y"])], False),
    ],
)  # fmt: skip
def test_whole_numbers_that_engines_cut_off_or_wrap_around(nodes, fits, tmp_path):
    """200 + 200 is 144 in 8 bits, and 7 / 2 is 3; what cannot be so is read."""
    arrays = {**inputs(0.25, 4, np.uint8), "two": np.uint8(2), "seven": np.uint8(7), "big": np.int32(128)}
    arrays |= {"j2": np.int32([3]), "twice": np.float32([1, 1, 2, 2])}
    last = [] if nodes[-1].output[0] == "y" else [node("DequantizeLinear", ["k", "xs", "xz"], ["y"])]
    path = saved(tmp_path, [QUANTISED_INPUT, *nodes, *last], [1, 1, 2, 3], **arrays)
    network = load_judged(path)
    assert bool(network.reading.left) != fits, network.reading.left
    points = np.random.default_rng(0).integers(-20, 261, (20, 1, 1, 2, 3)) / 4
    for point in points if fits else ():
        (computed,) = outputs_of(path, point, optimised=False)
        assert network([Fraction(v) for v in point.ravel()]) == computed.ravel().tolist()


@pytest.mark.parametrize("kind", ["INT4", "UINT4", "INT8", "UINT16"])
@pytest.mark.parametrize("how", ["all", "axis", "blocks"])
def test_weights_that_the_graph_quantises(how, kind, tmp_path):
    """Codes of four bits end at 7 or 15; they were taken for codes of eight."""
    w = (np.random.default_rng(0).normal(size=(4, 6)) * 3).astype(np.float32)
    more = {"all": {}, "axis": {"axis": 0}, "blocks": {"axis": 1, "block_size": 2}}[how]
    shapes = {"all": (), "axis": (4,), "blocks": (4, 3)}
    scales = np.full(shapes[how], 0.25, np.float32)
    scales.ravel()[1:2] = 0.5
    zeros = helper.make_tensor("z", getattr(TensorProto, kind), scales.shape, [2] * scales.size)
    nodes = [
        node("QuantizeLinear", ["w", "s", "z"], ["c"], **more),
        node("DequantizeLinear", ["c", "s", "z"], ["v"], **more),
        node("MatMul", ["x", "v"], ["h"]), node("Relu", ["h"], ["y"]),
    ]  # fmt: skip
    path = saved(tmp_path, nodes, [1, 4], opset=21, w=w, s=scales)
    model = onnx.load(path)
    model.graph.initializer.append(zeros)
    onnx.save(model, path)
    network = load_judged(path)
    for point in np.random.default_rng(1).integers(-8, 9, (5, 1, 4)) / 8:
        (computed,) = outputs_of(path, point, optimised=False)
        assert network([Fraction(v) for v in point.ravel()]) == computed.ravel().tolist()


@pytest.mark.parametrize(
    ("before", "zero"),
    [([], "z"), ([node("Identity", ["z"], ["i"])], "i"), ([node("Reshape", ["z", "n"], ["i"])], "i"),
     ([node("QuantizeLinear", ["f", "xs", "z"], ["i"])], "i")],
)  # fmt: skip
def test_zero_points_of_four_bits(before, zero, tmp_path):
    """They are read into arrays of eight bits, and their codes end at 7 all the same: 7 steps above 0, or 6 above 1."""
    nodes = [
        *before, node("QuantizeLinear", ["x", "xs", zero], ["q"]), node("DequantizeLinear", ["q", "xs", zero], ["y"]),
    ]  # fmt: skip
    path = saved(tmp_path, nodes, [1, 1], opset=21, xs=np.float32(0.25), n=np.array([1]), f=np.float32(0))
    model = onnx.load(path)
    model.graph.initializer.append(helper.make_tensor("z", TensorProto.INT4, [1], [1]))
    onnx.save(model, path)
    assert load_judged(path)([100]) == [1.5] and load_judged(path)([-100]) == [-2.25]


def test_constants_of_quantised_operators(tmp_path):
    """They are codes as well: what exceeds the range ends there."""
    nodes = [
        node("QLinearMatMul", ["a", "s", "z", "b", "s", "z", "s", "z"], ["q"]),
        node("DequantizeLinear", ["q", "s", "z"], ["c"]), node("Add", ["x", "c"], ["h"]), node("Relu", ["h"], ["y"]),
    ]  # fmt: skip
    arrays = {"a": np.uint8([[3, 200]]), "b": np.uint8([[100, 5], [7, 90]]), "s": np.float32(0.25), "z": np.uint8(5)}
    path = saved(tmp_path, nodes, [1, 2], **arrays)
    (computed,) = outputs_of(path, np.zeros((1, 2)), optimised=False)
    assert load_judged(path)([0, 0]) == computed.ravel().tolist() and computed.max() == 62.5


@pytest.mark.parametrize(
    ("operator", "kind", "values"),
    [("Add", np.uint8, (200, 100)), ("Sub", np.uint8, (3, 5)), ("Mul", np.int8, (100, 3)),
     ("Add", np.int32, (2**31 - 1, 1)), ("Neg", np.int8, (-128,)), ("Abs", np.int8, (-128,)),
     ("ReduceMean", np.int32, ([1, 2],))],
)  # fmt: skip
def test_constants_that_wrap_around_are_refused(operator, kind, values, tmp_path):
    arrays = {f"c{k}": kind(v) for k, v in enumerate(values)}
    nodes = [node(operator, list(arrays), ["c"]), node("Cast", ["c"], ["f"], to=1), node("Add", ["x", "f"], ["h"])]
    path = saved(tmp_path, [*nodes, node("Relu", ["h"], ["y"])], [1, 2], **arrays)
    with pytest.raises(InputError, match=r"out of the range|cut off or wrap around"):
        load_judged(path)


def test_refusals(tmp_path):
    ends = [node("DequantizeLinear", ["q", "xs", "xz"], ["y"])]
    cases = [
        (
            [node("DynamicQuantizeLinear", ["x"], ["q", "xs", "xz"]), *ends],
            {},
            "operator DynamicQuantizeLinear .* is not supported",
        ),
        ([QUANTISED_INPUT, *ends], inputs(-0.5), "a scale must be positive"),
        ([QUANTISED_INPUT, *ends], inputs(0.0), "a scale must be positive"),
        ([QUANTISED_INPUT, *ends], {"xs": np.float32([1, 1, 1]), "xz": np.int8([0, 0, 0])}, "3 scales or zero points"),
        ([QUANTISED_INPUT, *ends], {"xs": np.float32(1), "xz": np.int32(0)}, "codes of this type"),
    ]
    for nodes, arrays, reason in cases:
        path = saved(tmp_path, nodes, ["N", 2], **arrays)
        with pytest.raises(InputError, match=reason) as caught:
            read_quantised(path)
        assert "\n" not in str(caught.value)
    path = saved(tmp_path, [QUANTISED_INPUT, *ends], ["N", 2], **inputs())
    with pytest.raises(InputError, match="activations are quantised"):
        Network.from_file(path)
    odd = node("Quant", ["x", "xs", "z", "b"], ["y"], domain="onnx.brevitas", signed=1, narrow=0, rounding_mode="ROUND")
    arrays = {"xs": np.float32(1), "z": np.float32(1), "b": np.float32(8)}
    with pytest.raises(InputError, match="even zero points"):
        read_quantised(saved(tmp_path, [odd], ["N", 2], **arrays))


def test_damaged_graphs_are_read_or_refused(tmp_path):
    """With inputs that are missing, left out or others."""
    path = tmp_path / "m.onnx"
    for seed in range(150):
        rng = random.Random(seed)
        nodes, arrays, shape = products(rng.choice((0.125, 0.5)), sums=rng.choice(("Gemm", "Add", "Conv")))
        nodes += [node("QuantizeLinear", ["h", "ys", "yz"], ["k"]), node("Sin", ["x"], ["sin"])]
        nodes += [
            node("QuantizeLinear", ["sin", "ys", "yz"], ["l"]),
            node("DequantizeLinear", ["l", "ys", "yz"], ["g"]),
        ]
        saved(tmp_path, [*nodes, node("DequantizeLinear", ["k", "ys", "yz"], ["y"])], shape, **arrays)
        model = onnx.load(path)
        names = [name for made in model.graph.node for name in (*made.input, *made.output)]
        for _ in range(rng.randint(1, 3)):
            made = rng.choice(model.graph.node)
            place = rng.randrange(len(made.input)) if made.input else 0
            if not made.input or rng.random() < 0.3:
                del made.input[place:]
            else:
                made.input[place] = rng.choice(["", "g", *names])
        path.write_bytes(model.SerializeToString())
        with contextlib.suppress(InputError):
            load_judged(path)
