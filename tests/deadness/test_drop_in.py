"""Pruned ONNX files take the place of the model: names, shapes and operators stay, and they are equal, by proof."""

from __future__ import annotations

import json
from fractions import Fraction

import graphs
import numpy as np
import onnx
import pytest
from graphs import node, whole
from onnx import TensorProto, helper

from geomrelu import Network, Polyhedron, checker, decide
from geomrelu.budget import Budget
from geomrelu.cli.main import main
from geomrelu.deadness.drop_in import drop_in

pytestmark = pytest.mark.onnx


def shapes(model):
    """Names, element types and shapes of inputs and outputs."""
    return [
        [(v.name, v.type.tensor_type.elem_type, [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim])
         for v in values if v.name not in {t.name for t in model.graph.initializer}]
        for values in (model.graph.input, model.graph.output)
    ]  # fmt: skip


def replaced(model, folder, box=(-1, 1), **budget):
    """Prune a model file; check the proof, the interface and the outputs on the domain. Returns (net, found, model)."""
    path = folder / "model.onnx"
    onnx.save(model, str(path))
    net = Network.from_file(path)
    domain = Polyhedron.box([box] * net.inputs)
    found = drop_in(path, net, domain, decide(net, domain, **budget), Budget(60))
    (folder / "small.onnx").write_bytes(found.data)
    small = onnx.ModelProto.FromString(found.data)
    assert shapes(small) == shapes(model)
    assert len(found.data) <= found.bytes_before
    again = Network.from_file(folder / "small.onnx")
    data = json.loads(json.dumps(found.pruning.certificate))
    checker.check_pruning(data, net.checked, domain.checked, again.checked)
    rng = np.random.default_rng(4)
    low, high = box
    points = low + (high - low) * rng.integers(0, 9, size=(12, net.inputs)) / 8
    for point in points:
        exact = [Fraction(float(v)) for v in point]
        assert again(exact) == net(exact)
    return net, found, small


def runs_alike(folder, model, count=8, rows=3):
    """Both files by onnxruntime, with a batch if the model has one."""
    onnxruntime = pytest.importorskip("onnxruntime")
    sessions = [
        onnxruntime.InferenceSession(str(folder / name), providers=["CPUExecutionProvider"])
        for name in ("model.onnx", "small.onnx")
    ]
    rng = np.random.default_rng(5)
    for _ in range(count):
        x = {
            i.name: (rng.integers(-8, 9, size=[s if isinstance(s, int) else rows for s in i.shape]) / 8).astype(
                np.float32
            )
            for i in sessions[0].get_inputs()
        }
        for a, b in zip(*(s.run(None, x) for s in sessions), strict=True):
            assert a.shape == b.shape
            np.testing.assert_allclose(a, b, atol=1e-5)


def operators(model):
    return [n.op_type for n in model.graph.node]


def dead(array, *channels, axis=0, value=-100):
    """Rows (or entries) so low that a ReLU after them is dead on small boxes."""
    array = array.copy()
    array[tuple([slice(None)] * axis + [list(channels)])] = value
    return array


RNG = np.random.default_rng(11)


@pytest.fixture(autouse=True)
def the_same_numbers_in_any_order():
    RNG.bit_generator.state = np.random.default_rng(11).bit_generator.state


def dense(*shape):
    return graphs.eighths(RNG, *shape)


def image_model(shape=("N", 2, 5, 5), **more):
    """conv, batch normalisation, max pooling, conv, flatten, gemm; channels 1 and 3 of the first conv are dead."""
    return graphs.model(
        [
            node("Conv", "x k kb", "c", pads=[1, 1, 1, 1]),
            node("Relu", "c", "r"),
            node("MaxPool", "r", "p", kernel_shape=[2, 2], strides=[2, 2]),
            node("Conv", "p k2", "c2"),
            node("BatchNormalization", "c2 s t m v", "b"),
            node("Relu", "b", "r2"),
            node("Flatten", "r2", "f"),
            node("Gemm", "f w wb", "y", transB=1),
        ],
        {
            "k": dense(4, 2, 3, 3), "kb": dead(dense(4), 1, 3), "k2": dense(3, 4, 1, 1), "s": np.float32([1, 2, 4]),
            "t": dead(dense(3), 2, value=-1000), "m": dense(3), "v": np.float32([1, 1, 1]),
            "w": dense(2, 12), "wb": dense(2),
        },
        shape=shape,
        **more,
    )  # fmt: skip


