"""Packed model files: their size, what comes back, and what is refused."""

from __future__ import annotations

import json
import math
import zipfile

import keras
import numpy as np
import pytest

from emo_utils.errors import ModelError
from emo_utils.models import build_model
from emo_utils.quantise import fold_batch_norm, load_packed, quantise_model, save_packed
from emo_utils.quantise.bits import pack, packed_size, unpack
from emo_utils.recipe import Recipe, ResNeXt

RNG = np.random.default_rng(0)
FACES = RNG.integers(0, 256, (120, 32, 32), dtype=np.uint8)
RECIPES = {
    "student": Recipe("a", backbone="StudentCNN", input_size=32),
    "resnext": Recipe("a", backbone="ResNeXt", input_size=32, resnext=ResNeXt((1, 1), (16, 32), 8, dropout=(0.2,))),
    "mobilenet": Recipe("a", backbone="MobileNetV3Small", input_size=32),
}
INFO = {"class_names": list(RECIPES["student"].classes), "note": 1}


@pytest.fixture(scope="module")
def student() -> keras.Model:
    return build_model(RECIPES["student"])


def outputs(model: keras.Model) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(FACES[:8, ..., None], training=False))


@pytest.mark.parametrize("bits", [2, 4, 6, 8, 11, 16])
def test_integers_survive_packing(bits):
    codes = RNG.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (7, 11))
    content = pack(codes, bits)
    assert len(content) == packed_size(77, bits) == math.ceil(77 * bits / 8)
    np.testing.assert_array_equal(unpack(content, 77, bits), codes.reshape(-1))


@pytest.mark.parametrize(
    ("name", "bits", "per_channel"),
    [("student", 16, True), ("student", 8, False), ("resnext", 6, True), ("mobilenet", 4, True)],
)
def test_a_loaded_model_computes_as_the_fake_quantised(name, bits, per_channel, tmp_path):
    model = build_model(RECIPES[name])
    path = save_packed(model, tmp_path / "m.emoq", INFO, weight_bits=bits, per_channel=per_channel)
    loaded, info = load_packed(path)
    assert info == INFO
    assert {type(layer).__module__.split(".")[0] for layer in loaded.layers} == {"keras"}
    fake = quantise_model(model, weight_bits=bits, per_channel=per_channel)
    np.testing.assert_allclose(outputs(loaded), outputs(fake), rtol=0, atol=1e-5)


@pytest.mark.parametrize("bits", [32, 16, 8, 6, 4])
def test_the_bytes_of_the_weights(student, bits, tmp_path):
    path = save_packed(student, tmp_path / "m.emoq", INFO, weight_bits=bits)
    weights = fold_batch_norm(student).get_weights()
    kernels, biases = [w for w in weights if w.ndim > 1], [w for w in weights if w.ndim == 1]
    scales = 0 if bits == 32 else 4 * sum(k.shape[-1] for k in kernels)
    expected = sum(math.ceil(bits * k.size / 8) for k in kernels) + scales + 4 * sum(b.size for b in biases)
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("weights.bin")
    assert entry.file_size == entry.compress_size == expected
    assert expected < path.stat().st_size < expected + 10_000


def test_32_bits_lose_nothing(student, tmp_path):
    loaded, _ = load_packed(save_packed(student, tmp_path / "m.emoq", INFO, weight_bits=32))
    np.testing.assert_allclose(outputs(loaded), outputs(student), rtol=0, atol=1e-6)


def test_a_quantised_model_keeps_its_activations(student, tmp_path):
    fake = quantise_model(student, weight_bits=4, activation_bits=4, calibration=FACES)
    fake.compile("sgd", "categorical_crossentropy")
    fake.fit(FACES[:32, ..., None], np.eye(7)[RNG.integers(0, 7, 32)], epochs=1, verbose=0)
    loaded, _ = load_packed(save_packed(fake, tmp_path / "m.emoq", INFO, weight_bits=4))
    assert loaded.get_layer("pool_quantised").bits == 4
    # A last bit may move a value over the middle between two levels.
    np.testing.assert_allclose(outputs(loaded), outputs(fake), rtol=0, atol=0.02)
    with pytest.raises(ModelError, match=r"'block1_conv' was quantised with weight_bits=4, per_channel=True\. Save"):
        save_packed(fake, tmp_path / "other.emoq", INFO, weight_bits=8)


