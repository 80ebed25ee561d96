"""Verdicts on a union of polyhedra, from those on its pieces.

A neuron is dead on a union if it is dead on each piece, and alive if it is alive on one of them; it is stably dead if
it is so on each (they are finitely many); its supremum is the greatest. Each piece has certificates of its own, so the
checker needs to know nothing of unions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import PurePath

from geomrelu.deadness.verdict import LayerReport, Status, Verdict

__all__ = ["evidence", "open_neurons", "united", "witness"]

Reports = Mapping[int, LayerReport]


def open_neurons(asked: Mapping[int, Sequence[int]], done: Sequence[Reports]) -> dict[int, list[int]]:
    """Of the neurons asked about, layer by layer, those that a further piece may still say something about.

    In layer 1 all of them, as their suprema cost next to nothing; deeper, those not known to be alive.
    """
    alive = {(v.layer, v.neuron) for reports in done for r in reports.values() for v in r.verdicts if _is_alive(v)}
    rest = {layer: [i for i in neurons if layer == 1 or (layer, i) not in alive] for layer, neurons in asked.items()}
    return {layer: neurons for layer, neurons in rest.items() if neurons}


def united(asked: Mapping[int, Sequence[int]], pieces: Sequence[Reports], widths: Sequence[int]) -> list[LayerReport]:
    """The reports on the union.

    Args:
        asked: layer -> neurons. pieces: for each piece, what is known on it; a verdict may be missing.
        widths: neurons of each layer.
    """
    found = []
    for layer, neurons in asked.items():
        parts: dict[int, list[tuple[int, Verdict]]] = {i: [] for i in neurons}
        for k, reports in enumerate(pieces, 1):
            if layer in reports:
                report = reports[layer]
                for verdict in report.verdicts:
                    parts[verdict.neuron].append((k, _with_point(verdict, report.points)))
        verdicts = tuple(_united(layer, i, parts[i], len(pieces)) for i in neurons)
        found.append(LayerReport(layer, widths[layer - 1], verdicts, []))
    return found


def witness(verdict: Verdict) -> int:
    """The piece (from 1) on which a neuron that is alive on a union is said to be alive: where it is largest."""
    living = [k for k, part in enumerate(verdict.parts, 1) if _is_alive(part)]
    return max(living, key=lambda k: _order(verdict.parts[k - 1].supremum))


def evidence(verdict: Verdict, files: Sequence[Mapping[tuple[int, int], str]]) -> str | None:
    """Where what proves a verdict is written: on the piece of the witness, or on all pieces, as a shell pattern.

    Args:
        files: of each piece, (layer, neuron) -> file.
    """
    found = [own[key] for own in files if (key := (verdict.layer, verdict.neuron)) in own]
    if len(found) < len(verdict.parts) or verdict.status is Status.UNDECIDED:
        return None
    if _is_alive(verdict):
        return found[witness(verdict) - 1]
    names = {PurePath(path).name for path in found}
    return str(PurePath(found[0]).parent.parent / "piece-*" / (names.pop() if len(names) == 1 else "*.json"))


def _is_alive(verdict: Verdict) -> bool:
    return verdict.status is Status.ALIVE


def _with_point(verdict: Verdict, points: list[list[str]]) -> Verdict:
    """The same, its point written out: pieces number their points each for itself."""
    claim = verdict.claim
    if claim is None or type(claim.get("point")) is not int:
        return verdict
    written = {**claim, "point": points[claim["point"]]}
    return Verdict(
        verdict.layer, verdict.neuron, verdict.status, verdict.stable, verdict.supremum, verdict.reason, written
    )


def _united(layer: int, neuron: int, parts: list[tuple[int, Verdict]], count: int) -> Verdict:
    verdicts = tuple(verdict for _, verdict in parts)
    supremum = _greatest([v.supremum for v in verdicts]) if len(verdicts) == count else None
    alive = [(k, v) for k, v in parts if _is_alive(v)]
    if alive:
        k, best = max(alive, key=lambda part: _order(part[1].supremum))  # as in witness
        reason = f"on piece {k} of {count}: {best.reason}"
        return Verdict(layer, neuron, Status.ALIVE, None, supremum, reason, best.claim, verdicts)
    if len(verdicts) == count and all(v.status is Status.DEAD for v in verdicts):
        stable = _all([v.stable for v in verdicts])
        return Verdict(layer, neuron, Status.DEAD, stable, supremum, f"on all {count} pieces", None, verdicts)
    k, first = next(
        ((k, v) for k, v in parts if v.status is Status.UNDECIDED), (len(parts) + 1, None)
    )  # none: the budget ended before that piece
    reason = f"on piece {k} of {count}: {'not reached' if first is None else first.reason}"
    return Verdict(layer, neuron, Status.UNDECIDED, None, None, reason, None, verdicts)


def _all(values: list[bool | None]) -> bool | None:
    return False if False in values else None if None in values else True


def _greatest(values: list[Fraction | str | None]) -> Fraction | str | None:
    if "inf" in values:
        return "inf"
    exact = [v for v in values if isinstance(v, Fraction)]
    return max(exact) if len(exact) == len(values) else None


def _order(value: Fraction | str | None) -> tuple[int, Fraction]:
    return (2, Fraction(0)) if value == "inf" else (1, value) if isinstance(value, Fraction) else (0, Fraction(0))