def test_whole_channels_of_convolutions_go(tmp_path):
    _, found, small = replaced(image_model(), tmp_path)
    weights = {t.name: list(t.dims) for t in small.graph.initializer}
    assert operators(small) == operators(image_model())
    assert sorted(map(tuple, weights.values())) == sorted(
        [(2, 2, 3, 3), (2,), (2, 2, 1, 1), (2,), (2,), (2,), (2,), (2, 8), (2,)]
    )
    again = Network.from_file(tmp_path / "small.onnx")
    assert [shape.shape for shape in again.reading.layers if shape.own] == [(2, 5, 5), (2, 2, 2)]
    assert found.pruning.removed > 50 and found.stay == 0
    runs_alike(tmp_path, small)


@pytest.mark.parametrize("rows", ["N", 1, 3])
def test_batches_stay(rows, tmp_path):
    model = graphs.model(
        [
            node("MatMul", "x w", "h"), node("Add", "h b", "z"), node("Relu", "z", "r"),
            node("Reshape", "r s", "q"), node("Gemm", "q v c", "h2"), node("Relu", "h2", "r2"),
            node("MatMul", "r2 u", "y"),
        ],
        {"w": dense(3, 6), "b": dead(dense(6), 0, 5), "s": whole(-1, 6), "v": dense(6, 4), "c": dead(dense(4), 1),
         "u": dense(4, 2)},
        shape=(rows, 3),
    )  # fmt: skip
    _, found, small = replaced(model, tmp_path)
    assert Network.from_file(tmp_path / "small.onnx").widths == (4, 3)
    assert operators(small) == operators(model)
    assert found.pruning.removed == 3
    runs_alike(tmp_path, small, rows=4)


def test_a_residual_branch_that_is_dead_goes(tmp_path):
    model = graphs.model(
        [
            node("Gemm", "x w b", "h"), node("Relu", "h", "r"),
            node("Gemm", "r w2 b2", "h2"), node("Relu", "h2", "r2"),
            node("Add", "r2 r", "a"), node("Gemm", "a v", "z"), node("Relu", "z", "y"),
        ],
        {"w": dense(2, 4), "b": dense(4) + 9, "w2": dense(4, 4), "b2": dead(dense(4), 0, 1, 2, 3, value=-1000),
         "v": dense(4, 3)},
        shape=("N", 2),
    )  # fmt: skip
    _, found, small = replaced(model, tmp_path)
    assert Network.from_file(tmp_path / "small.onnx").widths == (4, 3)
    assert operators(small) == ["Gemm", "Relu", "Identity", "Gemm", "Relu"]
    assert found.pruning.removed == 4
    runs_alike(tmp_path, small)


def test_living_neurons_that_only_a_dead_branch_reads_go_with_it(tmp_path):
    """x + W3 relu(W2 relu(W1 x) - 9): the second layer is dead, the first is alive and read by nothing else."""
    model = graphs.model(
        [
            node("Gemm", "x a p", "u"), node("Relu", "u", "h"), node("Gemm", "h b q", "v"), node("Relu", "v", "k"),
            node("Gemm", "k c", "w"), node("Add", "x w", "s"), node("Gemm", "s d", "t"), node("Relu", "t", "y"),
        ],
        {"a": dense(2, 5), "p": np.full(5, 0.5, np.float32), "b": dense(5, 4), "q": np.full(4, -90, np.float32),
         "c": dense(4, 2), "d": dense(2, 3)},
        shape=("N", 2),
    )  # fmt: skip
    net, found, small = replaced(model, tmp_path)
    kept = [initial.dims for initial in small.graph.initializer]
    assert net.widths == (5, 4, 3) and len(found.data) < found.bytes_before
    assert found.pruning.network.widths[0] < 5, kept
    claimed = {(c["layer"], c["status"]) for c in found.pruning.certificate["claims"]}
    assert (1, "dead") not in claimed
    runs_alike(tmp_path, model)


