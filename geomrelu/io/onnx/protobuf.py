"""Numbers as an ONNX file stores them, bit by bit, whatever the processor does to small floats."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import affordable
from geomrelu.exact.numbers import bfloat16, rational

__all__ = ["FLOATS", "INTEGERS", "RANGES", "array_of", "float32_field", "held"]

FLOATS = {1: (24, 8), 10: (11, 5), 11: (53, 11), 16: (8, 8)}
"""Element types of values: FLOAT, FLOAT16, DOUBLE, BFLOAT16; bits of the significand and of the exponent."""

INTEGERS = {2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 12: "uint32", 13: "uint64"}
"""Element types of whole numbers and their names in NumPy."""

RANGES = {
    2: (0, 255), 3: (-128, 127), 4: (0, 65535), 5: (-32768, 32767), 6: (-(1 << 31), (1 << 31) - 1),
    7: (-(1 << 63), (1 << 63) - 1), 12: (0, (1 << 32) - 1), 13: (0, (1 << 64) - 1),
    21: (0, 15), 22: (-8, 7), 25: (0, 3), 26: (-2, 1),
}  # fmt: skip
"""The least and the largest number of each type of whole numbers, also of those of 4 and 2 bits."""

_BOOL = 9
_PLAIN = {1: "<f4", 10: "<f2", 11: "<f8", _BOOL: "u1", **{k: f"<{np.dtype(v).str[1:]}" for k, v in INTEGERS.items()}}
_PACKED = {21: (4, False), 22: (4, True), 23: (4, False), 25: (2, False), 26: (2, True)}  # bits each, signed
_SMALL = {  # exponent bits, mantissa bits, bias, and the patterns that are no numbers
    17: (4, 3, 7, {0x7F, 0xFF}),  # FLOAT8E4M3FN
    18: (4, 3, 8, {0x80}),  # FLOAT8E4M3FNUZ
    19: (5, 2, 15, {*range(0x7C, 0x80), *range(0xFC, 0x100)}),  # FLOAT8E5M2
    20: (5, 2, 16, {0x80}),  # FLOAT8E5M2FNUZ
    23: (2, 1, 1, set[int]()),  # FLOAT4E2M1
    24: (8, 0, 127, {0xFF}),  # FLOAT8E8M0: a power of two
}
_FIELDS = {1: "float_data", 7: "int64_data", 11: "double_data", 12: "uint64_data", 13: "uint64_data"}  # else int32_data


def array_of(proto: Any, external: bytes | None = None) -> np.ndarray:
    """The array of a TensorProto as stored; bfloat16 as float32, float8 and float4 as float64.

    Args:
        external: the bytes, where they are in another file.

    Raises:
        InputError: data that do not fit their header, an element type that is no number.

    Exact: yes.
    """
    where, shape, kind = f"tensor {proto.name[:80]!r}", tuple(proto.dims), proto.data_type
    if any(d < 0 for d in shape):
        raise InputError(f"{where} is not readable: shape {list(shape)}")
    count = math.prod(shape)
    if external is None:  # otherwise there must be as many bytes
        affordable(count, where)
    if kind in _PACKED:
        bits, signed = _PACKED[kind]
        each = 8 // bits
        stored = _stored(proto, external, "u1", -(-count // each), where)
        parts = [(stored >> (bits * k)) & ((1 << bits) - 1) for k in range(each)]
        codes = np.stack(parts, axis=-1).ravel()[:count].reshape(shape)
        if kind in _SMALL:
            return _table(kind, bits)[codes]
        return codes.astype(np.int8) - ((codes >> (bits - 1)).astype(np.int8) << bits) if signed else codes
    if kind in _SMALL:
        return _table(kind, 8)[_stored(proto, external, "u1", count, where).reshape(shape)]
    if kind == 16:
        return bfloat16(_stored(proto, external, "<u2", count, where)).reshape(shape)
    if kind not in _PLAIN:
        names = {v: k for k, v in type(proto).DataType.items()}
        raise InputError(f"{where} holds {names.get(kind, kind)}, which is not supported")
    stored = _stored(proto, external, _PLAIN[kind], count, where).reshape(shape)
    return stored.astype(bool) if kind == _BOOL else stored.astype(stored.dtype.newbyteorder("="), copy=False)


def _stored(proto: Any, external: bytes | None, kind: str, count: int, where: str) -> np.ndarray:
    """The entries in the order of the file: raw bytes, or a field of numbers."""
    if external is not None or proto.HasField("raw_data"):
        data = proto.raw_data if external is None else external
    else:
        field = _FIELDS.get(proto.data_type, "int32_data")
        if field == "float_data":
            data = float32_field(proto, field).tobytes()
        else:
            listed = getattr(proto, field)
            wide = np.array(listed, dtype={"double_data": "<f8", "uint64_data": "<u8"}.get(field, "<i8"))
            if field == "double_data":
                data = wide.tobytes()
            else:
                size = np.dtype(kind).itemsize  # numbers that do not fit are refused, not cut
                low, high = (-(1 << 8 * size - 1), 1 << 8 * size) if size < 8 else (-(1 << 63), 1 << 64)
                if any(not low <= int(v) < high for v in listed):
                    raise InputError(f"{where} is not readable: a number does not fit its type")
                unsigned = wide.astype("<u8", copy=False) if size == 8 else (wide & ((1 << 8 * size) - 1))
                data = unsigned.astype(f"<u{size}").tobytes()
    size = np.dtype(kind).itemsize
    if len(data) != count * size:
        raise InputError(f"{where} is not readable: {len(data)} bytes for {count} entries of {size}")
    return np.frombuffer(data, kind)


def held(array: np.ndarray, kind: int) -> np.ndarray:
    """Floats and rationals as an array of an element type; what is of another kind stays as it is.

    Raises:
        ValueError: there is no such float.
    """
    wanted = np.dtype(_PLAIN[kind] if kind in (1, 10, 11) else array.dtype if array.dtype != object else "<f4")
    if array.dtype.kind not in "fO" or array.dtype == wanted:
        return array
    numbers = [rational(v) for v in array.ravel()]
    floats = np.array([float(v) for v in numbers]).astype(wanted)
    if any(rational(f) != v for f, v in zip(floats, numbers, strict=True)):
        raise ValueError
    return floats.reshape(array.shape)


def _table(kind: int, bits: int) -> np.ndarray:
    """The value of each bit pattern of a small float; all of them are normal numbers of float64."""
    exponent_bits, mantissa_bits, bias, no_numbers = _SMALL[kind]
    values = []
    for code in range(1 << bits):
        sign = -1 if exponent_bits + mantissa_bits < bits and code >> (bits - 1) else 1
        exponent = code >> mantissa_bits & ((1 << exponent_bits) - 1)
        mantissa = code & ((1 << mantissa_bits) - 1)
        if code in no_numbers:
            values.append(math.nan)
        elif not mantissa_bits:
            values.append(float(Fraction(2) ** (exponent - bias)))
        else:
            mantissa += (exponent > 0) << mantissa_bits
            values.append(float(sign * mantissa * Fraction(2) ** (max(exponent, 1) - bias - mantissa_bits)))
    return np.array(values)


def float32_field(message: Any, name: str) -> np.ndarray:
    """A field of 32-bit floats of a message, bit by bit; read through its attribute they would become doubles."""
    number, data, at, found = message.DESCRIPTOR.fields_by_name[name].number, message.SerializeToString(), 0, []
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == 0:
            _, at = _varint(data, at)
            continue
        size, at = _varint(data, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
        if tag >> 3 == number:
            found.append(data[at : at + size])
        at += size
    return np.frombuffer(b"".join(found), "<f4")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The whole number that stands there, and where it ends (protobuf: seven bits a byte, the lowest first)."""
    value, shift = 0, 0
    while True:
        byte = data[at]
        value, shift, at = value | (byte & 0x7F) << shift, shift + 7, at + 1
        if byte < 0x80:
            return value, at
