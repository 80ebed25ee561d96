"""Attack the judges: ``python tests/attack/run.py --seed S --count N --workers 2``.

The attack goes in blocks, each with its own seed ``"S kind number"``, so that a block can be run again alone
(``--block small:17``). A journal keeps what each block gave; run again with the same journal to go on. Exit code 1 if
something was found, which then stands in the journal with its model, set and certificate.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # run as a file: the tests' own modules stand beside and above it
    sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from attack import assaults, grammar, networks, prunings, rounds
from attack.assaults import Field, Tally

PIECES = 300  # the most that are enumerated for one network
WIDTHS: tuple[tuple[int, ...], ...] = (
    (2, 3, 3),
    (2, 3, 2, 2),
    (1, 3, 3),
    (3, 3, 2),
    (2, 4, 3),
    (1, 2, 2, 2),
    (2, 3),
    (4, 3, 2),
    (2, 2, 2, 2, 1),
)
WIDTHS = (*WIDTHS * 4, (9, 2, 1))  # in more than eight inputs corners are not looked at
ROUND = ((1, 3, 2), (1, 2, 2, 2), (1, 3, 2), (2, 3, 2), (3, 3, 2), (2, 2, 2, 1), (4, 3))
KINDS = {
    "small": 150,
    "round": 50,
    "far": 12,
    "empty": 8,
    "blown": 12,
    "wild": 6,
    "monotone": 1,
}  # how often each comes


# ---- blocks -----------------------------------------------------------------------------------------------------


def small(rng: random.Random, tally: Tally) -> None:
    """A small network of any kind, whose truth PPL enumerates."""
    kind = rng.choice(networks.KINDS)
    net = networks.network(rng, rng.choice(WIDTHS), kind, skip=rng.random() < 0.2)
    where = networks.place(rng, net.inputs, rng.choice(networks.SETS))
    known = None if where.is_empty else networks.known(net, where, PIECES)
    if known is None:
        return
    aim(rng, net, known)
    field = Field(rng, net, where, known, tally, dense=net.is_plain() and rng.random() < 0.5)
    everything(field, 300)


def rounded(rng: random.Random, tally: Tally) -> None:
    """A small network on a ball or an ellipsoid."""
    net = networks.network(rng, rng.choice(ROUND), rng.choice(networks.KINDS), skip=rng.random() < 0.2)
    where = rounds.make(rng, net.inputs)
    known = rounds.known(net, where, PIECES)
    if known is None:
        return
    aim(rng, net, known)
    if where.polyhedron is None:
        known = rounds.known(net, where, PIECES) or known
    everything(Field(rng, net, where, known, tally, dense=net.is_plain() and rng.random() < 0.5), 150)


def aim(rng: random.Random, net: networks.Net, known: dict[assaults.Key, networks.Facts]) -> None:
    """Move biases of the last layer so that suprema or infima come to lie at 0 or next to it."""
    level = len(net.layers)
    for i, (bias, slope) in enumerate(net.layers[-1]):
        about = known[level, i]
        flat = about.stable is False and networks.less(about.sup[0], Fraction(0))  # at infinity
        end = rng.choice((about.sup[0], about.inf[0]))
        if not isinstance(end, Fraction) or rng.random() < 0.3:
            continue
        shift = -end + rng.choice((Fraction(0), grammar.tiny(rng), grammar.tiny(rng)))
        net.layers[-1][i] = bias + shift, slope
        moved = [(a + shift if isinstance(a, Fraction) else a, b + shift if isinstance(b, Fraction) else b)
                 for a, b in (about.sup, about.inf)]  # fmt: skip
        about.sup, about.inf = moved[0], moved[1]
        high = about.sup[0]
        if not isinstance(high, Fraction) or high >= 0:
            about.stable = False
        elif not flat and about.stable is False:
            about.stable = None


def everything(field: Field, count: int) -> None:
    """All assaults on one field."""
    rng = field.rng
    claims, points, pruning, model = field.case.produced(2.0)
    field.points = points[:20] + field.points
    claims = [c for c in claims if not isinstance(c.get("point"), int) or c["point"] < 20]
    field.far = [{part: c[part]} for c in claims for part in ("infinity", "growth") if c.get(part)]
    keys = sorted(field.known, reverse=True)
    aimed = [key for key in keys if key[0] == len(field.net.layers)] or keys
    targets = [rng.choice(aimed), rng.choice(keys)]
    for claim in claims:
        field.claim("produced", claim)
    assaults.one_change(field, claims)
    for key in targets:
        assaults.at_random(field, key, count // 6)
        if not field.case.finite:
            for sign in (1, -1):
                own = [c["proof"] for c in claims if (c["layer"], c["neuron"]) == key and "proof" in c]
                start = grammar.tree_of(own[0]) if own and rng.random() < 0.6 else None
                start = start or grammar.tree(rng, field.shape(key[0]), rng.choice((0, 1, 2)))
                assaults.climb(field, key, start, sign, count // 8)
            assaults.combs(field, key, count // 100)
    assaults.borrowed(field, claims, count // 5)
    assaults.together(field, claims, count // 20)
    assaults.damage(field, claims, count // 10)
    prunings.prunings(field, claims, (pruning, model) if pruning else None, count // 20)
    if rng.random() < 0.3:
        assaults.files(field, claims)


def empty(rng: random.Random, tally: Tally) -> None:
    """A set without points: nothing may be claimed of a point of it."""
    net = networks.network(rng, rng.choice(WIDTHS), rng.choice(networks.KINDS), skip=False)
    where = networks.place(rng, net.inputs, rng.choice(networks.EMPTY_SETS))
    field = Field(rng, net, where, {}, tally)
    for level, i in [(k, i) for k, width in enumerate(net.widths, 1) for i in range(width)]:
        assaults.at_random(field, (level, i), 20)
        for _ in range(10):
            claim, _ = next(assaults.heads(field, (level, i)))
            proof = grammar.tree(rng, field.shape(level), rng.choice((0, 1, 3))).proof()
            field.claim("empty", {**claim, "proof": proof})
    assaults.damage(field, [], 20)


def far(rng: random.Random, tally: Tally) -> None:
    """A set that is not bounded, and neurons that are dead there, if barely at infinity."""
    net = networks.network(rng, rng.choice(WIDTHS[:9]), rng.choice(("ternary", "degenerate", "rational")), skip=False)
    last = net.layers[-1]
    for i, (bias, slope) in enumerate(last):
        last[i] = -abs(bias) - rng.choice((0, 0, 1)), {j: -abs(w) * rng.choice((0, 1, 1, 1)) for j, w in slope.items()}
        if rng.random() < 0.2:
            last[i] = bias, slope
    for level, layer in enumerate(net.layers):  # what is 0 is not read
        net.layers[level] = [(bias, {j: w for j, w in slope.items() if w}) for bias, slope in layer]
    kinds = ("half box", "space", "orthant", "cone", "lines", "rows", "equalities")
    where = networks.place(rng, net.inputs, rng.choice(kinds))
    known = None if where.is_empty else networks.known(net, where, PIECES)
    if known is None:
        return
    aim(rng, net, known)
    field = Field(rng, net, where, known, tally)
    for i in range(net.widths[-1]):
        assaults.far_out(field, (len(net.layers), i), 60)


def blown(rng: random.Random, tally: Tally) -> None:
    """A wide network that computes what a small one does."""
    core = networks.network(rng, rng.choice(((1, 2, 1), (2, 3, 2), (1, 2, 2, 1), (2, 3, 2, 1))), "rational", skip=False)
    where = networks.place(
        rng, core.inputs, rng.choice(("box", "box", "flat box", "box and rows", "half box", "vertices"))
    )
    known = None if where.is_empty else networks.known(core, where, PIECES)
    if known is None:
        return
    aim(rng, core, known)
    width = rng.choice((129, 140, 200, 256, 400, 1000 if len(core.layers) == 2 else 300))
    net = networks.blown(rng, core, width, rng.choice((0, 2, 20)))
    last = len(core.layers)
    wide(Field(rng, net, where, {key: about for key, about in known.items() if key[0] == last}, tally), 40)


def wild(rng: random.Random, tally: Tally) -> None:
    """A wide network of random weights; values at points tell what is false of it."""
    inputs = rng.randint(1, 3)
    widths = [rng.choice((129, 150, 256, 300)) for _ in range(rng.choice((1, 1, 2)))]
    if len(widths) == 1:
        widths = [rng.choice((*widths, 600, 1000))]
    net = networks.wild(rng, inputs, [*widths, rng.randint(1, 3)])
    where = networks.place(rng, inputs, rng.choice(("box", "box", "scaled box")))
    probes = [*networks.corners(where, 4), where.somewhere(rng)]
    known = {key: about for key, about in networks.witnessed(net, probes).items() if key[0] == len(net.layers)}
    wide(Field(rng, net, where, known, tally), 40)


def wide(field: Field, count: int) -> None:
    """Assaults that wide networks can afford: layers are derived whole, once, before all proofs."""
    rng, level = field.rng, max(k for k, _ in field.known)
    field.derive = [[at] for at in range(1, level)]
    claims = []
    for key in rng.sample(sorted(field.known), min(2, len(field.known))):
        shape = field.shape(key[0])
        for _, (claim, sign) in zip(range(count), assaults.lies(field, key), strict=False):
            claims.append(assaults.with_proof(field, claim, cheap(rng, shape) if sign else None))
        for _, (claim, sign) in zip(range(count // 4), assaults.lies(field, key, truth=True), strict=False):
            claims.append(assaults.with_proof(field, claim, cheap(rng, shape) if sign else None))
    field.claims("wide", claims)


def cheap(rng: random.Random, shape: grammar.Shape) -> list[dict[str, Any]]:
    """A small proof, mostly without derivations of its own."""
    kind = rng.random()
    if kind < 0.4:
        return [{"coarse": grammar.texts(rng, shape)} if rng.random() < 0.7 else {}]
    if kind < 0.6 and shape.box:
        return grammar.comb(rng, shape, rng.choice((0, 1, 3)), last=3).proof()
    tree = grammar.tree(rng, shape, rng.choice((0, 1, 1, 2, 3)))
    for part in tree.nodes():
        if "derive" in part.node:
            part.node["derive"] = [item for item in part.node["derive"] if len(item) > 1]
    return tree.proof()


def monotone(rng: random.Random, tally: Tally) -> None:
    """A climb over wide monotone networks: to tight bounds, or to sums of ever more equal terms."""
    best, worth, tight = networks.Shape.random(rng), None, rng.random() < 0.3
    for step in range(8):
        tried = networks.Shape.random(rng) if step < 3 else best.changed(rng)
        value = shaped(rng, tally, tried, tight)
        if value is not None and (worth is None or value >= worth):
            best, worth = tried, value


def shaped(rng: random.Random, tally: Tally, tried: networks.Shape, tight: bool) -> Fraction | None:
    """Claims about a wide monotone network, and its worth: how tight a bound is, or how many terms a value has."""
    low = [Fraction(rng.choice((0, 0, 1))) for _ in range(tried.inputs)]
    top = [a + 1 for a in low]
    box = {"box": [[networks.spelt(a), networks.spelt(b)] for a, b in zip(low, top, strict=True)]}
    net, where = tried.network(top), networks.Place("box", box, True, [low, top])
    about = tried.known(net, where)
    field, claims = Field(rng, net, where, about, tally), []
    field.derive = [[at] for at in range(1, len(net.layers))]
    for level in range(len(net.layers), 1, -1):
        for i in range(min(2, net.widths[level - 1])):
            leaves = [{"coarse": []}, {}, {"coarse": grammar.texts(rng, field.shape(level))}]
            heads = assaults.simple_lies(field, (level, i)) + assaults.simple_truths(field, (level, i))
            claims += [{**claim, "proof": [leaf]} for claim in heads for leaf in leaves]
    field.claims("monotone", claims)
    if not tight:
        return tried.crowd(net, top)
    key = len(net.layers), 0
    bound, true = field.bound(grammar.Tree({"coarse": []}, []), key, 1), about[key].sup[0]
    if bound is None or not isinstance(true, Fraction):
        return None
    return (true - bound) / (abs(bound) + abs(true) + 1)


BLOCKS: dict[str, Callable[[random.Random, Tally], None]] = {
    "small": small,
    "round": rounded,
    "empty": empty,
    "far": far,
    "blown": blown,
    "wild": wild,
    "monotone": monotone,
}


def block(seed: int, kind: str, number: int) -> Tally:
    """One block of certificates."""
    tally = Tally()
    BLOCKS[kind](random.Random(f"{seed} {kind} {number}"), tally)
    return tally


# ---- the command ------------------------------------------------------------------------------------------------


def plan(kinds: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Which blocks come, for ever."""
    counts = Counter[str]()
    while True:
        for kind, often in kinds.items():
            for _ in range(often):
                yield kind, counts[kind]
                counts[kind] += 1


