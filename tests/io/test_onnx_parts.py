"""Models that are read from a tensor of their graph on, or with inputs that are given."""

from __future__ import annotations

import json

import graphs
import numpy as np
import onnx
import onnx_graphs
import pytest
from exports.kinds import close
from graphs import node, whole
from onnx import TensorProto, helper, numpy_helper

from geomrelu import InputError, Network
from geomrelu.cli.main import main
from geomrelu.network.front_door import load_judged

pytestmark = pytest.mark.onnx

RNG = np.random.default_rng(3)
W, K, V = (graphs.eighths(RNG, *shape) for shape in ((4, 4), (3, 4), (3, 2)))


def spectrum(**more):
    """``y = relu(relu(sqrt(x^2 + 1) W) K)``, which begins with what is not piecewise linear."""
    nodes = [
        node("Mul", "x x", "power"),
        node("Add", "power one", "shifted"),
        node("Sqrt", "shifted", "magnitude"),
        node("MatMul", "magnitude w", "h"),
        node("Relu", "h", "r"),
        node("MatMul", "r k", "g"),
        node("Relu", "g", "y"),
    ]
    return graphs.model(nodes, {"one": np.float32(1), "w": W, "k": K.T}, **more)


def saved(model, folder, name="model.onnx"):
    path = folder / name
    path.write_bytes(model.SerializeToString())
    return path


def test_the_refusal_names_the_tensor_to_start_at(tmp_path, capsys):
    path = saved(spectrum(), tmp_path)
    with pytest.raises(InputError, match=r"'power'\): one of the factors .*, start at tensor 'magnitude' \(--start\)$"):
        Network.from_file(path)
    net = Network.from_file(path, start="magnitude")
    assert [(p.name, p.shape) for p in net.reading.inputs] == [("magnitude", (1, 4))]
    assert (net.widths, net.reading.left) == ((4, 3), ())
    x = graphs.eighths(RNG, 1, 4)
    right = onnx_graphs.evaluate(spectrum(), x, ["magnitude", "h"])
    given = [float(v) for v in right["magnitude"].ravel()]
    close(net.pre_activations(given)[0], right["h"], "h")
    close(net(given), right["y"], "y")
    assert main(["decide", str(path), "--start", "magnitude", "--domain", "box:1,2"]) == 0
    assert "Layer 2: 3 neurons" in capsys.readouterr().out


def test_a_part_is_decided_checked_and_pruned(tmp_path, capsys):
    """The smaller file is one of the part; nothing of the model before the start is in it."""
    nodes = [
        node("Exp", "x", "e"),
        node("Gemm", "e k c", "h", transB=1),
        node("Relu", "h", "r"),
        node("Relu", "h", "beside"),
        node("Gemm", "r v", "y"),
        node("Sigmoid", "beside", "z"),
    ]
    model = graphs.model(nodes, {"k": K, "c": np.float32([0, -50, 1]), "v": V}, outputs="y")
    path, out = saved(model, tmp_path), tmp_path / "smaller.onnx"
    common = [str(path), "--start", "e", "--domain", "box:0,1"]
    assert main(["decide", *common, "--certificates", str(tmp_path / "out")]) == 0
    proofs = [str(p) for p in (tmp_path / "out").glob("*.json")]
    given = ["--model", str(path), "--domain", "box:0,1", "--start", "e"]
    assert main(["check", *proofs, *given]) == 0
    certificate = tmp_path / "smaller.proof.json"
    assert main(["prune", *common, "-o", str(out), "--certificate", str(certificate)]) == 0
    assert main(["check", str(certificate), *given, "--smaller", str(out)]) == 0
    smaller = onnx.load(out)
    assert [n.op_type for n in smaller.graph.node] == ["Gemm", "Relu", "Gemm"]
    assert [i.name for i in smaller.graph.input] == ["e"]
    assert Network.from_file(out).widths == (2,) and Network.from_file(path, start="e").widths == (3,)
    capsys.readouterr()


