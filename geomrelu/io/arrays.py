"""Tensors and tables of other libraries as arrays of the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.numbers import plain

__all__ = ["as_array"]


def as_array(value: Any) -> Any:
    """A tensor of PyTorch, or whatever else says how it becomes an array (pandas, JAX), as one; all else as it is.

    Raises:
        InputError: a tensor without numbers of its own (sparse, or on the device "meta"), or masked entries.

    Exact: yes.
    """
    if isinstance(value, np.ndarray):
        return plain(value)
    if isinstance(value, np.generic):
        return value
    if hasattr(value, "is_floating_point") and hasattr(value, "detach"):  # without importing PyTorch
        from geomrelu.io.torch_modules import array_of  # here: most values are no tensors

        return array_of(value) if value.is_floating_point() else _whole_numbers(value)
    return np.asarray(value) if hasattr(value, "__array__") else value


def _whole_numbers(tensor: Any) -> np.ndarray:
    try:
        found: np.ndarray = tensor.detach().cpu().numpy()
    except (AttributeError, TypeError, NotImplementedError, RuntimeError):
        raise InputError("it is not a tensor that holds each of its numbers") from None
    return found
