"""Values as JSON can hold them: no numpy types, no NaN, no absolute paths."""

from __future__ import annotations

import hashlib
import math
from datetime import date, datetime
from pathlib import Path, PurePath

import numpy as np

from emo_utils.errors import TableError


def plain(value):
    """Return `value` built of dict, list, str, int, float, bool and None only.

    NaN and infinity become None, arrays become lists, paths become text with forward slashes.

    Raises:
        TableError: a value of another type.
    """
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(v) for v in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, PurePath):
        return value.as_posix()
    raise TableError(
        f"Cannot log a value of type {type(value).__name__}: {value!r}. Use numbers, text, lists or dicts."
    )


def loggable(fields: dict, folder: Path) -> dict:
    """Return `fields` as `plain` makes them; a `..._path` is made relative to `folder`, its sha256 is put beside it.

    Args:
        fields: names and values; paths as the running program uses them. In `error`, the message of an exception, the
            paths of `folder` and of the home folder are shortened as well.
        folder: the folder of the table. Of a file outside it only the name is kept: where somebody's files lie is
            nobody else's business, and the path would not work elsewhere.
    """
    folder = folder.resolve()
    out = plain(fields)
    if out.get("error"):
        home = str(Path.home()).rstrip("/")
        message = str(out["error"]).replace(str(folder), ".")
        out["error"] = message.replace(home, "~") if home else message
    for key, value in list(out.items()):
        if not key.endswith("_path") or not value:
            continue
        file = Path(value).resolve()
        out[key] = file.relative_to(folder).as_posix() if file.is_relative_to(folder) else file.name
        if file.is_file():
            out.setdefault(f"{key.removesuffix('_path')}_sha256", file_sha256(file))
    return out


def file_sha256(path: Path) -> str:
    """Return the sha256 hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
