"""Closed forms of the theory, as SymPy expressions: what users call is what the proofs prove.

Every function takes integers or SymPy symbols: ``lower_bound(3, 8)`` is a rational number, ``lower_bound(n, k)`` a
formula. n is the width of every layer, k the depth, n0 the input dimension and n1 the width of the first layer; an
arrangement has m hyperplanes in R^n.
``geomrelu verify`` proves each formula again under the label that its docstring gives as its source.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import sympy

from geomrelu.errors import InputError
from geomrelu.exact.symbols import number_of, probability_of, size_of

__all__ = [
    "bias_free_unactivated",
    "convolution_upper_bound",
    "dead_on_the_line",
    "dying_at_least",
    "dying_bound",
    "euler_characteristic",
    "gaussian_dead_on_ball",
    "line_lower_bound",
    "line_upper_bound",
    "lower_bound",
    "one_dim_dying",
    "orthant_kill",
    "rai_sigma",
    "residual_dead_point",
    "sign_flip_alive",
    "stably_unactivated",
    "upper_bound",
    "wide_lower_bound",
    "width_for_depth",
    "width_free_lower_bound",
    "width_one",
    "zeros_on_a_line",
]


def lower_bound(n: Any, k: Any) -> sympy.Expr:
    """``l(n, k) = (1 - 2^-n)^k``: a random network of width n and depth k is alive at least this likely.

    Args:
        n: width, a positive integer or a symbol.
        k: depth, a positive integer or a symbol.

    Raises:
        InputError: a number that is not a positive integer.

    Exact: yes. Source: Rister & Rubin, eq. 8; claim ``lower-bound``.

    >>> lower_bound(2, 3)
    27/64
    """
    n, k = size_of(n, "width n"), size_of(k, "depth k")
    return (1 - 2**-n) ** k


HALF = sympy.Rational(1, 2)


def orthant_kill(n: Any, nonpositive: Any = HALF) -> sympy.Expr:
    """``2^(-n^2 - n)``: a random layer of width n on R^n_+ is dead this likely.

    Args:
        n: width, a positive integer or a symbol.
        nonpositive: the probability that a parameter is at most 0: 1/2 for symmetric laws without atoms, (1 + s) / 2
            for symmetric laws with the atom s at 0.

    Raises:
        InputError: n is not a positive integer, or the probability is a float or not in [0, 1].

    Exact: yes. Source: Rister & Rubin, section 3; claims ``orthant-kill``, ``default-initialisations``.

    >>> orthant_kill(2), orthant_kill(1, sympy.Rational(2, 3))
    (1/64, 4/9)
    """
    n = size_of(n, "width n")
    return probability_of(nonpositive) ** (n**2 + n)


def upper_bound(n: Any, k: Any) -> sympy.Expr:
    """``v(n, k) = (1 - 2^(-n^2 - n))^(k - 1)``: a random network of width n and depth k is alive at most this likely.

    Args:
        n: width, a positive integer or a symbol.
        k: depth, a positive integer or a symbol.

    Raises:
        InputError: a number that is not a positive integer.

    Exact: yes. Source: Rister & Rubin, eq. 4; claims ``upper-bound`` and ``tight-at-two``.

    >>> upper_bound(1, 3)
    9/16
    """
    return (1 - orthant_kill(n)) ** (size_of(k, "depth k") - 1)


def stably_unactivated(n0: Any, n1: Any) -> sympy.Expr:
    """The probability that a given second-layer neuron is stably unactivated on R^n0.

    ``2^(-n1 - 1)`` for n1 <= n0, and ``(2^n0 + 1) / 4^(n0 + 1)`` for n1 = n0 + 1.

    Args:
        n0: input dimension, a positive integer or a symbol.
        n1: width of the first layer, likewise; the sign of ``n1 - n0`` must be known.

    Raises:
        InputError: n1 > n0 + 1, where the probability depends on the law and no closed form exists; or numbers that
            are not positive integers; or symbols that cannot be compared.

    Exact: yes. Source: Brownlowe et al., theorems 1.1 and 1.2; claims ``narrow-first-layer``, ``one-more-than-input``.

    >>> stably_unactivated(3, 2), stably_unactivated(2, 3)
    (1/8, 5/64)
    """
    n0, n1 = size_of(n0, "input dimension n0"), size_of(n1, "width n1")
    excess = sympy.expand(n1 - n0)
    if excess.is_nonpositive:
        return sympy.Integer(2) ** (-n1 - 1)
    if excess == 1:
        return (2**n0 + 1) / sympy.Integer(4) ** (n0 + 1)
    if excess.is_positive:
        raise InputError(f"no closed form for n1 = {n1} > n0 + 1 = {n0 + 1}: the probability depends on the law")
    raise InputError(f"whether n1 = {n1} exceeds n0 = {n0} is not known")


def wide_lower_bound(n0: Any) -> sympy.Expr:
    """``4^(-n0 - 1)``: the conjectured least probability that a second-layer neuron is stably unactivated, n1 > n0 + 1.

    Args:
        n0: input dimension, a positive integer or a symbol.

    Raises:
        InputError: a number that is not a positive integer.

    Exact: yes, as a formula; that it is a lower bound is a conjecture. Source: Brownlowe et al., as its abstract and
    figure 5 describe conjecture 1.3; claim ``wide-lower-bound``.

    >>> wide_lower_bound(2)
    1/64
    """
    return sympy.Integer(4) ** (-size_of(n0, "input dimension n0") - 1)


def zeros_on_a_line(*widths: Any) -> sympy.Expr:
    """``prod_l (1 - 2^-n_l)``: the mean number of zeros of a neuron behind these hidden layers, on any line.

    Args:
        widths: of the hidden layers before the neuron, positive integers or symbols.

    Raises:
        InputError: a number that is not a positive integer.

    Exact: yes, for independent symmetric parameters without atoms. Source: claim ``zeros-on-a-line``; for equal widths
    it is Rister & Rubin's lower bound, :func:`lower_bound`.

    >>> zeros_on_a_line(2, 1)
    3/8
    """
    return sympy.Mul(*[1 - 2 ** -size_of(n, "width") for n in widths])


def euler_characteristic(*widths: Any) -> sympy.Expr:
    """``(1 + prod_l (1 - 2^-n_l)) / 2``: the mean Euler characteristic of the set on which a neuron is negative.

    Args:
        widths: of the hidden layers before the neuron, positive integers or symbols. The input dimension is arbitrary.

    Raises:
        InputError: a number that is not a positive integer.

    Exact: yes. Source: claim ``euler-characteristic``.

    >>> euler_characteristic(3)
    15/16
    """
    return (1 + zeros_on_a_line(*widths)) / 2


def dead_on_the_line(*widths: Any) -> sympy.Expr:
    """``3/8 - prod_l (1 - 2^-n_l) / 4``: a neuron behind these hidden layers is dead on R at least this likely.

    Args:
        widths: of the hidden layers before the neuron, at least one.

    Raises:
        InputError: no hidden layer (a neuron of the first layer is never dead on R), or no positive integers.

    Exact: yes, as a bound. Source: claim ``zeros-on-a-line``.

    >>> dead_on_the_line(1, 1)
    5/16
    """
    if not widths:
        raise InputError("a neuron of the first layer is not dead on R: give the widths of the layers before it")
    return sympy.Rational(3, 8) - zeros_on_a_line(*widths) / 4


def line_lower_bound(n1: Any) -> sympy.Expr:
    """``1/8 + 2^(-n1 - 2)``: for one input, the least probability that a second-layer neuron is stably unactivated.

    Args:
        n1: width of the first layer, a positive integer or a symbol.

    Raises:
        InputError: a number that is not a positive integer.

    Exact: yes, and sharp. Source: claim ``line-lower-bound``.

    >>> line_lower_bound(3)
    5/32
    """
    return sympy.Rational(1, 8) + sympy.Integer(2) ** (-size_of(n1, "width n1") - 2)


def line_upper_bound(n1: Any) -> sympy.Expr:
    """``1/6 + 4^-n1 / 3``: for one input, the largest probability that a second-layer neuron is stably unactivated.

    Args:
        n1: width of the first layer, a positive integer or a symbol.

    Raises:
        InputError: a number that is not a positive integer.

    Exact: attained for every n1; that nothing is larger is proved for n1 <= 3 and for superincreasing slopes, and
    conjectured in general. Source: claims ``line-upper-bound``, ``line-upper-bound-general``.

    >>> line_upper_bound(3)
    11/64
    """
    return sympy.Rational(1, 6) + sympy.Integer(4) ** (-size_of(n1, "width n1")) / 3


def width_free_lower_bound(n0: Any) -> sympy.Expr:
    """``2^(-8175 (n0 + 1)^4)``: a second-layer neuron is stably unactivated at least this likely, whatever the width.

    Args:
        n0: input dimension, a positive integer or a symbol.

    Raises:
        InputError: a number that is not a positive integer.

    Exact: yes, as a bound; far from sharp (conjectured: ``4^(-n0 - 1)``). Source: claim ``width-free-lower-bound``.

    >>> sympy.log(width_free_lower_bound(1), 2)
    -130800
    """
    return sympy.Integer(2) ** (-8175 * (size_of(n0, "input dimension n0") + 1) ** 4)


def bias_free_unactivated(n0: Any, n1: Any) -> sympy.Expr:
    """The probability that a second-layer neuron of a network without biases is at most 0 on R^n0.

    ``2^-n1`` for n1 <= n0, ``2^-n1 + 2 * 4^-n1`` for n1 = n0 + 1, and ``1/4 + 2^(-n1 - 1)`` for n0 = 1.

    Args:
        n0: input dimension. n1: width of the first layer. Positive integers.

    Raises:
        InputError: no positive integers, or n1 > n0 + 1 > 2, where the probability depends on the law.

    Exact: yes. Source: claim ``bias-free``.

    >>> bias_free_unactivated(1, 5), bias_free_unactivated(2, 3), bias_free_unactivated(2, 2)
    (17/64, 5/32, 1/4)
    """
    n0, n1 = size_of(n0, "input dimension n0"), size_of(n1, "width n1")
    excess = sympy.expand(n1 - n0)
    if excess.is_nonpositive:
        return sympy.Integer(2) ** -n1
    if n0 == 1:
        return sympy.Rational(1, 4) + sympy.Integer(2) ** (-n1 - 1)
    if excess == 1:
        return sympy.Integer(2) ** -n1 + 2 * sympy.Integer(4) ** -n1
    raise InputError(f"no closed form for n1 = {n1} > n0 + 1 = {n0 + 1}: the probability depends on the law")


def width_one(k: Any) -> sympy.Expr:
    """``(k + 1) / 2^k``: a random network of width 1 and depth k is alive on the line exactly this likely.

    Args:
        k: depth, a positive integer or a symbol.

    Raises:
        InputError: a number that is not a positive integer.

    Exact: yes. Source: claim ``width-one``.

    >>> width_one(3)
    1/2
    """
    k = size_of(k, "depth k")
    return (k + 1) / sympy.Integer(2) ** k


def dying_bound(*widths: Any) -> sympy.Expr:
    """``1 - prod_l (1 - 2^-N_l)``: a random network with these hidden layers is dead at most this likely.

    Args:
        widths: of the hidden layers, positive integers or symbols.

    Raises:
        InputError: no width, or a number that is not a positive integer.

    Exact: yes. Source: Lu et al., theorem 1; claim ``dying-bound``.

    >>> dying_bound(2, 2)
    7/16
    """
    if not widths:
        raise InputError("the bound needs at least one hidden layer")
    alive = sympy.Integer(1)
    for width in widths:
        alive *= 1 - sympy.Integer(2) ** -size_of(width, "width N")
    return 1 - alive


def dying_at_least(*widths: Any, bias: bool = True) -> sympy.Expr:
    """``1 - prod_(l > 1) (1 - 2^(-N_l (N_(l-1) + 1)))``: networks with these hidden layers die at least as often.

    Each hidden layer after the first kills the whole orthant with the probability that none of its parameters is
    positive. For bounded widths it tends to 1 with the depth.

    Args:
        widths: of the hidden layers, positive integers or symbols.
        bias: False: without biases, ``1 - prod_(l > 1) (1 - 2^(-N_l N_(l-1)))``.

    Raises:
        InputError: no width, or a number that is not a positive integer.

    Exact: yes. Source: claim ``dying-bound``.

    >>> dying_at_least(2, 2), dying_at_least(2, 2, bias=False)
    (1/64, 1/16)
    """
    if not widths:
        raise InputError("the bound needs at least one hidden layer")
    sizes, alive = [size_of(width, "width N") for width in widths], sympy.Integer(1)
    for before, width in pairwise(sizes):
        alive *= 1 - sympy.Integer(2) ** (-width * (before + int(bias)))
    return 1 - alive


def one_dim_dying(width: Any, hidden: Any) -> sympy.Expr:
    """Without biases a network on the line is dead at least this likely; up to two hidden layers exactly so.

    ``1 - P22^(m-1) - (1 - 2^(1-N)) (1 - 2^-N) / (1 + (N-1) 2^-N) (P22^(m-1) - P33^(m-1))`` with ``P22 = 1 - 2^-N`` and
    ``P33 = 1 - 2^(1-N) - (N-1) 4^-N``, for m hidden layers of width N.

    Args:
        width: N of all hidden layers, a positive integer or a symbol.
        hidden: m, the number of hidden layers, a positive integer or a symbol.

    Raises:
        InputError: numbers that are not positive integers.

    Exact: yes. Source: Lu et al., theorem 3 (m = L - 1); claim ``one-dim-chain``.

    >>> one_dim_dying(2, 2)
    5/32
    """
    width, hidden = size_of(width, "width N"), size_of(hidden, "number of hidden layers")
    half = sympy.Integer(2) ** -width if width.is_Integer else sympy.Dummy("h")  # 2^-N
    one, two = 1 - half, 1 - 2 * half - (width - 1) * half**2
    share = (1 - 2 * half) * (1 - half) / (1 + (width - 1) * half)
    dead = 1 - one ** (hidden - 1) - share * (one ** (hidden - 1) - two ** (hidden - 1))
    if hidden.is_Integer and not width.is_Integer:
        dead = sympy.expand(sympy.cancel(dead))  # a polynomial in N and 2^-N
    return dead.subs(half, sympy.Integer(2) ** -width)


def rai_sigma() -> sympy.Expr:
    """``sqrt(1 + 8/(9 pi)) - 2 sqrt(2) / (3 sqrt(pi))``: the deviation that randomised asymmetric initialisation uses.

    The positive root s of ``E (V + s max(G, 0))^2 = 1``, V of Beta(2, 1) and G normal, that is of
    ``s^2 + 4 sqrt(2) / (3 sqrt(pi)) s = 1``: then the second moment does not grow from layer to layer.

    Exact: yes. Source: Lu et al., section 4; claim ``rai-never-kills-orthant``.

    >>> rai_sigma().evalf(4)
    0.6007
    """
    return sympy.sqrt(1 + sympy.Rational(8, 9) / sympy.pi) - 2 * sympy.sqrt(2) / (3 * sympy.sqrt(sympy.pi))


def width_for_depth(k: Any, p: Any) -> sympy.Expr:
    """``n = -log2(1 - p^(1/k))``, the width at which the lower bound equals p at depth k (round it up).

    Args:
        k: depth, a positive integer or a symbol.
        p: probability in (0, 1): an exact SymPy number, a ``Fraction``, or a symbol.

    Raises:
        InputError: p is a float, or a number outside (0, 1).

    Exact: yes. Source: Rister & Rubin, eq. 9; claim ``width-for-depth``.

    >>> width_for_depth(2, sympy.Rational(9, 16))
    2
    """
    k = size_of(k, "depth k")
    p = number_of(p, "probability p")
    if p.is_number and not (p.is_real and 0 < p < 1):
        raise InputError(f"probability p: {p} is not between 0 and 1")
    return sympy.simplify(-sympy.log(1 - p ** (1 / k), 2))


def gaussian_dead_on_ball(n: Any, r: Any) -> sympy.Expr:
    """``P(b <= -r |a|)``: a neuron with independent standard normal parameters is dead this likely on a ball in R^n.

    The part of the sphere of R^(n+1) within the angle ``t0 = atan(1/r)`` of a pole: ``c_n`` times the integral of
    ``sin(t)^(n-1)`` from 0 to t0, where the integral from 0 to pi has the value ``1 / c_n``. For n = 1: ``t0 / pi``.
    A layer of width N is dead with the N-th power of it.

    Args:
        n: dimension of the inputs, a positive integer.
        r: radius of the ball around 0, a positive exact SymPy number, a ``Fraction``, or a symbol.

    Raises:
        InputError: n is not a positive integer; r is a float or not positive.

    Exact: yes. Method: integration by parts, n / 2 times. Source: Shin & Karniadakis (2019); claim ``ball-limit``.

    >>> gaussian_dead_on_ball(1, sympy.Symbol("r", positive=True)), gaussian_dead_on_ball(2, sympy.Rational(3, 4))
    (atan(1/r)/pi, 1/5)
    """
    n = size_of(n, "dimension n")
    if not n.is_number:
        raise InputError("the dimension must be a number")
    r = number_of(r, "radius r")
    if r.is_number and not r.is_positive:
        raise InputError(f"radius r: {r} is not positive")
    sine, cosine = 1 / sympy.sqrt(1 + r**2), r / sympy.sqrt(1 + r**2)
    first = (int(n) - 1) % 2
    cap, whole = (1 - cosine, sympy.Integer(2)) if first else (sympy.atan(1 / r), sympy.pi)  # of sin^first
    for m in range(first + 2, int(n), 2):
        cap, whole = ((m - 1) * cap - sine ** (m - 1) * cosine) / m, (m - 1) * whole / m
    return sympy.expand(cap / whole, deep=False)


# ---- other layers and schemes -------------------------------------------------------------------------------------


def convolution_upper_bound(channels: Any, kernel: Any, k: Any) -> sympy.Expr:
    """``(1 - 2^(-N (N M^2 + 1)))^(k - 1)``: k random convolutions are alive at most this likely, on every input set.

    Each has N channels in and out, kernels of M x M and a bias for each channel: N (N M^2 + 1) parameters.

    Args:
        channels: N, a positive integer or a symbol.
        kernel: M, a positive integer or a symbol.
        k: depth, a positive integer or a symbol.

    Raises:
        InputError: a number that is not a positive integer.

    Exact: yes. Source: Rister & Rubin, eq. 23 with the exponent of claim ``conv-bounds-corrected``.

    >>> convolution_upper_bound(2, 1, 2)
    63/64
    """
    channels, kernel = size_of(channels, "number of channels N"), size_of(kernel, "kernel size M")
    return (1 - sympy.Integer(2) ** (-channels * (channels * kernel**2 + 1))) ** (size_of(k, "depth k") - 1)


def residual_dead_point(n: Any, k: Any) -> sympy.Expr:
    """``2^(-n k)``: all k layers of a random residual network of width n are dead at a given point this likely.

    Without the connections around the layers one dead layer is enough: ``1 - lower_bound(n, k)``.

    Args:
        n: width, a positive integer or a symbol.
        k: depth, a positive integer or a symbol.

    Raises:
        InputError: a number that is not a positive integer.

    Exact: yes. Source: claim ``residual-bypass``.

    >>> residual_dead_point(2, 3)
    1/64
    """
    return sympy.Integer(2) ** (-size_of(n, "width n") * size_of(k, "depth k"))


def sign_flip_alive(points: Any, k: Any) -> sympy.Expr:
    """``ceil(M / 2^k)``: with sign flipping at least so many of M data points are alive after k layers.

    Args:
        points: M, a positive integer or a symbolic expression.
        k: depth, a positive integer or a symbol.

    Raises:
        InputError: a number that is not a positive integer.

    Exact: yes, and for every width it is attained. Source: Rister & Rubin, sections 1 and 8; claim ``sign-flip-ratio``.

    >>> sign_flip_alive(1024, 3), sign_flip_alive(5, 2)
    (128, 2)
    """
    points, k = size_of(points, "number of points M"), size_of(k, "depth k")
    return sympy.ceiling(sympy.expand(points / sympy.Integer(2) ** k))
