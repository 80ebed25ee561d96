# %% [markdown]
# # A sharper bound on the whole space
#
# **Statement.** A network on $S_0 = \mathbb R^d$, with or without biases, whose hidden layers have the widths
# $N_1, \dots, N_m$ ($m = L - 1$), dies with probability at most
# $$1 - \prod_{l=2}^{m} (1 - 2^{-N_l}),$$
# for equal widths $1 - (1 - 2^{-N})^{L-2}$: the exponent is one less than in [`dying-bound`](dying-bound.py). In
# particular for $d = 1$ without biases, the case of theorem 3 of the paper. And $P(n, k) \ge \ell(n, k - 1)$ on
# $\mathbb R^n$.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise, product

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.orbit import dead_neurons_orbit

claim = Claim(
    label="one-dim-sharper",
    title="A sharper bound on the whole space",
    statement="S_0 = R^d: m hidden layers of width N die with probability at most 1 - (1 - 2^-N)^(m - 1)",
    latex=r"S_0 = \mathbb R^d: \quad P(\text{dies}) \le 1 - \prod_{l=2}^{L-1} (1 - 2^{-N_l})",
    source="new (after Lu, Shin, Su & Karniadakis, theorem 3)",
    hypotheses=(
        "S_0 = R^d",
        "weights symmetric",
        "parameters independent, no atoms",
    ),
    uses=("dying-bound",),
)

# %% [markdown]
# ## Proof
#
# Let $a_1$ be the first weight of the first neuron of layer 1, almost surely not 0, and $x = t d$, $d =
# \operatorname{sign}(a_1)\, e_1$, with $t$ so large that this neuron is positive at $x$. The choice of $d$ depends on
# layer 1 alone, layer 1 is alive at $x$, and its output there is not 0. Follow $t d$, $t \to \infty$: far out the signs
# are those of the network without biases at $d$, so nothing is asked of the biases. From the output of layer 1 the
# proof of [`dying-bound`](dying-bound.py) goes on with the other $m - 1$ layers: given the layers before it, each is
# dead there with probability $2^{-N_l}$. For $P(n, k)$ all $k$ layers are counted. $\square$


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
    for widths, bias in (
        ([1, 2, 2], 7),
        ([1, 1, 1, 1], 5),
        ([2, 2, 2], 0),
        ([2, 2, 2], 7),
        ([1, 3, 2], 0),
        ([2, 1, 2, 1], 3),
    ):
        bound = closed_forms.dying_bound(*widths[2:])
        found = dying(widths, rng, Polyhedron.space(widths[0]), bias)
        yield f"widths {widths}, {'with' if bias else 'without'} biases", found, "<=", bound


# %% [markdown]
# ## Neighbour that fails
#
# On one ray, at a point, the exponent is $m$.


# %%
@claim.neighbour("S_0 = R^d")
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


@claim.neighbour("parameters independent, no atoms")
def equal_rows_or_zeros(depth: str) -> Iterator[tuple[object, ...]]:
    """Layer 2 with two equal neurons, or with weights 0."""
    dead = 0
    for a, b, c, d in product((1, -1), repeat=4):
        hidden = [[max(3 * a * x, 0), max(5 * b * x, 0)] for x in (1, -1)]
        dead += all(11 * c * u + 4 * d * v <= 0 for u, v in hidden)
    yield Fraction(dead, 16), "<=", closed_forms.dying_bound(2)
    profiles, size = dead_neurons_orbit([([[3], [5]], [0, 0]), ([[0, 0], [0, 0]], [0, 0])], Polyhedron.space(1))
    yield Fraction(sum(k for found, k in profiles.items() if 2 in found), size), "<=", closed_forms.dying_bound(2)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
