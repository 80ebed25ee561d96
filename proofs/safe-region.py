# %% [markdown]
# # The safe operating region: how wide a deep network must be
#
# **Notation.** Networks with $m$ hidden layers of width $N$ ($m = L - 1$), with or without biases; such a network dies
# on a domain if a hidden layer is dead there. $W_p(m)$ is the least width with $1 - (1 - 2^{-N})^m < p$:
# $$W_p(m) = \left\lfloor -\log_2\left(1 - (1-p)^{1/m}\right) \right\rfloor + 1.$$
#
# **Statement.** Let the parameters be independent and symmetric about 0, without atoms.
#
# 1. If all hidden layers have at least $W_p(m)$ neurons, $P(\text{dies}) < p$ on every domain (without biases: that
#    holds a point other than 0).
# 2. No smaller width has this property: on a domain of one point $P(\text{dies}) \ge p$ for every width
#    $N < W_p(m)$.
# 3. $W_p(2m) \le W_p(m) + 1$: twice the depth takes at most one neuron more.
# 4. Without biases on the line, $m \ge 2$, the least safe width $N$ (from which on every width is) satisfies
#    $w_p(m) \le N \le W_p(m-1)$, where $w_p(m)$ is one more than the last width at which the chain of
#    [`one-dim-chain`](one-dim-chain.py) has at least $p$ (1 if there is no such width). For $m = 2$ it is $w_p(2)$.
#
# The widths for $p = \frac1{10}$ and $p = \frac1{100}$ are the table below.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from functools import cache

import numpy as np
import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.papers import figures, tables
from geomrelu.papers.simulations import survivors
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.initialisation import Initialisation
from geomrelu.random_networks.orbit import dead_neurons_orbit

claim = Claim(
    label="safe-region",
    title="The safe operating region",
    statement="m hidden layers of width floor(-log2(1 - (1 - p)^(1/m))) + 1 die with probability below p on every "
    "domain; no smaller width does on every domain",
    latex=r"P(\text{dies}) < p \text{ on every domain} \iff "
    r"N \ge \lfloor -\log_2(1 - (1-p)^{1/m}) \rfloor + 1",
    source="Lu, Su & Karniadakis, Collapse of deep and narrow neural nets, safe operating region",
    hypotheses=(
        "parameters symmetric",
        "parameters independent, no atoms",
        "without biases: the domain is not {0}",
    ),
    uses=("dying-bound", "one-dim-chain", "one-dim-sharper"),
)

GOALS = (sympy.Rational(1, 10), sympy.Rational(1, 100))

# %% [markdown]
# ## Proof
#
# **Step 1.** By [`dying-bound`](dying-bound.py) $P(\text{dies}) \le 1 - \prod_l (1 - 2^{-N_l})$, which decreases in
# each $N_l$. It is below $p$ for $N_l \ge W_p(m)$ by the choice of $W_p$. Solved for $N$, $1 - (1 - 2^{-N})^m = p$ is
# $N = -\log_2(1 - (1-p)^{1/m})$.
#
# **Step 2.** On one point the bound is the exact value ([`lower-bound`](lower-bound.py)). For $N < W_p(m)$ it is at
# least $p$.
#
# **Step 3.** With $\varepsilon = 2^{-N}$, $(1 - \frac{\varepsilon}{2})^2 = 1 - \varepsilon + \frac{\varepsilon^2}{4} >
# 1 - \varepsilon$. So $1 - (1 - 2^{-(N+1)})^{2m} < 1 - (1 - 2^{-N})^m$: if $N$ is safe for $m$, $N + 1$ is for $2m$.
#
# **Step 4.** By [`one-dim-sharper`](one-dim-sharper.py) the bound for $m - 1$ layers holds for $m$ layers on the line,
# and by [`one-dim-chain`](one-dim-chain.py) the chain is a lower bound, and the exact value for $m = 2$, where
# $3 \cdot 4^{-N} - 2 \cdot 8^{-N}$ decreases in $N$: with $h = 2^{-N} \le \frac12$ its derivative for $h$ is
# $6h - 6h^2 > 0$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    m = sympy.Symbol("m", integer=True, positive=True)
    p, h = sympy.symbols("p h", positive=True)
    # Step 1: the equation solved for 2^-N, and for N
    root = sympy.solve(sympy.Eq((1 - h) ** m, 1 - p), h)[0]
    yield "every m, every p", -sympy.log(root, 2), closed_forms.width_for_depth(m, 1 - p)
    for layers in (1, 2, 3):
        width = closed_forms.width_for_depth(layers, 1 - p)
        yield f"m = {layers}: the bound there", closed_forms.dying_bound(*[width] * layers), p
    # Step 3
    yield (1 - h / 2) ** 2 - (1 - h), h**2 / 4
    # Step 4
    n = sympy.Symbol("N", integer=True, positive=True)
    yield closed_forms.one_dim_dying(n, 2).subs(sympy.Integer(2) ** -n, h).diff(h), 6 * h - 6 * h**2


