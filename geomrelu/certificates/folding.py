"""Rows of neurons over the inputs and those earlier neurons whose sign is open.

Where a network is split into many parts, the sign of most neurons is known on the whole of it, and what they do is done
again in every part. Here it is done once: an active neuron stands by what it reads, one that is never positive is left
out. Bounds do not change by it, not in a digit: the line around such a neuron is exact in every part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import gcd, lcm

from geomrelu import checker

__all__ = ["Folded", "replaced"]

FoldedRow = tuple[int, Sequence[int], Sequence[int], int]  # bias, columns, entries; all over the last number
FEW = 4  # at most one of so many neurons has an open sign, else nothing is gained
MOST = 1 << 19  # entries that are kept


def replaced(
    coefficients: Iterable[tuple[int, int]], rows: Sequence[tuple[int, FoldedRow]], steps: int = 1
) -> tuple[dict[int, int], int, int]:
    """A form in which neurons are replaced by what they read: ``(coefficients, constant, grow)``, all of it ``grow``
    times as large; ``rows`` come with their factors, which are ``steps`` times as large already."""
    over = lcm(*{row[-1] for _, row in rows})
    grow, constant = steps * over, 0
    found = {j: c * grow for j, c in coefficients}
    for factor, (bias, columns, entries, denominator) in rows:
        factor *= over // denominator
        constant += factor * bias
        for j, w in zip(columns, entries, strict=True):
            found[j] = found.get(j, 0) + factor * w
    return found, constant, grow


class Folded:
    """Rows of a model, each folded when that has become worth it: as much work has been done on rows as they are.

    Args:
        bounds: (low, high) of the neurons of the first layers on a set, None: there is none.
    """

    def __init__(self, model: checker.Model, bounds: Sequence[Sequence[tuple[int | None, int | None]]]) -> None:
        self.model = model
        self.active = [frozenset(i for i, (low, _) in enumerate(p) if low is not None and low >= 0) for p in bounds]
        # a neuron that is at most 0 may be found to be 0 in a part, and stands there by what it reads
        self.silent = [frozenset(i for i, (_, high) in enumerate(p) if high is not None and high < 0) for p in bounds]
        known = sum(map(len, self.active)) + sum(map(len, self.silent))
        total = sum(map(len, bounds))
        self.pays = 0 < FEW * (total - known) <= total
        self._rows: dict[tuple[int, int], FoldedRow] = {}
        self._done, self._room = 0, MOST  # multiplications on rows as they are, less those of folding; entries
        self._cost: dict[int, int] = {}  # of folding a row of a layer, as it was last time

    def row(self, level: int, neuron: int) -> FoldedRow:
        """The row of a neuron: folded, or as it is (what it reads is then folded, or not, in its turn)."""
        found = self._rows.get((level, neuron))
        if found is not None:
            return found
        if self.pays and self._done >= self._cost.get(level, 0) and self._room > 0:
            found = self._rows[level, neuron] = self._folded(level, neuron)
            self._room -= len(found[1])
            return found
        layer = self.model.layers[level - 1]
        row = layer.rows[neuron]
        self._done += len(row[1])
        return *row, layer.denominator

    def _folded(self, level: int, neuron: int) -> FoldedRow:
        model, layer = self.model, self.model.layers[level - 1]
        bias, columns, entries = layer.rows[neuron]
        scale, coefficient, work = layer.denominator, dict(zip(columns, entries, strict=True)), len(columns)
        for at in range(min(level - 1, len(self.active)), 0, -1):
            first, last = model.start[at], model.start[at + 1]
            read = {j - first for j in coefficient if first <= j < last}
            for i in read & self.silent[at - 1]:
                del coefficient[first + i]
            read = read & self.active[at - 1] - self.silent[at - 1]
            if not read:
                continue
            inner = model.layers[at - 1]
            rows = [(coefficient.pop(first + i), (*inner.rows[i], inner.denominator)) for i in sorted(read)]
            work += sum(len(row[1]) for _, row in rows)
            coefficient, gained, grow = replaced(coefficient.items(), rows)
            bias, scale = bias * grow + gained, scale * grow
        self._done, self._cost[level] = self._done - work, work
        shared = gcd(scale, bias, *coefficient.values())
        entries = [c // shared for c in coefficient.values()]
        return bias // shared, list(coefficient), entries, scale // shared
