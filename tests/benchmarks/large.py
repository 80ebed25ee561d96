"""Networks with millions of weights: ``python tests/benchmarks/large.py [NAME ...] [--seconds 60] [--tree DIR]``. Their
weights are random.

- residual: on 3 x 32 x 32 pixels, convolutions to 16 channels and two more with a skip around them (4.8 million weights
  when they are written out, 49,152 neurons);
- dense: 3072-1024-1024-10 (4.2 million);
- deep: eight blocks like the first one, with 64 channels (300 million: only the first layers are read).

Each is decided on the box [0, 1]^n, and printed as by ``whole.py``.
"""

from __future__ import annotations

import argparse
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
from budgets import DOMAINS
from onnx import TensorProto, helper, numpy_helper
from whole import HEAD, run


class Graph:
    """An ONNX graph from its input on; weights are normal, scaled as He et al. do."""

    def __init__(self, *shape: int) -> None:
        self.shape, self.random = (1, *shape), np.random.default_rng(0)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def normal(self, *shape: int) -> str:
        values = self.random.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:]))
        self.constants.append(numpy_helper.from_array(values.astype(np.float32), f"w{len(self.constants)}"))
        return self.constants[-1].name

    def convolution(self, value: str, channels: int, read: int) -> str:
        return self.add("Conv", value, self.normal(channels, read, 3, 3), pads=[1, 1, 1, 1])

    def save(self, path: Path, output: str) -> None:
        given = helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)
        found = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, "large", [given], [found], self.constants)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def residual(path: Path, channels: int, blocks: int) -> None:
    graph = Graph(3, 32, 32)
    value = graph.add("Relu", graph.convolution("x", channels, 3))
    for _ in range(blocks):
        inner = graph.add("Relu", graph.convolution(value, channels, channels))
        value = graph.add("Relu", graph.add("Add", graph.convolution(inner, channels, channels), value))
    graph.save(path, value)


def dense(path: Path, *widths: int) -> None:
    graph, value = Graph(widths[0]), "x"
    for read, width in pairwise(widths):
        read_from = value if value == "x" else graph.add("Relu", value)
        value = graph.add("Gemm", read_from, graph.normal(width, read), transB=1)
    graph.save(path, value)


MAKERS = {
    "residual": lambda path: residual(path, 16, 1),
    "dense": lambda path: dense(path, 3072, 1024, 1024, 10),
    "deep": lambda path: residual(path, 64, 8),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(MAKERS))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--tree", type=Path, default=Path(__file__).parents[2])
    options = parser.parse_args()
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in options.names:
            MAKERS[name](Path(folder) / f"{name}.onnx")
            DOMAINS[name] = "box:0,1"
            print(run(Path(folder), name, options.seconds, options.tree.resolve()), flush=True)


if __name__ == "__main__":
    main()
