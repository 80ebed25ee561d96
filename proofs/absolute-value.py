# %% [markdown]
# # The absolute value by two neurons, and two absolute values by four
#
# **Notation.** $\max(z, 0)$ is taken in each coordinate. A network with one hidden layer of width $N$ and no connection
# around it is $f(x) = M \max(Ax + b, 0) + c$ with $N$ rows of $A$.
#
# **Statement.** (i) On all of $\mathbb R$
# $$|x| = \begin{pmatrix} 1 & 1 \end{pmatrix} \max\left(\begin{pmatrix} 1 \\ -1 \end{pmatrix} x, 0\right),$$
# and on all of $\mathbb R^2$
# $$\begin{pmatrix} |x_1 + x_2| \\ |x_1 - x_2| \end{pmatrix} = M \max(A x, 0), \qquad
# M = \begin{pmatrix} 1 & 1 & 0 & 0 \\ 0 & 0 & 1 & 1 \end{pmatrix}, \quad
# A = \begin{pmatrix} 1 & 1 \\ -1 & -1 \\ 1 & -1 \\ -1 & 1 \end{pmatrix}.$$
# (ii) With this $A$ and without bias no other matrix $M$ will do. (iii) The widths are the least possible: no network
# of width 1, of any depth, is $|x|$ on $[-1, 1]$; no network with one hidden layer of 3 neurons is the map of (i) on
# $\mathbb R^2$.
#
# (The slide prints $M$ with blanks for the zeros; the text extracted from it has empty rows besides, and cannot be
# multiplied. By (ii) there is only one way to mend it.)

# %%
from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, product

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.exact.affine import AffineMap
from geomrelu.exact.elimination import rank
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.complex import Complex, difference
from geomrelu.network.network import Network

claim = Claim(
    label="absolute-value",
    title="Absolute values",
    statement="|x| = max(x, 0) + max(-x, 0); (|x1 + x2|, |x1 - x2|) by 4 neurons and [[1, 1, 0, 0], [0, 0, 1, 1]]",
    latex=r"(|x_1 + x_2|, |x_1 - x_2|)^T = \begin{pmatrix} 1 & 1 & 0 & 0 \\ 0 & 0 & 1 & 1 \end{pmatrix} \max(A x, 0)",
    source="Lu, Su & Karniadakis, Collapse of deep and narrow neural nets, 1-D and 2-D examples",
    hypotheses=(
        "the rows of A are (1, 1), (-1, -1), (1, -1), (-1, 1)",
        "no bias",
        "no connection around the layer",
    ),
)

INNER = [[1, 1], [-1, -1], [1, -1], [-1, 1]]
OUTPUT = [[1, 1, 0, 0], [0, 0, 1, 1]]

