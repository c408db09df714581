"""Explanations: heat as computed by hand, for every backbone; hidden corners found; heat measured against the truth."""

from __future__ import annotations

import cv2
import keras
import numpy as np
import pytest
from conftest import shared_file

from emo_utils.emotions import SEVEN
from emo_utils.errors import DataError, ModelError
from emo_utils.evaluation.explain import grad_cam, occlusion_map
from emo_utils.models import build_model, load_model, save_model
from emo_utils.models.backbones import BACKBONES
from emo_utils.models.foreign import load_foreign_model
from emo_utils.recipe import Head, Recipe

layers = keras.layers
# A model that can be worked out by hand: grey level g gives the maps 0.02 g - 1 and 2 - 0.01 g, their means the logits.
MAPS = np.array([0.02, -0.01]), np.array([-1.0, 2.0])
LOGITS = np.array([[2.0, -1.0, 0.5], [-1.5, 1.0, -0.5]]), np.array([0.1, 0.0, -0.1])


def random_faces(n: int, side: int = 8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, side, side), dtype=np.uint8)


def linear_model(form: str) -> keras.Model:
    """Build that model with our nested structure, as a flat list, or with the softmax inside the Dense layer."""
    convolution, dense = layers.Conv2D(2, 1, name="maps"), layers.Dense(3, name="logits")
    pool, softmax = layers.GlobalAveragePooling2D(name="pool"), layers.Activation("softmax", name="probabilities")
    face = keras.Input((8, 8, 1), name="face")
    if form == "nested":
        inner = keras.Input((8, 8, 1))
        backbone = keras.Model(inner, convolution(inner), name="backbone")
        model = keras.Model(face, softmax(dense(pool(backbone(face)))))
    elif form == "flat":
        model = keras.Sequential([face, convolution, pool, dense, softmax])
    elif form == "softmax layer":
        model = keras.Sequential([face, convolution, pool, dense, layers.Softmax()])
    else:
        dense = layers.Dense(3, activation="softmax")
        model = keras.Model(face, dense(pool(convolution(face))))
    convolution.set_weights([MAPS[0].reshape(1, 1, 1, 2), MAPS[1]])
    dense.set_weights(LOGITS)
    return model


def heat_by_hand(images: np.ndarray, classes) -> np.ndarray:
    maps = images[..., None] * MAPS[0] + MAPS[1]
    # The logit is a weighed mean over the places: its gradient is the same everywhere, weight / number of places.
    slope = LOGITS[0].T[classes] / (images.shape[1] * images.shape[2])
    heat = np.maximum((maps * slope[:, None, None]).sum(axis=-1), 0)
    return heat / np.maximum(heat.max(axis=(1, 2), keepdims=True), 1e-12)


@pytest.mark.parametrize("form", ["nested", "flat", "softmax layer", "softmax in the dense layer"])
def test_grad_cam_equals_a_computation_by_hand(form):
    images = random_faces(70)  # more than a batch
    logits = (images[..., None] * MAPS[0] + MAPS[1]).mean(axis=(1, 2)) @ LOGITS[0] + LOGITS[1]
    model = linear_model(form)
    np.testing.assert_allclose(grad_cam(model, images), heat_by_hand(images, logits.argmax(axis=1)), atol=1e-5)
    classes = np.arange(70) % 3
    heat = grad_cam(model, images, class_index=classes)
    np.testing.assert_allclose(heat, heat_by_hand(images, classes), atol=1e-5)
    np.testing.assert_array_equal(heat[1::3], grad_cam(model, images, class_index=1)[1::3])
    assert heat.dtype == np.float32


def test_grad_cam_comes_back_at_the_size_of_the_faces():
    images = np.kron(random_faces(3), np.ones((2, 2), np.uint8))  # 16 x 16, which area averaging shrinks back exactly
    heat = grad_cam(linear_model("nested"), images, class_index=0)
    large = np.stack([cv2.resize(one, (16, 16)) for one in heat_by_hand(random_faces(3), np.zeros(3, int))])
    np.testing.assert_allclose(heat, large / large.max(axis=(1, 2), keepdims=True), atol=1e-5)


