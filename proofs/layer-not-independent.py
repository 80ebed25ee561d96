# %% [markdown]
# # The neurons of the second layer are independent only given the first
#
# **Statement.** Let $p$ be the probability that one second-layer neuron is stably unactivated. For $n_1 \le n_0$ two
# neurons are so with probability $p^2$. For $n_1 = n_0 + 1$ it is larger:
# $$P(\text{both}) = \frac{2^{n_1} + 6}{2^{n_1}\, 4^{n_1+1}} > p^2.$$
# So $(1 - p)^{n_2}$ is the probability that none is only for $n_1 \le n_0$.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import sympy

from geomrelu import bounds
from geomrelu.claims import Claim
from geomrelu.deadness import decide
from geomrelu.network import Network
from geomrelu.polyhedron import Polyhedron

claim = Claim(
    label="layer-not-independent",
    title="The second layer is not independent",
    statement="P(two second-layer neurons are stably unactivated) = p^2 if n1 <= n0, and more if n1 = n0 + 1",
    latex=r"n_1 = n_0 + 1:\quad P(\text{both}) = \frac{2^{n_1} + 6}{2^{n_1} 4^{n_1+1}} > p^2",
    source="new (after Brownlowe et al., theorems 1.1 and 1.2)",
    hypotheses=("domain R^n0", "parameters independent, symmetric, with densities"),
    uses=("narrow-first-layer", "one-more-than-input"),
)

# %% [markdown]
# ## Proof
#
# Given the first layer the neurons of the second are independent and alike. Let $q$ be the conditional probability that
# one is stably unactivated; then $P(\text{both}) = E[q^2] \ge (E q)^2 = p^2$, with equality only if $q$ is constant.
#
# For $n_1 \le n_0$ the proof of [`narrow-first-layer`](narrow-first-layer.py) finds for each row flip exactly one good
# choice of second-layer signs: $q = 2^{-(n_1+1)}$, always. For $n_1 = n_0 + 1$ Step 4 of
# [`one-more-than-input`](one-more-than-input.py) finds one more at two different row flips: $q = 2 \cdot 2^{-(n_1+1)}$
# at two of the $2^{n_1}$ flips, so $E[q^2] = 4^{-(n_1+1)} (2^{n_1} - 2 + 2 \cdot 4) / 2^{n_1}$. $\square$


# %%
def both(n1: int, n0: int) -> Fraction:
    p = Fraction(str(bounds.stably_unactivated(n0, n1)))
    return p**2 if n1 <= n0 else Fraction(2**n1 + 6, 2**n1 * 4 ** (n1 + 1))


@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n = sympy.Symbol("n1", integer=True, positive=True)
    flips, unit = sympy.Integer(2) ** n, sympy.Integer(4) ** (-n - 1)
    yield unit * (flips - 2 + 2 * 4) / flips, (flips + 6) * unit / flips
    p = bounds.stably_unactivated(n - 1, n)
    yield p**2, unit * (flips + 2) ** 2 / flips**2
    yield (flips + 6) * unit / flips - p**2, 2 * unit * (flips - 2) / flips**2  # positive for n1 >= 2


# %% [markdown]
# ## Enumeration
#
# For every row flip, the number of second-layer sign choices that `decide` calls stably dead; its square counts pairs.


# %%
def pairs(n0: int, n1: int, rng: random.Random) -> Fraction:
    def some() -> Fraction:
        return rng.choice((1, -1)) * Fraction(rng.randint(1, 999), rng.randint(1, 99))

    rows = [[some() for _ in range(n0 + 1)] for _ in range(n1)]
    second = list(product(*((v, -v) for v in (some() for _ in range(n1 + 1)))))
    total = 0
    for flips in product((1, -1), repeat=n1):
        first = [[s * v for v in row] for s, row in zip(flips, rows, strict=True)]
        net = Network.from_layers(
            [
                ([row[1:] for row in first], [row[0] for row in first], "relu"),
                ([list(row[1:]) for row in second], [row[0] for row in second], "relu"),
            ]
        )
        (report,) = decide(net, Polyhedron.space(n0), [2])
        total += sum(v.stable is True for v in report.verdicts) ** 2
    return Fraction(total, 2**n1 * 4 ** (n1 + 1))


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(95)
    families = [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3)] + ([(3, 3), (3, 4)] if depth == "thorough" else [])
    for n0, n1 in families:
        yield f"n0 = {n0}, n1 = {n1}", pairs(n0, n1, rng), both(n1, n0)


# %% [markdown]
# ## Neighbour that fails
#
# Independence for $n_1 = n_0 + 1$.


# %%
@claim.neighbour("n1 <= n0, for independence")
def independence(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(96)
    for n0 in (1, 2):
        yield pairs(n0, n0 + 1, rng), bounds.stably_unactivated(n0, n0 + 1) ** 2


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
