# %% [markdown]
# # A dead network stays constant, whatever it is trained on
#
# **Notation.** $F(x) = W_L h_{L-1}(x) + b_L$, $h_l = \max(z_l, 0)$, $z_l = W_l h_{l-1} + b_l$, $h_0(x) = x$, on a set
# $D$ that contains the training inputs $x_1, \dots, x_M$; the targets are $y_i$. The loss is
# $\mathcal L = \sum_i \ell(F(x_i), y_i)$ and its gradient is that of backpropagation, where the derivative of
# $\max(z, 0)$ is 1 for $z > 0$ and 0 for $z \le 0$. A *gradient method* changes a parameter as a function of the past
# partial derivatives for that parameter, and leaves it alone as long as they have all been 0: gradient descent, with
# momentum, Adam, on all data or on batches.
#
# **Statement.** Let hidden layer $l$ be dead on $D$, $z_l \le 0$. Then:
#
# 1. For every loss the partial derivatives for $W_1, b_1, \dots, W_l, b_l$ and for $W_{l+1}$ are 0. If $l = L - 1$, all
#    partial derivatives but those for $b_L$ are.
# 2. Under every gradient method layer $l$ stays dead on $D$, and $F$ stays constant on $D$ for ever.
# 3. Where training comes to rest (gradient 0 on all data), and if $\ell$ is convex in $F$, the constant minimises
#    $\sum_i \ell(c, y_i)$: it is the mean of the targets for the squared error, and a median for the absolute error.
#
# If $l < L - 1$, the biases $b_{l+1}, \dots, b_L$ and the weights $W_{l+2}, \dots, W_L$ can have derivatives other than
# 0 and can move, but all they do is to move the constant.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import median

import sympy

from geomrelu.claims.registry import Claim

