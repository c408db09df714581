"""Weights from elsewhere: the backbone of a trained model, or a weights file of the backbone alone."""

from __future__ import annotations

import keras

from emo_utils.errors import ModelError, first_line
from emo_utils.models.files import find_model_file, load_model
from emo_utils.recipe import Recipe


def take_over_weights(backbone: keras.Model, recipe: Recipe) -> None:
    """Load the file that `recipe.weights` names into a backbone.

    Args:
        backbone: from `build_backbone`.
        recipe: its weights are the path of a .keras file with this backbone in it, or of a .weights.h5 file that was
            saved from the backbone, such as one of `keras.applications` with include_top=False.

    Raises:
        ModelError: no such file, a damaged one, one of another backbone, or one whose training faces would be
            validation faces of this recipe.
    """
    if recipe.weights.endswith(".weights.h5"):
        _load_file(backbone, recipe.weights)
    else:
        _copy_from_model(backbone, recipe)


def _load_file(backbone: keras.Model, name: str) -> None:
    path = find_model_file(name)
    try:
        backbone.load_weights(path)
    except OSError as error:  # from h5py
        raise ModelError(f"{path}: damaged or not an HDF5 file ({first_line(error)}). Fetch it anew.") from None
    except Exception as error:  # Keras raises ValueError, KeyError and others for layers that do not fit
        raise ModelError(
            f"{path}: not the weights of {backbone.name} ({first_line(error)}). Give a file that was saved with "
            f"`backbone.save_weights` from {backbone.name} without its top."
        ) from None


def _copy_from_model(backbone: keras.Model, recipe: Recipe) -> None:
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
