"""Fitted multilayer perceptrons of scikit-learn, and pipelines of affine steps before one.

Objects in memory only: a pickle can run any program when it is loaded, so no such file is read here; load it yourself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap
from geomrelu.io.files import named
from geomrelu.io.reading import Port, Reading, ReadLayer
from geomrelu.io.sklearn_steps import SCALERS, STEPS, Steps, called, does_nothing, kind_of_step, width
from geomrelu.io.tape import Tape

__all__ = ["NETWORKS", "STEPS", "from_estimator"]

NETWORKS = ("MLPClassifier", "MLPRegressor")
_SEARCHES = ("GridSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV", "RandomizedSearchCV")


def from_estimator(model: Any) -> Tape:
    """The network of an ``MLPClassifier`` or ``MLPRegressor`` with ReLU, or of a ``Pipeline`` that ends with one.

    The steps before it may scale, choose and project columns, each part of them by itself (``ColumnTransformer``), see
    :data:`geomrelu.io.sklearn_steps.STEPS`; pipelines may stand in pipelines. What a search over parameters found is
    read, and a scaler of a ``TransformedTargetRegressor`` is undone after the network.

    Raises:
        InputError: another class, by name (a class of one's own may compute something else); not fitted; a step that
            is not affine.

    Exact: yes: the parameters that it holds, which are floats, are computed with over the reals; whitening divides by
    roots, see :func:`geomrelu.io.tape.batch_normalisation`.
    """
    found = _Found()
    found.walk("", model)
    last = found.last
    kind = kind_of_step(last)
    if kind not in NETWORKS:
        raise InputError(f"{called(last)} is not an MLPClassifier or MLPRegressor of scikit-learn")
    if not hasattr(last, "coefs_"):
        raise InputError(f"{kind}: it is not fitted")
    if last.activation not in ("relu", "identity"):
        raise InputError(f"{kind}: activation {last.activation!r} is not piecewise linear")
    sizes = [size for _, step in found.before if (size := width(step)) is not None]
    tape = Tape(sizes[0] if sizes else len(last.coefs_[0]))
    steps, value = Steps(tape), tape.input
    for label, step in found.before:
        value = steps.done(step, label, value)
    for position, (weights, bias) in enumerate(zip(last.coefs_, last.intercepts_, strict=True), 1):
        layer = AffineMap.from_dense(np.asarray(weights).T, np.asarray(bias), f"layer {position}")
        with named(f"layer {position}"):
            value = layer.after(value)
        if position < len(last.coefs_) and last.activation == "relu":
            value = tape.relu(value, ReadLayer(f"coefs_[{position - 1}]", (value.outputs,)))
    left = [] if last.out_activation_ == "identity" else [f"{last.out_activation_} of the outputs"]
    value, after = _undone(found.after, value, left)
    tape.finish(value)
    first = found.before[0][1] if found.before else last
    names = [str(name) for name in getattr(first, "feature_names_in_", ())]
    tape.reading = Reading(
        f"scikit-learn {kind}",
        inputs=(Port("X", (tape.inputs,)),),
        outputs=(Port("output", (value.outputs,)),),
        layers=tuple(tape.read),
        before=tuple(steps.kinds),
        after=("linear", *after),
        left=tuple(left),
        notes=(*([f"the inputs are, in this order: {', '.join(names)[:400]}"] if names else []), *steps.notes),
    )
    return tape


@dataclass(slots=True)
class _Found:
    """The network in a model, and what is done before and after it."""

    last: Any = None
    before: list[tuple[str, Any]] = field(default_factory=list)
    after: list[Any] = field(default_factory=list)  # transformers of the targets, the last one that is undone first

    def walk(self, label: str, model: Any) -> None:
        kind = kind_of_step(model)
        if kind in _SEARCHES or kind == "TransformedTargetRegressor":
            inner = "best_estimator_" if kind in _SEARCHES else "regressor_"
            if not hasattr(model, inner):
                raise InputError(f"{kind}: it is not fitted")
            if kind not in _SEARCHES:
                self.after.append(model.transformer_)
            self.walk(label, getattr(model, inner))
            return
        if kind != "Pipeline":
            self.last = model
            return
        if not model.steps:
            raise InputError("the pipeline has no steps")
        self.before += [step for step in model.steps[:-1] if not does_nothing(step[1])]
        self.walk(*model.steps[-1])


def _undone(transformers: list[Any], value: AffineMap, left: list[str]) -> tuple[AffineMap, list[str]]:
    """The outputs in the units of the targets; ``left`` takes what is not known to be affine."""
    after: list[str] = []
    for transformer in reversed(transformers):
        if does_nothing(transformer) and transformer.inverse_func is None:
            continue
        kind = kind_of_step(transformer)
        if kind not in SCALERS or left:
            left.append(f"the inverse of {called(transformer)} of the outputs")
            continue
        with named(f"the targets ({kind})"):
            factors, shifts = SCALERS[kind](transformer)
            if len(factors) != value.outputs:
                raise InputError(f"{len(factors)} columns are scaled, but there are {value.outputs} outputs")
            if not all(factors):
                raise InputError("a scale is zero")
            value = value.scaled([1 / f for f in factors], [-s / f for f, s in zip(factors, shifts, strict=True)])
        after.append(kind)
    return value, after
