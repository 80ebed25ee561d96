#!/bin/sh
# onnxruntime 1.32.0 and onnx 1.23.2, graph optimisations at their default, seen with Python 3.11 on Linux x86_64.
#
# A MatMul of dequantised activations with weights of 8 bits that DequantizeLinear (operator set 21) scales block by
# block. onnxruntime makes MatMulIntegerToFloat of it, which knows no blocks, and hands it the scales of the blocks: each
# column is multiplied with the first of them, as if it were that of the column. Without optimisations, with weights of 4
# bits or where the result is quantised again, the result is that of the graph.
#
# Output seen (32 ones times weights 1, with scales 1 and 2, then 4 and 8 for the two blocks of 16):
#   as the graph says  [80.0, 160.0]
#   optimised          [32.0, 64.0]
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
constants = {
    "s": np.float32(1), "z": np.uint8(0), "w": np.ones((32, 2), np.int8), "ws": np.float32([[1, 2], [4, 8]]),
}
graph = helper.make_graph(
    [
        node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        node("DequantizeLinear", ["w", "ws"], ["v"], axis=0, block_size=16), node("MatMul", ["d", "v"], ["y"]),
    ],
    "g",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 32])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
    [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10).SerializeToString()
found = []
for name, how in (("as the graph says", level.ORT_DISABLE_ALL), ("optimised", level.ORT_ENABLE_ALL)):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level, options.log_severity_level = how, 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    found.append(session.run(None, {"x": np.ones((1, 32), np.float32)})[0][0].tolist())
    print(f"{name:<17}  {found[-1]}")
sys.exit(found != [[80, 160], [32, 64]])
PYTHON
