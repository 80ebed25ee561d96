"""Networks as named arrays: state dictionaries, and what is saved of them as ``.npz``, ``.safetensors`` or ``.pt``.

A state dictionary holds parameters, not a program. Which layer comes first is read from the names, and where they
leave it open from the shapes; where these leave it open too, the file is refused with the orders that fit. Its
activation is in no file at all: ReLU after every layer but the last is what is taken, unless ``activation`` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap, affordable
from geomrelu.io.files import FilePath
from geomrelu.io.json import beside
from geomrelu.io.reading import Port, Reading, ReadLayer
from geomrelu.io.tape import Tape, chain

__all__ = ["check_names", "chosen", "flattened", "network", "settings_beside", "words_of"]

# Names of a layer's weights and biases; those of the first two are (outputs, inputs), the others (inputs, outputs).
_NAMES = (
    re.compile(r"(?P<stem>.+)[./](?P<kind>weight|bias)"),
    re.compile(r"(?P<kind>weight|bias)(?P<stem>)"),
    re.compile(r"(?P<stem>.+)[./](?P<kind>kernel)"),  # Flax and Keras; their bias is called as above
    re.compile(r"(?P<stem>(?:.+[./])?)(?P<kind>W|b)_(?P<role>in|out)"),  # TransformerLens: x @ W_in + b_in
    re.compile(r"(?P<stem>(?:.+/)?linear(?:_(?P<number>[0-9]+))?)/(?P<kind>w|b)"),  # Haiku
)
_MASKED = re.compile(r"(?P<name>.+)_mask")  # by torch.nn.utils.prune: name_orig times name_mask
_MADE = re.compile(r"(?:.+[./])?(?:parametrizations[./].+|(?:weight|bias)_(?:orig|mask|g|v|u))")
_STATISTICS = {"running_mean", "running_var", "num_batches_tracked", "batch_stats"}  # of a batch normalisation
_NORMALISATION = ": normalisations have constants that are in no state dictionary; give the module or a .onnx"
_MIDDLE = "hidden fc lin linear layer layers dense features body backbone trunk net mlp"
# Words whose order their meaning says. Within each line, an earlier place is an earlier layer.
_ROLES: tuple[tuple[frozenset[str], ...], ...] = tuple(
    tuple(frozenset(words.split()) for words in line.split("<"))
    for line in (
        "encoder enc < decoder dec",
        "up_proj up < down_proj down",
        "fc_in < fc_out",
        "dense_h_to_4h < dense_4h_to_h",
        "wi < wo",
        "mlp_extractor < action_net value_net",  # Stable-Baselines3
        "latent_pi < mu log_std",
        "in < out",
        f"input in first < {_MIDDLE} < output out head final last classifier fc_out",
    )
)
# Words whose numbers are no order: what they count is computed side by side.
_PLURALS = """actors agents branches copies critics ensemble estimators experts heads members models nets networks
    replicas streams towers"""
_NUMBERED = "branch critic expert fc_out head input member out output q q_net qf qnet tower"  # as in expert_1
_NETWORKS = "action actor critic discriminator generator online policy student target teacher value"
_SETTINGS = (
    "act_fn activation activation_fn activation_function dense_act_fn feed_forward_proj hidden_act hidden_activation"
)
_RELU = re.compile(r"(?:<class ')?(?:\w+\.)*relu(?:\(.*\)|'>)?", re.IGNORECASE)  # as settings may spell it
_LOOKED_UP = "a table, which is looked up and not multiplied"
_GATING = "a gate, whose product with another layer is not piecewise linear"
_OTHER_USES = (  # of weights with such names
    (
        re.compile(r"(?:.+_)?(?:emb|embed|embedding|codebook)s?(?:_tokens)?(?:_?[0-9]+)?|wte|wpe", re.IGNORECASE),
        _LOOKED_UP,
    ),
    (re.compile(r"(?:.+_)?(?:gate|gating|glu)s?(?:_.+)?", re.IGNORECASE), _GATING),
    (re.compile(r"lora_.+", re.IGNORECASE), "an adapter, which is added to another layer"),
)
_PART = re.compile(r"-([0-9]{5})-of-([0-9]{5})\.")  # as in model-00001-of-00002.safetensors
_DEEPEST = 20
_STEPS = 100_000  # of the search for orders that fit the shapes
_GATES = re.compile(r"(?:.+[./])?(gate_proj|w_gate|W_gate|gate_up_proj|wi_1)")


@dataclass(slots=True)
class _Layer:
    """The parameters of one linear layer, its weights (outputs, inputs), and what its name is for its order."""

    name: str
    weight: np.ndarray | None = None
    bias: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int]:
        assert self.weight is not None
        return int(self.weight.shape[0]), int(self.weight.shape[1])


def network(
    arrays: Mapping[str, Any],
    format_: str = "state dictionary",
    *,
    order: Sequence[str] | None = None,
    activation: str | Sequence[str] | None = None,
    left: Sequence[str] = (),
    settings: Sequence[Any] = (),
) -> Tape:
    """The network of the linear layers that some arrays are the parameters of.

    Args:
        arrays: ``name.weight`` (out, in) and, where there is one, ``name.bias`` (out,); also ``name.kernel`` (in, out)
            as Flax has it, ``linear_1/w`` (in, out) as Haiku, and ``W_in``, ``b_in``, ``W_out``, ``b_out`` (in, out)
            as TransformerLens; ``name.weight_orig`` and ``name.weight_mask`` as torch.nn.utils.prune. Parts of names
            are separated by points or by slashes.
        format_: what the reading says the file is.
        order: the names of the layers in the order in which they are computed.
        activation: ``relu`` or ``none`` after each layer but the last, or one word for each layer.
        left: names of arrays that were not selected, for the reading.
        settings: mappings that may name the activation, such as ``{"hidden_act": "gelu"}`` of transformers.

    Raises:
        InputError: anything that is not a linear layer, by name; an order that names and shapes leave open, with the
            orders that fit; shapes that do not fit; settings that name another activation, if ``activation`` does not
            say otherwise.

    Exact: yes.
    """
    layers = _layers(_pruned(arrays))
    if order is None:
        _check_uses(layers)
    stems, notes = _ordered(layers, order)
    words = words_of(activation, len(stems))
    if activation is None and len(stems) > 1:
        said = "its settings name ReLU" if _names_relu(settings) else "the file does not name its activation"
        notes.append(f"{said}: taken is ReLU after each layer but the last")
    maps = [AffineMap.from_dense(layers[s].weight, layers[s].bias, f"layer {_shown(s)}") for s in stems]
    tape = chain(zip(maps, words, strict=True))
    tape.read = [
        ReadLayer(stem, (map_.outputs,)) for stem, map_, word in zip(stems, maps, words, strict=True) if word == "relu"
    ]
    tape.reading = Reading(
        format_,
        inputs=(Port("input", (maps[0].inputs,)),),
        outputs=(Port("output", (maps[-1].outputs,)),),
        layers=tuple(tape.read),
        after=tuple(f"{s} (linear)" for s, word in list(zip(stems, words, strict=True))[-1:] if word == "none"),
        left=(f"{len(left)} arrays that were not selected, such as {left[0][:60]}",) if left else (),
        notes=tuple(notes),
    )
    return tape


def settings_beside(path: FilePath) -> Any:
    """What the ``config.json`` in the folder of a file says, as transformers writes it; None, if it is no JSON."""
    try:
        return beside(path, "config.json")
    except InputError:  # of another program
        return None


def _names_relu(settings: Sequence[Any]) -> bool:
    """Do settings, or mappings in them, name an activation?

    Raises:
        InputError: they name another one.
    """
    outer = [part for part in settings if isinstance(part, Mapping)]
    found = [part for whole in outer for part in (whole, *whole.values()) if isinstance(part, Mapping)]
    words = [(key, part[key]) for part in found for key in _SETTINGS.split() if isinstance(part.get(key), str)]
    for key, word in words:
        if not _RELU.fullmatch(word):
            raise InputError(
                f"its settings say {key}: {word[:40]!r}, which is not ReLU (if that is of other layers, say activation)"
            )
    return bool(words)


def chosen(
    arrays: Iterable[str], select: str | Sequence[str] | None, path: FilePath = ""
) -> tuple[list[str], list[str]]:
    """The names of arrays that are selected, and the others.

    Args:
        select: patterns of layers or arrays, such as ``model.layers.3.fc*``; None selects everything.
        path: of their file.

    Raises:
        InputError: nothing is selected, or everything of a file whose name says that it is a part of several.
    """
    part = _PART.search(Path(path).name)
    if select is None and part and int(part[2]) > 1:
        raise InputError(f"it is part {int(part[1])} of {int(part[2])} of a model: select says which layers are meant")
    patterns = [select] if isinstance(select, str) else list(select or ())
    names = [str(name) for name in arrays]
    if select is None:
        return names, []
    taken = [n for n in names if any(fnmatchcase(n, p) or fnmatchcase(_within(n), p) for p in patterns)]
    if not taken:
        raise InputError(f"nothing is selected: no name fits {', '.join(patterns)[:80]!r}")
    return taken, sorted(set(names) - set(taken))


def check_names(names: Iterable[str]) -> None:
    """Refuse a batch normalisation, whatever its arrays hold.

    Raises:
        InputError: there is one.
    """
    for name in names:
        if not _STATISTICS.isdisjoint(_parts(str(name))):
            raise InputError(f"{str(name)[:80]!r} is not of a linear layer{_NORMALISATION}")


def flattened(tree: Mapping[Any, Any]) -> dict[str, Any]:
    """Arrays in mappings of mappings, as Flax has them, by their names with slashes: ``params/Dense_0/kernel``.

    Raises:
        InputError: a name that stands twice; mappings nested more than 20 deep.
    """
    found: dict[str, Any] = {}
    waiting: list[tuple[str, Any, int]] = [("", tree, 0)]
    while waiting:
        name, value, depth = waiting.pop()
        if isinstance(value, Mapping):
            if depth > _DEEPEST:
                raise InputError(f"mappings are nested more than {_DEEPEST} deep")
            inside = [(f"{name}/{key}" if depth else str(key), inner, depth + 1) for key, inner in value.items()]
            waiting += inside[::-1]
            affordable(len(found) + len(waiting), "the names", each=100)  # a mapping may hold itself
        elif name in found:
            raise InputError(f"the name {name[:80]!r} stands twice")
        else:
            found[name] = value
    return found


def words_of(activation: str | Sequence[str] | None, layers: int) -> list[str]:
    """``relu`` or ``none`` for each of so many layers; one word is that of every layer but the last.

    Raises:
        InputError: another word, or not one for each layer.
    """
    if activation is None or isinstance(activation, str):
        activation = [activation or "relu"] * (layers - 1) + ["none"] * (layers > 0)
    words = [str(word)[:40] for word in activation]
    if len(words) != layers:
        raise InputError(f"activation: {len(words)} words for {layers} layers")
    for word in words:
        if word not in ("relu", "none"):
            raise InputError(f"activation must be relu or none, not {word!r}: only ReLU layers are judged")
    return words


def _parts(name: str) -> list[str]:
    """The parts of a name between points or slashes."""
    return re.split(r"[./]", name)


def _within(name: str) -> str:
    """A name without its last part."""
    return name[: -len(_parts(name)[-1]) - 1] if len(_parts(name)) > 1 else ""


def _shown(stem: str) -> str:
    return repr(stem[:80])


# ---- which arrays are layers ------------------------------------------------------------------------------------


def _pruned(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The same, with weights and their masks multiplied.

    Raises:
        InputError: a mask that is not of zeros and ones, or not of the shape of the weights; weights beside it.
    """
    found = dict(arrays)
    for name in arrays:
        match = _MASKED.fullmatch(name)
        if match is None or f"{match['name']}_orig" not in found:
            continue
        mask, whole = found.pop(name), found.pop(f"{match['name']}_orig")
        numbers = mask.dtype.kind in "fiu" and whole.dtype.kind in "fiu"
        if not numbers or mask.shape != whole.shape or not np.isin(mask, (0, 1)).all():
            raise InputError(f"{name[:80]!r} is not a mask of zeros and ones")
        if match["name"] in arrays:
            raise InputError(f"{match['name'][:80]!r} stands twice: by itself, and as what a mask leaves")
        found[match["name"]] = whole * mask.astype(whole.dtype)
    return found


