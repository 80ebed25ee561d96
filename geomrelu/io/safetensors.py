"""Models in ``.safetensors``: named tensors, sorted by type and then by name, which are a state dictionary.

The bytes are taken apart by the package ``safetensors``, which checks that the header is true of the file.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import affordable
from geomrelu.io import narrow, sae, state_dict
from geomrelu.io.files import FilePath, named, one_line, read_bytes
from geomrelu.io.tape import Tape

__all__ = ["read"]

_TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BF16": "<u2", "F8_E5M2": "u1", "F8_E4M3": "u1",
}  # fmt: skip
_NARROW = {"BF16": "bfloat16", "F8_E5M2": "float8_e5m2", "F8_E4M3": "float8_e4m3fn"}  # bits that mean other numbers


def read(
    path: FilePath,
    *,
    order: Sequence[str] | None = None,
    activation: str | Sequence[str] | None = None,
    select: str | Sequence[str] | None = None,
    apply_b_dec_to_input: bool | None = None,
) -> Tape:
    """The model in a ``.safetensors`` file.

    Args:
        order, activation: as :func:`geomrelu.io.state_dict.network` takes them; the order in which the file holds its
            tensors means nothing.
        select: patterns such as ``model.layers.3.fc*``: only layers with such names; everything else is left out.
        apply_b_dec_to_input: as :func:`geomrelu.io.sae.network` takes it.

    Raises:
        InputError: ``path: what is wrong``; the package safetensors is not installed.

    Exact: yes; float16, bfloat16 and the eight-bit floats E4M3 and E5M2 too.
    """
    try:
        deserialize: Any = importlib.import_module("safetensors").deserialize
    except ImportError:
        raise InputError(
            f"{path}: reading it needs the package safetensors: pip install 'geomrelu[safetensors]'"
        ) from None
    data = read_bytes(path)
    with named(path):
        try:
            tensors = dict(deserialize(data))
        except Exception as problem:  # the package's own error, and those of malformed text
            raise InputError(f"not a usable safetensors file: {one_line(problem)}") from None
        affordable(sum(len(tensor["data"]) for tensor in tensors.values()) // 8, "the tensors")
        names, left = state_dict.chosen(tensors, select, path)
        arrays = {name: _array(name, tensors[name]) for name in names}
        if sae.is_meant(arrays):
            return sae.network(
                arrays, sae.configuration(path), "safetensors", apply_b_dec_to_input=apply_b_dec_to_input
            )
        beside = [state_dict.settings_beside(path)]
        return state_dict.network(arrays, "safetensors", order=order, activation=activation, left=left, settings=beside)


def _array(name: str, tensor: Any) -> np.ndarray:
    kind, data = str(tensor["dtype"]), bytes(tensor["data"])
    if kind not in _TYPES:
        raise InputError(f"tensor {name[:80]!r} holds {kind}, which is not read")
    wanted: np.dtype[Any] = np.dtype(_TYPES[kind])
    array: np.ndarray = np.frombuffer(data, wanted)
    if kind in _NARROW:
        array = narrow.widened(array, _NARROW[kind])
    return array.reshape(tensor["shape"])
