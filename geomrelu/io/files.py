"""Opening and writing a file, or a directory: whatever is wrong with it is one line that starts with its path.

A name that ends in ``.gz`` is decompressed; what it then is, the ending before says (``model.onnx.gz`` is ONNX).
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from geomrelu.arguments import filename
from geomrelu.errors import InputError
from geomrelu.replacing import replacing

__all__ = [
    "FilePath",
    "check_readable",
    "kind_of",
    "named",
    "one_line",
    "parent_of",
    "read_bytes",
    "read_text",
    "same_file",
    "writable",
    "write",
]

FilePath = str | PathLike[str]

_LARGEST = 1 << 29  # bytes: beyond the largest models, and an end for files that have none


@contextmanager
def named(path: FilePath) -> Iterator[None]:
    """Every :class:`InputError` raised inside speaks of the file ``path``, once."""
    try:
        yield
    except InputError as problem:
        text = str(problem)
        raise InputError(text if text.startswith(f"{path}: ") else f"{path}: {text}") from None


def kind_of(path: FilePath) -> str:
    """The ending that says what the file is, in lower case and without ``.gz``.

    >>> kind_of("a/model.ONNX.gz"), kind_of("weights.npz"), kind_of("README")
    ('.onnx', '.npz', '')
    """
    name = Path(path).name.lower()
    return Path(name.removesuffix(".gz")).suffix


def check_readable(path: FilePath) -> None:
    """Is there such a file, asked before long work?

    Raises:
        InputError: missing, a directory, or not permitted.
    """
    try:
        with open(path, "rb"):
            pass
    except (OSError, ValueError) as problem:  # ValueError: a null character in the path
        raise InputError(f"{path}: {getattr(problem, 'strerror', None) or problem}") from None


def read_bytes(path: FilePath) -> bytes:
    """The whole file, decompressed if its name ends in ``.gz``.

    Raises:
        InputError: missing, a directory, not permitted, larger than any model (also once decompressed), or not what
            gzip writes.
    """
    path = filename(path, "a file")  # a number would be a file that is open already
    try:
        with open(path, "rb") as stream:
            data = stream.read(_LARGEST + 1)
    except (OSError, ValueError) as problem:  # ValueError: a null character in the path
        raise InputError(f"{path}: {getattr(problem, 'strerror', None) or problem}") from None
    if len(data) > _LARGEST:
        raise InputError(f"{path}: larger than {_LARGEST} bytes")
    return _decompressed(data, path) if Path(path).name.lower().endswith(".gz") else data


def _decompressed(data: bytes, path: FilePath) -> bytes:
    """The members of a gzip file one after the other; a size that it merely claims is not believed."""
    found = bytearray()
    try:
        while data or not found:
            member = zlib.decompressobj(wbits=31)  # 16 + 15: with the header and the checksum of gzip
            found += member.decompress(data, _LARGEST + 1 - len(found))
            if len(found) > _LARGEST:
                raise InputError(f"{path}: larger than {_LARGEST} bytes once decompressed")
            if not member.eof:
                raise InputError(f"{path}: the compressed data end too soon")
            data = member.unused_data.lstrip(b"\0")  # padding, as gzip itself allows
    except zlib.error as problem:
        raise InputError(f"{path}: not a gzip file: {problem}") from None
    return bytes(found)


def read_text(path: FilePath) -> str:
    """The whole file as UTF-8 text; a byte order mark is dropped.

    Raises:
        InputError: as :func:`read_bytes`, or not UTF-8.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise InputError(f"{path}: byte {problem.start} is not UTF-8 text") from None


def one_line(problem: BaseException) -> str:
    """What an exception of another library says, short enough for a message."""
    return (str(problem).strip() or type(problem).__name__).splitlines()[0][:200]


def parent_of(path: FilePath) -> Path:
    """The directory of a file that is to be written, asked for before long work.

    Raises:
        InputError: it is not there, or the file cannot be written.
    """
    path = filename(path, "a file")
    if not (parent := Path(path).parent).is_dir():
        raise InputError(f"{path}: there is no directory {parent}")
    try:
        os.stat(path)
        asked: FilePath = path
    except FileNotFoundError:
        asked = parent
    except (OSError, ValueError) as problem:  # such as too long a name
        raise InputError(f"{path}: {getattr(problem, 'strerror', None) or problem}") from None
    if not os.access(asked, os.W_OK):
        raise InputError(f"{path}: this cannot be written")
    return parent


def same_file(one: FilePath, other: FilePath) -> bool:
    """Do two paths name one existing file, through links too?"""
    try:
        return Path(one).samefile(other)
    except OSError:
        return False


def writable(directory: FilePath) -> Path:
    """A directory, made if it is not there.

    Raises:
        InputError: it cannot be made.
    """
    directory = filename(directory, "a directory")
    try:
        Path(directory).mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise InputError(f"{directory}: this is a file, where a directory is to be written") from None
    except (OSError, ValueError) as problem:  # ValueError: a null character in the path
        raise InputError(f"{directory}: {getattr(problem, 'strerror', None) or problem}") from None
    if not os.access(directory, os.W_OK | os.X_OK):
        raise InputError(f"{directory}: nothing can be written to this directory")
    return Path(directory)


def write(path: FilePath, data: bytes | str) -> None:
    """The whole of a file, as :func:`geomrelu.replacing.replacing` writes it.

    Raises:
        InputError: it cannot be written.
    """
    with replacing(path) as stream:
        # names of files, which stand in what is written, need not be text
        stream.write(data.encode("utf-8", "backslashreplace") if isinstance(data, str) else data)
