# %% [markdown]
# # The worst constant, as first guessed
#
# **Statement (false for two inputs).** For given magnitudes $a, b, w$, the fraction of stably unactivated sign choices
# of $f(x) = \sum_i w_i \max(a_i \cdot x + b_i, 0) + c$ on $\mathbb R^{n_0}$ is least if $|c|$ is larger than everything
# else, for every $n_0$. Magnitudes are generic, as in [`orbit-minimum`](orbit-minimum.py).
#
# It is true for $n_0 = 1$ ([`line-lower-bound`](line-lower-bound.py)), and would give $p_n \ge Q_n / 2$ for networks
# with biases against those without. For $n_0 = 2$ and $n_0 = 3$ there are explicit magnitudes against it; magnitudes
# near them have the same counts.

# %%
from __future__ import annotations

from collections.abc import Iterator

from geomrelu.claims.registry import Again, Claim
from geomrelu.random_networks.stably_unactivated import stably_unactivated_orbit

claim = Claim(
    label="constant-infinity",
    title="The worst constant, as first guessed",
    statement="for every n0 the fraction of stably unactivated sign choices is least for the largest constant",
    latex=r"\min_c\ p(A, b, w, c) = p(A, b, w, \infty) \quad \text{for every } n_0",
    source="new (after Brownlowe et al., conjecture 1.3)",
    hypotheses=("magnitudes generic",),
    correction="line-lower-bound",
)

PLANE = ([[-2, -3], [0, -1], [-9, 7], [-2, 3], [-7, 9]], [-9, 3, -2, 5, 5], [4, 5, 2, 3, 6])
SPACE = (
    [[-4, 4, -1], [-3, 1, -4], [3, -1, -9], [-3, -2, 1], [8, 8, 9], [4, -3, -9]],
    [-9, -5, -4, -1, 1, 0],
    [6, 4, 10, 16, 18, 9],
)


def again(magnitudes: tuple[list[list[int]], list[int], list[int]]) -> Again:
    a, b, w = magnitudes
    return Again(
        "from geomrelu.random_networks.stably_unactivated import stably_unactivated_orbit\n"
        f"print(stably_unactivated_orbit({a}, {b}, {w}, 1)[0])"
    )


# %% [markdown]
# ## Enumeration
#
# One input first, where it holds; then 92 choices of 2048 for $|c| = 1$ and 94 for $|c| = 10^9$ in the plane, and 142
# and 144 of 8192 in space.


# %%
@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    line = [[2], [-3], [7], [5]], [1, 4, -9, 2], [1, 2, 1, 3]
    yield "n0 = 1", stably_unactivated_orbit(*line, 1)[0], ">=", stably_unactivated_orbit(*line, 10**9)[0]
    for name, magnitudes in (("n0 = 2, n1 = 5", PLANE), ("n0 = 3, n1 = 6", SPACE)):
        small, large = (stably_unactivated_orbit(*magnitudes, c)[0] for c in (1, 10**9))
        yield name, small, ">=", large, again(magnitudes)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
