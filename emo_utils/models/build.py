"""From a recipe to a Keras model: grey face in, one probability an emotion out."""

from __future__ import annotations

import math

import keras

from emo_utils.errors import ModelError
from emo_utils.models.backbones import BACKBONES, build_backbone
from emo_utils.models.files import load_model
from emo_utils.recipe import Head, Recipe


def build_model(recipe: Recipe) -> keras.Model:
    """Build the model of a recipe.

    Args:
        recipe: its backbone, weights, head, input size, classes and seed are used.

    Returns:
        An ordinary Keras model. Input "face": (n, size, size, 1), grey levels 0 to 255, any number type; preprocessing
        is inside. Output "probabilities": (n, n_classes) in the order of `recipe.classes`, float32. The layer "logits"
        before it is what distillation and some chips want.

    Raises:
        ModelError: weights that cannot be had or do not fit the backbone.
    """
    keras.utils.set_random_seed(recipe.seed)
    entry = BACKBONES[recipe.backbone]
    backbone = build_backbone(
        recipe.backbone, recipe.input_size, recipe.weights if recipe.weights == "imagenet" else None
    )
    if recipe.weights not in (None, "imagenet"):
        _take_over_weights(backbone, recipe)
    inputs = keras.Input((recipe.input_size, recipe.input_size, 1), name="face")
    x = inputs
    if entry.channels == 3:
        x = keras.layers.Concatenate(name="grey_to_rgb")([x, x, x])
    # With weights from elsewhere, batch norm keeps its statistics in every stage (Keras's guide to fine-tuning):
    # small batches of new data would overwrite what many images built up.
    x = backbone(x) if recipe.weights is None else backbone(x, training=False)
    outputs = _add_head(x, recipe.head, len(recipe.classes))
    return keras.Model(inputs, outputs, name=recipe.backbone.lower() + "_emotions")


def _add_head(x, head: Head, n_classes: int):
    layers = keras.layers
    x = layers.GlobalAveragePooling2D(name="pool")(x) if head.pooling == "avg" else layers.Flatten(name="pool")(x)
    for i, units in enumerate(head.units, start=1):
        x = layers.Dropout(head.dropout, name=f"dropout_{i}")(x)
        x = layers.Dense(units, activation="relu", name=f"dense_{i}")(x)
    x = layers.Dropout(head.dropout, name="dropout")(x)
    x = layers.Dense(n_classes, name="logits")(x)
    return layers.Activation("softmax", dtype="float32", name="probabilities")(x)


def _take_over_weights(backbone: keras.Model, recipe: Recipe) -> None:
    path = recipe.weights
    donor, info = load_model(path)
    theirs = info.get("recipe", {})
    same_data = theirs.get("data") == recipe.data
    if same_data and (theirs.get("seed"), theirs.get("val_fraction")) != (recipe.seed, recipe.val_fraction):
        raise ModelError(
            f"{path} was trained with seed {theirs.get('seed')}, this recipe has seed {recipe.seed}: some of its "
            f"training faces would be validation faces here. Train weights with this seed first, or keep theirs."
        )
    try:
        source = donor.get_layer(backbone.name)
    except ValueError:
        names = ", ".join(layer.name for layer in donor.layers)
        raise ModelError(f"{path} has no backbone {backbone.name}. Its layers: {names}.") from None
    try:
        backbone.set_weights(source.get_weights())
    except ValueError:
        raise ModelError(f"The weights in {path} have other shapes than {backbone.name} of this recipe.") from None


def set_trainable(model: keras.Model, recipe: Recipe, train: str) -> int:
    """Freeze and unfreeze for a stage. Compile the model afterwards.

    Args:
        model: from `build_model`.
        recipe: names the backbone.
        train: "head", "top" (the backbone's last block too) or "all".

    Returns:
        The number of trainable values.
    """
    backbone = model.get_layer(recipe.backbone)
    backbone.trainable = train != "head"
    first = backbone.layers.index(backbone.get_layer(BACKBONES[recipe.backbone].top)) if train == "top" else 0
    for i, layer in enumerate(backbone.layers):
        layer.trainable = train != "head" and i >= first
    return sum(math.prod(v.shape) for v in model.trainable_variables)
