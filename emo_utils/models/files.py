"""Model files: an ordinary .keras file with one more member, emo_utils.json, that says what the outputs mean."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import keras

import emo_utils.models.fake_quantised  # noqa: F401  so that Keras knows these layers where a file has them
from emo_utils.atomic import replacing
from emo_utils.errors import ModelError, first_line
from emo_utils.models.architecture import build_architecture
from emo_utils.models.backbones import build_backbone
from emo_utils.models.info import DEFAULT_MODEL, INFO_MEMBER, find_model_file, model_class_names, read_info
from emo_utils.models.untrusted import refuse_exported
from emo_utils.recipe import Recipe

_WEIGHTS_MEMBER = "model.weights.h5"
# What HDF5 adds to the weights themselves is below this for every backbone.
_MAX_WEIGHTS_OVERHEAD = 32_000_000


def save_model(model: keras.Model, path: str | Path, info: dict[str, Any]) -> Path:
    """Write model and info in one file, atomically. Plain `keras.models.load_model` reads it too.

    Args:
        model: any Keras model; its optimizer state is left out, which makes the file a third as large.
        path: ends in .keras.
        info: JSON values; "class_names" in the order of the outputs is required.
    """
    path = Path(path)
    if "class_names" not in info:
        raise ModelError(f"{path.name}: info must give class_names, in the order of the outputs.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        keras.saving.save_model(model, partial, include_optimizer=False)
        with zipfile.ZipFile(partial, "a") as archive:
            archive.writestr(INFO_MEMBER, json.dumps(info, indent=1, sort_keys=True))
    return path


def update_info(path: str | Path, more: dict[str, Any]) -> Path:
    """Add to what a model file says of itself, atomically; the model in it stays as it is to the byte.

    Args:
        path: a file from `save_model`, relative to the current or to the course folder.
        more: JSON values, e.g. {"calibration": ...}; replace those of the same name.

    Raises:
        ModelError: no such file, or not one from `save_model`.
    """
    path = find_model_file(path)
    info = read_info(path)
    model_class_names(info, path)
    with replacing(path) as partial, zipfile.ZipFile(path) as old, zipfile.ZipFile(partial, "w") as new:
        for member in old.infolist():
            if member.filename != INFO_MEMBER:
                with old.open(member) as source, new.open(member, "w") as target:
                    shutil.copyfileobj(source, target)
        new.writestr(INFO_MEMBER, json.dumps({**info, **more}, indent=1, sort_keys=True))
    return path


def load_model(path: str | Path | None = None, *, trusted: bool = False) -> tuple[keras.Model, dict[str, Any]]:
    """Read a model and what its outputs mean.

    A file of a newer Keras can say things that this one does not know. If its info has a recipe, the model is then
    built from the recipe and only the weights are read.

    Args:
        path: a .keras file, relative to the current or to the course folder, or the name of one in model/; None means
            the model that ships for photographs, `DEFAULT_MODEL`.
        trusted: also load layers that hold code of the file's maker (`Lambda`), which runs on this machine then.

    Returns:
        The model, and its info: at least "class_names" for files from `save_model`, {} for other Keras files.

    Raises:
        ModelError: no such file, not a Keras model, or one that would run code when loaded.
    """
    path = find_model_file(DEFAULT_MODEL if path is None else path, (".keras",))
    refuse_exported(path)
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        raise ModelError(f"{path}: not a .keras file (it should be a zip archive).")
    info = read_info(path)
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=not trusted)
    except Exception as error:
        model = _rebuild(path, info)
        if model is None:
            text = str(error)
            if not trusted and "unsafe" in text and "Lambda" in text:  # Keras's advice, to switch safety off, is long
                raise ModelError(
                    f"{path}: has a Lambda layer, which is code of its maker. It is refused; build it without, or load "
                    "it all the same with trusted=True, on the command line --trust."
                ) from None
            raise ModelError(f"{path}: Keras cannot load it: {first_line(error)}") from None
    names = model_class_names(info, path) if "class_names" in info else None
    if names is not None and model.output_shape[-1] != len(names):
        raise ModelError(f"{path}: {model.output_shape[-1]} outputs but {len(names)} class names.")
    return model, info


def _rebuild(path: Path, info: dict[str, Any]) -> keras.Model | None:
    """Return the model that the recipe in a file describes, with the weights of the file; None where that fails."""
    try:
        recipe = Recipe.from_dict(info["recipe"])
        # Its first weights are not needed, but where they came from is: it decides how batch norm works.
        model = build_architecture(recipe, build_backbone(recipe.but(weights=None)))
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            if archive.getinfo(_WEIGHTS_MEMBER).file_size > 4 * model.count_params() + _MAX_WEIGHTS_OVERHEAD:
                return None
            weights = Path(folder, _WEIGHTS_MEMBER)
            with archive.open(_WEIGHTS_MEMBER) as source, open(weights, "wb") as target:
                shutil.copyfileobj(source, target)
            model.load_weights(weights)
    except Exception:  # whatever fails here, Keras's own error is the one to report
        return None
    return model
