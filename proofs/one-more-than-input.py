# %% [markdown]
# # Stably unactivated neurons over a first layer with one neuron more than inputs
#
# **Notation.** As in [`narrow-first-layer`](narrow-first-layer.py): $f(x) = \sum_i w_i \max(z_i(x), 0) + c$ on
# $\mathbb R^{n_0}$ with $z(x) = Ax + b$, now with $n_1 = n_0 + 1$, so $n_1 \ge 2$.
#
# **Statement.** For generic magnitudes exactly $2^{n_1} + 2$ of the $2^{2n_1+1}$ choices of the signs of the rows
# $(a_i, b_i)$, of the $w_i$ and of $c$ make $f$ stably unactivated. Hence, if all parameters are independent with laws
# that are symmetric about 0 and have densities,
# $$P(f \text{ stably unactivated}) = \frac{2^{n_1} + 2}{2^{2n_1+1}} = \frac{2^{n_0} + 1}{4^{n_0+1}}.$$

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, product

import sympy

from geomrelu import bounds, montecarlo
from geomrelu.claims import Claim
from geomrelu.probability import stably_unactivated_orbit

claim = Claim(
    label="one-more-than-input",
    title="One neuron more than inputs",
    statement="n1 = n0 + 1: a second-layer neuron is stably unactivated with probability (2^n0 + 1) / 4^(n0 + 1)",
    latex=r"n_1 = n_0 + 1:\quad P(\text{stably unactivated}) = \frac{2^{n_0} + 1}{4^{n_0+1}}",
    source="Brownlowe et al., theorem 1.2",
    hypotheses=("n1 = n0 + 1", "domain R^n0", "parameters independent, symmetric, with densities"),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (the relation).** $n_1 = n_0 + 1$ vectors $a_i \in \mathbb R^{n_0}$ satisfy one linear relation
# $\sum_i l_i a_i = 0$, where $l_i$ is $\pm$ the minor of $A$ without row $i$. Put $m = \sum_i l_i b_i$. *Generic* means
# first that no $l_i$ and not $m$ is zero: this fails only on the zero set of polynomials that are not identically 0.
# Change the sign of the relation so that $m > 0$. As $A$ has rank $n_0$, $x \mapsto z(x)$ is a bijection of
# $\mathbb R^{n_0}$ onto the hyperplane
# $$H = \{z \in \mathbb R^{n_1} : \textstyle\sum_i l_i z_i = m\}.$$
# Flipping row $i$ replaces $z_i$ by $-z_i$ and $l_i$ by $-l_i$, and leaves $m$. So the $2^{n_1}$ flips of the rows run
# through all sign patterns of $l$, each once. Let $P = \{i : l_i > 0\}$ and $N = \{i : l_i < 0\}$.
#
# **Step 2 (what to look at).** The arrangement is that of the coordinate hyperplanes in $H$. The generators of its
# regions are the vertices, where all coordinates but one are 0, and the directions with two coordinates that are not
# 0 (two coordinates, because $\sum l_i d_i = 0$):
#
# * $v_j = \frac{m}{l_j} e_j$: $f = \frac{w_j m}{l_j} + c$ if $j \in P$, and $f = c$ if $j \in N$;
# * $i, j$ in the same class, $d = \pm\left(\frac{e_i}{|l_i|} - \frac{e_j}{|l_j|}\right)$: $f$ grows at the rate
#   $\frac{w_i}{|l_i|}$ in one direction and $\frac{w_j}{|l_j|}$ in the other;
# * $i \in P$, $j \in N$, $d = \pm\left(\frac{e_i}{|l_i|} + \frac{e_j}{|l_j|}\right)$: rate
#   $\frac{w_i}{|l_i|} + \frac{w_j}{|l_j|}$ in one direction, and no active neuron in the other.
#
# By the criterion in `geomrelu.probability`, $f$ is stably unactivated if and only if (A) it is negative at all
# vertices, (B) its rate is negative along each direction with an active neuron, and (C) for each direction without one,
# that is for each pair $i \in P$, $j \in N$: $c < 0$, and $w_k < 0$ for all $k \ne i, j$.
#
# Put $u_i = |w_i| / |l_i|$ for $1 \le i \le n_1$ and $u_0 = |c| / m$, and let, *generic* secondly, these $n_1 + 1$
# numbers be different.
#
# **Step 3 (all negative).** If all $w_i < 0$ and $c < 0$, then (A), (B), (C) hold, for every sign pattern of $l$:
# $2^{n_1}$ choices.
#
# **Step 4 (the others).** Let $f$ be stably unactivated with another choice of signs.
#
# *If $c > 0$*: by (A), $N = \emptyset$, as $f(v_j) = c$ for $j \in N$. So $P$ has $n_1 \ge 2$ elements, (B) makes all
# $w_i$ negative, and (A) says $u_0 < u_j$ for all $j$. Conversely, with these signs (A) and (B) hold if $u_0$ is the
# least of $u_0, \dots, u_{n_1}$, and (C) is empty.
#
# *If $c < 0$*: some $w_i > 0$. By (B) $i$ is alone in its class, and the other class is not empty because $n_1 \ge 2$.
# All other weights are negative: (B) says so if the other class has two or more elements; if it has one element $j$,
# (B) for the pair $i, j$ says $w_j < 0$. There are two cases.
#
# * $P = \{i\}$: (B) for the pairs $i, j$ says $u_i < u_j$ for all $j \in N$ (for pairs in $N$ it holds, as their
#   weights are negative); (A) at $v_i$ says $u_i < u_0$, and at the other vertices $f = c < 0$. (C) only speaks of
#   $k \in N \setminus \{j\}$ and $c$. So: if and only if $u_i$ is the least of $u_0, \dots, u_{n_1}$.
# * $N = \{i\}$: (B) says $u_i < u_j$ for all $j \in P$; (A) holds, as $w_j < 0$ at $v_j$ for $j \in P$ and
#   $f(v_i) = c$. (C) as before. So: if and only if $u_i$ is the least of $u_1, \dots, u_{n_1}$.
#
# Now count. The least of $u_0, \dots, u_{n_1}$ is one of them: either $u_0$, which gives the choice with $c > 0$, or
# some $u_i$, which gives the choice with $P = \{i\}$; one choice in any case. The least of $u_1, \dots, u_{n_1}$ is one
# $u_i$, which gives the choice with $N = \{i\}$. These are two different choices (for $n_1 = 2$ too, where
# $P = \{i\}$ and $N = \{i\}$ are different flips): together $2^{n_1} + 2$.
#
# **Step 5.** The law does not change under the sign choices, so the probability is the expected fraction of them, and
# magnitudes are generic with probability 1. $\square$
#
# *Remark.* If $m = 0$ (all hyperplanes through one point), the same count comes out: $c > 0$ is impossible, and
# $P = \{i\}$ and $N = \{i\}$ give one choice each.


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    # Step 1: the relation by minors, with every entry a symbol
    for n0 in (1, 2, 3):
        matrix = sympy.Matrix(n0 + 1, n0, sympy.symbols(f"a:{n0 * (n0 + 1)}"))
        b, x = sympy.Matrix(sympy.symbols(f"b:{n0 + 1}")), sympy.Matrix(sympy.symbols(f"x:{n0}"))
        l = [(-1) ** i * _without(matrix, i).det() for i in range(n0 + 1)]
        z, m = matrix * x + b, sum(l[i] * b[i] for i in range(n0 + 1))
        yield sum(l[i] * z[i] for i in range(n0 + 1)), m
    # Step 2: the vertices and directions lie in H and in its direction space, for either sign of l
    li, lj, m = sympy.symbols("l_i l_j m", positive=True)
    for si, sj in product((1, -1), repeat=2):
        yield si * li * (m / (si * li)), m
        yield si * li * (1 / li) + sj * lj * (-si * sj / lj), sympy.Integer(0)
    # Step 4: whatever the laws are, one of the u is the least; for exponential laws each probability is an integral
    t = sympy.Symbol("t", positive=True)
    for n0 in (1, 2, 3):
        rates = sympy.symbols(f"r0:{n0 + 2}", positive=True)
        least = [_least(rates, i, t) for i in range(n0 + 2)]
        least_weight = [_least(rates[1:], i, t) for i in range(n0 + 1)]
        all_negative, one_choice = sympy.Rational(1, 2 ** (n0 + 2)), sympy.Rational(1, 2 ** (2 * n0 + 3))
        total = all_negative + one_choice * (sum(least) + sum(least_weight))
        yield f"n0 = {n0}, n1 = {n0 + 1}", total, bounds.stably_unactivated(n0, n0 + 1)
    # The fraction, for every n0
    n0 = sympy.Symbol("n0", integer=True, positive=True)
    fraction = (sympy.Integer(2) ** (n0 + 1) + 2) / 2 ** (2 * (n0 + 1) + 1)
    yield "every n0, n1 = n0 + 1", fraction, bounds.stably_unactivated(n0, n0 + 1)


def _without(matrix: sympy.Matrix, row: int) -> sympy.Matrix:
    smaller = matrix.copy()
    smaller.row_del(row)
    return smaller


def _least(rates: tuple[sympy.Symbol, ...], i: int, t: sympy.Symbol) -> sympy.Expr:
    """P(u_i is the least) for independent exponential u with these rates."""
    return sympy.integrate(rates[i] * sympy.exp(-t * sum(rates)), (t, 0, sympy.oo))


# %% [markdown]
# ## Enumeration
#
# First, all sign choices for random magnitudes, judged on the generators of all regions (pycddlib) by the criterion
# proved in `geomrelu.probability`; also with all hyperplanes through one point (the remark).


# %%
def some(rng: random.Random, signs: tuple[int, ...] = (1,)) -> Fraction:
    return rng.choice(signs) * Fraction(rng.randint(1, 999), rng.randint(1, 99))


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(25)
    largest, repetitions = (6, 10) if depth == "thorough" else (4, 10)
    for n0 in range(1, largest + 1):
        for repetition in range(repetitions):
            first = [[some(rng, (-1, 1)) for _ in range(n0)] for _ in range(n0 + 1)]
            bias, w = [some(rng, (-1, 1)) for _ in first], [some(rng) for _ in first]
            c = some(rng)
            found, size = stably_unactivated_orbit(first, bias, w, c)
            yield found, 2 ** (n0 + 1) + 2
            case = Fraction(found, size), bounds.stably_unactivated(n0, n0 + 1)
            yield (f"n0 = {n0}, n1 = {n0 + 1}", *case) if repetition == 0 else case
            yield stably_unactivated_orbit(first, [0] * len(first), w, c)[0], 2 ** (n0 + 1) + 2


# %% [markdown]
# Second, the proof itself, without the criterion's code and without pycddlib: in coordinates of $H$, for each sign
# choice, do (A), (B) and (C) hold exactly when Steps 3 and 4 say so?


# %%
@claim.enumerate("sign choices")
def choices(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(26)
    for n1 in range(2, 7 if depth == "thorough" else 5):
        size = [rng.randint(1, 10**6) for _ in range(n1)]
        w_size, c_size, m = [rng.randint(1, 10**6) for _ in range(n1)], rng.randint(1, 10**6), rng.randint(1, 10**6)
        u = [Fraction(v, s) for v, s in zip([c_size, *w_size], [m, *size], strict=True)]
        first, first_weight = u.index(min(u)), u.index(min(u[1:]))
        for signs in product((-1, 1), repeat=2 * n1 + 1):
            l = [s * v for s, v in zip(signs, size, strict=False)]
            w = [s * v for s, v in zip(signs[n1:], w_size, strict=False)]
            c = signs[-1] * c_size
            predicted = (
                (max(w) < 0 and c < 0)
                or (first == 0 and c > 0 and max(w) < 0 and min(l) > 0)
                or (first > 0 and c < 0 and _only(first, w) and _only(first, l))
                or (c < 0 and _only(first_weight, w) and _only(first_weight, [-v for v in l]))
            )
            yield int(_holds(l, m, w, c)), int(predicted)


def _only(k: int, values: list[int]) -> bool:
    """Is number k (from 1) the only positive one?"""
    return [v > 0 for v in values] == [i == k for i in range(1, len(values) + 1)]


def _holds(l: list[int], m: int, w: list[int], c: int) -> bool:
    """(A), (B) and (C), by evaluating f and its rate."""

    def rate(z: dict[int, Fraction]) -> Fraction:
        return sum((w[i] * max(v, Fraction(0)) for i, v in z.items()), Fraction(0))

    indices = range(len(l))
    if any(rate({j: Fraction(m, l[j])}) + c >= 0 for j in indices):  # (A)
        return False
    for i, j in combinations(indices, 2):
        for sign in (1, -1):
            d = {i: Fraction(sign, l[i]), j: Fraction(-sign, l[j])}
            if max(d.values()) > 0:
                if rate(d) >= 0:  # (B)
                    return False
            elif c > 0 or any(w[k] > 0 for k in indices if k not in d):  # (C)
                return False
    return True


# %% [markdown]
# ## Sampling


# %%
@claim.sample("probabilities", trials=200_000, seed=45)
def neurons(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    for n0, law in ((1, "cauchy"), (2, "normal"), (3, "uniform"), (4, "normal")):
        found = montecarlo.count(montecarlo.stably_unactivated, trials, seed + n0, law, n0=n0, n1=n0 + 1)
        yield f"n0 = {n0}, n1 = {n0 + 1}", found, bounds.stably_unactivated(n0, n0 + 1)


# %% [markdown]
# ## Neighbours that fail
#
# *With atoms*: parameters $\pm 1$ are symmetric about 0, but for $n_0 = 1$ the probability is $\frac{9}{64}$, not
# $\frac{3}{16}$: all $u_i$ are equal and points coincide. *Not generic*: with two parallel lines and one across them
# ($l_3 = 0$) only the $2^3$ choices of Step 3 are left. *One neuron more*: for $n_0 = 1$, $n_1 = 3$ two sets of
# magnitudes have different counts, so no formula could hold.


# %%
@claim.neighbour("densities; general position; n1 = n0 + 1")
def atoms_parallel_or_wider(depth: str) -> Iterator[tuple[object, ...]]:
    signs = [stably_unactivated_orbit([[1], [1]], bias, [1, 1], 1) for bias in product((1, -1), repeat=2)]
    yield Fraction(sum(found for found, _ in signs), sum(size for _, size in signs)), bounds.stably_unactivated(1, 2)
    found, _ = stably_unactivated_orbit([[1, 0], [1, 0], [0, 1]], [0, 1, 0], [1, 2, 4], 8)
    yield found, 2**3 + 2
    one, _ = stably_unactivated_orbit([[1], [1], [1]], [0, 1, 2], [1, 2, 4], 8)
    other, _ = stably_unactivated_orbit([[1], [1], [1]], [0, 1, 2], [4, 2, 1], 1)
    yield one, other
    yield one, 2**3 + 2


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
