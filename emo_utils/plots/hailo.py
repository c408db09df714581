"""Figures of a network on its way to an integer chip: values in 8 bits, noise, pipelines, published figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from emo_utils.plots.style import COLORS, new_axes

# A net of more layers has no room for their names.
_MOST_NAMES = 12


def plot_rounded_maps(rows: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]], *, title: str = "") -> Figure:
    """Draw feature maps as floats, as codes of an integer chip, and what is lost between the two.

    Args:
        rows: name -> floats, codes, float minus code times step; each of shape (height, width). Each row has its own
            scale of losses.
        title: of the figure.
    """
    figure, axes = plt.subplots(len(rows), 3, figsize=(9.6, 0.6 + 2.5 * len(rows)), squeeze=False, layout="constrained")
    for line, (name, (floats, codes, lost)) in zip(axes, rows.items(), strict=True):
        limit = np.abs(lost).max() or 1.0
        looks = ({"vmin": 0, "vmax": floats.max()}, {"vmin": 0, "vmax": 255}, {"vmin": -limit, "vmax": limit})
        for ax, image, look, color in zip(line, (floats, codes, lost), looks, ("gray", "gray", "PuOr_r"), strict=True):
            drawn = ax.imshow(image, interpolation="nearest", cmap=color, **look)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
            figure.colorbar(drawn, ax=ax, shrink=0.85)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", labelpad=8)
    for ax, what in zip(axes[0], ("value", "code, 0 to 255", "lost, on a scale of its own"), strict=True):
        ax.set_title(what, fontsize=10)
    figure.suptitle(title)
    return figure


def plot_noise(nets: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]], *, title: str = "") -> Figure:
    """Draw the signal-to-noise ratio along the layers of networks, a panel each: the median face.

    A network of few layers, whose names fit below, has the worst face too. The first setting is drawn wider, to be seen
    where another hides it.

    Args:
        nets: name of a network -> name of a setting -> layer -> decibels of each face, from `layer_noise`. Layers that
            lose nothing are left out.
        title: of the figure.
    """
    figure, axes = plt.subplots(1, len(nets), figsize=(11, 4.4), sharey=True, squeeze=False, layout="constrained")
    for ax, (net, settings) in zip(axes[0], nets.items(), strict=True):
        for number, (name, layers) in enumerate(settings.items()):
            look = {"color": COLORS[number], "lw": 1.5 if number else 3.5}
            kept = {layer: values for layer, values in layers.items() if np.isfinite(values).all()}
            x = np.arange(len(kept))
            ax.plot(x, [np.median(values) for values in kept.values()], label=name, **look)
            if len(x) <= _MOST_NAMES:
                ax.plot(x, [np.min(values) for values in kept.values()], ls=":", **look)
        if len(x) <= _MOST_NAMES:
            ax.set_xticks(x, list(kept), rotation=30, ha="right")
        ax.set(title=f"{net}: {len(x)} places", xlabel="where values are rounded, from the face to the logits")
        ax.grid(axis="y", color="0.9")
        sns.despine(ax=ax)
    axes[0, 0].set_ylabel("signal-to-noise ratio (dB)")
    axes[0, 0].plot([], [], color="0.4", lw=1.5, ls=":", label="dotted: the worst face at each place")
    axes[0, 0].legend(frameon=False, title="median face", alignment="left", loc="upper right")
    figure.suptitle(title)
    return figure


def plot_layer_gains(gains: Mapping[str, float], shares: Mapping[str, float], *, title: str = "") -> Figure:
    """Draw what 16 bits for one layer alone give, beside what they cost.

    Args:
        gains: layer -> decibels gained at the logits.
        shares: the same layers -> share of the network's MACs, 0 to 1.
        title: of the figure.
    """
    figure, axes = plt.subplots(
        1, 2, figsize=(8.5, 0.9 + 0.36 * len(gains)), sharey=True, layout="constrained", width_ratios=(1.4, 1)
    )
    names = list(gains)
    for ax, values, color, text in (
        (axes[0], [gains[name] for name in names], COLORS[0], "{:+.1f}"),
        (axes[1], [100 * shares[name] for name in names], COLORS[1], "{:.0f} %"),
    ):
        bars = ax.barh(names, values, color=color, height=0.65)
        ax.bar_label(bars, [text.format(value) for value in values], padding=3, fontsize=9)
        ax.margins(x=0.2)
        ax.tick_params(axis="y", length=0)
        sns.despine(ax=ax)
    axes[0].axvline(0, color="0.4", lw=0.8)
    axes[0].invert_yaxis()
    axes[0].set_xlabel("gain at the logits (dB)")
    axes[1].set_xlabel("share of the MACs (%)")
    figure.suptitle(title)
    return figure


def plot_pipeline(starts: np.ndarray, durations: Sequence[float], *, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw when each stage of a pipeline works on which image.

    Args:
        starts: float array of shape (n_images, n_stages), ms.
        durations: of the stages, ms.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or new_axes((10, 0.9 + 0.5 * len(durations)))
    for image, row in enumerate(starts):
        color = COLORS[image % len(COLORS)]
        for stage, (start, duration) in enumerate(zip(row, durations, strict=True)):
            ax.broken_barh([(start, duration)], (stage - 0.38, 0.76), facecolor=color, edgecolor="white")
            ax.text(start + duration / 2, stage, str(image + 1), ha="center", va="center", color="white", fontsize=8)
    ax.set_yticks(range(len(durations)), [f"stage {i + 1}" for i in range(len(durations))])
    ax.invert_yaxis()
    ax.set(xlabel="time (ms); the number is that of the image", title=title)
    ax.tick_params(axis="y", length=0)
    sns.despine(ax=ax)
    return ax


def plot_published(frame: pd.DataFrame, *, title: str = "") -> Figure:
    """Draw published accuracy in float and on the chip beside the throughput.

    Args:
        frame: one row a network: name, float_accuracy, chip_accuracy in percent, per_second.
        title: of the figure, with the source.
    """
    rows = frame.sort_values("per_second", ascending=False).reset_index(drop=True)
    figure, axes = plt.subplots(
        1, 2, figsize=(10, 1.2 + 0.36 * len(rows)), sharey=True, layout="constrained", width_ratios=(1.3, 1)
    )
    axes[0].hlines(rows.index, rows["chip_accuracy"], rows["float_accuracy"], color="0.6")
    for column, marker, color, label in (
        ("float_accuracy", "o", COLORS[0], "float"),
        ("chip_accuracy", "s", COLORS[1], "on the chip"),
    ):
        axes[0].plot(rows[column], rows.index, marker, color=color, ms=7, label=label)
    axes[0].set_yticks(rows.index, rows["name"])
    axes[0].invert_yaxis()
    axes[0].grid(axis="x", color="0.9")
    axes[0].set_xlabel("ImageNet top-1 accuracy (%)")
    axes[0].legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False, borderaxespad=0.2)
    bars = axes[1].barh(rows.index, rows["per_second"], color=COLORS[2], height=0.65)
    axes[1].bar_label(bars, [f"{value:,.0f}" for value in rows["per_second"]], padding=3, fontsize=9)
    axes[1].xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes[1].margins(x=0.18)
    axes[1].set_xlabel("images a second, Hailo-8")
    for ax in axes:
        ax.tick_params(axis="y", length=0)
        sns.despine(ax=ax)
    figure.suptitle(title)
    return figure
