from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from emo_utils import plots

NAMES = ("happy", "sad", "fear")


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def table(model):
    figures = {"n": [3.2, 0.0, 6.8], "model": model, "rater": [0.4, np.nan, 0.9]}
    frame = pd.DataFrame(figures, index=["up to 50%", "50% to 90%", "over 90%"])
    for name in ("model", "rater"):
        frame[f"{name}_low"], frame[f"{name}_high"] = frame[name] - 0.05, frame[name] + 0.1
    return frame


def test_accuracy_by_agreement_has_points_with_intervals_and_the_rater_as_a_line():
    ax = plots.plot_accuracy_by_agreement({"a": table([0.3, np.nan, 0.8]), "b": table([0.2, np.nan, 0.7])})
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one rater", "a", "b"]
    np.testing.assert_allclose(np.asarray(ax.lines[0].get_ydata(), float), [0.4, np.nan, 0.9])
    points = [np.asarray(container[0].get_ydata(), float) for container in ax.containers]
    np.testing.assert_allclose(points, [[0.3, np.nan, 0.8], [0.2, np.nan, 0.7]])
    (bars,) = ax.containers[0][2]
    segments = [bar[:, 1] for bar in bars.get_segments() if len(bar) == 2 and np.isfinite(bar).all()]
    np.testing.assert_allclose(segments, [[0.25, 0.4], [0.75, 0.9]])
    assert [label.get_text() for label in ax.get_xticklabels()] == [
        "up to 50%\nn ≈ 3",
        "50% to 90%\nn ≈ 0",
        "over 90%\nn ≈ 7",
    ]
    assert "" not in (ax.get_xlabel(), ax.get_ylabel(), ax.get_title())


def test_faces_stand_above_their_votes_and_probabilities():
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8), dtype=np.uint8)
    votes = np.array([[3, 1, 0], [0, 0, 0]])
    probabilities = np.array([[0.2, 0.7, 0.1], [0.3, 0.3, 0.4]])
    figure = plots.plot_faces_with_votes(images, votes, probabilities, NAMES, titles=["a", "b"], title="Two")
    faces, bars = np.reshape(figure.axes, (2, 2))
    for i in range(2):
        np.testing.assert_array_equal(faces[i].get_images()[0].get_array(), images[i])
    widths = [[[bar.get_width() for bar in group] for group in ax.containers] for ax in bars]
    np.testing.assert_allclose(widths, [[[0.75, 0.25, 0], [0.2, 0.7, 0.1]], [[0, 0, 0], [0.3, 0.3, 0.4]]])
    assert [label.get_text() for label in bars[0].get_yticklabels()] == list(NAMES)
    assert [ax.get_title() for ax in faces] == ["a", "b"]
