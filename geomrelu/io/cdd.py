"""Polyhedra in the ``.ine`` and ``.ext`` files of cddlib and lrs: rows ``b + a·x >= 0``, or vertices and rays.

::

    H-representation              V-representation
    linearity 1 2                 linearity 1 3
    begin                         begin
     2 3 rational                  3 3 rational
     1/2 -1 0                      1 0 0         a vertex
     0 1 1       (an equality)     0 1 0         a ray
    end                            0 0 1         a line, because it is in the linearity
                                  end

Lines that begin with ``*`` or ``#`` are comments, and the first line may be a name. Options are known by their words:
those that say what to compute with the polyhedron (objectives, orders, printing) are no part of the set and skipped;
``linearity`` and ``equality``, ``nonnegative`` of lrs and ``hull`` of older cddlib are part of it; others are refused.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from os import PathLike
from typing import Any, TextIO

from geomrelu.errors import InputError
from geomrelu.exact.affine import affordable
from geomrelu.exact.numbers import rational
from geomrelu.io.files import FilePath, kind_of, named, read_text, write

__all__ = ["read_set", "write_set"]

_TYPES = {
    "integer": re.compile(r"[+-]?\d+"),
    "rational": re.compile(r"[+-]?\d+(/\d+)?"),
    "real": re.compile(r".*"),
}
_NUMBERS = re.compile(r"[+-]?[\d.,/eE+-]*\d,?")
_CDDLIB = """lexmin lexmax minindex maxindex mincutoff maxcutoff mixcutoff randcutoff randomrow debug incidence
    input_incidence incidence_off adjacency input_adjacency verify_input dynout_off logfile_on stdout_off
    initbasis_at_bottom nondegenerate dual_simplex criss-cross zero_tolerance find_interior facet_listing tope_listing
    round_output_off output_digits maximize minimize lponly postanalysis"""
_LRS = """allbases bound cache digits dualperturb estimates geometric getvolume integervertices lponly_b lponly_d
    lponly_r lponly_rd maxcobases maxdepth maxoutput mindepth printcobasis printslack redund redund_list restart seed
    startingcobasis testlin threads truncate verbose volume"""
_SKIPPED = {*_CDDLIB.split(), *_LRS.split()}
_REFUSED = {
    "partial_enumeration": "enumerates a part of the polyhedron",
    "strict_inequality": "makes inequalities strict",
    "projection": "means a projection of the polyhedron",
    "preprojection": "means a projection of the polyhedron",
    "project": "means a projection of the polyhedron",
    "eliminate": "means a projection of the polyhedron",
    "extract": "means some of the columns",
    "voronoi": "means a Voronoi diagram",
}
_MEANT = ("linearity", "equality", "nonnegative", "hull", "H-representation", "V-representation", "begin", "end")
Row = list[Fraction]


@dataclass(slots=True)
class _Said:
    """What stands around the table: its representation, and the options that are part of the set."""

    generators: bool | None = None
    nonnegative: bool = False
    linearity: list[tuple[int, list[str]]] = field(default_factory=list)

    def representation(self, number: int, generators: bool) -> None:
        if self.generators not in (None, generators):
            raise InputError(f"line {number}: the representation is said twice, and differently")
        self.generators = generators


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
        said, rows, n = _parsed(text)
        generators = kind_of(path) == ".ext" if said.generators is None else said.generators
        linearity = _linearity(said, len(rows))
        flat = [row for k, row in enumerate(rows, 1) if k in linearity]
        rest = [row for k, row in enumerate(rows, 1) if k not in linearity]
        if said.nonnegative:
            if generators:
                raise InputError("nonnegative is an option of H-representations")
            if flat:
                raise InputError("nonnegative and linearity together: lrs would take the equalities for inequalities")
            rest += [[Fraction(int(i == j)) for i in range(n + 1)] for j in range(1, n + 1)]
        if not generators:
            return {"dimension": n, "inequalities": rest, "equalities": flat, "box": [[None, None] for _ in range(n)]}
        if not rows:
            raise InputError("a V-representation without rows is the empty set")
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
    write(target, text)


def _parsed(text: str) -> tuple[_Said, list[Row], int]:
    """What is said around the table, its rows, and the dimension."""
    said = _Said()
    lines = _lines(text)
    first, continued = True, False
    for number, words in lines:
        if words[0] == "begin":
            break
        continued = _option(number, words, said, first, continued)
        first = False
    else:
        raise InputError("there is no line 'begin'")
    rows, width = _rows(lines)
    continued = False
    for number, words in lines:
        continued = _option(number, words, said, False, continued)
    return said, rows, width - 1


def _linearity(said: _Said, rows: int) -> set[int]:
    """The numbers of the rows in the linearity, from 1."""
    found: set[int] = set()
    for number, words in said.linearity:
        counts = [part for word in words for part in word.split(",") if part]
        if not all(re.fullmatch(r"[0-9]{1,9}", w) for w in counts) or not counts or int(counts[0]) != len(counts) - 1:
            raise InputError(f"line {number}: expected linearity k i1 ... ik")
        found |= {int(w) for w in counts[1:]}
        if not all(1 <= k <= rows for k in found):
            raise InputError(f"line {number}: the rows are numbered from 1 to {rows}")
    return found


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        sizes = len(words) == 3 and words[0].strip("*") == "" and words[2] in _TYPES  # "***" rows: not counted
        if words and (sizes or not words[0].startswith(("*", "#"))):
            yield number, words


def _option(number: int, words: list[str], said: _Said, first: bool, continued: bool) -> bool:
    """Take note of a line outside the table; returns whether numbers may follow on the next lines."""
    word = words[0]
    if word in ("linearity", "equality"):
        said.linearity.append((number, words[1:]))
    elif word in ("H-representation", "V-representation", "hull"):
        said.representation(number, word != "H-representation")
    elif word == "nonnegative":
        said.nonnegative = True
    elif word in _REFUSED or word.startswith("strict_"):
        meaning = _REFUSED.get(word, _REFUSED["strict_inequality"])
        raise InputError(f"line {number}: {word[:40]} {meaning}: not supported")
    elif word in _SKIPPED or (continued and all(_NUMBERS.fullmatch(w) for w in words)):
        return True
    elif not first or difflib.get_close_matches(word, (*_SKIPPED, *_MEANT, *_REFUSED), 1, 0.8):
        raise InputError(f"line {number}: unknown word {word[:40]!r} (comments begin with * or #)")
    return False


def _rows(lines: Iterator[tuple[int, list[str]]]) -> tuple[list[Row], int]:
    """The rows between ``begin`` and ``end``, and their width. The declared number is compared, never allocated."""
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
    if len(entries) % columns or int(count if count.isdigit() else len(entries) // columns) * columns != len(entries):
        raise InputError(f"{len(entries)} entries do not make {count} rows of {columns}")
    affordable(columns, "the dimension of the set", each=100)
    return [entries[k : k + columns] for k in range(0, len(entries), columns)], columns
