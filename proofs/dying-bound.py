# %% [markdown]
# # Bounds on the probability of dying, and its limits
#
# **Notation.** A network with hidden layers of widths $N_1, \dots, N_m$ ($m = L - 1$), with or without biases, dies on
# $S_0$ if some hidden layer is nowhere positive on the image of $S_0$.
#
# **Statement.** If the weights are independent, symmetric about 0 and without atoms, and each bias is symmetric about
# 0, independent and without atoms, or all are 0, then on any nonempty $S_0$ (without biases: that holds
# a point other than 0)
# $$P(\text{dies}) \le 1 - \prod_{l=1}^{m} (1 - 2^{-N_l}),$$
# and
# $$P(\text{dies}) \ge 1 - \prod_{l=2}^{m} \left(1 - 2^{-N_l (N_{l-1} + 1)}\right),$$
# without biases with the exponent $-N_l N_{l-1}$. Hence for $N_l = N$: $P(\text{dies}) \to 1$ for $L \to \infty$ and
# $P(\text{dies}) \to 0$ for $N \to \infty$.

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
    label="dying-bound",
    title="Bounds on dying",
    statement="P(dies) <= 1 - prod_l (1 - 2^-N_l), with or without biases; 1 in the limit of depth, 0 of width",
    latex=r"P(\text{dies}) \le 1 - \prod_{l=1}^{L-1} (1 - 2^{-N_l}), \quad"
    r"\lim_{L \to \infty} P(\text{dies}) = 1, \quad \lim_{N \to \infty} P(\text{dies}) = 0",
    source="Lu, Shin, Su & Karniadakis, theorem 1",
    hypotheses=(
        "parameters symmetric",
        "parameters independent",
        "no atoms",
        "without biases: S_0 is not {0}",
    ),
    uses=("lower-bound",),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (from above).** The proof of [`lower-bound`](lower-bound.py) with layers of different widths: fix
