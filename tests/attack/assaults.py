"""The ways of attacking: each takes a field (a network, a set, and what is true there) and offers certificates.

Every answer is compared with the truth and with the answer of the other judge. A hole is a false certificate that was
accepted; a dispute, different answers; a crash, an answer that is neither yes nor no. Any of them is a finding.
"""

from __future__ import annotations

import copy
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from attack import far, grammar, networks
from attack.judges import ACCEPTED, BATCHED, JUDGES, REFUSED, SLOW, Case
from attack.networks import Facts, Net, Place
from attack.rounds import Round

Key = tuple[int, int]
Claim = dict[str, Any]
TRIES = 40  # claims that are drawn in vain
TRUTH = {True: "true", False: "false", None: "unknown"}


@dataclass
class Tally:
    """What was offered, by family and truth, what was accepted, and the findings."""

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def offered(self) -> int:
        return sum(v for key, v in self.counts.items() if key.startswith("offered "))


class Field:
    """A network and a set to lie about.

    Attributes:
        known: what is true of its neurons. points: a table that certificates may number.
        derive: what certificates derive before their proofs begin. parts: the parts on which they derive bounds, or
        None.
    """

    def __init__(
        self, rng: random.Random, net: Net, where: Place, known: dict[Key, Facts], tally: Tally, dense: bool = False
    ) -> None:
        self.rng, self.net, self.where, self.known, self.tally = rng, net, where, known, tally
        judges = JUDGES if max(net.widths) <= BATCHED else JUDGES[:2]
        self.case = Case(net.json(dense), where.data, judges)
        self.points = [] if where.is_empty else [self.spelt(where.somewhere(rng)) for _ in range(2)]
        self.derive: list[Any] = []
        self.parts: list[Any] | None = None
        self.far: list[Claim] = []  # what claims that were found say of infinity
        if not self.case.finite and _affordable(net):
            self.derive = grammar.first(rng, self.shape(1))
            if rng.random() < 0.7:
                self.parts = grammar.parts(rng, self.shape(1), rng.choice((0, 1, 2, 3)))

    def spelt(self, x: list[Fraction]) -> Any:
        """A point as a claim says it."""
        return self.where.said(self.rng, x) if isinstance(self.where, Round) else spelt(x)

    def judge(self, family: str, certificate: Any, truth: bool | None, smaller: Case | None = None) -> bool:
        """Offer a certificate; returns whether any judge accepted it."""
        return self.record(family, certificate, truth, self.case.offer(certificate, smaller), smaller)

    def record(
        self, family: str, certificate: Any, truth: bool | None, answers: dict[str, str], smaller: Case | None = None
    ) -> bool:
        """Compare answers with the truth and with one another."""
        counts, seen = self.tally.counts, set(answers.values())
        accepted = ACCEPTED in seen
        counts[f"offered {family}, {TRUTH[truth]}"] += 1
        counts[f"accepted {family}, {TRUTH[truth]}"] += accepted
        found = [
            what
            for what, holds in (
                ("hole", accepted and truth is False),
                ("crash", bool(seen - {ACCEPTED, REFUSED, SLOW})),
                ("dispute", len(seen - {SLOW}) > 1),
                ("slow", SLOW in seen),
            )
            if holds
        ]
        if found:
            self.find(found, family, truth, answers, certificate, smaller)
        return accepted

    def find(
        self,
        kinds: list[str],
        family: str,
        truth: bool | None,
        answers: dict[str, str],
        certificate: Any,
        smaller: Case | None,
    ) -> None:
        """Keep a finding."""
        self.tally.counts.update(f"finding {what}" for what in kinds)
        self.tally.findings.append(
            {
                "kinds": kinds,
                "family": family,
                "truth": TRUTH[truth],
                "answers": answers,
                "model": self.case.files[0],
                "domain": self.case.files[1],
                "certificate": certificate,
                **({"smaller": smaller.files[0]} if smaller else {}),
            }
        )

    def claim(self, family: str, *claims: Claim) -> bool:
        """Offer a certificate of claims."""
        found = [self.truth(claim) for claim in claims]
        truth = False if False in found else None if None in found else True
        return self.judge(family, self.certificate(*claims), truth)

    def claims(self, family: str, claims: list[Claim]) -> None:
        """Offer claims one by one that share what is derived first, which takes long in wide networks."""
        answers = self.case.offer_each(self.certificate(*claims)) if claims else []
        for claim, said in zip(claims, answers, strict=True):
            self.record(family, self.certificate(claim), self.truth(claim), said)

    def truth(self, claim: Claim) -> bool | None:
        return networks.truth(claim, self.known, self.where.is_empty)

    def certificate(self, *claims: Claim) -> dict[str, Any]:
        return self.case.certificate(list(claims), self.points, self.derive, self.parts)

    def bound(self, tree: grammar.Tree, key: Key, sign: int) -> Fraction | None:
        """What guides a climb; now and then, whether all judges find this bound, to the last digit."""
        proof, guide = tree.proof(), self.rng.random() < 0.7
        found = self.case.bounds(proof, *key, sign, self.derive, guide)
        if not guide:
            self.tally.counts["compared bounds"] += 1
            if len(set(found.values())) > 1:
                said = {name: str(value) for name, value in found.items()}
                claim = {"layer": key[0], "neuron": key[1], "status": "dead" if sign > 0 else "active", "proof": proof}
                self.find(["bounds"], "compared", None, said, self.certificate(claim), None)
        about = self.known[key]
        true = about.sup[0] if sign > 0 else None if about.inf[1] in (None, "-inf") else -about.inf[1]
        bound: Fraction | None = found["batch"]
        if bound is not None and isinstance(true, Fraction) and bound < true:
            self.find(["hole"], "compared", False, {"batch": str(bound), "true": str(true)}, proof, None)
        return bound

    def shape(self, level: int) -> grammar.Shape:
        """What a proof about a neuron of a layer may refer to."""
        cuts: list[list[Fraction]] = [[] for _ in range(self.net.inputs)]
        marks = [p for (k, _), about in self.known.items() if k == level for p in (about.highest, about.lowest) if p]
        for p in [*marks[:6], *self.where.points[:6]]:
            for j, x in enumerate(p):
                if x not in cuts[j]:
                    cuts[j].append(x)
        derived = 0
        for item in self.derive:
            derived += isinstance(item, list) and item == [derived + 1]
        return grammar.Shape(
            level,
            self.net.inputs,
            self.net.widths,
            self.case.rows,
            self.case.equalities,
            self.case.box,
            cuts,
            derived,
            level <= self.case.fits,
        )


