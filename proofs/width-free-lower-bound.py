# %% [markdown]
# # A lower bound that does not depend on the width
#
# **Notation.** $f(x) = \sum_{i \le m} w_i \max(z_i(x), 0) + c$ on $\mathbb R^n$, $z_i(x) = a_i \cdot x + b_i$, $n =
# n_0$, $m = n_1$. We may take $w_i > 0$, absorb it, and write $f = \sum_i t_i (s_i z_i)_+ + e\,|c|$ with signs $s_i,
# t_i, e$. Put $N = n + 1$, $M = m + 1$, $\tilde a_i = (a_i, b_i) \in \mathbb R^N$, $\tilde a_0 = (0, |c|)$, and for
# vectors $\tilde a_i$ in $\mathbb R^N$, $z_i(y) = \tilde a_i \cdot y$,
# $$F(y) = \sum_i t_i (s_i z_i(y))_+, \qquad Q = P(F \le 0 \text{ on } \mathbb R^N)$$
# over all signs $s, t$.
#
# **Statement.** For every $n_0$ there is a constant that bounds the probability from below for all widths and laws: for
# independent parameters with symmetric laws without atoms,
# $$P(\text{stably unactivated}) \ge 2^{-8175 (n_0+1)^4} \quad \text{for all } n_1 .$$
# More precisely, $Q \ge 2^{-8175 N^4}$ for all $M$ and all vectors $\tilde a_i$ of which any $N$ are independent.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, product
from math import factorial

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.exact.elimination import pivots
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.bias_free import bias_free_orbit
from geomrelu.random_networks.stably_unactivated import (
    is_stably_unactivated,
    region_generators,
    stably_unactivated_orbit,
)

claim = Claim(
    label="width-free-lower-bound",
    title="A lower bound free of the width",
    statement="a second-layer neuron is stably unactivated with probability at least 2^(-8175 (n0 + 1)^4) for every n1",
    latex=r"P(\text{stably unactivated}) \ge 2^{-8175 (n_0 + 1)^4} \quad \text{for all } n_1",
    source="new (after Brownlowe et al., conjecture 1.3)",
    hypotheses=(
        "parameters independent",
        "second-layer parameters symmetric",
        "rows of the first layer symmetric (needed: not known)",
        "no atom at 0",
        "no other atoms (needed: not known)",
    ),
    uses=("narrow-first-layer",),
)

