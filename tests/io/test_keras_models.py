"""Models of Keras that are more than one layer after the other: read as Keras evaluates them, or left out."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from geomrelu import InputError, Network, as_network, decide


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
        lambda y: 2 * y,
        lambda y: y / 4,
        lambda y: ops.maximum(y, 0.5),
        lambda y: ops.minimum(y, np.float32([1, 2, 3])),
        lambda y: ops.reshape(y, (-1, 3, 1)),
        lambda y: ops.clip(y, -0.5, 1.5),
        lambda y: ops.relu6(y),
        lambda y: ops.abs(y),
        lambda y: ops.max(y[:, 1:], axis=-1, keepdims=True),
        lambda y: ops.matmul(y, np.float32([[1, 2], [3, 4], [-5, 6]])),
    )
    for function in functions:
        x = keras.Input((3,))
        agree(keras, keras.Model(x, layers.ReLU()(function(layers.Dense(3)(x)))), tmp_path)
    functions = (
        lambda y: ops.average(layers.Reshape((3, 1))(y), axis=1),
        lambda y: ops.hard_silu(y),
        lambda y: ops.multiply(y, y),
        lambda y: ops.sum(y, axis=0, keepdims=True),
        lambda y: layers.UnitNormalization()(y),
    )
    for function in functions:
        x = keras.Input((3,))
        model = keras.Model(x, layers.Dense(2)(function(layers.Dense(3, activation="relu")(x))))
        for name in ("m.keras", "m.h5"):
            model.save(tmp_path / name)
            net = Network.from_file(tmp_path / name)
            assert net.widths == (3,)
            assert "ops." in net.reading.left[0] or "UnitNormalization is not supported" in net.reading.left[0]


def test_layers_are_done_at_each_time(keras, tmp_path):
    layers = keras.layers
    for inner in (
        lambda: layers.Dense(2, activation="relu"),
        layers.PReLU,
        layers.Flatten,
        lambda: layers.Conv1D(2, 2, padding="same", activation="relu"),
        layers.GlobalMaxPooling1D,
        lambda: layers.MaxPooling1D(2),
    ):
        x = keras.Input((3, 2, 4))
        y = layers.Flatten()(layers.TimeDistributed(inner())(x))
        agree(keras, keras.Model(x, layers.ReLU()(layers.Dense(2)(y))), tmp_path, (3, 2, 4))
        i = keras.Input((3, 2, 4))
        nested = keras.Model(i, layers.TimeDistributed(inner())(i))
        agree(keras, keras.Model(x, layers.ReLU()(nested(x))), tmp_path, (3, 2, 4))


def test_normalisations_of_inputs(keras, tmp_path):
    layers, rng = keras.layers, np.random.default_rng(4)
    data = rng.normal(size=(20, 3, 2)) * [1, 30] + [5, 0]
    data[:, 1, 1] = 7  # of variance zero
    for axis in (-1, 1, [1, 2], None):
        for options in ({}, {"invert": True}):
            layer = layers.Normalization(axis=axis, **options)
            layer.adapt(data)
            x = keras.Input((3, 2))
            model = keras.Model(x, layers.Dense(2)(layers.ReLU()(layer(x))))
            for name in ("m.keras", "m.h5"):
                model.save(tmp_path / name)
                net = Network.from_file(tmp_path / name)
                right = keras.ops.convert_to_numpy(model(data[:2].astype("float32")))
                found = [
                    [[float(v) for v in net(row.ravel())[2 * k : 2 * k + 2]] for k in range(3)] for row in data[:2]
                ]
                assert np.allclose(found, right, rtol=1e-4, atol=1e-4)


VALUE = object()  # what comes before, among the operands of a function


def file_of(h5py, layers, groups):
    """A .keras file of a Functional model, ``layers`` one after the other; the arrays of each group.

    A layer is its class, its options, perhaps what else it is called with, and, of a function, its operands.
    """
    described = [{"class_name": "InputLayer", "config": {"batch_shape": [None, 2], "name": "x"}, "name": "x"}]
    for kind, options, *call in layers:
        tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": [described[-1]["name"], 0, 0]}}
        args = [tensor if operand is VALUE else operand for operand in (call[1] if call[1:] else [VALUE])]
        node = {"args": args, "kwargs": call[0] if call else {}}
        layer = {"class_name": kind, "config": options, "name": options["name"], "inbound_nodes": [node]}
        described.append(layer | {"module": "keras.src.ops.numpy" if call[1:] else "keras"})
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


def test_a_model_of_keras_in_memory(keras):
    layers = keras.layers
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2, activation="relu"), layers.Dense(1)])
    x = np.float32([1, -2])
    found = [float(v) for v in as_network(model)(x.tolist())]
    assert np.allclose(found, keras.ops.convert_to_numpy(model(x[None]))[0], atol=1e-6)
    assert decide(model, (-1, 1)).network == as_network(model)
    with pytest.raises(InputError, match=r"^layer 'lambda' and what comes after it: Lambda is not supported"):
        as_network(keras.Sequential([keras.Input((2,)), layers.Lambda(lambda x: x, name="lambda")]))
    with pytest.raises(InputError, match=r"^Dense is no model of Keras"):
        as_network(layers.Dense(2))

    own = type("Own", (layers.Layer,), {"call": lambda self, x: x})
    with pytest.raises(InputError, match=r"^class .*Own is not Keras's own"):
        as_network(keras.Sequential([keras.Input((2,)), own()]))


class Model:
    """What is called a model of Keras by its module."""

    __module__ = "keras.models"

    def __init__(self, data):
        self.data = data

    def save(self, path):
        if self.data is None:
            raise NotImplementedError("\nA layer lacks get_config.\nMore.")
        with open(path, "wb") as file:
            file.write(self.data)


def test_what_a_model_of_keras_in_memory_writes_is_read(h5py):
    net = as_network(Model(file_of(h5py, [("ReLU", {"name": "r"})], {})))
    assert net([1, -2]) == [1, 0]
    with pytest.raises(InputError, match=r"^the model of Keras cannot be saved: .*A layer lacks get_config"):
        as_network(Model(None))
    with pytest.raises(InputError, match=r"^layer 'n' and what comes after it: UnitNormalization is not supported$"):
        as_network(Model(file_of(h5py, [("UnitNormalization", {"name": "n"})], {})))


ARRAY = {"class_name": "__numpy__", "config": {"value": [[2.0, -1.0]], "dtype": "float32"}}
REST = {"class_name": "__slice__", "config": {"start": None, "stop": None, "step": None}}


@pytest.mark.parametrize(
    ("kind", "options", "operands", "right"),
    [
        ("Add", {}, [VALUE, ARRAY], lambda x: np.add(x, [2, -1])),
        ("Subtract", {}, [1.5, VALUE], lambda x: 1.5 - x),
        ("Multiply", {}, [ARRAY, VALUE], lambda x: x * [2, -1]),
        ("TrueDivide", {}, [VALUE, ARRAY], lambda x: x / [2, -1]),
        ("Maximum", {}, [VALUE, 0.5], lambda x: np.maximum(x, 0.5)),
        ("Minimum", {}, [ARRAY, VALUE], lambda x: np.minimum(x, [2, -1])),
        ("Clip", {"x_min": -1, "x_max": None}, [VALUE], lambda x: np.maximum(x, -1)),
        ("Relu6", {}, [VALUE], lambda x: np.clip(x, 0, 6)),
        ("Absolute", {}, [VALUE], np.abs),
        ("HardTanh", {}, [VALUE], lambda x: np.clip(x, -1, 1)),
        ("SoftShrink", {"threshold": 0.5}, [VALUE], lambda x: np.sign(x) * np.maximum(abs(x) - 0.5, 0)),
        ("Matmul", {}, [VALUE, [[1, 2, 3], [4, 5, 6]]], lambda x: x @ [[1, 2, 3], [4, 5, 6]]),
        ("GetItem", {}, [VALUE, [REST, None, 1]], lambda x: x[1:]),
        ("Max", {"axis": -1, "keepdims": True}, [VALUE], lambda x: x.max(keepdims=True)),
        ("Mean", {"axis": [1], "keepdims": True}, [VALUE], lambda x: x.mean(keepdims=True)),
        ("Multiply", {}, [VALUE, VALUE], "ops.Multiply: a product of two values is not piecewise linear"),
        ("TrueDivide", {}, [1, VALUE], "ops.TrueDivide: a division by a value is not piecewise linear"),
        ("TrueDivide", {}, [VALUE, 0], "ops.TrueDivide: it divides by zero"),
        ("Sum", {"axis": None}, [VALUE], "ops.Sum: over the rows of a batch it is not supported"),
        ("GetItem", {}, [VALUE, 0], "ops.GetItem: a choice of rows of a batch is not supported"),
        ("Reshape", {"newshape": [-1, 1]}, [VALUE], "ops.Reshape: over the rows of a batch it is not supported"),
        ("HardSilu", {}, [VALUE], "ops.HardSilu is not supported"),
        ("Relu", {}, [VALUE, 1], "ops.Relu: a call with something that is no value of the model is not supported"),
    ],
)
def test_functions_of_values_and_constants(kind, options, operands, right, h5py, tmp_path):
    layers = [("ReLU", {"name": "r"}), ("Rescaling", {"name": "s", "scale": 2, "offset": -1})]
    layers.append((kind, {"name": "f", **options}, {}, operands))
    (tmp_path / "m.keras").write_bytes(file_of(h5py, layers, {}))
    net = Network.from_file(tmp_path / "m.keras")
    for x in ([1, -2], [0.25, 4], [3, 0.5]):
        if isinstance(right, str):
            assert right in net.reading.left[0] and net.widths == (2,)
        else:
            assert not net.reading.left
            assert [float(v) for v in net(x)] == list(right(np.maximum(x, 0) * 2.0 - 1))


def test_functions_of_no_value_and_damaged_ones_are_refused_in_one_line(h5py, tmp_path):
    for kind, options, operands, words in (
        ("Add", {}, [1, 2], "it reads no value of the model"),
        ("Concatenate", {"axis": 0}, [ARRAY, ARRAY], "it reads no value of the model"),
        ("Clip", {}, [{"class_name": "__keras_tensor__"}], "the configuration is not one of Keras"),
        ("Add", {}, [VALUE, [[1, 2], [3]]], "is not a number|is no array"),
        ("Transpose", {"axes": [0, 0]}, [VALUE], "repeated axis"),
    ):
        (tmp_path / "m.keras").write_bytes(file_of(h5py, [(kind, {"name": "f", **options}, {}, operands)], {}))
        with pytest.raises(InputError, match=words):
            Network.from_file(tmp_path / "m.keras")


def test_a_layer_at_each_time_has_its_weights_in_the_layer_inside(h5py, tmp_path):
    kernel, bias = np.float32([[2]]), np.float32([-1])
    inner = {"class_name": "Dense", "module": "keras", "config": {"name": "d", "activation": "relu"}}
    layers = [("Reshape", {"name": "r", "target_shape": [2, 1]}), ("TimeDistributed", {"name": "t", "layer": inner})]
    for outer, name in (("t", "d"), (None, None)):
        groups = {"time_distributed": (outer, []), "time_distributed/layer": (name, [kernel, bias])}
        (tmp_path / "m.keras").write_bytes(file_of(h5py, layers, groups))
        net = Network.from_file(tmp_path / "m.keras")
        assert net.widths == (2,) and net([3, 0.25]) == [5, 0]
        assert net.reading.layers[0].shape == (2, 1)
    layers[1][1]["layer"] = {"class_name": "Sequential", "module": "keras", "config": {"name": "d", "layers": []}}
    (tmp_path / "m.keras").write_bytes(file_of(h5py, [("ReLU", {"name": "a"}), *layers], {}))
    assert "TimeDistributed of Sequential is not supported" in Network.from_file(tmp_path / "m.keras").reading.left[0]


@pytest.mark.parametrize(("name", "right"), [("hard_tanh", [0.5, 1]), ("relu6", [0.5, 3]), ("hard_silu", None)])
def test_activations_with_bounds(name, right, h5py, tmp_path):
    layers = [("ReLU", {"name": "r"}), ("Activation", {"name": "a", "activation": name})]
    (tmp_path / "m.keras").write_bytes(file_of(h5py, layers, {}))
    net = Network.from_file(tmp_path / "m.keras")
    if right is None:
        assert net.widths == (2,) and f"the activation {name} is not supported" in net.reading.left[0]
    else:
        assert not net.reading.left and net([0.5, 3]) == right


@pytest.mark.parametrize("name", ["t/kernel:0", "t/d/kernel", "d/kernel:0"])
def test_a_layer_at_each_time_in_older_files(name, h5py, tmp_path):
    inner = {
        "class_name": "Dense",
        "config": {"name": "d", "use_bias": False, "activation": "relu", "dtype": "float32"},
    }
    layers = [
        {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 2, 1], "name": "x"}},
        {"class_name": "TimeDistributed", "config": {"name": "t", "trainable": True, "layer": inner}},
    ]
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": layers}})
        group = file.create_group("model_weights/t")
        group.attrs["weight_names"] = [name.encode()]
        group[name] = np.float32([[2, -1]])
    net = Network.from_file(tmp_path / "m.h5")
    assert net.widths == (4,) and net([3, -1]) == [6, 0, 0, 1]


@pytest.mark.parametrize(
    ("options", "arrays", "right"),
    [
        ({"axis": [-1]}, [np.float32([1, 2]), np.float32([4, 0]), np.int32(9)], [(3 - 1) / 2, (5 - 2) / 1e-7]),
        ({"axis": -1, "mean": [1, 2], "variance": [4, 9]}, [], [1, 1]),
        ({"axis": [1], "mean": 1, "variance": 16}, [], [0.5, 1]),
        ({"axis": None}, [np.float32(1), np.float32(16), np.int64(9)], [0.5, 1]),
        ({"axis": -1, "mean": [1, 2], "variance": [4, 9], "invert": True}, [], [7, 17]),
    ],
)
def test_a_normalisation_subtracts_and_divides_or_back(options, arrays, right, h5py, tmp_path):
    layers = [("Normalization", {"name": "n", **options}), ("ReLU", {"name": "r"})]
    groups = {"normalization": ("n", arrays)} if arrays else {}
    (tmp_path / "m.keras").write_bytes(file_of(h5py, layers, groups))
    net = Network.from_file(tmp_path / "m.keras")
    assert np.allclose([float(v) for v in net([3, 5])], right, rtol=1e-15)
    assert ["unless its epsilon is changed" in note for note in net.reading.notes] == [True] * (max(right) > 1e6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"axis": 0, "mean": 1, "variance": 2}, "axis 0 is not supported"),
        ({"axis": -1, "mean": [1, 2, 3], "variance": [1, 2, 3]}, r"a mean of shape \[3\] does not fit axis -1"),
        ({"axis": -1, "mean": [[1, 2]], "variance": [[1, 2]]}, r"a mean of shape \[1, 2\] does not fit axis -1"),
        ({"axis": -1, "mean": [1, 2], "variance": [[1], 2]}, "is no array|is not a number"),
        ({"axis": -1}, "0 weights are stored"),
        ({"axis": 5}, "there is no axis 5"),
    ],
)
def test_normalisations_that_do_not_fit_are_refused(options, words, h5py, tmp_path):
    layers = [("Normalization", {"name": "n", **options}), ("ReLU", {"name": "r"})]
    (tmp_path / "m.keras").write_bytes(file_of(h5py, layers, {}))
    with pytest.raises(InputError, match=rf"layer 'n' \(Normalization\): .*({words})"):
        Network.from_file(tmp_path / "m.keras")
