"""Models from PyTorch: ``nn.Sequential`` trees of piecewise linear modules, state dictionaries, and checkpoint files.

Modules in memory are read through their attributes, so PyTorch itself is not imported for them; it is for files.
Parameters enter as the dyadic numbers their floats hold; modules mean what they do in evaluation mode.
"""

from __future__ import annotations

import importlib
import io
import math
import re
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from geomrelu.arguments import integers
from geomrelu.errors import InputError, TooLarge
from geomrelu.io import sae, state_dict
from geomrelu.io.files import FilePath, named, one_line, read_bytes
from geomrelu.io.reading import Port, Reading
from geomrelu.io.tape import Tape
from geomrelu.io.tensors import Recorder, Tensor, sized
from geomrelu.io.torch_modules import ACTIVATIONS, LINEAR, array_of

__all__ = ["MODULES", "from_module", "from_state_dict", "network", "read", "unpickled"]

_OWN = "torch.nn.modules."  # where PyTorch's own modules are defined
_MADE = "torch.nn.utils.parametrize"  # of modules whose weights are made of others
_HARMLESS = {  # what a subclass may define without changing what its modules compute
    "__init__", "__module__", "__doc__", "__qualname__", "__annotations__", "__annotate__", "__annotate_func__",
    "__annotations_cache__", "__firstlineno__", "__static_attributes__", "__parameters__", "__orig_bases__",
    "__repr__", "extra_repr", "reset_parameters", "init_weights", "_init_weights",
}  # fmt: skip
_AXES = re.compile(r"(?:\w*Pool|Conv|ConvTranspose|\w+Pad|Upsampling\w+)([123])d")
_WRAPPERS = {"DataParallel": "module", "DistributedDataParallel": "module", "OptimizedModule": "_orig_mod"}
_TRAINED = ("AlphaDropout", "BatchNorm", "Dropout", "FeatureAlphaDropout", "RReLU", "SyncBatchNorm")
_EVALUATED = "the module is in training mode: read is what it computes in evaluation mode, after module.eval()"
_PLAIN = ("torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer")
_HOOKS = ("_forward_hooks", "_forward_pre_hooks")
MODULES = frozenset({"Sequential", *ACTIVATIONS, *LINEAR})  # the modules of PyTorch that are read
_UNSUPPORTED = f"it is not supported (supported: {', '.join(sorted(MODULES))})"
_DEEPEST = 100
_NO_PICKLE = ("locating file data.pkl", "TorchScript archives", "legacy .tar", "Unsupported operand")  # says torch.load
_NESTED = ("state_dict", "model_state_dict", "model", "module", "net", "network")  # where checkpoints keep parameters


