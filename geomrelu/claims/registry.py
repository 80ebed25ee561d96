"""Claims, their evidence and their status, which is computed; nobody types it.

Each ``proofs/<label>.py`` states one :class:`Claim` and registers *checks* on it. A check does not judge: it yields
cases, and the judge of its kind (:mod:`geomrelu.claims.evidence`) compares them.

    derive     (lhs, rhs)                       SymPy expressions; holds if lhs - rhs cancels to 0
    enumerate  (lhs, rhs), (lhs, "<=", rhs)     integers and fractions, compared exactly; a float is bad evidence
    decide     (verdict, expected, accepted)    decided by polyhedral geometry; was its certificate accepted?
    sample     (successes, p), (successes, "<=", p)    the exact binomial interval must be compatible with p
    hunt       (lhs, rhs), (lhs, "<=", rhs)     exact cases sought by a search: one that fails refutes, no number proves
    neighbour  (lhs, rhs), (lhs, "<=", rhs)     the claim with one hypothesis dropped: every case must FAIL

A text may come first in a case: the row in which it stands in the table of the claim. An :class:`Again` may come last:
Python that prints the left side of the case, for whoever wants to see it without this file; and a :class:`Certified`,
the certificate that was accepted, for the report. Checks take the depth ("default" or "thorough"); sampling checks
also the trials and the seed, which are fixed where the check is registered, before anything is run.

BROKEN < REFUTED < CONJECTURED < SAMPLED < ENUMERATED < DERIVED: what these words promise, and how the least of the
parts of a claim decides, is said in :mod:`geomrelu.claims.status`. A claim is no stronger than the claims it uses.
*Broken* is no verdict: a check raised, had no cases (an empty family is no evidence), yielded what is not a case or a
certificate that was rejected, or a neighbour held that had to fail.

Some statements in print are false. Such a claim stands as printed and names its *correction*, a claim of its own; it
must be refuted, by an exact case, as surely as the others must hold.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fractions import Fraction
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, TypeVar

from geomrelu.claims.check import LEVEL, Check, Progress, outcome
from geomrelu.claims.evidence import Again, Certified, Kind
from geomrelu.claims.outcome import EXACT, Outcome, Result
from geomrelu.claims.status import Status, status_of
from geomrelu.errors import InputError

__all__ = [
    "Again",
    "Certified",
    "Claim",
    "by_paper",
    "concluded",
    "examined",
    "load",
    "named",
    "ordered",
    "verify",
]

DEPTHS = ("default", "thorough")

Named = TypeVar("Named")
Function = TypeVar("Function", bound=Callable[..., Any])


# ---- a claim ----------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Claim:
    """A statement with its hypotheses, and the checks that give evidence for it.

    Attributes:
        label: the stable name, also of its file ``proofs/<label>.py``.
        statement, latex: the same sentence, plain and in LaTeX.
        source: paper, section or equation.
        uses: labels of the claims its proof rests on.
        correction: of a statement that is false as printed: the label of the claim that says what is true.
        checks: the registered checks. figures: ``(caption, function that draws it)``.
        path: the file it was loaded from.
    """

    label: str
    title: str
    statement: str
    latex: str
    source: str
    hypotheses: tuple[str, ...]
    uses: tuple[str, ...] = ()
    correction: str | None = None
    checks: list[Check] = field(default_factory=list, init=False)
    figures: list[tuple[str, Callable[[], Any]]] = field(default_factory=list, init=False)
    path: Path | None = field(default=None, init=False)

    def derive(self, of: str, part: str = "") -> Callable[[Function], Function]:
        """Register ``check(depth)`` yielding pairs of SymPy expressions that must be identical."""
        return self._registered(Kind.DERIVE, of, part=part)

    def enumerate(self, of: str, part: str = "") -> Callable[[Function], Function]:
        """Register ``check(depth)`` yielding pairs of exact numbers over a finite family, the smallest case first."""
        return self._registered(Kind.ENUMERATE, of, part=part)

    def decide(self, of: str, part: str = "") -> Callable[[Function], Function]:
        """Register ``check(depth)`` yielding (verdict, expected, did an independent checker accept the reason?)."""
        return self._registered(Kind.DECIDE, of, part=part)

    def hunt(self, of: str, part: str = "") -> Callable[[Function], Function]:
        """Register ``check(depth)`` yielding exact cases found by a search for one that fails."""
        return self._registered(Kind.HUNT, of, part=part)

    def sample(
        self, of: str, *, trials: int, seed: int, level: Fraction = LEVEL, part: str = ""
    ) -> Callable[[Function], Function]:
        """Register ``check(trials, seed, depth)`` yielding (successes, probability)."""
        return self._registered(Kind.SAMPLE, of, trials, seed, level, part)

    def neighbour(self, dropped: str) -> Callable[[Function], Function]:
        """Register ``check(depth)`` yielding cases of the claim without a hypothesis; each must fail."""
        return self._registered(Kind.NEIGHBOUR, dropped)

    def figure(self, caption: str) -> Callable[[Function], Function]:
        """Register a function without arguments that returns a Matplotlib figure; the report shows it."""

        def register(function: Function) -> Function:
            self.figures.append((caption, function))
            return function

        return register

    def _registered(
        self, kind: Kind, of: str, trials: int = 0, seed: int = 0, level: Fraction = LEVEL, part: str = ""
    ) -> Callable[[Function], Function]:
        def register(function: Function) -> Function:
            self.checks.append(Check(kind, of, function, trials, seed, level, part))
            return function

        return register

    @property
    def _others(self) -> tuple[str, ...]:
        """The claims that it uses or is corrected by."""
        return (*self.uses, *filter(None, [self.correction]))

    def main(self) -> int:
        """What ``python proofs/<label>.py [--thorough]`` does: print the table; exit code 1 if it fails."""
        depth = "thorough" if "--thorough" in sys.argv[1:] else "default"
        failed = False
        for result in verify([self.label], depth, registry={**load(labels=self._others), self.label: self}):
            failed |= result.failed
            try:
                print(result.as_text(), flush=True)
            except BrokenPipeError:  # the reader went away (| head): nothing left to say
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(failed)


# ---- running ----------------------------------------------------------------------------------------------------


def verify(
    labels: Sequence[str] | None = None,
    depth: str = "default",
    progress: Progress | None = None,
    registry: Mapping[str, Claim] | None = None,
) -> Iterator[Result]:
    """Judge claims, one result at a time, each after the claims it uses.

    Args:
        labels: which (with the ones they use); None: all.
        depth: "default" or "thorough" (larger families, more trials).
        progress: called with (label, kind of evidence, cases judged) when a check starts, now and then, and at its end.
        registry: label -> claim; None: :func:`load`.

    Raises:
        InputError: an unknown label or depth, or claims that use each other in a circle. At once, not on iteration.

    A check that raises is broken evidence. KeyboardInterrupt passes through; the results so far have been yielded.
    In several processes, or with a directory that keeps the evidence: :func:`geomrelu.claims.runner.run`.
    """
    labels = None if labels is None else list(labels)
    registry = load(labels=labels) if registry is None else registry
    if depth not in DEPTHS:
        raise InputError(f"unknown depth {depth!r} (known: {', '.join(DEPTHS)})")
    return _results(ordered(labels, registry), depth, progress, registry)


def _results(
    claims: Iterable[Claim], depth: str, progress: Progress | None, registry: Mapping[str, Claim]
) -> Iterator[Result]:
    found: dict[str, Result] = {}
    for claim in claims:
        found[claim.label] = concluded(claim, examined(claim, depth, progress), found, registry, depth)
        yield found[claim.label]


def named(label: str, registry: Mapping[str, Named]) -> Named:
    """The claim (or what else is in the registry) with this label.

    Raises:
        InputError: there is none; the message names those that are close.
    """
    if label not in registry:
        near = get_close_matches(label, registry, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(registry)}"
        raise InputError(f"unknown claim {label!r}; {hint}")
    return registry[label]


def ordered(labels: Iterable[str] | None, registry: Mapping[str, Claim]) -> list[Claim]:
    """Claims (None: all) and all they use or are corrected by, used ones first.

    Raises:
        InputError: an unknown label, or claims that use each other in a circle.
    """
    order: dict[str, Claim] = {}

    def visit(label: str, above: tuple[str, ...]) -> None:
        if label in above:
            raise InputError(f"claims use each other in a circle: {' -> '.join((*above, label))}")
        if label not in order:
            claim = named(label, registry)
            for used in claim._others:
                visit(used, (*above, label))
            order[label] = claim

    labels = list(registry if labels is None else labels)
    for label in labels:
        named(label, registry)
    for label in labels:
        visit(label, ())
    return list(order.values())


def examined(claim: Claim, depth: str, progress: Progress | None = None) -> tuple[Outcome, ...]:
    """Run all checks of a claim; what they give depends on no other claim."""
    return tuple(outcome(claim.label, check, depth, progress) for check in claim.checks)


def concluded(
    claim: Claim, outcomes: Sequence[Outcome], found: Mapping[str, Result], registry: Mapping[str, Claim], depth: str
) -> Result:
    """The result of a claim from its outcomes and from the results of the claims it uses."""
    status, limited_by = status_of(outcomes), None
    for used in claim.uses:
        ceiling = max(found[used].status, Status.CONJECTURED)  # what rests on a refuted claim is not itself refuted
        if status > ceiling:
            status, limited_by = ceiling, used
    wrong = [o for o in outcomes if not o.ok]
    worst = min(wrong, key=_weight) if wrong else None
    counterexample = again = None
    if worst is not None:
        counterexample = f"{worst.kind} ({worst.check}): {worst.failure}"
        again = f"geomrelu verify {claim.label}{' --thorough' if depth == 'thorough' else ''}"
        if worst.again is not None:
            again = f"python -c {shlex.quote(worst.again)}"
    return Result(
        claim.label,
        claim.title,
        claim.statement,
        claim.source,
        status,
        tuple(outcomes),
        sum(o.seconds for o in outcomes),
        limited_by,
        counterexample,
        again,
        claim.correction,
        None if claim.correction is None else named(claim.correction, registry).statement,
        depth,
    )


def _weight(outcome: Outcome) -> tuple[bool, bool, int]:
    """Which failure is shown: what broke before what failed, then what can be run again, then exact cases first."""
    rank = EXACT.index(outcome.kind) if outcome.kind in EXACT else len(EXACT)
    return outcome.counterexample, outcome.again is None, rank


# ---- the registry -----------------------------------------------------------------------------------------------

# The papers, in order: how a source names their authors, and the heading over their claims. A new theorem stands with
# the paper it continues; everything else is what lies around them.
PAPERS = (
    (r"Rister", "Rister & Rubin, Probabilistic bounds on data sensitivity in deep rectifier networks"),
    (
        r"Lu\b|Shin",
        "Lu, Shin, Su & Karniadakis, Dying ReLU and initialization; Collapse of deep and narrow neural nets",
    ),
    (r"Brownlowe", "Brownlowe, Cornwell, Montes, Quijano, Stulman & Zhang, Stably unactivated neurons"),
)
AROUND = "Around them"


def load(directory: Path | None = None, labels: Iterable[str] | None = None) -> dict[str, Claim]:
    """Claims, in the order of papers and sources: label -> claim.

    Args:
        directory: of the files ``<label>.py``; None: ``geomrelu/proofs`` (installed) or ``proofs`` beside the package.
        labels: only these, with the ones they use or are corrected by: no other file is read. None: all.

    Raises:
        InputError: there is no such directory, a file in it does not define the claim of its name, or there is no file
            for a label.
    """
    paths = {path.stem: path for path in sorted((directory or _directory()).glob("*.py"))}
    found: dict[str, Claim] = {}
    waiting = list(paths if labels is None else labels)
    while waiting:
        label = waiting.pop()
        if label not in found:
            claim = found[label] = _loaded(named(label, paths))
            if labels is not None:
                waiting += claim._others
    return {claim.label: claim for claim in _arranged(found.values())}


def _loaded(path: Path) -> Claim:
    """The claim that a file defines."""
    spec = spec_from_file_location(f"geomrelu_proof_{path.stem.replace('-', '_')}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path}: not a Python file")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    claim = getattr(module, "claim", None)
    if not isinstance(claim, Claim) or claim.label != path.stem:
        raise InputError(f"{path}: it does not define the claim {path.stem!r}")
    claim.path = path
    return claim


def by_paper(registry: Mapping[str, Claim]) -> dict[str, list[Claim]]:
    """The claims under the heading of their paper, in order."""
    groups: dict[str, list[Claim]] = {}
    for claim in _arranged(registry.values()):
        place = _paper(claim)
        groups.setdefault(PAPERS[place][1] if place < len(PAPERS) else AROUND, []).append(claim)
    return groups


def _paper(claim: Claim) -> int:
    """The place in PAPERS of the one that its source names first."""
    found = [(match.start(), i) for i, (key, _) in enumerate(PAPERS) if (match := re.search(key, claim.source))]
    return min(found)[1] if found else len(PAPERS)


def _arranged(claims: Iterable[Claim]) -> list[Claim]:
    """In the order of their places, a correction after what it corrects."""
    claims = sorted(claims, key=_place)
    printed = {claim.correction: claim for claim in reversed(claims) if claim.correction is not None}
    return sorted(claims, key=lambda claim: (*_place(printed.get(claim.label) or claim), claim.label in printed))


def _place(claim: Claim) -> tuple[int, bool, list[tuple[int, str]], str]:
    """By paper, what is new last; sections and equations by number."""
    parts = [(int(t), "") if t.isdigit() else (-1, t) for t in re.split(r"(\d+)", claim.source)]
    return _paper(claim), claim.source.startswith("new"), parts, claim.label


def _directory() -> Path:
    package = Path(__file__).resolve().parents[1]
    for directory in (package / "proofs", package.parent / "proofs"):
        if directory.is_dir():
            return directory
    raise InputError(f"the proofs are neither in {package} nor beside it")
