"""The checker: accepts true certificates, alone and from JSON; rejects every certificate of a false claim."""

from __future__ import annotations

import itertools
import json
import math
import random
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import oracles
import pytest
from families import as_network, cases, network, rational

from geomrelu import FiniteSet, Network, Polyhedron, Status, checker
from geomrelu.certificates import files as certificate
from geomrelu.certificates.batch import Quick
from geomrelu.deadness.decide import decide
from geomrelu.geometry.domains import write_domain

CHECKER = Path(checker.__file__)


def random_multipliers(rng, model, domain, cuts, level):
    """Anything of the grammar's shape, mostly nonsense, sometimes of the wrong sign."""
    wild = rng.random() < 0.1

    def table(size):
        count = rng.randint(0, 2) if size else 0
        numbers = (rational(rng, 9) for _ in range(count))
        return {str(rng.randrange(size)): str(v if wild else abs(v)) for v in numbers}

    found = {"splits": table(cuts), "rows": table(len(domain.rows)), "equalities": table(len(domain.equalities))}
    if level > 1 and rng.random() < 0.5:
        found["slopes"] = random_slopes(rng, model, level)
    return {key: value for key, value in found.items() if value}


def random_slopes(rng, model, level):
    """Slopes of a leaf, for some of the layers before it."""
    texts = [
        "".join(rng.choice("0123456789abcdefg") for _ in model.layers[at].rows) if rng.random() < 0.7 else ""
        for at in range(level - 1)
    ]
    return texts[: rng.randint(0, level - 1)]


def fits(model, domain):
    """How many layers fit fixed point."""
    return checker.fitting(model, domain)


def random_proof(rng, model, domain, level, depth=3):
    """A random tree that follows the grammar."""
    proof = []

    def grow(left, cuts, sides):
        node = {}
        if level > 1 and rng.random() < 0.4:
            at = rng.randint(1, level - 1)
            neuron, side = rng.randrange(len(model.layers[at - 1].rows)), rng.choice(("upper", "lower"))
            exactly = [at, neuron, side, random_multipliers(rng, model, domain, cuts, at)]
            some = [rng.randrange(len(model.layers[at - 1].rows)) for _ in range(rng.randint(0, 2))]
            node["derive"] = [rng.choice(([at], [at, some], exactly))]
        if level > 1 and (left == depth or rng.random() < 0.2):
            depth_ = fits(model, domain)
            by_intervals = [
                [k, rng.choice(([], [0]))] if k > depth_ and rng.random() < 0.3 else [k] for k in range(1, level)
            ]
            node["derive"] = by_intervals + node.get("derive", [])
        kinds = (["neuron"] if level > 1 else []) + (["x"] if domain.generators is None else [])
        if left == 0 or not kinds or rng.random() < 0.3:
            if rng.random() < 0.4 and fits(model, domain) >= level:
                multipliers = random_multipliers(rng, model, domain, cuts, level) if rng.random() < 0.5 else {}
                splits = {"splits": multipliers["splits"]} if "splits" in multipliers else {}
                proof.append(node | {"coarse": random_slopes(rng, model, level)} | splits)
            else:
                proof.append(node | random_multipliers(rng, model, domain, cuts, level))
            return
        kind = rng.choice(kinds)
        if kind == "x":
            j, c = rng.randrange(model.inputs), rational(rng, 3)
            low, high = sides[j]
            c = c if low is None else max(low, c)
            node["split"] = ["x", j, str(c if high is None else min(high, c))]
            parts = (low, Fraction(node["split"][2])), (Fraction(node["split"][2]), high)
        else:
            at = rng.randint(1, level - 1)
            node["split"] = ["neuron", at, rng.randrange(len(model.layers[at - 1].rows))]
        proof.append(node)
        for side in range(2):
            inner = {**sides, j: parts[side]} if kind == "x" else sides
            grow(left - 1, cuts + (kind != "x"), inner)

    grow(depth, 0, dict(enumerate(zip(domain.lower, domain.upper, strict=True))))
    return proof


def random_cones(rng, count, depth=3):
    """A tree of cones."""
    if depth == 0 or count < 2 or rng.random() < 0.3:
        return [[]]
    p, q = rng.sample(range(count), 2)
    node = [p, q, str(rng.randint(1, 3)), str(rng.randint(1, 3))]
    return [node, *random_cones(rng, count, depth - 1), *random_cones(rng, count, depth - 1)]


def somewhere(rng, domain):
    """A point, often outside the domain."""
    return [str(rational(rng, 8)) for _ in range(domain.dimension)]


def numbers(point):
    return [Fraction(x) for x in point]


def inside(rng, domain):
    """Some points of the domain as the checker takes them."""
    if domain.points is not None:
        return [[str(x) for x in p] for p in domain.points]
    if domain.generators is not None:
        return [[str(x) for x in v] for v in domain.generators[0]]
    tried = ([str(rational(rng, 2)) for _ in range(domain.dimension)] for _ in range(6))
    return [p for p in tried if domain.contains(numbers(p))]


