# %% [markdown]
# # Batch normalisation keeps every neuron alive, not a data point
#
# **Notation.** Data $x_1, \dots, x_M$. Every neuron $i$ of a layer has at the outputs $y_1, \dots, y_M$ of the layer
# before it the pre-activations $z_m = a \cdot y_m + b$, normalised to
# $\hat z_m = \gamma \frac{z_m - \bar z}{s} + \beta$, where $\bar z$ and $s^2$ are their mean and variance over all $M$
# points ($\hat z_m = \beta$ if $s = 0$). The outputs are $\max(\hat z_m, 0)$. The neuron is *dead* on the data if no
# $\hat z_m$ is positive. At initialisation $\gamma = 1$, $\beta = 0$.
#
# **Statement.** (i) For $\gamma > 0$, $\beta = 0$ a neuron is dead on the data if and only if all its pre-activations
# are equal, that is if $a$ is orthogonal to all $y_m - y_1$. Otherwise it is positive at one data point and negative at
# another.
#
# (ii) If the data are not all equal and the weights are independent without atoms, then with probability 1 no neuron of
# any layer is dead, in networks of any depth, and no layer kills the data. (So individual neurons do *not* die, against
# the paper. Nothing is said of a *point* that lives in all layers: see [`batch-norm-lives`](batch-norm-lives.py).)
#
# (iii) With a shift, if not all pre-activations are equal: the neuron lives whenever $\beta > -\gamma / \sqrt{M - 1}$,
# and this is best possible; it is dead whenever $\beta \le -\gamma \sqrt{M - 1}$, and this is best possible, too.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import isqrt

import numpy as np
import sympy

from geomrelu import checker
from geomrelu.certificates.files import as_certificate
from geomrelu.claims.registry import Claim
from geomrelu.deadness.decide import decide
from geomrelu.deadness.verdict import Status
from geomrelu.exact.affine import AffineMap
from geomrelu.geometry.polyhedron import FiniteSet
from geomrelu.io.tape import Tape, batch_normalisation
from geomrelu.network.network import Network

