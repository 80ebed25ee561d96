# %% [markdown]
# # Dead in floating point
#
# **Notation.** A type of floating-point numbers has the unit roundoff $u$ and the smallest normal number $m$. A neuron
# has $n$ weights $w_j$, a bias $b$, and reads $v_j$; its *terms* are the $w_j v_j$ and $b$, and
# $z = \sum_j w_j v_j + b$. It is *computed* by rounding each product and adding all terms up in some order, that is
# along a binary tree, one rounding an addition; where a multiplication and an addition are fused, the product is not
# rounded. The sum of the products may be rounded once more before the bias is added, and the result once more. Each
# operation $\circ$ gives $(a \circ b)(1 + \delta) + \varepsilon$ with $|\delta| \le u$ and $|\varepsilon| \le m$
# (Higham, sections 2.2 and 2.8; $\varepsilon$ covers denormals and their replacement by 0), and there is no overflow.
#
# **Statement.** Let $k = n + 3$. (i) For every order,
# $$|\hat z - z| \le ((1 + u)^k - 1) \Big(\sum_j |w_j| |v_j| + |b|\Big) + (2 n + 2)\, m\, (1 + u)^k.$$
# (ii) If the weights used are $w_j'$, $b'$ and the values read are $v_j'$ with $|v_j'| \le V_j$ and
# $|v_j' - v_j| \le E_j$, then
# $$|\hat z - z| \le E = \sum_j |w_j'| E_j + \sum_j |w_j' - w_j|\, \bar V_j + |b' - b|
# + ((1 + u)^k - 1) \Big(\sum_j |w_j'| V_j + |b'|\Big) + (2 n + 2)\, m\, (1 + u)^k,$$
# where $|v_j| \le \bar V_j$. (iii) If $z \le U$ on a domain and $U + E \le 0$, the neuron does not fire in floating
# point at any point of the domain whose coordinates are numbers of the type; its output is then exact. If no term can
# be positive, it does not fire whatever $E$ is. (iv) In any case $V = \max(0, U + E)$ bounds the computed output and
# the exact one, and $\min(E, V)$ their difference: so the bounds go on to the next layer.

# %%
from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import combinations, product
from typing import Any

import sympy

from geomrelu.claims.registry import Claim

claim = Claim(
    label="float-deadness",
    title="Dead in floating point",
    statement="a margin of the rounding error proves a neuron dead in floats, whatever the order of summation",
    latex=r"\lvert \hat z - z \rvert \le ((1 + u)^{n+3} - 1) \Big(\sum_j \lvert w_j v_j \rvert + \lvert b \rvert\Big)"
    r" + (2n + 2)\, m\, (1 + u)^{n+3}",
    source="new (after Higham, Accuracy and stability of numerical algorithms, sections 2.8 and 3.1)",
    hypotheses=(
        "each operation is rounded to nearest, on its own or fused",
        "no overflow (by definition)",
        "the inputs are numbers of the type",
    ),
)

# %% [markdown]
# ## Proof
#
# **Step 1.** Let $t_0 = b$ and $t_j = w_j v_j$. Going up the tree from a leaf, the value of each node is multiplied by
# $1 + \delta$ and moved by $\varepsilon$. By induction on the tree, the result is
# $$\hat z = \sum_j t_j \prod_{i \in P_j} (1 + \delta_i) + \sum_o \varepsilon_o \prod_{i \in Q_o} (1 + \delta_i),$$
# where $P_j$ are the roundings on the way of the term $t_j$ and $Q_o$ those after the operation $o$. There are $n$
# additions for $n + 1$ terms, so a way has at most $n$ of them, besides the rounding of the product and the two further
# ones: $|P_j| \le n + 3 = k$, and likewise $|Q_o| \le k$. There are at most $n + n + 2$ operations.
#
# **Step 2.** If $|\delta_i| \le u < 1$, then $(1 - u)^p \le \prod_{i \le p} (1 + \delta_i) \le (1 + u)^p$, and
# $1 - (1 - u)^p \le p u \le (1 + u)^p - 1$ (Bernoulli, twice). So each product in Step 1 is within $(1 + u)^k - 1$ of
# 1 and at most $(1 + u)^k$ in size. This is (i); no $k u < 1$ is needed, for nothing is divided. (Higham, lemma 3.1,
# bounds quotients as well and has $k u / (1 - k u)$; for sums Jeannerod and Rump, 2013, have even $k u$.) A type that
# is wider on the way has a smaller $u$ and $m$, for which all this holds as well.
#
# **Step 3.** The exact value of what is computed is $s = \sum_j w_j' v_j' + b'$, and
# $s - z = \sum_j w_j' (v_j' - v_j) + \sum_j (w_j' - w_j) v_j + b' - b$. With (i) for $\hat z - s$ this is (ii). Where
# numbers below $m$ may be read as 0, $v_j'$ is off by $m$ more, and $w_j'$ by its own size if that is below $m$.
#
# **Step 4.** $\hat z \le z + E \le U + E \le 0$, and $\max(\hat z, 0) = 0 = \max(z, 0)$. If no term is positive, no
# product is rounded to a positive number and no sum of such numbers is, since rounding is monotone and keeps 0. In
# general $\hat v = \max(\hat z, 0)$ is a comparison and exact, $|\hat v - v| \le |\hat z - z| \le E$ since $\max(\cdot,
# 0)$ is 1-Lipschitz, and both lie in $[0, \max(0, U + E)]$. $\square$
#
# What is computed from this (`geomrelu decide --arithmetic`) is rounded upward: sums of $N$ products of nonnegative
# numbers are evaluated in double precision, multiplied by $1 + (N + 4) 2^{-50}$, more than the $(1 + 2^{-53})^{2N+4}$
# that (i) asks for, and increased by $(N + 4)\, 10^{-300}$, for underflow; $(1 + u)^k$ is raised in rational
# arithmetic.


