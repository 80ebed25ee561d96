# %% [markdown]
# # A network is constant if and only if a hidden layer is dead
#
# **Notation.** $F(x) = W_L h_{L-1}(x) + b_L$, $h_l(x) = \max(W_l h_{l-1}(x) + b_l, 0)$, $h_0(x) = x$, on a set
# $D \subseteq \mathbb R^{N_0}$ of inputs. Hidden layer $l < L$ is *dead* on $D$ if $h_l = 0$ on $D$. The network *dies*
# if $F$ is constant on $D$.
#
# **Statement.** Let $D$ have at least two points (any set: finite, a ball, all of space). Let the rows $w$ of each
# $W_l$ satisfy $P(w \cdot z = 0) = 0$ for each fixed $z \ne 0$, and let $W_l$ be independent of the layers before it.
# The biases may be anything. Then, almost surely, $F$ is constant on $D$ if and only if a hidden layer is dead on $D$.
# Hence
# $$P(\text{dies}) = P(\exists\, l < L: h_l = 0 \text{ on } D).$$

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise, product

import sympy

from geomrelu import Status, checker, decide
from geomrelu.certificates.files import as_certificate
from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.network.network import Network

claim = Claim(
    label="dead-iff-layer-dead",
    title="Constant if and only if a layer is dead",
    statement="on a domain of at least two points a random network is constant if and only if a hidden layer is dead",
    latex=r"P(\mathcal N^L \text{ is constant on } D) = P(\exists\, l < L:\ \phi(\mathcal N^l) = 0 \text{ on } D)",
    source="Lu, Shin, Su & Karniadakis, lemma 1",
    hypotheses=(
        "P(w·z = 0) = 0 for each row w and each z != 0",
        "layers independent",
        "D has at least two points",
    ),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (if).** If $h_l = 0$ on $D$, all later layers and $F$ are functions of $h_l$, hence constant. (This needs no
# hypothesis.)
#
# **Step 2 (one layer).** Let $H \subseteq \mathbb R^N$ be a set of at least two points, fixed, and $W, b$ a layer as
# above, independent of $H$. Almost surely: *if the layer is not dead on $H$, its image $\max(WH + b, 0)$ has at least
# two points.* Choose a countable dense subset $Q$ of $H$ (subsets of $\mathbb R^N$ are separable); it has at least two
# points. As $Q$ is countable, almost surely $w_j \cdot (q - q') \ne 0$ for all $q \ne q'$ in $Q$ and all rows $w_j$.
# Now let neuron $j$ be positive at a point of $H$. By continuity it is positive at a point $q$ of $Q$. Take another
# point $q'$ of $Q$: $z_j(q') \ne z_j(q) > 0$, so $\max(z_j(q'), 0) \ne z_j(q)$, and the two images differ.
#
# **Step 3 (only if).** The image $h_{l-1}(D)$ is a function of the layers before $l$, of which $W_l$ is independent; so
# Step 2 applies to $H = h_{l-1}(D)$, given those layers. By induction over $l = 1, \dots, L-1$, from $h_0(D) = D$ on,
# almost surely a hidden layer is dead on $D$ or every $h_l(D)$ has at least two points. In the second case, given the
# hidden layers, let $y \ne y'$ be two points of $h_{L-1}(D)$. A row $w$ of $W_L$, which is independent of them, has
# $w \cdot (y - y') \ne 0$ almost surely: $F$ is not constant. $\square$
#
# Where the probability 0 is lost: weights that cancel (see the neighbours). A network can be constant on $D$ without a
# dead layer then, but a network with a dead layer is always constant.


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    # Step 1: three layers of width 2, layer 1 or 2 dead (slopes 0), all else arbitrary: no input is left in the output
    for dead in (1, 2):
        output, x = _output(dead)
        yield f"layer {dead} dead: slope", output.diff(x), sympy.Integer(0)
    # Step 2: z(q) = u > 0 and z(q') = u + s or -s: the two values max(z, 0) differ by s or u, which is not 0
    u, s = sympy.symbols("u s", positive=True)
    yield "active at both", _relu(u + s) - _relu(u), s
    yield "silent at the other", _relu(u) - _relu(-s), u


def _relu(value: sympy.Expr) -> sympy.Expr:
    return (value + sympy.Abs(value)) / 2


def _output(dead: int) -> tuple[sympy.Expr, sympy.Symbol]:
    """A network with a symbol for each parameter and for each activity (0 or 1), and its input."""
    x = sympy.Symbol("x")
    value = sympy.Matrix([x])
    for l in (1, 2, 3):
        weights = sympy.Matrix(2, value.rows, lambda i, j, l=l: sympy.Symbol(f"w{l}{i}{j}"))
        active = [0 if l == dead else sympy.Symbol(f"s{l}{i}") for i in (0, 1)]
        value = sympy.diag(*active) * (weights * value + sympy.Matrix(sympy.symbols(f"b{l}0 b{l}1")))
    return sum(value), x


# %% [markdown]
# ## Decision
#
# All sign patterns of the parameters of small networks with random magnitudes. *Constant* is decided by two more
# neurons, $\max(F - F(p), 0)$ and $\max(F(p) - F, 0)$ for a point $p$ of $D$: both are dead on $D$ if and only if $F$
# is constant there. The verdicts on these two and on all hidden neurons have certificates that the independent checker
# accepts.


# %%
def constant_and_dead(layers: list[tuple[list, list]], domain: Polyhedron | FiniteSet) -> tuple[bool, bool, bool]:
    """(is F constant on the domain, is a hidden layer dead there, were the certificates accepted)."""
    point = domain.points[0] if isinstance(domain, FiniteSet) else _point(domain)
    hidden = [(weights, bias, "relu") for weights, bias in layers[:-1]]
    weights, bias = layers[-1]
    value = Network.from_layers([*hidden, (weights, bias, "none")])(point)
    shift = [b - v for b, v in zip(bias, value, strict=True)]
    both = [*weights, *([-a for a in row] for row in weights)]
    net = Network.from_layers([*hidden, (both, [*shift, *(-v for v in shift)], "relu")])
    reports = list(decide(net, domain))
    accepted = True
    for report in reports:
        claims = [v.claim for v in report.verdicts]
        proof = as_certificate(claims, net.digest, domain.checked.digest(), report.points)
        accepted &= len(checker.check(proof, net.checked, domain.checked)) == len(claims)
    dead = [all(v.status is Status.DEAD for v in report.verdicts) for report in reports]
    return dead[-1], any(dead[:-1]), accepted


def _point(domain: Polyhedron) -> tuple[Fraction, ...]:
    generators, _ = domain.generators
    return next(tuple(Fraction(v, g[0]) for v in g[1:]) for g in generators if g[0])


def some(rng: random.Random) -> Fraction:
    return Fraction(rng.randint(1, 99), rng.randint(1, 9))


SETS = [
    ("two points", FiniteSet.of([[1], ["-3/2"]])),
    ("[-1, 2]", Polyhedron.box([(-1, 2)])),
    ("R", Polyhedron.space(1)),
]
PLANE = [
    ("two points", FiniteSet.of([[1, 2], [-3, "1/2"]])),
    ("a square", Polyhedron.box([(-1, 1)] * 2)),
    ("R^2", Polyhedron.space(2)),
]


@claim.decide("networks")
def networks(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(150)
    families = [((1, 1, 1), SETS), ((1, 1, 1, 1), SETS), ((1, 2, 1), SETS), ((2, 1, 1, 1), PLANE[:1])]
    for widths, sets in families:  # every sign pattern
        sizes = [m * (n + 1) for n, m in pairwise(widths)]
        for name, domain in sets:
            for signs in product((-1, 1), repeat=sum(sizes[:-1])):
                yield _case(widths, name, domain, [s * some(rng) for s in (*signs, *[1] * sizes[-1])])
    larger = [((1, 2, 2, 1), SETS), ((2, 2, 2, 1), PLANE), ((2, 2, 1, 2, 1), PLANE), ((1, 3, 1, 2), SETS)]
    for widths, sets in larger:  # random ones; in two of three most signs are -1, so that layers die
        for name, domain in sets:
            for repetition in range(60 if depth == "thorough" else 6):
                count = sum(m * (n + 1) for n, m in pairwise(widths))
                parameters = [rng.choice((-1, 1, -1) if repetition % 3 else (-1, 1)) * some(rng) for _ in range(count)]
                yield _case(widths, name, domain, parameters)


def _case(
    widths: tuple[int, ...], name: str, domain: Polyhedron | FiniteSet, parameters: list[Fraction]
) -> tuple[object, ...]:
    layers, rest = [], iter(parameters)
    for n, m in pairwise(widths):
        rows = [[next(rest) for _ in range(n + 1)] for _ in range(m)]
        layers.append(([row[1:] for row in rows], [row[0] for row in rows]))
    return f"{'-'.join(map(str, widths))} on {name}", *constant_and_dead(layers, domain)


# %% [markdown]
# ## Enumeration
#
# The same probability on both sides, on whole sign orbits, by evaluating at two points.


# %%
@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(151)
    for widths in ((1, 1, 1), (1, 1, 1, 1), (1, 2, 1), (2, 1, 1, 1), (1, 1, 2, 1), (2, 2, 1)):
        for bias in (True, False):
            points = [[rng.choice((-1, 1)) * some(rng) for _ in range(widths[0])] for _ in range(2)]
            constant = dead = size = 0
            magnitudes = [[[some(rng) for _ in range(n + 1)] for _ in range(m)] for n, m in pairwise(widths)]
            for signs in product((-1, 1), repeat=sum(len(layer) * len(layer[0]) for layer in magnitudes[:-1])):
                rest = iter(signs)
                inner = [[[next(rest) * v for v in row] for row in layer] for layer in magnitudes[:-1]]
                values, killed = points, False
                for layer in inner:
                    values = [[max(v, Fraction(0)) for v in _affine(layer, x, bias)] for x in values]
                    killed |= not any(map(any, values))
                one, other = (_affine(magnitudes[-1], x, bias) for x in values)
                constant, dead, size = constant + (one == other), dead + killed, size + 1
            name = f"{'-'.join(map(str, widths))}, {'with' if bias else 'without'} biases"
            yield name, Fraction(constant, size), Fraction(dead, size)


def _affine(rows: list[list[Fraction]], x: list[Fraction], bias: bool) -> list[Fraction]:
    return [row[0] * bias + sum(a * v for a, v in zip(row[1:], x, strict=True)) for row in rows]


# %% [markdown]
# ## Neighbours that fail
#
# *On one point* every network is constant, with or without a dead layer: here $\max(x, 0)$ at 1. *With weights that
# cancel*: $\max(x, 0) - \max(x, 0) + 1$ is constant on $\mathbb R$, and no layer of
# $x \mapsto (\max(x, 0), \max(x, 0)) \mapsto 1$ is dead.


# %%
@claim.neighbour("D has at least two points; P(w·z = 0) = 0 for each row w and each z != 0")
def one_point_or_cancelling(depth: str) -> Iterator[tuple[object, ...]]:
    constant, dead, accepted = constant_and_dead([([[1]], [0]), ([[1]], [0])], FiniteSet.of([[1]]))
    yield int(constant and accepted), int(dead)
    twice = [([[1], [1]], [0, 0]), ([[1, -1]], [1]), ([[1]], [0])]
    constant, dead, accepted = constant_and_dead(twice, Polyhedron.space(1))
    yield int(constant and accepted), int(dead)


@claim.neighbour("layers independent")
def depending_layers(depth: str) -> Iterator[tuple[object, ...]]:
    """Layer 2 has the weights (2, -1) because layer 1 has (1, 2): constant, and nothing dead, on positive inputs."""
    layers = [([[1], [2]], [0, 0]), ([[2, -1]], [1]), ([[1]], [0])]
    constant, dead, accepted = constant_and_dead(layers, FiniteSet.of([[1], [2], [3]]))
    yield int(constant and accepted), int(dead)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
