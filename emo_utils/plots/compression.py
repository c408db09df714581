"""Figures of compressed models: what was saved, what it cost, and which models are worth their cost.

Those that compare models take a DataFrame with one row a model: name, family (a key of `FAMILIES`), accuracy,
accuracy_low, accuracy_high (shares of 1), parameters, macs, bytes, latency_p50_ms (NaN where no engine runs the model).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, PercentFormatter

from emo_utils.plots.style import COLORS, new_axes

# Colour and marker: either alone tells the families apart.
FAMILIES = {
    "teacher": (COLORS[7], "P"),
    "student": (COLORS[0], "o"),
    "distilled": (COLORS[2], "D"),
    "pruned": (COLORS[1], "s"),
    "quantised": (COLORS[4], "^"),
    "combined": (COLORS[3], "*"),
}
_COSTS = {
    "bytes": ("file (kB)", 1e-3),
    "macs": ("MACs (M)", 1e-6),
    "latency_p50_ms": ("p50 latency (ms)", 1.0),
}


def plot_teacher_student(frame: pd.DataFrame) -> Figure:
    """Draw accuracy and costs of teachers, students and distilled students."""
    return _compare(frame, ("teacher", "student", "distilled"), "Teacher and student")


def plot_pruning(frame: pd.DataFrame) -> Figure:
    """Draw accuracy and costs of the pruned models below the student's."""
    return _compare(frame, ("student", "pruned"), "Structured pruning")


def plot_quantisation(frame: pd.DataFrame) -> Figure:
    """Draw accuracy and costs of the quantised models below the student's."""
    return _compare(frame, ("student", "quantised"), "Quantisation")


def plot_total(frame: pd.DataFrame) -> Figure:
    """Draw accuracy and costs of all models."""
    return _compare(frame, tuple(FAMILIES), "All models")


def plot_pareto(frame: pd.DataFrame, front: np.ndarray, x: str = "bytes", *, ax: Axes | None = None) -> Axes:
    """Draw accuracy against one cost; the models that no other one beats are joined and named.

    Args:
        frame: see the module.
        front: bool array of shape (n_models,), from `emo_utils.bench.pareto_front(frame, x)`.
        x: "bytes", "macs" or "latency_p50_ms"; drawn on a log scale, models without it left out.
    """
    ax = ax or new_axes((8.4, 5))
    label, factor = _COSTS[x]
    for family, (color, marker) in FAMILIES.items():
        for chosen, alpha, drawn in ((front, 1.0, family), (~front, 0.35, None)):
            rows = frame[chosen & (frame["family"] == family).to_numpy() & frame[x].notna().to_numpy()]
            if drawn is None and rows.empty:
                continue
            _points(ax, rows[x] * factor, rows, color, marker, alpha)
        if (frame["family"] == family).any():
            ax.plot([], [], marker, color=color, label=family)
    best = frame[front].sort_values(x)
    ax.step(best[x] * factor, best["accuracy"], where="post", color="0.4", linewidth=1, zorder=1, label="Pareto front")
    # A row for each name, the cheapest on top: no name meets another, and no line to a point crosses one.
    low, high = frame["accuracy_low"].min(), frame["accuracy_high"].max()
    ax.set_ylim(low - 0.05 * (high - low), low + (high - low) / (0.93 - 0.05 * len(best)))
    for i, (name, cost, accuracy) in enumerate(zip(best["name"], best[x] * factor, best["accuracy"], strict=True)):
        ax.annotate(
            name, (cost, accuracy), xytext=(cost, 0.98 - 0.05 * i), textcoords=ax.get_xaxis_transform(), fontsize=8,
            va="top", arrowprops={"arrowstyle": "-", "color": "0.7", "linewidth": 0.6, "relpos": (0, 0.5)},
        )  # fmt: skip
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    costs = frame[x] * factor
    ax.set_xlim(costs.min() / 1.3, costs.max() * (costs.max() / costs.min()) ** 0.25)  # room for the last name
    ax.set(title="What accuracy costs: towards the upper left is better", xlabel=f"{label}, log scale")
    ax.set_ylabel("test accuracy, 95 % interval")
    ax.legend(loc="lower right", fontsize=8, framealpha=0.9)
    sns.despine(ax=ax)
    return ax


