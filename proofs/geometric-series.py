# %% [markdown]
# # The geometric series, as printed
#
# **Notation.** $P(n, k)$: some of $M$ data points are alive after $k$ layers of width $n$. Given that some were before
# layer $k$: $E_1$ that all of these live on, $E_2$ that some do and some do not; $E_{2, j}$ likewise at layer $j$.
# $\ell(n, k) = (1 - 2^{-n})^k$, and by eq. 11 $\Sigma(n) = \sum_{k \ge 1} E_{\theta \mid A_k} \|\sigma(F_k)\|^2 /
# \|\lambda_k\|^2$.
#
# **Statement.** Since $P(E_1 \mid E_2^c) = 1 - 2^{-n}$ (eq. 17),
# $$P(n, k) = P(n, k - 1) \big((1 - 2^{-n}) + 2^{-n} P(E_2)\big) \qquad \text{(eq. 18)},$$
# so $\frac{P(n, k)}{\ell(n, k)} = 1 + \frac1{2^n - 1} \sum_j P(E_{2,j}) + \dots$ (eq. 19), and with $P(E_{2,j})$
# bounded by eq. 20
# $$\frac{P(n, k)}{\ell(n, k)} \le 1 + \sum_{h \ge 1} \Big(\frac{M \Sigma(n)}{2^n - 1}\Big)^h \qquad \text{(eq. 21)}.$$
#
# **What is wrong.** Eq. 17 is only an inequality, so eq. 18 holds with $\ge$, which is of no use for an upper bound.
#
# **What survives.** Eqs. 18 and 19 are true with another event in the place of $E_2$: that some *neuron* is positive at
# some of the living data and negative at others. Eq. 21 is true if variances and means are divided neuron by neuron,
# not as norms of vectors: [`geometric-series-corrected`](geometric-series-corrected.py). Its neighbour shows that with
# the norms, summed over the layers of the network, the bound itself is false. (With the sum over infinitely many layers
# of eq. 11, which the derivation does not need, eq. 21 is weaker, and not decided here.)

# %%
from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, permutations, product

from geomrelu.claims.registry import Again, Claim

claim = Claim(
    label="geometric-series",
    title="The geometric series, as printed",
    statement="P(n, k) = P(n, k - 1) ((1 - 2^-n) + 2^-n P(E2)) (eq. 18; eq. 21, which rests on it, is not decided)",
    latex=r"P(n, k) = P(n, k - 1) \left((1 - 2^{-n}) + 2^{-n} P(E_2)\right)",
    source="Rister & Rubin, section 5, eq. 18 (for eqs. 19 and 21)",
    hypotheses=("parameters independent, identically distributed, symmetric, with a density",),
    uses=("e1-e2-identity", "chebyshev-step"),
    correction="geometric-series-corrected",
)

# %% [markdown]
# ## Search
#
# Eq. 18 at $k = 1$, where $P(n, 0) = 1$, on data among the points $\pm e_i$ of $\mathbb R^n$. The sign of $b \pm a_i$
# depends only on the signs of $b$ and $a_i$ and on which is larger in absolute value; for independent parameters with
# one symmetric law without atoms all signs and all orders of the absolute values are equally likely. Smallest width
# first, then the fewest data.

# %%
Point = tuple[int, int]  # (i, t): the point t e_i


def layers(n: int, data: Sequence[Point]) -> Iterator[list[bool]]:
    """Which data live, for each class of layers; the classes are equally likely."""
    classes = product(permutations(range(1, n + 2)), product((1, -1), repeat=n + 1))
    rows = [[s * m for s, m in zip(signs, order, strict=True)] for order, signs in classes]
    positive = [[row[0] + t * row[1 + i] > 0 for i, t in data] for row in rows]
    for layer in product(positive, repeat=n):
        yield [any(point) for point in zip(*layer, strict=True)]


AGAIN = """
from fractions import Fraction
from itertools import permutations, product
n, data = {n}, {data}  # (i, t): the point t e_i
classes = product(permutations(range(1, n + 2)), product((1, -1), repeat=n + 1))
rows = [[s * m for s, m in zip(signs, order)] for order, signs in classes]
layers = [any(r[0] + t * r[1 + i] > 0 for r in layer for i, t in data) for layer in product(rows, repeat=n)]
print(Fraction(sum(layers), len(layers)))
"""


@claim.enumerate("data sets")
def data_sets(depth: str) -> Iterator[tuple[object, ...]]:
    for n in (1, 2):
        points = [(i, t) for i in range(n) for t in (1, -1)]
        for size in range(1, len(points) + 1):
            for data in combinations(points, size):
                found = list(layers(n, data))
                living = Fraction(sum(map(any, found)), len(found))
                mixed = living - Fraction(sum(map(all, found)), len(found))
                name = ", ".join(("" if t > 0 else "-") + f"e{i + 1}" for i, t in data)
                again = Again(AGAIN.format(n=n, data=list(data)).strip())
                yield f"n = {n}, data {name}", living, 1 - Fraction(1, 2**n) + mixed / 2**n, again


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
