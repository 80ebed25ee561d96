"""Files of large matrices with few numbers: what is read of them is what is read of the same file as a whole."""

from __future__ import annotations

import io
import json
import re
import sys
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import graphs
import numpy as np
import pytest

from geomrelu import InputError, Network
from geomrelu.cli.main import main
from geomrelu.io.onnx import apart, model, traced

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

pytestmark = pytest.mark.onnx
onnx = pytest.importorskip("onnx")


@pytest.fixture
def small(monkeypatch):
    """Everything counts as large."""
    monkeypatch.setattr(apart, "LARGE_FILE", 0)
    monkeypatch.setattr(apart, "LARGE", 1)


def test_a_lattice_network_is_the_largest_of_minima(tmp_path):
    from lattice import lattice

    made = lattice(8, seed=3)
    (tmp_path / "lattice.onnx").write_bytes(made.SerializeToString())
    network = Network.from_file(tmp_path / "lattice.onnx")
    assert network.widths == (128, 64, 32, 16, 8, 4)
    arrays = {t.name: onnx.numpy_helper.to_array(t).astype(object) for t in made.graph.initializer}
    first, chosen = (a for name, a in arrays.items() if name.startswith("W") and a.shape in ((2, 8), (8, 64)))
    for point in np.random.default_rng(0).integers(-5, 5, size=(5, 2)).tolist():
        pieces = [
            sum((Fraction(w) * x for w, x in zip(row, point, strict=True)), Fraction(b))
            for row, b in zip(first.T.tolist(), arrays["b0"].tolist(), strict=True)
        ]
        picked = [pieces[row.index(1)] for row in chosen.T.tolist()]
        minima = [min(picked[k : k + 8]) for k in range(0, 64, 8)]
        assert network(point) == [max(minima)]


def test_tensors_apart_are_read_as_those_of_the_whole_file(tmp_path, small):
    from lattice import lattice

    path = tmp_path / "lattice.onnx"
    path.write_bytes(lattice(4).SerializeToString())
    whole, parts = model.load(path), model.load(path, whole=False)
    assert not whole.apart
    assert set(parts.apart) == set(whole.protos)
    assert not any(t.raw_data for t in parts.model.graph.initializer)
    for name in whole.protos:
        assert np.array_equal(whole.constant(name), parts.constant(name))
    assert Network.from_file(path) == Network.from_tape(traced(whole)[0])


def test_a_file_that_has_become_another_one_is_not_read_on(tmp_path, small):
    from lattice import lattice

    path = tmp_path / "lattice.onnx"
    path.write_bytes(lattice(4).SerializeToString())
    parts = model.load(path, whole=False)
    other = tmp_path / "other.onnx"
    other.write_bytes(lattice(4, seed=9).SerializeToString())
    other.replace(path)
    with pytest.raises(InputError, match="has changed"):
        parts.constant("W0")
    path.unlink()
    with pytest.raises(InputError, match="has changed"):
        parts.constant("W0")


def test_what_is_not_of_the_usual_form_is_read_as_a_whole(tmp_path, small):
    from lattice import lattice

    path, data = tmp_path / "lattice.onnx", lattice(4).SerializeToString()
    for broken in (data + b"\x3a\x00", data[:-1], data + b"\x0b", b"", data.replace(b"W0", b"b0")):
        path.write_bytes(broken)
        assert apart.divided(path) is None


# ---- networks that are too large to be written out as a whole -----------------------------------------------------


@pytest.fixture
def few_weights(monkeypatch):
    """The limit on the weights of all layers, lowered so that reaching it takes no time."""
    monkeypatch.setattr("geomrelu.io.tape._MOST", 100)


def deep(layers: int) -> Any:
    """A convolution to four channels and others of these, a ReLU behind each."""
    random = np.random.default_rng(1)
    names = ["x", *(f"r{k}" for k in range(layers))]
    nodes = [graphs.node("Conv", f"{name} w{k}", f"h{k}", pads=[1, 1, 1, 1]) for k, name in enumerate(names[:-1])]
    nodes += [graphs.node("Relu", f"h{k}", f"r{k}") for k in range(layers)]
    weights = {f"w{k}": random.normal(size=(4, 4 if k else 1, 3, 3)).astype(np.float32) for k in range(layers)}
    return graphs.model(nodes, weights, (1, 1, 2, 2), outputs=names[-1])


