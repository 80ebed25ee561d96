# %% [markdown]
# # Four lines in general position have eleven codewords
#
# **Notation.** Lines $z_i(x) = a_i \cdot x + b_i = 0$ in the plane, $i = 1, \dots, m$, *cooriented* by the signs of the
# $z_i$. The *codeword* of a region is its sign vector in $\{+, -\}^m$, the *code* the set of all of them. *General
# position*: any two lines meet in exactly one point, no three in one point.
#
# **Statement.** (i) Four lines in general position have a code of 11 of the 16 words, whatever the coorientation; $m$
# lines one of $\frac{m^2 + m + 2}{2}$ words. (ii) A word $\sigma$ is missing if and only if it is missing for three of
# the lines already; for lines $i, j, k$ exactly one of the eight words is missing, $-\operatorname{sign}(l)$, where
# $l_i a_i + l_j a_j + l_k a_k = 0$ and $l_i b_i + l_j b_j + l_k b_k > 0$. (iii) All four lines in general position look
# the same: 6 crossings, 16 segments and half lines, 11 regions, of which two triangles and one quadrilateral are
# bounded.
#
# (The figure shows one example. The equations of its lines are not given, and its drawing was not available to us.)

# %%
from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry import catalogue, region_formulas
from geomrelu.geometry.arrangement import Arrangement
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.plots import arrangement_figure

