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

import re
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fractions import Fraction
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, TypeVar

from geomrelu.claims.evidence import Again, Case, Certified, Kind, judge, percent
from geomrelu.claims.status import Status, status_of
from geomrelu.errors import InputError

__all__ = [
    "Again",
    "Certified",
    "Claim",
    "Kind",
    "Outcome",
    "Result",
    "Status",
    "by_paper",
    "concluded",
    "examined",
    "load",
    "named",
    "ordered",
    "verify",
]

LEVEL = Fraction(999, 1000)
THOROUGH_TRIALS = 10  # so many times the trials of a sampling check at depth "thorough"
DEPTHS = ("default", "thorough")
EXACT = (Kind.ENUMERATE, Kind.DECIDE, Kind.HUNT, Kind.DERIVE)
MOST_CERTIFICATES = 4  # of one check that are kept for the report

Progress = Callable[[str, str, int], None]
Function = TypeVar("Function", bound=Callable[..., Any])


# ---- a claim and its checks -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Check:
    """One registered check.

    Attributes:
        of: what its cases are, in the plural ("sign patterns"); for a neighbour the hypothesis that is dropped.
        part: of the claim it speaks for; "" for all of it.
        trials, seed, level: of a sampling check, fixed beforehand.
    """

    kind: Kind
    of: str
    run: Callable[..., Iterable[Any]]
    trials: int = 0
    seed: int = 0
    level: Fraction = LEVEL
    part: str = ""

    @property
    def name(self) -> str:
        return self.run.__name__

    def at(self, depth: str) -> tuple[Iterable[Any], int]:
        """The cases, and the number of trials behind each."""
        if self.kind is not Kind.SAMPLE:
            return self.run(depth), 0
        trials = self._trials(depth)
        return self.run(trials, self.seed, depth), trials

    def _trials(self, depth: str) -> int:
        return self.trials * (THOROUGH_TRIALS if depth == "thorough" else 1)

    def fixed(self, depth: str = "default") -> str:
        """Of a sampling check: what was fixed beforehand."""
        return f"{self._trials(depth):,} trials at {percent(self.level)}, seed {self.seed}"

    def as_text(self) -> str:
        """What it counts."""
        if self.kind is Kind.NEIGHBOUR:
            return f"{self.name}: the claim without: {self.of}"
        return f"{self.name}: {self.of}" + (f", {self.fixed()}" if self.kind is Kind.SAMPLE else "")


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

    def main(self) -> int:
        """What ``python proofs/<label>.py [--thorough]`` does: print the table; exit code 1 if it fails."""
        depth = "thorough" if "--thorough" in sys.argv[1:] else "default"
        failed = False
        for result in verify([self.label], depth, registry={**load(), self.label: self}):
            print(result.as_text())
            failed |= result.failed
        return int(failed)


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
        counterexample: is the failure a case against the claim, and not a check that broke?
        again: Python that prints the left side of that case, if the check gave it.
        left: the left side of the case.
        rows: ``(case, what was found)`` for the cases with a name.
        certified: ``(case, certificate)``: a few of the certificates that were accepted, if the check handed them over.
        part: of the claim it speaks for; "" for all of it.
        symbolic: of identities: how many have a free symbol and sides that are not the same as written.
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
    left: str | None
    rows: tuple[tuple[str, str], ...]
    certified: tuple[tuple[str, Certified], ...] = ()
    part: str = ""
    symbolic: int = 0

    @property
    def broken(self) -> bool:
        return not self.ok and not self.counterexample

    def as_json(self) -> dict[str, Any]:
        """Plain data for ``json.dumps``, without the certificates."""
        return {
            "kind": str(self.kind),
            "check": self.check,
            "ok": self.ok,
            "cases": self.cases,
            "summary": self.summary,
            "failure": self.failure,
            "counterexample": self.counterexample,
            "again": self.again,
            "left": self.left,
            "seconds": round(self.seconds, 3),
            "rows": [list(row) for row in self.rows],
            "part": self.part,
            "symbolic": self.symbolic,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], certified: Iterable[tuple[str, Certified]] = ()) -> Outcome:
        """What :meth:`as_json` wrote."""
        rows = tuple((str(name), str(cell)) for name, cell in data["rows"])
        more = {"kind": Kind(data["kind"]), "rows": rows, "certified": tuple(certified)}
        return cls(**{**data, **more})


