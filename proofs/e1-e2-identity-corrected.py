# %% [markdown]
# # A layer on a set of data: all live, some, or none
#
# **Notation.** A layer of $n$ independent neurons, each with the law of its negative and almost surely not 0 at the
# data, sees finitely many points. $E_1$: each point has a positive neuron. $E_3$: none has. $E_2$: the rest. A neuron
# is *mixed* if it is positive at some points and negative at others; let $m$ be the probability of that (for each
# neuron the same), $X$ the event that some neuron is mixed, and $q = \frac{1 - m}2$.
#
# **Statement.** (i) $P(E_3) = q^n = 2^{-n} P(X^c)$. (ii) If $m < 1$,
# $$\frac{P(E_1)}{P(E_3)} \ge \frac{1 - (1 - q)^n}{q^n} \ge 2^n - 1, \qquad\text{so}\qquad
# P(E_1 \mid E_2^c) \ge 1 - 2^{-n},$$
# with equality at the end if and only if $n = 1$ or $m = 0$. (If $m = 1$, $P(E_3) = 0$, and
# $P(E_1 \mid E_2^c) = 1$ if $P(E_1) > 0$; for $n = 1$, $E_2$ is certain.)
# (iii) $P(E_1) + P(E_2) = (1 - 2^{-n}) + 2^{-n} P(X)$.

# %%
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, permutations, product

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import FiniteSet
from geomrelu.random_networks.orbit import alive_orbit

claim = Claim(
    label="e1-e2-identity-corrected",
    title="All data or none",
    statement="P(none live) = ((1 - m) / 2)^n; P(all live | all or none) >= 1 - 2^-n, equal iff n = 1 or m = 0",
    latex=r"P(E_3) = \left(\tfrac{1-m}{2}\right)^n, \quad P(E_1 \mid E_2^c) \ge 1 - 2^{-n}",
    source="Rister & Rubin, section 5, eq. 17 (corrected)",
    hypotheses=(
        "neurons independent",
        "each neuron symmetric",
        "no neuron is 0 at a data point",
    ),
)

# %% [markdown]
# ## Proof
#
# **Step 1.** A neuron is positive everywhere, negative everywhere, or mixed. The first two are exchanged by flipping
# its signs, so each has probability $q = \frac{1 - m}2$. $E_3$ is that all $n$ are negative everywhere: $q^n$. And
# $P(X^c) = (1 - m)^n = 2^n q^n$: (i). (iii) is $1 - P(E_3)$.
#
# **Step 2.** $E_1$ happens if some neuron is positive everywhere, which has probability $1 - (1 - q)^n$. With $t =
# \frac1q \ge 2$ the quotient by $q^n$ is $t^n - (t - 1)^n = \sum_{i<n} t^i (t - 1)^{n - 1 - i}$, which grows with $t$
# (strictly, if $n \ge 2$) and is $2^n - 1$ at $t = 2$.
#
# **Step 3.** $P(E_1 \mid E_2^c) = \frac{P(E_1)}{P(E_1) + P(E_3)}$ grows with $P(E_1) / P(E_3)$. For $n = 1$, $P(E_1) =
# P(E_3) = q$. For $m = 0$, $q = \frac12$ and $E_2$ is impossible. For $n \ge 2$ and $m > 0$, $t > 2$ in Step 2.
# $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n, j = sympy.symbols("n j", integer=True, positive=True)
    m, t = sympy.symbols("m t", positive=True)
    # Step 1: the neurons by their number j of mixed ones; each of the others is negative everywhere or positive
    mixed = sympy.binomial(n, j) * m**j * (1 - m) ** (n - j)
    some = sympy.Integer(1) - mixed.subs(j, 0)
    yield "every n: P(E1) + P(E2)", 1 - ((1 - m) / 2) ** n, (1 - 2**-n) + 2**-n * some
    for size in (1, 2, 3, 4):
        yield f"n = {size}: P(X)", sum(mixed.subs({n: size, j: i}) for i in range(1, size + 1)), some.subs(n, size)
        # Step 2: the quotient, its value at t = 2, and that it grows: no coefficient in t - 2 is negative
        quotient = sympy.cancel((1 - (1 - 1 / t) ** size) * t**size)
        yield quotient, sum(t**i * (t - 1) ** (size - 1 - i) for i in range(size))
        yield f"n = {size}: the least of P(E1) / P(E3)", quotient.subs(t, 2), sympy.Integer(2) ** size - 1
        coefficients = sympy.Poly(quotient.subs(t, t + 2), t).all_coeffs()
        yield sum(map(abs, coefficients)), sum(coefficients)
    # Step 3, from the quotient to the probability
    least = 2**n - 1
    yield "every n: the least of P(E1 | E2^c)", least / (least + 1), 1 - 2**-n


