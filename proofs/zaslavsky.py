# %% [markdown]
# # How many regions an arrangement of hyperplanes has
#
# **Notation.** $\mathcal A$ is a set of $m$ different hyperplanes in $\mathbb R^n$, $r(\mathcal A)$ the number of its
# regions (the connected components of the complement) and $b(\mathcal A)$ the number of those that are bounded. A set
# $\mathcal B \subseteq \mathcal A$ is *central* if its hyperplanes have a common point; the empty set is. Its rank is
# that of the normals, and
# $$\chi(t) = \sum_{\mathcal B \subseteq \mathcal A \text{ central}} (-1)^{|\mathcal B|} t^{n - \operatorname{rank}
# \mathcal B}$$
# is the characteristic polynomial. $\mathcal A$ is *essential* if its normals span $\mathbb R^n$. It is in *general
# position* if any $k \le n$ of its hyperplanes meet in a flat of dimension $n - k$ and no $n + 1$ have a common point;
# for hyperplanes through 0 only the first is asked.
#
# **Statement.** (i) $r(\mathcal A) = (-1)^n \chi(-1)$, and if $\mathcal A$ is essential,
# $b(\mathcal A) = (-1)^n \chi(1)$. (ii) In general position
# $$r = \sum_{i=0}^n \binom mi, \qquad b = \binom{m - 1}{n} \quad (m \ge 1),$$
# and any other $m$ hyperplanes have at most as many regions. (iii) Through 0 and otherwise in general position, for
# $m, n \ge 1$: $r = 2 \sum_{i=0}^{n-1} \binom{m-1}{i}$.
#
# (Grouping the central sets by their intersection, a flat $X$, gives $\chi(t) = \sum_X \mu(X) t^{\dim X}$ with
# $\mu(X) = \sum_{\bigcap \mathcal B = X} (-1)^{|\mathcal B|}$. This is the Möbius function of the flats:
# $\mu(\mathbb R^n) = 1$, and for a flat $X \ne \mathbb R^n$ the sum of $\mu(Y)$ over the flats $Y \supseteq X$ is
# $\sum (-1)^{|\mathcal B|}$ over all sets $\mathcal B$ of hyperplanes that contain $X$, which is 0. By Step 1 below and
# induction the coefficient of $t^{n-k}$ is 0 or has the sign $(-1)^k$, so $r$ is the sum of their absolute values, and,
# with the hyperplanes that contain $X$ alone, $r = \sum_X |\mu(X)|$.)

# %%
from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import combinations

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.exact.elimination import rank
from geomrelu.geometry import catalogue, region_formulas
from geomrelu.geometry.arrangement import Arrangement
from geomrelu.geometry.polyhedron import Polyhedron

claim = Claim(
    label="zaslavsky",
    title="Regions of arrangements",
    statement="r = (-1)^n chi(-1), b = (-1)^n chi(1); in general position sum C(m, i), C(m - 1, n), 2 sum C(m - 1, i)",
    latex=r"r = (-1)^n \chi(-1),\ b = (-1)^n \chi(1); \quad \text{generic: } r = \sum_{i \le n} \binom mi,\ "
    r"b = \binom{m-1}{n};\quad \text{central: } r = 2 \sum_{i < n} \binom{m-1}{i}",
    source="Zaslavsky, Facing up to arrangements, 1975",
    hypotheses=(
        "different hyperplanes",
        "for b: the normals span R^n",
        "for the closed forms: general position",
    ),
)

