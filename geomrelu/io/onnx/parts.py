"""A part of a model: from tensors inside its graph on, and with inputs that are given.

Networks whose ReLU layers come after what is not piecewise linear (a spectrogram, an embedding, a layer norm) are read
from the tensor on where those layers begin. It is then an input of the network like any other; that its values have a
history is no longer known.
"""

from __future__ import annotations

import difflib
import importlib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.io.files import one_line
from geomrelu.io.onnx.model import read_by
from geomrelu.io.onnx.protobuf import FLOATS, INTEGERS
from geomrelu.io.tensors import sized

__all__ = ["Shapes", "part_of", "shapes_of"]

Shapes = dict[str, tuple[int, ...]]
"""Of inputs, by name."""

_SHAPE_ONLY = frozenset({"Shape", "Size"})  # operators that read no numbers
_INFERRED = 1 << 31  # bytes: what protobuf can write


def shapes_of(model: Any, shape: Sequence[int] | Mapping[str, Sequence[int]] | None, start: Sequence[str]) -> Shapes:
    """Whose shape was given: a single one is that of the only input that the file leaves open, or of the only start.

    Raises:
        InputError: it is not clear, or there is no such tensor.
    """
    if shape is None:
        return {}
    known = _inputs(model)
    if isinstance(shape, Mapping):
        for name in shape:
            if name not in known and name not in start:
                raise InputError(f"there is no input {name[:80]!r} whose shape could be given{_meant(name, known)}")
        return {name: tuple(int(s) for s in sizes) for name, sizes in shape.items()}
    sizes = tuple(int(s) for s in shape)
    open_ = [name for name, given in known.items() if _sizes(given) is None] or list(known)
    fitting = [name for name in open_ if _fits(known[name], sizes)]
    if start and not fitting:
        open_ = list(start)
    if not open_:
        return {}
    if len(open_) > 1:
        names = ", ".join(repr(name[:40]) for name in open_[:4])
        raise InputError(f"the shapes of inputs {names} are open: say whose shape {list(sizes)} is, as NAME=N,N,...")
    return {open_[0] if fitting or not start else start[0]: sizes}


def part_of(model: Any, start: Sequence[str], values: Mapping[str, Sequence[Any]], shapes: Mapping[str, Any]) -> Any:
    """The model that begins at some tensors, or some of whose inputs are constants.

    Args:
        start: tensors of the graph, which become inputs, in this order. Other inputs stay if an output depends on them.
        values: of inputs: one number, or all of them in the order of the array.
        shapes: of inputs and of tensors at the start, as far as they are given.

    Raises:
        InputError: no such tensor; sizes or a type that the file does not say.
    """
    part = type(model)()
    part.CopyFrom(model)
    _fix(part, values, shapes)
    if start:
        _cut(part, _ports(part, start, shapes), shapes)
    for name, given in _inputs(part).items():
        if name in shapes and _fits(given, shapes[name]):  # else it is refused where it is read
            _give(given, shapes[name])
    return part


def _inputs(model: Any) -> dict[str, Any]:
    constants = {t.name for t in model.graph.initializer}
    return {i.name: i for i in model.graph.input if i.name not in constants}


def _sizes(given: Any) -> tuple[int, ...] | None:
    """The shape of an input or tensor, if all of it is known."""
    kind = given.type.tensor_type
    if not kind.HasField("shape") or any(d.dim_value < 1 for d in kind.shape.dim):
        return None
    return tuple(d.dim_value for d in kind.shape.dim)


def _fits(given: Any, sizes: tuple[int, ...]) -> bool:
    kind = given.type.tensor_type
    dims = [d.dim_value for d in kind.shape.dim]
    return not kind.HasField("shape") or (
        len(dims) == len(sizes) and all(d < 1 or d == s for d, s in zip(dims, sizes, strict=True))
    )


def _meant(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 3, 0.5)
    return f" (there is {', '.join(repr(n[:200]) for n in near)})" if near else ""


# ---- inputs that are given ----------------------------------------------------------------------------------------


