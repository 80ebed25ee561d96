# %% [markdown]
# # The image of the plane when the codeword (+, +, -) is missing
#
# **Notation.** As in [`figure-2-images`](figure-2-images.py): a generic first layer $z(x) = Ax + b$ of three neurons on
# the plane, $\sum_i l_i a_i = 0$, $m = \sum_i l_i b_i > 0$, $s(y) = \sum_i l_i y_i$, $v_j = \frac{m}{l_j} e_j$; its
# image $S_1$; a second-layer neuron $f(y) = w \cdot y + c$ without zero parameters. Put $u_i = |w_i| / |l_i|$ for
# $i = 1, 2, 3$ and $u_0 = |c| / m$.
#
# **Statement.** Let $(+, +, -)$ be missing: $l_1, l_2 < 0 < l_3$. Put $d_j = \frac{e_3}{l_3} + \frac{e_j}{|l_j|}$ for
# $j = 1, 2$. (i) $S_1$ consists of three polygons, all unbounded:
#
# * in $s = m$ the wedge with the vertex $v_3$ and the rays $d_1, d_2$;
# * in $y_1 = 0$ the polygon with the vertices $0, v_3$ and the rays $e_2, d_2$; in $y_2 = 0$ that with $e_1, d_1$.
#
# It meets the plane $y_3 = 0$ only in the axes of $y_1$ and $y_2$. The origin is in $S_1$. (ii) $f$ is dead if and only
# if $c < 0$, $w_1, w_2 < 0$, and $w_3 < 0$ or $u_3 \le \min(u_0, u_1, u_2)$; it is stably unactivated if and only if it
# is so with $<$. So of the 16 sign patterns of $(w, c)$ one is always dead, $(-, -, -; -)$; one for some magnitudes and
# not for others, $(-, -, +; -)$; and 14 never. (By the order of the neurons the same holds for each codeword with two
# plus signs.)

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
    label="figure-4-images",
    title="Figure 4: the image without the codeword (+, +, -)",
    statement="n0 = 2, n1 = 3, codeword (+, +, -) missing: the image is a wedge and two polygons with the vertex 0",
    latex=r"(+,+,-) \text{ missing} \Rightarrow S_1 = \text{wedge} \cup 2 \text{ unbounded polygons at } 0",
    source="Brownlowe et al., figure 4",
    hypotheses=(
        "n0 = 2, n1 = 3 (needed: not known)",
        "no three lines meet, no two are parallel",
        "the codeword (+, +, -) is missing",
    ),
    uses=("figure-2-images",),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (which $y$ are in $S_1$).** Let $y \ge 0$ and $Z = \{i : y_i = 0\}$. The points $z$ with $\max(z, 0) = y$ are