# %% [markdown]
# ## Proof
#
# Let $H \in \mathcal A$, let $\mathcal A' = \mathcal A \setminus \{H\}$, and let $\mathcal A''$ be the set of the
# hyperplanes $K \cap H \ne \emptyset$, $K \in \mathcal A'$, of $H \cong \mathbb R^{n-1}$.
#
# **Step 1 (deletion and restriction for $\chi$).** $\chi_{\mathcal A} = \chi_{\mathcal A'} - \chi_{\mathcal A''}$. The
# terms without $H$ are those of $\mathcal A'$. The sets $\mathcal B = \{H\} \cup \mathcal C$ give, with
# $\dim \bigcap \mathcal B = n - \operatorname{rank} \mathcal B$, minus the sum over the families
# $(K \cap H)_{K \in \mathcal C}$ of hyperplanes of $H$. Some of these may be equal, $K_1 \cap H = K_2 \cap H$; then the
# families with $K_1$ cancel in pairs, with and without $K_2$: they have the same intersection and opposite signs. So
# $K_1$ can be left out, until all are different.
#
# **Step 2 (for $r$).** $r(\mathcal A) = r(\mathcal A') + r(\mathcal A'')$. A region $R$ of $\mathcal A'$ falls into two
# if it meets $H$ and stays whole otherwise, and the sets $R \cap H$ that are not empty are the regions of
# $\mathcal A''$.
#
# **Step 3 ($r$).** For $m = 0$, $\chi = t^n$ and $(-1)^n \chi(-1) = 1 = r$. By Step 1, $(-1)^n \chi_{\mathcal A}(-1) =
# (-1)^n \chi_{\mathcal A'}(-1) + (-1)^{n-1} \chi_{\mathcal A''}(-1)$, which is the recursion of Step 2.
#
# **Step 4 ($b$).** For $n = 0$ there are no hyperplanes, $\chi = 1$, and the one point is bounded. Let $n \ge 1$ and
# $\mathcal A$ be essential; then so is $\mathcal A''$ in $H$. *If $\mathcal A'$ is not essential*, a line is parallel
# to all of its hyperplanes and crosses $H$. The regions of $\mathcal A'$ contain such lines, those of $\mathcal A$ half
# lines: $b = 0$. And $\chi_{\mathcal A'} = t \chi_{\mathcal A''}$ (project along the line onto $H$), so
# $\chi_{\mathcal A} = (t - 1) \chi_{\mathcal A''}$ and $\chi_{\mathcal A}(1) = 0$. *If $\mathcal A'$ is essential*,
# $b(\mathcal A) = b(\mathcal A') + b(\mathcal A'')$: let $R$ be a region of $\mathcal A'$ that meets $H$. If $R$ is
# bounded, so are its two parts and $R \cap H$. If not, its directions of recession form a convex cone $C \ne \{0\}$
# without lines, as $\mathcal A'$ is essential. If $R \cap H$ is bounded, no direction in $C \setminus \{0\}$ is
# parallel to $H$; since this set is convex, all of them lead to the same side of $H$, and $R$ has one bounded part and
# one that is not. If $R \cap H$ is unbounded, so are both parts. In each case the number of bounded parts grows by 1 if
# and only if $R \cap H$ is bounded. The same recursion holds for $(-1)^n \chi(1)$ by Step 1. This is (i).
#
# **Step 5 (ii).** In general position the central sets are those with $k \le n$ elements, and have rank $k$:
# $\chi(t) = \sum_{k=0}^n (-1)^k \binom mk t^{n-k}$. So $(-1)^n \chi(-1) = \sum_k \binom mk$, and
# $(-1)^n \chi(1) = \sum_k (-1)^{n-k} \binom mk = \binom{m-1}{n}$ (Pascal's triangle; for $m < n$ both this and the
# number of bounded regions are 0). *At most*: write $r(m, n) = \sum_{i \le n} \binom mi$; then
# $r(m, n) = r(m - 1, n) + r(m - 1, n - 1)$, $r(0, n) = r(m, 0) = 1$, and $r$ grows with $m$. By Step 2 and induction,
# $r(\mathcal A) \le r(m - 1, n) + r(m - 1, n - 1)$, as $\mathcal A''$ has at most $m - 1$ hyperplanes.
#
# **Step 6 (iii).** Let $H \in \mathcal A$. By $x \mapsto -x$, half of the regions lie on its positive side; these are
# cones, and each meets the parallel $H_1$ of $H$ on this side in one region of the $m - 1$ hyperplanes $K \cap H_1$ of
# $H_1 \cong \mathbb R^{n-1}$, each region in this way. They are in general position there: $k \le n - 1$ of them have
# $K \cap H_1$ in common, which has dimension $n - 1 - k$ because the $k$ normals and that of $H$ are independent, and
# $n$ of them have only 0 in common, which is not in $H_1$. Now use (ii). $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    m, t = sympy.symbols("m t", positive=True, integer=True)
    i = sympy.Symbol("i", positive=True, integer=True)
    # Step 5: Pascal's rule, by which r(m, n) is a recursion term by term; and r(m, n) itself, as a polynomial in m
    yield sympy.binomial(m, i), sympy.binomial(m - 1, i) + sympy.binomial(m - 1, i - 1)
    for k in range(1, 11):
        yield region_formulas.regions(m, k), region_formulas.regions(m - 1, k) + region_formulas.regions(m - 1, k - 1)
    for k in range(6):
        yield region_formulas.regions(0, k), sympy.Integer(1)
        yield region_formulas.regions(m, 0), sympy.Integer(1)
    # the characteristic polynomial in general position, with m as a symbol
    for k in range(1, 8):
        falling = [sympy.expand_func(sympy.binomial(m, j)) for j in range(k + 1)]
        chi = sum((-1) ** j * falling[j] * t ** (k - j) for j in range(k + 1))
        case = (-1) ** k * chi.subs(t, -1), region_formulas.regions(m, k)
        yield (f"r, R^{k}, any m", *case) if k < 4 else case
        inner = sympy.expand_func(region_formulas.bounded_regions(m, k).subs(m, m + 1)).subs(m, m - 1)
        case = (-1) ** k * chi.subs(t, 1), inner
        yield (f"b, R^{k}, any m", *case) if k < 4 else case
        # Step 6: the slice, and chi of the central arrangement, whose last coefficient makes chi(1) = 0
        case = 2 * region_formulas.regions(m - 1, k - 1), region_formulas.central_regions(m, k)
        yield (f"through 0, R^{k}, any m", *case) if k < 4 else case
        central = sum((-1) ** j * falling[j] * t ** (k - j) for j in range(k))
        central -= central.subs(t, 1)
        yield (-1) ** k * central.subs(t, -1), region_formulas.central_regions(m, k)


