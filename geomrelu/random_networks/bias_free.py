"""Second-layer neurons of networks without biases: central arrangements.

``F(y) = sum_i w_i max(a_i·y, 0)`` on R^N is linear on the cones of the central arrangement {a_i·y = 0}, so F <= 0 on
all of R^N if and only if F <= 0 at the rays (and along the lines) that generate these cones.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.numbers import common, rationals
from geomrelu.random_networks.stably_unactivated import region_generators

__all__ = ["bias_free_orbit", "central_values"]

WIDEST = 12  # 4^12 sign choices


def central_values(weights: Any, w: Any) -> list[list[int]]:
    """``w_i a_i·y`` at each generator y of the cones, times a common positive factor for each y.

    Args:
        weights: the a_i, shape (M, N); any rationals, in any position. w: shape (M,), not 0; only magnitudes count.

    Returns:
        One row of integers for each generator.

    Raises:
        InputError: shapes that do not fit, a zero among the w.
    """
    rows = [rationals(a, f"weights, row {i}") for i, a in enumerate(weights)]
    sizes = rationals(w, "w")
    if not rows or len({len(a) for a in rows}) != 1 or not rows[0] or len(sizes) != len(rows):
        raise InputError("weights and w must be a matrix (M, N) and a vector (M,), not empty")
    if not all(sizes):
        raise InputError("a zero in w has no sign to choose")
    numbers, _ = common([abs(u) * v for u, a in zip(sizes, rows, strict=True) for v in a])
    n = len(rows[0])
    forms = [(0, *numbers[i * n : (i + 1) * n]) for i in range(len(rows))]
    return [
        [sum(u * v for u, v in zip(a, g, strict=True)) for a in forms] for g in region_generators(forms) if not g[0]
    ]


def bias_free_orbit(weights: Any, w: Any) -> tuple[int, int]:
    """How many sign choices make ``F(y) = sum_i w_i max(a_i·y, 0)`` at most 0 on R^N: F is dead there.

    Args:
        weights: the a_i, shape (M, N); any rationals, in any position. w: shape (M,), not 0; only magnitudes count.

    Returns:
        ``(count, size)``. The choices are the flips a_i -> -a_i and the signs of each w_i: size = 4^M.

    Raises:
        InputError: shapes that do not fit, a zero among the w, more than 12 neurons.

    Exact: yes, in integers. Method: all 2^M weights at once for each flip, at all generators.
    Source: claims ``bias-free``, ``tensor-power``, ``plane-sign-changes``.

    >>> bias_free_orbit([[1], [2]], [1, 1])
    (6, 16)
    """
    values = central_values(weights, w)
    m = len(values[0])
    if m > WIDEST:
        raise InputError(f"{m} neurons have 4^{m} sign choices; the limit is {WIDEST} neurons")
    small = max(sum(map(abs, row)) for row in values) < 1 << 62
    table = np.array(values, dtype=np.int64 if small else object)
    signs = np.array(list(product((1, -1), repeat=m)), dtype=table.dtype)
    found = sum(int(((np.maximum(table * flip, 0) @ signs.T) <= 0).all(axis=0).sum()) for flip in signs)
    return found, 4**m
