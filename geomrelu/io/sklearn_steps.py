"""Steps of a pipeline of scikit-learn before its network, as exact maps of the columns that they read.

A step is one affine map, a composition (a pipeline), or maps side by side (a column transformer, a union). A scaler
that clips makes auxiliary ReLU layers.
"""

from __future__ import annotations

from collections import UserList
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap, affordable
from geomrelu.exact.numbers import dyadic, rational
from geomrelu.io.files import named
from geomrelu.io.onnx.activations import between
from geomrelu.io.tape import Tape, batch_normalisation
from geomrelu.io.tensors import Recorder, Tensor

__all__ = ["SCALERS", "STEPS", "Steps", "called", "does_nothing", "kind_of_step", "width"]

Columns = tuple[list[Fraction], list[Fraction]]  # a factor and a shift for each


def kind_of_step(step: Any) -> str:
    """The name of its class, if scikit-learn defines it; else nothing."""
    cls = type(step)
    return cls.__name__ if cls.__module__.partition(".")[0] == "sklearn" else ""


def called(step: Any) -> str:
    """How an error message calls it: a class of scikit-learn by its name, another with its module."""
    cls = type(step)
    return kind_of_step(step) or f"{cls.__module__}.{cls.__qualname__}"[:100]


def does_nothing(step: Any) -> bool:
    """Does a step hand on what it is given, whatever that is?"""
    if step is None or isinstance(step, str):
        return bool(step is None or step == "passthrough")
    return kind_of_step(step) == "FunctionTransformer" and step.func is None


def width(step: Any) -> int | None:
    """How many columns a step reads; None if it does not say so."""
    parts = {"Pipeline": "steps", "FeatureUnion": "transformer_list"}.get(kind_of_step(step))
    if parts is not None:  # of a pipeline the first that does anything
        return next((size for _, part in getattr(step, parts) if (size := width(part)) is not None), None)
    size = getattr(step, "n_features_in_", None)
    return None if size is None else int(size)


class Steps:
    """Does steps to values on a tape, and keeps what there is to say about them.

    Attributes:
        kinds: classes of the steps, each once, in their order.
        notes: see :class:`geomrelu.io.reading.Reading`.
    """

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.kinds: dict[str, None] = {}
        self.notes: dict[str, None] = {}

    def done(self, step: Any, label: str, value: AffineMap) -> AffineMap:
        """What a step makes of some columns.

        Raises:
            InputError: a step that is not affine, not known or not fitted; columns that do not fit.
        """
        if does_nothing(step):
            return value
        kind = kind_of_step(step)
        with named(f"step {label!r} ({called(step)})"):
            if kind in _COMPOSED:
                self.kinds.setdefault(kind)
                return _COMPOSED[kind](self, step, value)
            if kind not in _AFFINE:
                raise InputError(
                    "it is not supported, as it is not affine or not known; what comes after it can be given alone"
                )
            if not hasattr(step, "n_features_in_"):
                raise InputError("it is not fitted")
            self.kinds.setdefault(kind)
            if kind.endswith("Imputer"):
                self.notes.setdefault(
                    f"step {label!r} ({kind}): missing values are no inputs here, numbers pass as they are"
                )
            value = _AFFINE[kind](step).after(value)
            return self._clipped(step, label, value) if getattr(step, "clip", False) else value

    def _clipped(self, step: Any, label: str, value: AffineMap) -> AffineMap:
        low, high = getattr(step, "feature_range", (-1, 1))
        x = Tensor((value.outputs,), value)
        return between(
            _Auxiliary(self.tape, label), x, rational(low, "feature_range"), rational(high, "feature_range")
        ).map

    def pipeline(self, step: Any, value: AffineMap) -> AffineMap:
        """One step after the other."""
        for label, part in step.steps:
            value = self.done(part, label, value)
        return value

    def columns(self, step: Any, value: AffineMap) -> AffineMap:
        """Each part reads columns of its own; what they make stands side by side."""
        if not hasattr(step, "transformers_"):
            raise InputError("it is not fitted")
        if step.n_features_in_ != value.outputs:
            raise InputError(f"it reads {step.n_features_in_} columns, but {value.outputs} come before it")
        names = [str(name) for name in getattr(step, "feature_names_in_", ())]
        parts = []
        for label, part, chosen in step.transformers_:
            places = [] if _is_dropped(part) else _places(chosen, names, value.outputs)
            if places:
                parts.append((label, part, value.take(places)))
        return self._beside(parts, step.transformer_weights, value.take([]))

    def union(self, step: Any, value: AffineMap) -> AffineMap:
        """All parts read all columns."""
        parts = [(label, part, value) for label, part in step.transformer_list if not _is_dropped(part)]
        return self._beside(parts, step.transformer_weights, value.take([]))

    def _beside(
        self, parts: Sequence[tuple[str, Any, AffineMap]], weights: dict[str, Any] | None, nothing: AffineMap
    ) -> AffineMap:
        made = [nothing]  # there may be no parts
        for label, part, value in parts:
            found = self.done(part, label, value)
            if label in (weights or {}):
                weight = rational((weights or {})[label], f"the weight of {label!r}")
                found = found.scaled([weight] * found.outputs)
            made.append(found)
        return AffineMap.stacked([found.widened(self.tape.variables) for found in made])


