"""What the checks of a claim gave, and the claim after verification: values, as text and as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geomrelu.claims.evidence import Certified, Kind
from geomrelu.claims.status import Status

__all__ = ["EXACT", "Outcome", "Result", "aligned", "named_cases"]

EXACT = (Kind.ENUMERATE, Kind.DECIDE, Kind.HUNT, Kind.DERIVE)


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

    def __repr__(self) -> str:
        return f"<{self.label}: {self.status.name}>"

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