def from_module(module: Any, input_shape: Sequence[int] | None = None) -> Tape:
    """The network of an ``nn.Sequential`` (nested ones too) of linear layers, convolutions, batch normalisation,
    pooling, padding, upsampling, flattening, and activations that are piecewise linear (see ``MODULES``).

    A module that stands in several places is read in each of them. A module of PyTorch that is not supported ends the
    network, if a ReLU comes before it: the reading says what is left out.

    Args:
        input_shape: of one input without the batch, such as ``(1, 28, 28)``; may be left out where the first layer
            with parameters is a Linear.

    Raises:
        InputError: an unsupported module or option, hooks, or a class that is not PyTorch's own and computes something
            else, with its place in the tree; shapes that do not fit.

    Exact: yes, except that batch normalisation may hold an irrational root, see
    :func:`geomrelu.io.tape.batch_normalisation`.
    """
    modules = list(_leaves(module, ""))
    shape = _input_shape(modules) if input_shape is None else _sizes(input_shape)
    sized(math.prod(shape), "input_shape")
    tape = Tape(math.prod(shape))
    value = Tensor((1, *shape), tape.input)
    seen: list[list[str]] = [[]]  # what stands before the first layer, before the second, ...
    left: tuple[str, ...] = ()

    def after(kind: str, leaf: Any, value: Tensor, place: str) -> Tensor:
        if kind in ACTIVATIONS:
            result = ACTIVATIONS[kind](leaf, value, Recorder(tape, place))
            seen.append([])
        else:
            result = LINEAR[kind](leaf, value)
            tape.carry(result.map)
            seen[-1].append(kind)
        return result

    for place, kind, leaf in modules:
        with named(f"module {place or 'given'} ({kind})"):
            axes = _AXES.fullmatch(kind)
            if axes and len(value.shape) != int(axes[1]) + 2:
                raise InputError(f"expected channels and {axes[1]} more axes, not shape {list(value.shape[1:])}")
            why, before = f"{kind} is not supported", len(tape.layers)
            if kind in MODULES:
                try:
                    value = after(kind, leaf, value, place)
                    continue
                except TooLarge as problem:
                    if not before:
                        raise
                    tape.forget(before)
                    why = str(problem)
            elif not before:
                raise InputError(_UNSUPPORTED)
            left = (f"module {place} ({kind}) and what comes after it: {why}",)
            break
    tape.finish(value.map, seen[-1])
    between = [kind for kinds in seen[1:-1] for kind in kinds]
    tape.reading = Reading(
        "PyTorch module",
        inputs=(Port("input", shape),),
        outputs=(Port("output", value.shape[1:]),),
        layers=tuple(tape.read),
        before=tuple(dict.fromkeys(seen[0])),
        between=tuple(dict.fromkeys(between)),
        after=tuple(dict.fromkeys(seen[-1])) if tape.layers else (),
        left=left,
        notes=(_EVALUATED,) if any(k.startswith(_TRAINED) and leaf.training for _, k, leaf in modules) else (),
    )
    return tape


def from_state_dict(
    state: Mapping[str, Any],
    *,
    order: Sequence[str] | None = None,
    activation: str | Sequence[str] | None = None,
    select: str | Sequence[str] | None = None,
    apply_b_dec_to_input: bool | None = None,
) -> Tape:
    """The network of linear layers, with ReLU between them and none after the last.

    Args:
        state: ``name.weight`` (out, in) and, where there is one, ``name.bias`` (out,): tensors or arrays, also of JAX,
            and in mappings of mappings as Flax has them. The order in which it holds them means nothing.
        order, activation: as :func:`geomrelu.io.state_dict.network` takes them.
        select: patterns such as ``model.layers.3.fc*``: only layers with such names; everything else is left out.
        apply_b_dec_to_input: as :func:`geomrelu.io.sae.network` takes it.

    Raises:
        InputError: anything in it that is not a linear layer, by name; shapes that do not fit; an order that names and
            shapes leave open.

    Exact: yes.
    """
    options: dict[str, Any] = {"order": order, "activation": activation, "select": select}
    return network(state_dict.flattened(state), None, "state dictionary", apply_b_dec_to_input, **options)


def read(
    path: FilePath,
    *,
    order: Sequence[str] | None = None,
    activation: str | Sequence[str] | None = None,
    select: str | Sequence[str] | None = None,
    apply_b_dec_to_input: bool | None = None,
) -> Tape:
    """The state dictionary in a file that ``torch.save`` wrote, also inside a checkpoint such as those of Lightning.

    Nothing but tensors and plain values is unpickled (``weights_only``), so a file that holds a whole module is
    refused: save its ``state_dict()`` or export it to ONNX.

    Args:
        order, activation, select, apply_b_dec_to_input: as :func:`from_state_dict` takes them. Of several state
            dictionaries in one file, ``select`` chooses: patterns such as ``actor.*``.

    Raises:
        InputError: ``path: what is wrong``; PyTorch is not installed.

    Exact: yes.
    """
    data = read_bytes(path)
    with named(path):
        options: dict[str, Any] = {"order": order, "activation": activation, "select": select}
        found = unpickled(data)
        state, beside = _parameters(found, chosen=select is not None)
        inside = found.values() if isinstance(found, Mapping) else ()  # as Lightning's hyper_parameters
        settings = [found, *inside, state_dict.settings_beside(path)]
        tape = network(state, path, "PyTorch file", apply_b_dec_to_input, **options, settings=settings)
        if beside and tape.reading is not None:
            note = f"the file also holds {', '.join(beside)[:200]}, which is not read"
            tape.reading = replace(tape.reading, notes=(*tape.reading.notes, note))
        return tape


