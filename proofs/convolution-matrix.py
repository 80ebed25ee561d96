# %% [markdown]
# # The matrix of a convolution, as printed
#
# **Statement (false as printed).** For eq. 22, with images $X_l \in \mathbb R^{d \times d}$ and kernels
# $A_l \in \mathbb R^{M \times M}$: "By the Riesz Representation Theorem, discrete convolution can be represented by
# multiplication with some matrix $\tilde A_l \in \mathbb R^{d \times d}$."
#
# **What is wrong.** The sizes. A product $\tilde A X$ of two $d \times d$ matrices mixes the rows of an image and
# leaves its columns where they are; a kernel that moves an image sideways is no such product. The matrix of a linear
# map from images to images has $d^2$ rows and columns:
# [`convolution-matrix-corrected`](convolution-matrix-corrected.py).

# %%
from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import sympy

from geomrelu.claims.registry import Again, Claim

claim = Claim(
    label="convolution-matrix",
    title="The matrix of a convolution, as printed",
    statement="convolution of a d x d image with a kernel is multiplication with some d x d matrix",
    latex=r"\forall A \in \mathbb R^{M \times M}\ \exists \tilde A \in \mathbb R^{d \times d}:\ A * X = \tilde A X",
    source="Rister & Rubin, section 7.1, after eq. 22",
    hypotheses=("images d x d, kernels M x M",),
    correction="convolution-matrix-corrected",
)


def convolved(kernel: sympy.Matrix, image: sympy.Matrix) -> sympy.Matrix:
    """A * X with zeros outside the image, of the same size; the middle of the kernel stays in place."""
    d, m = image.rows, kernel.rows

    def entry(i: int, j: int) -> sympy.Expr:
        total = sympy.Integer(0)
        for p, q in product(range(m), repeat=2):
            k, l = i - p + m // 2, j - q + m // 2
            if 0 <= k < d and 0 <= l < d:
                total += kernel[p, q] * image[k, l]
        return total

    return sympy.Matrix(d, d, entry)


AGAIN = Again(
    "import sympy\nleft = sympy.Matrix(2, 2, sympy.symbols('a:4'))\nimage = sympy.Matrix([[1, 0], [0, 0]])\n"
    "moved = sympy.Matrix([[0, 1], [0, 0]])\nprint(int(bool(sympy.solve(list(left * image - moved)))))"
)

# %% [markdown]
# ## Search
#
# For every kernel with a single 1, is there a matrix $\tilde A$ with $A * X = \tilde A X$ for all images? The equations
# for the $d^2$ unit images are linear in the $d^2$ entries of $\tilde A$. Kernels that move an image up or down have
# one; the first that moves it sideways has none.


# %%
@claim.enumerate("kernels")
def kernels(depth: str) -> Iterator[tuple[object, ...]]:
    for d, m, places in ((1, 1, [(0, 0)]), (2, 3, [(1, 1), (0, 1), (2, 1), (1, 2)])):
        left = sympy.Matrix(d, d, sympy.symbols(f"a:{d * d}"))
        for place in places:
            kernel = sympy.zeros(m)
            kernel[place] = 1
            equations = []
            for k in range(d * d):
                image = sympy.zeros(d)
                image[k] = 1
                equations += list(left * image - convolved(kernel, image))
            solvable = int(bool(sympy.solve(equations, list(left))))
            yield f"d = {d}, kernel with a 1 at {place}", solvable, 1, AGAIN


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
