"""Mutants of the plain judge that no battery can notice, or need not, each with the reason."""

from __future__ import annotations

from typing import NamedTuple

KINDS = {
    "same": "it behaves in the same way: the case in which it would not cannot occur, or both ways lead to one result",
}


class Survivor(NamedTuple):
    """The function, a piece of the changed statement that was not there before, and why that is no fault."""

    within: str
    text: str
    kind: str
    why: str


EXPLAINED: list[Survivor] = []
