"""Models of Keras that are more than one layer after the other: read as Keras evaluates them, or left out."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from geomrelu import InputError, Network, as_network


@pytest.fixture
def h5py():
    return pytest.importorskip("h5py", reason="h5py is not installed")


@pytest.fixture
def keras(monkeypatch, h5py):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    return pytest.importorskip("keras", reason="Keras is not installed")


def agree(keras, model, folder, shape=(3,), seed=7):
    """Both kinds of files give what Keras computes with dyadic weights, exactly."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(rng.integers(-8, 9, weight.shape) / 4)
    for name in ("m.keras", "m.h5"):
        model.save(folder / name)
        net = Network.from_file(folder / name)
        assert not net.reading.left
        for x in rng.integers(-8, 9, (3, *shape)) / 4:
            made = model(x[None].astype("float32"))
            values = made if isinstance(made, (list, tuple)) else [made]
            right = np.concatenate([keras.ops.convert_to_numpy(value).ravel() for value in values])
            assert [float(v) for v in net(x.ravel().tolist())] == right.tolist()


def test_a_nested_model_reads_each_of_its_inputs(keras, tmp_path):
    layers = keras.layers
    a, b = keras.Input((3,)), keras.Input((3,))
    difference = keras.Model([b, a], layers.Subtract()([layers.Dense(3)(a), b]))
    x = keras.Input((3,))
    agree(keras, keras.Model(x, layers.ReLU()(difference([x, layers.Dense(3)(x)]))), tmp_path)


def test_a_layer_is_the_activation_of_another(keras, tmp_path):
    layers = keras.layers
    for activation in (layers.ReLU(), layers.ReLU(max_value=1.5), layers.LeakyReLU(negative_slope=0.25)):
        x = keras.Input((3,))
        agree(keras, keras.Model(x, layers.Dense(2)(layers.Dense(3, activation=activation)(x))), tmp_path)


def test_outputs_name_the_calls_of_a_nested_model(keras, tmp_path):
    layers = keras.layers
    i, x = keras.Input((3,)), keras.Input((3,))
    inner = keras.Model(i, layers.Dense(3)(i))
    once, twice = inner(x), inner(inner(x))
    agree(keras, keras.Model(x, inner(layers.ReLU()(x))), tmp_path)
    first = inner(layers.ReLU()(x))
    agree(keras, keras.Model(x, [layers.ReLU()(inner(first)), first]), tmp_path)
    agree(keras, keras.Model(x, [layers.ReLU()(x), twice, once]), tmp_path)


def test_functions_of_keras_ops_are_no_layers(keras, tmp_path):
    layers, ops = keras.layers, keras.ops
    pairs = (
        lambda y, x: y + x,
        lambda y, x: y - x,
        lambda y, x: ops.maximum(y, x),
        lambda y, x: ops.concatenate([y, x], axis=1),
        lambda y, x: ops.relu(y),
    )
    for pair in pairs:
        x = keras.Input((3,))
        agree(keras, keras.Model(x, layers.ReLU()(pair(layers.Dense(3)(x), x))), tmp_path)
    functions = (
        lambda y: y + 1.0,
        lambda y: 1.0 - y,
        lambda y: ops.maximum(y, 0.5),
        lambda y: ops.minimum(y, np.float32([1, 2, 3])),
        lambda y: ops.average(layers.Reshape((3, 1))(y), axis=1),
        lambda y: ops.reshape(y, (-1, 3, 1)),
    )
    for function in functions:
        x = keras.Input((3,))
        model = keras.Model(x, layers.Dense(2)(function(layers.Dense(3, activation="relu")(x))))
        for name in ("m.keras", "m.h5"):
            model.save(tmp_path / name)
            net = Network.from_file(tmp_path / name)
            assert net.widths == (3,) and "ops." in net.reading.left[0]


