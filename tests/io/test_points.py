"""Points in files of data: the first line is names only where nothing in it is meant as a number."""

from __future__ import annotations

import numpy as np
import pytest

from geomrelu import InputError
from geomrelu.deadness.on_data import as_points
from geomrelu.geometry.domains import as_domain, read_domain
from geomrelu.io.points import read_points
from geomrelu.io.reading import Port, Reading


def refused(words, call, *args):
    with pytest.raises(InputError, match=words) as caught:
        call(*args)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("first", ["x,y", "x1,x2", "# x,y", '"a b",c', "$x,-y", "_1,e1", "nation,information"])
def test_names_in_the_first_line(first, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(f"{first}\n3,4\n")
    assert read_points(path).tolist() == [[3, 4]]


@pytest.mark.parametrize(
    "first",
    ["1.0D0,2.0D0", "\N{MINUS SIGN}1,\N{MINUS SIGN}2", "10%,20%", "0x1,0x2", "$1,$2", "1 000,2 000", "1 / 2,1 / 3",
     "2020-01-01,2020-01-02", "(1;2),(3;4)", "1;2", "1 2", "1\t2", '"1,5","2,5"', "NA,NA", "None,null", "?,?", "-,-",
     "True,False", "nan,-inf"],
)  # fmt: skip
def test_a_first_line_of_what_is_meant_as_numbers_is_no_line_of_names(first, tmp_path):
    path = tmp_path / "x.csv"
    for more in ("", "3,4\n"):
        path.write_text(f"{first}\n{more}", encoding="utf-8")
        refused("line 1, column 1: .* is no rational number, and looks like no name", read_points, path)


def test_numbers_of_rows_are_no_coordinates(tmp_path):
    path = tmp_path / "x.csv"
    for name in ("", "Unnamed: 0"):  # as pandas writes a table; as it writes it again
        path.write_text(f"{name},x,y\n0,0.5,1\n1,0.25,2\n")
        refused("column 1 has no name, .* write index=False", read_points, path)


def test_a_center_is_one_point(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("1,2,3,4\n")
    assert read_domain(f"ball:1@{path}", 4).contains([1, 2, 3, 5])
    path.write_text("1,2\n3,4\n")
    refused("a center is one point, and .* holds 2", read_domain, f"ball:1@{path}", 4)


def test_two_lists_could_be_ends_or_sides():
    refused(r"two lists: .* Write \[\(low, high\), \(low, high\)\]", as_domain, ([0, 0], [1, 1]), 2)
    for sides in ([[0, 1], [0, 1]], [(0, 1), (0, 1)], ((0, 1), (0, 1))):
        assert as_domain(sides, 2) == as_domain("box:0,1", 2)


def test_a_point_without_a_batch_lies_along_the_axes_of_the_model():
    image = np.arange(6.0).reshape(2, 3)
    for shape in ((2, 3), (1, 2, 3)):
        assert len(as_points(image, 6, Reading("test", (Port("x", shape),)))) == 1
    assert len(as_points(image.reshape(6, 1), 6)) == len(as_points(image[None], 6)) == 1
    for reading in (None, Reading("test", (Port("x", (6,)),)), Reading("test", (Port("x", (3, 2)),))):
        refused(r"data have the shape \(points, 6\), not \(2, 3\)", as_points, image, 6, reading)


def test_labels_are_no_batch_of_points():
    table, labels = np.eye(3), np.arange(3.0)
    refused("not all have the same axes", as_points, (table, labels), 3)
    assert len(as_points([(table, labels), (table, labels)], 3)) == 6  # as a DataLoader gives them
    assert len(as_points(list(zip(table, labels, strict=True)), 3)) == 3  # as a Dataset does
