#!/bin/sh
# onnxruntime 1.32.0 and onnx 1.23.2, seen with Python 3.11 on Linux x86_64, on the processor that qemu 7.2 calls Haswell.
#
# On processors with AVX2 but without VNNI (AVX-VNNI, AVX512-VNNI), onnxruntime adds products of uint8 and int8 codes in
# pairs by vpmaddubsw, which saturates at 16 bits: two products 255 * 127 become 32767, not 64770. Its documentation says
# that for uint8 activations. Of int8 activations between QuantizeLinear and DequantizeLinear (what its quantiser writes
# unless asked) the optimiser makes uint8 ones there, with another zero point, so that sums of int8 products are wrong as
# well: 64516 becomes 0. With weights from -64 to 64 (reduce_range), or without optimisations, they are right.
#
# Output seen (4 products of the largest codes, quantised again in steps of 4000):
#   uint8 times int8, MatMulInteger  exactly 129540.0  found 65534.0
#   uint8 times int8, QDQ            exactly 128000.0  found 64000.0
#   int8 times int8, QDQ             exactly 64000.0  found 0.0
#
# Exits 0 while that is so, 1 if it changed, 2 if there is neither such a processor nor qemu-x86_64 (Debian: qemu-user).
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -qq --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2
cd "$work"
cat > sums.py <<'PYTHON'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

node = helper.make_node


def run(kind, fused):
    top = np.iinfo(kind).max
    constants = {
        "s": np.float32(1), "z": kind(0), "w": np.full((4, 1), 127, np.int8), "wz": np.int8(0), "t": np.float32(4000),
    }
    nodes = [node("QuantizeLinear", ["x", "s", "z"], ["q"])]
    if fused:
        nodes += [node("MatMulInteger", ["q", "w", "z", "wz"], ["i"]), node("Cast", ["i"], ["y"], to=TensorProto.FLOAT)]
    else:
        nodes += [node("DequantizeLinear", ["q", "s", "z"], ["d"]), node("DequantizeLinear", ["w", "s", "wz"], ["v"])]
        nodes += [node("MatMul", ["d", "v"], ["h"]), node("QuantizeLinear", ["h", "t", "z"], ["k"])]
        nodes.append(node("DequantizeLinear", ["k", "t", "z"], ["y"]))
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1])],
        [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = float(session.run(None, {"x": np.full((1, 4), top, np.float32)})[0][0, 0])
    exact = float(int(top) * 127 * 4)
    return found, exact if fused else round(exact / 4000) * 4000.0


results = []
for name, kind, fused in (
    ("uint8 times int8, MatMulInteger", np.uint8, True), ("uint8 times int8, QDQ", np.uint8, False),
    ("int8 times int8, QDQ", np.int8, False),
):
    found, exact = run(kind, fused)
    print(f"{name:<31}  exactly {exact}  found {found}")
    results.append((exact, found))
sys.exit(results != [(129540, 65534), (128000, 64000), (64000, 0)])
PYTHON
if grep -q avx2 /proc/cpuinfo && ! grep -q vnni /proc/cpuinfo; then
    "$work/venv/bin/python" sums.py
elif command -v qemu-x86_64 > "$work/qemu"; then
    # qemu starts the interpreter itself; the packages of the environment are handed over by their path
    packages=$("$work/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    PYTHONPATH=$packages "$(cat "$work/qemu")" -cpu Haswell "$(readlink -f "$work/venv/bin/python")" sums.py 2> "$work/said"
else
    echo "needs a processor without VNNI, or qemu-x86_64" >&2
    exit 2
fi
