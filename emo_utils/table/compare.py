"""Compare the test accuracy of two logged runs."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emo_utils import paths
from emo_utils.errors import TableError
from emo_utils.table.plain import file_sha256
from emo_utils.table.read import find_run


@dataclass(frozen=True)
class Comparison:
    """Run a against run b on test faces.

    Attributes:
        a, b: names of the runs (run_id where a run has none).
        n: number of test faces the difference rests on; of the smaller test part if the parts differ.
        accuracy_a, accuracy_b: shares classified correctly.
        difference: accuracy_b - accuracy_a; `low` and `high` are its 95 % interval.
        p_value: exact McNemar test; None where the predictions are not at hand.
        method: how interval and p_value were found.
        remarks: what a reader must know before believing the figures.
    """

    a: str
    b: str
    n: int
    accuracy_a: float
    accuracy_b: float
    difference: float
    low: float
    high: float
    p_value: float | None
    method: str
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        p = "" if self.p_value is None else f", p = {self.p_value:.2g}"
        return "\n".join(
            (
                f"a  {100 * self.accuracy_a:5.1f} %  {self.a}",
                f"b  {100 * self.accuracy_b:5.1f} %  {self.b}",
                f"b - a: {100 * self.difference:+.1f} points, 95 % [{100 * self.low:+.1f}, {100 * self.high:+.1f}]{p}, "
                f"n = {self.n:,} ({self.method})",
                *(f"Note: {remark}" for remark in self.remarks),
            )
        )


def compare(run_a: str, run_b: str, path: Path | None = None) -> Comparison:
    """Compare two runs: face by face if both kept their predictions, else by their accuracies and n alone.

    Faces are matched by id, unless the runs' fingerprints say that their test parts differ.

    Args:
        run_a: run_id, unique beginning of one, or name.
        run_b: likewise.
        path: the log; `emo_utils.paths.table_path()` if None. Predictions are looked for relative to its folder.

    Raises:
        TableError: a run is unknown or has no test accuracy, or its predictions are not those it logged.
    """
    path = Path(path) if path is not None else paths.table_path()
    a, b = find_run(run_a, path), find_run(run_b, path)
    for row in (a, b):
        if row.get("test_accuracy") is None or not row.get("n"):
            raise TableError(
                f"Run {row['run_id']} ({row.get('status')}) has no test accuracy to compare. Evaluate it first."
            )
    remarks = [
        f"{what} differs, so the two figures answer different questions."
        for what, key in (
            ("The data set", "data"),
            ("The set of classes", "classes"),
            ("The label source", "label_source"),
        )
        if a.get(key) != b.get(key)
    ]
    correct_a, correct_b = _correct(a, path.parent), _correct(b, path.parent)
    if correct_a is None or correct_b is None:
        remarks.append("Predictions of both runs are needed for a paired test; the unpaired interval is wider.")
    elif _test_parts_differ(a, b):
        remarks.append("The test parts differ; equal ids do not make faces the same.")
    elif common := correct_a.keys() & correct_b.keys():
        if len(common) < max(len(correct_a), len(correct_b)):
            remarks.append(f"Only the {len(common):,} faces that both runs were tested on are compared.")
        return _paired(a, b, correct_a, correct_b, sorted(common), remarks)
    else:
        remarks.append("The runs share no test face.")
    return _unpaired(a, b, remarks)


def _test_parts_differ(a: dict, b: dict) -> bool:
    """Tell by the fingerprints, which also cover the classes: with other classes they say nothing about the faces."""
    prints = a.get("test_fingerprint"), b.get("test_fingerprint")
    return all(prints) and prints[0] != prints[1] and a.get("classes") == b.get("classes")


def _paired(a: dict, b: dict, answers_a: dict, answers_b: dict, common: list, remarks: list[str]) -> Comparison:
    """Compare on the same faces."""
    from emo_utils.evaluation.significance import mcnemar, paired_difference  # brings scikit-learn, a second

    correct_a, correct_b = (np.array([answers[i][0] for i in common]) for answers in (answers_a, answers_b))
    people = [answers_a[i][1] for i in common]
    known = None not in people
    gap = paired_difference(correct_a, correct_b, groups=np.array(people) if known else None)
    return Comparison(
        a=_title(a),
        b=_title(b),
        n=len(common),
        accuracy_a=float(correct_a.mean()),
        accuracy_b=float(correct_b.mean()),
        difference=gap.difference,
        low=gap.low,
        high=gap.high,
        p_value=mcnemar(correct_a, correct_b),
        method=f"same faces: bootstrap interval over {'people' if known else 'faces'}, exact McNemar test",
        remarks=tuple(remarks),
    )


def _unpaired(a: dict, b: dict, remarks: list[str]) -> Comparison:
    """Compare two independent shares by Newcombe's hybrid score interval (1998, Stat. Med. 17:873, method 10)."""
    (p, p_low, p_high), (q, q_low, q_high) = _wilson(a), _wilson(b)
    return Comparison(
        a=_title(a),
        b=_title(b),
        n=min(a["n"], b["n"]),
        accuracy_a=p,
        accuracy_b=q,
        difference=q - p,
        low=q - p - float(np.hypot(q - q_low, p_high - p)),
        high=q - p + float(np.hypot(q_high - q, p - p_low)),
        p_value=None,
        method="unpaired interval",
        remarks=tuple(remarks),
    )


def _wilson(row: dict) -> tuple[float, float, float]:
    from scipy.stats import binomtest

    interval = binomtest(round(row["test_accuracy"] * row["n"]), row["n"]).proportion_ci(method="wilson")
    return row["test_accuracy"], interval.low, interval.high


def predictions_file(row: dict, folder: Path) -> Path | None:
    """Return the file with a run's answers to the test faces, None where it is not there.

    Args:
        row: of the run.
        folder: of the log that it is in. Of the recorded runs the answers lie in the course folder, while a lesson
            works on a copy of the log elsewhere, so that is looked at, too.

    Raises:
        TableError: the file has changed since it was logged.
    """
    logged = row.get("predictions_path")
    folders = [base.resolve() for base in (folder, paths.course_root())]
    places = [(base / logged).resolve() for base in folders] if logged else []
    found = [f for f, base in zip(places, folders, strict=False) if f.is_relative_to(base) and f.is_file()]
    if not found:
        return None
    if file_sha256(found[0]) != row.get("predictions_sha256"):
        raise TableError(f"{found[0]} has changed since run {row['run_id']} logged it. Evaluate the run again.")
    return found[0]


def _correct(row: dict, folder: Path) -> dict[str, tuple[bool, str | None]] | None:
    """Return by face id whether the run was right and who it shows, or None if its predictions are not there."""
    file = predictions_file(row, folder)
    if file is None:
        return None
    try:
        with np.load(file, allow_pickle=False) as saved:
            ids, labels, probabilities = saved["ids"], saved["labels"], saved["probabilities"]
            right = probabilities.argmax(axis=1) == labels
            people = saved["groups"].astype(str).tolist() if "groups" in saved else [None] * len(ids)
        return dict(zip(ids.astype(str).tolist(), zip(right.tolist(), people, strict=True), strict=True))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise TableError(
            f"{file} does not hold ids, labels and probabilities ({error}). Evaluate the run again."
        ) from None


def _title(row: dict) -> str:
    return row.get("name") or row["run_id"]