# %%
Tree = Any  # a leaf (number of a term) or a pair of trees


@cache
def trees(terms: tuple[int, ...]) -> list[Tree]:
    """All ways to add terms up; the order of two summands does not matter."""
    if len(terms) == 1:
        return [terms[0]]
    first, *rest = terms
    found = []
    for size in range(len(rest)):
        for some in combinations(rest, size):
            left = (first, *some)
            right = tuple(t for t in rest if t not in some)
            found += [(a, b) for a, b in product(trees(left), trees(right))]
    return found


class Symbols:
    """Operations whose errors are symbols; a value comes with its terms and their ways."""

    def __init__(self) -> None:
        self.count = 0

    def rounded(self, value: Any, parts: list[tuple[Any, list[Any]]]) -> tuple[Any, list[tuple[Any, list[Any]]]]:
        self.count += 1
        d, e = sympy.symbols(f"d{self.count} e{self.count}")
        return value * (1 + d) + e, [*((t, [*way, d]) for t, way in parts), (e, [])]

    def computed(self, node: Tree, terms: Sequence[Any]) -> tuple[Any, list[tuple[Any, list[Any]]]]:
        if isinstance(node, int):
            start = terms[node], [(terms[node], [])]
            return self.rounded(*start) if node else start
        (x, p), (y, q) = (self.computed(part, terms) for part in node)
        return self.rounded(x + y, p + q)


@claim.derive("ways through a tree")
def ways(depth: str) -> Iterator[tuple[object, ...]]:
    # Step 1, for all trees of two and three terms: what is computed, with symbols for all errors, is the sum over the
    # ways, which have at most n + 3 roundings
    for n in (1, 2) if depth == "default" else (1, 2, 3):
        b, *factors = sympy.symbols(f"b w1:{n + 1} v1:{n + 1}")
        terms = [b, *(w * v for w, v in zip(factors[:n], factors[n:], strict=True))]
        for tree in trees(tuple(range(n + 1))):
            symbols = Symbols()
            value, parts = symbols.rounded(*symbols.rounded(*symbols.computed(tree, terms)))
            ends = sum((t * sympy.prod([1 + d for d in way]) for t, way in parts), sympy.Integer(0))
            yield f"n = {n}: the sum over all ways", value, ends
            longest = max(len(way) for _, way in parts)
            yield (
                f"n = {n}: roundings on a way, at most n + 3",
                sympy.Integer(max(longest, n + 3)),
                sympy.Integer(n + 3),
            )
            yield f"n = {n}: operations", sympy.Integer(symbols.count), sympy.Integer(2 * n + 2)


# %% [markdown]
# ## Enumeration
#
# A type with three binary digits, small exponents, and denormals (or zeros in their place): all values of two or three
# terms from a list, all trees, with and without fused operations. The largest error is never more than (i).

# %%
DIGITS, LOWEST = 3, -6
UNIT, LEAST = Fraction(1, 1 << DIGITS), Fraction(2) ** LOWEST


def nearest(x: Fraction, flush: bool) -> Fraction:
    """Rounded to nearest, ties to even."""
    if flush and abs(x) < LEAST:
        return Fraction(0)
    exponent = max(abs(x.numerator).bit_length() - x.denominator.bit_length(), LOWEST)
    while exponent > LOWEST and Fraction(2) ** exponent > abs(x):
        exponent -= 1
    while Fraction(2) ** (exponent + 1) <= abs(x):
        exponent += 1
    step = Fraction(2) ** (exponent - DIGITS + 1)
    return round(x / step) * step


