"""Limits on time and on regions, and what is said when one of them ends the work."""

from __future__ import annotations

import time
from math import inf

from geomrelu import arguments
from geomrelu.errors import InputError

__all__ = ["UNLIMITED", "Budget", "Exhausted"]

FOREVER = 1e9  # seconds, thirty years: no limit


class Exhausted(Exception):
    """A budget has ended; the text names it. Never an error: what was proved before stands."""


class Budget:
    """Counts regions (pieces, boxes) and watches the clock.

    Args:
        seconds: from now; None: no limit.
        regions: how many may be examined; None: no limit.

    Raises:
        InputError: a time that is no number, or regions that are no whole number.

    Cost: a look at the clock for each question.

    >>> Budget(regions=2).ended
    False
    """

    def __init__(self, seconds: float | None = None, regions: int | None = None) -> None:
        given = FOREVER if seconds is None else arguments.time(seconds, "the time of a budget")
        self.seconds = given if given < FOREVER else None
        self.regions = None if regions is None else arguments.integer(regions, "the number of regions of a budget")
        self.examined = 0
        self._deadline = None if self.seconds is None else time.monotonic() + self.seconds

    @staticmethod
    def of(budget: Budget | None) -> Budget:
        """The budget that was passed, or one without limits if there is none.

        Raises:
            InputError: ``budget`` is something else, such as a number.
        """
        if budget is not None and not isinstance(budget, Budget):
            raise InputError(f"a budget is Budget(seconds, regions), not {arguments.kind(budget)}")
        return Budget() if budget is None else budget

    def __repr__(self) -> str:
        left = [] if self.left is None else [f"{self.left:.3g} s"]
        left += [] if self.regions is None else [f"{self.regions - self.examined:,} regions"]
        return f"<a budget, {' and '.join(left)} left>" if left else "<a budget without limits>"

    def spend(self, regions: int = 1) -> None:
        """Account for regions about to be examined.

        Raises:
            Exhausted: the budget has ended.
        """
        self.poll()
        if self.regions is not None and self.examined + regions > self.regions:
            raise Exhausted(f"the budget for it, {self.regions} regions, is spent")
        self.examined += regions

    def poll(self) -> None:
        """Long work that counts no regions calls this at least every half second or so.

        Raises:
            Exhausted: the time is over.
        """
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise Exhausted(f"the time for it, {self.seconds:.3g} s, is over")

    @property
    def ended(self) -> bool:
        """Is the time over, or no region left?"""
        return self.left == 0 or (self.regions is not None and self.examined >= self.regions)

    def grant(self, found: int) -> int:
        """Account for as many of the regions just found as are left; they are given even if the time is over.

        Raises:
            Exhausted: none is left.
        """
        left = found if self.regions is None else min(found, self.regions - self.examined)
        if left <= 0 < found:
            raise Exhausted(f"the budget for it, {self.regions} regions, is spent")
        self.examined += left
        return left

    def clock(self) -> Budget:
        """The same end of time for work that counts no regions of its own."""
        twin = Budget(self.seconds)
        twin._deadline = self._deadline
        return twin

    @property
    def left(self) -> float | None:
        """Seconds until the end; None: no limit."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def seconds_left(self, share: float = 1.0, kept: float = 0.0) -> float:
        """A share of what is left after some is kept, for work that is given seconds; infinite: no limit.

        Never nothing: what costs nothing is still said when the time is over.
        """
        return inf if self.left is None else max(share * (self.left - kept), 1e-3)

    def share(self, parts: int) -> Budget:
        """One of ``parts`` equal shares of what is left; spending there spends here too."""
        if parts <= 1:
            return self
        seconds = None if self.left is None else self.left / parts
        regions = None if self.regions is None else max(0, self.regions - self.examined) // parts
        return _Part(self, seconds, regions)

    def part(self, regions: int, share: float = 1.0) -> Budget:
        """At most so many regions of what is left, and a share of the time."""
        return _Part(self, None if self.left is None else share * self.left, regions)


class _Part(Budget):
    def __init__(self, whole: Budget, seconds: float | None, regions: int | None) -> None:
        super().__init__(seconds, regions)
        self.whole = whole

    def poll(self) -> None:
        self.whole.poll()
        super().poll()

    @property
    def ended(self) -> bool:
        return super().ended or self.whole.ended

    def spend(self, regions: int = 1) -> None:
        super().spend(regions)
        self.whole.spend(regions)

    def grant(self, found: int) -> int:
        own = found if self.regions is None else min(found, self.regions - self.examined)
        return super().grant(self.whole.grant(own) if own > 0 else found)


UNLIMITED = Budget()