# %% [markdown]
# ## Proof
#
# **Step 0 (homogeneous coordinates).** For $m \ge n$ and generic magnitudes $p \ge Q$, where $p$ is the fraction of
# stably unactivated choices. $F(-y)$ is $F$ with all $s_i$ flipped, so $Q = P(F \le 0 \mid s_0 = +)$. Let $s_0 = +$ and
# $F \le 0$; with $e = t_0$, $f(x) = F(x, 1)$. At a vertex $f$ is a signed sum of a nonempty set of terms ($|c|$ is
# one), not 0 by genericity, so $f < 0$. Along a direction $d$ on $n - 1$ hyperplanes $T$ the rate is $F(d, 0) \le 0$;
# if something is active there, it is not 0, so $< 0$. If nothing is: the normals of $T$ are independent, so there is
# $x$ with $s_i z_i(x) < 0$ for all $i \in T$, at $x + \lambda d$ all is silent for large $\lambda$ and $f = e |c|$: so
# $e = -$; and for $i \in T$ there is $x$ with $s_i z_i(x)$ large and the others of $T$ silent, so $t_i = -$. This is
# the criterion of `geomrelu.random_networks.stably_unactivated`. For $m < n$ the probability is $2^{-m-1}$
# ([`narrow-first-layer`](narrow-first-layer.py)), which is larger than the bound. If the laws have no atoms, any $N$ of
# the $\tilde a_i$ are independent almost surely.
#
# **Step 1 (domination).** Let $z_j$, $j \in J$ (finite), be linear forms on $\mathbb R^N$. There are $B \subseteq J$,
# $|B| \le 2N$, and signs $s_i$, $i \in B$, with
# $$T_B(x) := \sum_{i \in B} (s_i z_i(x))_+ \ \ge\ \frac1{4N^2} \max_{j \in J \setminus B} |z_j(x)| \quad
#   \text{for all } x.$$
# Let $I \subseteq J$ be a basis of the span whose determinant is largest in absolute value. By Cramer $z_j = \sum_{l
# \in I} c_{jl} z_l$ with $|c_{jl}| \le 1$. Let $d_l = \max_{j \in J \setminus I} |c_{jl}| \le 1$, attained at $j_l$,
# $I' = \{l : d_l > 0\}$, $B' = \{j_l : l \in I'\}$, $B = I \cup B'$. Let $q$ be uniform on $[-1, 1]^{B'}$ and $g_l =
# \sum_{j \in B'} q_j c_{jl}$. Given the other $q_j$, $q_{j_l} c_{j_l l}$ is uniform on $[-d_l, d_l]$, so $P(|g_l| <
# \kappa d_l) \le \kappa$. With $\kappa = 1/(2N)$, at most $N$ events of probability at most $1/(2N)$: some $q$ has
# $|g_l| \ge \kappa d_l$ for all $l \in I'$. Fix it; $|g_l| \le |B'| \le N$, and $g_l = 0$ for $l \notin I'$. Let $s_j =
# \operatorname{sign} q_j$ on $B'$ and $s_l = -\operatorname{sign} g_l$ on $I'$ (the other signs of $B$ are arbitrary:
# these neurons only add terms $\ge 0$). For $x$ put $x_l = z_l(x)$, $\varepsilon_l = \operatorname{sign} g_l$, $y_l =
# (\varepsilon_l x_l)_+$, $v_l = (-\varepsilon_l x_l)_+$. Neuron $l \in I'$ contributes $v_l$, and
# $$\sum_{B'} (s_j z_j)_+ \ge \sum_{B'} q_j z_j = \sum_{I'} g_l x_l = \sum_{I'} |g_l| (y_l - v_l)
#   \ge \kappa \sum d_l y_l - N \sum v_l .$$
# The left side is not negative, so it is at least $\theta = 1/(2N)$ times the right side:
# $$T_B \ge \sum v_l + \theta \kappa \sum d_l y_l - \tfrac12 \sum v_l \ge \frac1{4N^2} \sum d_l (y_l + v_l)
#   = \frac1{4N^2} \sum d_l |x_l|,$$
# and $|z_j| \le \sum_{I'} d_l |x_l|$ for $j \in J \setminus I$.
#
# **Step 2 (heavy part).** Let $K = 1376 N^3$ and $M \ge 2NK + N = 2752 N^4 + N$. Apply Step 1 $K$ times, each time to
# what is left: disjoint $B_1, \dots, B_K$, and at least $N$ neurons $J$ are left. Fix the signs $s$ of Step 1 and
# $t = -$ on $\bigcup B_k$: probability at least $4^{-2NK}$. Then $F = -T + F_J$ with $T \ge 0$ and
# $T \ge \frac{K}{4N^2} \mu(x)$, $\mu = \max_J |z_j|$. The signs of $F_J$ are independent of these.
#
# **Step 3 (coordinates).** $J$ contains $N$ independent vectors; choose coordinates with $\sum_J \tilde a_j \tilde
# a_j^T = 1$. Then $\sum_J z_j(x)^2 = |x|^2$, $|\tilde a_j| \le 1$, $\sum_J |\tilde a_j|^2 = N$. Let $\lambda = 43 \sqrt
# N$, $\eta = 1/\lambda$ and $\sigma_s(x)^2 = \sum_J (s_j z_j(x))_+^2$.
#
# **Step 4 (good $s$).** With probability at least $\frac12$ over $s_J$: $\sigma_s(x)^2 \ge \frac14$ for all $x$ in
# $\{|x| = 1,\ \mu(x) \le \eta\}$. Take a maximal subset $Y$ of this set with mutual distances at least $\frac1{10}$;
# $|Y| \le 21^N$, by volumes. For $y \in Y$, $\sigma_s(y)^2$ is a sum of independent variables, $z_j(y)^2$ or 0 with
# probability $\frac12$ each, of mean $\frac12$, and $\sum z_j(y)^4 \le \eta^2$: by Hoeffding
# $P(\sigma_s(y)^2 < \frac38) \le \exp(-\frac1{32 \eta^2}) = \exp(-\frac{1849}{32} N)$, and
# $21^N \exp(-\frac{1849}{32} N) \le \frac12$. $\sigma_s$ is 1-Lipschitz, and $\sqrt{3/8} - \frac1{10} > \frac12$.
#
# **Step 5 (tilt).** Fix a good $s_J$. Let $\Pi$ be the uniform law of $t_J$ and $\Pi'$ the law with independent $t_j$
# of mean $-\tau_j$, $\tau_j = \tanh(\lambda |\tilde a_j|)$. Write $F_J = -\sum \tau_j (s_j z_j)_+ + Y$ with $Y = \sum
# \xi_j (s_j z_j)_+$, $\xi_j = t_j + \tau_j$. By symmetrisation and **the contraction principle** (Ledoux & Talagrand,
# *Probability in Banach spaces*, theorem 4.12, for the contractions $u \mapsto (s_j u)_+$, which vanish at 0), the only
# ingredient that is not elementary,
# $$E' \sup_{|x| = 1} |Y| \le 2 E' E_\epsilon \sup \Big|\sum \epsilon_j |\xi_j| (s_j z_j)_+\Big|
#   \le 4 E' E_\epsilon \Big|\sum \epsilon_j |\xi_j| \tilde a_j\Big|
#   \le 4 \Big(\sum |\tilde a_j|^2\Big)^{1/2} = 4 \sqrt N,$$
# as $\operatorname{Var} \xi_j \le 1$. So $\Pi'(\sup |Y| < 8 \sqrt N) \ge \frac12$. On this event $F < 0$ at all $|x| =
# 1$:
#
# * if $\mu(x) > \eta$: $F \le -T + |Y| < -\frac{K}{4N^2} \eta + 8 \sqrt N = 0$;
# * if $\mu(x) \le \eta$: $\tanh u \ge \tanh(1) \min(u, 1)$, so $\tau_j \ge \tanh(1) \lambda |z_j(x)|$, because
#   $|\tilde a_j| \ge |z_j(x)|$ and $\lambda |z_j(x)| \le 1$; hence
#   $\sum \tau_j (s_j z_j)_+ \ge \tanh(1) \lambda \sigma_s(x)^2 \ge \tanh(1) \frac{43}4 \sqrt N > 8 \sqrt N$.
#
# **Step 6 (cost).** The relative entropy of $\Pi'$ with respect to $\Pi$ is $D \le \sum \frac12 (\lambda |\tilde
# a_j|)^2 = \frac{1849}2 N^2$, because for one sign with mean $-\tanh \theta$ it is $\int_0^\theta u
# \operatorname{sech}^2 u\, du \le \theta^2/2$. For an event $E$ with $\Pi'(E) \ge \frac12$, $D \ge \Pi'(E) \ln
# \frac1{\Pi(E)} - \ln 2$, so $\Pi(E) \ge \frac14 e^{-2D} = \frac14 e^{-1849 N^2} \ge 2^{-2 - 2668 N^2}$. Altogether
# $$P(F < 0 \text{ off } 0) \ge 4^{-2752 N^4} \cdot \tfrac12 \cdot 2^{-2 - 2668 N^2} \ge 2^{-8175 N^4}.$$
# If $M < 2752 N^4 + N$, all $t_i = -$ gives $Q \ge 2^{-M}$, which is more. $\square$
#
# *Remark.* Nothing here is sharp. The conjectured truth is $4^{-N}$; [`tensor-power`](tensor-power.py) shows that the
# infimum is at most $4^{-n_0}/2$.


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    N = sympy.Symbol("N", positive=True)
    theta, _u = sympy.symbols("theta u", positive=True)
    K, root = 1376 * N**3, sympy.sqrt(N)
    kappa = 1 / (2 * N)
    yield "Step 1", kappa / (2 * N), 1 / (4 * N**2)
    yield "Step 2", 2 * N * K + N, 2752 * N**4 + N
    yield "Step 5, heavy", K / (4 * N**2) / (43 * root), 8 * root
    yield "Step 4", (43 * root) ** 2 / 32, sympy.Rational(1849, 32) * N
    entropy = theta * sympy.tanh(theta) - sympy.log(sympy.cosh(theta))  # of a sign with mean -tanh(theta)
    yield (
        "Step 6, entropy",
        sympy.diff(entropy, theta).rewrite(sympy.exp),
        (theta * (1 - sympy.tanh(theta) ** 2)).rewrite(sympy.exp),
    )
    yield "Step 6, sum", (43 * root) ** 2 / 2 * N, sympy.Rational(1849, 2) * N**2
    n0 = sympy.Symbol("n0", positive=True)
    exponent = sympy.expand((2 * 2752 + 1 + 2 + 2668) * (n0 + 1) ** 4)  # N^2 <= N^4
    yield "all", sympy.Integer(2) ** -exponent, closed_forms.width_free_lower_bound(n0)


