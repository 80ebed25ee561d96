"""Balls and ellipsoids, and the images of normalisation layers: sets on which an affine form has a closed maximum.

All of them are ``{c + L u : |u|^2 <= s}`` with rational c, L and s; L may be singular, or wider than high. The image of
LayerNorm is *centred* as well: u runs over the vectors whose entries add up to 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import isqrt
from typing import Any, NamedTuple

import numpy as np

from geomrelu import checker
from geomrelu.arguments import instance, integer, several, truth
from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineForm
from geomrelu.exact.elimination import solution
from geomrelu.exact.factor import outer_factor
from geomrelu.exact.numbers import common, nearest, nearest_float, rational, rationals
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.io.arrays import as_array

__all__ = ["Ellipsoid", "Maximum"]

Point = tuple[Fraction, ...]
SLACK = 1 << 40  # points given in floats are moved inward by so small a part, if that is needed


class Maximum(NamedTuple):
    """The maximum of an affine form on an ellipsoid, ``middle + root(square)``.

    Attributes:
        middle: at the center. square: q >= 0.
        value: the maximum, if it is rational; else None.
    """

    middle: Fraction
    square: Fraction
    value: Fraction | None

    @property
    def sign(self) -> int:
        """Of the maximum: -1, 0 or 1. Exact."""
        if self.middle > 0 or self.middle**2 < self.square:
            return 1
        return -1 if self.middle**2 > self.square else 0

    @property
    def about(self) -> Fraction:
        """It, with an error of less than one part in 2^40, to be read."""
        bits = 64
        while self.value is None:
            root = _root(self.square, bits)
            if abs(self.middle + root) * 2 ** (bits - 44) > root:
                return self.middle + root
            bits *= 2
        return self.value

    @property
    def radius(self) -> Fraction:
        """t > 0 with t^2 >= q, so near that ``middle + q / t`` has the sign of the maximum; t^2 = q if possible."""
        if self.value is not None:
            return self.value - self.middle if self.square else Fraction(1)
        t = Fraction(checker.short(checker.root(self.square, 32)))
        if (self.middle + self.square / t > 0) == (self.sign > 0):  # a few digits are enough, mostly
            return t
        n, d = self.square.as_integer_ratio()
        digits = 28 + sum(v.bit_length() for v in (n, d, *self.middle.as_integer_ratio()))
        return Fraction(isqrt(n * d << 2 * digits) + 1, d << digits)


@dataclass(frozen=True, eq=False)
class Ellipsoid:
    """``{c + L u : |u|^2 <= s}``, of any dimension up to n; if it is centred, only for u with ``u_1 + ... + u_k = 0``.

    ``==`` compares data. Make one with :meth:`of`, :meth:`ball`, :meth:`of_statistics`, :meth:`layer_norm` or
    :meth:`rms_norm`; ``checked`` is the canonical form shared with the checker.

    Exact: yes. Cost: what is asked is linear in the nonzero entries of L, but for :meth:`contains`.

    >>> Ellipsoid.ball([0, 0], 1).maximum(AffineForm.of(-5, [3, 4])).value
    Fraction(0, 1)
    """

    checked: checker.Domain

    def __post_init__(self) -> None:
        if not isinstance(self.checked, checker.Domain) or self.checked.ball is None:
            raise InputError("an ellipsoid is made by Ellipsoid.of, .ball, .of_statistics, .layer_norm or .rms_norm")

    # ---- making one -------------------------------------------------------------------------------------------

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Ellipsoid:
        """From the dictionary of the JSON grammar, ``data``: "center", "shape", "square" and "centred".

        Raises:
            InputError: numbers or lengths that do not fit, or "square" < 0.
        """
        try:
            return cls(checker.Domain.parse(data))
        except checker.Rejected as problem:
            raise InputError(str(problem)) from None

    @classmethod
    def of(cls, center: Any, shape: Any = None, square: Any = 1, *, centred: bool = False) -> Ellipsoid:
        """``{center + shape u : |u|^2 <= square}``.

        Args:
            center: n numbers. shape: (n, k), or n numbers, a diagonal; None: the identity. square: s >= 0.
            centred: only the u whose entries add up to 0.

        Raises:
            InputError: numbers or lengths that do not fit, or square < 0.
        """
        c = _vector(center, "the center")
        data: dict[str, Any] = {
            "center": list(c),
            "square": rational(square, "the square"),
            "centred": truth(centred, "centred"),
        }
        if shape is not None:
            shape = as_array(shape)
            rows = _entries(shape, "the shape")
            if rows and all(isinstance(row, (list, tuple, np.ndarray)) for row in rows):
                data["shape"] = [list(_vector(row, f"the shape, row {j}")) for j, row in enumerate(rows)]
            else:
                data["shape"] = list(rationals(rows, "the shape"))
        return cls.from_data(data)

    @classmethod
    def ball(cls, center: Any, radius: Any) -> Ellipsoid:
        """The points at a distance of at most ``radius`` >= 0 from the center.

        Raises:
            InputError: not numbers, or a negative radius.
        """
        return cls.of(center, None, _radius(radius) ** 2)

    @classmethod
    def of_statistics(cls, mean: Any, covariance: Any, radius: Any) -> Ellipsoid:
        """A set that contains ``{x : (x - mean)^T covariance^-1 (x - mean) <= radius^2}``, and is little larger.

        Args:
            mean: n numbers. covariance: (n, n), positive semidefinite, perhaps singular (then the set is flat); or n
                variances. radius: the Mahalanobis distance.

        Raises:
            InputError: numbers or lengths that do not fit; a matrix that is no covariance.

        Exact: the inclusion is. The set is rounded outward by about 1e-7 of its size, and a flat one is made a little
        thicker (see :func:`geomrelu.exact.factor.outer_factor`).
        """
        center = _vector(mean, "the mean")
        table = _entries(as_array(covariance), "the covariance")
        if not any(isinstance(row, (list, tuple, np.ndarray)) for row in table):
            variances = rationals(table, "the variances")
            table = [[v if j == k else 0 for k in range(len(variances))] for j, v in enumerate(variances)]
        rows = [_vector(row, f"the covariance, row {j}") for j, row in enumerate(table)]
        if len(rows) != len(center) or any(len(row) != len(center) for row in rows):
            raise InputError(f"a mean of {len(center)} numbers needs a covariance of {len(center)} x {len(center)}")
        return cls.of(center, outer_factor(rows), _radius(radius) ** 2)

    @classmethod
    def layer_norm(cls, gamma: Any, beta: Any = None) -> Ellipsoid:
        """What LayerNorm over n values can give, ``gamma (x - mean) / sqrt(variance + eps) + beta``, whatever eps >= 0.

        The normalised values have the mean 0 and a square of at most n: the set is ``{beta + diag(gamma) u}`` for u
        with ``|u|^2 <= n`` whose entries add up to 0.

        Raises:
            InputError: not numbers, or gamma and beta of different lengths.
        """
        scale, shift = _affine(gamma, beta)
        return cls.of(shift, scale, len(scale), centred=True)

    @classmethod
    def rms_norm(cls, gamma: Any, beta: Any = None) -> Ellipsoid:
        """What RMSNorm over n values can give, ``gamma x / sqrt(mean of x^2 + eps) + beta``: the same, not centred.

        Raises:
            InputError: as :meth:`layer_norm`.
        """
        scale, shift = _affine(gamma, beta)
        return cls.of(shift, scale, len(scale))

    def __repr__(self) -> str:
        ball = self._ball
        which = "a centred ellipsoid" if ball.centred else "an ellipsoid"
        return f"<{which} in R^{self.dimension}, {ball.width} axes, |u|^2 <= {checker.shown(ball.square)}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ellipsoid) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    # ---- what it is ---------------------------------------------------------------------------------------------

    @property
    def _ball(self) -> checker.Ball:
        assert self.checked.ball is not None
        return self.checked.ball

    @property
    def dimension(self) -> int:
        """n of the space R^n around it."""
        return self.checked.dimension

    @property
    def is_empty(self) -> bool:
        """Never: the center is in it."""
        return False

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form."""
        return self.checked.digest()

    @cached_property
    def box(self) -> Polyhedron:
        """The box around it, its sides rounded outward."""
        return Polyhedron.box(list(zip(self.checked.lower, self.checked.upper, strict=True)))

    @cached_property
    def is_diagonal(self) -> bool:
        """Is L a diagonal matrix?"""
        rows = self._ball.affine.rows
        return self._ball.width == len(rows) and all(columns in ([], [j]) for j, (_, columns, _) in enumerate(rows))

    @property
    def data(self) -> dict[str, Any]:
        """The dictionary of the JSON grammar."""
        ball, (rows, d) = self._ball, self._ball.affine
        data: dict[str, Any] = {"center": [Fraction(bias, d) for bias, _, _ in rows], "square": ball.square}
        if self.is_diagonal:
            data["shape"] = [Fraction(entries[0], d) if entries else Fraction(0) for _, _, entries in rows]
        else:
            tables = [dict(zip(columns, entries, strict=True)) for _, columns, entries in rows]
            data["shape"] = [[Fraction(table.get(k, 0), d) for k in range(ball.width)] for table in tables]
        return data | ({"centred": True} if ball.centred else {})

    def maximum(self, form: AffineForm) -> Maximum:
        """The maximum of an affine form. Exact.

        Raises:
            InputError: the dimensions differ.
        """
        instance(form, AffineForm, "what has a maximum")
        if form.dimension != self.dimension:
            raise InputError(f"a form on R^{form.dimension} on an ellipsoid in R^{self.dimension}")
        ball = self._ball
        entries, scale = common(form.slope)
        slope = dict[int, int]()
        middle = checker.gather({j: c for j, c in enumerate(entries) if c}, ball.affine.rows, slope)
        unit = ball.affine.denominator * scale
        size = sum(w * w for w in slope.values()) - Fraction(ball.centred * sum(slope.values()) ** 2, ball.width)
        m, square = form.constant + Fraction(middle, unit), ball.square * size / unit**2
        n, d = square.as_integer_ratio()
        roots = isqrt(n), isqrt(d)
        rooted = roots[0] ** 2 == n and roots[1] ** 2 == d
        return Maximum(m, square, m + Fraction(*roots) if rooted else None)

    # ---- points -------------------------------------------------------------------------------------------------

    def at(self, u: Sequence[Any]) -> Point:
        """The point ``c + L u``. Exact.

        Raises:
            InputError: u has another length, or gives no point of the set.
        """
        exact = rationals(u, "u")
        try:
            found = tuple(self._ball.at({"ball": list(exact)}))
        except checker.Rejected as problem:
            raise InputError(str(problem)) from None
        self._known[found] = exact
        return found

    @cached_property
    def _known(self) -> dict[Point, Point]:
        """The u of points that were asked for."""
        return {}

    def contains(self, point: Any) -> bool:
        """Is the point in it? Exact. Cost: as :meth:`preimage`.

        Raises:
            InputError: it has another dimension.
        """
        return self.preimage(point) is not None

    def preimage(self, point: Any) -> Point | None:
        """The u of a point, the shortest there is; None: the point lies outside. Exact.

        Raises:
            InputError: it has another dimension.

        Cost: linear for a diagonal shape, else a system of n linear equations, but for points that :meth:`at` gave.
        """
        x = rationals(point, "point")
        if len(x) != self.dimension:
            raise InputError(f"a point of R^{len(x)} and an ellipsoid in R^{self.dimension}")
        if x in self._known:
            return self._known[x]
        u = self._on_axes(x) if self.is_diagonal else self._shortest(x)
        return u if u is not None and sum(v * v for v in u) <= self._ball.square else None

    def _on_axes(self, x: Point) -> Point | None:
        """Of a diagonal shape; axes of length 0 take what a centred u lacks, in equal parts."""
        found, d = list[Fraction](), self._ball.affine.denominator
        idle = []
        for j, ((bias, _, entries), v) in enumerate(zip(self._ball.affine.rows, x, strict=True)):
            rest = v * d - bias
            if not entries and rest:
                return None
            found.append(rest / entries[0] if entries else Fraction(0))
            idle += [] if entries else [j]
        total = sum(found, Fraction(0)) if self._ball.centred else Fraction(0)
        for j in idle:
            found[j] = -total / len(idle)
        return None if total and not idle else tuple(found)

    def _shortest(self, x: Point) -> Point | None:
        ball, rows, values = self._ball, [], []
        for (bias, columns, entries), v in zip(ball.affine.rows, x, strict=True):
            row = [0] * ball.width
            for k, w in zip(columns, entries, strict=True):
                row[k] = w
            rows.append(row)
            values.append(v * ball.affine.denominator - bias)
        if ball.centred:
            rows.append([1] * ball.width)
            values.append(Fraction(0))
        # the shortest u with A u = v is A^T y where A A^T y = v
        products = [[sum(a * b for a, b in zip(first, second, strict=True)) for second in rows] for first in rows]
        y = solution(products, values)
        if y is None:
            return None
        return tuple(sum((row[k] * m for row, m in zip(rows, y, strict=True)), Fraction(0)) for k in range(ball.width))

    def inside(self, u: Iterable[Any]) -> Point | None:
        """A rational u of the set next to one in floats, which may lie a little outside; None if it is not finite.

        Method: floats are taken as they are, the mean is taken away if the set is centred, and what is too long is
        shortened.
        """
        ball, found = self._ball, []
        for v in u:
            if isinstance(v, float) and not np.isfinite(v):
                return None
            found.append(Fraction(v))
        if ball.centred:
            mean = sum(found, Fraction(0)) / len(found)
            found = [v - mean for v in found] if mean else found
        size = sum((v * v for v in found), Fraction(0))
        if size > ball.square:
            n, d = (ball.square / size).as_integer_ratio()
            factor = Fraction(isqrt(n * d * SLACK * SLACK), d * SLACK)
            found = [factor * v for v in found]
        return tuple(found)

    @cached_property
    def floats(self) -> Floats:
        """The same in floating point, which guides and does not decide."""
        return Floats.of(self._ball, self.is_diagonal)


