"""What is on the page: a dictionary of lists and strings, a letter or a short number for each neuron."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from geomrelu.certificates.files import TOGETHER, by_intervals
from geomrelu.deadness.page.pictures import Album, Shape, near
from geomrelu.deadness.ranges import Range, Ranges, outward
from geomrelu.deadness.unions import witness
from geomrelu.deadness.verdict import LayerReport, Status, Verdict
from geomrelu.deadness.witnesses import Judged, witnesses
from geomrelu.geometry.domains import Union
from geomrelu.network.network import Network

__all__ = ["KINDS", "Judged", "content", "kind_of", "saving"]

KINDS = (  # letter, name, meaning
    ("S", "stably dead", "z is at most a negative number on the whole set, also when the parameters change a little"),
    ("D", "dead", "z <= 0 on the whole set; not stably, or that is not known"),
    ("T", "dead, touches 0", "the supremum of z is exactly 0: the smallest push to the bias revives it"),
    ("A", "always active", "z >= 0 on the whole set: its ReLU is the identity there"),
    ("L", "alive", "z > 0 at a known point of the set"),
    ("?", "undecided", "the budget ended first"),
)
SHORT = 20  # digits of an exact number that is shown as it is
BOUNDED = "its proved lower bound, see the certificates of ranges"
COORDINATES = 64  # of a point that is shown in numbers
Key = tuple[int, int]


def content(report: Judged, ranges: Ranges | None, shape: Shape | None, links: Sequence[str]) -> dict[str, Any]:
    """All that the page shows.

    Args:
        shape: (channels, height, width, whether channels come last) of the input if it is an image. links: the files of
            certificates.
    """
    network = report.network
    album = Album(network, shape, report.domain)
    seen_at = witnesses(report)
    bounds: Mapping[Key, Range] = {} if ranges is None else ranges.found
    reasons: dict[str, int] = {}
    points: dict[tuple[str, ...], int] = {}
    numbers: dict[int, int] = {}
    layers = []
    places = {piece: _places(links, piece) for piece in {0, *map(_piece, report.verdicts)}}
    for layer in report:
        one = _layer(layer, bounds, network)
        pairs = list(zip(layer.verdicts, one["kinds"], strict=True))
        said = [BOUNDED if v.status is Status.UNDECIDED and kind == "A" else v.reason for v, kind in pairs]
        one["reason"] = [reasons.setdefault(reason, len(reasons)) for reason in said]
        one["file"] = [_file(v, places[_piece(v)], kind) for v, kind in pairs]
        seen = [seen_at.get((v.layer, v.neuron)) for v in layer.verdicts]
        for p in seen:  # of thousands of coordinates, and one for many neurons: each is hashed once
            if p is not None and id(p) not in numbers:
                numbers[id(p)] = points.setdefault(p, len(points))
        one["point"] = [-1 if p is None else numbers[id(p)] for p in seen]
        layers.append(one)
    dead = {(v.layer, v.neuron) for v in report.verdicts if v.status is Status.DEAD}
    before, saved = saving(network, dead)
    return {
        "model": network.digest,
        "set": str(report.domain.digest if isinstance(report.domain, Union) else report.domain.checked.digest()),
        "told": [] if network.reading is None else list(network.reading.told([layer.layer for layer in report])),
        "inputs": network.inputs,
        "image": None if shape is None else list(shape[:3]),
        "layers": layers,
        "reasons": list(reasons),
        "files": list(links),
        "filters": album.filters(layers),
        "points": [album.witness(point) or _numbers(point) for point in points],
        "omitted": album.omitted,
        "range": album.scale,
        "before": before,
        "saved": saved,
        "dead": len(dead),
        "killed": report.killed_by,
    }


def kind_of(verdict: Verdict, known: Range | None) -> str:
    """The letter of a neuron, see :data:`KINDS`."""
    if verdict.status is Status.UNDECIDED:
        return "A" if known is not None and known.lower is not None and known.lower >= 0 else "?"
    if verdict.status is Status.DEAD:
        if _supremum(verdict, known) == 0:
            return "T"
        return "S" if verdict.stable is True else "D"
    return "A" if known is not None and known.lower is not None and known.lower >= 0 else "L"


def _supremum(verdict: Verdict, known: Range | None) -> Fraction | str | None:
    """Exactly, if it is known."""
    if verdict.supremum is not None:
        return verdict.supremum
    return known.upper if known is not None and known.attained[1] else None


def _layer(layer: LayerReport, bounds: Mapping[Key, Range], network: Network) -> dict[str, Any]:
    read = None if network.reading is None else network.reading.layers[layer.layer - 1]
    shape = (layer.width,) if read is None or math.prod(read.shape) != layer.width else read.shape
    ranges = [bounds.get((v.layer, v.neuron)) for v in layer.verdicts]
    pairs = list(zip(layer.verdicts, ranges, strict=True))
    shown = [_upper(v, r) for v, r in pairs]
    lower = [None if r is None or r.lower is None else -_short(outward(-r.lower)) for r in ranges]
    asked = [v.neuron for v in layer.verdicts]
    return {
        "layer": layer.layer,
        "name": "" if read is None else read.name[:80],
        "relu": "ReLU" if read is None else read.kind,
        "width": layer.width,
        "shape": list(shape),
        "neurons": None if len(asked) == layer.width else asked,
        "kinds": "".join(kind_of(v, r) for v, r in pairs),
        "upper": [value for value, _, _ in shown],
        "exact": "".join("01"[exact] for _, exact, _ in shown),
        "text": {i: text for i, (_, _, text) in enumerate(shown) if text},
        "lower": [None if low is None or math.isinf(low) else low for low in lower],
        "filter": [-1] * len(asked),
    }


def _upper(verdict: Verdict, known: Range | None) -> tuple[float | None, bool, str]:
    """(the supremum or a proved bound rounded up to six digits, or None; is it the supremum?; exactly, if short)."""
    supremum = _supremum(verdict, known)
    if isinstance(supremum, str):
        return None, True, supremum
    if supremum is not None:
        text = str(supremum)
        return _finite(_short(outward(supremum))), True, text if len(text) <= SHORT else ""
    upper = None if known is None else known.upper
    if verdict.status is Status.DEAD:
        upper = min(upper, Fraction(0)) if upper is not None else Fraction(0)
    return (None if upper is None else _finite(_short(outward(upper)))), False, ""


def _short(value: float) -> float:
    """Six digits, rounded up."""
    if not value or math.isinf(value):
        return value
    near = float(f"{value:.5e}")
    if near >= value:
        return near
    return float(f"{near + 10.0 ** (math.floor(math.log10(abs(value))) - 5):.5e}")


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


# ---- certificates and points -------------------------------------------------------------------------------------


def _piece(verdict: Verdict) -> int:
    """Of a union, the piece whose certificate is shown; 0: there is but one set, or all are meant."""
    if not verdict.parts or verdict.status is Status.UNDECIDED:
        return 0
    return witness(verdict) if verdict.status is Status.ALIVE else 1


def _places(links: Sequence[str], piece: int) -> dict[str, list[int]]:
    """Name of a file, and name without its last number -> which links, of those that are about a piece."""
    found: dict[str, list[int]] = {}
    for k, link in enumerate(links):
        if piece and PurePosixPath(link).parent.name != f"piece-{piece}":
            continue
        name = PurePosixPath(link).name
        found.setdefault(name, []).append(k)
        found.setdefault(name.rpartition("-")[0], []).append(k)
    return found


def _file(verdict: Verdict, places: Mapping[str, list[int]], kind: str) -> int:
    """The certificate of a verdict: that of the neuron alone, or one that its layer shares; -1: none."""
    if verdict.status is Status.UNDECIDED:
        bounds = places.get(f"ranges-layer-{verdict.layer}", ())
        return bounds[0] if kind == "A" and len(bounds) == 1 else -1
    head = f"layer-{verdict.layer}"
    own = places.get(f"{head}-neuron-{verdict.neuron}.json")
    if own is not None:
        return own[0]
    if verdict.is_shared and TOGETHER in places:
        return places[TOGETHER][0]
    first = f"{head}-intervals.json" if by_intervals(verdict.claim or {}) else f"{head}.json"
    return next((places[name][0] for name in (first, f"{head}.json", f"{head}-intervals.json") if name in places), -1)


def _numbers(point: tuple[str, ...]) -> list[float] | None:
    """Rounded, if they are few."""
    return [float(f"{near(x):.6g}") for x in point] if len(point) <= COORDINATES else None


# ---- what pruning saves ------------------------------------------------------------------------------------------


def saving(network: Network, dead: set[Key]) -> tuple[list[int], list[int]]:
    """Neurons and parameters: all of them, and those that go with the dead ones; a layer keeps one neuron.

    A parameter is a nonzero weight or a bias. Cost: linear in the weights.
    """
    gone = np.zeros(network.starts[-1], dtype=bool)
    removed = 0
    for level, width in enumerate(network.widths, 1):
        own = sorted(i for layer, i in dead if layer == level)
        own = own[1:] if len(own) == width else own
        gone[[network.starts[level] + i for i in own]] = True
        removed += len(own)
    total = lost = 0
    for level, map_ in enumerate([*network.layers, *([] if network.output is None else [network.output])], 1):
        rows = np.zeros(map_.outputs, dtype=bool)
        if level <= network.depth:
            rows = gone[network.starts[level] : network.starts[level + 1]]
        row_of = map_.row_of
        total += len(map_.indices) + map_.outputs
        lost += int((rows[row_of] | gone[map_.indices]).sum()) + int(rows.sum())
    return [sum(network.widths), total], [removed, lost]