def _fix(model: Any, values: Mapping[str, Sequence[Any]], shapes: Mapping[str, Any]) -> None:
    numpy_helper: Any = importlib.import_module("onnx.numpy_helper")
    known = {i.name: i for i in model.graph.input}
    for name, numbers in values.items():
        if name not in known:
            raise InputError(f"there is no input {name[:80]!r} that could be given{_meant(name, known)}")
        kind = known[name].type.tensor_type.elem_type
        dtype = {1: "float32", 10: "float16", 11: "float64", 9: "bool"}.get(kind) or INTEGERS.get(kind)
        sizes = shapes.get(name) or _sizes(known[name])
        if dtype is None:
            raise InputError(f"input {name[:80]!r}: values of its element type cannot be given")
        if sizes is None:
            raise InputError(f"input {name[:80]!r}: its shape is open: give it, too")
        sized(math.prod(sizes), f"input {name[:80]!r}")
        found = _array(list(np.ravel(numbers)), np.dtype(dtype), f"input {name[:80]!r}")
        if found.size not in (1, math.prod(sizes)):
            raise InputError(f"input {name[:80]!r}: {found.size} numbers for shape {list(sizes)}")
        array = np.full(sizes, found[0], found.dtype) if found.size == 1 else found.reshape(sizes)
        kept = [t for t in model.graph.initializer if t.name != name]  # a default of the file gives way
        del model.graph.initializer[:]
        model.graph.initializer.extend([*kept, numpy_helper.from_array(array, name)])


def _array(numbers: list[Any], dtype: np.dtype, where: str) -> np.ndarray:
    try:
        whole = [int(v) if dtype.kind in "iub" else float(v) for v in numbers]
        if dtype.kind == "b" and not set(whole) <= {0, 1}:
            raise ValueError("truth values are 0 and 1")
        with np.errstate(over="ignore"):
            found = np.array(whole, dtype=dtype)
    except (ValueError, OverflowError) as problem:
        raise InputError(f"{where}: {one_line(problem)}") from None
    if dtype.kind == "f" and not np.isfinite(found).all():
        raise InputError(f"{where}: the numbers must be finite in {dtype}")
    return found


# ---- where it begins ----------------------------------------------------------------------------------------------


def _ports(model: Any, start: Sequence[str], shapes: Mapping[str, Any]) -> list[Any]:
    """The tensors at the start as inputs."""
    graph = model.graph
    made = [o for n in graph.node for o in n.output if o] + list(_inputs(model))
    for name in start:
        if name not in made:
            if any(name == t.name for t in graph.initializer):
                raise InputError(f"the tensor {name[:80]!r} is a constant, and no start")
            raise InputError(f"the graph has no tensor {name[:80]!r} to start at{_meant(name, made)}")
    said = {v.name: v for v in (*graph.value_info, *graph.output, *graph.input)}
    found = _inferred(model, shapes)
    ports = []
    for name in start:
        port = type(graph.input[0])(name=name)
        declared, seen = (_sizes(side[name]) if name in side else None for side in (said, found))
        if declared is not None and seen is not None and declared != seen:
            raise InputError(f"the file says shape {list(declared)} of tensor {name[:80]!r}, which is {list(seen)}")
        if name in said or name in found:
            port.type.CopyFrom((found if seen is not None or name not in said else said)[name].type)
        if port.type.WhichOneof("value") not in (None, "tensor_type"):
            raise InputError(f"{name[:80]!r} is no tensor")
        kind = port.type.tensor_type
        if any(a.name == "ceil_mode" and a.i for n in _before(graph, name) for a in n.attribute):
            if name not in shapes:
                raise InputError(f"{name[:80]!r}: its shape behind a pool with ceil_mode is not sure: give it")
            _give(port, shapes[name])
        if not kind.elem_type:
            kind.elem_type = _only_kind(model, name)
        if not kind.HasField("shape") and name not in shapes:
            raise InputError(f"the file does not say the shape of tensor {name[:80]!r}: give it")
        ports.append(port)
    return ports


def _before(graph: Any, name: str) -> list[Any]:
    """The nodes that a tensor depends on (below operator set 22 onnx counts windows that engines leave out)."""
    makes = {o: node for node in graph.node for o in node.output if o}
    found, todo = dict[int, Any](), [name]
    while todo:
        node = makes.get(todo.pop())
        if node is not None and id(node) not in found:
            found[id(node)] = node
            todo += read_by(node)
    return list(found.values())


def _only_kind(model: Any, name: str) -> int:
    """The element type of the numbers in a model that has only one."""
    graph = model.graph
    kinds = {t.data_type for t in graph.initializer} | {i.type.tensor_type.elem_type for i in graph.input}
    kinds |= {a.i for n in graph.node for a in n.attribute if a.name == "to"}
    kinds |= {a.t.data_type for n in graph.node for a in n.attribute if a.type == 4}
    floats = [kind for kind in kinds if kind in FLOATS]
    if len(floats) != 1:
        raise InputError(f"the file does not say the element type of tensor {name[:80]!r}")
    return floats[0]