def false_claims(rng, model, domain, layer, neuron, supremum, stable, donors, own):
    """Claims about a neuron that its true supremum (and stability) contradicts."""
    head = {"layer": layer, "neuron": neuron}
    alive = supremum == oracles.INFINITE or supremum > 0
    finite_set = domain.points is not None
    proofs = [None] if finite_set else [[{}], *donors, *(random_proof(rng, model, domain, layer) for _ in range(5))]
    for proof in proofs:
        body = head | ({} if proof is None else {"proof": proof})
        if alive:
            yield body | {"status": "dead"}
            yield body | {"status": "dead", "stable": True, "infinity": [[]]}
            yield body | {"status": "dead", "stable": False, "point": somewhere(rng, domain)}
            yield body | {"status": "dead", "supremum": "0", "point": somewhere(rng, domain)}
        elif stable is False:
            yield body | own | {"status": "dead", "stable": True}
            for tree in ([[]], [[0, 1, "1", "1"], [], []], random_cones(rng, len(checker.recession(domain)))):
                yield body | own | {"status": "dead", "stable": True, "infinity": tree}
        if supremum != oracles.INFINITE:
            for wrong in (supremum - Fraction(1, 2**60), supremum + Fraction(1, 2**60), supremum - 1):
                yield own | body | {"status": "alive" if alive else "dead", "supremum": str(wrong)}
    for point in inside(rng, domain):
        value = model.value(numbers(point), layer, neuron)
        if supremum == oracles.INFINITE or value < supremum:  # attained, but not the supremum
            body = {} if finite_set else {"proof": rng.choice(proofs)}
            yield head | body | {"status": "alive" if value > 0 else "dead", "supremum": str(value), "point": point}
    if not alive:
        for point in (somewhere(rng, domain), somewhere(rng, domain), "corner", 0):
            yield head | {"status": "alive", "point": point}
            yield head | {"status": "alive", "supremum": "inf", "point": point, "ray": somewhere(rng, domain)}
        if domain.generators is not None:
            yield head | {
                "status": "alive",
                "point": {"weights": [[str(rng.randint(-3, 4)) for _ in t] for t in domain.generators]},
            }
            yield head | {"status": "alive", "point": {"weights": [["9"] * len(t) for t in domain.generators]}}
        if stable is True:
            yield own | {"stable": False}
            yield own | {"stable": False, "ray": somewhere(rng, domain)}
    elif supremum != oracles.INFINITE:
        yield head | {
            "status": "alive",
            "supremum": "inf",
            "point": somewhere(rng, domain),
            "ray": somewhere(rng, domain),
        }


def test_certificates_of_false_claims_are_rejected():
    """Thousands of well-formed certificates of claims that are false: every one must be rejected."""
    rng, offered = random.Random(11), 0
    for _, net, domain, _, _ in cases(60, 500):
        reports = list(decide(net, domain))
        judges = [kind(reports[0].points, net.checked, domain.checked) for kind in (checker.Judge, Quick)]
        proofs = {}
        for report in reports:
            for v in report.verdicts:
                if v.claim and "proof" in v.claim:
                    proofs.setdefault(v.layer, []).append(v.claim["proof"])
        for report in reports:
            for v in report.verdicts:
                supremum = oracles.INFINITE if v.supremum == "inf" else v.supremum
                donors = [] if domain.checked.points is not None else proofs.get(v.layer, [])[:3]
                for claim in false_claims(
                    rng, net.checked, domain.checked, v.layer, v.neuron, supremum, v.stable, donors, v.claim
                ):
                    offered += 1
                    for judge in judges:
                        with pytest.raises(checker.Rejected):
                            checker.prove(claim, judge)
    assert offered >= 4000, offered


def test_random_proofs_never_prove_too_much():
    """Whatever a random tree of multipliers proves is at least the true supremum."""
    rng, useful = random.Random(4), 0
    for _, net, domain, _, _ in cases(60, 900):
        if isinstance(domain, FiniteSet):
            continue
        for report in decide(net, domain):
            for v in report.verdicts:
                for _ in range(18):
                    proof = random_proof(rng, net.checked, domain.checked, v.layer)
                    found = []
                    for kind in (checker.Judge, Quick):
                        try:
                            found.append(kind([], net.checked, domain.checked).bound(proof, v.layer, v.neuron, 1))
                        except checker.Rejected:
                            found.append("refused")
                    bound, other = found
                    assert bound == other
                    if bound != "refused" and abs(bound) != math.inf:
                        useful += 1
                        assert v.supremum != "inf" and bound >= v.supremum
    assert useful > 1000, useful