_COMPOSED: dict[str, Callable[[Steps, Any, AffineMap], AffineMap]] = {
    "ColumnTransformer": Steps.columns,
    "FeatureUnion": Steps.union,
    "Pipeline": Steps.pipeline,
}


class _Auxiliary(Recorder):
    """Its neurons are none that the model calls so."""

    def relu(self, x: Tensor, kind: str = "ReLU", own: bool = True) -> Tensor:
        return super().relu(x, "clip" if kind == "ReLU" else kind, False)


def _is_dropped(part: Any) -> bool:
    return isinstance(part, str) and part == "drop"


def _places(chosen: Any, names: Sequence[str], size: int) -> list[int]:
    """Which columns of so many a column transformer hands to a part: by name, by number, by a slice or by a mask."""
    if isinstance(chosen, slice):
        first = _place(chosen.start, names) if isinstance(chosen.start, str) else chosen.start
        last = _place(chosen.stop, names) + 1 if isinstance(chosen.stop, str) else chosen.stop  # both ends are meant
        return list(range(size)[first : last : chosen.step])
    listed = np.atleast_1d(np.asarray(chosen.data if isinstance(chosen, UserList) else chosen)).tolist()
    if listed and all(type(v) is bool for v in listed):
        if len(listed) != size:
            raise InputError(f"a mask of {len(listed)} columns, but there are {size}")
        return [k for k, is_chosen in enumerate(listed) if is_chosen]
    if not all(type(v) in (int, str) for v in listed):
        raise InputError(f"columns {str(chosen)[:60]} are not supported")
    try:
        return [_place(v, names) if isinstance(v, str) else range(size)[v] for v in listed]
    except IndexError:
        raise InputError(f"columns {str(chosen)[:60]}: there are {size}") from None


def _place(name: str, names: Sequence[str]) -> int:
    if names.count(name) != 1:
        raise InputError(f"which column is called {name[:60]!r} is not known")
    return names.index(name)


# ---- column by column -------------------------------------------------------------------------------------------


def _exact(values: Any) -> list[Fraction]:
    numerators, denominator = dyadic(np.asarray(values), "parameters")
    return [Fraction(v, denominator) for v in numerators]


def _standard(step: Any) -> Columns:
    return _scaled(step.n_features_in_, step.mean_ if step.with_mean else None, step.scale_ if step.with_std else None)


def _robust(step: Any) -> Columns:
    shift, scale = step.center_ if step.with_centering else None, step.scale_ if step.with_scaling else None
    return _scaled(step.n_features_in_, shift, scale)


def _scaled(size: int, shift: Any, scale: Any) -> Columns:
    """``(x - shift) / scale``."""
    shifts = [Fraction(0)] * size if shift is None else _exact(shift)
    scales = [Fraction(1)] * size if scale is None else _exact(scale)
    if not all(scales):
        raise InputError("a scale is zero")
    factors = [1 / s for s in scales]
    return factors, [-v * f for v, f in zip(shifts, factors, strict=True)]


