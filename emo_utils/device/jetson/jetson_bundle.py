"""The bundle as `emo_utils export jetson` wrote it, checked before anything is built from it. Python 3.6 and numpy."""

import collections
import hashlib
import json
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
    except ValueError:
        raise BundleError(f"{path}: not JSON, or cut short. Copy the bundle again.") from None
    if not isinstance(info, dict) or info.get("schema") != SCHEMA or info.get("version") != VERSION:
        raise BundleError(
            f"{path}: not of schema {SCHEMA} version {VERSION}. Export the bundle again, with these scripts."
        )
    try:
        shape = info["input"]["shape"]
        fit = (
            isinstance(info["name"], str)
            and info["name"] == os.path.basename(info["name"])  # files are named after it
            and info["name"].strip(".")
            and isinstance(info["input"]["name"], str)
            and isinstance(info["files"], dict)
            and len(info["class_names"]) >= 2
            and all(isinstance(name, str) for name in info["class_names"])
            and len(shape) == 4
            and all(isinstance(side, int) and 0 < side <= 4096 for side in shape)
        )
    except (KeyError, TypeError):
        fit = False
    if not fit:
        raise BundleError(f"{path}: a value is missing or of another type. Export the bundle again.")
    return info


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
    if os.path.getsize(path) > _MAX_SAMPLES_BYTES:
        raise BundleError(f"{path}: larger than any such file. Export the bundle again.")
    try:
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
