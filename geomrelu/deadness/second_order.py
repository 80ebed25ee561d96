"""Where all signs are known, on an ellipsoid: a second-order cone program, solved in floats and judged exactly.

On a part of an ellipsoid {c + L u : |u|^2 <= s} on which every earlier neuron that matters keeps its sign, a neuron is
an affine form f, and the signs that splits have fixed are affine forms g_k >= 0. For any multipliers m_k >= 0 the
maximum of f is at most that of f + sum m_k g_k on the whole ellipsoid, which has a closed form; the least of these
bounds is the maximum itself, if some point of the ellipsoid has all g_k > 0.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.certificates.batch import derived
from geomrelu.certificates.region import EMPTY, Region
from geomrelu.deadness.fixed_signs import Leaf, Open, Positive, forms
from geomrelu.exact.numbers import nearest_float
from geomrelu.geometry.ellipsoid import Ellipsoid

__all__ = ["solved"]

STEPS = 200
TIPS = (1e-2, 1e-4, 1e-6, 1e-8)
DIGITS = (40, 24, 10)  # of multipliers; the true ones are often simple where the bound is 0


def solved(region: Region, level: int, neuron: int, domain: Ellipsoid, derives: bool) -> Leaf | Positive | Open | None:
    """Decide a neuron on a part of an ellipsoid; None if floating point has found nothing that the judge accepts.

    ``derives``: must the leaf derive bounds?

    Method: L-BFGS-B (SciPy) on the dual, its cone rounded at the tip, ever less; the judge bounds the leaf with the
    multipliers found, and the u of the dual's maximiser is evaluated exactly.
    """
    derive = derived(level) if derives else {}
    region = region.copy()
    region.derive(derive.get("derive", []), level)
    if region.empty:
        return Leaf(derive)
    splits = list(enumerate(region.splits))
    known = forms(region, [(level, neuron), *((at, i) for _, (at, i, _) in splits)])
    if isinstance(known, Open):
        return known
    rows = [known[level, neuron], *([sign * v for v in known[at, i]] for _, (at, i, sign) in splits)]
    with np.errstate(all="ignore"):  # what overflows spoils only what is then not confirmed
        multipliers, u = _dual(np.array([[nearest_float(v) for v in row] for row in rows]), domain)
    inside = None if u is None else domain.inside(u)
    exact = None if inside is None else domain.at(inside)
    value = None if exact is None else region.model.value(exact, level, neuron)
    if exact is not None and value is not None and value > 0:
        return Positive(exact)
    for digits in DIGITS:
        table = {str(k): str(m) for (k, _), m in zip(splits, _rounded(multipliers, digits), strict=True) if m}
        leaf: dict[str, Any] = derive | ({"splits": table} if table else {})
        bound = region.upper_bound(level, neuron, leaf)
        if bound == EMPTY or (isinstance(bound, Fraction) and bound < 0):
            return Leaf(leaf)
        if bound == 0:
            return Leaf(leaf, exact if value == 0 and exact is not None else ())
    return None


def _rounded(multipliers: np.ndarray, digits: int) -> list[Fraction]:
    """To so many binary digits of the largest."""
    step = float(np.exp2(np.floor(np.log2(multipliers.max(initial=0.0) + 1e-300)))) / 2**digits
    return [round(v / step) * Fraction(step) for v in multipliers.tolist()]


def _dual(rows: np.ndarray, domain: Ellipsoid) -> tuple[np.ndarray, list[float] | None]:
    """Multipliers of the rows after the first that make its bound small, and the u of the maximiser."""
    from scipy.optimize import minimize  # start-up time

    ball = domain.floats
    heights, slopes = rows[:, 0] + rows[:, 1:] @ ball.center, ball.slopes(rows[:, 1:])
    sizes = abs(heights) + ball.radius * np.sqrt(np.square(slopes).sum(axis=1)) + 1e-300
    if not np.isfinite(sizes).all():
        return np.zeros(len(rows) - 1), None
    heights, slopes = heights / sizes, ball.radius * slopes / sizes[:, None]  # all of one size; |u| <= 1

    def bound(m: np.ndarray, tip: float) -> tuple[float, np.ndarray]:
        slope = slopes[0] + m @ slopes[1:]
        length = float(np.sqrt(slope @ slope + tip * tip))
        return heights[0] + m @ heights[1:] + length, heights[1:] + slopes[1:] @ (slope / length)

    m = np.zeros(len(rows) - 1)
    options = {"maxiter": STEPS, "ftol": 1e-15, "gtol": 1e-12}
    for tip in TIPS if len(m) else ():
        found = minimize(bound, m, (tip,), "L-BFGS-B", jac=True, bounds=[(0, None)] * len(m), options=options)
        m = found.x
    if not np.isfinite(m).all():
        return np.zeros(len(m)), None
    slope = slopes[0] + m @ slopes[1:]
    length = float(np.sqrt(slope @ slope))
    u = (ball.radius * slope / length).tolist() if length > 0 else None
    return np.nan_to_num(m * sizes[0] / sizes[1:], posinf=0.0), u
