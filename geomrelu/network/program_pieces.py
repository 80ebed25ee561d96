"""The linear pieces of a network on a polyhedron with too many generators to list: by rows and exact linear programs.

Slower than cutting generators where these are few, and the only way where the polyhedron has more of them than could be
written down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from operator import mul

from geomrelu.budget import Budget
from geomrelu.exact import linear_programs
from geomrelu.exact.cddlib import Row
from geomrelu.exact.numbers import primitive
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network
from geomrelu.network.pieces import Cell, Cut, Highest, coordinates

__all__ = ["ProgramPiece", "by_programs"]


@dataclass(slots=True, kw_only=True)
class ProgramPiece(Cell):
    """A cell by its rows.

    Attributes:
        inequalities, equalities: of the domain, and of the cuts.
        poll: called before each linear program.
        seen: homogeneous points and rays of the cell that programs have given: where a form takes both signs at
            them, no program is needed to see it.
    """

    inequalities: tuple[Row, ...]
    equalities: tuple[Row, ...]
    poll: Callable[[], object]
    seen: list[Row] = field(default_factory=list)

    def highest(self, row: Row) -> Highest:
        self.poll()
        best = linear_programs.maximise(row, self.inequalities, self.equalities)
        assert best.point is not None
        point, ray = best.point, None if best.ray is None else primitive(best.ray)
        self.seen.append(primitive((Fraction(1), *point)))
        if ray is not None:
            self.seen.append((0, *ray))
        return Highest(row[0] + sum(map(mul, row[1:], point), Fraction(0)), point, ray, set())

    def sign(self, row: Row) -> int:
        values = [sum(map(mul, row, g)) for g in self.seen]
        above, below = any(v > 0 for v in values), any(v < 0 for v in values)
        if not (above or self._rises(row)):
            return -1
        return 0 if below or self._rises(tuple(-v for v in row)) else 1

    def _rises(self, row: Row) -> bool:
        """Is the form positive somewhere?"""
        top = self.highest(row)
        return top.value > 0 or top.ray is not None

    def split(self, cut_at: tuple[int, int], row: Row, scale: int, budget: Budget) -> tuple[ProgramPiece, ProgramPiece]:
        below, above = (
            replace(
                self,
                inequalities=(*self.inequalities, tuple(sign * v for v in row)),
                seen=[g for g in self.seen if sign * sum(map(mul, row, g)) >= 0],
                cuts=(*self.cuts, Cut(*cut_at, sign, row, scale)),
            )
            for sign in (-1, 1)
        )
        return below, above


def by_programs(network: Network, domain: Polyhedron, budget: Budget) -> ProgramPiece:
    """A nonempty domain given by rows as one cell. Cost of a walk: up to two linear programs for each neuron of each
    piece, and one for each that is asked about."""
    return ProgramPiece(
        forms=coordinates(network.inputs), scales=[1], poll=budget.poll,
        inequalities=domain.inequalities, equalities=domain.equalities,
    )  # fmt: skip
