"""Tensors and tables of other libraries as arrays of the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from geomrelu.io import torch as torch_format

__all__ = ["as_array"]


def as_array(value: Any) -> Any:
    """A tensor of PyTorch, or whatever else says how it becomes an array (pandas, JAX), as one; all else as it is.

    Raises:
        InputError: a tensor without numbers of its own (sparse, or on the device "meta").

    Exact: yes.
    """
    if isinstance(value, (np.ndarray, np.generic)):
        return value
    if hasattr(value, "is_floating_point") and hasattr(value, "detach"):  # without importing PyTorch
        return torch_format.array_of(value)
    return np.asarray(value) if hasattr(value, "__array__") else value
