"""Random PyTorch modules of the kinds that people train: small, in evaluation mode, with an input for each.

``module(seed)`` gives anything that is exported; with ``plain`` only trees of ``nn.Sequential``, which are also read
without an export.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as f

__all__ = ["Call", "module"]

MOST = 400  # entries of a tensor


class Call(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable) -> None:
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class Residual(nn.Module):
    """A block with a way around it, through a projection where the shapes differ."""

    def __init__(self, inner: nn.Module, around: nn.Module | None = None, after: bool = True) -> None:
        super().__init__()
        self.inner, self.around, self.after = inner, around or nn.Identity(), after

    def forward(self, x):
        y = self.inner(x) + self.around(x)
        return f.relu(y) if self.after else y


class Dense(nn.Module):
    """A block whose input is joined to its output."""

    def __init__(self, *inner: nn.Module) -> None:
        super().__init__()
        self.inner = nn.ModuleList(inner)

    def forward(self, x):
        for layer in self.inner:
            x = torch.cat([x, torch.relu(layer(x))], 1)
        return x


class Branches(nn.Module):
    """Several blocks side by side."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


class Hourglass(nn.Module):
    """Down, up, and what was before beside it."""

    def __init__(self, c: int, up: nn.Module) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(c, c + 1, 3, padding=1), nn.ReLU())
        self.up = up
        self.last = nn.Conv2d(2 * c, c, 3, padding=1)

    def forward(self, x):
        return torch.relu(self.last(torch.cat([x, self.up(self.down(x))], 1)))


class Heads(nn.Module):
    """A trunk with several outputs."""

    def __init__(self, trunk: nn.Module, *heads: nn.Module) -> None:
        super().__init__()
        self.trunk, self.heads = trunk, nn.ModuleList(heads)

    def forward(self, x):
        x = self.trunk(x)
        return tuple(head(x) for head in self.heads)


class Dueling(nn.Module):
    """Value and advantage, as in deep Q-networks."""

    def __init__(self, n: int, actions: int) -> None:
        super().__init__()
        self.value = nn.Sequential(nn.Linear(n, 4), nn.ReLU(), nn.Linear(4, 1))
        self.advantage = nn.Sequential(nn.Linear(n, 4), nn.ReLU(), nn.Linear(4, actions))

    def forward(self, x):
        a = self.advantage(x)
        return self.value(x) + a - a.mean(dim=1, keepdim=True)


class Repeated(nn.Module):
    """One block several times, with functional ReLU."""

    def __init__(self, block: nn.Module, times: int) -> None:
        super().__init__()
        self.block, self.times = block, times

    def forward(self, x):
        for _ in range(self.times):
            x = f.relu(self.block(x))
        return x


class Functional(nn.Module):
    """A multilayer perceptron of parameters."""

    def __init__(self, n: int, hidden: int, out: int) -> None:
        super().__init__()
        self.w, self.b = nn.Parameter(torch.randn(hidden, n)), nn.Parameter(torch.randn(hidden))
        self.v = nn.Parameter(torch.randn(hidden, out))

    def forward(self, x):
        return f.relu(f.linear(x, self.w, self.b)) @ self.v


# ---- steps ------------------------------------------------------------------------------------------------------


