"""How things below ask for their picture: by name, since pictures are drawn above them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["picture_of"]


def picture_of(thing: Any, **how: Any) -> Any:
    """What :func:`geomrelu.plots.picture.plot` draws; Matplotlib is imported then, not before."""
    return import_module("geomrelu.plots.picture").plot(thing, **how)
