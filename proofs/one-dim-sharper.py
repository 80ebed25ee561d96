# %% [markdown]
# # A sharper bound without biases on the line
#
# **Statement.** A network without biases on $S_0 = \mathbb R$ with $m$ hidden layers of width $N$ ($m = L - 1$) dies
# with probability at most $1 - (1 - 2^{-N})^{m-1}$: the exponent is $L - 2$, one less than in
# [`dying-bound`](dying-bound.py).

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.orbit import dead_neurons_orbit

claim = Claim(
    label="one-dim-sharper",
    title="A sharper bound in one dimension",
    statement="no biases, S_0 = R: m hidden layers of width N die with probability at most 1 - (1 - 2^-N)^(m - 1)",
    latex=r"P(\text{dies}) \le 1 - (1 - 2^{-N})^{L-2}",
    source="new (after Lu, Shin, Su & Karniadakis, theorem 3)",
    hypotheses=(
        "no biases (needed: not known)",
        "input dimension 1 (needed: not known)",
        "S_0 = R",
        "weights symmetric",
        "weights independent, no atoms (needed: not known)",
    ),
    uses=("dying-bound",),
)

# %% [markdown]
# ## Proof
#
# Each neuron of layer 1 is positive at $1$ or at $-1$, so layer 1 is never dead, and one of the two points, chosen by
# the sign of the first weight, is alive after it. That choice depends on layer 1 alone. From its image, which is not
# 0, the proof of [`dying-bound`](dying-bound.py) goes on with the other $m - 1$ layers. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n, k = sympy.symbols("N k", integer=True, positive=True)
    # the followed point is alive after layer 1, and after each further layer with probability 1 - 2^-N
    u, positive = sympy.Function("u"), sympy.Symbol("positive", positive=True)
    share = sympy.summation(sympy.binomial(n, k), (k, 1, n)) / 2**n  # some of the N signs at the point are positive
    alive = sympy.rsolve(u(k + 1) - positive * u(k), u(k), {u(1): 1})
    for m in (2, 3, 4, 7):
        yield f"{m} layers", 1 - alive.subs({positive: share, k: m}), closed_forms.dying_bound(*[n] * (m - 1))
    for m in (2, 3, 4):
        gain = (1 - closed_forms.dying_bound(*[n] * (m - 1))) - (1 - closed_forms.dying_bound(*[n] * m))
        yield f"{m} layers: the gain", gain, 2**-n * (1 - 2**-n) ** (m - 1)
    yield closed_forms.dying_bound(n) - closed_forms.one_dim_dying(n, 2), 2**-n - 3 * 4**-n + 2 * 8**-n


def dying(widths: list[int], rng: random.Random, domain: Polyhedron | FiniteSet, bias: int = 0) -> Fraction:
    net = [
        ([[Fraction(rng.randint(1, 999), rng.randint(1, 99)) for _ in range(n)] for _ in range(m)], [bias] * m)
        for n, m in pairwise(widths)
    ]
    profiles, size = dead_neurons_orbit(net, domain)
    alive = sum(k for dead, k in profiles.items() if all(d < m for d, m in zip(dead, widths[1:], strict=True)))
    return 1 - Fraction(alive, size)


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng, line = random.Random(118), Polyhedron.space(1)
    families = (
        [(1, m) for m in (2, 3, 4, 6)] + [(2, 2), (2, 3), (2, 4), (3, 2)] + ([(3, 3)] if depth == "thorough" else [])
    )
    for width, m in families:
        for repetition in range(3):
            case = dying([1, *[width] * m], rng, line), "<=", closed_forms.dying_bound(*[width] * (m - 1))
            yield (f"N = {width}, m = {m}", *case) if repetition == 0 else case


# %% [markdown]
# ## Neighbour that fails
#
# On one ray, at a point, the exponent is $m$.


# %%
@claim.neighbour("S_0 = R")
def one_point(depth: str) -> Iterator[tuple[object, ...]]:
    for m in (2, 3):
        yield (
            dying([1, *[2] * m], random.Random(m), FiniteSet.of([[1]])),
            "<=",
            closed_forms.dying_bound(*[2] * (m - 1)),
        )


@claim.neighbour("weights symmetric")
def negative(depth: str) -> Iterator[tuple[object, ...]]:
    """All weights of layer 2 negative: it is dead."""
    profiles, _ = dead_neurons_orbit(
        [([[1], [-2]], [0, 0]), ([[-3, -1], [-1, -5]], [0, 0])], Polyhedron.space(1), "none"
    )
    yield sum(number for dead, number in profiles.items() if 2 in dead), "<=", closed_forms.dying_bound(2)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
