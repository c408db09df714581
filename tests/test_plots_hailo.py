from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from emo_utils.plots import hailo


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_each_row_of_rounded_maps_has_its_own_scale_of_losses():
    floats, lost = np.arange(4.0).reshape(2, 2), np.array([[0.0, -0.5], [0.25, 0.0]])
    axes = hailo.plot_rounded_maps({"day": (floats, floats, lost), "dark": (floats, floats, 4 * lost)}).axes[:6]
    assert [ax.get_ylabel() for ax in axes[::3]] == ["day", "dark"]
    assert [ax.images[0].get_clim() for ax in axes[2::3]] == [(-0.5, 0.5), (-2, 2)]


def test_noise_leaves_out_what_loses_nothing_and_names_few_layers_and_their_worst_face():
    few = {"input": np.array([np.inf, np.inf]), "conv": np.array([30.0, 40.0]), "logits": np.array([20.0, 30.0])}
    many = {f"layer{i}": np.array([30.0, 31.0]) for i in range(30)}
    first, second = hailo.plot_noise({"small": {"8 bits": few}, "large": {"8 bits": many}}).axes
    assert [label.get_text() for label in first.get_xticklabels()] == ["conv", "logits"]
    assert [list(line.get_ydata()) for line in first.lines[:2]] == [[35, 25], [30, 20]]
    assert [len(line.get_ydata()) for line in second.lines] == [30]


def test_gains_stand_beside_their_price():
    figure = hailo.plot_layer_gains({"conv": 2.5, "logits": -0.1}, {"conv": 0.75, "logits": 0.25})
    texts = [[text.get_text() for text in ax.texts] for ax in figure.axes]
    assert texts == [["+2.5", "-0.1"], ["75 %", "25 %"]]


def test_a_pipeline_has_a_bar_for_each_image_and_stage():
    ax = hailo.plot_pipeline(np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]]), [1.0, 0.5])
    assert len(ax.collections) == 6
    assert [text.get_text() for text in ax.texts] == ["1", "1", "2", "2", "3", "3"]


def test_published_nets_are_ordered_by_speed():
    frame = pd.DataFrame({"name": ["slow", "fast"], "float_accuracy": [75.0, 70.0]})
    frame["chip_accuracy"], frame["per_second"] = frame["float_accuracy"] - 1, [100, 3000]
    accuracy, speed = hailo.plot_published(frame).axes
    assert [label.get_text() for label in accuracy.get_yticklabels()] == ["fast", "slow"]
    assert [text.get_text() for text in speed.texts] == ["3,000", "100"]
