"""Affine forms on a ball and on a box, quickly: what ``Ball.highest``, ``largest`` and ``short`` are in ``checker``.

On {c + L u : |u|^2 <= s} a form is at most its value at c plus the root of s |w|^2, where w is its slope in u (for a
centred ball without its mean).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import gcd, isqrt, lcm

from geomrelu import checker

__all__ = ["highest", "on_box", "rounded"]

UNIT = 28
Side = int | None


def highest(ball: checker.Ball, constant: Fraction, form: Mapping[int, int], scale: int) -> Fraction:
    """An upper bound of ``constant + form / scale``, the checker's; its root is exact if it is rational."""
    rows, over = ball.affine
    slope = [0] * ball.width
    middle = 0
    for j, c in form.items():
        bias, columns, entries = rows[j]
        middle += c * bias
        for k, w in zip(columns, entries, strict=True):
            slope[k] += c * w
    over *= scale
    if ball.centred:
        total = sum(slope)
        slope = [ball.width * w - total for w in slope]
        over *= ball.width
        middle *= ball.width
    m = constant + Fraction(middle, over)
    top, bottom = ball.square.numerator * sum([w * w for w in slope]), ball.square.denominator * over * over
    shared = gcd(top, bottom)
    top, bottom = top // shared, bottom // shared
    digits = 2 * UNIT + m.numerator.bit_length() + m.denominator.bit_length()
    product = top * bottom << 2 * digits
    root = isqrt(product - 1) + 1 if product else 0  # rounded up
    return m + Fraction(root, bottom << digits)


def on_box(
    lower: Sequence[Fraction | None], upper: Sequence[Fraction | None],
    constant: Fraction, form: Mapping[int, int], scale: int,
) -> Fraction | None:  # fmt: skip
    """The maximum of ``constant + form / scale`` on a box; None: it is infinite."""
    total, d = 0, 1
    for j, c in form.items():
        if c:
            side = upper[j] if c > 0 else lower[j]
            if side is None:
                return None
            if d % side.denominator:
                whole = lcm(d, side.denominator)
                total, d = total * (whole // d), whole
            total += c * side.numerator * (d // side.denominator)
    return constant + Fraction(total, scale * d)


def rounded(found: Mapping[int, tuple[Side, Side]], denominator: int) -> tuple[dict[int, tuple[Side, Side]], int]:
    """Bounds, integers over a denominator, rounded outward to 28 binary digits."""
    pairs = {i: (_up(low, denominator, -1), _up(high, denominator, 1)) for i, (low, high) in found.items()}
    shared = lcm(*(v.denominator for pair in pairs.values() for v in pair if v is not None))
    return {i: (_over(low, shared), _over(high, shared)) for i, (low, high) in pairs.items()}, shared


def _over(value: Fraction | None, denominator: int) -> Side:
    return None if value is None else int(value * denominator)


def _up(side: Side, denominator: int, sign: int) -> Fraction | None:
    """Upwards, or for the sign -1 downwards."""
    if not side:
        return None if side is None else Fraction(0)
    value = Fraction(sign * side, denominator)
    step = Fraction(2) ** (value.numerator.bit_length() - value.denominator.bit_length() - UNIT)
    return -sign * (-value // step) * step
