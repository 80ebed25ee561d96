# %% [markdown]
# # One input: a sharp lower bound for wide first layers
#
# **Notation.** $f(x) = \sum_{i \le m} w_i \max(z_i(x), 0) + c$ on $\mathbb R$ with $z_i(x) = a_i x + b_i$, $m = n_1$. A
# sign choice $\omega = (s, t, e)$ flips the rows $(a_i, b_i)$ by $s_i$ and chooses the signs $t_i$ of $w_i$ and $e$ of
# $c$: $2^{2m+1}$ choices. It is *good* if $f$ is stably unactivated. $N(\omega)$ is the number of zeros of $f$, and
# $x_i = -b_i/a_i$. *Generic* means: (G1) no $a_i$, $w_i$, $c$ is 0 and the $x_i$ are different; (G2) no signed sum of a
# nonempty set of the $|w_i a_i|$ is 0; (G3) $f(x_j) \ne 0$ for all $j$ and all sign choices.
#
# **Statement.** For all generic magnitudes
# $$\#\text{good} = 4^{m-1} + 2^{m-1} + \tfrac12 \sum_\omega \left(\lceil N(\omega)/2 \rceil - 1\right)_+ ,$$
# so for $n_0 = 1$ and all independent symmetric parameters without atoms
# $$P(\text{stably unactivated}) \ge \tfrac18 + 2^{-n_1-2}.$$
# There is equality for an orbit if and only if $N(\omega) \le 2$ for all $\omega$, and so it is where $|c|$ is larger
# than all other terms of $f$ at all $x_j$. For $n_1 \ge 3$ this is more than $2^{-n_1-1} + 4^{-2}$, for $n_1 = 2$
# equal to it: conjecture 1.3 of Brownlowe et al., as we know it, holds for $n_0 = 1$ with twice the constant.
#
# *Fibrewise.* For affine $z_1, \dots, z_m, L$ on $\mathbb R$ and $K_t = \sum_i t_i |z_i|$, generic, with the slopes
# $a_i$ and $\varrho$,
# $$\#\{t : K_t + L < 0\} + \#\{t : K_t - L < 0\} \ge \#\{t : \textstyle\sum_i t_i |a_i| < -|\varrho|\}.$$

# %%
from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import sympy

from geomrelu.claims.registry import Claim
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.orbit_batch import stably_unactivated_counts
from geomrelu.random_networks.stably_unactivated import stably_unactivated_orbit

claim = Claim(
    label="line-lower-bound",
    title="One input: a sharp lower bound",
    statement="n0 = 1: a second-layer neuron is stably unactivated with probability at least 1/8 + 2^(-n1 - 2); sharp",
    latex=r"n_0 = 1:\quad P(\text{stably unactivated}) \ge \tfrac18 + 2^{-n_1 - 2}",
    source="new (after Brownlowe et al., conjecture 1.3)",
    hypotheses=(
        "n0 = 1",
        "domain R",
        "first-layer rows and second-layer parameters independent, symmetric",
        "no atoms (G1 to G3)",
    ),
    uses=("zeros-on-a-line",),
)

