"""geomrelu: an exact analyzer of dead ReLU neurons.

The names below are loaded when they are first used, so that importing the package is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from geomrelu.blas import one_thread

if TYPE_CHECKING:
    from geomrelu.affine import AffineForm, AffineMap
    from geomrelu.arrangement import Arrangement
    from geomrelu.budget import Budget
    from geomrelu.complex import Complex, difference
    from geomrelu.deadness import LayerReport, Status, Verdict, decide
    from geomrelu.errors import InputError
    from geomrelu.exact import rational
    from geomrelu.network import Network
    from geomrelu.polyhedron import FiniteSet, Polyhedron, read_domain

__all__ = [
    "AffineForm",
    "AffineMap",
    "Arrangement",
    "Budget",
    "Complex",
    "FiniteSet",
    "InputError",
    "LayerReport",
    "Network",
    "Polyhedron",
    "Status",
    "Verdict",
    "decide",
    "difference",
    "rational",
    "read_domain",
]

_HOME = {
    "AffineForm": "affine",
    "AffineMap": "affine",
    "Arrangement": "arrangement",
    "Budget": "budget",
    "Complex": "complex",
    "FiniteSet": "polyhedron",
    "InputError": "errors",
    "LayerReport": "deadness",
    "Network": "network",
    "Polyhedron": "polyhedron",
    "Status": "deadness",
    "Verdict": "deadness",
    "decide": "deadness",
    "difference": "complex",
    "rational": "exact",
    "read_domain": "polyhedron",
}


one_thread()  # before any other module can import NumPy
del one_thread


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'geomrelu' has no attribute {name!r}")
    return getattr(import_module(f"geomrelu.{_HOME[name]}"), name)
