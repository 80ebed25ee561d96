# %% [markdown]
# # To which states networks collapse
#
# **Notation.** Bias-free at initialisation, one input, hidden layers of width $N$, symmetric weights without atoms, as
# in [`collapse-rate`](collapse-rate.py). A network is *silent* at $x$ if a hidden layer has no positive neuron at it.
# At initialisation it is silent on neither, one or both of the rays $x > 0$, $x < 0$; on both means that it dies.
# After training it *has collapsed* if its output is one number on all data, and *partially* if it is one number on at
# least a quarter of them, not on all.
#
# **Statement.** (i) With $m$ hidden layers
# $$P(\text{silent on exactly one ray}) = 2 \left(1 - (1 - 2^{-N})^m\right) - 2 P(\text{dies}),$$
# whatever the law; for $m \le 2$ this is a number free of the law. For $N = 2$, $m = 9$ it lies between $\frac1{20}$
# and $\frac{11}{100}$.
#
# (ii) A network that is dead at initialisation goes, where training comes to rest, to the mean of the targets for the
# squared error, and to a median for the absolute error ([`dead-stays-constant`](dead-stays-constant.py)).
# *Measured*: after training at most one in ten of these constants is further than $\frac1{20}$ from there.
#
# (iii) *Measured*, for $|x|$, 9 hidden layers of width 2 and either error: between $\frac9{10}$ and $\frac{97}{100}$
# of the networks collapse (the slides have about 93 %), and between $\frac1{100}$ and $\frac1{10}$ partially (their
# case B).

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from operator import mul

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.papers.collapse import TARGETS, train
from geomrelu.random_networks import closed_forms

claim = Claim(
    label="collapse-states",
    title="To which states networks collapse",
    statement="P(silent on exactly one ray) = 2 (1 - (1 - 2^-N)^m) - 2 P(dies); dead networks go to the mean (squared "
    "error) or a median (absolute error)",
    latex=r"P(\text{silent on one ray}) = 2 \left(1 - (1 - 2^{-N})^m\right) - 2 P(\text{dies}); \quad "
    r"c \to \text{mean, median}",
    source="Lu, Su & Karniadakis, Collapse of deep and narrow neural nets, 1-D examples and loss",
    hypotheses=(
        "for (i): no biases",
        "for (i): weights independent, symmetric, no atoms",
        "for (ii): trained on the loss that is named",
        "for (iii): width 2, 9 hidden layers",
    ),
    uses=("one-dim-chain", "one-dim-sharper", "dead-stays-constant"),
)

# %% [markdown]
# ## Proof
#
# **Step 1.** Without biases a network is silent on the whole ray through $x$ if it is silent at $x$: all layers are
# positively homogeneous. And a layer without positive neuron at $x$ gives 0 there, for ever after. So it is silent on
# both rays if and only if the last hidden layer is 0 on both, that is, if it dies on the line.
#
# **Step 2.** At one point $x \ne 0$ it is silent with probability $1 - (1 - 2^{-N})^m$
# ([`single-point`](single-point.py), for layers of any input dimension; no atoms). The same for $-x$. Inclusion and
# exclusion: exactly one happens with probability $2 P(\text{one point}) - 2 P(\text{both})$.
#
# **Step 3.** For $m = 1$: dead with probability 0, one ray $2^{1-N}$. For $m = 2$ the probability of dying is
# $3 \cdot 4^{-N} - 2 \cdot 8^{-N}$ for every law ([`one-dim-chain`](one-dim-chain.py)). For $m = 9$ insert the bounds
# of [`collapse-rate`](collapse-rate.py). $\square$


# %%
def exactly_one(n: sympy.Expr, m: object, dies: sympy.Expr) -> sympy.Expr:
    return 2 * (1 - (1 - sympy.Integer(2) ** -n) ** m) - 2 * dies


@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n, p, q = sympy.symbols("N p q", positive=True)
    yield "Step 2: exactly one of two", (p - q) + (p - q), 2 * p - 2 * q
    yield "m = 1", sympy.expand(exactly_one(n, 1, sympy.Integer(0))), 2 * sympy.Rational(1, 2) ** n
    half = sympy.Rational(1, 2) ** n
    two = 3 * half**2 - 2 * half**3
    yield "m = 2", exactly_one(n, 2, two), 4 * half - 8 * half**2 + 4 * half**3
    yield "m = 2: as a product", 4 * half * (1 - half) ** 2, 4 * half - 8 * half**2 + 4 * half**3
    width = sympy.Symbol("N", integer=True, positive=True)
    yield (
        "m = 2: dies",
        closed_forms.one_dim_dying(width, 2),
        3 * sympy.Integer(4) ** -width - 2 * sympy.Integer(8) ** -width,
    )


# %% [markdown]
# ## Enumeration
#
# All signs of random weights, without biases, at 1 and $-1$: how often the network is silent at one and at both.


