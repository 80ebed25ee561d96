"""Random graphs of all operators: outputs and what each ReLU reads are what onnxruntime computes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx_graphs
import pytest
from exports.kinds import compared

from geomrelu import InputError

pytestmark = pytest.mark.onnx

GRAPHS = 400


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