def _inferred(model: Any, shapes: Mapping[str, Any]) -> dict[str, Any]:
    """What the package onnx finds out about the tensors of a graph; nothing, if it cannot."""
    copy = type(model)()
    copy.CopyFrom(model)
    del copy.graph.value_info[:]  # it may be of another time
    for given in _inputs(copy).values():
        dims = given.type.tensor_type.shape.dim
        if given.name in shapes:
            _give(given, shapes[given.name])
        elif len(dims) > 1 and dims[0].dim_value < 1:
            dims[0].dim_value = 1  # of a batch one row is read
    if copy.ByteSize() >= _INFERRED:
        return {}
    infer: Any = importlib.import_module("onnx.shape_inference").infer_shapes
    try:
        found = infer(copy, data_prop=True).graph
    except Exception:  # the package has several, none of which says more than that it cannot
        return {}
    return {v.name: v for v in (*found.value_info, *found.output)}


def _give(given: Any, sizes: Sequence[int]) -> None:
    shape = given.type.tensor_type.shape
    del shape.dim[:]
    for size in sizes:
        shape.dim.add().dim_value = int(size)


def _cut(model: Any, ports: Sequence[Any], shapes: Mapping[str, Any]) -> None:
    """Keep what the outputs need, from the ports on; inputs of which only the shape is read become constants."""
    graph, start = model.graph, {p.name for p in ports}
    makes = {o: k for k, n in enumerate(graph.node) for o in n.output if o and o not in start}
    needed, todo = set[int](), [makes[o.name] for o in graph.output if o.name in makes]
    reads = {k: read_by(node) for k, node in enumerate(graph.node)}
    while todo:
        k = todo.pop()
        if k not in needed:
            needed.add(k)
            todo += [makes[name] for name in reads[k] if name in makes]
    own = {name: given for name, given in _inputs(model).items() if name not in start}
    read = {name for k in needed if graph.node[k].op_type not in _SHAPE_ONLY for name in reads[k]}
    read |= {o.name for o in graph.output}
    fixed = {name: sizes for name, given in own.items() if name not in read and (sizes := _one_row(given, shapes))}
    nodes = []
    for k in sorted(needed):
        node = graph.node[k]
        for place, name in enumerate(node.output):
            if name in start:  # another output of it is needed, this one is given
                node.output[place] = ""
        nodes.append(_of_shape(node, fixed[node.input[0]]) if node.input and node.input[0] in fixed else node)
    used = {name for node in nodes for name in read_by(node)} | {o.name for o in graph.output}
    inputs = [*ports, *(given for name, given in own.items() if name in used)]
    constants = [t for t in graph.initializer if t.name in used and t.name not in start]
    sparse = [t for t in graph.sparse_initializer if t.values.name in used]
    outputs = [o for o in graph.output if o.name in start or o.name in makes or o.name in used]
    copies = [[type(item).FromString(item.SerializeToString()) for item in items]
              for items in (nodes, inputs, constants, sparse, outputs)]  # fmt: skip
    fields = (graph.node, graph.input, graph.initializer, graph.sparse_initializer, graph.output)
    for field, items in zip(fields, copies, strict=True):
        del field[:]
        field.extend(items)


def _one_row(given: Any, shapes: Mapping[str, Any]) -> tuple[int, ...] | None:
    """The shape of an input, with one row where the batch is open."""
    if given.name in shapes:
        return tuple(shapes[given.name])
    sizes = [d.dim_value for d in given.type.tensor_type.shape.dim]
    if len(sizes) > 1 and sizes[0] < 1:
        sizes[0] = 1
    return tuple(sizes) if given.type.tensor_type.HasField("shape") and min(sizes, default=1) > 0 else None


def _of_shape(node: Any, sizes: tuple[int, ...]) -> Any:
    """The constant that Shape or Size gives."""
    helper: Any = importlib.import_module("onnx.helper")
    numbers = {a.name: a.i for a in node.attribute}
    if node.op_type == "Size":
        sized(math.prod(sizes), "an input of which the size is read")
        return helper.make_node("Constant", [], list(node.output), value_int=math.prod(sizes))
    part = list(sizes)[numbers.get("start", 0) : numbers.get("end", len(sizes))]
    return helper.make_node("Constant", [], list(node.output), value_ints=part)