def work(task: tuple[int, str, int]) -> dict[str, Any]:
    """A block, as the journal keeps it."""
    seed, kind, number = task
    start = time.process_time()
    tally = block(seed, kind, number)
    return {
        "seed": seed,
        "kind": kind,
        "number": number,
        "seconds": round(time.process_time() - start, 3),
        "counts": dict(tally.counts),
        "findings": tally.findings,
    }


def tasks(seed: int, kinds: dict[str, int], done: set[tuple[int, str, int]], ends: Callable[[], bool]) -> Iterator[Any]:
    for kind, number in plan(kinds):
        if ends():
            return
        if (seed, kind, number) not in done:
            yield seed, kind, number


def summary(lines: list[dict[str, Any]], seconds: float) -> str:
    """What all blocks gave."""
    counts, kinds, spent = Counter[str](), Counter[str](), Counter[str]()
    for line in lines:
        counts.update(line["counts"])
        kinds[line["kind"]] += 1
        spent[line["kind"]] += line["seconds"]
    offered = sum(v for k, v in counts.items() if k.startswith("offered "))
    busy = sum(spent.values())
    said = [
        f"{offered:,} certificates in {len(lines)} blocks",
        f"  {busy:,.0f} s of the processor, {offered / max(busy, 1e-9):,.0f} a second of it",
    ]
    said += [f"  {kind}: {kinds[kind]} blocks, {spent[kind]:,.0f} s" for kind in sorted(kinds)]
    for key in sorted(k for k in counts if k.startswith("offered ")):
        name = key.removeprefix("offered ")
        said.append(f"  {name}: {counts[key]:,} offered, {counts['accepted ' + name]:,} accepted")
    said += [f"  {k}: {counts[k]:,}" for k in sorted(counts) if k.startswith(("steps ", "ends ", "compared "))]
    false = [
        sum(v for k, v in counts.items() if k.startswith(p) and k.endswith(", false")) for p in ("offered", "accepted")
    ]
    said.append(f"false certificates: {false[0]:,} offered, {false[1]:,} accepted")
    said += [f"FOUND {key.removeprefix('finding ')}: {counts[key]:,}" for key in sorted(counts) if "finding" in key]
    return "\n".join(said)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=10_000, help="certificates, about (default %(default)s)")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--time", type=float, help="seconds; default: no limit")
    parser.add_argument("--kinds", default=",".join(KINDS), help="of blocks (default %(default)s)")
    parser.add_argument("--journal", type=Path, help="keep what each block gave there; go on from it")
    parser.add_argument("--block", help="KIND:NUMBER, this block alone; its findings are printed")
    options = parser.parse_args(arguments)
    print(f"seed {options.seed}", flush=True)
    if options.block:
        kind, number = options.block.split(":")
        line = work((options.seed, kind, int(number)))
        for finding in line["findings"]:
            print(json.dumps(finding))
        print(summary([line], line["seconds"]))
        return bool(line["findings"])
    kinds = {kind: KINDS[kind] for kind in options.kinds.split(",")}
    lines = read(options.journal)
    return attack(options, kinds, lines)