claim = Claim(
    label="figure-1-code",
    title="Figure 1: the code of four lines",
    statement="four lines in general position in the plane have 11 codewords, whatever the coorientation",
    latex=r"|\operatorname{code}(\mathbf A)| = 11 \text{ for four lines in general position in } \mathbb R^2",
    source="Brownlowe et al., figure 1",
    hypotheses=(
        "any two of the lines meet in exactly one point",
        "no three lines have a common point",
    ),
    uses=("zaslavsky",),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (i).** Different regions have different codewords, as one of the lines separates them. By
# [`zaslavsky`](zaslavsky.py) there are $1 + m + \binom m2$ regions; a coorientation does not change them.
#
# **Step 2 (three lines).** Three normals in the plane satisfy one relation $\sum l_i a_i = 0$, with $l_i$ the minor of
# the other two, so $l_i \ne 0$, as no two are parallel. Then $\sum_i l_i z_i(x) = \sum_i l_i b_i = \mu$ for all $x$,
# and $\mu \ne 0$: the three have no common zero. Let $\mu > 0$. The word $-\operatorname{sign}(l)$ is missing, as it
# makes the sum negative. By Step 1 seven of eight words occur, so no other is missing.
#
# **Step 3 (ii).** The word $\sigma$ occurs if and only if the open half-planes $\sigma_i z_i > 0$ have a common point.
# By Helly's theorem in the plane, finitely many (here 4) convex sets have one if any three of them do.
#
# **Step 4 (iii).** Each of the 4 lines is cut by the 3 others into 4 pieces, and $\binom 42 = 6$ pairs cross. With the
# line at infinity they are five lines of the projective plane, no three of which have a common point. There is exactly
# one conic that touches all five, and it is not degenerate (dually: through five points, no three on a line). A
# projective map makes it a circle. Move the points of contact along it until they are evenly spaced. No three tangents
# of a circle have a common point, so the pattern does not change: it is that of the five sides $1, \dots, 5$ of a
# regular pentagon. Their projective regions are the pentagon, 5 triangles, the tips of the star, between the lines $i -
# 1$, $i$, $i + 1$, and 5 more, each made of two opposite unbounded ones and with 4 sides. The bounded regions of the
# four lines are those that have no side on the fifth, say on line 1. The pentagon has one; the tips $i = 3, 4$ have
# none; and each of the last 5 regions misses one line, another one each, by the rotation: two triangles and one
# quadrilateral. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    # Step 1
    m = sympy.Symbol("m", integer=True, positive=True)
    yield "any m", (m**2 + m + 2) / 2, region_formulas.regions(m, 2)
    yield "m = 4", sympy.Integer(11), region_formulas.regions(4, 2)
    yield "m = 3", sympy.Integer(2**3 - 1), region_formulas.regions(3, 2)
    yield "m = 4, bounded", sympy.Integer(3), region_formulas.bounded_regions(4, 2)
    # Step 2: the relation by minors, with every entry a symbol
    matrix, b, x = sympy.Matrix(3, 2, sympy.symbols("a:6")), sympy.symbols("b:3"), sympy.symbols("x:2")
    l = [(-1) ** i * matrix.extract([k for k in range(3) if k != i], [0, 1]).det() for i in range(3)]
    z = matrix * sympy.Matrix(x) + sympy.Matrix(b)
    yield sum(l[i] * z[i] for i in range(3)), sum(l[i] * b[i] for i in range(3))
    # Step 4: Euler's relation for the affine picture, and twice the segments of the projective one as sides
    yield sympy.Integer(6 - 16 + 11), sympy.Integer(1)
    yield sympy.Integer(5 + 5 * 3 + 5 * 4), sympy.Integer(2 * 5 * 4)


# %% [markdown]
# ## Enumeration
#
# Random lines in general position, large and small integers, in all 16 coorientations. The code comes from the regions,
# found one by one; the missing words also from the relations of (ii), which know nothing of regions.


# %%
def missing(rows: list[tuple[int, ...]]) -> set[tuple[int, ...]]:
    """(ii): the words that contradict one of the relations; rows (b, a1, a2)."""
    found = set()
    for chosen in combinations(range(len(rows)), 3):
        (p, a, b), (q, c, d), (r, e, f) = (rows[i] for i in chosen)
        l = (c * f - d * e, e * b - f * a, a * d - b * c)
        constant = l[0] * p + l[1] * q + l[2] * r
        for word in product((-1, 1), repeat=len(rows)):
            if all(word[i] * v * constant < 0 for i, v in zip(chosen, l, strict=True)):
                found.add(word)
    return found


def code(rows: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    return [tuple(word) for word in Arrangement.from_rows(rows, 2).signs.tolist()]


@claim.enumerate("cooriented arrangements")
def codes(depth: str) -> Iterator[tuple[object, ...]]:
    words = set(product((-1, 1), repeat=4))
    for seed in range(200 if depth == "thorough" else 15):
        lines = catalogue.generic(2, 4, seed, size=5 if seed % 2 else 10**6)
        for flips in product((-1, 1), repeat=4):
            rows = [tuple(f * v for v in row) for f, row in zip(flips, lines.rows, strict=True)]
            found = code(rows)
            yield "codewords", len(set(found)), region_formulas.regions(4, 2)
            yield "regions", len(found), region_formulas.regions(4, 2)
            yield "missing words predicted", len((words - set(found)) ^ missing(rows)), 0
        for number, faces in zip(lines.f_vector, (6, 16, 11), strict=True):
            yield "vertices, edges, regions", number, faces
        yield "bounded", lines.n_bounded, region_formulas.bounded_regions(4, 2)
        for corners, expected in zip(shapes(lines), (3, 3, 4), strict=True):
            yield "corners of the bounded regions", corners, expected
    for m in range(1, 13):
        yield f"m = {m}", catalogue.generic(2, m, 7).n_regions, region_formulas.regions(m, 2)


def shapes(lines: Arrangement) -> list[int]:
    """The numbers of corners of the bounded regions, the least first."""
    found = []
    for word in lines.signs.tolist():
        region = Polyhedron.from_rows([[s * v for v in row] for s, row in zip(word, lines.rows, strict=True)])
        if region.is_bounded:
            found.append(len(region.vertices))
    return sorted(found)


# %% [markdown]
# ## Neighbours that fail
#
# *Parallel lines*: one pair, 10 codewords; all four, 5. *Concurrent lines*: three of them, 10; all four, 8. *Three
# dimensions*: four planes in general position have 15 codewords.


# %%
@claim.neighbour("any two of the lines meet in exactly one point; no three lines have a common point; the plane")
def degenerate(depth: str) -> Iterator[tuple[object, ...]]:
    for rows in (
        [(0, 1, 0), (1, 1, 0), (0, 0, 1), (3, 1, 1)],
        [(0, 1, 0), (1, 1, 0), (2, 1, 0), (3, 1, 0)],
        [(0, 1, 0), (0, 0, 1), (0, 1, 1), (5, 1, -1)],
        [(0, 1, 0), (0, 0, 1), (0, 1, 1), (0, 1, -1)],
    ):
        yield len(code(rows)), region_formulas.regions(4, 2)
    yield catalogue.generic(3, 4, 0).n_regions, region_formulas.regions(4, 2)


# %% [markdown]
# ## Figure
#
# Four lines of our own: by (iii) those of the paper have the same regions.


# %%
@claim.figure("four lines in general position and their eleven codewords")
def drawn() -> object:
    return arrangement_figure(Arrangement([[1, 0], [0, 1], [1, 1], [1, -2]], [0, 0, -1, 3]))


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