def exponential(x: Fraction, terms: int = 40) -> Fraction:
    """A lower bound of e^x for x > 0, with few digits."""
    return Fraction(int(10**12 * sum((x**k / factorial(k) for k in range(terms)), Fraction(0))), 10**12)


@claim.enumerate("numerical constants")
def constants(depth: str) -> Iterator[tuple[object, ...]]:
    square = exponential(Fraction(2))
    yield "tanh(1) 43/4 > 8", (square - 1) / (square + 1) * Fraction(43, 4), ">", 8
    yield "ln 21 < 1849/32 - ln 2", exponential(Fraction(1849, 32), 200), ">", 42
    yield "sqrt(3/8) > 1/2 + 1/10", Fraction(3, 8), ">", Fraction(6, 10) ** 2
    rest = Fraction(1, 10**9)  # more than the terms that are left out
    yield "1849 / ln 2 <= 2668", exponential(Fraction(1849, 2668)) + rest, "<=", 2
    for n in range(1, 50):
        yield 2 * 2752 * n**4 + 3 + 2668 * n**2, "<=", 8175 * n**4
        yield 2752 * n**4 + n, "<=", 8175 * n**4


# %% [markdown]
# ## Enumeration
#
# *Step 1* is constructive: $B$ and $s$ are built and the inequality is checked at all rays of the arrangement of the
# $H_j$ and of $H_j \pm H_k$: between them both sides are linear. *Step 0*: $p \ge Q$, orbit by orbit, all sign choices.
# And $Q \ge 2^{-M}$.


