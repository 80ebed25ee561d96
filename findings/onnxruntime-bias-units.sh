#!/bin/sh
# onnxruntime 1.32.0 and onnx 1.23.2, graph optimisations at their default, seen with Python 3.11 on Linux x86_64.
#
# The bias of a Gemm whose factors come from DequantizeLinear is int32, dequantised with a scale of its own. Where that
# is not the product of the scales of the factors, or its zero point is not 0, onnxruntime takes the codes of the bias
# for steps of that product all the same, and drops scale and zero point: 3 steps of 0.5 become 3 steps of 0.125. Without
# optimisations the result is that of the graph; of a Conv it is that of the graph always. onnxruntime's own quantiser
# writes such models where two products share a bias. Whether a ReLU behind it is dead can depend on that.
#
# Output seen (at x = 0, where the result is the bias; 1.475 is the largest code):
#   scale 0.5              as the graph says [1.5]  optimised [0.375]
#   zero point 1           as the graph says [0.25]  optimised [0.375]
#   quantised, shared bias as the graph says [0.978, 0.977]  optimised [1.475, 0.977]
#
# Exits 0 while that is so, 1 if it changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -qq --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import logging
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization

node, level = helper.make_node, onnxruntime.GraphOptimizationLevel
logging.disable(logging.WARNING)


def model(nodes, constants, outputs):
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1]) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(data, how):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level, options.log_severity_level = how, 4
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return [round(float(v[0, 0]), 3) for v in session.run(None, {"x": np.zeros((1, 2), np.float32)})]


NODES = [
    node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("DequantizeLinear", ["q", "s", "z"], ["d"]),
    node("DequantizeLinear", ["w", "ws", "wz"], ["v"]), node("DequantizeLinear", ["b", "bs", "bz"], ["c"]),
    node("Gemm", ["d", "v", "c"], ["h"]),
    node("QuantizeLinear", ["h", "os", "z"], ["k"]), node("DequantizeLinear", ["k", "os", "z"], ["y"]),
]
CONSTANTS = {
    "s": np.float32(0.25), "z": np.uint8(0), "w": np.array([[3], [5]], np.int8), "ws": np.float32(0.5),
    "wz": np.int8(0), "b": np.array([3], np.int32), "bz": np.int32(0), "bs": np.float32(0.125), "os": np.float32(1 / 32),
}
models = {
    "scale 0.5": model(NODES, CONSTANTS | {"bs": np.float32(0.5)}, "y").SerializeToString(),
    "zero point 1": model(NODES, CONSTANTS | {"bz": np.int32(1)}, "y").SerializeToString(),
}


class Data(quantization.CalibrationDataReader):
    def __init__(self):
        self.rows = iter([{"x": np.float32([[1, -1]])}, {"x": np.float32([[-1, 1]])}])

    def get_next(self):
        return next(self.rows, None)


two = [node("Gemm", ["x", "w1", "b"], ["h1"]), node("Gemm", ["x", "w2", "b"], ["h2"])]
two += [node("Relu", ["h1"], ["y1"]), node("Relu", ["h2"], ["y2"])]
weights = {"w1": np.float32([[1], [0.5]]), "w2": np.float32([[0.1], [0.05]]), "b": np.float32([0.975])}
onnx.save(model(two, weights, ["y1", "y2"]), "float.onnx")
quantization.quantize_static("float.onnx", "int8.onnx", Data(), activation_type=quantization.QuantType.QUInt8)
with open("int8.onnx", "rb") as stream:
    models["quantised, shared bias"] = stream.read()

kept = True
for name, data in models.items():
    plain, optimised = run(data, level.ORT_DISABLE_ALL), run(data, level.ORT_ENABLE_ALL)
    print(f"{name:<22} as the graph says {plain}  optimised {optimised}")
    kept &= max(abs(a - b) for a, b in zip(plain, optimised)) > 0.1
sys.exit(not kept)
PYTHON
