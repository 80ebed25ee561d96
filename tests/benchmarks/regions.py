"""Enumerating regions: geomrelu (exact) against what one would use instead, in one run.

Peers, each left out with a word if it is not there:

- PPL: a list of open polyhedra with their signs (pplpy), each split by every hyperplane in turn; exact. "PPL closed"
  counts closed ones and asks for the largest and least value first, which is two to three times faster.
- cddlib: a tree of linear programs (pycddlib, GMP), the witness's side free; exact.
- edges: edge subdivision (Berzins 2023, PyTorch; floating point) from a checkout named by GEOMRELU_EDGE_SUBDIVISION;
  "edges" is its skeleton alone, "+ regions" completes the signs at its vertices to sign vectors of regions.
- Sage: ``HyperplaneArrangements(...).regions()`` (pip: passagemath-polyhedra); exact.
- relucent: breadth-first search (pip: relucent, torch); floating point.

Every measurement is a process of its own that is ended after --limit seconds: imports do not count, everything else
does; the median of up to 25 runs within three seconds, in seconds of the processors with --threads (default: one) each,
and, where both are shown, on the clock. Counts are compared with the right ones and shown where they differ.

"NumPy" is geomrelu without its compiled kernel, "other" is another checkout of it (--against FOLDER).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import multiprocessing
import os
import statistics
import sys
import time
import warnings
from fractions import Fraction
from itertools import combinations, islice, pairwise, product
from pathlib import Path
from typing import Any

import numpy as np

CHECKOUT, OTHER = "GEOMRELU_EDGE_SUBDIVISION", "GEOMRELU_OTHER"  # folders

# ---- the contestants: each prepares, and returns the function that is timed and counts the regions ------------------


def geomrelu_arrangement(work):
    from geomrelu.geometry.arrangement import Arrangement

    a, b = work["A"], work["b"]
    return lambda: len(Arrangement(a, b).signs)


def geomrelu_cutting(work):
    from geomrelu.geometry.lp_tree import cut

    rows = [(int(c), *map(int, a)) for a, c in zip(work["A"], work["b"], strict=True)]
    return lambda: sum(1 for _ in cut(rows, [], work["n"]))


def geomrelu_network(work):
    from geomrelu import Network, Polyhedron
    from geomrelu.network.complex import Complex

    network = Network.from_layers([(w, b, "relu") for w, b in exact_layers(work)])
    square = Polyhedron.box([(-work["box"], work["box"])] * work["widths"][0])
    return lambda: len(Complex(network, square).signs)


def numpy_network(work):
    os.environ["GEOMRELU_COMPILED"] = "no"
    return geomrelu_network(work)


def other_network(work):
    """An older commit has its modules elsewhere."""
    folder = os.environ.get(OTHER)
    if not folder:
        raise ImportError("not given: --against FOLDER")
    sys.path.insert(0, folder)
    try:
        from geomrelu.network.complex import Complex
    except ImportError:
        from geomrelu.complex import Complex  # type: ignore[no-redef]
    from geomrelu import Network, Polyhedron

    assert Path(sys.modules["geomrelu"].__file__).is_relative_to(folder)
    network = Network.from_layers([(w, b, "relu") for w, b in exact_layers(work)])
    square = Polyhedron.box([(-work["box"], work["box"])] * work["widths"][0])
    return lambda: len(Complex(network, square).signs)


def geomrelu_network_cutting(work):
    from geomrelu import Network, Polyhedron
    from geomrelu.network.lp_regions import cut_network

    network = Network.from_layers([(w, b, "relu") for w, b in exact_layers(work)])
    square = Polyhedron.box([(-work["box"], work["box"])] * work["widths"][0])
    return lambda: sum(1 for _ in cut_network(network, square))


def exact_layers(work):
    """The hidden layers as Fractions: the output neuron cuts nothing."""
    scale = work["den"]
    return [
        ([[Fraction(v, scale) for v in row] for row in w], [Fraction(v, scale) for v in b])
        for w, b in list(zip(work["W"], work["b"], strict=True))[:-1]
    ]


def ppl_halves(piece, expression):
    """``[(sign, part)]`` of the parts on which the form is not identically 0; the sign 0 for the zero form."""
    import ppl

    top, bottom = piece.maximize(expression), piece.minimize(expression)
    up = not top["bounded"] or top["sup_n"] > 0
    down = not bottom["bounded"] or bottom["inf_n"] < 0
    if not (up and down):
        return [(up - down, piece)]
    found = []
    for sign, keep in ((1, expression >= 0), (-1, expression <= 0)):
        part = ppl.C_Polyhedron(piece)
        part.add_constraint(keep)
        found.append((sign, part))
    return found


def ppl_form(row):
    import ppl

    return sum((int(a) * ppl.Variable(j) for j, a in enumerate(row[1:])), ppl.Linear_Expression(int(row[0])))


def ppl_arrangement(work):
    import ppl

    rows = [(c, *a) for a, c in zip(work["A"], work["b"], strict=True)]

    def run():
        parts = [ppl.C_Polyhedron(work["n"], "universe")]
        for row in rows:
            form = ppl_form(row)
            parts = [part for piece in parts for _, part in ppl_halves(piece, form)]
        return len(parts)

    return run


def ppl_open_arrangement(work):
    import ppl

    rows = [(c, *a) for a, c in zip(work["A"], work["b"], strict=True)]

    def run():
        parts = [(ppl.NNC_Polyhedron(work["n"], "universe"), ())]
        for row in rows:
            form = ppl_form(row)
            halves = []
            for piece, signs in parts:
                for sign, keep in ((1, form > 0), (-1, form < 0), (0, form == 0)):
                    if sign or not any(row[1:]):
                        part = ppl.NNC_Polyhedron(piece)
                        part.add_constraint(keep)
                        if not part.is_empty():
                            halves.append((part, (*signs, sign)))
            parts = halves
        return len(parts)

    return run


def ppl_network(work):
    import ppl

    n, side, scale = work["widths"][0], work["box"], work["den"]
    hidden = list(zip(work["W"], work["b"], strict=True))[:-1]

    def run():
        start = ppl.C_Polyhedron(n, "universe")
        for j in range(n):
            start.add_constraint(ppl.Variable(j) <= side)
            start.add_constraint(ppl.Variable(j) >= -side)
        values = [[0, *(int(i == j) for j in range(n))] for i in range(n)]  # integers over scale ** (layer - 1)
        parts = [(start, values)]
        for layer, (weights, bias) in enumerate(hidden, 1):
            resolved = []
            for piece, values in parts:
                forms = []
                for row, b in zip(weights, bias, strict=True):
                    form = [b * scale ** (layer - 1), *[0] * n]
                    for w, value in zip(row, values, strict=True):
                        if w and any(value):
                            form = [f + w * v for f, v in zip(form, value, strict=True)]
                    forms.append(form)
                inner = [(piece, [])]
                for form in forms:
                    expression = ppl_form(form)
                    inner = [
                        (half, [*outputs, form if sign > 0 else [0] * (n + 1)])
                        for part, outputs in inner
                        for sign, half in ppl_halves(part, expression)
                    ]
                resolved += inner
            parts = resolved
        return len(parts)

    return run


def cddlib_arrangement(work):
    import cdd
    import cdd.gmp

    n = work["n"]
    rows = [[int(c), *map(int, a)] for a, c in zip(work["A"], work["b"], strict=True)]

    def interior(cell):
        """A point strictly inside, by max t <= 1 with every row at least t."""
        table = [[*row, -1] for row in cell] + [[1, *[0] * n, -1]]
        matrix = cdd.gmp.matrix_from_array(
            table,
            rep_type=cdd.RepType.INEQUALITY,
            obj_type=cdd.LPObjType.MAX,
            obj_func=[0] * (n + 1) + [1],
        )
        program = cdd.gmp.linprog_from_matrix(matrix)
        cdd.gmp.linprog_solve(program, cdd.LPSolverType.CRISS_CROSS)
        return program.primal_solution[:n] if program.obj_value > 0 else None

    def run():
        stack, count = [(0, [], [Fraction(0)] * n)], 0
        while stack:
            k, cell, point = stack.pop()
            if k == len(rows):
                count += 1
                continue
            row = rows[k]
            if not any(row[1:]):
                stack.append((k + 1, cell, point))
                continue
            value = row[0] + sum(a * x for a, x in zip(row[1:], point, strict=True))
            for sign in (1, -1):
                half = [*cell, [sign * v for v in row]]
                inside = point if value * sign > 0 else interior(half)
                if inside is not None:
                    stack.append((k + 1, half, inside))
        return count

    return run


def edge_subdivision(work, regions):
    folder = os.environ.get(CHECKOUT)
    if not folder:
        raise ImportError(f"not given: set {CHECKOUT}")
    sys.path.insert(0, folder)
    import torch
    from edge_subdivision import skeletal_subdivision
    from NN import Net

    if "W" in work:
        hidden, side = list(zip(work["W"], work["b"], strict=True))[:-1], work["box"]
        inputs = work["widths"][0]
    else:
        hidden, inputs = [(work["A"], work["b"])], work["n"]
        side = 2.0 * farthest_vertex(work) + 1
    net = Net([inputs, *(len(b) for _, b in hidden)])
    with torch.no_grad():
        for layer, (w, b) in zip(net.fcs, hidden, strict=True):
            layer.weight.copy_(torch.tensor(np.array(w, dtype=float) / work["den"]))
            layer.bias.copy_(torch.tensor(np.array(b, dtype=float) / work["den"]))

    def run():
        with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
            _, _, signs = skeletal_subdivision(net, bbox=(-side, side), device=torch.device("cpu"), verbose=False)
        return completed(signs.numpy(), inputs) if regions else None

    return run


def farthest_vertex(work):
    """The largest coordinate of a vertex: the subdivision needs a box around all of them."""
    a, b, n = np.array(work["A"], dtype=float), np.array(work["b"], dtype=float), work["n"]
    largest, subsets = 0.0, combinations(range(len(a)), n)
    while batch := list(islice(subsets, 50_000)):
        chosen = np.array(batch)
        matrices = a[chosen]
        regular = np.abs(np.linalg.det(matrices)) > 1e-9
        points = np.linalg.solve(matrices[regular], -b[chosen[regular]][..., None])
        largest = max(largest, float(np.abs(points).max(initial=0)))
    return largest


def completed(signs, n):
    """The number of regions around vertices with these signs: columns of the box first, where only + is inside."""
    signs = signs[:, 2 * n :]
    zeros = (signs == 0).sum(axis=1)
    codes = []
    for count in np.unique(zeros):
        some = signs[zeros == count]
        places = np.nonzero(some == 0)[1].reshape(len(some), count)
        for choice in product((1, -1), repeat=int(count)):
            full = some.copy()
            np.put_along_axis(full, places, np.array(choice, dtype=full.dtype)[None, :].repeat(len(some), 0), axis=1)
            codes.append(np.packbits(full > 0, axis=1))
    packed = np.ascontiguousarray(np.concatenate(codes))
    return len(np.unique(packed.view([("", packed.dtype)] * packed.shape[1])))


def edges_alone(work):
    return edge_subdivision(work, False)


def edges_regions(work):
    return edge_subdivision(work, True)


def sage_arrangement(work):
    import sage.all__sagemath_polyhedra  # noqa: F401 (Sage wants it first)
    from sage.geometry.hyperplane_arrangement.arrangement import HyperplaneArrangements
    from sage.rings.rational_field import QQ

    space = HyperplaneArrangements(QQ, tuple(f"x{j}" for j in range(work["n"])))
    rows = [[list(map(int, a)), int(c)] for a, c in zip(work["A"], work["b"], strict=True)]
    return lambda: len(space(*rows).regions())


def relucent_search(work):
    import relucent
    import torch

    if "A" in work:
        hidden, width, box = [(work["A"], work["b"])], work["n"], {}
    else:
        hidden, width = list(zip(work["W"], work["b"], strict=True))[:-1], work["widths"][0]
        box = {"cube_radius": work["box"], "cube_mode": "intersect"}
    inputs, modules = width, []
    for w, b in hidden:
        linear = torch.nn.Linear(width, len(b)).double()
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(np.array(w, dtype=float) / work["den"]))
            linear.bias.copy_(torch.tensor(np.array(b, dtype=float) / work["den"]))
        modules, width = [*modules, linear, torch.nn.ReLU()], len(b)
    start = np.random.default_rng(0).uniform(-1, 1, (1, inputs))  # the default, the origin, may be on a hyperplane

    def run():
        found = relucent.Complex(torch.nn.Sequential(*modules))
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            found.bfs(start=start, **box)
        return len(found)

    return run


ARRANGEMENTS = {
    "geomrelu": geomrelu_arrangement,
    "by cuts": geomrelu_cutting,
    "edges": edges_alone,
    "+ regions": edges_regions,
    "PPL": ppl_open_arrangement,
    "PPL closed": ppl_arrangement,
    "cddlib": cddlib_arrangement,
    "Sage": sage_arrangement,
    "relucent": relucent_search,
}
NETWORKS = {
    "geomrelu": geomrelu_network,
    "NumPy": numpy_network,
    "other": other_network,
    "by cuts": geomrelu_network_cutting,
    "edges": edges_alone,
    "+ regions": edges_regions,
    "PPL": ppl_network,
    "relucent": relucent_search,
}

LARGER = {name: NETWORKS[name] for name in ("geomrelu", "NumPy", "other", "edges", "+ regions")}

# ---- measuring ------------------------------------------------------------------------------------------------------


def _measured(prepare, work, pipe):
    """In the child: up to 25 runs within three seconds."""
    warnings.simplefilter("ignore")
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        run = prepare(work)
    except ImportError as problem:
        pipe.send(("absent", str(problem)))
        return
    times, clock, count = [], [], None
    try:
        pipe.send(("ready", None))
        while len(times) < 25 and sum(clock) < 3:
            start, since = time.process_time(), time.perf_counter()
            count = run()
            times.append(time.process_time() - start)
            clock.append(time.perf_counter() - since)
    except Exception as problem:  # what a peer raises on degenerate input is a result
        pipe.send(("raised", type(problem).__name__))
        return
    pipe.send(("done", (statistics.median(times), count, statistics.median(clock))))


def measured(prepare, work, limit, task=_measured):
    """``(word, value)``: "done" with (seconds, regions, on the clock), "late", "absent", "raised" or "died"."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    child = context.Process(target=task, args=(prepare, work, there))
    child.start()
    there.close()
    try:
        word = here.recv() if here.poll(120) else ("late", None)  # imports
        if word[0] == "ready":
            word = here.recv() if here.poll(limit) else ("late", None)
    except EOFError:
        word = ("died", None)
    child.kill()
    child.join()
    return word


