"""Figures hold what they were given: bars as long as the numbers, axes with names, nothing shown or left out."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color

from emo_utils import plots
from emo_utils.datasets import from_arrays
from emo_utils.evaluation import classification_metrics

NAMES = ("happy", "sad", "fear")


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def faces() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 8, 8), dtype=np.uint8)


def shown_images(figure) -> list[np.ndarray]:
    return [np.asarray(image.get_array()) for ax in figure.axes for image in ax.get_images()]


def test_faces_fill_the_grid_in_order_on_one_grey_scale(faces):
    figure = plots.plot_faces(faces, list("abcde"), columns=3, title="Five")
    assert len(figure.axes) == 6
    np.testing.assert_array_equal(shown_images(figure), faces)
    assert [ax.get_title() for ax in figure.axes] == [*"abcde", ""]
    assert {image.get_clim() for ax in figure.axes for image in ax.get_images()} == {(0, 255)}


def test_examples_give_each_class_its_row_even_a_small_one(faces):
    data = from_arrays(faces, [0, 0, 0, 0, 1], NAMES)
    figure = plots.plot_examples(data, per_class=3)
    rows = np.reshape([len(ax.get_images()) for ax in figure.axes], (3, 3)).sum(axis=1)
    assert rows.tolist() == [3, 1, 0]
    assert [ax.get_ylabel() for ax in figure.axes[::3]] == list(NAMES)
    again = plots.plot_examples(data, per_class=3)
    np.testing.assert_array_equal(shown_images(figure), shown_images(again))


def test_class_counts_are_the_bars(faces):
    counts = {"train": {"happy": 3, "sad": 1}, "test": {"happy": 2, "sad": 0}}
    ax = plots.plot_class_counts(counts)
    assert [[bar.get_height() for bar in bars] for bars in ax.containers] == [[3, 1], [2, 0]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["train", "test"]
    assert "" not in (ax.get_xlabel(), ax.get_ylabel(), ax.get_title())


def test_learning_curves_mark_the_epoch_that_was_kept():
    curves = [
        {"stage": stage, "epoch": epoch, "loss": 1.0, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": accuracy}
        for stage, epoch, accuracy in (("head", 1, 0.4), ("head", 2, 0.7), ("all", 3, 0.6))
    ]
    figure = plots.plot_learning_curves(curves)
    labels = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert "best epoch (2)" in labels
    boundaries = [line for line in figure.axes[0].lines if list(line.get_xdata()) == [2.5, 2.5]]
    assert len(boundaries) == 1


def test_confusion_shows_shares_by_row_and_survives_an_empty_row():
    counts = np.array([[3, 1, 0], [0, 0, 0], [1, 0, 1]])
    ax = plots.plot_confusion(counts, NAMES)
    assert [text.get_text() for text in ax.texts][:4] == ["75%\n(3)", "25%\n(1)", "0%\n(0)", "0%\n(0)"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true")


def test_recalls_stand_over_their_classes_and_numbers_of_faces():
    metrics = classification_metrics(np.array([0, 0, 1, 1, 2]), np.eye(3)[[0, 1, 1, 1, 2]], NAMES)
    ax = plots.plot_recalls(metrics["per_class"])
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels == [f"{name}\nn = {n}" for name, n in zip(NAMES, (2, 2, 1), strict=True)]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.5, 1.0, 1.0])


def test_probabilities_stand_out_where_highest():
    ax = plots.plot_probabilities([0.2, 0.7, 0.1], NAMES)
    bars = ax.containers[0]
    assert [bar.get_width() for bar in bars] == [0.2, 0.7, 0.1]
    different = [not same_color(bar.get_facecolor(), plots.COLORS[0]) for bar in bars]
    assert different == [False, True, False]


def test_answer_sets_the_face_beside_its_probabilities(faces):
    figure = plots.plot_answer(faces[0], [0.2, 0.7, 0.1], NAMES, title="face 0")
    np.testing.assert_array_equal(shown_images(figure)[0], faces[0])
    assert [bar.get_width() for bar in figure.axes[1].containers[0]] == [0.2, 0.7, 0.1]


@pytest.mark.parametrize("largest", [0.0, 3.0])
def test_differences_have_zero_in_the_middle_of_the_scale(largest):
    images = np.zeros((2, 4, 4))
    images[1, 0, 0] = largest
    figure = plots.plot_differences(images, ["a", "b"])
    low, high = figure.axes[0].get_images()[0].get_clim()
    assert low == -high < 0
    assert high >= largest


def test_rows_of_faces_keep_their_names_and_may_end_early(faces):
    figure = plots.plot_face_rows({"flip": faces[:3], "shift": faces[3:]})
    np.testing.assert_array_equal(shown_images(figure), faces)
    assert [ax.get_ylabel() for ax in figure.axes[::3]] == ["flip", "shift"]


def test_accuracies_stand_within_their_intervals_beside_the_guess():
    metrics = {
        name: {"accuracy": a, "accuracy_low": a - 0.1, "accuracy_high": a + 0.2} for name, a in (("x", 0.4), ("y", 0.7))
    }
    ax = plots.plot_accuracies(metrics, reference=0.25)
    points, _, (bars,) = ax.containers[0]
    np.testing.assert_allclose(points.get_xdata(), [0.4, 0.7])
    np.testing.assert_allclose([bar[:, 0] for bar in bars.get_segments()], [[0.3, 0.6], [0.6, 0.9]])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["x", "y"]
    assert any(list(line.get_xdata()) == [0.25, 0.25] for line in ax.lines)
    assert ax.texts[-1].get_text() == "always the most frequent class"
    other = plots.plot_accuracies(metrics, reference=0.25, reference_name='always "sad"')
    assert other.texts[-1].get_text() == 'always "sad"'


def test_axes_that_are_given_are_drawn_into():
    _, ax = plt.subplots()
    assert plots.plot_probabilities([0.5, 0.5], NAMES[:2], ax=ax) is ax
    assert plots.plot_confusion(np.eye(2, dtype=int), NAMES[:2], ax=ax) is ax


def test_seeds_are_points_with_their_intervals_and_a_bar_at_the_mean():
    runs = {
        "none": [{"accuracy": 0.5, "macro_f1": 0.2}, {"accuracy": 0.7, "macro_f1": 0.4}],
        "focal": [{"accuracy": 0.8, "accuracy_low": 0.75, "accuracy_high": 0.9, "macro_f1": 0.1}],
    }
    figure = plots.plot_seeds(runs, ["accuracy", "macro_f1"], title="Seeds")
    accuracy, macro_f1 = figure.axes
    np.testing.assert_allclose(np.concatenate([line.get_xdata() for line in accuracy.lines]), [0.5, 0.7, 0.8])
    lines = [line[:, 0] for collection in accuracy.collections for line in collection.get_segments()]
    np.testing.assert_allclose(lines, [[0.6, 0.6], [0.8, 0.8], [0.75, 0.9]])
    assert [label.get_text() for label in accuracy.get_yticklabels()] == ["none", "focal"]
    assert macro_f1.get_xlabel() == "macro f1"
    assert len(macro_f1.collections) == 2  # no interval was given


def test_label_curves_go_through_the_mean_of_the_draws_inside_their_band():
    def draw(accuracy):
        return {"accuracy": accuracy, "accuracy_low": accuracy - 0.1, "accuracy_high": accuracy + 0.2}

    metrics = {"features": [[draw(0.3), draw(0.5)], [draw(0.6)]], "pixels": [[draw(0.2)], [draw(0.4)]]}
    ax = plots.plot_label_curves([20, 200], metrics, reference=0.25, reference_name='always "sad"')
    line, points, other = ax.lines[:3]
    np.testing.assert_allclose(line.get_ydata(), [0.4, 0.6])
    np.testing.assert_allclose(points.get_xydata(), [[20, 0.3], [20, 0.5], [200, 0.6]])
    np.testing.assert_allclose(other.get_ydata(), [0.2, 0.4])
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    np.testing.assert_allclose([heights.min(), heights.max()], [0.3, 0.8])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["features", "pixels", 'always "sad"']
    assert [label.get_text() for label in ax.get_xticklabels()] == ["20", "200"]


def test_lines_run_over_x_and_are_named():
    ax = plots.plot_lines([0, 1, 2], {"a": [1, 2, 3], "b": [3, 2, 1]}, xlabel="step", ylabel="rate")
    np.testing.assert_array_equal([line.get_xydata() for line in ax.lines][1], [[0, 3], [1, 2], [2, 1]])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "rate")
