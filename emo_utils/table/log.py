"""The append-only log of experiments, the only truth behind the workbook.

A run appends a line when it starts and one when it ends; lines of one `run_id` are merged into one row, where later
fields win.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path

import psutil

from emo_utils import paths
from emo_utils.errors import TableError
from emo_utils.table.jsonl import append, read_lines
from emo_utils.table.plain import loggable
from emo_utils.table.provenance import environment

END_STATUS = ("ok", "failed", "interrupted")
_INTERNAL = ("kind", "pid", "machine", "resumed")


def start_run(row: dict, path: Path | None = None) -> str:
    """Log that a run begins.

    Args:
        row: what is known of the run, named as in `emo_utils.table.schema`. Environment, status and time are filled in.
            With the `run_id` of an earlier run this one resumes it: the earlier row goes on, none is added.
        path: the log; `emo_utils.paths.table_path()` if None.

    Returns:
        The run_id, to be handed to `end_run`.

    Raises:
        TableError: the log cannot be written.
    """
    path = _log_path(path)
    now = datetime.now(UTC)
    run_id = row.get("run_id") or new_run_id()
    known = row.get("run_id") is not None and any(
        old["run_id"] == run_id and old.get("started") for old in read_log(path)
    )
    start = {
        "run_id": run_id,
        "resumed" if known else "started": now.isoformat(timespec="seconds"),
        "status": "running",
        "error": None,  # a resumed run may have failed before
        "pid": os.getpid(),
        "machine": _machine(),
        **environment(),
    }
    append([{**start, **loggable({k: v for k, v in row.items() if k != "run_id"}, path.parent)}], path)
    return run_id


def new_run_id() -> str:
    """Return an id for a run that begins now: UTC time and six random hex digits."""
    return f"{datetime.now(UTC):%y%m%d%H%M%S}-{secrets.token_hex(3)}"


def end_run(run_id: str, fields: dict, *, status: str = "ok", path: Path | None = None) -> dict:
    """Log that a run has ended, or add figures to one that has.

    Args:
        run_id: what `start_run` returned.
        fields: results, named as in `emo_utils.table.schema`; besides them
            `per_class`: {class: {precision, recall, f1, support}} and
            `curves`: [{stage, epoch, loss, accuracy, val_loss, val_accuracy, lr}, ...].
            `seconds` and `name` are filled in where missing. Of a `..._path` the sha256 is added and the path is kept
            relative to the folder of the table.
        status: "ok", "failed" or "interrupted".
        path: the log; `emo_utils.paths.table_path()` if None.

    Returns:
        The whole row of the run.

    Raises:
        TableError: the status or the run is unknown, or the log cannot be written.
    """
    if status not in END_STATUS:
        raise TableError(f"`status` must be one of {', '.join(map(repr, END_STATUS))}. Got {status!r}.")
    path = _log_path(path)
    row = _merged(path).get(run_id)
    if row is None:
        raise TableError(f"{path.name} has no run {run_id!r} to end. Call start_run first.")
    fields = loggable(fields, path.parent)
    if row.get("status") == "running":  # otherwise the run has ended before, and this adds figures found since
        fields.setdefault("seconds", round((datetime.now(UTC) - _began(row)).total_seconds(), 1))
        if status == "ok":
            fields.setdefault("name", run_name({**row, **fields}))
    append([{"run_id": run_id, "status": status, **fields}], path)
    return next(row for row in read_log(path) if row["run_id"] == run_id)


def add_bench(record: dict, path: Path | None = None) -> None:
    """Log one benchmark record, a flat dict.

    It becomes a row of the sheet `bench` if its "bench" is "runtime", else of `ratios`.
    """
    path = _log_path(path)
    stamp = datetime.now(UTC).isoformat(timespec="seconds")
    append([{"kind": "bench", "time": stamp, **loggable(record, path.parent)}], path)


def add_notes(notes: dict[str, str], path: Path | None = None) -> None:
    """Log notes by run_id; a later note replaces an earlier one."""
    append([{"run_id": run_id, "note": note} for run_id, note in notes.items()], _log_path(path))


def read_log(path: Path | None = None) -> list[dict]:
    """Return one merged row a run, in the order in which the runs started.

    A run without an end line is "running", or "interrupted" where its process is known to be gone. `test_looks` counts
    how often the same test part had been evaluated by the same recipe, this run included.

    Args:
        path: the log; `emo_utils.paths.table_path()` if None. A missing one has no runs.

    Raises:
        TableError: the log cannot be read. Damaged lines are left out with a warning instead.
    """
    rows = _merged(_log_path(path)).values()
    for row in rows:
        if row.get("status") == "running" and _is_gone(row):
            row["status"] = "interrupted"
    return [{k: v for k, v in row.items() if k not in _INTERNAL} for row in rows]


def read_bench(path: Path | None = None) -> list[dict]:
    """Return the benchmark records in the order in which they were logged."""
    records = (line for line in read_lines(_log_path(path)) if line.get("kind") == "bench")
    return [{k: v for k, v in record.items() if k != "kind"} for record in records]


def run_name(row: dict) -> str:
    """Return a run's name, `emo_classificator_<yymmddHHMMSS>_<backbone>_e<epochs>_aug<0|1>_acc<NN>`.

    Args:
        row: uses `started`, `backbone`, `epochs` (a number or a list by stage), `augmentation` and, in per cent,
            `val_accuracy`: what a run is chosen by, so that names do not invite choosing on the test part.

    >>> run_name({"started": "2025-01-31T10:20:30+00:00", "backbone": "small_cnn", "epochs": [2, 3],
    ...           "augmentation": "none", "val_accuracy": 0.614})
    'emo_classificator_250131102030_small_cnn_e5_aug0_acc61'
    """
    epochs = row.get("epochs") or 0
    augmented = str(row.get("augmentation") or "none").lower() not in ("none", "false", "0")
    accuracy = row.get("val_accuracy")
    return "_".join(
        (
            "emo_classificator",
            f"{datetime.fromisoformat(row['started']):%y%m%d%H%M%S}",
            re.sub(r"[^A-Za-z0-9_-]+", "-", str(row.get("backbone") or "model")),
            f"e{sum(epochs) if isinstance(epochs, (list, tuple)) else epochs}",
            f"aug{int(augmented)}",
            "accNA" if accuracy is None else f"acc{round(100 * accuracy):02d}",
        )
    )


def _merged(path: Path) -> dict[str, dict]:
    """Return the rows by run_id, with what only this module needs."""
    rows: dict[str, dict] = {}
    looks: dict[tuple, int] = {}
    for line in read_lines(path):
        run_id = line.get("run_id")
        if line.get("kind") == "bench" or not isinstance(run_id, str):
            continue
        row = rows.setdefault(run_id, {"run_id": run_id})
        row.update(line)
        if line.get("test_accuracy") is not None:
            whose = row.get("recipe") or row.get("model_sha256")  # a model of others has no recipe
            seen = (whose, row.get("test_fingerprint") or row.get("fingerprint"))
            looks[seen] = looks.get(seen, 0) + 1
            row["test_looks"] = looks[seen]
    return rows


def _log_path(path: Path | None) -> Path:
    return Path(path) if path is not None else paths.table_path()


def _began(row: dict) -> datetime:
    return datetime.fromisoformat(row.get("resumed") or row["started"])


def _machine() -> str:
    """Return a mark that tells this machine from others without giving its name away."""
    return hashlib.sha256(f"emo_utils {platform.node()}".encode()).hexdigest()[:8]


def _is_gone(row: dict) -> bool:
    if row.get("machine") != _machine() or not isinstance(row.get("pid"), int):
        return False
    try:
        since = psutil.Process(row["pid"]).create_time()
        # A process younger than the run has merely inherited its number; 60 s allow for a clock set meanwhile.
        return since > _began(row).timestamp() + 60
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False
