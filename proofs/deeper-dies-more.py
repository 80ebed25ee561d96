# %% [markdown]
# # Deeper networks die more, wider ones of two layers less
#
# **Notation.** As in [`one-dim-chain`](one-dim-chain.py): networks without biases on the line with $m$ hidden layers of
# width $N$, inputs on both sides of 0; a network dies if a hidden layer is dead on the inputs.
#
# **Statement.** For every law, $P(\text{dies})$ does not decrease with one layer more, whatever the widths, biases and
# inputs. With the width, for independent symmetric weights without atoms, it decreases strictly for input dimension 1,
# no biases and $m = 2$ hidden layers, where it is exactly $3 \cdot 4^{-N} - 2 \cdot 8^{-N}$. (For $m = 1$ it is 0 for
# every $N$; $m \ge 3$ is not decided here.)

# %%
from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from fractions import Fraction

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.orbit import dead_neurons_orbit

claim = Claim(
    label="deeper-dies-more",
    title="Deeper networks die more, wider ones of two layers less",
    statement="P(dies) does not decrease with depth; two hidden layers, no biases, input dimension 1: it falls with N",
    latex=r"P_{m+1}(\text{dies}) \ge P_m(\text{dies}); \quad 3 \cdot 4^{-N} - 2 \cdot 8^{-N} \text{ decreases in } N",
    source="new (after Lu, Su & Karniadakis, Collapse of deep and narrow neural nets)",
    hypotheses=(
        "layers are added at the end",
        "for the width: two hidden layers",
        "for the width: weights independent, symmetric, no atoms",
        "for the width: no biases, input dimension 1 (needed: not known)",
    ),
    uses=("one-dim-chain",),
)

# %% [markdown]
# ## Proof
#
# A network of $m + 1$ hidden layers in which one of the first $m$ is dead has died. So the event grows with $m$, for
# the same parameters of the first $m$ layers. For $m = 2$, with $u = 2^{-N}$ the value is $3u^2 - 2u^3$, whose
# derivative $6 u (1 - u)$ is positive for $0 < u < 1$; $u$ decreases with $N$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    u, width = sympy.symbols("u N", positive=True)
    value = closed_forms.one_dim_dying(width, 2)
    yield "two hidden layers", value, 3 * sympy.Integer(4) ** -width - 2 * sympy.Integer(8) ** -width
    yield "derivative", sympy.diff(3 * u**2 - 2 * u**3, u), 6 * u * (1 - u)


# %% [markdown]
# ## Enumeration


# %%
def dying(widths: tuple[int, ...], domain: Polyhedron | FiniteSet, bias: bool, seed: int, hidden: int) -> Fraction:
    """Of the first ``hidden`` layers."""
    rng = random.Random(seed)
    layers = [
        (
            [[rng.randint(1, 10**6) for _ in range(m)] for _ in range(n)],
            [rng.randint(1, 10**6) * bias for _ in range(n)],
        )
        for m, n in itertools.pairwise(widths)
    ][:hidden]
    profiles, size = dead_neurons_orbit(layers, domain)
    return Fraction(
        sum(number for dead, number in profiles.items() if any(d == n for d, n in zip(dead, widths[1:], strict=False))),
        size,
    )


@claim.enumerate("pairs of depths or widths")
def pairs(depth: str) -> Iterator[tuple[object, ...]]:
    line, points = Polyhedron.space(1), FiniteSet.of([[1], [-2]])
    for widths in ((1, 1, 1, 1), (1, 2, 2), (1, 3, 1, 2)):
        for domain in (line, points):
            for bias in (True, False):
                values = [dying(widths, domain, bias, 224, k) for k in range(1, len(widths))]
                for less, more in itertools.pairwise(values):
                    yield less, "<=", more
    for width in (1, 2, 3):
        yield f"N = {width}", dying((1, width, width), line, False, 225, 2), closed_forms.one_dim_dying(width, 2)
    for width in range(1, 12):
        yield closed_forms.one_dim_dying(width + 1, 2), "<", closed_forms.one_dim_dying(width, 2)


# %% [markdown]
# ## Neighbours that fail
#
# *Layers at the end*: if other layers may change, a deeper network can die less. At a single point a hidden layer of
# width 1 dies with probability $\frac12$, two of width 3 with $1 - (\frac78)^2$. *One hidden layer* dies with
# probability 0 at each width. *All weights positive*: two layers never die, so nothing decreases with the width.


# %%
@claim.neighbour("layers are added at the end")
def replaced(depth: str) -> Iterator[tuple[object, ...]]:
    """One hidden layer of width 1 against two of width 3."""
    point = FiniteSet.of([[1]])
    yield dying((1, 1), point, True, 226, 1), "<=", dying((1, 3, 3), point, True, 226, 2)


@claim.neighbour("for the width: two hidden layers; for the width: weights independent, symmetric, no atoms")
def other_widths(depth: str) -> Iterator[tuple[object, ...]]:
    yield closed_forms.one_dim_dying(2, 1), "<", closed_forms.one_dim_dying(1, 1)
    died = []
    for layers in ([([[2]], [0]), ([[3]], [0])], [([[2], [5]], [0, 0]), ([[3, 1], [4, 7]], [0, 0])]):
        profiles, size = dead_neurons_orbit(layers, Polyhedron.space(1), "none")
        dead = sum(number for profile, number in profiles.items() if len(layers[0][1]) in profile)
        died.append(Fraction(dead, size))
    yield died[1], "<", died[0]


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