def test_channels_of_a_residual_sum_go_together(tmp_path):
    """Channel 0 is dead in both summands and goes; 1 only in one, and stays."""
    model = graphs.model(
        [
            node("Gemm", "x w b", "h"), node("Relu", "h", "r"),
            node("Gemm", "r w2 b2", "h2"), node("Relu", "h2", "r2"),
            node("Add", "r2 r", "a"), node("Gemm", "a v c", "y"),
        ],
        {"w": dense(2, 4), "b": dead(dense(4) + 9, 0), "w2": dense(4, 4), "b2": dead(dense(4) + 200, 0, 1, value=-1000),
         "v": dense(4, 3), "c": dense(3)},
        shape=("N", 2),
    )  # fmt: skip
    _, found, small = replaced(model, tmp_path)
    assert Network.from_file(tmp_path / "small.onnx").widths == (3, 3)
    assert (found.pruning.removed, found.stay) == (2, 1)
    runs_alike(tmp_path, small)


def test_all_outputs_and_what_is_left_out_are_kept(tmp_path):
    model = graphs.model(
        [
            node("Gemm", "x w b", "h"), node("Relu", "h", "r"),
            node("Gemm", "r v", "l"), node("Softmax", "l", "p"), node("ArgMax", "p", "i", axis=1),
            node("Gemm", "r u", "g"), node("Relu", "g", "q"),
        ],
        {"w": dense(3, 5), "b": dead(dense(5), 2, 4), "v": dense(5, 4), "u": dense(5, 2)},
        shape=("N", 3),
        outputs="p q",
    )  # fmt: skip
    model.graph.output.append(helper.make_tensor_value_info("i", TensorProto.INT64, None))
    net, found, small = replaced(model, tmp_path)
    assert [port.name for port in net.reading.outputs] == ["q", "l"]
    assert net.reading.left == ("operator Softmax (node 4, output 'p') is not supported",)
    assert operators(small) == operators(model) and found.pruning.removed == 2
    runs_alike(tmp_path, small)


def test_a_constant_channel_is_taken_up_by_the_next_bias(tmp_path):
    """A dead channel that batch normalisation makes 1/2 everywhere; before a padded convolution it has to stay."""
    fixed = {"s": np.float32([1, 1, 1]), "t": np.float32([0, 0.5, 0]), "m": np.zeros(3, np.float32),
             "v": np.float32([1, 1, 1])}  # fmt: skip
    model = graphs.model(
        [node("Gemm", "x w b", "h"), node("Relu", "h", "r"),
         node("BatchNormalization", "r s t m v", "n", epsilon=0.0), node("Gemm", "n u c", "y")],
        {"w": dense(2, 3), "b": dead(dense(3), 1), "u": dense(3, 2), "c": dense(2)} | fixed, shape=("N", 2),
    )  # fmt: skip
    _, found, small = replaced(model, tmp_path)
    assert found.pruning.removed == 1 and operators(small) == operators(model)
    runs_alike(tmp_path, small)
    padded = graphs.model(
        [node("Conv", "x k b", "h"), node("Relu", "h", "r"),
         node("BatchNormalization", "r s t m v", "n", epsilon=0.0), node("Conv", "n l", "y", pads=[1, 1, 1, 1])],
        {"k": dense(3, 1, 2, 2), "b": dead(dense(3), 1), "l": dense(2, 3, 3, 3)} | fixed, shape=("N", 1, 4, 4),
    )  # fmt: skip
    _, found, small = replaced(padded, tmp_path)
    assert (found.pruning.removed, found.stay) == (0, 9) and found.data == (tmp_path / "model.onnx").read_bytes()


