# %% [markdown]
# # A lower bound for wide first layers
#
# **Statement (conjecture).** For independent parameters with symmetric laws without atoms and $n_1 > n_0$, a
# second-layer neuron is stably unactivated on $\mathbb R^{n_0}$ with probability at least $4^{-(n_0+1)}$.
#
# This is conjecture 1.3 of Brownlowe et al. as far as its summary ("a lower bound on the probability in terms of
# $n_0$") and figure 5 (a dashed line at $4^{-(n_0+1)}$) describe it. **The exact wording of conjecture 1.3 was not
# available to us**; it may say more, or less. What is proved:
#
# * $n_0 = 1$, with twice the constant, which is sharp: [`line-lower-bound`](line-lower-bound.py);
# * for every $n_0$ a positive bound that does not depend on the width:
#   [`width-free-lower-bound`](width-free-lower-bound.py);
# * $n_1 = n_0 + 1$ ([`one-more-than-input`](one-more-than-input.py)), and for $n_1 \le n_0$ the value $2^{-n_1-1}$ is
#   not below $4^{-n_0-1}$ either, so that $n_1 > n_0$ is no hypothesis that is needed;
# * for every $n_1 > n_0$ the two extremes $|c| \gg |w_1| \gg \dots \gg |w_{n_1}|$
#   ([`separated-scales`](separated-scales.py)) and $|w_1| \gg \dots \gg |w_{n_1}| \gg |c|$
#   ([`wide-not-free`](wide-not-free.py), steps 2 and 3), where the value is at least $2^{-(n_1+1)} + 4^{-(n_0+1)}$;
# * the constant cannot be more than twice as large, and one central arrangement in any dimension with $Q < 4^{-N}$
#   would refute it: [`tensor-power`](tensor-power.py).
#
# On a subset of $\mathbb R^{n_0}$ the probability is at least the same, so the domain is no hypothesis. In general it
# is open. The evidence here is a hunt: an infimum over all magnitudes is not shown by it.

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from geomrelu.claims.registry import Claim
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.orbit_batch import stably_unactivated_counts
from geomrelu.random_networks.stably_unactivated import is_stably_unactivated

claim = Claim(
    label="wide-lower-bound",
    title="Lower bound for wide first layers",
    statement="a second-layer neuron is stably unactivated with probability at least 4^(-n0 - 1), for every n1",
    latex=r"P(\text{stably unactivated}) \ge 4^{-(n_0+1)} \quad \text{for all } n_1",
    source="Brownlowe et al., conjecture 1.3 (as summary and figure 5 describe it; exact wording not available)",
    hypotheses=("parameters independent, symmetric", "no atoms (needed: not known)"),
)

# %% [markdown]
# ## The hunt
#
# The least count of orbits with normal, Cauchy (wild scales), and log-uniform magnitudes over four orders of magnitude,
# against the bound; every count is exact.


# %%
def magnitudes(rng: np.random.Generator, law: str, shape: tuple[int, ...]) -> np.ndarray:
    if law == "normal":
        return rng.standard_normal(shape)
    if law == "cauchy":
        return rng.standard_cauchy(shape)
    return 10 ** rng.uniform(-2, 2, shape) * rng.choice((-1.0, 1.0), shape)


def least(size: int, n0: int, n1: int) -> int:
    """The least count among ``size`` orbits of each law."""
    found = []
    for k, law in enumerate(("normal", "cauchy", "log-uniform")):
        rng = np.random.default_rng([90, n0, n1, k])
        shapes = (size, n1, n0), (size, n1), (size, n1), (size,)
        found.append(stably_unactivated_counts(*(magnitudes(rng, law, shape) for shape in shapes)).min())
    return int(min(found))


@claim.hunt("widths")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    size = 1000 if depth == "thorough" else 100
    for n0 in range(1, 5):
        for n1 in range(n0 + 1, n0 + (6 if depth == "thorough" else 4)):
            bound = closed_forms.wide_lower_bound(n0)
            share = Fraction(least(size, n0, n1), 2 ** (2 * n1 + 1))
            yield f"n0 = {n0}, n1 = {n1}: least of {3 * size:,} orbits", share, ">=", bound


# %% [markdown]
# ## Neighbour that fails
#
# *Three times the bound*: an orbit at separated scales falls below it. *Symmetric*: with all $w > 0$ nothing is stably
# unactivated.


# %%
@claim.neighbour("the constant 1 in front of 4^(-n0 - 1)")
def three_times(depth: str) -> Iterator[tuple[object, ...]]:
    weights, bias = np.array([[[3.0, 7], [9, -4], [5, 1], [2, -9], [4, 6], [1, 8]]]), np.array([[4.0, -7, 2, 9, 3, 1]])
    count = stably_unactivated_counts(weights, bias, 1e3 ** -np.arange(6.0)[None], [1e6])
    yield Fraction(int(count[0]), 2**13), ">=", 3 * closed_forms.wide_lower_bound(2)


@claim.neighbour("parameters independent, symmetric")
def one_sided(depth: str) -> Iterator[tuple[object, ...]]:
    signs = (1, -1)
    found = [
        is_stably_unactivated([[2 * r], [3 * s]], [r, 5 * s], [1, 1], c) for r in signs for s in signs for c in signs
    ]
    yield Fraction(sum(found), len(found)), ">=", closed_forms.wide_lower_bound(1)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
