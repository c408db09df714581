"""Figures of a board at work: what it draws, how its times change as it heats up, and what it can afford."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from emo_utils.plots.style import COLORS, new_axes

_MARKERS = "os^DvP"


def plot_power(
    seconds: np.ndarray,
    rails: Mapping[str, np.ndarray],
    load: tuple[float, float],
    *,
    marks: Mapping[str, float] | None = None,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw what the rails of a board carry over time, with the time under load shaded.

    Args:
        seconds: of each reading, shape (n,).
        rails: name -> mW at each reading, shape (n,).
        load: first and last second under load.
        marks: name -> mW, drawn as dashed lines over the whole width.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or new_axes((9.5, 3.6))
    ax.axvspan(*load, color="0.93", label="under load")
    for i, (name, milliwatts) in enumerate(rails.items()):
        ax.plot(seconds, np.asarray(milliwatts) / 1000, color=COLORS[i], linewidth=1.2, label=name)
    for i, (name, milliwatts) in enumerate((marks or {}).items()):
        ax.axhline(milliwatts / 1000, color=COLORS[len(rails) + i], linestyle="--", linewidth=1.4, label=name)
    ax.set(xlabel="seconds", ylabel="watts", ylim=(0, None), xlim=(seconds[0], seconds[-1]), title=title)
    ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    sns.despine(ax=ax)
    return ax


def plot_times(
    seconds: np.ndarray,
    milliseconds: np.ndarray,
    marks: Mapping[str, float],
    *,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw every answer's time over the moment at which it began, and figures that sum the times up.

    Args:
        seconds: when each began, shape (n,).
        milliseconds: how long each took, shape (n,).
        marks: name, e.g. "p90", -> milliseconds.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or new_axes((9.5, 3.6))
    ax.plot(seconds, milliseconds, ".", color="0.6", markersize=2, rasterized=True, label="one answer")
    for color, (name, value) in zip(COLORS, marks.items(), strict=False):
        ax.axhline(value, color=color, linewidth=1.5, label=f"{name} {value:.3g} ms")
    ax.set(xlabel="seconds", ylabel="ms an answer", xlim=(0, seconds[-1]), title=title)
    ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5), markerscale=4)
    sns.despine(ax=ax)
    return ax


def plot_power_budget(
    points: pd.DataFrame, deadline_ms: float, budget_mw: float, *, ax: Axes | None = None, title: str = ""
) -> Axes:
    """Draw the worst times of operating points over the power they take, and the corner that a task allows.

    Args:
        points: one row a point: mode, precision (texts), mean_mw, p99_ms, accuracy (one value a precision, share of 1).
        deadline_ms: at most this at p99.
        budget_mw: at most this on average.
        ax: to draw into; a new one if None. Colour is the precision, marker the mode.
        title: of the Axes.
    """
    ax = ax or new_axes((9.5, 4.2))
    right, top = points["mean_mw"].max() * 1.08 / 1000, points["p99_ms"].max() * 1.12
    ax.fill_between([0, budget_mw / 1000], deadline_ms, color="0.93", label="allowed")
    ax.axhline(deadline_ms, color="0.4", linestyle="--", linewidth=1)
    ax.axvline(budget_mw / 1000, color="0.4", linestyle="--", linewidth=1)
    markers = dict(zip(points["mode"].unique(), _MARKERS, strict=False))
    for color, (precision, rows) in zip(COLORS, points.groupby("precision", sort=False), strict=False):
        ax.plot(rows["mean_mw"] / 1000, rows["p99_ms"], color=color, linewidth=0.8, alpha=0.6)
        for row in rows.itertuples():
            ax.plot(row.mean_mw / 1000, row.p99_ms, markers[row.mode], color=color, markersize=9)
        ax.plot([], [], color=color, linewidth=5, label=f"{precision}, accuracy {rows['accuracy'].iloc[0]:.3f}")
    for mode, marker in markers.items():
        ax.plot([], [], marker, color="0.4", label=mode)
    ax.set(xlim=(0, right), ylim=(0, top), xlabel="mean power of the board (W)", ylabel="p99 of a frame (ms)")
    ax.set_title(title)
    ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    sns.despine(ax=ax)
    return ax
