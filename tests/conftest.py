"""Where the real networks are: a folder named by GEOMRELU_SHARED, or one called shared beside the checkout.

Tests that need it skip, saying so, where it is absent.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from browsing import browser  # noqa: F401 - a fixture
from hypothesis import HealthCheck, settings

from geomrelu import checker
from geomrelu.certificates.batch import Quick

with suppress(ImportError):
    import h5py  # noqa: F401 - before pplpy: version 0.9.0 brings libraries after which h5py cannot be loaded

collect_ignore_glob = ["attack/*", "benchmarks/*", "exports/*"]  # programs: their tests stand in the folders of rooms

# How long an example takes, or is sought, says how busy the machine is.
settings.register_profile("geomrelu", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("geomrelu")


@pytest.fixture(scope="session")
def shared():
    """The folder of real networks and data, read only."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("GEOMRELU_SHARED", beside))
    if not (folder / "networks").is_dir():
        pytest.skip(f"{folder} is absent: set GEOMRELU_SHARED to the folder of real networks")
    return folder


@pytest.fixture(scope="session")
def torch():
    """PyTorch; whoever asks for it has the mark of that name."""
    return pytest.importorskip("torch", reason="PyTorch is not installed")


def pytest_collection_modifyitems(items):
    """A mark follows from the fixture that needs the same."""
    for item in items:
        for name in {"torch", "browser"}.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(name)


MUCH = 200_000  # nodes times weights: the plain judge is slower


@pytest.fixture(autouse=True)
def _two_judges(request, monkeypatch):
    """Whatever one judge accepts or refuses, the other one does as well: they share no arithmetic of bounds.

    Not where the attack asks both itself, also of judges that were made worse.

    A claim that was refused because the time was over, and one with a very large proof, is judged once.
    """
    if request.module.__name__ == "test_attack":
        return
    prove = checker.prove
    others = {}  # by judge, which is kept so that no other gets its number

    def outcome(claim, judge):
        try:
            prove(claim, judge)
        except checker.Rejected as refused:
            return refused
        return None

    def both(claim, judge):
        found = outcome(claim, judge)
        weights = sum(len(columns) for layer in judge.model.layers for _, columns, _ in layer.rows)
        proof = claim.get("proof", ()) if isinstance(claim, dict) else ()
        if type(judge) in (checker.Judge, Quick) and (not isinstance(proof, list) or len(proof) * weights <= MUCH):
            if id(judge) not in others:  # what is derived at the root is derived once
                other = Quick if type(judge) is checker.Judge else checker.Judge
                others[id(judge)] = judge, other(judge.points, judge.model, judge.domain, judge.derived, judge.tree)
            second = outcome(claim, others[id(judge)][1])
            assert (found is None) == (second is None), (claim, found, second)
        if found is not None:
            raise found

    monkeypatch.setattr(checker, "prove", both)


@pytest.fixture(autouse=True)
def _digits():
    """The stand-alone checker raises the limit on the digits of integers for its process; here it goes back."""
    digits = sys.get_int_max_str_digits()
    yield
    sys.set_int_max_str_digits(digits)
