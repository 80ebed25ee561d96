"""Limits on time and on regions, and what is said when one of them ends the work."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Budget", "Exhausted"]


class Exhausted(Exception):
    """A budget has ended; the text names it. Never an error: what was proved before stands."""


class Budget:
    """Counts regions (pieces, boxes) and watches the clock.

    Args:
        seconds: from now; None: no limit.
        regions: how many may be examined; None: no limit.
        report: called now and then with the number of regions examined (for progress).
    """

    def __init__(
        self,
        seconds: float | None = None,
        regions: int | None = None,
        report: Callable[[int], None] | None = None,
    ) -> None:
        self.seconds = seconds
        self.regions = regions
        self.examined = 0
        self.report = report
        self._deadline = None if seconds is None else time.monotonic() + seconds

    def spend(self, regions: int = 1) -> None:
        """Account for regions about to be examined.

        Raises:
            Exhausted: the budget has ended.
        """
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise Exhausted(f"the time of {self.seconds:g} s is over")
        if self.regions is not None and self.examined + regions > self.regions:
            raise Exhausted(f"the budget of {self.regions} regions is spent")
        self.examined += regions
        if self.report is not None:
            self.report(self.examined)

    def remaining(self) -> float | None:
        """Seconds left, or None."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def part(self, regions: int | None, seconds: float | None = None) -> Budget:
        """A smaller budget inside this one: spending there spends here too."""
        return _Part(self, regions, seconds)


class _Part(Budget):
    def __init__(self, whole: Budget, regions: int | None, seconds: float | None) -> None:
        super().__init__(seconds, regions)
        self.whole = whole

    def spend(self, regions: int = 1) -> None:
        super().spend(regions)
        self.whole.spend(regions)
