"""Every file format: what it means, exactly, and that whatever is wrong with a file is one line that names it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from fractions import Fraction
from itertools import pairwise

import graphs
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from geomrelu import checker
from geomrelu.errors import InputError
from geomrelu.io import cdd, vnnlib
from geomrelu.io import json as json_format
from geomrelu.io.files import read_bytes, read_text
from geomrelu.network.network import Network


def half(p, q=2):
    return Fraction(p, q)


def written(folder, name, content):
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def refused(read, path, words):
    """Reading raises InputError: one line, which begins with the path and says ``words``."""
    with pytest.raises(InputError) as caught:
        read(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: "), line
    assert "\n" not in line
    assert len(line) < len(str(path)) + 500
    assert re.search(words, line), line


@pytest.fixture
def small_limit(monkeypatch):
    """The limit on sizes, lowered so that reaching it takes no time."""
    monkeypatch.setattr("geomrelu.exact.affine._LARGEST", 1_000_000)
    return "at most 1"


READERS = {
    ".json": Network.from_file,
    ".npz": Network.from_file,
    ".onnx": Network.from_file,
    ".vnnlib": vnnlib.read_sets,
    ".ine": cdd.read_set,
    ".ext": cdd.read_set,
    ".set.json": json_format.read_set,
}


# ---- files of every kind ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", READERS)
def test_what_can_be_wrong_with_any_file(suffix, tmp_path):
    read = READERS[suffix]
    refused(read, tmp_path / f"missing{suffix}", "No such file")
    (tmp_path / f"folder{suffix}").mkdir()
    refused(read, tmp_path / f"folder{suffix}", "Is a directory")
    garbage = (b"", b"\x00" * 64, b"\xff\xfe\x00garbage", b"PK\x03\x04 not an archive", b"(" * 5000, b"[" * 100_000)
    for content in garbage:
        refused(read, written(tmp_path, f"file{suffix}", content), "")


def test_files_that_do_not_end_or_may_not_be_read(tmp_path, monkeypatch):
    monkeypatch.setattr("geomrelu.io.files._LARGEST", 10)
    refused(read_bytes, written(tmp_path, "a", b"x" * 11), "larger than 10 bytes")
    refused(read_text, written(tmp_path, "b", b"abc\xff"), "byte 3 is not UTF-8")
    assert read_text(written(tmp_path, "c", b"\xef\xbb\xbfabc")) == "abc"
    with pytest.raises(InputError, match="null"):
        read_bytes("a\0b")

    def forbidden(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", forbidden)
    refused(read_bytes, tmp_path / "a", "Permission denied")


def test_unknown_kinds_of_model_files(tmp_path):
    refused(Network.from_file, written(tmp_path, "model.h6", b""), "unknown kind of model file")
    refused(Network.from_file, written(tmp_path, "model.gz", b""), "unknown kind of model file")


# ---- JSON -------------------------------------------------------------------------------------------------------


def test_json_numbers_are_what_they_spell(tmp_path):
    text = '{"layers": [{"weights": [[0.1, "1/3", -2], [1e-2, "0.5", "-3e1"]], "bias": ["2/7", 0]}]}'
    net = Network.from_file(written(tmp_path, "model.json", text))
    assert net.neuron(1, 0).slope == (half(1, 10), half(1, 3), -2)
    assert net.neuron(1, 0).constant == half(2, 7)
    assert net.neuron(1, 1).slope == (half(1, 100), half(1), -30)
    assert net == Network.from_layers([([["0.1", "1/3", -2], ["0.01", "0.5", -30]], ["2/7", 0], "relu")])


def test_json_layers_dense_and_sparse(tmp_path):
    """The two forms mix; the checker reads the same network."""
    data = {
        "inputs": 2,
        "layers": [
            {"weights": [[1, 2], [3, 4]], "activation": "none"},
            {"weights": [[1, 0], [0, 1]], "bias": [1, "1/2"]},
            {"rows": [[1, 3, "1/2", 0, -1], ["-1/2"]], "activation": "relu"},
            {"weights": [[1, 1]], "activation": "none"},
        ],
    }
    net = Network.from_file(written(tmp_path, "model.json", data))
    assert net.widths == (2, 2)
    assert net.digest == checker.Model.parse(data).digest()
    assert net.neuron(2, 0).slope == (-1, 0, 0, half(1))
    assert net([1, 1]) == [half(15, 4)]
    data = {**data, "layers": [*data["layers"], {"weights": [[2]], "activation": "none"}]}
    assert Network.from_file(written(tmp_path, "more.json", data))([1, 1]) == [half(15, 2)]


def dense(**changes):
    return {"layers": [{"weights": [[1, 2], [3, 4]], "bias": [0, 1], **changes}]}


def sparse(*rows, **changes):
    return {"inputs": 2, "layers": [{"rows": list(rows)}], **changes}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"layers": [{"weights": [[' + "9" * 5000 + "]]}]}", "not valid JSON"),
        ('{"layers": [{"weights": [[NaN]]}]}', "NaN is not a finite number"),
        ('{"layers": [{"weights": [[-Infinity]]}]}', "-Infinity is not a finite number"),
        ('{"layers": [{"weights": [[1]]}], "layers": []}', "stands twice"),
        ([], "a model must be an object"),
        ({}, '"layers"'),
        ({"layers": []}, '"layers"'),
        ({"layers": [1]}, "layer 1"),
        ({"layers": [{"weights": [[1]]}], "name": "x"}, "unknown key 'name'"),
        (dense(kernel=[1]), "layer 1: unknown key 'kernel'"),
        (dense(weights=[]), "layer 1"),
        (dense(weights=[[]]), "layer 1"),
        (dense(weights="12"), "layer 1"),
        (dense(weights=[[1, 2], [3]]), "layer 1, weights, row 1: 1 entries, but row 0 has 2"),
        (dense(weights=[[1, 2], 3]), "list of rows"),
        (dense(weights=[[1, 2], [3, "x"]]), "layer 1, weights, row 1, entry 1: 'x' is not a rational number"),
        (dense(weights=[[1, 2], [3, "1/0"]]), "row 1, entry 1: '1/0' has denominator zero"),
        (dense(weights=[[1, 2], [3, True]]), "row 1, entry 1: True is not a number"),
        (dense(weights=[[1, 2], [3, None]]), "row 1, entry 1: None is not a number"),
        (dense(weights=[[1, 2], [3, [4]]]), "row 1, entry 1"),
        (dense(weights=[[1, 2], [3, "1e999999"]]), "row 1, entry 1"),
        (dense(weights=[[1, 2], [3, "9" * 4001]]), "row 1, entry 1"),
        (dense(weights=[[1, 2], [3, "9" * 4000]]), "layer 1: a parameter has more than 13000 bits"),
        (dense(bias=[1]), "list of 2 numbers"),
        (dense(bias=3), "list of 2 numbers"),
        (dense(bias=[1, {}]), "layer 1, bias, entry 1"),
        (dense(activation="tanh"), "activation must be relu or none, not 'tanh'"),
        (dense(activation="none"), "no ReLU layer"),
        (dense(rows=[[1]]), "already hold"),
        (
            {"layers": [{"weights": [["9" * 2999]], "activation": "none"}, {"weights": [["9" * 2999]]}]},
            "layer 1.*13000 bits",
        ),
        ({"layers": [{"weights": [[1]]}, {"weights": [[1, 2]]}]}, "layer 2 reads 2 values, but 1 come before it"),
        ({"inputs": 3, "layers": [{"weights": [[1]]}]}, "layer 1 reads 1 values, but 3"),
        ({"inputs": True, "layers": [{"weights": [[1]]}]}, '"inputs"'),
        ({"layers": [{"rows": [[1, 0, 1]]}]}, '"inputs"'),
        (sparse([1, 0, 1], inputs=0), '"inputs"'),
        (sparse([1, 0, 1], inputs=10**15), "at most 5"),
        (sparse(), "list of rows"),
        (sparse([]), "layer 1, row 0: expected"),
        (sparse([1], [1, 0]), "layer 1, row 1: expected"),
        (sparse([1], [1, 2, 1]), "layer 1, row 1: 2 is not one of the 2 variables"),
        (sparse([1], [1, "0", 1]), "layer 1, row 1: 0 is not one of the 2 variables"),
        (sparse([1], [1, 1, 1, 0, 1, 1, 1]), "layer 1, row 1: variable 1 stands twice"),
        (sparse([1], [1, 1, "one"]), "layer 1, row 1: 'one'"),
        (sparse([1], ["one"]), "layer 1, row 1, constant: 'one'"),
    ],
)
def test_json_models_that_are_refused(data, words, tmp_path):
    refused(Network.from_file, written(tmp_path, "model.json", data), words)


def test_unrelated_denominators_do_not_fill_the_memory(tmp_path, small_limit):
    entries = [f"1/{10**400 + 2 * k + 1}" for k in range(3000)]
    path = written(tmp_path, "model.json", {"layers": [{"weights": [entries]}]})
    refused(Network.from_file, path, f"common denominator.*{small_limit}")


def test_json_sets(tmp_path):
    def read(data):
        return json_format.read_set(written(tmp_path, "set.json", data))

    free = [[None, None]] * 2
    assert read({"inequalities": [[1, "1/2", -1]]}) == {
        "dimension": 2,
        "inequalities": [[1, half(1), -1]],
        "equalities": [],
        "box": free,
    }
    assert read({"dimension": 2})["box"] == free
    assert read({"box": [[0, None], ["-0.1", 1e3]]})["box"] == [[0, None], [half(-1, 10), 1000]]
    assert read({"vertices": [[0, 1]], "rays": [[1, 0]]}) == {
        "dimension": 2,
        "vertices": [[0, 1]],
        "rays": [[1, 0]],
        "lines": [],
    }
    assert read([[0, "1/3"]]) == read({"points": [[0, "1/3"]]}) == {"dimension": 2, "points": [[0, half(1, 3)]]}
    for data in ({"inequalities": [[1, 1, 1]], "equalities": [[0, 1, -1]], "box": [[0, 1], [0, 1]]}, [[1, 2], [3, 4]]):
        assert checker.Domain.parse(read(data)).digest() == checker.Domain.parse(data).digest()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "not valid JSON"),
        ("NaN", "NaN"),
        ("3", "a set must be an object"),
        ({}, "dimension of the set"),
        ([], "at least one point"),
        ({"points": []}, "at least one point"),
        ({"vertices": [], "rays": [[1]]}, "at least one point"),
        ({"rays": [[1]]}, "at least one point"),
        ({"inequalities": []}, "dimension of the set"),
        ({"inequalities": [[1]]}, "dimension of the set"),
        ({"box": []}, "dimension of the set"),
        ([[]], "dimension of the set"),
        ({"inequalities": [[1, 2], [1]]}, "different lengths"),
        ({"inequalities": [[1, 2]], "box": [[0, 1]] * 2}, "different lengths"),
        ({"dimension": 2, "box": [[0, 1]]}, "different lengths"),
        ({"dimension": "2"}, "whole number"),
        ({"dimension": 10**12}, "at most 5"),
        ({"inequalities": [[1, 2]], "points": [[1]]}, "not by several"),
        ({"inequality": [[1, 2]]}, "unknown key 'inequality'"),
        ({"inequalities": [[1, 2], [3, "a"]]}, "inequalities, row 1, entry 1: 'a'"),
        ({"inequalities": [[1, 2], 3]}, "inequalities, row 1: expected a list"),
        ({"inequalities": 3}, '"inequalities" must be a list'),
        ({"box": [[0, 1], [0]]}, "box, side 1"),
        ({"box": [[0, 1], [0, "x"]]}, "box, side 1: 'x'"),
    ],
)
def test_json_sets_that_are_refused(data, words, tmp_path):
    refused(json_format.read_set, written(tmp_path, "set.json", data), words)


# ---- npz --------------------------------------------------------------------------------------------------------


def saved(folder, **arrays):
    path = folder / "model.npz"
    np.savez(path, **arrays)
    return path


A, B = np.float32([[0.1, 1], [2, 3]]), np.float32([1, -1])


def test_npz_names_and_order(tmp_path):
    exact = Fraction(float(np.float32(0.1)))
    net = Network.from_file(saved(tmp_path, W2=A, b2=B, W10=np.int64([[1, -1]]), W1=A))
    assert net.widths == (2, 2, 1)
    assert net.neuron(1, 0).slope == (exact, 1)
    assert net.neuron(1, 0).constant == 0
    assert net.neuron(3, 0).slope[4:] == (1, -1)
    numbered = [
        {"weight1": A, "bias1": B, "weight2": A},
        {"W1": A.astype(np.float64), "b1": B.astype(np.int8), "W2": A},
    ]
    named = [  # as state dictionaries have them: no ReLU after the last
        {"0.weight": A, "0.bias": B, "2.weight": A},
        {"net.9.weight": A, "net.9.bias": B, "net.10.weight": A},
        {"net.10.weight": A, "net.9.weight": A, "net.9.bias": B},
    ]
    for same, widths in ((numbered, (2, 2)), (named, (2,))):
        nets = [Network.from_file(saved(tmp_path, **arrays)) for arrays in same]
        assert len({net.digest for net in nets}) == 1 and nets[0].widths == widths
    assert Network.from_file(saved(tmp_path, W1=np.array([["1/3"]]))).neuron(1, 0).slope == (half(1, 3),)
    activations = np.array(["none", "relu"])
    assert Network.from_file(saved(tmp_path, W1=A, W2=A, activations=activations)).widths == (2,)


def test_numbered_layers_say_that_the_last_one_is_taken_for_a_relu(tmp_path):
    """Most networks have none there."""
    path = saved(tmp_path, W1=A, W2=A)
    note = "the file does not name its activation: taken is ReLU after each layer, the last one too"
    assert Network.from_file(path).reading.notes == (note,)
    for net in (Network.from_file(path, activation=["relu", "none"]), Network.from_file(path, activation="relu")):
        assert net.widths == (2,) and net.reading.notes == ()
    Network.from_file(path).save(tmp_path / "own.npz")
    assert Network.from_file(tmp_path / "own.npz").widths == (2, 2)
    assert Network.from_file(tmp_path / "own.npz").reading.notes == ()


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({}, "at least one layer"),
        ({"weights": A}, "'weights' is not the weight or the bias"),
        ({"W1": A, "weights": A}, "array 'weights' is not a layer"),
        ({"W1": A, "b2": B}, "layer '2' has a bias but no weights"),
        ({"W1": A, "weight1": A}, "layer '1' has its weights twice"),
        ({"W1": B}, "layer 1, weights: expected a matrix"),
        ({"W1": A, "b1": A}, "layer 1, bias: expected a vector"),
        ({"W1": A, "b1": np.zeros(3)}, "layer 1: 2 rows of weights but 3 biases"),
        ({"W1": A, "W2": np.zeros((2, 3))}, "layer 2 reads 3 values, but 2"),
        ({"W1": np.float32([[np.nan, 1]])}, r"layer 1, weights, entry \[0, 0\]: nan is not a finite number"),
        ({"W1": A, "b1": np.float64([0, np.inf])}, r"layer 1, bias, entry \[1\]: inf"),
        ({"W1": A.astype(complex)}, "holds complex128"),
        ({"W1": A.astype(bool)}, "holds bool"),
        ({"W1": A.astype(object)}, "holds pickled objects"),
        ({"W1": np.array([["1/0"]])}, "denominator zero"),
        ({"W1": np.zeros((0, 3))}, "has no neurons"),
        ({"W1": A, "activations": np.array(["relu"] * 2)}, "activation: 2 words for 1 layers"),
        ({"W1": A, "activations": np.array([1])}, "activations: expected a list of strings"),
        ({"W1": A, "activations": np.array(["tanh"])}, "activation must be relu or none, not 'tanh'"),
        ({"W1": A, "activations": np.array(["none"])}, "no ReLU layer"),
    ],
)
def test_npz_that_is_refused(arrays, words, tmp_path):
    refused(Network.from_file, saved(tmp_path, **arrays), words)


def test_npz_headers_are_not_believed(tmp_path, small_limit):
    """An array that claims more bytes than there are is refused before anything is allocated."""
    stream = io.BytesIO()
    np.save(stream, A)
    lying = stream.getvalue().replace(b"(2, 2), }        ", b"(999999999, 9), }")
    assert lying != stream.getvalue()
    for content, words in ((lying, "header does not fit"), (b"", "not readable"), (lying[:40], "not readable")):
        path = tmp_path / "model.npz"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("W1.npy", content)
        refused(Network.from_file, path, words)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(5):
            archive.writestr(f"W{k}.npy", bytes(2_000_000))
    refused(Network.from_file, path, small_limit)


# ---- ONNX: what is refused (what is read is in test_network) ------------------------------------------------------


def relu_of(*nodes, constants=(), **options):
    return graphs.model([*nodes, graphs.node("Relu", "h", "y")], constants, **options)


W = np.float32([[1, 2], [3, 4], [5, 6], [7, 8]])
IMAGE = (1, 2, 4, 4)
K = np.ones((2, 2, 3, 3), np.float32)


def changed(model, change):
    change(model)
    return model


def without_shape(model):
    model.graph.input[0].type.tensor_type.ClearField("shape")


def elsewhere(model):
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL


def no_output(model):
    del model.graph.output[:]


def shorter(model):
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:-1]


def enormous(model):
    model.graph.initializer[0].dims[:] = [1 << 40, 1 << 40]


def words_inside(model):
    model.graph.initializer[0].CopyFrom(helper.make_tensor("w", TensorProto.STRING, [1], [b"a"]))


def wrong_kind(model):
    model.graph.node[0].attribute[0].type = 1


node, whole = graphs.node, graphs.whole
REFUSED = {
    "unsupported": (relu_of(node("Softmax", "x", "h")), r"operator Softmax \(node 1, output 'h'\) is not supported"),
    "other domain": (
        relu_of(node("Add", "x x", "h", domain="org.example")),
        r"operator Add \(node 1, output 'h'\) is not supported",
    ),
    "attribute": (relu_of(node("Relu", "x", "h", slope=1.0)), "attribute 'slope' is not supported"),
    "attribute type": (changed(relu_of(node("Flatten", "x", "h", axis=1)), wrong_kind), "'axis' is of the wrong type"),
    "no ReLU": (graphs.model([node("Neg", "x", "y")]), "no ReLU layer"),
    "no output": (changed(relu_of(node("Neg", "x", "h")), no_output), "no output"),
    "constant made": (graphs.model([node("Neg", "x", "c"), node("Relu", "c", "y")], {"c": W}), "'c' is made twice"),
    "no relation": (graphs.model([node("Neg", "c", "y")], {"c": W}), "'y' does not depend on the input"),
    "constant ReLU": (graphs.model([node("Relu", "c", "y")], {"c": W}), "does not depend on the input"),
    "undefined": (relu_of(node("Neg", "z", "h")), "'z' is made by nothing"),
    "circle": (
        graphs.model([node("Add", "x g", "h"), node("Relu", "h", "g"), node("Neg", "g", "y")]),
        r"operator \w+ \(node \d, output '\w'\) reads what it makes itself",
    ),
    "twice": (relu_of(node("Neg", "x", "h"), node("Neg", "h", "h")), "'h' is made twice"),
    "too many inputs": (relu_of(node("Neg", "x x", "h")), "2 inputs are not supported"),
    "too few inputs": (relu_of(node("Add", "x -", "h")), "1 inputs are not supported"),
    "dynamic": (relu_of(node("Neg", "x", "h"), shape=("n", "m")), r"unknown size: shape \[n, m\]"),
    "no shape": (changed(relu_of(node("Neg", "x", "h")), without_shape), "'x' has no shape"),
    "huge input": (relu_of(node("Neg", "x", "h"), shape=(1, 10**6, 10**6)), "at most 5"),
    "integers": (relu_of(node("Neg", "x", "h"), kind=TensorProto.INT64), "not a tensor of floating-point numbers"),
    "external": (changed(relu_of(node("MatMul", "x w", "h"), constants={"w": W}), elsewhere), "not in the folder"),
    "short data": (changed(relu_of(node("MatMul", "x w", "h"), constants={"w": W}), shorter), "'w' is not readable"),
    "huge data": (changed(relu_of(node("MatMul", "x w", "h"), constants={"w": W}), enormous), "at most 5"),
    "strings": (changed(relu_of(node("MatMul", "x w", "h"), constants={"w": W}), words_inside), "'w' holds STRING"),
    "nan": (relu_of(node("MatMul", "x w", "h"), constants={"w": W * np.nan}), "nan is not a finite number"),
    "infinity": (relu_of(node("Add", "x c", "h"), constants={"c": np.float32(np.inf)}), "inf is not a finite number"),
    "shapes": (relu_of(node("MatMul", "x w", "h"), constants={"w": W.T}), r"\[1, 4\] and \[2, 4\] do not multiply"),
    "broadcast": (relu_of(node("Add", "x c", "h"), constants={"c": W}), r"\[1, 4\] and \[4, 2\] do not fit together"),
    "huge broadcast": (
        relu_of(node("Add", "x c", "h"), constants={"c": np.zeros((10**4, 1), np.float32)}, shape=(1, 10**4)),
        "at most 5",
    ),
    "product": (relu_of(node("Mul", "x x", "h")), "must be constant, but depends on the input"),
    "matrix product": (relu_of(node("MatMul", "x x", "h"), shape=(1, 1)), "must be constant"),
    "divisor": (relu_of(node("Div", "c x", "h"), constants={"c": W}), "the divisor must be constant"),
    "division by zero": (relu_of(node("Div", "x c", "h"), constants={"c": np.float32(0)}), "division by zero"),
    "gemm rank": (relu_of(node("Gemm", "x w", "h"), constants={"w": W}, shape=(1, 1, 4)), "expected two matrices"),
    "gemm C": (relu_of(node("Gemm", "x w c", "h"), constants={"w": W, "c": W[:, :2]}), "C of shape"),
    "conv kernel": (relu_of(node("Conv", "x k", "h"), constants={"k": K}, shape=(1, 3, 4, 4)), "input channels"),
    "conv rank": (relu_of(node("Conv", "x k", "h"), constants={"k": K}, shape=(1, 2, 4)), "each spatial axis"),
    "conv varies": (relu_of(node("Conv", "x x", "h"), shape=(1, 1, 2, 2)), "the kernel must be constant"),
    "conv too large": (relu_of(node("Conv", "x k", "h"), constants={"k": K}, shape=(1, 2, 2, 2)), "larger than"),
    "conv strides": (relu_of(node("Conv", "x k", "h", strides=[2]), constants={"k": K}, shape=IMAGE), "spatial axis"),
    "conv stride 0": (relu_of(node("Conv", "x k", "h", strides=[0, 1]), constants={"k": K}, shape=IMAGE), "positive"),
    "conv pads": (
        relu_of(node("Conv", "x k", "h", pads=[10**6] * 4), constants={"k": K}, shape=IMAGE),
        "at most 5",
    ),
    "conv pads beyond": (
        relu_of(node("Conv", "x k", "h", pads=[1 << 62] * 4), constants={"k": K}, shape=IMAGE),
        "at most 5",
    ),
    "conv groups": (relu_of(node("Conv", "x k", "h", group=0), constants={"k": K}, shape=IMAGE), "input channels"),
    "conv bias": (relu_of(node("Conv", "x k c", "h"), constants={"k": K, "c": np.ones(3)}, shape=IMAGE), "3 biases"),
    "conv auto_pad": (relu_of(node("Conv", "x k", "h", auto_pad="X"), constants={"k": K}, shape=IMAGE), "auto_pad 'X'"),
    "pool kernel": (
        relu_of(node("AveragePool", "x", "h", kernel_shape=[10**6, 10**6]), shape=IMAGE),
        "at most 5|larger than",
    ),
    "training": (
        relu_of(node("BatchNormalization", "x a a a a", "h", training_mode=1), constants={"a": np.ones(4, np.float32)}),
        "fixed statistics",
    ),
    "variance": (
        relu_of(node("BatchNormalization", "x a a a b", "h"), constants={"a": B[[0] * 4], "b": -B[[0] * 4]}),
        "must be positive",
    ),
    "channels": (
        relu_of(node("BatchNormalization", "x a a a a", "h"), constants={"a": np.ones(3, np.float32)}),
        "3 channels are normalised",
    ),
    "reshape": (relu_of(node("Reshape", "x s", "h"), constants={"s": whole(3)}), "cannot reshape"),
    "reshape 0": (relu_of(node("Reshape", "x s", "h"), constants={"s": whole(1, 4, 0)}), "copies an axis"),
    "reshape by input": (relu_of(node("Reshape", "x x", "h")), "shape must be constant"),
    "transpose": (relu_of(node("Transpose", "x", "h", perm=[0, 0])), "repeated axis"),
    "expand": (relu_of(node("Expand", "x s", "h"), constants={"s": whole(10**9, 1, 4)}), "at most 5"),
    "constant of shape": (
        relu_of(node("ConstantOfShape", "s", "c"), node("Add", "x c", "h"), constants={"s": whole(10**5, 10**5)}),
        "at most 5",
    ),
    "gather": (relu_of(node("Gather", "x i", "h", axis=1), constants={"i": whole(4)}), "out of bounds"),
    "concat": (relu_of(node("Concat", "x c", "h", axis=0), constants={"c": W}), "concatenation|dimensions"),
    "split": (relu_of(node("Split", "x s", "h z", axis=1), constants={"s": whole(1, 1)}), "does not split"),
    "pad": (relu_of(node("Pad", "x p", "h"), constants={"p": whole(0, 0, 0, 10**9)}), "at most 5"),
    "pad less": (relu_of(node("Pad", "x p", "h"), constants={"p": whole(0, 0, 0, -4)}), "empty"),
    "empty": (relu_of(node("Slice", "x s s", "h"), constants={"s": whole(1, 1)}), "empty"),
    "cast to integers": (relu_of(node("Cast", "x", "h", to=TensorProto.INT64)), "loses digits"),
    "cast out of range": (
        relu_of(node("Cast", "c", "d", to=TensorProto.INT8), node("Reshape", "x d", "h"), constants={"c": whole(300)}),
        "does not fit into int8",
    ),
    "long integers": (
        relu_of(node("Mul", "c c", "d"), node("Reshape", "x d", "h"), constants={"c": whole(1 << 40)}),
        "range of 64 bits",
    ),
    "dropout": (
        relu_of(node("Dropout", "x r t", "h"), constants={"r": np.float32(0.5), "t": np.array(True)}),
        "training mode",
    ),
}


@pytest.mark.onnx
@pytest.mark.parametrize("name", REFUSED)
def test_onnx_that_is_refused(name, tmp_path):
    model, words = REFUSED[name]
    refused(Network.from_file, written(tmp_path, "model.onnx", model.SerializeToString()), words)


@pytest.mark.onnx
def test_onnx_with_two_inputs(tmp_path):
    model = relu_of(node("Add", "x c", "h"), constants={"c": W[:1, :1]}, as_inputs=True)
    del model.graph.initializer[:]
    net = Network.from_file(written(tmp_path, "model.onnx", model.SerializeToString()))
    assert [str(port) for port in net.reading.inputs] == ["c [1, 1]", "x [1, 4]"]
    assert net([10, 1, 2, 3, -11]) == [11, 12, 13, 0]


@pytest.mark.onnx
def test_onnx_doubling_graphs_do_not_fill_the_memory(tmp_path, small_limit):
    """Forty concatenations of a tensor with itself would have 2**40 entries."""
    names = ["x", *(f"t{k}" for k in range(39)), "h"]
    nodes = [node("Concat", f"{a} {a}", b, axis=1) for a, b in pairwise(names)]
    refused(Network.from_file, written(tmp_path, "model.onnx", relu_of(*nodes).SerializeToString()), small_limit)


def test_onnx_needs_onnx(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    refused(Network.from_file, tmp_path / "model.onnx", r"pip install 'geomrelu\[onnx\]'")


@pytest.mark.onnx
def test_onnx_float16_and_bfloat16_parameters(tmp_path):
    model = relu_of(
        node("Cast", "w", "v", to=TensorProto.FLOAT), node("MatMul", "x v", "h"), constants={"w": W.astype(np.float16)}
    )
    assert Network.from_file(written(tmp_path, "a.onnx", model.SerializeToString())).neuron(1, 1).slope == (2, 4, 6, 8)
    model.graph.initializer[0].CopyFrom(helper.make_tensor("w", TensorProto.BFLOAT16, [4, 2], W.ravel()))
    assert Network.from_file(written(tmp_path, "b.onnx", model.SerializeToString())).neuron(1, 1).slope == (2, 4, 6, 8)


# ---- PyTorch ----------------------------------------------------------------------------------------------------


def test_state_dictionaries():
    net = Network.from_state_dict({"0.weight": A, "0.bias": B, "2.weight": A})
    assert net.widths == (2,)
    assert net.output is not None
    assert net == Network.from_layers([(A, B, "relu")])
    for state, words in (
        ({}, "at least one layer"),
        ({"0.weight": A}, "no ReLU layer"),
        ({"0.bias": B}, "layer '0' has a bias but no weight"),
        ({"0.weight": K}, "'0.weight': shape"),
        ({"0.running_mean": B}, "'0.running_mean' is not of a linear layer"),
        ({"0.weight": [[1]]}, "'0.weight': it is not a tensor"),
    ):
        with pytest.raises(InputError, match=words):
            Network.from_state_dict(state)


def torch_modules():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    nn = torch.nn
    torch.manual_seed(0)
    found = {
        "dense": (nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Dropout(), nn.Linear(5, 3)), None, (4,)),
        "no bias": (nn.Sequential(nn.Flatten(), nn.Linear(4, 5, bias=False), nn.ReLU()), None, (4,)),
        "nested": (
            nn.Sequential(nn.Sequential(nn.Linear(4, 5), nn.ReLU()), nn.Identity(), nn.Sequential(nn.Linear(5, 2))),
            (4,),
            (4,),
        ),
        "conv": (
            nn.Sequential(
                nn.Conv2d(2, 4, (3, 2), stride=2, padding=1, dilation=(1, 2), groups=2),
                nn.BatchNorm2d(4),
                nn.ReLU(),
                nn.AvgPool2d(2, stride=1, padding=1, count_include_pad=False),
                nn.Conv2d(4, 3, 3, padding="same"),
                nn.ReLU(),
                nn.AvgPool2d(2),
                nn.Flatten(),
                nn.LazyLinear(3),
                nn.BatchNorm1d(3, affine=False),
                nn.ReLU(),
            ),
            (2, 7, 9),
            (2, 7, 9),
        ),
        "conv, one dimension": (
            nn.Sequential(
                nn.Conv1d(2, 3, 3, padding="valid"),
                nn.BatchNorm1d(3),
                nn.ReLU(),
                nn.AvgPool1d(2),
                nn.Flatten(1, 2),
                nn.Unflatten(1, (3, 3)),
            )[:-1],
            (2, 8),
            (2, 8),
        ),
        "linear on rows": (nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Flatten()), (2, 3), (2, 3)),
    }
    for module, _, shape in found.values():
        for _ in range(3):  # so that the running statistics are not the trivial ones
            module.train()
            module(torch.randn(8, *shape))
        module.eval()
    return torch, found


@pytest.mark.torch
@pytest.mark.parametrize("name", ["dense", "no bias", "nested", "conv", "conv, one dimension", "linear on rows"])
def test_torch_modules(name):
    torch, modules = torch_modules()
    module, given, shape = modules[name]
    net = Network.from_torch(module, given)
    x = torch.randn(3, *shape)
    for point, right in zip(x, module(x).detach(), strict=True):
        output = net(point.double().ravel().tolist())
        assert np.array([float(v) for v in output]) == pytest.approx(right.double().ravel().numpy(), abs=1e-5)


@pytest.mark.torch
def test_torch_state_dictionaries():
    _, modules = torch_modules()
    module, _, _ = modules["dense"]
    assert Network.from_state_dict(module.state_dict()) == Network.from_torch(module)


@pytest.mark.torch
def test_torch_modules_that_are_refused():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    nn = torch.nn
    hooked = nn.Linear(2, 2)
    hooked.register_forward_hook(lambda *_: None)
    for module, shape, words in (
        (
            nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Tanh(), nn.ReLU())),
            None,
            r"module 1\.0 \(Tanh\): it is not supported",
        ),
        (nn.Linear(2, 2), None, "no ReLU layer"),
        (nn.Sequential(nn.ReLU()), None, "give input_shape"),
        (nn.Sequential(nn.Conv2d(1, 1, 2), nn.ReLU()), None, r"module 0 \(Conv2d\): give input_shape"),
        (nn.Sequential(nn.ReLU()), (0,), "positive sizes"),
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU()), (3,), r"module 0 \(Linear\): shapes"),
        (nn.Sequential(nn.Conv2d(1, 1, 2)), (4,), r"channels and 2 more axes, not shape \[4\]"),
        (nn.Sequential(nn.BatchNorm1d(2, track_running_stats=False)), (2,), "running statistics"),
        (nn.Sequential(nn.AvgPool2d(2, divisor_override=3)), (1, 4, 4), "divisor_override"),
        (nn.Sequential(nn.AdaptiveAvgPool2d((2, 2, 2))), (1, 4, 4), r"output_size \(2, 2, 2\) does not fit"),
        (nn.Sequential(nn.Threshold(0, 1)), (2,), "it jumps"),
        (nn.Sequential(nn.PReLU(3)), (2,), "3 slopes do not fit"),
        (nn.Sequential(nn.PixelShuffle(2)), (2, 4, 4), "2 channels do not make blocks of 2"),
        (nn.Sequential(nn.ZeroPad2d((-1, 0, 0, 0))), (1, 4, 4), "padding"),
        (nn.Sequential(nn.MaxPool2d(2, return_indices=True)), (1, 4, 4), "return_indices"),
        (nn.Sequential(nn.MaxPool2d(2)), (4, 4), r"channels and 2 more axes, not shape \[4, 4\]"),
        (nn.Sequential(nn.AvgPool2d(2)), (4, 4), r"channels and 2 more axes, not shape \[4, 4\]"),
        (nn.Sequential(hooked, nn.ReLU()), None, "forward hooks"),
        (nn.Sequential(nn.Flatten(0)), (4,), "must keep the batch"),
        (nn.Sequential(nn.Flatten(1, 3)), (4,), "end_dim 3 do not fit"),
        (nn.Sequential(nn.ReLU()), (10**4, 10**4), "at most 5"),
    ):
        with pytest.raises(InputError, match=words):
            Network.from_torch(module, shape)


# ---- VNN-LIB ----------------------------------------------------------------------------------------------------


def declared(inputs, outputs=2):
    names = [f"X_{j}" for j in range(inputs)] + [f"Y_{j}" for j in range(outputs)]
    return "".join(f"(declare-const {name} Real)\n" for name in names)


def asserted(formula, inputs=2):
    return f"; a comment (with parentheses\n{declared(inputs)}(assert {formula})\n"


def read_one(path):
    """The only piece of a set, without the key for strict rows, which is empty."""
    (piece,), notes = vnnlib.read_sets(path)
    assert piece.pop("strict") == [] and notes == ()
    return piece


def read_vnnlib(folder, formula):
    return read_one(written(folder, "p.vnnlib", asserted(formula)))


@pytest.mark.parametrize(
    ("formula", "box", "inequalities", "equalities"),
    [
        ("(<= X_0 0.1)", [[None, half(1, 10)], [None, None]], [], []),
        ("(>= 1e-2 X_0)", [[None, half(1, 100)], [None, None]], [], []),
        ("(and (<= X_0 2) (and (>= X_0 -1) (<= X_0 1.5)) (>= X_1 0))", [[-1, half(3)], [0, None]], [], []),
        ("(= (* 2 X_1) 3)", [[None, None], [half(3), half(3)]], [], []),
        ("(<= (- X_0) 1)", [[-1, None], [None, None]], [], []),
        ("(<= (+ X_0 (* -2 X_1)) 3)", [[None, None]] * 2, [[3, -1, 2]], []),
        ("(>= (- X_0 X_1 1) (+ X_0 X_0))", [[None, None]] * 2, [[-1, -1, -1]], []),
        ("(>= (* 2 (+ X_0 X_1) 3) (/ X_1 4))", [[None, None]] * 2, [[0, 6, half(23, 4)]], []),
        ("(= X_0 X_1)", [[None, None]] * 2, [], [[0, 1, -1]]),
        ("(<= 1 0)", [[None, None]] * 2, [[-1, 0, 0]], []),
        ("(or (and (<= X_0 1) (>= X_1 0) (<= Y_0 Y_1)))", [[None, 1], [0, None]], [], []),
        ("(or (and (>= Y_0 Y_1)) (and (< Y_1 0) (<= (* Y_0 Y_1) 3)))", [[None, None]] * 2, [], []),
        ("(and (or (<= Y_0 0) (>= (/ Y_0 Y_1) 1)) (<= X_0 1))", [[None, 1], [None, None]], [], []),
        ("(or (and (<= X_0 0)) (and (<= Y_0 1)))", [[None, None]] * 2, [], []),  # the second one says nothing of inputs
    ],
)
def test_vnnlib_formulas(formula, box, inequalities, equalities, tmp_path):
    assert read_vnnlib(tmp_path, formula) == {
        "dimension": 2,
        "inequalities": inequalities,
        "equalities": equalities,
        "box": box,
    }


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("(<= X_0 Y_0)", "an atom relates inputs to outputs"),
        ("(<= (* X_0 X_1) 1)", "not linear"),
        ("(<= (* X_0 Y_1) 1)", "not linear"),
        ("(<= (/ 1 X_0) 1)", "not linear"),
        ("(<= (/ X_0 0) 1)", "division by zero"),
        ("(<= X_7 1)", "X_7 is not declared"),
        ("(<= Z 1)", "'Z' is not a rational number"),
        ("(<= X_0 nan)", "'nan' is not a rational number"),
        ("(<= X_0 1e999999)", "is not a rational number"),
        ("(<= X_0)", "takes two terms"),
        ("(<= X_0 1 2)", "takes two terms"),
        ("(<= (+) 1)", "without arguments"),
        ("(and)", "without arguments"),
        ("(not (<= X_0 1))", "'not' is not supported"),
        ("(<= (abs X_0) 1)", "'abs' is not supported"),
        ("(<= ((+) 1) 1)", "expected an operator"),
        ("(<= () 1)", "expected an operator"),
        ("true", "expected a formula"),
        (f"(<= (* {'1e99 ' * 200}) X_0)", "grows beyond"),
    ],
)
def test_vnnlib_formulas_that_are_refused(formula, words, tmp_path):
    refused(vnnlib.read_sets, written(tmp_path, "p.vnnlib", asserted(formula)), f"(line 6.*)?({words})")
    if "grows" not in words:
        refused(vnnlib.read_sets, written(tmp_path, "p.vnnlib", asserted(formula)), "line 6")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no input X_0 is declared"),
        ("(declare-const Y_0 Real)", "no input X_0 is declared"),
        ("(declare-const X_0 Real)(declare-const X_2 Real)", "2 inputs are declared, but X_1 is not"),
        ("(declare-const X_999999999 Real)", "X_0 is not"),
        ("(declare-const X_0 Real)\n(declare-const X_0 Real)", "line 2: X_0 is declared twice"),
        ("(declare-const X_0 Int)", "line 1: expected"),
        ("(declare-const X_0)", "line 1: expected"),
        ("(declare-fun X_0 (Real) Real)", "line 1: expected"),
        ("(declare-const foo Real)", "'foo' is neither an input"),
        ("\n(push 1)", "line 2: unknown command 'push'"),
        ("\n\n(assert)", "line 3: assert takes one formula"),
        ("hello", "line 1: 'hello' stands outside"),
        ("())", "line 1: a parenthesis closes nothing"),
        ("\n(assert (<= X_0", "line 2: a parenthesis is not closed"),
        ('(set-info "abc', "line 1: unexpected"),
        ("(" * 1_000_000, "nested more than 100 deep"),
        ("()", "expected an operator"),
    ],
)
def test_vnnlib_files_that_are_refused(text, words, tmp_path):
    refused(vnnlib.read_sets, written(tmp_path, "p.vnnlib", text), words)


def test_vnnlib_unions_and_strict_inequalities(tmp_path):
    def pieces(formula):
        return vnnlib.read_sets(written(tmp_path, "p.vnnlib", asserted(formula)))[0]

    two = pieces("(or (and (<= X_0 0) (>= Y_0 1)) (>= (+ X_0 X_1) 1))")
    assert [piece["box"][0] for piece in two] == [[None, 0], [None, None]]
    assert [piece["inequalities"] for piece in two] == [[], [[-1, 1, 1]]]
    four = pieces("(and (or (<= X_0 0) (>= X_0 1)) (or (<= X_1 0) (>= X_1 1)))")
    assert [piece["box"] for piece in four] == [[a, b] for a in ([None, 0], [1, None]) for b in ([None, 0], [1, None])]
    (strict,) = pieces("(and (< X_0 1) (> (+ X_0 X_1) 0) (<= X_1 1))")
    assert strict["box"] == [[None, 1], [None, 1]]
    assert (strict["inequalities"], strict["strict"]) == ([[0, 1, 1]], [[1, -1, 0], [0, 1, 1]])
    many = "(and " + "(or (<= X_0 0) (>= X_0 1))" * 30 + ")"
    refused(vnnlib.read_sets, written(tmp_path, "p.vnnlib", asserted(many)), "the alternatives")


def test_vnnlib_other_commands(tmp_path):
    text = (
        '(set-logic QF_LRA)(set-info :source |two\nlines (|)(set-info :x "a ; b")\n'
        "(declare-fun X_0 () Real)\r\n(assert (<= X_0 .5))\t; end\n(check-sat)(exit)"
    )
    assert read_one(written(tmp_path, "p.vnnlib", text))["box"] == [[None, half(1)]]


def test_vnnlib_files_of_real_networks(shared):
    found = {p.name: read_one(p) for p in sorted((shared / "networks").glob("*.vnnlib"))}
    if not found:
        pytest.skip(f"no .vnnlib in {shared / 'networks'}")
    assert all(not data["inequalities"] and not data["equalities"] for data in found.values())
    assert found["acasxu_prop_1.vnnlib"]["box"][0] == [half(6, 10), Fraction("0.679857769")]
    assert found["nano.vnnlib"]["box"] == [[-1, 1]]
    assert found["mnist_cnn_image0.vnnlib"]["dimension"] == 784


# ---- cddlib -----------------------------------------------------------------------------------------------------


def test_cdd_files(tmp_path):
    text = """* a comment
    name of the file
    H-representation
    linearity 2  2 4
    begin
     4 3 rational
     1/2 -1 0
     0 1
     1
     3 0 1
     1 1 1
    end
    maximize
     0 1 1
    """
    assert cdd.read_set(written(tmp_path, "p.ine", text)) == {
        "dimension": 2,
        "inequalities": [[half(1), -1, 0], [3, 0, 1]],
        "equalities": [[0, 1, 1], [1, 1, 1]],
        "box": [[None, None]] * 2,
    }
    rays = "V-representation\nlinearity 1 2\nbegin\n*** 3 real\n0 0.1 0\n0 0 1e0\nend\n"
    assert cdd.read_set(written(tmp_path, "q.ine", rays)) == {
        "dimension": 2,
        "vertices": [[0, 0]],
        "rays": [[half(1, 10), 0]],
        "lines": [[0, 1]],
    }
    plain = "begin\n2 2 integer\n1 5\n1 -7\nend"
    assert cdd.read_set(written(tmp_path, "p.ext", plain))["vertices"] == [[5], [-7]]
    assert cdd.read_set(written(tmp_path, "r.ine", plain))["inequalities"] == [[1, 5], [1, -7]]
    after = "H-representation\n" + plain + "\nlinearity 1 2"
    assert cdd.read_set(written(tmp_path, "s.ine", after))["equalities"] == [[1, -7]]


@pytest.mark.parametrize(
    "data",
    [
        {"dimension": 2, "inequalities": [[1, 2, half(3, 7)]], "equalities": [[0, 1, -1]], "box": [[None, None]] * 2},
        {"dimension": 2, "inequalities": [], "equalities": [], "box": [[0, half(1, 3)], [None, 2]]},
        {"dimension": 3, "inequalities": [], "equalities": [], "box": [[None, None]] * 3},
        {"inequalities": [["1/2", 3]]},
        {"dimension": 2, "vertices": [[0, half(1)], [1, 2]], "rays": [[1, 1]], "lines": [[0, 1]]},
        {"vertices": [[3]]},
    ],
)
def test_cdd_files_survive_a_journey(data, tmp_path):
    path = tmp_path / "p.ine"
    cdd.write_set(data, path)
    again = cdd.read_set(path)
    assert checker.Domain.parse(again).digest() == checker.Domain.parse(data).digest()
    stream = io.StringIO()
    cdd.write_set(again, stream)
    cdd.write_set(cdd.read_set(written(tmp_path, "q.ine", stream.getvalue())), path)
    assert path.read_text() == stream.getvalue()


def test_cdd_files_that_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match="finite set of points"):
        cdd.write_set({"points": [[1]]}, tmp_path / "p.ine")
    with pytest.raises(InputError, match="nothing is said"):
        cdd.write_set({"inequalities": []}, tmp_path / "p.ine")
    with pytest.raises(InputError, match=r"p\.ine: No such file"):
        cdd.write_set({"inequalities": [[1, 2]]}, tmp_path / "missing" / "p.ine")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no line 'begin'"),
        ("H-representation", "no line 'begin'"),
        ("begin", "line 0: expected the numbers|expected the numbers of rows"),
        ("begin\n1 2 integer\n1 2", "no line 'end'"),
        ("begin\n1 2 float\n1 2\nend", "line 2: expected the numbers of rows"),
        ("begin\n1000000000 1000000000 integer\n1 2\nend", "not a size|2 entries do not make"),
        ("begin\n999999999 999999999 integer\n1 2\nend", "2 entries do not make 999999999 rows"),
        ("begin\n0 999999999 integer\nend", "the dimension of the set: 999999999 entries"),
        ("begin\n-1 2 integer\nend", "is not a size"),
        ("nonnegative\nlinearity 1 1\nbegin\n1 2 integer\n1 1\nend", "nonnegative and linearity together"),
        ("nonnegative\nV-representation\nbegin\n1 2 integer\n1 1\nend", "an option of H-representations"),
        ("H-representation\nbegin\n1 2 integer\n1 1\nend\nhull", "line 6: the representation is said twice"),
        ("V-representation\nbegin\n0 2 integer\nend", "without rows is the empty set"),
        ("linaerity 1 1\nbegin\n1 2 integer\n1 1\nend", "line 1: unknown word 'linaerity'"),
        ("name\nverbose\nother\nbegin\n1 2 integer\n1 1\nend", "line 3: unknown word 'other'"),
        ("begin\n1 2 integer\n1 1\nend\nproject 1 1", "line 5: project means a projection"),
        ("begin\n1 2 integer\n1 1\nend\n7 8", "line 5: unknown word '7'"),
        ("begin\n1 1 integer\n1\nend", "at least 2 columns"),
        ("begin\n2 2 integer\n1 2\nend", "2 entries do not make 2 rows of 2"),
        ("begin\n** 2 integer\n1 2 3\nend", "3 entries"),
        ("begin\n1 2 integer\n1 1/2\nend", "line 3: '1/2' is not of type integer"),
        ("begin\n1 2 rational\n1 0.5\nend", "line 3: '0.5' is not of type rational"),
        ("begin\n1 2 rational\n1 1/0\nend", "line 3: '1/0' has denominator zero"),
        ("begin\n1 2 real\n1 nan\nend", "line 3: 'nan'"),
        ("begin\n1 2 real\n1 1e999999\nend", "line 3: '1e999999'"),
        ("begin\n1 2 integer\n1 " + "9" * 5000 + "\nend", "line 3: '999"),
        ("linearity 1 2\nbegin\n1 2 integer\n1 1\nend", "line 1: the rows are numbered from 1 to 1"),
        ("linearity 1 0\nbegin\n1 2 integer\n1 1\nend", "line 1: the rows are numbered"),
        ("linearity 2 1\nbegin\n1 2 integer\n1 1\nend", "line 1: expected linearity k"),
        ("linearity\nbegin\n1 2 integer\n1 1\nend", "line 1: expected linearity k"),
        ("linearity x\nbegin\n1 2 integer\n1 1\nend", "line 1: expected linearity k"),
        ("strict_inequality 1 1\nbegin\n1 2 integer\n1 1\nend", "strict"),
        ("V-representation\nlinearity 1 1\nbegin\n1 2 integer\n1 1\nend", "a vertex cannot be in the linearity"),
        ("V-representation\nbegin\n1 2 integer\n2 1\nend", r"starts with 1 \(a vertex\) or 0"),
    ],
)
def test_cdd_files_that_are_refused(text, words, tmp_path):
    refused(cdd.read_set, written(tmp_path, "p.ine", text), words)


@pytest.mark.onnx
def test_real_models_are_read_by_the_onnx_package_too(shared):
    """The number of parameters agrees with the initializers of the file, so nothing was dropped."""
    path = shared / "networks" / "acasxu_1_1.onnx"
    if not path.exists():
        pytest.skip(f"{path} is absent")
    net = Network.from_file(path)
    sizes = [np.prod(t.dims) for t in onnx.load(path).graph.initializer if len(t.dims) == 2]
    assert [len(layer.data) for layer in net.layers] == sizes[:-1]
