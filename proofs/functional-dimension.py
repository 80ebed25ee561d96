# %% [markdown]
# # Functional dimension, and what silent neurons cost
#
# **Notation.** A chain of layers of widths $n_0, n_1, \dots, n_L$, ReLU on layers $1, \dots, L - 1$, with $D = \sum_l
# n_l (n_{l-1} + 1)$ parameters. The *functional dimension on a finite sample* is the rank of the Jacobian $J$ of all
# outputs at all its points with respect to the parameters; no hidden neuron is 0 at a point, so $J$ exists. The
# functional dimension of the parameters is its maximum over samples (Grigsby, Lindsey, Meyerhoff & Wu).
#
# **Statement.** Let $H = n_1 + \dots + n_{L-1}$. On every sample
# $$\operatorname{rank} J \le D - H - \sum_{(l, i) \text{ silent}} (n_{l-1} + n_{l+1}) + \sigma,$$
# where *silent* hidden neurons are negative at all points (a stably unactivated neuron is), and $\sigma$ is the number
# of pairs of silent neurons in neighbouring layers. So one stably unactivated neuron costs $n_{l-1} + n_{l+1}$, exactly
# the bound of the network without it.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.network.dimension import dense_layers, functional_dimension, jacobian, random_points, upper_bound
from geomrelu.network.network import Network