class Floats(NamedTuple):
    """An ellipsoid in float64: its center (n,), shape (n, k), or (n,) for a diagonal, and radius, the root of s."""

    center: np.ndarray
    shape: np.ndarray
    radius: float
    centred: bool
    inverse: np.ndarray  # (k, n), of a shape that is not diagonal

    @classmethod
    def of(cls, ball: checker.Ball, diagonal: bool) -> Floats:
        """From the exact one."""
        rows, d = ball.affine
        shape = np.zeros(len(rows) if diagonal else (len(rows), ball.width))
        for j, (_, columns, entries) in enumerate(rows):
            if entries:
                found = nearest(entries, d)
                shape[j if diagonal else (j, columns)] = found[0] if diagonal else found
        inverse = np.zeros(0)
        if not diagonal:
            inverse = np.linalg.pinv(shape - shape.mean(axis=1, keepdims=True) if ball.centred else shape)
        return cls(
            nearest([bias for bias, _, _ in rows], d), shape, nearest_float(_root(ball.square)), ball.centred, inverse
        )

    @property
    def width(self) -> int:
        """k, the number of entries of u."""
        return self.shape.shape[-1]

    def slopes(self, slope: np.ndarray) -> np.ndarray:
        """Slopes (..., n) of forms in x as slopes (..., k) in u."""
        found = slope * self.shape if self.shape.ndim == 1 else slope @ self.shape
        return found - found.mean(axis=-1, keepdims=True) if self.centred else found

    def highest(self, constant: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """The maxima of forms."""
        return constant + slope @ self.center + self.radius * np.sqrt(np.square(self.slopes(slope)).sum(axis=-1))

    def points(self, u: np.ndarray) -> np.ndarray:
        """The points of some u (..., k)."""
        return self.center + (u * self.shape if self.shape.ndim == 1 else u @ self.shape.T)

    def farthest(self, slope: np.ndarray) -> np.ndarray:
        """The u where forms with slopes (..., n) are largest."""
        along = self.slopes(slope)
        return self.radius * along / (np.sqrt(np.square(along).sum(axis=-1, keepdims=True)) + 1e-300)

    def inward(self, u: np.ndarray) -> np.ndarray:
        """Those that are too long, brought to the edge; without their means, if that is so here."""
        u = u - u.mean(axis=-1, keepdims=True) if self.centred else u
        size = np.sqrt(np.square(u).sum(axis=-1, keepdims=True))
        return u * np.minimum(1, self.radius / np.maximum(size, 1e-300))

    def preimage(self, point: np.ndarray) -> np.ndarray:
        """The u of points (..., n), about."""
        if self.shape.ndim == 2:
            return (point - self.center) @ self.inverse.T
        flat = self.shape == 0
        u = np.where(flat, 0, (point - self.center) / np.where(flat, 1, self.shape))
        if self.centred and flat.any():
            u[..., flat] = -u.sum(axis=-1, keepdims=True) / flat.sum()
        return u


def _root(square: Fraction, bits: int = 64) -> Fraction:
    """The root, less at most one part in 2^(bits - 2)."""
    shift = (square.denominator.bit_length() - square.numerator.bit_length()) // 2 + bits
    larger = square * Fraction(4) ** shift
    return isqrt(larger.numerator // larger.denominator) / Fraction(2) ** shift


def _entries(values: Any, what: str) -> list[Any]:
    """Rows or numbers; those of an array as lists and numbers of Python."""
    several(values, what)
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def _vector(values: Any, what: str) -> Point:
    values = as_array(values)
    found = rationals(_entries(values, what), what)
    integer(len(found), f"{what}: how many numbers there are", 1)
    return found


def _radius(radius: Any) -> Fraction:
    found = rational(radius, "the radius")
    if found < 0:
        raise InputError(f"the radius is at least 0, not {checker.shown(found)}")
    return found


def _affine(gamma: Any, beta: Any) -> tuple[Point, Point]:
    scale = _vector(gamma, "gamma")
    shift = (Fraction(0),) * len(scale) if beta is None else _vector(beta, "beta")
    if len(scale) != len(shift):
        raise InputError(f"gamma has {len(scale)} numbers, and beta has {len(shift)}")
    return scale, shift