# %%
def dominating(rows: list[list[int]], rng: random.Random) -> tuple[list[int], dict[int, int]]:
    """``(B, s)`` of Step 1, for forms that span R^N."""
    n, everyone = len(rows[0]), range(len(rows))
    basis = max(combinations(everyone, n), key=lambda i: abs(sympy.Matrix([rows[k] for k in i]).det()))
    inverse = sympy.Matrix([rows[k] for k in basis]).inv()
    c = {
        j: [Fraction(int(v.p), int(v.q)) for v in sympy.Matrix([rows[j]]) * inverse] for j in everyone if j not in basis
    }
    most = [max((abs(row[l]), j) for j, row in c.items()) if c else (Fraction(0), -1) for l in range(n)]
    chosen = sorted({j for d, j in most if d})
    while True:
        q = {j: Fraction(rng.randint(-100, 100), 100) for j in chosen}
        g = [sum((q[j] * c[j][l] for j in chosen), Fraction(0)) for l in range(n)]
        if all(abs(v) >= d / (2 * n) for v, (d, _) in zip(g, most, strict=True)):
            break
    signs = {j: 1 if v >= 0 else -1 for j, v in q.items()} | {
        b: -1 if v >= 0 else 1 for b, v in zip(basis, g, strict=True)
    }
    return sorted(signs), signs


