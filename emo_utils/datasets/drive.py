"""Fetch a file that a course shares on Google Drive into the data folder."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from emo_utils.errors import DataError
from emo_utils.paths import data_dir


def fetch_drive(file_id: str, dest: str, sha256: str) -> Path:
    """Download a file from Google Drive, unless the data folder has it already.

    The download goes to `<dest>.part` and takes the final name only after its checksum is right; broken off, it goes
    on where it stopped when called again. A file that is already there is replaced only by one with the right sum.

    Args:
        file_id: the long code in the share link, between /d/ and /view.
        dest: file name in the data folder, e.g. "ckplus.zip".
        sha256: checksum of the file, 64 hex digits.

    Returns:
        Path of the file.

    Raises:
        DataError: an argument does not fit, gdown is missing, the download fails, or the checksum differs.
    """
    if not re.fullmatch(r"[\w-]{10,}", file_id):
        raise DataError(f"file_id must be the code between /d/ and /view in the share link. Got {file_id!r}.")
    if not dest or Path(dest).name != dest or dest.startswith("."):
        raise DataError(f"dest must be a plain file name; the file goes to {data_dir()}. Got {dest!r}.")
    if not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise DataError(f"sha256 must have 64 hex digits. Got {sha256!r}.")
    path = data_dir() / dest
    partial = path.with_name(dest + ".part")
    if _has_sum(path, sha256):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    _download(file_id, partial)
    if not _has_sum(partial, sha256):
        partial.unlink()  # whole but wrong: going on from it would only fail again
        kept = f" The earlier {dest} was left as it is." if path.exists() else ""
        raise DataError(f"What Google Drive gave for {dest} has another sha256 than {sha256[:12]}...: refused.{kept}")
    os.replace(partial, path)
    return path


def _download(file_id: str, partial: Path) -> None:
    try:
        import gdown
    except ImportError:
        raise DataError("Downloads from Google Drive need gdown: pip install gdown") from None
    try:
        done = gdown.download(id=file_id, output=str(partial), quiet=True, resume=True)
    except Exception as error:  # its own kinds and those of requests, which differ by version
        done, reason = None, " ".join(str(error).split())[:300]
    else:
        reason = "no file came back"
    if done is None or not partial.is_file():
        raise DataError(
            f"Google Drive did not give file {file_id} ({reason}). Is it shared with everyone who has the link? "
            f"Call again to go on where it stopped, or download it in a browser and put it into {partial.parent}."
        )


def _has_sum(path: Path, sha256: str) -> bool:
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256.lower()
