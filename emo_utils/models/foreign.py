"""Classifiers of others (.keras, .h5, .hdf5), made to take what the course's own models take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from emo_utils.emotions import canonical_emotion
from emo_utils.errors import DataError, ModelError, first_line
from emo_utils.models.files import find_model_file
from emo_utils.models.untrusted import refuse_unsafe

# What a grey level g of 0..255 becomes: scale * g + offset.
SCALINGS = {"0..255": (1.0, 0.0), "0..1": (1 / 255, 0.0), "-1..1": (1 / 127.5, -1.0)}
_SIZES = (16, 512)
# Layers behind a linear one that leave its outputs logits.
_KEEP_LOGITS = (
    keras.layers.BatchNormalization,
    keras.layers.Dropout,
    keras.layers.Flatten,
    keras.layers.GlobalAveragePooling2D,
    keras.layers.Reshape,
)


def load_foreign_model(
    path: str | Path,
    *,
    input_size: int | None = None,
    scaling: str,
    classes: Sequence[str],
    trusted: bool = False,
) -> tuple[keras.Model, dict[str, Any]]:
    """Read a classifier that was not made by this course, with what its file does not say.

    The file is inspected before Keras sees it, see `refuse_unsafe`. Where its last layer is linear, its outputs are
    logits and get a softmax.

    Args:
        path: a .keras, .h5 or .hdf5 file of a whole model: one square image in, grey or of three equal colours, one
            value a class out.
        input_size: side of the input in pixels; needed where the model leaves it open.
        scaling: the grey levels that the model was trained on: "0..255", "0..1" or "-1..1".
        classes: emotion names in the order of the outputs, in any known spelling.
        trusted: skip the inspection and load layers that hold code of the file's maker (`Lambda`), which runs on this
            machine then.

    Returns:
        A model from faces (n, size, size, 1), grey levels 0 to 255, to probabilities (n, n_classes), float32. The
        foreign model is one layer of it; `save_model` writes it like any other. And its info: class_names, and what
        was assumed: source (file name), input_size, scaling, channels, added_softmax.

    Raises:
        ModelError: a file that is missing, damaged, unsafe, without an architecture or not of a classifier, or a
            setting that does not fit it.
    """
    if scaling not in SCALINGS:
        raise ModelError(f"scaling must be one of {', '.join(SCALINGS)}. Got {scaling!r}.")
    class_names = _class_names(classes)
    path = find_model_file(path)
    if not trusted:
        refuse_unsafe(path)
    try:
        foreign = keras.saving.load_model(path, compile=False, safe_mode=not trusted)
    except Exception as error:
        raise ModelError(
            f"{path}: Keras {keras.__version__} cannot load it ({first_line(error)}). Save the whole model anew, as "
            ".keras, with the Keras that made it."
        ) from None
    size, channels = _input_form(foreign, input_size, path)
    n_outputs = _number_of_outputs(foreign, path)
    if n_outputs != len(class_names):
        raise ModelError(
            f"{path}: {n_outputs} outputs but {len(class_names)} classes. Name a class for each output, in its order."
        )
    try:
        scores = _connect(foreign, size, channels, scaling)
        logits = _gives_logits(scores, path)
        # As in the course's own models, float32 whatever precision the rest computes in.
        activation = keras.layers.Activation(
            "softmax" if logits else "linear", dtype="float32", name=_free("probabilities", foreign)
        )
        model = keras.Model(scores.input, activation(scores.output), name=f"{foreign.name}_emotions")
    except (ValueError, TypeError) as error:
        raise ModelError(f"{path}: cannot be run on {size}x{size} pixels: {first_line(error)}") from None
    return model, {
        "class_names": list(class_names),
        "source": path.name,
        "input_size": size,
        "scaling": scaling,
        "channels": channels,
        "added_softmax": logits,
    }


def _class_names(classes: Sequence[str]) -> tuple[str, ...]:
    if isinstance(classes, str):
        raise ModelError(f"classes must be a list of emotion names in the order of the outputs. Got {classes!r}.")
    try:
        names = tuple(canonical_emotion(name) for name in classes)
    except DataError as error:
        raise ModelError(f"classes: {error}") from None
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ModelError(f"classes names {', '.join(twice)} more than once. Each output needs a class of its own.")
    return names


def _input_form(model: keras.Model, input_size: int | None, path: Path) -> tuple[int, int]:
    """Return the side of the input in pixels and its number of channels."""
    inputs = getattr(model, "inputs", None) or []  # a Sequential that was never built has none
    shape = tuple(inputs[0].shape) if len(inputs) == 1 else None
    if shape is None or len(shape) != 4 or shape[0] is not None or shape[3] not in (1, 3):
        takes = shape if shape else f"{len(inputs)} inputs"
        raise ModelError(
            f"{path}: it takes {takes}. Only classifiers of images (None, size, size, 1 or 3) can be used; save "
            "another one with channels last and its batch size left open."
        )
    height, width = (side or input_size for side in shape[1:3])
    if height is None:
        raise ModelError(f"{path}: it leaves its input size open. Give input_size, in pixels.")
    if height != width:
        raise ModelError(f"{path}: it takes {shape[1]}x{shape[2]} pixels, not square faces. Use another model.")
    if input_size not in (None, height):
        raise ModelError(f"{path}: it takes {height}x{width} pixels, but input_size is {input_size}. Leave it out.")
    if not isinstance(height, int) or not _SIZES[0] <= height <= _SIZES[1]:
        raise ModelError(
            f"{path}: the input size must be a whole number from {_SIZES[0]} to {_SIZES[1]}. Got {height}."
        )
    return height, shape[3]


def _number_of_outputs(model: keras.Model, path: Path) -> int:
    shapes = [tuple(output.shape) for output in model.outputs]
    if len(shapes) != 1 or len(shapes[0]) != 2 or (shapes[0][1] or 0) < 2:
        raise ModelError(
            f"{path}: it gives {', '.join(map(str, shapes))}. A classifier gives one value a class: (None, n_classes)."
        )
    return shapes[0][1]


def _connect(foreign: keras.Model, size: int, channels: int, scaling: str) -> keras.Model:
    """Return the foreign model behind the course's input."""
    face = keras.Input((size, size, 1), name=_free("face", foreign))
    scale, offset = SCALINGS[scaling]
    x = keras.layers.Rescaling(scale, offset, name=_free("scaling", foreign))(face)
    if channels == 3:
        x = keras.layers.Concatenate(name=_free("grey_to_rgb", foreign))([x, x, x])
    return keras.Model(face, foreign(x))


