# %% [markdown]
# # The regions of famous arrangements
#
# **Notation.** In $\mathbb R^n$, with $i < j$: the *braid* arrangement $x_i = x_j$; the *Shi* arrangement
# $x_i - x_j = 0, 1$; the *Catalan* arrangement $x_i - x_j = -1, 0, 1$; the *Linial* arrangement $x_i - x_j = 1$;
# *type B*: $x_i = 0$ and $x_i = \pm x_j$; the *resonance* arrangement $\sum_{i \in S} x_i = 0$ for all sets
# $S \ne \emptyset$; in $\mathbb R^{n+1}$ the *threshold* arrangement $w_0 \pm w_1 \pm \dots \pm w_n = 0$.
# $C_n = \frac{1}{n+1} \binom{2n}{n}$. All normals but those of the last three arrangements are orthogonal to
# $(1, \dots, 1)$; *relatively bounded* means bounded in the span of the normals.
#
# **Statement.** The numbers of regions, and of relatively bounded regions, are
#
# | | $\chi(t)$ | regions | relatively bounded |
# |---|---|---|---|
# | braid | $t (t - 1) \cdots (t - n + 1)$ | $n!$ | 0 for $n \ge 2$ |
# | Shi | $t (t - n)^{n-1}$ | $(n + 1)^{n-1}$ | $(n - 1)^{n-1}$ |
# | Catalan | $t (t - n - 1) \cdots (t - 2n + 1)$ | $n!\, C_n$ | $n!\, C_{n-1}$ |
# | Linial | $t\, s(t)$ | $\lvert s(-1) \rvert$ | $\lvert s(1) \rvert$ |
# | type B | $(t - 1) (t - 3) \cdots (t - 2n + 1)$ | $2^n n!$ | 0 |
#
# where $s(x) = \frac{1}{2^n} \sum_k \binom nk (x - k)^{n-1}$; so Linial has
# $\frac{1}{2^n} \sum_k \binom nk (k + 1)^{n-1}$ regions.
#
# The resonance arrangement has 2, 6, 32, 370, 11292 regions for $n = 1, \dots, 5$ and the threshold arrangement 4, 14,
# 104, 1882, 94572; its regions are the threshold functions of $n$ Boolean variables. For these two no closed form is
# known.
#
# (Sources: Stanley, An introduction to hyperplane arrangements, lectures 2, 3 and 5; the two sequences are A034997 and
# A000609 in the On-Line Encyclopedia of Integer Sequences, quoted from memory. The Linial polynomial, of Postnikov,
# Stanley and Athanasiadis, is not proved here but enumerated.)

# %%
from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from math import comb

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.exact import linear_programs
from geomrelu.geometry import catalogue
from geomrelu.geometry.arrangement import Arrangement

claim = Claim(
    label="known-arrangements",
    title="Famous arrangements",
    statement="braid n!, Shi (n + 1)^(n - 1), Catalan n! C_n, type B 2^n n!; Linial, resonance and threshold sequences",
    latex=r"r(\text{braid}) = n!,\ r(\text{Shi}) = (n+1)^{n-1},\ r(\text{Catalan}) = n!\, C_n,\ r(B_n) = 2^n n!",
    source="Stanley, An introduction to hyperplane arrangements",
    hypotheses=("the arrangements with exactly these hyperplanes",),
    uses=("zaslavsky",),
)

t = sympy.Symbol("t")