# $z = y - q$ with $q \ge 0$, $q_i = 0$ for $i \notin Z$; so $y \in S_1$ if and only if there is such a $q$ with
# $s(q) = s(y) - m$ ([`figure-2-images`](figure-2-images.py), Step 2). On these $q$, $s$ takes the value 0 only if
# $Z = \emptyset$; all values $\ge 0$ if all $l_i$, $i \in Z \ne \emptyset$, are positive; all values $\le 0$ if all are
# negative; and all values if both signs occur in $Z$.
#
# **Step 2 (i).** Here $l_1, l_2 < 0 < l_3$.
# $Z = \emptyset$: $s(y) = m$, that is $l_3 y_3 = m + |l_1| y_1 + |l_2| y_2$: the wedge $v_3 + \sum_j |l_j| y_j d_j$.
# $Z = \{1\}$: $s(y) \le m$, that is $l_3 y_3 \le m + |l_2| y_2$: for given $y_2$ the segment from the axis,
# $y_2 e_2$, to $v_3 + |l_2| y_2 d_2$: the polygon with the vertices $0, v_3$ and the rays $e_2, d_2$; likewise
# $Z = \{2\}$.
# $Z = \{3\}$: $s(y) = -|l_1| y_1 - |l_2| y_2 \ge m$, no point. $Z = \{1, 2\}$: $l_3 y_3 \le m$, the segment $0 v_3$.
# $Z = \{1, 3\}$ and $\{2, 3\}$: the whole axes of $y_2$ and $y_1$. $Z = \{1, 2, 3\}$: the origin. The last four lie in
# the two polygons. All these sets together, with their boundaries, are the three polygons.
#
# **Step 3 (ii, only if).** Let $f \le 0$ on $S_1$. At the origin: $c \le 0$. Along $e_1$ and $e_2$: $w_1, w_2 \le 0$.
# Along $d_j$: $w_3 / l_3 + w_j / |l_j| \le 0$, that is $w_3 < 0$ or $u_3 \le u_j$. At $v_3$: $w_3 m / l_3 + c \le 0$,
# that is $w_3 < 0$ or $u_3 \le u_0$. Parameters are not zero.
#
# **Step 4 (ii, if).** With $w_3 < 0$ all parameters are negative. Otherwise let $u_3 \le u_0, u_1, u_2$. On all of
# $S_1$ either $y_3 = 0$, where $f \le c < 0$, or $s(y) \le m$ by Step 2. In the second case
# $$f(y) = (c + u_3 m) - u_3 (m - s(y)) - (u_1 - u_3) |l_1| y_1 - (u_2 - u_3) |l_2| y_2 \le 0.$$
#
# *Stable*: if $u_3 < u_0, u_1, u_2$ this persists near the given parameters. If $w_3 > 0$ and
# $u_3 = \min(u_0, u_1, u_2)$, raise $w_3$: $f$ is not dead any more, by Step 3. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    m, t = sympy.symbols("m t", positive=True)
    n1, n2, l3 = sympy.symbols("n1 n2 l3", positive=True)  # n_j = |l_j|
    l, n = sympy.Matrix([-n1, -n2, l3]), (n1, n2)
    e = [sympy.eye(3)[:, j] for j in range(3)]
    v, d = m / l3 * e[2], [e[2] / l3 + e[j] / n[j] for j in range(2)]
    y = sympy.Matrix(sympy.symbols("y1:4"))
    yield l.dot(v), m
    # Step 2: the wedge over (y1, y2), and the upper end of the segment over y_j
    top = v + n1 * y[0] * d[0] + n2 * y[1] * d[1]
    yield from ((l.dot(top), m), (top[0], y[0]), (top[1], y[1]))
    for j in range(2):
        end = v + n[j] * y[j] * d[j]
        yield from ((l.dot(end), m), (end[j], y[j]), (l.dot(end - t * e[2]) - m, -l3 * t))
    # Steps 3 and 4: the rate along d_j, the value at v_3, and f as a combination
    c, (u1, u2, u3) = sympy.Symbol("c"), sympy.symbols("u1:4", positive=True)
    w = sympy.Matrix([-u1 * n1, -u2 * n2, u3 * l3])
    yield from ((w.dot(d[j]), u3 - u) for j, u in enumerate((u1, u2)))
    yield w.dot(v) + c, u3 * m + c
    yield c + w.dot(y), (c + u3 * m) - u3 * (m - l.dot(y)) - (u1 - u3) * n1 * y[0] - (u2 - u3) * n2 * y[1]


# %% [markdown]
# ## Decision
#
# *First*, the images of the linear pieces, for random first layers: those that do not lie in another are exactly the
# polygons of (i). Each of these is given by rows and by generators, and they are the same set (pycddlib).


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
    """The wedge and the two polygons with the vertex 0, each by rows and by generators."""
    e = [[int(i == j) for j in range(3)] for i in range(3)]
    v = [Fraction(m, l[2]) * x for x in e[2]]
    d = [[Fraction(x, -l[j]) + Fraction(t, l[2]) for x, t in zip(e[j], e[2], strict=True)] for j in range(2)]
    orthant, above, below = [[0, *axis] for axis in e], [-m, *l], [m, *(-x for x in l)]
    found = [(Polyhedron.from_rows(orthant, [above]), Polyhedron.from_generators([v], [d[0], d[1]]))]
    for i, j in ((0, 1), (1, 0)):
        face = Polyhedron.from_rows([*orthant, below], [[0, *e[i]]])
        found.append((face, Polyhedron.from_generators([[0, 0, 0], v], [e[j], d[j]])))
    return found


