"""Models in NumPy's ``.npz``: matrices and vectors by name, ReLU after each layer unless ``activations`` says not.

``W1, b1, W2, b2, ...`` (or ``weight1, bias1, ...``, or ``0.weight, 0.bias, 2.weight, ...`` as PyTorch names them);
numbers in a name order the layers. Optional: ``activations``, an array of strings ``relu`` or ``none``.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap, affordable
from geomrelu.io.files import FilePath, named, read_bytes
from geomrelu.io.tape import Tape, chain

__all__ = ["read"]

_NAMES = (
    re.compile(r"(?P<kind>W|b|weight|bias)(?P<layer>[0-9]{1,9})"),
    re.compile(r"(?P<layer>.+)\.(?P<kind>weight|bias)"),
)


def read(path: FilePath) -> Tape:
    """The model in an ``.npz`` file.

    Raises:
        InputError: ``path: what is wrong and where``. Nothing is unpickled, and a size that a header merely claims
            is not believed.

    Exact: yes; a float is the dyadic number it holds, and strings such as ``"1/3"`` are read as they are spelt.
    """
    data = read_bytes(path)
    with named(path):
        arrays = _arrays(data)
        activations = arrays.pop("activations", None)
        layers: dict[str, dict[str, Any]] = {}
        for name, array in arrays.items():
            match = next((m for pattern in _NAMES if (m := pattern.fullmatch(name))), None)
            if match is None:
                raise InputError(f"array {name[:40]!r} is not a layer (known: W1, b1, ... or 0.weight, 0.bias, ...)")
            kind = "weights" if match["kind"] in ("W", "weight") else "bias"
            layer = layers.setdefault(match["layer"], {})
            if kind in layer:
                raise InputError(f"layer {match['layer'][:40]!r} has its {kind} twice")
            layer[kind] = array
        for name, layer in layers.items():
            if "weights" not in layer:
                raise InputError(f"layer {name[:40]!r} has a bias but no weights")
        ordered = [layers[name] for name in sorted(layers, key=_natural)]
        words = ["relu"] * len(ordered) if activations is None else _words(activations, len(ordered))
        return chain(
            (AffineMap.from_dense(layer["weights"], layer.get("bias"), f"layer {position}"), word)
            for position, (layer, word) in enumerate(zip(ordered, words, strict=True), 1)
        )


def _arrays(data: bytes) -> dict[str, np.ndarray]:
    """The members of the archive. Headers are compared with the bytes there before an array is allocated."""
    found = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            affordable(sum(info.file_size for info in archive.infolist()) // 8, "the arrays")
            for info in archive.infolist():
                name = info.filename.removesuffix(".npy")
                if name in found:
                    raise InputError(f"array {name[:40]!r} stands twice")
                found[name] = _array(archive.read(info), name)
    except InputError:
        raise
    except Exception as problem:  # zipfile and each of its decompressors raise errors of their own
        raise InputError(f"not a usable .npz archive: {_line(problem)}") from None
    return found


def _array(data: bytes, name: str) -> np.ndarray:
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, _, dtype = header(stream)
        if dtype.hasobject:
            raise InputError(f"array {name[:40]!r} holds pickled objects, which are not read")
        if math.prod(shape) * dtype.itemsize != len(data) - stream.tell():
            raise InputError(f"array {name[:40]!r}: the header does not fit the data")
        stream.seek(0)
        array: np.ndarray = np.lib.format.read_array(stream, allow_pickle=False)
        if array.dtype.kind == "U":
            array.tolist()  # raises where the bytes are not characters
    except InputError:
        raise
    except Exception as problem:  # the header is Python text to NumPy: many things can be wrong with it
        raise InputError(f"array {name[:40]!r} is not readable: {_line(problem)}") from None
    if array.dtype.kind not in "fiuU" or (array.dtype.itemsize > 8 and array.dtype.kind != "U"):
        raise InputError(f"array {name[:40]!r} holds {array.dtype}, not float16/32/64, integers or strings")
    return array


def _line(problem: Exception) -> str:
    return (str(problem) or type(problem).__name__).splitlines()[0][:200]


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """``layer10`` after ``layer9``: digits compare as numbers."""
    parts = [(re.fullmatch("[0-9]+", part) is not None, part) for part in re.split("([0-9]+)", name)]
    return [(number, int(part[:18]) if number else 0, part) for number, part in parts]


def _words(activations: np.ndarray, layers: int) -> list[str]:
    if activations.dtype.kind != "U" or activations.shape != (layers,):
        raise InputError(f"activations: expected {layers} strings, one for each layer")
    return [str(word)[:40] for word in activations.tolist()]
