"""The stages of a training: what is free, what is fed, how fast it learns, and which epoch is kept."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import keras

from emo_utils.datasets import FaceDataset
from emo_utils.models import build_feature_extractor, build_head, build_model, set_trainable
from emo_utils.pipeline import TrainingBatches, ValidationBatches
from emo_utils.recipe import Recipe, Stage
from emo_utils.training.callbacks import EpochClock, Plateau, ProgressBar, StageCheckpoint
from emo_utils.training.distil import make_distiller
from emo_utils.training.features import FeatureBatches, cached_features
from emo_utils.training.losses import make_loss
from emo_utils.training.sources import start_model

# Each stage compiles a step of its own, which TensorFlow takes for a mistake and warns of.
logging.getLogger("tensorflow").addFilter(lambda record: "triggered tf.function retracing" not in record.getMessage())

# A distiller logs the parts of its loss, too.
_CURVES = ("loss", "accuracy", "val_loss", "val_accuracy", "lr")


def train_stages(recipe: Recipe, data: FaceDataset, folder: Path, progress: bool) -> tuple[keras.Model, list[dict]]:
    """Train stage by stage, each from the best weights so far.

    Args:
        recipe: the experiment.
        data: prepared: parts "train" and "val" are used.
        folder: of the run; a stage that was broken off goes on from what lies there.
        progress: show progress bars.

    Returns:
        The model with the weights of the best epoch, and one dict an epoch (see `Result.curves`).
    """
    model = start_model(recipe, data) if recipe.start else build_model(recipe)
    curves: list[dict] = []
    best, best_score = model.get_weights(), (-math.inf, -math.inf)
    for number, stage in enumerate(recipe.stages, start=1):
        first = sum(s.epochs for s in recipe.stages[: number - 1])
        checkpoint = StageCheckpoint(folder / f"stage{number}", recipe.patience)
        trained, batches, validation = _feed(model, recipe, stage, data, progress)
        _compile(trained, recipe, stage, len(batches))
        done = checkpoint.restore(trained)
        if done < stage.epochs and not checkpoint.finished:
            plateau = [Plateau(checkpoint.history)] if recipe.schedule == "plateau" else []
            bar = [ProgressBar(f"stage {number} ({stage.train})", stage.epochs, done)] if progress else []
            trained.fit(
                batches,
                validation_data=validation,
                epochs=stage.epochs,
                initial_epoch=done,
                # The checkpoint comes last: the learning rate that plateau sets belongs to the state.
                callbacks=[EpochClock(batches, first), *plateau, *bar, checkpoint],
                shuffle=False,  # the batches come shuffled; Keras would shuffle them by a state that a kill forgets
                verbose=0,
            )
        for epoch, logged in enumerate(checkpoint.history, start=first + 1):
            curves.append({"stage": number, "epoch": epoch, **{name: logged[name] for name in _CURVES}})
        score = epoch_score(checkpoint.history[checkpoint.best_epoch])
        if score > best_score:
            # Of a stage on features the checkpoint holds the head alone, whose layers the model shares.
            trained.load_weights(checkpoint.best_path)
            best, best_score = model.get_weights(), score
        model.set_weights(best)
    return model, curves


def epoch_score(epoch: dict) -> tuple[float, float]:
    """Return what the best epoch is chosen by: validation accuracy, and in a tie the lower validation loss."""
    return epoch["val_accuracy"], -epoch["val_loss"]


def _feed(model: keras.Model, recipe: Recipe, stage: Stage, data: FaceDataset, progress: bool):
    """Return what a stage trains, its batches and its validation data: the model or its distiller, or the head."""
    set_trainable(model, recipe, stage.train)
    train, val = data.part("train"), data.part("val")
    if not stage.views:
        # A distiller holds the student's own layers, as the head does: training it trains the model.
        trained = make_distiller(model, recipe) if recipe.distillation else model
        return trained, TrainingBatches(train, recipe), ValidationBatches(val, recipe)
    extractor = build_feature_extractor(model, recipe)
    # Without augmentation all views of a face are the same.
    views = range(stage.views if recipe.augmentation else 1)
    features = [cached_features(extractor, recipe, train.images, view=v, progress=progress) for v in views]
    held_out = cached_features(extractor, recipe, val.images, progress=progress)
    return build_head(model, recipe), FeatureBatches(train, recipe, features), (held_out, val.one_hot())


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
        loss=make_loss(recipe, logits=recipe.distillation is not None),
        metrics=["accuracy"],
    )
