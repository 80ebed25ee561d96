"""cddlib's and lrs's own programs on random files: they and the reader must mean the same polyhedron.

Debian has them as libcdd-tools (scdd_gmp) and lrslib (lrs); without them the tests skip.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from fractions import Fraction

import pytest

from geomrelu.geometry.domains import read_any
from geomrelu.geometry.polyhedron import Polyhedron


def program(name, package):
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: {package})")
    return found


def number(rng):
    return f"{rng.randint(-6, 6)}" if rng.random() < 0.7 else f"{rng.randint(-6, 6)}/{rng.randint(1, 4)}"


def rows(rng, n):
    """A polyhedron in H-representation around the origin, often unbounded, sometimes flat."""
    return [[str(rng.randint(0, 4)), *(number(rng) for _ in range(n))] for _ in range(rng.randint(1, 6))]


def generators(rng, n):
    table = [["1", *(number(rng) for _ in range(n))] for _ in range(rng.randint(1, 4))]
    rays = [["0", *(number(rng) for _ in range(n))] for _ in range(rng.randint(0, 2))]
    return table + [ray for ray in rays if any(Fraction(v) for v in ray)]


def written(folder, head, table, foot=()):
    text = [
        *head,
        "begin",
        f" {len(table)} {len(table[0])} rational",
        *(" " + " ".join(r) for r in table),
        "end",
        *foot,
    ]
    path = folder / "p.ine"
    path.write_text("\n".join([*text, ""]))
    return path


def printed(text, folder, name):
    """The first representation in a program's output, read by the reader itself."""
    lines = text.splitlines()
    start = next(k for k, line in enumerate(lines) if line.strip() in ("H-representation", "V-representation"))
    end = next(k for k in range(start, len(lines)) if lines[k].strip() == "end")
    path = folder / name
    path.write_text("\n".join([*lines[start : end + 1], ""]))
    return read_any(str(path))


def test_what_lrs_makes_of_random_files(tmp_path):
    """Comments, a name, options with and without numbers, nonnegative, linearity, both representations."""
    lrs, rng, flat = program("lrs", "lrslib"), random.Random(1), 0
    compared = 0
    for k in range(90):
        n = rng.randint(1, 3)
        head = [rng.choice(["a name", "# a comment", "* another"])]
        generated = rng.random() < 0.3
        table = generators(rng, n) if generated else rows(rng, n)
        head.append("V-representation" if generated else "H-representation")
        if not generated and rng.random() < 0.5:
            head.append("nonnegative")
        elif not generated and len(table) > 1 and rng.random() < 0.6:
            head.append(f"linearity 1 {rng.randint(1, len(table))}")
        path = written(tmp_path, head, table, rng.choice([(), ("verbose",), ("cache 30",), ("maxdepth 50",)]))
        found = subprocess.run([lrs, path], capture_output=True, text=True, timeout=60).stdout
        ours = read_any(str(path))
        assert isinstance(ours, Polyhedron)
        if ours.is_empty:
            assert "No feasible solution" in found or "infeasible" in found.lower(), (k, path.read_text())
            continue
        if generated and "H-representation" not in found:
            continue  # a full-dimensional cone or the like, for which it prints no table
        flat += bool(ours.flats) if not generated else 0
        theirs = printed(found, tmp_path, "q.ine" if generated else "q.ext")
        assert ours.same_set(theirs), (k, path.read_text(), found)
        compared += 1
    assert flat > 2 and compared > 40


def test_what_cddlib_makes_of_random_files(tmp_path):
    """The same for scdd; the option hull of its older files says that the rows are points."""
    scdd, rng = program("scdd_gmp", "libcdd-tools"), random.Random(2)
    compared = 0
    for k in range(60):
        n = rng.randint(1, 3)
        generated = rng.random() < 0.5
        table = generators(rng, n) if generated else rows(rng, n)
        old = generated and rng.random() < 0.6
        head = ["* a comment"] if old else ["V-representation" if generated else "H-representation"]
        if not generated and len(table) > 1 and rng.random() < 0.4:
            head.append(f"{rng.choice(['linearity', 'equality'])} 1 {rng.randint(1, len(table))}")
        path = written(tmp_path, head, table, [*(["hull"] if old else []), *rng.choice([(), ("incidence",)])])
        run = subprocess.run([scdd, path.name], cwd=tmp_path, capture_output=True, text=True, timeout=60, input="")
        ours = read_any(str(path))
        assert isinstance(ours, Polyhedron)
        made = tmp_path / ("p.ine.ine" if generated else "p.ine.ext")
        candidates = [path for path in (made, tmp_path / "p.ext", tmp_path / "p.ine.ext") if path.exists()]
        if ours.is_empty or not candidates:
            assert ours.is_empty or "empty" in run.stdout.lower() or not candidates, (k, path.read_text())
            continue
        text = candidates[0].read_text()
        if "representation" not in text:
            continue
        theirs = printed(text, tmp_path, "q.ine" if generated else "q.ext")
        assert ours.same_set(theirs), (k, path.read_text(), text)
        compared += 1
        for leftover in tmp_path.iterdir():
            leftover.unlink()
    assert compared > 40
