# %% [markdown]
# # The matrix of a convolution
#
# **Notation.** $A * X$ is the convolution of an image $X \in \mathbb R^{d \times d}$ with a kernel
# $A \in \mathbb R^{M \times M}$, with zeros outside the image and an output of the same size (or cyclically);
# $\operatorname{vec}$ puts the entries of an image below each other.
#
# **Statement.** There is exactly one matrix $\tilde A$ with $\operatorname{vec}(A * X) = \tilde A \operatorname{vec} X$
# for all $X$. It has the size $d^2 \times d^2$; each row has at most $M^2$ entries that are not 0, all of them entries
# of $A$ (cyclically with $d < M$: sums of entries); and $A \mapsto \tilde A$ is linear. With $N$ input and $N$ output
# maps the layer is one matrix of size $N d^2 \times N d^2$ and a bias, with $N^2 M^2 + N$ free parameters; so for
# bounds like eq. 23 it is a layer with shared parameters, as [`conv-bounds-corrected`](conv-bounds-corrected.py) takes
# it. (There is a $d \times d$ matrix with $A * X = \tilde A X$ if all entries of $A$ outside its middle column are 0,
# and for $d \ge M$ only then.)

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product

import sympy

from geomrelu.claims.registry import Claim

claim = Claim(
    label="convolution-matrix-corrected",
    title="The matrix of a convolution",
    statement="convolution of d x d images is a d^2 x d^2 matrix, linear in the kernel, with at most M^2 entries a row",
    latex=r"\operatorname{vec}(A * X) = \tilde A \operatorname{vec}(X), \quad \tilde A \in \mathbb R^{d^2 \times d^2}",
    source="Rister & Rubin, section 7.1, eq. 22 (corrected)",
    hypotheses=("the kernel acts linearly, with zeros outside or cyclically",),
)

# %% [markdown]
# ## Proof
#
# **Step 1.** $X \mapsto A * X$ is linear, and images are vectors of $d^2$ numbers: the columns of $\tilde A$ are the
# images of the $d^2$ unit images, and no other matrix will do. The entry in row $(i, j)$ and column $(k, l)$ is
# $A_{i - k, j - l}$ (counted from the middle of the kernel), or 0 if there is no such entry; in the cyclic case it is
# the sum of all entries of $A$ whose indices are these modulo $d$. So row $(i, j)$ has at most as many entries as the
# kernel, and all depend linearly on $A$.
#
# **Step 2 ($d \times d$).** $\tilde A X$ has in column $l$ only entries of column $l$ of $X$. If $A_{p, q} \ne 0$ with
# $q$ not the middle, and $d \ge M$, a unit image whose 1 lies in a column $l$ from which $q$ leads to another column of
# the image is mapped to something that is not 0 there. If only the middle column is not 0, take for $\tilde A$ the
# matrix with entries $A_{i - k}$. $\square$

# %%
Matrix = sympy.Matrix


def convolved(kernel: Matrix, image: Matrix, cyclic: bool) -> Matrix:
    d, m = image.rows, kernel.rows

    def entry(i: int, j: int) -> sympy.Expr:
        total = sympy.Integer(0)
        for p, q in product(range(m), repeat=2):
            k, l = i - p + m // 2, j - q + m // 2
            if cyclic:
                total += kernel[p, q] * image[k % d, l % d]
            elif 0 <= k < d and 0 <= l < d:
                total += kernel[p, q] * image[k, l]
        return total

    return Matrix(d, d, entry)


def by_formula(kernel: Matrix, d: int, cyclic: bool) -> Matrix:
    """Step 1, entry by entry."""
    m, half = kernel.rows, kernel.rows // 2

    def entry(row: int, column: int) -> sympy.Expr:
        (i, j), (k, l) = divmod(row, d), divmod(column, d)
        p, q = i - k + half, j - l + half
        if not cyclic:
            return kernel[p, q] if 0 <= p < m and 0 <= q < m else sympy.Integer(0)
        places = product((p - d, p, p + d), (q - d, q, q + d))
        return sum((kernel[s, t] for s, t in places if 0 <= s < m and 0 <= t < m), sympy.Integer(0))

    return Matrix(d * d, d * d, entry)


@claim.derive("entries of A * X")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    # every entry of kernel and image a symbol; the largest sizes last
    for d, m in ((2, 1), (2, 3), (3, 3)) + (((4, 3),) if depth == "thorough" else ()):
        kernel = Matrix(m, m, sympy.symbols(f"a:{m * m}"))
        image = Matrix(d, d, sympy.symbols(f"x:{d * d}"))
        for cyclic in (False, True):
            matrix = by_formula(kernel, d, cyclic)
            for left, right in zip(
                convolved(kernel, image, cyclic), matrix * Matrix(d * d, 1, list(image)), strict=True
            ):
                yield left * 1, sympy.factor(right)  # factored: another form of the same entry
            shift = sympy.Symbol("s")
            scaled = by_formula(kernel * (1 + shift), d, cyclic)
            yield sum(scaled) + 0, (1 + shift) * sum(matrix)


@claim.enumerate("rows and kernels")
def sizes(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(320)
    for d, m in ((2, 3), (3, 3), (4, 3)) + (((5, 5),) if depth == "thorough" else ()):
        kernel = Matrix(m, m, lambda i, j: rng.choice((-1, 1)) * rng.randint(1, 99))
        matrix = by_formula(kernel, d, cyclic=False)
        most = max(sum(v != 0 for v in matrix.row(i)) for i in range(d * d))
        yield f"d = {d}, M = {m}: entries in a row", most, "<=", m * m
        for unit in range(d * d):
            image = Matrix(d, d, lambda i, j, unit=unit, d=d: int(i * d + j == unit))
            found = convolved(kernel, image, cyclic=False)
            yield int(list(matrix.col(unit)) == list(found)), 1
        # Step 2: which kernels with a single 1 are a product with a d x d matrix
        for p, q in product(range(m), repeat=2):
            one = Matrix(m, m, lambda i, j, p=p, q=q: int((i, j) == (p, q)))
            yield int(sideways(one, d)), int(q == m // 2 or abs(q - m // 2) >= d)


def sideways(kernel: Matrix, d: int) -> bool:
    """Is A * X = B X for one matrix B and all unit images X?"""
    columns: dict[int, list[list[sympy.Expr]]] = {}
    for k, l in product(range(d), repeat=2):
        image = Matrix(d, d, lambda i, j, k=k, l=l: int((i, j) == (k, l)))
        found = convolved(kernel, image, cyclic=False)
        if any(found[i, j] for i in range(d) for j in range(d) if j != l):
            return False
        columns.setdefault(k, []).append(list(found[:, l]))
    return all(all(other == own[0] for other in own) for own in columns.values())


# %% [markdown]
# ## Neighbour that fails
#
# A pooling layer (the largest of two neighbours) is not linear, and no matrix gives it on sums of images.


# %%
@claim.neighbour("the kernel acts linearly, with zeros outside or cyclically")
def pooling(depth: str) -> Iterator[tuple[object, ...]]:
    one, other = [3, 1], [1, 3]
    both = [u + v for u, v in zip(one, other, strict=True)]
    yield max(both), max(one) + max(other)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
