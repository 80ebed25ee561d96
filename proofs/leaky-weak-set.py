# %% [markdown]
# # Leaky ReLU: dead points become weak ones
#
# **Notation.** $\varphi(z) = \max(z, \varepsilon z)$ with $0 < \varepsilon < 1$. A neuron $\varphi(a \cdot x + b)$ is
# *weak* at $x$ if $a \cdot x + b \le 0$ (where it is 0, the derivative from that side is meant), a layer if all its
# neurons are. $P$ is the probability that each of $k$ layers of width $n$ is not weak somewhere on the image of $S_0$.
#
# **Statement.** (i) The weak set of a neuron is the dead set of the ReLU neuron with the same parameters, a half-space.
# On it the neuron is $\varepsilon (a \cdot x + b)$, so its derivatives by all parameters and inputs are $\varepsilon$
# times those of an active neuron, where the ReLU's are 0; outside they are the same.
#
# (ii) The lower bound carries over: at a given point the layers are weak independently, each with probability $2^{-n}$,
# so none of $k$ is with probability $\ell(n, k) = (1 - 2^{-n})^k$, and $P \ge \ell(n, k)$. For $n = 1$ the derivative
# of the network at a point is $\varepsilon^m \prod_j a_j$, where the number $m$ of weak layers is binomial:
# $P(m) = \binom km 2^{-k}$.
#
# (iii) The upper bound does not: on $S_0 = \mathbb R^n$, $P = 1$ for all $n$ and $k$, whatever $\varepsilon > 0$ is;
# for the ReLU $P \le v(n, k) < 1$ if $k \ge 2$. (So section 7.3, "our theory can be extended to all the ReLU variants
# by replacing dead data points with weak ones", holds for the half of it that speaks of points.)

# %%
from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import comb, prod

import sympy

from geomrelu import checker
from geomrelu.certificates.files import as_certificate
from geomrelu.claims.registry import Claim
from geomrelu.deadness.decide import decide
from geomrelu.deadness.verdict import Status
from geomrelu.exact.affine import AffineMap
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.io.tape import Tape, joined
from geomrelu.network.complex import difference
from geomrelu.network.network import Network
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.orbit import alive_orbit

