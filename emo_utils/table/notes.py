"""Bring what people wrote into the workbook's `note` column back into the log before the workbook is rendered anew."""

from __future__ import annotations

import os
import shutil
import warnings
import zipfile
from datetime import datetime
from pathlib import Path

from emo_utils.atomic import replacing
from emo_utils.errors import TableError
from emo_utils.table.log import add_notes, read_log

# Hidden sheet with the notes as they were rendered. What differs from it was changed by a person; what differs from the
# log only was changed elsewhere since, and must not be undone by an older workbook.
RENDERED_SHEET = "_rendered"
_MAX_BYTES = 100 * 2**20
_MAX_UNPACKED = 500 * 2**20
_HEADER_ROWS = 20  # people insert a title above the header


def collect_notes(xlsx: Path, log: Path) -> None:
    """Append to the log each note that was changed in the workbook since it was rendered.

    A workbook that cannot be read, or that is no experiment table, is renamed to `<name>.damaged-<time>.xlsx` with a
    warning: it may hold somebody's work. For the same reason, one with notes on runs that the log does not know is
    copied to `<name>.kept-<time>.xlsx`, with a warning.

    Raises:
        TableError: the workbook is open elsewhere and locked.
    """
    if not xlsx.exists():
        return
    try:
        written, rendered = _read(xlsx)
    except PermissionError as error:
        raise locked(xlsx) from error
    except Exception as error:  # a foreign or damaged file makes openpyxl raise nearly anything
        _set_aside(xlsx, error)
        return
    logged = {row["run_id"]: row.get("note") or "" for row in read_log(log)}
    changed = {
        run_id: note
        for run_id, note in written.items()
        if run_id in logged and note not in (rendered.get(run_id, ""), logged[run_id])
    }
    if changed:
        add_notes(changed, log)
    if unknown := sum(bool(note.strip()) for run_id, note in written.items() if run_id not in logged):
        _keep_copy(xlsx, unknown)


def locked(xlsx: Path) -> TableError:
    """Return the error for a workbook that another program holds."""
    return TableError(
        f"{xlsx} cannot be read or replaced. Close it in Excel (or check its permissions), then render again."
    )


def _read(xlsx: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the notes by run_id as they stand in the workbook, and as they were rendered."""
    import openpyxl

    with zipfile.ZipFile(xlsx) as archive:
        unpacked = sum(info.file_size for info in archive.infolist())
    if xlsx.stat().st_size > _MAX_BYTES or unpacked > _MAX_UNPACKED:
        raise TableError(f"it is larger than a table of runs can be ({unpacked / 2**20:.0f} MiB unpacked)")
    book = openpyxl.load_workbook(xlsx, read_only=True, data_only=True)
    try:
        if "runs" not in book.sheetnames:
            raise TableError("it has no sheet 'runs'")
        rendered = _notes_of(book[RENDERED_SHEET]) if RENDERED_SHEET in book.sheetnames else {}
        return _notes_of(book["runs"]), rendered
    finally:
        book.close()


def _notes_of(sheet) -> dict[str, str]:
    rows = sheet.iter_rows(values_only=True)
    for _, header in zip(range(_HEADER_ROWS), rows, strict=False):
        if "run_id" in header and "note" in header:
            break
    else:
        raise TableError(f"sheet {sheet.title!r} has no columns run_id and note")
    id_at, note_at = header.index("run_id"), header.index("note")
    notes = {}
    for row in rows:
        if len(row) > id_at and row[id_at] is not None:
            note = row[note_at] if len(row) > note_at else None
            notes[str(row[id_at])] = "" if note is None else str(note)
    return notes


def _keep_copy(xlsx: Path, notes: int) -> None:
    copy = _beside(xlsx, "kept")
    with replacing(copy) as temporary:
        shutil.copyfile(xlsx, temporary)
    warnings.warn(
        f"{xlsx.name} holds {notes} note(s) on runs that the log does not know; kept as {copy.name}.",
        UserWarning,
        stacklevel=4,
    )


def _set_aside(xlsx: Path, reason: Exception) -> None:
    aside = _beside(xlsx, "damaged")
    try:
        os.replace(xlsx, aside)
    except PermissionError as error:
        raise locked(xlsx) from error
    warnings.warn(f"{xlsx.name} is no experiment table ({reason}); kept as {aside.name}.", UserWarning, stacklevel=4)


def _beside(xlsx: Path, why: str) -> Path:
    return xlsx.with_name(f"{xlsx.stem}.{why}-{datetime.now():%Y%m%d-%H%M%S-%f}{xlsx.suffix}")
