# %% [markdown]
# # Residual connections: neurons die, but a dead layer kills no other
#
# **Notation.** A residual network of width $n$ and depth $k$ on $S_0 \subseteq \mathbb R^n$:
# $y_0 = x$, $z_j = A_j y_{j-1} + b_j$, $y_j = y_{j-1} + \max(z_j, 0)$. Layer $j$ is dead on $S_0$ (at a point) if no
# neuron of $z_j$ is positive anywhere on $S_0$ (at the point). Plain networks have $y_j = \max(z_j, 0)$.
#
# **Statement.** (i) Neurons still die: if $S_0 \subseteq \mathbb R^n_+$, each neuron is dead with probability at least
# $2^{-(n+1)}$ and each layer with probability at least $2^{-n^2-n}$, as in plain networks.
#
# (ii) A layer that is dead on $S_0$ can be deleted: no value of any other layer changes on $S_0$. (In a plain network
# all later layers see the one point 0.)
#
# (iii) At a point of $S_0$ the $k$ layers are dead independently of each other, each with probability $2^{-n}$. Almost
# surely some parameter of every layer that is alive at the point has a derivative other than 0 there ($y_k$ depends on
# it). So at the point all derivatives by parameters of the $k$ layers are 0 if and only if all layers are dead there:
# with probability $2^{-nk}$. In a plain network one dead layer is enough to cut off all before it: $1 - (1 -
# 2^{-n})^k$.

# %%
from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import comb

import sympy

from geomrelu import checker
from geomrelu.certificates.files import as_certificate
from geomrelu.claims.registry import Claim
from geomrelu.deadness.decide import decide
from geomrelu.deadness.verdict import Status
from geomrelu.exact.affine import AffineMap
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.io.tape import Tape, joined
from geomrelu.network.network import Network
from geomrelu.random_networks import closed_forms

