"""Models as people have them: each is read as the program that wrote it means it, or refused with one line.

The files of other programs are made here, on random networks; where a program is not installed its tests skip. The
invented cases that once went wrong are data beside the checkout, and stand here in small as well.
"""

from __future__ import annotations

import gzip
import importlib
import io
import json
import struct
import zipfile
from fractions import Fraction
from itertools import pairwise, permutations

import families
import numpy as np
import pytest

from geomrelu import InputError, Network, Status, as_network, decide
from geomrelu.cli.main import main
from geomrelu.io import narrow, state_dict
from geomrelu.io.files import kind_of, read_bytes


def half(p, q=2):
    return Fraction(p, q)


@pytest.fixture
def cases(shared):
    folder = shared / "cases" / "read"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent")
    return folder


def written(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refused(words, call, *args, **options):
    with pytest.raises(InputError, match=words) as caught:
        call(*args, **options)
    assert "\n" not in str(caught.value)


def first_layer(report):
    return [(v.status, v.supremum) for v in report.layers[1].verdicts]


DEAD, ALIVE = Status.DEAD, Status.ALIVE
ENCODER = {
    "encoder.weight": np.float32([[1, 1], [-1, -1], [1, -1]]), "encoder.bias": np.float32([0, -0.5, 0]),
    "decoder.weight": np.float32([[1, 0, 1], [0, 1, -1]]), "decoder.bias": np.float32([0, 0]),
}  # fmt: skip


def sorted_by_name(arrays):
    return dict(sorted(arrays.items()))


# ---- compressed files -------------------------------------------------------------------------------------------


def test_compressed_files(tmp_path, monkeypatch):
    model = json.dumps({"layers": [{"weights": [[1, 2]]}]}).encode()
    path = written(tmp_path, "m.json.gz", gzip.compress(model[:9]) + gzip.compress(model[9:]))
    assert Network.from_file(path).neuron(1, 0).slope == (1, 2)
    assert kind_of("A.VNNLIB.GZ") == ".vnnlib"
    refused("not a gzip file", Network.from_file, written(tmp_path, "a.json.gz", model))
    refused("end too soon", Network.from_file, written(tmp_path, "b.json.gz", gzip.compress(model)[:-3]))
    refused("end too soon", Network.from_file, written(tmp_path, "c.json.gz", b""))
    monkeypatch.setattr("geomrelu.io.files._LARGEST", 5000)
    refused("larger than 5000 bytes once", read_bytes, written(tmp_path, "d.gz", gzip.compress(bytes(10**6))))


# ---- which layer comes first ------------------------------------------------------------------------------------


def shapes(**layers):
    return {f"{name}.weight": np.ones(shape, np.float32) for name, shape in layers.items()}


def order_of(arrays, **options):
    tape = state_dict.network(arrays, **options)
    return [layer.name for layer in tape.read] + [tape.reading.after[0].removesuffix(" (linear)")]


def test_numbers_order_layers_as_numbers():
    arrays = {f"net.{k}.weight": np.eye(2, dtype=np.float32) for k in (0, 2, 10, 4)}
    assert order_of(sorted_by_name(arrays)) == ["net.0", "net.2", "net.4", "net.10"]
    blocks = {f"h{k}.fc{j}.weight": np.eye(2, dtype=np.float32) for k in (10, 9) for j in (2, 1)}
    assert order_of(blocks) == ["h9.fc1", "h9.fc2", "h10.fc1", "h10.fc2"]


@pytest.mark.parametrize(
    "names",
    [
        ("encoder", "decoder"),
        ("mlp.up_proj", "mlp.down_proj"),
        ("fc1", "fc2", "out"),
        ("input", "hidden_0", "output"),
        ("features.0", "features.3", "classifier.0"),
        ("l.fc_in", "l.fc_out"),
        ("backbone.1", "head"),
        ("net.0", "net.2", "final"),
    ],
)  # fmt: skip
def test_words_order_layers(names):
    arrays = {f"{name}.weight": np.eye(2, dtype=np.float32) for name in names}
    assert order_of(sorted_by_name(arrays)) == list(names) == order_of(dict(reversed(arrays.items())))


def test_shapes_order_layers_where_names_do_not():
    assert order_of(shapes(a=(2, 3), b=(3, 5))) == ["b", "a"]
    tape = state_dict.network(shapes(a=(2, 3), b=(3, 5)))
    assert any("follows from their shapes" in note for note in tape.reading.notes)


def test_an_open_order_is_refused_with_the_orders_that_fit():
    square = shapes(left=(2, 2), right=(2, 2))
    refused(r"leave the order .* open .*: left, right; or right, left", state_dict.network, square)
    assert order_of(square, order=["right", "left"]) == ["right", "left"]
    refused("must name each layer once", state_dict.network, square, order=["right"])
    refused("in no order", state_dict.network, shapes(a=(2, 3), b=(2, 3)))
    refused("in no order .* fc1", state_dict.network, shapes(fc1=(2, 3), fc2=(3, 5)))  # what the names say, stands


def test_orders_agree_with_all_permutations():
    """Against the definition: all orders that respect the names and fit the shapes."""
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(300):
        words = rng.choice(["a", "b", "fc1", "fc2", "fc10", "out", "encoder", "decoder"], rng.integers(1, 6), False)
        sizes = {w: tuple(int(v) for v in rng.integers(1, 3, 2)) for w in words}
        before = [("fc1", "fc2"), ("fc2", "fc10"), ("fc1", "fc10"), ("encoder", "decoder")]
        before += [(w, "out") for w in ("fc1", "fc2", "fc10")]
        right = [
            list(p)
            for p in permutations(map(str, words))
            if all(sizes[a][0] == sizes[b][1] for a, b in pairwise(p))
            and all(p.index(a) < p.index(b) for a, b in before if a in p and b in p)
        ]
        seen.add(min(len(right), 2))
        if len(right) == 1:
            found = state_dict.network(shapes(**sizes))
            assert order_of(shapes(**sizes)) == right[0] and found.inputs == sizes[right[0][0]][1]
        else:
            refused("in no order" if not right else "leave the order", state_dict.network, shapes(**sizes))
    assert seen == {0, 1, 2}


@pytest.mark.parametrize(
    "names", [("experts.0", "experts.1"), ("moe.expert_0", "moe.expert_1"), ("Heads.0", "Heads.1"), ("q1", "q2")]
)
def test_what_is_computed_side_by_side_has_no_order(names):
    """The numbers of experts, heads or members of an ensemble count them, and do not say which comes first."""
    arrays = {f"{name}.fc{k}.weight": np.ones((4, 2) if k == 1 else (2, 4)) for name in names for k in (1, 2)}
    refused("leave the order", state_dict.network, arrays)
    order = [f"{name}.fc{k}" for name in reversed(names) for k in (1, 2)]
    assert order_of(arrays, order=order) == order
    inside = {f"{names[0]}.{k}.weight": np.eye(2) for k in (0, 2)}  # layers of one of them are ordered as others
    assert order_of(inside) == [f"{names[0]}.0", f"{names[0]}.2"]


def test_what_is_no_chain_of_linear_layers_is_refused_by_name():
    for arrays, words in (
        ({"a.weight": np.ones((2, 2, 3, 3))}, "'a.weight': shape .* strides and the padding"),
        ({"bn.weight": np.ones(2), "bn.bias": np.ones(2)}, "'bn.weight': shape .* normalisations"),
        ({"bn.running_mean": np.ones(2)}, "'bn.running_mean' is not of a linear layer: normalisations"),
        (shapes(gate_proj=(3, 2), up_proj=(3, 2), down_proj=(2, 3)), "'gate_proj.weight' gates another layer"),
        (
            {f"ffn.{name}": array for name, array in shapes(w1=(3, 2), w2=(2, 3), w3=(3, 2)).items()},
            "'ffn.w3' is .* a gate",
        ),
        (shapes(fc1=(3, 2), fc2=(2, 3), gate=(3, 2)), "'gate' is called like a gate"),
        (shapes(embed=(5, 2), fc1=(3, 2), fc2=(2, 3)), "'embed' is called like a table, which is looked up"),
        (shapes(lora_A=(1, 2), lora_B=(2, 1)), "'lora_A' is called like an adapter"),
        (
            {
                f"{n}.{k}.weight": np.ones((2, 1) if k == 0 else (1 if n == "critic" else 3, 2))
                for n in ("actor", "critic")
                for k in (0, 2)
            },
            "actor and critic are networks of their own",
        ),
        (shapes(policy_net=(2, 2), value_net=(1, 2)), "policy and value are networks of their own"),
        ({"act.weight": np.ones(1)}, "'act.weight': shape .* slope of a PReLU"),
        ({**shapes(a=(2, 3)), "a.bias": np.ones(3)}, "2 rows of weights but 3 biases: its weights are stored"),
        (shapes(c_fc=(2, 2)), "GPT-2"),
        ({"c_proj.weight": np.eye(2), "c_proj.bias": np.ones(2)}, "GPT-2"),
        ({"a.bias": np.ones(2)}, "has a bias but no weight"),
        ({}, "at least one layer"),
    ):
        refused(words, state_dict.network, arrays)


def test_an_order_says_that_what_is_called_otherwise_is_a_layer():
    arrays = shapes(embed=(5, 2), fc=(3, 5))
    assert order_of(arrays, order=["embed", "fc"]) == ["embed", "fc"]
    assert order_of({**arrays, "embed.bias": np.ones(5)}) == ["embed", "fc"]  # tables have none
    three = shapes(w1=(3, 2), w2=(2, 3), w3=(3, 2))
    assert order_of(three, order=["w1", "w2", "w3"]) == ["w1", "w2", "w3"]
    assert order_of({**three, "w1.bias": np.ones(3)}) == ["w1", "w2", "w3"]


def test_activations_and_selections():
    arrays = shapes(fc1=(3, 2), fc2=(2, 3)) | {"norm.weight": np.ones(3)}
    net = Network.from_state_dict(arrays, select="fc*", activation=["relu", "relu"])
    assert net.widths == (3, 2) and "not selected" in net.reading.left[0]
    assert Network.from_state_dict(arrays, select=["fc1*", "fc2.weight"]).widths == (3,)
    refused("must be relu or none, not 'tanh'", Network.from_state_dict, arrays, select="fc*", activation="tanh")
    refused("1 words for 2 layers", Network.from_state_dict, arrays, select="fc*", activation=["relu"])
    refused("nothing is selected", Network.from_state_dict, arrays, select="x*")
    refused("select says which", Network.from_state_dict, {"h": np.ones((2, 2))})


def test_other_conventions_of_weights():
    rng = np.random.default_rng(1)
    first, second = rng.integers(-3, 4, (2, 3)), rng.integers(-3, 4, (3, 2))
    net = Network.from_layers([(first.T, [1, 2, 3], "relu"), (second.T, [0, 1], "none")])
    lens = {"mlp.W_in": first, "mlp.b_in": np.int64([1, 2, 3]), "mlp.W_out": second, "mlp.b_out": np.int64([0, 1])}
    flax = {"Dense_0.kernel": first, "Dense_0.bias": lens["mlp.b_in"], "Dense_1.kernel": second}
    flax["Dense_1.bias"] = lens["mlp.b_out"]
    for arrays in (lens, sorted_by_name(lens), flax):
        read = Network.from_state_dict(arrays)
        assert read == net and read([1, -2]) == net([1, -2])


class Array:
    """An array of a library that says how it becomes one of NumPy, as JAX does."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        if self.array is None:
            raise TypeError("traced")
        return self.array


def test_names_with_slashes_and_mappings_of_mappings(tmp_path):
    rng = np.random.default_rng(2)
    kernels = [np.float32(rng.integers(-3, 4, shape)) for shape in ((3, 4), (4, 3), (3, 3))]
    biases = [np.float32(rng.integers(-3, 4, size)) for size in (4, 3, 3)]
    names = ["Dense_0", "Dense_1", "head"]
    net = Network.from_layers(
        [(k.T, b, kind) for k, b, kind in zip(kernels, biases, ("relu", "relu", "none"), strict=True)]
    )
    layers = {n: {"kernel": k, "bias": b} for n, k, b in zip(names, kernels, biases, strict=True)}
    flat = {f"params/{n}/{kind}": array for n, layer in layers.items() for kind, array in layer.items()}
    np.savez(tmp_path / "m.npz", **flat)
    wrapped = {n: {kind: Array(array) for kind, array in layer.items()} for n, layer in layers.items()}
    for model in (flat, sorted_by_name(flat), {"params": layers}, layers, {"params": wrapped}, tmp_path / "m.npz"):
        read = as_network(model)
        assert read == net and read([1, -2, 3]) == net([1, -2, 3])
    assert read.reading.layers[0].name == "params/Dense_0"
    more = flat | {"params/norm/scale": np.ones(3)}
    refused("'params/norm/scale' is not the weight or the bias", Network.from_state_dict, more)
    for pattern in ("params/Dense_*", ["*/Dense_0", "params/Dense_1/*"]):
        assert Network.from_state_dict(more, select=pattern).widths == (4,)
    order = ["params/head", "params/Dense_0", "params/Dense_1"]
    assert Network.from_state_dict(flat, order=order).widths == (3, 4)
    refused("is not of a linear layer: normalisations", as_network,
            {"params": layers, "batch_stats": {"norm": {"mean": np.ones(3)}}})  # fmt: skip
    refused("actor and critic are networks of their own", as_network, {"actor": layers, "critic": layers})
    refused("'params/Dense_0/kernel' stands twice", as_network, flat | {"params": layers})
    refused("parameter 'a/kernel': it is not an array that holds", as_network, {"a": {"kernel": Array(None)}})
    refused("parameter 'a/kernel': it holds complex128", as_network, {"a": {"kernel": Array(np.eye(2) * 1j)}})
    refused("parameter 'step': it is not a tensor", as_network, {"params": layers, "step": 3})
    deep = layers
    for _ in range(30):
        deep = {"x": deep}
    refused("mappings are nested more than 20 deep", as_network, deep)
    own = {"a": np.eye(2)}
    own["b"] = own
    refused("mappings are nested more than 20 deep", as_network, own)


def test_narrow_arrays_of_other_libraries():
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed")
    kernel = np.array([[0.1, -3.0], [2.5, 1e-20]], ml_dtypes.bfloat16)
    read = as_network({"Dense_0": {"kernel": Array(kernel)}, "Dense_1": {"kernel": Array(np.float32(np.eye(2)))}})
    assert read == as_network({"0.kernel": kernel.astype(np.float32), "1.kernel": np.eye(2)})


def test_trees_of_flax():
    jax, flax = (pytest.importorskip(name, reason=f"{name} is not installed") for name in ("jax", "flax"))

    linen = importlib.import_module("flax.linen")
    model = linen.Sequential([linen.Dense(4), linen.relu, linen.Dense(3), linen.relu, linen.Dense(2)])
    parameters = model.init(jax.random.key(0), np.ones((1, 3), np.float32))
    flat = flax.traverse_util.flatten_dict(parameters, sep="/")
    x = np.float32([1, -2, 3])
    for tree in (parameters, flat, flax.core.freeze(parameters)):
        assert np.allclose([float(v) for v in as_network(tree)(x)], model.apply(parameters, x), atol=1e-6)


def test_state_dictionaries_saved_as_npz(tmp_path):
    def npz(arrays):
        np.savez(tmp_path / "m.npz", **arrays)
        return tmp_path / "m.npz"

    report = decide(npz(sorted_by_name(ENCODER)), (0, 1))
    assert report.network.widths == (3,) and first_layer(report) == [(ALIVE, 2), (DEAD, half(-1)), (ALIVE, 1)]
    refused("order is for layers with names", Network.from_file, npz({"W1": np.eye(2)}), order=["1"])
    refused("no option of such files", Network.from_file, written(tmp_path, "m.json", "{}"), order=["1"])
    refused("says it itself", Network.from_file, npz({"W1": np.eye(2), "activations": np.array(["relu"])}),
            activation="relu")  # fmt: skip


def test_a_part_of_a_model_is_no_model(tmp_path):
    for name, whole in (("m-00001-of-00002.npz", False), ("m-00001-of-00001.npz", True)):
        np.savez(tmp_path / name, **shapes(fc1=(2, 2), fc2=(2, 2)))
        if not whole:
            refused("part 1 of 2 of a model: select says", Network.from_file, tmp_path / name)
        assert Network.from_file(tmp_path / name, select="fc*").widths == (2,)


# ---- sparse autoencoders ----------------------------------------------------------------------------------------


SAE = {"W_enc": np.float32([[1, -1, 2], [1, -1, 0]]), "b_enc": np.float32([0, -0.5, 0]), "b_dec": np.float32([1, 0])}


def test_sparse_autoencoders(tmp_path):
    np.savez(tmp_path / "sae.npz", **SAE, W_dec=np.ones((3, 2), np.float32))
    path = tmp_path / "sae.npz"
    refused("whether it is subtracted", Network.from_file, path)
    plain, centred = (Network.from_file(path, apply_b_dec_to_input=said) for said in (False, True))
    assert plain.neuron(1, 2).constant == 0 and centred.neuron(1, 2).constant == -2
    assert plain.neuron(1, 2).slope == centred.neuron(1, 2).slope == (2, 0)
    assert plain([1, 1]) == [2 + 2 + 1, 2 + 2]
    assert any("nothing names its activation" in note for note in plain.reading.notes)
    written(tmp_path, "cfg.json", '{"architecture": "standard", "apply_b_dec_to_input": true, "d_in": 2}')
    assert Network.from_file(path) == centred
    assert not any("nothing names" in note for note in Network.from_file(path).reading.notes)
    refused("the option says False", Network.from_file, path, apply_b_dec_to_input=False)
    for config, words in (
        ('{"architecture": "gated"}', "architecture 'gated'"),
        ('{"architecture": "standard", "activation_fn": "topk"}', "activation_fn 'topk'"),
        ('{"normalize_activations": "layer_norm"}', "normalize_activations 'layer_norm'"),
        ("[]", "must be an object"),
        ("{", "not valid JSON"),
    ):
        written(tmp_path, "cfg.json", config)
        refused(words, Network.from_file, path)


def test_thresholds_of_sparse_autoencoders():
    """A feature that never exceeds its threshold is dead, though it may be positive."""
    net = Network.from_state_dict({**SAE, "threshold": np.float32([1.5, 0, 3])}, apply_b_dec_to_input=False)
    report = decide(net, (0, 1))
    assert first_layer(report) == [(ALIVE, half(1)), (DEAD, half(-1)), (DEAD, -1)]
    assert net.reading.layers[0].kind == "JumpReLU" and net.output is None
    refused("negative threshold", Network.from_state_dict, {**SAE, "threshold": np.float32([-1, 0, 0])},
            apply_b_dec_to_input=False)  # fmt: skip
    refused("no parameter of a sparse", Network.from_state_dict, {**SAE, "r_mag": np.float32([1])})
    refused("axes were expected", Network.from_state_dict, {**SAE, "b_enc": np.ones((1, 3))})


# ---- nnet -------------------------------------------------------------------------------------------------------


def test_nnet(tmp_path):
    path = written(tmp_path, "m.nnet", families.NNET)
    net = Network.from_file(path)
    assert net.neuron(1, 0).slope == (half(1, 4), half(1)) and net.neuron(1, 0).constant == -2
    assert net([1, 1]) == [5 * (half(1, 4) + half(1, 10)) + 1]  # a tenth, not the nearest float
    report = decide(path, "range")
    # normalised inputs lie in [-1/2, 1/2] x [-1, 1]
    assert first_layer(report) == [(DEAD, 0), (ALIVE, half(1)), (ALIVE, half(1))]
    assert any("outside their range" in note for note in net.reading.notes)
    refused("does not say between which values", decide, [(np.eye(2), [0, 0], "relu")], "range")


def test_the_commands_read_with_options(tmp_path, capsys):
    """inspect says what was read; what a file leaves open is said by an option."""
    path = written(tmp_path, "m.nnet", families.NNET)
    assert main(["inspect", str(path), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["format"] == "nnet" and found["range"] == [["0", "4"], ["-2", "2"]]
    assert main(["decide", str(path), "--domain", "range"]) == 0
    assert "outside their range" in capsys.readouterr().out
    np.savez(tmp_path / "m.npz", **shapes(left=(2, 2), right=(2, 2)))
    assert main(["inspect", str(tmp_path / "m.npz")]) == 2
    assert "left, right; or right, left" in capsys.readouterr().err
    options = ["--order", "right,left", "--activation", "relu,relu"]
    assert main(["inspect", str(tmp_path / "m.npz"), *options]) == 0
    assert "layer 1  2 neurons right (ReLU)\nlayer 2  2 neurons left (ReLU)" in capsys.readouterr().out
    assert main(["inspect", str(tmp_path / "m.npz"), "--select", "left*", "--activation", "relu"]) == 2
    assert "no ReLU layer" in capsys.readouterr().err
    assert main(["inspect", str(tmp_path / "m.npz"), "--select", "left*", "--activation", "none"]) == 2
    np.savez(tmp_path / "s.npz", **SAE)
    for said, constant in (("yes", "-2"), ("no", "0")):
        target = tmp_path / "s.json"
        assert main(["convert", str(tmp_path / "s.npz"), "-o", str(target), "--apply-b-dec-to-input", said]) == 0
        assert json.loads(target.read_text())["layers"][0]["rows"][2][0] == constant


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("2,2,1,3,", "2,2,1,2,", "line 3: the widths"),
        ("2,3,1,", "2,3,2,", "line 3: the widths"),
        ("2,3,1,\n", "2,3,1,1,\n", "line 3: 4 numbers, but the widths of all layers are 3"),
        ("2,2,1,3,", "1000000000,2,1,3,", "positive whole numbers"),
        ("4.0,2.0,5.0,", "4.0,0.0,5.0,", "a range is zero"),
        ("4.0,2.0,\n", "-4.0,2.0,\n", "greater than the greatest"),
        ("-1.5,", "x,", "line 12: 'x' is not a rational number"),
        ("-1.5,", "nan,", "line 12: 'nan'"),
        ("0.1,\n", "", "the file ends before a bias of layer 2"),
        ("0.1,\n", "0.1,\n3,\n", "line 17: more numbers"),
    ],
)
def test_nnet_that_is_refused(old, new, words, tmp_path):
    assert old in families.NNET
    refused(words, Network.from_file, written(tmp_path, "m.nnet", families.NNET.replace(old, new, 1)))


# ---- safetensors ------------------------------------------------------------------------------------------------


def safetensors_file(tensors):
    """Written here from the description of the format, so that types that NumPy lacks can be written too."""
    header, data = {}, b""
    for name, (kind, shape, content) in sorted(tensors.items(), key=lambda item: (item[1][0], item[0])):
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def test_safetensors(tmp_path):
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    tensors = {name: ("F32", a.shape, a.tobytes()) for name, a in ENCODER.items()}
    path = written(tmp_path, "m.safetensors", safetensors_file(tensors))
    assert first_layer(decide(path, (0, 1))) == [(ALIVE, 2), (DEAD, half(-1)), (ALIVE, 1)]
    packed = written(tmp_path, "m.safetensors.gz", gzip.compress(path.read_bytes()))
    assert Network.from_file(packed) == Network.from_file(path)
    tensors["norm.weight"] = ("I32", (1,), b"abcd")
    mixed = written(tmp_path, "n.safetensors", safetensors_file(tensors))
    refused("'norm.weight': shape", Network.from_file, mixed)
    assert Network.from_file(mixed, select="*coder*") == Network.from_file(path)
    for content, words in (
        (b"", "not a usable"),
        (b"x" * 40, "not a usable"),
        (path.read_bytes()[:-1], "not a usable"),
    ):
        refused(words, Network.from_file, written(tmp_path, "bad.safetensors", content))
    bits = written(tmp_path, "b.safetensors", safetensors_file({"a.weight": ("BOOL", (1, 1), b"\1")}))
    refused("holds BOOL", Network.from_file, bits)


@pytest.mark.parametrize(
    ("kind", "content", "values"),
    [
        ("BF16", np.uint16([0x3FC0, 0x0001]).tobytes(), [half(3), Fraction(1, 2**133)]),
        ("F16", np.float16([1.5, 2.0**-24]).tobytes(), [half(3), Fraction(1, 2**24)]),
        ("F8_E5M2", bytes([0x3E, 0x81]), [half(3), Fraction(-1, 2**16)]),
        ("F8_E4M3", bytes([0x3C, 0x01]), [half(3), Fraction(1, 2**9)]),
        ("I64", np.int64([3, 2**62 + 1]).tobytes(), [3, 2**62 + 1]),
    ],
)
def test_types_of_safetensors(kind, content, values, tmp_path):
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    tensors = {"0.weight": (kind, (1, 2), content), "1.weight": ("F32", (1, 1), np.float32([1]).tobytes())}
    net = Network.from_file(written(tmp_path, "m.safetensors", safetensors_file(tensors)))
    assert list(net.neuron(1, 0).slope) == values


def test_narrow_floats_against_ml_dtypes():
    types = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed")
    for kind, size in (("bfloat16", 2), ("float8_e5m2", 1), ("float8_e4m3fn", 1)):
        bits = np.arange(1 << 8 * size, dtype=f"u{size}")
        with np.errstate(invalid="ignore"):
            right = bits.view(getattr(types, kind)).astype(np.float64)
            assert np.array_equal(narrow.widened(bits, kind).astype(np.float64), right, equal_nan=True)


def test_safetensors_as_the_package_writes_them(tmp_path):
    numpy_format = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    rng = np.random.default_rng(2)
    for k in range(20):
        sizes = rng.integers(1, 6, rng.integers(2, 13))
        layers = [(rng.normal(size=(n, m)).astype(np.float32), rng.normal(size=n).astype(np.float32))
                  for m, n in pairwise(sizes.tolist())]  # fmt: skip
        arrays = {}
        for i, (weight, bias) in enumerate(layers):
            arrays |= {f"net.{2 * i}.weight": weight, f"net.{2 * i}.bias": bias}
        numpy_format.save_file(arrays, tmp_path / "m.safetensors")
        words = ["relu"] * (len(layers) - 1) + ["none"]
        right = [(w, b, word) for (w, b), word in zip(layers, words, strict=True)]
        if len(layers) == 1:
            refused("no ReLU layer", Network.from_file, tmp_path / "m.safetensors")
            continue
        net, read = Network.from_layers(right), Network.from_file(tmp_path / "m.safetensors")
        point = rng.integers(-3, 4, sizes[0]).tolist()
        assert read == net and read(point) == net(point), k


# ---- PyTorch ----------------------------------------------------------------------------------------------------


def agree(torch, module, shape, net, count=2):
    """Outputs as PyTorch computes them, in double precision."""
    module = module.double().eval()
    x = torch.randn(count, *shape, dtype=torch.float64)
    for point, right in zip(x, module(x).detach(), strict=True):
        output = [float(v) for v in net(point.ravel().tolist())]
        assert output == pytest.approx(right.ravel().tolist(), abs=1e-9)


def random_module(torch, rng):
    """A Sequential with nested, shared and repeated modules, and the shape of its input."""
    nn = torch.nn
    size, shape, parts, act = int(rng.integers(1, 5)), None, [], nn.ReLU()
    if rng.random() < 0.4:
        channels, plane = int(rng.integers(1, 3)), int(rng.integers(4, 7))
        shape = (channels, plane, plane)
        parts = [
            nn.Conv2d(channels, 2, int(rng.integers(1, 4)), int(rng.integers(1, 3)), int(rng.integers(0, 2))),
            *([nn.BatchNorm2d(2)] if rng.random() < 0.5 else []),
            act,
            *([nn.AvgPool2d(2, 1)] if rng.random() < 0.3 else []),
            nn.Flatten(),
        ]
        probe = nn.Sequential(*parts).eval()(torch.zeros(1, *shape))
        size = probe.shape[1]
    else:
        shape = (size,)
    for _ in range(int(rng.integers(1, 4))):
        width = int(rng.integers(1, 5))
        kind = rng.integers(0, 4)
        square = nn.Linear(size, size, bias=bool(rng.random() < 0.7))
        if kind == 0:
            parts += [square, act, square, act]  # the same layer twice
            continue
        if kind == 1:
            block = nn.Sequential(square, nn.ReLU(inplace=True), nn.Dropout())
            parts += [block, block]
            continue
        parts += [nn.Linear(size, width), act, nn.Identity()]
        size = width
        if kind == 2:
            parts.append(nn.BatchNorm1d(size))
    module = nn.Sequential(*parts, nn.Linear(size, 2))
    for buffer in module.modules():
        if hasattr(buffer, "running_var"):
            buffer.running_mean.normal_()
            buffer.running_var.uniform_(0.5, 2)
    return module, shape


def test_random_modules_are_read_as_torch_evaluates_them(torch):
    rng = np.random.default_rng(3)
    torch.manual_seed(3)
    for _ in range(100):
        module, shape = random_module(torch, rng)
        agree(torch, module, shape, Network.from_torch(module.double(), shape))


def test_hooks_and_subclasses_are_refused_by_name(torch):
    nn = torch.nn

    class Linear(nn.Linear):  # type: ignore[name-defined]
        def forward(self, x):
            return super().forward(x) * 2

    class Named(nn.Sequential):  # type: ignore[name-defined]
        def forward(self, x):
            return super().forward(x) + 1

    class Initialised(nn.Linear):  # type: ignore[name-defined]
        def __init__(self, *sizes):
            super().__init__(*sizes)
            nn.init.zeros_(self.bias)

    plain = nn.Sequential(Initialised(2, 3), nn.ReLU(), nn.Linear(3, 1))
    agree(torch, plain, (2,), Network.from_torch(plain.double()))
    hooked = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    hooked.register_forward_hook(lambda m, i, o: o + 1)
    inner = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Linear(3, 1)))
    inner[1].register_forward_pre_hook(lambda m, i: None)
    patched = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    patched[0].forward = lambda x: x
    normalised = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(2, 3)), nn.ReLU())
    for module, words in (
        (nn.Sequential(Linear(2, 3), nn.ReLU()), r"module 0 \(Linear\): its class .*Linear is not PyTorch's own"),
        (Named(nn.Linear(2, 3), nn.ReLU()), r"module given \(Named\): its class .* defines forward"),
        (hooked, r"module given \(Sequential\): it has forward hooks"),
        (inner, r"module 1 \(Sequential\): it has forward hooks"),
        (patched, r"module 0 \(Linear\): it has a forward of its own"),
        (normalised, r"module 0 \(ParametrizedLinear\): its parameters are made of others"),
        (object(), "it is not a module of PyTorch"),
    ):
        refused(words, Network.from_torch, module)
    everywhere = nn.modules.module.register_module_forward_hook(lambda m, i, o: None)
    try:
        refused("forward hooks", Network.from_torch, nn.Sequential(nn.Linear(2, 3), nn.ReLU()))
    finally:
        everywhere.remove()


def test_what_comes_after_the_last_relu_may_be_left_out(torch):
    nn = torch.nn
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2), nn.Softmax(1))
    net = Network.from_torch(module.double())
    assert net.widths == (3,) and net.reading.left == (
        "module 3 (Softmax) and what comes after it: Softmax is not supported",
    )
    agree(torch, module[:3], (2,), net)


def test_checkpoint_files(torch, tmp_path):
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    right = Network.from_torch(module)
    half_precision = {name: p.to(torch.bfloat16) for name, p in module.state_dict().items()}
    for content in (module.state_dict(), {"epoch": 3, "state_dict": module.state_dict()}):
        torch.save(content, tmp_path / "m.pt")
        net = Network.from_file(tmp_path / "m.pt")
        assert net == right and net([1, 2]) == right([1, 2])
    torch.save(half_precision, tmp_path / "m.pth")
    assert Network.from_file(tmp_path / "m.pth") == Network.from_torch(module.bfloat16())
    for content, words in (
        (module, "more than tensors"),
        ([1], "holds list"),
        ({"model": {}, "net": {}}, "several state dictionaries"),
        ({"actor": {"0.weight": torch.eye(2)}, "critic": {"0.weight": torch.eye(2)}}, r"several .*\(actor, critic\)"),
        ({"model": {"0.weight": torch.eye(2)}, "ema": {"0.weight": torch.eye(2)}}, r"several .*\(model, ema\)"),
        ({"0.weight": torch.zeros(2, 2, dtype=torch.int32)}, "not a tensor of floating-point"),
        ({"0.weight": torch.eye(2).to_sparse()}, "holds each of its numbers"),
        ({"0.weight": torch.zeros(2, 2, dtype=torch.complex64)}, "not a tensor of floating-point"),
    ):
        torch.save(content, tmp_path / "m.pt")
        refused(words, Network.from_file, tmp_path / "m.pt")
    refused("not a readable", Network.from_file, written(tmp_path, "m.pt", b"no archive"))


# ---- Keras and scikit-learn --------------------------------------------------------------------------------------


@pytest.fixture
def keras(monkeypatch):
    pytest.importorskip("h5py", reason="h5py is not installed")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    return pytest.importorskip("keras", reason="Keras is not installed")


def test_keras_models_end_where_a_layer_is_not_supported(keras, tmp_path):
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((2,)), layers.Dense(3, activation="relu"), layers.Dense(2, activation="softmax")]
    )
    model.save(tmp_path / "m.keras")
    net = Network.from_file(tmp_path / "m.keras")
    assert net.widths == (3,) and "softmax is not supported" in net.reading.left[0]
    own = type("Dense", (layers.Dense,), {"call": lambda self, x: super(layers.Dense, self).call(x)})
    model = keras.Sequential([keras.Input((2,)), own(3, activation="relu")])
    model.save(tmp_path / "own.keras")
    refused("is not Keras's own", Network.from_file, tmp_path / "own.keras")


def test_means_on_which_the_backends_of_keras_do_not_agree_are_not_read(keras, tmp_path):
    layers, rng, seen = keras.layers, np.random.default_rng(4), set()
    for size, pool, stride in ((5, 3, 2), (2, 3, 2), (4, 3, 2), (6, 3, 2), (5, 4, 1), (4, 2, 1), (5, 2, 2), (4, 3, 3)):
        x = rng.integers(-8, 9, (1, size, 1)).astype(np.float32) + np.arange(size)[None, :, None] ** 3
        pooled = layers.AveragePooling1D(pool, strides=stride, padding="same")
        keras.Sequential([keras.Input((size, 1)), pooled, layers.ReLU()]).save(tmp_path / "m.keras")
        windows = [range(k, k + pool) for k in range(-_before(size, pool, stride), size, stride)][: -(-size // stride)]
        right = [np.mean([x[0, k, 0] for k in window if 0 <= k < size]) for window in windows]
        agrees = np.allclose(keras.ops.average_pool(x, pool, stride, "same").cpu().numpy().ravel(), right)
        seen.add(agrees)
        if agrees:
            found = Network.from_file(tmp_path / "m.keras")(x.ravel().tolist())
            assert [float(v) for v in found] == pytest.approx(np.maximum(right, 0).tolist())
        else:
            refused("backends of Keras do not agree", Network.from_file, tmp_path / "m.keras")
    assert seen == {True, False}


def _before(size, pool, stride):
    return max(0, (-(-size // stride) - 1) * stride + pool - size) // 2


def keras_file(config, arrays):
    """A .keras file with one Dense layer, as Keras 3 arranges it."""
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    stored, packed = io.BytesIO(), io.BytesIO()
    with h5py.File(stored, "w") as file:
        group = file.create_group("layers/dense/vars")
        group.attrs["name"] = "d"
        for k, array in enumerate(arrays):
            if isinstance(array, np.ndarray) and array.dtype == np.uint16:  # the bits of bfloat16
                group.create_dataset(str(k), data=array.view("V2").reshape(array.shape)).attrs["dtype"] = "bfloat16"
            elif isinstance(array, np.ndarray):
                group[str(k)] = array
            else:
                group[str(k)] = h5py.ExternalLink(*array)
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", stored.getvalue())
    return packed.getvalue()


def keras_config(**changes):
    dense = {"module": "keras.layers", "class_name": "Dense", "registered_name": None,
             "config": {"name": "d", "units": 2, "activation": "relu", "use_bias": True, **changes}}  # fmt: skip
    given = {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [None, 2], "name": "i"}}
    return {"module": "keras", "class_name": "Sequential", "config": {"layers": [given, dense]}}


def test_keras_files_without_keras(tmp_path):
    kernel, bias = np.float32([[1, 2], [3, 4]]), np.float32([0, 1])
    net = Network.from_file(written(tmp_path, "m.keras", keras_file(keras_config(), [kernel, bias])))
    assert net == Network.from_layers([(kernel.T, bias, "relu")])
    upper = [array.view(np.uint32).astype(np.uint64) >> 16 for array in (kernel, bias)]
    upper_halves = [array.astype(np.uint16) for array in upper]
    assert Network.from_file(written(tmp_path, "m.keras", keras_file(keras_config(), upper_halves))) == net
    config = keras_config()
    for kind, options in (("Identity", {}), ("ReLU", {"threshold": 0.5}), ("ReLU", {"max_value": 1, "threshold": 2})):
        layer = {"module": "keras.layers", "class_name": kind, "config": {"name": "r", **options}}
        config["config"]["layers"][2:] = [layer]
        again = Network.from_file(written(tmp_path, "m.keras", keras_file(config, [kernel, bias])))
        said = f"ReLU with {', '.join(f'{k} {options[k]}' for k in ('threshold', 'max_value') if k in options)}"
        left = (f"layer 'r' and what comes after it: {said} is not supported",) if options else ()
        assert again == net and again.reading.left == left
    changed = keras_config()
    changed["config"]["layers"][1]["module"] = "my.layers"
    missing = keras_config()
    del missing["config"]["layers"][1]["class_name"]
    for config, arrays, words in (
        (keras_config(), [kernel], "1 weights are stored, but it has 2"),
        (keras_config(quantization_config={"a": 1}), [kernel, bias], "quantised"),
        (keras_config(activation="tanh"), [kernel, bias], "activation tanh is not supported"),
        (keras_config(), [kernel, bias[:1]], "shape|fit"),
        (
            keras_config(),
            [kernel, bias.astype(np.float16).view("V2")],
            "16 bits of which the file does not say the kind",
        ),
        (keras_config(), [("/etc/hostname", "x"), bias], "is a link, which is not followed"),
        (changed, [kernel, bias], "my.layers.Dense is not Keras's own"),
        (missing, [kernel, bias], "configuration is not one of Keras"),
        ([], [kernel, bias], "configuration is not one of Keras"),
    ):
        refused(words, Network.from_file, written(tmp_path, "m.keras", keras_file(config, arrays)))
    refused("not a readable Keras file", Network.from_file, written(tmp_path, "m.h5", b"x"))
    refused("not a readable Keras file", Network.from_file, written(tmp_path, "m.keras", b"x"))


def test_random_perceptrons_of_scikit_learn():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    import warnings

    from sklearn.decomposition import PCA
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

    rng = np.random.default_rng(5)
    before = [[], [StandardScaler()], [MinMaxScaler((-1, 2))], [RobustScaler()], [MaxAbsScaler(), PCA(3)]]
    for k in range(20):
        data = rng.normal(size=(30, 4)) * rng.uniform(0.1, 9, 4) + rng.normal(size=4)
        options = {"hidden_layer_sizes": tuple(rng.integers(2, 6, rng.integers(1, 4)).tolist()), "max_iter": 5}
        regressor = MLPRegressor(**options)
        model = make_pipeline(*before[k % 5], regressor)
        classifier = MLPClassifier(**options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(data, data[:, :2] * 2)
            classifier.fit(data, rng.integers(0, 3, 30))
        net = Network.from_sklearn(model)
        assert np.allclose([[float(v) for v in net(x)] for x in data[:3]], model.predict(data[:3])), k
        net = as_network(classifier)
        scores = np.exp([[float(v) for v in net(x)] for x in data[:3]])
        assert np.allclose(scores / scores.sum(1, keepdims=True), classifier.predict_proba(data[:3])), k
        assert net.reading.left == ("softmax of the outputs",)
    refused("not fitted", Network.from_sklearn, MLPRegressor())
    refused("'standardscaler'.*not supported", Network.from_sklearn,
            make_pipeline(type("StandardScaler", (StandardScaler,), {})(), regressor))  # fmt: skip
    refused("activation 'tanh'", Network.from_sklearn, regressor.set_params(activation="tanh"))
    refused("is not an MLPClassifier", Network.from_sklearn, StandardScaler())
    fitted = regressor.set_params(activation="relu")
    for step in (StandardScaler(), MinMaxScaler(), RobustScaler(), MaxAbsScaler(), PCA(3)):
        refused(r"^step '.*' \(\w*\): it is not fitted$", Network.from_sklearn, make_pipeline(step, fitted))
    narrow = StandardScaler().fit(data[:, :2])
    refused(r"^layer 1: a map on R\^\d cannot follow", Network.from_sklearn, make_pipeline(narrow, fitted))
    refused("no steps", Network.from_sklearn, Pipeline([]))


# ---- the cases beside the checkout ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sae_state_dict.npz", "sae.safetensors"])
def test_case_of_encoders(name, cases):
    if name.endswith("safetensors"):
        pytest.importorskip("safetensors", reason="safetensors is not installed")
    report = decide(cases / name, "box:0,1")
    assert report.network.inputs == 2 and report.network.widths == (3,)
    assert first_layer(report)[1] == (DEAD, half(-1))


def test_cases_of_state_dictionaries(cases):
    up = Network.from_file(cases / "llm_mlp.npz")
    assert (up.inputs, up.widths) == (2, (3,)) and up.output is not None
    regressor = Network.from_file(cases / "regressor_state_dict.npz")
    assert regressor.widths == (3,) and regressor.output is not None


def test_cases_of_compressed_and_native_files(cases):
    assert Network.from_file(cases / "keras_like.onnx.gz").depth > 0
    tiny = Network.from_file(cases / "tiny.nnet")
    assert tiny.widths == (3,) and tiny([1, 1]) == [half(9, 4)]


@pytest.mark.parametrize(
    ("domain", "model", "right"),
    [
        ("lrs_nonneg.ine", "n1.json", [(DEAD, 0), (ALIVE, 1), (DEAD, 0)]),
        ("hull_square.ine", "sq_model.json", [(DEAD, 0), (DEAD, 0), (DEAD, 0)]),
        ("vnn_union_box.vnnlib", "vm.json", [(DEAD, 0), (ALIVE, half(1)), (ALIVE, 1)]),
        ("vnn_same_box_in_disjuncts.vnnlib", "vm.json", [(DEAD, 0), (ALIVE, half(1)), (ALIVE, 1)]),
        ("vnn_nospace.vnnlib.gz", "vm.json", [(DEAD, 0), (ALIVE, half(1)), (ALIVE, 1)]),
        ("vnn2.vnnlib", "vm.json", [(DEAD, 0), (ALIVE, half(1)), (ALIVE, 1)]),
        ("zero_rows.ine", "vm.json", [(ALIVE, "inf")] * 3),
        ("lin_comma.ine", "vm.json", [(DEAD, half(-1)), (DEAD, -1), (DEAD, 0)]),
    ],
)
def test_cases_of_domains(domain, model, right, cases):
    if domain == "vnn2.vnnlib":
        pytest.importorskip("vnnlib", reason="vnnlib is not installed")
    report = decide(cases / model, cases / domain)
    assert first_layer(report) == right
    assert report.check() == 3 * max(1, len(getattr(report, "parts", ())))


def test_the_native_file_of_a_real_network(shared):
    """The same network in decimals, with its normalisation, and as ONNX on the same box once normalised.

    Weights differ in the seventh digit, so that suprema do; the verdicts are the same.
    """
    native, floats = shared / "networks" / "real" / "acasxu_1_1.nnet", shared / "networks" / "acasxu_1_1.onnx"
    if not native.exists():
        pytest.skip(f"{native} is absent")
    net = Network.from_file(native)
    means = ["19791.091", "0", "0", "650", "600"]
    ranges = ["60261", "6.28318530718", "6.28318530718", "1100", "1200"]
    box = [
        tuple((end - Fraction(m)) / Fraction(r) for end in side)
        for side, m, r in zip(net.reading.range, means, ranges, strict=True)
    ]
    one, other = (decide(*pair, layers=[1, 2]) for pair in ((net, "range"), (Network.from_file(floats), box)))
    assert [v.status for v in one.verdicts] == [v.status for v in other.verdicts]
    assert all(v.status is not Status.UNDECIDED for v in one.verdicts)
    assert [float(v.supremum) for v in one.verdicts if v.layer == 1] == pytest.approx(
        [float(v.supremum) for v in other.verdicts if v.layer == 1], abs=1e-4
    )