# %% [markdown]
# ## Proof
#
# We may take $w_i > 0$ and absorb it: $w_i = 1$.
#
# **Step 1 (zeros).** $\sum_\omega N(\omega) = 2^{2m+1} - 2^{m+1}$. On each piece $C$ of the line on which no $z_i$
# changes sign, $f = e |c| + \sum_{i : s_i = \sigma_i} t_i \sigma_i z_i$ with $\sigma_i$ the sign of $z_i$ there. For
# each $C$ this is a bijection from the choices to the folds $e|c| + \sum_{i \in U} t'_i z_i$
# ([`gates-decouple`](gates-decouple.py)). A fold with $U \ne \emptyset$ has a slope other than 0 by (G2), and one zero;
# those with $U = \emptyset$, $2^{m+1}$ choices, have none.
#
# All zeros are crossings: they are no $x_j$ by (G3), and no piece on which $f$ is constant is a piece of zeros, as it
# is bounded by some $x_j$.
#
# **Step 2 (ends).** Let $\varepsilon_\pm$ be the sign of $f$ far out to the right and left. Each of the four values of
# $(\varepsilon_-, \varepsilon_+)$ is taken by $2^{2m-1}$ choices. Let $S$ be the neurons active far right; the others
# are active far left. If $S$ and its complement are nonempty, flipping all $t_i$, $i \in S$, changes $\varepsilon_+$
# only (the slope there is a signed sum over $S$, and not 0 by (G2)), and flipping the others changes $\varepsilon_-$
# only. If $S$ is empty, $\varepsilon_+ = e$: flipping $e$ changes $\varepsilon_+$ only, flipping all $t_i$ changes
# $\varepsilon_-$ only; likewise if the complement is empty. These flips commute and leave $S$.
#
# **Step 3 (parity).** $N$ is odd if and only if $\varepsilon_- \ne \varepsilon_+$: for $2^{2m}$ choices. Let $Z$ be the
# number of choices with $N = 0$. An odd $N$ is $1 + 2(\lceil N/2 \rceil - 1)$, an even $N \ge 2$ is
# $2 + 2 (\lceil N/2 \rceil - 1)$:
# $$2^{2m+1} - 2^{m+1} = 2^{2m} + 2 (2^{2m} - Z) + 2 \sum_\omega \left(\lceil N/2 \rceil - 1\right)_+ .$$
# $(s, t, e) \mapsto (s, -t, -e)$ turns $f$ into $-f$, so $Z/2$ choices have $f < 0$ everywhere.
#
# **Step 4 ($f < 0$ everywhere is good).** If $f < 0$ everywhere, it is so at each $x_j$; far out on either side either
# something is active, the slope is not 0, and $f$ falls; or nothing is active and $f = c < 0$. These are the conditions
# for stably unactivated in `geomrelu.random_networks.stably_unactivated`. Conversely they make $f$ negative at all
# $x_j$ and on both end pieces.
#
# **Step 5 (equality).** The sum in the statement is 0 if and only if $N \le 2$ always. If $|c|$ is larger than the
# other terms at all $x_j$, $f$ has one sign on $[\min x_j, \max x_j]$ and at most one zero on either side.
#
# **Step 6 (fibrewise).** On $C$, $K_t + L = \sum_i (t_i \sigma_i) z_i + L$: again a bijection to the affine functions
# $\sum_i t'_i z_i + L$, each with one zero. So the zeros of all $K_t + L$ are $2^m$ in number. The end signs are those
# of $T + \varrho$ (right) and $T - \varrho$ (left), $T = \sum_i t_i |a_i|$. Let $q = \#\{T < -|\varrho|\} = \#\{T >
# |\varrho|\}$, and $g_\mp$ the numbers of $t$ with $K_t + L < 0$ and $> 0$. The $2^m - 2q$ choices with different end
# signs have a zero, the $2q - g_- - g_+$ others that have one have two: $2^m - 2q + 2 (2q - g_- - g_+) \le 2^m$, so
# $g_- + g_+ \ge q$; and $K_t + L > 0$ means $K_{-t} - L < 0$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    m, z, more, q, g = sympy.symbols("m Z S q g", positive=True)
    two = sympy.Integer(2)
    zeros = two ** (2 * m + 1) - two ** (m + 1)
    yield "Step 1", zeros / two ** (2 * m + 1), closed_forms.zeros_on_a_line(sympy.Symbol("m", positive=True))
    none = sympy.solve(zeros - two ** (2 * m) - 2 * (two ** (2 * m) - z) - 2 * more, z)[0]
    good = two ** (2 * m) / 4 + two**m / 2 + more / 2
    yield "Step 3", none / 2, good
    yield "the bound", good.subs(more, 0) / two ** (2 * m + 1), closed_forms.line_lower_bound(m)
    yield (
        "more than conjectured",
        closed_forms.line_lower_bound(m) - two ** (-m - 1) - closed_forms.wide_lower_bound(1),
        two**-4 - two ** (-m - 2),
    )
    least = sympy.solve(two**m - 2 * q + 2 * (2 * q - g) - two**m, g)[0]
    yield "Step 6", least, q
    yield "n1 = 2", closed_forms.line_lower_bound(2), closed_forms.stably_unactivated(1, 2)


# %% [markdown]
# ## Enumeration
#
# All sign choices of random orbits, of one size and over many orders of magnitude; some with a large, some with a small
# $c$. Zeros are changes of sign from knot to knot, in integers.