def test_a_part_of_open_shape_is_pruned_into_a_file_that_says_it(tmp_path, capsys):
    nodes = [
        node("Exp", "x", "e"),
        node("Conv", "e k c", "h"),
        node("Relu", "h", "r"),
        node("Conv", "r l", "g"),
        node("Relu", "g", "s"),
        node("Mul", "s rate", "y"),
    ]
    constants = {"c": np.float32([-50, 1]), "k": np.ones((2, 2, 1), np.float32), "l": np.ones((4, 2, 1), np.float32)}
    model = graphs.model(nodes, constants, shape=("batch", 2, "time"))
    model.graph.input.append(helper.make_tensor_value_info("rate", TensorProto.FLOAT, []))
    path, out, proof = saved(model, tmp_path), tmp_path / "smaller.onnx", tmp_path / "smaller.proof.json"
    how = ["--start", "e", "--input-shape", "x=1,2,3", "--input-value", "rate=2", "--domain", "box:0,1"]
    for target in (out, tmp_path / "smaller.json"):
        assert main(["prune", str(path), *how, "-o", str(target), "--certificate", str(proof)]) == 0
        assert main(["check", str(proof), "--model", str(path), *how, "--smaller", str(target)]) == 0
    assert Network.from_file(out).reading.inputs[0].shape == (1, 2, 3)
    assert Network.from_file(out).widths == (3, 12)  # of channel 1, then of all
    capsys.readouterr()


def test_random_parts_are_read_as_onnxruntime_computes_them(tmp_path):
    """From one or two tensors of a random graph on: the rest is what it is in the whole model."""
    pytest.importorskip("onnxruntime")
    read = 0
    for seed in range(60):
        model = onnx_graphs.Random(seed).model()
        names = [o for n in model.graph.node for o in n.output]
        rng = np.random.default_rng(seed)
        start = [str(name) for name in rng.choice(names, size=min(len(names), 1 + seed % 2), replace=False)]
        try:
            net = Network.from_file(saved(model, tmp_path), start=start, whole_batch=True)
        except InputError:  # no ReLU layer is left, or a shape must be given
            continue
        shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
        x = graphs.eighths(rng, *shape)
        inputs, outputs = ([p.name for p in ports] for ports in (net.reading.inputs, net.reading.outputs))
        values = onnx_graphs.evaluate(model, x, [n for n in (*inputs, *outputs) if n != "x"]) | {"x": x}
        point = [float(v) for name in inputs for v in values[name].ravel()]
        close(net(point), np.concatenate([values[name].ravel() for name in outputs]), f"seed {seed}")
        read += 1
    assert read > 30


def test_other_inputs_stay_and_shapes_that_are_read_become_constants(tmp_path):
    nodes = [
        node("Exp", "x", "e"),
        node("Shape", "x", "s"),
        node("Size", "x", "n"),
        node("Reshape", "e s", "f"),
        node("Reshape", "n minus", "count"),
        node("ConstantOfShape", "count", "zeros"),
        node("Add", "f other", "h"),
        node("Relu", "h", "r"),
        node("Concat", "r zeros2", "y", axis=1),
        node("Unsqueeze", "zeros nought", "zeros2"),
    ]
    constants = {"minus": whole(-1), "nought": whole(0)}
    model = graphs.model(nodes, constants, shape=("batch", 4))
    model.graph.input.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, [1, 4]))
    net = Network.from_file(saved(model, tmp_path), start=["e"])
    assert [(p.name, p.shape) for p in net.reading.inputs] == [("e", (1, 4)), ("other", (1, 4))]
    assert [float(v) for v in net([1, 2, 3, 4, -2, -2, -2, 0])] == [0, 0, 1, 4, 0, 0, 0, 0]


def test_a_start_among_several_outputs_and_several_starts(tmp_path):
    nodes = [
        node("Split", "x", "a b", axis=1),
        node("Tanh", "a", "t"),
        node("Sub", "t b", "h"),
        node("Relu", "h", "y"),
    ]
    path = saved(graphs.model(nodes), tmp_path)
    net = Network.from_file(path, start=("t", "b"))
    assert [p.name for p in net.reading.inputs] == ["t", "b"]
    assert [float(v) for v in net([1, 2, -1, 3])] == [2, 0]
    net = Network.from_file(path, start="t")
    assert [p.name for p in net.reading.inputs] == ["t", "x"]
    assert [float(v) for v in net([1, 2, 7, 7, -1, 3])] == [2, 0]


