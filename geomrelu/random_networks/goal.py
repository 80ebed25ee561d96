"""An event, as the walk over a sign orbit decides it layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Goal"]

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Goal:
    """An event, as the walk decides it.

    Attributes:
        event: "alive", "data-alive", "killed" or "dead-neurons".
        last: the layer (from 1) after which everything is decided; further layers are not walked.
        number: of dead neurons; in layer ``last``, or, if ``total``, in all layers.
    """

    event: str
    last: int
    number: int | None = None
    total: bool = False

    def goes_on(self, dead: Array, here: Array, width: int) -> tuple[Array, Array]:
        """After an inner layer with ``here`` dead neurons: the dead so far, and whether the event is still possible."""
        if self.event in ("alive", "data-alive"):
            return dead, here < width
        if self.total:
            return dead + here, dead + here <= self.number
        return dead, np.ones(len(here), dtype=bool)

    def favourable(self, dead: Array, killing: Array, choices: int) -> Array:
        """How many choices for the last layer are in the event.

        Args:
            dead: of the layers before, (states,). killing: choices that leave a neuron dead, (states, neurons).
            choices: of each neuron.
        """
        one = np.ones(len(killing), dtype=killing.dtype)
        if self.event != "dead-neurons":
            killed = killing.prod(axis=1, initial=1)
            return killed if self.event == "killed" else one * choices ** killing.shape[1] - killed
        found = [one]  # found[d]: choices with d dead neurons among those seen so far
        for column in killing.T:
            living = choices - column
            found = [living * a + column * b for a, b in zip([*found, 0 * one], [0 * one, *found], strict=True)]
        table = np.stack([*found, 0 * one], axis=1)  # the last column: not so many
        asked = self.number - dead
        return table[np.arange(len(dead)), np.where((asked >= 0) & (asked < len(found)), asked, len(found))]
