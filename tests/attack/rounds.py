"""Balls and ellipsoids to lie about, with what is true there. Nothing here imports geomrelu.

In one dimension they are intervals, of which PPL knows everything. Else layer 1 is known by its closed form, to 200
binary digits, and deeper layers by values at rational points, many of them on the edge.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fractions import Fraction
from math import isqrt
from typing import Any

import oracles

from attack import networks
from attack.networks import Facts, Net, Place, Point, spelt

DIGITS = 200


@dataclass
class Round(Place):
    """{center + shape u : |u|^2 <= square}, where centred for u that add up to 0; points are rational, each with its u.

    A square is that of ``radius``, or (radius None) a number without a rational root.
    """

    center: Point = field(default_factory=list)
    shape: list[Point] = field(default_factory=list)
    square: Fraction = Fraction(1)
    centred: bool = False
    us: dict[tuple[Fraction, ...], Point] = field(default_factory=dict)

    @property
    def width(self) -> int:
        return len(self.shape[0])

    def at(self, u: Point) -> Point:
        return [c + sum((a * b for a, b in zip(row, u, strict=True)), Fraction(0))
                for c, row in zip(self.center, self.shape, strict=True)]  # fmt: skip

    def draw(self, rng: random.Random) -> Point:
        """A rational u of the set, often on its edge or nearly so."""
        u = [Fraction(rng.randint(-5, 5)) for _ in range(self.width)]
        if self.centred:
            mean = sum(u, Fraction(0)) / len(u)
            u = [v - mean for v in u]
        size = sum((v * v for v in u), Fraction(0))
        if not size:
            return u
        share = rng.choice((Fraction(1), Fraction(1), Fraction(1, 2), Fraction(1, 7), 1 - Fraction(1, 1 << 30)))
        n, d = (self.square / size).as_integer_ratio()
        factor = share * Fraction(isqrt(n * d << 80), d << 40)  # exact, if the root is rational
        return [factor * v for v in u]

    def somewhere(self, rng: random.Random) -> Point:
        u = self.draw(rng)
        x = self.at(u)
        self.us[tuple(x)] = u
        return x

    def said(self, rng: random.Random, x: Point) -> Any:
        """A point as a claim says it: by its u, if that is known; now and then by what must be refused."""
        u = self.us.get(tuple(x))
        if u is None or rng.random() < 0.05:
            return [str(v) for v in x]
        if rng.random() < 0.15:
            u = list(u)
            u[rng.randrange(len(u))] += Fraction(rng.choice((-1, 1)), 2 ** rng.choice((1, 20, 60, 100)))
        return {"ball": [str(v) for v in u]}

    def extremes(self, bias: Fraction, slope: dict[int, Fraction]) -> tuple[Fraction, Fraction, Fraction]:
        """Of an affine form: its value at the center, and the root of q between two rationals (equal, if exact)."""
        m = bias + sum((w * self.center[j] for j, w in slope.items()), Fraction(0))
        along = [sum((w * self.shape[j][k] for j, w in slope.items()), Fraction(0)) for k in range(self.width)]
        mean = sum(along, Fraction(0)) / self.width if self.centred else Fraction(0)
        n, d = (self.square * sum(((v - mean) ** 2 for v in along), Fraction(0))).as_integer_ratio()
        root = isqrt(n * d << 2 * DIGITS)
        return m, Fraction(root, d << DIGITS), Fraction(root + (root * root < n * d << 2 * DIGITS), d << DIGITS)

    def radius(self, rng: random.Random, bias: Fraction, slope: dict[int, Fraction]) -> Any:
        """{"ball": t} near the root of q."""
        _, low, high = self.extremes(bias, slope)
        t = rng.choice((high, high, low, high * (1 + Fraction(1, 1 << 40)), 2 * high + 1, low * (1 - Fraction(1, 99))))
        return {"ball": str(rng.choice((t, t, t, t, t, -t, Fraction(0))))}


def make(rng: random.Random, n: int) -> Round:
    """A random one."""
    kind = rng.choice(("ball", "ball", "diagonal", "dense", "dense", "wide", "scaled")) if n > 1 else "interval"
    center = [networks.rational(rng, 3) for _ in range(n)]
    width = {"dense": n, "wide": n + 2}.get(kind, n)
    centred = width > 1 and rng.random() < 0.3
    root = Fraction(rng.randint(0, 6), rng.choice((1, 2, 3)))
    square = root * root if n == 1 or rng.random() < 0.5 else Fraction(rng.randint(1, 9), rng.choice((1, 2, 3)))

    def number() -> Fraction:
        return networks.rational(rng, 2) * (Fraction(2) ** rng.randint(-40, 20) if kind == "scaled" else 1)

    if kind in ("dense", "wide"):
        shape = [[number() for _ in range(width)] for _ in range(n)]
    else:
        entries = [Fraction(1) if kind == "ball" else number() for _ in range(n)]
        shape = [[entries[j] if j == k else Fraction(0) for k in range(n)] for j in range(n)]
    data: dict[str, Any] = {"center": [spelt(c) for c in center], "square": spelt(square)}
    if kind != "ball" or rng.random() < 0.5:
        plain = kind in ("ball", "diagonal", "scaled", "interval") and rng.random() < 0.5
        data["shape"] = [spelt(shape[j][j]) for j in range(n)] if plain else [[spelt(v) for v in row] for row in shape]
    if centred or rng.random() < 0.2:
        data["centred"] = centred
    found = Round(kind, data, None, [], center=center, shape=shape, square=square, centred=centred)
    if n == 1:
        ends = [found.at([sign * root]) for sign in (-1, 1)]
        found.us = {tuple(x): [sign * root] for x, sign in zip(ends, (-1, 1), strict=True)}
        found.polyhedron, found.points = oracles.ppl_from_generators(ends, [], []), ends
    else:
        found.points = [list(center), *(found.somewhere(rng) for _ in range(40))]
        found.us[tuple(center)] = [Fraction(0)] * width
    return found


def known(net: Net, where: Round, most: int) -> dict[tuple[int, int], Facts] | None:
    """What is true of all neurons."""
    if where.polyhedron is not None:
        return networks.known(net, where, most)
    found = networks.witnessed(net, where.points)
    for i, row in enumerate(net.layers[0]):
        m, low, high = where.extremes(*row)
        about = found[1, i]
        about.sup, about.inf = (m + low, m + high), (m - high, m - low)
        about.stable = True if m + high < 0 else False if m + low >= 0 else None
    return found


# ---- questions with known answers -------------------------------------------------------------------------------


def questions() -> list[tuple[Any, Any, list[Any], Any]]:
    """``(model, domain, points, claim)`` about balls, for judges that were changed somewhere; some are proved."""
    found: list[tuple[Any, Any, list[Any], Any]] = []
    disc = {"center": [0, 0], "square": 1}
    moved = {"center": ["1/2", -1], "shape": [[1, 2], ["1/3", 0]], "square": "9/4", "dimension": 2}
    image = {"center": [0, "1/2", 0], "shape": [1, 2, 0], "square": 3, "centred": True}
    line, wide = {"center": [1], "shape": [2], "square": "1/4"}, {"center": [0], "shape": [[3, 4]], "square": 1}

    def ask(bias: Any, row: list[Any], where: Any, points: list[Any], *claims: dict[str, Any]) -> None:
        model = {"layers": [{"weights": [row, [0] * len(row)], "bias": [bias, 0]}]}
        found.extend((model, where, points, {"layer": 1, "neuron": 0, **claim}) for claim in claims)

    dead, stable = {"status": "dead", "proof": [{}]}, {"status": "dead", "stable": True, "proof": [{}]}
    inside: list[Any] = [{"ball": ["3/5", "4/5"]}, {"ball": ["3/5", "81/100"]}, {"ball": ["0", "0"]}, ["0", "0"]]
    for bias in (-5, "-4.999", "-5.001"):
        tops = [{"status": "dead", "supremum": str(s), "proof": [{}], "point": {"ball": t}}
                for s in (0, "-1/1000", 1) for t in ("5", "6", "4.9", "0", "-5")]  # fmt: skip
        alive = [{"status": "alive", "point": p} for p in (0, 1, 2, 3, {"ball": "5"}, {"ball": "4.99"}, "corner")]
        touching = [{"status": "dead", "stable": False, "proof": [{}], "point": p} for p in (0, 2, {"ball": "5"})]
        ask(bias, [3, 4], disc, inside, dead, stable, *tops, *alive, *touching)
    p, q = 1, 1
    for k in range(60):  # next to the root of 2, on both sides
        if k in (0, 1, 2, 3, 30, 31, 58, 59):
            ask(f"-{p}/{q}", [1, 1], disc, [], dead, stable, {"status": "active", "proof": [{}]})
        p, q = p + 2 * q, p + q
    some = [{"status": "alive", "point": {"ball": t}} for t in ("1/2", "3", "1/3")]
    ask("1/100", ["1/4", 0], disc, [], *some)
    ask(-2, [3, 0], disc, [], *some)
    limits = [{"status": kind, "bound": str(b), "proof": [{}]} for kind in ("at most", "at least")
              for b in (0, "5/2", "7/2", 4, "-7/2", -4, -6, "-13/2")]  # fmt: skip
    points: list[Any] = [{"ball": ["1", "-1", "0"]}, {"ball": ["1", "0", "0"]}, {"ball": ["1", "-1"]}, {"ball": "2"}]
    supremum = [{"status": "alive", "supremum": s, "proof": [{}], "point": p} for s in ("2", "1", "3")
                for p in ({"ball": "3"}, {"ball": "2"}, {"ball": "6"}, 0)]  # fmt: skip
    ask(-1, [1, "1/2", 7], image, points, *limits, *supremum, dead)
    ask(0, [2, -1, 3], image, points, *limits, *supremum, {"status": "alive", "point": 0})
    ask(-1, [3, 1], {"center": [0, 0], "square": 2, "centred": True}, [{"ball": ["1", "-1"]}, {"ball": ["1", "0"]}],
        *supremum, *limits, {"status": "alive", "point": 1})  # fmt: skip
    for where, row in ((moved, [1, "-1/2"]), (line, [1]), (wide, [1])):
        ask("1/3", row, where, [{"ball": ["1/2"]}, {"ball": ["3/5", "4/5"]}], *limits, dead, *supremum)
    cuts: list[Any] = [{"split": ["x", 0, "1/2"]}, {"derive": [[1]]}, {"derive": [[1]]}]
    deep = {"layers": [{"weights": [[3, 4], [1, -1]], "bias": ["-1/3", "1/7"]}, {"weights": [[1, -2]], "bias": [-9]}]}
    for proof in ([{"derive": [[1]]}], cuts, [{"split": ["x", 0, 2]}, {}, {}], [{"derive": [[1]], "coarse": [""]}]):
        for bound in ("-13/3", "-4.3333333", "-4.33", -4):
            claim = {"layer": 2, "neuron": 0, "status": "at most", "bound": str(bound), "proof": proof}
            found.append((deep, disc, [], claim))
    found += [(deep, disc, [], {"layer": 2, "neuron": 0, "status": "alive", "point": {"ball": "1"}})]
    return found


def shown(domain: Any) -> Any:
    """What a judge has read."""
    return domain.digest(), str((domain.lower, domain.upper))


def bounded() -> list[tuple[Any, Any, Any, int, int, int]]:
    """``(model, domain, proof, layer, 0, sign)``: bounds of neuron 0, which are known to the last digit."""
    disc = {"center": [0, 0], "square": 1}
    image = {"center": [0, "1/2", 0], "shape": [1, 2, 0], "square": 3, "centred": True}
    models = [{"layers": [{"weights": [row], "bias": [b]}, {"weights": [[-1]], "bias": [1]}]}
              for row, b in (([1, 1], -1), ([3, "1/7"], 0), ([1, 0], "1/3"))]  # fmt: skip
    models += [{"layers": [{"weights": [[1, 2, 3]], "bias": ["-1/9"]}, {"weights": [[2]], "bias": [1]}]}]
    split = [{"split": ["neuron", 1, 0], "derive": [[1]]}, {"splits": {"0": "1/2"}}, {"splits": {"0": "1/3"}}]
    return [
        (model, image if k == 3 else disc, proof, level, 0, sign)
        for k, model in enumerate(models)
        for proof, level in (([{}], 1), ([{"derive": [[1]]}], 2), (split, 2))
        for sign in (1, -1)
    ]


def malformed() -> list[Any]:
    """Data that are no ball, and some that are."""
    center = {"center": [0, 0], "square": 1}
    return [
        center, {**center, "shape": [1, 1]}, {**center, "shape": [[1, 0], [0, 1]]}, {**center, "centred": False},
        {**center, "centred": True}, {**center, "square": 0}, {**center, "square": "1/2"}, {**center, "dimension": 2},
        {"center": [0, 0]}, {"square": 1}, {**center, "square": -1}, {**center, "centred": 1}, {**center, "shape": 1},
        {**center, "center": []}, {**center, "shape": [1]}, {**center, "shape": [[], []]}, {**center, "dimension": 3},
        {**center, "shape": [[1], 2]}, {**center, "shape": [1, [2]]}, {**center, "box": [[0, 1]] * 2},
        {**center, "points": [[0, 0]]}, {**center, "center": ["1/3", "-2/7"], "shape": [[2, "1/9", 0], [0, 1, 5]]},
    ]  # fmt: skip
