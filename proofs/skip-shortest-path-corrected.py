# %% [markdown]
# # Skip connections: shortest paths bound the probability of life, and cuts that of death
#
# **Notation.** An acyclic network of layers of width $n$; each layer reads the input or some layers before it (all
# their outputs, with weights and biases of its own), and is followed by the ReLU. At a point of the input set a layer
# is *dead* if no neuron of it is positive there; it is *reached* if it is not dead and reads the input or a layer that
# is reached. The network is alive at a point if its last layer is reached there; otherwise its output is constant near
# the point. A *path* leads from the input to the last layer; a *cut* is a set of layers that meets every path.
# $q = 2^{-n}$; $s$ is the least number of layers on a path, $c$ the least size of a cut, $N_c$ the number of cuts of
# this size.
#
# **Statement.** Rows are independent and symmetric, and $P(a \cdot y + b = 0) = 0$ for each $y$. (i) At a point the
# layers are dead independently, each with probability $q$. So $P$, the probability that the network is alive at the
# point, is the reliability of its graph: $P = \sum_U q^{k - |U|} (1 - q)^{|U|}$ over all sets $U$ of layers that
# contain a path.
#
# (ii) $P \ge (1 - 2^{-n})^s$, and on every nonempty $S_0$ the network is alive somewhere at least this likely. At a
# point there is equality if and only if all paths contain all layers of the shortest path.
#
# (iii) In a U-Net whose chunks are chains of $L$ layers (chunks down, one at the bottom, chunks up, each of which reads
# the chunk below it and the one on its level) $P = (1 - 2^{-n})^{2L}$ if there are at least two levels, however many.
#
# (iv) $1 - P \ge 2^{-nc}$, and $(1 - P)\, 2^{nc} \to N_c$ as $n \to \infty$: death of wide networks is governed by the
# smallest cut, not by the shortest path.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, product

import sympy

from geomrelu import checker
from geomrelu.certificates.files import as_certificate
from geomrelu.claims.registry import Claim
from geomrelu.deadness.decide import decide
from geomrelu.deadness.verdict import Status
from geomrelu.exact.affine import AffineMap
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.io.tape import Tape
from geomrelu.network.network import Network
from geomrelu.random_networks import closed_forms

