"""The backbones by name. Each maps an image to a feature map and holds its own preprocessing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras

from emo_utils.errors import ModelError, first_line


@dataclass(frozen=True)
class Backbone:
    """How to make a backbone.

    Attributes:
        build: (size, weights) -> model from float images of shape (n, size, size, channels), grey levels 0 to 255,
            to a feature map of shape (n, h, w, c).
        channels: 1 for grey, 3 where published weights expect colour.
        min_size: smallest input side in pixels.
        top: name of the layer from which on stage "top" trains.
    """

    build: Callable[[int, str | None], keras.Model]
    channels: int
    min_size: int
    top: str


def _mobilenet_v3_small(size: int, weights: str | None) -> keras.Model:
    model = keras.applications.MobileNetV3Small(
        input_shape=(size, size, 3), include_top=False, weights=weights, name="MobileNetV3Small"
    )
    if weights is None:
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                # Keras sets .999, right for ImageNet's long runs; on a few hundred steps an epoch the moving
                # statistics lag so far behind that validation looks like chance for several epochs.
                layer.momentum = 0.98
    return model


def _small_cnn(size: int, weights: str | None) -> keras.Model:
    if weights is not None:
        raise ModelError(f"SmallCNN has no published weights. Got weights={weights!r}; use null or a .keras file.")
    inputs = keras.Input((size, size, 1))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1, name="rescale")(inputs)
    for block, filters in enumerate((16, 32, 64, 128), start=1):
        x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"block{block}_conv")(x)
        # Momentum .9: a quick run has some 20 steps an epoch, too few for Keras's .99.
        x = keras.layers.BatchNormalization(momentum=0.9, name=f"block{block}_norm")(x)
        x = keras.layers.ReLU(name=f"block{block}_relu")(x)
        x = keras.layers.MaxPooling2D(name=f"block{block}_pool")(x)
    return keras.Model(inputs, x, name="SmallCNN")


BACKBONES: dict[str, Backbone] = {
    "SmallCNN": Backbone(_small_cnn, channels=1, min_size=32, top="block4_conv"),
    # The last inverted-residual block and the convolution behind it.
    "MobileNetV3Small": Backbone(_mobilenet_v3_small, channels=3, min_size=32, top="expanded_conv_10_expand"),
}


def build_backbone(name: str, size: int, weights: str | None) -> keras.Model:
    """Build a backbone by name.

    Args:
        name: a key of `BACKBONES`.
        size: input side in pixels.
        weights: None for random weights, or "imagenet".

    Raises:
        ModelError: the size is too small, or the ImageNet weights cannot be had.
    """
    entry = BACKBONES[name]
    if size < entry.min_size:
        raise ModelError(f"{name} needs inputs of at least {entry.min_size} px. Got input_size {size}.")
    try:
        return entry.build(size, weights)
    except Exception as error:  # Keras raises a bare Exception when a download fails
        if weights != "imagenet" or isinstance(error, ModelError):
            raise
        raise ModelError(
            f"The ImageNet weights of {name} could not be loaded ({first_line(error)}). They are "
            "downloaded once to ~/.keras/models; without network use a recipe with weights null or a .keras file."
        ) from None
