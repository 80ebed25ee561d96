# %% [markdown]
# # On a growing ball the first layer lives
#
# **Notation.** $B_r$ is the ball of radius $r > 0$ around 0 in $\mathbb R^n$, the input set. $P(n, 1)$ is the
# probability that a layer of $n$ neurons is positive somewhere on $B_r$; $z(x) = a \cdot x + b$ is one of them.
#
# **Statement.** (i) $z$ is dead on $B_r$ if and only if $b + r |a| \le 0$, that is $b \le 0$ and $b^2 \ge r^2 |a|^2$.
# (ii) If the rows $(a, b)$ are independent with one law, $P(n, 1) = 1 - P(b + r |a| \le 0)^n$ never falls when $r$
# grows, and if $P(a = 0) = 0$, it tends to 1. (iii) For independent standard normal parameters
# $$P(b + r |a| \le 0) = c_n \int_0^{\arctan(1/r)} \sin^{n-1} t \, dt, \qquad
# c_n = \frac{\Gamma(\frac{n+1}2)}{\sqrt \pi \, \Gamma(\frac n2)},$$
# which is $\frac{\arctan(1/r)}{\pi}$ for $n = 1$, and about $\frac{c_n}{n} r^{-n}$ for large $r$. (iv) For rational
# $a$, $b$, $r$ the verdict has a rational proof: a living neuron is alive on a polytope inside $B_r$ with rational
# vertices, a dead one is dead on a polyhedron around $B_r$ with rational facets.

# %%
from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import product

import numpy as np
import sympy

from geomrelu import Status, checker, decide
from geomrelu.certificates.files import as_certificate
from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network
from geomrelu.random_networks import closed_forms, montecarlo

claim = Claim(
    label="ball-limit",
    title="A growing ball",
    statement="a neuron is dead on the ball of radius r iff b + r |a| <= 0; so P(n, 1) rises to 1 as r grows",
    latex=r"z \le 0 \text{ on } B_r \iff b + r \lvert a \rvert \le 0; \quad \lim_{r \to \infty} P(n, 1) = 1",
    source="Rister & Rubin, section 5; Shin & Karniadakis (2019)",
    hypotheses=(
        "rows independent",
        "a = 0 has probability 0",
        "the domain is a ball around 0",
    ),
)

