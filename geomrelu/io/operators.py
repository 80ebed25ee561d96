"""What is read of each format: the tables of the readers, as text.

``geomrelu inspect --operators`` prints it; ``OPERATORS.md`` beside this file is the same.
"""

from __future__ import annotations

import importlib
import textwrap
from collections.abc import Iterable, Iterator

from geomrelu.io import keras_layers, keras_ops, sklearn, torch_modules
from geomrelu.io.onnx.rules import OPERATORS

__all__ = ["lines", "refused_by_onnx"]

STANDARD = 22  # operators of this version of the standard are listed among those that are not read
_FAMILIES = {  # by the module that has the rules
    "activations": "make ReLU layers; maxima, minima and choices too, where they are continuous",
    "linear": "affine, where all inputs but one are constant",
    "elementwise": "affine, where at most one input is not constant, or for sums; types and products with a sign",
    "pooling": "means and sums are affine, maxima and minima make auxiliary ReLU layers",
    "quantised": "affine or constant, or, for `decide` and `inspect` only, layers of whole numbers",
    "resampling": "affine: nearest neighbours, linear and cubic interpolation",
    "shapes": "move, repeat or drop entries",
    "constants": "give constants",
    "sequences": "sequences of tensors",
}
_WALKED = {("", "If")}  # not by a rule: the branch that a constant condition chooses


def refused_by_onnx() -> list[str]:
    """The operators of the ONNX standard before which judging stops; none where the package onnx is not installed."""
    try:
        defs = importlib.import_module("onnx").defs
    except ImportError:
        return []
    names = set()
    for schema in defs.get_all_schemas():
        known = (schema.domain, schema.name) in {*OPERATORS, *_WALKED}
        if schema.domain in ("", "ai.onnx.ml") and not known and schema.since_version <= STANDARD:
            names.add(schema.name)
    return sorted(names)


def lines() -> Iterator[str]:
    """The tables, in Markdown."""
    yield "# What is read"
    yield ""
    yield from _text(
        "Written by `geomrelu inspect --operators` from the tables of the readers. Every operator is read as the exact "
        "map that it is. What is not piecewise linear, or not known, is not read: the ReLU layers before it are "
        "judged, and `geomrelu inspect MODEL` says what was left out. So is what would be too large: convolutions are "
        "written out weight by weight, up to 100 million weights in all layers (about 4 GB)."
    )
    yield ""
    yield "## ONNX"
    families: dict[str, list[str]] = {}
    for (domain, name), rule in OPERATORS.items():
        family = rule.apply.__module__.rpartition(".")[2]
        families.setdefault(family, []).append(f"{domain}.{name}" if domain else name)
    yield ""
    yield "| operators | how |"
    yield "|---|---|"
    for family, how in _FAMILIES.items():
        yield f"| {', '.join(sorted(families.pop(family)))} | {how} |"
    assert not families, families
    yield "| If | the branch that a constant condition chooses |"
    yield "| any operator, local functions too | of constants: computed, exactly where a rule is known |"
    yield ""
    if names := refused_by_onnx():
        yield from _text(
            f"Refused, where an input depends on that of the network (operator sets up to {STANDARD}): "
            f"{', '.join(names)}."
        )
        yield ""
    groups: list[tuple[str, list[tuple[str, Iterable[str]]]]] = [
        ("PyTorch modules", [("make ReLU layers", torch_modules.ACTIVATIONS), ("affine", torch_modules.LINEAR)]),
        (
            "Keras layers",
            [
                ("in .keras and .h5 files", keras_layers.LAYERS),
                ("functions of `keras.ops`, of values and constants", keras_ops.OPERATIONS),
            ],
        ),
        ("scikit-learn", [("networks", sklearn.NETWORKS), ("steps of a pipeline before one", sklearn.STEPS)]),
    ]
    for title, tables in groups:
        yield f"## {title}"
        yield ""
        for how, listed in tables:
            yield from _text(f"{how[0].upper()}{how[1:]}: {', '.join(sorted(listed))}.")
            yield ""
    yield from _text(
        "Modules in `nn.Sequential`, nested as may be; others are exported to ONNX. Refused by name: other modules "
        "before the first ReLU, hooks, classes of one's own that compute something else."
    )


def _text(text: str) -> list[str]:
    return textwrap.wrap(text, 118, break_long_words=False, break_on_hyphens=False)
