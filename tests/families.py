"""Random and degenerate networks and domains for the tests (seeded; small rationals)."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise

from geomrelu import FiniteSet, Network, Polyhedron


def rational(rng, size=6):
    return Fraction(rng.randint(-size, size), rng.choice((1, 1, 2, 3, 4)))


def network(rng, widths, kind):
    """Layers of Fractions; kind: "rational", "ternary", "degenerate" (copies, zeros, parallels) or "scaled"."""
    layers = []
    for inputs, outputs in pairwise(widths):
        if kind == "ternary":
            rows = [[Fraction(rng.randint(-1, 1)) for _ in range(inputs)] for _ in range(outputs)]
            bias = [Fraction(rng.randint(-1, 1)) for _ in range(outputs)]
        else:
            rows = [[rational(rng) for _ in range(inputs)] for _ in range(outputs)]
            bias = [rational(rng) for _ in range(outputs)]
        if kind == "degenerate":
            for i in range(1, outputs):
                what = rng.randrange(5)
                factor = rng.choice((Fraction(1), Fraction(-1), Fraction(2), Fraction(-1, 3)))
                if what == 0:
                    rows[i], bias[i] = [factor * v for v in rows[i - 1]], factor * bias[i - 1]
                elif what == 1:
                    rows[i] = [factor * v for v in rows[i - 1]]
                elif what == 2:
                    rows[i], bias[i] = [Fraction(0)] * inputs, Fraction(rng.randint(-1, 1))
        if kind == "scaled":
            for i in range(outputs):
                factor = Fraction(2) ** rng.randint(-40, 40)
                rows[i], bias[i] = [factor * v for v in rows[i]], factor * bias[i]
        layers.append((rows, bias))
    return layers


def lean(layers, rng):
    """The same network with biases pulled down after the first layer, so that many neurons are dead."""
    return [
        (rows, bias if k == 0 else [b - rng.choice((0, 4, 20)) for b in bias]) for k, (rows, bias) in enumerate(layers)
    ]


def as_network(layers):
    return Network.from_layers([(rows, bias, "relu") for rows, bias in layers])


def domain(rng, n):
    """A random nonempty domain: ``(Polyhedron or FiniteSet, name)``."""
    kind = rng.choice(("box", "box", "flat box", "half box", "R^n", "R+^n", "H", "V", "cone", "points"))
    if kind == "box":
        return Polyhedron.box([(-rng.randint(1, 3), rng.randint(1, 3)) for _ in range(n)]), kind
    if kind == "flat box":
        sides = [(-1, Fraction(1, 2))] * (n - 1) + [(Fraction(1, 3), Fraction(1, 3))]
        return Polyhedron.box(sides), kind
    if kind == "half box":
        return Polyhedron.box([rng.choice(((0, None), (None, 1), (-1, 1), (None, None))) for _ in range(n)]), kind
    if kind == "R^n":
        return Polyhedron.space(n), kind
    if kind == "R+^n":
        return Polyhedron.orthant(n), kind
    if kind == "H":
        rows = [[rng.randint(1, 4), *(rng.randint(-2, 2) for _ in range(n))] for _ in range(n + 2)]
        equalities = [[0, *(rng.randint(-1, 1) for _ in range(n))]] if rng.random() < 0.3 else []
        if all(not any(e[1:]) for e in equalities):
            equalities = []
        return Polyhedron.from_rows(rows, equalities), kind
    if kind == "V":
        return Polyhedron.from_generators([[rational(rng, 3) for _ in range(n)] for _ in range(n + 2)]), kind
    if kind == "cone":
        vertices = [[rational(rng, 2) for _ in range(n)] for _ in range(2)]
        rays = [[rng.randint(-2, 2) for _ in range(n)] for _ in range(2)]
        lines = [[rng.randint(-1, 1) for _ in range(n)]] if rng.random() < 0.3 else []
        return Polyhedron.from_generators(vertices, rays, lines), kind
    return FiniteSet.of([[rational(rng, 3) for _ in range(n)] for _ in range(rng.randint(1, 5))]), kind


def cases(count, seed, widths=((2, 3, 3), (2, 3, 2, 2), (1, 3, 3), (3, 3, 2), (2, 4, 3))):
    """``(layers, network, domain, domain kind, network kind)``."""
    rng = random.Random(seed)
    for k in range(count):
        kind = ("rational", "ternary", "degenerate", "scaled")[k % 4]
        layers = network(rng, rng.choice(widths), kind)
        if rng.random() < 0.5:
            layers = lean(layers, rng)
        where, name = domain(rng, len(layers[0][0][0]))
        yield layers, as_network(layers), where, name, kind


# a network in the NNet format, with bounds, means and ranges of its inputs and its output
NNET = """// a comment
2,2,1,3,
2,3,1,
0,
0.0,-2.0,
4.0,2.0,
2.0,0.0,1.0,
4.0,2.0,5.0,
1.0,1.0,
1.0,-1.0,
-1.0,0.0,
-1.5,
-1.0,
0.0,
1.0,1.0,1.0,
0.1,
"""


def minima(rng, n, pieces, kind):
    """``min(all) - min(some)`` of affine functions of R^n: trees of minima, four neurons each, and a last layer whose
    neurons are at most 0 (and often exactly 0), or their negatives and shifts of both."""

    def value(size=4):
        number = Fraction(rng.randint(-1, 1)) if kind == "ternary" else rational(rng, size)
        return number * (Fraction(2) ** rng.randint(-30, 30) if kind == "scaled" else 1)

    forms = [[value() for _ in range(n + 1)] for _ in range(pieces)]
    some = [rng.randrange(pieces) for _ in range(pieces // 2)]
    if kind == "degenerate":
        forms[1] = list(forms[0])
    # min(a, b) = (s - |d|) / 2 for s = a + b and d = a - b, from the outputs for s, -s, d and -d
    half = [Fraction(1, 2), Fraction(-1, 2), Fraction(-1, 2), Fraction(-1, 2)]
    values = [forms, [forms[k] for k in some]]  # rows over what came before: (b, a...)
    layers = []
    while any(len(rows) > 1 for rows in values):
        rows, now = [], []
        for some_rows in values:
            outputs = []
            for k in range(0, len(some_rows), 2):
                a, b = some_rows[k], some_rows[min(k + 1, len(some_rows) - 1)]
                total, gap = ([x + s * y for x, y in zip(a, b, strict=True)] for s in (1, -1))
                outputs.append(4 * (len(rows) // 4))
                rows += [total, [-v for v in total], gap, [-v for v in gap]]
            now.append(outputs)
        layers.append(([row[1:] for row in rows], [row[0] for row in rows]))
        values = []
        for outputs in now:
            tables = [[Fraction(0)] * (len(rows) + 1) for _ in outputs]
            for table, first in zip(tables, outputs, strict=True):
                table[first + 1 : first + 5] = half
            values.append(tables)
    (low,), (high,) = values
    last = [x - y for x, y in zip(low, high, strict=True)]
    shift = value()
    ends = [last, [-v for v in last], [last[0] + shift, *last[1:]], [-last[0] - shift, *(-v for v in last[1:])]]
    layers.append(([row[1:] for row in ends], [row[0] for row in ends]))
    return layers


def ridges(rng, n, count, kind):
    """Differences of convex functions of few directions: relu(t) - relu(t - 1) - 1 and the like, at most 0 and 0 on
    whole regions."""
    rows, bias, weights, top = [], [], [], Fraction(0)
    for _ in range(count):
        way = [Fraction(rng.randint(-1, 1)) if kind == "ternary" else rational(rng, 3) for _ in range(n)]
        start, step = rational(rng, 2), Fraction(rng.randint(1, 3), 2)
        factor = Fraction(2) ** rng.randint(-30, 30) if kind == "scaled" else Fraction(1)
        rows += [[factor * v for v in way]] * 2
        bias += [factor * start, factor * (start - step)]
        weights += [Fraction(1), Fraction(-1)]
        top += factor * step
    last = ([weights, [-w for w in weights], weights], [-top, Fraction(0), -2 * top])
    return [(rows, bias), last]
