# %% [markdown]
# # Networks of width one
#
# **Notation.** As in [`upper-bound`](upper-bound.py) with $n = 1$ and $S_0 = \mathbb R$: layer $j$ maps $y$ to
# $\max(a_j y + b_j, 0)$. A sign choice fixes the signs of all $2k$ parameters; the magnitudes are generic.
#
# *Generic* means: no parameter is 0, and if for any signs and any $i < j$ the point $|b_i|$ is sent through the layers
# $i + 1, \dots, j - 1$ to $y$, then $|a_j y| \ne |b_j|$.
#
# **Statement.** For generic magnitudes exactly $(k + 1) 2^k$ of the $4^k$ sign choices are alive. Hence, for
# independent parameters with laws that are symmetric about 0 and have no atoms,
# $$P(1, k) = \frac{k + 1}{2^k}.$$

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
    label="width-one",
    title="Width one on the line",
    statement="n = 1, S_0 = R: P(1, k) = (k + 1) / 2^k; (k + 1) 2^k of the 4^k sign choices are alive",
    latex=r"S_0 = \mathbb R:\quad P(1, k) = \frac{k + 1}{2^k}",
    source="new (after Rister & Rubin, section 5)",
    hypotheses=(
        "width 1",
        "S_0 = R",
        "parameters independent",
        "parameters symmetric",
        "no atoms",
    ),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (splitting an interval).** Let $I = I_1 \cup I_2$ be intervals of $\mathbb R$, $I_1$ to the left of the
# common point $p$ and $I_2$ to the right. For every network of width one, with $[\cdot]$ for 1 or 0,
# $$[\text{alive on } I_1] + [\text{alive on } I_2] = [\text{alive on } I] + [\text{alive on } \{p\}].$$
# All layers are monotone, so each pre-activation $z_j$ is monotone as a function on $I$. A network is alive on a set if
# for each $j$ there is a point of it with $z_j > 0$. *If the network is alive on both parts*,
# each $z_j$ is positive somewhere on both sides of $p$, hence at $p$, so all four brackets are 1. *If it is alive on
# $I_2$ and not on $I_1$* (or the other way round), it is alive on $I$, and not at $p \in I_1$. *If it is alive on
# neither*, let $I_1$ be the part whose image is killed first, by layer $j$ (both at once: then $I$ is killed too).
# From there on all of $I_1$ has the values of $p \in I_2$, so the images of $I$ and $I_2$ are equal, and as $I_2$ is
# killed later, so is $I$; and $p \in I_1$ is not alive.
#
# **Step 2 (a point).** At a point $y$, exactly 2 of the 4 sign choices of $(a, b)$ have $a y + b > 0$, if
# $|a y| \ne |b|$: the larger of the two terms must be positive, and the sign of the other does not matter. So if layers
# $i + 1, \dots, k$ are generic in the sense above, $2^{k-i}$ of their $4^{k-i}$ choices are alive at $|b_i|$.
#
# **Step 3 (recursion).** Let $N_m$ be the number of sign choices of the last $m$ layers that are alive on
# $[0, \infty)$; $N_0 = 1$. The first of these layers, with the parameters $a, b$, maps $[0, \infty)$ onto
# $[|b|, \infty)$ for signs $(+, +)$, onto $[0, \infty)$ for $(+, -)$, onto $[0, |b|]$ for $(-, +)$, and is dead for
# $(-, -)$. Add the equation of Step 1 with $p = |b|$ over all choices of the other $m - 1$ layers: $[0, |b|]$ and
# $[|b|, \infty)$ together have as many living ones as $[0, \infty)$ and $\{|b|\}$, that is $N_{m-1} + 2^{m-1}$ by
# Step 2. With the $N_{m-1}$ for $(+, -)$
# $$N_m = 2 N_{m-1} + 2^{m-1}, \qquad N_m = (m + 2) 2^{m-1}.$$
# In particular $N_m$ is the same for all generic magnitudes.
#
# **Step 4.** Layer 1 maps $\mathbb R$ onto $[0, \infty)$ for each of its 4 sign choices: $4 N_{k-1} = (k + 1) 2^k$.
#
# **Step 5 (the probability).** The laws do not change under sign choices, so $P(1, k)$ is the expected fraction of
# living choices, if the magnitudes are generic with probability 1. They are: 0 is no atom, and for given signs the
# point $y$ depends on the layers before $j$ only, and $a_j$ is independent of $b_j$, so $|b_j| = |a_j y|$ has
# probability 0, as $|b_j|$ has no atoms. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    m, k = sympy.symbols("m k", integer=True, positive=True)
    u = sympy.Function("u")
    living = sympy.rsolve(u(m) - 2 * u(m - 1) - 2 ** (m - 1), u(m), {u(0): 1})
    yield living, (m + 2) * 2 ** (m - 1)
    yield "every k", 4 * living.subs(m, k - 1) / 4**k, closed_forms.width_one(k)
    yield closed_forms.width_one(1), closed_forms.upper_bound(1, 1)
    yield closed_forms.width_one(2), closed_forms.upper_bound(1, 2)


