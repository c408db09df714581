from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from emo_utils.plots import plot_power, plot_power_budget, plot_times


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def _legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_rails_are_drawn_in_watts_and_the_load_is_shaded():
    ax = plot_power(np.arange(3.0), {"POM_5V_IN": [1000, 4000, 4000]}, (1, 2), marks={"mean": 3000})
    board, mean = ax.lines
    assert list(board.get_ydata()) == [1, 4, 4]
    assert list(mean.get_ydata()) == [3, 3]
    assert _legend(ax) == ["under load", "POM_5V_IN", "mean"]


def test_each_time_and_each_summary_is_drawn():
    ax = plot_times(np.arange(4.0), np.array([2, 2, 2, 3.0]), {"p50": 2.0, "p99": 2.97})
    points, *marks = ax.lines
    assert list(points.get_ydata()) == [2, 2, 2, 3]
    assert [line.get_ydata()[0] for line in marks] == [2.0, 2.97]
    assert _legend(ax)[1:] == ["p50 2 ms", "p99 2.97 ms"]


def test_a_point_has_the_colour_of_its_precision_and_the_marker_of_its_mode():
    points = pd.DataFrame({"mode": ["slow", "fast"] * 2, "precision": ["float32"] * 2 + ["int8"] * 2})
    points["mean_mw"], points["p99_ms"] = [3000, 6000, 2800, 4000], [60, 30, 25, 14]
    points["accuracy"] = [0.91, 0.91, 0.9, 0.9]
    ax = plot_power_budget(points, 33, 5000)
    drawn = {(x, y): line for line in ax.lines if len(line.get_xdata()) == 1 for x, y in [line.get_xydata()[0]]}
    assert set(drawn) == {(3, 60), (6, 30), (2.8, 25), (4, 14)}
    assert drawn[3, 60].get_color() == drawn[6, 30].get_color() != drawn[4, 14].get_color()
    assert drawn[6, 30].get_marker() == drawn[4, 14].get_marker() != drawn[3, 60].get_marker()
    assert ax.get_xlim()[0] == ax.get_ylim()[0] == 0
    assert _legend(ax) == ["allowed", "float32, accuracy 0.910", "int8, accuracy 0.900", "slow", "fast"]
