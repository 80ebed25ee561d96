#!/bin/sh
# onnx 1.23.2, its reference evaluator, beside onnxruntime 1.32.0, seen with Python 3.11 on Linux x86_64.
#
# LRN: of each image of a batch of one, only channel 0 is normalised by its neighbours as the standard says. (The loop
# over channels stops at the size of the batch.)
# LpNormalization with p = 1: divides by the sum of the entries, not of their absolute values.
# Softmax, LogSoftmax and Hardmax of operator sets before 13 go over all axes from `axis` on; the evaluator goes over
# that axis alone, as in newer ones.
#
# Output seen (the largest differences from onnxruntime, and from the formula):
#   LRN              onnxruntime 0.0006  channels that differ [1, 2, 3]
#   LpNormalization  [1.0, -3.0]  reference [-0.5, 1.5]  onnxruntime [0.25, -0.75]
#   Softmax, set 11  sums over all axes from 1 on: reference 2.0  onnxruntime 1.0
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
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

onnxruntime.set_default_logger_severity(4)


def both(operator, opset, array, **attributes):
    given, made = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in
                   (("x", array.shape), ("y", None)))
    graph = helper.make_graph([helper.make_node(operator, ["x"], ["y"], **attributes)], "g", [given], [made])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return ReferenceEvaluator(model).run(None, {"x": array})[0], session.run(None, {"x": array})[0]


image = (np.random.default_rng(0).integers(-16, 17, (1, 4, 3, 3)) / 8).astype(np.float32)
ours, theirs = both("LRN", 13, image, size=1)
off = np.abs(ours - theirs).max(axis=(0, 2, 3))
channels = np.flatnonzero(off > 1e-5).tolist()
print(f"LRN              onnxruntime {round(float(off.max()), 4)}  channels that differ {channels}")
row = np.array([[1, -3]], np.float32)
normal = [v[0].tolist() for v in both("LpNormalization", 13, row, p=1, axis=1)]
print(f"LpNormalization  {row[0].tolist()}  reference {normal[0]}  onnxruntime {normal[1]}")
soft = [round(float(v.sum()), 3) for v in both("Softmax", 11, np.zeros((1, 3, 2), np.float32), axis=1)]
print(f"Softmax, set 11  sums over all axes from 1 on: reference {soft[0]}  onnxruntime {soft[1]}")
sys.exit(not (channels == [1, 2, 3] and normal == [[-0.5, 1.5], [0.25, -0.75]] and soft == [2.0, 1.0]))
PYTHON
