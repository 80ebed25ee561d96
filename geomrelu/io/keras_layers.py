"""What each layer of Keras computes before its activation, as exact operations on tensors.

Keras keeps channels last unless a layer says otherwise; kernels are (height, width, in, out) either way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.numbers import rational
from geomrelu.io.onnx.activations import activated, largest, largest_of_windows, sloped
from geomrelu.io.onnx.resampling import resized
from geomrelu.io.tape import batch_normalisation, windows
from geomrelu.io.tensors import (
    Recorder,
    Tensor,
    arranged,
    axis_of,
    concatenated,
    exact_array,
    same_padding,
    sized,
)

__all__ = [
    "LARGEST",
    "LAYERS",
    "Config",
    "activated_by",
    "activation_of",
    "constant",
    "is_activated",
    "linear_part",
    "policy_of",
    "presumed",
    "refusal",
]

Config = dict[str, Any]
_EPSILON = rational(1e-7)  # of Keras, where nobody changed it
Arrays = Sequence[np.ndarray]


def linear_part(kind: str, config: Config, values: Sequence[Tensor], weights: Arrays) -> Tensor | None:
    """What a layer computes before its activation; None if the layer is not supported.

    Raises:
        InputError: an option that is not supported, weights that are missing or do not fit.
    """
    if config.get("quantization_config") or policy_of(config).startswith(("int8", "int4", "float8")):
        raise InputError("quantised layers are not supported")
    if kind in _MERGES:
        return _MERGES[kind](config, values)
    if kind not in _LAYERS:
        return None
    if len(values) != 1:
        raise InputError(f"it reads {len(values)} values")
    return _LAYERS[kind](config, values[0], weights)


def activated_by(kind: str, config: Config, x: Tensor, place: Recorder, weights: Arrays) -> Tensor | None:
    """The activation of a layer, done to a tensor; None if it is not supported."""
    if kind in LARGEST:
        return LARGEST[kind](config, x, place)
    if kind == "PReLU":
        (slopes,) = _weights(weights, 1)
        return sloped(place, x, np.array([rational(v) for v in slopes.ravel()], dtype=object).reshape(slopes.shape))
    if kind == "LeakyReLU":
        slope = "negative_slope" if "negative_slope" in config else "alpha"  # as Keras 3 and as Keras 2 call it
        return activated(place, x, "LeakyRelu", _floats(config, slope))
    if kind == "ReLU":
        if _number(config, "threshold", 0):
            return None
        most = config.get("max_value")
        if _number(config, "negative_slope", 0):
            return activated(place, x, "LeakyRelu", _floats(config, "negative_slope")) if most is None else None
        if most is not None:
            return activated(place, x, "Clip", np.append(0.0, _floats(config, "max_value")))
        return place.relu(x)
    name = activation_of(config)
    if name == "linear":
        return x
    if name == "relu":
        return place.relu(x)
    if name in ("keras.layers.LeakyReLU", "keras.layers.ReLU"):  # a layer given as the activation of another
        return activated_by(name.rpartition(".")[2], config["activation"]["config"], x, place, ())
    if name == "leaky_relu":
        return activated(place, x, "LeakyRelu", np.array([0.2]))
    bounds = {"hard_tanh": (-1.0, 1.0), "relu6": (0.0, 6.0)}.get(name)
    return None if bounds is None else activated(place, x, "Clip", np.array(bounds))


def is_activated(kind: str, config: Config) -> bool:
    """Does it have an activation other than the identity?"""
    return kind in _ACTIVATIONS or kind in LARGEST or activation_of(config) != "linear"


def activation_of(config: Config) -> str:
    """The activation in a configuration by name; Keras's own, or one with its module."""
    found = config.get("activation")
    if isinstance(found, dict):
        if found.get("module") not in ("keras.activations", "builtins") or ">" in str(found.get("registered_name")):
            return f"{found.get('module')}.{found.get('class_name')}"
        inner = found.get("config")
        found = inner if isinstance(inner, str) else found.get("class_name")
    return "linear" if found is None else str(found)


def refusal(kind: str, config: Config) -> str:
    """Why :func:`activated_by` does not support an activation."""
    if kind == "ReLU":
        options = ("threshold", "negative_slope", "max_value")
        given = ", ".join(f"{key} {str(config[key])[:20]}" for key in options if config.get(key))
        return f"{kind} with {given} is not supported"
    return f"the activation {activation_of(config)[:40]} is not supported"


