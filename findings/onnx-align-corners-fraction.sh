#!/bin/sh
# onnxruntime 1.22.1 and onnx 1.18.0, operator Resize, seen with Python 3.11 on Linux x86_64.
#
# With coordinate_transformation_mode align_corners and a scale that gives no whole number of entries (4 times 0.6 are
# 2.4, of which 2 are kept), the coordinates of the entries kept are i * 3 / (2 - 1) to onnxruntime, which takes the
# length of the result, as the text of the standard says. The conformance tests of the package onnx, and its reference,
# divide by 2.4 - 1: the corners are no longer aligned. onnxruntime leaves these tests out.
#
# Output seen:
#   scale 0.6  onnxruntime [1.0, 4.0]  conformance test [1.0, 3.143]  reference [1.0, 3.143]
#
# Exits 0 while that is so, 1 if it changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -qq --disable-pip-version-check onnxruntime==1.22.1 onnx==1.18.0 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import numpy as np
import onnxruntime
from onnx.backend.test.case.node import collect_testcases
from onnx.reference import ReferenceEvaluator

(case,) = [c for c in collect_testcases("Resize") if c.name == "test_resize_downsample_scales_linear_align_corners"]
inputs, outputs = case.data_sets[0]
case.model.ir_version = 10
x = {i.name: a for i, a in zip(case.model.graph.input, inputs)}
runs = (onnxruntime.InferenceSession(case.model.SerializeToString()), ReferenceEvaluator(case.model))
shown = [np.round(a.ravel().astype(float), 3).tolist() for a in (outputs[0], *(run.run(None, x)[0] for run in runs))]
scale = inputs[1][-1]
print(f"scale {scale:.1f}  onnxruntime {shown[1]}  conformance test {shown[0]}  reference {shown[2]}")
sys.exit(shown != [[1, 3.143], [1, 4], [1, 3.143]])
PYTHON
