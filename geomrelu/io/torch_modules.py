"""What each module of PyTorch computes in evaluation mode, as exact operations on tensors."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.numbers import rational
from geomrelu.io import narrow
from geomrelu.io.onnx.activations import activated, between, largest, largest_of_windows, sloped
from geomrelu.io.onnx.resampling import resampled, resized
from geomrelu.io.tape import windows
from geomrelu.io.tensors import Recorder, Tensor, axis_of, concatenated, same_padding, sized

__all__ = ["ACTIVATIONS", "LINEAR", "array_of"]


def array_of(parameter: Any) -> np.ndarray:
    """A tensor as an array of the same numbers."""
    if isinstance(parameter, np.ndarray):
        return parameter
    if hasattr(parameter, "__array__") and not hasattr(parameter, "is_floating_point"):
        return _of_another_library(parameter)
    if not hasattr(parameter, "is_floating_point") or not parameter.is_floating_point():
        raise InputError("it is not a tensor of floating-point numbers")
    try:
        kind = str(parameter.dtype).removeprefix("torch.")
        if str(parameter.layout) != "torch.strided" or getattr(parameter, "is_meta", False):
            raise InputError("it is not a tensor that holds each of its numbers")
        here = parameter.detach().cpu().resolve_neg().contiguous()
        if kind in narrow.KINDS:
            torch = sys.modules["torch"]
            bits = here.view(torch.int16 if kind == "bfloat16" else torch.uint8).numpy().view(narrow.KINDS[kind])
            return narrow.widened(bits, kind)
        if kind not in ("float16", "float32", "float64"):
            raise InputError(f"it holds {kind}, which is not read")
        array: np.ndarray = here.numpy()
        return array
    except AttributeError:  # Paddle, tinygrad
        raise InputError("it is a tensor of another library than PyTorch: give an array of NumPy") from None
    except (RuntimeError, TypeError, NotImplementedError):  # masked, nested, fake tensors, and others of such classes
        raise InputError("it is not a tensor that holds each of its numbers") from None


def _of_another_library(parameter: Any) -> np.ndarray:
    """An array of JAX and the like."""
    try:
        found: np.ndarray = np.asarray(parameter)
    except (RuntimeError, TypeError, ValueError):  # traced, deleted, spread over other machines
        raise InputError("it is not an array that holds each of its numbers") from None
    kind = str(found.dtype.name)
    if kind in narrow.KINDS:
        return narrow.widened(found.view(narrow.KINDS[kind]), kind)
    if found.dtype.kind not in "fiu":
        raise InputError(f"it holds {found.dtype}, which is not read")
    return found


# ---- linear -----------------------------------------------------------------------------------------------------


def _linear(module: Any, x: Tensor) -> Tensor:
    product = x.matmul(array_of(module.weight).T)
    return product if module.bias is None else product.plus(array_of(module.bias))


def _convolution(module: Any, x: Tensor) -> Tensor:
    kernel = array_of(module.weight)
    strides, dilations = list(module.stride), list(module.dilation)
    if len(x.shape) != kernel.ndim:
        raise InputError(f"a kernel of shape {list(kernel.shape)} does not fit {list(x.shape)}")
    if module.padding == "same":
        sizes = zip(x.shape[2:], kernel.shape[2:], strides, dilations, strict=True)
        pairs = [same_padding(*s, more_at_end=True) for s in sizes]
    else:
        pairs = [(0, 0)] * len(strides) if module.padding == "valid" else [(p, p) for p in module.padding]
    if module.padding_mode != "zeros":
        x, pairs = _padded(x, pairs, module.padding_mode), [(0, 0)] * len(strides)
    pads = [before for before, _ in pairs] + [after for _, after in pairs]
    bias = None if module.bias is None else array_of(module.bias)
    return x.convolved(kernel, bias, strides, pads, dilations, module.groups)


def _transposed(module: Any, x: Tensor) -> Tensor:
    kernel, bias = array_of(module.weight), None if module.bias is None else array_of(module.bias)
    sizes = (module.stride, 2 * module.padding, module.dilation, module.output_padding)
    strides, pads, dilations, more = (list(size) for size in sizes)
    return x.spread(kernel, bias, strides, pads, dilations, module.groups, more)


def _normalisation(module: Any, x: Tensor) -> Tensor:
    if module.running_mean is None or module.running_var is None:
        raise InputError("without running statistics it is not a fixed map")
    mean, variance = array_of(module.running_mean), array_of(module.running_var)
    scale = np.ones(len(mean)) if module.weight is None else array_of(module.weight)
    shift = np.zeros(len(mean)) if module.bias is None else array_of(module.bias)
    return x.normalised(scale, shift, mean, variance, float(module.eps))


def _identity(module: Any, x: Tensor) -> Tensor:
    return x


# ---- pooling by means -------------------------------------------------------------------------------------------


def _pooling(module: Any, x: Tensor) -> Tensor:
    if getattr(module, "divisor_override", None) is not None:
        raise InputError("divisor_override is not supported")
    spatial = len(x.shape) - 2
    kernel, strides, pads = (_spread(v, spatial) for v in (module.kernel_size, module.stride, module.padding))
    return x.averaged(kernel, strides, 2 * pads, module.count_include_pad, None, module.ceil_mode)


def _adaptive(module: Any, x: Tensor) -> Tensor:
    for axis, parts in _parts(module, x):
        x = resampled(x, axis, [{k: Fraction(1, len(part)) for k in part} for part in parts])
    return x


def _parts(module: Any, x: Tensor) -> list[tuple[int, list[range]]]:
    """Along each axis that adaptive pooling changes, what each of its outputs looks at."""
    axes = len(x.shape) - 2
    given = module.output_size
    wanted = list(given) if isinstance(given, Sequence) else [given] * axes
    if len(wanted) != axes or not all(v is None or (type(v) is int and v > 0) for v in wanted):
        raise InputError(f"output_size {given} does not fit {list(x.shape[1:])}")
    found = []
    for axis, (size, out) in enumerate(zip(x.shape[2:], wanted, strict=True), 2):
        if out not in (None, size):
            sized(x.map.outputs // size * out, "the pooled tensor")
            found.append((axis, [range(i * size // out, -(-(i + 1) * size // out)) for i in range(out)]))
    return found


# ---- entries that move ------------------------------------------------------------------------------------------

_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _padded(x: Tensor, pairs: Sequence[tuple[int, int]], mode: str, value: Any = 0) -> Tensor:
    """More entries before and after each spatial axis; of constant ones a negative number is cut off."""
    if len(pairs) != len(x.shape) - 2:
        raise InputError(f"padding {list(pairs)} does not fit {list(x.shape[1:])}")
    if mode != "constant" and min(map(min, pairs)) < 0:
        raise InputError(f"padding {list(pairs)}: negative numbers are supported for constant padding only")
    if any(size <= -min(b, 0) - min(a, 0) for size, (b, a) in zip(x.shape[2:], pairs, strict=True)):
        raise InputError(f"padding {list(pairs)} leaves nothing of {list(x.shape[1:])}")
    cut = [slice(-min(b, 0), size + min(a, 0)) for size, (b, a) in zip(x.shape[2:], pairs, strict=True)]
    places = x.places[:, :, *cut]
    widths = [(0, 0), (0, 0), *((max(before, 0), max(after, 0)) for before, after in pairs)]
    sized(math.prod(s + before + after for s, (before, after) in zip(x.shape, widths, strict=True)), "the padding")
    if mode != "constant":
        if mode not in _MODES:
            raise InputError(f"padding_mode {mode[:40]!r} is not supported")
        return x.at(np.pad(x.places, widths, mode=_MODES[mode]))  # type: ignore[call-overload]
    count, fill = x.map.outputs, np.array([rational(value, "the padding")], dtype=object)
    flat = concatenated([x.at(np.arange(count)), fill], 0)
    assert isinstance(flat, Tensor)
    return flat.at(np.pad(places, widths, constant_values=count))


def _padding(mode: str) -> Callable[[Any, Tensor], Tensor]:
    def compute(module: Any, x: Tensor) -> Tensor:
        pads = list(module.padding)
        pairs = list(zip(pads[0::2], pads[1::2], strict=True))[::-1]  # the last axis comes first
        return _padded(x, pairs, mode, getattr(module, "value", 0))

    return compute


def _upsampling(module: Any, x: Tensor) -> Tensor:
    modes = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "trilinear": "linear", "bicubic": "cubic"}
    if module.mode not in modes:
        raise InputError(f"mode {str(module.mode)[:40]!r} is not supported")
    mode, axes = modes[module.mode], len(x.shape) - 2
    place = "align_corners" if module.align_corners else "half_pixel"
    given = module.scale_factor if module.size is None else module.size
    of_size = module.size is not None or bool(getattr(module, "recompute_scale_factor", None))
    for axis, value in enumerate(given if isinstance(given, Sequence) else [given] * axes, 2):
        size = x.shape[axis]
        out = int(value) if module.size is not None else math.floor(size * float(value))
        if mode == "nearest":
            sized(x.map.outputs // size * out, "the resized tensor")
            x = x.at(np.take(x.places, _nearest(size, out, None if of_size else float(value)), axis))
        elif mode != "linear" or out != size:  # as many entries as before: PyTorch copies them, whatever the factor is
            x = resized(x, axis, out, Fraction(out, size) if of_size else rational(value, "scale_factor"), mode, place)
    return x


def _nearest(size: int, out: int, factor: float | None) -> np.ndarray:
    """Which entry is taken for each of ``out``.

    PyTorch has several programs for it and chooses by the shape, the order in memory and the number of threads. Some
    compute in float32, some in float64; some take the factor for 1 or 2 where the sizes are in that proportion.

    Raises:
        InputError: they do not give the same.
    """
    found = []
    for real in ("f4", "f8"):
        step = np.array(size, real) / np.array(out, real) if factor is None else np.array(1 / factor, real)
        found.append(np.minimum(np.floor(np.arange(out).astype(real) * step).astype(np.int64), size - 1))
    if out in (size, 2 * size):
        found.append(np.arange(out) // (out // size))
    if any((other != found[0]).any() for other in found):
        raise InputError(
            f"from {size} entries to {out} by the factor {factor}, PyTorch takes other entries for other shapes and "
            "orders in memory: give the size, or recompute_scale_factor=True"
        )
    return found[0]


def _unflattening(module: Any, x: Tensor) -> Tensor:
    sizes = list(module.unflattened_size)
    if not isinstance(module.dim, int):
        raise InputError("dimensions with names are not supported")
    axis, rest = axis_of(module.dim, x.shape), -math.prod(sizes)
    if sizes.count(-1) == 1 and rest:
        sizes[sizes.index(-1)] = x.shape[axis] // rest
    if axis == 0 or min(sizes) < 1 or math.prod(sizes) != x.shape[axis]:
        raise InputError(f"dim {module.dim} and sizes {list(module.unflattened_size)} do not fit {list(x.shape)}")
    return x.at(x.places.reshape(*x.shape[:axis], *sizes, *x.shape[axis + 1 :]))


def _flattening(module: Any, x: Tensor) -> Tensor:
    axes = range(len(x.shape))
    if module.start_dim not in (*axes, -1) or module.end_dim not in (*axes, -1):
        raise InputError(f"start_dim {module.start_dim} and end_dim {module.end_dim} do not fit {list(x.shape)}")
    start, end = axes[module.start_dim], axes[module.end_dim]
    if not 0 < start <= end:
        raise InputError("start_dim and end_dim must keep the batch")
    return x.at(x.places.reshape(*x.shape[:start], -1, *x.shape[end + 1 :]))


def _shuffled(module: Any, x: Tensor) -> Tensor:
    (n, c, h, w), r = _image(x), module.upscale_factor
    if c % (r * r):
        raise InputError(f"{c} channels do not make blocks of {r}")
    blocks = x.places.reshape(n, c // (r * r), r, r, h, w).transpose(0, 1, 4, 2, 5, 3)
    return x.at(blocks.reshape(n, c // (r * r), h * r, w * r))


def _unshuffled(module: Any, x: Tensor) -> Tensor:
    (n, c, h, w), r = _image(x), module.downscale_factor
    if h % r or w % r:
        raise InputError(f"a plane of {h} x {w} does not fall into blocks of {r}")
    blocks = x.places.reshape(n, c, h // r, r, w // r, r).transpose(0, 1, 3, 5, 2, 4)
    return x.at(blocks.reshape(n, c * r * r, h // r, w // r))


def _image(x: Tensor) -> Sequence[int]:
    if len(x.shape) != 4:
        raise InputError(f"expected an image, not shape {list(x.shape[1:])}")
    return x.shape


def _channels_shuffled(module: Any, x: Tensor) -> Tensor:
    n, c, *rest = x.shape
    if c % module.groups:
        raise InputError(f"{c} channels do not make {module.groups} groups")
    return x.at(x.places.reshape(n, module.groups, c // module.groups, *rest).swapaxes(1, 2).reshape(x.shape))


def _spread(value: Any, axes: int) -> list[int]:
    return [int(v) for v in value] if isinstance(value, Sequence) else [int(value)] * axes


# ---- activations ------------------------------------------------------------------------------------------------


def _clipped(low: Any, high: Any) -> Callable[[Any, Tensor, Recorder], Tensor]:
    def compute(module: Any, x: Tensor, place: Recorder) -> Tensor:
        return activated(place, x, "Clip", np.array([low(module), high(module)], dtype=np.float64))

    return compute


def _leaky(slope: Callable[[Any], Any]) -> Callable[[Any, Tensor, Recorder], Tensor]:
    def compute(module: Any, x: Tensor, place: Recorder) -> Tensor:
        return activated(place, x, "LeakyRelu", np.array([slope(module)], dtype=np.float64))

    return compute


def _parametric(module: Any, x: Tensor, place: Recorder) -> Tensor:
    slopes = array_of(module.weight)
    if slopes.size not in (1, x.shape[1] if len(x.shape) > 1 else 1):
        raise InputError(f"{slopes.size} slopes do not fit {list(x.shape[1:])}")
    exact = np.array([rational(v) for v in slopes.ravel()], dtype=object)
    return sloped(place, x, exact.reshape(-1, *[1] * (len(x.shape) - 2)))


def _hard_sigmoid(module: Any, x: Tensor, place: Recorder) -> Tensor:
    sixth, half = np.array(Fraction(1, 6), dtype=object), np.array(Fraction(1, 2), dtype=object)
    return between(place, x.times(sixth).plus(half), Fraction(0), Fraction(1))


def _soft_shrink(module: Any, x: Tensor, place: Recorder) -> Tensor:
    """``x`` without its part between two bounds."""
    bound = rational(module.lambd, "lambd")
    return x.plus(between(place, x, -bound, bound), -1)


def _threshold(module: Any, x: Tensor, place: Recorder) -> Tensor:
    if module.threshold != module.value:
        raise InputError("it jumps: its value differs from its threshold")
    return between(place, x, rational(module.threshold, "threshold"), None)


def _largest(module: Any, x: Tensor, place: Recorder) -> Tensor:
    axes = len(x.shape) - 2
    if module.return_indices or axes < 1:
        raise InputError("return_indices is not supported, and images with a batch and channels are expected")
    sizes = (module.kernel_size, module.stride, module.padding, module.dilation)
    kernel, strides, pads, dilations = (_spread(v, axes) for v in sizes)
    counts, places, _ = windows(x.shape[2:], kernel, strides, 2 * pads, dilations, "max pooling", module.ceil_mode)
    return largest_of_windows(place, x, places, counts)


def _adaptive_largest(module: Any, x: Tensor, place: Recorder) -> Tensor:
    """Axis by axis, which compares least."""
    if module.return_indices:
        raise InputError("return_indices is not supported")
    for axis, parts in _parts(module, x):
        most = max(map(len, parts))
        read = np.array([[*part, *[part[-1]] * (most - len(part))] for part in parts])
        places = np.moveaxis(x.places, axis, -1)[..., read]
        found = largest(place, x, places.reshape(-1, most))
        x = found.at(np.moveaxis(np.arange(found.map.outputs).reshape(places.shape[:-1]), -1, axis))
    return x


ACTIVATIONS: dict[str, Callable[[Any, Tensor, Recorder], Tensor]] = {
    "AdaptiveMaxPool1d": _adaptive_largest,
    "AdaptiveMaxPool2d": _adaptive_largest,
    "AdaptiveMaxPool3d": _adaptive_largest,
    "Hardsigmoid": _hard_sigmoid,
    "Hardtanh": _clipped(lambda m: m.min_val, lambda m: m.max_val),
    "LeakyReLU": _leaky(lambda m: m.negative_slope),
    "MaxPool1d": _largest,
    "MaxPool2d": _largest,
    "MaxPool3d": _largest,
    "PReLU": _parametric,
    "RReLU": _leaky(lambda m: (m.lower + m.upper) / 2),
    "ReLU": lambda module, x, place: place.relu(x),
    "ReLU6": _clipped(lambda m: 0, lambda m: 6),
    "Softshrink": _soft_shrink,
    "Threshold": _threshold,
}
"""Modules that make ReLU layers."""

LINEAR: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "AdaptiveAvgPool1d": _adaptive,
    "AdaptiveAvgPool2d": _adaptive,
    "AdaptiveAvgPool3d": _adaptive,
    "AlphaDropout": _identity,
    "AvgPool1d": _pooling,
    "AvgPool2d": _pooling,
    "AvgPool3d": _pooling,
    "BatchNorm1d": _normalisation,
    "BatchNorm2d": _normalisation,
    "BatchNorm3d": _normalisation,
    "ChannelShuffle": _channels_shuffled,
    "CircularPad1d": _padding("circular"),
    "CircularPad2d": _padding("circular"),
    "CircularPad3d": _padding("circular"),
    "ConstantPad1d": _padding("constant"),
    "ConstantPad2d": _padding("constant"),
    "ConstantPad3d": _padding("constant"),
    "Conv1d": _convolution,
    "Conv2d": _convolution,
    "Conv3d": _convolution,
    "ConvTranspose1d": _transposed,
    "ConvTranspose2d": _transposed,
    "ConvTranspose3d": _transposed,
    "Dropout": _identity,
    "Dropout1d": _identity,
    "Dropout2d": _identity,
    "Dropout3d": _identity,
    "FeatureAlphaDropout": _identity,
    "Flatten": _flattening,
    "Identity": _identity,
    "Linear": _linear,
    "PixelShuffle": _shuffled,
    "PixelUnshuffle": _unshuffled,
    "ReflectionPad1d": _padding("reflect"),
    "ReflectionPad2d": _padding("reflect"),
    "ReflectionPad3d": _padding("reflect"),
    "ReplicationPad1d": _padding("replicate"),
    "ReplicationPad2d": _padding("replicate"),
    "ReplicationPad3d": _padding("replicate"),
    "SyncBatchNorm": _normalisation,
    "Unflatten": _unflattening,
    "Upsample": _upsampling,
    "UpsamplingBilinear2d": _upsampling,
    "UpsamplingNearest2d": _upsampling,
    "ZeroPad1d": _padding("constant"),
    "ZeroPad2d": _padding("constant"),
    "ZeroPad3d": _padding("constant"),
}
"""Modules that are affine in evaluation mode."""