def shown(word, value, expected, limit):
    if word != "done":
        return {"late": f"> {limit:.0f} s", "absent": "absent", "raised": str(value), "died": "died"}[word]
    seconds, count, clock = value
    wrong = "" if count in (None, expected) else f" found {count}"
    return f"{seconds:.3g} ({clock:.3g}){wrong}"


class Table:
    """One contestant a column; a peer that was late on a row is skipped on rows with more regions."""

    def __init__(self, contestants, limit, title):
        self.contestants, self.limit = contestants, limit
        self.late, self.absent = {}, set()
        print(f"\n{title:<16}{'regions':>9}" + "".join(f"{name:>20}" for name in contestants) + "   slower by")

    def row(self, name, work, expected):
        times = {}
        print(f"{name:<16}{expected:>9}", end="", flush=True)
        for peer, prepare in self.contestants.items():
            if peer in self.absent:
                text = "absent"
            elif expected > self.late.get(peer, expected):
                text = "skipped"
            else:
                word, value = measured(prepare, work, self.limit)
                text = shown(word, value, expected, self.limit)
                if word == "done":
                    times[peer] = value[0]
                elif word == "late":
                    self.late[peer] = expected
                elif word == "absent":
                    self.absent.add(peer)
                    sys.stderr.write(f"[{peer}: {value}]\n")
            print(f"{text:>20}", end="", flush=True)
        first = times.get("geomrelu")
        ratios = [f"{peer} {t / first:.3g}" for peer, t in times.items() if peer != "geomrelu"] if first else []
        print("   " + ", ".join(ratios))


