#!/bin/sh
# onnx 1.23.2, onnx.reference.ReferenceEvaluator, operator AveragePool, and onnxruntime 1.22.1, seen with Python 3.11 on
# Linux x86_64.
#
# With ceil_mode = 1, where the last window reaches beyond the end, the reference evaluator moves the windows: it divides
# what is missing between both ends, so the first window begins before the first entry. onnxruntime (as PyTorch) lets
# only the last window reach out.
#
# Output seen (entries 1, 2, 3, 4, a kernel of 3, strides of 3, no pads):
#   ceil_mode 0  reference [2.0]  onnxruntime [2.0]
#   ceil_mode 1  reference [1.5, 3.0]  onnxruntime [2.0, 4.0]
#
# Exits 0 while that is so, 1 if it changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    onnx==1.23.2 onnxruntime==1.22.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, checker, helper
from onnx.reference import ReferenceEvaluator

values = np.arange(1, 5, dtype=np.float32).reshape(1, 1, 4)
found = []
for ceil_mode in (0, 1):
    pool = helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[3], strides=[3], ceil_mode=ceil_mode)
    sides = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 1, k]) for n, k in (("x", 4), ("y", 1 + ceil_mode))]
    graph = helper.make_graph([pool], "g", sides[:1], sides[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    checker.check_model(model, full_check=True)
    outputs = [
        ReferenceEvaluator(model).run(None, {"x": values}),
        onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": values}),
    ]
    found.append([[round(float(v), 2) for v in output[0].ravel()] for output in outputs])
    print(f"ceil_mode {ceil_mode}  reference {found[-1][0]}  onnxruntime {found[-1][1]}")
sys.exit(found != [[[2.0], [2.0]], [[1.5, 3.0], [2.0, 4.0]]])
PYTHON