def spelt(point: list[Fraction]) -> list[str]:
    return [str(x) for x in point]


# ---- claims -----------------------------------------------------------------------------------------------------


def a_point(field_: Field, key: Key) -> tuple[Any, list[Fraction] | None]:
    """A point as a claim says it, and where it is; mostly it lies in the set, often where the neuron is largest."""
    rng, where, case = field_.rng, field_.where, field_.case
    kind = rng.random()
    if kind < 0.04:
        x = [networks.rational(rng, 9) for _ in range(field_.net.inputs)]
        return spelt(x), x
    if kind < (0.15 if key[0] == 1 and case.box and not case.rows and not case.equalities else 0.05):
        return "corner", None
    if kind < 0.2:
        return rng.choice((0, 1, 0, 1, 0, 1, len(field_.points), -1)), None
    if kind < 0.22 and case.generators:
        return {"weights": weights(rng, case.generators)}, None
    if where.is_empty:
        return ["0"] * field_.net.inputs, None
    if case.vectors:
        return mixed(field_)
    about = field_.known.get(key)
    marks = [p for p in (about.highest, about.lowest) if p] if about else []
    x = list(rng.choice(marks) if marks and kind < 0.8 else where.somewhere(rng))
    if isinstance(where, Round):
        if key[0] == 1 and rng.random() < 0.4:
            return where.radius(rng, *field_.net.layers[0][key[1]]), None
        return where.said(rng, x), x
    if not case.finite and rng.random() < 0.6:  # towards another point of the set, or a little beyond
        other, step = where.somewhere(rng), abs(grammar.tiny(rng)) * rng.choice((1, 1, 1, 1, 1, 1, 1, -1))
        x = [a + step * (b - a) for a, b in zip(x, other, strict=True)]
    return spelt(x), x


