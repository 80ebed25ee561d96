# %% [markdown]
# # A lower bound for wide first layers
#
# **Statement.** For $n_1 > n_0$ and independent parameters with symmetric laws that have densities, a second-layer
# neuron is stably unactivated on $\mathbb R^{n_0}$ with probability at least $4^{-(n_0+1)}$.
#
# This is conjecture 1.3 of Brownlowe et al. as far as its summary ("a lower bound on the probability in terms of
# $n_0$") and figure 5 (a dashed line at $4^{-(n_0+1)}$) describe it. **The exact wording of conjecture 1.3 was not
# available to us**; it may say more, or less. Proved are $n_1 = n_0 + 1$
# ([`one-more-than-input`](one-more-than-input.py)) and, for every $n_1$, the two extremes
# $|c| \gg |w_1| \gg \dots \gg |w_{n_1}|$ ([`separated-scales`](separated-scales.py)) and
# $|w_1| \gg \dots \gg |w_{n_1}| \gg |c|$ ([`wide-not-free`](wide-not-free.py), steps 2 and 3), where the value is at
# least $2^{-(n_1+1)} + 4^{-(n_0+1)}$. In general it is open: the evidence here is that no random orbit falls below.

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from geomrelu.claims.registry import Claim
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.orbit_batch import stably_unactivated_counts

claim = Claim(
    label="wide-lower-bound",
    title="Lower bound for wide first layers",
    statement="n1 > n0: a second-layer neuron is stably unactivated with probability at least 4^(-n0 - 1)",
    latex=r"n_1 > n_0:\quad P(\text{stably unactivated}) \ge 4^{-(n_0+1)}",
    source="Brownlowe et al., conjecture 1.3 (as summary and figure 5 describe it; exact wording not available)",
    hypotheses=("n1 > n0", "domain R^n0", "parameters independent, symmetric, with densities"),
)

# %% [markdown]
# ## Sampling
#
# How many of the orbits lie below the bound: the share must be compatible with 0. Normal, Cauchy (wild scales), and
# log-uniform magnitudes over four orders of magnitude.


# %%
def magnitudes(rng: np.random.Generator, law: str, shape: tuple[int, ...]) -> np.ndarray:
    if law == "normal":
        return rng.standard_normal(shape)
    if law == "cauchy":
        return rng.standard_cauchy(shape)
    return 10 ** rng.uniform(-2, 2, shape) * rng.choice((-1.0, 1.0), shape)


def below(trials: int, seed: int, n0: int, n1: int, bound: Fraction) -> int:
    """Orbits with a fraction below the bound."""
    found = 0
    for k, law in enumerate(("normal", "cauchy", "log-uniform")):
        count, rng = trials // 3 + (k < trials % 3), np.random.default_rng([seed, n0, n1, k])
        shapes = (count, n1, n0), (count, n1), (count, n1), (count,)
        counts = stably_unactivated_counts(*(magnitudes(rng, law, shape) for shape in shapes))
        found += int((counts < bound * 2 ** (2 * n1 + 1)).sum())
    return found


@claim.sample("shares of orbits below", trials=300, seed=90)
def orbits(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    for n0 in range(1, 5):
        for n1 in range(n0 + 1, n0 + (6 if depth == "thorough" else 4)):
            bound = closed_forms.wide_lower_bound(n0)
            number = below(trials, seed, n0, n1, Fraction(int(bound.p), int(bound.q)))
            yield f"n0 = {n0}, n1 = {n1}", number, Fraction(0)


# %% [markdown]
# ## Neighbour that fails
#
# Three times the bound: an orbit at separated scales falls below it.


# %%
@claim.neighbour("the constant 1 in front of 4^(-n0 - 1)")
def three_times(depth: str) -> Iterator[tuple[object, ...]]:
    weights, bias = np.array([[[3.0, 7], [9, -4], [5, 1], [2, -9], [4, 6], [1, 8]]]), np.array([[4.0, -7, 2, 9, 3, 1]])
    count = stably_unactivated_counts(weights, bias, 1e3 ** -np.arange(6.0)[None], [1e6])
    yield Fraction(int(count[0]), 2**13), ">=", 3 * closed_forms.wide_lower_bound(2)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