def test_unfit_arguments(student, tmp_path):
    with pytest.raises(ModelError, match=r"m\.keras: the name of a packed model must end in \.emoq"):
        save_packed(student, tmp_path / "m.keras", INFO, weight_bits=8)
    with pytest.raises(ModelError, match=r"weight_bits must be 2 to 16, or 32 for float\. Got 1"):
        save_packed(student, tmp_path / "m.emoq", INFO, weight_bits=1)
    with pytest.raises(ModelError, match="does not say what its outputs mean"):
        save_packed(student, tmp_path / "m.emoq", {}, weight_bits=8)
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def members(student, tmp_path_factory) -> dict[str, bytes]:
    path = save_packed(student, tmp_path_factory.mktemp("packed") / "m.emoq", INFO, weight_bits=8)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_header(members, **changes) -> dict[str, bytes]:
    return {**members, "header.json": json.dumps({**json.loads(members["header.json"]), **changes}).encode()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: {k: v for k, v in m.items() if k != "weights.bin"}, r"no weights\.bin in it"),
        (lambda m: {**m, "weights.bin": m["weights.bin"][:-1]}, "do not fit each other"),
        (lambda m: {**m, "weights.bin": m["weights.bin"] + b"0"}, "do not fit each other"),
        (lambda m: {**m, "weights.bin": b"\xff" * len(m["weights.bin"])}, "values that are not finite"),
        (lambda m: {**m, "header.json": b"{"}, "damaged"),
        (lambda m: {**m, "header.json": b"[]"}, r"its header\.json is not one of"),
        (lambda m: {**m, "model.json": b"\xff\xfe"}, "damaged"),
        (lambda m: {**m, "model.json": b"[1]"}, "Keras cannot build it"),
        (lambda m: with_header(m, weight_bits=True), r"its header\.json is not one of"),
        (lambda m: with_header(m, weight_bits=64), "weight_bits must be 2 to 16"),
        (lambda m: with_header(m, weight_bits=4), "do not fit each other"),
        (lambda m: with_header(m, weights={"x": [1]}), "do not fit each other"),
        (lambda m: with_header(m, info={"class_names": ["happy", "sad"]}), "do not fit each other"),
        (lambda m: with_header(m, info={}), "does not say what its outputs mean"),
        (lambda m: {**m, "model.json": m["model.json"].replace(b'"Rescaling"', b'"Lambda"')}, "has a Lambda"),
        (
            lambda m: {**m, "model.json": m["model.json"].replace(b'"module": "keras.layers"', b'"module": "os"')},
            "not Keras's own",
        ),
    ],
)
def test_a_file_that_is_refused(members, change, message, tmp_path):
    path = tmp_path / "bad.emoq"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in change(members).items():
            archive.writestr(name, content)
    with pytest.raises(ModelError, match=message) as error:
        load_packed(path)
    assert "bad.emoq" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_bomb_is_refused(members, tmp_path, monkeypatch):
    monkeypatch.setitem(load_packed.__globals__["_MAX_BYTES"], "header.json", 1000)
    path = tmp_path / "bomb.emoq"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**members, "header.json": b" " * 1001}.items():
            archive.writestr(name, content)
    with pytest.raises(ModelError, match="unpacks to more"):
        load_packed(path)


def test_a_file_that_is_none(tmp_path):
    (tmp_path / "m.emoq").write_bytes(b"no zip")
    with pytest.raises(ModelError, match="not a packed model"):
        load_packed(tmp_path / "m.emoq")
    with pytest.raises(ModelError, match="no such model file"):
        load_packed(tmp_path / "none.emoq")
