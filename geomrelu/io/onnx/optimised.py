"""What onnxruntime computes otherwise than the graph says, beyond the rounding of floats: when it optimises a graph,
and on some processors.

The network that is read is the one in the file; a note names the tensors where the other one may differ. Each of these
is reproduced by a program in ``findings``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from geomrelu.io.onnx.model import Graph
from geomrelu.io.onnx.protobuf import RANGES

__all__ = ["optimised_away"]

_BIASES = "when it optimises, rounds biases that are floats to whole steps"
_FACTORS = "when it optimises, rounds the other factors of dequantised weights to 8 bits"
_UNITS = "when it optimises, takes the codes of biases for steps of the product of the two scales"
_BLOCKS = "when it optimises, takes the scales of blocks of weights for others"
_TWICE = "when it optimises, rounds once where the graph rounds twice in a row"
_PAIRS = "on x86 processors without VNNI, cuts off sums of two products of codes at 16 bits"
_PRODUCTS = {"MatMulInteger": (0, 1), "MatMulIntegerToFloat": (0, 1), "QGemm": (0, 3), "QLinearConv": (0, 3),
             "QLinearMatMul": (0, 3)}  # fmt: skip  # which inputs are multiplied
_UNSIGNED, _SIGNED = 2, 3  # UINT8, INT8
_NARROW = 8  # bits: of weights, and of the codes that are multiplied as codes


def optimised_away(graph: Graph, kinds: Mapping[str, int]) -> dict[str, list[str]]:
    """What is done, and for which tensors.

    Biases beside dequantised factors become whole steps, and those that are codes are taken as they are, whatever
    their scale; the other factor of dequantised weights of at most 8 bits is rounded to 8 bits, block by block
    (MatMulNBits), unless it has so few itself; products of codes know no blocks; what is quantised again as soon as it
    was dequantised is quantised once, by the smaller of both steps. Products of codes without and with a sign are added
    in pairs by an instruction that saturates (vpmaddubsw), those of dequantised int8 codes too, which are given another
    zero point.

    Args:
        kinds: element types of the tensors that depend on the input.
    """
    found: dict[str, list[str]] = {what: [] for what in (_BIASES, _FACTORS, _UNITS, _BLOCKS, _TWICE, _PAIRS)}
    walk = _Walk(graph, kinds)
    for proto in (n.proto for n in graph.nodes):
        for what in walk.otherwise(proto):
            found[what].append(proto.output[0])
    return {what: names for what, names in found.items() if names}


class _Walk:
    def __init__(self, graph: Graph, kinds: Mapping[str, int]) -> None:
        self.graph, self.kinds = graph, kinds
        self.made = {name: n.proto for n in graph.nodes for name in n.proto.output}
        self.rounded = {name for n in graph.nodes if n.proto.op_type == "QuantizeLinear" for name in n.proto.input[:1]}

    def otherwise(self, proto: Any) -> list[str]:
        """What becomes something else at this node."""
        found, factors, bias = list[str](), list(proto.input[:2]), list(proto.input[2:])
        if proto.op_type in ("MatMul", "Gemm") and len(factors) == 2 and self._bits(factors[1]) <= _NARROW:
            if self._bits(factors[0]) > _NARROW:
                found.append(_FACTORS)
            elif proto.op_type == "MatMul" and self._in_blocks(factors[1]) and proto.output[0] not in self.rounded:
                found.append(_BLOCKS)
        if proto.op_type == "Add":
            bias = [name for name in factors if not self._is_made(name, "MatMul")]
            factors = [name for other in factors if self._is_made(other, "MatMul") for name in self.made[other].input]
        if proto.op_type in ("Add", "Gemm", "Conv") and len(bias) == 1 and len(factors) > 1:
            found += self._bias(bias[0], factors, proto.op_type)
        if self._saturates(proto):
            found.append(_PAIRS)
        if proto.op_type == "QuantizeLinear" and factors and self._is_made(factors[0], "DequantizeLinear"):
            codes = self._read(factors[0], 0)
            if self._is_made(codes, "QuantizeLinear") and proto.input[1:] != self.made[codes].input[1:]:
                found.append(_TWICE)
        return found

    def _bias(self, name: str, factors: list[str], operator: str) -> list[str]:
        if not all(self._is_made(factor, "DequantizeLinear") for factor in factors):
            return []
        if self._fixed(name) is not None:
            return [_BIASES]
        if operator == "Conv" or not self._is_made(name, "DequantizeLinear"):  # Conv is left alone if they differ
            return []
        if max(map(self._bits, factors)) > _NARROW:
            return []
        scales, zero = [self._fixed(self._read(made, 1)) for made in (name, *factors)], self._fixed(self._read(name, 2))
        if any(scale is None for scale in scales):
            return []
        own, first, second = (np.asarray(scale, dtype=float).ravel() for scale in scales)
        same = first.size == 1 and own.size in (1, second.size) and np.allclose(own, first * second, 1e-5, 0)
        return [] if same and (zero is None or not zero.any()) else [_UNITS]

    def _is_made(self, name: str, by: str) -> bool:
        return name in self.made and self.made[name].op_type == by

    def _read(self, name: str, place: int) -> str:
        """What stands at that place of what makes a tensor; nothing if it has fewer inputs."""
        return next(iter(self.made[name].input[place : place + 1]), "")

    def _fixed(self, name: str) -> np.ndarray | None:
        """A constant that stands in the graph."""
        if name in self.graph.protos:
            return self.graph.constant(name)
        if not self._is_made(name, "Constant"):
            return None
        return next((self.graph.array(a.t) for a in self.made[name].attribute if a.name == "value"), None)

    def _bits(self, name: str) -> int:
        """Of the codes that a tensor was dequantised from; of other tensors those of a float."""
        while self._is_made(name, "Transpose"):
            name = self._read(name, 0)
        if not self._is_made(name, "DequantizeLinear"):
            return 32
        least, largest = RANGES.get(self._kind(self._read(name, 0)), (0, 1 << 32))
        return int(largest - least).bit_length()

    def _kind(self, codes: str) -> int:
        """The element type of codes."""
        if codes not in self.kinds and self._is_made(codes, "QuantizeLinear"):  # of a constant: as its zero point
            codes = self._read(codes, 2)
            if not codes:
                return _UNSIGNED
        return int(self.kinds.get(codes, getattr(self.graph.protos.get(codes), "data_type", 0)))

    def _saturates(self, proto: Any) -> bool:
        """May two products of codes of one sum exceed 16 bits? Which two are added, only the engine knows."""
        if proto.op_type in _PRODUCTS:
            names, allowed = [proto.input[k] for k in _PRODUCTS[proto.op_type] if k < len(proto.input)], [_UNSIGNED]
        elif proto.op_type in ("MatMul", "Gemm", "Conv"):
            if not all(self._is_made(name, "DequantizeLinear") for name in proto.input[:2]):
                return False
            names, allowed = [self._read(name, 0) for name in proto.input[:2]], [_UNSIGNED, _SIGNED]
        else:
            return False
        if len(names) < 2 or self._kind(names[0]) not in allowed or self._kind(names[1]) != _SIGNED:
            return False
        codes = self._fixed(names[1])
        if codes is None or codes.ndim < 2:
            return False
        if "Conv" in proto.op_type:
            rows = codes.reshape(len(codes), -1)
        else:
            turned = any(a.name == "transB" and a.i for a in proto.attribute)
            rows = codes if turned else np.swapaxes(codes, -1, -2)
        if rows.shape[-1] < 2:
            return False
        ends = np.partition(rows, (1, -2), axis=-1).astype(np.int64)  # the two least and the two largest of each sum
        most = np.maximum(ends[..., -2:], 0).sum(axis=-1).max(initial=0)
        least = np.minimum(ends[..., :2], 0).sum(axis=-1).min(initial=0)
        return bool(255 * max(most, -least) >= 1 << 15)

    def _in_blocks(self, name: str) -> bool:
        if not self._is_made(name, "DequantizeLinear") or self._bits(name) < _NARROW:
            return False
        return any(a.name == "block_size" and a.i for a in self.made[name].attribute)
