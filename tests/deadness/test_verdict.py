"""What a verdict keeps of its claim, and that it gives back what it was given."""

import json
import pickle
import random
import weakref
from dataclasses import replace

import pytest
from families import as_network, minima
from trees import objects

from geomrelu import Polyhedron, Status
from geomrelu import decide as front
from geomrelu.certificates import files
from geomrelu.certificates.files import Packed, Shared
from geomrelu.deadness.verdict import Verdict


def tree(rng, count):
    """So many nodes of all kinds that proofs have."""
    nodes = [
        {"split": ["x", 1, "-3/4"], "derive": [[1], [2, [0, 3]]]},
        {"split": ["neuron", 2, 7]},
        {"coarse": ["00g", ""], "derive": [[1], [2, []]]},
        {"splits": {"0": "1/3", "12": str(10**40)}, "equalities": {"0": "-5"}, "slopes": ["0g"]},
        {"derive": [[1, 4, "upper", {"rows": {"2": "7"}}]]},
        {},
    ]
    return [rng.choice(nodes) for _ in range(count)]


def dead(claim):
    return Verdict(2, 3, Status.DEAD, True, None, "why", claim)


@pytest.mark.parametrize("count", [0, 1, 2, Packed.SOME - 1, Packed.SOME, Packed.SOME + 1, 2 * Packed.SOME + 7])
def test_a_claim_is_what_was_given(count):
    claim = {"layer": 2, "proof": tree(random.Random(count), count), "stable": True, "point": ["1/3", "0"]}
    text, one = json.dumps(claim), dead(claim)
    for same in (one, replace(one, reason="why"), pickle.loads(pickle.dumps(one)), dead(one.claim)):
        assert same == one
        assert json.dumps(same.claim) == text  # keys in their order, too
    assert json.dumps(claim) == text
    assert one != dead({**claim, "proof": [*claim["proof"], {}]})


def test_claims_without_trees():
    assert Verdict(1, 0, Status.UNDECIDED, None, None, "").claim is None
    leaf, shared = [{"coarse": ["0"]}], Shared(None, 3)
    assert dead({"proof": leaf}).claim["proof"] is leaf  # a whole layer may share it
    assert dead({"proof": shared}).claim["proof"] is shared
    assert [dead(c).is_shared for c in (None, {}, {"proof": leaf}, {"proof": shared})] == [False, False, False, True]
    assert dead({"point": 0}).claim == {"point": 0}


@pytest.fixture
def nested(monkeypatch):
    """A network some of whose neurons have proofs of many nodes."""
    monkeypatch.setattr("geomrelu.deadness.by_pieces.FEW_PIECES", 0)
    monkeypatch.setattr("geomrelu.deadness.decide.is_listed", lambda domain: False)
    return as_network(minima(random.Random(2), 2, 8, "rational")), Polyhedron.box([(-2, 2)] * 2)


def test_large_proofs_are_small(nested):
    """Verdicts stay in memory, and with each a few objects, not its nodes."""
    large = [v for v in front(*nested).verdicts if len((v.claim or {}).get("proof", ())) > 20]
    assert len(large) >= 2
    assert min(len(objects(v.claim)) for v in large) > 40
    assert max(len(objects(v)) for v in large) < 10


@pytest.mark.parametrize("count", [0, 1, 2, Packed.SOME, Packed.SOME + 1, 2 * Packed.SOME + 7])
def test_packed_proofs_are_written_as_they_are(count, tmp_path):
    """Byte for byte as without packing, and nodes are taken one after the other."""
    nodes = tree(random.Random(count), count)
    packed = files.packed(json.loads(json.dumps(node)) for node in nodes)
    assert isinstance(packed, Packed) is (count > 1)
    assert len(packed) == count
    for data in ({"claims": [{"proof": packed, "stable": True}]}, [packed, {"a": packed}], packed):
        files.save(tmp_path / "proof.json", data)
        text = json.dumps(data, default=lambda proof: proof.proof())
        assert (tmp_path / "proof.json").read_text() == text
    with pytest.raises(TypeError, match="set is not JSON"):
        files.save(tmp_path / "proof.json", {"a": {1}})
    assert (tmp_path / "proof.json").read_text() == text


def test_packing_holds_few_nodes():
    """However many come."""

    class Node(dict):
        """Somebody may look if it is still there."""

    alive, most = [], 0

    def nodes():
        nonlocal alive, most
        for k in range(10 * Packed.SOME):
            node = Node(slopes=[str(k)])
            alive.append(weakref.ref(node))
            if not k % 100:
                alive = [one for one in alive if one() is not None]
                most = max(most, len(alive))
            yield node

    packed = Packed(nodes())
    assert len(packed) == 10 * Packed.SOME
    assert most <= 3 * Packed.SOME
    assert len(objects(packed)) < 10


def test_large_proofs_are_not_unpacked_to_be_written(nested, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Packed, "proof", None)
        report = front(*nested, certificates=tmp_path / "at once")
        report.save(tmp_path / "later")
    large = [v for v in report.verdicts if isinstance((v.packed or {}).get("proof"), Packed)]
    assert len(large) >= 3
    for verdict in large:
        name = f"layer-{verdict.layer}-neuron-{verdict.neuron}.json"
        first, later = ((tmp_path / folder / name).read_text() for folder in ("at once", "later"))
        assert first == later
        assert json.loads(first)["claims"][0]["proof"] == verdict.claim["proof"]
    assert report.check() == len(report.verdicts)
