"""Which operators a file is made of, read from the file without running it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from emo_utils.errors import EmoUtilsError, ModelError, first_line
from emo_utils.export.onnx import load_onnx

_MAX_BYTES = 1_000_000_000


def tflite_operators(path: str | Path) -> Counter[str]:
    """Count the operators of a .tflite file, e.g. {"CONV_2D": 41, "HARD_SWISH": 18}.

    Raises:
        ModelError: no such file, or not a TFLite file.
        EmoUtilsError: LiteRT, which knows the format, is not installed.
    """
    path = Path(path)
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError:
        raise EmoUtilsError("Reading a .tflite file needs LiteRT: pip install ai-edge-litert") from None
    if not path.is_file():
        raise ModelError(f"{path}: no such TFLite file.")
    content = path.read_bytes() if path.stat().st_size <= _MAX_BYTES else b""
    if content[4:8] != b"TFL3":
        raise ModelError(f"{path}: not a TFLite file.")
    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    counts: Counter[str] = Counter()
    try:
        model = schema.Model.GetRootAs(content, 0)
        # Files from before 2020 keep the code in a byte, newer ones in an int; the larger of the two is meant.
        codes = [model.OperatorCodes(i) for i in range(model.OperatorCodesLength())]
        kinds = [names.get(max(c.BuiltinCode(), c.DeprecatedBuiltinCode()), "UNKNOWN") for c in codes]
        for s in range(model.SubgraphsLength()):
            graph = model.Subgraphs(s)
            counts.update(kinds[graph.Operators(i).OpcodeIndex()] for i in range(graph.OperatorsLength()))
    except Exception as error:  # a damaged file makes the reader of flatbuffers fail in any way
        raise ModelError(f"{path}: damaged: {first_line(error)}. Export it anew.") from None
    return counts


def onnx_operators(path: str | Path) -> Counter[str]:
    """Count the operators of an .onnx file, e.g. {"Conv": 52, "HardSigmoid": 27}.

    Raises:
        ModelError: no such file, or not an ONNX file.
        EmoUtilsError: onnx is not installed.
    """
    return Counter(node.op_type for node in load_onnx(path).graph.node)