def mixed(field_: Field) -> tuple[Any, list[Fraction]]:
    """A point of the hull of generators: one of the vertices, or with weights near it."""
    rng, (vertices, rays, lines) = field_.rng, field_.case.vectors
    k = rng.randrange(len(vertices))
    if rng.random() < 0.3:
        return spelt(vertices[k]), list(vertices[k])
    shares, step = [[Fraction(0)] * len(t) for t in (vertices, rays, lines)], abs(grammar.tiny(rng))
    shares[0][k] += 1 - step
    shares[0][rng.randrange(len(vertices))] += step
    for table in shares[1:]:
        if table and rng.random() < 0.3:
            table[rng.randrange(len(table))] += rng.choice((step, Fraction(1)))
    pairs = [(w, g) for table, some in zip(shares, (vertices, rays, lines), strict=True)
             for w, g in zip(table, some, strict=True) if w]  # fmt: skip
    x = [sum((w * g[j] for w, g in pairs), Fraction(0)) for j in range(field_.net.inputs)]
    return {"weights": [spelt(table) for table in shares]}, x


def weights(rng: random.Random, sizes: list[int]) -> list[list[str]]:
    """Weights of generators: convex, nearly so, or not at all."""
    tables = [[Fraction(rng.choice((0, 0, 1, 2))) for _ in range(size)] for size in sizes]
    total = sum(tables[0])
    if len(sizes) == 3 and total and rng.random() < 0.8:
        tables[0] = [v / total for v in tables[0]]
    if rng.random() < 0.5:
        table = rng.choice([t for t in tables if t] or [[Fraction(0)]])
        table[rng.randrange(len(table))] += grammar.tiny(rng)
    return [spelt(table) for table in tables]


def a_ray(field_: Field) -> Any:
    """A direction, mostly of the recession cone."""
    rng, where, n = field_.rng, field_.where, field_.net.inputs
    kind = rng.random()
    if field_.case.generators and kind < 0.4:
        if kind < 0.05:
            return {"weights": weights(rng, field_.case.generators[1:])}
        return {"weights": [[str(rng.choice((0, 1, 2))) for _ in range(k)] for k in field_.case.generators[1:]]}
    if where.rays + where.lines and kind < 0.95:
        some = [(r, rng.choice((1, 2))) for r in rng.sample(where.rays, min(len(where.rays), rng.choice((1, 1, 2))))]
        some += [(r, rng.choice((1, -1))) for r in where.lines[:1] if not some or rng.random() < 0.3]
        r = [sum((c * g[j] for g, c in some), Fraction(0)) for j in range(n)]
        if rng.random() < 0.1:
            r[rng.randrange(n)] += grammar.tiny(rng)
        return spelt(r)
    return [str(rng.randint(-2, 2)) for _ in range(n)]


KINDS = ("dead", "dead", "dead", "stable", "stable", "stable", "flat", "touching", "supremum", "supremum", "supremum")
KINDS += ("alive", "unbounded", "active", "active", "at most", "at least")


def heads(field_: Field, key: Key) -> Iterator[tuple[Claim, int]]:
    """Claims without proofs, for ever; and the sign of the bound that would prove them."""
    rng, about = field_.rng, field_.known.get(key)
    rows = field_.case.rows or field_.case.equalities
    while True:
        claim: Claim = {"layer": key[0], "neuron": key[1]}
        point, at = a_point(field_, key)
        inside = {"point": point} if rows or rng.random() < 0.1 else {}
        kind = rng.choice(KINDS)
        if kind in ("flat", "unbounded") and not field_.case.open and rng.random() < 0.9:
            continue  # no ray will do
        match kind:
            case "dead":
                yield {**claim, "status": "dead", **inside}, 1
            case "stable":
                yield {**claim, "status": "dead", "stable": True, **far.far(field_, key[0]), **inside}, 1
            case "flat":
                yield {**claim, "status": "dead", "stable": False, "point": point, "ray": a_ray(field_)}, 1
            case "touching":
                yield {**claim, "status": "dead", "stable": False, "point": point}, 1
            case "supremum":
                value = field_.net.values(at)[key[0] - 1][key[1]] if at and _affordable(field_.net) else None
                if about and isinstance(about.sup[0], Fraction) and (value is None or rng.random() < 0.15):
                    value = about.sup[0] + rng.choice((Fraction(0), grammar.tiny(rng)))
                value = Fraction(0) if value is None else value
                yield {**claim, "status": "alive" if value > 0 else "dead", "supremum": str(value), "point": point}, 1
            case "alive":
                yield {**claim, "status": "alive", "point": point}, 0
            case "unbounded":
                yield {**claim, "status": "alive", "supremum": "inf", "point": point, "ray": a_ray(field_)}, 0
            case "active":
                yield {**claim, "status": "active", **inside}, -1
            case "at most" | "at least":
                limit = near(field_, about, kind)
                yield {**claim, "status": kind, "bound": str(limit), **inside}, 1 if kind == "at most" else -1


