# %% [markdown]
# # Two inputs without biases: at least one sixteenth
#
# **Notation.** $F(y) = \sum_{i \le M} t_i \max(s_i a_i \cdot y, 0)$ on $\mathbb R^2$ with generic $a_i$, and $Q$ the
# share of the $4^M$ choices of signs with $F \le 0$ everywhere.
#
# **Statement (conjecture).** $Q \ge \frac1{16}$ for every $M$ and all $a_i$. More precisely, for $M \ge 4$ the least
# number of choices with $F \le 0$ is
# $$4^{M-2} + (M + 2)\, 2^{M-3},$$
# the number of [`orbit-minimum-plane`](orbit-minimum-plane.py), where there are biases too.
#
# It is what the lower bound for wide layers asks for in the plane, $Q \ge 4^{-N}$ with $N = 2$
# ([`tensor-power`](tensor-power.py)); a bound that is not 0 is proved in
# [`width-free-lower-bound`](width-free-lower-bound.py), and for $N = 1$ the value is exactly $\frac14 + 2^{-M-1}$. By
# [`plane-sign-changes`](plane-sign-changes.py) it says that $F$ changes its sign four times or more often enough: with
# $2k$ sign changes, $E (k - 1)_+ \ge \frac18 - 2^{-M}$ is nearly the same statement. At products of two lines (not
# generic), with $M_1 + M_2 = M$ neurons, $Q = (\frac14 + 2^{-M_1-1}) (\frac14 + 2^{-M_2-1})$, which tends to
# $\frac1{16}$, and generic vectors near them have at most that, as $F \le 0$ is a closed condition; so the constant
# would be sharp. The evidence is a hunt, in integers.

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import numpy as np

from geomrelu.claims.registry import Claim
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.bias_free import bias_free_orbit

claim = Claim(
    label="plane-central-bound",
    title="Two inputs without biases: at least one sixteenth",
    statement="no biases, two inputs: a second-layer neuron is dead with probability at least 1/16, whatever the width",
    latex=r"n_0 = 2, \text{ no biases}: \quad Q \ge \tfrac1{16} \quad \text{for all } n_1",
    source="new, open (after Brownlowe et al., conjecture 1.3)",
    hypotheses=("two inputs", "no biases"),
    uses=("plane-sign-changes",),
)

# %% [markdown]
# ## The hunt
#
# Random integer directions of three kinds (one size, many sizes, near two lines), and searches that change entries and
# keep what does not raise the count. $F$ is linear between neighbouring lines $a_j \cdot y = 0$, so $F \le 0$ if it is
# at the $2M$ directions along them; all values are integers below $2^{62}$.


# %%
def dead(a: np.ndarray) -> np.ndarray:
    """For arrays (orbits, M, 2) of integers: how many of the 4^M choices have F <= 0."""
    m = a.shape[1]
    values = a[:, :, None, 0] * a[:, None, :, 1] - a[:, :, None, 1] * a[:, None, :, 0]  # a_i at the direction of line j
    signs = np.array(list(product((1, -1), repeat=m)), dtype=np.int64)
    found = np.zeros(len(a), dtype=np.int64)
    for flip in signs[: len(signs) // 2]:  # the opposite flips see the opposite directions
        turned = flip[:, None] * values
        both = np.concatenate([np.maximum(turned, 0), np.maximum(-turned, 0)], axis=2)
        found += 2 * ((signs @ both) <= 0).all(axis=2).sum(axis=1)
    return found


def directions(rng: np.random.Generator, size: int, m: int) -> np.ndarray:
    """Of three kinds; magnitudes at most 10^6."""
    rows = rng.integers(1, 1000, (size, m, 2)) * rng.choice((-1, 1), (size, m, 2))
    scale = 10 ** rng.integers(0, 4, (size, m, 1))
    rows[1::3] = rows[1::3] * scale[1::3]
    axis = np.where(np.arange(m) % 2 == 0, 0, 1)
    rows[2::3] *= np.where(axis[:, None] == np.arange(2), 1000, 1)
    return rows


@claim.hunt("orbits and searches")
def hunt(depth: str) -> Iterator[tuple[object, ...]]:
    short = ((3, 600, 12), (4, 900, 20), (5, 300, 20), (6, 60, 12), (7, 12, 6))
    long = ((3, 20_000, 60), (4, 20_000, 60), (5, 4000, 60), (6, 600, 60), (7, 150, 60), (8, 24, 30))
    for m, size, rounds in short if depth == "default" else long:
        rng = np.random.default_rng([410, m])
        rows = directions(rng, size, m)
        best = dead(rows)
        least = int(best.min())
        bound = 4 ** (m - 2) + (m + 2) * 2 ** (m - 3) if m > 3 else 10
        yield f"M = {m}: least of {size:,} orbits", least, ">=", bound
        for _ in range(rounds):
            factor = 10.0 ** (rng.normal(0, 0.5, rows.shape) * (rng.random(rows.shape) < 0.3))
            other = np.clip(np.rint(rows * factor), -(10**7), 10**7).astype(np.int64)
            other[other == 0] = 1
            new = dead(other)
            better = new <= best
            rows[better], best[better] = other[better], new[better]
        yield f"M = {m}: least of {size:,} searches", int(best.min()), ">=", bound
        yield f"M = {m}: 16 Q there", 16 * Fraction(int(best.min()), 4**m), ">=", 1


@claim.hunt("products of two lines, and orbits by the general function")
def products(depth: str) -> Iterator[tuple[object, ...]]:
    for one, other in ((1, 1), (2, 2), (3, 3), (5, 5), (20, 20)):
        q = closed_forms.bias_free_unactivated(1, one) * closed_forms.bias_free_unactivated(1, other)
        yield f"{one} + {other} neurons: 16 Q", 16 * q, ">=", 1
    rows = directions(np.random.default_rng(411), 6, 4)
    for row, count in zip(rows, dead(rows), strict=True):
        general, _ = bias_free_orbit(row.tolist(), [1] * 4)
        yield general, int(count)


# %% [markdown]
# ## Neighbours that fail
#
# *More inputs*: five inputs and five neurons have $Q = \frac1{32}$. *Biases*: with two inputs, two neurons and biases
# the value is $\frac18$, but with four it is less than $\frac1{16}$ on some orbits.


# %%
@claim.neighbour("two inputs; no biases")
def others(depth: str) -> Iterator[tuple[object, ...]]:
    rng = np.random.default_rng(412)
    yield Fraction(*bias_free_orbit(rng.integers(-99, 100, (5, 5)).tolist(), [1] * 5)), ">=", Fraction(1, 16)
    from geomrelu.random_networks.stably_unactivated import stably_unactivated_orbit

    found = stably_unactivated_orbit([[1, 2], [3, -1], [2, 5], [4, 7]], [1, 2, 7, 5], [1, 10, 100, 1000], 10**6)
    yield Fraction(*found), ">=", Fraction(1, 16)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
