"""False prunings: neurons removed, folded, merged that must not be; networks computed from what the words mean."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from attack import grammar, networks
from attack.assaults import Claim, Field, Key, with_proof
from attack.judges import Case
from attack.networks import Net


def rewritten(row: networks.Row, forms: list[networks.Row]) -> networks.Row:
    """A form in other variables: what each old one is in them."""
    bias, slope = row[0], dict[int, Fraction]()
    for j, w in row[1].items():
        bias += w * forms[j][0]
        for k, v in forms[j][1].items():
            slope[k] = slope.get(k, Fraction(0)) + w * v
    return bias, {k: v for k, v in sorted(slope.items()) if v}


def smaller(
    net: Net, removed: list[Key], folded: list[Key], merged: list[tuple[int, int, int, Fraction]]
) -> Net | None:
    """The network without some neurons, written out from what the words mean; None if nothing is left of it.

    A removed neuron is 0, a folded one what is before its ReLU, a merged one a multiple of another of its layer.
    """
    gone = {(level, i): (j, c) for level, i, j, c in merged}
    forms: list[networks.Row] = [(Fraction(0), {j: Fraction(1)}) for j in range(net.inputs)]
    result, count = Net(net.inputs, []), net.inputs

    for level, layer in enumerate(net.layers, 1):
        kept, own = list[networks.Row](), dict[int, networks.Row]()
        for i, row in enumerate(layer):
            if (level, i) in removed:
                own[i] = Fraction(0), {}
            elif (level, i) in folded:
                own[i] = rewritten(row, forms)
            elif (level, i) not in gone:
                own[i] = Fraction(0), {count: Fraction(1)}
                kept.append(rewritten(row, forms))
                count += 1
        for i in range(len(layer)):
            if (level, i) in gone:
                j, c = gone[level, i]
                if j not in own or len(own[j][1]) != 1 or own[j][0]:
                    return None
                own[i] = Fraction(0), {k: c * v for k, v in own[j][1].items()}
        if kept:
            result.layers.append(kept)
        forms += [own[i] for i in range(len(layer))]
    if not result.layers:
        return None
    last = net.output
    if last is None:
        if not any(level == len(net.layers) for level, *_ in [*removed, *folded, *merged]):
            return result
        start = net.first(len(net.layers))
        last = [(Fraction(0), {j: Fraction(1)}) for j in range(start, start + net.widths[-1])]
    result.output = [rewritten(row, forms) for row in last]
    return result


def prunings(field_: Field, produced: list[Claim], true: Any, count: int) -> None:
    """False prunings: neurons removed, folded and merged that must not be; and a true one, changed."""
    rng, net, where = field_.rng, field_.net, field_.where
    if true is not None:
        certificate, model = true
        against = Case(model, where.data)
        field_.judge("pruning", certificate, None, against)
        for _ in range(count // 4):
            field_.judge("pruning damaged", grammar.damaged(rng, certificate), None, against)
    for _ in range(count):
        removed, folded, merged = list[Key](), list[Key](), list[tuple[int, int, int, Fraction]]()
        claims = list[Claim]()
        for key in rng.sample(sorted(field_.known), min(len(field_.known), rng.randint(1, 2))):
            about = [c for c in produced if (c["layer"], c["neuron"]) == key]
            kind = rng.randrange(3)
            if kind == 2:
                j = rng.randrange(net.widths[key[0] - 1])
                slope, other = (net.layers[key[0] - 1][k][1] for k in (key[1], j))
                ratio = next((slope.get(k, Fraction(0)) / v for k, v in other.items() if v), Fraction(1))
                merged.append((*key, j, ratio + (grammar.tiny(rng) if rng.random() < 0.3 else 0)))
                continue
            (removed, folded)[kind].append(key)
            status = ("dead", "active")[kind]
            proof = grammar.tree(rng, field_.shape(key[0]), rng.choice((0, 0, 2))).proof()
            claim = with_proof(field_, {"layer": key[0], "neuron": key[1], "status": status}, proof)
            claims.append(rng.choice(about) if about and rng.random() < 0.3 else claim)
        changed = smaller(net, removed, folded, merged)
        if changed is None:
            continue
        probes = [*where.points[:4], *[where.somewhere(rng) for _ in range(0 if where.is_empty else 6)]]
        probes += [p for key in field_.known for p in (field_.known[key].highest,) if p]
        differs = any(changed.outputs(p) != net.outputs(p) for p in probes)
        other = Case(changed.json(), where.data)
        changes = {
            "removed": [list(k) for k in removed],
            "folded": [list(k) for k in folded],
            "merged": [[level, i, j, str(c)] for level, i, j, c in merged],
        }
        certificate = field_.case.pruning(field_.certificate(*claims), other, changes)
        field_.judge("pruning", certificate, False if differs else None, other)
