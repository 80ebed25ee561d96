# %% [markdown]
# # How often deep and narrow networks collapse
#
# **Notation.** Networks with 10 layers of width 2, that is 9 hidden layers, one input and one output, independent
# symmetric weights without atoms, biases that start at 0, trained on inputs on either side of 0. A network *dies at
# initialisation* if a hidden layer is dead on the inputs; it *has collapsed* if it is a constant function after
# training.
#
# **Statement.** Whatever the law of the weights,
# $$0.8702 < \frac{7475441063}{8589934592} \le P(\text{dies at initialisation})
#   \le 1 - \left(\tfrac34\right)^8 < 0.8999,$$
# and whatever the target, the loss and the gradient method,
# $$P(\text{has collapsed}) \ge P(\text{dies at initialisation}).$$
#
# The slides report about 93 % of collapsed trainings for $|x|$. This is above the probability of death at
# initialisation: some networks die during the training. The bound of theorem 1 for all nine layers,
# $1 - (\frac34)^9 \approx 0.9249$, is the probability of death *at a single input*; with inputs on both sides of 0 it
# is not reached.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.papers.collapse import HIDDEN, TARGETS, train
from geomrelu.papers.simulations import survivors
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.initialisation import Initialisation
from geomrelu.random_networks.orbit import dead_neurons_orbit

claim = Claim(
    label="collapse-rate",
    title="Collapse of deep and narrow networks",
    statement="10 layers of width 2, biases 0: between 0.8702 and 0.8999 of the networks are dead at initialisation, "
    "and these are constant after every training",
    latex=r"P(\text{collapsed}) \ge P(\text{dies at initialisation}) \in"
    r"\left[\tfrac{7475441063}{8589934592},\ 1 - \left(\tfrac34\right)^8\right]",
    source="Lu, Su & Karniadakis, Collapse of deep and narrow neural nets, 1-D and 2-D examples",
    hypotheses=(
        "9 hidden layers",
        "width 2, biases 0",
        "inputs on both sides of 0",
        "weights independent, symmetric, no atoms",
    ),
    uses=("one-dim-chain", "one-dim-sharper", "dead-stays-constant"),
)

LINE = [name for name, (size, _) in TARGETS.items() if size == 1]
LOWER, UPPER = closed_forms.one_dim_dying(2, HIDDEN), closed_forms.dying_bound(*[2] * (HIDDEN - 1))

# %% [markdown]
# ## Proof
#
# **Step 1.** The biases are 0, so at initialisation this is a network without biases, and it dies on the inputs if and
# only if it dies on the line. The lower bound is that of [`one-dim-chain`](one-dim-chain.py) for $N = 2$, $L = 10$,
# with $P_{22} = \frac34$, $P_{33} = \frac7{16}$; the upper bound is that of [`one-dim-sharper`](one-dim-sharper.py).
#
# **Step 2.** A network that is dead on the inputs is constant there for ever, by
# [`dead-stays-constant`](dead-stays-constant.py). $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    row = sympy.Matrix([[0, sympy.Rational(1, 2), sympy.Rational(1, 2)]])  # dead, one ray, two rays after layer 1
    quarter, most = sympy.Rational(1, 4), sympy.Rational(7, 16)
    chain = sympy.Matrix([[1, 0, 0], [quarter, 1 - quarter, 0], [quarter**2, 1 - quarter**2 - most, most]])
    for hidden in range(1, HIDDEN + 1):
        yield f"{hidden} hidden layers: lower", row[0], closed_forms.one_dim_dying(2, hidden)
        row = row * chain
    yield "9 hidden layers: upper", 1 - sympy.Rational(3, 4) ** 8, UPPER
    yield "9 hidden layers: at one input", 1 - sympy.Rational(3, 4) ** 9, closed_forms.dying_bound(*[2] * HIDDEN)
    # in the limit of great depth there are between 1 and 13/10 times (3/4)^(m - 1) survivors
    m = sympy.Symbol("m", integer=True, positive=True)
    ratio = (1 - closed_forms.one_dim_dying(2, m)) / sympy.Rational(3, 4) ** (m - 1)
    yield "survivors, in the limit", sympy.limit(ratio, m, sympy.oo), sympy.Rational(13, 10)


# %% [markdown]
# ## Enumeration
#
# All signs of all weights, for fewer layers: between the bounds on the line, and the other value at a point.


# %%
def dying(hidden: int, domain: Polyhedron | FiniteSet, rng: random.Random) -> Fraction:
    net = [
        ([[Fraction(rng.randint(1, 999), rng.randint(1, 99)) for _ in range(n)] for _ in range(2)], [0, 0])
        for n in [1, *[2] * (hidden - 1)]
    ]
    profiles, size = dead_neurons_orbit(net, domain)
    return Fraction(sum(k for dead, k in profiles.items() if 2 in dead), size)


@claim.enumerate("orbits", part="initialisation")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    yield "9 hidden layers: at least", LOWER, ">", Fraction(8702, 10000)
    yield "9 hidden layers: at most", UPPER, "<", Fraction(8999, 10000)
    rng = random.Random(180)
    for hidden in range(2, 6 if depth == "thorough" else 5):
        for repetition in range(3):
            found = dying(hidden, Polyhedron.space(1), rng)
            case = found, ">=", closed_forms.one_dim_dying(2, hidden)
            yield (f"{hidden} hidden layers: lower", *case) if repetition == 0 else case
            yield found, "<=", closed_forms.dying_bound(*[2] * (hidden - 1))
        yield dying(hidden, FiniteSet.of([[1]]), rng), closed_forms.dying_bound(*[2] * hidden)