@claim.enumerate("rays")
def domination(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(193)
    for n, m in ((1, 4), (2, 5), (3, 8)) if depth == "thorough" else ((1, 4), (2, 5)):
        for repetition in range(6):
            digits = (1, 4)[repetition % 2]
            rows = [[rng.randint(-9, 9) * 10 ** rng.randint(0, digits) for _ in range(n)] for _ in range(m)]
            if len(pivots([tuple(r) for r in rows])) < n:
                continue
            chosen, signs = dominating(rows, rng)
            rest = [j for j in range(m) if j not in chosen]
            walls = [rows[j] for j in range(m)]
            walls += [
                [u + e * v for u, v in zip(rows[j], rows[k], strict=True)]
                for j, k in combinations(rest, 2)
                for e in (1, -1)
            ]
            least = None
            for g in region_generators([(0, *r) for r in walls if any(r)]):
                if not g[0]:
                    z = [sum(u * v for u, v in zip(r, g[1:], strict=True)) for r in rows]
                    total, largest = (
                        sum(max(signs[i] * z[i], 0) for i in chosen),
                        max((abs(z[j]) for j in rest), default=0),
                    )
                    yield largest, "<=", 4 * n * n * total
                    least = min(
                        filter(None, [least, Fraction(4 * n * n * total, largest) if largest else None]), default=None
                    )
            if repetition == 0 and least is not None:
                yield f"N = {n}, {m} forms: least quotient", least, ">=", 1


def some(rng: random.Random, m: int, n: int) -> tuple[list[list[int]], list[int], list[int], int]:
    def number() -> int:
        return rng.choice((1, -1)) * rng.randint(1, 9999)

    return (
        [[number() for _ in range(n)] for _ in range(m)],
        [number() for _ in range(m)],
        [abs(number()) for _ in range(m)],
        abs(number()),
    )


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(194)
    for n, m in ((1, 2), (1, 3), (1, 4), (2, 2), (2, 3), (2, 4)) + (
        ((2, 5), (3, 4), (3, 5)) if depth == "thorough" else ()
    ):
        for repetition in range(10 if depth == "thorough" else 4):
            a, b, w, c = some(rng, m, n)
            p = Fraction(*stably_unactivated_orbit(a, b, w, c))
            central = Fraction(
                *bias_free_orbit([[*row, v] for row, v in zip(a, b, strict=True)] + [[0] * n + [c]], [*w, 1])
            )
            yield (f"n0 = {n}, n1 = {m}: p >= Q", p, ">=", central) if repetition == 0 else (p, ">=", central)
            yield central, ">=", Fraction(1, 2 ** (m + 1))
            yield p, ">=", Fraction(1, 4 ** (n + 1))  # and so far from the bound that is proved


# %% [markdown]
# ## Neighbours that fail
#
# Each of these probabilities is 0, where the theorem says that it is positive. *Independent*: two neurons with opposite
# flips and opposite weights, always: one is active at either end, and $f$ grows at one of them. *Symmetric*: all
# $w > 0$. *No atom at 0*: $w = 0$ with probability 1 is a symmetric law; $f = c$ may be negative, but a small $w > 0$
# makes it positive far out.

# %%
BOTH = (1, -1)


def share(networks: list[tuple[list[list[int]], list[int], list[int], int]]) -> Fraction:
    return Fraction(sum(is_stably_unactivated(*network) for network in networks), len(networks))


@claim.neighbour("parameters independent")
def dependent(depth: str) -> Iterator[tuple[object, ...]]:
    yield share([([[r], [-2 * r]], [r, r], [3 * t, -3 * t], 5 * e) for r, t, e in product(BOTH, repeat=3)]), ">", 0


@claim.neighbour("second-layer parameters symmetric")
def one_sided(depth: str) -> Iterator[tuple[object, ...]]:
    yield share([([[r], [2 * s]], [r, 5 * s], [3, 4], 5 * e) for r, s, e in product(BOTH, repeat=3)]), ">", 0


@claim.neighbour("no atom at 0")
def atoms(depth: str) -> Iterator[tuple[object, ...]]:
    yield share([([[r]], [3 * r], [0], 5 * e) for r, e in product(BOTH, repeat=2)]), ">", 0


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
