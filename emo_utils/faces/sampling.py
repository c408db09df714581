"""Whole sets of faces, with what real sets lack: the truth about every picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np

from emo_utils.emotions import SEVEN, canonical_emotion
from emo_utils.errors import DataError
from emo_utils.faces.checks import require_share, require_whole
from emo_utils.faces.drawing import draw_face
from emo_utils.faces.nuisances import Nuisance, next_frame, sample_nuisance
from emo_utils.faces.person import make_person
from emo_utils.faces.sketch import UNITS_PER_PICTURE
from emo_utils.faces.units import UNIT_NAMES, sample_units, unit_vector

_STREAM = 7002
_HEAD_WIDTH = 176.0  # face units, of a person whose width is 1
# Most to least frequent, as in FER2013's Training part; contempt, which it lacks, comes last.
_BY_FREQUENCY = ("happy", "neutral", "sad", "fear", "angry", "surprise", "disgust", "contempt")


@dataclass(frozen=True)
class FaceSet:
    """Drawn faces and the truth about them.

    Attributes:
        images: uint8 array of shape (n, 48, 48).
        labels: int64 array of shape (n,), the label as observed; wrong for a share `label_noise` of the faces.
        true_labels: int64 array of shape (n,), the emotion that was drawn.
        class_names: emotion names in label order.
        people: str array of shape (n,), e.g. "p017": the one that `render_face` draws as person 17.
        units: float32 array of shape (n, n_units), intensities in the order of `UNIT_NAMES`.
        intensity: float32 array of shape (n,), strength of the emotion's units, 0 to 1.
        sequences: int64 array of shape (n,); faces of one number are consecutive frames.
        nuisances: n records of pose, light and whatever else is in a picture but not the face.
    """

    images: np.ndarray
    labels: np.ndarray
    true_labels: np.ndarray
    class_names: tuple[str, ...]
    people: np.ndarray
    units: np.ndarray
    intensity: np.ndarray
    sequences: np.ndarray
    nuisances: tuple[Nuisance, ...]

    def __len__(self) -> int:
        return len(self.images)

    @property
    def sizes(self) -> np.ndarray:
        """Return float32 of shape (n,): the width of each head in pixels, as it would be facing the camera."""
        pixels = _HEAD_WIDTH * self.images.shape[2] / UNITS_PER_PICTURE
        widths = [make_person(int(name[1:])).width for name in self.people]
        return np.array([pixels * w * x.pose.scale for w, x in zip(widths, self.nuisances, strict=True)], np.float32)


def make_faces(
    n: int = 2100,
    *,
    emotions: Sequence[str] = SEVEN,
    people: int = 60,
    seed: int = 0,
    imbalance: float = 1.0,
    label_noise: float = 0.0,
    frames: int = 1,
) -> FaceSet:
    """Draw a set of faces: the same arguments give the same pixels on every machine.

    Args:
        n: number of faces.
        emotions: classes, in label order; any known spelling.
        people: number of persons that the faces are spread over evenly; they are numbered from seed * people on.
        seed: another seed gives other pictures, and with the same `people` other persons.
        imbalance: size of the largest class over that of the smallest; classes between follow a geometric series
            (Cui et al. 2019, "Class-Balanced Loss Based on Effective Number of Samples", section 5.1).
        label_noise: share of faces whose observed label is wrong, in [0, 1].
        frames: consecutive, nearly identical frames a sequence; 1 for single pictures.

    Returns:
        A `FaceSet` of n faces, in random order of emotion (sequences stay together).

    Raises:
        DataError: an argument is not allowed; the message names it.
    """
    names = check_arguments(n, emotions, people, seed, imbalance, label_noise, frames)
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([_STREAM, seed])))
    n_sequences = -(-n // frames)
    labels = np.repeat(np.arange(len(names)), _class_sizes(n_sequences, names, imbalance))
    labels = labels[np.argsort(rng.random(n_sequences), kind="stable")]
    who = seed * people + np.argsort(rng.random(people), kind="stable")[np.arange(n_sequences) % people]
    images, units, intensities, nuisances = [], [], [], []
    for label, number in zip(labels, who, strict=True):
        for face in _sequence(names[label], int(number), rng, min(frames, n - len(images))):
            for values, value in zip((images, units, intensities, nuisances), face, strict=True):
                values.append(value)
    true_labels = np.repeat(labels, frames)[:n]
    return FaceSet(
        images=np.stack(images),
        labels=_with_noise(true_labels, len(names), label_noise, rng),
        true_labels=true_labels,
        class_names=names,
        people=np.array([f"p{number:03d}" for number in np.repeat(who, frames)[:n]]),
        units=np.stack(units),
        intensity=np.array(intensities, dtype=np.float32),
        sequences=np.repeat(np.arange(n_sequences), frames)[:n],
        nuisances=tuple(nuisances),
    )


def _sequence(emotion: str, number: int, rng: np.random.Generator, frames: int):
    """Yield (image, units, intensity, nuisance) of the frames of one scene."""
    person = make_person(number)
    intensity = 0.0 if emotion == "neutral" else 0.2 + 0.8 * rng.random()
    units = sample_units(emotion, intensity, rng)
    nuisance = sample_nuisance(1.0, rng)
    for _ in range(frames):
        vector = unit_vector(units)
        yield (
            draw_face(person, dict(zip(UNIT_NAMES, vector.tolist(), strict=True)), nuisance, rng, 48),
            vector,
            intensity,
            nuisance,
        )
        nuisance = next_frame(nuisance, rng)
        units = {name: min(1.0, max(0.0, value + 0.03 * (2 * rng.random() - 1))) for name, value in units.items()}


def _class_sizes(n: int, names: tuple[str, ...], imbalance: float) -> np.ndarray:
    """Return the number of items by class, in label order; they sum to n."""
    rank = np.argsort(np.argsort([_BY_FREQUENCY.index(name) for name in names]))
    share = np.array([imbalance ** (-r / max(len(names) - 1, 1)) for r in rank.tolist()])
    exact = share / share.sum() * n
    sizes = np.floor(exact).astype(np.int64)
    most_lost = np.lexsort((rank, -np.round(exact - sizes, 6)))  # rounded: no tie may hang on a last bit
    sizes[most_lost[: n - sizes.sum()]] += 1
    return sizes


def _with_noise(labels: np.ndarray, n_classes: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return labels of which round(share * n) are moved to another class, each other class being equally likely."""
    n_wrong = round(share * len(labels))
    noisy = labels.copy()
    if n_wrong:
        wrong = np.argsort(rng.random(len(labels)), kind="stable")[:n_wrong]
        noisy[wrong] = (noisy[wrong] + rng.integers(1, n_classes, n_wrong)) % n_classes
    return noisy


def check_arguments(n, emotions, people, seed, imbalance, label_noise, frames) -> tuple[str, ...]:
    """Return canonical class names, or raise DataError naming the first argument that is not allowed."""
    for name, value in (("n", n), ("people", people), ("frames", frames)):
        require_whole(name, value, 1)
    require_whole("seed", seed, 0)
    require_share("label_noise", label_noise)
    if not isinstance(imbalance, Real) or not 1 <= imbalance < float("inf"):
        raise DataError(f"imbalance must be a number of at least 1 (largest over smallest class). Got {imbalance!r}.")
    if isinstance(emotions, str):
        raise DataError(f"emotions must be a list of names. Got the text {emotions!r}.")
    names = tuple(canonical_emotion(name) for name in emotions)
    if not names or len(set(names)) < len(names):
        raise DataError(f"emotions must name at least one class, and none twice. Got {list(emotions)}.")
    if label_noise and len(names) < 2:
        raise DataError(f"label_noise needs at least two emotions. Got {list(emotions)}.")
    return names
