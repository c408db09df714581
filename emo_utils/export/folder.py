"""Make a folder whole or not at all, and never over what is there."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emo_utils.errors import EmoUtilsError


def check_new_folder(path: str | Path) -> None:
    """Raise EmoUtilsError where `path` is a file, or a folder with something in it."""
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise EmoUtilsError(f"{path} is a file, not a folder to write to. Name another folder.")
    if path.is_dir() and any(path.iterdir()):
        raise EmoUtilsError(f"The folder {path} is not empty: what is in it stays. Empty it or name another one.")


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; it takes the place of `path` if the block ends well.

    Raises:
        EmoUtilsError: see `check_new_folder`.
    """
    check_new_folder(path)
    path = Path(path).resolve()  # a link to an empty folder stays one
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.parent / f".{path.name}-{uuid.uuid4().hex[:8]}"
    draft.mkdir()
    try:
        yield draft
        if path.is_dir():
            path.rmdir()
        draft.replace(path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
