"""Slices add up to the whole, state their edges, and their intervals hold what they promise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from datasets_helpers import encoded, face, write_files

from emo_utils.datasets import from_arrays, load_dataset
from emo_utils.datasets.embedded import load_embedded
from emo_utils.errors import DataError
from emo_utils.evaluation.resampling import wilson_interval
from emo_utils.evaluation.slices import slice_metrics, worst_slice

pytestmark = pytest.mark.usefixtures("drawn_once")


@pytest.fixture
def faces():
    """Return 90 plain images, from black to light, of 9 people, in two classes."""
    images = np.broadcast_to(np.arange(90, dtype=np.uint8)[:, None, None] * 2, (90, 8, 8))
    return from_arrays(images, np.arange(90) % 2, ("happy", "sad"), groups=np.repeat([f"p{i}" for i in range(9)], 10))


def answers(data, right: np.ndarray) -> np.ndarray:
    return np.where(right[:, None], data.one_hot(), 1 - data.one_hot())


def test_slices_add_up_and_say_where_they_were_cut(faces):
    right = np.arange(90) >= 30
    frame = slice_metrics(faces, answers(faces, right), ["class", "brightness", "subject"])
    assert frame.groupby("slice")["n"].sum().to_dict() == {"all": 90, "class": 90, "brightness": 90, "subject": 90}
    means = (frame["n"] * frame["accuracy"]).groupby(frame["slice"]).sum() / 90
    assert means.to_list() == pytest.approx([2 / 3] * 4)
    dark = frame[frame["slice"] == "brightness"].set_index("value")
    assert dark.index.tolist() == ["below 59.3 grey levels", "59.3 to 118.7 grey levels", "118.7 grey levels and more"]
    assert dark["accuracy"].tolist() == [0, 1, 1]
    assert frame[frame["slice"] == "class"]["value"].tolist() == ["happy", "sad"]
    assert ((frame["low"] <= frame["accuracy"]) & (frame["accuracy"] <= frame["high"])).all()
    assert (frame["low_all"] <= frame["low"]).all()
    assert (frame["high_all"] >= frame["high"]).all()


def test_measures_are_in_grey_levels():
    flat, stripes = np.full((48, 48), 100, np.uint8), np.tile(np.array([50, 150], np.uint8), (48, 24))
    images = np.stack([flat] * 2 + [stripes] * 5)
    data = from_arrays(images, [0] * 7, ("happy", "sad"))
    frame = slice_metrics(data, answers(data, np.ones(7, bool)), ["brightness", "contrast", "sharpness"])
    values = frame.groupby("slice")["value"].agg(list)
    assert values["brightness"] == ["100 grey levels and more"]  # all alike: one slice
    assert values["contrast"] == ["below 50 grey levels", "50 grey levels and more"]
    assert values["sharpness"] == ["below 200 grey levels", "200 grey levels and more"]


def test_own_slices_and_the_worst_of_them(faces):
    kind = np.repeat(["few", "bad", "good"], [5, 25, 60])
    frame = slice_metrics(faces, answers(faces, kind == "good"), {"kind": kind})
    assert frame["value"].tolist() == ["all faces", "bad", "few", "good"]
    assert frame.loc[frame["value"] == "few", ["low_all", "high_all"]].isna().all(axis=None)
    worst = worst_slice(frame)
    assert (worst.slice, worst.value, worst.n, worst.accuracy, worst.looked_at) == ("kind", "bad", 25, 0, 2)
    assert "lowest of 2 slices" in worst.remark
    with pytest.raises(DataError, match="No slice has 10 faces"):
        worst_slice(frame[frame["value"].isin(["all faces", "few"])])


def test_the_lowest_of_many_equal_slices_is_not_called_worse():
    rng = np.random.default_rng(0)
    data = from_arrays(np.zeros((600, 8, 8), np.uint8), rng.integers(0, 2, 600), ("happy", "sad"))
    fooled, warned = [], []
    for _ in range(60):
        frame = slice_metrics(data, answers(data, rng.random(600) < 0.6), {"part": np.arange(600) % 20})
        worst = worst_slice(frame)
        fooled.append(frame.loc[frame["accuracy"].idxmin(), "high"] < 0.6)
        warned.append(worst.high >= 0.6 and "may be no worse" in worst.remark)
    assert np.mean(fooled) > 0.2  # by the plain interval of the slice that was picked
    assert np.mean(warned) > 0.9


def test_a_slice_that_is_worse_is_called_so():
    data = from_arrays(np.zeros((1000, 8, 8), np.uint8), np.arange(1000) % 2, ("happy", "sad"))
    frame = slice_metrics(data, answers(data, np.arange(1000) >= 300), {"part": np.repeat(["a", "b"], [300, 700])})
    assert "lies below the accuracy of all faces, 0.700" in worst_slice(frame).remark


@pytest.mark.parametrize("people", [None, 8, 30])
def test_intervals_cover(people):
    rng = np.random.default_rng(1)
    covered = []
    for _ in range(1500):
        if people is None:
            hits, groups = rng.random(12) < 0.85, None
        else:
            groups = np.repeat(np.arange(people), 10)
            hits = rng.random(len(groups)) < rng.beta(4, 2, people)[groups]  # people differ; mean 2/3
        low, high = wilson_interval(hits, groups, 0.05)
        covered.append(low <= (0.85 if people is None else 2 / 3) <= high)
    assert 0.935 < np.mean(covered) < 0.99


def test_sizes_are_those_in_the_source(tmp_path):
    files = {f"happy/{i}.png": encoded(face(i, side)) for i, side in enumerate((40, 40, 80, 80, 80, 120, 120))}
    data = load_dataset(write_files(tmp_path / "faces", files))
    assert data.images.shape[1:] == (48, 48)
    assert data.sizes.tolist() == load_dataset(tmp_path / "faces").sizes.tolist()  # from the cache
    assert data.take(slice(2, 6)).sizes.tolist() == [80, 80, 80, 120]
    data = replace(data, class_names=("happy", "sad"))
    frame = slice_metrics(data, answers(data, data.sizes > 40), ["size"])
    assert frame["value"].tolist()[1:] == ["below 80 pixels", "80 pixels and more"]
    assert frame["accuracy"].tolist()[1:] == [0, 1]
    with pytest.raises(DataError, match="cannot be sliced by size"):
        slice_metrics(replace(data, sizes=None), data.one_hot(), ["size"])


def test_drawn_faces_know_how_wide_they_are():
    faces = load_embedded(60, people=6)
    np.testing.assert_array_equal(faces.sizes, load_embedded(60, people=6).sizes)
    assert 25 < faces.sizes.min() < faces.sizes.max() < 48
    assert faces.sizes.std() > 1


def test_what_does_not_fit_is_refused(faces):
    probabilities = faces.one_hot()
    with pytest.raises(DataError, match=r"No slice is called 'age'. There are: class, subject"):
        slice_metrics(faces, probabilities, ["age"])
    with pytest.raises(DataError, match="cannot be sliced by subject"):
        slice_metrics(replace(faces, groups=None), probabilities, ["subject"])
    with pytest.raises(DataError, match="'kind' has 3 values for 90 faces"):
        slice_metrics(faces, probabilities, {"kind": ["a", "b", "c"]})
    with pytest.raises(DataError, match="sum to one"):
        slice_metrics(faces, probabilities * 2, ["class"])
