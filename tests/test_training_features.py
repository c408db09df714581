from __future__ import annotations

import keras
import numpy as np
import pytest

from emo_utils import paths
from emo_utils.datasets.embedded import load_embedded
from emo_utils.evaluation import evaluate_model
from emo_utils.models import build_feature_extractor, build_model
from emo_utils.recipe import Augmentation, Head, Recipe, Stage
from emo_utils.training import features, prepare_data, run_experiment
from emo_utils.training.features import FeatureBatches, cached_features, evaluate_on_features

RECIPE = Recipe(
    "cached",
    augmentation=Augmentation(flip=True, rotation=10),
    head=Head(units=(16,), dropout=0.0),
    stages=(Stage("head", epochs=3, learning_rate=3e-3, views=2),),
    batch_size=32,
)


@pytest.fixture(scope="module")
def faces():
    return load_embedded(120).images


@pytest.fixture(scope="module")
def extractor():
    return build_feature_extractor(build_model(RECIPE), RECIPE)


@pytest.fixture
def embedded_faces(monkeypatch):
    """Record how many faces go through the backbone."""
    seen = []
    original = features._embed

    def count(run, inputs):
        seen.append(len(inputs))
        return original(run, inputs)

    monkeypatch.setattr(features, "_embed", count)
    return seen


def test_features_are_those_of_the_backbone_in_the_order_of_the_faces(extractor, faces):
    expected = keras.ops.convert_to_numpy(extractor(faces[..., None], training=False))
    order = np.random.default_rng(0).permutation(len(faces))
    assert cached_features(extractor, RECIPE, faces) == pytest.approx(expected, abs=1e-5)
    assert cached_features(extractor, RECIPE, faces[order]) == pytest.approx(expected[order], abs=1e-5)


def test_each_face_is_embedded_once(extractor, faces, embedded_faces):
    cached_features(extractor, RECIPE, faces[:50])
    cached_features(extractor, RECIPE, faces[30:])
    cached_features(extractor, RECIPE, np.concatenate([faces, faces]))
    assert sum(embedded_faces) == len({face.tobytes() for face in faces})


def test_views_are_variants_that_do_not_depend_on_the_other_faces(extractor, faces):
    plain, first, second = (cached_features(extractor, RECIPE, faces, view=view) for view in (0, 1, 2))
    assert not np.allclose(plain, first)
    assert not np.allclose(first, second)
    alone = cached_features(extractor, RECIPE.but(seed=3), faces[7:9], view=1)
    assert alone == pytest.approx(first[7:9], abs=1e-5)


def test_other_weights_sizes_and_augmentations_have_caches_of_their_own(faces, embedded_faces):
    changes = [{}, {"seed": 1}, {"input_size": 32}, {"augmentation": Augmentation(flip=True)}]
    for recipe in (RECIPE.but(**change) for change in changes):
        cached_features(build_feature_extractor(build_model(recipe), recipe), recipe, faces[:8], view=1)
    assert sum(embedded_faces) == 4 * 8


@pytest.mark.parametrize("damage", ["flip", "cut", "index", "rows", "gone"])
def test_a_damaged_cache_is_rebuilt_not_believed(damage, extractor, faces, embedded_faces):
    good = cached_features(extractor, RECIPE, faces)
    (folder,) = [p for p in (paths.data_dir() / ".emo_cache" / "features").iterdir() if p.is_dir()]
    (file,) = folder.glob("*.npy")
    content, index = bytearray(file.read_bytes()), folder / "index.json"
    if damage == "flip":
        content[-5] ^= 1
        file.write_bytes(content)
    elif damage == "cut":
        file.write_bytes(content[:1000])
    elif damage == "index":
        index.write_text("{")
    elif damage == "rows":
        index.write_text(index.read_text().replace('"faces": [', '"faces": ["00", '))
    else:
        file.unlink()
    embedded_faces.clear()
    assert (cached_features(extractor, RECIPE, faces) == good).all()
    assert sum(embedded_faces) == len({face.tobytes() for face in faces})
    assert len(list(folder.glob("*.npy"))) == 1


def test_batches_hold_the_features_of_the_faces_they_name():
    data = load_embedded(90)
    views = [np.full((90, 4), view, np.float32) + np.arange(90)[:, None] / 100 for view in range(2)]
    batches = FeatureBatches(data, RECIPE, views)
    x, y = (np.concatenate(parts) for parts in zip(*(batches[i] for i in range(len(batches))), strict=True))
    rows = np.rint(x[:, 0] % 1 * 100).astype(int)
    assert sorted(rows) == list(range(90))
    assert (y.argmax(axis=1) == data.labels[rows]).all()
    assert 20 < (x[:, 0] >= 1).sum() < 70
    assert (batches[0][0] == FeatureBatches(data, RECIPE, views)[0][0]).all()
    batches.epoch = 1
    assert (batches[0][0] != x[: len(batches[0][0])]).any()


def test_a_cached_stage_trains_the_model_whole_as_the_plain_way_does():
    data = load_embedded(420, imbalance=1.0)
    recipe = RECIPE.but(augmentation=Augmentation(), stages=[Stage("head", epochs=3, learning_rate=3e-3, views=1)])
    cached = run_experiment(recipe, data, limit=200, progress=False)
    plain = run_experiment(recipe.but(stages=[Stage("head", 3, 3e-3)]), data, limit=200, progress=False)
    for a, b in zip(cached.curves, plain.curves, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], abs=2e-3)
        assert a["val_loss"] == pytest.approx(b["val_loss"], abs=2e-3)
    # Without dropout and augmentation the two are the same computation, and the model that comes out is whole.
    assert cached.test.probabilities == pytest.approx(plain.test.probabilities, abs=5e-3)
    assert cached.model.input_shape == (None, 48, 48, 1)
    assert "on 1 cached views" in cached.row["schedule"]


def test_figures_found_by_the_head_are_those_of_the_whole_model():
    data = prepare_data(RECIPE, load_embedded(420, imbalance=1.0))
    model, test = build_model(RECIPE), data.part("test")
    by_head, whole = evaluate_on_features(model, RECIPE, test), evaluate_model(model, test)
    assert by_head.probabilities == pytest.approx(whole.probabilities, abs=1e-5)
    assert by_head.metrics["n"] == whole.metrics["n"] == len(test)


def test_a_later_stage_goes_on_from_the_head_that_was_trained_on_features():
    stages = [Stage("head", epochs=2, learning_rate=3e-3, views=2), Stage("all", epochs=1, learning_rate=1e-9)]
    result = run_experiment(RECIPE.but(stages=stages), load_embedded(420, imbalance=1.0), limit=200, progress=False)
    assert [epoch["stage"] for epoch in result.curves] == [1, 1, 2]
    # At a rate of almost nothing the whole model stays what the head made of it.
    best = max(epoch["val_accuracy"] for epoch in result.curves[:2])
    assert result.validation.metrics["accuracy"] == pytest.approx(best, abs=0.03)


def test_prepared_faces_of_other_seeds_share_the_cache(extractor, embedded_faces):
    data = load_embedded(420, imbalance=1.0)
    for seed in (0, 1):
        prepared = prepare_data(RECIPE.but(seed=seed), data)
        for usage in ("train", "val"):
            cached_features(extractor, RECIPE, prepared.part(usage).images)
    either = [prepare_data(RECIPE.but(seed=s), data) for s in (0, 1)]
    faces = {image.tobytes() for d in either for usage in ("train", "val") for image in d.part(usage).images}
    assert sum(embedded_faces) == len(faces)
