"""ONNX files: the message, data that lie in other files, and the graph as one list of nodes that can be walked."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import affordable
from geomrelu.io.files import FilePath, named, one_line, read_bytes
from geomrelu.io.onnx.apart import Place, divided, numbers_at
from geomrelu.io.onnx.protobuf import array_of

__all__ = ["Graph", "Named", "fill", "graph_of", "load", "read_by", "renamed", "self_contained"]

_MOST_NODES = 200_000
_DEEPEST = 50  # functions in functions
_ENGINES = frozenset({"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training", "com.microsoft",
                      "com.microsoft.nchwc", "com.ms.internal.nhwc"})  # fmt: skip  # domains of operators of their own
_LARGEST_DATA = 1 << 31  # bytes of one tensor in another file
_MAIN = ("", "ai.onnx")


@dataclass(frozen=True, slots=True)
class Named:
    """A node with what errors call it: its operator, its place in the file from 1, its output."""

    proto: Any
    where: str


@dataclass
class Graph:
    """What a file holds: nodes in an order in which each reads only what is there, functions written out.

    Attributes:
        model: the ModelProto.
        inputs, outputs: ValueInfoProtos; initializers that are also listed as inputs are not inputs here.
        nodes: those that an output depends on.
        protos: the initializers as messages, by name; :meth:`constant` reads one.
        written_out: the nodes of a graph inside a node (and what errors say of the place) with functions written out.
        apart: where the numbers of some of them are in the file, which the messages do not hold.
        is_file: is the message that of the file, and no part of it?
    """

    model: Any
    folder: Path
    inputs: list[Any]
    outputs: list[Any]
    nodes: list[Named]
    protos: dict[str, Any]
    written_out: Callable[[Sequence[Any], str], list[Named]]
    path: FilePath = ""
    apart: dict[str, Place] = field(default_factory=dict)
    is_file: bool = True
    _read: dict[str, np.ndarray] = field(default_factory=dict)

    def constant(self, name: str) -> np.ndarray:
        """The initializer of that name. One that is apart is read each time."""
        if name in self.apart:
            return array_of(self.protos[name], numbers_at(self.path, self.apart[name]))
        if name not in self._read:
            self._read[name] = self.array(self.protos[name])
        return self._read[name]

    def array(self, proto: Any) -> np.ndarray:
        """The array of a TensorProto or SparseTensorProto, wherever its data are."""
        if hasattr(proto, "values"):
            return self._dense(proto)
        if proto.data_location == 1 or proto.external_data:
            affordable(abs(int(np.prod([float(d) for d in proto.dims]))), f"tensor {proto.name[:80]!r}")
            return array_of(proto, self.external(proto))
        return array_of(proto)

    def external(self, proto: Any) -> bytes:
        """The bytes of a tensor that lie in another file."""
        return _external(self.folder, proto)

    def _dense(self, proto: Any) -> np.ndarray:
        values, places = self.array(proto.values), self.array(proto.indices)
        where, shape = f"tensor {proto.values.name[:80]!r}", tuple(proto.dims)
        if any(d < 0 for d in shape) or values.ndim != 1 or places.dtype.kind not in "iu":
            raise InputError(f"{where} is not a sparse tensor")
        count = 1
        for d in shape:
            count *= d
        affordable(count, where)
        try:
            if places.ndim == 2:
                places = np.ravel_multi_index(tuple(places.T), shape)
            if places.shape != values.shape or (len(places) and not 0 <= places.min() <= places.max() < count):
                raise ValueError("its indices do not fit")
        except ValueError as problem:
            raise InputError(f"{where} is not a sparse tensor: {one_line(problem)}") from None
        dense = np.zeros(count, dtype=values.dtype)
        dense[places] = values
        return dense.reshape(shape)


def _external(folder: Path, proto: Any) -> bytes:
    """The bytes of a tensor in another file, which lies in the folder of the model or below it, and nowhere else."""
    where, entries = f"tensor {proto.name[:80]!r}", {e.key: e.value for e in proto.external_data}
    location = entries.get("location", "")
    if not all(isinstance(text, str) for text in (*entries, *entries.values())):
        raise InputError(f"{where}: the place of its data is not text")
    try:
        offset, length = int(entries.get("offset") or 0), int(entries.get("length") or -1)
    except ValueError:
        raise InputError(f"{where}: offset and length of its data must be whole numbers") from None
    inside = os.path.realpath(folder)
    path = os.path.realpath(os.path.join(inside, location)) if "\0" not in location else inside
    if not location or os.path.isabs(location) or os.path.commonpath([inside, path]) != inside or path == inside:
        raise InputError(f"{where}: its data are in {location[:80]!r}, which is not in the folder of the model")
    if not os.path.isfile(path):
        raise InputError(f"{where}: its data are in {location[:80]!r}, which is not there")
    size = os.path.getsize(path)
    length = size - offset if length < 0 else length
    if not 0 <= offset <= size or not 0 <= length <= min(size - offset, _LARGEST_DATA):
        raise InputError(f"{where}: {location[:80]!r} does not hold bytes {offset} to {offset + length}")
    try:
        with open(path, "rb") as stream:
            stream.seek(offset)
            return stream.read(length)
    except OSError as problem:
        raise InputError(f"{where}: {location[:80]!r}: {problem.strerror}") from None


def self_contained(graph: Graph, original: bytes) -> bytes:
    """The model as one file: its own bytes, or with the data of other files in it."""
    outside = [t for t in graph.model.graph.initializer if t.external_data]
    if not outside and graph.is_file:
        return original
    model = type(graph.model)()
    model.CopyFrom(graph.model)
    for tensor in model.graph.initializer:
        if tensor.external_data:
            fill(tensor, graph)
    return bytes(model.SerializeToString())


def fill(tensor: Any, graph: Graph) -> None:
    """Put the data of another file into a tensor."""
    data = graph.external(tensor)
    tensor.raw_data = data
    tensor.data_location = 0
    del tensor.external_data[:]


def load(path: FilePath, whole: bool = True, part: Callable[[Any], Any] | None = None) -> Graph:
    """The graph of an ONNX file.

    Args:
        whole: are the messages to hold everything? Otherwise the numbers of large tensors may stay in the file.
        part: what makes another message of that of the file, see :mod:`geomrelu.io.onnx.parts`.

    Raises:
        InputError: no ONNX file, nodes that need each other, functions without end; the package onnx is missing.
    """
    try:
        parse: Any = importlib.import_module("onnx").ModelProto.FromString
        unreadable: Any = importlib.import_module("google.protobuf.message").DecodeError
    except ImportError:
        raise InputError(f"{path}: reading ONNX files needs the package onnx: pip install 'geomrelu[onnx]'") from None
    data, apart = (None if whole else divided(path)) or (read_bytes(path), {})
    with named(path):
        try:
            model = parse(data)
        except unreadable as problem:
            raise InputError(f"not an ONNX model: {one_line(problem)}") from None
        del data
        taken = model if part is None else part(model)
        graph = graph_of(taken, Path(path).parent)
        graph.path, graph.is_file = path, taken is model
        graph.apart = {n: at for n, at in apart.items() if n in graph.protos and not graph.protos[n].raw_data}
        return graph


def graph_of(model: Any, folder: Path) -> Graph:
    """The graph of a message whose external data lie in a folder."""
    graph = model.graph
    if not all(isinstance(name, str) for name in _names(model)):
        raise InputError("not an ONNX model: a name in it is not text")
    if not graph.output:
        raise InputError("the graph has no output")
    protos = {t.name: t for t in graph.initializer} | {t.values.name: t for t in graph.sparse_initializer}
    functions = {_key(f, f.name): f for f in model.functions}
    disputed = next((f for f in model.functions if f.domain in _ENGINES), None)
    if disputed is not None:  # the standard leaves to the runtime which it takes
        owner = f"{disputed.domain}'s" if disputed.domain not in ("", "ai.onnx") else "ONNX's own"
        raise InputError(f"the function {disputed.name[:40]!r} is in the domain of {owner} operators")
    expansion = _Expansion(functions, protos)
    nodes = expansion.nodes(graph.node)
    inputs = [i for i in graph.input if i.name not in protos]
    made: dict[str, int] = {}
    for k, node in enumerate(nodes):
        for name in filter(None, node.proto.output):
            if name in made or name in protos or any(name == i.name for i in inputs):
                raise InputError(f"{node.where}: the tensor {name[:80]!r} is made twice")
            made[name] = k
    outputs = list(graph.output)
    return Graph(
        model, folder, inputs, outputs, _ordered([o.name for o in outputs], nodes, made), protos, expansion.nodes
    )


def read_by(node: Any) -> list[str]:
    """The tensors that a node reads: its inputs, and those of the graph that the graphs inside it read."""
    found = [name for name in node.input if name]
    for attribute in node.attribute:
        for graph in _inside(attribute):
            own = {i.name for i in (*graph.input, *graph.initializer)} | {o for n in graph.node for o in n.output}
            inner = [name for n in graph.node for name in read_by(n)] + [o.name for o in graph.output]
            found += [name for name in inner if name not in own]
    return list(dict.fromkeys(found))


def _inside(attribute: Any) -> tuple[Any, ...]:
    """The graphs that an attribute holds."""
    return (attribute.g, *attribute.graphs) if attribute.type in (5, 10) else ()


def _key(message: Any, name: str) -> tuple[str, str, str]:
    """What a call and its function agree in."""
    return message.domain, name, getattr(message, "overload", "")


def renamed(node: Any, name: Callable[[str], str], given: Mapping[str, Any] | None = None) -> Any:
    """A copy of a node whose tensors, also those of the graphs inside it, have other names.

    Args:
        given: the attributes of the call of a function; those of the node that refer to them take their values.
    """
    copy = type(node)()
    copy.CopyFrom(node)
    for names in (copy.input, copy.output):
        names[:] = [name(n) for n in names]
    attributes = []
    for attribute in copy.attribute:
        if given is not None and attribute.ref_attr_name:
            if attribute.ref_attr_name not in given:
                continue
            value = type(attribute)()
            value.CopyFrom(given[attribute.ref_attr_name])
            value.name = attribute.name
            attributes.append(value)
            continue
        for graph in _inside(attribute):
            for item in (
                *graph.input,
                *graph.output,
                *graph.initializer,
                *(t.values for t in graph.sparse_initializer),
            ):
                item.name = name(item.name)
            nodes = [renamed(n, name, given) for n in graph.node]
            del graph.node[:]
            graph.node.extend(nodes)
        attributes.append(attribute)
    kept = [type(a).FromString(a.SerializeToString()) for a in attributes]
    del copy.attribute[:]
    copy.attribute.extend(kept)
    return copy


def _ordered(outputs: Sequence[str], nodes: Sequence[Named], made: Mapping[str, int]) -> list[Named]:
    """The nodes that the outputs depend on, each after those that make what it reads, else as they stand."""
    needed, todo = set[int](), [made[name] for name in outputs if name in made]
    while todo:
        k = todo.pop()
        if k not in needed:
            needed.add(k)
            todo += [made[name] for name in read_by(nodes[k].proto) if name in made]
    done, order = set[int](), list[Named]()
    reads = {k: [n for n in read_by(nodes[k].proto) if n in made] for k in needed}
    for first in sorted(needed - done):
        path, waiting = [first], {first}
        while path:
            k = path[-1]
            before = next((made[n] for n in reads[k] if made[n] not in done), None)
            if before is None:
                path.pop()
                waiting.discard(k)
                if k not in done:
                    done.add(k)
                    order.append(nodes[k])
            elif before in waiting:
                raise InputError(f"{nodes[k].where} reads what it makes itself")
            else:
                path.append(before)
                waiting.add(before)
    return order


class _Expansion:
    """Writes out functions, node for node; what they make is named after the call."""

    def __init__(self, functions: dict[tuple[str, str, str], Any], protos: dict[str, Any]) -> None:
        self.functions, self.protos = functions, protos
        self.count = 0

    def nodes(self, nodes: Sequence[Any], inside: str = "", depth: int = 0) -> list[Named]:
        found: list[Named] = []
        for position, proto in enumerate(nodes, 1):
            self.count += 1
            if self.count > _MOST_NODES or depth > _DEEPEST:
                raise InputError(f"the graph has more than {_MOST_NODES} nodes, or functions nested too deeply")
            kind = proto.op_type[:40] if proto.op_type.isprintable() else repr(proto.op_type[:40])
            output = proto.output[0][:80] if proto.output else ""
            where = f"operator {kind} ({inside}node {position}, output {output!r})"
            function = self.functions.get(_key(proto, proto.op_type))
            if function is None:
                found.append(Named(proto, where))
            else:
                short = output and output == proto.output[0]  # or else two might be called alike
                prefix = f"{output if short else self.count}/{'/' * depth}"  # what one hands on is called alike in both
                with named(where):
                    body = self._called(proto, function, prefix)
                found += self.nodes(body, f"function {kind}, ", depth + 1)
        return found

    def _called(self, call: Any, function: Any, prefix: str) -> list[Any]:
        """The nodes of a function with the tensors and attributes of a call."""
        if len(call.input) > len(function.input) or len(call.output) > len(function.output):
            raise InputError("the call does not fit the function")
        names = {"": ""} | dict(zip(function.input, call.input, strict=False))
        names |= dict.fromkeys(function.input[len(call.input) :], "")
        results = {o: c for o, c in zip(function.output, call.output, strict=False) if c}
        given = {a.name: a for a in function.attribute_proto} | {a.name: a for a in call.attribute}
        copies = [renamed(n, lambda t: names.get(t, results.get(t, prefix + t)), given) for n in function.node]
        passed = [o for o in function.output if o in names and o in results]  # an input that is handed on
        for name in passed:
            copies.append(type(call)(op_type="Identity", input=[names[name]], output=[results[name]]))
        return copies


def _names(model: Any) -> Iterator[Any]:
    """Every name that is looked at; protobuf hands over those that are not UTF-8 as bytes."""
    for f in model.functions:
        yield from (f.name, f.domain, *f.input, *f.output, *(text for n in f.node for text in _names_of(n)))
    yield from _names_in(model.graph)


def _names_in(graph: Any) -> Iterator[Any]:
    for item in (*graph.input, *graph.output, *graph.initializer, *(t.values for t in graph.sparse_initializer)):
        yield item.name
    for node in graph.node:
        yield from _names_of(node)
    for tensor in graph.initializer:
        yield from (text for e in tensor.external_data for text in (e.key, e.value))


def _names_of(node: Any) -> Iterator[Any]:
    yield from (node.op_type, node.domain, *node.input, *node.output)
    for attribute in node.attribute:
        yield from (attribute.name, attribute.ref_attr_name)
        for graph in _inside(attribute):
            yield from _names_in(graph)
