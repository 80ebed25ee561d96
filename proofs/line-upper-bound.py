# %% [markdown]
# # One input: an upper bound
#
# **Notation.** As in [`line-lower-bound`](line-lower-bound.py): $f = \sum_i t_i (s_i z_i)_+ + e |c|$ on $\mathbb R$
# with $z_i = a_i (x - x_i)$, $a_i > 0$; $X$ is the set of the $m = n_1$ neurons, $T(X)$ the number of good choices of
# its orbit, always with $e\,|c|$; $T(\emptyset) = 1$.
#
# **Statement.** For all generic magnitudes with $m \le 3$, and for all $m$ if the slopes but for the three smallest are
# *superincreasing* ($a_4 > a_1 + a_2 + a_3$, $a_5 > a_1 + \dots + a_4$, ..., in the order of size; no condition on the
# positions $x_i$ or on $c$),
# $$T \le \frac{4^m + 2}3, \qquad P(\text{stably unactivated}) \le \tfrac16 + \tfrac13 4^{-n_1},$$
# the latter for independent symmetric rows and parameters. It is attained for every $m$. Stably unactivated is an open
# condition, so $T$ at any magnitudes is at most $T$ at generic ones near them, and the bound holds with atoms. (For all
# slopes and all $m$: [`line-upper-bound-general`](line-upper-bound-general.py).)

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import combinations, pairwise, product

import numpy as np
import sympy

from geomrelu.claims.registry import Claim
from geomrelu.exact.linear_programs import maximise
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.stably_unactivated import stably_unactivated_orbit

