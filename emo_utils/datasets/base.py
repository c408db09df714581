"""FaceDataset: labelled grey faces, the one form in which every data set reaches the rest of the course."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from emo_utils.datasets.rows import ImageRows, in_chunks, take_rows
from emo_utils.emotions import canonical_emotion
from emo_utils.errors import DataError

# "test" is the part to report on; "private" is FER2013's PrivateTest; "" means not assigned yet.
USAGES = ("train", "val", "test", "private", "")
# The arrays beside the images that hold an entry for each face; all but the first three may be None.
BY_FACE = ("labels", "ids", "usage", "groups", "votes", "sizes")


@dataclass(frozen=True)
class FaceDataset:
    """Labelled grey faces.

    Attributes:
        images: uint8 array of shape (n, height, width), grey, 0 black to 255 white. Of a source with more than
            128 MiB of pixels they stay in a file: an `np.memmap` or, once faces are taken, `ImageRows`, which index
            like an array but are read-only.
        labels: int64 array of shape (n,), index into `class_names`.
        class_names: canonical emotion names, in label order.
        ids: str array of shape (n,), unique within the data set (file name or row number).
        usage: str array of shape (n,), one of `USAGES` each.
        groups: str array of shape (n,): the person, where known; else None.
        votes: int array of shape (n, 10), FER+ votes in the order of fer2013new.csv; else None.
        sizes: float32 array of shape (n,), pixels across the face in its source: the side of the square that was
            brought to the size of `images`, or, for drawn faces, the width of the head; else None.
        name: short name of the data set for tables and titles.
        skipped: (id, reason) of every item of the source that could not be used.
        removed: (id, reason) of every item that `clean` left out.
    """

    images: np.ndarray | ImageRows
    labels: np.ndarray
    class_names: tuple[str, ...]
    ids: np.ndarray
    usage: np.ndarray
    groups: np.ndarray | None = None
    votes: np.ndarray | None = None
    sizes: np.ndarray | None = None
    name: str = "faces"
    skipped: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    removed: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def __post_init__(self):
        n = len(self.images)
        if self.images.ndim != 3 or self.images.dtype != np.uint8:
            raise DataError(
                f"{self.name}: images must be uint8 of shape (n, height, width). "
                f"Got {self.images.dtype} of shape {self.images.shape}."
            )
        for key in BY_FACE:
            value = getattr(self, key)
            if value is not None and len(value) != n:
                raise DataError(f"{self.name}: {n} images but {len(value)} {key}.")
        if n and (self.labels.min() < 0 or self.labels.max() >= len(self.class_names)):
            raise DataError(
                f"{self.name}: labels run from {self.labels.min()} to {self.labels.max()}, "
                f"but there are {len(self.class_names)} classes."
            )

    def __len__(self) -> int:
        return len(self.images)

    def take(self, index) -> FaceDataset:
        """Return the faces at `index`: an int array, a slice, or a bool array of shape (n,).

        Images that lie in a file are not read: the result knows which rows of it are its own.
        """
        taken = {k: getattr(self, k)[index] for k in BY_FACE if getattr(self, k) is not None}
        return replace(self, images=take_rows(self.images, index), **taken)

    def part(self, usage: str) -> FaceDataset:
        """Return the faces of one part: "train", "val", "test", "private" or "" (unassigned)."""
        if usage not in USAGES:
            raise DataError(f"usage must be one of {USAGES}. Got {usage!r}.")
        return self.take(self.usage == usage)

    def select(self, classes: Sequence[str]) -> FaceDataset:
        """Return only the faces of these classes, relabelled in the order given.

        Args:
            classes: emotion names in any known spelling.

        Raises:
            DataError: a name is unknown, given twice, or the data set has no such class.
        """
        wanted = tuple(canonical_emotion(c) for c in classes)
        missing = [c for c in wanted if c not in self.class_names]
        if missing or len(set(wanted)) < len(wanted):
            what = (
                f"has no class {', '.join(missing)}" if missing else f"was asked twice for one of {', '.join(wanted)}"
            )
            raise DataError(f"{self.name} {what}. It has: {', '.join(self.class_names)}.")
        new_label = np.full(len(self.class_names), -1, dtype=np.int64)
        for i, c in enumerate(wanted):
            new_label[self.class_names.index(c)] = i
        labels = new_label[self.labels]
        keep = labels >= 0
        return replace(self.take(keep), labels=labels[keep], class_names=wanted)

    def counts(self) -> dict[str, int]:
        """Return the number of faces by class name, in class order."""
        n = np.bincount(self.labels, minlength=len(self.class_names))
        return dict(zip(self.class_names, n.tolist(), strict=True))

    def one_hot(self) -> np.ndarray:
        """Return float32 targets of shape (n, n_classes)."""
        return np.eye(len(self.class_names), dtype=np.float32)[self.labels]

    def fingerprint(self) -> str:
        """Return the sha256 hex digest over class names, ids, usage, labels and pixels."""
        digest = hashlib.sha256()
        digest.update("\n".join(self.class_names).encode())
        digest.update("\n".join(map(str, self.ids)).encode())
        digest.update("\n".join(map(str, self.usage)).encode())
        digest.update(np.ascontiguousarray(self.labels, dtype="<i8").tobytes())
        digest.update(str(self.images.shape).encode())
        for chunk in in_chunks(self.images):
            digest.update(chunk)
        return digest.hexdigest()


def from_arrays(
    images, labels, class_names: Iterable[str], *, ids=None, usage=None, name="faces", **rest
) -> FaceDataset:
    """Build a FaceDataset from plain arrays, filling what is not given.

    Args:
        images: array of shape (n, height, width), uint8.
        labels: int array of shape (n,).
        class_names: names in label order; any known spelling.
        ids: str array of shape (n,); numbered if None.
        usage: str array of shape (n,); "" (unassigned) if None.
        name: short name of the data set.
        **rest: `groups`, `votes`, `sizes`, `skipped`.
    """
    images = np.asanyarray(images)  # a map of a file stays one
    n = len(images)
    return FaceDataset(
        images=images,
        labels=np.asarray(labels, dtype=np.int64),
        class_names=tuple(canonical_emotion(c) for c in class_names),
        ids=np.asarray(ids if ids is not None else [f"{name}-{i:06d}" for i in range(n)], dtype=str),
        usage=np.asarray(usage if usage is not None else [""] * n, dtype=str),
        name=name,
        **rest,
    )