# %% [markdown]
# ## Proof
#
# **Step 1 (i).** Of $\max(u, 0)$ and $\max(-u, 0)$ one is $|u|$ and the other 0. Take $u = x$; then
# $u = x_1 + x_2$ and $u = x_1 - x_2$.
#
# **Step 2 (ii).** At $p = (\frac12, \frac12)$, $-p$, $q = (\frac12, -\frac12)$ and $-q$ the hidden layer is
# $e_1, e_2, e_3, e_4$. So the columns of $M$ are the values of the map at these four points:
# $(1, 0)$, $(1, 0)$, $(0, 1)$, $(0, 1)$. A matrix with another column is wrong at that point.
#
# **Step 3 (iii, width 1).** A layer of width 1 is $t \mapsto \max(at + b, 0)$, a monotone function of $t$, and so is
# every composition of such layers and an affine function. $|x|$ is not monotone on $[-1, 1]$: its values at
# $-1, 0, 1$ are $1, 0, 1$. (If $g$ is monotone, $(g(-1) - g(0)) (g(0) - g(1)) \ge 0$.)
#
# **Step 4 (kinks).** Let $h = c + \sum_i m_i \max(z_i, 0)$ with affine $z_i$ of slope $a_i$, and let $L$ be a line. At
# a point of $L$ that lies on no other line $\{z_i = 0\}$, the gradient of $h$ jumps across $L$ by
# $\kappa_L = \sum m_i |a_i|$ (the sum over the neurons with $\{z_i = 0\} = L$) times the unit normal of the side to
# which one crosses, since $\max(z, 0) = (z + |z|) / 2$. If all $\kappa_L = 0$, the gradient is constant, and $h$ is
# affine.
#
# **Step 5 (iii, three neurons).** Put $u = x_1 + x_2$ and $v = x_1 - x_2$. $|u|$ has a kink on $K = \{u = 0\}$ and no
# other, $|v|$ on $K' = \{v = 0\}$; so there is a neuron on $K$ and one on $K'$. The third is not on both: let only one,
# $\max(\alpha u, 0)$, be on $K$ (otherwise exchange $u$ and $v$). Let $m$ be its multiple in the first output. Then
# $h = |u| - m \max(\alpha u, 0)$ is $c$ plus multiples of the two other neurons, so it has no kink on $K$, and as $|u|$
# has none elsewhere, no kink at all: $h$ is affine. This leaves $h = -u$ (if $\alpha > 0$) or $h = u$. One of the two
# other neurons is a function of $v$. If the other is not on $K'$, the kinks of both vanish one by one: each has the
# multiple 0 or is constant. If it is on $K'$, both are functions of $v$. In no case is their sum plus $c$ equal to
# $\pm u$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    u, v = sympy.symbols("u v", real=True)
    # Step 1: with max(u, 0) = (u + |u|) / 2
    yield "|x|", _relu(u) + _relu(-u), sympy.Abs(u)
    outputs = sympy.Matrix(OUTPUT) * (sympy.Matrix(INNER) * sympy.Matrix([u, v])).applyfunc(_relu)
    yield "|x1 + x2|", outputs[0], sympy.Abs(u + v)
    yield "|x1 - x2|", outputs[1], sympy.Abs(u - v)
    # Step 2: every entry of M a symbol; at the four points the network gives its columns
    m = sympy.Matrix(2, 4, sympy.symbols("m:8"))
    for j, point in enumerate(_points()):
        hidden = (sympy.Matrix(INNER) * sympy.Matrix(point)).applyfunc(_relu)
        yield from zip(m * hidden, m[:, j], strict=True)
        yield abs(sum(point)), sympy.Integer(OUTPUT[0][j])
        yield abs(point[0] - point[1]), sympy.Integer(OUTPUT[1][j])
    # Step 4: a neuron is half its form and half a modulus, whose slope jumps by twice |a|
    a, t = sympy.symbols("a t", positive=True)
    yield sympy.Max(u, 0).rewrite(sympy.Abs), _relu(u)
    yield _relu(a * t).diff(t) - _relu(-a * t).diff(t), a
    # Step 5: what is left of |u| when its kink is taken away by one neuron
    yield sympy.Abs(u) - 2 / a * _relu(a * u), -u
    yield sympy.Abs(u) - 2 / a * _relu(-a * u), u
    # Step 3: the product of the two increments of |x| from -1 to 0 to 1
    yield (abs(sympy.Integer(-1)) - 0) * (0 - abs(sympy.Integer(1))), sympy.Integer(-1)


def _relu(value: sympy.Expr) -> sympy.Expr:
    return (value + sympy.Abs(value)) / 2


def _points() -> list[tuple[sympy.Rational, sympy.Rational]]:
    half = sympy.Rational(1, 2)
    return [(s * half, s * t * half) for t in (1, -1) for s in (1, -1)]


# %% [markdown]
# ## Decision
#
# (i) on all of $\mathbb R$ and $\mathbb R^2$: $|u| = \max(2u, 0) - u$, with a connection around the layer, is another
# network, and the difference of two networks is affine on each common linear piece: it vanishes there if it does at the
# vertices, along the rays and along the lines. The reason is checked once more, with Python's `abs`, on the generators
# of all pieces. (ii) for all rows of $M$ with entries $-1, 0, 1$; (iii) for all networks of width 1 and depth 1 and 2
# with such parameters, on $[-1, 1]$. Where two functions differ, a rational point is found, and checked the same way.


# %%
def network(inner: Sequence[Sequence[int]], bias: Sequence[int], outer: Sequence[Sequence[int]]) -> Network:
    return Network.from_layers([(inner, bias, "relu"), (outer, [0] * len(outer), "none")])


def around(forms: list[list[int]]) -> Network:
    """x -> |u| for each form u, as max(2u, 0) - u."""
    n, width = len(forms[0]), len(forms)
    hidden = AffineMap.from_dense([[2 * v for v in form] for form in forms])
    last = [[*(-v for v in form), *(int(i == j) for j in range(width))] for i, form in enumerate(forms)]
    return Network(n, (hidden,), AffineMap.from_dense(last))


def value(form: Sequence[int], x: Sequence[Fraction]) -> Fraction:
    return sum((a * v for a, v in zip(form, x, strict=True)), Fraction(0))


