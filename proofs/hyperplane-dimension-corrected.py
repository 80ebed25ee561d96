# %% [markdown]
# # The parameters of a neuron live in n + 1 dimensions
#
# **Statement.** Let $x \in \mathbb R^n$. $H = \{(a, b) : a \cdot x + b = 0\}$ is a hyperplane in $\mathbb R^{n+1}$ (for
# $x = 0$ too), so it has Lebesgue measure 0. The map $(a, b) \mapsto -(a, b)$ has determinant $(-1)^{n+1}$, of absolute
# value 1, and exchanges the two sides of $H$. So every law of $(a, b)$ with a density $f(a, b) = f(-a, -b)$ gives
# $P(a \cdot x + b \le 0) = \gamma = \frac12$, as eqs. 5 to 7 of the paper conclude.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import Polyhedron

claim = Claim(
    label="hyperplane-dimension-corrected",
    title="Where the parameters of a neuron live",
    statement="(a, b)·(x, 1) = 0 is a hyperplane in R^(n + 1); (a, b) -> -(a, b) has determinant ±1; so gamma = 1/2",
    latex=r"\dim \{(a, b) \in \mathbb R^{n+1} : a \cdot x + b = 0\} = n, \quad \gamma = \tfrac12",
    source="Rister & Rubin, section 4, eqs. 5 to 7 (corrected)",
    hypotheses=(
        "a bias, or x is not 0",
        "the law of (a, b) has a density and is that of -(a, b)",
    ),
    uses=("point-half",),
)

# %% [markdown]
# ## Proof
#
# **Step 1.** $H$ is the kernel of the row $(x, 1)$, which is not 0: its last entry is 1. So $H$ has dimension $n$ in
# $\mathbb R^{n+1}$ and measure 0.
#
# **Step 2.** Minus the identity of $\mathbb R^{n+1}$ has determinant $(-1)^{n+1}$. A change of variables multiplies by
# the absolute value, 1. It maps $\{a \cdot x + b < 0\}$ to $\{a \cdot x + b > 0\}$, and $f$ to itself; so both have the
# same probability. With Step 1, $\frac12$ each; in agreement with [`point-half`](point-half.py), which needs no
# density. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    # Step 1: the kernel of the row (1, x), which multiplies (b, a); for symbols, and for x = 0
    for n in range(1, 6):
        x = sympy.Matrix([[1, *sympy.symbols(f"x1:{n + 1}")]])
        for row in (x, x.subs(dict.fromkeys(x.free_symbols, 0))):
            yield f"n = {n}: dimension of H", sympy.Integer(len(row.nullspace())), sympy.Integer(n)
            for vector in row.nullspace():
                yield (row * vector)[0], sympy.Integer(0)
        yield f"n = {n}: determinant", (-sympy.eye(n + 1)).det(), sympy.Integer(-1) ** (n + 1)
    # Step 2 as an integral, n = 1: a uniform law on the square; and any law that rotations leave alone, where
    # a = s cos t, b = s sin t: from one zero of sin t + x cos t to the next it is half a turn
    a, b, t = sympy.symbols("a b t", real=True)
    for point in (sympy.Integer(0), sympy.Rational(1, 3), sympy.Integer(1)):
        area = sympy.integrate(sympy.integrate(sympy.Rational(1, 4), (b, -1, -a * point)), (a, -1, 1))
        yield f"n = 1, uniform, x = {point}: gamma", area, sympy.Rational(1, 2)
    x = sympy.Symbol("x", real=True)
    zeros = -sympy.atan(x) - sympy.pi, -sympy.atan(x)
    for zero in zeros:
        yield (sympy.sin(zero) + x * sympy.cos(zero)), sympy.Integer(0)
    turn = sympy.integrate(1 / (2 * sympy.pi), (t, *zeros))
    yield "n = 1, normal, every x: gamma", turn, sympy.Rational(1, 2)


# %% [markdown]
# ## Decision
#
# Polyhedra in the space of parameters: $H$ has dimension $n$ there; and the flip maps the part of a cube on one side of
# $H$ exactly onto the part on the other side (two descriptions, compared both ways).


# %%
@claim.decide("points")
def halves(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(210)
    for n in range(1, 5):
        for repetition in range(10 if depth == "thorough" else 4):
            x = [Fraction(rng.randint(-9, 9), 4) * (repetition > 0) for _ in range(n)]
            plane = Polyhedron.from_rows([], [[0, *x, 1]])
            yield f"n = {n}: dimension of H", plane.affine_dimension, n, plane.dimension == n + 1
            cube = Polyhedron.box([(-1, 1)] * (n + 1))
            negative, positive = (
                cube.intersection(Polyhedron.from_rows([[0, *(s * v for v in (*x, 1))]])) for s in (-1, 1)
            )
            flipped = Polyhedron.from_generators([[-v for v in vertex] for vertex in negative.vertices])
            full = negative.affine_dimension == positive.affine_dimension == n + 1
            yield f"n = {n}: the halves of a cube", flipped.same_set(positive), True, full


# %% [markdown]
# The two sides on a grid of parameters, $\{-3, \dots, 3\}^{n+1}$: as many on one as on the other, and few in $H$.


# %%
@claim.enumerate("points")
def grids(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(211)
    for n in (1, 2, 3):
        for repetition in range(4):
            x = [Fraction(rng.randint(-9, 9), 4) * (repetition > 0) for _ in range(n)]
            values = [
                b + sum(v * t for v, t in zip(a, x, strict=True)) for *a, b in product(range(-3, 4), repeat=n + 1)
            ]
            below, above = sum(v < 0 for v in values), sum(v > 0 for v in values)
            case = below, above
            yield (f"n = {n}, x = 0: on each side", *case) if repetition == 0 else case


# %% [markdown]
# ## Neighbours that fail
#
# *Without a bias*, at $x = 0$, all of $\mathbb R^n$ satisfies $a \cdot x = 0$: no hyperplane, and every neuron is dead
# there. *Without the symmetry*: $(a, b)$ uniform on $[0, 1]^2$ at $x = 1$, where no neuron is dead.


# %%
@claim.neighbour("a bias, or x is not 0; the law of (a, b) has a density and is that of -(a, b)")
def others(depth: str) -> Iterator[tuple[object, ...]]:
    for n in (1, 2, 3):
        yield Polyhedron.from_rows([], [[0] * (n + 1)]).affine_dimension, n - 1
    square = Polyhedron.box([(0, 1)] * 2)
    side = square.intersection(Polyhedron.from_rows([[0, -1, -1]]))
    yield side.affine_dimension, square.affine_dimension


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
