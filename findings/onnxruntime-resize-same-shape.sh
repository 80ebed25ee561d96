#!/bin/sh
# onnxruntime 1.22.1 and onnx 1.18.0, operator Resize, seen with Python 3.11 on Linux x86_64.
#
# Where a scale is not 1 but rounding down gives the output the size of the input (3 entries times 1.25 are 3),
# onnxruntime copies its input. The standard interpolates at (i + 1/2) / 1.25 - 1/2, as the reference of the package
# onnx does, and PyTorch. Other scales are interpolated by onnxruntime, too.
#
# Output seen:
#   scale 1.25  onnxruntime [0.0, 1.0, 2.0]  standard [0.0, 0.7, 1.5]
#   scale 1.5   onnxruntime [0.0, 0.5, 1.17, 1.83]  standard [0.0, 0.5, 1.17, 1.83]
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
from onnx.reference import ReferenceEvaluator

found = {}
for scale in (1.25, 1.5):
    graph = helper.make_graph(
        [helper.make_node("Resize", ["x", "", "s"], ["y"], mode="linear")],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 1, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.float32([1, 1, 1, scale]), "s")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    x = {"x": np.float32([[[[0, 1, 2]]]])}
    runs = (onnxruntime.InferenceSession(model.SerializeToString()), ReferenceEvaluator(model))
    found[scale] = [np.round(run.run(None, x)[0].ravel().astype(float), 2).tolist() for run in runs]
    print(f"scale {scale:<5} onnxruntime {found[scale][0]}  standard {found[scale][1]}")
sys.exit(found[1.25] != [[0, 1, 2], [0, 0.7, 1.5]] or found[1.5][0] != found[1.5][1])
PYTHON
