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
# Faces are looked for in a picture of about this length: .2 s on an idle core. Twelve million pixels would take a
# minute. Where small faces matter, in a photograph of a class, a look at twice the length is added.
LONGEST = 640
LONGEST_FINE = 1280
_SMALLEST = 40  # pixels at that size, so 1/16 or 1/32 of the longer side; smaller finds are mostly folds and badges
_LARGEST_ZOOM = 2  # of small pictures: a face of 20 pixels is found, but shows little
FACE_ITSELF = 100  # a picture with a shorter side than this, and no strip, may be a face cut out already, as FER2013's
_SMALL_SQUARE = 256  # and one up to this, and nearly square
_FILLS = 0.6  # of the shorter side of a picture: a face of more is what the picture was cut to
# FER2013's frames over the boxes found here, at the median of training faces laid into photographs: it was cut out by a
# detector of the same family. `python benchmarks/face_margin.py` measures it.
MARGIN = 1.03
_SAME_FACE = 0.4  # intersection over union of two finds of one face
# The first look takes large steps and keeps whatever is found three times over. The second is close, at one size, and
# takes small ones, also in the mirror. Measured: in 67 copies of the astronaut of the samples (other formats, scales of
# 1/3 to 2.5, turned by up to 10 degrees, shifted, noisy) her face has 60 finds and more, but for one of 22; the badge
# on her suit has up to 47 and never more than .55 of her face's, scikit-image's pictures without a face have up to 25.
# Of 120 training faces of FER2013 laid into photographs 60 % have 30 and more, half have 50 and more.
_FIRST_HITS, _SECOND_HITS, _OF_THE_BEST = 3, 40, 0.6
_CLOSE_SIDE = 72  # pixels of the face in the second look


class Box(NamedTuple):
    """A rectangle in a picture, in pixels; (0, 0) is the upper left corner."""

    x: int
    y: int
    width: int
    height: int


def find_faces(image: np.ndarray, *, fine: bool = False) -> list[Box]:
    """Find the faces that look at the camera.

    Args:
        image: uint8 array of shape (height, width), grey, or (height, width, 3), RGB.
        fine: look for faces down to 1/32 of the longer side, which takes five times as long; otherwise to 1/16.

    Returns:
        Boxes from forehead to chin, inside the picture, largest first; they do not overlap much.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image
    height, width = grey.shape
    squares = _look(grey, LONGEST)
    if fine:  # adds faces, so that those of the other look keep their answers
        more = _look(grey, LONGEST_FINE)
        squares = np.concatenate([squares, more[_overlap(more, squares).max(axis=1, initial=0) < _SAME_FACE / 2]])
    found = [_as_box(square, width, height) for square in squares]
    return sorted(found, key=lambda box: (-box.width, box.y, box.x))


def find_or_take_whole(image: np.ndarray, *, fine: bool = False) -> tuple[list[Box], bool]:
    """Find the faces, or take the whole picture for one where it may be a face cut out already, as FER2013's are.

    Such a picture is no strip, and has a side below 100 pixels, or is nearly square and of at most 256. One below 100
    pixels is also taken whole if the face found fills it: it was cut to that.

    Args:
        image: as for `find_faces`.
        fine: as for `find_faces`.

    Returns:
        Boxes, as of `find_faces`, and whether they were found.
    """
    found = find_faces(image, fine=fine)
    height, width = image.shape[:2]
    short, long = sorted((height, width))
    tiny = short < FACE_ITSELF and long <= 2 * short
    if tiny and found and found[0].width >= _FILLS * short:
        return [Box(0, 0, width, height)], True
    if not found and (tiny or long <= min(_SMALL_SQUARE, 1.25 * short)):
        return [Box(0, 0, width, height)], False
    return found, True


def _look(grey: np.ndarray, longest: int) -> np.ndarray:
    """Return the faces seen in a picture brought to a length, in its own pixels: (n, 3), x, y and side."""
    height, width = grey.shape
    scale = min(_LARGEST_ZOOM, longest / max(height, width))
    size = (max(WINDOW, round(width * scale)), max(WINDOW, round(height * scale)))
    grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    seen = [_second_look(grey, square) for square in _merge(_hits(grey, _SMALLEST, 1.2), _FIRST_HITS)]
    least = max(_SECOND_HITS, _OF_THE_BEST * max(map(len, seen), default=0))
    squares = np.array([hits.mean(axis=0) for hits in seen if len(hits) >= least]).reshape(-1, 3)
    # Two first finds of one face become the same in the second look.
    return np.array(_merge(squares, 1)).reshape(-1, 3) / scale


def _second_look(grey: np.ndarray, square: np.ndarray) -> np.ndarray:
    """Return the finds at a square where a face may be, seen closely: (n, 3), x, y and side."""
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
    return hits[_overlap(hits, expected)[:, 0] >= _SAME_FACE] / scale + (x - margin, y - margin, 0)


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


def _as_box(square: np.ndarray, width: int, height: int) -> Box:
    """Return a square as a box inside a picture of this size."""
    x, y, side = (round(float(value)) for value in square)
    side = min(side, width, height)
    return Box(min(max(x, 0), width - side), min(max(y, 0), height - side), side, side)


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
