"""Certificates judged again, in this process or in several: each file apart, the claims of a large one in parts."""

from __future__ import annotations

import json
import pickle
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from functools import cached_property, reduce
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from geomrelu import checker
from geomrelu.arguments import filename, kind
from geomrelu.budget import UNLIMITED, Budget
from geomrelu.certificates import changes, files, kernel
from geomrelu.certificates.batch import Quick
from geomrelu.deadness import quantised_certificate, quantised_pruning
from geomrelu.deadness.report import Report
from geomrelu.errors import InputError
from geomrelu.geometry.domains import OneSet, Union, as_domain
from geomrelu.geometry.ellipsoid import Ellipsoid
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.network.front_door import as_judged
from geomrelu.network.network import Network
from geomrelu.network.quantised import QuantisedNetwork
from geomrelu.parallel import workers_on

__all__ = ["Case", "Judgement", "QuantisedCase", "case_of", "check", "judged"]

LARGE = 100_000  # bytes of a file whose claims are judged in parts
PARTS = 4  # of a large file for each worker
JUDGES: dict[str, type[checker.Judge]] = {"plain": checker.Judge, "fast": Quick}


def check(
    certificates: Any,
    model: Any,
    domain: Any,
    *,
    smaller: Any = None,
    independent: bool = True,
    workers: int = 1,
    budget: Budget = UNLIMITED,
) -> int:
    """Judge certificates again from nothing but the network and the domain; the number of claims, all of them proved.

    Args:
        certificates: a path, JSON data, several of them, or a :class:`Report`.
        model, domain: as for :func:`geomrelu.decide`.
        smaller: the network that certificates of a pruning are about.
        independent: by the plain judge, :mod:`geomrelu.checker`; False: by the fast one, many boxes at a time.
        workers: processes. budget: of time; if it is limited, no certificate is judged in this process.

    Raises:
        Rejected: of :mod:`geomrelu.checker`, at the first doubt; the text says which claim, and why.
        Exhausted: the time is over.
        InputError: what cannot be read.

    Exact: yes. Cost: linear in the size of the certificates. Those of a quantised network (``quantised.json``) are
    judged as :mod:`geomrelu.deadness.quantised_certificate` says.

    Source: the rules of :mod:`geomrelu.checker` and of ``certificates/FORMAT.md``.

    >>> from geomrelu import decide
    >>> layers = [([[1, 1]], [-3], "relu")]
    >>> check(decide(layers, (-1, 1)), layers, (-1, 1))
    1
    """
    network = as_judged(model)
    where = as_domain(domain, network.inputs, network.reading)
    if isinstance(where, Union):
        raise InputError("the domain is a union: judge the certificates of each piece on that piece")
    other = None if smaller is None else as_judged(smaller)
    case = case_of(network, (where,), other, "plain" if independent else "fast")
    proved = 0
    with workers_on(workers, apart=budget.left is not None) as (executor, number):
        for found in judged(_several(certificates), case, executor, number, budget):
            if found.problem is not None:
                raise found.problem
            proved += found.claims if found.changes is None else sum(found.changes.values())
    return proved


def _several(certificates: Any) -> Sequence[Any]:
    if isinstance(certificates, Report):
        return certificates.certificates
    if isinstance(certificates, (str, PathLike, Mapping)):
        return [certificates]
    if not isinstance(certificates, Iterable):
        raise InputError(f"certificates are paths or JSON data, one or several, not {kind(certificates)}")
    return list(certificates)


# ---- one certificate --------------------------------------------------------------------------------------------


NO_SMALLER = "it is about a pruning: say which is the smaller network (smaller, or --smaller)"


