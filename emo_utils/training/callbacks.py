"""Keras callbacks: a stage that survives a kill, and a progress bar that reads well in a notebook and in a log."""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path

import keras
from tqdm import tqdm

from emo_utils.errors import ModelError
from emo_utils.pipeline import TrainingBatches


class StageCheckpoint(keras.callbacks.Callback):
    """Keep on disk what it takes to go on after a kill: the last state, the best weights and the history.

    Keras's BackupAndRestore writes weights and epoch number in two files, so a kill between them resumes at the wrong
    epoch, and it forgets what early stopping has seen. Here a state is one file whose name carries its epoch, moved
    into place whole; best weights and history are written before it, so they are never older than the state.

    Args:
        folder: of this stage.
        patience: epochs without a better validation accuracy before the stage ends; 0 means never.
    """

    def __init__(self, folder: Path, patience: int):
        super().__init__()
        self.folder, self.patience = folder, patience
        self.history: list[dict[str, float]] = []
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def best_path(self) -> Path:
        return self.folder / "best.weights.h5"

    @property
    def best_epoch(self) -> int:
        """Return the epoch, from 0, with the highest validation accuracy; the lower validation loss breaks a tie."""
        return max(
            range(len(self.history)), key=lambda e: (self.history[e]["val_accuracy"], -self.history[e]["val_loss"])
        )

    @property
    def finished(self) -> bool:
        """Return whether early stopping has had enough."""
        return bool(self.patience and self.history and len(self.history) - 1 - self.best_epoch >= self.patience)

    def restore(self, model: keras.Model) -> int:
        """Load the last state into a compiled model, if there is one.

        Returns:
            The number of epochs that it has behind it.
        """
        model.optimizer.build(model.trainable_variables)
        for state in sorted(self.folder.glob("state-*.weights.h5"), reverse=True):
            try:
                model.load_weights(state)
            except OSError:  # cut short by a power failure; the one before it is still there
                state.unlink()
                continue
            epochs = int(state.name.split("-")[1].split(".")[0])
            self.history = json.loads((self.folder / "history.json").read_text(encoding="utf-8"))[:epochs]
            return epochs
        return 0

    def on_epoch_end(self, epoch, logs=None):
        for name, value in logs.items():
            if not math.isfinite(value):
                raise ModelError(f"{name} became {value} in epoch {epoch + 1}. Lower the stage's learning rate.")
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self.history.append({**{k: float(v) for k, v in logs.items()}, "lr": rate})
        if self.best_epoch == epoch:
            self._write(self.best_path)
        partial = self.folder / "history.json.partial"
        partial.write_text(json.dumps(self.history), encoding="utf-8")
        os.replace(partial, self.folder / "history.json")
        self._write(self.folder / f"state-{epoch + 1:05d}.weights.h5")
        for old in sorted(self.folder.glob("state-*.weights.h5"))[:-2]:
            old.unlink()
        self.model.stop_training = self.finished

    def _write(self, path: Path) -> None:
        partial = path.with_name(f"partial-{path.name}")
        self.model.save_weights(partial, overwrite=True)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)


class Plateau(keras.callbacks.ReduceLROnPlateau):
    """Halve the learning rate after three epochs without a better validation accuracy, also across a kill.

    Keras's callback starts its waiting anew whenever `fit` is called; this one first lives through the past again.

    Args:
        history: of the stage so far, one dict an epoch.
    """

    def __init__(self, history: list[dict[str, float]]):
        super().__init__(monitor="val_accuracy", mode="max", factor=0.5, patience=3, verbose=0)
        self.history = history

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        for epoch, past in enumerate(self.history):
            self.on_epoch_end(epoch, dict(past))
        self.model.optimizer.learning_rate = rate  # the restored state has the halvings in it


class EpochClock(keras.callbacks.Callback):
    """Set all randomness by the number of the epoch, so that it does not depend on when the process started.

    The batches are told which epoch it is; the state of the random layers, e.g. dropout, which Keras does not save
    with the weights, is set anew.

    Args:
        batches: of the training data.
        first: number of the stage's first epoch, counted over all stages.
    """

    def __init__(self, batches: TrainingBatches, first: int):
        super().__init__()
        self.batches, self.first = batches, first

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.epoch = self.first + epoch
        states = [v for v in self.model.variables if v.path.endswith("seed_generator_state")]
        for number, state in enumerate(states):
            state.assign([self.batches.recipe.seed + number, self.first + epoch])


class ProgressBar(keras.callbacks.Callback):
    """One bar a stage, on standard output, with the last epoch's figures.

    Args:
        title: stands before the bar.
        epochs: of the stage.
        done: epochs already trained.
    """

    def __init__(self, title: str, epochs: int, done: int):
        super().__init__()
        self.title, self.epochs, self.done = title, epochs, done

    def on_train_begin(self, logs=None):
        steps = self.params["steps"]
        # Text on standard output: a stored notebook keeps its last line, but neither widgets nor standard error. ASCII,
        # since logs are read anywhere.
        self.bar = tqdm(
            total=self.epochs * steps,
            initial=self.done * steps,
            desc=self.title,
            file=sys.stdout,
            ascii=" #",
            mininterval=0.5,
            smoothing=0,
            bar_format="{desc} |{bar:10}| {elapsed}<{remaining}{postfix}",
        )

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update(1)

    def on_epoch_end(self, epoch, logs=None):
        self.bar.set_postfix_str(
            f"epoch {epoch + 1}/{self.epochs}: accuracy {logs['accuracy']:.3f} (val {logs['val_accuracy']:.3f}), "
            f"loss {logs['loss']:.3f} (val {logs['val_loss']:.3f})"
        )

    def on_train_end(self, logs=None):
        self.bar.close()