def test_depthwise_kernels_shared_constants_and_old_files(tmp_path):
    """A kernel for each channel; a constant that two nodes read; constants listed among the inputs."""
    model = graphs.model(
        [
            node("Conv", "x k b", "h"), node("Relu", "h", "r"), node("Conv", "r d", "e", group=4),
            node("Relu", "e", "q"),
            node("Mul", "q f", "g"), node("Add", "g f", "g2"), node("Relu", "g2", "g3"), node("Conv", "g3 l", "y"),
        ],
        {"k": dense(4, 1, 2, 2), "b": dead(dense(4), 0, 2), "d": dense(4, 1, 2, 2),
         "f": np.float32([0, 1, 0, 0.5]).reshape(4, 1, 1), "l": dense(2, 4, 1, 1)},
        shape=(1, 1, 5, 5),
        as_inputs=True,
    )  # fmt: skip
    model.ir_version = 3
    _, _, small = replaced(model, tmp_path)
    assert {tuple(t.dims) for t in small.graph.initializer} >= {(2, 1, 2, 2), (2, 1, 1), (2, 2, 1, 1)}
    assert [a.i for n in small.graph.node for a in n.attribute if a.name == "group"] == [2]
    runs_alike(tmp_path, small)


def test_operators_that_need_every_channel_keep_them(tmp_path):
    """Split and what a branch reads from outside; layers without such readers lose their channels."""
    inner = helper.make_graph(
        [node("Exp", "r", "e")], "b", [], [helper.make_tensor_value_info("e", TensorProto.FLOAT, None)]
    )
    other = helper.make_graph(
        [node("Neg", "r", "e2")], "c", [], [helper.make_tensor_value_info("e2", TensorProto.FLOAT, None)]
    )
    model = graphs.model(
        [
            node("Gemm", "x w b", "h"), node("Relu", "h", "r"), node("Gemm", "r u c", "h2"), node("Relu", "h2", "r2"),
            node("Split", "r s", "p q", axis=1), node("Gemm", "r2 v", "t"), node("Add", "t p", "a"),
            node("Sub", "a q", "y"), node("ReduceMax", "x", "m", keepdims=0), node("Cast", "m", "flag", to=9),
            helper.make_node("If", ["flag"], ["z"], then_branch=inner, else_branch=other),
        ],
        {"w": dense(2, 4), "b": dead(dense(4), 1), "s": whole(2, 2), "u": dense(4, 3), "c": dead(dense(3) + 9, 0),
         "v": dense(3, 2)},
        shape=(1, 2), outputs="y z",
    )  # fmt: skip
    net, found, small = replaced(model, tmp_path)
    assert [port.name for port in net.reading.outputs] == ["y", "m", "r"]
    assert Network.from_file(tmp_path / "small.onnx").widths == (4, 2) if net.depth == 2 else True
    assert (found.pruning.removed, found.stay) == (1, 1)
    runs_alike(tmp_path, small)


def test_external_data_are_taken_in(tmp_path):
    model = graphs.model(
        [node("Gemm", "x w b", "h"), node("Relu", "h", "r"), node("Gemm", "r v", "y")],
        {"w": dense(3, 90), "b": dead(dense(90), *range(40)), "v": dense(90, 2)}, shape=("N", 3),
    )  # fmt: skip
    path = tmp_path / "model.onnx"
    onnx.save_model(model, str(path), save_as_external_data=True, location="model.onnx.data", size_threshold=0)
    net = Network.from_file(path)
    for box, width in (((-1, 1), 50), ((-1000, 1000), 90)):
        domain = Polyhedron.box([box] * 3)
        found = drop_in(path, net, domain, decide(net, domain))
        (tmp_path / "other").mkdir(exist_ok=True)
        (tmp_path / "other" / "small.onnx").write_bytes(found.data)
        again = Network.from_file(tmp_path / "other" / "small.onnx")
        assert again.widths[0] <= width
        assert again([1, 0, "1/2"]) == net([1, 0, "1/2"])


