"""The neurons before one that is worked on: all of them, or those of open sign, over which the others are folded.

Where only signs are split, a neuron whose sign is known on the whole domain keeps it in every part. So an active one
can stand by what it reads, and one that is never positive be left out, once and for all parts: of thousands of neurons
there may be a hundred left. In floating point, which does not decide; the judge does likewise
(``certificates.folding``).
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from geomrelu.deadness.proof_tree import Part, written
from geomrelu.deadness.relaxation import BATCH, Bounds, FloatNetwork, dense_rows
from geomrelu.native.boxes import LANES

__all__ = ["EarlierNeurons"]

Array = np.ndarray
FEW = 4  # folded, if at most one of so many neurons is open
MOST = BATCH  # numbers of a folded layer, and of what it read


class EarlierNeurons:
    """The neurons of the layers before one, in the numbering that floats use, and as parts and certificates name them.

    Attributes:
        floating: the network of these neurons; aim: the neuron in question there.
        slices: where layers are in arrays over all neurons, as parts have them; columns: where these neurons are.
        whole: their bounds on the whole domain, as such an array.
        open: the numbers of these neurons in their layers, if they are only those of open sign.
    """

    def __init__(self, floating: FloatNetwork, level: int, neuron: int, bounds: Bounds, fold: bool) -> None:
        self.floating, self.aim, self.widths = floating, neuron, floating.network.widths[: level - 1]
        self.slices = floating.slices[: level - 1]
        self.columns: list[Any] = list(self.slices)
        self.whole = self.flat(bounds)
        self.open: list[Array] | None = None
        if fold and level > 1:
            open_ = [np.flatnonzero((low[0] < 0) & (high[0] > 0)) for low, high in bounds]
            size = max(map(len, open_)) * (floating.network.inputs + max(self.widths))
            if 0 < FEW * sum(map(len, open_)) <= sum(self.widths) and size <= MOST:
                self.open, self.aim = open_, 0
                self._places = [{i: k for k, i in enumerate(some.tolist())} for some in open_]
                self.columns = [where.start + some for where, some in zip(self.slices, open_, strict=True)]
                self.floating = folded(floating, level, neuron, bounds, open_)

    def flat(self, bounds: Bounds, row: int = 0) -> Array:
        """Bounds of all neurons on one of the boxes, as parts have them."""
        found = np.full((2, -(-self.slices[-1].stop // LANES) * LANES), -1.0)
        for where, (low, high) in zip(self.slices, bounds, strict=True):
            found[:, where] = low[row], high[row]
        return found

    def fresh(self, bounds: Bounds, row: int) -> Array:
        """The same from bounds of these neurons; those of others are as on the whole domain."""
        if self.open is None:
            return self.flat(bounds, row)
        found = self.whole.copy()
        for where, (low, high) in zip(self.columns, bounds, strict=True):
            found[:, where] = low[row], high[row]
        return found

    def named(self, at: int, k: int) -> int:
        """The number of one of these neurons in its layer."""
        return k if self.open is None else int(self.open[at - 1][k])

    def found(self, at: int, i: int) -> int | None:
        """The other way round; None: it is none of these."""
        return i if self.open is None else self._places[at - 1].get(i)

    def table(self, parts: Sequence[Part]) -> Array | None:
        """Bounds of all neurons that hold before any are derived: (parts, 2, neurons)."""
        tables = [part.base for part in parts if part.base is not None]
        if not tables:
            return None
        known = np.array(tables)
        for row, part in enumerate(parts):
            for at, i, sign in part.signs:
                k, side = self.slices[at - 1].start + i, int(sign < 0)
                known[row, side, k] = (min if side else max)(known[row, side, k], 0)
        return known

    def known(self, parts: Sequence[Part]) -> Bounds | None:
        """The same of these neurons, layer by layer."""
        table = self.table(parts)
        return None if table is None else [(table[:, 0, where], table[:, 1, where]) for where in self.columns]

    def phases(self, parts: Sequence[Part]) -> list[Array] | None:
        """The signs that are known of them, layer by layer; None: of none."""
        if not any(part.signs for part in parts):
            return None
        phases = [np.zeros((len(parts), width)) for width in self.floating.network.widths[: len(self.columns)]]
        for row, part in enumerate(parts):
            for at, i, sign in part.signs:
                k = self.found(at, i)
                if k is not None:
                    phases[at - 1][row, k] = sign
        return phases

    def multiplier(self, added: Sequence[Array], row: int, at: int, i: int) -> float:
        """What is added to the coefficient of a neuron that was split."""
        k = self.found(at, i)
        return 0.0 if k is None else float(added[at - 1][row, k])

    def text(self, at: int, slopes: Array) -> str:
        """Slopes of a layer as leaves say them."""
        if self.open is not None:
            every = np.zeros(self.widths[at - 1])
            every[self.open[at - 1]] = slopes
            slopes = every
        return written(slopes)


def folded(floating: FloatNetwork, level: int, neuron: int, bounds: Bounds, open_: list[Array]) -> FloatNetwork:
    """The open neurons, and the neuron as the only one of its layer, over each other and the inputs."""
    active = [np.flatnonzero(low[0] >= 0) for low, _ in bounds]
    for at in range(len(floating.folded) + 1, level):
        floating.folded.append(_folded(floating, at, open_[at - 1], active, open_))
    layers = [*floating.folded[: level - 1], _folded(floating, level, np.array([neuron]), active, open_)]
    shape = SimpleNamespace(inputs=floating.network.inputs, widths=tuple(len(bias) for _, bias in layers))
    return floating.with_layers(shape, layers)


def _folded(
    floating: FloatNetwork, at: int, neurons: Array, active: list[Array], open_: list[Array]
) -> tuple[dict[int, Any], Array]:
    """Some neurons of a layer."""
    parts, bias = floating.layers[at - 1]
    flow = {b: dense_rows(matrix, neurons) for b, matrix in parts.items()}
    constant, kept = bias[neurons].copy(), dict[int, Array]()
    for before in range(at - 1, 0, -1):
        here = flow.pop(before, None)
        if here is None:
            continue
        kept[before] = np.ascontiguousarray(here[:, open_[before - 1]])
        sure = active[before - 1]
        inner, inner_bias = floating.layers[before - 1]
        constant += here[:, sure] @ inner_bias[sure]
        for b, matrix in inner.items():
            pulled = np.asarray((matrix[sure].T @ here[:, sure].T).T)
            flow[b] = flow[b] + pulled if b in flow else pulled
    return flow | kept, constant