@dataclass(frozen=True)
class Result:
    """A claim after verification.

    Attributes:
        status: computed from the outcomes and from the claims it uses.
        limited_by: the claim it uses that keeps its status down, or None.
        counterexample: the smallest case against it, or what broke; None if all evidence holds.
        again: the command that shows this case, or runs the check, again.
        correction: the label of the claim that is true instead, for a statement that is false as printed.
        corrected: what that claim states.
        depth: "default" or "thorough".
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
    again: str | None
    correction: str | None
    corrected: str | None
    depth: str

    @property
    def refuted_as_expected(self) -> bool:
        """Is a statement that names its correction refuted by an exact case, and is no evidence broken?"""
        against = any(o.counterexample and o.kind in EXACT for o in self.outcomes)
        return self.correction is not None and self.status is Status.REFUTED and against

    @property
    def failed(self) -> bool:
        """Is it refuted or broken, or, for a statement with a correction, not refuted as expected?"""
        if self.correction is not None:
            return not self.refuted_as_expected
        return self.status <= Status.REFUTED

    def as_json(self) -> dict[str, Any]:
        """Plain data for ``json.dumps``."""
        return {
            "label": self.label,
            "title": self.title,
            "statement": self.statement,
            "source": self.source,
            "status": self.status.name,
            "depth": self.depth,
            "limited_by": self.limited_by,
            "counterexample": self.counterexample,
            "again": self.again,
            "correction": self.correction,
            "corrected": self.corrected,
            "seconds": round(self.seconds, 3),
            "evidence": [o.as_json() for o in self.outcomes],
        }

    def as_text(self) -> str:
        """The claim, its evidence line by line, and the named cases with what each kind of evidence says of them."""
        lines = [f"{self.status.name}  {self.label}: {self.statement}", f"  {self.source}"]
        for o in self.outcomes:
            mark = "ok" if o.ok else "FAILED" if o.counterexample else "BROKEN"
            lines.append(f"  {o.kind:<9}  {mark:<6}  {o.summary if o.ok else o.failure}  ({o.seconds:.2f} s)")
        lines += [f"  {line}" for line in _side_by_side(self.outcomes)]
        if self.limited_by is not None:
            lines.append(f"  no stronger than {self.limited_by}, which it uses")
        if self.counterexample is not None:
            what = "broken" if self.status is Status.BROKEN else "counterexample"
            lines += [f"  {what}: {self.counterexample}", f"  again: {self.again}"]
        if self.correction is not None:
            lines.append(f"  true instead ({self.correction}): {self.corrected}")
        return "\n".join(lines) + "\n"


def _side_by_side(outcomes: Sequence[Outcome]) -> list[str]:
    """Rows: named cases; columns: kinds of evidence."""
    kinds, rows = named_cases(outcomes)
    return aligned([["case", *map(str, kinds)], *rows]) if rows else []


def named_cases(outcomes: Sequence[Outcome]) -> tuple[list[Kind], list[list[str]]]:
    """The kinds of evidence with named cases, and for each name what each of them found."""
    kinds = [kind for kind in Kind if any(o.kind is kind and o.rows for o in outcomes)]
    cells: dict[str, dict[Kind, str]] = {}
    for o in outcomes:
        for name, cell in o.rows:
            cells.setdefault(name, {}).setdefault(o.kind, cell)
    return kinds, [[name, *(row.get(k, "") for k in kinds)] for name, row in cells.items()]


def aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """Lines in which the columns of a table stand below each other."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in table]


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
    registry = load() if registry is None else registry
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


def named(label: str, registry: Mapping[str, Claim]) -> Claim:
    """The claim with this label.

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
            for used in (*claim.uses, *filter(None, [claim.correction])):
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
    return tuple(_outcome(claim, check, depth, progress) for check in claim.checks)


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


def _outcome(claim: Claim, check: Check, depth: str, progress: Progress | None) -> Outcome:
    """Run one check until its first case that does not hold."""
    started = reported = time.perf_counter()
    number, symbolic, rows, failure, words = 0, 0, dict[str, tuple[int, str]](), None, ""
    counterexample, again, left, certified = False, None, None, dict[str, Certified]()
    report = progress or (lambda label, kind, done: None)
    report(claim.label, str(check.kind), 0)
    try:
        cases, trials = check.at(depth)
        for given in cases:
            case = Case.read(given)
            judged = judge(check.kind, case.parts, trials, check.level)
            number, symbolic, words = number + 1, symbolic + judged.symbolic, judged.words
            if case.name:
                rows[case.name] = (rows[case.name][0] + 1 if case.name in rows else 1, judged.cell)
            if not judged.holds:
                failure = f"case {number}{f' ({case.name})' if case.name else ''}: {words}"
                counterexample, again, left = check.kind is not Kind.NEIGHBOUR, case.again, judged.left
                break
            name = case.name or check.of
            if case.certified and name not in certified and len(certified) < MOST_CERTIFICATES and case.certified.small:
                certified[name] = case.certified
            if time.perf_counter() - reported > 0.1:
                reported = time.perf_counter()
                report(claim.label, str(check.kind), number)
        if number == 0:
            failure = "no cases: an empty family is no evidence"
    except Exception as problem:
        failure = f"after {number} case{'s'[: number != 1]}: {type(problem).__name__}: {problem}"
    report(claim.label, str(check.kind), number)
    return Outcome(
        check.kind,
        check.name,
        failure is None,
        number,
        _summary(check, number, symbolic, words, depth),
        time.perf_counter() - started,
        failure,
        counterexample,
        again,
        left,
        tuple((name, cell if n == 1 else f"{n:,} {check.of}") for name, (n, cell) in rows.items()),
        tuple(certified.items()),
        check.part,
        symbolic,
    )


def _summary(check: Check, cases: int, symbolic: int, words: str, depth: str) -> str:
    said = f"{cases:,} {check.of}"
    if check.kind is Kind.NEIGHBOUR:
        return f"fails, as it must, without: {check.of}"
    if check.kind is Kind.SAMPLE:
        return words if cases == 1 else f"{cases} {check.of}, each by {check.fixed(depth)}"
    if check.kind is Kind.DERIVE:
        return f"{said}, {symbolic:,} with symbols and not equal as written"
    return said + {Kind.DECIDE: ", every certificate accepted", Kind.HUNT: " hunted, none against it"}.get(
        check.kind, ""
    )


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


def load(directory: Path | None = None) -> dict[str, Claim]:
    """All claims, in the order of papers and sources: label -> claim.

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
        claim.path = path
        claims.append(claim)
    return {claim.label: claim for claim in _arranged(claims)}


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
