# %% [markdown]
# # Weak points of swish and of the hyperbolic tangent
#
# **Notation.** $\varphi(z) = \frac z{1 + e^{-z}}$ (swish) or $\tanh z$; a neuron $\varphi(a \cdot x + b)$ has the
# pre-activation $z = a \cdot x + b$ at $x$. For a level $c > 0$ it is *weak* there if $z \le -c$ (swish), or
# $|z| \ge c$ (tanh); a layer is weak at a point if all its neurons are. $P$ is the probability that at least one point
# of $S_0$ is such that none of $k$ layers of width $n$ is weak at it.
#
# **Statement.** (i) Weak means insensitive: for $c \ge 2$ and $z \le -c$ the slope of swish is at most
# $(c - 1) e^{-c}$ in size, and for $|z| \ge c$ that of the hyperbolic tangent at most $4 e^{-2c}$.
#
# (ii) For swish the lower bound carries over, as an inequality already at one point: a neuron is weak with probability
# *at most* $\frac12$, so $P \ge (1 - 2^{-n})^k$. The upper bound does not: if all parameters are small, nothing is weak
# on a bounded set, and $P = 1$.
#
# (iii) For the hyperbolic tangent whether a neuron is weak at $x$ does not change under $(a, b) \mapsto -(a, b)$. There
# is no bound free of the law: at a given point with $n = k = 1$, if $z$ has a density, the probability of being weak
# tends to 1 if the parameters are multiplied by $\lambda \to \infty$, and to 0 for $\lambda \to 0$. So dead is not to
# be replaced by weak there ([`weak-sets-printed`](weak-sets-printed.py)).

# %%
from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import product

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.random_networks import closed_forms

