"""From a recipe to a Keras model, its parts, and what of it trains in a stage."""

from __future__ import annotations

import math

import keras

from emo_utils.models.architecture import build_architecture, kept_layers
from emo_utils.models.backbones import build_backbone, top_layer
from emo_utils.models.weights import take_over_weights
from emo_utils.recipe import Recipe


def build_model(recipe: Recipe) -> keras.Model:
    """Build the model of a recipe.

    Args:
        recipe: its backbone, weights, head, input size, classes and seed are used.

    Returns:
        An ordinary Keras model. Input "face": (n, size, size, 1), grey levels 0 to 255, any number type; preprocessing
        is inside. The layer named like the backbone is the backbone, a model in itself; "pool" behind it gives the
        features. Output "probabilities": (n, n_classes) in the order of `recipe.classes`, float32. The layer "logits"
        before it is what distillation and some chips want.

    Raises:
        ModelError: weights that cannot be had or do not fit the backbone.
    """
    keras.utils.set_random_seed(recipe.seed)
    backbone = build_backbone(recipe)
    if recipe.weights not in (None, "imagenet"):
        take_over_weights(backbone, recipe)
    return build_architecture(recipe, backbone)


def build_feature_extractor(model: keras.Model, recipe: Recipe) -> keras.Model:
    """Return the part of a model that a frozen backbone leaves unchanged, with the model's own layers.

    Args:
        model: from `build_model`.
        recipe: gives the part its name.

    Returns:
        A model from faces (n, size, size, 1) to features (n, n_features), the output of the layer "pool".
    """
    return keras.Model(model.input, model.get_layer("pool").output, name=f"{recipe.backbone.lower()}_features")


def build_head(model: keras.Model, recipe: Recipe) -> keras.Model:
    """Return the rest of a model, with its own layers: training the head trains the model.

    Args:
        model: from `build_model`.
        recipe: gives the part its name.

    Returns:
        A model from features (n, n_features), as `build_feature_extractor` gives them, to probabilities (n, n_classes).
    """
    return keras.Model(model.get_layer("pool").output, model.output, name=f"{recipe.backbone.lower()}_head")


def set_trainable(model: keras.Model, recipe: Recipe, train: str | int) -> int:
    """Freeze and unfreeze for a stage. Compile the model afterwards.

    With weights from elsewhere the backbone's batch norm stays frozen in every stage.

    Args:
        model: from `build_model`.
        recipe: names the backbone and where its weights come from.
        train: "head", "top" (the backbone's last block too), "all", or how many of the backbone's last layers to free.

    Returns:
        The number of trainable values.
    """
    backbone = model.get_layer(recipe.backbone)
    n = len(backbone.layers)
    first = {"head": n, "top": top_layer(recipe, backbone), "all": 0}[train] if isinstance(train, str) else n - train
    backbone.trainable = first < n
    for i, layer in enumerate(backbone.layers):
        layer.trainable = i >= first
    for layer in kept_layers(recipe, backbone):
        layer.trainable = False
    return sum(math.prod(v.shape) for v in model.trainable_variables)
