# %% [markdown]
# # What sign flipping does to the law of the parameters
#
# **Notation.** As in [`sign-flip-ratio`](sign-flip-ratio.py). A layer of width $n$ with parameters $\theta = (A, b)$
# reads $v \ge 1$ living points. $R$ is the set of all $\theta$ that kill more than $v / 2$ of them; the layer is used
# with $\theta' = -\theta$ if $\theta \in R$ and $\theta' = \theta$ otherwise. All probabilities of a layer are
# conditional on the layers before it, as they were used. $w = 1 - 1_R + 1_{-R}$.
#
# **Statement.** Let the parameters be independent, symmetric, without atoms.
#
# (i) The law of the layer up to its sign, $\{\theta', -\theta'\}$, is preserved. So is the law of every even function:
# of all magnitudes together, of the products of two parameters, of the arrangement of the $n$ hyperplanes.
#
# (ii) $P(\theta' \in B) = E[w(\theta); \theta \in B]$, and $w$ takes the values 0, 1, 2. So no event becomes more than
# twice as likely by one layer, $2^k$ times by $k$ layers; what had probability 0 has it still.
#
# (iii) The total variation distance of the laws of $\theta'$ and $\theta$ is
# $$P(R) \le \frac{v}{\lfloor v / 2 \rfloor + 1}\, 2^{-n} < 2^{1-n}, \qquad P(R) = 2^{-n} \text{ for } v = 1:$$
# marginal laws are nearly preserved by wide layers.
#
# (iv) $P(b_i' > 0) \ge \frac12$ for every bias, and more if the laws have full support: then no bias keeps its marginal
# law. $P(b_i' > 0) = \frac12 + 2^{-n}$ if the only living point is $0$.
#
# (v) If the set of living points does not change when the sign of coordinate $j$ is changed, the weights on it keep
# their marginal laws.

# %%
from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import prod

import sympy

from geomrelu.claims.registry import Claim

claim = Claim(
    label="sign-flip-marginals-corrected",
    title="Sign flipping and the law of the parameters",
    statement="sign flipping keeps the law of each layer up to a global sign; density at most 2^k; P(b' > 0) >= 1/2",
    latex=r"\{\theta', -\theta'\} \sim \{\theta, -\theta\},\quad "
    r"d(\theta', \theta) = P(R) < 2^{1-n},\quad P(b_i' > 0) \ge \tfrac12",
    source="Rister & Rubin, section 6 (corrected)",
    hypotheses=(
        "parameters symmetric",
        "parameters independent",
        "no atoms",
        "a layer is negated as a whole",
    ),
)

# %% [markdown]
# ## Proof
#
# **Step 1.** $R \cap -R$ has probability 0: if both $\theta$ and $-\theta$ kill more than half of the points, they kill
# a common one, $y$, and there $A y + b = 0$, which has probability 0.
#
# **Step 2 (i).** $\theta' = \pm\theta$, so $\{\theta', -\theta'\} = \{\theta, -\theta\}$ and $f(\theta') = f(\theta)$
# for every even $f$.
#
# **Step 3 (ii).** $P(\theta' \in B) = P(\theta \in B \setminus R) + P(-\theta \in B, \theta \in R)$. By symmetry the
# last term is $P(\theta \in B \cap -R)$; together $E[(1 - 1_R + 1_{-R})(\theta); \theta \in B]$. For $k$ layers the
# densities multiply, because the drawn parameters of a layer are independent of the layers before it.
#
# **Step 4 (iii).** The distance is $\frac12 E|w - 1| = \frac12 (P(R) + P(-R)) = P(R)$. Each point is killed with
# probability $2^{-n}$ ([`lower-bound`](lower-bound.py), Steps 1 and 2), so the mean number of killed points is
# $v 2^{-n}$, and more than $v / 2$, that is at least $\lfloor v / 2 \rfloor + 1$, are killed with at most the stated
# probability (Markov).
#
# **Step 5 (iv).** Fix all parameters but $b_i$. The larger $b_i$, the fewer points are killed, so $\theta \in R$ means
# $b_i \le t$ for some $t \in [-\infty, \infty)$. With $F$ the distribution function of $b_i$ (up to a set of
# probability 0)
# $$P(b_i' > 0) - \tfrac12 = P(b_i < 0, b_i \le t) - P(b_i > 0, b_i \le t) =
# \begin{cases} F(t) & t \le 0 \\ 1 - F(t) & t \ge 0 \end{cases}$$
# which is not negative, and positive if $F$ has full support and $t > -\infty$. With full support $R$ has positive
# probability (all biases may be far below 0), so $t > -\infty$ has. At $y = 0$ the pre-activations are the biases: all
# $n$ are negative with probability $2^{-n}$, and $b_i'$ is positive if $b_i$ is, or in this case.
#
# **Step 6 (v).** The map $\tau$ that negates column $j$ of $A$ preserves the law of $\theta$, and $R$ by hypothesis, so
# $\theta'$ and $\tau\theta'$ have the same law: $a_{ij}'$ is symmetric, and $|a_{ij}'| = |a_{ij}|$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n, m, v = sympy.symbols("n m v", integer=True, positive=True)
    half = sympy.Rational(1, 2)
    # Step 3: with 1_R = r and 1_{-R} = s the density at theta and at -theta sums to 2
    r, s = sympy.symbols("r s")
    yield (1 - r + s) + (1 - s + r), sympy.Integer(2)
    # Step 4: E|w - 1| / 2, where w = 0 on R, 2 on -R and 1 elsewhere; Markov's bound for 1 point and for many
    p = sympy.Symbol("p")
    yield (p * abs(sympy.Integer(0) - 1) + p * abs(sympy.Integer(2) - 1) + (1 - 2 * p) * 0) / 2, p
    killed = sympy.Product(half, (m, 1, n)).doit()
    yield "v = 1: P(R)", (killed * v / (sympy.floor(v / 2) + 1)).subs(v, 1), sympy.Integer(2) ** -n
    yield "v even, growing", sympy.limit(killed * 2 * v / (v + 1), v, sympy.oo), sympy.Integer(2) ** (1 - n)
    # Step 5: the two cases by integrating a density; and at y = 0 the sum over the number m of positive biases
    t, u = sympy.Symbol("t", positive=True), sympy.Symbol("u", real=True)
    normal = sympy.exp(-(u**2) / 2) / sympy.sqrt(2 * sympy.pi)
    below = sympy.integrate(normal, (u, -sympy.oo, 0)) - sympy.integrate(normal, (u, 0, t))
    yield "t > 0", below.rewrite(sympy.erf), (1 - sympy.integrate(normal, (u, -sympy.oo, t))).rewrite(sympy.erf)
    share = sympy.summation(sympy.binomial(n, m) * m / n, (m, 1, n)) / 2**n + sympy.Integer(2) ** -n
    yield "y = 0: P(b' > 0)", sympy.simplify(share), half + sympy.Integer(2) ** -n


