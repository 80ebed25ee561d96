"""Neurons of layer 1, one affine form each: a corner of a box, a generator, a closed form on an ellipsoid, or one
exact linear program.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from fractions import Fraction
from typing import Any

from geomrelu import checker
from geomrelu.certificates.files import Claim
from geomrelu.deadness.problem import Problem
from geomrelu.deadness.verdict import Status, Verdict
from geomrelu.deadness.whole_layers import AT_A_POINT, ON_THE_BOX
from geomrelu.exact import linear_programs
from geomrelu.exact.affine import AffineForm
from geomrelu.exact.boxed_programs import BoxedPrograms
from geomrelu.exact.numbers import approximate, common, primitive
from geomrelu.geometry.domains import OneSet
from geomrelu.geometry.ellipsoid import Ellipsoid
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.parallel import apart

__all__ = ["first_layer", "is_sum"]

CORNER = "maximal corner"
MANY = 500_000  # inputs, times neurons, times rows and 1: with more, suprema are only sought where they are needed


def is_sum(domain: OneSet) -> bool:
    """Is a supremum a sum over the sides of a bounded box? It is found as quickly as a claim about it is judged."""
    return isinstance(domain, Polyhedron) and domain.is_box and domain.checked.is_bounded_box()


def first_layer(problem: Problem, domain: Polyhedron | Ellipsoid, asked: Sequence[int]) -> Iterator[Verdict]:
    """Verdicts with exact suprema, on an ellipsoid if they are rational.

    On a bounded box the judge is not run: what it would compute, a sum of whole numbers, is what is computed here.

    Cost: a sum over the inputs on a box or an ellipsoid, elsewhere one linear program a neuron; with many inputs and
    neurons first what the box and a point inside say, without suprema.
    """
    if isinstance(domain, Polyhedron) and domain.boxed is not None:
        given = len(domain.rows) + len(domain.flats)
        if domain.dimension * len(asked) * (1 + given) > MANY and domain.boxed.inside is not None:
            asked = yield from _at_first_sight(problem, domain, domain.boxed.inside, asked)
    bounded = is_sum(domain)
    sides = _sides(domain.checked) if bounded else ([], 1)
    for i in asked:
        if bounded:
            yield _on_bounded_box(problem, i, *sides)
        elif isinstance(domain, Ellipsoid):
            yield _on_ellipsoid(problem, domain, i)
        else:
            yield _corner(problem, domain, i) or _extreme(problem, domain, i)
        problem.budget.spend(0)


def _sides(box: checker.Domain) -> tuple[list[int], int]:
    """Of a bounded box all low sides, then all high ones, over one denominator."""
    return common([v for v in (*box.lower, *box.upper) if v is not None])


def _on_bounded_box(problem: Problem, i: int, sides: Sequence[int], over: int) -> Verdict:
    supremum = _at_the_corner(problem, i, sides, over)
    claim = problem.claimed(1, i, supremum, "corner", [{}], problem.bounding)
    return Verdict(1, i, Status(claim["status"]), claim.get("stable"), supremum, CORNER, claim)


def _at_the_corner(problem: Problem, i: int, sides: Sequence[int], over: int) -> Fraction:
    """The largest value of a neuron on a bounded box with these sides."""
    layer, n = problem.network.checked.layers[0], problem.network.inputs
    bias, columns, entries = layer.rows[i]
    total = bias * over + sum([w * sides[j + n if w > 0 else j] for j, w in zip(columns, entries, strict=True)])
    return Fraction(total, over * layer.denominator)


def _at_first_sight(
    problem: Problem, domain: Polyhedron, inside: Sequence[Fraction], asked: Sequence[int]
) -> Generator[Verdict, None, Sequence[int]]:
    """Neurons that are positive at a point inside, or not positive on the box around the domain; returns the others."""
    said, (values, _), left = problem.placed(inside), problem.network.checked.values(inside, 1), list[int]()
    bounded = domain.checked.is_bounded_box()
    sides = _sides(domain.checked) if bounded else ([], 1)
    for i in asked:
        claim: Claim = {"layer": 1, "neuron": i, "status": "alive", "point": said}
        if values[problem.network.inputs + i] > 0:
            yield problem.decided(claim, None, AT_A_POINT)
        elif bounded and (highest := _at_the_corner(problem, i, *sides)) <= 0:
            claim |= {"status": "dead", "proof": [{}]} | ({"stable": True} if highest < 0 else {})
            yield problem.decided(claim, None, ON_THE_BOX)
        else:
            left.append(i)
        problem.budget.spend(0)
    return left


def _on_ellipsoid(problem: Problem, domain: Ellipsoid, i: int) -> Verdict:
    """The supremum is m + root(q): its sign is a matter of m and of m^2 - q."""
    best = domain.maximum(problem.network.layers[0].form(i))
    point = {"ball": str(best.radius)}
    if best.value is not None:
        return problem.valued(1, i, best.value, point, [{}], "maximum on the ellipsoid", problem.bounding)
    about = f"maximum on the ellipsoid, irrational, about {approximate(best.about, 10)}"
    claim: Claim = {"layer": 1, "neuron": i, "status": "alive", "point": point}
    if best.sign < 0:
        claim = {"layer": 1, "neuron": i, "status": "dead", "stable": True, "proof": [{}]}
    return problem.decided(claim, None, about)


def _corner(problem: Problem, domain: Polyhedron, i: int) -> Verdict | None:
    """On an unbounded box a neuron is largest at a corner, unless that lies at infinity."""
    if not domain.is_box:
        return None
    try:
        total = checker.at_corner(problem.network.checked, domain.checked, 1, i)
    except checker.Rejected:
        return None
    return _closed_form(problem, domain, i, total, "corner", {}, CORNER)


def _extreme(problem: Problem, domain: Polyhedron, i: int) -> Verdict:
    form = problem.network.layers[0].form(i)
    best = domain.guided_supremum(form)
    if best is None:
        if domain.boxed is not None and (verdict := _estimated(problem, domain.boxed, form, i)) is not None:
            return verdict
        best = apart(problem.budget, domain.supremum, form)
    if best.value is None:
        return problem.unbounded(1, i, best.point, best.ray)
    multipliers = (("rows", best.rows), ("equalities", best.equalities))
    leaf = {key: {str(k): str(m) for k, m in table} for key, table in multipliers if table}
    how = "maximal generator" if domain.given_by_generators else "linear program"
    return _closed_form(problem, domain, i, best.value, problem.point(best.point), leaf, how)


def _estimated(problem: Problem, boxed: BoxedPrograms, form: AffineForm, i: int) -> Verdict | None:
    """Without a supremum: what a bound or a point near the optimum says."""
    numerators, scale = common([form.constant, *form.slope])
    about, claim = boxed.estimate(tuple(numerators)), Claim(layer=1, neuron=i)
    if about.point is not None:
        claim |= {"status": "alive", "point": problem.point(about.point)}
        if (verdict := problem.tried(claim, AT_A_POINT)) is not None:
            return verdict
    if about.bound is None or about.bound > 0 or boxed.inside is None:
        return None
    tables = (("rows", about.rows), ("equalities", about.equalities))
    leaf = {key: {str(k): str(m / scale) for k, m in table.items()} for key, table in tables if table}
    stable = problem.bounding if about.bound < 0 else None
    claim |= {"status": "dead", "point": problem.point(boxed.inside), "proof": [leaf], **(stable or {})}
    return problem.tried(claim, "bounded by a linear program")


def _closed_form(
    problem: Problem, domain: Polyhedron, i: int, supremum: Fraction, point: Any, leaf: dict[str, Any], how: str
) -> Verdict:
    far = problem.bounding
    if supremum < 0 and far is None:
        far = problem.far(1, i)
        if far is None and (flat := _flat_direction(domain, problem.network.layers[0].form(i))) is not None:
            far = problem.unstable(flat)
    return problem.valued(1, i, supremum, point, [leaf], how, far)


def _flat_direction(domain: Polyhedron, form: AffineForm) -> Sequence[Any] | None:
    """A direction of the recession cone along which a dead first-layer neuron does not fall."""
    if not domain.is_box and not domain.given_by_generators:
        return _flat_by_programs(domain, form)
    for ray in checker.recession(domain.checked):
        if form.along([Fraction(v) for v in ray]) == 0:
            return ray
    return None


def _flat_by_programs(domain: Polyhedron, form: AffineForm) -> Sequence[Any] | None:
    """One along which some row grows, by one linear program; else one along which none changes."""
    flats = [*domain.equalities, (0, *primitive(form.slope))]
    if domain.boxed is not None:
        ray = BoxedPrograms(domain.checked.lower, domain.checked.upper, domain.rows, flats).receding()
        return None if ray is None else primitive(ray)
    growing = linear_programs.receding(domain.inequalities, flats)
    if growing is not None:
        return primitive(growing)
    rows = [(0, *row[1:]) for row in (*domain.inequalities, *flats)]
    for j in range(domain.dimension):
        unit = (0, *(int(k == j) for k in range(domain.dimension)))
        line = linear_programs.maximise(unit, [], rows).ray
        if line is not None:
            return primitive(line)
    return None
