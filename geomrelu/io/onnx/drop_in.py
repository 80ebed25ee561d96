"""Smaller ONNX models that take the place of a given one: same inputs and outputs, same shapes, same operators.

Which channels can go is found by labels. Each entry of a tensor carries the number of the channel that it comes from;
operators that move entries move the labels, sums of two tensors tie their channels together, and a matrix or kernel
begins new channels. A channel goes if its neurons are dead and every operator that reads it can do without it. A sum
loses an operand that is zero throughout. What was done is checked by whoever calls, by reading the result again.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap
from geomrelu.exact.numbers import rational
from geomrelu.io.onnx.model import Graph, Named, fill, read_by
from geomrelu.io.onnx.protobuf import held
from geomrelu.io.onnx.rules import OPERATORS, Node
from geomrelu.io.onnx.trace import Trace
from geomrelu.io.tensors import Tensor

__all__ = ["FIXED", "Surgeon", "cut_out", "without"]

FIXED = -1
_PLAIN = frozenset(
    "Relu LeakyRelu Identity Dropout Cast Neg Abs Clip HardSigmoid".split()  # noqa: SIM905
)
_PAIRS = frozenset({"Add", "Sub", "Sum", "Mul", "Div", "PRelu", "Max", "Min", "Mean"})
_POOLS = frozenset({"MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "Resize", "Upsample", "LpPool"})
_MOVES = frozenset({"Flatten", "Reshape", "Transpose", "Squeeze", "Unsqueeze"})


def without(
    graph: Graph, trace: Trace, dead: Mapping[int, set[int]], rows: int, sums: bool = True
) -> tuple[bytes, set[tuple[int, int]]] | None:
    """The model without dead channels, as the bytes of a file that needs no other, and the (layer, neuron) that went.

    Args:
        dead: of each layer of the network read, the neurons that are zero where it matters.
        rows: of the batch, see :class:`geomrelu.io.reading.Reading`.
        sums: take operands that are zero throughout from sums, with all that only they need.

    Returns None if nothing can go.
    """
    return cut_out(Surgeon(graph, trace, dead, rows), sums)


def cut_out(surgeon: Surgeon, sums: bool) -> tuple[bytes, set[tuple[int, int]]] | None:
    """What :func:`without` gives."""
    if sums:
        surgeon.drop_zero_operands()
    while True:
        surgeon.label()
        surgeon.choose()
        if surgeon.fits():
            break
    gone = surgeon.gone()
    return (surgeon.rebuilt(), gone) if gone else None


@dataclass
class Surgeon:
    """The labels of a graph, which channels go, and the graph without them."""

    graph: Graph
    trace: Trace
    dead: Mapping[int, set[int]]
    rows: int
    stay: set[int] = field(default_factory=set)  # channels that may not go, by the number of the label
    removed: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.nodes = list(self.graph.nodes)
        self.levels: dict[str, list[int]] = {}  # the layers that a node makes, by its first output
        for level, made in enumerate(self.trace.made_by, 1):
            self.levels.setdefault(made.proto.output[0], []).append(level)
        starts = np.cumsum([self.trace.tape.inputs, *(m.outputs for m in self.trace.tape.layers)])
        self.zero = np.zeros(self.trace.tape.variables, dtype=bool)  # which variables are zero
        for level, neurons in self.dead.items():
            each = self.trace.tape.layers[level - 1].outputs // self.rows
            for row in range(self.rows):
                self.zero[starts[level - 1] + row * each + np.array(sorted(neurons), dtype=np.int64)] = True
        for level, map_ in enumerate(self.trace.tape.layers, 1):
            if not self.own(level):  # what compares dead neurons with each other
                silent = self.unread(map_, self.zero) & self.silent(level)
                self.zero[starts[level - 1] : starts[level]] |= silent
        self.kept_outputs = {o.name for o in self.graph.outputs} | set(self.trace.cuts)

    def own(self, level: int) -> bool:
        """Is a layer one whose neurons are judged?"""
        return self.trace.tape.read[level - 1].own

    def silent(self, level: int) -> np.ndarray:
        """Which neurons of a layer are 0 when all that they read is."""
        return np.array([b <= 0 for b in self.trace.tape.layers[level - 1].bias])

    # ---- what is known of tensors -----------------------------------------------------------------------------

    def tensor(self, name: str) -> Tensor | None:
        value = self.trace.values.get(name) if name else None
        return value if isinstance(value, Tensor) else None

    def constants(self, tensor: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Which entries are constant, once the dead variables are zero, and their numerators."""
        map_ = tensor.map
        bias = np.empty(map_.outputs, dtype=object)
        bias[:] = list(map_.bias)
        return self.unread(map_, self.zero).reshape(tensor.shape), bias.reshape(tensor.shape)

    def constants_read(self, name: str, node: Any) -> tuple[np.ndarray, np.ndarray]:
        """The same of a tensor as a node takes it."""
        tensor = self.tensor(name)
        assert tensor is not None
        return self.constants(tensor)

    @staticmethod
    def unread(map_: AffineMap, without: np.ndarray) -> np.ndarray:
        """Which outputs of a map read none but the variables ``without``."""
        which = map_.row_of
        return np.bincount(which[~without[map_.indices]], minlength=map_.outputs) == 0

    def fixed(self, node: Any, position: int) -> np.ndarray | None:
        """A constant input of a node."""
        if position >= len(node.input) or not node.input[position]:
            return None
        value = self.trace.values.get(node.input[position])
        return value if isinstance(value, np.ndarray) else None

    def matrix_of(self, node: Any) -> np.ndarray | None:
        """The constant matrix or kernel of a node that has one."""
        return self.fixed(node, 1)

    # ---- sums with nothing ------------------------------------------------------------------------------------

    def drop_zero_operands(self) -> None:
        """Sums of which one operand is zero throughout become the other one; what only made it goes."""
        for k, named in enumerate(self.nodes):
            node = named.proto
            if node.op_type not in ("Add", "Sub") or len(node.input) != 2 or node.output[0] not in self.trace.values:
                continue
            whole = self.tensor(node.output[0])
            for own, other in ((0, 1), (1, 0)):
                zero, rest = self.tensor(node.input[own]), self.tensor(node.input[other])
                if zero is None or rest is None or whole is None or rest.shape != whole.shape:
                    continue
                flags, bias = self.constants(zero)
                if flags.all() and not bias.any() and not (node.op_type == "Sub" and own == 0):
                    copy = type(node)(op_type="Identity", input=[node.input[other]], output=[node.output[0]])
                    self.nodes[k] = Named(copy, named.where)
                    break
        needed, kept = set(self.kept_outputs), []
        for named in reversed(self.nodes):
            if needed.intersection(filter(None, named.proto.output)):
                needed.update(read_by(named.proto))
                kept.append(named)
        self.nodes = kept[::-1]

    # ---- labels -----------------------------------------------------------------------------------------------

    def label(self) -> None:
        """Give each entry of each tensor the number of its channel."""
        self.labels: dict[str, np.ndarray] = {}
        self.parent: list[int] = []
        self.sites: list[tuple[str, Any]] = []  # (tensor, node) where a channel is read by a matrix or kernel
        for port in self.trace.ports:
            self.labels[port.name] = np.full(port.shape, FIXED)
        for named in self.nodes:
            node = named.proto
            out = self.tensor(node.output[0]) if node.output else None
            data = [name for name in read_by(node) if self.tensor(name) is not None]
            if out is None:
                self._fix(data)
                continue
            found = self._labelled(node, data, out)
            if found is None or found.shape != out.shape:
                self._fix(data)
                found = np.full(out.shape, FIXED)
            self.labels[node.output[0]] = found
            for name in node.output[1:]:
                if (other := self.tensor(name)) is not None:
                    self._fix([node.output[0]])
                    self.labels[name] = np.full(other.shape, FIXED)
        self._fix([name for name in self.kept_outputs if name in self.labels])

    def root(self, label: int) -> int:
        while self.parent[label] != label:
            self.parent[label] = self.parent[self.parent[label]]
            label = self.parent[label]
        return label

    def roots(self, labels: np.ndarray) -> np.ndarray:
        table = np.array([self.root(k) for k in range(len(self.parent))] + [FIXED], dtype=np.int64)
        return table[labels]

    def _fix(self, names: list[str]) -> None:
        for name in names:
            self.stay.update(int(v) for v in np.unique(self.labels[name]) if v != FIXED)

    def _new(self, count: int) -> np.ndarray:
        first = len(self.parent)
        self.parent.extend(range(first, first + count))
        return np.arange(first, first + count)

    def _tie(self, first: np.ndarray, second: np.ndarray) -> None:
        for a, b in {(int(a), int(b)) for a, b in zip(first.ravel(), second.ravel(), strict=True)}:
            if a == FIXED or b == FIXED:
                self.stay.update({a, b} - {FIXED})
            else:
                self.parent[self.root(a)] = self.root(b)

    def _labelled(self, node: Any, data: list[str], out: Tensor) -> np.ndarray | None:
        """The labels of a node's output; None if its channels can neither go nor be followed."""
        kind = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
        if kind in ("MatMul", "Gemm", "Conv", "ConvTranspose"):
            return self._begun(node, data, out)
        if kind in _PLAIN:
            return self.labels[data[0]] if data == [node.input[0]] else None
        if kind in _PAIRS:
            return self._paired(data, out)
        if kind == "BatchNormalization":
            return self.labels[data[0]] if len(data) == 1 else None
        if kind in _POOLS or kind == "Pad":
            return self._by_channel(data, out)
        if kind in _MOVES:
            rule = OPERATORS["", kind]
            inputs = [self.labels[data[0]], *(self.fixed(node, k) for k in range(1, len(node.input)))]
            found = rule.apply(Node(node, self.trace), *inputs) if data == [node.input[0]] else None
            return found if isinstance(found, np.ndarray) else None
        if kind == "Concat":
            axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
            parts = []
            for name in node.input:
                value = self.trace.values[name]
                if not isinstance(value, (Tensor, np.ndarray)):
                    return None
                parts.append(self.labels[name] if name in self.labels else np.full(value.shape, FIXED))
            return np.concatenate(parts, axis)
        return None

    def _begun(self, node: Any, data: list[str], out: Tensor) -> np.ndarray | None:
        """A matrix or kernel reads channels and begins new ones."""
        matrix, kind = self.matrix_of(node), node.op_type
        if data != [node.input[0]] or matrix is None or self._groups(node) is None:
            return None
        if self._groups(node) != 1:  # one kernel for each channel
            return self._by_channel(data, out)
        attributes = {a.name: a for a in node.attribute}
        if "Gemm" in kind and "transA" in attributes and attributes["transA"].i:
            return None
        if "MatMul" in kind and (matrix.ndim != 2 or len(out.shape) < 2):
            return None
        self.sites.append((data[0], node))
        axis = 1 if "Conv" in kind else len(out.shape) - 1
        shape = [1] * len(out.shape)
        shape[axis] = out.shape[axis]
        return np.broadcast_to(self._new(out.shape[axis]).reshape(shape), out.shape).copy()

    def _groups(self, node: Any) -> int | None:
        """1, or the number of channels where each has its own kernel; None for other groups."""
        groups = next((a.i for a in node.attribute if a.name == "group"), 1)
        if groups == 1:
            return 1
        kernel = self.matrix_of(node)
        plain = (
            "Conv" in node.op_type
            and node.op_type != "ConvTranspose"
            and kernel is not None
            and kernel.shape[:2] == (groups, 1)
        )
        return int(groups) if plain else None

    def _paired(self, data: list[str], out: Tensor) -> np.ndarray:
        full = [np.broadcast_to(self.labels[name], out.shape) for name in data]
        for other in full[1:]:
            self._tie(full[0], other)
        return full[0].copy()

    def _by_channel(self, data: list[str], out: Tensor) -> np.ndarray | None:
        """Each channel becomes a channel, whatever happens within it."""
        if len(data) != 1:
            return None
        given = self.labels[data[0]]
        if given.ndim < 3 or len(out.shape) < 3 or given.shape[:2] != out.shape[:2]:
            return None
        first = given.reshape(*given.shape[:2], -1)[:, :, :1]
        if (given.reshape(*given.shape[:2], -1) != first).any():
            return None
        return np.broadcast_to(first.reshape(*given.shape[:2], *(1,) * (len(out.shape) - 2)), out.shape).copy()

    # ---- which go ---------------------------------------------------------------------------------------------

    def choose(self) -> None:
        """Those whose neurons are dead, and which are constant where they are read; of each layer one stays."""
        stay = {self.root(k) for k in self.stay}
        for output, levels in self.levels.items():
            labels = self.labels.get(output)
            if labels is None:
                continue
            roots = self.roots(labels).ravel()
            for level in levels:
                made = self.trace.tape.layers[level - 1]
                if made.outputs != roots.size or not self.own(level):
                    continue
                alive = np.ones(made.outputs, dtype=bool)
                each = made.outputs // self.rows
                for row in range(self.rows):
                    alive[row * each + np.array(sorted(self.dead.get(level, ())), dtype=np.int64)] = False
                stay.update(roots[alive].tolist())
        for name, node in self.sites:
            flags, bias = self.constants_read(name, node)
            roots = self.roots(self.labels[name])
            stay.update(roots[~flags].tolist())
            if node.op_type != "Gemm" or len(node.input) < 3:  # only a bias can take up what is constant and not 0
                stay.update(roots[bias.astype(bool)].tolist())
        read = {int(r) for name, _ in self.sites for r in np.unique(self.roots(self.labels[name]))}
        self.removed = {k for k in range(len(self.parent)) if self.root(k) == k and k in read and k not in stay}
        for labels in self.labels.values():
            found = set(np.unique(self.roots(labels)).tolist())
            if found and found <= self.removed:
                self.removed.discard(min(found))

    def kept(self, name: str) -> tuple[int, np.ndarray] | None:
        """The axis along which a tensor loses entries, and which places of it stay; None if it loses none, as what is
        not read.

        Raises:
            ValueError: what stays is no part along one axis.
        """
        if name not in self.labels:
            return None
        labels = self.roots(self.labels[name])
        stays = ~np.isin(labels, list(self.removed))
        if stays.all():
            return None
        for axis in range(stays.ndim):
            line = np.moveaxis(stays, axis, 0).reshape(stays.shape[axis], -1)
            if (line == line[:, :1]).all():
                return axis, line[:, 0]
        raise ValueError

    def fits(self) -> bool:
        """Can every node be rewritten? If not, the channels that it reads or makes stay, and all is tried again."""
        for named in self.nodes:
            names = [n for n in (*named.proto.input, *named.proto.output) if n in self.labels]
            try:
                for k, array in self.changes(named.proto).items():
                    self.renamed(named.proto.input[k], array, {}, {}, [])
            except (ValueError, StopIteration):
                found = {int(v) for n in names for v in np.unique(self.labels[n]) if v != FIXED}
                gone = {v for v in found if self.root(v) in self.removed}
                if not gone:
                    raise InputError(f"{named.where} cannot be rewritten") from None
                self.stay |= gone
                return False
        return True

    def gone(self) -> set[tuple[int, int]]:
        """The neurons of the network read that are no longer there."""
        found: set[tuple[int, int]] = set()
        there = {n.proto.output[0] for n in self.nodes}
        starts = np.cumsum([self.trace.tape.inputs, *(m.outputs for m in self.trace.tape.layers)])
        away = np.zeros(self.trace.tape.variables, dtype=bool)
        for level, made in enumerate(self.trace.tape.layers, 1):
            output = self.trace.made_by[level - 1].proto.output[0]
            if output not in there:
                lost = np.ones(made.outputs, dtype=bool)
            elif self.labels[output].size == made.outputs:
                lost = np.isin(self.roots(self.labels[output]).ravel(), list(self.removed))
            else:  # auxiliary: what compares entries of a channel that went
                lost = self.unread(made, away)
            away[starts[level - 1] : starts[level]] = lost
            each = made.outputs // self.rows
            found |= {(level, int(i)) for i in np.flatnonzero(lost[:each])}
        return found

    # ---- the new model ----------------------------------------------------------------------------------------

    def rewritten(self, node: Any) -> dict[int, Any]:
        """The constant inputs of a node that change, by position; ValueError if it cannot do without the channels."""
        out = self.kept(node.output[0]) if node.output else None
        given = [self.kept(name) for name in node.input]
        if out is None and not any(given):
            return {}
        shape = self.labels[node.output[0]].shape
        kind = node.op_type
        if kind in ("MatMul", "Gemm", "Conv", "ConvTranspose"):
            return self._weights(node, given[0], out, shape)
        if kind in _PAIRS or kind == "BatchNormalization":
            if out is None or any(g is not None and g[1].shape != out[1].shape for g in given):
                raise ValueError
            changed = {}
            for k in range(len(node.input)):
                array = self.fixed(node, k)
                if array is None:
                    continue
                at = 0 if kind == "BatchNormalization" else out[0] - (len(shape) - array.ndim)
                if kind == "BatchNormalization" and out[0] != 1:
                    raise ValueError
                if 0 <= at < array.ndim and array.shape[at] > 1:
                    changed[k] = np.compress(out[1], array, at)
            return changed
        if kind == "Reshape":
            return self._reshaped(node, out)
        if kind in _POOLS or kind == "Pad":
            if out is None or out[0] != 1 or given[0] is None or given[0][0] != 1:
                raise ValueError
            sizes = self.fixed(node, 3) if kind == "Resize" else None
            if sizes is not None and sizes.size == len(shape):
                return {3: np.array([int(out[1].sum()) if k == 1 else v for k, v in enumerate(sizes)])}
            return {}
        if kind not in (*_PLAIN, *_MOVES, "Concat"):
            raise ValueError
        return {}

    def _weights(
        self,
        node: Any,
        given: tuple[int, np.ndarray] | None,
        out: tuple[int, np.ndarray] | None,
        shape: tuple[int, ...],
    ) -> dict[int, np.ndarray]:
        images = node.op_type in ("Conv", "ConvTranspose")
        turned = node.op_type == "Gemm" and any(a.name == "transB" and a.i for a in node.attribute)
        inner = len(self.labels[node.input[0]].shape) - 1 if not images else 1
        outer = 1 if images else len(shape) - 1
        if (given is not None and given[0] != inner) or (out is not None and out[0] != outer):
            raise ValueError
        weights, bias = self.fixed(node, 1), self.fixed(node, 2)
        assert weights is not None
        rows, columns = (1, 0) if node.op_type == "Conv" or turned else (0, 1)  # axes that read, and that make
        changed: dict[int, np.ndarray] = {}
        own = self._groups(node)
        if own != 1:
            if out is None or given is None:
                raise ValueError
            weights = np.compress(out[1], weights, 0)
        else:
            if given is not None:
                taken = self._taken_up(node, given, weights, bias, rows)
                if taken is not None:
                    bias = changed[2] = taken
                weights = np.compress(given[1], weights, rows)
            if out is not None:
                weights = np.compress(out[1], weights, columns)
        if bias is not None and out is not None and bias.ndim and bias.shape[-1] > 1:
            changed[2] = np.compress(out[1], bias, bias.ndim - 1)
        changed[1] = weights
        return changed

    def _taken_up(
        self, node: Any, given: tuple[int, np.ndarray], weights: np.ndarray, bias: np.ndarray | None, rows: int
    ) -> np.ndarray | None:
        """The bias with what constant channels, not 0, contribute; ValueError if no float equals it."""
        tensor = self.tensor(node.input[0])
        assert tensor is not None
        _, numerators = self.constants(tensor)
        line = np.moveaxis(numerators, given[0], 0).reshape(numerators.shape[given[0]], -1)[:, 0]
        lost = [k for k in np.flatnonzero(~given[1]).tolist() if line[k]]
        if not lost:
            return None
        plain = not any(a.name in ("alpha", "beta") and a.f != 1 for a in node.attribute)
        if node.op_type != "Gemm" or bias is None or not plain or bias.dtype.kind != "f":
            raise ValueError
        matrix = weights if rows == 0 else weights.T
        width = matrix.shape[1]
        total = [rational(v) for v in np.broadcast_to(bias, (1, width))[0]]
        for k in lost:
            value = Fraction(line[k], tensor.map.denominator)
            total = [t + value * rational(w) for t, w in zip(total, matrix[k], strict=True)]
        floats = np.array([float(t) for t in total]).astype(bias.dtype)
        if any(rational(f) != t for f, t in zip(floats, total, strict=True)):
            raise ValueError
        return floats

    def changes(self, node: Any) -> dict[int, Any]:
        """As :meth:`rewritten` says; floats are of the type of what the node reads beside them."""
        kind = next((self.trace.kinds[name] for name in node.input if name in self.trace.kinds), 0)
        return {k: held(a, kind) if isinstance(a, np.ndarray) else a for k, a in self.rewritten(node).items()}

    def _reshaped(self, node: Any, out: tuple[int, np.ndarray] | None) -> dict[int, np.ndarray]:
        listed = self.fixed(node, 1)
        if out is None or listed is None or listed.ndim != 1:
            raise ValueError
        axis, stays = out
        if listed[axis] in (0, -1):
            return {}
        if node.input[1] not in self.graph.protos and not self._is_constant(node.input[1]):
            return {}
        changed = listed.astype(np.int64).copy()
        changed[axis] = int(stays.sum())
        return {1: changed}

    def _is_constant(self, name: str) -> bool:
        return any(n.proto.op_type == "Constant" and name in n.proto.output for n in self.nodes)

    def rebuilt(self) -> bytes:
        """The model with the nodes and constants that are left."""
        model = type(self.graph.model)()
        model.CopyFrom(self.graph.model)
        graph, protos = model.graph, dict(self.graph.protos)
        nodes, made = list[Any](), dict[tuple[str, bytes], str]()
        for named in self.nodes:
            node = type(named.proto)()
            node.CopyFrom(named.proto)
            for k, array in self.changes(named.proto).items():
                node.input[k] = self.renamed(node.input[k], array, protos, made, nodes)
            for attribute in node.attribute:
                if attribute.name == "group" and attribute.i != 1 and (out := self.kept(node.output[0])) is not None:
                    attribute.i = int(out[1].sum())  # a kernel for each channel
            nodes.append(node)
        needed = set(self.kept_outputs)
        for node in reversed(nodes):
            needed.update(read_by(node))
        nodes = [n for n in nodes if needed.intersection(filter(None, n.output))]
        used = {name for node in nodes for name in read_by(node)} | {o.name for o in graph.output}
        del graph.node[:], graph.initializer[:], graph.sparse_initializer[:], graph.value_info[:], model.functions[:]
        graph.node.extend(nodes)
        for name, proto in protos.items():
            if name not in used:
                continue
            if hasattr(proto, "values"):
                graph.sparse_initializer.append(proto)
                continue
            copy = graph.initializer.add()
            copy.CopyFrom(proto)
            if copy.external_data:
                fill(copy, self.graph)
        sources = {new: old for (old, _), new in made.items()}
        infos = {i.name: i for i in graph.input}
        listed = [type(i).FromString(i.SerializeToString()) for i in graph.input]
        for new, old in sources.items():
            if old in infos and new in used:  # old files list their constants among the inputs
                info = type(infos[old]).FromString(infos[old].SerializeToString())
                info.name = new
                for d, size in zip(info.type.tensor_type.shape.dim, protos[new].dims, strict=False):
                    d.dim_value = size
                listed.append(info)
        del graph.input[:]
        graph.input.extend(i for i in listed if i.name not in protos or i.name in used)
        return bytes(model.SerializeToString())

    def renamed(
        self, name: str, array: Any, protos: dict[str, Any], made: dict[tuple[str, bytes], str], nodes: list[Any]
    ) -> str:
        """The name of a constant that takes the place of another, as :meth:`rewritten` says; ValueError if it cannot.

        The new model's constants, why they were made, and its nodes so far may be added to.
        """
        source = self.trace.values.get(name)
        if isinstance(source, np.ndarray) and source.dtype == np.float16 and array.dtype in (np.float32, np.float64):
            with suppress(ValueError):  # it was stored in half the bytes, and cast
                stored = self._added(name, self._stored(name, held(array, 10)), protos, made)
                if (stored, b"") not in made:
                    made[stored, b""] = self._name(stored, {**protos, **dict.fromkeys(n.output[0] for n in nodes)})
                    cast: Any = importlib.import_module("onnx.helper").make_node
                    to = 1 if array.dtype == np.float32 else 11
                    nodes.append(cast("Cast", [stored], [made[stored, b""]], to=to))
                return made[stored, b""]
        return self._added(name, self._stored(name, array), protos, made)

    def _added(self, name: str, tensor: Any, protos: dict[str, Any], made: dict[tuple[str, bytes], str]) -> str:
        key = (name, tensor.SerializeToString())
        if key not in made:
            made[key] = tensor.name = self._name(name, protos)
            protos[tensor.name] = tensor
        return made[key]

    def _name(self, name: str, taken: Mapping[str, Any]) -> str:
        """A new name, beside the old constant, which others may still read."""
        k = 1
        while f"{name}_{k}" in taken or f"{name}_{k}" in self.trace.values:
            k += 1
        return f"{name}_{k}"

    def _stored(self, name: str, array: np.ndarray) -> Any:
        """A TensorProto of the element type that the constant had."""
        tensor = importlib.import_module("onnx").TensorProto()
        old = self.graph.protos.get(name)
        if old is not None and getattr(old, "data_type", 0) == 16:
            tensor.data_type = 16
            data = (np.ascontiguousarray(array, dtype=np.float32).view(np.uint32) >> 16).astype("<u2")
        else:
            tensor.data_type = {"f2": 10, "f4": 1, "f8": 11, "i8": 7, "i4": 6, "i1": 3, "u1": 2}[array.dtype.str[1:]]
            data = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
        tensor.dims.extend(array.shape)
        tensor.raw_data = data.tobytes()
        return tensor
