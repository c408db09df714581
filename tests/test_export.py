from __future__ import annotations

import keras
import numpy as np
import pytest

from emo_utils.datasets import from_arrays
from emo_utils.errors import DataError, EmoUtilsError, ModelError
from emo_utils.export import calibration_images, export_all, export_tflite, run_tflite, verify_export
from emo_utils.models import build_model
from emo_utils.recipe import Recipe

NAMES = ("angry", "happy", "sad")

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TFLite is written by TensorFlow")


@pytest.fixture(scope="module")
def data():
    """Three classes that differ in brightness, so that a short training gets them right."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 360)
    images = np.clip(60 + 70 * labels[:, None, None] + rng.normal(0, 12, (360, 32, 32)), 0, 255).astype(np.uint8)
    return from_arrays(images, labels, NAMES, usage=["train"] * 240 + ["test"] * 120)


@pytest.fixture(scope="module")
def model(data):
    # Trained: an int8 file of an untrained net has no activation ranges to speak of and does not load.
    model = build_model(Recipe("a", classes=NAMES, input_size=32))
    train = data.part("train")
    model.compile(keras.optimizers.Adam(3e-3), "categorical_crossentropy")
    model.fit(train.images[..., None], train.one_hot(), batch_size=24, epochs=10, verbose=0)
    return model


def test_both_files_agree_with_the_model(model, data, tmp_path):
    results = dict(export_all(model, data, tmp_path))
    sizes = {path.name: path.stat().st_size for path in results}
    assert set(sizes) == {"model_float32.tflite", "model_int8.tflite"}
    assert sizes["model_int8.tflite"] < 0.5 * sizes["model_float32.tflite"]
    exact, rounded = results.values()
    assert exact.agreement == 1
    assert exact.max_difference < 1e-4
    assert exact.accuracy_before == exact.accuracy_after > 0.9
    assert rounded.agreement > 0.9
    assert rounded.n == 120
    probabilities = run_tflite(tmp_path / "model_int8.tflite", data.images[:5])
    assert probabilities.shape == (5, 3)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=0.02)


def test_an_export_that_disagrees_fails_loudly(data):
    before = np.eye(3)[data.labels]
    with pytest.raises(ModelError, match=r"does not agree with its model: n 360, same class 0.0%"):
        verify_export(before, np.roll(before, 1, axis=1), data, "int8")


def test_a_bad_export_leaves_the_good_file_of_before(model, data, tmp_path, monkeypatch):
    from emo_utils.export import verify

    (tmp_path / "model_float32.tflite").write_text("the good one")
    monkeypatch.setattr(
        verify, "run_tflite", lambda path, images: np.roll(np.eye(3)[data.part("test").labels], 1, axis=1)
    )
    with pytest.raises(ModelError, match="does not agree"):
        list(export_all(model, data, tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == ["model_float32.tflite"]
    assert (tmp_path / "model_float32.tflite").read_text() == "the good one"


def test_calibration_is_balanced_and_from_training(data):
    train = data.part("train")
    drawn = calibration_images(train, per_class=10)
    assert len(drawn) == 30
    assert {i.tobytes() for i in drawn} <= {i.tobytes() for i in train.images}


def test_bad_calls_are_named(model, data, tmp_path):
    with pytest.raises(EmoUtilsError, match=r"format must be one of float32, int8. Got 'int4'"):
        export_tflite(model, tmp_path / "m.tflite", "int4")
    with pytest.raises(EmoUtilsError, match=r"at least 100 calibration images.*Got 0"):
        export_tflite(model, tmp_path / "m.tflite", "int8")
    with pytest.raises(EmoUtilsError, match="Calibration images must be uint8"):
        export_tflite(model, tmp_path / "m.tflite", "int8", calibration=np.zeros((200, 48, 48)))
    with pytest.raises(DataError, match="needs a train and a test part"):
        list(export_all(model, data.part("train"), tmp_path))
    with pytest.raises(ModelError, match=r"m\.tflite: no such TFLite file"):
        run_tflite(tmp_path / "m.tflite", data.images)
    (tmp_path / "m.tflite").write_text("not a model")
    with pytest.raises(ModelError, match=r"m\.tflite: LiteRT cannot load it"):
        run_tflite(tmp_path / "m.tflite", data.images)