# %% [markdown]
# ## Sampling: initialisation
#
# Normal and uniform weights. The images of $\pm x$ for a fixed $x \in \mathbb R^2$ are those of a network with one
# input, and without biases they stand for all inputs. In the plane (width 4) there is only the bound.


# %%
@claim.sample("probabilities", trials=50_000, seed=181, part="initialisation")
def initial(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    line, plane = np.array([[1.0, -1.0], [1.0, -1.0]]), np.array([[3.0, -3.0, 4.0, -4.0], [4.0, -4.0, -3.0, 3.0]])
    for law in ("normal", "uniform"):
        dead = trials - _alive(line, law, trials, seed)
        yield f"{law}: dead at initialisation, at least", dead, ">=", LOWER
        yield f"{law}: dead at initialisation, at most", dead, "<=", UPPER
    wide = np.vstack([plane, np.zeros_like(plane)])
    yield (
        "in the plane, width 4: at most",
        trials - _alive(wide, "normal", trials, seed),
        "<=",
        closed_forms.dying_bound(*[4] * 9),
    )
    point = trials - _alive(line[:, :1], "normal", trials, seed + 1)
    yield "at one input", point, closed_forms.dying_bound(*[2] * HIDDEN)


def _alive(data: np.ndarray, law: str, trials: int, seed: int) -> int:
    start = Initialisation(law, "he", "zero")
    chunks = range(0, trials, 1 << 14)
    return sum(
        int(survivors(data, start, np.random.default_rng([seed, k]), min(1 << 14, trials - k), HIDDEN)[0][-1])
        for k in chunks
    )


# %% [markdown]
# ## Sampling: training
#
# All networks at once, Adam on 64 inputs in $[-\sqrt 3, \sqrt 3]$ (`geomrelu.papers.collapse`), with the mean squared
# and the mean absolute error. Collapsed are those whose outputs at the end are all the same number.
# (`examples/collapse_rate.py` trains with PyTorch.) With `--thorough` the setting of the slides: 1,000 networks for
# each target and each error, also for the target with two inputs and outputs (width 4), for which there is only the
# upper bound on death at initialisation. What the rate has more than the probability of death at initialisation are
# networks that die in training; their number is in the table. To which constant they collapse, and partial collapse:
# [`collapse-states`](collapse-states.py).


# %%
@claim.sample("rates", trials=100, seed=182, part="training")
def training(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    steps, targets = (600, [*TARGETS]) if depth == "thorough" else (200, ["|x|"])
    for k, target in enumerate(targets):
        for absolute in (False, True):
            found = train(target, trials, steps, seed + k, absolute=absolute, rate=1e-2)
            dead, collapsed = int(found.dead.sum()), int(found.collapsed.sum())
            name = f"{target}, {'absolute' if absolute else 'squared'} error"
            if target in LINE:
                yield f"{name}: collapsed", collapsed, ">=", LOWER
            yield (
                f"{name}: dead, and not constant after training",
                int((found.dead & ~found.collapsed).sum()),
                Fraction(0),
            )
            died = int((found.collapsed & ~found.dead).sum())
            bound = UPPER if target in LINE else closed_forms.dying_bound(*[4] * HIDDEN)
            yield f"{name}: {died} of {trials} died in training, {collapsed} collapsed; dead", dead, "<=", bound


# %% [markdown]
# ## Neighbours that fail
#
# *Inputs on one side of 0*: the upper bound fails, the value is $1 - (\frac34)^m$. *With biases*: the lower bound
# fails. *Wider networks* (width 4 instead of 2): likewise. *Fewer layers*: two die with probability at most
# $\frac7{16}$. *Weights of one sign*: the network is alive on one of the two rays, in every layer.


# %%
@claim.neighbour("inputs on both sides of 0; width 2, biases 0; 9 hidden layers")
def others(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(183)
    for hidden in (2, 3):
        yield dying(hidden, FiniteSet.of([[1], [2]]), rng), "<=", closed_forms.dying_bound(*[2] * (hidden - 1))
    net = [([[3], [5]], [2, 7]), ([[4, 9], [8, 1]], [5, 3])]
    profiles, size = dead_neurons_orbit(net, Polyhedron.space(1))
    yield Fraction(sum(k for dead, k in profiles.items() if 2 in dead), size), ">=", closed_forms.one_dim_dying(2, 2)
    yield closed_forms.dying_bound(*[4] * (HIDDEN - 1)), ">=", LOWER
    yield closed_forms.dying_bound(2, 2), ">=", LOWER


@claim.neighbour("weights independent, symmetric, no atoms")
def one_sided(depth: str) -> Iterator[tuple[object, ...]]:
    """All weights positive: alive on one of the two rays, in every layer."""
    layers = [([[3], [5]], [0, 0])] + [([[2, 7], [4, 1]], [0, 0])] * 3
    profiles, size = dead_neurons_orbit(layers, Polyhedron.space(1), "none")
    yield Fraction(sum(k for dead, k in profiles.items() if 2 in dead), size), ">=", closed_forms.one_dim_dying(2, 4)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
