"""Small quantised models for tests: random networks in ONNX, quantised by onnxruntime on random data."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


@dataclass(frozen=True)
class How:
    """How onnxruntime is asked to quantise."""

    qdq: bool = True
    signed: bool = True
    per_channel: bool = False
    symmetric: bool = False


ALL = [How(q, s, p, y) for q in (True, False) for s in (True, False) for p in (False, True) for y in (False, True)]


def dense(rng, sizes, shift=0.3):
    """Gemm and Relu in turn; biases lower than they would be, so that neurons die."""
    nodes, arrays, at = [], {}, "x"
    for k, (n, m) in enumerate(pairwise(sizes)):
        arrays[f"w{k}"] = (rng.normal(size=(n, m)) / np.sqrt(n)).astype(np.float32)
        arrays[f"b{k}"] = (rng.normal(size=m) * 0.3 - shift).astype(np.float32)
        nodes.append(helper.make_node("Gemm", [at, f"w{k}", f"b{k}"], [f"z{k}"], name=f"g{k}"))
        at = f"z{k}"
        if k < len(sizes) - 2:
            nodes.append(helper.make_node("Relu", [at], [f"r{k}"]))
            at = f"r{k}"
    return model(nodes, arrays, ["N", sizes[0]], at)


def convolutional(rng, channels=3, pooled=True, residual=False):
    """One image of 1 x 2 x 2: convolution, ReLU, (maxima,) convolution, ReLU, sums."""
    arrays = {
        "k": rng.normal(size=(channels, 1, 2, 2)).astype(np.float32),
        "c": (rng.normal(size=channels) * 0.3 - 0.5).astype(np.float32),
        "l": rng.normal(size=(channels, channels, 1, 1)).astype(np.float32),
        "d": (rng.normal(size=channels) * 0.3 - 0.3).astype(np.float32),
        "w": rng.normal(size=(channels * (1 if pooled else 4), 2)).astype(np.float32),
        "b": np.zeros(2, np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "k", "c"], ["z0"], pads=[0, 0, 1, 1]),
        helper.make_node("Relu", ["z0"], ["r0"]),
        helper.make_node("Conv", ["r0", "l", "d"], ["z1"]),
        *([helper.make_node("Add", ["z1", "r0"], ["s1"])] if residual else []),
        helper.make_node("Relu", ["s1" if residual else "z1"], ["r1"]),
        *([helper.make_node("MaxPool", ["r1"], ["p"], kernel_shape=[2, 2])] if pooled else []),
        helper.make_node("Flatten", ["p" if pooled else "r1"], ["f"]),
        helper.make_node("Gemm", ["f", "w", "b"], ["y"]),
    ]
    return model(nodes, arrays, ["N", 1, 2, 2], "y")


def model(nodes, arrays, shape, output):
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(v, name) for name, v in arrays.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def quantise(float_model, path, how, data, **more):
    """Write the model as onnxruntime quantises it, calibrated on an array of inputs x, or on dictionaries of them."""
    from onnxruntime import quantization as q

    class Reader(q.CalibrationDataReader):
        def __init__(self):
            self.rows = iter(data if isinstance(data, list) else [{"x": data.astype(np.float32)}])

        def get_next(self):
            return next(self.rows, None)

    plain = path.with_name("float-" + path.name)
    onnx.save(float_model, plain)
    logging.disable(logging.WARNING)  # it advises to pre-process
    try:
        q.quantize_static(
            str(plain), str(path), Reader(),
            quant_format=q.QuantFormat.QDQ if how.qdq else q.QuantFormat.QOperator,
            activation_type=q.QuantType.QInt8 if how.signed else q.QuantType.QUInt8,
            weight_type=q.QuantType.QInt8,
            per_channel=how.per_channel,
            extra_options={"ActivationSymmetric": how.symmetric}, **more,
        )  # fmt: skip
    finally:
        logging.disable(logging.NOTSET)
    return path


def outputs_of(path, x, names=(), optimised=True):
    """What onnxruntime computes: the model's output, and the named tensors inside, for each row of x."""
    import onnxruntime

    proto = onnx.load(path)
    known = {o.name for o in proto.graph.output}
    proto.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in known)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    first = [o.name for o in proto.graph.output][:1]
    return session.run([*first, *names], {session.get_inputs()[0].name: x.astype(np.float32)})
