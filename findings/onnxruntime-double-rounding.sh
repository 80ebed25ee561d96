#!/bin/sh
# onnxruntime 1.32.0 and onnx 1.23.2, graph optimisations at their default, seen with Python 3.11 on Linux x86_64.
#
# What is quantised, dequantised and at once quantised again with another scale is rounded twice by the graph: 0.3 is 0.25
# in steps of 1/4, and 0 in steps of 1. onnxruntime makes one rounding of both, with the smaller of the two scales, so
# that numbers come out that are no multiples of the larger one, and what the graph rounds to 0 is positive.
#
# Output seen:
#   as the graph says  [0.0, 0.0, 0.0, 1.0]
#   optimised          [0.0, 0.25, 0.5, 0.75]
#
# Exits 0 while that is so, 1 if it changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -qq --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

node, level = helper.make_node, onnxruntime.GraphOptimizationLevel
constants = {"s": np.float32(0.25), "t": np.float32(1), "z": np.uint8(0)}
graph = helper.make_graph(
    [
        node("QuantizeLinear", ["x", "s", "z"], ["a"]), node("DequantizeLinear", ["a", "s", "z"], ["b"]),
        node("QuantizeLinear", ["b", "t", "z"], ["c"]), node("DequantizeLinear", ["c", "t", "z"], ["y"]),
    ],
    "g",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])],
    [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
found = []
for name, how in (("as the graph says", level.ORT_DISABLE_ALL), ("optimised", level.ORT_ENABLE_ALL)):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level, options.log_severity_level = how, 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    found.append(session.run(None, {"x": np.float32([0.1, 0.3, 0.5, 0.7])})[0].tolist())
    print(f"{name:<17}  {found[-1]}")
sys.exit(found != [[0, 0, 0, 1], [0, 0.25, 0.5, 0.75]])
PYTHON
