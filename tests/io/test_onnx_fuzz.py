"""Damaged ONNX files of all operators, with functions, sparse and external data: read or refused in one line, soon, and
without a look outside the folder of the model."""

from __future__ import annotations

import builtins
import os
import random
import time

import onnx_graphs
import pytest
from onnx import TensorProto, helper
from test_fuzz import SLOWEST, damaged, rewired

from geomrelu import InputError, Network

pytestmark = pytest.mark.onnx

FILES = int(os.environ.get("GEOMRELU_FUZZ", "600"))


def seed_model(seed):
    """A random graph, sometimes with parts as functions, sparse tensors, external data or a step of a sequence."""
    rng = random.Random(seed)
    model = onnx_graphs.Random(rng.randrange(10**6)).model(rng.randint(1, 6))
    graph = model.graph
    if rng.random() < 0.3:
        body = [helper.make_node("Relu", ["v"], ["w"])]
        model.functions.append(helper.make_function("f", "Own", ["v"], ["w"], body, [helper.make_opsetid("", 17)]))
        for node in graph.node:
            if node.op_type == "Relu":
                node.op_type, node.domain = "Own", "f"
    if graph.initializer and rng.random() < 0.3:
        tensor = rng.choice(graph.initializer)
        tensor.data_location = 1
        for key, value in (
            ("location", rng.choice(["data", "../data", "/etc/hostname", ".", "", "a/../data", "\0", "model.onnx"])),
            ("offset", rng.choice(["0", "1", "-1", "x", "99999999999999999999"])),
            ("length", rng.choice(["4", "0", "-7", "99999999999999999999", ""])),
        ):
            tensor.external_data.add(key=key, value=value)
    if graph.initializer and rng.random() < 0.3:
        tensor = rng.choice(graph.initializer)
        tensor.data_type = rng.choice(list(TensorProto.DataType.values()))
    if rng.random() < 0.2:
        node = rng.choice(graph.node)
        node.op_type = rng.choice(OPERATORS)
    return model


OPERATORS = (
    "Loop", "If", "Scan", "Softmax", "TopK", "NonZero", "SplitToSequence", "SequenceAt", "ConcatFromSequence", "Range",
    "Expand", "Tile", "OneHot", "EyeLike", "ConstantOfShape", "RandomNormal", "MaxPool", "Resize", "Upsample", "Einsum",
    "GridSample", "Col2Im", "LSTM", "Trilu", "CumSum", "Compress", "ScatterElements", "GatherND", "LpPool", "CastLike",
)  # fmt: skip


@pytest.mark.parametrize("part", range(4))
def test_damaged_models(part, tmp_path, monkeypatch):
    path = tmp_path / "inside" / "model.onnx"
    path.parent.mkdir()
    (path.parent / "data").write_bytes(bytes(64))
    (tmp_path / "data").write_bytes(bytes(64))
    true_open = builtins.open

    def watched(name, *args, **more):
        if isinstance(name, (str, os.PathLike)) and str(name).startswith((str(tmp_path), "/etc")):
            assert os.path.realpath(name).startswith(str(path.parent)), name
        return true_open(name, *args, **more)

    read, refused = 0, 0
    for seed in range(part * FILES // 4, (part + 1) * FILES // 4):
        rng = random.Random(seed)
        data = seed_model(seed).SerializeToString()
        for _ in range(rng.randint(0, 2)):
            data = rewired(rng, data)
        if rng.random() < 0.3:
            data = damaged(rng, data)
        path.write_bytes(data)
        begin = time.monotonic()
        with monkeypatch.context() as patched:
            patched.setattr(builtins, "open", watched)
            try:
                net = Network.from_file(path)
            except InputError as problem:
                refused += 1
                line = str(problem)
                assert line.startswith(f"{path}: ") and "\n" not in line and len(line) < len(str(path)) + 600, (
                    seed,
                    line,
                )
            except Exception as problem:
                raise AssertionError(f"seed {seed}: {problem!r}") from problem
            else:
                read += 1
                assert net.depth == len(net.reading.layers)
                assert "\n".join(net.reading.lines())
        assert time.monotonic() - begin < SLOWEST, seed
    assert read > FILES // 40 and refused > FILES // 40, (read, refused)
