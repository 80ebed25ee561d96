# %% [markdown]
# # An upper bound on the probability of dying
#
# **Notation.** A network with hidden layers of widths $N_1, \dots, N_m$ ($m = L - 1$), with or without biases, dies on
# $S_0$ if some hidden layer is nowhere positive.
#
# **Statement.** On any $S_0$ (without biases: that holds a point other than 0)
# $$P(\text{dies}) \le 1 - \prod_{l=1}^{m} (1 - 2^{-N_l}).$$
# For growing depth with bounded widths it does tend to 1 (so a deep network dies): with all widths $N$ and biases
# $P(\text{dies}) \ge 1 - (1 - 2^{-N^2-N})^{m-1}$, which is [`upper-bound`](upper-bound.py).

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import sympy

from geomrelu import bounds
from geomrelu.claims import Claim
from geomrelu.polyhedron import FiniteSet, Polyhedron
from geomrelu.probability import dead_neurons_orbit

claim = Claim(
    label="dying-bound",
    title="Upper bound on dying",
    statement="P(dies) <= 1 - prod_l (1 - 2^-N_l), with or without biases",
    latex=r"P(\text{dies}) \le 1 - \prod_l (1 - 2^{-N_l})",
    source="Lu, Shin, Su & Karniadakis, theorem 1",
    hypotheses=("parameters independent, symmetric, no atoms", "without biases: S_0 is not {0}"),
    uses=("lower-bound",),
)

# %% [markdown]
# ## Proof
#
# The proof of [`lower-bound`](lower-bound.py) with layers of different widths: fix $x \in S_0$. Layer $l$ has a neuron
# that is positive at the value $y_{l-1}$ with conditional probability $1 - 2^{-N_l}$, given the layers before it.
# Without biases this needs $y_{l-1} \ne 0$, which is so as long as $x$ is alive, and $x \ne 0$ at the start. The
# product is the probability that $x$ stays alive, and then the network does. $\square$
#
# (The paper displays the limit of large $N$; for large depth a bound from below is needed, and it is the one above.)


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n, k = sympy.symbols("n k", integer=True, positive=True)
    for m in (1, 2, 3, 5):
        yield f"{m} layers of width n", bounds.dying_bound(*[n] * m), 1 - bounds.lower_bound(n, m)
    yield sympy.limit(bounds.dying_bound(n, n, n), n, sympy.oo), sympy.Integer(0)
    for width in (1, 2):
        yield sympy.limit(1 - bounds.upper_bound(width, k), k, sympy.oo), sympy.Integer(1)


# %% [markdown]
# ## Enumeration


# %%
def dying(widths: tuple[int, ...], bias: bool, domain: Polyhedron | FiniteSet, rng: random.Random) -> Fraction:
    def some() -> Fraction:
        return Fraction(rng.randint(1, 999), rng.randint(1, 99))

    net = [
        ([[some() for _ in range(n)] for _ in range(m)], [some() if bias else 0 for _ in range(m)])
        for n, m in pairwise(widths)
    ]
    profiles, size = dead_neurons_orbit(net, domain)
    alive = sum(k for dead, k in profiles.items() if all(d < m for d, m in zip(dead, widths[1:], strict=True)))
    return 1 - Fraction(alive, size)


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(110)
    families = [(1, 1, 1), (1, 2, 1), (2, 1, 2), (1, 2, 2), (2, 2, 1), (1, 3, 2)] + (
        [(1, 3, 3, 2)] if depth == "thorough" else []
    )
    for widths in families:
        bound = bounds.dying_bound(*widths[1:])
        point = FiniteSet.of([[Fraction(rng.randint(1, 99), 7) for _ in range(widths[0])]])
        for bias in (True, False):
            name = f"{widths}, {'with' if bias else 'without'} biases"
            yield f"{name}, at a point", dying(widths, bias, point, rng), bound
            yield f"{name}, on the space", dying(widths, bias, Polyhedron.space(widths[0]), rng), "<=", bound


# %% [markdown]
# ## Neighbour that fails
#
# At 0 a network without biases is always dead; with equal magnitudes (atoms) a neuron can be 0 at a point.


# %%
@claim.neighbour("S_0 is not {0}; no atoms")
def zero_or_atoms(depth: str) -> Iterator[tuple[object, ...]]:
    yield dying((2, 2), False, FiniteSet.of([[0, 0]]), random.Random(1)), "<=", bounds.dying_bound(2)
    profiles, size = dead_neurons_orbit([([[1, 1]], [0])], FiniteSet.of([[1, 1]]))
    yield Fraction(profiles[(1,)], size), "<=", bounds.dying_bound(1)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
