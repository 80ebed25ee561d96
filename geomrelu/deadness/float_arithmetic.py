r"""By how much a network in floating point differs from the network it stands for.

A layer is computed as z = sum of w_j v_j + b: products and sums in *any* order, each with one rounding to nearest or,
where a multiplication and an addition are fused, one for both; in the type itself or in a wider one, from which it is
rounded to the type at most twice (before the bias is added, and at the end). That is what matrix products and direct
or im2col convolutions do on processors and most accelerators. It is not what Strassen's or Winograd's algorithms do,
nor units that round the factors to a narrower type (TF32).

Let u be the unit roundoff and m the smallest normal number of the type. An operation gives (a op b)(1 + d) + e with
|d| <= u and |e| <= m, whether results below m are kept as denormals or flushed to 0 (Higham, Accuracy and Stability of
Numerical Algorithms, 2nd edition, 2.2 and (2.8); if no overflow occurs). With n products, each term goes through at
most k = n + 3 roundings: its product, at most n additions, and at most two more. So for every order (the argument of
Higham, section 3.1, without dividing by 1 - k u, for nothing is divided here; compare Jeannerod and Rump, 2013)

    |fl(z) - z| <= ((1 + u)^k - 1) (sum |w_j| |v_j| + |b|) + (2 n + 2) m (1 + u)^k.

Parameters w' that are no numbers of the type are rounded to nearest, inputs v' of a layer are those of the layer
before, off by at most E_j and at most V_j in size, and what is below m may be read as 0; so in all

    |z' - z| <= sum |w'_j| E_j + sum |w'_j - w_j| V_j + |b' - b|                            (other factors)
                + sum over |w'_j| < m of |w'_j| V_j + m sum |w'_j| + (|b'| if |b'| < m)     (read as 0)
                + ((1 + u)^k - 1) (sum |w'_j| V_j + |b'|) + (2 n + 2) m (1 + u)^k           (roundings)

and max(z, 0) is exact and changes by no more than z. V_j is max(0, upper bound of z_j + error), which also bounds E_j
of an output: both lie between 0 and V_j. Inputs of the network are numbers of the type, so E = 0 there. If the sum of
sizes times (1 + u)^k may exceed the largest number of the type, the error is infinite.

A neuron none of whose terms can be positive (weights <= 0 on outputs, which are >= 0, and bias <= 0) never fires, for
rounding keeps signs; its error does not matter.

All of this is computed rounded upward; proof: proofs/float-deadness.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from geomrelu.deadness.ranges import outward
from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap
from geomrelu.exact.numbers import same
from geomrelu.network.network import Network
from geomrelu.rounding import to_nearest

__all__ = ["ARITHMETICS", "Errors", "Evaluator", "FloatType", "errors", "float_type", "growth"]

Array = np.ndarray
TINY = 1e-300  # more than what a float64 product loses where it underflows
_FINE = 80  # binary digits of growth factors


@dataclass(frozen=True)
class FloatType:
    """A binary floating-point type.

    Attributes:
        digits: of the significand, the leading one included. lowest, highest: exponents of its smallest and its
            largest normal numbers, 2^lowest and (2 - 2^(1 - digits)) 2^highest.
    """

    name: str
    digits: int
    lowest: int
    highest: int

    @property
    def unit(self) -> Fraction:
        """The unit roundoff u."""
        return Fraction(1, 1 << self.digits)

    @property
    def smallest(self) -> Fraction:
        """The smallest normal number."""
        return Fraction(2) ** self.lowest

    @property
    def largest(self) -> Fraction:
        """The largest number."""
        return (2 - 2 * self.unit) * Fraction(2) ** self.highest

    @property
    def overflow(self) -> Fraction:
        """What is not smaller becomes infinite when it is rounded to nearest."""
        return (2 - self.unit) * Fraction(2) ** self.highest

    def has(self, value: Fraction) -> bool:
        """Is it a number of the type, denormal or not?"""
        near = np.array([float(value)]) if abs(value) <= self.largest else np.array([np.inf])
        return bool(self.holds(near)[0]) and Fraction(float(near[0])) == value

    def spacing(self, values: Array) -> Array:
        """The distance of neighbours at float64 numbers (half of it just below a power of two), as exponents of 2."""
        return np.maximum(np.frexp(values)[1] - 1, self.lowest) - self.digits + 1

    def rounded(self, values: Array) -> Array:
        """Float64 numbers rounded to nearest (ties to even), as float64; what is too large becomes infinite."""
        at = self.spacing(values)
        found = np.ldexp(np.rint(np.ldexp(values, -at)), at)
        return np.where(abs(found) > float(self.largest), np.copysign(np.inf, found), found)

    def holds(self, values: Array) -> Array:
        """Which float64 numbers are numbers of the type?"""
        return np.isfinite(values) & (self.rounded(values) == values)


ARITHMETICS = {
    "float32": FloatType("float32", 24, -126, 127),
    "float16": FloatType("float16", 11, -14, 15),
    "bfloat16": FloatType("bfloat16", 8, -126, 127),
}


def float_type(name: str) -> FloatType:
    """A type by its name.

    Raises:
        InputError: there is none of that name.
    """
    if not isinstance(name, str) or name not in ARITHMETICS:
        raise InputError(f"the arithmetic {name!r:.80} is not known (known: {', '.join(ARITHMETICS)})")
    to_nearest()
    return ARITHMETICS[name]


def growth(unit: Fraction, count: int) -> Fraction:
    """(1 + unit)^count, rounded up to a multiple of 2^-80; cost: O(log count) products."""
    found, factor = Fraction(1), 1 + unit
    while count:
        if count & 1:
            found = _ceiled(found * factor)
        factor = _ceiled(factor * factor)
        count >>= 1
        if factor > 1 << 600:  # beyond all floats
            return Fraction(1 << 1200)
    return found


def _ceiled(value: Fraction) -> Fraction:
    return Fraction(-((-value.numerator << _FINE) // value.denominator), 1 << _FINE)


# ---- bounds ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Parameters:
    """A layer's weights and biases in a type, as bounds in float64: of their sizes, and of how far they are off."""

    size: Any  # sparse matrices like that of the layer
    off: Any
    small: Any  # sizes of those that may be read as 0
    signs: Any
    bias: Array
    bias_off: Array
    bias_small: Array
    bias_signs: Array
    counts: Array  # weights of each neuron


