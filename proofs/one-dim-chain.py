# %% [markdown]
# # Networks without biases on the line
#
# **Notation.** $m$ hidden layers of width $N$, no biases, $S_0 = \mathbb R$. The network is positively homogeneous:
# everything is said by the two rays through $1$ and $-1$, and the image of each is a ray or 0.
#
# **Statement.** Let the state be the number of living rays. The chain that moves by
# $P_{21} = 2^{-N}$, $P_{31} = 4^{-N}$, $P_{32} = 2^{1-N} + (N - 2) 4^{-N}$ from the start
# $(0, 2^{1-N}, 1 - 2^{1-N})$ after layer 1 (states: 0, 1, 2 living rays) gives the exact probability of death after
# $m \le 2$ layers, whatever the law: $0$ for $m = 1$ and $3 \cdot 4^{-N} - 2 \cdot 8^{-N}$ for $m = 2$.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

import sympy

from geomrelu import bounds
from geomrelu.claims import Claim
from geomrelu.polyhedron import Polyhedron
from geomrelu.probability import dead_neurons_orbit

claim = Claim(
    label="one-dim-chain",
    title="The chain of one-dimensional networks",
    statement="no biases, S_0 = R: dead after two hidden layers of width N with probability 3 * 4^-N - 2 * 8^-N",
    latex=r"P(\text{dead after 2 layers}) = 3 \cdot 4^{-N} - 2 \cdot 8^{-N}",
    source="Lu, Shin, Su & Karniadakis, theorem 3",
    hypotheses=("no biases, input dimension 1", "weights independent, symmetric, no atoms"),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (layer 1).** Neuron $i$ is $\max(a_i x, 0)$: alive on exactly one of the two rays, by the sign of $a_i$. So
# the layer never dies, and only one ray lives if all signs agree: $2 \cdot 2^{-N}$. Otherwise the rays' images $u, v$
# have disjoint supports.
#
# **Step 2 (one living ray).** A neuron is positive there with probability $\frac12$: the layer dies with $2^{-N}$.
#
# **Step 3 (two living rays after layer 1).** $w \cdot u$ and $w \cdot v$ depend on different weights, so their signs
# are independent and fair: a neuron is silent on both rays with probability $\frac14$, and all are with $4^{-N}$. With
# Steps 1 and 2: $2^{1-N} 2^{-N} + (1 - 2^{1-N}) 4^{-N} = 3 \cdot 4^{-N} - 2 \cdot 8^{-N}$.
#
# **Step 4 (the other entries).** Each neuron is active on both rays, on one of them, or none, each combination with
# probability $\frac14$. For exactly the first ray to live: no neuron is active on the second, and one is active on the
# first, $2^{-N} - 4^{-N}$; twice. This is $2^{1-N} - 2 \cdot 4^{-N}$; the paper's $P_{32}$ has $(N - 2) 4^{-N}$
# instead: it also counts as one ray the images that are parallel, because a single neuron is active, on both rays
# ($N$ places, $4^{-N}$ each): then both rays die together from there on. $\square$
#
# From layer 3 on the images of the two rays are no longer independent, and the chain is not exact (see the neighbours).


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n = sympy.Symbol("N", integer=True, positive=True)
    half, quarter = sympy.Integer(2) ** -n, sympy.Integer(4) ** -n
    yield "every N, 1 layer", bounds.one_dim_dying(n, 1), sympy.Integer(0)
    yield "every N, 2 layers", bounds.one_dim_dying(n, 2), 3 * quarter - 2 * sympy.Integer(8) ** -n
    both_to_one = 2 * (half - quarter) + n * quarter
    yield both_to_one, 2 * half + (n - 2) * quarter
    yield 1 - quarter - both_to_one, 1 - 2 * half - (n - 1) * quarter
    # the closed form, by diagonalising the chain for each small N
    for width in (2, 3):
        h, q = sympy.Rational(1, 2**width), sympy.Rational(1, 4**width)
        p32 = 2 * h + (width - 2) * q
        chain = sympy.Matrix([[1, 0, 0], [h, 1 - h, 0], [q, p32, 1 - q - p32]])
        vectors, diagonal = chain.diagonalize()
        m = sympy.Symbol("m", integer=True, positive=True)
        power = vectors * diagonal.applyfunc(lambda v, m=m: v**m if v else v) * vectors.inv()
        start = sympy.Matrix([[0, 2 * h, 1 - 2 * h]])
        for layers in (1, 2, 3, 5):
            yield (start * power)[0].subs(m, layers - 1), bounds.one_dim_dying(width, layers)


# %% [markdown]
# ## Enumeration


# %%
def dying(width: int, layers: int, rng: random.Random) -> Fraction:
    widths = [1, *[width] * layers]
    net = [
        ([[Fraction(rng.randint(1, 999), rng.randint(1, 99)) for _ in range(n)] for _ in range(width)], [0] * width)
        for n in widths[:-1]
    ]
    profiles, size = dead_neurons_orbit(net, Polyhedron.space(1))
    return Fraction(sum(k for dead, k in profiles.items() if width in dead), size)


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(115)
    for width in (1, 2, 3, 4):
        for layers in (1, 2):
            for repetition in range(5):
                case = dying(width, layers, rng), bounds.one_dim_dying(width, layers)
                yield (f"N = {width}, {layers} layers", *case) if repetition == 0 else case


# %% [markdown]
# ## Neighbour that fails
#
# Three layers: orbits of width 2 differ from one another and from the chain.


# %%
@claim.neighbour("at most two hidden layers")
def three_layers(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(116)
    yield dying(2, 3, rng), bounds.one_dim_dying(2, 3)
    yield dying(2, 3, rng), dying(2, 3, rng)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
