"""Bounds of many neurons on one box in fixed point, packed: what the plain judge computes coefficient by coefficient.

The rules are those of ``FixedPoint`` in ``checker`` (read there what they mean), and every integer is the same; here
the coefficients of many neurons on one variable are one integer with a field for each neuron, the sum over t of
c_t 2^(F t), where c_t may be negative: adding, and multiplying by a number, is done in all fields together.

F is so large that no field overflows: `Fields.start` bounds every coefficient, every sum and the constant by what the
weights and the domain allow, and `Fields.forms` the sum of all heights by what it has; where these are too large for
the numbers it returns, a neuron is bounded by itself (`Fields.form`), with fields for the variables that are sized by
the sums at hand.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from fractions import Fraction
from math import lcm
from operator import itemgetter, mul
from typing import Any

from geomrelu import checker

__all__ = ["SIXTEENTHS", "UNIT", "Fields"]

UNIT = 28  # so that weights, which are at most about 1, are single digits of Python's integers
SIXTEENTHS = {c: k << UNIT - 4 for k, c in enumerate("0123456789abcdefg")}
FIT = 2  # at least one weight in so many is not zero: else the fields are a waste
CORNERED = 8  # the most inputs that may vary where corners are looked at


Pairs = Sequence[tuple[int, int]]
Around = tuple[list[tuple[int, int, int, int, list[int] | None]], int, int]


class Fields:
    """A network and a bounded box in fixed point.

    Attributes:
        depth: the layers that fit, from the first. cornered: are corners looked at?
        powers: per layer, 0 for the inputs: exponents of the units; None for an input that does not vary.
    """

    def __init__(self, model: checker.Model, domain: checker.Domain) -> None:
        self.model, self.domain = model, domain
        self.tick: Callable[[], None] = lambda: None  # called in long derivations; it may raise
        self.depth = 0
        if domain.is_bounded_box() and not domain.is_empty_box():
            for level, layer in enumerate(model.layers, 1):
                size = len(layer.rows) * (model.start[level] - model.start[level - 1])
                if model.blocks[level] != [level - 1] or sum(len(c) for _, c, _ in layer.rows) * FIT < size:
                    break
                self.depth = level
        self.columns: dict[int, list[list[int]]] = {}
        self.starts: dict[int, Any] = {}
        self.units: dict[tuple[int, int], int] = {}
        self.rows: dict[tuple[int, int], tuple[list[int], int]] = {}
        self.talls: dict[int, list[int]] = {}
        self.powers: list[list[Any]] = []
        self.cornered = False
        if self.depth:
            lower: list[Any] = domain.lower
            upper: list[Any] = domain.upper
            denominator = lcm(*(v.denominator for v in lower))
            self.origin, self.over = [int(v * denominator) for v in lower], denominator
            widths = [high - low for low, high in zip(lower, upper, strict=True)]
            self.powers.append([_power(w.numerator, w.denominator) if w else None for w in widths])
            self.cornered = sum(e is not None for e in self.powers[0]) <= CORNERED

    def adopt(self, other: Fields) -> None:
        """Begin with what was computed so far for the same network and box."""
        for name in ("columns", "starts", "units", "rows", "talls", "powers"):
            setattr(self, name, copy(getattr(other, name)))

    def sides(self, lower: Sequence[Any], upper: Sequence[Any]) -> tuple[list[int], list[int]]:
        """A box, measured from the lower sides of the domain."""
        return [self.side(j, x, -1) for j, x in enumerate(lower)], [self.side(j, x, 1) for j, x in enumerate(upper)]

    def side(self, j: int, x: Fraction, sign: int) -> int:
        """A number on the axis of an input as a lower (-1) or an upper (1) side of a box."""
        if self.powers[0][j] is None:
            return 0
        origin: Any = self.domain.lower[j]
        over, shift = x - origin, UNIT - self.powers[0][j]
        return sign * _up(sign * over.numerator, over.denominator, shift)

    def exponents(self, level: int) -> list[int]:
        """Of the neurons of a layer: about the largest term of each pre-activation."""
        while len(self.powers) <= level:
            at = len(self.powers)
            layer, first, known = self.model.layers[at - 1], self.model.start[at - 1], self.powers[-1]
            found, over = [], -layer.denominator.bit_length()
            for (_, columns, entries), bias in zip(layer.rows, self._biases(at), strict=True):
                self.tick()
                sizes = zip(entries, [known[j - first] for j in columns], strict=True)
                terms = [w.bit_length() + e + over for w, e in sizes if e is not None]
                found.append(max([*terms, _power(*bias)] if bias[0] else terms, default=0))
            self.powers.append(found)
        return self.powers[level]

    def _biases(self, level: int) -> list[tuple[int, int]]:
        """Of a layer, in layer 1 with what the lower sides contribute: ``(numerator, denominator)``."""
        layer = self.model.layers[level - 1]
        over, shifts = 1, [0] * len(layer.rows)
        if level == 1:
            over = self.over
            shifts = [sum(map(mul, entries, [self.origin[j] for j in columns])) for _, columns, entries in layer.rows]
        pairs = zip(layer.rows, shifts, strict=True)
        found = (Fraction(bias * over + shift, layer.denominator * over) for (bias, *_), shift in pairs)
        return [value.as_integer_ratio() for value in found]

    def outward(self, level: int, i: int, low: Fraction | None, high: Fraction | None) -> tuple[int | None, int | None]:
        """Bounds of a neuron in its units, rounded outward."""
        shift = UNIT - self.exponents(level)[i]
        return (
            None if low is None else -_up(-low.numerator, low.denominator, shift),
            None if high is None else _up(high.numerator, high.denominator, shift),
        )

    def exact(self, level: int, pairs: Pairs, some: Iterable[int] | None = None) -> tuple[Any, int]:
        """Bounds of a layer in its units as integers over one denominator: a list, or a table of some neurons."""
        powers = self.exponents(level)
        least = min(*powers, UNIT)
        over = 1 << UNIT - least
        if some is not None:
            return {i: (pairs[i][0] << powers[i] - least, pairs[i][1] << powers[i] - least) for i in some}, over
        return [(low << e - least, high << e - least) for (low, high), e in zip(pairs, powers, strict=True)], over

    def weights(self, level: int) -> list[list[int]]:
        """Of a layer: for each variable before it, and last for the constant, its weights, rounded up."""
        if level not in self.columns:
            model, layer = self.model, self.model.layers[level - 1]
            first, width = model.start[level - 1], model.start[level] - model.start[level - 1]
            own, inner = self.exponents(level), self.powers[level - 1]
            columns = [[0] * len(layer.rows) for _ in range(width + 1)]
            over, biases = layer.denominator, self._biases(level)
            dyadic = over.bit_length() - 1 if not over & over - 1 else None  # then it is shifts that round
            for i, (_, places, entries) in enumerate(layer.rows):
                self.tick()
                base = UNIT - own[i]
                for j, w in zip(places, entries, strict=True):
                    power = inner[j - first]
                    if power is None:
                        continue
                    if dyadic is not None:
                        shift = dyadic - base - power
                        columns[j - first][i] = -(-w >> shift) if shift > 0 else w << -shift
                    else:
                        columns[j - first][i] = _up(w, over, base + power)
                columns[width][i] = _up(*biases[i], base)
            self.columns[level] = columns
        return self.columns[level]

    def start(self, level: int) -> Any:
        """For bounds of a layer's neurons: the bytes of a field; for each variable before it the weights of z and then
        those of -z as unsigned fields; and how large the coefficients of each layer before, from the last to the
        inputs, and what they add to the constant can become.
        """
        if level not in self.starts:
            columns = self.weights(level)
            *reach, gained = [max(map(abs, c)) + 1 for c in columns]
            reaches, gains, most = [max(reach)], [gained << UNIT], 1 << 2 * UNIT + 8
            for at in range(level - 1, 0, -1):
                *products, gained = [self._most(c, reach) for c in self.weights(at)]
                # the constant is a field like the others in `form`, and the largest where biases are
                most = max(most, *products, gained, reaches[-1] << UNIT)
                reach = [(c >> UNIT) + 1 for c in products]
                reaches.append(max(reach))
                gains.append(gained)
            size = most.bit_length() // 8 + 2
            half = 1 << 8 * size - 1
            # a weight was rounded up by less than a unit, so the negative one is at most 1 - w
            fields = []
            for c in columns:
                self.tick()
                fields.append([(w + half).to_bytes(size, "little") for w in (*c, *[1 - w for w in c])])
            self.starts[level] = size, fields, reaches, gains
        return self.starts[level]

    def _most(self, column: list[int], reach: list[int]) -> int:
        self.tick()
        return sum(map(mul, map(abs, column), reach)) + sum(reach)

    def _ones(self, size: int, count: int) -> int:
        """So many fields, all 1."""
        if (size, count) not in self.units:
            self.units[size, count] = int.from_bytes((b"\1" + bytes(size - 1)) * count, "little")
        return self.units[size, count]

    @staticmethod
    def lines(pairs: Pairs, corners: Mapping[int, tuple[Sequence[int], Sequence[int]]]) -> Around:
        """Lines around a layer's outputs that are not 0; what they cost; and the sum of the largest heights.

        A line is ``(i, slope above, slope below, height above, heights above at the corners or None)``. Slopes are in
        units of 2^-28, too. ``corners``: upper bounds of -y and y there, for some neurons.
        """
        one = 1 << UNIT
        lines: list[tuple[int, int, int, int, list[int] | None]] = []
        cost, tall = 0, 0
        for i, (low, high) in enumerate(pairs):
            if low >= 0:
                lines.append((i, one, one, 0, None))
            elif high > 0:
                above = (high << UNIT) // (high - low)  # rounded down, so that the chord passes above (high, high)
                rest, heights = one - above, None
                height = largest = -(-rest * high >> UNIT)
                if i in corners:
                    sums = [(above * l_, rest * u) for l_, u in zip(*corners[i], strict=True)]
                    found = [((a if a > b else b) >> UNIT) + 1 for a, b in sums]
                    if sum(found) < len(found) * height:
                        heights, largest = found, max(max(found), -min(found))
                lines.append((i, above, _under(above, one), height, heights))
                cost += high
                tall += largest
        return lines, cost, tall

    def at_corners(self, slope: Any, constant: int, sides: Any, weights: Any, heights: Any) -> list[int]:
        """An affine function of the inputs plus weighted heights, at the corners of a box; all may be in fields."""
        values = [constant + sum(map(mul, slope, sides[0]))]
        for c, low, high, power in zip(slope, *sides, self.powers[0], strict=True):
            if power is not None:
                step = c * (high - low)
                values += [v + step for v in values]
        sums = [sum(map(mul, weights, here)) for here in zip(*heights, strict=True)] or [0] * len(values)
        return [v + more for v, more in zip(values, sums, strict=True)]

    def forms(self, level: int, neurons: Sequence[int], sides: Any, lines: Sequence[Around]) -> list[Any] | None:
        """Upper bounds of z for all these neurons, then of -z, at each corner; None: the numbers are too large.

        Not of each corner but of the box, where corners are not looked at. ``lines[at - 1]`` are those of layer ``at``.
        """
        size, weights, reaches, gains = self.start(level)
        ones, top = self._ones(size, 2 * len(neurons)), 8 * size - 1
        half = ones << top
        rest = (ones << top + 1 - UNIT) - ones
        # the outputs of each layer that are not known to be 0, and the inputs
        places = [range(len(sides[0])), *([i for i, *_ in around] for around, *_ in lines[: level - 1])]
        width = len(self.model.layers[level - 1].rows)
        pick = itemgetter(*neurons, *[width + i for i in neurons])
        q = [int.from_bytes(b"".join(pick(weights[j])), "little") - half for j in (*places[level - 1], -1)]
        total, largest, raised, heights = q.pop() << UNIT, gains[0], [], []
        for at, reach, gained in zip(range(level - 1, 0, -1), reaches, gains[1:], strict=False):
            around, cost, tall = lines[at - 1]
            p, lack = [], 0
            for c, (_, above, below, height, cornered) in zip(q, around, strict=True):
                positive = _positive(c, half, top, ones)
                if height:
                    if cornered:
                        raised.append(positive)
                        heights.append(cornered)
                    else:
                        total += positive * height
                    c = positive * above + (c - positive) * below + half
                    c = (c >> UNIT & rest) - (half >> UNIT)
                    positive = positive * above >> UNIT & rest
                p.append(c)
                lack += positive - c
            entries, own = itemgetter(*places[at], 0, 0), self.weights(at)  # at least two, for a tuple
            # a weight was rounded up by less than a unit, which is wrong where it is subtracted
            lift = lack + half + (ones << UNIT) - ones  # rounds up
            q = [(sum(map(mul, entries(own[j]), p), lift) >> UNIT & rest) - (half >> UNIT) for j in places[at - 1]]
            total += sum(map(mul, entries(own[-1]), p), lack) + cost * ones
            largest += reach * tall + cost + gained
        largest += reaches[-1] * sum(sides[1]) + (1 << UNIT)
        if largest >> top or largest >> UNIT + 62:  # a field might overflow
            return None
        if self.cornered:
            found = self.at_corners(q, total, sides, raised, heights)
        else:
            for c, low, high in zip(q, *sides, strict=True):
                positive = _positive(c, half, top, ones)
                total += positive * high + (c - positive) * low
            found = [total]
        # rounded up to units, and as signed numbers of 8 bytes
        lift, sign = half + (ones << UNIT) - ones, ones << 63
        move, count = sign - (half >> UNIT), 2 * len(neurons)
        read = struct.Struct("<" + f"q{size - 8}x" * count).unpack
        return [read(((v + lift >> UNIT & rest) + move ^ sign).to_bytes(size * count, "little")) for v in found]

    def _rows(self, level: int, size: int) -> tuple[list[int], int]:
        """Of a layer: the weights of each neuron as one integer with a field for each variable, and all fields 1."""
        if (level, size) not in self.rows:
            columns = self.weights(level)
            ones, half = self._ones(size, len(columns)), 1 << 8 * size - 1
            fields = [
                b"".join([(w + half).to_bytes(size, "little") for w in row]) for row in zip(*columns, strict=True)
            ]
            self.rows[level, size] = [int.from_bytes(row, "little") - half * ones for row in fields], ones
        return self.rows[level, size]

    def _tallest(self, level: int) -> list[int]:
        """Of a layer: the largest weight of each neuron, its bias included."""
        if level not in self.talls:
            self.talls[level] = [max(map(abs, row)) for row in zip(*self.weights(level), strict=True)]
        return self.talls[level]

    def form(
        self, level: int, neuron: int, sign: int, lines: Sequence[Around], added: Mapping[int, Mapping[int, int]]
    ) -> tuple[list[int], int, list[tuple[int, int, list[int] | None]]]:
        """The same of one neuron, where the fields are the variables: ``(slope, constant, chords)``.

        ``added[at]``: what is added to coefficients of pre-activations of layer ``at``. The chords that were used,
        with the coefficients on the outputs that they replaced: ``(coefficient, height, heights or None)``. Fields are
        as large as the sums at hand need.
        """
        places = [range(len(self.powers[0])), *([i for i, *_ in around] for around, *_ in lines[: level - 1])]
        own = self.weights(level)
        *q, bias = [w if sign > 0 else 1 - w for w in [own[j][neuron] for j in (*places[level - 1], -1)]]
        total, chords = bias << UNIT, []
        for at in range(level - 1, 0, -1):
            around, cost, _ = lines[at - 1]
            p = dict.fromkeys(places[at], 0)
            for c, (i, above, below, height, cornered) in zip(q, around, strict=True):
                if c > 0 and height:
                    chords.append((c, height, cornered))
                p[i] = c * (above if c > 0 else below) >> UNIT
            for i, m in added.get(at, {}).items():
                p[i] = p.get(i, 0) + m
            lack = -sum([c for c in p.values() if c < 0])
            tallest = self._tallest(at)
            most = sum([abs(c) * tallest[i] for i, c in p.items()]) + lack
            size = 4 * (
                most.bit_length() // 32 + 1
            )  # bytes: at least a bit more than the largest sum has, for its sign
            size, half = (size, 1 << 8 * size - 1) if most < 1 << 8 * size - 1 else (size + 4, 1 << 8 * size + 31)
            (rows, ones), count = self._rows(at, size), len(self.weights(at))
            fields = sum(map(mul, p.values(), [rows[i] for i in p]), (lack + half) * ones)
            found = fields.to_bytes(size * (count + 1), "little")
            *q, more = [
                int.from_bytes(found[size * j : size * (j + 1)], "little") - half for j in (*places[at - 1], count - 1)
            ]
            q = [-(-c >> UNIT) for c in q]
            total += more + cost
        return q, total, chords


def _positive(fields: int, half: int, top: int, ones: int) -> int:
    """The positive part of each field."""
    fields += half
    plus = fields >> top & ones
    return fields & (plus << top) - plus


def _under(chord: int, one: int) -> int:
    """The default slope of the line below: 0 up to high = -low, 1 from high = -3 low on, and between them a passage."""
    return min(max(4 * chord - 2 * one, 0), one)


def _up(numerator: int, denominator: int, shift: int) -> int:
    """``numerator 2^shift / denominator`` rounded up."""
    if shift >= 0:
        return -((-numerator << shift) // denominator)
    return -(-numerator // (denominator << -shift))


def _power(numerator: int, denominator: int) -> int:
    """About the binary logarithm of a size."""
    return numerator.bit_length() - denominator.bit_length()
