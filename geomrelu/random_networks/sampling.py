"""Which of many given networks belong to an event: in floats with proven bounds, and exactly where these end."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.random_networks import montecarlo
from geomrelu.random_networks.experiment import ALIVE, DATA_ALIVE, DEAD, KILLED, STABLE, Experiment
from geomrelu.random_networks.living_batch import Walk, is_affordable
from geomrelu.random_networks.orbit import dead_neurons_orbit
from geomrelu.random_networks.stably_unactivated import is_stably_unactivated

if TYPE_CHECKING:
    from geomrelu.random_networks.shape import Shape

__all__ = ["decided", "drawn", "event_count"]

Array = np.ndarray[Any, np.dtype[Any]]
AT_ONCE = 1 << 18  # points of all networks that are looked at together
PROBES = (8, 256)  # points of a polyhedron at which networks are looked at first


def event_count(
    experiment: Experiment, domain: Polyhedron | FiniteSet, layers: Sequence[tuple[Any, Any]], flipped: str
) -> int:
    """The sign choices in the event, of the parameters that there are, for one network of dense layers. Exact: yes."""
    profiles, _ = dead_neurons_orbit(layers, domain, flipped, through=experiment.event == DATA_ALIVE)
    found = sum(n for dead, n in profiles.items() if experiment.happens(dead))
    if not experiment.bias and flipped != "none":  # the signs of absent biases were walked too
        found //= 2 ** sum(experiment.widths[1 if flipped == "all" else experiment.depth :])
    return found


def drawn(experiment: Experiment, domain: Polyhedron | FiniteSet, rng: Any, count: int, shape: Shape | None) -> int:
    """How many of ``count`` random networks are in the event.

    Exact: yes, except that floats decide "stably-unactivated" for laws without atoms and the schemes other than "iid".
    """
    law = experiment.initialisation
    if experiment.event == STABLE:
        n0, n1 = experiment.widths[:2]
        weights, bias = law.layers(rng, count, n0, n1)
        w, c = law.layers(rng, count, n1, 1)
        if law.missing(atomless=True) is None:
            return int(montecarlo.stable(weights, bias, w[:, 0], c[:, 0]).sum())
        return sum(is_stably_unactivated(*one) for one in zip(weights, bias, w[:, 0], c[:, 0], strict=True))
    if shape is not None:
        values = np.stack([law.parameters(rng, shape.fans, shape.is_bias) for _ in range(count)])
        return int(decided(experiment, domain, shape.arrays(values), shape, values).sum())
    layers = experiment.layers(rng, count)
    if experiment.scheme == "iid":
        return int(decided(experiment, domain, layers).sum())
    assert isinstance(domain, FiniteSet)
    data = np.array([[float(v) for v in point] for point in domain.points]).T
    if experiment.event == DATA_ALIVE:
        return int((montecarlo.living_data(layers, data, experiment.scheme) > 0).sum())
    dead = montecarlo.dead_on_data(layers, data, experiment.scheme)
    return sum(experiment.happens(profile) for profile in dead.tolist())


def decided(
    experiment: Experiment,
    domain: Polyhedron | FiniteSet,
    layers: Sequence[tuple[Array, Array]],
    shape: Shape | None = None,
    values: Array | None = None,
) -> Array:
    """Which of some networks are in the event.

    Args:
        layers: for each layer weights (networks, out, in) and biases (networks, out); of a shape with connections
            around layers, over all variables before.
        values: the parameters, (networks, parameters), of a shape.

    Returns:
        bool, shape (networks,).

    Exact: yes. Method: the walk of :mod:`~geomrelu.random_networks.living_batch` over the linear pieces, where they are
    not too many; else a few points of the domain: a network that is alive on a part of it is alive. For what is left,
    and where the bounds of the floats do not suffice, exact functions network by network.
    """
    points = len(domain.points) if isinstance(domain, FiniteSet) else PROBES[0]
    step = max(1, AT_ONCE // points)
    return np.concatenate([
        _decided(
            experiment, domain, [(w[k : k + step], b[k : k + step]) for w, b in layers], shape,
            None if values is None else values[k : k + step],
        )
        for k in range(0, len(layers[0][0]), step)
    ])  # fmt: skip


def _decided(
    experiment: Experiment,
    domain: Polyhedron | FiniteSet,
    layers: Sequence[tuple[Array, Array]],
    shape: Shape | None,
    values: Array | None,
) -> Array:
    goal, carried = experiment.goal, shape is not None and not shape.is_chained
    count = len(layers[0][0])
    biased: list[tuple[Array, Array | None]] = list(layers)
    if not any(b.any() for _, b in layers):
        biased = [(w, None) for w, _ in layers]
    found, open_ = np.zeros(count, dtype=bool), np.ones(count, dtype=bool)

    def walk(where: Polyhedron | FiniteSet) -> None:
        """Settle what can be settled on a set, of those that are open."""
        left = np.flatnonzero(open_)
        if len(left):
            one = Walk([(w[left], None if b is None else b[left]) for w, b in biased], where, goal, "none", carried)
            happens = one.counts > 0
            found[left] = happens
            part = where is not domain  # alive on a part is alive, and not killed on a part is not killed
            open_[left] = ~one.sure | (part & (happens == (experiment.event == KILLED)))

    if shape is not None and shape.rounds:
        pass  # floats say nothing of it
    elif is_affordable(domain, experiment.widths[1 : goal.last], 0):
        walk(domain)
    elif experiment.event in (ALIVE, DATA_ALIVE, KILLED) and isinstance(domain, Polyhedron):
        for number in PROBES:
            walk(_probes(domain, number))
    for k in np.flatnonzero(open_):
        if shape is None:
            found[k] = _exactly(experiment, domain, [(w[k], b[k]) for w, b in layers])
        else:
            assert values is not None
            found[k] = _shaped(experiment, domain, shape, values[k])
    return found


def _exactly(experiment: Experiment, domain: Polyhedron | FiniteSet, layers: Sequence[tuple[Any, Any]]) -> bool:
    if is_affordable(domain, experiment.widths[1 : experiment.goal.last], 0):
        return bool(event_count(experiment, domain, layers, "none"))
    from geomrelu.network.network import Network

    faces = _faces(domain) if isinstance(domain, Polyhedron) else []
    if faces:
        return _judged(experiment, faces, Network.from_layers(_homogeneous(layers)))
    return _judged(experiment, [domain], Network.from_layers([(w, b, "relu") for w, b in layers]))


def _shaped(experiment: Experiment, domain: Polyhedron | FiniteSet, shape: Shape, values: Array) -> bool:
    exact = [Fraction(v) for v in values.tolist()]
    if shape.is_chained and isinstance(domain, Polyhedron):
        return _exactly(experiment, domain, shape.rows(exact))
    return _judged(experiment, [domain], shape.with_parameters(exact))


def _judged(experiment: Experiment, parts: Sequence[Polyhedron | FiniteSet], network: Any) -> bool:
    """By the analyzer, on the union of some polyhedra; or point by point."""
    if isinstance(parts[0], FiniteSet):
        living = [[[z > 0 for z in layer] for layer in network.pre_activations(point)] for point in parts[0].points]
        if experiment.event == DATA_ALIVE:
            return any(all(any(layer) for layer in point) for point in living)
        return experiment.happens([
            sum(not any(neuron) for neuron in zip(*layer, strict=True)) for layer in zip(*living, strict=True)
        ])  # fmt: skip
    if experiment.event == DATA_ALIVE:
        raise InputError("data-alive: these networks are too large for a polyhedron; say --points")
    dead = [0] * experiment.depth
    for layer in range(1, experiment.depth + 1) if experiment.layer is None else [experiment.layer]:
        dead[layer - 1] = len(_dead_neurons(network, parts, layer, experiment.widths[layer], experiment.event != DEAD))
        if experiment.event == ALIVE and dead[layer - 1] == experiment.widths[layer]:
            return False
    return experiment.happens(dead)


def _dead_neurons(network: Any, parts: Sequence[Any], layer: int, width: int, all_or_none: bool) -> list[int]:
    """Which of the first neurons of a layer are dead on all parts.

    Args:
        all_or_none: it only matters whether all are: fewer than that may be too many.
    """
    from geomrelu.deadness.decide import decide
    from geomrelu.deadness.verdict import Status

    silent = list(range(width))
    for part in parts:
        if not silent or (all_or_none and len(silent) < width):
            break
        (report,) = decide(network, part, [layer], silent)
        if any(v.status is Status.UNDECIDED for v in report.verdicts):
            raise InputError(f"layer {layer} is too large to be decided for each network")
        silent = [v.neuron for v in report.verdicts if v.status is Status.DEAD]
    return silent


def _faces(domain: Polyhedron) -> list[Polyhedron]:
    """The set {(x, s): s >= 0, x/s in the domain if s > 0, the largest of |x_i| and s is 1} as boxes; none if the
    domain is something else than R^n, an orthant, or a product of these.

    On it a chain of layers without constants (:func:`_homogeneous`) is s z(x/s), and continuous: so a neuron is at most
    0 on the domain if and only if it is on these boxes, on which bounds are much quicker than a walk over all pieces.
    """
    if not domain.is_box:
        return []
    sides = list(zip(domain.checked.lower, domain.checked.upper, strict=True))
    if any(end not in (None, 0) for side in sides for end in side):
        return []
    whole = [*((-1 if low is None else 0, 1 if high is None else 0) for low, high in sides), (0, 1)]
    return [
        Polyhedron.box([(end, end) if i == place else side for i, side in enumerate(whole)])
        for place, (low, high) in enumerate(whole)
        for end in (low, high)
        if end
    ]


def _homogeneous(layers: Sequence[tuple[Any, Any]]) -> list[tuple[Any, Any, str]]:
    """The same layers for inputs (x, s): constants are multiplied by s, which a last neuron hands on."""
    found = []
    for weights, bias in layers:
        rows = [[*row, b] for row, b in zip(weights, bias, strict=True)]
        rows.append([*[0] * (len(rows[0]) - 1), 1])
        found.append((rows, [0] * len(rows), "relu"))
    return found


@lru_cache(maxsize=8)
def _probes(domain: Polyhedron, number: int) -> FiniteSet:
    """Some points of a polyhedron, always the same: of a box corners, middles of sides, and between; else means of
    generators."""
    rng = np.random.default_rng(number)
    if domain.is_box:
        sides = [_side(low, high) for low, high in zip(domain.checked.lower, domain.checked.upper, strict=True)]
        size = number, len(sides)
        quarters = np.concatenate([4 * rng.integers(0, 2, size), rng.integers(0, 5, size)]).tolist()
        return FiniteSet.of([
            [low + (high - low) * Fraction(k, 4) for (low, high), k in zip(sides, row, strict=True)] for row in quarters
        ])  # fmt: skip
    points, lines = domain.generators
    vertices = [[Fraction(v, g[0]) for v in g[1:]] for g in points if g[0]]
    away = [g[1:] for g in points if not g[0]] + [tuple(t * v for v in g[1:]) for g in lines for t in (-1, 1)]
    found = []
    for _ in range(2 * number):
        chosen = rng.choice(len(vertices), min(3, len(vertices)))
        point = [sum(column, Fraction(0)) / len(chosen) for column in zip(*(vertices[i] for i in chosen), strict=True)]
        for ray in away:
            times = int(rng.integers(0, 9))
            point = [v + times * w for v, w in zip(point, ray, strict=True)]
        found.append(point)
    return FiniteSet.of(found)


def _side(low: Any, high: Any) -> tuple[Fraction, Fraction]:
    """A bounded part of an interval."""
    if low is None:
        return (Fraction(-8), Fraction(8)) if high is None else (Fraction(high) - 16, Fraction(high))
    return Fraction(low), Fraction(low) + 16 if high is None else Fraction(high)
