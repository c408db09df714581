"""An evaluation of a model file as a row of the experiment table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from emo_utils import paths, table
from emo_utils.datasets import FaceDataset
from emo_utils.evaluation import Evaluation
from emo_utils.evaluation.row import result_columns


def log_evaluation(
    evaluation: Evaluation,
    data: FaceDataset,
    *,
    part: str,
    model,
    path: Path,
    info: dict[str, Any],
    mirror: bool = False,
) -> dict[str, Any]:
    """Log the figures of a model file; of a model of this course the looks at the test part go on being counted.

    Args:
        evaluation: of `model` on `data`.
        data: the faces looked at.
        part: which part they are; the row says it, as figures on training faces are no test.
        model: the Keras model.
        path: its file.
        info: what the file says, from `load_model` or `load_foreign_model`.
        mirror: the answers are averages over a face and its mirror image.

    Returns:
        The whole row; its profile is "evaluate". The predictions lie in the folder of the run, for `compare`.
    """
    recipe = info.get("recipe") if isinstance(info.get("recipe"), dict) else {}  # the file may come from anywhere
    run_id = table.start_run(
        {
            "profile": "evaluate",
            "of_run": info.get("run_id"),
            "recipe": recipe.get("name"),
            "seed": recipe.get("seed"),
            "data": data.name,
            "label_source": "original",
            "classes": list(data.class_names),
            "n_test": len(data),
            "split": f"{part} part",
            "test_time": "mirror" if mirror else None,
            "test_fingerprint": data.fingerprint(),
            "backbone": recipe.get("backbone") or model.name,
            "input_size": model.input_shape[1],
            "parameters": model.count_params(),
            "recipe_json": json.dumps(recipe) if recipe else None,
        }
    )
    return table.end_run(
        run_id,
        {
            **result_columns(evaluation),
            "name": f"evaluation_{path.stem}_{data.name}" + ("" if part == "test" else f"_{part}"),
            "size_bytes": path.stat().st_size,
            "model_path": path,
            "predictions_path": evaluation.save(paths.runs_dir() / run_id / "predictions.npz"),
        },
    )
