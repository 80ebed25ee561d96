#!/bin/sh
# onnxruntime 1.22.1, graph optimisations at their default, seen with Python 3.11 on Linux x86_64.
#
# Where the factors of a Gemm (or of MatMul and Add) come from DequantizeLinear, its result goes to QuantizeLinear, and
# its bias is a constant in floats, onnxruntime rounds the bias to a whole number of steps (scale of the input times
# scale of the weights) and computes in integers. A bias of 0.05 with steps of 0.125 becomes 0; without optimisations it
# is kept, as the graph says. Whether a ReLU behind it is dead can depend on that.
#
# Output seen (the quantised result at x = 0, in steps of 1/32):
#   Gemm          as the graph says 0.0625  optimised 0.0
#   MatMul + Add  as the graph says 0.0625  optimised 0.0
#
# Exits 0 while that is so, 1 if it changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -qq --disable-pip-version-check onnxruntime==1.22.1 onnx==1.18.0 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

node, level = helper.make_node, onnxruntime.GraphOptimizationLevel
CONSTANTS = {
    "s": np.float32(0.25), "z": np.uint8(0), "ws": np.float32(0.5), "wz": np.int8(0), "os": np.float32(1 / 32),
    "w": np.array([[3], [5]], np.int8), "b": np.array([0.05], np.float32),
}
SUMS = {
    "Gemm": [node("Gemm", ["d", "v", "b"], ["g"])],
    "MatMul + Add": [node("MatMul", ["d", "v"], ["m"]), node("Add", ["m", "b"], ["g"])],
}
found = {}
for name, sums in SUMS.items():
    before = [node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("DequantizeLinear", ["q", "s", "z"], ["d"])]
    before.append(node("DequantizeLinear", ["w", "ws", "wz"], ["v"]))
    after = [node("QuantizeLinear", ["g", "os", "z"], ["k"]), node("DequantizeLinear", ["k", "os", "z"], ["y"])]
    graph = helper.make_graph(
        [*before, *sums, *after],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), key) for key, value in CONSTANTS.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    found[name] = []
    for how in (level.ORT_DISABLE_ALL, level.ORT_ENABLE_ALL):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level, options.log_severity_level = how, 4
        run = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        found[name].append(float(run.run(None, {"x": np.zeros((1, 2), np.float32)})[0][0, 0]))
    print(f"{name:<12}  as the graph says {found[name][0]}  optimised {found[name][1]}")
sys.exit(any(values != [0.0625, 0.0] for values in found.values()))
PYTHON