def _sizes(values: Array, exact: Array, kind: FloatType) -> tuple[Array, Array, Array]:
    """Of parameters, given as the nearest float64: bounds of their size in the type, how far off, and if small."""
    unit, least = float(kind.unit), float(kind.smallest)
    size = abs(values)
    off = np.where(exact, 0.0, size * (unit * (1 + 2**-20)) + 2 * least * unit)
    size = np.where(exact, size, size * (1 + 2 * unit) + 2 * least * unit)
    size = np.where(size > float(kind.largest), np.inf, size)
    return size, off, np.where(size < least, size, 0.0)


def _are_equal(values: Array, numerators: Sequence[int], denominator: int) -> Array:
    """Which float64 numbers are these fractions, exactly?"""
    finite = np.isfinite(values)
    equal = same(np.where(finite, values, 0.0), numerators, denominator)
    return finite & np.fromiter(equal, bool, len(values))


def parameters(map_: AffineMap, kind: FloatType) -> tuple[_Parameters, int]:
    """A layer in a type, and how many of its parameters are no numbers of it."""
    matrix, bias = map_.floats
    exact = _are_equal(matrix.data, map_.data.tolist(), map_.denominator) & kind.holds(matrix.data)
    exact_bias = _are_equal(bias, map_.bias, map_.denominator) & kind.holds(bias)
    size, off, small = (_like(matrix, table) for table in _sizes(matrix.data, exact, kind))
    signs = _like(matrix, np.array([float((v > 0) - (v < 0)) for v in map_.data.tolist()]))
    bias, bias_off, bias_small = _sizes(bias, exact_bias, kind)
    bias_signs = np.array([(v > 0) - (v < 0) for v in map_.bias])
    found = _Parameters(size, off, small, signs, bias, bias_off, bias_small, bias_signs, np.diff(map_.indptr))
    return found, int((~exact).sum() + (~exact_bias).sum())


