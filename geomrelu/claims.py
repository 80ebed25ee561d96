"""Claims, their evidence and the judge. A status is computed from evidence; nobody types it.

Each ``proofs/<label>.py`` states one :class:`Claim` and registers *checks* on it. A check does not judge: it yields
cases, and the judge of its kind compares them.

    derive     (lhs, rhs)                       SymPy expressions; holds if lhs - rhs cancels to 0
    enumerate  (lhs, rhs), (lhs, "<=", rhs)     integers and fractions, compared exactly; a float is bad evidence
    decide     (verdict, expected, accepted)    decided by polyhedral geometry; was its certificate accepted?
    sample     (successes, p), (successes, "<=", p)    the exact binomial interval must be compatible with p
    neighbour  (lhs, rhs), (lhs, "<=", rhs)     the claim with one hypothesis dropped: every case must FAIL

A text may come first in a case: the row in which it stands in the table of the claim. An :class:`Again` may come last:
Python that prints the left side of the case, for whoever wants to see it without this file. A family without cases is
no evidence. Checks take the depth ("default" or "thorough"); sampling checks also the trials and the seed, which are
fixed where the check is registered, before anything is run.

REFUTED < CONJECTURED < SAMPLED < ENUMERATED < DERIVED: refuted if any evidence fails; derived if the derivation holds
and so do exact cases (enumerated or decided), because identities alone do not show that they speak of networks. A
claim is no stronger than the claims it uses.

Some statements in print are false. Such a claim stands as printed and names its *correction*, a claim of its own; it
must be refuted, by an exact case, as surely as the others must hold.
"""

from __future__ import annotations

import math
import operator
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import IntEnum, StrEnum
from fractions import Fraction
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import sympy

from geomrelu.errors import GeomreluError, InputError
from geomrelu.montecarlo import clopper_pearson

__all__ = ["Again", "Claim", "Kind", "Outcome", "Result", "Status", "contents", "load", "summary", "verify"]

LEVEL = Fraction(999, 1000)
THOROUGH_TRIALS = 10  # so many times the trials of a sampling check at depth "thorough"
DEPTHS = ("default", "thorough")
RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
}

Progress = Callable[[str, str, int], None]
Function = TypeVar("Function", bound=Callable[..., Iterable[Any]])


class Status(IntEnum):
    """How well a claim is founded, from worst to best."""

    REFUTED = 0
    CONJECTURED = 1
    SAMPLED = 2
    ENUMERATED = 3
    DERIVED = 4


class Kind(StrEnum):
    """The kinds of evidence."""

    DERIVE = "derive"
    ENUMERATE = "enumerate"
    DECIDE = "decide"
    SAMPLE = "sample"
    NEIGHBOUR = "neighbour"


class Again(str):
    """Python source that prints the left side of a case again; it imports what it needs, and nothing from a proof."""


class BadEvidence(GeomreluError):
    """What a check yielded is not a case of its kind."""


# ---- a claim and its checks -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Check:
    """One registered check.

    Attributes:
        of: what its cases are, in the plural ("sign patterns"); for a neighbour the hypothesis that is dropped.
        trials, seed, level: of a sampling check, fixed beforehand.
    """

    kind: Kind
    of: str
    run: Callable[..., Iterable[Any]]
    trials: int = 0
    seed: int = 0
    level: Fraction = LEVEL

    @property
    def name(self) -> str:
        return self.run.__name__

    def at(self, depth: str) -> tuple[Iterable[Any], int]:
        """The cases, and the number of trials behind each."""
        if self.kind is not Kind.SAMPLE:
            return self.run(depth), 0
        trials = self.trials * (THOROUGH_TRIALS if depth == "thorough" else 1)
        return self.run(trials, self.seed, depth), trials


