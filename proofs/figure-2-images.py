# %% [markdown]
# # The image of the plane when the codeword (-, -, -) is missing: the boundary of a truncated orthant
#
# **Notation.** A first layer of three neurons on the plane, $z(x) = Ax + b \in \mathbb R^3$, and its image
# $S_1 = \{\max(z(x), 0) : x \in \mathbb R^2\}$ (the maximum in each coordinate). The three normals satisfy one linear
# relation $\sum_i l_i a_i = 0$, where $l_i$ is $\pm$ the minor of $A$ without row $i$; put $m = \sum_i l_i b_i$. The
# layer is *generic* if no $l_i$ and not $m$ is zero; change the sign of the relation so that $m > 0$. Put
# $s(y) = \sum_i l_i y_i$ and $v_j = \frac{m}{l_j} e_j$. The *codeword* of a region is the sign vector of $z$ on it. A
# second-layer neuron $f(y) = w \cdot y + c$ is *dead* if $f \le 0$ on $S_1$; no parameter of it is zero.
#
# Three generic lines have 7 regions, so one of the 8 codewords is missing. The figures of the paper show $S_1$ for a
# layer in $C_0$, $C_3$ and $C_6$, which say which codeword is missing. Only the captions were available to us, not the
# numbering: we read $C_0$ as $(-, -, -)$, and $C_3$ and $C_6$ as one codeword with one plus and one with two (this
# page, [`figure-3-images`](figure-3-images.py), [`figure-4-images`](figure-4-images.py)). With $(+, +, +)$, below among
# the neighbours, these are all cases up to the order of the neurons, so nothing depends on the reading.
#
# **Statement.** (i) The missing codeword has $+$ where $l_i < 0$ and $-$ where $l_i > 0$. (ii) For every generic first
# layer, with $q(x) = \max(-z(x), 0)$, the image point $y$ of $x$ satisfies $s(y) = m + \sum_i l_i q_i(x)$. (iii) Let
# $(-, -, -)$ be missing. Then $S_1$ is the boundary of the truncated orthant
# $Q = \{y \ge 0 : s(y) \ge m\}$: the triangle $v_1 v_2 v_3$, and in each coordinate plane $y_i = 0$ an unbounded
# polygon with the vertices $v_j, v_k$ and the rays $e_j, e_k$. The origin is not in $S_1$. (iv) Then $f$ is dead if
# and only if $w < 0$ and $c \le \min_j \frac{|w_j|}{l_j} m$, and stably unactivated if and only if $w < 0$ and $<$
# holds. So of the 16 sign patterns of $(w, c)$ one is always dead, $(-, -, -; -)$; one for some magnitudes and not for
# others, $(-, -, -; +)$; and 14 never.

# %%
from __future__ import annotations

import json
import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import sympy

from geomrelu import Status, checker, decide
from geomrelu.certificates.files import as_certificate
from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.complex import Complex
from geomrelu.network.network import Network
from geomrelu.plots import first_layer_missing, image_figure

