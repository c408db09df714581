"""The models that a benchmark is asked for, and the faces that each is measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

import keras
import numpy as np

from emo_utils.datasets import FaceDataset, load_dataset
from emo_utils.errors import DataError, EmoUtilsError
from emo_utils.evaluation import predict_probabilities
from emo_utils.export.metadata import file_metadata, read_metadata
from emo_utils.models import load_model, model_class_names
from emo_utils.recipe import Recipe
from emo_utils.training import prepare_data
from emo_utils.training.sources import find_model

# A file or a run of the table; or path, model and info, as `load_foreign_model` gives the last two.
Reference = str | Path | tuple[Path, keras.Model, dict[str, Any]]
EXPORTED = {".tflite": "litert", ".onnx": "onnxruntime"}


@dataclass(frozen=True)
class Subject:
    """A model to measure.

    Attributes:
        title: file name, with as many of its folders as tell it from the others.
        stem: what the names of files exported from it begin with, no other model's.
        path: of the file.
        model: None for a .tflite or .onnx file, which is run as it is.
        info: of the Keras file; of an exported file its metadata.
        metadata: as an exported file says it, see `file_metadata`.
        trusted: whether layers that are code of the model's maker may run.
    """

    title: str
    stem: str
    path: Path
    model: keras.Model | None
    info: dict[str, Any]
    metadata: dict[str, Any]
    trusted: bool = False


@dataclass(frozen=True)
class Faces:
    """What every file of one model is measured on.

    Attributes:
        train: the part that calibration images are drawn from.
        test: the faces to answer; None where accuracy is not asked for.
        answers: int array of shape (n,), the Keras model's classes; None where there are no faces or no Keras model.
    """

    train: FaceDataset
    test: FaceDataset | None
    answers: np.ndarray | None


def open_subjects(references: Sequence[Reference], trusted: bool = False) -> list[Subject]:
    """Load the models, each once.

    Args:
        references: see `Reference`.
        trusted: also load layers that are code of a model's maker.

    Raises:
        ModelError: no such model, or one that cannot be loaded or does not say what its outputs mean.
    """
    opened = [reference if isinstance(reference, tuple) else _open(reference, trusted) for reference in references]
    opened = list({path.resolve(): (path, model, info) for path, model, info in opened}.values())
    if not opened:
        raise EmoUtilsError("Name at least one model to measure.")
    titles = _titles([path.absolute() for path, _, _ in opened])
    return [
        Subject(
            title,
            stem,
            path,
            model,
            info,
            info if model is None else file_metadata(model, info, path.stem),
            trusted,
        )
        for (path, model, info), title, stem in zip(opened, titles, _stems(titles), strict=True)
    ]


def faces_for(subject: Subject, data: FaceDataset | None, limit: int | None) -> Faces:
    """Return the faces of a model's classes, split as in its training where the data has no parts of its own.

    Args:
        subject: the model.
        data: None for calibration alone, by drawn faces: good for time and bytes, not for accuracy.
        limit: at most this many test faces, the same ones for all models of the same classes.

    Raises:
        DataError: a part is missing, or a class.
    """
    if data is None:
        return Faces(load_dataset("embedded").part("train"), None, None)
    names = model_class_names(subject.info, subject.path)
    if subject.info.get("recipe") and not (data.usage == "test").any():
        data = prepare_data(Recipe.from_dict(subject.info["recipe"]), data)
    test, train = data.part("test").select(names), data.part("train").select(names)
    if not len(test) or not len(train):
        raise DataError(f"{data.name} needs a train and a test part for {subject.title}. Split it with split_dataset.")
    if limit is not None and limit < len(test):
        test = test.take(np.sort(np.random.default_rng(0).choice(len(test), limit, replace=False)))
    answers = None if subject.model is None else predict_probabilities(subject.model, test.images).argmax(axis=1)
    return Faces(train, test, answers)


def _titles(paths: Sequence[Path]) -> list[str]:
    """Return the ends of paths, all different, each as short as can be."""
    titles = []
    for path in paths:
        others = [other for other in paths if other != path]
        depth = 2 if path.stem == "model" else 1  # every run calls its file model.keras
        while any(other.parts[-depth:] == path.parts[-depth:] for other in others):
            depth += 1
        titles.append("/".join(path.parts[-depth:]))
    return titles


def _stems(titles: Sequence[str]) -> list[str]:
    """Return names for files, numbered where titles without their endings are alike."""
    stems: list[str] = []
    for title in titles:
        plain = title.removesuffix(Path(title).suffix).replace("/", "_")
        numbered = (f"{plain}_{number}" for number in count(2))
        # To some file systems names are alike that differ in upper and lower case.
        stems.append(next(s for s in chain([plain], numbered) if s.lower() not in map(str.lower, stems)))
    return stems


def _open(reference: str | Path, trusted: bool) -> tuple[Path, keras.Model | None, dict[str, Any]]:
    path = find_model(reference)
    if path.suffix in EXPORTED:
        return path, None, read_metadata(path)
    model, info = load_model(path, trusted=trusted)
    model_class_names(info, path)
    return path, model, info