def read(journal: Path | None) -> list[dict[str, Any]]:
    """What earlier runs kept; a line that was cut off is passed over."""
    lines = []
    if journal is not None and journal.exists():
        for text in journal.read_text(encoding="utf-8").splitlines():
            try:
                lines.append(json.loads(text))
            except ValueError:
                continue
    return lines


def attack(options: argparse.Namespace, kinds: dict[str, int], lines: list[dict[str, Any]]) -> int:
    """Run blocks until enough certificates have been offered, or the time is over."""
    start, done = time.monotonic(), {(line["seed"], line["kind"], line["number"]) for line in lines}
    count = sum(v for line in lines for k, v in line["counts"].items() if k.startswith("offered "))
    state = {"count": count, "said": start}

    def over() -> bool:
        return state["count"] >= options.count or (options.time is not None and time.monotonic() - start > options.time)

    todo = tasks(options.seed, kinds, done, over)
    with multiprocessing.get_context("fork").Pool(options.workers) as pool:
        waiting: list[Any] = []
        try:
            while True:
                while len(waiting) < options.workers + 1 and (task := next(todo, None)) is not None:
                    waiting.append(pool.apply_async(work, (task,)))
                if not waiting:
                    break
                ready = next((w for w in waiting if w.ready()), None)
                if ready is None:
                    waiting[0].wait(1)
                    continue
                waiting.remove(ready)
                line = ready.get()
                lines.append(line)
                keep(options.journal, line)
                state["count"] += sum(v for k, v in line["counts"].items() if k.startswith("offered "))
                for finding in line["findings"]:
                    kinds_, where = "+".join(finding["kinds"]), f"--block {line['kind']}:{line['number']}"
                    said = f"{finding['family']}, {finding['truth']}, {finding['answers']}"
                    print(f"{kinds_}: {said}; --seed {line['seed']} {where}", flush=True)
                if time.monotonic() - state["said"] > 60:
                    state["said"] = time.monotonic()
                    rate = (state["count"] - count) / (time.monotonic() - start)
                    print(f"{state['count']:,} of {options.count:,}, {rate:,.0f} a second", flush=True)
        except KeyboardInterrupt:
            pool.terminate()
            print("interrupted")
    print(summary(lines, time.monotonic() - start))
    return any(line["findings"] for line in lines)


def keep(journal: Path | None, line: dict[str, Any]) -> None:
    if journal is not None:
        journal.parent.mkdir(parents=True, exist_ok=True)
        with journal.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    sys.exit(main())
