# %% [markdown]
# # The distance from the lower bound, as a product and as a geometric series
#
# **Notation.** $M$ data points; $A_j$: some are alive after $j$ layers of width $n$ ($A_0$ is certain), $P(n, j) =
# P(A_j)$; $\ell(n, k) = (1 - 2^{-n})^k$. $X_j$: some *neuron* of layer $j$ is mixed, positive at some of the data that
# are alive after layer $j - 1$ and negative at others. $F_{j,i}$ is the output of neuron $i$ of layer $j$, with mean
# $\lambda_{j,i}$ and variance $\sigma_{j,i}^2$ over all data, and
# $$\Sigma_k = \sum_{j \le k} \sum_{i \le n}
# E\Big[\frac{\sigma_{j,i}^2}{\lambda_{j,i}^2} \, 1_{\lambda_{j,i} > 0} \,\Big|\, A_{j-1}\Big].$$
#
# **Statement.** Let all rows be independent, each with the law of its negative, and almost surely no pre-activation 0
# at a living point. (i) With $P(X_j)$ conditional on $A_{j-1}$,
# $$P(n, k) = P(n, k - 1) \big((1 - 2^{-n}) + 2^{-n} P(X_k)\big), \qquad
# \frac{P(n, k)}{\ell(n, k)} = \prod_{j \le k} \Big(1 + \frac{P(X_j)}{2^n - 1}\Big).$$
# (ii) If $r = \frac{(M - 1) \Sigma_k}{2^n - 1} < 1$,
# $$\frac{P(n, k)}{\ell(n, k)} \le \frac1{1 - r} = 1 + \sum_{h \ge 1} r^h.$$
# So $P(n, k) / \ell(n, k) \to 1$ along any path on which $n \to \infty$ and $\Sigma_k \in o(2^n)$. (iii) With
# $E_{2,k}$, that some of the living data live on and some do not, eq. 18 is the inequality
# $P(n, k) \ge P(n, k - 1) \big((1 - 2^{-n}) + 2^{-n} P(E_{2,k})\big)$.

# %%
from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import prod
from operator import mul
from typing import NamedTuple

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.random_networks import closed_forms

claim = Claim(
    label="geometric-series-corrected",
    title="The distance from the lower bound",
    statement="P(n, k) / l(n, k) = prod_j (1 + P(X_j) / (2^n - 1)); X_j: a neuron of layer j is mixed on living data",
    latex=r"\frac{P(n, k)}{\ell(n, k)} = \prod_{j \le k} \left(1 + \tfrac{P(X_j)}{2^n - 1}\right) \le "
    r"1 + \sum_{h \ge 1} \left(\tfrac{(M - 1) \Sigma_k}{2^n - 1}\right)^h",
    source="Rister & Rubin, section 5, eqs. 18, 19 and 21 (corrected)",
    hypotheses=(
        "rows independent",
        "each row symmetric",
        "no pre-activation is 0 at a living point",
        "sums neuron by neuron",
    ),
    uses=("e1-e2-identity-corrected", "chebyshev-step-corrected"),
)

