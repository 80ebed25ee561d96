#!/usr/bin/env python3
"""Check certificates of dead and alive ReLU neurons: ``python checker.py CERTIFICATE MODEL.json DOMAIN.json``.

With a fourth argument SMALLER.json: check that this smaller network equals the model on the domain.

One file, standard library only: copy it out and run it alone. It believes points and multipliers, nothing else, and
recomputes everything from the model and the domain in exact rational arithmetic. Exit code 0: every claim of the
certificate is proved. Exit code 1 and one line: it is not (any doubt is a rejection). Exit code 2: unusable input.

MODEL.json   {"layers": [{"weights": [[...]], "bias": [...], "activation": "relu" | "none"}, ...]}     rows = neurons
             {"inputs": n, "layers": [{"rows": [[b, j, w, j, w, ...], ...], "activation": ...}, ...]}  rows over the
             variables: inputs 0..n-1, then the outputs of ReLU layer 1, of layer 2, ...
DOMAIN.json  {"inequalities": [[b, a1, ..., an], ...], "equalities": [...], "box": [[low, high], ...]}  b + a.x >= 0,
             = 0, low <= x_j <= high (null: none); or {"vertices": [...], "rays": [...], "lines": [...]}; or
             {"points": [...]}. Numbers: integers, decimal strings or "p/q".

CERTIFICATE  {"geomrelu": "certificate 1", "model": SHA-256, "domain": SHA-256, "points": [[...], ...],
              "claims": [CLAIM, ...]}
CLAIM        {"layer": l, "neuron": i, "status": "dead" | "alive" | "active", "supremum": "p/q" | "inf",
              "stable": true | false, "point": POINT, "ray": RAY, "proof": [NODE, ...], "strict": MULTIPLIERS}
RAY          coordinates; or {"weights": [[of rays], [of lines]]} in a domain given by generators
POINT        coordinates; or the number of an entry of "points"; or "corner", the corner of the box where a neuron of
             layer 1 is largest; or {"weights": [[of vertices], [of rays], [of lines]]} in a domain given by generators
Layers count from 1, neurons from 0; z is the neuron's pre-activation, S the domain.

What each claim needs:
  alive            point in S with z(point) > 0 (or supremum "inf")
  dead             proof of z <= 0 on S (a finite set S is walked instead)
  active           proof of -z <= 0 on S (likewise): the neuron is linear on S
  supremum p/q     proof of z <= p/q on S, and point in S with z(point) = p/q
  supremum inf     point in S, and ray in the recession cone of S along which z grows without bound
  stable           (dead for all parameters near the given ones)
    true           proof of z <= c < 0 on S; and at infinity, one of: S is shown bounded by the multipliers "strict" (if
                   any are needed); in layer 1 they show the slope negative on every direction of the recession cone; in
                   deeper layers nothing is given and the directions at infinity are walked (see `infinity`)
    false          point in S with z(point) = 0; or a point in S (any) and a ray in the recession cone along which z
                   neither grows nor falls and which an arbitrarily small change of the parameters makes it grow (see
                   `revivable`). Parameters are the bias and all weights on the layers that the layer reads

PROOF  a tree in preorder. NODE is a split, followed by its subtree g <= 0 and then its subtree g >= 0:
         {"split": ["x", j, c]}                  g = x_j - c
         {"split": ["neuron", l, i]}             g = pre-activation of an earlier neuron
         {"split": ["form", b, a1, ..., an]}     g = b + a.x
       or a leaf, MULTIPLIERS (also {}) or COARSE LEAF, which must give the bound. Either may carry "derive": a list,
       done in order and valid below, of [l, i, "upper" | "lower", MULTIPLIERS] (a tighter bound of neuron i of layer l
       by the same method) or [l] (both bounds of all neurons of layer l of yet unknown sign, with default multipliers
       and in coarse arithmetic where it fits; from there on intervals bound this layer no more) or [l, [i, ...]] (the
       same for these neurons of a layer that has been derived as a whole) or [l, "exact"] (in exact arithmetic).
COARSE LEAF  {"coarse": [TEXT, ...]}  the slopes of layers 1, 2, ..., one character "0".."9a".."g" a neuron, in
             sixteenths; "" for the default. It may carry "splits" of neurons. Coarse arithmetic rounds outward (see
             `Coarse`), and corners are looked at (see below).
MULTIPLIERS  {"splits": {"k": c, ...}  c >= 0 for the k-th "neuron" or "form" split on the way from the root (from 0),
              "rows": {"k": c}, "equalities": {"k": c}  for the domain's canonical rows (c >= 0, any c),
              "slopes": {"l": {"i": s}}  0 <= s <= 1 for a neuron whose sign is not known}

The bound. Start with z as a form over the variables and go back layer by layer. An earlier output v = max(y, 0) whose
pre-activation y is known to be >= 0 is y, <= 0 is 0. Otherwise, with low <= y <= high (interval arithmetic, tightened
by "derive" and by splits): v <= s y + max(-s low, (1 - s) high) for any 0 <= s <= 1 (default: high / (high - low)
rounded down to a multiple of 2^-20), and v >= s y (default: 4 t - 2 brought into [0, 1], t the other default). Each
split g >= 0 or g <= 0, row >= 0, equality = 0 may be added with its multiplier. What remains is affine in x and is
maximal on the box coordinate by coordinate, on generators by comparison. Weak duality: any multipliers give a bound.

Corners. In few inputs coarse arithmetic bounds a neuron corner by corner. A point x of the box is the mean of its
corners c with weights p_c(x), products of its coordinates' shares; an affine function at x is the mean of its values at
the corners. Let sum p_c l_c <= y(x) <= sum p_c u_c. Then v - s y = max(-s y, (1 - s) y) <= sum p_c t_c where
t_c = max(-s l_c, (1 - s) u_c). So the step back through a layer adds to the bound at each corner its own t_c, times the
coefficient on v, instead of the height max(-s low, (1 - s) high) that is right everywhere (unless the t_c are not
smaller in the mean); and what remains bounds the next neuron at each corner. The largest is the bound on the box.

PRUNING      {"geomrelu": "pruning 1", "model": SHA-256, "domain": SHA-256, "smaller": SHA-256, "points": [...],
              "claims": [CLAIM, ...], "removed": [[l, i], ...], "folded": [[l, i], ...], "merged": [[l, i, j, c], ...]}
              says that the smaller network equals the model on S. A removed neuron is claimed dead, a folded one
              active; a merged one is c > 0 times neuron j of its layer, row by row. The smaller network is computed
              again from this and must be the one given (here SHA-256 includes the map after the last ReLU layer).
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import sys
from fractions import Fraction
from math import gcd, lcm
from operator import itemgetter, mul

FORMAT = "certificate 1"
PRUNING = "pruning 1"
CHANGES = ("removed", "folded", "merged")
_NUMBER = re.compile(r"[+-]?(\d+/0*[1-9]\d*|(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?)")
_SLOPE_BITS = 20
_DIGITS = 100_000  # of one number
_MOST_CONES = 20_000  # about ten seconds
EMPTY = "empty"  # the bound of a form on a region that was found to have no points


class Rejected(Exception):
    """The certificate does not prove what it claims."""


class Malformed(Exception):
    """A model or domain that cannot be used."""


# ---- numbers ----------------------------------------------------------------------------------------------------


def number(value):
    """An exact rational from an integer or a string; floats are refused."""
    if isinstance(value, Fraction):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Fraction(value)
    if isinstance(value, str) and len(value) <= _DIGITS and _NUMBER.fullmatch(value):
        try:
            return Fraction(value)
        except ValueError:  # Python refuses to read integers of more than 4300 digits, unless told otherwise
            pass
    raise Malformed(f"{str(value)[:40]!r} is not an integer, a decimal string or p/q")


def numbers(values, length=None):
    if not isinstance(values, list) or (length is not None and len(values) != length):
        raise Malformed(f"expected a list of {'numbers' if length is None else f'{length} numbers'}")
    return [number(v) for v in values]


def _hex(value):
    """The canonical spelling, of any length."""
    return f"{value.numerator:x}/{value.denominator:x}" if value.denominator != 1 else f"{value.numerator:x}"


def _over_common(values):
    """Integers over one denominator."""
    denominator = lcm(*{v.denominator for v in values}) if values else 1
    return [v.numerator * (denominator // v.denominator) for v in values], denominator


def _over_common_sides(lower, upper):
    """The sides of a box likewise, None where there is none: ``(lower, upper, denominator)``."""
    d = lcm(*{v.denominator for v in (*lower, *upper) if v is not None})
    return (*([None if v is None else v.numerator * (d // v.denominator) for v in side] for side in (lower, upper)), d)


def _primitive(row):
    scaled, _ = _over_common(row)
    divisor = gcd(*scaled)
    return tuple(v // divisor for v in scaled) if divisor > 1 else tuple(scaled)


def _combined(a, r, b, s):
    """The primitive multiple of ``a r + b s``."""
    return _primitive([a * x + b * y for x, y in zip(r, s, strict=True)])


def _count(value, below, what):
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < below:
        raise Rejected(f"{what}: {str(value)[:40]} is out of range")
    return value


# ---- the model --------------------------------------------------------------------------------------------------


class Layer:
    """Rows ``(bias, columns, entries)`` of integers over one denominator, read on all variables before it."""

    def __init__(self, rows, denominator):
        self.rows = rows
        self.denominator = denominator


class Model:
    """The ReLU layers of a network; ``start[l]`` is the first variable of layer l (0: the inputs)."""

    def __init__(self, inputs, layers, output=None):
        self.inputs = inputs
        self.layers = layers
        self.output = output  # a Layer over all variables: what follows the last ReLU layer
        self.start = [0, inputs]
        for layer in layers:
            self.start.append(self.start[-1] + len(layer.rows))
        self.blocks = [None] + [self._blocks(layer) for layer in layers]
        # whose weights count as parameters; a layer of zeros could read the layer before it
        self.reads = [None] + [blocks or [level] for level, blocks in enumerate(self.blocks[1:])]
        self._digest = None
        self._readers = {}

    def readers(self, level):
        """Which rows of a layer read each variable."""
        if level not in self._readers:
            found = self._readers[level] = {}
            for i, (_, columns, _) in enumerate(self.layers[level - 1].rows):
                for j in columns:
                    found.setdefault(j, []).append(i)
        return self._readers[level]

    def _blocks(self, layer):
        """Which layers (0: inputs) a layer reads."""
        used = {j for _, columns, _ in layer.rows for j in columns}
        return [b for b in range(len(self.start) - 1) if any(self.start[b] <= j < self.start[b + 1] for j in used)]

    def digest(self):
        """SHA-256 of the canonical exact form of the ReLU layers."""
        if self._digest is None:
            self._digest = self._hash()
        return self._digest

    def _hash(self):
        text = hashlib.sha256(f"geomrelu model\ninputs {self.inputs}\n".encode())
        for layer in self.layers:
            d, shown = layer.denominator, {}

            def show(v, d=d, shown=shown):
                if v not in shown:
                    shown[v] = _hex(Fraction(v, d))
                return shown[v]

            text.update(b"layer\n")
            for bias, columns, entries in layer.rows:
                cells = (f" {j}:{show(v)}" for j, v in zip(columns, entries, strict=True))
                text.update((show(bias) + "".join(cells) + "\n").encode())
        return text.hexdigest()

    @classmethod
    def parse(cls, data):
        """From the JSON forms of the head of this file."""
        if not isinstance(data, dict) or not isinstance(data.get("layers"), list) or not data["layers"]:
            raise Malformed('a model needs a list "layers"')
        inputs = data.get("inputs")
        if inputs is not None and (isinstance(inputs, bool) or not isinstance(inputs, int) or inputs < 1):
            raise Malformed('"inputs" must be a positive integer')
        layers, variables = [], None  # variables: how the current values read as forms over the variables
        for position, layer in enumerate(data["layers"], 1):
            if not isinstance(layer, dict):
                raise Malformed(f"layer {position} is not an object")
            if "rows" in layer:
                if inputs is None or not isinstance(layer["rows"], list):
                    raise Malformed('a model given by lists of "rows" needs "inputs"')
                total = inputs + sum(len(known.rows) for known in layers)
                rows = [_sparse_row(r, total, position) for r in layer["rows"]]
            else:
                rows = _dense_rows(layer, position)
                width = len(rows[0][1]) if variables is None else len(variables)
                inputs = width if inputs is None else inputs
                if variables is None:
                    variables = [(Fraction(0), {j: Fraction(1)}) for j in range(inputs)]
                if any(len(slope) != len(variables) for _, slope in rows):
                    raise Malformed(f"layer {position} does not read {len(variables)} values")
                rows = [_composed(b, slope, variables) for b, slope in rows]
            activation = layer.get("activation", "relu")
            if activation == "relu":
                first = inputs + sum(len(known.rows) for known in layers)
                layers.append(_integer_layer(rows))
                variables = [(Fraction(0), {first + i: Fraction(1)}) for i in range(len(rows))]
            elif activation == "none":
                variables = rows
            else:
                raise Malformed(f"layer {position}: activation must be relu or none")
        if not layers:
            raise Malformed("the model has no ReLU layer")
        output = _integer_layer(variables) if data["layers"][-1].get("activation", "relu") == "none" else None
        return cls(inputs, layers, output)

    def whole_digest(self):
        """SHA-256 of the canonical exact form, the map after the last ReLU layer included."""
        last = [] if self.output is None else [self.output]
        return Model(self.inputs, [*self.layers, *last]).digest() + ("+" if last else "")

    def values(self, point, up_to, homogeneous=False):
        """Pre-activations of layers 1..up_to at a point; ``homogeneous`` drops the biases (growth along a ray).

        Returns per layer ``(integers, denominator)``.
        """
        outputs, result = [_over_common(point)], []
        for level in range(1, up_to + 1):
            rows = range(len(self.layers[level - 1].rows))
            z, denominator = self._rows_at(level, rows, outputs, homogeneous)
            result.append((z, denominator))
            outputs.append(([v if v > 0 else 0 for v in z], denominator))
        return result

    def value(self, point, level, neuron, homogeneous=False, below=None):
        """The exact pre-activation of one neuron (its growth along a ray if ``homogeneous``).

        ``below``: the pre-activations of the layers before it at the point, if they are known.
        """
        if below is None:
            below = self.values(point, level - 1, homogeneous)
        outputs = [_over_common(point)] + [([v if v > 0 else 0 for v in z], d) for z, d in below]
        (z,), denominator = self._rows_at(level, [neuron], outputs, homogeneous)
        return Fraction(z, denominator)

    def _rows_at(self, level, rows, outputs, homogeneous):
        layer, blocks, value = self.layers[level - 1], self.blocks[level], {}
        shared = lcm(*(outputs[b][1] for b in blocks))
        for b in blocks:
            numerators, denominator = outputs[b]
            factor = shared // denominator
            for j, v in enumerate(numerators, self.start[b]):
                value[j] = v * factor
        z = []
        for i in rows:
            bias, columns, entries = layer.rows[i]
            total = 0 if homogeneous else bias * shared
            for j, w in zip(columns, entries, strict=True):
                total += w * value[j]
            z.append(total)
        return z, shared * layer.denominator


def _dense_rows(layer, position):
    weights = layer.get("weights")
    if not isinstance(weights, list) or not weights or not all(isinstance(r, list) and r for r in weights):
        raise Malformed(f'layer {position} needs "weights", a list of rows')
    bias = numbers(layer.get("bias", [0] * len(weights)), len(weights))
    return [(b, numbers(row, len(weights[0]))) for b, row in zip(bias, weights, strict=True)]


def _sparse_row(row, total, position):
    if not isinstance(row, list) or len(row) % 2 == 0:
        raise Malformed(f"layer {position}: a row is [b, j, w, j, w, ...]")
    slope = {}
    for j, w in zip(row[1::2], row[2::2], strict=True):
        if isinstance(j, bool) or not isinstance(j, int) or not 0 <= j < total or j in slope:
            raise Malformed(f"layer {position}: {str(j)[:40]} is not a variable before it, or stands twice")
        slope[j] = number(w)
    return number(row[0]), slope


def _composed(bias, slope, variables):
    total, sums = bias, {}
    for w, (b, inner) in zip(slope, variables, strict=True):
        if w:
            total += w * b
            for j, v in inner.items():
                sums[j] = sums.get(j, 0) + w * v
    return total, sums


def _integer_layer(rows, over=1):
    """A layer of affine forms ``(b, {variable: weight})``, divided by an integer."""
    d = lcm(*{v.denominator for b, slope in rows for v in (b, *slope.values())})
    scaled = []
    for b, slope in rows:
        columns = sorted(j for j, v in slope.items() if v)
        entries = [slope[j].numerator * (d // slope[j].denominator) for j in columns]
        scaled.append((b.numerator * (d // b.denominator), columns, entries))
    return Layer(scaled, d * over)


# ---- the domain -------------------------------------------------------------------------------------------------


class Domain:
    """Box and rows, or generators, or points; canonical, so that equal data have equal digests.

    Rows with one coordinate go into the box; the others are primitive integer rows ``(b, a1, ..., an)``, sorted.
    """

    def __init__(self, dimension):
        self.dimension = dimension
        self.lower = [None] * dimension
        self.upper = [None] * dimension
        self.rows = []
        self.equalities = []
        self.generators = None  # (vertices, rays, lines)
        self.points = None
        self._empty = self._bounded = self._sides = None

    @classmethod
    def from_rows(cls, dimension, inequalities=(), equalities=(), box=None):
        self = cls(dimension)
        for j, (low, high) in enumerate(box or ()):
            self._clip(j, low, high)
        rows, flats = set(), set()
        for row in inequalities:
            row = _primitive(row)
            support = [j for j in range(dimension) if row[j + 1]]
            if len(support) == 1:
                j = support[0]
                bound = Fraction(-row[0], row[j + 1])
                self._clip(j, bound if row[j + 1] > 0 else None, bound if row[j + 1] < 0 else None)
            elif support or row[0] < 0:
                rows.add(row)
        for row in equalities:
            row = _primitive(row)
            support = [j for j in range(dimension) if row[j + 1]]
            if len(support) == 1:
                bound = Fraction(-row[0], row[support[0] + 1])
                self._clip(support[0], bound, bound)
            elif any(row):
                leading = next(v for v in reversed(row) if v)
                flats.add(row if leading > 0 else tuple(-v for v in row))
        self.rows, self.equalities = sorted(rows), sorted(flats)
        return self

    def _clip(self, j, low, high):
        if low is not None and (self.lower[j] is None or low > self.lower[j]):
            self.lower[j] = low
        if high is not None and (self.upper[j] is None or high < self.upper[j]):
            self.upper[j] = high

    @classmethod
    def from_generators(cls, dimension, vertices, rays=(), lines=()):
        self = cls(dimension)
        directed = sorted({_primitive(r) for r in rays if any(r)})
        undirected = {_primitive(r) for r in lines if any(r)}
        undirected = sorted({r if next(v for v in r if v) > 0 else tuple(-v for v in r) for r in undirected})
        self.generators = (sorted({tuple(v) for v in vertices}), directed, undirected)
        if not self.generators[0]:
            raise Malformed("generators need at least one vertex")
        return self

    @classmethod
    def from_points(cls, dimension, points):
        self = cls(dimension)
        self.points = [tuple(p) for p in points]
        if not self.points:
            raise Malformed("an empty list of points")
        return self

    @classmethod
    def parse(cls, data):
        """From the JSON forms of the head of this file."""
        if isinstance(data, list):
            data = {"points": data}
        if not isinstance(data, dict):
            raise Malformed("a domain is an object or a list of points")
        known = {"box", "inequalities", "equalities", "vertices", "rays", "lines", "points", "dimension"}
        unknown = sorted(set(data) - known)
        if unknown:
            raise Malformed(f"unknown key {unknown[0]!r} in the domain")
        kinds = ({"box", "inequalities", "equalities"}, {"vertices", "rays", "lines"}, {"points"})
        if sum(bool(kind & set(data)) for kind in kinds) > 1:
            raise Malformed("a domain is given by rows, by generators or by points, not by several of them")
        tables = {}
        for key in known - {"box", "dimension"}:
            table = data.get(key, [])
            if not isinstance(table, list):
                raise Malformed(f'"{key}" must be a list')
            tables[key] = [numbers(row) for row in table]
        size = data.get("dimension", 1)
        if isinstance(size, bool) or not isinstance(size, int) or not 0 < size < 10**7:
            raise Malformed('"dimension" must be a positive integer')
        box = data.get("box")
        if box is not None and not (
            isinstance(box, list) and all(isinstance(side, list) and len(side) == 2 for side in box)
        ):
            raise Malformed('"box" must be a list of [low, high]')
        sizes = {len(row) - 1 for key in ("inequalities", "equalities") for row in tables[key]}
        sizes |= {len(row) for key in ("vertices", "rays", "lines", "points") for row in tables[key]}
        sizes |= {len(box)} if box is not None else set()
        sizes |= {data["dimension"]} if "dimension" in data else set()
        if len(sizes) != 1 or not isinstance(dimension := sizes.pop(), int) or dimension < 1:
            raise Malformed("the dimension of the domain is not clear: no rows, or of different lengths")
        if tables["points"]:
            return cls.from_points(dimension, tables["points"])
        if tables["vertices"]:
            return cls.from_generators(dimension, tables["vertices"], tables["rays"], tables["lines"])
        if any(key in data for key in ("vertices", "rays", "lines", "points")):
            raise Malformed("generators need at least one vertex or point")
        sides = [[None if v is None else number(v) for v in side] for side in box] if box is not None else None
        return cls.from_rows(dimension, tables["inequalities"], tables["equalities"], sides)

    def digest(self):
        """SHA-256 of the canonical exact form."""
        lines = [f"geomrelu domain\ndimension {self.dimension}"]
        if self.points is not None:
            lines += ["point " + " ".join(map(_hex, p)) for p in self.points]
        elif self.generators is not None:
            for name, table in zip(("vertex", "ray", "line"), self.generators, strict=True):
                lines += [f"{name} " + " ".join(map(_hex, g)) for g in table]
        else:
            lines += [
                "side " + " ".join("-" if v is None else _hex(v) for v in side)
                for side in zip(self.lower, self.upper, strict=True)
            ]
            lines += ["row " + " ".join(map(_hex, row)) for row in self.rows]
            lines += ["equality " + " ".join(map(_hex, row)) for row in self.equalities]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def contains(self, point):
        """Is the point in the domain? For generators: is it one of the vertices (else `combination` is asked for)."""
        if self.points is not None:
            return tuple(point) in self.points
        if self.generators is not None:
            return tuple(point) in self.generators[0]
        return (
            all(low is None or low <= x for low, x in zip(self.lower, point, strict=True))
            and all(high is None or x <= high for high, x in zip(self.upper, point, strict=True))
            and all(_at(row, point) >= 0 for row in self.rows)
            and all(_at(row, point) == 0 for row in self.equalities)
        )

    def is_empty_box(self):
        """Is some low side above its high side?"""
        if self._empty is None:
            sides = zip(self.lower, self.upper, strict=True)
            self._empty = any(low is not None and high is not None and low > high for low, high in sides)
        return self._empty

    def is_bounded_box(self):
        """Is it given by rows, and has every coordinate both sides?"""
        if self._bounded is None:
            self._bounded = self.generators is None and None not in self.lower and None not in self.upper
        return self._bounded

    def highest(self, bias, columns, entries):
        """The maximum of ``bias + entries . x[columns]`` over the box; None: it is infinite."""
        if self._sides is None:
            self._sides = _over_common_sides(self.lower, self.upper)
        lower, upper, d = self._sides
        sides = [upper[j] if w > 0 else lower[j] for j, w in zip(columns, entries, strict=True)]
        return None if None in sides else Fraction(bias * d + sum(map(mul, entries, sides)), d)

    def combination(self, weights):
        """The point of a V-polyhedron with the given weights ``[of vertices, of rays, of lines]``."""
        if not isinstance(weights, list) or len(weights) != 3:
            raise Rejected("weights are three lists: of vertices, rays, lines")
        parts = [numbers(w, len(table)) for w, table in zip(weights, self.generators, strict=True)]
        if sum(parts[0]) != 1 or any(w < 0 for w in parts[0] + parts[1]):
            raise Rejected("the weights of the point are not convex")
        return self._weighted(parts, self.generators)

    def recession(self, weights):
        """The direction of a V-polyhedron with the given weights ``[of rays, of lines]``."""
        if not isinstance(weights, list) or len(weights) != 2:
            raise Rejected("weights are two lists: of rays, lines")
        parts = [numbers(w, len(table)) for w, table in zip(weights, self.generators[1:], strict=True)]
        if any(w < 0 for w in parts[0]):
            raise Rejected("a weight of a ray is negative")
        return self._weighted(parts, self.generators[1:])

    def _weighted(self, parts, tables):
        pairs = [
            (w, g) for part, table in zip(parts, tables, strict=True) for w, g in zip(part, table, strict=True) if w
        ]
        return [sum((w * g[j] for w, g in pairs), Fraction(0)) for j in range(self.dimension)]

    def recedes(self, ray):
        """Is ``ray`` (not zero) in the recession cone? For generators: one of them."""
        if not any(ray) or self.points is not None:
            return False
        if self.generators is not None:
            primitive = _primitive(ray)
            negative = tuple(-v for v in primitive)
            return primitive in self.generators[1] or any(g in (primitive, negative) for g in self.generators[2])
        return (
            all(low is None or r >= 0 for low, r in zip(self.lower, ray, strict=True))
            and all(high is None or r <= 0 for high, r in zip(self.upper, ray, strict=True))
            and all(_at((0, *row[1:]), ray) >= 0 for row in self.rows)
            and all(_at((0, *row[1:]), ray) == 0 for row in self.equalities)
        )


def _at(row, point):
    return row[0] + sum((a * x for a, x in zip(row[1:], point, strict=True) if a), Fraction(0))


# ---- coarse arithmetic ------------------------------------------------------------------------------------------


class Coarse:
    """Backward bounds in fixed point, rounded outward: for layers that read the layer before them, on a bounded box.

    Every variable is >= 0 here: the outputs, the inputs measured from the lower sides of the domain, and the constant
    1 whose weights are the biases. So a coefficient of a variable may be rounded up. A coefficient of a pre-activation
    y is rounded down by less than a unit, which costs less than max(0, high) units.

    Each variable and pre-activation is measured in a power of two of its own, so that none is much larger than 1 (a
    positive factor passes through a ReLU); the weights change accordingly. Coefficients, weights, bounds and sides are
    then integers in units of 2^-28, their products in units of 2^-56.

    Many neurons are bounded at once, in few inputs at each corner of the box. Their coefficients of one variable are
    one integer with a field for each neuron, the sum over t of c_t 2^(F t), where c_t may be negative: adding, and
    multiplying by a number, is done in all fields together. F is so large that no field overflows.
    """

    FIT = 2  # at least one weight in so many is not zero: else the fields are a waste
    CORNERED = 8  # the most inputs that may vary where corners are looked at

    def __init__(self, model, domain):
        self.model, self.domain = model, domain
        self.tick = None  # called before each neuron of a derivation; it may raise
        self.depth = 0  # the layers it fits, from the first
        if domain.is_bounded_box() and not domain.is_empty_box():
            for level, layer in enumerate(model.layers, 1):
                size = len(layer.rows) * (model.start[level] - model.start[level - 1])
                if model.blocks[level] != [level - 1] or sum(len(c) for _, c, _ in layer.rows) * self.FIT < size:
                    break
                self.depth = level
        self.biases, self.columns, self.starts, self.units, self.rows = {}, {}, {}, {}, {}
        self.powers = []  # per layer, 0 for the inputs: exponents; None for an input that does not vary
        self.cornered = False  # are corners looked at?
        if self.depth:
            self.origin, self.over = _over_common(domain.lower)
            widths = [high - low for low, high in zip(domain.lower, domain.upper, strict=True)]
            self.powers.append([_power(w.numerator, w.denominator) if w else None for w in widths])
            self.cornered = sum(e is not None for e in self.powers[0]) <= self.CORNERED

    def sides(self, lower, upper):
        """A box, measured from the lower sides of the domain."""
        return [self.side(j, x, -1) for j, x in enumerate(lower)], [self.side(j, x, 1) for j, x in enumerate(upper)]

    def side(self, j, x, sign):
        """A number on the axis of an input as a lower (-1) or an upper (1) side of a box."""
        if self.powers[0][j] is None:
            return 0
        over, shift = x - self.domain.lower[j], UNIT - self.powers[0][j]
        return sign * _up(sign * over.numerator, over.denominator, shift)

    def exponents(self, level):
        """Of the neurons of a layer: about the largest term of each pre-activation."""
        while len(self.powers) <= level:
            at = len(self.powers)
            layer, first, known = self.model.layers[at - 1], self.model.start[at - 1], self.powers[-1]
            found, over = [], -layer.denominator.bit_length()
            for (_, columns, entries), bias in zip(layer.rows, self._biases(at), strict=True):
                sizes = zip(entries, [known[j - first] for j in columns], strict=True)
                terms = [w.bit_length() + e + over for w, e in sizes if e is not None]
                found.append(max([*terms, _power(*bias)] if bias[0] else terms, default=0))
            self.powers.append(found)
        return self.powers[level]

    def _biases(self, level):
        """Of a layer, in layer 1 with what the lower sides contribute: ``(numerator, denominator)``."""
        if level not in self.biases:
            layer = self.model.layers[level - 1]
            over, shifts = 1, [0] * len(layer.rows)
            if level == 1:
                over = self.over
                shifts = [
                    sum(map(mul, entries, [self.origin[j] for j in columns])) for _, columns, entries in layer.rows
                ]
            pairs = zip(layer.rows, shifts, strict=True)
            self.biases[level] = [(bias * over + shift, layer.denominator * over) for (bias, *_), shift in pairs]
        return self.biases[level]

    def in_units(self, level, found):
        """Bounds of a layer, rounded outward."""
        pairs, d = found
        powers = self.exponents(level)
        return [(-_up(-low, d, UNIT - e), _up(high, d, UNIT - e)) for (low, high), e in zip(pairs, powers, strict=True)]

    def exact(self, level, pairs):
        """Bounds of a layer in its units as integers over one denominator."""
        powers = self.exponents(level)
        least = min(*powers, UNIT)
        shifted = [(low << e - least, high << e - least) for (low, high), e in zip(pairs, powers, strict=True)]
        return shifted, 1 << UNIT - least

    def weights(self, level):
        """Of a layer: for each variable before it, and last for the constant, its weights, rounded up."""
        if level not in self.columns:
            model, layer = self.model, self.model.layers[level - 1]
            first, width = model.start[level - 1], model.start[level] - model.start[level - 1]
            own, inner = self.exponents(level), self.powers[level - 1]
            columns = [[0] * len(layer.rows) for _ in range(width + 1)]
            over = layer.denominator
            for i, (_, places, entries) in enumerate(layer.rows):
                base = UNIT - own[i]
                for j, w in zip(places, entries, strict=True):
                    if inner[j - first] is not None:
                        columns[j - first][i] = _up(w, over, base + inner[j - first])
                columns[width][i] = _up(*self._biases(level)[i], base)
            self.columns[level] = columns
        return self.columns[level]

    def start(self, level):
        """For bounds of a layer's neurons: the bytes of a field; for each variable before it the weights of z and then
        those of -z as unsigned fields; and how large the coefficients of each layer before, from the last to the
        inputs, and what they add to the constant can become.
        """
        if level not in self.starts:
            columns = self.weights(level)
            *reach, gained = [max(map(abs, c)) + 1 for c in columns]
            reaches, gains, most = [max(reach)], [gained << UNIT], 1 << 2 * UNIT + 8
            for at in range(level - 1, 0, -1):
                *products, gained = [sum(map(mul, map(abs, c), reach)) + sum(reach) for c in self.weights(at)]
                # the constant is a field like the others in `form`, and the largest where biases are
                most = max(most, *products, gained, reaches[-1] << UNIT)
                reach = [(c >> UNIT) + 1 for c in products]
                reaches.append(max(reach))
                gains.append(gained)
            size = most.bit_length() // 8 + 2
            half = 1 << 8 * size - 1
            # a weight was rounded up by less than a unit, so the negative one is at most 1 - w
            signed_ = [[*c, *[1 - w for w in c]] for c in columns]
            fields = [[(w + half).to_bytes(size, "little") for w in c] for c in signed_]
            self.starts[level] = size, fields, reaches, gains
        return self.starts[level]

    def _ones(self, size, count):
        """So many fields, all 1."""
        if (size, count) not in self.units:
            self.units[size, count] = int.from_bytes((b"\1" + bytes(size - 1)) * count, "little")
        return self.units[size, count]

    @staticmethod
    def lines(pairs, corners):
        """Lines around a layer's outputs that are not 0; what they cost; and the sum of the largest heights.

        A line is ``(i, slope above, slope below, height above, heights above at the corners or None)``. Slopes are in
        units of 2^-28, too. ``corners``: upper bounds of -y and y there, for some neurons.
        """
        one = 1 << UNIT
        lines, cost, tall = [], 0, 0
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

    def at_corners(self, slope, constant, sides, weights, heights):
        """An affine function of the inputs plus weighted heights, at the corners of a box; all may be in fields."""
        values = [constant + sum(map(mul, slope, sides[0]))]
        for c, low, high, power in zip(slope, *sides, self.powers[0], strict=True):
            if power is not None:
                step = c * (high - low)
                values += [v + step for v in values]
        sums = [sum(map(mul, weights, here)) for here in zip(*heights, strict=True)] or [0] * len(values)
        return [v + more for v, more in zip(values, sums, strict=True)]

    def forms(self, level, neurons, sides, lines):
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
                lack += positive - c
                if height:
                    if cornered:
                        raised.append(positive)
                        heights.append(cornered)
                    else:
                        total += positive * height
                    c = positive * above + (c - positive) * below + half
                    c = (c >> UNIT & rest) - (half >> UNIT)
                p.append(c)
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

    def _rows(self, level, size):
        """Of a layer: the weights of each neuron as one integer with a field for each variable, and all fields 1."""
        if (level, size) not in self.rows:
            columns = self.weights(level)
            ones, half = self._ones(size, len(columns)), 1 << 8 * size - 1
            fields = [
                b"".join([(w + half).to_bytes(size, "little") for w in row]) for row in zip(*columns, strict=True)
            ]
            self.rows[level, size] = [int.from_bytes(row, "little") - half * ones for row in fields], ones
        return self.rows[level, size]

    def form(self, level, neuron, sign, lines, added):
        """The same of one neuron, where the fields are the variables: ``(slope, constant, chords)``.

        ``added[at]``: what is added to coefficients of pre-activations of layer ``at``. The chords that were used and
        have heights at corners, with the coefficients on the outputs that they replaced: ``(coefficient, height,
        heights)``.
        """
        most = max((abs(m) for table in added.values() for m in table.values()), default=0)
        # what is added is at most `most` times the reach in each place, which is at least 1
        size = self.start(level)[0] + ((level * most).bit_length() + 7) // 8
        half = 1 << 8 * size - 1
        places = [range(len(self.powers[0])), *([i for i, *_ in around] for around, *_ in lines[: level - 1])]
        own = self.weights(level)
        *q, bias = [w if sign > 0 else 1 - w for w in [own[j][neuron] for j in (*places[level - 1], -1)]]
        total, chords = bias << UNIT, []
        for at in range(level - 1, 0, -1):
            around, cost, _ = lines[at - 1]
            p, inner = [], places[at]
            for c, (_, above, below, height, cornered) in zip(q, around, strict=True):
                if c > 0 and height:
                    total += c * height
                    if cornered:
                        chords.append((c, height, cornered))
                p.append(c * (above if c > 0 else below) >> UNIT)
            if at in added:
                p, inner = [*p, *added[at].values()], [*inner, *added[at]]
            (rows, ones), count = self._rows(at, size), len(self.weights(at))
            lack = -sum([c for c in p if c < 0])
            fields = sum(map(mul, p, [rows[i] for i in inner]), (lack + half) * ones)
            found = fields.to_bytes(size * (count + 1), "little")
            *q, more = [
                int.from_bytes(found[size * j : size * (j + 1)], "little") - half for j in (*places[at - 1], count - 1)
            ]
            q = [-(-c >> UNIT) for c in q]
            total += more + cost
        return q, total, chords


def _positive(fields, half, top, ones):
    """The positive part of each field."""
    fields += half
    plus = fields >> top & ones
    return fields & (plus << top) - plus


def _up(numerator, denominator, shift):
    """``numerator 2^shift / denominator`` rounded up."""
    if shift >= 0:
        return -((-numerator << shift) // denominator)
    return -(-numerator // (denominator << -shift))


def _power(numerator, denominator):
    """About the binary logarithm of a size."""
    return numerator.bit_length() - denominator.bit_length()


UNIT = 28  # so that weights, which are at most about 1, are single digits of Python's integers
SIXTEENTHS = {c: k << UNIT - 4 for k, c in enumerate("0123456789abcdefg")}


# ---- bounds -----------------------------------------------------------------------------------------------------


class Region:
    """The domain cut by the splits on the way to a node, with what is known there about earlier neurons."""

    def __init__(self, model, domain):
        self.model = model
        self.domain = domain
        self.lower = domain.lower
        self.upper = domain.upper
        self.splits = ()  # of ("neuron", level, i, sign) and ("form", (b, a...), sign): sign * g >= 0
        self.signs = {}  # (level, i) -> +1 or -1, by splits
        self.derived = {}  # (level, i) -> (low, high), Fractions or None
        self.entire = frozenset()  # levels that have been derived as a whole
        self.known = {}  # level -> [(low, high)] in coarse units, where that was done in coarse arithmetic
        self.cache = []  # per level: [(low, high)] integers over a denominator
        self.before = []  # the same where some of the signs were not known yet
        self.coarse = Coarse(model, domain)
        self.whole = ()  # which layers have been derived, if nothing else was done to the domain; else None
        self.roots = {}  # the regions that arise so, since many proofs begin with them
        self.sides, self.lines = None, {}  # the box, and the lines of layers, in coarse units
        self.corners = {}  # level -> neuron -> upper bounds of -y and of y at the corners of the box

    def copy(self):
        other = object.__new__(Region)
        other.__dict__.update(self.__dict__)
        other.cache = list(self.cache)
        other.known, other.lines, other.corners = dict(self.known), dict(self.lines), dict(self.corners)
        return other

    def child(self, split, sign):
        other = self.copy()
        other.cache, other.lines, other.whole = [], {}, None
        if split[0] == "x":
            other.before, other.corners = [], {}
            _, j, c = split
            if sign > 0 and (self.lower[j] is None or c > self.lower[j]):
                other.lower, other.sides = [*self.lower[:j], c, *self.lower[j + 1 :]], None
            if sign < 0 and (self.upper[j] is None or c < self.upper[j]):
                other.upper, other.sides = [*self.upper[:j], c, *self.upper[j + 1 :]], None
            return other
        other.splits = (*self.splits, (*split, sign))
        if split[0] == "neuron":
            level, i = split[1:]
            if self.signs.get((level, i), sign) != sign:
                # both signs: the pre-activation is 0 there; either description is right
                return other
            other.signs = {**self.signs, (level, i): sign}
            other.cache = self.cache[: level - 1]
            other.before = self.cache if len(self.cache) >= len(self.before) else self.before
        return other

    # Bounds of all pre-activations of a level: a list of (low, high) integers (None: infinite) over `denominator`.

    def bounds(self, level):
        while len(self.cache) < level:
            at = len(self.cache) + 1
            found = (
                self._tightened(at, *self.coarse.exact(at, self.known[at])) if at in self.known else self._interval(at)
            )
            if found is EMPTY:
                return EMPTY
            self.cache.append(found)
        return self.cache[level - 1]

    def _interval(self, level):
        model, domain = self.model, self.domain
        layer, blocks, start = model.layers[level - 1], model.blocks[level], model.start
        low, high, parts = {}, {}, []
        for b in blocks:
            if b == 0 and domain.generators is not None:
                continue
            if b == 0:
                *sides, d = _over_common_sides(self.lower, self.upper)
                parts.append((b, list(zip(*sides, strict=True)), d))
            else:
                pairs, d = self.cache[b - 1]
                clipped = [(l_ if l_ is not None and l_ > 0 else 0, u if u is None or u > 0 else 0) for l_, u in pairs]
                parts.append((b, clipped, d))
        shared = lcm(*(d for _, _, d in parts)) if parts else 1
        for b, pairs, d in parts:
            factor = shared // d
            for j, (l_, u) in enumerate(pairs, start[b]):
                low[j] = l_ if l_ is None or factor == 1 else l_ * factor
                high[j] = u if u is None or factor == 1 else u * factor
        generators = domain.generators if 0 in blocks else None
        if generators is not None:
            vertices, scale = self._scaled_generators()
            shared_g = lcm(shared, scale)
            if shared_g != shared:
                f = shared_g // shared
                low = {j: None if v is None else v * f for j, v in low.items()}
                high = {j: None if v is None else v * f for j, v in high.items()}
                shared = shared_g
            vertex_factor = shared // scale
        pairs, denominator, grow = [None] * len(layer.rows), shared * layer.denominator, 1
        rows = self._affected(level)
        if rows is None:
            rows = range(len(layer.rows))
        else:
            pairs, d = self.before[level - 1]
            pairs, denominator, grow = list(pairs), d, d // denominator
        for i in rows:
            bias, columns, entries = layer.rows[i]
            bottom = top = bias * shared
            if generators is not None:
                own = [(j, w) for j, w in zip(columns, entries, strict=True) if j < model.inputs]
                later = [(j, w) for j, w in zip(columns, entries, strict=True) if j >= model.inputs]
                columns, entries = [j for j, _ in later], [w for _, w in later]
                at = [sum(w * v[j] for j, w in own) * vertex_factor for v in vertices]
                along = [sum(w * r[j] for j, w in own) for r in generators[1]]
                across = any(sum(w * g[j] for j, w in own) for g in generators[2])
                top = None if across or any(g > 0 for g in along) else top + max(at)
                bottom = None if across or any(g < 0 for g in along) else bottom + min(at)
            for j, w in zip(columns, entries, strict=True):
                l_, u = (low[j], high[j]) if w > 0 else (high[j], low[j])
                bottom = None if bottom is None or l_ is None else bottom + w * l_
                top = None if top is None or u is None else top + w * u
            pairs[i] = (None if bottom is None else bottom * grow, None if top is None else top * grow)
        return self._tightened(level, pairs, denominator)

    def _affected(self, level):
        """The rows of a layer whose intervals signs, newly known, can have changed; None: take them all."""
        if len(self.before) < level:
            return None
        found, readers = set(), self.model.readers(level)
        for b in self.model.blocks[level]:
            if b:
                (pairs, d), (earlier, over) = self.cache[b - 1], self.before[b - 1]
                if d != over:
                    return None
                for j, (pair, other) in enumerate(zip(pairs, earlier, strict=True), self.model.start[b]):
                    if pair != other:
                        found.update(readers.get(j, ()))
        return found

    def _tightened(self, level, pairs, denominator):
        """Intersect with derived bounds and split signs."""
        derived = {i: pair for (at, i), pair in self.derived.items() if at == level}
        if derived:
            whole = lcm(denominator, *(v.denominator for pair in derived.values() for v in pair if v is not None))
            if whole != denominator:
                f = whole // denominator
                pairs = [tuple(None if v is None else v * f for v in pair) for pair in pairs]
                denominator = whole
            for i, (low, high) in derived.items():
                bottom, top = pairs[i]
                if low is not None:
                    low = low.numerator * (denominator // low.denominator)
                    bottom = low if bottom is None else max(bottom, low)
                if high is not None:
                    high = high.numerator * (denominator // high.denominator)
                    top = high if top is None else min(top, high)
                pairs[i] = (bottom, top)
        for (at, i), sign in self.signs.items():
            if at == level:
                bottom, top = pairs[i]
                if sign > 0:
                    pairs[i] = (0 if bottom is None else max(bottom, 0), top)
                else:
                    pairs[i] = (bottom, 0 if top is None else min(top, 0))
        if any(l_ is not None and u is not None and l_ > u for l_, u in pairs):
            return EMPTY
        return pairs, denominator

    def _scaled_generators(self):
        vertices = self.domain.generators[0]
        scale = lcm(*{x.denominator for v in vertices for x in v})
        return [[x.numerator * (scale // x.denominator) for x in v] for v in vertices], scale

    def derive(self, items, below):
        """Tighten bounds of neurons of levels < `below`, in the order given."""
        if not isinstance(items, list):
            raise Rejected('"derive" must be a list')
        for item in items:
            if not isinstance(item, list) or not item:
                raise Rejected('a derivation is [l], [l, [i, ...]], [l, "exact"] or [l, i, side, multipliers]')
            level = _count(item[0], below, "layer of a derivation")
            if level == 0:
                raise Rejected("layers count from 1")
            width = len(self.model.layers[level - 1].rows)
            some = len(item) == 2 and isinstance(item[1], list)
            if some and level not in self.entire:
                raise Rejected("some neurons of a layer are derived after the whole layer")
            neurons = sorted({_count(i, width, "neuron of a derivation") for i in item[1]}) if some else range(width)
            simple = len(item) == 1 or (len(item) == 2 and item[1] == "exact")
            whole = self.whole if simple else None
            if whole is not None and (*whole, *item) in self.roots:
                self.__dict__.update(self.roots[*whole, *item].copy().__dict__)
                continue
            self.whole = None
            if simple or some:
                self.entire |= {level}
                if item[1:] != ["exact"] and self._derive_coarsely(level, neurons):
                    self._keep(whole, item)
                    continue
                pairs = self.bounds(level)
                unknown = [] if pairs is EMPTY else [i for i in neurons if not signed(pairs[0][i])]
                steps = [(i, side, {}) for i in unknown for side in ("lower", "upper")]
            elif len(item) == 4 and item[2] in ("lower", "upper"):
                steps = [(_count(item[1], width, "neuron of a derivation"), *item[2:])]
            else:
                raise Rejected('a derivation is [l], [l, [i, ...]], [l, "exact"] or [l, i, side, multipliers]')
            found = dict(self.derived)
            for i, side, multipliers in steps:
                if self.coarse.tick is not None:
                    self.coarse.tick()
                low, high = found.get((level, i), (None, None))
                bound = self.upper_bound(level, i, multipliers, 1 if side == "upper" else -1)
                if bound is EMPTY:
                    low, high = Fraction(1), Fraction(0)
                elif bound is not None and side == "upper":
                    high = bound if high is None else min(high, bound)
                elif bound is not None:
                    low = -bound if low is None else max(low, -bound)
                found[level, i] = (low, high)
            self.derived, self.lines = found, {}
            del self.cache[level - 1 :]
            self._keep(whole, item)

    def _keep(self, whole, item):
        if whole is not None:
            self.whole = (*whole, *item)
            self.bounds(item[0])
            self.roots[self.whole] = self.copy()

    def _derive_coarsely(self, level, neurons):
        """Both bounds of these neurons where the sign is unknown (first: of all), in coarse arithmetic if that fits."""
        coarse = self.coarse
        if level > coarse.depth:
            return False
        width = len(self.model.layers[level - 1].rows)
        if (self.signs or self.derived) and self.bounds(level) is EMPTY:
            return True
        first = level not in self.known
        pairs = [(0, 0)] * width if first else list(self._units(level))
        sides, lines = self._sides(), [self._lines(at) for at in range(1, level)]
        open_ = range(width) if first else [i for i in neurons if pairs[i][0] < 0 < pairs[i][1]]
        found = coarse.forms(level, open_, sides, lines) if open_ else []
        if found is None:
            return False
        columns, fresh = list(zip(*found, strict=True)), {}
        for i, over, under in zip(open_, columns, columns[len(open_) :], strict=False):
            (least, most), low, high = pairs[i], -max(under), max(over)
            pairs[i] = (low, high) if first else (max(low, least), min(high, most))
            fresh[i] = under, over
        if coarse.cornered:
            self.corners[level] = {**self.corners.get(level, {}), **fresh}
        self.known[level] = pairs
        del self.cache[level - 1 :]
        self.lines = {at: lines for at, lines in self.lines.items() if at < level}
        return True

    def coarse_bound(self, level, neuron, texts, sign=1, splits=()):
        """An upper bound of ``sign * z`` with the slopes of a coarse leaf: Fraction, None or EMPTY.

        ``splits``: of neurons, with multipliers, ``((layer, neuron, sign), c)``.
        """
        if not isinstance(texts, list) or len(texts) >= level:
            raise Rejected("a coarse leaf has one text of slopes a layer before the neuron's")
        if level > self.coarse.depth:
            raise Rejected("coarse arithmetic is for dense layers that read the layer before, on a bounded box")
        if level > 1 and (self.signs or self.derived) and self.bounds(level - 1) is EMPTY:
            return EMPTY
        lines = [self._lines(at, texts[at - 1] if at <= len(texts) else "") for at in range(1, level)]
        exponent, added = self.coarse.exponents(level)[neuron], {}
        for (at, i, side), c in splits:  # any multiplier is good, so it may be rounded
            shift = UNIT + self.coarse.exponents(at)[i] - exponent
            table = added.setdefault(at, {})
            table[i] = table.get(i, 0) + side * _up(c.numerator, c.denominator, shift)
        slope, constant, chords = self.coarse.form(level, neuron, sign, lines, added)
        sides = self._sides()
        bound = constant + sum([c * (h if c > 0 else l_) for c, l_, h in zip(slope, *sides, strict=True)])
        if bound >= 0 and chords:
            weights, plain, heights = zip(*chords, strict=True)
            constant -= sum(map(mul, weights, plain))
            bound = min(bound, max(self.coarse.at_corners(slope, constant, sides, weights, heights)))
        return Fraction(bound) * Fraction(2) ** (exponent - 2 * UNIT)

    def _sides(self):
        if self.sides is None:
            self.sides = self.coarse.sides(self.lower, self.upper)
        return self.sides

    def _units(self, level):
        """Bounds of a layer in coarse units; if a lower one exceeds an upper one, anything holds of the region."""
        if level in self.known and not self.derived:
            pairs = self.known[level]
            for (at, i), sign in self.signs.items():
                if at == level:
                    low, high = pairs[i]
                    pairs = [*pairs[:i], (max(low, 0), high) if sign > 0 else (low, min(high, 0)), *pairs[i + 1 :]]
            return pairs
        found = self.bounds(level)
        return (
            [(1, 0)] * len(self.model.layers[level - 1].rows) if found is EMPTY else self.coarse.in_units(level, found)
        )

    def _lines(self, at, text=""):
        if at not in self.lines:
            self.lines[at] = self.coarse.lines(self._units(at), self.corners.get(at, {}))
        lines, cost, tall = self.lines[at]
        if text != "":
            width = len(self.model.layers[at - 1].rows)
            if not isinstance(text, str) or len(text) != width or not set(text) <= SIXTEENTHS.keys():
                raise Rejected("the slopes of a layer are one character of 0..9a..g a neuron")
            lines = [(i, a, SIXTEENTHS[text[i]] if h else b, h, hs) for i, a, b, h, hs in lines]
        return lines, cost, tall

    def upper_bound(self, level, neuron, multipliers, sign=1):
        """An upper bound of ``sign * z`` on this region: Fraction, None (none found) or EMPTY."""
        given = _Multipliers(multipliers, self)
        model, start = self.model, self.model.start
        layer = model.layers[level - 1]
        bias, columns, entries = layer.rows[neuron]
        scale = layer.denominator  # coefficients are integers over `scale`
        constant = Fraction(sign * bias, scale)
        coefficient = {j: sign * w for j, w in zip(columns, entries, strict=True)}
        top = max(level - 1, *given.neurons, 0)  # split neurons may stand beside or above it
        if top and self.bounds(top) is EMPTY:
            return EMPTY
        for at in range(top, 0, -1):
            first, last = start[at], start[at + 1]
            here = {j - first: c for j, c in coefficient.items() if first <= j < last and c}
            extra = given.neurons.get(at, {})
            if not here and not extra:
                continue
            pairs, d = self.bounds(at) if here else ([], 1)
            slopes, offset = {}, Fraction(0)
            chosen = given.slopes.get(at, {})
            steps = lcm(*(s.denominator for s in chosen.values()), *(m.denominator for m in extra.values()))
            undecided = [i for i in here if not signed(pairs[i])]
            if any(i not in chosen for i in undecided):
                steps = lcm(steps, 1 << _SLOPE_BITS)
            intercepts = 0  # over scale * steps * d
            for i, c in here.items():
                low, high = pairs[i]
                if low is not None and low >= 0:
                    slopes[i] = c * steps
                elif high is not None and high <= 0:
                    continue
                elif c < 0:
                    s = _chord(low, high, chosen.get(i), steps)
                    if i not in chosen:
                        s = steps if s is None else _under(s, steps)
                    slopes[i] = c * s
                else:
                    s = _chord(low, high, chosen.get(i), steps)
                    if s is None:
                        return None
                    slopes[i] = c * s
                    ends = [0 if s == 0 else None if low is None else -s * low]
                    ends.append(0 if s == steps else None if high is None else (steps - s) * high)
                    if None in ends:
                        return None
                    intercepts += c * max(ends)
            if intercepts:
                offset = Fraction(intercepts, scale * steps * d)
            for i, m in extra.items():
                slopes[i] = slopes.get(i, 0) + int(m * steps) * scale
            inner = model.layers[at - 1]
            grow = steps * inner.denominator
            coefficient = {j: c * grow for j, c in coefficient.items() if j < first}
            gained = 0
            for i, q in slopes.items():
                if q:
                    b, inner_columns, inner_entries = inner.rows[i]
                    gained += q * b
                    for j, w in zip(inner_columns, inner_entries, strict=True):
                        coefficient[j] = coefficient.get(j, 0) + q * w
            scale *= grow
            constant += offset + Fraction(gained, scale)
        return self._maximum(coefficient, scale, constant, given)

    def _maximum(self, coefficient, scale, constant, given):
        """The maximum over the box or the generators of the affine form that remains."""
        domain = self.domain
        coefficient = {j: c for j, c in coefficient.items() if c}  # what cancelled may belong to a later variable
        for row, m in given.rows:
            constant += m * row[0]
            d = lcm(scale, m.denominator)
            f, g = d // scale, m.numerator * (d // m.denominator)
            coefficient = {j: c * f for j, c in coefficient.items()}
            for j, a in enumerate(row[1:]):
                if a:
                    coefficient[j] = coefficient.get(j, 0) + g * a
            scale = d
        if domain.generators is not None:
            vertices, rays, lines = domain.generators
            if any(sum(c * r[j] for j, c in coefficient.items()) > 0 for r in rays):
                return None
            if any(sum(c * r[j] for j, c in coefficient.items()) for r in lines):
                return None
            best = max(sum((c * v[j] for j, c in coefficient.items()), Fraction(0)) for v in vertices)
            return constant + best / scale
        total, d = 0, 1
        for j, c in coefficient.items():
            if c:
                side = self.upper[j] if c > 0 else self.lower[j]
                if side is None:
                    return None
                if d % side.denominator:
                    whole = lcm(d, side.denominator)
                    total, d = total * (whole // d), whole
                total += c * side.numerator * (d // side.denominator)
        return constant + Fraction(total, scale * d)


def signed(pair):
    low, high = pair
    return (low is not None and low >= 0) or (high is not None and high <= 0)


def _chord(low, high, chosen, steps):
    """The slope (over `steps`) of the upper line for a neuron of unknown sign, or None."""
    if chosen is not None:
        return int(chosen * steps)
    if low is None and high is None:
        return None
    if high is None:
        return steps
    if low is None:
        return 0
    grid = 1 << _SLOPE_BITS
    return ((high * grid) // (high - low)) * (steps // grid)


def _under(chord, one):
    """The default slope of the line below: 0 up to high = -low, 1 from high = -3 low on, and between them a passage."""
    return min(max(4 * chord - 2 * one, 0), one)


class _Multipliers:
    """Parsed multipliers: neurons[level][i], rows [(row, m)], slopes[level][i]."""

    def __init__(self, data, region):
        if not isinstance(data, dict):
            raise Rejected("multipliers must be an object")
        unknown = set(data) - {"splits", "rows", "equalities", "slopes", "derive"}
        if unknown:
            raise Rejected(f"unknown multipliers {sorted(unknown)[0]!r}")
        self.neurons, self.rows, self.slopes = {}, [], {}
        if not data:
            return
        for k, m in self.of_splits(data, region):
            kind, *what, sign = region.splits[k]
            if kind == "neuron":
                level, i = what
                table = self.neurons.setdefault(level, {})
                table[i] = table.get(i, Fraction(0)) + sign * m
            else:
                self.rows.append((what[0], sign * m))
        for k, m in self._table(data, "rows", len(region.domain.rows)):
            if m < 0:
                raise Rejected("a multiplier of an inequality is negative")
            self.rows.append((region.domain.rows[k], m))
        for k, m in self._table(data, "equalities", len(region.domain.equalities)):
            self.rows.append((region.domain.equalities[k], m))
        levels = data.get("slopes", {})
        if not isinstance(levels, dict):
            raise Rejected('"slopes" must be an object')
        for key in levels:
            level = _index(key, len(region.model.layers)) if key != "0" else 0
            if level == 0:
                raise Rejected("slopes belong to layers, which count from 1")
            table = dict(self._table(levels, key, len(region.model.layers[level - 1].rows)))
            if any(not 0 <= s <= 1 for s in table.values()):
                raise Rejected("a slope is outside [0, 1]")
            self.slopes[level] = table

    @classmethod
    def of_splits(cls, data, region):
        table = cls._table(data, "splits", len(region.splits))
        if any(m < 0 for _, m in table):
            raise Rejected("a multiplier of a split is negative")
        return table

    @staticmethod
    def _table(data, key, below):
        table = data.get(key, {})
        if not isinstance(table, dict):
            raise Rejected(f'"{key}" must be an object')
        return [(_index(k, below), number(v)) for k, v in table.items()]


def _index(text, below):
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Rejected(f"{str(text)[:40]!r} is not an index")
    return _count(int(text), below, "index")


# ---- the certificate --------------------------------------------------------------------------------------------


def walk(proof, model, domain, level, neuron, root=None, tick=None, sign=1):
    """The worst bound of ``sign * z`` over the leaves of a proof: Fraction, None (a leaf proves nothing) or EMPTY.

    ``root``: the whole domain as a region, if several proofs share it. ``tick`` is called at each node; it may raise.

    Raises:
        Rejected: malformed nodes, a missing or a left-over subtree.
    """
    if not isinstance(proof, list) or not proof:
        raise Rejected("the proof must be a list of nodes")
    root = Region(model, domain) if root is None else root
    root.coarse.tick = tick
    if level > 1 and not (isinstance(proof[0], dict) and "derive" in proof[0]):
        root.bounds(level - 1)
    open_regions, worst = [root.copy()], EMPTY
    for node in proof:
        if not open_regions:
            raise Rejected("nodes are left over after the last leaf")
        if tick is not None:
            tick()
        children, bound = examine(node, open_regions.pop(), level, neuron, sign)
        if children:
            open_regions += reversed(children)
        elif bound is None:
            return None
        elif bound is not EMPTY and (worst is EMPTY or bound > worst):
            worst = bound
    if open_regions:
        raise Rejected("the proof ends before its last leaf")
    return worst


def examine(node, region, level, neuron, sign=1):
    """What a node makes of its region: ``(the regions g <= 0 and g >= 0 of a split, None)`` or ``((), a bound)``."""
    if not isinstance(node, dict):
        raise Rejected("a node of the proof is not an object")
    if "derive" in node:
        region.derive(node["derive"], level)
    if "split" in node:
        if set(node) - {"split", "derive"}:
            raise Rejected("a split carries multipliers")
        split = _split(node["split"], region.model, region.domain, level)
        return (region.child(split, -1), region.child(split, 1)), None
    if "coarse" not in node:
        return (), region.upper_bound(level, neuron, node, sign)
    if set(node) - {"coarse", "splits", "derive"}:
        raise Rejected("a coarse leaf carries multipliers other than those of splits")
    splits = [(region.splits[k], c) for k, c in _Multipliers.of_splits(node, region)]
    if any(kind != "neuron" for (kind, *_), _ in splits):
        raise Rejected("a coarse leaf carries a multiplier of a split that is not of a neuron")
    return (), region.coarse_bound(level, neuron, node["coarse"], sign, [(split[1:], c) for split, c in splits])


def _split(data, model, domain, level):
    if not isinstance(data, list) or not data:
        raise Rejected("a split is a list")
    kind, *rest = data
    if kind == "x" and len(rest) == 2 and domain.generators is None:
        return ("x", _count(rest[0], model.inputs, "coordinate"), number(rest[1]))
    if kind == "neuron" and len(rest) == 2:
        at = _count(rest[0], level, "layer of a split")
        if at == 0:
            raise Rejected("layers count from 1")
        return ("neuron", at, _count(rest[1], len(model.layers[at - 1].rows), "neuron of a split"))
    if kind == "form" and len(rest) == model.inputs + 1:
        return ("form", tuple(numbers(rest)))
    raise Rejected("a split is not of a known form")


def check(certificate, model, domain, shared=None):
    """Prove every claim of a certificate or raise.

    Args:
        certificate: the parsed JSON object. model, domain: as parsed by :meth:`Model.parse`, :meth:`Domain.parse`.
        shared: a class to take the place of :class:`Points`.

    Returns:
        The claims, all of them proved.

    Raises:
        Rejected: on any doubt; the text says which claim and why.
    """
    if not isinstance(certificate, dict) or certificate.get("geomrelu") != FORMAT:
        raise Rejected(f"not a geomrelu {FORMAT}")
    _known(certificate, {"geomrelu", "model", "domain", "points", "claims"})
    if certificate.get("model") != model.digest():
        raise Rejected("it is about another model")
    if certificate.get("domain") != domain.digest():
        raise Rejected("it is about another domain")
    if domain.dimension != model.inputs:
        raise Rejected(f"the model reads R^{model.inputs}, the domain lies in R^{domain.dimension}")
    claims = certificate.get("claims")
    if not isinstance(claims, list) or not claims:
        raise Rejected("it claims nothing")
    points = (shared or Points)(certificate.get("points", []), model, domain)
    for claim in claims:
        if not isinstance(claim, dict):
            raise Rejected("a claim is not an object")
        try:
            prove(claim, model, domain, points)
        except (Rejected, Malformed) as problem:
            where = f"layer {str(claim.get('layer'))[:9]}, neuron {str(claim.get('neuron'))[:9]}"
            raise Rejected(f"{where}: {problem}") from None
    return claims


def check_pruning(certificate, model, domain, smaller, shared=None):
    """Prove that a smaller network equals the model on the domain, or raise :class:`Rejected`.

    Returns:
        The number of neurons removed, folded and merged.
    """
    if not isinstance(certificate, dict) or certificate.get("geomrelu") != PRUNING:
        raise Rejected(f"not a geomrelu {PRUNING}")
    _known(certificate, {"geomrelu", "model", "domain", "smaller", "points", "claims", *CHANGES})
    if certificate.get("smaller") != smaller.whole_digest():
        raise Rejected("it is about another smaller network")
    if certificate.get("model") != model.whole_digest():
        raise Rejected("it is about another model")
    if certificate.get("claims"):
        body = {key: certificate.get(key) for key in ("domain", "claims")} | {"points": certificate.get("points", [])}
        claims = check(body | {"geomrelu": FORMAT, "model": model.digest()}, model, domain, shared)
    else:
        claims = []
    return check_changes(certificate, model, claims, smaller)


def check_changes(certificate, model, claims, smaller):
    """The same, once its claims have been proved."""
    shown = {(c["layer"], c["neuron"]): c["status"] for c in claims}
    changes, fate = {key: certificate.get(key, []) for key in CHANGES}, {}
    for key, items in changes.items():
        if not isinstance(items, list):
            raise Rejected(f'"{key}" must be a list')
        for item in items:
            if not isinstance(item, list) or len(item) != (4 if key == "merged" else 2):
                raise Rejected(f'an entry of "{key}" has another length')
            level = _count(item[0], len(model.layers) + 1, "layer")
            if level == 0:
                raise Rejected("layers count from 1")
            rows = model.layers[level - 1].rows
            i = _count(item[1], len(rows), "neuron")
            if (level, i) in fate:
                raise Rejected("a neuron is changed twice")
            if key == "merged":
                j, c = _count(item[2], len(rows), "neuron"), number(item[3])
                same = rows[i][1] == rows[j][1] and c > 0
                if (
                    not same
                    or rows[i][0] != c * rows[j][0]
                    or any(v != c * w for v, w in zip(rows[i][2], rows[j][2], strict=True))
                ):
                    raise Rejected("a merged neuron is not a multiple of the other")
                fate[level, i] = ("merged", (j, c))
            elif shown.get((level, i)) != ("dead" if key == "removed" else "active"):
                raise Rejected(f"a neuron is {key} without a claim that allows it")
            else:
                fate[level, i] = (key, None)
    if pruned(model, fate).whole_digest() != smaller.whole_digest():
        raise Rejected("the smaller network is not what these changes give")
    return {key: len(items) for key, items in changes.items()}


def pruned(model, fate):
    """The model without the neurons ``(level, i)`` in ``fate``: ("removed" | "folded" | "merged", (j, c))."""
    # what became of each variable: another one, an affine form (b, {variable: weight}), or nothing
    forms, layers, count = list(range(model.inputs)), [], model.inputs

    def rewritten(row):
        """A row over the new variables, times the denominator of its layer."""
        total, columns, entries = row
        sums = {}
        for j, w in zip(columns, entries, strict=True):
            form = forms[j]
            if isinstance(form, int):
                sums[form] = sums.get(form, 0) + w
            elif form is not None:
                total += w * form[0]
                for k, v in form[1].items():
                    sums[k] = sums.get(k, 0) + w * v
        return total, sums

    for level, layer in enumerate(model.layers, 1):
        kept, own, merged, d = [], {}, [], layer.denominator
        for i, row in enumerate(layer.rows):
            kind, what = fate.get((level, i), (None, None))
            if kind == "removed":
                own[i] = None
            elif kind == "merged":
                merged.append((i, *what))
            elif kind == "folded":
                b, slope = rewritten(row)
                own[i] = Fraction(b, d), {k: Fraction(v, d) for k, v in slope.items()}
            else:
                kept.append(rewritten(row))
                own[i] = count
                count += 1
        for i, j, c in merged:
            if not isinstance(own.get(j), int):
                raise Rejected("a neuron is merged into one that is changed itself")
            own[i] = 0, {own[j]: c}
        if kept:
            layers.append(_integer_layer(kept, d))
        forms += [own[i] for i in range(len(layer.rows))]
    if not layers:
        raise Rejected("no neuron is left")
    last = model.output
    if last is None:  # the outputs are those of the last layer
        if not any(level == len(model.layers) for level, _ in fate):
            return Model(model.inputs, layers)
        last = Layer([(0, [j], [1]) for j in range(model.start[-2], model.start[-1])], 1)
    return Model(model.inputs, layers, _integer_layer(list(map(rewritten, last.rows)), last.denominator))


def _known(data, keys):
    unknown = sorted(set(data) - keys)
    if unknown:
        raise Rejected(f"unknown key {unknown[0]!r}")


class Points:
    """What several claims share: points, each checked and evaluated once, and the directions at infinity."""

    def __init__(self, table, model, domain):
        if not isinstance(table, list):
            raise Rejected('"points" must be a list')
        self.table, self.model, self.domain = table, model, domain
        self.parsed, self.below, self.infinity = {}, {}, {}
        self.root = None if domain.points is not None else Region(model, domain)

    def bound(self, proof, level, neuron, tick=None, sign=1):
        """What a proof gives: see :func:`walk`."""
        return walk(proof, self.model, self.domain, level, neuron, self.root, tick, sign)

    def calm(self, level, neuron):
        """Do all nearby parameters keep a dead neuron <= 0 near infinity? (See :func:`infinity`.)"""
        if level not in self.infinity:
            self.infinity[level] = infinity(self.model, self.domain, level)
        return all(_off(self.model, level, neuron, growth) for growth in self.infinity[level])

    def evaluate(self, data, level, neuron):
        """The exact value of the neuron at the point; raises if the point is not in the domain."""
        model = self.model
        if data == "corner":
            return self._corner(level, neuron)
        if isinstance(data, int):
            k = _count(data, len(self.table), "number of a point")
            if k not in self.parsed:
                self.parsed[k] = self._inside(self.table[k])
            if len(self.below.get(k, ())) < level - 1:
                self.below[k] = model.values(self.parsed[k], level - 1)
            return model.value(self.parsed[k], level, neuron, below=self.below.get(k, [])[: level - 1])
        return model.value(self._inside(data), level, neuron)

    def _inside(self, data):
        if isinstance(data, dict):
            _known(data, {"weights"})
            if self.domain.generators is None:
                raise Rejected("weights stand for a point of a domain given by generators")
            return self.domain.combination(data.get("weights"))
        point = numbers(data, self.domain.dimension)
        if not self.domain.contains(point):
            raise Rejected("the point does not lie in the domain")
        return point

    def _corner(self, level, neuron):
        """The largest value of a first-layer neuron on a box, which a corner attains."""
        domain = self.domain
        if level != 1 or domain.points is not None or domain.generators is not None or domain.rows or domain.equalities:
            raise Rejected("a corner is for layer 1 on a box")
        if domain.is_empty_box():
            raise Rejected("the box is empty")
        layer = self.model.layers[0]
        total = domain.highest(*layer.rows[neuron])
        if total is None:
            raise Rejected("the box has no such corner")
        return total / layer.denominator


def _ray(data, domain):
    """A nonzero direction of the recession cone."""
    if isinstance(data, dict):
        _known(data, {"weights"})
        if domain.generators is None:
            raise Rejected("weights stand for a ray of a domain given by generators")
        ray = domain.recession(data.get("weights"))
    else:
        ray = numbers(data, domain.dimension)
        if not domain.recedes(ray):
            raise Rejected("the ray does not lie in the recession cone of the domain")
    if not any(ray):
        raise Rejected("a ray is not zero")
    return ray


def prove(claim, model, domain, points, tick=None):
    """Prove one claim (see the head of this file) or raise :class:`Rejected`; ``points`` is a :class:`Points`."""
    _known(claim, {"layer", "neuron", "status", "supremum", "stable", "point", "ray", "proof", "strict"})
    level = _count(claim.get("layer"), len(model.layers) + 1, "layer")
    if level == 0:
        raise Rejected("layers count from 1")
    neuron = _count(claim.get("neuron"), len(model.layers[level - 1].rows), "neuron")
    status, supremum, stable = (claim.get(k) for k in ("status", "supremum", "stable"))
    at_point = points.evaluate(claim["point"], level, neuron) if "point" in claim else None
    ray = _ray(claim["ray"], domain) if "ray" in claim else None
    bound = None
    if domain.points is not None:
        if "proof" in claim:
            raise Rejected("a finite set is walked, it needs no proof")
        if status == "active":
            bound = -min(model.value(p, level, neuron) for p in domain.points)
        elif status == "dead" or supremum is not None:
            bound = max(model.value(p, level, neuron) for p in domain.points)
    elif "proof" in claim:
        sign = -1 if status == "active" else 1
        bound = points.bound(claim["proof"], level, neuron, tick, sign)
        if bound is None:
            raise Rejected("a leaf of the proof gives no bound")

    def at_most(limit):
        return bound is EMPTY or (bound is not None and bound <= limit)

    if status == "active":
        if supremum is not None or stable is not None or not at_most(0):
            raise Rejected("the neuron is not shown to be nonnegative, and nothing else may be claimed of it")
        return
    if supremum == "inf":
        if status != "alive" or at_point is None or ray is None:
            raise Rejected("an infinite supremum needs a living neuron, a point and a ray")
        if model.value(ray, level, neuron, homogeneous=True) <= 0:
            raise Rejected("the neuron does not grow along the ray")
    elif supremum is not None:
        value = number(supremum)
        if at_point is None or at_point != value:
            raise Rejected("the supremum is not attained at the point")
        if not at_most(value):
            raise Rejected(f"the proof gives {bound}, which is not the supremum {value}")
    if status == "alive":
        if stable is not None:
            raise Rejected("stability is a claim about dead neurons")
        if supremum != "inf" and (at_point is None or at_point <= 0):
            raise Rejected("the neuron is not positive at the point")
        return
    if status != "dead":
        raise Rejected("the status must be dead or alive")
    if not at_most(0):
        raise Rejected("there is no proof" if bound is None else f"a leaf gives the bound {bound}, which is positive")
    if stable is True:
        if bound is EMPTY or bound >= 0:
            raise Rejected("the bound is not negative, so the neuron is not shown to be stably dead")
        strict, own = claim.get("strict", {}), {}
        if level == 1:
            _, columns, entries = model.layers[0].rows[neuron]
            own = {j: Fraction(w, model.layers[0].denominator) for j, w in zip(columns, entries, strict=True)}
        bounded_or_falling = _falls(domain, strict, {}) or (level == 1 and _falls(domain, strict, own))
        if not bounded_or_falling and (level == 1 or not points.calm(level, neuron)):
            raise Rejected("stability is not shown at infinity")
    elif stable is False:
        by_ray = ray is not None and at_point is not None and revivable(model, ray, level, neuron)
        if at_point != 0 and not by_ray:
            raise Rejected("nothing shows that the neuron is not stable")
    elif stable is not None:
        raise Rejected("stable must be true, false or null")


def _falls(domain, strict, slope):
    """Is the slope ``{coordinate: value}`` negative on every direction of the recession cone?

    For the slope {}, zero, this says that there is no direction: the domain is bounded. Generators: by looking. Rows:
    slope = - sum m_k row_k + c with m >= 0 and c supported on finite sides of the box; then slope.r <= 0, with
    equality only if r is orthogonal to all rows used; if these (with the bounded coordinates) span, r = 0.
    """
    if domain.points is not None or domain.is_bounded_box():
        return True
    n = domain.dimension
    slope = [slope.get(j, Fraction(0)) for j in range(n)]
    if domain.generators is not None:
        _, rays, lines = domain.generators
        return not lines and all(sum(a * r for a, r in zip(slope, ray, strict=True)) < 0 for ray in rays)
    if not isinstance(strict, dict) or set(strict) - {"rows", "equalities"}:
        raise Rejected('"strict" holds multipliers of rows and equalities')
    used = [list(equality[1:]) for equality in domain.equalities]
    for key, table, free in (("rows", domain.rows, False), ("equalities", domain.equalities, True)):
        for k, m in _Multipliers._table(strict, key, len(table)):
            if m < 0 and not free:
                raise Rejected("a strict multiplier is negative")
            if m:
                used.append(list(table[k][1:]))
                slope = [s + m * a for s, a in zip(slope, table[k][1:], strict=True)]
    open_ = []  # coordinates that no side of the box keeps from moving
    for j, (low, high) in enumerate(zip(domain.lower, domain.upper, strict=True)):
        if (slope[j] > 0 and high is None) or (slope[j] < 0 and low is None):
            return False
        if not slope[j] and (low is None or high is None):
            open_.append(j)
    return rank([[row[j] for j in open_] for row in used]) == len(open_)


def rank(rows):
    """Rank by integer elimination; rows stay primitive, so that their digits grow slowly."""
    rest, found = [_primitive(r) for r in rows], 0
    for column in range(len(rest[0]) if rest else 0):
        pivot = next((r for r in rest if r[column]), None)
        if pivot is None:
            continue
        found += 1
        rest.remove(pivot)
        rest = [_combined(pivot[column], r, -r[column], pivot) if r[column] else r for r in rest]
    return found


def revivable(model, ray, level, neuron):
    """Does a ray show that arbitrarily small changes of the parameters revive a dead neuron?

    Along the ray r the neuron must neither grow nor fall. Then any of these does it:
    a value the layer reads grows along r (raise its weight); or, in layer 2, some first-layer neuron with a.r = 0
    has a weight >= 0 (tilt its a towards r, the other such away from it), or the bias is >= 0 (tilt all away).
    """
    growth = model.values(ray, level, homogeneous=True)
    if growth[-1][0][neuron] != 0:
        return False
    blocks = model.reads[level]
    if 0 in blocks or level == 1 or any(v > 0 for b in blocks for v in growth[b - 1][0]):
        return True
    if level != 2:
        return False
    bias, columns, entries = model.layers[1].rows[neuron]
    weight = dict(zip(columns, entries, strict=True))
    flat = [i for i, v in enumerate(growth[0][0]) if v == 0]
    return bias >= 0 or any(weight.get(model.inputs + i, 0) >= 0 for i in flat)


# ---- infinity ---------------------------------------------------------------------------------------------------


def infinity(model, domain, level):
    """The growths of layers 1..level along enough directions of the recession cone to see all of infinity.

    Near a direction along which a dead neuron falls, all nearby parameters keep it <= 0; where it stays flat they do
    if it is `_off` there. Both are inherited from the generators of a cone on which every earlier neuron keeps its
    sign, so the recession cone is cut by one earlier neuron after the other and only generators are returned. (If z is
    negative on S and calm at infinity, it is negative on S for all nearby parameters by compactness.)
    """
    cones, walked, growths = [(_recession(domain), 1, 0)], 0, []
    while cones:
        cone, at, i = cones.pop()
        if at == level:
            walked += 1
            if walked > _MOST_CONES:
                raise Rejected(f"more than {_MOST_CONES} cones at infinity")
            rays, lines, _ = cone
            for ray in [r for r, _ in rays] + lines + [tuple(-v for v in r) for r in lines]:
                growths.append(model.values(ray, level, homogeneous=True))
            continue
        after = (at, i + 1) if i + 1 < len(model.layers[at - 1].rows) else (at + 1, 0)
        below, above = _cut(cone, lambda r, at=at, i=i: model.value(r, at, i, homogeneous=True))
        cones += [(part, *after) for part in (below, above) if part is not None]
    return growths


def _off(model, level, neuron, growth, known=None):
    """Does the neuron stay <= 0 near a ray with the given growths, for all nearby parameters?

    Yes if it falls along the ray. If it stays flat: yes if its bias is negative and so is its weight on every neuron
    it reads that might not stay off itself. ``known`` remembers the answers along this ray.
    """
    known = {} if known is None else known
    if (level, neuron) not in known:
        z = growth[level - 1][0][neuron]
        if z or level == 1 or 0 in model.reads[level]:
            known[level, neuron] = z < 0
        else:
            bias, columns, entries = model.layers[level - 1].rows[neuron]
            weight = dict(zip(columns, entries, strict=True))
            known[level, neuron] = bias < 0 and all(
                weight.get(model.start[b] + i, 0) < 0 or _off(model, b, i, growth, known)
                for b in model.reads[level]
                for i in range(len(model.layers[b - 1].rows))
            )
    return known[level, neuron]


def _recession(domain):
    """The recession cone as ``([(ray, rows it lies on)], lines, number of rows)``; None for rows that are not known."""
    n = domain.dimension
    if domain.generators is not None:
        _, rays, lines = domain.generators
        return [(r, None) for r in rays], list(lines), None
    unit = [tuple(int(i == j) for i in range(n)) for j in range(n)]
    rows = [unit[j] for j in range(n) if domain.lower[j] is not None]
    rows += [tuple(-v for v in unit[j]) for j in range(n) if domain.upper[j] is not None]
    rows += [row[1:] for row in domain.rows]
    rows += [tuple(s * v for v in row[1:]) for row in domain.equalities for s in (1, -1)]
    cone = ([], unit, 0)
    for row in rows:
        cone = _cut(cone, lambda r, row=row: sum(a * v for a, v in zip(row, r, strict=True)), False)[1]
    return cone


def _cut(cone, value, split=True):
    """The parts of a cone where a function, linear on it, is <= 0 and >= 0; with ``split``, None for a flat part.

    Double description: a line that crosses becomes a ray; of the pairs across the cut only the adjacent ones (no
    third ray on all their common rows) give a new ray; where the rows are not known, all pairs do, which is only
    more than needed.
    """
    rays, lines, count = cone
    bit = None if count is None else 1 << count
    heights = [value(r) for r, _ in rays]
    across = [value(r) for r in lines]
    crossing = next((k for k, v in enumerate(across) if v), None)
    extra = None
    if crossing is not None:
        pivot, height = lines[crossing], across[crossing]
        if height < 0:
            pivot, height = tuple(-v for v in pivot), -height
        rays = [(_combined(height, r, -v, pivot), t) for (r, t), v in zip(rays, heights, strict=True)]
        rays = [(r, t) for r, t in rays if any(r)]  # a given ray may lie in the lineality space
        rest = [k for k in range(len(lines)) if k != crossing]
        lines = [_combined(height, lines[k], -across[k], pivot) for k in rest]
        heights, extra = [0] * len(rays), pivot
    elif split and all(v >= 0 for v in heights):
        return None, cone
    elif split and all(v <= 0 for v in heights):
        return cone, None
    on_it = {r: None if bit is None else t | bit for (r, t), v in zip(rays, heights, strict=True) if v == 0}
    for p, (r, t) in enumerate(rays):
        for q, (s, u) in enumerate(rays):
            if heights[p] > 0 > heights[q]:
                common = None if bit is None else t & u
                third = bit is not None and any(
                    other & common == common for k, (_, other) in enumerate(rays) if k not in (p, q)
                )
                new = _combined(heights[p], s, -heights[q], r)
                if any(new) and not third:  # opposite given rays add up to nothing
                    on_it.setdefault(new, None if bit is None else common | bit)
    parts = []
    for sign in (-1, 1):
        side = [(r, t) for (r, t), v in zip(rays, heights, strict=True) if sign * v > 0]
        if extra is not None:
            side.append((tuple(sign * v for v in extra), None if bit is None else bit - 1))
        parts.append((side + list(on_it.items()), lines, None if count is None else count + 1))
    return parts[0], parts[1]


def main(arguments):
    if len(arguments) not in (3, 4):
        print("usage: python checker.py CERTIFICATE MODEL.json DOMAIN.json [SMALLER.json]", file=sys.stderr)
        return 2
    sys.set_int_max_str_digits(_DIGITS)
    try:
        loaded = []
        for path in arguments:
            with open(path, encoding="utf-8") as stream:
                loaded.append(json.load(stream, parse_float=str))
        certificate, model, domain = loaded[0], Model.parse(loaded[1]), Domain.parse(loaded[2])
        smaller = Model.parse(loaded[3]) if len(loaded) == 4 else None
    except (OSError, ValueError, RecursionError, Malformed) as problem:
        print(f"checker: error: {problem}", file=sys.stderr)
        return 2
    try:
        if smaller is not None:
            changes = check_pruning(certificate, model, domain, smaller)
            said = ", ".join(f"{count} {what}" for what, count in changes.items())
            print(f"accepted {arguments[0]}: {arguments[3]} equals {arguments[1]} on the domain ({said})")
            return 0
        claims = check(certificate, model, domain)
    except (Rejected, Malformed) as problem:
        print(f"REJECTED {arguments[0]}: {problem}")
        return 1
    for claim in claims:
        supremum = claim.get("supremum")
        print(
            f"neuron {claim['neuron']} of layer {claim['layer']} is {claim['status']}"
            + {True: ", stably", False: ", not stably", None: ""}[claim.get("stable")]
            + (f", supremum {supremum}" if supremum is not None else "")
        )
    print(f"accepted {arguments[0]}: {len(claims)} claim{'s'[: len(claims) != 1]} proved")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
