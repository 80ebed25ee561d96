# %% [markdown]
# # Networks of width one
#
# **Notation.** As in [`upper-bound`](upper-bound.py) with $n = 1$ and $S_0 = \mathbb R$: layer $j$ maps $y$ to
# $\max(a_j y + b_j, 0)$. A sign choice fixes the signs of all $2k$ parameters; the magnitudes are generic.
#
# **Statement.** Exactly $(k + 1) 2^k$ of the $4^k$ sign choices are alive. Hence, for independent parameters with laws
# that are symmetric about 0 and have no atoms,
# $$P(1, k) = \frac{k + 1}{2^k}.$$

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import sympy

from geomrelu import bounds, montecarlo
from geomrelu.claims import Claim
from geomrelu.polyhedron import FiniteSet, Polyhedron
from geomrelu.probability import alive_orbit

claim = Claim(
    label="width-one",
    title="Width one on the line",
    statement="n = 1, S_0 = R: P(1, k) = (k + 1) / 2^k; (k + 1) 2^k of the 4^k sign choices are alive",
    latex=r"S_0 = \mathbb R:\quad P(1, k) = \frac{k + 1}{2^k}",
    source="new (after Rister & Rubin, section 5)",
    hypotheses=("width 1", "S_0 = R", "parameters independent, symmetric, no atoms"),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (splitting an interval).** Let $I = I_1 \cup I_2$ be intervals of $\mathbb R$ with $I_1 \cap I_2 = \{p\}$.
# For every network of width one,
# $$[\text{alive on } I_1] + [\text{alive on } I_2] = [\text{alive on } I] + [\text{alive on } \{p\}].$$
# All layers are monotone, so each pre-activation $z_j$ is monotone on $I$. *If the network is alive on both parts*,
# each $z_j$ is positive somewhere on both sides of $p$, hence at $p$, so all four brackets are 1. *If it is alive on
# $I_2$ and not on $I_1$* (or the other way round), it is alive on $I$, and not at $p \in I_1$. *If it is alive on
# neither*, let $I_1$ be the part whose image is killed first, by layer $j$ (both at once: then $I$ is killed too).
# From there on all of $I_1$ has the values of $p \in I_2$, so the images of $I$ and $I_2$ are equal, and $I$ is not
# alive; nor is $p$.
#
# **Step 2 (a point).** At a point $y$, exactly 2 of the 4 sign choices of $(a, b)$ have $a y + b > 0$, if
# $|a| |y| \ne |b|$. So $2^m$ of the $4^m$ choices of $m$ generic layers are alive at $y$.
#
# **Step 3 (recursion).** Let $N_m$ be the number of sign choices of $m$ layers alive on $[0, \infty)$; $N_0 = 1$. The
# first of the layers maps $[0, \infty)$ to
# $[|b|, \infty)$ for signs $(+, +)$, to $[0, \infty)$ for $(+, -)$, to $[0, |b|]$ for $(-, +)$, and is dead for
# $(-, -)$. By Step 1 with $p = |b|$ the first and the third together leave as many living choices of the other layers
# as $[0, \infty)$ and $\{|b|\}$ do, so with Step 2
# $$N_m = 2 N_{m-1} + 2^{m-1}, \qquad N_m = (m + 2) 2^{m-1}.$$
#
# **Step 4.** Layer 1 maps $\mathbb R$ onto $[0, \infty)$ for each of its 4 sign choices: $4 N_{k-1} = (k + 1) 2^k$.
# $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    m, k = sympy.symbols("m k", integer=True, positive=True)
    u = sympy.Function("u")
    living = sympy.rsolve(u(m) - 2 * u(m - 1) - 2 ** (m - 1), u(m), {u(0): 1})
    yield living, (m + 2) * 2 ** (m - 1)
    yield "every k", 4 * living.subs(m, k - 1) / 4**k, bounds.width_one(k)
    yield bounds.width_one(1), bounds.upper_bound(1, 1)
    yield bounds.width_one(2), bounds.upper_bound(1, 2)


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
            case = Fraction(alive, size), bounds.width_one(k)
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
        yield f"k = {k}", montecarlo.count(montecarlo.alive_on_line, trials, seed + k, law, k=k), bounds.width_one(k)


# %% [markdown]
# ## Neighbours that fail
#
# *On less than the line*: at one point the value is $2^{-k}$; on $[0, 1]$ it depends on the magnitudes. *With atoms*:
# for all magnitudes 1, other choices are alive. *Width two*: two orbits differ
# ([`not-free-at-three`](not-free-at-three.py)).


# %%
@claim.neighbour("the whole line; no atoms")
def smaller_sets_or_atoms(depth: str) -> Iterator[tuple[object, ...]]:
    net = [([[1]], [2]), ([[3]], [5]), ([[7]], [1])]
    alive, size = alive_orbit(net, FiniteSet.of([[1]]))
    yield Fraction(alive, size), bounds.width_one(3)
    one, _ = alive_orbit([([[1]], [2])], Polyhedron.box([(0, 1)]))
    other, _ = alive_orbit([([[2]], [1])], Polyhedron.box([(0, 1)]))
    yield one, other
    alive, size = alive_orbit([([[1]], [1])] * 3, Polyhedron.space(1))
    yield Fraction(alive, size), bounds.width_one(3)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
