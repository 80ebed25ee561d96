"""Random models of Keras and scikit-learn."""

from __future__ import annotations

import random
import warnings
from typing import Any

import numpy as np

__all__ = ["estimator", "keras_model"]


# ---- Keras ------------------------------------------------------------------------------------------------------


def _activation(rng: random.Random, layers: Any) -> Any:
    return rng.choice(
        [
            layers.ReLU, layers.ReLU, lambda: layers.Activation("relu"), lambda: layers.ReLU(max_value=6.0),
            lambda: layers.ReLU(negative_slope=0.25), layers.LeakyReLU, lambda: layers.LeakyReLU(negative_slope=0.1),
            layers.PReLU, lambda: layers.Activation("relu6"), lambda: layers.Activation("leaky_relu"),
            lambda: layers.Activation("linear"),
        ]
    )()  # fmt: skip


def _within(rng: random.Random) -> str | None:
    return rng.choice(("relu", "relu", "relu", "relu6", "hard_tanh", "linear", None))


def _image_step(rng: random.Random, layers: Any, axes: int, c: int) -> Any:

    def of(name: str) -> Any:
        return getattr(layers, f"{name}{axes}D")

    act, k, pad = _within(rng), rng.randint(1, 3), rng.choice(("same", "valid"))
    steps = [
        *[lambda: of("Conv")(rng.randint(1, 4), k, strides=rng.randint(1, 2), padding=pad, activation=act)] * 3,
        lambda: of("Conv")(2, k, dilation_rate=2, padding=pad, use_bias=False),
        lambda: of("Conv")(2 * rng.randint(1, 2), k, groups=2) if c % 2 == 0 else layers.Dropout(0.1),
        lambda: getattr(layers, f"Conv{axes}DTranspose")(2, k, strides=rng.randint(1, 2), padding=pad, activation=act),
        lambda: of("DepthwiseConv")(k, strides=rng.randint(1, 2), padding=pad, activation=act),
        lambda: of("SeparableConv")(3, k, padding=pad, activation=act, depth_multiplier=rng.randint(1, 2)),
        lambda: of("MaxPooling")(2, strides=rng.choice((1, 2, None)), padding=pad),
        lambda: of("AveragePooling")(2, strides=rng.choice((1, 2, None)), padding=pad),
        lambda: of("ZeroPadding")(1),
        lambda: of("Cropping")(1),
        lambda: of("UpSampling")(2),
        lambda: of("UpSampling")(2, interpolation="bilinear") if axes == 2 else layers.Dropout(0.1),
        lambda: of("SpatialDropout")(0.1),
        lambda: layers.BatchNormalization(scale=rng.random() < 0.7, center=rng.random() < 0.7),
        lambda: layers.Dense(rng.randint(1, 3), activation=act),
        lambda: layers.Permute((2, 1, *range(3, axes + 2))),
        lambda: layers.Rescaling(0.5, 0.25),
    ]
    return rng.choice(steps)()


def _dense_step(rng: random.Random, layers: Any, n: int) -> Any:
    return rng.choice(
        [
            *[lambda: layers.Dense(rng.randint(1, 6), activation=_within(rng), use_bias=rng.random() < 0.7)] * 3,
            lambda: layers.BatchNormalization(scale=rng.random() < 0.7, center=rng.random() < 0.7),
            lambda: layers.Dropout(0.2),
            lambda: layers.GaussianNoise(0.5),
            lambda: layers.Rescaling(0.5, 0.25),
            lambda: layers.Reshape((n, 1)),
            lambda: layers.RepeatVector(2),
            lambda: layers.ActivityRegularization(0.1),
        ]
    )()


def _normalisation(rng: random.Random, layers: Any, shape: tuple[int, ...]) -> Any:
    """Adapted or with numbers of its own, along one axis, several or none."""
    axes = [axis for axis in range(1, len(shape)) if rng.random() < 0.6]
    axis = rng.choice((-1, axes, None if len(axes) != 1 else axes[0]))
    sizes = [shape[a] for a in ([-1] if axis == -1 else axis if isinstance(axis, list) else [axis] if axis else [])]
    given: dict[str, Any] = {"axis": axis, "invert": rng.random() < 0.3}
    values = np.random.default_rng(rng.randint(0, 10**6))
    if rng.random() < 0.5:
        own = rng.choice((sizes, sizes[1:], []))
        given |= {"mean": values.normal(size=own).tolist(), "variance": (values.uniform(size=own) + 0.1).tolist()}
    return layers.Normalization(**given)