def test_binding_and_shape():
    """Another model, another domain, another format, missing or left-over nodes: rejected with a reason."""
    net = Network.from_layers([([[1, 0], [0, 1]], [0, 0], "relu"), ([[1, 1]], [-3], "relu")])
    domain = Polyhedron.box([(-1, 1)] * 2)
    *_, report = decide(net, domain)
    good = certificate.as_certificate([report.verdicts[0].claim], net.digest, domain.checked.digest(), report.points)
    for judge in (checker.Judge, Quick):
        assert checker.check(good, net.checked, domain.checked, judge)
    other = Network.from_layers([([[1, 0], [0, 1]], [0, 0], "relu"), ([[1, 1]], [-4], "relu")])
    wider = Polyhedron.box([(-1, 2), (-1, 1)])
    (claim,) = good["claims"]
    bad = [
        ({**good, "geomrelu": "certificate 1"}, net, domain),
        ({**good, "claims": []}, net, domain),
        ({**good, "more": 1}, net, domain),
        (good, other, domain),
        (good, net, wider),
        ([good], net, domain),
    ]
    for change in (
        {"proof": [*claim["proof"], {}]},
        {"proof": []},
        {"proof": [{"split": ["x", 0, "0"]}, {}]},
        {"proof": [{"split": ["x", 2, "0"]}, {}, {}]},
        {"proof": [{"split": ["neuron", 2, 0]}, {}, {}]},
        {"proof": [{"split": ["form", "0", "1", "1"]}, {}, {}]},
        {"proof": [{}]},
        {"proof": [{"split": ["neuron", 1, 0]}, {"derive": [[1]]}, {"derive": [[1]]}]},
        {"proof": [{"split": ["x", 0, "2"], "derive": [[1]]}, {}, {}]},
        {"proof": [{"splits": {"0": "1"}}]},
        {"proof": [{"rows": {"0": "1"}}]},
        {"proof": [{"derive": [[2]]}]},
        {"proof": [{"derive": [[1, 0, "upper", {"splits": {"0": "-1"}}]]}]},
        {"proof": [{"derive": [[1]], "slopes": {"1": {"0": "3/2"}}}]},
        {"proof": [{"derive": [[1]], "slopes": ["gh"]}]},
        {"proof": [{"derive": [[1]], "coarse": ["gh"]}]},
        {"proof": [{"derive": [[1]], "coarse": ["g"]}]},
        {"proof": [{"derive": [[1]], "coarse": ["gg", "gg"]}]},
        {"proof": [{"derive": [[1]], "coarse": "gg"}]},
        {"proof": [{"derive": [[1]], "coarse": [], "slopes": []}]},
        {"proof": [{"derive": [[1, "exact"]]}]},
        {"proof": [{"derive": [[1, [0]]]}]},
        {"proof": [{"derive": [[1], [1, [2]]]}]},
        {"proof": [{"derive": [[1, "rough"]]}]},
        {"status": "active"},
        {"proof": {}},
        {"proof": [1.5]},
        {"layer": 0},
        {"layer": 3},
        {"layer": True},
        {"neuron": -1},
        {"neuron": "0"},
        {"status": "killed"},
        {"stable": "yes"},
        {"point": [1.5, 0]},
        {"point": ["1", "nan"]},
        {"point": ["1", "1/0"]},
        {"point": ["2", "0"]},
        {"point": True},
        {"point": 7},
        {"supremum": "-1/2"},
        {"nonsense": 1},
    ):
        bad.append(({**good, "claims": [claim | change]}, net, domain))
    for cert, model, where in bad:
        for judge in (checker.Judge, Quick):
            with pytest.raises(checker.Rejected):
                checker.check(cert, model.checked, where.checked, judge)


@pytest.mark.parametrize("seed", range(6))
def test_alone_from_files(tmp_path, seed):
    """The file runs by itself (isolated mode: no package, no site) on what `convert` and `decide` write."""
    for _, net, domain, _, _ in cases(1, 3000 + seed):
        (tmp_path / "model.json").write_text(net.to_json())
        write_domain(domain, tmp_path / "domain.json")
        alone = tmp_path / "checker.py"
        alone.write_text(CHECKER.read_text())
        for report in decide(net, domain):
            claims = [v.claim for v in report.verdicts]
            files = certificate.write(
                tmp_path, report.layer, claims, net.digest, domain.checked.digest(), report.points
            )
            for path in set(files.values()):
                command = [sys.executable, "-I", str(alone), path, "model.json", "domain.json"]
                run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
                assert (run.returncode, run.stderr) == (0, ""), run.stdout
                assert "accepted" in run.stdout
                lie = json.loads(Path(path).read_text())
                flip = {"dead": "alive", "alive": "dead"}
                lie["claims"][0]["status"] = flip[lie["claims"][0]["status"]]
                (tmp_path / "lie.json").write_text(json.dumps(lie))
                run = subprocess.run(
                    [*command[:3], "lie.json", *command[4:]], cwd=tmp_path, capture_output=True, text=True
                )
                assert run.returncode == 1 and run.stdout.startswith("REJECTED") and run.stdout.count("\n") == 1


