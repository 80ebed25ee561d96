"""Random networks and sets to lie about, with what is true there. Nothing here imports geomrelu.

Networks are layers of rows over all variables before them (see ``oracles.ranges``). What is true comes from PPL over
activation patterns; for wide networks from how they were made: a small network whose neurons were copied, padded and
rescaled without changing what it computes, or one that is monotone, so that the corners of its box tell.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from typing import Any

import oracles

INFINITE = oracles.INFINITE
Number = Fraction
Row = tuple[Fraction, dict[int, Fraction]]
Point = list[Fraction]
KINDS = ("rational", "ternary", "degenerate", "scaled", "alike", "long", "flat")
SETS = ("box", "flat box", "half box", "space", "orthant", "rows", "box and rows", "equalities", "vertices", "cone")
SETS += ("lines", "points", "scaled box", "thin rows")
EMPTY_SETS = ("empty box", "empty rows", "empty equalities", "empty side", "no row")


# ---- networks ---------------------------------------------------------------------------------------------------


@dataclass
class Net:
    """ReLU layers, and perhaps an affine map after them; all rows over all variables before."""

    inputs: int
    layers: list[list[Row]]
    output: list[Row] | None = None

    @property
    def widths(self) -> list[int]:
        return [len(layer) for layer in self.layers]

    def first(self, level: int) -> int:
        """The first variable of a layer (0: the inputs)."""
        return 0 if level == 0 else self.inputs + sum(self.widths[: level - 1])

    def json(self, dense: bool = False) -> dict[str, Any]:
        """The model as a file says it; ``dense``: as matrices, if every layer reads the one before it."""
        layers = [(layer, "relu") for layer in self.layers] + ([(self.output, "none")] if self.output else [])
        said: list[dict[str, Any]] = []
        if dense:
            for level, (layer, activation) in enumerate(layers):
                start, width = self.first(level), self.inputs if level == 0 else self.widths[level - 1]
                rows = {  # each but once
                    id(slope): [spelt(slope.get(start + j, Fraction(0))) for j in range(width)] for _, slope in layer
                }
                weights = [rows[id(slope)] for _, slope in layer]
                said.append({"weights": weights, "bias": [spelt(b) for b, _ in layer], "activation": activation})
            return {"layers": said}
        for layer, activation in layers:
            rows = {id(row): [spelt(row[0]), *(x for j, w in row[1].items() for x in (j, spelt(w)))] for row in layer}
            said.append({"rows": [rows[id(row)] for row in layer], "activation": activation})
        return {"inputs": self.inputs, "layers": said}

    def is_plain(self) -> bool:
        """Does every layer read only the one before it?"""
        layers = [*self.layers, *([self.output] if self.output else [])]
        return all(
            self.first(level) <= j < self.first(level) + (self.inputs if level == 0 else self.widths[level - 1])
            for level, layer in enumerate(layers)
            for _, slope in layer
            for j in slope
        )

    def values(self, point: Sequence[Fraction]) -> list[list[Fraction]]:
        """Pre-activations of all layers at a point."""
        return oracles.row_values(self.layers, point)[1]

    def outputs(self, point: Sequence[Fraction]) -> list[Fraction]:
        """What the network computes: the affine map after the last layer, or the outputs of the last layer."""
        variables, _ = oracles.row_values(self.layers, point)
        if self.output is None:
            return variables[self.first(len(self.layers)) :]
        return [sum((w * variables[j] for j, w in slope.items()), b) for b, slope in self.output]


def spelt(value: Fraction) -> int | str:
    """A number of a JSON file."""
    return int(value) if value.denominator == 1 and abs(value) < 1 << 53 else str(value)


def rational(rng: random.Random, size: int = 6) -> Fraction:
    return Fraction(rng.randint(-size, size), rng.choice((1, 1, 2, 3, 4)))


def _entries(rng: random.Random, kind: str) -> Callable[[], Fraction]:
    """Where the numbers of a network come from."""
    if kind == "ternary":
        return lambda: Fraction(rng.randint(-1, 1))
    if kind == "alike":
        sign = rng.choice((-1, 1))
        return lambda: Fraction(sign * rng.randint(1, 9), rng.choice((1, 2, 3)))
    if kind == "long":
        return lambda: Fraction(rng.getrandbits(64) - (1 << 63), 1 << 61)
    if kind == "flat":  # nearly parallel rows
        return lambda: 1 + Fraction(rng.randint(-2, 2), 1 << 40)
    return lambda: rational(rng)


def network(rng: random.Random, widths: Sequence[int], kind: str, skip: bool) -> Net:
    """A random network; ``skip``: layers read all variables before them."""
    number, layers = _entries(rng, kind), list[list[Row]]()
    net = Net(widths[0], layers)
    for level, outputs in enumerate(widths[1:]):
        start, stop = net.first(level), net.first(level) + widths[level]
        columns = range(stop) if skip else range(start, stop)
        rows: list[Row] = []
        for _ in range(outputs):
            slope = {j: w for j in columns if (w := number())}
            bias = number()
            if kind == "degenerate" and rows and rng.random() < 0.6:
                other, c = rng.choice(rows), rng.choice((Fraction(1), Fraction(-1), Fraction(2), Fraction(-1, 3)))
                slope = {j: c * w for j, w in other[1].items()} if rng.random() < 0.8 else {}
                bias = c * other[0] if rng.random() < 0.5 else bias
            if kind == "scaled":
                c = Fraction(2) ** rng.randint(-40, 40)
                slope, bias = {j: c * w for j, w in slope.items()}, c * bias
            if kind == "alike" and rng.random() < 0.5:
                bias *= Fraction(2) ** rng.randint(0, 40)
            rows.append((bias, slope))
        layers.append(rows)
    if rng.random() < 0.5:  # many dead neurons
        for level, layer in enumerate(layers[1:], 1):
            layers[level] = [(b - rng.choice((0, 4, 20)), slope) for b, slope in layer]
    return net


# ---- sets -------------------------------------------------------------------------------------------------------


@dataclass
class Place:
    """A set: as a file says it, and as PPL knows it (or its points, if it is finite)."""

    kind: str
    data: dict[str, Any]
    polyhedron: Any
    points: list[Point]
    rays: list[Point] = field(default_factory=list)
    lines: list[Point] = field(default_factory=list)

    @property
    def dimension(self) -> int:
        return len(self.points[0]) if self.points else self.polyhedron.space_dimension()

    @property
    def is_empty(self) -> bool:
        return not self.points

    def somewhere(self, rng: random.Random) -> Point:
        """A point of the set."""
        if self.polyhedron is None:
            return list(rng.choice(self.points))
        shares = [rng.choice((0, 0, 1, 1, 5)) for _ in self.points]
        shares[rng.randrange(len(shares))] += 1
        total = sum(shares)
        x = [sum((Fraction(s, total) * p[j] for s, p in zip(shares, self.points, strict=True)), Fraction(0))
             for j in range(self.dimension)]  # fmt: skip
        for r in self.rays + self.lines:
            c = Fraction(rng.choice((0, 0, 1, 7)), rng.choice((1, 3)))
            x = [a + c * b for a, b in zip(x, r, strict=True)]
        return x


def _polyhedral(kind: str, data: dict[str, Any], n: int) -> Place:
    """A set given by a box, rows and equalities."""
    rows = [list(map(Fraction, row)) for row in data.get("inequalities", [])]
    for j, (low, high) in enumerate(data.get("box", [])):
        for side, sign in ((low, 1), (high, -1)):
            if side is not None:
                rows.append([-sign * Fraction(side), *(Fraction(sign * (i == j)) for i in range(n))])
    equalities = [list(map(Fraction, row)) for row in data.get("equalities", [])]
    polyhedron = oracles.ppl_polyhedron(rows, n, equalities)
    found = ([], [], []) if polyhedron.is_empty() else oracles.generators(polyhedron, n)
    return Place(kind, {**data, "dimension": n}, polyhedron, *found)


def _given(kind: str, vertices: list[Point], rays: list[Point], lines: list[Point]) -> Place:
    """A set given by generators."""
    data = {"vertices": vertices, "rays": rays, "lines": lines}
    said = {key: [[spelt(x) for x in g] for g in table] for key, table in data.items() if table}
    return Place(kind, said, oracles.ppl_from_generators(vertices, rays, lines), vertices, rays, lines)


def _box(rng: random.Random, n: int) -> list[list[Any]]:
    return [[-rng.randint(0, 3), rng.randint(1, 3)] for _ in range(n)]


def _rows(rng: random.Random, n: int, count: int) -> list[list[Any]]:
    return [[rng.randint(1, 4), *(rng.randint(-2, 2) for _ in range(n))] for _ in range(count)]


def _directions(rng: random.Random, n: int, count: int) -> list[Point]:
    found = [[Fraction(rng.randint(-2, 2)) for _ in range(n)] for _ in range(count)]
    return [r for r in found if any(r)]


def place(rng: random.Random, n: int, kind: str) -> Place:
    """A random set of a kind."""
    if kind == "points":
        points = [[rational(rng, 3) for _ in range(n)] for _ in range(rng.randint(1, 5))]
        return Place(kind, {"points": [[spelt(x) for x in p] for p in points]}, None, points)
    if kind in ("vertices", "cone", "lines"):
        vertices = [[rational(rng, 3) for _ in range(n)] for _ in range(rng.randint(1, n + 2))]
        rays = _directions(rng, n, rng.randint(1, 3)) if kind != "vertices" else []
        lines = _directions(rng, n, 1) if kind == "lines" else []
        return _given(kind, vertices, rays, lines)
    return _polyhedral(kind, _sides(rng, n, kind), n)


def _sides(rng: random.Random, n: int, kind: str) -> dict[str, Any]:
    match kind:
        case "box":
            return {"box": _box(rng, n)}
        case "flat box":
            return {"box": [*_box(rng, n)[1:], ["1/3", "1/3"]]}
        case "scaled box":
            sizes = [Fraction(2) ** rng.randint(-60, 40) for _ in range(n)]
            at = [rng.choice((Fraction(0), c, -c, Fraction(1, 3), -c / 3)) for c in sizes]
            return {"box": [[spelt(a), spelt(a + c)] for a, c in zip(at, sizes, strict=True)]}
        case "half box":
            return {"box": [rng.choice(([0, None], [None, 1], [-1, 1], [None, None])) for _ in range(n)]}
        case "space":
            return {"inequalities": []}
        case "orthant":
            return {"box": [[0, None]] * n}
        case "rows":
            return {"inequalities": _rows(rng, n, n + 2)}
        case "thin rows":  # a sliver between two nearly parallel rows
            row = [rng.randint(-2, 2) for _ in range(n)]
            other = [spelt(-v + Fraction(rng.randint(-1, 1), 1 << 30)) for v in row]
            return {"box": _box(rng, n), "inequalities": [[0, *row], ["1/1099511627776", *other]]}
        case "box and rows":
            return {"box": _box(rng, n), "inequalities": _rows(rng, n, rng.randint(1, 3))}
        case "equalities":
            rows = [[0, *(rng.randint(-2, 2) for _ in range(n))] for _ in range(rng.randint(1, 2))]
            around = rng.choice(({}, {"box": _box(rng, n)}, {"inequalities": _rows(rng, n, 2)}))
            return {**around, "equalities": rows}
        case "empty box":
            return {"box": [*_box(rng, n)[1:], rng.choice(([1, 0], ["1/3", "1/4"], [0, "-1e-40"]))]}
        case "empty rows":
            row = [rng.randint(-2, 2) for _ in range(n - 1)] + [1]
            return {"box": _box(rng, n), "inequalities": [["-1/1000", *row], [0, *(-v for v in row)]]}
        case "empty equalities":
            row = [rng.randint(-2, 2) for _ in range(n - 1)] + [1]
            return {"box": _box(rng, n), "equalities": [[0, *row], [1, *row]]}
        case "empty side":
            return {"box": _box(rng, n), "inequalities": [[-100, 1, *[0] * (n - 1)]]}
        case _:
            return {"box": _box(rng, n), "inequalities": [[-1, *[0] * n]]}


# ---- what is true -----------------------------------------------------------------------------------------------


@dataclass
class Facts:
    """What is known of one neuron: bounds of its supremum and infimum (None: nothing), points, and stability."""

    sup: tuple[Any, Any]  # (at least, at most)
    inf: tuple[Any, Any]
    stable: bool | None
    highest: Point | None
    lowest: Point | None


def at_most(a: Any, b: Any) -> bool:
    """a <= b, with infinities; None is not known."""
    if a is None or b is None:
        return False
    return a == "-inf" or b == INFINITE or (a != INFINITE and b != "-inf" and a <= b)


def less(a: Any, b: Any) -> bool:
    """a < b, likewise."""
    return a is not None and b is not None and not at_most(b, a)


def facts(found: oracles.Range) -> Facts:
    return Facts((found.high,) * 2, (found.low,) * 2, found.stable, found.highest, found.lowest)


def known(net: Net, where: Place, most: int) -> dict[tuple[int, int], Facts] | None:
    """What is true of all neurons; None if that takes more than so many pieces."""
    if where.polyhedron is not None:
        ranges = oracles.ranges(net.layers, where.polyhedron, net.inputs, most)
        if ranges is None:
            return None
        return {(k, i): facts(r) for k, layer in enumerate(ranges, 1) for i, r in enumerate(layer)}
    at = [(net.values(p), p) for p in where.points]
    result = {}
    for level, width in enumerate(net.widths, 1):
        for i in range(width):
            values = [(z[level - 1][i], p) for z, p in at]
            (low, lowest), (high, highest) = min(values), max(values)
            result[level, i] = Facts((high, high), (low, low), high < 0, highest, lowest)
    return result


def said(value: Any) -> Any:
    """A number as a certificate says it; None if it is none."""
    try:
        return None if isinstance(value, (bool, float)) else Fraction(value)
    except (ValueError, TypeError, ZeroDivisionError):
        return None


def truth(claim: Any, known_: dict[tuple[int, int], Facts], empty: bool) -> bool | None:
    """Is a claim true? None: it says nothing, or it is not known."""
    if not isinstance(claim, dict):
        return None
    key = claim.get("layer"), claim.get("neuron")
    if any(isinstance(k, bool) or not isinstance(k, int) for k in key) or (not empty and key not in known_):
        return None
    if empty:  # nothing may be claimed of it, not even what holds of all its points
        return False
    about, parts = known_[key], list[bool | None]()
    zero, (least, most) = Fraction(0), about.sup
    match claim.get("status"):
        case "dead":
            parts.append(True if at_most(most, zero) else False if less(zero, least) else None)
        case "alive":
            parts.append(True if less(zero, least) else False if at_most(most, zero) else None)
        case "active":
            low, high = about.inf
            parts.append(True if at_most(zero, low) else False if less(high, zero) else None)
        case "at most" if (limit := said(claim.get("bound"))) is not None:
            parts.append(True if at_most(most, limit) else False if less(limit, least) else None)
        case "at least" if (limit := said(claim.get("bound"))) is not None:
            low, high = about.inf
            parts.append(True if at_most(limit, low) else False if less(high, limit) else None)
        case _:
            parts.append(None)
    supremum = claim.get("supremum")
    if supremum is not None:
        value = INFINITE if supremum == "inf" else said(supremum)
        if value is None:
            parts.append(None)
        elif less(value, least) or less(most, value):
            parts.append(False)
        else:
            parts.append(True if value == least == most else None)
    if claim.get("stable") is not None:
        unstable = about.stable is False or less(zero, least)  # it may be dead, but not stably; or it is not dead
        stable = False if unstable else about.stable
        parts.append(None if stable is None or not isinstance(claim["stable"], bool) else stable == claim["stable"])
    return False if False in parts else None if None in parts else True


# ---- wide networks ----------------------------------------------------------------------------------------------


def blown(rng: random.Random, core: Net, width: int, spread: int) -> Net:
    """A network as wide as that which computes what the core does: its last layer is that of the core, exactly.

    Neurons are copied with positive factors and the weights on them shared out; the rest are neurons that are always
    silent, neurons that are constant (their effect is taken from the biases after them), and pairs that cancel.
    """
    layers, inner = list[list[Row]](), [[(j, Fraction(1))] for j in range(core.inputs)]
    pads: list[tuple[int, Fraction, Fraction]] = []  # (variable, its constant value, weight for all readers)
    pairs: list[tuple[int, int, Fraction]] = []
    variables = core.inputs
    for level, layer in enumerate(core.layers, 1):
        first = core.first(level - 1)
        rows = []
        for bias, slope in layer:
            new: dict[int, Fraction] = {}
            for j, w in slope.items():
                for k, share in inner[j - first]:
                    new[k] = w * share
            for k, value, w in pads:
                new[k] = w
                bias -= w * value
            for k, other, w in pairs:
                new[k], new[other] = w, -w
            rows.append((bias, new))
        if level == len(core.layers):
            return Net(core.inputs, [*layers, rows])
        wide, inner, pads, pairs = list[Row](), [], [], []
        inner = [[] for _ in rows]
        for i, (bias, slope) in enumerate(rows):
            copies = rng.choice((1, 1, 2, max(1, width // (2 * len(rows)))))
            shares = [Fraction(rng.randint(1, 4)) for _ in range(copies)]
            for share in shares:
                c = Fraction(2) ** rng.randint(-spread, spread)
                inner[i].append((variables + len(wide), share / sum(shares) / c))
                wide.append((c * bias, {k: c * w for k, w in slope.items()}))
        while len(wide) < width:
            c, w = (Fraction(2) ** rng.randint(-spread, spread) for _ in range(2))
            kind = rng.randrange(3)
            if kind == 0:
                pads.append((variables + len(wide), Fraction(0), rng.choice((-1, 1)) * w))
                wide.append((-c, {}))
            elif kind == 1:
                pads.append((variables + len(wide), c, rng.choice((-1, 1)) * w))
                wide.append((c, {}))
            else:
                bias, slope = rng.choice(rows)
                pairs.append((variables + len(wide), variables + len(wide) + 1, w))
                wide += [(c * bias, {k: c * v for k, v in slope.items()})] * 2
        layers.append(wide)
        variables += len(wide)
    raise AssertionError("a network has a layer")


def bias_of(rng: random.Random) -> int | None:
    """How large the biases of a layer are, as :class:`Shape` counts it."""
    return rng.choice((None, None, rng.randint(0, 4), rng.randint(8, 30)))


FINE = (Fraction(1), Fraction(3, 2), Fraction(255, 128), Fraction(65535, 32768))


@dataclass
class Shape:
    """A monotone network in a few numbers, so that it can be changed a little and climbed over.

    Attributes:
        weights: of each layer, binary exponents (weights of odd neurons are ``tilt`` binary places smaller).
        biases: how many binary places a bias is larger than one term of the sum beside it; None: it is 0.
        fine: of each layer, factors in [1, 2) of its weights and of its bias.
        last: sign of the neurons of the last layer.
    """

    inputs: int
    widths: list[int]
    weights: list[int]
    biases: list[int | None]
    fine: list[tuple[Fraction, Fraction]]
    tilt: int
    last: int

    @classmethod
    def random(cls, rng: random.Random) -> Shape:
        depth, same = rng.choice((3, 4, 5, 6)), rng.choice((129, 140, 160, 200))
        widths = [same if rng.random() < 0.6 else rng.randint(129, 200) for _ in range(depth - 1)]
        if depth < 5 and rng.random() < 0.5:
            widths[rng.randrange(depth - 1)] = rng.randint(256, 1000)
        spread, fine = rng.choice((0, 4, 30)), (rng.choice(FINE), rng.choice(FINE))
        biases = [bias_of(rng) for _ in range(depth)]
        if rng.random() < 0.7:  # one layer with large biases, small ones in the others
            biases = [b if b is None or b <= 4 else None for b in biases]
            biases[rng.randrange(depth - 1)] = rng.randint(8, 30)
        return cls(
            rng.randint(1, 2),
            [*widths, rng.randint(1, 2)],
            [rng.randint(-spread, spread) for _ in range(depth)],
            biases,
            [fine if rng.random() < 0.7 else (rng.choice(FINE), rng.choice(FINE)) for _ in range(depth)],
            rng.choice((0, 0, 0, 0, 1, 20)),
            rng.choice((1, 1, -1)),
        )

    def changed(self, rng: Any) -> Shape:
        """A little different."""
        weights, biases, widths, fine = list(self.weights), list(self.biases), list(self.widths), list(self.fine)
        k = rng.randrange(len(weights))
        match rng.randrange(5):
            case 0:
                weights[k] += rng.choice((-8, -2, -1, 1, 2, 8))
            case 1 | 2:
                biases[k] = bias_of(rng)
            case 3:
                fine[k] = rng.choice(FINE), rng.choice(FINE)
            case _:
                widths[rng.randrange(len(widths) - 1)] = rng.choice((129, 140, 160, 200, 256))
        return Shape(self.inputs, widths, weights, biases, fine, rng.choice((self.tilt, 0, 1)), self.last)

    def network(self, top: Sequence[Fraction]) -> Net:
        """``top``: the upper corner of the box, which is positive."""
        net, before, largest = Net(self.inputs, []), range(self.inputs), max(top)
        numbers = zip(self.widths, self.weights, self.biases, self.fine, strict=True)
        for level, (width, e, b, (f, g)) in enumerate(numbers, 1):
            sign, weight = self.last if level == len(self.widths) else 1, f * Fraction(2) ** e
            exponent = (weight * largest).numerator.bit_length() - (weight * largest).denominator.bit_length()
            bias = Fraction(0) if b is None else g * Fraction(2) ** (exponent + b)
            rows = [(sign * bias, dict.fromkeys(before, sign * weight / 2**k)) for k in (0, self.tilt)]
            net.layers.append([rows[i % 2] for i in range(width)])
            largest = bias + len(before) * weight * largest  # about
            before = range(before.stop, before.stop + width)
        return net

    def crowd(self, net: Net, top: Sequence[Fraction]) -> Fraction:
        """How many of its largest terms a value is worth: sums of many equal terms are what overflows."""
        largest = max(top)
        for layer in net.layers:
            largest = max(max(abs(bias), *(abs(w) * largest for w in slope.values())) for bias, slope in layer[:2])
        return abs(net.values(top)[-1][0]) / largest

    def known(self, net: Net, where: Place) -> dict[tuple[int, int], Facts]:
        """All weights of a layer have one sign and those below are positive: the corners of the box tell."""
        corners = [min(where.points), max(where.points)]
        assert all(a <= b for p in where.points for a, b in zip(corners[0], p, strict=True))
        bottom, top = (net.values(c) for c in corners)
        found = {}
        for level, (below, above) in enumerate(zip(bottom, top, strict=True), 1):
            for i, pair in enumerate(zip(below, above, strict=True)):
                ends = corners if pair[0] <= pair[1] else corners[::-1]
                low, high = min(pair), max(pair)
                found[level, i] = Facts((high, high), (low, low), high < 0, ends[1], ends[0])
        return found


def witnessed(net: Net, points: Iterable[Point]) -> dict[tuple[int, int], Facts]:
    """What values at some points tell."""
    found: dict[tuple[int, int], Facts] = {}
    for point in points:
        for level, z in enumerate(net.values(point), 1):
            for i, value in enumerate(z):
                old = found.get((level, i))
                if old is None:
                    found[level, i] = Facts((value, None), (None, value), None, point, point)
                    continue
                if value > old.sup[0]:
                    old.sup, old.highest = (value, None), point
                if value < old.inf[1]:
                    old.inf, old.lowest = (None, value), point
    return found


def wild(rng: random.Random, inputs: int, widths: Sequence[int]) -> Net:
    """A wide network of any signs, its weights spread over many orders of magnitude."""
    net, before = Net(inputs, []), range(inputs)
    for width in widths:
        plus, spread = rng.choice((0.5, 0.9, 1.0)), rng.choice((0, 3, 30))
        pool = [
            (1 if rng.random() < plus else -1)
            * Fraction(rng.randint(1, 9))
            * Fraction(2) ** rng.randint(-spread, spread)
            for _ in range(40)
        ]
        layer = []
        for _ in range(width):
            bias = rng.choice(pool) * Fraction(2) ** rng.choice((0, 0, 10, 30)) * rng.choice((-1, 1, 1))
            layer.append((bias, dict(zip(before, rng.choices(pool, k=len(before)), strict=True))))
        net.layers.append(layer)
        before = range(before.stop, before.stop + width)
    return net


def corners(where: Place, most: int = 8) -> list[Point]:
    """Some corners of a bounded box."""
    sides = [[Fraction(x) for x in side] for side in where.data["box"]]
    return [list(c) for c, _ in zip(product(*sides), range(most), strict=False)]
