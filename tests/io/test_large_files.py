"""Files of large matrices with few numbers: what is read of them is what is read of the same file as a whole."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from geomrelu import InputError, Network
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
