# %% [markdown]
# # Stably unactivated neurons over a narrow first layer
#
# **Notation.** A second-layer neuron on $\mathbb R^{n_0}$ is $f(x) = \sum_{i=1}^{n_1} w_i \max(z_i(x), 0) + c$ with
# $z(x) = Ax + b$. It is *stably unactivated* if $f \le 0$ on $\mathbb R^{n_0}$ for all parameters $(A, b, w, c)$ in
# some neighbourhood of the given ones.
#
# **Statement.** Let $n_1 \le n_0$. If no $w_i$ and not $c$ is zero, then $f$ is stably unactivated if and only if
# $w_1, \dots, w_{n_1}, c < 0$. Hence, if $w_1, \dots, w_{n_1}, c$ are independent with laws symmetric about 0 and
# without an atom at 0, the probability is $2^{-(n_1+1)}$. Exactly $2^{n_1}$ of the $2^{2n_1+1}$ choices of the signs of
# the rows $(a_i, b_i)$, of the $w_i$ and of $c$ are stably unactivated.
#
# Nothing is assumed of the first layer: its hyperplanes may be parallel, equal or absent.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.random_networks import closed_forms, montecarlo
from geomrelu.random_networks.stably_unactivated import is_stably_unactivated, stably_unactivated_orbit

