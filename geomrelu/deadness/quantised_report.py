"""What is known of the neurons of a quantised network: to be read, kept on disk, and judged again."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from geomrelu.budget import Budget
from geomrelu.deadness import quantised
from geomrelu.deadness.quantised_certificate import FEW_POINTS, Kept, as_certificate, judge
from geomrelu.deadness.quantised_relaxed import Finding, Relaxed
from geomrelu.deadness.report import Report, as_text, killed
from geomrelu.deadness.verdict import LayerReport, Status, Verdict
from geomrelu.errors import InputError
from geomrelu.geometry.domains import Domain, Union
from geomrelu.geometry.ellipsoid import Ellipsoid
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.io.files import writable
from geomrelu.network.quantised import QuantisedNetwork
from geomrelu.parallel import workers_on

__all__ = ["QuantisedReport", "channels", "check_options", "dead_channels", "decide"]

NO_FLOATS = "a quantised network is judged in whole numbers, not in floating point"
NO_RANGES = "ranges are given for networks that are not quantised"
NO_PAGE = "a page is written on networks that are not quantised"


@dataclass(frozen=True, eq=False, repr=False)
class QuantisedReport(Report):
    """The verdicts on the neurons of a quantised network.

    Attributes:
        network: the network of whole numbers.
        findings: (layer, neuron) -> why its verdict holds. Claims of verdicts are about the last layer of the relaxed
            network that stands there.
    """

    network: QuantisedNetwork  # type: ignore[assignment]
    domain: Polyhedron | FiniteSet
    findings: Mapping[tuple[int, int], Finding] = field(default_factory=dict)

    @property
    def active(self) -> list[tuple[int, int]]:
        """Not decided for quantised networks: an empty list."""
        return []

    @property
    def dead_channels(self) -> list[tuple[int, int]]:
        """(layer, channel) of the channels of images all of whose neurons are dead."""
        shapes = {layer.layer: self.network.reading.layers[layer.layer - 1].shape for layer in self}
        return [(layer.layer, c) for layer in self for c in dead_channels(layer, shapes[layer.layer])]

    @property
    def relaxed(self) -> list[Relaxed]:
        """The ordinary networks on which claims are proved."""
        return list({id(f.relaxed): f.relaxed for f in self.findings.values() if f.relaxed is not None}.values())

    @property
    def certificates(self) -> list[dict[str, Any]]:
        """One certificate of all verdicts, see :mod:`geomrelu.deadness.quantised_certificate`, as JSON data."""
        found = {(v.layer, v.neuron): v for v in self.verdicts}
        data = as_certificate(self.network, self.domain, found, self.findings)
        return [data] if data["claims"] else []

    def check(self) -> int:
        """Judge everything again: the number of verdicts.

        Claims on relaxed networks are judged by the plain judge, on networks that are built again; points are evaluated
        by the plain forward pass; intervals and whole grids are computed again.

        Raises:
            Rejected: of :mod:`geomrelu.checker`; the text says which verdict, and why.
        """
        return sum(len(judge(json.loads(json.dumps(data)), self.network, self.domain)) for data in self.certificates)

    def save(self, directory: str | PathLike[str]) -> list[str]:
        """Write the certificate, ``quantised.json`` and what it needs, to a directory; the files.

        Raises:
            InputError: the directory cannot be written, or holds claims about something else.
        """
        found = {(v.layer, v.neuron): v for v in self.verdicts}
        return Kept(writable(directory), self.network, self.domain).write(found, self.findings)

    def tightened(self, seconds: float, progress: Callable[[str, int, int], None] | None = None) -> Iterator[Any]:
        """Not for quantised networks.

        Raises:
            InputError: always.
        """
        raise InputError(NO_RANGES)

    def save_page(self, directory: str | PathLike[str], *, bounds: bool = True, image: Any = None) -> Path:
        """There is none on quantised networks.

        Raises:
            InputError: always.
        """
        raise InputError(NO_PAGE)

    def in_floats(
        self, arithmetic: str, seconds: float, progress: Callable[[str, int, int], None] | None = None
    ) -> Iterator[Any]:
        """Not for quantised networks.

        Raises:
            InputError: always.
        """
        raise InputError(NO_FLOATS)

    @property
    def _stability(self) -> bool:
        return False

    def _text(self, most: int | None) -> str:
        parts = self._told
        for layer in self:
            parts += [as_text(layer, most=most, stability=False), *filter(None, [channels(self.network, layer)])]
        if self.killed_by is not None:
            parts.append(killed(self.network, self.killed_by))
        return "\n".join(parts)


def check_options(arithmetic: str | None = None, ranges: str | None = None, page: str | None = None) -> None:
    """What is not done for quantised networks.

    Raises:
        InputError: it was asked for.
    """
    if arithmetic is not None:
        raise InputError(NO_FLOATS)
    if ranges is not None:
        raise InputError(NO_RANGES)
    if page is not None:
        raise InputError(NO_PAGE)


def dead_channels(report: LayerReport, shape: Sequence[int]) -> list[int]:
    """The channels, numbered along the first axis of a layer of images, all of whose neurons are dead."""
    if len(shape) < 2:
        return []
    dead = {v.neuron for v in report.verdicts if v.status is Status.DEAD}
    size = math.prod(shape[1:])
    return [c for c in range(shape[0]) if dead.issuperset(range(c * size, (c + 1) * size))]


def channels(network: QuantisedNetwork, report: LayerReport) -> str:
    """The dead channels of a layer of images as a line; empty if there are none."""
    found = dead_channels(report, network.reading.layers[report.layer - 1].shape)
    return f"  dead channels: {', '.join(map(str, found))}" if found else ""


def decide(
    network: QuantisedNetwork,
    domain: Domain,
    asked: Mapping[int, Sequence[int]],
    time: float,
    *,
    few: float = FEW_POINTS,
    regions: int | None = None,
    neuron_time: float | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    certificates: str | PathLike[str] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    told: Callable[[LayerReport, dict[int, str]], None] | None = None,
) -> QuantisedReport:
    """As :func:`geomrelu.deadness.front_door.decide`, of a quantised network, see :mod:`geomrelu.deadness.quantised`.

    Args:
        few: the most points of a grid that are walked.

    Raises:
        InputError: the domain is neither a bounded box nor a finite set.
    """
    if isinstance(domain, (Union, Ellipsoid)):
        raise InputError("a quantised network is judged on one bounded box, or on points, on nothing else")
    found: dict[tuple[int, int], Verdict] = {}
    findings: dict[tuple[int, int], Finding] = {}
    layers: dict[int, LayerReport] = {}
    kept = Kept(None if certificates is None else writable(certificates), network, domain)

    told_of, whole = dict.fromkeys(asked, 0), sum(map(len, asked.values()))

    def advanced(layer: int, decided: int, _: int) -> None:
        told_of[layer] = decided
        if progress is not None:
            progress(f"layer {layer}", sum(told_of.values()), whole)

    with workers_on(workers, scheduler) as (executor, _):
        try:
            for layer in quantised.decide(
                network, domain, asked, Budget(time, regions), found, findings,
                kept=kept, few=few, progress=advanced, each=neuron_time, executor=executor,
            ):  # fmt: skip
                layers[layer.layer] = layer
                with kept.unsaved.noted():
                    kept.write(found, findings)
                if told is not None:
                    told(layer, {})
        finally:
            with kept.unsaved.noted():
                kept.keep()
                kept.write(found, findings)
    unsaved = tuple(kept.unsaved.texts)
    return QuantisedReport(network, domain, layers, time, {}, unsaved=unsaved, findings=findings)