# %%
def silent(
    n: int, m: int, rng: random.Random, one_sided: bool = False, largest: int = 10**6
) -> tuple[Fraction, Fraction]:
    """(at exactly one of 1 and -1, at both), over all sign choices (one_sided: of no weight)."""
    states, size = [((1,), (-1,))], 1
    for layer in range(m):
        fan = 1 if layer == 0 else n
        sizes = [[rng.randint(1, largest) for _ in range(fan)] for _ in range(n)]
        choices, after = list(product((1, -1), repeat=n * fan))[: 1 if one_sided else None], []
        size *= len(choices)
        for images in states:
            for signs in choices:
                s = iter(signs)
                rows = [[next(s) * v for v in row] for row in sizes]
                after.append(tuple(tuple(max(0, sum(map(mul, row, y))) for row in rows) for y in images))
        states = after
    zeros = [sum(not any(y) for y in images) for images in states]
    return Fraction(zeros.count(1), size), Fraction(zeros.count(2), size)


@claim.enumerate("orbits", part="at initialisation")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(380)
    shapes = [(1, 1), (1, 2), (1, 4), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2)]
    for n, m in shapes[: 8 if depth == "thorough" else 7]:
        one, both = silent(n, m, rng)
        yield f"N = {n}, m = {m}: silent on one ray", one, exactly_one(sympy.Integer(n), m, sympy.nsimplify(both))
        if m <= 2:
            yield f"N = {n}, m = {m}: dies", both, closed_forms.one_dim_dying(n, m)
    low, high = closed_forms.one_dim_dying(2, 9), closed_forms.dying_bound(*[2] * 8)
    yield "N = 2, m = 9: at least", exactly_one(sympy.Integer(2), 9, high), ">=", Fraction(1, 20)
    yield "N = 2, m = 9: at most", exactly_one(sympy.Integer(2), 9, low), "<=", Fraction(11, 100)


# %% [markdown]
# ## Sampling
#
# By default 100 networks on $|x|$; with `--thorough` the setting of the slides, 1,000 networks, each target and error.
# The bounds of (iii) were set after a run with another seed.


# %%
@claim.sample("rates", trials=100, seed=381, part="training")
def training(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    steps = 600 if depth == "thorough" else 250
    for k, target in enumerate(TARGETS if depth == "thorough" else ["|x|"]):
        for absolute, word in ((False, "mean"), (True, "median")):
            found = train(target, trials, steps, seed + k, absolute=absolute, rate=1e-2)
            far = int((found.dead & (found.off > 1 / 20)).sum())
            yield f"{target}: dead, and not at the {word}", far, "<=", Fraction(1, 10)
            if target == "|x|":
                collapsed, partly = int(found.collapsed.sum()), int(found.partly.sum())
                yield f"{target}, {word}: collapsed, at least", collapsed, ">=", Fraction(9, 10)
                yield f"{target}, {word}: collapsed, at most", collapsed, "<=", Fraction(97, 100)
                yield f"{target}, {word}: partially, at least", partly, ">=", Fraction(1, 100)
                yield f"{target}, {word}: partially, at most", partly, "<=", Fraction(1, 10)


# %% [markdown]
# ## Neighbours that fail
#
# *With biases*, at width 1 and two layers, a network can be silent at both points without dying, each time in another
# layer: the share that is silent at exactly one is another than in (i). *Weights with one sign*: all positive, one ray
# is silent in every network. *Two equal neurons* in each layer: silent as often as one. *Atoms*: weights $\pm 1$. *The
# other loss*: the targets 0, 0, 1 have the mean $\frac13$ and the median 0. *Wide networks*: with width 8 and 9 layers
# fewer than $\frac9{10}$ die at a point.


# %%
@claim.neighbour("for (i): no biases; for (i): weights independent, symmetric, no atoms")
def others(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(382)
    both, size = 0, 0
    layers = [(5, 1), (1, 2)]
    one, killed = 0, 0
    for signs in product((1, -1), repeat=4):
        s, values, lives, died = iter(signs), [1, -1], [True, True], False
        for a, b in layers:
            u, v = next(s) * a, next(s) * b
            z = [u * x + v for x in values]
            died |= max(z) <= 0
            lives, values = [k and t > 0 for k, t in zip(lives, z, strict=True)], [max(t, 0) for t in z]
        one, both, size = one + (sum(lives) == 1), both + (not any(lives)), size + 1
        killed += died
    yield Fraction(one, size), exactly_one(sympy.Integer(1), 2, sympy.Rational(killed, size))
    share, dead = silent(1, 2, rng, one_sided=True)
    yield share, exactly_one(sympy.Integer(1), 2, sympy.nsimplify(dead))
    share, dead = silent(1, 2, rng)  # of layers of two equal neurons, too
    yield share, exactly_one(sympy.Integer(2), 2, sympy.nsimplify(dead))
    share, dead = silent(2, 2, rng, largest=1)
    yield share, exactly_one(sympy.Integer(2), 2, sympy.nsimplify(dead))


@claim.neighbour("for (ii): trained on the loss that is named; for (iii): width 2, 9 hidden layers")
def losses(depth: str) -> Iterator[tuple[object, ...]]:
    targets = [Fraction(0), Fraction(0), Fraction(1)]
    mean, median = sum(targets) / 3, sorted(targets)[1]
    yield sum(abs(mean - y) for y in targets), "<=", sum(abs(median - y) for y in targets)
    yield sum((median - y) ** 2 for y in targets), "<=", sum((mean - y) ** 2 for y in targets)
    yield closed_forms.dying_bound(*[8] * 9), ">=", Fraction(9, 10)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