# %% [markdown]
# ## Enumeration
#
# The regions are found one by one by `geomrelu.geometry.arrangement`. $\chi$ is computed here from its definition, from
# the ranks of all $2^m$ subsets, for random arrangements and for degenerate ones (coefficients $-1, 0, 1$: parallel,
# concurrent and not essential). Then general position.


# %%
def characteristic(rows: Sequence[Sequence[int]], n: int) -> list[int]:
    """The coefficients of chi, from t^n down to 1, for different hyperplanes (b, a1, ..., an): the definition."""
    found = [0] * (n + 1)
    for size in range(len(rows) + 1):
        for chosen in combinations(rows, size):
            found_rank = rank([row[1:] for row in chosen])
            if rank(chosen) == found_rank:
                found[found_rank] += (-1) ** size
    return found


def bounded(arrangement: Arrangement) -> int:
    """How many regions are bounded, one by one."""
    closed = [
        [tuple(s * v for v in row) for s, row in zip(word, arrangement.rows, strict=True)]
        for word in arrangement.signs.tolist()
    ]
    return sum(Polyhedron.from_rows(rows).is_bounded for rows in closed)


def random_arrangement(rng: random.Random, n: int, m: int, largest: int) -> Arrangement:
    rows = [[rng.randint(-largest, largest) for _ in range(n + 1)] for _ in range(m)]
    return Arrangement([row[1:] for row in rows], [row[0] for row in rows])