def arrangements(folder, options):
    table = Table(chosen(ARRANGEMENTS, options), options.limit, "(n, m)")
    for name, work in json.loads((folder / "arrangements.json").read_text()).items():
        if not options.rows or name in options.rows:
            table.row(name, work, work["expected"])


def networks(folder, options):
    table = Table(chosen(NETWORKS, options), options.limit, "network")
    rows = json.loads((folder / "mlps.json").read_text())
    for name, work in rows.items():
        if name in options.rows or (not options.rows and name.endswith("s0")):
            word, truth = measured(NETWORKS["by cuts"], work, 600)
            assert word == "done"
            table.row(name, work, truth[1])


def larger(_, options):
    """Random networks (He's variances, biases of deviation 1/2) on [-1, 1]^n."""
    table = Table(chosen(LARGER, options), options.limit, "network")
    for widths in ([3, 64, 64], [4, 32, 32]):
        name = "-".join(map(str, widths))
        if not options.rows or name in options.rows:
            work = random_network(widths)
            word, truth = measured(NETWORKS["NumPy"], work, 600)
            assert word == "done"
            table.row(name, work, truth[1])


def random_network(widths):
    """As in mlps.json: integers over a power of two, and an output neuron that cuts nothing."""
    rng, scale = np.random.default_rng(0), 2**24
    work: dict[str, Any] = {"widths": [*widths, 1], "den": scale, "box": 1, "W": [], "b": []}
    for inputs, outputs in pairwise(work["widths"]):
        work["W"].append(np.rint(rng.normal(0, (2 / inputs) ** 0.5, (outputs, inputs)) * scale).astype(int).tolist())
        work["b"].append(np.rint(rng.normal(0, 0.5, outputs) * scale).astype(int).tolist())
    return work


