"""Regions counted in parts: the same regions, whoever counts them, and their sign vectors on disk."""

from __future__ import annotations

import json
import pickle
import random
from concurrent.futures import Future
from types import SimpleNamespace

import numpy as np
import pytest
from commands import run
from families import cases

from geomrelu import InputError, Network, Polyhedron
from geomrelu.budget import Budget, Exhausted
from geomrelu.network import shards
from geomrelu.network.complex import Complex
from geomrelu.network.region_count import by_shards
from geomrelu.network.shards import SignFile
from geomrelu.network.subdivision import finish, prefixes
from geomrelu.parallel import workers_on
from geomrelu.resume import held


def rows(signs):
    return sorted(map(tuple, signs.tolist()))


def plane(widths=(12, 8), seed=3):
    rng = np.random.default_rng(seed)
    layers, before = [], 2
    for width in widths:
        layers.append((rng.normal(size=(width, before)), rng.normal(size=width), "relu"))
        before = width
    return Network.from_layers(layers)


@pytest.mark.parametrize("parts", [1, 2, 7, 1000])
def test_prefixes_are_disjoint_and_cover(parts):
    """On networks of all kinds (degenerate, ternary, badly scaled) the parts give each region once."""
    for _, net, domain, _, _ in cases(12, 77):
        if not isinstance(domain, Polyhedron) or domain.dimension != net.inputs:
            continue
        whole = Complex(net, domain)
        compiled = Complex(net, domain).compiled
        found = [done.signs for block in prefixes(compiled, Budget(), parts) for done in finish(block, Budget())]
        assert rows(np.concatenate([*found, whole.signs[:0]])) == rows(whole.signs)


def test_a_wide_layer_in_parts():
    """150 lines: more neurons than bits of a word, twice."""
    net, box = plane((150, 2)), Polyhedron.box([(-1, 1)] * 2)
    found = [
        done.signs for block in prefixes(Complex(net, box).compiled, Budget(), 9) for done in finish(block, Budget())
    ]
    assert rows(np.concatenate(found)) == rows(Complex(net, box).signs)


@pytest.mark.parametrize("workers", [1, 2])
def test_sign_vectors_on_disk(workers, tmp_path):
    net, box = plane(), Polyhedron.box([(-2, 2)] * 2)
    with workers_on(workers) as pool:
        found = by_shards(net, box, None, Budget(), pool, tmp_path)
    signs = np.concatenate([np.load(path) for path in found["files"]])
    whole = Complex(net, box)
    assert found["complete"] and found["regions"] == len(signs) == whole.n_regions
    assert rows(signs) == rows(whole.signs) and signs.dtype == np.int8
    assert found["dead"] == [list(whole.dead(layer)) for layer in (1, 2)]
    with pytest.raises(InputError, match="already"):
        by_shards(net, box, None, Budget(), directory=tmp_path)


def test_a_directory_of_sign_vectors_is_for_one_run_and_holds_no_parts(tmp_path):
    """Another run would write to the same files; and workers that are ended in the midst of a file leave a part."""
    net, box = plane(), Polyhedron.box([(-2, 2)] * 2)
    with held(tmp_path), pytest.raises(InputError, match="another run is using this"):
        by_shards(net, box, None, Budget(), directory=tmp_path)
    (tmp_path / "signs-7.part").write_text("half")
    found = by_shards(net, box, None, Budget(), directory=tmp_path)
    assert found["complete"] and [str(path) for path in tmp_path.iterdir()] == found["files"]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("limit", [0, 1, 5, 60])
def test_a_budget_of_regions_is_kept(workers, limit, tmp_path):
    net, box = plane((20, 20)), Polyhedron.box([(-2, 2)] * 2)
    with workers_on(workers) as pool:
        found = by_shards(net, box, None, Budget(regions=limit), pool, tmp_path)
    assert not found["complete"] and "budget" in found["reason"]
    assert sum(len(np.load(path)) for path in found["files"]) <= found["regions"] <= limit
    assert found["regions"] == limit or limit > 1  # the domain itself is one
    every = set(rows(Complex(net, box).signs))
    assert all(set(rows(np.load(path))) <= every for path in found["files"])


