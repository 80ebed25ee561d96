"""Damaged files of every format either load or are refused with one line: nothing else, and soon.

Everything is seeded. Text is damaged by tokens and by bytes; ONNX also inside the message, where damage survives the
parser and reaches the rules of the operators.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import struct
import time
import zipfile

import families
import graphs
import numpy as np
import onnx
import pytest

from geomrelu.errors import InputError
from geomrelu.io import cdd, vnnlib
from geomrelu.io import json as json_format
from geomrelu.network.network import Network

pytestmark = pytest.mark.slow

NASTY = ["nan", "NaN", "-inf", "Infinity", "1e999999", "1e-999999", "1e999", "9" * 2999, "9" * 4999, "1/0", "0/0"]
NASTY += ["0", "-1", "1/3", "999999999999", "1e", "0x10", "1_000", "true", "null", "", "\x00", "\ufeff", "é", "٣"]
NASTY += ['"', "(", ")", "[", "]", "{", "}", "*", "[[]]", ";", "X_0", "X_99", "Y_0", "<=", "or", "linearity", "end"]
HUGE = [0, 1, -1, 2, 3, 7, 1 << 24, 1 << 31, (1 << 62) + 1, -(1 << 63), (1 << 63) - 1]
SLOWEST = 120  # seconds for one file: all take milliseconds, however busy the machine is


def tokens(rng, text):
    """Replace, drop, repeat and exchange words."""
    words = re.split(r"(\s+|[()\[\]{},:])", text)
    for _ in range(rng.randint(1, 4)):
        k = rng.randrange(len(words))
        match rng.randrange(5):
            case 0 | 1:
                words[k] = rng.choice(NASTY)
            case 2:
                del words[k]
                words = words or [""]
            case 3:
                words[k:k] = words[k : k + rng.randint(1, 9)] * rng.randint(1, 50)
            case 4:
                other = rng.randrange(len(words))
                words[k], words[other] = words[other], words[k]
    return "".join(words).encode("utf-8", "surrogatepass")


def damaged(rng, data):
    """Flip, cut, insert and repeat bytes."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        k = rng.randrange(len(data) + 1)
        match rng.randrange(6):
            case 0 | 1 | 2 if k < len(data):
                data[k] = rng.randrange(256) if rng.random() < 0.5 else data[k] ^ (1 << rng.randrange(8))
            case 3:
                del data[k : k + rng.randint(1, 20)]
            case 4:
                data[k:k] = rng.randbytes(rng.randint(1, 9))
            case 5:
                data[k:k] = data[k : k + 50]
    if rng.random() < 0.1:
        del data[rng.randrange(len(data) + 1) :]
    return bytes(data)


def rewired(rng, model):
    """Damage inside an ONNX message: attributes, names, shapes, parameters, nodes."""
    changed = onnx.ModelProto.FromString(model)
    graph = changed.graph
    names = ["", "x", "y", "h", *(t.name for t in graph.initializer), *(o for n in graph.node for o in n.output)]
    for _ in range(rng.randint(1, 3)):
        node = rng.choice(graph.node) if graph.node else onnx.NodeProto()
        match rng.randrange(8):
            case 0 | 1 if node.attribute:
                attribute = rng.choice(node.attribute)
                if attribute.ints:
                    attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(HUGE)
                    if rng.random() < 0.3:
                        attribute.ints.extend(attribute.ints)
                elif rng.random() < 0.8:
                    attribute.i = rng.choice(HUGE)
                    attribute.f = rng.choice([0.0, float("nan"), float("inf"), 1e-45, 3e38])
                else:
                    attribute.type = rng.randrange(15)
            case 2 if graph.initializer:
                tensor = rng.choice(graph.initializer)
                if tensor.dims and rng.random() < 0.7:
                    tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(HUGE)
                elif rng.random() < 0.5:
                    tensor.data_type = rng.randrange(26)
                else:
                    array = np.frombuffer(rng.randbytes(len(tensor.raw_data)), np.uint8)
                    tensor.raw_data = array.tobytes() if rng.random() < 0.5 else b"\xff" * len(array)
            case 3 if node.input:
                node.input[rng.randrange(len(node.input))] = rng.choice(names)
            case 4 if node.input:
                node.input.append(rng.choice(names)) if rng.random() < 0.5 else node.input.pop()
            case 5:
                node.op_type = rng.choice(OPERATORS)
            case 6 if node.output:
                node.output[rng.randrange(len(node.output))] = rng.choice(names)
            case 7:
                shape = graph.input[0].type.tensor_type.shape if graph.input else onnx.TensorShapeProto()
                if shape.dim:
                    rng.choice(shape.dim).dim_value = rng.choice([0, 1, 2, 3, 5, 1 << 40, -1])
    return changed.SerializeToString()