@claim.decide("polygons")
def images(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(81)
    for a, b, l, m in layers(rng, (1, 1, -1), 100 if depth == "thorough" else 10):
        expected, found = polygons(l, m), image(a, b)
        yield "all polygons", len(found), len(expected), True
        yield "bounded polygons", sum(p.is_bounded for p in found), 0, True
        yield "polygons with 0", sum(p.contains([0, 0, 0]) for p in found), 2, True
        for rows, generators in expected:
            yield "as stated", sum(p.same_set(rows) for p in found), 1, rows.same_set(generators)


def image(a: list[list[int]], b: list[int]) -> list[Polyhedron]:
    """The images of the linear pieces, without those that lie in another."""
    return Complex(Network.from_layers([(a, b, "relu")]), Polyhedron.space(2)).image(1, maximal=True)


# %% [markdown]
# *Second*, the analyzer on second-layer neurons: all 16 sign patterns, with $u_0, \dots, u_3$ in many orders and with
# ties. Dead and stable are decided on the linear pieces; the certificate is checked once more, from
# its JSON form.


# %%
def neurons(rng: random.Random, l: list[int], m: int) -> Iterator[tuple[list[int], int]]:
    """Integers ``(w, c)`` in all sign patterns: ``|w_j| = u_j |l_j|`` and ``|c| = u_0 m``, for u in many orders."""
    for u in [(2, 3, 4, 5), (3, 2, 4, 5), (3, 3, 3, 3), (2, 2, 5, 2), *(rng.sample(range(1, 9), 4) for _ in range(2))]:
        for signs in product((-1, 1), repeat=4):
            yield [s * v * abs(a) for s, v, a in zip(signs[1:], u[1:], l, strict=True)], signs[0] * u[0] * m


def dead(l: list[int], m: int, w: list[int], c: int) -> tuple[bool, bool]:
    """(ii): is the neuron dead, and is it stably unactivated?"""
    if max(w[0], w[1], c) > 0:
        return False, False
    u = [Fraction(abs(c), m), *(Fraction(abs(v), abs(a)) for v, a in zip(w, l, strict=True))]
    return w[2] < 0 or u[3] <= min(u[:3]), w[2] < 0 or u[3] < min(u[:3])


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
    rng = random.Random(82)
    for a, b, l, m in layers(rng, (1, 1, -1), 20 if depth == "thorough" else 2):
        second = list(neurons(rng, l, m))
        found, accepted = decided(a, b, second)
        for (w, c), verdict in zip(second, found, strict=True):
            for word, is_so, expected in zip(("dead", "stably dead"), verdict, dead(l, m, w, c), strict=True):
                yield word, is_so, expected, accepted


# %% [markdown]
# ## Enumeration
#
# How many of the sign patterns of $(w, c)$ are dead whatever the magnitudes, how many for some of them, how many never?


# %%
@claim.enumerate("sign patterns")
def patterns(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(83)
    for a, b, l, m in layers(rng, (1, 1, -1), 20 if depth == "thorough" else 3):
        second = list(neurons(rng, l, m))
        found, _ = decided(a, b, second)
        of_pattern = dict[tuple[bool, ...], set[bool]]()
        for (w, c), (is_dead, _) in zip(second, found, strict=True):
            of_pattern.setdefault(tuple(v > 0 for v in (*w, c)), set()).add(is_dead)
        yield "always dead", sum(verdict == {True} for verdict in of_pattern.values()), 1
        yield "sometimes dead", sum(len(verdict) == 2 for verdict in of_pattern.values()), 1
        yield "never dead", sum(verdict == {False} for verdict in of_pattern.values()), 14
        yield "sometimes dead: (-, -, +; -)", int(len(of_pattern[False, False, True, False]) == 2), 1


# %% [markdown]
# ## Neighbours that fail
#
# *Without* $(-, -, +)$ instead, there are four polygons, one of them bounded; and the bias does not matter: with
# $u_0 < u_3 < u_1, u_2$ the neuron $(-, -, +; -)$ is dead there, here it is not. *Not generic*: three lines through
# one point ($m = 0$) miss two codewords, one and its opposite.


# %%
@claim.neighbour("the codeword (+, +, -) is missing; no three lines meet, no two are parallel")
def other_codeword_or_concurrent(depth: str) -> Iterator[tuple[object, ...]]:
    ((a, b, l, m),) = layers(random.Random(84), (-1, -1, 1), 1)
    yield len(image(a, b)), 3
    yield sum(p.is_bounded for p in image(a, b)), 0
    w, c = [s * u * abs(v) for s, u, v in zip((-1, -1, 1), (3, 4, 2), l, strict=True)], -m
    verdicts, _ = decided(a, b, [(w, c)])
    yield int(verdicts[0][0]), int(dead(l, m, w, c)[0])
    concurrent = Complex(Network.from_layers([([[1, 0], [0, 1], [1, 1]], [0, 0, 0], "relu")]), Polyhedron.space(2))
    yield concurrent.n_regions, 7


# %% [markdown]
# ## Figure


# %%
@claim.figure("three lines without the codeword (+, +, -), and the image of the first layer")
def drawn() -> object:
    a, b = first_layer_missing("++-")
    return image_figure(Network.from_layers([(a, b, "relu")]))


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
