"""Read one face image from a file nobody vouches for: any common format, and no more pixels than we can hold."""

from __future__ import annotations

import io
import os
import stat
import struct
import warnings
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from emo_utils.errors import DataError

# Decided by content, not by name. Formats that call other programs (EPS) or are never photographs stay out.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
MAX_PIXELS = 50_000_000  # 50 Mpx: above any phone camera in use, below what would fill a small machine's memory
MAX_BYTES = 64 * 2**20
MIN_SIDE = 16  # pixels; a smaller crop shows no expression
_BACKGROUND = 128  # what shows through transparent pixels: mid-grey adds the weakest edge to either hair or skin
# What Pillow raises on damaged files; struct.error and IndexError come from truncated headers.
_DAMAGE = (
    OSError,
    RuntimeError,
    SyntaxError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    EOFError,
    OverflowError,
    struct.error,
)


def read_face(source: bytes | str | Path, size: int) -> np.ndarray:
    """Read an image and return it as a square grey face.

    The picture is turned as its EXIF tag says, made grey (ITU-R 601 luma), cropped to its central square, so that the
    proportions of the face are kept, and resized: area averaging downwards, bilinear upwards. Of an animation or a
    multi-page file the first frame is taken; transparent parts show mid-grey; values above 255 are taken
    for 16 bits and scaled to 8.

    Args:
        source: the bytes of an image file, or its path. The format is told from the content, not from the name.
        size: side of the result in pixels.

    Returns:
        uint8 array of shape (size, size), 0 black to 255 white.

    Raises:
        DataError: not a readable image, fewer than 16 pixels on a side, or more than 50 million pixels (refused from
            the header, before anything is decoded).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of damage and of large images; both are dealt with here
        if isinstance(source, bytes):
            return decode_face(source, size)
        try:
            return decode_face(read_bytes(Path(source)), size)
        except DataError as error:
            raise DataError(f"{source}: {error}") from None


def read_bytes(path: Path) -> bytes:
    """Return the content of a regular file of at most 64 MiB, or raise DataError with the reason."""
    try:
        info = os.stat(path)
        if not stat.S_ISREG(info.st_mode):  # reading a pipe or a device would hang
            raise DataError("is not a regular file")
        if info.st_size > MAX_BYTES:
            raise DataError(f"file of {info.st_size / 2**20:.0f} MiB, more than {MAX_BYTES >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})") from None
    except ValueError:  # a null character in it
        raise DataError("cannot be read (no file can have this name)") from None


def decode_face(data: bytes, size: int) -> np.ndarray:
    """Do what `read_face` does, for the bytes of a file, in threads: warning filters, which they share, stay alone."""
    return fit_square(decode_grey(data), size)


def decode_grey(data: bytes) -> np.ndarray:
    """Return the grey levels of an image file at its own size, uint8 of shape (height, width); see `read_face`."""
    return _decode(data, _to_grey)


def decode_colour(data: bytes) -> np.ndarray:
    """Return an image file at its own size as people see it, uint8 RGB of shape (height, width, 3); see `read_face`."""
    return _decode(data, _to_colour)


def grey_array(picture: np.ndarray) -> np.ndarray:
    """Return the grey levels of a picture in memory, as `decode_grey` does for a file.

    Args:
        picture: uint8 array of shape (height, width) or (height, width, 1), grey, (height, width, 3), RGB, or
            (height, width, 4), RGBA.

    Raises:
        DataError: another type or shape, or too few or too many pixels.
    """
    if picture.ndim == 3 and picture.shape[2] == 1:
        picture = picture[..., 0]
    shape = picture.shape
    if picture.dtype != np.uint8 or not (len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))):
        remedy = "; make levels of 0 to 1 such: (255 * picture).astype('uint8')" if picture.dtype.kind == "f" else ""
        raise DataError(
            f"{picture.dtype} array of shape {shape}, wanted is uint8, 0 to 255, of shape (height, width), grey, or "
            f"with a third axis of 3 for RGB or 4 for RGBA{remedy}"
        )
    _check_size(shape[1], shape[0])
    return _to_grey(Image.fromarray(np.ascontiguousarray(picture)))


def _decode(data: bytes, convert: Callable[[Image.Image], np.ndarray]) -> np.ndarray:
    if not data:
        raise DataError("empty file")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_size(*image.size)
            return convert(ImageOps.exif_transpose(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"more than {MAX_PIXELS // 10**6} million pixels") from None
    except Image.UnidentifiedImageError:
        raise DataError(f"not an image of a known format ({', '.join(FORMATS)})") from None
    except _DAMAGE as error:
        raise DataError(f"damaged image ({error})") from None


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise DataError(f"{width}x{height} pixels, more than {MAX_PIXELS // 10**6} million")
    if min(width, height) < MIN_SIDE:
        raise DataError(f"{width}x{height} pixels, smaller than {MIN_SIDE}x{MIN_SIDE}")


def _to_grey(image: Image.Image) -> np.ndarray:
    """Return the uint8 grey levels of a Pillow image of any mode."""
    if image.mode.startswith("I"):  # 16 bits a pixel, which older Pillow versions open as 32
        levels = np.asarray(image).clip(0, 65535)
        return (levels // 257 if levels.max() > 255 else levels).astype(np.uint8)  # or 8, in a wide type
    if image.mode != "L" or image.has_transparency_data:
        image = _plain(image).convert("L")  # by way of RGB, since not every mode has a direct way to grey
    return np.asarray(image)


def _to_colour(image: Image.Image) -> np.ndarray:
    """Return the uint8 RGB levels of a Pillow image of any mode."""
    if image.mode.startswith("I"):
        return np.repeat(_to_grey(image)[..., None], 3, axis=2)
    return np.asarray(_plain(image))


def _plain(image: Image.Image) -> Image.Image:
    """Return an 8-bit RGB image without transparency."""
    if image.mode == "F":
        raise ValueError("floating-point pixels; convert it to 8 bits")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        background = Image.new("RGBA", image.size, (_BACKGROUND, _BACKGROUND, _BACKGROUND, 255))
        image = Image.alpha_composite(background, image)
    return image.convert("RGB")


def fit_square(grey: np.ndarray, size: int) -> np.ndarray:
    """Return the central square of a uint8 image of shape (height, width), resized to (size, size)."""
    height, width = grey.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = grey[top : top + side, left : left + side]
    if side == size:
        return np.ascontiguousarray(square)
    return cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA if side > size else cv2.INTER_LINEAR)
