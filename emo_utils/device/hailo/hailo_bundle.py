"""What both scripts of the bundle need: its files, read and checked before anything is run on them."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile

import numpy as np

SCHEMA, VERSION = "emo_utils.hailo_bundle", 1
_MAX_JSON_BYTES = 1_000_000
_REMEDY = "Copy the bundle again, or export it anew."


class BundleError(Exception):
    """Something that the person at the keyboard can put right; the text names it and the remedy."""


def read_info(folder):
    """Return export_info.json of the bundle in `folder` (a pathlib.Path) as a dict.

    Raises:
        BundleError: missing, damaged, or of another version.
    """
    path = folder / "export_info.json"
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise BundleError(f"{path} is larger than it can be. {_REMEDY}")
        info = json.loads(path.read_text(encoding="utf-8"))
        if info["schema"] != SCHEMA or info["version"] != VERSION:
            raise BundleError(f"{path} is of another version: {info['schema']} {info['version']}. Export it anew.")
        name, classes = info["model"]["name"], info["model"]["class_names"]
        sides = input_shape(info)
        if not isinstance(name, str) or name != os.path.basename(name) or not name:
            raise TypeError("the name of the model is not one of a file")
        if not isinstance(classes, list) or len(classes) < 2:
            raise TypeError("class_names is not a list")
        if not all(isinstance(side, int) and 0 < side <= 4096 for side in sides):
            raise TypeError(f"no input is of size {sides}")
        if not all(isinstance(entry, dict) for entry in (info["stand_in"], *info["files"].values())):
            raise TypeError("files or stand_in does not hold objects")
        for key in ("mean", "std"):
            values = np.asarray(info["normalisation"][key], dtype=float)
            if values.shape != sides[2:] or not np.isfinite(values).all():
                raise ValueError(f"normalisation does not have {sides[2]} numbers as {key}")
            if key == "std" and not (values > 0).all():
                raise ValueError("normalisation divides by a std that is not positive")
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}. {_REMEDY}") from None
    except KeyError as error:
        raise BundleError(f"{path} does not say {error}. {_REMEDY}") from None
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError(f"{path} is damaged: {error}. {_REMEDY}") from None
    return info


def input_shape(info):
    """Return (height, width, channels) of what the net takes."""
    return tuple(info["input"][key] for key in ("height", "width", "channels"))


def bundle_file(folder, info, name):
    """Return the path of a file of the bundle, once its checksum is what export_info.json says.

    Raises:
        BundleError: missing, or not the file that was exported.
    """
    path = folder / name
    if name not in info["files"]:
        raise BundleError(f"export_info.json does not list {name}. {_REMEDY}")
    if not path.is_file():
        raise BundleError(f"{path} is missing. {_REMEDY}")
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    if digest.hexdigest() != info["files"][name].get("sha256"):
        raise BundleError(f"{path} is not the file that was exported: its checksum differs. {_REMEDY}")
    return path


def read_samples(folder, info):
    """Return the reference faces of the bundle.

    Returns:
        dict of arrays: images uint8 (n, height, width, channels), as the net takes them; labels int64 (n,); logits
        float32 (n, n_classes) of the Keras model.

    Raises:
        BundleError: missing, damaged, or arrays that do not fit the net.
    """
    path = bundle_file(folder, info, "samples.npz")
    try:
        with np.load(path, allow_pickle=False) as archive:
            images, labels, logits = (archive[key] for key in ("images", "labels", "logits"))
    except (KeyError, OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise BundleError(f"{path} is damaged: {error}. {_REMEDY}") from None
    height, width, channels = input_shape(info)
    n, classes = len(images), len(info["model"]["class_names"])
    fits = images.shape == (n, height, width) and images.dtype == np.uint8 and n > 0
    fits = fits and labels.shape == (n,) and logits.shape == (n, classes) and bool(np.isfinite(logits).all())
    if not fits:
        raise BundleError(
            f"{path} does not fit the net: images {images.dtype} {images.shape}, labels {labels.shape}, "
            f"logits {logits.shape}; wanted are faces of {height} x {width} and {classes} logits. {_REMEDY}"
        )
    return {"images": np.repeat(images[..., None], channels, axis=3), "labels": labels, "logits": logits}


def read_calibration(folder, info):
    """Return the calibration images: float32 (n, height, width, channels), grey levels 0 to 255.

    Raises:
        BundleError: missing, damaged, of another shape, or out of range.
    """
    path = folder / "calib_set.npy"  # no checksum: a better set, from the camera that will be used, may replace it
    try:
        with open(path, "rb") as file:
            images = np.lib.format.read_array(file, allow_pickle=False)
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}. {_REMEDY}") from None
    except (ValueError, EOFError, MemoryError) as error:
        raise BundleError(f"{path} is damaged: {error}. {_REMEDY}") from None
    if images.dtype != np.float32 or images.ndim != 4 or images.shape[1:] != input_shape(info) or not len(images):
        raise BundleError(
            f"{path} holds {images.dtype} of shape {images.shape}, not float32 (n, *{input_shape(info)}). {_REMEDY}"
        )
    low, high = float(images.min()), float(images.max())
    if not (low >= 0 and 1 < high <= 255):
        raise BundleError(
            f"{path} holds values from {low:g} to {high:g}. Calibration wants raw grey levels, 0 to 255: model.alls "
            "normalises them. Save the images as they were before any scaling."
        )
    return images


def write_json(path, value):
    """Write JSON so that a crash leaves the old file or the new one, never half of either."""
    handle, draft = tempfile.mkstemp(dir=str(path.parent), prefix=f".{path.stem}-", suffix=".json")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=1, allow_nan=False)
            file.write("\n")
        os.chmod(draft, 0o644)
        os.replace(draft, path)
    finally:
        if os.path.exists(draft):
            os.unlink(draft)


def first_line(error):
    """Return the first line of an error's text, or the name of its class where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
