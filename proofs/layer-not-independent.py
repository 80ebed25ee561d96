# %% [markdown]
# # The neurons of the second layer are independent only given the first
#
# **Statement.** Let all parameters be independent, symmetric about 0 and without atoms, those of two second-layer
# neurons with the same laws, and let $p$ be the probability that one of these is stably unactivated. For $n_1 \le n_0$
# both are so with probability $p^2$. For $n_1 = n_0 + 1$
# $$P(\text{both}) = \frac{2^{n_1} + 4 + E\,m}{2^{n_1}\, 4^{n_1+1}} > p^2, \qquad
#   \frac4{\min(2 n_1 + 1, 2^{n_1} - 1)} \le E\,m \le 2,$$
# where $m$ is 0, 1 or 2, depending on the magnitudes: of the $2^{n_1} 4^{n_1+1}$ choices of the row flips and of the
# signs of both neurons, $2^{n_1} + 4 + m$ make both stably unactivated. For $n_1 \le n_0$ the probability that none of
# $n_2$ neurons is stably unactivated is $(1 - p)^{n_2}$; for $n_1 = n_0 + 1$ and $n_2 \ge 2$ it is larger. (Nothing is
# said here of $n_1 > n_0 + 1$.)

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import sympy

from geomrelu import decide
from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.stably_unactivated import stably_unactivated_orbit

claim = Claim(
    label="layer-not-independent",
    title="The second layer is not independent",
    statement="P(two second-layer neurons are stably unactivated) = p^2 if n1 <= n0, and more if n1 = n0 + 1",
    latex=r"n_1 = n_0 + 1:\quad P(\text{both}) = \frac{2^{n_1} + 4 + E m}{2^{n_1} 4^{n_1+1}} > p^2",
    source="new (after Brownlowe et al., theorems 1.1 and 1.2)",
    hypotheses=(
        "domain R^n0 (needed: not known)",
        "parameters independent",
        "parameters symmetric",
        "no atoms",
        "the second-layer neurons have the same laws",
    ),
    uses=("narrow-first-layer", "one-more-than-input"),
)

# %% [markdown]
# ## Proof
#
# **Step 1 ($n_1 \le n_0$).** Given the first layer the neurons of the second are independent. The proof of
# [`narrow-first-layer`](narrow-first-layer.py) finds for each row flip exactly one good choice of the signs of a
# neuron, whatever the magnitudes. So $P(\text{both}) = 4^{-(n_1+1)} = p^2$.
#
# **Step 2 ($n_1 = n_0 + 1$, counting).** Step 4 of [`one-more-than-input`](one-more-than-input.py) finds for each
# neuron one good choice at each row flip, and one more at two of them: at the flip where all $l_i$ are positive, or
# only $l_i$ is, for one $i$; and at the flip where only $l_i$ is negative, for one $i$. Which ones depends on the
# magnitudes of the first layer and of this neuron. Let $x_F, y_F$ be 1 if flip $F$ has one more for the first or second
# neuron, else 0; then $\sum x_F = \sum y_F = 2$, and the number of choices that are good for both is
# $\sum_F (1 + x_F)(1 + y_F) = 2^{n_1} + 4 + m$ with $m = \sum x_F y_F \in \{0, 1, 2\}$.
#
# **Step 3 (the mean).** Given the magnitudes of the first layer, $x_F$ and $y_F$ are independent and have the same mean
# $\xi_F$, so $E\,m = E \sum_F \xi_F^2$, with $\sum_F \xi_F = 2$. At most $k = \min(2 n_1 + 1, 2^{n_1} - 1)$ flips are
# possible (for $n_1 = 2$, "only $l_1$ is positive" and "only $l_2$ is negative" are one flip). By the inequality of
# Cauchy and Schwarz $E\,m \ge \frac4k > \frac4{2^{n_1}}$, and
# $$p^2 = \frac{(2^{n_1} + 2)^2}{4^{n_1} 4^{n_1+1}} = \frac{2^{n_1} + 4 + 4 \cdot 2^{-n_1}}{2^{n_1} 4^{n_1+1}}
#   < P(\text{both}).$$
# As $P(\text{both}) > p^2$, the two are not independent, and $P(\text{neither}) = 1 - 2p + P(\text{both}) > (1 - p)^2$.
#
# **Step 4 (more neurons).** Given the first layer, $n_2$ neurons with the same laws are independent and each is stably
# unactivated with a conditional probability $X$; $E X = p$ and $E X^2 = P(\text{both}) > p^2$, so $X$ is not constant.
# $x \mapsto (1 - x)^{n_2}$ is strictly convex for $n_2 \ge 2$: by Jensen's inequality
# $P(\text{none}) = E (1 - X)^{n_2} > (1 - p)^{n_2}$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n = sympy.Symbol("n1", integer=True, positive=True)
    flips, unit = sympy.Integer(2) ** n, sympy.Integer(4) ** (-n - 1)
    yield "n1 <= n0", closed_forms.stably_unactivated(n, n) ** 2, unit
    # Step 2: flips by how many of the two neurons have one more: both at m, one at 4 - 2 m, none at the rest
    m = sympy.Symbol("m")
    yield "both", 4 * m + 2 * (4 - 2 * m) + (flips - m - (4 - 2 * m)), flips + 4 + m
    # Step 3
    yield "p^2", closed_forms.stably_unactivated(n - 1, n) ** 2, (flips + 4 + 4 / flips) * unit / flips
    p, joint = sympy.symbols("p q")
    yield "neither", 1 - 2 * p + joint - (1 - p) ** 2, joint - p**2


