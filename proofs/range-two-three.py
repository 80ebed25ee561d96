# %% [markdown]
# # The range of P(2, 3) over all laws
#
# **Notation.** Width 2, depth 3, $S_0 = \mathbb R^2$; alive is absorbing: every layer is positive somewhere on the
# image of the layers before it. An orbit fixes the magnitudes of all 18 parameters; layer 1 has 64 sign choices, layers
# 2 and 3 have 4096.
#
# **Statement.** For all generic magnitudes at least 3750 and at most 3828 of the 4096 sign choices of layers 2 and 3
# are alive, whatever those of layer 1. Hence for every law with independent symmetric parameters without atoms
# $$\frac{3750}{4096} \le P(2, 3) \le \frac{3828}{4096},$$
# and both ends are attained on open sets of magnitudes. (Rister & Rubin: between $\ell(2,3) = 0.4219$ and $v(2,3) =
# 0.9690$.)

# %%
from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import combinations, pairwise, product
from math import lcm

import numpy as np
import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.random_networks.orbit import alive_orbit

claim = Claim(
    label="range-two-three",
    title="The range of P(2, 3)",
    statement="S_0 = R^2: 3750/4096 <= P(2, 3) <= 3828/4096 for every law; both ends are sharp",
    latex=r"S_0 = \mathbb R^2:\quad \tfrac{3750}{4096} \le P(2, 3) \le \tfrac{3828}{4096}",
    source="new (after Rister & Rubin, section 5)",
    hypotheses=("width 2, depth 3", "S_0 = R^2", "parameters independent, symmetric", "no atoms"),
    uses=("tight-at-two",),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (layer 1).** For generic magnitudes its matrix is invertible for all signs: the image of $\mathbb R^2$ is the
# closed orthant, and the layer lives.
#
# **Step 2 (normal form).** Scale the two inputs and two outputs of layer 2 and each neuron of layer 3: layer 2 has the
# magnitudes $(1, 1; 1)$, $(b, c; 1)$ (weights; bias), a neuron of layer 3 has $(u, v; 1)$, all positive. Put $P = 1/v$,
# $Q = 1/u$.
#
# **Step 3 (decoupling).** Let $D(b, c, u, v) \in \mathbb Z^{64}$ list, for the sign choices of layer 2, how many of the
# 8 sign choices of one neuron of layer 3 are dead on the image $S_2$; 8 if layer 2 is dead, which is the one choice of
# six minus signs. The two neurons of layer 3 have independent signs, so
# $$\#\text{dead} = \langle D(b, c, u, v), D(b, c, u', v') \rangle .$$
#
# **Step 4 (walls).** $S_2$ is the image of the orthant under $x \mapsto (\max(p, 0), \max(q, 0))$, which is linear on
# the pieces between $p = 0$ and $q = 0$; all pieces are pointed. So a neuron is dead if and only if it is at most 0 at
# the images of the vertices and its rate is at most 0 along the images of the rays. Vertices: the origin; on the first
# axis $p = 0$ at $1$, $q = 0$ at $1/b$, on the second at $1$ and $1/c$; and $p = q = 0$, which is sent to 0, and lies
# in the orthant or not according to the signs of $b - 1$, $c - 1$, $b - c$. Rays: the axes, and those along $p = 0$ and
# $q = 0$, where one coordinate grows, or none, according to the sign of $b - c$. The values of the neuron there are
# $\pm 1$, $\pm u \pm 1$, $\pm v \pm 1$, $\pm u \pm v \pm 1$, and for $g = b$ and $g = c$ $\pm v |1 \pm g| \pm 1$, $\pm
# u |1 \pm 1/g| \pm 1$, and the rates $\pm u \pm v g$. So $D$ depends only on the signs of $b - 1$, $c - 1$, $b - c$, of
# $u - 1$, $v - 1$, $u + v - 1$, $u - v - 1$, $v - u - 1$, and on the position of $b$ and of $c$ among the *cut points*
# $1,\ 1 + P,\ |1 - P|,\ \frac1{1 + Q},\ \frac1{|1 - Q|},\ \frac PQ$.
#
# **Step 5 (cells).** Two cut points are equal, or one is 0 or infinite, or one of the five other forms is 0, only on 11
# curves in the quadrant $P, Q > 0$, each of degree at most 1 in $Q$ (SymPy, below). Resultants in $Q$ of two of them,
# leading and constant coefficients have 9 positive roots altogether. Over each of the 10 intervals between them the
# curves keep their order. So one $P$ in each interval, and one $Q$ between consecutive curves over it, meet every open
# cell of the quadrant: 80 cells. In each cell let $b$ and $c$ run through the 7 intervals between cut points, in both
# orders where they share one: 56 places. So 4,480 rational samples meet every class of generic $(b, c, u, v)$.
#
# **Step 6 (the ends).** By Cauchy and Schwarz $\langle D, D' \rangle \le \max(|D|^2, |D'|^2)$, and $|D|^2 \le 346$ at
# each sample: at least $4096 - 346 = 3750$ are alive. And $\langle D, D' \rangle \ge 268$ for any two samples with the
# same signs of $b - 1$, $c - 1$, $b - c$ (which are more pairs than those with the same $b$, $c$): at most
# $4096 - 268 = 3828$. Both are attained by the examples below, and near them, where no sign changes. For a law without
# atoms the magnitudes are generic almost surely. $\square$

# %%
P, Q = sympy.symbols("P Q", positive=True)
BRANCHES = [[sympy.Integer(1)], [1 + P], [1 - P, P - 1], [1 / (1 + Q)], [1 / (1 - Q), 1 / (Q - 1)], [P / Q]]
OTHERS = [1 - Q, 1 - P, P + Q - P * Q, P - Q - P * Q, Q - P - P * Q]  # u - 1, v - 1, u + v - 1, ..., times P Q


@cache
def curves() -> tuple[sympy.Poly, ...]:
    """Where cut points meet, are 0 or infinite, or another form is 0: factors that vanish somewhere if P, Q > 0."""
    meeting = [x - y for one, two in combinations(BRANCHES, 2) for x in one for y in two]
    meeting += [x for one in BRANCHES for x in one] + [1 / x for one in BRANCHES for x in one] + OTHERS
    found = {}
    for expression in meeting:
        for factor, _ in sympy.factor_list(sympy.numer(sympy.together(expression)), P, Q)[1]:
            poly = sympy.Poly(factor, P, Q)
            if len({c > 0 for c in poly.coeffs()}) == 2:  # both signs: otherwise no zero in the quadrant
                poly = poly if poly.LC() > 0 else -poly
                found[poly.as_expr()] = poly
    return tuple(found.values())


@cache
def critical() -> tuple[sympy.Expr, ...]:
    """The positive P over which curves cross, begin or end."""
    parts = []
    for curve in curves():
        in_q = sympy.Poly(curve.as_expr(), Q)
        parts += [in_q.LC(), in_q.nth(0)]
    parts += [sympy.resultant(f.as_expr(), g.as_expr(), Q) for f, g in combinations(curves(), 2)]
    roots = {root for part in parts if part.has(P) for root in sympy.real_roots(sympy.Poly(part, P)) if root > 0}
    return tuple(sorted(roots))


def between(low: Fraction | None, high: Fraction | None) -> Fraction:
    """The simplest rational strictly between; None: 0 and infinity."""
    if high is None:
        return Fraction(int(low or 0) + 1)
    low, denominator = low or Fraction(0), 1
    while True:
        numerator = int(low * denominator) + 1
        if Fraction(numerator, denominator) < high:
            return Fraction(numerator, denominator)
        denominator += 1


def bracket(low: sympy.Expr | None, high: sympy.Expr | None) -> Fraction:
    """The same between real algebraic numbers: these are exact comparisons of SymPy."""
    if high is None:
        return Fraction(int(sympy.floor(low)) + 1)
    denominator = 1
    while True:
        numerator = int(sympy.floor((low or sympy.Integer(0)) * denominator)) + 1
        if bool(sympy.Rational(numerator, denominator) < high):
            return Fraction(numerator, denominator)
        denominator += 1


@cache
def cells() -> tuple[tuple[Fraction, Fraction], ...]:
    """A rational (P, Q) in each open cell."""
    found = []
    for low, high in pairwise([None, *critical(), None]):
        p = bracket(low, high)
        roots = set()
        for curve in curves():
            in_q = sympy.Poly(curve.as_expr().subs(P, sympy.Rational(p.numerator, p.denominator)), Q)
            if in_q.degree() == 1:
                root = -in_q.nth(0) / in_q.nth(1)
                roots |= {Fraction(int(root.p), int(root.q))} if root > 0 else set()
        found += [(p, between(left, right)) for left, right in pairwise([None, *sorted(roots), None])]
    return tuple(found)


def places(p: Fraction, q: Fraction) -> Iterator[tuple[Fraction, Fraction]]:
    """(b, c) in every interval between cut points, in both orders where they share one."""
    cuts = sorted({Fraction(1), 1 + p, abs(1 - p), 1 / (1 + q), 1 / abs(1 - q), p / q})
    ends = [None, *cuts, None]
    inside = [between(low, high) for low, high in pairwise(ends)]
    for (i, b), (j, c) in product(enumerate(inside), repeat=2):
        if i == j:
            more = between(b, ends[i + 1])
            yield from ((b, more), (more, b))
        else:
            yield b, c


@cache
def samples() -> tuple[tuple[Fraction, Fraction, Fraction, Fraction], ...]:
    return tuple((b, c, p, q) for p, q in cells() for b, c in places(p, q))


# %% [markdown]
# $D$ at all samples at once, in integers. For $b = b_n/B$, $c = c_n/B$, $P = P_n/R$, $Q = Q_n/R$ a neuron of layer 3
# has the sign of $\pm P_n R\, Y_1 \pm Q_n R\, Y_2 \pm P_n Q_n B\, s$ at the generator $(s, Y_1, Y_2)$, with both
# outputs multiplied by $B$. (Generators that belong to the orthant but are no vertices do no harm.)


# %%
SIGNS = list(product((1, -1), repeat=6))  # of layer 2: weights and bias of p, weights and bias of q
NEURON = np.array(list(product((1, -1), repeat=3)))


def dead_choices(points: Sequence[tuple[Fraction, Fraction, Fraction, Fraction]]) -> np.ndarray:
    """D, shape (samples, 64), for (b, c, P, Q)."""
    whole = [(lcm(b.denominator, c.denominator), lcm(p.denominator, q.denominator)) for b, c, p, q in points]
    scaled = [
        (int(b * x), int(c * x), x, int(p * y), int(q * y), y)
        for (b, c, p, q), (x, y) in zip(points, whole, strict=True)
    ]
    largest = max(max(row) for row in scaled)
    kind = np.int64 if 12 * largest**4 < 1 << 62 else object  # two factors of layer 2, two of layer 3
    b, c, B, p, q, r = np.array(scaled, dtype=kind).T
    one, zero = np.ones_like(b), np.zeros_like(b)
    generators = [(one, zero, zero), (one, one, zero), (b, B, zero), (one, zero, one), (c, zero, B)]
    generators += [(zero, one, zero), (zero, zero, one), (zero, one, one), (zero, c, b)]
    found = np.full((len(points), 64), 8)
    for k, (a1, a2, a0, e1, e2, e0) in enumerate(SIGNS[:-1]):  # the last is dead
        dead = np.ones((8, len(points)), dtype=bool)
        for s, x, y in generators:
            first = B * np.maximum(a1 * x + a2 * y + a0 * s, 0)
            second = np.maximum(e1 * b * x + e2 * c * y + e0 * B * s, 0)
            for i, (f, g, h) in enumerate(NEURON):
                dead[i] &= f * p * r * first + g * q * r * second + h * p * q * B * s <= 0
        # the crossing p = q = 0 is sent to 0, where a neuron with a positive bias lives
        det = a1 * e2 * c - a2 * e1 * b
        x, y = -a0 * e2 * c + a2 * e0 * B, -a1 * e0 * B + e1 * b * a0
        inside = (x * np.sign(det) >= 0) & (y * np.sign(det) >= 0) & (det != 0)
        dead[NEURON[:, 2] > 0] &= ~inside
        found[:, k] = dead.sum(axis=0)
    return found


def signs(b: Fraction, c: Fraction) -> tuple[bool, bool, bool]:
    return b > 1, c > 1, b > c


def extremes(d: np.ndarray) -> tuple[int, int, int]:
    """The largest |D|^2, the least |D|^2, and the least <D, D'> over pairs with the same signs."""
    squares = (d * d).sum(axis=1)
    groups: dict[tuple[bool, bool, bool], list[int]] = {}
    for k, (b, c, _, _) in enumerate(samples()):
        groups.setdefault(signs(b, c), []).append(k)
    least = min(int((d[group] @ d[group].T).min()) for group in groups.values())
    return int(squares.max()), int(squares.min()), least


@claim.derive("curves")
def walls(depth: str) -> Iterator[tuple[object, ...]]:
    """Step 4: the values of a neuron vanish at the cut points. Step 5: where these meet are the curves, one by one."""
    u, v, g = 1 / Q, 1 / P, sympy.Symbol("g", positive=True)
    yield "v |1 - g| = 1 at 1 + P", v * (g - 1) - 1, (g - (1 + P)) / P
    yield "v |1 - g| = 1 at 1 - P", v * (1 - g) - 1, (1 - P - g) / P
    yield "v (1 + g) = 1 at P - 1", v * (1 + g) - 1, (g - (P - 1)) / P
    yield "u |1 - 1/g| = 1 at 1/(1 + Q)", u * (1 / g - 1) - 1, (1 + Q) / (g * Q) * (1 / (1 + Q) - g)
    yield "u |1 - 1/g| = 1 at 1/(1 - Q)", u * (1 - 1 / g) - 1, (1 - Q) / (g * Q) * (g - 1 / (1 - Q))
    yield "u (1 + 1/g) = 1 at 1/(Q - 1)", u * (1 + 1 / g) - 1, (Q - 1) / (g * Q) * (1 / (Q - 1) - g)
    yield "u = v g at P/Q", u - v * g, (P / Q - g) / P
    named = (
        ((1 + P) - 1 / (Q - 1), (P * Q - P + Q - 2) / (Q - 1)),
        (1 - 1 / (Q - 1), (Q - 2) / (Q - 1)),
        ((P - 1) - 1 / (1 + Q), (P * Q + P - Q - 2) / (1 + Q)),
        ((P - 1) - 1, P - 2),
        (1 - v, (P - 1) / P),
        (1 - u - v, (P * Q - P - Q) / (P * Q)),
        (1 - u, (Q - 1) / Q),
        (1 / (Q - 1) - (1 - P), (P * Q - P - Q + 2) / (Q - 1)),
        (P / Q - (1 - P), (P * Q + P - Q) / Q),
        (P / Q - 1, (P - Q) / Q),
        ((1 + P) - P / Q, (P * Q - P + Q) / Q),
    )
    yield from named
    known = {curve.as_expr() for curve in curves()}
    found = {factor for _, right in named for factor, _ in sympy.factor_list(sympy.numer(right))[1]}
    yield sympy.Integer(len(known & found)), sympy.Integer(11)
    yield sympy.Integer(len(known)), sympy.Integer(11)
    yield sympy.Integer(max(curve.degree(Q) for curve in curves())), sympy.Integer(1)


# %% [markdown]
# ## Enumeration
#
# The counts of the cells; the extremes; and $D$ against the walk over images of
# `geomrelu.random_networks.stably_unactivated`, which knows nothing of normal forms: at some samples (`--thorough`:
# all), with the two neurons of layer 3 equal. Then the two examples, and random networks.


# %%
@claim.enumerate("extremes over all cells")
def ends(depth: str) -> Iterator[tuple[object, ...]]:
    yield "critical values of P", len(critical()), 9
    yield "cells", len(cells()), 80
    yield "samples", len(samples()), 4480
    largest, smallest, least = extremes(dead_choices(samples()))
    yield "alive at least", 4096 - largest, 3750
    yield "alive at most", 4096 - least, 3828
    yield "alive at most, equal neurons in layer 3", 4096 - smallest, 3804


ORTHANT = Polyhedron.from_rows([[0, 1, 0], [0, 0, 1]])


@claim.enumerate("samples walked")
def walked(depth: str) -> Iterator[tuple[object, ...]]:
    chosen = samples() if depth == "thorough" else samples()[::149]
    d = dead_choices(chosen)
    for (b, c, p, q), row in zip(chosen, d, strict=True):
        layers = [([[1, 1], [b, c]], [1, 1]), ([[1 / q, 1 / p]] * 2, [1, 1])]
        yield alive_orbit(layers, ORTHANT)[0], 4096 - int((row * row).sum())


LOW = [([[1, 1], [1, 2]], [1, 4]), ([[48, 1], [48, 1]], [16, 16])]
HIGH = [([[1, 1], [4, 1]], [1, 2]), ([[7, 10], [21, 7]], [140, 6])]


@claim.enumerate("networks")
def networks(depth: str) -> Iterator[tuple[object, ...]]:
    yield "attained: least", alive_orbit(LOW, ORTHANT)[0], 3750
    yield "attained: most", alive_orbit(HIGH, ORTHANT)[0], 3828
    rng = np.random.default_rng(199)
    for _ in range(400 if depth == "thorough" else 15):
        # seven to nine digits: of three digits at most, one in 400 is not generic, and has 3743
        sizes = np.rint(10 ** rng.uniform(6, 9, (2, 2, 3))).astype(int).tolist()
        alive, _ = alive_orbit([([row[:2] for row in layer], [row[2] for row in layer]) for layer in sizes], ORTHANT)
        yield alive, ">=", 3750
        yield alive, "<=", 3828
    if depth == "thorough":  # all 2^18 signs, layer 1 included
        yield "all three layers", alive_orbit([([[3, 1], [1, 2]], [1, 5]), *LOW], Polyhedron.space(2))[0], 64 * 3750


# %% [markdown]
# ## Neighbours that fail
#
# *Depth 3*: with two layers all orbits have $4032 = 4096 \cdot \frac{63}{64}$. *The plane*: at a point $\frac{27}{64}$
# are alive (far out: generic). *Symmetric*: all signs positive are always alive. *No atoms*: with a 0 among the weights
# fewer are.


# %%
@claim.neighbour("width 2, depth 3")
def depth_two(depth: str) -> Iterator[tuple[object, ...]]:
    alive, size = alive_orbit([([[3, 1], [1, 2]], [1, 5]), ([[1, 1], [1, 2]], [1, 4])], Polyhedron.space(2))
    yield Fraction(alive, size), "<=", Fraction(3828, 4096)


@claim.neighbour("S_0 = R^2")
def smaller(depth: str) -> Iterator[tuple[object, ...]]:
    alive, size = alive_orbit([([[3, 1], [1, 2]], [1, 5]), *LOW], FiniteSet.of([[101, 57]]))
    yield Fraction(alive, size), ">=", Fraction(3750, 4096)


@claim.neighbour("parameters independent, symmetric")
def positive(depth: str) -> Iterator[tuple[object, ...]]:
    """One sign choice of 4096, that of a law on the positive numbers."""
    values = np.ones(2)
    for weights, bias in LOW:
        values = np.maximum(np.array(weights) @ values + bias, 0)
    yield int(values.max() > 0), "<=", Fraction(3828, 4096)


@claim.neighbour("no atoms")
def zero(depth: str) -> Iterator[tuple[object, ...]]:
    layers = [([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1]], [0, 0])]
    yield Fraction(*alive_orbit(layers, ORTHANT)), ">=", Fraction(3750, 4096)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
