from __future__ import annotations

import contextlib
import json
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from conftest import shared_file

from emo_utils.emotions import SEVEN
from emo_utils.errors import ModelError
from emo_utils.evaluation import predict_probabilities
from emo_utils.models import load_foreign_model, load_model, save_model
from emo_utils.models.untrusted import refuse_unsafe

layers = keras.layers
THREE = ("Anger", "HAPPINESS", "sad")
FACES = np.random.default_rng(0).integers(0, 256, (5, 24, 24), dtype=np.uint8)


def classifier(shape=(24, 24, 1), activation="softmax", units=3, behind=(), name="theirs"):
    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape)
    x = layers.Conv2D(4, 3, activation="relu")(inputs)
    x = layers.Dense(units, activation=activation, name="last")(layers.GlobalAveragePooling2D()(x))
    for layer in behind:
        x = layer(x)
    return keras.Model(inputs, x, name=name)


def saved(model, path: Path) -> Path:
    if path.suffix == ".keras":
        model.save(path)
    else:
        # model.save would warn that the format is old; what it writes is what others have.
        from keras.src.legacy.saving.legacy_h5_format import save_model_to_hdf5

        save_model_to_hdf5(model, str(path), include_optimizer=False)
    return path


def load(path, **settings):
    return load_foreign_model(path, **({"scaling": "0..1", "classes": THREE} | settings))


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".hdf5"])
@pytest.mark.parametrize(
    ("scaling", "scaled"),
    [("0..255", lambda x: x), ("0..1", lambda x: x / 255), ("-1..1", lambda x: x / 127.5 - 1)],
)
def test_grey_levels_reach_the_model_as_it_was_trained(tmp_path, suffix, scaling, scaled):
    theirs = classifier()
    model, info = load(saved(theirs, tmp_path / f"m{suffix}"), scaling=scaling)
    expected = keras.ops.convert_to_numpy(theirs(scaled(FACES[..., None].astype(np.float32))))
    assert predict_probabilities(model, FACES) == pytest.approx(expected, abs=1e-6)
    assert info == {
        "class_names": ["angry", "happy", "sad"],
        "source": f"m{suffix}",
        "input_size": 24,
        "scaling": scaling,
        "channels": 1,
        "added_softmax": False,
    }


def test_colour_models_get_the_grey_image_three_times(tmp_path):
    theirs = classifier((24, 24, 3))
    model, info = load(saved(theirs, tmp_path / "m.keras"), scaling="0..255")
    expected = keras.ops.convert_to_numpy(theirs(np.repeat(FACES[..., None], 3, axis=3).astype(np.float32)))
    assert predict_probabilities(model, FACES) == pytest.approx(expected, abs=1e-6)
    assert info["channels"] == 3


@pytest.mark.parametrize("behind", [(), (layers.BatchNormalization(), layers.Dropout(0.5))])
def test_logits_get_a_softmax(tmp_path, behind):
    theirs = classifier(activation="linear", behind=behind)
    nested = keras.Sequential([keras.Input((24, 24, 1)), theirs])
    model, info = load(saved(nested, tmp_path / "m.keras"))
    logits = theirs(FACES[..., None].astype(np.float32) / 255)
    assert info["added_softmax"]
    assert predict_probabilities(model, FACES) == pytest.approx(
        keras.ops.convert_to_numpy(keras.ops.softmax(logits)), abs=1e-6
    )


def test_saved_again_it_is_a_model_of_the_course_with_theirs_as_one_layer(tmp_path):
    model, info = load(saved(classifier(), tmp_path / "m.h5"))
    again, what = load_model(save_model(model, tmp_path / "again.keras", info))
    assert what == info
    assert predict_probabilities(again, FACES) == pytest.approx(predict_probabilities(model, FACES), abs=1e-6)
    assert isinstance(again.get_layer("theirs"), keras.Model)
    assert again.layers[-1].name == "probabilities"