OPERATORS = [*sorted({n.op_type for _, model, _ in graphs.cases() for n in model.graph.node}), "Softmax", "If", ""]


def archives():
    a, b = np.float32([[0.5, 1], [2, 3]]), np.float32([1, -1])
    for save in (np.savez, np.savez_compressed):
        for arrays in (
            {"W1": a, "b1": b, "W2": a.astype(np.float64), "activations": np.array(["relu", "none"])},
            {"0.weight": np.array([["1/3", "2"]]), "0.bias": np.int32([1])},
        ):
            stream = io.BytesIO()
            save(stream, **arrays)
            yield stream.getvalue()


MODELS = [
    json.dumps({"layers": [{"weights": [[1, "1/2"], ["0.1", -3]], "bias": [0, 1], "activation": "none"}] * 3 + [
        {"weights": [[0.25, 2]], "activation": "relu"}]}),
    json.dumps({"inputs": 2, "layers": [{"rows": [[1, 0, "1/2"], [-1, 1, 3]]}, {"rows": [[0, 1, 1, 3, "-2/3"]]}]}),
]  # fmt: skip
SETS = [
    '{"inequalities": [[1, 2, "1/2"], [0, -1, 0.5]], "equalities": [[0, 1, 1]], "box": [[0, 1], [null, 2e1]]}',
    '{"vertices": [[0, 1], [1, 0]], "rays": [[1, 1]], "lines": []}',
    '{"points": [[0, 1], ["1/3", 0.25]]}',
    "[[0, 1], [1, 2]]",
]
PROPERTIES = [
    """; a box
(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-fun Y_0 () Real)
(assert (<= X_0 0.5))
(assert (and (>= X_0 -0.5) (<= (+ X_0 (* 2 X_1)) (- 3 X_1))))
(assert (or (and (>= Y_0 1) (<= Y_0 2)) (and (= Y_0 7))))
""",
]
POLYHEDRA = [
    "H-representation\nlinearity 1 2\nbegin\n 3 3 rational\n 1/2 -1 0\n 0 1 1\n 3 0 1\nend\n",
    "* generators\nV-representation\nlinearity 1 3\nbegin\n 3 3 real\n 1 0.5 0\n 0 1 0\n 0 0 1\nend\n",
]
ARCHIVES = list(archives())
GRAPHS = [model.SerializeToString() for _, model, _ in graphs.cases()]


def text(bases):
    def make(rng):
        base = rng.choice(bases)
        return tokens(rng, base) if rng.random() < 0.7 else damaged(rng, base.encode())

    return make


def graph(rng):
    base = rng.choice(GRAPHS)
    if rng.random() < 0.7:
        base = rewired(rng, base)
    return damaged(rng, base) if rng.random() < 0.5 else base


NNETS = [families.NNET.replace("1.0,1.0,1.0", "1.0,1e-1,1.0")]
QUERIES = ["""(vnnlib-version <2.0>)
(declare-network f
 (declare-input X Real [1,2])
 (declare-hidden H Real [3] "h")
 (declare-output Y Real [])
)
(assert (or (and (>= X[0,0] -1.0) (<= X[0,0] 1.0)) (< (+ (* 2.0 X[0,1]) -3.25) (- X[0,0]))))
(assert (and (== X[0,1] 0.5) (!= H[2] Y)))
"""]  # fmt: skip