# %% [markdown]
# ## Enumeration
#
# All sign choices for random magnitudes; and Step 1 itself, choice by choice.


# %%
def some_network(rng: random.Random, k: int) -> list[tuple[list[list[Fraction]], list[Fraction]]]:
    def some() -> Fraction:
        return Fraction(rng.randint(1, 9999), rng.randint(1, 99))

    return [([[some()]], [some()]) for _ in range(k)]


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng, line = random.Random(50), Polyhedron.space(1)
    for k in range(1, 13 if depth == "thorough" else 11):
        for repetition in range(10):
            alive, size = alive_orbit(some_network(rng, k), line)
            yield alive, (k + 1) * 2**k
            case = Fraction(alive, size), closed_forms.width_one(k)
            yield (f"k = {k}", *case) if repetition == 0 else case


@claim.enumerate("splittings")
def splittings(depth: str) -> Iterator[tuple[object, ...]]:
    """Step 1 for each sign choice: it holds for networks, not only for counts."""
    rng = random.Random(51)
    for k in (1, 2, 3, 4):
        net = some_network(rng, k)
        p = Fraction(rng.randint(-99, 99), 7)
        for signs in product((-1, 1), repeat=2 * k):
            chosen = [(s * a[0][0], t * b[0]) for (a, b), s, t in zip(net, signs[::2], signs[1::2], strict=True)]
            ends = [(None, p), (p, None), (None, None), (p, p)]
            left, right, whole, point = (int(_alive(chosen, *interval)) for interval in ends)
            yield left + right, whole + point


def _alive(net: list[tuple[Fraction, Fraction]], low: Fraction | None, high: Fraction | None) -> bool:
    """On the interval from low to high (None: infinite), by hand."""
    for a, b in net:
        low, high = (None if v is None else a * v + b for v in ((low, high) if a > 0 else (high, low)))
        if high is not None and high <= 0:
            return False
        low = Fraction(0) if low is None else max(low, Fraction(0))
    return True


# %% [markdown]
# ## Sampling


# %%
@claim.sample("probabilities", trials=400_000, seed=52)
def networks(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    for k, law in ((2, "cauchy"), (3, "normal"), (5, "uniform"), (8, "normal")):
        yield (
            f"k = {k}",
            montecarlo.count(montecarlo.alive_on_line, trials, seed + k, law, k=k),
            closed_forms.width_one(k),
        )


# %% [markdown]
# ## Neighbours that fail
#
# *On less than the line*: at one point the value is $2^{-k}$; on $[0, 1]$ it depends on the magnitudes. *With atoms*:
# for all magnitudes 1, other choices are alive. *Width two*: two orbits differ
# ([`not-free-at-three`](not-free-at-three.py)).


# %%
@claim.neighbour("S_0 = R; no atoms")
def smaller_sets_or_atoms(depth: str) -> Iterator[tuple[object, ...]]:
    net = [([[1]], [2]), ([[3]], [5]), ([[7]], [1])]
    alive, size = alive_orbit(net, FiniteSet.of([[1]]))
    yield Fraction(alive, size), closed_forms.width_one(3)
    one, _ = alive_orbit([([[1]], [2])], Polyhedron.box([(0, 1)]))
    other, _ = alive_orbit([([[2]], [1])], Polyhedron.box([(0, 1)]))
    yield one, other
    alive, size = alive_orbit([([[1]], [1])] * 3, Polyhedron.space(1))
    yield Fraction(alive, size), closed_forms.width_one(3)


@claim.neighbour("width 1; parameters independent; parameters symmetric")
def wider_or_other_laws(depth: str) -> Iterator[tuple[object, ...]]:
    """Width two; then one sign for all parameters, and only positive ones."""
    wide = [([[1, 3], [2, 1]], [2, 5]), ([[3, 1], [1, 4]], [5, 7])]
    yield Fraction(*alive_orbit(wide, Polyhedron.space(2))), closed_forms.width_one(2)
    living = []
    for s in (1, -1):
        net = [([[s * w]], [s * b]) for w, b in ((1, 2), (3, 5))]
        profiles, _ = dead_neurons_orbit(net, Polyhedron.space(1), "none")
        living.append(profiles[0, 0])
    yield Fraction(sum(living), 2), closed_forms.width_one(2)
    yield living[0], closed_forms.width_one(2)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