@dataclass(eq=False)
class Claim:
    """A statement with its hypotheses, and the checks that give evidence for it.

    Attributes:
        label: the stable name, also of its file ``proofs/<label>.py``.
        statement, latex: the same sentence, plain and in LaTeX.
        source: paper, section or equation.
        uses: labels of the claims its proof rests on.
        correction: of a statement that is false as printed: the label of the claim that says what is true.
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

    def derive(self, of: str) -> Callable[[Function], Function]:
        """Register ``check(depth)`` yielding pairs of SymPy expressions that must be identical."""
        return self._registered(Kind.DERIVE, of)

    def enumerate(self, of: str) -> Callable[[Function], Function]:
        """Register ``check(depth)`` yielding pairs of exact numbers over a finite family, the smallest case first."""
        return self._registered(Kind.ENUMERATE, of)

    def decide(self, of: str) -> Callable[[Function], Function]:
        """Register ``check(depth)`` yielding (verdict, expected, did an independent checker accept the reason?)."""
        return self._registered(Kind.DECIDE, of)

    def sample(self, of: str, *, trials: int, seed: int, level: Fraction = LEVEL) -> Callable[[Function], Function]:
        """Register ``check(trials, seed, depth)`` yielding (successes, probability)."""
        return self._registered(Kind.SAMPLE, of, trials, seed, level)

    def neighbour(self, dropped: str) -> Callable[[Function], Function]:
        """Register ``check(depth)`` yielding cases of the claim without a hypothesis; each must fail."""
        return self._registered(Kind.NEIGHBOUR, dropped)

    def _registered(
        self, kind: Kind, of: str, trials: int = 0, seed: int = 0, level: Fraction = LEVEL
    ) -> Callable[[Function], Function]:
        def register(function: Function) -> Function:
            self.checks.append(Check(kind, of, function, trials, seed, level))
            return function

        return register

    def main(self) -> int:
        """What ``python proofs/<label>.py [--thorough]`` does: print the table; exit code 1 if refuted."""
        depth = "thorough" if "--thorough" in sys.argv[1:] else "default"
        failed = False
        for result in verify([self.label], depth, registry={**load(), self.label: self}):
            print(result.as_text())
            failed |= result.failed
        return int(failed)


# ---- the judges -------------------------------------------------------------------------------------------------


class Judged(NamedTuple):
    """One case after judgement: does it hold, what the table shows, and the comparison in words."""

    holds: bool
    cell: str
    words: str


def _identity(case: Sequence[Any], check: Check, trials: int) -> Judged:
    """SymPy: ``cancel(lhs - rhs) == 0``, or as a second step ``simplify(lhs - rhs) == 0`` (powers, logarithms)."""
    lhs, rhs = (_expression(side) for side in _sized(case, 2))
    difference = lhs - rhs
    try:
        vanishes = bool(sympy.cancel(difference) == 0)
    except sympy.PolynomialError:
        vanishes = False
    if not vanishes:
        difference = sympy.simplify(difference)
        vanishes = bool(difference == 0)
    words = f"{_short(lhs)} == {_short(rhs)}" + ("" if vanishes else f" is false: they differ by {_short(difference)}")
    return Judged(vanishes, _short(rhs), words)


def _comparison(case: Sequence[Any], check: Check, trials: int) -> Judged:
    """Exact numbers."""
    lhs, relation, rhs = _related(case)
    lhs, rhs = _exact(lhs), _exact(rhs)
    holds, compared = RELATIONS[relation](lhs, rhs), f"{lhs} {relation} {rhs}"
    return Judged(holds, str(lhs) if relation == "==" else compared, compared + ("" if holds else " is false"))


def _decision(case: Sequence[Any], check: Check, trials: int) -> Judged:
    """A verdict is as expected, and its certificate was accepted."""
    verdict, expected, accepted = _sized(case, 3)
    if any(not isinstance(v, (bool, int, Fraction)) for v in (verdict, expected)) or type(accepted) is not bool:
        raise BadEvidence(f"{case!r} is not (verdict, expected, accepted)")
    words = f"decided {verdict}, expected {expected}, certificate {'accepted' if accepted else 'rejected'}"
    return Judged(verdict == expected and accepted, str(verdict), words)


def _interval(case: Sequence[Any], check: Check, trials: int) -> Judged:
    """The two-sided Clopper-Pearson interval: holds p (==), or is not wholly on the wrong side of it (<=, >=)."""
    successes, relation, p = _related(case)
    if type(successes) is not int:
        raise BadEvidence(f"{successes!r} is not a number of successes")
    p = _exact(p)
    low, high = clopper_pearson(successes, trials, check.level)
    holds = (low <= p or relation not in ("==", "<=", "<")) and (p <= high or relation not in ("==", ">=", ">"))
    places = max(3, 1 - math.floor(math.log10(high - low)))
    sign, found = "=" if relation == "==" else relation, f"[{low:.{places}f}, {high:.{places}f}]"
    words = f"p {sign} {p}; {trials:,} trials give {found} at {float(100 * check.level):g} %"
    return Judged(holds, f"{sign} {p}: {found}", words)


def _failure(case: Sequence[Any], check: Check, trials: int) -> Judged:
    """A neighbour holds as evidence when the comparison does not."""
    judged = _comparison(case, check, trials)
    lhs, relation, rhs = _related(case)
    against = {"==": "!=", "<=": ">", "<": ">=", ">=": "<", ">": "<="}[relation]
    return Judged(not judged.holds, f"{lhs} {against} {rhs}", f"{judged.words} holds although a hypothesis was dropped")


JUDGES: dict[Kind, Callable[[Sequence[Any], Check, int], Judged]] = {
    Kind.DERIVE: _identity,
    Kind.ENUMERATE: _comparison,
    Kind.DECIDE: _decision,
    Kind.SAMPLE: _interval,
    Kind.NEIGHBOUR: _failure,
}


def _expression(value: Any) -> sympy.Expr:
    if isinstance(value, (str, float)):
        raise BadEvidence(f"{value!r} is not a SymPy expression")
    expression = sympy.sympify(value, strict=True)
    if not isinstance(expression, sympy.Expr) or expression.has(sympy.Float):
        raise BadEvidence(f"{_short(value)} is not an exact SymPy expression")
    return expression


def _exact(value: Any) -> Fraction:
    if type(value) is int or (isinstance(value, Fraction) and type(value.numerator) is type(value.denominator) is int):
        return Fraction(value)
    if isinstance(value, sympy.Rational):
        return Fraction(int(value.p), int(value.q))
    raise BadEvidence(  # also a fraction that holds NumPy integers: they overflow
        f"{value!r} ({type(value).__name__}) is not an integer or a fraction"
    )


def _sized(case: Sequence[Any], size: int) -> Sequence[Any]:
    if len(case) != size:
        raise BadEvidence(f"{case!r} does not have {size} entries")
    return case


def _related(case: Sequence[Any]) -> tuple[Any, str, Any]:
    lhs, relation, rhs = (case[0], "==", case[1]) if len(case) == 2 else _sized(case, 3)
    if relation not in RELATIONS:
        raise BadEvidence(f"{relation!r} is not a relation ({', '.join(RELATIONS)})")
    return lhs, relation, rhs


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


# ---- outcomes ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What one check gave.

    Attributes:
        kind, check: the kind of evidence and the name of the function.
        ok: did every case hold, and was there one?
        cases: how many were judged.
        summary: one phrase.
        failure: the first case that does not hold, or why there is no evidence; None if ok.
        counterexample: is the failure a case that was judged, and not a check that broke?
        again: Python that prints the left side of that case, if the check gave it.
        rows: ``(case, what was found)`` for the cases with a name.
    """

    kind: Kind
    check: str
    ok: bool
    cases: int
    summary: str
    seconds: float
    failure: str | None
    counterexample: bool
    again: str | None
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Result:
    """A claim after verification.

    Attributes:
        status: computed from the outcomes and from the claims it uses.
        limited_by: the claim it uses that keeps its status down, or None.
        counterexample: the first failure, with what to run to see it again, or None.
        correction: the label of the claim that is true instead, for a statement that is false as printed.
    """

    label: str
    title: str
    statement: str
    source: str
    status: Status
    outcomes: tuple[Outcome, ...]
    seconds: float
    limited_by: str | None
    counterexample: str | None
    correction: str | None

    @property
    def failed(self) -> bool:
        """Is it refuted, or, for a statement with a correction, not refuted by an exact case?"""
        if self.correction is None:
            return self.status is Status.REFUTED
        wrong = [o for o in self.outcomes if not o.ok]
        exact = any(o.counterexample and o.kind in (Kind.DERIVE, Kind.ENUMERATE, Kind.DECIDE) for o in wrong)
        return not exact or not all(o.counterexample for o in wrong)

    def as_json(self) -> dict[str, Any]:
        """Plain data for ``json.dumps``."""
        return {
            "label": self.label,
            "title": self.title,
            "statement": self.statement,
            "source": self.source,
            "status": self.status.name,
            "limited_by": self.limited_by,
            "counterexample": self.counterexample,
            "correction": self.correction,
            "seconds": round(self.seconds, 3),
            "evidence": [
                {
                    "kind": str(o.kind),
                    "check": o.check,
                    "ok": o.ok,
                    "cases": o.cases,
                    "summary": o.summary,
                    "failure": o.failure,
                    "again": o.again,
                    "seconds": round(o.seconds, 3),
                    "rows": [list(row) for row in o.rows],
                }
                for o in self.outcomes
            ],
        }

    def as_text(self) -> str:
        """The claim, its evidence line by line, and the named cases with what each kind of evidence says of them."""
        lines = [f"{self.status.name}  {self.label}: {self.statement}", f"  {self.source}"]
        for o in self.outcomes:
            mark = "ok" if o.ok else "FAILED"
            lines.append(f"  {o.kind:<9}  {mark:<6}  {o.summary if o.ok else o.failure}  ({o.seconds:.2f} s)")
        lines += [f"  {line}" for line in _side_by_side(self.outcomes)]
        if self.limited_by is not None:
            lines.append(f"  no stronger than {self.limited_by}, which it uses")
        if self.counterexample is not None:
            lines.append(f"  {self.counterexample}")
        if self.correction is not None:
            lines.append(f"  true instead: {self.correction}")
        return "\n".join(lines) + "\n"