# %% [markdown]
# ## Enumeration
#
# Data among the points $\pm e_i$ of $\mathbb R^n$, and 0. The signs of $b$, $b \pm a_i$ depend only on the signs of the
# parameters and the order of their absolute values; for independent parameters with one symmetric law without atoms all
# of these are equally likely.

# %%
Point = tuple[int, int]  # (i, t): the point t e_i


def neurons(n: int, data: Sequence[Point]) -> Counter[tuple[bool, ...]]:
    """Where a neuron is positive: how many of the (n + 1)! 2^(n + 1) equally likely classes."""
    found: Counter[tuple[bool, ...]] = Counter()
    for order in permutations(range(1, n + 2)):
        for signs in product((1, -1), repeat=n + 1):
            row = [s * v for s, v in zip(signs, order, strict=True)]
            found[tuple(row[0] + t * row[1 + i] > 0 for i, t in data)] += 1
    return found


def layers(width: int, neuron: Counter[tuple[bool, ...]]) -> Counter[tuple[bool, ...]]:
    """Where a layer of independent neurons is positive."""
    found = neuron
    for _ in range(width - 1):
        wider: Counter[tuple[bool, ...]] = Counter()
        for (one, c), (other, d) in product(found.items(), neuron.items()):
            wider[tuple(map(max, one, other))] += c * d
        found = wider
    return found


def events(layer: Counter[tuple[bool, ...]]) -> tuple[Fraction, Fraction, Fraction]:
    """P(E1), P(E2), P(E3)."""
    total = sum(layer.values())
    every, none = (sum(c for alive, c in layer.items() if set(alive) == {value}) for value in (True, False))
    return Fraction(every, total), 1 - Fraction(every + none, total), Fraction(none, total)


@claim.enumerate("values on data sets")
def data_sets(depth: str) -> Iterator[tuple[object, ...]]:
    for n in range(1, 5 if depth == "thorough" else 4):
        points = [(0, 0), *((i, t) for i in range(n) for t in (1, -1))]
        for size in range(1, min(len(points), 4) + 1):
            for data in combinations(points, size):
                neuron = neurons(n, data)
                m = 1 - sum(events(neuron)[::2])
                every, some, none = events(layers(n, neuron))
                q, bound = (1 - m) / 2, 1 - Fraction(1, 2**n)
                yield none, q**n
                yield every + some, bound + (1 - (1 - m) ** n) / 2**n
                if none:
                    yield every / none, ">=", (1 - (1 - q) ** n) / q**n
                    given = every / (every + none)
                    name = "{" + ", ".join(("-" if t < 0 else "") + (f"e{i + 1}" if t else "0") for i, t in data) + "}"
                    row = (f"n = {n}, data {name}",) if data[-1][0] == 0 else ()
                    yield (*row, given, "==" if n == 1 or m == 0 else ">", bound)


# %% [markdown]
# The same by the general function, for whole orbits of fixed magnitudes: $E_1 \cup E_2$ is that the layer is alive, and
# the fraction of mixed sign choices of a neuron gives $m$ (here it differs from neuron to neuron).


# %%
@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    data = FiniteSet.of([[2, 1], [-1, 3], [1, 1]])
    for rows in ([(5, 1, 2)], [(1, 4, 2), (9, 3, 5)], [(2, 3, 7), (11, 1, 3), (4, 1, 1)]):
        alive, size = alive_orbit([([row[1:] for row in rows], [row[0] for row in rows])], data)
        none = Fraction(1)
        for row in rows:
            own, choices = alive_orbit([([row[1:]], [row[0]])], data)
            none *= Fraction(choices - own, choices)  # negative everywhere: (1 - m) / 2
        yield f"{len(rows)} neurons on 3 points: P(E3)", Fraction(size - alive, size), none


# %% [markdown]
# ## Neighbours that fail
#
# *Neurons that are not independent*: two equal neurons at one point, where both signs are equally likely, so that
# $P(E_1 \mid E_2^c) = \frac12 < \frac34$. *No symmetry*: parameters that are negative with probability $\frac34$, at
# the point 0. *A neuron that can be 0*: parameters $\pm 1$ at $x = 1$: $P(E_3) = \frac34$, and $q = \frac12$.


# %%
@claim.neighbour("neurons independent; each neuron symmetric; no neuron is 0 at a data point")
def others(depth: str) -> Iterator[tuple[object, ...]]:
    same = [max(b, b) > 0 for b in (1, -1)]
    yield Fraction(sum(same), 2), ">=", 1 - Fraction(1, 4)
    lopsided = [b > 0 for b in (1, -1, -1, -1)]
    yield Fraction(sum(lopsided), 4), ">=", 1 - Fraction(1, 2)
    alive, size = alive_orbit([([[1]], [1])], FiniteSet.of([[1]]))
    yield Fraction(size - alive, size), Fraction(1, 2)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
