# %% [markdown]
# # One input: an upper bound for all slopes
#
# **Notation.** As in [`line-upper-bound`](line-upper-bound.py): $T(X)$ is the number of good choices of the orbit of a
# set $X$ of $m = n_1$ neurons on $\mathbb R$.
#
# **Statement (conjecture).** For all generic magnitudes, every $m$ and *every* neuron $i$,
# $$(*) \qquad T(X) \le T(X - i) + 4^{m-1},$$
# hence $T \le 1 + 1 + 4 + \dots + 4^{m-1} = \frac{4^m + 2}3$ and $P(\text{stably unactivated}) \le \frac16 + \frac13
# 4^{-n_1}$, the latter for independent symmetric rows and parameters (with atoms too, as there).
#
# Proved are $m \le 3$ for the bound, and superincreasing slopes, where (*) holds for the largest:
# [`line-upper-bound`](line-upper-bound.py). Removing one neuron with $T(X) \le 4 T(X - i) - 2$, which would do too,
# fails for some $i$. The evidence is a hunt: random orbits, all $i$, and searches that climb.

# %%
from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from geomrelu.claims.registry import Claim
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.orbit_batch import stably_unactivated_counts

claim = Claim(
    label="line-upper-bound-general",
    title="One input: an upper bound for all slopes",
    statement="n0 = 1: T(X) <= T(X - i) + 4^(n1 - 1) for every neuron i, so P(stably unactivated) <= 1/6 + 4^-n1 / 3",
    latex=r"n_0 = 1:\quad T(X) \le T(X - i) + 4^{n_1 - 1}, \quad P \le \tfrac16 + \tfrac13 4^{-n_1}",
    source="new, open (after Brownlowe et al., conjecture 1.3)",
    hypotheses=(
        "n0 = 1 (needed: not known)",
        "for P: first-layer rows and second-layer parameters independent, symmetric",
    ),
    uses=("line-upper-bound",),
)

# %% [markdown]
# ## The hunt
#
# $T(X) - T(X - i) - 4^{m-1}$, the largest over all $i$ and orbits: normal, wildly scaled, and with clustered knots;
# then searches from random starts that change magnitudes and keep what does not lower it. All counts are exact.


# %%
def magnitudes(rng: np.random.Generator, size: int, m: int) -> np.ndarray:
    """Rows ``a_1..a_m, x_1..x_m, c`` of three kinds."""
    rows = rng.standard_normal((size, 2 * m + 1))
    rows[1::3] *= 10.0 ** rng.uniform(-3, 3, rows[1::3].shape)
    rows[2::3, m : 2 * m] = rng.integers(0, 2, rows[2::3, m : 2 * m].shape) + rows[2::3, m : 2 * m] / 512
    return rows


def counts(rows: np.ndarray, m: int) -> np.ndarray:
    a, x, c = rows[:, :m], rows[:, m : 2 * m], rows[:, -1]
    if m == 0:
        return np.ones(len(rows), dtype=np.int64)
    return stably_unactivated_counts(a[:, :, None], -a * x, np.ones_like(a), c)


def excess(rows: np.ndarray, m: int) -> np.ndarray:
    """max_i T(X) - T(X - i) - 4^(m-1)."""
    without = [counts(np.delete(rows, [i, m + i], axis=1), m - 1) for i in range(m)]
    return counts(rows, m) - np.min(without, axis=0) - 4 ** (m - 1)


@claim.hunt("numbers of neurons")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    sizes = {2: 2000, 3: 2000, 4: 1000, 5: 300, 6: 60} if depth == "default" else dict.fromkeys(range(2, 7), 20_000)
    for m, size in sizes.items():
        rows = magnitudes(np.random.default_rng([216, m]), size, m)
        yield f"n1 = {m}: excess in (*), largest of {m} x {size:,}", int(excess(rows, m).max()), "<=", 0
        bound = closed_forms.line_upper_bound(m) * 2 ** (2 * m + 1)
        yield f"n1 = {m}: count, largest of {size:,}", int(counts(rows, m).max()), "<=", bound


@claim.hunt("searches")
def climbs(depth: str) -> Iterator[tuple[object, ...]]:
    for m, starts in (
        ((3, 200), (4, 150), (5, 20)) if depth == "default" else ((3, 2000), (4, 2000), (5, 1000), (6, 200))
    ):
        rng = np.random.default_rng([217, m])
        rows = magnitudes(rng, starts, m)
        best = excess(rows, m)
        for _ in range(25):
            other = rows * 10 ** (rng.normal(0, 0.7, rows.shape) * (rng.random(rows.shape) < 0.3))
            new = excess(other, m)
            better = new >= best
            rows[better], best[better] = other[better], new[better]
        yield f"n1 = {m}: excess in (*), largest of {starts:,} searches", int(best.max()), "<=", 0


# %% [markdown]
# ## Neighbours that fail
#
# *Symmetric rows*: with fixed rows $(1, 0)$, $(1, -1)$ and $w = (\pm 1, \pm 2)$, $c = \pm 3$ two of eight choices are
# good, $\frac14 > \frac3{16}$. *The other induction*, $T(X) \le 4 T(X - i) - 2$ for every $i$, fails.


# %%
@claim.neighbour("for P: first-layer rows and second-layer parameters independent, symmetric")
def fixed_rows(depth: str) -> Iterator[tuple[object, ...]]:
    good = sum(
        max(t * max(x, 0) + 2 * u * max(x - 1, 0) + 3 * e for x in (0, 1, 99)) < 0 and t + 2 * u < 0
        for t, u, e in product((1, -1), repeat=3)
    )
    yield good * 4, "<=", closed_forms.line_upper_bound(2) * 2**5


@claim.neighbour("(*): four times as many instead of 4^(n1 - 1) more")
def other_induction(depth: str) -> Iterator[tuple[object, ...]]:
    rows = magnitudes(np.random.default_rng(219), 300, 4)
    without = np.array([counts(np.delete(rows, [i, 4 + i], axis=1), 3) for i in range(4)])
    yield int((counts(rows, 4) - 4 * without.min(axis=0) + 2).max()), "<=", 0


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