def activation(rng: random.Random, channels: int, plain: bool) -> nn.Module:
    modules = [
        nn.ReLU, nn.ReLU, nn.ReLU, nn.ReLU, nn.ReLU6, nn.LeakyReLU, lambda: nn.LeakyReLU(0.2),
        lambda: nn.PReLU(rng.choice((1, channels))), nn.Hardtanh, lambda: nn.Hardtanh(-0.5, 2.0), nn.Hardsigmoid,
        lambda: nn.Threshold(0.0, 0.0), nn.Identity, nn.RReLU, lambda: nn.ReLU(inplace=True),
    ]  # fmt: skip
    functions = [
        torch.abs, torch.relu, f.relu6, lambda x: x.clamp(min=0), lambda x: x.clamp(-1, 1), lambda x: x.clamp_min(0.25),
        lambda x: torch.maximum(x, torch.zeros_like(x)), lambda x: torch.minimum(x, torch.ones_like(x)),
        lambda x: torch.max(x, 0.5 * x), lambda x: torch.where(x > 0, x, 0.5 * x), lambda x: x * (x > 0),
        lambda x: torch.where(x > 0, x, torch.zeros_like(x)), lambda x: f.leaky_relu(x, 0.1),
        lambda x: f.hardtanh(x, 0.0, 6.0), lambda x: f.threshold(x, 0.0, 0.0), lambda x: torch.relu(x) - torch.relu(-x),
    ]  # fmt: skip
    if plain or rng.random() < 0.6:
        return rng.choice(modules)()
    return Call(rng.choice(functions))