class Judgement(NamedTuple):
    """What has come of a certificate, or of a part of it.

    Attributes:
        problem: why it proves nothing; None: all its claims are proved.
        piece: the piece of the domain that it is about. claims: how many. dead: (layer, neuron) of those claimed dead.
        changes: of a pruning, how many neurons were removed, folded and merged.
    """

    problem: Exception | None
    piece: int = 0
    claims: int = 0
    dead: frozenset[tuple[int, int]] = frozenset()
    changes: dict[str, int] | None = None

    def and_(self, other: Judgement) -> Judgement:
        """Of two parts; a problem of the first is the problem."""
        if self.problem is not None or other.problem is not None:
            return self if self.problem is not None else other
        return self._replace(claims=self.claims + other.claims, dead=self.dead | other.dead)


class Case:
    """What certificates are judged against, unpacked once in each process.

    Args:
        pieces: the domain, or those of a union. smaller: of prunings.
        judge: "plain" (:mod:`geomrelu.checker`), "fast", or "kernel" (the program proved in Coq).
    """

    _known: tuple[bytes, Case] | None = None

    def __init__(
        self,
        model: checker.Model,
        pieces: Sequence[checker.Domain],
        smaller: checker.Model | None = None,
        judge: str = "fast",
    ) -> None:
        self.model, self.pieces, self.smaller, self.judge = model, pieces, smaller, judge

    def __reduce__(self) -> Any:
        return Case._unpacked, (self._packed,)

    @cached_property
    def _packed(self) -> bytes:
        return pickle.dumps((self.model, self.pieces, self.smaller, self.judge), pickle.HIGHEST_PROTOCOL)

    @classmethod
    def _unpacked(cls, data: bytes) -> Case:
        if cls._known is None or cls._known[0] != data:
            cls._known = data, cls(*pickle.loads(data))
        return cls._known[1]

    def of(self, certificate: Any) -> Judgement:
        """The outcome of a certificate: a path, or JSON data."""
        try:
            data = _read(certificate)
            about = data.get("domain") if isinstance(data, dict) else None
            piece = next((k for k, one in enumerate(self.pieces) if one.digest() == about), 0)
            pruning = isinstance(data, dict) and data.get("geomrelu") == checker.PRUNING
            if pruning:
                return Judgement(None, piece, changes=self._changes(data, self.pieces[piece]))
            claims = self._claims(data, self.pieces[piece])
        except (checker.Rejected, InputError) as problem:  # what cannot be read proves nothing
            return Judgement(problem)
        dead = frozenset((c["layer"], c["neuron"]) for c in claims if c.get("status") == "dead")
        return Judgement(None, piece, len(claims), dead)

    def _claims(self, data: Any, domain: checker.Domain) -> list[dict[str, Any]]:
        if self.judge == "kernel":
            return kernel.judge(data, self.model, domain)
        return checker.check(data, self.model, domain, JUDGES[self.judge])

    def _changes(self, data: Any, domain: checker.Domain) -> dict[str, int]:
        if self.smaller is None:
            raise checker.Rejected(NO_SMALLER)
        model, smaller = _as_named(self.model, data.get("model")), _as_named(self.smaller, data.get("smaller"))
        if self.judge == "kernel":
            return kernel.judge_pruning(data, model, domain, smaller)
        judge = changes.check_pruning if self.judge == "fast" else checker.check_pruning
        return judge(data, model, domain, smaller)


def _as_named(model: checker.Model, digest: Any) -> checker.Model:
    """A network as a certificate names it: that its outputs are its last layer may be said by a map of its own, which
    files are read without."""
    if model.output is not None or not model.layers or digest == model.whole_digest():
        return model
    return checker.Model(model.inputs, model.layers, changes.outputs(model))


class QuantisedCase(NamedTuple):
    """The same for a quantised network, which is judged on one set."""

    network: QuantisedNetwork
    domain: Polyhedron | FiniteSet
    smaller: QuantisedNetwork | None
    judge: str

    def of(self, certificate: Any) -> Judgement:
        """The outcome of a certificate: a path, or JSON data."""
        judge = JUDGES[self.judge]
        try:
            data = _read(certificate)
            pruning = isinstance(data, dict) and data.get("geomrelu") == quantised_pruning.FORMAT
            if pruning:
                if self.smaller is None:
                    raise checker.Rejected(NO_SMALLER)
                given = self.network, self.domain, self.smaller
                return Judgement(None, changes={"removed": quantised_pruning.judge_pruning(data, *given, judge)})
            claims = quantised_certificate.judge(data, self.network, self.domain, judge)
        except (checker.Rejected, InputError) as problem:
            return Judgement(problem)
        dead = frozenset((c["layer"], c["neuron"]) for c in claims if c["status"] == "dead")
        return Judgement(None, 0, len(claims), dead)


