"""Models that training makes, each trained once: what the table already has is taken from there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from emo_utils import paths
from emo_utils.datasets import FaceDataset
from emo_utils.errors import ModelError, TableError
from emo_utils.evaluation import evaluate_model, stored_calibration
from emo_utils.models import load_model, model_class_names
from emo_utils.models.files import read_info
from emo_utils.recipe import Recipe
from emo_utils.recipes import RECIPES
from emo_utils.report.log import log_evaluation
from emo_utils.table import find_run, read_log
from emo_utils.training import prepare_data, run_experiment
from emo_utils.training.prepare import limit_training, recipe_for
from emo_utils.training.sources import find_model


@dataclass(frozen=True)
class Trained:
    """A trained model with its row in the table.

    Attributes:
        name: in tables and figures, e.g. "student".
        family: "teacher", "student", "distilled", "pruned", "quantised" or "combined".
        path: of the .keras file.
        reference: what a recipe calls it by: its run, or its path.
        recipe: that made it; None for a teacher that says nothing of its own.
        row: of the table, with the figures on the test part.
    """

    name: str
    family: str
    path: Path
    reference: str
    recipe: Recipe | None
    row: dict[str, Any]

    def load(self) -> keras.Model:
        """Return the model."""
        return load_model(self.path)[0]


class Workshop:
    """What all trainings of one comparison share: the faces, and how much of the training is wanted.

    Args:
        data: as loaded.
        epochs: at most so many in each stage; None for those of the recipes.
        limit: training faces at most; None for all.
        progress: show progress bars.
    """

    def __init__(self, data: FaceDataset, epochs: int | None = None, limit: int | None = None, progress: bool = True):
        self.data, self.epochs, self.limit, self.progress = data, epochs, limit, progress
        self._prepared: dict[tuple, FaceDataset] = {}

    def prepared(self, recipe: Recipe) -> FaceDataset:
        """Return the faces as a run of the recipe sees them."""
        key = (recipe.seed, recipe.val_fraction, recipe.clean, recipe.classes)
        if key not in self._prepared:
            self._prepared[key] = limit_training(prepare_data(recipe, self.data), self.limit, recipe.seed)
        return self._prepared[key]

    def train(self, recipe: Recipe, name: str, family: str) -> Trained:
        """Train a recipe, or take the run of the same recipe on the same faces from the table.

        A run that was broken off goes on where it was.
        """
        if self.epochs is not None:
            stages = [{**s, "epochs": min(self.epochs, s["epochs"])} for s in recipe.to_dict()["stages"]]
            recipe = recipe.but(stages=stages)
        row = self._known(recipe)
        if row is None:
            if self.progress:
                print(f"{name}: training")
            profile = "quick" if self.epochs is not None else None
            row = run_experiment(recipe, self.data, progress=self.progress, profile=profile, limit=self.limit).row
        return Trained(name, family, paths.out_dir() / row["model_path"], row["run_id"], recipe, row)

    def take(self, reference: str, name: str, family: str, classes: tuple[str, ...] | None = None) -> Trained:
        """Return a model by the name of a recipe, of a run or of a file, trained or evaluated if it has to be.

        Args:
            reference: what the user has named.
            name, family: see `Trained`.
            classes: that it must tell apart, in this order; None: as it is.

        Raises:
            ModelError: no such model, or one of other classes.
        """
        if reference in RECIPES:
            recipe = recipe_for(RECIPES[reference], self.data)
            return self.train(recipe.but(classes=classes) if classes else recipe, name, family)
        try:
            path = find_model(reference)
        except ModelError as error:
            raise ModelError(f"{error} Nor is it a recipe; `train --list` shows those.") from None
        info = read_info(path)
        names = model_class_names(info, path)
        if classes and names != classes:
            raise ModelError(f"{path.name} tells {', '.join(names)} apart, the student {', '.join(classes)}.")
        recipe = Recipe.from_dict(info["recipe"]) if info.get("recipe") else None
        return Trained(name, family, path, _reference(path, info), recipe, self._evaluated(path, info, recipe, names))

    def _known(self, recipe: Recipe) -> dict[str, Any] | None:
        runs = [r for r in read_log() if r.get("recipe_hash") == recipe.hash and r.get("status") == "ok"]
        if not runs:
            return None
        fingerprint = self.prepared(recipe).fingerprint()
        here = [r for r in runs if r.get("fingerprint") == fingerprint and _is_file(r.get("model_path"))]
        return here[-1] if here else None

    def _evaluated(self, path: Path, info: dict, recipe: Recipe | None, names: tuple[str, ...]) -> dict[str, Any]:
        """Return a row with the figures of a model file on the test part: its run's own, or one made now."""
        data = self.prepared(recipe_for(recipe, self.data)) if recipe else self.data.select(names)
        test = data.part("test")
        fingerprint, run_id = test.fingerprint(), info.get("run_id")
        for row in reversed(read_log()):
            evaluated = row.get("profile") == "evaluate" and row.get("of_run") == run_id and not row.get("compression")
            own = run_id is not None and (row["run_id"] == run_id or evaluated)
            same = row.get("test_fingerprint") == fingerprint and row.get("status") == "ok"
            if own and same and _is_file(row.get("predictions_path")):
                return row
        model, info = load_model(path)
        evaluation = evaluate_model(model, test, calibration=stored_calibration(info, path))
        return log_evaluation(evaluation, test, part="test", model=model, path=path, info=info)


def _is_file(logged: str | None) -> bool:
    return logged is not None and (paths.out_dir() / logged).is_file()


def _reference(path: Path, info: dict) -> str:
    """Return the run of a file where the table knows it: unlike a path it means the same on every machine."""
    try:
        return find_run(info.get("run_id") or "")["run_id"]
    except TableError:
        return str(path)