def _side_by_side(outcomes: Sequence[Outcome]) -> list[str]:
    """Rows: named cases; columns: kinds of evidence."""
    kinds = [kind for kind in Kind if any(o.kind is kind and o.rows for o in outcomes)]
    cells: dict[str, dict[Kind, str]] = {}
    for o in outcomes:
        for name, cell in o.rows:
            cells.setdefault(name, {}).setdefault(o.kind, cell)
    if not cells:
        return []
    table = [["case", *map(str, kinds)], *([name, *(row.get(k, "") for k in kinds)] for name, row in cells.items())]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in table]


def summary(results: Sequence[Result]) -> str:
    """One table of all claims: status, and how many cases of each kind of evidence held."""
    table = [["claim", "status", *map(str, Kind), "seconds"]]
    for result in results:
        counts = []
        for kind in Kind:
            own = [o for o in result.outcomes if o.kind is kind]
            cases = f"{sum(o.cases for o in own):,}" if own else "-"
            counts.append(cases if all(o.ok for o in own) else "FAILED")
        table.append([result.label, result.status.name, *counts, f"{result.seconds:.1f}"])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in table]
    founded = {status: sum(r.status is status for r in results) for status in Status}
    tally = ", ".join(f"{count} {status.name}" for status, count in reversed(founded.items()) if count)
    noun = "claim" if len(results) == 1 else "claims"
    return "\n".join([*lines, f"{len(results)} {noun}: {tally}"])


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

    A check that raises is failed evidence. KeyboardInterrupt passes through; the results so far have been yielded.
    """
    registry = load() if registry is None else registry
    if depth not in DEPTHS:
        raise InputError(f"unknown depth {depth!r} (known: {', '.join(DEPTHS)})")
    for label in labels or ():
        _known(label, registry)
    return _results(_ordered(list(registry) if labels is None else labels, registry), depth, progress)


def _known(label: str, registry: Mapping[str, Claim]) -> Claim:
    if label not in registry:
        near = get_close_matches(label, registry, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(registry)}"
        raise InputError(f"unknown claim {label!r}; {hint}")
    return registry[label]


def _ordered(labels: Iterable[str], registry: Mapping[str, Claim]) -> list[Claim]:
    """The claims and all they use, used ones first."""
    order: dict[str, Claim] = {}

    def visit(label: str, above: tuple[str, ...]) -> None:
        if label in above:
            raise InputError(f"claims use each other in a circle: {' -> '.join((*above, label))}")
        if label not in order:
            claim = _known(label, registry)
            for used in (*claim.uses, *filter(None, [claim.correction])):
                visit(used, (*above, label))
            order[label] = claim

    for label in labels:
        visit(label, ())
    return list(order.values())


def _results(claims: Iterable[Claim], depth: str, progress: Progress | None) -> Iterator[Result]:
    statuses: dict[str, Status] = {}
    for claim in claims:
        outcomes = tuple(_outcome(claim, check, depth, progress) for check in claim.checks)
        status, limited_by = _own_status(outcomes), None
        for used in claim.uses:
            ceiling = max(statuses[used], Status.CONJECTURED)  # what rests on a refuted claim is not itself refuted
            if status > ceiling:
                status, limited_by = ceiling, used
        statuses[claim.label] = status
        failed = next((o for o in outcomes if not o.ok), None)
        counterexample = None
        if failed is not None:
            option = " --thorough" if depth == "thorough" else ""
            again = f"geomrelu verify {claim.label}{option}"
            if failed.again is not None:
                again = f"python -c {shlex.quote(failed.again)}"
            counterexample = f"{failed.kind} ({failed.check}): {failed.failure}; again: {again}"
        yield Result(
            claim.label,
            claim.title,
            claim.statement,
            claim.source,
            status,
            outcomes,
            sum(o.seconds for o in outcomes),
            limited_by,
            counterexample,
            claim.correction,
        )


def _own_status(outcomes: Sequence[Outcome]) -> Status:
    if not all(o.ok for o in outcomes):
        return Status.REFUTED
    kinds = {o.kind for o in outcomes}
    if kinds & {Kind.ENUMERATE, Kind.DECIDE}:
        return Status.DERIVED if Kind.DERIVE in kinds else Status.ENUMERATED
    return Status.SAMPLED if Kind.SAMPLE in kinds else Status.CONJECTURED


def _outcome(claim: Claim, check: Check, depth: str, progress: Progress | None) -> Outcome:
    """Run one check until its first case that does not hold."""
    started = reported = time.perf_counter()
    number, rows, failure, words = 0, dict[str, tuple[int, str]](), None, ""
    counterexample, again = False, None
    report = progress or (lambda label, kind, done: None)
    report(claim.label, str(check.kind), 0)
    try:
        cases, trials = check.at(depth)
        for case in cases:
            again = str(case[-1]) if isinstance(case[-1], Again) else None
            case = tuple(case) if again is None else tuple(case)[:-1]
            name, parts = (case[0], case[1:]) if isinstance(case[0], str) and len(case) > 2 else ("", case)
            judged = JUDGES[check.kind](parts, check, trials)
            number, words = number + 1, judged.words
            if name:
                rows[name] = (rows[name][0] + 1 if name in rows else 1, judged.cell)
            if not judged.holds:
                failure, counterexample = f"case {number}{f' ({name})' if name else ''}: {words}", True
                break
            if time.perf_counter() - reported > 0.1:
                reported = time.perf_counter()
                report(claim.label, str(check.kind), number)
        if number == 0:
            failure = "no cases: an empty family is no evidence"
    except Exception as problem:
        failure = f"after {number} cases: {type(problem).__name__}: {problem}"
    report(claim.label, str(check.kind), number)
    return Outcome(
        check.kind,
        check.name,
        failure is None,
        number,
        _summary(check, number, words, depth),
        time.perf_counter() - started,
        failure,
        counterexample,
        again if counterexample else None,
        tuple((name, cell if n == 1 else f"{n:,} {check.of}") for name, (n, cell) in rows.items()),
    )


def _summary(check: Check, cases: int, words: str, depth: str) -> str:
    if check.kind is Kind.NEIGHBOUR:
        return f"fails, as it must, without: {check.of}"
    if check.kind is Kind.SAMPLE:
        trials = check.trials * (THOROUGH_TRIALS if depth == "thorough" else 1)
        level = f"{float(100 * check.level):g} %"
        return words if cases == 1 else f"{cases} {check.of}, each by {trials:,} trials at {level}"
    return f"{cases:,} {check.of}" + (", every certificate accepted" if check.kind is Kind.DECIDE else "")


# ---- the registry -----------------------------------------------------------------------------------------------


def load(directory: Path | None = None) -> dict[str, Claim]:
    """All claims, in the order of their sources: label -> claim.

    Args:
        directory: of the files ``<label>.py``; None: ``geomrelu/proofs`` (installed) or ``proofs`` beside the package.

    Raises:
        InputError: there is no such directory, or a file in it does not define the claim of its name.
    """
    claims = []
    for path in sorted((directory or _directory()).glob("*.py")):
        spec = spec_from_file_location(f"geomrelu_proof_{path.stem.replace('-', '_')}", path)
        if spec is None or spec.loader is None:
            raise InputError(f"{path}: not a Python file")
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        claim = getattr(module, "claim", None)
        if not isinstance(claim, Claim) or claim.label != path.stem:
            raise InputError(f"{path}: it does not define the claim {path.stem!r}")
        claims.append(claim)
    return {claim.label: claim for claim in sorted(claims, key=lambda c: (c.source, c.label))}


def _directory() -> Path:
    package = Path(__file__).resolve().parent
    for directory in (package / "proofs", package.parent / "proofs"):
        if directory.is_dir():
            return directory
    raise InputError(f"the proofs are neither in {package} nor beside it")


def contents(registry: Mapping[str, Claim] | None = None) -> str:
    """The table of contents ``proofs/README.md``, from the claims themselves."""
    registry = load() if registry is None else registry
    lines = [
        "# Proofs",
        "",
        "One file for each claim: statement, proof in steps, the checks that are judged, and a neighbour that fails.",
        "`python proofs/<label>.py` runs one, `geomrelu verify` all of them. There is no status here: it is computed",
        'by running. This page is written by `python -c "from geomrelu.claims import contents; print(contents())"`.',
        "",
        "| label | statement | hypotheses | source | evidence | uses |",
        "|---|---|---|---|---|---|",
    ]
    for claim in registry.values():
        kinds = ", ".join(kind for kind in Kind if any(c.kind is kind for c in claim.checks))
        uses = ", ".join(f"[{u}]({u}.py)" for u in claim.uses)
        cells = [
            f"[{claim.label}]({claim.label}.py)",
            f"{claim.title}: ${claim.latex}$",
            "; ".join(claim.hypotheses),
            claim.source,
            kinds,
            uses,
        ]
        lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n".join(lines)