# %% [markdown]
# ## Enumeration
#
# All sign choices of all parameters, for random magnitudes and data: the law of the used signs on the orbit, exactly.

# %%
Layer = list[list[Fraction]]  # rows (b, a1, ..., an)


def pre_activations(layer: Layer, points: Sequence[Sequence[Fraction]]) -> list[list[Fraction]]:
    return [[row[0] + sum(a * v for a, v in zip(row[1:], x, strict=True)) for row in layer] for x in points]


def kills(layer: Layer, points: Sequence[Sequence[Fraction]]) -> bool:
    """Is the layer in R?"""
    return 2 * sum(max(z) <= 0 for z in pre_activations(layer, points)) > len(points)


def negated(layer: Layer) -> Layer:
    return [[-v for v in row] for row in layer]


def image(layer: Layer, points: Sequence[Sequence[Fraction]]) -> list[list[Fraction]]:
    """Of the points that stay alive."""
    return [[max(v, Fraction(0)) for v in z] for z in pre_activations(layer, points) if max(z) > 0]


def choices(layers: Sequence[Layer]) -> Iterator[list[Layer]]:
    width = len(layers[0])
    for signs in product((1, -1), repeat=len(layers) * width * (width + 1)):
        s = iter(signs)
        yield [[[next(s) * v for v in row] for row in layer] for layer in layers]


def signs_of(layer: Layer) -> tuple[int, ...]:
    return tuple(1 if v > 0 else -1 for row in layer for v in row)


def used(layers: Sequence[Layer], data: Sequence[Sequence[Fraction]]) -> tuple[list[Layer], int]:
    """The layers after sign flipping; and the density of their law, from its formula."""
    points, found, density = data, [], 1
    for drawn in layers:
        layer = negated(drawn) if kills(drawn, points) else drawn
        density *= 1 - kills(layer, points) + kills(negated(layer), points)
        found.append(layer)
        points = image(layer, points)
    return found, density


def family(n: int, k: int, size: int, seed: int) -> tuple[list[Layer], list[list[Fraction]]]:
    rng = random.Random(seed)

    def some() -> Fraction:
        return Fraction(rng.randint(1, 9999), rng.randint(1, 99))

    layers = [[[some() for _ in range(n + 1)] for _ in range(n)] for _ in range(k)]
    return layers, [[rng.choice((1, -1)) * some() for _ in range(n)] for _ in range(size)]


