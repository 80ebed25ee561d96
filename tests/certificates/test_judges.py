"""Two judges, one answer: wide and badly scaled networks, files that went wrong, and the example of FORMAT.md."""

from __future__ import annotations

import json
import math
import random
import re
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from families import as_network
from test_checker import random_proof

from geomrelu import Network, Polyhedron, checker
from geomrelu.budget import Budget
from geomrelu.certificates import files, infinity
from geomrelu.certificates.batch import Quick
from geomrelu.certificates.fields import Fields
from geomrelu.certificates.region import Region
from geomrelu.cli.main import main
from geomrelu.deadness.decide import decide
from geomrelu.geometry.domains import read_any

JUDGES = (checker.Judge, Quick)


# ---- wide networks ----------------------------------------------------------------------------------------------


def wide(rng, widths, kind):
    """Layers of small integers with many neurons; "alike": all weights of one sign, "biased": large biases."""
    layers = []
    for m, n in pairwise(widths):
        low = 1 if kind == "alike" else -3
        rows = [[rng.randint(low, 3) for _ in range(m)] for _ in range(n)]
        size = {"alike": 1, "biased": 2**40, "plain": m, "ternary": 1}[kind]
        if kind == "ternary":
            rows = [[rng.randint(-1, 1) for _ in range(m)] for _ in range(n)]
        sign = rng.choice((-1, 1))
        layers.append(
            (rows, [sign * rng.randint(0, size) if kind == "biased" else rng.randint(-size, size) for _ in rows])
        )
    return layers


def judged(kind, model, domain, proof, level, neuron, sign):
    try:
        return kind([], model, domain).bound(proof, level, neuron, sign)
    except checker.Rejected:
        return "refused"


@pytest.mark.parametrize("kind", ["plain", "alike", "biased", "ternary"])
@pytest.mark.parametrize("widths", [(1, 150, 150, 2), (2, 130, 200, 3, 1), (9, 129, 2), (3, 1000, 2), (2, 20, 257, 1)])
def test_wide_networks(kind, widths):
    """Random trees, all of whose leaves hold at random points; both judges find the same bound."""
    rng, seen = random.Random(str((kind, widths))), Counter()
    net = as_network(wide(rng, widths, kind))
    box = Polyhedron.box([(0, rng.choice((1, Fraction(1, 3), 2**20))) for _ in range(widths[0])])
    level, model = net.depth, net.checked
    points = [[Fraction(rng.randint(0, 8), 8) * high for high in box.checked.upper] for _ in range(3)]
    top = max(model.value(p, level, 0) for p in points), max(-model.value(p, level, 0) for p in points)
    whole = {"derive": [[at] for at in range(1, level)]}
    proofs = [[whole | {"coarse": []}], [whole | {"coarse": ["8" * w for w in widths[1:-1]]}], [whole]]
    proofs += [[whole | {"split": ["neuron", level - 1, 0]}, {"coarse": [], "splits": {"0": "5/3"}}, {"coarse": []}]]
    proofs += [
        [whole | {"split": ["x", 0, "1/4"]}, {"coarse": []}, {"derive": [[1], [level - 1, [0, 1]]], "coarse": []}]
    ]
    for proof in proofs[: 3 if max(widths) > 500 else None]:
        for sign in (1, -1):
            found = [judged(judge, model, box.checked, proof, level, 0, sign) for judge in JUDGES]
            assert found[0] == found[1]
            assert found[0] == "refused" or found[0] >= top[sign < 0]
            seen[found[0] != "refused"] += 1
    assert seen[True] >= 4


def test_large_biases_fill_no_other_field():
    """300 neurons, all signs alike and biases that do not fit: the constant is by far the largest coefficient."""
    for bias, sign in ((2**33, 1), (2**33, -1), (2**70, 1)):
        layers = [([[1]] * 300, [bias] * 300), ([[sign] * 300] * 300, [bias] * 300), ([[1] * 300], [-bias])]
        net, box = as_network(layers), Polyhedron.box([(0, 1)])
        for proof in (
            [{"derive": [[1], [2]], "coarse": []}],
            [{"derive": [[1], [2]], "coarse": ["0" * 300, "g" * 300]}],
        ):
            for way in (1, -1):
                plain, quick = (judged(judge, net.checked, box.checked, proof, 3, 0, way) for judge in JUDGES)
                assert plain == quick >= way * net.pre_activations([1], 3)[-1][0]