def file_of(h5py, layers, groups):
    """A .keras file of a Functional model, ``layers`` one after the other; the arrays of each group."""
    described = [{"class_name": "InputLayer", "config": {"batch_shape": [None, 2], "name": "x"}, "name": "x"}]
    for kind, options, *call in layers:
        tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": [described[-1]["name"], 0, 0]}}
        node = {"args": [tensor], "kwargs": call[0] if call else {}}
        described.append(
            {"class_name": kind, "config": options, "name": options["name"], "inbound_nodes": [node], "module": "keras"}
        )
    config = {"layers": described, "input_layers": ["x", 0, 0], "output_layers": [described[-1]["name"], 0, 0]}
    stored, packed = io.BytesIO(), io.BytesIO()
    with h5py.File(stored, "w") as file:
        for group, (name, arrays) in groups.items():
            variables = file.create_group(f"layers/{group}/vars")
            if name is not None:
                variables.attrs["name"] = name
            for k, array in enumerate(arrays):
                variables[str(k)] = array
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("config.json", json.dumps({"module": "keras", "class_name": "Functional", "config": config}))
        archive.writestr("model.weights.h5", stored.getvalue())
    return packed.getvalue()


def test_weights_without_names_are_those_of_the_layer_that_is_counted(h5py, tmp_path):
    first, second = np.float32([[1, 2], [3, 4]]), np.float32([[5, 6], [7, 8]])
    layers = [("Dense", {"name": name, "use_bias": False, "activation": "relu"}) for name in ("dense_1", "dense")]
    right = Network.from_layers([(first.T, None, "relu"), (second.T, None, "relu")])
    for names in ((None, None), ("dense_1", "dense")):
        groups = {"dense": (names[0], [first]), "dense_1": (names[1], [second])}
        (tmp_path / "m.keras").write_bytes(file_of(h5py, layers, groups))
        assert Network.from_file(tmp_path / "m.keras") == right


def test_keras_2_counts_the_calls_of_nested_models_from_one(h5py, tmp_path):
    kernel = np.float32([[1, 2], [3, -4]])
    given = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 2], "name": "x"}, "name": "x"}
    inside = [
        {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 2], "name": "i"}},
        {"class_name": "Dense", "config": {"name": "d", "use_bias": False, "activation": "linear", "dtype": "float32"}},
    ]
    inner = {"class_name": "Sequential", "name": "s", "config": {"name": "s", "layers": inside}}
    inner["inbound_nodes"] = [[["x", 0, 0, {}]], [["s", 1, 0, {"training": None}]]]
    relu = {"class_name": "ReLU", "name": "r", "config": {"name": "r", "dtype": "float32"}}
    for call, times in ((1, 1), (2, 2)):
        layers = [given, inner, relu | {"inbound_nodes": [[["s", call, 0, {}]]]}]
        for outputs in (["r", 0, 0], ["s", call, 0]):
            config = {"name": "m", "layers": layers, "input_layers": [["x", 0, 0]], "output_layers": [outputs]}
            with h5py.File(tmp_path / "m.h5", "w") as file:
                file.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": config})
                group = file.create_group("model_weights/s")
                group.attrs["weight_names"] = [b"d/kernel:0"]
                group["d/kernel:0"] = kernel
            net = Network.from_file(tmp_path / "m.h5")
            right = np.array([1, -2]) @ np.linalg.matrix_power(kernel, times)
            assert net.pre_activations([1, -2]) == [right.tolist()]
            assert net([1, -2]) == (np.maximum(right, 0) if outputs[0] == "r" else right).tolist()


def test_kernels_of_theano_are_refused(h5py, tmp_path):
    layers = [
        {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 2], "name": "x"}},
        {"class_name": "Dense", "config": {"name": "d", "use_bias": False, "activation": "relu", "trainable": True}},
    ]
    for backend, read in (("tensorflow", True), ("theano", False), (b"theano", False)):
        with h5py.File(tmp_path / "m.h5", "w") as file:
            file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": layers})
            group = file.create_group("model_weights/d")
            file["model_weights"].attrs["backend"] = backend
            group.attrs["weight_names"] = [b"d/kernel:0"]
            group["d/kernel:0"] = np.eye(2, dtype=np.float32)
        if read:
            assert Network.from_file(tmp_path / "m.h5")([1, -2]) == [1, 0]
        else:
            with pytest.raises(InputError, match="saved with the backend Theano"):
                Network.from_file(tmp_path / "m.h5")


