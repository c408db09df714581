"""Find images that stand more than once in a data set: pixel for pixel, or as the same picture slightly changed."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np

from emo_utils.datasets.rows import in_chunks

# The same picture in the sense of `near_duplicates`. Of 140 such pairs of FER2013 looked at, one, below .78, showed two
# different people; between .70 and .75 about one in five does.
NEAR = 0.75
MAX_PAIRS = 1_000_000  # of near duplicates; a set of video frames could have billions
_SIDE, _SMALL = 48, 16  # pixels: where pairs are confirmed, and where candidates are looked for
_CANDIDATE = 0.70  # at 16x16; on FER2013 no confirmed pair was below .74 there
_BLOCK = 512  # images compared with all others at a time: bounds the memory


def duplicate_groups(images: np.ndarray) -> np.ndarray:
    """Number the distinct images: two images get the same number if and only if all their pixels are equal.

    Args:
        images: uint8 array of shape (n, height, width).

    Returns:
        int64 array of shape (n,), numbered from 0 in order of first appearance.
    """
    number: dict[bytes, int] = {}
    keys = (hashlib.sha256(image).digest() for chunk in in_chunks(images) for image in chunk)
    return np.fromiter((number.setdefault(key, len(number)) for key in keys), dtype=np.int64, count=len(images))


def sets_of_equal(number: np.ndarray) -> list[np.ndarray]:
    """Return the positions of each number that stands more than once, in order of number."""
    order = np.argsort(number, kind="stable")
    sets = np.split(order, np.flatnonzero(np.diff(number[order])) + 1)
    return [members for members in sets if len(members) > 1]


def blank_images(images: np.ndarray) -> np.ndarray:
    """Return a bool array of shape (n,): True where all pixels of the image have one value."""
    found = [(chunk == chunk[:, :1, :1]).all(axis=(1, 2)) for chunk in in_chunks(images)]
    return np.concatenate([np.empty(0, bool), *found])


def near_duplicates(images: np.ndarray) -> np.ndarray:
    """Find pairs of images that show the same picture: recompressed, lightened, a little shifted, with a watermark.

    Two images are near duplicates if their medium-sized detail correlates by `NEAR` (0.75) or more: Pearson's r of the
    48x48 images after a difference of Gaussians (sigma 1 and 3 pixels), which leaves out noise as well as light and
    the outline that all faces share. Every pair is compared, first at 16x16; 30,000 images take a few seconds,
    ten times as many a hundred times as long. Mirror images and clearly different crops are not found.

    Args:
        images: uint8 array of shape (n, height, width).

    Returns:
        int64 array of shape (m, 2), the positions of each pair, the smaller first, at most `MAX_PAIRS`. Blank images
        are in none. Exact copies count as pairs, so leave all but one out to find the others.
    """
    small = np.zeros((len(images), _SMALL**2), np.float32)
    for start in range(0, len(images), _BLOCK):
        detail = _detail(images[start : start + _BLOCK])
        small[start : start + _BLOCK] = _unit(
            [cv2.resize(d, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA) for d in detail]
        )
    pairs, n_pairs = [np.empty((0, 2), np.int64)], 0
    for start in range(0, len(images), _BLOCK):
        alike = small[start : start + _BLOCK] @ small[start:].T >= _CANDIDATE
        candidates = np.argwhere(np.triu(alike, k=1)) + start
        for first in range(0, len(candidates), _BLOCK):
            block = candidates[first : first + _BLOCK]
            pairs.append(block[_detail_correlation(images, block) >= NEAR])
            n_pairs += len(pairs[-1])
            if n_pairs >= MAX_PAIRS:
                return np.concatenate(pairs)[:MAX_PAIRS]
    return np.concatenate(pairs)


def _detail_correlation(images: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return Pearson's r of the detail of each pair, float32 of shape (m,)."""
    used, index = np.unique(pairs, return_inverse=True)
    detail = _unit(_detail(images[used]))
    left, right = index.reshape(pairs.shape).T
    return np.einsum("ij,ij->i", detail[left], detail[right])


def _detail(images: np.ndarray) -> list[np.ndarray]:
    """Return a difference of Gaussians of each image, float32 of shape (48, 48)."""
    if images.shape[1:] != (_SIDE, _SIDE):
        images = [cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for image in images]
    grey = [image.astype(np.float32) for image in images]
    return [cv2.GaussianBlur(g, (0, 0), 1) - cv2.GaussianBlur(g, (0, 0), 3) for g in grey]


def _unit(rows: list[np.ndarray]) -> np.ndarray:
    """Return the arrays as rows of mean 0 and length 1, so that products of rows are correlations; blank ones as 0."""
    flat = np.reshape(rows, (len(rows), -1))
    flat = flat - flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.divide(flat, length, out=np.zeros_like(flat), where=length > 1e-3)
