"""The flats of a hyperplane arrangement: every nonempty intersection of hyperplanes, with its Möbius number.

Flats are ordered by reverse inclusion; R^n comes first. The next smaller flats inside a flat X are those in which a
further hyperplane meets it: the distinct hyperplanes of the *restriction* to X. With mu(R^n) = 1,

    mu(X) = - sum of mu(Y) over the flats Y of one dimension more that contain X and do not lie in H

for any one hyperplane H that contains X (Weisner's theorem, in the geometric lattice below X), and the characteristic
polynomial is chi(t) = sum of mu(X) t^dim X. Zaslavsky: (-1)^n chi(-1) regions, |chi(1)| of them bounded (if the
normals span).

Exact: yes. Cost: for each flat, one elimination step of all forms on it.

Source: R. P. Stanley, An introduction to hyperplane arrangements, lectures 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from geomrelu.budget import Budget
from geomrelu.exact.cddlib import Row
from geomrelu.exact.elimination import eliminated, line_of

__all__ = ["Flat", "levels"]


@dataclass(slots=True)
class Flat:
    """A flat of dimension d.

    Attributes:
        zeros: the hyperplanes that contain it, as a bit set.
        forms: all forms on it, (b, a1, ..., ad) in coordinates of their own, up to positive factors; then those that
            are carried.
        moebius: mu of the interval from R^n to it.
    """

    zeros: int
    forms: list[Row]
    moebius: int = 0


def levels(rows: Sequence[Row], budget: Budget, carried: Sequence[Row] = ()) -> Iterator[list[Flat]]:
    """The flats of codimension 0, 1, ... of the hyperplanes of some forms, a list for each (until there are none).

    Args:
        carried: forms that make no flats, but are known on each.
    """
    level = [Flat(0, [*rows, *carried], 1)]
    while level:
        yield level
        below: dict[int, Flat] = {}
        for flat in level:
            for zeros, (row, column) in _met(flat, len(rows)).items():
                budget.spend(0)
                if zeros not in below:
                    below[zeros] = Flat(zeros, eliminated(flat.forms, row, column))
                if not flat.zeros & zeros & -zeros:  # it does not lie in the first hyperplane of the smaller flat
                    below[zeros].moebius -= flat.moebius
        level = list(below.values())


def _met(flat: Flat, forms: int) -> dict[int, tuple[Row, int]]:
    """The flats in which the first forms meet it: ``zeros -> (a form, the column to solve for)``."""
    groups: dict[Row, int] = {}
    for i, row in enumerate(flat.forms[:forms]):
        if any(row[1:]):
            line, _ = line_of(row)
            groups[line] = groups.get(line, flat.zeros) | 1 << i
    found = {}
    for line, zeros in groups.items():
        _, column = min((abs(v), k) for k, v in enumerate(line[1:], 1) if v)  # small numbers stay small
        found[zeros] = (line, column)
    return found
