"""Fitted multilayer perceptrons of scikit-learn, and pipelines of affine steps before one.

Objects in memory only: a pickle can run any program when it is loaded, so no such file is read here; load it yourself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap
from geomrelu.exact.numbers import dyadic
from geomrelu.io.files import named
from geomrelu.io.reading import Port, Reading, ReadLayer
from geomrelu.io.tape import Tape

__all__ = ["NETWORKS", "STEPS", "from_estimator"]

NETWORKS = ("MLPClassifier", "MLPRegressor")


def from_estimator(model: Any) -> Tape:
    """The network of an ``MLPClassifier`` or ``MLPRegressor`` with ReLU, or of a ``Pipeline`` of ``StandardScaler``,
    ``MinMaxScaler``, ``MaxAbsScaler``, ``RobustScaler``, ``PCA`` (not whitened), ``TruncatedSVD`` and one of them at
    its end; a pipeline may stand in another.

    Raises:
        InputError: another class, by name (a class of one's own may compute something else); not fitted; an option
            that is not affine, such as a scaler that clips.

    Exact: yes: the parameters that it holds, which are float64, are computed with over the reals.
    """
    steps = list(_steps("", model))
    if not steps:
        raise InputError("the pipeline has no steps")
    *before, (_, last) = steps
    kind = _own(last, "neural_network")
    if kind not in NETWORKS:
        raise InputError(f"{kind or _called(last)} is not an MLPClassifier or MLPRegressor of scikit-learn")
    if not hasattr(last, "coefs_"):
        raise InputError(f"{kind}: it is not fitted")
    if last.activation not in ("relu", "identity"):
        raise InputError(f"{kind}: activation {last.activation!r} is not piecewise linear")
    maps = [_step(step, label) for label, step in before]
    inputs = maps[0].inputs if maps else len(last.coefs_[0])
    tape = Tape(inputs)
    value = tape.input
    for (label, _), map_ in zip(before, maps, strict=True):
        with named(f"step {label!r}"):
            value = map_.after(value)
    for position, (weights, bias) in enumerate(zip(last.coefs_, last.intercepts_, strict=True), 1):
        layer = AffineMap.from_dense(np.asarray(weights).T, np.asarray(bias), f"layer {position}")
        with named(f"layer {position}"):
            value = layer.after(value)
        if position < len(last.coefs_) and last.activation == "relu":
            value = tape.relu(value, ReadLayer(f"coefs_[{position - 1}]", (value.outputs,)))
    tape.finish(value)
    tape.reading = Reading(
        f"scikit-learn {kind}",
        inputs=(Port("X", (inputs,)),),
        outputs=(Port("output", (value.outputs,)),),
        layers=tuple(tape.read),
        before=tuple(dict.fromkeys(type(step).__name__ for _, step in before)),
        after=("linear",),
        left=() if last.out_activation_ == "identity" else (f"{last.out_activation_} of the outputs",),
    )
    return tape


def _steps(label: str, model: Any) -> Iterator[tuple[str, Any]]:
    """A model, or the steps of a pipeline, with those of pipelines in it; without those that do nothing."""
    if _own(model, "pipeline") != "Pipeline":
        yield label, model
        return
    for name, step in model.steps:
        if step is not None and step != "passthrough":
            yield from _steps(name, step)


def _own(model: Any, room: str) -> str:
    """The name of its class, if scikit-learn defines it in that part; else nothing."""
    cls = type(model)
    return cls.__name__ if cls.__module__.startswith(f"sklearn.{room}.") or cls.__module__ == f"sklearn.{room}" else ""


def _called(model: Any) -> str:
    return f"{type(model).__module__}.{type(model).__qualname__}"[:100]


def _step(step: Any, label: str) -> AffineMap:
    """An affine step of a pipeline: ``(x - shift) * factor``, or a product with a matrix after a shift."""
    kind = _own(step, "preprocessing") or _own(step, "decomposition")
    with named(f"step {label!r} ({kind or _called(step)})"):
        if kind not in STEPS:
            raise InputError(f"it is not supported (supported: {', '.join(STEPS)})")
        if not hasattr(step, "n_features_in_"):
            raise InputError("it is not fitted")
        if getattr(step, "clip", False) or getattr(step, "whiten", False):
            raise InputError("it is not affine with its options")
        return STEPS[kind](step)


def _standard(step: Any) -> AffineMap:
    return _scaled(step.n_features_in_, step.mean_ if step.with_mean else None, step.scale_ if step.with_std else None)


def _robust(step: Any) -> AffineMap:
    shift, scale = step.center_ if step.with_centering else None, step.scale_ if step.with_scaling else None
    return _scaled(step.n_features_in_, shift, scale)


def _minmax(step: Any) -> AffineMap:
    factors, shifts = _exact(step.scale_), _exact(step.min_)
    return AffineMap.selection(len(factors), range(len(factors))).scaled(factors, shifts)


def _components(step: Any) -> AffineMap:
    centred = _scaled(step.n_features_in_, getattr(step, "mean_", None), None)
    return AffineMap.from_dense(np.asarray(step.components_), None, "components").after(centred)


def _exact(values: Any) -> list[Fraction]:
    numerators, denominator = dyadic(np.asarray(values), "parameters")
    return [Fraction(v, denominator) for v in numerators]


def _scaled(size: int, shift: Any, scale: Any) -> AffineMap:
    """``(x - shift) / scale``."""
    shifts: Sequence[Fraction] = [Fraction(0)] * size if shift is None else _exact(shift)
    scales: Sequence[Fraction] = [Fraction(1)] * size if scale is None else _exact(scale)
    if not all(scales):
        raise InputError("a scale is zero")
    factors = [1 / s for s in scales]
    return AffineMap.selection(size, range(size)).scaled(
        factors, [-v * f for v, f in zip(shifts, factors, strict=True)]
    )


STEPS: dict[str, Callable[[Any], AffineMap]] = {
    "MaxAbsScaler": lambda step: _scaled(step.n_features_in_, None, step.scale_),
    "MinMaxScaler": _minmax,
    "PCA": _components,
    "RobustScaler": _robust,
    "StandardScaler": _standard,
    "TruncatedSVD": _components,
}
"""The affine steps that are read."""