# %% [markdown]
# ## Proof
#
# **Step 1.** By the inequality of Cauchy and Schwarz $a \cdot x \le |a| |x| \le r |a|$ on $B_r$, with equality at
# $x = r a / |a|$ (anywhere, if $a = 0$). So the maximum of $z$ is $b + r |a|$. It is $\le 0$ if and only if
# $-b \ge r |a| \ge 0$, that is $b \le 0$ and $b^2 \ge r^2 |a|^2$.
#
# **Step 2.** The layer is dead if all its neurons are: $P(n, 1) = 1 - P(b + r |a| \le 0)^n$. The events
# $\{b + r |a| \le 0\}$ shrink when $r$ grows, and their intersection over all $r$ is $\{a = 0, b \le 0\}$. By
# continuity from above their probabilities fall to that of the intersection, which is 0 if $P(a = 0) = 0$.
#
# **Step 3.** Let $(a, b)$ be standard normal in $\mathbb R^{n+1}$, $\varrho = |a|$, and $\varphi = \Phi'$ the normal
# density. Given $\varrho$, $P(b \le -r \varrho) = \Phi(-r \varrho)$, with derivative $-\varrho \varphi(r \varrho)$ in
# $r$. The density of $\varrho$ is proportional to $s^{n-1} e^{-s^2/2}$, and the mean of $-\varrho \varphi(r \varrho)$
# is $-c_n (1 + r^2)^{-(n+1)/2}$ (identity below).
# Since the probability tends to 0 as $r \to \infty$, it is $c_n \int_r^\infty (1 + s^2)^{-(n+1)/2} ds$, and $s = \cot
# t$ gives (iii). For $r = 0$ it is $\frac12$, so $c_n \int_0^\pi \sin^{n-1} t \, dt = 1$: the probability is the share
# of a cap on the sphere of $\mathbb R^{n+1}$.
#
# **Step 4.** Rational unit vectors are dense on the sphere (stereographic projection). *Alive*: $b + r |a| > 0$, so
# $z(ru) > 0$ for a rational unit vector $u$ near $a / |a|$ (any, if $a = 0$). *Dead*: if $|a|$ is rational,
# $u = a / |a|$ (any rational unit vector, if $a = 0$) is a rational unit vector and $z \le b + r |a| \le 0$ on the
# half-space $u \cdot x \le r$. If $|a|$ is irrational (then $a \ne 0$), $b + r |a| \ne 0$, because $r$ and $b$ are
# rational; so $b + r |a| < 0$. Take rational unit vectors $u_j$ so near $a / |a|$ that $a = \sum_j \lambda_j u_j$ with
# $\lambda_j \ge 0$ and $\sum_j \lambda_j \le -b / r$ (possible, for the sum tends to $|a|$); then $z \le b + r \sum_j
# \lambda_j \le 0$ where all $u_j \cdot x \le r$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    # Step 1: |a|^2 |x|^2 - (a·x)^2 is a sum of squares; and the value at x = r a / |a|
    r, b = sympy.Symbol("r", positive=True), sympy.Symbol("b", real=True)
    for n in (1, 2, 3, 4):
        a, x = (sympy.Matrix(sympy.symbols(f"{s}1:{n + 1}", real=True)) for s in "ax")
        squares = sum((a[i] * x[j] - a[j] * x[i]) ** 2 for i in range(n) for j in range(i))
        yield f"n = {n}: Lagrange's identity", (a.T * a)[0] * (x.T * x)[0] - (a.T * x)[0] ** 2, squares
        best = r * a / sympy.sqrt((a.T * a)[0])
        yield (a.T * best)[0] + b, b + r * sympy.sqrt((a.T * a)[0])
    # Step 3: the derivative in r, for a symbolic dimension, from the densities of |a| and b
    d, s, t = sympy.symbols("d s t", positive=True)
    radial = s ** (d - 1) * sympy.exp(-(s**2) / 2)
    radial /= sympy.integrate(radial, (s, 0, sympy.oo))
    normal = sympy.exp(-((r * s) ** 2) / 2) / sympy.sqrt(2 * sympy.pi)
    slope = -sympy.integrate(sympy.powsimp(radial * s * normal), (s, 0, sympy.oo))
    c = sympy.gamma((d + 1) / 2) / (sympy.sqrt(sympy.pi) * sympy.gamma(d / 2))
    yield "every n: d/dr P", sympy.gammasimp(slope), -c * (1 + r**2) ** (-(d + 1) / 2)
    # the closed forms: this derivative, 0 at infinity, 1/2 at 0, and the integral over the cap
    for n in range(1, 8 if depth == "thorough" else 6):
        found, constant = closed_forms.gaussian_dead_on_ball(n, r), sympy.gammasimp(c.subs(d, n))
        yield f"n = {n}: d/dr P", sympy.simplify(found.diff(r)), sympy.simplify(slope.subs(d, n))
        yield f"n = {n}: r to infinity", sympy.limit(found, r, sympy.oo), sympy.Integer(0)
        yield f"n = {n}: r to 0", sympy.limit(found, r, 0), sympy.Rational(1, 2)
        yield f"n = {n}: P r^n for large r", sympy.limit(found * r**n, r, sympy.oo), constant / n
        if n < 4:
            cap = constant * sympy.integrate(sympy.sin(t) ** (n - 1), (t, 0, sympy.atan(1 / r)))
            yield f"n = {n}: P", sympy.simplify(cap), found
    yield "n = 1: arctan(1/r) / pi", closed_forms.gaussian_dead_on_ball(1, r), sympy.atan(1 / r) / sympy.pi


# %% [markdown]
# ## Enumeration
#
# Layers whose parameters are uniform on $\{\pm 1, \dots, \pm 4\}$: by (i) the probability that a layer is alive is an
# exact rational; it rises with $r$, to 1. And one distribution-free value: for independent $a$, $b$ with one symmetric
# law without atoms, on $[-1, 1]$, two of the eight classes (signs; which of $|a|$, $|b|$ is larger) are dead, as for
# the normal law.


