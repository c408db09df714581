"""Sketch: shapes on a head, turned into pixels that are the same on every machine.

Why not simply draw: anti-aliased lines and interpolating filters give other pixels in other OpenCV versions. Here a
shape is a filled polygon with whole-pixel corners on a canvas four times too large, and a pixel of the picture is the
sum of 4 x 4 canvas pixels. Coordinates before that use only + - * / and square roots, which IEEE 754 fixes to the last
bit (powers and sines it does not); curves and means are sums of integers.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

OVERSAMPLING = 4
UNITS_PER_PICTURE = 232.0  # width of the picture in face units at scale 1; a face is about 176 wide, 246 high
_STEPS = 4  # curve points per corner
_MARGIN = 2  # canvas pixels around the picture
_HEAD = (94.0, 140.0, 84.0)  # semi-axes of the head: x, y, depth


@dataclass(frozen=True)
class Pose:
    """How the head stands in the picture.

    Attributes:
        roll, yaw, pitch: sines of the angles; positive turns to the picture's right, and down.
        scale: 1 fills the picture with the face.
        dx, dy: shift in face units (232 are one picture).
    """

    roll: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    scale: float = 1.0
    dx: float = 0.0
    dy: float = 0.0


@lru_cache(maxsize=64)
def _spline(k: int) -> np.ndarray:
    """Return the int64 matrix (k * _STEPS, k) of a closed Catmull-Rom curve through k points, times 2 * _STEPS**3."""
    matrix = np.zeros((k, _STEPS, k), dtype=np.int64)
    s = _STEPS
    for t in range(s):
        weights = (-(t**3) + 2 * t * t * s - t * s * s, 3 * t**3 - 5 * t * t * s + 2 * s**3)
        weights += (-3 * t**3 + 4 * t * t * s + t * s * s, t**3 - t * t * s)
        for i in range(k):
            for offset, weight in zip((-1, 0, 1, 2), weights, strict=True):
                matrix[i, t, (i + offset) % k] += weight
    return matrix.reshape(k * s, k)


class _Shape(NamedTuple):
    corners: int
    grey: int
    lift: float | None
    smooth: bool
    soft: bool


class Sketch:
    """Shapes collected in painting order, in face units: x to the right, y down, origin at the bridge of the nose.

    A shape lies on the curved front of the head, raised by `lift` units, or (`lift=None`) in the flat plane through
    the ears, where turning the head does not move it.
    """

    def __init__(self):
        self._points: list[tuple[float, float]] = []
        self._shapes: list[_Shape] = []

    def fill(self, points, grey: float, *, lift: float | None = 0.0, smooth: bool = True, soft: bool = False) -> None:
        """Add a filled shape.

        Args:
            points: (x, y) corners in order, at least three.
            grey: 0 to 255; for a soft shape the change of light at its middle, -127 to 127.
            smooth: draw a closed curve through the corners instead of straight edges.
            soft: belongs to the blurred layer of light and shadow.
        """
        if soft:
            grey += 128
        self._points += points
        self._shapes.append(_Shape(len(points), max(0, min(255, int(grey))), lift, smooth, soft))

    def stroke(self, points, width: float, grey: float, *, lift: float | None = 0.0, taper: float = 0.25) -> None:
        """Add an open line through (x, y) points, `width` wide in the middle and `taper` of that at its ends."""
        last = len(points) - 1
        near, far = [], []
        for i, (x, y) in enumerate(points):
            (x0, y0), (x1, y1) = points[max(i - 1, 0)], points[min(i + 1, last)]
            dx, dy = x1 - x0, y1 - y0
            length = math.sqrt(dx * dx + dy * dy) or 1.0
            half = width / 2 * (taper if i in (0, last) else 1.0) / length
            near.append((x - dy * half, y + dx * half))
            far.append((x + dy * half, y - dx * half))
        self.fill(near + far[::-1], grey, lift=lift)

    def paint(self, pose: Pose, size: int, background: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the picture and its light layer, both int32 of shape (size, size).

        The picture is in sixteenths of a grey level, the light layer in grey levels around 0.
        """
        side, margin = size * OVERSAMPLING, 2 * _MARGIN
        canvas = np.full((side + margin, side + margin), background, dtype=np.uint8)
        light = np.full((side // 2 + margin, side // 2 + margin), 128, dtype=np.uint8)
        for shape, outline in zip(self._shapes, self._outlines(pose, size), strict=True):
            cv2.fillPoly(light if shape.soft else canvas, [outline], shape.grey)
        canvas, light = (layer[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN] for layer in (canvas, light))
        picture = canvas.reshape(size, OVERSAMPLING, side).sum(axis=1, dtype=np.int32)
        picture = picture.reshape(size, size, OVERSAMPLING).sum(axis=2)
        radius = max(1, size // 16)
        for _ in range(2):
            light = _box_mean(light, 2 * radius + 1)
        return picture, light[::2, ::2].astype(np.int32) - 128

    def _outlines(self, pose: Pose, size: int) -> list[np.ndarray]:
        """Return the outline of every shape on its canvas, int32 of shape (n, 2), a point for every pixel it passes."""
        corners = self._project(pose, size)
        curves, start = [], 0
        for shape in self._shapes:
            points = corners[start : start + shape.corners]
            start += shape.corners
            if shape.smooth:
                points = _spline(shape.corners) @ points >> 7  # 7 bits: the spline's scale of 2 * 4**3
            curves.append(points >> (5 if shape.soft else 4))  # the light layer has half the resolution
        outline, ends = _trace(curves)
        # What lies outside moves to the margin: OpenCV's own clipping differs between versions too.
        edges = [size * OVERSAMPLING // (2 if shape.soft else 1) + 2 * _MARGIN - 1 for shape in self._shapes]
        outline = np.maximum(outline + _MARGIN, 0)
        outline = np.minimum(outline, np.repeat(edges, np.diff(ends, prepend=0))[:, None]).astype(np.int32)
        return [outline[a:b] for a, b in itertools.pairwise([0, *ends])]

    def _project(self, pose: Pose, size: int) -> np.ndarray:
        """Return all corners as int64 canvas coordinates of shape (n, 2), in sixteenths of a canvas pixel."""
        x, y = np.array(self._points, dtype=np.float64).T
        lengths = [shape.corners for shape in self._shapes]
        flat = np.repeat([shape.lift is None for shape in self._shapes], lengths)
        lift = np.repeat([shape.lift or 0.0 for shape in self._shapes], lengths)
        depth = np.sqrt(np.maximum(1.0 - (x / _HEAD[0]) ** 2 - (y / _HEAD[1]) ** 2, 0.0)) * _HEAD[2] + lift
        cos_yaw = np.where(flat, 1.0, math.sqrt(1 - pose.yaw * pose.yaw))
        depth = np.where(flat, 0.0, depth)
        x = x * cos_yaw + depth * pose.yaw
        y = y + depth * pose.pitch
        cos_roll = math.sqrt(1 - pose.roll * pose.roll)
        zoom = pose.scale * size * OVERSAMPLING / UNITS_PER_PICTURE
        centre = size * OVERSAMPLING / 2
        across = (x * cos_roll - y * pose.roll + pose.dx) * zoom + centre
        down = (x * pose.roll + y * cos_roll + pose.dy) * zoom + centre
        return np.floor(np.stack([across, down], axis=1) * 16 + 0.5).astype(np.int64)


def _trace(polygons: list[np.ndarray]) -> tuple[np.ndarray, list[int]]:
    """Walk along the edges of closed polygons pixel by pixel.

    OpenCV up to 4.10 and from 4.11 on rounds the pixels of an edge differently where they are a tie. Between
    neighbouring pixels there is nothing to round.

    Returns:
        int32 array of shape (n, 2), all polygons one after the other, and where each of them ends.
    """
    corners = np.concatenate(polygons).astype(np.int32)
    last = np.cumsum([len(p) for p in polygons]) - 1
    following = np.arange(1, len(corners) + 1)
    following[last] = np.concatenate([[0], last[:-1] + 1])
    edge = corners[following] - corners
    steps = np.maximum(np.abs(edge).max(axis=1), 1)
    ends = np.cumsum(steps)
    step = np.arange(ends[-1]) - np.repeat(ends - steps, steps)
    total = np.repeat(steps, steps)[:, None]
    moved = (2 * np.repeat(edge, steps, axis=0) * step[:, None] + total) // (2 * total)
    return (np.repeat(corners, steps, axis=0) + moved).astype(np.int32), ends[last].tolist()


def _box_mean(image: np.ndarray, side: int) -> np.ndarray:
    # Unnormalised sums are exact integers in every OpenCV; its own division rounds differently between versions.
    total = cv2.boxFilter(image, cv2.CV_32S, (side, side), normalize=False, borderType=cv2.BORDER_REPLICATE)
    return ((total + side * side // 2) // (side * side)).astype(np.uint8)
