# %% [markdown]
# # The width that a depth needs
#
# **Notation.** $\ell(n, k) = (1 - 2^{-n})^k$ is the lower bound for the probability $P(n, k)$ that a network of width
# $n$ and depth $k$ is alive, and its value on a single data point; $p \in (0, 1)$ and $u = \frac{\ln(1/p)}{k}$.
#
# **Statement.** (i) $\ell(n, k) = p$ for the real number (eq. 9)
# $$n(k, p) = -\log_2 \left(1 - p^{1/k}\right)$$
# and no other. The least integer width with $\ell(n, k) \ge p$ is $\lceil n(k, p) \rceil$: enough for $P \ge p$ on
# every input set, and needed on a single point. (ii) For every $k$
# $$\log_2 \frac{k}{\ln(1/p)} < n(k, p) < \log_2 \frac{k}{\ln(1/p)} + \frac{u}{2 \ln 2},$$
# so $n(k, p) \sim \log_2 \frac{k}{\ln(1/p)}$ as $k \to \infty$, and even the difference tends to 0. (iii) If the width
# is rounded, $\ell(n(k, p) + \delta, k) \to p^{2^{-\delta}}$: between $p$ and $\sqrt p$ when it is rounded up, between
# $p^{\sqrt 2}$ and $p^{1/\sqrt 2}$ when it is rounded to the nearest integer (the paper's "roughly constant").

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.orbit import alive_orbit

claim = Claim(
    label="width-for-depth",
    title="Width for depth",
    statement="(1 - 2^-n)^k = p iff n = -log2(1 - p^(1/k)); n - log2(k / ln(1/p)) tends to 0; its ceiling is least",
    latex=r"\ell(n, k) = p \iff n = -\log_2(1 - p^{1/k}) = \log_2 \tfrac{k}{\ln(1/p)} + o(1)",
    source="Rister & Rubin, section 4, eq. 9",
    hypotheses=(
        "0 < p < 1 (by definition)",
        "rounded up",
        "for the least width with P >= p: S_0 is one point",
    ),
    uses=("lower-bound", "single-point"),
)

# %% [markdown]
# ## Proof
#
# **Step 1.** $t \mapsto (1 - t)^k$ falls strictly from 1 to 0 on $[0, 1]$, so it takes the value $p$ at one $t$ only,
# $t = 1 - p^{1/k}$; and $t = 2^{-n}$ for exactly one real $n$. As $\ell$ grows with $n$, an integer $n$ has
# $\ell(n, k) \ge p$ if and only if $n \ge n(k, p)$. Enough: [`lower-bound`](lower-bound.py). Needed on a single point,
# where $P = \ell$: [`single-point`](single-point.py).
#
# **Step 2.** $p^{1/k} = e^{-u}$, and $1 - e^{-u} = u \, e^{-u/2} \, \frac{\sinh(u/2)}{u/2}$. For $u > 0$ the last
# factor is greater than 1 (all its Taylor coefficients are $\ge 0$, the first is 1), and $1 - e^{-u} < u$. So
# $$u e^{-u/2} < 1 - e^{-u} < u,$$
# and $-\log_2$ of it is (ii), because $-\log_2 u = \log_2 \frac{k}{\ln(1/p)}$. As $k \to \infty$, $u \to 0$.
#
# **Step 3.** With $x = 2^{-n(k, p)} = 1 - e^{-u}$ and $c = 2^{-\delta}$: $\ell(n(k, p) + \delta, k) = (1 - c x)^k$,
# and $k \ln(1 - c x) \to -c \ln(1/p)$, because $k x \to \ln(1/p)$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    k = sympy.Symbol("k", integer=True, positive=True)
    p, n, t, u = sympy.symbols("p n t u", positive=True)
    # Step 1: solve for t, then for n; put the width back into the bound
    (value,) = sympy.solve(sympy.Eq((1 - t) ** k, p), t)
    (width,) = sympy.solve(sympy.Eq(sympy.exp(-n * sympy.log(2)), t), n)
    yield "every k, p: n", width.subs(t, value), closed_forms.width_for_depth(k, p)
    yield "every k, p: l(n, k)", closed_forms.lower_bound(closed_forms.width_for_depth(k, p), k), p
    # Step 2: with p = e^-L, as a product, as a series in u = L/k, and as limits
    big = sympy.Symbol("L", positive=True)
    width = closed_forms.width_for_depth(k, sympy.exp(-big))
    product = u * sympy.exp(-u / 2) * sympy.sinh(u / 2) / (u / 2)
    yield product.rewrite(sympy.exp), 1 - sympy.exp(-u)
    series = sympy.series(width.subs(k, big / u) + sympy.log(u, 2), u, 0, 4).removeO()
    yield "n - log2(k / L), in u = L / k", series, u / (2 * sympy.log(2)) - u**2 / (24 * sympy.log(2))
    yield "its limit", sympy.limit(width - sympy.log(k / big, 2), k, sympy.oo), sympy.Integer(0)
    yield "limit of n / log2(k / L)", sympy.limit(width / sympy.log(k / big, 2), k, sympy.oo), sympy.Integer(1)
    # Step 3: rounding by delta, c = 2^-delta
    c, real = sympy.Symbol("c", positive=True), sympy.Symbol("kappa", positive=True)
    rounded = real * sympy.log(1 - c * (1 - sympy.exp(-big / real)))
    yield "limit of ln l(n + delta, k)", sympy.limit(rounded, real, sympy.oo), -c * big


