"""Small ONNX models for the tests, and what onnxruntime says about a model.

Parameters are small multiples of 1/8, so that float32 arithmetic on them is exact and outputs can be compared with
``==``; where an operation divides, a tolerance stands beside the model.
"""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper


def node(operator, inputs, outputs="", **attributes):
    """``node("Add", "x b", "y")``: names separated by blanks, ``-`` for an input left out."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(operator, names, outputs.split(), **attributes)


def model(
    nodes, constants=(), shape=(1, 4), outputs="y", opset=17, kind=TensorProto.FLOAT, result=None, as_inputs=False
):
    """A model with the input ``x``; the constants are initializers."""
    arrays = {name: np.asarray(value) for name, value in dict(constants).items()}
    inputs = [helper.make_tensor_value_info("x", kind, list(shape))]
    if as_inputs:
        inputs = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
            for name, a in arrays.items()
        ] + inputs
    graph = helper.make_graph(
        nodes,
        "graph",
        inputs,
        [helper.make_tensor_value_info(name, result or kind, None) for name in outputs.split()],
        [numpy_helper.from_array(a, name) for name, a in arrays.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def eighths(rng, *shape, bound=16):
    return (rng.integers(-bound, bound + 1, size=shape) / 8).astype(np.float32)


def whole(*values):
    return np.array(values, dtype=np.int64)


def run(path, points):
    """The first output of onnxruntime at flat points, flat."""
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    given = next(i for i in session.get_inputs())
    kind = {"tensor(float)": np.float32, "tensor(double)": np.float64}[given.type]
    shape = [size if isinstance(size, int) else 1 for size in given.shape]
    return [
        session.run(None, {given.name: np.asarray(p, dtype=kind).reshape(shape)})[0].astype(np.float64).ravel()
        for p in points
    ]


def cases():
    """``(name, model, tolerance)``: each operator, in the forms that exporters write."""
    rng = np.random.default_rng(7)
    found = []

    def add(name, nodes, constants=(), shape=(1, 4), tolerance=0.0, **options):
        found.append((name, model(nodes, constants, shape, **options), tolerance))

    def dense(*shape):
        return eighths(rng, *shape)

    w, b = {"w": dense(4, 3)}, {"b": dense(3)}

    # ---- products
    add("matmul, add", [node("MatMul", "x w", "h"), node("Add", "h b", "z"), node("Relu", "z", "y")], w | b)
    add("add, bias first", [node("MatMul", "x w", "h"), node("Add", "b h", "z"), node("Relu", "z", "y")], w | b)
    add(
        "double",
        [node("MatMul", "x w", "h"), node("Relu", "h", "y")],
        {"w": dense(4, 3).astype(float)},
        kind=TensorProto.DOUBLE,
    )
    add(
        "initializers among the inputs",
        [node("MatMul", "x w", "h"), node("Relu", "h", "y")],
        w,
        as_inputs=True,
    )
    add("matmul of a vector", [node("MatMul", "x w", "h"), node("Relu", "h", "y")], w, shape=(4,))
    add("matmul to a number", [node("MatMul", "x v", "h"), node("Relu", "h", "y")], {"v": dense(4)}, shape=(4,))
    add(
        "matmul from the left, vector",
        [node("MatMul", "a x", "h"), node("Relu", "h", "y")],
        {"a": dense(3, 4)},
        shape=(4,),
    )
    add(
        "matmul from the left, matrix",
        [node("MatMul", "a x", "h"), node("Relu", "h", "y")],
        {"a": dense(3, 4)},
        shape=(1, 4, 2),
    )
    add(
        "matmul from the left, row",
        [node("MatMul", "a x", "h"), node("Relu", "h", "y")],
        {"a": dense(4)},
        shape=(1, 4, 2),
    )
    add(
        "matmul from the left, stack",
        [node("MatMul", "a x", "h"), node("Relu", "h", "y")],
        {"a": dense(3, 2, 4)},
        shape=(1, 4, 2),
    )
    add("matmul of rows", [node("MatMul", "x w", "h"), node("Relu", "h", "y")], w, shape=(1, 2, 4))
    add(
        "matmul of stacks",
        [node("MatMul", "x w", "h"), node("Relu", "h", "y")],
        {"w": dense(2, 4, 3)},
        shape=(1, 2, 5, 4),
    )
    for name, shapes, options in (
        ("plain", ((4, 3), (3,)), {}),
        ("transB", ((3, 4), (3,)), {"transB": 1}),
        ("scaled", ((3, 4), (1, 3)), {"transB": 1, "alpha": 0.5, "beta": -2.0}),
        ("number", ((4, 3), ()), {"beta": 4.0}),
        ("beta 0", ((4, 3), (3,)), {"beta": 0.0}),
    ):
        constants = {"w": dense(*shapes[0]), "c": dense(*shapes[1])}
        add(f"gemm, {name}", [node("Gemm", "x w c", "h", **options), node("Relu", "h", "y")], constants)
    add("gemm without C", [node("Gemm", "x w", "h"), node("Relu", "h", "y")], w)
    add(
        "gemm, transA",
        [node("Transpose", "x", "t"), node("Gemm", "t w b", "h", transA=1), node("Relu", "h", "y")],
        w | b,
    )
    add(
        "gemm, constant first",
        [node("Gemm", "a x c", "h", transB=1), node("Relu", "h", "y")],
        {"a": dense(3, 4), "c": dense(3, 1)},
    )
    add("gemm, C varies", [node("Gemm", "x w x", "h", beta=0.5), node("Relu", "h", "y")], {"w": dense(4, 4)})

    # ---- entry by entry
    add("sub of a constant", [node("Sub", "x b", "h"), node("Relu", "h", "y")], {"b": dense(1, 4)})
    add("constant minus", [node("Sub", "b x", "h"), node("Relu", "h", "y")], {"b": dense(4)})
    add(
        "mul and div",
        [node("Mul", "x b", "m"), node("Div", "m d", "h"), node("Relu", "h", "y")],
        {"b": dense(4), "d": np.float32(4)},
    )
    add("mul, factor first", [node("Mul", "b x", "h"), node("Relu", "h", "y")], {"b": dense(1, 4)})
    add(
        "mul by zero",
        [node("Mul", "b x", "h"), node("Add", "h c", "z"), node("Relu", "z", "y")],
        {"b": np.float32([0, 1, 0, 2]), "c": dense(4)},
    )
    add("neg", [node("Neg", "x", "h"), node("Relu", "h", "y")])
    add(
        "broadcast",
        [node("Add", "x b", "h"), node("Mul", "h c", "z"), node("Relu", "z", "y")],
        {"b": dense(1, 3, 1), "c": dense(2, 1, 1)},
        shape=(1, 1, 4),
    )
    add(
        "residual",
        [node("MatMul", "x w", "h"), node("Relu", "h", "r"), node("Add", "r x", "s"), node("Relu", "s", "y")],
        {"w": dense(4, 4)},
    )
    add(
        "skips of all kinds",
        [
            node("MatMul", "x w", "h"),
            node("Relu", "h", "r"),
            node("Sub", "x r", "d"),
            node("Sum", "r x d x", "s"),
            node("Relu", "s", "t"),
            node("Concat", "t x k r", "c", axis=1),
            node("MatMul", "c v", "z"),
            node("Relu", "z", "u"),
            node("Add", "u u", "y"),
        ],
        {"w": dense(4, 4), "k": dense(1, 2), "v": dense(14, 3)},
    )
    add(
        "one value, two activations",
        [node("Relu", "x", "p"), node("Neg", "x", "n"), node("Relu", "n", "q"), node("Sub", "p q", "y")],
    )

    # ---- images
    relu = node("Relu", "h", "y")
    image = (1, 2, 6, 5)
    for name, kernel, options in (
        ("plain", (3, 2, 3, 3), {}),
        ("strides", (3, 2, 3, 2), {"strides": [2, 1]}),
        ("pads", (3, 2, 3, 3), {"pads": [1, 0, 2, 1]}),
        ("dilations", (2, 2, 2, 3), {"dilations": [2, 2], "pads": [0, 1, 0, 1]}),
        ("groups", (4, 1, 3, 3), {"group": 2, "strides": [2, 2], "kernel_shape": [3, 3]}),
        ("same, upper", (2, 2, 2, 4), {"auto_pad": "SAME_UPPER", "strides": [2, 3]}),
        ("same, lower", (2, 2, 2, 4), {"auto_pad": "SAME_LOWER"}),
        ("valid", (2, 2, 2, 4), {"auto_pad": "VALID"}),
    ):
        add(
            f"conv, {name}",
            [node("Conv", "x k b", "h", **options), relu],
            {"k": dense(*kernel), "b": dense(kernel[0])},
            shape=image,
        )
    add(
        "conv, one dimension",
        [node("Conv", "x k", "h", strides=[2], pads=[1, 2], dilations=[2]), relu],
        {"k": dense(3, 2, 3)},
        shape=(1, 2, 9),
    )
    add(
        "conv after conv",
        [node("Conv", "x k b", "g", pads=[1, 1, 1, 1]), node("Conv", "g l", "h"), relu],
        {"k": dense(3, 2, 3, 3), "b": dense(3), "l": dense(2, 3, 2, 2)},
        shape=(1, 2, 4, 4),
    )
    statistics = {"s": dense(3), "t": dense(3), "m": dense(3), "v": np.float32([0.75, 3.75, 15.75])}
    add(
        "conv, batch normalisation",
        [node("Conv", "x k", "g"), node("BatchNormalization", "g s t m v", "h", epsilon=0.25), relu],
        statistics | {"k": dense(3, 2, 2, 2)},
        shape=image,
        tolerance=1e-5,
    )
    add(
        "irrational batch normalisation",
        [node("MatMul", "x w", "g"), node("BatchNormalization", "g s t m v", "h"), relu],
        statistics | w,
        tolerance=1e-5,
    )
    for name, options in (
        ("plain", {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("pads", {"kernel_shape": [3, 2], "pads": [1, 1, 1, 0]}),
        ("pads counted", {"kernel_shape": [3, 2], "pads": [1, 1, 1, 0], "count_include_pad": 1}),
        ("same", {"kernel_shape": [3, 2], "auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    ):
        add(f"average pool, {name}", [node("AveragePool", "x", "h", **options), relu], shape=image, tolerance=1e-6)
    add(
        "average pool, one dimension",
        [node("AveragePool", "x", "h", kernel_shape=[2], strides=[2]), relu],
        shape=(1, 2, 6),
    )
    add("global average pool", [node("GlobalAveragePool", "x", "h"), relu], shape=(1, 2, 2, 4))
    add(
        "mean, axes in an attribute", [node("ReduceMean", "x", "h", axes=[-1, 1], keepdims=0), relu], shape=(1, 2, 3, 4)
    )
    add(
        "mean, axes in an input",
        [node("ReduceMean", "x a", "h", keepdims=1), relu],
        {"a": whole(1)},
        shape=(1, 4, 3),
        opset=18,
    )
    add("sum, all axes", [node("ReduceSum", "x", "h", keepdims=0), relu], shape=(1, 2, 3))
    add("sum, no axes", [node("ReduceSum", "x a", "h", noop_with_empty_axes=1), relu], {"a": whole()}, shape=(1, 2, 3))

    # ---- rearrangements
    cube = (1, 2, 3, 4)
    for name, arranging, constants, options in (
        ("flatten", node("Flatten", "x", "h"), {}, {}),
        ("flatten, axis 2", node("Flatten", "x", "h", axis=2), {}, {}),
        ("flatten, axis -1", node("Flatten", "x", "h", axis=-1), {}, {}),
        ("reshape", node("Reshape", "x s", "h"), {"s": whole(0, -1, 2)}, {}),
        ("transpose", node("Transpose", "x", "h", perm=[0, 3, 1, 2]), {}, {}),
        ("transpose, all", node("Transpose", "x", "h"), {}, {}),
        ("squeeze", node("Squeeze", "x a", "h"), {"a": whole(0)}, {}),
        ("squeeze, attribute", node("Squeeze", "x", "h", axes=[0]), {}, {"opset": 11}),
        ("squeeze, all", node("Squeeze", "x", "h"), {}, {}),
        ("unsqueeze", node("Unsqueeze", "x a", "h"), {"a": whole(0, -1)}, {}),
        ("unsqueeze, attribute", node("Unsqueeze", "x", "h", axes=[2]), {}, {"opset": 11}),
        ("expand", node("Expand", "x s", "h"), {"s": whole(3, 1, 1, 1, 4)}, {}),
        ("gather", node("Gather", "x i", "h", axis=2), {"i": whole(2, -3, 2)}, {}),
        ("gather, one", node("Gather", "x i", "h", axis=-1), {"i": np.array(1)}, {}),
        (
            "slice",
            node("Slice", "x s e a t", "h"),
            {"s": whole(-1, 0), "e": whole(-(1 << 40), 9), "a": whole(3, 2), "t": whole(-2, 2)},
            {},
        ),
        ("slice, no axes", node("Slice", "x s e", "h"), {"s": whole(0, 1), "e": whole(1, 2)}, {}),
        ("slice, attributes", node("Slice", "x", "h", starts=[1], ends=[3], axes=[3]), {}, {"opset": 9}),
        ("pad", node("Pad", "x p", "h"), {"p": whole(0, 0, 1, 0, 0, 0, 0, 2)}, {}),
        ("pad, value", node("Pad", "x p v", "h"), {"p": whole(0, 1, 0, 0, 0, 0, 0, 2), "v": np.float32(0.5)}, {}),
        ("pad, reflect", node("Pad", "x p", "h", mode="reflect"), {"p": whole(0, 0, 1, 2, 0, 0, 1, 0)}, {}),
        ("pad, edge", node("Pad", "x p", "h", mode="edge"), {"p": whole(0, 0, 1, 2, 0, 0, 1, 0)}, {}),
        ("pad, axes", node("Pad", "x p - a", "h"), {"p": whole(1, 0), "a": whole(-1)}, {"opset": 18}),
        ("pad, attribute", node("Pad", "x", "h", pads=[0, 0, 1, 0, 0, 0, 0, 2], value=0.25), {}, {"opset": 9}),
        ("identity", node("Identity", "x", "h"), {}, {}),
        ("dropout", node("Dropout", "x", "h"), {}, {}),
    ):
        add(
            name,
            [arranging, node("Mul", "h two", "z"), node("Relu", "z", "y")],
            constants | {"two": np.float32(2)},
            shape=cube,
            **options,
        )
    add("split", [node("Split", "x s", "p q", axis=1), node("Sub", "p q", "h"), relu], {"s": whole(2, 2)})
    add("split, equal", [node("Split", "x", "p q", axis=-1), node("Sub", "p q", "h"), relu])
    add(
        "split, uneven",
        [node("Split", "x", "p q", axis=1, num_outputs=2), node("Concat", "q p", "h", axis=1), relu],
        shape=(1, 5),
        opset=18,
    )
    add("split, attribute", [node("Split", "x", "p q", axis=1, split=[1, 3]), node("Add", "p q", "h"), relu], opset=11)
    add(
        "cast to more digits",
        [node("Cast", "x", "d", to=TensorProto.DOUBLE), node("Mul", "d c", "h"), relu],
        {"c": np.float64([1, 2, 3, 4])},
        result=TensorProto.DOUBLE,
    )

    # ---- arithmetic of shapes and constants
    add(
        "flatten as PyTorch writes it",
        [
            node("Relu", "x", "r"),
            node("Shape", "r", "s"),
            node("Constant", "", "zero", value=numpy_helper.from_array(np.array(0))),
            node("Gather", "s zero", "n", axis=0),
            node("Unsqueeze", "n a", "n1"),
            node("Concat", "n1 minus", "shape", axis=0),
            node("Reshape", "r shape", "f"),
            node("MatMul", "f w", "h"),
            relu,
        ],
        {"a": whole(0), "minus": whole(-1), "w": dense(6, 3)},
        shape=(1, 2, 3),
    )
    add(
        "integers",
        [
            node("Shape", "x", "s"),
            node("Slice", "s one three", "t"),
            node("Constant", "", "two", value_ints=[2, -2]),
            node("Div", "minus two", "q"),
            node("Mul", "t two", "u"),
            node("Add", "u q", "v"),
            node("Sub", "v q", "w"),
            node("Neg", "w", "n"),
            node("Cast", "n", "i", to=TensorProto.INT32),
            node("Cast", "i", "j", to=TensorProto.INT64),
            node("Squeeze", "j", "k"),
            node("Div", "k two", "m"),
            node("Neg", "m", "l"),
            node("Reshape", "x l", "h"),
            relu,
        ],
        {"one": whole(1), "three": whole(3), "minus": whole(-7, -7)},
        shape=(1, 2, 3),
    )
    add(
        "constant of shape",
        [
            node("ConstantOfShape", "s", "c", value=helper.make_tensor("v", TensorProto.FLOAT, [1], [0.5])),
            node("Add", "x c", "h"),
            relu,
        ],
        {"s": whole(1, 4)},
    )
    add(
        "folded floats",
        [
            node("Constant", "", "c", value_float=0.5),
            node("Constant", "", "d", value_floats=[1.0, 2.0, 4.0, 8.0]),
            node("Mul", "c d", "e"),
            node("Div", "e d", "f"),
            node("Sub", "f e", "g"),
            node("Neg", "g", "k"),
            node("Mul", "x k", "h"),
            relu,
        ],
    )

    # ---- what the graph holds besides
    add(
        "dead branch",
        [
            node("Softmax", "x", "unused"),
            node("Relu", "x", "also_unused"),
            node("MatMul", "x w", "h"),
            relu,
            node("Sigmoid", "y", "z"),
        ],
        w,
        outputs="y z",
    )
    add("no batch", [node("MatMul", "x w", "h"), node("Relu", "h", "y")], w, shape=("batch", 4))
    return found
