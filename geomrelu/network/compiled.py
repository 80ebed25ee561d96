"""The first layers of a network, compiled for the subdivision: floats to guess signs with a proven error bound, and
integers, in digits that float64 matrix products add without rounding, to decide them.

The bounds of :meth:`Compiled.outlook` and :meth:`Compiled.rounded` are proved at the head of
:mod:`geomrelu.network.subdivision`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import lcm
from operator import mul

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap, affordable
from geomrelu.exact.cddlib import Row
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.native import cells
from geomrelu.network.network import Network
from geomrelu.rounding import to_nearest

__all__ = ["TINY", "UNIT", "UNKNOWN", "Compiled", "Layer"]

UNIT = 2.0**-53  # u, the largest relative error of a rounding
TINY = 2.0**-900
UNKNOWN = 2  # beside the signs -1, 0, 1
_PRODUCT = 1 << 18  # multiplications of one matrix product: BLAS does not start threads for so few


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer over the columns ``(s, inputs, layer 1, ...)``: floats to guess its signs, integers to decide them.

    It reads the columns ``low..high`` besides s. ``forms[i]`` is ``(bias, coefficients)``, at a common positive scale.
    """

    low: int
    high: int
    forms: list[tuple[int, list[int]]]
    weights: np.ndarray
    bias: np.ndarray
    weight_sizes: np.ndarray
    bias_sizes: np.ndarray
    roundings: int

    def digits(self, width: int) -> list[np.ndarray]:
        """The matrix ``[bias, weights]`` in digits of so many bits: small integers in floats, lowest digit first."""
        matrix = np.array([[bias, *weights] for bias, weights in self.forms], dtype=object)
        matrix = matrix.reshape(len(self.forms), 1 + self.high - self.low)
        if self.bits < 62:
            matrix = matrix.astype(np.int64)
        half, found = 1 << (width - 1), list[np.ndarray]()
        while not found or matrix.any():
            digit = ((matrix + half) & (2 * half - 1)) - half
            found.append(digit.astype(np.float64))
            matrix = (matrix - digit) >> width
        return found

    @cached_property
    def sheet(self) -> cells.Sheet:
        """As the compiled kernel reads it."""
        return cells.sheet(self.low, self.high, self.weights, self.bias)

    @cached_property
    def bits(self) -> int:
        return max((max(abs(bias), *map(abs, weights), 0).bit_length() for bias, weights in self.forms), default=0)