# %% [markdown]
# ## Proof
#
# **Step 1.** Given the layers before $k$, and that some data are alive, layer $k$ sees fixed points with independent
# symmetric neurons. By [`e1-e2-identity-corrected`](e1-e2-identity-corrected.py) (iii) (there $m$ is the same for all
# neurons; with $m_i$, $P(E_3) = \prod_i \frac{1 - m_i}2 = 2^{-n} P(X^c)$ by independence) it keeps some alive with
# probability $(1 - 2^{-n}) + 2^{-n} P(X_k \mid \text{layers before})$. The mean over the layers before, given
# $A_{k-1}$, is the first formula of (i). And
# $(1 - 2^{-n}) + 2^{-n} x = (1 - 2^{-n}) \big(1 + \frac{x}{2^n - 1}\big)$: the product.
#
# **Step 2.** If $E_{2,k}$ happens, some living point has a positive neuron and another has not; that neuron is mixed.
# So $E_{2,k} \subseteq X_k$: (iii).
#
# **Step 3.** If neuron $i$ of layer $j$ is mixed, its output is positive at one point and 0 at another. By
# [`chebyshev-step-corrected`](chebyshev-step-corrected.py), applied to this neuron by itself, $\frac{\sigma_{j,i}^2}
# {\lambda_{j,i}^2} \ge \frac1{M-1}$. So $1_{X_j} \le (M - 1) \sum_i \frac{\sigma_{j,i}^2}{\lambda_{j,i}^2}
# 1_{\lambda_{j,i} > 0}$, and $\sum_{j \le k} P(X_j) \le (M - 1) \Sigma_k$.
#
# **Step 4.** For $x, s \ge 0$ with $s + x < 1$: $\frac{1 + x}{1 - s} \le \frac1{1 - s - x}$ (the difference is
# $\frac{x (s + x)}{(1 - s)(1 - s - x)}$). So by induction $\prod_j (1 + x_j) \le \frac1{1 - \sum_j x_j}$ if
# $\sum_j x_j < 1$; take $x_j = \frac{P(X_j)}{2^n - 1}$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n, k, j, h = sympy.symbols("n k j h", integer=True, positive=True)
    x, s, r = sympy.symbols("x s r", positive=True)
    # Step 1: one layer from its neurons: none mixed with probability (1 - m)^n, and then all negative with 2^-n
    m = sympy.Symbol("m", positive=True)
    layer = 1 - ((1 - m) / 2) ** n
    mixed = 1 - (1 - m) ** n
    yield "every n: one layer", layer, closed_forms.lower_bound(n, 1) * (1 + mixed / (2**n - 1))
    yield (
        "the same x in all layers",
        sympy.product((1 - 2**-n) * (1 + x / (2**n - 1)), (j, 1, k)),
        (closed_forms.lower_bound(n, k) * (1 + x / (2**n - 1)) ** k),
    )
    # Step 4
    yield "one factor more", 1 / (1 - s - x) - (1 + x) / (1 - s), x * (s + x) / ((1 - s) * (1 - s - x))
    q = sympy.Rational(3, 7)
    for value in (q, q**2, 1 - q):
        yield 1 + sympy.summation(value**h, (h, 1, sympy.oo)), 1 / (1 - value)
    partial = sympy.summation(r**h, (h, 1, k))
    yield "1 + r + ... + r^k", sympy.simplify((1 + partial) * (1 - r)), 1 - r ** (k + 1)


# %% [markdown]
# ## Enumeration
#
# Whole orbits of row flips of random networks, on random data, some of them close together: every quantity of the
# statement is an exact rational number. (A row flip with probability $\frac12$ is a symmetric law, and no other
# symmetry is used.)

# %%
Layer = list[tuple[int, list[int]]]


class Walk(NamedTuple):
    """Of one layer: P(A_j), and given A_{j-1}: P(X_j), P(E_{2,j}), and the expected sum over its neurons."""

    alive: Fraction
    mixed: Fraction
    some: Fraction
    ratios: Fraction


def walk(network: Sequence[Layer], data: Sequence[Sequence[int]]) -> list[Walk]:
    found, size = [], 1
    states = [([tuple(x) for x in data], (True,) * len(data))]  # values and which points live, where some do
    for layer in network:
        size *= 2 ** len(layer)
        counts, ratios, after = Counter[str](), Fraction(0), []
        for values, living in states:
            rows = [[b + sum(map(mul, row, y)) for y in values] for b, row in layer]
            mixed = any(len({v > 0 for v, here in zip(z, living, strict=True) if here}) > 1 for z in rows)
            for flips in product((1, -1), repeat=len(layer)):
                z = [[f * v for v in row] for f, row in zip(flips, rows, strict=True)]
                outputs = list(zip(*([max(v, 0) for v in row] for row in z), strict=True))
                alive = tuple(here and any(y) for y, here in zip(outputs, living, strict=True))
                counts["mixed"] += mixed
                counts["some"] += any(alive) and alive != living
                for row in zip(*outputs, strict=True):
                    if any(row):
                        ratios += Fraction(len(row) * sum(v * v for v in row), sum(row) ** 2) - 1
                if any(alive):
                    after.append((outputs, alive))
        total = len(states) * 2 ** len(layer)
        mixed_, some_ = (Fraction(counts[name], total) for name in ("mixed", "some"))
        found.append(Walk(Fraction(len(after), size), mixed_, some_, ratios / total))
        states = after
    return found