def test_alone_on_nonsense(tmp_path):
    (tmp_path / "empty.json").write_text("")
    for arguments in ([], ["a", "b", "c"], ["empty.json"] * 3):
        run = subprocess.run(
            [sys.executable, "-I", str(CHECKER), *arguments], cwd=tmp_path, capture_output=True, text=True
        )
        assert run.returncode == 2 and run.stderr.count("\n") == 1


def test_digests_bind_content_not_spelling():
    """Equal exact data have equal digests, whatever the spelling; different data have different ones."""
    spelled = checker.Model.parse({"layers": [{"weights": [["1/2", "0.25"]], "bias": ["1e0"]}]})
    plain = checker.Model.parse({"inputs": 2, "layers": [{"rows": [["2/2", 0, "2/4", 1, "1/4"]]}]})
    assert spelled.digest() == plain.digest() == Network.from_layers([([[0.5, 0.25]], [1], "relu")]).digest
    rows = checker.Domain.parse({"inequalities": [[1, 2, 0], [1, -1, 0], ["1/2", 0, 1], [3, 0, -3]]})
    sides = checker.Domain.parse({"box": [["-1/2", 1], ["-0.5", 1]]})
    assert rows.digest() == sides.digest() == Polyhedron.box([("-1/2", 1)] * 2).checked.digest()
    assert rows.digest() != Polyhedron.box([("-1/2", 2)] * 2).checked.digest()


def bounds_of(kind, proof, net, box, level=3, neuron=0, sign=1):
    return kind([], net.checked, box.checked).bound(proof, level, neuron, sign)


def test_a_deep_certificate_by_hand():
    """The grammar carries deep networks: derived bounds, slopes and splits in three layers."""
    rng = random.Random(8)
    layers = network(rng, (2, 3, 3, 1), "ternary")
    net, box = as_network(layers), Polyhedron.box([(-2, 2)] * 2)
    *_, report = decide(net, box)
    (v,) = report.verdicts
    whole = {"derive": [[1], [2]]}
    for proof in (
        [whole],
        [whole | {"slopes": ["0g8", "000"]}],
        [whole | {"split": ["x", 0, "0"]}, {"derive": [[2]]}, whole],
        [whole | {"split": ["neuron", 1, 0]}, {"split": ["x", 1, "1/2"], "derive": [[2, [0, 2]]]}, {}, {}, {}],
        [whole | {"split": ["neuron", 2, 1]}, {"splits": {"0": "1/3"}}, {"coarse": [], "splits": {"0": "2"}}],
    ):
        plain, quick = (bounds_of(kind, proof, net, box) for kind in (checker.Judge, Quick))
        assert plain == quick >= v.supremum
    assert v.status in (Status.ALIVE, Status.DEAD)


def region_of(net, box):
    return checker.Region(net.checked, box.checked)


def leaf(region, level, neuron, texts=None, sign=1):
    """The bound of a leaf: coarse with texts, else exact."""
    return region.leaf_bound(level, neuron, sign, {} if texts is None else {"coarse": texts})


def test_fixed_point_rounds_outward_and_not_far():
    """Coarse bounds lie above the values and near exact ones, however badly scaled the network."""
    rng, close = random.Random(21), 0
    for _, net, domain, where, _ in cases(200, 4000, widths=((2, 3, 3), (4, 5, 3), (3, 4, 3, 2), (2, 5, 4, 3, 2))):
        model, box = net.checked, domain.checked
        if where not in ("box", "flat box") or fits(model, box) < len(model.layers):
            continue
        level = len(model.layers)
        texts = ["".join(rng.choice("0123456789abcdefg") for _ in layer.rows) for layer in model.layers[: level - 1]]
        region = region_of(net, domain)
        region.derive([[at] for at in range(1, level)], level)
        for i, _ in enumerate(model.layers[-1].rows):
            for sign in (1, -1):
                exact = max(
                    sign * model.value(p, level, i) for p in itertools.product(*zip(box.lower, box.upper, strict=True))
                )
                assert leaf(region, level, i, texts, sign) >= exact
                rough, fine = leaf(region, level, i, [], sign), leaf(region, level, i, None, sign)
                assert rough - fine < Fraction(2) ** (region.fixed.exponents[level][i] - 10)
                close += 1
    assert close > 50


def unrounded(region, level, neuron, sign, around, points):
    """What a bound would be at points without any rounding of coefficients, by the same lines; None near a change."""
    model, exponents = region.model, region.fixed.exponents
    flow, totals = {(level, neuron): Fraction(sign)}, [Fraction(0)] * len(points)
    for at in range(level, 0, -1):
        inner = {}
        for (_, i), c in flow.items():
            (bias, columns, entries), over = model.layers[at - 1].rows[i], model.layers[at - 1].denominator
            totals = [t + c * Fraction(bias, over) for t in totals]
            for j, w in zip(columns, entries, strict=True):
                j -= model.start[at - 1]
                inner[j] = inner.get(j, 0) + c * Fraction(w, over)
        if at == 1:
            return [t + sum(c * x[j] for j, c in inner.items()) for t, x in zip(totals, points, strict=True)]
        flow = {}
        for i, c in inner.items():
            chord, unit = around[at - 2][i], Fraction(2) ** (exponents[at - 1][i] - 28)
            if chord.height and abs(c) * Fraction(2) ** (exponents[at - 1][i] - exponents[level][neuron]) < 2**-20:
                return None
            flow[at - 1, i] = c * Fraction(chord.above if c > 0 else chord.below, 2**28)
            heights = chord.heights or [chord.height] * len(points)
            totals = [t + max(c, 0) * h * unit for t, h in zip(totals, heights, strict=True)]


