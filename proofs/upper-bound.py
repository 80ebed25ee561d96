# %% [markdown]
# # A deep network of bounded width is almost surely dead: the upper bound
#
# **Notation.** A network of width $n$ and depth $k$ on a nonempty input set $S_0 \subseteq \mathbb R^n$ has the
# layers $f_j(x) = \max(A_j x + b_j, 0)$ and the images $S_j = f_j(S_{j-1})$. It is *alive* if every layer $j \le k$
# has a neuron that is positive somewhere on $S_{j-1}$ (a neuron at 0 is dead). $P(n, k)$ is the probability of this.
#
# **Statement.** If the parameters are independent, each with a law symmetric about 0, then
# for every $S_0$
# $$P(n, k) \le v(n, k) = \left(1 - 2^{-n^2-n}\right)^{k-1}.$$

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.random_networks import closed_forms, montecarlo
from geomrelu.random_networks.orbit import alive_orbit, dead_neurons_orbit

claim = Claim(
    label="upper-bound",
    title="Upper bound",
    statement="P(n, k) <= (1 - 2^(-n^2 - n))^(k - 1), on every input set",
    latex=r"P(n, k) \le \left(1 - 2^{-n^2-n}\right)^{k-1}",
    source="Rister & Rubin, section 3, eq. 4",
    hypotheses=(
        "parameters independent, also across layers",
        "each law symmetric about 0",
    ),
    uses=("orthant-kill",),
)

# %% [markdown]
# ## Proof
#
# **Step 1.** Let $K_j$ be the event that layer $j$ kills the orthant, $\mathbb R^n_+ \subseteq D_j$. By
# [`orthant-kill`](orthant-kill.py), $P(K_j) \ge q := 2^{-n^2-n}$ (with equality if 0 is no atom; an atom at 0 makes
# $P(\theta \le 0) \ge \frac12$ larger). It depends on the parameters of layer $j$ alone, so
# $K_2, \dots, K_k$ are independent.
#
# **Step 2.** For $j \ge 2$, $S_{j-1}$ is an image under $\max(\cdot, 0)$, so $S_{j-1} \subseteq \mathbb R^n_+$. If
# $K_j$ happens, no neuron of layer $j$ is positive on $S_{j-1}$, whatever the layers before it are: the network is
# not alive. (For $j = 1$ there is no such inclusion; that is why the exponent is $k - 1$.)
#
# **Step 3.** Hence alive $\subseteq \bigcap_{j=2}^k K_j^c$, and by independence
# $P(n, k) \le \prod_{j=2}^k (1 - P(K_j)) = (1 - q)^{k-1}$. $\square$
#
# The event "alive" is measurable: $\{\exists x \in S_{0}: z_{j,i}(x; \theta) > 0\}$ is a union over $x$ of sets that
# are open in $\theta$, because $z_{j,i}(x; \theta)$ is continuous.


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n, k = sympy.symbols("n k", integer=True, positive=True)
    q, u = sympy.Symbol("q", positive=True), sympy.Function("u")
    # Step 3 as a recursion: one more layer survives with probability 1 - q, and u(1) = 1
    survived = sympy.rsolve(u(k + 1) - (1 - q) * u(k), u(k), {u(1): 1})
    yield "every n, k", survived.subs(q, closed_forms.orthant_kill(n)), closed_forms.upper_bound(n, k)
    # and by inclusion and exclusion over the layers that kill: independence makes each set of m layers q^m
    for layers in range(2, 8):
        survived = sum(sympy.binomial(layers - 1, m) * (-q) ** m for m in range(layers))
        yield survived.subs(q, closed_forms.orthant_kill(n)), closed_forms.upper_bound(n, layers)
    # For fixed n the bound goes to 0 with the depth
    for width in (1, 2, 3):
        yield sympy.limit(closed_forms.upper_bound(width, k), k, sympy.oo), sympy.Integer(0)


# %% [markdown]
# ## Enumeration
#
# The fraction of living sign choices of all parameters, for random magnitudes and several input sets. It never
# exceeds the bound; on $\mathbb R^n$ with $k \le 2$ they are equal ([`tight-at-two`](tight-at-two.py)).


