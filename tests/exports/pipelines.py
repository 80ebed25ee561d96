"""Random pipelines of scikit-learn: steps in steps, side by side, of chosen columns, before a perceptron."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["pipeline"]


class _Maker:
    """Makes fitted steps, one for the data that the step before it gives out."""

    def __init__(self, seed: int) -> None:
        self.rng, self.seed = random.Random(seed), seed
        self.target = np.random.default_rng(seed).normal(size=30)

    def step(self, data: Any, depth: int = 2) -> Any:
        """A fitted step that reads these columns, or a word for one."""
        rng = self.rng
        if depth and rng.random() < 0.5:
            return rng.choice((self.columns, self.union, self.pipeline))(data, depth - 1)
        return self.fitted(rng.choice((*[self.scaler] * 4, self.imputer, self.selector, self.projection))(data), data)

    def fitted(self, step: Any, data: Any) -> Any:
        return step if isinstance(step, str) else step.fit(data, self.target)

    def scaler(self, data: Any) -> Any:
        from sklearn import preprocessing as p

        flags = [self.rng.random() < 0.7 for _ in range(2)]
        return self.rng.choice((
            lambda: p.StandardScaler(with_mean=flags[0], with_std=flags[1]),
            lambda: p.MinMaxScaler((-1, 2), clip=flags[0]),
            lambda: p.MinMaxScaler(clip=flags[0]),
            lambda: p.RobustScaler(with_centering=flags[0], with_scaling=flags[1], unit_variance=flags[0]),
            p.MaxAbsScaler,
            p.FunctionTransformer,
            lambda: p.PolynomialFeatures(1, include_bias=flags[0]),
            lambda: "passthrough",
        ))()  # fmt: skip

    def imputer(self, data: Any) -> Any:
        from sklearn.impute import SimpleImputer

        how = self.rng.choice(("mean", "median", "most_frequent", "constant"))
        return SimpleImputer(
            strategy=how,
            add_indicator=self.rng.random() < 0.3,
            keep_empty_features=self.rng.random() < 0.3,
            missing_values=np.nan,
        )

    def selector(self, data: Any) -> Any:
        from sklearn import feature_selection as f
        from sklearn.linear_model import Ridge

        n = data.shape[1]
        return self.rng.choice((
            lambda: f.SelectKBest(f.f_regression, k=self.rng.randint(1, n)),
            f.VarianceThreshold,
            lambda: f.SelectPercentile(f.f_regression, percentile=60),
            lambda: f.SelectFromModel(Ridge()),
            lambda: f.RFE(Ridge(), n_features_to_select=self.rng.randint(1, n)),
        ))()  # fmt: skip

    def projection(self, data: Any) -> Any:
        from sklearn import decomposition as d
        from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection

        centred = np.asarray(data) - np.asarray(data).mean(axis=0)
        most = np.linalg.matrix_rank(centred, 1e-9)  # beyond, components are noise, which a scaler may blow up
        if not most:
            return "passthrough"
        n, seed = self.rng.randint(1, most), self.seed
        return self.rng.choice((
            lambda: d.PCA(n, whiten=self.rng.random() < 0.3),
            lambda: d.IncrementalPCA(n, whiten=self.rng.random() < 0.3),
            lambda: d.TruncatedSVD(n, algorithm="arpack") if n < data.shape[1] else "passthrough",
            lambda: d.FastICA(n, random_state=seed),
            lambda: GaussianRandomProjection(n, random_state=seed),
            lambda: SparseRandomProjection(n, random_state=seed),
        ))()  # fmt: skip

    def chosen(self, data: Any) -> Any:
        """Columns in one of the ways in which they may be said."""
        rng, n = self.rng, data.shape[1]
        some = rng.sample(range(n), rng.randint(0 if n > 1 else 1, n))
        first, last = sorted((rng.randint(0, n - 1), rng.randint(0, n - 1)))
        ways: list[Callable[[], Any]] = [
            lambda: some,
            lambda: np.array(some, dtype=int),
            lambda: [k - n for k in some],
            lambda: [k in some for k in range(n)],
            lambda: np.array([k in some for k in range(n)]),
            lambda: slice(first, last + 1),
            lambda: slice(-n + first, None, rng.choice((1, 2))),
            lambda: lambda given: some,
        ]
        if hasattr(data, "columns"):
            names = list(data.columns)
            named: list[Callable[[], Any]] = [
                lambda: [names[k] for k in some],
                lambda: slice(names[first], names[last]),
                lambda: data.columns[some],
            ]
            ways += named * 3
        return rng.choice(ways)()

    def columns(self, data: Any, depth: int) -> Any:
        from sklearn.compose import ColumnTransformer

        rng, names = self.rng, ["a", "b", "c"]
        parts = []
        for name in rng.sample(names, rng.randint(1, 3)):
            chosen = self.chosen(data)
            parts.append((name, self.unfitted(data, chosen, depth), chosen))
        remainder = rng.choice(("drop", "passthrough", self.scaler(data)))
        weights = {parts[0][0]: 2.5} if rng.random() < 0.3 else None
        return ColumnTransformer(parts, remainder=remainder, transformer_weights=weights).fit(data, self.target)

    def unfitted(self, data: Any, chosen: Any, depth: int) -> Any:
        """A part of a column transformer, which clones and fits it."""
        from sklearn.base import clone
        from sklearn.compose import ColumnTransformer

        picked = ColumnTransformer([("x", "passthrough", chosen)]).fit_transform(data)
        if not picked.shape[1] or self.rng.random() < 0.3:
            return self.rng.choice(("drop", "passthrough", "passthrough"))
        made = self.step(picked, depth)
        return made if isinstance(made, str) else clone(made)

    def union(self, data: Any, depth: int) -> Any:
        from sklearn.pipeline import FeatureUnion

        names = ["u", "v", "w"][: self.rng.randint(1, 3)]
        parts = [(name, self.step(data, depth)) for name in names]
        weights = {"u": -0.75} if self.rng.random() < 0.3 else None
        if self.rng.random() < 0.2:
            parts.append(("gone", "drop"))
        return FeatureUnion(parts, transformer_weights=weights).fit(data, self.target)

    def pipeline(self, data: Any, depth: int) -> Any:
        from sklearn.pipeline import Pipeline

        steps = []
        for k in range(self.rng.randint(1, 2)):
            steps.append((f"s{k}", self.step(data, depth)))
            data = data if isinstance(steps[-1][1], str) else steps[-1][1].transform(data)
        return Pipeline(steps)


def pipeline(seed: int) -> tuple[Any, np.ndarray, list[str]]:
    """A fitted pipeline that ends with a perceptron, whatever finds it or scales its targets; points for it, and the
    names of their columns, if it knows them.
    """
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.model_selection import GridSearchCV
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    maker, values = _Maker(seed), np.random.default_rng(seed)
    rng, size = maker.rng, maker.rng.randint(2, 6)
    data: Any = values.normal(size=(30, size)) * values.uniform(0.1, 9, size) + values.normal(size=size)
    points = np.round(np.vstack([data[:2], data[2:4] * 3]) * 64) / 64
    maker.target = data @ values.normal(size=size) + values.normal(size=30) * 0.1
    names: list[str] = []
    if rng.random() < 0.4:
        try:
            import pandas

            names = rng.sample(list("abcdefgh"), size)
            data = pandas.DataFrame(data, columns=names)
        except ImportError:
            pass
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        steps, given = [], data
        if rng.random() < 0.3:
            steps.append(("fill", maker.imputer(data).fit(_with_holes(data, values))))
            given = steps[-1][1].transform(data)
        for k in range(rng.randint(1, 3)):
            steps.append((f"step{k}", maker.step(given)))
            given = given if isinstance(steps[-1][1], str) else steps[-1][1].transform(given)
        sizes = tuple(rng.randint(2, 6) for _ in range(rng.randint(1, 2)))
        options = {"hidden_layer_sizes": sizes, "max_iter": 5, "random_state": seed}
        if rng.random() < 0.3:
            last = MLPClassifier(**options).fit(given, maker.target > np.median(maker.target))
            return Pipeline([*steps, ("last", last)]), points, names
        regressor: Any = MLPRegressor(**options)
        if rng.random() < 0.2:
            regressor = GridSearchCV(regressor, {"alpha": [0.1, 1.0]}, cv=2)
        if rng.random() < 0.3:
            regressor = TransformedTargetRegressor(regressor, transformer=rng.choice((None, StandardScaler())))
        return Pipeline([*steps, ("last", regressor.fit(given, maker.target))]), points, names


def _with_holes(data: Any, values: np.random.Generator) -> Any:
    holed = data.copy()
    empty = np.broadcast_to(values.uniform(size=data.shape[1]) < 0.2, data.shape)
    where = (values.uniform(size=data.shape) < 0.2) | (empty if not empty.all() else False)
    if hasattr(holed, "columns"):
        return holed.mask(where)
    holed[where] = np.nan
    return holed
