# %% [markdown]
# # Stably unactivated neurons at separated scales
#
# **Notation.** As in [`narrow-first-layer`](narrow-first-layer.py): $f(x) = \sum_i w_i \max(z_i(x), 0) + c$ on
# $\mathbb R^{n_0}$ with $z(x) = Ax + b$, now with $n_1 \ge n_0$. The magnitudes are *separated* if
# $|c| \gg |w_1| \gg |w_2| \gg \dots \gg |w_{n_1}|$: at each generator of the arrangement the first of $c$ (at
# vertices), $w_1, w_2, \dots$ that is active outweighs all the others.
#
# **Statement.** Let the central arrangement of the normals $a_1, \dots, a_{n_1}$ be built one by one. Space begins with
# weight 1; a region that is cut passes half of its weight to either part. Let $c_j$ be the total weight of the regions
# that $a_j$ cuts. At separated scales the orbit probability is
# $$p = \tfrac12 \Big[2^{-n_1} + \sum_{j=1}^{n_1} (1 - c_j) 2^{-j-1}\Big] \ge 2^{-(n_1+1)} + 4^{-(n_0+1)}
#   \quad (n_1 > n_0).$$

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

import sympy

from geomrelu import bounds
from geomrelu.claims import Claim
from geomrelu.polyhedron import Polyhedron
from geomrelu.probability import stably_unactivated_orbit

