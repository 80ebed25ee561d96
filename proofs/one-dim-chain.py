# %% [markdown]
# # Networks without biases on the line
#
# **Notation.** $L - 1 = m$ hidden layers of width $N$, no biases, input dimension 1; $S_0$ holds a point on either side
# of 0. The network dies if a hidden layer is nowhere positive on the image of $S_0$. It is positively homogeneous: all
# is said by the two rays through $1$ and $-1$. The image of a ray is a ray, through the image $u$ or $v$ of $1$ or
# $-1$, or 0.
#
# **Statement.** If the weights are independent, symmetric about 0 and have no atoms, then
# $$1 - (1 - 2^{-N})^{L-1} \ge P(\text{dies}) \ge 1 - P_{22}^{L-2} -
#   \frac{(1 - 2^{1-N})(1 - 2^{-N})}{1 + (N-1) 2^{-N}} \left(P_{22}^{L-2} - P_{33}^{L-2}\right),$$
# $P_{22} = 1 - 2^{-N}$, $P_{33} = 1 - 2^{1-N} - (N-1) 4^{-N}$. For $L = 2$ and $L = 3$ the right side is the exact
# value, $0$ and $3 \cdot 4^{-N} - 2 \cdot 8^{-N}$. The bounds hold on each sign orbit with generic magnitudes.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.orbit import dead_neurons_orbit

