"""Finite sets of points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from geomrelu import checker
from geomrelu.arguments import several
from geomrelu.errors import InputError
from geomrelu.exact.numbers import rationals

__all__ = ["FiniteSet", "Point"]

Point = tuple[Fraction, ...]


@dataclass(frozen=True)
class FiniteSet:
    """Finitely many points of R^n, in the given order; made by :meth:`of`.

    Attributes:
        points: tuples of n rationals.

    Exact: yes. Cost: what is asked of it is asked of each point.

    >>> FiniteSet.of([[0, "1/3"], [1, 2]]).dimension
    2
    """

    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        points = self.points if isinstance(self.points, tuple) else ()
        exact = all(type(p) is tuple and all(type(v) is Fraction for v in p) for p in points)
        if not exact or not points or not points[0] or len(set(map(len, points))) > 1:
            raise InputError("a finite set is made by FiniteSet.of, which takes any numbers")

    @classmethod
    def of(cls, points: Sequence[Any]) -> FiniteSet:
        """From any numbers.

        Args:
            points: (count, n) lists or arrays.

        Raises:
            InputError: not numbers, no points, or points of different spaces.
        """
        exact = tuple(rationals(p, f"point {i}") for i, p in enumerate(several(points, "a finite set", "points")))
        if not exact or len({len(p) for p in exact}) != 1 or not exact[0]:
            raise InputError("a finite set needs at least one point, and all of the same dimension n >= 1")
        return cls(exact)

    def __repr__(self) -> str:
        return f"<{len(self.points)} point{'s'[: len(self.points) != 1]} in R^{self.dimension}>"

    @property
    def dimension(self) -> int:
        """n of the space R^n around it."""
        return len(self.points[0])

    @property
    def is_empty(self) -> bool:
        """Never."""
        return False

    @cached_property
    def checked(self) -> checker.Domain:
        """The canonical form shared with the checker."""
        return checker.Domain.from_points(self.dimension, self.points)
