"""Domains: what a network's inputs may be, and how a user names one.

A polyhedron, a finite set, an :class:`Ellipsoid`, or a :class:`Union` of polyhedra, on which a neuron is dead if it is
dead on each of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from geomrelu.arguments import filename, integer, kind
from geomrelu.errors import InputError
from geomrelu.exact import linear_programs
from geomrelu.exact.numbers import primitive, rational
from geomrelu.geometry.ellipsoid import Ellipsoid
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.io import cdd as cdd_format
from geomrelu.io import files, npz
from geomrelu.io import json as json_format
from geomrelu.io import vnnlib as vnnlib_format
from geomrelu.io.arrays import as_array
from geomrelu.io.files import kind_of, named, read_bytes
from geomrelu.io.points import KINDS as POINTS
from geomrelu.io.points import read_points
from geomrelu.io.reading import Reading

__all__ = [
    "ELLIPSOIDS",
    "SETS",
    "Domain",
    "OneSet",
    "Union",
    "as_domain",
    "read_any",
    "read_domain",
    "read_ellipsoid",
    "write_domain",
]

CLOSED = "strict inequalities are read as <= and >=: a neuron is dead on a set if it is on its closure"
DOMAINS = (
    'a pair (low, high), one such pair for each input, an array of points, text such as "box:-1,1" or "ball:1", a '
    "Polyhedron or an Ellipsoid"
)
POINT_FILES = (".npy", ".csv")  # an .npz may be a model
SETS = (".json", ".vnnlib", ".ine", ".ext", *POINT_FILES)  # endings of files that hold domains


@dataclass(frozen=True)
class Union:
    """The union of polyhedra of the same dimension, none of them empty; they may overlap.

    Attributes:
        pieces: the polyhedra. Made by :meth:`of`.

    Exact: yes. Cost: what is asked of it is asked of each piece.

    >>> two = Union.of([Polyhedron.box([(0, 1)]), Polyhedron.box([(2, 3)]), Polyhedron.box([(0, 1)])])
    >>> len(two.pieces), two.contains([2]), two.contains(["3/2"])
    (2, True, False)
    """

    pieces: tuple[Polyhedron, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.pieces, tuple) or self.pieces != _pieces(self.pieces):
            raise InputError("a union is made by Union.of, which takes a list of Polyhedron")

    @classmethod
    def of(cls, pieces: Sequence[Polyhedron]) -> Union:
        """The union of some ``pieces``; the empty ones and those that stand twice are left out.

        Raises:
            InputError: no polyhedra, all are empty, or their dimensions differ.
        """
        return cls(_pieces(pieces))

    def __repr__(self) -> str:
        return f"<the union of {len(self.pieces)} polyhedra in R^{self.dimension}>"

    @property
    def dimension(self) -> int:
        """n of the space R^n around it."""
        return self.pieces[0].dimension

    @property
    def is_empty(self) -> bool:
        """Never: there is a piece, and none is empty."""
        return False

    @property
    def digest(self) -> str:
        """SHA-256 of those of its pieces."""
        return hashlib.sha256("".join(piece.checked.digest() for piece in self.pieces).encode()).hexdigest()

    def contains(self, point: Any) -> bool:
        """Is the point in one of the pieces? Exact."""
        return any(piece.contains(point) for piece in self.pieces)


def _pieces(pieces: Sequence[Polyhedron]) -> tuple[Polyhedron, ...]:
    """Those of a union."""
    if not isinstance(pieces, Sequence) or not all(isinstance(piece, Polyhedron) for piece in pieces):
        raise InputError(f"a union is made of a list of Polyhedron, not of {kind(pieces)}")
    kept = tuple(dict.fromkeys(piece for piece in pieces if not piece.is_empty))
    if not kept:
        raise InputError("the domain is empty")
    if len({piece.dimension for piece in kept}) > 1:
        raise InputError("the pieces of a union must have the same dimension")
    return kept


OneSet = Polyhedron | FiniteSet | Ellipsoid
Domain = OneSet | Union
Told = Callable[[str], None]


def as_domain(domain: Any, inputs: int, reading: Reading | None = None) -> Domain:
    """Anything that is a set in input space.

    Args:
        domain: a :class:`Polyhedron`, :class:`FiniteSet`, :class:`Ellipsoid` or :class:`Union`; text or a path as
            ``--domain`` takes it; a pair ``(low, high)``, the same for each input; a list of ``inputs`` such pairs; an
            array (points, inputs) or (inputs,) of points.
        inputs: n, the number of inputs of the network.
        reading: of the model, which says what the text ``range`` means and how the inputs lie along axes.

    Raises:
        InputError: something else, empty, or of another dimension.

    Exact: a float is the dyadic number it holds.

    Method: by type; the text and the files by :func:`read_domain`. Cost: linear in what is given.

    Source: the formats of VNN-LIB, cddlib and JSON, see :mod:`geomrelu.io`.

    >>> as_domain((-1, 1), 2) == as_domain([(-1, 1), (-1, 1)], 2) == as_domain("box:-1,1", 2)
    True
    """
    integer(inputs, "the number of inputs", 1)
    if domain is None:
        raise InputError(f"say on which set: {DOMAINS}")
    if isinstance(domain, (str, PathLike)):
        return read_domain(fspath(domain), inputs, reading)
    known = isinstance(domain, (Polyhedron, FiniteSet, Ellipsoid, Union))
    found = domain if known else _from_numbers(domain, inputs)
    if found.dimension != inputs:
        raise InputError(f"the domain lies in R^{found.dimension}, but the model reads R^{inputs}")
    if found.is_empty:
        raise InputError("the domain is empty")
    return found


def _from_numbers(domain: Any, inputs: int) -> Polyhedron | FiniteSet:
    try:
        domain = as_array(domain)
    except InputError as problem:
        raise InputError(f"the points: {problem}") from None
    if isinstance(domain, np.ndarray):
        table = domain[None] if domain.ndim == 1 else domain
        if table.ndim != 2 or table.shape[1] != inputs:
            raise InputError(f"an array of points has the shape (points, {inputs}), not {domain.shape}")
        return FiniteSet.of(table.tolist())
    if not isinstance(domain, (list, tuple)) or not domain:
        raise InputError(f"a domain is {DOMAINS}, not {kind(domain)}")
    if (
        isinstance(domain, tuple)
        and len(domain) == inputs == 2
        and all(isinstance(side, list) and len(side) == 2 for side in domain)
    ):
        raise InputError("two lists: all low ends and all high ones, or two sides? Write [(low, high), (low, high)]")
    domain = [_ends(side) for side in domain]
    if not any(isinstance(side, (list, tuple, np.ndarray)) for side in domain):
        if len(domain) != 2:
            raise InputError(f"a box is (low, high) or a list of {inputs} such pairs; points are an array")
        return Polyhedron.box([tuple(domain)] * inputs)
    if len(domain) != inputs or not all(isinstance(side, (list, tuple)) and len(side) == 2 for side in domain):
        raise InputError(f"a box in R^{inputs} is a list of {inputs} pairs (low, high); points are an array")
    return Polyhedron.box([tuple(side) for side in domain])


def _ends(side: Any) -> Any:
    """A side, or an end of one, whose numbers may be tensors."""
    if isinstance(side, (list, tuple)):
        return [_ends(end) for end in side]
    side = as_array(side)
    return side[()] if isinstance(side, np.ndarray) and not side.ndim else side


def read_domain(
    text: str, dimension: int, reading: Reading | None = None, told: Told | None = None, also: int | None = None
) -> Domain:
    """A domain as the command line writes it: ``R^n``, ``R+^n``, ``box:low,high``, ``ball:radius`` or a file.

    Args:
        text: ``R^n`` (or with the number, ``R^5``), ``R+^n``, ``box:-1,1`` (the same sides for each coordinate), or
            the path of a ``.vnnlib``, ``.ine``, ``.ext`` or ``.json`` file, or of points (``.npy``, ``.csv``); or
            ``range``; or an :class:`Ellipsoid`:

            ``ball:1`` around the origin, ``ball:1@1/2`` around (1/2, ..., 1/2), ``ball:1@1,0,2`` around (1, 0, 2),
            ``ball:1@x.npy`` around a point in a file;

            ``ellipsoid:stats.npz``: arrays ``mean`` (n), ``covariance`` (n, n) or ``variance`` (n), and ``radius``, a
            number, the Mahalanobis distance up to which points belong to it (see :meth:`Ellipsoid.of_statistics`);
            or, exactly, ``center``, ``shape`` (n, k) or (n), and ``square``, a number;

            ``layernorm:params.npz``, ``rmsnorm:params.npz``: arrays ``gamma`` or ``weight`` (n), and ``beta`` or
            ``bias`` (n; without it 0): all that such a layer can give.
        dimension: the n that is meant.
        reading: of the model, which says what ``range`` means and how the inputs lie along axes.
        told: called with each line that is to be said about how a file was read.
        also: another dimension that fits.

    Raises:
        InputError: unknown, unreadable, empty, or of another dimension.

    Exact: a decimal is the decimal it spells. Cost: linear in the file, and a linear program for each piece of a union.

    Source: VNN-LIB (Demarchi et al.); the .ine and .ext files of cddlib (Fukuda).

    >>> read_domain("box:-1,1/2", 2)
    Polyhedron.box([(-1, '1/2'), (-1, '1/2')])
    """
    text = filename(text, "a domain")
    integer(dimension, "the dimension", 1)
    if text == "range":
        if reading is None or reading.range is None:
            raise InputError("range: the model's file does not say between which values its inputs are")
        domain: Domain = Polyhedron.box(reading.range)
    else:
        domain = _read(text, dimension, reading, told)
    if domain.dimension not in (dimension, also):
        raise InputError(f"{text}: the domain lies in R^{domain.dimension}, but the model reads R^{dimension}")
    if domain.is_empty:
        raise InputError(f"{text}: the domain is empty")
    return domain


def _read(text: str, dimension: int, reading: Reading | None, told: Told | None) -> Domain:
    if text.startswith("R^") and text.endswith("_+"):  # as papers write the orthant
        text = f"R+^{text[2:-2]}"
    for prefix, make in (("R^", Polyhedron.space), ("R+^", Polyhedron.orthant)):
        if text.startswith(prefix):
            size = text[len(prefix) :]
            if size == "n":
                return make(dimension)
            if not size.isascii() or not size.isdigit() or not 0 < int(size[:9]) < 10**7:
                raise InputError(f"{text}: write {prefix}n or {prefix}{dimension}")
            if int(size) != dimension:
                raise InputError(f"{text}: but the model reads R^{dimension}")
            return make(dimension)
    if text.startswith("box:"):
        ends = text[4:].split(",")
        if len(ends) != 2:
            raise InputError(f"{text}: write box:low,high")
        return Polyhedron.box([(rational(ends[0], text[:40]), rational(ends[1], text[:40]))] * dimension)
    return read_ellipsoid(text, dimension, reading) if text.startswith(ELLIPSOIDS) else read_any(text, told, reading)


def read_ellipsoid(text: str, dimension: int | None = None, reading: Reading | None = None) -> Ellipsoid:
    """An ellipsoid as :func:`read_domain` takes it; without a dimension, a ball must say its whole center.

    Raises:
        InputError: unknown or unreadable; axes that are not those of the model's inputs.
    """
    kind, colon, rest = text.partition(":")
    if kind + colon not in _READ:
        raise InputError(f"{text}: write one of {', '.join(ELLIPSOIDS)}")
    with named(text):
        return _READ[kind + colon](rest, dimension, reading)


def _flat(array: np.ndarray, reading: Reading | None) -> np.ndarray:
    """One number for each input, which may lie along several axes."""
    if reading is not None and array.ndim > 1:
        reading.check_axes([array.shape])
    return array.ravel()


def _ball(text: str, dimension: int | None, reading: Reading | None) -> Ellipsoid:
    """``R`` or ``R@center``."""
    radius, _, at = text.partition("@")
    center: Any = [0]
    if at and kind_of(at) in POINTS:
        points = read_points(at)
        if kind_of(at) == ".csv" and len(points) != 1:
            raise InputError(f"a center is one point, and {at} holds {len(points)}")
        center = _flat(points, reading).tolist()
    elif at:
        center = at.split(",")
    if not at and dimension is None:
        raise InputError("a ball needs its center here: write ball:R@c1,c2,...")
    if len(center) == 1:
        center = center * (dimension or 1)
    return Ellipsoid.ball(center, radius)


def _statistics(path: str, dimension: int | None, reading: Reading | None) -> Ellipsoid:
    arrays = _arrays(path, ("mean", "covariance", "variance", "radius", "center", "shape", "square"))
    if "square" in arrays or "center" in arrays or "shape" in arrays:
        if not {"square", "center"} <= arrays.keys() <= {"square", "center", "shape"}:
            raise InputError("an exact ellipsoid is center, square and perhaps shape, and nothing else")
        return Ellipsoid.of(_flat(arrays["center"], reading), arrays.get("shape"), _single(arrays, "square"))
    if "mean" not in arrays or "radius" not in arrays or ("covariance" in arrays) == ("variance" in arrays):
        raise InputError("an ellipsoid is mean, radius, and covariance or variance")
    spread = arrays["covariance"] if "covariance" in arrays else _flat(arrays["variance"], reading)
    return Ellipsoid.of_statistics(_flat(arrays["mean"], reading), spread, _single(arrays, "radius"))


def _layer_norm(path: str, dimension: int | None, reading: Reading | None) -> Ellipsoid:
    return Ellipsoid.layer_norm(*_parameters(path, reading))


def _rms_norm(path: str, dimension: int | None, reading: Reading | None) -> Ellipsoid:
    return Ellipsoid.rms_norm(*_parameters(path, reading))


_READ: dict[str, Callable[[str, int | None, Reading | None], Ellipsoid]] = {
    "ball:": _ball,
    "ellipsoid:": _statistics,
    "layernorm:": _layer_norm,
    "rmsnorm:": _rms_norm,
}
ELLIPSOIDS = tuple(_READ)  # how their texts begin


def _parameters(path: str, reading: Reading | None) -> tuple[Any, Any]:
    """gamma and beta of a normalisation layer."""
    arrays = _arrays(path, ("gamma", "weight", "beta", "bias"))
    scale, shift = ([name for name in names if name in arrays] for names in (("gamma", "weight"), ("beta", "bias")))
    if len(scale) != 1 or len(shift) > 1:
        raise InputError("a normalisation layer is gamma (or weight), and perhaps beta (or bias)")
    return _flat(arrays[scale[0]], reading), _flat(arrays[shift[0]], reading) if shift else None


def _arrays(path: str, known: Sequence[str]) -> dict[str, np.ndarray]:
    if kind_of(path) != ".npz":
        raise InputError("write the path of an .npz file")
    arrays = npz.members(read_bytes(path))
    unknown = sorted(arrays.keys() - set(known))
    if unknown:
        raise InputError(f"unknown array {unknown[0][:40]!r} (known: {', '.join(known)})")
    return arrays


def _single(arrays: dict[str, np.ndarray], name: str) -> Any:
    if arrays[name].size != 1:
        raise InputError(f"{name} is one number, not an array of the shape {arrays[name].shape}")
    return arrays[name].ravel()[0].item()


def read_any(path: str, told: Told | None = None, reading: Reading | None = None) -> Domain:
    """A domain (it may be empty) from a file that ends in one of :data:`SETS`, also ``.gz``; ``reading``: of its model.

    Raises:
        InputError: not readable; axes that are not those of the model's inputs.
    """
    kind = kind_of(path)
    if kind not in SETS:
        others = ", ".join([f"{prefix}..." for prefix in ELLIPSOIDS])
        raise InputError(f"{path}: not a domain (R^n, R+^n, box:low,high, {others} or a file {', '.join(SETS)})")
    if kind == ".vnnlib":
        sets, notes = vnnlib_format.read_sets(path, reading)
        strict = any(data["strict"] for data in sets)
        for line in (*notes, *([CLOSED] if strict else [])):
            if told is not None:
                told(line)
        with named(path):
            return _united(sets)
    if kind in POINT_FILES:
        table = read_points(path)
        with named(path):
            if reading is not None and table.ndim > 2:
                reading.check_axes([table.shape[1:]])
            return FiniteSet.of(_rows(table))
    data = (json_format if kind == ".json" else cdd_format).read_set(path)
    with named(path):
        if "points" in data:
            return FiniteSet.of(data["points"])
        return Ellipsoid.from_data(data) if "center" in data or "square" in data else Polyhedron.from_data(data)


def _rows(table: np.ndarray) -> list[Any]:
    """Points, one a row; a single one may be a vector or a number; axes of images are the coordinates, row by row."""
    rows = table.reshape(1, -1) if table.ndim < 2 else table
    if not rows.size:
        raise InputError("there are no points in it")
    return rows.reshape(len(rows), -1).tolist()


def _united(sets: list[dict[str, Any]]) -> Polyhedron | Union:
    """One polyhedron, or the union of several, of which strict rows are read as their closure."""
    pieces = []
    for data in sets:
        strict = data.pop("strict")
        piece = Polyhedron.from_data(data)
        if strict and not _open(piece, strict):
            piece = Polyhedron.box([(1, 0)] * piece.dimension)  # no point satisfies the strict rows: nothing to close
        pieces.append(piece)
    if len(pieces) == 1 or all(piece.is_empty for piece in pieces):
        return pieces[0]
    union = Union.of(pieces)
    return union if len(union.pieces) > 1 else union.pieces[0]


def _open(piece: Polyhedron, strict: list[list[Fraction]]) -> bool:
    """Is there a point at which the strict rows are positive? Then the closure is the polyhedron. Cost: one LP."""
    if piece.is_empty:
        return False
    if piece.is_box and all(sum(map(bool, row[1:])) == 1 for row in strict):
        sides = list(zip(piece.checked.lower, piece.checked.upper, strict=True))
        return all(_positive(row, *sides[_at(row)]) for row in strict)
    inequalities = [(*row, 0) for row in piece.inequalities] + [(*primitive(row), -1) for row in strict]
    size = piece.dimension
    bounded = [*inequalities, (1, *[0] * size, -1)]
    best = linear_programs.maximise((0,) * (size + 1) + (1,), bounded, [(*row, 0) for row in piece.equalities])
    return best.value is not None and best.value > 0


def _positive(row: list[Fraction], low: Fraction | None, high: Fraction | None) -> bool:
    """Is the row, which is not negative between two bounds of its only variable, positive between them?"""
    return low is None or high is None or low < high or row[0] + row[1 + _at(row)] * low > 0


def _at(row: list[Fraction]) -> int:
    return next(j for j, v in enumerate(row[1:]) if v)


def write_domain(domain: Domain, path: str | Path) -> None:
    """Write a domain as ``.json`` (also for the stand-alone checker), ``.ine`` or ``.ext``; exact either way.

    The pieces of a union go to files of their own: ``name-1.json``, ``name-2.json``, ...

    Raises:
        InputError: another ending, a finite set as ``.ine`` or ``.ext``, or a file that cannot be written.
    """
    if isinstance(domain, Union):
        for k, piece in enumerate(domain.pieces, 1):
            write_domain(piece, Path(path).with_stem(f"{Path(path).stem}-{k}"))
        return
    kind = Path(path).suffix.lower()
    if kind not in (".json", ".ine", ".ext") or (kind != ".json" and not isinstance(domain, Polyhedron)):
        raise InputError(f"{path}: a domain is written as .json, a polyhedron also as .ine or .ext")
    if kind == ".json":
        files.write(path, json.dumps(_plain(domain), default=str))
    elif isinstance(domain, Polyhedron):
        if kind == ".ext" and domain.is_empty:
            raise InputError(f"{path}: an empty set has no vertices: write .json or .ine")
        cdd_format.write_set(_rows_or_generators(domain, kind == ".ine"), path)


def _plain(domain: Polyhedron | FiniteSet | Ellipsoid) -> dict[str, Any]:
    """The dictionary of the JSON grammar."""
    if isinstance(domain, Ellipsoid):
        return domain.data
    if isinstance(domain, FiniteSet):
        return {"points": domain.points}
    checked = domain.checked
    if checked.generators is not None:
        return _rows_or_generators(domain, False)
    box = list(zip(checked.lower, checked.upper, strict=True))
    return {"box": box, "inequalities": checked.rows, "equalities": checked.equalities}


def _rows_or_generators(domain: Polyhedron, rows: bool) -> dict[str, Any]:
    if rows:
        return {"dimension": domain.dimension, "inequalities": domain.inequalities, "equalities": domain.equalities}
    return {"dimension": domain.dimension, "vertices": domain.vertices, "rays": domain.rays, "lines": domain.lines}
