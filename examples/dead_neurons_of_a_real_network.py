# %% [markdown]
# # Dead neurons of a trained network
#
# Train a network, find neurons that are silent on all its data, and ask which of them are *dead*: silent on every input
# that is allowed, not just on those that were seen. Then remove them, with a proof that nothing changes.
#
#     python examples/dead_neurons_of_a_real_network.py                            # trains a network of its own
#     python examples/dead_neurons_of_a_real_network.py model.onnx box.vnnlib      # yours
#     python examples/dead_neurons_of_a_real_network.py -o out [MODEL DOMAIN]      # keeps the files
#
# Nothing but NumPy is needed for the first; ONNX files need the extra `onnx`.

# %%
import argparse
import importlib.util
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np

from geomrelu import InputError, Network, Polyhedron, Status, checker, decide, read_domain
from geomrelu.certificates import files as certificate
from geomrelu.deadness.pruning import prune
from geomrelu.geometry.domains import write_domain

parser = argparse.ArgumentParser(description="Which neurons of a trained network are dead, and what is left without?")
parser.add_argument("model", nargs="?", help=".onnx, .npz or .json; default: one that is trained here")
parser.add_argument("domain", nargs="?", help='a .vnnlib file, or "box:-1,1"')
parser.add_argument("-o", "--out", help="directory for the models and certificates; default: a temporary one")
parser.add_argument("--time", type=float, default=40, help="seconds for deciding; what is open then stays undecided")
options = parser.parse_args()
if options.model and not options.domain:
    parser.error("a model needs a domain")
temporary = tempfile.TemporaryDirectory()
out = Path(options.out or temporary.name)
out.mkdir(parents=True, exist_ok=True)

# %% [markdown]
# ## A network whose neurons die
#
# Five inputs in $[-1, 1]$, two hidden layers of 24 neurons, He initialisation, plain SGD on a smooth function. The
# learning rate is too large: a few steps throw the biases of many neurons so far down that no input reaches them, and
# without gradient they stay there. Weights are `float32`; to the analyzer each is the dyadic number it holds.


