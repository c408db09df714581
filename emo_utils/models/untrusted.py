"""Model files from outside: what a file says is read before Keras acts on it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import keras

from emo_utils.datasets.tree import ENTRY_DAMAGE
from emo_utils.errors import ModelError, first_line

_MAX_BYTES = 2_000_000_000  # of a file and of what it unpacks to: VGG16 with the state of its optimizer is below
_MAX_CONFIG_BYTES = 20_000_000
_CONFIG_MEMBER, _WEIGHTS_MEMBER = "config.json", "model.weights.h5"
_RUN_CODE = ("Lambda", "__lambda__", "function", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper")
_READ_FILES = ("StringLookup", "IntegerLookup", "TextVectorization")  # their vocabulary may be the path of any file
_KERAS_PARTS = (
    keras.layers,
    keras.initializers,
    keras.regularizers,
    keras.constraints,
    keras.dtype_policies,
    keras.optimizers,
    keras.losses,
    keras.metrics,
)
# What zipfile and h5py raise for damaged or encrypted files.
DAMAGE = (*ENTRY_DAMAGE, KeyError, RuntimeError)
_MODELS = ("Model", "Functional", "Sequential")
_VALUES = ("__keras_tensor__", "__tensor__", "__numpy__", "__slice__", "__ellipsis__")


def refuse_unsafe(path: Path) -> None:
    """Check a model file of others without building anything from it.

    It must be what its name says, of a bearable size unpacked, hold an architecture and weights, and name no part
    but Keras's own: no Lambda layer, no function, no layer that loads another program or reads another file.

    Raises:
        ModelError: names the part that is refused, or what is missing.
    """
    refuse_exported(path)
    suffix = path.suffix.lower()
    if suffix not in (".keras", ".h5", ".hdf5"):
        raise ModelError(f"{path}: not a model file that can be read. It must end in .keras, .h5 or .hdf5.")
    if path.stat().st_size > _MAX_BYTES:
        raise ModelError(f"{path}: larger than {_MAX_BYTES / 1e9:.0f} GB. Save it without its optimizer.")
    text = _config_of_archive(path) if suffix == ".keras" else _config_of_hdf5(path)
    try:
        config = json.loads(text.encode() if isinstance(text, str) else text)  # h5py lets text through that is none
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: its architecture cannot be read ({first_line(error)}). Fetch it anew.") from None
    if isinstance(config, dict):
        config.pop("compile_config", None)  # loss and optimizer, often of others' making; they are not loaded
    refuse_parts(config, path)


def refuse_exported(path: Path) -> None:
    """Raise ModelError for a file that was exported from a model: Keras cannot read it, whatever it is called."""
    with open(path, "rb") as file:
        tflite = file.read(8)[4:] == b"TFL3"
    if tflite or path.suffix in (".tflite", ".onnx"):
        kind = "a TFLite" if tflite or path.suffix == ".tflite" else "an ONNX"
        raise ModelError(
            f"{path}: {kind} file, made from a Keras model; Keras cannot read it. Give the .keras file that it was "
            "made from. `python -m emo_utils bench` runs exported files."
        )


def refuse_parts(config: Any, path: Path, ours: tuple[type, ...] = ()) -> None:
    """Check the architecture of a model file without building anything from it.

    Args:
        config: what JSON gave.
        path: for the message.
        ours: registered layers of this package that may be in it beside Keras's own.

    Raises:
        ModelError: names the part that is refused.
    """
    known = {(c.__module__, c.__name__, keras.saving.get_registered_name(c)) for c in ours}
    for part in _parts(config):
        if (part.get("module"), part["class_name"], part.get("registered_name")) not in known:
            _refuse_part(part, path)


def _config_of_archive(path: Path) -> bytes:
    if not zipfile.is_zipfile(path):
        raise ModelError(
            f"{path}: not a .keras file (it should be a zip archive). Fetch it anew; an HDF5 file ends in .h5."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {member.filename: member.file_size for member in archive.infolist()}
            missing = [name for name in (_CONFIG_MEMBER, _WEIGHTS_MEMBER) if name not in sizes]
            if missing:
                raise ModelError(f"{path}: no {' and no '.join(missing)} in it. Save the whole model with model.save.")
            if sum(sizes.values()) > _MAX_BYTES or sizes[_CONFIG_MEMBER] > _MAX_CONFIG_BYTES:
                raise ModelError(f"{path}: unpacks to more than a model of faces can need. It is refused.")
            with archive.open(_WEIGHTS_MEMBER) as member, h5py.File(member) as weights:
                _refuse_large(weights, path)
            return archive.read(_CONFIG_MEMBER)
    except DAMAGE as error:
        raise ModelError(f"{path}: damaged ({first_line(error)}). Fetch it anew.") from None


def _config_of_hdf5(path: Path) -> bytes | str:
    if not h5py.is_hdf5(path):
        raise ModelError(f"{path}: not an HDF5 file. Fetch it anew; a zip archive of Keras ends in .keras.")
    try:
        with h5py.File(path) as file:
            _refuse_large(file, path)
            config = file.attrs.get("model_config")
    except DAMAGE as error:
        raise ModelError(f"{path}: damaged ({first_line(error)}). Fetch it anew.") from None
    if not isinstance(config, str | bytes):
        raise ModelError(f"{path}: weights without an architecture. Ask for the whole model, saved with model.save.")
    return config


def _refuse_large(file: h5py.File, path: Path) -> None:
    """Refuse a file whose arrays would be larger in memory than on disk by far: compressed, or never written."""
    sizes = []
    file.visititems(lambda _, item: sizes.append(item.nbytes) if isinstance(item, h5py.Dataset) else None)
    if sum(sizes) > _MAX_BYTES:
        raise ModelError(f"{path}: its weights would take {sum(sizes) / 1e9:.0f} GB of memory. It is refused.")


def _parts(config: Any) -> Iterator[dict[str, Any]]:
    """Yield every serialised object in a config, at any depth."""
    rest = [config]
    while rest:
        value = rest.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                yield value
            rest.extend(value.values())
        elif isinstance(value, list):
            rest.extend(value)


def _refuse_part(part: dict[str, Any], path: Path) -> None:
    name, module = str(part["class_name"]), str(part.get("module") or "keras")
    if name in _RUN_CODE:
        inner = part.get("config")
        where = part.get("name") or (inner.get("name") if isinstance(inner, dict) else inner)
        raise ModelError(
            f"{path}: has a {name} ({where!r}), which would run code of its maker when loaded. It is refused; ask for "
            "a version without it, or load it all the same with trusted=True, on the command line --trust."
        )
    if name in _READ_FILES:
        raise ModelError(f"{path}: has a {name}, which may read other files when loaded. No model of faces needs one.")
    own = name in (*_MODELS, *_VALUES) or any(isinstance(getattr(of, name, None), type) for of in _KERAS_PARTS)
    if not (own and module.split(".")[0] in ("keras", "builtins")) and not module.startswith("keras.src.ops."):
        raise ModelError(
            f"{path}: has a part {name!r} of {module}, which is not Keras's own. It is refused; ask for a version "
            "made of Keras's layers only."
        )
