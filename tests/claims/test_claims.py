"""The judge: false claims of every kind are refuted, bad evidence is none, statuses are computed; then the registry."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import sympy

from geomrelu import InputError
from geomrelu.claims import registry as claims
from geomrelu.claims import render
from geomrelu.claims.evidence import Kind
from geomrelu.claims.registry import Claim
from geomrelu.claims.status import Status
from geomrelu.geometry import region_formulas
from geomrelu.random_networks import closed_forms

pytestmark = pytest.mark.slow

PROOFS = Path(__file__).resolve().parents[2] / "proofs"
LABELS = sorted(path.stem for path in PROOFS.glob("*.py"))
x, y = sympy.symbols("x y")


def a_claim(label="planted", uses=(), **checks):
    """A claim with one check of each given kind, yielding the given cases."""
    claim = Claim(label, "Planted", "1 = 1", "1 = 1", "here", (), tuple(uses))
    for kind, cases in checks.items():
        if kind == "sample":
            claim.sample("probabilities", trials=1000, seed=1)(lambda trials, seed, depth, cases=cases: iter(cases))
        else:
            getattr(claim, kind)("cases")(lambda depth, cases=cases: iter(cases))
    return claim


def judged(*planted, depth="default"):
    registry = {claim.label: claim for claim in planted}
    return {result.label: result for result in claims.verify(depth=depth, registry=registry)}


def verdict(**checks):
    return judged(a_claim(**checks))["planted"]


# ---- the judges ---------------------------------------------------------------------------------------------------

TRUE = {
    "derive": [((x + y) ** 2, x**2 + 2 * x * y + y**2), ("named", sympy.sin(x) ** 2 + sympy.cos(x) ** 2, sympy.S.One)],
    "enumerate": [(1, 1), ("named", Fraction(1, 2), "<", 1), (sympy.Rational(1, 3), Fraction(2, 6)), (2, ">=", 2)],
    "decide": [(True, True, True), ("named", 3, 3, True)],
    "hunt": [(3, ">=", 2), ("named", Fraction(1, 2), "<=", 1)],
    "sample": [(500, Fraction(1, 2)), ("named", 500, "<=", Fraction(9, 10)), (500, ">=", sympy.Rational(1, 10))],
    "neighbour": [(1, 2), ("named", 3, "<=", 2)],
}
FALSE = {
    "derive": [(x + y, x - y)],
    "enumerate": [(1, 1), (2, "<", 2)],
    "decide": [(True, False, True)],
    "hunt": [(3, ">=", 2), (1, ">=", 2)],
    "sample": [(500, Fraction(3, 5))],
}


@pytest.mark.parametrize("kind", TRUE)
def test_a_true_claim_of_each_kind_holds(kind):
    result = verdict(**{kind: TRUE[kind]})
    (outcome,) = result.outcomes
    assert outcome.ok
    assert outcome.cases == len(TRUE[kind])
    assert outcome.failure is None
    assert not result.failed
    assert [name for name, _ in outcome.rows] == ["named"]


@pytest.mark.parametrize("kind", FALSE)
def test_a_false_claim_of_each_kind_is_refuted(kind):
    """Also when all other evidence holds."""
    result = verdict(**{**TRUE, kind: FALSE[kind]})
    assert result.status is Status.REFUTED
    assert result.failed
    assert [o.kind for o in result.outcomes if not o.ok] == [kind]
    assert result.counterexample.startswith(kind)
    assert result.again == "geomrelu verify planted"
    assert "FAILED" in result.as_text() and f"counterexample: {kind}" in result.as_text()


def test_a_neighbour_that_holds_is_broken_evidence():
    """It says nothing against the claim: only that the hypothesis that was dropped is not needed there."""
    result = verdict(**{**TRUE, "neighbour": [(1, 2), (2, 2)]})
    assert result.status is Status.BROKEN
    assert result.failed
    assert "2 == 2 holds although a hypothesis was dropped" in result.counterexample


def test_a_rejected_certificate_is_broken_evidence():
    for verdict_, expected in ((True, True), (True, False)):
        result = verdict(decide=[(verdict_, expected, False)])
        assert result.status is Status.BROKEN
        assert "certificate was rejected" in result.counterexample


def test_what_sympy_cannot_tell_is_broken_evidence(monkeypatch):
    monkeypatch.setattr(sympy.Expr, "equals", lambda self, other: None)
    result = verdict(derive=FALSE["derive"])
    assert result.status is Status.BROKEN
    assert "SymPy cannot tell whether 2*y is 0" in result.counterexample


def test_a_wrong_probability_is_caught():
    """Successes drawn with p = 0.3, from a fixed seed: 0.3 is compatible, 0.31 is not."""
    claims_ = {}
    for p in (Fraction(3, 10), Fraction(31, 100)):
        claims_[p] = a_claim()

        @claims_[p].sample("draws", trials=100_000, seed=1)
        def draws(trials, seed, depth, p=p):
            yield int(np.random.default_rng(seed).binomial(trials, 0.3)), p

    right, wrong = (judged(claim)["planted"] for claim in claims_.values())
    assert (right.status, wrong.status) == (Status.SAMPLED, Status.REFUTED)
    assert "p = 31/100; 100,000 trials give [" in wrong.counterexample


@pytest.mark.parametrize("kind", TRUE)
def test_an_empty_family_is_no_evidence(kind):
    result = verdict(**{**TRUE, kind: []})
    assert result.status is Status.BROKEN
    assert result.failed
    assert "no cases" in result.counterexample


@pytest.mark.parametrize(
    ("kind", "case"),
    [
        ("enumerate", (0.5, Fraction(1, 2))),
        ("enumerate", (Fraction(1, 2), 0.5)),
        ("enumerate", (sympy.Float("0.5"), Fraction(1, 2))),
        ("enumerate", (np.int64(1), 1)),
        ("enumerate", (Fraction(np.int64(1), 2), Fraction(1, 2))),  # type: ignore[call-overload]
        ("enumerate", (True, 1)),
        ("enumerate", (1, "=", 1)),
        ("enumerate", (1,)),
        ("enumerate", (1, "<=", 2, 3)),
        ("enumerate", (sympy.sqrt(2), 1)),
        ("neighbour", (0.5, 1)),
        ("derive", (0.5 * x, x / 2)),
        ("derive", (x / 2, sympy.Float("0.5") * x)),
        ("derive", ("x", x)),
        ("derive", (sympy.nan, sympy.nan)),
        ("derive", (sympy.oo, sympy.oo)),
        ("derive", (sympy.true, sympy.true)),
        ("decide", (True, True)),
        ("decide", (True, True, 1)),
        ("decide", (1.0, 1.0, True)),
        ("decide", (True, True, False)),
        ("sample", (500.0, Fraction(1, 2))),
        ("sample", (500, 0.5)),
        ("sample", (1001, Fraction(1, 2))),
        ("sample", (500, "!=", Fraction(1, 2))),
    ],
)
def test_what_is_not_a_case_is_no_evidence(kind, case):
    assert verdict(**{kind: [case]}).status is Status.BROKEN


def test_intervals_respect_the_direction():
    for relation, inside, outside in (("<=", "9/10", "1/10"), (">=", "1/10", "9/10")):
        assert not verdict(sample=[(500, relation, Fraction(inside))]).failed
        assert verdict(sample=[(500, relation, Fraction(outside))]).failed
    assert verdict(sample=[(0, Fraction(1, 100))]).failed
    assert not verdict(sample=[(0, Fraction(1, 1000))]).failed
    assert not verdict(sample=[(1000, Fraction(1))]).failed


def test_the_first_failing_case_is_reported():
    result = verdict(enumerate=[(0, 0), ("n = 2", 3, 4), (5, 6)])
    assert "case 2 (n = 2): 3 == 4 is false" in result.counterexample
    assert result.outcomes[0].cases == 2


def test_a_check_that_raises_is_broken_evidence():
    def cases():
        yield 1, 1
        raise ZeroDivisionError("somewhere")

    result = verdict(enumerate=cases(), derive=TRUE["derive"])
    assert result.status is Status.BROKEN
    assert "after 1 case: ZeroDivisionError: somewhere" in result.counterexample
    assert "REFUTED" not in result.as_text() and "broken: enumerate" in result.as_text()
    assert verdict(enumerate=[None]).status is Status.BROKEN
    assert verdict(enumerate=[7]).status is Status.BROKEN
    assert verdict(enumerate=[()]).status is Status.BROKEN


def test_a_check_that_yields_nothing_at_all_is_broken_evidence():
    claim = a_claim()
    claim.enumerate("cases")(lambda depth: None)
    assert judged(claim)["planted"].failed


# ---- statuses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kinds", "status"),
    [
        ((), Status.CONJECTURED),
        (("neighbour",), Status.CONJECTURED),
        (("derive",), Status.CONJECTURED),
        (("sample",), Status.SAMPLED),
        (("derive", "sample"), Status.SAMPLED),
        (("enumerate",), Status.ENUMERATED),
        (("decide", "sample"), Status.ENUMERATED),
        (("derive", "enumerate"), Status.DERIVED),
        (("derive", "decide"), Status.DERIVED),
        (("derive", "enumerate", "decide", "sample", "neighbour"), Status.DERIVED),
        (("hunt",), Status.CONJECTURED),
        (("derive", "enumerate", "hunt"), Status.CONJECTURED),
        (("hunt", "sample"), Status.CONJECTURED),
    ],
)
def test_the_status_follows_from_the_evidence(kinds, status):
    assert verdict(**{kind: TRUE[kind] for kind in kinds}).status is status


@pytest.mark.parametrize(
    ("identity", "status"),
    [
        (((x + y) ** 2, x**2 + 2 * x * y + y**2), Status.DERIVED),
        ((x + y, y + x), Status.ENUMERATED),  # the same as written
        ((x - x + 1, sympy.S.One), Status.ENUMERATED),
        ((sympy.sqrt(8), 2 * sympy.sqrt(2)), Status.ENUMERATED),  # no symbol
        ((sympy.cos(sympy.pi / 5), (1 + sympy.sqrt(5)) / 4), Status.ENUMERATED),
    ],
)
def test_derived_is_what_has_an_identity_with_symbols_that_was_none_as_written(identity, status):
    result = verdict(derive=[identity], enumerate=TRUE["enumerate"])
    assert result.status is status
    assert result.outcomes[0].symbolic == (status is Status.DERIVED)
    assert f"1 cases, {int(status is Status.DERIVED)} with symbols and not equal as written" in result.as_text()


def in_parts(**parts):
    """A claim with checks {part: {kind: cases}}."""
    claim = a_claim()
    for part, checks in parts.items():
        for kind, cases in checks.items():
            if kind == "sample":
                register = claim.sample("probabilities", trials=1000, seed=1, part=part)
                register(lambda trials, seed, depth, cases=cases: iter(cases))
            else:
                getattr(claim, kind)("cases", part=part)(lambda depth, cases=cases: iter(cases))
    return judged(claim)["planted"]


def test_the_least_part_decides():
    exact = {"derive": TRUE["derive"], "enumerate": TRUE["enumerate"]}
    assert in_parts(one=exact, two=exact).status is Status.DERIVED
    assert in_parts(one=exact, two={"enumerate": TRUE["enumerate"]}).status is Status.ENUMERATED
    assert in_parts(one=exact, two={"sample": TRUE["sample"]}).status is Status.SAMPLED
    assert in_parts(one=exact, two={"hunt": TRUE["hunt"]}).status is Status.CONJECTURED
    assert in_parts(one=exact, two={"sample": FALSE["sample"]}).status is Status.REFUTED
    shared = a_claim(derive=TRUE["derive"], neighbour=TRUE["neighbour"])  # without a part: for all of them
    shared.enumerate("cases", part="one")(lambda depth: iter(TRUE["enumerate"]))
    assert judged(shared)["planted"].status is Status.DERIVED
    shared.sample("cases", trials=1000, seed=1, part="two")(lambda trials, seed, depth: iter(TRUE["sample"]))
    assert judged(shared)["planted"].status is Status.SAMPLED


def test_a_hunt_that_finds_something_refutes_by_an_exact_case():
    printed = a_claim("printed", hunt=FALSE["hunt"])
    printed.correction = "right"
    result = judged(printed, a_claim("right", enumerate=[(1, 1)]))["printed"]
    assert result.refuted_as_expected


def test_a_claim_is_no_stronger_than_what_it_uses():
    strong = {"derive": TRUE["derive"], "enumerate": TRUE["enumerate"]}
    sampled = a_claim("sampled", sample=TRUE["sample"])
    false = a_claim("false", enumerate=FALSE["enumerate"])
    found = judged(
        a_claim("on-sampled", ["sampled"], **strong),
        sampled,
        a_claim("on-false", ["false"], **strong),
        a_claim("on-both", ["on-sampled", "on-false"], **strong),
        false,
    )
    assert list(found) == ["sampled", "on-sampled", "false", "on-false", "on-both"]
    assert found["on-sampled"].status is Status.SAMPLED
    assert found["on-sampled"].limited_by == "sampled"
    assert found["on-false"].status is Status.CONJECTURED
    assert not found["on-false"].failed
    assert (found["on-both"].status, found["on-both"].limited_by) == (Status.CONJECTURED, "on-false")


def test_circles_are_refused():
    registry = {c.label: c for c in (a_claim("a", ["b"]), a_claim("b", ["c"]), a_claim("c", ["a"]))}
    with pytest.raises(InputError, match="a -> b -> c -> a"):
        claims.verify(registry=registry)


def test_only_what_is_asked_and_what_it_uses():
    registry = {c.label: c for c in (a_claim("a", ["b"]), a_claim("b"), a_claim("c"))}
    assert [r.label for r in claims.verify(["a"], registry=registry)] == ["b", "a"]
    assert [r.label for r in claims.verify(["c", "c"], registry=registry)] == ["c"]


def test_unknown_labels_are_refused_at_once():
    with pytest.raises(InputError, match="did you mean upper-bound"):
        claims.verify(["uper-bound"])
    with pytest.raises(InputError, match=r"known: .*orthant-kill"):
        claims.verify(["zzz"])
    with pytest.raises(InputError, match="unknown claim 'missing'"):
        claims.verify(registry={"a": a_claim("a", ["missing"])})
    with pytest.raises(InputError, match="unknown depth"):
        claims.verify(depth="deep")


def test_a_few_small_certificates_are_kept():
    def certified(size):
        return claims.Certified({"size": "x" * size}, {}, {})

    cases = [(f"n = {n}", 1, 1, True, certified(k)) for n, k in enumerate((1, 300_000, 3, 4, 5, 6, 7))]
    (outcome,) = verdict(decide=[cases[0], (*cases[0][:4], certified(2), AGAIN), *cases[1:]]).outcomes
    assert [(name, len(c.certificate["size"])) for name, c in outcome.certified] == [
        ("n = 0", 1),
        ("n = 2", 3),
        ("n = 3", 4),
        ("n = 4", 5),
    ]
    assert outcome.cases == 8 and "certif" not in json.dumps(outcome.as_json()["rows"])


# ---- statements that are false as printed -------------------------------------------------------------------------

AGAIN = claims.Again("from fractions import Fraction\nprint(Fraction(3, 2) + Fraction('1/2'), \"it's\")")


def false_as_printed(**checks):
    printed = a_claim("printed", **checks)
    printed.correction = "right"
    return judged(printed, a_claim("right", enumerate=[(1, 1)]))["printed"]


def test_a_statement_that_is_false_as_printed_must_be_refuted():
    result = false_as_printed(enumerate=[(1, 1), ("n = 2", 2, "<", 2, AGAIN)])
    assert result.status is Status.REFUTED
    assert result.refuted_as_expected and not result.failed
    text = result.as_text()
    for line in (
        "REFUTED  printed: 1 = 1\n",
        "\n  counterexample: enumerate (<lambda>): case 2 (n = 2): 2 < 2 is false\n  again: python -c ",
        "\n  true instead (right): 1 = 1\n",
    ):
        assert line in text


@pytest.mark.parametrize(
    ("checks", "status"),
    [
        ({"enumerate": [(1, 1)]}, Status.ENUMERATED),
        ({"sample": FALSE["sample"]}, Status.REFUTED),  # not an exact case
        ({"enumerate": []}, Status.BROKEN),
        ({"enumerate": [(0.5, 1)]}, Status.BROKEN),
        ({"enumerate": [None]}, Status.BROKEN),
        ({"enumerate": [(1, 2)], "derive": [None]}, Status.BROKEN),
        ({"enumerate": [(1, 2)], "neighbour": [(1, 1)]}, Status.BROKEN),
        ({}, Status.CONJECTURED),
    ],
)
def test_anything_else_than_an_exact_case_fails_it(checks, status):
    result = false_as_printed(**checks)
    assert result.status is status
    assert result.failed and not result.refuted_as_expected


def test_what_broke_is_shown_before_what_failed_and_exact_cases_before_others():
    both = verdict(enumerate=[(1, 2)], derive=[None])
    assert both.counterexample.startswith("derive")
    assert verdict(sample=FALSE["sample"], enumerate=[(1, 2)]).counterexample.startswith("enumerate")
    assert verdict(enumerate=[(1, 2)], decide=[(1, 2, True, AGAIN)]).counterexample.startswith("decide")


def test_a_case_can_be_seen_again_from_the_printed_line_alone(tmp_path):
    (line,) = (t for t in false_as_printed(enumerate=[(2, 1, AGAIN)]).as_text().split("  again: ")[1:])
    command = line.partition("\n  true instead")[0].replace("python", sys.executable, 1)
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout == "2 it's\n"


# ---- running ------------------------------------------------------------------------------------------------------


def test_depth_and_trials_reach_the_checks():
    seen = []
    claim = a_claim()

    @claim.enumerate("cases")
    def enumerated(depth):
        seen.append(depth)
        yield 1, 1

    @claim.sample("probabilities", trials=100, seed=5, level=Fraction(9, 10))
    def sampled(trials, seed, depth):
        seen.append((trials, seed, depth))
        yield trials // 2, Fraction(1, 2)

    for depth in ("default", "thorough"):
        (result,) = judged(claim, depth=depth).values()
        assert not result.failed
    assert seen == ["default", (100, 5, "default"), "thorough", (1000, 5, "thorough")]
    assert "p = 1/2; 1,000 trials give [0.474, 0.526] at 90 %" in result.as_text()


def test_progress_is_reported():
    seen = []
    claim = a_claim(derive=TRUE["derive"], enumerate=TRUE["enumerate"])
    list(claims.verify(progress=lambda *what: seen.append(what), registry={"planted": claim}))
    assert seen[0] == ("planted", "derive", 0)
    assert seen[-1] == ("planted", "enumerate", 4)


def test_an_interrupt_leaves_the_results_so_far():
    def interrupted():
        yield 1, 1
        raise KeyboardInterrupt

    registry = {c.label: c for c in (a_claim("a", enumerate=[(1, 1)]), a_claim("b", enumerate=interrupted()))}
    running = claims.verify(registry=registry)
    assert next(running).label == "a"
    with pytest.raises(KeyboardInterrupt):
        next(running)


def test_a_result_is_plain_data_and_a_table():
    result = verdict(**TRUE)
    data = json.loads(json.dumps(result.as_json()))
    assert (data["label"], data["status"], data["counterexample"]) == (
        "planted",
        "CONJECTURED",
        None,
    )  # there is a hunt
    assert [e["kind"] for e in data["evidence"]] == list(Kind)
    text = result.as_text()
    assert text.startswith("CONJECTURED  planted: 1 = 1\n")
    header = next(line for line in text.splitlines() if line.strip().startswith("case"))
    assert header.split() == ["case", *Kind]


# ---- the registry -------------------------------------------------------------------------------------------------


OPEN = {
    "orbit-minimum-corrected",
    "orbit-minimum-plane",
    "wide-lower-bound",
    "line-upper-bound-general",
    "plane-central-bound",
}  # conjectures: hunted
MEASURED = {  # a part of them is measured
    "figure-1",
    "figure-2",
    "figure-5",
    "figure-conclusions",
    "collapse-rate",
    "collapse-states",
    "rai-on-bounded-sets",
    "ray-under-he",
}
PRINTED = [x for x in LABELS if "correction=" in (PROOFS / f"{x}.py").read_text(encoding="utf-8")]


@pytest.mark.parametrize("label", LABELS)
def test_the_evidence_for_a_claim_holds(label):
    result = list(claims.verify([label]))[-1]
    assert result.label == label
    assert not result.failed, result.as_text()
    kinds = {o.kind for o in result.outcomes}
    if label in PRINTED:
        assert result.refuted_as_expected
    elif label in OPEN:
        assert result.status is Status.CONJECTURED
        assert Kind.HUNT in kinds
    elif label in MEASURED:
        assert result.status is Status.SAMPLED
    else:
        assert result.status >= Status.ENUMERATED, "there is no exact evidence"
        assert Kind.NEIGHBOUR in kinds and kinds & {Kind.ENUMERATE, Kind.DECIDE}


@pytest.mark.parametrize("label", PRINTED)
def test_the_counterexample_can_be_seen_again(label, tmp_path):
    *_, result = claims.verify([label])
    seen = [o for o in result.outcomes if o.again is not None]
    assert seen, "no failing case ends with Again"
    for outcome in seen:
        command = [sys.executable, "-c", outcome.again]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=_environment(), check=False)
        assert (done.returncode, done.stdout.strip()) == (0, outcome.left), done.stderr


def test_every_label_of_the_papers_is_there(shared):
    """Sections A, B and C of the list of claims."""
    text = (shared / "claims.md").read_text(encoding="utf-8")
    sections = text[text.index("\n## A.") : text.index("\n## D.")]
    listed = {label for row in re.findall(r"^\| (`.*?) \|", sections, re.M) for label in re.findall(r"`([\w-]+)`", row)}
    assert len(listed) > 40 and {"orthant-kill", "safe-region", "layer-not-independent"} <= listed
    listed |= {"figure-2-images", "figure-3-images"}  # "figure-1-code .. figure-4-images"
    assert sorted(listed - set(LABELS)) == []


WRONG = {
    "orthant-kill": ("orthant_kill", lambda n: sympy.Integer(2) ** (-(n**2))),
    "upper-bound": ("upper_bound", lambda n, k: (1 - sympy.Integer(2) ** (-(n**2) - n)) ** k),
    "lower-bound": ("lower_bound", lambda n, k: (1 - sympy.Integer(2) ** -n) ** (k - 1)),
    "tight-at-two": ("upper_bound", lambda n, k: (1 - sympy.Integer(2) ** (-(n**2))) ** (k - 1)),
    "narrow-first-layer": ("stably_unactivated", lambda n0, n1: sympy.Integer(2) ** -n1),
    "one-more-than-input": ("stably_unactivated", lambda n0, n1: sympy.Integer(2) ** (-n1 - 1)),
    "zaslavsky": ("regions", lambda m, n: m * n + 1),
    "figure-1-code": ("regions", lambda m, n: m * n + 1),
    "region-bounds": ("network_regions_at_most", lambda n0, widths: sympy.Integer(n0 * sum(widths) + 1)),
    "width-one": ("width_one", lambda k: k / sympy.Integer(2) ** (k - 1)),
    "dying-bound": ("dying_bound", lambda *widths: 1 - sympy.prod(1 - sympy.Integer(2) ** (-n - 1) for n in widths)),
    "conv-bounds-corrected": (
        "convolution_upper_bound",
        lambda n, m, k: (1 - sympy.Integer(2) ** (-n * (m**2 + 1))) ** (k - 1),
    ),
    "residual-bypass": ("residual_dead_point", lambda n, k: 1 - (1 - sympy.Integer(2) ** -n) ** k),
    "sign-flip-ratio": ("sign_flip_alive", lambda m, k: sympy.ceiling(sympy.expand(2 * m / sympy.Integer(2) ** k))),
    "one-dim-chain": ("one_dim_dying", lambda n, m: sympy.Integer(4) ** -n * (m - 1)),
    "wide-lower-bound": ("wide_lower_bound", lambda n0: sympy.Integer(3) ** -n0),
    "zeros-on-a-line": (
        "zeros_on_a_line",
        lambda *widths: sympy.prod([1 - sympy.Integer(2) ** (-n - 1) for n in widths]),
    ),
    "euler-characteristic": ("zeros_on_a_line", lambda *widths: sympy.Integer(1)),
    "line-lower-bound": ("line_lower_bound", lambda n1: sympy.Rational(1, 8) + sympy.Integer(2) ** (-n1 - 1)),
    "line-upper-bound": ("line_upper_bound", lambda n1: sympy.Rational(1, 6)),
    "tensor-power": ("bias_free_unactivated", lambda n0, n1: sympy.Rational(1, 4) + sympy.Integer(2) ** -n1),
    "width-free-lower-bound": ("width_free_lower_bound", lambda n0: sympy.Integer(2) ** (-8174 * (n0 + 1) ** 4)),
    "separated-scales": ("wide_lower_bound", lambda n0: sympy.Integer(3) ** -n0),
    "rai-never-kills-orthant": ("rai_sigma", lambda: sympy.Rational(6, 10)),
    "single-point": ("lower_bound", lambda n, k: (1 - sympy.Integer(2) ** -n) ** (k + 1)),
    "width-for-depth": ("width_for_depth", lambda k, p: sympy.log(k / sympy.log(1 / sympy.sympify(p)), 2)),
    "ball-limit": ("gaussian_dead_on_ball", lambda n, r: sympy.atan(1 / r) / (n + 3)),
    "geometric-series-corrected": ("lower_bound", lambda n, k: (1 - sympy.Integer(2) ** -n) ** (k + 1)),
}


def home(function):
    """The module of a formula."""
    return closed_forms if function in closed_forms.__all__ else region_formulas


@pytest.mark.parametrize("label", WRONG)
def test_a_wrong_formula_is_refuted_by_all_evidence_of_it(label, monkeypatch):
    """The formula users call is the one that is judged, by each kind of evidence that speaks of it."""
    function, wrong = WRONG[label]
    monkeypatch.setattr(home(function), function, wrong)
    *_, result = claims.verify([label])
    assert result.failed
    silent = {
        "separated-scales": {Kind.ENUMERATE},
        "rai-never-kills-orthant": {Kind.ENUMERATE, Kind.SAMPLE},
        "width-free-lower-bound": {Kind.ENUMERATE},
    }
    speaking = {o.kind for o in result.outcomes} & {Kind.DERIVE, Kind.ENUMERATE, Kind.SAMPLE}
    assert speaking - silent.get(label, set()) <= {o.kind for o in result.outcomes if not o.ok}


@pytest.mark.parametrize(
    ("label", "function", "wrong"),
    [
        ("zaslavsky", "bounded_regions", lambda m, n: sympy.binomial(m, n)),
        ("zaslavsky", "central_regions", lambda m, n: region_formulas.regions(m, n)),
        ("dying-bound", "dying_at_least", lambda *widths, bias=True: closed_forms.dying_bound(*widths)),
        ("safe-region", "width_for_depth", lambda k, p: 1 - sympy.log(1 - p ** (1 / sympy.sympify(k)), 2)),
        (
            "zeros-on-a-line",
            "dead_on_the_line",
            lambda *widths: sympy.Rational(1, 2) - closed_forms.zeros_on_a_line(*widths) / 4,
        ),
        ("euler-characteristic", "euler_characteristic", lambda *widths: closed_forms.zeros_on_a_line(*widths)),
        ("bias-free", "bias_free_unactivated", lambda n0, n1: sympy.Integer(2) ** (-n1 - 1)),
        ("collapse-rate", "one_dim_dying", lambda n, m: 1 - (1 - sympy.Integer(2) ** -n) ** (m - 1)),
    ],
)
def test_each_formula_of_a_claim_is_judged(label, function, wrong, monkeypatch):
    monkeypatch.setattr(home(function), function, wrong)
    *_, result = claims.verify([label])
    assert {Kind.DERIVE, Kind.ENUMERATE} <= {o.kind for o in result.outcomes if not o.ok}


# A false version of each theorem that is ours, by one change in its proof: (what is written, what is planted).
PLANTED = {
    "gates-decouple": ("(agree, 4**n)", "(agree, 4**n - 1)"),
    "zeros-on-a-line": ("zeros_on_a_line(*widths))", "zeros_on_a_line(1, *widths))"),
    "euler-characteristic": (
        "Fraction(1, 2 ** (n1 + 1)) + Fraction(changing",
        "Fraction(1, 2**n1) + Fraction(changing",
    ),
    "line-lower-bound": ("4 ** (m - 1) + 2 ** (m - 1) + Fraction(more, 2)", "4 ** (m - 1) + 2**m + Fraction(more, 2)"),
    "line-upper-bound": ('"<=", (4**m + 2) // 3', '"<=", (4**m - 1) // 3'),
    "line-upper-bound-general": ("- 4 ** (m - 1)\n", "- 4 ** (m - 1) + 1\n"),
    "orbit-minimum-plane": ("(n1 + 2) * 2 ** (n1 - 3)", "(n1 + 3) * 2 ** (n1 - 3)"),
    "width-free-lower-bound": ("1376 * N**3", "1375 * N**3"),
    "tensor-power": ("share(whole), product", "share(whole), product / 2"),
    "plane-sign-changes": ("2**m + more", "2 ** (m - 1) + more"),
    "range-two-three": ("4096 - least, 3828", "4096 - least, 3827"),
    "functional-dimension": ('found.rank, "<=", found.bound', 'found.rank, "<=", found.bound - 1'),
    "bias-free": ("Fraction(1, 2 ** (k - 1))", "Fraction(1, 2**k)"),
    "tight-along-paths-corrected": ("formula = lower * (1 + k", "formula = lower * (1 + 1 + k"),
    "later-variance-corrected": ("yield last, exact", "yield last, 2 * exact"),
    "growing-domain": ("1 - closed_forms.orthant_kill(n)", "1 - closed_forms.orthant_kill(n) / 2"),
    "weak-sets": ("closed_forms.lower_bound(n, k)", "closed_forms.upper_bound(n, k)"),
    "rai-on-bounded-sets": ('"<", Fraction(1, 2)', '"<", Fraction(1, 3)'),
    "convolution-matrix-corrected": ('"<=", m * m', '"<=", m'),
    "figure-conclusions": ('">=", Fraction(3, 5)', '">=", Fraction(99, 100)'),
    "collapse-states": ("return 2 * (1 -", "return 3 * (1 -"),
    "ray-under-he": ("Fraction(3, 2)", "Fraction(5, 2)"),
    "iid-not-free": ("Fraction(494, 3072)", "Fraction(493, 3072)"),
    "plane-central-bound": ("(m + 2) * 2 ** (m - 3)", "(m + 3) * 2 ** (m - 3)"),
    "plane-central-four": ("int(table.max()), 32", "int(table.max()), 30"),
    "default-initialisations": ("(1, 2, 15 * half**6)", "(1, 2, 12 * half**6)"),
}


@pytest.mark.parametrize("label", PLANTED)
def test_a_planted_false_version_is_refuted(label, tmp_path):
    text = (PROOFS / f"{label}.py").read_text(encoding="utf-8")
    written, planted = PLANTED[label]
    assert written in text
    (tmp_path / f"{label}.py").write_text(text.replace(written, planted), encoding="utf-8")
    claim = claims.load(tmp_path)[label]
    outcomes = claims.examined(claim, "default")
    assert any(not o.ok and o.counterexample for o in outcomes), outcomes


def test_a_wrong_count_of_a_construction_is_refuted(monkeypatch):
    monkeypatch.setattr(region_formulas, "network_regions_attained", region_formulas.network_regions_at_most)
    *_, result = claims.verify(["region-bounds"])
    assert "folding in the cube" in result.counterexample


def test_numbers_of_regions():
    n = sympy.Symbol("n", integer=True, positive=True)
    assert [region_formulas.regions(m, 2) for m in range(5)] == [1, 2, 4, 7, 11]
    assert region_formulas.regions(n, 2).subs(n, 4) == region_formulas.regions(4, n).subs(n, 2).doit() == 11
    assert region_formulas.central_regions(n, 3).subs(n, 4) == region_formulas.central_regions(4, 3) == 14
    assert region_formulas.bounded_regions(4, n).subs(n, 2) == 3
    assert region_formulas.network_regions_at_most(5, [4]) == region_formulas.network_regions_attained(5, [4]) == 16


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (region_formulas.regions, (-1, 2)),
        (region_formulas.regions, (4, "2")),
        (region_formulas.bounded_regions, (0, 2)),
        (region_formulas.central_regions, (3, 0)),
        (region_formulas.network_regions_at_most, (0, [3])),
        (region_formulas.network_regions_at_most, (2, [])),
        (region_formulas.network_regions_at_most, (2, 3)),
        (region_formulas.network_regions_at_most, (2, [3, 1.5])),
        (region_formulas.network_regions_at_most, (sympy.Symbol("n"), [3])),
        (region_formulas.network_regions_attained, (3, [2, 4])),
        (closed_forms.gaussian_dead_on_ball, (0, 1)),
        (closed_forms.gaussian_dead_on_ball, (sympy.Symbol("n"), 1)),
        (closed_forms.gaussian_dead_on_ball, (2, 0)),
        (closed_forms.gaussian_dead_on_ball, (2, 0.5)),
        (closed_forms.gaussian_dead_on_ball, (2, "1")),
        (closed_forms.convolution_upper_bound, (2, 0, 3)),
        (closed_forms.residual_dead_point, (2, -1)),
        (closed_forms.sign_flip_alive, (0, 2)),
        (closed_forms.dying_at_least, ((2, 2),)),  # SymPy makes its own tuples of them, and was asked for nothing more
        (closed_forms.lower_bound, (2, sympy.true)),
        (closed_forms.zeros_on_a_line, (sympy.Matrix([2]),)),
        (closed_forms.orthant_kill, (1, 2)),
        (closed_forms.orthant_kill, (1, 0.5)),
    ],
)
def test_sizes_that_are_none_are_refused(function, arguments):
    with pytest.raises(InputError):
        function(*arguments)


def test_a_neuron_of_the_first_layer_is_no_float():
    """It has one zero on a line, and is negative on a half-space."""
    found = closed_forms.zeros_on_a_line(), closed_forms.euler_characteristic()
    assert all(isinstance(v, sympy.Integer) for v in found) and found == (1, 1)


def test_every_formula_has_a_wrong_version():
    tried = {function for function, _ in WRONG.values()} | {
        "bounded_regions",
        "central_regions",
        "dying_at_least",
        "network_regions_attained",
        "dead_on_the_line",
        "euler_characteristic",
    }
    assert tried == {*closed_forms.__all__, *region_formulas.__all__}


@pytest.mark.parametrize("label", LABELS)
def test_a_proof_reads_as_a_page(label):
    text = (PROOFS / f"{label}.py").read_text(encoding="utf-8")
    assert text.startswith("# %% [markdown]\n# # ")
    assert "**Statement" in text
    proved = ("eighbour", "# ## Proof", "$\\square$") if label not in (*OPEN, "figure-5", *PRINTED) else ()
    for part in ('if __name__ == "__main__":', *proved):
        assert part in text
    assert "assert" not in text
    assert not any(status.name in text for status in Status)


@pytest.mark.parametrize("label", sorted(set(LABELS) - set(PRINTED)))
def test_each_hypothesis_has_a_neighbour_or_says_that_its_need_is_not_known(label):
    claim = claims.load()[label]
    dropped = [part for check in claim.checks if check.kind is Kind.NEIGHBOUR for part in check.of.split("; ")]
    for hypothesis in claim.hypotheses:
        without = hypothesis.endswith(("(needed: not known)", "(by definition)"))
        assert without or all(part in dropped for part in hypothesis.split("; ")), hypothesis


def test_the_table_of_contents_is_current():
    assert (PROOFS / "README.md").read_text(encoding="utf-8") == render.contents(claims.load()) + "\n"


@pytest.mark.parametrize("options", [[], ["-O"]])
def test_a_proof_runs_alone(options):
    command = [sys.executable, *options, str(PROOFS / "orthant-kill.py")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROOFS.parent, env=_environment(), check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("DERIVED  orthant-kill")


def test_a_proof_ends_quietly_when_its_reader_goes_away():
    command = [sys.executable, str(PROOFS / "point-half.py")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=PROOFS.parent, env=_environment()) as run:
        run.stdout.close()
        assert (run.stderr.read(), run.wait()) == ("", 0)


def _environment():
    import os

    return {**os.environ, "PYTHONPATH": str(PROOFS.parent)}


def test_files_that_are_no_proofs_are_refused(tmp_path):
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(InputError, match="does not define the claim 'empty'"):
        claims.load(tmp_path)