def _floats(config: Config, key: str) -> np.ndarray:
    """A number of the configuration, as the float that Keras holds."""
    return np.array([float(rational(config[key], key))])


def _largest(config: Config, x: Tensor, place: Recorder) -> Tensor:
    """Max pooling; padding counts for nothing."""
    axes = len(x.shape) - 2
    kernel = _pair(config["pool_size"], axes)
    strides = _pair(config.get("strides") or kernel, axes)

    def compute(planes: Tensor) -> Tensor:
        pads = _pads(config["padding"], planes.shape[2:], kernel, strides, [1] * axes)
        counts, places, _ = windows(planes.shape[2:], kernel, strides, pads, [1] * axes, "max pooling")
        return largest_of_windows(place, planes, places, counts)

    return _on_planes(config, x, compute)


def _largest_of_all(config: Config, x: Tensor, place: Recorder) -> Tensor:
    """Of each channel."""
    planes = _moved(x, -1, 1) if _last(config) else x
    n, c, *spatial = planes.shape
    found = largest(place, planes, planes.places.reshape(n * c, -1))
    shape = (n, c, *[1] * len(spatial)) if config.get("keepdims") else (n, c)
    found = found.at(found.places.reshape(shape))
    return _moved(found, 1, -1) if _last(config) else found


def _extreme(sign: int) -> Callable[[Config, Tensor, Recorder], Tensor]:
    """Along the last axis, on which :func:`_stacked` puts what such a layer reads."""

    def compute(config: Config, x: Tensor, place: Recorder) -> Tensor:
        rows = (x if sign > 0 else x.times(np.array(-1))).at(x.places.reshape(-1, x.shape[-1]))
        found = largest(place, rows, rows.places, "maximum" if sign > 0 else "minimum")
        found = found.at(found.places.reshape(x.shape[:-1]))
        return found if sign > 0 else found.times(np.array(-1))

    return compute


_ACTIVATIONS = frozenset({"LeakyReLU", "PReLU", "ReLU"})
LARGEST: dict[str, Callable[[Config, Tensor, Recorder], Tensor]] = {
    "GlobalMaxPooling1D": _largest_of_all,
    "GlobalMaxPooling2D": _largest_of_all,
    "GlobalMaxPooling3D": _largest_of_all,
    "MaxPooling1D": _largest,
    "MaxPooling2D": _largest,
    "MaxPooling3D": _largest,
    "Maximum": _extreme(1),
    "Minimum": _extreme(-1),
}


def policy_of(config: Config) -> str:
    """The name of the policy that says in which types a layer computes."""
    policy = config.get("dtype")
    if isinstance(policy, dict):
        policy = policy.get("config", {}).get("name") if isinstance(policy.get("config"), dict) else None
    return str(policy or "")


def _number(config: Config, key: str, default: int) -> Any:
    value = config.get(key)
    return rational(default if value is None else value, key)


def _weights(weights: Arrays, count: int) -> Arrays:
    if len(weights) != count:
        raise InputError(f"{len(weights)} weights are stored, but it has {count}")
    return weights


def _pair(value: Any, axes: int) -> list[int]:
    sizes = list(value) if isinstance(value, list) else [value] * axes
    if len(sizes) != axes or not all(type(v) is int and v > 0 for v in sizes):
        raise InputError(f"expected {axes} positive sizes, not {str(value)[:60]}")
    return sizes


# ---- channels ---------------------------------------------------------------------------------------------------


def _moved(x: Tensor, source: int, target: int) -> Tensor:
    found = arranged(x, lambda places: np.moveaxis(places, source, target))
    assert isinstance(found, Tensor)
    return found


def _last(config: Config) -> bool:
    form = config.get("data_format") or "channels_last"
    if form not in ("channels_last", "channels_first"):
        raise InputError(f"data_format {str(form)[:40]!r} is not known")
    return bool(form == "channels_last")


def _on_planes(config: Config, x: Tensor, compute: Callable[[Tensor], Tensor]) -> Tensor:
    """``compute`` done with the channels as axis 1."""
    if not _last(config):
        return compute(x)
    return _moved(compute(_moved(x, -1, 1)), 1, -1)


