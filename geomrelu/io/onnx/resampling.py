"""Rules of Resize and Upsample: nearest neighbours move entries, linear and cubic interpolation are linear maps.

Which entry is nearest is found in 32-bit floats, as inference engines do; weights are exact.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.numbers import rational
from geomrelu.io.onnx.rules import Node, Unsupported, constant, depends, integers, rule
from geomrelu.io.tensors import Tensor, Value, axis_of, sized

__all__ = ["resampled", "resized"]

_RESIZE = "antialias axes coordinate_transformation_mode cubic_coeff_a exclude_outside extrapolation_value"
_Weights = list[dict[int, Fraction]]


@rule("Upsample", 1, 2, "height_scale mode scales width_scale")
def _upsample(node: Node, x: Value, scales: Value | None = None) -> Value:
    x = depends(x)
    by = node.reals("scales") if scales is None else constant(scales, "the scales")
    return _resized(node, x, by, None, list(range(len(x.shape))), "asymmetric", "floor")


@rule("Resize", 1, 4, _RESIZE + " keep_aspect_ratio_policy mode nearest_mode")
def _resize(
    node: Node, x: Value, roi: Value | None = None, scales: Value | None = None, sizes: Value | None = None
) -> Value:
    x = depends(x)
    if roi is not None and scales is None and sizes is None:  # of operator set 10
        return _resized(node, x, constant(roi, "the scales"), None, list(range(len(x.shape))), "asymmetric", "simple")
    if node.number("antialias", 0) or node.text("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise Unsupported("antialias and keep_aspect_ratio_policy are not supported")
    axes = [axis_of(a, x.shape) for a in node.numbers("axes", range(len(x.shape)))]
    by = None if scales is None or not math.prod(scales.shape) else constant(scales, "the scales")
    wanted = None if sizes is None else integers(sizes, "the sizes")
    place = node.text("coordinate_transformation_mode", "half_pixel")
    return _resized(node, x, by, wanted, axes, place, node.text("nearest_mode", "round_prefer_floor"))


def _resized(
    node: Node, x: Tensor, scales: np.ndarray | None, sizes: list[int] | None, axes: list[int], place: str, nearest: str
) -> Tensor:
    mode = node.text("mode", "nearest")
    if place not in _PLACES or nearest not in _NEAREST:
        raise Unsupported(f"{place[:40]} and {nearest[:40]} are not supported")
    if mode not in ("nearest", "linear", "bilinear", "cubic"):
        raise InputError(f"mode {mode[:40]!r} is not supported")
    given: list[Any] | None = sizes if scales is None else [rational(v, "scale") for v in scales.ravel()]
    before = x.shape
    if given is None or len(given) != len(axes):
        raise InputError("one scale or one size is needed for each axis")
    for axis, value in zip(axes, given, strict=True):
        size = x.shape[axis]
        if value <= 0:
            raise InputError("scales and sizes must be positive")
        if scales is None:
            out, scale = int(value), Fraction(value, size)
        else:
            out, scale = int(np.float32(size) * np.float32(float(min(value, 10**9)))), Fraction(value)
            if place == "align_corners" and np.float32(out / size) != np.float32(float(value)):
                raise Unsupported("align_corners, with a scale that gives no whole number of entries, is not supported")
        cubic = node.real("cubic_coeff_a", -0.75), bool(node.number("exclude_outside", 0))
        x = resized(x, axis, out, scale, "linear" if mode == "bilinear" else mode, place, nearest, cubic)
    if x.shape == before and scales is not None and any(value != 1 for value in given):
        raise Unsupported("scales that keep every size mean a copy to inference engines, but not in the standard")
    return x


def resized(
    x: Tensor,
    axis: int,
    out: int,
    scale: Fraction,
    mode: str,
    place: str,
    nearest: str = "floor",
    cubic: tuple[Fraction, bool] = (Fraction(-3, 4), False),
) -> Tensor:
    """A tensor with ``out`` entries along an axis, as the operator Resize makes them.

    Args:
        scale: of the coordinates; out: about the size times this.
        mode: nearest, linear or cubic; place: which coordinate of the input belongs to one of the output; nearest: how
            that is rounded, simple: up if the axis shrinks, else down; cubic: the coefficient, and whether what lies
            outside is left out.
    """
    size = x.shape[axis]
    if out < 1:
        raise InputError("the output is empty")
    sized(x.map.outputs // size * out, "the resized tensor")
    if out == size and scale == 1:
        return x
    if mode == "nearest":
        if nearest == "simple":  # of operator set 10
            nearest = "ceil" if scale < 1 else "floor"
        spots = [_at(np.float32(i), np.float32(float(scale)), size, out, place) for i in range(out)]
        if place == "half_pixel_symmetric":  # engines add that up in several precisions
            for i in range(out):
                _settled(i, scale, size, out, nearest)
        if nearest.startswith("round") and any(_is_almost_half(spot, size) for spot in spots):
            raise Unsupported(_UNSETTLED)
        chosen = [_nearest(spot, nearest) for spot in spots]
        return x.at(np.take(x.places, np.clip(chosen, 0, size - 1), axis))
    places = [Fraction(_at(Fraction(i), scale, size, out, place)) for i in range(out)]
    return resampled(x, axis, _cubic(*cubic, places, size) if mode == "cubic" else _linear(places, size))


def _at(i, scale, size: int, out: int, place: str):  # type: ignore[no-untyped-def]  # of floats or of fractions
    """The coordinate in the input of coordinate ``i`` of the output, in the arithmetic of ``i``."""
    one = type(i)(1)
    half = one / (one + one)
    if place == "asymmetric":
        return i / scale
    if place == "align_corners":
        return i * type(i)(size - 1) / type(i)(out - 1) if out > 1 else type(i)(0)
    if place == "pytorch_half_pixel" and out == 1:
        return type(i)(0)
    if place == "half_pixel_symmetric":
        shift = type(i)(size) * half * (one - type(i)(out) / (scale * type(i)(size)))
        return shift + (i + half) / scale - half
    return (i + half) / scale - half


_PLACES = ("half_pixel", "pytorch_half_pixel", "half_pixel_symmetric", "align_corners", "asymmetric")
_UNSETTLED = "which entry is nearest depends on rounding, which is not supported"
_NEAREST = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "simple")


def _settled(i: int, scale: Fraction, size: int, out: int, mode: str) -> None:
    """Refuse a coordinate so near a half or a whole number that it depends on how its parts are rounded."""
    exact = float(_at(Fraction(i), scale, size, out, "half_pixel_symmetric"))
    near = {_nearest(exact + by, mode) for by in (-1e-5, 1e-5)}
    parts = ((i + Fraction(1, 2)) / scale, out / (scale * size))
    if len(near) > 1 and any(Fraction(float(np.float32(float(v)))) != v for v in parts):
        raise Unsupported(_UNSETTLED)


def _is_almost_half(spot: np.float32, size: int) -> bool:
    """Is it, after rounding, next to the middle between two entries? Some engines take it for the middle then."""
    below = math.floor(spot)
    return 0 <= below < size - 1 and 0 < abs(float(spot) - below - 0.5) < 2e-6


def _nearest(spot: np.float32 | float, mode: str) -> int:
    below = math.floor(spot)
    rest = float(spot) - below
    if mode == "floor":
        return below
    if mode == "ceil":
        return math.ceil(spot)
    up = rest > 0.5 or (rest == 0.5 and mode == "round_prefer_ceil")
    return below + up


def _linear(spots: list[Fraction], size: int) -> _Weights:
    found: _Weights = []
    for spot in spots:
        spot = min(max(spot, Fraction(0)), Fraction(size - 1))
        low = math.floor(spot)
        rest = spot - low
        found.append({low: 1 - rest, low + 1: rest} if rest else {low: Fraction(1)})
    return found


def _cubic(a: Fraction, outside: bool, spots: list[Fraction], size: int) -> _Weights:
    found: _Weights = []
    for spot in spots:
        low, weights = math.floor(spot), dict[int, Fraction]()
        for k in range(low - 1, low + 3):
            d = abs(spot - k)
            w = (a + 2) * d**3 - (a + 3) * d**2 + 1 if d <= 1 else a * (d**3 - 5 * d**2 + 8 * d - 4)
            if d >= 2 or (outside and not 0 <= k < size):
                continue
            inside = min(max(k, 0), size - 1)
            weights[inside] = weights.get(inside, Fraction(0)) + w
        total = sum(weights.values())
        found.append({k: w / total for k, w in weights.items()} if outside and total else weights)
    return found


def resampled(x: Tensor, axis: int, weights: _Weights) -> Tensor:
    """Along an axis, entry ``i`` becomes the sum of the entries ``weights[i]`` names."""
    most = max(map(len, weights))
    read = np.zeros((len(weights), most), dtype=np.int64)
    table = np.full((len(weights), most), Fraction(0), dtype=object)
    for i, row in enumerate(weights):
        for k, (source, weight) in enumerate(row.items()):
            read[i, k], table[i, k] = source, weight
    places = np.moveaxis(x.places, axis, -1)[..., read]
    which = np.broadcast_to(np.arange(table.size).reshape(table.shape), places.shape)
    shape = places.shape[:-1]
    found = x.combined(shape, places.reshape(-1, most), table, which.reshape(-1, most))
    return found.at(np.moveaxis(found.places, -1, axis))