def test_grad_cam_of_a_sure_model_is_not_lost_in_the_softmax():
    model = linear_model("flat")
    model.get_layer("logits").set_weights([LOGITS[0] * 1000, LOGITS[1]])
    images = random_faces(2)
    np.testing.assert_allclose(grad_cam(model, images, class_index=0), heat_by_hand(images, [0, 0]), atol=1e-5)


def test_a_face_without_support_for_the_class_has_no_heat():
    model = linear_model("flat")
    model.get_layer("logits").set_weights([np.array([[0.0, 1, 1], [0.0, 1, 1]]), np.zeros(3)])
    assert not grad_cam(model, random_faces(2), class_index=0).any()


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_of_the_registry_gives_heat(name):
    size = max(48, BACKBONES[name].min_size)
    model = build_model(Recipe("a", backbone=name, input_size=size, head=Head(units=(8,))))
    heat = grad_cam(model, random_faces(2, 48), class_index=3)
    assert heat.shape == (2, 48, 48)
    assert np.isfinite(heat).all()
    assert set(heat.max(axis=(1, 2))) <= {0.0, 1.0}


def test_an_inner_layer_of_the_backbone_gives_finer_heat():
    model = build_model(Recipe("a", input_size=48))
    faces = random_faces(1, 48)
    coarse, fine = (grad_cam(model, faces, class_index=0, layer=name) for name in ("block4_pool", "block1_relu"))
    np.testing.assert_allclose(coarse, grad_cam(model, faces, class_index=0), atol=1e-5)
    assert np.abs(np.diff(fine)).max() > 2 * np.abs(np.diff(coarse)).max()


def test_explaining_leaves_the_model_as_it_was(tmp_path):
    model = build_model(Recipe("a", input_size=48))
    faces = random_faces(2, 48)
    before, heat = model.to_json(), grad_cam(model, faces)
    assert model.to_json() == before
    save_model(model, tmp_path / "m.keras", {"class_names": SEVEN})
    np.testing.assert_allclose(grad_cam(load_model(tmp_path / "m.keras")[0], faces), heat, atol=1e-5)


def test_foreign_models_are_opened():
    path = shared_file("peers/fer2013_mini_XCEPTION.102-0.66.hdf5")
    model, _ = load_foreign_model(path, scaling="-1..1", classes=SEVEN)
    faces = random_faces(2, 64)
    # It ends in maps, one a class, their means and a softmax: the heat is the class's own map.
    peer = model.get_layer("model_1")
    maps = keras.Model(peer.inputs[0], peer.get_layer("conv2d_7").output)(faces[..., None] / 127.5 - 1, training=False)
    own = np.maximum(keras.ops.convert_to_numpy(maps)[..., 3], 0)
    large = np.stack([cv2.resize(one, (64, 64)) for one in own])
    heat = grad_cam(model, faces, class_index=3)
    np.testing.assert_allclose(heat, large / large.max(axis=(1, 2), keepdims=True), atol=1e-4)


def test_what_only_hands_on_the_probabilities_is_passed_over():
    model = linear_model("flat")
    longer = keras.Sequential([model, layers.Activation("linear", dtype="float32")])
    images = random_faces(2)
    np.testing.assert_array_equal(grad_cam(longer, images), grad_cam(model, images))


def branched_model() -> keras.Model:
    face = keras.Input((8, 8, 1))
    side = layers.Conv2D(1, 3, padding="same", name="side")(face)
    both = layers.Add(name="both")([face, side])
    return keras.Model(face, layers.Dense(3, activation="softmax")(layers.Flatten()(both)), name="branched")


def test_a_layer_that_the_image_can_pass_by_is_refused():
    model = branched_model()
    assert grad_cam(model, random_faces(1), layer="both").shape == (1, 8, 8)
    with pytest.raises(ModelError, match="'side' of branched is no bottleneck"):
        grad_cam(model, random_faces(1), layer="side")


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"layer": "nowhere"}, ModelError, "no layer 'nowhere'. The last ones with maps: maps, backbone"),
        ({"layer": "pool"}, ModelError, "'pool' of .* no map"),
        ({"images": random_faces(0)}, DataError, "no faces to explain"),
        ({"images": random_faces(2) / 255}, DataError, "must be uint8 .* Got float64"),
        ({"images": random_faces(2)[..., None]}, DataError, r"Got uint8 of shape \(2, 8, 8, 1\)"),
        ({"class_index": 3}, DataError, "must be 0 to 2. Got 3"),
        ({"class_index": "happy"}, DataError, "whole number"),
        ({"class_index": np.array([0, 1, 2])}, DataError, "one for each of the 2 faces"),
    ],
)
def test_bad_input_is_named(arguments, error, words):
    arguments = {"images": random_faces(2)} | arguments
    with pytest.raises(error, match=words):
        grad_cam(linear_model("nested"), **arguments)