@claim.enumerate("arrangements")
def arrangements(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(100)
    repetitions, most = (60, 9) if depth == "thorough" else (6, 6)
    for n in (1, 2, 3, 4):
        for largest in (1, 2, 99):
            for _ in range(repetitions):
                found = random_arrangement(rng, n, rng.randint(1, most), largest)
                rows = list(found.hyperplanes)
                chi = characteristic(rows, n)
                yield f"r, n = {n}", found.n_regions, sum((-1) ** k * v for k, v in enumerate(chi))
                if found.rank == n:
                    yield f"b, n = {n}", found.n_bounded, (-1) ** n * sum(chi)
                    yield f"b one by one, n = {n}", bounded(found), found.n_bounded
                yield f"r at most, n = {n}", found.n_regions, "<=", region_formulas.regions(len(rows), n)
                yield f"Moebius, n = {n}", sum(map(abs, chi)), found.n_regions
                if n > 1 and rows:
                    i = found.hyperplanes[rows[0]]
                    without = [row for k, row in enumerate(found.rows) if k not in i]
                    deleted, restricted = Arrangement.from_rows(without, n), found.restrict(i[0])
                    yield f"deletion, n = {n}", deleted.n_regions + restricted.n_regions, found.n_regions


@claim.enumerate("arrangements in general position")
def general(depth: str) -> Iterator[tuple[object, ...]]:
    largest = {1: 12, 2: 20, 3: 14, 4: 10, 5: 8} if depth == "thorough" else {1: 8, 2: 12, 3: 9, 4: 7, 5: 6}
    for n, most in largest.items():
        for m in range(1, most + 1):
            powers = [[t**k for k in range(n + 1)] for t in range(1, m + 1)]  # independent, by Vandermonde
            affine = Arrangement([row[:-1] for row in powers], [row[-1] for row in powers])
            central = Arrangement([row[:-1] for row in powers])
            yield affine.n_regions, region_formulas.regions(m, n)
            if m >= n:
                yield affine.n_bounded, region_formulas.bounded_regions(m, n)
            if n > 1 or m == 1:  # there is only one point 0
                yield central.n_regions, region_formulas.central_regions(m, n)
        yield f"r, R^{n}, m = {most}", affine.n_regions, region_formulas.regions(most, n)
        yield f"b, R^{n}, m = {most}", affine.n_bounded, region_formulas.bounded_regions(most, n)
        if n > 1:
            yield f"through 0, R^{n}, m = {most}", central.n_regions, region_formulas.central_regions(most, n)
    for seed in range(5):
        yield catalogue.generic(3, 8, seed).n_regions, region_formulas.regions(8, 3)


# %% [markdown]
# ## Neighbours that fail
#
# *Through 0*, the formula for affine hyperplanes, $\sum_{i \le n} \binom mi$, is too large, already for three lines in
# the plane: 6 regions, not 7. *Parallel or concurrent*: three lines of which two are parallel have 6 regions. *Equal
# hyperplanes*: two equal lines have 2 regions, not 4. *Not essential*: for $m$ parallel lines $|\chi(1)| = m - 1$, but
# no region is bounded (that many are strips, *relatively* bounded).


# %%
@claim.neighbour("for the closed forms: general position; different hyperplanes; for b: the normals span R^n")
def degenerate(depth: str) -> Iterator[tuple[object, ...]]:
    for n in (2, 3, 4):
        central = Arrangement([[t**k for k in range(n)] for t in range(1, n + 2)])
        yield central.n_regions, region_formulas.regions(n + 1, n)
    yield Arrangement([[1, 0], [1, 0], [0, 1]], [0, 1, 0]).n_regions, region_formulas.regions(3, 2)
    yield Arrangement([[1, 0], [2, 0]], [1, 2]).n_regions, region_formulas.regions(2, 2)
    strips = Arrangement([[1, 0]] * 4, [0, 1, 2, 3])
    chi = characteristic(list(strips.hyperplanes), 2)
    yield bounded(strips), abs(sum(chi))


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
