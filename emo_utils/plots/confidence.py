"""Confidence: is it honest, what is it good for, and how well does it rank the faces of a class?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emo_utils.plots.style import COLORS, new_axes


def plot_reliability(reliabilities: Mapping[str, Mapping[str, Any]], *, title: str = "") -> Figure:
    """Draw accuracy over confidence, a panel a model or state of it, with the number of faces by bin below.

    Args:
        reliabilities: name of a panel -> what `emo_utils.evaluation.reliability` returns.
        title: of the figure.
    """
    n = len(reliabilities)
    figure, axes = plt.subplots(
        2, n, figsize=(4.3 * n, 5.2), squeeze=False, sharex=True, height_ratios=(3, 1), layout="constrained"
    )
    for (name, r), (upper, lower) in zip(reliabilities.items(), axes.T, strict=True):
        used = r["count"] > 0
        accuracy = r["accuracy"][used]
        spread = np.maximum([accuracy - r["low"][used], r["high"][used] - accuracy], 0)
        upper.plot([0, 1], [0, 1], color="0.5", ls=":", label="honest: as often right as it says")
        upper.errorbar(
            r["confidence"][used], accuracy, yerr=spread, fmt="o-", ms=4, capsize=3, color=COLORS[0], label="the model"
        )
        upper.set(xlim=(0, 1), ylim=(0, 1.02), title=f"{name}: ECE {r['ece']:.3f}")
        centre = (r["edges"][1:] + r["edges"][:-1]) / 2
        lower.bar(centre, r["count"], width=0.9 * np.diff(r["edges"]), color=COLORS[0])
        lower.set(xlabel="confidence (mean of a bin)")
        for ax in (upper, lower):
            ax.spines[["top", "right"]].set_visible(False)
    axes[0, 0].set_ylabel("accuracy, with 95 % interval")
    axes[1, 0].set_ylabel("faces")
    axes[0, 0].legend(frameon=False, loc="lower right", fontsize=9)
    if title:
        figure.suptitle(title)
    return figure


def plot_risk_coverage(
    curves: Mapping[str, Mapping[str, Any]],
    *,
    chosen: tuple[float, float] | None = None,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw the share of wrong answers over the share of faces answered, a line a model.

    Args:
        curves: name -> what `emo_utils.evaluation.risk_coverage` returns.
        chosen: coverage and risk of a threshold that was chosen elsewhere, to be marked.
        ax: to draw into; a new one if None.
        title: of the Axes.
    """
    ax = ax or new_axes(size=(7, 4))
    for i, (name, curve) in enumerate(curves.items()):
        ax.plot(
            curve["coverage"],
            curve["risk"],
            color=COLORS[i],
            ls=("-", "--", "-.", ":")[i % 4],
            label=f"{name} (area {curve['aurc']:.3f})",
        )
    if chosen is not None:
        ax.plot(*chosen, "o", ms=9, mfc="none", mew=2, color="0.2", label="threshold chosen on validation")
    ax.set(xlim=(0, 1.01), ylim=(0, None), xlabel="share of faces answered (coverage)")
    ax.set(ylabel="share of these answers that are wrong", title=title or "The surest answers first")
    ax.grid(axis="y", color="0.9")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="upper left")
    return ax


def plot_ranking(curves: Mapping[str, Mapping[str, Any]], *, title: str = "") -> Figure:
    """Draw the ROC and the precision-recall curve of each class against the rest.

    Args:
        curves: what `emo_utils.evaluation.ranking.ranking_curves` returns.
        title: of the figure.
    """
    figure, (roc, pr) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    styles: Sequence[str] = ("-", "--", "-.", ":")
    for i, (name, c) in enumerate(curves.items()):
        look = {"color": COLORS[i % len(COLORS)], "ls": styles[i % 4]}
        roc.plot(c["false_positive_rate"], c["true_positive_rate"], label=f"{name} ({c['roc_auc']:.2f})", **look)
        label = f"{name} ({c['average_precision']:.2f}, chance {c['share']:.2g})"
        pr.plot(c["recall"], c["precision"], label=label, **look)
    roc.plot([0, 1], [0, 1], color="0.5", lw=1)
    roc.set(xlabel="false positive rate", ylabel="true positive rate", title="ROC (area in brackets)")
    pr.set(xlabel="recall", ylabel="precision", title="Precision and recall (average precision in brackets)")
    for ax in (roc, pr):
        ax.set(xlim=(0, 1), ylim=(0, 1.02))
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    if title:
        figure.suptitle(title)
    return figure
