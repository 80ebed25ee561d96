#!/bin/sh
# paddle2onnx 2.1.0 (with paddlepaddle 3.3.1), seen with Python 3.11 on Linux x86_64.
#
# The slope of LeakyReLU is not written to the ONNX file: in its place stands a number that has nothing to do with it and
# is another one in each run. Nothing is said, and engines compute with what stands there: 5.7e+12 for a slope of 0.01.
#
# Output seen, after what the exporter prints (the numbers behind "file" change from run to run):
#   slope 0.01 file -3.34e-09
#   slope 0.25 file -1.25e-08
#   slope 0.5 file -1.25e-08
#
# Exits 0 while that is so, 1 if it changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    paddlepaddle==3.3.1 paddle2onnx==2.1.0 onnx==1.17.0 onnx_graphsurgeon==0.6.1 onnxruntime==1.32.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import sys

import onnx
import paddle

slopes = (0.01, 0.25, 0.5)
found = []
for slope in slopes:
    module = paddle.nn.Sequential(paddle.nn.LeakyReLU(slope))
    module.eval()
    spec = paddle.static.InputSpec([None, 1], "float32", "x")
    paddle.onnx.export(module, "m", input_spec=[spec], opset_version=13)
    nodes = [node for node in onnx.load("m.onnx").graph.node if node.op_type == "LeakyRelu"]
    found += [attribute.f for node in nodes for attribute in node.attribute if attribute.name == "alpha"]
for slope, alpha in zip(slopes, found, strict=True):
    print(f"slope {slope} file {alpha:.3g}")
sys.exit(any(abs(alpha - slope) < 1e-3 for slope, alpha in zip(slopes, found, strict=True)))
PYTHON
