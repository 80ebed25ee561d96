"""Pipelines of scikit-learn: steps side by side, of chosen columns, before and after a perceptron."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from geomrelu import InputError, Network, as_network, decide

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn import compose, decomposition, feature_selection, impute, preprocessing
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

RNG = np.random.default_rng(3)
DATA = RNG.normal(size=(40, 4)) * [1, 5, 0.2, 3] + [0, 2, 1, -4]
TARGET = DATA @ [1, -1, 2, 0.5]
POINTS = np.vstack([DATA[:2], DATA[2:5] * 4])


def perceptron(kind=MLPRegressor):
    return kind(hidden_layer_sizes=(4, 3), max_iter=5, random_state=0)


def fitted(*steps, target=TARGET, kind=MLPRegressor, data=DATA):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make_pipeline(*steps, perceptron(kind)).fit(data, target)


def agree(model, points=POINTS, given=None):
    """The network gives out what scikit-learn predicts."""
    net = as_network(model)
    found = [[float(v) for v in net(point)] for point in points.tolist()]
    assert np.allclose(np.squeeze(found), model.predict(points if given is None else given), rtol=1e-9, atol=1e-9)
    return net


COLUMNS = [
    [2, 0], [-1, 1], np.array([3, 0]), slice(1, 3), slice(0, None, 2), slice(-2, None), [True, False, False, True],
    np.array([False, True, True, False]), lambda given: [1, 2],
]  # fmt: skip


@pytest.mark.parametrize("chosen", COLUMNS)
@pytest.mark.parametrize("remainder", ["drop", "passthrough", preprocessing.RobustScaler()])
def test_columns_are_those_that_a_column_transformer_takes(chosen, remainder):
    parts = [("b", preprocessing.StandardScaler(), chosen), ("a", preprocessing.MinMaxScaler((-1, 2)), [3, 1, 0])]
    agree(fitted(compose.ColumnTransformer([*parts, ("none", "passthrough", [])], remainder=remainder)))
    agree(fitted(compose.ColumnTransformer([("no", "drop", chosen), *parts], transformer_weights={"a": -0.5})))
    rest = compose.make_column_transformer((preprocessing.MaxAbsScaler(), chosen), remainder=remainder)
    agree(fitted(preprocessing.StandardScaler(), rest, decomposition.PCA(2)))


@pytest.mark.parametrize("chosen", [["d", "b"], slice("b", "c"), "x"])
def test_columns_with_names(chosen):
    """In a stand-in for a frame of data that needs no library of frames: what fitting leaves behind."""
    parts = [("s", preprocessing.StandardScaler(), [3, 1] if chosen == ["d", "b"] else [1, 2])]
    model = fitted(compose.ColumnTransformer(parts, remainder="passthrough"))
    right = agree(model)
    columns = model.steps[0][1]
    (_, scaler, _), (_, rest, _) = columns.transformers_
    columns.transformers_ = [("s", scaler, chosen), ("remainder", rest, [k in (0, 2) for k in range(4)])]
    if chosen != ["d", "b"]:
        columns.transformers_[1] = ("remainder", rest, ["a", "d"])
    with pytest.raises(InputError, match=r"'columntransformer' \(.*\): which column is called '\w' is not known"):
        as_network(model)
    columns.feature_names_in_ = np.array(["a", "b", "c", "d"], dtype=object)
    if chosen == "x":
        with pytest.raises(InputError, match="which column is called 'x' is not known"):
            as_network(model)
    else:
        net = as_network(model)
        assert net == right and "the inputs are, in this order: a, b, c, d" in net.reading.notes


def test_frames_of_data():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(DATA, columns=["age", "b", "income", "d"])
    parts = [("s", preprocessing.StandardScaler(), ["income", "age"]), ("m", preprocessing.MaxAbsScaler(), ["b"])]
    for remainder in ("drop", "passthrough"):
        model = fitted(compose.ColumnTransformer(parts, remainder=remainder), data=frame)
        net = agree(model, given=pandas.DataFrame(POINTS, columns=frame.columns))
        assert "the inputs are, in this order: age, b, income, d" in net.reading.notes


STEPS = [
    preprocessing.FunctionTransformer(), preprocessing.PolynomialFeatures(1), impute.SimpleImputer(),
    preprocessing.PolynomialFeatures(1, include_bias=False), feature_selection.VarianceThreshold(0.5),
    feature_selection.SelectKBest(feature_selection.f_regression, k=2), decomposition.PCA(3, whiten=True),
    decomposition.IncrementalPCA(2), decomposition.FastICA(2, random_state=0), decomposition.TruncatedSVD(2),
    Pipeline([("a", "passthrough"), ("b", preprocessing.StandardScaler()), ("c", None)]),
    FeatureUnion([("a", preprocessing.StandardScaler()), ("b", "passthrough"), ("c", "drop")]),
    FeatureUnion([("a", decomposition.PCA(1)), ("b", preprocessing.MinMaxScaler(clip=True))],
                 transformer_weights={"b": 3}),
]  # fmt: skip


@pytest.mark.parametrize("step", STEPS, ids=lambda step: type(step).__name__)
def test_steps_compute_what_they_compute_in_scikit_learn(step):
    agree(fitted(step))
    agree(fitted(preprocessing.StandardScaler(), step, "passthrough"))
    chosen = compose.ColumnTransformer([("first", preprocessing.RobustScaler(), [3]), ("step", step, [1, 0, 3])])
    agree(fitted(chosen))


def test_a_scaler_that_clips_makes_neurons_that_are_not_judged():
    model = fitted(preprocessing.MinMaxScaler((0, 1), clip=True))
    net = agree(model)
    assert [(layer.kind, layer.own) for layer in net.reading.layers] == [
        ("clip", False), ("upper bound", False), ("ReLU", True), ("ReLU", True),
    ]  # fmt: skip
    assert decide(model, (-1, 1), time=5)
    assert net.reading.judged == [3, 4]


def test_imputers_pass_numbers():
    holed = DATA.copy()
    holed[::5, 1] = np.nan
    holed[::7, 3] = np.nan
    holed[:, 2] = np.nan
    for options in ({}, {"keep_empty_features": True}, {"add_indicator": True}, {"strategy": "median"}):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = fitted(impute.SimpleImputer(**options), preprocessing.StandardScaler(), data=holed)
            net = agree(model)
        assert any("missing values are no inputs here" in note for note in net.reading.notes)
    with pytest.raises(
        InputError, match=r"'simpleimputer' \(SimpleImputer\): it replaces the number -1, so that it is"
    ):
        as_network(fitted(impute.SimpleImputer(missing_values=-1)))


def test_what_finds_a_network_and_what_scales_its_targets():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = make_pipeline(preprocessing.StandardScaler(), perceptron())
        agree(GridSearchCV(pipeline, {"mlpregressor__alpha": [0.1, 1]}, cv=2).fit(DATA, TARGET))
        for scaler in (None, preprocessing.StandardScaler(), preprocessing.MinMaxScaler((-1, 3), clip=True)):
            model = compose.TransformedTargetRegressor(pipeline, transformer=scaler).fit(DATA, TARGET)
            assert not agree(model).reading.left
            agree(make_pipeline(preprocessing.MaxAbsScaler(), model).fit(DATA, TARGET))
        model = compose.TransformedTargetRegressor(pipeline, func=np.exp, inverse_func=np.log, check_inverse=False)
        net = as_network(model.fit(DATA, TARGET / 10))
        assert net.reading.left == ("the inverse of FunctionTransformer of the outputs",)
        assert np.allclose([float(v) for v in net(DATA[0])], model.regressor_.predict(DATA[:1]))
    with pytest.raises(InputError, match="TransformedTargetRegressor: it is not fitted"):
        as_network(compose.TransformedTargetRegressor(pipeline))


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (preprocessing.OneHotEncoder(handle_unknown="ignore"), "it is not supported, as it is not affine or not known"),
        (preprocessing.QuantileTransformer(n_quantiles=10), "it is not supported"),
        (preprocessing.Normalizer(), "it is not supported"),
        (preprocessing.KBinsDiscretizer(3, strategy="uniform"), "it is not supported"),
        (preprocessing.FunctionTransformer(np.tanh), "it is not supported"),
        (preprocessing.PolynomialFeatures(2), "its products of columns are not affine"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_affine_is_refused_by_name(step, words):
    name = type(step).__name__
    columns = compose.ColumnTransformer([("cat", step, [0, 1])], remainder="passthrough")
    for model, where in (
        (fitted(step), f"^step '{name.lower()}' "),
        (fitted(preprocessing.StandardScaler(), columns),
         r"^step 'columntransformer' \(ColumnTransformer\): step 'cat' "),
        (fitted(FeatureUnion([("u", step)])), r"^step 'featureunion' \(FeatureUnion\): step 'u' "),
    ):  # fmt: skip
        with pytest.raises(InputError, match=rf"{where}\({name}\): {words}.*can be given alone$"):
            as_network(model)
        assert as_network(model[-1]).inputs == model[-1].n_features_in_


def test_what_is_not_fitted_or_does_not_fit_is_refused():
    classifier = fitted(target=TARGET > 0, kind=MLPClassifier)[-1]
    for step in (
        compose.ColumnTransformer([("s", "passthrough", [0])]),
        impute.SimpleImputer(),
        FeatureUnion([("a", preprocessing.StandardScaler())]),
    ):
        with pytest.raises(InputError, match=r"it is not fitted$"):
            as_network(Pipeline([("x", step), ("last", classifier)]))
    narrow = compose.ColumnTransformer([("s", "passthrough", [0])]).fit(DATA)
    with pytest.raises(InputError, match=r"^layer 1: a map on R\^4 cannot follow one into R\^1"):
        as_network(Pipeline([("x", narrow), ("last", classifier)]))
    nothing = compose.ColumnTransformer([("s", "drop", [0])]).fit(DATA)
    with pytest.raises(InputError, match=r"^layer 1: a map on R\^4 cannot follow one into R\^0"):
        as_network(Pipeline([("x", nothing), ("last", classifier)]))
    wide = Pipeline([("a", preprocessing.StandardScaler().fit(DATA[:, :2])), ("x", narrow), ("last", classifier)])
    with pytest.raises(InputError, match=r"step 'x' \(ColumnTransformer\): it reads 4 columns, but 2 come before it"):
        as_network(wide)
    own = type("ColumnTransformer", (compose.ColumnTransformer,), {})([("s", "passthrough", [0, 1, 2, 3])]).fit(DATA)
    with pytest.raises(InputError, match=r"\(.*ColumnTransformer\): it is not supported"):
        Network.from_sklearn(Pipeline([("x", own), ("last", classifier)]))
