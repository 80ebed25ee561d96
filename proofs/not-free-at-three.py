# %% [markdown]
# # From depth three on the probability depends on the law
#
# **Statement.** On $S_0 = \mathbb R^2$, $P(2, 3)$ is not the same for all laws of independent parameters that are
# symmetric about 0 and have densities (the laws may differ from parameter to parameter).

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.orbit import alive_orbit

claim = Claim(
    label="not-free-at-three",
    title="Not distribution free at depth three",
    statement="on S_0 = R^2: P(2, 3) depends on the law of the parameters",
    latex=r"S_0 = \mathbb R^2:\quad P(2, 3) \text{ depends on the law}",
    source="new (after Rister & Rubin, section 5)",
    hypotheses=(
        "S_0 = R^2",
        "depth three",
    ),
    uses=("range-two-three",),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (counts are locally constant).** For given signs, the magnitudes at which a network is alive form an open set
# (a finite intersection of unions of sets $\{z > 0\}$ with $z$ continuous). So the number of living sign choices can
# only grow at small changes of the magnitudes: if some magnitudes have $N$ living choices, all near ones have at least
# $N$.
#
# **Step 2 (two orbits).** Two orbits below have different counts $N < N'$. Both lie on no wall of
# [`range-two-three`](range-two-three.py), Step 4 (checked below in rationals), so their counts are constant near them.
#
# **Step 3 (two laws).** Let each parameter be $\pm$ its magnitude with equal probability, plus a uniform error in
# $[-\varepsilon, \varepsilon]$: symmetric, with a density. As $\varepsilon \to 0$ the probability tends to the orbit's
# fraction: at one orbit to $N / 2^{18}$, at the other to $N' / 2^{18}$. So they differ for small $\varepsilon$. (How
# far apart they can be: [`range-two-three`](range-two-three.py).) $\square$

# %%
FIRST = [[371, 713], [529, 217]], [431, 907]
ONE = [FIRST, ([[217, 431], [523, 419]], [411, 547]), ([[331, 433], [107, 541]], [313, 109])]
OTHER = [FIRST, ([[811, 223], [307, 503]], [211, 349]), ([[227, 311], [419, 733]], [727, 331])]


def nearby(net: list[tuple[list[list[int]], list[int]]], rng: random.Random) -> list[tuple[object, object]]:
    def moved(v: int) -> Fraction:
        return v + Fraction(rng.randint(-(10**6), 10**6), 10**10)

    return [([[moved(v) for v in row] for row in weights], [moved(v) for v in bias]) for weights, bias in net]


def on_walls(net: list[tuple[list[list[int]], list[int]]]) -> int:
    """How many walls the orbit lies on: layer 1 not invertible, or a sign or cut point of Step 4 there met."""
    (first, _), ((one, two), (p0, q0)), (third, biases) = net
    b, c = (Fraction(two[j] * p0, one[j] * q0) for j in (0, 1))
    met = [first[0][0] * first[1][1] == first[0][1] * first[1][0], b == 1, c == 1, b == c]
    for (left, right), bias in zip(third, biases, strict=True):
        u, v = Fraction(left * p0, bias), Fraction(right * q0, bias)
        p, q = 1 / v, 1 / u
        met += [u == 1, v == 1, u + v == 1, abs(u - v) == 1]
        cuts = [1 + p, abs(1 - p), 1 / (1 + q), p / q] + ([1 / abs(1 - q)] if q != 1 else [])
        met += [g == cut for g in (b, c) for cut in cuts]
    return sum(met)


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng, plane = random.Random(55), Polyhedron.space(2)
    one, other = (alive_orbit(net, plane)[0] for net in (ONE, OTHER))
    yield "two orbits differ", one, "<", other
    for net in (ONE, OTHER):
        yield on_walls(net), 0
    for _ in range(20 if depth == "thorough" else 5):
        yield "near the first", alive_orbit(nearby(ONE, rng), plane)[0], one
        yield "near the second", alive_orbit(nearby(OTHER, rng), plane)[0], other


# %% [markdown]
# ## Neighbour that fails
#
# At depth two all orbits agree ([`tight-at-two`](tight-at-two.py)).


# %%
@claim.neighbour("depth three")
def depth_two(depth: str) -> Iterator[tuple[object, ...]]:
    one, other = (alive_orbit(net[:2], Polyhedron.space(2)) for net in (ONE, OTHER))
    yield one[0], "<", other[0]
    yield Fraction(one[0], one[1]), "<", closed_forms.upper_bound(2, 2)


@claim.neighbour("S_0 = R^2")
def one_point(depth: str) -> Iterator[tuple[object, ...]]:
    """At a point the value is free of the law."""
    one, other = (alive_orbit(net, FiniteSet.of([[1, 2]])) for net in (ONE, OTHER))
    yield one[0], "<", other[0]


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
