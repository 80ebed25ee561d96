"""The checker: accepts true certificates, alone and from JSON; rejects every certificate of a false claim."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import oracles
import pytest
from families import as_network, cases, network, rational

from geomrelu import FiniteSet, Network, Polyhedron, Status, checker, decide
from geomrelu.certificates import files as certificate
from geomrelu.geometry.polyhedron import write_domain

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
        at = rng.randint(1, level - 1)
        width = len(model.layers[at - 1].rows)
        found["slopes"] = {
            str(at): {str(rng.randrange(width)): rng.choice(("-1/2", "5/3") if wild else ("0", "1", "1/3", "7/8"))}
        }
    return {key: value for key, value in found.items() if value}


def random_slopes(rng, model, level):
    """Slopes of a coarse leaf, for some of the layers before it."""
    texts = [
        "".join(rng.choice("0123456789abcdefg") for _ in model.layers[at].rows) if rng.random() < 0.7 else ""
        for at in range(level - 1)
    ]
    return texts[: rng.randint(0, level)]


def random_proof(rng, model, domain, level, depth=3):
    """A random tree that follows the grammar."""
    proof = []

    def grow(left, cuts):
        node = {}
        if level > 1 and rng.random() < 0.4:
            at = rng.randint(1, level - 1)
            neuron, side = rng.randrange(len(model.layers[at - 1].rows)), rng.choice(("upper", "lower"))
            exactly = [at, neuron, side, random_multipliers(rng, model, domain, cuts, at)]
            some = [rng.randrange(len(model.layers[at - 1].rows)) for _ in range(rng.randint(0, 2))]
            node["derive"] = [rng.choice(([at], [at, "exact"], [at, some], exactly))]
            if rng.random() < 0.5:
                node["derive"] = [[k] for k in range(1, level)] + node["derive"]
        kinds = ["form"] + (["neuron"] if level > 1 else []) + (["x"] if domain.generators is None else [])
        if left == 0 or rng.random() < 0.3:
            if rng.random() < 0.4:
                multipliers = random_multipliers(rng, model, domain, cuts, level) if rng.random() < 0.5 else {}
                splits = {"splits": multipliers["splits"]} if "splits" in multipliers else {}
                proof.append(node | {"coarse": random_slopes(rng, model, level)} | splits)
            else:
                proof.append(node | random_multipliers(rng, model, domain, cuts, level))
            return
        kind = rng.choice(kinds)
        if kind == "x":
            node["split"] = ["x", rng.randrange(model.inputs), str(rational(rng, 3))]
        elif kind == "neuron":
            at = rng.randint(1, level - 1)
            node["split"] = ["neuron", at, rng.randrange(len(model.layers[at - 1].rows))]
        else:
            node["split"] = ["form", *(str(rational(rng, 3)) for _ in range(model.inputs + 1))]
        proof.append(node)
        for _ in range(2):
            grow(left - 1, cuts + (kind != "x"))

    grow(depth, 0)
    return proof


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
            yield body | {"status": "dead", "stable": True, "strict": {}}
            yield body | {"status": "dead", "stable": False, "point": somewhere(rng, domain)}
            yield body | {"status": "dead", "supremum": "0", "point": somewhere(rng, domain)}
        elif stable is False:
            yield body | own | {"status": "dead", "stable": True}
            yield body | own | {"status": "dead", "stable": True, "strict": {"rows": {"0": "1"}} if domain.rows else {}}
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
        shared = checker.Points(reports[0].points, net.checked, domain.checked)
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
                    with pytest.raises((checker.Rejected, checker.Malformed)):
                        checker.prove(claim, net.checked, domain.checked, shared)
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
                    try:
                        bound = checker.walk(proof, net.checked, domain.checked, v.layer, v.neuron)
                    except checker.Rejected:
                        continue
                    if bound is not None and bound != checker.EMPTY:
                        useful += 1
                        assert v.supremum != "inf" and bound >= v.supremum
    assert useful > 1000


def test_binding_and_shape():
    """Another model, another domain, another format, missing or left-over nodes: rejected with a reason."""
    net = Network.from_layers([([[1, 0], [0, 1]], [0, 0], "relu"), ([[1, 1]], [-3], "relu")])
    domain = Polyhedron.box([(-1, 1)] * 2)
    *_, report = decide(net, domain)
    good = certificate.as_certificate([report.verdicts[0].claim], net.digest, domain.checked.digest(), report.points)
    assert checker.check(good, net.checked, domain.checked)
    other = Network.from_layers([([[1, 0], [0, 1]], [0, 0], "relu"), ([[1, 1]], [-4], "relu")])
    wider = Polyhedron.box([(-1, 2), (-1, 1)])
    (claim,) = good["claims"]
    bad = [
        ({**good, "geomrelu": "certificate 2"}, net, domain),
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
        {"proof": [{"split": ["form", "0"]}, {}, {}]},
        {"proof": [{"splits": {"0": "1"}}]},
        {"proof": [{"rows": {"0": "1"}}]},
        {"proof": [{"derive": [[2]]}]},
        {"proof": [{"derive": [[1, 0, "upper", {"splits": {"0": "-1"}}]]}]},
        {"proof": [{"slopes": {"1": {"0": "3/2"}}}]},
        {"proof": [{"coarse": ["gh"]}]},
        {"proof": [{"coarse": ["g"]}]},
        {"proof": [{"coarse": ["gg", "gg"]}]},
        {"proof": [{"coarse": "gg"}]},
        {"proof": [{"coarse": [], "slopes": {}}]},
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
        with pytest.raises(checker.Rejected):
            checker.check(cert, model.checked, where.checked)


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


def test_a_deep_certificate_by_hand():
    """The grammar carries deep networks: derived bounds, slopes, splits on neurons and on forms, in three layers."""
    rng = random.Random(8)
    layers = network(rng, (2, 3, 3, 1), "ternary")
    net, box = as_network(layers), Polyhedron.box([(-2, 2)] * 2)
    *_, report = decide(net, box)
    (v,) = report.verdicts
    for proof in (
        [{}],
        [{"derive": [[2]]}],
        [{"split": ["x", 0, "0"]}, {"derive": [[2]]}, {"derive": [[1], [2]]}],
        [{"split": ["neuron", 1, 0]}, {"split": ["form", "0", "1", "-1"], "derive": [[2]]}, {}, {}, {"derive": [[2]]}],
    ):
        bound = checker.walk(proof, net.checked, box.checked, 3, 0)
        assert bound >= v.supremum
    assert v.status in (Status.ALIVE, Status.DEAD)


def test_coarse_arithmetic_rounds_outward_and_not_far():
    """Coarse bounds lie above exact ones with the same slopes, by next to nothing, however badly scaled the network."""
    rng, close = random.Random(21), 0
    for _, net, domain, where, _ in cases(200, 4000, widths=((2, 3, 3), (4, 5, 3), (3, 4, 3, 2), (2, 5, 4, 3, 2))):
        model, box = net.checked, domain.checked
        if where not in ("box", "flat box") or checker.Coarse(model, box).depth < len(model.layers):
            continue
        level = len(model.layers)
        texts = ["".join(rng.choice("0123456789abcdefg") for _ in layer.rows) for layer in model.layers[: level - 1]]
        for i, _ in enumerate(model.layers[-1].rows):
            for sign in (1, -1):
                region, other = checker.Region(model, box), checker.Region(model, box)
                for r, how in ((region, []), (other, ["exact"])):
                    r.derive([[at, *how] for at in range(1, level)], level)
                rough = region.coarse_bound(level, i, texts, sign)
                fine = other.upper_bound(level, i, {}, sign)
                largest = Fraction(2) ** region.coarse.exponents(level)[i]
                exact = max(
                    sign * model.value(p, level, i) for p in itertools.product(*zip(box.lower, box.upper, strict=True))
                )
                assert rough >= exact
                tied = any(low == -high for at in range(1, level) for low, high in other.bounds(at)[0])
                if level == 2 and not tied:  # intervals bound exact derivations, too; with a tie, slopes may differ
                    assert region.coarse_bound(level, i, [], sign) - fine < largest / 2**10
                    close += 1
    assert close > 50


def one_by_one(coarse, neuron, sign, sides, lines):
    """The bound of a second-layer neuron as a leaf finds it, in units of 2^-56, corners apart."""
    slope, constant, _ = coarse.form(2, neuron, sign, lines, {})
    return constant + sum(c * (high if c > 0 else low) for c, low, high in zip(slope, *sides, strict=True))


def unrounded(coarse, neuron, sign, sides, lines):
    """What the coarse bound of a second-layer neuron would be without any rounding, by the same lines: a Fraction."""
    model, (inputs, first, second) = coarse.model, (coarse.powers[0], coarse.exponents(1), coarse.exponents(2))

    def row(level, i, inner, own):
        _, columns, entries = model.layers[level - 1].rows[i]
        numerator, denominator = coarse._biases(level)[i]
        weights = {
            j - model.start[level - 1]: Fraction(w, model.layers[level - 1].denominator)
            for j, w in zip(columns, entries, strict=True)
        }
        scaled = {j: w * Fraction(2) ** (inner[j] - own[i]) for j, w in weights.items() if inner[j] is not None}
        return scaled, Fraction(numerator, denominator) / Fraction(2) ** own[i]

    weights, bias = row(2, neuron, first, second)
    ((around, *_),) = lines
    total, slope = sign * bias, {}
    for i, above, below, height, _ in around:
        c = sign * weights.get(i, Fraction(0))
        total += max(c, 0) * Fraction(height, 2**28)
        c *= Fraction(above if c > 0 else below, 2**28)
        inner, constant = row(1, i, inputs, first)
        total += c * constant
        for j, w in inner.items():
            slope[j] = slope.get(j, 0) + c * w
    return total + sum(v * Fraction(sides[1][j] if v > 0 else sides[0][j], 2**28) for j, v in slope.items())


def test_coarse_arithmetic_never_rounds_inward():
    """With two layers the coarse bound is at least the unrounded one, and a hair above it."""
    rng, compared = random.Random(5), 0
    for _, net, domain, where, _ in cases(400, 6000, widths=((2, 5, 4), (3, 6, 3), (4, 7, 3))):
        if where not in ("box", "flat box") or checker.Coarse(net.checked, domain.checked).depth < 2:
            continue
        region = checker.Region(net.checked, domain.checked)
        for _ in range(2):
            j = rng.randrange(domain.dimension)
            low, high = region.lower[j], region.upper[j]
            region = region.child(("x", j, low + Fraction(rng.randint(1, 6), 7) * (high - low)), rng.choice((1, -1)))
        region.coarse.cornered = False
        region.derive([[1]], 2)
        coarse, sides, lines = region.coarse, region._sides(), [region._lines(1)]
        neurons = rng.sample(range(net.widths[1]), rng.randint(1, net.widths[1]))
        cases_ = [(i, sign) for sign in (1, -1) for i in neurons]
        (together,) = coarse.forms(2, neurons, sides, lines)
        for (i, sign), bound in zip(cases_, together, strict=True):
            exact = unrounded(coarse, i, sign, sides, lines)
            for found in (bound << 28, one_by_one(coarse, i, sign, sides, lines)):
                assert exact <= Fraction(found, 2**56) <= exact + Fraction(1, 2**18)
            compared += 1
    assert compared > 300


def test_coarse_fields_do_not_overflow():
    """Where a field could overflow nothing is claimed; weights of any size are measured in their own power of two."""
    big = 2**200
    net = Network.from_layers([([[big, 1], [1, -big]], [1, -1], "relu"), ([[1, -1], [big, big]], [-big, 0], "relu")])
    box = Polyhedron.box([(-1, 1)] * 2).checked
    region = checker.Region(net.checked, box)
    region.derive([[1]], 2)
    for i in range(2):
        rough, fine = region.coarse_bound(2, i, []), region.upper_bound(2, i, {})
        assert fine <= rough <= fine + Fraction(2) ** (region.coarse.exponents(2)[i] - 15)


def test_rounding_outward_also_where_it_adds_up():
    """Forty neurons of which each would be rounded inward by nearly a unit: what is subtracted, and slopes below."""
    unit, many = Fraction(1, 2**28), 40
    first = [[1] * 3] * many + [[1 + unit / 4] * 3] * many
    lean = Network.from_layers([(first, [1] * 2 * many, "relu"), ([[2] * many + [-1] * many], [0], "relu")])
    exact = many + Fraction(9, 2) * (2 * many - many * (1 + unit / 4))  # at the corner (3/2, 3/2, 3/2)
    near = Network.from_layers([([[1]] * many, [unit - 1] * many, "relu"), ([[-1 - 15 * unit] * many], [0], "relu")])
    steep = many * (1 + 15 * unit) * Fraction(1, 16) * (1 - unit)  # at 0
    for net, side, text, least in ((lean, Fraction(3, 2), "", exact), (near, 1, "1" * many, steep)):
        region = checker.Region(net.checked, Polyhedron.box([(0, side)] * net.inputs).checked)
        region.coarse.cornered = False
        region.derive([[1]], 2)
        coarse, sides, lines = region.coarse, region._sides(), [region._lines(1, text)]
        scale = Fraction(2) ** (coarse.exponents(2)[0] - 56)
        ((several, _),) = coarse.forms(2, [0], sides, lines)
        for found in (one_by_one(coarse, 0, 1, sides, lines), several << 28):
            assert least <= found * scale <= least + Fraction(1, 2**18)


def test_every_step_of_coarse_arithmetic_rounds_outward():
    """Lines, bounds in units, derived bounds, each to the last unit; numbers too large for fields are refused."""
    rng, one = random.Random(9), 1 << 28
    for _ in range(500):
        bits = rng.choice((2, 8, 30, 40))
        low, high = -rng.randint(1, 1 << bits), rng.randint(1, 1 << rng.choice((2, bits)))
        ends = sorted(rng.randint(low, high) for _ in range(8))
        corners = list(zip(ends[:4], ends[4:], strict=True))
        spread = tuple(-l for l, _ in corners), tuple(u for _, u in corners)
        ((_, above, below, height, heights),), cost, tall = checker.Coarse.lines([(low, high)], {0: spread})
        assert 0 <= below <= one and cost == high and tall == max(heights or [height])
        assert (0, above, below, height, None) in checker.Coarse.lines([(low, high)], {1: spread})[0]
        for y in (low, 0, high):
            assert above * y + height * one >= max(y, 0) * one
        exact = [max(-above * l, (one - above) * u) for l, u in corners]
        assert heights is None or all(0 < h * one - e <= one for h, e in zip(heights, exact, strict=True))
        assert (heights is not None) == (sum(e // one + 1 for e in exact) < 4 * height)
    net, box = Network.from_layers([([[1, "1/3"], [-2, 1]], ["1/7", -1], "relu")] * 2), Polyhedron.box([(-1, 1)] * 2)
    coarse = checker.Coarse(net.checked, box.checked)
    for _ in range(200):
        pairs = [sorted((rng.randint(-999, 999), rng.randint(-999, 999))) for _ in range(2)]
        for (low, high), (least, most), e in zip(
            pairs, coarse.in_units(1, (pairs, 997)), coarse.exponents(1), strict=True
        ):
            unit = Fraction(2) ** (e - 28)
            assert low - 997 * unit < least * unit * 997 <= low and high <= most * unit * 997 < high + 997 * unit
    for _ in range(50):
        region = checker.Region(net.checked, box.checked)
        region.derive([[1], [2]], 3)
        j, c = rng.randrange(2), Fraction(rng.randint(-9, 9), 10)
        region = region.child(("x", j, c), rng.choice((1, -1)))
        before = {level: list(region.known[level]) for level in (1, 2)}
        region.derive([[1], [2]], 3)
        for level in (1, 2):
            lines = [region._lines(at) for at in range(1, level)]
            highs = [max(column) for column in zip(*coarse.forms(level, [0, 1], region._sides(), lines), strict=True)]
            for i, ((low, high), (least, most)) in enumerate(zip(region.known[level], before[level], strict=True)):
                if not checker.signed((least, most)):
                    assert low == max(least, -highs[2 + i]) and high == min(most, highs[i])
    sides = region._sides()
    assert coarse.forms(2, [0], (sides[0], [1 << 90] * 2), [region._lines(1)]) is None
    assert coarse.forms(2, [0], sides, [([(0, one, 0, 1 << 90, None)], 0, 1 << 90)]) is None
    assert coarse.forms(2, [0], sides, [([(0, one, 0, 1, [1 << 90] * 4)], 0, 1 << 90)]) is None
    assert coarse.forms(2, [0], sides, [([], 1 << 90, 0)]) is None


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
    for k in range(600):
        widths = rng.choice(((2, 5, 1), (3, 6, 1), (2, 4, 4, 1), (3, 4, 3, 3, 1)))
        layers = network(rng, widths, ("rational", "ternary", "degenerate")[k % 3])
        box = Polyhedron.box([(-1, 1)] * widths[0])
        steps = [[[at] for at in range(1, len(widths) - 1)]] * rng.randint(0, 2)
        cuts = [(rng.randrange(widths[0]), Fraction(rng.randint(-6, 6), 7), rng.choice((-1, 1))) for _ in steps]
        last, (bias,) = layers[-1]
        if rng.random() < 0.5:  # then no line below is used in the last step
            last = [[abs(w) for w in last[0]]]
        layers[-1] = last, [bias + rng.choice((0, 1000))]  # corners are looked at if a bound is not negative
        net, level = as_network(layers), len(widths) - 1
        if checker.Coarse(net.checked, box.checked).depth < level:
            continue
        region = checker.Region(net.checked, box.checked)
        for derive, (j, c, side) in zip(steps, cuts, strict=True):
            region.derive(derive[: rng.randint(0, level - 1)], level)
            if region.lower[j] < c < region.upper[j]:
                region = region.child(("x", j, c), side)
        sides = list(zip(region.lower, region.upper, strict=True))
        part, rows = Polyhedron.box(sides), []
        whole = [[at] for at in range(1, level)]
        if rng.random() < 0.5:
            region.derive(whole, level)
        if rng.random() < 0.3:
            (bias, columns, entries), sign = net.layers[0].row(0), rng.choice((-1, 1))
            rows = [
                [sign * bias] + [sign * dict(zip(columns, entries, strict=True)).get(j, 0) for j in range(widths[0])]
            ]
            region = region.child(("neuron", 1, 0), sign)
        derived = not rows and rng.random() < 0.5
        if derived:
            region.derive(whole, level)
        texts = ["".join(rng.choice("0123456789abcdefg") for _ in layer.rows) for layer in net.checked.layers[:-1]]
        bound = region.coarse_bound(level, 0, texts)
        inside = Polyhedron.from_rows(rows, [], dimension=widths[0]).intersection(part) if rows else part
        if inside.is_empty:
            continue
        (value,) = [v.supremum for v in list(decide(net, inside))[-1].verdicts]
        assert bound is checker.EMPTY or value <= bound
        plain = region.copy()
        plain.corners, plain.lines = {}, {}
        if bound is not checker.EMPTY:
            without = plain.coarse_bound(level, 0, texts)
            assert bound <= without
            seen["helped"] += bound < without
        seen["below signs"] += bool(rows)
        if derived and not steps:  # nothing else is known
            right = at_corners(net, part.checked, texts)
            units = [Fraction(2) ** (e - 28) for e in region.coarse.exponents(level - 1)]
            for (lows, highs), (low, high), unit in zip(right[-2], region.known[level - 1], units, strict=True):
                assert min(lows) - 2**12 * unit < low * unit <= min(lows)
                assert max(highs) <= high * unit < max(highs) + 2**12 * unit
            if any(min(lows) == 0 or max(highs) == 0 for layer in right[:-1] for lows, highs in layer):
                continue  # rounded outward, the sign is not known
            highest = max(right[-1][0][1])
            assert bound < max(highest + Fraction(2) ** (region.coarse.exponents(level)[0] - 12), 0)
            seen["tight"] += bound >= highest
    assert seen["helped"] > 40 and seen["tight"] > 20 and seen["below signs"] > 40, seen


@pytest.mark.parametrize("again", [False, True])
def test_corners_belong_to_one_box(again):
    """Half a square has other corners, where z = 10 + max(x + y, 0) -+ 2 x is as large as it can be."""
    net = Network.from_layers([([[1, 1], [1, 0]], [0, 1], "relu"), ([[1, -2], [1, 2]], [12, 8], "relu")])
    region = checker.Region(net.checked, Polyhedron.box([(-1, 1)] * 2).checked)
    region.derive([[1]], 2)
    region = region.child(("x", 0, Fraction(0)), 1)
    if again:
        region.derive([[1]], 2)
    for i, highest in enumerate((11, 14)):
        bound = region.coarse_bound(2, i, [])
        assert bound >= highest and (bound < highest + Fraction(1, 2**16) or not again)


def test_some_neurons_are_derived_exactly_where_coarse_arithmetic_does_not_fit():
    """After the whole layer, likewise; before it they are refused."""
    net, box = as_network(network(random.Random(3), (2, 4, 4, 1), "rational")), Polyhedron.box([(-1, 1)] * 2)
    found = []
    for items in ([[1], [2, [0]]], [[1], [2, 0, "lower", {}], [2, 0, "upper", {}]]):
        region = checker.Region(net.checked, box.checked)
        region.coarse.depth = 0
        with pytest.raises(checker.Rejected, match="after the whole layer"):
            region.copy().derive([[2, [1]]], 3)
        region.derive([[1], [2]], 3)
        region = region.child(("x", 0, Fraction(1, 3)), 1)
        before = region.bounds(2)
        region.derive(items, 3)
        found.append((region.bounds(2), region.derived))
        assert not region.known and found[-1][0] != before
        region.coarse.depth = 2
        region.derive([[2, [0]]], 3)  # now it fits: the first time, all of them
        z = net.pre_activations((1, 0), 2)[-1]
        units = [Fraction(2) ** (e - 28) for e in region.coarse.exponents(2)]
        assert all(low * u <= v <= high * u for (low, high), u, v in zip(region.known[2], units, z, strict=True))
    assert found[0] == found[1]


def test_bounds_are_only_taken_over_where_a_sign_cannot_change_them():
    """Below splits by signs, in any order of work, all bounds are those that are found from nothing."""
    rng, skipped = random.Random(12), 0
    for k in range(60):
        layers = network(rng, (3, 6, 6, 5, 4), ("rational", "degenerate", "scaled")[k % 3])
        thin = [([[v if rng.random() < 0.4 else 0 for v in row] for row in rows], bias) for rows, bias in layers]
        model = as_network(thin).checked
        box = Polyhedron.box([(-1, 2)] * 3) if k % 4 else Polyhedron.from_generators([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
        region = checker.Region(model, box.checked)
        for _ in range(6):
            level = rng.randint(1, 4)
            what = rng.random()
            if what < 0.7:
                i = rng.randrange(len(model.layers[level - 1].rows))
                region = region.child(("neuron", level, i), rng.choice((1, -1)))
            elif what < 0.8:
                region = region.child(("x", 0, Fraction(1, 3)), 1)
            elif what < 0.9:
                region.derive([[level, "exact"]], 5)
            else:
                region = region.copy()
            if rng.random() < 0.5:
                region.bounds(rng.randint(1, 4))
            if region.bounds(4) is checker.EMPTY:
                break
            fresh = region.copy()
            fresh.cache, fresh.before = [], []
            fresh.bounds(4)
            for (pairs, d), (others, e) in zip(region.cache, fresh.cache, strict=True):
                assert [(low * e, high * e) for low, high in pairs] == [(low * d, high * d) for low, high in others]
            skipped += sum((rows := region._affected(at)) is not None and len(rows) < 4 for at in (2, 3))
    assert skipped > 100, skipped


def test_multipliers_of_rows_must_have_their_sign():
    """x + y - 1/2 lives on the triangle x + y <= 1 in the square; negative multipliers would "prove" it dead."""
    net = Network.from_layers([([[1, 1], [-1, -1]], ["-1/2", "-1/2"], "relu")])
    triangle = Polyhedron.from_rows([[1, -1, -1]]).intersection(Polyhedron.box([(0, 1)] * 2))
    region = checker.Region(net.checked, triangle.checked)
    assert region.upper_bound(1, 0, {"rows": {"0": "1"}}) == Fraction(1, 2)
    assert region.upper_bound(1, 1, {"rows": {"0": "0"}}) == Fraction(-1, 2)
    for neuron in (0, 1):
        for m in ("-1", "-1/2", "-10"):
            with pytest.raises(checker.Rejected, match="negative"):
                region.upper_bound(1, neuron, {"rows": {"0": m}})


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
    assert checker.walk([{}], model, domain, 3, 0) == -1


def test_nothing_is_unstable_on_an_empty_domain():
    model = checker.Model.parse({"layers": [{"weights": [[1, 0]], "bias": [-1]}]})
    domain = checker.Domain.parse({"box": [[1, 0], [None, None]]})
    claim = {"layer": 1, "neuron": 0, "status": "dead", "proof": [{}], "stable": False, "ray": ["0", "1"]}
    for point in ({}, {"point": ["1", "0"]}, {"point": "corner"}):
        with pytest.raises(checker.Rejected):
            checker.prove(claim | point, model, domain, checker.Points([], model, domain))


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
    with pytest.raises(checker.Malformed):
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
    with pytest.raises(checker.Malformed):
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
        checker.prove(lie, net.checked, domain.checked, checker.Points([], net.checked, domain.checked))
