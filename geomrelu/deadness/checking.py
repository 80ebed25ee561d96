"""Certificates judged again, from Python."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from geomrelu import checker
from geomrelu.arguments import filename, kind
from geomrelu.certificates.batch import Quick
from geomrelu.deadness import quantised_certificate
from geomrelu.deadness.quantised_pruning import FORMAT, judge_pruning
from geomrelu.deadness.report import Report
from geomrelu.errors import InputError
from geomrelu.geometry.domains import Union, as_domain
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.network.front_door import as_judged, as_network
from geomrelu.network.quantised import QuantisedNetwork

__all__ = ["check"]


def check(certificates: Any, model: Any, domain: Any, *, smaller: Any = None, independent: bool = True) -> int:
    """Judge certificates again from nothing but the network and the domain; the number of claims, all of them proved.

    Args:
        certificates: a path, JSON data, several of them, or a :class:`Report`.
        model, domain: as for :func:`geomrelu.decide`.
        smaller: the network that certificates of a pruning are about.
        independent: by the plain judge, :mod:`geomrelu.checker`; False: by the fast one, many boxes at a time.

    Raises:
        Rejected: of :mod:`geomrelu.checker`, at the first doubt; the text says which claim, and why.
        InputError: what cannot be read.

    Exact: yes. Cost: linear in the size of the certificates.

    Source: the rules of :mod:`geomrelu.checker` and of ``certificates/FORMAT.md``.

    >>> from geomrelu import decide
    >>> layers = [([[1, 1]], [-3], "relu")]
    >>> check(decide(layers, (-1, 1)), layers, (-1, 1))
    1
    """
    network = as_judged(model)
    where = as_domain(domain, network.inputs)
    if isinstance(where, Union):
        raise InputError("the domain is a union: judge the certificates of each piece on that piece")
    if isinstance(network, QuantisedNetwork):
        return _on_whole_numbers(map(_read, _several(certificates)), network, where, smaller, independent)
    judge = checker.Judge if independent else Quick
    proved = 0
    for data in map(_read, _several(certificates)):
        if smaller is not None and isinstance(data, dict) and data.get("geomrelu") == checker.PRUNING:
            other = as_network(smaller).checked
            proved += sum(checker.check_pruning(data, network.checked, where.checked, other, judge).values())
        else:
            proved += len(checker.check(data, network.checked, where.checked, judge))
    return proved


def _on_whole_numbers(
    certificates: Iterable[Any],
    network: QuantisedNetwork,
    domain: Polyhedron | FiniteSet,
    smaller: Any,
    independent: bool,
) -> int:
    judge, proved = checker.Judge if independent else Quick, 0
    other = None if smaller is None else as_judged(smaller)
    for data in certificates:
        if isinstance(other, QuantisedNetwork) and isinstance(data, dict) and data.get("geomrelu") == FORMAT:
            proved += judge_pruning(data, network, domain, other, judge)
        else:
            proved += len(quantised_certificate.judge(data, network, domain, judge))
    return proved


def _several(certificates: Any) -> Iterable[Any]:
    if isinstance(certificates, Report):
        return certificates.certificates
    if isinstance(certificates, (str, PathLike, Mapping)):
        return [certificates]
    if not isinstance(certificates, Iterable):
        raise InputError(f"certificates are paths or JSON data, one or several, not {kind(certificates)}")
    return certificates


def _read(certificate: Any) -> Any:
    """Data as it would be read from a file."""
    if isinstance(certificate, Mapping):
        return json.loads(json.dumps(certificate))
    return quantised_certificate.read(Path(filename(certificate, "a certificate")))
