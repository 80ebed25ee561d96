"""What the judge derives of one neuron after the other, found in floats that are nearer to it than its own rounding.

A layer that fits fixed point has bounds that are whole numbers of units (see FORMAT.md). The judge bounds a single
neuron, with slopes and multipliers that a leaf says, in exact arithmetic, and rounds the bound outward to units. So a
float with a proven error that is small compared to a unit says which whole number that is, unless one lies between:
then it is found in longer floats, where the machine has them. No error is carried on from one bound to the next.

The model of arithmetic is that of ``layer_bounds``. Beside the coefficients go bounds of their errors: an output is
replaced by ``slope(c) c``, continuous and with slopes in [0, 1], so an error of c passes with a factor that is at most
the larger slope; sums of n products add at most ``rounding`` times the sum of their sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from geomrelu.certificates.fields import UNIT
from geomrelu.deadness.inside import Inside
from geomrelu.deadness.proof_tree import LETTERS
from geomrelu.deadness.relaxation import FloatNetwork
from geomrelu.exact.affine import AffineMap
from geomrelu.rounding import to_nearest

__all__ = ["Assumed", "Derivation", "Judge", "Lines", "UnitBounds", "line_of", "lines_of"]

Array = np.ndarray
ROUND = 2.0**-52
LIFT = 1 + 1e-6  # more than the factor by which computed errors are too small
GRID = 1 << UNIT
LARGEST = 1 << 48  # of bounds in units: see `_slopes`
LONGER = 63  # binary digits after the first, of floats that are longer than others


class Lines(NamedTuple):
    """The lines around those outputs of a layer that are not known to be 0, arrays (neurons,)."""

    neurons: Array
    above: Array
    below: Array
    height: Array
    unknown: Array


@dataclass(frozen=True)
class Derivation:
    """A bound of ``sign * z`` of a neuron, given what is assumed.

    Attributes:
        multiplier: of what is assumed; 0: it is a bound anyway.
        slopes: of layers before, whole sixteenths (width,), None: the default.
    """

    level: int
    neuron: int
    sign: int
    multiplier: float
    slopes: tuple[Array | None, ...]

    def said(self, split: int) -> list[Any]:
        """As a certificate says it; ``split``: the number of the assumption among the splits."""
        texts = ["" if s is None else LETTERS[s].tobytes().decode() for s in self.slopes]
        while texts and not texts[-1]:
            texts.pop()
        leaf: dict[str, Any] = {"slopes": texts} if texts else {}
        if self.multiplier:
            a, b = self.multiplier.as_integer_ratio()
            leaf["splits"] = {str(split): f"{a}/{b}" if b > 1 else str(a)}
        return [self.level, self.neuron, "upper" if self.sign > 0 else "lower", leaf]


class Assumed(NamedTuple):
    """What is assumed: ``sign * z >= 0``."""

    level: int
    neuron: int
    sign: int = 1


def lines_of(low: Array, high: Array, unit: Array) -> Lines:
    """From bounds in units: slopes are the judge's, heights are rounded.

    Raises:
        OverflowError: a bound is not below LARGEST. In wide layers bounds have many units, and more in each layer.
    """
    if max(abs(low).max(initial=0), abs(high).max(initial=0)) >= LARGEST:
        raise OverflowError("a bound is too large for slopes of 64 bits")
    neurons = np.flatnonzero(high > 0)
    low, high = low[neurons], high[neurons]
    unknown = low < 0
    above = np.where(unknown, _slopes(high, np.where(unknown, high - low, high)), GRID)
    height = (high * unit[neurons]) * ((GRID - above) / GRID)
    below = np.where(unknown, np.clip(4 * above - 2 * GRID, 0, GRID), GRID)
    return Lines(neurons, above / GRID, below / GRID, height, unknown)


def line_of(low: int, high: int, unit: float) -> tuple[float, float, float, bool]:
    """The same of one neuron with high > 0: above, below, height, and is its sign unknown."""
    if low >= 0:
        return 1.0, 1.0, 0.0, False
    above = (high << UNIT) // (high - low)
    below = min(max(4 * above - 2 * GRID, 0), GRID)
    return above / GRID, below / GRID, (high * unit) * ((GRID - above) / GRID), True


def _slopes(high: Array, range_: Array) -> Array:
    """``2^28 high // range``, in two steps of long division: high < 2^48 and high <= range < 2^49, so that nothing here
    has more than 63 bits."""
    half = UNIT // 2
    first, rest = np.divmod(high << half, range_)
    return (first << half) + (rest << half) // range_


class Reals(NamedTuple):
    """The dense layers of a network, and the sides of the box, in one kind of floats.

    Attributes:
        weights: of each layer (neurons, inputs); in longer floats all are turned, for products neuron by neuron.
        rounding: of a sum of products, weights included.
    """

    kind: Any
    weights: list[Array]
    biases: list[Array]
    lower: Array
    upper: Array
    rounding: float


class UnitBounds:
    """The dense layers of a network on a bounded box, and the units of its neurons.

    Args:
        exponents: of each layer, as the judge has them.
    """

    def __init__(self, floating: FloatNetwork, exponents: Sequence[Sequence[int]]) -> None:
        to_nearest()
        layers = floating.dense(len(exponents))
        assert layers is not None
        self.weights, self.biases = [matrix for matrix, _ in layers], [bias for _, bias in layers]
        self.sizes = [abs(matrix) for matrix in self.weights]
        self.units = [np.exp2(np.array(e, dtype=float) - UNIT) for e in exponents]
        self.lower, self.upper = floating.lower, floating.upper
        self.middle = ((self.lower + self.upper) / 2).astype(np.float32)
        self.radius = ((self.upper - self.lower) / 2).astype(np.float32)
        self.reach = np.maximum(abs(self.lower), abs(self.upper))
        self.count = max(floating.network.inputs, *floating.network.widths) + 16
        self.floats = Reals(float, self.weights, self.biases, self.lower, self.upper, self.count * ROUND)
        self._floating = floating

    @cached_property
    def longer(self) -> Reals | None:
        """Eleven more binary digits with x87; None: there is no such kind of floats."""
        kind, inside = np.longdouble, self._floating.inside
        long = kind(1) + kind(2) ** -LONGER != 1  # x87 can be told to round to doubles
        if not long or not isinstance(inside, Inside) or not inside.domain.is_box:
            return None
        maps = self._floating.network.layers[: len(self.weights)]
        own = 0.0 if all(_are_floats(map_) for map_ in maps) else ROUND
        weights = [np.ascontiguousarray(matrix.T.astype(kind)) for matrix in self.weights]
        lower, upper = (np.array([_long(x) for x in side]) for side in (inside.lower, inside.upper))
        biases = [bias.astype(kind) for bias in self.biases]
        return Reals(kind, weights, biases, lower, upper, self.count * 2.0 ** (1 - LONGER) + own)

    def lines(self, level: int, low: Array, high: Array) -> Lines:
        return lines_of(low, high, self.units[level - 1])


def _long(x: Fraction) -> Any:
    """The number in longer floats, to a rounding."""
    near = float(x)
    return np.longdouble(near) + np.longdouble(float(x - Fraction(near)))


def _are_floats(map_: AffineMap) -> bool:
    """Are its numbers floats of 53 binary digits?"""
    whole = map_.denominator & (map_.denominator - 1) == 0
    return whole and max(map(abs, (*map_.data, *map_.bias)), default=0) < 1 << 53


class Form(NamedTuple):
    """``c v + constant`` over the outputs of a layer, and bounds of the errors of both."""

    c: Array
    error: Array
    constant: float
    off: float


class Judge:
    """What the judge derives on a part of the box, one bound after the other.

    Args:
        bounds: of the layers before that of the assumption (or of the neurons in work), in units.
    """

    def __init__(self, units: UnitBounds, bounds: Sequence[tuple[Array, Array]], given: Assumed | None = None) -> None:
        self.units, self.given = units, given
        self.state = [(low.copy(), high.copy()) for low, high in bounds]
        self.lines = [units.lines(at, *pair) for at, pair in enumerate(self.state, 1)]
        self._tops: dict[tuple[Any, int], Form] = {}
        self._rows: dict[int, tuple[Array, Array, Array]] = {}  # weights, their sizes, and biases of the lines' neurons

    def keep(self, level: int, neuron: int, sign: int, bound: int) -> bool:
        """``sign * z <= bound`` holds as well. Has the neuron any value left?"""
        low, high = self.state[level - 1]
        if sign > 0:
            high[neuron] = min(high[neuron], bound)
        else:
            low[neuron] = max(low[neuron], -bound)
        here = self.lines[level - 1]
        place = int(np.searchsorted(here.neurons, neuron))
        if high[neuron] > 0 and place < len(here.neurons) and here.neurons[place] == neuron:
            one = line_of(int(low[neuron]), int(high[neuron]), float(self.units.units[level - 1][neuron]))
            for old, new in zip(here[1:], one, strict=True):
                old[place] = new
        else:
            self.lines[level - 1] = self.units.lines(level, low, high)
            self._rows.pop(level, None)
        for key in [key for key in self._tops if key[1] < level]:
            del self._tops[key]
        return bool(low[neuron] <= high[neuron])

    def derived(self, item: Derivation) -> int | None:
        """The bound of ``sign * z`` in units; None: it is not sure which of two it is. (Where both contradict what is
        known, any will do, for then nothing rests on it.)"""
        for own in (self.units.floats, self.units.longer):
            if own is None:
                break
            bound, off = self.within(item, own)
            unit = self.units.units[item.level - 1][item.neuron]
            least, most = np.ceil((bound - off) / unit), np.ceil((bound + off) / unit)
            if abs(most) < LARGEST and (least == most or self._contradicts(item, int(most))):
                return int(most)
        return None

    def _contradicts(self, item: Derivation, bound: int) -> bool:
        """Is there no point where ``sign * z`` is no larger than that?"""
        if item.level > len(self.state):
            return bound < 0 and self.given == (item.level, item.neuron, item.sign)
        low, high = self.state[item.level - 1]
        return bool(bound < (low if item.sign > 0 else -high)[item.neuron])

    def within(self, item: Derivation, own: Reals) -> tuple[Any, float]:
        """The bound before it is rounded to units, and by how much it may differ."""
        form = self._row(item, own)
        if item.multiplier:
            form = self._added(form, self._top(item.level, own), item, own)
        for at in range(item.level - 1, 0, -1):
            said = item.slopes[at - 1] if at <= len(item.slopes) else None
            form = self._back(at, form, said, own)
        c, error, constant, off = form
        reached = np.where(c > 0, own.upper, own.lower) @ c
        off += float((error + own.rounding * _sizes(c)) @ self.units.reach)
        constant += reached
        return constant, (off + own.rounding * float(abs(reached) + abs(constant))) * LIFT

    def _row(self, item: Assumed | Derivation, own: Reals) -> Form:
        """A neuron as a form over the outputs before it."""
        weights, i = own.weights[item.level - 1], item.neuron
        c = item.sign * (weights[i] if own.kind is float else weights[:, i])
        bias = item.sign * own.biases[item.level - 1][i]
        return Form(c, own.rounding * _sizes(c), bias, own.rounding * float(abs(bias)))

    def _top(self, level: int, own: Reals) -> Form:
        """What is assumed as a form over the outputs of a layer, by default lines."""
        given, key = self.given, (own.kind, level)
        assert given is not None
        if key not in self._tops:
            last = level == given.level - 1
            self._tops[key] = (
                self._row(given, own) if last else self._back(level + 1, self._top(level + 1, own), None, own)
            )
        return self._tops[key]

    def _added(self, form: Form, top: Form, item: Derivation, own: Reals) -> Form:
        """The form over the outputs before a layer, and a multiple of one over its outputs."""
        m, rounding = item.multiplier, own.rounding
        c, error, constant, off = self._back(item.level, top, None, own)
        c, constant = form.c + m * c, form.constant + m * constant
        error = form.error + m * error + rounding * _sizes(c)
        return Form(c, error, constant, form.off + m * off + rounding * float(abs(constant)))

    def _back(self, at: int, form: Form, said: Array | None, own: Reals) -> Form:
        """A form over the outputs of a layer, over the outputs of the one before."""
        units, here, rounding = self.units, self.lines[at - 1], own.rounding
        neurons, below, height = here.neurons, here.below, here.height
        if own.kind is not float:  # as `lines_of` has it
            high, unit = self.state[at - 1][1][neurons], units.units[at - 1][neurons]
            height = high.astype(own.kind) * unit * (1 - here.above)
        if said is not None:
            below = np.where(here.unknown, said[neurons] / 16, below)
        c, error, constant, off = form.c[neurons], form.error[neurons], form.constant, form.off
        raised = np.maximum(c, 0) @ height
        lack = error * np.maximum(here.above, below)
        c *= np.where(c > 0, here.above, below)
        size = _sizes(c)
        lack += rounding * size
        if at not in self._rows:
            self._rows[at] = units.weights[at - 1][neurons], units.sizes[at - 1][neurons], units.biases[at - 1][neurons]
        weights, sizes, bias = self._rows[at]
        gained = c @ (bias if own.kind is float else own.biases[at - 1][neurons])
        constant = constant + raised + gained
        off += float(error @ here.height) + float(lack @ abs(bias))
        off += rounding * (2 * float(raised) + float(size @ abs(bias)) + abs(float(gained)) + 2 * abs(float(constant)))
        if own.kind is float:
            return Form(c @ weights, lack @ sizes, constant, off)
        full = np.zeros(len(form.c), dtype=own.kind)
        full[neurons] = c
        return Form(np.dot(own.weights[at - 1], full), lack @ sizes, constant, off)


def _sizes(c: Array) -> Array:
    return abs(c).astype(float)
