"""Small faults in the plain judge are noticed (all of them: ``python tests/attack/mutants.py``)."""

from __future__ import annotations

import ast
import types

import pytest
from attack import bounds, claims, grids, mutants, readable
from attack.questions import AGREED

from geomrelu import checker
from geomrelu.certificates.batch import Quick

QUICK = types.SimpleNamespace(**vars(checker) | {"Judge": Quick})  # the same module with the fast judge


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
