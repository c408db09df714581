"""Where a model file is and what it says of itself, read without Keras."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emo_utils.emotions import canonical_emotion
from emo_utils.errors import DataError, ModelError
from emo_utils.paths import course_root

# The model that ships for photographs: model/NAME.keras, NAME.tflite and NAME-int8.tflite.
DEFAULT_MODEL = "fer2013-mobilenet"
INFO_MEMBER = "emo_utils.json"
_MAX_INFO_BYTES = 1_000_000


def find_model_file(path: str | Path, suffixes: Sequence[str] = ()) -> Path:
    """Return the path of a model file.

    Args:
        path: relative to the current folder, to the course folder or to model/ in it.
        suffixes: endings that the name of a file in model/ may lack, the preferred one first. None of them where a name
            without ending means a run or a recipe.

    Raises:
        ModelError: no such file.
    """
    folders = (Path(), course_root(), course_root() / "model")
    endings = (folders[-1] / f"{path}{suffix}" for suffix in suffixes)
    for found in (*(folder / path for folder in folders), *endings):
        if found.is_file():
            return found
    raise ModelError(f"{path}: no such model file. `python -m emo_utils table show` lists the trained ones.")


def model_class_names(info: dict[str, Any], path: str | Path) -> tuple[str, ...]:
    """Return the class names of a model file's info.

    Raises:
        ModelError: the file does not say what its outputs mean, or says the same of two.
    """
    names = info.get("class_names")
    if not isinstance(names, list) or not names:
        raise ModelError(f"{path} does not say what its outputs mean: it was not written by emo_utils.save_model.")
    try:
        classes = tuple(canonical_emotion(name) for name in names)
    except DataError as error:
        raise ModelError(f"{path}: {error}") from None
    twice = [name for name, count in Counter(classes).items() if count > 1]
    if twice:
        raise ModelError(f"{path}: several of its outputs mean {', '.join(twice)}. Save it with one name a class.")
    return classes


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
