#!/bin/sh
# maraboupy 2.0.0 (with onnx 1.15.0; right values by onnxruntime 1.22.1), seen with Python 3.11 on Linux x86_64.
#
# Marabou.read_onnx passes over attributes that say where windows lie: dilations and auto_pad of Conv, pads and
# ceil_mode of MaxPool. Nothing is said; what it verifies is another network, with outputs too few or too many.
#
# Output seen:
#   Conv dilations     onnxruntime [2.0, 4.0, 6.0]  Marabou [1.0, 3.0, 5.0, 7.0]
#   Conv auto_pad      onnxruntime [1.0, 3.0, 5.0, 3.0]  Marabou [1.0, 3.0, 5.0]
#   MaxPool pads       onnxruntime [0.0, 2.0]  Marabou [1.0]
#   MaxPool ceil_mode  onnxruntime [1.0, 3.0, 4.0]  Marabou [1.0, 3.0]
#
# Exits 0 while that is so, 1 if it changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    maraboupy==2.0.0 onnx==1.15.0 onnxruntime==1.22.1 numpy==1.26.4
cd "$work"
"$work/venv/bin/python" - 2>/dev/null <<'PYTHON'
import sys

import numpy as np
import onnx
import onnxruntime
from maraboupy import Marabou
from onnx import TensorProto, checker, helper, numpy_helper


def both(nodes, constants, x, outputs):
    """What onnxruntime and Marabou give for y at x."""
    x = np.array(x, np.float32)
    sides = [helper.make_tensor_value_info(name, TensorProto.FLOAT, s) for name, s in (("x", x.shape), ("y", outputs))]
    named = [numpy_helper.from_array(np.array(value, np.float32), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "g", sides[:1], sides[1:], named)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    checker.check_model(model, full_check=True)
    onnx.save(model, "net.onnx")
    right = onnxruntime.InferenceSession("net.onnx").run(None, {"x": x})[0]
    found = Marabou.read_onnx("net.onnx").evaluateWithMarabou([x], filename="log")[0]
    return [[float(round(v, 3)) for v in np.ravel(values)] for values in (right, found)]


ones, pair = {"w": [[[[1, 1]]]]}, {"kernel_shape": [1, 2]}
CASES = {
    "Conv dilations": ("Conv", ["x", "w"], ones, {"dilations": [1, 2]}, 5, [2.0, 4.0, 6.0], [1.0, 3.0, 5.0, 7.0]),
    "Conv auto_pad": ("Conv", ["x", "w"], ones, {"auto_pad": "SAME_UPPER"}, 4, [1.0, 3.0, 5.0, 3.0], [1.0, 3.0, 5.0]),
    "MaxPool pads": ("MaxPool", ["x"], {}, {"pads": [0, 1, 0, 0], "strides": [1, 2]}, 3, [0.0, 2.0], [1.0]),
    "MaxPool ceil_mode": ("MaxPool", ["x"], {}, {"ceil_mode": 1, "strides": [1, 2]}, 5, [1.0, 3.0, 4.0], [1.0, 3.0]),
}
same = True
for name, (op, inputs, constants, more, width, *seen) in CASES.items():
    node = helper.make_node(op, inputs, ["y"], **pair, **more)
    right, found = both([node], constants, [[[list(range(width))]]], [1, 1, 1, len(seen[0])])
    print(f"{name:17}  onnxruntime {right}  Marabou {found}")
    same = same and [right, found] == seen
sys.exit(not same)
PYTHON
