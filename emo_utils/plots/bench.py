"""Figures of exported files: whether they answer as their model does, and how fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, PercentFormatter

from emo_utils.plots.style import COLORS, new_axes

# Of a bench file: colour by runtime and precision; what is not here is grey.
_ENGINES = {
    ("keras", "float32"): COLORS[7],
    ("litert", "float32"): COLORS[0],
    ("litert", "float16"): COLORS[9],
    ("litert", "dynamic"): COLORS[4],
    ("litert", "int8"): COLORS[1],
    ("onnxruntime", "float32"): COLORS[2],
}
_MARKERS = "osD^vP*X"


def plot_verifications(frame: pd.DataFrame, *, reference: float, reference_name: str, title: str = "") -> Figure:
    """Draw accuracy and agreement of several ways to run one file, a line each.

    Args:
        frame: one row a way: name, accuracy, agreement (shares of 1), refused (bool).
        reference: an accuracy to compare with, drawn as a line.
        reference_name: what the line says.
        title: of the figure.
    """
    figure, axes = _panels((10, 1.3 + 0.42 * len(frame)), 2)
    for ax, column in zip(axes, ("accuracy", "agreement"), strict=True):
        colors = [COLORS[3] if refused else COLORS[0] for refused in frame["refused"]]
        ax.barh(frame["name"], frame[column], color=colors, height=0.6)
        for y, value in enumerate(frame[column]):
            ax.annotate(
                f"{value:.1%}", (value, y), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
            )  # fmt: skip
        ax.set(xlim=(0, 1.2), xticks=np.linspace(0, 1, 6))
        ax.xaxis.set_major_formatter(PercentFormatter(1))
    line = axes[0].axvline(reference, color="0.3", linestyle=":", label=reference_name)
    axes[0].invert_yaxis()
    axes[0].set_xlabel("accuracy")
    axes[1].set_xlabel("agreement: same class as the model")
    patches = [Patch(color=COLORS[0], label="passes verify_export"), Patch(color=COLORS[3], label="refused")]
    figure.legend(handles=[line, *patches], loc="outside lower center", ncols=3, fontsize=9, frameon=False)
    figure.suptitle(title)
    return figure


def plot_moved(margins: Mapping[str, np.ndarray], n: int, *, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw how sure a model had been of each face whose answer moved, one line a change.

    Args:
        margins: change -> for each moved face the model's first probability less its second, shape (n_moved,).
        n: number of faces that were asked.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or new_axes((9, 1.2 + 0.5 * len(margins)))
    for y, values in enumerate(margins.values()):
        ax.plot(values, np.full(len(values), y), "|", color=COLORS[y], markersize=18, markeredgewidth=2)
    names = [f"{name}\n{len(values)} of {n} moved" for name, values in margins.items()]
    ax.set(yticks=np.arange(len(names)), yticklabels=names, xlim=(-0.02, 1.02), ylim=(len(names) - 0.5, -0.5))
    ax.set(xlabel="how sure the model had been: first probability less second", title=title)
    ax.grid(axis="x", color="0.9")
    sns.despine(ax=ax)
    return ax


def plot_runs(
    runs: Mapping[str, tuple[np.ndarray, np.ndarray]], *, log: bool = False, ax: Axes | None = None, title: str = ""
) -> Axes:
    """Draw the time of each run in the order in which they were made, and the median of each series.

    Args:
        runs: series -> number of each run and its time in milliseconds, both of shape (n,).
        log: a log scale of time, for series with runs that are slower by far.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or new_axes((9, 3.2))
    for color, (name, (numbers, times)) in zip(COLORS, runs.items(), strict=False):
        median = np.median(times)
        ax.plot(numbers, times, ".", color=color, alpha=0.45, markersize=4)
        ax.axhline(median, color=color, linewidth=1.5, label=f"{name}, p50 {median:.3g} ms")
    ax.set(xlabel="number of the run", ylabel="ms a face", title=title)
    if log:
        ax.set(yscale="log", ylabel="ms a face, log")
        _few_plain_ticks(ax.yaxis)
    ax.legend(fontsize=9, framealpha=0.9)
    sns.despine(ax=ax)
    return ax


