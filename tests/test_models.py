from __future__ import annotations

import zipfile

import keras
import numpy as np
import pytest

from emo_utils.errors import ModelError
from emo_utils.models import build_model, load_model, model_class_names, save_model, set_trainable
from emo_utils.recipe import Recipe

FACES = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1), dtype=np.uint8)


def test_a_frozen_backbone_keeps_its_batch_norm_statistics():
    recipe = Recipe("a")
    model = build_model(recipe)
    set_trainable(model, recipe, "head")
    model.compile("sgd", "categorical_crossentropy")
    before = [np.array(v) for v in model.get_layer("SmallCNN").get_weights()]
    model.fit(FACES, np.eye(7)[[0, 1, 2]], epochs=2, verbose=0)
    after = model.get_layer("SmallCNN").get_weights()
    assert all((a == b).all() for a, b in zip(before, after, strict=True))


def test_same_seed_same_weights():
    a, b, c = (build_model(Recipe("a", seed=seed)).get_weights() for seed in (1, 1, 2))
    assert all((x == y).all() for x, y in zip(a, b, strict=True))
    assert any((x != y).any() for x, y in zip(a, c, strict=True))


def test_weights_of_another_model_are_taken_over(tmp_path):
    donor = build_model(Recipe("a", seed=5))
    path = str(save_model(donor, tmp_path / "donor.keras", {"class_names": Recipe("a").classes}))
    heir = build_model(Recipe("b", classes=("happy", "sad"), weights=path))
    pairs = zip(donor.get_layer("SmallCNN").get_weights(), heir.get_layer("SmallCNN").get_weights(), strict=True)
    assert all((x == y).all() for x, y in pairs)
    with pytest.raises(ModelError, match="has no backbone MobileNetV3Small"):
        build_model(Recipe("c", backbone="MobileNetV3Small", weights=path))


def test_weights_of_another_seed_would_leak_validation_faces(tmp_path):
    donor = Recipe("a", seed=5)
    path = str(
        save_model(build_model(donor), tmp_path / "d.keras", {"class_names": donor.classes, "recipe": donor.to_dict()})
    )
    build_model(Recipe("b", seed=5, weights=path))
    with pytest.raises(ModelError, match="was trained with seed 5, this recipe has seed 6"):
        build_model(Recipe("b", seed=6, weights=path))


def test_bad_model_files_are_named(tmp_path):
    with pytest.raises(ModelError, match=r"nowhere\.keras: no such model file"):
        load_model(tmp_path / "nowhere.keras")
    text = tmp_path / "text.keras"
    text.write_text("not a model")
    with pytest.raises(ModelError, match=r"not a .keras file"):
        load_model(text)
    foreign = tmp_path / "foreign.keras"
    with zipfile.ZipFile(foreign, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(ModelError, match="Keras cannot load it"):
        load_model(foreign)
    with pytest.raises(ModelError, match="does not say what its outputs mean"):
        model_class_names({}, foreign)


def test_a_model_with_code_in_it_is_refused(tmp_path):
    inputs = keras.Input((48, 48, 1))
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: x * 2)(inputs))
    path = save_model(model, tmp_path / "code.keras", {"class_names": ["happy"]})
    with pytest.raises(ModelError, match=r"code\.keras: Keras cannot load it"):
        load_model(path)


def test_class_names_must_fit_the_outputs(tmp_path):
    path = save_model(build_model(Recipe("a")), tmp_path / "m.keras", {"class_names": ["happy", "sad"]})
    with pytest.raises(ModelError, match="7 outputs but 2 class names"):
        load_model(path)
    for names, message in (
        (5, "does not say what its outputs mean"),
        (["cat", "dog"], r"m\.keras: Unknown emotion 'cat'"),
    ):
        save_model(build_model(Recipe("a")), path, {"class_names": names})
        with pytest.raises(ModelError, match=message):
            load_model(path)
    with pytest.raises(ModelError, match="info must give class_names"):
        save_model(build_model(Recipe("a")), tmp_path / "n.keras", {})
