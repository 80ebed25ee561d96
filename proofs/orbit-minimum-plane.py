# %% [markdown]
# # The least orbit for two inputs
#
# **Statement (conjecture).** For $n_0 = 2$ and $n_1 \ge 4$ the least number of stably unactivated sign choices over all
# generic magnitudes is
# $$4^{n_1-2} + (n_1 + 2)\, 2^{n_1-3},$$
# that is $p = \frac1{32} + (n_1 + 2)\, 2^{-n_1-4}$. It is attained near products of two lines. *Generic*, as in
# [`orbit-minimum`](orbit-minimum.py): the lines $a_i \cdot x + b_i = 0$ are in general position, and no value and no
# rate of $f$ at a generator of a piece is 0 where something is active. (With such ties there can be fewer.)
#
# For $n_0 = 1$ the corresponding number $4^{n_1-1} + 2^{n_1-1}$ is proved: [`line-lower-bound`](line-lower-bound.py).
# That separated scales are not the minimum for $n_1 \ge 6$ is shown by the first orbit below
# ([`orbit-minimum`](orbit-minimum.py)). Here the evidence is a hunt. For $|c| \to \infty$ the count is that of
# a neuron without biases ([`tensor-power`](tensor-power.py), Step 4), for which $n_1 = 4$ is proved:
# [`plane-central-four`](plane-central-four.py).

# %%
from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from geomrelu.claims.registry import Claim
from geomrelu.random_networks.orbit_batch import stably_unactivated_counts
from geomrelu.random_networks.stably_unactivated import stably_unactivated_orbit

claim = Claim(
    label="orbit-minimum-plane",
    title="The least orbit for two inputs",
    statement="n0 = 2, n1 >= 4: the least generic orbit has 4^(n1 - 2) + (n1 + 2) 2^(n1 - 3) stably unactivated "
    "sign choices",
    latex=r"n_0 = 2,\ n_1 \ge 4:\quad \min \# = 4^{n_1-2} + (n_1 + 2)\, 2^{n_1-3}",
    source="new, open (after Brownlowe et al., conjecture 1.3)",
    hypotheses=("n0 = 2", "n1 >= 4", "lines in general position", "no value or rate of f is 0 by cancellation"),
)


def least(n1: int) -> int:
    return int(4 ** (n1 - 2) + (n1 + 2) * 2 ** (n1 - 3))


# %% [markdown]
# ## The hunt
#
# The orbit with 320 choices, exactly. Then random orbits, and searches that start at perturbed products of two lines,
# change magnitudes at random and keep what does not raise the count.

# %%
SIX = (
    [["-0.02", "8e-08"], [-3e7, "-3e-09"], [-2e10, "0.0002"], ["5e-06", 2], [40000, "-1e-07"], [6, -6e7]],
    [8, -2000, 70000, "-1e-08", 400, 2000],
)


def counted(rows: np.ndarray, n1: int) -> np.ndarray:
    a, b, w, c = np.split(rows, np.cumsum([2 * n1, n1, n1]), axis=1)
    return stably_unactivated_counts(a.reshape(-1, n1, 2), b, w, c[:, 0])


def near_products(rng: np.random.Generator, size: int, n1: int) -> np.ndarray:
    """Each neuron along one of two axes, with a small tilt."""
    axis = np.where(np.arange(n1) % 2 == 0, 0, 1)
    tilt = np.where(axis[:, None] == np.arange(2), 1.0, 1e-4)
    a = rng.standard_normal((size, n1, 2)) * 10.0 ** rng.uniform(-2, 2, (size, n1, 1)) * tilt
    b = rng.standard_normal((size, n1)) * 10.0 ** rng.uniform(-2, 2, (size, n1))
    return np.hstack([a.reshape(size, -1), b, np.ones((size, n1)), 10.0 ** rng.uniform(0, 6, (size, 1))])


@claim.hunt("orbits and searches")
def hunt(depth: str) -> Iterator[tuple[object, ...]]:
    found, _ = stably_unactivated_orbit(*SIX, [1] * 6, 3e8)
    yield "n1 = 6: attained", found, least(6)
    short, long = ((4, 60, 20), (5, 30, 20), (6, 8, 10)), ((4, 500, 200), (5, 400, 200), (6, 200, 300), (7, 60, 300))
    plan = short if depth == "default" else long
    for n1, starts, rounds in plan:
        rng = np.random.default_rng([220, n1])
        rows = rng.standard_normal((4 * starts, 4 * n1 + 1)) * 10.0 ** rng.uniform(-2, 2, (4 * starts, 4 * n1 + 1))
        yield f"n1 = {n1}: least of {4 * starts:,} random orbits", int(counted(rows, n1).min()), ">=", least(n1)
        rows = near_products(rng, starts, n1)
        best = counted(rows, n1)
        for _ in range(rounds):
            other = rows * 10 ** (rng.normal(0, 1, rows.shape) * (rng.random(rows.shape) < 0.15))
            new = counted(other, n1)
            better = new <= best
            rows[better], best[better] = other[better], new[better]
        yield f"n1 = {n1}: least of {starts:,} searches", int(best.min()), ">=", least(n1)


# %% [markdown]
# ## Neighbours that fail
#
# *Two inputs*: three have fewer ($46 < 92$ for $n_1 = 5$); one has more, at least $4^{n_1-1} + 2^{n_1-1}$. *$n_1 \ge
# 4$*: with three neurons all orbits have 10 choices, and the formula gives 9. *General position*: four parallel lines,
# $16 < 28$. *Cancellation*: four lines in general position whose small whole numbers cancel, $24 < 28$.


# %%
@claim.neighbour("n0 = 2")
def three_inputs(depth: str) -> Iterator[tuple[object, ...]]:
    rng = np.random.default_rng(221)
    counts = stably_unactivated_counts(*(rng.standard_normal(s) for s in ((200, 5, 3), (200, 5), (200, 5), (200,))))
    yield int(counts.min()), ">=", least(5)


@claim.neighbour("n1 >= 4")
def three_neurons(depth: str) -> Iterator[tuple[object, ...]]:
    yield stably_unactivated_orbit([[1, 2], [3, -1], [2, 5]], [1, 2, 7], [1, 1, 1], 1)[0], least(3)


@claim.neighbour("lines in general position; no value or rate of f is 0 by cancellation")
def not_generic(depth: str) -> Iterator[tuple[object, ...]]:
    yield stably_unactivated_orbit([[1, 0]] * 4, [0, 1, 3, 7], [1, 2, 4, 8], 100)[0], ">=", least(4)
    lines = [[3, 2], [-3, -3], [0, -1], [-3, -1]], [-1, -1, 0, 0]  # any two meet, no three in one point
    yield stably_unactivated_orbit(*lines, [2, 1, 2, 3], 4)[0], ">=", least(4)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
