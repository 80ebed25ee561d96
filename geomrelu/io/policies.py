"""Agents of Stable-Baselines3 in ``.zip``: the state dictionary of a policy, and settings that name its activation.

Such a file holds several networks. Taken is the one that acts, up to its last linear layer: what squashes or samples
its outputs comes after it. The others are chosen by ``select``.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from geomrelu.errors import InputError
from geomrelu.exact.affine import affordable
from geomrelu.io import torch
from geomrelu.io.files import FilePath, named, one_line, read_bytes
from geomrelu.io.tape import Tape

__all__ = ["read"]

_ACTING = ("mlp_extractor.policy_net*", "action_net*", "q_net.q_net*", "quantile_net.quantile_net*",
           "actor.latent_pi*", "actor.mu*")  # fmt: skip  # of PPO and A2C; DQN; QR-DQN; SAC, TD3 and the like
_DEFAULTS = {  # of activation_fn, by the module of the policy
    "stable_baselines3.common.policies": "Tanh", "stable_baselines3.dqn.policies": "ReLU",
    "stable_baselines3.sac.policies": "ReLU", "stable_baselines3.td3.policies": "ReLU",
    "sb3_contrib.qrdqn.policies": "ReLU", "sb3_contrib.tqc.policies": "ReLU",
}  # fmt: skip
_TAKEN = (
    "taken is the network that acts, before its outputs are squashed or sampled; it reads the observation as its first "
    "layer does (flattened, a discrete one as one-hot)"
)


def read(
    path: FilePath,
    *,
    order: Sequence[str] | None = None,
    activation: str | Sequence[str] | None = None,
    select: str | Sequence[str] | None = None,
) -> Tape:
    """The network that acts in a file that ``model.save`` of Stable-Baselines3 wrote, or the one that is selected.

    Args:
        order: as :func:`geomrelu.io.state_dict.network` takes it.
        activation: likewise, where the file does not say it itself.
        select: patterns of another network's layers, such as ``critic.qf0*``.

    Raises:
        InputError: ``path: what is wrong``; another activation than ReLU; layers before the network that are read
            together with it, such as convolutions; PyTorch is not installed.

    Exact: yes. Nothing but tensors and plain values is unpickled, see :func:`geomrelu.io.torch.read`.
    """
    data = read_bytes(path)
    with named(path):
        settings, state = _members(data)
        said = _activation(settings)
        if said is not None and said != "ReLU":
            raise InputError(f"the policy has {said[:40]}, which is not ReLU: there is nothing to judge")
        if said is not None and activation is not None:
            raise InputError("activation: the file says it itself, in its settings")
        if said is None and activation is None:
            raise InputError("the file does not say the activation of its policy: say it by activation (relu)")
        before = next((name for name in state if "features_extractor" in str(name)), None)
        if select is None and before is not None:
            raise InputError(f"{str(before)[:80]!r} belongs to layers before the policy's network: export it to ONNX")
        acting = select is None
        options: dict[str, Any] = {
            "order": order,
            "activation": activation or "relu",
            "select": _ACTING if acting else select,
        }
        tape = torch.network(state, None, "Stable-Baselines3", None, **options)
        if tape.reading is not None:
            tape.reading = replace(tape.reading, notes=(*tape.reading.notes, *([_TAKEN] if acting else [])))
        return tape


def _members(data: bytes) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The settings in the archive, and the parameters of the policy."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if not {"data", "policy.pth"} <= set(archive.namelist()):
                raise InputError("no policy.pth in it: of archives, those of Stable-Baselines3 are read")
            affordable(sum(archive.getinfo(name).file_size for name in ("data", "policy.pth")) // 8, "the policy")
            settings, policy = json.loads(archive.read("data")), archive.read("policy.pth")
    except InputError:
        raise
    except Exception as problem:  # zipfile and each of its decompressors raise errors of their own; so does json
        raise InputError(f"not a usable archive of Stable-Baselines3: {one_line(problem)}") from None
    state = torch.unpickled(policy)
    if not isinstance(settings, Mapping) or not isinstance(state, Mapping):
        raise InputError("not a usable archive of Stable-Baselines3: no settings, or no state dictionary")
    return settings, state


def _activation(settings: Mapping[str, Any]) -> str | None:
    """The name of the activation, if the settings or the kind of policy say it. They are texts beside pickles."""
    chosen, policy = settings.get("policy_kwargs"), settings.get("policy_class")
    given = chosen.get("activation_fn") if isinstance(chosen, Mapping) else None
    if given is not None:
        match = re.fullmatch(r"<class '(?:\w+\.)*(\w+)'>", str(given))
        own = str(given).startswith("<class 'torch.nn.modules.activation.")
        return match[1] if match and own else f"an activation {str(given)[:60]!r}"
    return _DEFAULTS.get(str(policy.get("__module__"))) if isinstance(policy, Mapping) else None