def near(field_: Field, about: Facts | None, kind: str) -> Fraction:
    """A bound that is nearly right, or right."""
    side = None if about is None else (about.sup if kind == "at most" else about.inf)[0]
    value = side if isinstance(side, Fraction) else Fraction(field_.rng.randint(-4, 4))
    return value + field_.rng.choice((Fraction(0), grammar.tiny(field_.rng), -grammar.tiny(field_.rng), Fraction(1, 2)))


def _affordable(net: Net) -> bool:
    """Is it cheap to evaluate it?"""
    return sum(net.widths) < 100


def lies(
    field_: Field, key: Key, signs: tuple[int, ...] = (-1, 0, 1), truth: bool = False
) -> Iterator[tuple[Claim, int]]:
    """The false ones among them, or the true ones (ends if there seem to be none)."""
    source, failed = heads(field_, key), 0
    while failed < TRIES:
        claim, sign = next(source)
        if sign in signs and field_.truth(claim) is truth:
            failed = 0
            yield claim, sign
        else:
            failed += 1


def simple_lies(field_: Field, key: Key) -> list[Claim]:
    """Two false claims that a bound alone would prove (fewer if there are none)."""
    about, head = field_.known[key], {"layer": key[0], "neuron": key[1]}
    said: list[Claim] = [{"status": "dead"}, {"status": "dead", "stable": True}, {"status": "active"}]
    said += [{"status": kind, "bound": str(near(field_, about, kind))} for kind in ("at most", "at least")]
    low = about.inf[0]
    if isinstance(low, Fraction) and about.lowest:
        said.append({"status": "alive" if low > 0 else "dead", "supremum": str(low), "point": spelt(about.lowest)})
    false = [c for c in said if field_.truth({**head, **c}) is False]
    return [{**head, **c} for c in field_.rng.sample(false, min(2, len(false)))]


def simple_truths(field_: Field, key: Key) -> list[Claim]:
    """What is true and a bound alone might prove."""
    head = {"layer": key[0], "neuron": key[1]}
    said: list[Claim] = [{"status": "dead"}, {"status": "dead", "stable": True}, {"status": "active"}]
    return [{**head, **c} for c in said if field_.truth({**head, **c}) is True]


# ---- assaults ---------------------------------------------------------------------------------------------------


def with_proof(field_: Field, claim: Claim, proof: Any) -> Claim:
    """A claim with a proof, which a finite set does not take (mostly)."""
    if proof is None or (field_.case.finite and field_.rng.random() < 0.95):
        return claim
    return {**claim, "proof": "parts" if field_.rng.random() < 0.1 else proof}


def at_random(field_: Field, key: Key, count: int) -> None:
    """False claims with random proofs."""
    rng, shape = field_.rng, field_.shape(key[0])
    source = lies(field_, key)
    for _, (claim, sign) in zip(range(count), source, strict=False):
        proof = grammar.tree(rng, shape, rng.choice((0, 0, 1, 2, 3, 4))).proof() if sign or rng.random() < 0.1 else None
        field_.claim("random", with_proof(field_, claim, proof))