# %% [markdown]
# ## Proof
#
# **Step 1 (counting points modulo a prime).** Let the hyperplanes have integer coefficients and let $q$ be a prime that
# divides none of the minors by which ranks and solvability are decided; all large primes are such. Then every set
# $\mathcal B$ of hyperplanes has $q^{n - \operatorname{rank} \mathcal B}$ common points in $\mathbb F_q^n$ if it is
# central, and none otherwise, and by inclusion and exclusion $\chi(q)$ is the number of points of $\mathbb F_q^n$ on no
# hyperplane (Athanasiadis). A polynomial is determined by its values at all large primes.
#
# **Step 2 (braid).** $n$ different elements of $\mathbb F_q$: $q (q - 1) \cdots (q - n + 1)$.
#
# **Step 3 (Shi).** Look at $x_1, \dots, x_n$ as labels $1, \dots, n$ on different places of the circle $\mathbb F_q$.
# If label $j$ is on some place and label $i$ on the next one, $x_i = x_j + 1$, then $i < j$ is forbidden: along each
# block of neighbouring labels they must increase. Mark one of the $q - n$ empty places. Such a marked placement is
# given by the marked place ($q$ choices) and by saying for each label after which of the empty places, counted from the
# marked one, its block stands ($(q - n)^n$ choices). So $(q - n) \chi(q) = q (q - n)^n$.
#
# **Step 4 (Catalan).** No two labels on the same place or on neighbours. Label 1 has $q$ places. Going around the
# circle, the others follow in one of $(n - 1)!$ orders, and the $q - n$ empty places are split into $n$ gaps that are
# not empty, in $\binom{q-n-1}{n-1}$ ways: $\chi(q) = q (q - n - 1) \cdots (q - 2n + 1)$.
#
# **Step 5 (type B).** For odd $q$: $x_1 \ne 0$, then each $x_i$ is different from 0 and from $\pm$ those before, which
# are $2(i - 1)$ different elements: $(q - 1)(q - 3) \cdots (q - 2n + 1)$.
#
# **Step 6.** Put $t = -1$ and $t = 1$ ([`zaslavsky`](zaslavsky.py)). If the normals have rank $\rho < n$, the
# arrangement is one of rank $\rho$ in $\mathbb R^\rho$ times $\mathbb R^{n - \rho}$, so its $\chi$ has the factor
# $t^{n - \rho}$ more, which is 1 at $t = 1$: the relatively bounded regions are $(-1)^\rho \chi(1)$.
#
# **Step 7 (threshold functions).** $f : \{\pm 1\}^n \to \{\pm 1\}$ is a threshold function if
# $f(s) = \operatorname{sign}(w_0 + w \cdot s)$ for some $w$, and one may choose $w$ off all hyperplanes. So the sign
# vectors of the regions are the threshold functions. $\square$


# %%
def binomials(n: int, base: sympy.Expr) -> sympy.Expr:
    """sum over k of C(n, k) (base - k)^(n - 1)."""
    return sum((sympy.binomial(n, k) * (base - k) ** (n - 1) for k in range(n + 1)), sympy.Integer(0))


def polynomials(n: int) -> dict[str, sympy.Expr]:
    """The characteristic polynomials, n a number."""
    return {
        "braid": sympy.ff(t, n),
        "shi": t * (t - n) ** (n - 1),
        "catalan": t * sympy.prod([t - k for k in range(n + 1, 2 * n)]),
        "linial": t * binomials(n, t) / 2**n,
        "type_b": sympy.prod([t - k for k in range(1, 2 * n, 2)]),
    }


def closed_forms(n: int) -> dict[str, tuple[sympy.Expr, sympy.Expr]]:
    """(regions, relatively bounded regions)."""
    n_ = sympy.Integer(n)
    return {
        "braid": (sympy.factorial(n), sympy.Integer(n == 1)),
        "shi": ((n_ + 1) ** (n - 1), (n_ - 1) ** (n - 1)),
        "catalan": (sympy.factorial(n) * sympy.catalan(n), sympy.factorial(n) * sympy.catalan(n - 1)),
        "linial": (
            sympy.Rational(sum(comb(n, k) * (k + 1) ** (n - 1) for k in range(n + 1)), 2**n),
            abs(binomials(n, sympy.Integer(1))) / 2**n,
        ),
        "type_b": (2**n_ * sympy.factorial(n), sympy.Integer(0)),
    }


@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    for n in range(1, 9):
        for name, chi in polynomials(n).items():
            regions, bounded = closed_forms(n)[name]
            rank = n if name == "type_b" else n - 1
            yield f"{name}, n = {n}", (-1) ** n * chi.subs(t, -1), regions
            yield (-1) ** rank * chi.subs(t, 1), bounded
    # Steps 3 and 4: the counts of marked placements, and of gaps
    q, n = sympy.symbols("q n", positive=True, integer=True)
    yield q * (q - n) ** n / (q - n), (t * (t - n) ** (n - 1)).subs(t, q)
    for size in range(1, 7):
        gaps = sympy.factorial(size - 1) * sympy.ff(q - size - 1, size - 1) / sympy.factorial(size - 1)
        yield q * gaps, polynomials(size)["catalan"].subs(t, q)


