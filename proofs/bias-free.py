# %% [markdown]
# # Networks without biases
#
# **Notation.** All biases are 0: $F(y) = \sum_{i \le n_1} w_i \max(a_i \cdot y, 0)$ is a second-layer neuron on
# $\mathbb R^{n_0}$, and $Q$ the probability that it is dead there ($F \le 0$). $P(n, k)$ is the probability that a
# network of width $n$ and depth $k$ is alive on $\mathbb R^n$. An orbit: the flips of the rows $a_i$ and the signs of
# the $w_i$, $4^{n_1}$ choices.
#
# **Statement.** For independent weights with symmetric laws without atoms
# $$Q = 2^{-n_1} \ (n_1 \le n_0), \qquad Q = 2^{-n_1} + 2 \cdot 4^{-n_1} \ (n_1 = n_0 + 1), \qquad
#   Q = \tfrac14 + 2^{-n_1-1} \ (n_0 = 1,\ \text{every } n_1),$$
# the same for each generic orbit; $P(n, 2) = 1 - 2^{-n^2}$, and $P(1, k) = 2^{1-k}$. On nonnegative inputs a
# first-layer neuron is dead with probability $2^{-n}$. For $n_0 = 2$, $n_1 = 4$ the value depends on the law:
# it lies between $\frac7{64}$ and $\frac18$ ([`plane-central-four`](plane-central-four.py)).

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.bias_free import bias_free_orbit
from geomrelu.random_networks.orbit import alive_orbit, dead_neurons_orbit

claim = Claim(
    label="bias-free",
    title="Networks without biases",
    statement="no biases: a second-layer neuron is dead w.p. 2^-n1, 2^-n1 + 2 4^-n1, or (n0 = 1) 1/4 + 2^(-n1-1)",
    latex=r"Q = 2^{-n_1},\ \ 2^{-n_1} + 2 \cdot 4^{-n_1},\ \ \tfrac14 + 2^{-n_1-1} \quad "
    r"(n_1 \le n_0,\ \ n_1 = n_0 + 1,\ \ n_0 = 1)",
    source="new (after Brownlowe et al., theorems 1.1 and 1.2)",
    hypotheses=("no biases", "n1 <= n0 + 1, or n0 = 1", "domain R^n0", "weights independent, symmetric", "no atoms"),
    uses=("tensor-power",),
)

# %% [markdown]
# ## Proof
#
# Absorb $|w_i|$; write $y_i = s_i a_i \cdot y$ and $F = \sum t_i (y_i)_+$.
#
# **Step 1 ($n_1 \le n_0$).** The $a_i$ are independent, so $(y_1, \dots, y_{n_1})$ takes all values. $y_i = 1$ and all
# others $-1$ shows that every $t_i$ must be $-$; then $F \le 0$. One of $2^{n_1}$ signs $t$, for every $s$.
#
# **Step 2 ($n_1 = n_0 + 1$).** There is one relation $\sum_i \beta_i y_i = 0$; no $\beta_i$ is 0, and the signs of the
# $\beta_i$ are those of $s$ times fixed ones. If $\beta_i$ has the sign of another $\beta_j$, there are values with
# $y_i > 0$ and all others negative; so $t_i = -$. If $\beta_i$ is alone with its sign, $y_i = \sum_{j \ne i} \gamma_j
# y_j$ with $\gamma_j = |\beta_j / \beta_i| > 0$. For $n_1 \ge 3$ all other $t_j$ are $-$, and $F = t_i (\sum \gamma_j
# y_j)_+ - \sum (y_j)_+$ with free $y_j$: for $t_i = +$ it is at most 0 if and only if all $\gamma_j \le 1$, that is if
# $|\beta_i|$ is the largest. This $i$ is alone for 2 of the $2^{n_1}$ flips $s$. For $n_1 = 2$: with equal signs $y_1 =
# -\gamma y_2$, both $t$ are $-$; with different signs $y_1 = \gamma y_2$, and $F \le 0$ if and only if the $t$ of the
# larger term is $-$: $2 \cdot 1 + 2 \cdot 2 = 6$. So there are $2^{n_1} + 2$ choices.
#
# **Step 3 ($n_0 = 1$).** [`tensor-power`](tensor-power.py), Step 6.
#
# **Step 4 (networks).** The matrix of layer 1 is invertible, $S_1$ is the closed orthant, and a layer without biases
# kills it if and only if all its $n^2$ weights are negative. In width one each layer after the first lives if and only
# if its weight is positive. On nonnegative inputs $a \cdot x \le 0$ for all $x$ if and only if all $a_i \le 0$.
# $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n0, n1, n, _k = sympy.symbols("n0 n1 n k", integer=True, positive=True)
    two = sympy.Integer(2)
    yield "Step 1", two**n1 / 4**n1, closed_forms.bias_free_unactivated(n1 + n0, n1)
    wide = closed_forms.bias_free_unactivated(n0 + 1, n0 + 2).subs(n0, n1 - 2)
    yield "Step 2", (two**n1 + 2) / 4**n1, wide
    yield "n1 = 2, both", closed_forms.bias_free_unactivated(1, 2), (two**2 + 2) / 16
    y, g = sympy.symbols("y gamma", positive=True)
    yield "Step 2, gamma", g * y - y, -(1 - g) * y
    yield "Step 4", 1 - (two**-n) ** n, 1 - two ** (-(n**2))