def test_random_trees_on_networks_of_middling_width():
    """The whole grammar, in layers of 129 neurons."""
    rng, seen = random.Random(3), Counter()
    for _ in range(12):
        kind = rng.choice(("plain", "alike", "biased", "ternary"))
        net = as_network(wide(rng, (2, 129, rng.choice((3, 129)), 1), kind))
        box = Polyhedron.box([(-1, 1), (0, Fraction(1, 2))])
        for _ in range(2):
            proof = random_proof(rng, net.checked, box.checked, 3, depth=2)
            plain, quick = (judged(judge, net.checked, box.checked, proof, 3, 0, 1) for judge in JUDGES)
            assert plain == quick
            seen["refused" if plain == "refused" else "bound"] += 1
            if plain != "refused":
                assert plain >= max(net.pre_activations(p, 3)[-1][0] for p in ((-1, 0), (1, 0), (0, Fraction(1, 4))))
    assert seen["bound"] > 8, seen


def test_fields_are_sized_by_what_is_in_them():
    """Bounds of many neurons together are those of each by itself; where fields are too small nothing is returned."""
    rng = random.Random(4)
    net, box = as_network(wide(rng, (2, 140, 30, 2), "alike")), Polyhedron.box([(0, 1)] * 2)
    region = Region(net.checked, box.checked)
    region.derive([[1], [2]], 3)
    fields, sides = region.fields, region._sides()
    lines = [region._lines(at) for at in (1, 2)]
    together = fields.forms(3, [0, 1], sides, lines)
    alone = [region._values(3, i, sign, sides, lines) for sign in (1, -1) for i in (0, 1)]
    assert [list(column) for column in zip(*together, strict=True)] == alone
    one = 1 << 28
    for around in ([(0, one, 0, 1 << 90, None)], 0, 1 << 90), ([], 1 << 90, 0):
        assert fields.forms(2, [0], sides, [around]) is None
    assert fields.forms(2, [0], (sides[0], [1 << 90] * 2), lines[:1]) is None


@pytest.mark.parametrize("seed", range(3))
def test_a_field_is_never_exceeded(seed):
    """Every sum stays below half of what its field can hold, with all numbers as large as they can get."""
    rng = random.Random(seed)
    kind = ("alike", "biased", "plain")[seed]
    net, box = as_network(wide(rng, (2, 60, 60, 60, 2), kind)), Polyhedron.box([(0, 1)] * 2)
    fields = Fields(net.checked, box.checked)
    for level in range(2, 5):
        size, _, reaches, gains = fields.start(level)
        reach = [max(map(abs, c)) + 1 for c in fields.weights(level)[:-1]]
        assert gains[0] >= (max(map(abs, fields.weights(level)[-1])) + 1) << 28
        for at, most, gained in zip(range(level - 1, 0, -1), reaches, gains[1:], strict=False):
            assert most >= max(reach)
            sums = [sum(abs(w) * r for w, r in zip(c, reach, strict=True)) + sum(reach) for c in fields.weights(at)]
            assert max(*sums, max(reach) << 28) + (1 << 29) < 1 << 8 * size - 1 and gained >= sums[-1]
            reach = [(s >> 28) + 1 for s in sums[:-1]]


# ---- the example ------------------------------------------------------------------------------------------------


def example():
    text = (Path(infinity.__file__).parent / "FORMAT.md").read_text(encoding="utf-8")
    found = dict(re.findall(r"```json (\w+)\n(.*?)```", text, re.DOTALL))
    assert found.keys() == {"model", "domain", "certificate"}
    return found


def test_the_example_of_the_format(tmp_path):
    """It is accepted as it stands, alone and by both judges; and none of its parts can be left out or bent."""
    for name, text in example().items():
        (tmp_path / f"{name}.json").write_text(text)
    command = [sys.executable, "-I", checker.__file__, *(f"{n}.json" for n in ("certificate", "model", "domain"))]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0 and run.stdout.endswith("accepted certificate.json: 4 claims proved\n")
    model, domain = (checker.parsed(example()[name]) for name in ("model", "domain"))
    model, domain = checker.Model.parse(model), checker.Domain.parse(domain)
    good = checker.parsed(example()["certificate"])
    for judge in JUDGES:
        assert len(checker.check(good, model, domain, judge)) == 4
    claims = good["claims"]
    bad = [
        {**good, "derive": [[1]]},
        {**good, "points": [["2", "0"]]},
        {**good, "claims": [{**claims[0], "supremum": "-2"}]},
        {**good, "claims": [{**claims[0], "proof": [claims[0]["proof"][0], {}, {}]}]},
        {**good, "claims": [{**claims[0], "neuron": 1}]},
        {**good, "claims": [{**claims[2], "neuron": 1}]},
        {**good, "claims": [{**claims[3], "neuron": 1}]},
    ]
    for certificate in bad:
        for judge in JUDGES:
            with pytest.raises(checker.Rejected):
                checker.check(certificate, model, domain, judge)


