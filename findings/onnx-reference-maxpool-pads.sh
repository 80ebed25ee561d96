#!/bin/sh
# onnx 1.23.2, onnx.reference.ReferenceEvaluator, operator MaxPool, seen with Python 3.11 on Linux x86_64.
#
# Where all strides are 1, the reference evaluator reads "pads" as begin, end of the first axis, then begin, end of the
# second; the standard (and onnx's own shape inference, and the same evaluator with any other stride) has both begins
# first. With rows padded on either side and columns not, columns are padded and rows not. With ceil_mode = 1 its output
# is larger than the standard says as well, with zeros in what is too much.
#
# Output seen (4 x 4 entries, kernel 3 x 3, pads 1, 0, 1, 0: one row above, one below):
#   strides 1, 1  ceil_mode 0  inferred [4, 2]  computed [3, 3]
#   strides 1, 1  ceil_mode 1  inferred [4, 2]  computed [4, 4]
#   strides 2, 1  ceil_mode 0  inferred [2, 2]  computed [2, 2]
#
# Exits 0 while that is so, 1 if it changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -qq --disable-pip-version-check onnx==1.23.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from onnx import TensorProto, checker, helper, shape_inference
from onnx.reference import ReferenceEvaluator

SEEN = {((1, 1), 0): ([4, 2], [3, 3]), ((1, 1), 1): ([4, 2], [4, 4]), ((2, 1), 0): ([2, 2], [2, 2])}
values = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
same = True
for (strides, ceil_mode), seen in SEEN.items():
    pool = helper.make_node(
        "MaxPool", ["x"], ["y"], kernel_shape=[3, 3], pads=[1, 0, 1, 0], strides=strides, ceil_mode=ceil_mode
    )
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 4, 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, None, None])
    model = helper.make_model(helper.make_graph([pool], "g", [x], [y]), opset_imports=[helper.make_opsetid("", 17)])
    checker.check_model(model, full_check=True)
    shape = shape_inference.infer_shapes(model, strict_mode=True).graph.output[0].type.tensor_type.shape
    inferred = [d.dim_value for d in shape.dim][2:]
    computed = list(ReferenceEvaluator(model).run(None, {"x": values})[0].shape)[2:]
    print(f"strides {strides[0]}, {strides[1]}  ceil_mode {ceil_mode}  inferred {inferred}  computed {computed}")
    same = same and (inferred, computed) == seen
sys.exit(not same)
PYTHON
