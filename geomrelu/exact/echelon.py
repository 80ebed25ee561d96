"""Ranks of integer rows that come one batch after another: modulo a prime a bound from below, at any moment.

Rows are brought to echelon form modulo a prime of 62 bits, some at a time, so that whoever waits can look at the clock
between them. What is independent modulo a prime is independent over the rationals. The determinant of the minor in the
independent rows and the columns of the pivots is the product of those of the batches, as each batch only takes
combinations of rows before it away from its rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from flint import nmod_mat

from geomrelu.budget import UNLIMITED, Budget
from geomrelu.exact.elimination import leading

__all__ = ["PRIMES", "Echelon"]

PRIMES = (4611686018427387847, 4611686018427387817, 4611686018427387787)  # the largest below 2^62
WIDEST = 128  # rows at a time
STEP = 1 << 20  # entries at a time: a fraction of a second


class Echelon:
    """Rows modulo a prime, in echelon form, batch by batch.

    Attributes:
        columns: how many. prime: below 2^63. seen: how many rows have come.
        chosen: the rows that are independent of those before them, by their numbers.

    >>> e = Echelon(3, PRIMES[0]); e.add([[1, 2, 3], [2, 4, 6], [0, 0, 5]]); e.rank, e.chosen, e.pivots, e.minor
    (2, [0, 2], (0, 2), 5)
    """

    def __init__(self, columns: int, prime: int) -> None:
        self.columns, self.prime = columns, prime
        self.seen = 0
        self.chosen: list[int] = []
        self._blocks: list[tuple[list[int], nmod_mat]] = []  # pivots, and rows with a unit matrix there
        self._order: list[int] = []  # the pivots as they came
        self._product = 1

    @property
    def rank(self) -> int:
        """Of the rows so far, modulo the prime: not more than over the rationals."""
        return len(self.chosen)

    @property
    def pivots(self) -> tuple[int, ...]:
        """The first independent columns, in their order."""
        return tuple(sorted(self._order))

    @property
    def minor(self) -> int:
        """Of the chosen rows and the pivots, modulo the prime; not 0."""
        return self._product * _sign(self._order) % self.prime

    def add(self, rows: Sequence[Sequence[int]], budget: Budget = UNLIMITED) -> None:
        """Take more rows, integers; some at a time, after each of which the clock is looked at.

        Raises:
            Exhausted: the time is over; the rows until then count.
        """
        start = 0
        while start < len(rows):
            size = max(1, min(WIDEST, STEP // self.columns))
            budget.poll()
            self._take(rows[start : start + size], budget)
            start += size

    def _take(self, rows: Sequence[Sequence[int]], budget: Budget) -> None:
        prime, count = self.prime, len(rows)
        left = nmod_mat(count, self.columns, [v % prime for row in rows for v in row], prime)
        for pivots, block in self._blocks:
            budget.poll()
            left -= nmod_mat(count, len(pivots), [int(left[i, j]) for i in range(count) for j in pivots], prime) * block
        reduced, rank = left.rref()
        if rank:
            pivots = leading(reduced, rank)
            own = [[int(left[i, j]) for j in pivots] for i in range(count)]
            across = nmod_mat(rank, count, [own[i][k] for k in range(rank) for i in range(count)], prime)
            chosen = leading(*across.rref())
            self._product *= int(nmod_mat(rank, rank, [v for i in chosen for v in own[i]], prime).det())
            self._product %= prime
            if rank < count:
                entries = reduced.entries()[: rank * self.columns]
                reduced = nmod_mat(rank, self.columns, [int(v) for v in entries], prime)
            self._blocks.append((pivots, reduced))
            self._order += pivots
            self.chosen += [self.seen + i for i in chosen]
        self.seen += count


def _sign(order: Sequence[int]) -> int:
    """Of the permutation that sorts distinct numbers."""
    place = {v: k for k, v in enumerate(sorted(order))}
    cycles, seen = 0, set[int]()
    for start in range(len(order)):
        cycles += start not in seen
        k = start
        while k not in seen:
            seen.add(k)
            k = place[order[k]]
    return -1 if (len(order) - cycles) % 2 else 1