OTHERS = ([], [[]], [[], 0], {}, {"0": []}, "", "x", "1/2", True, None, -1, 10**30, ["x", 0, []], [1, [[]]])


def bent(data):
    """The same with something else in each place, one at a time."""
    for other in OTHERS:
        yield other
    places = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in places:
        for other in bent(value):
            changed = data.copy()
            changed[key] = other
            yield changed


def test_whatever_stands_in_a_certificate_is_judged():
    """Never an error of Python: both judges accept, or both refuse."""
    texts = example()
    model, domain = (
        checker.Model.parse(checker.parsed(texts["model"])),
        checker.Domain.parse(checker.parsed(texts["domain"])),
    )
    good = checker.parsed(texts["certificate"])
    good["derive"].append([1, [0]])
    for certificate in bent(good):
        answers = []
        for judge in JUDGES:
            try:
                checker.check(certificate, model, domain, judge)
                answers.append("accepted")
            except checker.Rejected:
                answers.append("refused")
        assert answers[0] == answers[1], certificate


def test_the_head_the_format_and_the_code_name_the_same():
    """Each claim that the head lists is a function with that name, and FORMAT.md has a row for it."""
    head, text = checker.__doc__, (Path(infinity.__file__).parent / "FORMAT.md").read_text(encoding="utf-8")
    listed = re.findall(
        r"^  (\w+)(?: p/q)?  +\S", head[head.index("What each claim needs") : head.index("A finite set")], re.M
    )
    assert listed == [
        *(name.replace(" ", "_") for name in checker.STATUS),
        "supremum",
        "unbounded",
        "stable",
        "unstable",
    ]
    for name in listed:
        assert callable(getattr(checker.Claim, name))
    for word in (checker.FORMAT, checker.PRUNING, *sorted(checker.KEYS), *checker.CHANGES):
        assert word in head and word in text, word


# ---- files that went wrong --------------------------------------------------------------------------------------

CASES = {
    "overflow": "the bound is about 2\\^|the bound is [0-9]+, not",
    "disagree": "a cut does not lie",
    "cone4-6-6": "infinity",
    "inject": "layer: '.naccepted",
    "surrogate": "layer: '.ud800'",
    "dup": "stands twice",
    "zerowidth": "layer 1|neuron",
    "digits": "bound|rational number",
    "emptybox": "empty",
    "typo": "biases|activaton",
    "bothkeys": "rows|bias",
    "noneignored": "nothing reads",
}


def run_both(folder, names):
    """The exit codes and outputs of the judge alone, of `geomrelu check`, and of that with --independent."""
    certificate, model, domain = names
    found = []
    for arguments in (
        [sys.executable, "-I", checker.__file__, certificate, model, domain],
        [sys.executable, "-m", "geomrelu", "check", certificate, "--model", model, "--domain", domain],
        [sys.executable, "-m", "geomrelu", "check", "--independent", certificate, "--model", model, "--domain", domain],
    ):
        run = subprocess.run(arguments, cwd=folder, capture_output=True, text=True)
        found.append((run.returncode, run.stdout, run.stderr))
    return found


@pytest.mark.parametrize("name", CASES)
def test_cases(shared, name, tmp_path):
    """As they are (of version 1) and as version 2 would have them: one escaped line, exit code 1 or 2, one answer."""
    source = shared / "cases" / "check" / name
    long = name == "overflow"
    names = ("cert.json", "model.json", "domain.json") if long else ("c.json", "m.json", "d.json")
    for version in (1, 2):
        for part in names:
            text = (source / part).read_text(encoding="utf-8")
            if version == 2 and part == names[0]:
                text = text.replace('"certificate 1"', '"certificate 2"')
                if name == "overflow":
                    text = text.replace('{"coarse": []}', '{"derive": [[1], [2], [3]], "coarse": []}')
                if name == "cone4-6-6":
                    text = re.sub(
                        r'"proof": .*', '"proof": [{"derive": [[1]], "slopes": ["000000"]}], "infinity": [[]]}]}', text
                    )
            (tmp_path / part).write_text(text, encoding="utf-8")
        for code, out, err in run_both(tmp_path, names):
            assert code in (1, 2), (code, out, err)
            said = out + err
            assert said.count("\n") == 1 and said.isascii() and "Traceback" not in said
            assert not said.startswith("accepted")
            reason = CASES[name] if version == 2 else f"not a geomrelu certificate 2|{CASES[name]}"
            assert re.search(reason, said), said