@pytest.mark.parametrize("workers", [2, 3])
def test_workers_never_have_more_than_the_budget_among_them(workers, tmp_path):
    """Shards whose part was not enough are done again with what others left: all regions are found if all are paid for,
    and nothing beyond the limit otherwise."""
    net, box = plane((14, 14, 6)), Polyhedron.box([(-2, 2)] * 2)
    whole = Complex(net, box).n_regions
    with workers_on(workers) as pool:
        for k, limit in enumerate((whole, whole + 1, whole - 1, whole * 9 // 10, whole // 2, 100)):
            (folder := tmp_path / str(k)).mkdir()
            found = by_shards(net, box, None, Budget(regions=limit), pool, folder)
            on_disk = sum(len(np.load(path)) for path in found["files"])
            assert found["complete"] == (limit >= whole) and on_disk <= limit
            assert found["regions"] == whole if found["complete"] else on_disk <= found["regions"] <= limit
            assert found["complete"] or found["reason"] == f"the budget for it, {limit} regions, is spent"


class Later:
    """Workers that finish in any order, one at a time, as long as they are not asked for ever."""

    def __init__(self, seed):
        self.rng, self.jobs, self.calls = random.Random(seed), {}, 0

    def submit(self, function, *args):
        self.calls += 1
        assert self.calls < 1000
        future = Future()
        self.jobs[future] = function, pickle.dumps(args)
        return future

    def wait(self, running, return_when):
        future = self.rng.choice(list(self.jobs))
        function, args = self.jobs.pop(future)
        future.set_result(function(*pickle.loads(args)))
        return SimpleNamespace(done={future})


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("workers", [2, 3, 4])
def test_shards_in_any_order_end_within_any_budget(workers, seed, monkeypatch):
    net, box = plane((14, 14, 6)), Polyhedron.box([(-2, 2)] * 2)
    whole = Complex(net, box).n_regions
    for limit in (*range(80, whole - 1, 15), whole - 1, whole, whole + 1):
        later = Later(seed)
        monkeypatch.setattr(shards, "wait", later.wait)
        found = by_shards(net, box, None, Budget(regions=limit), (later, workers))
        assert found["complete"] == (limit >= whole)
        assert found["regions"] == whole if found["complete"] else found["regions"] <= limit


def test_a_file_of_signs_grows_and_is_complete_or_absent(tmp_path):
    path = tmp_path / "signs.npy"
    file, rng = SignFile(path, 3), np.random.default_rng(0)
    parts = [rng.integers(-1, 2, (k, 3)) for k in (0, 1, 1000, 70_000)]
    for part in parts:
        file.add(part)
    assert not path.exists()
    file.close()
    assert (np.load(path) == np.concatenate(parts)).all()
    assert np.load(path, mmap_mode="r").shape == (71_001, 3) and list(tmp_path.iterdir()) == [path]


def test_the_command(tmp_path, capsys):
    (tmp_path / "net.json").write_text(plane().to_json())
    asked = ["regions", tmp_path / "net.json", "--domain", "box:-2,2", "--format", "json"]
    whole = json.loads(run(capsys, *asked)[1])
    found = json.loads(run(capsys, *asked, "--workers", 2, "--signs-in", tmp_path / "out")[1])
    assert {**found, "files": None} == {**whole, "files": None} and len(found["files"]) > 1
    code, said, _ = run(capsys, *asked[:-2], "--workers", 2)
    assert code == 0 and f"{whole['regions']:,} regions" in said
    for wrong in ("--signs", "--faces", "--polynomial"):
        code, _, error = run(capsys, *asked, "--workers", 2, wrong)
        assert code == 2 and error.count("\n") == 1
    code, said, _ = run(capsys, *asked, "--workers", 2, "--regions", 5)
    assert code == 3 and not json.loads(said)["complete"]


def test_an_interruption_leaves_the_sign_vectors_that_were_found(tmp_path, monkeypatch):
    net, box = plane((20, 20)), Polyhedron.box([(-2, 2)] * 2)
    begun = []

    def interrupted(block, budget):
        for done in finish(block, budget, 1000):
            yield done
            begun.append(done.cells)
            if len(begun) == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(shards, "finish", interrupted)
    found = by_shards(net, box, None, Budget(), directory=tmp_path)
    assert (found["reason"], found["complete"]) == ("interrupted", False)
    signs = np.load(*found["files"])
    assert len(signs) == sum(begun) <= found["regions"] and set(rows(signs)) < set(rows(Complex(net, box).signs))


def test_the_end_of_time_is_said():
    with pytest.raises(Exhausted):
        list(
            finish(
                next(prefixes(Complex(plane((40, 40)), Polyhedron.box([(-2, 2)] * 2)).compiled, Budget(), 1)), Budget(0)
            )
        )
