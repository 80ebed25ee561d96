#!/bin/sh
# onnxruntime 1.22.1 and onnx 1.18.0, MaxPool and AveragePool with auto_pad and dilations, seen with Python 3.11 on Linux
# x86_64.
#
# With auto_pad = SAME_UPPER the output is as long as the input divided by the stride, rounded up: that is what SAME
# means, and what shape inference says. onnxruntime pads pools as if dilations were 1, and loses outputs at the end,
# with a warning at most. (Of a convolution it refuses these attributes together, and says so.)
#
# Output seen (6 entries, strides of 1, dilations of 2):
#   MaxPool      kernel 2  inferred 6  computed 5
#   AveragePool  kernel 2  inferred 6  computed 5
#   MaxPool      kernel 3  inferred 6  computed 4
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
from onnx import TensorProto, checker, helper, shape_inference

x = np.arange(6, dtype=np.float32).reshape(1, 1, 6)
same = True
for op, kernel, seen in (("MaxPool", 2, 5), ("AveragePool", 2, 5), ("MaxPool", 3, 4)):
    node = helper.make_node(op, ["x"], ["y"], kernel_shape=[kernel], auto_pad="SAME_UPPER", dilations=[2])
    sides = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, n]) for name, n in (("x", 6), ("y", None))]
    graph = helper.make_graph([node], "g", sides[:1], sides[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    checker.check_model(model, full_check=True)
    shape = shape_inference.infer_shapes(model).graph.output[0].type.tensor_type.shape
    inferred = shape.dim[2].dim_value
    computed = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0].shape[2]
    print(f"{op:11}  kernel {kernel}  inferred {inferred}  computed {computed}")
    same = same and (inferred, computed) == (6, seen)
sys.exit(not same)
PYTHON