# %% [markdown]
# ## Enumeration
#
# The regions one by one; the characteristic polynomials from all flats, and at two primes by counting the points of
# $\mathbb F_q^n$ off the hyperplanes one by one (Step 1, with nothing but residues). Then the two sequences; and the
# threshold functions among all $2^{2^n}$ Boolean functions, each by one exact linear program, for $n \le 3$.


# %%
def points(arrangement: Arrangement, q: int) -> int:
    """The points of F_q^n on no hyperplane."""
    forms = list(arrangement.hyperplanes)
    return sum(
        all((row[0] + sum(a * v for a, v in zip(row[1:], x, strict=True))) % q for row in forms)
        for x in product(range(q), repeat=arrangement.dimension)
    )


@claim.enumerate("arrangements")
def counts(depth: str) -> Iterator[tuple[object, ...]]:
    largest = {"braid": 6, "shi": 5, "catalan": 5, "linial": 6, "type_b": 5}
    if depth == "thorough":
        largest = {"braid": 8, "shi": 6, "catalan": 6, "linial": 7, "type_b": 6}
    for name, most in largest.items():
        for n in range(1, most + 1):
            found, chi = getattr(catalogue, name)(n), polynomials(n)[name]
            regions, bounded = closed_forms(n)[name]
            yield f"{name}, n = {n}", found.n_regions, regions
            if n > 1:  # with one coordinate there is no hyperplane to span anything
                yield found.n_bounded, bounded
            if n < most:
                from_flats = found.characteristic_polynomial().as_expr()
                for at in range(-3, 4):
                    yield from_flats.subs(t, at), chi.subs(t, at)
            if n < 4:
                for q in (11, 13):
                    yield points(found, q), chi.subs(t, q)


RESONANCE = (2, 6, 32, 370, 11292)
THRESHOLD = (4, 14, 104, 1882, 94572)


@claim.enumerate("sequences")
def sequences(depth: str) -> Iterator[tuple[object, ...]]:
    for n, regions in enumerate(RESONANCE[: 5 if depth == "thorough" else 4], 1):
        yield f"resonance, n = {n}", catalogue.resonance(n).n_regions, regions
    for n, regions in enumerate(THRESHOLD[: 5 if depth == "thorough" else 4], 1):
        yield f"threshold, n = {n}", catalogue.threshold(n).n_regions, regions
    for n, regions in enumerate(THRESHOLD[:3], 1):
        yield f"threshold functions, n = {n}", sum(map(separable, functions(n))), regions


def functions(n: int) -> Iterator[list[tuple[int, ...]]]:
    """All Boolean functions of n variables, as rows (0, f(s), f(s) s)."""
    cube = list(product((-1, 1), repeat=n))
    for values in product((-1, 1), repeat=len(cube)):
        yield [(0, value, *(value * v for v in s)) for value, s in zip(values, cube, strict=True)]


def separable(rows: list[tuple[int, ...]]) -> bool:
    """Is f(s) (w_0 + w·s) >= 1 for some w? One exact linear program: the largest margin up to 1."""
    size = len(rows[0])
    best = linear_programs.maximise((0,) * size + (1,), [*((*row, -1) for row in rows), (1, *(0,) * (size - 1), -1)])
    return best.value == 1


# %% [markdown]
# ## Neighbours that fail
#
# *One hyperplane less*: the number changes, already for $n = 3$. *Other constants*: Shi's with $x_i - x_j = 0, 1$ for
# some pairs and $0, -1$ for another is a different arrangement: for $n = 3$ with the circular order
# $1 < 2 < 3 < 1$ it has 18 regions, not 16.


# %%
@claim.neighbour("the arrangements with exactly these hyperplanes")
def others(depth: str) -> Iterator[tuple[object, ...]]:
    for name in ("braid", "shi", "catalan", "linial", "type_b"):
        yield getattr(catalogue, name)(3).delete(0).n_regions, closed_forms(3)[name][0]
    rows = [[int(k == i) - int(k == j) for k in range(3)] for i, j in combinations(range(3), 2)]
    circular = Arrangement([*rows, rows[0], [-v for v in rows[1]], rows[2]], [0, 0, 0, -1, -1, -1])
    yield circular.n_regions, closed_forms(3)["shi"][0]


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