# %%
def train(x: np.ndarray, widths: list[int], rate: float, steps: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(seed)
    y = np.sin(2 * x[:, :1]) + x[:, 1:2] * x[:, 2:3] + 2  # far from 0, so that the first gradients are large
    shapes = list(pairwise(widths))
    weights = [rng.standard_normal((m, n)) * np.sqrt(2 / n) for n, m in shapes]
    biases = [np.zeros(m) for _, m in shapes]
    for _ in range(steps):
        batch = rng.integers(len(x), size=32)
        h = [x[batch]]
        for W, b in zip(weights, biases, strict=True):
            h.append(h[-1] @ W.T + b)
            if W is not weights[-1]:
                h[-1] = np.maximum(h[-1], 0)
        error = (h[-1] - y[batch]) * (2 / len(batch))
        for l in reversed(range(len(weights))):
            gradient = error.T @ h[l], error.sum(axis=0)
            error = (error @ weights[l]) * (h[l] > 0)
            weights[l] -= rate * gradient[0]
            biases[l] -= rate * gradient[1]
    return [(W.astype(np.float32), b.astype(np.float32)) for W, b in zip(weights, biases, strict=True)]


if options.model:
    network = Network.from_file(options.model)
    domain = read_domain(options.domain, network.inputs)
    data = None
else:
    data = np.random.default_rng(1).uniform(-1, 1, (300, 5)).astype(np.float32)
    layers = train(data, [5, 24, 24, 1], rate=0.3, steps=3000, seed=0)
    network = Network.from_layers([(W, b, "relu") for W, b in layers[:-1]] + [(*layers[-1], "none")])
    domain = Polyhedron.box([(-1, 1)] * 5)
print(f"{network.inputs} inputs, ReLU layers of widths {', '.join(map(str, network.widths))}")

# %% [markdown]
# ## Silent on the data
#
# The usual test: run all data through and look for neurons that never fire.

# %%
silent = None
if data is not None:
    h, silent = data, []
    for W, b in layers[:-1]:
        h = np.maximum(h @ W.T + b, 0)
        silent.append(set(np.flatnonzero(~(h > 0).any(axis=0)).tolist()))
    print(f"silent on all {len(data)} points:", ", ".join(f"{len(s)} in layer {l}" for l, s in enumerate(silent, 1)))

# %% [markdown]
# ## Dead on the whole domain
#
# Every verdict is exact and comes with a claim: for a living neuron an input that wakes it, for a dead one a proof. A
# neuron that was silent on the data and is alive must not be removed: the first such input to arrive would be answered
# differently.

# %%
reports = list(decide(network, domain, time=options.time))
for report in reports:
    found = {status: {v.neuron for v in report.verdicts if v.status is status} for status in Status}
    stably = sum(v.stable is True for v in report.verdicts)
    print(
        f"layer {report.layer}: {len(found[Status.DEAD])} dead ({stably} stably), {len(found[Status.ALIVE])} alive, "
        f"{len(found[Status.UNDECIDED])} undecided"
    )
    if silent is not None:
        assert found[Status.DEAD] <= silent[report.layer - 1]
        judge = checker.Judge(report.points, network.checked, domain.checked)
        for v in report.verdicts:
            if v.status is Status.ALIVE and v.neuron in silent[report.layer - 1]:
                value = judge.at_point(v.claim["point"], v.layer, v.neuron)
                print(f"  neuron {v.neuron} was silent on the data, but reaches {float(value):.3g}")

# %% [markdown]
# ## Do not take my word for it
#
# Model, domain and certificates go to files, the model as exact rationals. `checker.py` is one file of the standard
# library; here it runs in an interpreter that can import nothing else, neither geomrelu nor NumPy.

# %%
network.save(out / "model.json")
write_domain(domain, out / "domain.json")
files = set()
for report in reports:
    claims = [v.claim for v in report.verdicts if v.claim is not None]
    written = certificate.write(out, report.layer, claims, network.digest, domain.checked.digest(), report.points)
    files |= set(written.values())


def check(*arguments: str | Path) -> str:
    alone = [sys.executable, "-I", "-S", checker.__file__, *map(str, arguments)]
    return subprocess.run(alone, check=True, capture_output=True, text=True).stdout.splitlines()[-1]


accepted = [check(file, out / "model.json", out / "domain.json") for file in sorted(files)]
print(f"{len(files)} certificates, {sum(Path(f).stat().st_size for f in files) / 1000:.0f} kB:")
print("  proved by the stand-alone checker:", sum(int(line.split()[-3]) for line in accepted), "claims")

# %% [markdown]
# ## Without them
#
# `prune` removes the dead neurons, merges those that are multiples of each other and folds those that are active on the
# whole domain into the next layer; `fold=False` leaves the weights that stay as they are, so that the result is again a
# network of floats. That it *equals* the model on the domain is proved and certified too.

# %%
pruned = prune(network, domain, reports, fold=False)
smaller = pruned.network
for name, before, after in zip(("neurons", "parameters", "multiplications"), pruned.before, pruned.after, strict=True):
    print(f"{name}: {before} -> {after}")
smaller.save(out / "smaller.json")
certificate.save(out / "smaller.proof.json", pruned.certificate)
said = check(out / "smaller.proof.json", out / "model.json", out / "domain.json", out / "smaller.json")
print("stand-alone checker:", said.replace(str(out) + "/", ""))

for kind in (".npz", ".onnx"):
    if kind == ".onnx" and importlib.util.find_spec("onnx") is None:
        continue
    try:
        smaller.save(out / f"smaller{kind}")
    except InputError as reason:  # no place for layers that read others than the one before
        print(reason)
    else:
        same = Network.from_file(out / f"smaller{kind}").checked.whole_digest() == smaller.checked.whole_digest()
        print(f"read back from {kind}: {'the same network, bit for bit' if same else 'ANOTHER NETWORK'}")
if options.out:
    print("files:", ", ".join(sorted(path.name for path in out.iterdir())))
