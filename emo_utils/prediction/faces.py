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
# Faces are looked for in a picture of at most this length: .2 s on an idle core. Twelve million pixels would take a
# minute and show no other face that matters, since one of 1/16 of the length still fills a window.
LONGEST = 640
_SMALLEST_SHARE = 1 / 16  # of the longer side; smaller finds are mostly folds and badges
FACE_ITSELF = 100  # a picture with a shorter side than this, and no strip, is taken for a face cut out already, whole
_SMALL_SQUARE = 256  # and one up to this, and nearly square, if nothing is found in it
# FER2013's frames over the boxes found here, at the median of training faces laid into photographs: it was cut out by a
# detector of the same family. `python benchmarks/face_margin.py` measures it.
MARGIN = 1.03
_FINEST = 36  # pixels; a face of fewer shows no expression
_SAME_FACE = 0.4  # intersection over union of two finds of one face
# The first look takes large steps and keeps whatever is found three times over. The second is close, at one size, and
# takes small ones, also in the mirror: it gives over 80 finds on the astronaut of the samples, 30 and more on most of
# FER2013's training faces laid into photographs, and at most 28 on the badge of her suit, the cells and the motorcycles
# in which scikit-image's other pictures seem to show a face.
_FIRST_HITS, _SECOND_HITS = 3, 30
_CLOSE_SIDE = 72  # pixels of the face in the second look


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
    if min(height, width) < FACE_ITSELF and max(height, width) <= 2 * min(height, width):
        return [whole]
    scale = min(1.0, LONGEST / max(height, width))
    if scale < 1:
        size = (max(WINDOW, round(width * scale)), max(WINDOW, round(height * scale)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    smallest = max(_FINEST, round(max(grey.shape) * _SMALLEST_SHARE))
    seen = [_second_look(grey, square) for square in _merge(_hits(grey, smallest, 1.2), _FIRST_HITS)]
    # Two first finds of one face become the same in the second look.
    sure = _merge(np.array([square for square in seen if square is not None]).reshape(-1, 3), 1)
    if not sure and max(height, width) <= min(_SMALL_SQUARE, 1.25 * min(height, width)):
        return [whole]
    found = [_full_size(square, scale, whole) for square in sure]
    return sorted(found, key=lambda box: (-box.width, box.y, box.x))


def _second_look(grey: np.ndarray, square: np.ndarray) -> np.ndarray | None:
    """Return the square (x, y, side) of a face at a square where one may be, None where there is none after all."""
    margin = round(float(square[2]) / 3)
    x, y, side = (round(float(value)) for value in square)
    padded = cv2.copyMakeBorder(grey, *[margin] * 4, cv2.BORDER_REPLICATE)
    part = padded[max(y, 0) : y + side + 2 * margin, max(x, 0) : x + side + 2 * margin]
    scale = _CLOSE_SIDE / side
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    part = cv2.resize(part, None, fx=scale, fy=scale, interpolation=how)
    smallest = round(0.6 * _CLOSE_SIDE)
    hits = _hits(part, smallest, 1.05)
    mirrored = _hits(np.ascontiguousarray(part[:, ::-1]), smallest, 1.05)
    mirrored[:, 0] = part.shape[1] - mirrored[:, 0] - mirrored[:, 2]
    hits = np.concatenate([hits, mirrored])
    expected = np.array([[margin * scale, margin * scale, _CLOSE_SIDE]])
    hits = hits[_overlap(hits, expected)[:, 0] >= _SAME_FACE]
    if len(hits) < _SECOND_HITS:
        return None
    return hits.mean(axis=0) / scale + (x - margin, y - margin, 0)


def _hits(grey: np.ndarray, smallest: int, scale_factor: float) -> np.ndarray:
    """Return every window that the cascade takes for a face: int array of shape (n, 3), x, y and side, sorted."""
    # Its own way to merge them depends on their order, and so on which of its threads was faster: ask for all.
    found = _cascade().detect_multi_scale(
        img=grey,
        scale_factor=scale_factor,
        step_ratio=1,
        min_size=(smallest, smallest),
        max_size=(min(grey.shape),) * 2,
        min_neighbor_number=1,
        intersection_score_threshold=1.0,
    )
    return np.array(sorted((hit["c"], hit["r"], hit["width"]) for hit in found), dtype=int).reshape(-1, 3)


@cache
def _cascade():
    from skimage.data import lbp_frontal_face_cascade_filename
    from skimage.feature import Cascade

    return Cascade(lbp_frontal_face_cascade_filename())


def _merge(hits: np.ndarray, least: int) -> list[np.ndarray]:
    """Return (x, y, side), the mean of the hits that overlap, wherever there are at least so many."""
    merged = []
    while len(hits):
        same = _overlap(hits, hits) >= _SAME_FACE
        group = same[same.sum(axis=1).argmax()]  # around the hit that most others agree with
        if group.sum() < least:
            break
        merged.append(hits[group].mean(axis=0))
        # Whatever still lies largely inside this one is of it.
        hits = hits[~group & (_overlap(hits, merged[-1][None])[:, 0] < _SAME_FACE / 2)]
    return merged


def _overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return intersection over union of squares (n, 3) and (m, 3), x, y, side: float array of shape (n, m)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum((a[:, :2] + a[:, 2:])[:, None], (b[:, :2] + b[:, 2:])[None])
    both = np.prod(np.maximum(high - low, 0), axis=-1)
    return both / (a[:, None, 2] ** 2 + b[None, :, 2] ** 2 - both)


def _full_size(square: np.ndarray, scale: float, whole: Box) -> Box:
    """Return a square of the scaled picture as a box inside the whole one."""
    x, y, side = (round(float(value) / scale) for value in square)
    side = min(side, whole.width, whole.height)
    return Box(min(max(x, 0), whole.width - side), min(max(y, 0), whole.height - side), side, side)


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
