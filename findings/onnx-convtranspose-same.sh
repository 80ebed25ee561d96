#!/bin/sh
# onnx 1.18.0 and onnxruntime 1.22.1, ConvTranspose with auto_pad, seen with Python 3.11 on Linux x86_64.
#
# With auto_pad = SAME_UPPER the standard says that the output is as long as the input times the stride. Where the kernel
# is shorter than the stride, that asks for more than the windows cover. The reference evaluator of onnx gives it, with a
# zero before the first entry; onnx's own shape inference and onnxruntime give less. So a model has two meanings.
#
# Output seen (entries 1, 2, 3, a kernel of one 1, strides of 2):
#   inferred     5
#   onnxruntime  [1.0, 0.0, 2.0, 0.0, 3.0]
#   reference    [0.0, 1.0, 0.0, 2.0, 0.0, 3.0]
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
from onnx import TensorProto, checker, helper, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

x = np.array([[[1, 2, 3]]], np.float32)
node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], kernel_shape=[1], strides=[2], auto_pad="SAME_UPPER")
sides = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, n]) for name, n in (("x", 3), ("y", None))]
weights = [numpy_helper.from_array(np.ones((1, 1, 1), np.float32), "w")]
model = helper.make_model(
    helper.make_graph([node], "g", sides[:1], sides[1:], weights),
    opset_imports=[helper.make_opsetid("", 17)],
    ir_version=8,
)
checker.check_model(model, full_check=True)
inferred = shape_inference.infer_shapes(model).graph.output[0].type.tensor_type.shape.dim[2].dim_value
engine = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0].ravel().tolist()
reference = ReferenceEvaluator(model).run(None, {"x": x})[0].ravel().tolist()
print("inferred    ", inferred)
print("onnxruntime ", engine)
print("reference   ", reference)
sys.exit((inferred, engine, reference) != (5, [1.0, 0.0, 2.0, 0.0, 3.0], [0.0, 1.0, 0.0, 2.0, 0.0, 3.0]))
PYTHON