def plot_percentiles(times: np.ndarray, marks: Mapping[str, float], *, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw which share of the runs was done within a time, and figures that sum the runs up.

    Args:
        times: milliseconds, shape (n,).
        marks: name, e.g. "p90", -> milliseconds.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or new_axes((9, 3.2))
    ax.step(np.sort(times), np.arange(1, len(times) + 1) / len(times), where="post", color="0.3")
    for color, (name, value) in zip(COLORS[1:], marks.items(), strict=False):
        ax.axvline(value, color=color, linewidth=1.5, label=f"{name} {value:.3g} ms")
    ax.set(xscale="log", xlabel="ms a face, log", ylabel="share of runs done", ylim=(0, 1.02), title=title)
    _few_plain_ticks(ax.xaxis)
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(fontsize=9, loc="lower right")
    sns.despine(ax=ax)
    return ax


def plot_throughput(frame: pd.DataFrame, *, title: str = "") -> Figure:
    """Draw faces a second over the size of the batch, a panel for each number of threads.

    Args:
        frame: results of a bench file: runtime, precision, threads, per_second_b1, per_second_b8, per_second_b32.
        title: of the figure.
    """
    threads = sorted(frame["threads"].unique())
    figure, axes = _panels((9.5, 3.4), len(threads))
    batches = (1, 8, 32)
    for ax, count in zip(axes, threads, strict=True):
        for row in frame[frame["threads"] == count].to_dict("records"):
            ax.plot(
                batches,
                [row[f"per_second_b{batch}"] for batch in batches],
                marker="o",
                color=_color(row),
                label=f"{row['runtime']} {row['precision']}",
            )
        ax.set(xscale="log", xticks=batches, xlabel="faces in a batch, log")
        ax.set_title(f"{count:.0f} thread{'s' if count > 1 else ''}", fontsize=10)
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
    axes[0].set(ylabel="faces a second", ylim=(0, None))
    axes[-1].legend(fontsize=9)
    figure.suptitle(title)
    return figure


def plot_latencies(frame: pd.DataFrame, *, title: str = "") -> Figure:
    """Draw p50, p90 and p99 of each result as a point, the end of a thick and the end of a thin line.

    Args:
        frame: results of a bench file at one number of threads: model, runtime, precision, p50_ms, p90_ms, p99_ms. A
            panel a model.
        title: of the figure.
    """
    models = list(dict.fromkeys(frame["model"]))
    rows = [frame[frame["model"] == model].reset_index(drop=True) for model in models]
    heights = [len(mine) for mine in rows]
    first = new_axes((9.5, 1.2 + 0.42 * len(frame)))
    figure: Figure = first.figure
    first.remove()
    axes = figure.subplots(len(models), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for ax, model, mine in zip(axes, models, rows, strict=True):
        for y, row in enumerate(mine.to_dict("records")):
            ax.plot([row["p50_ms"], row["p99_ms"]], [y, y], color=_color(row), linewidth=1)
            ax.plot([row["p50_ms"], row["p90_ms"]], [y, y], color=_color(row), linewidth=5, solid_capstyle="butt")
            ax.plot(row["p50_ms"], y, "o", color=_color(row), markersize=7)
        names = mine["runtime"] + " " + mine["precision"]
        ax.set(xscale="log", yticks=mine.index, yticklabels=names, ylim=(len(mine) - 0.4, -0.6))
        ax.set_title(model, fontsize=10, loc="left")
        ax.grid(axis="x", color="0.9")
        _few_plain_ticks(ax.xaxis)
        sns.despine(ax=ax)
    axes[-1].set_xlabel("ms a face, log: point p50, thick line to p90, thin line to p99")
    figure.suptitle(title)
    return figure


def plot_operating_points(frame: pd.DataFrame, budgets: Mapping[str, Sequence[float]], *, title: str = "") -> Figure:
    """Draw accuracy over time and over bytes: colour by engine, marker by model.

    Args:
        frame: results of a bench file: model, runtime, precision, accuracy, accuracy_low, accuracy_high (shares of 1),
            p90_ms, bytes.
        budgets: "p90_ms" and "bytes" -> limits to draw as dashed lines.
        title: of the figure.
    """
    figure, axes = _panels((10.5, 4.4), 2)
    models = list(dict.fromkeys(frame["model"]))
    markers = dict(zip(models, _MARKERS, strict=False))
    for ax, (column, label, factor) in zip(
        axes, (("p90_ms", "p90 of a face (ms), log", 1), ("bytes", "file (kB), log", 1e-3)), strict=True
    ):
        for row in frame.to_dict("records"):
            spread = [[row["accuracy"] - row["accuracy_low"]], [row["accuracy_high"] - row["accuracy"]]]
            ax.errorbar(
                row[column] * factor,
                row["accuracy"],
                yerr=spread,
                fmt=markers[row["model"]],
                color=_color(row),
                markersize=8,
                linewidth=1,
                alpha=0.85,
            )
        for limit in budgets.get(column, ()):
            ax.axvline(limit * factor, color="0.4", linestyle="--", linewidth=1)
        ax.set(xscale="log", xlabel=label)
        _few_plain_ticks(ax.xaxis)
        ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        ax.grid(axis="y", color="0.9")
    axes[0].set_ylabel("accuracy, 95 % interval")
    for model, marker in markers.items():
        axes[0].plot([], [], marker, color="0.4", label=model)
    for runtime, precision in dict.fromkeys(zip(frame["runtime"], frame["precision"], strict=True)):
        color = _ENGINES.get((runtime, precision), "0.6")
        axes[0].plot([], [], "s", color=color, markersize=9, label=f"{runtime} {precision}")
    figure.legend(loc="outside lower center", ncols=4, fontsize=9, frameon=False)
    figure.suptitle(title)
    return figure


def _panels(size: tuple[float, float], n: int) -> tuple[Figure, np.ndarray]:
    """Return a new figure with n panels side by side that share their vertical axis."""
    first = new_axes(size)
    figure: Figure = first.figure
    first.remove()
    axes = figure.subplots(1, n, sharey=True, squeeze=False)[0]
    for ax in axes:
        sns.despine(ax=ax)
    return figure, axes


def _few_plain_ticks(axis: Axis) -> None:
    """Write 1, 2 and 5 of each decade of a log axis, as plain numbers."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _color(row: Mapping) -> tuple | str:
    return _ENGINES.get((row["runtime"], row["precision"]), "0.6")
