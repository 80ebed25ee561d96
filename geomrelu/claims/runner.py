"""Claims verified in several processes, with evidence that stays on disk: what one run has found, the next one keeps.

The evidence for a claim depends on no other claim, so claims are examined in any order, wherever; only the status asks
for the claims that are used. In a directory each claim has a file ``evidence/<label>.json``, written when it is
finished. It counts as long as its digest does: of the proof, of the sources of this package, of the depth, and of the
versions of Python and of the packages that compute.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, as_completed
from functools import cache
from pathlib import Path
from typing import Any

from geomrelu.arguments import integer, kind
from geomrelu.budget import Budget
from geomrelu.certificates import files
from geomrelu.claims.evidence import Certified
from geomrelu.claims.outcome import Outcome, Result
from geomrelu.claims.registry import DEPTHS, Claim, concluded, examined, load, ordered
from geomrelu.errors import InputError
from geomrelu.parallel import workers_on
from geomrelu.resume import version_of

__all__ = ["Kept", "cores", "run", "verify"]

FORMAT = "evidence 1"
COMPUTING = ("networkx", "numpy", "pycddlib", "python-flint", "scipy", "sympy")

Progress = Callable[[str, int, int], None]


def run(
    labels: Sequence[str] | None = None,
    depth: str = "default",
    *,
    workers: int = 1,
    scheduler: str | None = None,
    kept: Kept | None = None,
    progress: Progress | None = None,
    proofs: Path | None = None,
    budget: Budget | None = None,
) -> Iterator[Result]:
    """Verify claims: the results of :func:`geomrelu.claims.registry.verify`, each as soon as it and those it uses are
    known.

    Args:
        labels: which (with the ones they use); None: all.
        workers: processes. With one, claims are examined here, in order.
        scheduler: address of a Dask scheduler instead; its workers must have geomrelu, and the directory of the claims
            if that is another.
        kept: evidence found there counts, and new evidence goes there.
        progress: called with (what is going on, claims finished, all claims).
        proofs: the directory of the claims; None: those of the package.
        budget: when its time is over, there are no more results; what is examined then is given up.

    Raises:
        InputError: an unknown label or depth, claims in a circle, no workers. At once. While it runs: workers that
            are killed, or a directory that cannot be written.

    KeyboardInterrupt passes through; the workers are ended, and finished evidence has been kept.
    """
    if depth not in DEPTHS:
        raise InputError(f"unknown depth {depth!r} (known: {', '.join(DEPTHS)})")
    integer(workers, "the number of workers", 1)
    registry = load(proofs, labels)
    who, told = (workers, scheduler), progress or (lambda *what: None)
    return _results(ordered(labels, registry), registry, depth, who, kept, told, proofs, budget)


def verify(*labels: str, thorough: bool = False, workers: int = 1) -> list[Result]:
    """Verify claims of the registry, all of them if none is named, and the ones they use.

    Args:
        labels: as ``geomrelu claims`` lists them. thorough: larger families and more trials. workers: processes.

    Returns:
        What was found for each; ``print(result.as_text())`` says it as the command does.

    Raises:
        InputError: an unknown label.

    Exact: as the evidence of each claim says.

    Method: the cases of each check, compared exactly. Cost: seconds to minutes a claim. Source: each claim names
    its own.

    >>> (result,) = verify("point-half")
    >>> result.failed
    False
    """
    if others := [label for label in labels if not isinstance(label, str)]:
        raise InputError(f'labels are texts one after another, verify("point-half"), not {kind(others[0])}')
    return list(run(list(labels) or None, "thorough" if thorough else "default", workers=workers))


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _results(
    claims: list[Claim],
    registry: Mapping[str, Claim],
    depth: str,
    who: tuple[int, str | None],
    kept: Kept | None,
    progress: Progress,
    proofs: Path | None,
    budget: Budget | None,
) -> Iterator[Result]:
    evidence: dict[str, Sequence[Outcome]] = {}
    results: dict[str, Result] = {}
    if kept is not None:
        found = ((claim.label, kept.read(claim, depth)) for claim in claims)
        evidence = {label: outcomes for label, outcomes in found if outcomes is not None}

    def known() -> Iterator[Result]:
        """Claims are in an order in which what is used comes first, so one pass finds all that can be concluded."""
        for claim in claims:
            if claim.label in evidence and claim.label not in results and all(used in results for used in claim.uses):
                outcomes = evidence[claim.label]
                results[claim.label] = concluded(claim, outcomes, results, registry, depth)
                yield results[claim.label]

    yield from known()
    waiting = [claim for claim in claims if claim.label not in evidence]
    number, apart = max(1, min(who[0], len(waiting))), budget is not None
    with workers_on(number, who[1] if waiting else None, apart) as (executor, _):

        def told(what: str) -> None:
            progress(what, len(evidence), len(claims))

        for claim, outcomes in (
            _here(waiting, depth, told) if executor is None else _spread(waiting, depth, executor, told, proofs, budget)
        ):
            evidence[claim.label] = outcomes
            if kept is not None:
                kept.write(claim, depth, outcomes)
            yield from known()


Evidence = Iterator[tuple[Claim, tuple[Outcome, ...]]]


def _here(claims: list[Claim], depth: str, told: Callable[[str], None]) -> Evidence:
    for claim in claims:
        yield claim, examined(claim, depth, lambda label, kind, cases: told(f"{label}: {kind}, {cases:,} cases"))


def _spread(
    claims: list[Claim],
    depth: str,
    executor: Executor,
    told: Callable[[str], None],
    proofs: Path | None,
    budget: Budget | None,
) -> Evidence:
    running = {executor.submit(_examined, claim.label, depth, proofs): claim for claim in claims}
    told("")
    finished = as_completed(running, None if budget is None else budget.left)
    while (future := _next(finished)) is not None:
        yield running[future], future.result()
        told(", ".join(claim.label for other, claim in running.items() if other.running()))


def _next(finished: Iterator[Future[Any]]) -> Future[Any] | None:
    """None: there are no more, or the time is over."""
    try:
        return next(finished, None)
    except TimeoutError:
        return None


def _examined(label: str, depth: str, proofs: Path | None) -> tuple[Outcome, ...]:
    """In a worker."""
    return examined(_registered(label, proofs), depth)


@cache
def _registered(label: str, proofs: Path | None) -> Claim:
    return load(proofs, [label])[label]


# ---- evidence on disk -------------------------------------------------------------------------------------------


class Kept:
    """A directory with the evidence of earlier runs.

    Args:
        directory: made if it does not exist.

    Raises:
        InputError: it cannot be made, or holds something else.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory) / "evidence"
        try:
            if not self.directory.is_dir() and Path(directory).is_dir() and any(Path(directory).iterdir()):
                raise InputError(f"{directory} holds something else than a report: choose another directory")
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise InputError(f"{self.directory}: {problem.strerror}") from None

    def read(self, claim: Claim, depth: str) -> tuple[Outcome, ...] | None:
        """The outcomes of an earlier run; None if there are none that count."""
        try:
            data = files.read(self._file(claim))
            if data["geomrelu"] != FORMAT or data["digest"] != _digest(claim, depth):
                return None
            return tuple(
                Outcome.from_json({**outcome, "seconds": float(outcome["seconds"])}, _certified(data, outcome["check"]))
                for outcome in data["evidence"]
            )
        except (InputError, KeyError, TypeError, ValueError):  # absent, cut short or another thing: it is found again
            return None

    def write(self, claim: Claim, depth: str, outcomes: Sequence[Outcome]) -> None:
        """Keep the outcomes of a claim; the file is complete or absent. What broke is not kept: it is tried again.

        Raises:
            InputError: the file cannot be written.
        """
        if any(outcome.broken for outcome in outcomes):
            self._file(claim).unlink(missing_ok=True)
            return
        data = {
            "geomrelu": FORMAT,
            "label": claim.label,
            "statement": claim.statement,
            "source": claim.source,
            "hypotheses": list(claim.hypotheses),
            "uses": list(claim.uses),
            "depth": depth,
            "versions": _versions(),
            "digest": _digest(claim, depth),
            "evidence": [outcome.as_json() for outcome in outcomes],
            "certificates": [
                {"check": outcome.check, "case": case, **vars(certified)}
                for outcome in outcomes
                for case, certified in outcome.certified
            ],
        }
        files.save(self._file(claim), data)

    def _file(self, claim: Claim) -> Path:
        return self.directory / f"{claim.label}.json"


def _certified(data: Mapping[str, Any], check: str) -> Iterator[tuple[str, Certified]]:
    for entry in data["certificates"]:
        if entry["check"] == check:
            yield entry["case"], Certified(entry["certificate"], entry["model"], entry["domain"])


def _digest(claim: Claim, depth: str) -> str:
    """Of all that the evidence for a claim depends on."""
    proof = b"" if claim.path is None else claim.path.read_bytes()
    parts = [depth, repr(_versions()), _sources(), hashlib.sha256(proof).hexdigest()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@cache
def _sources() -> str:
    """Of every module of this package."""
    package = Path(__file__).resolve().parents[1]
    whole = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        if path.relative_to(package).parts[0] != "proofs":  # installed, they lie inside; each counts for itself
            whole.update(f"{path.relative_to(package)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return whole.hexdigest()


@cache
def _versions() -> dict[str, str]:
    """Of what computes."""
    return {"python": platform.python_version(), **{name: version_of(name) for name in COMPUTING}}
