"""Random PyTorch modules, exported as people export them: what is read is what onnxruntime and PyTorch compute.

GEOMRELU_EXPORTS sets how many modules (hundreds take minutes). Skipped where PyTorch, or what an exporter needs, is
absent.
"""

from __future__ import annotations

import importlib.util
import os
import random
import warnings

import onnx
import onnx_graphs
import pytest
from test_onnx_graphs import close, compared

from geomrelu import InputError
from geomrelu.network.network import Network

pytestmark = [pytest.mark.onnx, pytest.mark.torch]

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("onnxruntime")
MODULES = int(os.environ.get("GEOMRELU_EXPORTS", "16"))


class Residual(torch.nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return torch.relu(self.inner(x) + x)


class Call(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def activation(rng, channels):
    nn = torch.nn
    return rng.choice(
        [nn.ReLU, nn.ReLU, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.Hardtanh, nn.Hardsigmoid,
         lambda: nn.PReLU(channels), lambda: nn.Threshold(0.0, 0.0), nn.Identity, lambda: Call(torch.abs),
         lambda: Call(lambda x: x.clamp(min=0)), lambda: Call(lambda x: torch.maximum(x, torch.zeros_like(x))),
         lambda: Call(lambda x: torch.where(x > 0, x, 0.5 * x))]
    )()  # fmt: skip


def image_step(rng, c):
    nn, f = torch.nn, torch.nn.functional
    out = rng.randint(1, 4)
    k = rng.randint(1, 3)
    return rng.choice(
        [
            lambda: (nn.Conv2d(c, out, k, stride=rng.randint(1, 2), padding=k // 2, bias=rng.random() < 0.7), out),
            lambda: (nn.Conv2d(c, c, k, padding="same", groups=c), c),
            lambda: (nn.Conv2d(c, out, k, padding=k // 2, padding_mode="reflect" if k > 1 else "zeros"), out),
            lambda: (nn.ConvTranspose2d(c, out, k, stride=2, output_padding=rng.randint(0, 1)), out),
            lambda: (nn.BatchNorm2d(c), c),
            lambda: (nn.MaxPool2d(2, padding=rng.randint(0, 1), ceil_mode=rng.random() < 0.4), c),
            lambda: (nn.AvgPool2d(2, padding=rng.randint(0, 1), ceil_mode=rng.random() < 0.4,
                                  count_include_pad=rng.random() < 0.5), c),
            lambda: (nn.Upsample(scale_factor=2, mode=rng.choice(("nearest", "bilinear"))), c),
            lambda: (nn.PixelShuffle(2), c // 4) if c % 4 == 0 else (nn.Dropout(), c),
            lambda: (nn.ZeroPad2d((1, 0, 2, 1)), c),
            lambda: (Call(lambda x: f.interpolate(x, size=(5, 4), mode="bilinear", align_corners=True)), c),
            lambda: (Call(lambda x: torch.cat([x, -x], 1)), 2 * c),
            lambda: (Call(lambda x: x.transpose(2, 3)), c),
            lambda: (Call(lambda x: x[:, :, 1:]), c),
            lambda: (Residual(nn.Conv2d(c, c, 3, padding=1)), c),
        ]
    )()  # fmt: skip


def dense_step(rng, n):
    nn, out = torch.nn, rng.randint(1, 6)
    return rng.choice(
        [
            lambda: (nn.Linear(n, out, bias=rng.random() < 0.7), out),
            lambda: (nn.Linear(n, out), out),
            lambda: (nn.BatchNorm1d(n), n),
            lambda: (Residual(nn.Linear(n, n)), n),
            lambda: (Call(lambda x: torch.cat([x, x[:, :1] * 2], dim=-1)), n + 1),
            lambda: (Call(lambda x: x - x.mean(dim=-1, keepdim=True)), n),
            lambda: (Call(lambda x: torch.stack([x, -x], 1).sum(1) + x), n),
            lambda: (Call(lambda x: x / 4 + 1), n),
            lambda: (Call(lambda x: torch.cat(x.chunk(2, -1)[::-1], -1)), n),
        ]
    )()


def random_module(seed):
    """A module in evaluation mode and an input for it."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    nn, steps = torch.nn, []
    if rng.random() < 0.5:
        c = rng.randint(1, 3)
        x = torch.randn(1, c, rng.randint(5, 7), rng.randint(5, 7))
        for _ in range(rng.randint(1, 4)):
            step, new = image_step(rng, c)
            with torch.no_grad():
                y = nn.Sequential(*steps, step).eval()(x)
            if y.numel() > 500 or min(y.shape) < 1 or min(y.shape[2:]) < 3:
                continue
            steps += [step, activation(rng, new)]
            c = new
        steps.append(rng.choice((nn.Flatten(), nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))))
    else:
        x = torch.randn(1, rng.randint(2, 6))
    with torch.no_grad():
        n = nn.Sequential(*steps).eval()(x).shape[-1]
    for _ in range(rng.randint(1, 4)):
        step, n = dense_step(rng, n)
        steps += [step, activation(rng, n)]
    steps += [nn.Linear(n, 3), nn.ReLU(), nn.Linear(3, 2), *([nn.Softmax(-1)] if rng.random() < 0.3 else [])]
    module = nn.Sequential(*steps).eval()
    for m in module.modules():
        if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)):
            m.running_mean.normal_()
            m.running_var.uniform_(0.5, 2)
    return module, x


def exported(seed, path, how):
    module, x = random_module(seed)
    rng = random.Random(seed)
    open_batch = rng.random() < 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if how == "legacy":
            options = {"dynamic_axes": {"x": {0: "n"}}} if open_batch else {}
            torch.onnx.export(module, (x,), str(path), dynamo=False, input_names=["x"], **options)
        else:
            torch.onnx.export(module, (x,), str(path), dynamo=True, input_names=["x"], verbose=False)
    return module, x


@pytest.mark.parametrize("how", ["legacy", "dynamo"])
def test_random_modules_are_read_as_they_are_exported(how, tmp_path):
    if how == "dynamo" and importlib.util.find_spec("onnxscript") is None:
        pytest.skip("onnxscript is not installed")
    path = tmp_path / "model.onnx"
    for seed in range(MODULES):
        try:
            module, x = exported(seed, path, how)
        except torch.onnx.errors.OnnxExporterError:  # what PyTorch cannot export is no case
            continue
        model = onnx.load(path)  # with external data
        if not onnx_graphs.runs(model, x.numpy()):  # onnxruntime contradicts itself on ceil_mode
            continue
        try:
            trace = compared(model, tmp_path, x.numpy())
        except (InputError, AssertionError) as problem:
            raise AssertionError(f"seed {seed}: {problem}") from problem
        softmax = isinstance(module[-1], torch.nn.Softmax)
        assert len(trace.left) == softmax, (seed, trace.left)
        with torch.no_grad():
            right = (module[:-1] if softmax else module)(x).numpy()
        net = Network.from_file(path)  # data beside it
        close(net(x.double().ravel().tolist()), right, f"seed {seed}")
