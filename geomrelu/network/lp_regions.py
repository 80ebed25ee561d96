"""All linear regions of a network by a tree of cuts (:mod:`geomrelu.geometry.lp_tree`), one layer below the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import lcm

from flint import fmpz_mat

from geomrelu.budget import Budget, Exhausted
from geomrelu.errors import InputError
from geomrelu.exact.cddlib import Row
from geomrelu.geometry.lp_tree import Batch, Point, Tree
from geomrelu.geometry.parameters import Parameters
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network

__all__ = ["TooMany", "cut_network"]

MOST = 1 << 25  # entries of forms: they take up to a gigabyte
WORK = 1 << 24  # multiplications of whole numbers, about, after which budgets are looked at


class TooMany(Exhausted):
    """Of memory there would be too little."""


def cut_network(
    network: Network, domain: Polyhedron, layers: int | None = None, budget: Budget | None = None
) -> Iterator[tuple[tuple[int, ...], Point]]:
    """The linear regions of a network on a polyhedron: sign vectors of all neurons, each with a point inside.

    Below a region's signs the pre-activation of the next neuron is an affine form: what the neurons with sign +1
    before it add up to. A form that is identically zero on a region has sign 0.

    Args:
        network: its layers 1..``layers`` are resolved (default: all).
        domain: a polyhedron in the input space; a flat one is cut within its affine hull, one that is given by
            generators in their weights.
        budget: one region each; no limit by default.

    Yields:
        ``(signs, witness)``: the signs of layers 1..``layers`` concatenated; a rational point of the relative interior.

    Raises:
        InputError: the dimensions differ.
        Exhausted: the budget has ended; what was yielded stands.

    Exact: yes. Method: as :func:`geomrelu.geometry.lp_tree.cut`, with the forms of a layer computed once for each
    region above it.

    >>> net = Network.from_layers([([[1], [1]], [0, -1], "relu"), ([[1, -2]], [0], "relu")])
    >>> [signs for signs, _ in cut_network(net, Polyhedron.box([(-1, 3)]))]
    [(1, 1, 1), (1, 1, -1), (1, -1, 1), (-1, -1, 0)]
    """
    if domain.dimension != network.inputs:
        raise InputError(f"a network that reads R^{network.inputs} on a polyhedron in R^{domain.dimension}")
    if domain.is_empty:
        return
    last, limit = network.depth if layers is None else layers, Budget.of(budget)
    limit.poll()
    _check_size(network, domain, last)
    hull = _sufficient(Parameters.of(domain, limit), network, last, limit)
    tree = Tree(hull.rows, hull.dimension, limit, hull.inside)

    def following(batch: Batch, signs: tuple[int, ...]) -> Batch | None:
        if batch.layer == last:
            return None
        blocks = batch.blocks
        if batch.layer:
            on = signs[batch.start :]
            blocks = [*blocks, [row if sign > 0 else None for row, sign in zip(batch.raw, on, strict=True)]]
        layer = batch.layer + 1
        raw, scale = _opened(network, layer, blocks, batch.scales, hull.dimension, limit)
        return Batch([tree.form(row) for row in raw], len(signs), layer, raw, blocks, [*batch.scales, scale])

    inputs: list[Row | None] = [*hull.coordinates]
    start = Batch([], 0, blocks=[inputs], scales=[hull.denominator])
    for signs, parameters in tree.walk(start, following):
        yield signs, hull.lifted(parameters)


def _check_size(network: Network, domain: Polyhedron, last: int) -> None:
    """Raises TooMany where the forms of all neurons, written out, would fill the memory."""
    free = network.inputs
    if domain.is_box:
        free -= sum(
            low == high is not None for low, high in zip(domain.checked.lower, domain.checked.upper, strict=True)
        )
    forms = 2 * free + sum(network.widths[:last])
    if forms * free > MOST:
        raise TooMany(f"{forms} forms in {free} variables are too many to be cut one below the other")


def _sufficient(hull: Parameters, network: Network, last: int, budget: Budget) -> Parameters:
    """The part where parameters are 0 that no layer up to the last and no row of the domain needs."""
    if hull.dimension <= len(hull.rows):
        return hull
    rows: list[Row] = []
    for layer in range(1, last + 1):
        for i in range(network.widths[layer - 1] if 0 in network.blocks[layer] else 0):
            budget.poll()
            _, columns, entries = network.layers[layer - 1].row(i)
            slope = dict(zip(columns, entries, strict=True))
            rows.append((0, *(slope.get(j, 0) for j in range(network.inputs))))
    return hull.restricted(list(hull.all_pulled(rows, budget)))


def _opened(
    network: Network,
    layer: int,
    blocks: Sequence[Sequence[Row | None]],
    scales: Sequence[int],
    dimension: int,
    budget: Budget,
) -> tuple[list[Row], int]:
    """The forms of a layer's neurons and their denominator, from the forms (None: zero) of the variables before it."""
    reads, map_ = network.blocks[layer], network.layers[layer - 1]
    shared = lcm(*(scales[b] for b in reads))
    place: dict[int, int] = {}
    table: list[list[int]] = []
    for b in reads:
        factor = shared // scales[b]
        for i, row in enumerate(blocks[b], network.starts[b]):
            if row is not None:
                place[i] = len(table)
                table.append([factor * v for v in row])
    if not table:
        return [(b * shared, *[0] * dimension) for b in map_.bias], shared * map_.denominator
    matrix, found, step = fmpz_mat(table), list[Row](), max(1, WORK // (len(table) * (dimension + 1)))
    for first in range(0, map_.outputs, step):  # their weights as rows in parts: all of them may be gigabytes
        weights, biases = [], []
        for i in range(first, min(first + step, map_.outputs)):
            budget.poll()
            bias, columns, entries = map_.row(i)
            dense = [0] * len(table)
            for j, w in zip(columns, entries, strict=True):
                if j in place:
                    dense[place[j]] = w
            weights.append(dense)
            biases.append(bias * shared)
        budget.poll()
        sums = (fmpz_mat(weights) * matrix).tolist()
        found += [(b + int(row[0]), *map(int, row[1:])) for b, row in zip(biases, sums, strict=True)]
    return found, shared * map_.denominator