def unpickled(data: bytes) -> Any:
    """What ``torch.save`` wrote, if that is tensors and plain values.

    Raises:
        InputError: it is something else; PyTorch is not installed.
    """
    try:
        torch: Any = importlib.import_module("torch")
    except ImportError:
        raise InputError("reading it needs PyTorch: pip install 'geomrelu[torch]'") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it says of damaged files is said here in one line
            return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as problem:  # of the archive, of the pickle in it, and of what it builds
        first, said = one_line(problem), str(problem)
        if any(words in said for words in _NO_PICKLE):
            first = "it is not as torch.save writes it; a program of torch.export or TorchScript is exported to ONNX"
        elif "Weights only load failed" in said or "weights_only" in said:
            first = "it holds more than tensors, such as a whole module or settings (save the state_dict() alone)"
        raise InputError(f"not a readable state dictionary: {first}") from None


def network(
    state: Mapping[str, Any],
    path: FilePath | None,
    format_: str,
    apply_b_dec_to_input: bool | None,
    *,
    order: Sequence[str] | None,
    activation: str | Sequence[str] | None,
    select: str | Sequence[str] | None,
    settings: Sequence[Any] = (),
) -> Tape:
    """The network of a state dictionary, which may be of a sparse autoencoder, from a file or from memory."""
    names, left = state_dict.chosen(state, select, path or "")
    arrays = {}
    state_dict.check_names(names)
    for key, parameter in state.items():
        if str(key) in names:
            with named(f"parameter {str(key)[:80]!r}"):
                arrays[str(key)] = _parameter(parameter, select)
    if sae.is_meant(arrays):
        configuration = {} if path is None else sae.configuration(path)
        return sae.network(arrays, configuration, format_, apply_b_dec_to_input=apply_b_dec_to_input)
    return state_dict.network(arrays, format_, order=order, activation=activation, left=left, settings=settings)


def _parameter(value: Any, select: str | Sequence[str] | None) -> np.ndarray:
    try:
        return array_of(value)
    except InputError as problem:
        raise InputError(f"{problem}{' (select says which layers are meant)' * (select is None)}") from None


def _parameters(found: Any, chosen: bool) -> tuple[Mapping[str, Any], list[str]]:
    """The state dictionary in what a file holds, and the names of what stands beside it.

    Args:
        chosen: will some of its names be selected? Then several state dictionaries are one.
    """
    beside: list[str] = []
    for _ in range(3):
        if not isinstance(found, Mapping):
            raise InputError(f"it holds {type(found).__name__}, not a state dictionary")
        inner = [key for key, value in found.items() if _holds_weights(value)]
        inner = inner or [key for key in _NESTED if isinstance(found.get(key), Mapping)]  # no parameter is a dictionary
        names = [str(key)[:40] for key in inner]
        if not inner:
            return found, beside
        if len(inner) > 1 and not chosen:
            text = f"it holds several state dictionaries ({', '.join(names)[:200]})"
            raise InputError(f"{text}: choose one by select, as in '{names[0]}.*'")
        beside += [str(key)[:40] for key in found if key not in inner]
        if len(inner) > 1:
            return {f"{key}.{name}": value for key in inner for name, value in found[key].items()}, beside
        found = found[inner[0]]
    raise InputError("it holds state dictionaries in one another")


