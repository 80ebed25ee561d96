# %% [markdown]
# # Input sets that grow
#
# **Notation.** $S^{(1)} \subseteq S^{(2)} \subseteq \dots \subseteq \mathbb R^d$ are input sets with union $U$, and
# $P_r(n, 1)$ is the probability that one of the $n$ neurons of the first layer is positive somewhere on $S^{(r)}$. The
# rows $(a, b)$ are independent of the sets.
#
# **Statement.** (i) $P_r(n, 1)$ never falls, and tends to $1 - P(\text{all neurons are dead on } U)$. (ii) If the
# closed convex hull of $U$ is $\mathbb R^d$ and $P(a = 0) = 0$, the limit is $1 = v(n, 1)$. So "as $S_0$ expands to
# fill $\mathbb R^n$, $P(n, 1)$ converges monotonically to $v(n, 1)$" holds, and $U$ need not be all of $\mathbb R^n$:
# the points $\pm r e_i$ are enough. (iii) If that hull is not $\mathbb R^d$, there are rows with $a \ne 0$ that are
# dead on $U$, and the limit may be less than 1: for cubes $[0, r]^d$ and independent symmetric parameters without
# atoms it is $1 - 2^{-n (d + 1)}$, the number of [`orthant-kill`](orthant-kill.py).

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

import sympy

from geomrelu import decide
from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.network.network import Network
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.orbit import alive_orbit

claim = Claim(
    label="growing-domain",
    title="Input sets that grow",
    statement="S_0 growing to U: P(n, 1) rises to 1 if the closed convex hull of U is the space; on cubes [0, r]^n to "
    "1 - 2^(-n^2 - n)",
    latex=r"S^{(r)} \uparrow U,\ \overline{\operatorname{conv}}\, U = \mathbb R^n: \quad P_r(n, 1) \uparrow 1",
    source="Rister & Rubin, section 5, tightness of the upper bound",
    hypotheses=(
        "the sets are nested",
        "for (ii): the closed convex hull of U is the space",
        "for (ii): a = 0 has probability 0",
        "for the cubes: parameters independent, symmetric, no atoms",
    ),
    uses=("orthant-kill",),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (i).** The events "some neuron is positive somewhere on $S^{(r)}$" grow with $r$, and their union is "some
# neuron is positive somewhere on $U$". Probability is continuous from below.
#
# **Step 2 (ii).** If a neuron with $a \ne 0$ is dead on $U$, then $U$ lies in the half-space $\{a \cdot x + b \le 0\}$,
# which is closed and convex and not the whole space, so its closed convex hull is not the space either.
#
# **Step 3 (iii).** A closed convex set that is not the space lies in a half-space $\{a \cdot x + b \le 0\}$,
# $a \ne 0$. For the cubes $U = \mathbb R^d_+$, on which a neuron is dead if and only if $a \le 0$ and $b \le 0$: with
# probability $2^{-d-1}$ each. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n = sympy.Symbol("n", integer=True, positive=True)
    t, s = sympy.symbols("t s", positive=True)
    # one input, parameters uniform on [-1, 1], on [-r, r] for r >= 1: dead if b <= -r |a|
    large = 1 + t
    dead = sympy.integrate((1 - large * s) / 2, (s, 0, 1 / large))  # over |a| = s; b <= -r s has (1 - r s) / 2
    yield "uniform law on [-r, r], r >= 1: dead", dead, 1 / (4 * large)
    yield "in the limit", sympy.limit(1 - dead**n, t, sympy.oo), sympy.Integer(1)
    # on [0, r], r >= 1: dead if b <= 0 and a r + b <= 0: a <= 0, or 0 < a <= -b / r
    half = sympy.Rational(1, 4) + sympy.integrate((1 - large * s) / 4, (s, 0, 1 / large))
    yield "uniform law on [0, r]: dead", sympy.simplify(half), sympy.Rational(1, 4) + 1 / (8 * large)
    yield "in the limit: one neuron", sympy.limit(half, t, sympy.oo), closed_forms.orthant_kill(1)
    yield "every n: the layer", closed_forms.orthant_kill(n), sympy.Integer(2) ** (-n * (n + 1))


# %% [markdown]
# ## Enumeration
#
# All signs of random magnitudes, on growing sets: the shares rise, and in the end they are 1 for the corners
# $\pm r e_i$, and $1 - 2^{-n^2-n}$ for cubes.


# %%
@claim.enumerate("shares")
def sets(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(340)
    for n in (1, 2, 3) if depth == "default" else (1, 2, 3, 4):
        layer = [([[rng.randint(1, 9) for _ in range(n)] for _ in range(n)], [rng.randint(20, 90) for _ in range(n)])]
        last = {"corners": Fraction(0), "cubes": Fraction(0)}
        for r in (1, 3, 9, 27, 81, 1000):
            corners = [[s * r * int(i == j) for j in range(n)] for i in range(n) for s in (1, -1)]
            kinds = {"corners": FiniteSet.of(corners), "cubes": Polyhedron.box([(0, r)] * n)}
            for kind, domain in kinds.items():
                share = Fraction(*alive_orbit(layer, domain))
                yield last[kind], "<=", share
                last[kind] = share
        yield f"n = {n}: corners of r e_i, in the end", last["corners"], 1
        yield f"n = {n}: cubes, in the end", last["cubes"], 1 - closed_forms.orthant_kill(n)


# %% [markdown]
# ## Neighbours that fail
#
# *Sets that are not nested*: $\{-r\}$ for odd and $\{r\}$ for even $r$, whose union has the line as its hull: $x + 2$
# is alive on the even ones and dead on the odd ones, for ever. *A hull that is not the space*: half-lines. *$a = 0$*: a
# constant $-1$ is dead on every set. *Parameters that are not independent*: $s x + s$ with one fair sign $s$ is alive
# on $[0, r]$ with probability $\frac12$, not $\frac34$.


# %%
def living(a: list[int], b: int, domain: Polyhedron | FiniteSet) -> int:
    (report,) = decide(Network.from_layers([([a], [b], "relu")]), domain)
    return int(report.killed is not True)


@claim.neighbour("the sets are nested")
def alternating(depth: str) -> Iterator[tuple[object, ...]]:
    for r in (3, 5, 1001):
        yield living([1], 2, FiniteSet.of([[r + 1]])), "<=", living([1], 2, FiniteSet.of([[-r - 2]]))


@claim.neighbour("for (ii): the closed convex hull of U is the space; for (ii): a = 0 has probability 0")
def others(depth: str) -> Iterator[tuple[object, ...]]:
    for r in (1, 1000):
        share = Fraction(*alive_orbit([([[3]], [2])], Polyhedron.box([(0, r)])))
        yield share, ">=", 1 if r > 1 else Fraction(4, 5)
        yield living([0], -1, Polyhedron.box([(-r, r)])), 1


@claim.neighbour("for the cubes: parameters independent, symmetric, no atoms")
def one_sign(depth: str) -> Iterator[tuple[object, ...]]:
    for r in (1, 1000):
        alive = Fraction(sum(living([s], s, Polyhedron.box([(0, r)])) for s in (1, -1)), 2)
        yield alive, 1 - closed_forms.orthant_kill(1)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
