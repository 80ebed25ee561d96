# %% [markdown]
# # Default initialisations, and quantised ones
#
# **Notation.** By *default* a framework draws the weights and biases of a dense layer as its documentation and source
# say: PyTorch (`torch.nn.Linear`) and scikit-learn (`MLPClassifier`, ReLU) uniformly, biases as weights; Keras,
# TensorFlow (uniform, Glorot) and Flax (normal, cut off, LeCun) with biases 0. The laws are listed by
# `geomrelu table frameworks`, and `geomrelu table defaults` says which theorem applies to which.
#
# **Statement.** (i) *PyTorch, scikit-learn*: all parameters are independent and symmetric without atoms (they have
# densities), so every theorem for such laws with biases applies as it stands.
#
# (ii) *Keras, TensorFlow, Flax*: so are the weights, and the theorems without biases apply. A first-layer neuron is
# dead on $\mathbb R^n_+$ with probability $2^{-n}$, not $2^{-n-1}$. No neuron behind a ReLU layer is *stably* dead on a
# set that contains 0: some parameters as near as one likes make it positive there.
#
# (iii) *Quantised parameters*, independent, with $P(\theta \le 0) = p$: a layer of width $n$ is dead on the orthant
# with probability $p^{n^2+n}$. Ternary, $P(0) = s$: $p = \frac{1+s}2$. Integers of 8 bits, uniform:
# $p = \frac{128}{255}$ for $-127, \dots, 127$ and $p = \frac{129}{256}$ for $-128, \dots, 127$.
#
# (iv) *Ternary second layers*: that $f(x) = \sum_i w_i \max(a_i \cdot x + b_i, 0) + c$ is dead on $\mathbb R^{n_0}$
# has a probability that is a polynomial in $s$ of degree at most $n_1 (n_0 + 2) + 1$; for $n_0 = n_1 = 1$ it is
# $\frac14 + \frac78 s - \frac38 s^2 + \frac58 s^3 - \frac38 s^4$. At $s = 0$ (parameters $\pm 1$) it is not the value
# of the theorems without atoms: $\frac{15}{64}$ for $n_0 = 1$, $n_1 = 2$, where these have $\frac3{16}$.

# %%
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import numpy as np
import sympy

from geomrelu import Status, decide
from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network
from geomrelu.papers.tables import applies
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.bias_free import bias_free_orbit
from geomrelu.random_networks.initialisation import FRAMEWORKS, Initialisation
from geomrelu.random_networks.orbit import alive_orbit
from geomrelu.random_networks.stably_unactivated import stably_unactivated_orbit
from geomrelu.random_networks.ternary import ternary_dead, ternary_dead_counts