claim = Claim(
    label="separated-scales",
    title="Separated scales",
    statement="|c| >> |w_1| >> ... >> |w_n1|: p = 1/2 (2^-n1 + sum_j (1 - c_j) 2^(-j-1)) >= 2^(-n1-1) + 4^(-n0-1)",
    latex=r"|c| \gg |w_1| \gg \dots:\quad p = \tfrac12 \big[2^{-n_1} + \textstyle\sum_j (1 - c_j) 2^{-j-1}\big]",
    source="new (after Brownlowe et al., conjecture 1.3)",
    hypotheses=("hyperplanes in general position", "separated scales", "the orbit of row flips and second-layer signs"),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (what is asked).** $c$ outweighs everything at the vertices (there is one, as $n_1 \ge n_0$), so $c < 0$ is
# necessary and all vertices are fine then: this is the factor $\frac12$. A direction $d$ is fine if and only if the
# first neuron $i$ active there has $w_i < 0$. Let $K_j$ be the open cone of directions where neurons $1, \dots, j$ are
# silent, $K_0 = \mathbb R^{n_0}$. Call $j$ *forced* if it is active somewhere in $K_{j-1}$, else *free*.
#
# A forced $w_j$ must be negative: the open set of $K_{j-1}$ where $j$ is active meets a region of the whole central
# arrangement; all its generators have $z_1, \dots, z_{j-1} \le 0$ and $z_j \ge 0$, and one has $z_j > 0$. There $j$ is
# the first active neuron. Conversely let all forced weights be negative. If $i$ is the first active neuron at a
# generator $d$, or if nothing is active at $d$ and $z_i(d) = 0$, then near $d$ there is a point with $z_k < 0$ for all
# $k < i$ and $z_i > 0$, because the normals that vanish at $d$ are independent. So $i$ is forced, and $w_i < 0$; this
# is what the criterion of `geomrelu.probability` asks.
#
# **Step 2 (a walk).** Draw the row flips uniformly. If $a_j$ cuts $K_{j-1}$: forced, and $K_j$ is either part with
# probability $\frac12$. If not: with probability $\frac12$ neuron $j$ is silent on $K_{j-1} = K_j$, free; with
# probability $\frac12$ it is active on all of it: forced, $K_j = \emptyset$, and all later weights are free.
#
# **Step 3 (weights).** $2 p = E[2^{-\#\text{forced}}]$. Give a path the weight probability × $2^{-\#\text{forced}}$.
# A cut multiplies it by $\frac14$ for either part, a silent step by $\frac12$, and $\frac14$ of it leaves to the empty
# cone. So at step $j$ a region has the weight $2^{-j} W$, where $W$ halves with each cut; the $W$ of all regions sum
# to 1. At step $j$ the part $\frac14 2^{-(j-1)} (1 - c_j)$ leaves, and $2^{-n_1}$ is left at the end. This is the
# formula.
#
# **Step 4 (the bound).** All terms are $\ge 0$. For $j \le n_0$ generic normals cut every region, $c_j = 1$. The first
# $n_0$ normals make $2^{n_0}$ regions of weight $2^{-n_0}$, and $a_{n_0+1}$ misses exactly two opposite ones:
# $1 - c_{n_0+1} = 2^{1-n_0}$, so the term $j = n_0 + 1$ alone is $2^{-2 n_0 - 1}$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n0, n1, j, w = sympy.symbols("n0 n1 j w", integer=True, positive=True)
    half = sympy.Rational(1, 2)
    # Step 3: what a region of weight w 2^-(j-1) passes on, cut and uncut
    before = w * 2 ** (1 - j)
    yield 2 * before / 4, w * 2**-j
    yield before / 2 + before / 4, w * 2**-j + w * 2 ** (-j - 1)
    # Step 4
    term = half * 2 ** (1 - n0) * 2 ** (-(n0 + 1) - 1)
    yield "every n0", term, bounds.wide_lower_bound(n0)
    # for n1 = n0 + 1 nothing is left out: the exact value of one-more-than-input
    yield "every n0, n1 = n0 + 1", half * sympy.Integer(2) ** (-(n0 + 1)) + term, bounds.stably_unactivated(n0, n0 + 1)
    # n0 = 1: normals never cut after the first, c_j = 0
    line = half * (sympy.Integer(2) ** -n1 + sympy.summation(sympy.Integer(2) ** (-j - 1), (j, 2, n1)))
    yield "n0 = 1", line, sympy.Rational(1, 8) + sympy.Integer(2) ** (-n1 - 2)


# %% [markdown]
# ## Enumeration
#
# The formula, with regions of the central arrangement found by pycddlib, against the count of all sign choices.


# %%
def formula(normals: list[list[int]]) -> Fraction:
    """p at separated scales."""
    regions: list[tuple[list[tuple[int, ...]], Fraction]] = [([], Fraction(1))]
    total = Fraction(1, 2 ** len(normals))
    for j, normal in enumerate(normals, 1):
        row, parts, cut = (0, *normal), [], Fraction(0)
        for rows, weight in regions:
            cone = Polyhedron.from_rows(rows, [], len(normal))
            ways = [*cone.rays, *cone.lines, *(tuple(-v for v in line) for line in cone.lines)]
            slopes = [sum(a * v for a, v in zip(normal, way, strict=True)) for way in ways]
            if min(slopes) < 0 < max(slopes):
                cut += weight
                parts += [([*rows, row], weight / 2), ([*rows, tuple(-v for v in row)], weight / 2)]
            else:
                parts.append((rows, weight))
        regions, total = parts, total + (1 - cut) / 2 ** (j + 1)
    return total / 2


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(61)
    families = [(1, 3), (1, 5), (2, 3), (2, 4), (2, 5), (3, 4), (3, 5)]
    if depth == "thorough":
        families += [(2, 7), (3, 6), (4, 6)]
    for n0, n1 in families:
        for repetition in range(5):
            weights = [[rng.randint(-99, 99) for _ in range(n0)] for _ in range(n1)]
            bias = [rng.randint(-99, 99) for _ in range(n1)]
            output = [10 ** (20 * (n1 - i)) for i in range(n1)]
            found, size = stably_unactivated_orbit(weights, bias, output, 10 ** (20 * n1 + 20))
            case = Fraction(found, size), formula(weights)
            yield (f"n0 = {n0}, n1 = {n1}", *case) if repetition == 0 else case
            if n1 > n0:
                yield case[1], ">=", Fraction(1, 2 ** (n1 + 1)) + Fraction(1, 4 ** (n0 + 1))


# %% [markdown]
# ## Neighbours that fail
#
# *Equal scales*: the count is another one. *Another order* of the weights: so is the formula's value.


# %%
@claim.neighbour("separated scales, in this order")
def other_scales(depth: str) -> Iterator[tuple[object, ...]]:
    weights, bias = [[3, 7], [9, -4], [5, 1], [2, -9]], [4, -7, 2, 9]
    found, size = stably_unactivated_orbit(weights, bias, [3, 5, 7, 11], 13)
    yield Fraction(found, size), formula(weights)
    yield formula([[1, 0], [1, 2], [1, 1], [0, 1]]), formula([[1, 0], [1, 1], [1, 2], [0, 1]])


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
