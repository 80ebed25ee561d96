"""Polyhedra in cddlib's ``.ine`` and ``.ext`` files: rows ``b + a·x >= 0``, or vertices and rays.

::

    H-representation              V-representation
    linearity 1 2                 linearity 1 3
    begin                         begin
     2 3 rational                  3 3 rational
     1/2 -1 0                      1 0 0         a vertex
     0 1 1       (an equality)     0 1 0         a ray
    end                            0 0 1         a line, because it is in the linearity
                                  end

Lines that begin with ``*`` are comments; what cddlib computes with the polyhedron (objectives, options) is not part
of the set and is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import Any, TextIO

from geomrelu.errors import InputError
from geomrelu.exact.numbers import rational
from geomrelu.io.files import FilePath, named, read_text

__all__ = ["read_set", "write_set"]

_TYPES = {
    "integer": re.compile(r"[+-]?\d+"),
    "rational": re.compile(r"[+-]?\d+(/\d+)?"),
    "real": re.compile(r".*"),
}
Row = list[Fraction]


def read_set(path: FilePath) -> dict[str, Any]:
    """The polyhedron in a file, as the dictionary of :mod:`geomrelu.io` with all its keys.

    A file that names no representation is an H-representation, or a V-representation if its name ends in ``.ext``.
    Rays without a vertex form a cone with its apex at the origin, as in cddlib.

    Raises:
        InputError: ``path: what is wrong and in which line``.

    Exact: yes; ``real`` entries are read as the decimals they spell.
    """
    text = read_text(path)
    with named(path):
        generators, linearity, rows = _parsed(text, Path(path).suffix.lower() == ".ext")
        flat = [row for k, row in enumerate(rows, 1) if k in linearity]
        rest = [row for k, row in enumerate(rows, 1) if k not in linearity]
        n = len(rows[0]) - 1
        if not generators:
            return {"dimension": n, "inequalities": rest, "equalities": flat, "box": [[None, None] for _ in range(n)]}
        if any(row[0] not in (0, 1) for row in rows):
            raise InputError("a row of a V-representation starts with 1 (a vertex) or 0 (a ray)")
        if any(row[0] for row in flat):
            raise InputError("a vertex cannot be in the linearity, only rays can")
        vertices = [row[1:] for row in rest if row[0]] or [[Fraction(0)] * n]
        return {
            "dimension": n,
            "vertices": vertices,
            "rays": [row[1:] for row in rest if not row[0]],
            "lines": [row[1:] for row in flat],
        }


def write_set(data: dict[str, Any], target: FilePath | TextIO) -> None:
    """Write a polyhedron given as the dictionary of :mod:`geomrelu.io`; sides of the box become rows.

    Raises:
        InputError: a finite set of points (cddlib would take its convex hull), or the file cannot be written.

    Exact: yes; reading the file gives the same set.
    """
    if "points" in data:
        raise InputError("a finite set of points is not a polyhedron, so cddlib has no file for it")
    if "vertices" in data:
        name = "V-representation"
        rows = [[1, *v] for v in data["vertices"]] + [[0, *r] for r in data.get("rays", ())]
        flat = [[0, *r] for r in data.get("lines", ())]
    else:
        name = "H-representation"
        rows, flat = list(data.get("inequalities", ())), list(data.get("equalities", ()))
        box = data.get("box") or ()
        for j, side in enumerate(box):
            for bound, sign in zip(side, (1, -1), strict=True):
                if bound is not None:
                    rows.append([-sign * rational(bound), *(sign * (i == j) for i in range(len(box)))])
        if not rows and not flat and (n := len(box) or data.get("dimension")):
            rows = [[1] + [0] * n]  # the whole space: a true row carries the dimension
    exact = [[rational(v) for v in row] for row in (*rows, *flat)]
    if not exact:
        raise InputError("a polyhedron of which nothing is said cannot be written")
    lines = [name]
    if flat:
        lines.append(" ".join(map(str, ["linearity", len(flat), *range(len(rows) + 1, len(exact) + 1)])))
    kind = "integer" if all(v.denominator == 1 for row in exact for v in row) else "rational"
    lines += ["begin", f" {len(exact)} {len(exact[0])} {kind}"]
    lines += [" " + " ".join(map(str, row)) for row in exact]
    text = "\n".join([*lines, "end", ""])
    if not isinstance(target, str | PathLike):
        target.write(text)
        return
    try:
        Path(target).write_text(text, encoding="utf-8")
    except (OSError, ValueError) as problem:
        raise InputError(f"{target}: {getattr(problem, 'strerror', None) or problem}") from None


def _parsed(text: str, generators: bool) -> tuple[bool, set[int], list[Row]]:
    """Whether it is a V-representation, the numbers of the rows in the linearity (from 1), and the rows."""
    lines = _lines(text)
    linearity: list[tuple[int, list[str]]] = []
    for number, words in lines:
        if words[0] in ("H-representation", "V-representation"):
            generators = words[0] == "V-representation"
        elif words[0] == "begin":
            break
        else:
            _option(number, words, linearity)
    else:
        raise InputError("there is no line 'begin'")
    rows = _rows(lines)
    for number, words in lines:
        _option(number, words, linearity)
    found: set[int] = set()
    for number, counts in linearity:
        if not all(re.fullmatch(r"[0-9]{1,9}", w) for w in counts) or not counts or int(counts[0]) != len(counts) - 1:
            raise InputError(f"line {number}: expected linearity k i1 ... ik")
        found |= {int(w) for w in counts[1:]}
        if not all(1 <= k <= len(rows) for k in found):
            raise InputError(f"line {number}: the rows are numbered from 1 to {len(rows)}")
    return generators, found, rows


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        sizes = len(words) == 3 and words[0].strip("*") == "" and words[2] in _TYPES  # "***" rows: not counted
        if words and (sizes or not words[0].startswith("*")):
            yield number, words


def _option(number: int, words: list[str], linearity: list[tuple[int, list[str]]]) -> None:
    if words[0] in ("linearity", "equality", "partial_enumeration"):
        if words[0] == "partial_enumeration":
            raise InputError(f"line {number}: partial_enumeration is not supported")
        linearity.append((number, words[1:]))
    elif words[0].startswith("strict_"):
        raise InputError(f"line {number}: strict inequalities are not supported")


def _rows(lines: Iterator[tuple[int, list[str]]]) -> list[Row]:
    """The rows between ``begin`` and ``end``. The declared number of rows is compared, never allocated."""
    number, header = next(lines, (0, []))
    if len(header) != 3 or header[2] not in _TYPES:
        raise InputError(f"line {number}: expected the numbers of rows and columns and integer, rational or real")
    count, width, pattern = header[0], header[1], _TYPES[header[2]]
    if not re.fullmatch(r"[0-9]{1,9}|\*+", count) or not re.fullmatch(r"[0-9]{1,9}", width) or int(width) < 2:
        raise InputError(f"line {number}: {' '.join(header)[:60]!r} is not a size of a table (at least 2 columns)")
    columns = int(width)
    entries: Row = []
    for number, words in lines:
        if words[0] == "end":
            break
        for word in words:
            if not pattern.fullmatch(word):
                raise InputError(f"line {number}: {word[:40]!r} is not of type {header[2]}")
            entries.append(rational(word, f"line {number}"))
    else:
        raise InputError("there is no line 'end'")
    if not entries or len(entries) % columns or (count.isdigit() and int(count) * columns != len(entries)):
        raise InputError(f"{len(entries)} entries do not make {count} rows of {columns}")
    return [entries[k : k + columns] for k in range(0, len(entries), columns)]
