#!/bin/sh
# maraboupy 2.0.0 (with onnx 1.15.0; right values by onnxruntime 1.22.1), seen with Python 3.11 on Linux x86_64.
#
# Marabou.read_onnx adds where the model subtracts: the equation of a Sub with a constant gets the sign of an Add. The
# normalisation at the head of many networks is such a Sub; in the benchmarks of verifiers its constant is often 0.
#
# Output seen (y = relu(x - (1, 2, -3)) at x = (0, 1, 2)):
#   onnxruntime  [0.0, 0.0, 5.0]
#   Marabou      [1.0, 3.0, 0.0]
#
# Exits 0 while that is so, 1 if it changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    maraboupy==2.0.0 onnx==1.15.0 onnxruntime==1.22.1 numpy==1.26.4
cd "$work"
"$work/venv/bin/python" - 2>/dev/null <<'PYTHON'
import sys

import numpy as np
import onnx
import onnxruntime
from maraboupy import Marabou
from onnx import TensorProto, checker, helper, numpy_helper


def both(nodes, constants, x, outputs):
    """What onnxruntime and Marabou give for y at x."""
    x = np.array(x, np.float32)
    sides = [helper.make_tensor_value_info(name, TensorProto.FLOAT, s) for name, s in (("x", x.shape), ("y", outputs))]
    named = [numpy_helper.from_array(np.array(value, np.float32), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "g", sides[:1], sides[1:], named)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    checker.check_model(model, full_check=True)
    onnx.save(model, "net.onnx")
    right = onnxruntime.InferenceSession("net.onnx").run(None, {"x": x})[0]
    found = Marabou.read_onnx("net.onnx").evaluateWithMarabou([x], filename="log")[0]
    return [[float(round(v, 3)) for v in np.ravel(values)] for values in (right, found)]


nodes = [helper.make_node("Sub", ["x", "c"], ["z"]), helper.make_node("Relu", ["z"], ["y"])]
right, found = both(nodes, {"c": [[1, 2, -3]]}, [[0, 1, 2]], [1, 3])
print("onnxruntime ", right)
print("Marabou     ", found)
sys.exit((right, found) != ([0.0, 0.0, 5.0], [1.0, 3.0, 0.0]))
PYTHON
