"""Figures as the papers have them: bounds dashed, estimates solid with their intervals, readable in print and in grey.

Each function returns a matplotlib figure; :func:`save` writes it. Nothing here computes more than it draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from geomrelu.errors import InputError
from geomrelu.io.files import write
from geomrelu.papers.simulations import Survival
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.estimate import Estimate
from geomrelu.random_networks.intervals import clopper_pearson

__all__ = ["figure_five", "figure_one", "figure_two", "safe_region", "save"]

# from dark to light in even steps of grey; each series also has its own marker
SHADES = ("#0b1f4b", "#8a1050", "#1f6f5c", "#d1552b", "#4f9bb5", "#b59a3c", "#9db87a", "#c3a5d6")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
SHOWN = (1, 2, 4, 6, 8, 11)  # widths that figure 1 draws unless others are asked for
ROUNDING = 1e-30  # a variance over a squared mean below this is rounding and nothing else
FORMATS = (".pdf", ".png", ".svg")
NAMES = {"iid": "independent", "batch-norm": "batch normalisation", "sign-flip": "sign flipping"}


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as .pdf, .png or .svg, the same bytes each time.

    Raises:
        InputError: another suffix, or a file that cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path}: a figure is written as {', '.join(FORMATS)}")
    kind, stream = path.suffix.lower(), BytesIO()
    metadata = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}.get(kind, {})
    with rc_context({"svg.hashsalt": "geomrelu"}):
        figure.savefig(stream, format=kind[1:], dpi=200, metadata=metadata)
    write(path, stream.getvalue())


def _canvas(rows: int, height: float) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(6.4, height), layout="constrained")
    axes = figure.subplots(rows, 1, squeeze=False)[:, 0].tolist()
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(color="#e6e6e6", linewidth=0.6)
        ax.set_axisbelow(True)
    return figure, axes


def _style(i: int, points: int, logarithmic: bool = True) -> dict[str, Any]:
    """Markers at depths 1, 2, 4, 8, ... where these are evenly spaced, else at every eighth of the points."""
    places = [2**e - 1 for e in range(points.bit_length())] if logarithmic else max(1, points // 8)
    return {"color": SHADES[i % 8], "marker": MARKERS[i % 8], "markersize": 4, "markevery": places}


def figure_one(found: Mapping[tuple[int, str], Survival], level: float = 0.95, shown: Sequence[int] = SHOWN) -> Figure:
    """Rister & Rubin, figure 1: living networks between their bounds, and living data by scheme.

    Args:
        found: of :func:`geomrelu.papers.simulations.living`. level: of the Clopper-Pearson intervals. shown: widths
        drawn.
    """
    widths = sorted({n for n, _ in found} & set(shown)) or sorted({n for n, _ in found})[:6]
    schemes = list(dict.fromkeys(s for _, s in found))
    figure, (top, *panels) = _canvas(1 + len(schemes), 3.2 + 2.3 * len(schemes))
    for i, n in enumerate(widths):
        one = found[n, schemes[0]]
        depths = range(1, len(one.alive) + 1)
        intervals = [clopper_pearson(a, one.networks, level) for a in one.alive]
        _band(top, depths, intervals, SHADES[i % 8])
        top.plot(depths, [a / one.networks for a in one.alive], label=f"n = {n}", **_style(i, len(depths)))
        low, high = ((1 - 2.0**-n) ** k for k in depths), ((1 - 2.0 ** (-n * n - n)) ** (k - 1) for k in depths)
        for bound in (low, high):
            top.plot(depths, list(bound), "--", color=SHADES[i % 8], linewidth=0.9)
    top.set(
        ylabel="living networks $P(n, k)$",
        title=f"bounds dashed, $\\ell(n, k) \\leq P(n, k) \\leq v(n, k)$; {_said(level)}",
    )
    for scheme, ax in zip(schemes, panels, strict=True):
        for i, n in enumerate(widths):
            one = found[n, scheme]
            depths = range(1, len(one.living) + 1)
            share = [v / (one.networks * one.points) for v in one.living]
            ax.plot(depths, share, label=f"n = {n}", **_style(i, len(depths)))
            if scheme == "iid":
                ax.plot(depths, [(1 - 2.0**-n) ** k for k in depths], "--", color=SHADES[i % 8], linewidth=0.9)
        if scheme == "sign-flip":
            ax.plot(depths, [2.0**-k for k in depths], ":", color="black", linewidth=1.2, label="$2^{-k}$")
        ax.set(ylabel="living data", title=NAMES[scheme] + (", $\\ell(n, k)$ dashed" if scheme == "iid" else ""))
    for ax in (top, *panels):
        ax.set_xscale("log", base=2)
        ax.set(ylim=(-0.03, 1.03), xlim=(1, max(depths)))
        ax.xaxis.set_major_formatter("{x:g}")
    panels[-1].set_xlabel("layers $k$")
    _legend(figure, panels[-1])
    return figure


def figure_two(
    found: Mapping[int, Survival],
    targets: Sequence[float],
    width_for: Mapping[float, Sequence[int]],
    level: float = 0.95,
) -> Figure:
    """Rister & Rubin, figure 2: along n(k), the width of equation 9, the lower bound stays put and P approaches it.

    Args:
        found: width -> survival with variances. targets: the values of p. width_for: p -> n(k) for k = 1, 2, ...
    """
    figure, (top, middle, bottom) = _canvas(3, 8.0)
    for i, p in enumerate(targets):
        depths = list(range(1, len(width_for[p]) + 1))
        own = [(found[n], n, k) for n, k in zip(width_for[p], depths, strict=True)]
        alive = [(s.alive[k - 1], s.networks) for s, _, k in own]
        intervals = [clopper_pearson(a, total, level) for a, total in alive]
        style = _style(i, len(depths))
        _band(top, depths, intervals, style["color"])
        top.plot(depths, [a / total for a, total in alive], label=f"p = {p:g}", **style)
        top.plot(depths, [(1 - 2.0**-n) ** k for _, n, k in own], "--", color=style["color"], linewidth=0.9)
        normalised = [_variances(s)[k - 1] / max(1, s.alive[k - 1]) for s, _, k in own]
        middle.plot(depths, normalised, label=f"p = {p:g}", **style)
        bottom.step(depths, width_for[p], where="post", label=f"p = {p:g}", **style)
    top.set(
        ylabel="living networks",
        ylim=(-0.03, 1.03),
        title=f"$P(n(k), k)$ solid, $\\ell(n(k), k)$ dashed; {_said(level)}",
    )
    middle.set(ylabel="normalised variance", yscale="log")
    middle.set_ylim(bottom=max(middle.get_ylim()[0], ROUNDING))
    bottom.set(ylabel="width $n(k)$", xlabel="layers $k$")
    for ax in (top, middle, bottom):
        ax.set_xscale("log", base=2)
        ax.xaxis.set_major_formatter("{x:g}")
        ax.set_xlim(1, len(width_for[targets[0]]))
    _legend(figure, top)
    return figure


def _variances(survival: Survival) -> tuple[float, ...]:
    if survival.variance is None:
        raise InputError("figure 2 draws variances: simulate with variance=True")
    return survival.variance


def figure_five(found: Mapping[tuple[int, int], Estimate]) -> Figure:
    """Brownlowe et al., figure 5: the probability against n1 - n0, with the dashed line 4^-(n0 + 1).

    Args:
        found: of :func:`geomrelu.papers.simulations.figure_five`. Intervals narrower than a marker are drawn all the
        same.
    """
    figure, (ax,) = _canvas(1, 4.2)
    inputs = sorted({n0 for n0, _ in found})
    for i, n0 in enumerate(inputs):
        own = sorted((n1 - n0, e) for (m, n1), e in found.items() if m == n0)
        beside = 0.06 * (i - (len(inputs) - 1) / 2)  # intervals of the same n1 - n0 do not hide each other
        x, y = [k + beside for k, _ in own], [e.estimate for _, e in own]
        proved = [e.experiment.proved() is not None for _, e in own]
        below = [0 if p else e.estimate - e.low for p, (_, e) in zip(proved, own, strict=True)]
        above = [0 if p else e.high - e.estimate for p, (_, e) in zip(proved, own, strict=True)]
        style = _style(i, 1, logarithmic=False)
        ax.errorbar(x, y, yerr=[below, above], capsize=3, linewidth=1.4, label=f"$n_0 = {n0}$", **style)
        floor = float(closed_forms.wide_lower_bound(n0))
        ax.axhline(floor, linestyle="--", color=SHADES[i % 8], linewidth=0.9)
        place: dict[str, Any] = {
            "transform": ax.get_yaxis_transform(),
            "va": "bottom",
            "fontsize": 8,
            "color": SHADES[i % 8],
        }
        ax.text(0.01, floor, f"$n_0 = {n0}$: $4^{{-{n0 + 1}}}$", **place)
    levels = sorted({e.level for e in found.values()})
    ax.set(yscale="log", xlabel="$n_1 - n_0$", ylabel="P(stably unactivated)")
    ax.set_title("; ".join(["$4^{-(n_0 + 1)}$ dashed", *map(_said, levels)]))
    ax.xaxis.set_major_locator(_integers())
    _legend(figure, ax)
    return figure


def safe_region(depths: Sequence[int], widths: Mapping[float, Sequence[int]]) -> Figure:
    """Lu et al., the safe operating region: for each depth the least width at which the bound keeps P(dies) below.

    Args:
        depths: numbers of hidden layers. widths: probability -> least width for each depth.
    """
    figure, (ax,) = _canvas(1, 4.0)
    top = max(max(w) for w in widths.values()) + 1
    for i, (p, least) in enumerate(sorted(widths.items(), reverse=True)):
        ax.step(depths, least, where="mid", label=f"P(dies) < {100 * p:g} %", **_style(i, len(depths), False))
        ax.fill_between(depths, least, top, step="mid", color="#000000", alpha=0.06, linewidth=0)
    ax.set(
        xlabel="hidden layers",
        ylabel="width",
        ylim=(0, top),
        xlim=(min(depths), max(depths)),
        title="safe above the lines",
    )
    ax.yaxis.set_major_locator(_integers())
    ax.legend(frameon=False, loc="lower right")
    return figure


def _said(level: float) -> str:
    return f"intervals at {100 * level:g} %"


def _legend(figure: Figure, ax: Axes) -> None:
    """Above all, in one line if seven entries or fewer."""
    handles, labels = ax.get_legend_handles_labels()
    columns = -(-len(labels) // -(-len(labels) // 7))
    figure.legend(handles, labels, ncols=columns, fontsize=8, frameon=False, loc="outside upper center")


def _band(ax: Axes, x: Sequence[int], intervals: Sequence[tuple[float, float]], color: str) -> None:
    low, high = [a for a, _ in intervals], [b for _, b in intervals]
    ax.fill_between(x, low, high, color=color, alpha=0.25, linewidth=0)


def _integers() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(integer=True)
