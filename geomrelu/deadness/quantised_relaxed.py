"""Why a neuron of a quantised network is dead or alive, and the ordinary network that contains the quantised one.

As ``round(u)`` lies in [u - 1/2, u + 1/2], a neuron that takes values from low to high is
``low + max(u + e - low, 0) - max(u + e - high, 0)`` for some e in [-1/2, 1/2]: an ordinary ReLU network with one more
input for each neuron that is rounded. low and high come from intervals, with what has been proved of the layers before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from geomrelu.exact.affine import AffineMap
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.io.tape import Tape
from geomrelu.network.network import Network
from geomrelu.network.quantised import QuantisedNetwork, WholeNumbers

__all__ = ["SENTENCE", "Finding", "Relaxed", "narrowed", "relaxed"]

SENTENCE = (
    "The network of whole numbers does for each of its inputs what this ReLU network does for some values of its added "
    "inputs in their sides: neuron {neuron} of its last layer being dead, y <= step / 2 there, which is rounded to 0."
)


@dataclass(frozen=True)
class Relaxed:
    """An ordinary network that contains the quantised one up to a layer, and the box of its inputs.

    Attributes:
        network: its last layer has a neuron for each of ``neurons``, positive where ``y > step / 2``.
        box: sides for the inputs of the quantised network, in its own units, then for the added ones.
        layer, neurons: of the quantised network.
        zeros: the (layer, neuron) of layers before whose being dead narrowed the intervals.
    """

    network: Network
    box: Polyhedron
    layer: int
    neurons: tuple[int, ...]
    zeros: tuple[tuple[int, int], ...]

    @property
    def digests(self) -> tuple[str, str]:
        """What certificates about it name the network and the box by."""
        return self.network.digest, str(self.box.checked.digest())


@dataclass(frozen=True)
class Finding:
    """Why a verdict holds.

    Attributes:
        how: "intervals", "all points", "point" or "relaxed".
        value: the greatest output found, in steps above the zero point; of a living ReLU, the number.
        point: an input at which it is reached, if the neuron is alive.
        points: how many points of the grid were walked.
        relaxed: the network on which the claim of the verdict is proved.
    """

    how: str
    value: Fraction | None = None
    point: tuple[Fraction, ...] | None = None
    points: int = 0
    relaxed: Relaxed | None = None


def narrowed(network: QuantisedNetwork, box: Polyhedron, zeros: Sequence[tuple[int, int]]) -> WholeNumbers:
    """The network on a box, with intervals narrowed by the neurons that have been proved to be dead."""
    whole = WholeNumbers(network, box)
    for layer in sorted({layer for layer, _ in zeros}):
        whole.known(layer - 1, [i for level, i in zeros if level == layer])
    return whole


def relaxed(whole: WholeNumbers, layer: int, neurons: Sequence[int]) -> Relaxed:
    """The ordinary network that contains the quantised one up to a layer, see the head of this file.

    Its variables stand for ``k * step``, so that its numbers are as dyadic as those of the file.

    Raises:
        InputError: the layer reads nothing.
    """
    network = whole.network
    steps: list[Fraction] = [Fraction(1)] * network.inputs
    sides: list[tuple[Fraction, Fraction]] = []
    for j, side in enumerate(whole.sides):
        if j in whole.codes:
            step = whole.codes[j][2]
            sides.append((int(whole.lower[j]) * step, int(whole.upper[j]) * step))
        else:
            sides.append(side)
    noises = [_noisy(whole, l) for l in range(layer - 1)]
    first = len(sides)
    for l, noisy in enumerate(noises):
        quantiser = network.quantisers[l]
        for i in noisy:
            assert quantiser is not None
            sides.append((-quantiser.steps[i] / 2, quantiser.steps[i] / 2))
    tape = Tape(len(sides))
    values = AffineMap.selection(len(sides), range(network.inputs))  # of all variables, in terms of the tape's
    for l in range(layer - 1):
        y = _in_values(network.layers[l], steps).after(values)
        quantiser = network.quantisers[l]
        if l in network.entries:
            made = AffineMap.selection(tape.variables, network.entries[l])
        elif quantiser is None:
            made = tape.relu(y)
        else:
            made = _contained(tape, y, whole, l, noises[l], first)
        first += len(noises[l])
        steps += quantiser.steps if quantiser is not None else [Fraction(1)] * y.outputs
        values = AffineMap.stacked([values.widened(tape.variables), made.widened(tape.variables)])
    last, quantiser = network.layers[layer - 1].take(neurons), network.quantisers[layer - 1]
    y = _in_values(last, steps).after(values)
    if quantiser is not None:
        y = y.scaled([Fraction(1)] * len(neurons), [-quantiser.steps[i] / 2 for i in neurons])
    tape.finish(tape.relu(y))
    return Relaxed(Network.from_tape(tape), Polyhedron.box(sides), layer, tuple(neurons), tuple(whole.zeros))


def _noisy(whole: WholeNumbers, l: int) -> list[int]:
    """The neurons of layer l (from 0) that are rounded, and not constant."""
    network = whole.network
    if network.quantisers[l] is None or l in network.entries or network.whole[l]:
        return []
    low, high = whole.bounds[l + 1]
    return [i for i in range(network.widths[l]) if low[i] < high[i]]


def _contained(tape: Tape, y: AffineMap, whole: WholeNumbers, l: int, noisy: Sequence[int], first: int) -> AffineMap:
    """``k * step`` of a layer of whole numbers, each for some value of its added input."""
    network = whole.network
    quantiser = network.quantisers[l]
    assert quantiser is not None
    low, high = whole.bounds[l + 1]
    above = whole.reach(l)
    moving = [i for i in range(y.outputs) if low[i] < high[i]]
    capped = [i for i in moving if round(above[i]) > high[i]]  # the others never exceed it
    constants = [int(low[i]) * quantiser.steps[i] for i in range(y.outputs)]
    if not moving:
        return _constant(constants, tape.variables)
    rows = y.take(moving).widened(tape.variables)
    if len(noisy):
        rows = rows.plus(AffineMap.selection(tape.variables, range(first, first + len(noisy))))
    place = {i: k for k, i in enumerate(moving)}
    over = rows.take([place[i] for i in capped])
    lower = rows.scaled([Fraction(1)] * len(moving), [-int(low[i]) * quantiser.steps[i] for i in moving])
    parts = [lower]
    if capped:
        parts.append(over.scaled([Fraction(1)] * len(capped), [-int(high[i]) * quantiser.steps[i] for i in capped]))
    made = tape.relu(AffineMap.stacked(parts))
    start = tape.variables - made.outputs
    where = {i: start + len(moving) + k for k, i in enumerate(capped)}
    entries = [(i, start + place[i], 1) for i in moving] + [(i, where[i], -1) for i in capped]
    entries.sort()
    signs = np.empty(len(entries), dtype=object)
    signs[:] = [v for _, _, v in entries]
    linear = AffineMap.from_entries(
        (y.outputs, tape.variables),
        np.array([i for i, _, _ in entries]),
        np.array([j for _, j, _ in entries]),
        signs,
        1,
        [0] * y.outputs,
    )
    return linear.scaled([Fraction(1)] * y.outputs, constants)


def _constant(values: Sequence[Fraction], variables: int) -> AffineMap:
    nothing = np.zeros(0, dtype=np.int64)
    empty = AffineMap.from_entries(
        (len(values), variables), nothing, nothing, nothing.astype(object), 1, [0] * len(values)
    )
    return empty.scaled([Fraction(1)] * len(values), values)


def _in_values(map_: AffineMap, steps: Sequence[Fraction]) -> AffineMap:
    """A map over whole numbers k as one over the numbers ``k * step``."""
    kinds = {step: k for k, step in enumerate(dict.fromkeys(steps))}  # there are few, and few weights
    kind = [kinds[step] for step in steps]
    listed = list(kinds)
    pairs = [(v, kind[j]) for j, v in zip(map_.indices.tolist(), map_.data.tolist(), strict=True)]
    quotients = {(v, k): Fraction(v, map_.denominator) / listed[k] for v, k in set(pairs)}
    bottom = math.lcm(1, *(q.denominator for q in quotients.values()))
    tops = {pair: q.numerator * (bottom // q.denominator) for pair, q in quotients.items()}
    data = np.empty(len(pairs), dtype=object)
    data[:] = [tops[pair] for pair in pairs]
    rows = map_.row_of
    shape = (map_.outputs, len(steps))
    return AffineMap.from_entries(shape, rows, map_.indices, data, bottom, map_.bias, map_.denominator)