claim = Claim(
    label="weak-sets",
    title="Weak points of swish and tanh",
    statement="swish: (1 - 2^-n)^k <= P and no upper bound below 1; tanh: being weak depends on the scale of the law",
    latex=r"\text{swish: } P(\text{weak at } x) \le \tfrac12, \ P \ge (1 - 2^{-n})^k; \quad "
    r"\tanh: P(\text{weak at } x) \text{ takes all values in } (0, 1)",
    source="Rister & Rubin, section 7.3 (corrected)",
    hypotheses=(
        "for (i): c >= 2",
        "for (ii): rows symmetric",
        "for (ii): rows independent",
        "for (iii): z has a density",
    ),
    uses=("lower-bound",),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (swish).** Let $u = e^{-c}$. At $z = -c$ the slope is $-\frac{u (c - 1 - u)}{(1 + u)^2}$. For $c \ge 2$ we
# have $u < 1 \le c - 1$, so it lies between $-(c - 1) u$ and 0. And $(c - 1) e^{-c}$ falls for $c \ge 2$, so the bound
# holds for all $z \le -c$.
#
# **Step 2 (tanh).** $\tanh' = 1 - \tanh^2 = \frac{4 u}{(1 + u)^2} \le 4 u$ with $u = e^{-2 |z|}$.
#
# **Step 3 (ii).** Whatever the point is, $P(z \le -c) = P(z \ge c)$ by symmetry, and these events exclude each other:
# both have probability at most $\frac12$. Given the layers before, all $n$ neurons are weak at the image of $x$ with
# probability at most $2^{-n}$; so none of $k$ layers is weak at $x$ with probability at least $(1 - 2^{-n})^k$. If all
# parameters are at most $\mu$ in size, $|\varphi(z)| \le |z|$ gives $|z| \le n \mu R + \mu$ where the inputs are at
# most $R$, in all layers if $\mu (n R + 1) \le \min(R, c / 2)$: no neuron is weak, $P = 1$.
#
# **Step 4 (iii).** $|z|$ does not change under the flip. $P(|\lambda z| \ge c) = P(|z| \ge c / \lambda)$ tends to
# $P(z \ne 0) = 1$ for $\lambda \to \infty$, and to 0 for $\lambda \to 0$; for a density it is continuous in between.
# $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    z = sympy.Symbol("z", real=True)
    c, u = sympy.symbols("c u", positive=True)
    swish = z / (1 + sympy.exp(-z))
    slope = swish.diff(z).subs(z, -c).rewrite(sympy.exp)
    u_of = sympy.exp(-c)
    yield "swish: the slope at -c", sympy.simplify(slope), -u_of * (c - 1 - u_of) / (1 + u_of) ** 2
    yield (
        "Step 1: what is left of the bound",
        (c - 1) * u - u * (c - 1 - u) / (1 + u) ** 2,
        u**2 * ((c - 1) * (2 + u) + 1) / (1 + u) ** 2,
    )
    yield "(c - 1) e^-c: its slope", ((c - 1) * sympy.exp(-c)).diff(c), (2 - c) * sympy.exp(-c)
    yield "swish(z) - z: the sign", swish - z, -z * sympy.exp(-z) / (1 + sympy.exp(-z))
    tanh = (1 - u) / (1 + u)  # of |z|, u = e^(-2 |z|)
    yield "tanh: the slope", 1 - tanh**2, 4 * u / (1 + u) ** 2
    yield "Step 2: what is left of the bound", 4 * u - 4 * u / (1 + u) ** 2, 4 * u**2 * (2 + u) / (1 + u) ** 2


# %% [markdown]
# ## Enumeration
#
# Piecewise functions of the same shape, in rationals: hard swish $z \min(\max(z + 3, 0), 6) / 6$, of slope 0 for
# $z \le -3$, and hard tanh, $z$ cut off at $\pm 1$, of slope 0 for $|z| \ge 1$. All sign choices of random networks: at
# a point at least $(1 - 2^{-n})^k$ of them are not weak for hard swish, and for hard tanh flips of rows change nothing.

# %%
Layers = Sequence[tuple[list[list[Fraction]], list[Fraction]]]


def hard_swish(z: Fraction) -> Fraction:
    return z * min(max(z + 3, Fraction(0)), Fraction(6)) / 6


def hard_tanh(z: Fraction) -> Fraction:
    return min(max(z, Fraction(-1)), Fraction(1))


def strong(layers: Layers, x: list[Fraction], function: Callable, weak: Callable[[Fraction], bool]) -> bool:
    """Is no layer weak at x?"""
    value = x
    for weights, bias in layers:
        z = [
            b + sum((a * v for a, v in zip(row, value, strict=True)), Fraction(0))
            for row, b in zip(weights, bias, strict=True)
        ]
        if all(map(weak, z)):
            return False
        value = [function(v) for v in z]
    return True


def share(layers: Layers, x: list[Fraction], function: Callable, weak: Callable[[Fraction], bool]) -> Fraction:
    """Of all sign choices."""
    free = sum(len(b) * (1 + len(w[0])) for w, b in layers)
    found = 0
    for signs in product((1, -1), repeat=free):
        s = iter(signs)
        choice = [([[next(s) * a for a in row] for row in w], [next(s) * v for v in b]) for w, b in layers]
        found += strong(choice, x, function, weak)
    return Fraction(found, 2**free)


def some(n: int, k: int, rng: random.Random, scale: Fraction = Fraction(1)) -> list[tuple[list, list]]:
    def size() -> Fraction:
        return scale * rng.randint(1, 99)

    return [([[size() for _ in range(n)] for _ in range(n)], [size() for _ in range(n)]) for _ in range(k)]


@claim.enumerate("shares")
def shares(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(350)
    sizes = [(1, 1), (1, 2), (1, 4), (2, 1), (2, 2)]
    for n, k in [*sizes, (1, 6), (3, 1)] if depth == "thorough" else sizes:
        for scale in (Fraction(1, 10), Fraction(1)):
            layers, x = some(n, k, rng, scale), [Fraction(rng.randint(-9, 9), 2) for _ in range(n)]
            found = share(layers, x, hard_swish, lambda z: z <= -3)
            yield f"n = {n}, k = {k}, scale {scale}: hard swish", found, ">=", closed_forms.lower_bound(n, k)
        small = [Fraction(1)] * n
        found = share(some(n, k, rng, Fraction(1, 1000 * n)), small, hard_swish, lambda z: z <= -3)
        yield f"n = {n}, k = {k}, small: hard swish", found, 1
    for scale, expected in ((Fraction(1, 10**4), 1), (Fraction(10**4), 0)):
        layers = some(1, 1, rng, scale)
        found = share(layers, [Fraction(1, 2) + Fraction(1, 1009)], hard_tanh, lambda z: abs(z) >= 1)
        yield f"scale {scale}: hard tanh", found, expected
    for _ in range(20):
        (((row, *_), (b, *_)),) = some(2, 1, rng, Fraction(1, 30))
        x = [Fraction(rng.randint(-9, 9)) for _ in range(2)]
        z = b + row[0] * x[0] - row[1] * x[1]
        yield int(abs(z) >= 1), int(abs(-z) >= 1)


# %% [markdown]
# ## Neighbours that fail
#
# *A level near 0*: at $c = \frac12$ the hard swish has the slope $\frac{2z + 3}6 = \frac13$, not at most $(c - 1)
# e^{-c} < 0$. *Rows that are not symmetric*: all parameters negative, everything weak at large points. *Rows that are
# not independent*: two equal neurons, weak with probability $\frac12 > \frac14$. *No density*: with $b = 0$ the point
# $x = 0$ is never weak, at any scale.


# %%
@claim.neighbour("for (i): c >= 2; for (ii): rows symmetric; for (ii): rows independent")
def others(depth: str) -> Iterator[tuple[object, ...]]:
    c = Fraction(1, 2)
    slope = (hard_swish(-c + Fraction(1, 10**6)) - hard_swish(-c)) * 10**6
    yield slope, "<=", c - 1
    negative = [([[Fraction(-2)]], [Fraction(-5)])]
    yield int(strong(negative, [Fraction(1)], hard_swish, lambda z: z <= -3)), ">=", closed_forms.lower_bound(1, 1)
    same = [
        strong([([[a], [a]], [b, b])], [Fraction(1)], hard_swish, lambda z: z <= -3)
        for a, b in ((9, 1), (-9, 1), (9, -1), (-9, -1))
    ]
    yield Fraction(sum(same), 4), ">=", closed_forms.lower_bound(2, 1)


@claim.neighbour("for (iii): z has a density")
def no_density(depth: str) -> Iterator[tuple[object, ...]]:
    """Without a bias, at 0: weak at level 1 with probability near 1?"""
    for scale in (1, 10**6, 10**12):
        yield Fraction(sum(abs(scale * a * 0) >= 1 for a in (3, -3)), 2), ">", 0


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
