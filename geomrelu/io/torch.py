"""Models in memory from PyTorch: ``nn.Sequential`` trees of piecewise linear modules, and state dictionaries.

Modules are told apart by the name of their class and read through their attributes, so PyTorch itself is not
imported. Parameters enter as the dyadic numbers their floats hold; modules mean what they do in evaluation mode.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap
from geomrelu.exact.numbers import bfloat16
from geomrelu.io.files import named
from geomrelu.io.tape import Tape, chain
from geomrelu.io.tensors import Tensor, same_padding, sized

__all__ = ["from_module", "from_state_dict"]


def from_module(module: Any, input_shape: Sequence[int] | None = None) -> Tape:
    """The network of an ``nn.Sequential`` (nested ones too) of Linear, Conv1d, Conv2d, BatchNorm1d, BatchNorm2d,
    AvgPool1d, AvgPool2d, Flatten, ReLU, Identity and Dropout.

    Args:
        input_shape: of one input without the batch, such as ``(1, 28, 28)``; may be left out where the first layer
            with parameters is a Linear.

    Raises:
        InputError: an unsupported module or option, with its place in the tree, or shapes that do not fit.

    Exact: yes, except that batch normalisation may hold an irrational root, see
    :func:`geomrelu.io.tape.batch_normalisation`.
    """
    modules = list(_leaves(module, ""))
    shape = _input_shape(modules) if input_shape is None else tuple(int(s) for s in input_shape)
    if not shape or min(shape) < 1:
        raise InputError(f"input_shape: expected positive sizes, not {list(shape)}")
    sized(math.prod(shape), "input_shape")
    tape = Tape(math.prod(shape))
    value = Tensor((1, *shape), tape.input)
    for place, leaf in modules:
        kind = type(leaf).__name__
        with named(f"module {place or 'given'} ({kind})"):
            if getattr(leaf, "_forward_hooks", None) or getattr(leaf, "_forward_pre_hooks", None):
                raise InputError("it has forward hooks, which may change what it computes")
            if kind == "ReLU":
                value = Tensor(value.shape, tape.relu(value.map))
            elif kind in _MODULES:
                value = _MODULES[kind](leaf, value)
            else:
                raise InputError(f"it is not supported (supported: Sequential, ReLU, {', '.join(sorted(_MODULES))})")
    return tape.finish(value.map)


def from_state_dict(state: Mapping[str, Any]) -> Tape:
    """The network of linear layers in the order of ``state``, with ReLU between them and none after the last.

    Args:
        state: ``name.weight`` (out, in) and, where there is one, ``name.bias`` (out,): tensors or arrays.

    Raises:
        InputError: anything in it that is not a linear layer, by name; shapes that do not fit.

    Exact: yes.
    """
    layers: dict[str, dict[str, np.ndarray]] = {}
    for key, parameter in state.items():
        stem, _, kind = str(key).rpartition(".")
        with named(f"parameter {str(key)[:80]!r}"):
            if kind not in ("weight", "bias"):
                raise InputError("it is not the weight or the bias of a linear layer")
            layers.setdefault(stem, {})[kind] = array = _array(parameter)
            if array.ndim != (2 if kind == "weight" else 1):
                raise InputError(f"shape {list(array.shape)} is not that of a linear layer")
    for stem, layer in layers.items():
        if "weight" not in layer:
            raise InputError(f"layer {stem[:80]!r} has a bias but no weight")
    words = ["relu"] * (len(layers) - 1) + ["none"]
    return chain(
        (AffineMap.from_dense(layer["weight"], layer.get("bias"), f"layer {stem[:80]!r}"), word)
        for (stem, layer), word in zip(layers.items(), words, strict=False)
    )


def _leaves(module: Any, place: str) -> Iterator[tuple[str, Any]]:
    """The modules of a tree of Sequentials in order, with their places such as ``0.2``."""
    if type(module).__name__ != "Sequential":
        yield place, module
        return
    for name, child in module.named_children():
        yield from _leaves(child, f"{place}.{name}" if place else name)


def _input_shape(modules: list[tuple[str, Any]]) -> tuple[int, ...]:
    for place, module in modules:
        kind = type(module).__name__
        if kind == "Linear":
            return (int(module.in_features),)
        if kind not in ("Flatten", "Identity", "Dropout", "ReLU"):
            raise InputError(f"module {place or 'given'} ({kind}): give input_shape, for instance (1, 28, 28)")
    raise InputError("there is no layer that says how many inputs the network has: give input_shape")


def _array(parameter: Any) -> np.ndarray:
    """A tensor bit by bit; of a kind that NumPy does not have, as float32, which holds it exactly."""
    if isinstance(parameter, np.ndarray):
        return parameter
    if not hasattr(parameter, "is_floating_point") or not parameter.is_floating_point():
        raise InputError("it is not a tensor of floating-point numbers")
    tensor = parameter.detach().cpu()
    if str(tensor.dtype) == "torch.bfloat16":
        return bfloat16(tensor.contiguous().view(sys.modules["torch"].int16).numpy())
    known = str(tensor.dtype) in ("torch.float16", "torch.float32", "torch.float64")
    array: np.ndarray = (tensor if known else tensor.float()).numpy()
    return array


# ---- the modules ------------------------------------------------------------------------------------------------


def _linear(module: Any, x: Tensor) -> Tensor:
    product = x.matmul(_array(module.weight).T)
    return product if module.bias is None else product.plus(_array(module.bias))


def _convolution(module: Any, x: Tensor) -> Tensor:
    if module.padding_mode != "zeros":
        raise InputError(f"padding_mode {module.padding_mode!r} is not supported")
    kernel = _array(module.weight)
    strides, dilations = list(module.stride), list(module.dilation)
    if module.padding == "same":
        if len(x.shape) != kernel.ndim:
            raise InputError(f"a kernel of shape {list(kernel.shape)} does not fit {list(x.shape)}")
        sizes = zip(x.shape[2:], kernel.shape[2:], strides, dilations, strict=True)
        pairs = [same_padding(*s, more_at_end=True) for s in sizes]
        pads = [before for before, _ in pairs] + [after for _, after in pairs]
    else:
        pads = [0] * (2 * len(strides)) if module.padding == "valid" else 2 * list(module.padding)
    bias = None if module.bias is None else _array(module.bias)
    return x.convolved(kernel, bias, strides, pads, dilations, module.groups)


def _normalisation(module: Any, x: Tensor) -> Tensor:
    if module.running_mean is None or module.running_var is None:
        raise InputError("without running statistics it is not a fixed map")
    mean, variance = _array(module.running_mean), _array(module.running_var)
    scale = np.ones(len(mean)) if module.weight is None else _array(module.weight)
    shift = np.zeros(len(mean)) if module.bias is None else _array(module.bias)
    return x.normalised(scale, shift, mean, variance, float(module.eps))


def _pooling(module: Any, x: Tensor) -> Tensor:
    if module.ceil_mode or getattr(module, "divisor_override", None) is not None:
        raise InputError("ceil_mode and divisor_override are not supported")
    spatial = len(x.shape) - 2
    kernel, strides, pads = (_spread(v, spatial) for v in (module.kernel_size, module.stride, module.padding))
    return x.averaged(kernel, strides, 2 * pads, module.count_include_pad)


def _spread(value: Any, axes: int) -> list[int]:
    return [int(v) for v in value] if isinstance(value, Sequence) else [int(value)] * axes


def _flattening(module: Any, x: Tensor) -> Tensor:
    axes = range(len(x.shape))
    if module.start_dim not in (*axes, -1) or module.end_dim not in (*axes, -1):
        raise InputError(f"start_dim {module.start_dim} and end_dim {module.end_dim} do not fit {list(x.shape)}")
    start, end = axes[module.start_dim], axes[module.end_dim]
    if not 0 < start <= end:
        raise InputError("start_dim and end_dim must keep the batch")
    return x.at(x.places.reshape(*x.shape[:start], -1, *x.shape[end + 1 :]))


def _identity(module: Any, x: Tensor) -> Tensor:
    return x


_MODULES: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "Linear": _linear,
    "Conv1d": _convolution,
    "Conv2d": _convolution,
    "BatchNorm1d": _normalisation,
    "BatchNorm2d": _normalisation,
    "AvgPool1d": _pooling,
    "AvgPool2d": _pooling,
    "Flatten": _flattening,
    "Identity": _identity,
    "Dropout": _identity,
}