def test_layers_before_what_is_too_large_are_judged(tmp_path, few_weights, capsys):
    path = tmp_path / "deep.onnx"
    path.write_bytes(deep(3).SerializeToString())
    net = Network.from_file(path)
    assert net.widths == (16,)
    assert [port.name for port in net.reading.outputs] == ["r0"]
    (line,) = net.reading.left
    assert re.fullmatch(
        r"operator Conv \(node 2, output 'h1'\): 320 weights up to here, written out, but at most 100 are supported; "
        r"with it 2 ReLU layers, which read it",
        line,
    )
    path.write_bytes(deep(1).SerializeToString())  # the same first layer, and nothing else
    alone = Network.from_file(path)
    assert alone == net and not alone.reading.left
    assert main(["decide", str(path), "--domain", "box:0,1"]) == 0
    assert "Layer 1: 16 neurons" in capsys.readouterr().out


def test_a_first_layer_that_is_too_large_is_refused(tmp_path, few_weights):
    path = tmp_path / "wide.onnx"
    model_ = graphs.model([graphs.node("Gemm", "x w", "h"), graphs.node("Relu", "h", "y")],
                          {"w": np.ones((11, 10), np.float32)}, (1, 11))  # fmt: skip
    path.write_bytes(model_.SerializeToString())
    said = (
        r"operator Gemm .*: 110 weights up to here, .* at most 100 are supported; .* start at tensor 'h' \(--start\)$"
    )
    with pytest.raises(InputError, match=said):
        Network.from_file(path)
    np.savez(tmp_path / "wide.npz", W1=np.ones((9, 10)), b1=np.zeros(9), W2=np.ones((2, 9)), b2=np.zeros(2))
    with pytest.raises(InputError, match=r"108 weights up to here"):
        Network.from_file(tmp_path / "wide.npz")


def test_modules_before_what_is_too_large_are_judged(torch, few_weights):
    nn = torch.nn
    module = nn.Sequential(nn.Linear(4, 10), nn.ReLU(), nn.Linear(10, 9), nn.ReLU(), nn.Linear(9, 2))
    net = Network.from_torch(module)
    assert net.widths == (10,)
    assert net.reading.left == (
        "module 2 (Linear) and what comes after it: 130 weights up to here, written out, but at most 100 are supported",
    )
    with pytest.raises(InputError, match=r"module 0 \(Linear\): 110 weights up to here"):
        Network.from_torch(nn.Sequential(nn.Linear(11, 10), nn.ReLU()))


def test_layers_of_keras_before_what_is_too_large_are_judged(tmp_path, few_weights):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    stored = io.BytesIO()
    with h5py.File(stored, "w") as file:
        for name, shape in (("dense", (4, 10)), ("dense_1", (10, 9))):
            group = file.create_group(f"layers/{name}/vars")
            group.attrs["name"] = name
            group["0"] = np.ones(shape, np.float32)
    layers = [("InputLayer", {"batch_shape": [None, 4], "name": "given"})]
    layers += [("Dense", {"name": name, "units": units, "activation": "relu", "use_bias": False})
               for name, units in (("dense", 10), ("dense_1", 9))]  # fmt: skip
    parts = [{"module": "keras.layers", "class_name": kind, "config": config} for kind, config in layers]
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        text = json.dumps({"module": "keras", "class_name": "Sequential", "config": {"layers": parts}})
        archive.writestr("config.json", text)
        archive.writestr("model.weights.h5", stored.getvalue())
    net = Network.from_file(tmp_path / "model.keras")
    assert net.widths == (10,)
    (line,) = net.reading.left
    assert line.startswith("layer 'dense_1' and what comes after it: 130 weights up to here")
