# %% [markdown]
# # A point is dead for a neuron with probability one half
#
# **Statement.** For every $x \in \mathbb R^n$ and a neuron with independent parameters whose laws are symmetric about 0
# without atoms, $P(a \cdot x + b \le 0) = \frac12$ (the paper's $\gamma = \frac12$). As an orbit: for generic
# magnitudes exactly half of the $2^{n+1}$ sign choices have $a \cdot x + b \le 0$.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import FiniteSet
from geomrelu.random_networks.initialisation import Law
from geomrelu.random_networks.orbit import alive_orbit, dead_neurons_orbit

claim = Claim(
    label="point-half",
    title="One half at a point",
    statement="P(x is dead for a neuron) = 1/2 for every x",
    latex=r"P(x \in D) = \tfrac12",
    source="Rister & Rubin, section 4",
    hypotheses=(
        "a bias, or x is not 0",
        "no atoms",
        "parameters symmetric",
        "parameters independent",
    ),
)

# %% [markdown]
# ## Proof
#
# Flipping all signs of $(a, b)$ exchanges $a \cdot x + b > 0$ and $a \cdot x + b < 0$ and leaves the law alone, so both
# have the same probability $p$. Given the weights, $b = -a \cdot x$ has probability 0: $b$ has no atoms (without a
# bias: $x_j \ne 0$ for some $j$, and $a_j$ has no atoms). So $2 p = 1$. The same flip pairs the sign choices of an
# orbit, unless $a \cdot x + b = 0$ for one of them, which is not generic. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    p = sympy.Symbol("p")
    yield sympy.solve(sympy.Eq(2 * p, 1), p)[0], sympy.Rational(1, 2)
    # uniform on [-1, 1], n = 1, any |x| <= 1: the area of a x + b <= 0
    a, b, x = sympy.symbols("a b x", real=True)
    area = sympy.integrate(sympy.integrate(sympy.Rational(1, 4), (b, -1, -a * x)), (a, -1, 1))
    yield "uniform, n = 1", area, sympy.Rational(1, 2)


# %%
@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(155)
    for n in range(1, 6):
        for repetition in range(20):
            weights = [Fraction(rng.randint(1, 9999), rng.randint(1, 99)) for _ in range(n)]
            bias = Fraction(rng.randint(1, 9999), rng.randint(1, 99))
            point = [Fraction(rng.randint(-99, 99), 7) for _ in range(n)]
            alive, size = alive_orbit([([weights], [bias])], FiniteSet.of([point]))
            case = Fraction(size - alive, size), Fraction(1, 2)
            yield (f"n = {n}", *case) if repetition == 0 else case


# %% [markdown]
# ## Sampling


# %%
@claim.sample("probabilities", trials=200_000, seed=156)
def neurons(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    for k, name in enumerate(("normal", "cauchy", "t:3", "laplace:scale=2")):
        rows = Law(name).sample(np.random.default_rng([seed, k]), (trials, 4))
        dead = rows @ np.array([3.0, -2.0, 0.5, 1.0]) <= 0
        yield name, int(dead.sum()), Fraction(1, 2)


# %% [markdown]
# ## Neighbours that fail
#
# *No bias at $x = 0$*: always dead. *Atoms*: for parameters $\pm 1$ and $x = 1$, three of four.


# %%
@claim.neighbour("a bias, or x is not 0; no atoms")
def zero_or_atoms(depth: str) -> Iterator[tuple[object, ...]]:
    for weight, bias, x in ((1, 0, 0), (1, 1, 1)):
        alive, size = alive_orbit([([[weight]], [bias])], FiniteSet.of([[x]]))
        yield Fraction(size - alive, size), Fraction(1, 2)


@claim.neighbour("parameters symmetric; parameters independent")
def other_laws(depth: str) -> Iterator[tuple[object, ...]]:
    """At x = 1: all positive; then (a, b) of four pairs with symmetric marginal laws that are not independent."""
    for pairs in ([(2, 3)], [(3, -1), (-1, 3), (1, 1), (-3, -3)]):
        dead = 0
        for a, b in pairs:
            profiles, _ = dead_neurons_orbit([([[a]], [b])], FiniteSet.of([[1]]), "none")
            dead += profiles[(1,)]
        yield Fraction(dead, len(pairs)), Fraction(1, 2)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