claim = Claim(
    label="one-dim-chain",
    title="The chain of one-dimensional networks",
    statement="no biases, S_0 = R: m hidden layers of width N die at least as often as a chain of 3 states is absorbed",
    latex=r"P(\text{dies}) \ge 1 - P_{22}^{L-2} - \frac{(1 - 2^{1-N})(1 - 2^{-N})}{1 + (N-1) 2^{-N}}"
    r"\left(P_{22}^{L-2} - P_{33}^{L-2}\right)",
    source="Lu, Shin, Su & Karniadakis, theorem 3",
    hypotheses=(
        "no biases",
        "input dimension 1",
        "S_0 on both sides of 0",
        "weights independent, no atoms",
        "weights symmetric",
    ),
    uses=("dying-bound",),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (the states).** After a layer let the state be 1 if it is dead, 2 if exactly one of $u, v$ is not 0 or both
# are not and they are parallel, 3 if neither is 0 and they are not parallel. From state 2 there is one ray only, or two
# that live and die together and stay parallel: a neuron is positive on it with probability $\frac12$, so a layer of $N$
# neurons dies with probability $2^{-N}$, and the state is 2 otherwise. State 1 is never left.
#
# **Step 2 (layer 1).** Neuron $i$ is $\max(a_i x, 0)$, alive on exactly one of the two rays, by the sign of $a_i$. The
# layer is not dead. It is in state 2 if all signs agree, which has probability $2 \cdot 2^{-N}$ (for $N = 1$: always),
# otherwise in state 3, and then $u$ and $v$ have disjoint supports. The start is $(0, 2^{1-N}, 1 - 2^{1-N})$.
#
# **Step 3 (one neuron in state 3).** Let $w$ be its weights and $p = P(w \cdot u < 0, w \cdot v < 0)$. Neither product
# is 0, almost surely, because $u, v \ne 0$. As $w$ and $-w$ have the same law, the neuron is active on both rays with
# probability $p$ too, each single one is active with probability $\frac12$, and so the neuron is active on the first
# only with probability $\frac12 - p$, and on the second only likewise. If $u$ and $v$ have disjoint supports, the two
# products are independent and $p = \frac14$. Always $p \ge \frac14$: given the magnitudes $|w_j|$, the events
# $w \cdot u > 0$ and $w \cdot v > 0$ are both increasing in the signs of $w$, because $u, v \ge 0$; the signs are
# independent, and increasing events of independent signs are positively correlated (Harris 1960): for one sign,
# $E[f g] - E[f] E[g] = \frac14 (f(1) - f(-1)) (g(1) - g(-1)) \ge 0$, and for more by induction, conditioning on the
# last one, because the conditional expectations of increasing functions are increasing in it.
#
# **Step 4 (one layer in state 3).** The $N$ neurons are independent, given $u, v$. Let $\pi$ be the product of their
# $p$. The layer is dead with probability $\pi$. Only the first ray lives with probability $2^{-N} - \pi$ (no neuron is
# active on the second, but not all are silent), and only the second likewise. If exactly one neuron is active on both
# rays and all others are silent on both, the images are parallel: $N$ places, $\pi$ each. In all other cases both rays
# live. If a neuron is active on one of them only, the images have different supports and are not parallel. Otherwise
# two neurons $i, j$ are active on both, and the images are parallel only if $w_i \cdot (u - \lambda v) = 0$ with
# $\lambda = (w_j \cdot u) / (w_j \cdot v)$: this has probability 0, as $u \ne \lambda v$ and the weights have no
# atoms. So from state 3
# $$P_{31} = \pi, \qquad P_{32} = 2^{1-N} + (N - 2) \pi, \qquad P_{33} = 1 - 2^{1-N} - (N-1) \pi, \qquad
#   \pi \ge 4^{-N}.$$
#
# **Step 5 (the chain).** Let $D_r(s)$ be the probability that the chain with $\pi = 4^{-N}$ reaches state 1 from $s$
# within $r$ layers. $D_r(1) = 1 \ge D_r(2) \ge D_r(3)$: by induction
# $D_{r+1}(3) \le 4^{-N} + (1 - 4^{-N}) D_r(2) \le 2^{-N} + (1 - 2^{-N}) D_r(2) = D_{r+1}(2)$. Now let $V_r$ be the
# probability that the network dies within the next $r$ layers, given the layers so far, with state $s$. Then
# $V_r \ge D_r(s)$, with equality for $s \le 2$: by induction, in state 3,
# $$V_{r+1} \ge \pi D_r(1) + (2^{1-N} + (N-2) \pi) D_r(2) + (1 - 2^{1-N} - (N-1) \pi) D_r(3),$$
# which for $N \ge 2$ grows with $\pi$, at the rate $D_r(1) - D_r(3) + (N-2) (D_r(2) - D_r(3)) \ge 0$; so $4^{-N}$ may
# be put for $\pi$, and this is $D_{r+1}(3)$. (For $N = 1$ state 3 does not occur.) With the start of Step 2 and
# $r = m - 1$ layers, $P(\text{dies})$ is at least what the chain gives.
#
# **Step 6 (closed form).** The chain is a triangular matrix with the eigenvalues $1, P_{22}, P_{33}$; diagonalised, its
# power $m - 1 = L - 2$ gives the right side. For $m = 1$ nothing has moved yet, and in layer 2 the supports of $u, v$
# are disjoint, $p = \frac14$ and $\pi = 4^{-N}$: there the bound is the exact value. The upper bound is
# [`dying-bound`](dying-bound.py). $\square$
#
# From layer 3 on $\pi > 4^{-N}$ is possible and depends on the magnitudes: see the neighbours.


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n, m, k = sympy.symbols("N m k", integer=True, positive=True)
    # Step 3, one sign: E[fg] - E[f] E[g]
    f0, f1, g0, g1 = sympy.symbols("f0 f1 g0 g1")
    yield (f0 * g0 + f1 * g1) / 2 - (f0 + f1) * (g0 + g1) / 4, (f1 - f0) * (g1 - g0) / 4
    # Step 4 by counting patterns of N neurons, each with weight p (both, none) or 1/2 - p (first, second)
    p = sympy.Symbol("p")
    for width in (1, 2, 3, 4):
        moved = _moved(width, p)
        yield f"N = {width}: P31", moved[1], p**width
        yield f"N = {width}: P32", moved[2], sympy.Rational(2, 2**width) + (width - 2) * p**width
    # for every N: of the 4^N patterns 1 is dead, sum_(k > 0) C(N, k) leave the first ray alone, N make them parallel
    alone = sympy.summation(sympy.binomial(n, k), (k, 1, n))
    to_one = sympy.expand((2 * alone + n) / 4**n)
    yield "every N: P33", 1 - to_one - sympy.Integer(4) ** -n, 1 - 2 ** (1 - n) - (n - 1) * sympy.Integer(4) ** -n
    # Step 5: the rate at which a larger pi helps
    d2, d3, pi = sympy.symbols("d2 d3 pi")
    value = pi + (2 ** (1 - n) + (n - 2) * pi) * d2 + (1 - 2 ** (1 - n) - (n - 1) * pi) * d3
    yield sympy.diff(value, pi), (1 - d3) + (n - 2) * (d2 - d3)
    # Step 6: diagonalised with symbolic N, raised to a symbolic power; h stands for 2^-N
    h = sympy.Symbol("h", positive=True)
    start = sympy.Matrix([[0, 2 * h, 1 - 2 * h]])
    chain = sympy.Matrix([[1, 0, 0], [h, 1 - h, 0], [h**2, 2 * h + (n - 2) * h**2, 1 - 2 * h - (n - 1) * h**2]])
    vectors, diagonal = chain.diagonalize()
    yield from zip(chain * vectors, vectors * diagonal, strict=True)
    power = vectors * sympy.diag(*(sympy.expand(diagonal[i, i]) ** (m - 1) for i in range(3))) * vectors.inv()
    printed = closed_forms.one_dim_dying(n, m).subs(sympy.Integer(2) ** -n, h)
    printed = printed.replace(lambda e: e.is_Pow and e.exp == m - 1, lambda e: sympy.expand(e.base) ** (m - 1))
    yield "every N, every m", (start * power)[0], printed
    for width, layers in ((2, 3), (2, 9), (3, 4), (5, 7)):  # the same by multiplying, in numbers
        numbers = {n: width, h: sympy.Rational(1, 2**width)}
        row = start.subs(numbers) * chain.subs(numbers) ** (layers - 1)
        yield f"N = {width}, m = {layers}", row[0], closed_forms.one_dim_dying(width, layers)
    yield "every N, m = 1", closed_forms.one_dim_dying(n, 1), sympy.Integer(0)
    yield "every N, m = 2", closed_forms.one_dim_dying(n, 2), 3 * sympy.Integer(4) ** -n - 2 * sympy.Integer(8) ** -n
    # in state 2 of layer 1, or in state 3: what layer 2 kills
    yield 2 ** (1 - n) / 2**n + (1 - 2 ** (1 - n)) / 4**n, closed_forms.one_dim_dying(n, 2)


def _moved(width: int, p: sympy.Symbol) -> dict[int, sympy.Expr]:
    """State 1, 2 or 3 -> its probability after a layer of this width, from state 3: all activity patterns."""
    found = {1: sympy.Integer(0), 2: sympy.Integer(0), 3: sympy.Integer(0)}
    for pattern in product(((1, 1), (1, 0), (0, 1), (0, 0)), repeat=width):
        weight = sympy.prod(p if one == other else sympy.Rational(1, 2) - p for one, other in pattern)
        first, second = (sum(side) for side in zip(*pattern, strict=True))
        if not first and not second:
            state = 1
        elif not first or not second or sum(one or other for one, other in pattern) == 1:
            state = 2
        else:
            state = 3
        found[state] += weight
    return {state: sympy.expand(total) for state, total in found.items()}


# %% [markdown]
# ## Enumeration
#
# All sign choices of all weights, for random magnitudes: equal to the chain for one and two hidden layers, between the
# two bounds for more. And Step 3 by itself: at least a quarter of the signs of $w$ are negative on both rays.


# %%
def dying(width: int, layers: int, rng: random.Random, bias: bool = False) -> Fraction:
    def some() -> Fraction:
        return Fraction(rng.randint(1, 999), rng.randint(1, 99))

    widths = [1, *[width] * layers]
    net = [
        ([[some() for _ in range(n)] for _ in range(width)], [some() if bias else 0 for _ in range(width)])
        for n in widths[:-1]
    ]
    profiles, size = dead_neurons_orbit(net, Polyhedron.space(1))
    return Fraction(sum(k for dead, k in profiles.items() if width in dead), size)


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(115)
    for width in (1, 2, 3, 4):
        for layers in (1, 2):
            for repetition in range(5):
                case = dying(width, layers, rng), closed_forms.one_dim_dying(width, layers)
                yield (f"N = {width}, m = {layers}", *case) if repetition == 0 else case
    deeper = [(1, 3), (1, 4), (1, 6), (2, 3), (2, 4)] + ([(2, 5), (3, 3)] if depth == "thorough" else [])
    for width, layers in deeper:
        for repetition in range(3):
            found = dying(width, layers, rng)
            case = found, ">=", closed_forms.one_dim_dying(width, layers)
            yield (f"N = {width}, m = {layers}", *case) if repetition == 0 else case
            yield found, "<=", closed_forms.dying_bound(*[width] * layers)


@claim.enumerate("pairs of rays")
def correlated(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(117)
    for n in (2, 3, 5, 7):
        for _ in range(20):
            u, v, w = ([rng.randint(low, 999) for _ in range(n)] for low in (0, 0, 1))
            both = 0
            for signs in product((-1, 1), repeat=n):
                terms = [s * c for s, c in zip(signs, w, strict=True)]
                both += all(sum(a * b for a, b in zip(terms, ray, strict=True)) < 0 for ray in (u, v))
            yield Fraction(both, 2**n), ">=", Fraction(1, 4)


# %% [markdown]
# ## Neighbours that fail
#
# *Equality for three hidden layers*: orbits of width 2 differ from one another and from the chain. *With biases*
# networks die less often than the chain.


# %%
@claim.neighbour("equality only for at most two hidden layers; no biases")
def three_layers_or_biases(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(116)
    yield dying(2, 3, rng), closed_forms.one_dim_dying(2, 3)
    yield dying(2, 3, rng), dying(2, 3, rng)
    yield dying(2, 2, rng, bias=True), ">=", closed_forms.one_dim_dying(2, 2)


@claim.neighbour("weights symmetric")
def positive(depth: str) -> Iterator[tuple[object, ...]]:
    """All weights positive: the layer lives on one of the two rays, always."""
    profiles, _ = dead_neurons_orbit([([[1], [2]], [0, 0]), ([[3, 1], [1, 5]], [0, 0])], Polyhedron.space(1), "none")
    yield sum(number for dead, number in profiles.items() if 2 in dead), ">=", closed_forms.one_dim_dying(2, 2)


@claim.neighbour("input dimension 1; S_0 on both sides of 0; weights independent, no atoms")
def other_networks(depth: str) -> Iterator[tuple[object, ...]]:
    """Two inputs; one ray; two equal neurons in layer 2, and weights that cancel."""
    two = [([[3, 7], [5, 2]], [0, 0]), ([[11, 4], [6, 13]], [0, 0])]
    one = [([[3], [5]], [0, 0]), two[1]]
    for layers, domain, relation in ((two, Polyhedron.space(2), ">="), (one, Polyhedron.orthant(1), "==")):
        profiles, size = dead_neurons_orbit(layers, domain)
        yield (
            Fraction(sum(k for dead, k in profiles.items() if 2 in dead), size),
            relation,
            closed_forms.one_dim_dying(2, 2),
        )
    equal = cancelling = 0
    for a, b, c, d in product((1, -1), repeat=4):
        hidden = [[max(3 * a * x, 0), max(5 * b * x, 0)] for x in (1, -1)]
        equal += all(11 * c * u + 4 * d * v <= 0 for u, v in hidden)  # both neurons of layer 2 are this one
        cancelling += all(5 * c * u + 3 * d * v <= 0 and 5 * c * u - 3 * d * v <= 0 for u, v in hidden)
    yield Fraction(equal, 16), closed_forms.one_dim_dying(2, 2)
    yield Fraction(cancelling, 16), closed_forms.one_dim_dying(2, 2)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