def test_far_out_ends_within_its_budget(shared):
    """Six rays in R^4 and six neurons: a list of cones, or none, in bounded work; and `decide` ends."""
    folder = shared / "cases" / "check" / "cone4-6-6"
    net, domain = Network.from_file(folder / "m.json"), read_any(str(folder / "d.json"))
    ticks = Counter()
    found = infinity.cones(net.checked, domain.checked, 2, 0, lambda: ticks.update("t"))
    assert ticks["t"] <= infinity.MOST
    if found is not None:
        judge = checker.Judge([], net.checked, domain.checked)
        assert calm(judge, found) and not calm(judge, [[]])
    *_, report = decide(net, domain, budget=Budget(20))
    assert report.verdicts[0].status.value != "alive"


def test_two_equal_keys_are_refused_wherever_they_stand(tmp_path):
    for text in ('{"a": 1, "a": 2}', '[{"b": {"c": 0, "d": 1, "c": 0}}]'):
        with pytest.raises(checker.Rejected, match="stands twice"):
            checker.parsed(text)
    with pytest.raises(checker.Rejected):
        checker.parsed('{"a": NaN}')


def test_numbers_are_read_in_linear_time():
    """A hundred thousand digits and then something else."""
    for text in ("1" * 99_000 + "x", "0" * 99_000 + "/0", "." * 99_000, "1" * 50_000 + "." + "1" * 40_000 + "e", "٣"):
        with pytest.raises(checker.Rejected) as problem:
            checker.number(text)
        assert len(str(problem.value)) < 150
    assert checker.number("+1.5e-1") == Fraction(3, 20) and checker.number("-.5") == Fraction(-1, 2)
    assert checker.number("6/04") == Fraction(3, 2) and checker.number("5.") == 5


@pytest.mark.parametrize(
    "data",
    [
        {"layers": [{"weights": [[1]], "biases": [1]}]},
        {"layers": [{"weights": [[1]], "bias": [1]}], "input": 1},
        {"inputs": 2, "layers": [{"weights": [[1]], "bias": [1]}]},
        {"inputs": 1, "layers": [{"weights": [[1]], "rows": [["0", 0, "1"]]}]},
        {"inputs": 1, "layers": [{"rows": [["0", 0, "1"]], "bias": [1]}]},
        {"inputs": 1, "layers": [{"rows": []}, {"rows": [["-1"]]}]},
        {"inputs": 1, "layers": [{"weights": [[2]], "activation": "none"}, {"rows": [["0", 0, "1"]]}]},
        {"layers": [{"weights": [[1]], "activation": "none"}]},
        {"layers": [{"weights": [[]]}]},
        {"inputs": 10**12, "layers": [{"rows": [["0", 0, "1"]]}]},
    ],
)
def test_models_that_say_something_else(data, tmp_path):
    """Refused by the judge, and by what the command line reads models with."""
    with pytest.raises(checker.Rejected):
        checker.Model.parse(data)
    (tmp_path / "m.json").write_text(json.dumps(data))
    assert main(["decide", str(tmp_path / "m.json"), "--domain", "box:0,1"]) == 2


def test_everything_from_a_file_is_printed_escaped():
    for value in (
        "\nforged",
        "\ud800",
        "\x1b[31m",
        "x" * 10_000,
        {"\n": 1},
        ["\n"],
        10**9000,
        Fraction(1, 10**5000),
        2.5,
        None,
    ):
        said = checker.shown(value)
        assert said.isascii() and said.isprintable() and len(said) < 100


# ---- certificates as files --------------------------------------------------------------------------------------