def case_of(
    network: Network | QuantisedNetwork,
    pieces: Sequence[OneSet],
    smaller: Network | QuantisedNetwork | None,
    judge: str,
) -> Case | QuantisedCase:
    """What certificates about a network are judged against.

    Raises:
        InputError: a quantised network on a union or an ellipsoid, or by the kernel; a smaller network of another kind.
    """
    if isinstance(network, QuantisedNetwork):
        piece = pieces[0]
        if len(pieces) > 1 or isinstance(piece, Ellipsoid):
            raise InputError("a quantised network is judged on one bounded box, or on points, on nothing else")
        if judge == "kernel":
            raise InputError("the kernel judges certificates of networks that are not quantised")
        if smaller is None or isinstance(smaller, QuantisedNetwork):
            return QuantisedCase(network, piece, smaller, judge)
    elif smaller is None or isinstance(smaller, Network):
        other = None if smaller is None else smaller.checked
        return Case(network.checked, [piece.checked for piece in pieces], other, judge)
    raise InputError("of the model and the smaller one, one is quantised and the other is not")


def _read(certificate: Any) -> Any:
    """Data as it would be read from a file."""
    if isinstance(certificate, Mapping):
        return json.loads(json.dumps(certificate))
    return quantised_certificate.read(Path(filename(certificate, "a certificate")))


# ---- several ----------------------------------------------------------------------------------------------------


def judged(
    certificates: Sequence[Any],
    case: Case | QuantisedCase,
    executor: Executor | None = None,
    workers: int = 1,
    budget: Budget = UNLIMITED,
) -> Iterator[Judgement]:
    """The outcome of each certificate, in their order, as it comes.

    Raises:
        Exhausted: the time is over; without workers, a certificate is judged to its end first.
    """
    if executor is None:
        for certificate in certificates:
            budget.poll()
            yield case.of(certificate)
        return
    waiting: deque[list[Future[Judgement]]] = deque()
    for certificate in certificates:
        parts = [certificate] if workers == 1 else _parts(certificate, PARTS * workers)
        waiting.append([executor.submit(_judge, case, part) for part in parts])
        while sum(map(len, waiting)) > PARTS * workers:
            yield _outcome(waiting.popleft(), budget)
    for parts in waiting:
        yield _outcome(parts, budget)


def _judge(case: Case | QuantisedCase, certificate: Any) -> Judgement:
    return case.of(certificate)


def _outcome(parts: list[Future[Judgement]], budget: Budget) -> Judgement:
    while wait(parts, budget.left).not_done:
        budget.poll()
    return reduce(Judgement.and_, (part.result() for part in parts))


def _parts(certificate: Any, most: int) -> list[Any]:
    """A certificate as it is; of a large file with many claims, certificates of some of them each, in their order."""
    if isinstance(certificate, Mapping):
        return [certificate]
    try:
        path = Path(filename(certificate, "a certificate"))
        data = files.read(path) if path.stat().st_size > LARGE else None
    except (InputError, OSError):
        return [certificate]  # whoever judges it says what is wrong
    if not isinstance(data, dict) or data.get("geomrelu") != checker.FORMAT:
        return [certificate]
    claims = data.get("claims")
    if not isinstance(claims, list) or len(claims) < 2 or "parts" in data:  # a tree is walked once
        return [certificate]
    bounds = sorted({k * len(claims) // most for k in range(most + 1)})
    return [{**data, "claims": claims[a:b]} for a, b in pairwise(bounds)]