@claim.enumerate("values on orbits of row flips")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(180)

    def some(count: int) -> list[int]:
        return [rng.choice((-1, 1)) * rng.randint(1, 999) for _ in range(count)]

    sizes = [(1, 1), (1, 2), (2, 1), (1, 3), (2, 2), (3, 1), (2, 3), (3, 2), (4, 2)]
    for n, k in [*sizes, (3, 3), (6, 1), (5, 2)] if depth == "thorough" else sizes:
        for near in (1, 3):
            for points in (2, 3):
                network = [[(near * some(1)[0] ** j, some(n)) for _ in range(n)] for j in range(k)]
                center = some(n)
                data = [[near * c + d for c, d in zip(center, some(n), strict=True)] for _ in range(points)]
                layers = walk(network, data)
                alive = [Fraction(1), *(layer.alive for layer in layers)]
                ratio = alive[k] / Fraction(2**n - 1, 2**n) ** k
                name = f"n = {n}, k = {k}, M = {points}" + (", close" if near > 1 else "")
                yield f"{name}: P / l", ratio, prod(1 + layer.mixed / (2**n - 1) for layer in layers)
                yield alive[k], closed_forms.lower_bound(n, k) * prod(1 + layer.mixed / (2**n - 1) for layer in layers)
                for j, layer in enumerate(layers, 1):
                    yield alive[j], ">=", alive[j - 1] * (1 - Fraction(1, 2**n) + layer.some / 2**n)
                    yield layer.mixed, ">=", layer.some
                    yield layer.mixed, "<=", (points - 1) * layer.ratios
                r = (points - 1) * sum(layer.ratios for layer in layers) / (2**n - 1)
                if r < 1:
                    case = ratio, "<=", 1 / (1 - r)
                    yield (f"{name}, at most", *case) if r.denominator < 10**20 else case


# %% [markdown]
# ## Neighbours that fail
#
# *The norms of eq. 11* in place of the sum over the neurons, with $M$ as in eq. 21: independent parameters, uniform on
# four numbers $\pm 1, \pm L$, and two data $\pm e_1 / t$, one layer. A small law on the integers is enough, because no
# pre-activation vanishes: laws with densities near it have nearly the same values. *Neurons that are not independent*:
# two equal ones. *Rows of one sign*, or a pre-activation that is 0: nothing is mixed, and nothing lives.


# %%
def by_norms(n: int, large: int, t: int) -> tuple[Fraction, Fraction]:
    """P(n, 1) / l(n, 1), and the right side of eq. 21 for this layer: rho is |F(x) - F(y)|^2 / |F(x) + F(y)|^2."""
    neurons = Counter[tuple[int, int]]()
    for a, b in product((1, -1, large, -large), repeat=2):
        one, other = max(t * b + a, 0), max(t * b - a, 0)
        neurons[(one - other) ** 2, (one + other) ** 2] += 1
    layer = neurons
    for _ in range(n - 1):
        wider = Counter[tuple[int, int]]()
        for (d, s), (e, u) in product(layer, neurons):
            wider[d + e, s + u] += layer[d, s] * neurons[e, u]
        layer = wider
    living = sum(layer.values()) - layer[0, 0]
    ratio = Fraction(living, sum(layer.values())) / (1 - Fraction(1, 2**n))
    expected = sum((Fraction(c * d, s) for (d, s), c in layer.items() if s), Fraction(0)) / living
    return ratio, 1 / (1 - 2 * expected / (2**n - 1))


@claim.neighbour(
    "sums neuron by neuron; rows independent; each row symmetric; no pre-activation is 0 at a living point"
)
def others(depth: str) -> Iterator[tuple[object, ...]]:
    for n, large, t in ((3, 9, 8), (4, 5, 4)):
        ratio, bound = by_norms(n, large, t)
        yield ratio, "<=", bound
    same = Fraction(sum(max(b, b) > 0 for b in (1, -1)), 2)
    yield same, closed_forms.lower_bound(2, 1)
    # one neuron at one point, never mixed: P = l. With the law on (a, b) = (-1, -1), and with a = +-1, b = 0 at x = 0
    for rows, x in (([(-1, -1)], 1), ([(1, 0), (-1, 0)], 0)):
        yield Fraction(sum(a * x + b > 0 for a, b in rows), len(rows)), closed_forms.lower_bound(1, 1)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
