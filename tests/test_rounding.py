"""Whatever direction other libraries have the processor round in, errors are bounded where it rounds to nearest."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys
import threading
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from geomrelu import Arrangement, Complex, InputError, Network, Polyhedron, decide, rounding
from geomrelu.deadness.layer_bounds import LayerBounds
from geomrelu.deadness.relaxation import FloatNetwork
from geomrelu.deadness.unit_bounds import UnitBounds
from geomrelu.random_networks.goal import Goal
from geomrelu.random_networks.intervals import bounded_mean
from geomrelu.random_networks.living_batch import Walk
from geomrelu.random_networks.orbit_batch import stably_unactivated_counts
from geomrelu.rounding import to_nearest

DIRECTIONS = {"x86_64": (0x400, 0x800, 0xC00), "aarch64": (0x400000, 0x800000, 0xC00000)}.get(platform.machine(), ())
pytestmark = pytest.mark.skipif(not DIRECTIONS, reason="the names of directions are not known for this processor")

BOX = Polyhedron.box([(-2, 2)] * 2)
LAYERS = [([[1, 0], [0, 1]], [0, 0], "relu"), ([[1, 1]], ["-1/3"], "relu")]
NET = Network.from_layers(LAYERS)
ONES = np.ones((1, 1))
POINTS = np.array([[-1.0, 0.3], [0.1, 0.2]])
HARD = [[Fraction(1, 3 + 2 * i + j) for j in range(3)] for i in range(4)]  # their minors are no integers below 2^53


def in_float32():
    """In float32 1 + 2^-30 is 1, six times, so that -2^-23 is left; rounded up it is 1 + 2^-23."""
    layers = [([[1] + [2.0**-30] * 6], [-1 - 2.0**-23], "relu"), ([[1]], [0], "none")]
    *_, last = decide(layers, [(1, 1)] * 7).in_floats("float32", 60)
    return [v.status for v in last]


def walked():
    """The signs of w and b with which max(w x + b, 0) is alive on [1, 2]: those with w > 0."""
    return Walk([(ONES[None], ONES / 2)], Polyhedron.box([(1, 2)]), Goal("alive", 1)).counts


WORK = {
    "float32": (in_float32, ["dead over the reals, open in floats"]),
    "linear regions": (lambda: Complex(NET, BOX).n_regions, 7),
    "arrangement": (lambda: Arrangement(HARD, [1, 2, 3, 4]).n_regions, 15),
    "data": (
        lambda: str(decide(LAYERS, data=POINTS)).splitlines()[0],
        "2 points in R^2, 3 neurons: 1 silent on all points, 2 firing, 0 undecided",
    ),
    "whole layers": (lambda: LayerBounds(FloatNetwork(NET, BOX), True).known, []),
    "units": (lambda: UnitBounds(FloatNetwork(NET, BOX), [[0, 0], [0]]).count, 18),
    "walk": (lambda: walked().tolist(), [2]),
    "orbits": (lambda: stably_unactivated_counts([[[1.0], [3.0]]], [[1.0, 2.0]], [[1.0, 1.0]], [1.0]), 6),
    "a mean": (lambda: round(bounded_mean({Fraction(3, 4): 100}, 0.95)[0], 3), 0.719),
}


def rounding_in(direction, work):
    """What a thread of its own finds that has begun with a direction, and whether it rounds to nearest in the end."""
    found = []

    def run():
        ctypes.CDLL(None).fesetround(direction)
        tie = np.float64(2.0**-53)
        assert (1 + tie == 1 and 1 - tie / 2 == 1) == (not direction)
        found.append(work())
        found.append(bool(1 + tie == 1 and 1 - tie / 2 == 1))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found


@pytest.mark.parametrize("direction", [0, *DIRECTIONS])
@pytest.mark.parametrize("what", WORK)
def test_errors_are_bounded_where_floats_are_rounded_to_nearest(what, direction):
    work, expected = WORK[what]
    assert rounding_in(direction, work) == [expected, True]


def test_a_thread_that_cannot_be_told_is_refused(monkeypatch):
    def refused():
        with pytest.raises(InputError, match="does not round floats to nearest"):
            to_nearest()

    monkeypatch.setattr(rounding, "ctypes", SimpleNamespace(CDLL=lambda name: object()))
    assert rounding_in(DIRECTIONS[0], refused) == [None, False]


def test_what_other_libraries_leave():
    """Importing PPL is one of the things that change the direction, in some versions."""
    pytest.importorskip("ppl")
    code = """if True:
        from geomrelu import decide
        import ppl
        decide([([[1]], [0], "relu")], data=[[0.5]])
        tie = 2.0**-53
        print(1 + tie == 1 and 1 - tie / 2 == 1)"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "True\n"
