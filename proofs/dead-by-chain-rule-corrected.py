# %% [markdown]
# # Two definitions of a dead datum
#
# **Notation.** A chain of $k$ layers of width $n$ with biases, at a datum $x$. *Literally* dead at layer $k$: the
# Jacobian of $F_k(x)$ with respect to $(A_k, b_k)$ is 0, that is no pre-activation of layer $k$ is positive.
# *Absorbing*: the same for some layer up to $k$.
#
# **Statement.** For independent symmetric parameters without atoms
# $$P(x \text{ literally alive at layer } k) = 1 - 2^{-n}, \qquad
#   P(x \text{ alive up to layer } k) = (1 - 2^{-n})^k .$$
# The two agree for $k = 1$; for $k \ge 2$ the literal probability does not depend on the depth. The results of Rister &
# Rubin are about the absorbing one. Without biases the two are the same: a dead layer then kills all later ones.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import FiniteSet
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.orbit import dead_neurons_orbit

claim = Claim(
    label="dead-by-chain-rule-corrected",
    title="Two definitions of a dead datum",
    statement="a datum is literally alive at layer k w.p. 1 - 2^-n for every k, alive up to layer k w.p. (1 - 2^-n)^k",
    latex=r"P(\text{literally alive at } k) = 1 - 2^{-n}, \quad P(\text{alive up to } k) = (1 - 2^{-n})^k",
    source="Rister & Rubin, section 2 (corrected)",
    hypotheses=("biases", "parameters independent, symmetric", "no atoms"),
    uses=("single-point",),
)

# %% [markdown]
# ## Proof
#
# **Step 1.** Let $y \ge 0$ be the output of layer $k - 1$ at $x$, whatever it is, also 0. Given $y$, each row of layer
# $k$ has $a \cdot y + b > 0$ with probability $\frac12$: flipping the row exchanges the signs, and the value 0 has
# probability 0, because $b$ has no atoms. The rows are independent: all $n$ are at most 0 with probability $2^{-n}$.
#
# **Step 2.** So each layer is literally dead with probability $2^{-n}$ given all layers before it: these events are
# independent, and none of the first $k$ happens with probability $(1 - 2^{-n})^k$. A positive neuron of layer $k$ has
# the derivative 1 with respect to its bias, so "no positive pre-activation" is "Jacobian 0". $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n, k = sympy.symbols("n k", integer=True, positive=True)
    l = sympy.Symbol("l", integer=True)
    rows = sympy.Sum(sympy.binomial(n, l), (l, 1, n)).doit() / 2**n  # some of the n rows is positive
    yield "Step 1", rows, closed_forms.lower_bound(n, 1)
    product = sympy.Product(closed_forms.lower_bound(n, 1), (l, 1, k)).doit()
    yield "Step 2", product, closed_forms.lower_bound(n, k)


# %% [markdown]
# ## Enumeration
#
# All sign choices at a point; literally dead: the last entry of the profile is $n$; absorbing: some entry is.


# %%
@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(222)
    for n, k in ((1, 1), (1, 2), (1, 4), (2, 1), (2, 2), (2, 3)):
        point = FiniteSet.of([[rng.randint(1, 99) for _ in range(n)]])
        layers = [
            ([[rng.randint(1, 10**6) for _ in range(n)] for _ in range(n)], [rng.randint(1, 10**6) for _ in range(n)])
            for _ in range(k)
        ]
        profiles, size = dead_neurons_orbit(layers, point)
        literal = sum(number for dead, number in profiles.items() if dead[-1] < n)
        absorbing = sum(number for dead, number in profiles.items() if max(dead) < n)
        yield f"n = {n}, k = {k}: literally", Fraction(literal, size), closed_forms.lower_bound(n, 1)
        yield f"n = {n}, k = {k}: up to k", Fraction(absorbing, size), closed_forms.lower_bound(n, k)


# %% [markdown]
# ## Neighbours that fail
#
# *Without biases* the two are the same, and smaller. *All parameters positive*: at a positive datum the network
# is alive with probability 1 at each depth. *Atoms*: parameters $\pm 1$ at $x = 1$.


# %%
def literal(layers: list[tuple[list[list[int]], list[int]]], flipped: str = "all") -> Fraction:
    profiles, size = dead_neurons_orbit(layers, FiniteSet.of([[1]]), flipped)
    return Fraction(sum(number for dead, number in profiles.items() if dead[-1] == 0), size)


@claim.neighbour("biases; no atoms")
def without(depth: str) -> Iterator[tuple[object, ...]]:
    yield literal([([[2]], [0]), ([[3]], [0])]), closed_forms.lower_bound(1, 1)
    yield literal([([[1]], [1])]), closed_forms.lower_bound(1, 1)


@claim.neighbour("parameters independent, symmetric")
def positive(depth: str) -> Iterator[tuple[object, ...]]:
    yield literal([([[2]], [1]), ([[3]], [5])], "none"), closed_forms.lower_bound(1, 1)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
