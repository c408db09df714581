from __future__ import annotations

import zipfile

import keras
import numpy as np
import pytest

from emo_utils.errors import ModelError
from emo_utils.models import (
    build_feature_extractor,
    build_head,
    build_model,
    load_model,
    model_class_names,
    save_model,
    set_trainable,
)
from emo_utils.recipe import Head, Recipe

FACES = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1), dtype=np.uint8)


def as_array(tensor) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def dense_and_dropout(recipe: Recipe) -> list[tuple[str, float]]:
    layers = build_model(recipe).layers
    behind = layers[[layer.name for layer in layers].index("pool") + 1 :]
    return [(layer.name, getattr(layer, "rate", None) or getattr(layer, "units", 0)) for layer in behind]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (Head(), [("dropout", 0.2)]),
        (Head("flatten", (1024,), dropout=0), [("dense_1", 1024)]),
        (Head("avg", (512,), (0.5, 0)), [("dropout_1", 0.5), ("dense_1", 512)]),
        (Head("avg", (512, 128), (0.5, 0, 0)), [("dropout_1", 0.5), ("dense_1", 512), ("dense_2", 128)]),
        (Head("avg", (256,), (0.5, 0.3)), [("dropout_1", 0.5), ("dense_1", 256), ("dropout", 0.3)]),
        (Head("avg", (256,), (0, 0.3)), [("dense_1", 256), ("dropout", 0.3)]),
    ],
)
def test_heads_of_the_sources(head, expected):
    assert dense_and_dropout(Recipe("a", head=head)) == [*expected, ("logits", 7), ("probabilities", 0)]


def test_training_the_head_on_features_trains_the_model():
    recipe = Recipe("a", head=Head("flatten", (16,), dropout=0))
    model = build_model(recipe)
    set_trainable(model, recipe, "head")
    extractor, head = build_feature_extractor(model, recipe), build_head(model, recipe)
    before = as_array(model(FACES))
    head.compile("sgd", "categorical_crossentropy")
    head.fit(as_array(extractor(FACES)), np.eye(7)[[0, 1, 2]], epochs=1, verbose=0)
    assert abs(as_array(model(FACES)) - before).max() > 1e-3
    assert as_array(head(extractor(FACES))) == pytest.approx(as_array(model(FACES)), abs=1e-6)


def test_a_frozen_backbone_keeps_its_batch_norm_statistics():
    recipe = Recipe("a")
    model = build_model(recipe)
    set_trainable(model, recipe, "head")
    model.compile("sgd", "categorical_crossentropy")
    before = [np.array(v) for v in model.get_layer("SmallCNN").get_weights()]
    model.fit(FACES, np.eye(7)[[0, 1, 2]], epochs=2, verbose=0)
    after = model.get_layer("SmallCNN").get_weights()
    assert all((a == b).all() for a, b in zip(before, after, strict=True))


def test_batch_norm_with_weights_from_elsewhere_keeps_its_statistics_in_every_stage(tmp_path):
    donor = save_model(build_model(Recipe("a")), tmp_path / "d.keras", {"class_names": Recipe("a").classes})
    recipe = Recipe("b", weights=str(donor))
    model = build_model(recipe)
    for prepare in (lambda: None, lambda: set_trainable(model, recipe, "all")):
        prepare()
        model.compile("sgd", "categorical_crossentropy")
        before = model.get_layer("SmallCNN").get_layer("block1_norm").get_weights()
        model.fit(FACES, np.eye(7)[[0, 1, 2]], epochs=1, verbose=0)
        after = model.get_layer("SmallCNN").get_layer("block1_norm").get_weights()
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


def test_a_file_that_this_keras_cannot_read_is_rebuilt_from_its_recipe(tmp_path, monkeypatch):
    names = {"class_names": Recipe("a").classes}
    donor = save_model(build_model(Recipe("a")), tmp_path / "donor.keras", names)
    recipe = Recipe("b", weights=str(donor), head=Head(units=(8,), dropout=(0, 0.5)))
    model = build_model(recipe)
    path = save_model(model, tmp_path / "m.keras", {**names, "recipe": recipe.to_dict()})
    other = save_model(model, tmp_path / "o.keras", {**names, "recipe": recipe.but(head=Head()).to_dict()})
    donor.unlink()

    def refuse(*args, **kwargs):
        raise TypeError("unknown key 'quantization_config'\nand more")

    monkeypatch.setattr(keras.saving, "load_model", refuse)
    again, info = load_model(path)
    assert info["recipe"] == recipe.to_dict()
    assert (as_array(again(FACES)) == as_array(model(FACES))).all()
    # As in the original, batch norm uses its statistics even while the rest trains.
    backbone = again.get_layer("SmallCNN")
    assert (as_array(backbone(FACES, training=True)) == as_array(backbone(FACES))).all()
    # No recipe, or one that its weights do not fit: Keras's error stands.
    for bad in (other, save_model(model, tmp_path / "n.keras", names)):
        with pytest.raises(ModelError, match=r"Keras cannot load it: unknown key 'quantization_config'$"):
            load_model(bad)


def test_a_model_with_code_in_it_is_refused(tmp_path):
    inputs = keras.Input((48, 48, 1))
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: x * 2)(inputs))
    path = save_model(model, tmp_path / "code.keras", {"class_names": ["happy"]})
    with pytest.raises(ModelError, match=r"code\.keras: has a Lambda layer.*--trust"):
        load_model(path)
    assert load_model(path, trusted=True)[1] == {"class_names": ["happy"]}


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
