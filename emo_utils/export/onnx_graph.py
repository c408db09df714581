"""An ONNX graph in the operators that TensorRT 8.2 and later, Hailo's parser and ONNX Runtime all know."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import onnx
from onnx import numpy_helper

from emo_utils.errors import ModelError, first_line

ALLOWED = frozenset(
    {
        "Add",
        "AveragePool",
        "BatchNormalization",
        "Clip",
        "Concat",
        "Conv",
        "Div",
        "Elu",
        "Flatten",
        "Gemm",
        "GlobalAveragePool",
        "HardSigmoid",
        "LeakyRelu",
        "MatMul",
        "MaxPool",
        "Mul",
        "Pad",
        "Relu",
        "Sigmoid",
        "Slice",
        "Softmax",
        "Sub",
        "Tanh",
    }
)

_SHAPE_ONLY = ("Flatten", "Reshape", "Squeeze", "Unsqueeze")


def fuse_hard_sigmoids(graph: onnx.GraphProto) -> None:
    """Write every clip(x + 3, 0, 6) / 6 as one HardSigmoid, in place.

    MobileNetV3's gates, and its hard swish, which is x times such a gate, arrive as Add, Clip and Mul by 1/6. HardSwish
    itself would be one operator less, but TensorRT knows it from 8.6 on only (onnx-tensorrt, docs/operators.md).
    """
    values = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    gone: set[int] = set()
    for clip in [node for node in graph.node if node.op_type == "Clip"]:
        add = makers.get(clip.input[0])
        bounds = [_number(values.get(name)) for name in clip.input[1:]]
        x = _other(add, 3.0, values) if add is not None and add.op_type == "Add" else None
        if bounds != [0.0, 6.0] or x is None or len(readers[add.output[0]]) != 1:
            continue
        sixth, product = _division(clip, readers, values)
        if sixth is None:
            continue
        gone.update((id(add), id(sixth)))
        # The gate takes the clip's place; what was multiplied with clip / 6 is multiplied with it.
        gate = clip.output[0] if product is not None else sixth.output[0]
        if product is not None:
            product.output[0] = sixth.output[0]
        clip.CopyFrom(onnx.helper.make_node("HardSigmoid", [x], [gate], name=clip.name, alpha=1 / 6, beta=0.5))
    for node in [node for node in graph.node if id(node) in gone]:
        graph.node.remove(node)
    _drop_unused(graph)
    del graph.value_info[:]


def drop_idle_reshapes(proto: onnx.ModelProto) -> None:
    """Take out, in place, every chain of reshapes that ends in the shape in which it began.

    tf2onnx leaves such chains where a map has shrunk to a single pixel, in place of transpositions.
    """
    shapes, graph = _shapes(proto), proto.graph
    makers = {name: node for node in graph.node for name in node.output}
    origin = {}
    for node in graph.node:
        source = node
        while source is not None and source.op_type in _SHAPE_ONLY:
            start = source.input[0]
            if shapes.get(start) and shapes.get(start) == shapes.get(node.output[0]):
                origin[node.output[0]] = start
            source = makers.get(start)
    for node in graph.node:
        node.input[:] = [origin.get(name, name) for name in node.input]
    _drop_unused(graph)


def flatten_plainly(proto: onnx.ModelProto) -> None:
    """Write what flattens a map or squeezes it as Flatten, in place: more parsers know it than Reshape and Squeeze.

    Keras flattens channels last. The transposition for that is taken out of the graph, and the rows of the dense layers
    that read the values take the order of channels first instead.
    """
    shapes, graph = _shapes(proto), proto.graph
    makers = {name: node for node in graph.node for name in node.output}
    constants = {t.name: t for t in graph.initializer}
    for node in graph.node:
        given, made = shapes.get(node.input[0]) if node.input else None, shapes.get(node.output[0])
        if node.op_type not in _SHAPE_ONLY or not given or made != [1, math.prod(given)]:
            continue
        source, start = makers.get(node.input[0]), node.input[0]
        readers = [n for n in graph.node if node.output[0] in n.input]
        if source is not None and source.op_type == "Transpose":
            if list(source.attribute[0].ints) != [0, 2, 3, 1] or not all(_multiplies(n, constants) for n in readers):
                continue  # `check_graph` names what is left
            for name in {n.input[1] for n in readers}:
                rows = numpy_helper.to_array(constants[name])
                rows = rows.reshape(*given[1:], -1).transpose(2, 0, 1, 3).reshape(rows.shape)
                constants[name].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(rows), name))
            start = source.input[0]
        node.CopyFrom(onnx.helper.make_node("Flatten", [start], list(node.output), name=node.name, axis=1))
    _drop_unused(graph)


def rename_ends(graph: onnx.GraphProto, source: str, target: str) -> None:
    """Name input and output, in place."""
    names = {graph.input[0].name: source, graph.output[0].name: target}
    graph.input[0].name, graph.output[0].name = source, target
    for node in graph.node:
        for field in (node.input, node.output):
            field[:] = [names.get(name, name) for name in field]


def check_graph(proto: onnx.ModelProto, name: str) -> None:
    """Check a file as ONNX's own checker does, and its operators.

    Raises:
        ModelError: names what is wrong, or the operators that not all engines know.
    """
    try:
        onnx.checker.check_model(proto, full_check=True)
    except Exception as error:  # the checker's errors have no common base
        raise ModelError(f"{name}: the ONNX file would be invalid: {first_line(error)}") from None
    others = Counter(node.op_type for node in proto.graph.node if node.op_type not in ALLOWED)
    if others:
        found = ", ".join(f"{kind} ({n})" for kind, n in sorted(others.items()))
        raise ModelError(
            f"{name}: its ONNX file would need {found}, which TensorRT 8.2 or Hailo's parser may refuse. Allowed: "
            f"{', '.join(sorted(ALLOWED))}. Build the model from Keras's convolutions, poolings and dense layers."
        )


def _shapes(proto: onnx.ModelProto) -> dict[str, list[int]]:
    graph = onnx.shape_inference.infer_shapes(proto).graph
    values = (*graph.value_info, *graph.input, *graph.output)
    return {value.name: [d.dim_value for d in value.type.tensor_type.shape.dim] for value in values}


def _multiplies(node: onnx.NodeProto, constants: dict[str, onnx.TensorProto]) -> bool:
    """Return whether a node is a dense layer: its first input times a constant, which is not transposed."""
    transposed = any(a.name in ("transA", "transB") and a.i for a in node.attribute)
    return node.op_type in ("MatMul", "Gemm") and node.input[1] in constants and not transposed


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Remove nodes and constants that nothing reads."""
    ends = {out.name for out in graph.output}
    while True:
        used = ends.union(*(node.input for node in graph.node))
        idle = [node for node in graph.node if used.isdisjoint(node.output)]
        if not idle:
            break
        for node in idle:
            graph.node.remove(node)
    for tensor in [t for t in graph.initializer if t.name not in used]:
        graph.initializer.remove(tensor)


def _division(clip, readers, values):
    """Return the Mul by 1/6 behind a clip, and the Mul by something else that stands between the two, if any."""
    after = readers.get(clip.output[0], [])
    if len(after) != 1 or after[0].op_type != "Mul":
        return None, None
    if _other(after[0], 1 / 6, values) is not None:
        return after[0], None
    last = readers.get(after[0].output[0], [])
    if len(last) == 1 and last[0].op_type == "Mul" and _other(last[0], 1 / 6, values) is not None:
        return last[0], after[0]
    return None, None


def _other(node, number: float, values) -> str | None:
    """Return the input of a two-input node that stands beside a constant number, None where there is no such."""
    for i in (0, 1):
        constant = _number(values.get(node.input[i]))
        if constant is not None and abs(constant - number) < 1e-6:
            return node.input[1 - i]
    return None


def _number(value: np.ndarray | None) -> float | None:
    return float(value.reshape(-1)[0]) if value is not None and value.size == 1 else None
