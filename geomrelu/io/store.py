"""Write networks exactly: chains of dense layers as ``.npz``, all others as ``.onnx``, too.

A number is written as the float that equals it. Where there is none, ``.npz`` holds it as text, which the reader takes
as it is spelt; in ``.onnx`` a bias may be the sum of several floats, a weight may not.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap
from geomrelu.exact.numbers import nearest_float, rational
from geomrelu.io.files import FilePath, write

__all__ = ["onnx_bytes", "write_npz", "write_onnx"]

Chain = Sequence[tuple[AffineMap, str]]


def write_npz(path: FilePath, layers: Chain) -> None:
    """Write ``W1, b1, ...`` and ``activations``, as :func:`geomrelu.io.npz.read` reads them."""
    arrays: dict[str, Any] = {"activations": np.array([activation for _, activation in layers])}
    for position, (map_, _) in enumerate(layers, 1):
        for name, values in ((f"W{position}", _weights(map_)), (f"b{position}", _biases(map_))):
            floats = _floats(values)
            texts = [[str(v) for v in row] for row in values] if values.ndim == 2 else [str(v) for v in values]
            arrays[name] = np.array(texts) if floats is None else floats
    stream = BytesIO()
    np.savez_compressed(stream, **arrays)
    write(path, stream.getvalue())


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
    parts = _parts(inputs, layers)
    weights = [[(b, _floats(_weights(m))) for b, m in blocks] for blocks in parts]
    for position, blocks in enumerate(weights, 1):
        if any(floats is None for _, floats in blocks):
            raise InputError(f"{path}: layer {position} has a weight that no float equals; write .json or .npz")
    kind = np.result_type(*(w for blocks in weights for _, w in blocks if w is not None))
    nodes, constants, values = [], [], ["x"]
    for position, ((map_, activation), blocks) in enumerate(zip(layers, weights, strict=True), 1):
        products = []
        for (block, floats), (_, part) in zip(blocks, parts[position - 1], strict=True):
            same = floats if floats is not None and floats.dtype == kind else _nearest(_weights(part), kind)
            name = f"{position}" if len(blocks) == 1 else f"{position}.{block}"
            constants.append(from_array(np.ascontiguousarray(same.T), f"W{name}"))
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


def _weights(map_: AffineMap) -> np.ndarray:
    dense = np.full((map_.outputs, map_.inputs), Fraction(0), dtype=object)
    for i in range(map_.outputs):
        _, columns, entries = map_.row(i)
        for j, v in zip(columns, entries, strict=True):
            dense[i, j] = Fraction(v, map_.denominator)
    return dense


def _biases(map_: AffineMap) -> np.ndarray:
    bias = np.empty(map_.outputs, dtype=object)
    bias[:] = [Fraction(b, map_.denominator) for b in map_.bias]
    return bias


def _nearest(values: np.ndarray, kind: Any) -> np.ndarray:
    found = np.array([nearest_float(v) for v in values.ravel()], dtype=np.float64).reshape(values.shape)
    with np.errstate(over="ignore"):
        return found.astype(kind)


def _equal(values: np.ndarray, floats: np.ndarray) -> bool:
    """Is each float, exactly, the number in its place?"""
    pairs = zip(values.ravel(), floats.ravel(), strict=True)
    return bool(np.isfinite(floats).all()) and all(rational(f) == v for v, f in pairs)


def _floats(values: np.ndarray) -> np.ndarray | None:
    """The numbers as floats of the smallest kind that holds them all, if there is one."""
    for kind in (np.float32, np.float64):
        floats = _nearest(values, kind)
        if _equal(values, floats):
            return floats
    return None


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