def _holds_weights(value: Any) -> bool:
    """Is it another state dictionary, such as averaged weights?"""
    return isinstance(value, Mapping) and any(getattr(v, "ndim", 0) > 1 for v in value.values())


# ---- trees of modules -------------------------------------------------------------------------------------------


def _leaves(module: Any, place: str, depth: int = 0) -> Iterator[tuple[str, str, Any]]:
    """The modules of a tree of Sequentials as they are called, with their places such as ``0.2`` and their kinds."""
    if depth > _DEEPEST:
        raise InputError(f"Sequentials are nested more than {_DEEPEST} deep")
    with named(f"module {place or 'given'} ({type(module).__name__})"):
        kind = _kind(module)
        if kind != "Sequential":
            yield place, kind, module
            return
        children = list(module._modules.items())  # not named_children: that leaves out a module's second occurrence
    for name, child in children:
        yield from _leaves(child, f"{place}.{name}" if place else name, depth + 1)


def _kind(module: Any) -> str:
    """Which of PyTorch's own modules it computes the same as.

    Raises:
        InputError: hooks, a ``forward`` of its own, or a class that defines more than how it is made and shown.
    """
    if hasattr(module, "has_uninitialized_params") and module.has_uninitialized_params():
        raise InputError("its parameters are not made yet: call the module once")
    shared = sys.modules.get(f"{_OWN}module")
    if any(getattr(module, hooks, None) or getattr(shared, f"_global{hooks}", None) for hooks in _HOOKS):
        raise InputError(
            "it has forward hooks, which may change what it computes: remove them (those of pruning by "
            "torch.nn.utils.prune.remove, those of normalised weights likewise), or export it to ONNX"
        )
    if type(module).__name__ in _WRAPPERS:
        raise InputError(f"it wraps another module: give its attribute {_WRAPPERS[type(module).__name__]}")
    if "forward" in getattr(module, "__dict__", {}):
        raise InputError("it has a forward of its own, which may compute something else: export it to ONNX")
    for name, held in {**getattr(module, "_parameters", {}), **getattr(module, "_buffers", {})}.items():
        if held is not None and f"{type(held).__module__}.{type(held).__qualname__}" not in _PLAIN:
            raise InputError(f"its {name[:40]} is a {type(held).__qualname__[:40]}, which may compute something else")
    if not any(cls.__module__.startswith(_OWN) for cls in type(module).__mro__):
        raise InputError("it is not a module of PyTorch")
    for cls in type(module).__mro__:
        if cls.__module__.startswith(_OWN):
            return cls.__name__
        if cls.__module__ == _MADE:
            raise InputError(
                "its parameters are made of others each time: fix them by "
                "torch.nn.utils.parametrize.remove_parametrizations, or export it to ONNX"
            )
        if more := sorted(set(vars(cls)) - _HARMLESS):
            own = f"{cls.__module__}.{cls.__qualname__}"[:100]
            raise InputError(f"its class {own} is not PyTorch's own and defines {more[0][:40]}: export it to ONNX")
    raise InputError("it is not a module of PyTorch")


def _sizes(shape: Any) -> tuple[int, ...]:
    """A shape that was given."""
    found = tuple(integers(shape, "the sizes of input_shape"))
    if not found or min(found) < 1:
        raise InputError(f"input_shape: expected positive sizes, not {list(found)}")
    return found


def _input_shape(modules: list[tuple[str, str, Any]]) -> tuple[int, ...]:
    for place, kind, module in modules:
        if kind == "Linear":
            return _sizes((module.in_features,))
        if kind not in MODULES:
            raise InputError(f"module {place or 'given'} ({kind}): {_UNSUPPORTED}")
        if kind not in ("Flatten", "Identity", "Dropout", "ReLU"):
            raise InputError(
                f"module {place or 'given'} ({kind}): give input_shape, for instance (1, 28, 28), "
                "as in Network.from_torch(module, (1, 28, 28))"
            )
    raise InputError("there is no layer that says how many inputs the network has: give input_shape")
