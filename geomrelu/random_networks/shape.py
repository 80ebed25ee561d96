"""Networks of any shape whose parameters are random: convolutions, connections around layers, shared weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise, product
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap
from geomrelu.exact.numbers import common, rational, rationals
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.network.network import Network
from geomrelu.random_networks.orbit import Profile, dead_neurons_orbit

__all__ = ["Shape", "dead_neurons_in"]

Array = np.ndarray[Any, np.dtype[Any]]
MOST_PARAMETERS = 16  # whose sign choices are decided one by one


def dead_neurons_in(
    build: Callable[[Sequence[Fraction]], Network], magnitudes: Sequence[Any], domain: Polyhedron | FiniteSet
) -> tuple[Counter[Profile], int]:
    """:func:`dead_neurons_orbit` for networks of any shape: convolutions, connections around layers.

    Args:
        build: makes the network from its parameters with their signs. magnitudes: of the parameters.
        domain: a set with as many inputs as the network.

    Returns:
        ``(profiles, size)``, size = 2^(number of parameters).

    Raises:
        InputError: more than 16 parameters.

    Exact: yes. Method: one :func:`~geomrelu.deadness.decide` for each sign choice: for small networks.

    >>> def tied(p):  # two layers with the same weight
    ...     return Network.from_layers([([[p[0]]], [p[1]], "relu"), ([[p[0]]], [p[2]], "relu")])
    >>> dead_neurons_in(tied, [1, 2, 3], Polyhedron.space(1))[0][0, 0]
    6
    """
    from geomrelu.deadness.decide import decide  # here: most shapes do not need it
    from geomrelu.deadness.verdict import Status

    values = rationals(magnitudes, "magnitudes")
    if len(values) > MOST_PARAMETERS:
        raise InputError(f"{len(values)} parameters have 2^{len(values)} sign choices; the limit is {MOST_PARAMETERS}")
    found: Counter[Profile] = Counter()
    for signs in product((-1, 1), repeat=len(values)):
        reports = decide(build([s * v for s, v in zip(signs, values, strict=True)]), domain)
        profile = []
        for report in reports:
            if any(v.status is Status.UNDECIDED for v in report.verdicts):
                raise InputError(f"layer {report.layer} is too large to be decided for each sign choice")
            profile.append(sum(v.status is Status.DEAD for v in report.verdicts))
        found[tuple(profile)] += 1
    return found, int(2 ** len(values))


@dataclass(frozen=True, eq=False)
class Shape:
    """A network whose parameters may be replaced: dense, convolutional, with connections around layers.

    A parameter is a nonzero weight or bias of a ReLU layer. An entry 1 that reads something before the previous layer
    is no parameter but a connection around a layer, and stays.

    Attributes:
        tied: equal weights of a layer are one parameter, and so are equal biases (as in convolutions).

    >>> net = Network.from_layers([([[2, 3, 0], [0, 2, 3]], [5, 5], "relu")])  # a kernel (2, 3) on three pixels
    >>> [str(v) for v in Shape(net, tied=True).magnitudes]
    ['2', '3', '5']
    """

    network: Network
    tied: bool = False

    @cached_property
    def _places(self) -> tuple[list[Fraction], list[int], list[tuple[list[int | Fraction], list[int | Fraction]]]]:
        """The parameters' values and layers; for each layer what stands at its weights and biases: a number of a
        parameter (int) or a value that stays (Fraction)."""
        values: list[Fraction] = []
        layers: list[int] = []
        where = []
        for level, layer in enumerate(self.network.layers):
            known: dict[tuple[bool, int], int] = {}
            parts: list[list[int | Fraction]] = []
            around = layer.indices < self.network.starts[level]
            for is_bias, entries in enumerate((layer.data.tolist(), list(layer.bias))):
                part: list[int | Fraction] = []
                for k, v in enumerate(entries):
                    if not v or (not is_bias and around[k] and v == layer.denominator):
                        part.append(Fraction(v, layer.denominator))
                        continue
                    place = (bool(is_bias), v)
                    if not self.tied or place not in known:
                        known[place] = len(values)
                        values.append(Fraction(v, layer.denominator))
                        layers.append(level)
                    part.append(known[place])
                parts.append(part)
            where.append((parts[0], parts[1]))
        return values, layers, where

    @property
    def magnitudes(self) -> list[Fraction]:
        """The absolute values of the parameters, layer by layer: weights first, then biases."""
        return [abs(v) for v in self._places[0]]

    @cached_property
    def is_bias(self) -> list[bool]:
        """Which parameters are biases."""
        found = [False] * len(self._places[0])
        for _, biases in self._places[2]:
            for v in biases:
                if isinstance(v, int):
                    found[v] = True
        return found

    @cached_property
    def is_chained(self) -> bool:
        """Does each layer read the one before it and nothing else?"""
        return all(set(blocks) <= {level} for level, blocks in enumerate(self.network.blocks[1:]))

    @cached_property
    def is_dense(self) -> bool:
        """Are these dense layers with biases, each weight a parameter of its own?"""
        widths = (self.network.inputs, *self.network.widths)
        return self.is_chained and len(self._places[0]) == sum(m * (n + 1) for n, m in pairwise(widths))

    def bounds(self) -> dict[str, Fraction]:
        """What is proved of the probability that such a network is alive, for laws without atoms that sign flips leave
        alone: "lower" and "upper".

        Upper: a layer that reads nonnegative values, and in which nothing stays, is dead if all its parameters are
        negative. Lower: at one point with the layers before given, neurons that share parameters form groups, and
        flipping all signs of a group turns its sums round; what stays is nonnegative there; so each group with a bias
        is dead with probability 1/2 at most, independently. Source: claims ``lower-bound``, ``upper-bound``,
        ``conv-bounds-corrected``.
        """
        found = {"lower": Fraction(1), "upper": Fraction(1)}
        _, levels, where = self._places
        for level, (layer, (weights, biases)) in enumerate(zip(self.network.layers, where, strict=True)):
            stays = [isinstance(v, Fraction) and v != 0 for v in weights]
            reads_inputs = bool((layer.indices < self.network.inputs).any())
            if not any(stays) and not reads_inputs:
                found["upper"] *= 1 - Fraction(1, 2 ** levels.count(level))
            groups = _groups(layer, weights, biases)
            if groups is None or any(s and j < self.network.inputs for s, j in zip(stays, layer.indices, strict=True)):
                found.pop("lower", None)
            elif "lower" in found:
                found["lower"] *= 1 - Fraction(1, 2**groups)
        return found

    @property
    def fans(self) -> list[tuple[int, int]]:
        """For each parameter the most weights that meet in a neuron of its layer, and that leave one of its inputs."""
        each = []
        for layer in self.network.layers:
            rows, columns = np.diff(layer.indptr), np.bincount(layer.indices, minlength=1)
            each.append((max(1, int(rows.max())), max(1, int(columns.max()))))
        return [each[level] for level in self._places[1]]

    def with_parameters(self, values: Sequence[Fraction]) -> Network:
        """The network with other parameters."""
        layers = []
        for layer, (weights, biases) in zip(self.network.layers, self._places[2], strict=True):
            numerators, denominator = common([values[v] if isinstance(v, int) else v for v in (*weights, *biases)])
            data = np.empty(len(weights), dtype=object)
            data[:] = numerators[: len(weights)]
            bias = tuple(numerators[len(weights) :])
            layers.append(AffineMap(layer.inputs, layer.indptr, layer.indices, data, bias, denominator))
        return Network(self.network.inputs, tuple(layers))

    @cached_property
    def is_free(self) -> bool:
        """Does each layer read the one before only, with nothing tied and nothing that stays?"""
        entries = sum(len(layer.data) + sum(map(bool, layer.bias)) for layer in self.network.layers)
        return self.is_chained and len(self._places[0]) == entries

    def rows(self, values: Sequence[Any]) -> list[tuple[Any, Any]]:
        """Weights and biases of each layer, of a network that is chained."""
        whole = self.with_parameters([rational(v) for v in values])
        rows = []
        for level, layer in enumerate(whole.layers):
            forms = [layer.form(i) for i in range(layer.outputs)]
            rows.append(([f.slope[whole.starts[level] :] for f in forms], [f.constant for f in forms]))
        return rows

    def arrays(self, values: Array) -> list[tuple[Array, Array]]:
        """Many networks at once: for each layer weights (networks, out, variables before) and biases (networks, out).

        Args:
            values: of the parameters, with signs, shape (networks, parameters).

        What stays is rounded to a float. Of chained networks only the columns of the layer before are there.
        """
        found = []
        for level, (layer, parts) in enumerate(zip(self.network.layers, self._places[2], strict=True)):
            first = self.network.starts[level] if self.is_chained else 0
            weights = np.zeros((len(values), layer.outputs, self.network.starts[level + 1] - first))
            bias = np.zeros((len(values), layer.outputs))
            row = layer.row_of.tolist()
            for i, j, v in zip(row, (layer.indices - first).tolist(), parts[0], strict=True):
                weights[:, i, j] = values[:, v] if isinstance(v, int) else float(v)
            for i, v in enumerate(parts[1]):
                bias[:, i] = values[:, v] if isinstance(v, int) else float(v)
            found.append((weights, bias))
        return found

    @cached_property
    def rounds(self) -> bool:
        """Is something that stays no float?"""
        stays = (v for parts in self._places[2] for part in parts for v in part if isinstance(v, Fraction))
        return any(Fraction(float(v)) != v for v in stays)

    def dead_neurons(
        self, magnitudes: Sequence[Any], domain: Polyhedron | FiniteSet, through: bool = False
    ) -> tuple[Counter[Profile], int]:
        """How many neurons of each layer are dead, over all signs of the parameters.

        Args:
            through: see :func:`dead_neurons_orbit`; for such layers only.

        Returns:
            ``(profiles, size)`` as :func:`dead_neurons_orbit`, size = 2^(number of parameters).

        Exact: yes. Method: :func:`dead_neurons_orbit` for layers that only read the one before and share nothing, else
        :func:`dead_neurons_in`.
        """
        if not self.is_free:
            return dead_neurons_in(self.with_parameters, magnitudes, domain)
        profiles, size = dead_neurons_orbit(self.rows(magnitudes), domain, through=through)
        absent = size // 2 ** len(magnitudes)  # the signs of zeros were walked too
        return Counter({dead: n // absent for dead, n in profiles.items()}), size // absent


def _groups(layer: AffineMap, weights: Sequence[int | Fraction], biases: Sequence[int | Fraction]) -> int | None:
    """How many groups of neurons share no parameters with each other; None if one has no bias."""
    row = layer.row_of.tolist()
    owner = list(range(layer.outputs))

    def root(i: int) -> int:
        while owner[i] != i:
            i = owner[i]
        return i

    first: dict[int, int] = {}
    for i, v in [*zip(row, weights, strict=True), *enumerate(biases)]:
        if isinstance(v, int):
            owner[root(i)] = root(first.setdefault(v, i))
    groups = {root(i) for i in range(layer.outputs)}
    with_bias = {root(i) for i, v in enumerate(biases) if isinstance(v, int)}
    return len(groups) if groups == with_bias else None
