"""Models that training makes, each trained once: what the table already has is taken from there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from emo_utils import paths
from emo_utils.datasets import FaceDataset, split_dataset
from emo_utils.errors import ModelError, TableError
from emo_utils.evaluation import evaluate_model, stored_calibration
from emo_utils.models import load_model, model_class_names
from emo_utils.models.files import read_info
from emo_utils.recipe import Recipe
from emo_utils.recipes import RECIPES
from emo_utils.report.log import log_evaluation
from emo_utils.table import find_run, read_log
from emo_utils.table.plain import file_sha256
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


class Source(NamedTuple):
    """A model that the user has named, looked up before anything is trained.

    Attributes:
        path: of the .keras file; None for a recipe.
        recipe: that makes it or has made it; None for a file that says nothing of its own.
        classes: that it tells apart, in this order.
    """

    path: Path | None
    recipe: Recipe | None
    classes: tuple[str, ...]


def find_source(reference: str, data: FaceDataset, student: Source | None = None) -> Source:
    """Look up the name of a recipe, of a run or of a file.

    Args:
        reference: what the user has named.
        data: as loaded.
        student: whom the model is to teach; None for the student itself.

    Raises:
        ModelError: no such model; one of other classes than the student's, or that knows faces of its test part.
    """
    if reference in RECIPES:
        recipe = recipe_for(RECIPES[reference], data)
        if student is not None:
            recipe = recipe.but(classes=student.classes, seed=student.recipe.seed)
        return Source(None, recipe, recipe.classes)
    try:
        path = find_model(reference)
    except ModelError as error:
        raise ModelError(f"{error} Nor is it a recipe; `train --list` shows those.") from None
    info = read_info(path)
    names = model_class_names(info, path)
    made_by = Recipe.from_dict(info["recipe"]) if info.get("recipe") else None
    recipe = made_by and recipe_for(made_by, data)
    if student is not None:
        if names != student.classes:
            raise ModelError(f"{path.name} tells {', '.join(names)} apart, the student {', '.join(student.classes)}.")
        if made_by and made_by == recipe and recipe.seed != student.recipe.seed and not _brings_test(data):
            raise ModelError(
                f"{path.name} was trained with seed {recipe.seed}, the student with {student.recipe.seed}. {data.name} "
                "has no test part of its own, so the teacher has seen the student's. Train both with one seed."
            )
    return Source(path, recipe, names)


def _brings_test(data: FaceDataset) -> bool:
    return bool(np.isin(data.usage, ("test", "private")).any())


class Workshop:
    """What all trainings of one comparison share: the faces, and how much of the training is wanted.

    Args:
        data: as loaded.
        student: recipe of the student; its test part is everybody's.
        epochs: at most so many in each stage; None for those of the recipes.
        limit: training faces at most; None for all.
        progress: show progress bars.
    """

    def __init__(
        self,
        data: FaceDataset,
        student: Recipe,
        epochs: int | None = None,
        limit: int | None = None,
        progress: bool = True,
    ):
        self.data, self.student = data, student
        self.epochs, self.limit, self.progress = epochs, limit, progress
        self._prepared: dict[tuple, FaceDataset] = {}

    def prepared(self, recipe: Recipe) -> FaceDataset:
        """Return the faces as a run of the recipe sees them."""
        key = (recipe.seed, recipe.val_fraction, recipe.clean, recipe.classes)
        if key not in self._prepared:
            self._prepared[key] = limit_training(prepare_data(recipe, self._faces(recipe)), self.limit, recipe.seed)
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
            row = run_experiment(
                recipe, self._faces(recipe), progress=self.progress, profile=profile, limit=self.limit
            ).row
        return Trained(name, family, paths.out_dir() / row["model_path"], row["run_id"], recipe, row)

    def take(self, source: Source, name: str, family: str) -> Trained:
        """Return a model that the user has named, trained or evaluated if it has to be.

        Args:
            source: from `find_source`.
            name, family: see `Trained`.
        """
        if source.path is None:
            return self.train(source.recipe, name, family)
        info = read_info(source.path)
        row = self._evaluated(source.path, info)
        return Trained(name, family, source.path, _reference(source.path, info), source.recipe, row)

    def _faces(self, recipe: Recipe) -> FaceDataset:
        """Return the data as loaded, with the student's test part where it brings none and the seed is another.

        Otherwise a student of another seed would be tested on faces that its teacher was trained on.
        """
        if recipe.seed == self.student.seed or _brings_test(self.data):
            return self.data
        return split_dataset(self.data, val_fraction=0, seed=self.student.seed)

    def _known(self, recipe: Recipe) -> dict[str, Any] | None:
        runs = [r for r in read_log() if r.get("recipe_hash") == recipe.hash and r.get("status") == "ok"]
        if not runs:
            return None
        fingerprint = self.prepared(recipe).fingerprint()
        files = ("model_path", "predictions_path")
        here = [r for r in runs if r.get("fingerprint") == fingerprint and all(_is_file(r.get(f)) for f in files)]
        return here[-1] if here else None

    def _evaluated(self, path: Path, info: dict[str, Any]) -> dict[str, Any]:
        """Return a row with the figures of a model file on the test part: its run's own, or one made now."""
        test = self.prepared(self.student).part("test")
        wanted = {"test_fingerprint": test.fingerprint(), "status": "ok"}
        run_id, digest = info.get("run_id"), file_sha256(path)
        for row in reversed(read_log()):
            evaluated = row.get("profile") == "evaluate" and row.get("model_sha256") == digest
            own = (evaluated and not row.get("compression")) or row["run_id"] == run_id
            same = all(row.get(key) == value for key, value in wanted.items())
            if own and same and _is_file(row.get("predictions_path")):
                return row
        model, info = load_model(path)
        evaluation = evaluate_model(model, test, calibration=stored_calibration(info, path))
        return log_evaluation(evaluation, test, part="test", model=model, path=path, info=info)


def _is_file(logged: str | None) -> bool:
    return logged is not None and (paths.out_dir() / logged).is_file()


def _reference(path: Path, info: dict) -> str:
    """Return the run of a file where the table knows it, which unlike a path means the same on every machine.

    Otherwise its path, relative to the course folder where it lies in that.
    """
    try:
        return find_run(info.get("run_id") or "")["run_id"]
    except TableError:
        path, root = path.resolve(), paths.course_root()
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
