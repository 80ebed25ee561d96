# %% [markdown]
# # One data point: the lower bound is the probability
#
# **Notation.** $P(n, k)$ is the probability that a network of width $n$ and depth $k$ is alive on the input set $S_0$;
# $\ell(n, k) = (1 - 2^{-n})^k$. A *row flip* replaces the row $(a, b)$ of one neuron by $-(a, b)$; the $n k$ neurons of
# a network have $2^{nk}$ choices of flips, its *orbit*.
#
# **Statement.** Let $S_0 = \{x\}$. (i) If no choice of flips makes a pre-activation at $x$ vanish, exactly
# $(2^n - 1)^k$ of the $2^{nk}$ choices are alive, whatever the parameters and $x$ are. (ii) So for independent rows,
# each with the law of its negative and with $P(a \cdot y + b = 0) = 0$ for each $y$,
# $$P(n, k) = \ell(n, k).$$
# The layer that kills the point is geometric: layer $j$ is the first with probability $(1 - 2^{-n})^{j-1} 2^{-n}$.

# %%
from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice, product
from operator import mul

import sympy

from geomrelu import checker, decide
from geomrelu.certificates.files import as_certificate
from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import FiniteSet
from geomrelu.network.network import Network
from geomrelu.random_networks import closed_forms, montecarlo
from geomrelu.random_networks.orbit import alive_orbit, dead_neurons_orbit