# %%
def dead(a: Sequence[int], b: int, r: Fraction) -> bool:
    return b <= 0 and b * b >= r * r * sum(v * v for v in a)


@claim.enumerate("layers")
def radii(depth: str) -> Iterator[tuple[object, ...]]:
    values = [s * v for v in range(1, 5) for s in (1, -1)]
    for n in range(1, 5 if depth == "thorough" else 4):
        rows = list(product(values, repeat=n + 1))
        before = Fraction(0)
        for r in (Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(3, 2), Fraction(4), Fraction(17, 4)):
            alive = 1 - Fraction(sum(dead(a, b, r) for *a, b in rows), len(rows)) ** n
            yield f"n = {n}, r = {r}: P(n, 1), it rises", before, "<=", alive
            before = alive
        yield f"n = {n}: in the end", before, 1
    classes = product((1, -1), (1, -1), ((1, 2), (2, 1)))
    found = [dead([s * a], t * b, Fraction(1)) for s, t, (a, b) in classes]
    yield "n = 1, r = 1: dead", Fraction(sum(found), len(found)), closed_forms.gaussian_dead_on_ball(1, 1)


# %% [markdown]
# ## Decision
#
# (iv), neuron by neuron: rational polytopes inside and around the ball, finer and finer, until the analyzer finds the
# neuron alive on the inner or dead on the outer one; its certificate is checked. The verdict must be that of the
# squares. Among the neurons are the tight ones ($b = -r |a|$) and close ones on both sides.


# %%
def units(a: Sequence[int], fineness: int) -> list[list[Fraction]]:
    """Rational unit vectors around a / |a|: that vector if it is rational, and corners of a grid around its image
    under the stereographic projection from the pole opposite to the largest coordinate."""
    n, square = len(a), sum(v * v for v in a)
    length = math.isqrt(square)
    found = [[Fraction(v, length) for v in a]] if length * length == square > 0 else []
    top = max(range(n), key=lambda i: abs(a[i]))
    sign, rest = (1 if a[top] >= 0 else -1), [i for i in range(n) if i != top]
    near = [math.floor(fineness * a[i] / (math.sqrt(square) + abs(a[top]) or 1)) for i in rest]
    for steps_ in product((-1, 2), repeat=n - 1):
        s = [Fraction(c + e, fineness) for c, e in zip(near, steps_, strict=True)]
        norm, u = sum(v * v for v in s), [Fraction(0)] * n
        u[top] = sign * (1 - norm) / (1 + norm)
        for i, v in zip(rest, s, strict=True):
            u[i] = 2 * v / (1 + norm)
        found.append(u)
    return found


def decided(a: Sequence[int], b: Fraction, r: Fraction) -> tuple[bool, bool]:
    """(is the neuron dead on the ball, is that proved)."""
    net, fineness = Network.from_layers([([list(a)], [b], "relu")]), 1
    while True:
        fineness *= 4
        sphere = units(a, fineness)
        exact = all(sum(v * v for v in u) == 1 for u in sphere)
        inner = Polyhedron.from_generators([[r * v for v in u] for u in sphere])
        outer = Polyhedron.from_rows([[r, *(-v for v in u)] for u in sphere])
        for domain, wanted in ((inner, Status.ALIVE), (outer, Status.DEAD)):
            (report,) = decide(net, domain)
            (verdict,) = report.verdicts
            if verdict.status is wanted:
                proof = as_certificate([verdict.claim], net.digest, domain.checked.digest(), report.points)
                accepted = len(checker.check(proof, net.checked, domain.checked)) == 1
                return wanted is Status.DEAD, accepted and exact


