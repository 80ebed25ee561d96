# %% [markdown]
# # The least orbit, as first conjectured
#
# **Notation.** $f(x) = \sum_{i \le n_1} w_i \max(a_i \cdot x + b_i, 0) + c$ on $\mathbb R^{n_0}$; an orbit is all flips
# of the rows $(a_i, b_i)$ and all signs of the $w_i$ and of $c$, for fixed magnitudes.
#
# **Statement.** For all $n_0 < n_1$ the least number of stably unactivated sign choices in an orbit, over all
# generic magnitudes, is the minimum over separated scales, that is of $2^{2 n_1 + 1} p$ with
# $$p = \tfrac12 \Big[2^{-n_1} + \sum_j (1 - c_j) 2^{-j-1}\Big]$$
# ([`separated-scales`](separated-scales.py)) over all generic arrangements and orders of their normals.
# *Generic*: (G1) to (G3) of [`line-lower-bound`](line-lower-bound.py) for $n_0 = 1$; for $n_0 > 1$ the hyperplanes
# $a_i \cdot x + b_i = 0$ are in general position, and no value and no rate of $f$ at a generator of a piece is 0 where
# something is active.
#
# This was conjectured in the course of this project, from hunts for $n_1 \le n_0 + 2$.
#
# **What is wrong.** No separated scales have fewer than 328 stably unactivated sign choices at $n_0 = 2$, $n_1 = 6$,
# but the search below finds magnitudes that have. What still stands is
# [`orbit-minimum-corrected`](orbit-minimum-corrected.py).

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache

import numpy as np

from geomrelu.claims.registry import Again, Claim
from geomrelu.geometry.arrangement import Arrangement
from geomrelu.random_networks.orbit_batch import stably_unactivated_counts
from geomrelu.random_networks.stably_unactivated import stably_unactivated_orbit

claim = Claim(
    label="orbit-minimum",
    title="The least orbit, as first conjectured",
    statement="n0 < n1: the least orbit is one at separated scales",
    latex=r"n_0 < n_1:\quad \min_{\text{magnitudes}} p = \min_{\text{separated scales}} p",
    source="new (after Brownlowe et al., conjecture 1.3)",
    hypotheses=(
        "magnitudes generic",
        "n1 > n0",
    ),
    correction="orbit-minimum-corrected",
)

# %% [markdown]
# ## Search
#
# For $n_0 = 1, 2$, the fewest neurons first. The minimum of the formula by trying all: for $n_0 = 1$ a normal after the
# first never cuts a region, for $n_0 = 2$ it cuts any one pair of opposite sectors that is wished. Against it the least
# count that a search finds: magnitudes spread over four orders, each changed at random again and again, and the change
# kept if the count (which is exact) does not grow. The winner is rounded to as few digits as keep its count, and
# counted once more by double description.


# %%
def least(n0: int, n1: int) -> int:
    """The minimum of the formula, as a number of sign choices."""

    @cache
    def most(pairs: tuple[Fraction, ...], j: int) -> Fraction:
        """The largest sum of c_j 2^(-j-1) from normal j on, in the plane; weights of the pairs of opposite sectors."""
        if j > n1:
            return Fraction(0)
        ways = [tuple(sorted((*pairs[:k], w / 2, w / 2, *pairs[k + 1 :]))) for k, w in enumerate(pairs)]
        return max(w / 2 ** (j + 1) + most(way, j + 1) for w, way in zip(pairs, ways, strict=True))

    cut = Fraction(1, 4) + (most((Fraction(1),), 2) if n0 == 2 else 0)  # c_1 = 1, then there is one pair
    p = (Fraction(1, 2**n1) + sum(Fraction(1, 2 ** (j + 1)) for j in range(1, n1 + 1)) - cut) / 2
    return int(p * 2 ** (2 * n1 + 1))


def hunted(n0: int, n1: int, size: int, rounds: int) -> tuple[np.ndarray, int]:
    """Magnitudes (a, b, w, c in one row) with a small count, and the count."""
    rng, columns = np.random.default_rng([105, n0, n1]), n1 * (n0 + 2) + 1
    found = 10 ** rng.uniform(-2, 2, (size, columns)) * rng.choice((-1.0, 1.0), (size, columns))
    counts, target = counted(found, n0, n1), least(n0, n1)
    for _ in range(rounds):
        if counts.min() < target:
            break
        changed = rng.random(found.shape) < 1.5 / columns
        turned = rng.random(found.shape) < 0.3 / columns
        other = found * 10 ** (rng.normal(0, 1, found.shape) * changed) * np.where(turned, -1, 1)
        new = counted(other, n0, n1)
        better = new <= counts
        found[better], counts[better] = other[better], new[better]
    best = int(counts.argmin())
    return found[best], int(counts[best])


def counted(rows: np.ndarray, n0: int, n1: int) -> np.ndarray:
    a, b, w, c = np.split(rows, np.cumsum([n1 * n0, n1, n1]), axis=1)
    return stably_unactivated_counts(a.reshape(-1, n1, n0), b, w, c[:, 0])


def rounded(row: np.ndarray, count: int, n0: int, n1: int) -> list[object]:
    """The same to as few digits as keep the count and general position: [a, b, w, c]."""
    for digits in range(1, 18):
        short = [float(f"{v:.{digits - 1}e}") for v in row]
        short = [int(v) if v.is_integer() else v for v in short]
        a = [short[n0 * i : n0 * (i + 1)] for i in range(n1)]
        whole: list[object] = [a, short[n0 * n1 : -n1 - 1], short[-n1 - 1 : -1], short[-1]]
        if Arrangement(a, whole[1]).is_generic and stably_unactivated_orbit(*whole)[0] == count:
            return whole
    raise ArithmeticError("the magnitudes are not in general position")


@claim.enumerate("least orbits found")
def search(depth: str) -> Iterator[tuple[object, ...]]:
    for n0, n1 in ((1, 2), (2, 3), (1, 3), (2, 4), (1, 4), (2, 5), (1, 5), (2, 6)):
        row, count = hunted(n0, n1, 48, 150 if n1 > 5 else 30)
        magnitudes = rounded(row, count, n0, n1)
        again = Again(
            "from geomrelu.random_networks.stably_unactivated import stably_unactivated_orbit\n"
            f"a, b, w, c = {magnitudes}\n"
            "print(stably_unactivated_orbit(a, b, w, c)[0])"
        )
        yield f"n0 = {n0}, n1 = {n1}", stably_unactivated_orbit(*magnitudes)[0], ">=", least(n0, n1), again


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
