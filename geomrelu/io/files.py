"""Opening a file: whatever is wrong with it is one line that starts with its path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike

from geomrelu.errors import InputError

__all__ = ["FilePath", "named", "read_bytes", "read_text"]

FilePath = str | PathLike[str]

_LARGEST = 1 << 29  # bytes: beyond the largest models, and an end for files that have none


@contextmanager
def named(path: FilePath) -> Iterator[None]:
    """Every :class:`InputError` raised inside speaks of the file ``path``."""
    try:
        yield
    except InputError as problem:
        raise InputError(f"{path}: {problem}") from None


def read_bytes(path: FilePath) -> bytes:
    """The whole file.

    Raises:
        InputError: missing, a directory, not permitted, or larger than any model.
    """
    try:
        with open(path, "rb") as stream:
            data = stream.read(_LARGEST + 1)
    except (OSError, ValueError) as problem:  # ValueError: a null character in the path
        raise InputError(f"{path}: {getattr(problem, 'strerror', None) or problem}") from None
    if len(data) > _LARGEST:
        raise InputError(f"{path}: larger than {_LARGEST} bytes")
    return data


def read_text(path: FilePath) -> str:
    """The whole file as UTF-8 text; a byte order mark is dropped.

    Raises:
        InputError: as :func:`read_bytes`, or not UTF-8.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise InputError(f"{path}: byte {problem.start} is not UTF-8 text") from None
