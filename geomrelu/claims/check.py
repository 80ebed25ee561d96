"""One check of a claim: its cases are run, and judged until the first that does not hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from geomrelu.claims.evidence import Case, Certified, Kind, judge, percent
from geomrelu.claims.outcome import Outcome

__all__ = ["LEVEL", "Check", "Progress", "outcome"]

LEVEL = Fraction(999, 1000)
THOROUGH_TRIALS = 10  # so many times the trials of a sampling check at depth "thorough"
MOST_CERTIFICATES = 4  # of one check that are kept for the report

Progress = Callable[[str, str, int], None]


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


def outcome(label: str, check: Check, depth: str, progress: Progress | None = None) -> Outcome:
    """Run one check of the claim with this label until its first case that does not hold."""
    started = reported = time.perf_counter()
    number, symbolic, idle, rows, failure, words = 0, 0, 0, dict[str, tuple[int, str]](), None, ""
    counterexample, again, left, certified = False, None, None, dict[str, Certified]()
    report = progress or (lambda label, kind, done: None)
    report(label, str(check.kind), 0)
    try:
        cases, trials = check.at(depth)
        for given in cases:
            case = Case.read(given)
            judged = judge(check.kind, case.parts, trials, check.level)
            if judged.idle:
                idle += 1
                continue
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
                report(label, str(check.kind), number)
        if number == 0:
            failure = "no case that so few trials could refute" if idle else "no cases: an empty family is no evidence"
    except Exception as problem:
        failure = f"after {number} case{'s'[: number != 1]}: {type(problem).__name__}: {problem}"
    report(label, str(check.kind), number)
    return Outcome(
        check.kind,
        check.name,
        failure is None,
        number,
        _summary(check, number, symbolic, idle, words, depth),
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


def _summary(check: Check, cases: int, symbolic: int, idle: int, words: str, depth: str) -> str:
    said = f"{cases:,} {check.of}"
    if check.kind is Kind.NEIGHBOUR:
        return f"fails, as it must, without: {check.of}"
    if check.kind is Kind.SAMPLE:
        said = words if cases == 1 else f"{cases} {check.of}, each by {check.fixed(depth)}"
        return said + (f"; {idle} more that so few trials could not refute" if idle else "")
    if check.kind is Kind.DERIVE:
        return f"{said}, {symbolic:,} with symbols and not equal as written"
    return said + {Kind.DECIDE: ", every certificate accepted", Kind.HUNT: " hunted, none against it"}.get(
        check.kind, ""
    )
