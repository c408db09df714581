"""Figures of the experiment table: what a run cost, and what choosing among runs does to their figures."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, PercentFormatter

from emo_utils.plots.style import COLORS, new_axes

_MARKERS = "osD^vP*X"
# Columns of the sheet `runs`: label, and what turns their unit into that of the label.
_COSTS = {
    "parameters": ("parameters (thousands)", 1e-3),
    "macs": ("MACs a face (millions)", 1e-6),
    "size_bytes": ("file (kB)", 1e-3),
    "latency_p50_ms": ("p50 of a face (ms)", 1.0),
}


def plot_cost(
    groups: Mapping[str, pd.DataFrame],
    fronts: Mapping[str, np.ndarray],
    cost: str,
    *,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw the validation accuracy of runs against one of their costs, and the front of each group as steps.

    Groups are runs whose figures may be compared with each other, e.g. those that know the same classes; each has a
    colour and a marker of its own, and steps of its own.

    Args:
        groups: name -> rows of `read_runs`; those without a figure for the cost are left out.
        fronts: name -> bool array of shape (n_rows,), from `emo_utils.bench.pareto_front(rows, cost, "val_accuracy")`.
        cost: "parameters", "macs", "size_bytes" or "latency_p50_ms"; drawn on a log scale.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or new_axes((6, 4))
    label, factor = _COSTS[cost]
    for color, marker, (name, rows) in zip(COLORS, _MARKERS, groups.items(), strict=False):
        known = rows[rows[cost].notna()]
        ax.plot(
            known[cost] * factor, known["val_accuracy"], marker, color=color, alpha=0.55, label=f"{name}, {len(known)}"
        )
        best = rows[fronts[name]].sort_values([cost, "val_accuracy"])
        ax.step(best[cost] * factor, best["val_accuracy"], where="post", color=color, linewidth=1.5)
    ax.set(xscale="log", xlabel=f"{label}, log", title=title)
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(axis="y", color="0.9")
    ax.legend(fontsize=8, framealpha=0.9)
    sns.despine(ax=ax)
    return ax


def plot_choices(
    rows: pd.DataFrame, chosen: Mapping[str, Collection[str]], *, ax: Axes | None = None, title: str = ""
) -> Axes:
    """Draw test over validation accuracy of each run, with both 95 % intervals, and mark those that were chosen.

    Args:
        rows: of `read_runs`, all with both accuracies.
        chosen: how runs were chosen -> their run_ids. A run that was chosen twice shows both marks.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or new_axes((6.6, 5))
    x, y = rows["val_accuracy"].to_numpy(), rows["test_accuracy"].to_numpy()
    reach = {
        f"{axis}err": np.abs(rows[[f"{part}_accuracy_low", f"{part}_accuracy_high"]].to_numpy().T - values)
        for axis, part, values in (("x", "val", x), ("y", "test", y))
    }
    ax.errorbar(x, y, **reach, fmt="o", markersize=3, color="0.6", ecolor="0.85", linewidth=0.7, zorder=1)
    ends = np.array([min(x.min(), y.min()), max(x.max(), y.max())])
    ax.plot(ends, ends, color="0.4", linestyle=":", linewidth=1, label="the same on both")
    for color, marker, size, (how, run_ids) in zip(COLORS, _MARKERS, (13, 8, 4), chosen.items(), strict=False):
        taken = rows[rows["run_id"].isin(run_ids)]
        ax.plot(
            taken["val_accuracy"], taken["test_accuracy"], marker, color=color, markersize=size, label=how,
            markerfacecolor="none", markeredgewidth=2,
        )  # fmt: skip
    ax.set(xlabel="validation accuracy", ylabel="test accuracy", title=title)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10]))
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.legend(fontsize=9, loc="lower right", framealpha=0.9)
    sns.despine(ax=ax)
    return ax
