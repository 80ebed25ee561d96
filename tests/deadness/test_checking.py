"""Certificates judged in several processes: the same outcome as in one, whatever is wrong."""

import json

import pytest
from commands import run

import geomrelu
from geomrelu import checker
from geomrelu.certificates import files
from geomrelu.deadness import checking
from geomrelu.geometry.domains import as_domain
from geomrelu.network.front_door import as_network
from geomrelu.parallel import Pool

LAYERS = [
    ([[1, 0], [0, 1], [1, 1], [1, -1]], [0, 0, -3, 0], "relu"),
    ([[1, 1, 0, 0], [-1, -1, 0, 1], [1, 0, 1, -1], [-1, 0, 0, 0], [1, 2, 3, 4]], [-2, "-1/2", 0, 0, -1], "relu"),
]


@pytest.fixture(scope="module")
def pool():
    with Pool(2) as pool:
        yield pool


@pytest.fixture
def parts(monkeypatch):
    """Every file counts as large."""
    monkeypatch.setattr(checking, "LARGE", 0)


@pytest.fixture
def certificates(tmp_path):
    return [
        path
        for k, certificate in enumerate(geomrelu.decide(LAYERS, (-1, 1)).certificates)
        if files.save(path := tmp_path / f"{k}.json", certificate) is None
    ]


def case(judge="fast", smaller=None):
    network, domain = as_network(LAYERS), as_domain((-1, 1), 2)
    return checking.Case(network.checked, [domain.checked], smaller, judge)


def spoilt(path, number):
    """A false claim in the place of a true one."""
    data = json.loads(path.read_text())
    data["claims"][number] = {**data["claims"][number], "status": "dead", "bound": None}
    files.save(path, data)


@pytest.mark.parametrize("judge", ["fast", "plain"])
def test_as_alone(judge, certificates, pool, parts):
    alone = list(checking.judged(certificates, case(judge)))
    assert list(checking.judged(certificates, case(judge), pool, 2)) == alone
    assert sum(found.claims for found in alone) == 9
    assert all(found.problem is None for found in alone)


@pytest.mark.parametrize("wrong", [(0,), (3,), (1, 2), (4,)])
def test_the_first_problem(wrong, certificates, pool, parts):
    """The text names the first claim that is not proved, as in one process."""
    for number in wrong:
        spoilt(certificates[-1], number)
    certificates[0].write_text("[")
    certificates.insert(0, certificates[0].parent / "absent.json")
    alone = [repr(found) for found in checking.judged(certificates, case())]
    assert [repr(found) for found in checking.judged(certificates, case(), pool, 2)] == alone
    assert "Rejected" in alone[-1]
    assert f"neuron {wrong[0]}:" in alone[-1]


def test_many_files(certificates, pool):
    """More of them than are handed out at once, in their order."""
    some = [certificates[k % len(certificates)] for k in range(30)]
    alone = [found.claims for found in checking.judged(some, case())]
    assert [found.claims for found in checking.judged(some, case(), pool, 2)] == alone


def test_data_and_the_front_door(certificates):
    report = geomrelu.decide(LAYERS, (-1, 1))
    assert geomrelu.check(report, LAYERS, (-1, 1), workers=2) == 9
    assert geomrelu.check(certificates, LAYERS, (-1, 1), workers=2) == 9
    with pytest.raises(checker.Rejected, match="another domain"):
        geomrelu.check(certificates, LAYERS, (-1, 2), workers=2)
    with pytest.raises(geomrelu.InputError, match="workers"):
        geomrelu.check(certificates, LAYERS, (-1, 2), workers=0)


def test_command(capsys, tmp_path):
    """Prunings, unions of boxes and certificates of neurons, together."""
    model = tmp_path / "model.json"
    layers = [{"weights": w, "bias": b, "activation": a} for w, b, a in LAYERS]
    model.write_text(json.dumps({"layers": layers}))
    smaller, out, proof = (tmp_path / name for name in ("smaller.json", "c", "proof.json"))
    assert (
        run(
            capsys,
            "prune",
            model,
            "--domain",
            "box:-1,1",
            "--output",
            smaller,
            "--certificates",
            out,
            "--certificate",
            proof,
        )[0]
        == 0
    )
    written = [*sorted(map(str, out.glob("*.json"))), proof]
    arguments = ["check", *written, "--model", model, "--domain", "box:-1,1", "--smaller", smaller]
    alone = run(capsys, *arguments)
    assert alone[0] == 0 and "equals" in alone[1]
    assert run(capsys, *arguments, "--workers", "2") == alone