def _pads(padding: Any, shape: Sequence[int], kernel: list[int], strides: list[int], dilations: list[int]) -> list[int]:
    if padding == "valid":
        return [0] * (2 * len(kernel))
    if padding == "same":
        sizes = zip(shape, kernel, strides, dilations, strict=True)
        pairs = [same_padding(*s, more_at_end=True) for s in sizes]
        return [before for before, _ in pairs] + [after for _, after in pairs]
    if padding == "causal" and len(kernel) == 1:
        return [(kernel[0] - 1) * dilations[0], 0]
    raise InputError(f"padding {str(padding)[:40]!r} is not supported")


# ---- layers with one input --------------------------------------------------------------------------------------


def _dense(config: Config, x: Tensor, weights: Arrays) -> Tensor:
    kernel, *bias = _weights(weights, 1 + bool(config.get("use_bias", True)))
    if kernel.ndim != 2 or any(b.shape != kernel.shape[1:] for b in bias):
        raise InputError(f"weights of shape {', '.join(str(list(w.shape)) for w in weights)} do not fit together")
    product = x.matmul(kernel)
    return product.plus(bias[0]) if bias else product


def _convolution(config: Config, x: Tensor, weights: Arrays) -> Tensor:
    kernel, *bias = _weights(weights, 1 + bool(config.get("use_bias", True)))
    axes = _axes_of(kernel, x)
    strides, dilations = _pair(config["strides"], axes), _pair(config.get("dilation_rate", 1), axes)
    (groups,) = _pair(config.get("groups", 1), 1)

    def compute(planes: Tensor) -> Tensor:
        pads = _pads(config["padding"], planes.shape[2:], list(kernel.shape[:axes]), strides, dilations)
        turned = kernel.transpose(axes + 1, axes, *range(axes))
        return planes.convolved(turned, bias[0] if bias else None, strides, pads, dilations, groups)

    return _on_planes(config, x, compute)


def _depthwise(config: Config, x: Tensor, weights: Arrays) -> Tensor:
    """Each channel has kernels of its own."""
    kernel, *bias = _weights(weights, 1 + bool(config.get("use_bias", True)))
    axes = _axes_of(kernel, x)
    strides, dilations = _pair(config["strides"], axes), _pair(config.get("dilation_rate", 1), axes)
    channels, each = kernel.shape[axes:]

    def compute(planes: Tensor) -> Tensor:
        pads = _pads(config["padding"], planes.shape[2:], list(kernel.shape[:axes]), strides, dilations)
        turned = kernel.transpose(axes, axes + 1, *range(axes)).reshape(channels * each, 1, *kernel.shape[:axes])
        return planes.convolved(turned, bias[0] if bias else None, strides, pads, dilations, channels)

    return _on_planes(config, x, compute)


def _separable(config: Config, x: Tensor, weights: Arrays) -> Tensor:
    own, across, *bias = _weights(weights, 2 + bool(config.get("use_bias", True)))
    x = _depthwise({**config, "use_bias": False}, x, [own])
    axes = _axes_of(across, x)
    turned = across.transpose(axes + 1, axes, *range(axes))
    ones, zeros = [1] * axes, [0] * (2 * axes)
    return _on_planes(config, x, lambda p: p.convolved(turned, bias[0] if bias else None, ones, zeros, ones, 1))


