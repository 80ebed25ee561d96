"""A budget for tests of what happens when one ends."""

from __future__ import annotations

from geomrelu.budget import Budget, Exhausted


class Polls(Budget):
    """It ends after it has been looked at so many times."""

    def __init__(self, most=10**9):
        super().__init__()
        self.polls, self.most = 0, most

    def poll(self):
        self.polls += 1
        if self.polls > self.most:
            raise Exhausted("the time for it is over")

    @property
    def ended(self):
        return self.polls >= self.most
