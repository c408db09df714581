"""run_experiment: split, train stage by stage, pick the best epoch on validation, evaluate once, log."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
from filelock import FileLock, Timeout

from emo_utils import paths, table
from emo_utils.datasets import FaceDataset
from emo_utils.errors import EmoUtilsError
from emo_utils.evaluation import Evaluation, calibrate, evaluate_model
from emo_utils.evaluation.row import result_columns
from emo_utils.models import save_model
from emo_utils.recipe import Recipe
from emo_utils.training.describe import describe
from emo_utils.training.features import evaluate_on_features
from emo_utils.training.prepare import limit_training, prepare_data
from emo_utils.training.stages import epoch_score, train_stages


@dataclass(frozen=True)
class Result:
    """What came out of an experiment.

    Attributes:
        run_id: of its row in the table.
        model: with the weights of the best epoch.
        curves: one dict an epoch: stage, epoch (from 1, over all stages), loss, accuracy, val_loss, val_accuracy, lr.
        validation: on the part that selected the epoch.
        test: on the test part.
        folder: of its files: model.keras, recipe.json, predictions.npz (test part), validation.npz.
        row: the whole row in the table.
    """

    run_id: str
    model: keras.Model
    curves: list[dict[str, Any]]
    validation: Evaluation
    test: Evaluation
    folder: Path
    row: dict[str, Any]


def run_experiment(
    recipe: Recipe, data: FaceDataset, *, progress: bool = True, profile: str | None = None, limit: int | None = None
) -> Result:
    """Train, evaluate and log one experiment; after a kill, the same call goes on where it was.

    A resumed run ends as the unbroken one would have.

    Args:
        recipe: the experiment.
        data: its data set, as loaded; `prepare_data` is called on it.
        progress: show progress bars.
        profile: "quick" or "full", for the table; None means quick for embedded faces and limited runs, else full.
        limit: use at most this many training images, drawn by the recipe's seed; None uses all.

    Returns:
        The result; the row is in the table.

    Raises:
        EmoUtilsError: the data does not fit the recipe, or the same experiment is being trained by another process.
    """
    parts = "own test part" if (data.usage == "test").any() else "test part split off"
    profile = profile or ("quick" if data.name == "embedded" or limit is not None else "full")
    data = limit_training(prepare_data(recipe, data), limit, recipe.seed)
    fingerprint = data.fingerprint()
    # The pointer names the run that is under way; it is the last thing to go, so a kill at any moment is resumed.
    pointer = paths.runs_dir() / f"unfinished-{recipe.name}-{recipe.hash}-{fingerprint[:8]}"
    pointer.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{pointer}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise EmoUtilsError(
            f"{recipe.name} (seed {recipe.seed}) is being trained by another process. Wait for it, or change the seed."
        ) from None
    try:
        run_id = _claim(pointer)
        folder = paths.runs_dir() / run_id
        folder.mkdir(exist_ok=True)
        by = "label" if data.groups is None else "group"
        how = {"profile": profile, "split": f"{parts}, val by {by}", "fingerprint": fingerprint}
        table.start_run({"run_id": run_id, **how, **describe(recipe, data)})
        try:
            model, curves = train_stages(recipe, data, folder, progress)
            result = _finish(recipe, data, run_id, model, curves, folder)
        except KeyboardInterrupt:
            table.end_run(run_id, {}, status="interrupted")
            raise
        except Exception as error:
            table.end_run(run_id, {"error": f"{type(error).__name__}: {error}"}, status="failed")
            raise
        for stage in folder.glob("stage*"):
            shutil.rmtree(stage)
        pointer.unlink()
    finally:
        # Not `with lock`, which would count the acquiring above twice; the lock file stays, as filelock advises.
        lock.release()
    return result


def _claim(pointer: Path) -> str:
    """Return the id of the run that was killed here, or a new one, noted down before anything else."""
    if pointer.exists():
        return pointer.read_text(encoding="utf-8").strip()
    run_id = table.new_run_id()
    partial = pointer.with_name(f"{pointer.name}.partial")
    partial.write_text(run_id, encoding="utf-8")
    os.replace(partial, pointer)
    return run_id


def _finish(recipe: Recipe, data: FaceDataset, run_id: str, model, curves: list[dict], folder: Path) -> Result:
    # A backbone that no stage has touched need not look at the same faces again.
    frozen = all(stage.views for stage in recipe.stages)
    evaluate = partial(evaluate_on_features, recipe=recipe) if frozen else evaluate_model
    validation = evaluate(model, data=data.part("val"))
    calibration = calibrate(validation.labels, validation.probabilities, label_smoothing=recipe.label_smoothing)
    test = evaluate(model, data=data.part("test"), calibration=calibration)
    info = {"class_names": list(data.class_names), "recipe": recipe.to_dict(), "run_id": run_id}
    save_model(model, folder / "model.keras", {**info, "calibration": calibration.to_dict()})
    test.save(folder / "predictions.npz")
    validation.save(folder / "validation.npz")
    (folder / "recipe.json").write_text(recipe.to_json(), encoding="utf-8")
    ran = [sum(e["stage"] == n for e in curves) for n in range(1, len(recipe.stages) + 1)]
    row = table.end_run(
        run_id,
        {
            "parameters": model.count_params(),
            "epochs": ran,
            "best_epoch": max(curves, key=epoch_score)["epoch"],
            **{f"val_{k}": validation.metrics[k] for k in ("accuracy", "accuracy_low", "accuracy_high")},
            **result_columns(test),
            "curves": curves,
            "size_bytes": (folder / "model.keras").stat().st_size,
            "model_path": folder / "model.keras",
            "predictions_path": folder / "predictions.npz",
            "validation_path": folder / "validation.npz",
        },
    )
    return Result(run_id, model, curves, validation, test, folder, row)
