"""Smaller quantised ONNX models that take the place of a given one: as :mod:`geomrelu.io.onnx.drop_in`, in codes.

Weights and biases are cut where they are stored: codes lose their rows or columns, and scales and zero points that go
with these lose the same entries. What makes a constant of another one (``DequantizeLinear`` of a weight) is done again
with what is left. Nothing is computed, so nothing is rounded.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from geomrelu.io.onnx.drop_in import Surgeon, cut_out
from geomrelu.io.onnx.model import Graph
from geomrelu.io.onnx.trace import Trace
from geomrelu.io.tape import nearest_even
from geomrelu.io.tensors import Tensor, exact_array

__all__ = ["without"]

_MATRICES = {  # where the matrix or kernel is, what goes with its columns, and the zero point of what it reads
    "Conv": (1, (2,), None), "ConvTranspose": (1, (2,), None), "Gemm": (1, (2,), None), "MatMul": (1, (), None),
    "QLinearConv": (3, (4, 5, 8), 2), "QLinearMatMul": (3, (4, 5), 2), "QGemm": (3, (4, 5, 6), 2),
    "ConvInteger": (1, (3,), 2), "MatMulInteger": (1, (3,), 2), "MatMulIntegerToFloat": (1, (3, 5, 6), 4),
}  # fmt: skip
_CODES = frozenset({"QuantizeLinear", "DequantizeLinear", "Quant"})
_POOLS = frozenset({"QLinearAveragePool", "QLinearGlobalAveragePool"})
_TYPES = {1: "f4", 2: "u1", 3: "i1", 4: "u2", 5: "i2", 6: "i4", 7: "i8", 10: "f2", 11: "f8", 12: "u4", 13: "u8"}
_ELEMENTS = {kind: number for number, kind in _TYPES.items()}
Cuts = tuple[tuple[int, np.ndarray], ...]  # an axis, and which places along it stay


def without(
    graph: Graph,
    trace: Trace,
    dead: Mapping[int, set[int]],
    judged: Collection[int],
    rows: int,
    sums: bool = True,
) -> tuple[bytes, set[tuple[int, int]]] | None:
    """The model without dead channels, as :func:`geomrelu.io.onnx.drop_in.without` gives it.

    Args:
        trace: of the graph as a quantised one. dead: of layers of its tape.
        judged: the layers of its tape that are ReLUs of the network.
    """
    return cut_out(_QuantisedSurgeon(graph, trace, dead, rows, judged=frozenset(judged)), sums)


class _QuantisedSurgeon(Surgeon):
    def __init__(self, *given: Any, judged: frozenset[int]) -> None:
        self.judged = judged
        super().__init__(*given)
        self.producers = {name: n.proto for n in self.graph.nodes for name in n.proto.output}

    def own(self, level: int) -> bool:
        return level in self.judged

    def silent(self, level: int) -> np.ndarray:
        quantiser, map_ = self.trace.tape.quantisers[level - 1], self.trace.tape.layers[level - 1]
        if quantiser is None:
            return super().silent(level)
        y = exact_array(np.array(list(map_.bias), dtype=object)) / map_.denominator
        rows = zip(y, quantiser.steps, quantiser.low, quantiser.high, strict=True)
        return np.array([nearest_even(*row) == 0 for row in rows])

    def constants_read(self, name: str, node: Any) -> tuple[np.ndarray, np.ndarray]:
        flags, numerators = super().constants_read(name, node)
        _, _, zero = _MATRICES[node.op_type]
        point = None if zero is None else self.fixed(node, zero)
        if point is not None and point.size == 1:
            tensor = self.tensor(name)
            assert tensor is not None
            numerators = numerators - int(point.ravel()[0]) * tensor.map.denominator
        return flags, numerators

    # ---- labels -----------------------------------------------------------------------------------------------

    def _labelled(self, node: Any, data: list[str], out: Tensor) -> np.ndarray | None:
        kind = node.op_type
        if kind in _MATRICES:
            return self._begun(node, data, out)
        if kind in _CODES:
            return self.labels[data[0]] if data == [node.input[0]] else None
        if kind == "QLinearAdd":
            return self._paired(data, out)
        if kind in _POOLS:
            return self._by_channel(data, out)
        if kind == "QLinearConcat":
            axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
            if not all(name in self.labels for name in node.input[2::3]):
                return None
            return np.concatenate([self.labels[name] for name in node.input[2::3]], axis)
        return super()._labelled(node, data, out)

    def matrix_of(self, node: Any) -> np.ndarray | None:
        return self.fixed(node, _MATRICES[node.op_type][0])

    # ---- the new model ----------------------------------------------------------------------------------------

    def rewritten(self, node: Any) -> dict[int, Any]:
        kind = node.op_type
        if kind not in _MATRICES and kind not in _CODES and kind not in _POOLS and not kind.startswith("QLinear"):
            return super().rewritten(node)
        out = self.kept(node.output[0]) if node.output and node.output[0] in self.labels else None
        given = [self.kept(name) if name in self.labels else None for name in node.input]
        if out is None and not any(given):
            return {}
        if kind in _MATRICES:
            return self._cut_matrix(node, given[0], out)
        if out is None or any(g is not None and g[0] != out[0] for g in given):
            raise ValueError
        if kind in _CODES:
            return self._cut_scales(node, out)
        if kind == "QLinearAdd":
            return self._cut_summands(node, out)
        if kind == "QLinearConcat" or (kind in _POOLS and out[0] == 1):
            return {}
        raise ValueError

    def _cut_matrix(
        self, node: Any, given: tuple[int, np.ndarray] | None, out: tuple[int, np.ndarray] | None
    ) -> dict[int, Any]:
        position, beside, _ = _MATRICES[node.op_type]
        matrix, images = self.fixed(node, position), "Conv" in node.op_type
        assert matrix is not None
        inner = 1 if images else len(self.labels[node.input[0]].shape) - 1
        outer = 1 if images else len(self.labels[node.output[0]].shape) - 1
        if (given is not None and given[0] != inner) or (out is not None and out[0] != outer):
            raise ValueError
        turned = "Gemm" in node.op_type and any(a.name == "transB" and a.i for a in node.attribute)
        rows, columns = (1, 0) if turned or (images and node.op_type != "ConvTranspose") else (0, 1)
        cuts: list[tuple[int, np.ndarray]] = []
        if self._groups(node) != 1:
            if out is None or given is None:
                raise ValueError
            cuts.append((0, out[1]))
        else:
            if given is not None:
                self._check_lost(node, given)
                cuts.append((rows, given[1]))
            if out is not None:
                cuts.append((columns, out[1]))
        changed: dict[int, Any] = {position: tuple(cuts)}
        for k in beside:
            array = self.fixed(node, k)
            if out is not None and array is not None and array.ndim and array.shape[-1] > 1:
                changed[k] = ((array.ndim - 1, out[1]),)
        return changed

    def _check_lost(self, node: Any, given: tuple[int, np.ndarray]) -> None:
        """What is no longer read must have been 0."""
        _, numerators = self.constants_read(node.input[0], node)
        if np.compress(~given[1], numerators, given[0]).any():
            raise ValueError

    def _cut_scales(self, node: Any, out: tuple[int, np.ndarray]) -> dict[int, Any]:
        """Scales and zero points, where there is one for each place along the axis that is cut."""
        axes = len(self.labels[node.output[0]].shape)
        numbers = {a.name: a.i for a in node.attribute if a.name in ("axis", "block_size")}
        if numbers.get("block_size"):
            raise ValueError
        changed: dict[int, Any] = {}
        for k in (1, 2):
            array = self.fixed(node, k)
            if array is None or array.size == 1:
                continue
            at = out[0] - (axes - array.ndim)
            if array.ndim == 1 and node.op_type != "Quant":
                at = 0 if numbers.get("axis", 1) % axes == out[0] else -1
            if 0 <= at < array.ndim and array.shape[at] > 1:
                changed[k] = ((at, out[1]),)
        return changed

    def _cut_summands(self, node: Any, out: tuple[int, np.ndarray]) -> dict[int, Any]:
        axes = len(self.labels[node.output[0]].shape)
        changed: dict[int, Any] = {}
        for k in (0, 3):
            array = self.fixed(node, k)
            at = -1 if array is None else out[0] - (axes - array.ndim)
            if array is not None and 0 <= at < array.ndim and array.shape[at] > 1:
                changed[k] = ((at, out[1]),)
        return changed

    def renamed(
        self, name: str, array: Any, protos: dict[str, Any], made: dict[tuple[str, bytes], str], nodes: list[Any]
    ) -> str:
        if not isinstance(array, tuple):
            return super().renamed(name, array, protos, made, nodes)
        maker = self.producers.get(name)
        if maker is None or maker.op_type == "Constant":
            return self._added(name, self._cut(name, array), protos, made)
        key = name, repr([(axis, stays.tolist()) for axis, stays in array]).encode()
        if key not in made:
            copy = type(maker)()
            copy.CopyFrom(maker)
            for k, cuts in self._through(maker, array).items():
                copy.input[k] = self.renamed(maker.input[k], cuts, protos, made, nodes)
            there = {**protos, **dict.fromkeys(n for node in nodes for n in node.output)}
            made[key] = copy.output[0] = self._name(name, there)
            copy.name = ""
            nodes.append(copy)
        return made[key]

    def _through(self, maker: Any, cuts: Cuts) -> dict[int, Cuts]:
        """What a node that makes a constant is given for one that is cut; ValueError if that is not known."""
        whole = self.trace.values.get(maker.output[0])
        if not isinstance(whole, np.ndarray) or len(maker.output) != 1:
            raise ValueError
        if maker.op_type == "Transpose":
            order = next((list(a.ints) for a in maker.attribute if a.name == "perm"), [*range(whole.ndim)][::-1])
            return {0: tuple((order[axis], stays) for axis, stays in cuts)}
        if maker.op_type in ("Identity", "Cast"):
            return {0: cuts}
        if maker.op_type not in _CODES or any(a.name == "block_size" and a.i for a in maker.attribute):
            raise ValueError
        axis = next((a.i for a in maker.attribute if a.name == "axis"), 1)
        found: dict[int, Cuts] = {0: cuts}
        for k in (1, 2):
            array = self.fixed(maker, k)
            if array is None or array.size == 1:
                continue
            if array.ndim == 1 and maker.op_type != "Quant":
                own = tuple((0, stays) for at, stays in cuts if at == axis % whole.ndim)
            else:
                shift = whole.ndim - array.ndim
                own = tuple((at - shift, s) for at, s in cuts if at >= shift and array.shape[at - shift] > 1)
            if own:
                found[k] = own
        return found

    def _cut(self, name: str, cuts: Cuts) -> Any:
        """A stored constant with what stays; ValueError if its element type is not cut."""
        proto, array = self.graph.protos.get(name), self.trace.values.get(name)
        if array is None and proto is not None:
            array = self.graph.constant(name)
        if not isinstance(array, np.ndarray) or hasattr(proto, "values"):
            raise ValueError
        kind = _ELEMENTS.get(array.dtype.str[1:]) if proto is None else proto.data_type
        if kind not in _TYPES or array.dtype.str[1:] != _TYPES[kind]:
            raise ValueError
        for axis, stays in cuts:
            array = np.compress(stays, array, axis)
        tensor = importlib.import_module("onnx").TensorProto(data_type=kind, dims=array.shape)
        tensor.raw_data = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        return tensor