claim = Claim(
    label="figure-2-images",
    title="Figure 2: the image without the codeword (-, -, -)",
    statement="n0 = 2, n1 = 3, codeword (-, -, -) missing: the image is the boundary of {y >= 0, l·y >= m}",
    latex=r"(-,-,-) \text{ missing} \Rightarrow S_1 = \partial \{y \ge 0 : l \cdot y \ge m\}",
    source="Brownlowe et al., figure 2",
    hypotheses=(
        "n0 = 2, n1 = 3 (needed: not known)",
        "no three lines meet, no two are parallel",
        "the codeword (-, -, -) is missing",
    ),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (a plane in space).** As $A$ has rank 2, $x \mapsto z(x)$ is a bijection of the plane onto
# $H = \{z \in \mathbb R^3 : s(z) = m\}$. An open orthant with the signs $\sigma$ does not meet $H$ if and only if
# $s \le 0$ on it, that is if $\sigma_i = -\operatorname{sign}(l_i)$ for all $i$: otherwise $s$ takes all positive
# values on it, also $m$. This is (i).
#
# **Step 2 (the identity).** $z = y - q$, so $m = s(z) = s(y) - s(q)$: (ii). And $y_i q_i = 0$ for all $i$.
#
# **Step 3 (iii).** By (i) all $l_i > 0$. *Inside*: $q \ge 0$, so $s(y) \ge m$ by (ii), and $y \in Q$. If some
# $y_i = 0$, $y$ lies on the facet $y_i = 0$ of $Q$; if all $y_i > 0$, then $q = 0$ and $s(y) = m$. *Onto*: let
# $y \in \partial Q$. If $s(y) = m$, then $y \in H$ is the image of itself. Otherwise $y_i = 0$ for some $i$; with
# $t = (s(y) - m) / l_i > 0$ the point $z = y - t e_i$ has $s(z) = m$ and $\max(z, 0) = y$.
#
# The facets of $Q$: on $s = m$ lie the vertices $v_j$ and no ray, as all $l_j > 0$. On $y_i = 0$ lie
# $l_j y_j + l_k y_k \ge m$, $y_j, y_k \ge 0$, with the vertices $v_j$, $v_k$ and the rays $e_j$, $e_k$. As
# $s(0) = 0 < m$, the origin is not in $Q$.
#
# **Step 4 (iv).** $S_1$ contains the points $v_j + t e_j$ for $t \ge 0$, where $f = c + w_j (m / l_j + t)$. If $f$ is
# dead, then $w_j \le 0$, as it is not zero $w_j < 0$, and at $t = 0$ we get $c \le |w_j| m / l_j$. Conversely let
# $w_j = -u_j l_j$ with $u_j > 0$, and let $u_1$ be the least. Then
# $$f(y) = (c - u_1 m) - u_1 (s(y) - m) - (u_2 - u_1) l_2 y_2 - (u_3 - u_1) l_3 y_3,$$
# and on $S_1$ all brackets after the first are $\ge 0$ by Step 3: $f \le c - u_1 m$.
#
# *Stable*: if $c < u_1 m$, this remains true for all parameters near the given ones ($l$ and $m$ are continuous
# functions of $A$ and $b$). If $c = u_1 m$, raise $c$: then $f(v_1) > 0$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    # Step 1: the relation by minors; s(z(x)) = m for all x
    matrix, b, x = sympy.Matrix(3, 2, sympy.symbols("a:6")), sympy.symbols("b:3"), sympy.symbols("x:2")
    l = [(-1) ** i * matrix.extract([k for k in range(3) if k != i], [0, 1]).det() for i in range(3)]
    z = matrix * sympy.Matrix(x) + sympy.Matrix(b)
    yield sum(l[i] * z[i] for i in range(3)), sum(l[i] * b[i] for i in range(3))
    # Step 2: s(y) = m + s(q), with y = max(z, 0) and q = max(-z, 0) for real z
    t, m = sympy.Symbol("t", real=True), sympy.Symbol("m", positive=True)
    yield sympy.Max(t, 0).rewrite(sympy.Abs) - sympy.Max(-t, 0).rewrite(sympy.Abs), t
    l, y, q = sympy.symbols("l1:4"), sympy.symbols("y1:4"), sympy.symbols("q1:4")
    s = sum(a * v for a, v in zip(l, y, strict=True))
    relation = sum(a * (v - w) for a, v, w in zip(l, y, q, strict=True))
    yield s, relation + sum(a * w for a, w in zip(l, q, strict=True))
    # Step 3: the point z over a point y of the facet y_1 = 0
    yield l[0] * -(s - m) / l[0] + s, m
    # Step 4: f along the ray, and f as a combination of what is nonnegative on the image
    c, (u1, u2, u3) = sympy.Symbol("c"), sympy.symbols("u1:4", positive=True)
    yield c - u1 * l[0] * (m / l[0] + t), c - u1 * m - u1 * l[0] * t
    f = c - u1 * l[0] * y[0] - u2 * l[1] * y[1] - u3 * l[2] * y[2]
    yield f, (c - u1 * m) - u1 * (s - m) - (u2 - u1) * l[1] * y[1] - (u3 - u1) * l[2] * y[2]


# %% [markdown]
# ## Decision
#
# *First*, the images of the linear pieces, for random first layers: those that do not lie in another are exactly the
# polygons of (iii). Each of these is given by rows and by generators, and they are the same set (pycddlib).


# %%
Layer = tuple[list[list[int]], list[int], list[int], int]


def relation(a: list[list[int]], b: list[int]) -> tuple[list[int], int]:
    """``(l, m)`` with ``sum l_i a_i = 0``, ``sum l_i b_i = m >= 0``, by minors."""
    l = [a[i - 2][0] * a[i - 1][1] - a[i - 2][1] * a[i - 1][0] for i in range(3)]
    m = sum(v * w for v, w in zip(l, b, strict=True))
    return ([-v for v in l], -m) if m < 0 else (l, m)


def layers(rng: random.Random, missing: tuple[int, int, int], count: int) -> Iterator[Layer]:
    """Random generic layers without this codeword: ``(A, b)`` and their relation ``(l, m)``."""
    while count:
        rows = [[rng.randint(-9, 9) for _ in range(3)] for _ in range(3)]
        l, m = relation([row[1:] for row in rows], [row[0] for row in rows])
        if m and all(l):
            flips = [1 if v * s < 0 else -1 for v, s in zip(l, missing, strict=True)]  # l_i becomes -s |l_i|
            rows = [[f * v for v in row] for f, row in zip(flips, rows, strict=True)]
            a, b = [row[1:] for row in rows], [row[0] for row in rows]
            yield a, b, *relation(a, b)
            count -= 1


def polygons(l: list[int], m: int) -> list[tuple[Polyhedron, Polyhedron]]:
    """The polygons of (iii), each by rows and by generators."""
    axes = [[int(i == j) for j in range(3)] for i in range(3)]
    corners = [[Fraction(m, l[j]) * v for v in axes[j]] for j in range(3)]
    orthant = [[0, *axis] for axis in axes]
    found = [(Polyhedron.from_rows(orthant, [[-m, *l]]), Polyhedron.from_generators(corners))]
    for i in range(3):
        others = [j for j in range(3) if j != i]
        face = Polyhedron.from_rows([*orthant, [-m, *l]], [[0, *axes[i]]])
        found.append((face, Polyhedron.from_generators([corners[j] for j in others], [axes[j] for j in others])))
    return found


@claim.decide("polygons")
def images(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(61)
    for a, b, l, m in layers(rng, (-1, -1, -1), 100 if depth == "thorough" else 10):
        expected, found = polygons(l, m), image(a, b)
        yield "all polygons", len(found), len(expected), True
        yield "bounded polygons", sum(p.is_bounded for p in found), 1, True
        yield "polygons with 0", sum(p.contains([0, 0, 0]) for p in found), 0, True
        for rows, generators in expected:
            yield "as stated", sum(p.same_set(rows) for p in found), 1, rows.same_set(generators)


def pieces(a: list[list[int]], b: list[int]) -> Complex:
    """The linear pieces of the first layer on the plane."""
    return Complex(Network.from_layers([(a, b, "relu")]), Polyhedron.space(2))


def image(a: list[list[int]], b: list[int]) -> list[Polyhedron]:
    """The images of the linear pieces, without those that lie in another."""
    return pieces(a, b).image(1, maximal=True)


# %% [markdown]
# *Second*, the analyzer on second-layer neurons: all 16 sign patterns, with the number
# $\min_j |w_j| m / l_j$ below, at and above $|c|$. Dead and stable are decided on the linear pieces;
# the certificate is checked once more, from its JSON form.


# %%
def neurons(rng: random.Random, l: list[int], m: int) -> Iterator[tuple[list[int], int]]:
    """Integers ``(w, c)`` in all sign patterns: ``|w_j| = u_j |l_j|`` and ``|c| = u_0 m``, for u in many orders."""
    for u in [(2, 3, 4, 5), (3, 2, 4, 5), (3, 3, 3, 3), (2, 2, 5, 2), *(rng.sample(range(1, 9), 4) for _ in range(2))]:
        for signs in product((-1, 1), repeat=4):
            yield [s * v * abs(a) for s, v, a in zip(signs[1:], u[1:], l, strict=True)], signs[0] * u[0] * m


def dead(l: list[int], m: int, w: list[int], c: int) -> tuple[bool, bool]:
    """(iv): is the neuron dead, and is it stably unactivated?"""
    least = min(Fraction(abs(v) * m, a) for v, a in zip(w, l, strict=True))
    return max(w) < 0 and c <= least, max(w) < 0 and c < least


def decided(
    a: list[list[int]], b: list[int], second: list[tuple[list[int], int]]
) -> tuple[list[tuple[bool, bool]], bool]:
    """(is each second-layer neuron dead, stably so), and was the certificate of all of them accepted?"""
    layers = [(a, b, "relu"), ([w for w, _ in second], [c for _, c in second], "relu")]
    network, space = Network.from_layers(layers), Polyhedron.space(2)
    (report,) = decide(network, space, [2])
    claims = [v.claim for v in report.verdicts if v.claim is not None]
    certificate = as_certificate(claims, network.digest, space.checked.digest(), report.points)
    model = checker.Model.parse(json.loads(network.to_json()))
    domain = checker.Domain.parse({"box": [[None] * 2] * 2})
    try:
        accepted = len(checker.check(certificate, model, domain)) == len(second)
    except checker.Rejected:
        accepted = False
    return [(v.status is Status.DEAD, bool(v.stable)) for v in report.verdicts], accepted


@claim.decide("second-layer neurons")
def verdicts(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(62)
    for a, b, l, m in layers(rng, (-1, -1, -1), 20 if depth == "thorough" else 2):
        second = list(neurons(rng, l, m))
        found, accepted = decided(a, b, second)
        for (w, c), verdict in zip(second, found, strict=True):
            for word, is_so, expected in zip(("dead", "stably dead"), verdict, dead(l, m, w, c), strict=True):
                yield word, is_so, expected, accepted


# %% [markdown]
# ## Enumeration
#
# All eight flips of random first layers: which codeword is missing (from the signs of all regions), and (i) from the
# relation. Then, for those without $(-, -, -)$: how many of the sign patterns of $(w, c)$ are dead whatever the
# magnitudes, and how many for some of them.


# %%
@claim.enumerate("codewords and sign patterns")
def codewords(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(63)
    for missing in product((-1, 1), repeat=3):
        for a, b, l, _ in layers(rng, missing, 50 if depth == "thorough" else 5):
            present = {tuple(word) for word in pieces(a, b).signs.tolist()}
            yield "regions", len(present), 7
            (absent,) = set(product((-1, 1), repeat=3)) - present
            for s, expected, v in zip(absent, missing, l, strict=True):
                yield "signs of the missing word", s, expected
                yield "signs of the relation", (v > 0) - (v < 0), -s
    for a, b, l, m in layers(rng, (-1, -1, -1), 5):
        second = list(neurons(rng, l, m))
        found, _ = decided(a, b, second)
        of_pattern = dict[tuple[bool, ...], set[bool]]()
        for (w, c), (is_dead, _) in zip(second, found, strict=True):
            of_pattern.setdefault(tuple(v > 0 for v in (*w, c)), set()).add(is_dead)
        yield "always dead", sum(verdict == {True} for verdict in of_pattern.values()), 1
        yield "sometimes dead", sum(len(verdict) == 2 for verdict in of_pattern.values()), 1
        yield "never dead", sum(verdict == {False} for verdict in of_pattern.values()), 14


# %% [markdown]
# ## Neighbours that fail
#
# *The opposite codeword missing*: without $(+, +, +)$ all $l_i < 0$, and by (ii) $S_1$ is the boundary of the whole
# orthant: its three coordinate quadrants, three polygons instead of four, with the origin in them. A positive $c$ is
# then never dead. *Parallel lines*: $z = (x_1, x_1 + 1, x_2)$ has 6 codewords.


# %%
@claim.neighbour("the codeword (-, -, -) is missing; no three lines meet, no two are parallel")
def other_codeword_or_parallel(depth: str) -> Iterator[tuple[object, ...]]:
    ((a, b, l, m),) = layers(random.Random(64), (1, 1, 1), 1)
    found = image(a, b)
    yield len(found), 4
    yield sum(p.contains([0, 0, 0]) for p in found), 0
    verdicts, _ = decided(a, b, [([-5 * abs(v) for v in l], m)])
    yield int(verdicts[0][0]), 1
    yield pieces([[1, 0], [1, 0], [0, 1]], [0, 1, 0]).n_regions, 7


# %% [markdown]
# ## Figure


# %%
@claim.figure("three lines without the codeword (-, -, -), and the image of the first layer")
def drawn() -> object:
    a, b = first_layer_missing("---")
    return image_figure(Network.from_layers([(a, b, "relu")]))


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