def summed(tree: Tree, factors: Sequence[tuple[Fraction, Fraction]], fused: bool, flush: bool) -> Fraction:
    """A neuron along a tree; term 0 is the bias, a product with 1."""

    def exact(k: int) -> Fraction:
        return factors[k][0] * factors[k][1]

    def value(node: Tree) -> Fraction:
        if isinstance(node, int):
            return nearest(exact(node), flush) if node else exact(0)
        left, right = node
        if fused and isinstance(right, int) and right:
            return nearest(value(left) + exact(right), flush)
        return nearest(value(left) + value(right), flush)

    return value(tree)


def limit(factors: Sequence[tuple[Fraction, Fraction]]) -> Fraction:
    n = len(factors) - 1
    grown = (1 + UNIT) ** (n + 3)
    mass = sum((abs(w * v) for w, v in factors), Fraction(0))
    return (grown - 1) * mass + (2 * n + 2) * LEAST * grown


@claim.enumerate("sums in a small type")
def small(depth: str) -> Iterator[tuple[object, ...]]:
    numbers = [Fraction(v) for v in ("-7/4", "-1", "-1/32", "3/16", "5/4", "3")]
    for n in (1, 2):
        for flush, fused in product((False, True), repeat=2):
            worst, allowed = Fraction(0), Fraction(1)
            some = numbers if n == 1 or depth == "thorough" else numbers[::2]
            for bias, *rest in product(some, repeat=2 * n + 1):
                factors = [(bias, Fraction(1)), *zip(rest[:n], rest[n:], strict=True)]
                right = sum((w * v for w, v in factors), Fraction(0))
                for tree in trees(tuple(range(n + 1))):
                    error = abs(summed(tree, factors, fused, flush) - right)
                    if error * allowed > worst * limit(factors):
                        worst, allowed = error, limit(factors)
            yield f"n = {n}, {'flushed' if flush else 'denormals'}{', fused' if fused else ''}", worst, "<=", allowed


@claim.enumerate("neurons in a small type")
def never(depth: str) -> Iterator[tuple[object, ...]]:
    # (iii): all inputs of the type in [0, 1], a neuron with U + E = 0 just so
    inputs = sorted({nearest(Fraction(k, 64), False) for k in range(65)})
    for w in ((Fraction(5, 4), Fraction(-7, 4)), (Fraction(3), Fraction(1)), (Fraction(-1), Fraction(-3))):
        top = sum((max(v, Fraction(0)) for v in w), Fraction(0))
        b = Fraction(0)
        while top + b + limit([(b, Fraction(1)), *((v, Fraction(1)) for v in w)]) > 0 and b > -1000:
            b = nearest(b - Fraction(1, 2) - abs(b) / 4, False)
        most = max(
            summed(tree, [(b, Fraction(1)), *zip(w, x, strict=True)], fused, False)
            for x in product(inputs, repeat=2)
            for tree in trees((0, 1, 2))
            for fused in (False, True)
        )
        yield f"w = {', '.join(map(str, w))}, b = {b}: the largest value", most, "<=", 0


# %% [markdown]
# ## Neighbours that fail
#
# *No margin*: $\frac12 x + \frac54 x - \frac74 x$ is 0 over the reals, and positive for $x = \frac34$ in the small
# type. *Rounding upward*: $2 + \frac1{16} + \dots + \frac1{16}$ (20 terms), added one by one, gives 64 in place of
# $\frac{13}4$, off by more than (i). *An input that is no number of the type*: $x = \frac1{65}$ is read as 0 where
# small numbers are flushed, and $32 x$ is off by more than (i).


# %%
@claim.neighbour("each operation is rounded to nearest, on its own or fused; the inputs are numbers of the type")
def without(depth: str) -> Iterator[tuple[object, ...]]:
    w = [Fraction(1, 2), Fraction(5, 4), Fraction(-7, 4)]
    inputs = {nearest(Fraction(k, 64), False) for k in range(65)}
    most = max(summed(((1, 2), 3), [(Fraction(0), Fraction(1)), *((v, x) for v in w)], False, False) for x in inputs)
    yield most, "<=", 0
    # rounding upward
    factors = [(Fraction(2), Fraction(1)), *[(Fraction(1, 16), Fraction(1))] * 20]
    got = factors[0][0]
    for term, _ in factors[1:]:
        got, step = got + term, Fraction(1, 2)
        while 2**DIGITS * step <= got:
            step *= 2
        got = -(-got // step) * step
    yield got - (2 + Fraction(20, 16)), "<=", limit(factors)
    # an input that is flushed
    x = Fraction(1, 65)
    bias = Fraction(0), Fraction(1)
    got = summed((0, 1), [bias, (Fraction(32), nearest(x, True))], False, True)
    yield abs(got - 32 * x), "<=", limit([bias, (Fraction(32), x)])


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
