"""run_experiment: split, train stage by stage, pick the best epoch on validation, evaluate once, log."""

from __future__ import annotations

import json
import math
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from filelock import FileLock, Timeout
from sklearn.utils.class_weight import compute_class_weight

from emo_utils import paths, table
from emo_utils.datasets import FaceDataset
from emo_utils.errors import EmoUtilsError
from emo_utils.evaluation import Evaluation, evaluate_model
from emo_utils.models import build_model, save_model, set_trainable
from emo_utils.pipeline import TrainingBatches, resize_images
from emo_utils.recipe import Recipe, Stage
from emo_utils.training.callbacks import EpochClock, ProgressBar, StageCheckpoint
from emo_utils.training.prepare import limit_training, prepare_data


@dataclass(frozen=True)
class Result:
    """What came out of an experiment.

    Attributes:
        run_id: of its row in the table.
        model: with the weights of the best epoch.
        curves: one dict an epoch: stage, epoch (from 1, over all stages), loss, accuracy, val_loss, val_accuracy, lr.
        validation: on the part that selected the epoch.
        test: on the test part.
        folder: of its files: model.keras, recipe.json, predictions.npz.
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

    A resumed run ends as the unbroken one would have, but for schedule "plateau", whose patience starts anew.

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
        table.start_run({"run_id": run_id, **how, **_described(recipe, data)})
        try:
            model, curves = _train(recipe, data, folder, progress)
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


def _described(recipe: Recipe, data: FaceDataset) -> dict[str, Any]:
    """Return what is known of a run before it starts, named as in the table."""
    stages = ", ".join(f"{s.train} {s.epochs}x{s.learning_rate:g}" for s in recipe.stages)
    return {
        "recipe": recipe.name,
        "recipe_hash": recipe.hash,
        "recipe_json": json.dumps(recipe.to_dict()),
        "seed": recipe.seed,
        "data": data.name,
        "label_source": "FER+ votes" if recipe.data == "ferplus" else "original",
        "classes": list(data.class_names),
        **{f"n_{usage}": len(data.part(usage)) for usage in ("train", "val", "test")},
        "duplicates_removed": sum(reason.startswith(("copy", "copies")) for _, reason in data.removed),
        "test_fingerprint": data.part("test").fingerprint(),
        "backbone": recipe.backbone,
        "head": f"{recipe.head.pooling} {list(recipe.head.units)} dropout {recipe.head.dropout:g}",
        "input_size": recipe.input_size,
        "augmentation": json.dumps(recipe.to_dict()["augmentation"]) if recipe.augmentation else "none",
        "balancing": recipe.balancing,
        "loss": f"cross-entropy, label smoothing {recipe.label_smoothing:g}",
        "optimizer": f"{recipe.optimizer}, weight decay {recipe.weight_decay:g}, batch {recipe.batch_size}",
        "schedule": f"{recipe.schedule}, warm-up {recipe.warmup_epochs}; {stages}",
        "selected_on": "val_accuracy",
    }


def _train(recipe: Recipe, data: FaceDataset, folder: Path, progress: bool) -> tuple[keras.Model, list[dict]]:
    model = build_model(recipe)
    batches = TrainingBatches(
        data.part("train"),
        recipe.input_size,
        recipe.batch_size,
        recipe.augmentation,
        oversample=recipe.balancing == "oversample",
        seed=recipe.seed,
    )
    val = data.part("val")
    validation = (resize_images(val.images, recipe.input_size)[..., None], val.one_hot())
    curves: list[dict] = []
    best_path, best_score = None, (-math.inf, -math.inf)
    for number, stage in enumerate(recipe.stages, start=1):
        first = sum(s.epochs for s in recipe.stages[: number - 1])
        checkpoint = StageCheckpoint(folder / f"stage{number}", recipe.patience)
        set_trainable(model, recipe, stage.train)
        _compile(model, recipe, stage, len(batches))
        done = checkpoint.restore(model)
        if done < stage.epochs and not checkpoint.finished:
            bar = [ProgressBar(f"stage {number} ({stage.train})", stage.epochs, done)] if progress else []
            model.fit(
                batches,
                validation_data=validation,
                validation_batch_size=256,
                epochs=stage.epochs,
                initial_epoch=done,
                class_weight=_class_weights(recipe, batches.data),
                # The checkpoint comes last: the learning rate that plateau sets belongs to the state.
                callbacks=[EpochClock(batches, first), *_plateau(recipe), *bar, checkpoint],
                shuffle=False,  # the batches come shuffled; Keras would shuffle them by a state that a kill forgets
                verbose=0,
            )
        curves += [{"stage": number, "epoch": first + e, **h} for e, h in enumerate(checkpoint.history, start=1)]
        score = _score(checkpoint.history[checkpoint.best_epoch])
        if score > best_score:
            best_path, best_score = checkpoint.best_path, score
        model = build_model(recipe)
        model.load_weights(best_path)
    return model, curves


def _compile(model: keras.Model, recipe: Recipe, stage: Stage, steps: int) -> None:
    rate: Any = stage.learning_rate
    if recipe.schedule == "cosine":
        warmup = recipe.warmup_epochs * steps
        rate = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=rate / max(warmup, 1) if warmup else rate,
            decay_steps=max(1, stage.epochs * steps - warmup),
            warmup_target=rate if warmup else None,
            warmup_steps=warmup,
        )
    optimizer = {
        "adam": lambda: keras.optimizers.Adam(rate, clipnorm=1.0),
        "adamw": lambda: keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, clipnorm=1.0),
        "sgd": lambda: keras.optimizers.SGD(rate, momentum=0.9, clipnorm=1.0),
    }[recipe.optimizer]()
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
        metrics=["accuracy"],
    )


def _plateau(recipe: Recipe) -> list[keras.callbacks.Callback]:
    if recipe.schedule != "plateau":
        return []
    return [keras.callbacks.ReduceLROnPlateau(monitor="val_accuracy", factor=0.5, patience=3, verbose=0)]


def _class_weights(recipe: Recipe, train: FaceDataset) -> dict[int, float] | None:
    if recipe.balancing != "class_weights":
        return None
    classes = np.arange(len(train.class_names))
    return dict(enumerate(compute_class_weight("balanced", classes=classes, y=train.labels).tolist()))


def _score(epoch: dict) -> tuple[float, float]:
    """Return what the best epoch is chosen by: validation accuracy, and in a tie the lower validation loss."""
    return epoch["val_accuracy"], -epoch["val_loss"]


def _finish(recipe: Recipe, data: FaceDataset, run_id: str, model, curves: list[dict], folder: Path) -> Result:
    validation = evaluate_model(model, data.part("val"))
    test = evaluate_model(model, data.part("test"))
    info = {"class_names": list(data.class_names), "recipe": recipe.to_dict(), "run_id": run_id}
    save_model(model, folder / "model.keras", info)
    test.save(folder / "predictions.npz")
    (folder / "recipe.json").write_text(recipe.to_json(), encoding="utf-8")
    ran = [sum(e["stage"] == n for e in curves) for n in range(1, len(recipe.stages) + 1)]
    row = table.end_run(
        run_id,
        {
            "parameters": model.count_params(),
            "epochs": ran,
            "best_epoch": max(curves, key=_score)["epoch"],
            **{f"val_{k}": validation.metrics[k] for k in ("accuracy", "accuracy_low", "accuracy_high")},
            **{f"test_{k}": test.metrics[k] for k in ("accuracy", "accuracy_low", "accuracy_high")},
            **{k: test.metrics[k] for k in ("macro_f1", "worst_class", "worst_class_recall", "ece", "nll", "n")},
            "per_class": test.metrics["per_class"],
            "curves": curves,
            "size_bytes": (folder / "model.keras").stat().st_size,
            "model_path": folder / "model.keras",
            "predictions_path": folder / "predictions.npz",
        },
    )
    return Result(run_id, model, curves, validation, test, folder, row)