# %% [markdown]
# ## Enumeration
#
# For every row flip, the numbers of second-layer sign choices that `decide` calls stably dead, for two neurons with
# magnitudes of their own; their products count pairs.


# %%
def pairs(
    n0: int,
    n1: int,
    rng: random.Random,
    neurons: list[list[Fraction]] | None = None,
    rows: list[list[Fraction]] | None = None,
) -> int:
    """How many choices make both neurons, magnitudes (c, w_1, ...), stably unactivated."""

    def some() -> Fraction:
        return rng.choice((1, -1)) * Fraction(rng.randint(1, 999), rng.randint(1, 99))

    rows = rows or [[some() for _ in range(n0 + 1)] for _ in range(n1)]
    both = neurons or [[some() for _ in range(n1 + 1)] for _ in range(2)]
    second = [list(choice) for neuron in both for choice in product(*((v, -v) for v in neuron))]
    total = 0
    for flips in product((1, -1), repeat=n1):
        first = [[s * v for v in row] for s, row in zip(flips, rows, strict=True)]
        net = Network.from_layers(
            [
                ([row[1:] for row in first], [row[0] for row in first], "relu"),
                ([row[1:] for row in second], [row[0] for row in second], "relu"),
            ]
        )
        (report,) = decide(net, Polyhedron.space(n0), [2])
        good = [v.stable is True for v in report.verdicts]
        total += sum(good[: len(good) // 2]) * sum(good[len(good) // 2 :])
    return total


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(95)
    for n0, n1 in [(1, 1), (2, 1), (2, 2)] + ([(3, 3)] if depth == "thorough" else []):
        found = Fraction(pairs(n0, n1, rng), 2**n1 * 4 ** (n1 + 1))
        yield f"n0 = {n0}, n1 = {n1}", found, closed_forms.stably_unactivated(n0, n1) ** 2
    for n0, n1, repetitions in [(1, 2, 12), (2, 3, 8)] + ([(1, 2, 40), (3, 4, 3)] if depth == "thorough" else []):
        found = [pairs(n0, n1, rng) - 2**n1 - 4 for _ in range(repetitions)]
        for m in found:
            yield m * (m - 1) * (m - 2), 0
        yield f"n0 = {n0}, n1 = {n1}: different m", len(set(found)), ">", 1
        same = [Fraction(rng.randint(1, 999), 7) for _ in range(n1 + 1)]
        alike = pairs(n0, n1, rng, [same, same])
        yield f"n0 = {n0}, n1 = {n1}: the same magnitudes", alike, 2**n1 + 6
        yield Fraction(alike, 2**n1 * 4 ** (n1 + 1)), ">", closed_forms.stably_unactivated(n0, n1) ** 2
    for n1 in range(2, 12):  # Step 3: 4 / k is more than 4 / 2^n1
        yield min(2 * n1 + 1, 2**n1 - 1), "<", 2**n1


# %% [markdown]
# ## Neighbours that fail
#
# *Independence* for $n_1 = n_0 + 1$. *Two neurons with different laws*: the magnitudes of the one are such that $c$ is
# least, those of the other such that a weight is, and no flip is common, $m = 0$: then $P(\text{both}) < p^2$. *One
# neuron twice*. *Positive parameters*: no neuron is ever stably unactivated, and 0 is not more than $0^2$. *Atoms*: if
# all parameters are $\pm 1$, $n_0 = 1$ and $n_1 = 2$, 4 choices make both neurons stably unactivated, fewer than
# $2^{n_1} + 4$.


# %%
@claim.neighbour("n1 <= n0, for independence; the second-layer neurons have the same laws")
def independence(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(96)
    for n0 in (1, 2):
        yield (
            Fraction(pairs(n0, n0 + 1, rng), 2 ** (n0 + 1) * 4 ** (n0 + 2)),
            closed_forms.stably_unactivated(n0, n0 + 1) ** 2,
        )
    tiny, huge = Fraction(1, 10**6), Fraction(10**6)
    different = [[tiny, Fraction(1), huge, huge], [Fraction(1), huge, tiny, huge]]  # (c, w_1, w_2, w_3)
    yield Fraction(pairs(2, 3, rng, different), 2**3 * 4**4), ">", closed_forms.stably_unactivated(2, 3) ** 2


@claim.neighbour("parameters independent")
def one_neuron_twice(depth: str) -> Iterator[tuple[object, ...]]:
    """Two equal neurons: both are stably unactivated as often as one, more than the largest value."""
    found, size = stably_unactivated_orbit([[2], [3]], [5, 7], [11, 13], 17)
    yield Fraction(found, size), "<=", Fraction(2**2 + 4 + 2, 2**2 * 4**3)


@claim.neighbour("parameters symmetric; no atoms")
def positive_or_equal(depth: str) -> Iterator[tuple[object, ...]]:
    net = Network.from_layers([([[2], [3]], [5, 7], "relu"), ([[11, 13], [17, 19]], [23, 29], "relu")])
    (report,) = decide(net, Polyhedron.space(1), [2])
    dead = [int(v.stable is True) for v in report.verdicts]
    yield dead[0] * dead[1], ">", dead[0] ** 2
    one = Fraction(1)
    yield pairs(1, 2, random.Random(97), [[one] * 3] * 2, [[one] * 2] * 2), ">=", 2**2 + 4


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
