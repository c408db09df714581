"""The layers of a recipe's model: grey face in, backbone, head, one probability an emotion out."""

from __future__ import annotations

import keras

from emo_utils.models.backbones import BACKBONES
from emo_utils.recipe import Head, Recipe


def build_architecture(recipe: Recipe, backbone: keras.Model) -> keras.Model:
    """Put input, backbone and head together.

    Args:
        recipe: as in `build_model`, which says what comes out.
        backbone: the recipe's, with the weights that it starts from. Where these come from elsewhere, its batch norm is
            frozen.
    """
    for layer in kept_layers(recipe, backbone):
        layer.trainable = False
    inputs = keras.Input((recipe.input_size, recipe.input_size, 1), name="face")
    x = inputs
    if BACKBONES[recipe.backbone].channels == 3:
        x = keras.layers.Concatenate(name="grey_to_rgb")([x, x, x])
    x = backbone(x)
    outputs = _add_head(x, recipe.head, len(recipe.classes))
    return keras.Model(inputs, outputs, name=recipe.backbone.lower() + "_emotions")


def kept_layers(recipe: Recipe, backbone: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers that no stage of a recipe trains: batch norm with weights from elsewhere, unless it may adapt.

    As Keras's guide to fine-tuning says, it keeps its statistics: small batches of new data would overwrite what many
    images built up. The guide's way, to call the backbone with training=False, does not survive `fit` (seen in Keras
    3.13 and 3.15), which passes training=True to every layer of a functional model; freezing the layers does.
    """
    if recipe.weights is None or recipe.adapt_norm:
        return []
    return [layer for layer in backbone.layers if isinstance(layer, keras.layers.BatchNormalization)]


def _add_head(x, head: Head, n_classes: int):
    layers = keras.layers
    x = layers.GlobalAveragePooling2D(name="pool")(x) if head.pooling == "avg" else layers.Flatten(name="pool")(x)
    *hidden, last = head.rates
    for i, (units, rate) in enumerate(zip(head.units, hidden, strict=True), start=1):
        if rate:
            x = layers.Dropout(rate, name=f"dropout_{i}")(x)
        x = layers.Dense(units, activation="relu", name=f"dense_{i}")(x)
    if last:
        x = layers.Dropout(last, name="dropout")(x)
    x = layers.Dense(n_classes, name="logits")(x)
    return layers.Activation("softmax", dtype="float32", name="probabilities")(x)
