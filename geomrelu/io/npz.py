"""Models in NumPy's ``.npz``: arrays by name, either our own names or those of a state dictionary.

``W1, b1, W2, b2, ...`` (or ``weight1, bias1, ...``) are layers by number, with ReLU after each of them unless
``activations``, an array of strings ``relu`` or ``none``, says not. Any other names are those of a state dictionary,
as ``np.savez(path, **model.state_dict())`` writes them, and mean what they mean there: no ReLU after the last layer.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap, affordable
from geomrelu.io import sae, state_dict
from geomrelu.io.files import FilePath, named, one_line, read_bytes
from geomrelu.io.reading import Port, Reading
from geomrelu.io.tape import Tape, chain

__all__ = ["member", "members", "read"]

_OPEN = "the file does not name its activation: taken is ReLU after each layer, the last one too"
_NUMBERED = re.compile(r"(?P<kind>W|b|weight|bias)(?P<layer>[0-9]{1,9})")


def read(
    path: FilePath,
    *,
    order: Sequence[str] | None = None,
    activation: str | Sequence[str] | None = None,
    select: str | Sequence[str] | None = None,
    apply_b_dec_to_input: bool | None = None,
) -> Tape:
    """The model in an ``.npz`` file.

    Args:
        order, activation: as :func:`geomrelu.io.state_dict.network` takes them.
        select: patterns such as ``model.layers.3.fc*``: only layers with such names; everything else is left out.
        apply_b_dec_to_input: as :func:`geomrelu.io.sae.network` takes it.

    Raises:
        InputError: ``path: what is wrong and where``. Nothing is unpickled, and a size that a header merely claims
            is not believed.

    Exact: yes; a float is the dyadic number it holds, and strings such as ``"1/3"`` are read as they are spelt.
    """
    data = read_bytes(path)
    with named(path):
        arrays = members(data)
        activations = arrays.pop("activations", None)
        if activations is not None:
            if activation is not None:
                raise InputError("activation: the file says it itself, in its array 'activations'")
            activation = _words(activations)
        names, left = state_dict.chosen(arrays, select, path)
        arrays = {name: arrays[name] for name in names}
        if sae.is_meant(arrays):
            return sae.network(arrays, sae.configuration(path), "npz", apply_b_dec_to_input=apply_b_dec_to_input)
        if not any(_NUMBERED.fullmatch(name) for name in arrays):
            beside = [state_dict.settings_beside(path)]
            return state_dict.network(arrays, "npz", order=order, activation=activation, left=left, settings=beside)
        if order is not None:
            raise InputError("order is for layers with names; these are numbered")
        return _numbered(arrays, activation)


def _numbered(arrays: Mapping[str, np.ndarray], activation: str | Sequence[str] | None) -> Tape:
    layers: dict[int, dict[str, Any]] = {}
    for name, array in arrays.items():
        match = _NUMBERED.fullmatch(name)
        if match is None:
            raise InputError(f"array {name[:40]!r} is not a layer (known: W1, b1, ... or 0.weight, 0.bias, ...)")
        kind = "weights" if match["kind"] in ("W", "weight") else "bias"
        layer = layers.setdefault(int(match["layer"]), {})
        if kind in layer:
            raise InputError(f"layer {match['layer']!r} has its {kind} twice")
        layer[kind] = array
    for number, layer in layers.items():
        if "weights" not in layer:
            raise InputError(f"layer '{number}' has a bias but no weights")
    ordered = [layers[number] for number in sorted(layers)]
    words = ["relu"] * len(ordered) if activation is None else state_dict.words_of(activation, len(ordered))
    maps = [
        AffineMap.from_dense(layer["weights"], layer.get("bias"), f"layer {position}")
        for position, layer in enumerate(ordered, 1)
    ]
    tape = chain(zip(maps, words, strict=True))
    tape.reading = Reading(
        "npz",
        (Port("input", (tape.inputs,)),),
        (Port("output", (maps[-1].outputs,)),),
        tuple(tape.read),
        notes=(_OPEN,) if activation is None else (),
    )
    return tape


def members(data: bytes) -> dict[str, np.ndarray]:
    """The members of the archive. Headers are compared with the bytes there before an array is allocated."""
    found = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            affordable(sum(info.file_size for info in archive.infolist()) // 8, "the arrays")
            for info in archive.infolist():
                name = info.filename.removesuffix(".npy")
                if name in found:
                    raise InputError(f"array {name[:40]!r} stands twice")
                found[name] = member(archive.read(info), name)
    except InputError:
        raise
    except Exception as problem:  # zipfile and each of its decompressors raise errors of their own
        raise InputError(f"not a usable .npz archive: {one_line(problem)}") from None
    return found


def member(data: bytes, name: str) -> np.ndarray:
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
        raise InputError(f"array {name[:40]!r} is not readable: {one_line(problem)}") from None
    if array.dtype.kind not in "fiuU" or (array.dtype.itemsize > 8 and array.dtype.kind != "U"):
        raise InputError(f"array {name[:40]!r} holds {array.dtype}, not float16/32/64, integers or strings")
    return array


def _words(activations: np.ndarray) -> list[str]:
    if activations.dtype.kind != "U" or activations.ndim != 1:
        raise InputError("activations: expected a list of strings, one for each layer")
    return [str(word)[:40] for word in activations.tolist()]