def test_an_open_input_size_must_be_given_and_a_fixed_one_not_be_contradicted(tmp_path):
    path = saved(classifier((None, None, 1)), tmp_path / "open.keras")
    with pytest.raises(ModelError, match=r"leaves its input size open\. Give input_size"):
        load(path)
    model, info = load(path, input_size=32)
    assert model.input_shape == (None, 32, 32, 1)
    assert info["input_size"] == 32
    with pytest.raises(ModelError, match=r"whole number from 16 to 512\. Got 4"):
        load(path, input_size=4)
    with pytest.raises(ModelError, match="takes 24x24 pixels, but input_size is 48"):
        load(saved(classifier(), tmp_path / "m.keras"), input_size=48)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scaling": "0-1"}, r"scaling must be one of 0\.\.255, 0\.\.1, -1\.\.1\. Got '0-1'"),
        ({"classes": ("happy", "sad")}, "3 outputs but 2 classes"),
        ({"classes": ("happy", "sad", "joy")}, "names happy more than once"),
        ({"classes": ("happy", "sad", "cat")}, "classes: Unknown emotion 'cat'"),
        ({"classes": "happy"}, "classes must be a list"),
    ],
)
def test_settings_that_do_not_fit_are_named(tmp_path, settings, message):
    with pytest.raises(ModelError, match=message):
        load(saved(classifier(), tmp_path / "m.keras"), **settings)


def two_inputs():
    a, b = keras.Input((24, 24, 1)), keras.Input((24, 24, 1))
    return keras.Model([a, b], layers.Dense(3)(layers.Flatten()(layers.Add()([a, b]))))


def two_outputs():
    a = keras.Input((24, 24, 1))
    return keras.Model(a, [layers.Dense(3)(layers.Flatten()(a)), layers.Dense(3)(layers.Flatten()(a))])


def only(layer, shape):
    a = keras.Input(shape)
    return keras.Model(a, layer(a))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: classifier(activation="sigmoid"), r"neither probabilities .* \(last layer 'last': sigmoid\)"),
        (lambda: classifier(activation="linear", behind=(layers.ReLU(name="end"),)), r"\(last layer 'end': ReLU\)"),
        (lambda: classifier((24, 24, 2)), r"takes \(None, 24, 24, 2\)"),
        (lambda: classifier((24, 32, 1)), "takes 24x32 pixels, not square"),
        (lambda: only(layers.Dense(3, activation="softmax"), (576,)), r"takes \(None, 576\)"),
        (lambda: only(layers.Conv2D(3, 3), (24, 24, 1)), r"gives \(None, 22, 22, 3\)"),
        (lambda: classifier(units=1, activation="sigmoid"), r"gives \(None, 1\)"),
        (two_inputs, "takes 2 inputs"),
        (two_outputs, r"gives \(None, 3\), \(None, 3\)"),
    ],
)
def test_other_models_than_classifiers_of_faces_are_refused_by_what_they_are(tmp_path, build, message):
    with pytest.raises(ModelError, match=message):
        load(saved(build(), tmp_path / "m.keras"))


def test_weights_that_give_nan_are_refused(tmp_path):
    model = classifier()
    model.set_weights([np.full_like(w, np.nan) for w in model.get_weights()])
    with pytest.raises(ModelError, match="gives NaN or infinity"):
        load(saved(model, tmp_path / "m.keras"))