@claim.enumerate("comparisons on orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    families = [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)] + ([(1, 4), (3, 1)] if depth == "thorough" else [])
    for n, k in families:
        for size in (1, 3) if (n, k) == (2, 2) else (1, 2, 3, 4, 5):
            magnitudes, data = family(n, k, size, 131 + size)
            counts: Counter[tuple[tuple[int, ...], ...]] = Counter()
            densities, total = {}, 0
            for drawn in choices(magnitudes):
                layers, density = used(drawn, data)
                key = tuple(map(signs_of, layers))
                counts[key] += 1
                densities[key] = density
                total += 1
            # (i): up to the sign of each layer every choice comes up equally often
            classes = Counter[tuple[tuple[int, ...], ...]]()
            for key, count in counts.items():
                classes[tuple(tuple(s[0] * v for v in s) for s in key)] += count
            yield len(classes), total // 2**k
            yield min(classes.values()), 2**k
            # (ii): the density
            yield f"n = {n}, k = {k}, M = {size}: density", max(counts.values()), "<=", 2**k
            yield sum(counts[key] != densities[key] for key in counts), 0
            if k > 1:
                continue
            # (iii): the distance, and Markov's bound
            killing = Fraction(sum(kills(layers[0], data) for layers in choices(magnitudes)), total)
            yield Fraction(sum(abs(c - 1) for c in counts.values()) + total - len(counts), 2 * total), killing
            yield f"n = {n}, M = {size}: P(R)", killing, "<=", Fraction(size, size // 2 + 1) * Fraction(1, 2**n)
            if size == 1:
                yield killing, Fraction(1, 2**n)
            # (iv): biases stand first in each row
            for i in range(n):
                positive = Fraction(sum(c for key, c in counts.items() if key[0][i * (n + 1)] > 0), total)
                yield positive, ">=", Fraction(1, 2)


@claim.enumerate("parameters")
def special_data(depth: str) -> Iterator[tuple[object, ...]]:
    """(iv) at the point 0, and (v): data with a mirror."""
    for n in range(1, 9 if depth == "thorough" else 7):
        count = sum(signs[0] > 0 or max(signs) < 0 for signs in product((1, -1), repeat=n))
        yield f"n = {n}: P(b' > 0) at 0", Fraction(count, 2**n), Fraction(1, 2) + Fraction(1, 2**n)
    for seed in range(3):
        (layer,), data = family(2, 1, 2, 140 + seed)
        mirrored = [[t * x[0], x[1]] for x in data for t in (1, -1)]
        for points, kept in ((mirrored, (1, 4)), ([[Fraction(0), Fraction(0)]], (1, 2, 4, 5))):
            found = [signs_of(used(drawn, points)[0][0]) for drawn in choices([layer])]
            for parameter in kept:
                yield "mirrored data: weights", sum(s[parameter] > 0 for s in found), len(found) // 2


# %% [markdown]
# ## Neighbours that fail
#
# *Negating neurons one by one* instead of layers: at one point all pre-activations become positive, so the law moves by
# $1 - 2^{-n}$ and not by $2^{-n}$, and products of parameters of different neurons change sign. *A law that is not
# symmetric*: the neuron $-x - 1$ with probability 1, at $x = 1$, is always negated, and what had probability 0 has
# probability 1. *Two equal rows*: at one point $P(R) = \frac12$, not $\frac14$. *Atoms*: if $b = 0$ always, then
# $P(b' > 0) = 0 < \frac12$, and $P(R) = 1$ at the point 0.


# %%
@claim.neighbour("a layer is negated as a whole; parameters symmetric")
def single_neurons_or_asymmetric(depth: str) -> Iterator[tuple[object, ...]]:
    (layer,), data = family(2, 1, 1, 150)
    found: Counter[tuple[int, ...]] = Counter()
    changed = 0
    for (drawn,) in choices([layer]):
        alone = [row[:] if not kills([row], data) else [-v for v in row] for row in drawn]
        found[signs_of(alone)] += 1
        changed += prod(row[0] for row in drawn) != prod(row[0] for row in alone)
    distance = Fraction(sum(abs(c - 1) for c in found.values()) + 64 - len(found), 128)
    yield distance, Fraction(1, 4)
    yield changed, 0
    one = [[Fraction(-1), Fraction(-1)]]
    drawn_so, used_so = (sum(row[0] > 0 for row in rows) for rows in (one, used([one], [[Fraction(1)]])[0][0]))
    yield used_so, "<=", 2 * drawn_so


@claim.neighbour("parameters independent; no atoms")
def equal_rows_or_atoms(depth: str) -> Iterator[tuple[object, ...]]:
    (layer,), data = family(2, 1, 1, 151)
    equal = [[[s * v for s, v in zip(signs, layer[0], strict=True)]] * 2 for signs in product((1, -1), repeat=3)]
    yield Fraction(sum(kills(rows, data) for rows in equal), len(equal)), Fraction(1, 4)
    without = [[[Fraction(0), Fraction(a)]] for a in (1, -1)]
    biases = [used([rows], [[Fraction(3)]])[0][0][0][0] for rows in without]
    yield Fraction(sum(b > 0 for b in biases), 2), ">=", Fraction(1, 2)
    yield Fraction(sum(kills(rows, [[Fraction(0)]]) for rows in without), 2), Fraction(1, 2)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
