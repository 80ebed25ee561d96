"""Small faults in the plain judge are noticed (all of them: ``python tests/attack/mutants.py``)."""

from __future__ import annotations

import ast
import types

import pytest
from attack import bounds, claims, grids, mutants, readable
from attack.questions import AGREED, known
from attack.survivors import EXPLAINED, KINDS

from geomrelu import checker
from geomrelu.certificates import changes
from geomrelu.certificates.batch import Quick


def _quickly(certificate, model, domain, smaller, _judge=Quick):
    return changes.check_pruning(certificate, model, domain, smaller)


# the same module with the fast judge
QUICK = types.SimpleNamespace(**vars(checker) | {"Judge": Quick, "check_pruning": _quickly})


@pytest.fixture(autouse=True)
def _two_judges():
    """Elsewhere each judge asks the other one; here they are asked apart."""


@pytest.mark.parametrize("about", [readable, bounds, claims, grids])
def test_both_judges_answer_as_they_must(about):
    """As it is stated; where nothing is, they agree."""
    asked = list(about.stated())
    assert len(asked) > 200
    for ask, stated in asked:
        answer = ask(checker)
        assert answer == stated or stated is AGREED
        assert ask(QUICK) == answer


@pytest.fixture(scope="module")
def tree():
    return ast.parse(mutants.SOURCE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def everything(tree):
    return mutants.mutants(tree)


@pytest.fixture(scope="module")
def asked():
    return known(checker, *(about.stated() for about in (readable, bounds, claims)))


FAULTS = [
    ("Domain._holds", "b * one - dot(a, x) == 0"),
    ("at_corner", "require(True, 'the box has"),
    ("Domain._holds", "low + one <= v"),
    ("Region.copy", "without: setattr"),
    ("Model.parse", "without: known(layer"),
    ("Claim.active", "Fraction(1)"),
    ("Claim.below", "domain.rows and"),
    ("cones_of", "require(True, 'two generators"),
    ("Region._derive_layer", "level >= len(self.pairs)"),
    ("FixedPoint.form", "c > 1 and"),
    ("Region.halves", "require(True, 'a cut"),
    ("rise", "slope + y"),
    ("chord", "4 + above"),
    ("multiple", "c >= 0"),
    ("read_ray", "require(True, 'the ray"),
    ("FixedPoint.form", "m > 1"),
    ("still_read", "enumerate(model.layers, 2)"),
    ("Claim.unstable", "require(True, 'there is no point"),
]


@pytest.mark.parametrize(("within", "text"), FAULTS)
def test_a_fault_is_noticed(tree, everything, asked, within, text):
    (mutant,) = (m for m in everything if m.within == within and text in m.text and text not in m.before)
    assert not mutants.survives(mutant, tree, asked)


def test_what_changes_nothing_is_not_noticed(tree, everything, asked):
    """The tree is whole again after each fault."""
    assert not mutants.notices(asked, mutants.loaded(tree))
    (mutant,) = (m for m in everything if m.within == "primitive" and "or 2" in m.text)
    assert mutants.survives(mutant, tree, asked)


def test_each_explanation_is_of_one_mutant_of_the_present_judge(everything):
    said, stale = mutants.matched(everything)
    assert stale == []
    assert len(said) == sum(entry.times for entry in EXPLAINED) > 50
    assert {entry.kind for entry in EXPLAINED} == KINDS.keys()
    assert len(everything) > 1000
