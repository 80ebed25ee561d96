"""Random graphs of all operators: outputs and what each ReLU reads are what onnxruntime computes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx_graphs
import pytest

from geomrelu import InputError
from geomrelu.io.onnx import traced
from geomrelu.io.onnx.model import graph_of
from geomrelu.network.network import Network

pytestmark = pytest.mark.onnx

GRAPHS = 400


def compared(model, folder, x, names=None):
    """Trace a model and compare its outputs and the arguments of its ReLU nodes at an input."""
    graph = graph_of(model, folder)
    tape, trace = traced(graph)
    net = Network.from_tape(tape)
    relus = [
        (level, node.proto.input[0])
        for level, node in enumerate(trace.made_by)
        if node.proto.op_type == "Relu" and not node.proto.domain and "function" not in node.where
    ]
    point = [
        float(v)
        for v in np.concatenate([np.ravel(x[p.name] if isinstance(x, dict) else x) for p in net.reading.inputs])
    ]
    cuts = [name for name in trace.outputs if name not in {o.name for o in model.graph.output}]
    right = onnx_graphs.evaluate(model, x, [n for _, n in relus] + cuts)
    layers = net.pre_activations(point)
    for level, name in relus:
        close(layers[level], right[name], name)
    close(net(point), np.concatenate([np.ravel(right[name]) for name in trace.outputs]), "output")
    return trace


def close(found, right, name):
    found, right = np.array([float(v) for v in found]), np.ravel(right).astype(float)
    assert found.shape == right.shape, name
    scale = max(1.0, float(np.abs(right).max(initial=0)))
    np.testing.assert_allclose(found / scale, right / scale, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("part", range(8))
def test_random_graphs_are_read_as_onnxruntime_computes_them(part, tmp_path):
    """Hundreds of graphs; none is read differently, and none that onnxruntime runs is refused."""
    pytest.importorskip("onnxruntime")
    seen = Counter()
    for seed in range(part * GRAPHS // 8, (part + 1) * GRAPHS // 8):
        made = onnx_graphs.Random(seed)
        model = made.model()
        shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
        x = np.random.default_rng(seed).integers(-16, 17, size=shape).astype(np.float32) / 8
        try:
            trace = compared(model, tmp_path, x)
        except InputError as problem:
            raise AssertionError(f"seed {seed}: {problem}") from problem
        except AssertionError as problem:
            raise AssertionError(f"seed {seed}: {problem}") from problem
        assert not trace.left, (seed, trace.left)
        seen.update(n.op_type for n in model.graph.node)
    assert len(seen) > 30, seen
