"""Model files whose weights take as many bits as they say: a zip of an architecture, a header and packed integers.

model.json    the architecture, as Keras writes it, deflated
header.json   what the outputs mean, bit width, name and shape of every weight, deflated
weights.bin   weight after weight in the header's order: the scales of a kernel (float32) and its codes, filled up
              to whole bytes; of any other weight its values (float32). Stored as they are.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from emo_utils.atomic import replacing
from emo_utils.errors import ModelError, first_line
from emo_utils.models.fake_quantised import PLAIN_OF, FakeQuantise, kernels_of, quantise_kernel
from emo_utils.models.files import find_model_file, model_class_names
from emo_utils.models.graph import leaf_calls
from emo_utils.models.grouped import GroupedConv2D
from emo_utils.models.untrusted import DAMAGE, refuse_parts
from emo_utils.quantise.bits import pack, packed_size, unpack
from emo_utils.quantise.fold import fold_batch_norm
from emo_utils.quantise.model import FLOAT_BITS, check_bits, check_layers, unquantise_model

_MODEL, _HEADER, _WEIGHTS = "model.json", "header.json", "weights.bin"
_FORMAT = "emo_utils packed 1"
_MAX_BYTES = {_MODEL: 20_000_000, _HEADER: 20_000_000, _WEIGHTS: 2_000_000_000}


def save_packed(
    model: keras.Model, path: str | Path, info: dict[str, Any], *, weight_bits: int, per_channel: bool = True
) -> Path:
    """Write a model with kernels of `weight_bits` bits, atomically.

    Batch norm is folded first. Kernels become the integers and scales of `quantise_model`; with 32 bits they stay
    float32, as biases always do. The bytes of the weights are `ceil(weight_bits * n / 8)` for a kernel of n values, 4
    for each of its scales and for each other value.

    Args:
        model: float, or from `quantise_model` (perhaps trained since) with the same bits; what it does to activations
            stays in it.
        path: ends in .emoq.
        info: as in `emo_utils.models.save_model`: JSON values, "class_names" is required.
        weight_bits: 2 to 16, or 32.
        per_channel: one scale an output channel of a kernel; else one a kernel.

    Returns:
        The path.

    Raises:
        ModelError: another suffix or number of bits, no class names, or a layer whose weights cannot be quantised.
    """
    path = Path(path)
    if path.suffix != ".emoq":
        raise ModelError(f"{path}: the name of a packed model must end in .emoq.")
    model_class_names(info, path)
    check_bits("weight_bits", weight_bits)
    plain = fold_batch_norm(_plain(model, weight_bits, per_channel))
    check_layers(plain)
    header = {"format": _FORMAT, "weight_bits": weight_bits, "per_channel": per_channel, "info": info, "weights": {}}
    content = []
    for name, variable, axes in _weights(plain, weight_bits, per_channel):
        header["weights"][name] = list(variable.shape)
        content += _packed(variable, weight_bits, axes)
    architecture = json.loads(plain.to_json())
    architecture.pop("compile_config", None)  # how it was trained, perhaps with a loss of the user's making
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial, zipfile.ZipFile(partial, "w") as archive:
        archive.writestr(_MODEL, json.dumps(architecture), zipfile.ZIP_DEFLATED)
        archive.writestr(_HEADER, json.dumps(header), zipfile.ZIP_DEFLATED)
        archive.writestr(_WEIGHTS, b"".join(content), zipfile.ZIP_STORED)
    return path


def load_packed(path: str | Path) -> tuple[keras.Model, dict[str, Any]]:
    """Read a model from `save_packed`.

    Args:
        path: a .emoq file, relative to the current or to the course folder.

    Returns:
        A Keras model of plain layers, whose float32 kernels have the values that the integers stand for; and its info.

    Raises:
        ModelError: no such file, damaged, not from `save_packed`, or with parts that are not Keras's or ours.
    """
    path = find_model_file(path)
    architecture, header, content = _read(path)
    bits, per_channel, info = header["weight_bits"], header["per_channel"], header["info"]
    check_bits(f"{path}: weight_bits", bits)
    names = model_class_names(info, path)
    refuse_parts(json.loads(architecture), path, (GroupedConv2D, FakeQuantise))
    try:
        model = keras.models.model_from_json(architecture)
        weights = {name: (variable, axes) for name, variable, axes in _weights(model, bits, per_channel)}
    except Exception as error:
        raise ModelError(f"{path}: Keras cannot build it: {first_line(error)}") from None
    shapes = {name: list(variable.shape) for name, (variable, _) in weights.items()}
    sizes = {name: _size(variable.shape, bits, axes) for name, (variable, axes) in weights.items()}
    if shapes != header["weights"] or sum(sizes.values()) != len(content) or model.output_shape[-1] != len(names):
        raise ModelError(f"{path}: its architecture, header and weights do not fit each other. Fetch it anew.")
    start = 0
    for name in header["weights"]:
        variable, axes = weights[name]
        values = _unpacked(content[start : start + sizes[name]], variable.shape, bits, axes)
        if not np.isfinite(values).all():
            raise ModelError(f"{path}: {name} has values that are not finite. Fetch it anew.")
        variable.assign(values)
        start += sizes[name]
    return model, info


def _read(path: Path) -> tuple[str, dict[str, Any], bytes]:
    """Return the members of a file, none larger than a model of faces can need; the header has every entry."""
    if path.suffix != ".emoq" or not zipfile.is_zipfile(path):
        raise ModelError(f"{path}: not a packed model (it should be a zip archive that ends in .emoq).")
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {member.filename: member.file_size for member in archive.infolist()}
            for name, limit in _MAX_BYTES.items():
                if name not in sizes:
                    raise ModelError(f"{path}: no {name} in it. Write it with save_packed.")
                if sizes[name] > limit:
                    raise ModelError(f"{path}: {name} unpacks to more than a model of faces can need. It is refused.")
            architecture, header, content = (archive.read(name) for name in _MAX_BYTES)
        architecture, header = architecture.decode(), json.loads(header)
        json.loads(architecture)
    except (*DAMAGE, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: damaged ({first_line(error)}). Fetch it anew.") from None
    kinds = {"format": str, "weight_bits": int, "per_channel": bool, "info": dict, "weights": dict}
    if (
        not isinstance(header, dict)
        or any(type(header.get(key)) is not kind for key, kind in kinds.items())
        or header["format"] != _FORMAT
    ):
        raise ModelError(f"{path}: its {_HEADER} is not one of {_FORMAT!r}. Write it anew with save_packed.")
    return architecture, header, content


def _plain(model: keras.Model, bits: int, per_channel: bool) -> keras.Model:
    """Return a model with plain layers in place of the fake-quantised ones, which must have the same bits."""
    for call in leaf_calls(model)[1]:
        layer = call.operation
        if type(layer) in PLAIN_OF and (layer.weight_bits, layer.per_channel) != (bits, per_channel):
            raise ModelError(
                f"Layer {layer.name!r} was quantised with weight_bits={layer.weight_bits}, "
                f"per_channel={layer.per_channel}. Save it with the same."
            )
    return unquantise_model(model, activations=False)


def _weights(
    model: keras.Model, bits: int, per_channel: bool, prefix: str = ""
) -> Iterator[tuple[str, keras.Variable, tuple[int, ...] | None]]:
    """Yield the weights of a model: name, variable, and the axes that share a scale, or None where it stays float."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _weights(layer, bits, per_channel, f"{prefix}{layer.name}/")
            continue
        axes = {id(kernel): shared for kernel, shared in kernels_of(layer, per_channel) if bits < FLOAT_BITS}
        for variable in layer.weights:
            yield f"{prefix}{layer.name}/{variable.name}", variable, axes.get(id(variable))


