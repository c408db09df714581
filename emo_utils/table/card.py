"""The figures of a model card, made from the log so that none of them is typed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from emo_utils import paths
from emo_utils.atomic import replacing
from emo_utils.emotions import FIVE
from emo_utils.errors import TableError
from emo_utils.evaluation import share_interval
from emo_utils.table.compare import predictions_file
from emo_utils.table.log import read_bench, read_log
from emo_utils.table.markdown import markdown_line

_MARKS = re.compile(r"<!-- figures of ([\w-]+):start -->\n.*?<!-- figures:end -->", re.DOTALL)


def update_cards(folder: Path, path: Path | None = None) -> list[Path]:
    """Bring the figures of all model cards in step with the log.

    Args:
        folder: its .md files are looked at; what stands between `<!-- figures of RUN_ID:start -->` and
            `<!-- figures:end -->` is replaced.
        path: the log; `emo_utils.paths.table_path()` if None.

    Returns:
        The files that changed.

    Raises:
        TableError: the log has no such run.
    """
    changed = []
    for card in sorted(folder.glob("*.md")):
        old = card.read_text(encoding="utf-8")
        new = _MARKS.sub(
            lambda found: (
                f"<!-- figures of {found[1]}:start -->\n{card_markdown(found[1], path)}\n<!-- figures:end -->"
            ),
            old,
        )
        if new != old:
            with replacing(card) as temporary:
                temporary.write_text(new, encoding="utf-8")
            changed.append(card)
    return changed


def card_markdown(run_id: str, path: Path | None = None) -> str:
    """Return what a model card says in figures: protocol, accuracy in several readings, each class, each file.

    Args:
        run_id: of the training that made the model.
        path: the log.

    Raises:
        TableError: the log has no such run, or its predictions are not there.
    """
    rows = {row["run_id"]: row for row in read_log(path)}
    if run_id not in rows or "per_class" not in rows[run_id]:
        raise TableError(f"The table has no finished run {run_id}. `python -m emo_utils table show` lists them.")
    row = rows[run_id]
    mirrored = [
        r
        for r in rows.values()
        if r.get("of_run") == run_id
        and r.get("status") == "ok"
        and r.get("test_time") == "mirror"
        and r.get("test_fingerprint") == row.get("test_fingerprint")
    ]
    folder = (path or paths.table_path()).parent
    parts = [_protocol(row), _figures(row, mirrored[-1] if mirrored else None, folder), _classes(row)]
    files = _files(row, read_bench(path))
    return "\n\n".join(parts + [files] * bool(files))


def _protocol(row: dict[str, Any]) -> str:
    return (
        f"Run `{row['run_id']}`, recipe `{row['recipe']}`, seed {row['seed']}: {row['parameters']:,} parameters, input "
        f"{row['input_size']} px. Trained on {row['n_train']:,} faces of {row['data']}, the epoch selected on "
        f"{row['n_val']:,} others of its training part, reported on the {row['n']:,} of its test part: look number "
        f"{row['test_looks']} of this recipe at these faces."
    )


def _figures(row: dict[str, Any], mirrored: dict[str, Any] | None, folder: Path) -> str:
    five, low, high, n = _five_classes(row, folder)
    lines = [
        ("figure", "value", "95 % interval", "n"),
        _interval("accuracy on validation", row, "val_accuracy", row["n_val"]),
        _interval("accuracy", row, "test_accuracy", row["n"]),
    ]
    if mirrored:
        lines.append(_interval("accuracy, averaged with the mirror image", mirrored, "test_accuracy", mirrored["n"]))
    lines += [
        (f"accuracy when only {', '.join(FIVE)} can be answered", f"{five:.3f}", f"{low:.3f} to {high:.3f}", f"{n:,}"),
        _interval("macro-F1", row, "macro_f1", row["n"]),
        _interval(f"recall of the worst class, {row['worst_class']}", row, "worst_class_recall", row["n"]),
        _interval("ECE, as trained", row, "ece", row["n"]),
        _interval("ECE, calibrated", row, "ece_scaled", row["n"]),
    ]
    return _table(lines)


def _five_classes(row: dict[str, Any], folder: Path) -> tuple[float, float, float, int]:
    """Return the accuracy on the faces of five classes when the others are not allowed, its interval, and n."""
    file = predictions_file(row, folder)
    if file is None:
        raise TableError(f"The answers of run {row['run_id']}, {row.get('predictions_path')}, are not there.")
    with np.load(file, allow_pickle=False) as saved:
        names, labels, probabilities = saved["class_names"].tolist(), saved["labels"], saved["probabilities"]
    columns = [names.index(name) for name in FIVE]
    among = np.isin(labels, columns)
    answers = np.asarray(columns)[probabilities[among][:, columns].argmax(axis=1)]
    return *share_interval(answers == labels[among]), int(among.sum())


def _classes(row: dict[str, Any]) -> str:
    lines = [("class", "precision", "recall [95 %]", "F1", "faces")]
    for name, c in row["per_class"].items():
        recall = f"{c['recall']:.3f} [{c['recall_low']:.3f}, {c['recall_high']:.3f}]"
        lines.append((name, f"{c['precision']:.3f}", recall, f"{c['f1']:.3f}", f"{c['support']:,}"))
    return _table(lines)


def _files(row: dict[str, Any], bench: list[dict[str, Any]]) -> str:
    """Return the files of the latest benchmark that timed this recipe's model on one thread, "" without one."""
    mine = [
        r
        for r in bench
        if r.get("recipe_hash") == row["recipe_hash"] and r.get("runtime") == "litert" and r.get("threads") == 1
    ]
    mine = [r for r in mine if r["file_sha256"] == mine[-1]["file_sha256"]]
    if not mine:
        return ""
    lines = [("TFLite file", "KB", "p50 ms", "p90 ms", "accuracy", "same answer as Keras")]
    for r in mine:
        times = (f"{r['p50_ms']:.2f}", f"{r['p90_ms']:.2f}")
        lines.append(
            (r["precision"], f"{r['bytes'] / 1e3:,.0f}", *times, f"{r['accuracy']:.3f}", f"{r['agreement']:.1%}")
        )
    return f"One thread of: {mine[0]['device']}.\n\n{_table(lines)}"


def _interval(title: str, row: dict[str, Any], name: str, n: int) -> tuple[str, str, str, str]:
    return title, f"{row[name]:.3f}", f"{row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f}", f"{n:,}"


def _table(lines: list[tuple[str, ...]]) -> str:
    head, *rest = lines
    return "\n".join(markdown_line(line) for line in (head, ("---",) * len(head), *rest))
