"""Faces made worse on purpose, in nine ways and five severities each.

After D. Hendrycks, T. Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations"
(ICLR 2019, ImageNet-C). Its parameters of brightness, contrast and JPEG are kept. Those of blur and noise were made for
224 x 224 pixels; here they leave a face of 48 x 48 something to see. Rotation, occlusion and low resolution are added.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from emo_utils.errors import DataError

SEVERITIES = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Corruption:
    """One way to make faces worse.

    Attributes:
        apply: maps (uint8 images of shape (n, height, width), level, random generator) to such images.
        levels: one for each severity, from mild to severe.
        unit: of the levels, for tables and axes.
    """

    apply: Callable[[np.ndarray, float, np.random.Generator], np.ndarray]
    levels: tuple[float, ...]
    unit: str


def corrupt(images: np.ndarray, name: str, severity: int, *, seed: int = 0) -> np.ndarray:
    """Return the images under one corruption.

    What is random (the grain, the sense of a rotation, the place of a patch) does not depend on the severity: a higher
    one does the same to the same image, only more of it.

    - darker, brighter: 26, 51, 77, 102, 128 grey levels less or more, cut off at 0 and 255.
    - contrast: grey levels at .4, .3, .2, .1, .05 of their distance from the image's mean.
    - blur: Gaussian, standard deviation .01, .02, .03, .045, .06 of the side (.5 to 2.9 px of 48).
    - noise: Gaussian, standard deviation 8, 16, 24, 36, 54 grey levels.
    - jpeg: quality 25, 18, 15, 10, 7. Another libjpeg may give other last bits.
    - rotation: 8, 16, 24, 32, 40 degrees to either side; what comes in repeats the border.
    - occlusion: a square of mid-grey, .2, .3, .4, .5, .6 of the side (4 to 36 % of the area), anywhere.
    - low_resolution: brought down to a width of 24, 16, 12, 8, 6 px by averaging, and back.

    Args:
        images: uint8 array of shape (n, height, width), grey.
        name: a key of `CORRUPTIONS`.
        severity: 1 to 5.
        seed: the same seed gives the same images.

    Returns:
        uint8 array of shape (n, height, width).

    Raises:
        DataError: an unknown name, another severity, or images of another form.

    >>> corrupt(np.full((1, 48, 48), 100, np.uint8), "darker", 5).max()
    np.uint8(0)
    """
    if name not in CORRUPTIONS:
        raise DataError(f"No corruption is called {name!r}. There are: {', '.join(CORRUPTIONS)}.")
    if isinstance(severity, bool) or severity not in SEVERITIES:
        raise DataError(f"severity must be a whole number from 1 to 5. Got {severity!r}.")
    images = np.asarray(images)
    if images.ndim != 3 or images.dtype != np.uint8:
        raise DataError(
            f"images must be uint8 of shape (n, height, width). Got {images.dtype} of shape {images.shape}."
        )
    kind = CORRUPTIONS[name]
    rng = np.random.default_rng([seed, *name.encode()])
    return kind.apply(images, kind.levels[SEVERITIES.index(severity)], rng)


def corrupted_versions(image: np.ndarray, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Return one face as it is and at each severity: name of a corruption -> uint8 array of shape (6, height, width).

    Args:
        image: uint8 array of shape (height, width).
        seed: see `corrupt`.
    """
    face = image[None]
    return {
        name: np.concatenate([face, *(corrupt(face, name, severity, seed=seed) for severity in SEVERITIES)])
        for name in CORRUPTIONS
    }


def _shift_grey(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    return np.clip(images.astype(np.int16) + int(level), 0, 255).astype(np.uint8)


def _flatten(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    mean = images.mean(axis=(1, 2), keepdims=True, dtype=np.float32)
    return np.rint((images - mean) * level + mean).astype(np.uint8)


def _blur(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    sigma = level * images.shape[2]
    return _each(images, lambda image: cv2.GaussianBlur(image, (0, 0), sigma))


def _add_noise(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    noise = rng.standard_normal(images.shape, dtype=np.float32) * level
    return np.clip(np.rint(images + noise), 0, 255).astype(np.uint8)


def _compress(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    def there_and_back(image: np.ndarray) -> np.ndarray:
        encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(level)])[1]
        return cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)

    return _each(images, there_and_back)


def _rotate(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    height, width = images.shape[1:]
    centre = ((width - 1) / 2, (height - 1) / 2)
    turns = [cv2.getRotationMatrix2D(centre, angle, 1) for angle in (-level, level)]
    senses = iter(rng.integers(0, 2, len(images)))
    return _each(
        images,
        lambda image: cv2.warpAffine(image, turns[next(senses)], (width, height), borderMode=cv2.BORDER_REPLICATE),
    )


def _cover(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    sides = np.rint(level * np.array(images.shape[1:])).astype(int)
    # A place as a share of the room that is left: the larger patch covers all that the smaller one does.
    corners = np.rint(rng.random((len(images), 2)) * (images.shape[1:] - sides)).astype(int)
    covered = images.copy()
    for image, (top, left) in zip(covered, corners, strict=True):
        image[top : top + sides[0], left : left + sides[1]] = 128
    return covered


def _coarsen(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    height, width = images.shape[1:]
    small = (int(level), max(1, round(height * level / width)))
    return _each(
        images,
        lambda image: cv2.resize(cv2.resize(image, small, interpolation=cv2.INTER_AREA), (width, height)),
    )


def _each(images: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    out = np.empty_like(images)
    for i, image in enumerate(images):
        out[i] = change(image)
    return out


_GREY_STEPS = (26, 51, 77, 102, 128)  # .1 to .5 of the range, as in ImageNet-C

CORRUPTIONS: dict[str, Corruption] = {
    "darker": Corruption(_shift_grey, tuple(-step for step in _GREY_STEPS), "grey levels"),
    "brighter": Corruption(_shift_grey, _GREY_STEPS, "grey levels"),
    "contrast": Corruption(_flatten, (0.4, 0.3, 0.2, 0.1, 0.05), "share of the contrast"),
    "blur": Corruption(_blur, (0.01, 0.02, 0.03, 0.045, 0.06), "standard deviation, share of the side"),
    "noise": Corruption(_add_noise, (8, 16, 24, 36, 54), "standard deviation, grey levels"),
    "jpeg": Corruption(_compress, (25, 18, 15, 10, 7), "quality"),
    "rotation": Corruption(_rotate, (8, 16, 24, 32, 40), "degrees"),
    "occlusion": Corruption(_cover, (0.2, 0.3, 0.4, 0.5, 0.6), "side of the patch, share of the side"),
    "low_resolution": Corruption(_coarsen, (24, 16, 12, 8, 6), "width in pixels"),
}
