# %% [markdown]
# # A ray under He's initialisation: half as much again as the lower bound
#
# **Notation.** Networks of width $n$ and depth $k$ with He normal weights and biases (variance $2/n$), on a ray
# $\{t d : t \ge 0\}$. $P(n, k)$ is the probability that each layer is positive somewhere on the image of the ray, and
# $\ell(n, k) = (1 - 2^{-n})^k$.
#
# **Statement.** *Measured*: along $k = 2^n$, $n = 2, \dots, 6$, where $\ell$ is between 0.31 and 0.37,
# $$P(n, 2^n) \ge \tfrac32\, \ell(n, 2^n).$$
# So what [`tight-along-paths-corrected`](tight-along-paths-corrected.py) proves for parameters in a narrow band is seen
# for the law of the paper's own simulations, too, and does not fade with the width as far as was looked. (The
# simulations of the paper have finitely many standard normal points, where it is not seen:
# [`figure-2`](figure-2.py).)

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.initialisation import Initialisation
from geomrelu.random_networks.orbit import alive_orbit

claim = Claim(
    label="ray-under-he",
    title="A ray under He's initialisation",
    statement="He normal parameters, a ray: P(n, 2^n) >= 3/2 l(n, 2^n) for n = 2, ..., 6",
    latex=r"P(n, 2^n) \ge \tfrac32\, \ell(n, 2^n) \quad \text{on a ray, He's law, } n \le 6",
    source="new, measured (after Rister & Rubin, section 5)",
    hypotheses=("the whole ray", "He normal weights and biases (needed: not known)"),
    uses=("tight-along-paths-corrected",),
)

# %% [markdown]
# ## Proof
#
# There is none. What is exact: the two places that are followed below, 0 and the far end of the ray, belong to the
# ray, so what is counted is a lower bound for $P$. Far out a layer has the signs of the network without biases
# ([`tight-along-paths-corrected`](tight-along-paths-corrected.py), Step 3). $\square$
#
# ## Enumeration
#
# Magnitudes drawn from this law, all signs: 0 and a far point have at least the lower bound, and the ray at least as
# much as they.


# %%
def drawn(n: int, k: int, rng: np.random.Generator) -> list[tuple[list, list]]:
    found = []
    for _ in range(k):
        weights, bias = Initialisation("normal", "he").layers(rng, 1, n, n)
        found.append(([[Fraction(float(v)) for v in row] for row in weights[0]], [Fraction(float(v)) for v in bias[0]]))
    return found


@claim.enumerate("shares of sign choices", part="orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = np.random.default_rng(430)
    for n, k in ((1, 1), (1, 2), (1, 4), (2, 1), (2, 2)) + (((2, 3),) if depth == "thorough" else ()):
        layers, d = drawn(n, k, rng), [1 + i for i in range(n)]
        two = Fraction(*alive_orbit(layers, FiniteSet.of([[0] * n, [10**40 * v for v in d]])))
        ray = Fraction(*alive_orbit(layers, Polyhedron.from_generators([[0] * n], [d])))
        yield f"n = {n}, k = {k}: 0 and a far point", two, ">=", closed_forms.lower_bound(n, k)
        yield f"n = {n}, k = {k}: the ray", ray, ">=", two


# %% [markdown]
# ## Sampling
#
# 0 and the direction $d$ are sent through the same weights, the latter without biases and rescaled in each layer.


# %%
def alive(n: int, k: int, networks: int, seed: int) -> int:
    """Networks in which every layer is positive at the image of 0 or far out on the ray."""
    rng, law, found = np.random.default_rng([seed, n]), Initialisation("normal", "he"), 0
    d = rng.standard_normal(n)
    for start in range(0, networks, 1 << 12):
        count = min(1 << 12, networks - start)
        near, far, lives = np.zeros((count, n)), np.tile(d, (count, 1)), np.ones(count, dtype=bool)
        for _ in range(k):
            weights, bias = law.layers(rng, count, n, n)
            near = np.maximum((weights @ near[:, :, None])[:, :, 0] + bias, 0)
            far = np.maximum((weights @ far[:, :, None])[:, :, 0], 0)
            lives &= near.any(axis=1) | far.any(axis=1)
            far /= np.maximum(far.max(axis=1, keepdims=True), np.finfo(float).tiny)
        found += int(lives.sum())
    return found


@claim.sample("estimates", trials=2000, seed=431, level=1 - Fraction(1, 5000), part="measured")
def measured(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    for n in (2, 3, 4, 5, 6):
        bound = closed_forms.lower_bound(n, 2**n) * Fraction(3, 2)
        rounded = Fraction(int(bound * 2**40), 2**40)
        yield f"n = {n}, k = {2**n}: at least 3/2 l", alive(n, 2**n, trials, seed), ">=", rounded


# %% [markdown]
# ## Neighbour that fails
#
# *One point of the ray*: there $P = \ell$.


# %%
@claim.neighbour("the whole ray")
def one_point(depth: str) -> Iterator[tuple[object, ...]]:
    layers = drawn(2, 2, np.random.default_rng(432))
    share = Fraction(*alive_orbit(layers, FiniteSet.of([[1, 2]])))
    yield share, ">=", closed_forms.lower_bound(2, 2) * Fraction(3, 2)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
