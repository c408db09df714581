"""Append to a file of JSON lines under a lock, and read it back in spite of lines that a crash cut short."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path

from filelock import FileLock, Timeout

from emo_utils.errors import TableError
from emo_utils.table.plain import plain

_LOCK_SECONDS = 60


def append(records: list[dict], path: Path) -> None:
    """Append records, each as a line, so that all of them are on the disk when this returns.

    Raises:
        TableError: a value cannot be logged, the file cannot be written, or another process keeps it locked.
    """
    text = "".join(json.dumps(plain(record), ensure_ascii=False, allow_nan=False) + "\n" for record in records)
    # A lone surrogate (an undecodable file name) becomes \udcXX, which JSON reads back as it was.
    data = text.encode("utf-8", "backslashreplace")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock", timeout=_LOCK_SECONDS), path.open("ab+") as file:
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # the last writer was killed: leave its half line, begin a fresh one
                    data = b"\n" + data
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except Timeout:
        raise TableError(f"{path}.lock has been held for {_LOCK_SECONDS} s. Is another run stuck? End it.") from None
    except OSError as error:
        raise TableError(
            f"Cannot write {path} ({error.strerror}). Point EMO_OUT at a folder you may write to."
        ) from error


def read_lines(path: Path) -> list[dict]:
    """Return the records of a file, none if it is missing; lines that hold none are left out with a warning.

    Raises:
        TableError: the file cannot be read.
    """
    try:
        raw = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise TableError(f"Cannot read {path} ({error.strerror}). Check its permissions or set EMO_OUT.") from error
    lines, damaged = [], []
    for number, text in enumerate(raw, start=1):
        if not text.strip():
            continue
        try:
            line = json.loads(text, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            line = None
        if isinstance(line, dict):
            lines.append(line)
        else:
            damaged.append(number)
    if damaged:
        numbers = ", ".join(map(str, damaged[:5]))
        warnings.warn(f"{path}: ignored {len(damaged)} damaged line(s): {numbers}", UserWarning, stacklevel=3)
    return lines
