"""Heat against the truth of the embedded faces, galleries of faces, and their figures."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from conftest import REPO

from emo_utils.errors import DataError
from emo_utils.evaluation.explain import (
    captions,
    grad_cam,
    heat_share,
    heat_share_table,
    most_confident_errors,
    most_uncertain,
)
from emo_utils.faces import make_faces, parts_mask
from emo_utils.models import build_model, load_model
from emo_utils.plots.explain import plot_heat, plot_heat_shares
from emo_utils.recipe import Recipe


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def quarters(*cells: tuple[int, int]) -> np.ndarray:
    """Return a mask of 4 x 4 pixels whose named quarters are True."""
    mask = np.zeros((4, 4), bool)
    for row, column in cells:
        mask[2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = True
    return mask


def test_heat_share_of_constructed_heat():
    mask = np.stack([quarters((0, 0))] * 6)
    heat = np.zeros((6, 4, 4))
    heat[0] = 7.0  # even
    heat[1][quarters((0, 0))] = 2.0  # all on the mask
    heat[2][quarters((1, 1))] = 2.0  # all beside it
    heat[3][quarters((0, 0))], heat[3][quarters((0, 1))] = 3.0, 1.0
    heat[4][quarters((0, 0))], heat[4][quarters((1, 0))] = 1.0, -9.0  # what speaks against the class is no heat
    np.testing.assert_allclose(heat_share(heat, mask), [0.25, 1, 0, 0.75, 1, np.nan])


@pytest.mark.parametrize("mask", [np.ones((2, 4, 5), bool), np.ones((2, 4, 4)), np.ones((1, 4, 4), bool)])
def test_heat_and_mask_must_fit(mask):
    with pytest.raises(DataError, match="Heat and mask must have the same shape"):
        heat_share(np.ones((2, 4, 4)), mask)


def test_the_table_gives_shares_by_emotion_and_leaves_out_what_has_none():
    rng = np.random.default_rng(0)
    emotions = np.array(["sad", "happy", "neutral", "sad"] * 30)
    mask = np.stack([{"sad": quarters((0, 0)), "happy": quarters((0, 0), (0, 1))}.get(e, quarters()) for e in emotions])
    heat = rng.random((120, 4, 4)) + 2 * (mask & (emotions == "sad")[:, None, None])
    heat[0] = 0
    table = heat_share_table(heat, mask, emotions, groups=np.arange(120) // 4)
    assert list(table.index) == ["happy", "sad", "all"]
    assert table["faces"].tolist() == [30, 59, 89]
    assert table["left_out"].tolist() == [0, 1, 31]
    assert table["area_share"].tolist()[:2] == [0.5, 0.25]
    shares = heat_share(heat, mask)
    assert table.loc["sad", "heat_share"] == pytest.approx(np.nanmean(shares[emotions == "sad"]))
    assert table.loc["sad", "gain"] == pytest.approx(table.loc["sad", "heat_share"] / 0.25)
    assert table.loc["sad", "gain_low"] > 1.5
    assert table.loc["happy", "gain_low"] < 1 < table.loc["happy", "gain_high"]
    for figure in ("heat_share", "gain"):
        assert (table[figure + "_low"] < table[figure]).all()
        assert (table[figure] < table[figure + "_high"]).all()


def test_even_heat_gains_nothing():
    faces = make_faces(30, people=6)
    emotions = np.array(faces.class_names)[faces.true_labels]
    table = heat_share_table(np.ones(faces.images.shape), parts_mask(faces), emotions, groups=faces.people)
    np.testing.assert_allclose(table[["gain", "gain_low", "gain_high"]], 1)
    assert "neutral" not in table.index


def test_the_shipped_model_looks_where_the_emotion_is_and_an_untrained_one_hardly_does():
    trained, info = load_model(REPO / "model" / "embedded-small-cnn.keras")
    untrained = build_model(Recipe.from_dict(info["recipe"]))
    faces = make_faces(150, people=30, seed=9)  # people that it has not been trained on
    emotions = np.array(faces.class_names)[faces.true_labels]
    mask = parts_mask(faces)
    gain = [
        heat_share_table(grad_cam(model, faces.images, layer="block3_relu"), mask, emotions, groups=faces.people)
        for model in (trained, untrained)
    ]
    assert gain[0].loc["all", "gain_low"] > 1.3
    assert gain[0].loc["all", "gain_low"] > gain[1].loc["all", "gain_high"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"emotions": np.array(["sad"])}, "2 faces but 1 emotions"),
        ({"mask": np.zeros((2, 4, 4), bool)}, "None of the 2 faces"),
        ({"groups": np.array(["p1"])}, "groups"),
    ],
)
def test_a_table_of_arrays_that_do_not_fit_is_refused(change, words):
    good = {"heat": np.ones((2, 4, 4)), "mask": np.ones((2, 4, 4), bool), "emotions": np.array(["sad", "sad"])}
    with pytest.raises(DataError, match=words):
        heat_share_table(**(good | change))


def test_galleries_pick_the_faces_they_promise():
    probabilities = np.array([[0.9, 0.05, 0.05], [0.4, 0.3, 0.3], [0.1, 0.2, 0.7], [0.2, 0.6, 0.2], [0.5, 0.5, 0.0]])
    labels = np.array([1, 0, 0, 2, 0])
    assert most_confident_errors(labels, probabilities).tolist() == [0, 2, 3]
    assert most_confident_errors(labels, probabilities, n=2).tolist() == [0, 2]
    assert most_uncertain(probabilities, n=3).tolist() == [1, 3, 2]
    assert captions(labels[:1], probabilities[:1], ("happy", "sad", "fear")) == ["sad\n→ happy 90%"]
    for pick in (lambda p: most_confident_errors(labels, p), most_uncertain):
        with pytest.raises(DataError, match="hold NaN"):
            pick(np.where(probabilities == 0.9, np.nan, probabilities))


def test_heat_is_drawn_over_each_face_with_a_scale_of_its_own():
    faces = np.random.default_rng(0).integers(0, 256, (3, 8, 8), dtype=np.uint8)
    cam, drop = np.random.default_rng(1).random((2, 3, 8, 8)) - [[[[0]]], [[[0.5]]]]
    figure = plot_heat(faces, {"Grad-CAM": cam, "Occlusion": drop}, ["a", "b", "c"], title="Why?")
    grid = np.reshape(figure.axes[:12], (3, 4))
    assert [ax.get_title() for ax in grid[0, :3]] == ["a", "b", "c"]
    for row, heat in ((1, cam), (2, drop)):
        for ax, image, one in zip(grid[row, :3], faces, heat, strict=True):
            below, above = ax.get_images()
            np.testing.assert_array_equal(below.get_array(), image)
            np.testing.assert_array_equal(above.get_array(), np.maximum(one, 0))
            assert above.get_clim() == (0, heat.max())
    assert [ax.get_ylabel() for ax in grid[1:, 3]] == ["Grad-CAM", "Occlusion"]


def test_heat_shares_are_drawn_beside_the_share_of_area():
    row = {"faces": 9, "left_out": 0, "heat_share": 0.5, "heat_share_low": 0.4, "heat_share_high": 0.6}
    table = pd.DataFrame([row, row | {"heat_share": 0.3, "heat_share_low": 0.2}], index=["happy", "all"])
    table["area_share"] = [0.25, 0.2]
    ax = plot_heat_shares({"Grad-CAM": table, "Occlusion": table.iloc[:1]})
    assert [label.get_text() for label in ax.get_yticklabels()] == ["happy (n = 9)", "all (n = 9)"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "even heat: share of the area",
        "Grad-CAM",
        "Occlusion",
    ]
    assert ax.containers[0].lines[0].get_xdata().tolist() == [0.5, 0.3]
    assert ax.get_xlabel()
