"""TFLite files on faces, by LiteRT on one thread."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emo_utils.errors import EmoUtilsError, ModelError, first_line
from emo_utils.export.quiet import quiet_stderr
from emo_utils.pipeline import resize_images


class TFLiteModel:
    """A TFLite file ready to run, one face at a time on one thread, as on a device.

    Attributes:
        size: side of the input in pixels.
        n_classes: number of probabilities.

    Args:
        path: from `export_tflite`.

    Raises:
        ModelError: no such file, or not a TFLite file with one face in and one vector out.
    """

    def __init__(self, path: str | Path):
        path = Path(path)
        if not path.is_file():
            raise ModelError(f"{path}: no such TFLite file.")
        try:
            with quiet_stderr():
                self._interpreter = litert_interpreter(path)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{path}: LiteRT cannot load it: {first_line(error)}") from None
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self._source, self._target = inputs[0], outputs[0]
        shape = tuple(self._source["shape"])
        answer = tuple(self._target["shape"])
        square = len(shape) == 4 and shape[1] == shape[2]
        if len(inputs) != 1 or len(outputs) != 1 or not square or shape[::3] != (1, 1) or len(answer) != 2:
            raise ModelError(
                f"{path}: takes {shape} and gives {answer}, not one grey face (1, size, size, 1) and one value a class "
                "(1, n_classes)."
            )
        self.size = int(shape[1])
        self.n_classes = int(self._target["shape"][-1])

    def quantise(self, faces: np.ndarray) -> np.ndarray:
        """Return grey levels in the type of the input: (n, size, size) uint8 -> (n, 1, size, size, 1)."""
        return _quantise(faces[:, None, :, :, None], self._source)

    def run(self, face: np.ndarray) -> np.ndarray:
        """Run the model on one face as `quantise` gives it; return the output as it is, of shape (n_classes,)."""
        self._interpreter.set_tensor(self._source["index"], face)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._target["index"])[0]

    def dequantise(self, outputs: np.ndarray) -> np.ndarray:
        """Return float32 probabilities of outputs of `run`, of any shape."""
        return _dequantise(outputs, self._target)


def run_tflite(path: str | Path, images: np.ndarray) -> np.ndarray:
    """Run a TFLite file on faces, one by one on one thread, as a device would.

    Args:
        path: from `export_tflite`, of any format.
        images: uint8 array of shape (n, height, width); brought to the model's size.

    Returns:
        float32 probabilities of shape (n, n_classes); of an integer output, its real values.

    Raises:
        ModelError: no such file, or not a TFLite file.
    """
    model = TFLiteModel(path)
    faces = model.quantise(resize_images(images, model.size))
    out = np.empty((len(faces), model.n_classes), dtype=np.float32)
    for i, face in enumerate(faces):
        out[i] = model.dequantise(model.run(face))
    return out


def _quantise(values: np.ndarray, details: dict) -> np.ndarray:
    dtype = details["dtype"]
    if dtype == np.float32:
        return values.astype(np.float32)
    scale, zero = details["quantization"]
    limits = np.iinfo(dtype)
    # One entry for each grey level.
    levels = np.clip(np.rint(np.arange(256) / scale + zero), limits.min, limits.max).astype(dtype)
    return levels[values]


def _dequantise(values: np.ndarray, details: dict) -> np.ndarray:
    if details["dtype"] == np.float32:
        return values
    scale, zero = details["quantization"]
    return ((values.astype(np.float32) - zero) * scale).astype(np.float32)


def check_litert() -> None:
    """Raise EmoUtilsError where nothing that runs a TFLite file is installed."""
    _litert()


def litert_interpreter(path: Path):
    """Return LiteRT's interpreter of a file on one thread; EmoUtilsError where it is not installed."""
    return _litert()(model_path=str(path), num_threads=1)


def _litert() -> type:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        try:
            from tensorflow.lite import Interpreter  # on its way out, but there where LiteRT is not installed
        except ImportError:
            raise EmoUtilsError("Running a .tflite file needs LiteRT: pip install ai-edge-litert") from None
    return Interpreter