# %% [markdown]
# ## Enumeration
#
# The least integer $n$ with $(2^n - 1)^k \ge p \, 2^{nk}$, found by trying $1, 2, 3, \dots$ in integers, against the
# ceiling of the formula; also where $p = \ell(m, k)$, so that the formula is an integer and a rounding error would be
# seen. Then the bounds (ii) and (iii) as inequalities between rational numbers: $\ell(n + 1, k)^2 > p$ at
# $n = n(k, p)$, which is $(1 - \frac x2)^2 > 1 - x$; and powers of 2 against $\frac{k}{\ln(1/p)}$, enclosed by its
# partial sums.


# %%
PROBABILITIES = [Fraction(1, 10), Fraction(1, 2), Fraction(9, 10), Fraction(99, 100)]


def least(k: int, p: Fraction) -> int:
    """The least n with l(n, k) >= p."""
    n = 1
    while (2**n - 1) ** k * p.denominator < p.numerator << (n * k):
        n += 1
    return n


@claim.enumerate("widths")
def widths(depth: str) -> Iterator[tuple[object, ...]]:
    depths = [1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64, 128, 256]
    if depth == "thorough":
        depths = [*range(1, 65), 128, 256, 512, 1024]
    for k in depths:
        for p in PROBABILITIES:
            case = least(k, p), sympy.ceiling(closed_forms.width_for_depth(k, p))
            yield (f"k = {k}, p = {p}", *case) if k & (k - 1) == 0 else case
    for k in range(1, 7):  # the formula is an integer
        for m in range(1, 5):
            p = Fraction(2**m - 1, 2**m) ** k
            yield closed_forms.width_for_depth(k, p), m
            yield least(k, p), m
            yield least(k, p + Fraction(1, 2 ** (m * k + 9))), m + 1


@claim.enumerate("inequalities")
def asymptotics(depth: str) -> Iterator[tuple[object, ...]]:
    for k in (1, 2, 5, 10, 100, 256):
        for p in PROBABILITIES:
            n, (low, high) = least(k, p), logarithm(1 / p)  # low < ln(1/p) < high
            # (ii) rounded up: 2^n > k / ln(1/p), and 2^(n - 1) < k / ln(1/p) e^(u/2) < k / ln(1/p) / (1 - u/2)
            yield 2**n, ">", k / high
            if high < 2 * k:
                yield 2 ** (n - 1), "<", k / low / (1 - high / (2 * k))
            # (iii) rounded up: at least p, and one neuron more has a square above p
            bound = Fraction(2**n - 1, 2**n) ** k
            yield bound, ">=", p
            yield Fraction(2 ** (n + 1) - 1, 2 ** (n + 1)) ** (2 * k), ">", p


def logarithm(q: Fraction) -> tuple[Fraction, Fraction]:
    """Rational bounds of ln q, q > 1: ln q = 2 (y + y^3/3 + y^5/5 + ...) with y = (q - 1)/(q + 1)."""
    y = (q - 1) / (q + 1)
    terms = [2 * y ** (2 * i + 1) / (2 * i + 1) for i in range(40)]
    return sum(terms, Fraction(0)), sum(terms, Fraction(0)) + 2 * y**81 / (1 - y**2)


# %% [markdown]
# On a single point this is the width of networks: whole orbits, one neuron less is too few.


# %%
@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    for k, p in (
        (1, Fraction(1, 2)),
        (2, Fraction(1, 4)),
        (3, Fraction(2, 5)),
        (2, Fraction(1, 2)),
        (2, Fraction(3, 4)),
    ):
        n = least(k, p)
        yield f"k = {k}, p = {p}: P(n, k) on a point", on_a_point(n, k), ">=", p
        if n > 1:
            yield f"k = {k}, p = {p}: P(n - 1, k)", on_a_point(n - 1, k), "<", p


def on_a_point(n: int, k: int) -> Fraction:
    layers = [([[3 + i + 7 * j for j in range(n)] for i in range(n)], [1000 + 2 * i for i in range(n)])] * k
    alive, size = alive_orbit(layers, FiniteSet.of([[Fraction(1, 2)] * n]))
    return Fraction(alive, size)


# %% [markdown]
# ## Neighbours that fail
#
# *On a larger set* fewer neurons may do: on the whole line width 1 has $P(1, 2) = \frac34$, where the formula asks for
# 3 neurons. *Rounded down* the width is too small.


# %%
@claim.neighbour("for the least width with P >= p: S_0 is one point; rounded up")
def line_or_rounded_down(depth: str) -> Iterator[tuple[object, ...]]:
    alive, size = alive_orbit([([[3]], [5]), ([[2]], [7])], Polyhedron.space(1))
    yield Fraction(alive, size), "<", Fraction(3, 4)  # width 1 would not reach p = 3/4 at k = 2
    for k, p in ((2, Fraction(1, 2)), (256, Fraction(9, 10))):
        n = sympy.floor(closed_forms.width_for_depth(k, p))
        yield closed_forms.lower_bound(n, k), ">=", p


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
