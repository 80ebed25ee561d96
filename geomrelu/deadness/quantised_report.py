"""What is known of the neurons of a quantised network: to be read, kept on disk, and judged again."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

from geomrelu import checker
from geomrelu.budget import Budget
from geomrelu.certificates import files
from geomrelu.deadness import quantised
from geomrelu.deadness.quantised import FEW_POINTS, SENTENCE, Finding, Relaxed
from geomrelu.deadness.report import Report, as_text, killed
from geomrelu.deadness.verdict import LayerReport, Status
from geomrelu.errors import InputError
from geomrelu.geometry.domains import Domain, Union, write_domain
from geomrelu.geometry.ellipsoid import Ellipsoid
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.io.files import writable
from geomrelu.network.quantised import QuantisedNetwork, WholeNumbers
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
    def relaxed(self) -> dict[int, Relaxed]:
        """layer -> the ordinary network on which the claims of that layer are proved."""
        return {layer: f.relaxed for (layer, _), f in self.findings.items() if f.relaxed is not None}

    @property
    def certificates(self) -> list[dict[str, Any]]:
        """One certificate for each relaxed network, as JSON data."""
        return [
            files.as_certificate(self._claims(layer), *_digests(relaxed), []) for layer, relaxed in self.relaxed.items()
        ]

    def _claims(self, layer: int) -> list[files.Claim]:
        return [v.claim for v in self.layers[layer].verdicts if v.claim is not None]

    def check(self) -> int:
        """Judge everything again: the number of verdicts.

        Claims on relaxed networks are judged by the plain judge, on networks that are built again; points are evaluated
        by the plain forward pass; intervals and whole grids are computed again.

        Raises:
            Rejected: of :mod:`geomrelu.checker`; the text says which verdict, and why.
        """
        fresh: dict[tuple[int, int], Finding] = {}
        settled = {layer.layer: [v for v in layer.verdicts if v.status is not Status.UNDECIDED] for layer in self}
        whole = WholeNumbers(self.network, self.domain) if isinstance(self.domain, Polyhedron) else None
        walked = {
            layer: [v.neuron for v in verdicts if self.findings[layer, v.neuron].how == "all points"]
            for layer, verdicts in settled.items()
        }
        walked = {layer: neurons for layer, neurons in walked.items() if neurons}
        again = {}
        if walked and not isinstance(self.domain, Ellipsoid):
            reports = quantised.decide(self.network, self.domain, walked, Budget(), fresh, few=math.inf)
            again = {(v.layer, v.neuron): v.status for report in reports for v in report.verdicts}
        for layer, verdicts in settled.items():
            dead = []
            for v in verdicts:
                finding = self.findings[layer, v.neuron]
                self._check(layer, v.neuron, v.status, finding, whole, again)
                dead += [v.neuron] if v.status is Status.DEAD else []
            self._check_claims(layer, whole)
            if whole is not None and dead:
                whole.known(layer - 1, dead)
        return sum(map(len, settled.values()))

    def _check(
        self,
        layer: int,
        neuron: int,
        status: Status,
        finding: Finding,
        whole: WholeNumbers | None,
        again: Mapping[tuple[int, int], Status],
    ) -> None:
        where = f"layer {layer}, neuron {neuron}"
        if finding.point is not None:
            inside = whole is None or all(a <= x <= b for x, (a, b) in zip(finding.point, whole.sides, strict=True))
            if status is not Status.ALIVE or not inside or self._at(finding.point)[layer - 1][neuron] <= 0:
                raise checker.Rejected(f"{where} does not fire at the point named")
        elif finding.how == "all points":
            if again[layer, neuron] is not status:
                raise checker.Rejected(f"{where}: the points of the domain say otherwise")
        elif finding.how == "intervals":
            if status is not Status.DEAD or whole is None or whole.bounds[layer][1][neuron] > 0:
                raise checker.Rejected(f"{where}: intervals do not show that it is dead")
        elif finding.relaxed is None or neuron not in finding.relaxed.neurons or status is not Status.DEAD:
            raise checker.Rejected(f"{where}: nothing shows its verdict")

    def _at(self, point: tuple[Fraction, ...]) -> list[list[Fraction]]:
        """The plain forward pass, once for each point: many neurons share one."""
        values = self._passes.get(point)
        if values is None:
            values = self._passes[point] = self.network.values(point)
        return values

    @cached_property
    def _passes(self) -> dict[tuple[Fraction, ...], list[list[Fraction]]]:
        return {}

    def _check_claims(self, layer: int, whole: WholeNumbers | None) -> None:
        relaxed = self.relaxed.get(layer)
        if relaxed is None:
            return
        assert whole is not None
        rebuilt = quantised.relaxed(whole, layer, relaxed.neurons)
        data = json.loads(json.dumps(files.as_certificate(self._claims(layer), *_digests(rebuilt), [])))
        claims = checker.check(data, rebuilt.network.checked, rebuilt.box.checked)
        proved = {
            relaxed.neurons[c["neuron"]]
            for c in claims
            if c["status"] == "dead" and c["layer"] == rebuilt.network.depth
        }
        for v in self.layers[layer].verdicts:
            if self.findings.get((layer, v.neuron), Finding("")).how == "relaxed" and v.neuron not in proved:
                raise checker.Rejected(f"layer {layer}, neuron {v.neuron}: no claim shows that it is dead")

    def save(self, directory: str | PathLike[str]) -> list[str]:
        """Write why each verdict holds to a directory; the files.

        ``quantised.json`` lists the verdicts. For each layer with claims there are ``layer-L-relaxed.json``, the
        ordinary network, ``layer-L-domain.json`` and a folder ``layer-L`` of certificates for ``geomrelu check``.

        Raises:
            InputError: the directory cannot be written, or holds claims about something else.
        """
        target = writable(directory)
        written: dict[tuple[int, int], str] = {}
        paths: list[str] = []
        for layer, relaxed in self.relaxed.items():
            model, domain = target / f"layer-{layer}-relaxed.json", target / f"layer-{layer}-domain.json"
            relaxed.network.save(model)
            write_domain(relaxed.box, domain)
            folder = writable(target / f"layer-{layer}")
            found = files.write(folder, relaxed.network.depth, self._claims(layer), *_digests(relaxed), [])
            written |= {(layer, relaxed.neurons[i]): path for i, path in found.items()}
            paths += [str(model), str(domain), *dict.fromkeys(found.values())]
        rows = [self._row(v.layer, v.neuron, v.status.value, v.reason, written) for v in self.verdicts]
        files.save(target / "quantised.json", {"arithmetic": "whole numbers, exact", "neurons": rows})
        return [str(target / "quantised.json"), *paths]

    def _row(
        self, layer: int, neuron: int, status: str, reason: str, written: Mapping[tuple[int, int], str]
    ) -> dict[str, Any]:
        row: dict[str, Any] = {"layer": layer, "neuron": neuron, "status": status, "reason": reason}
        finding = self.findings.get((layer, neuron))
        if finding is not None:
            row |= {"value": None if finding.value is None else str(finding.value)}
            row |= {"point": [str(x) for x in finding.point]} if finding.point is not None else {}
            row |= {"points": finding.points} if finding.points else {}
            if finding.relaxed is not None:
                row |= {
                    "certificate": written.get((layer, neuron)),
                    "why": SENTENCE.format(neuron=finding.relaxed.neurons.index(neuron)),
                }
        return row

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

    def _text(self, most: int | None) -> str:
        parts = []
        for layer in self:
            parts += [as_text(layer, most=most), *filter(None, [channels(self.network, layer)])]
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


def _digests(relaxed: Relaxed) -> tuple[str, str]:
    return relaxed.network.digest, str(relaxed.box.checked.digest())


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
    findings: dict[tuple[int, int], Finding] = {}
    found: dict[int, LayerReport] = {}
    report = QuantisedReport(network, domain, found, time, {}, findings=findings)
    budget = Budget(time, regions)

    def advanced(layer: int, decided: int, asked: int) -> None:
        if progress is not None:
            progress(f"layer {layer}", decided, asked)

    with workers_on(workers, scheduler) as (executor, _):
        for layer in quantised.decide(
            network, domain, asked, budget, findings, few=few, progress=advanced, each=neuron_time, executor=executor
        ):
            found[layer.layer] = layer
            if certificates is not None:
                report.save(certificates)
            if told is not None:
                told(layer, {})
    return report