def archive_of(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def tensors(rng):
    """A .safetensors file, damaged in its header (as text) or anywhere."""
    weight = np.float32([[1, 2], [3, 4]]).tobytes()
    header = json.dumps({
        f"{k}.weight": {"dtype": kind, "shape": [2, 2], "data_offsets": [16 * k, 16 * k + 16]}
        for k, kind in enumerate(["F32", "F32"])
    })  # fmt: skip
    if rng.random() < 0.7:
        header = tokens(rng, header).decode("utf-8", "replace")
    data = struct.pack("<Q", len(header.encode())) + header.encode() + weight * 2
    return damaged(rng, data) if rng.random() < 0.5 else data


def checkpoint(rng):
    """A state dictionary as PyTorch saves it, damaged."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    stream = io.BytesIO()
    torch.save({"0.weight": torch.ones(2, 2), "0.bias": torch.ones(2), "2.weight": torch.ones(1, 2)}, stream)
    return damaged(rng, stream.getvalue())


def keras_model(rng):
    """A .keras file whose configuration is damaged, or its archive outside the weights.

    HDF5 itself is not fed with damage: it is a library in C that is known not to stand that.
    """
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    stored = io.BytesIO()
    with h5py.File(stored, "w") as file:
        for name in ("conv2d", "dense"):
            group = file.create_group(f"layers/{name}/vars")
            group.attrs["name"] = name
            group["0"] = np.ones((2, 2, 1, 2) if name == "conv2d" else (2, 2), np.float32)
            group["1"] = np.ones(2, np.float32)
    layers = [
        ("InputLayer", {"batch_shape": [None, 3, 2, 1], "name": "given"}),
        ("Conv2D", {"name": "conv2d", "strides": [1, 1], "padding": "same", "dilation_rate": [1, 1], "groups": 1,
                    "activation": "relu", "data_format": "channels_last", "use_bias": True}),
        ("AveragePooling2D", {"name": "pool", "pool_size": [2, 2], "strides": [1, 1], "padding": "valid"}),
        ("Reshape", {"name": "shape", "target_shape": [-1, 2]}),
        ("Dense", {"name": "dense", "units": 2, "activation": "linear", "use_bias": True}),
        ("Normalization", {"name": "norm", "axis": [-1], "mean": [1, 2], "variance": [1, 4], "invert": False}),
        ("ReLU", {"name": "relu", "max_value": None, "negative_slope": 0.0}),
        ("Flatten", {"name": "flat"}),
    ]  # fmt: skip
    parts = [{"module": "keras.layers", "class_name": kind, "config": config} for kind, config in layers]
    text_ = json.dumps({"module": "keras", "class_name": "Sequential", "config": {"layers": parts}})
    return archive_of({"config.json": tokens(rng, text_), "model.weights.h5": stored.getvalue()})


def compressed(rng):
    return damaged(rng, gzip.compress(rng.choice(MODELS).encode()))


def autoencoder(rng):
    stream = io.BytesIO()
    arrays = {"W_enc": np.ones((2, 3), np.float32), "b_enc": np.ones(3, np.float32), "threshold": np.ones(3)}
    np.savez(stream, **arrays)
    return damaged(rng, stream.getvalue())


FORMATS = {
    "model.onnx": (graph, Network.from_file),
    "model.json": (text(MODELS), Network.from_file),
    "model.npz": (lambda rng: damaged(rng, rng.choice(ARCHIVES)), Network.from_file),
    "set.json": (text(SETS), json_format.read_set),
    "set.vnnlib": (text(PROPERTIES), vnnlib.read_sets),
    "set.ine": (text(POLYHEDRA), cdd.read_set),
    "set.ext": (text(POLYHEDRA), cdd.read_set),
    "model.nnet": (text(NNETS), Network.from_file),
    "model.safetensors": (tensors, Network.from_file),
    "model.pt": (checkpoint, Network.from_file),
    "model.keras": (keras_model, Network.from_file),
    "model.json.gz": (compressed, Network.from_file),
    "sae.npz": (autoencoder, Network.from_file),
    "query.vnnlib": (text(QUERIES), vnnlib.read_query),
}


@pytest.mark.parametrize("block", range(4))
@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files_load_or_are_refused(name, block, tmp_path):
    make, read = FORMATS[name]
    loaded = 0
    for k in range(100):
        path = tmp_path / name
        path.write_bytes(make(random.Random(f"{name} {block} {k}")))
        start = time.monotonic()
        try:
            found = read(path)
            loaded += 1
            if isinstance(found, Network):
                assert len(found.digest) == 64
        except InputError as problem:
            line = str(problem)
            assert line.startswith(f"{path}: "), (k, line)
            assert "\n" not in line, (k, line)
            assert len(line) < len(str(path)) + 600, (k, line)
        assert time.monotonic() - start < SLOWEST, k
    assert loaded < 100, "the damage does nothing"
