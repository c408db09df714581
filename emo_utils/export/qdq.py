"""Int8 for TensorRT: an ONNX file with pairs of QuantizeLinear and DequantizeLinear, made by ONNX Runtime."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from emo_utils.atomic import replacing
from emo_utils.errors import EmoUtilsError, ModelError, first_line
from emo_utils.export.onnx import ONNXModel, load_onnx
from emo_utils.pipeline import resize_images
from emo_utils.quantise.calibration import check_calibration

# Where the multiplications are. What lies between stays float, and so do depthwise convolutions, of few multiplications
# but channels of very different ranges: of MobileNetV3Small's answers on FER2013, 96 % stay the same, else 88 %.
_OPERATORS = ["Conv", "Gemm", "MatMul"]
# TensorRT wants zero points of 0, float biases, float weights with a pair of their own, and no pair shared by two
# inputs; it fuses a convolution with what follows only if no pair stands between.
_FOR_TENSORRT = {
    "ActivationSymmetric": True,
    "WeightSymmetric": True,
    "QuantizeBias": False,
    "AddQDQPairToWeight": True,
    "DedicatedQDQPair": True,
    "OpTypesToExcludeOutputQuantization": _OPERATORS,
}


def has_quantiser() -> bool:
    """Return whether ONNX Runtime's quantiser can run here: it needs onnx and sympy, which it does not bring."""
    return all(find_spec(name) for name in ("onnxruntime", "onnx", "sympy"))


def quantise_onnx(source: str | Path, path: str | Path, calibration: np.ndarray) -> Path:
    """Write an int8 twin of a float ONNX file for TensorRT, atomically: weights by channel, activations by tensor.

    The metadata goes along. ONNX Runtime runs the file too.

    Args:
        source: from `export_onnx`.
        path: ends in .onnx.
        calibration: training images as `check_calibration` wants them; their smallest and largest activations fix the
            ranges.

    Raises:
        DataError: missing or unfit calibration images.
        ModelError: no such file, or one that cannot be quantised.
        EmoUtilsError: the quantiser is not installed, see `has_quantiser`.
    """
    if not has_quantiser():
        raise EmoUtilsError("An int8 .onnx file needs onnxruntime and sympy: pip install onnxruntime sympy")
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Faces(CalibrationDataReader):
        def __init__(self, faces: np.ndarray):
            self._faces = iter(faces)

        def get_next(self) -> dict[str, np.ndarray] | None:
            face = next(self._faces, None)
            return None if face is None else {"face": face}

    images = check_calibration(calibration)
    model, float_proto = ONNXModel(source), load_onnx(source)
    path = Path(path)
    with replacing(path) as draft:
        with _quiet():
            try:
                quantize_static(
                    Path(source),
                    draft,
                    Faces(model.quantise(resize_images(images, model.size))),
                    quant_format=QuantFormat.QDQ,
                    op_types_to_quantize=_OPERATORS,
                    nodes_to_exclude=_depthwise(float_proto.graph),
                    per_channel=True,
                    activation_type=QuantType.QInt8,
                    weight_type=QuantType.QInt8,
                    extra_options=_FOR_TENSORRT,
                )
            except Exception as error:  # the quantiser's errors have no common base
                raise ModelError(f"{source}: ONNX Runtime cannot make it int8: {first_line(error)}") from None
        proto = load_onnx(draft)
        del proto.metadata_props[:]
        for told in float_proto.metadata_props:
            proto.metadata_props.add(key=told.key, value=json.dumps({**json.loads(told.value), "format": "int8"}))
        draft.write_bytes(proto.SerializeToString())
    return path


def _depthwise(graph) -> list[str]:
    """Return the names of the convolutions in which each channel has a kernel of its own."""
    kernels = {tensor.name: tensor.dims for tensor in graph.initializer}  # (out, in a group, height, width)
    return [
        node.name
        for node in graph.node
        if node.op_type == "Conv"
        and kernels.get(node.input[1], (0, 0))[1] == 1
        and any(a.name == "group" and a.i > 1 for a in node.attribute)
    ]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Drop the quantiser's advice to prepare the graph: `export_onnx` has. It speaks through the root logger.

    With no handler there, its first word would also install one for the rest of the process.
    """
    root, nothing = logging.getLogger(), logging.NullHandler()
    level = root.level
    root.addHandler(nothing)
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(nothing)
