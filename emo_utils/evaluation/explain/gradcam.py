"""Grad-CAM: where in the face did a class find its support?"""

from __future__ import annotations

import cv2
import keras
import numpy as np

from emo_utils.evaluation.evaluate import face_size, forward_pass
from emo_utils.evaluation.explain.gradients import gradient
from emo_utils.evaluation.explain.graph import split_at_maps
from emo_utils.evaluation.explain.inputs import check_faces, classes_to_explain
from emo_utils.pipeline import resize_images

_BATCH = 64


def grad_cam(
    model: keras.Model, images: np.ndarray, *, class_index: int | np.ndarray | None = None, layer: str | None = None
) -> np.ndarray:
    """Return the places whose features speak for a class.

    The maps of a layer are added up, each weighed by the mean gradient of the class's logit with respect to it; what
    comes out below zero speaks for other classes and is cut off. R. R. Selvaraju et al., "Grad-CAM: Visual
    Explanations from Deep Networks via Gradient-based Localization" (ICCV 2017).

    Args:
        model: functional or sequential, grey input (n, size, size, 1), e.g. from `build_model` or `load_model`.
        images: uint8 array of shape (n, height, width), brought to the model's size as `predict_probabilities` does.
        class_index: the class to explain, or an int array of shape (n,), one a face; None for the predicted one.
        layer: name of the layer whose maps are used, also inside the backbone; None for the last maps before pooling.
            The heat is no finer than these maps: 3 x 3 at the end of SmallCNN, 6 x 6 at its "block4_relu".

    Returns:
        float32 array of shape (n, height, width), bilinear from the maps, with a maximum of 1 in each face; all zero
        where nothing speaks for the class.

    Raises:
        ModelError: the model takes no grey faces, the layer does not exist or is no bottleneck, or Keras runs on
            neither TensorFlow nor JAX.
        DataError: images or classes that do not fit.
    """
    check_faces(images)
    size = face_size(model)
    maps_model, score_model = split_at_maps(model, layer)
    classes = class_index if class_index is None else classes_to_explain(class_index, len(images), model)
    to_maps = forward_pass(maps_model, len(images))
    heat = np.empty(images.shape, dtype=np.float32)
    for start in range(0, len(images), _BATCH):
        part = slice(start, start + _BATCH)
        maps = keras.ops.convert_to_tensor(to_maps(resize_images(images[part], size)[..., None]))
        raw = _heat(maps, score_model, None if classes is None else classes[part])
        heat[part] = [_stretch(one, images.shape[1:]) for one in raw]
    return heat


def _heat(maps, score_model: keras.Model, classes: np.ndarray | None) -> np.ndarray:
    """Return what of maps (n, h, w, channels) speaks for a class, float32 of shape (n, h, w), at least 0."""
    if classes is None:
        classes = keras.ops.argmax(score_model(maps, training=False), axis=-1)
    wanted = keras.ops.one_hot(classes, score_model.output_shape[-1])
    slope = gradient(lambda x: score_model(x, training=False) * wanted, maps)
    weights = keras.ops.mean(slope, axis=(1, 2), keepdims=True)
    heat = keras.ops.relu(keras.ops.sum(weights * maps, axis=-1))
    return keras.ops.convert_to_numpy(keras.ops.cast(heat, "float32"))


def _stretch(heat: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Bring the heat of one face to the size of its picture and its maximum to 1."""
    heat = cv2.resize(heat, shape[::-1], interpolation=cv2.INTER_LINEAR)
    highest = heat.max()
    return heat / highest if highest > 0 else heat
