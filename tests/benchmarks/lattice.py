"""Two-level lattice networks: how long one takes to load, and how much memory.

``python tests/benchmarks/lattice.py [PIECES] [SEED]`` (default 64, 0) writes the network to a temporary file and loads
it in a process of its own. It computes the largest of as many minima as there are affine pieces on R^2, each minimum
over as many of them (Ferlez & Shoukry 2020): a map into R^PIECES, one into R^(PIECES^2) that repeats them, and then
trees of minima and maxima of two, each 4 ReLUs and a linear map. No ReLU stands between two of these linear maps, and
the matrices hold few numbers other than 0; the file holds every one of them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HALF = np.array([[0.5], [-0.5], [-0.5], [-0.5]], np.float32)  # min(a, b) from the ReLUs of these rows:
PAIR = np.array([[1, -1, 1, -1], [1, -1, -1, 1]], np.float32)  # a + b, -a - b, a - b, b - a


def lattice(pieces: int, seed: int = 0) -> onnx.ModelProto:
    """The network on R^2; ``pieces`` is a power of two."""
    random = np.random.default_rng(seed)
    nodes, constants, value = [], [], "x"

    def linear(matrix, bias):
        nonlocal value
        k = len(nodes)
        constants.append(numpy_helper.from_array(np.ascontiguousarray(matrix, np.float32), f"W{k}"))
        constants.append(numpy_helper.from_array(np.asarray(bias, np.float32), f"b{k}"))
        nodes.append(helper.make_node("MatMul", [value, f"W{k}"], [f"m{k}"]))
        nodes.append(helper.make_node("Add", [f"m{k}", f"b{k}"], [f"v{k}"]))
        value = f"v{k}"

    def halved(count, sign):
        """The minima (1) or maxima (-1) of neighbours."""
        nonlocal value
        while count > 1:
            count //= 2
            for block, relu in ((sign * PAIR, True), (sign * HALF, False)):
                high, wide = block.shape
                matrix = np.zeros((count * high, count * wide), np.float32)
                for k in range(count):
                    matrix[k * high : (k + 1) * high, k * wide : (k + 1) * wide] = block
                linear(matrix, np.zeros(count * wide))
                if relu:
                    nodes.append(helper.make_node("Relu", [value], [f"r{len(nodes)}"]))
                    value = nodes[-1].output[0]
            if count == pieces and sign > 0:
                return

    linear(random.normal(size=(2, pieces)), random.normal(size=pieces))
    chosen = np.concatenate([random.integers(0, pieces, pieces) for _ in range(pieces)])
    linear(np.eye(pieces, dtype=np.float32)[:, chosen], np.zeros(pieces * pieces))
    halved(pieces * pieces, 1)
    halved(pieces, -1)
    graph = helper.make_graph(
        nodes,
        "lattice",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor_value_info(value, TensorProto.FLOAT, [1, 1])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


LOADED = """
import re, sys, time
from pathlib import Path
from geomrelu import Network
start = time.process_time()
network = Network.from_file(sys.argv[1])
seconds = time.process_time() - start
peak = re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())  # ru_maxrss would count who has started it
print(f"{network}: {seconds:.1f} s of the processor, {int(peak[1]) >> 10} MB")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pieces", type=int, nargs="?", default=64)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lattice.onnx"
        path.write_bytes(lattice(chosen.pieces, chosen.seed).SerializeToString())
        print(f"{path.stat().st_size / 1e6:.0f} MB")
        subprocess.run([sys.executable, "-c", LOADED, path], check=True)


if __name__ == "__main__":
    main()