def test_random_chains_and_images_of_which_much_is_dead(tmp_path):
    removed = 0
    for seed in range(14):
        rng = np.random.default_rng(seed)
        nodes, constants, value, channels = [], {}, "x", 2
        for k in range(rng.integers(1, 4)):
            out = int(rng.integers(2, 5))
            constants |= {
                f"k{k}": graphs.eighths(rng, out, channels, 2, 2),
                f"b{k}": np.float32(rng.choice([-200, 0, 1], size=out)),
            }  # fmt: skip
            nodes += [node("Conv", f"{value} k{k} b{k}", f"c{k}"), node("Relu", f"c{k}", f"r{k}")]
            value, channels = f"r{k}", out
            if rng.random() < 0.4:
                nodes.append(node("Transpose", value, f"t{k}", perm=[0, 1, 3, 2]))
                value = f"t{k}"
            if rng.random() < 0.4:
                nodes.append(node("AveragePool", value, f"p{k}", kernel_shape=[2, 2], pads=[1, 1, 0, 0]))
                value = f"p{k}"
        nodes += [node("Transpose", value, "t", perm=[0, 2, 3, 1]), node("Flatten", "t", "f")]
        size = channels * (6 - sum(n.op_type == "Conv" for n in nodes)) ** 2
        constants |= {"w": graphs.eighths(rng, size, 3), "wb": graphs.eighths(rng, 3)}
        nodes.append(node("Gemm", "f w wb", "y"))
        model = graphs.model(nodes, constants, shape=("N", 2, 6, 6))
        _, found, _ = replaced(model, tmp_path, time=0.7, neuron_time=0.05)
        removed += found.pruning.removed
        runs_alike(tmp_path, model, count=2)
    assert removed > 150


def test_the_command(tmp_path, capsys):
    onnx.save(image_model(), str(tmp_path / "m.onnx"))
    arguments = [str(tmp_path / "m.onnx"), "--domain", "box:-1,1", "-o", str(tmp_path / "s.onnx")]
    assert main(["prune", *arguments, "--report", "--certificate", str(tmp_path / "c.json")]) == 0
    said = capsys.readouterr().out
    assert "bytes" in said and "exactly (proved)" in said
    check = [str(tmp_path / "c.json"), "--model", arguments[0], "--domain", "box:-1,1", "--smaller", arguments[-1]]
    assert main(["check", *check]) == 0
    alive = graphs.model([node("Gemm", "x w", "h"), node("Relu", "h", "y")], {"w": dense(2, 3)}, shape=("N", 2))
    onnx.save(alive, str(tmp_path / "m.onnx"))
    assert main(["prune", *arguments]) == 0
    assert "kept as it is" in capsys.readouterr().out
    assert (tmp_path / "s.onnx").read_bytes() == (tmp_path / "m.onnx").read_bytes()


def test_what_a_format_cannot_hold_is_said_before_the_work(tmp_path, capsys, monkeypatch):
    def never(*_, **__):
        raise AssertionError

    monkeypatch.setattr("geomrelu.deadness.front_door.judged", never)
    skipping = {"inputs": 1, "layers": [{"rows": [[0, 0, 1]]}, {"rows": [[0, 0, "1/3", 1, 1]]}]}
    (tmp_path / "skip.json").write_text(json.dumps(skipping))
    for ending, words in ((".npz", "written as .json or .onnx"), (".onnx", "no float equals")):
        output = str(tmp_path / f"s{ending}")
        assert main(["prune", str(tmp_path / "skip.json"), "--domain", "box:0,1", "-o", output]) == 2
        assert words in capsys.readouterr().err


