"""Numbers are read from their bits: a process that takes denormals for 0 reads the same networks.

Flushing is a mode of the processor, which torch sets here for a process of its own; each case must be one in which
arithmetic loses the number, or the test says nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from geomrelu.exact.numbers import dyadic, rational, rounded

HERE = Path(__file__).resolve()

LEAST = {2: (-24, -14), 4: (-149, -126), 8: (-1074, -1022)}  # exponents of the least denormal and the least normal


def read_everything(folder):
    """All doors for numbers, with denormals behind each; what they read, as text."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    from geomrelu import Network

    folder, found = Path(folder), {}
    for size in LEAST:
        bits = np.array([1, 3, 2**9, 0x8001 if size == 2 else 7], f"u{size}")
        array = bits.view(f"f{size}")
        found[f"dyadic {size}"] = [str(Fraction(v, dyadic(array)[1])) for v in dyadic(array)[0]]
        found[f"rational {size}"] = [str(rational(v)) for v in array]
        np.savez(folder / f"{size}.npz", W1=array.reshape(2, 2), b1=array[:2])
        net = Network.from_file(folder / f"{size}.npz")
        found[f"npz {size}"] = [net.neuron(1, i).constant for i in (0, 1)] + [*net.neuron(1, 1).slope]
    single = np.array([1, 2, 3, 1 << 22], np.uint32).view(np.float32)
    found["python"] = [str(rational(v)) for v in np.array([1, 1 << 63 | 1], np.uint64).view(np.float64).tolist()]
    half = np.array([1, 2**15 + 3], np.uint16)

    def model(*nodes, **constants):
        info = helper.make_tensor_value_info
        graph = helper.make_graph(
            nodes, "g", [info("x", TensorProto.FLOAT, [1, 2])], [info("y", TensorProto.FLOAT, None)],
            list(constants.values()),
        )  # fmt: skip
        path = folder / "model.onnx"
        path.write_bytes(helper.make_model(graph).SerializeToString())
        net = Network.from_file(path)
        return [[net.neuron(1, i).constant, *net.neuron(1, i).slope] for i in range(net.widths[0])]

    def tensor(name, kind, shape, **data):
        made = TensorProto(name=name, data_type=kind, dims=shape)
        for key, value in data.items():
            (setattr if isinstance(value, bytes) else lambda m, k, v: getattr(m, k).extend(v))(made, key, value)
        return made

    relu = helper.make_node("Relu", ["z"], ["y"])
    product = helper.make_node("MatMul", ["x", "w"], ["z"])
    raw = numpy_helper.from_array(single.reshape(2, 2), "w")
    found["onnx raw"] = model(product, relu, w=raw)
    listed = TensorProto.FromString(  # float_data, packed, as bytes: a list of floats would be flushed on its way
        tensor("w", TensorProto.FLOAT, [2, 2]).SerializeToString() + b"\x22\x10" + single.tobytes()
    )
    found["onnx float_data"] = model(product, relu, w=listed)
    brain = tensor("w", TensorProto.BFLOAT16, [2, 1], raw_data=half.tobytes())
    cast = helper.make_node("Cast", ["w"], ["v"], to=TensorProto.FLOAT)
    found["onnx bfloat16"] = model(cast, helper.make_node("MatMul", ["x", "v"], ["z"]), relu, w=brain)
    wide = numpy_helper.from_array(np.array([[3 << 27], [1 << 50]], np.uint64).view(np.float64) + 0, "w")
    wide.raw_data = np.array([(1023 - 149 << 52) | 1 << 51, 1023 - 130 << 52], np.uint64).tobytes()
    found["onnx cast"] = model(cast, helper.make_node("MatMul", ["x", "v"], ["z"]), relu, w=wide)

    def with_attribute(node, name, number, data):
        node.attribute.append(
            onnx.AttributeProto.FromString(onnx.AttributeProto(name=name, type=number).SerializeToString() + data)
        )
        return node

    gemm = helper.make_node("Gemm", ["x", "one", "b"], ["z"])
    with_attribute(gemm, "alpha", onnx.AttributeProto.FLOAT, b"\x15" + single[2:3].tobytes())
    with_attribute(gemm, "beta", onnx.AttributeProto.FLOAT, b"\x15" + single[1:2].tobytes())
    ones = {n: numpy_helper.from_array(np.ones(s, np.float32), n) for n, s in (("one", (2, 1)), ("b", (1,)))}
    found["onnx attributes"] = model(gemm, relu, **ones)
    constant = with_attribute(
        helper.make_node("Constant", [], ["v"]), "value_floats", onnx.AttributeProto.FLOATS,
        b"\x3a\x08" + single[:2].tobytes(),
    )  # fmt: skip
    found["onnx constant"] = model(constant, helper.make_node("Add", ["x", "v"], ["z"]), relu)
    both = helper.make_node("Concat", ["w", "u"], ["v"], axis=0)
    mixed = {"w": numpy_helper.from_array(single[:1].reshape(1, 1), "w")}
    mixed["u"] = numpy_helper.from_array(np.ones((1, 1)), "u")
    found["onnx concatenation"] = model(both, helper.make_node("MatMul", ["x", "v"], ["z"]), relu, **mixed)
    by = helper.make_node("Div", ["x", "w"], ["z"])
    found["onnx divisor"] = model(by, relu, w=numpy_helper.from_array(single[:1], "w"))

    found["torch"] = []
    import torch

    for array in (single, half.view(np.float16), np.array([5], np.uint64).view(np.float64), half):
        weights = torch.from_numpy(array.view(np.int16 if array is half else array.dtype))[None]
        weights = weights.view(torch.bfloat16) if array is half else weights
        net = Network.from_state_dict({"0.weight": weights, "1.weight": torch.ones(1, 1)})
        found["torch"].append([*net.neuron(1, 0).slope])
    norm = torch.nn.BatchNorm1d(1).double().eval()
    norm.running_mean = torch.from_numpy(np.array([9], np.uint64).view(np.float64))
    net = Network.from_torch(torch.nn.Sequential(torch.nn.Linear(1, 1).double(), norm, torch.nn.ReLU()))
    found["torch normalisation"] = str(norm.running_mean.numpy().view(np.int64)[0])

    written = Network.from_layers([(single.reshape(2, 2), [1, 1], "relu"), ([[1e300, 1]], [0], "none")])
    for ending in ("onnx", "npz", "json"):
        written.save(folder / f"written.{ending}")
        again = Network.from_file(folder / f"written.{ending}")
        found[f"written {ending}"] = [[*again.neuron(1, i).slope] for i in (0, 1)]
        assert again == written
    return json.dumps(found, default=str, sort_keys=True)


