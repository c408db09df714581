"""The layers of a recipe's model: grey face in, backbone, head, one probability an emotion out."""

from __future__ import annotations

import keras

from emo_utils.models.backbones import BACKBONES
from emo_utils.recipe import Head, Recipe


def build_architecture(recipe: Recipe, backbone: keras.Model) -> keras.Model:
    """Put input, backbone and head together.

    Args:
        recipe: as in `build_model`, which says what comes out.
        backbone: the recipe's, with the weights that it starts from.
    """
    inputs = keras.Input((recipe.input_size, recipe.input_size, 1), name="face")
    x = inputs
    if BACKBONES[recipe.backbone].channels == 3:
        x = keras.layers.Concatenate(name="grey_to_rgb")([x, x, x])
    # With weights from elsewhere, batch norm keeps its statistics in every stage (Keras's guide to fine-tuning):
    # small batches of new data would overwrite what many images built up.
    x = backbone(x) if recipe.weights is None else backbone(x, training=False)
    outputs = _add_head(x, recipe.head, len(recipe.classes))
    return keras.Model(inputs, outputs, name=recipe.backbone.lower() + "_emotions")


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
