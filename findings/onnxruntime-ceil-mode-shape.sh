#!/bin/sh
# onnxruntime 1.22.1 and onnx 1.18.0, MaxPool and AveragePool with ceil_mode = 1, seen with Python 3.11, Linux x86_64.
#
# With 5 entries, a kernel of 2, strides of 2 and one row of padding on either side, a fourth window would begin in the
# padding at the end. Both operators leave it out when they run (3 outputs), but shape inference, in onnx below operator
# set 22 and so in onnxruntime, counts it (4). A model in which a matrix follows, of the size that is computed, is then
# refused as "incompatible dimensions" by onnxruntime. PyTorch exports such models.
#
# Output seen (of opset 17):
#   MaxPool      computed 3  inferred 4  followed by a matrix: refused
#   AveragePool  computed 3  inferred 4  followed by a matrix: refused
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
from onnx import TensorProto, helper, numpy_helper, shape_inference

onnxruntime.set_default_logger_severity(4)
found = []
for operator in ("MaxPool", "AveragePool"):
    pool = helper.make_node(operator, ["x"], ["p"], kernel_shape=[2], strides=[2], pads=[1, 1], ceil_mode=1)

    def model(nodes, output):
        graph = helper.make_graph(
            nodes,
            "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 5])],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
            [numpy_helper.from_array(np.ones((3, 1), np.float32), "w")],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    alone = model([pool], "p")
    computed = onnxruntime.InferenceSession(alone.SerializeToString()).run(None, {"x": np.zeros((1, 1, 5), np.float32)})
    inferred = shape_inference.infer_shapes(alone).graph.output[0].type.tensor_type.shape.dim[2].dim_value
    try:
        onnxruntime.InferenceSession(
            model([pool, helper.make_node("MatMul", ["p", "w"], ["y"])], "y").SerializeToString()
        )
        followed = "accepted"
    except Exception as problem:
        followed = "refused" if "ncompatible dimensions" in str(problem) else str(problem)
    found.append((computed[0].shape[2], inferred, followed))
    print(f"{operator:<12} computed {found[-1][0]}  inferred {inferred}  followed by a matrix: {followed}")
sys.exit(found != 2 * [(3, 4, "refused")])
PYTHON
