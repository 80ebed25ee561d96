"""How often do trainings of deep and narrow networks collapse, and how often was the network dead to begin with?

    python examples/collapse_rate.py                     # |x|, 10 layers of width 2, 200 initialisations: a minute
    python examples/collapse_rate.py --networks 1000 --steps 3000 --target sine

Lu et al. train networks of width 2 (the example in the plane: 4) and 10 layers; those that end as a constant function
have *collapsed*. A network that is dead at initialisation cannot leave that state: up to the dead layer, and for the
weights that read it, all gradients vanish, and what lies behind only moves the constant. Trained are all networks at
once, as batched matrices; needs the extra `torch`.

A network is called dead at initialisation if a hidden layer is silent on all training points. Beside it stand the
exact bound 1 - prod (1 - 2^-N_l) on the probability of that (claim `dying-bound`) and its Clopper-Pearson interval.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import pairwise

import numpy as np

from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.intervals import clopper_pearson

try:
    import torch
except ImportError:
    sys.exit("this example needs PyTorch: pip install 'geomrelu[torch]'")

ROOT = 3**0.5
TARGETS = {
    "abs": (1, lambda x: x[:, 0].abs()),
    "sine": (1, lambda x: x[:, 0] * torch.sin(5 * x[:, 0])),
    "step": (1, lambda x: (x[:, 0] > 0).to(x.dtype) + 0.2 * torch.sin(5 * x[:, 0])),
    "plane": (2, lambda x: torch.stack([(x[:, 0] + x[:, 1]).abs(), (x[:, 0] - x[:, 1]).abs()], 1)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--target", choices=TARGETS, default="abs")
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--layers", type=int, default=10, help="weight layers: one less is hidden")
    parser.add_argument("--width", type=int, default=None, help="default 2, in the plane 4")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--points", type=int, default=64)
    parser.add_argument("--rate", type=float, default=1e-3, help="of Adam")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    inputs, target = TARGETS[options.target]
    width = options.width or 2 * inputs
    torch.manual_seed(options.seed)
    torch.set_default_dtype(torch.float64)
    rng = np.random.default_rng(options.seed)

    x = torch.tensor(rng.uniform(-ROOT, ROOT, (options.points * inputs, inputs)))
    y = target(x).reshape(len(x), -1)
    widths = [inputs, *[width] * (options.layers - 1), y.shape[1]]
    layers = [initial(rng, options.networks, n, m) for n, m in pairwise(widths)]

    with torch.no_grad():
        dead = (forward(layers, x)[1] <= 0).any(dim=0).numpy()
    started = time.perf_counter()
    train(layers, x, y, options.steps, options.rate)
    with torch.no_grad():
        output = forward(layers, x)[0]
    spread = (output.amax(dim=1) - output.amin(dim=1)).amax(dim=1).numpy()
    collapsed = spread < 1e-6

    hidden = widths[1:-1]
    print(f"{options.target}: {options.networks} networks {'-'.join(map(str, widths))}, {options.steps} steps of Adam")
    for name, found in (("dead at initialisation", dead), ("collapsed after training", collapsed)):
        count = int(found.sum())
        low, high = clopper_pearson(count, len(found), 0.95)
        print(f"  {name:<26}{count:5d}  {100 * count / len(found):6.2f} %  [{100 * low:.2f}, {100 * high:.2f}] at 95 %")
    print(f"  {'dead and collapsed':<26}{int((dead & collapsed).sum()):5d}")
    for name, some in (("all hidden layers", hidden), ("all but the first", hidden[1:])):
        bound = closed_forms.dying_bound(*some)
        print(f"  1 - prod (1 - 2^-N), {name}: {float(100 * bound):.2f} %")
    print(f"  {time.perf_counter() - started:.1f} s")


def initial(rng: np.random.Generator, networks: int, n: int, m: int) -> list[torch.Tensor]:
    """He normal weights, biases 0 as in the paper's code."""
    weights = torch.tensor(rng.standard_normal((networks, n, m)) * (2 / n) ** 0.5, requires_grad=True)
    return [weights, torch.zeros(networks, 1, m, requires_grad=True)]


def forward(layers: list[list[torch.Tensor]], x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Outputs (networks, points, outputs), and the largest pre-activation of each hidden layer (layers, networks)."""
    h, tops = x.expand(len(layers[0][0]), *x.shape), []
    for weights, bias in layers[:-1]:
        z = torch.baddbmm(bias, h, weights)
        tops.append(z.detach().amax(dim=(1, 2)))
        h = torch.relu(z)
    return torch.baddbmm(layers[-1][1], h, layers[-1][0]), torch.stack(tops)


def train(layers: list[list[torch.Tensor]], x: torch.Tensor, y: torch.Tensor, steps: int, rate: float) -> None:
    """Adam on the mean squared error of each network; the sum of the losses keeps the networks apart."""
    optimiser = torch.optim.Adam([p for layer in layers for p in layer], lr=rate)
    for _ in range(steps):
        optimiser.zero_grad(set_to_none=True)
        loss = ((forward(layers, x)[0] - y) ** 2).mean(dim=(1, 2)).sum()
        loss.backward()
        optimiser.step()


if __name__ == "__main__":
    main()
