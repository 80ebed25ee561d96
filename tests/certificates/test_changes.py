"""Networks without some neurons, computed and judged quickly, are those of the plain judge."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from families import lean, network, rational

from geomrelu import Polyhedron, checker
from geomrelu.certificates import changes


def models(count, seed):
    """Dense chains and rows over any variables before, with and without a map after the last ReLU."""
    rng = random.Random(seed)
    for k in range(count):
        if k % 3:
            widths = rng.choice(((2, 4, 3), (1, 5, 4, 2), (3, 3, 3, 3)))
            layers = lean(network(rng, widths, ("rational", "ternary", "degenerate", "scaled")[k % 4]), rng)
            data = {"layers": [{"weights": rows, "bias": bias} for rows, bias in layers]}
        else:
            data, total = {"inputs": 2, "layers": []}, 2
            for width in (3, 4, 3):
                rows = []
                for _ in range(width):
                    read = rng.sample(range(total), rng.randint(0, total))
                    rows.append([str(rational(rng)), *(x for j in read for x in (j, str(rational(rng))))])
                data["layers"].append({"rows": rows})
                total += width
        data = {**data, "layers": [spelled(layer) for layer in data["layers"]]}
        if rng.random() < 0.5:
            data["layers"][-1]["activation"] = "none"
        yield rng, checker.Model.parse(data)


def spelled(layer):
    if "rows" in layer:
        return layer
    return {"weights": [list(map(str, row)) for row in layer["weights"]], "bias": list(map(str, layer["bias"]))}


def some_fates(rng, model):
    """Neurons that are changed, whether or not they may be; at least one stays."""
    places = [(level, i) for level, layer in enumerate(model.layers, 1) for i in range(len(layer.rows))]
    chosen = rng.sample(places, rng.randint(0, len(places) - 1))
    fates = {place: (rng.choice(("removed", "folded")), None) for place in chosen}
    for level, i in chosen:
        others = [j for j in range(len(model.layers[level - 1].rows)) if (level, j) not in fates]
        if others and rng.random() < 0.4:
            fates[level, i] = "merged", (rng.choice(others), abs(rational(rng)) + Fraction(1, 3))
    return fates


def changed(rng, model):
    """Another network that differs in one thing."""
    layers = [checker.Layer(list(layer.rows), layer.denominator) for layer in model.layers]
    output = model.output and checker.Layer(list(model.output.rows), model.output.denominator)
    some = rng.choice([*layers, *([output] if output else [])])
    at = rng.randrange(len(some.rows))
    bias, columns, entries = some.rows[at]
    kind = rng.choice(("bias", "weight", "read", "row", "twice", "output", "inputs", "layer"))
    if kind == "bias":
        some.rows[at] = bias + 1, columns, entries
    elif kind == "weight" and entries:
        some.rows[at] = bias, columns, [*entries[:-1], 2 * entries[-1]]
    elif kind == "read" and entries:
        some.rows[at] = bias, columns[:-1], entries[:-1]
    elif kind == "row" and len(some.rows) > 1:
        some.rows.pop()
    elif kind == "output":
        output = None if output else checker.Layer([(0, [0], [1])], 1)
    elif kind == "inputs":
        return checker.Model(model.inputs + 1, layers, output)
    elif kind == "layer" and output is not None:
        layers, output = [*layers, output], None
    else:
        some.rows.append(some.rows[at])
    return checker.Model(model.inputs, layers, output)


def test_what_is_computed_is_what_the_plain_judge_computes():
    kinds = dict.fromkeys(checker.CHANGES, 0)
    for rng, model in models(150, 5):
        for _ in range(4):
            fates = some_fates(rng, model)
            for kind, _ in fates.values():
                kinds[kind] += 1
            assert changes.pruned(model, fates).whole_digest() == checker.pruned(model, fates).whole_digest()
    assert min(kinds.values()) > 300, kinds


def certificate_of(model, fates, smaller):
    """All that is changed is claimed to be so; nobody looks at proofs here."""
    found = {key: [[*at] for at, (kind, _) in fates.items() if kind == key] for key in ("removed", "folded")}
    found["merged"] = [[*at, what[0], str(what[1])] for at, (kind, what) in fates.items() if kind == "merged"]
    word = {"removed": "dead", "folded": "active"}
    claims = [
        {"layer": at[0], "neuron": at[1], "status": word[kind]} for at, (kind, _) in fates.items() if kind in word
    ]
    return {**found, "smaller": smaller.whole_digest()}, claims


def plain_changes(certificate, model, claims, smaller):
    """The plain judge, once the claims have been proved."""
    fates = checker.fates_of(certificate, model)
    checker.require_claims(model, fates, claims)
    equal = checker.pruned(model, fates).whole_digest() == smaller.whole_digest()
    checker.require(equal, "the smaller network is another one")
    return {key: len(certificate.get(key, [])) for key in checker.CHANGES}


def both(certificate, model, claims, smaller):
    """What the two say, the reason included."""
    answers = []
    for judge in (plain_changes, changes.check_changes):
        try:
            answers.append(judge(certificate, model, claims, smaller))
        except checker.Rejected as problem:
            answers.append(str(problem))
    return answers


def test_both_judges_say_the_same_of_true_and_false_smaller_networks():
    accepted = refused = 0
    for rng, model in models(150, 6):
        fates = {at: what for at, what in some_fates(rng, model).items() if what[0] != "merged"}
        good = checker.pruned(model, fates)
        certificate, claims = certificate_of(model, fates, good)
        plain, quick = both(certificate, model, claims, good)
        assert plain == quick and plain["removed"] + plain["folded"] == len(fates)
        accepted += 1
        for _ in range(6):
            wrong = changed(rng, good)
            plain, quick = both(certificate, model, claims, wrong)
            assert plain == quick
            refused += plain == "the smaller network is another one"
    assert accepted == 150 and refused > 800


def test_both_judges_refuse_the_same_changes():
    model = checker.Model.parse({"layers": [{"weights": [[1], [2], [4]], "bias": [1, 2, 4]}, {"weights": [[1, 1, 1]]}]})
    merged, claim = [1, 1, 0, "2"], {"layer": 1, "neuron": 0, "status": "dead"}
    last = {"layer": 2, "neuron": 0, "status": "dead"}
    all_dead = [{**claim, "neuron": i} for i in range(3)]
    for certificate, claims, reason in (
        ({"merged": [merged, [1, 0, 2, "1/4"]]}, [], "merged into one that is changed itself"),
        ({"merged": [merged], "removed": [[1, 0]]}, [claim], "merged into one that is changed itself"),
        ({"merged": [[1, 1, 1, "1"]]}, [], "merged into one that is changed itself"),
        ({"merged": [merged], "removed": [[1, 1]]}, [], "changed twice"),
        ({"merged": [[1, 1, 0, "3"]]}, [], "not a positive multiple"),
        ({"removed": [[1, 0], [1, 1], [1, 2], [2, 0]]}, [*all_dead, last], "the smaller network is another one"),
        ({"folded": [[1, 0]]}, [claim], "without a claim"),
        ({"removed": 3}, [], "expected a list as"),
        ({"merged": [merged]}, [], "another one"),
    ):
        plain, quick = both(certificate, model, claims, model)
        assert reason in plain and quick == plain


def test_a_pruning_is_read_as_the_plain_judge_reads_it():
    model = checker.Model.parse({"layers": [{"weights": [[1], [-1]], "bias": [0, -1]}, {"weights": [[1, 1]]}]})
    box = Polyhedron.box([(0, 1)]).checked
    smaller = checker.pruned(model, {(1, 1): ("removed", None)})
    good = {
        "geomrelu": checker.PRUNING,
        "model": model.whole_digest(),
        "domain": box.digest(),
        "smaller": smaller.whole_digest(),
        "claims": [{"layer": 1, "neuron": 1, "status": "dead", "proof": [{}]}],
        "removed": [[1, 1]],
    }
    assert changes.check_pruning(good, model, box, smaller) == checker.check_pruning(good, model, box, smaller)
    for bad in (
        7,
        {**good, "geomrelu": checker.FORMAT},
        {**good, "more": 1},
        {**good, "model": "0"},
        {**good, "domain": "0"},
        {**good, "smaller": "0"},
        {**good, "claims": None},
        {**good, "claims": []},
        {**good, "claims": [{**good["claims"][0], "neuron": 0}]},
        {**good, "removed": []},
    ):
        reasons = []
        for judge in (checker.check_pruning, changes.check_pruning):
            with pytest.raises(checker.Rejected) as problem:
                judge(bad, model, box, smaller)
            reasons.append(str(problem.value))
        assert reasons[0] == reasons[1]
