"""The proved kernel: its proofs assume nothing, and it gives the answers of the other judges.

Tests that run the program skip where it has not been built (make kernel).
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import oracles
import pytest
from families import as_network, cases, network

from geomrelu import Network, Polyhedron, checker
from geomrelu.certificates import kernel
from geomrelu.certificates.batch import Quick
from geomrelu.certificates.files import as_certificate
from geomrelu.deadness.decide import decide
from geomrelu.deadness.pruning import prune
from geomrelu.errors import InputError
from geomrelu.geometry.domains import write_domain

SOURCES = Path(__file__).resolve().parents[2] / "proofs" / "kernel"
COMMENT = re.compile(r"\(\*.*?\*\)", re.S)
BEYOND = re.compile("the kernel has no rule for")


@pytest.fixture(scope="module")
def program():
    try:
        return kernel.program()
    except InputError as problem:
        pytest.skip(str(problem))


def answer(judge, certificate, net, domain):
    """None if it is accepted, else why not."""
    try:
        judge(json.loads(json.dumps(certificate), parse_float=str), net.checked, domain.checked)
    except checker.Rejected as problem:
        return str(problem)
    return None


def certificates(net, domain, **options):
    """Of each layer, as `decide` writes them; with the verdicts they are about."""
    for report in decide(net, domain, **options):
        found = [v for v in report.verdicts if v.claim is not None]
        if found:
            claims = [v.claim for v in found]
            yield found, as_certificate(claims, net.digest, domain.checked.digest(), report.points)


def test_nothing_is_assumed():
    """No axiom, no parameter, no proof left out; and every theorem's assumptions are printed when it is built."""
    found = sorted(SOURCES.glob("*.v"))
    assert len(found) >= 8
    words = r"\b(Axioms?|Parameters?|Conjecture|Hypothes[ie]s|Admitted|admit|give_up|Unset|bypass_check|Classical)\b"
    for path in found:
        code = COMMENT.sub("", path.read_text(encoding="utf-8"))
        assert not re.search(words, code), path
    code = "".join(path.read_text(encoding="utf-8") for path in found)
    assert set(re.findall(r"Theorem (\w+)", code)) == set(re.findall(r"Print Assumptions (\w+)", code))


def test_bounds_on_parts_are_beyond_it():
    """Also where no claim is about them: the other judges read them, and refuse what is wrong there."""
    net, box = Network.from_layers([([[1]], [0], "relu")]), Polyhedron.box([(1, 2)])
    claim = {"layer": 1, "neuron": 0, "status": "active", "proof": [{}]}
    data = as_certificate([claim], net.digest, box.checked.digest(), [])
    for certificate in (data | {"parts": [{}]}, data | {"parts": 7}, data | {"claims": [claim | {"proof": "parts"}]}):
        assert BEYOND.match(answer(kernel.judge, certificate, net, box))
    assert answer(checker.check, data | {"parts": [{}]}, net, box) is None
    assert answer(checker.check, data | {"parts": 7}, net, box) is not None


def test_assumptions_as_printed(program):
    """What Coq said when this program was built from these sources."""
    printed = Path(program).with_name("assumptions.txt")
    if not printed.exists():
        pytest.skip("the program was built elsewhere")
    lines = printed.read_text(encoding="utf-8").split("\n")
    theorems = re.findall(r"Print Assumptions (\w+)", "".join(p.read_text() for p in SOURCES.glob("*.v")))
    assert [line for line in lines if line] == ["Closed under the global context"] * len(theorems)