def climb(field_: Field, key: Key, start: grammar.Tree, sign: int, count: int, family: str = "climbed") -> None:
    """False claims with proofs that are changed, a little at a time, so that their bound falls towards the truth."""
    rng, shape = field_.rng, field_.shape(key[0])
    source = lies(field_, key, (sign,))
    best, worth = start, field_.bound(start, key, sign)
    for _, (claim, _) in zip(range(count), source, strict=False):
        tried = grammar.mutated(rng, best, shape)
        if len(tried.nodes()) > 120:
            continue
        proof = tried.proof()
        field_.claim(family, with_proof(field_, claim, proof))
        bound = field_.bound(tried, key, sign)
        if bound is not None and (worth is None or bound <= worth):
            field_.tally.counts[f"steps {family}"] += worth is None or bound < worth
            best, worth = tried, bound
    about = field_.known[key]
    true = about.sup[0] if sign > 0 else None if about.inf[1] in (None, "-inf") else -about.inf[1]
    if worth is not None and isinstance(true, Fraction):
        slack = (worth - true) / (1 + abs(true))
        field_.tally.counts[
            f"ends {family}, {'exact' if not slack else 'near' if slack < Fraction(1, 10**6) else 'off'}"
        ] += 1


def borrowed(field_: Field, produced: list[Claim], count: int) -> None:
    """Proofs of true claims, as they are and changed, under false heads (and, changed, under their own)."""
    rng = field_.rng
    proofs = [(c["layer"], c["proof"]) for c in produced if "proof" in c]
    for _ in range(count):
        if produced and (not proofs or rng.random() < 0.5):
            claim = copy.deepcopy(rng.choice(produced))
            key = claim["layer"], claim["neuron"]
            tree = grammar.tree_of(claim.get("proof"))
            if tree is not None and rng.random() < 0.8:
                claim["proof"] = grammar.mutated(rng, tree, field_.shape(key[0])).proof()
            if rng.random() < 0.7:
                _twist(field_, claim, key)
            field_.claim("twisted", claim)
        elif proofs:
            level, proof = rng.choice(proofs)
            key = level, rng.randrange(field_.net.widths[level - 1])
            for _, (claim, sign) in zip(range(1), lies(field_, key), strict=False):
                field_.claim("borrowed", with_proof(field_, claim, proof if sign else None))


def one_change(field_: Field, produced: list[Claim]) -> None:
    """Every true claim that was found, with one thing changed in what it says."""
    rng, net = field_.rng, field_.net
    for claim in produced:
        changes: list[Claim] = [
            {"stable": True, **far.far(field_, claim["layer"])},
            {"stable": True},
            {"stable": False},
        ]
        changes += [{"status": status} for status in ("dead", "alive", "active", "at most", "at least")]
        changes += [{"status": status, "bound": "-1"} for status in ("at most", "at least")]
        changes += [{"supremum": "0"}, {"supremum": "inf", "ray": a_ray(field_)}]
        if networks.said(claim.get("supremum")) is not None:
            value = Fraction(claim["supremum"])
            changes += [{"supremum": str(value + grammar.tiny(rng))}, {"supremum": str(value - Fraction(1, 1 << 60))}]
        changes += [{"neuron": rng.randrange(net.widths[claim["layer"] - 1])}, {"point": a_point(field_, (1, 0))[0]}]
        for change in changes:
            changed = {**claim, **change}
            if changed != claim:
                field_.claim("one change", changed)
                if "supremum" in changed and "supremum" not in change:  # nothing else of the claim is in the way
                    field_.claim("one change", {k: v for k, v in changed.items() if k != "supremum"})


def _twist(field_: Field, claim: Claim, key: Key) -> None:
    """Change what a claim says."""
    rng = field_.rng
    other, _ = next(heads(field_, key))
    kind = rng.randrange(6)
    if kind == 5:
        for part in ("infinity", "growth"):
            claim.pop(part, None)
        claim.update({"stable": True, **far.far(field_, key[0])})
    elif kind == 0:
        claim.update({k: v for k, v in other.items() if k != "proof"})
    elif kind == 1 and "supremum" in claim and networks.said(claim["supremum"]) is not None:
        claim["supremum"] = str(Fraction(claim["supremum"]) + grammar.tiny(rng))
    elif kind == 2:
        claim["point"] = a_point(field_, key)[0]
    elif kind == 3:
        claim["ray"] = a_ray(field_)
    else:
        part = rng.choice(("stable", "supremum", "point", "ray", "infinity", "growth", "proof", "status"))
        if part in claim:
            del claim[part]
        elif part in other:
            claim[part] = other[part]