def _layers(arrays: Mapping[str, Any]) -> dict[str, _Layer]:
    """The linear layers by the name that their weights and biases share."""
    found: dict[str, _Layer] = {}
    check_names(arrays)
    for name, array in arrays.items():
        match = next((m for pattern in _NAMES if (m := pattern.fullmatch(name))), None)
        if match is None:
            more = " (select says which layers are meant)"
            if _MADE.fullmatch(name):
                more = ": weights made of others (by pruning, or their norm) must be fixed before saving"
            raise InputError(f"{name[:80]!r} is not the weight or the bias of a linear layer{more}")
        groups = match.groupdict()
        stem, kind = match["stem"] + (groups.get("role") or ""), match["kind"]
        first = "_0" if "number" in groups and groups["number"] is None else ""  # Haiku has linear, linear_1, ...
        if _GATES.fullmatch(stem):
            raise InputError(f"{name[:80]!r} gates another layer by a product, which is not piecewise linear")
        layer = found.setdefault(stem, _Layer(f"{stem}{first}"))
        is_bias = kind in ("bias", "b")
        if array.ndim != (1 if is_bias else 2):
            raise InputError(f"{name[:80]!r}: shape {list(array.shape)} is not that of a linear layer{_why(array)}")
        if getattr(layer, "bias" if is_bias else "weight") is not None:
            raise InputError(f"layer {_shown(stem)} has its {'bias' if is_bias else 'weights'} twice")
        if is_bias:
            layer.bias = array
        else:
            layer.weight = array if kind == "weight" else array.T
    if not found:
        raise InputError("a network needs at least one layer")
    for stem, layer in found.items():
        if layer.weight is None:
            raise InputError(f"layer {_shown(stem)} has a bias but no weight")
        if layer.bias is not None and len(layer.bias) != layer.shape[0]:
            raise InputError(
                f"layer {_shown(stem)}: {layer.shape[0]} rows of weights but {len(layer.bias)} biases"
                + (": its weights are stored (inputs, outputs)" if len(layer.bias) == layer.shape[1] else "")
            )
        unsaid = layer.bias is None or layer.shape[0] == layer.shape[1]
        if unsaid and _parts(stem)[-1] in ("c_fc", "c_proj"):
            raise InputError(
                f"layer {_shown(stem)}: GPT-2 stores such weights the other way round, nothing tells which"
            )
    return found