def _like(matrix: Any, data: Array) -> Any:
    """A sparse matrix with other entries in the same places."""
    other = matrix.copy()
    other.data = data
    return other


def _up(total: Array, terms: Array) -> Array:
    """An upper bound of sums of so many products of nonnegative float64 numbers, from what float64 says.

    Each of fewer than 2 terms + 4 operations is off by at most a factor 1 + 2^-53 and an underflow.
    """
    return total * (1 + (terms + 4) * 2.0**-50) + (terms + 4) * TINY


class Errors(NamedTuple):
    """About a layer in floats.

    Attributes:
        bound: of the rounding error of its pre-activations, float64 (width,), inf where there is none.
        silent: which neurons have no term that can be positive, bool (width,).
        inexact: how many of its parameters are no numbers of the type.
    """

    bound: Array
    silent: Array
    inexact: int


def errors(
    network: Network,
    kind: FloatType,
    inputs: Sequence[tuple[Fraction | None, Fraction | None]],
    upper: Sequence[Array],
    up_to: int,
) -> Iterator[Errors]:
    """Rounding errors of the pre-activations of layers 1..up_to, layer by layer.

    Args:
        inputs: the least and the greatest value of each input; None: it is not bounded.
        upper: for each layer before ``up_to``, upper bounds of the exact pre-activations (width,), inf for none.

    Exact: they are upper bounds, for all inputs that are numbers of the type. Cost: a few sparse products a layer.
    """
    positive = [np.array([np.inf if high is None else outward(max(high, Fraction(0))) for _, high in inputs])]
    negative = [np.array([np.inf if low is None else outward(max(-low, Fraction(0))) for low, _ in inputs])]
    before = [np.zeros(network.inputs)]
    unit, least, largest = kind.unit, float(kind.smallest), float(kind.largest)
    for layer in range(1, up_to + 1):
        own, inexact = parameters(network.layers[layer - 1], kind)
        above, below = np.concatenate(positive), np.concatenate(negative)
        v, e, n = np.maximum(above, below), np.concatenate(before), own.counts
        with np.errstate(all="ignore"):  # inf is meant; what is not a number becomes inf below
            factors = {int(k): growth(unit, int(k) + 3) for k in np.unique(n)}
            grown = np.array([outward(factors[int(k)]) for k in n])
            rounding = np.array([outward(factors[int(k)] - 1) for k in n])
            mass = _up(_times(own.size, v) + own.bias, n)
            total = _times(own.size, e) + _times(own.off, v) + own.bias_off
            total += _times(own.small, v) + least * _times(own.size, np.ones(len(v))) + own.bias_small
            total += rounding * mass + (2 * n + 2) * least * grown
            total = _up(total, 8 * n + 32)
            most = _up(mass * grown + (2 * n + 2) * least * grown, n)
            total[~(most <= largest) | ~np.isfinite(total)] = np.inf
            risen = _times(_like(own.signs, np.maximum(own.signs.data, 0)), above)
            risen += _times(_like(own.signs, np.maximum(-own.signs.data, 0)), below)
            silent = (risen == 0) & (own.bias_signs <= 0)
            yield Errors(total, silent, inexact)
            if layer < up_to:
                top = upper[layer - 1] + total
                high = np.fmin(_up(np.maximum(top, 0), np.ones(len(n))), np.where(np.isnan(most), np.inf, most))
                high[np.isnan(high)] = np.inf
                high[top < 0] = (
                    0.0  # silent in floats as well: a sum that is not negative is not rounded to one that is
                )
                positive.append(high)
                negative.append(np.zeros(len(n)))
                before.append(np.minimum(total, high))