# %% [markdown]
# ## Enumeration
#
# All sign choices. Networks are walked over polyhedra, with biases 0 (whose signs are walked as well, and do nothing).


# %%
def drawn(rng: random.Random, m: int, n: int) -> list[list[int]]:
    return [[rng.choice((1, -1)) * rng.randint(1, 10**6) for _ in range(n)] for _ in range(m)]


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(213)
    sizes = [(n0, n1) for n0 in range(1, 5) for n1 in range(1, n0 + 2)] + [(1, n1) for n1 in range(3, 7)]
    for n0, n1 in sizes + ([(1, 8), (5, 6)] if depth == "thorough" else []):
        for repetition in range(4):
            w = [rng.randint(1, 999) for _ in range(n1)]
            case = Fraction(*bias_free_orbit(drawn(rng, n1, n0), w)), closed_forms.bias_free_unactivated(n0, n1)
            yield (f"n0 = {n0}, n1 = {n1}", *case) if repetition == 0 else case


@claim.enumerate("networks")
def networks(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(214)
    for n in (1, 2):
        layers = [(drawn(rng, n, n), [0] * n) for _ in range(2)]
        yield f"P({n}, 2)", Fraction(*alive_orbit(layers, Polyhedron.space(n))), 1 - Fraction(1, 2 ** (n * n))
    for k in range(1, 7):
        layers = [(drawn(rng, 1, 1), [0]) for _ in range(k)]
        yield f"P(1, {k})", Fraction(*alive_orbit(layers, Polyhedron.space(1))), Fraction(1, 2 ** (k - 1))
    for n in (1, 2, 3):
        profiles, size = dead_neurons_orbit([(drawn(rng, 1, n), [0])], Polyhedron.orthant(n))
        yield f"first layer, R+^{n}", Fraction(profiles[(1,)], size), Fraction(1, 2**n)


# %% [markdown]
# ## Neighbours that fail
#
# *No biases*: with them $n_1 = n_0$ has $2^{-n_1-1}$. $n_1 \le n_0 + 1$: for $n_0 = 2$, $n_1 = 4$ two orbits have 28
# and 30 choices. *Another domain*: on the half line one neuron behind one is dead with $\frac34$. *Symmetric*: all $w >
# 0$. *No atoms*: two equal rows with equal weights.


# %%
@claim.neighbour("no biases")
def with_biases(depth: str) -> Iterator[tuple[object, ...]]:
    layers = [([[2]], [1]), ([[3]], [5])]
    profiles, size = dead_neurons_orbit(layers, Polyhedron.space(1))
    yield Fraction(sum(v for dead, v in profiles.items() if dead[1]), size), closed_forms.bias_free_unactivated(1, 1)


@claim.neighbour("n1 <= n0 + 1, or n0 = 1")
def wide(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(215)
    counts = {bias_free_orbit(drawn(rng, 4, 2), [1] * 4)[0] for _ in range(20)}
    yield "counts for n0 = 2, n1 = 4", len(counts), 1


@claim.neighbour("domain R^n0")
def half_line(depth: str) -> Iterator[tuple[object, ...]]:
    profiles, size = dead_neurons_orbit([([[2]], [0]), ([[3]], [0])], Polyhedron.orthant(1))
    yield Fraction(sum(v for dead, v in profiles.items() if dead[1]), size), closed_forms.bias_free_unactivated(1, 1)


@claim.neighbour("weights independent, symmetric")
def positive(depth: str) -> Iterator[tuple[object, ...]]:
    profiles, size = dead_neurons_orbit([([[2], [-3]], [0, 0]), ([[1, 1]], [0])], Polyhedron.space(1), "none")
    yield Fraction(sum(v for dead, v in profiles.items() if dead[1]), size), closed_forms.bias_free_unactivated(1, 2)


@claim.neighbour("no atoms")
def equal(depth: str) -> Iterator[tuple[object, ...]]:
    yield Fraction(*bias_free_orbit([[1], [1]], [1, 1])), closed_forms.bias_free_unactivated(1, 2)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