def test_what_is_no_start(tmp_path):
    path = saved(spectrum(), tmp_path)
    for start, said in (
        ("magnitud", r"no tensor 'magnitud' to start at \(there is 'magnitude'\)"),
        ("w", "'w' is a constant, and no start"),
    ):
        with pytest.raises(InputError, match=said):
            Network.from_file(path, start=start)
    whole_numbers = [node("Cast", "x", "i", to=TensorProto.INT32), node("Cast", "i", "f", to=1), node("Relu", "f", "y")]
    with pytest.raises(InputError, match="'i' is not a tensor of floating-point numbers"):
        Network.from_file(saved(graphs.model(whole_numbers), tmp_path), start="i")
    with pytest.raises(InputError, match="start is no option of such files"):
        (tmp_path / "model.json").write_text(json.dumps({"layers": []}))
        Network.from_file(tmp_path / "model.json", start="x")


def test_shapes_of_what_the_package_onnx_does_not_know(tmp_path):
    """A start behind an operator of somebody's own: its shape must be given, its type is that of all numbers."""
    own = node("Own", "x", "e")
    own.domain = "somebody"
    nodes = [own, node("MatMul", "e w", "h"), node("Relu", "h", "y")]
    model = graphs.model(nodes, {"w": W})
    model.opset_import.append(helper.make_opsetid("somebody", 1))
    path = saved(model, tmp_path)
    with pytest.raises(InputError, match="does not say the shape of tensor 'e': give it"):
        Network.from_file(path, start="e")
    for shape in ((2, 4), {"e": (2, 4)}):
        net = Network.from_file(path, start="e", shape=shape)
        assert (net.inputs, net.widths, net.reading.rows) == (4, (4,), 2)
    model.graph.value_info.append(helper.make_tensor_value_info("e", TensorProto.FLOAT, [1, 4]))
    assert Network.from_file(saved(model, tmp_path), start="e").inputs == 4
    wrong = spectrum()
    wrong.graph.value_info.append(helper.make_tensor_value_info("magnitude", TensorProto.FLOAT, [2, 4]))
    with pytest.raises(InputError, match=r"says shape \[2, 4\] of tensor 'magnitude', which is \[1, 4\]"):
        Network.from_file(saved(wrong, tmp_path), start="magnitude")


def test_a_shape_that_is_counted_in_two_ways_must_be_given(tmp_path):
    """Of 5 entries, with one row of padding on either side: 3 windows, of which the package onnx finds 4."""
    pool = node("MaxPool", "x", "p", kernel_shape=[2], strides=[2], pads=[1, 1], ceil_mode=1)
    nodes = [pool, node("Exp", "p", "e"), node("Relu", "e", "y")]
    path = saved(graphs.model(nodes, shape=(1, 1, 5)), tmp_path)
    with pytest.raises(InputError, match="'e': its shape behind a pool with ceil_mode is not sure: give it"):
        Network.from_file(path, start="e")
    assert Network.from_file(path, start="e", shape={"e": (1, 1, 3)}).widths == (3,)


def test_the_shape_of_the_input_gives_that_of_the_start(tmp_path):
    model = spectrum(shape=("batch", "time", 4))
    path = saved(model, tmp_path)
    for shape in ((1, 2, 4), {"x": (1, 2, 4)}, {"magnitude": (1, 2, 4)}):
        net = Network.from_file(path, start="magnitude", shape=shape)
        assert net.reading.inputs[0].shape == (1, 2, 4)
    with pytest.raises(InputError, match="give its shape"):
        Network.from_file(path, start="magnitude")


# ---- several inputs: their shapes and values -------------------------------------------------------------------


def several():
    """A branch that a whole number chooses, a state, and an input of open length."""

    def branch(factor):
        name = f"f{factor}"
        return helper.make_graph(
            [node("Mul", f"x {name}", f"m{factor}")], name, [],
            [helper.make_tensor_value_info(f"m{factor}", TensorProto.FLOAT, None)],
            [numpy_helper.from_array(np.float32(factor), name)],
        )  # fmt: skip

    nodes = [
        node("Equal", "rate sixteen", "is16"),
        helper.make_node("If", ["is16"], ["scaled"], then_branch=branch(1), else_branch=branch(2)),
        node("Add", "scaled state", "h"),
        node("Relu", "h", "y"),
    ]
    model = graphs.model(nodes, {"sixteen": np.array(16000)}, shape=("batch", "time"))
    model.graph.input.append(helper.make_tensor_value_info("state", TensorProto.FLOAT, [1, 3]))
    model.graph.input.append(helper.make_tensor_value_info("rate", TensorProto.INT64, []))
    return model


