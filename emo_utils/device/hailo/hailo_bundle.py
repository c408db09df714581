"""What both scripts of the bundle need: its files, read and checked before anything is run on them."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
import tempfile
import zipfile

import numpy as np

SCHEMA, VERSION = "emo_utils.hailo_bundle", 1
REPORT_SCHEMA = "emo_utils.hailo_compile"
_MAX_JSON_BYTES = 1_000_000
_MAX_ARRAY_BYTES = 2_000_000_000
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
        info = _read_json(path)
        if info["schema"] != SCHEMA or info["version"] != VERSION:
            raise BundleError(f"{path} is of another version: {info['schema']} {info['version']}. Export it anew.")
        name, classes = info["model"]["name"], info["model"]["class_names"]
        sides = input_shape(info)
        if not isinstance(name, str) or name != os.path.basename(name) or not name:
            raise TypeError("the name of the model is not one of a file")
        if not isinstance(classes, list) or len(classes) < 2 or not all(isinstance(c, str) for c in classes):
            raise TypeError("class_names is not a list of names")
        if not isinstance(info["model"].get("recipe_hash"), (str, type(None))):
            raise TypeError("recipe_hash is not a text")
        for key in ("macs", "parameters"):  # null where nobody counted them
            number = info["model"].get(key) or 0
            if type(number) is not int or number < 0:
                raise TypeError(f"{key} is not a whole number: {number!r:.40}")
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
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise BundleError(f"{path} is damaged: {error}. {_REMEDY}") from None
    return info


def read_report(folder):
    """Return compile_report.json as a dict with "model" and "targets", {} where there is none that can be used.

    It is there to add to and to quote from; without it a measurement is as good.
    """
    try:
        report = _read_json(folder / "compile_report.json")
        targets = report["targets"]
        whole = report["schema"] == REPORT_SCHEMA and report["version"] == 1 and isinstance(targets, dict)
        return report if whole and all(isinstance(target, dict) for target in targets.values()) else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _read_json(path):
    """Return the value in a JSON file. Raises OSError, or ValueError where it is too large or not JSON."""
    if path.stat().st_size > _MAX_JSON_BYTES:
        raise ValueError("it is larger than it can be")
    return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)


def _refuse(constant):
    raise ValueError(f"{constant} is no number")


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
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > _MAX_ARRAY_BYTES:
                raise ValueError("its arrays are larger than they can be")
        with np.load(path, allow_pickle=False) as arrays:
            images, labels, logits = (arrays[key] for key in ("images", "labels", "logits"))
    except (KeyError, OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile) as error:
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
            if os.fstat(file.fileno()).st_size > _MAX_ARRAY_BYTES:
                raise ValueError("it is larger than 2 GB")
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


def read_script(folder):
    """Return the lines of model.alls.

    Raises:
        BundleError: missing, or not text.
    """
    path = folder / "model.alls"  # no checksum: it is there to be edited
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}. {_REMEDY}") from None
    except UnicodeDecodeError:
        raise BundleError(f"{path} is not text in UTF-8. Save it as such.") from None


def precision_of(script):
    """Return "int8", or "int8x16" where lines of a model script give layers 16 bits."""
    return "int8x16" if any(re.match(r"[^#]*precision_mode\s*=\s*\w*a16", str(line)) for line in script) else "int8"


def check_writable(path):
    """Find out before the work of minutes whether its result can be written.

    Raises:
        BundleError: it cannot.
    """
    try:
        with tempfile.TemporaryFile(dir=str(path.parent)):
            reason = "there is a folder of that name" if path.is_dir() else None
    except OSError as error:
        reason = error.strerror
    if reason:
        raise BundleError(f"{path} cannot be written: {reason}.")


def write_json(path, value):
    """Write JSON so that a crash leaves the old file or the new one, never half of either.

    Raises:
        BundleError: it cannot be written.
    """
    draft = None
    try:
        handle, draft = tempfile.mkstemp(dir=str(path.parent), prefix=f".{path.stem}-", suffix=".json")
        with open(handle, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=1, allow_nan=False)
            file.write("\n")
        os.chmod(draft, 0o644)
        os.replace(draft, path)
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}.") from None
    finally:
        if draft and os.path.exists(draft):
            os.unlink(draft)


def load(package, missing):
    """Import a package of Hailo's.

    Raises:
        BundleError: it is not there, which is said with the text `missing`, or does not load.
    """
    try:
        return importlib.import_module(package)
    except Exception as error:  # one that does not fit the library below it, or numpy, raises what it likes
        if isinstance(error, ModuleNotFoundError) and error.name == package:
            raise BundleError(missing) from None
        raise BundleError(
            f"{package} is installed, but does not load: {first_line(error)}. Do its version, those of Hailo's other "
            "packages and that of numpy belong together (README.md)?"
        ) from None


def first_line(error):
    """Return the first line of an error's text, or the name of its class where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