FLUSHED = """
import sys, torch
flushed = sys.argv[2] == "flush"
assert torch.set_flush_denormal(flushed) or not flushed
import numpy as np
least = np.array([1], np.uint32).view(np.float32)
assert (float(least[0]) == 0) == flushed and (least.astype(np.float64)[0] == 0) == flushed
import test_denormals
print(test_denormals.read_everything(sys.argv[1]))
"""


@pytest.mark.torch
def test_a_process_that_flushes_denormals_reads_the_same(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    path = os.pathsep.join([str(HERE.parents[2]), str(HERE.parent)])
    runs = {
        how: subprocess.run(
            [sys.executable, "-c", FLUSHED, str(tmp_path), how],
            env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False,
        )
        for how in ("keep", "flush")
    }  # fmt: skip
    for how, run in runs.items():
        assert run.returncode == 0, how + run.stderr
    assert runs["keep"].stdout == runs["flush"].stdout
    found = json.loads(runs["keep"].stdout)
    assert found["python"] == [str(Fraction(1, 2**1074)), str(Fraction(-1, 2**1074))]
    tiny = str(Fraction(1, 2**149))
    assert found["dyadic 4"][0] == found["rational 4"][0] == found["onnx raw"][0][1] == tiny
    assert found["onnx float_data"] == found["onnx raw"]
    assert found["onnx attributes"] == [[str(Fraction(2, 2**149)), *[str(Fraction(3, 2**149))] * 2]]
    assert found["torch"][0][0] == tiny
    assert found["onnx cast"] == [["0", str(Fraction(2, 2**149)), str(Fraction(1, 2**130))]]


@pytest.mark.parametrize("size", [2, 4, 8])
def test_every_bit_pattern_is_what_it_says(size):
    rng = np.random.default_rng(size)
    bits = rng.integers(0, 1 << 8 * size, 3000, dtype=f"u{size}", endpoint=False) if size < 8 else None
    bits = rng.bytes(3000 * 8) if bits is None else bits.tobytes()
    array = np.frombuffer(bits, f"f{size}")
    array = array[np.isfinite(array)]
    edges = [0.0, -0.0, np.finfo(array.dtype).max, np.finfo(array.dtype).tiny, np.finfo(array.dtype).smallest_subnormal]
    array = np.concatenate([array, np.array(edges, array.dtype)])
    numerators, denominator = dyadic(array)
    expected = [Fraction(float(v)) for v in array]
    assert [Fraction(v, denominator) for v in numerators] == expected
    assert [rational(v) for v in array] == expected
    swapped = array.astype(array.dtype.newbyteorder())
    assert dyadic(swapped) == (numerators, denominator)


@pytest.mark.parametrize(("source", "size"), [("f8", 4), ("f8", 2), ("f4", 2)])
def test_casts_round_as_the_processor_does(source, size):
    rng = np.random.default_rng(size)
    least, normal = LEAST[size]
    array = np.ldexp(rng.standard_normal(4000), rng.integers(least - 3, normal + 9, 4000)).astype(source)
    ties = np.ldexp(np.arange(-9, 10) / 2, least)
    array = np.concatenate([array, ties.astype(source), np.array([0.0, -0.0, 1, 1e30, -1e38], source)])
    with np.errstate(over="ignore"):
        expected = array.astype(f"f{size}")
    assert rounded(array, size).tobytes() == expected.tobytes()
    assert rounded(expected, 8) is expected
