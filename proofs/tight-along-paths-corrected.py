# %% [markdown]
# # When the lower bound is tight, and when it is not
#
# **Notation.** $\ell(n, k) = (1 - 2^{-n})^k$. $P(n, k)$ is the probability that each of $k$ layers of width $n$ is
# positive somewhere on the image of $S_0$, and $\mathcal P(n, k)$ that one point of $S_0$ is alive in all of them. On
# finite data, $X_j$ is the event that a neuron of layer $j$ takes both signs on the data that are alive after layer
# $j - 1$, and $P(X_j)$ its probability given that some are.
#
# **Statement.** (i) *Finite data*, rows independent and symmetric, almost surely no pre-activation 0 at a living point.
# Along a path on which $n \to \infty$,
# $$\frac{\mathcal P(n, k)}{\ell(n, k)} \to 1 \iff \sum_{j \le k} P(X_j) \in o(2^n).$$
# In particular the ratio tends to 1 on every path if $\sum_{j = 1}^\infty P(X_j) \in o(2^n)$. (This takes the place of
# assumption 5.1.)
#
# (ii) *Not on every set.* Let all parameters, biases too, be independent and symmetric, without atoms, and all
# magnitudes lie in $[\varepsilon, 2 \varepsilon]$, $8 n \varepsilon \le 1$. If $S_0$ contains a ray
# $\{t d : t \ge 0\}$, $d \ne 0$, then for all $n$ and $k$
# $$P(n, k) \ge \ell(n, k) \left(1 + k\, 2^{-n}\right), \qquad
#   \mathcal P(n, k) \ge \ell(n, k) \left(2 - \ell(n, k)\right).$$
# So $P$ does not converge to $\ell$ along $k = 2^n$: there $P \ge 2 \ell$ and $\ell \to \frac1e$; nor along eq. 9 ($k$
# the integer nearest to $\frac{\ln p}{\ln(1 - 2^{-n})}$, $n \to \infty$), where $\ell \to p$, but $\liminf P \ge p
# \left(1 + \ln \frac1p\right)$. And $\frac P\ell \to \infty$ if $k\, 2^{-n} \to \infty$.
#
# (For $n = 1$ and the ray $[0, \infty)$ the first is an equality for every law: [`width-one`](width-one.py), Step 3.)
#
# (iii) For given generic magnitudes of $k$ layers, over all signs, there is equality in (ii) for the two points 0 and
# $T d$ in place of the ray, if $T$ is large enough.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import sympy

from geomrelu import decide
from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.network.network import Network
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.orbit import alive_orbit