# %% [markdown]
# ## Enumeration
#
# The table: at the least width the bound is below $p$, at one neuron less it is not; then from which width to which the
# least one on the line lies. Last, the exact probabilities of small networks, from all sign choices.


# %%
@cache
def least(m: int, p: sympy.Rational) -> int:
    """W_p(m) by the closed form."""
    width = closed_forms.width_for_depth(m, 1 - p)
    return int(sympy.ceiling(width)) + bool(width.is_integer)


@claim.enumerate("depths")
def table(depth: str) -> Iterator[tuple[object, ...]]:
    for p in GOALS:
        for m in [*range(1, 11), 20, 50, 100] + ([200, 500] if depth == "thorough" else []):
            width = least(m, p)
            yield f"m = {m}, {100 * p} %: least width", width, tables.safe_width(m, Fraction(int(p.p), int(p.q)))
            yield closed_forms.dying_bound(*[width] * m), "<", p
            yield closed_forms.dying_bound(*[width - 1] * m), ">=", p
            yield least(2 * m, p), "<=", width + 1


@claim.enumerate("depths on the line")
def on_the_line(depth: str) -> Iterator[tuple[object, ...]]:
    for p in GOALS:
        for m in range(2, 41 if depth == "thorough" else 16):
            upper = least(m - 1, p)
            unsafe = max(n for n in range(1, upper) if closed_forms.one_dim_dying(n, m) >= p)
            yield f"m = {m}, {100 * p} %, on the line: from and to", unsafe + 1, "<=", upper
            yield closed_forms.one_dim_dying(unsafe, m), ">=", p
            yield closed_forms.dying_bound(*[upper] * (m - 1)), "<", p


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    """Exact values at the least width and at one neuron less: at a point, and on the line without biases."""
    rng = random.Random(170)
    for p in GOALS:
        for m in (1, 2):
            width = least(m, p)
            point = FiniteSet.of([[Fraction(rng.randint(1, 99), 7)]])
            for n, relation in ((width - 1, ">="), (width, "<")):
                yield f"m = {m}, {100 * p} %, at a point: width {n}", dying(n, m, point, rng), relation, p
        exact = 1 + max(n for n in range(1, 10) if closed_forms.one_dim_dying(n, 2) >= p)
        for n, relation in ((exact - 1, ">="), (exact, "<")):
            yield f"m = 2, {100 * p} %, on the line: width {n}", dying(n, 2, Polyhedron.space(1), rng), relation, p


def dying(width: int, m: int, domain: Polyhedron | FiniteSet, rng: random.Random) -> Fraction:
    """Without biases, from the line."""
    net = [
        ([[Fraction(rng.randint(1, 999), rng.randint(1, 99)) for _ in range(n)] for _ in range(width)], [0] * width)
        for n in [1, *[width] * (m - 1)]
    ]
    profiles, size = dead_neurons_orbit(net, domain)
    return Fraction(sum(k for dead, k in profiles.items() if width in dead), size)


