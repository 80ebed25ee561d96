"""Which neurons are dead in floating point: a margin that no rounding can use up, or an input where a neuron fires.

A neuron whose pre-activation is at most U on the domain, and off by at most E in floats (see
:mod:`geomrelu.deadness.float_arithmetic`), never fires in floats if U + E <= 0. U is the supremum, or the upper end of
the proved range; where that is not low enough, z <= -E is decided as the deadness of the neuron with its bias raised by
E, and the proof is a claim for the judge. The other dead neurons may fire by rounding: they are evaluated in floats,
summed in several orders, where they are largest and nearby.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import islice
from math import ceil, lcm
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from geomrelu import checker
from geomrelu.budget import Budget, Exhausted
from geomrelu.certificates import files
from geomrelu.certificates.batch import Quick
from geomrelu.certificates.files import Claim
from geomrelu.deadness.decide import decide
from geomrelu.deadness.float_arithmetic import Evaluator, FloatType, errors, float_type
from geomrelu.deadness.ranges import Ranges
from geomrelu.deadness.relaxation import FloatNetwork
from geomrelu.deadness.tightening import tightened
from geomrelu.deadness.verdict import LayerReport, Status, Verdict
from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineForm
from geomrelu.exact.numbers import approximate, nearest_float
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.io.store import onnx_bytes
from geomrelu.network.network import Network

__all__ = ["DEAD", "REALS_ONLY", "FloatVerdict", "InFloats", "check_floats", "in_floats"]

Array = np.ndarray
DEAD, REALS_ONLY, OPEN = "dead in floats too", "dead over the reals only", "dead over the reals, open in floats"
ALIVE, UNDECIDED = "alive over the reals", "undecided"
SLACK = Fraction(1, 1 << 20)  # relative: a proof in fixed point may lose a little
PLAIN = {  # operators that multiply no two parameters and round nothing, or are one sum of products
    *("MatMul", "Gemm", "Add", "Conv", "Flatten", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Identity"),
    *("Dropout", "Linear", "Conv1d", "Conv2d", "Conv3d", "Relu", "Constant", "Slice", "Concat", "Pad", "Gather"),
}
STARTS, STEPS = 64, 30  # of the search for the largest values, in float64
NEAR = 8  # points around each of the best ones
ORDERS = (("stored", 0), ("reversed", 0), *(("random", seed) for seed in range(6)))
CHEAP = 4  # steps of the search for ranges: up to slopes
DENSE = 1 << 22  # weights of a network that onnxruntime is asked about, zeros included


@dataclass(frozen=True)
class FloatVerdict:
    """What is known about a neuron in floats.

    Attributes:
        status: "dead in floats too"; "dead over the reals only", with an input where it fires in floats; "dead over the
            reals, open in floats", if neither was found; "alive" or "undecided", over the reals.
        error: a bound of the rounding error of its pre-activation; inf if there is none.
        upper: a proved upper bound of its exact pre-activation; None if there is none.
        point: numbers of the type, in the domain, where it fires; how: in which order of summation, or in onnxruntime.
        claim: that z <= -error, if that had to be proved; else the bound is that of the verdict or of the range.
    """

    layer: int
    neuron: int
    status: str
    error: float
    upper: Fraction | None = None
    point: tuple[Fraction, ...] | None = None
    how: str = ""
    claim: Claim | None = None


@dataclass(frozen=True, eq=False, repr=False)
class InFloats:
    """The verdicts about a network on a set, in one floating-point type; iterating gives them in order.

    Attributes:
        arithmetic: the type. found: (layer, neuron) -> its :class:`FloatVerdict`.
        notes: what the bounds presume about the file, a line each.
    """

    network: Network
    domain: Polyhedron | FiniteSet
    arithmetic: str
    found: Mapping[tuple[int, int], FloatVerdict]
    notes: Sequence[str] = field(default=())

    def __iter__(self) -> Iterator[FloatVerdict]:
        return iter(self.found.values())

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, key: tuple[int, int]) -> FloatVerdict:
        return self.found[key]

    def with_status(self, status: str) -> list[tuple[int, int]]:
        """(layer, neuron) of the neurons of one status."""
        return [(v.layer, v.neuron) for v in self if v.status == status]

    @property
    def dead(self) -> list[tuple[int, int]]:
        """(layer, neuron) of the neurons that never fire in floats, whatever the order of summation."""
        return self.with_status(DEAD)

    @property
    def certificates(self) -> list[dict[str, Any]]:
        """The claims that z <= -error, where that had to be proved, as JSON data."""
        claims = [v.claim for v in self if v.claim is not None]
        digests = self.network.digest, str(self.domain.checked.digest())
        return [files.as_certificate(claims, *digests, [])] if claims else []

    def save_certificates(self, directory: str | PathLike[str]) -> list[str]:
        """Write the claims to a directory, for ``geomrelu check``; the files."""
        path = Path(directory) / f"margins-{self.arithmetic}.json"
        for certificate in self.certificates:
            files.save(path, certificate)
        return [str(path)] if self.certificates else []

    def as_json(self) -> dict[str, Any]:
        """As JSON data."""
        neurons = [
            {
                "layer": v.layer,
                "neuron": v.neuron,
                "status": v.status,
                "error": v.error if np.isfinite(v.error) else None,
                "upper": None if v.upper is None else str(v.upper),
                "point": None if v.point is None else [str(x) for x in v.point],
                "how": v.how or None,
            }
            for v in self
        ]
        return {"arithmetic": self.arithmetic, "notes": list(self.notes), "neurons": neurons}

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def text(self, everything: bool = False) -> str:
        """A table; without the living neurons unless everything is wanted."""
        lines = [f"note: {note}" for note in self.notes]
        layers: dict[int, list[FloatVerdict]] = {}
        for v in self:
            layers.setdefault(v.layer, []).append(v)
        for layer, own in layers.items():
            names = (DEAD, REALS_ONLY, OPEN, ALIVE, UNDECIDED)
            count = ", ".join(f"{n} {name}" for name in names if (n := sum(v.status == name for v in own)))
            lines.append(f"Layer {layer} in {self.arithmetic}: {count}")
            shown = [v for v in own if everything or v.status not in (ALIVE, UNDECIDED)]
            if shown:
                lines.append("  neuron  error         at most       status")
            for v in shown:
                top = "" if v.upper is None else approximate(v.upper)
                how = f" (fires, {v.how})" if v.how else ""
                lines.append(f"  {v.neuron:>6}  {v.error:<12.6g}  {top:<12}  {v.status}{how}")
        return "\n".join(lines)


def in_floats(
    network: Network,
    domain: Polyhedron | FiniteSet,
    arithmetic: str,
    layers: Sequence[LayerReport],
    budget: Budget | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Iterator[InFloats]:
    """Verdicts in floats of neurons that were judged over the reals; each step knows more, the last ones are the best.

    Args:
        arithmetic: "float32", "float16" or "bfloat16". layers: what is known over the reals.
        progress: called with (what is going on, dead neurons settled, dead neurons).

    Raises:
        InputError: see :func:`check_floats`.

    Exact: "dead in floats too" is proved for every input that consists of numbers of the type, with a bound rounded
    upward; a point where a neuron fires was evaluated as is said.
    """
    kind = check_floats(arithmetic, network, domain, max((layer.layer for layer in layers), default=0))
    return _Search(network, domain, kind, layers, Budget.of(budget), progress).run()


def check_floats(arithmetic: str, network: Network, domain: Polyhedron | FiniteSet, deepest: int) -> FloatType:
    """The type, if the network up to a layer can be computed in it at some point of the domain.

    Raises:
        InputError: no such type; layers that are no ReLU layers; a parameter that becomes infinite in the type; an
            input, or a finite set, without a number of the type.
    """
    kind = float_type(arithmetic)
    if network.reading is not None:
        for level, layer in enumerate(network.reading.layers, 1):
            if layer.kind != "ReLU" or not layer.own:
                raise InputError(f"layer {level} is a {layer.kind}: rounding is bounded for ReLU layers only")
    for level, map_ in enumerate(network.layers[:deepest], 1):
        limit = ceil(kind.overflow * map_.denominator)
        data = [map_.data.min(), map_.data.max()] if len(map_.data) else []  # there may be millions
        if any(abs(int(v)) >= limit for v in (*data, *map_.bias)):
            count = sum(abs(v) >= limit for v in (*map_.data.tolist(), *map_.bias))
            said = "a parameter is" if count == 1 else f"{count} parameters are"
            raise InputError(
                f"layer {level}: {said} infinite in {kind.name}, whose largest number is {float(kind.largest):.6g}"
            )
    if isinstance(domain, FiniteSet):
        if not any(all(kind.has(x) for x in point) for point in domain.points):
            raise InputError(f"no point of the domain consists of {kind.name} numbers")
        return kind
    sides = list(zip(domain.checked.lower, domain.checked.upper, strict=True))
    for low, high in dict.fromkeys(sides):
        if low is not None and high is not None and _above(low, kind) > high:
            j = sides.index((low, high))
            raise InputError(f"input {j} of the domain lies in [{low}, {high}], where there is no {kind.name} number")
    return kind


class _Search:
    def __init__(
        self,
        network: Network,
        domain: Polyhedron | FiniteSet,
        kind: FloatType,
        layers: Sequence[LayerReport],
        budget: Budget,
        progress: Callable[[str, int, int], None] | None,
    ) -> None:
        self.network, self.domain, self.kind, self.budget, self.progress = network, domain, kind, budget, progress
        self.layers = [layer for layer in layers if layer.verdicts]
        self.verdicts = {(v.layer, v.neuron): v for layer in self.layers for v in layer.verdicts}
        self.points = {layer.layer: layer.points for layer in self.layers}
        self.found: dict[tuple[int, int], FloatVerdict] = {}
        self.notes: list[str] = []

    def run(self) -> Iterator[InFloats]:
        for step in (self._bounded, self._margins, self._fired):
            try:
                step()
            except Exhausted:
                if self.budget.ended:
                    break
            yield self.result()
        yield self.result()

    def result(self) -> InFloats:
        """What is known now."""
        found = {}
        for key, v in self.verdicts.items():
            known = {Status.ALIVE: ALIVE, Status.UNDECIDED: UNDECIDED, Status.DEAD: OPEN}[v.status]
            found[key] = self.found.get(key, FloatVerdict(*key, known, np.inf))
        return InFloats(self.network, self.domain, self.kind.name, found, tuple(self.notes))

    def _open(self, layer: int) -> list[int]:
        """Dead neurons of which nothing is known in floats."""
        return [i for (at, i), v in self.found.items() if at == layer and v.status == OPEN]

    def _tell(self, what: str) -> None:
        dead = [key for key, v in self.verdicts.items() if v.status is Status.DEAD]
        if self.progress is not None:
            settled = sum(key in self.found and self.found[key].status != OPEN for key in dead)
            self.progress(what, settled, len(dead))

    # ---- bounds ------------------------------------------------------------------------------------------------

    def _bounded(self) -> None:
        """Errors of all neurons, and those whose supremum or range leaves room for them."""
        deepest = max((layer.layer for layer in self.layers), default=0)
        ranges = self._ranges(deepest)
        upper = [np.full(width, np.inf) for width in self.network.widths[: max(deepest - 1, 0)]]
        for r in ranges or ():
            if r.layer <= len(upper):
                upper[r.layer - 1][r.neuron] = r.floats[1]
        for layer, own in enumerate(errors(self.network, self.kind, self._inputs(), upper, deepest), 1):
            self.budget.poll()
            if own.inexact:
                self.notes.append(
                    f"{own.inexact} parameters of layer {layer} are no {self.kind.name} numbers: the network with each"
                    " rounded to nearest is judged"
                )
            for (at, i), verdict in self.verdicts.items():
                if at == layer:
                    self.found[at, i] = self._at_first(verdict, float(own.bound[i]), bool(own.silent[i]), ranges)
        self._presumed()
        self._tell("bounds")

    def _ranges(self, deepest: int) -> Ranges | None:
        """Of all neurons that the deepest layer may depend on, and of those that are judged."""
        asked: dict[int, set[int]] = {layer: set(range(self.network.widths[layer - 1])) for layer in range(1, deepest)}
        for layer, i in self.verdicts:
            if self.verdicts[layer, i].status is Status.DEAD:
                asked.setdefault(layer, set()).add(i)
        if not asked:
            return None
        every = {layer: sorted(neurons) for layer, neurons in asked.items()}
        known = list(self.verdicts.values())
        steps = tightened(self.network, self.domain, every, self.budget.share(4), known)
        *_, best = islice(steps, CHEAP)
        return best

    def _inputs(self) -> list[tuple[Fraction | None, Fraction | None]]:
        """The ranges of the inputs."""
        domain = self.domain
        if isinstance(domain, FiniteSet):
            return [(min(column), max(column)) for column in zip(*domain.points, strict=True)]
        if domain.given_by_generators:
            vertices, rays, lines = domain.checked.generators
            if rays or lines:
                return [(None, None)] * domain.dimension
            return [(min(column), max(column)) for column in zip(*vertices, strict=True)]
        sides = list(zip(domain.checked.lower, domain.checked.upper, strict=True))
        if domain.is_box or all(None not in pair for pair in sides):
            return sides
        found = []
        for j in range(domain.dimension):  # rows may bound what the box leaves open
            self.budget.poll()
            unit = AffineForm(Fraction(0), tuple(Fraction(int(k == j)) for k in range(domain.dimension)))
            low, high = (None if best is None else best.value for best in map(domain.guided_supremum, (-unit, unit)))
            found.append((None if low is None else -low, high))
        return found

    def _at_first(self, verdict: Verdict, error: float, silent: bool, ranges: Ranges | None) -> FloatVerdict:
        key = verdict.layer, verdict.neuron
        if verdict.status is not Status.DEAD:
            return FloatVerdict(*key, ALIVE if verdict.status is Status.ALIVE else UNDECIDED, error)
        bounds = [Fraction(0)]
        if isinstance(verdict.supremum, Fraction):
            bounds.append(verdict.supremum)
        known = None if ranges is None else ranges.found.get(key)
        if known is not None and known.upper is not None:
            bounds.append(known.upper)
        upper = min(bounds)
        safe = silent or (np.isfinite(error) and upper + Fraction(error) <= 0)
        return FloatVerdict(*key, DEAD if safe else OPEN, error, upper)

    def _presumed(self) -> None:
        reading, deepest = self.network.reading, max((layer.layer for layer in self.layers), default=0)
        other = [] if reading is None else sorted({*reading.before, *reading.between} - PLAIN)
        composed = [level for level, map_ in enumerate(self.network.layers[:deepest], 1) if map_.composed]
        if other:
            why = f"the file also has {', '.join(other)}"
        elif composed:
            own = ", ".join(map(str, composed))
            why = f"layer{'s'[: len(composed) != 1]} {own}: several linear maps in the file were made one"
        else:
            return
        self.notes.append(f"{why}: what is bounded is the network whose layers are one sum of products each")

    # ---- margins -----------------------------------------------------------------------------------------------

    def _margins(self) -> None:
        """z <= -E, decided as the deadness of a neuron whose bias is raised by E."""
        waiting = [layer.layer for layer in self.layers if self._open(layer.layer)]
        for position, layer in enumerate(waiting):
            raised: dict[int, Fraction] = {}
            for i in self._open(layer):
                v = self.found[layer, i]
                supremum = self.verdicts[layer, i].supremum
                if np.isfinite(v.error) and not isinstance(supremum, Fraction):  # else it is known not to hold
                    raised[i] = Fraction(v.error) * (1 + SLACK)
            if raised:
                self._raise(layer, raised, self.budget.share(2).share(len(waiting) - position))
            self._tell(f"margins in layer {layer}")

    def _raise(self, layer: int, by: Mapping[int, Fraction], budget: Budget) -> None:
        judge = Quick([], self.network.checked, self.domain.checked)
        judge.watch(self.budget.poll)
        for report in decide(_with_biases(self.network, layer, by), self.domain, [layer], sorted(by), budget):
            for verdict in report.verdicts:
                proof = (verdict.claim or {}).get("proof")
                if verdict.status is not Status.DEAD or proof is None:
                    continue
                i, old = verdict.neuron, self.found[layer, verdict.neuron]
                limit = -Fraction(old.error)
                claim: Claim = {"layer": layer, "neuron": i, "status": "at most", "bound": str(limit), "proof": proof}
                if isinstance(self.domain, Polyhedron) and (self.domain.checked.rows or self.domain.checked.equalities):
                    claim["point"] = [str(x) for x in self.domain.interior_point()]
                try:
                    checker.prove(claim, judge)
                except checker.Rejected:
                    continue
                self.found[layer, i] = replace(old, status=DEAD, upper=limit, claim=claim)

    # ---- firing ------------------------------------------------------------------------------------------------

    def _fired(self) -> None:
        """Inputs where a neuron fires in floats though it is dead."""
        for layer in self.layers:
            open_ = self._open(layer.layer)
            if not open_:
                continue
            points = self._candidates(layer.layer, open_)
            if len(points):
                self._evaluated(layer.layer, points)
            self._tell(f"firing in layer {layer.layer}")

    def _evaluated(self, layer: int, points: Array) -> None:
        """The open neurons at some points, in several orders of summation, and by onnxruntime."""
        evaluate = Evaluator(self.network, self.kind, layer)
        for order, seed in ORDERS:
            self.budget.poll()
            self._look(layer, points, evaluate(points, order, seed), f"summed in {_said(order, seed)}")
        if self.kind.name == "float32" and self._open(layer):
            z = by_onnxruntime(self.network, layer, points)
            if z is not None:
                self._look(layer, points, z, "in onnxruntime")

    def _look(self, layer: int, points: Array, z: Array, how: str) -> None:
        for i in self._open(layer):
            at = int(np.argmax(np.nan_to_num(z[:, i], nan=-1)))
            if z[at, i] > 0:
                point = tuple(map(Fraction, points[at].tolist()))
                self.found[layer, i] = replace(self.found[layer, i], status=REALS_ONLY, point=point, how=how)

    def _candidates(self, layer: int, open_: list[int]) -> Array:
        """Numbers of the type in the domain where open neurons are large, exactly or nearly."""
        domain = self.domain
        if isinstance(domain, FiniteSet):
            points = np.array([[nearest_float(x) for x in p] for p in domain.points])
            return points[[all(map(self.kind.has, p)) for p in domain.points]]
        found = [self._claimed(layer, i) for i in open_]
        if domain.is_box and domain.is_bounded:
            floating = FloatNetwork(self.network, domain)
            found += [_climbed(floating, layer, i, self.budget) for i in open_]
        points = np.concatenate([p for p in found if len(p)] or [np.zeros((0, domain.dimension))])
        return self._inside(self._nearby(points))

    def _claimed(self, layer: int, i: int) -> Array:
        """Where the verdict says that the supremum is."""
        claim = self.verdicts[layer, i].claim or {}
        point = claim.get("point")
        if type(point) is int:
            point = self.points[layer][point]
        if not isinstance(point, list):
            return np.zeros((0, self.network.inputs))
        return np.array([[nearest_float(Fraction(x)) for x in point]])

    def _nearby(self, points: Array) -> Array:
        """They and neighbours, as numbers of the type."""
        random = np.random.default_rng(1)
        near = [self.kind.rounded(points)]
        for _ in range(NEAR if len(points) else 0):
            steps = np.ldexp(random.integers(-2, 3, points.shape).astype(float), self.kind.spacing(points))
            near.append(self.kind.rounded(near[0] + steps))
        return np.concatenate(near)

    def _inside(self, points: Array) -> Array:
        """Moved into the box, and only those that lie in the domain."""
        assert isinstance(self.domain, Polyhedron)
        checked = self.domain.checked
        if checked.generators is None:
            for j, (low, high) in enumerate(zip(checked.lower, checked.upper, strict=True)):
                least = -np.inf if low is None else _above(low, self.kind)
                most = np.inf if high is None else -_above(-high, self.kind)
                points[:, j] = np.clip(points[:, j], least, most)
                if least > most:
                    return points[:0]
        points = np.unique(points[np.isfinite(points).all(axis=1)], axis=0)
        if self.domain.is_box:
            return points
        return points[[self.domain.contains([Fraction(x) for x in row]) for row in points.tolist()]]


def _with_biases(network: Network, layer: int, by: Mapping[int, Fraction]) -> Network:
    """The network up to a layer, with some of its biases raised."""
    map_ = network.layers[layer - 1]
    denominator = lcm(map_.denominator, *(v.denominator for v in by.values()))
    grow = denominator // map_.denominator
    bias = [b * grow + int(by.get(i, Fraction(0)) * denominator) for i, b in enumerate(map_.bias)]
    raised = replace(map_, data=map_.data * grow, bias=tuple(bias), denominator=denominator)
    return Network(network.inputs, (*network.layers[: layer - 1], raised))


def _climbed(floating: FloatNetwork, layer: int, i: int, budget: Budget) -> Array:
    """Points of the box where a neuron is large, in float64: random ones, corners, and uphill from there."""
    random = np.random.default_rng(i)
    share = random.random((STARTS, len(floating.lower)))
    share[::3] = share[::3] > 0.5
    points = floating.lower + share * (floating.upper - floating.lower)
    step, kept = (floating.upper - floating.lower) / 4, [points]
    for _ in range(STEPS):
        budget.poll()
        z = floating.forward(points, layer)
        slope = floating.gradient(z, layer, i)
        points = np.clip(points + step * random.random(points.shape) * np.sign(slope), floating.lower, floating.upper)
        step = step * 0.8
    kept.append(points)
    every = np.concatenate(kept)
    reached = floating.reached(every, layer, [i])[:, 0]
    return every[np.argsort(-reached, kind="stable")[: STARTS // 2]]


def _above(value: Fraction, kind: FloatType) -> float:
    """The least number of the type that is not smaller; inf if there is none."""
    if value < -kind.largest:
        return -float(kind.largest)
    scale = max(value.numerator.bit_length() - value.denominator.bit_length(), kind.lowest) - kind.digits - 1
    for exponent in (scale, scale + 1, scale + 2, scale + 3):
        unit = Fraction(2) ** max(exponent, kind.lowest - kind.digits + 1)
        found = nearest_float(-(-value // unit) * unit)
        if kind.holds(np.array([found]))[0]:
            return found
    return float("inf")


def _said(order: str, seed: int) -> str:
    return {"stored": "the order of the file", "reversed": "the reversed order"}.get(order, f"random order {seed}")


def by_onnxruntime(network: Network, layer: int, points: Array) -> Array | None:
    """The outputs of a layer at points of float32 numbers; None if onnxruntime is not there, or it is too large."""
    sizes = [m.outputs * m.inputs for m in network.layers[:layer]]
    if sum(sizes) > DENSE:
        return None
    try:
        runtime: Any = importlib.import_module("onnxruntime")
        maps = [(map_, "relu") for map_ in network.layers[:layer]]
        data = onnx_bytes("onnxruntime", network.inputs, maps)
    except (ImportError, InputError):  # a weight that is no float
        return None
    session = runtime.InferenceSession(data, providers=["CPUExecutionProvider"])
    (port,) = session.get_inputs()
    if port.type != "tensor(float)":
        return None
    (found,) = session.run(None, {port.name: points.astype(np.float32)})
    return np.asarray(found)