def test_a_call_with_more_than_values_ends_the_network(h5py, tmp_path):
    arrays = [np.ones(2, np.float32), np.zeros(2, np.float32), np.ones(2, np.float32), np.full(2, 4, np.float32)]
    groups = {"batch_normalization": ("b", arrays)}
    for options, read in (
        ({}, True),
        ({"training": False, "mask": None}, True),
        ({"mask": [None]}, True),
        ({"training": True}, False),
    ):
        layers = [
            ("ReLU", {"name": "r"}),
            ("BatchNormalization", {"name": "b", "epsilon": 0}, options),
            ("ReLU", {"name": "s"}),
        ]
        (tmp_path / "m.keras").write_bytes(file_of(h5py, layers, groups))
        net = Network.from_file(tmp_path / "m.keras")
        assert net.widths == ((2, 2) if read else (2,))
        assert net([3, 5]) == ([1, 2] if read else [3, 5])
        assert read or "BatchNormalization called with training=True is not supported" in net.reading.left[0]


def test_classes_that_a_script_defines_are_not_those_of_keras(h5py, tmp_path):
    data = file_of(h5py, [("ReLU", {"name": "r"})], {})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        config, weights = json.loads(archive.read("config.json")), archive.read("model.weights.h5")
    (layer,) = config["config"]["layers"][1:]
    layer |= {"module": None, "registered_name": "ReLU"}  # as Keras writes a class ReLU of __main__
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", weights)
    with pytest.raises(InputError, match="class ReLU is not Keras's own"):
        Network.from_file(tmp_path / "m.keras")


def test_inputs_and_outputs_with_names_are_refused_in_one_line(keras, tmp_path):
    layers = keras.layers
    x = keras.Input((3,))
    keras.Model(x, {"a": layers.ReLU()(x)}).save(tmp_path / "m.keras")
    with pytest.raises(InputError, match="outputs with names are not supported"):
        Network.from_file(tmp_path / "m.keras")
    two = keras.Model(x, [layers.Dense(2)(x), layers.Dense(3)(x)])
    y = keras.Input((3,))
    keras.Model(y, layers.ReLU()(two(y)[0])).save(tmp_path / "m.keras")
    with pytest.raises(InputError, match="a nested model with 2 outputs is not supported"):
        Network.from_file(tmp_path / "m.keras")


def test_weights_that_keras_rounds_are_noted(h5py, tmp_path):
    kernel = np.float32([[1, 2], [3, 4]])
    for policy, notes in (("float32", 0), ("mixed_float16", 1)):
        dense = {"name": "d", "use_bias": False, "activation": "relu", "dtype": policy}
        (tmp_path / "m.keras").write_bytes(file_of(h5py, [("Dense", dense)], {"dense": ("d", [kernel])}))
        net = Network.from_file(tmp_path / "m.keras")
        assert net == Network.from_layers([(kernel.T, None, "relu")])
        assert [policy in note for note in net.reading.notes] == [True] * notes


def test_nested_models_that_are_called_with_other_values_are_refused(keras, tmp_path):
    layers = keras.layers
    x, i = keras.Input((3,)), keras.Input((3, 1))
    inner = keras.Model(i, layers.Dense(2)(i))
    keras.Model(x, layers.ReLU()(inner(x))).save(tmp_path / "m.keras")  # Keras adds an axis of its own accord
    with pytest.raises(InputError, match=r"is called with shape \[1, 3\], but reads \[None, 3, 1\]"):
        Network.from_file(tmp_path / "m.keras")


def test_a_model_of_keras_is_asked_for_as_a_file(keras):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="relu")])
    with pytest.raises(InputError, match=r"save it as \.keras and give the path"):
        as_network(model)
