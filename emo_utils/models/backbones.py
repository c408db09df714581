"""The backbones by name. Each maps an image to a feature map and holds its own preprocessing."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import keras

from emo_utils.errors import ModelError, first_line
from emo_utils.models.resnext import build_resnext
from emo_utils.recipe import Recipe

# Scale and offset of `keras.layers.Rescaling`: what each network's `preprocess_input` does to grey levels 0 to 255.
_SIGNED = (1 / 127.5, -1.0)
# ImageNet's mean colour, in the order blue, green, red. The channels come in that order, too: they are all alike, since
# a grey image was repeated, so there is nothing to swap.
_CAFFE = (1.0, [-103.939, -116.779, -123.68])
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_TORCH = ([1 / (255 * s) for s in _STD], [-m / s for m, s in zip(_MEAN, _STD, strict=True)])
# Keras sets up to .9997, right for ImageNet's long runs; on a few hundred steps an epoch the moving statistics lag so
# far behind that validation looks like chance for several epochs.
_MOMENTUM = 0.98

# The one file that Keras stores under another name than the address ends in.
_STORED_AS = {"NASNet-mobile-no-top.h5": "nasnet_mobile_no_top.h5"}


@dataclass(frozen=True)
class Backbone:
    """How to make a backbone.

    Attributes:
        build: (recipe, weights) -> model from float images of shape (n, size, size, channels), grey levels 0 to 255,
            to a feature map of shape (n, h, w, c). weights: None for random ones, or "imagenet".
        channels: 1 for grey; 3, all alike, where published weights expect colour.
        min_size: smallest input side in pixels.
        top: what the name of the first layer that stage "top" trains begins with; "{stages}" is their number.
    """

    build: Callable[[Recipe, str | None], keras.Model]
    channels: int
    min_size: int
    top: str


def _application(name: str, scale: float | list[float], offset: float | list[float]):
    """Return how to build a network of keras.applications behind its preprocessing, as one flat model."""

    def build(recipe: Recipe, weights: str | None) -> keras.Model:
        inputs = keras.Input((recipe.input_size, recipe.input_size, 3))
        x = keras.layers.Rescaling(scale, offset, name="preprocess")(inputs)
        return _from_keras(name, recipe, weights, input_tensor=x)

    return build


def _mobilenet_v3_small(minimalistic: bool):
    """Return how to build MobileNetV3Small, which rescales by itself.

    The minimalistic one is without what compilers for chips take badly: ReLU for hard swish, 3x3 for 5x5 kernels, and
    no squeeze-and-excitation.
    """

    def build(recipe: Recipe, weights: str | None) -> keras.Model:
        return _from_keras("MobileNetV3Small", recipe, weights, minimalistic=minimalistic)

    return build


def _mobilenet_short(recipe: Recipe, weights: str | None) -> keras.Model:
    """Build MobileNet (Howard et al. 2017) up to its tenth block of thirteen, 1.36 of 3.2 million parameters.

    The last three blocks hold more than half of them and tell ImageNet's thousand classes apart; seven need less.
    """
    inputs = keras.Input((recipe.input_size, recipe.input_size, 3))
    x = keras.layers.Rescaling(*_SIGNED, name="preprocess")(inputs)
    whole = _from_keras("MobileNet", recipe, weights, input_tensor=x)
    return keras.Model(inputs, whole.get_layer("conv_pw_10_relu").output, name=recipe.backbone)


def _from_keras(name: str, recipe: Recipe, weights: str | None, **options) -> keras.Model:
    shape = (recipe.input_size, recipe.input_size, 3)
    with warnings.catch_warnings():
        # MobileNets say that for this size the weights of 224 px are taken, even where none are wanted.
        warnings.filterwarnings("ignore", message="`input_shape` is undefined or")
        network = getattr(keras.applications, name)
        return network(input_shape=shape, include_top=False, weights=weights, name=recipe.backbone, **options)


def _small_cnn(recipe: Recipe, weights: None) -> keras.Model:
    inputs = keras.Input((recipe.input_size, recipe.input_size, 1))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1, name="rescale")(inputs)
    for block, filters in enumerate((16, 32, 64, 128), start=1):
        x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"block{block}_conv")(x)
        # Momentum .9: a quick run has some 20 steps an epoch, too few for Keras's .99.
        x = keras.layers.BatchNormalization(momentum=0.9, name=f"block{block}_norm")(x)
        x = keras.layers.ReLU(name=f"block{block}_relu")(x)
        x = keras.layers.MaxPooling2D(name=f"block{block}_pool")(x)
    return keras.Model(inputs, x, name="SmallCNN")


def _plain_cnn(filters: tuple[int, ...]):
    """Return how to build three blocks of convolution, batch norm, ReLU and pooling, as the Jetson source has them.

    Teacher and student differ in the number of filters alone. The source is StevenHSKim/FER-Jetson-Nano (MIT); its
    counts hold here too: with its heads 5,094,407 and 241,367 trainable values.
    """

    def build(recipe: Recipe, weights: None) -> keras.Model:
        inputs = keras.Input((recipe.input_size, recipe.input_size, 3))
        x = keras.layers.Rescaling(*_TORCH, name="preprocess")(inputs)
        for block, n in enumerate(filters, start=1):
            x = keras.layers.Conv2D(n, 3, padding="same", name=f"block{block}_conv")(x)
            x = keras.layers.BatchNormalization(momentum=0.9, name=f"block{block}_norm")(x)
            x = keras.layers.ReLU(name=f"block{block}_relu")(x)
            x = keras.layers.MaxPooling2D(name=f"block{block}_pool")(x)
        return keras.Model(inputs, x, name=recipe.backbone)

    return build


def _resnext(recipe: Recipe, weights: None) -> keras.Model:
    return build_resnext(recipe.input_size, recipe.resnext)


BACKBONES: dict[str, Backbone] = {
    "SmallCNN": Backbone(_small_cnn, channels=1, min_size=32, top="block4_"),
    "ResNeXt": Backbone(_resnext, channels=1, min_size=32, top="stage{stages}_"),
    "ResNet50": Backbone(_application("ResNet50", *_CAFFE), channels=3, min_size=32, top="conv5_"),
    "VGG16": Backbone(_application("VGG16", *_CAFFE), channels=3, min_size=32, top="block5_"),
    "Xception": Backbone(_application("Xception", *_SIGNED), channels=3, min_size=71, top="block14_"),
    # The last five blocks, all those that see the whole face.
    "MobileNetShort": Backbone(_mobilenet_short, channels=3, min_size=32, top="conv_dw_6"),
    # The last inverted-residual block and the convolution behind it.
    "MobileNetV2": Backbone(_application("MobileNetV2", *_SIGNED), channels=3, min_size=32, top="block_16_"),
    "MobileNetV3Small": Backbone(_mobilenet_v3_small(False), channels=3, min_size=32, top="expanded_conv_10_"),
    "MobileNetV3SmallMinimalistic": Backbone(
        _mobilenet_v3_small(True), channels=3, min_size=32, top="expanded_conv_10_"
    ),
    # The last dense block, 16 of the 58 pairs of convolutions.
    "DenseNet121": Backbone(_application("DenseNet121", *_TORCH), channels=3, min_size=32, top="conv5_"),
    # The last of the 12 cells.
    "NASNetMobile": Backbone(
        _application("NASNetMobile", *_SIGNED), channels=3, min_size=32, top="adjust_conv_projection_12"
    ),
    "TeacherCNN": Backbone(_plain_cnn((64, 128, 256)), channels=3, min_size=32, top="block3_"),
    "StudentCNN": Backbone(_plain_cnn((16, 32, 48)), channels=3, min_size=32, top="block3_"),
}


def build_backbone(recipe: Recipe) -> keras.Model:
    """Build the backbone of a recipe, with random weights or, where the recipe says so, those of ImageNet.

    Args:
        recipe: its backbone, its shape, the input size and the weights "imagenet" are used.

    Returns:
        A model named like the backbone, without layers that are models themselves.

    Raises:
        ModelError: the size is too small, or the ImageNet weights cannot be had.
    """
    name, entry = recipe.backbone, BACKBONES[recipe.backbone]
    if recipe.input_size < entry.min_size:
        raise ModelError(f"{name} needs inputs of at least {entry.min_size} px. Got input_size {recipe.input_size}.")
    if recipe.weights != "imagenet":
        backbone = entry.build(recipe, None)
        for layer in backbone.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = min(layer.momentum, _MOMENTUM)
        return backbone
    if entry.channels == 1:
        raise ModelError(
            f"{name} has no ImageNet weights. Use weights null, or the path of a .keras or .weights.h5 file."
        )
    try:
        return entry.build(recipe, "imagenet")
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise ModelError(_no_imagenet(name, error)) from None


def _no_imagenet(name: str, error: Exception) -> str:
    address = re.search(r"https?://[^\s:]+/([^\s:/]+)", str(error))
    if address:
        remedy = f"Put the file in ~/.keras/models/{_STORED_AS.get(address[1], address[1])}"
    else:
        remedy = "Replace the damaged file in ~/.keras/models"
    return (
        f"The ImageNet weights of {name} could not be loaded ({first_line(error)}). {remedy}, or give a .weights.h5 "
        "file of the backbone as weights; recipes with weights null or a file need no network."
    )


def top_layer(recipe: Recipe, backbone: keras.Model) -> int:
    """Return the index of the first layer of a backbone that stage "top" trains."""
    prefix = BACKBONES[recipe.backbone].top.format(stages=len(recipe.resnext.blocks))
    return next(i for i, layer in enumerate(backbone.layers) if layer.name.startswith(prefix))
