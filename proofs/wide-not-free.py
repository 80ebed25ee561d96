# %% [markdown]
# # Two neurons more than inputs: the law matters
#
# **Statement.** For $n_1 \ge n_0 + 2$ the probability that a second-layer neuron is stably unactivated on
# $\mathbb R^{n_0}$ is not the same for all independent parameters with laws that are symmetric about 0 and have
# densities (the laws may differ from parameter to parameter). Enumerated for $n_0 \le 4$, $n_1 \le n_0 + 4$.

# %%
from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from geomrelu.claims import Claim
from geomrelu.orbits import stably_unactivated_counts
from geomrelu.probability import stably_unactivated_orbit

claim = Claim(
    label="wide-not-free",
    title="Not distribution free",
    statement="n1 >= n0 + 2: the probability that a second-layer neuron is stably unactivated depends on the law",
    latex=r"n_1 \ge n_0 + 2:\quad P(\text{stably unactivated}) \text{ depends on the law}",
    source="new (after Brownlowe et al., conjecture 1.3)",
    hypotheses=("n1 >= n0 + 2", "domain R^n0"),
)

# %% [markdown]
# ## Proof, given two orbits with different counts
#
# **Step 1.** At magnitudes where all margins of the criterion in `geomrelu.probability` are strict (this is so outside
# zero sets of polynomials), the count is constant on a neighbourhood, because margins depend continuously on
# magnitudes.
#
# **Step 2.** Let each parameter be its magnitude with a random sign plus a small uniform error: a symmetric law with a
# density. As the errors shrink the probability tends to the orbit's fraction. Two orbits with different fractions give
# two laws with different probabilities. $\square$


# %%
def some(rng: np.random.Generator, count: int, n0: int, n1: int) -> list[np.ndarray]:
    shapes = (count, n1, n0), (count, n1), (count, n1), (count,)
    return [rng.integers(1, 10**6, s) * rng.choice((-1.0, 1.0), s) for s in shapes]


@claim.enumerate("pairs of orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    one, _ = stably_unactivated_orbit([[1], [1], [1]], [0, 1, 2], [1, 2, 4], 8)
    other, _ = stably_unactivated_orbit([[1], [1], [1]], [0, 1, 2], [4, 2, 1], 1)
    yield "n0 = 1, n1 = 3, by hand", min(one, other), "<", max(one, other)
    for n0 in range(1, 5):
        for n1 in range(n0 + 2, n0 + (5 if depth == "thorough" else 4)):
            rng = np.random.default_rng(70 + n1)
            parts = some(rng, 40, n0, n1)
            found = stably_unactivated_counts(*parts)
            low, high = (int(k) for k in (found.argmin(), found.argmax()))
            yield f"n0 = {n0}, n1 = {n1}", int(found[low]), "<", int(found[high])
            if n1 - n0 < 4:  # again in integers, by the general function
                for k in (low, high):
                    yield stably_unactivated_orbit(*(p[k] for p in parts))[0], int(found[k])
            near = [p * (1 + rng.uniform(-1e-9, 1e-9, p.shape)) for p in parts]  # Step 1
            yield int((stably_unactivated_counts(*near) == found).sum()), ">=", 39


# %% [markdown]
# ## Neighbour that fails
#
# For $n_1 = n_0 + 1$ all orbits agree ([`one-more-than-input`](one-more-than-input.py)).


# %%
@claim.neighbour("n1 >= n0 + 2")
def one_more(depth: str) -> Iterator[tuple[object, ...]]:
    for n0 in range(1, 5):
        found = stably_unactivated_counts(*some(np.random.default_rng(80), 200, n0, n0 + 1))
        yield int(found.min()), "<", int(found.max())


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
