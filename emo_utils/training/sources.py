"""Trained models that a training starts from or learns from, by the name of a file or of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from emo_utils import paths
from emo_utils.datasets import FaceDataset
from emo_utils.errors import ModelError, TableError
from emo_utils.models import load_model, model_class_names
from emo_utils.models.files import find_model_file, read_info
from emo_utils.prune import prune_model
from emo_utils.quantise import calibration_images, quantise_model
from emo_utils.recipe import Recipe
from emo_utils.table import find_run


def find_model(reference: str | Path) -> Path:
    """Return the path of a model file, named itself or by a run of the table.

    Raises:
        ModelError: there is no such file or run, or the model of the run is not here.
    """
    try:
        return find_model_file(reference)
    except ModelError:
        try:
            row = find_run(str(reference))
        except TableError as error:
            raise ModelError(f"{reference}: no such model file. {error}") from None
    path = paths.out_dir() / (row.get("model_path") or "none logged")
    # The working files of recorded runs are not kept, but some of their models ship.
    shipped = sorted((paths.course_root() / "model").glob("*.keras"))
    for found in (path, *(file for file in shipped if read_info(file).get("run_id") == row["run_id"])):
        if found.is_file():
            return found
    raise ModelError(f"The model of run {row['run_id']} is not here ({path.name}). Train it again, or name a file.")


def load_trained(reference: str, classes: tuple[str, ...]) -> tuple[keras.Model, dict[str, Any]]:
    """Load a model that must tell some classes apart, in this order.

    Returns:
        The model, grey faces in and probabilities out, and what its file says.

    Raises:
        ModelError: no such model, or one of other classes.
    """
    path = find_model(reference)
    model, info = load_model(path)
    names = model_class_names(info, path)
    if names != tuple(classes):
        raise ModelError(
            f"{path.name} tells {', '.join(names)} apart, wanted is {', '.join(classes)}. Take a model of the same "
            "classes in the same order."
        )
    return model, info


def start_model(recipe: Recipe, data: FaceDataset) -> keras.Model:
    """Return the model that training starts from: a trained one, with filters removed or weights rounded.

    Args:
        recipe: its start, pruning and quantisation.
        data: prepared; the ranges of rounded activations come from its part "train".

    Raises:
        EmoUtilsError: the trained model is not of the recipe's architecture, or cannot be pruned or quantised so.
    """
    model, info = load_trained(recipe.start, recipe.classes)
    _check_architecture(recipe, info)
    if recipe.pruning:
        model = prune_model(model, recipe.pruning.ratios, recipe.pruning.criterion)
    if recipe.quantisation:
        bits = recipe.quantisation
        model = quantise_model(
            model,
            weight_bits=bits.weight_bits,
            activation_bits=bits.activation_bits,
            per_channel=bits.per_channel,
            calibration=calibration_images(data.part("train")) if bits.activation_bits < 32 else None,
        )
    keras.utils.set_random_seed(recipe.seed)
    return model


def _check_architecture(recipe: Recipe, info: dict[str, Any]) -> None:
    """The recipe goes on to name the backbone and the input size of what it trains: they must be right."""
    try:
        made_by = Recipe.from_dict(info["recipe"])
    except KeyError:
        raise ModelError(
            f"{recipe.start} does not say which recipe made it. Start from a model that this course has trained."
        ) from None
    for field in ("backbone", "resnext", "head", "input_size"):
        has, wanted = getattr(made_by, field), getattr(recipe, field)
        if has != wanted:
            raise ModelError(f"{recipe.start} has {field} {has!r}, the recipe {wanted!r}. Make them the same.")