def test_inputs_that_are_given(tmp_path, capsys):
    path = saved(several(), tmp_path)
    for rate, factor in ((16000, 1), (8000, 2)):
        net = Network.from_file(path, shape=(1, 3), values={"rate": [rate], "state": ["0.5", "-1", 0]})
        assert [float(v) for v in net([1, 1, 1])] == [factor + 0.5, factor - 1, factor]
        assert [p.name for p in net.reading.inputs] == ["x"]
    words = ["--input-shape", "x=1,3", "--input-value", "rate=8000", "--input-value", "state=1"]
    assert main(["inspect", str(path), *words]) == 0
    assert "input    x [1, 3]: 3 numbers" in capsys.readouterr().out
    assert main(["decide", str(path), *words, "--domain", "box:-2,-1"]) == 0
    assert "3 dead" in capsys.readouterr().out
    assert load_judged(path, shape={"x": (1, 3)}, values={"rate": ["8000"]}).inputs == 6


def test_a_default_of_the_file_gives_way(tmp_path):
    model = graphs.model([node("Add", "x b", "h"), node("Relu", "h", "y")], {"b": np.float32([1, 1, 1, 1])},
                         as_inputs=True)  # fmt: skip
    path = saved(model, tmp_path)
    assert [float(v) for v in Network.from_file(path)([0, 0, 0, 0])] == [1] * 4
    assert [float(v) for v in Network.from_file(path, values={"b": [3]})([0, 0, 0, 0])] == [3] * 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"shape": {"y": (1, 3)}}, "no input 'y' whose shape could be given"),
        ({"shape": {"x": (1, 3, 1)}}, r"\[1, 3, 1\] does not fit shape \[batch, time\]"),
        ({"values": {"rat": [1]}}, r"no input 'rat' that could be given \(there is 'rate', 'state'\)"),
        ({"values": {"rate": [1, 2]}}, r"2 numbers for shape \[\]"),
        ({"values": {"rate": ["1.5"]}}, "input 'rate': invalid literal"),
        ({"values": {"rate": [1 << 70]}}, "input 'rate': "),
        ({"values": {"x": [1]}}, "its shape is open"),
        ({"values": {"state": ["inf"]}}, "must be finite"),
        ({"values": {"state": ["1e39"]}}, "must be finite"),
    ],
)
def test_what_does_not_fit(options, said, tmp_path):
    with pytest.raises(InputError, match=said):
        Network.from_file(saved(several(), tmp_path), **options)


def test_whose_shape_it_is_must_be_clear(tmp_path, capsys):
    model = several()
    model.graph.input[1].type.tensor_type.shape.dim[1].Clear()
    path = saved(model, tmp_path)
    with pytest.raises(InputError, match=r"inputs 'x', 'state' are open: say whose shape \[1, 3\] is, as NAME=N,N"):
        Network.from_file(path, shape=(1, 3))
    for words, said in (
        (["--input-shape", "1,3", "--input-shape", "x=1,3"], "write NAME=N,N,... for each"),
        (["--input-shape", "x=1,3", "--input-shape", "x=1,4"], "an input is named twice"),
        (["--input-value", "rate"], "write NAME=V"),
        (["--input-shape", "x=1,b"], "in whole numbers"),
    ):
        assert main(["inspect", str(path), *words]) == 2
        assert said in capsys.readouterr().err


# ---- masks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nodes", "constants"),
    [
        ([node("Add", "r m", "h"), node("Softmax", "h", "y")], {"m": np.float32([0, -np.inf, 0, 0])}),
        ([node("Where", "c r m", "h"), node("Relu", "h", "y")],
         {"c": np.array([True, False, True, True]), "m": np.float32(-np.inf)}),
        ([node("Pad", "r p m", "h"), node("Relu", "h", "y")], {"p": whole(0, 1, 0, 1), "m": np.float32(-np.inf)}),
    ],
)  # fmt: skip
def test_infinite_masks_end_the_network(nodes, constants, tmp_path):
    """They are in order; an infinite weight is not."""
    net = Network.from_file(saved(graphs.model([node("Relu", "x", "r"), *nodes], constants), tmp_path))
    assert net.widths == (4,)
    assert len(net.reading.left) == 1 and "-inf is not a finite number" in net.reading.left[0]
    weights = graphs.model([node("Relu", "x", "r"), node("MatMul", "r w", "h"), node("Relu", "h", "y")],
                           {"w": np.float32([[1], [np.inf], [1], [2]])})  # fmt: skip
    with pytest.raises(InputError, match="inf is not a finite number"):
        Network.from_file(saved(weights, tmp_path))
