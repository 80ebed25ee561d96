# %% [markdown]
# # Wide networks live: the lower bound
#
# **Notation.** As in [`upper-bound`](upper-bound.py): a network of width $n$ and depth $k$ on a nonempty input set
# $S_0 \subseteq \mathbb R^n$ is alive if every layer $j \le k$ has a neuron that is positive somewhere on $S_{j-1}$.
#
# **Statement.** If the rows $(a, b)$ of all layers are independent, each with the same law as $(-a, -b)$, and
# $P(a \cdot y + b = 0) = 0$ for each fixed $y$ (a density is enough), then for every $S_0$
# $$P(n, k) \ge \ell(n, k) = \left(1 - 2^{-n}\right)^k,$$
# with equality if $S_0$ is a single point.

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
    label="lower-bound",
    title="Lower bound",
    statement="P(n, k) >= (1 - 2^-n)^k, with equality on a single point",
    latex=r"P(n, k) \ge \left(1 - 2^{-n}\right)^k",
    source="Rister & Rubin, section 4, eq. 8",
    hypotheses=(
        "neurons independent",
        "each law symmetric about 0",
        "no atoms: a·y + b = 0 has probability 0",
    ),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (one neuron, one point).** Fix $y \in \mathbb R^n$. The flip $(a, b) \mapsto -(a, b)$ preserves the law and
# exchanges $a \cdot y + b > 0$ with $a \cdot y + b < 0$. So both have the same probability, and as 0 has probability
# 0, it is $\frac12$. (It is essential that there are no atoms anywhere, not only at 0; see the neighbours.)
#
# **Step 2 (one layer, one point).** A layer has $n$ independent neurons, so at $y$ it has one that is positive with
# probability $1 - 2^{-n}$, for every $y$, the origin included.
#
# **Step 3 (induction).** Fix one $x \in S_0$ and let $y_0 = x$, $y_j = f_j(y_{j-1})$. Let $B_j$ be the event that
# layer $j$ is positive at $y_{j-1}$. The point $y_{j-1}$ is a function of the layers before $j$, which are
# independent of layer $j$; so by Step 2 the conditional probability of $B_j$ given those layers is the constant
# $1 - 2^{-n}$. Hence $P(B_1 \cap \dots \cap B_k) = (1 - 2^{-n})^k$. (If an earlier layer killed $x$, $y_{j-1} = 0$ is
# still a point, and Step 2 still holds: no case has to be excluded.)
#
# **Step 4.** If all $B_j$ happen, the network is alive, for $y_{j-1} \in S_{j-1}$. If $S_0 = \{x\}$, the two events
# are the same. $\square$
#
# *In the language of sign orbits.* Fix magnitudes such that no neuron is 0 at the image of $x$, whatever the signs (of
# parameters with densities all are so, except on a null set). Given the signs of the layers before, the flip of all
# signs of a row pairs its $2^{n+1}$ sign choices into $2^n$ that are positive at $y_{j-1}$ and $2^n$ that are negative.
# A layer has $2^{n^2+n}$ sign choices; it is dead at $y_{j-1}$ for $(2^n)^n$ of them. So the number of living sign
# choices of a network obeys $U_k = (2^{n^2+n} - 2^{n^2}) U_{k-1}$, $U_0 = 1$, and on each orbit exactly the fraction
# $U_k / 2^{k (n^2+n)} = \ell(n, k)$ is alive at $x$.


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n, k, m = sympy.symbols("n k m", integer=True, positive=True)
    # Step 1, the uniform measure on the 2^(n + 1) signs of a row: as many choices are positive as negative, none is 0
    plus, minus = sympy.symbols("plus minus")
    row = sympy.solve([plus - minus, plus + minus - 2 ** (n + 1)], [plus, minus])
    yield "positive choices of a row", row[plus], 2**n
    # and for normal parameters a·y + b is normal with variance |y|^2 + 1, whatever y is
    u, sigma = sympy.Symbol("u", real=True), sympy.Symbol("sigma", positive=True)
    density = sympy.exp(-(u**2) / (2 * sigma**2)) / (sigma * sympy.sqrt(2 * sympy.pi))
    yield sympy.integrate(density, (u, 0, sympy.oo)), row[plus] / 2 ** (n + 1)
    # Step 2: m of the n rows are positive, the others negative
    layer = sympy.summation(sympy.binomial(n, m), (m, 1, n)) * row[plus] ** n
    yield "living choices of a layer", layer, 2 ** (n**2 + n) - 2 ** (n**2)
    yield "every n, k = 1", layer / 2 ** (n**2 + n), closed_forms.lower_bound(n, 1)
    # Step 3: the recursion, over all choices
    living, size, factor = sympy.Function("U"), 2 ** (n**2 + n), sympy.Symbol("factor", positive=True)
    choices = sympy.rsolve(living(k + 1) - factor * living(k), living(k), {living(0): 1})
    yield "every n, k", choices.subs(factor, sympy.simplify(layer / size)), closed_forms.lower_bound(n, k)
    for depth_ in (1, 2, 3):
        yield choices.subs({factor: layer, k: depth_}) / size**depth_, closed_forms.lower_bound(n, depth_)


