"""Figures of robustness, slices and leaks hold what they were given."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

from emo_utils import plots


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def lines_of(ax) -> list[list[float]]:
    """Return [low, high] of each horizontal interval drawn, in drawing order."""
    return [
        segment[:, 0].tolist() for c in ax.collections if isinstance(c, LineCollection) for segment in c.get_segments()
    ]


def test_severities_are_curves_over_their_clean_line():
    rows = [("clean", 0, 10, 0.9, 0.8, 1.0)]
    rows += [(name, s, 10, 0.9 - s / 10, 0.8 - s / 10, 1.0 - s / 10) for name in ("blur", "noise") for s in range(1, 6)]
    frame = pd.DataFrame(rows, columns=["corruption", "severity", "n", "accuracy", "low", "high"])
    figure = plots.plot_severities({"mine": frame, "theirs": frame.assign(accuracy=0.5)}, columns=3)
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_title() for ax in shown] == ["blur", "noise"]
    curve, clean = shown[0].lines[:2]
    assert curve.get_ydata() == pytest.approx([0.8, 0.7, 0.6, 0.5, 0.4])
    assert clean.get_ydata() == [0.9, 0.9]
    assert [text.get_text() for text in shown[0].get_legend().get_texts()] == ["mine", "theirs"]
    assert "" not in (figure.get_supxlabel(), figure.get_supylabel(), figure.get_suptitle())


def test_corruptions_are_rows_of_faces():
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 8), dtype=np.uint8)
    figure = plots.plot_corruptions({"blur": images, "low_resolution": images[::-1]})
    assert [ax.get_title() for ax in figure.axes[:7]] == ["as it is", "1", "2", "3", "4", "5", ""]
    assert [ax.get_ylabel() for ax in figure.axes[::6]] == ["blur", "low resolution"]


def test_slices_show_both_intervals_and_small_ones_hollow():
    rows = [("all", "all faces", 50, 0.6, 0.5, 0.7, 0.4, 0.8)]
    rows += [("class", "sad", 45, 0.5, 0.4, 0.6, 0.3, 0.7), ("class", "fear", 5, 0.8, 0.4, 0.9, np.nan, np.nan)]
    ax = plots.plot_slices(
        pd.DataFrame(rows, columns=["slice", "value", "n", "accuracy", "low", "high", "low_all", "high_all"])
    )
    assert [text.get_text() for text in ax.get_yticklabels()] == ["class: sad  (n = 45)", "class: fear  (n = 5)"]
    assert lines_of(ax)[:2] == [[0.3, 0.7], [0.4, 0.6]]
    points = [line for line in ax.lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in points] == [0.5, 0.8]
    assert [line.get_markerfacecolor() == "white" for line in points] == [False, True]
    assert "95 %" in ax.get_xlabel()


def test_leaks_are_gaps_beside_their_accuracies():
    frame = pd.DataFrame(
        {"kind": ["people", "duplicates"], "seed": 0, "leaky": [0.6, 0.5], "clean": [0.2, 0.4]}
        | {"gap": [40, 10], "low": [30, 2], "high": [50, 18]}
    )
    ax = plots.plot_leakage(frame)
    assert lines_of(ax) == [[30, 50], [2, 18]]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["people, seed 0", "duplicates, seed 0"]
    assert {"0.20 → 0.60", "0.40 → 0.50"} <= {text.get_text() for text in ax.texts}
    assert "points" in ax.get_xlabel()
