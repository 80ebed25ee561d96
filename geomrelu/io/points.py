"""Points from files of data: ``.npy``, ``.npz`` and ``.csv``, each also compressed (``.gz``).

A float is the dyadic number it holds; in ``.csv`` a decimal is the decimal it spells.
"""

from __future__ import annotations

import csv
import re
from fractions import Fraction
from pathlib import Path

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.numbers import rational
from geomrelu.io import npz
from geomrelu.io.files import kind_of, named, read_bytes, read_text

__all__ = ["KINDS", "read_points"]

KINDS = (".npy", ".npz", ".csv")
_INDEX = re.compile(r"|Unnamed: 0")  # how pandas calls the numbers of rows: when it writes them, and when it reads that
_NUMBER = re.compile(  # how what is meant as a number begins; and words of its kind
    r"[^\w\s\"'#]*\s*\d|\.\s*\d|[+-]?(nan|inf|infinity)$|(na|n/a|none|null|nil|true|false|-+|\?+|\.+)$", re.IGNORECASE
)
NAMES = ("x_train", "X_train", "x", "X", "inputs", "data")  # of the array in an .npz that holds several


def read_points(path: str | Path) -> np.ndarray:
    """The array in a file: (points, ...), floats or integers, or Fractions from ``.csv`` (dtype object).

    An ``.npz`` holds one array, or one of that is called x_train, x, inputs or data. The first line of a ``.csv`` may
    be names, none of which looks like a number or like a missing one; where it is 0, 1, 2, ..., as pandas numbers
    columns, it could be either. A first column without a name, where pandas has the numbers of the rows, is refused.

    Raises:
        InputError: missing, another ending, or not readable as numbers; the text names the place.
    """
    kind = kind_of(path)
    if kind not in KINDS:
        raise InputError(f"{path}: data are read from {', '.join(KINDS)}")
    if kind == ".csv":
        text = read_text(path)
        with named(path):
            return _table(text)
    data = read_bytes(path)
    with named(path):
        if kind == ".npy":
            return npz.member(data, "the array")
        arrays = npz.members(data)
        name = next((name for name in NAMES if name in arrays), None)
        if name is None and len(arrays) != 1:
            raise InputError(f"which array? It holds {', '.join(sorted(arrays)[:8]) or 'none'}; call one x_train")
        return arrays[name] if name is not None else next(iter(arrays.values()))


def _table(text: str) -> np.ndarray:
    rows: list[list[Fraction]] = []
    for number, row in enumerate(csv.reader(text.splitlines()), 1):
        if not any(cell.strip() for cell in row):
            continue
        if number == 1 and all(map(_is_name, row)):
            if len(row) > 1 and _INDEX.fullmatch(row[0].strip()):
                raise InputError("column 1 has no name, as where pandas writes numbers of rows: write index=False")
            continue
        if number == 1 and not any(map(_is_number, row)):
            k = next(k for k, cell in enumerate(row, 1) if not _is_name(cell))
            raise InputError(f"line 1, column {k}: {row[k - 1][:40]!r} is no rational number, and looks like no name")
        if number == 1 and len(row) > 2 and [cell.strip() for cell in row] == [str(k) for k in range(len(row))]:
            raise InputError(
                "line 1 is 0, 1, 2, ...: names or a point? A line of names such as a,b,c before it says it"
            )
        rows.append([rational(cell, f"line {number}, column {k}") for k, cell in enumerate(row, 1)])
        if len(rows[-1]) != len(rows[0]):
            raise InputError(f"line {number} has {len(rows[-1])} numbers, the first one {len(rows[0])}")
    if not rows:
        raise InputError("there are no points in it")
    found = np.empty((len(rows), len(rows[0])), dtype=object)
    found[:] = rows
    return found


def _is_number(text: str) -> bool:
    try:
        rational(text)
    except InputError:
        return False
    return True


def _is_name(text: str) -> bool:
    """What is meant as a number, or as one that is missing, is no name: its row is not left out."""
    return not _NUMBER.match(text.strip())