class Compiled:
    """The first layers of a network and its domain, ready for the kernel.

    Bits of the table of zeros: 0 is s = 0 (at infinity), then the facets of the domain, then the neurons.
    """

    def __init__(self, network: Network, domain: Polyhedron, layers: int) -> None:
        to_nearest()
        self.network, self.domain = network, domain
        self.inputs = network.inputs
        self.widths = network.widths[:layers]
        self.rows: list[Row] = [(1,) + (0,) * self.inputs, *domain.inequalities]
        self.first = [0]  # first[l]: how many neurons there are before layer l + 1
        for width in self.widths:
            self.first.append(self.first[-1] + width)
        self.neurons = self.first[-1]
        self.words = (len(self.rows) + self.neurons + 63) // 64
        self.units = np.ones(1 + self.inputs)
        self.layers: list[Layer] = []
        self.scales, roundings = [1], 1  # scales[l]: the exact variables of layer l are s times these integers
        for map_ in network.layers[:layers]:
            layer, scale = _compiled(map_, network.starts, self.scales, roundings)
            self.layers.append(layer)
            self.scales.append(scale)
            roundings = layer.roundings

    def measure(self, points: Sequence[Row]) -> None:
        """Choose the units: powers of two above the coordinates of the vertices of the domain."""
        for j in range(1, 1 + self.inputs):
            exponents = [abs(g[j]).bit_length() - g[0].bit_length() + 1 for g in points if g[0] and g[j]]
            self.units[j] = 2.0 ** max(-300, min(300, max(exponents, default=0)))

    @cached_property
    def output(self) -> tuple[Layer, int]:
        """The output map and its scale; without one, the outputs of the last layer."""
        network = self.network
        last = range(network.starts[-2], network.starts[-1])
        map_ = network.output or AffineMap.selection(network.starts[-1], last)
        return _compiled(map_, network.starts, self.scales, 0)

    def bit(self, neuron: int) -> int:
        return len(self.rows) + neuron

    def exact(self, variables: list[int], upto: int) -> None:
        """Extend ``(s, y, layer 1, ...)`` at a generator, scaled layer by layer, to the outputs of layer ``upto``."""
        done = len(variables) - 1 - self.inputs
        for l in range(upto):
            if self.first[l] >= done:
                layer = self.layers[l]
                s, read = variables[0], variables[layer.low : layer.high]
                variables += [max(0, sum(map(mul, weights, read), bias * s)) for bias, weights in layer.forms]

    @cached_property
    def _digits(self) -> tuple[int, list[list[np.ndarray]]]:
        """The bits w of a digit, and all layers in digits between -2**(w-1) and 2**(w-1).

        A sum of products of digits, at most ``terms`` for each of at most ``longest`` pairs, is below 2**51, and
        stays below 2**52 with what is carried. Two digits more than its factors have hold the sum, as terms < 2**w.
        """
        terms = max((layer.high - layer.low + 1 for layer in self.layers), default=1) + max(self.widths, default=1)
        longest = max((layer.bits for layer in self.layers), default=1) + 1
        width = (51 - terms.bit_length() - longest.bit_length()) // 2 + 1
        if width < terms.bit_length():
            raise InputError(f"layers of {terms} neurons are too wide for the linear pieces to be listed")
        return width, [layer.digits(width) for layer in self.layers]

    def _rates(self, signs: np.ndarray, l: int, i: int) -> list[np.ndarray]:
        """The pre-activation of neuron i of layer ``l + 1`` on cells, rows ``(b, a...)`` in digits, lowest first.

        Method: backwards through the layers, for all cells at once, in digits carried by float64 matrix products.
        """
        width, digits = self._digits
        layer, columns = self.layers[l], 1 + self.inputs + self.first[l]
        rates = [np.zeros((len(signs), columns)) for _ in digits[l]]  # of the neuron in each variable
        for rate, digit in zip(rates, digits[l], strict=True):
            rate[:, 0], rate[:, layer.low : layer.high] = digit[i, 0], digit[i, 1:]
        for k in range(l - 1, -1, -1):
            layer, first = self.layers[k], self.first[k]
            at = 1 + self.inputs + first
            active = signs[:, first : first + self.widths[k]] > 0
            inner = [rate[:, at : at + self.widths[k]] * active for rate in rates]
            rates = [rate[:, :at] for rate in rates]
            rates += [np.zeros((len(signs), at)) for _ in range(len(digits[k]) + 1)]
            for a, x in enumerate(inner):
                for b, digit in enumerate(digits[k]):
                    product = x @ digit
                    rates[a + b][:, 0] += product[:, 0]
                    rates[a + b][:, layer.low : layer.high] += product[:, 1:]
            for low, high in pairwise(rates):
                carry = np.rint(low * 2.0**-width)
                low -= carry * 2.0**width
                high += carry
            while len(rates) > 1 and not rates[-1].any():
                rates.pop()
        return [rate[:, : self.inputs + 1] for rate in rates]

    def forms(self, signs: np.ndarray, l: int, i: int) -> list[list[int]]:
        """The pre-activation of neuron i of layer ``l + 1`` on cells: rows ``(b, a...)`` at one positive scale."""
        rates, width = self._rates(signs, l, i), self._digits[0]
        rows = rates[-1].astype(np.int64).astype(object)
        for rate in reversed(rates[:-1]):
            rows = (rows << width) + rate.astype(np.int64)
        return rows.tolist()

    def slopes(self, signs: np.ndarray, l: int, i: int) -> np.ndarray:
        """The same in floats, in units of the coordinates: each coefficient up to 3u of itself, or an underflow."""
        rates, factor = self._rates(signs, l, i), 2.0 ** -self._digits[0]
        total = rates[0]
        for rate in rates[1:]:
            total = total * factor + rate
        return total * self.units

    def outlook(self, near: np.ndarray, l: int, i: int = 0) -> np.ndarray:
        """Signs of the neurons from i on of layer ``l + 1`` at generators; UNKNOWN where floats do not prove them.

        Args:
            near: coordinates and error bounds, as in :class:`Block`.
        """
        found = np.full((len(near), self.widths[l]), UNKNOWN, dtype=np.int8)
        columns = 1 + self.inputs + self.first[l]
        largest = max((layer.high - layer.low) * len(layer.forms) for layer in self.layers[: l + 1])
        step = max(16, _PRODUCT // max(largest, columns))
        for first in range(0, len(near), step):
            some = near[first : first + step]
            table = np.empty((len(some), columns))
            np.multiply(some[:, :-1], self.units, out=table[:, : 1 + self.inputs])
            with np.errstate(all="ignore"):
                for k, layer in enumerate(self.layers[: l + 1]):
                    here = slice(i if k == l else 0, None)
                    z = table[:, layer.low : layer.high] @ layer.weights[:, here]
                    z += table[:, :1] * layer.bias[here]
                    if k < l:
                        at = 1 + self.inputs + self.first[k]
                        np.maximum(z, 0.0, out=table[:, at : at + self.widths[k]])
                bound = (2.0 * some[:, -1:] + layer.roundings * 2.0**-52) * self.reach[l][i:]
                found[first : first + step, i:] = np.where(np.abs(z) > bound, np.sign(z), UNKNOWN)
        return found

    @cached_property
    def reach(self) -> list[np.ndarray]:
        """For each layer the largest magnitudes of its neurons at coordinates of at most one unit."""
        sizes, found = self.units, list[np.ndarray]()
        with np.errstate(all="ignore"):
            for layer in self.layers:
                found.append(sizes[layer.low : layer.high] @ layer.weight_sizes + sizes[0] * layer.bias_sizes + TINY)
                sizes = np.concatenate([sizes, found[-1]])
        return found

    @cached_property
    def wrong(self) -> np.ndarray:
        """For each neuron twice what its form on a cell may be wrong by in floats, all coefficients together."""
        with np.errstate(all="ignore"):
            each = [layer.roundings * 2.0**-51 * size for layer, size in zip(self.layers, self.reach, strict=True)]
        return np.concatenate([np.zeros(0), *each])

    @cached_property
    def facets(self) -> np.ndarray:
        """The inequalities and the equations of the domain in units, at any scale, each coefficient up to 4u."""
        rows = [*self.rows, *self.domain.equalities]
        with suppress(OverflowError), np.errstate(over="ignore"):
            found = np.array(rows, dtype=np.float64) * self.units
            if np.isfinite(found).all():
                return found
        units = [Fraction(unit) for unit in self.units.tolist()]
        exact = [[v * unit for v, unit in zip(row, units, strict=True)] for row in rows]
        return np.array([[v / max(map(abs, row)) for v in row] for row in exact], dtype=np.float64)

    def rounded(self, rows: Sequence[Row]) -> np.ndarray:
        """Exact generators as floats in units, and their error bound: see the head of the module."""
        try:
            table = np.array(rows, dtype=np.float64)
        except OverflowError:
            shifts = [max(0, max(map(abs, row)).bit_length() - 700) for row in rows]
            table = np.array([[v / (1 << e) for v in row] for row, e in zip(rows, shifts, strict=True)])
        table /= self.units
        near = np.empty((len(rows), self.inputs + 2))
        np.divide(table, np.abs(table).max(axis=1)[:, None], out=near[:, :-1])
        near[:, -1] = 4 * UNIT
        return near


def _compiled(map_: AffineMap, starts: Sequence[int], scales: list[int], roundings: int) -> tuple[Layer, int]:
    """The layer after those with the integer ``scales``; its own scale."""
    reads = map_.indices
    low, high = (int(reads.min()), int(reads.max()) + 1) if len(reads) else (0, 0)
    size = (high - low) * map_.outputs
    affordable(size, "a layer as a matrix")
    ends = np.array(starts[1 : len(scales) + 1])
    # the layer of a variable, 0: inputs
    home = np.searchsorted(ends, np.arange(low, high), side="right").tolist()
    shared = lcm(*(scales[k] for k in set(home)))
    factors = [shared // scales[k] for k in home]
    forms = []
    for i in range(map_.outputs):
        bias, columns, entries = map_.row(i)
        weights = [0] * (high - low)
        for j, v in zip(columns, entries, strict=True):
            weights[j - low] = v * factors[j - low]
        forms.append((bias * shared, weights))
    (matrix,), bias_floats = map_.float_blocks([(low, high)], size)
    floats = np.array((matrix if isinstance(matrix, np.ndarray) else matrix.toarray()).T, order="C")
    nonzero = np.array([[v != 0 for v in (bias, *weights)] for bias, weights in forms], dtype=bool)
    nonzero = nonzero.reshape(map_.outputs, 1 + high - low).T
    layer = Layer(
        1 + low,
        1 + high,
        forms,
        floats,
        bias_floats,
        _sizes(floats, nonzero[1:]),
        _sizes(bias_floats, nonzero[0]),
        roundings + (high - low) + 3,
    )
    return layer, shared * map_.denominator


def _sizes(values: np.ndarray, nonzero: np.ndarray) -> np.ndarray:
    """Absolute values; infinite for numbers that may have underflowed."""
    return np.where(nonzero & (np.abs(values) < TINY), np.inf, np.abs(values))
