"""Functions of ``keras.ops`` in a model of Keras, as exact operations on tensors; an operand may be a constant.

They are computed for a batch of one row. What would carry numbers from one row to another is not supported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.exact.numbers import rational
from geomrelu.io.keras_layers import Config, constant
from geomrelu.io.onnx.activations import absolute, activated, between, extreme, largest
from geomrelu.io.onnx.rules import Unsupported
from geomrelu.io.tensors import Recorder, Tensor, Value, arranged, axis_of, concatenated, exact_array, sized

__all__ = ["OPERATIONS", "computed"]

Operands = Sequence[Any]  # tensors, and constants as the configuration writes them


def computed(kind: str, config: Config, operands: Operands, place: Recorder) -> Tensor:
    """What a function makes of its operands.

    Raises:
        Unsupported: it is not piecewise linear, not known, or gets a constant where a value is expected.
    """
    if kind not in OPERATIONS:
        raise Unsupported(f"ops.{kind} is not supported")
    try:
        found = OPERATIONS[kind](config, operands, place)
        if len(found.shape) < 2 or found.shape[0] != 1:
            raise Unsupported("over the rows of a batch it is not supported")
    except Unsupported as problem:
        raise Unsupported(f"ops.{kind}: {problem}") from None
    return found


def _only(operands: Operands) -> Tensor:
    if len(operands) != 1 or not isinstance(operands[0], Tensor):
        raise Unsupported("a call with something that is no value of the model is not supported")
    return operands[0]


def _value(operand: Any) -> Value:
    return operand if isinstance(operand, Tensor) else constant(operand, "a constant")


def _pair(operands: Operands) -> tuple[Tensor, Value, bool]:
    """Two operands, the second of which may be a constant; and whether they have changed places."""
    if len(operands) != 2:
        raise Unsupported(f"a call with {len(operands)} values is not supported")
    first, second = map(_value, operands)
    if isinstance(first, Tensor):
        return first, second, False
    assert isinstance(second, Tensor)  # a function that reads no value is no part of the model
    return second, first, True


def _sum(config: Config, operands: Operands, place: Recorder) -> Tensor:
    x, y, _ = _pair(operands)
    return x.plus(y)


def _difference(config: Config, operands: Operands, place: Recorder) -> Tensor:
    x, y, is_turned = _pair(operands)
    return x.times(np.array(-1)).plus(y) if is_turned else x.plus(y, -1)


def _product(config: Config, operands: Operands, place: Recorder) -> Tensor:
    x, y, _ = _pair(operands)
    if isinstance(y, Tensor):
        raise Unsupported("a product of two values is not piecewise linear")
    return x.times(y)


def _quotient(config: Config, operands: Operands, place: Recorder) -> Tensor:
    x, y, is_turned = _pair(operands)
    if isinstance(y, Tensor) or is_turned:
        raise Unsupported("a division by a value is not piecewise linear")
    if not y.all():
        raise Unsupported("it divides by zero")
    inverse = np.empty(y.shape, dtype=object)
    inverse.ravel()[:] = [1 / v for v in exact_array(y).ravel()]
    return x.times(inverse)


def _matrix_product(config: Config, operands: Operands, place: Recorder) -> Tensor:
    x, y, is_turned = _pair(operands)
    if isinstance(y, Tensor) or is_turned or y.ndim != 2:
        raise Unsupported("a product with anything but a constant matrix on the right is not supported")
    return x.matmul(y)


def _extreme(sign: int) -> Callable[[Config, Operands, Recorder], Tensor]:
    def compute(config: Config, operands: Operands, place: Recorder) -> Tensor:
        x, y, _ = _pair(operands)
        found = extreme(place, [x, y], sign)
        assert isinstance(found, Tensor)
        return found

    return compute


# ---- entry by entry ---------------------------------------------------------------------------------------------


def _clipped(low: Any, high: Any) -> Callable[[Config, Operands, Recorder], Tensor]:
    def compute(config: Config, operands: Operands, place: Recorder) -> Tensor:
        bounds = [config.get(v) if isinstance(v, str) else v for v in (low, high)]
        least, most = (None if v is None else _float(v, "a bound") for v in bounds)
        if least is not None and most is not None and least > most:
            raise Unsupported("its lower bound is above its upper bound")
        return between(place, _only(operands), least, most)

    return compute


def _float(value: Any, where: str) -> Fraction:
    """A number of the configuration, as the float that Keras holds."""
    return rational(float(rational(value, where)), where)


def _hard_sigmoid(config: Config, operands: Operands, place: Recorder) -> Tensor:
    moved = _only(operands).plus(np.array(3))
    return between(place, moved, Fraction(0), Fraction(6)).times(np.array(Fraction(1, 6), dtype=object))


def _soft_shrink(config: Config, operands: Operands, place: Recorder) -> Tensor:
    x, most = _only(operands), _float(config["threshold"], "threshold")
    return x.plus(between(place, x, -most, most), -1)


def _absolute(config: Config, operands: Operands, place: Recorder) -> Tensor:
    return absolute(place, _only(operands))


def _leaky(config: Config, operands: Operands, place: Recorder) -> Tensor:
    slope = np.array([float(rational(config["negative_slope"], "negative_slope"))])
    return activated(place, _only(operands), "LeakyRelu", slope)


# ---- along axes -------------------------------------------------------------------------------------------------


def _axes(config: Config, x: Tensor) -> list[int]:
    """The axes along which a function reduces, which may not be that of the batch."""
    given = config.get("axis")
    axes = [axis_of(axis, x.shape) for axis in (given if isinstance(given, list) else [given]) if type(axis) is int]
    if not axes or 0 in axes:
        raise Unsupported("over the rows of a batch it is not supported")
    return axes


def _reduced(mean: bool) -> Callable[[Config, Operands, Recorder], Tensor]:
    def compute(config: Config, operands: Operands, place: Recorder) -> Tensor:
        x = _only(operands)
        return x.reduced(_axes(config, x), bool(config.get("keepdims")), mean)

    return compute


def _most(sign: int) -> Callable[[Config, Operands, Recorder], Tensor]:
    def compute(config: Config, operands: Operands, place: Recorder) -> Tensor:
        x = _only(operands)
        axes = _axes(config, x)
        if config.get("initial") is not None:
            raise Unsupported("an initial value is not supported")
        rest = [axis for axis in range(len(x.shape)) if axis not in axes]
        shape = [1 if axis in axes else size for axis, size in enumerate(x.shape)]
        places = x.places.transpose(*rest, *axes).reshape(-1, int(np.prod([x.shape[axis] for axis in axes])))
        x = x if sign == 1 else x.times(np.array(-1))
        found = largest(place, x, places, "maximum" if sign == 1 else "minimum")
        kept = shape if config.get("keepdims") else [x.shape[axis] for axis in rest]
        found = found.at(found.places.reshape(kept))
        return found if sign == 1 else found.times(np.array(-1))

    return compute


def _joined(config: Config, operands: Operands, place: Recorder) -> Tensor:
    found = concatenated([_value(operand) for operand in operands], config["axis"])
    assert isinstance(found, Tensor)
    return found


def _stacked(config: Config, operands: Operands, place: Recorder) -> Tensor:
    parts = [arranged(_value(operand), lambda places: np.expand_dims(places, config["axis"])) for operand in operands]
    found = concatenated(parts, config["axis"])
    assert isinstance(found, Tensor)
    return found


def _moved(
    arrange: Callable[[np.ndarray, Config], np.ndarray], fits: Callable[[Config], bool] = lambda config: True
) -> Callable[[Config, Operands, Recorder], Tensor]:
    """A function that only moves, repeats or drops entries, if its options fit."""

    def compute(config: Config, operands: Operands, place: Recorder) -> Tensor:
        x = _only(operands)
        if not fits(config):
            raise Unsupported("its options are not supported")
        found = arranged(x, lambda places: arrange(places, config))
        assert isinstance(found, Tensor)
        return found

    return compute


def _reshaped(places: np.ndarray, config: Config) -> np.ndarray:
    return places.reshape([-1 if size is None else size for size in config["newshape"]])


def _repeated(places: np.ndarray, config: Config) -> np.ndarray:
    sized(places.size * config["repeats"], "what is repeated")
    return np.repeat(places, config["repeats"], config["axis"])


def _item(config: Config, operands: Operands, place: Recorder) -> Tensor:
    """``x[key]`` of slices, numbers, new axes and an ellipsis, which leaves the batch alone."""
    if len(operands) != 2 or not isinstance(operands[0], Tensor):
        raise Unsupported("a call with something that is no value of the model is not supported")
    x, key = operands
    parts = [_part(part) for part in (key if isinstance(key, list) else [key])]
    axes = sum(part is not None and part is not Ellipsis for part in parts)
    if parts[0] != slice(None) and not (parts[0] is Ellipsis and axes < len(x.shape)):
        raise Unsupported("a choice of rows of a batch is not supported")
    found = arranged(x, lambda places: places[tuple(parts)])
    assert isinstance(found, Tensor)
    return found


def _part(part: Any) -> Any:
    if part is None or type(part) is int:
        return part
    kind = part.get("class_name") if isinstance(part, dict) else None
    if kind == "__ellipsis__":
        return Ellipsis
    if kind != "__slice__" or not all(v is None or type(v) is int for v in part["config"].values()):
        raise Unsupported(f"an index {str(part)[:40]} is not supported")
    return slice(*(part["config"][end] for end in ("start", "stop", "step")))


OPERATIONS: dict[str, Callable[[Config, Operands, Recorder], Tensor]] = {
    "Absolute": _absolute,
    "Add": _sum,
    "Clip": _clipped("x_min", "x_max"),
    "Concatenate": _joined,
    "Divide": _quotient,
    "ExpandDims": _moved(lambda places, config: np.expand_dims(places, config["axis"])),
    "Flip": _moved(lambda places, config: np.flip(places, config["axis"])),
    "GetItem": _item,
    "HardSigmoid": _hard_sigmoid,
    "HardTanh": _clipped(-1, 1),
    "LeakyRelu": _leaky,
    "Matmul": _matrix_product,
    "Max": _most(1),
    "Maximum": _extreme(1),
    "Mean": _reduced(True),
    "Min": _most(-1),
    "Minimum": _extreme(-1),
    "Moveaxis": _moved(lambda places, config: np.moveaxis(places, config["source"], config["destination"])),
    "Multiply": _product,
    "Negative": lambda config, operands, place: _only(operands).times(np.array(-1)),
    "Relu": lambda config, operands, place: place.relu(_only(operands)),
    "Relu6": _clipped(0, 6),
    "Repeat": _moved(_repeated, lambda config: type(config["repeats"]) is type(config["axis"]) is int),
    "Reshape": _moved(_reshaped),
    "SoftShrink": _soft_shrink,
    "Squeeze": _moved(
        lambda places, config: np.squeeze(places, config["axis"]),
        lambda config: type(config["axis"]) is int and config["axis"] != 0,
    ),
    "Stack": _stacked,
    "Subtract": _difference,
    "Sum": _reduced(False),
    "Swapaxes": _moved(lambda places, config: np.swapaxes(places, config["axis1"], config["axis2"])),
    "Transpose": _moved(lambda places, config: places.transpose(config["axes"])),
    "TrueDivide": _quotient,
}
"""The functions that are read."""