claim = Claim(
    label="leaky-weak-set",
    title="Leaky ReLU",
    statement="leaky ReLU: the weak set is the dead half-space, slope eps; (1 - 2^-n)^k carries over, P = 1 on R^n",
    latex=r"\varphi(z) = \max(z, \varepsilon z):\quad \{a \cdot x + b \le 0\} \text{ is weak, slope } \varepsilon; "
    r"\quad (1 - 2^{-n})^k \le P",
    source="Rister & Rubin, section 7.3",
    hypotheses=(
        "0 < eps < 1",
        "parameters independent, symmetric, no atoms",
    ),
    uses=("first-layer-alive", "lower-bound", "upper-bound"),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (i).** As $0 < \varepsilon < 1$, $\varphi(z) = z$ for $z \ge 0$ and $\varepsilon z$ for $z \le 0$. Equally
# $\varphi(z) = \varepsilon z + (1 - \varepsilon) \max(z, 0)$.
#
# **Step 2 (ii).** Whatever the layers before it have made of the point, a layer is weak there with probability
# $2^{-n}$ ([`lower-bound`](lower-bound.py), Steps 1 and 2, which do not ask where the point lies). By the chain rule a
# network of width 1 has the derivative $\prod_j a_j \varphi'(z_j)$.
#
# **Step 3 (iii).** $\varphi$ is a bijection of $\mathbb R$, and $A_j$ is invertible with probability 1 (independent
# entries without atoms: a nonzero polynomial in them, as the determinant is, vanishes with probability 0). So each
# layer is a bijection of $\mathbb R^n$, the image of $\mathbb R^n$ under any number of layers is $\mathbb R^n$, and the
# next layer is not weak on all of it ([`first-layer-alive`](first-layer-alive.py)). $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    # Step 1: on both sides, eps = 1 / (1 + r) with r > 0
    u, r = sympy.symbols("u r", positive=True)
    eps = 1 / (1 + r)
    for z in (u, -u):
        yield eps * z + (1 - eps) * sympy.Max(z, 0), z if z == u else eps * z
    a, x, b = sympy.symbols("a x b", real=True)
    for parameter in (a, x, b):
        yield (eps * (a * x + b)).diff(parameter), eps * (a * x + b).diff(parameter)
    # Step 2: the sum over the number of neurons that are not weak; then over the layers
    n, k, i = sympy.symbols("n k i", integer=True, positive=True)
    layer = sympy.summation(sympy.binomial(n, i), (i, 1, n)) / 2**n
    yield "every n, k", sympy.Product(layer, (i, 1, k)).doit(), closed_forms.lower_bound(n, k)
    for layers in range(1, 6):  # n = 1: the mean size of the derivative, for |a_j| = 1, and its limit at eps = 0
        mean = sum(sympy.binomial(layers, m) * eps**m for m in range(layers + 1)) / 2**layers
        yield mean, ((1 + eps) / 2) ** layers
        yield sympy.limit(mean, r, sympy.oo), closed_forms.lower_bound(1, layers)
    # Step 3: the inverse of the leaky ReLU
    yield eps * (u / eps) + (1 - eps) * 0, u


# %% [markdown]
# ## Decision
#
# A leaky network is a ReLU network with connections around each layer, by
# $\varphi(z) = \varepsilon z + (1 - \varepsilon) \max(z, 0)$; its pre-activations are the same, so "dead on a set"
# means weak on it. (i) For neurons with small integers as parameters: weak on the half-space, not on a larger one; and
# equal, as functions, to $\varepsilon z$ on the half-space and to $z$ on the other. (iii) All sign choices of small
# networks on the whole space: no layer is weak.

# %%
Layers = Sequence[Sequence[Sequence[int]]]  # of each layer the rows (b, a1, ..., an)


def leaky(layers: Layers, eps: Fraction) -> Network:
    tape = Tape(len(layers[0][0]) - 1)
    value = tape.input
    for rows in layers:
        z = AffineMap.from_dense([row[1:] for row in rows], [row[0] for row in rows]).after(value)
        active = tape.relu(z)
        value = joined(z.scaled([eps] * len(rows)), active.scaled([1 - eps] * len(rows)))
    return Network.from_tape(tape.finish(value))


def affine(row: Sequence[int], factor: Fraction) -> Network:
    """factor * (a·x + b), with a hidden layer that nothing reads."""
    n = len(row) - 1
    hidden = AffineMap.from_dense([[0] * n])
    return Network(n, (hidden,), AffineMap.from_dense([[*(factor * a for a in row[1:]), 0]], [factor * row[0]]))


def weak_layers(net: Network, domain: Polyhedron) -> tuple[list[bool], bool]:
    """(which layers are weak on the domain, were all reasons accepted)."""
    weak, accepted = [], True
    for report in decide(net, domain):
        weak.append(all(v.status is Status.DEAD for v in report.verdicts))
        claims = [v.claim for v in report.verdicts if v.claim is not None]
        proof = as_certificate(claims, net.digest, domain.checked.digest(), report.points)
        accepted &= len(checker.check(proof, net.checked, domain.checked)) == report.width
    return weak, accepted


def signed(magnitudes: Sequence[int], n: int) -> Iterator[list[list[list[int]]]]:
    """All sign choices of layers of width n."""
    for signs in product((1, -1), repeat=len(magnitudes)):
        v = [s * m for s, m in zip(signs, magnitudes, strict=True)]
        rows = [v[i : i + n + 1] for i in range(0, len(v), n + 1)]
        yield [rows[i : i + n] for i in range(0, len(rows), n)]


SLOPES = (Fraction(1, 100), Fraction(1, 2))


@claim.decide("networks")
def networks(depth: str) -> Iterator[tuple[object, ...]]:
    for eps in SLOPES:
        for n in (1, 2):
            for row in product(range(-1, 2), repeat=n + 1):
                if not any(row[1:]):
                    continue
                net = leaky([[row]], eps)
                below = Polyhedron.from_rows([[-v for v in row]])
                above = Polyhedron.from_rows([row])
                wider = Polyhedron.from_rows([[Fraction(1, 1000) - row[0], *(-v for v in row[1:])]])
                for half_space, expected in ((below, True), (wider, False)):
                    (weak,), accepted = weak_layers(net, half_space)
                    yield f"eps = {eps}, n = {n}: half-spaces", weak, expected, accepted
                for half_space, slope in ((below, eps), (above, Fraction(1))):
                    equal = difference(net, affine(row, slope), half_space) is None
                    corners = [*half_space.vertices, half_space.interior_point()]
                    seen = all(net(x) == affine(row, slope)(x) for x in corners)
                    yield f"eps = {eps}, n = {n}: equal functions", equal, True, seen
        rng = random.Random(210)
        for n, k in ((1, 2), (1, 3), (2, 1)):
            magnitudes = [rng.randint(1, 99) for _ in range(k * n * (n + 1))]
            for layers in signed(magnitudes, n):
                weak, accepted = weak_layers(leaky(layers, eps), Polyhedron.space(n))
                yield f"eps = {eps}, n = {n}, k = {k}: weak layers on R^n", any(weak), False, accepted
        first = [[3, 5, -7], [2, -4, 9]]
        for (second,) in signed([rng.randint(1, 99) for _ in range(6)], 2):
            weak, accepted = weak_layers(leaky([first, second], eps), Polyhedron.space(2))
            yield f"eps = {eps}, n = 2, k = 2: weak layers on R^n", any(weak), False, accepted


# %% [markdown]
# ## Enumeration
#
# (ii): all sign choices of leaky networks at a point; how many layers are weak? For width 1 the derivative of the
# network at the point, in absolute value, is $\varepsilon^m \prod |a_j|$.


# %%
def weak_at(layers: Layers, eps: Fraction, point: Sequence[Fraction]) -> int:
    y, count = list(point), 0
    for rows in layers:
        z = [row[0] + sum(a * v for a, v in zip(row[1:], y, strict=True)) for row in rows]
        y = [v if v > 0 else eps * v for v in z]
        count += max(z) <= 0
    return count


@claim.enumerate("orbits, each number of weak layers")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(211)
    families = ((1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2), (3, 1)) + (((1, 6),) if depth == "thorough" else ())
    for eps in SLOPES:
        for n, k in families:
            magnitudes = [rng.randint(1, 999) for _ in range(k * n * (n + 1))]
            point = [Fraction(rng.randint(-99, 99), 7) for _ in range(n)]
            step = [*point[:-1], point[-1] + Fraction(1, 10**12)]
            counts: Counter[int] = Counter()
            for layers in signed(magnitudes, n):
                weak = weak_at(layers, eps, point)
                counts[weak] += 1
                if n == 1:
                    (low,), (high,) = (output(layers, eps, x) for x in (point, step))
                    yield abs(high - low) * 10**12, eps**weak * prod(abs(rows[0][1]) for rows in layers)
            total, q = counts.total(), Fraction(1, 2**n)
            case = Fraction(counts[0], total), closed_forms.lower_bound(n, k)
            yield f"eps = {eps}, n = {n}, k = {k}: no weak layer", *case
            for m in range(1, k + 1):
                yield Fraction(counts[m], total), comb(k, m) * q**m * (1 - q) ** (k - m)


def output(layers: Layers, eps: Fraction, point: Sequence[Fraction]) -> list[Fraction]:
    y = list(point)
    for rows in layers:
        z = [row[0] + sum(a * v for a, v in zip(row[1:], y, strict=True)) for row in rows]
        y = [v if v > 0 else eps * v for v in z]
    return y


# %% [markdown]
# ## Neighbours that fail
#
# *Without leak*, $\varepsilon = 0$: layers die on the whole space, $P = v(n, 2) < 1$. *A slope of absolute value 1*,
# $\varphi(z) = |z|$: the derivative on the half-space is not smaller.


# %%
@claim.neighbour("0 < eps < 1")
def other_slopes(depth: str) -> Iterator[tuple[object, ...]]:
    for n in (1, 2):
        layers = [([[2 + 3 * i + 5 * j for j in range(n)] for i in range(n)], [7 + 4 * i for i in range(n)])] * 2
        yield Fraction(*alive_orbit(layers, Polyhedron.space(n))), 1
    weak, _ = weak_layers(leaky([[[-1, 1]], [[-1, -1]]], Fraction(0)), Polyhedron.space(1))
    yield int(any(weak)), 0
    (low,), (high,) = (output([[[0, 1]]], Fraction(-1), [Fraction(x)]) for x in (-2, -1))
    yield abs(high - low), "<", 1


@claim.neighbour("parameters independent, symmetric, no atoms")
def other_laws(depth: str) -> Iterator[tuple[object, ...]]:
    """At a point: two equal neurons; one with negative parameters; parameters +-1 at 1."""
    point = Polyhedron.box([(1, 1)])
    equal = [weak_layers(leaky([[[t, 3 * s]] * 2], Fraction(1, 2)), point)[0][0] for s in (1, -1) for t in (1, -1)]
    yield Fraction(4 - sum(map(bool, equal)), 4), ">=", closed_forms.lower_bound(2, 1)
    yield int(not weak_layers(leaky([[[-1, -3]]], Fraction(1, 2)), point)[0][0]), ">=", closed_forms.lower_bound(1, 1)
    units = [weak_layers(leaky([[[t, s]]], Fraction(1, 2)), point)[0][0] for s in (1, -1) for t in (1, -1)]
    yield Fraction(4 - sum(map(bool, units)), 4), ">=", closed_forms.lower_bound(1, 1)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