claim = Claim(
    label="skip-shortest-path-corrected",
    title="Skip connections",
    statement="skip connections: P(alive at a point) >= (1 - 2^-n)^s, s layers on the shortest path; U-Net: = , s = 2L",
    latex=r"P(\text{alive at } x) \ge (1 - 2^{-n})^s; \quad \text{U-Net: } P = (1 - 2^{-n})^{2L}",
    source="Rister & Rubin, section 7.2 (corrected)",
    hypotheses=(
        "parameters independent, also between layers",
        "no atoms: a·y + b = 0 has probability 0",
        "parameters symmetric",
    ),
    uses=("lower-bound",),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (i).** Given the layers before it, a layer is dead at what it reads there with probability $2^{-n}$, whatever
# that is ([`lower-bound`](lower-bound.py), Steps 1 and 2). So the indicators are independent. The last layer is reached
# if and only if some path has no dead layer.
#
# **Step 2 (ii).** If no layer of a shortest path is dead, the last one is reached: probability $(1 - q)^s$. If one
# point of $S_0$ is alive, the network is alive somewhere on $S_0$. If some path $Q$ misses a layer $v$ of the shortest
# path, it happens with positive probability that $v$ is dead and all of $Q$ is not, and then the network is alive
# without the shortest path; otherwise every path without dead layers contains the shortest path.
#
# **Step 3 (iii).** The first chunk down is read by the last chunk up, so there is a path of $2L$ layers. Every path
# starts with the first chunk (nothing else reads the input) and ends with the last one, and these are chains: all paths
# contain all of these $2L$ layers, so they are the shortest path, and (ii) holds with equality.
#
# **Step 4 (iv).** If all layers of a smallest cut are dead, no path is left: $1 - P \ge q^c$. The network is dead at
# the point if and only if the set of dead layers is a cut, so $1 - P = \sum_C q^{|C|} (1 - q)^{k - |C|}$ over all cuts
# $C$; divided by $q^c$ this tends to the number of cuts with $c$ layers as $q \to 0$. $\square$

# %%
Reads = Sequence[Sequence[int]]  # what each layer reads, 0: the input


def is_reached(reads: Reads, dead: Sequence[bool]) -> bool:
    reached = [True]
    for sources, gone in zip(reads, dead, strict=True):
        reached.append(not gone and any(reached[i] for i in sources))
    return reached[-1]


def reliability(reads: Reads, q: sympy.Expr) -> sympy.Expr:
    """By walking all sets of dead layers."""
    total = sympy.Integer(0)
    for dead in product((False, True), repeat=len(reads)):
        if is_reached(reads, dead):
            total += q ** sum(dead) * (1 - q) ** (len(reads) - sum(dead))
    return sympy.expand(total)


def cuts(reads: Reads) -> tuple[int, int]:
    """(the least size of a cut, how many there are of this size), from the paths."""
    paths: list[list[frozenset[int]]] = [[frozenset()]]
    for j, sources in enumerate(reads, 1):
        paths.append([path | {j} for i in sources for path in paths[i]])
    for size in range(1, len(reads) + 1):
        found = sum(all(path & set(c) for path in paths[-1]) for c in combinations(range(1, len(reads) + 1), size))
        if found:
            return size, found
    return 0, 0


def shortest(reads: Reads) -> int:
    length = [0]
    for sources in reads:
        length.append(1 + min(length[i] for i in sources))
    return length[-1]


def u_net(levels: int, chunk: int) -> list[list[int]]:
    reads: list[list[int]] = []
    ends = []  # of the chunks down, the bottom last
    for level in range(2 * levels - 1):
        for i in range(chunk):
            last = len(reads)
            reads.append([last] if level < levels or i else [ends[2 * levels - 2 - level], last])
        ends.append(len(reads))
    return reads


def chains(layers: int) -> Iterator[list[list[int]]]:
    """The chain of the given length with any skip connections."""
    skips = [(i, j) for j in range(2, layers + 1) for i in range(j - 1)]
    for count in range(len(skips) + 1):
        for chosen in combinations(skips, count):
            yield [[i for i in range(j) if i == j - 1 or (i, j) in chosen] for j in range(1, layers + 1)]


U_NETS = [(2, 1), (3, 1), (4, 1), (2, 2), (3, 2), (2, 3)]  # levels, layers of a chunk


@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n, q = sympy.Symbol("n", integer=True, positive=True), sympy.Symbol("q", positive=True)
    width = sympy.Integer(2) ** -n
    for layers in range(1, 5):  # a chain is its own shortest path
        yield reliability([[i] for i in range(layers)], q).subs(q, width), closed_forms.lower_bound(n, layers)
    # (iii)
    for levels, chunk in U_NETS:
        case = reliability(u_net(levels, chunk), q).subs(q, width), closed_forms.lower_bound(n, 2 * chunk)
        yield f"U-Net, {levels} levels, L = {chunk}", *case
    # (iv)
    for layers in range(1, 5):
        for reads in chains(layers):
            c, number = cuts(reads)
            yield sympy.limit((1 - reliability(reads, q)) / q**c, q, 0), sympy.Integer(number)
    # the smallest case in which the shortest path does not decide
    yield "layers read 0, 0+1, 1+2", reliability([[0], [0, 1], [1, 2]], q), (1 - q) * (1 - q**2)


# %% [markdown]
# ## Enumeration
#
# All sign choices of networks of width 1, at a point and on three points: the fraction that is alive, against the
# reliability of the graph and the bounds of (ii) and (iv). All chains of up to 4 layers with skip connections, and
# U-Nets.


# %%
def parameters(reads: Reads, rng: random.Random) -> list[int]:
    return [rng.randint(1, 999) for sources in reads for _ in range(1 + len(sources))]


def alive_at(reads: Reads, values: Sequence[int], x: int) -> bool:
    own, y, dead = iter(values), [x], []
    for sources in reads:
        z = next(own) + sum(next(own) * y[i] for i in sources)
        y.append(max(z, 0))
        dead.append(z <= 0)
    return is_reached(reads, dead)


def alive(reads: Reads, magnitudes: Sequence[int], points: Sequence[int]) -> Fraction:
    """The fraction of sign choices that are alive at one of the points."""
    count = 0
    for signs in product((1, -1), repeat=len(magnitudes)):
        values = [s * v for s, v in zip(signs, magnitudes, strict=True)]
        count += any(alive_at(reads, values, x) for x in points)
    return Fraction(count, 2 ** len(magnitudes))


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng, half = random.Random(201), sympy.Rational(1, 2)
    for layers in range(1, 5 if depth == "thorough" else 4):
        for reads in chains(layers):
            magnitudes, s = parameters(reads, rng), shortest(reads)
            shown = "layers read " + ", ".join("+".join(map(str, sources)) for sources in reads)
            at_point = alive(reads, magnitudes, [3])
            yield f"{shown}: at a point", at_point, reliability(reads, half)
            yield at_point, ">=", closed_forms.lower_bound(1, s)
            yield 1 - at_point, ">=", Fraction(1, 2 ** cuts(reads)[0])
            yield f"{shown}: on 3 points", alive(reads, magnitudes, [-5, 1, 8]), ">=", closed_forms.lower_bound(1, s)
    for levels, chunk in [(2, 1), (3, 1), (2, 2)] if depth == "thorough" else [(2, 1), (3, 1)]:
        reads = u_net(levels, chunk)
        at_point = alive(reads, parameters(reads, rng), [3])
        yield f"U-Net, {levels} levels, L = {chunk}: at a point", at_point, closed_forms.lower_bound(1, 2 * chunk)


# %% [markdown]
# ## Decision
#
# The same networks with exact layers that read several others. At a point every layer is decided, with certificates,
# and the last layer is reached according to them in as many sign choices as by direct evaluation. On the whole line:
# the U-Net with two levels and $L = 1$ lives on although its bottom is dead, if and only if its two other layers do.


# %%
def network(reads: Reads, values: Sequence[int]) -> Network:
    own, tape = iter(values), Tape(1)
    outputs = [tape.input]
    for sources in reads:
        bias, weights = next(own), [next(own) for _ in sources]
        read = AffineMap.stacked([outputs[i].widened(tape.variables) for i in sources])
        outputs.append(tape.relu(AffineMap.from_dense([weights], [bias]).after(read)))
    return Network.from_tape(tape.finish(outputs[-1]))


def dead_layers(net: Network, domain: Polyhedron | FiniteSet) -> tuple[list[bool], bool]:
    """(which layers are dead on the domain, were all reasons accepted)."""
    dead, accepted = [], True
    for report in decide(net, domain):
        dead.append(all(v.status is Status.DEAD for v in report.verdicts))
        claims = [v.claim for v in report.verdicts if v.claim is not None]
        proof = as_certificate(claims, net.digest, domain.checked.digest(), report.points)
        accepted &= len(checker.check(proof, net.checked, domain.checked)) == report.width
    return dead, accepted


@claim.decide("sign choices")
def decided(depth: str) -> Iterator[tuple[object, ...]]:
    rng, point, line = random.Random(202), FiniteSet.of([[3]]), Polyhedron.space(1)
    for reads in ([[0], [0, 1], [1, 2]], [[0], [1], [0, 2]], u_net(2, 1)):
        magnitudes = parameters(reads, rng)
        shown = ", ".join("+".join(map(str, sources)) for sources in reads)
        for signs in product((1, -1), repeat=len(magnitudes)):
            values = [s * v for s, v in zip(signs, magnitudes, strict=True)]
            dead, accepted = dead_layers(network(reads, values), point)
            yield f"layers read {shown}: at a point", is_reached(reads, dead), alive_at(reads, values, 3), accepted
    reads = u_net(2, 1)
    magnitudes = parameters(reads, rng)
    for signs in product((1, -1), repeat=len(magnitudes)):
        values = [s * v for s, v in zip(signs, magnitudes, strict=True)]
        dead, accepted = dead_layers(network(reads, values), line)
        if dead[1]:
            without = [*values[:2], *values[4:6]]  # the last layer reads layer 1 first, and of the bottom only zeros
            others, agreed = dead_layers(network([[0], [1]], without), line)
            yield "U-Net with a dead bottom, on R", is_reached(reads, dead), not any(others), accepted and agreed


# %% [markdown]
# ## Neighbours that fail
#
# *Layers with the same parameters*: if layers 1 and 2 both read the input and share their parameters, they die
# together. *With atoms*: $n = 1$ and parameters $\pm 1$, at $x = 1$: $z$ is 2, 0, 0 or $-2$, so one layer is alive with
# probability $\frac14 < \frac12$. *Without biases* all layers are dead at 0.


# %%
@claim.neighbour("parameters independent, also between layers; no atoms: a·y + b = 0 has probability 0")
def tied_or_with_atoms(depth: str) -> Iterator[tuple[object, ...]]:
    reads, count = [[0], [0], [1, 2]], 0
    for a, b, *last in product(*((-v, v) for v in (2, 3, 5, 7, 11))):
        count += alive_at(reads, [a, b, a, b, *last], 3)
    yield Fraction(count, 32), reliability(reads, sympy.Rational(1, 2))
    one = sum(alive_at([[0]], [b, a], 1) for a, b in product((-1, 1), repeat=2))
    yield Fraction(one, 4), ">=", closed_forms.lower_bound(1, 1)
    living = sum(alive_at([[0], [1]], [0, a, 0, b], 0) for a, b in product((-2, 2), (-3, 3)))
    yield Fraction(living, 4), ">=", closed_forms.lower_bound(1, 2)


@claim.neighbour("parameters symmetric")
def one_sided(depth: str) -> Iterator[tuple[object, ...]]:
    """Negative parameters at a positive input: dead."""
    yield int(alive_at([[0], [1]], [-2, -3, -5, -7], 3)), ">=", closed_forms.lower_bound(1, 2)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