def test_the_example_of_the_format(program):
    """The certificate that FORMAT.md explains."""
    text = (Path(kernel.__file__).parent / "FORMAT.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"```json (\w+)\n(.*?)```", text, re.S))
    model, domain = (
        kind.parse(json.loads(blocks[key])) for kind, key in ((checker.Model, "model"), (checker.Domain, "domain"))
    )
    certificate = json.loads(blocks["certificate"])
    assert len(kernel.judge(certificate, model, domain)) == len(certificate["claims"])
    certificate["claims"][0]["supremum"] = "-2"
    with pytest.raises(checker.Rejected):
        kernel.judge(certificate, model, domain)


def test_one_answer_to_what_is_produced(program):
    """Certificates of random networks on sets of every kind: accepted by all judges, but for what lies at infinity."""
    judged = beyond = 0
    for _, net, domain, _, _ in cases(48, 1200):
        for _, certificate in certificates(net, domain):
            for claim in certificate["claims"]:
                one = {**certificate, "claims": [claim]}
                assert answer(checker.check, one, net, domain) is None
                said = answer(kernel.judge, one, net, domain)
                beyond += said is not None
                judged += 1
                assert said is None or (BEYOND.search(said) and claim.get("stable") is not None), (said, claim)
    assert judged > 250
    assert beyond < judged / 5


def false_claims(rng, verdict, model, domain):
    """Claims that the truth about a neuron contradicts, with proofs that are good for the true ones."""
    head, own = {"layer": verdict.layer, "neuron": verdict.neuron}, dict(verdict.claim)
    supremum = oracles.INFINITE if verdict.supremum == "inf" else verdict.supremum
    proofs = [{"proof": own["proof"]}] if "proof" in own else [{}]
    somewhere = [str(Fraction(rng.randint(-8, 8), rng.randint(1, 3))) for _ in range(domain.dimension)]
    if supremum == oracles.INFINITE or supremum > 0:
        for proof in [*proofs, {"proof": [{}]}]:
            yield head | proof | {"status": "dead"}
            yield head | proof | {"status": "dead", "stable": True}
            yield head | proof | {"status": "dead", "supremum": "0", "point": somewhere}
    else:
        yield head | {"status": "alive", "point": somewhere}
        yield head | {"status": "alive", "supremum": "inf", "point": somewhere, "ray": somewhere}
    if supremum != oracles.INFINITE:
        for wrong in (supremum - Fraction(1, 2**60), supremum + Fraction(1, 2**60), supremum - 1):
            yield own | {"status": "alive" if supremum > 0 else "dead", "supremum": str(wrong)}


def test_false_claims_are_refused(program):
    rng, offered = random.Random(12), 0
    for _, net, domain, _, _ in cases(24, 1500):
        for found, certificate in certificates(net, domain):
            for verdict in found:
                if verdict.supremum is None:
                    continue
                for claim in false_claims(rng, verdict, net.checked, domain.checked):
                    said = answer(kernel.judge, {**certificate, "claims": [claim]}, net, domain)
                    assert said is not None, claim
                    offered += 1
    assert offered > 400


def test_wide_layers_do_not_overflow(program):
    """Wide layers of equal neurons add up; no sum is cut off anywhere: dead neurons are dead, living ones are not."""
    for width in (130, 300):
        first = ([[1, 0]] * width, [0] * width)
        layers = [first, ([[1] * width, [-1] * width], [0, 0]), ([[2**40, 0], [0, 1]], [-1, -1])]
        net, domain = as_network(layers), Polyhedron.box([(1, 2), (0, 1)])
        head = {"layer": 3, "neuron": 0, "proof": [{"coarse": []}], "status": "dead"}
        base = {"derive": [[1], [2]], "points": []}
        bound = checker.FORMAT, net.digest, domain.checked.digest()
        certificate = base | dict(zip(("geomrelu", "model", "domain"), bound, strict=True))
        assert "does not prove" in answer(kernel.judge, {**certificate, "claims": [head]}, net, domain)
        assert answer(kernel.judge, {**certificate, "claims": [head | {"neuron": 1}]}, net, domain) is None


def test_large_proofs_at_corners(program):
    """Trees of boxes in fixed point, where corners are looked at: plain judge, batch judge and kernel agree."""
    rng, judged = random.Random(5), 0
    for seed in range(4):
        net = as_network(network(random.Random(seed), (3, 8, 8, 4), "rational"))
        domain = Polyhedron.box([(-1, 1)] * 3)
        for _, certificate in certificates(net, domain):
            for claim in certificate["claims"]:
                one = {**certificate, "claims": [claim]}
                answers = [
                    answer(lambda data, model, where: checker.check(data, model, where, Quick), one, net, domain),
                    answer(checker.check, one, net, domain),
                    answer(kernel.judge, one, net, domain),
                ]
                assert answers == [None] * 3
                judged += 1
                damaged = [dict(node) for node in claim.get("proof", ())]
                if len(damaged) > 1:
                    del damaged[rng.randrange(len(damaged))]
                    assert (
                        answer(kernel.judge, {**one, "claims": [{**claim, "proof": damaged}]}, net, domain) is not None
                    )
    assert judged > 60


def words(rng, layers):
    """Evidence in the program's own words, all of it drawn: names, derivations, trees and leaves."""
    some = lambda *of: str(rng.choice(of))  # noqa: E731
    number = lambda: some(*range(-3, 4), 2**28, -(2**28), 10**30, rng.randint(-(10**6), 10**6))  # noqa: E731
    positive = lambda: some(1, 1, 1, 2, 3, 7, 16, 2**28)  # noqa: E731

    def lists(width):
        count = rng.choice((0, 0, width, width + 1))
        return " ".join([str(count), *(number() for _ in range(count))])

    for name in "abc":
        flags = f"{some(0, 1)} {some(0, 0, 0, 1)}"
        tail = " ".join(lists(rng.choice(layers)) for _ in range(3))
        yield f"choice {name} {positive()} {flags} {positive()} {positive()} {positive()} {tail}"
    for name in "AB":
        yield f"plan {name} " + " ".join(rng.choice("abc") for _ in layers)
    for name in "mn":
        pairs = " ".join(f"{rng.randint(0, 3)} {number()}" for _ in range(rng.randint(0, 2)))
        yield f"finish {name} {positive()} {positive()} {some(0, 1)} {pairs}"

    def tree(depth):
        for _ in range(rng.randint(0, 2)):
            at = rng.randint(1, len(layers))
            mask = "*" if rng.random() < 0.7 else "".join(rng.choice("01") for _ in range(layers[at - 1]))
            over = some("-", 1, 7, 2**28)
            yield f"derive {at} {some(0, 1)} {some(0, 1, 1)} {some(0, 1, 1)} {over} {some(*'AB')} {some(*'mn')} {mask}"
        if depth == 0 or rng.random() < 0.3:
            yield f"leaf {some(*'AB')} {some(*'mn')}"
            return
        if rng.random() < 0.5:
            yield f"input {rng.randint(0, 2)} {number()} {positive()} {some(0, 1)}"
        else:
            yield f"neuron {rng.randint(1, len(layers))} {rng.randint(0, 3)}"
        yield from tree(depth - 1)
        yield from tree(depth - 1)

    yield from tree(rng.randint(0, 3))


def drawn(seed, count, each, folder, program):
    """False statements with drawn evidence offered, and those that were proved; true ones that were proved."""
    rng, offered, proved, useful = random.Random(seed), 0, [], 0
    for _, net, domain, _, _ in cases(count, seed):
        if domain.checked.points is not None:
            continue
        verdicts = [v for report in decide(net, domain) for v in report.verdicts if v.supremum is not None]
        model, true, asked = net.checked, set(), []
        widths = [len(layer.rows) for layer in model.layers]
        for verdict in verdicts:
            highest = Fraction(10**6) if verdict.supremum == "inf" else Fraction(verdict.supremum)
            for _ in range(each):
                shift = rng.choice((Fraction(1, 2**60), Fraction(1, 10**9), Fraction(1, 3), Fraction(5)))
                false = rng.random() < 0.9
                bound = highest - shift if false or verdict.supremum == "inf" else highest + rng.randint(0, 40)
                said = f"below {verdict.layer} {verdict.neuron} 1 {bound.numerator} {bound.denominator}"
                true |= set() if bound < highest or verdict.supremum == "inf" else {said}
                evidence = list(words(rng, widths))
                asked.append(kernel.Statement(said, 0, lambda _, e=evidence: iter(("tree", *e))))
        lines = list(kernel.text({}, model, domain.checked, asked, rng.random() < 0.5, []))
        corners = next(k for k, line in enumerate(lines) if line.startswith("root"))
        lines[corners] = f"root {rng.randint(0, 1)}"
        (folder / "t").write_text("\n".join(lines) + "\n")
        done = subprocess.run([program, folder / "t"], capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stderr
        answers = [line.split(" ", 1) for line in done.stdout.splitlines()]
        assert [said for _, said in answers] == [s.words for s in asked]
        offered += sum(said not in true for _, said in answers)
        proved += [(lines, said) for how, said in answers if how == "proved" and said not in true]
        useful += sum(how == "proved" and said in true for how, said in answers)
    return offered, proved, useful


def test_drawn_evidence_never_proves_too_much(program, tmp_path):
    """Whatever stands in the text as evidence, nothing false is proved."""
    offered, proved, useful = drawn(31, 24, 12, tmp_path, program)
    assert proved == []
    assert offered > 1000
    assert useful > 20


def test_prunings(program):
    """A smaller network that is equal is accepted, one that lacks another neuron is not."""
    rng, judged, refused = random.Random(8), 0, 0
    for _, net, domain, kind, _ in cases(40, 77):
        if kind not in ("box", "flat box", "V", "points"):
            continue
        reports = list(decide(net, domain))
        try:
            found = prune(net, domain, reports)
        except InputError:
            continue
        data = json.loads(json.dumps(found.certificate), parse_float=str)
        counts = checker.check_pruning(data, net.checked, domain.checked, found.network.checked)
        assert kernel.judge_pruning(data, net.checked, domain.checked, found.network.checked) == counts
        judged += 1
        if not data["removed"]:
            continue
        lie = {**data, "removed": [r for r in data["removed"] if r != rng.choice(data["removed"])]}
        lie["claims"] = [c for c in data["claims"] if c["status"] != "dead"]
        for bad in (lie, {**data, "claims": lie["claims"]}, {**data, "removed": [], "claims": lie["claims"]}):
            if bad["removed"] != data["removed"] or bad["claims"] != data["claims"]:
                with pytest.raises(checker.Rejected):
                    kernel.judge_pruning(bad, net.checked, domain.checked, found.network.checked)
                refused += 1
    assert judged >= 10
    assert refused >= 10


def test_long_numbers(program):
    """Numbers of any length that the judge reads are written and read back."""
    net, domain = as_network([([[1, -1]], [0])]), Polyhedron.space(2)
    head = {"geomrelu": checker.FORMAT, "model": net.digest, "domain": domain.checked.digest()}
    for large in ("1e9999", "-1e9999", f"{10**4200 + 1}/3"):
        claim = {"layer": 1, "neuron": 0, "status": "alive", "point": [large, "0"]}
        same = answer(checker.check, {**head, "claims": [claim]}, net, domain) is None
        assert (answer(kernel.judge, {**head, "claims": [claim]}, net, domain) is None) == same
        value = {"layer": 1, "neuron": 0, "status": "dead", "stable": False, "supremum": large, "point": [large, "0"]}
        assert answer(kernel.judge, {**head, "claims": [value]}, net, domain) is not None


def test_the_handed_overflow_is_refused(program, shared):
    """A certificate that an earlier judge accepted: the neuron is at least 2 * 10^14 everywhere."""
    folder = shared / "cases" / "check" / "overflow"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent")
    read = [json.loads((folder / f"{name}.json").read_text(), parse_float=str) for name in ("cert", "model", "domain")]
    certificate, model, domain = read[0], checker.Model.parse(read[1]), checker.Domain.parse(read[2])
    certificate |= {"geomrelu": checker.FORMAT, "model": model.digest(), "domain": domain.digest()}
    layers = [[level] for level in range(1, 4)]
    for derived in ({}, {"derive": layers}):
        with pytest.raises(checker.Rejected):
            kernel.judge(certificate | derived, model, domain)


def test_the_command(program, tmp_path):
    """`geomrelu check --kernel` on files, and a statement that is false in one of them."""
    net = Network.from_layers(
        [([[1, 1], [1, -1]], [0, 0], "relu"), ([[1, -1], [-1, -1]], [-3, Fraction(1, 2)], "relu")]
    )
    domain = Polyhedron.box([(0, 2), (0, 1)])
    net.save(tmp_path / "m.json")
    write_domain(domain, tmp_path / "d.json")
    paths = []
    for k, (_, certificate) in enumerate(certificates(net, domain)):
        paths.append(tmp_path / f"c{k}.json")
        paths[-1].write_text(json.dumps(certificate))
    command = [
        sys.executable,
        "-m",
        "geomrelu",
        "check",
        "--model",
        tmp_path / "m.json",
        "--domain",
        tmp_path / "d.json",
    ]
    done = subprocess.run([*command, "--kernel", *paths], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("accepted") == len(paths)
    false = json.loads(paths[-1].read_text())
    false["claims"][0]["status"] = "active"
    paths[-1].write_text(json.dumps(false))
    done = subprocess.run([*command, "--kernel", *paths], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "REJECTED" in done.stdout


@pytest.mark.parametrize(
    "text",
    [
        "",
        "geomrelu-kernel 2\n",
        "geomrelu-kernel 1\nnetwork\nlayer 0 -\nrow 1\nrows 1\nlow 0\nhigh 1\nroot 0\nclaim positive 1 0 at 1 0\n",
        "geomrelu-kernel 1\nnetwork\nlayer 1 -\nrow 1 | 1\nrows 1\nlow 0\nhigh 1\nroot 0\n",
        "geomrelu-kernel 1\nnetwork\nlayer 1 -\nrow 1 | x\nrows 1\nlow 0\nhigh 1\nroot 0\nclaim positive 1 0 at 1 0\n",
        "geomrelu-kernel 1\nnetwork\nlayer 1 -\nrow 1 | 1\nrows 1\nlow 0\nhigh 1\nroot 0\nclaim below 1 0 1 9 1 tree\n",
        "geomrelu-kernel 1\nnetwork\nlayer 1 -\nrow 1 | 1\nrows 1\nlow 0\nhigh 1\nroot 0\nclaim positive 2 0 at 1 0\n",
    ],
)
def test_unreadable_texts(program, tmp_path, text):
    """One line that says where, and exit code 2."""
    (tmp_path / "t").write_text(text)
    done = subprocess.run([program, tmp_path / "t"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


def test_statements_in_words(program, tmp_path):
    """The program by hand: one neuron x - y on [0, 1]^2, and what it proves and refuses of it."""
    head = "geomrelu-kernel 1\nnetwork\nlayer 1 -\nrow 0 | 1 -1\nrows 1\nlow 0 0\nhigh 1 1\nroot 0\n"
    names = "choice e 1 0 0 1 1 1 0 0 0\nplan E e\nfinish n 1 1 0\n"
    leaf = "leaf E n\n"
    (tmp_path / "t").write_text(
        f"{head}claim below 1 0 1 1 1 tree\n{names}{leaf}claim below 1 0 1 999 1000 tree\n{leaf}"
        "claim positive 1 0 at 2 1 0\nclaim positive 1 0 at 2 3 0\nclaim attains 1 0 1 2 at 2 1 0\n"
        "claim unbounded 1 0 ray at 1 0 0 / at 1 1 0\n"
    )
    done = subprocess.run([program, tmp_path / "t"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.split("\n") == [
        "proved below 1 0 1 1 1",
        "refused below 1 0 1 999 1000",
        "proved positive 1 0",
        "refused positive 1 0",
        "proved attains 1 0 1 2",
        "refused unbounded 1 0",
        "",
    ]