claim = Claim(
    label="dead-stays-constant",
    title="A dead network stays constant",
    statement="a network with a dead hidden layer stays constant under every gradient method; at rest it is the mean "
    "(squared error) or a median (absolute error) of the targets",
    latex=r"\mathcal N^L(x; \theta^*) = \operatorname{argmin}_c \textstyle\sum_i \ell(c, f(x_i))",
    source="Lu, Shin, Su & Karniadakis, theorem 2",
    hypotheses=(
        "a hidden layer is dead on D, which holds the training inputs",
        "a parameter moves only by its own partial derivatives (no weight decay)",
        "slope 0 below 0",
        "at rest: loss convex in the output",
    ),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (what backpropagation does).** For a training input $x$ let $\delta_k$ be the derivative of $\ell$ for
# $z_k$ (with $z_L = F$), and $\sigma_k$ the diagonal matrix of the activities of layer $k$, which are 0 or 1. Then
# $$\frac{\partial \ell}{\partial W_k} = \delta_k h_{k-1}^T, \qquad \frac{\partial \ell}{\partial b_k} = \delta_k,
#   \qquad \delta_{k-1} = \sigma_{k-1} W_k^T \delta_k.$$
# Layer $l$ is dead at $x$: $h_l = 0$ and $\sigma_l = 0$. From $\sigma_l = 0$: $\delta_l = 0$, hence $\delta_k = 0$ for
# $k \le l$, and the derivatives for $W_k$, $b_k$, $k \le l$, are 0. From $h_l = 0$: the derivative for $W_{l+1}$ is 0.
# If $l + 1 = L$, only $b_L$ is left. This is so at each $x_i$, so for the sum too, and for a sum over a batch.
#
# **Step 2 (induction over the steps of training).** Let layer $l$ be dead on $D$ up to some step, and the layers
# $1, \dots, l$ be as at the beginning. Then all derivatives for them have been 0, by Step 1, so they are not changed;
# $z_l$ on $D$ depends on them alone, so layer $l$ is dead on $D$ after the step. $F$ is a function of $h_l = 0$ on $D$,
# hence constant there.
#
# **Step 3 (at rest; each output by itself).** All $F(x_i)$ are one constant $c$, and $\partial F / \partial b_L$ is the
# identity. So the derivative for $b_L$ is $\sum_i \ell'(c, y_i)$, the derivative of $g(c) = \sum_i \ell(c, y_i)$. At
# rest it is 0 (or 0 is a subgradient), and $g$ is convex: $c$ minimises $g$. For $\ell = |c - y|^2$,
# $g'(c) = 2 (M c - \sum_i y_i)$ is 0 at the mean. For $\ell = |c - y|$, $g$ has the slope
# $\#\{y_i < c\} - \#\{y_i > c\}$, and 0 lies between the slopes to the left and to the right of $c$ exactly if $c$ is a
# median. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    # Step 1: four layers (three hidden) with every parameter a symbol, every other activity 0 or 1 as a symbol
    for dead in (1, 2, 3):
        output, layers, x = _killed(dead)
        target = sympy.Symbol("y")
        for k, (weights, bias) in enumerate(layers, 1):
            still = [*weights, *bias] if k <= dead else [*weights] if k == dead + 1 else []
            for parameter in still:
                yield sympy.diff((output - target) ** 2, parameter), sympy.Integer(0)
        yield f"layer {dead} dead: slope in x", output.diff(x), sympy.Integer(0)
        yield f"layer {dead} dead: for the last bias", output.diff(layers[-1][1][0]), sympy.Integer(1)
    # Step 3: the optimum for the squared error, and how gradient descent gets there
    c, rate = sympy.symbols("c eta")
    for size in (1, 2, 5):
        targets = sympy.symbols(f"y:{size}", real=True)
        loss = sum((c - y) ** 2 for y in targets) / size
        mean = sum(targets) / size
        yield f"{size} targets: the optimum", sympy.solve(loss.diff(c), c)[0], mean
        yield c - rate * loss.diff(c) - mean, (1 - 2 * rate) * (c - mean)
    # the absolute error of three targets y1 <= y2 <= y3 is |c - y2| more than y3 - y1 between y1 and y3
    low, first, second = sympy.symbols("y1 d1 d2", positive=True)
    share = sympy.Symbol("t", positive=True)  # c = y1 + t with t <= d1 + d2
    inside = share + sympy.Abs(share - first) + (first + second - share)
    yield "absolute error", inside, (low + first + second) - low + sympy.Abs(low + share - (low + first))


def _killed(dead: int) -> tuple[sympy.Expr, list[tuple[sympy.Matrix, sympy.Matrix]], sympy.Symbol]:
    """Output of 1-2-2-2-1 with one hidden layer silent, the layers, and the input."""
    x = sympy.Symbol("x")
    value, layers = sympy.Matrix([x]), []
    for k, (n, m) in enumerate(pairwise((1, 2, 2, 2, 1)), 1):
        weights = sympy.Matrix(m, n, lambda i, j, k=k: sympy.Symbol(f"w{k}{i}{j}"))
        bias = sympy.Matrix(m, 1, lambda i, j, k=k: sympy.Symbol(f"b{k}{i}"))
        layers.append((weights, bias))
        value = weights * value + bias
        if k < 4:
            value = sympy.diag(*(0 if k == dead else sympy.Symbol(f"s{k}{i}") for i in range(m))) * value
    return sympy.expand(value[0]), layers, x


# %% [markdown]
# ## Enumeration
#
# Exact training, in fractions: networks with random parameters, one layer of which is made dead on nine points (its
# biases are lowered by as much as it takes, or a little more) while six of them are trained on. After every step: what
# must not move has not moved, and the outputs at all nine points are the same number. By gradient descent and with
# momentum.

# %%
Layers = list[tuple[list[list[Fraction]], list[Fraction]]]
RATE, MOMENTUM = Fraction(1, 7), Fraction(1, 2)


def forward(layers: Layers, x: Sequence[Fraction]) -> list[list[Fraction]]:
    """Pre-activations of all layers."""
    found, value = [], list(x)
    for weights, bias in layers:
        z = [b + sum(w * v for w, v in zip(row, value, strict=True)) for row, b in zip(weights, bias, strict=True)]
        found.append(z)
        value = [max(v, Fraction(0)) for v in z]
    return found


def gradient(layers: Layers, data: list[list[Fraction]], targets: list[Fraction], loss: str) -> Layers:
    """Of the mean loss, by backpropagation (Step 1). Absolute error: the sign, 0 at 0."""
    total = zeros(layers)
    for x, y in zip(data, targets, strict=True):
        zs = forward(layers, x)
        error = zs[-1][0] - y
        delta = [2 * error if loss == "squared" else Fraction((error > 0) - (error < 0))]
        for k in range(len(layers) - 1, -1, -1):
            below = [max(v, Fraction(0)) for v in zs[k - 1]] if k else x
            for i, d in enumerate(delta):
                total[k][1][i] += d / len(data)
                for j, v in enumerate(below):
                    total[k][0][i][j] += d * v / len(data)
            if k:
                weights = layers[k][0]
                delta = [
                    sum((row[j] * d for row, d in zip(weights, delta, strict=True)), Fraction(0)) * (z > 0)
                    for j, z in enumerate(zs[k - 1])
                ]
    return total


def zeros(layers: Layers) -> Layers:
    return [([[Fraction(0)] * len(row) for row in weights], [Fraction(0)] * len(bias)) for weights, bias in layers]


def combined(one: Layers, factor: Fraction, other: Layers) -> Layers:
    """one + factor * other"""
    return [
        (
            [[a + factor * b for a, b in zip(r, s, strict=True)] for r, s in zip(w, v, strict=True)],
            [a + factor * b for a, b in zip(c, d, strict=True)],
        )
        for (w, c), (v, d) in zip(one, other, strict=True)
    ]


def killed(widths: Sequence[int], dead: int, points: list[list[Fraction]], rng: random.Random) -> Layers:
    """Random layers of which hidden layer ``dead`` (from 1) is silent at the points."""

    def some() -> Fraction:
        return Fraction(rng.randint(-9, 9), rng.randint(1, 5))

    layers = [([[some() for _ in range(n)] for _ in range(m)], [some() for _ in range(m)]) for n, m in pairwise(widths)]
    tops = [max(column) for column in zip(*(forward(layers, x)[dead - 1] for x in points), strict=True)]
    bias = layers[dead - 1][1]
    bias[:] = [b - max(top, Fraction(0)) - rng.choice((0, 1)) for b, top in zip(bias, tops, strict=True)]
    return layers


def spread(layers: Layers, points: list[list[Fraction]]) -> Fraction:
    """Largest minus least output."""
    values = [forward(layers, x)[-1][0] for x in points]
    return max(values) - min(values)


def moved(one: Layers, other: Layers, dead: int) -> int:
    """How many parameters of the layers up to ``dead``, and weights of the next one, differ."""
    pairs = [
        pair
        for k, ((w, b), (v, c)) in enumerate(zip(one, other, strict=True), 1)
        if k <= dead + 1
        for pair in [*zip(w, v, strict=True), *(zip(b, c, strict=True) if k <= dead else ())]
    ]
    return sum(a != b for a, b in pairs)


@claim.enumerate("steps of training")
def training(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(160)
    for widths in ((1, 1, 1), (1, 2, 1), (1, 2, 2, 1), (2, 3, 2, 1), (2, 2, 3, 2, 1)):
        for dead in range(1, len(widths) - 1):
            for loss in ("squared", "absolute"):
                for momentum in (Fraction(0), MOMENTUM):
                    for _ in range(10 if depth == "thorough" else 1):
                        points = [[Fraction(rng.randint(-9, 9), 4) for _ in range(widths[0])] for _ in range(9)]
                        start = layers = killed(widths, dead, points, rng)
                        targets = [Fraction(rng.randint(-9, 9), 2) for _ in range(6)]
                        velocity = zeros(layers)
                        for step in range(4):
                            slope = gradient(layers, points[:6], targets, loss)
                            velocity = combined(slope, momentum, velocity)
                            layers = combined(layers, -RATE, velocity)
                            yield moved(start, layers, dead), 0
                            name = f"{'-'.join(map(str, widths))}, layer {dead} dead: spread of the outputs"
                            case = spread(layers, points), Fraction(0)
                            yield (name, *case) if step == 0 and loss == "squared" and not momentum else case


@claim.enumerate("optima")
def optima(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(161)
    for repetition in range(20 if depth == "thorough" else 4):
        widths = (1, 2, 2, 1)
        points = [[Fraction(rng.randint(-9, 9), 4)] for _ in range(5)]
        targets = [Fraction(rng.randint(-9, 9), 2) for _ in range(5)]
        layers = killed(widths, 2, points, rng)
        begin, mean = layers[-1][1][0], sum(targets) / 5
        for _ in range(6):
            layers = combined(layers, -RATE, gradient(layers, points, targets, "squared"))
        name = f"squared error, {repetition}: distance to the mean"
        yield name, layers[-1][1][0] - mean, (1 - 2 * RATE) ** 6 * (begin - mean)
        layers = killed(widths, 2, points, rng)
        for _ in range(400):  # each step goes at least RATE / 5 towards the median
            layers = combined(layers, -RATE, gradient(layers, points, targets, "absolute"))
        yield (
            f"absolute error, {repetition}: distance to the median",
            abs(layers[-1][1][0] - median(targets)),
            "<=",
            RATE,
        )
        for c in (*targets, mean):  # and these are the minima
            yield sum((mean - y) ** 2 for y in targets), "<=", sum((c - y) ** 2 for y in targets)
            yield sum(abs(median(targets) - y) for y in targets), "<=", sum(abs(c - y) for y in targets)
        # Step 3 when an earlier layer is dead: the derivative for the last bias is that of the constant's loss
        layers = killed(widths, 1, points, rng)
        value = forward(layers, points[0])[-1][0]
        yield gradient(layers, points, targets, "squared")[-1][1][0], 2 * (value - mean)


# %% [markdown]
# ## Neighbours that fail
#
# *Layer dead on the training inputs, but not on $D$*: $\max(-x, 0)$, trained on $1, 2$; at $-1$ the output is another.
# *With weight decay*: weights are quartered each step, biases are not, as many programs do it.
# $z_2 = 1 - \max(x + 2, 0)$ is negative on $[0, 1]$, but $1 - \frac14 \max(\frac x4 + 2, 0)$ is positive: the network
# revives. *A leaky layer* (slope $\frac1{10}$ below 0): the dead network is not constant. *Only the last bias moves*:
# not if an earlier layer is dead. *A loss that is not convex*, $\ell(c) = (c^2 - 1)^2$: training is at rest at $c = 0$,
# where $\ell' = 0$, but $\ell(0) = 1 > 0 = \ell(1)$.


# %%
@claim.neighbour(
    "a hidden layer is dead on D, which holds the training inputs; a parameter moves only by its own partial "
    "derivatives (no weight decay); slope 0 below 0; the last hidden layer; at rest: loss convex in the output"
)
def hypotheses(depth: str) -> Iterator[tuple[object, ...]]:
    one, none = Fraction(1), Fraction(0)
    half_dead: Layers = [([[-one]], [none]), ([[one]], [none])]
    yield spread(half_dead, [[one], [2 * one], [-one]]), 0
    decaying: Layers = [([[one]], [2 * one]), ([[-one]], [one]), ([[one]], [none])]
    decayed: Layers = [([[w / 4 for w in row] for row in weights], bias) for weights, bias in decaying]
    yield spread(decayed, [[none], [one]]), spread(decaying, [[none], [one]])
    leaky = [max(z, z / 10) for z in (-Fraction(1), -Fraction(2))]  # of z = -x at 1 and 2
    yield leaky[0] - leaky[1], 0
    early: Layers = [([[-one]], [none]), ([[one]], [one]), ([[one]], [none])]  # layer 1 dead at 1 and 2
    yield gradient(early, [[one], [2 * one]], [none, none], "squared")[1][1][0], 0
    yield (0**2 - 1) ** 2, "<=", (1**2 - 1) ** 2


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
