#!/usr/bin/env python3
"""Judge certificates of dead and alive ReLU neurons: ``python checker.py CERTIFICATE MODEL.json DOMAIN.json``.

With a fourth argument SMALLER.json: judge that this smaller network equals the model on the domain.

One file, standard library only: copy it out and run it alone. It is meant to be read: it believes points, multipliers
and lists of cones, recomputes everything else from the model and the domain in integers and rational numbers, and does
so in the obvious way. FORMAT.md explains the certificates and why each rule holds. Exit code 0: every claim is proved.
Exit code 1 and one line: it is not (any doubt is a rejection). Exit code 2: unusable input.

MODEL.json   {"layers": [{"weights": [[...]], "bias": [...], "activation": "relu" | "none"}, ...]}     rows = neurons
             {"inputs": n, "layers": [{"rows": [[b, j, w, j, w, ...], ...], "activation": ...}, ...]}  rows over the
             variables: inputs 0..n-1, then the outputs of ReLU layer 1, of layer 2, ...
DOMAIN.json  {"inequalities": [[b, a1, ..., an], ...], "equalities": [...], "box": [[low, high], ...]}  b + a.x >= 0,
             = 0, low <= x_j <= high (null: none); or {"vertices": [...], "rays": [...], "lines": [...]}; or
             {"points": [...]}; or a BALL. Each may say its "dimension". Numbers: integers, decimal strings or "p/q".
BALL         {"center": [c1, ..., cn], "shape": [[...], ...], "square": s, "centred": true | false}: the points
             x = c + L u for |u|^2 <= s, where L is the shape (n rows, or n numbers, a diagonal; without: 1, ..., 1),
             and u_1 + ... + u_k = 0 if it is centred (without: it is not)

CERTIFICATE  {"geomrelu": "certificate 2", "model": SHA-256, "domain": SHA-256, "points": [[...], ...],
              "derive": DERIVE, "parts": [NODE, ...], "claims": [CLAIM, ...]}
             "derive" is done once, and every proof begins after it; so does "parts", a tree whose leaves only "derive"
CLAIM        {"layer": l, "neuron": i, "status": "dead" | "alive" | "active", "supremum": "p/q" | "inf",
              "stable": true | false, "point": POINT, "ray": RAY, "proof": [NODE, ...], "infinity": [CONE, ...],
              "growth": [[NODE, ...], ...]}
             {"layer": l, "neuron": i, "status": "at most" | "at least", "bound": "p/q", "point": POINT, "proof": ...}
             "proof": "parts" stands for the bounds of z itself that are derived on all leaves of "parts" (without it:
             on the domain)
POINT        coordinates; or the number of an entry of "points"; or "corner", the corner of the box where a neuron of
             layer 1 is largest; or {"weights": [[of vertices], [of rays], [of lines]]} in a domain given by generators;
             or {"ball": [u1, ..., uk]} in a ball; or {"ball": t}, t > 0, there for a neuron of layer 1: u = s w / t
             where w is the slope of z in u (its mean taken away from each entry if the ball is centred)
RAY          coordinates; or {"weights": [[of rays], [of lines]]} in a domain given by generators
Layers count from 1, neurons from 0; z is the neuron's pre-activation, S the domain.

What each claim needs, and the method of `Claim` that says so:
  alive            point in S with z(point) > 0, or all of `unbounded`
  dead             proof of z <= 0 on S
  active           proof of -z <= 0 on S: the neuron is linear on S
  at_most          proof of z <= bound on S
  at_least         proof of -z <= -bound on S
  supremum p/q     proof of z <= p/q on S, and point in S with z(point) = p/q
  unbounded        (supremum inf) point in S, and ray in the recession cone of S along which z grows
  stable           (true: dead for all parameters near the given ones) proof of z <= c < 0 on S; `falling`, or `calm`
  unstable         (false) point in S with z(point) = 0; or point in S, and `revivable` ray in the recession cone
A finite set S needs no proof, it is walked. Where S has rows or equalities, all but alive need a point in S as well:
nothing is claimed of an empty set. Parameters are the bias and all weights on the layers that the layer reads.

PROOF  a tree in preorder. NODE is a split, followed by its subtree g <= 0 and then its subtree g >= 0,
         {"split": ["x", j, c]}            g = x_j - c, where c lies in the present range of x_j
         {"split": ["neuron", l, i]}       g = pre-activation of an earlier neuron whose layer has been derived
       or a leaf, which bounds z (-z for active) where it stands:
         {"slopes": SLOPES, "splits": M, "rows": M, "equalities": M}   `exact_bound`; each key may be left out
         {"coarse": SLOPES, "splits": M}                               `FixedPoint.bound`; "splits" may be left out
       Either may carry "derive".
SLOPES [TEXT, ...] for layers 1, 2, ...: the slopes below, in sixteenths, one character "0".."9a".."g" a neuron; "" or
       nothing for the default
M      {"k": m, ...} m >= 0 for the k-th split of a neuron on the way from the root (from 0), for the k-th canonical row
       of the domain, or any m for its k-th equality
DERIVE a list, done in order and valid below, of
         [l]                  both bounds of the neurons of layer l: at first of all, later of those of unknown sign
         [l, [i, ...]]        later, of these; at first, if l is not among the layers of `fitting`: of all by
                              intervals alone, and of these as by [l]
         [l, i, "upper" | "lower", {exact leaf}]      one bound of one neuron
       Layers are derived one after the other. A bound of z needs all layers before it.
CONE   at infinity. A list of generators stands for their cone; the first are those of the recession cone of the box, or
       the rays and lines of the domain. A tree in preorder; its nodes are
         [p, q, a, b]      a, b > 0: the cone with m = a g_p + b g_q in the place of g_p, then with m in that of g_q
         []                a leaf, which is `quiet`
"growth" instead: a proof for each of the `slices` of the recession cone, about the network without biases

PRUNING      {"geomrelu": "pruning 2", "model": SHA-256, "domain": SHA-256, "smaller": SHA-256, "points": [...],
              "derive": DERIVE, "claims": [CLAIM, ...], "removed": [[l, i], ...], "folded": [[l, i], ...],
              "merged": [[l, i, j, c], ...]}
             says that the smaller network equals the model on S. A removed neuron is claimed dead, or only removed ones
             read it; a folded one is claimed active; a merged one is c > 0 times neuron j of its layer, row by row. The
             smaller network is computed again from this and must be the one given (here SHA-256 includes the map after
             the last ReLU layer).
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from fractions import Fraction
from itertools import zip_longest
from math import gcd, inf, isqrt, lcm
from operator import mul
from typing import Any, NamedTuple

# ---- types ------------------------------------------------------------------------------------------------------

Data = Any  # what json.load gives, not yet believed
Vector = Sequence[Fraction]  # a point or a direction
Vectors = Sequence[Sequence[Any]]
Affine = tuple[Fraction, dict[int, Fraction]]  # b + sum of w v over variables v
Row = tuple[int, list[int], list[int]]  # (bias, columns, entries): a neuron over the variables, times a denominator
Flat = tuple[int, ...]  # (b, a1, ..., an): a row of the domain, primitive integers
Cone = list[Flat]  # generators
Bound = Fraction | float  # the only floats are inf (no bound) and -inf (no points: every bound holds)
Pair = tuple[Bound, Bound]  # low <= y <= high
Cut = tuple[int, int, int]  # (layer, neuron, sign): sign * y >= 0
Splits = dict[int, dict[int, Fraction]]  # by layer and neuron: what is added to the coefficient on its pre-activation
Fates = dict[tuple[int, int], tuple[str, Any]]  # (layer, neuron): ("removed" | "folded" | "merged", (j, c))

FORMAT, PRUNING = "certificate 2", "pruning 2"
EMPTY: Bound = -inf
CHANGES = ("removed", "folded", "merged")
UNIT = 28  # fixed point: units of 2^-28
ONE = 1 << UNIT
SIXTEENTHS = {c: k * ONE // 16 for k, c in enumerate("0123456789abcdefg")}
CORNERED = 8  # the most inputs that may vary where corners are looked at
DIGITS = 100_000  # of one number
MOST = 10_000_000  # inputs, not included
_NUMBER = re.compile(r"[+-]?([0-9]+/[0-9]+|([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?)")


class Rejected(Exception):
    """The certificate does not prove what it claims, or a model or a domain cannot be used."""


def require(condition: object, otherwise: str) -> None:
    """Reject unless a condition holds."""
    if not condition:
        raise Rejected(otherwise)


# ---- reading ----------------------------------------------------------------------------------------------------


def shown(value: Data) -> str:
    """Anything from a file, or any number, on one line of plain characters."""
    if isinstance(value, (int, Fraction)):
        n, d = value.as_integer_ratio()
        large = max(n.bit_length(), d.bit_length()) > 200
        return f"about {'-' * (n < 0)}2^{power(n, d)}" if large else str(value)
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    return ascii(value)[:60]


def number(value: Data) -> Fraction:
    """An exact rational from an integer or a string; floats are refused."""
    if isinstance(value, (int, Fraction)) and not isinstance(value, bool):
        return Fraction(value)
    if isinstance(value, str) and len(value) <= DIGITS and _NUMBER.fullmatch(value):
        try:
            return Fraction(value)
        except (ValueError, ZeroDivisionError):  # Python may be told to read no more than 4300 digits
            pass
    raise Rejected(f"{shown(value)} is not an integer, a decimal string or p/q")


def listed(value: Data, what: str, *lengths: int) -> list[Data]:
    """A list; of one of these lengths, if they are given."""
    require(isinstance(value, list) and len(value) in (lengths or (len(value),)), f"expected {what}")
    return value


def numbers(values: Data, *length: int) -> list[Fraction]:
    return [number(v) for v in listed(values, f"a list of {f'{length[0]} ' if length else ''}numbers", *length)]


def count(value: Data, below: int, what: str, first: int = 0) -> int:
    """An index."""
    if type(value) is int and first <= value < below:
        return value
    raise Rejected(f"{what}: {shown(value)} is out of range")


def table(data: Data, key: str, below: int, free: bool = False) -> list[tuple[int, Fraction]]:
    """Multipliers ``{"k": m}``; m >= 0 unless they are free."""
    found = data.get(key, {})
    require(isinstance(found, dict), f"{shown(key)} must be an object")
    pairs = []
    for k, m in found.items():
        require(re.fullmatch("[0-9]{1,9}", k), f"{shown(k)} is not an index")
        pairs.append((count(int(k), below, "index"), number(m)))
        require(free or pairs[-1][1] >= 0, f"a multiplier of {shown(key)} is negative")
    return pairs


def known(data: Data, keys: set[str], what: str) -> None:
    """Is it an object with no other keys?"""
    require(isinstance(data, dict), f"{what} is not an object")
    for key in data:
        require(key in keys, f"unknown key {shown(key)} in {what}")


def unique(pairs: list[tuple[str, Data]]) -> dict[str, Data]:
    """An object of JSON; of two equal keys a reader might see the other one."""
    found = dict[str, Data]()
    for key, value in pairs:
        if key in found:
            raise Rejected(f"the key {shown(key)} stands twice in an object")
        found[key] = value
    return found


def parsed(text: str) -> Data:
    """JSON; decimals stay text, and NaN is not a number."""
    return json.loads(text, parse_float=str, parse_constant=number, object_pairs_hook=unique)


# ---- numbers ----------------------------------------------------------------------------------------------------


def over_common(values: Vector) -> tuple[list[int], int]:
    """Integers over one denominator."""
    denominator = lcm(*{v.denominator for v in values})
    return [v.numerator * (denominator // v.denominator) for v in values], denominator


def primitive(row: Sequence[Fraction | int]) -> Flat:
    """The smallest integer multiple, by a positive factor."""
    scaled, _ = over_common([Fraction(v) for v in row])
    divisor = gcd(*scaled) or 1
    return tuple(v // divisor for v in scaled)


def opposite(row: Flat) -> Flat:
    return tuple(-v for v in row)


def dot(a: Sequence[Any], b: Sequence[Any]) -> Any:
    """The sum of products."""
    return sum(map(mul, a, b))


def up(numerator: int, denominator: int, shift: int) -> int:
    """``numerator 2^shift / denominator`` rounded up."""
    if shift >= 0:
        return -((-numerator << shift) // denominator)
    return -(-numerator // (denominator << -shift))


def power(numerator: int, denominator: int) -> int:
    """About the binary logarithm of a size."""
    return numerator.bit_length() - denominator.bit_length()


def short(value: Bound) -> Bound:
    """Rounded up to 28 binary digits."""
    if isinstance(value, float):
        return value
    n, d = value.as_integer_ratio()
    exponent = power(n, d) - UNIT
    return up(n, d, -exponent) * Fraction(2) ** exponent


def root(value: Fraction, digits: int) -> Fraction:
    """A number >= the root of ``value``: itself if it is rational, else larger by at most 2^-digits of it."""
    n, d = value.as_integer_ratio()
    square = n * d << 2 * digits
    below = isqrt(square)
    return Fraction(below + (below * below < square), d << digits)


def spelled(value: Fraction | int, over: int = 1) -> str:
    """The canonical spelling of ``value / over``, of any length, for digests."""
    n, d = value.as_integer_ratio()
    divisor = gcd(n, d * over)
    below = d * over // divisor
    return f"{n // divisor:x}" + f"/{below:x}" * (below > 1)


# ---- the model --------------------------------------------------------------------------------------------------


class Layer(NamedTuple):
    """The neurons of a layer, read on all variables before it, over one denominator."""

    rows: list[Row]
    denominator: int

    def without_biases(self) -> Layer:
        return Layer([(0, columns, entries) for _, columns, entries in self.rows], self.denominator)


class Model:
    """The ReLU layers of a network; ``start[l]`` is the first variable of layer l (0: the inputs)."""

    def __init__(self, inputs: int, layers: list[Layer], output: Layer | None = None) -> None:
        self.inputs = inputs
        self.layers = layers
        self.output = output  # over all variables: what follows the last ReLU layer
        self.start = [0, inputs]
        for layer in layers:
            self.start.append(self.start[-1] + len(layer.rows))
        # which layers (0: inputs) each layer reads
        read = [{j for _, columns, _ in layer.rows for j in columns} for layer in layers]
        self.blocks = [[], *(sorted({bisect(self.start, j) - 1 for j in used}) for used in read)]
        # whose weights count as parameters; a layer of zeros could read the layer before it
        self.reads = [[], *(blocks or [level] for level, blocks in enumerate(self.blocks[1:]))]

    def width(self, level: int) -> int:
        """The number of neurons of a layer, or of inputs."""
        return self.start[level + 1] - self.start[level]

    def digest(self) -> str:
        """SHA-256 of the canonical exact form of the ReLU layers."""
        text = hashlib.sha256(f"geomrelu model\ninputs {self.inputs}\n".encode())
        for layer in self.layers:
            text.update(b"layer\n")
            for row in layer.rows:
                text.update(row_text(row, layer.denominator).encode() + b"\n")
        return text.hexdigest()

    def whole_digest(self) -> str:
        """SHA-256 of the canonical exact form, the map after the last ReLU layer included."""
        if self.output is None:
            return self.digest()
        return Model(self.inputs, [*self.layers, self.output]).digest() + "+"

    def values(self, point: Vector, up_to: int, one: int = 1) -> tuple[list[int], int]:
        """Inputs and pre-activations of layers 1..up_to at a point, over one denominator.

        ``one`` = 0 leaves out the biases: the growth of each along a ray.
        """
        values, d = over_common(point)
        for layer in self.layers[:up_to]:
            variables = self.outputs(values)
            found = [at(row, variables, one * d) for row in layer.rows]
            values, d = [v * layer.denominator for v in values] + found, d * layer.denominator
        return values, d

    def outputs(self, values: list[int]) -> list[int]:
        """The variables, where inputs and pre-activations are given."""
        return values[: self.inputs] + [max(v, 0) for v in values[self.inputs :]]

    def value(self, point: Vector, level: int, neuron: int) -> Fraction:
        """The exact pre-activation of one neuron."""
        values, d = self.values(point, level - 1)
        layer = self.layers[level - 1]
        return Fraction(at(layer.rows[neuron], self.outputs(values), d), d * layer.denominator)

    @classmethod
    def parse(cls, data: Data) -> Model:
        """From the JSON forms of the head of this file."""
        known(data, {"inputs", "layers"}, "the model")
        require(listed(data.get("layers"), 'a model with a list "layers"'), "the model has no layers")
        inputs: Data = width_of(data["layers"][0]) if data.get("inputs") is None else data["inputs"]
        right = type(inputs) is int and 0 < inputs < MOST
        require(right, 'layer 1 needs "weights", a list of rows, or the model "inputs", a positive integer')
        layers, total, linear = list[Layer](), inputs, False
        current = new(0, inputs)  # what a dense layer reads, over the variables
        for position, layer in enumerate(data["layers"], 1):
            where = f"layer {position}"
            dense = isinstance(layer, dict) and "weights" in layer
            known(layer, {"weights", "bias", "activation"} if dense else {"rows", "activation"}, where)
            require(dense or not linear, f"no ReLU before {where}, and rows read only variables: nothing reads it")
            current = dense_rows(layer, where, current) if dense else sparse_rows(layer, where, total)
            activation = layer.get("activation", "relu")
            require(activation in ("relu", "none"), f"{where}: activation must be relu or none")
            linear = activation == "none"
            if not linear:
                layers.append(integer_layer(current))
                current, total = new(total, len(current)), total + len(current)
        require(layers, "the model has no ReLU layer")
        return cls(inputs, layers, integer_layer(current) if linear else None)


def at(row: Row, variables: list[int], one: int) -> int:
    """The value of a row, where 1 and the variables are integers over one denominator."""
    bias, columns, entries = row
    return int(bias * one + sum([w * variables[j] for j, w in zip(columns, entries, strict=True)]))


def gather(coefficients: dict[int, Any], rows: list[Row], sums: dict[int, Any]) -> Any:
    """``sum of c y_i`` over rows y_i: its coefficients are added to ``sums``, its constant is returned."""
    constant = 0
    for i, c in coefficients.items():
        bias, columns, entries = rows[i]
        constant += c * bias
        for j, w in zip(columns, entries, strict=True):
            sums[j] = sums.get(j, 0) + c * w
    return constant


def row_text(row: Row, denominator: int) -> str:
    """A row in its canonical form."""
    bias, columns, entries = row
    cells = [f"{j}:{spelled(w, denominator)}" for j, w in zip(columns, entries, strict=True)]
    return " ".join([spelled(bias, denominator), *cells])


def new(first: int, many: int) -> list[Affine]:
    """Variables from the first on, as forms."""
    return [(Fraction(0), {j: Fraction(1)}) for j in range(first, first + many)]


def width_of(layer: Data) -> int | None:
    """How many values a dense layer reads."""
    weights = layer.get("weights") if isinstance(layer, dict) else None
    return len(weights[0]) if isinstance(weights, list) and weights and isinstance(weights[0], list) else None


def dense_rows(layer: Data, where: str, current: list[Affine]) -> list[Affine]:
    weights = listed(layer["weights"], f'a list of rows as "weights" of {where}')
    require(weights, f"{where} has no neurons")
    bias = numbers(layer.get("bias", [0] * len(weights)), len(weights))
    rows = [dict(enumerate(numbers(row, len(current)))) for row in weights]
    return [composed(form, current) for form in zip(bias, rows, strict=True)]


def sparse_rows(layer: Data, where: str, total: int) -> list[Affine]:
    rows: list[Affine] = []
    require(listed(layer.get("rows"), f'"weights" or "rows" of {where}'), f"{where} has no neurons")
    for row in layer["rows"]:
        require(len(listed(row, f"a row of {where}")) % 2, f"{where}: a row is [b, j, w, j, w, ...]")
        columns = [count(j, total, f"{where}: a variable before it") for j in row[1::2]]
        require(len(set(columns)) == len(columns), f"{where}: a variable stands twice in a row")
        rows.append((number(row[0]), dict(zip(columns, numbers(row[2::2]), strict=True))))
    return rows


def composed(form: Affine, forms: list[Affine]) -> Affine:
    """The form with the forms in the place of its variables."""
    total, sums = form[0], dict[int, Fraction]()
    for k, w in form[1].items():
        b, inner = forms[k]
        if w:
            total += w * b
            for j, v in inner.items():
                sums[j] = sums.get(j, Fraction(0)) + w * v
    return total, sums


def integer_layer(rows: list[Affine]) -> Layer:
    d = lcm(*{v.denominator for b, slope in rows for v in (b, *slope.values())})
    scaled = []
    for b, slope in rows:
        columns = sorted(j for j, v in slope.items() if v)
        entries = [slope[j].numerator * (d // slope[j].denominator) for j in columns]
        scaled.append((b.numerator * (d // b.denominator), columns, entries))
    return Layer(scaled, d)


# ---- the domain -------------------------------------------------------------------------------------------------


class Ball(NamedTuple):
    """The points x = c + L u for ``|u|^2 <= square``; if it is centred, only for the u whose entries add up to 0."""

    affine: Layer  # x over u
    width: int  # of u
    square: Fraction
    centred: bool

    @classmethod
    def parse(cls, data: Data) -> Ball:
        center, square, centred = numbers(data.get("center")), number(data.get("square")), data.get("centred", False)
        n = len(center)
        shape = listed(data.get("shape", [1] * n), 'a "shape" of rows, or of numbers, one for each dimension', n)
        require(0 < n < MOST and data.get("dimension", n) == n, "a ball has a center, a number for each dimension")
        require(square >= 0 and type(centred) is bool, '"square" is not negative, and "centred" is true or false')
        if isinstance(shape[0], list):
            width, slopes = len(shape[0]), [dict(enumerate(numbers(row, len(shape[0])))) for row in shape]
            require(width, "a row of the shape is empty")
        else:
            width, slopes = n, [{j: v} for j, v in enumerate(numbers(shape))]
        return cls(integer_layer(list(zip(center, slopes, strict=True))), width, square, centred)

    def highest(self, constant: Fraction, slope: dict[int, Fraction]) -> Fraction:
        """An upper bound of ``constant + sum of c x``, < 0 if the maximum is < 0.

        The maximum is m + root(q), where m is the value at c and q / square the squared length of the slope in u,
        without its mean if the ball is centred. Let m = -a / b and q = p / d. If m + root(q) < 0, then m^2 - q > 0 is
        at least 1 / (b^2 d), so root(q) - m < 2 a / b times -m - root(q) is, and this is more than 1 / (2 a b d). The
        root is rounded by less.
        """
        inner = dict[int, Fraction]()
        m = constant + Fraction(gather(slope, self.affine.rows, inner)) / self.affine.denominator
        size = sum(w * w for w in inner.values()) - Fraction(self.centred * sum(inner.values()) ** 2, self.width)
        q = self.square * size / self.affine.denominator**2
        return m + root(q, 2 * UNIT + m.numerator.bit_length() + m.denominator.bit_length())

    def at(self, data: Data) -> list[Fraction]:
        """The point with given u."""
        known(data, {"ball"}, "a point of a ball")
        u = numbers(data.get("ball"), self.width)
        require(dot(u, u) <= self.square, "the point does not lie in the ball")
        require(not self.centred or sum(u) == 0, "the point of a centred ball is not centred")
        scaled, d = over_common(u)
        return [Fraction(at(row, scaled, d), d * self.affine.denominator) for row in self.affine.rows]


ROWS, GENERATORS, POINTS = {"box", "inequalities", "equalities"}, {"vertices", "rays", "lines"}, {"points"}
BALL = {"center", "shape", "square", "centred"}


class Domain:
    """Box and rows, or generators, or points, or a ball (and the box around it); canonical: equal data, equal digests.

    Rows with one coordinate go into the box; the others are primitive integer rows ``(b, a1, ..., an)``, sorted.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self.lower: list[Fraction | None] = [None] * dimension
        self.upper: list[Fraction | None] = [None] * dimension
        self.rows: list[Flat] = []
        self.equalities: list[Flat] = []
        self.generators: Any = None  # (vertices, rays, lines): rational, and primitive integer vectors
        self.points: list[tuple[Fraction, ...]] | None = None
        self.ball: Ball | None = None

    @classmethod
    def from_rows(cls, dimension: int, rows: Vectors = (), equalities: Vectors = (), box: Vectors = ()) -> Domain:
        self = cls(dimension)
        for j, (low, high) in enumerate(box):
            self._clip(j, low, high)
        wide = {row for row in map(primitive, rows) if not self._is_side(row, False)}
        self.rows = sorted(row for row in wide if any(row[1:]) or row[0] < 0)
        flats = {row for row in map(primitive, equalities) if any(row) and not self._is_side(row, True)}
        self.equalities = sorted({row if [v for v in row if v][-1] > 0 else opposite(row) for row in flats})
        return self

    def _is_side(self, row: Flat, equal: bool) -> bool:
        """Does a row speak of one coordinate? Then it has gone into the box."""
        support = [j for j, v in enumerate(row[1:]) if v]
        if len(support) != 1:
            return False
        (j,) = support
        side = Fraction(-row[0], row[j + 1])
        self._clip(j, side if equal or row[j + 1] > 0 else None, side if equal or row[j + 1] < 0 else None)
        return True

    def _clip(self, j: int, low: Fraction | None, high: Fraction | None) -> None:
        least, most = self.lower[j], self.upper[j]
        if low is not None and (least is None or low > least):
            self.lower[j] = low
        if high is not None and (most is None or high < most):
            self.upper[j] = high

    @classmethod
    def from_generators(cls, dimension: int, vertices: Vectors, rays: Vectors = (), lines: Vectors = ()) -> Domain:
        self = cls(dimension)
        require(vertices, "generators need at least one vertex")
        directed, undirected = ({primitive(r) for r in some if any(r)} for some in (rays, lines))
        upright = {line if next(v for v in line if v) > 0 else opposite(line) for line in undirected}
        self.generators = (sorted({tuple(v) for v in vertices}), sorted(directed), sorted(upright))
        return self

    @classmethod
    def from_points(cls, dimension: int, points: Vectors) -> Domain:
        self = cls(dimension)
        require(points, "an empty list of points")
        self.points = [tuple(p) for p in points]
        return self

    @classmethod
    def from_ball(cls, ball: Ball) -> Domain:
        self = cls(len(ball.affine.rows))
        self.ball = ball
        for j in range(self.dimension):
            low, high = (short(ball.highest(Fraction(0), {j: Fraction(sign)})) for sign in (-1, 1))
            self.lower[j], self.upper[j] = -Fraction(low), Fraction(high)
        return self

    @classmethod
    def parse(cls, data: Data) -> Domain:
        """From the JSON forms of the head of this file."""
        data = {"points": data} if isinstance(data, list) else data
        known(data, {"dimension", *ROWS, *GENERATORS, *POINTS, *BALL}, "the domain")
        kinds = [kind for kind in (ROWS, GENERATORS, POINTS, BALL) if kind & set(data)]
        require(len(kinds) < 2, "a domain is given by rows, generators, points or a ball, not by several of them")
        if kinds == [BALL]:
            return cls.from_ball(Ball.parse(data))
        box = [read_side(side) for side in listed(data.get("box") or [], 'a list as "box"')]
        names = data.keys() - {"box", "dimension"}
        tables = {key: [numbers(row) for row in listed(data[key], f"a list of {key}")] for key in names}
        sizes = [len(row) - (key in ROWS) for key, rows in tables.items() for row in rows]
        sizes += [len(box)] * (data.get("box") is not None) + [data.get("dimension")] * ("dimension" in data)
        clear = len(sizes) > 0 and all(type(n) is int and n == sizes[0] for n in sizes)
        require(
            clear and 0 < sizes[0] < MOST, "the dimension of the domain is not clear: no rows, or of different lengths"
        )
        if kinds == [POINTS]:
            return cls.from_points(sizes[0], tables["points"])
        if kinds == [GENERATORS]:
            return cls.from_generators(sizes[0], *(tables.get(key, []) for key in ("vertices", "rays", "lines")))
        return cls.from_rows(sizes[0], tables.get("inequalities", []), tables.get("equalities", []), box)

    def digest(self) -> str:
        """SHA-256 of the canonical exact form."""
        vectors: list[tuple[str, Vectors]] = [("row", self.rows), ("equality", self.equalities)]
        lines = [f"geomrelu domain\ndimension {self.dimension}"]
        if self.points is not None:
            vectors = [("point", self.points)]
        elif self.generators is not None:
            vectors = list(zip(("vertex", "ray", "line"), self.generators, strict=True))
        elif self.ball is not None:
            lines.append(f"{'centred ' if self.ball.centred else ''}ball {self.ball.width} {spelled(self.ball.square)}")
            lines += [row_text(row, self.ball.affine.denominator) for row in self.ball.affine.rows]
        else:
            for side in zip(self.lower, self.upper, strict=True):
                lines.append("side " + " ".join("-" if v is None else spelled(v) for v in side))
        lines += [f"{name} " + " ".join(map(spelled, vector)) for name, some in vectors for vector in some]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def contains(self, point: Vector) -> bool:
        """Is the point in the domain? For generators: is it one of the vertices (else `weighted` is asked for).

        In a ball a point is given by its u, see `Ball.at`.
        """
        if self.points is not None:
            return tuple(point) in self.points
        if self.generators is not None:
            return tuple(point) in self.generators[0]
        return self.ball is None and self._holds(point, 1)

    def recedes(self, ray: Vector) -> bool:
        """Is ``ray`` (not zero) in the recession cone? For generators: is it one of them."""
        if self.generators is not None:
            return primitive(ray) in recession(self)
        return any(ray) and self.points is None and self._holds(ray, 0)

    def _holds(self, x: Vector, one: int) -> bool:
        """Do box and rows hold a point, or (``one`` = 0) a direction?"""
        return (
            all(low is None or low * one <= v for low, v in zip(self.lower, x, strict=True))
            and all(high is None or v <= high * one for high, v in zip(self.upper, x, strict=True))
            and all(b * one + dot(a, x) >= 0 for b, *a in self.rows)
            and all(b * one + dot(a, x) == 0 for b, *a in self.equalities)
        )

    def weighted(self, data: Data, first: int) -> list[Fraction]:
        """What weights ``[of vertices, of rays, of lines]`` give; ``first`` = 1: without vertices, a direction."""
        known(data, {"weights"}, "weights")
        require(self.generators is not None, "weights stand for a point or ray of a domain given by generators")
        vectors = self.generators[first:]
        lists = listed(data.get("weights"), "weights: lists, of vertices, rays, lines", len(vectors))
        parts = [numbers(w, len(part)) for w, part in zip(lists, vectors, strict=True)]
        require(first or sum(parts[0]) == 1, "the weights of the vertices do not add up to 1")
        require(all(w >= 0 for part in parts[:-1] for w in part), "a weight is negative")
        pairs = [(w, g) for part, some in zip(parts, vectors, strict=True) for w, g in zip(part, some, strict=True)]
        return [sum((w * g[j] for w, g in pairs if w), Fraction(0)) for j in range(self.dimension)]

    def is_empty_box(self) -> bool:
        """Is some low side above its high side?"""
        sides = zip(self.lower, self.upper, strict=True)
        return any(low is not None and high is not None and low > high for low, high in sides)

    def is_bounded_box(self) -> bool:
        """Is it given by rows, and has every coordinate both sides? (Generators and points have none.)"""
        return self.ball is None and None not in (*self.lower, *self.upper)


