"""Small data sets on disk, for the tests of emo_utils.datasets."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image


def face(seed: int, side: int = 48) -> np.ndarray:
    """Return random grey levels of shape (side, side), coarse enough to survive resizing."""
    blocks = np.random.default_rng(seed).integers(0, 256, (side // 4, side // 4), dtype=np.uint8)
    return np.kron(blocks, np.ones((4, 4), np.uint8))


def encoded(pixels, kind: str = "PNG", mode: str | None = None, **options) -> bytes:
    """Return an array or Pillow image as the bytes of an image file."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    (image.convert(mode) if mode else image).save(file, kind, **options)
    return file.getvalue()


def write_files(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def class_files(n: int = 3, names=("angry", "happy"), prefix: str = "") -> dict[str, bytes]:
    """Return n lossless faces a class: {"angry/0.png": ..., ...}, all different."""
    return {f"{prefix}{name}/{i}.png": encoded(face(1000 * c + i)) for c, name in enumerate(names) for i in range(n)}