# ---- the shared cases -------------------------------------------------------------------------------------------

CASES = {  # file: (box, widths before, widths after, dead neurons that stay)
    "second_layer_dead": ((-1, 1), (4, 3), (4, 1), 1),  # one neuron stays, as a matrix needs a row
    "residual_dead_branch": ((-1, 1), (4, 4, 3), (4, 3), 0),
    "skip": ((-1, 1), (2, 2), (2, 2), 0),
    "bn_after_dead_channel": ((0, 1), (27, 18), (27, 18), 9),  # constant, not 0, before a padded convolution
    "conv28": ((0, 1), (5408,), (5408,), 0),
}


@pytest.mark.parametrize("name", CASES)
def test_cases(name, shared, tmp_path):
    path = shared / "cases" / "prune" / f"{name}.onnx"
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    box, before, after, stay = CASES[name]
    net, found, small = replaced(onnx.load(path), tmp_path, box)
    assert net.widths == before
    assert Network.from_file(tmp_path / "small.onnx").widths == after
    assert found.stay == stay
    if "Conv" in operators(onnx.load(path)):
        assert "Conv" in operators(small)
    runs_alike(tmp_path, small, count=3)


@pytest.mark.parametrize("kind", ["halves", "doubles", "folded"])
def test_constants_that_are_computed_keep_their_element_type(kind, tmp_path):
    """Weights in float16 behind a Cast, and sums of constants: what takes their place is what the operators read."""
    wide = {"doubles": TensorProto.DOUBLE}.get(kind, TensorProto.FLOAT)
    stored = {"halves": np.float16, "doubles": np.float64}.get(kind, np.float32)
    w1, b1, w2 = dense(3, 40).astype(stored), dead(dense(40), *range(30)).astype(stored), dense(40, 2).astype(stored)
    how = [node("Cast", f"{c}0", c, to=wide) if kind == "halves" else node("Add", f"{c}0 {c}0", c) for c in "abc"]
    made = graphs.model(
        [*how, node("MatMul", "x a", "m"), node("Add", "m b", "z"), node("Relu", "z", "r"), node("MatMul", "r c", "y")],
        {"a0": w1, "b0": b1, "c0": w2}, ("N", 3), kind=wide,
    )  # fmt: skip
    _, found, small = replaced(made, tmp_path)
    assert found.pruning.removed >= 30
    if kind == "halves":  # stored as they were
        assert {t.data_type for t in small.graph.initializer} == {TensorProto.FLOAT16}
    onnxruntime = pytest.importorskip("onnxruntime")
    x = np.array([[0.5, -1, 0.25]], dtype=np.float64 if kind == "doubles" else np.float32)
    one, other = (
        onnxruntime.InferenceSession(str(tmp_path / name), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
        for name in ("model.onnx", "small.onnx")
    )
    assert one.dtype == other.dtype
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_groups_behind_what_is_left_out(tmp_path):
    """A convolution with groups that is not read has no channels that could go; it was asked for them."""
    nodes = [
        node("Conv", "x k b", "h"),
        node("Relu", "h", "r"),
        node("Conv", "r l", "g"),
        node("Relu", "g", "s"),
        node("Tanh", "s", "t"),
        node("Conv", "t m", "y", group=2),
    ]
    constants = {
        "k": graphs.eighths(np.random.default_rng(1), 3, 1, 1), "b": np.float32([0, -99, 0]),
        "l": graphs.eighths(np.random.default_rng(2), 2, 3, 1), "m": np.ones((2, 1, 1), np.float32),
    }  # fmt: skip
    net, found, small = replaced(graphs.model(nodes, constants, (1, 1, 4)), tmp_path)
    assert (net.widths, found.pruning.network.widths, found.stay) == ((12, 8), (8, 8), 0)
    assert [t.dims for t in small.graph.initializer if t.name == "m"] == [[2, 1, 1]]
    runs_alike(tmp_path, small)
