"""Affine forms ``b + a·x`` and affine maps ``x -> A x + b``, exactly.

:class:`AffineForm` is the one word for a constraint, a hyperplane, a neuron's pre-activation and an objective.
:class:`AffineMap` is a stack of forms as a layer needs it: sparse, integers over one common denominator, so that a
convolution is its exact matrix at the price of its nonzero entries.

Notation: ``a`` slope, ``b`` constant, rows = neurons (PyTorch's ``(out, in)``), constant first where a form is
written as one row (cddlib's ``b + a·x >= 0``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from geomrelu.arguments import instance, place, several
from geomrelu.errors import InputError, TooLarge
from geomrelu.exact import numbers
from geomrelu.exact.numbers import common, dyadic, long_numbers, nearest, nearest_dyadic, primitive, rational, rationals
from geomrelu.exact.products import product

if TYPE_CHECKING:
    from scipy import sparse

__all__ = ["AffineForm", "AffineMap", "affordable"]

_LARGEST = 50_000_000
_MANY = 100_000  # products, from which on a composition is made by :mod:`geomrelu.exact.products`


def affordable(count: int, what: str, each: int = 1) -> None:
    """Refuse what would need more than 50 million entries: the one limit on sizes, so that no file can fill memory.
    (All layers of a network together: :meth:`geomrelu.io.tape.Tape.carry`.)

    Args:
        count: nonzero entries, products or values, known before any of them is made.
        what: names them in the error message.
        each: how many entries one of them costs.

    Raises:
        TooLarge: they are more.
    """
    limit = _LARGEST // each
    if count > limit:
        shown = count if count < 10**30 else "far too many"
        raise TooLarge(f"{what}: {shown} entries, but at most {limit} are supported")


@dataclass(frozen=True, slots=True)
class AffineForm:
    """The affine form ``b + a·x`` on R^n with rational coefficients (a zero slope is legal).

    Attributes:
        constant: b. slope: a, n rationals. Make one by :meth:`of`, which takes any numbers.

    Exact: yes. Cost: one multiplication per nonzero coefficient.

    >>> f = AffineForm.of(1, [2, "-1/2"]); f([1, 2])
    Fraction(2, 1)
    """

    constant: Fraction
    slope: tuple[Fraction, ...]

    def __post_init__(self) -> None:
        if type(self.slope) is not tuple or not all(type(v) is Fraction for v in (self.constant, *self.slope)):
            raise InputError("a form is made by AffineForm.of, which takes any numbers")

    @classmethod
    def of(cls, constant: Any, slope: Any) -> AffineForm:
        """A form from any numbers that :func:`geomrelu.exact.numbers.rational` takes.

        Args:
            constant: b. slope: (n,) a.

        Raises:
            InputError: not numbers.
        """
        return cls(rational(constant, "constant"), rationals(slope, "slope"))

    @classmethod
    def of_row(cls, row: Any) -> AffineForm:
        """A form from a row ``[b, a1, ..., an]`` (cddlib's order).

        Raises:
            InputError: not numbers, or none.
        """
        numbers = rationals(row, "row")
        if not numbers:
            raise InputError("a row needs at least its constant")
        return cls(numbers[0], numbers[1:])

    @property
    def dimension(self) -> int:
        """n, the dimension of the space it lives on."""
        return len(self.slope)

    @property
    def row(self) -> tuple[int, ...]:
        """The primitive integer row ``(b, a1, ..., an)`` with the same sign everywhere."""
        return primitive((self.constant, *self.slope))

    def __call__(self, point: Sequence[Any]) -> Fraction:
        return self.constant + self.along(point)

    def along(self, direction: Sequence[Any]) -> Fraction:
        """Its linear part ``a·d``: growth per unit of ``direction``.

        Raises:
            InputError: not n numbers.
        """
        d = rationals(direction, "point")
        if len(d) != len(self.slope):
            raise InputError(f"a form on R^{len(self.slope)} was given a point of R^{len(d)}")
        return sum((a * x for a, x in zip(self.slope, d, strict=True) if a), Fraction(0))

    @long_numbers()
    def __repr__(self) -> str:
        return f"AffineForm.of({str(self.constant)!r}, {[str(a) for a in self.slope]})"

    @long_numbers()
    def _repr_latex_(self) -> str:
        """The form with its coefficients that are not 0."""
        parts = [(self.constant, "")] if self.constant or not any(self.slope) else []
        parts += [(a, f"x_{{{j}}}") for j, a in enumerate(self.slope, 1) if a]
        terms = "".join(f"{'-' if a < 0 else '+'} {_latex(abs(a), name)} " for a, name in parts)
        return f"${terms.strip().removeprefix('+ ')}$"

    def __neg__(self) -> AffineForm:
        return AffineForm(-self.constant, tuple(-a for a in self.slope))


def _latex(value: Fraction, name: str) -> str:
    if name and value == 1:
        return name
    number = str(value) if value.denominator == 1 else rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
    return f"{number} {name}".strip()


@dataclass(frozen=True, eq=False)
class AffineMap:
    """The exact affine map ``x -> (data x + bias) / denominator`` from R^inputs to R^outputs, sparse by rows.

    Attributes:
        inputs: n, the dimension it reads.
        indptr, indices: compressed sparse rows as in SciPy; within a row the columns increase.
        data: integers (object array), one per nonzero entry.
        bias: integers, one per row.
        denominator: positive, common to all of them.
        composed: was it made of maps that, computed one after the other in floats, round more often than one sum of
            products with its entries?

    Exact: yes, apart from :attr:`floats`. Cost: one multiplication per nonzero entry.

    >>> AffineMap.from_dense([[1, 2], [0, "1/2"]], [3, 0]).form(1)([4, 5])
    Fraction(5, 2)
    """

    inputs: int
    indptr: np.ndarray
    indices: np.ndarray
    data: np.ndarray
    bias: tuple[int, ...]
    denominator: int
    composed: bool = False

    def __post_init__(self) -> None:
        for array in (self.indptr, self.indices, self.data):
            array.setflags(write=False)  # a map is a value

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()  # copies of arrays can be written to

    def __repr__(self) -> str:
        return f"<an affine map R^{self.inputs} -> R^{self.outputs} with {len(self.data)} coefficients>"

    # ---- making one -------------------------------------------------------------------------------------------

    @classmethod
    def from_dense(cls, weights: Any, bias: Any = None, where: str = "layer") -> AffineMap:
        """From a matrix and a vector: NumPy arrays or nested lists of numbers.

        Args:
            weights: (outputs, inputs). bias: (outputs,); None: zeros. where: names the place in error messages.

        Raises:
            InputError: not a matrix, ragged rows, lengths that do not fit, entries that are not finite numbers.
        """
        matrix = _matrix(weights, f"{where}, weights")
        outputs, inputs = matrix.shape
        places, numerators, d1 = numbers.sparse(matrix, f"{where}, weights")
        if bias is None:
            constants, d2 = [0] * outputs, 1
        else:
            vector = bias if isinstance(bias, np.ndarray) else _object_vector(bias, f"{where}, bias")
            if vector.ndim != 1:
                raise InputError(f"{where}, bias: expected a vector, got {vector.ndim} axes")
            if len(vector) != outputs:
                raise InputError(f"{where}: {outputs} rows of weights but {len(vector)} biases")
            constants, d2 = dyadic(vector, f"{where}, bias")
        rows, columns = np.divmod(places, max(inputs, 1))
        return cls.from_entries((outputs, inputs), rows, columns, _objects(numerators), d1, constants, d2)

    @classmethod
    def from_entries(
        cls,
        shape: tuple[int, int],
        rows: np.ndarray,
        columns: np.ndarray,
        data: np.ndarray,
        data_denominator: int,
        bias: Sequence[int],
        bias_denominator: int = 1,
    ) -> AffineMap:
        """From triplets (no place twice) and a bias, each over its own denominator; zeros are dropped.

        Args:
            shape: (outputs, inputs). rows, columns, data: where the entries stand, and the integers that are there.
            bias: (outputs,) integers. data_denominator, bias_denominator: over which these stand.
        """
        keep = data.astype(bool)
        if not keep.all():
            rows, columns, data = rows[keep], columns[keep], data[keep]
        place = rows * shape[1] + columns
        if (place[1:] <= place[:-1]).any():
            order = np.argsort(place)
            rows, columns, data = rows[order], columns[order], data[order]
        denominator = math.lcm(data_denominator, bias_denominator)
        data = _times(data, denominator // data_denominator)
        bias = [v * (denominator // bias_denominator) for v in bias]
        indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))]).astype(np.int64)
        return cls(shape[1], indptr, columns.astype(np.int64, copy=False), data, tuple(bias), denominator)

    @classmethod
    def selection(cls, inputs: int, columns: Iterable[int]) -> AffineMap:
        """Row ``i`` is the coordinate ``columns[i]`` of R^inputs; the identity is ``selection(n, range(n))``."""
        columns = _chosen(columns, inputs)
        ones = _objects([1] * len(columns))
        return cls(inputs, np.arange(len(columns) + 1), columns, ones, (0,) * len(columns), 1)

    @classmethod
    def from_forms(cls, forms: Sequence[AffineForm], inputs: int) -> AffineMap:
        """The ``forms`` on R^inputs one under the other."""
        return cls.from_dense(
            np.array([f.slope for f in forms], dtype=object).reshape(len(forms), inputs),
            np.array([f.constant for f in forms], dtype=object),
        )

    # ---- reading it -------------------------------------------------------------------------------------------

    @property
    def outputs(self) -> int:
        """The dimension it maps to: the number of rows."""
        return len(self.bias)

    @property
    def row_of(self) -> np.ndarray:
        """The row in which each entry stands: (entries,) int64. Made anew each time."""
        return np.repeat(np.arange(self.outputs), np.diff(self.indptr))

    def row(self, i: int) -> tuple[int, list[int], list[int]]:
        """Row ``i`` as ``(bias, columns, entries)``, integers over :attr:`denominator`."""
        start, stop = self.indptr[i], self.indptr[i + 1]
        return self.bias[i], self.indices[start:stop].tolist(), self.data[start:stop].tolist()

    def rows(self, numbers: np.ndarray) -> list[tuple[int, list[int], list[int]]]:
        """All rows as :meth:`row` has them.

        ``numbers``: 0, 1, 2, ... as objects, which then stand in all rows, so that a column takes 8 bytes and not 40.
        """
        parts = zip(self.bias, pairwise(self.indptr.tolist()), strict=True)
        columns, data = numbers[self.indices], self.data
        return [(bias, columns[start:stop].tolist(), data[start:stop].tolist()) for bias, (start, stop) in parts]

    def form(self, i: int) -> AffineForm:
        """Row ``i``, from 0, as an affine form."""
        bias, columns, entries = self.row(place(i, "row", self.outputs))
        slope = [Fraction(0)] * self.inputs
        for j, v in zip(columns, entries, strict=True):
            slope[j] = Fraction(v, self.denominator)
        return AffineForm(Fraction(bias, self.denominator), tuple(slope))

    @property
    def floats(self) -> tuple[sparse.csr_matrix, np.ndarray]:
        """``(A, b)`` in float64, each entry correctly rounded: to guide, never to decide. Made anew each time."""
        values, bias = self._in_floats()
        return self._compressed(values), bias

    def float_blocks(self, blocks: Sequence[tuple[int, int]], dense: int) -> tuple[list[Any], np.ndarray]:
        """A and b as :attr:`floats`, A cut by columns: dense where that is small or nearly full, else compressed.

        Args:
            blocks: ``(first, last)``, the columns from first to before last.
            dense: the most entries of an array that is dense because it is nearly full.
        """
        values, bias = self._in_floats()
        found: list[Any] = []
        for first, last in blocks:
            here = (first <= self.indices) & (self.indices < last)
            size = self.outputs * (last - first)
            if size <= 1 << 16 or (4 * np.count_nonzero(here) > size and size <= dense):
                block = np.zeros((self.outputs, last - first))
                block[self.row_of[here], self.indices[here] - first] = values[here]
            else:
                block = self._compressed(values)[:, first:last].tocsr()
            found.append(block)
        return found, bias

    def _in_floats(self) -> tuple[np.ndarray, np.ndarray]:
        values = nearest_dyadic(self.data, self.denominator)
        if values is None:
            distinct = {v: k for k, v in enumerate(dict.fromkeys(self.data))}
            position = np.fromiter(map(distinct.__getitem__, self.data), np.int64, len(self.data))
            values = nearest(list(distinct), self.denominator)[position] if distinct else np.zeros(0)
        return values, nearest(self.bias, self.denominator)

    def _compressed(self, values: np.ndarray) -> sparse.csr_matrix:
        from scipy import sparse  # here: it takes long to load, and what is exact does not need it

        return sparse.csr_matrix((values, self.indices, self.indptr), shape=(self.outputs, self.inputs))

    def apply(self, numerators: Sequence[int], denominator: int = 1, rows: Iterable[int] | None = None) -> list[int]:
        """Its value at ``x = numerators / denominator``, as integers over ``self.denominator * denominator``.

        Args:
            rows: which of its rows; None: all.
        """
        result = []
        for i in range(self.outputs) if rows is None else rows:
            bias, columns, entries = self.row(i)
            total = bias * denominator
            for j, v in zip(columns, entries, strict=True):
                total += v * numerators[j]
            result.append(total)
        return result

    # ---- building on it ---------------------------------------------------------------------------------------

    def take(self, rows: Iterable[int]) -> AffineMap:
        """The map whose row ``i`` is row ``rows[i]`` of this one."""
        picked = _chosen(rows, self.outputs)
        counts = np.diff(self.indptr)[picked]
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        affordable(int(indptr[-1]), "the selected rows")
        entries = np.repeat(self.indptr[picked] - indptr[:-1], counts) + np.arange(indptr[-1])
        bias = tuple(self.bias[i] for i in picked)
        data, indices = self.data[entries], self.indices[entries]
        return AffineMap(self.inputs, indptr, indices, data, bias, self.denominator, self.composed)

    def widened(self, inputs: int) -> AffineMap:
        """The same map read on R^inputs, ignoring the added coordinates."""
        return replace(self, inputs=inputs)

    def after(self, inner: AffineMap) -> AffineMap:
        """The composition ``x -> self(inner(x))``. Relabelling when ``inner`` selects coordinates, else row by row.

        Raises:
            InputError: ``inner`` maps into another space.
        """
        instance(inner, AffineMap, "what a map follows")
        if self.inputs != inner.outputs:
            raise InputError(f"a map on R^{self.inputs} cannot follow one into R^{inner.outputs}")
        composed = self.composed or inner.composed
        selects = inner.denominator == 1 and not any(inner.bias) and len(inner.data) == inner.outputs
        if selects and (np.diff(inner.indptr) == 1).all() and all(v == 1 for v in inner.data):
            target = inner.indices
            if (target[1:] > target[:-1]).all():
                return replace(self, inputs=inner.inputs, indices=target[self.indices], composed=composed)
            if len(np.unique(target)) == len(target):
                shape = (self.outputs, inner.inputs)
                moved = AffineMap.from_entries(
                    shape, self.row_of, target[self.indices], self.data, self.denominator, self.bias, self.denominator
                )
                return replace(moved, composed=composed)
        twice = len(np.unique(inner.indices)) < len(inner.indices)  # then several products become one
        return replace(self._composed(inner), composed=composed or not inner._copies or twice)

    @property
    def _copies(self) -> bool:
        """Is each row a coordinate or 0? Then nothing is rounded."""
        single = not any(self.bias) and (np.diff(self.indptr) <= 1).all()
        return bool(single) and all(v == self.denominator for v in self.data)

    def _composed(self, inner: AffineMap) -> AffineMap:
        """The composition. Rows that are another one moved along, as nearly all of a convolution, are computed once."""
        kinds, first = inner._kinds()
        known = dict[Any, int]()
        which, moved, some = list[int](), list[int](), list[int]()
        for i in range(self.outputs):
            bias, columns, entries = self.row(i)
            start = first[columns[0]] if columns else 0
            name = bias, tuple(entries), tuple([kinds[j] for j in columns]), tuple([first[j] - start for j in columns])
            if name not in known:
                known[name] = len(some)
                some.append(i)
            which.append(known[name])
            moved.append(start)
        lengths = np.diff(inner.indptr)
        products = sum(int(lengths[self.indices[self.indptr[i] : self.indptr[i + 1]]].sum()) for i in some)
        affordable(products, "the composition of two maps")
        rows = self._multiplied(inner, some) if products > _MANY else None
        if rows is None:
            rows = self._added_up(inner, some)
        if len(some) == self.outputs:
            return rows
        found, starts = rows.take(which), np.array(moved, dtype=np.int64)
        shift = np.repeat(starts - starts[np.array(some)[which]], np.diff(found.indptr))
        return replace(found, indices=found.indices + shift)

    def _multiplied(self, inner: AffineMap, some: list[int]) -> AffineMap | None:
        """Some rows of the composition as a product of matrices, if that is of use."""
        part = self.take(some)
        factors = (part.indptr, part.indices, part.data), (inner.indptr, inner.indices, inner.data)
        found = product(*factors, self.inputs, inner.inputs)
        if found is None:
            return None
        constants = _objects(inner.bias)
        shifts = [int(v) for v in np.add.reduceat(np.append(part.data * constants[part.indices], 0), part.indptr[:-1])]
        bias = tuple(
            b * inner.denominator + (shift if length else 0)
            for b, shift, length in zip(part.bias, shifts, np.diff(part.indptr), strict=True)
        )
        return AffineMap(inner.inputs, *found, bias, self.denominator * inner.denominator)._lowest()

    def _added_up(self, inner: AffineMap, some: list[int]) -> AffineMap:
        """The same, number by number."""
        table = [inner.row(j) for j in range(inner.outputs)]
        built = []
        for i in some:
            bias, columns, entries = self.row(i)
            total, sums = bias * inner.denominator, dict[int, int]()
            for j, v in zip(columns, entries, strict=True):
                b, inner_columns, inner_entries = table[j]
                total += v * b
                for k, w in zip(inner_columns, inner_entries, strict=True):
                    sums[k] = sums.get(k, 0) + v * w
            built.append((total, sums))
        return _from_rows(built, inner.inputs, self.denominator * inner.denominator)

    def _kinds(self) -> tuple[list[int], list[int]]:
        """Of each row a number, which rows share that differ only in where they begin, and its first column."""
        known, kinds, first = dict[Any, int](), list[int](), list[int]()
        for i in range(self.outputs):
            bias, columns, entries = self.row(i)
            start = columns[0] if columns else 0
            name = bias, tuple(entries), tuple([j - start for j in columns])
            kinds.append(known.setdefault(name, len(known)))
            first.append(start)
        return kinds, first

    def plus(self, other: AffineMap, sign: int = 1) -> AffineMap:
        """The sum ``self(x) + sign * other(x)``.

        Raises:
            InputError: maps between other spaces.
        """
        instance(other, AffineMap, "what is added to a map")
        if (self.outputs, self.inputs) != (other.outputs, other.inputs):
            raise InputError(f"cannot add maps into R^{self.outputs} and R^{other.outputs}")
        denominator = math.lcm(self.denominator, other.denominator)
        s, t = denominator // self.denominator, sign * (denominator // other.denominator)
        place, data = self._places, _times(self.data, s)
        added, more = other._places, _times(other.data, t)
        at = np.searchsorted(place, added)
        new = place[np.minimum(at, len(place) - 1)] != added if len(place) else np.ones(len(added), dtype=bool)
        if not new.all():
            data = data if s != 1 else data.copy()
            data[at[~new]] += more[~new]
        place, data = np.insert(place, at[new], added[new]), np.insert(data, at[new], more[new])
        bias = [b1 * s + b2 * t for b1, b2 in zip(self.bias, other.bias, strict=True)]
        shape = (self.outputs, self.inputs)
        rows, columns = np.divmod(place, max(self.inputs, 1))
        found = self.from_entries(shape, rows, columns, data, denominator, bias, denominator)._lowest()
        again = not new.all() or any(b1 and b2 for b1, b2 in zip(self.bias, other.bias, strict=True))
        return replace(found, composed=self.composed or other.composed or again)

    @property
    def _places(self) -> np.ndarray:
        """Where the entries stand, numbered row by row: increasing."""
        return self.row_of * self.inputs + self.indices

    def _lowest(self) -> AffineMap:
        """The same map without a common factor of all its integers."""
        factor = math.gcd(self.denominator, *self.bias)
        for first in range(0, len(self.data), 1000):  # in steps: nearly always it is 1 at once
            if factor == 1:
                return self
            factor = math.gcd(factor, *self.data[first : first + 1000])
        if factor == 1:
            return self
        bias, data = tuple(b // factor for b in self.bias), _each(self.data, lambda v: v // factor)
        return replace(self, data=data, bias=bias, denominator=self.denominator // factor)

    def scaled(self, factors: Sequence[Fraction], shifts: Sequence[Fraction] | None = None) -> AffineMap:
        """Row ``i`` times ``factors[i]`` plus ``shifts[i]``."""
        numerators, d1 = common(factors)
        constants, d2 = common(shifts) if shifts is not None else ([0] * len(numerators), 1)
        data = self.data
        if any(v != 1 for v in numerators):
            shared: dict[int, int] = {}
            by_entry = np.repeat(_objects(numerators), np.diff(self.indptr))
            data = _objects([shared.setdefault(v, v) for v in data * by_entry])
        again = any(abs(v) != d1 for v in numerators) and not self._copies
        composed = self.composed or again or any(b and c for b, c in zip(self.bias, constants, strict=True))
        denominator = math.lcm(self.denominator * d1, d2)
        s, t = denominator // (self.denominator * d1), denominator // d2
        bias = [b * f * s + c * t for b, f, c in zip(self.bias, numerators, constants, strict=True)]
        if all(numerators):
            data = _times(data, s)
            return replace(self, data=data, bias=tuple(bias), denominator=denominator, composed=composed)
        shape, over = (self.outputs, self.inputs), self.denominator * d1
        found = AffineMap.from_entries(shape, self.row_of, self.indices, data, over, bias, denominator)
        return replace(found, composed=composed)

    @staticmethod
    def stacked(maps: Sequence[AffineMap]) -> AffineMap:
        """The maps one under the other."""
        affordable(sum(len(m.data) for m in maps), "the stacked maps")
        denominator = math.lcm(*(m.denominator for m in maps))
        bias: list[int] = []
        for m in maps:
            factor = denominator // m.denominator
            bias.extend(m.bias if factor == 1 else [v * factor for v in m.bias])
        starts = np.cumsum([0] + [len(m.data) for m in maps])
        indptr = np.concatenate([[0]] + [m.indptr[1:] + s for m, s in zip(maps, starts, strict=False)])
        return AffineMap(
            maps[0].inputs,
            indptr.astype(np.int64),
            np.concatenate([m.indices for m in maps]),
            np.concatenate([_times(m.data, denominator // m.denominator) for m in maps]),
            tuple(bias),
            denominator,
            any(m.composed for m in maps),
        )


def _times(data: np.ndarray, factor: int) -> np.ndarray:
    """``data * factor`` for an object array."""
    return data if factor == 1 else _each(data, lambda v: v * factor)


def _each(data: np.ndarray, function: Callable[[int], int]) -> np.ndarray:
    """A function of each entry of an object array; equal entries go on sharing one integer."""
    entries = data.tolist()
    values = {v: function(v) for v in set(entries)}
    return _objects([values[v] for v in entries])


def _objects(entries: Sequence[Any]) -> np.ndarray:
    array = np.empty(len(entries), dtype=object)
    array[:] = entries
    return array


def _from_rows(rows: list[tuple[int, dict[int, int]]], inputs: int, denominator: int) -> AffineMap:
    """Assemble rows ``(bias, {column: entry})``, dropping zeros and the common factor of everything."""
    indptr, columns, entries = [0], list[int](), list[int]()
    for _, sums in rows:
        for j in sorted(sums):
            if sums[j]:
                columns.append(j)
                entries.append(sums[j])
        indptr.append(len(columns))
    places = np.array(indptr, dtype=np.int64), np.array(columns, dtype=np.int64)
    return AffineMap(inputs, *places, _objects(entries), tuple(b for b, _ in rows), denominator)._lowest()


def _chosen(numbers: Iterable[int], count: int) -> np.ndarray:
    """Some of so many places, from 0."""
    found = np.fromiter(numbers, dtype=np.int64)
    if ((found < 0) | (found >= count)).any():
        raise InputError(f"places count from 0 to {count - 1}")
    return found


def _matrix(values: Any, where: str) -> np.ndarray:
    if isinstance(values, np.ndarray):
        if values.ndim != 2:
            raise InputError(f"{where}: expected a matrix, got an array with {values.ndim} axes")
        return values
    rows = [rationals(row, f"{where}, row {i}") for i, row in enumerate(several(values, where, "rows"))]
    if len({len(row) for row in rows}) > 1:
        raise InputError(f"{where}: rows of different lengths")
    matrix = np.empty((len(rows), len(rows[0]) if rows else 0), dtype=object)
    for i, row in enumerate(rows):
        matrix[i, :] = row
    return matrix


def _object_vector(values: Any, where: str) -> np.ndarray:
    return _objects(rationals(values, where))
