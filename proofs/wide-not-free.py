# %% [markdown]
# # Two neurons more than inputs: the law matters
#
# **Notation.** As in [`separated-scales`](separated-scales.py): $f(x) = \sum_i w_i \max(z_i(x), 0) + c$ on $\mathbb
# R^{n_0}$ with $z_i(x) = a_i \cdot x + b_i$, $i \le n_1$, and an orbit is all flips of the rows $(a_i, b_i)$ and all
# signs of the $w_i$ and of $c$. The *full orbit* has the signs of all $a_{ij}$ and $b_i$ too: it consists of the orbits
# of all *patterns* of relative signs in the rows. Hyperplanes are in general position, in every pattern: any $n_0$
# normals are independent, and no $n_0 + 1$ hyperplanes have a common point.
#
# **Statement.** For all $n_1 \ge n_0 + 2$ the probability that a second-layer neuron is stably unactivated on
# $\mathbb R^{n_0}$ is not the same for all independent parameters with laws that are symmetric about 0 and have
# densities (the laws may differ from parameter to parameter).

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import numpy as np
import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.random_networks.orbit_batch import stably_unactivated_counts
from geomrelu.random_networks.stably_unactivated import stably_unactivated_orbit

claim = Claim(
    label="wide-not-free",
    title="Not distribution free",
    statement="n1 >= n0 + 2: the probability that a second-layer neuron is stably unactivated depends on the law",
    latex=r"n_1 \ge n_0 + 2:\quad P(\text{stably unactivated}) \text{ depends on the law}",
    source="new (after Brownlowe et al., conjecture 1.3)",
    hypotheses=(
        "n1 >= n0 + 2",
        "domain R^n0",
    ),
    uses=("separated-scales",),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (two full orbits are enough).** Let no margin of the criterion in
# `geomrelu.random_networks.stably_unactivated` be 0 by cancellation. Then the count of an orbit is constant on a
# neighbourhood of the magnitudes, because margins depend continuously on them. Let each parameter be its magnitude with
# a random sign plus a small uniform error, all independent: symmetric laws with densities. As the errors shrink the
# probability tends to the mean fraction over all patterns. So it is enough to find two sets of magnitudes for which
# these means differ. They will be the same but for $c$: *separated scales* with $|c| \gg |w_1| \gg \dots \gg
# |w_{n_1}|$, where [`separated-scales`](separated-scales.py) gives
# $$2p = 2^{-n_1} + \sum_j (1 - c_j) 2^{-j-1},$$
# and $c$ *last*, $|w_1| \gg \dots \gg |w_{n_1}| \gg |c|$: at each generator the first active neuron outweighs all the
# rest.
#
# **Step 2 ($c$ last).** Build the arrangement of the hyperplanes $\{z_j = 0\}$ one by one, space with weight 1, and let
# a region that is cut pass half of its weight to either part. Let $e_j$ be the total weight of the regions that
# hyperplane $j$ cuts. Then with $c$ last the orbit has the fraction $p'$,
# $$2p' = 2^{-n_1} + \sum_j (1 - e_j) 2^{-j}.$$
# The proof is that of [`separated-scales`](separated-scales.py), with $K_j = \{x : z_i(x) < 0, i \le j\}$ and *forced*
# neurons $j$, active somewhere in $K_{j-1}$. The neuron is stably unactivated if and only if $w_j < 0$ for all forced
# $j$, and $c < 0$ or $K_{n_1} = \emptyset$. *Only if*: if $j$ is active on a part of $K_{j-1}$, on a region of that
# part it is the first active neuron, hence at one of its generators; and if $K_{n_1}$ is not empty, it is a region with
# a vertex, where nothing is active and $f = c$. *If*: near a vertex, or far out near a direction $\pm d_T$, the
# hyperplanes that meet there have independent normals and can be left on the sides that are wished. So the first active
# neuron at a generator is forced; if nothing is active, $K_{n_1} \ne \emptyset$, so $c < 0$, and along a direction each
# neuron of $T$ is forced. In the walk over the flips what leaves to the empty set at step $j$ now counts twice, for
# both signs of $c$: $2 \cdot \frac14 2^{-(j-1)} (1 - e_j) = 2^{-j} (1 - e_j)$.
#
# **Step 3 ($n_1 = n_0 + 2$: $p' \ge p$ for every pattern).** For $j \le n_0$ all regions are cut, $c_j = e_j = 1$.
# Hyperplane $n_0 + 1$ is $\sum_{i \le n_0} \alpha_i z_i = \gamma$ in the coordinates $z_1, \dots, z_{n_0}$, with no
# $\alpha_i$ and not $\gamma$ equal to 0. It misses one of the $2^{n_0}$ orthants: $(1 - e) 2^{-j} = 2^{-2 n_0 - 1}$,
# which is $(1 - c) 2^{-j-1}$, as there two opposite cones are missed. Hyperplane $n_0 + 2$ cuts as many regions as
# $n_0 + 1$ hyperplanes make in it, $2^{n_0+1} - n_0 - 2$ of $2^{n_0+1} - 1$. It misses $n_0 + 1$. All regions have the
# weight $2^{-n_0-1}$, except one, the heavy one, that has twice as much. Central regions: $2 n_0$ of $2^{n_0+1} - 2$
# are missed, and all have this weight except two opposite ones, the heavy ones, that have twice as much. So at
# $j = n_0 + 2$, in units of $2^{-2 n_0 - 3}$:
#
# * $(1 - e_j) 2^{-j}$ is $n_0 + 1$, or $n_0 + 2$ if the heavy region is missed;
# * $(1 - c_j) 2^{-j-1}$ is $n_0$, or $n_0 + 1$ if the heavy cones are missed.
#
# Hence $p' \ge p$, and $p' > p$ if the heavy cones are cut or the heavy region is missed. Choose $a_1, \dots, a_{n_0}$
# near the unit vectors. If $n_0 \ge 2$, there are patterns in which the signs of $a_{n_0+1}$ and $a_{n_0+2}$ differ at
# some places and agree at others: the heavy cones, where the coordinates have the signs of $\pm a_{n_0+1}$, are cut. If
# $n_0 = 1$, let hyperplane 1 be nearest to 0. In the patterns where 2 and 3 lie on one side of 0, the heavy region is
# the other half line: it is missed. So the mean of $p'$ over the patterns is larger than that of $p$.
#
# **Step 4 (more neurons).** Add neurons one by one, $a_n \cdot x = \pm X$ with $X$ so large that all earlier vertices
# lie between these two. The new terms and what was left change $2p' - 2p$ by
# $$2^{-n} \left((1 - e_n) - \tfrac12 (1 - c_n)\right),$$
# and it is enough that the mean over the two signs of $X$ is not negative. Let $Q$ run through the central regions
# before step $n$, of weight $W(Q)$; to each belongs one unbounded region, with the same signs, of weight $V(Q)$. The
# other regions are bounded, of weight $V_0$ altogether. If $a_i$ cuts the central region, hyperplane $i$ cuts the
# unbounded one, so $V(Q) \le W(Q)$; and $\sum_Q (W(Q) - V(Q)) = 1 - (1 - V_0) = V_0$. Bounded regions are missed for
# both signs of $X$. If $a_n$ does not cut $Q$, the unbounded region is missed for one sign of $X$. So the mean of
# $1 - e_n$ is at least
# $$V_0 + \tfrac12 \sum_{Q \text{ missed}} V(Q) \ge \tfrac12 V_0 + \tfrac12 \sum_{Q \text{ missed}} W(Q)
#   = \tfrac12 V_0 + \tfrac12 (1 - c_n),$$
# so the mean of $p' - p$ stays positive. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n0, n = sympy.symbols("n0 n", integer=True, positive=True)
    half = sympy.Rational(1, 2)
    # Step 2: what leaves, for both signs of c
    e, c = sympy.symbols("e c")
    yield 2 * half * half * half ** (n - 1) * (1 - e), half**n * (1 - e)
    # Step 3: the terms of step n0 + 1 agree
    yield "step n0 + 1", half**n0 * half ** (n0 + 1), 2 * half**n0 * half ** (n0 + 2)
    for dimension in range(1, 7):  # regions of n0 + 1 hyperplanes in dimension n0 - 1, affine and central
        cut = sum(sympy.binomial(dimension + 1, k) for k in range(dimension))
        yield 2 ** (dimension + 1) - 1 - cut, sympy.Integer(dimension + 1)
        central = 2 * sum(sympy.binomial(dimension, k) for k in range(dimension - 1))
        yield 2 ** (dimension + 1) - 2 - central, sympy.Integer(2 * dimension)
    light, unit = half ** (n0 + 1), half ** (2 * n0 + 3)
    yield "heavy region cut", (n0 + 1) * light * half ** (n0 + 2), (n0 + 1) * unit
    yield "heavy region missed", (n0 + 2) * light * half ** (n0 + 2), (n0 + 2) * unit
    yield "heavy cones cut", 2 * n0 * light * half ** (n0 + 3), n0 * unit
    yield "heavy cones missed", (2 * n0 + 2) * light * half ** (n0 + 3), (n0 + 1) * unit
    # Step 4: from n - 1 to n neurons
    change = (half**n - half ** (n - 1) + (1 - e) * half**n) - (half**n - half ** (n - 1) + (1 - c) * half ** (n + 1))
    yield "one neuron more", change, half**n * ((1 - e) - half * (1 - c))


# %% [markdown]
# ## Enumeration
#
# The formula of Step 2, with regions found by pycddlib, against the count of all sign choices. Then full orbits: the
# number of stably unactivated sign choices of all parameters, at separated scales and with $c$ last. Last, single
# orbits with random magnitudes, the least and the largest count.


# %%
def formula(rows: list[tuple[int, ...]]) -> Fraction:
    """p' for the hyperplanes b + a·x = 0."""
    regions: list[tuple[list[tuple[int, ...]], Fraction]] = [([], Fraction(1))]
    total, dimension = Fraction(1, 2 ** len(rows)), len(rows[0]) - 1
    for j, row in enumerate(rows, 1):
        parts, cut = [], Fraction(0)
        for signed, weight in regions:
            points, lines = Polyhedron.from_rows(signed, [], dimension).generators
            values = [sum(a * v for a, v in zip(row, g, strict=True)) for g in points]
            across = any(sum(a * v for a, v in zip(row, g, strict=True)) for g in lines)
            if across or min(values) < 0 < max(values):
                cut += weight
                parts += [([*signed, row], weight / 2), ([*signed, tuple(-v for v in row)], weight / 2)]
            else:
                parts.append((signed, weight))
        regions, total = parts, total + (1 - cut) / 2**j
    return total / 2


@claim.enumerate("orbits with c last")
def last(depth: str) -> Iterator[tuple[object, ...]]:
    rng = np.random.default_rng(71)
    for n0, n1 in ((1, 3), (1, 5), (2, 3), (2, 4), (2, 5), (3, 5)) + (((3, 6), (4, 6)) if depth == "thorough" else ()):
        for repetition in range(5):
            rows = [tuple(int(v) for v in row) for row in rng.integers(-999, 1000, (n1, n0 + 1))]
            scales = [10 ** (20 * (n1 - i)) for i in range(n1)]
            found, size = stably_unactivated_orbit([r[1:] for r in rows], [r[0] for r in rows], scales, 1)
            case = Fraction(found, size), formula(rows)
            yield (f"n0 = {n0}, n1 = {n1}: c last", *case) if repetition == 0 else case


@claim.enumerate("full orbits")
def full(depth: str) -> Iterator[tuple[object, ...]]:
    for n0, n1 in ((1, 3), (1, 4), (1, 5), (2, 4)) + (((2, 5),) if depth == "thorough" else ()):
        rng = np.random.default_rng(72)
        a, b = rng.integers(100, 1000, (n1, n0)), rng.integers(100, 1000, n1)
        patterns = np.array(list(product((1, -1), repeat=n1 * n0))).reshape(-1, n1, n0)
        shape = (len(patterns), n1)
        w = np.broadcast_to(10.0 ** (-8 * np.arange(n1)), shape)
        counts = [
            int(stably_unactivated_counts(a * patterns, np.broadcast_to(b, shape), w, np.full(len(patterns), c)).sum())
            for c in (1e8, 10.0 ** (-8 * n1))
        ]
        yield f"n0 = {n0}, n1 = {n1}: full orbits", counts[0], "<", counts[1]


def some(rng: np.random.Generator, count: int, n0: int, n1: int) -> list[np.ndarray]:
    shapes = (count, n1, n0), (count, n1), (count, n1), (count,)
    return [rng.integers(1, 10**6, s) * rng.choice((-1.0, 1.0), s) for s in shapes]


@claim.enumerate("pairs of random orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    for n0 in range(1, 5):
        for n1 in range(n0 + 2, n0 + (5 if depth == "thorough" else 4)):
            rng = np.random.default_rng(70 + n1)
            parts = some(rng, 40, n0, n1)
            found = stably_unactivated_counts(*parts)
            low, high = (int(k) for k in (found.argmin(), found.argmax()))
            yield f"n0 = {n0}, n1 = {n1}: orbits", int(found[low]), "<", int(found[high])
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


@claim.neighbour("domain R^n0")
def one_point(depth: str) -> Iterator[tuple[object, ...]]:
    """At a point (here 0) a second-layer neuron is negative for half of the signs, whatever the magnitudes."""
    counts = []
    for b, w, c in (((2, 3, 5), (7, 11, 13), 17), ((1, 90, 4), (100, 3, 1), 1000)):
        flips, signs = product((1, -1), repeat=3), list(product((1, -1), repeat=4))
        negative = [
            sum(t * u * max(s * v, 0) for s, t, u, v in zip(flip, sign, w, b, strict=False)) + sign[3] * c < 0
            for flip in flips
            for sign in signs
        ]
        counts.append(sum(negative))
    yield counts[0], "<", counts[1]


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