claim = Claim(
    label="functional-dimension",
    title="Functional dimension",
    statement="the functional dimension is at most D - hidden neurons, "
    "less n_(l-1) + n_(l+1) for each silent neuron, plus 1 for each pair of silent neurons in neighbouring layers",
    latex=r"\operatorname{rank} J \le D - \sum_{0 < l < L} n_l - \sum_{\text{silent}} (n_{l-1} + n_{l+1}) + \sigma",
    source="Brownlowe et al., introduction (after Grigsby et al., functional dimension of ReLU networks)",
    hypotheses=("ReLU in hidden layers", "silent neurons are negative at all points", "weights are not shared"),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (scales).** For a hidden neuron $(l, i)$ let $v_{l,i}$ be the vector in parameter space with its incoming
# weights and bias, and minus its outgoing weights. Multiplying the former by $1 + \varepsilon$ and the latter by
# $1/(1 + \varepsilon)$ does not change the function, because $\max(\lambda z, 0) = \lambda \max(z, 0)$ for
# $\lambda > 0$; so $J v_{l,i} = 0$.
#
# **Step 2 (independence).** The $v_{l,i}$ of neurons that are not silent are independent. Let $\sum \gamma_{l,i}
# v_{l,i} = 0$. The entry of the weight from $(l, i)$ to $(l + 1, k)$ is $(\gamma_{l+1,k} - \gamma_{l,i}) W_{ki}$; that
# of a bias $\gamma_{l,i} b_{l,i}$; that of a weight of an input $j$ $\gamma_{1,i} W_{ij}$. A neuron that is not silent
# is positive at some point; so its bias is not 0, or some input with a weight that is not 0, or a neuron of layer $l -
# 1$ that is positive there, with a weight that is not 0. In the latter case the two $\gamma$ are equal. Going down, one
# comes to a bias or an input: $\gamma = 0$.
#
# **Step 3 (silent neurons).** If $(l, i)$ is silent, its output is 0 at and near all points. So the columns of $J$ for
# its incoming weights and bias and for its outgoing weights are 0: $n_{l-1} + 1 + n_{l+1}$ columns; the weight between
# two silent neurons belongs to both, and counts once. The other $v$, restricted to the remaining parameters, are still
# in the kernel and independent (Step 2 uses weights between neurons that are not silent only). So the rank is at most
# $D - \sum (n_{l-1} + 1 + n_{l+1}) + \sigma - (H - \#\text{silent})$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    a, b, x, w, scale = sympy.symbols("a b x w lambda", positive=True)
    out = w / scale * (scale * a * x + scale * b)  # an active neuron
    yield "Step 1, active", out, w * (a * x + b)
    yield "Step 1, derivative", a * x * w + b * w - w * (a * x + b), sympy.Integer(0)
    n0, n1, n2 = sympy.symbols("n0 n1 n2", integer=True, positive=True)
    whole = n1 * (n0 + 1) + n2 * (n1 + 1) - n1
    yield "one neuron less", whole - whole.subs(n1, n1 - 1), n0 + n2
    yield "as if it were not there", whole - (n0 + n2), (n1 - 1) * (n0 + 1) + n2 * n1 - (n1 - 1)


# %% [markdown]
# ## Enumeration
#
# Random networks and samples: the rank over the rationals against the bound, with silent neurons and without; the
# vectors of Step 1 times $J$; and where the bound is attained. Each minor is recomputed by SymPy.


# %%
def drawn(rng: random.Random, widths: Sequence[int], activation: str = "relu", shift: int = 0) -> Network:
    layers = [
        (
            [[Fraction(2 * rng.randint(-99, 99) + 1, 2) for _ in range(m)] for _ in range(n)],
            [Fraction(2 * rng.randint(-99, 99) + 1, 2) + shift for _ in range(n)],
            activation,
        )
        for m, n in pairwise(widths)
    ]
    layers[-1] = (*layers[-1][:2], "none")
    return Network.from_layers(layers)


@claim.enumerate("ranks")
def ranks(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(210)
    for widths in ((1, 2, 1), (1, 4, 1), (2, 3, 1), (2, 3, 2), (1, 2, 2, 1), (2, 2, 2, 1), (1, 2, 2, 2, 1)):
        most = silent = 0
        for _ in range(30 if depth == "thorough" else 8):
            network = drawn(rng, widths)
            found = functional_dimension(network, random_points(network, 40, rng.randint(0, 10**6)))
            yield found.rank, "<=", found.bound
            yield found.bound, upper_bound(widths, found.silent)
            most, silent = max(most, found.rank), silent + len(found.silent)
        yield f"widths {', '.join(map(str, widths))}: largest of these", most, "<=", upper_bound(widths)
    for widths in ((1, 2, 1), (1, 5, 1), (2, 4, 1)):  # attained: every neuron bends within the sample
        network = drawn(random.Random(len(widths) + widths[1]), widths)
        found = functional_dimension(network, random_points(network, 80, 3))
        yield f"widths {', '.join(map(str, widths))}: attained", found.rank, upper_bound(widths, found.silent)


@claim.enumerate("vectors of the kernel, and minors")
def kernel(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(211)
    for widths in ((1, 3, 1), (2, 2, 2), (2, 2, 3, 1)):
        network = drawn(rng, widths)
        layers, points = dense_layers(network), random_points(network, 12, 5)
        rows, _ = jacobian(layers, points)
        for level in range(len(layers) - 1):
            for i in range(len(layers[level][1])):
                vector = []
                for k, (weights, bias) in enumerate(layers):
                    for j, (row, b) in enumerate(zip(weights, bias, strict=True)):
                        own = k == level and j == i
                        vector += [
                            w if own else -w if k == level + 1 and c == i else Fraction(0) for c, w in enumerate(row)
                        ]
                        vector.append(b if own else Fraction(0))
                for row in rows:
                    yield sum((u * v for u, v in zip(row, vector, strict=True)), Fraction(0)), 0
        found = functional_dimension(network, points)
        minor = sympy.Matrix(
            [[sympy.Rational(rows[i][j].numerator, rows[i][j].denominator) for j in found.columns] for i in found.rows]
        )
        yield f"widths {', '.join(map(str, widths))}: minor of size {found.rank}", int(minor.det() != 0), 1


@claim.enumerate("stably unactivated neurons")
def unactivated(depth: str) -> Iterator[tuple[object, ...]]:
    """All second-layer weights negative: the neuron is silent on the whole space, and the bound is that without it."""
    rng = random.Random(212)
    for n0, n1, n2 in ((1, 2, 2), (2, 3, 2), (2, 2, 3)):
        network = drawn(rng, (n0, n1, n2, 1))
        layers = [(*layer, "relu") for layer in dense_layers(network)]
        weights, bias, _ = layers[1]
        weights[0], bias[0] = [-abs(v) for v in weights[0]], -abs(bias[0])
        layers[2] = (*layers[2][:2], "none")
        changed = Network.from_layers(layers)
        points = random_points(changed, 40, 7)
        found = functional_dimension(changed, points)
        without = [
            layers[0],
            (weights[1:], bias[1:], "relu"),
            ([row[1:] for row in layers[2][0]], layers[2][1], "none"),
        ]
        yield int((2, 0) in found.silent), 1
        yield upper_bound((n0, n1, n2, 1)) - upper_bound((n0, n1, n2, 1), [(2, 0)]), n1 + 1
        yield found.rank, functional_dimension(Network.from_layers(without), points).rank


@claim.enumerate("silent neurons in neighbouring layers")
def neighbouring(depth: str) -> Iterator[tuple[object, ...]]:
    """The second neuron of each hidden layer is silent; without sigma the bound would be 3."""
    network = Network.from_layers(
        [([[2], [-1]], [3, -50], "relu"), ([[-3, 1], [-1, -1]], [4, -2], "relu"), ([[5, 7]], [1], "none")]
    )
    found = functional_dimension(network, [[Fraction(k, 2) + Fraction(1, 7)] for k in range(-9, 9)])
    yield len(found.silent), 2
    yield "widths 1, 2, 2, 1, both second neurons silent: attained", found.rank, upper_bound((1, 2, 2, 1), found.silent)
    yield found.rank, 9 - (1 + 2) - (2 + 1) + 1


# %% [markdown]
# ## Neighbours that fail
#
# *ReLU*: with $z / (1 + z^2)$ in its place there is no relation of scales, and one hidden neuron on a line has the rank
# $D = 4$, more than 3. *Negative at all points*: a neuron that is silent at some points only costs less. *Shared
# weights*: $f = w \max(a x + b, 0) + w \max(a x + 2 b, 0) + c$ has 4 parameters and two hidden neurons, which share one
# scale: rank 3, more than $4 - 2$.


# %%
@claim.neighbour("ReLU in hidden layers")
def smooth(depth: str) -> Iterator[tuple[object, ...]]:
    a, b, w, c, x = sympy.symbols("a b w c x")
    z = a * x + b
    f = w * z / (1 + z**2) + c
    at = {a: 2, b: 1, w: 3, c: 5}
    rows = [[sympy.diff(f, p).subs(at).subs(x, t) for p in (a, b, w, c)] for t in (0, 1, 2, 3, 5)]
    yield int(sympy.Matrix(rows).rank()), "<=", upper_bound((1, 1, 1))


@claim.neighbour("silent neurons are negative at all points")
def sometimes(depth: str) -> Iterator[tuple[object, ...]]:
    network = Network.from_layers([([[1], [-1]], [1, 2], "relu"), ([[1, 3]], [5], "none")])
    found = functional_dimension(network, [[Fraction(k, 2) + Fraction(1, 7)] for k in range(-9, 9)])
    yield found.rank, "<=", upper_bound((1, 2, 1), [(1, 1)])


@claim.neighbour("weights are not shared")
def shared(depth: str) -> Iterator[tuple[object, ...]]:
    """f = w max(a x + b, 0) + w max(a x + 2 b, 0) + c: 4 parameters, two hidden neurons, rank 3 > 4 - 2."""
    rows = []
    for x in (-3, Fraction(-3, 4), 0, 1, 3):
        first, second = max(2 * x + 1, 0), max(2 * x + 2, 0)
        on, too = int(first > 0), int(second > 0)
        rows.append([3 * x * (on + too), 3 * (on + 2 * too), first + second, 1])
    exact = sympy.Matrix([[sympy.Rational(str(v)) for v in row] for row in rows])
    yield int(exact.rank()), "<=", 4 - 2


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