# $x \in S_0$, $x \ne 0$ if there are no biases. Let $y_{l-1}$ be the image of $x$ under the layers before $l$, and let
# $x$ be alive so far, that is $y_{l-1} \ne 0$ or $l = 1$. Given those layers, each neuron of layer $l$ is positive at
# $y_{l-1}$ with probability $\frac12$: its value is symmetric, and not 0 almost surely, because a weight on a
# coordinate of $y_{l-1}$ that is not 0, or else the bias, has no atoms. So the layer has a positive neuron there with
# conditional probability $1 - 2^{-N_l}$, $x$ stays alive through all layers with probability $\prod_l (1 - 2^{-N_l})$,
# and then the network has not died.
#
# **Step 2 (from below).** For $l \ge 2$ the image of $S_0$ under the layers before $l$ lies in the orthant
# $\mathbb R^{N_{l-1}}_+$. If none of the $N_l (N_{l-1} + 1)$ parameters of layer $l$ is positive, the layer is nowhere
# positive on the orthant, and the network dies. Each parameter is not positive with probability $\frac12$ (a bias that
# is 0 always), so this has probability $2^{-N_l (N_{l-1}+1)}$, without biases $2^{-N_l N_{l-1}}$; the layers are
# independent.
#
# **Step 3 (limits).** For fixed $L$ the first bound is at most $(L-1) 2^{-N} \to 0$. It says nothing of $L \to \infty$:
# that an upper bound tends to 1 allows all values. The second bound is $1 - (1 - 2^{-N(N+1)})^{L-2} \to 1$. $\square$
#
# (Theorem 1 displays the first bound and draws both limits. Its hypotheses name the symmetry only; that there are no
# atoms is said in lemma 1. It is needed: see the neighbours.)


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n, m = sympy.symbols("N m", integer=True, positive=True)
    half = sympy.Rational(1, 2)
    for layers in (1, 2, 3, 5):
        # Step 1: as a recursion over the layers, from the neurons of one layer that are positive
        positive, widths = (
            sympy.Symbol("k", integer=True),
            sympy.symbols(f"N1:{layers + 1}", integer=True, positive=True),
        )
        alive = sympy.Integer(1)
        for width in widths:
            alive *= 1 - (sympy.binomial(width, positive) * half**width).subs(positive, 0)
        yield f"{layers} layers: at most", 1 - alive, closed_forms.dying_bound(*widths)
        yield closed_forms.dying_bound(*[n] * layers), 1 - closed_forms.lower_bound(n, layers)
        # Step 2: as a recursion, dying for the first time in layer l
        for bias in (True, False):
            dead = sympy.Integer(0)
            for before, width in pairwise(widths):
                dead += (1 - dead) * half ** (width * (before + int(bias)))
            name = f"{layers} layers: at least, {'with' if bias else 'without'} biases"
            yield name, dead, closed_forms.dying_at_least(*widths, bias=bias)
    # Step 3, N to infinity: for each m, and by the bound m q on 1 - (1 - q)^m, q = 2^-N
    yield "N to infinity", sympy.limit(closed_forms.dying_bound(n, n, n), n, sympy.oo), sympy.Integer(0)
    yield "N to infinity, every m", sympy.limit(m * sympy.Integer(2) ** -n, n, sympy.oo), sympy.Integer(0)
    q, k = sympy.Symbol("q", positive=True), sympy.Symbol("k", integer=True, nonnegative=True)
    yield "at most m terms, each at most q", sympy.summation(q * (1 - q) ** k, (k, 0, m - 1)), 1 - (1 - q) ** m
    # L to infinity
    survived, u = sympy.Symbol("s", positive=True), sympy.Function("u")
    closed = sympy.rsolve(u(m + 1) - survived * u(m), u(m), {u(1): 1})
    for width in (1, 2, 3):
        for bias in (True, False):
            alive = 1 - closed_forms.dying_at_least(width, width, bias=bias)
            depths = closed.subs(survived, alive)
            yield depths.subs(m, 4), 1 - closed_forms.dying_at_least(*[width] * 4, bias=bias)
            name = f"L to infinity, N = {width}, {'with' if bias else 'without'} biases"
            yield name, sympy.limit(1 - depths, m, sympy.oo), sympy.Integer(1)


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
        bound = closed_forms.dying_bound(*widths[1:])
        point = FiniteSet.of([[Fraction(rng.randint(1, 99), 7) for _ in range(widths[0])]])
        for bias in (True, False):
            name = f"{widths}, {'with' if bias else 'without'} biases"
            yield f"{name}, at a point", dying(widths, bias, point, rng), bound
            on_space = dying(widths, bias, Polyhedron.space(widths[0]), rng)
            yield f"{name}, on the space", on_space, "<=", bound
            yield f"{name}, at least", on_space, ">=", closed_forms.dying_at_least(*widths[1:], bias=bias)


# %% [markdown]
# ## Neighbour that fails
#
# At 0 a network without biases is always dead; with equal magnitudes (atoms) a neuron can be 0 at a point. The lower
# bound is no bound if the weights lean to the positive side: with weights that are never negative nothing dies.


# %%
@claim.neighbour("without biases: S_0 is not {0}; no atoms; parameters symmetric")
def zero_or_atoms(depth: str) -> Iterator[tuple[object, ...]]:
    yield dying((2, 2), False, FiniteSet.of([[0, 0]]), random.Random(1)), "<=", closed_forms.dying_bound(2)
    profiles, size = dead_neurons_orbit([([[1, 1]], [0])], FiniteSet.of([[1, 1]]))
    yield Fraction(profiles[(1,)], size), "<=", closed_forms.dying_bound(1)
    positive = [([[1], [2]], [3, 1]), ([[2, 1], [5, 4]], [1, 7])]
    profiles, size = dead_neurons_orbit(positive, Polyhedron.space(1), "none")
    yield Fraction(sum(k for dead, k in profiles.items() if 2 in dead), size), ">=", closed_forms.dying_at_least(2, 2)


@claim.neighbour("parameters independent")
def equal_rows(depth: str) -> Iterator[tuple[object, ...]]:
    """Two neurons with the same parameters, at one point: both dead for half of the signs."""
    found = [
        dead_neurons_orbit([([[s * 3]] * 2, [t] * 2)], FiniteSet.of([[1]]), "none")[0] for s in (1, -1) for t in (1, -1)
    ]
    yield Fraction(sum((2,) in profiles for profiles in found), 4), "<=", closed_forms.dying_bound(2)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