claim = Claim(
    label="tight-along-paths-corrected",
    title="When the lower bound is tight",
    statement="finite data: P / l -> 1 iff sum_j P(X_j) is in o(2^n); on a ray there are laws with P >= l (1 + k 2^-n)",
    latex=r"\frac{\mathcal P}{\ell} \to 1 \iff \sum_{j \le k} P(X_j) \in o(2^n); \quad "
    r"\text{on a ray: } P(n, k) \ge \ell(n, k) \left(1 + k\, 2^{-n}\right)",
    source="Rister & Rubin, section 5, assumption 5.1 and its use (corrected)",
    hypotheses=(
        "for (i): the hypotheses of geometric-series-corrected (needed: not known)",
        "for (ii): S_0 contains a ray",
        "for (ii): magnitudes in [eps, 2 eps], 8 n eps <= 1",
        "for (ii): parameters independent",
        "for (ii): no atoms",
        "for (ii): parameters symmetric",
    ),
    uses=("geometric-series-corrected",),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (i).** By [`geometric-series-corrected`](geometric-series-corrected.py),
# $\frac{\mathcal P}{\ell} = \prod_j (1 + x_j)$ with $x_j = \frac{P(X_j)}{2^n - 1} \ge 0$. And
# $$\sum_j x_j \le \prod_j (1 + x_j) - 1 \le \exp\big(\sum_j x_j\big) - 1,$$
# so the product tends to 1 if and only if $\sum_j x_j$ tends to 0.
#
# **Step 2 (at 0 the biases decide).** Let $q_0 = 0$ and $q_j = F_j(0)$. If $|q|_\infty \le 3 \varepsilon$, then
# $|a \cdot q| \le n \cdot 2 \varepsilon \cdot 3 \varepsilon \le \frac34 \varepsilon < \varepsilon \le |b|$: the neuron
# has the sign of $b$ at $q$; and $|a \cdot q + b| \le \frac34 \varepsilon + 2 \varepsilon < 3 \varepsilon$. So by
# induction $|q_j|_\infty < 3 \varepsilon$ for all $j$, and layer $j$ is positive at $q_{j-1}$ if and only if the event
# $U_j$ happens: one of its biases is positive.
#
# **Step 3 (at infinity the weights decide).** Let $G_j$ be the first $j$ layers without their biases. By induction
# $F_j(t d) = t\, G_j(d) + O(1)$ for $t \to \infty$. If $G_{j-1}(d) \ne 0$, almost surely no $a_i \cdot G_{j-1}(d)$ is
# 0 (no atoms), so for all large $t$ neuron $i$ of layer $j$ has at $F_{j-1}(t d)$ the sign of
# $a_i \cdot G_{j-1}(d)$. Let $V_j$ be the event that $G_j(d) \ne 0$. Given the layers before $j$ and $V_{j-1}$, it
# fails with probability $2^{-n}$ by symmetry of the rows.
#
# **Step 4 (both).** $V_1, V_2, \dots$ depend on the weights, $U_1, U_2, \dots$ on the biases. So they are independent,
# $P(U_j) = 1 - 2^{-n} =: r$, and the first $j$ for which $V_j$ fails, $\tau$, has $P(\tau = j) = (1 - r) r^{j-1}$.
# Layer $j$ is positive somewhere on the image of the ray if $j < \tau$ or $U_j$. So
# $$P(n, k) \ge P(\tau > k) + \sum_{j \le k} P(\tau = j)\, r^{k-j+1} = r^k + k (1 - r) r^k.$$
# One point is alive throughout if $\tau > k$, or if all of $U_1, \dots, U_k$ happen: $1 - (1 - r^k)^2$.
#
# **Step 5 (two points).** For given parameters of $k$ layers and $T$ large, the pre-activations of layer $j \le \tau$
# at $F_{j-1}(T d)$ have the signs of Step 3. So layer $\tau$, of which all these are negative, gives
# $F_\tau(T d) = 0$, and from there on $T d$ moves as points of Step 2 do: layer $j > \tau$ is positive at it if and
# only if $U_j$ happens, and at layer $\tau$ it is not positive. Hence "if" in Step 4 becomes "if and
# only if". $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n, k, j = sympy.symbols("n k j", integer=True, positive=True)
    r, eps, p = sympy.symbols("r epsilon p", positive=True)
    # Step 2: the two sides of the induction, at the largest eps = 1 / (8 n)
    yield "Step 2: a q", n * 2 * eps * 3 * eps, 6 * n * eps * eps
    yield "Step 2: at the largest eps", (6 * n * eps**2).subs(n, 1 / (8 * eps)), sympy.Rational(3, 4) * eps
    # Step 4: the sum over tau
    total = r**k + sympy.summation((1 - r) * r ** (j - 1) * r ** (k - j + 1), (j, 1, k))
    yield "Step 4: the network", sympy.simplify(total), r**k * (1 + k * (1 - r))
    yield (
        "Step 4: with r = 1 - 2^-n",
        (r**k * (1 + k * (1 - r))).subs(r, 1 - 2**-n),
        closed_forms.lower_bound(n, k) * (1 + k * 2**-n),
    )
    yield "Step 4: one point", 1 - (1 - r**k) ** 2, r**k * (2 - r**k)
    # along k = 2^n, with N = 2^n: l tends to 1/e; along eq. 9, k 2^-n tends to log(1/p)
    big = sympy.Symbol("N", positive=True)
    yield "l(n, 2^n), in the limit", sympy.limit((1 - 1 / big) ** big, big, sympy.oo), sympy.exp(-1)
    yield "k 2^-n along eq. 9", sympy.limit(sympy.log(p) / sympy.log(1 - 1 / big) / big, big, sympy.oo), -sympy.log(p)
    # Step 1 for symbols: the product is at least 1 plus the sum
    x = sympy.symbols("x1:4", positive=True)
    more = sympy.expand(sympy.prod([1 + v for v in x]) - 1 - sum(x))
    yield "Step 1, three factors", more, x[0] * x[1] + x[0] * x[2] + x[1] * x[2] + x[0] * x[1] * x[2]


# %% [markdown]
# ## Enumeration
#
# All sign choices of random magnitudes in $[\varepsilon, 2 \varepsilon]$: exactly (iii) on two points, for the network
# and for a point that is alive throughout; at least (ii) on the ray, and more on the whole space (on the line $n = 1$
# exactly $1 + k$, [`width-one`](width-one.py)).

# %%
Layers = list[tuple[list[list[Fraction]], list[Fraction]]]


def some(n: int, k: int, rng: random.Random, wider: int = 1) -> Layers:
    def size() -> Fraction:
        return Fraction(rng.randint(100, 200), 1600 * n) * wider

    return [([[size() for _ in range(n)] for _ in range(n)], [size() for _ in range(n)]) for _ in range(k)]


def share(layers: Layers, domain: Polyhedron | FiniteSet) -> Fraction:
    return Fraction(*alive_orbit(layers, domain))


def alive_throughout(layers: Layers, data: list[list[int]]) -> Fraction:
    """The share of sign choices for which one of the points is alive in every layer."""
    found, states = 0, [(tuple(map(tuple, data)), 1)]  # the points that live on, and for how many choices
    for weights, bias in layers:
        n, after = len(bias), []
        for points, many in states:
            for signs in product((1, -1), repeat=n * n + n):
                s = iter(signs)
                rows = [([next(s) * a for a in row], next(s) * b) for row, b in zip(weights, bias, strict=True)]
                images = [
                    tuple(max(b + sum(u * v for u, v in zip(a, x, strict=True)), Fraction(0)) for a, b in rows)
                    for x in points
                ]
                after.append((tuple(y for y in images if any(y)), many))
        states = [state for state in after if state[0]]
    found = sum(many for _, many in states)
    return Fraction(found, 2 ** sum(len(b) * (len(b) + 1) for _, b in layers))


@claim.enumerate("values on orbits", part="not on every set")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(301)
    sizes = [(1, 1), (1, 2), (1, 4), (1, 6), (2, 1), (2, 2), (2, 3), (3, 1)]
    for n, k in [*sizes, (1, 8), (2, 4)] if depth == "thorough" else sizes:
        layers, lower = some(n, k, rng), closed_forms.lower_bound(n, k)
        d = [rng.randint(1, 9) * rng.choice((1, -1)) for _ in range(n)]
        two = FiniteSet.of([[0] * n, [10 ** (12 * k) * v for v in d]])
        formula = lower * (1 + k * sympy.Integer(2) ** -n)
        yield f"n = {n}, k = {k}: 0 and a far point", share(layers, two), formula
        yield f"n = {n}, k = {k}: a ray", share(layers, Polyhedron.from_generators([[0] * n], [d])), ">=", formula
        if n * n * k <= 4:
            whole = share(layers, Polyhedron.space(n))
            yield f"n = {n}, k = {k}: the space", whole, ">=", formula
            yield (
                f"n = {n}, k = {k}: one point throughout",
                alive_throughout(layers, [[0] * n, [10 ** (12 * k) * v for v in d]]),
                lower * (2 - lower),
            )


@claim.enumerate("rays in width one", part="not on every set")
def every_law(depth: str) -> Iterator[tuple[object, ...]]:
    """n = 1: equality on [0, oo) for magnitudes of any size."""
    rng = random.Random(305)
    for k in (1, 2, 3, 5):
        layers = [([[rng.randint(1, 10**6)]], [rng.randint(1, 10**6)]) for _ in range(k)]
        half = sympy.Rational(1, 2)
        yield f"n = 1, k = {k}: any magnitudes, [0, oo)", share(layers, Polyhedron.orthant(1)), half**k * (1 + k * half)


@claim.enumerate("products of exact factors", part="finite data")
def products(depth: str) -> Iterator[tuple[object, ...]]:
    """Step 1: 1 + S <= prod (1 + x_j) <= 1 / (1 - S), which is 1 + O(S)."""
    rng = random.Random(302)
    for size in (1, 2, 5, 20, 100):
        x = [Fraction(rng.randint(0, 99), 200 * 99 * size) for _ in range(size)]
        total, whole = sum(x), Fraction(1)
        for v in x:
            whole *= 1 + v
        yield whole, ">=", 1 + total
        yield whole, "<=", 1 / (1 - total)


# %% [markdown]
# ## Neighbours that fail
#
# *Not a ray*: on the segment from 0 to $(\frac14, \dots, \frac14)$, of the same networks, all points have the signs of
# the biases, and there is equality with $\ell$. *Larger parameters* ($10^4$ times as large, still within a factor of
# 2): from layer 2 on the weights decide at 0 too, and 0 and a far point are not independent. *Parameters that are not
# independent*, $b = a$ in width 1: 0 and infinity live and die together; two equal rows. *Atoms*: parameters $\pm
# \varepsilon$ on the ray through $(1, 1)$, where the weights of a neuron cancel as often as not: $P(2, 1) =
# \frac{55}{64} < \frac{15}{16}$. *All parameters negative*: nothing lives.


# %%
@claim.neighbour("for (ii): S_0 contains a ray")
def segment(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(303)
    for n, k in ((1, 2), (1, 4), (2, 2)):
        layers = some(n, k, rng)
        short = Polyhedron.from_generators([[0] * n, [Fraction(1, 4)] * n])
        yield share(layers, short), ">=", closed_forms.lower_bound(n, k) * (1 + k * sympy.Integer(2) ** -n)


@claim.neighbour("for (ii): magnitudes in [eps, 2 eps], 8 n eps <= 1")
def larger(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(304)
    for _ in range(3):
        layers = some(2, 2, rng, wider=10**4)
        two = FiniteSet.of([[0, 0], [10**40, 3 * 10**40]])
        yield share(layers, two), ">=", closed_forms.lower_bound(2, 2) * sympy.Rational(3, 2)


@claim.neighbour("for (ii): no atoms")
def equal_sizes(depth: str) -> Iterator[tuple[object, ...]]:
    size = Fraction(1, 16)
    ray = Polyhedron.from_generators([[0, 0]], [[1, 1]])
    yield share([([[size] * 2] * 2, [size] * 2)], ray), ">=", closed_forms.lower_bound(2, 1) * sympy.Rational(5, 4)


@claim.neighbour("for (ii): parameters independent")
def tied(depth: str) -> Iterator[tuple[object, ...]]:
    for k in (1, 2, 3):
        alive = 0
        for signs in product((1, -1), repeat=k):
            values, lives = [0, 10**9], True
            for s in signs:
                z = [Fraction(s, 16) * v + Fraction(s, 16) for v in values]
                lives, values = lives and max(z) > 0, [max(v, 0) for v in z]
            alive += lives
        yield Fraction(alive, 2**k), ">=", closed_forms.lower_bound(1, k) * (1 + k * sympy.Rational(1, 2))
    alone = share(some(1, 1, random.Random(306)), Polyhedron.orthant(1))  # of two equal rows, too
    yield alone, ">=", closed_forms.lower_bound(2, 1) * sympy.Rational(5, 4)


@claim.neighbour("for (ii): parameters symmetric")
def one_sided(depth: str) -> Iterator[tuple[object, ...]]:
    layer = Network.from_layers([([[Fraction(-1, 16)]], [Fraction(-1, 16)], "relu")])
    (report,) = decide(layer, Polyhedron.orthant(1))
    yield int(report.killed is not True), ">=", closed_forms.lower_bound(1, 1) * sympy.Rational(3, 2)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
