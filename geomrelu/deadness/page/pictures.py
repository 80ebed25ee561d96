"""Weights and witnesses as images, where the inputs of a network are one."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from geomrelu.arguments import integers
from geomrelu.errors import InputError
from geomrelu.exact.numbers import nearest
from geomrelu.network.network import Network

__all__ = ["Album", "Shape", "image_shape", "near"]

LIMIT = 1_500_000  # bytes of pictures on a page
SMALLEST = 4  # pixels a side, of what is taken for an image without having been told
Shape = tuple[int, int, int, bool]  # channels, height, width; do the channels come last?
LARGEST = 1e300
ORDER = "SDT?AL"  # whose filters come first


def image_shape(network: Network, image: Sequence[int] | None = None) -> Shape | None:
    """(channels, height, width, whether channels come last) of the input, None if it is no image.

    Args:
        image: (height, width), (channels, height, width) or (height, width, channels); None: as the model's file says.

    Raises:
        InputError: not such a shape, or one of another number of inputs.
    """
    if image is not None:
        given = integers(image, "image")
        found = _shape(given, 1)
        if found is None:
            raise InputError(
                "the shape of an image is height,width or channels,height,width or height,width,channels, 1 or 3"
                f" channels, not {','.join(map(str, given))}"
            )
        if np.prod(found[:3]) != network.inputs:
            raise InputError(f"an image {','.join(map(str, given))} has not the {network.inputs} inputs of the model")
        return found
    if network.reading is None or len(network.reading.inputs) != 1:
        return None
    found = _shape(list(network.reading.inputs[0].shape), SMALLEST)
    return found if found is not None and np.prod(found[:3]) == network.inputs else None


def _shape(shape: list[int], least: int) -> Shape | None:
    while len(shape) > 3 and shape[0] == 1:
        shape = shape[1:]
    if len(shape) == 2:
        shape = [1, *shape]
    if len(shape) != 3 or min(shape) < 1:
        return None
    c, h, w = shape
    if c in (1, 3) and min(h, w) >= least:
        return c, h, w, False
    h, w, c = shape
    return (c, h, w, True) if c in (1, 3) and min(h, w) >= least else None


class Album:
    """The pictures of a page, until there are too many bytes of them.

    Attributes:
        omitted: how many had no room. scale: the values that are drawn black and white in witnesses.
    """

    def __init__(self, network: Network, shape: Shape | None, domain: Any) -> None:
        self.network, self.shape = network, shape
        self.room, self.omitted = LIMIT, 0
        self.scale = None if shape is None else _scale(domain)
        self._at = None if shape is None else _coordinates(shape)

    def filters(self, layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The incoming weights of neurons that read the image alone; ``layer["filter"]`` says which picture is whose.

        Of a convolution only the part of the image that a neuron reads; what is drawn twice is there once.
        """
        if self.shape is None:
            return []
        found: list[dict[str, Any]] = []
        known: dict[tuple[tuple[int, ...], bytes, float], int] = {}
        for layer in layers:
            level = layer["layer"]
            if self.network.blocks[level] != (0,):
                continue
            map_ = self.network.layers[level - 1]
            neurons = layer["neurons"] or range(layer["width"])
            order = sorted(range(len(layer["kinds"])), key=lambda k: ORDER.index(layer["kinds"][k]))
            cut = len(layer["shape"]) > 1
            drawn: dict[Any, int] = {}  # which picture; -1: there was no room
            for k in order:
                start, stop = map_.indptr[neurons[k]], map_.indptr[neurons[k] + 1]
                places, size = self._patch(map_.indices[start:stop], cut)
                entries = map_.data[start:stop].tolist()
                alike = (size, places.tobytes(), *entries) if cut else k  # neurons of a convolution mostly are
                if alike not in drawn:
                    weights, largest = _grey(nearest(entries, map_.denominator), places, size)
                    key = size, weights.tobytes(), largest
                    if key not in known and self._spend(weights.size):
                        known[key] = len(found)
                        found.append({"size": list(size), "largest": largest, "pixels": _text(weights)})
                    drawn[alike] = known.get(key, -1)
                layer["filter"][k] = drawn[alike]
        return found

    def _patch(self, inputs: np.ndarray, cut: bool) -> tuple[np.ndarray, tuple[int, int, int]]:
        """Where some inputs stand in the image, or in the part of it that they span; its channels, height and width."""
        assert self._at is not None and self.shape is not None
        channel, y, x = (axis[inputs] for axis in self._at)
        c, h, w, _ = self.shape
        if cut and len(inputs):
            y, x = y - y.min(), x - x.min()
            h, w = int(y.max()) + 1, int(x.max()) + 1
        return (channel * h + y) * w + x, (c, h, w)

    def witness(self, point: tuple[str, ...]) -> dict[str, Any] | None:
        """A point as an image, black for the least value that the set allows; None if there is no image or no room."""
        if self.shape is None or not self._spend(len(point)):
            return None
        values = self._image(np.array([near(x) for x in point]))
        low, high = self.scale or (float(values.min()), float(values.max()))
        share = np.clip((values - low) / ((high - low) or 1.0), 0, 1)
        return {"size": list(values.shape), "pixels": _text(np.round(255 * share).astype(np.uint8))}

    def _image(self, values: np.ndarray) -> np.ndarray:
        assert self.shape is not None
        c, h, w, last = self.shape
        return values.reshape(h, w, c).transpose(2, 0, 1) if last else values.reshape(c, h, w)

    def _spend(self, count: int) -> bool:
        cost = 4 * -(-count // 3) + 60
        if cost > self.room:
            self.omitted += 1
            return False
        self.room -= cost
        return True


def _coordinates(shape: Shape) -> np.ndarray:
    """Channel, row and column of each input."""
    c, h, w, last = shape
    return np.indices((h, w, c)).reshape(3, -1)[[2, 0, 1]] if last else np.indices((c, h, w)).reshape(3, -1)


def _grey(values: np.ndarray, places: np.ndarray, size: tuple[int, int, int]) -> tuple[np.ndarray, float]:
    """Weights at some places of an image, from -largest (0) by 0 (128) to largest (255), and the largest."""
    image = np.zeros(size)
    image.ravel()[places] = np.clip(values, -LARGEST, LARGEST)
    largest = float(np.abs(image).max()) or 1.0
    return np.round(128 + 127 * (image / largest)).astype(np.uint8), float(f"{largest:.4g}")


def _scale(domain: Any) -> tuple[float, float] | None:
    """The least and the greatest value that a bounded box allows."""
    sides = getattr(domain, "checked", None)
    lower, upper = getattr(sides, "lower", None), getattr(sides, "upper", None)
    if not lower or not upper or None in lower or None in upper:
        return None
    low, high = float(min(lower)), float(max(upper))
    return (low, high) if low < high else None


@lru_cache(1 << 16)  # the sides of a box stand in many points
def near(text: str) -> float:
    """A float near a rational number; the largest one if it is larger."""
    p, q = Fraction(text).as_integer_ratio()
    try:
        return max(-LARGEST, min(p / q, LARGEST))
    except OverflowError:
        return LARGEST if p > 0 else -LARGEST


def _text(pixels: np.ndarray) -> str:
    return b64encode(np.ascontiguousarray(pixels).tobytes()).decode()