@pytest.mark.parametrize("explain", [grad_cam, occlusion_map])
def test_a_colour_model_is_refused(explain):
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(3)])
    with pytest.raises(ModelError, match=r"must take square grey faces.*\(None, 8, 8, 3\)"):
        explain(model, random_faces(1))


class Opaque(keras.Model):
    """A model that is no graph of layers."""

    def __init__(self):
        super().__init__(name="opaque")
        self.convolution = layers.Conv2D(2, 3)

    def call(self, faces):
        return self.convolution(faces)


def test_a_model_that_is_no_graph_cannot_be_opened_but_may_be_a_layer():
    with pytest.raises(ModelError, match="must take square grey faces"):
        grad_cam(Opaque(), random_faces(1))
    around = keras.Sequential([keras.Input((8, 8, 1)), Opaque(), layers.Flatten(), layers.Dense(3)])
    np.testing.assert_array_equal(grad_cam(around, random_faces(1)), grad_cam(around, random_faces(1), layer="opaque"))
    with pytest.raises(ModelError, match="no layer 'convolution'"):
        grad_cam(around, random_faces(1), layer="convolution")


def test_a_model_without_maps_is_refused():
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(3)], name="flat")
    with pytest.raises(ModelError, match="No layer of flat gives a map"):
        grad_cam(model, random_faces(1))


def corner_model() -> keras.Model:
    """Build a model whose class 1 is as likely as the upper left quarter of 16 x 16 pixels is bright."""
    flatten, dense = layers.Flatten(), layers.Dense(2, activation="softmax")
    model = keras.Sequential([keras.Input((16, 16, 1)), flatten, dense])
    corner = np.zeros((16, 16))
    corner[:8, :8] = 4 / 255 / 64
    dense.set_weights([np.stack([-corner.ravel(), corner.ravel()], axis=1), np.zeros(2)])
    return model


def test_occlusion_finds_the_corner_that_the_model_looks_at():
    images = np.zeros((3, 16, 16), np.uint8)
    images[:, :8, :8] = 250
    drops = occlusion_map(corner_model(), images, patch=4, stride=2)
    assert drops.dtype == np.float32
    assert drops[:, :8, :8].min() > 0
    np.testing.assert_allclose(drops[:, 10:], 0, atol=1e-6)
    np.testing.assert_allclose(drops[:, :, 10:], 0, atol=1e-6)
    # What speaks for a class speaks against the other.
    np.testing.assert_allclose(
        occlusion_map(corner_model(), images, class_index=np.array([0, 1, 1]), patch=4, stride=2)[:2],
        [-drops[0], drops[1]],
        atol=1e-6,
    )


def test_occlusion_averages_over_the_squares_that_hide_a_pixel():
    images = np.full((1, 16, 16), 200, np.uint8)
    images[:, :8, :8] = 250
    grey = round(images.mean())
    chance = [1 / (1 + np.exp(-8 * x / 255)) for x in (250, (250 * 48 + grey * 16) / 64)]
    # Squares of 4 x 4, side by side: each hides a quarter of a quarter.
    drops = occlusion_map(corner_model(), images, patch=4, stride=4)
    np.testing.assert_allclose(drops[0, :8, :8], chance[0] - chance[1], atol=1e-5)
    # A row of 16 does not hold squares of 6 in steps of 4 evenly: the last one is moved to the edge.
    assert np.isfinite(occlusion_map(corner_model(), images, patch=6, stride=4)).all()


@pytest.mark.parametrize("sizes", [{"patch": 17}, {"patch": 2, "stride": 4}, {"stride": 0}])
def test_squares_that_cannot_cover_the_face_are_refused(sizes):
    with pytest.raises(DataError, match="1 <= stride <= patch <= 16"):
        occlusion_map(corner_model(), np.zeros((1, 16, 16), np.uint8), **sizes)