def _over_time(rng: random.Random, keras: Any, x: Any) -> Any:
    if len(x.shape) < 3:
        return x
    layers, act = keras.layers, _within(rng)
    inner = [lambda: layers.Dense(rng.randint(1, 3), activation=act), layers.BatchNormalization, layers.ReLU]
    inner += [layers.PReLU, layers.Flatten, lambda: layers.Activation("relu6"), lambda: layers.LeakyReLU(0.25)]
    if len(x.shape) == 4:
        inner += [layers.GlobalMaxPooling1D, lambda: layers.Conv1D(2, 2, padding="same", activation=act)]
        inner.append(lambda: layers.MaxPooling1D(2, padding="same"))
    return layers.TimeDistributed(rng.choice(inner)())(x)


def _function(rng: random.Random, keras: Any, x: Any) -> Any:
    """Something of ``keras.ops``, with constants too."""
    ops, n = keras.ops, x.shape[-1]
    row = np.random.default_rng(rng.randint(0, 10**6)).normal(size=n).astype(np.float32)
    number, axis = rng.choice((0.5, -1.25, 2, 0)), rng.randint(1, len(x.shape) - 1)
    return rng.choice(
        [
            lambda: ops.clip(x, -0.5, 1.5), lambda: ops.relu6(x), lambda: ops.abs(x),
            lambda: ops.maximum(x, number), lambda: ops.maximum(row, x), lambda: ops.minimum(x, row), lambda: -x,
            lambda: ops.minimum(number, x), lambda: x + row, lambda: x - number, lambda: number - x,
            lambda: ops.subtract(row, x),
            lambda: x * row, lambda: 0.3 * x, lambda: x / 3.0, lambda: x / (abs(row) + 1), lambda: ops.relu(x),
            lambda: ops.leaky_relu(x, 0.1), lambda: ops.hard_sigmoid(x), lambda: ops.hard_tanh(x),
            lambda: ops.soft_shrink(x, 0.25), lambda: ops.mean(x, axis=axis, keepdims=True),
            lambda: ops.sum(x, axis=-1, keepdims=True), lambda: ops.max(x, axis=axis, keepdims=True),
            lambda: ops.min(x, axis=axis, keepdims=True), lambda: ops.flip(x, axis=axis),
            lambda: ops.repeat(x, 2, axis=axis), lambda: ops.concatenate([x, ops.relu(x)], axis=axis),
            lambda: ops.matmul(x, np.outer(row, row[:2])), lambda: x[..., ::2],
            lambda: x[:, : max(1, x.shape[1] // 2)], lambda: ops.reshape(x, (-1, *x.shape[:0:-1])),
            lambda: ops.squeeze(ops.expand_dims(x, axis), axis=axis), lambda: ops.swapaxes(x, axis, -1),
            lambda: ops.max(ops.stack([x, -x, x * 0.5], axis=axis), axis=axis), lambda: ops.maximum(x, x[:, :1]),
            lambda: ops.transpose(x, (0, *range(len(x.shape) - 1, 0, -1))),
            lambda: keras.activations.relu(x, max_value=2.0), lambda: ops.moveaxis(x, 1, -1),
        ]
    )()  # fmt: skip


def _joined(rng: random.Random, layers: Any, x: Any, around: Any) -> Any:
    """Two values, of one shape or not, in one."""
    if x.shape == around.shape:
        merge = rng.choice((layers.Add, layers.Subtract, layers.Average, layers.Maximum, layers.Minimum))
        return merge()([x, around])
    if x.shape[:-1] == around.shape[:-1]:
        return layers.Concatenate()([x, around])
    return x


def keras_model(seed: int) -> tuple[Any, bool]:
    """A model, sequential or functional, and whether it ends in a softmax."""
    import keras

    layers, rng = keras.layers, random.Random(seed)
    if rng.random() < 0.5:
        keras.backend.clear_session()  # names begin anew
    keras.utils.set_random_seed(seed)
    axes = rng.choice((0, 0, 1, 2, 2, 2))
    shape = (*(rng.randint(4, 7) for _ in range(axes)), rng.randint(1, 4))
    x = given = keras.Input(shape)
    sequential, steps = rng.random() < 0.5, [given]
    tied = None
    for _ in range(rng.randint(1, 4)):
        before = x
        step = _image_step(rng, layers, axes, x.shape[-1]) if axes else _dense_step(rng, layers, x.shape[-1])
        try:
            x = step(x)
        except (ValueError, RuntimeError):  # sizes that do not fit
            continue
        if int(np.prod(x.shape[1:])) > 400 or min(x.shape[1:]) < 1:
            x = before
            continue
        act = _activation(rng, layers)
        x = act(x)
        steps += [step, act]
        steps += [_normalisation(rng, layers, x.shape)] if rng.random() < 0.2 else []
        x = steps[-1](x) if steps[-1] is not act else x
        if not sequential:
            x = _functions(rng, keras, x, axes > 0)
            if rng.random() < 0.4:
                x = _joined(rng, layers, x, before)
            if not axes and rng.random() < 0.3:
                tied = layers.Dense(x.shape[-1], activation="relu")
                x = tied(tied(x))
            if not axes and rng.random() < 0.3:
                inner = [layers.Dense(3, activation="relu"), layers.BatchNormalization(), layers.Dense(2)]
                if rng.random() < 0.3:
                    inner.append(keras.Sequential([keras.Input((*x.shape[1:-1], 2)), layers.Dense(3, "relu")]))
                x = keras.Sequential([keras.Input(x.shape[1:]), *inner])(x)
    if not axes and len(x.shape) > 2:
        steps.append(layers.Flatten())
        x = steps[-1](x)
    elif axes:
        pools = [getattr(layers, f"Global{kind}Pooling{axes}D") for kind in ("Average", "Max")]
        last = rng.choice((layers.Flatten, layers.Flatten, lambda: layers.Reshape((-1,)), *pools))()
        x = last(x)
        steps.append(last)
    ends = rng.random() < 0.3
    last = [layers.Dense(3, activation="relu"), layers.Dense(2, activation="softmax" if ends else None)]
    for layer in last:
        x = layer(x)
    model = keras.Sequential([*steps, *last]) if sequential else keras.Model(given, x)
    _weighted(model, layers, seed)
    return model, ends


def _functions(rng: random.Random, keras: Any, x: Any, images: bool) -> Any:
    """Perhaps a function of a value, and a layer at each time; of images, if images come out."""
    for add in (_function, _over_time):
        if rng.random() < 0.4:
            found = add(rng, keras, x)
            x = x if images and len(found.shape) != len(x.shape) else found
    return x


def _weighted(model: Any, layers: Any, seed: int) -> None:
    values = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.dtype.startswith("float"):
            value = values.normal(size=weight.shape)
            weight.assign(np.abs(value) + 0.5 if "variance" in weight.path else value)
    for layer in model.layers:
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()


# ---- scikit-learn -----------------------------------------------------------------------------------------------


def estimator(seed: int) -> tuple[Any, np.ndarray]:
    """A fitted perceptron, alone or at the end of a pipeline, and a point for it (float64, of a few bits)."""
    from sklearn.decomposition import PCA, TruncatedSVD
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

    rng, values = random.Random(seed), np.random.default_rng(seed)
    inputs = rng.randint(2, 5)
    data = values.normal(size=(30, inputs)) * values.uniform(0.1, 9, inputs) + values.normal(size=inputs)
    sizes = tuple(rng.randint(2, 6) for _ in range(rng.randint(1, 3)))
    if rng.random() < 0.5:
        last = MLPRegressor(hidden_layer_sizes=sizes, max_iter=5, random_state=seed)
        target = data[:, : rng.randint(1, 2)] * 2
        target = target.ravel() if target.shape[1] == 1 else target
    else:
        last = MLPClassifier(hidden_layer_sizes=sizes, max_iter=5, random_state=seed)
        target = values.integers(0, rng.randint(2, 4), 30)
        target[:4] = [0, 1, 0, 1]
    before = rng.choice(
        (
            [], [], [StandardScaler()], [StandardScaler(with_mean=False)], [MinMaxScaler((-1, 2))], [RobustScaler()],
            [MaxAbsScaler()], [MaxAbsScaler(), PCA(2)], [TruncatedSVD(1)], [StandardScaler(), MinMaxScaler()],
        )
    )  # fmt: skip
    model = make_pipeline(*before, last) if before else last
    if before and rng.random() < 0.3:  # a pipeline in a pipeline
        model = make_pipeline(make_pipeline(*before), last)
    elif before and rng.random() < 0.2:
        model = Pipeline([*model.steps[:-1], ("rest", "passthrough"), ("last", last)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(data, target)
    return model, np.round(data[0] * 64) / 64