def test_fixed_point_never_rounds_inward():
    """Each bound at a corner is at least the unrounded one, and a hair above it; in two to four layers."""
    compared = 0
    for _, net, domain, where, _ in cases(300, 6000, widths=((2, 5, 4), (3, 6, 3), (2, 4, 4, 3), (3, 4, 3, 3, 2))):
        level = net.depth
        if where not in ("box", "flat box") or fits(net.checked, domain.checked) < level:
            continue
        region = region_of(net, domain)
        region.derive([[at] for at in range(1, level)], level)
        around = [region.fixed.chords(region, at, checker.DEFAULT) for at in range(1, level)]
        vary = [low < high for low, high in zip(region.lower, region.upper, strict=True)]
        sides = [(low, high) if v else (low,) for v, low, high in zip(vary, region.lower, region.upper, strict=True)]
        corners = [p[::-1] for p in itertools.product(*sides[::-1])]  # the first input changes first
        for i in range(net.widths[-1]):
            for sign in (1, -1):
                form = region.fixed.form(level, i, sign, around, {})
                values = region.fixed.tops(form, region.fixed.sides(region), True)
                unit = Fraction(2) ** (region.fixed.exponents[level][i] - 28)
                exact = unrounded(region, level, i, sign, around, corners)
                for value, least in zip(values, exact or (), strict=exact is not None):
                    assert least <= value * unit / 2**28 <= least + 2**10 * unit
                    compared += 1
    assert compared > 300


def test_rounding_outward_also_where_it_adds_up():
    """Forty neurons of which each would be rounded inward by nearly a unit: what is subtracted, and slopes below."""
    unit, many = Fraction(1, 2**28), 40
    first = [[1] * 3] * many + [[1 + unit / 4] * 3] * many
    lean = Network.from_layers([(first, [1] * 2 * many, "relu"), ([[2] * many + [-1] * many], [0], "relu")])
    exact = many + Fraction(9, 2) * (2 * many - many * (1 + unit / 4))  # at the corner (3/2, 3/2, 3/2)
    near = Network.from_layers([([[1]] * many, [unit - 1] * many, "relu"), ([[-1 - 15 * unit] * many], [0], "relu")])
    steep = many * (1 + 15 * unit) * Fraction(1, 16) * (1 - unit)  # at 0
    for net, side, text, least in ((lean, Fraction(3, 2), "", exact), (near, 1, "1" * many, steep)):
        box = Polyhedron.box([(0, side)] * net.inputs)
        proof = [{"derive": [[1]], "coarse": [text] if text else []}]
        plain, quick = (bounds_of(kind, proof, net, box, 2) for kind in (checker.Judge, Quick))
        assert plain == quick
        assert least <= plain <= least + Fraction(1, 2**18)


def test_numbers_of_any_size():
    """Weights of any size are measured in their own power of two; integers have any length."""
    big = 2**200
    net = Network.from_layers([([[big, 1], [1, -big]], [1, -1], "relu"), ([[1, -1], [big, big]], [-big, 0], "relu")])
    box = Polyhedron.box([(-1, 1)] * 2)
    region = region_of(net, box)
    region.derive([[1]], 2)
    for i in range(2):
        rough, fine = leaf(region, 2, i, []), leaf(region, 2, i)
        assert fine <= rough <= fine + Fraction(2) ** (region.fixed.exponents[2][i] - 15)
        assert bounds_of(Quick, [{"derive": [[1]], "coarse": []}], net, box, 2, i) == rough


