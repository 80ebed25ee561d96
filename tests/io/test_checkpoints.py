"""Files of those who train with PyTorch and JAX: checkpoints, agents, pruned weights, trees of Haiku."""

from __future__ import annotations

import importlib
import itertools
import json
import zipfile

import numpy as np
import pytest

from geomrelu import InputError, Network, as_network
from geomrelu.network.network import INSTEAD, MODELS


def refused(words, call, *args, **options):
    with pytest.raises(InputError, match=words) as caught:
        call(*args, **options)
    assert "\n" not in str(caught.value)


def small(rng, *shape):
    return np.float32(rng.integers(-3, 4, shape))


def layers_of(rng, *sizes):
    return [(small(rng, after, before), small(rng, after)) for before, after in itertools.pairwise(sizes)]


def network(layers):
    kinds = ["relu"] * (len(layers) - 1) + ["none"]
    return Network.from_layers([(w, b, kind) for (w, b), kind in zip(layers, kinds, strict=True)])


def same(found, right, point):
    assert found == right and found(point) == right(point)


def state(torch, names, layers):
    pairs = zip(names, layers, strict=True)
    return {
        f"{n}.{k}": torch.from_numpy(v) for n, layer in pairs for k, v in zip(("weight", "bias"), layer, strict=True)
    }


# ---- Haiku, and pruning -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("linear", "linear_1", "linear_2"), [f"mlp/~/linear_{k}" for k in range(3)]])
def test_trees_of_haiku(names, tmp_path):
    layers = layers_of(np.random.default_rng(1), 3, 3, 3, 3)  # shapes tell neither the order nor which axis is which
    tree = {name: {"w": w.T, "b": b} for name, (w, b) in list(zip(names, layers, strict=True))[::-1]}
    np.savez(tmp_path / "m.npz", **{f"{name}/{kind}": v for name, layer in tree.items() for kind, v in layer.items()})
    for model in (tree, tmp_path / "m.npz"):
        same(as_network(model), network(layers), [1, -2, 3])
    refused("'fc/w' is not the weight or the bias", as_network, tree | {"fc": {"w": np.eye(3)}})
    refused("'linear.w' is not the weight or the bias", as_network, {"linear.w": np.eye(3)})


def test_haiku_itself():
    jax, haiku = (pytest.importorskip(name, reason=f"{name} is not installed") for name in ("jax", "haiku"))
    relu = importlib.import_module("jax.nn").relu
    x = np.float32([[1, -2, 3]])
    for make in (
        lambda: haiku.nets.MLP([4, 4, 2]),
        lambda: haiku.Sequential([haiku.Linear(4), relu, haiku.Linear(4), relu, haiku.Linear(2)]),
    ):
        model = haiku.without_apply_rng(haiku.transform(lambda x, make=make: make()(x)))
        parameters = model.init(jax.random.key(0), x)
        right = np.asarray(model.apply(parameters, x))[0]
        assert [float(v) for v in as_network(parameters)(x[0].tolist())] == pytest.approx(right.tolist(), abs=1e-5)


def test_a_layer_without_number_is_the_first_of_haiku_only():
    layers = layers_of(np.random.default_rng(2), 3, 3, 3)
    names = ("linear.weight", "linear.bias", "linear_1.weight", "linear_1.bias")
    refused("leave the order of the layers open", as_network, dict(zip(names, [*layers[0], *layers[1]], strict=True)))