claim = Claim(
    label="line-upper-bound",
    title="One input: an upper bound",
    statement="n0 = 1, and n1 <= 3 or superincreasing slopes: P(stably unactivated) <= 1/6 + 4^-n1 / 3; attained",
    latex=r"n_0 = 1:\quad P(\text{stably unactivated}) \le \tfrac16 + \tfrac13 4^{-n_1}",
    source="new (after Brownlowe et al., conjecture 1.3)",
    hypotheses=(
        "n0 = 1",
        "domain R",
        "n1 <= 3, or superincreasing slopes (needed: not known)",
        "first-layer rows and second-layer parameters independent, symmetric",
    ),
    uses=("line-lower-bound",),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (a large slope).** If $a_i > \sum_{j \ne i} a_j$, then with $y = x_i$, $f'$ running through the choices for
# $X - i$, exactly
# $$T(X) = T(X - i) + 4^{m-1} - \#\{f' : f'(y) < 0,\ f' > 0 \text{ somewhere on both sides of } y\}.$$
# For given $f'$ the four choices of neuron $i$ give $f' \pm z_\pm$, $z_\pm = \max(\pm z_i, 0)$. All equal $f'$ at $y$,
# so only the $4^{m-1}$ choices with $f'(y) < 0$ count ($f' \mapsto -f'$). Each $f'$ has a Lipschitz constant of at most
# $\sum_{j \ne i} a_j < a_i$, so for these $f' < |z_i|$ everywhere, and $f' + z_\pm$ grows on one side: never good. $f'
# - z_+$ is negative where $z_i > 0$, so it is good if and only if $f' < 0$ on the other side; likewise $f' - z_-$. So
# $T(X) = \#\{f' < 0 \text{ left}\} + \#\{f' < 0 \text{ right}\} = 4^{m-1} + \#\{\text{both}\} - \#\{\text{neither}\}$,
# and the number of those negative on both sides is $T(X - i)$.
#
# **Step 2 ($m \le 2$).** $T = 4^{m-1} + 2^{m-1} + \sum_{e = -} (\lceil N/2 \rceil - 1)_+$ by
# [`line-lower-bound`](line-lower-bound.py) (half of its sum: $f \mapsto -f$), and $N \le m + 1$. For $m = 1$ the sum is
# 0. For $m = 2$, $N = 3$ needs a zero on each of the three pieces. No piece is constant, so one neuron is active far
# right, the other far left, both between them: $f = e |c| + t_1 (z_1)_+ + t_2 (z_2)_-$. The end signs are $t_2$ and
# $t_1$; three zeros need opposite end signs, $t_1 = -t_2$. But the end piece $e |c| + t_i |z_i|$ has a zero only if
# $t_i = -e$, for both $i$: a contradiction. So $T = 2, 6$.
#
# **Step 3 ($m = 3$).** $N \le 4$, so each of the 64 choices with $e = -$ adds at most 1, and $T = 20 + \#\{N \ge 3\}$.
# To show: no three of them have $N \ge 3$ at the same magnitudes. Let $x = 0, 1, 1 + d$ with $0 < d \le 1$ (reflection
# and scale). For fixed $d$ each choice and each pattern of signs far left, at the three knots and far right with at
# least three changes is an open convex cone of $(a_1, a_2, a_3, |c|) > 0$, bounded by planes whose coefficients are
# linear in $d$. Which intersections of such cones are empty depends only on the signs of the $4 \times 4$ minors of all
# these planes, polynomials in $d$, as long as these do not change (the oriented matroid). The roots of all these minors
# in $(0, 1]$ are $\frac14, \frac13, \sqrt2 - 1, \frac12, \frac{\sqrt5 - 1}2, \frac1{\sqrt2}, 1$. At one rational $d$ in
# each of the 7 intervals 16 pairs (choice, pattern) are possible and no three of them with different choices are
# compatible: each empty intersection has multipliers $\lambda \ge 0$, not all 0, with $\sum_i \lambda_i r_i = 0$ for
# its rows $r_i$. At the critical $d$ a triple would persist for $d$ nearby, as the cones are open.
#
# **Step 4.** By Steps 2 and 3, $T \le \frac{4^k + 2}3$ for $k \le 3$, and by Step 1 $T \le \frac{4^k + 2}3 + 4^k =
# \frac{4^{k+1} + 2}3$. There is equality at each step if no $f'$ is negative at $x_i$ and positive on both sides; so it
# is for $a_i = 10^{4i}$, $x_i = i$ and $0 < |c| \le \frac12$: all other knots lie left of $y = x_i = i$. If nothing is
# active right of them, $f' = e |c|$ is constant there. Else let $k$ be the largest index active there; with $i - j \le
# (i-k)(1+k-j)$ the other neurons give at most $10^{4k} (i-k) \sum_{r \ge 1} (1+r) 10^{-4r}$ at $y$, so the slope and
# $f'(y)$ both have the sign $t_k$. In both cases $f'(y) < 0$ excludes $f' > 0$ to the right. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    k, both, neither, left = sympy.symbols("k B N L", positive=True)
    yield "Step 4", (4**k + 2) / sympy.Integer(3) + 4**k, (4 ** (k + 1) + 2) / sympy.Integer(3)
    yield "the bound", (4**k + 2) / sympy.Integer(3) / (2 * 4**k), closed_forms.line_upper_bound(k)
    sides = (left + both) + (
        4**k - left - neither
    )  # negative left or both; negative right: all but (left only, neither)
    yield "Step 1", sides, 4**k + both - neither
    yield "lower and upper end", closed_forms.line_upper_bound(2), closed_forms.line_lower_bound(2)


# %% [markdown]
# ## The cones of Step 3


# %%
KNOTS = ((0, 0), (1, 0), (1, 1))  # x = u + v d
Form = tuple[tuple[int, int], ...]  # the coefficients of a_1, a_2, a_3, |c|, each u + v d


def forms(s: tuple[int, ...], t: tuple[int, ...]) -> list[Form]:
    """f far left, at the knots and far right for e = -; far out the growth, or f itself where it is constant."""
    found: list[Form] = []
    for side in (-1, None, 1):
        if side is None:
            for u, v in KNOTS:
                terms = []
                for (p, q), flip, sign in zip(KNOTS, s, t, strict=True):
                    gap = u - p, v - q  # x_j - x_i, of the sign of its parts
                    active = flip * (gap[0] or gap[1]) > 0
                    terms.append((sign * flip * gap[0], sign * flip * gap[1]) if active else (0, 0))
                found.append((*terms, (-1, 0)))
        else:
            growth = tuple((t[i], 0) if s[i] == side else (0, 0) for i in range(3))
            found.append((*growth, (0, 0) if any(u for u, _ in growth) else (-1, 0)))
    return found


def patterns() -> Iterator[tuple[tuple[tuple[int, ...], tuple[int, ...]], list[Form]]]:
    """Every (choice, forms that must be positive) with at least three changes of sign."""
    both = (1, -1)
    for s, t in product(product(both, repeat=3), repeat=2):
        for signs in product(both, repeat=5):
            if sum(u != v for u, v in pairwise(signs)) >= 3:
                own = forms(s, t)
                yield (s, t), [tuple((e * u, e * v) for u, v in form) for e, form in zip(signs, own, strict=True)]


@cache
def planes() -> tuple[Form, ...]:
    """All planes up to sign, the coordinate planes included."""
    found = {}
    for s, t in product(product((1, -1), repeat=3), repeat=2):
        for form in forms(s, t):
            found[min(form, tuple((-u, -v) for u, v in form))] = None
    for i in range(4):
        found[tuple((-int(i == j), 0) for j in range(4))] = None
    return tuple(found)


def critical() -> tuple[int, list[sympy.Expr]]:
    """The number of planes, and the roots of their minors in (0, 1]."""
    rows = np.array([[[u, v] for u, v in form] for form in planes()], dtype=np.int64)
    chosen = np.array(list(combinations(range(len(rows)), 4)))
    at = range(-2, 3)
    values = np.stack([_determinants((rows[:, :, 0] + d * rows[:, :, 1])[chosen]) for d in at], axis=1)
    d = sympy.Symbol("d")
    distinct = {tuple(row) for row in np.unique(values, axis=0).tolist()} - {(0,) * 5}
    roots = set()
    for row in distinct:  # degree 4 at most: five values
        poly = sympy.Poly(sympy.interpolate(list(zip(at, row, strict=True)), d), d)
        for factor, _ in poly.factor_list()[1]:
            roots |= {root for root in _roots(factor) if 0 < root <= 1}
    return len(rows), sorted(roots)


@cache
def _roots(factor: sympy.Poly) -> tuple[sympy.Expr, ...]:
    return tuple(sympy.real_roots(factor))


def _determinants(m: np.ndarray) -> np.ndarray:
    """Of integer 4 x 4 matrices, by the 2 x 2 minors of the first two and the last two rows; entries are below 10."""
    total = np.zeros(len(m), dtype=np.int64)
    for i, j in combinations(range(4), 2):
        k, l = (v for v in range(4) if v not in (i, j))
        upper = m[:, 0, i] * m[:, 1, j] - m[:, 0, j] * m[:, 1, i]
        lower = m[:, 2, k] * m[:, 3, l] - m[:, 2, l] * m[:, 3, k]
        total += (-1) ** (i + j + 1) * upper * lower
    return total


AT = tuple(map(Fraction, ("1/8", "729/2500", "3737/10000", "4571/10000", "559/1000", "53/80", "1707/2000")))


def at(form: Form, d: Fraction) -> tuple[int, ...]:
    return tuple(int((u + v * d) * d.denominator) for u, v in form)


def judged(rows: list[tuple[int, ...]]) -> tuple[bool, bool]:
    """Is the open cone {rows > 0} in the positive orthant empty, and does the reason hold when it is recomputed?"""
    rows = [*rows, *(tuple(int(i == j) for j in range(4)) for i in range(4))]
    best = maximise((0, 0, 0, 0, 0, 1), [(0, *row, -1) for row in rows] + [(1, 0, 0, 0, 0, -1)])
    if best.value > 0:
        return False, all(sum(u * v for u, v in zip(row, best.point[:4], strict=True)) > 0 for row in rows)
    dual = [best.multipliers[0].get(k, Fraction(0)) for k in range(len(rows))]
    vanishes = all(sum(l * row[j] for l, row in zip(dual, rows, strict=True)) == 0 for j in range(4))
    return True, vanishes and min(dual) >= 0 and any(dual)


@claim.decide("cones and their intersections")
def cones(depth: str) -> Iterator[tuple[object, ...]]:
    """One case for each d: the possible ones, their pairs and triples; all with their reasons."""
    for d in AT:
        accepted, possible = True, []
        for choice, chosen in patterns():
            rows = [at(form, d) for form in chosen]
            empty, holds = judged(rows)
            accepted &= holds
            possible += [] if empty else [(choice, rows)]
        yield f"d = {d}: possible", len(possible), 16, accepted
        pairs = set()
        for i, j in combinations(range(len(possible)), 2):
            if possible[i][0] != possible[j][0]:
                empty, holds = judged(possible[i][1] + possible[j][1])
                accepted &= holds
                pairs |= set() if empty else {(i, j)}
        triples = 0
        for i, j, k in combinations(range(len(possible)), 3):
            if {(i, j), (i, k), (j, k)} <= pairs:
                empty, holds = judged(possible[i][1] + possible[j][1] + possible[k][1])
                accepted &= holds
                triples += not empty
        yield f"d = {d}: compatible triples among {len(pairs)} pairs", triples, 0, accepted


@claim.enumerate("critical values of d")
def roots(depth: str) -> Iterator[tuple[object, ...]]:
    planes_, found = critical()
    yield "planes", planes_, 38
    yield "critical values", len(found), 7
    ends = [sympy.Integer(0), *found]
    for d, low, high in zip(AT, ends, found, strict=False):
        between = sympy.Rational(d.numerator, d.denominator)
        yield int(bool(low < between) and bool(between < high)), 1


# %% [markdown]
# ## Enumeration
#
# Orbits with $m \le 3$; superincreasing slopes; the step lemma itself, with its last term counted; and that the bound
# is attained.


# %%
def count(a: list[int], x: list[int], c: Fraction | int) -> int:
    return stably_unactivated_orbit([[u] for u in a], [-u * v for u, v in zip(a, x, strict=True)], [1] * len(a), c)[0]


def both_sides(a: list[int], x: list[int], c: int, y: int) -> int:
    """How many f' are negative at y and positive somewhere on both sides."""
    found, far = 0, 10 * (sum(a) * max(map(abs, [*x, y, 1])) + c + 1)
    for s in product((1, -1), repeat=len(a)):
        for t in product((1, -1), repeat=len(a)):
            for e in (1, -1):
                terms = list(zip(s, t, a, x, strict=True))
                places = (*x, y, far, -far)
                values = {p: sum(w * max(r * u * (p - v), 0) for r, w, u, v in terms) + e * c for p in places}
                if values[y] < 0:
                    left, right = (max(v for p, v in values.items() if (p < y) == side) for side in (True, False))
                    found += left > 0 and right > 0
    return found


def some(rng: random.Random, m: int) -> tuple[list[int], list[int], int]:
    return (
        [rng.randint(1, 10**6) for _ in range(m)],
        rng.sample(range(-(10**6), 10**6), m),
        rng.randint(1, 10 ** rng.randint(1, 12)),
    )


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(200)
    for m in (1, 2, 3):
        for _ in range(2000 if depth == "thorough" else 200):
            yield count(*some(rng, m)), "<=", (4**m + 2) // 3
    for m in (4, 5, 6) if depth == "thorough" else (4, 5):
        for _ in range(40):
            a, x, c = some(rng, 3)
            while len(a) < m:
                a.append(sum(a) + rng.randint(1, 100))
                x.append(rng.randint(-(10**6), 10**6))
            yield count(a, x, c), "<=", (4**m + 2) // 3
    for m in range(1, 9 if depth == "thorough" else 7):
        found = count([10 ** (4 * i) for i in range(m)], list(range(m)), Fraction(1, 10**6))
        yield f"n1 = {m}: attained", Fraction(found, 2 ** (2 * m + 1)), Fraction(str(closed_forms.line_upper_bound(m)))


@claim.enumerate("steps with a large slope")
def step(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(201)
    for m in (1, 2, 3, 4) if depth == "thorough" else (1, 2, 3):
        for _ in range(30):
            a, x, c = some(rng, m)
            slope, y = sum(a) + rng.randint(1, 100), rng.randint(-(10**6), 10**6)
            yield count([*a, slope], [*x, y], c), count(a, x, c) + 4**m - both_sides(a, x, c, y)


# %% [markdown]
# ## Neighbours that fail
#
# *One input*: with $n_1 \le n_0$ the probability is $2^{-n_1-1}$, for $n_0 = n_1 = 3$ it is $\frac1{16}$: the end is
# not attained. *Domain R*: at one point the probability is $\frac12$. *Symmetric*: with all weights negative everything
# is dead; with fixed rows $(1, 0)$, $(1, -1)$ (or near them) and $w = (\pm 1, \pm 2)$, $c = \pm 3$ two of eight choices
# are good, $\frac14 > \frac3{16}$.


# %%
def limit(m: int) -> Fraction:
    return Fraction(str(closed_forms.line_upper_bound(m)))


@claim.neighbour("n0 = 1")
def three_inputs(depth: str) -> Iterator[tuple[object, ...]]:
    found, size = stably_unactivated_orbit([[1, 2, 3], [2, 5, 1], [7, 1, 2]], [1, 2, 3], [1, 1, 1], 1)
    yield "attained", Fraction(found, size), ">=", limit(3)


@claim.neighbour("domain R")
def one_point(depth: str) -> Iterator[tuple[object, ...]]:
    """One neuron at x = 0, where a negative value is stable."""
    good = sum(t * max(3 * s, 0) + 2 * e < 0 for s, t, e in product((1, -1), repeat=3))
    yield Fraction(good, 8), "<=", limit(1)


@claim.neighbour("first-layer rows and second-layer parameters independent, symmetric")
def one_sided(depth: str) -> Iterator[tuple[object, ...]]:
    dead = sum(max(-max(s * (2 * x + 1), 0) - 3 for x in (-9, 0, 9)) < 0 for s in (1, -1))
    yield Fraction(dead, 2), "<=", limit(1)
    both, points = (1, -1), (0, 1, 99)
    good = sum(
        max(t * max(x, 0) + 2 * u * max(x - 1, 0) + 3 * e for x in points) < 0 and t + 2 * u < 0
        for t, u, e in product(both, repeat=3)
    )
    yield Fraction(good, 8), "<=", limit(2)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