def test_chords_lie_above_and_below():
    """To the last unit."""
    rng, one = random.Random(9), 1 << 28
    net = Network.from_layers([([[1]], [0], "relu"), ([[1]], [0], "relu")])
    region = region_of(net, Polyhedron.box([(-1, 1)]))
    region.derive([[1]], 2)
    unit = Fraction(2) ** (region.fixed.exponents[1][0] - 28)
    for _ in range(500):
        bits = rng.choice((2, 8, 30, 40))
        low, high = -rng.randint(1, 1 << bits), rng.randint(1, 1 << rng.choice((2, bits)))
        ends = sorted(rng.randint(low, high) for _ in range(8))
        corners = list(zip(ends[:4], ends[4:], strict=True))
        region.pairs = [[(low * unit, high * unit)]]
        region.corners = {}
        (flat,) = region.fixed.chords(region, 1, checker.DEFAULT)
        region.corners = {(1, 0): ([-l for l, _ in corners], [u for _, u in corners])}
        (chord,) = region.fixed.chords(region, 1, checker.DEFAULT)
        assert 0 <= chord.below <= one and chord.high == high
        assert chord._replace(heights=()) == flat
        for y in (low, 0, high):
            assert chord.above * y + chord.height * one >= max(y, 0) * one
        exact = [max(-chord.above * l, (one - chord.above) * u) for l, u in corners]
        assert all(0 < h * one - e <= one for h, e in zip(chord.heights, exact if chord.heights else (), strict=True))
        assert bool(chord.heights) == (sum(e // one + 1 for e in exact) < 4 * chord.height)


def at_corners(net, box, texts):
    """Corner by corner and without rounding: for each layer the lower and upper bounds of its neurons there."""
    points, layers = list(itertools.product(*zip(box.lower, box.upper, strict=True))), []

    def bounds(level, i, sign):
        flow = {level: {i: Fraction(sign)}}
        total = [Fraction(0)] * len(points)
        for at in range(level, 0, -1):
            inner = {}
            for i, c in flow[at].items():
                (bias, columns, entries), over = net.layers[at - 1].row(i), net.layers[at - 1].denominator
                total = [t + c * Fraction(bias, over) for t in total]
                for j, w in zip(columns, entries, strict=True):
                    j -= 0 if at == 1 else net.inputs + sum(net.widths[: at - 2])
                    inner[j] = inner.get(j, 0) + c * Fraction(w, over)
            if at == 1:
                return [t + sum(c * x[j] for j, c in inner.items()) for t, x in zip(total, points, strict=True)]
            flow[at - 1] = {}
            for j, c in inner.items():
                above, below, heights = line(at - 1, j, texts if level == len(net.widths) else None)
                flow[at - 1][j] = c * (above if c > 0 else below)
                total = [t + max(c, 0) * h for t, h in zip(total, heights, strict=True)]

    def line(at, j, given):
        lows, highs = layers[at - 1][j]
        low, high = min(lows), max(highs)
        if low >= 0 or high <= 0:
            return (int(low >= 0),) * 2 + ([0] * len(points),)
        s = high / (high - low)
        heights = [max(-s * l, (1 - s) * u) for l, u in zip(lows, highs, strict=True)]
        if sum(heights) >= len(points) * (1 - s) * high:
            heights = [(1 - s) * high] * len(points)
        below = (
            min(max(4 * s - 2, 0), 1) if given is None else Fraction("0123456789abcdefg".index(given[at - 1][j]), 16)
        )
        return s, below, heights

    for level, width in enumerate(net.widths, 1):
        layers.append([([-v for v in bounds(level, i, -1)], bounds(level, i, 1)) for i in range(width)])
    return layers


def test_corners():
    """Derivations and leaves find what corners prove, and hold: on parts that were derived before, and below signs."""
    rng, seen = random.Random(8), Counter()
    for k in range(400):
        widths = rng.choice(((2, 5, 1), (3, 6, 1), (2, 4, 4, 1), (3, 4, 3, 3, 1)))
        layers = network(rng, widths, ("rational", "ternary", "degenerate")[k % 3])
        box = Polyhedron.box([(-1, 1)] * widths[0])
        last, (bias,) = layers[-1]
        if rng.random() < 0.5:  # then no line below is used in the last step
            last = [[abs(w) for w in last[0]]]
        layers[-1] = last, [bias + rng.choice((0, 1000))]
        net, level = as_network(layers), len(widths) - 1
        if fits(net.checked, box.checked) < level:
            continue
        region, whole = region_of(net, box), [[at] for at in range(1, level)]
        region.derive(whole, level)
        steps = rng.randint(0, 2)
        for _ in range(steps):
            j, c = rng.randrange(widths[0]), Fraction(rng.randint(-6, 6), 7)
            if region.lower[j] < c < region.upper[j]:
                region = rng.choice(region.halves(["x", j, str(c)], level))
            if rng.random() < 0.5:
                region.derive(whole, level)
        part, rows = Polyhedron.box(list(zip(region.lower, region.upper, strict=True))), []
        if rng.random() < 0.3:
            (bias, columns, entries), sign = net.layers[0].row(0), rng.choice((-1, 1))
            rows = [
                [sign * bias] + [sign * dict(zip(columns, entries, strict=True)).get(j, 0) for j in range(widths[0])]
            ]
            region = region.halves(["neuron", 1, 0], level)[sign > 0]
        texts = ["".join(rng.choice("0123456789abcdefg") for _ in layer.rows) for layer in net.checked.layers[:-1]]
        bound = leaf(region, level, 0, texts)
        inside = Polyhedron.from_rows(rows, [], dimension=widths[0]).intersection(part) if rows else part
        if inside.is_empty:
            continue
        (value,) = [v.supremum for v in list(decide(net, inside))[-1].verdicts]
        assert bound == -math.inf or value <= bound
        if bound != -math.inf:
            plain = region.copy()
            plain.corners = {}
            without = leaf(plain, level, 0, texts)
            assert bound <= without
            seen["helped"] += bound < without
        seen["below signs"] += bool(rows)
        if not rows and not steps:  # nothing else is known
            right = at_corners(net, part.checked, texts)
            for i, (lows, highs) in enumerate(right[-2]):
                unit = Fraction(2) ** (region.fixed.exponents[level - 1][i] - 28)
                low, high = region.pairs[level - 2][i]
                assert abs(min(lows) - low) < 2**12 * unit  # by lines whose slopes were rounded
                assert abs(max(highs) - high) < 2**12 * unit
            if any(min(lows) == 0 or max(highs) == 0 for layer in right[:-1] for lows, highs in layer):
                continue  # rounded outward, the sign is not known
            highest = max(right[-1][0][1])
            assert bound < highest + Fraction(2) ** (region.fixed.exponents[level][0] - 12)
            seen["tight"] += bound >= highest
    assert seen["helped"] > 30 and seen["tight"] > 15 and seen["below signs"] > 30, seen


@pytest.mark.parametrize("again", [False, True])
def test_corners_belong_to_one_box(again):
    """Half a square has other corners, where z = 10 + max(x + y, 0) -+ 2 x is as large as it can be."""
    net = Network.from_layers([([[1, 1], [1, 0]], [0, 1], "relu"), ([[1, -2], [1, 2]], [12, 8], "relu")])
    region = region_of(net, Polyhedron.box([(-1, 1)] * 2))
    region.derive([[1]], 2)
    region = region.halves(["x", 0, 0], 2)[1]
    if again:
        region.derive([[1]], 2)
    for i, highest in enumerate((11, 14)):
        bound = leaf(region, 2, i, [])
        assert bound >= highest and (bound < highest + Fraction(1, 2**16) or not again)


def test_multipliers_of_rows_must_have_their_sign():
    """x + y - 1/2 lives on the triangle x + y <= 1 in the square; negative multipliers would "prove" it dead."""
    net = Network.from_layers([([[1, 1], [-1, -1]], ["-1/2", "-1/2"], "relu")])
    triangle = Polyhedron.from_rows([[1, -1, -1]]).intersection(Polyhedron.box([(0, 1)] * 2))
    for kind in (checker.Judge, Quick):
        assert bounds_of(kind, [{"rows": {"0": "1"}}], net, triangle, 1, 0) == Fraction(1, 2)
        assert bounds_of(kind, [{"rows": {"0": "0"}}], net, triangle, 1, 1) == Fraction(-1, 2)
        for neuron in (0, 1):
            for m in ("-1", "-1/2", "-10"):
                with pytest.raises(checker.Rejected, match="negative"):
                    bounds_of(kind, [{"rows": {"0": m}}], net, triangle, 1, neuron)


def test_cancelled_coefficients_on_generators():
    model = checker.Model.parse(
        {
            "layers": [
                {"weights": [[1]], "bias": [0]},
                {"weights": [[1], [1]], "bias": [1, 1]},
                {"weights": [[1, -1]], "bias": [-1]},
            ]
        }
    )
    domain = checker.Domain.parse({"vertices": [[0]], "rays": [[1]]})
    for kind in (checker.Judge, Quick):
        assert kind([], model, domain).bound([{"derive": [[1], [2]]}], 3, 0, 1) == -1


def test_nothing_is_claimed_of_an_empty_domain():
    """A box is seen to be empty; where there are rows a point has to be shown."""
    model = checker.Model.parse({"layers": [{"weights": [[1, 0]], "bias": [-1]}]})
    for kind in (checker.Judge, Quick):
        with pytest.raises(checker.Rejected, match="empty"):
            kind([], model, checker.Domain.parse({"box": [[1, 0], [None, None]]}))
        domain = checker.Domain.parse({"inequalities": [[-1, 1, 1], [-1, -1, -1]], "box": [[0, 1], [0, 1]]})
        for status in ("dead", "active"):
            proof = [{"rows": {"0": "9", "1": "9"}}]
            claim = {"layer": 1, "neuron": 0, "status": status, "proof": proof}
            assert kind([], model, domain).bound(claim["proof"], 1, 0, 1 if status == "dead" else -1) <= 0
            with pytest.raises(checker.Rejected, match="no point shows"):
                checker.prove(claim, kind([], model, domain))
            with pytest.raises(checker.Rejected, match="does not lie"):
                checker.prove(claim | {"point": ["0", "1"]}, kind([], model, domain))


@pytest.mark.parametrize(
    "data",
    [
        {"dimension": {}, "box": [[0, 1]]},
        {"dimension": [None], "box": [[0, 1]]},
        {"dimension": 10**30},
        {"dimension": 0},
        {"box": 3},
        {"rows": [[1]]},
        {"inequalities": [[1, 2], [3]]},
        {"vertices": []},
        {"points": [], "box": [[0, 1]]},
    ],
)
def test_malformed_domains(data):
    with pytest.raises(checker.Rejected):
        checker.Domain.parse(data)


@pytest.mark.parametrize(
    "data",
    [
        {"inputs": 1, "layers": [{"rows": None}]},
        {"inputs": 1, "layers": [{"rows": -1}]},
        {"inputs": "x", "layers": [{"weights": [[1]]}]},
        {"inputs": True, "layers": [{"weights": [[1]]}]},
        {"inputs": 1, "layers": [{"rows": [[1, 5, 1]]}]},
        {"layers": [{"weights": [[1.5]]}]},
        {"layers": []},
        [],
    ],
)
def test_malformed_models(data):
    with pytest.raises(checker.Rejected):
        checker.Model.parse(data)


def test_a_positive_bias_revives_at_infinity():
    """z = 1/2 - max(1 + 0 x, 0) is -1/2 on R_+; any falling slope in layer 1 ends in z = 1/2 far out."""
    net = Network.from_layers([([[0]], [1], "relu"), ([[-1]], ["1/2"], "relu")])
    domain = Polyhedron.orthant(1)
    *_, report = decide(net, domain)
    (v,) = report.verdicts
    assert (v.status, v.stable, v.supremum) == (Status.DEAD, False, Fraction(-1, 2))
    lie = {key: value for key, value in v.claim.items() if key != "ray"} | {"stable": True}
    with pytest.raises(checker.Rejected, match="infinity"):
        checker.prove(lie | {"infinity": [[]]}, checker.Judge([], net.checked, domain.checked))


# ---- bounds that a certificate derives on parts -------------------------------------------------------------------

HALVES = [{"split": ["x", 0, "0"], "derive": [[1], [2]]}, {"derive": [[1], [2]]}, {"derive": [[1], [2]]}]


def on_parts(tree, level, neuron, sign, derive=()):
    """A network of two layers on [-1, 1]^2; the derived bound, and its certificate."""
    net = Network.from_layers([([[1, 1], [1, -1]], [0, 0], "relu"), ([[1, 1], [1, -1]], [-1, 0], "relu")])
    model, domain = net.checked, Polyhedron.box([(-1, 1)] * 2).checked
    bound = checker.Judge([], model, domain, list(derive), tree).bound("parts", level, neuron, sign)

    def judged(limit):
        claim = {"layer": level, "neuron": neuron, "status": "at most" if sign > 0 else "at least"}
        claim |= {"bound": str(sign * limit), "proof": "parts"}
        data = {"geomrelu": checker.FORMAT, "model": model.digest(), "domain": domain.digest(), "derive": list(derive)}
        return checker.check(data | ({} if tree is None else {"parts": tree}) | {"claims": [claim]}, model, domain)

    return bound, judged


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("neuron", [0, 1])
@pytest.mark.parametrize("level", [1, 2])
def test_parts(level, neuron, sign):
    """The bound is the worst one of the parts, better than on the whole domain, and nothing below it is accepted."""
    bound, judged = on_parts(HALVES, level, neuron, sign)
    whole, _ = on_parts(None, level, neuron, sign, [[1], [2]])
    values = oracles.forward([([[1, 1], [1, -1]], [0, 0]), ([[1, 1], [1, -1]], [-1, 0])], (1, 0))
    assert sign * values[level - 1][neuron] <= bound <= whole
    assert len(judged(bound)) == 1
    with pytest.raises(checker.Rejected, match="the bound"):
        judged(bound - Fraction(1, 1 << 40))


@pytest.mark.parametrize(
    ("tree", "why"),
    [
        ([], "the proof ends"),
        ({}, "list of nodes"),
        ("parts", "list of nodes"),
        (HALVES[:2], "ends before its last leaf"),
        ([*HALVES, {}], "left over"),
        ([*HALVES[:2], {"coarse": []}], "unknown key 'coarse'"),
        ([{**HALVES[0], "splits": {}}, *HALVES[1:]], "unknown key 'splits'"),
        ([{"derive": [[1]]}], "no bound of the neuron has been derived"),
        ([{"derive": [[1], [2], [3]]}], "layer: 3 is out of range"),
        ([{"split": ["neuron", 2, 0], "derive": [[1]]}, {}, {}], "whose layer has been derived"),
    ],
)
def test_parts_that_are_refused(tree, why):
    with pytest.raises(checker.Rejected, match=why):
        on_parts(tree, 2, 0, 1)[1](Fraction(9))


def test_parts_may_be_split_by_signs_of_any_layer():
    tree = [{"split": ["neuron", 2, 0], "derive": [[1], [2]]}, {}, {}]
    bound, judged = on_parts(tree, 2, 0, 1)
    assert len(judged(bound)) == 1


def test_a_finite_set_has_no_parts():
    net = Network.from_layers([([[1]], [0], "relu")])
    points = FiniteSet.of([(0,), (1,)])
    with pytest.raises(checker.Rejected, match="not cut"):
        checker.Judge([], net.checked, points.checked, None, [{}])