def _check_uses(layers: Mapping[str, _Layer]) -> None:
    """Refuse weights that are usually not multiplied with what comes before, unless an order says that they are."""
    networks: dict[str, str] = {}  # what comes before the name of a network of its own -> that name
    for stem, layer in layers.items():
        parts = _parts(stem)
        for pattern, why in _OTHER_USES:
            named = pattern.fullmatch(parts[-1]) or pattern.fullmatch(".".join(parts[-2:]))  # lora_A.default
            if named and (layer.bias is None or why != _LOOKED_UP) and len(layers) > 1:
                raise InputError(f"{_shown(stem)} is called like {why}: leave it out by select, or say the order")
        for k, part in enumerate(parts):
            word = re.sub("(_?(net|network|model))?[_0-9]*$", "", part.lower())
            other = networks.setdefault(".".join(parts[:k]), word) if word in _NETWORKS.split() else word
            if other != word:
                raise InputError(f"{other} and {word} are networks of their own: choose by select, or say the order")
        three = [layers.get(f"{stem.removesuffix(parts[-1])}{name}") for name in ("w1", "w2", "w3")]
        shapes = [other.shape for other in three if other is not None and other.bias is None]
        if parts[-1] == "w3" and len(shapes) == 3 and shapes[0] == shapes[1][::-1] == shapes[2]:
            raise InputError(
                f"{_shown(stem)} is called like {_GATING}, as in LLaMA beside w1 and w2: say the order if not"
            )


