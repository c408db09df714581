"""TFLite files in six formats, written by TensorFlow's converter; four-bit weights by Google's AI Edge Quantizer."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from emo_utils.atomic import replacing
from emo_utils.errors import EmoUtilsError, ModelError, first_line
from emo_utils.export.metadata import with_metadata
from emo_utils.export.quiet import quiet_stderr
from emo_utils.pipeline import resize_images
from emo_utils.quantise.calibration import check_calibration

# float32  as trained
# float16  weights in half the bits; arithmetic stays float
# dynamic  int8 weights; activations stay float in memory
# int8     everything int8, with uint8 in and out, for chips and delegates without float arithmetic
# int8x16  int8 weights, 16-bit activations, float in and out
# int4     as dynamic, with weights of 4 bits
FORMATS = ("float32", "float16", "dynamic", "int8", "int8x16", "int4")
_CALIBRATED = ("int8", "int8x16")


def export_tflite(
    model,
    path: str | Path,
    format: str = "float32",
    *,
    calibration: np.ndarray | None = None,
    metadata: dict[str, Any] | None = None,
) -> Path:
    """Write a Keras model as a TFLite file with batch size 1, atomically.

    Args:
        model: grey input (n, size, size, 1), probabilities out.
        path: ends in .tflite.
        format: one of `FORMATS`. Weights are quantised symmetrically, by output channel; activations by tensor.
        calibration: for int8 and int8x16, training images as `check_calibration` wants them; their activations fix the
            ranges (post-training quantisation, Jacob et al. 2018).
        metadata: from `file_metadata`, stored inside.

    Returns:
        The path.

    Raises:
        DataError: missing or unfit calibration images.
        ModelError: the converter cannot write this model in this format.
        EmoUtilsError: an unknown format, or a tool that it needs is not installed.
    """
    path = Path(path)
    ((_, content),) = convert_tflite(model, [format], calibration=calibration, metadata=metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        partial.write_bytes(content)
    return path


def convert_tflite(
    model,
    formats: Iterable[str],
    *,
    calibration: np.ndarray | None = None,
    metadata: dict[str, Any] | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Yield (format, content of the file) for each format; what they share is done once.

    Args, raised errors: as of `export_tflite`, all arguments checked before the first conversion.
    """
    formats = check_formats(formats)
    size, channels = model.input_shape[2:]
    images = check_calibration(calibration) if set(formats) & set(_CALIBRATED) else None
    check_tools(formats)  # says now, not after minutes, what is missing
    tf = tensorflow_for("a .tflite file")
    # A converter made from a SavedModel is silent; one made from the Keras object prints 200 lines.
    with tempfile.TemporaryDirectory() as folder:
        with _quiet(tf):
            face = tf.TensorSpec((1, size, size, channels), tf.float32, name="face")
            model.export(folder, verbose=False, input_signature=[face])
        for format in formats:
            with _quiet(tf):
                try:
                    content = _convert(tf, folder, format, images, size)
                except Exception as error:  # the converter's own error has no narrower base
                    raise ModelError(f"TensorFlow cannot write this model as {format}: {first_line(error)}") from None
            yield format, with_metadata(content, {**metadata, "format": format}) if metadata else content


def check_formats(formats: Iterable[str]) -> list[str]:
    """Return the formats as a list.

    Raises:
        EmoUtilsError: one is unknown, or there is none.
    """
    formats = list(formats)
    unknown = [f for f in formats if f not in FORMATS]
    if unknown or not formats:
        raise EmoUtilsError(f"format must be one of {', '.join(FORMATS)}. Got {unknown[0] if unknown else ''!r}.")
    return formats


def check_tools(formats: Iterable[str]) -> None:
    """Raise EmoUtilsError where what writing these formats takes is not installed, or not the backend of Keras."""
    tensorflow_for("a .tflite file")
    if "int4" in formats:
        _quantizer()


def _convert(tf, folder: str, format: str, images: np.ndarray | None, size: int) -> bytes:
    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    if format == "int4":
        return _four_bits(converter.convert())
    if format != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if format == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if format in _CALIBRATED:
        converter.representative_dataset = tf.lite.RepresentativeDataset(lambda: _samples(images, size))
    if format == "int8":
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.uint8
    if format == "int8x16":
        converter.target_spec.supported_ops = [
            tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
            tf.lite.OpsSet.TFLITE_BUILTINS,  # no 16-bit kernel for it, as for hard swish: that step stays float
        ]
    return converter.convert()


def _four_bits(content: bytes) -> bytes:
    quantizer, recipe = _quantizer()
    quiet = {"enable_progress_bar": False, "enable_progress_report": False}
    return bytes(quantizer(bytearray(content), recipe()).quantize(**quiet).quantized_model)


def _samples(images: np.ndarray, size: int) -> Iterator[list[np.ndarray]]:
    faces = resize_images(images, size)[..., None].astype(np.float32)
    # Two pixels span the grey scale, so that a uint8 input takes grey levels as they are, whoever was drawn.
    faces[0, 0, 0], faces[0, -1, -1] = 0, 255
    for face in faces:
        yield [face[None]]


@contextlib.contextmanager
def _quiet(tf) -> Iterator[None]:
    """Drop what TensorFlow reports, from C++ and, in notebooks, in its logger: paths of temporary files."""
    logger: logging.Logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with quiet_stderr():
            yield
    finally:
        logger.setLevel(level)


def tensorflow_for(what: str):
    """Return TensorFlow.

    Raises:
        EmoUtilsError: it is not installed, or not the backend of Keras; `what` was to be written with it.
    """
    try:
        import tensorflow as tf
    except ImportError:
        raise EmoUtilsError(f"Writing {what} needs TensorFlow: pip install tensorflow") from None
    import keras

    if keras.backend.backend() != "tensorflow":
        raise EmoUtilsError(f"Writing {what} needs KERAS_BACKEND=tensorflow; the .keras file loads on any backend.")
    return tf


def _quantizer():
    try:
        from ai_edge_quantizer.quantizer import Quantizer
        from ai_edge_quantizer.recipe import dynamic_wi4_afp32
    except ImportError:
        raise EmoUtilsError("Weights of 4 bits need Google's quantizer: pip install ai-edge-quantizer") from None
    return Quantizer, dynamic_wi4_afp32
