# %% [markdown]
# # Zeros of a neuron on a line
#
# **Notation.** A chain of layers of widths $n_1, \dots, n_{k-1}$ on $\mathbb R^{n_0}$, and one neuron of layer $k$,
# with the pre-activation $f = c + \sum_i w_i \max(y_i, 0)$; the $y_i$ are the pre-activations of layer $k - 1$. A line
# is $\{x + t d : t \in \mathbb R\}$, $d \ne 0$. Put
# $$\pi = \prod_{l < k} (1 - 2^{-n_l}).$$
# An *orbit* fixes all parameters but for these signs: flips of the rows $(a_i, b_i)$ of each hidden layer, and the
# signs of all weights of layers $2, \dots, k$. (All signs of all parameters are a union of such orbits.) The *folds* of
# an orbit are the affine functions that one gets if each hidden layer $l$ is replaced by a set $A_l$ of its neurons
# that pass on their pre-activations, without rectifier. The orbit is *generic* on the line if each fold has a slope
# other than 0 along it, unless some $A_l$ is empty; and then it is not 0.
#
# **Statement.** On every generic orbit the mean number of zeros of $f$ on the line is exactly $\pi$, at every depth and
# in every input dimension. So it is for every law of independent parameters that are symmetric about 0 and have no
# atoms, on every line. For equal widths $\pi = \ell(n, k - 1)$ is the lower bound of Rister & Rubin.
#
# *Corollaries.* (a) For every $k \ge 2$ and $n_0 = 1$, if all parameters are symmetric, also $c$: the neuron is dead on
# $\mathbb R$ with probability at least $\frac38 - \frac\pi4 \ge \frac18$. (b) For all $x, y$:
# $P(f(x) f(y) < 0) \le P(L(x) L(y) < 0)$, where $L$ is the fold with uniformly random sets $A_l$.
# (c) With $\max(z, \alpha z)$, $\alpha \ne 0$, or $|z|$ in place of $\max(z, 0)$ the mean number of zeros is 1.
# (d) In width one, $f$ is monotone: the neuron of layer $m + 1$ is dead on $\mathbb R$ with probability exactly
# $(1 - 2^{-m})/2$.

# %%
from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise, product

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.lines import zeros_on_line, zeros_orbit
from geomrelu.network.network import Network
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.orbit import dead_neurons_orbit

