#!/bin/sh
# omlt 1.2.2 (with onnx 1.18.0 and pyomo 6.9.2), seen with Python 3.11 on Linux x86_64.
#
# load_onnx_neural_network reads a convolution without its bias: the layer it makes has no place for one, and nothing is
# said. The network that is then put into an optimization model, and evaluated by OMLT itself, is another one than that
# of the file. (The bias of Gemm, and of MatMul with Add, is read.)
#
# Output seen (kernel 1 x 1 of weight 1, bias 5, then Relu, at inputs -2 and 3):
#   file  [3.0, 8.0]
#   omlt  [0.0, 3.0]
#
# Exits 0 while that is so, 1 if it changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    omlt==1.2.2 onnx==1.18.0 pyomo==6.9.2 numpy==2.2.6 networkx==3.4.2
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from omlt.io.onnx import load_onnx_neural_network
from onnx import TensorProto, checker, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

nodes = [
    helper.make_node("Conv", ["x", "w", "b"], ["z"], "conv", kernel_shape=[1, 1], strides=[1, 1], group=1),
    helper.make_node("Relu", ["z"], ["y"], "relu"),
]
weights = {"w": np.ones((1, 1, 1, 1), np.float32), "b": np.array([5], np.float32)}
sides = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 1, 2]) for name in "xy"]
named = [numpy_helper.from_array(value, name) for name, value in weights.items()]
model = helper.make_model(
    helper.make_graph(nodes, "g", sides[:1], sides[1:], named),
    opset_imports=[helper.make_opsetid("", 17)],
    ir_version=8,
)
checker.check_model(model, full_check=True)

point = np.array([[[[-2, 3]]]], np.float32)
right = ReferenceEvaluator(model).run(None, {"x": point})[0].ravel().tolist()
model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"  # OMLT counts a batch of 1 as a dimension
layer = next(layer for layer in load_onnx_neural_network(model).layers if hasattr(layer, "kernel"))
found = layer.eval_single_layer(point[0]).ravel().tolist()
print("file ", right)
print("omlt ", found)
sys.exit(not (right == [3.0, 8.0] and found == [0.0, 3.0]))
PYTHON