def compared(f: Network, forms: list[list[int]], domain: Polyhedron) -> tuple[bool, bool]:
    """(is f the absolute values of the forms on the domain, was the reason accepted)."""
    point = difference(f, around(forms), domain)
    if point is not None:
        return False, domain.contains(point) and f(point) != [abs(value(form, point)) for form in forms]
    for cell in Complex(f, domain).cells:
        rays = [*cell.rays, *cell.lines, *(tuple(-v for v in line) for line in cell.lines)]
        for form in forms:  # each keeps its sign on the piece, so its absolute value is affine there
            values = [value(form, x) for x in (*cell.vertices, *rays)]
            if min(values) < 0 < max(values):
                return True, False
        for x in (*cell.vertices, *(tuple(map(sum, zip(v, r, strict=True))) for v in cell.vertices for r in rays)):
            if f(x) != [abs(value(form, x)) for form in forms]:
                return True, False
    return True, True


@claim.decide("networks")
def networks(depth: str) -> Iterator[tuple[object, ...]]:
    line, plane = Polyhedron.space(1), Polyhedron.space(2)
    equal, accepted = compared(network([[1], [-1]], [0, 0], [[1, 1]]), [[1]], line)
    yield "|x|", equal, True, accepted
    equal, accepted = compared(network(INNER, [0] * 4, OUTPUT), [[1, 1], [1, -1]], plane)
    yield "(|x1 + x2|, |x1 - x2|)", equal, True, accepted
    for form, row in zip(([1, 1], [1, -1]), OUTPUT, strict=True):
        for other in product((-1, 0, 1), repeat=4):
            equal, accepted = compared(network(INNER, [0] * 4, [other]), [form], plane)
            yield "rows of M", equal, list(other) == row, accepted
    narrow = list(product((-1, 0, 1), repeat=2))
    segment = Polyhedron.box([(-1, 1)])
    for depth_ in (1, 2):
        for *hidden, (w, c) in product(narrow, repeat=depth_ + 1):
            layers = [*(([[a]], [b], "relu") for a, b in hidden), ([[w]], [c], "none")]
            equal, accepted = compared(Network.from_layers(layers), [[1]], segment)
            yield f"width 1, depth {depth_}", equal, False, accepted


# %% [markdown]
# ## Enumeration
#
# All sets of neurons without bias whose slopes are the eight directions $(\pm 1, \pm 1)$, $(\pm 1, 0)$,
# $(0, \pm 1)$: is there a matrix $M$ and a constant $c$ at all? If there is, the values of the two outputs on some
# points are combinations of the values of the neurons and 1, which is a question of ranks; conversely on these points
# (several inside each sector) affine functions are determined. No set of three will do, one set of four.


# %%
@claim.enumerate("sets of neurons")
def sets(depth: str) -> Iterator[tuple[object, ...]]:
    slopes = [row for row in product((-1, 0, 1), repeat=2) if any(row)]
    points = list(product(range(-3, 4), repeat=2))
    goals = [[abs(x + y) for x, y in points], [abs(x - y) for x, y in points]]
    hidden = {(a, b): [max(a * x + b * y, 0) for x, y in points] for a, b in slopes}
    for size, expected in ((1, 0), (2, 0), (3, 0), (4, 1)):
        fitting = 0
        for chosen in combinations(slopes, size):
            table = [[1] * len(points), *(hidden[slope] for slope in chosen)]
            fitting += rank([*table, *goals]) == rank(table)
        yield f"{size} neurons", fitting, expected


# %% [markdown]
# ## Neighbours that fail
#
# *With the blanks of $M$ lost*, both rows $(1, 1, 0, 0)$: wrong at a rational point. *Other rows of
# $A$*, twice as long: twice the absolute values. *With a bias*, $x + 1$ for $x$. *With a connection around the layer*
# three neurons are not needed: two will do, $|u| = 2 \max(u, 0) - u$.


# %%
@claim.neighbour(
    "the matrix M; the rows of A are (1, 1), (-1, -1), (1, -1), (-1, 1); no bias; no connection around the layer"
)
def garbled_or_shifted(depth: str) -> Iterator[tuple[object, ...]]:
    forms = [[1, 1], [1, -1]]
    for wrong in (
        network(INNER, [0] * 4, [[1, 1, 0, 0], [1, 1, 0, 0]]),
        network(INNER, [0] * 4, [[1, 0, 1, 0], [0, 1, 0, 1]]),
        network([[2 * v for v in row] for row in INNER], [0] * 4, OUTPUT),
        network(INNER, [1, 0, 0, 0], OUTPUT),
    ):
        point = difference(wrong, around(forms)) or (Fraction(0), Fraction(0))
        found, true = wrong(point), [abs(value(form, point)) for form in forms]
        i = int(found[0] == true[0])  # the first output that differs
        yield found[i], true[i]
    yield around(forms).widths[0], ">=", 4


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
