"""A small slice of the attack on the judges (all of it: ``python tests/attack/run.py``), and what it would notice."""

from __future__ import annotations

import json
import random
from fractions import Fraction

import oracles
import pytest
from attack import judges, networks, prunings, run
from attack.assaults import Tally

from geomrelu import checker
from geomrelu.certificates import batch
from geomrelu.certificates.fields import Fields

pytestmark = pytest.mark.slow

SLICE = [("small", 0), ("small", 1), ("small", 2), ("empty", 0), ("empty", 1), ("blown", 0), ("blown", 3), ("wild", 1)]
SLICE += [("round", 0), ("round", 1), ("round", 4)]


@pytest.fixture(autouse=True)
def _two_judges():
    """Elsewhere each judge asks the other one; here they are asked apart."""


def total(tally: Tally, start: str, end: str) -> int:
    return sum(v for k, v in tally.counts.items() if k.startswith(start) and k.endswith(end))


@pytest.mark.parametrize(("kind", "number"), SLICE)
def test_no_false_certificate_is_accepted_and_the_judges_agree(kind, number):
    tally = run.block(2, kind, number)
    assert not tally.findings, tally.findings[0]
    assert total(tally, "offered", "false") >= 40
    assert kind != "small" or total(tally, "accepted", "true") >= 5  # else it would prove little


def test_what_is_true_is_the_same_by_patterns_and_by_points():
    """The oracle of the attack against evaluation: no value beyond its ranges, and its ends are attained."""
    rng, bounded = random.Random(4), 0
    for k in range(30):
        net = networks.network(rng, rng.choice(run.WIDTHS[:9]), networks.KINDS[k % 7], skip=k % 3 == 0)
        where = networks.place(rng, net.inputs, rng.choice([kind for kind in networks.SETS if kind != "points"]))
        if where.is_empty:
            continue
        ranges = oracles.ranges(net.layers, where.polyhedron, net.inputs)
        for _ in range(10):
            for z, layer in zip(net.values(where.somewhere(rng)), ranges, strict=True):
                for value, about in zip(z, layer, strict=True):
                    assert about.low == "-inf" or about.low <= value
                    assert about.high == oracles.INFINITE or value <= about.high
        for level, layer in enumerate(ranges):
            for i, about in enumerate(layer):
                if about.highest is not None:
                    bounded += 1
                    assert net.values(about.highest)[level][i] == about.high
    assert bounded > 50


def test_blown_networks_compute_what_their_cores_do():
    rng = random.Random(5)
    for widths in ((2, 3, 2), (1, 2, 2, 1)):
        core = networks.network(rng, widths, "rational", skip=False)
        net = networks.blown(rng, core, 40, 10)
        assert min(net.widths[:-1]) >= 40
        for _ in range(5):
            x = [networks.rational(rng) for _ in range(core.inputs)]
            assert net.values(x)[-1] == core.values(x)[-1]


def test_smaller_networks_compute_the_same_where_a_merge_is_right():
    rng = random.Random(6)
    net = networks.network(rng, (2, 3, 2), "rational", skip=False)
    bias, slope = net.layers[0][0]
    net.layers[0][1] = 3 * bias, {j: 3 * w for j, w in slope.items()}
    merged = prunings.smaller(net, [], [], [(1, 1, 0, Fraction(3))])
    other = prunings.smaller(net, [], [], [(1, 1, 0, Fraction(2))])
    points = [[networks.rational(rng) for _ in range(2)] for _ in range(20)]
    assert merged.widths == [2, 2] and all(merged.outputs(x) == net.outputs(x) for x in points)
    assert any(other.outputs(x) != net.outputs(x) for x in points)


# ---- judges that are wrong on purpose ---------------------------------------------------------------------------


def noticed(kind: str, numbers: range, *wanted: str) -> set[str]:
    """The kinds of findings, block after block, until all that are wanted are there."""
    found: set[str] = set()
    for number in numbers:
        for finding in run.block(77, kind, number).findings:
            found.update(finding["kinds"])
        if found >= {*wanted}:
            break
    return found


def test_a_bound_that_is_a_little_too_small_is_noticed(monkeypatch):
    bound = checker.Region.leaf_bound
    monkeypatch.setattr(checker.Region, "leaf_bound", lambda *a: bound(*a) - Fraction(1, 1 << 50))
    wanted = "hole", "dispute", "bounds"
    assert noticed("small", range(1, 10), *wanted) >= {*wanted}


def test_a_derived_bound_that_is_a_little_too_small_is_noticed(monkeypatch):
    bound = checker.Region.derived_bound
    monkeypatch.setattr(checker.Region, "derived_bound", lambda *a: bound(*a) - Fraction(1, 1 << 50))
    assert noticed("small", range(1, 20), "hole", "dispute") >= {"hole", "dispute"}


def test_a_supremum_that_is_not_attained_is_noticed(monkeypatch):
    """Here the judges agree with each other: only the truth tells."""
    monkeypatch.setattr(checker.Claim, "supremum", lambda claim, value: checker.require(claim.bound <= value, ""))
    assert noticed("small", range(1, 8), "hole") == {"hole"}


def test_packed_fields_that_do_not_count_the_biases_are_noticed(monkeypatch):
    """As wide layers with large biases once overflowed: their numbers wrap round, and the bound is far below."""

    def tallest(self: Fields, level: int) -> list[int]:
        return [max(map(abs, row[:-1])) for row in zip(*self.weights(level), strict=True)]

    shape = networks.Shape(1, [140, 140, 1], [0, 0, 0], [20, None, None], [(Fraction(1), Fraction(1))] * 3, 0, 1)
    for right in (True, False):
        if not right:
            monkeypatch.setattr(Fields, "_tallest", tallest)
        tally = Tally()
        run.shaped(random.Random(1), tally, shape, tight=False)
        assert bool(tally.findings) is not right


def test_an_exception_is_no_refusal(monkeypatch):
    def fails(*_: object) -> None:
        raise OverflowError

    monkeypatch.setattr(batch.Quick, "bound", fails)
    assert "crash" in noticed("small", range(2), "crash")


# ---- the command ------------------------------------------------------------------------------------------------


def test_the_command_goes_on_where_it_was(tmp_path, capsys):
    journal = tmp_path / "new" / "journal.jsonl"
    arguments = ["--seed", "3", "--kinds", "empty", "--journal", str(journal), "--workers", "1"]
    assert run.main([*arguments, "--count", "100"]) == 0
    before = journal.read_text(encoding="utf-8")
    assert run.main([*arguments, "--count", "400"]) == 0
    after = journal.read_text(encoding="utf-8")
    assert after.startswith(before) and len(after) > len(before)
    lines = [json.loads(line) for line in after.splitlines()]
    assert sorted(line["number"] for line in lines) == list(range(len(lines)))
    again = run.work((3, "empty", 0))
    assert again["counts"] == next(line["counts"] for line in lines if line["number"] == 0)
    said = capsys.readouterr().out
    assert "seed 3" in said and "0 accepted" in said and "FOUND" not in said


def test_a_finding_says_how_to_see_it_again(monkeypatch, capsys):
    monkeypatch.setattr(checker.Claim, "supremum", lambda *_: None)
    assert run.main(["--seed", "77", "--block", "small:1"]) == 1
    finding = json.loads(capsys.readouterr().out.splitlines()[1])
    assert finding["truth"] == "false" and "hole" in finding["kinds"]
    case = judges.Case(finding["model"], finding["domain"])
    assert judges.ACCEPTED in case.offer(finding["certificate"]).values()
