"""What the package hands out are values: equal if their data are, not to be changed, and the same after a journey."""

from __future__ import annotations

import copy
import pickle
from fractions import Fraction

import numpy as np
import pytest

import geomrelu
from geomrelu import AffineForm, AffineMap, Arrangement, Budget, Complex, Experiment, FiniteSet, Network, Polyhedron

LAYERS = [([[1, 0], [0, 1]], [0, 0], "relu"), ([[1, 1]], ["-1/3"], "relu")]
NET, BOX = Network.from_layers(LAYERS), Polyhedron.box([(-1, 1)] * 2)
LINES = Arrangement([[1, 0], [0, 1], [2, 2]], [0, 0, -1], BOX)
UNION = geomrelu.Union.of([BOX, Polyhedron.from_generators([[0, 0]], [[1, 1]])])


def test_what_is_handed_out_cannot_be_used_to_change_a_value():
    with pytest.raises(ValueError, match="read-only"):
        NET.layers[0].data[0] = 5
    for again in (pickle.loads(pickle.dumps(NET)), copy.deepcopy(NET)):
        with pytest.raises(ValueError, match="read-only"):
            again.layers[0].data[0] = 5
    pieces = Complex(NET, BOX)
    for signs in (pieces.signs, next(pieces.regions()).signs, LINES.signs):
        with pytest.raises(ValueError, match="read-only"):
            signs[0] = 1
    again = Complex(NET, BOX)
    assert again.cells and not again.signs.flags.writeable  # whichever is asked for first
    LINES.hyperplanes.clear()
    next(iter(LINES.hyperplanes.values())).append(9)
    assert len(LINES.hyperplanes) == 3 and [0] in LINES.hyperplanes.values()
    assert isinstance(BOX.sides, tuple)
    for value, name in ((LINES, "rows"), (LINES, "domain"), (pieces, "layers"), (pieces, "domain")):
        with pytest.raises(AttributeError, match="is a value"):
            setattr(value, name, getattr(value, name))


def test_what_is_handed_in_may_be_changed_afterwards():
    weights, bias, points = np.eye(2), np.zeros(2), np.ones((1, 2))
    made = (
        lambda: Network.from_layers([(weights, bias, "relu")]),
        lambda: Arrangement(weights, bias),
        lambda: Polyhedron.from_generators(points, weights),
        lambda: FiniteSet.of(points),
        lambda: geomrelu.Ellipsoid.of(bias, weights),
    )
    before = [make() for make in made]
    for array in (weights, bias, points):
        array += 1
    after = [make() for make in made]
    for one, other, array in zip(before, after, made, strict=True):
        assert one != other and hash(one) == hash(copy.deepcopy(one)), array


@pytest.mark.parametrize(
    "value",
    [
        NET,
        NET.neuron(2, 0),
        BOX,
        LINES,
        UNION,
        FiniteSet.of([[0, "1/3"]]),
        geomrelu.Ellipsoid.ball([0, 0], 1),
        geomrelu.decide(NET, BOX).verdicts[0],
        geomrelu.decide(NET, BOX).layers[1],
        Experiment("alive", (2, 3)),
        geomrelu.probability(Experiment("alive", (2, 2))),
        geomrelu.prune(NET, BOX),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_are_equal_and_hash_alike_after_a_journey(value):
    for again in (pickle.loads(pickle.dumps(value)), copy.deepcopy(value)):
        assert again == value and len({again, value}) == 1 and repr(again) == repr(value)


def test_reports_pictures_and_maps_travel():
    report, pieces = geomrelu.decide(NET, UNION, time=10), Complex(NET, BOX)
    assert report.ranges and report.active == [] and pieces.n_regions == 7
    assert len(pieces.cells) == len(pieces.graph()) == 7
    for again in (pickle.loads(pickle.dumps(report)), copy.deepcopy(report)):
        assert str(again) == str(report) and str(again.ranges) == str(report.ranges) and again.check() == report.check()
    picture = geomrelu.plot(LINES)
    assert pickle.loads(pickle.dumps(picture)).svg == picture.svg
    again = pickle.loads(pickle.dumps(pieces))
    assert (again.signs == pieces.signs).all() and again.f_vector == pieces.f_vector


def test_names_say_what_a_thing_is():
    cells = Complex(NET, BOX).cells
    assert repr(cells) == "<7 cells>" and repr(cells[0]).startswith("<the cell ")
    assert repr(Budget()) == "<a budget without limits>" and repr(Budget(regions=3)) == "<a budget, 3 regions left>"


def test_what_a_notebook_shows_never_fails():
    huge = 10**5000  # more digits than Python writes by itself
    assert len(repr(AffineForm.of(huge, [1]))) > 5000 and "frac" in AffineForm.of(0, [Fraction(1, huge)])._repr_latex_()
    assert repr(Polyhedron.box([(0, huge)])).startswith("Polyhedron.box([(0, 1000")
    flat = Arrangement([[1, 0]], [0], Polyhedron.box([(0, 0), (0, 1)]))
    assert flat._repr_svg_() is None and "<svg" in LINES._repr_svg_()
    assert Arrangement([[1, 0, 0]])._repr_svg_() is None


def test_forms_take_numbers_of_all_kinds_and_give_exact_ones():
    form = AffineForm.of(1, ["1/3", 0.5])
    for point in ([3, 2], (3.0, 2), np.array([3, 2], dtype=np.int8), iter([3, "2"])):
        assert form(point) == 3 and type(form([3, 2])) is Fraction
    assert form.along(np.array([3.0, 0.0])) == 1 and type(form.along([0.1, 0])) is Fraction
    rows = Arrangement.from_rows(np.array([[2**40, 2**41]]), 1)
    assert rows.rows == ((1, 2),) and type(rows.rows[0][0]) is int
    assert AffineMap.from_dense([[1, 2]]).form(np.int64(0)) == AffineForm.of(0, [1, 2])


def test_faces_of_more_dimensions_than_there_are():
    lines = Arrangement([[1, 0], [0, 1]])
    assert [len(lines.faces(d)) for d in range(5)] == [1, 4, 4, 0, 0]


def test_numbers_of_numpy_and_fractions_say_how_an_estimate_is_made():
    experiment = Experiment("alive", (np.int64(2), 3, 3), bias=np.True_)
    found = geomrelu.probability(experiment, orbits=np.int64(2), seed=np.int64(1), level=Fraction(9, 10))
    assert found == geomrelu.probability(Experiment("alive", (2, 3, 3)), orbits=2, seed=1, level=0.9)
    assert "90%" in str(found) or "0.9" in str(found)