SCALERS: dict[str, Callable[[Any], Columns]] = {
    "MaxAbsScaler": lambda step: _scaled(step.n_features_in_, None, step.scale_),
    "MinMaxScaler": lambda step: (_exact(step.scale_), _exact(step.min_)),
    "RobustScaler": _robust,
    "StandardScaler": _standard,
}
"""A factor and a shift for each column, before what is clipped."""


def _scaling(step: Any) -> AffineMap:
    factors, shifts = SCALERS[kind_of_step(step)](step)
    return AffineMap.selection(len(factors), range(len(factors))).scaled(factors, shifts)


# ---- columns chosen ---------------------------------------------------------------------------------------------


def _selection(step: Any) -> AffineMap:
    return _kept(np.asarray(step.get_support()))


def _kept(support: np.ndarray, more: int = 0) -> AffineMap:
    """The columns of a mask, and so many zeros after them."""
    columns = AffineMap.selection(len(support), np.flatnonzero(support))
    zeros = AffineMap.from_dense(np.zeros((more, len(support)), dtype=np.int64))
    return AffineMap.stacked([columns, zeros]) if more else columns


def _imputed(step: Any) -> AffineMap:
    """What an imputer makes of numbers: columns of which it knows nothing are dropped, and nothing is missing."""
    missing = step.missing_values
    if not (
        missing is None or type(missing).__name__ == "NAType" or (isinstance(missing, float) and missing != missing)
    ):
        raise InputError(f"it replaces the number {str(missing)[:40]}, so that it is not continuous")
    support = np.array([v == v for v in step.statistics_]) | bool(getattr(step, "keep_empty_features", False))
    return _kept(support, len(step.indicator_.features_) if step.add_indicator else 0)


# ---- products with a matrix -------------------------------------------------------------------------------------


def _projected(step: Any, shift: Any = None) -> AffineMap:
    """``(x - shift) @ components.T``."""
    components = step.components_
    if hasattr(components, "toarray"):
        affordable(components.shape[0] * components.shape[1], "components")
        components = components.toarray()
    centred = AffineMap.selection(components.shape[1], range(components.shape[1]))
    if shift is not None:
        centred = centred.scaled(*_scaled(components.shape[1], shift, None))
    return AffineMap.from_dense(np.asarray(components), None, "components").after(centred)


def _principal(step: Any) -> AffineMap:
    found = _projected(step, step.mean_)
    if not step.whiten:
        return found
    variances = np.asarray(step.explained_variance_)
    if (variances <= np.finfo(variances.dtype).eps ** 2).any():
        raise InputError("it divides by a variance that is zero")
    zeros, ones = np.zeros(len(variances)), np.ones(len(variances))
    return found.scaled(*batch_normalisation(ones, zeros, zeros, variances, 0))


def _polynomial(step: Any) -> AffineMap:
    few = step.n_output_features_ <= step.n_features_in_ + 1  # else there is a product, and the table may be large
    powers = np.asarray(step.powers_) if few else np.full((1, 1), 2)
    if (powers.sum(axis=1) > 1).any():
        raise InputError("its products of columns are not affine; what comes after it can be given alone")
    return AffineMap.from_dense(powers.astype(np.int64), (powers.sum(axis=1) == 0).astype(np.int64))


_AFFINE: dict[str, Callable[[Any], AffineMap]] = {
    **dict.fromkeys(SCALERS, _scaling),
    **dict.fromkeys(
        (
            "GenericUnivariateSelect",
            "RFE",
            "RFECV",
            "SelectFdr",
            "SelectFpr",
            "SelectFromModel",
            "SelectFwe",
            "SelectKBest",
            "SelectPercentile",
            "SequentialFeatureSelector",
            "VarianceThreshold",
        ),
        _selection,
    ),
    "FastICA": lambda step: _projected(step, step.mean_ if step.whiten else None),
    "GaussianRandomProjection": _projected,
    "IncrementalPCA": _principal,
    "PCA": _principal,
    "PolynomialFeatures": _polynomial,
    "SimpleImputer": _imputed,
    "SparseRandomProjection": _projected,
    "TruncatedSVD": _projected,
}
STEPS = frozenset({*_AFFINE, *_COMPOSED, "FunctionTransformer"})
"""The steps that are read; a function only where it is none."""