@claim.decide("neurons")
def neurons(depth: str) -> Iterator[tuple[object, ...]]:
    slopes = [(1,), (-3,), (0, 0), (1, 0), (1, 1), (-1, 2), (3, 4), (-5, 12), (7, -8), (1, 1, 1), (1, -2, 2), (2, 3, 6)]
    if depth == "thorough":
        slopes += [*product((-2, 1, 3), repeat=3), (1, 1, 1, 1), (1, 2, 3, 4), (0, 0, 0, 5)]
    for a in slopes:
        for r in (Fraction(1, 2), Fraction(3)):
            square = r * r * sum(v * v for v in a)
            below = -Fraction(math.isqrt(square.numerator * 10**6 // square.denominator), 1000)
            near = Fraction(1, 1000)
            for b in (Fraction(1), Fraction(0), below, below - near, below + near, 2 * below - 1):
                verdict, accepted = decided(a, b, r)
                yield f"a = {a}", verdict, dead(a, b, r), accepted


# %% [markdown]
# ## Sampling
#
# Probabilities of (iii) that are rational numbers, and others between rational bounds; layers too.


# %%
def dead_layers(draw: Callable[[tuple[int, ...]], np.ndarray], size: int, *, n: int, r: float, width: int) -> int:
    rows = draw((size, width, n + 1))
    return int((rows[..., n] <= -r * np.linalg.norm(rows[..., :n], axis=2)).all(axis=1).sum())


@claim.sample("probabilities", trials=200_000, seed=170)
def gaussian(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    cases = [(1, "1", 1), (1, "sqrt(3)", 2), (2, "3/4", 1), (2, "4/3", 1), (4, "3/4", 1)]
    for i, (n, text, width) in enumerate(cases):
        r = sympy.sympify(text)
        killed = montecarlo.count(dead_layers, trials, seed + i, n=n, r=float(r), width=width)
        yield (
            f"n = {n}, r = {r}" + (f", {width} neurons" if width > 1 else ""),
            killed,
            closed_forms.gaussian_dead_on_ball(n, r) ** width,
        )
    for i, (n, r) in enumerate(((1, Fraction(1, 2)), (1, Fraction(5)), (3, Fraction(1, 3)), (5, Fraction(1, 2)))):
        killed = montecarlo.count(dead_layers, trials, seed + 10 + i, n=n, r=float(r), width=1)
        p = math.floor(sympy.N(closed_forms.gaussian_dead_on_ball(n, r) * 10**9, 30))
        yield f"n = {n}, r = {r}, at least", killed, ">=", Fraction(p, 10**9)
        yield f"n = {n}, r = {r}, at most", killed, "<=", Fraction(p + 1, 10**9)


# %% [markdown]
# ## Neighbours that fail
#
# *$a = 0$ with positive probability*: parameters uniform on $\{-1, 0, 1\}$ and $n = 1$: on no ball is $P(1, 1)$ more
# than $\frac79$. *The squares alone*, without $b \le 0$: $x + 2$ on $[-1, 1]$. *Another domain*: on the square
# $[-1, 1]^2$, $x_1 + x_2 - \frac32$ is alive; on the ball it is dead.


# %%
@claim.neighbour("a = 0 has probability 0; b <= 0; the domain is a ball around 0")
def others(depth: str) -> Iterator[tuple[object, ...]]:
    rows = list(product((-1, 0, 1), repeat=2))
    for r in (1, 10**6):
        alive = 1 - Fraction(sum(dead([a], b, Fraction(r)) for a, b in rows), len(rows))
        yield alive, ">", Fraction(7, 9)
    a, b = 1, 2
    yield int(decided((a,), Fraction(b), Fraction(1))[0]), int(b * b >= a * a)
    (report,) = decide(Network.from_layers([([[1, 1]], ["-3/2"], "relu")]), Polyhedron.box([(-1, 1)] * 2))
    yield int(report.killed is True), int(dead((1, 1), Fraction(-3, 2), Fraction(1)))


@claim.neighbour("rows independent")
def equal_rows(depth: str) -> Iterator[tuple[object, ...]]:
    """Two equal rows are dead as often as one."""
    values = [s * v for v in (1, 2) for s in (1, -1)]
    one = Fraction(sum(dead([a], b, Fraction(1)) for a in values for b in values), 16)
    both = Fraction(sum(dead([a], b, Fraction(1)) and dead([a], b, Fraction(1)) for a in values for b in values), 16)
    yield 1 - both, 1 - one**2


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
