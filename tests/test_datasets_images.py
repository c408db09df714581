from __future__ import annotations

import contextlib
import io
import os
import struct
import zlib

import numpy as np
import pytest
from datasets_helpers import encoded, face
from PIL import Image

from emo_utils.datasets.images import MAX_BYTES, decode_colour, decode_grey, read_face
from emo_utils.errors import DataError


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that claims a size and holds no pixels: what is refused must be refused from the header."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_grey_png_of_the_right_size_comes_back_unchanged():
    np.testing.assert_array_equal(read_face(encoded(face(0)), 48), face(0))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "TIFF", "PPM"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_lossless_formats_agree(kind, mode):
    np.testing.assert_array_equal(read_face(encoded(face(1), kind, mode), 48), face(1))


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "L"), ("JPEG", "CMYK"), ("WEBP", "RGB"), ("PNG", "P")])
def test_other_modes_are_close(kind, mode):
    smooth = np.tile(np.arange(0, 240, 5, dtype=np.uint8), (48, 1))
    got = read_face(encoded(smooth, kind, mode), 48)
    assert np.abs(got.astype(int) - smooth).mean() < 6


def test_colour_becomes_luma():
    red = np.zeros((20, 20, 3), np.uint8)
    red[..., 0] = 255
    assert read_face(encoded(red), 20)[0, 0] == 76  # 0.299 * 255


def test_sixteen_bits_are_scaled():
    deep = face(2).astype(np.uint16) * 257
    np.testing.assert_array_equal(read_face(encoded(deep), 48), face(2))


def test_transparent_parts_show_mid_grey():
    rgba = np.dstack([face(3)] * 3 + [np.full((48, 48), 255, np.uint8)])
    rgba[:, :24, 3] = 0
    got = read_face(encoded(rgba), 48)
    assert (got[:, :24] == 128).all()
    np.testing.assert_array_equal(got[:, 24:], face(3)[:, 24:])


def test_a_transparent_grey_level_shows_mid_grey():
    file = io.BytesIO()
    Image.fromarray(np.tile(np.uint8([0, 200]), (20, 10))).save(file, "PNG", transparency=0)
    assert set(np.unique(decode_grey(file.getvalue()))) == {128, 200}


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "I;16"])
def test_colour_has_three_levels_a_pixel_whatever_the_mode(mode):
    grey = np.tile(np.arange(0, 200, 10, dtype=np.uint8), (20, 1))
    image = Image.fromarray(grey.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(grey).convert(mode)
    file = io.BytesIO()
    image.save(file, "PNG")
    np.testing.assert_array_equal(decode_colour(file.getvalue()), np.repeat(grey[..., None], 3, axis=2))


def test_colours_stay():
    red = np.zeros((20, 30, 3), np.uint8)
    red[:, :10, 0] = 255
    np.testing.assert_array_equal(decode_colour(encoded(red)), red)


def test_exif_orientation_is_obeyed():
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side: to be turned clockwise by 90 degrees
    got = read_face(encoded(face(4), "PNG", exif=exif), 48)
    np.testing.assert_array_equal(got, np.rot90(face(4), -1))


def test_first_frame_of_an_animation():
    frames = [Image.fromarray(face(s)) for s in (5, 6)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(read_face(data, 48), face(5))


def test_centre_crop_keeps_proportions():
    wide = np.hstack([np.zeros((48, 26), np.uint8), face(7), np.full((48, 26), 255, np.uint8)])
    np.testing.assert_array_equal(read_face(encoded(wide), 48), face(7))


def test_downscaling_averages_areas():
    checks = np.tile(np.array([[0, 200], [200, 0]], np.uint8), (48, 48))
    assert (read_face(encoded(checks), 48) == 100).all()


def test_upscaling_gives_the_asked_size():
    assert read_face(encoded(face(8, 24)), 96).shape == (96, 96)


def test_content_decides_not_the_name(tmp_path):
    path = tmp_path / "really_a.jpg"
    path.write_bytes(encoded(face(9), "PNG"))
    np.testing.assert_array_equal(read_face(path, 48), face(9))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty file"),
        (b"these are words, not pixels\n" * 50, "not an image of a known format (JPEG, PNG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n", "not an image of a known format"),
        (encoded(face(0))[:200], "damaged image ("),
        (encoded(face(0, 48), "JPEG")[:400], "damaged image ("),
        (encoded(face(0), "GIF")[:-300], "damaged image ("),
        (encoded(face(0), "TIFF")[:300], "damaged image ("),
        (encoded(np.zeros((1, 1), np.uint8)), "1x1 pixels, smaller than 16x16"),
        (encoded(np.zeros((400, 15), np.uint8)), "15x400 pixels, smaller than 16x16"),
        (png_header(20_000, 20_000), "more than 50 million pixels"),
        (png_header(10_000, 9_500), "10000x9500 pixels, more than 50 million"),
        (png_header(8_000, 8_000), "8000x8000 pixels, more than 50 million"),
        (encoded(np.zeros((48, 48), np.float32), "TIFF"), "damaged image (floating-point pixels"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value,
)
def test_unusable_content_is_refused_with_the_reason(data, message):
    with pytest.raises(DataError) as error:
        read_face(data, 48)
    assert str(error.value).startswith(message)


def test_refusal_names_the_file(tmp_path):
    path = tmp_path / "empty.png"
    path.touch()
    with pytest.raises(DataError, match=r"empty\.png: empty file"):
        read_face(path, 48)


def test_missing_and_special_files_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"gone\.png: cannot be read \(No such file"):
        read_face(tmp_path / "gone.png", 48)
    with pytest.raises(DataError, match="is not a regular file"):
        read_face(tmp_path, 48)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.png")
        with pytest.raises(DataError, match="is not a regular file"):
            read_face(tmp_path / "pipe.png", 48)


def test_huge_file_is_not_even_read(tmp_path):
    path = tmp_path / "huge.png"
    with open(path, "wb") as file:
        file.truncate(MAX_BYTES + 1)  # sparse: takes no room
    with pytest.raises(DataError, match="file of 64 MiB, more than 64 MiB"):
        read_face(path, 48)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP", "PPM"])
def test_random_damage_gives_a_face_or_a_data_error(kind):
    good = bytearray(encoded(face(11), kind))
    rng = np.random.default_rng(0)
    for _ in range(60):
        data = bytearray(good)
        for i in rng.integers(0, len(data), 4):
            data[i] = rng.integers(0, 256)
        with contextlib.suppress(DataError):
            assert read_face(bytes(data), 48).shape == (48, 48)


def test_reading_leaves_the_source_alone():
    data = encoded(face(12))
    read_face(data, 48)
    assert Image.open(io.BytesIO(data)).size == (48, 48)
