"""What is known of the neurons of a network on a set: to be read, kept on disk, and judged again.

:func:`decide` is what people call; :mod:`geomrelu.deadness.decide` finds the verdicts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

from geomrelu import checker
from geomrelu.arguments import filename, function, integer, integers, seconds
from geomrelu.budget import Budget
from geomrelu.certificates import files
from geomrelu.certificates.files import Claim
from geomrelu.deadness import page
from geomrelu.deadness.always_active import always_active
from geomrelu.deadness.branch_and_bound import Tree
from geomrelu.deadness.decide import decide as judged
from geomrelu.deadness.float_arithmetic import float_type
from geomrelu.deadness.in_floats import InFloats, in_floats
from geomrelu.deadness.ranges import Ranges, united_ranges
from geomrelu.deadness.tightening import tightened
from geomrelu.deadness.unions import open_neurons, united
from geomrelu.deadness.verdict import LayerReport, Status, Verdict
from geomrelu.errors import InputError
from geomrelu.geometry.domains import Domain, Union, as_domain
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.io.files import writable
from geomrelu.network.front_door import as_network
from geomrelu.network.network import Network
from geomrelu.parallel import workers_on

__all__ = ["Report", "as_json", "as_text", "check_arithmetic", "decide"]

PIECEWISE = "on a union rounding errors are bounded piece by piece: decide on each piece"
MOST_LINES = 40  # of a layer, in a repr
Neurons = list[tuple[int, int]]


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """The verdicts on the neurons of a network on a set, layer by layer.

    Attributes:
        network, domain: what it is about.
        layers: layer number (from 1) -> its :class:`LayerReport`.
        seconds: the budget it was made with, which is also that of :attr:`active`.
        files: (layer, neuron) -> the file of its certificate, if it was written.
        floats: which neurons are dead in floating point, if that was asked for.

    Layers count from 1, neurons from 0. Iterating gives the layers; ``str()`` is what the command prints.

    Exact: yes, every verdict. Cost of looking: none but for :attr:`active`, :meth:`check` and :meth:`save`.
    """

    network: Network
    domain: Polyhedron | FiniteSet
    layers: Mapping[int, LayerReport]
    seconds: float
    files: Mapping[tuple[int, int], str]
    floats: InFloats | None = None

    def __iter__(self) -> Iterator[LayerReport]:
        return iter(self.layers.values())

    def __len__(self) -> int:
        return len(self.layers)

    @property
    def verdicts(self) -> list[Verdict]:
        """All verdicts, in order."""
        return [verdict for layer in self for verdict in layer.verdicts]

    @property
    def dead(self) -> Neurons:
        """(layer, neuron) of the neurons with z <= 0 on the whole domain."""
        return self._with(Status.DEAD)

    @property
    def alive(self) -> Neurons:
        """(layer, neuron) of the neurons that are positive somewhere on the domain."""
        return self._with(Status.ALIVE)

    @property
    def undecided(self) -> Neurons:
        """(layer, neuron) of the neurons that a budget left open."""
        return self._with(Status.UNDECIDED)

    @property
    def active(self) -> Neurons:
        """(layer, neuron) of the living neurons with z >= 0 on the whole domain.

        Decided when first asked for, within a budget as large as the report's; what that leaves open is not listed.
        """
        return [(claim["layer"], claim["neuron"]) for claim in self._active]

    @cached_property
    def ranges(self) -> Ranges:
        """A proved interval [lower, upper] of every neuron that was asked for, and which neurons are fixed.

        Found when first asked for, within a budget as large as the report's; :meth:`tightened` gives them as they
        come. Evidence: claims that the judge accepts, :meth:`Ranges.check`.
        """
        *_, best = self.tightened(self.seconds)
        return best

    def tightened(self, seconds: float, progress: Callable[[str, int, int], None] | None = None) -> Iterator[Ranges]:
        """Ranges that get narrower with every step, within so many seconds; the last ones are the best.

        Args:
            progress: called with (what is going on, neurons fixed, neurons asked).
        """
        asked = {layer.layer: [v.neuron for v in layer.verdicts] for layer in self}
        return tightened(self.network, self.domain, asked, Budget(seconds), self.verdicts, progress)

    def in_floats(
        self, arithmetic: str, seconds: float, progress: Callable[[str, int, int], None] | None = None
    ) -> Iterator[InFloats]:
        """Which of the dead neurons are dead in floating point as well; each step knows more, the last ones the most.

        Args:
            arithmetic: "float32", "float16" or "bfloat16".
            progress: called with (what is going on, dead neurons settled, dead neurons).
        """
        return in_floats(self.network, self.domain, arithmetic, list(self), Budget(seconds), progress)

    @property
    def killed_by(self) -> int | None:
        """The first layer that kills the domain; None if none is known to."""
        return next((layer.layer for layer in self if layer.killed), None)

    def _with(self, status: Status) -> Neurons:
        return [(v.layer, v.neuron) for v in self.verdicts if v.status is status]

    @cached_property
    def _active(self) -> list[Claim]:
        living: dict[int, list[int]] = {}
        for layer, neuron in self.alive:
            living.setdefault(layer, []).append(neuron)
        return sorted(
            always_active(self.network, self.domain, living, Budget(self.seconds)),
            key=lambda claim: (claim["layer"], claim["neuron"]),
        )

    # ---- certificates -----------------------------------------------------------------------------------------

    @property
    def _digests(self) -> tuple[str, str]:
        return self.network.digest, str(self.domain.checked.digest())

    @property
    def certificates(self) -> list[dict[str, Any]]:
        """One certificate a layer, as JSON data: the claims proved, with those of :attr:`active` if it was asked."""
        claims = {layer.layer: [v.claim for v in layer.verdicts if v.claim is not None] for layer in self}
        for claim in self.__dict__.get("_active", ()):
            claims[claim["layer"]].append(claim)
        return [
            files.as_certificate(claims[layer.layer], *self._digests, layer.points)
            for layer in self
            if claims[layer.layer]
        ]

    def check(self) -> int:
        """Judge all claims again with the plain judge; the number of claims, all of them proved.

        Raises:
            Rejected: of :mod:`geomrelu.checker`; the text says which claim, and why.
        """
        return sum(
            len(checker.check(json.loads(json.dumps(data)), self.network.checked, self.domain.checked))
            for data in self.certificates
        )

    def save(self, directory: str | PathLike[str]) -> list[str]:
        """Write the certificates to a directory, for ``geomrelu check``; the files.

        Raises:
            InputError: the directory holds claims about another model or domain, or cannot be written.
        """
        target = writable(directory)
        written: list[str] = []
        for layer in self:
            claims = [v.claim for v in layer.verdicts if v.claim is not None]
            written += files.write(target, layer.layer, claims, *self._digests, layer.points).values()
        active = self.__dict__.get("_active", ())
        for level in sorted({claim["layer"] for claim in active}):
            path = target / f"active-layer-{level}.json"
            files.save(path, files.as_certificate([c for c in active if c["layer"] == level], *self._digests, []))
            written.append(str(path))
        return list(dict.fromkeys(written))

    def save_page(
        self, directory: str | PathLike[str], *, bounds: bool = True, image: Sequence[int] | None = None
    ) -> Path:
        """Write a page (index.html) on the report, with the certificates beside it; it needs no network.

        Args:
            bounds: also show proved bounds, :attr:`ranges`, which are found now if they are not known.
            image: shape of the input, (height, width) or with 1 or 3 channels, where the model's file does not say it.

        Raises:
            InputError: another number of inputs than the image has; the directory cannot be written.
        """
        page.image_shape(self.network, image)
        return page.write(self, directory, self.ranges if bounds else None, image=image)

    # ---- to be read -------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        return self._text(None)

    def __repr__(self) -> str:
        return self._text(MOST_LINES)

    def _text(self, most: int | None) -> str:
        parts = [as_text(layer, self._files_of(layer.layer), most=most) for layer in self]
        if self.killed_by is not None:
            parts.append(killed(self.network, self.killed_by))
        return "\n".join(parts)

    def _files_of(self, layer: int) -> dict[int, str]:
        return {neuron: path for (level, neuron), path in self.files.items() if level == layer}

    def _repr_html_(self) -> str:
        rows = []
        for layer in self:
            first, *lines = as_text(layer, most=MOST_LINES).split("\n")
            table = f"<pre>{escape(chr(10).join(lines))}</pre>" if lines else ""
            rows.append(
                f"<details{' open' if layer.killed else ''}><summary>{escape(first)}</summary>{table}</details>"
            )
        if self.killed_by is not None:
            rows.append(f"<p>{escape(killed(self.network, self.killed_by))}</p>")
        return f"<div>{''.join(rows)}</div>"


@dataclass(frozen=True, eq=False, repr=False)
class UnionReport(Report):
    """The same on a union of polyhedra; a neuron is dead on it if it is dead on each piece.

    Attributes:
        domain: the union. parts: the reports on its pieces, as far as they were asked.
    """

    domain: Union  # type: ignore[assignment]
    parts: tuple[Report, ...] = ()

    def in_floats(
        self, arithmetic: str, seconds: float, progress: Callable[[str, int, int], None] | None = None
    ) -> Iterator[InFloats]:
        """Of a union rounding errors are bounded piece by piece.

        Raises:
            InputError: always.
        """
        raise InputError(PIECEWISE)

    @cached_property
    def _active(self) -> list[Claim]:
        """The claims on the last piece about neurons that are always active on all of them."""
        claims = [{(c["layer"], c["neuron"]): c for c in part._active} for part in self.parts]
        everywhere = set.intersection(*(set(found) for found in claims)) if claims else set()
        reached = len(self.parts) == len(self.domain.pieces)
        return [claims[-1][key] for key in sorted(everywhere)] if reached else []

    def tightened(self, seconds: float, progress: Callable[[str, int, int], None] | None = None) -> Iterator[Ranges]:
        """As on one polyhedron; each piece has an even share of the time that is left."""
        asked = {layer.layer: [v.neuron for v in layer.verdicts] for layer in self}
        budget, pieces = Budget(seconds), self.domain.pieces
        found: list[Ranges] = []
        for k, piece in enumerate(pieces):
            verdicts = self.parts[k].verdicts if k < len(self.parts) else []
            share = budget.share(len(pieces) - k)
            *_, best = tightened(self.network, piece, asked, share, verdicts, progress)
            found.append(best)
        yield united_ranges(self.network.checked, self.domain, found)

    @property
    def certificates(self) -> list[dict[str, Any]]:
        """Those of the pieces, one after the other."""
        return [certificate for part in self.parts for certificate in part.certificates]

    def check(self) -> int:
        """As on one polyhedron, piece by piece."""
        return sum(part.check() for part in self.parts)

    def save(self, directory: str | PathLike[str]) -> list[str]:
        """As on one polyhedron, to folders ``piece-1``, ``piece-2``, ... of the directory."""
        return [path for k, part in enumerate(self.parts, 1) for path in part.save(Path(directory) / f"piece-{k}")]


def decide(
    model: Any,
    domain: Any = None,
    layers: int | Sequence[int] | None = None,
    neurons: int | Sequence[int] | Mapping[int, Sequence[int]] | None = None,
    *,
    time: float = 600.0,
    regions: int | None = None,
    neuron_time: float | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    certificates: str | PathLike[str] | None = None,
    arithmetic: str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    told: Callable[[LayerReport, dict[int, str]], None] | None = None,
) -> Report:
    """Which neurons of a network are dead on a set, each with a proof that the checker has accepted.

    Args:
        model: a path, a ``torch.nn.Module``, a state dict, layers of arrays, or a :class:`Network`.
        domain: ``(low, high)``, one such pair for each input, an array of points, text or a file as ``--domain``, a
            :class:`Polyhedron`, or a :class:`Union` of several, which gives a :class:`UnionReport`.
        layers: which ReLU layers, from 1 (default all). neurons: which of each layer, from 0 (default all), or
            layer -> which of it.
        time: seconds in all. regions: pieces and boxes in all. neuron_time: seconds for each hard neuron. What is open
            when a budget ends is undecided, with the reason.
        workers: processes for hard neurons. scheduler: address of a Dask scheduler, whose workers do that instead.
        certificates: a directory: what is proved goes there as it comes, and what it holds is not sought again.
        arithmetic: "float32", "float16" or "bfloat16": say as well which neurons are dead in that type, whatever the
            order of summation (half of the time is for that): :attr:`Report.floats`.
        progress: called with (what is going on, neurons decided, neurons asked).
        told: called with each layer's report when it is finished, and the files of its certificates.

    Raises:
        InputError: what cannot be read, no such layer or neuron, an empty domain, a directory about something else.

    Evidence: every verdict's claim has been accepted by the checker; :meth:`Report.check` judges them again.
    Exact: yes; undecided is the third answer.
    Method: see :mod:`geomrelu.deadness.decide`. Source: Rister & Rubin, section 2; Brownlowe et al.

    >>> report = decide([([[1, 0], [0, 1]], [0, 0], "relu"), ([[1, 1]], [-3], "relu")], (-1, 1))
    >>> report.dead, report.alive, report.check()
    ([(2, 0)], [(1, 0), (1, 1)], 3)
    """
    network = as_network(model)
    set_ = as_domain(domain, network.inputs, None if network.reading is None else network.reading.range)
    time, workers = seconds(time, "time"), integer(workers, "workers", 1)
    regions = None if regions is None else integer(regions, "regions", 0)
    neuron_time = None if neuron_time is None else seconds(neuron_time, "neuron_time")
    layers, neurons = _layers(layers), _neurons(neurons)
    function(progress, "progress")
    certificates = None if certificates is None else filename(certificates, "certificates")
    how: dict[str, Any] = {
        "regions": regions,
        "neuron_time": neuron_time,
        "workers": workers,
        "scheduler": scheduler,
        "progress": progress,
    }
    if arithmetic is not None:
        whole = Budget(time)
        check_arithmetic(arithmetic, set_)  # before anything takes long
        report = decide(network, set_, layers, neurons, time=time / 2, certificates=certificates, told=told, **how)
        *_, floats = report.in_floats(arithmetic, max(whole.left or 0.0, 1e-3), progress)
        return replace(report, floats=floats)
    if isinstance(set_, Union):
        return _on_pieces(network, set_, layers, neurons, time, certificates, told, how)
    keeper = _Keeper(None if certificates is None else writable(certificates), network, set_)
    told_of = dict.fromkeys(range(1, network.depth + 1), (0, 1))

    def advanced(layer: int, decided: int, asked: int) -> None:
        told_of[layer] = decided, asked
        if progress is not None:
            progress(f"layer {layer}", decided, asked)

    def grown(tree: Tree) -> None:
        if progress is not None:
            progress(f"layer {tree.level}, neuron {tree.neuron}: {tree}", *told_of[tree.level])
        keeper.watch(tree)

    found: dict[int, LayerReport] = {}
    written: dict[tuple[int, int], str] = {}
    with workers_on(workers, scheduler) as (executor, _):
        try:
            for layer in judged(
                network, set_, layers, neurons, Budget(time, regions), advanced,
                each=neuron_time, executor=executor, known=keeper.known, save=keeper.save, open_=grown,
            ):  # fmt: skip
                found[layer.layer] = layer
                paths = keeper.write(layer)
                written |= {(layer.layer, neuron): path for neuron, path in paths.items()}
                if told is not None:
                    told(layer, paths)
        finally:
            keeper.keep()
    return Report(network, set_, found, time, written)


def check_arithmetic(arithmetic: str, domain: Domain) -> None:
    """Can rounding errors be bounded?

    Raises:
        InputError: the type is not known, or the domain is a union.
    """
    float_type(arithmetic)
    if isinstance(domain, Union):
        raise InputError(PIECEWISE)


def _on_pieces(
    network: Network,
    union: Union,
    layers: list[int] | None,
    neurons: Any,
    time: float,
    certificates: str | PathLike[str] | None,
    told: Callable[[LayerReport, dict[int, str]], None] | None,
    how: dict[str, Any],
) -> UnionReport:
    """Piece by piece, each with an even share of the time that is left and a directory of its own."""
    budget = Budget(time)
    chosen = network.judged if layers is None else layers
    asked = {layer: _neurons_of(network, layer, neurons) for layer in chosen}
    parts: list[Report] = []
    interrupted: KeyboardInterrupt | None = None
    for k, piece in enumerate(union.pieces):
        rest = open_neurons(asked, [part.layers for part in parts])
        if not rest or budget.ended:
            break
        share = max((budget.left or 0.0) / (len(union.pieces) - k), 1e-3)
        folder = None if certificates is None else writable(Path(certificates) / f"piece-{k + 1}")
        try:
            parts.append(decide(network, piece, list(rest), rest, time=share, certificates=folder, **how))
        except KeyboardInterrupt as stop:
            interrupted = stop
            break
    found = united(asked, [*(part.layers for part in parts), *({} for _ in union.pieces[len(parts) :])], network.widths)
    files_ = {key: path for part in parts for key, path in part.files.items()}
    if told is not None:
        for layer in found:
            told(layer, {neuron: path for (level, neuron), path in files_.items() if level == layer.layer})
    if interrupted is not None:
        raise interrupted
    return UnionReport(network, union, {layer.layer: layer for layer in found}, time, files_, parts=tuple(parts))


def _neurons_of(network: Network, layer: int, neurons: Any) -> list[int]:
    """Those asked about in a layer."""
    if not 1 <= layer <= network.depth:
        raise InputError(f"there is no layer {layer}: the model has {network.depth} ReLU layers")
    chosen = neurons.get(layer) if isinstance(neurons, Mapping) else neurons
    width = network.widths[layer - 1]
    for i in chosen or ():
        if not 0 <= i < width:
            raise InputError(f"there is no neuron {i} in layer {layer}, which has {width}")
    return list(range(width)) if chosen is None else sorted(set(chosen))


def _layers(layers: Any) -> list[int] | None:
    return None if layers is None else integers(layers, "layers")


def _neurons(neurons: Any) -> list[int] | dict[int, list[int]] | None:
    """Those of each layer, or of a layer -> those of it."""
    if isinstance(neurons, Mapping):
        return {integer(l, "a layer"): integers(some, f"the neurons of layer {l}") for l, some in neurons.items()}
    return None if neurons is None else integers(neurons, "neurons")


class _Keeper:
    """What is proved goes to a directory as it comes; without a directory, nowhere."""

    def __init__(self, directory: Path | None, network: Network, domain: Polyhedron | FiniteSet) -> None:
        self.directory = directory
        self.known: list[Claim] = []
        self.saver: files.Saver | None = None
        if directory is not None:
            self.digests = network.digest, str(domain.checked.digest())
            self.known = files.known(directory, *self.digests)
            self.saver = files.Saver(directory, *self.digests)

    def save(self, verdict: Verdict, points: list[list[str]]) -> None:
        if self.saver is not None and verdict.claim is not None:
            self.saver.add(verdict.claim, points)

    def watch(self, tree: Tree) -> None:
        if self.saver is not None:
            self.saver.watch(tree)

    def keep(self) -> None:
        if self.saver is not None:
            self.saver.keep()

    def write(self, layer: LayerReport) -> dict[int, str]:
        if self.directory is None:
            return {}
        claims = [v.claim for v in layer.verdicts if v.claim is not None]
        return files.write(self.directory, layer.layer, claims, *self.digests, layer.points)


# ---- in words and as data -----------------------------------------------------------------------------------------


def killed(network: Network, layer: int) -> str:
    """What it means that a layer kills the domain."""
    constant = ": the network is constant on it" if network.is_cut_by(layer) else " (connections go around it)"
    return f"Layer {layer} kills the domain{constant}."


def as_json(report: LayerReport, paths: Mapping[int, str]) -> dict[str, Any]:
    """A layer's verdicts as JSON data, with the files of their certificates."""
    return {
        "layer": report.layer,
        "killed": report.killed,
        "neurons": [
            {
                "neuron": v.neuron,
                "status": v.status.value,
                "stable": v.stable,
                "supremum": None if v.supremum is None else str(v.supremum),
                "reason": v.reason,
                "certificate": paths.get(v.neuron),
            }
            for v in report.verdicts
        ],
    }