def test_what_many_proofs_derive_is_derived_once(tmp_path):
    """A file says it once, claims that are read from it are complete again; of another version only points are kept."""
    layers = [([[1, 1], [1, -1]], [0, 0]), ([[-1, -1], [-1, 0], [1, 1], [0, -1]], [-1, -2, -1, -1])]
    net, box = as_network(layers), Polyhedron.box([(-1, 1)] * 2)
    proof = [{"derive": [[1]], "coarse": []}]
    claims = [{"layer": 2, "neuron": i, "status": "dead", "stable": True, "proof": proof} for i in (0, 1, 3)]
    claims.append({"layer": 2, "neuron": 2, "status": "alive", "point": 0})
    digests = net.digest, box.checked.digest()
    (path,) = set(files.write(tmp_path, 2, claims, *digests, [["1", "0"]]).values())
    data = json.loads(Path(path).read_text())
    assert data["derive"] == [[1]] and all("derive" not in node for c in data["claims"] for node in c.get("proof", ()))
    for judge in JUDGES:
        assert len(checker.check(data, net.checked, box.checked, judge)) == 4
    again = {claim["neuron"]: claim for claim in files.known(tmp_path, *digests)}
    assert again == {c["neuron"]: {**c, "point": ["1", "0"]} if "point" in c else c for c in claims}
    files.write(tmp_path, 2, [{**claims[0], "stable": True}], *digests, [])
    assert json.loads(Path(path).read_text())["derive"] == [[1]]
    Path(path).write_text(json.dumps({**data, "geomrelu": "certificate 1"}))
    assert [claim["neuron"] for claim in files.known(tmp_path, *digests)] == [2]
    with pytest.raises(checker.Rejected, match="not a geomrelu certificate 2"):
        checker.check(json.loads(Path(path).read_text()), net.checked, box.checked)


# ---- far out ----------------------------------------------------------------------------------------------------


def calm(judge, tree):
    """Is the first neuron of layer 2 quiet on all cones that are listed?"""
    return all(checker.quiet(judge.model, 2, 0, cone) for cone in checker.cones_of(judge.domain, tree))


def test_cones_cover_and_their_lists_cannot_be_shortened():
    """The orthant and the plane, with a neuron that is quiet on all of it; every list that was cut off is refused."""
    net = as_network([([[1, 1], [1, -2]], [0, 1]), ([[-1, -1]], [-1])])
    for domain in (Polyhedron.orthant(2), Polyhedron.box([(0, None), (None, 3)])):
        judge = checker.Judge([], net.checked, domain.checked)
        tree = infinity.cones(net.checked, domain.checked, 2, 0, lambda: None)
        if tree is None:
            continue
        assert calm(judge, tree)
        assert len(tree) > 1 and not calm(judge, [[]])
        for bad in (
            tree[:-1],
            [*tree, []],
            [[0, 0, "1", "1"], *tree[1:]],
            [[0, 1, "0", "1"], *tree[1:]],
            [[0, 9, "1", "1"]],
        ):
            with pytest.raises(checker.Rejected):
                calm(judge, bad)


def test_directions_in_random_cones_lie_in_a_leaf():
    """A list that says nothing of neurons: and each random direction is in the cone of some leaf."""
    rng = random.Random(8)
    for _ in range(30):
        domain = rng.choice((Polyhedron.orthant(2), Polyhedron.space(2), Polyhedron.box([(0, None), (None, None)])))
        tree = []

        def grow(cone, depth, tree=tree):
            if depth == 0 or len(cone) < 2:
                tree.append([])
                return
            p, q = rng.sample(range(len(cone)), 2)
            a, b = rng.randint(1, 3), rng.randint(1, 3)
            tree.append([p, q, a, b])
            middle = [a * x + b * y for x, y in zip(cone[p], cone[q], strict=True)]
            for new in (p, q):
                grow([middle if k == new else g for k, g in enumerate(cone)], depth - 1)

        grow(checker.recession(domain.checked), 4)
        leaves = list(checker.cones_of(domain.checked, tree))
        for _ in range(20):
            ray = [rng.randint(-5, 5) for _ in range(2)]
            if any(ray) and domain.checked.recedes([Fraction(v) for v in ray]):
                assert any(in_plane_cone(ray, cone) for cone in leaves), (ray, leaves)


def in_plane_cone(ray, cone):
    """Is a ray of the plane a combination of at most two generators?"""
    for p in cone:
        if p[0] * ray[1] == p[1] * ray[0] and p[0] * ray[0] + p[1] * ray[1] > 0:
            return True
        for q in cone:
            d = p[0] * q[1] - p[1] * q[0]
            if d:
                s, t = (ray[0] * q[1] - ray[1] * q[0]) / d, (p[0] * ray[1] - p[1] * ray[0]) / d
                if s >= 0 and t >= 0:
                    return True
    return False


def test_infinities_compare_with_rationals_exactly():
    """The two floats of the judge."""
    huge = Fraction(10) ** 400
    assert -math.inf < -huge < huge < math.inf and max(-math.inf, -huge) == -huge
