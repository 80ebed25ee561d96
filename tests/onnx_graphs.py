"""Random ONNX graphs of all operators that are read, and what onnxruntime says about their tensors."""

from __future__ import annotations

import random

import numpy as np
import onnx
import pytest
from graphs import eighths, node, whole
from onnx import TensorProto, helper, numpy_helper


class Random:
    """A graph that grows node by node; each step appends nodes and says the shape of its result."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.numpy = np.random.default_rng(seed)
        self.nodes, self.constants, self.opset, self.count = [], {}, self.rng.choice((13, 17, 18, 20)), 0
        self.most = 400  # entries of a tensor

    def name(self, prefix="t"):
        self.count += 1
        return f"{prefix}{self.count}"

    def constant(self, array):
        name = self.name("c")
        self.constants[name] = np.asarray(array)
        return name

    def weights(self, *shape):
        return self.constant(eighths(self.numpy, *shape, bound=10))

    def add(self, operator, inputs, **attributes):
        out = self.name()
        domain = attributes.pop("domain", "")
        made = node(operator, inputs, out, **attributes)
        made.domain = domain
        self.nodes.append(made)
        return out

    # ---- steps: (name, shape) -> (name, shape)

    def matmul(self, x, shape):
        k = self.rng.randint(1, 5)
        return self.add("MatMul", f"{x} {self.weights(shape[-1], k)}"), (*shape[:-1], k)

    def gemm(self, x, shape):
        if len(shape) != 2:
            return None
        k, turned = self.rng.randint(1, 5), self.rng.random() < 0.5
        w = self.weights(*((k, shape[1]) if turned else (shape[1], k)))
        c = f" {self.weights(k)}" if self.rng.random() < 0.7 else ""
        return self.add("Gemm", f"{x} {w}{c}", transB=int(turned), alpha=0.5), (shape[0], k)

    def add_constant(self, x, shape):
        part = tuple(s if self.rng.random() < 0.6 else 1 for s in shape[1:])
        operator = self.rng.choice(("Add", "Sub", "Mul"))
        pair = [x, self.weights(*part)]
        self.rng.shuffle(pair)
        return self.add(operator, " ".join(pair)), shape

    def divide(self, x, shape):
        return self.add("Div", f"{x} {self.constant(np.float32(self.rng.choice((0.5, 2, -4))))}"), shape

    def relu(self, x, shape):
        return self.add("Relu", x), shape

    def leaky(self, x, shape):
        if self.rng.random() < 0.5:
            return self.add("LeakyRelu", x, **({"alpha": 0.25} if self.rng.random() < 0.5 else {})), shape
        return self.add("PRelu", f"{x} {self.weights(*((shape[1],) + (1,) * (len(shape) - 2)))}"), shape

    def clip(self, x, shape):
        low = self.constant(np.float32(self.rng.choice((0, -1, 0.5)))) if self.rng.random() < 0.7 else "-"
        high = self.constant(np.float32(self.rng.choice((1, 6)))) if self.rng.random() < 0.7 else ""
        return self.add("Clip", f"{x} {low} {high}".strip()), shape

    def absolute(self, x, shape):
        return self.add("Abs", x), shape

    def hard(self, x, shape):
        return self.add("HardSigmoid", x, alpha=0.25, beta=0.5), shape

    def extreme(self, x, shape):
        other = self.weights(*shape[1:]) if self.rng.random() < 0.5 else self.add("Neg", x)
        third = f" {self.constant(np.float32(0))}" if self.rng.random() < 0.3 else ""
        return self.add(self.rng.choice(("Max", "Min", "Sum", "Mean")), f"{x} {other}{third}"), shape

    def where(self, x, shape):
        if self.rng.random() < 0.3:
            flags = self.constant(self.numpy.random(shape[1:]) < 0.5)
            return self.add("Where", f"{flags} {x} {self.weights(*shape[1:])}"), shape
        zero = self.constant(np.float32(0))
        test = self.add(self.rng.choice(("Greater", "GreaterOrEqual", "Less")), f"{x} {zero}")
        if self.rng.random() < 0.3:
            test = self.add("Not", test)
        if self.rng.random() < 0.3:
            mask = self.add("Cast", test, to=TensorProto.FLOAT)
            return self.add("Mul", f"{x} {mask}"), shape
        slope = self.constant(np.float32(0.25))
        lower = zero if self.rng.random() < 0.5 else self.add("Mul", f"{x} {slope}")
        return self.add("Where", f"{test} {x} {lower}"), shape

    def convolve(self, x, shape):
        axes = len(shape) - 2
        if axes < 1:
            return None
        groups = self.rng.choice([g for g in (1, 1, shape[1]) if g <= 3])
        out = groups * self.rng.randint(1, 2)
        kernel = [self.rng.randint(1, min(3, s)) for s in shape[2:]]
        strides, dilations = [self.rng.randint(1, 2) for _ in kernel], [1] * axes
        pads = [self.rng.randint(0, 1) for _ in range(2 * axes)]
        size = [(s + pads[k] + pads[axes + k] - kernel[k]) // strides[k] + 1 for k, s in enumerate(shape[2:])]
        k = self.weights(out, shape[1] // groups, *kernel)
        b = f" {self.weights(out)}" if self.rng.random() < 0.5 else ""
        more = {"strides": strides, "pads": pads, "dilations": dilations, "group": groups}
        return self.add("Conv", f"{x} {k}{b}", **more), (shape[0], out, *size)

    def transpose_convolve(self, x, shape):
        axes = len(shape) - 2
        if axes not in (1, 2):
            return None
        groups = self.rng.choice([g for g in (1, shape[1]) if g <= 3])
        per = self.rng.randint(1, 2)
        kernel, strides = [self.rng.randint(1, 3) for _ in range(axes)], [self.rng.randint(1, 2) for _ in range(axes)]
        dilations = [self.rng.randint(1, 2) for _ in range(axes)]
        more = [self.rng.randint(0, t - 1) for t in strides]
        pads = [self.rng.randint(0, (k - 1) * d // 2) for _ in range(2) for k, d in zip(kernel, dilations, strict=True)]
        size = [
            t * (s - 1) + m + (k - 1) * d + 1 - pads[a] - pads[axes + a]
            for a, (t, s, m, k, d) in enumerate(zip(strides, shape[2:], more, kernel, dilations, strict=True))
        ]
        if min(size) < 1:
            return None
        w = self.weights(shape[1], per, *kernel)
        attributes = {"strides": strides, "pads": pads, "dilations": dilations, "output_padding": more}
        out = self.add("ConvTranspose", f"{x} {w}", group=groups, **attributes)
        return out, (shape[0], per * groups, *size)

    def pool(self, x, shape):
        axes = len(shape) - 2
        if axes < 1 or (axes > 2):
            return None
        kernel = [self.rng.randint(1, min(3, s)) for s in shape[2:]]
        strides = [self.rng.randint(1, 2) for _ in kernel]
        pads = [self.rng.randint(0, k // 2) for _ in range(2) for k in kernel]
        more = {"kernel_shape": kernel, "strides": strides, "pads": pads}
        largest = self.rng.random() < 0.4
        if self.rng.random() < 0.3:
            more["ceil_mode"] = 1
        if not largest and self.rng.random() < 0.5:
            more["count_include_pad"] = 1
        return self.add("MaxPool" if largest else "AveragePool", x, **more), None

    def global_pool(self, x, shape):
        if len(shape) < 3:
            return None
        return self.add(self.rng.choice(("GlobalAveragePool", "GlobalMaxPool")), x), (
            *shape[:2],
            *(1,) * (len(shape) - 2),
        )

    def reduce(self, x, shape):
        axis, keep = self.rng.randint(1, len(shape) - 1), int(self.rng.random() < 0.6 or len(shape) == 2)
        operator = self.rng.choice(("ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum"))
        if operator == "ReduceSum" or self.opset >= 18:
            out = self.add(operator, f"{x} {self.constant(whole(axis))}", keepdims=keep)
        else:
            out = self.add(operator, x, axes=[axis], keepdims=keep)
        return out, None

    def normalise(self, x, shape):
        c = shape[1]
        names = [self.weights(c) for _ in range(3)] + [self.constant(np.float32([0.75, 3.75, 15.75] * c)[:c])]
        return self.add("BatchNormalization", " ".join([x, *names]), epsilon=0.25), shape

    def arrange(self, x, shape):
        axes = list(range(1, len(shape)))
        self.rng.shuffle(axes)
        return self.add("Transpose", x, perm=[0, *axes]), (1, *(shape[a] for a in axes))

    def flatten(self, x, shape):
        size = int(np.prod(shape))
        if self.rng.random() < 0.5:
            return self.add("Flatten", x), (1, size)
        return self.add("Reshape", f"{x} {self.constant(whole(0 if self.rng.random() < 0.5 else 1, -1))}"), (1, size)

    def reshape(self, x, shape):
        size = int(np.prod(shape))
        parts = [d for d in range(1, size + 1) if size % d == 0]
        a = self.rng.choice(parts)
        return self.add("Reshape", f"{x} {self.constant(whole(1, a, size // a))}"), (1, a, size // a)

    def image(self, x, shape):
        size = int(np.prod(shape))
        c = self.rng.choice([d for d in (1, 2, 3) if size % d == 0])
        h = self.rng.choice([d for d in range(1, size // c + 1) if (size // c) % d == 0])
        return self.add("Reshape", f"{x} {self.constant(whole(1, c, h, size // c // h))}"), (1, c, h, size // c // h)

    def gather(self, x, shape):
        axis = self.rng.randint(1, len(shape) - 1)
        chosen = self.numpy.integers(-shape[axis], shape[axis], size=self.rng.randint(1, 4))
        return self.add("Gather", f"{x} {self.constant(chosen)}", axis=axis), None

    def gather_more(self, x, shape):
        if self.rng.random() < 0.5:
            chosen = self.numpy.integers(0, shape[1], size=(1, self.rng.randint(1, 4), *shape[2:]))
            return self.add("GatherElements", f"{x} {self.constant(chosen)}", axis=1), None
        chosen = self.numpy.integers(0, shape[1], size=(1, self.rng.randint(1, 4), 1))
        return self.add("GatherND", f"{x} {self.constant(chosen)}", batch_dims=1), None

    def scatter(self, x, shape):
        chosen = np.array([[0, i] for i in self.rng.sample(range(shape[1]), self.rng.randint(1, shape[1]))])
        updates = self.weights(len(chosen), *shape[2:])
        return self.add("ScatterND", f"{x} {self.constant(chosen)} {updates}"), shape

    def slice(self, x, shape):
        axis = self.rng.randint(1, len(shape) - 1)
        start = self.rng.randint(0, shape[axis] - 1)
        if self.rng.random() < 0.3:
            parts = [whole(-1), whole(-(1 << 40)), whole(axis), whole(-1)]
        else:
            parts = [whole(start), whole(start + self.rng.randint(1, 9)), whole(axis), whole(self.rng.randint(1, 2))]
        return self.add("Slice", " ".join([x, *map(self.constant, parts)])), None

    def split(self, x, shape):
        axis = self.rng.randint(1, len(shape) - 1)
        if shape[axis] < 2:
            return None
        k = self.rng.randint(1, shape[axis] - 1)
        a, b = self.name(), self.name()
        sizes = self.constant(whole(k, shape[axis] - k))
        self.nodes.append(node("Split", f"{x} {sizes}", f"{a} {b}", axis=axis))
        return self.add("Concat", f"{b} {a} {b}", axis=axis), None

    def pad(self, x, shape):
        axes = len(shape)
        mode = self.rng.choice(("constant", "constant", "edge", "reflect"))
        most = [min(2, s - 1) if mode == "reflect" else 2 for s in shape]
        pads = [0] * (2 * axes)
        for k in range(1, axes):
            pads[k], pads[axes + k] = self.rng.randint(0, most[k]), self.rng.randint(0, most[k])
        value = f" {self.constant(np.float32(0.5))}" if mode == "constant" and self.rng.random() < 0.5 else ""
        return self.add("Pad", f"{x} {self.constant(whole(*pads))}{value}", mode=mode), None

    def tile(self, x, shape):
        repeats = [1, *(self.rng.randint(1, 2) for _ in shape[1:])]
        return self.add("Tile", f"{x} {self.constant(whole(*repeats))}"), None

    def blocks(self, x, shape):
        if len(shape) != 4:
            return None
        if shape[1] % 4 == 0:
            return self.add("DepthToSpace", x, blocksize=2, mode=self.rng.choice(("DCR", "CRD"))), None
        if shape[2] % 2 == shape[3] % 2 == 0:
            return self.add("SpaceToDepth", x, blocksize=2), None
        return None

    def resize(self, x, shape):
        if len(shape) != 4:
            return None
        mode = self.rng.choice(("nearest", "linear", "cubic"))
        places = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")
        more = {"mode": mode, "coordinate_transformation_mode": self.rng.choice(places)}
        if mode == "nearest":
            more["nearest_mode"] = self.rng.choice(("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"))
        if self.rng.random() < 0.5:
            by = [self.rng.choice((1, 2, 1.5, 0.75)), self.rng.choice((1, 2, 1.25))]
            by = [b if int(b * s) not in (s, 0) else 1 for b, s in zip(by, shape[2:], strict=True)]
            # onnxruntime copies its input where the shape stays, whatever the scale; the standard does not
            if more["coordinate_transformation_mode"] == "align_corners":  # what a part of an entry is, is not settled
                by = [b if b * s == int(b * s) else 1 for b, s in zip(by, shape[2:], strict=True)]
            return self.add("Resize", f"{x} - {self.constant(np.float32([1, 1, *by]))}", **more), None
        sizes = self.constant(whole(*shape[:2], self.rng.randint(1, 7), self.rng.randint(1, 7)))
        return self.add("Resize", f"{x} - - {sizes}", **more), None

    def einsum(self, x, shape):
        letters = "abcdefg"[: len(shape)]
        k = self.rng.randint(1, 4)
        kept = letters[:-1]
        form = (
            f"{letters},{letters[-1]}z->{kept}z"
            if self.rng.random() < 0.5
            else f"...{letters[-1]},{letters[-1]}z->...z"
        )
        return self.add("Einsum", f"{x} {self.weights(shape[-1], k)}", equation=form), (*shape[:-1], k)

    def cumulate(self, x, shape):
        axis = self.rng.randint(1, len(shape) - 1)
        more = {"exclusive": self.rng.randint(0, 1), "reverse": self.rng.randint(0, 1)}
        return self.add("CumSum", f"{x} {self.constant(np.array(axis))}", **more), shape

    def fold(self, x, shape):
        a = self.add("MatMul", f"{self.weights(1, 3)} {self.weights(3, shape[-1])}")
        b = self.add(self.rng.choice(("Relu", "Abs", "Exp", "Tanh", "Identity", "Neg")), a)
        return self.add("Add", f"{x} {b}"), None

    def dequantise(self, x, shape):
        k = self.rng.randint(1, 4)
        q = self.constant(self.numpy.integers(-9, 10, size=(shape[-1], k)).astype(np.int8))
        scale = self.constant(np.abs(eighths(self.numpy, k)) + np.float32(0.125))
        zero = self.constant(self.numpy.integers(-3, 4, size=k).astype(np.int8))
        w = self.add("DequantizeLinear", f"{q} {scale} {zero}", axis=1)
        return self.add("MatMul", f"{x} {w}"), (*shape[:-1], k)

    def residual(self, x, shape):
        a = self.add("Relu", x)
        b = self.add("Mul", f"{a} {self.weights(*shape[1:])}")
        return self.add(self.rng.choice(("Add", "Sub")), f"{b} {x}"), shape

    def fused(self, x, shape):
        if len(shape) != 2:
            return None
        k = self.rng.randint(1, 5)
        kind = self.rng.choice(({"activation": "Relu"}, {"activation": "LeakyRelu", "activation_alpha": 0.25}))
        w, b = self.weights(shape[1], k), self.weights(k)
        return self.add("FusedGemm", f"{x} {w} {b}", domain="com.microsoft", **kind), (shape[0], k)

    STEPS = (
        "matmul", "matmul", "gemm", "gemm", "add_constant", "add_constant", "divide", "relu", "relu", "relu",
        "leaky", "clip", "absolute", "hard", "extreme", "where", "convolve", "convolve", "convolve",
        "transpose_convolve", "pool", "pool", "global_pool", "reduce", "normalise", "arrange", "flatten", "reshape",
        "image", "image", "gather", "gather_more", "scatter", "slice", "split", "pad", "tile", "blocks", "resize",
        "resize", "einsum", "cumulate", "fold", "dequantise", "residual", "fused",
    )  # fmt: skip

    def model(self, steps=8):
        """A model with inputs x (one, or two that are joined) and one or two outputs."""
        shape = self.rng.choice(((1, 4), (1, 6), (1, 2, 5), (1, 2, 4, 4), (1, 1, 5, 6), (1, 3, 3, 4), (1, 2, 3, 2, 2)))
        given, x = shape, "x"
        previous = x
        for _ in range(steps):
            before = len(self.nodes), dict(self.constants)
            found = getattr(self, self.rng.choice(self.STEPS))(x, shape)
            if found is not None:
                name, size = found
                inferred = shape_of(self, given, name)  # None also where onnxruntime contradicts itself
                assert size is None or inferred in (None, tuple(size)), (size, inferred)
                size = inferred
                if size is not None and 0 < np.prod(size) <= self.most and size[0] == 1 and len(size) > 1:
                    previous, x, shape = x, name, tuple(size)
                    continue
            del self.nodes[before[0] :]
            self.constants = before[1]
        r = self.add("Relu", x)
        outputs = [r] if previous == "x" or self.rng.random() < 0.6 else [r, self.add("Neg", previous)]
        return self.finished(given, outputs)

    def finished(self, shape, outputs):
        graph = helper.make_graph(
            self.nodes,
            "graph",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
            [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs],
            [numpy_helper.from_array(a, name) for name, a in self.constants.items()],
        )
        opsets = [helper.make_opsetid("", self.opset), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def shape_of(graph, given, name):
    """The shape onnxruntime gives a tensor, None if it refuses the graph."""
    try:
        return evaluate(graph.finished(given, [name]), np.zeros(given, np.float32))[name].shape
    except Exception:
        return None


def runs(model, x):
    """Does onnxruntime run the model?"""
    try:
        evaluate(model, x)
    except Exception:
        return False
    return True


def evaluate(model, x, more=()):
    """The tensors of a model at an input, by onnxruntime without its optimisations."""
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    changed = onnx.ModelProto.FromString(model.SerializeToString())
    names = {o.name for o in changed.graph.output}
    changed.graph.output.extend(
        helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in dict.fromkeys(more) if n not in names
    )
    session = onnxruntime.InferenceSession(changed.SerializeToString(), options, providers=["CPUExecutionProvider"])
    outputs = [o.name for o in session.get_outputs()]
    given = x if isinstance(x, dict) else {session.get_inputs()[0].name: x}
    return dict(zip(outputs, session.run(outputs, given), strict=True))