def _transposed(config: Config, x: Tensor, weights: Arrays) -> Tensor:
    kernel, *bias = _weights(weights, 1 + bool(config.get("use_bias", True)))
    axes = _axes_of(kernel, x)
    strides, dilations = _pair(config["strides"], axes), _pair(config.get("dilation_rate", 1), axes)
    if config.get("output_padding") is not None:
        raise InputError("output_padding is not supported")
    before, after, more = [], [], []
    for size, stride, dilation in zip(kernel.shape, strides, dilations, strict=False):
        over = (size - 1) * dilation + 1 - stride
        cut = max(over, 0) if config["padding"] == "same" else 0
        before.append(cut // 2)  # as TensorFlow and JAX, and PyTorch from Keras 3.15 on
        after.append(cut - cut // 2)
        more.append(max(-over, 0))

    def compute(planes: Tensor) -> Tensor:
        turned = kernel.transpose(axes + 1, axes, *range(axes))
        return planes.spread(turned, bias[0] if bias else None, strides, before + after, dilations, 1, more)

    return _on_planes(config, x, compute)


def _axes_of(kernel: np.ndarray, x: Tensor) -> int:
    axes = kernel.ndim - 2
    if axes != len(x.shape) - 2 or axes < 1:
        raise InputError(f"a kernel of shape {list(kernel.shape)} does not fit {list(x.shape)}")
    return axes


def _pooling(config: Config, x: Tensor, weights: Arrays) -> Tensor:
    axes = len(x.shape) - 2
    kernel = _pair(config["pool_size"], axes)
    strides = _pair(config.get("strides") or kernel, axes)

    def compute(planes: Tensor) -> Tensor:
        shape = planes.shape[2:]
        pads = _pads(config["padding"], shape, kernel, strides, [1] * axes)
        if pads[:axes] != pads[axes:] and any(map(_is_disputed, shape, kernel, strides, pads)):
            raise InputError(
                "its windows reach further beyond one end than beyond the other, where the backends of Keras do not "
                "agree: TensorFlow and JAX average what is inside, PyTorch repeats the last entry"
            )
        return planes.averaged(kernel, strides, pads, False)

    return _on_planes(config, x, compute)


def _is_disputed(size: int, kernel: int, stride: int, before: int) -> bool:
    """Do the means of some window along an axis differ, of what is inside, and with the ends repeated?"""
    for first in range(-before, size, stride)[: -(-size // stride)]:
        inside = [min(max(k, 0), size - 1) for k in range(first, first + kernel)]
        if len({inside.count(k) for k in inside}) > 1:
            return True
    return False


def _global_pooling(config: Config, x: Tensor, weights: Arrays) -> Tensor:
    axes = range(1, len(x.shape) - 1) if _last(config) else range(2, len(x.shape))
    return x.reduced(list(axes), bool(config.get("keepdims")), mean=True)


def _normalisation(config: Config, x: Tensor, weights: Arrays) -> Tensor:
    axis = config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if type(axis) is not int:
        raise InputError(f"axis {str(axis)[:40]} is not supported")
    axis = axis_of(axis, x.shape)
    scales, centers = bool(config.get("scale", True)), bool(config.get("center", True))
    found = list(_weights(weights, 2 + scales + centers))
    size = len(found[-1])
    gamma = found.pop(0) if scales else np.ones(size)
    beta = found.pop(0) if centers else np.zeros(size)
    epsilon = float(rational(config.get("epsilon", "0.001"), "epsilon"))  # the float that Keras holds
    moved = _moved(x, axis, 1).normalised(gamma, beta, found[0], found[1], epsilon)
    return _moved(moved, 1, axis)


def _flattening(config: Config, x: Tensor, weights: Arrays) -> Tensor:
    if not _last(config) and len(x.shape) > 2:
        x = _moved(x, 1, -1)
    return x.at(x.places.reshape(1, -1))


def _reshaping(config: Config, x: Tensor, weights: Arrays) -> Tensor:
    target = config["target_shape"]
    if not isinstance(target, list) or not all(type(v) is int for v in target):
        raise InputError(f"target_shape {str(target)[:60]} is not a shape")
    known = math.prod(v for v in target if v != -1)
    size = x.map.outputs
    if target.count(-1) > 1 or known < 1 or (size % known if -1 in target else size != known):
        raise InputError(f"target_shape {target} does not fit {list(x.shape)}")
    return x.at(x.places.reshape(1, *target))


def _permutation(config: Config, x: Tensor, weights: Arrays) -> Tensor:
    order = config["dims"]
    if sorted(order) != list(range(1, len(x.shape))):
        raise InputError(f"dims {str(order)[:60]} do not permute the axes of {list(x.shape)}")
    return x.at(x.places.transpose(0, *order))


def _sides(given: Any, axes: int, where: str) -> list[list[int]]:
    sides = [given] if axes == 1 and not (isinstance(given, list) and isinstance(given[0], list)) else given
    sides = [[s, s] if type(s) is int else s for s in sides] if isinstance(sides, list) else [[sides, sides]] * axes
    if len(sides) != axes or not all(len(s) == 2 and all(type(v) is int and 0 <= v < 10**4 for v in s) for s in sides):
        raise InputError(f"{where} {str(given)[:60]} is not supported")
    return sides


def _padding(config: Config, x: Tensor, weights: Arrays) -> Tensor:
    axes = len(x.shape) - 2
    sides = _sides(config["padding"], axes, "padding")

    def compute(planes: Tensor) -> Tensor:
        identity = np.ones((planes.shape[1], 1, *[1] * axes), dtype=np.int64)
        pads = [s[0] for s in sides] + [s[1] for s in sides]
        return planes.convolved(identity, None, [1] * axes, pads, [1] * axes, planes.shape[1])

    return _on_planes(config, x, compute)


def _cropping(config: Config, x: Tensor, weights: Arrays) -> Tensor:
    sides = _sides(config["cropping"], len(x.shape) - 2, "cropping")

    def compute(planes: Tensor) -> Tensor:
        cut = [slice(before, size - after) for size, (before, after) in zip(planes.shape[2:], sides, strict=True)]
        return planes.at(planes.places[(slice(None), slice(None), *cut)])

    return _on_planes(config, x, compute)


def _repetition(config: Config, x: Tensor, weights: Arrays) -> Tensor:
    how = config.get("interpolation", "nearest")
    if how not in ("nearest", "bilinear"):
        raise InputError(f"interpolation {str(how)[:40]!r} is not supported")
    sizes = _pair(config["size"], len(x.shape) - 2)

    def compute(planes: Tensor) -> Tensor:
        if how == "bilinear":
            for axis, size in enumerate(sizes, 2):
                out = planes.shape[axis] * size
                planes = resized(planes, axis, out, Fraction(size), "linear", "half_pixel")
            return planes
        places = planes.places
        for axis, size in enumerate(sizes, 2):
            places = np.repeat(places, size, axis)
        return planes.at(places)

    return _on_planes(config, x, compute)


def _vector(config: Config, x: Tensor, weights: Arrays) -> Tensor:
    (count,) = _pair(config["n"], 1)
    sized(x.map.outputs * count, "the repeated vector")
    return x.at(np.repeat(x.places[:, None, :], count, 1))


def _rescaling(config: Config, x: Tensor, weights: Arrays) -> Tensor:
    scale, offset = (constant(config.get(key, default), key) for key, default in (("scale", 1), ("offset", 0)))
    return x.times(scale).plus(offset)


def _standardisation(config: Config, x: Tensor, weights: Arrays) -> Tensor:
    """``(x - mean) / max(sqrt(variance), epsilon)``, or back; the root as in batch normalisation."""
    given = config.get("axis", -1)
    listed = [] if given is None else given if isinstance(given, list) else [given]
    axes = sorted({axis_of(axis, x.shape) for axis in listed})
    if 0 in axes:
        raise InputError(f"axis {str(given)[:40]} is not supported")
    kept = [size if axis in axes else 1 for axis, size in enumerate(x.shape)]
    if config.get("mean") is None:
        if len(weights) not in (2, 3):  # the third counts what was seen
            raise InputError(f"{len(weights)} weights are stored, but it has 2 or 3")
        arrays = [np.asarray(array) for array in weights[:2]]
    else:
        arrays = [constant(config[key], key) for key in ("mean", "variance")]
    spread = []
    for array in arrays:
        shape = [1] * len(kept)
        for axis, size in zip(axes[::-1], array.shape[::-1], strict=False):  # fewer axes are the last ones
            shape[axis] = size
        if array.ndim > len(axes) or any(size not in (1, most) for size, most in zip(shape, kept, strict=True)):
            raise InputError(
                f"a mean of shape {list(array.shape)} does not fit axis {str(given)[:40]} of {list(x.shape)}"
            )
        spread.append(array.reshape(shape))
    mean, variance = spread
    variances = [max(v, _EPSILON**2) for v in exact_array(variance).ravel()]
    if config.get("invert"):
        variances = [1 / v for v in variances]
    ones, zeros = np.ones(variance.size), np.zeros(variance.size)
    roots, _ = batch_normalisation(ones, zeros, zeros, np.array(variances, dtype=object), 0)
    factors = np.array(roots, dtype=object).reshape(variance.shape)
    return x.times(factors).plus(mean) if config.get("invert") else x.plus(mean, -1).times(factors)


def presumed(kind: str, config: Config, weights: Arrays) -> str:
    """What is taken for granted of a layer, as no file says it; nothing, if it does not matter."""
    if kind != "Normalization":
        return ""
    variance = weights[1] if config.get("mean") is None else constant(config["variance"], "variance")
    if all(v >= _EPSILON**2 for v in exact_array(variance).ravel()):
        return ""
    return "Normalization divides by 1e-7 where the variance is 0, as Keras does unless its epsilon is changed"


def constant(value: Any, where: str) -> np.ndarray:
    """Numbers of the configuration, nested as may be: Keras holds floats, so the text is that of a float."""
    if isinstance(value, dict) and value.get("class_name") in ("__numpy__", "__tensor__"):
        value = value["config"]["value"]
    try:
        entries = np.array(value, dtype=object)
    except ValueError:
        raise InputError(f"{where}: {str(value)[:60]} is no array") from None
    found = np.array([float(rational(v, where)) for v in entries.ravel()], dtype=np.float64)
    return found.reshape(entries.shape)


def _identity(config: Config, x: Tensor, weights: Arrays) -> Tensor:
    return x


_LAYERS: dict[str, Callable[[Config, Tensor, Arrays], Tensor]] = {
    "Activation": _identity,
    "ActivityRegularization": _identity,
    "AlphaDropout": _identity,
    "BatchNormalization": _normalisation,
    "Dense": _dense,
    "DepthwiseConv1D": _depthwise,
    "DepthwiseConv2D": _depthwise,
    "Dropout": _identity,
    "Flatten": _flattening,
    "GaussianDropout": _identity,
    "GaussianNoise": _identity,
    "Identity": _identity,
    "Normalization": _standardisation,
    "Permute": _permutation,
    "RepeatVector": _vector,
    "Rescaling": _rescaling,
    "Reshape": _reshaping,
    "SeparableConv1D": _separable,
    "SeparableConv2D": _separable,
    **dict.fromkeys(("LeakyReLU", "PReLU", "ReLU"), _identity),
}
for _axes in "123":
    _LAYERS |= {
        f"AveragePooling{_axes}D": _pooling,
        f"Conv{_axes}D": _convolution,
        f"Conv{_axes}DTranspose": _transposed,
        f"Cropping{_axes}D": _cropping,
        f"GlobalAveragePooling{_axes}D": _global_pooling,
        f"GlobalMaxPooling{_axes}D": _identity,
        f"MaxPooling{_axes}D": _identity,
        f"SpatialDropout{_axes}D": _identity,
        f"UpSampling{_axes}D": _repetition,
        f"ZeroPadding{_axes}D": _padding,
    }


# ---- layers with several inputs ---------------------------------------------------------------------------------


def _sum(config: Config, values: Sequence[Tensor]) -> Tensor:
    total = values[0]
    for value in values[1:]:
        total = total.plus(value)
    return total


def _difference(config: Config, values: Sequence[Tensor]) -> Tensor:
    if len(values) != 2:
        raise InputError(f"it reads {len(values)} values")
    return values[0].plus(values[1], -1)


def _average(config: Config, values: Sequence[Tensor]) -> Tensor:
    fraction = np.empty((), dtype=object)
    fraction[()] = rational(f"1/{len(values)}")
    return _sum(config, values).times(fraction)


def _concatenation(config: Config, values: Sequence[Tensor]) -> Tensor:
    axis = config.get("axis", -1)
    if type(axis) is not int or axis_of(axis, values[0].shape) == 0:
        raise InputError(f"axis {str(axis)[:40]} is not supported")
    found = concatenated(values, axis)
    assert isinstance(found, Tensor)
    return found


def _stacked(config: Config, values: Sequence[Tensor]) -> Tensor:
    """Side by side along a new last axis, for :func:`_extreme`."""
    if len({value.shape for value in values}) != 1:
        raise InputError(f"shapes {', '.join(str(list(value.shape)) for value in values)} are not alike")
    found = concatenated([value.at(value.places[..., None]) for value in values], -1)
    assert isinstance(found, Tensor)
    return found


_MERGES: dict[str, Callable[[Config, Sequence[Tensor]], Tensor]] = {
    "Add": _sum,
    "Average": _average,
    "Concatenate": _concatenation,
    "Maximum": _stacked,
    "Minimum": _stacked,
    "Subtract": _difference,
}
LAYERS = frozenset({*_LAYERS, *_MERGES, "TimeDistributed"})
"""The layers of Keras that are read."""
