"""From data to proof: which neurons are silent on data, on how large a set around them that is proved, and what fires.

The sets: the data, their convex hull (where they are few), the least box around them, and that box widened around its
centre. Each holds the one before, so what is proved on a larger one holds on all smaller ones, and is not sought again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import Any

from geomrelu.budget import Budget
from geomrelu.deadness.decide import decide
from geomrelu.deadness.near_data import Hunt, Near
from geomrelu.deadness.on_data import Points, Seen, seen_on
from geomrelu.deadness.ranges import outward
from geomrelu.deadness.report import Report
from geomrelu.deadness.tightening import tightened
from geomrelu.deadness.verdict import LayerReport, Status
from geomrelu.deadness.witnesses import witnesses
from geomrelu.errors import InputError
from geomrelu.exact.numbers import approximate
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network

__all__ = ["SETS", "FromData", "from_data"]

SETS = ("widened box", "box", "hull", "data")  # each holds the next
FEW = 64  # points on whose hull all layers are decided
MANY = 1 << 19  # numbers in points on whose hull layer 1 is: it is largest at a point
Key = tuple[int, int]
Progress = Callable[[str, int, int], None]
MEANS = (
    "A silent neuron puts out 0 for every example, so the gradient of its incoming weights and its bias, and of the"
    " weights that read it, is 0 for each of them: gradient descent on these data does not change them. In layer 1 it"
    " stays so for good; deeper, until the layers below have changed so much that it fires again. (Weight decay changes"
    " weights all the same.) To revive it on the set, raise its bias: the column says by how much z stays below 0"
    " there, and a little more than that makes it fire; after >= it is a proved bound, and it takes at least that much."
)


@dataclass(frozen=True, eq=False, repr=False)
class FromData:
    """What data show of the neurons of a network, and what is proved around them.

    Attributes:
        network, points, widen: what it is about.
        seen: (layer, neuron) -> what it does on the data.
        reach: of each silent neuron the largest of :data:`SETS` on which it is proved dead.
        bounds: (layer, neuron) -> (an upper bound of z on that set, whether it is the supremum).
        reports: set -> the verdicts there, on the neurons that were asked about.
        near: of silent neurons that are not dead on the widened box, the nearest point found where one fires.
        interrupted: by Ctrl-C; then this is what was known.
    """

    network: Network
    points: Points
    widen: Fraction
    seen: Mapping[Key, Seen]
    reach: Mapping[Key, str]
    bounds: Mapping[Key, tuple[Fraction, bool]]
    reports: Mapping[str, Report]
    near: Mapping[Key, Near]
    interrupted: bool = False

    @property
    def silent(self) -> list[Key]:
        """(layer, neuron) of the neurons with z <= 0 at every point of the data."""
        return [key for key, one in self.seen.items() if one.silent is True]

    @property
    def firing(self) -> list[Key]:
        """(layer, neuron) of the neurons with z > 0 at some point of the data."""
        return [key for key, one in self.seen.items() if one.silent is False]

    @property
    def undecided(self) -> list[Key]:
        """(layer, neuron) of those on which the budget ended before that was clear."""
        return [key for key, one in self.seen.items() if one.silent is None]

    def dead_on(self, name: str) -> list[Key]:
        """(layer, neuron) of the silent neurons that are proved dead on one of :data:`SETS`.

        Raises:
            InputError: there is no such set.
        """
        if name not in SETS:
            raise InputError(f"{name!r} is none of {', '.join(SETS)}")
        larger = SETS[: SETS.index(name) + 1]
        return [key for key in self.silent if self.reach[key] in larger]

    def revived(self, key: Key, on_data: bool = False) -> tuple[Fraction, bool]:
        """(by how much z stays below 0 on the set to which the proof carries, or on the data; whether that is exact).

        Raising the bias by a little more revives the neuron there; if it is not exact, it takes at least that much.
        """
        one = self.seen[key]
        if on_data or key not in self.bounds:
            if one.high is None:
                raise InputError(f"of neuron {key[0]}:{key[1]} no value on the data is known")
            return -one.high, one.low == one.high
        value, exact = self.bounds[key]
        return -value, exact

    def check(self) -> int:
        """Judge all claims about all sets again with the plain judge; how many there are."""
        return sum(report.check() for report in self.reports.values())

    def save(self, directory: str | PathLike[str]) -> list[str]:
        """Write the certificates, a folder for each set; the files."""
        folders = ((Path(directory) / name.replace(" ", "-"), report) for name, report in self.reports.items())
        return [path for folder, report in folders for path in report.save(folder)]

    def as_json(self) -> dict[str, Any]:
        """As JSON data; numbers that must be exact are text."""
        rows = []
        for (layer, neuron), one in self.seen.items():
            row: dict[str, Any] = {"layer": layer, "neuron": neuron, "fires_at": one.fires, "silent": one.silent}
            row["largest_on_data"] = [None if v is None else str(v) for v in (one.low, one.high)]
            if one.silent is True:
                row |= self._proof((layer, neuron))
            rows.append(row)
        box = self.points.sides
        return {
            "points": len(self.points),
            "widen": str(self.widen),
            "box": [[str(low), str(high)] for low, high in box],
            "dead_on": {name: len(self.dead_on(name)) for name in SETS},
            "neurons": rows,
            "means": MEANS,
        }

    def _proof(self, key: Key) -> dict[str, Any]:
        found: dict[str, Any] = {"dead_on": self.reach[key]}
        if key in self.bounds:
            value, exact = self.bounds[key]
            found |= {"bound": str(value), "supremum": exact}
        if key in self.near:
            one = self.near[key]
            found["witness"] = {
                "point": [str(x) for x in one.point],
                "value": str(one.value),
                "nearest": one.nearest,
                "distance": str(one.distance),
                "in_widened_box": one.inside,
            }
        return found

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        silent = self.silent
        yield (
            f"{len(self.points)} points in R^{self.network.inputs}, {len(self.seen)} neurons: {len(silent)} silent on"
            f" all points, {len(self.firing)} firing, {len(self.undecided)} undecided"
        )
        if not silent:
            return
        counts = {name: sum(self.reach[key] == name for key in silent) for name in SETS}
        wide = f"the box widened by {approximate(self.widen)}"
        yield (
            f"Proved dead on {wide}: {counts['widened box']}; on the box of the data, no further: {counts['box']};"
            f" on their hull: {counts['hull']}; on the data alone: {counts['data']}"
        )
        yield "  neuron    proved on    bias +        nearest witness (largest change of an input)"
        for key in silent:
            yield f"  {f'{key[0]}:{key[1]}':<8}  {self.reach[key]:<11}  {self._raise(key):<12}  {self._witness(key)}"
        yield MEANS

    def _raise(self, key: Key) -> str:
        try:
            value, exact = self.revived(key)
        except InputError:
            return "-"
        low, shown = self.seen[key].low, approximate(value)
        near = self.reach[key] == "data" and low is not None and approximate(-low) == shown
        return shown if exact or near else f">= {shown}"  # on the data both sides of it are known

    def _witness(self, key: Key) -> str:
        one = self.near.get(key)
        if one is None:
            return "" if self.reach[key] == "widened box" else "none found"
        where = "inside" if one.inside else "outside"
        return f"{approximate(one.distance, 4)} from point {one.nearest}, {where} the widened box"


def from_data(
    network: Network,
    points: Points,
    asked: Mapping[int, Sequence[int]],
    budget: Budget,
    *,
    widen: Fraction = Fraction(11, 10),
    each: float | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> FromData:
    """Which neurons are silent on data, and how far around the data that is proved.

    Args:
        asked: layer -> neurons. widen: the sides of the box times this. each: seconds for one hard neuron.
        progress: called with (what is going on, done, of how many).

    Raises:
        InputError: the factor is below 1.

    Exact: yes; nearest witnesses are found heuristically, and that they fire is exact.
    """
    if widen < 1:
        raise InputError(f"widen is a factor of at least 1, not {widen}")
    seen = seen_on(network, points, asked, budget.share(3), progress)
    silent = [key for key, one in seen.items() if one.silent is True]
    reach = dict.fromkeys(silent, "data")
    sets = dict(_sets(points, widen))
    reports: dict[str, Report] = {}
    near: dict[Key, Near] = {}
    interrupted = False
    try:
        known = _proved(network, points, sets, reach, reports, budget, each, executor, progress)
        _hunted(network, points, sets, reach, known, near, budget, progress)
    except KeyboardInterrupt:  # what is known by now is told first
        interrupted, budget = True, Budget(0)
    bounds = _bounds(network, sets, reports, reach, seen, budget)
    return FromData(network, points, widen, seen, reach, bounds, reports, near, interrupted)


def _proved(
    network: Network,
    points: Points,
    sets: Mapping[str, Polyhedron],
    reach: dict[Key, str],
    reports: dict[str, Report],
    budget: Budget,
    each: float | None,
    executor: Executor | None,
    progress: Progress | None,
) -> dict[Key, list[tuple[str, ...]]]:
    """Prove on one set after the other; ``reach`` and ``reports`` fill. Points of the sets at which neurons fire."""
    known: dict[Key, list[tuple[str, ...]]] = {}
    for position, (name, where) in enumerate(sets.items()):
        asked: dict[int, list[int]] = {}
        for layer, neuron in (key for key, so_far in reach.items() if so_far == "data"):
            if name != "hull" or layer == 1 or len(points) <= FEW:
                asked.setdefault(layer, []).append(neuron)
        if not asked:
            continue
        share = budget.share(len(sets) - position + 2)
        layers: dict[int, LayerReport] = {}
        reports[name] = Report(network, where, layers, share.left or 1e-3, {})
        advance = _under(progress, name)
        try:
            for one in decide(network, where, list(asked), asked, share, advance, each=each, executor=executor):
                layers[one.layer] = one
        finally:
            reach |= dict.fromkeys(reports[name].dead, name)
        for key, point in witnesses(reports[name]).items():
            known.setdefault(key, []).append(point)
    return known


def _under(progress: Progress | None, name: str) -> Callable[[int, int, int], None] | None:
    return None if progress is None else lambda layer, done, of: progress(f"{name}, layer {layer}", done, of)


def _hunted(
    network: Network,
    points: Points,
    sets: Mapping[str, Polyhedron],
    reach: Mapping[Key, str],
    known: Mapping[Key, Sequence[tuple[str, ...]]],
    near: dict[Key, Near],
    budget: Budget,
    progress: Progress | None,
) -> None:
    """Look for the nearest witnesses of what is not dead on the widened box; ``near`` fills."""
    rest = [key for key, name in reach.items() if name != "widened box"]
    if not rest or budget.ended:
        return
    hunt = Hunt(network, points, sets["widened box"], budget.share(2))
    for k, key in enumerate(rest):
        if hunt.budget.ended:
            break
        found = hunt.nearest(*key, known.get(key, []), len(rest) - k)
        if found is not None:
            near[key] = found
        if progress is not None:
            progress("witnesses", k + 1, len(rest))


def _sets(points: Points, widen: Fraction) -> Iterator[tuple[str, Polyhedron]]:
    wide = []
    for low, high in points.sides:
        more = (widen - 1) * (high - low) / 2
        wide.append((low - more, high + more))
    if widen > 1:
        yield "widened box", Polyhedron.box(wide)
    yield ("box" if widen > 1 else "widened box"), Polyhedron.box(points.sides)
    first = sorted(set(points.first.tolist()))
    if len(first) * points.source.shape[1] <= MANY:
        yield "hull", Polyhedron.from_generators([points.exact(k) for k in first])


def _bounds(
    network: Network,
    sets: Mapping[str, Polyhedron],
    reports: Mapping[str, Report],
    reach: Mapping[Key, str],
    seen: Mapping[Key, Seen],
    budget: Budget,
) -> dict[Key, tuple[Fraction, bool]]:
    """(layer, neuron) -> (an upper bound of z on the set to which the proof carries, is it the supremum?)."""
    found: dict[Key, tuple[Fraction, bool]] = {}
    for key, name in reach.items():
        high = seen[key].high
        if name == "data" and high is not None:
            found[key] = high, seen[key].low == high
    for name, report in reports.items():
        open_: dict[int, list[int]] = {}
        for v in report.verdicts:
            key = v.layer, v.neuron
            if v.status is not Status.DEAD or reach[key] != name:
                continue
            if isinstance(v.supremum, Fraction):
                found[key] = v.supremum, True
            else:
                found[key] = Fraction(0), False
                open_.setdefault(v.layer, []).append(v.neuron)
        if open_ and not budget.ended:
            *_, best = tightened(network, sets[name], open_, budget.share(2), report.verdicts)
            for key, one in best.found.items():
                if one.upper is not None and one.upper < 0:
                    found[key] = (one.upper if one.attained[1] else Fraction(outward(one.upper))), one.attained[1]
    return found
