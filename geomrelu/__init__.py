"""geomrelu: an exact analyzer of dead ReLU neurons.

The names below are loaded when they are first used, so that importing the package is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from geomrelu.blas import one_thread

if TYPE_CHECKING:
    from geomrelu.budget import Budget
    from geomrelu.deadness.decide import LayerReport, Status, Verdict, decide
    from geomrelu.errors import InputError
    from geomrelu.exact.affine import AffineForm, AffineMap
    from geomrelu.exact.numbers import rational
    from geomrelu.geometry import catalogue
    from geomrelu.geometry.arrangement import Arrangement
    from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron, read_domain
    from geomrelu.network.complex import Complex, difference
    from geomrelu.network.network import Network

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
    "catalogue",
    "decide",
    "difference",
    "rational",
    "read_domain",
]

_HOME = {
    "AffineForm": "exact.affine",
    "AffineMap": "exact.affine",
    "Arrangement": "geometry.arrangement",
    "Budget": "budget",
    "Complex": "network.complex",
    "FiniteSet": "geometry.polyhedron",
    "InputError": "errors",
    "LayerReport": "deadness.decide",
    "Network": "network.network",
    "Polyhedron": "geometry.polyhedron",
    "Status": "deadness.decide",
    "Verdict": "deadness.decide",
    "catalogue": "geometry.catalogue",
    "decide": "deadness.decide",
    "difference": "network.complex",
    "rational": "exact.numbers",
    "read_domain": "geometry.polyhedron",
}


one_thread()  # before any other module can import NumPy
del one_thread


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'geomrelu' has no attribute {name!r}")
    module = import_module(f"geomrelu.{_HOME[name]}")
    return module if name == "catalogue" else getattr(module, name)
