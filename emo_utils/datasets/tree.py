"""A folder or a zip archive seen as one thing: names, and a way to read the bytes behind each."""

from __future__ import annotations

import lzma
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emo_utils.datasets.images import MAX_BYTES, read_bytes
from emo_utils.errors import DataError

MAX_TOTAL = 16 * 2**30  # bytes an archive may unpack to; the largest public set of face crops is well below
MAX_RATIO = 100  # unpacked to packed; images come near 1, a bitmap of one colour near 1000 but small
_RATIO_FREE = 2**20  # entries up to 1 MiB may have any ratio: they can do no harm
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")  # control characters, and bytes that are no text
# What zipfile raises on a damaged entry, or on one packed by a method that it does not know.
ENTRY_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    NotImplementedError,
    ValueError,
)
_OUTSIDE = re.compile(r"^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)")


@dataclass(frozen=True)
class FileTree:
    """The files below a folder or inside an archive.

    Attributes:
        names: paths relative to the root with "/" between the parts, sorted; hidden files are left out.
        read: function from a name to the file's bytes; raises DataError with the reason if it cannot.
        skipped: (name, reason) of every entry that must not be read.
    """

    names: tuple[str, ...]
    read: Callable[[str], bytes]
    skipped: tuple[tuple[str, str], ...]


@contextmanager
def open_tree(path: Path) -> Iterator[FileTree]:
    """Open a folder or a zip archive for reading; nothing is unpacked to disk.

    Raises:
        DataError: the archive is damaged, encrypted, or unpacks to far more than it holds.
    """
    if path.is_dir():
        yield _folder_tree(path)
        return
    with open_zip(path) as archive:
        yield _zip_tree(archive)


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip archive, refusing what is damaged, encrypted, or unpacks to far more than it holds.

    Raises:
        DataError: with the reason.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DataError(f"{path} is not a readable zip archive ({error}). {remedy(error)}") from None
    problem = None
    if any(info.flag_bits & 1 for info in archive.infolist()):
        problem = "is encrypted. Unpack it with its password and give the folder instead."
    total = sum(info.file_size for info in archive.infolist())
    if total > MAX_TOTAL or total > MAX_RATIO * max(path.stat().st_size, _RATIO_FREE):
        problem = f"would unpack to {total / 2**30:.1f} GiB: refused as a possible zip bomb."
    if problem:
        archive.close()
        raise DataError(f"{path} {problem}")
    return archive


def remedy(error: Exception) -> str:
    """Return what to do about a file that could not be read."""
    return "Check its permissions." if isinstance(error, PermissionError) else "Download it again."


def walk(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield (relative name, stat) of everything in a folder but folders and hidden entries, in no special order.

    Links to folders are yielded like files, not followed: they may lead round in a circle.
    """
    stack = [""]
    while stack:
        prefix = stack.pop()
        try:
            for entry in os.scandir(root / prefix):
                name = prefix + entry.name
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    stack.append(name + "/")
                else:
                    yield name, entry.stat(follow_symlinks=os.path.exists(entry.path))  # a broken link has no target
        except OSError as error:
            raise DataError(f"{root / prefix} cannot be listed ({error.strerror}).") from None


def _folder_tree(root: Path) -> FileTree:
    names, skipped = [], []
    for name, info in walk(root):
        reason = None
        if stat.S_ISDIR(info.st_mode):
            reason = "link to a folder, not followed"
        elif _UNPRINTABLE.search(name):
            name, reason = _printable(name), "file name with unprintable characters"
        if reason:
            skipped.append((name, reason))
        else:
            names.append(name)
    return FileTree(tuple(sorted(names)), lambda name: read_bytes(root / name), tuple(sorted(skipped)))


def _zip_tree(archive: zipfile.ZipFile) -> FileTree:
    entries, skipped = {}, []
    for info in archive.infolist():
        if info.is_dir():
            continue
        name = info.filename
        reason = _refusal(info)
        if reason is None and name in entries:
            reason = "stands twice in the archive; the first is used"
        if reason:
            skipped.append((_printable(name), reason))
        elif not any(part.startswith((".", "__MACOSX")) for part in name.split("/")):
            entries[name] = info

    def read(name: str) -> bytes:
        try:
            return archive.read(entries[name])
        except ENTRY_DAMAGE as error:
            raise DataError(f"damaged archive entry ({error})") from None

    return FileTree(tuple(sorted(entries)), read, tuple(sorted(skipped)))


def _printable(name: str) -> str:
    return _UNPRINTABLE.sub(lambda match: ascii(match[0])[1:-1], name)


def _refusal(info: zipfile.ZipInfo) -> str | None:
    """Return why an archive entry must not be read, or None."""
    if _OUTSIDE.search(info.filename) or _OUTSIDE.search(info.orig_filename):
        return "entry leads out of the archive"
    if _UNPRINTABLE.search(info.filename):
        return "file name with unprintable characters"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "link, not followed"
    if info.file_size > MAX_BYTES:
        return f"entry of {info.file_size / 2**20:.0f} MiB, more than {MAX_BYTES >> 20} MiB"
    if info.file_size > _RATIO_FREE and info.file_size > MAX_RATIO * max(info.compress_size, 1):
        return f"entry packed more than {MAX_RATIO} to 1: a possible zip bomb"
    return None