def _times(matrix: Any, vector: Array) -> Array:
    """``matrix @ vector`` of nonnegative numbers, where 0 times infinity is 0 (there is no such weight)."""
    endless = np.isinf(vector)
    found = matrix @ np.where(endless, 0.0, vector)
    if endless.any():
        found = np.where((matrix @ endless.astype(float)) > 0, np.inf, found)
    return found


# ---- evaluation -----------------------------------------------------------------------------------------------------


class Evaluator:
    """A network in a type, one rounding an operation, its sums in any order.

    Parameters are the nearest numbers of the type. Arrays of float16 and float32 are NumPy's; bfloat16 is float32,
    rounded after each operation (24 digits are more than twice 8 and two, so that rounding twice does no harm).
    """

    def __init__(self, network: Network, kind: FloatType, up_to: int) -> None:
        self.kind, self.up_to = kind, up_to
        self.dtype = np.dtype(np.float16 if kind.name == "float16" else np.float32)
        self.layers = []
        with np.errstate(over="ignore"):
            for map_ in network.layers[:up_to]:
                matrix, bias = map_.floats
                counts = np.diff(map_.indptr)
                rows = np.repeat(np.arange(map_.outputs), counts)
                place = np.arange(len(rows)) - np.repeat(map_.indptr[:-1], counts)
                most = int(counts.max(initial=0))
                weights, columns = np.zeros((map_.outputs, most)), np.zeros((map_.outputs, most), dtype=np.int64)
                weights[rows, place], columns[rows, place] = kind.rounded(matrix.data), map_.indices
                values = kind.rounded(weights).astype(self.dtype), kind.rounded(bias).astype(self.dtype)
                self.layers.append((values[0], columns, values[1]))

    def _round(self, values: Array) -> Array:
        if self.kind.name != "bfloat16":
            return values
        bits = values.view(np.uint32)
        kept = (bits + (((bits >> 16) & 1) + 0x7FFF)) & 0xFFFF0000
        return kept.astype(np.uint32).view(np.float32)

    def __call__(self, points: Array, order: str = "stored", seed: int = 0) -> Array:
        """Pre-activations (points, width) of the last layer at points (points, inputs) of float64 numbers of the type.

        Args:
            order: of the terms of each neuron: "stored" (bias last), "reversed" (bias first), or "random".
        """
        random = np.random.default_rng(seed)
        variables = points.astype(self.dtype)
        with np.errstate(all="ignore"):
            for level, (weights, columns, bias) in enumerate(self.layers, 1):
                z = self._sum(variables, weights, columns, bias, order, random)
                if level < self.up_to:
                    variables = np.concatenate([variables, np.maximum(z, 0)], axis=1)
        return z

    def _sum(
        self, variables: Array, weights: Array, columns: Array, bias: Array, order: str, random: np.random.Generator
    ) -> Array:
        width, most = weights.shape
        places = np.tile(np.arange(most + 1), (width, 1))  # the last one is the bias
        if order == "reversed":
            places = places[:, ::-1]
        elif order == "random":
            places = random.permuted(places, axis=1)
        rows, total = np.arange(width), np.zeros((len(variables), width), dtype=self.dtype)
        one = np.ones((len(variables), 1), dtype=self.dtype)
        widened = np.concatenate([variables, one], axis=1)
        w = np.concatenate([weights, bias[:, None]], axis=1)
        c = np.concatenate([columns, np.full((width, 1), variables.shape[1])], axis=1)
        for k in range(most + 1):
            at = places[:, k]
            product = self._round(w[rows, at][None, :] * widened[:, c[rows, at]])
            total = self._round(total + product)
        return total