def convolution(rng: random.Random, c: int, out: int, axes: int) -> nn.Module:
    kind, k = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1], rng.randint(1, 3)
    mode = rng.choice(("zeros", "zeros", "zeros", "reflect", "replicate", "circular")) if k > 1 else "zeros"
    how = rng.randrange(5)
    bias = rng.random() < 0.7
    if how == 0:  # depthwise
        return kind(c, c * rng.randint(1, 2), k, padding=k // 2, groups=c, bias=bias)
    if how == 1:
        return kind(c, out, k, padding="same", dilation=rng.randint(1, 2), bias=bias)
    if how == 2:
        return kind(c, out, k, dilation=2, padding=k // 2 * 2, bias=bias)
    stride = rng.randint(1, 2)
    if how == 3 and c % 2 == 0:
        return kind(c, 2 * out, k, stride=stride, padding=k // 2, groups=2, padding_mode=mode, bias=bias)
    return kind(c, out, k, stride=stride, padding=k // 2, padding_mode=mode, bias=bias)


def image_step(rng: random.Random, c: int, axes: int, plain: bool) -> nn.Module:
    out, k = rng.randint(1, 4), rng.randint(1, 3)
    conv = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1]
    back = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[axes - 1]
    norm = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[axes - 1]
    most = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)[axes - 1]
    mean = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)[axes - 1]
    edge = (nn.ReplicationPad1d, nn.ReplicationPad2d, nn.ReplicationPad3d)[axes - 1]
    fixed = (nn.ConstantPad1d, nn.ConstantPad2d, nn.ConstantPad3d)[axes - 1]
    some = {"padding": rng.randint(0, 1), "ceil_mode": rng.random() < 0.3}
    steps = [
        *[lambda: convolution(rng, c, out, axes)] * 5,
        lambda: nn.Sequential(conv(c, out, 3, padding=1, bias=False), norm(out), nn.ReLU()),
        lambda: nn.Sequential(conv(c, c, 3, padding=1, groups=c), norm(c), nn.ReLU6(), conv(c, out, 1), norm(out)),
        lambda: back(c, out, k, stride=2, output_padding=rng.randint(0, 1)),
        lambda: back(c, c, k, stride=rng.randint(1, 2), groups=c, padding=k // 2, bias=rng.random() < 0.5),
        lambda: norm(c, affine=rng.random() < 0.8),
        lambda: most(2, **some),
        lambda: most(3, stride=rng.randint(1, 2), padding=1),
        lambda: most(2, stride=1, dilation=2),
        lambda: mean(2, count_include_pad=rng.random() < 0.5, **some),
        lambda: nn.Upsample(scale_factor=2, mode="nearest"),
        lambda: edge(1),
        lambda: fixed(1, 0.5),
        lambda: rng.choice((nn.Dropout, nn.Identity))(),
        lambda: nn.Flatten(2) if axes == 2 and not plain else nn.Identity(),
    ]
    if axes == 2:
        steps += [
            lambda: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=rng.random() < 0.5),
            lambda: nn.Upsample(size=(5, 4), mode=rng.choice(("nearest", "bilinear"))),
            lambda: nn.PixelShuffle(2) if c % 4 == 0 else nn.Dropout2d(),
            lambda: nn.PixelUnshuffle(2),
            lambda: nn.ZeroPad2d((1, 0, 2, 1)),
            lambda: nn.ReflectionPad2d((1, 0, 0, 1)),
            lambda: nn.AdaptiveAvgPool2d(rng.choice(((2, 2), 3, (1, 2)))),
            lambda: nn.AdaptiveMaxPool2d(rng.choice((1, 2))),
        ]
    if not plain:
        steps += [
            lambda: Residual(conv(c, c, 3, padding=1)),
            lambda: Residual(
                nn.Sequential(conv(c, out, 3, 2, 1, bias=False), norm(out), nn.ReLU(), conv(out, out, 3, 1, 1)),
                nn.Sequential(conv(c, out, 1, 2, bias=False), norm(out)),
            ),
            lambda: Dense(conv(c, 2, 3, padding=1), conv(c + 2, 1, 1)),
            lambda: Branches(conv(c, out, 1), nn.Sequential(mean(3, 1, 1), conv(c, 1, 1)), most(3, 1, 1)),
            lambda: Repeated(conv(c, c, 3, padding=1), rng.randint(2, 3)),
            lambda: Call(lambda x: torch.cat([x, -x], 1)),
            lambda: Call(lambda x: x.transpose(1, -1)),
            lambda: Call(lambda x: x.flip(-1)),
            lambda: Call(lambda x: x[..., 1:]),
            lambda: Call(lambda x: x[:, ::2] + x[:, -1:]),
            lambda: Call(lambda x: x.amax(-1, keepdim=True) - x),
            lambda: Call(lambda x: x - x.mean(dim=1, keepdim=True)),
            lambda: Call(lambda x: torch.roll(x, 1, -1)),
            lambda: Call(lambda x: f.pad(x, (1, 2), mode="constant", value=0.25)),
        ]
    if axes == 2 and not plain:
        ups = (nn.Upsample(scale_factor=2), nn.ConvTranspose2d(c + 1, c, 2, 2))
        steps += [
            lambda: Hourglass(c, nn.Sequential(ups[0], nn.Conv2d(c + 1, c, 1)) if rng.random() < 0.5 else ups[1]),
            lambda: Call(lambda x: f.interpolate(x, size=(5, 4), mode="bilinear", align_corners=True)),
            lambda: Call(lambda x: f.interpolate(x, scale_factor=2, mode="nearest-exact")),
            lambda: Call(lambda x: x.permute(0, 2, 3, 1).contiguous().view(x.shape[0], x.shape[3], -1, 1)),
            lambda: nn.ChannelShuffle(2) if c % 2 == 0 else nn.Dropout2d(),
            lambda: Call(lambda x: f.adaptive_avg_pool2d(x, 1)),
            lambda: Call(lambda x: torch.einsum("nchw->nhcw", x)),
        ]
    return rng.choice(steps)()


def dense_step(rng: random.Random, n: int, plain: bool) -> nn.Module:
    out = rng.randint(1, 6)
    linear = nn.Linear(n, n)
    tied = nn.ReLU()
    steps = [
        *[lambda: nn.Linear(n, out, bias=rng.random() < 0.7)] * 3,
        lambda: nn.BatchNorm1d(n, affine=rng.random() < 0.8),
        lambda: nn.Sequential(nn.Linear(n, out), nn.BatchNorm1d(out), nn.ReLU(), nn.Dropout(0.3)),
        lambda: nn.Sequential(linear, tied, linear, tied),
        lambda: nn.Sequential(nn.Linear(n, 2 * out), nn.Unflatten(1, (2, out)), nn.Flatten()),
        lambda: rng.choice((nn.Dropout, nn.Identity))(),
    ]
    if not plain:
        steps += [
            lambda: Residual(nn.Linear(n, n), after=rng.random() < 0.5),
            lambda: Residual(nn.Sequential(nn.Linear(n, out), nn.ReLU(), nn.Linear(out, n))),
            lambda: Dense(nn.Linear(n, 2), nn.Linear(n + 2, 1)),
            lambda: Repeated(nn.Linear(n, n), rng.randint(2, 3)),
            lambda: Functional(n, 4, out),
            lambda: Dueling(n, out),
            lambda: nn.utils.parametrizations.weight_norm(nn.Linear(n, out)),
            lambda: Call(lambda x: torch.cat([x, x[:, :1] * 2], dim=-1)),
            lambda: Call(lambda x: torch.stack([x, -x], 1).sum(1) + x),
            lambda: Call(lambda x: x / 4 + 1),
            lambda: Call(lambda x: torch.cat(x.chunk(2, -1)[::-1], -1)),
            lambda: Call(lambda x: x.unsqueeze(1).repeat(1, 2, 1).flatten(1)),
            lambda: Call(lambda x: x.unsqueeze(1).expand(-1, 2, -1).reshape(x.shape[0], -1)),
            lambda: Call(lambda x: x.index_select(1, torch.tensor([0, x.shape[1] - 1, 0]))),
            lambda: Call(lambda x: torch.cumsum(x, 1)),
            lambda: Call(lambda x: x.max(1, keepdim=True).values + x),
            lambda: Call(lambda x: x.masked_fill(torch.arange(x.shape[1]) == 0, 0.0)),
            lambda: Call(lambda x: torch.matmul(x.unsqueeze(1), torch.ones(n, 2) / 2).squeeze(1)),
        ]
    return rng.choice(steps)()


# ---- whole modules ----------------------------------------------------------------------------------------------


def _output(steps: list[nn.Module], x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return nn.Sequential(*steps).eval()(x.clone())


def module(seed: int, plain: bool = False) -> tuple[nn.Module, torch.Tensor, bool]:
    """A module in evaluation mode, an input for it, and whether it ends in a Softmax."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    steps: list[nn.Module] = []
    axes = rng.choice((0, 0, 0, 1, 2, 2, 2, 2, 3))
    x = torch.randn(1, rng.randint(2, 6))
    if axes:
        x = torch.randn(1, rng.randint(1, 4), *(rng.randint(4, 8 if axes < 3 else 4) for _ in range(axes)))
        shape = x.shape
        for _ in range(rng.randint(1, 4)):
            if len(shape) != axes + 2:
                break
            step = image_step(rng, shape[1], axes, plain)
            try:
                found = _output([*steps, step], x).shape
            except (RuntimeError, IndexError, ValueError):  # sizes that do not fit
                continue
            if found.numel() > MOST or min(found) < 1:
                continue
            steps += [step, activation(rng, found[1], plain)]
            shape = found
        if rng.random() < 0.3 and len(shape) == axes + 2:
            steps.append((nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)[axes - 1](1))
        steps.append(nn.Flatten() if plain or rng.random() < 0.5 else Call(lambda x: x.reshape(x.size(0), -1)))
    n = _output(steps, x).shape[-1]
    for _ in range(rng.randint(1, 4)):
        step = dense_step(rng, n, plain)
        n = _output([*steps, step], x).shape[-1]
        steps += [step, activation(rng, n, plain)]
    if plain and rng.random() < 0.5:
        steps = [nn.Sequential(*steps[: len(steps) // 2]), nn.Sequential(*steps[len(steps) // 2 :])]
    ends = rng.random() < 0.2
    if not plain and rng.random() < 0.2 and not ends:
        made: nn.Module = Heads(
            nn.Sequential(*steps), nn.Linear(n, 2), nn.Sequential(nn.Linear(n, 3), nn.ReLU()), nn.Identity()
        )
    else:
        made = nn.Sequential(*steps, nn.Linear(n, 3), nn.ReLU(), nn.Linear(3, 2), *([nn.Softmax(-1)] if ends else []))
    for m in made.modules():
        if isinstance(m, nn.modules.batchnorm._BatchNorm):
            m.running_mean.normal_()
            m.running_var.uniform_(0.5, 2)
    return made.eval(), x, ends