def test_pruned_weights_are_those_that_their_masks_leave():
    rng = np.random.default_rng(3)
    (weight, bias), last = layers_of(rng, 2, 4, 1)
    mask, other = np.float32(rng.integers(0, 2, weight.shape)), np.float32(rng.integers(0, 2, bias.shape))
    arrays = {"0.weight_orig": weight, "0.weight_mask": mask, "0.bias": bias, "2.weight": last[0], "2.bias": last[1]}
    same(as_network(arrays), network([(weight * mask, bias), last]), [1, -2])
    both = {name: v for name, v in arrays.items() if name != "0.bias"} | {"0.bias_orig": bias, "0.bias_mask": other}
    same(Network.from_state_dict(both, select="*"), network([(weight * mask, bias * other), last]), [1, -2])
    for wrong in (mask / 2, mask[:1], np.float32(np.nan) * mask):
        refused("'0.weight_mask' is not a mask of zeros and ones", as_network, arrays | {"0.weight_mask": wrong})
    refused("'0.weight' stands twice", as_network, arrays | {"0.weight": weight})
    for name in ("0.weight_g", "0.weight_orig", "0.parametrizations.weight.original0"):
        refused("weights made of others", as_network, {name: weight, "0.bias": bias})


def test_pruning_and_norms_of_torch(torch):
    nn, norms = torch.nn, importlib.import_module("torch.nn.utils.parametrizations")
    prune, parametrize = (importlib.import_module(f"torch.nn.utils.{name}") for name in ("prune", "parametrize"))
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    prune.l1_unstructured(module[0], "weight", 0.5)
    pruned = Network.from_state_dict(module.state_dict())
    prune.remove(module[0], "weight")
    assert pruned == Network.from_torch(module)
    norms.weight_norm(module[2])
    words = r"module 2 \(ParametrizedLinear\): .* fix them by torch.nn.utils.parametrize.remove_parametrizations"
    refused(words, Network.from_torch, module)
    refused("weights made of others", Network.from_state_dict, module.state_dict())
    parametrize.remove_parametrizations(module[2], "weight")
    right = module(torch.ones(1, 3)).ravel().tolist()
    assert [float(v) for v in Network.from_torch(module)([1, 1, 1])] == pytest.approx(right, abs=1e-5)


class Foreign:
    """A tensor of a library that calls its methods as PyTorch does, and has not all of them."""

    shape, dtype = (2, 2), "dtypes.float"

    def __init__(self, floating):
        self.is_floating_point = lambda: floating
        self.detach = lambda: self


def test_tensors_of_other_libraries_are_refused_with_what_to_give():
    refused("'0.weight': it is a tensor of another library than PyTorch", as_network, {"0.weight": Foreign(True)})
    refused("another library than PyTorch", as_network, [(Foreign(True), [0, 0], "relu")])
    refused("it is not a tensor that holds each of its numbers", as_network, [(Foreign(False), [0, 0], "relu")])


# ---- files of PyTorch -------------------------------------------------------------------------------------------


def test_checkpoints_are_read_by_all_their_endings(torch, tmp_path):
    layers = layers_of(np.random.default_rng(4), 2, 3, 1)
    content = {"epoch": 1, "state_dict": state(torch, ("net.0", "net.2"), layers), "hyper_parameters": {"width": 3}}
    for name in ("last.ckpt", "pytorch_model.bin", "model_best.pth.tar"):
        torch.save(content, tmp_path / name)
        same(Network.from_file(tmp_path / name), network(layers), [1, -2])


def test_one_of_several_state_dictionaries_is_selected(torch, tmp_path):
    rng, path = np.random.default_rng(5), tmp_path / "m.pt"
    actor, critic = layers_of(rng, 2, 3, 1), layers_of(rng, 3, 4, 1)
    torch.save({"actor": state(torch, "02", actor), "critic": state(torch, "02", critic), "step": 3}, path)
    refused(r"several state dictionaries \(actor, critic\): choose one by select, as in 'actor\.\*'", as_network, path)
    same(Network.from_file(path, select="actor.*"), network(actor), [1, -2])
    same(Network.from_file(path, select=["critic.0", "critic.2"]), network(critic), [1, -2, 3])
    refused("actor and critic are networks of their own", Network.from_file, path, select="*")


