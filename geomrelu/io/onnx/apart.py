"""Large ONNX files without the numbers of their large tensors, which are read one by one where they are needed.

The message is walked in the encoding of protobuf: a varint with the number of a field and its kind, then a varint with
the value (kind 0), 8 or 4 bytes (1, 5), or a varint with a length and so many bytes (2). Fields: ``graph`` is 7 of a
model, ``initializer`` 5 of a graph, ``name`` 8 and ``raw_data`` 9 of a tensor.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from geomrelu.errors import InputError

__all__ = ["Place", "divided", "numbers_at"]

LARGE_FILE = 1 << 24  # bytes: smaller ones are read as a whole
LARGE = 1 << 20  # of a tensor
_LARGEST = 1 << 29  # of what is kept in one piece
_GRAPH, _INITIALIZER, _NAME, _RAW = 7, 5, 8, 9


class Place(NamedTuple):
    """Bytes of a file, and which file it was: another one may have its name later."""

    first: int
    length: int
    version: tuple[int, ...]


class _Unusual(Exception):
    """Nothing is wrong with that, but it is for the parser of protobuf."""


def divided(path: str | os.PathLike[str]) -> tuple[bytes, dict[str, Place]] | None:
    """The message without ``raw_data`` of large initializers, and where these are; None: the file is not large, or not
    of the usual form, and is to be read as a whole."""
    try:
        with open(path, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size < LARGE_FILE or os.fspath(path).lower().endswith(".gz"):
                return None
            places: dict[str, Place] = {}
            parts, graphs = list[bytes](), 0
            for number, start, body, end in _fields(stream, size):
                if number == _GRAPH:
                    graphs += 1
                    parts.append(_field(_GRAPH, b"".join(_graph(stream, body, end, places))))
                else:
                    parts.append(_bytes(stream, start, end))
    except (OSError, ValueError, _Unusual):
        return None
    return (b"".join(parts), places) if graphs == 1 and places else None


def numbers_at(path: str | os.PathLike[str], place: Place) -> bytes:
    """What stands there.

    Raises:
        InputError: the file is gone, or is no longer the one that was divided.
    """
    try:
        with open(path, "rb") as stream:
            if _version(stream) == place.version:
                stream.seek(place.first)
                return stream.read(place.length)
    except OSError:
        pass
    raise InputError("the file has changed while it was read")


def _version(stream: BinaryIO) -> tuple[int, ...]:
    about = os.fstat(stream.fileno())
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns


def _graph(stream: BinaryIO, first: int, last: int, places: dict[str, Place]) -> Iterator[bytes]:
    for number, start, body, end in _fields(stream, last, first):
        if number == _INITIALIZER and end - body >= LARGE:
            yield _field(_INITIALIZER, _tensor(stream, body, end, places))
        else:
            yield _bytes(stream, start, end)


def _tensor(stream: BinaryIO, first: int, last: int, places: dict[str, Place]) -> bytes:
    parts, names, found = list[bytes](), list[bytes](), list[Place]()
    for number, start, body, end in _fields(stream, last, first):
        if number == _RAW:
            found.append(Place(body, end - body, _version(stream)))
            continue
        parts.append(_bytes(stream, start, end))
        if number == _NAME:
            names.append(_bytes(stream, body, end))
    name = b"".join(names).decode()
    if len(names) != 1 or len(found) > 1 or name in places:
        raise _Unusual
    if found:
        places[name] = found[0]
    return b"".join(parts)


def _fields(stream: BinaryIO, last: int, first: int = 0) -> Iterator[tuple[int, int, int, int]]:
    """Of each field its number, and where it begins, its value begins, and it ends."""
    at = first
    while at < last:
        stream.seek(at)
        tag = _varint(stream)
        start, kind = at, tag & 7
        if kind == 2:
            length = _varint(stream)
            body = stream.tell()
            at = body + length
        else:
            body = stream.tell()
            if kind == 0:
                _varint(stream)
                at = stream.tell()
            elif kind in (1, 5):
                at = body + (8 if kind == 1 else 4)
            else:
                raise _Unusual
        if at > last:
            raise _Unusual
        yield tag >> 3, start, body, at


def _varint(stream: BinaryIO) -> int:
    value = 0
    for shift in range(0, 64, 7):
        byte = stream.read(1)
        if not byte:
            break
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise _Unusual


def _bytes(stream: BinaryIO, first: int, last: int) -> bytes:
    if last - first > _LARGEST:
        raise _Unusual
    stream.seek(first)
    return stream.read(last - first)


def _field(number: int, data: bytes) -> bytes:
    """A field of bytes."""
    tag, length = bytes([number << 3 | 2]), len(data)
    while length >= 0x80:
        tag += bytes([length & 0x7F | 0x80])
        length >>= 7
    return tag + bytes([length]) + data