def _scale_shape(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(1 if axis in axes else n for axis, n in enumerate(shape))


def _size(shape: tuple[int, ...], bits: int, axes: tuple[int, ...] | None) -> int:
    """Return the bytes of a weight in a file."""
    n = math.prod(shape)
    return 4 * n if axes is None else 4 * math.prod(_scale_shape(shape, axes)) + packed_size(n, bits)


def _packed(variable: keras.Variable, bits: int, axes: tuple[int, ...] | None) -> list[bytes]:
    as_array = keras.ops.convert_to_numpy
    if axes is None:
        return [as_array(variable).astype("<f4").tobytes()]
    codes, scale = quantise_kernel(variable, bits, axes)
    return [as_array(scale).astype("<f4").tobytes(), pack(as_array(codes), bits)]


def _unpacked(content: bytes, shape: tuple[int, ...], bits: int, axes: tuple[int, ...] | None) -> np.ndarray:
    if axes is None:
        return np.frombuffer(content, "<f4").reshape(shape)
    scale_shape = _scale_shape(shape, axes)
    n = math.prod(scale_shape)
    scale = np.frombuffer(content, "<f4", count=n).reshape(scale_shape)
    return unpack(content[4 * n :], math.prod(shape), bits).reshape(shape).astype(np.float32) * scale
