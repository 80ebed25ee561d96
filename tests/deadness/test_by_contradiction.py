"""Contradictions: their bounds are the judge's, and what rests on them is accepted by it."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from geomrelu import checker
from geomrelu.budget import UNLIMITED, Budget, Exhausted
from geomrelu.certificates import files
from geomrelu.certificates.batch import Quick
from geomrelu.deadness import by_contradiction, refutation, unit_bounds
from geomrelu.deadness.by_contradiction import ByContradiction
from geomrelu.deadness.checking import check
from geomrelu.deadness.front_door import decide
from geomrelu.deadness.unit_bounds import Assumed, Derivation, Judge
from geomrelu.deadness.workers import Bench
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network

INPUTS = 40


def network_of(kind: str, widths: tuple[int, ...], seed: int = 0) -> Network:
    random, before, layers = np.random.default_rng(seed), INPUTS, []
    for width in widths:
        shape = (width, before)
        if kind == "ternary":
            weights = random.integers(-1, 2, shape) + 2 * (random.random(shape) < 0.2)
        elif kind == "thirds":
            weights = [[Fraction(int(v), 3) for v in row] for row in random.integers(-9, 10, shape)]
        else:
            weights = random.standard_normal(shape) / np.sqrt(before)
            if kind == "badly scaled":
                weights = weights * np.exp2(random.integers(-20, 21, width))[:, None]
        bias = random.standard_normal(width) / 4 - 0.1
        layers.append((weights, [Fraction(round(1024 * b), 1024) for b in bias], "relu"))
        before = width
    return Network.from_layers(layers)


def box_of(radius: Fraction = Fraction(1, 5)) -> Polyhedron:
    return Polyhedron.box([(-radius, radius + Fraction(j, 700)) for j in range(INPUTS)])


def root_of(network: Network, box: Polyhedron):
    root = Quick([], network.checked, box.checked).root.copy()
    root.derive([[level] for level in range(1, network.depth + 1)], network.depth + 1)
    return root


def bounds_of(root, level: int):
    return tuple(np.array(side, dtype=np.int64) for side in zip(*root.known[level - 1][0], strict=True))


@pytest.mark.parametrize(
    ("kind", "widths"),
    [(kind, (24, 20, 16)) for kind in ("gaussian", "ternary", "thirds", "badly scaled")]
    + [("gaussian", (150, 140, 6))],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_bounds_are_those_of_the_judge(kind: str, widths: tuple[int, ...], sign: int) -> None:
    network, box = network_of(kind, widths), box_of()
    bench, root, random = Bench(network, box), root_of(network, box), np.random.default_rng(1)
    units = bench.units
    assert units is not None
    given = Assumed(3, 5, sign)
    plain = checker.Region(network.checked, box.checked)
    plain.derive([[1], [2], [3]], 4)
    region, plain = root.child(("neuron", 3, 5), sign), plain.halves(["neuron", 3, 5], 4)[sign > 0]
    judge = Judge(units, [bounds_of(root, level) for level in (1, 2)], given)
    known = 0
    for _ in range(60):
        level = int(random.integers(1, 4))
        width = network.widths[level - 1]
        slopes = tuple(random.integers(0, 17, w).astype(np.int8) for w in network.widths[: level - 1])
        multiplier = 0.0 if level == 3 else float(random.integers(0, 64)) / 16
        item = Derivation(level, int(random.integers(width)), int(random.choice([-1, 1])), multiplier, slopes)
        said = json.loads(json.dumps(item.said(0)))
        found = judge.derived(item)
        texts, added, rows = region._read(said[3], level, "slopes", {"splits", "derive"})
        exact = region._exact(level, item.neuron, item.sign, texts, added, rows)
        unit = Fraction(2) ** (region.fields.exponents(level)[item.neuron] - 28)
        for own in filter(None, (units.floats, units.longer)):
            centre, off = judge.within(item, own)
            near = float(centre)
            assert abs(Fraction(near) + Fraction(float(centre - near)) - exact) <= Fraction(off)
            assert off <= 1e-9 * (1 + abs(near)) * (1 if own is units.floats else 1e-2)
        if found is not None:
            known += 1
            assert found == -(-exact // unit)
        if level < 3 and found is not None:
            region.derive([said], 4)
            plain.derive([said], 4)
            judge.keep(level, item.neuron, item.sign, found)
            pairs = [tuple(side * unit for side in region.known[level - 1][0][item.neuron])]
            assert pairs == [tuple(map(Fraction, plain.pairs[level - 1][item.neuron]))]
            assert (
                tuple(int(side[item.neuron]) for side in judge.state[level - 1])
                == region.known[level - 1][0][item.neuron]
            )
        if region.empty:
            break
    assert known > 10 or region.empty


@pytest.mark.parametrize("thirds", ["weights", "box", "neither"])
def test_longer_floats_differ_by_no_more_than_is_said(thirds: str) -> None:
    """In sums of few terms, where roundings of shorter floats show: weights, sides and heights have to be long."""
    random, largest = np.random.default_rng(5), 0.0
    for _ in range(40):
        layers = []
        for shape in ((3, 2), (3, 3), (3, 3)):
            weights = [[Fraction(int(v), 3 if thirds == "weights" else 4) for v in row] for row in
                       random.integers(-9, 10, shape)]  # fmt: skip
            layers.append((weights, [Fraction(int(v), 8) for v in random.integers(-9, 10, 3)], "relu"))
        network = Network.from_layers(layers)
        d = 3 if thirds == "box" else 1024
        box = Polyhedron.box([(Fraction(int(-v), d), Fraction(int(w), d)) for v, w in random.integers(1, 999, (2, 2))])
        bench, root = Bench(network, box), root_of(network, box)
        if bench.units is None:  # too many zeros
            continue
        longer = bench.units.longer
        if longer is None:
            pytest.skip("this machine has no longer floats")
        judge = Judge(bench.units, [bounds_of(root, level) for level in (1, 2)])
        for level, i, sign in [(level, i, sign) for level in (1, 2, 3) for i in range(3) for sign in (1, -1)]:
            centre, off = judge.within(Derivation(level, i, sign, 0.0, (None,) * (level - 1)), longer)
            exact, near = root._exact(level, i, sign, [], {}, []), float(centre)
            apart = abs(Fraction(near) + Fraction(float(centre - near)) - exact)
            assert apart <= Fraction(off)
            largest = max(largest, float(apart) / off)
    assert largest > 1e-4  # and what is said is not far from what happens


def test_longer_floats_say_what_others_leave_open() -> None:
    """Where a unit is hardly more than the error of floats; of the judge's bounds they say the same."""
    network = network_of("badly scaled", (24, 20, 16))
    box = Polyhedron.box([(Fraction(-(10**9) - j, 3), Fraction(10**9, 7)) for j in range(INPUTS)])
    bench, root = Bench(network, box), root_of(network, box)
    units = bench.units
    assert units is not None
    if units.longer is None:
        pytest.skip("this machine has no longer floats")
    units.floats = units.floats._replace(rounding=units.floats.rounding * 1e6)
    judge, left, more = Judge(units, [bounds_of(root, level) for level in (1, 2)]), 0, 0
    for i in range(16):
        for sign in (1, -1):
            item = Derivation(3, i, sign, 0.0, (None, None))
            unit = Fraction(2) ** (root.fields.exponents(3)[i] - 28)
            exact = -(-root._exact(3, i, sign, [], {}, []) // unit)
            found = judge.derived(item)
            units.longer, kept = None, units.longer
            left += judge.derived(item) is None
            units.longer = kept
            assert found in (None, exact)
            more += found is not None
    assert left > 16
    assert more > 16


def with_dead_neurons(widths: tuple[int, ...], box: Polyhedron, margin: float) -> Network:
    """Below half of its neurons lie thresholds that they do not reach at many points, by this part of their size."""
    random = np.random.default_rng(7)
    lower, upper = (np.array([float(side) for side in sides]) for sides in (box.checked.lower, box.checked.upper))
    values, layers = lower + (random.random((2000, INPUTS)) > 0.5) * (upper - lower), []
    for level, width in enumerate(widths):
        weights = random.standard_normal((width, values.shape[1])) / np.sqrt(values.shape[1])
        z = values @ weights.T
        bias = np.where(np.arange(width) % 2, -z.mean(axis=0), -z.max(axis=0) - margin * z.std(axis=0))
        bias = np.round(bias * 1024) / 1024 if level else np.zeros(width)
        layers.append((weights, [Fraction(b) for b in bias], "relu"))
        values = np.maximum(z + bias, 0)
    return Network.from_layers(layers)


def shared(report) -> list:
    return [v for v in report.verdicts if v.claim is not None and files.is_shared(v.claim)]


@pytest.fixture(scope="module")
def case():
    """A network some of whose neurons are dead, which lines on the whole box do not show."""
    box = box_of(Fraction(1, 8))
    network = with_dead_neurons((20, 16, 12, 8), box, 5.0)
    return network, box, decide(network, box, time=5)


def test_claims_that_share_a_proof_are_accepted_by_both_judges(case) -> None:
    network, box, report = case
    assert any(v.stable is None for v in shared(report))
    assert report.check() == len(report.dead) + len(report.alive)
    assert check(report, network, box, independent=False) == report.check()


def test_the_certificate_says_so_in_a_file_of_its_own(case, tmp_path: Path) -> None:
    network, box, report = case
    written = report.save(tmp_path)
    data = files.read(tmp_path / files.TOGETHER)
    assert [claim["proof"] for claim in data["claims"]] == ["parts"] * len(shared(report))
    assert check(written, network, box) == report.check()
    before = (tmp_path / files.TOGETHER).read_bytes()
    again = report.save(tmp_path)  # what an earlier run has proved stays
    assert (tmp_path / files.TOGETHER).read_bytes() == before
    assert check(again, network, box) == report.check()
    assert {claim["neuron"] for claim in files.known(tmp_path, network.digest, str(box.checked.digest()))}


def test_a_contradiction_that_is_none_is_refused(case) -> None:
    network, box, report = case
    *_, data = report.certificates
    nodes = data["parts"]
    k = max(k for k, node in enumerate(nodes) if node.get("derive") and "split" not in node)
    damaged = {**data, "parts": [*nodes[:k], {}, *nodes[k + 1 :]]}
    for independent in (True, False):
        with pytest.raises(checker.Rejected):
            check(damaged, network, box, independent=independent)


def test_living_neurons_are_never_contradicted(case) -> None:
    network, box, report = case
    bench, root = Bench(network, box), root_of(network, box)
    bounds = [bounds_of(root, level) for level in range(1, network.depth)]
    for level, i in report.alive:
        if level > 1:
            assert refutation.refuted(bench.units, bounds, Assumed(level, i), UNLIMITED.poll, 1) is None


def test_what_was_found_is_judged_in_the_end(case) -> None:
    """Bounds that floats suggest are not believed: with slopes that are worth nothing there is no contradiction."""
    network, box, report = case
    bench, root = Bench(network, box), root_of(network, box)
    bounds = [bounds_of(root, level) for level in range(1, network.depth)]
    level, i = next((v.layer, v.neuron) for v in shared(report) if v.stable is None)
    found = refutation.refuted(bench.units, bounds, Assumed(level, i), UNLIMITED.poll, 2)
    if found is None:  # it rests on neurons before
        pytest.skip("this one is not contradicted without the others")
    assert refutation.sure(bench.units, bounds, Assumed(level, i), found)
    assert not refutation.sure(bench.units, bounds, Assumed(level, i), refutation.Refutation([]))


def tightened(network: Network, box: Polyhedron, budget: Budget, search: ByContradiction, left: set) -> list:
    """What bounds alone show of those that are left, layer by layer."""
    found = []
    for level in range(3, network.depth + 1):
        neurons = sorted(i for at, i in left if at == level)
        found += search.tightened(level, neurons, budget)
        left -= {(v.layer, v.neuron) for v in found}
    return found


def test_bounds_are_tightened_before_anything_is_assumed() -> None:
    box = box_of(Fraction(1, 8))
    network = with_dead_neurons((20, 16, 12, 8), box, 9.0)
    bench, quick, root = Bench(network, box), Quick([], network.checked, box.checked), root_of(network, box)
    left = {(level, i) for level in (3, 4) for i in np.flatnonzero(bounds_of(root, level)[1] > 0).tolist()}
    search = ByContradiction(bench, quick.root, None)
    found = tightened(network, box, Budget(), search, set(left))
    assert found
    assert not search.chain.links
    assert {(v.layer, v.neuron) for v in found} <= left
    claims = [v.claim for v in found]
    for some in (claims[:1], claims):  # the first alone, whose tree has grown since
        data = json.loads(json.dumps(files.as_certificate(some, network.digest, str(box.checked.digest()), [])))
        for independent in (True, False):
            assert check(data, network, box, independent=independent) == len(some)
    calls = 0

    class Interrupted(Budget):
        def poll(self) -> None:
            nonlocal calls
            calls += 1
            if calls % 2:
                raise Exhausted("the time is over")

    again, those = ByContradiction(bench, quick.root, None), []
    while True:  # one step is done in each call
        try:
            those += tightened(network, box, Interrupted(), again, set(left))
            break
        except Exhausted:
            continue
    assert calls > 2
    assert {(v.layer, v.neuron) for v in those} == {(v.layer, v.neuron) for v in found}
    assert again.chain.trailing == search.chain.trailing


@pytest.mark.parametrize(("margin", "asked"), [(8.0, [3, 4]), (5.0, [3])])
def test_layers_are_tightened_while_that_shows_any(margin: float, asked: list[int], monkeypatch) -> None:
    levels, own = [], ByContradiction.tightened

    def noted(self, level, neurons, budget):
        levels.append(level)
        yield from own(self, level, neurons, budget)

    monkeypatch.setattr(ByContradiction, "tightened", noted)
    box = box_of(Fraction(1, 8))
    decide(with_dead_neurons((20, 16, 12, 8), box, margin), box, time=2)
    assert levels == asked


def test_several_processes_find_them_too(case) -> None:
    network, box, report = case
    found = decide(network, box, time=15, workers=2)
    assert {(v.layer, v.neuron) for v in shared(found)} & {(v.layer, v.neuron) for v in shared(report)}
    assert found.check() == len(found.dead) + len(found.alive)


def test_prunings_do_without_them(case) -> None:
    from geomrelu.deadness.pruning import prune

    network, box, report = case
    found = prune(network, box, report, Budget(5))
    assert {(level, i) for level, i in report.dead} >= {(c["layer"], c["neuron"]) for c in found.certificate["claims"]}
    checker.check_pruning(
        json.loads(json.dumps(found.certificate)), network.checked, box.checked, found.network.checked
    )


def test_where_it_does_not_apply() -> None:
    network = Network.from_layers([([[1, 1], [1, -1]], [0, 0], "relu"), ([[1, -1]], [0], "relu")])
    box = Polyhedron.box([(-1, 1), (-1, 1)])
    assert not ByContradiction.fits(Bench(network, box), 2)
    assert by_contradiction.Chain().tree(0) == [{}]


@pytest.mark.parametrize("width", [129, 300])
def test_bounds_of_many_units(width: int) -> None:
    """In wide layers of one sign bounds times 2^28 have more than 64 bits; slopes are the judge's all the same."""
    first, inner = np.ones((width, INPUTS)), np.ones((width, width))
    inner[:, ::2] = 2
    last = np.random.default_rng(0).choice([-1, 1], size=(6, width))
    layers = [(first, np.linspace(-30, -1, width).round()), (inner, -40.0 * np.arange(width)), (inner, [-1] * width)]
    network = Network.from_layers([(w, b, "relu") for w, b in [*layers, (last, [-5] * 6)]])
    box = Polyhedron.box([(0, 1)] * INPUTS)
    bench, root = Bench(network, box), root_of(network, box)
    assert bench.units is not None
    for level in (1, 2, 3):
        low, high = bounds_of(root, level)
        lines = bench.units.lines(level, low, high)
        for i, above in zip(lines.neurons.tolist(), lines.above.tolist(), strict=True):
            least, most = int(low[i]), int(high[i])
            assert above * 2**28 == (2**28 if least >= 0 else (most << 28) // (most - least))
    assert max(abs(bounds_of(root, 2)[1])) >= 2**35
    assert decide(network, box, layers=[2, 4], time=5).check() > 0


def test_a_bound_that_contradicts_in_any_case_need_not_be_known_to_a_unit() -> None:
    network, box = network_of("gaussian", (24, 20, 16)), box_of()
    bench, root = Bench(network, box), root_of(network, box)
    units = bench.units
    assert units is not None
    units.longer, units.floats = None, units.floats._replace(rounding=units.floats.rounding * 1e6)
    judge = Judge(units, [bounds_of(root, 1), bounds_of(root, 2)], Assumed(3, 2))
    for sign in (1, -1):
        one = Derivation(2, 4, sign, 0.0, (None,))
        assert judge.derived(one) is None
        unit = Fraction(2) ** (root.fields.exponents(2)[4] - 28)
        exact, far = -(-root._exact(2, 4, sign, [], {}, []) // unit), 1 << 24
        (judge.state[1][0] if sign > 0 else judge.state[1][1])[4] = sign * (exact + far)
        found = judge.derived(one)
        assert found is not None
        assert abs(found - exact) < far
    assert judge.derived(Derivation(3, 2, 1, 0.0, ())) is None  # its bound is positive


def test_lines_of_one_neuron_are_those_of_many() -> None:
    random = np.random.default_rng(2)
    sizes = np.exp2(random.integers(0, 48, (2, 300))).astype(np.int64)
    low, high = (random.random((2, 300)) * sizes).astype(np.int64)
    low[:250], unit = -low[:250], np.exp2(random.integers(-40, 40, 300))
    high = np.maximum(high, np.maximum(low, 0) + 1)
    lines = unit_bounds.lines_of(low, high, unit)
    assert len(lines.neurons) == 300
    for i, found in enumerate(zip(*lines[1:], strict=True)):
        assert found == unit_bounds.line_of(int(low[i]), int(high[i]), float(unit[i]))


def test_bounds_that_do_not_fit_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    network, box = network_of("gaussian", (24, 20, 16)), box_of()
    bench, root = Bench(network, box), root_of(network, box)
    assert bench.units is not None
    low, high = bounds_of(root, 1)
    monkeypatch.setattr(unit_bounds, "LARGEST", int(high.max()))
    with pytest.raises(OverflowError):
        bench.units.lines(1, low, high)
    assert not list(ByContradiction(bench, root, None).verdicts(3, {}, Budget(60)))
