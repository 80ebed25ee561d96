"""Write networks exactly: chains of dense layers as ``.npz``, all others as ``.onnx``, too.

A number is written as the float that equals it. Where there is none, ``.npz`` holds it as text, which the reader takes
as it is spelt; in ``.onnx`` a bias may be the sum of several floats, a weight may not.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap, affordable
from geomrelu.exact.numbers import nearest, nearest_float, rational, same
from geomrelu.io.files import FilePath, write
from geomrelu.replacing import replacing

__all__ = ["check_npz", "check_onnx", "onnx_bytes", "write_npz", "write_onnx"]

Chain = Sequence[tuple[AffineMap, str]]


def write_npz(path: FilePath, layers: Chain) -> None:
    """Write ``W1, b1, ...`` and ``activations``, as :func:`geomrelu.io.npz.read` reads them."""
    check_npz(path, layers)
    arrays: dict[str, Any] = {"activations": np.array([activation for _, activation in layers])}
    for position, (map_, _) in enumerate(layers, 1):
        values = _entries(map_)
        arrays[f"W{position}"] = _texts(path, position, map_) if values is None else _dense(map_, values)
        bias = _floats(map_.bias, map_.denominator, nearest(map_.bias, map_.denominator))
        arrays[f"b{position}"] = np.array([str(v) for v in _biases(map_)]) if bias is None else bias
    with replacing(path) as stream:
        np.savez_compressed(stream, **arrays)


def check_npz(path: FilePath, layers: Chain) -> None:
    """Before long work: can layers be written?

    Raises:
        TooLarge: as matrices, with all their zeros, they cannot.
    """
    _affordable(path, [map_ for map_, _ in layers])


def write_onnx(path: FilePath, inputs: int, layers: Chain) -> None:
    """Write MatMul, Add and Relu nodes, float32 if all weights are, else float64.

    Args:
        layers: maps over all variables before them, with their activations, see :mod:`geomrelu.io.tape`.

    Raises:
        InputError: a weight is no float64, or a bias not the sum of eight of its kind; the package onnx is missing.
    """
    write(path, onnx_bytes(path, inputs, layers))


def onnx_bytes(path: FilePath, inputs: int, layers: Chain) -> bytes:
    """What :func:`write_onnx` writes."""
    try:
        helper: Any = importlib.import_module("onnx.helper")
        from_array: Any = importlib.import_module("onnx.numpy_helper").from_array
    except ImportError:
        raise InputError(f"{path}: writing ONNX files needs the package onnx: pip install 'geomrelu[onnx]'") from None
    parts, weights, kind = _held(path, inputs, layers)
    nodes, constants, values = [], [], ["x"]
    for position, ((map_, activation), blocks) in enumerate(zip(layers, parts, strict=True), 1):
        products = []
        for (block, part), floats in zip(blocks, weights[position - 1], strict=True):
            name = f"{position}" if len(blocks) == 1 else f"{position}.{block}"
            same = floats if floats.dtype == kind else part.floats[0].data
            constants.append(from_array(np.ascontiguousarray(_dense(part, same).T), f"W{name}"))
            nodes.append(helper.make_node("MatMul", [values[block], f"W{name}"], [f"m{name}"]))
            products.append(f"m{name}")
        value = products[0]
        for part_, summand in enumerate(products[1:], 1):
            nodes.append(helper.make_node("Add", [value, summand], [f"s{position}.{part_}"]))
            value = f"s{position}.{part_}"
        for part_, array in enumerate(_summands(_biases(map_), kind, f"{path}: layer {position}")):
            constants.append(from_array(array, f"b{position}.{part_}"))
            nodes.append(helper.make_node("Add", [value, f"b{position}.{part_}"], [f"a{position}.{part_}"]))
            value = f"a{position}.{part_}"
        if activation == "relu":
            nodes.append(helper.make_node("Relu", [value], [f"v{position}"]))
            value = f"v{position}"
        values.append(value)
    element = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    graph = helper.make_graph(
        nodes,
        "pruned",
        [helper.make_tensor_value_info("x", element, ["batch", inputs])],
        [helper.make_tensor_value_info(values[-1], element, ["batch", layers[-1][0].outputs])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def check_onnx(path: FilePath, inputs: int, layers: Chain) -> None:
    """The same of what :func:`write_onnx` writes.

    Raises:
        InputError: as there.
    """
    _, _, kind = _held(path, inputs, layers)
    for position, (map_, _) in enumerate(layers, 1):
        _summands(_biases(map_), kind, f"{path}: layer {position}")


def _held(
    path: FilePath, inputs: int, layers: Chain
) -> tuple[list[list[tuple[int, AffineMap]]], list[list[np.ndarray]], Any]:
    """The parts of all layers, the entries of each as floats, and of which kind all of them are."""
    parts = _parts(inputs, layers)
    _affordable(path, [part for blocks in parts for _, part in blocks])
    weights = []
    for position, blocks in enumerate(parts, 1):
        found = [floats for _, part in blocks if (floats := _entries(part)) is not None]
        if len(found) < len(blocks):
            raise InputError(f"{path}: layer {position} has a weight that no float equals; write .json or .npz")
        weights.append(found)
    return parts, weights, np.result_type(*(w for blocks in weights for w in blocks))


def _affordable(path: FilePath, maps: Sequence[AffineMap]) -> None:
    size = sum(map_.outputs * map_.inputs for map_ in maps)
    affordable(size, f"{path}: layers as matrices (.json leaves zeros out)")


def _parts(inputs: int, layers: Chain) -> list[list[tuple[int, AffineMap]]]:
    """For each layer the earlier values it reads (0: the inputs, then the layers), with the part of its map on each.

    A layer that nothing reads is read by the next one, with weights 0: else it would not belong to the graph.
    """
    starts = [0, inputs]
    for map_, _ in layers:
        starts.append(starts[-1] + map_.outputs)
    read = [{int(b) for b in np.searchsorted(starts, map_.indices, side="right") - 1} for map_, _ in layers]
    found = []
    for position, (map_, _) in enumerate(layers):
        idle = position > 0 and not any(position in blocks for blocks in read)
        rows = map_.row_of
        blocks = []
        for block in sorted(read[position] | ({position} if idle or not read[position] else set())):
            first, last = starts[block], starts[block + 1]
            inside = (map_.indices >= first) & (map_.indices < last)
            part = AffineMap.from_entries(
                (map_.outputs, last - first), rows[inside], map_.indices[inside] - first, map_.data[inside],
                map_.denominator, [0] * map_.outputs,
            )  # fmt: skip
            blocks.append((block, part))
        found.append(blocks)
    return found


def _dense(map_: AffineMap, values: np.ndarray) -> np.ndarray:
    """The matrix of a map, from its entries as floats."""
    dense = np.zeros((map_.outputs, map_.inputs), values.dtype)
    dense[map_.row_of, map_.indices] = values
    return dense


def _texts(path: FilePath, position: int, map_: AffineMap) -> np.ndarray:
    """The matrix of a map, its numbers spelt."""
    spelt = {v: str(Fraction(v, map_.denominator)) for v in dict.fromkeys(map_.data)}
    longest = max(map(len, spelt.values()), default=1)
    size = map_.outputs * map_.inputs * longest
    affordable(size // 2, f"{path}: the numbers of layer {position} as texts")  # of 4 bytes each, not of 8
    dense = np.full((map_.outputs, map_.inputs), "0", dtype=f"U{longest}")
    dense[map_.row_of, map_.indices] = [spelt[v] for v in map_.data]
    return dense


def _biases(map_: AffineMap) -> np.ndarray:
    bias = np.empty(map_.outputs, dtype=object)
    bias[:] = [Fraction(b, map_.denominator) for b in map_.bias]
    return bias


def _nearest(values: np.ndarray, kind: Any) -> np.ndarray:
    found = np.array([nearest_float(v) for v in values], dtype=np.float64)
    with np.errstate(over="ignore"):
        return found.astype(kind)


def _floats(numerators: Sequence[int], denominator: int, nearest_: np.ndarray) -> np.ndarray | None:
    """Numbers as floats of the smallest kind that holds them all, if there is one, from the float64 nearest to them."""
    for kind in (np.float32, np.float64):
        with np.errstate(over="ignore"):
            floats = nearest_.astype(kind)
        if np.isfinite(floats).all() and all(same(floats, numerators, denominator)):
            return floats
    return None


def _entries(map_: AffineMap) -> np.ndarray | None:
    return _floats(map_.data.tolist(), map_.denominator, map_.floats[0].data)


def _summands(values: np.ndarray, kind: Any, where: str) -> list[np.ndarray]:
    """Vectors of floats that add up, exactly, to the given one."""
    parts: list[np.ndarray] = []
    rest = values
    while not parts or any(rest):
        part = _nearest(rest, kind)
        if len(parts) == 8 or not np.isfinite(part).all():
            raise InputError(f"{where} has a bias that is no sum of floats; write .json or .npz")
        parts.append(part)
        known = np.empty(len(rest), dtype=object)
        known[:] = [rational(f) for f in part]
        rest = rest - known
    return parts
