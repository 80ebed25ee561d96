"""geomrelu: an exact analyzer of dead ReLU neurons.

The names below are loaded when they are first used, so that importing the package is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from geomrelu.blas import one_thread

if TYPE_CHECKING:
    from geomrelu.budget import Budget
    from geomrelu.checker import Rejected
    from geomrelu.claims.runner import verify
    from geomrelu.deadness.checking import check
    from geomrelu.deadness.front_door import decide
    from geomrelu.deadness.report import Report
    from geomrelu.deadness.smaller import Smaller, prune
    from geomrelu.deadness.verdict import LayerReport, Status, Verdict
    from geomrelu.errors import InputError
    from geomrelu.exact.affine import AffineForm, AffineMap
    from geomrelu.exact.numbers import rational
    from geomrelu.geometry import catalogue
    from geomrelu.geometry.arrangement import Arrangement
    from geomrelu.geometry.domains import Union, as_domain, read_domain
    from geomrelu.geometry.ellipsoid import Ellipsoid
    from geomrelu.geometry.finite_set import FiniteSet
    from geomrelu.geometry.polyhedron import Polyhedron
    from geomrelu.network.complex import Complex, difference
    from geomrelu.network.front_door import as_network, load
    from geomrelu.network.network import Network
    from geomrelu.plots.picture import Picture, plot
    from geomrelu.random_networks.experiment import Experiment
    from geomrelu.random_networks.probability import probability

    __version__: str

__all__ = [
    "AffineForm",
    "AffineMap",
    "Arrangement",
    "Budget",
    "Complex",
    "Ellipsoid",
    "Experiment",
    "FiniteSet",
    "InputError",
    "LayerReport",
    "Network",
    "Picture",
    "Polyhedron",
    "Rejected",
    "Report",
    "Smaller",
    "Status",
    "Union",
    "Verdict",
    "__version__",
    "as_domain",
    "as_network",
    "catalogue",
    "check",
    "decide",
    "difference",
    "load",
    "plot",
    "probability",
    "prune",
    "rational",
    "read_domain",
    "verify",
]

_HOME = {
    "AffineForm": "exact.affine",
    "AffineMap": "exact.affine",
    "Arrangement": "geometry.arrangement",
    "Budget": "budget",
    "Complex": "network.complex",
    "Ellipsoid": "geometry.ellipsoid",
    "Experiment": "random_networks.experiment",
    "FiniteSet": "geometry.finite_set",
    "InputError": "errors",
    "LayerReport": "deadness.verdict",
    "Network": "network.network",
    "Picture": "plots.picture",
    "Polyhedron": "geometry.polyhedron",
    "Rejected": "checker",
    "Report": "deadness.report",
    "Smaller": "deadness.smaller",
    "Status": "deadness.verdict",
    "Union": "geometry.domains",
    "Verdict": "deadness.verdict",
    "as_domain": "geometry.domains",
    "as_network": "network.front_door",
    "catalogue": "geometry.catalogue",
    "check": "deadness.checking",
    "decide": "deadness.front_door",
    "difference": "network.complex",
    "load": "network.front_door",
    "plot": "plots.picture",
    "probability": "random_networks.probability",
    "prune": "deadness.smaller",
    "rational": "exact.numbers",
    "read_domain": "geometry.domains",
    "verify": "claims.runner",
}


one_thread()  # before any other module can import NumPy
del one_thread


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from geomrelu.resume import version_of

        return version_of("geomrelu")
    if name not in _HOME:
        raise AttributeError(f"module 'geomrelu' has no attribute {name!r}")
    module = import_module(f"geomrelu.{_HOME[name]}")
    return module if name == "catalogue" else getattr(module, name)


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
