"""What the public face says of itself: everything in ``geomrelu.__all__``, and the public methods of its classes.

A function says what its parameters are, what it raises, what is exact, how it works or what it costs, and where it
comes from, and shows itself in a doctest. A class says what it holds, what is exact and what it costs, and shows
itself. A method names its parameters and what it raises; the rest is said by its class.
"""

from __future__ import annotations

import inspect
import re
from enum import Enum

import pytest

import geomrelu

PLAIN = {
    "Status",
    "InputError",
    "Rejected",
    "LayerReport",
    "Verdict",
    "Picture",
    "Report",
    "Smaller",
}  # of what is made


def of_class(cls):
    for name, member in vars(cls).items():
        if name.startswith("_") or isinstance(member, Enum):
            continue
        if isinstance(member, (classmethod, staticmethod)):
            member = member.__func__
        if inspect.isfunction(member):
            yield name, member
        elif isinstance(member, property) or hasattr(member, "func"):
            yield name, member.fget if isinstance(member, property) else member.func


FACE = {name: getattr(geomrelu, name) for name in geomrelu.__all__ if name not in ("__version__", "catalogue")}
FUNCTIONS = {name: thing for name, thing in FACE.items() if inspect.isfunction(thing)}
CLASSES = {name: thing for name, thing in FACE.items() if inspect.isclass(thing)}
METHODS = {f"{name}.{method}": f for name, cls in CLASSES.items() for method, f in of_class(cls)}
CATALOGUE = {name: getattr(geomrelu.catalogue, name) for name in geomrelu.catalogue.__all__}


def parameters(thing):
    return [name for name in inspect.signature(thing).parameters if name not in ("self", "cls", "budget")]


def unnamed(thing, text):
    return [name for name in parameters(thing) if not re.search(rf"\b{name}\b", text)]


def test_nothing_is_left_out():
    assert FUNCTIONS.keys() | CLASSES.keys() == FACE.keys()
    assert len(FUNCTIONS) >= 12 and len(CLASSES) >= 15 and len(METHODS) > 130


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_say_everything(name):
    text = inspect.getdoc(FUNCTIONS[name])
    assert not unnamed(FUNCTIONS[name], text)
    for part in ("Args:", "Raises:\n    ", "Exact:", "Source:", ">>> "):
        assert part in text, part
    assert re.search(r"\b(Method|Cost):", text)


@pytest.mark.parametrize("name", CLASSES)
def test_classes_say_what_they_hold(name):
    cls, text = CLASSES[name], inspect.getdoc(CLASSES[name])
    assert len(text) > 40
    if name in PLAIN:
        return
    assert "Args:" in text or "Attributes:" in text or "Make one" in text
    assert not unnamed(cls, text) or "Make one" in text
    assert re.search(r"\bExact:", text) or name == "Budget"
    assert re.search(r"\b(Method|Cost|Cost of \w+):?", text)
    assert ">>> " in text


@pytest.mark.parametrize("name", METHODS)
def test_methods_name_their_parameters_and_what_they_raise(name):
    method, text = METHODS[name], inspect.getdoc(METHODS[name])
    assert text
    assert not unnamed(method, text)
    if "raise InputError" in inspect.getsource(method):
        assert "Raises:\n    InputError: " in text or "Refuse" in text


@pytest.mark.parametrize("name", CATALOGUE)
def test_arrangements_of_the_catalogue_say_what_they_are(name):
    text = inspect.getdoc(CATALOGUE[name])
    assert not unnamed(CATALOGUE[name], text) and ("region" in text or "general position" in text)