def test_a_loss_of_their_own_does_not_matter(tmp_path):
    def their_loss(true, predicted):
        return keras.ops.mean(true - predicted)

    model = classifier()
    model.compile("adam", loss=their_loss)
    load(saved(model, tmp_path / "m.keras"))


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_lambda_layer_is_refused_by_name_before_keras_sees_it(tmp_path, suffix, monkeypatch):
    model = classifier(behind=(layers.Lambda(lambda x: x * 1, name="sly"),))
    path = saved(model, tmp_path / f"m{suffix}")
    monkeypatch.setattr(keras.saving, "load_model", lambda *args, **kwargs: pytest.fail("Keras was asked"))
    with pytest.raises(ModelError, match=r"has a Lambda \('sly'\), which would run code"):
        load(path)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"class_name": "TFSMLayer", "config": {"name": "x"}}, r"has a TFSMLayer \('x'\)"),
        ({"class_name": "function", "module": "os", "config": "system"}, r"has a function \('system'\)"),
        ({"class_name": "__lambda__", "config": {"value": "4w=="}}, r"has a __lambda__ \(None\)"),
        ({"class_name": "Popen", "module": "subprocess"}, "has a part 'Popen' of subprocess, which is not Keras's own"),
        ({"class_name": "Dense", "module": "subprocess"}, "has a part 'Dense' of subprocess"),
        ({"class_name": "StringLookup", "module": "keras.layers"}, "has a StringLookup, which may read other files"),
        ({"class_name": "TheirLayer", "config": {}}, "has a part 'TheirLayer' of keras, which is not Keras's own"),
    ],
)
def test_parts_that_are_not_keras_are_refused_at_any_depth(tmp_path, part, message):
    path = saved(classifier(), tmp_path / "m.h5")
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][1]["config"]["activation"] = [part]
        file.attrs["model_config"] = json.dumps(config)
    with pytest.raises(ModelError, match=message):
        load(path)


def test_missing_damaged_and_half_files_are_named(tmp_path):
    with pytest.raises(ModelError, match=r"gone\.h5: no such model file"):
        load(tmp_path / "gone.h5")
    for name, message in (
        ("text.h5", r"text\.h5: not an HDF5 file"),
        ("text.keras", r"text\.keras: not a \.keras file"),
        ("model.pkl", r"must end in \.keras, \.h5 or \.hdf5"),
    ):
        (tmp_path / name).write_text("not a model")
        with pytest.raises(ModelError, match=message):
            load(tmp_path / name)
    model = classifier()
    model.save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(ModelError, match=r"m\.weights\.h5: weights without an architecture\. Ask for the whole model"):
        load(tmp_path / "m.weights.h5")
    whole = saved(model, tmp_path / "whole.h5").read_bytes()
    (tmp_path / "half.h5").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"half\.h5: damaged"):
        load(tmp_path / "half.h5")
    with zipfile.ZipFile(tmp_path / "empty.keras", "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(ModelError, match=r"no config\.json and no model\.weights\.h5"):
        load(tmp_path / "empty.keras")


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_damaged_bytes_never_raise_an_error_of_a_library(tmp_path, suffix):
    whole = saved(classifier(), tmp_path / f"m{suffix}").read_bytes()
    rng = np.random.default_rng(0)
    for i in range(40):
        damaged = np.frombuffer(whole, np.uint8).copy()
        damaged[rng.integers(0, len(whole), 20)] = rng.integers(0, 256, 20)
        path = tmp_path / f"damaged{suffix}"
        path.write_bytes(damaged[: rng.integers(1, len(whole))].tobytes() if i % 2 else damaged.tobytes())
        with contextlib.suppress(ModelError):  # damage may also lie where nothing is read
            refuse_unsafe(path)


def test_an_architecture_that_cannot_be_read_is_named(tmp_path):
    path = saved(classifier(), tmp_path / "m.h5")
    for config, message in (("{", "architecture cannot be read"), ('{"class_name": "Model"}', "cannot load it")):
        with h5py.File(path, "a") as file:
            file.attrs["model_config"] = config
        with pytest.raises(ModelError, match=message):
            load(path)


def test_weights_larger_than_any_model_of_faces_are_refused_unread(tmp_path):
    path = saved(classifier(), tmp_path / "m.h5")
    with h5py.File(path, "a") as file:
        file.create_dataset("model_weights/huge", (2**31,), "f4", chunks=(1024,))  # takes no room on disk
    with pytest.raises(ModelError, match="would take 9 GB of memory"):
        load(path)


@pytest.mark.parametrize("name", ["fer2013_mini_XCEPTION.102-0.66.hdf5", "fer2013_big_XCEPTION.54-0.66.hdf5"])
def test_published_models_load(name):
    model, info = load(shared_file(f"peers/{name}"), scaling="-1..1", classes=SEVEN)
    assert (info["input_size"], info["added_softmax"]) == (64, False)
    assert predict_probabilities(model, FACES).sum(axis=1) == pytest.approx(1, abs=1e-5)