claim = Claim(
    label="batch-norm-lives-corrected",
    title="Batch normalisation",
    statement="batch-normalised neurons (shift 0) die only if all pre-activations are equal: with probability 0",
    latex=r"\hat z_m = \gamma\,\tfrac{z_m - \bar z}{s} + \beta:\quad \beta > -\tfrac{\gamma}{\sqrt{M - 1}} "
    r"\Rightarrow \max_m \hat z_m > 0",
    source="Rister & Rubin, section 6 (corrected)",
    hypotheses=(
        "the data are not all equal",
        "weights without atoms",
        "weights independent",
        "shift 0",
        "scale positive",
    ),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (i).** With $\beta = 0$ the sum of the $\hat z_m$ is 0. So either all of them are 0, or one is positive and
# one negative; the first happens if and only if all $z_m = a \cdot y_m + b$ are equal.
#
# **Step 2 (ii).** Let $y_1, \dots, y_M$ not be all equal, say $y_1 \ne y_2$; they are independent of the weights of the
# layer. $a \cdot (y_1 - y_2) = 0$ has probability 0, as $a$ is independent without atoms and some coordinate of
# $y_1 - y_2$ is not 0. By Step 1 then each neuron is positive at one point and negative at another. After the ReLU it
# has a positive value at the first and 0 at the second, so the outputs of the layer are not all equal, and the next
# layer is in the same position. Countably many events of probability 0 have probability 0 together.
#
# **Step 3 (iii, one side).** Let $t_m = (z_m - \bar z) / s$, so $\sum t_m = 0$ and $\sum t_m^2 = M$, and let
# $\mu = \max t_m$. The numbers $u_m = \mu - t_m \ge 0$ have $\sum u_m = M \mu$ and $\sum u_m^2 = M \mu^2 + M$. As
# $u_m \ge 0$, $\sum u_m^2 \le (\sum u_m)^2$, that is $\mu^2 + 1 \le M \mu^2$: $\mu \ge 1 / \sqrt{M - 1}$. Equality
# holds if and only if all $u_m$ but one are 0: all points but one have equal pre-activations, the other one a smaller.
#
# **Step 4 (iii, other side).** If $t_1 = \mu$, the others have sum $-\mu$ and sum of squares $M - \mu^2$, so by Cauchy
# and Schwarz $\mu^2 \le (M - 1)(M - \mu^2)$, that is $\mu \le \sqrt{M - 1}$, with equality if and only if the others
# are equal. The neuron is dead if and only if $\gamma \mu + \beta \le 0$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    # Step 1: the mean of the centred values is 0
    for size in range(2, 6):
        z = sympy.symbols(f"z1:{size + 1}", real=True)
        mean = sum(z) / sympy.Integer(size)
        yield sum(v - mean for v in z), sympy.Integer(0)
        # Step 3: with t of sum 0, what (sum u)^2 - sum u^2 is; and it is a sum of products of two of the u
        mu, t = sympy.Symbol("mu"), [v - mean for v in z]
        u = [mu - v for v in t]
        squares = sum(v**2 for v in t)
        yield sum(u) ** 2 - sum(v**2 for v in u), size**2 * mu**2 - size * mu**2 - squares
        yield (
            sum(u) ** 2 - sum(v**2 for v in u),
            2 * sum(u[i] * u[j] for i in range(size) for j in range(i)),
        )
        # Step 4: Lagrange's identity for the others and a vector of ones
        others = t[1:]
        gaps = sum((others[i] - others[j]) ** 2 for i in range(size - 1) for j in range(i))
        yield (size - 1) * sum(v**2 for v in others) - sum(others) ** 2, gaps
    # the extremal data for every M: M - 1 values r and one -(M - 1) r, or the opposite, with variance 1
    w, r = sympy.symbols("w r", positive=True)  # w = M - 1
    variance = (w * r**2 + (w * r) ** 2) / (w + 1)
    (least,) = sympy.solve(sympy.Eq(variance, 1), r)
    yield "w = M - 1: the least largest value", least, 1 / sympy.sqrt(w)
    yield "w = M - 1: the greatest", w * least, sympy.sqrt(w)


# %% [markdown]
# ## Decision
#
# Networks with batch normalisation, its constants taken from the data and folded into the exact layers: each neuron is
# decided on the data, and the certificate is checked. (A standard deviation that is not rational is rounded, once, to
# 80 bits: a positive factor, which changes no sign of $z - \bar z$.) All sign choices of the weights.


# %%
def normalised(
    layers: Sequence[Sequence[Sequence[int]]], data: Sequence[Sequence[int]], shift: Fraction = Fraction(0)
) -> Network:
    """Rows are weights; biases would cancel."""
    tape = Tape(len(data[0]))
    value = tape.input
    outputs = [[Fraction(v) for v in x] for x in data]
    for rows in layers:
        z = [[sum(a * v for a, v in zip(row, y, strict=True)) for row in rows] for y in outputs]
        mean = [sum(column, Fraction(0)) / len(z) for column in zip(*z, strict=True)]
        variance = [
            sum((v - m) ** 2 for v in column) / len(z) for column, m in zip(zip(*z, strict=True), mean, strict=True)
        ]
        epsilon = [Fraction(int(v == 0)) for v in variance]  # constant neurons become the shift
        ones, shifts = [1] * len(rows), [shift] * len(rows)
        constants = [_vector(v) for v in (ones, shifts, mean, [v + e for v, e in zip(variance, epsilon, strict=True)])]
        factors, offsets = batch_normalisation(*constants, 0)
        value = tape.relu(AffineMap.from_dense(rows).after(value).scaled(factors, offsets))
        outputs = [
            [max(f * v + c, Fraction(0)) for f, v, c in zip(factors, values, offsets, strict=True)] for values in z
        ]
    return Network.from_tape(tape.finish(value))


def _vector(values: Sequence[object]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def dead(network: Network, data: Sequence[Sequence[int]]) -> tuple[int, bool]:
    """(how many neurons are dead on the data, were all reasons accepted)."""
    domain = FiniteSet.of(data)
    count, accepted = 0, True
    for report in decide(network, domain):
        count += sum(v.status is Status.DEAD for v in report.verdicts)
        proof = as_certificate(
            [v.claim for v in report.verdicts if v.claim is not None],
            network.digest,
            domain.checked.digest(),
            report.points,
        )
        accepted &= len(checker.check(proof, network.checked, domain.checked)) == report.width
    return count, accepted


@claim.decide("networks")
def networks(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(160)
    for n, k, size in ((1, 3, 2), (1, 3, 5), (2, 1, 2), (2, 2, 2), (2, 2, 4)):
        magnitudes = [rng.randint(1, 99) for _ in range(k * n * n)]
        data = [[rng.randint(-9, 9) for _ in range(n)] for _ in range(size)]
        for signs in product((1, -1), repeat=len(magnitudes)):
            values = iter(s * v for s, v in zip(signs, magnitudes, strict=True))
            layers = [[[next(values) for _ in range(n)] for _ in range(n)] for _ in range(k)]
            count, accepted = dead(normalised(layers, data), data)
            yield f"n = {n}, k = {k}, M = {size}: dead neurons", count, 0, accepted
    # (i): exactly the neurons orthogonal to all differences are dead
    for row in product(range(-2, 3), repeat=2):
        for data in ([[1, 0], [0, 1], [2, -1]], [[0, 0], [1, 2]], [[0, 0], [1, 0], [0, 1]]):
            constant = len({row[0] * x[0] + row[1] * x[1] for x in data}) == 1
            count, accepted = dead(normalised([[row]], data), data)
            yield "one neuron, small weights", count, int(constant), accepted
    # (iii): at the extremal data, on both sides of the two limits; M - 1 is a square, so that they are rational
    for size in (2, 5, 10):
        root = isqrt(size - 1)
        data = [[0], *([[1]] * (size - 1))]
        for a, limit in ((1, Fraction(-1, root)), (-1, Fraction(-root))):
            for step in (-1, 0, 1):
                shift = limit + Fraction(step, 1000)
                count, accepted = dead(normalised([[[a]]], data, shift), data)
                yield f"M = {size}, shift near {limit}", count, int(step < 1), accepted


# %% [markdown]
# ## Enumeration
#
# (iii) for all data in $\{0, \dots, 4\}$: the square of the largest normalised value lies between $1 / (M - 1)$ and
# $M - 1$, and the limits are attained.


# %%
@claim.enumerate("data sets")
def limits(depth: str) -> Iterator[tuple[object, ...]]:
    for size in range(2, 7 if depth == "thorough" else 6):
        squares = []
        for z in product(range(5), repeat=size):
            if len(set(z)) > 1:
                mean = Fraction(sum(z), size)
                variance = sum((v - mean) ** 2 for v in z) / size
                squares.append((max(z) - mean) ** 2 / variance)
        yield f"M = {size}: least square", min(squares), Fraction(1, size - 1)
        yield f"M = {size}: greatest square", max(squares), size - 1


# %% [markdown]
# ## Neighbours that fail
#
# *Equal data*, $M = 1$ for instance: all normalised values are 0. *Weights with atoms*: $(1, 1)$ does not tell $(1, 0)$
# from $(0, 1)$. *Dependent weights*: nor does $(w, w)$, with one $w$ whose law has no atoms. *A shift* of $-1$ for
# $M = 2$: the neuron is dead. Each time the number of dead neurons, which should be 0. *A negative scale*, for (iii):
# $\gamma = -1$, $\beta = 1$, $M = 2$ have $\beta \le -\gamma \sqrt{M - 1}$, but the normalised values are 0 and 2.


# %%
@claim.neighbour("the data are not all equal; weights without atoms; weights independent; shift 0")
def degenerate(depth: str) -> Iterator[tuple[object, ...]]:
    for rows, data, shift in (
        ([[3, 5]], [[1, 2]], 0),
        ([[3, 5]], [[1, 2], [1, 2]], 0),
        ([[1, 1]], [[1, 0], [0, 1]], 0),
        ([[7, 7]], [[1, 0], [0, 1]], 0),
        ([[3, 5]], [[1, 0], [0, 1]], -1),
    ):
        yield dead(normalised([rows], data, Fraction(shift)), data)[0], 0


@claim.neighbour("scale positive")
def negative(depth: str) -> Iterator[tuple[object, ...]]:
    scale, shift = -1, 1  # two points: t is 1 at one of them and -1 at the other
    yield max(scale * t + shift for t in (1, -1)), "<=", 0


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