# %% [markdown]
# ## Enumeration
#
# The fraction of living sign choices of all parameters, for random magnitudes: equal to $\ell$ at one point, at least
# $\ell$ on larger sets.


# %%
def some_network(rng: random.Random, n: int, k: int) -> list[tuple[list[list[Fraction]], list[Fraction]]]:
    def some() -> Fraction:
        return Fraction(rng.randint(1, 999), rng.randint(1, 99))

    return [([[some() for _ in range(n)] for _ in range(n)], [some() for _ in range(n)]) for _ in range(k)]


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(22)
    for n, k in ((1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2)):
        for repetition in range(5 if depth == "thorough" else 2):
            point = FiniteSet.of([[Fraction(rng.randint(-99, 99), 7) for _ in range(n)]])
            alive, size = alive_orbit(some_network(rng, n, k), point)
            case = Fraction(alive, size), closed_forms.lower_bound(n, k)
            yield (f"n = {n}, k = {k} at a point", *case) if repetition == 0 else case
    line, plane = Polyhedron.space(1), Polyhedron.space(2)
    points = FiniteSet.of([[1, 2], [-3, 1], [2, -2]])
    families = [
        *((1, k, line, "R") for k in range(1, 7)),
        (2, 2, points, "3 points"),
        (2, 3, points, "3 points"),
        (2, 2, Polyhedron.box([(-1, 1)] * 2), "a square"),
        (2, 2, plane, "R^2"),
        (2, 3, plane, "R^2"),
    ]
    if depth == "thorough":
        families += [(1, 8, line, "R"), (2, 4, plane, "R^2"), (3, 2, Polyhedron.box([(-1, 1)] * 3), "a cube")]
    for n, k, domain, name in families:
        for repetition in range(2):
            alive, size = alive_orbit(some_network(rng, n, k), domain)
            case = Fraction(alive, size), ">=", closed_forms.lower_bound(n, k)
            yield (f"n = {n}, k = {k} on {name}", *case) if repetition == 0 else case


# %% [markdown]
# ## Sampling


# %%
@claim.sample("probabilities", trials=100_000, seed=42)
def networks(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    for n, k, law in ((1, 3, "cauchy"), (2, 2, "uniform"), (2, 3, "normal"), (4, 8, "normal")):
        alive = montecarlo.count(
            montecarlo.alive_on_points, trials, seed + 10 * n + k, law, points=[[0.5] * n], n=n, k=k
        )
        yield f"n = {n}, k = {k} at a point", alive, closed_forms.lower_bound(n, k)
    points = [[1, 2], [-3, 1], [2, -2]]
    for k in (2, 3):
        alive = montecarlo.count(montecarlo.alive_on_points, trials, seed + k, points=points, n=2, k=k)
        yield f"n = 2, k = {k} on 3 points", alive, ">=", closed_forms.lower_bound(2, k)


# %% [markdown]
# ## Neighbours that fail
#
# *With atoms*: parameters $\pm 1$ are symmetric and never 0, but $a \cdot 1 + b = 0$ has probability $\frac12$, and at
# 0 a neuron is dead: at $x = 1$, $P(1, 1) = \frac14 < \frac12$. *Without biases*: at $x = 0$ every neuron is 0, so
# $P = 0$.


# %%
@claim.neighbour("no atoms: a·y + b = 0 has probability 0")
def atoms(depth: str) -> Iterator[tuple[object, ...]]:
    alive = sum(a + b > 0 for a, b in product((-1, 1), repeat=2))
    yield Fraction(alive, 4), ">=", closed_forms.lower_bound(1, 1)
    alive, size = alive_orbit([([[1]], [1])], FiniteSet.of([[1]]))
    yield Fraction(alive, size), ">=", closed_forms.lower_bound(1, 1)
    alive, size = alive_orbit([([[3, 5], [2, 7]], [0, 0])], FiniteSet.of([[0, 0]]))
    yield Fraction(alive, size), ">=", closed_forms.lower_bound(2, 1)


@claim.neighbour("neurons independent; each law symmetric about 0")
def other_laws(depth: str) -> Iterator[tuple[object, ...]]:
    """Two equal neurons at a point; then all parameters negative."""
    point = FiniteSet.of([[1, 1]])
    living = 0
    for s in (1, -1):
        profiles, _ = dead_neurons_orbit([([[2 * s, 3 * s]] * 2, [s, s])], point, "none")
        living += 1 - profiles[(2,)]
    yield Fraction(living, 2), ">=", closed_forms.lower_bound(2, 1)
    profiles, _ = dead_neurons_orbit([([[-2, -3], [-1, -4]], [-1, -1])], point, "none")
    yield 1 - profiles[(2,)], ">=", closed_forms.lower_bound(2, 1)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
