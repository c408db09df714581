"""Replace a file in one step, so that a crash leaves the old one or the new one, never half of either."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary file in the folder of `path`; it takes the place of `path` if the block ends well.

    Where `path` is a link, the file that it leads to is replaced and the link stays.

    Raises:
        OSError: `path` is a device, a pipe or a folder, or its folder cannot be written.
    """
    target = Path(os.path.realpath(path))
    temporary = _temporary(path, target)
    try:
        yield temporary
        # mkstemp lets nobody but the owner read it
        temporary.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o644)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def check_replaceable(path: Path) -> None:
    """Raise what `replacing` would at its start for a file, or for one in a folder: no work is done in vain then."""
    target = Path(os.path.realpath(path))
    _temporary(path, target / "file" if target.is_dir() else target).unlink()


def _temporary(path: Path, target: Path) -> Path:
    if target.exists() and not target.is_file():
        raise FileExistsError(errno.EEXIST, "not an ordinary file, so it is not replaced", str(path))
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}-", suffix=target.suffix)
    except OSError as error:
        error.filename = str(path)  # the caller knows nothing of a temporary file
        raise
    os.close(handle)
    return Path(name)
