# %% [markdown]
# # At depth two the upper bound is the truth
#
# **Notation.** As in [`upper-bound`](upper-bound.py), with the largest input set, $S_0 = \mathbb R^n$.
#
# **Statement.** If the parameters are independent, the second layer's laws are symmetric about 0 without an atom at
# 0, and the first layer's matrix is invertible with probability 1 (a density is enough), then
# $$P(n, 1) = v(n, 1) = 1, \qquad P(n, 2) = v(n, 2) = 1 - 2^{-n^2-n}.$$
# Rister and Rubin state the case $k = 1$, where both sides are 1; $k = 2$ is ours. For $n \ge 2$, if the laws of layers
# $2, \dots, k$ are symmetric without an atom at 0, the bound is strict for all $k \ge 3$: $P(n, k) < v(n, k)$.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice, product

import sympy

from geomrelu import Status, checker, decide
from geomrelu.certificates.files import as_certificate
from geomrelu.claims.registry import Certified, Claim
from geomrelu.exact.affine import AffineMap
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network
from geomrelu.random_networks import closed_forms, montecarlo
from geomrelu.random_networks.orbit import alive_orbit, dead_neurons_orbit

claim = Claim(
    label="tight-at-two",
    title="Tightness at depth two",
    statement="on S_0 = R^n: P(n, 2) = 1 - 2^(-n^2 - n), the upper bound",
    latex=r"S_0 = \mathbb R^n:\quad P(n, 2) = 1 - 2^{-n^2-n}",
    source="new (after Rister & Rubin, section 5)",
    hypotheses=(
        "S_0 = R^n",
        "A_1 invertible almost surely",
        "parameters independent, symmetric",
        "no atom at 0",
    ),
    uses=("orthant-kill",),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (the first image is the orthant).** Let $A_1$ be invertible. For $y \in \mathbb R^n_+$ put
# $x = A_1^{-1}(y - b_1)$; then $z_1(x) = y \ge 0$ and $f_1(x) = y$. So $S_1 \supseteq \mathbb R^n_+$, and
# $S_1 \subseteq \mathbb R^n_+$ because of the rectifier: $S_1 = \mathbb R^n_+$. With $y = (1, \dots, 1)$: layer 1 is
# alive.
#
# **Step 2.** So the network dies if and only if layer 2 has no positive value on $\mathbb R^n_+$, which by
# [`orthant-kill`](orthant-kill.py) has probability $2^{-n^2-n}$, whatever the (invertible) first layer is.
#
# **Step 3.** $\det A_1$ is a polynomial in the entries that is not identically 0, so its zero set has Lebesgue
# measure 0, and probability 0 under any density.
#
# **Step 4 (strict from $k = 3$ on).** Let $n \ge 2$, and let neuron 1 of layer 2 have a positive bias and all other
# parameters of layer 2 but those of neuron 1 be negative: layer 2 is alive, and $S_2$ lies in the first axis. Let the
# first column and the biases of layer 3 be negative and one other weight positive: layer 3 kills $S_2$, but not the
# orthant. For symmetric laws without an atom at 0 this has positive probability, also together with layers 4, ..., k
# that do not kill the orthant. So the network dies with a larger probability than that of the union of the events in
# [`upper-bound`](upper-bound.py), which is $1 - v(n, k)$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    # Step 1, with every entry a symbol
    for n in (1, 2, 3):
        matrix = sympy.Matrix(n, n, sympy.symbols(f"a:{n * n}"))
        b, y = (sympy.Matrix(sympy.symbols(f"{s}:{n}")) for s in "by")
        x = matrix.adjugate() * (y - b) / matrix.det()
        yield from zip(matrix * x + b, y, strict=True)
    # Step 2: all n rows of n + 1 parameters are nonpositive
    n, i = sympy.symbols("n i", integer=True, positive=True)
    row = sympy.Rational(1, 2) ** (n + 1)
    yield "every n, k = 2", 1 - sympy.Product(row, (i, 1, n)).doit(), closed_forms.upper_bound(n, 2)
    yield "every n, k = 1", sympy.Integer(1), closed_forms.upper_bound(n, 1)


# %% [markdown]
# ## Enumeration
#
# All sign choices of all parameters, for random magnitudes: $2^4$, $2^{12}$ and $2^{24}$ networks.


# %%
def some(rng: random.Random) -> int:
    return rng.randint(1, 99)


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(23)
    for n, repetitions in ((1, 5), (2, 5), (3, 10 if depth == "thorough" else 3)):
        for repetition in range(repetitions):
            layers = [([[some(rng) for _ in range(n)] for _ in range(n)], [some(rng) for _ in range(n)]) for _ in "12"]
            for k in (1, 2):
                alive, size = alive_orbit(layers[:k], Polyhedron.space(n))
                case = Fraction(alive, size), closed_forms.upper_bound(n, k)
                yield (f"n = {n}, k = {k}", *case) if repetition == 0 else case


@claim.enumerate("networks of Step 4")
def strict(depth: str) -> Iterator[tuple[object, ...]]:
    """Layers 1 and 2 are alive, layer 3 is dead on their image and not on the orthant."""
    for n in (2, 3):
        rng = random.Random(35 + n)
        first = [[some(rng) if i == j else 0 for j in range(n)] for i in range(n)], [some(rng) for _ in range(n)]
        second = [[-some(rng) for _ in range(n)] for _ in range(n)], [some(rng), *(-some(rng) for _ in range(n - 1))]
        third = [[-some(rng) for _ in range(n)] for _ in range(n)], [-some(rng) for _ in range(n)]
        third[0][n - 1][1] *= -1
        profiles, _ = dead_neurons_orbit([first, second, third], Polyhedron.space(n), "none")
        yield f"n = {n}, k = 3: dead", int(max(dead[2] for dead in profiles)), n
        yield int(max(dead[1] for dead in profiles)), n - 1
        profiles, _ = dead_neurons_orbit([third], Polyhedron.orthant(n), "none")
        yield profiles[(n,)], 0
    alive, size = alive_orbit([([[1]], [2]), ([[3]], [5]), ([[7]], [4])], Polyhedron.space(1))
    yield "n = 1, k = 3", Fraction(alive, size), "<", closed_forms.upper_bound(1, 3)


# %% [markdown]
# ## Decision
#
# Every sign choice of the first layer for $n \le 2$. For $n = 3$ one of each class under reflections
# $x_j \mapsto -x_j$ and translations, which map $\mathbb R^3$ onto itself: the signs of the first row of $A_1$ and of
# all biases of layer 1 are fixed. (At thorough depth under reflections only.)
#
# *First*: the part of $\mathbb R^n$ where all neurons of layer 1 are $\ge 0$ has one vertex, which goes to 0, and $n$
# rays, which go to the axes; so its image, as a set, is the orthant (pycddlib, both descriptions).


# %%
def first_layers(n: int, depth: str) -> Iterator[list[tuple[int, ...]]]:
    """Rows ``(b, a1, ..., an)`` with random magnitudes in all sign choices, or one of each class."""
    rng = random.Random(33 + n)
    while True:
        rows = [[some(rng) for _ in range(n + 1)] for _ in range(n)]
        if sympy.Matrix([row[1:] for row in rows]).det():
            break
    free = [[(-v, v) for v in row] for row in rows]
    if n > 2:
        free[0][1:] = [(v,) for v in rows[0][1:]]
        if depth == "default":
            for i, row in enumerate(rows):
                free[i][0] = (row[0],)
    for choice in product(*(product(*row) for row in free)):
        if sympy.Matrix([row[1:] for row in choice]).det():
            yield list(choice)


@claim.decide("first layers")
def images(depth: str) -> Iterator[tuple[object, ...]]:
    for n in (1, 2, 3):
        for rows in first_layers(n, depth):
            active, first = (
                Polyhedron.from_rows(rows),
                AffineMap.from_dense([r[1:] for r in rows], [r[0] for r in rows]),
            )
            onto = active.image(first).same_set(Polyhedron.orthant(n))
            (corner,) = active.vertices
            at_corner = [r[0] + sum(a * x for a, x in zip(r[1:], corner, strict=True)) for r in rows]
            grown = [[sum(a * x for a, x in zip(r[1:], ray, strict=True)) for r in rows] for ray in active.rays]
            axes = sorted(tuple(int(v > 0) for v in growth) for growth in grown)
            units = sorted(tuple(int(i == j) for j in range(n)) for i in range(n))
            yield f"n = {n}, k = 1", onto, True, not any(at_corner) and axes == units and min(map(min, grown)) >= 0


# %% [markdown]
# *Second*: the analyzer itself, on two-layer networks on all of $\mathbb R^n$ whose second layer has a neuron for each
# of the $2^{n+1}$ sign patterns of each of its rows. It cuts $\mathbb R^n$ into the pieces of the first layer; a dead
# neuron is proved on each piece by multipliers of an exact linear program. The certificate is checked once more, from
# its JSON form.


# %%
@claim.decide("second-layer neurons")
def neurons(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(34)
    for n in (1, 2, 3):
        space = Polyhedron.space(n)
        magnitudes = [[some(rng) for _ in range(n + 1)] for _ in range(n)]
        second = [row for neuron in magnitudes for row in product(*((-v, v) for v in neuron))]
        few = 4 if n == 3 and depth == "default" else None
        for rows in islice(first_layers(n, depth), few):
            layers = [([r[1:] for r in table], [r[0] for r in table], "relu") for table in (rows, second)]
            network = Network.from_layers(layers)
            (report,) = decide(network, space, [2])
            claims = [v.claim for v in report.verdicts if v.claim is not None]
            certificate = as_certificate(claims, network.digest, space.checked.digest(), report.points)
            certified = Certified(certificate, {"layers": _as_json(layers)}, {"box": [[None] * 2] * n})
            try:
                model, domain = checker.Model.parse(certified.model), checker.Domain.parse(certified.domain)
                accepted = len(checker.check(certificate, model, domain)) == len(second)
            except checker.Rejected:
                accepted = False
            for verdict, row in zip(report.verdicts, second, strict=True):
                yield f"n = {n}, k = 2", verdict.status is Status.DEAD, max(row) <= 0, accepted, certified


def _as_json(layers: list[tuple[object, object, str]]) -> list[dict[str, object]]:
    return [{"weights": [list(r) for r in a], "bias": list(b), "activation": act} for a, b, act in layers]


# %% [markdown]
# ## Sampling


# %%
@claim.sample("probabilities", trials=200_000, seed=43)
def networks(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    for n, law in ((1, "cauchy"), (2, "normal"), (3, "uniform")):
        killed = montecarlo.count(montecarlo.killed_at_two, trials, seed + n, law, n=n)
        yield f"n = {n}, k = 2", trials - killed, closed_forms.upper_bound(n, 2)


# %% [markdown]
# ## Neighbours that fail
#
# *A singular first layer*: with a row of zeros the image of $\mathbb R^2$ is a ray, and more second layers kill it.
# *A bounded input set*: on $[-1, 1]$ the first layer may be dead already. *An atom at 0*: if the second layer is 0,
# $P(n, 2) = 0$.


# %%
@claim.neighbour("A_1 invertible almost surely; S_0 = R^n")
def singular_or_bounded(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(53)
    second = [[some(rng) for _ in range(2)] for _ in range(2)], [some(rng) for _ in range(2)]
    alive, size = alive_orbit([([[2, 3], [0, 0]], [5, 7]), second], Polyhedron.space(2))
    yield Fraction(alive, size), closed_forms.upper_bound(2, 2)
    alive, size = alive_orbit([([[1]], [2]), ([[1]], [1])], Polyhedron.box([(-1, 1)]))
    yield Fraction(alive, size), closed_forms.upper_bound(1, 2)


@claim.neighbour("parameters independent, symmetric")
def other_laws(depth: str) -> Iterator[tuple[object, ...]]:
    """One sign for the whole second layer; then a negative one."""
    living = []
    for s in (1, -1):
        net = [([[2, 3], [1, 5]], [1, -4]), ([[s, 2 * s], [3 * s, s]], [s, 5 * s])]
        profiles, _ = dead_neurons_orbit(net, Polyhedron.space(2), "none")
        living.append(sum(number for dead, number in profiles.items() if dead[1] < 2))
    yield Fraction(sum(living), 2), closed_forms.upper_bound(2, 2)
    yield living[1], closed_forms.upper_bound(2, 2)


@claim.neighbour("no atom at 0")
def zero_layer(depth: str) -> Iterator[tuple[object, ...]]:
    alive, size = alive_orbit([([[2, 3], [1, 5]], [1, 4]), ([[0, 0], [0, 0]], [0, 0])], Polyhedron.space(2))
    yield Fraction(alive, size), closed_forms.upper_bound(2, 2)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
