"""What a verdict keeps of its claim, and that it gives back what it was given."""

import gc
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
from geomrelu.certificates.files import Shared
from geomrelu.deadness import verdict as verdicts
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


@pytest.mark.parametrize("count", [0, 1, 2, verdicts.SOME - 1, verdicts.SOME, verdicts.SOME + 1, 2 * verdicts.SOME + 7])
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


def test_claims_are_written_one_by_one(nested, tmp_path, monkeypatch):
    """However many large proofs a layer has, two at most are unpacked at a time."""

    class Nodes(list):
        """Somebody may look if it is still there."""

    alive, most, unpack = [], [], verdicts._Packed.proof

    def unpacked(packed):
        nodes = Nodes(unpack(packed))
        alive.append(weakref.ref(nodes))
        gc.collect()
        most.append(sum(one() is not None for one in alive))
        return nodes

    monkeypatch.setattr(verdicts._Packed, "proof", unpacked)
    report = front(*nested, certificates=tmp_path / "at once")
    report.save(tmp_path / "later")
    large = sum("_Packed" in repr(v.__dict__) for v in report.verdicts)
    assert large >= 3
    assert len(most) >= 3 * large
    assert max(most) <= 2
    own = ({p.name: p.read_text() for p in (tmp_path / d).glob("*neuron*.json")} for d in ("at once", "later"))
    first, later = own
    assert first == later
    assert len(first) == large