claim = Claim(
    label="zeros-on-a-line",
    title="Zeros of a neuron on a line",
    statement="the mean number of zeros of a neuron of layer k on a line is prod_(l<k) (1 - 2^-n_l), on every orbit",
    latex=r"E\,\#\{t : f(x + t d) = 0\} = \prod_{l < k} (1 - 2^{-n_l})",
    source="new (after Rister & Rubin, eq. 8)",
    hypotheses=(
        "rows of hidden layers symmetric with their biases",
        "weights behind the first layer independent and symmetric",
        "no fold of the orbit is constant along the line (no atoms)",
        "a whole line",
    ),
    uses=("gates-decouple",),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (signs that are free).** Write the rows of layer $k - 1$ as $\rho_i (W_i, b_i)$ with fair signs $\rho_i$, so
# $f = c + \sum_i w_i \max(\rho_i y_i, 0)$ with $y_i = b_i + \sum_j W_{ij} \max(z_j, 0)$. Since all signs of the
# $W_{ij}$ are fair and independent, they may be written $W_{ij} = \sigma_j W'_{ij}$ with fair signs $\sigma_j$, such
# that the $\rho_i$, the $\sigma_j$, the signs of the $w_i$ and everything else are independent: multiplying by an
# independent fair sign does not change the law of a uniform sign choice.
#
# **Step 2 (one layer is folded).** The line is a disjoint union of finitely many pieces (points and open intervals), on
# each of which every $y_i$ is positive, negative or 0 throughout. The pieces depend on the $y_i$ alone. By
# [`gates-decouple`](gates-decouple.py), with $\mu$ = number of points, the mean number of zeros of $f$ is that of
# $$L = c + \sum_{i \in A} w_i y_i = \Big(c + \sum_{i \in A} w_i b_i\Big) + \sum_j w'_j \max(z_j, 0), \qquad
#   w'_j = \sigma_j \sum_{i \in A} w_i W'_{ij},$$
# $A$ uniformly random. If $A = \emptyset$, $L = c$. Otherwise $L$ is of the form of $f$, one layer lower: the signs
# $\sigma_j$ of the $w'_j$ are fair, and independent of each other, of $|w'_j|$ and of the constant.
#
# **Step 3 (down to the input).** Repeat. In the end $L$ is a fold, with independent uniformly random sets
# $A_{k-1}, \dots, A_1$. If all are nonempty, it is affine with a slope other than 0 and has exactly one zero on the
# line. Otherwise it is constant and not 0: no zero. All are nonempty with probability $\pi$. (For the number of points,
# which may be infinite, all means in between exist; the last one is finite, so all are.)
#
# **Step 4 (laws).** Let the parameters be independent, symmetric, without atoms: the law does not change under the
# signs of an orbit. Almost every orbit is generic on a given line. Let no $A_l$ be empty. A sum of independent
# variables without atoms, with coefficients that are independent of them and not all 0, has no atoms; so, layer by
# layer from above, each $w'_j = \sum_{i \in A} w_i W_{ij}$ is almost surely not 0, and neither is the slope $\sum_{i
# \in A_1} w'_i (a_i \cdot d)$. Let $A_l$ be empty, and all above it nonempty: the fold is $c + \sum_i w_i b_i + \dots$
# with the biases of the layers above $l$; $c$ has no atoms and is independent of the rest.
#
# **Corollary (a).** Let $x_- $ and $x_+$ be points on both sides of all zeros. For $k \ge 2$, $f(x)$ at any point is an
# increasing function of the signs of the $w_i$ and of $c$, as outputs are not negative. By Harris' inequality $P(f(x_-)
# > 0, f(x_+) > 0) \ge \frac14$, likewise for $<$: so $P(\text{opposite signs}) = o \le \frac12$. (Choose $x_\pm$ for
# all sign choices at once.) With opposite signs there is a zero, with equal ones there are none or at least two: almost
# surely $f$ crosses at its zeros. So $\pi \ge o + 2 (1 - o - P(N = 0))$, $P(N = 0) \ge \frac{2 - o - \pi}{2} \ge
# \frac34 - \frac\pi2$; by the symmetry $f \mapsto -f$ half of it is $f < 0$.
#
# **Corollary (b).** If $f(x) f(y) < 0$, $f$ has a zero between $x$ and $y$; Steps 1 to 3 hold on a segment too, and
# there the fold has one zero with probability $P(L(x) L(y) < 0)$.
#
# **Corollary (c).** Let $\alpha \le 1$; otherwise $\max(z, \alpha z)$ is $\alpha$ times the same with $\frac1\alpha$.
# On a piece $\max(\rho y, \alpha \rho y)$ is $\tau y$ if $\rho = \tau$, and $-\alpha \tau y$ otherwise: no gate closes.
# The sign of $-\alpha$ is absorbed in $t$; the gates 1 and $|\alpha|$ are each taken by half of the flips. So all folds
# are affine with slopes other than 0 (generic now: for all gates in $\{1, |\alpha|\}$), and each has one zero.
#
# **Corollary (d).** In width one all maps are monotone, so $N \le 1$, and $P(N = 0) = 1 - \pi = 1 - 2^{-m}$; by
# symmetry half of it is negative. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n, k, m = sympy.symbols("n k m", integer=True, positive=True)
    o, p, none = sympy.symbols("o pi P0")
    l = sympy.Symbol("l", integer=True)
    yield "equal widths", sympy.Product(1 - 2**-n, (l, 1, k)).doit(), closed_forms.lower_bound(n, k)
    yield closed_forms.zeros_on_a_line(n, n), closed_forms.lower_bound(n, 2)
    subsets = sympy.Sum(sympy.binomial(m, l), (l, 1, m)).doit() / 2**m  # nonempty sets A among all
    yield "one layer keeps a gate", subsets, closed_forms.zeros_on_a_line(m)
    least = sympy.solve(o + 2 * (1 - o - none) - p, none)[0]
    yield "corollary (a)", least.subs(o, sympy.Rational(1, 2)) / 2, sympy.Rational(3, 8) - p / 4
    yield closed_forms.dead_on_the_line(n, m), sympy.Rational(3, 8) - closed_forms.zeros_on_a_line(n, m) / 4
    w, y, rho, tau, alpha = sympy.symbols("w y rho tau alpha")
    leaky = w * ((1 + alpha) * rho * y + (1 - alpha) * tau * y) / 2  # |y| = tau y
    gate = (1 - alpha) / 2 + (1 + alpha) / 2 * rho * tau  # 1 or -alpha
    yield "corollary (c)", sympy.expand(leaky), sympy.expand(gate * w * tau * y).subs(tau**2, 1)


# %% [markdown]
# ## Enumeration
#
# All sign choices; every orbit must give $\pi$. Magnitudes are random integers, of one size or of sizes up to $10^9$;
# lines are random. Then the corollaries: dead neurons are counted by the walk over polyhedra.

# %%
SHAPES = ((1,), (2,), (3,), (4,), (5,), (1, 1), (2, 1), (1, 2), (3, 1), (1, 3), (2, 2))
DEEPER = ((1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 2), (1, 1, 1, 1), (2, 1, 1, 1))
LONG = ((6,), (3, 2), (2, 3), (2, 2, 1), (2, 1, 2), (1, 2, 2), (1, 1, 1, 2), (1, 1, 1, 1, 1))
Layers = list[tuple[list[list[int]], list[int]]]


def drawn(rng: random.Random, n0: int, widths: Sequence[int], digits: int = 3) -> Layers:
    def some() -> int:
        return rng.choice((1, -1)) * rng.randint(1, 10 ** rng.randint(3, digits))

    sizes = [n0, *widths, 1]
    return [([[some() for _ in range(m)] for _ in range(n)], [some() for _ in range(n)]) for m, n in pairwise(sizes)]


def a_line(rng: random.Random, n0: int) -> tuple[list[int], list[int]]:
    return [rng.randint(-99, 99) for _ in range(n0)], [rng.choice((1, -1)) * rng.randint(1, 99) for _ in range(n0)]


def exact(value: sympy.Expr) -> Fraction:
    return Fraction(int(value.p), int(value.q))


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(182)
    for widths in SHAPES + DEEPER + (LONG if depth == "thorough" else ()):
        for repetition in range(4 if depth == "thorough" else 2):
            n0 = rng.randint(1, 3)
            layers = drawn(rng, n0, widths, (3, 9)[repetition % 2])
            case = Fraction(*zeros_orbit(layers, *a_line(rng, n0))), exact(closed_forms.zeros_on_a_line(*widths))
            yield (f"widths {', '.join(map(str, widths))}", *case) if repetition == 0 else case


@claim.enumerate("orbits with other activations")
def never_closed(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(183)
    for widths in ((1,), (2,), (3,), (1, 1), (2, 1), (1, 2)):
        for activation in ("leaky", "absolute"):
            n0 = rng.randint(1, 3)
            yield Fraction(*zeros_orbit(drawn(rng, n0, widths), *a_line(rng, n0), activation)), 1


@claim.enumerate("orbits of dead neurons")
def dead(depth: str) -> Iterator[tuple[object, ...]]:
    rng, line = random.Random(184), Polyhedron.space(1)
    for widths in ((1,), (2,), (3,), (1, 1), (2, 1), (1, 2), (1, 1, 1)) + (
        ((2, 2), (4,)) if depth == "thorough" else ()
    ):
        for repetition in range(3):
            profiles, size = dead_neurons_orbit(drawn(rng, 1, widths), line)
            found = Fraction(sum(number for profile, number in profiles.items() if profile[-1]), size)
            case = found, ">=", exact(closed_forms.dead_on_the_line(*widths))
            yield (f"dead: widths {', '.join(map(str, widths))}", *case) if repetition == 0 else case
            if set(widths) == {1}:
                yield found, (1 - Fraction(1, 2 ** len(widths))) / 2


@claim.enumerate("pairs of points")
def between(depth: str) -> Iterator[tuple[object, ...]]:
    """Corollary (b) and Harris' bound for a neuron of layer 2."""
    rng = random.Random(185)
    for n in (1, 2, 3):
        for _ in range(20):
            (a, b), (w, c) = drawn(rng, 1, (n,))
            points = rng.sample(range(-99, 100), 2)
            values = [[u[0] * x + v for u, v in zip(a, b, strict=True)] for x in points]
            opposite = folds = 0
            for gates in product((1, -1), repeat=n):
                for signs in product((1, -1), repeat=n + 1):
                    ws = [s * v for s, v in zip(signs, [*w[0], *c], strict=True)]
                    f = [
                        sum(v * max(g * z, 0) for v, g, z in zip(ws, gates, zs, strict=False)) + ws[-1] for zs in values
                    ]
                    fold = [
                        sum(v * z for v, g, z in zip(ws, gates, zs, strict=False) if g > 0) + ws[-1] for zs in values
                    ]
                    opposite += f[0] * f[1] < 0
                    folds += fold[0] * fold[1] < 0
            yield opposite, "<=", folds
            yield opposite, "<=", 2 ** (2 * n)


# %% [markdown]
# ## Sampling
#
# A neuron of layer 5 behind the widths 1, 2, 1, 2 with normal parameters. Its output depends on the one neuron of layer
# 3, which depends on the one of layer 1: each of these functions of one variable has at most 3 monotone pieces, so
# there are at most 9 zeros. A trial draws a network and one of the numbers 1 to 9; it succeeds if there are so many
# zeros: with probability $\pi / 9$. (The floats are exact rationals, and the zeros are counted exactly.)


# %%
@claim.sample("networks of five layers", trials=2000, seed=186)
def deep(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    rng, widths, found = random.Random(seed), (1, 1, 2, 1, 2, 1), 0
    for _ in range(trials):
        layers = [
            (
                [[Fraction(rng.gauss(0, 1)).limit_denominator(2**20) for _ in range(m)] for _ in range(n)],
                [Fraction(rng.gauss(0, 1)).limit_denominator(2**20) for _ in range(n)],
            )
            for m, n in pairwise(widths)
        ]
        network = Network.from_layers([(*layer, "relu") for layer in layers])
        found += rng.randint(1, 9) <= len(zeros_on_line(network, 5, 0, [0], [1]).at)
    yield "widths 1, 2, 1, 2", found, exact(closed_forms.zeros_on_a_line(1, 2, 1, 2)) / 9


# %% [markdown]
# ## Neighbours that fail
#
# *Biases that are not flipped with their rows*: three neurons $\pm 2x + 1$, $\pm 3x + 2$, $\pm 7x + 3$ give $\frac58$
# and not $\frac78$. *Weights that are not symmetric*: with all $w > 0$ and $c > 0$ there is no zero at all. *Folds that
# are constant*: first-layer weights $\pm 1$ with $|w| = (1, 1)$ let sums of two cancel, $\frac58$ in place of
# $\frac34$; and a neuron with $|a| = (1, 1)$ is constant along $(1, -1)$ for half of its signs, $\frac14$ in place of
# $\frac12$. *A half line* has fewer.


# %%
def mean(
    networks: Iterable[Layers], point: Sequence[int], direction: Sequence[int], least: Fraction | None = None
) -> Fraction:
    total = size = 0
    for layers in networks:
        network = Network.from_layers([(*layer, "relu") for layer in layers])
        at = zeros_on_line(network, len(layers), 0, point, direction).at
        total, size = total + sum(least is None or t >= least for t in at), size + 1
    return Fraction(total, size)


def signed(a: Sequence[Sequence[int]], b: Sequence[int], w: Sequence[int], c: int, free: str) -> Iterator[Layers]:
    """All signs of the parameters that are named."""
    sizes = {"a": len(a) * len(a[0]), "b": len(b), "w": len(w), "c": 1}
    for signs in product(
        *(product((1, -1), repeat=size) if name in free else [(1,) * size] for name, size in sizes.items())
    ):
        rows, n0 = signs[0], len(a[0])
        first = [[rows[i * n0 + j] * v for j, v in enumerate(row)] for i, row in enumerate(a)]
        yield [
            (first, [s * v for s, v in zip(signs[1], b, strict=True)]),
            ([[s * v for s, v in zip(signs[2], w, strict=True)]], [signs[3][0] * c]),
        ]


@claim.neighbour("rows of hidden layers symmetric with their biases")
def fixed_biases(depth: str) -> Iterator[tuple[object, ...]]:
    yield (
        mean(signed([[2], [3], [7]], [1, 2, 3], [5, 6, 9], 1, "awc"), [0], [1]),
        exact(closed_forms.zeros_on_a_line(3)),
    )


@claim.neighbour("weights behind the first layer independent and symmetric")
def one_sided(depth: str) -> Iterator[tuple[object, ...]]:
    yield mean(signed([[2], [3]], [1, 1], [5, 7], 4, "ab"), [0], [1]), exact(closed_forms.zeros_on_a_line(2))


@claim.neighbour("no fold of the orbit is constant along the line (no atoms)")
def constant_folds(depth: str) -> Iterator[tuple[object, ...]]:
    yield (
        Fraction(*zeros_orbit([([[1], [1]], [5, 2]), ([[1, 1]], [1])], [0], [1])),
        exact(closed_forms.zeros_on_a_line(2)),
    )
    yield mean(signed([[1, 1]], [3], [2], 1, "abwc"), [0, 0], [1, -1]), exact(closed_forms.zeros_on_a_line(1))


@claim.neighbour("a whole line")
def half_line(depth: str) -> Iterator[tuple[object, ...]]:
    yield (
        mean(signed([[2], [3]], [1, 5], [5, 7], 4, "abwc"), [0], [1], Fraction(1)),
        exact(closed_forms.zeros_on_a_line(2)),
    )


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