def _free(name: str, foreign: keras.Model) -> str:
    """Return the name, or one like it that no layer of the foreign model has: exports open it and need one each."""
    taken = {layer.name for layer in foreign._flatten_layers()}
    while name in taken:
        name += "_outside"
    return name


def _gives_logits(scores: keras.Model, path: Path) -> bool:
    """Tell logits from probabilities by a probe and by the last layer; refuse what is neither."""
    size = scores.input_shape[1]
    noise = np.random.default_rng(0).integers(0, 256, (6, size, size, 1))
    plain = np.broadcast_to(np.reshape([0, 255], (2, 1, 1, 1)), (2, size, size, 1))
    probe = np.concatenate([noise, plain]).astype(np.float32)
    outputs = keras.ops.convert_to_numpy(scores(probe, training=False)).astype(np.float64)
    if not np.isfinite(outputs).all():
        raise ModelError(f"{path}: it gives NaN or infinity for ordinary images. Are its weights damaged?")
    if outputs.min() >= 0 and np.abs(outputs.sum(axis=1) - 1).max() < 1e-3:
        return False
    last = _deciding_layer(scores)
    activation = getattr(last, "activation", None)
    # Sigmoids, say, are answers to separate questions: a softmax over them would invent confidences.
    if activation is not keras.activations.linear:
        what = getattr(activation, "__name__", type(last).__name__)
        raise ModelError(
            f"{path}: its outputs are neither probabilities that sum to one nor logits (last layer {last.name!r}: "
            f"{what}). Only classifiers with a softmax or a linear last layer can be used."
        )
    return True


def _deciding_layer(model: keras.Model) -> Any:
    """Return the last layer, within nested models too, that decides what kind of values the outputs are."""
    layer = model.outputs[0]._keras_history.operation
    while True:
        if isinstance(layer, keras.Model):
            layer = layer.outputs[0]._keras_history.operation
        elif isinstance(layer, _KEEP_LOGITS):
            layer = layer.input._keras_history.operation
        else:
            return layer