def as_text(
    report: LayerReport, paths: Mapping[int, str] | None = None, everything: bool = False, most: int | None = None
) -> str:
    """A layer's verdicts as a table; of wide layers the neurons that are not alive, at most so many lines."""
    count = {status: sum(v.status is status for v in report.verdicts) for status in Status}
    stable = sum(v.stable is True for v in report.verdicts)
    said = {True: "killed", False: "not killed", None: "killed or not: open"}[report.killed]
    asked = len(report.verdicts)
    neurons = "neuron" if report.width == 1 else "neurons"
    of = f"{asked} of its {report.width} neurons" if asked < report.width else f"{asked} {neurons}"
    alive, dead, open_ = (count[status] for status in Status)
    lines = [f"Layer {report.layer}: {of}: {dead} dead ({stable} stably), {alive} alive, {open_} undecided; {said}"]
    shown = [v for v in report.verdicts if everything or asked <= 20 or v.status is not Status.ALIVE]
    if shown:
        lines.append("  neuron  status     stably  supremum              reason")
    for v in shown[:most]:
        stably = {True: "yes", False: "no", None: "-"}[v.stable] if v.status is Status.DEAD else ""
        file = f"  [{paths[v.neuron]}]" if paths and v.neuron in paths else ""
        lines.append(f"  {v.neuron:>6}  {v.status.value:<9}  {stably:<6}  {_supremum(v):<20}  {v.reason}{file}")
    if most is not None and len(shown) > most:
        lines.append(f"  ... and {len(shown) - most} more")
    return "\n".join(lines)


def _supremum(verdict: Verdict) -> str:
    """Exact where that is short, else rounded and marked as such."""
    if verdict.supremum is None:
        return ""
    text = str(verdict.supremum)
    if len(text) <= 20 or isinstance(verdict.supremum, str):
        return text
    try:
        return f"~{float(verdict.supremum):.10g}"
    except OverflowError:
        return "huge"