claim = Claim(
    label="narrow-first-layer",
    title="Narrow first layer",
    statement="n1 <= n0: a second-layer neuron is stably unactivated with probability 2^-(n1 + 1)",
    latex=r"n_1 \le n_0:\quad P(\text{stably unactivated}) = 2^{-(n_1+1)}",
    source="Brownlowe et al., theorem 1.1",
    hypotheses=(
        "n1 <= n0",
        "domain R^n0",
        "no atom at 0",
        "second-layer parameters independent, symmetric",
    ),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (if).** Let $w_i, c < 0$. This holds for all parameters near the given ones, and then $f \le c < 0$
# everywhere, whatever $n_0$ and $n_1$ are.
#
# Now let $f$ be stably unactivated, and suppose that one of $w_1, \dots, w_{n_1}, c$ is positive (none is 0).
#
# **Step 2 (only if, $A$ of rank $n_1$).** Then $x \mapsto Ax + b$ is onto $\mathbb R^{n_1}$. At a point with
# $z(x) = 0$, $f = c$; where $z(x) = t e_i$ with $t > 0$, $f = w_i t + c$. If $f \le 0$ everywhere, then $c \le 0$ and,
# with $t \to \infty$, $w_i \le 0$ for each $i$, which contradicts the assumption. (Here even unactivated implies stably
# unactivated.)
#
# **Step 3 (only if, $A$ of smaller rank).** As the rank is below $n_1 \le n_0$, there is $y \ne 0$ with $Ay = 0$.
# Suppose $c > 0$. Replace every $a_i$ by $a_i - \varepsilon y$. At $x = ty$, $z_i = b_i - \varepsilon t |y|^2$, which
# is negative for large $t$, so $f(ty) = c > 0$. Suppose $w_i > 0$. Replace $a_i$ by $a_i + \varepsilon y$ and each
# other $a_j$ by $a_j - \varepsilon y$. At $x = ty$ with large $t$ only neuron $i$ is active, and
# $f(ty) = w_i (b_i + \varepsilon t |y|^2) + c \to \infty$. In both cases an arbitrarily small change makes $f$
# positive somewhere: $f$ is not stably unactivated.
#
# **Step 4 (counting).** The $n_1 + 1$ parameters $w_i, c$ are all negative with probability $2^{-(n_1+1)}$. Among the
# sign choices they are for one choice of the signs of $w, c$ and every flip of the rows: $2^{n_1}$ of $2^{2n_1+1}$.
# $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    # Step 2: a right inverse, so every z is reached (every entry a symbol)
    for n1, n0 in ((1, 1), (1, 2), (2, 2), (2, 3)):
        matrix = sympy.Matrix(n1, n0, sympy.symbols(f"a:{n1 * n0}"))
        b, z = (sympy.Matrix(sympy.symbols(f"{s}:{n1}")) for s in "bz")
        gram = matrix * matrix.T
        x = matrix.T * gram.adjugate() * (z - b) / gram.det()
        yield from zip(matrix * x + b, z, strict=True)
    # Step 3: along a direction y of the kernel a tilted neuron moves at the rate +-eps |y|^2
    t, eps, b0 = sympy.symbols("t epsilon b", positive=True)
    for n in (1, 2, 3):
        a, y = (sympy.Matrix(sympy.symbols(f"{s}:{n}", real=True)) for s in "ay")
        kernel = {a[0]: -sum(a[j] * y[j] for j in range(1, n)) / y[0]}  # a·y = 0
        for sign in (1, -1):
            yield ((a + sign * eps * y).dot(t * y) + b0).subs(kernel), b0 + sign * eps * t * y.dot(y)
    # Step 4: the product over w_1 .. w_n1 and c, and the same as a fraction of the sign choices
    n1, excess = sympy.symbols("n1 e", integer=True, positive=True)
    i, half = sympy.Symbol("i", integer=True), sympy.Rational(1, 2)
    every = sympy.Product(half, (i, 1, n1)).doit() * half
    yield "every n1 <= n0", every, closed_forms.stably_unactivated(n1 + excess, n1)
    yield sympy.Integer(2) ** n1 / 2 ** (2 * n1 + 1), closed_forms.stably_unactivated(n1, n1)


# %% [markdown]
# ## Enumeration
#
# All sign choices, judged on the generators of all regions of the arrangement (pycddlib) by the criterion proved in
# `geomrelu.random_networks.stably_unactivated`, which knows nothing of the proof above: for random first layers, then
# for degenerate ones (small integers: parallel, equal and missing hyperplanes, no common point).


# %%
def some(rng: random.Random, signs: tuple[int, ...] = (1,)) -> Fraction:
    return rng.choice(signs) * Fraction(rng.randint(1, 99), rng.randint(1, 9))


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(24)
    largest, repetitions = (5, 20) if depth == "thorough" else (4, 10)
    for n0 in range(1, largest + 1):
        for n1 in range(1, n0 + 1):
            for repetition in range(repetitions):
                first = [[some(rng, (-1, 1)) for _ in range(n0)] for _ in range(n1)]
                bias, w = [some(rng, (-1, 1)) for _ in range(n1)], [some(rng) for _ in range(n1)]
                found, size = stably_unactivated_orbit(first, bias, w, some(rng))
                yield found, 2**n1
                case = Fraction(found, size), closed_forms.stably_unactivated(n0, n1)
                yield (f"n0 = {n0}, n1 = {n1}", *case) if repetition == 0 else case
    for _ in range(1000 if depth == "thorough" else 100):
        n0 = rng.randint(1, 4)
        n1 = rng.randint(1, n0)
        first = [[rng.randint(-1, 1) for _ in range(n0)] for _ in range(n1)]
        bias, w = [rng.randint(-1, 1) for _ in range(n1)], [rng.randint(1, 2) for _ in range(n1)]
        yield stably_unactivated_orbit(first, bias, w, 1)[0], 2**n1


# %% [markdown]
# ## Sampling


# %%
@claim.sample("probabilities", trials=200_000, seed=44)
def neurons(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    for n0, n1, law in ((1, 1, "cauchy"), (2, 1, "normal"), (2, 2, "uniform"), (3, 2, "cauchy"), (4, 4, "normal")):
        found = montecarlo.count(montecarlo.stably_unactivated, trials, seed + 10 * n0 + n1, law, n0=n0, n1=n1)
        yield f"n0 = {n0}, n1 = {n1}", found, closed_forms.stably_unactivated(n0, n1)


# %% [markdown]
# ## Neighbours that fail
#
# *With one neuron more*, $n_1 = n_0 + 1$, there are two more choices ([`one-more-than-input`](one-more-than-input.py)).
# *On a bounded domain*: for $f(x) = \pm\max(\pm(x + 1), 0) \pm 3$ on $[0, 1]$ the form $x + 1$ takes the values 1 to 2,
# so the maximum of $f$ is below 0 in four of the eight sign choices, not in two. (On a bounded domain a negative
# maximum is stable.)


# %%
@claim.neighbour("n1 <= n0; domain R^n0")
def wider_or_bounded(depth: str) -> Iterator[tuple[object, ...]]:
    for n0 in (1, 2, 3):
        rng = random.Random(54)
        first = [[some(rng, (-1, 1)) for _ in range(n0)] for _ in range(n0 + 1)]
        found, _ = stably_unactivated_orbit(first, range(1, n0 + 2), range(2, n0 + 3), 1)
        yield found, 2 ** (n0 + 1)
    signs = (-1, 1)
    dead = [max(w * max(r * (x + 1), 0) + 3 * c for x in (0, 1)) < 0 for r in signs for w in signs for c in signs]
    yield sum(dead), 2


@claim.neighbour("no atom at 0; second-layer parameters independent, symmetric")
def other_laws(depth: str) -> Iterator[tuple[object, ...]]:
    """As printed the theorem asks for symmetric laws only: w in {-1, 0, 1}. Then one sign for w and c, and w, c > 0."""
    signs = (-1, 1)
    ternary = [is_stably_unactivated([[2 * r]], [3 * r], [w], c) for r in signs for w in (-1, 0, 1) for c in signs]
    yield "w in {-1, 0, 1}", Fraction(sum(ternary), len(ternary)), closed_forms.stably_unactivated(1, 1)
    together = [is_stably_unactivated([[2 * r]], [3 * r], [s], s) for r in signs for s in signs]
    yield Fraction(sum(together), len(together)), closed_forms.stably_unactivated(1, 1)
    positive = [is_stably_unactivated([[2 * r]], [3 * r], [1], 1) for r in signs]
    yield Fraction(sum(positive), len(positive)), closed_forms.stably_unactivated(1, 1)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
