"""The bundle as `emo_utils export jetson` wrote it, checked before anything is built from it. Python 3.6 and numpy."""

import collections
import hashlib
import json
import math
import os
import zipfile

import numpy as np

SCHEMA, VERSION = "emo_utils.jetson", 1
_MAX_INFO_BYTES = 1000000
_MAX_SAMPLES_BYTES = 500000000

# images   uint8 (n, size, size), grey levels
# labels   int64 (n,)
# probabilities   float32 (n, n_classes), of the Keras model
Samples = collections.namedtuple("Samples", "images labels probabilities")


class BundleError(Exception):
    """The bundle cannot be used; the message names the file and the remedy."""


def read_info(folder):
    """Return export_info.json as a dict.

    Raises:
        BundleError: no such file, damaged, or of another version.
    """
    path = os.path.join(folder, "export_info.json")
    try:
        if os.path.getsize(path) > _MAX_INFO_BYTES:
            raise BundleError(f"{path}: larger than any such file. Copy the bundle again.")
        with open(path, encoding="utf-8") as file:
            info = json.load(file)
    except OSError:
        raise BundleError(f"{path}: no such file. Run this script in the folder of the bundle.") from None
    except (ValueError, RecursionError):
        raise BundleError(f"{path}: not JSON, or cut short. Copy the bundle again.") from None
    if not isinstance(info, dict) or info.get("schema") != SCHEMA or info.get("version") != VERSION:
        raise BundleError(
            f"{path}: not of schema {SCHEMA} version {VERSION}. Export the bundle again, with these scripts."
        )
    wrong = _wrong_values(info)
    if wrong:
        raise BundleError(f"{path}: missing, or not as it should be: {', '.join(wrong)}. Export the bundle again.")
    return info


def _wrong_values(info):
    """Return the names of the values in export_info.json that cannot be used."""
    source, names, calibration = info.get("input"), info.get("class_names"), info.get("calibration")
    source = source if isinstance(source, dict) else {}
    shape = source.get("shape")
    side = shape[3] if isinstance(shape, list) and len(shape) == 4 else None
    smoothing = calibration.get("label_smoothing") or 0 if isinstance(calibration, dict) else 0
    # files are named after the model
    name = info["name"] if isinstance(info.get("name"), str) else ""
    fits = {
        "name": name.strip(".") and name == os.path.basename(name),
        "input name": isinstance(source.get("name"), str),
        "input shape": _count(side) and 0 < side <= 4096 and shape == [1, 1, side, side],
        "class_names": isinstance(names, list) and len(names) >= 2 and all(isinstance(n, str) for n in names),
        "files": isinstance(info.get("files"), dict),
        "recipe_hash": info.get("recipe_hash") is None or isinstance(info["recipe_hash"], str),
        "parameters": info.get("parameters") is None or _count(info["parameters"]),
        "macs": info.get("macs") is None or _count(info["macs"]),
        "calibration": calibration is None or isinstance(calibration, dict),
        "label_smoothing": _number(smoothing) and 0 <= smoothing < 1,
        "temperature": info.get("temperature") is None or (_number(info["temperature"]) and info["temperature"] > 0),
        "not_sure_below": info.get("not_sure_below") is None or _number(info["not_sure_below"]),
    }
    return [name for name, fit in fits.items() if not fit]


def _count(value):
    return type(value) is int and 0 <= value < 2**53


def _number(value):
    return _count(value) or (isinstance(value, float) and math.isfinite(value))


def check_file(folder, info, name):
    """Return the path of a file of the bundle whose bytes are those that were exported.

    Raises:
        BundleError: the file is missing or differs, as after a copy that broke off.
    """
    path = os.path.join(folder, name)
    expected = info["files"].get(name)
    if not isinstance(expected, dict) or not os.path.isfile(path):
        raise BundleError(f"{path}: not in this bundle. Copy the whole folder.")
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    if digest.hexdigest() != expected.get("sha256"):
        raise BundleError(f"{path}: not the file that was exported (its sha256 differs). Copy it again.")
    return path


def read_samples(folder, info):
    """Return the `Samples` in samples.npz.

    Raises:
        BundleError: missing, changed, or not of the shapes that the model has.
    """
    path = check_file(folder, info, "samples.npz")
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > _MAX_SAMPLES_BYTES:
                raise BundleError(f"{path}: larger than any such file. Export the bundle again.")
        with np.load(path, allow_pickle=False) as arrays:
            samples = Samples(arrays["images"], arrays["labels"], arrays["probabilities"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        raise BundleError(f"{path}: no images, labels and probabilities in it. Export the bundle again.") from None
    n, size, classes = len(samples.images), info["input"]["shape"][2], len(info["class_names"])
    if (
        not n
        or samples.images.dtype != np.uint8
        or samples.images.shape != (n, size, size)
        or samples.labels.shape != (n,)
        or samples.probabilities.shape != (n, classes)
        or not np.isfinite(samples.probabilities).all()
    ):
        raise BundleError(f"{path}: its arrays do not fit the model. Export the bundle again.")
    return samples


def network_input(image, shape):
    """Return a grey image, uint8 (size, size), as the float32 (1, channels, size, size) that the ONNX file takes.

    The values stay grey levels 0 to 255: the preprocessing is inside the file.
    """
    return np.ascontiguousarray(np.broadcast_to(image, shape), dtype=np.float32)