def test_programs_are_no_state_dictionaries(torch, tmp_path):
    with zipfile.ZipFile(tmp_path / "m.pt", "w") as archive:  # as torch.export.save writes it
        for name, content in (
            ("archive_format", "pt2"),
            (".data/version", "3"),
            ("version", "3"),
            ("byteorder", "little"),
        ):
            archive.writestr(f"m/{name}", content)
    words = "it is not as torch.save writes it; a program of torch.export or TorchScript is exported to ONNX"
    refused(words, Network.from_file, tmp_path / "m.pt")
    torch.jit.trace(torch.nn.Linear(2, 1), torch.ones(1, 2)).save(tmp_path / "m.pt")
    refused(words, Network.from_file, tmp_path / "m.pt")
    (tmp_path / "m.bin").write_text("import os")
    refused(words, Network.from_file, tmp_path / "m.bin")
    refused("'count': .* \\(select says which layers are meant\\)", as_network, {"count": torch.tensor(3)})
    refused("or leave it out by select", as_network, {"loss.weight": torch.ones(2)})


def test_files_that_are_not_read_are_refused_with_what_to_do():
    assert not INSTEAD.keys() & MODELS.keys()
    for ending, instead in INSTEAD.items():
        refused("files of this kind are not read: ", Network.from_file, f"m{ending}")
        assert len(instead) < 100


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({"hidden_act": "gelu"}, "hidden_act: 'gelu', which is not ReLU"),
        ({"text_config": {"hidden_act": "relu"}, "vision_config": {"hidden_act": "gelu"}}, "hidden_act: 'gelu'"),
        ({"feed_forward_proj": "gated-relu"}, "feed_forward_proj: 'gated-relu'"),
        ({"activation_function": "relu2"}, "activation_function: 'relu2'"),
        ({"hidden_act": "relu", "hidden_dropout": 0}, None),
        ({"activation": "nn.ReLU()"}, None),
        ({"activation": "<class 'torch.nn.modules.activation.ReLU'>"}, None),
        ({"activation": None}, ""),
        ([], ""),
        ({}, ""),
    ],
)
def test_settings_that_name_the_activation_are_believed(torch, settings, shown, tmp_path):
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    layers = layers_of(np.random.default_rng(8), 2, 3, 1)
    parameters = state(torch, ("fc1", "fc2"), layers)
    importlib.import_module("safetensors.torch").save_file(parameters, tmp_path / "model.safetensors")
    np.savez(tmp_path / "model.npz", **{name: value.numpy() for name, value in parameters.items()})
    torch.save(parameters, tmp_path / "pytorch_model.bin")
    (tmp_path / "inside").mkdir()
    torch.save({"state_dict": parameters, "hyper_parameters": settings}, tmp_path / "inside" / "last.ckpt")
    (tmp_path / "config.json").write_text(json.dumps(settings))
    for name in ("model.safetensors", "model.npz", "pytorch_model.bin", "inside/last.ckpt"):
        if shown:
            refused(shown, Network.from_file, tmp_path / name)
        else:
            said = " ".join(Network.from_file(tmp_path / name).reading.notes)
            assert ("its settings name ReLU" in said) == (shown is None)
            assert ("does not name its activation" in said) == (shown == "")
        same(Network.from_file(tmp_path / name, activation="relu"), network(layers), [1, -2])
    (tmp_path / "config.json").write_text("{not of this program")
    same(Network.from_file(tmp_path / "model.npz"), network(layers), [1, -2])


# ---- agents of Stable-Baselines3 --------------------------------------------------------------------------------

PPO, DQN = "stable_baselines3.common.policies", "stable_baselines3.dqn.policies"
RELU = "<class 'torch.nn.modules.activation.ReLU'>"


def agent(torch, path, parameters, module=PPO, **kwargs):
    torch.save(parameters, path.with_suffix(".pth"))
    settings = {"policy_class": {"__module__": module, ":serialized:": "gAU="}, "policy_kwargs": kwargs}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data", json.dumps(settings))
        archive.write(path.with_suffix(".pth"), "policy.pth")
    return path


