"""Where in a picture the faces are, and how each is cut out.

Found by a cascade of local binary patterns (S. Liao et al., "Learning Multi-scale Block Local Binary Patterns for Face
Recognition", ICB 2007), which scikit-image carries: nothing to download, and the same with OpenCV 4 and 5. It is made
for upright faces seen from the front: one turned to the side, tilted or half hidden is often missed.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np

from emo_utils.datasets.images import fit_square

WINDOW = 24  # pixels, the side of the smallest face that the cascade can see
# Faces are looked for in a picture of at most this length, twice .1 s on an idle core. Twelve million pixels would take
# a minute, and show no other faces that matter: those of 1/14 of the length still fill a window.
LONGEST = 480
FACE_ITSELF = 100  # a picture with a shorter side than this is taken for a face cut out already, whole
_SMALL_SQUARE = 256  # and one up to this, and nearly square, if the cascade finds nothing in it
_SMALLEST_SHARE = 1 / 14  # of the longer side; smaller finds are mostly folds and badges
# FER2013 was cut out by a detector of this family, and as this one would: see benchmarks/face_margin.py.
MARGIN = 1.0
_SCALES = 1.2  # from one size of the window to the next
_MIN_HITS = 5
_SAME_FACE = 0.4  # intersection over union of two finds of one face


class Box(NamedTuple):
    """A rectangle in a picture, in pixels; (0, 0) is the upper left corner."""

    x: int
    y: int
    width: int
    height: int


def find_faces(image: np.ndarray) -> list[Box]:
    """Find the faces that look at the camera.

    A picture that is a face cut out already, as those of FER2013 are, gives one box, the whole of it: one with a side
    below 100 pixels, or a small square one in which nothing is found.

    Args:
        image: uint8 array of shape (height, width), grey, or (height, width, 3), RGB.

    Returns:
        Boxes from forehead to chin, inside the picture, largest first; they do not overlap much.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image
    height, width = grey.shape
    whole = Box(0, 0, width, height)
    if min(height, width) < FACE_ITSELF:
        return [whole]
    scale = min(1.0, LONGEST / max(height, width))
    if scale < 1:
        small = (max(WINDOW, round(width * scale)), max(WINDOW, round(height * scale)))
        grey = cv2.resize(grey, small, interpolation=cv2.INTER_AREA)
    found = [_full_size(box, scale, whole) for box in _merge(_hits(grey))]
    if not found and max(height, width) <= _SMALL_SQUARE and max(height, width) <= 1.25 * min(height, width):
        return [whole]
    return sorted(found, key=lambda box: (-box.width, box.y, box.x))


def _hits(grey: np.ndarray) -> np.ndarray:
    """Return every window that the cascade takes for a face, int array of shape (n, 3), x, y and side, sorted.

    It looks at the mirrored picture too: a face stays one, and much else that looks like one from the left does not.
    """
    mirrored = _hits_one_way(np.ascontiguousarray(grey[:, ::-1]))
    mirrored = [(grey.shape[1] - x - side, y, side) for x, y, side in mirrored]
    return np.array(sorted(_hits_one_way(grey) + mirrored), dtype=int).reshape(-1, 3)


def _hits_one_way(grey: np.ndarray) -> list[tuple[int, int, int]]:
    shorter = min(grey.shape)
    smallest = max(WINDOW, round(max(grey.shape) * _SMALLEST_SHARE))
    # Its own way to merge depends on the order of the finds, and so on which of its threads was faster: ask for all.
    found = _cascade().detect_multi_scale(
        img=grey,
        scale_factor=_SCALES,
        step_ratio=1,
        min_size=(smallest, smallest),
        max_size=(shorter, shorter),
        min_neighbor_number=1,
        intersection_score_threshold=1.0,
    )
    return [(hit["c"], hit["r"], hit["width"]) for hit in found]


@cache
def _cascade():
    from skimage.data import lbp_frontal_face_cascade_filename
    from skimage.feature import Cascade

    return Cascade(lbp_frontal_face_cascade_filename())


def _merge(hits: np.ndarray) -> list[tuple[float, float, float]]:
    """Return (x, y, side) of each face: the mean of the hits on it, where there are enough, the surest face first."""
    merged = []
    while len(hits):
        same = _overlap(hits, hits) >= _SAME_FACE
        group = same[same.sum(axis=1).argmax()]  # around the hit that most others agree with
        if group.sum() < _MIN_HITS:
            break
        merged.append(hits[group].mean(axis=0))
        # Whatever is left inside this face is an eye or a mouth taken for one.
        hits = hits[~group & (_overlap(hits, merged[-1][None])[:, 0] < _SAME_FACE / 2)]
    return merged


def _overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return intersection over union of squares (n, 3) and (m, 3), x, y, side: float array of shape (n, m)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum((a[:, :2] + a[:, 2:])[:, None], (b[:, :2] + b[:, 2:])[None])
    both = np.prod(np.maximum(high - low, 0), axis=-1)
    return both / (a[:, None, 2] ** 2 + b[None, :, 2] ** 2 - both)


def _full_size(box: tuple[float, float, float], scale: float, whole: Box) -> Box:
    x, y, side = (round(float(value) / scale) for value in box)
    side = min(side, whole.width, whole.height)
    return Box(min(x, whole.width - side), min(y, whole.height - side), side, side)


def crop_face(grey: np.ndarray, box: Box, size: int, *, margin: float = MARGIN) -> np.ndarray:
    """Cut a face out, square, as a model wants it.

    Args:
        grey: uint8 array of shape (height, width), the picture.
        box: of the face, from `find_faces`.
        size: side of the result in pixels.
        margin: side of what is cut out over the longer side of the box. At the edge of the picture the square is moved
            inwards, and it is never larger than the picture, so no pixel is made up.

    Returns:
        uint8 array of shape (size, size).
    """
    height, width = grey.shape
    side = max(1, min(height, width, round(max(box.width, box.height) * margin)))
    left = min(max(round(box.x + (box.width - side) / 2), 0), width - side)
    top = min(max(round(box.y + (box.height - side) / 2), 0), height - side)
    return fit_square(grey[top : top + side, left : left + side], size)
