"""Models and sets in JSON, numbers exactly as they are spelt: ``0.1`` is one tenth.

A model is ``{"layers": [{"weights": [[...]], "bias": [...], "activation": "relu" | "none"}, ...]}`` (rows = neurons;
the bias is optional, relu the default) or, as :meth:`geomrelu.network.network.Network.to_json` writes it,
``{"inputs": n, "layers": [{"rows": [[b, j, w, j, w, ...], ...], "activation": ...}, ...]}`` with rows over all
variables: inputs, then the outputs of ReLU layer 1, of layer 2, ... A set is one of the dictionaries of
:mod:`geomrelu.io`, or a plain list of points. Numbers are integers, decimals, or strings such as ``"2/7"``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap, affordable
from geomrelu.exact.numbers import rational, rationals
from geomrelu.io.files import FilePath, named, read_text
from geomrelu.io.tape import Tape

__all__ = ["beside", "parsed", "read_arrangement", "read_model", "read_set"]

_BALL = ("center", "shape", "square", "centred")
_KINDS = (("inequalities", "equalities", "box"), ("vertices", "rays", "lines"), ("points",), _BALL)


def read_model(path: FilePath) -> Tape:
    """The model in a JSON file.

    Raises:
        InputError: ``path: what is wrong and where``.

    Exact: yes; decimals are read as decimals, not as the nearest float.
    """
    text = read_text(path)
    with named(path):
        data = _object(parsed(text), "a model", ("inputs", "layers"))
        layers = data.get("layers")
        if not isinstance(layers, list) or not layers:
            raise InputError('a model needs a list "layers" with at least one layer')
        tape = Tape(_inputs(data, layers[0]))
        value = tape.input
        for position, layer in enumerate(layers, 1):
            where = f"layer {position}"
            layer = _object(layer, where, ("weights", "bias", "rows", "activation"))
            if "rows" in layer:
                if "weights" in layer or "bias" in layer:
                    raise InputError(f'{where}: "rows" already hold the weights and the bias')
                if position > 1 and layers[position - 2].get("activation") == "none":
                    raise InputError(
                        f"layer {position - 1} has no ReLU, and rows read only variables: nothing reads it"
                    )
                value = _sparse(layer["rows"], tape.variables, where)
            else:
                map_ = _dense(layer, where)
                if map_.inputs != value.outputs:
                    raise InputError(f"{where} reads {map_.inputs} values, but {value.outputs} come before it")
                value = map_.after(value)
            activation = layer.get("activation", "relu")
            if activation == "relu":
                value = tape.relu(value)
            elif activation != "none":
                raise InputError(f"{where}: activation must be relu or none, not {str(activation)[:40]!r}")
        return tape.finish(value)


def read_arrangement(path: FilePath) -> tuple[list[tuple[Fraction, ...]], tuple[Fraction, ...]]:
    """The arrangement in a JSON file, ``{"A": [[...], ...], "b": [...], "den": 1}``: ``(normals, constants)``.

    ``b`` may be missing (zeros), ``den`` divides all numbers.

    Raises:
        InputError: ``path: what is wrong and where``.
    """
    text = read_text(path)
    with named(path):
        data = _object(parsed(text), "an arrangement", ("A", "b", "den", "n", "m", "expected", "note"))
        table = data.get("A")
        if not isinstance(table, list) or not table:
            raise InputError('an arrangement needs a list "A" with at least one normal')
        normals = [rationals(row, f"A, row {i}") for i, row in enumerate(table)]
        constants = rationals(data.get("b", [0] * len(normals)), "b")
        divisor = rational(data.get("den", 1), "den")
        if not divisor > 0:
            raise InputError("den must be positive")
        return [tuple(v / divisor for v in row) for row in normals], tuple(v / divisor for v in constants)


def read_set(path: FilePath) -> dict[str, Any]:
    """The set in a JSON file, as the dictionary of :mod:`geomrelu.io` with all its keys; of a ball, the object.

    Raises:
        InputError: ``path: what is wrong and where``.

    Exact: yes; decimals are read as decimals, not as the nearest float.
    """
    text = read_text(path)
    with named(path):
        data = parsed(text)
        if isinstance(data, list):
            data = {"points": data}
        data = _object(data, "a set", ("dimension", *(key for kind in _KINDS for key in kind)))
        kinds = [kind for kind in _KINDS if set(kind) & set(data)]
        if len(kinds) > 1:
            raise InputError("a set is given by rows, by generators, by points or as a ball, not by several of them")
        kind = kinds[0] if kinds else _KINDS[0]
        if kind is _BALL:
            return data
        found: dict[str, Any] = {key: _table(data.get(key, []), key) for key in kind}
        if kind[0] in ("vertices", "points") and not found[kind[0]]:
            raise InputError(f'"{kind[0]}" must hold at least one point')
        sizes = {len(row) - (kind[0] == "inequalities") for key in kind if key != "box" for row in found[key]}
        sizes |= {len(found["box"])} if "box" in data else set()
        if "dimension" in data:
            if type(data["dimension"]) is not int:
                raise InputError('"dimension" must be a whole number')
            sizes.add(data["dimension"])
        if len(sizes) != 1 or min(sizes) < 1:
            raise InputError("the dimension of the set is not clear: nothing says it, or rows of different lengths")
        dimension = sizes.pop()
        affordable(dimension, "the dimension of the set", each=100)
        if "box" in kind and not found["box"]:
            found["box"] = [[None, None] for _ in range(dimension)]
        return {"dimension": dimension, **found}


def beside(path: FilePath, name: str) -> Any:
    """What the JSON file of that name in the folder of another file says; None, if there is none.

    Raises:
        InputError: it is not JSON.
    """
    file = Path(path).parent / name
    if not file.is_file():
        return None
    text = read_text(file)
    with named(file):
        return parsed(text)


def parsed(text: str) -> Any:
    """The JSON of a text; numbers with a point or an exponent stay text, and no key may stand twice in an object."""
    try:
        return json.loads(text, parse_float=str, parse_constant=_refused, object_pairs_hook=_pairs)
    except InputError:
        raise
    except ValueError as problem:
        raise InputError(f"not valid JSON: {problem}") from None
    except RecursionError:
        raise InputError("not usable JSON: nested too deeply") from None


def _refused(constant: str) -> Any:
    raise InputError(f"{constant} is not a finite number")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InputError("a key stands twice in one object")
    return found


def _object(data: Any, where: str, known: Iterable[str]) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InputError(f"{where} must be an object {{...}}")
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise InputError(f"{where}: unknown key {unknown[0][:40]!r} (known: {', '.join(known)})")
    return data


def _table(rows: Any, key: str) -> list[list[Fraction | None]]:
    if not isinstance(rows, list):
        raise InputError(f'"{key}" must be a list')
    if key != "box":
        return [list(rationals(row, f"{key}, row {i}")) for i, row in enumerate(rows)]
    sides = []
    for j, side in enumerate(rows):
        if not isinstance(side, list) or len(side) != 2:
            raise InputError(f"box, side {j}: expected [low, high]")
        sides.append([None if v is None else rational(v, f"box, side {j}") for v in side])
    return sides


# ---- layers -----------------------------------------------------------------------------------------------------


def _inputs(data: dict[str, Any], first: Any) -> int:
    weights = first.get("weights") if isinstance(first, dict) else None
    if "inputs" in data:
        inputs = data["inputs"]
    elif isinstance(weights, list) and weights and isinstance(weights[0], list) and weights[0]:
        inputs = len(weights[0])
    else:
        raise InputError('layer 1 needs "weights", a list of rows; or the model needs "inputs", and layer 1 "rows"')
    if type(inputs) is not int or inputs < 1:
        raise InputError('"inputs" must be the number of inputs')
    affordable(inputs, '"inputs"', each=10)
    return inputs


def _dense(layer: dict[str, Any], where: str) -> AffineMap:
    weights, bias = layer.get("weights"), layer.get("bias")
    rows = _lists(weights, f'{where}, "weights"')
    width = len(rows[0])
    for i, row in enumerate(rows):
        if len(row) != width or not row:
            raise InputError(f"{where}, weights, row {i}: {len(row)} entries, but row 0 has {width}")
    if bias is None:
        bias = [0] * len(rows)
    if not isinstance(bias, list) or len(bias) != len(rows):
        raise InputError(f'{where}: "bias" must be a list of {len(rows)} numbers, one for each row of weights')
    entries = [v for row in rows for v in row]
    data, d1 = _exact(entries, lambda k: f"{where}, weights, row {k // width}, entry {k % width}")
    constants, d2 = _exact(bias, lambda k: f"{where}, bias, entry {k}")
    at, columns = np.divmod(np.arange(len(entries)), width)
    return AffineMap.from_entries((len(rows), width), at, columns, data, d1, constants.tolist(), d2)


def _sparse(rows: Any, variables: int, where: str) -> AffineMap:
    rows = _lists(rows, f'{where}, "rows"')
    for i, row in enumerate(rows):
        if len(row) % 2 == 0:
            raise InputError(f"{where}, row {i}: expected [b, j, w, j, w, ...]")
    at = np.repeat(np.arange(len(rows)), [len(row) // 2 for row in rows])

    def place(k: int) -> str:
        return f"{where}, row {at[k]}"

    columns = [j for row in rows for j in row[1::2]]
    for k, j in enumerate(columns):
        if type(j) is not int or not 0 <= j < variables:
            raise InputError(f"{place(k)}: {str(j)[:40]} is not one of the {variables} variables before it")
    indices = np.array(columns, dtype=np.int64)
    places = np.sort(at * variables + indices)
    if (twice := places[:-1][places[1:] == places[:-1]]).size:
        raise InputError(f"{where}, row {twice[0] // variables}: variable {twice[0] % variables} stands twice")
    data, d1 = _exact([w for row in rows for w in row[2::2]], place)
    bias, d2 = _exact([row[0] for row in rows], lambda k: f"{where}, row {k}, constant")
    return AffineMap.from_entries((len(rows), variables), at, indices, data, d1, bias.tolist(), d2)


def _lists(rows: Any, where: str) -> list[list[Any]]:
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
        raise InputError(f"{where} must be a list of rows")
    return rows


def _exact(entries: list[Any], place: Callable[[int], str]) -> tuple[np.ndarray, int]:
    """The entries as integers (object array) over one denominator; each distinct spelling is read once."""
    for k, v in enumerate(entries):
        if type(v) is not str and type(v) is not int:
            raise InputError(f"{place(k)}: {str(v)[:40]} is not a number")
    known: dict[Any, int] = {}
    position = np.fromiter((known.setdefault(v, len(known)) for v in entries), np.int64, len(entries))
    values = []
    for v in known:
        try:
            values.append(rational(v))
        except InputError:
            rational(v, place(entries.index(v)))
    denominator = 1
    for d in {v.denominator for v in values}:  # unrelated denominators multiply: stop before that fills the memory
        denominator = math.lcm(denominator, d)
        affordable(denominator.bit_length() // 64 * len(values), f"{place(0)}: the common denominator")
    table = np.empty(len(values), dtype=object)
    table[:] = [v.numerator * (denominator // v.denominator) for v in values]
    return table[position], denominator
