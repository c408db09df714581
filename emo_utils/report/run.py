"""One call from a model file to figures, a row in the table and a report."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from emo_utils.datasets import FaceDataset
from emo_utils.errors import DataError
from emo_utils.evaluation import Evaluation, evaluate_model, stored_calibration
from emo_utils.models import model_class_names
from emo_utils.report.log import log_evaluation
from emo_utils.report.sections import all_sections
from emo_utils.report.write import check_folder, write_report


class Reported(NamedTuple):
    """What came of it: the evaluation, the row in the table, and the page (None without a folder)."""

    evaluation: Evaluation
    row: dict[str, Any]
    page: Path | None


def report_model(
    path: Path,
    model,
    info: dict[str, Any],
    data: FaceDataset,
    *,
    part: str = "test",
    folder: str | Path | None = None,
    n_worse: int = 0,
    mirror: bool = False,
) -> Reported:
    """Evaluate a model file, log the figures as a row of the experiment table and write a report.

    Args:
        path: of the model file.
        model, info: what `load_model` or `load_foreign_model` returned for it.
        data: the faces to report on, of the model's classes in its order; with `votes` they are compared with raters.
        part: which part of a data set they are, for titles and table.
        folder: of the report, see `write_report`; None writes none.
        n_worse: how many faces to make worse in every way; 0 leaves that chapter out, which takes the longest.
        mirror: the figures are of answers averaged with those to the mirror image, see `predict_probabilities`; the row
            says so. The chapters on worse pictures, mirrors and heat maps look at the model as it is.

    Raises:
        ModelError: the classes are not those of the data.
        DataError: fewer than two faces, a class without any, a folder that holds something else or cannot be written,
            or one face or less to make worse.
    """
    if n_worse and n_worse < 2:
        raise DataError(f"Two faces at least must be made worse, or none at all. Got {n_worse}.")
    if folder is not None:
        check_folder(Path(folder))
    calibration = stored_calibration(info, path)
    names = model_class_names(info, path)
    evaluation = evaluate_model(model, data, class_names=names, calibration=calibration, mirror=mirror)
    sections = [] if folder is None else all_sections(model, data, evaluation, n_worse=n_worse)
    row = log_evaluation(evaluation, data, part=part, model=model, path=path, info=info, mirror=mirror)
    if folder is None:
        return Reported(evaluation, row, None)
    facts = {
        "model": f"{path.name}, {model.count_params():,} parameters, {model.input_shape[1]} px",
        "answers": "mean of face and mirror image" if mirror else "to the face as it is",
        "model file, sha256": row["model_sha256"],
        "made by run": info.get("run_id") or "not known",
        "data": f"{data.name}, {part} part, {len(data):,} faces",
        "fingerprint of these faces": row["test_fingerprint"],
        "classes": ", ".join(data.class_names),
        "row in the table": row["run_id"],
    }
    title = f"{path.name} on {data.name}, {part} part"
    return Reported(evaluation, row, write_report(folder, title, facts, evaluation, sections))