# %%
def some_network(rng: random.Random, n: int, k: int) -> list[tuple[list[list[Fraction]], list[Fraction]]]:
    def some() -> Fraction:
        return Fraction(rng.randint(1, 999), rng.randint(1, 99))

    return [([[some() for _ in range(n)] for _ in range(n)], [some() for _ in range(n)]) for _ in range(k)]


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(21)
    line, plane = Polyhedron.space(1), Polyhedron.space(2)
    square = Polyhedron.box([(-1, 1)] * 2)
    points = FiniteSet.of([[1, 2], [-3, 1], [2, -2], ["-1/2", -1]])
    families = [
        *((1, k, line, "R") for k in range(1, 7)),
        (2, 1, plane, "R^2"),
        (2, 2, plane, "R^2"),
        (2, 3, plane, "R^2"),
        (2, 2, square, "a square"),
        (2, 3, square, "a square"),
        (2, 2, points, "4 points"),
        (2, 3, points, "4 points"),
        (3, 2, FiniteSet.of([[1, 2, 3], [-1, 1, -2]]), "2 points"),
    ]
    if depth == "thorough":
        families += [(1, 8, line, "R"), (2, 4, plane, "R^2"), (3, 2, Polyhedron.box([(-1, 1)] * 3), "a cube")]
    for n, k, domain, name in families:
        for repetition in range(2):
            alive, size = alive_orbit(some_network(rng, n, k), domain)
            case = Fraction(alive, size), "<=", closed_forms.upper_bound(n, k)
            yield (f"n = {n}, k = {k} on {name}", *case) if repetition == 0 else case


# %% [markdown]
# ## Sampling


# %%
@claim.sample("probabilities", trials=200_000, seed=41)
def networks(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    for k in (2, 3, 4, 6):
        alive = montecarlo.count(montecarlo.alive_on_line, trials, seed + k, "cauchy", k=k)
        yield f"n = 1, k = {k} on R", alive, "<=", closed_forms.upper_bound(1, k)
    points = [[1, 2], [-3, 1], [2, -2], [-0.5, -1]]
    for k in (2, 3):
        alive = montecarlo.count(montecarlo.alive_on_points, trials, seed + 10 + k, points=points, n=2, k=k)
        yield f"n = 2, k = {k} on 4 points", alive, "<=", closed_forms.upper_bound(2, k)


# %% [markdown]
# ## A neighbour that fails
#
# *Without independence across the layers*: let all layers be the same neuron $\max(ax + b, 0)$ with $|a| = |b| = 1$,
# on $S_0 = \{-9, 0, 9\}$. For $a, b < 0$ it is dead at layer 2. Otherwise it lives at all depths up to 7: for $a > 0$
# the point 9 moves to the right, or to the left by 1 a layer; for $a < 0 < b$ every image contains 0 and 1, which
# $1 - x$ exchanges, and $1 - 0 > 0$. So $P = \frac34$ for $2 \le k \le 7$, more than $\left(\frac34\right)^{k-1}$
# from $k = 3$ on.


# %%
@claim.neighbour("parameters independent, also across layers")
def tied(depth: str) -> Iterator[tuple[object, ...]]:
    for k in range(3, 8):
        alive = 0
        for a, b in product((-1, 1), repeat=2):
            points, positive = [-9, 0, 9], True
            for _ in range(k):
                values = [a * x + b for x in points]
                positive &= max(values) > 0
                points = [max(v, 0) for v in values]
            alive += positive
        yield Fraction(alive, 4), "<=", closed_forms.upper_bound(1, k)


@claim.neighbour("each law symmetric about 0")
def positive(depth: str) -> Iterator[tuple[object, ...]]:
    """All parameters positive: every layer lives."""
    profiles, _ = dead_neurons_orbit([([[2]], [1]), ([[3]], [5])], Polyhedron.space(1), "none")
    yield profiles[0, 0], "<=", closed_forms.upper_bound(1, 2)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