def degenerate(folder, options):
    peers = chosen(ARRANGEMENTS, options)
    right, answers = dict.fromkeys(peers, 0), {}
    cases = json.loads((folder / "degenerate.json").read_text())
    for name, case in cases.items():
        a = [[Fraction(v) for v in row] for row in case["A"]]
        b = [Fraction(v) for v in case["b"]]
        scale = int(np.lcm.reduce([v.denominator for row in (*a, b) for v in row]))
        work = {"n": len(a[0]), "den": scale, "A": [[int(v * scale) for v in row] for row in a]}
        work["b"] = [int(v * scale) for v in b]
        for peer, prepare in peers.items():
            if peer != "edges":
                word, value = measured(prepare, work, options.limit)
                good = word == "done" and value[1] == case["expected"]
                right[peer] += good
                if not good:
                    text = f"{value[1]}" if word == "done" else f"{word} {value or ''}".strip()
                    answers.setdefault(peer, []).append(f"{name}: {text}, not {case['expected']}")
    print("\ndegenerate arrangements: right answers")
    for peer in peers:
        if peer != "edges":
            print(f"  {peer:<12}{right[peer]:>3} of {len(cases)}   " + "; ".join(answers.get(peer, ())))


def chosen(contestants, options):
    return {name: c for name, c in contestants.items() if not options.peers or name in options.peers}


PARTS = {
    "arrangements": arrangements,
    "networks": networks,
    "larger": larger,
    "degenerate": degenerate,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Enumerating regions: geomrelu against its peers.")
    beside = Path(__file__).resolve().parents[3] / "shared"
    parser.add_argument("folder", nargs="?", default=os.environ.get("GEOMRELU_SHARED", beside), type=Path)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument(
        "--peers", nargs="+", choices=[*ARRANGEMENTS, "NumPy", "other"], default=[], help="only these columns"
    )
    parser.add_argument("--rows", nargs="+", default=[], help='only these rows, as "3,50" or "2-10-10-1/s0"')
    parser.add_argument("--limit", type=float, default=60.0, help="seconds a measurement")
    parser.add_argument("--threads", type=int, default=1, help="of each contestant")
    parser.add_argument("--against", type=Path, metavar="FOLDER", help="another checkout of geomrelu")
    options = parser.parse_args()
    os.environ |= {
        name: str(options.threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    }
    if options.against:
        os.environ[OTHER] = str(options.against.resolve())
    workloads = options.folder / "workloads"
    for part in options.parts:
        if part == "larger" or workloads.is_dir():
            PARTS[part](workloads, options)
        else:
            print(f"{workloads} is absent: {part} left out")
