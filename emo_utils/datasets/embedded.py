"""The embedded faces as a data set: nothing to download, people kept apart between the parts."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emo_utils.datasets.base import FaceDataset, from_arrays
from emo_utils.emotions import SEVEN
from emo_utils.errors import DataError
from emo_utils.faces import RENDERER_VERSION, make_faces
from emo_utils.faces.sampling import check_arguments
from emo_utils.paths import data_dir

_STREAM = 7003
_KEPT = ("images", "labels", "people", "sizes")  # of a FaceSet, in the cache
_SHARES = {"val": 0.15, "test": 0.15}  # of the people; the rest train


def load_embedded(
    n: int = 2100,
    *,
    emotions: Sequence[str] = SEVEN,
    people: int = 60,
    seed: int = 0,
    imbalance: float = 5.0,
    label_noise: float = 0.0,
    frames: int = 1,
) -> FaceDataset:
    """Load the embedded faces, drawn on first use and then read from a cache below `data_dir()`.

    `make_faces` with the same arguments returns the same faces in the same order, with the truth about them: the
    labels before noise, the action units, which frames belong together.

    Args:
        n, emotions, people, seed, imbalance, label_noise, frames: see `make_faces`. The default imbalance is mild and
            in the order of FER2013: happy the most, disgust the least.

    Returns:
        A `FaceDataset` named "embedded"; groups are the people, about 70 / 15 / 15 % of whom are train / val / test.

    Raises:
        DataError: an argument is not allowed, or the faces show fewer than three people.
    """
    emotions = check_arguments(n, emotions, people, seed, imbalance, label_noise, frames)
    if min(n, people) < 3:
        raise DataError(f"Three parts need at least 3 faces and 3 people. Got n={n}, people={people}.")
    arguments = {"emotions": emotions, "people": int(people), "seed": int(seed), "imbalance": float(imbalance)}
    arguments |= {"label_noise": float(label_noise), "frames": int(frames)}
    path = _cache_path({"n": int(n), **arguments})
    arrays = _read(path, n)
    if arrays is None:
        faces = make_faces(n, **arguments)
        arrays = {key: getattr(faces, key) for key in _KEPT}
        _write(path, arrays)
    return from_arrays(
        arrays["images"],
        arrays["labels"],
        emotions,
        ids=[f"embedded-{seed}-{i:06d}" for i in range(n)],
        usage=_usage(arrays["people"], seed),
        groups=arrays["people"],
        sizes=arrays["sizes"],
        name="embedded",
    )


def _usage(people: np.ndarray, seed: int) -> np.ndarray:
    """Return "train", "val" or "test" for each face, by its person."""
    names, index = np.unique(people, return_inverse=True)
    if len(names) < 3:
        raise DataError(
            f"Three parts need at least 3 people. These faces show {len(names)}: use more faces or fewer frames."
        )
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([_STREAM, seed])))
    usage = np.full(len(names), "train", dtype="<U5")
    order = np.argsort(rng.random(len(names)), kind="stable")
    for part, share in _SHARES.items():
        size = max(1, round(share * len(names)))
        usage[order[:size]] = part
        order = order[size:]
    return usage[index]


def _cache_path(arguments: dict) -> Path:
    key = json.dumps({"renderer": RENDERER_VERSION, **arguments}, sort_keys=True)
    return data_dir() / "cache" / f"embedded-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"


def _read(path: Path, n: int) -> dict[str, np.ndarray] | None:
    """Return the cached arrays; None if there are none or the file is damaged (a zip carries checksums)."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in _KEPT}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return arrays if all(len(a) == n for a in arrays.values()) else None


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write the cache atomically; where that is not possible the faces are simply drawn again next time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
            try:
                np.savez(file, **arrays)
                file.close()
                os.replace(file.name, path)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError:
        return
