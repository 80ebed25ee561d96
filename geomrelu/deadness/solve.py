"""Queries of VNN-LIB: are there inputs for which all assertions hold?

An alternative of the query (its disjunctive normal form) is a set of inputs, a polyhedron, and conditions on tensors,
forms l_1 >= 0, l_2 > 0, ... over the variables of the networks. Their minimum m is computed by more ReLU neurons,
min(a, b) = a - max(a - b, 0), so the question is whether one neuron with pre-activation m is ever positive, which
:mod:`geomrelu.deadness.decide` answers. Where it is alive, its witness satisfies the alternative; where it is dead and
all conditions are strict, nothing does. What is left are conditions that hold with equality at best: then every linear
piece is examined by an exact linear program, which finds a point, or the margin by which all points fail; raised by
half of that, the neuron is dead, which is a certificate.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np

from geomrelu.budget import Budget, Exhausted
from geomrelu.certificates import files
from geomrelu.deadness.decide import decide
from geomrelu.deadness.verdict import LayerReport, Status
from geomrelu.deadness.witnesses import far_out
from geomrelu.errors import InputError
from geomrelu.exact import linear_programs
from geomrelu.exact.affine import AffineMap
from geomrelu.exact.numbers import primitive
from geomrelu.geometry.domains import write_domain
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.io.files import writable
from geomrelu.io.models import Programs, Row
from geomrelu.io.query import Atom, Query, Variable, alternatives
from geomrelu.network.network import Network
from geomrelu.network.pieces import walk
from geomrelu.network.program_pieces import by_programs

__all__ = ["Answer", "solve", "unused"]

MOST_NEURONS = 60  # of networks whose linear pieces are examined one by one
BESIDE = "a neuron is alive, but its witness is none of the query"
QUICK = 0.2  # the share of the time for the neuron as it is, before pieces are examined


@dataclass(frozen=True, slots=True)
class Proof:
    """A dead neuron that shows that an alternative cannot be satisfied: its network, the set, and the report."""

    network: Network
    domain: Polyhedron
    report: LayerReport

    def save(self, folder: Path) -> None:
        """Write the model, the domain and the certificate, for ``geomrelu check``."""
        folder.mkdir(parents=True, exist_ok=True)
        self.network.save(folder / "model.json")
        write_domain(self.domain, folder / "domain.json")
        claims = [verdict.packed for verdict in self.report.verdicts if verdict.packed is not None]
        digests = self.network.digest, str(self.domain.checked.digest())
        files.write(folder, self.report.layer, claims, *digests, self.report.points)


@dataclass(frozen=True)
class Answer:
    """The answer to a query.

    Attributes:
        verdict: ``sat``, ``unsat`` or ``unknown``.
        values: if ``sat``, the exact value of each element of each tensor.
        proofs: if ``unsat``, for each alternative the dead neuron that shows it, or None where exact linear programs
            on all pieces (or the constraints on the inputs alone) do.
        reason: of ``unknown``, or how the point was found.
    """

    verdict: str
    values: dict[Variable, Fraction]
    proofs: tuple[Proof | None, ...] = ()
    reason: str = ""

    def save(self, directory: Path) -> None:
        """Write the proofs to folders ``alternative-1``, ... of a directory.

        Raises:
            InputError: it cannot be written.
        """
        try:
            for k, proof in enumerate(self.proofs, 1):
                if proof is not None:
                    proof.save(directory / f"alternative-{k}")
        except OSError as problem:
            raise InputError(f"{directory}: {problem.strerror}") from None

    def as_json(self) -> dict[str, Any]:
        """The answer as JSON data."""
        values: dict[str, dict[int, str]] = {}
        for (name, k), value in self.values.items():
            values.setdefault(name, {})[k] = str(value)
        certified = sum(proof is not None for proof in self.proofs)
        tables = {name: [table[k] for k in sorted(table)] for name, table in values.items()}
        return {"verdict": self.verdict, "values": tables, "certificates": certified, "reason": self.reason}


def unused(directory: Path) -> Path:
    """A directory for the proofs of an answer.

    Raises:
        InputError: it holds proofs already, or cannot be made or written.
    """
    if any(writable(directory).glob("alternative-*")):
        raise InputError(f"{directory} holds proofs already: choose another directory")
    return directory


def solve(
    query: Query,
    programs: Programs,
    budget: Budget | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Answer:
    """Answer a query about networks, exactly.

    Args:
        programs: the networks, see :func:`geomrelu.io.models.combined`.
        budget: when it ends, the answer is ``unknown``.
        progress: called with what is going on, and how many alternatives of how many are done.

    Evidence: ``sat`` comes with a point at which every assertion has been evaluated exactly; ``unsat`` with
    certificates that the checker has accepted, except where :attr:`Answer.proofs` says None.
    Exact: yes, over the real numbers.
    """
    budget = Budget.of(budget)
    proofs: list[Proof | None] = []
    reasons: list[str] = []
    choices = alternatives(query.assertions, lambda atom: True)
    for position, atoms in enumerate(choices):
        if progress is not None:
            progress(f"alternative {position + 1}", position, len(choices))
        try:
            found = _alternative(programs, atoms, budget.share(len(choices) - position))
        except Exhausted as end:
            found = str(end)
        if isinstance(found, tuple):
            point, reason = found
            return Answer("sat", _values(programs, point), reason=reason)
        if isinstance(found, str):
            reasons.append(found)
        else:
            proofs.append(found)
    if reasons:
        return Answer("unknown", {}, reason=reasons[0])
    return Answer("unsat", {}, tuple(proofs))


Point = tuple[Fraction, ...]


def _alternative(programs: Programs, atoms: Sequence[Atom], budget: Budget) -> tuple[Point, str] | str | Proof | None:
    """A point and how it was found; or why nothing is known; or a proof that there is no point, None without one."""
    linear = [atom for atom in atoms if atom.form.linear]
    rows = [(programs.row(atom.form), atom.relation) for atom in linear]
    domain = _domain(programs.inputs, [row for row in rows if all(j < programs.inputs for j in row[0][1])])
    if domain.is_empty:
        return None
    conditions = [
        (row, relation) for row, relation in rows if relation == ">" or any(j >= programs.inputs for j in row[1])
    ]
    more = len(linear) < len(atoms)
    if not conditions:
        return "a product of two variables is not decided" if more else (domain.interior_point(), "inside the set")
    literals = [Literal(row, relation == ">") for row, relation in conditions]
    literals += [Literal(_negated(row), False) for row, relation in conditions if relation == "="]
    found = _decided(programs, literals, domain, budget)
    if more and isinstance(found, tuple):
        return "a product of two variables is not decided"
    return found


@dataclass(frozen=True, slots=True)
class Literal:
    """``row >= 0``, or ``> 0``."""

    row: Row
    strict: bool


def _negated(row: Row) -> Row:
    return -row[0], {j: -v for j, v in row[1].items()}


def _domain(inputs: int, rows: list[tuple[Row, str]]) -> Polyhedron:
    """The closure of what the rows say about inputs; bounds on one input make the box."""
    box: list[list[Fraction | None]] = [[None, None] for _ in range(inputs)]
    tables: dict[bool, list[list[Fraction]]] = {False: [], True: []}
    for (constant, slope), relation in rows:
        if len(slope) == 1:
            ((j, v),) = slope.items()
            bound, (low, high) = -constant / v, box[j]
            if relation == "=" or v > 0:
                box[j][0] = bound if low is None else max(low, bound)
            if relation == "=" or v < 0:
                box[j][1] = bound if high is None else min(high, bound)
        else:
            tables[relation == "="].append([constant, *(slope.get(j, Fraction(0)) for j in range(inputs))])
    data = {"dimension": inputs, "box": box, "inequalities": tables[False], "equalities": tables[True]}
    return Polyhedron.from_data(data)


def _decided(
    programs: Programs, literals: list[Literal], domain: Polyhedron, budget: Budget
) -> tuple[Point, str] | str | Proof | None:
    if all(literal.strict for literal in literals):
        return _asked(programs, literals, Fraction(0), domain, budget)
    if programs.variables - programs.inputs > MOST_NEURONS:
        return _raised(programs, literals, domain, budget)
    first = _asked(programs, literals, Fraction(0), domain, budget.share(round(1 / QUICK)))
    if isinstance(first, tuple):
        return first
    margin: Fraction | None = None
    for piece in _pieces(programs, literals, domain, budget):
        point = _satisfied(piece, literals)
        if point is not None:
            return point, "at the edge of a linear piece"
        best = _margin(piece)
        margin = best if margin is None else max(margin, best)
    if margin is not None and margin < 0:
        found = _asked(programs, literals, -margin / 2, domain, budget)
        if isinstance(found, Proof):
            return found
    return None


def _raised(
    programs: Programs, literals: list[Literal], domain: Polyhedron, budget: Budget
) -> tuple[Point, str] | str | Proof:
    """The answer for large networks, with the conditions that are not strict raised a little, ever less."""
    for power in (16, 40):
        found = _asked(programs, literals, Fraction(1, 1 << power), domain, budget)
        if found != BESIDE:
            return found
    found = _asked(programs, literals, Fraction(0), domain, budget)
    return found if isinstance(found, tuple) else "conditions that hold with equality at best are open"


# ---- one neuron for all conditions ------------------------------------------------------------------------------


def _asked(
    programs: Programs, literals: list[Literal], raised: Fraction, domain: Polyhedron, budget: Budget
) -> tuple[Point, str] | Proof | str:
    """Is the minimum of the conditions ever positive, those that are not strict raised?"""
    rows = [(lit.row[0] + (0 if lit.strict else raised), lit.row[1]) for lit in literals]
    network = _with_minimum(programs, rows)
    try:
        (report,) = decide(network, domain, [network.depth], [0], budget)
    except Exhausted as end:
        return str(end)
    (verdict,) = report.verdicts
    if verdict.status is Status.DEAD:
        return Proof(network, domain, report)
    if verdict.status is Status.UNDECIDED or (claim := verdict.claim) is None:
        return verdict.reason
    given: Any = claim.get("point")
    point = tuple(Fraction(v) for v in (report.points[given] if type(given) is int else given))
    if (ray := claim.get("ray")) is not None:  # the minimum grows along it beyond all bounds
        point = far_out(point, ray, lambda at: _holds(programs, literals, at))
    return (point, "all assertions were evaluated exactly") if _holds(programs, literals, point) else BESIDE


def _holds(programs: Programs, literals: list[Literal], point: Point) -> bool:
    """Are all conditions true at a point? Exact."""
    values = _variables(programs, point)
    heights = [lit.row[0] + sum((v * values[j] for j, v in lit.row[1].items()), Fraction(0)) for lit in literals]
    return all(h > 0 or (h == 0 and not lit.strict) for h, lit in zip(heights, literals, strict=True))


def _variables(programs: Programs, point: Point) -> list[Fraction]:
    """All variables at a point."""
    values = list(point)
    for layer in programs.layers:
        outputs = []
        for i in range(layer.outputs):
            bias, columns, entries = layer.row(i)
            total = bias + sum((v * values[j] for j, v in zip(columns, entries, strict=True)), Fraction(0))
            outputs.append(max(Fraction(total) / layer.denominator, Fraction(0)))
        values += outputs
    return values


def _values(programs: Programs, point: Point) -> dict[Variable, Fraction]:
    values = _variables(programs, point)
    return {
        variable: constant + sum((v * values[j] for j, v in slope.items()), Fraction(0))
        for variable, (constant, slope) in programs.rows.items()
    }


def _with_minimum(programs: Programs, rows: list[Row]) -> Network:
    """The networks, more layers that compute the minimum of the rows, and a last neuron whose pre-activation it is."""
    layers, variables = list(programs.layers), programs.variables
    while len(rows) > 1:
        pairs = list(zip(rows[::2], rows[1::2], strict=False))
        layers.append(_map([_difference(a, b) for a, b in pairs], variables))
        rest = rows[2 * len(pairs) :]
        rows = [_difference(a, (Fraction(0), {variables + k: Fraction(1)})) for k, (a, _) in enumerate(pairs)] + rest
        variables += len(pairs)
    layers.append(_map(rows, variables))
    return Network(programs.inputs, tuple(layers))


def _difference(first: Row, second: Row) -> Row:
    slope = dict(first[1])
    for j, v in second[1].items():
        slope[j] = slope.get(j, Fraction(0)) - v
    return first[0] - second[0], {j: v for j, v in slope.items() if v}


def _map(rows: list[Row], variables: int) -> AffineMap:
    denominator = lcm(*(v.denominator for constant, slope in rows for v in (constant, *slope.values())))
    entries = [(i, j, int(v * denominator)) for i, (_, slope) in enumerate(rows) for j, v in sorted(slope.items())]
    data = np.empty(len(entries), dtype=object)
    data[:] = [v for _, _, v in entries]
    at, columns = (np.array([entry[k] for entry in entries], dtype=np.int64) for k in (0, 1))
    bias = [int(constant * denominator) for constant, _ in rows]
    return AffineMap.from_entries((len(rows), variables), at, columns, data, denominator, bias, denominator)


# ---- the linear pieces of a small network -----------------------------------------------------------------------


Form = tuple[Fraction, ...]  # (b, a1, ..., an) over the inputs


@dataclass(frozen=True, slots=True)
class Piece:
    """The rows of a linear piece, and the conditions as forms of the inputs there."""

    inequalities: tuple[tuple[int, ...], ...]
    equalities: tuple[tuple[int, ...], ...]
    forms: tuple[Form, ...]


def _pieces(programs: Programs, literals: list[Literal], domain: Polyhedron, budget: Budget) -> Iterator[Piece]:
    """The linear pieces on the domain: those of a network whose last layer has the conditions as its neurons."""
    conditions = _map([literal.row for literal in literals], programs.variables)
    network = Network(programs.inputs, (*programs.layers, conditions))
    for layer, found in walk(network, by_programs(network, domain, budget), network.depth, budget):
        if layer == network.depth:
            forms = tuple(tuple(Fraction(v, found.scales[-1]) for v in row) for row in found.pending)
            yield Piece(found.inequalities, found.equalities, forms)


def _satisfied(piece: Piece, literals: list[Literal]) -> Point | None:
    """A point of the piece at which all conditions hold. One exact linear program."""
    n = len(piece.forms[0]) - 1
    rows = [(*row, 0) for row in piece.inequalities] + [(1, *[0] * n, -1)]
    rows += [_with_slack(form, literal.strict) for form, literal in zip(piece.forms, literals, strict=True)]
    best = linear_programs.maximise((0,) * (n + 1) + (1,), rows, [(*row, 0) for row in piece.equalities])
    if best.point is None or best.value is None:
        return None
    if any(literal.strict for literal in literals) and best.value <= 0:
        return None
    return tuple(best.point[:n])


def _margin(piece: Piece) -> Fraction:
    """The largest s <= 1 such that all conditions are at least s somewhere on the piece."""
    n = len(piece.forms[0]) - 1
    rows = [(*row, 0) for row in piece.inequalities] + [(1, *[0] * n, -1)]
    rows += [_with_slack(form, True) for form in piece.forms]
    best = linear_programs.maximise((0,) * (n + 1) + (1,), rows, [(*row, 0) for row in piece.equalities])
    return Fraction(1) if best.value is None else Fraction(best.value)


def _with_slack(form: Form, with_slack: bool) -> tuple[int, ...]:
    """``form - t >= 0`` (or without t) as an integer row over the inputs and t."""
    return primitive((*form, Fraction(-1 if with_slack else 0)))


def as_text(query: Query, answer: Answer) -> str:
    """The answer as the command prints it: the verdict, then the elements of the tensors or the reason."""
    lines = [answer.verdict]
    for network in query.networks:
        for tensor in (*network.inputs, *network.hidden, *network.outputs) if answer.values else ():
            for k in range(tensor.size):
                place = ",".join(map(str, np.unravel_index(k, tensor.shape))) if tensor.shape else ""
                value = answer.values.get((tensor.name, k))
                if value is not None:
                    lines.append(f"{tensor.name}{f'[{place}]' if place else ''} = {value}")
    if answer.reason:
        lines.append(f"; {answer.reason}")
    if answer.proofs:
        certified, count = sum(proof is not None for proof in answer.proofs), len(answer.proofs)
        how = f"by certificates: {certified}" + (f", directly: {count - certified}" if certified < count else "")
        lines.append(f"; {count} {'alternative' if count == 1 else 'alternatives'} refuted, {how}")
    return "\n".join(lines)


def dumped(answer: Answer) -> str:
    """The answer as JSON text."""
    return json.dumps(answer.as_json(), indent=1)
