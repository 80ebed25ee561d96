# %% [markdown]
# # A layer kills the orthant if and only if none of its parameters is positive
#
# **Notation.** A layer of width $n$ on $\mathbb R^n$ has the pre-activations $z(x) = Ax + b$; its dead set is
# $D = \{x : z_i(x) \le 0 \text{ for all } i\}$. It has $n^2 + n$ parameters: the entries of $A$ and $b$.
#
# **Statement.** (i) $\mathbb R^n_+ \subseteq D$ if and only if none of the $n^2 + n$ parameters is positive.
# (ii) If the parameters are independent, each with a law that is symmetric about 0 and has no atom at 0, then
# $P(\mathbb R^n_+ \subseteq D) = 2^{-n^2-n}$.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import sympy

from geomrelu import checker
from geomrelu.certificates.files import as_certificate
from geomrelu.claims.registry import Certified, Claim
from geomrelu.exact import linear_programs
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.random_networks import closed_forms, montecarlo
from geomrelu.random_networks.orbit import alive_orbit, dead_neurons_orbit

claim = Claim(
    label="orthant-kill",
    title="Killing the orthant",
    statement="a layer kills R^n_+ iff none of its n^2 + n parameters is positive; probability 2^(-n^2 - n)",
    latex=r"\mathbb R^n_+ \subseteq D \iff A \le 0,\ b \le 0; \quad P(\mathbb R^n_+ \subseteq D) = 2^{-n^2-n}",
    source="Rister & Rubin, section 3",
    hypotheses=(
        "parameters independent",
        "each law symmetric about 0",
        "no atom at 0",
    ),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (if).** Let $b_i = -\beta$ and $a_{ij} = -\alpha_j$ with $\alpha, \beta \ge 0$. For $x \ge 0$,
# $z_i(x) = -\beta - \sum_j \alpha_j x_j \le 0$: the parameters themselves are the multipliers that prove
# $z_i \le -\beta$ from $x_j \ge 0$.
#
# **Step 2 (only if).** Let $z_i \le 0$ on $\mathbb R^n_+$. At $x = 0$ this says $b_i \le 0$. At $x = t e_j$ it says
# $b_i + t a_{ij} \le 0$ for every $t \ge 0$; divide by $t \to \infty$ to get $a_{ij} \le 0$.
#
# Steps 1 and 2 hold for each neuron $i$, and $D$ is the intersection of the dead sets of the neurons: (i).
#
# **Step 3.** For a law symmetric about 0, $P(\theta > 0) = P(\theta < 0)$, and without an atom at 0 these add up to 1,
# so $P(\theta \le 0) = \frac12$.
#
# **Step 4.** By (i) the event is that $n(n + 1)$ independent parameters are all $\le 0$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    # Steps 1 and 2: the form is minus a nonnegative combination of the rows x_j >= 0 and 1 >= 0; slopes are limits
    t, half = sympy.Symbol("t", positive=True), sympy.Rational(1, 2)
    for n in range(1, 5):
        alpha, beta = sympy.symbols(f"alpha1:{n + 1}", nonnegative=True), sympy.Symbol("beta", nonnegative=True)
        x = sympy.Matrix(sympy.symbols(f"x1:{n + 1}", nonnegative=True))
        z = (-sympy.Matrix([alpha]) * x)[0] - beta
        yield z + sum(alpha[j] * x[j] for j in range(n)), -beta
        for j in range(n):
            yield sympy.limit(z.subs(dict(zip(x, t * sympy.eye(n)[:, j], strict=True))) / t, t, sympy.oo), -alpha[j]
    # Step 3, in general (q = 1 - q for a distribution function without atom at 0) and for the laws that are sampled
    q, u = sympy.Symbol("q"), sympy.Symbol("u", real=True)
    yield sympy.solve(sympy.Eq(q, 1 - q), q)[0], half
    normal, cauchy = sympy.exp(-(u**2) / 2) / sympy.sqrt(2 * sympy.pi), 1 / (sympy.pi * (1 + u**2))
    yield sympy.integrate(normal, (u, -sympy.oo, 0)), half
    yield sympy.integrate(cauchy, (u, -sympy.oo, 0)), half
    yield sympy.integrate(half, (u, -1, 0)), half
    # Step 4: the product over all parameters
    n, i, j = sympy.symbols("n i j", integer=True, positive=True)
    every = sympy.Product(sympy.Product(half, (j, 0, n)), (i, 1, n)).doit()
    yield "every n", every, closed_forms.orthant_kill(n)


# %% [markdown]
# ## Enumeration
#
# Parameters from $\{-1, 0, 1\}$, all of them for $n = 1$ and all rows for $n = 2, 3$ (a zero is not positive): does
# the neuron stay $\le 0$ on the generators of the orthant? Then whole orbits with random magnitudes: exactly one of
# the $2^{n^2+n}$ sign choices kills.


# %%
def some(rng: random.Random) -> Fraction:
    """A random positive magnitude."""
    return Fraction(rng.randint(1, 999), rng.randint(1, 99))


def some_layer(rng: random.Random, n: int) -> tuple[list[list[Fraction]], list[Fraction]]:
    return [[some(rng) for _ in range(n)] for _ in range(n)], [some(rng) for _ in range(n)]


@claim.enumerate("neurons and orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    for n in range(1, 4):
        generators, _ = Polyhedron.orthant(n).generators
        for row in product((-1, 0, 1), repeat=n + 1):
            killed = all(sum(v * g for v, g in zip(row, generator, strict=True)) <= 0 for generator in generators)
            yield int(killed), int(max(row) <= 0)
    rng = random.Random(20)
    for n in (1, 2, 3, 4):
        for repetition in range(20 if depth == "thorough" else 5):
            alive, size = alive_orbit([some_layer(rng, n)], Polyhedron.orthant(n))
            case = Fraction(size - alive, size), closed_forms.orthant_kill(n)
            yield (f"n = {n}", *case) if repetition == 0 else case


# %% [markdown]
# ## Decision
#
# Every sign pattern of a layer, $n \le 3$: each neuron by one exact linear program over $\{x \ge 0\}$ (pycddlib). A
# dead neuron comes with multipliers, which are multiplied out here; a living one with a point or a ray. The checker,
# which knows nothing of linear programs, then proves the supremum again.


# %%
def reason(row: tuple[int, ...], neuron: int) -> tuple[dict[str, object], bool]:
    """(what is found about a neuron on R^n_+, do its multipliers multiply out)."""
    n = len(row) - 1
    axes = [tuple(int(j == k + 1) for j in range(n + 1)) for k in range(n)]
    best = linear_programs.maximise(row, axes)
    found: dict[str, object] = {"layer": 1, "neuron": neuron, "point": [str(x) for x in best.point or ()]}
    if best.value is None:
        return found | {"status": "alive", "supremum": "inf", "ray": [str(r) for r in best.ray or ()]}, True
    found |= {"status": "alive" if best.value > 0 else "dead", "supremum": str(best.value), "proof": [{}]}
    below = (best.multipliers or ({}, {}))[0]
    total = [Fraction(v) + sum(m * axes[k][j] for k, m in below.items()) for j, v in enumerate(row)]
    return found, min(below.values(), default=Fraction(0)) >= 0 and total == [best.value, *[0] * n]


def decided(*rows: tuple[int, ...]) -> tuple[bool, bool, Certified]:
    """(is the layer dead on R^n_+, was every reason accepted, the reasons)."""
    found, multiplied = zip(*(reason(row, i) for i, row in enumerate(rows)), strict=True)
    layer = {"layers": [{"weights": [list(row[1:]) for row in rows], "bias": [row[0] for row in rows]}]}
    orthant = {"box": [[0, None]] * (len(rows[0]) - 1)}
    model, domain = checker.Model.parse(layer), checker.Domain.parse(orthant)
    proof = as_certificate(found, model.digest(), domain.digest(), [])
    dead = all(neuron["status"] == "dead" for neuron in found)
    try:
        accepted = all(multiplied) and len(checker.check(proof, model, domain)) == len(rows)
    except checker.Rejected:
        accepted = False
    return dead, accepted, Certified(proof, layer, orthant)


@claim.decide("sign patterns")
def patterns(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(30)
    for n in (1, 2, 3):
        magnitudes = [[rng.randint(1, 999) for _ in range(n + 1)] for _ in range(n)]
        neurons = [
            {row: decided(row) for row in product(*((-v, v) for v in neuron))} for neuron in magnitudes
        ]  # the patterns of one neuron; those of the layer are all their combinations
        for layer in product(*neurons):
            verdicts = [neurons[i][row] for i, row in enumerate(layer)]
            expected = not any(v > 0 for row in layer for v in row)
            found = all(dead for dead, *_ in verdicts), expected, all(accepted for _, accepted, _ in verdicts)
            if expected:
                yield f"n = {n}, the dead layer", *found, decided(*layer)[2]
            else:
                yield f"n = {n}", *found


# %% [markdown]
# ## Sampling
#
# Three symmetric laws, one of them without a mean.


# %%
@claim.sample("probabilities", trials=1_000_000, seed=40)
def layers(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    for n, law in ((1, "normal"), (2, "cauchy"), (3, "uniform")):
        killed = montecarlo.count(montecarlo.orthant_killed, trials, seed + n, law, n=n)
        yield f"n = {n}", killed, closed_forms.orthant_kill(n)


# %% [markdown]
# ## Neighbours that fail
#
# *Without the whole orthant*: on $[0, 1]$ the neuron $x - 2$ is dead although a parameter is positive, and two of the
# four sign choices of $\pm x \pm 2$ kill. *With an atom at 0*: for parameters uniform on $\{-1, 0, 1\}$ and $n = 1$
# the probability is $\frac49$.


# %%
@claim.neighbour("no atom at 0; all of R^n_+")
def bounded_or_with_atoms(depth: str) -> Iterator[tuple[object, ...]]:
    alive, size = alive_orbit([([[1]], [2])], Polyhedron.box([(0, 1)]))
    yield Fraction(size - alive, size), closed_forms.orthant_kill(1)
    rows = list(product((-1, 0, 1), repeat=2))
    yield Fraction(sum(decided(row)[0] for row in rows), len(rows)), closed_forms.orthant_kill(1)


def killed(layer: tuple[list[list[int]], list[int]]) -> int:
    profiles, _ = dead_neurons_orbit([layer], Polyhedron.orthant(2), "none")
    return profiles[(2,)]


@claim.neighbour("parameters independent; each law symmetric about 0")
def other_laws(depth: str) -> Iterator[tuple[object, ...]]:
    """One sign for all parameters; then all of them negative."""
    positive, negative = ([[2, 3], [5, 7]], [1, 4]), ([[-2, -3], [-5, -7]], [-1, -4])
    yield Fraction(killed(positive) + killed(negative), 2), closed_forms.orthant_kill(2)
    yield killed(negative), closed_forms.orthant_kill(2)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
