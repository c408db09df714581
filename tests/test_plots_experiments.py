from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from emo_utils.plots import plot_choices, plot_cost


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def runs():
    frame = pd.DataFrame({"run_id": ["a", "b", "c"], "val_accuracy": [0.5, 0.6, 0.55], "size_bytes": [1e3, 5e3, None]})
    frame["test_accuracy"] = [0.52, 0.58, 0.5]
    for part in ("val", "test"):
        for end, reach in (("low", -0.02), ("high", 0.02)):
            frame[f"{part}_accuracy_{end}"] = frame[f"{part}_accuracy"] + reach
    return frame


def _legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_a_run_without_the_cost_is_not_drawn_and_the_front_is_joined(runs):
    groups = {"7 classes": runs, "5 classes": runs.head(1)}
    fronts = {"7 classes": np.array([True, True, False]), "5 classes": np.array([True])}
    ax = plot_cost(groups, fronts, "size_bytes")
    points, steps, others, _ = ax.lines
    assert list(points.get_xdata()) == [1, 5]
    assert list(steps.get_xdata()) == [1, 5]
    assert points.get_color() == steps.get_color() != others.get_color()
    assert points.get_marker() != others.get_marker()
    assert _legend(ax) == ["7 classes, 2", "5 classes, 1"]
    assert "kB" in ax.get_xlabel()


def test_a_group_without_any_figure_leaves_the_axes_empty(runs):
    unknown = runs.tail(1)
    ax = plot_cost({"7 classes": unknown}, {"7 classes": np.array([False])}, "size_bytes")
    assert _legend(ax) == ["7 classes, 0"]


def test_a_run_that_was_chosen_twice_shows_both_marks(runs):
    ax = plot_choices(runs, {"best on validation": ["b"], "best on test": ["b", "a"]})
    first, second = (line for line in ax.lines if line.get_label().startswith("best"))
    assert list(first.get_xdata()) == [0.6]
    assert set(second.get_xdata()) == {0.5, 0.6}
    assert first.get_marker() != second.get_marker()
    assert first.get_markersize() > second.get_markersize()
    assert _legend(ax) == ["the same on both", "best on validation", "best on test"]
