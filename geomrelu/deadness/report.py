"""What is known of the neurons of a network on a set: to be read, kept on disk, and judged again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

from geomrelu import checker
from geomrelu.budget import Budget
from geomrelu.certificates import files
from geomrelu.certificates.files import Claim
from geomrelu.deadness import page
from geomrelu.deadness.always_active import always_active
from geomrelu.deadness.in_floats import InFloats, in_floats
from geomrelu.deadness.ranges import Ranges, united_ranges
from geomrelu.deadness.tightening import tightened
from geomrelu.deadness.verdict import LayerReport, Status, Verdict
from geomrelu.errors import InputError
from geomrelu.exact.numbers import approximate, long_numbers
from geomrelu.geometry.domains import OneSet, Union
from geomrelu.geometry.ellipsoid import Ellipsoid
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.io.files import writable
from geomrelu.network.network import Network
from geomrelu.network.quantised import QuantisedNetwork

__all__ = ["CURVED", "PIECEWISE", "Report", "UnionReport", "as_json", "as_text"]

PIECEWISE = "on a union rounding errors are bounded piece by piece: decide on each piece"
CURVED = "rounding errors are bounded on polyhedra and points, not on a ball or an ellipsoid: give a box around it"
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
        unsaved: why something that is proved is not in the directory of certificates, if it is not.

    Layers count from 1, neurons from 0. Iterating gives the layers; ``str()`` is what the command prints.

    Exact: yes, every verdict. Cost of looking: none but for :attr:`active`, :meth:`check` and :meth:`save`.
    """

    network: Network
    domain: OneSet
    layers: Mapping[int, LayerReport]
    seconds: float
    files: Mapping[tuple[int, int], str]
    floats: InFloats | None = None
    unsaved: tuple[str, ...] = ()

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
    @long_numbers()
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
            arithmetic: "float32", "float16" or "bfloat16". seconds: in all.
            progress: called with (what is going on, dead neurons settled, dead neurons).

        Raises:
            InputError: the domain is an ellipsoid.
        """
        if isinstance(self.domain, Ellipsoid):
            raise InputError(CURVED)
        return in_floats(self.network, self.domain, arithmetic, list(self), Budget(seconds), progress)

    @property
    def killed_by(self) -> int | None:
        """The first layer that kills the domain; None if none is known to."""
        return next((layer.layer for layer in self if layer.killed), None)

    def _with(self, status: Status) -> Neurons:
        return [(v.layer, v.neuron) for v in self.verdicts if v.status is status]

    @cached_property
    @long_numbers()
    def _active(self) -> list[Claim]:
        return _always_active(self.network, self.domain, self.alive, Budget(self.seconds))

    # ---- certificates -----------------------------------------------------------------------------------------

    @property
    def _digests(self) -> tuple[str, str]:
        return self.network.digest, str(self.domain.checked.digest())

    @property
    @long_numbers()
    def certificates(self) -> list[dict[str, Any]]:
        """One certificate a layer, as JSON data: the claims proved, with those of :attr:`active` if it was asked; and
        one of the claims that share a tree."""
        claims = {layer.layer: list(map(files.unpacked, claims_of(layer))) for layer in self}
        for claim in self.__dict__.get("_active", ()):
            claims[claim["layer"]].append(claim)
        return [
            files.as_certificate(claims[layer.layer], *self._digests, layer.points)
            for layer in self
            if claims[layer.layer]
        ] + [files.as_certificate(some, *self._digests, []) for some in [self._shared] if some]

    @property
    def _shared(self) -> list[Claim]:
        return [claim for layer in self for claim in shared_claims_of(layer)]

    @long_numbers()
    def check(self) -> int:
        """Judge all claims again with the plain judge; the number of claims, all of them proved.

        Raises:
            Rejected: of :mod:`geomrelu.checker`; the text says which claim, and why.
        """
        return sum(_checked(certificate, self.network, self.domain) for certificate in self.certificates)

    @long_numbers()
    def save(self, directory: str | PathLike[str]) -> list[str]:
        """Write the certificates to a directory, for ``geomrelu check``; the files.

        Raises:
            InputError: the directory holds claims about another model or domain, or cannot be written.
        """
        target = writable(directory)
        written: list[str] = []
        for layer in self:
            written += files.write(target, layer.layer, claims_of(layer), *self._digests, layer.points).values()
        if self._shared:
            written.append(files.write_shared(target, self._shared, *self._digests, set()))
        written += _save_active(target, _certificates(self.__dict__.get("_active", ()), *self._digests))
        return list(dict.fromkeys(written))

    @long_numbers()
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

    @property
    def _stability(self) -> bool:
        """Is it asked which dead neurons are stably dead?"""
        return True

    def __str__(self) -> str:
        return self._text(None)

    def __repr__(self) -> str:
        return self._text(MOST_LINES)

    @long_numbers()
    def _text(self, most: int | None) -> str:
        parts = self._told
        parts += [as_text(layer, self._files_of(layer.layer), most=most, stability=self._stability) for layer in self]
        if self.killed_by is not None:
            parts.append(killed(self.network, self.killed_by))
        parts += [f"Not saved: {text}." for text in self.unsaved]
        return "\n".join(parts)

    @property
    def _told(self) -> list[str]:
        """What is to be known before the verdicts are read."""
        reading = self.network.reading
        return [] if reading is None else [f"{line}." for line in reading.told(list(self.layers))]

    def _files_of(self, layer: int) -> dict[int, str]:
        return {neuron: path for (level, neuron), path in self.files.items() if level == layer}

    @long_numbers()
    def _repr_html_(self) -> str:
        rows = [f"<p>{escape(line)}</p>" for line in self._told]
        for layer in self:
            first, *lines = as_text(layer, most=MOST_LINES, stability=self._stability).split("\n")
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
        """Of a union rounding errors are bounded piece by piece: whatever the arithmetic, seconds and progress.

        Raises:
            InputError: always.
        """
        raise InputError(PIECEWISE)

    @cached_property
    def _active(self) -> list[Claim]:
        """The claims on the last piece about neurons that are always active on all of them."""
        return self._active_on[-1]

    @cached_property
    def _active_on(self) -> list[list[Claim]]:
        """The claims about these neurons on each piece. One that is alive on another piece may be 0 on all of this."""
        budget, pieces = Budget(self.seconds), self.domain.pieces
        found, open_ = [], self.alive
        for k, piece in enumerate(pieces):
            found.append(_always_active(self.network, piece, open_, budget.share(len(pieces) - k)))
            open_ = list(map(_neuron, found[-1]))
        active = set(open_)
        return [[claim for claim in claims if _neuron(claim) in active] for claims in found]

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
    @long_numbers()
    def certificates(self) -> list[dict[str, Any]]:
        """Those of the pieces, one after the other; at the end those of :attr:`active`, if it was asked."""
        return [
            *(certificate for part in self.parts for certificate in part.certificates),
            *(certificate for _, certificates in self._proofs_of_active for certificate in certificates.values()),
        ]

    @property
    def _proofs_of_active(self) -> list[tuple[Polyhedron, dict[int, dict[str, Any]]]]:
        """Pieces, and for each the certificates of the layers."""
        found = self.__dict__.get("_active_on", ())
        return [
            (piece, _certificates(claims, self.network.digest, str(piece.checked.digest())))
            for piece, claims in zip(self.domain.pieces, found, strict=False)
        ]

    @long_numbers()
    def check(self) -> int:
        """As on one polyhedron, piece by piece."""
        return sum(part.check() for part in self.parts) + sum(
            _checked(certificate, self.network, piece)
            for piece, certificates in self._proofs_of_active
            for certificate in certificates.values()
        )

    @long_numbers()
    def save(self, directory: str | PathLike[str]) -> list[str]:
        """As on one polyhedron, to folders ``piece-1``, ``piece-2``, ... of the directory."""
        folders = [Path(directory) / f"piece-{k}" for k in range(1, len(self.domain.pieces) + 1)]
        written = [path for part, folder in zip(self.parts, folders, strict=False) for path in part.save(folder)]
        for (_, certificates), folder in zip(self._proofs_of_active, folders, strict=False):
            written += _save_active(folder, certificates)
        return written


def _neuron(claim: Claim) -> tuple[int, int]:
    return claim["layer"], claim["neuron"]


def _always_active(network: Network, domain: OneSet, neurons: Neurons, budget: Budget) -> list[Claim]:
    """The claims about those of some neurons that are always active."""
    asked: dict[int, list[int]] = {}
    for layer, neuron in neurons:
        asked.setdefault(layer, []).append(neuron)
    return sorted(always_active(network, domain, asked, budget), key=_neuron)


def _certificates(claims: Iterable[Claim], model: str, domain: str) -> dict[int, dict[str, Any]]:
    """One for each layer."""
    by_layer: dict[int, list[Claim]] = {}
    for claim in claims:
        by_layer.setdefault(claim["layer"], []).append(claim)
    return {layer: files.as_certificate(some, model, domain, []) for layer, some in by_layer.items()}


def _checked(certificate: Mapping[str, Any], network: Network, domain: OneSet) -> int:
    """How many claims the plain judge accepts."""
    return len(checker.check(json.loads(json.dumps(certificate)), network.checked, domain.checked))


def _save_active(directory: Path, certificates: Mapping[int, dict[str, Any]]) -> list[str]:
    """The files with the claims about neurons that are always active."""
    written = []
    for layer, certificate in certificates.items():
        path = writable(directory) / f"active-layer-{layer}.json"
        files.save(path, certificate)
        written.append(str(path))
    return written


def claims_of(report: LayerReport) -> Iterator[Claim]:
    """Those of a layer, packed, but for those that share a tree."""
    return (v.packed for v in report.verdicts if v.packed is not None and not v.is_shared)


def shared_claims_of(report: LayerReport) -> Iterator[Claim]:
    """Those that share a tree."""
    return (v.packed for v in report.verdicts if v.packed is not None and v.is_shared)


# ---- in words and as data -----------------------------------------------------------------------------------------


def killed(network: Network | QuantisedNetwork, layer: int) -> str:
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
    report: LayerReport,
    paths: Mapping[int, str] | None = None,
    everything: bool = False,
    most: int | None = None,
    *,
    stability: bool = True,
) -> str:
    """A layer's verdicts as a table; of wide layers the neurons that are not alive, at most so many lines.

    Args:
        stability: say which dead neurons are stably dead; that is not asked of quantised networks.
    """
    count = {status: sum(v.status is status for v in report.verdicts) for status in Status}
    stable = sum(v.stable is True for v in report.verdicts)
    said = {True: "killed", False: "not killed", None: "killed or not: open"}[report.killed]
    asked = len(report.verdicts)
    neurons = "neuron" if report.width == 1 else "neurons"
    of = f"{asked} of its {report.width} neurons" if asked < report.width else f"{asked} {neurons}"
    alive, dead, open_ = (count[status] for status in Status)
    stably = f" ({stable} stably)" if stability else ""
    lines = [f"Layer {report.layer}: {of}: {dead} dead{stably}, {alive} alive, {open_} undecided; {said}"]
    shown = [v for v in report.verdicts if everything or asked <= 20 or v.status is not Status.ALIVE]
    if shown:
        lines.append(f"  neuron  status     {'stably  ' if stability else ''}supremum              reason")
    for v in shown[:most]:
        stably = {True: "yes", False: "no", None: "-"}[v.stable] if v.status is Status.DEAD else ""
        file = f"  [{paths[v.neuron]}]" if paths and v.neuron in paths else ""
        stably = f"{stably:<6}  " if stability else ""
        lines.append(f"  {v.neuron:>6}  {v.status.value:<9}  {stably}{_supremum(v):<20}  {v.reason}{file}")
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
    return f"~{approximate(verdict.supremum, 10)}"