def _why(array: np.ndarray) -> str:
    if array.ndim in (3, 4):
        return ": the strides and the padding of a convolution are in no state dictionary; give the module or a .onnx"
    if array.shape == (1,):
        return ": if it is the slope of a PReLU, give the module or a .onnx"
    if array.ndim == 1:
        return f"{_NORMALISATION}, or leave it out by select"
    return ""


# ---- which layer comes first ------------------------------------------------------------------------------------


def _ordered(layers: dict[str, _Layer], order: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """The layers as they are computed, and what is to be said about that."""
    stems = list(layers)
    if order is not None:
        if sorted(order) != sorted(stems):
            raise InputError(f"order: it must name each layer once ({', '.join(stems)[:200]})")
        return list(order), []
    affordable(len(stems) ** 2, "the layers", each=500)
    keys = [_key(layers[stem].name) for stem in stems]
    after = [{j for j, other in enumerate(keys) if _precedes(other, key)} for key in keys]
    fitting = list(_orders([layers[s].shape for s in stems], after))
    if not fitting:
        by_name = next(iter(_orders([(0, 0)] * len(stems), after)), range(len(stems)))
        chain_ = ", ".join(f"{stems[i][:40]} {list(layers[stems[i]].shape)}" for i in by_name)
        raise InputError(
            f"in no order that the names allow does each layer read what the one before it makes: {chain_[:300]} "
            "(select says which layers are meant)"
        )
    if len(fitting) > 1:
        shown = "; or ".join(", ".join(stems[i][:40] for i in found) for found in fitting[:3])
        more = "; or others" if len(fitting) > 3 else ""
        raise InputError(f"names and shapes leave the order of the layers open (say it by order): {shown}{more}"[:480])
    found = fitting[0]
    by_names_alone = len(list(_orders([(0, 0)] * len(stems), after))) == 1
    note = [] if by_names_alone else [f"the order of the layers follows from their shapes: {', '.join(stems)[:200]}"]
    return [stems[i] for i in found], note


def _orders(shapes: list[tuple[int, int]], after: list[set[int]]) -> Iterator[list[int]]:
    """Up to four orders in which each layer comes after those in ``after`` and reads what the one before it makes."""
    count, steps, found = len(shapes), 0, 0
    if sorted(map(len, after)) == list(range(count)):  # the names say it all
        only = sorted(range(count), key=lambda i: len(after[i]))
        if all(shapes[i][0] == shapes[j][1] for i, j in pairwise(only)):
            yield only
        return
    order: list[int] = []
    waiting: list[Iterator[int]] = [iter(range(count))]
    placed: set[int] = set()
    while waiting:
        steps += 1
        if steps > _STEPS:
            raise InputError("the names leave too many orders of the layers open: say it by order")
        i = next(waiting[-1], None)
        if i is None:
            waiting.pop()
            if order:
                placed.remove(order.pop())
            continue
        if i in placed or not after[i] <= placed or (order and shapes[order[-1]][0] != shapes[i][1]):
            continue
        order.append(i)
        placed.add(i)
        if len(order) == count:
            yield list(order)
            found += 1
            if found == 4:
                return
        waiting.append(iter(range(count)))


Component = tuple[str, tuple[int, ...]]


def _key(stem: str) -> list[Component]:
    """The parts of a name between points, each as its words and its numbers: ``fc10`` is ``("fc#", (10,))``."""
    parts = _parts(stem)
    return [(re.sub("[0-9]+", "#", part), tuple(int(n[:18]) for n in re.findall("[0-9]+", part))) for part in parts]


def _precedes(first: list[Component], second: list[Component]) -> bool:
    """Does its name say that a layer comes before another? The first part in which they differ decides.

    Numbers do, except those of experts, heads, members of an ensemble and the like.
    """
    inside = ""
    for one, two in zip(first, second, strict=False):
        if one == two:
            inside = one[0].lower()
            continue
        if one[0] == two[0]:
            word = re.sub("_?#$", "", one[0].lower())
            beside = word in _NUMBERED.split() or (one[0] == "#" and inside in _PLURALS.split())
            return not beside and one[1] < two[1]
        words = [re.sub("[#_]+$", "", part[0]).lower() for part in (one, two)]
        for line in _ROLES:
            ranks = [next((k for k, names in enumerate(line) if word in names), None) for word in words]
            if None not in ranks and ranks[0] != ranks[1]:
                return bool(ranks[0] < ranks[1])  # type: ignore[operator]
        return False
    return False