def test_the_network_of_an_agent_that_acts_is_read(torch, tmp_path):
    rng, path = np.random.default_rng(6), tmp_path / "agent.zip"
    acting, other = layers_of(rng, 3, 4, 5, 2), layers_of(rng, 3, 6, 7, 1)
    for names, others, module in (
        (("mlp_extractor.policy_net.0", "mlp_extractor.policy_net.2", "action_net"),
         ("mlp_extractor.value_net.0", "mlp_extractor.value_net.2", "value_net"), PPO),
        ([f"q_net.q_net.{k}" for k in (0, 2, 4)], [f"q_net_target.q_net.{k}" for k in (0, 2, 4)], DQN),
        (("actor.latent_pi.0", "actor.latent_pi.2", "actor.mu"), [f"critic.qf0.{k}" for k in (0, 2, 4)], "mine"),
        ([f"actor.mu.{k}" for k in (0, 2, 4)], [f"critic_target.qf0.{k}" for k in (0, 2, 4)], "mine"),
    ):  # fmt: skip
        parameters = {"log_std": torch.zeros(2)} | state(torch, others, other) | state(torch, names, acting)
        agent(torch, path, parameters, module, activation_fn=RELU, net_arch=[4, 5])
        net = Network.from_file(path)
        same(net, network(acting), [1, -2, 3])
        assert not any("name its activation" in note for note in net.reading.notes)
        assert "taken is the network that acts" in net.reading.notes[-1] and net.reading.left
        same(Network.from_file(path, select=[f"{name}*" for name in others]), network(other), [1, -2, 3])


def test_the_last_layer_of_an_agent_is_the_last_where_shapes_do_not_say_so(torch, tmp_path):
    layers, path = layers_of(np.random.default_rng(9), 3, 3, 3, 3), tmp_path / "agent.zip"
    for stem, last in (("mlp_extractor.policy_net", "action_net"), ("actor.latent_pi", "actor.mu")):
        parameters = state(torch, (f"{stem}.0", f"{stem}.2", last), layers)
        same(Network.from_file(agent(torch, path, parameters, activation_fn=RELU)), network(layers), [1, -2, 3])


def test_agents_without_relu_or_with_layers_before_are_refused(torch, tmp_path):
    path, layers = tmp_path / "agent.zip", layers_of(np.random.default_rng(7), 2, 3, 1)
    parameters = state(torch, ("q_net.q_net.0", "q_net.q_net.2"), layers)
    same(Network.from_file(agent(torch, path, parameters, DQN)), network(layers), [1, -2])
    refused("the file says it itself", Network.from_file, path, activation="relu")
    refused("the policy has Tanh, which is not ReLU", Network.from_file, agent(torch, path, parameters, PPO))
    for name, shown in (("torch.nn.modules.activation.ELU", "ELU"), ("mine.ReLU", "an activation .*mine.ReLU")):
        agent(torch, path, parameters, DQN, activation_fn=f"<class '{name}'>")
        refused(f"the policy has {shown}", Network.from_file, path)
    refused("does not say the activation", Network.from_file, agent(torch, path, parameters, "mine"))
    net = Network.from_file(path, activation="relu")
    same(net, network(layers), [1, -2])
    more = parameters | {"q_net.features_extractor.cnn.0.weight": torch.ones(2, 2, 3, 3)}
    refused("'q_net.features_extractor.* belongs to layers before", Network.from_file, agent(torch, path, more, DQN))


def test_archives_that_are_no_agents(torch, tmp_path):
    path = tmp_path / "m.zip"
    path.write_bytes(b"PK\3\4 and no more")
    refused("not a usable archive of Stable-Baselines3", Network.from_file, path)
    for members, words in (
        ({"a": b"b"}, "no policy.pth in it"),
        ({"data": b"{", "policy.pth": b""}, "not a usable archive"),
        ({"data": b"[" * 100_000, "policy.pth": b""}, "not a usable archive"),
        ({"data": b"{}", "policy.pth": b"no archive"}, "not a readable state dictionary"),
    ):
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        refused(words, Network.from_file, path)
    refused("no settings, or no state dictionary", Network.from_file, agent(torch, path, [torch.eye(2)]))
