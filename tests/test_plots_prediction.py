"""Figures of a prediction show the faces, the answer and the threshold; the pixels are looked at by people."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from emo_utils.plots import COLORS, plot_boxes, plot_prediction, plot_sure


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


def test_every_face_gets_a_frame_and_the_chosen_one_another_colour():
    ax = plot_boxes(np.zeros((40, 60, 3), np.uint8), [(2, 3, 20, 20), (30, 5, 10, 10)], chosen=1)
    frames = [patch for patch in ax.patches if to_rgb(patch.get_edgecolor()) != (1, 1, 1)]
    assert [frame.get_xy() for frame in frames] == [(2, 3), (30, 5)]
    assert [to_rgb(frame.get_edgecolor()) for frame in frames] == [COLORS[0], COLORS[1]]
    assert [text.get_text() for text in ax.texts] == ["1", "2"]


def test_a_single_face_needs_no_number():
    assert not plot_boxes(np.zeros((40, 60), np.uint8), [(2, 3, 20, 20)]).texts


@pytest.mark.parametrize(("threshold", "color"), [(0, COLORS[1]), (0.6, COLORS[1]), (0.61, (0.45, 0.45, 0.45))])
def test_the_answer_stands_out_only_if_it_is_sure(threshold, color):
    ax = plot_sure([0.1, 0.6, 0.3], ["angry", "happy", "sad"], not_sure_below=threshold)
    assert to_rgb(ax.patches[1].get_facecolor()) == pytest.approx(color)
    assert len(ax.lines) == (threshold > 0)


def test_the_axis_is_in_percent_with_the_first_class_on_top():
    ax = plot_sure([0.25, 0.75], ["angry", "happy"], not_sure_below=0.5)
    ax.figure.canvas.draw()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0%", "25%", "50%", "75%", "100%"]
    assert ax.yaxis_inverted()
    assert [text.get_text() for text in ax.texts] == ["25%", "75%", "not sure below 50%"]


def test_heat_is_drawn_over_the_face_and_named():
    face = np.zeros((48, 48), np.uint8)
    answer = {"happy": 0.7, "sad": 0.3}
    plain = plot_prediction(face, [(0, 0, 48, 48)], face, answer)
    hot = plot_prediction(face, [(0, 0, 48, 48)], face, answer, heat=np.ones((48, 48), np.float32))
    assert [len(figure.axes[1].images) for figure in (plain, hot)] == [1, 2]
    assert "Grad-CAM" in hot.axes[1].get_title()