claim = Claim(
    label="default-initialisations",
    title="Default and quantised initialisations",
    statement="PyTorch, scikit-learn: the theorems with biases apply; Keras, TensorFlow, Flax: those without; ternary "
    "with P(0) = s: a layer kills the orthant w.p. ((1 + s) / 2)^(n^2 + n)",
    latex=r"P(\theta \le 0) = p: \ P(\mathbb R^n_+ \subseteq D) = p^{n^2+n}; \quad "
    r"p = \tfrac12 \text{ (PyTorch)},\ \tfrac{1+s}2 \text{ (ternary)},\ \tfrac{128}{255} \text{ (int8)}",
    source="new (after Rister & Rubin, section 2)",
    hypotheses=(
        "laws as the frameworks draw them by default (by definition)",
        "for (i): no atoms",
        "for (i) and (ii): symmetric",
        "for (ii): biases that start at 0 are parameters",
        "for (iii): parameters independent",
    ),
    uses=("orthant-kill", "bias-free", "narrow-first-layer", "one-more-than-input"),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (i, ii).** A uniform law on $[-r, r]$ and a normal law cut off at $\pm r$ have even densities. So the
# hypotheses of the theorems hold. Without biases a first-layer neuron is dead on $\mathbb R^n_+$ if and only if its $n$
# weights are not positive.
#
# **Step 2 (stably dead).** Let all biases be 0 and a neuron of layer $k \ge 2$ be dead. Change the biases of the layers
# before by $-\varepsilon$ and its own by $+\varepsilon$. At 0 all neurons before are silent (their pre-activations are
# $-\varepsilon$), and it has the value $\varepsilon > 0$.
#
# **Step 3 (iii).** As in [`orthant-kill`](orthant-kill.py): all $n^2 + n$ parameters must be at most 0.
#
# **Step 4 (iv).** The number of dead choices with exactly $k$ zeros is a whole number $N_k$, and each has the
# probability $s^k \left(\frac{1-s}2\right)^{D-k}$, $D = n_1 (n_0 + 2) + 1$. For the counts: all hyperplanes that rows
# of $-1, 0, 1$ can have form one finite arrangement, $f$ is affine on each of its regions, and no region contains a
# line, because the coordinate hyperplanes are among them. So $f \le 0$ if and only if $f \le 0$ at its vertices and $f$
# does not grow along its rays. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    s, p = sympy.symbols("s p", positive=True)
    n = sympy.Symbol("n", integer=True, positive=True)
    yield "a row, then a layer", (p ** (n + 1)) ** n, closed_forms.orthant_kill(n, p)
    yield "ternary, n = 1", closed_forms.orthant_kill(1, (1 + s) / 2), (1 + 2 * s + s**2) / 4
    yield "no atom", closed_forms.orthant_kill(n, sympy.Rational(1, 2)), sympy.Integer(2) ** (-(n**2) - n)
    quarter = sympy.Rational(1, 8)
    printed = 2 * quarter + 7 * quarter * s - 3 * quarter * s**2 + 5 * quarter * s**3 - 3 * quarter * s**4
    counted = sum(c * s**k * ((1 - s) / 2) ** (4 - k) for k, c in enumerate(ternary_dead_counts(1, 1)))
    yield "second layer, n0 = n1 = 1", counted, printed
    for n0, n1 in ((1, 2), (2, 1), (2, 2)):
        yield f"n0 = {n0}, n1 = {n1}: all parameters 0", ternary_dead(n0, n1, s).subs(s, 1), sympy.Integer(1)
    low, high = sympy.Rational(128, 255), sympy.Rational(129, 256)
    yield "int8, from the numbers that are not positive", low, 1 - sympy.Rational(127, 255)
    yield "with -128", high, 1 - sympy.Rational(127, 256)


# %% [markdown]
# ## Enumeration
#
# (i, ii) Magnitudes drawn from each framework's law, as the rational numbers that the floats are; all sign choices:
# exactly the numbers of the theorems that are said to apply. For biases 0, that each dead choice stops being dead.


# %%
def drawn(name: str, rng: np.random.Generator, fan_in: int, fan_out: int) -> tuple[list, list]:
    weights, bias = Initialisation(name).layers(rng, 1, fan_in, fan_out)
    return [[Fraction(float(v)) for v in row] for row in weights[0]], [Fraction(float(v)) for v in bias[0]]


@claim.enumerate("values on orbits", part="frameworks")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = np.random.default_rng(390)
    for name in FRAMEWORKS:
        biases = Initialisation(name).bias
        for n0, n1 in ((2, 2), (2, 3)):
            (a, b), (w, c) = drawn(name, rng, n0, n1), drawn(name, rng, n1, 1)
            case = f"{name}: n0 = {n0}, n1 = {n1}"
            if biases:
                yield (
                    f"{case}, stably dead",
                    Fraction(*stably_unactivated_orbit(a, b, w[0], c[0])),
                    closed_forms.stably_unactivated(n0, n1),
                )
            else:
                yield f"{case}, dead", Fraction(*bias_free_orbit(a, w[0])), closed_forms.bias_free_unactivated(n0, n1)
                yield f"{case}, stably dead", moved(a, w[0]), 0
        row, bias = drawn(name, rng, 2, 1)
        alive, size = alive_orbit([(row, bias)], Polyhedron.orthant(2))
        yield f"{name}: first layer dead on the orthant", 1 - Fraction(alive, size), Fraction(1, 8 if biases else 4)
        yield f"{name}: narrow-first-layer applies", int(applies("narrow-first-layer", name) == "yes"), int(biases)
        yield f"{name}: bias-free applies", int(applies("bias-free", name) == "yes"), int(not biases)


def moved(a: list[list[Fraction]], w: list[Fraction]) -> int:
    """Step 2: how many sign choices leave f dead at 0 when the biases are moved by -e and e."""
    small, found = Fraction(1, 10**9), 0
    for signs in product((1, -1), repeat=len(w)):
        hidden = [max(sum(v * 0 for v in row) - small, Fraction(0)) for row in a]
        found += sum(s * v * h for s, v, h in zip(signs, w, hidden, strict=True)) + small <= 0
    return found


# %% [markdown]
# (iii) All parameters of small layers, as exact probabilities; 8-bit integers likewise. (iv) The counts by number of
# zeros against the analyzer itself, choice by choice; and values at $s = 0$.


# %%
@claim.enumerate("counts of quantised parameters", part="quantised")
def quantised(depth: str) -> Iterator[tuple[object, ...]]:
    for n in (1, 2):
        for s in (Fraction(0), Fraction(1, 3), Fraction(1, 2)):
            chance = {-1: (1 - s) / 2, 0: s, 1: (1 - s) / 2}
            total = Fraction(0)
            for row in product((-1, 0, 1), repeat=n + 1):
                weight = Fraction(1)
                for v in row:
                    weight *= chance[v]
                total += weight * all(v <= 0 for v in row)
            formula = closed_forms.orthant_kill(n, (1 + sympy.Rational(s.numerator, s.denominator)) / 2)
            yield f"ternary, n = {n}, s = {s}: layer dead", total**n, formula
        for low, name in ((-127, "symmetric"), (-128, "with -128")):
            values = range(low, 128)
            p = Fraction(sum(v <= 0 for v in values), len(values))
            formula = closed_forms.orthant_kill(n, sympy.Rational(p.numerator, p.denominator))
            yield f"int8, {name}, n = {n}: layer dead", (p ** (n + 1)) ** n, formula
    sizes = [(1, 1), (2, 1)] + ([(1, 2)] if depth == "thorough" else [])
    for n0, n1 in sizes:
        counts = tuple(by_decision(n0, n1)[k] for k in range(n1 * (n0 + 2) + 2))
        for k, (found, fast) in enumerate(zip(counts, ternary_dead_counts(n0, n1), strict=True)):
            yield f"n0 = {n0}, n1 = {n1}, {k} zeros: dead", found, fast
    half = sympy.Rational(1, 2)
    for n0, n1, value in ((1, 1, half**2), (1, 2, 15 * half**6), (1, 3, 13 * half**6), (2, 2, 23 * half**7)):
        yield f"n0 = {n0}, n1 = {n1}: at s = 0", ternary_dead(n0, n1, 0), value


def by_decision(n0: int, n1: int) -> Counter[int]:
    """Dead choices by their number of zeros, decided one by one."""
    found: Counter[int] = Counter()
    for choice in product((-1, 0, 1), repeat=n1 * (n0 + 2) + 1):
        rows = [choice[i * (n0 + 1) : (i + 1) * (n0 + 1)] for i in range(n1)]
        w, c = choice[n1 * (n0 + 1) : -1], choice[-1]
        first = [list(row[:n0]) for row in rows], [row[n0] for row in rows], "relu"
        *_, report = decide(Network.from_layers([first, ([list(w)], [c], "relu")]), Polyhedron.space(n0))
        found[choice.count(0)] += report.verdicts[0].status is Status.DEAD
    return found


# %% [markdown]
# ## Neighbours that fail
#
# *Atoms*: $\pm 1$ in place of a density has $\frac{15}{64}$ dead for $n_0 = 1$, $n_1 = 2$. *Not symmetric*: weights
# that are all positive are never dead on the orthant. *No biases at all*: $f(x) = -\max(x, 0)$ on $x \ge 0$ stays dead
# when its weights move a little. *Not independent*: one number for all parameters kills with probability $p$.


# %%
@claim.neighbour("for (i): no atoms; for (i) and (ii): symmetric; for (iii): parameters independent")
def others(depth: str) -> Iterator[tuple[object, ...]]:
    yield ternary_dead(1, 2, 0), closed_forms.stably_unactivated(1, 2)
    (report,) = decide(Network.from_layers([([[1, 2]], [3], "relu")]), Polyhedron.orthant(2))
    yield int(report.killed is True), Fraction(1, 8)
    yield Fraction(sum(all(v <= 0 for v in (t,) * 2) for t in (-1, 1)), 2), closed_forms.orthant_kill(1)


@claim.neighbour("for (ii): biases that start at 0 are parameters")
def no_biases(depth: str) -> Iterator[tuple[object, ...]]:
    alive = 0
    for near in (Fraction(9, 10), Fraction(1), Fraction(11, 10)):
        net = Network.from_layers([([[near]], [0], "relu"), ([[-near]], [0], "relu")])
        *_, report = decide(net, Polyhedron.orthant(1))
        alive += report.verdicts[0].status is Status.ALIVE
    yield alive, ">", 0


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