claim = Claim(
    label="single-point",
    title="One data point",
    statement="S_0 = one point: P(n, k) = (1 - 2^-n)^k; (2^n - 1)^k of the 2^(nk) choices of row flips are alive",
    latex=r"S_0 = \{x\}:\quad P(n, k) = \left(1 - 2^{-n}\right)^k",
    source="Rister & Rubin, sections 4 and 5",
    hypotheses=(
        "S_0 is one point",
        "rows independent",
        "rows symmetric",
        "no atoms: a·y + b = 0 has probability 0",
    ),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (one layer).** Let $y$ be a point and let no neuron of a layer vanish at $y$. A flip changes the sign of its
# neuron at $y$ and of no other. So the $2^n$ choices of flips give each vector of $n$ signs at $y$ exactly once, and
# exactly one choice, the one with all signs negative, kills $y$.
#
# **Step 2 (a tree of choices).** Choose the flips of layer 1, then those of layer 2, and so on. A choice in the layers
# before $j$ under which $x$ is alive determines the point $y_{j-1}$ that layer $j$ sees; other choices may give other
# points, but by Step 1 each of them has exactly $2^n - 1$ living continuations. So the number $N_j$ of choices in
# $j$ layers under which $x$ is alive satisfies $N_j = (2^n - 1) N_{j-1}$, $N_0 = 1$: this is (i). Of those, $N_{j-1}$
# continue in layer $j$ with the choice that kills.
#
# **Step 3 (from orbits to laws).** Let $s$ be a choice of flips, uniform and independent of the parameters $\theta$.
# By symmetry $s \theta$ has the law of $\theta$, so $P(n, k) = E[\,\text{fraction of the orbit of } \theta \text{ that
# is alive}\,]$. In Step 2 layer $j$ is independent of $y_{j-1}$, so no pre-activation vanishes, with probability 1
# (finitely many choices). The expectation is that of the constant $(2^n - 1)^k / 2^{nk} = \ell(n, k)$. $\square$
#
# Flipping the signs of single parameters keeps the fraction: these choices are unions of orbits of row flips.


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n, k, j, m = sympy.symbols("n k j m", integer=True, positive=True)
    # Step 1: sign vectors by their number m of positive signs
    living = sympy.summation(sympy.binomial(n, m), (m, 1, n))
    yield "every n: living choices of a layer", living, 2**n - 1
    # Step 2: the recursion, for a symbolic number c of continuations
    u, c = sympy.Function("u"), sympy.Symbol("c", positive=True)
    choices = sympy.rsolve(u(k) - c * u(k - 1), u(k), {u(0): 1}).subs(c, living)
    yield "every n, k", choices / 2 ** (n * k), closed_forms.lower_bound(n, k)
    # the death of the point: one killing choice after N_{j-1}; what is left after k layers
    dies = choices.subs(k, j - 1) / 2 ** (n * j)
    for size in (1, 2, 3):
        left = 1 - sympy.summation(dies.subs(n, size), (j, 1, k))
        yield f"n = {size}, every k: not yet dead", left, closed_forms.lower_bound(size, k)


# %% [markdown]
# ## Enumeration
#
# *Row flips*, walked one by one in exact arithmetic: how many of the $2^{nk}$ are alive, and how many die in layer $j$.
# Weights are random integers, zeros among them (a zero weight is no obstacle, only a zero
# pre-activation is); the points include the origin. *All signs* of all parameters, by the general function.

# %%
Layer = list[tuple[int, list[int]]]


def death(layers: Sequence[Layer], flips: Sequence[int], point: Sequence[int]) -> int:
    """The layer that kills the point, 0 if none does."""
    y, sign = list(point), iter(flips)
    for j, layer in enumerate(layers, 1):
        z = [next(sign) * (b + sum(map(mul, row, y))) for b, row in layer]
        if max(z) <= 0:
            return j
        y = [max(v, 0) for v in z]
    return 0


def some(rng: random.Random, count: int, zeros: float = 0) -> list[int]:
    return [0 if rng.random() < zeros else rng.choice((-1, 1)) * rng.randint(1, 10**6) for _ in range(count)]


def some_layers(rng: random.Random, n: int, k: int, zeros: float = 0) -> list[Layer]:
    return [[(*some(rng, 1), some(rng, n, zeros)) for _ in range(n)] for _ in range(k)]


@claim.enumerate("values on orbits of row flips")
def flips(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(160)
    most = 13 if depth == "thorough" else 9
    sizes = [(n, k) for n in range(1, 7) for k in range(1, most // n + 1)]
    for n, k in sorted(sizes, key=lambda s: (s[0] * s[1], s)):
        for repetition in range(3):
            layers = some_layers(rng, n, k, zeros=0.2)
            point = [0] * n if repetition == 1 else some(rng, n)
            found = Counter(death(layers, s, point) for s in product((1, -1), repeat=n * k))
            case = Fraction(found[0], 2 ** (n * k)), closed_forms.lower_bound(n, k)
            yield (f"n = {n}, k = {k}", *case) if repetition == 0 else case
            for j in range(1, k + 1):
                yield found[j], (2**n - 1) ** (j - 1) * 2 ** (n * (k - j))


@claim.enumerate("orbits of all signs")
def signs(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(161)
    for n, k in ((1, 1), (1, 2), (2, 1), (1, 3), (3, 1), (1, 4), (2, 2), (4, 1), (1, 6), (2, 3), (3, 2)):
        layers = [([row for _, row in layer], [b for b, _ in layer]) for layer in some_layers(rng, n, k)]
        alive, size = alive_orbit(layers, FiniteSet.of([some(rng, n)]))
        yield f"n = {n}, k = {k}", Fraction(alive, size), closed_forms.lower_bound(n, k)


# %% [markdown]
# ## Decision
#
# The analyzer itself, on each member of some orbits: it names the layer that kills the point, and its certificate is
# checked again.


# %%
@claim.decide("networks")
def networks(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(162)
    for n, k in ((1, 1), (1, 2), (2, 1), (1, 3), (2, 2), (3, 1), (2, 3), (3, 2)):
        layers, point = some_layers(rng, n, k), some(rng, n)
        domain = FiniteSet.of([point])
        for choice in product((1, -1), repeat=n * k):
            s = iter(choice)
            flipped = [
                [(t * b, [t * a for a in row]) for (b, row), t in zip(layer, islice(s, n), strict=True)]
                for layer in layers
            ]
            net = Network.from_layers([([row for _, row in rows], [b for b, _ in rows], "relu") for rows in flipped])
            killer, accepted = 0, True
            for report in decide(net, domain):
                claims = [v.claim for v in report.verdicts]
                proof = as_certificate(claims, net.digest, domain.checked.digest(), report.points)
                accepted &= len(checker.check(proof, net.checked, domain.checked)) == n
                killer = killer or report.layer * (report.killed is True)
            yield f"n = {n}, k = {k}", killer, death(layers, choice, point), accepted


# %% [markdown]
# ## Sampling


# %%
@claim.sample("probabilities", trials=100_000, seed=163)
def laws(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    for n, k, law in ((1, 2, "normal"), (2, 4, "cauchy"), (3, 3, "uniform"), (5, 2, "t:3")):
        alive = montecarlo.count(
            montecarlo.alive_on_points, trials, seed + n, law, points=[[0.5 * i - 1 for i in range(n)]], n=n, k=k
        )
        yield f"n = {n}, k = {k}", alive, closed_forms.lower_bound(n, k)


# %% [markdown]
# ## Neighbours that fail
#
# *Two points*: $\{1, -1\}$ is alive under all flips, if $|a| > |b|$. *A pre-activation that vanishes*:
# $a = b$ at $x = -1$, or no bias at $x = 0$: dead under all flips. *Rows that are not independent*: two copies of one
# neuron are flipped together.


# %%
@claim.neighbour("S_0 is one point; no atoms: a·y + b = 0 has probability 0; rows independent")
def others(depth: str) -> Iterator[tuple[object, ...]]:
    alive, size = alive_orbit([([[2]], [1])], FiniteSet.of([[1], [-1]]))
    yield Fraction(alive, size), closed_forms.lower_bound(1, 1)
    for a, b, x in ((1, 1, -1), (1, 0, 0)):
        dead = sum(death([[(b, [a])]], [s], [x]) for s in (1, -1))
        yield Fraction(2 - dead, 2), closed_forms.lower_bound(1, 1)
    row = 3, [5, 7]
    dead = sum(death([[row, row]], [s, s], [1, 1]) for s in (1, -1))
    yield Fraction(2 - dead, 2), closed_forms.lower_bound(2, 1)


@claim.neighbour("rows symmetric")
def negative(depth: str) -> Iterator[tuple[object, ...]]:
    profiles, _ = dead_neurons_orbit([([[-2]], [-1])], FiniteSet.of([[1]]), "none")
    yield 1 - profiles[(1,)], closed_forms.lower_bound(1, 1)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
