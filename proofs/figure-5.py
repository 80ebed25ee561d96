# %% [markdown]
# # Figure 5: stably unactivated neurons over wider and wider first layers
#
# **Notation.** As in [`wide-lower-bound`](wide-lower-bound.py): $P(n_0, n_1)$ is the probability that a second-layer
# neuron on $\mathbb R^{n_0}$ over $n_1$ neurons is stably unactivated, here for independent standard normal parameters.
# The figure shows it for $n_0 = 2, 3, 4$ against $n_1 - n_0$, with a dashed line at $4^{-(n_0+1)}$.
#
# **Statement.** $P(n_0, n_1) = 2^{-(n_1+1)}$ for $n_1 = n_0$ and $(2^{n_0} + 1) / 4^{n_0+1}$ for $n_1 = n_0 + 1$,
# exactly; for $n_0 = 2, 3, 4$ and $2 \le n_1 - n_0 \le 6$ it is above the dashed line, with the estimates in the table.
#
# The figure itself: `geomrelu simulate figure-5 -o figure5.pdf`.

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache

import numpy as np

from geomrelu.claims.registry import Claim
from geomrelu.papers import figures
from geomrelu.papers.simulations import figure_five
from geomrelu.random_networks import closed_forms, montecarlo
from geomrelu.random_networks.estimate import Estimate
from geomrelu.random_networks.stably_unactivated import stably_unactivated_orbit

claim = Claim(
    label="figure-5",
    title="Figure 5",
    statement="normal parameters, n0 = 2, 3, 4, n1 - n0 up to 6: the probability is exact for n1 <= n0 + 1, and beyond "
    "it is above the dashed line 4^(-n0 - 1)",
    latex=r"n_0 \in \{2, 3, 4\},\ n_1 - n_0 \le 6:\quad P(n_0, n_1) > 4^{-(n_0+1)}",
    source="Brownlowe et al., figure 5",
    hypotheses=(
        "parameters standard normal",
        "parameters independent (needed: not known)",
        "n0 = 2, 3, 4 and n0 <= n1 <= n0 + 6 (by definition)",
    ),
    uses=("narrow-first-layer", "one-more-than-input"),
)

DIMENSIONS, EXCESSES = (2, 3, 4), tuple(range(7))
SEED = 190

# %% [markdown]
# ## Evidence
#
# **Exact values.** For $n_1 - n_0 \le 1$ they are [`narrow-first-layer`](narrow-first-layer.py) and
# [`one-more-than-input`](one-more-than-input.py): every orbit must have them.
#
# **Estimates.** For $n_1 - n_0 \ge 2$ the probability is the mean of the orbit fractions over the magnitudes.
# Magnitudes are drawn, each of their fractions is exact, and the mean has an interval (by betting, at 99.9 %: it holds
# for every law and number of orbits). That it lies above the line is no proof; that all orbits do is
# [`wide-lower-bound`](wide-lower-bound.py), which is open.
#
# **A second method**, which knows nothing of orbits, samples the same probabilities network by network. Both intervals
# must be compatible.


# %%
@cache
def estimates(depth: str) -> dict[tuple[int, int], Estimate]:
    """By orbits; an eighth of the figure's at the default depth."""
    return figure_five(
        DIMENSIONS, EXCESSES, share=1 if depth == "thorough" else 1 / 8, seed=SEED, level=0.999, whole=True
    )


@claim.enumerate("orbits with n1 <= n0 + 1", part="exact values")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    for (n0, n1), found in estimates(depth).items():
        if n1 <= n0 + 1:
            for count in found.counts:
                share = Fraction(count, found.size)
                yield f"n0 = {n0}, n1 = {n1}, every orbit", share, closed_forms.stably_unactivated(n0, n1)


@claim.enumerate("widths: the least of the orbits that were walked", part="orbits that were walked")
def walked(depth: str) -> Iterator[tuple[object, ...]]:
    for (n0, n1), found in estimates(depth).items():
        if n1 > n0 + 1:
            mean, low, high = (f"{v:.5f}" for v in (found.estimate, found.low, found.high))
            least = Fraction(min(found.counts), found.size)
            name = f"n0 = {n0}, n1 = {n1}: {mean} in [{low}, {high}]; least orbit"
            yield name, least, ">", closed_forms.wide_lower_bound(n0)


# %% [markdown]
# ## Sampling
#
# Network by network, at the first widths where no value is exact, and some where it is.


# %%
@claim.sample("probabilities", trials=40_000, seed=191, part="beyond")
def networks(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    known = estimates(depth)
    for n0, n1 in ((2, 2), (2, 3), (2, 4), (3, 4), (3, 5)):
        number = montecarlo.count(montecarlo.stably_unactivated, trials, seed + 10 * n0 + n1, n0=n0, n1=n1)
        name = f"n0 = {n0}, n1 = {n1}"
        if n1 <= n0 + 1:
            yield name, number, closed_forms.stably_unactivated(n0, n1)
        else:
            found = known[n0, n1]
            yield f"{name}: not below the orbits", number, ">=", _rounded(found.low, -1)
            yield f"{name}: not above the orbits", number, "<=", _rounded(found.high, 1)


def _rounded(value: float, towards: int) -> Fraction:
    """Outwards, to six decimals."""
    return Fraction(int(np.floor(value * 10**6)) + (towards > 0), 10**6)


# %% [markdown]
# ## Neighbours that fail
#
# *Another law*: at separated scales an orbit of $n_0 = 2$, $n_1 = 4$ has a fraction below the whole interval for normal
# parameters. *A line five times as high* is crossed by an orbit, at $n_0 = 4$,
# $n_1 = 10$.


# %%
@claim.neighbour("parameters standard normal; the line at 4^(-n0 - 1)")
def other_laws(depth: str) -> Iterator[tuple[object, ...]]:
    known = estimates(depth)
    lines, output = [[3, 7], [9, -4], [5, 1], [2, -9]], [10 ** (3 * k) for k in range(4, 0, -1)]
    count, size = stably_unactivated_orbit(lines, [4, -7, 2, 9], output, 10**18)
    yield Fraction(count, size), ">=", Fraction(known[2, 4].low)
    found = known[4, 10]
    yield Fraction(min(found.counts), found.size), ">", 5 * closed_forms.wide_lower_bound(4)


# %% [markdown]
# ## The figure, at a small size


# %%
@claim.figure("orbit means with their intervals, and the conjectured bound")
def drawn() -> object:
    return figures.figure_five(figure_five((2, 3, 4), share=0.02))


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
