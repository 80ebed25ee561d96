"""From one layer to many: the polyhedral complex of the linear pieces of a network on a polyhedron.

The domain falls into *regions*, the maximal full-dimensional (in the affine hull of the domain) sets on which every
neuron keeps one sign +, − or 0 (0: its pre-activation vanishes identically there). Their closures, the *cells*, and
all their faces form a polyhedral complex; on each cell the network is affine. Two cells that share a facet (a *wall*)
are adjacent. :func:`difference` decides with the same subdivision whether two networks are one function.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import gcd
from operator import mul
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from geomrelu.arguments import integer, truth
from geomrelu.budget import Budget
from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap
from geomrelu.exact.cddlib import Row
from geomrelu.geometry.domains import as_domain
from geomrelu.geometry.polyhedron import Point, Polyhedron
from geomrelu.network.compiled import Compiled
from geomrelu.network.front_door import as_network
from geomrelu.network.network import Network
from geomrelu.network.ragged import bits, facets
from geomrelu.network.subdivision import Block, subdivide
from geomrelu.shown import picture_of

if TYPE_CHECKING:
    import networkx

__all__ = ["Cell", "Cells", "Complex", "difference"]

Matrix = tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True, eq=False)
class Cell:
    """A closed cell of the complex: a region with its boundary.

    Attributes:
        sign: +1, -1 or 0 for each neuron of the resolved layers, one layer after the other.
        generators: homogeneous integers ``(s, y)``: the vertex y/s for s > 0, else the ray y; irredundant.
        lineality: a basis of the lineality space, ``(0, y)``.
    """

    compiled: Compiled
    sign: tuple[int, ...]
    generators: tuple[Row, ...]
    lineality: tuple[Row, ...]

    def __repr__(self) -> str:
        counts = f"{len(self.vertices)} vertices, {len(self.rays)} rays, {len(self.lines)} lines"
        return f"<the cell {''.join('-0+'[s + 1] for s in self.sign)}: {counts}>"

    @property
    def vertices(self) -> tuple[Point, ...]:
        """Its vertices (points of the minimal faces, if there are lines)."""
        return tuple(tuple(Fraction(v, g[0]) for v in g[1:]) for g in self.generators if g[0])

    @property
    def rays(self) -> tuple[Row, ...]:
        """Its extreme rays, primitive integers."""
        return tuple(g[1:] for g in self.generators if not g[0])

    @property
    def lines(self) -> tuple[Row, ...]:
        """A basis of its lineality space, primitive integers."""
        return tuple(g[1:] for g in self.lineality)

    @property
    def polyhedron(self) -> Polyhedron:
        """The cell as a polyhedron, by its generators."""
        return Polyhedron.from_generators(self.vertices, self.rays, self.lines)

    def interior_point(self) -> Point:
        """A rational point of the region."""
        return self.polyhedron.interior_point()

    def affine(self, layer: int | None = None) -> tuple[Matrix, tuple[Fraction, ...]]:
        """The network on the cell, ``x -> A x + b``: the outputs ``relu(z)`` of a layer, or the output map.

        Args:
            layer: 0 (the inputs) to the last resolved layer; None: the network's output, once all layers are resolved.

        Returns:
            ``(A, b)`` with shapes (outputs, inputs) and (outputs,).

        Exact: yes. Cost: one multiple of a row for each weight of an active neuron, layer by layer.
        """
        compiled, n = self.compiled, self.compiled.inputs
        resolved = len(compiled.widths)
        if layer is None and resolved < compiled.network.depth:
            raise InputError(f"the output of the network is affine only once all layers are resolved, not {resolved}")
        upto = resolved if layer is None else integer(layer, "layer")
        if not 0 <= upto <= resolved:
            raise InputError(f"layer {layer}: layers 0 to {resolved} are resolved")
        columns: list[Row | None] = [tuple(int(j == i) for j in range(n + 1)) for i in range(n + 1)]
        signs = iter(self.sign)
        for map_ in compiled.layers[:upto]:
            columns += [_on(columns, map_.low, form, n) if next(signs) > 0 else None for form in map_.forms]
        if layer is None:
            map_, scale = compiled.output
            rows = [_on(columns, map_.low, form, n) for form in map_.forms]
        else:
            first = 1 if upto == 0 else 1 + n + compiled.first[upto - 1]
            scale = compiled.scales[upto]
            rows = [row or (0,) * (n + 1) for row in columns[first:]]
        return (
            tuple(tuple(Fraction(v, scale) for v in row[1:]) for row in rows),
            tuple(Fraction(row[0], scale) for row in rows),
        )


def _read_only(signs: np.ndarray) -> np.ndarray:
    """The same, for those who are not to change it."""
    found = signs.view()
    found.setflags(write=False)
    return found


def _on(columns: Sequence[Row | None], low: int, form: tuple[int, list[int]], n: int) -> Row:
    bias, weights = form
    total = [bias, *[0] * n]
    for row, w in zip(columns[low:], weights, strict=False):
        if w and row is not None:
            total = [t + w * v for t, v in zip(total, row, strict=True)]
    return tuple(total)


class Cells(Sequence[Cell]):
    """Some cells, made into :class:`Cell` objects only when asked for.

    Attributes:
        signs: int8 (cells, neurons).
    """

    def __init__(self, block: Block) -> None:
        self._block = block
        self.signs = _read_only(block.signs)

    def __repr__(self) -> str:
        return f"<{len(self)} cells>"

    def __len__(self) -> int:
        return self._block.cells

    @overload
    def __getitem__(self, index: int) -> Cell: ...
    @overload
    def __getitem__(self, index: slice) -> list[Cell]: ...
    def __getitem__(self, index: int | slice) -> Cell | list[Cell]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        block, index = self._block, range(len(self))[index]
        members = block.members[block.starts[index] : block.starts[index + 1]].tolist()
        rows = block.rows
        generators = tuple(rows[g] for g in members)
        return Cell(block.compiled, tuple(block.signs[index].tolist()), generators, tuple(block.lines))


class Complex:
    """The polyhedral complex of a network's linear pieces on a polyhedron.

    Nothing is computed before it is asked for; :meth:`regions` alone never holds more than some blocks of cells.

    Args:
        network: R^n -> R^m, as :func:`geomrelu.as_network` takes it.
        domain: a polyhedron in R^n, of any dimension, bounded or not, as :func:`geomrelu.as_domain` takes it; default
            R^n.
        layers: how many ReLU layers are resolved; default all.
        budget: counts regions as they are cut out; default no limit.

    Raises:
        InputError: the domain lies in another space or is no polyhedron, or there are not so many layers.
        Exhausted: from whatever is asked for first, if the budget ends.

    Exact: everything; degenerate position (equal, parallel, concurrent, vanishing neurons) needs no special care.

    Method: double description for all cells at once, see :mod:`geomrelu.network.subdivision`; linear in the number of
    regions.

    Source: Grigsby & Lindsey, On transversality of bent hyperplane arrangements (2022), for the complex.

    >>> net = Network.from_layers([([[1, 0], [0, 1]], [0, 0], "relu"), ([[1, 1]], [-1], "relu")])
    >>> c = Complex(net, Polyhedron.box([(-2, 2)] * 2)); c.n_regions, c.f_vector
    (7, (13, 19, 7))
    >>> Complex(net).n_regions
    7
    """

    network: Network
    domain: Polyhedron
    layers: int
    budget: Budget

    def __init__(
        self,
        network: Any,
        domain: Any = None,
        layers: int | None = None,
        budget: Budget | None = None,
    ) -> None:
        network = as_network(network)
        layers = network.depth if layers is None else integer(layers, "layers")
        if not 0 <= layers <= network.depth:
            raise InputError(f"the network has {network.depth} ReLU layers, not {layers}")
        domain, budget = _polyhedron(domain, network.inputs), Budget.of(budget)
        self.__dict__.update(network=network, domain=domain, layers=layers, budget=budget)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a complex is a value: its {name} cannot be set")

    def __repr__(self) -> str:
        return f"<the linear pieces of {self.layers} ReLU layers on R^{self.network.inputs}>"

    def plot(self, **how: Any) -> Any:
        """The picture of the pieces of a network with two inputs; ``how``: see :func:`geomrelu.plots.picture.plot`."""
        return picture_of(self, **how)

    @cached_property
    def compiled(self) -> Compiled:
        """The network and the domain, ready for the subdivision."""
        return Compiled(self.network, self.domain, self.layers)

    # ---- regions ----------------------------------------------------------------------------------------------------

    def regions(self) -> Iterator[Cells]:
        """All cells, some tens of thousands at a time; memory does not grow with their number."""
        for block in subdivide(self.compiled, self.budget):
            yield Cells(block)

    @cached_property
    def n_regions(self) -> int:
        """The number of regions."""
        return sum(len(cells) for cells in self.regions())

    @cached_property
    def signs(self) -> np.ndarray:
        """The sign vectors of all regions: int8 (regions, neurons), the layers one after another."""
        found = [cells.signs for cells in self.regions()]
        result = np.empty((sum(map(len, found)), self.compiled.neurons), dtype=np.int8)
        last = len(result)
        while found:  # what is copied is given back at once, the newest first
            part = found.pop()
            result[last - len(part) : last] = part
            last -= len(part)
        self.__dict__.setdefault("n_regions", len(result))
        return _read_only(result)

    @cached_property
    def _block(self) -> Block | None:
        """All cells in one block, every generator once."""
        block = _merged(list(subdivide(self.compiled, self.budget)))
        if block is not None:
            self.__dict__.setdefault("signs", _read_only(block.signs))
            self.__dict__.setdefault("n_regions", block.cells)
        return block

    @cached_property
    def cells(self) -> Sequence[Cell]:
        """All cells, in the order of :attr:`signs`."""
        return () if self._block is None else Cells(self._block)

    # ---- deadness ---------------------------------------------------------------------------------------------------

    def dead(self, layer: int) -> tuple[int, ...]:
        """The neurons of a layer that are never positive on the domain."""
        self._resolved(layer)
        first, last = self.compiled.first[layer - 1 : layer + 1]
        return tuple(np.flatnonzero(~(self._positive[first:last])).tolist())

    @cached_property
    def _positive(self) -> np.ndarray:
        if "signs" in self.__dict__:
            return np.asarray((self.signs > 0).any(axis=0))
        found = np.zeros(self.compiled.neurons, dtype=bool)
        for cells in self.regions():
            found |= (cells.signs > 0).any(axis=0)
        return found

    @property
    def killed(self) -> int | None:
        """The first layer all of whose neurons are dead, or None."""
        widths = self.compiled.widths
        return next((l for l in range(1, self.layers + 1) if len(self.dead(l)) == widths[l - 1]), None)

    @property
    def alive(self) -> bool:
        """Has every resolved layer a neuron that is positive somewhere?"""
        return self.killed is None

    def _resolved(self, layer: int) -> None:
        if not 1 <= integer(layer, "layer") <= self.layers:
            raise InputError(f"layer {layer}: layers 1 to {self.layers} are resolved")

    # ---- its combinatorics ----------------------------------------------------------------------------------------

    def graph(self) -> networkx.Graph:
        """The adjacency graph: nodes are the sign vectors of regions (tuples), edges are walls.

        Each edge has ``neurons``, all ``(layer, neuron)`` whose signs differ on both sides, and ``layer``, ``neuron``,
        the first of them (that one changes between - and +).

        Exact: yes. Method: facets by comparison of incidences; the two cells of a wall agree in the sign vector of
        the wall, and no other wall inside the domain has that sign vector.
        """
        import networkx

        graph, block = networkx.Graph(), self._block
        if block is None:
            return graph
        names = [tuple(row) for row in block.signs.tolist()]
        graph.add_nodes_from(names)
        neurons = [(l, i) for l, width in enumerate(self.compiled.widths, 1) for i in range(width)]
        seen: dict[bytes, int] = {}
        first = self.compiled.bit(0)
        for cell, mask, _, _ in facets(block.zeros, block.starts, block.members):
            self.budget.poll()
            tight = bits(mask)
            inside = ~tight[:, :first].any(axis=1)
            walls = block.signs[cell[inside]]
            walls[tight[inside, first : first + len(neurons)]] = 0
            for wall, c in zip(walls, cell[inside].tolist(), strict=True):
                other = seen.setdefault(wall.tobytes(), c)
                if other != c:
                    flips = np.flatnonzero(block.signs[c] != block.signs[other]).tolist()
                    crossed = tuple(neurons[k] for k in flips)
                    layer, neuron = crossed[0]
                    graph.add_edge(names[other], names[c], layer=layer, neuron=neuron, neurons=crossed)
        return graph

    @cached_property
    def f_vector(self) -> tuple[int, ...]:
        """The number of faces of dimension 0, 1, ..., of the subdivided closed domain, its boundary included.

        For a bounded domain the alternating sum is 1. Method: facets of facets, each face once.
        """
        block = self._block
        if block is None:
            return ()
        numbers = [0] * (block.dimension + 1)
        starts, members = block.starts, block.members
        for dimension in range(block.dimension, -1, -1):
            numbers[dimension] = len(starts) - 1
            faces: dict[bytes, np.ndarray] = {}
            for _, _, ends, found in facets(block.zeros, starts, members):
                self.budget.poll()
                for face in np.split(found, ends[1:-1]):
                    faces[face.tobytes()] = face
            if not faces:
                break
            members = np.concatenate(list(faces.values()))
            starts = np.concatenate([[0], np.cumsum([len(face) for face in faces.values()])])
        return tuple(numbers)

    # ---- images -----------------------------------------------------------------------------------------------------

    def image(self, layer: int, maximal: bool = False) -> list[Polyhedron]:
        """The image of the domain under the first layers, piece by piece: the sets S_k of which it is the union.

        Args:
            layer: k >= 1, or 0 for the domain itself.
            maximal: leave out what another piece contains.

        Returns:
            Polyhedra in R^(width of layer k), by their extreme generators, none twice.

        Exact: yes. Method: images of the generators of each cell; comparison by extreme generators (the images are
        pointed: they lie in the nonnegative orthant), containment by facets.
        """
        if integer(layer, "layer") == 0:
            return [self.domain]
        self._resolved(layer)
        part = self if layer == self.layers else Complex(self.network, self.domain, layer, self.budget)
        compiled = part.compiled
        first = 1 + compiled.inputs + compiled.first[layer - 1]
        raw: set[frozenset[Row]] = set()
        for block in subdivide(compiled, part.budget):
            images = []
            for row in block.rows:
                part.budget.poll()
                variables = list(row)
                compiled.exact(variables, layer)
                values = variables[first:]
                images.append(_primitive([variables[0] * compiled.scales[layer], *values]))
            for a, b in zip(block.starts[:-1].tolist(), block.starts[1:].tolist(), strict=True):
                raw.add(frozenset(image for g in block.members[a:b].tolist() if any(image := images[g])))
        found: dict[frozenset[Row], Polyhedron] = {}
        for generators in sorted(raw, key=sorted):
            part.budget.poll()
            points = [tuple(Fraction(v, g[0]) for v in g[1:]) for g in sorted(generators) if g[0]]
            polyhedron = Polyhedron.from_generators(points, [g[1:] for g in sorted(generators) if not g[0]])
            extreme, _ = polyhedron.extreme_generators
            if frozenset(extreme) not in found:
                points = [tuple(Fraction(v, g[0]) for v in g[1:]) for g in extreme if g[0]]
                polyhedron = Polyhedron.from_generators(points, [g[1:] for g in extreme if not g[0]])
                found[frozenset(extreme)] = polyhedron
        if not truth(maximal, "maximal"):
            return list(found.values())
        kept = []
        for g, p in found.items():
            part.budget.poll()
            if not any(q is not p and _contains(q, g) for q in found.values()):
                kept.append(p)
        return kept


def _primitive(row: list[int]) -> Row:
    divisor = gcd(*row) or 1
    return tuple(v // divisor for v in row)


def _contains(polyhedron: Polyhedron, generators: Iterable[Row]) -> bool:
    return all(sum(map(mul, row, g)) >= 0 for g in generators for row in polyhedron.inequalities) and not any(
        sum(map(mul, row, g)) for g in generators for row in polyhedron.equalities
    )


def _merged(blocks: list[Block]) -> Block | None:
    """One block of all cells."""
    if len(blocks) < 2:
        return blocks[0] if blocks else None
    place: dict[Row, int] = {}
    zeros, members = [], []
    for block in blocks:
        known = len(place)
        names = np.array([place.setdefault(row, len(place)) for row in block.rows])
        _, fresh = np.unique(names, return_index=True)
        zeros.append(block.zeros[fresh[names[fresh] >= known]])
        members.append(names[block.members])
    merged = blocks[0].part(0, 1)
    merged.known = list(place)
    merged.near = merged.compiled.rounded(list(place))
    merged.zeros = np.concatenate(zeros)
    merged.members = np.concatenate(members)
    counts = np.concatenate([np.diff(block.starts) for block in blocks])
    merged.starts = np.concatenate([[0], np.cumsum(counts)])
    merged.signs = np.concatenate([block.signs for block in blocks])
    return merged


# ---- two networks ---------------------------------------------------------------------------------------------------


def difference(f: Any, g: Any, domain: Any = None, budget: Budget | None = None) -> Point | None:
    """Decide whether two networks are the same function on a polyhedron: a rational point where they differ, or None.

    Args:
        f, g: networks R^n -> R^m, as for :class:`Complex`, their output maps included (without one, the outputs of the
            last layer).
        domain: a polyhedron in R^n, as for :class:`Complex`; default R^n. On the empty set nothing differs.
        budget: counts regions; default no limit.

    Raises:
        InputError: the networks do not go from the same space to the same space.
        Exhausted: the budget has ended before a difference was found.

    Exact: yes. Method: f - g is affine on each cell of the complex of the pair, so it vanishes there if and only if it
    vanishes at the vertices and its linear part at the rays and lines.

    Source: the complex of the pair, as in :class:`Complex`; nothing is sampled.

    >>> one = Network.from_layers([([[1], [-1]], [0, 0], "relu"), ([[1, 1]], [0], "none")])
    >>> two = Network.from_layers([([[2], [-2]], [0, 0], "relu"), ([["1/2", "1/2"]], [0], "none")])
    >>> difference(one, two) is None
    True
    """
    pair = _pair(as_network(f), as_network(g))
    complex_ = Complex(pair, domain, None, budget)
    if complex_.domain.is_empty:
        return None
    inside = complex_.domain.interior_point()
    if any(pair(inside)):
        return inside
    compiled = complex_.compiled
    for block in subdivide(compiled, complex_.budget):
        differs = []
        for row in block.rows:
            complex_.budget.poll()
            differs.append(_differs(compiled, row))
        for row, bad in zip(block.rows, differs, strict=True):
            if bad and row[0]:
                return tuple(Fraction(v, row[0]) for v in row[1:])
        # zero at all vertices: on a cell with a bad ray the difference grows linearly along it
        for a, b in zip(block.starts[:-1].tolist(), block.starts[1:].tolist(), strict=True):
            members = block.members[a:b].tolist()
            rows = [block.rows[g] for g in members]
            bad_rays = [row for g, row in zip(members, rows, strict=True) if differs[g]]
            bad_rays += [line for line in block.lines if _differs(compiled, line)]
            if bad_rays:
                vertex = next(row for row in rows if row[0])
                return tuple(Fraction(v, vertex[0]) + d for v, d in zip(vertex[1:], bad_rays[0][1:], strict=True))
    return None


def _polyhedron(domain: Any, inputs: int) -> Polyhedron:
    """The domain of a complex, which may be empty; None: everything."""
    if domain is None:
        return Polyhedron.space(inputs)
    found = domain if isinstance(domain, Polyhedron) else as_domain(domain, inputs)
    if not isinstance(found, Polyhedron):
        raise InputError("the complex of a network needs a polyhedron as its domain")
    if found.dimension != inputs:
        raise InputError(f"the network reads R^{inputs}, the domain lies in R^{found.dimension}")
    return found


def _differs(compiled: Compiled, row: Row) -> bool:
    variables = list(row)
    compiled.exact(variables, len(compiled.widths))
    map_, _ = compiled.output
    read = variables[map_.low : map_.high]
    return any(sum(map(mul, weights, read), bias * row[0]) for bias, weights in map_.forms)


def _pair(f: Network, g: Network) -> Network:
    """The network x -> f(x) - g(x): both side by side."""
    outputs = [n.output or AffineMap.selection(n.starts[-1], range(n.starts[-2], n.starts[-1])) for n in (f, g)]
    if f.inputs != g.inputs or outputs[0].outputs != outputs[1].outputs:
        shapes = [f"R^{n.inputs} -> R^{o.outputs}" for n, o in zip((f, g), outputs, strict=True)]
        raise InputError(f"networks {shapes[0]} and {shapes[1]} cannot be compared")
    columns: list[list[int]] = [list(range(f.inputs)), list(range(f.inputs))]
    layers, used = [], f.inputs
    for l in range(1, max(f.depth, g.depth) + 1):
        parts = [_over(n.layers[l - 1], c, used) for n, c in zip((f, g), columns, strict=True) if l <= n.depth]
        for n, c in zip((f, g), columns, strict=True):
            if l <= n.depth:
                c += range(used, used + n.widths[l - 1])
                used += n.widths[l - 1]
        layers.append(AffineMap.stacked(parts))
    output = _over(outputs[0], columns[0], used).plus(_over(outputs[1], columns[1], used), -1)
    return Network(f.inputs, tuple(layers), output)


def _over(map_: AffineMap, columns: Sequence[int], inputs: int) -> AffineMap:
    """The map with its variables renamed, in increasing order."""
    indices = np.array(columns, dtype=np.int64)[map_.indices]
    return AffineMap(inputs, map_.indptr, indices, map_.data, map_.bias, map_.denominator)
