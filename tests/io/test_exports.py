"""A slice of the run over models that other programs write: ``python tests/exports/run.py`` does hundreds of each kind.

GEOMRELU_EXPORTS sets how many. What is not installed is skipped.
"""

from __future__ import annotations

import os

import pytest
from exports.kinds import KINDS, Different, close, missing
from exports.run import outcomes

pytestmark = [pytest.mark.slow, pytest.mark.onnx, pytest.mark.torch]

MODELS = int(os.environ.get("GEOMRELU_EXPORTS", "0"))
COUNTS = {"torch legacy": 20, "torch dynamo": 4, "torch module": 100, "skl2onnx": 20, "scikit-learn": 40, "keras": 20}
COUNTS["pipelines"] = 60


@pytest.mark.parametrize("kind", KINDS)
def test_models_are_read_as_the_programs_that_wrote_them_compute_them(kind, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    if lacks := missing(kind):
        pytest.skip(f"{', '.join(lacks)} is not installed")
    for seed, (what, why) in outcomes(kind, 10_000, MODELS or COUNTS.get(kind, 10)):
        assert what in ("equal", "not made"), f"seed {seed}: {what}: {why}"


@pytest.mark.parametrize(
    ("found", "right"), [([1, 2], [1, 2.1]), ([1], [1, 1]), ([float("nan")], [1]), ([1e6], [1e6 + 50])]
)
def test_what_is_compared_would_be_seen_to_differ(found, right):
    with pytest.raises(Different):
        close(found, right, "x")