claim = Claim(
    label="residual-bypass",
    title="Residual networks",
    statement="residual connections: neurons die, dead layers can be deleted; P(all layers dead at a point) = 2^(-n k)",
    latex=r"y_j = y_{j-1} + \max(A_j y_{j-1} + b_j, 0):\quad P(\text{all layers dead at } x) = 2^{-nk}",
    source="Rister & Rubin, section 7.2",
    hypotheses=(
        "for (i): S_0 in the orthant",
        "connections around the layers",
        "no atoms",
        "parameters independent, symmetric",
    ),
    uses=("orthant-kill", "lower-bound"),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (i).** By induction $y_j \in \mathbb R^n_+$ on $S_0$, since $y_{j-1}$ and $\max(z_j, 0)$ are. A neuron
# without positive parameters is dead there ([`orthant-kill`](orthant-kill.py), Step 1); it has $n + 1$ parameters, a
# layer $n (n + 1)$.
#
# **Step 2 (ii).** If $z_j \le 0$ on $S_0$, then $y_j = y_{j-1} + 0$ there.
#
# **Step 3 (iii, independence).** Given the layers before it, layer $j$ is dead at $y_{j-1}$ with probability $2^{-n}$,
# whatever $y_{j-1}$ is ([`lower-bound`](lower-bound.py), Steps 1 and 2). So the indicators are independent, and all
# layers are dead with probability $2^{-nk}$.
#
# **Step 4 (iii, dependence).** No pre-activation is 0 at the point (probability 1), so near it $y_k$ is a smooth
# function of the parameters. Let $D_l$ be the diagonal matrix of zeros and ones that says which neurons of layer $l$
# are positive. If neuron $i$ of layer $j$ is, then
# $$\frac{\partial y_k}{\partial b_{j,i}} = (I + D_k A_k) \cdots (I + D_{j+1} A_{j+1})\, e_i .$$
# For each of the finitely many $D$, $\det(I + D A)$ is a polynomial in $A$ that is 1 at $A = 0$, so it is not the zero
# polynomial, and vanishes with probability 0 (independent entries without atoms: a nonzero polynomial in them vanishes
# with probability 0). Hence almost surely all factors are invertible, and the derivative is not
# 0. If layer $j$ is dead at the point, its parameters have derivative 0. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    # Step 2
    y, z = sympy.Symbol("y", real=True), sympy.Symbol("z", nonpositive=True)
    yield y + sympy.Max(z, 0), y
    # Step 3: by products, and as the last term of the binomial law
    n, k, i, j = sympy.symbols("n k i j", integer=True, positive=True)
    half = sympy.Rational(1, 2)
    layer = sympy.Product(half, (i, 1, n)).doit()
    yield "every n, k", sympy.Product(layer, (j, 1, k)).doit(), closed_forms.residual_dead_point(n, k)
    for layers in range(1, 6):
        law = [sympy.binomial(layers, m) * layer**m * (1 - layer) ** (layers - m) for m in range(layers + 1)]
        yield sum(law), sympy.Integer(1)
        yield law[-1], closed_forms.residual_dead_point(n, layers)
        yield law[0], closed_forms.lower_bound(n, layers)
    # Step 4: the determinants at A = 0, and for one layer the derivative itself
    for size in (1, 2, 3):
        entries = sympy.symbols(f"a:{size * size}")
        matrix = sympy.Matrix(size, size, entries)
        for active in product((0, 1), repeat=size):
            determinant = (sympy.eye(size) + sympy.diag(*active) * matrix).det()
            yield determinant.subs(dict.fromkeys(entries, 0)), sympy.Integer(1)
    a, b, c, d = sympy.symbols("a b c d")
    first = y + (a * y + b)  # both layers active
    yield (first + (c * first + d)).diff(b), 1 + c


# %% [markdown]
# ## Decision
#
# Residual networks with all sign choices of their parameters: every neuron is decided on the domain, and the
# certificates checked. (i) On the orthant a neuron of layer 1 is dead if and only if none of its parameters is
# positive, and in later layers it is then, too. (ii) Where a layer is dead, the network without it has the same dead
# neurons in the other layers.

# %%
Layers = Sequence[Sequence[Sequence[int]]]  # of each layer the rows (b, a1, ..., an)
Domain = Polyhedron | FiniteSet


def network(layers: Layers, bypass: bool = True) -> Network:
    tape = Tape(len(layers[0][0]) - 1)
    value = tape.input
    for rows in layers:
        map_ = AffineMap.from_dense([row[1:] for row in rows], [row[0] for row in rows])
        activated = tape.relu(map_.after(value))
        if rows is not layers[-1]:  # what comes after the last layer is not judged
            value = joined(value, activated) if bypass else activated
    return Network.from_tape(tape.finish(activated))


def dead_neurons(layers: Layers, domain: Domain, bypass: bool = True) -> tuple[list[tuple[bool, ...]], bool]:
    """(of each layer which neurons are dead on the domain, were all reasons accepted)."""
    net = network(layers, bypass)
    found, accepted = [], True
    for report in decide(net, domain):
        found.append(tuple(v.status is Status.DEAD for v in report.verdicts))
        claims = [v.claim for v in report.verdicts if v.claim is not None]
        proof = as_certificate(claims, net.digest, domain.checked.digest(), report.points)
        accepted &= len(checker.check(proof, net.checked, domain.checked)) == report.width
    return found, accepted


def choices(n: int, k: int, seed: int) -> Iterator[list[list[list[int]]]]:
    rng = random.Random(seed)
    magnitudes = [rng.randint(1, 99) for _ in range(k * n * (n + 1))]
    for signs in product((1, -1), repeat=len(magnitudes)):
        v = iter(s * m for s, m in zip(signs, magnitudes, strict=True))
        yield [[[next(v) for _ in range(n + 1)] for _ in range(n)] for _ in range(k)]


def deletions(name: str, layers: Layers, domain: Domain) -> Iterator[tuple[object, ...]]:
    """(ii): the number of neurons that deleting a dead layer changes."""
    found, accepted = dead_neurons(layers, domain)
    for j, dead in enumerate(found):
        if all(dead) and len(layers) > 1:
            others, agreed = dead_neurons([*layers[:j], *layers[j + 1 :]], domain)
            changed = sum(a != b for a, b in zip([*found[:j], *found[j + 1 :]], others, strict=True))
            yield name, changed, 0, accepted and agreed


@claim.decide("networks")
def networks(depth: str) -> Iterator[tuple[object, ...]]:
    interval, halfline, line = Polyhedron.box([(-1, 2)]), Polyhedron.orthant(1), Polyhedron.space(1)
    for k in range(2, 5 if depth == "thorough" else 4):
        for layers in choices(1, k, 170 + k):
            found, accepted = dead_neurons(layers, halfline)
            for j, ((row,), (dead,)) in enumerate(zip(layers, found, strict=True)):
                if j == 0 or max(row) < 0:
                    yield f"n = 1, k = {k}: neurons on the half line", dead, max(row) < 0, accepted
            for domain, name in ((halfline, "half line"), (interval, "interval"), (line, "line")):
                yield from deletions(f"n = 1, k = {k}: deletions, {name}", layers, domain)
    quadrant = Polyhedron.orthant(2)
    second = [list(row) for row in product((5, -5), (3, -3), (7, -7))]  # all sign choices of a neuron at once
    for (first,) in choices(2, 1, 175):
        found, accepted = dead_neurons([first, second], quadrant)
        for row, dead in zip(first, found[0], strict=True):
            yield "n = 2, layer 1: neurons on the quadrant", dead, max(row) < 0, accepted
        for row, dead in zip(second, found[1], strict=True):
            if max(row) < 0:
                yield "n = 2, layer 2: neurons on the quadrant", dead, True, accepted
        yield from deletions("n = 2: deletions", [first, second], quadrant)


# %% [markdown]
# ## Enumeration
#
# (iii): all sign choices at a point, for random magnitudes: how many layers are dead? And the derivatives of Step 4.


# %%
def at_point(layers: Layers, point: Sequence[int]) -> tuple[list[bool], int]:
    """(which layers are dead at the point, how many layers that live there have no derivative by a bias)."""
    n, y = len(point), list(point)
    dead, columns = [], list[list[int]]()  # of layers that live: derivative of y by the bias of a positive neuron
    for rows in layers:
        z = [row[0] + sum(a * v for a, v in zip(row[1:], y, strict=True)) for row in rows]
        y = [v + max(w, 0) for v, w in zip(y, z, strict=True)]
        columns = [
            [c[i] + (z[i] > 0) * sum(a * v for a, v in zip(rows[i][1:], c, strict=True)) for i in range(n)]
            for c in columns
        ]
        dead.append(max(z) <= 0)
        if not dead[-1]:
            i = z.index(max(z))
            columns.append([int(j == i) for j in range(n)])
    return dead, sum(not any(c) for c in columns)


@claim.enumerate("orbits, each number of dead layers")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    for n, k in ((1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2), (3, 1)) + (((1, 7),) if depth == "thorough" else ()):
        counts: Counter[int] = Counter()
        lost = 0
        for layers in choices(n, k, 180):
            dead, without = at_point(layers, range(2, n + 2))
            counts[sum(dead)] += 1
            lost += without
        q, total = Fraction(1, 2**n), counts.total()
        for m in range(k):
            yield Fraction(counts[m], total), comb(k, m) * q**m * (1 - q) ** (k - m)
        yield f"n = {n}, k = {k}: all layers dead", Fraction(counts[k], total), closed_forms.residual_dead_point(n, k)
        yield lost, 0


# %% [markdown]
# ## Neighbours that fail
#
# *A set that is not in the orthant*, for (i): on the line no neuron of layer 1 is dead. *Without the connections*: the
# point is lost with probability $1 - (1 - 2^{-n})^k$, and deleting a dead layer changes the others. *With atoms*: for
# $a = -1$, $y + \max(b - y, 0) = \max(y, b)$ forgets $y$, and layer 1 with it.


# %%
@claim.neighbour("for (i): S_0 in the orthant")
def the_line(depth: str) -> Iterator[tuple[object, ...]]:
    """On the whole line no neuron of layer 1 is dead."""
    died = total = 0
    for layers in choices(1, 1, 192):
        found, _ = dead_neurons(layers, Polyhedron.space(1), bypass=True)
        died, total = died + sum(map(sum, found)), total + 1
    yield Fraction(died, total), ">=", closed_forms.orthant_kill(1)


@claim.neighbour("connections around the layers; no atoms")
def plain_or_atoms(depth: str) -> Iterator[tuple[object, ...]]:
    for k in (2, 3):
        lost = total = 0
        for layers in choices(1, k, 190):
            found, _ = dead_neurons(layers, FiniteSet.of([[2]]), bypass=False)
            lost += any(dead for (dead,) in found)
            total += 1
        yield Fraction(lost, total), closed_forms.residual_dead_point(1, k)
    layers = [[[-1, -1]], [[-1, 1]]]  # layer 1 is dead on the half line; layer 2 sees all of it, or only 0
    deleted, _ = dead_neurons(layers[1:], Polyhedron.orthant(1), bypass=False)
    kept, _ = dead_neurons(layers, Polyhedron.orthant(1), bypass=False)
    yield int(kept[1][0]), int(deleted[0][0])
    yield at_point([[[1, 1]], [[9, -1]]], [1])[1], 0


@claim.neighbour("parameters independent, symmetric")
def equal_or_one_sided(depth: str) -> Iterator[tuple[object, ...]]:
    """At a point: two equal neurons are dead together; negative parameters always."""
    point, dead = FiniteSet.of([[2, 2]]), 0
    for s, t in product((1, -1), repeat=2):
        found, _ = dead_neurons([[[t, 3 * s, 5 * s]] * 2], point, bypass=True)
        dead += all(found[0])
    yield Fraction(dead, 4), closed_forms.residual_dead_point(2, 1)
    found, _ = dead_neurons([[[-1, -3]]], FiniteSet.of([[2]]), bypass=True)
    yield int(all(found[0])), closed_forms.residual_dead_point(1, 1)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