def together(field_: Field, produced: list[Claim], count: int) -> None:
    """Certificates of several claims, one of them false, so that what is kept from one could help another."""
    rng = field_.rng
    for _ in range(count):
        claims = [copy.deepcopy(c) for c in rng.sample(produced, min(len(produced), rng.randint(1, 4)))]
        key = rng.choice(list(field_.known) or [(1, 0)])
        proofs = [c["proof"] for c in claims if "proof" in c and c["layer"] == key[0]]
        for _, (claim, sign) in zip(range(1), lies(field_, key), strict=False):
            proof = None
            if sign:
                proof = (
                    rng.choice(proofs)
                    if proofs and rng.random() < 0.7
                    else grammar.tree(rng, field_.shape(key[0]), 2).proof()
                )
            claims.insert(rng.randint(0, len(claims)), with_proof(field_, claim, proof))
        field_.claim("together", *claims)


def damage(field_: Field, produced: list[Claim], count: int) -> None:
    """Certificates that are damaged anywhere: both judges must say the same."""
    rng = field_.rng
    for _ in range(count):
        if produced and rng.random() < 0.6:
            claim = rng.choice(produced)
        else:
            claim, sign = next(heads(field_, rng.choice(list(field_.known) or [(1, 0)])))
            if sign:
                shape = field_.shape(claim["layer"])
                claim["proof"] = grammar.tree(rng, shape, rng.randint(0, 3)).proof()
        whole = field_.certificate(claim)
        certificate = grammar.damaged(rng, whole if rng.random() < 0.2 else [claim])
        if isinstance(certificate, list):
            certificate = field_.certificate(*certificate)
        claims = certificate.get("claims") if isinstance(certificate, dict) else None
        found = [field_.truth(c) for c in claims] if isinstance(claims, list) else []
        field_.judge("damaged", certificate, False if False in found else None)


def combs(field_: Field, key: Key, count: int) -> None:
    """Large trees that cut inputs, as batches take them, under claims both false and true."""
    rng, shape = field_.rng, field_.shape(key[0])
    if not shape.box:
        return
    for want in (False, True):
        source = lies(field_, key, (-1, 1), truth=want)
        for _, (claim, _) in zip(range(count), source, strict=False):
            tree = grammar.comb(rng, shape, rng.choice((3, 8, 30, 60)))
            if rng.random() < 0.4:
                tree = grammar.mutated(rng, tree, shape)
            field_.claim("combs", {**claim, "proof": tree.proof()})


def files(field_: Field, produced: list[Claim]) -> None:
    """The same through the commands."""
    rng = field_.rng
    claims = [c for c in produced if c["layer"] == rng.choice(field_.net.widths)] or produced
    options = [rng.choice(claims)] if claims else []
    options += [claim for _, (claim, _) in zip(range(1), lies(field_, rng.choice(list(field_.known))), strict=False)]
    if options:
        claim = rng.choice(options)
        certificate = field_.certificate(claim)
        with tempfile.TemporaryDirectory() as folder:
            answers = field_.case.offer_files(certificate, Path(folder))
        field_.record("files", certificate, field_.truth(claim), answers)


# ---- infinity ---------------------------------------------------------------------------------------------------


def far_out(field_: Field, key: Key, count: int) -> None:
    """Claims of stability of a neuron that is dead, with all that they need but what is wrong about them."""
    rng, shape = field_.rng, field_.shape(key[0])
    missing = [[at] for at in range(shape.derived + 1, key[0])]
    leaf: grammar.Node = {"derive": missing} if missing else {}
    if key[0] > 1:  # so that outputs with weights <= 0 count for nothing: the bias is a bound
        leaf["slopes"] = ["0" * width for width in field_.net.widths[: key[0] - 1]]
    for _ in range(count):
        point = rng.choice((a_point(field_, key)[0], 0, 0))
        claim: Claim = {"layer": key[0], "neuron": key[1], "status": "dead", "point": point, "proof": [leaf]}
        kind = rng.random()
        if kind < 0.4:
            said = far.cones_of(field_, key[0])
            said = grammar.other_cones(rng, said, field_.case.open) if rng.random() < 0.3 else said
            claim |= {"stable": True, "infinity": said}
        elif kind < 0.6:
            claim |= {"stable": True, "growth": far.growth(field_, key[0])}
        elif kind < 0.7:
            claim |= {"stable": True, **far.far(field_, key[0])}
        else:
            claim |= {"stable": False, "ray": a_ray(field_)}
        field_.claim("growth" if "growth" in claim else "infinity", claim)
