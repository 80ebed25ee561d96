"""Sparse autoencoders by the names of SAELens: ``W_enc`` (in, features), ``b_enc``, ``W_dec``, ``b_dec``, and a
``threshold``.

The features are ``ReLU((x - b_dec) @ W_enc + b_enc)``, where ``b_dec`` is subtracted only if ``apply_b_dec_to_input``
says so in the ``cfg.json`` beside the file. With a threshold t (JumpReLU) a feature is z where ``z > t`` and 0
elsewhere: it is silent where ``z - t <= 0``, which is what is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap
from geomrelu.exact.numbers import dyadic
from geomrelu.io.files import FilePath
from geomrelu.io.json import beside
from geomrelu.io.reading import Port, Reading, ReadLayer
from geomrelu.io.tape import Tape

__all__ = ["configuration", "is_meant", "network"]

_ARRAYS = {"W_enc": 2, "b_enc": 1, "W_dec": 2, "b_dec": 1, "threshold": 1}


def is_meant(arrays: Mapping[str, Any]) -> bool:
    """Are these the arrays of a sparse autoencoder?"""
    return "W_enc" in arrays


def configuration(path: FilePath) -> dict[str, Any]:
    """What the ``cfg.json`` in the folder of a file says; nothing, if there is none.

    Raises:
        InputError: it is not JSON.
    """
    found = beside(path, "cfg.json")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InputError("cfg.json: the configuration of a sparse autoencoder must be an object {...}")
    return found


def network(
    arrays: Mapping[str, np.ndarray],
    configuration: Mapping[str, Any],
    format_: str,
    *,
    apply_b_dec_to_input: bool | None = None,
) -> Tape:
    """The encoder of a sparse autoencoder as a ReLU layer, and its decoder as the output.

    Args:
        configuration: what its ``cfg.json`` says.
        apply_b_dec_to_input: whether ``b_dec`` is subtracted from the input, where no ``cfg.json`` says it.

    Raises:
        InputError: an architecture whose features are not thresholds of affine forms (gated, top-k); a normalisation
            of the input that is not affine; parameters that do not fit; a ``b_dec`` of which nothing says whether it
            is subtracted.

    Exact: yes.
    """
    thresholded = "threshold" in arrays
    _supported(configuration, thresholded)
    for name, array in arrays.items():
        if name not in _ARRAYS:
            raise InputError(f"{name[:80]!r} is no parameter of a sparse autoencoder ({', '.join(_ARRAYS)})")
        if array.ndim != _ARRAYS[name]:
            raise InputError(f"{name}: shape {list(array.shape)}, but {_ARRAYS[name]} axes were expected")
    inputs, features = arrays["W_enc"].shape
    if not inputs or not features:
        raise InputError("W_enc is empty")
    encoder = AffineMap.from_dense(arrays["W_enc"].T, arrays.get("b_enc"), "W_enc")
    subtracted = _is_subtracted(arrays.get("b_dec"), configuration, apply_b_dec_to_input)
    if subtracted:
        encoder = encoder.after(_minus(AffineMap.selection(inputs, range(inputs)), arrays["b_dec"], "b_dec"))
    if thresholded:
        if min(dyadic(arrays["threshold"], "threshold")[0]) < 0:
            raise InputError("threshold: a negative threshold is read differently by different programs")
        encoder = _minus(encoder, arrays["threshold"], "threshold")
    tape = Tape(inputs)
    kind = "JumpReLU" if thresholded else "ReLU"
    value = tape.relu(encoder.after(tape.input), ReadLayer("W_enc", (features,), kind))
    decoded = not thresholded and "W_dec" in arrays
    if decoded:
        value = AffineMap.from_dense(arrays["W_dec"].T, arrays.get("b_dec"), "W_dec").after(value)
    tape.finish(value)
    notes = [f"b_dec is {'' if subtracted else 'not '}subtracted from the input"] if "b_dec" in arrays else []
    if not thresholded and not {"architecture", "activation_fn", "activation_fn_str"} & configuration.keys():
        notes.append("nothing names its activation: taken is ReLU, and not the largest few of all features")
    if configuration.get("normalize_activations", "none") not in ("none", None):
        notes.append("the inputs are the activations after the scaling by their average norm")
    tape.reading = Reading(
        f"{format_}, a sparse autoencoder",
        inputs=(Port("activations", (inputs,)),),
        outputs=(Port("reconstruction" if decoded else "W_enc", (value.outputs,)),),
        layers=tuple(tape.read),
        before=("minus b_dec",) if subtracted else (),
        after=("W_dec",) if decoded else (),
        left=("the decoder, for a JumpReLU is not continuous",) if thresholded and "W_dec" in arrays else (),
        notes=tuple(notes),
    )
    return tape


def _supported(configuration: Mapping[str, Any], thresholded: bool) -> None:
    architecture = configuration.get("architecture", "jumprelu" if thresholded else "standard")
    known = ("jumprelu",) if thresholded else ("standard",)
    if architecture not in known:
        raise InputError(f"cfg.json: architecture {str(architecture)[:40]!r} is not supported here ({known[0]} is)")
    for key in ("activation_fn", "activation_fn_str"):
        if configuration.get(key, "relu") != "relu":
            raise InputError(f"cfg.json: {key} {str(configuration[key])[:40]!r} is not supported (relu is)")
    normalisation = configuration.get("normalize_activations", "none")
    if normalisation not in ("none", None, "expected_average_only_in"):
        raise InputError(f"cfg.json: normalize_activations {str(normalisation)[:40]!r} is not affine")


def _is_subtracted(shift: np.ndarray | None, configuration: Mapping[str, Any], option: bool | None) -> bool:
    said = configuration.get("apply_b_dec_to_input")
    if said is not None and not isinstance(said, bool):
        raise InputError("cfg.json: apply_b_dec_to_input must be true or false")
    if said is not None and option is not None and said != option:
        raise InputError(f"cfg.json says apply_b_dec_to_input: {said}, the option says {option}")
    answer = option if said is None else said
    if shift is None or not any(dyadic(shift, "b_dec")[0]):
        return False
    if answer is None:
        raise InputError(
            "there is a b_dec, but no cfg.json beside the file says whether it is subtracted from the input: say it by "
            "apply_b_dec_to_input, true or false"
        )
    return answer


def _minus(map_: AffineMap, shift: np.ndarray, where: str) -> AffineMap:
    """``map_(x) - shift``."""
    numerators, denominator = dyadic(shift, where)
    if len(numerators) != map_.outputs:
        raise InputError(f"{where}: {len(numerators)} entries for {map_.outputs} numbers")
    return map_.scaled([Fraction(1)] * map_.outputs, [Fraction(-v, denominator) for v in numerators])
