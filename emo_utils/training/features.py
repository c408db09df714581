"""Features of a frozen backbone: computed once for each face, kept on disk, believed only if whole.

While the backbone is frozen, a face has the same features in every epoch. Computing them once turns an epoch of the
first stage from minutes into a second. The cache is kept by face, so that other splits, other seeds and other classes
of the same data set find their faces in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from filelock import FileLock
from tqdm import tqdm

from emo_utils import paths
from emo_utils.datasets import FaceDataset
from emo_utils.datasets.rows import in_chunks
from emo_utils.evaluation import Calibration, Evaluation, evaluate_probabilities
from emo_utils.evaluation.evaluate import forward_pass
from emo_utils.models import build_feature_extractor, build_head
from emo_utils.pipeline import TrainingBatches, augment_images, resize_images
from emo_utils.recipe import Recipe

VERSION = 1  # raise it whenever the same face would get other features
_BATCH = 128


def cached_features(
    extractor: keras.Model, recipe: Recipe, images: np.ndarray, *, view: int = 0, progress: bool = False
) -> np.ndarray:
    """Return the features of faces, from the cache where it has them.

    Args:
        extractor: from `build_feature_extractor`.
        recipe: its backbone, input size, pooling and augmentation name the cache, with the extractor's weights.
        images: uint8 array of shape (n, height, width).
        view: 0 embeds the faces as they are, k > 0 a randomly augmented variant of each, always the same for the same
            face and k.
        progress: show a progress bar for the faces that are not in the cache.

    Returns:
        float32 array of shape (n, n_features).
    """
    folder = paths.data_dir() / ".emo_cache" / "features" / _key(extractor, recipe, view)
    digests = [
        hashlib.blake2b(image.tobytes(), digest_size=16).hexdigest() for chunk in in_chunks(images) for image in chunk
    ]
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        rows, features = _read(folder)
        missing = {digest: i for i, digest in enumerate(digests) if digest not in rows}
        if missing:
            new = np.empty((len(missing), extractor.output_shape[-1]), np.float32)
            bar = tqdm(
                total=len(missing),
                desc=f"features, view {view}" if view else "features",
                file=sys.stdout,
                ascii=" #",
                bar_format="{desc} |{bar:10}| {elapsed}<{remaining}, {n} of {total} faces",
                disable=not progress,
            )
            run, todo = forward_pass(extractor, len(missing)), list(missing.items())
            for start in range(0, len(todo), _BATCH):
                chunk = dict(todo[start : start + _BATCH])
                faces = _faces(images, chunk, recipe, view)
                new[start : start + len(chunk)] = _embed(run, faces)
                bar.update(len(chunk))
            bar.close()
            rows = {**rows, **{digest: len(rows) + i for i, digest in enumerate(missing)}}
            features = new if features is None else np.concatenate([features, new])
            _write(folder, list(rows), features)
    return features[[rows[digest] for digest in digests]]


def evaluate_on_features(
    model: keras.Model, recipe: Recipe, data: FaceDataset, calibration: Calibration | None = None
) -> Evaluation:
    """Evaluate a model by its head, on cached features: the figures of `evaluate_model`, to rounding.

    Args:
        model: from `build_model`.
        recipe: of the model.
        data: the faces to report on.
        calibration: as for `evaluate_model`.
    """
    features = cached_features(build_feature_extractor(model, recipe), recipe, data.images)
    head = build_head(model, recipe)
    parts = [keras.ops.convert_to_numpy(head(features[i : i + 1024])) for i in range(0, len(features), 1024)]
    return evaluate_probabilities(data, np.concatenate(parts), calibration)


def _key(extractor: keras.Model, recipe: Recipe, view: int) -> str:
    """Return what names a cache: everything that the features of a face depend on."""
    settings = recipe.to_dict()
    kept = {key: settings[key] for key in ("backbone", "resnext", "input_size")}
    how = [VERSION, kept, recipe.head.pooling, (view, settings["augmentation"]) if view else 0]
    digest = hashlib.sha256(json.dumps(how, sort_keys=True).encode())
    for weight in extractor.weights:
        digest.update(np.ascontiguousarray(keras.ops.convert_to_numpy(weight)).tobytes())
    return f"{recipe.backbone}-{recipe.input_size}-{digest.hexdigest()[:16]}"


def _faces(images: np.ndarray, chosen: dict[str, int], recipe: Recipe, view: int) -> np.ndarray:
    """Return uint8 inputs of shape (n, size, size, 1); a variant's randomness comes from the face's own pixels."""
    faces = images[list(chosen.values())]
    if not view:
        return resize_images(faces, recipe.input_size)[..., None]
    variants = [
        augment_images(
            face[None], recipe.augmentation, np.random.default_rng([view, int(digest, 16)]), recipe.input_size
        )
        for digest, face in zip(chosen, faces, strict=True)
    ]
    return np.concatenate(variants)[..., None]


def _embed(run: Callable, faces: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(run(faces))


def _read(folder: Path) -> tuple[dict[str, int], np.ndarray | None]:
    """Return the row of each face and the features; nothing if there is no cache or it is not what was written."""
    try:
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        file = folder / Path(index["file"]).name
        with file.open("rb") as opened:
            if hashlib.file_digest(opened, "blake2b").hexdigest() != index["blake2b"]:
                return {}, None
        features = np.load(file, mmap_mode="r", allow_pickle=False)
        rows = {str(digest): row for row, digest in enumerate(index["faces"])}
        return (rows, features) if len(rows) == len(features) else ({}, None)
    except (OSError, ValueError, KeyError, TypeError):
        return {}, None


def _write(folder: Path, faces: list[str], features: np.ndarray) -> None:
    """Write the features, then the index that vouches for them; a kill in between leaves the old pair in force."""
    partial = folder / f"partial-{os.getpid()}.npy"
    np.save(partial, features)
    with partial.open("rb") as file:
        checksum = hashlib.file_digest(file, "blake2b").hexdigest()
    name = f"features-{checksum[:16]}.npy"
    os.replace(partial, folder / name)
    index = folder / f"index-{os.getpid()}.partial"
    index.write_text(json.dumps({"file": name, "blake2b": checksum, "faces": faces}), encoding="utf-8")
    os.replace(index, folder / "index.json")
    for old in folder.glob("*.npy"):
        with contextlib.suppress(OSError):  # Windows keeps a file that another process has open
            if old.name != name:
                old.unlink()


class FeatureBatches(TrainingBatches):
    """Batches of (features, targets) in the order and with the balance that `TrainingBatches` gives.

    Args:
        data: the training faces.
        recipe: as for `TrainingBatches`.
        views: of each view the features of all faces, float32 of shape (n, n_features); each time a face comes up,
            one of its views is drawn.
    """

    def __init__(self, data: FaceDataset, recipe: Recipe, views: list[np.ndarray]):
        super().__init__(data, recipe)
        self._views = views

    def _draw(self, rows: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        drawn = rng.integers(len(self._views), size=len(rows))
        return np.stack([self._views[view][row] for view, row in zip(drawn, rows, strict=True)]), self._targets[rows]
