"""The census of an arrangement or of a network: how many regions there are, and what else was asked, as plain values.

Within a budget: what it did not allow is missing, ``regions`` is a lower bound, and ``complete`` and ``reason`` say so.
``unwritten``, where it stands, says why a file is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from geomrelu.budget import Budget, Exhausted
from geomrelu.errors import InputError
from geomrelu.exact.affine import affordable
from geomrelu.geometry import region_formulas
from geomrelu.geometry.arrangement import Arrangement, generic_count
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.geometry.regions import is_swept
from geomrelu.network import shards
from geomrelu.network.complex import Complex
from geomrelu.network.line_walk import Found, arrangement_on_lines, network_on_lines
from geomrelu.network.lp_regions import TooMany, cut_network
from geomrelu.network.network import Network
from geomrelu.parallel import Workers, apart
from geomrelu.replacing import replacing

if TYPE_CHECKING:
    import networkx

MOST_INPUTS = 8  # of a network whose cells are cut out by double description; beyond, linear programs
MOST_GENERATORS = 4096  # of its domain
MOST_FACETS = 256  # of a domain that is given by generators, and need not be known for linear programs
HEAVY = 1 << 19  # bits of all forms, beyond which an exact linear program takes seconds, and looks at no clock
KEPT = 5.0, 0.1  # seconds, and share of the time, for regions on random lines, if a tree of cuts does not end
MANY = 10_000  # regions found, beyond which lines would add few
COSTLY = 1 << 28  # bits of all numbers on the way to the bound on regions, which takes a second then
FLAT = 3  # inputs, up to which there are few facets for so many generators

__all__ = ["Wanted", "by_shards", "of_arrangement", "of_network"]

Points = Callable[[int], Sequence[Any]]
Each = Callable[[np.ndarray, Points], None]  # sign vectors (k, m), and a point in the i-th of these regions


class Wanted(NamedTuple):
    """What to find beyond the number of regions.

    Attributes:
        faces: the f-vector. polynomial: the characteristic polynomial. graph: where to write the adjacency graph.
    """

    faces: bool = False
    polynomial: bool = False
    graph: str | None = None


def of_arrangement(arrangement: Arrangement, wanted: Wanted, budget: Budget, each: Each) -> dict[str, Any]:
    """The census of an arrangement; ``each`` is called with every batch of regions as it is found.

    Keys: forms, hyperplanes (distinct), dimension, rank, zaslavsky (the number of regions in general position),
    regions, bounded, generic, and what is wanted: f_vector, characteristic_polynomial, graph. Without a domain
    ``bounded`` means relatively bounded, with one bounded; ``generic`` is null with one.

    >>> cross = Arrangement([[1, 0], [0, 1]])
    >>> of_arrangement(cross, Wanted(faces=True), Budget(), lambda signs, points: None)["f_vector"]
    [1, 4, 4]
    """
    a, whole = arrangement, arrangement.domain is None
    heavy = sum(v.bit_length() for row in a.rows for v in row) > HEAVY
    found: dict[str, Any] = {
        "forms": len(a.rows),
        "hyperplanes": len(a.hyperplanes),
        "dimension": a.dimension,
        "rank": a.rank,
        "zaslavsky": generic_count(a.dimension, len(a.hyperplanes)),
    }

    def point(signs: Sequence[int]) -> Sequence[Any]:
        return apart(budget, a.witness, signs) if heavy and budget.left is not None else a.witness(signs)

    def regions(within: Budget) -> Iterator[tuple[np.ndarray, Points]]:
        for signs in a.regions(within):
            yield signs, lambda i, signs=signs: point(signs[i].tolist())  # type: ignore[misc]

    def batches() -> Iterator[tuple[np.ndarray, Points]]:
        if is_swept(len(a.hyperplanes), a.rank):
            return regions(budget)
        domain = Polyhedron.space(a.dimension) if a.domain is None else a.domain
        return _and_on_lines(regions, lambda: arrangement_on_lines(a.rows, domain, budget), budget)

    def rest() -> Iterator[dict[str, Any]]:
        if a.domain is not None and (wanted.faces or not a.domain.is_bounded):
            a.domain.convert(budget)
        yield {"bounded": a.count_bounded(budget.clock())}
        yield {"generic": found["regions"] == found["zaslavsky"] if whole else None}
        if wanted.faces:
            yield {"f_vector": list(a.count_faces(budget.clock()))}
        if wanted.polynomial:
            chi = a.characteristic_polynomial(budget.clock())
            counts = (-1) ** a.dimension * int(chi.eval(-1)), (-1) ** a.rank * int(chi.eval(1))
            agrees = counts == (found["regions"], found["bounded"]) if whole else None
            coefficients = [int(c) for c in chi.all_coeffs()]
            polynomial = {"coefficients": coefficients, "regions": counts[0], "bounded": counts[1], "agrees": agrees}
            yield {"characteristic_polynomial": polynomial}
        if wanted.graph:
            yield _graph(a.graph(budget.clock()), wanted.graph, budget)

    return _taken(found, batches(), rest(), each, budget)


def of_network(
    network: Network, domain: Polyhedron, layers: int | None, wanted: Wanted, budget: Budget, each: Each
) -> dict[str, Any]:
    """The census of the linear regions of a network on a polyhedron.

    Keys: dimension, widths, at_most (the bound of Serra, Tjandraatmadja and Ramalingam on all of R^n; null if layers
    are skipped, or if it would take long), regions, dead (per layer the neurons that are positive on no region), and
    what is wanted: f_vector, graph.

    Raises:
        InputError: the f-vector or the graph is wanted, and the domain has too many vertices.
    """
    complex_ = Complex(network, domain, layers, budget)
    found = _heads(network, complex_.layers)
    positive = np.zeros(sum(found["widths"]), dtype=bool)
    small = network.inputs <= MOST_INPUTS and domain.likely_generators <= MOST_GENERATORS
    spanned = domain.given_by_generators and domain.likely_generators > MOST_FACETS and network.inputs > FLAT

    def batches() -> Iterator[tuple[np.ndarray, Points]]:
        if small and (wanted.faces or wanted.graph or not spanned):
            domain.convert(budget)
            for cells in complex_.regions():
                yield cells.signs, lambda i, cells=cells: cells[i].interior_point()  # type: ignore[misc]
        else:
            if wanted.faces or wanted.graph:
                raise InputError(f"the domain has too many {_other(domain)} for faces or a graph")
            yield from _and_on_lines(
                lambda within: map(_single, cut_network(network, domain, complex_.layers, within)),
                lambda: network_on_lines(network, domain, complex_.layers, budget),
                budget,
            )

    def note(signs: np.ndarray, points: Points) -> None:
        np.logical_or(positive, (signs > 0).any(axis=0), out=positive)
        each(signs, points)

    def rest() -> Iterator[dict[str, Any]]:
        yield {"dead": _dead(positive, found["widths"])}
        whole = Complex(network, domain, layers, budget.clock())
        if wanted.faces:
            yield {"f_vector": list(whole.f_vector)}
        if wanted.graph:
            yield _graph(whole.graph(), wanted.graph, budget)

    return _taken(found, batches(), rest(), note, budget)


def by_shards(
    network: Network,
    domain: Polyhedron,
    layers: int | None,
    budget: Budget,
    pool: Workers = (None, 1),
    directory: Path | None = None,
    progress: Callable[[int], None] = lambda regions: None,
) -> dict[str, Any]:
    """The census of a network by several processes, see :mod:`geomrelu.network.shards`; keys as :func:`of_network`.

    Memory does not grow with the number of regions. ``files``: where the sign vectors are, if a directory is given.

    Raises:
        InputError: the domain has too many vertices, or ``directory`` holds sign vectors already.

    >>> net = Network.from_layers([([[1, 0], [0, 1]], [0, 0], "relu"), ([[1, 1]], [-1], "relu")])
    >>> by_shards(net, Polyhedron.box([(-2, 2)] * 2), None, Budget())["regions"]
    7
    """
    complex_ = Complex(network, domain, layers)
    found = _heads(network, complex_.layers) | {"regions": 0, "complete": False, "reason": None}
    positive = np.zeros(sum(found["widths"]), dtype=bool)
    try:
        affordable(domain.likely_generators, f"the {_other(domain)} of the domain", each=500)
        domain.convert(budget)
        for shard in shards.counted(complex_.compiled, budget, pool, directory, progress):
            found["regions"] += shard.regions
            positive |= shard.positive
        found |= {"complete": True, "dead": _dead(positive, found["widths"])}
    except (Exhausted, KeyboardInterrupt) as end:
        found["reason"] = "interrupted" if isinstance(end, KeyboardInterrupt) else str(end)
    except InputError as problem:
        if not budget.examined:
            raise
        found["reason"] = found["unwritten"] = str(problem)
    if not found["complete"]:
        found["regions"] = max(found["regions"], budget.examined)  # of shards that nobody has cut yet, too
    if directory is not None:
        found["files"] = sorted(map(str, directory.glob("signs-*.npy")))
    return found


def _other(domain: Polyhedron) -> str:
    """What is found by a conversion."""
    return "facets" if domain.given_by_generators else "vertices"


def _heads(network: Network, layers: int) -> dict[str, Any]:
    widths = network.widths[:layers]
    plain = all(blocks == (l,) for l, blocks in enumerate(network.blocks[1 : layers + 1]))
    # numbers of bits, times how many of them are computed
    costs = network.inputs * len(widths) * sum(min(w, network.inputs * w.bit_length()) for w in widths)
    known = plain and costs <= COSTLY
    at_most = int(region_formulas.network_regions_at_most(network.inputs, widths)) if known else None
    return {"dimension": network.inputs, "widths": list(widths), "at_most": at_most}


def _dead(positive: np.ndarray, widths: Sequence[int]) -> list[list[int]]:
    """Per layer the neurons that are positive on no region."""
    ends = np.cumsum(widths)
    return [np.flatnonzero(~positive[e - w : e]).tolist() for w, e in zip(widths, ends, strict=True)]


def _taken(
    found: dict[str, Any],
    batches: Iterator[tuple[np.ndarray, Points]],
    rest: Iterator[dict[str, Any]],
    each: Each,
    budget: Budget,
) -> dict[str, Any]:
    found |= {"regions": 0, "complete": False, "reason": None}
    try:
        for signs, points in batches:
            each(signs, points)
            found["regions"] += len(signs)
            budget.spend(0)
        for part in rest:
            found |= part
    except (Exhausted, KeyboardInterrupt) as end:
        found["reason"] = "interrupted" if isinstance(end, KeyboardInterrupt) else str(end)
        found["regions"] = max(found["regions"], budget.examined)  # cells that are not yet cut to the end hold one each
        return found
    return found | {"complete": True}


def _single(found: Found) -> tuple[np.ndarray, Points]:
    return np.array([found[0]], dtype=np.int8), lambda i: found[1]


def _and_on_lines(
    regions: Callable[[Budget], Iterator[tuple[np.ndarray, Points]]],
    lines: Callable[[], Iterator[Found]],
    budget: Budget,
) -> Iterator[tuple[np.ndarray, Points]]:
    """All regions; where the time does not suffice, those found in most of it, and then others on random lines."""
    left = budget.left
    if not left:
        yield from regions(budget)
        return
    seen: set[bytes] = set()
    try:
        for signs, points in regions(budget.part(10**18, 1 - min(KEPT[0] / left, KEPT[1]))):
            if len(seen) < MANY:
                seen.update(row.tobytes() for row in signs)
            yield signs, points
    except Exhausted as end:
        if budget.ended or len(seen) >= MANY:
            raise
        for found in lines():
            signs, points = _single(found)
            if signs[0].tobytes() not in seen:
                budget.spend()
                yield signs, points
        over = f"the time for it, {budget.seconds:.3g} s, is over"
        raise Exhausted(str(end) if isinstance(end, TooMany) else over) from None


def _graph(graph: networkx.Graph, path: str, budget: Budget) -> dict[str, Any]:
    """Write a graph whose nodes are sign vectors as GraphML; the nodes are named by their signs."""
    size = {"nodes": graph.number_of_nodes(), "edges": graph.number_of_edges()}
    try:
        with replacing(path) as stream:
            for k, line in enumerate(_graphml(graph)):
                if k % 1024 == 0:
                    budget.poll()
                stream.write(f"{line}\n".encode())
    except InputError as problem:
        return {"graph": size, "unwritten": str(problem)}
    return {"graph": size}


def _graphml(graph: networkx.Graph) -> Iterator[str]:
    """Line by line: NetworkX would first make a tree of all of it, and look at no clock."""
    yield "<?xml version='1.0' encoding='utf-8'?>"
    yield '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    for key, value in next(iter(graph.edges(data=True)), (None, None, {}))[2].items():
        kind = "long" if isinstance(value, int) else "string"
        yield f'  <key id="{key}" for="edge" attr.name="{key}" attr.type="{kind}" />'
    yield '  <graph edgedefault="undirected">'
    for node in graph:
        yield f'    <node id="{_name(node)}" />'
    for u, v, data in graph.edges(data=True):
        values = "".join(f'<data key="{key}">{value}</data>' for key, value in data.items())
        yield f'    <edge source="{_name(u)}" target="{_name(v)}">{values}</edge>'
    yield "  </graph>"
    yield "</graphml>"


def _name(node: Sequence[int]) -> str:
    return "".join("-0+"[s + 1] for s in node)


# ---- in words -----------------------------------------------------------------------------------------------------


def as_text(found: dict[str, Any]) -> str:
    """What was found, in sentences."""
    on = f" on {found['domain']}" if found["domain"] else ""
    if "hyperplanes" in found:
        forms = "" if found["forms"] == found["hyperplanes"] else f" ({_many(found['forms'], 'form')})"
        of = f"{_many(found['hyperplanes'], 'hyperplane')}{forms} of rank {found['rank']} in R^{found['dimension']}{on}"
    else:
        of = f"ReLU layers of widths {', '.join(map(str, found['widths']))} on R^{found['dimension']}"
        of = f"{of}{on}"
    lines = [f"{'' if found['complete'] else 'At least '}{_many(found['regions'], 'region')}: {of}."]
    if "bounded" in found:
        relatively = "" if found["domain"] or found["rank"] == found["dimension"] else " relatively"
        lines.append(f"{found['bounded']:,} of them{relatively} bounded.")
    if found.get("generic") is not None:
        position = "In general position" if found["generic"] else "Not in general position"
        lines.append(f"{position}: so many hyperplanes have at most {found['zaslavsky']:,} regions (Zaslavsky).")
    if found.get("at_most"):
        most = f"{found['at_most']:,}" if found["at_most"] < 10**15 else f"10^{len(str(found['at_most']))}"
        lines.append(f"Networks of these widths have at most {most} (Serra, Tjandraatmadja, Ramalingam).")
    for layer, (dead, width) in enumerate(zip(found.get("dead", ()), found.get("widths", ()), strict=False), 1):
        if dead:
            names = f"neuron{'s'[: len(dead) != 1]} {', '.join(map(str, dead))}"
            lines.append(f"Dead in layer {layer}: {names if len(dead) <= 20 else f'{len(dead)} of {width} neurons'}.")
    if "f_vector" in found:
        parts = (f"{f:,} of dimension {d}" for d, f in enumerate(found["f_vector"]))
        lines.append(f"Faces: {', '.join(parts)}.")
    if "characteristic_polynomial" in found:
        lines.append(_polynomial(found["characteristic_polynomial"]))
    if "graph" in found:
        lines.append(f"Graph: {_many(found['graph']['nodes'], 'node')}, {_many(found['graph']['edges'], 'edge')}.")
    if found.get("files"):
        lines.append(f"Sign vectors: {_many(len(found['files']), 'file')}, from {found['files'][0]}.")
    if not found["complete"]:
        lines.append(f"Not finished: {found['reason']}.")
    return "\n".join(lines)


def _polynomial(found: dict[str, Any]) -> str:
    degree = len(found["coefficients"]) - 1
    terms = []
    for k, c in enumerate(found["coefficients"]):
        power = {0: "", 1: "t"}.get(degree - k, f"t^{degree - k}")
        size = "" if abs(c) == 1 and power else f"{abs(c)}"
        terms += [("- " if c < 0 else "+ ") + " ".join(filter(None, (size, power)))] if c else []
    text = " ".join(terms).removeprefix("+ ")
    relatively = "" if found["coefficients"][-1] else " relatively"  # a factor t: the normals do not span
    counts = f"{_many(found['regions'], 'region')}, {found['bounded']:,} of them{relatively} bounded"
    agrees = {True: ": the numbers counted", False: ": NOT the numbers counted", None: " in all of R^n"}
    return f"Characteristic polynomial: {text}; by Zaslavsky's theorem {counts}{agrees[found['agrees']]}."


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'s'[: number != 1]}"