def plot_weight_grids(panels: Mapping[str, tuple[np.ndarray, np.ndarray]], *, title: str = "") -> Figure:
    """Draw histograms of weights, each over the values that a grid leaves them as thin lines.

    Args:
        panels: name -> weights of shape (n,), values of the grid of shape (n_values,). All share one horizontal axis.
        title: of the figure.
    """
    first = new_axes((10, 0.6 + 1.25 * len(panels)))
    figure: Figure = first.figure
    first.remove()
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for ax, (name, (weights, grid)) in zip(axes, panels.items(), strict=True):
        ax.vlines(grid, 0, 1, transform=ax.get_xaxis_transform(), color=COLORS[1], linewidth=0.8, zorder=0)
        ax.hist(weights, bins=40, color=COLORS[0], alpha=0.8)
        ax.set_title(f"{name}: {len(grid)} values", fontsize=10, loc="left")
        ax.set_ylabel("count")
        sns.despine(ax=ax)
    axes[-1].set_xlabel("value of a weight; lines: what it may become")
    figure.suptitle(title)
    return figure


def _compare(frame: pd.DataFrame, families: tuple[str, ...], title: str) -> Figure:
    """Draw a panel for accuracy and one for each cost, a line a model; dotted lines carry the student's figures."""
    rows = frame[frame["family"].isin(families)].reset_index(drop=True)
    first = new_axes((11, 1.5 + 0.32 * len(rows)))
    figure: Figure = first.figure
    first.remove()
    costs = {
        cost: how for cost, how in _COSTS.items() if rows[cost].nunique(dropna=False) > 1
    }  # one that is the same says nothing
    axes = figure.subplots(1, 1 + len(costs), sharey=True, width_ratios=(1.5, *(1,) * len(costs)))
    figure.suptitle(title)
    for family in families:
        color, marker = FAMILIES[family]
        mine = rows[rows["family"] == family]
        axes[0].errorbar(
            mine["accuracy"], mine.index, xerr=_interval(mine), fmt=marker, color=color, markersize=6, linewidth=1.2
        )
        for ax, (cost, (_, factor)) in zip(axes[1:], costs.items(), strict=True):
            ax.plot(mine[cost] * factor, mine.index, marker, color=color, markersize=6)
    axes[0].set(yticks=rows.index, yticklabels=rows["name"], xlabel="test accuracy, 95 % interval")
    axes[0].xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes[0].xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes[0].margins(y=0.6 / len(rows))
    axes[0].invert_yaxis()
    axes[0].grid(axis="x", color="0.9")
    for ax, (cost, (label, factor)) in zip(axes[1:], costs.items(), strict=True):
        values = rows[cost] * factor
        ax.set(xscale="log", xlabel=f"{label}, log")
        ax.set_xlim(values.min() / 1.5, values.max() * max(2.0, (values.max() / values.min()) ** 0.6))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
        for y, value in enumerate(values):
            known = not np.isnan(value)
            text = "not run" if not known else f"{value:.3g}" if value < 100 else f"{value:,.0f}"
            ax.annotate(
                text, (value if known else 1, y), xytext=(6 if known else 0, 0), textcoords="offset points", fontsize=8,
                va="center", ha="left" if known else "right",
                xycoords="data" if known else ax.get_yaxis_transform(),
            )  # fmt: skip
        ax.tick_params(axis="y", length=0)
    for ax, (column, factor) in zip(axes, [("accuracy", 1.0), *((c, f) for c, (_, f) in costs.items())], strict=True):
        for value in rows.loc[rows["family"] == "student", column]:
            ax.axvline(value * factor, color=FAMILIES["student"][0], linewidth=0.8, linestyle=":", zorder=0)
    for ax in axes:
        sns.despine(ax=ax)
    return figure


def _points(ax: Axes, costs: pd.Series, rows: pd.DataFrame, color, marker: str, alpha: float) -> None:
    ax.errorbar(
        costs, rows["accuracy"], yerr=_interval(rows), fmt=marker, color=color, alpha=alpha, markersize=7, linewidth=1
    )


def _interval(rows: pd.DataFrame) -> np.ndarray:
    return np.abs(rows[["accuracy_low", "accuracy_high"]].to_numpy().T - rows["accuracy"].to_numpy())