# %% [markdown]
# ## Sampling
#
# Normal weights at He's scale. At a point, with biases: for each width the last depth at which it is safe, and the
# next one. On the line, without biases (the images of $x$ and $-x$ for a fixed $x \in \mathbb R^N$ are those of a
# network with one input): a safe width, and one that is not.


# %%
def dead(width: int, m: int, data: list[list[float]], trials: int, seed: int, bias: bool) -> list[int]:
    """Of so many networks, how many are dead after 1, ..., m layers."""
    points, law = np.array(data).T, Initialisation("normal", "he", "same" if bias else "zero")
    alive, chunk = np.zeros(m, dtype=int), 1 << 14
    for k, start in enumerate(range(0, trials, chunk)):
        rng = np.random.default_rng([seed, width, k])
        alive += survivors(points, law, rng, min(chunk, trials - start), m)[0]
    return [trials - int(v) for v in alive]


@claim.sample("probabilities", trials=20_000, seed=171)
def networks(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    for p, widths in zip(GOALS, ((4, 5, 6, 7), (8, 9)), strict=True):
        for n in widths:
            last = max(m for m in range(1, 60) if closed_forms.dying_bound(*[n] * m) < p)
            found = dead(n, last + 1, [[1.0] * n], trials, seed, True)
            for m, number in ((last, found[-2]), (last + 1, found[-1])):
                case = number, closed_forms.dying_bound(*[n] * m)
                yield (f"N = {n}, m = {m}, at a point", *case) if m < 4 else case
    for n, relation in ((4, ">="), (least(9, GOALS[0]), "<=")):
        found = dead(n, 10, [[1.0] * n, [-1.0] * n], trials, seed + 1, False)
        yield f"N = {n}, m = 10, on the line: {relation} 10 %", found[-1], relation, GOALS[0]


# %% [markdown]
# ## Neighbours that fail
#
# *One neuron less* is not safe. *Without symmetry* (biases that are positive with probability $\frac14$, at 0) the
# bound is no bound.


# %%
@claim.neighbour("so many neurons; parameters symmetric")
def narrower_or_asymmetric(depth: str) -> Iterator[tuple[object, ...]]:
    for p in GOALS:
        yield closed_forms.dying_bound(*[least(5, p) - 1] * 5), "<", p
        yield Fraction(3, 4) ** least(1, p), "<", p


# %%
@claim.neighbour("parameters independent, no atoms; without biases: the domain is not {0}")
def equal_rows_atoms_or_zero(depth: str) -> Iterator[tuple[object, ...]]:
    """The safe width for one layer: all neurons equal; all parameters +-1; only the input 0."""
    for p in GOALS:
        width = least(1, p)
        found = [
            dead_neurons_orbit([([[s * 3]] * width, [t] * width)], FiniteSet.of([[1]]), "none")[0]
            for s in (1, -1)
            for t in (1, -1)
        ]
        yield Fraction(sum((width,) in profiles for profiles in found), 4), "<", p
        profiles, size = dead_neurons_orbit([([[1]], [1])], FiniteSet.of([[1]]))
        yield Fraction(profiles[(1,)], size) ** width, "<", p
        profiles, size = dead_neurons_orbit([([[2]] * 2, [0] * 2)], FiniteSet.of([[0]]))
        yield Fraction(profiles[(2,)], size), "<", p


# %% [markdown]
# ## The figure


# %%
@claim.figure("least widths for which a network is born dead with probability below 10 % and 1 %")
def drawn() -> object:
    depths = list(range(1, 101))
    goals = (Fraction(1, 10), Fraction(1, 100))
    return figures.safe_region(depths, {float(p): [tables.safe_width(k, p) for k in depths] for p in goals})


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