def read_side(data: Data) -> list[Fraction | None]:
    return [None if v is None else number(v) for v in listed(data, "sides of the box: [low, high]", 2)]


# ---- lines around an output -------------------------------------------------------------------------------------


def chord(low: Bound, high: Bound) -> tuple[int, int]:
    """Slopes, in units of 2^-28, of lines above and below max(y, 0) where low <= y <= high.

    The line above goes through (high, high), its slope high / (high - low) rounded down; so it passes above (low, 0).
    The line below goes through (0, 0); any slope from 0 to 1 will do, this is the default.
    """
    if low >= 0 or high == inf:
        return ONE, ONE
    if high <= 0 or low == -inf:
        return 0, 0
    above = int(Fraction(high) * ONE // (Fraction(high) - Fraction(low)))
    return above, min(max(4 * above - 2 * ONE, 0), ONE)


def rise(c: int, r: int, low: Bound, high: Bound) -> Bound:
    """The largest value of ``c max(y, 0) - r y`` for low <= y <= high: at an end, or at the y next to 0."""
    heights = list[Bound]()
    for y in (low, min(max(low, Fraction(0)), high), high):
        slope = c - r if y > 0 else -r
        if not isinstance(y, float):
            heights.append(slope * y)
        elif slope and (slope > 0) == (y > 0):
            return inf
    return max(heights)


class Leaf(NamedTuple):
    """What a leaf gives: slopes of the lines below of layers 1, 2, ... (None: all lines are flat), and multipliers."""

    texts: list[str] | None
    splits: Splits
    rows: list[tuple[Flat, Fraction]]

    def slopes(self, level: int, neuron: int, low: Bound, high: Bound) -> tuple[int, int]:
        """Of the lines above and below an output."""
        if self.texts is None:
            return 0, 0
        above, below = chord(low, high)
        text = self.texts[level - 1] if level <= len(self.texts) else ""
        return above, SIXTEENTHS[text[neuron]] if text and low < 0 < high else below


DEFAULT, INTERVALS = Leaf([], {}, []), Leaf(None, {}, [])


# ---- bounds in exact arithmetic ---------------------------------------------------------------------------------


class Form(NamedTuple):
    """An upper bound ``constant + sum of c v / scale`` over variables v."""

    constant: Fraction
    coefficients: dict[int, int]
    scale: int


def largest(region: Region, slope: dict[int, Fraction]) -> Bound:
    """The maximum of ``sum of c x`` over the box, or over the generators."""
    if region.domain.generators is not None:
        found = [[sum(c * g[j] for j, c in slope.items()) for g in some] for some in region.domain.generators]
        at_vertices, along, across = found
        return inf if any(v > 0 for v in along) or any(across) else Fraction(max(at_vertices))
    total = Fraction(0)
    for j, c in slope.items():
        if c:
            side = region.upper[j] if c > 0 else region.lower[j]
            if isinstance(side, float):
                return inf
            total += c * side
    return total


def exact_bound(region: Region, level: int, neuron: int, sign: int, leaf: Leaf) -> Bound:
    """An upper bound of ``sign * z``: back layer by layer, then the largest value on the box or the generators.

    On a ball, the smaller one of this, on the box around it, and (but for intervals) the largest value on the ball.
    """
    layer, ball = region.model.layers[level - 1], region.domain.ball
    bias, columns, entries = layer.rows[neuron]
    coefficients = {j: sign * w for j, w in zip(columns, entries, strict=True)}
    form: Form | None = Form(Fraction(sign * bias, layer.denominator), coefficients, layer.denominator)
    for before in range(max(level - 1, *leaf.splits, 0), 0, -1):
        form = form and back(region, form, before, leaf)
    if form is None:
        return inf
    constant, slope = form.constant, {j: Fraction(c, form.scale) for j, c in form.coefficients.items()}
    for (b, *a), m in leaf.rows:
        constant += m * b
        slope |= {j: slope.get(j, Fraction(0)) + m * v for j, v in enumerate(a)}
    top = largest(region, slope)
    bound = top if isinstance(top, float) else constant + top
    return bound if ball is None or leaf.texts is None else min(bound, ball.highest(constant, slope))


def back(region: Region, form: Form, level: int, leaf: Leaf) -> Form | None:
    """The form with the outputs of a layer replaced by the variables before it; None: it has no bound."""
    layer, first, added = region.model.layers[level - 1], region.model.start[level], leaf.splits.get(level, {})
    steps = ONE * lcm(*(m.denominator for m in added.values()))
    scale = form.scale * steps
    slopes = {i: m.numerator * (scale // m.denominator) for i, m in added.items()}  # coefficients on pre-activations
    constant, coefficients = form.constant, {}
    for j, c in form.coefficients.items():
        if j < first:
            coefficients[j] = c * steps * layer.denominator
            continue
        i, pair = j - first, region.pairs[level - 1][j - first]
        above, below = leaf.slopes(level, i, *pair)
        r = c * (above if c > 0 else below)
        height = rise(c * ONE, r, *pair)
        if isinstance(height, float):
            return None
        constant += height / (form.scale * ONE)
        slopes[i] = slopes.get(i, 0) + r * (steps // ONE)
    gained = gather({i: p for i, p in slopes.items() if p}, layer.rows, coefficients)
    scale *= layer.denominator
    return Form(constant + Fraction(gained, scale), coefficients, scale)


# ---- bounds in fixed point --------------------------------------------------------------------------------------


class Chord(NamedTuple):
    """Lines around an output, in units; where its sign is not known, the constants of the one above."""

    above: int
    below: int
    high: int = 0  # what rounding a coefficient costs at most
    height: int = 0
    heights: Sequence[int] = ()  # at the corners of the box, where these are better


class FixedForm(NamedTuple):
    """An upper bound: an affine function of the inputs, and chords that were used: ``coefficient * height``."""

    slope: list[int]
    constant: int
    raised: list[tuple[int, Chord]]


class FixedPoint:
    """The layers that fit, and the box, in integers.

    Every variable is >= 0 here: the outputs, the inputs measured from the lower sides of the domain, and the constant
    1 whose weights are the biases. So a coefficient of a variable may be rounded up. A coefficient of a pre-activation
    y is rounded down by less than a unit, which costs less than max(0, high) units.

    Each variable and pre-activation is measured in a power of two of its own, so that none is much larger than 1 (a
    positive factor passes through a ReLU); the weights change accordingly. Coefficients, weights, bounds and sides are
    then integers in units of 2^-28, their products in units of 2^-56.
    """

    def __init__(self, model: Model, domain: Domain) -> None:
        self.depth = fitting(model, domain)  # layers 1..depth fit
        if not self.depth:
            return
        self.origin = [v for v in domain.lower if v is not None]
        widths = [high - low for low, high in zip(self.origin, domain.upper, strict=True) if high is not None]
        self.vary = [w > 0 for w in widths]
        self.cornered = sum(self.vary) <= CORNERED
        # per layer, 0 for the inputs: the exponents of the powers of two
        self.exponents = [[power(*w.as_integer_ratio()) for w in widths]]
        # per layer, for each variable before it and last for the constant 1: its weights, rounded up
        self.columns: list[list[list[int]]] = [[]]
        for level in range(1, self.depth + 1):
            self._scale(model, level)

    def _scale(self, model: Model, level: int) -> None:
        layer, inner, first = model.layers[level - 1], self.exponents[-1], model.start[level - 1]
        columns = [[0] * len(layer.rows) for _ in range(len(inner) + 1)]
        exponents = []
        for i, (bias, places, entries) in enumerate(layer.rows):
            moved = Fraction(bias)
            if level == 1:  # what the lower sides contribute
                moved += sum((w * self.origin[j] for j, w in zip(places, entries, strict=True)), Fraction(0))
            terms = [(j - first, w, inner[j - first]) for j, w in zip(places, entries, strict=True)]
            sizes = [power(w, layer.denominator) + e for j, w, e in terms if level > 1 or self.vary[j]]
            constant = moved / layer.denominator
            own = max([*sizes, power(*constant.as_integer_ratio())] if moved else sizes, default=0)
            for j, w, e in terms:
                columns[j][i] = up(w, layer.denominator, UNIT + e - own)
            columns[-1][i] = up(*constant.as_integer_ratio(), UNIT - own)
            exponents.append(own)
        self.columns.append(columns)
        self.exponents.append(exponents)

    def units(self, level: int, neuron: int, value: Fraction) -> int:
        """A number in units of a pre-activation, rounded up."""
        return up(*value.as_integer_ratio(), UNIT - self.exponents[level][neuron])

    def outward(self, level: int, neuron: int, low: Bound, high: Bound) -> Pair:
        """Bounds, rounded outward to units."""
        unit = Fraction(2) ** (self.exponents[level][neuron] - UNIT)
        below, above = (v if isinstance(v, float) else self.units(level, neuron, v) * unit for v in (-low, high))
        return -below, above

    def sides(self, region: Region) -> list[tuple[int, int]]:
        """The box, measured from the lower sides of the domain, rounded outward."""
        found = []
        for low, high, origin, e in zip(region.lower, region.upper, self.origin, self.exponents[0], strict=True):
            least, most = (origin - low).as_integer_ratio(), (high - origin).as_integer_ratio()
            found.append((-up(*least, UNIT - e), up(*most, UNIT - e)))
        return found

    def chords(self, region: Region, level: int, leaf: Leaf) -> list[Chord]:
        """For each output of a layer."""
        found = []
        for i, (low, high) in enumerate(region.pairs[level - 1]):
            above, below = leaf.slopes(level, i, low, high)
            chord = Chord(above, below)
            if low < 0 < high:
                top, rest = self.units(level, i, Fraction(high)), ONE - above
                height = -(-rest * top >> UNIT)
                corners = zip(*region.corners.get((level, i), ((), ())), strict=True)
                heights = [(max(above * l_, rest * u) >> UNIT) + 1 for l_, u in corners]
                chord = Chord(above, below, top, height, heights if sum(heights) < len(heights) * height else ())
            found.append(chord)
        return found

    def form(self, level: int, neuron: int, sign: int, around: list[list[Chord]], splits: Splits) -> FixedForm:
        """An upper bound of ``sign * z``; ``around[l - 1]`` are the chords of layer l."""
        *q, bias = [column[neuron] for column in self.columns[level]]
        if sign < 0:  # a weight was rounded up by less than a unit, so the negative one is at most 1 - w
            q, bias = [1 - w for w in q], 1 - bias
        constant, raised = bias << UNIT, list[tuple[int, Chord]]()
        for before in range(level - 1, 0, -1):
            met = list(zip(q, around[before - 1], strict=True))
            p = [c * (chord.above if c > 0 else chord.below) >> UNIT for c, chord in met]
            constant += sum([chord.high for _, chord in met])
            raised += [(c, chord) for c, chord in met if c > 0 and chord.high]
            for i, m in splits.get(before, {}).items():
                shift = UNIT + self.exponents[before][i] - self.exponents[level][neuron]
                size = up(*abs(m).as_integer_ratio(), shift)  # away from 0: any multiplier is good
                p[i] += size if m > 0 else -size
            lack = -sum([c for c in p if c < 0])  # a weight was rounded up, which is wrong where it is subtracted
            *columns, biases = self.columns[before]
            constant += dot(p, biases) + lack
            q = [-(-(dot(p, column) + lack) >> UNIT) for column in columns]
        return FixedForm(q, constant, raised)

    def tops(self, form: FixedForm, sides: list[tuple[int, int]], cornered: bool) -> list[int]:
        """The largest value on the box, in 2^-56, or the values at its corners.

        A point x of the box is the mean of its corners with weights p_c(x), products of its coordinates' shares; an
        affine function at x is the mean of its values at the corners. Let sum p_c l_c <= y(x) <= sum p_c u_c. Then
        v - s y = max(-s y, (1 - s) y) <= sum p_c t_c where t_c = max(-s l_c, (1 - s) u_c), the `heights` of a chord.
        """
        values = [form.constant]
        for c, (low, high), varies in zip(form.slope, sides, self.vary, strict=True):
            ends = [c * low, c * high] if varies else [c * low]
            values = [v + end for end in ends for v in values] if cornered else [values[0] + max(ends)]
        for c, chord in form.raised:
            heights = chord.heights if cornered and chord.heights else [chord.height] * len(values)
            values = [v + c * t for v, t in zip(values, heights, strict=True)]
        return values

    def bound(self, region: Region, level: int, neuron: int, sign: int, leaf: Leaf) -> Bound:
        """The bound of a leaf: the better one of that on the box and that at its corners."""
        around = [self.chords(region, before, leaf) for before in range(1, level)]
        form, sides = self.form(level, neuron, sign, around, leaf.splits), self.sides(region)
        bound = min(max(self.tops(form, sides, cornered)) for cornered in {False, self.cornered})
        return bound * Fraction(2) ** (self.exponents[level][neuron] - 2 * UNIT)

    def derived(self, region: Region, level: int, neurons: list[int]) -> dict[int, Pair]:
        """Both bounds of neurons, and what is known of them at the corners."""
        sides, around = self.sides(region), [self.chords(region, before, DEFAULT) for before in range(1, level)]
        found: dict[int, Pair] = {}
        for i in neurons:
            forms = [self.form(level, i, sign, around, {}) for sign in (-1, 1)]
            below, above = ([-(-v >> UNIT) for v in self.tops(form, sides, self.cornered)] for form in forms)
            unit = Fraction(2) ** (self.exponents[level][i] - UNIT)
            found[i] = (-max(below) * unit, max(above) * unit)
            if self.cornered:
                region.corners[level, i] = below, above
        return found


def fitting(model: Model, domain: Domain) -> int:
    """How many layers, from the first, fit fixed point: each reads only the layer before, half of its weights or more
    are not 0, and the domain is a bounded box."""
    if not domain.is_bounded_box() or domain.is_empty_box():
        return 0
    for level, layer in enumerate(model.layers, 1):
        weights = sum(len(columns) for _, columns, _ in layer.rows)
        if model.blocks[level] != [level - 1] or 2 * weights < len(layer.rows) * model.width(level - 1):
            return level - 1
    return len(model.layers)


# ---- proofs -----------------------------------------------------------------------------------------------------


class Region:
    """The domain cut by the splits on the way to a node, and bounds of earlier neurons that hold there."""

    def __init__(self, model: Model, domain: Domain) -> None:
        self.model, self.domain = model, domain
        self.fixed = FixedPoint(model, domain)
        self.lower: list[Bound] = [-inf if v is None else v for v in domain.lower]
        self.upper: list[Bound] = [inf if v is None else v for v in domain.upper]
        self.cuts: list[Cut] = []
        self.pairs: list[list[Pair]] = []  # of the layers 1, 2, ... that have been derived
        self.corners: dict[tuple[int, int], tuple[list[int], list[int]]] = {}  # bounds of -y and y there, in units
        self.empty = False  # has it turned out to have no points?

    def copy(self) -> Region:
        """With lists of its own; the lists and pairs in them are replaced, never changed."""
        other = copy(self)
        for name in ("lower", "upper", "cuts", "pairs", "corners"):
            setattr(other, name, copy(getattr(self, name)))
        return other

    def halves(self, split: Data, level: int) -> list[Region]:
        """Both parts of a split, g <= 0 and g >= 0, in a proof about a neuron of a layer."""
        require(listed(split, "a split with 3 entries", 3)[0] in ("x", "neuron"), "a split is of no known form")
        below, above = self.copy(), self.copy()
        if split[0] == "x":
            require(self.domain.generators is None, "generators are not cut")
            j, c = count(split[1], self.model.inputs, "input"), number(split[2])
            require(self.lower[j] <= c <= self.upper[j], "a cut does not lie in the range of its input")
            below.upper[j] = above.lower[j] = c
            below.corners, above.corners = {}, {}
        else:
            earlier = count(split[1], level, "layer", 1)
            i = count(split[2], self.model.width(earlier), "neuron")
            require(earlier <= len(self.pairs), "a split is of a neuron whose layer has been derived")
            below.cuts.append((earlier, i, -1))
            above.cuts.append((earlier, i, 1))
            below.keep(earlier, {i: (-inf, Fraction(0))})
            above.keep(earlier, {i: (Fraction(0), inf)})
        return [below, above]

    def keep(self, level: int, found: dict[int, Pair]) -> None:
        """Bounds that also hold, of a layer known or the next one; of layers that fit, rounded outward to units."""
        nothing: list[Pair] = [(-inf, inf)] * self.model.width(level)
        pairs = list(self.pairs[level - 1]) if level <= len(self.pairs) else nothing
        for i, (low, high) in found.items():
            if level <= self.fixed.depth:
                low, high = self.fixed.outward(level, i, low, high)
            elif self.domain.ball is not None:
                low, high = -short(-low), short(high)
            pairs[i] = (max(pairs[i][0], low), min(pairs[i][1], high))
            self.empty = self.empty or pairs[i][0] > pairs[i][1]
        self.pairs[level - 1 : level] = [pairs]

    def derive(self, items: Data, below: int) -> None:
        """Tighten bounds of neurons of layers < ``below``, in the order given."""
        for item in listed(items, 'a list as "derive"'):
            level = count(listed(item, "a derivation with 1, 2 or 4 entries", 1, 2, 4)[0], below, "layer", 1)
            first = len(item) == 1 or (len(item) == 2 and level > self.fixed.depth)
            require(level <= len(self.pairs) + first, "layers are derived one after the other, and as a whole first")
            if len(item) == 4:
                self._derive_one(level, *item[1:])
            else:
                self._derive_layer(level, item[1] if len(item) == 2 else list(range(self.model.width(level))))

    def _derive_layer(self, level: int, some: Data) -> None:
        width, fits, is_new = self.model.width(level), level <= self.fixed.depth, level > len(self.pairs)
        neurons = list(dict.fromkeys(count(i, width, "neuron") for i in listed(some, "a list of neurons")))
        self.keep(level, {})
        if not fits:
            self.keep(level, self._exactly(level, range(width) if is_new else neurons, INTERVALS))
        open_ = [i for i in neurons if self.pairs[level - 1][i][0] < 0 < self.pairs[level - 1][i][1]]
        if not self.empty:
            self.keep(level, self.fixed.derived(self, level, open_) if fits else self._exactly(level, open_, DEFAULT))

    def _exactly(self, level: int, neurons: Iterable[int], leaf: Leaf) -> dict[int, Pair]:
        """What bounds a neuron from above also bounds it from below."""
        return {i: (-exact_bound(self, level, i, -1, leaf), exact_bound(self, level, i, 1, leaf)) for i in neurons}

    def _derive_one(self, level: int, neuron: Data, side: Data, data: Data) -> None:
        neuron = count(neuron, self.model.width(level), "neuron")
        require(side in ("upper", "lower"), "a bound is upper or lower")
        leaf = self._leaf(level, data, exact=True)
        if not self.empty:
            bound = exact_bound(self, level, neuron, 1 if side == "upper" else -1, leaf)
            self.keep(level, {neuron: (-inf, bound) if side == "upper" else (-bound, inf)})

    def _leaf(self, level: int, data: Data, exact: bool) -> Leaf:
        """The slopes and multipliers of a leaf of a proof about a neuron of a layer."""
        key, domain = "slopes" if exact else "coarse", self.domain
        known(data, {key, "splits", "derive"} | ({"rows", "equalities"} if exact else set()), "a leaf")
        texts = listed(data.get(key, []), "a list of slopes")
        require(len(texts) < level, "slopes are one text for each layer before the neuron's")
        for text, layer in zip(texts, self.model.layers, strict=False):
            right = isinstance(text, str) and len(text) in (0, len(layer.rows)) and set(text) <= SIXTEENTHS.keys()
            require(right, "the slopes of a layer are one character of 0..9a..g a neuron")
        splits: Splits = {}
        for k, m in table(data, "splits", len(self.cuts)):
            earlier, i, sign = self.cuts[k]
            inner = splits.setdefault(earlier, {})
            inner[i] = inner.get(i, Fraction(0)) + sign * m
        rows = [(domain.rows[k], m) for k, m in table(data, "rows", len(domain.rows))]
        flats = [(domain.equalities[k], m) for k, m in table(data, "equalities", len(domain.equalities), free=True)]
        return Leaf(texts, splits, rows + flats)

    def leaf_bound(self, level: int, neuron: int, sign: int, node: Data) -> Bound:
        """What a leaf proves: an upper bound of ``sign * z``."""
        require(len(self.pairs) >= level - 1, "a bound needs all layers before to be derived")
        exact = "coarse" not in node
        require(exact or level <= self.fixed.depth, "a coarse leaf is about a layer that fits fixed point")
        leaf = self._leaf(level, node, exact)
        if self.empty:
            return EMPTY
        return (exact_bound if exact else self.fixed.bound)(self, level, neuron, sign, leaf)

    def derived_bound(self, level: int, neuron: int, sign: int) -> Bound:
        """What has been derived: an upper bound of ``sign * z``."""
        require(len(self.pairs) >= level, "no bound of the neuron has been derived")
        low, high = self.pairs[level - 1][neuron]
        return EMPTY if self.empty else high if sign > 0 else -low


def leaves(tree: Data, whole: Region, level: int) -> Iterator[tuple[Region, Data]]:
    """The leaves of a tree in preorder, with the parts they stand for; about layers < ``level`` it may derive."""
    regions = [whole.copy()]
    for node in listed(tree, "a proof: a list of nodes"):
        require(regions, "nodes are left over after the last leaf")
        require(isinstance(node, dict), "a node of the proof is not an object")
        region = regions.pop()
        region.derive(node.get("derive", []), level)
        if "split" in node:
            known(node, {"split", "derive"}, "a split")
            regions += reversed(region.halves(node["split"], level))
        else:
            yield region, node
    require(not regions, "the proof ends before its last leaf")


# ---- claims -----------------------------------------------------------------------------------------------------


class Judge:
    """What the claims of a certificate share: the domain with what is derived on it once, and the table of points."""

    def __init__(self, points: Data, model: Model, domain: Domain, derived: Data = None, tree: Data = None) -> None:
        require(domain.dimension == model.inputs, "the model and the domain are of different dimensions")
        require(not domain.is_empty_box(), "the domain is empty")
        self.points, self.model, self.domain = listed(points, 'a list of "points"'), model, domain
        self.derived, self.tree = [] if derived is None else derived, tree
        self.root = self.start(self.derived)
        self.parts = [self.root] if tree is None else self.cut(tree)

    def start(self, derived: Data) -> Any:
        """The whole domain, where every proof begins."""
        if self.domain.points is not None:
            require(derived == [], "nothing is derived on a finite set")
            return None
        whole = Region(self.model, self.domain)
        whole.derive(derived, len(self.model.layers) + 1)
        return whole

    def cut(self, tree: Data) -> list[Any]:
        """The leaves of a tree, where only bounds are derived."""
        require(self.domain.points is None, "a finite set is not cut")
        found = list(leaves(tree, self.root, len(self.model.layers) + 1))
        for _, node in found:
            known(node, {"derive"}, "a leaf of parts")
        return [region for region, _ in found]

    def bound(self, proof: Data, level: int, neuron: int, sign: int) -> Bound:
        """What a proof gives: the worst bound of ``sign * z`` over its leaves."""
        if proof == "parts":
            return max(region.derived_bound(level, neuron, sign) for region in self.parts)
        return max(region.leaf_bound(level, neuron, sign, node) for region, node in leaves(proof, self.root, level))

    def point(self, data: Data) -> Vector:
        """A point, which must lie in the domain: its coordinates, its number in the table, weights, or a u."""
        if type(data) is int:
            data = self.points[count(data, len(self.points), "number of a point")]
        if isinstance(data, dict):
            return self.domain.weighted(data, 0) if self.domain.ball is None else self.domain.ball.at(data)
        point = numbers(data, self.domain.dimension)
        require(self.domain.contains(point), "the point does not lie in the domain")
        return point

    def at_point(self, data: Data, level: int, neuron: int) -> Fraction:
        """The value of a neuron at a point, which must lie in the domain."""
        ball = self.domain.ball
        if data == "corner":
            return at_corner(self.model, self.domain, level, neuron)
        if ball is not None and isinstance(data, dict) and not isinstance(data.get("ball"), list):
            known(data, {"ball"}, "a point of a ball")
            data = {"ball": uphill(self.model, ball, level, neuron, number(data.get("ball")))}
        return self.value(self.point(data), level, neuron)

    def value(self, point: Vector, level: int, neuron: int) -> Fraction:
        """The exact pre-activation of a neuron."""
        return self.model.value(point, level, neuron)

    def far(self) -> Iterator[Judge]:
        """Of the network without biases, which says how neurons grow along rays, on each of the slices."""
        model = Model(self.model.inputs, [layer.without_biases() for layer in self.model.layers])
        for part in slices(self.domain):
            yield type(self)([], model, part)


KEYS = {"layer", "neuron", "status", "bound", "supremum", "stable", "point", "ray", "proof", "infinity", "growth"}


class Claim:
    """A claim that has been read; its methods say what each part of it needs."""

    def __init__(self, data: Data, judge: Judge) -> None:
        known(data, KEYS, "a claim")
        self.judge, self.model, self.domain, self.data = judge, judge.model, judge.domain, data
        self.level = count(data.get("layer"), len(self.model.layers) + 1, "layer", 1)
        self.neuron = count(data.get("neuron"), self.model.width(self.level), "neuron")
        self.status, self.top, self.stability = (data.get(key) for key in ("status", "supremum", "stable"))
        right = isinstance(self.status, str) and self.status in STATUS
        require(right, f"the status must be one of {', '.join(STATUS)}")
        limited = self.status in ("at most", "at least")
        require(("bound" in data) == limited, "at most and at least have a bound, only they")
        self.limit = number(data.get("bound", 0))
        right = self.stability is None or (type(self.stability) is bool and self.status == "dead")
        require(right, "stable is true or false, and a claim about dead neurons")
        right = self.top is None or self.status in ("alive", "dead")
        require(right, "a supremum is claimed of dead and living neurons")
        self.value = judge.at_point(data["point"], self.level, self.neuron) if "point" in data else None  # of z there
        self.ray = read_ray(data["ray"], self.domain) if "ray" in data else None
        self.sign = -1 if self.status in ("active", "at least") else 1  # -1: z is bounded from below
        self.bound: Bound = inf  # of sign z on the domain
        if "proof" in data:
            require(self.domain.points is None, "a finite set is walked, it needs no proof")
            self.bound = judge.bound(data["proof"], self.level, self.neuron, self.sign)
        elif self.domain.points is not None:
            self.bound = max(self.sign * judge.value(p, self.level, self.neuron) for p in self.domain.points)

    def alive(self) -> None:
        positive = self.value is not None and self.value > 0
        require(positive or self.top == "inf", "the neuron is not positive at the point")

    def dead(self) -> None:
        self.below(Fraction(0))

    def active(self) -> None:
        self.below(Fraction(0))

    def at_most(self) -> None:
        self.below(self.limit)

    def at_least(self) -> None:
        self.below(-self.limit)

    def below(self, limit: Fraction) -> None:
        """Of z, or where it is bounded from below, of -z."""
        of = "" if self.sign > 0 else " of -z"
        require(self.bound <= limit, f"the bound{of} is {shown(self.bound)}, not <= {shown(limit)}")
        rows = self.domain.rows or self.domain.equalities
        require(not rows or self.value is not None, "no point shows that the domain is not empty")

    def supremum(self, value: Fraction) -> None:
        require(self.value == value, "the supremum is not attained at the point")
        require(self.bound <= value, f"the bound is {shown(self.bound)}, not the supremum")

    def unbounded(self) -> None:
        require(self.value is not None, "there is no point")
        require(self.ray is not None, "there is no ray")
        growth = growths(self.model, self.ray or (), self.level)
        require(growth[self.model.start[self.level] + self.neuron] > 0, "the neuron does not grow along the ray")

    def stable(self) -> None:
        """Where z is <= c < 0 on S, and so at infinity, it is negative for all nearby parameters, by compactness."""
        require(self.bound < 0, "the bound is not negative")
        if self.domain.points is None and recession(self.domain):
            (self.falling if "growth" in self.data else self.calm)()

    def falling(self) -> None:
        """Along every ray: on each slice there is a proof."""
        for one, proof in zip_longest(self.judge.far(), listed(self.data["growth"], 'a list as "growth"')):
            falls = one is not None and one.bound(proof, self.level, self.neuron, 1) < 0
            require(falls, "it does not fall along every ray")

    def calm(self) -> None:
        cones = cones_of(self.domain, self.data.get("infinity"))
        calm = all(quiet(self.model, self.level, self.neuron, cone) for cone in cones)
        require(calm, "it is not quiet on every cone at infinity")

    def unstable(self) -> None:
        require(self.value is not None, "there is no point")
        revived = self.ray is not None and revivable(self.model, self.ray, self.level, self.neuron)
        require(self.value == 0 or revived, "nothing shows that the neuron is not stable")


STATUS: dict[str, Callable[[Claim], None]] = {
    "alive": Claim.alive, "dead": Claim.dead, "active": Claim.active,
    "at most": Claim.at_most, "at least": Claim.at_least,
}  # fmt: skip


def prove(data: Data, judge: Judge) -> None:
    """Prove one claim (see the head of this file) or raise :class:`Rejected`."""
    claim = Claim(data, judge)
    STATUS[claim.status](claim)
    if claim.top == "inf":
        claim.unbounded()
    elif claim.top is not None:
        claim.supremum(number(claim.top))
    if claim.stability is not None:
        (claim.stable if claim.stability else claim.unstable)()


def at_corner(model: Model, domain: Domain, level: int, neuron: int) -> Fraction:
    """The largest value of a neuron of layer 1 on a box, which a corner attains."""
    layer = model.layers[0]
    box = not (domain.generators or domain.points or domain.ball or domain.rows or domain.equalities)
    require(level == 1 and box, "a corner is for layer 1 on a box")
    bias, columns, entries = layer.rows[neuron]
    sides = [domain.upper[j] if w > 0 else domain.lower[j] for j, w in zip(columns, entries, strict=True)]
    require(None not in sides, "the box has no such corner")
    corner, d = over_common([side for side in sides if side is not None])
    return Fraction(bias * d + dot(entries, corner), d * layer.denominator)


def uphill(model: Model, ball: Ball, level: int, neuron: int, t: Fraction) -> list[Fraction]:
    """The u along the slope of a neuron of layer 1: where t^2 = square |slope|^2 the neuron is largest."""
    require(level == 1 and t > 0, "such a point is for layer 1 and a number > 0")
    _, columns, entries = model.layers[0].rows[neuron]
    slope = dict[int, int]()
    gather(dict(zip(columns, entries, strict=True)), ball.affine.rows, slope)
    mean = Fraction(sum(slope.values()), ball.width) if ball.centred else Fraction(0)
    factor = ball.square / (t * model.layers[0].denominator * ball.affine.denominator)
    return [factor * (slope.get(k, 0) - mean) for k in range(ball.width)]


def read_ray(data: Data, domain: Domain) -> Vector:
    """A nonzero direction of the recession cone."""
    ray = domain.weighted(data, 1) if isinstance(data, dict) else numbers(data, domain.dimension)
    right = any(ray) if isinstance(data, dict) else domain.recedes(ray)
    require(right, "the ray is zero, or does not lie in the recession cone of the domain")
    return ray


def check(certificate: Data, model: Model, domain: Domain, judge: type[Judge] = Judge) -> list[dict[str, Data]]:
    """Prove every claim of a certificate, or raise :class:`Rejected`: the text says which claim and why."""
    about(certificate, FORMAT, {"parts"}, {"model": model.digest(), "domain": domain.digest()})
    return prove_all(certificate, model, domain, judge)


def about(certificate: Data, form: str, keys: set[str], digests: dict[str, str]) -> None:
    """Is a certificate of a form, and about what is given?"""
    require(isinstance(certificate, dict) and certificate.get("geomrelu") == form, f"not a geomrelu {form}")
    known(certificate, {"geomrelu", "points", "derive", "claims", *keys, *digests}, "the certificate")
    for what, digest in digests.items():
        require(certificate.get(what) == digest, f"it is about another {what}{' network' * (what == 'smaller')}")


def prove_all(certificate: Data, model: Model, domain: Domain, judge: type[Judge]) -> list[dict[str, Data]]:
    claims, points = certificate.get("claims"), certificate.get("points", [])
    require(listed(claims, 'a list of "claims"'), "it claims nothing")
    shared = judge(points, model, domain, certificate.get("derive"), certificate.get("parts"))
    for claim in claims:
        require(isinstance(claim, dict), "a claim is not an object")
        try:
            prove(claim, shared)
        except Rejected as problem:
            where = f"layer {shown(claim.get('layer'))}, neuron {shown(claim.get('neuron'))}"
            raise Rejected(f"{where}: {problem}") from None
    return list(claims)


# ---- infinity ---------------------------------------------------------------------------------------------------


def growths(model: Model, ray: Vector, level: int) -> list[int]:
    """How the inputs and the neurons of layers 1..level grow along a ray, times a positive factor."""
    return model.values(ray, level, one=0)[0]


def revivable(model: Model, ray: Vector, level: int, neuron: int) -> bool:
    """Does a ray show that arbitrarily small changes of the parameters revive a dead neuron?

    Along the ray r the neuron must neither grow nor fall. Then any of these does it:
    a value the layer reads grows along r (raise its weight); or, in layer 2, some first-layer neuron with a.r = 0
    has a weight >= 0 (tilt its a towards r, the other such away from it), or the bias is >= 0 (tilt all away).
    """
    growth, start = growths(model, ray, level), model.start
    if growth[start[level] + neuron] != 0:
        return False
    if 0 in model.reads[level] or any(v > 0 for b in model.reads[level] for v in growth[start[b] : start[b + 1]]):
        return True
    bias, columns, entries = model.layers[level - 1].rows[neuron]
    weight = dict(zip(columns, entries, strict=True))
    flat = [j for j in range(start[1], start[2]) if growth[j] == 0]
    return level == 2 and (bias >= 0 or any(weight.get(j, 0) >= 0 for j in flat))


def recession(domain: Domain) -> Cone:
    """Generators of a cone that holds all directions of the domain: those of its box, or its rays and lines."""
    if domain.generators is not None:
        _, rays, lines = domain.generators
        return [*rays, *lines, *map(opposite, lines)]
    sides = [(j, 1) for j, side in enumerate(domain.upper) if side is None]
    sides += [(j, -1) for j, side in enumerate(domain.lower) if side is None]
    return [tuple(sign * (k == j) for k in range(domain.dimension)) for j, sign in sides]


def slices(domain: Domain) -> Iterator[Domain]:
    """Bounded sets of directions, one of which every ray of a domain meets (generators have no sides: all directions).

    Times a factor, any ray is one where the largest of these is 1: the sizes of coordinates without both sides, and the
    sum of the sizes of those without one side.
    """
    rows, flats = ([(Fraction(0), *row[1:]) for row in some] for some in (domain.rows, domain.equalities))
    sides = zip(domain.lower, domain.upper, strict=True)
    box = [(Fraction(-(low is None)), Fraction(high is None)) for low, high in sides]
    ways = [low + high for low, high in box]
    if any(ways):
        yield Domain.from_rows(domain.dimension, rows, [*flats, (Fraction(-1), *ways)], box)
    for j, side in enumerate(box):
        for one in side if all(side) else ():
            yield Domain.from_rows(domain.dimension, rows, flats, [*box[:j], (one, one), *box[j + 1 :]])


def cones_of(domain: Domain, tree: Data) -> Iterator[Cone]:
    """The leaves of a tree of cones, which cover the recession cone.

    With m = a p + b q the cones with m in the place of p and of q cover that of p and q: of c p + d q subtract
    min(c / a, d / b) m, and a multiple of p or of q is left.
    """
    cones = [recession(domain)]
    for node in listed(tree, 'a list of cones as "infinity"'):
        require(cones, "cones are left over after the last leaf")
        cone = cones.pop()
        if listed(node, "a cone: [] or [p, q, a, b]", 0, 4):
            p, q = (count(k, len(cone), "generator") for k in node[:2])
            a, b = numbers(node[2:])
            require(p != q and a > 0 and b > 0, "two generators are added with positive factors")
            middle = primitive([a * x + b * y for x, y in zip(cone[p], cone[q], strict=True)])
            cones += [[middle if k == other else g for k, g in enumerate(cone)] for other in (q, p)]
        else:
            yield within(domain, cone)
    require(not cones, "the cones end before the last leaf")


def within(domain: Domain, cone: Cone) -> Cone:
    """Generators of all directions of the domain in a cone.

    Where a row, which is >= 0 on directions, is <= 0 on all generators, only those with 0 can take part.
    """
    cone = [g for g in cone if any(g)]
    for row in (*domain.rows, *domain.equalities, *map(opposite, domain.equalities)):
        heights = [dot(row[1:], g) for g in cone]
        if all(v <= 0 for v in heights):
            cone = [g for g, v in zip(cone, heights, strict=True) if v == 0]
    return cone


def quiet(model: Model, level: int, neuron: int, cone: Cone) -> bool:
    """Does the neuron stay <= 0 far out near every ray of a cone, for all nearby parameters?

    It does if every earlier neuron keeps its sign on the cone (then growth is linear on it) and the neuron stays
    `off` along each generator.
    """
    along = [growths(model, [Fraction(v) for v in g], level) for g in cone]
    earlier = zip(*(growth[model.inputs : model.start[level]] for growth in along), strict=True)
    keep_signs = not any(min(values) < 0 < max(values) for values in earlier)
    return keep_signs and all(off(model, level, neuron, growth) for growth in along)


def off(model: Model, level: int, neuron: int, growth: list[int]) -> bool:
    """Does the neuron stay <= 0 near a ray with the given growths, for all nearby parameters?

    Yes if it falls along the ray. If it stays flat: yes if its bias is negative and so is its weight on every neuron
    it reads that might not stay off itself. Layer by layer, so that each neuron is looked at once.
    """
    stays = [False] * model.inputs  # of each variable
    for before in range(1, level):
        stays += [stays_off(model, before, i, growth, stays) for i in range(model.width(before))]
    return stays_off(model, level, neuron, growth, stays)


def stays_off(model: Model, level: int, neuron: int, growth: list[int], stays: list[bool]) -> bool:
    """The same, where it is known of the variables before."""
    grows = growth[model.start[level] + neuron]
    bias, columns, entries = model.layers[level - 1].rows[neuron]
    if grows or bias >= 0 or 0 in model.reads[level]:
        return grows < 0
    weight = dict(zip(columns, entries, strict=True))
    read = [j for b in model.reads[level] for j in range(model.start[b], model.start[b + 1])]
    return all(weight.get(j, 0) < 0 or stays[j] for j in read)


# ---- pruning ----------------------------------------------------------------------------------------------------


def check_pruning(
    certificate: Data, model: Model, domain: Domain, smaller: Model, judge: type[Judge] = Judge
) -> dict[str, int]:
    """Prove that a smaller network equals the model on the domain, or raise :class:`Rejected`.

    Returns the number of neurons removed, folded and merged.
    """
    open_pruning(certificate, model, domain, smaller)
    claims = prove_all(certificate, model, domain, judge) if certificate["claims"] else []
    fates = fates_of(certificate, model)
    require_claims(model, fates, claims)
    require(pruned(model, fates).whole_digest() == smaller.whole_digest(), "the smaller network is another one")
    return {key: len(certificate.get(key, [])) for key in CHANGES}


def open_pruning(certificate: Data, model: Model, domain: Domain, smaller: Model) -> None:
    digests = {"model": model.whole_digest(), "domain": domain.digest(), "smaller": smaller.whole_digest()}
    about(certificate, PRUNING, set(CHANGES), digests)
    listed(certificate.get("claims"), 'a list of "claims"')


def fates_of(certificate: Data, model: Model) -> Fates:
    """What becomes of which neurons."""
    fates: Fates = {}
    for key in CHANGES:
        for item in listed(certificate.get(key, []), f'a list as "{key}"'):
            first, *_ = listed(item, f'[l, i] or [l, i, j, c] in "{key}"', 4 if key == "merged" else 2)
            level = count(first, len(model.layers) + 1, "layer", 1)
            rows = model.layers[level - 1].rows
            i = count(item[1], len(rows), "neuron")
            require((level, i) not in fates, "a neuron is changed twice")
            fates[level, i] = (key, multiple(rows, i, *item[2:]) if key == "merged" else None)
    return fates


def multiple(rows: list[Row], i: int, other: Data, factor: Data) -> tuple[int, Fraction]:
    """A neuron and a factor > 0: row i is that multiple of it."""
    j, c = count(other, len(rows), "neuron"), number(factor)
    (bias, columns, entries), (b, places, values) = rows[i], rows[j]
    same = columns == places and bias == c * b and all(v == c * w for v, w in zip(entries, values, strict=False))
    require(c > 0 and same, "a merged neuron is not a positive multiple of the other")
    return j, c


def require_claims(model: Model, fates: Fates, claims: Data) -> None:
    """Is each change allowed, by a claim that has been proved or because a multiple of the neuron stays?"""
    proved, read = {(c["layer"], c["neuron"], c["status"]) for c in claims}, still_read(model, fates)
    for (level, i), (key, what) in fates.items():
        idle = key == "removed" and model.start[level] + i not in read
        claimed = (level, i, {"removed": "dead", "folded": "active"}.get(key)) in proved
        require(key == "merged" or idle or claimed, f"a neuron is {key} without a claim that allows it")
        require(key != "merged" or (level, what[0]) not in fates, "a neuron is merged into one that is changed itself")


def still_read(model: Model, fates: Fates) -> set[int]:
    """The variables that rows read which are not removed; what nothing reads may be anything."""
    staying = [] if model.output is None else list(model.output.rows)
    for level, layer in enumerate(model.layers, 1):
        staying += [row for i, row in enumerate(layer.rows) if fates.get((level, i), ("kept", None))[0] != "removed"]
    outputs = range(model.start[-2], model.start[-1]) if model.output is None else ()
    return {j for _, columns, _ in staying for j in columns} | {*outputs}


def pruned(model: Model, fates: Fates) -> Model:
    """The model without the neurons ``(level, i)`` in ``fates``."""
    forms, layers, total = new(0, model.inputs), list[Layer](), model.inputs  # variables, over the new variables
    for level, layer in enumerate(model.layers, 1):
        stay = [i for i in range(len(layer.rows)) if (level, i) not in fates]
        names = {i: total + k for k, i in enumerate(stay)}
        if stay:
            layers.append(integer_layer([rewritten(layer.rows[i], layer.denominator, forms) for i in stay]))
        own = list[Affine]()
        for i, row in enumerate(layer.rows):
            kind, what = fates.get((level, i), ("merged", (i, Fraction(1))))
            if kind == "folded":
                own.append(rewritten(row, layer.denominator, forms))
            else:
                own.append((Fraction(0), {} if kind == "removed" else {names[what[0]]: what[1]}))
        forms, total = forms + own, total + len(stay)
    return Model(model.inputs, layers, last_map(model, fates, forms))


def rewritten(row: Row, denominator: int, forms: list[Affine]) -> Affine:
    """A row over the new variables."""
    bias, columns, entries = row
    slope = {j: Fraction(w, denominator) for j, w in zip(columns, entries, strict=True)}
    return composed((Fraction(bias, denominator), slope), forms)


def last_map(model: Model, fates: Fates, forms: list[Affine]) -> Layer | None:
    """What follows the last ReLU layer; where nothing did, the outputs are those of the last layer."""
    if model.output is not None:
        return integer_layer([rewritten(row, model.output.denominator, forms) for row in model.output.rows])
    changed = any(level == len(model.layers) for level, _ in fates)
    return integer_layer(forms[model.start[-2] :]) if changed else None


# ---- the command ------------------------------------------------------------------------------------------------


def main(arguments: list[str]) -> int:
    if len(arguments) not in (3, 4):
        print("usage: python checker.py CERTIFICATE MODEL.json DOMAIN.json [SMALLER.json]", file=sys.stderr)
        return 2
    sys.set_int_max_str_digits(DIGITS)
    names = [name if name.isprintable() else ascii(name) for name in arguments]
    try:
        certificate, *loaded = [load(path) for path in arguments]
        model, domain = Model.parse(loaded[0]), Domain.parse(loaded[1])
        smaller = [Model.parse(data) for data in loaded[2:]]
    except (OSError, ValueError, RecursionError, Rejected) as problem:
        print(f"checker: error: {problem}".splitlines()[0], file=sys.stderr)
        return 2
    try:
        if smaller:
            changes = check_pruning(certificate, model, domain, smaller[0])
            said = ", ".join(f"{found} {what}" for what, found in changes.items())
            print(f"accepted {names[0]}: {names[3]} equals {names[1]} on the domain ({said})")
            return 0
        claims = check(certificate, model, domain)
    except Rejected as problem:
        print(f"REJECTED {names[0]}: {problem}")
        return 1
    for claim in claims:
        print(said_of(claim))
    print(f"accepted {names[0]}: {len(claims)} claim{'s'[: len(claims) != 1]} proved")
    return 0


def load(path: str) -> Data:
    with open(path, encoding="utf-8") as stream:
        return parsed(stream.read())


def said_of(claim: dict[str, Data]) -> str:
    """A claim, proved, in words."""
    stability = {True: ", stably", False: ", not stably", None: ""}[claim.get("stable")]
    value = claim.get("supremum")
    top = "" if value is None else f", supremum {value if value == 'inf' else shown(number(value))}"
    limit = f" {shown(number(claim['bound']))}" if "bound" in claim else ""
    return f"neuron {claim['neuron']} of layer {claim['layer']} is {claim['status']}{limit}{stability}{top}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
