"""Which operators of an exported net Hailo's parser may not take, before anybody has started it.

What is known to compile is read from the nets of Hailo's model zoo v2.18 and from one public sweep over single
operators (DFC 3.32, ONNX). Hailo's own list is in a guide that is not public: an operator in doubt is just that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

# Those of the zoo's classifiers, MobileNet V1 and V2, ResNet and EfficientNet-Lite, and what the sweep passed.
# fmt: off
_TFLITE = frozenset((
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "LOGISTIC",
    "MAX_POOL_2D", "MEAN", "PAD", "RELU", "RELU6", "SOFTMAX", "TANH",
))
_ONNX = frozenset((
    "Add", "AveragePool", "BatchNormalization", "Clip", "Concat", "Conv", "Flatten", "Gemm", "GlobalAveragePool",
    "MatMul", "MaxPool", "Pad", "Relu", "Sigmoid", "Softmax", "Tanh",
))
# fmt: on
_PLAIN = (
    "train a backbone without it: MobileNetV3SmallMinimalistic, which is Keras's MobileNetV3Small(minimalistic=True), "
    "or MobileNetV2, which is in Hailo's zoo"
)
_SWISH = "hard swish: passed the sweep, but no MobileNetV3 with it is in Hailo's zoo", _PLAIN
_GATE = "the gate of a squeeze-and-excitation block: no MobileNetV3 with such blocks is in Hailo's zoo", _PLAIN
_EITHER = "hard swish, or " + _GATE[0], _PLAIN
_MEANS = "global means inside the net, " + _GATE[0], _PLAIN
_SHAPE = (
    "a change of shape, which the parser takes in few places",
    'train with the head\'s pooling "avg" instead of "flatten"',
)
_WHY = {
    "HARD_SWISH": _SWISH,
    "HardSwish": _SWISH,
    "HardSigmoid": _EITHER,
    "MUL": _GATE,
    "Mul": _EITHER,
    "MEAN": _MEANS,
    "GlobalAveragePool": _MEANS,
    "RESHAPE": _SHAPE,
    "TRANSPOSE": _SHAPE,
    "Reshape": _SHAPE,
    "Transpose": _SHAPE,
}
_UNKNOWN = (
    "not among the operators seen to compile",
    "run compile_hailo.py: its first step says whether the parser takes it; if not, take a plainer backbone",
)
# At the end of a classifier one is usual; more of them are gates.
_ONCE = frozenset(("MEAN", "GlobalAveragePool"))


class Doubt(NamedTuple):
    """An operator that may stop the compiler.

    Attributes:
        file: "TFLite" or "ONNX"; one of the two files is enough.
        operator: as the file calls it.
        count: how many of it the file has.
        why, remedy: half a sentence each.
    """

    file: str
    operator: str
    count: int
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file} {self.operator} ({self.count}): {self.why}. Remedy: {self.remedy}."


def doubtful_operators(tflite: Mapping[str, int], onnx: Mapping[str, int]) -> list[Doubt]:
    """Compare the operators of a net with those known to compile.

    Args:
        tflite, onnx: count by operator, from `tflite_operators` and `onnx_operators`.

    Returns:
        Those in doubt, file by file in alphabetical order; empty where every operator is known.
    """
    return [
        Doubt(file, operator, count, *_WHY.get(operator, _UNKNOWN))
        for file, counts, known in (("TFLite", tflite, _TFLITE), ("ONNX", onnx, _ONNX))
        for operator, count in sorted(counts.items())
        if operator not in known or (operator in _ONCE and count > 1)
    ]
