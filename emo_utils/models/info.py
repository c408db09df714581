"""Where a model file is and what it says of itself, read without Keras."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from emo_utils.emotions import canonical_emotion
from emo_utils.errors import DataError, ModelError
from emo_utils.paths import course_root

# The model that ships for photographs: model/NAME.keras, NAME.tflite and NAME-int8.tflite.
DEFAULT_MODEL = "fer2013-mobilenet"
INFO_MEMBER = "emo_utils.json"
_MAX_INFO_BYTES = 1_000_000


def find_model_file(path: str | Path) -> Path:
    """Return the path of a file, which may be relative to the current or to the course folder.

    Raises:
        ModelError: no such file.
    """
    path = Path(path)
    if not path.exists() and (course_root() / path).exists():
        path = course_root() / path
    if not path.is_file():
        raise ModelError(f"{path}: no such model file. `python -m emo_utils table show` lists the trained ones.")
    return path


def model_class_names(info: dict[str, Any], path: str | Path) -> tuple[str, ...]:
    """Return the class names of a model file's info.

    Raises:
        ModelError: the file does not say what its outputs mean.
    """
    names = info.get("class_names")
    if not isinstance(names, list) or not names:
        raise ModelError(f"{path} does not say what its outputs mean: it was not written by emo_utils.save_model.")
    try:
        return tuple(canonical_emotion(name) for name in names)
    except DataError as error:
        raise ModelError(f"{path}: {error}") from None


def read_info(path: Path) -> dict[str, Any]:
    """Return what a model file says of itself, {} where it says nothing or is no .keras file; runs nothing of it.

    Raises:
        ModelError: what it says cannot be read.
    """
    if not zipfile.is_zipfile(path):
        return {}
    try:
        with zipfile.ZipFile(path) as archive:
            if INFO_MEMBER not in archive.namelist() or archive.getinfo(INFO_MEMBER).file_size > _MAX_INFO_BYTES:
                return {}
            info = json.loads(archive.read(INFO_MEMBER))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: its {INFO_MEMBER} cannot be read: {error}.") from None
    return info if isinstance(info, dict) else {}