# %%
def walked(a: list[int], b: list[int], c: int) -> tuple[int, int, int, set[int], int]:
    """``(zeros, good, sum of (ceil(N/2) - 1)_+, the four numbers of end signs, most zeros)`` over all choices."""
    m = len(a)
    knots = sorted(Fraction(-v, u) for u, v in zip(a, b, strict=True))
    rows = [(x.denominator, x.numerator) for x in knots]
    ends = [(0, -1), *rows, (0, 1)]
    z = [[v * s + u * x for s, x in ends] for u, v in zip(a, b, strict=True)]
    signs = np.array(list(product((1, -1), repeat=m + 1)), dtype=object)
    zeros = good = more = most = 0
    corners: dict[tuple[int, int], int] = {}
    for flips in product((1, -1), repeat=m):
        table = np.array(
            [
                [max(f * v, 0) for f, v in zip(flips, column, strict=True)] + [c * s]
                for column, (s, _) in zip(zip(*z, strict=True), ends, strict=True)
            ],
            dtype=object,
        )
        values = table @ signs.T
        values[0][values[0] == 0] = values[1][values[0] == 0]  # constant far out
        values[-1][values[-1] == 0] = values[-2][values[-1] == 0]
        sign = np.sign(values.astype(object)).astype(int)
        number = (sign[1:] != sign[:-1]).sum(axis=0)
        zeros += int(number.sum())
        good += int((sign < 0).all(axis=0).sum())
        more += int(np.maximum((number + 1) // 2 - 1, 0).sum())
        most = max(most, int(number.max()))
        for pair in zip(sign[0], sign[-1], strict=True):
            corners[pair] = corners.get(pair, 0) + 1
    return zeros, good, more, set(corners.values()), most


def some(rng: random.Random, m: int, digits: int) -> tuple[list[int], list[int], int]:
    def number() -> int:
        return rng.choice((1, -1)) * rng.randint(1, 10 ** rng.randint(3, digits))

    while True:
        a, b, c = [number() for _ in range(m)], [number() for _ in range(m)], abs(number())
        if generic(a, b, c):
            return a, b, c


def generic(a: list[int], b: list[int], c: int) -> bool:
    """(G1) to (G3): signed sums are sums with the coefficients -1, 0, 1; where f(x_j) is one, c is in it."""

    def sums(parts: Iterable[Fraction]) -> Counter[Fraction]:
        found = Counter([Fraction(0)])
        for part in parts:
            found = Counter(value for old in found for value in (old - part, old, old + part))
        return found

    knots = {Fraction(-v, u) for u, v in zip(a, b, strict=True)}
    if len(knots) < len(a) or any(sum(v) == 0 for v in product(*((u, -u, 0) for u in a)) if any(v)):
        return False
    return all(c not in sums(u * x + v for u, v in zip(a, b, strict=True)) for x in knots)


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(187)
    for m in range(1, 7 if depth == "thorough" else 6):
        for repetition in range(100 if depth == "thorough" else (20, 20, 20, 10, 4)[m - 1]):
            a, b, c = some(rng, m, (6, 12)[repetition % 2])
            c = c if repetition % 3 else 10**40
            zeros, good, more, corners, most = walked(a, b, c)
            found, size = stably_unactivated_orbit([[u] for u in a], b, [1] * m, c)
            yield zeros, size - 2 ** (m + 1)
            yield good, found
            yield (
                (f"n1 = {m}: the identity", Fraction(good), 4 ** (m - 1) + 2 ** (m - 1) + Fraction(more, 2))
                if repetition == 0
                else (Fraction(good), 4 ** (m - 1) + 2 ** (m - 1) + Fraction(more, 2))
            )
            yield sum(corners), 2 ** (2 * m - 1)  # one number, four times
            if c == 10**40:
                yield good, 4 ** (m - 1) + 2 ** (m - 1)
                yield most, "<=", 2


@claim.enumerate("fibres")
def fibres(depth: str) -> Iterator[tuple[object, ...]]:
    """Step 6: the zeros of all K_t + L, and the inequality."""
    rng = random.Random(188)
    for m in range(1, 8 if depth == "thorough" else 6):
        for _ in range(40):
            a, b, slope = some(rng, m, 6)
            height = rng.randint(-(10**4), 10**4)
            knots = sorted(Fraction(-v, u) for u, v in zip(a, b, strict=True))
            ends = [(0, -1), *((x.denominator, x.numerator) for x in knots), (0, 1)]
            zeros = below = above = q = 0
            for t in product((1, -1), repeat=m):
                values = [
                    sum(w * abs(v * s + u * x) for w, u, v in zip(t, a, b, strict=True)) + height * s + slope * x
                    for s, x in ends
                ]
                zeros += sum(u * v < 0 for u, v in pairwise(values))
                below += max(values) < 0
                above += min(values) > 0
                q += max(values[0], values[-1]) < 0
            yield zeros, 2**m
            yield q, "<=", below + above


# %% [markdown]
# ## The hunt
#
# Adversarial orbits: scales over many orders of magnitude, small and large constants, clusters of knots, slopes near
# each other. All are counted exactly (`geomrelu.random_networks.orbit_batch`: each comparison has an error bound, and
# what it cannot settle is counted in integers). With `--thorough` there are $10^6$ orbits with $n_1 \le 10$; none has
# fewer than $4^{n_1-1} + 2^{n_1-1}$ choices.

# %%
HUNT = {1: 50, 2: 200, 3: 400, 4: 400, 5: 300, 6: 150, 7: 30, 8: 6}
LONG_HUNT = {
    1: 20_000,
    2: 130_000,
    3: 200_000,
    4: 200_000,
    5: 200_000,
    6: 160_000,
    7: 70_000,
    8: 16_000,
    9: 3_000,
    10: 1_000,
}


def adversarial(rng: np.random.Generator, count: int, m: int) -> np.ndarray:
    """The least count of ``count`` orbits in each of four families, as integers."""
    kind = np.arange(count) % 4
    a, b = rng.standard_normal((2, count, m))
    scales = 10.0 ** rng.uniform(-4, 4, (3, count, m))
    a = np.where(kind[:, None] == 1, a * scales[0], a)
    b = np.where(kind[:, None] == 1, b * scales[1], b)
    a = np.where(kind[:, None] == 2, 1 + a / 64, a)  # slopes near each other
    b = np.where(kind[:, None] == 3, -a * (rng.integers(0, 2, (count, m)) + b / 1024), b)  # two clusters of knots
    w = np.where(kind[:, None] == 1, scales[2], 1.0)
    c = 10.0 ** rng.uniform(-4, 4, count)
    return stably_unactivated_counts(a[:, :, None], b, w, c)


@claim.enumerate("orbits, 1,000 at a time")
def hunt(depth: str) -> Iterator[tuple[object, ...]]:
    for m, total in (LONG_HUNT if depth == "thorough" else HUNT).items():
        rng, bound = np.random.default_rng([189, m]), 2 ** (2 * m + 1) * closed_forms.line_lower_bound(m)
        for start in range(0, total, 1000):
            case = int(adversarial(rng, min(1000, total - start), m).min()), ">=", Fraction(str(bound))
            yield (f"n1 = {m}: {total:,} orbits", *case) if start == 0 else case


# %% [markdown]
# ## Neighbours that fail
#
# *Two inputs*: the value at $n_0 = 2$, $n_1 = 5$ is far below; and there $|c| = \infty$ is not the worst case: with
# $a = (-2,-3), (0,-1), (-9,7), (-2,3), (-7,9)$, $b = -9, 3, -2, 5, 5$ and $w = 4, 5, 2, 4, 6$ there are 92 good choices
# for $|c| = 1$ and 94 for $|c| = 10^9$. Likewise $142 < 144$ for an orbit with $n_0 = 3$, $n_1 = 6$. *A bounded domain*
# has more, so equality fails. *Signs that are not symmetric*: with all $w > 0$ nothing is good. *Atoms*: with
# $a = (1, 1)$, $w = (1, 1)$ the slopes cancel, the slope of $f$ is 0 far out, and 4 of 32 choices are good and not 6.


# %%
@claim.neighbour("n0 = 1")
def two_inputs(depth: str) -> Iterator[tuple[object, ...]]:
    plane = [[-2, -3], [0, -1], [-9, 7], [-2, 3], [-7, 9]], [-9, 3, -2, 5, 5], [4, 5, 2, 4, 6]
    space = (
        [[-4, 4, -1], [-3, 1, -4], [3, -1, -9], [-3, -2, 1], [8, 8, 9], [4, -3, -9]],
        [-9, -5, -4, -1, 1, 0],
        [6, 4, 10, 16, 18, 9],
    )
    yield (
        "the constant",
        Fraction(*stably_unactivated_orbit(*plane, 1)),
        ">=",
        Fraction(str(closed_forms.line_lower_bound(5))),
    )
    for name, magnitudes, large in (("plane", plane, 10**9), ("space", space, 10**9)):
        yield (
            f"{name}: least for large c",
            stably_unactivated_orbit(*magnitudes, 1)[0],
            ">=",
            stably_unactivated_orbit(*magnitudes, large)[0],
        )


def dead_on(a: list[int], b: list[int], c: int, points: list[int], weights: tuple[int, ...] = (1, -1)) -> int:
    both = (1, -1)
    return sum(
        max(sum(t * max(s * (u * x + v), 0) for s, t, u, v in zip(ss, ts, a, b, strict=True)) + e * c for x in points)
        < 0
        for ss in product(both, repeat=len(a))
        for ts in product(weights, repeat=len(a))
        for e in weights
    )


@claim.neighbour("domain R")
def bounded(depth: str) -> Iterator[tuple[object, ...]]:
    yield dead_on([2, 3], [1, 5], 100, [-1, 0, 1]), 4**1 + 2**1


@claim.neighbour("first-layer rows and second-layer parameters independent, symmetric")
def one_sided(depth: str) -> Iterator[tuple[object, ...]]:
    yield (
        Fraction(dead_on([2, 3], [1, 5], 1, [-9, 0, 9], (1,)), 4),
        ">=",
        Fraction(str(closed_forms.line_lower_bound(2))),
    )


@claim.neighbour("no atoms (G1 to G3)")
def atoms(depth: str) -> Iterator[tuple[object, ...]]:
    found, size = stably_unactivated_orbit([[1], [1]], [1, 2], [1, 1], 5)
    yield Fraction(found, size), ">=", Fraction(str(closed_forms.line_lower_bound(2)))


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
