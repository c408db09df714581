from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from datasets_helpers import class_files, encoded, face, write_files, write_zip

from emo_utils.datasets.folder import load_folder, usage_of
from emo_utils.errors import DataError


def reasons(ds) -> dict[str, str]:
    return dict(ds.skipped)


def test_folder_and_zip_of_class_folders_are_the_same_data(tmp_path):
    files = class_files(names=("happy", "angry"))
    folder = load_folder(write_files(tmp_path / "mine", files), 48)
    archive = load_folder(write_zip(tmp_path / "mine.zip", files), 48)
    assert folder.fingerprint() == archive.fingerprint()
    assert folder.name == archive.name == "mine"
    assert folder.class_names == ("angry", "happy")  # in the order of EMOTIONS
    assert folder.ids[0] == "angry/0.png"
    np.testing.assert_array_equal(folder.images[0], face(1000))
    assert folder.counts() == {"angry": 3, "happy": 3}
    assert set(folder.usage) == {""}
    assert folder.skipped == ()


@pytest.mark.parametrize(
    "folder", ["Anger", "HAPPINESS", " sadness", "3_happy", "Freude", "enojo", "colère", "0 anger", "Surprised"]
)
def test_class_folders_in_other_spellings(tmp_path, folder):
    ds = load_folder(write_files(tmp_path, {f"{folder}/1.png": encoded(face(0))}), 48)
    assert len(ds) == 1


def test_class_and_part_folders_are_found_anywhere(tmp_path):
    files = {
        "unpacked/Training/happy/ann/1.png": encoded(face(1)),
        "unpacked/Validation/happy/2.png": encoded(face(2)),
        "unpacked/happy/PublicTest/3.png": encoded(face(3)),
        "unpacked/sad/old/Sadness/4.png": encoded(face(4)),
    }
    ds = load_folder(write_files(tmp_path, files), 48)
    got = {i.rsplit("/", 1)[-1]: (ds.class_names[k], u) for i, k, u in zip(ds.ids, ds.labels, ds.usage, strict=True)}
    assert got == {
        "1.png": ("happy", "train"),
        "2.png": ("happy", "val"),
        "3.png": ("happy", "test"),
        "4.png": ("sad", ""),
    }


def test_file_below_two_emotions_is_skipped_not_guessed(tmp_path):
    files = class_files(1) | {"happy/An/1.png": encoded(face(9))}
    ds = load_folder(write_files(tmp_path, files), 48)
    assert ds.counts() == {"angry": 1, "happy": 1}
    assert reasons(ds) == {"happy/An/1.png": "folders name two emotions (happy, angry); rename one"}


@pytest.mark.parametrize(
    ("name", "usage"),
    [
        ("train/happy/1.png", "train"),
        ("Valid/happy/1.png", "val"),
        ("testing/happy/1.png", "test"),
        ("PrivateTest/happy/1.png", "private"),
        ("happy/train.png", ""),
    ],
)
def test_usage_of(name, usage):
    assert usage_of(name) == usage


def test_mixed_formats_and_sizes(tmp_path):
    files = {
        "happy/a.jpg": encoded(face(1, 80), "JPEG"),
        "happy/b.bmp": encoded(face(2, 32), "BMP"),
        "sad/c.tiff": encoded(np.dstack([face(3, 64)] * 3), "TIFF"),
        "sad/no_suffix": encoded(face(4), "PNG"),
    }
    ds = load_folder(write_files(tmp_path, files), 64)
    assert ds.images.shape == (4, 64, 64)


def test_what_cannot_be_used_is_listed_with_its_reason_and_stays_on_disk(tmp_path):
    bad = {
        "happy/empty.png": b"",
        "happy/text.jpg": b"no picture",
        "happy/cut.png": encoded(face(0))[:100],
        "happy/dot.png": encoded(np.zeros((1, 1), np.uint8)),
        "happy/notes.txt": b"remember",
        "happpy/typo.png": encoded(face(0)),
        "loose.png": encoded(face(0)),
    }
    root = write_files(tmp_path / "set", class_files() | bad | {"happy/.hidden.png": b"", ".git/happy/x.png": b""})
    ds = load_folder(root, 48)
    assert len(ds) == 6
    got = reasons(ds)
    assert set(got) == set(bad)
    assert got["happy/empty.png"] == "empty file"
    assert got["happy/text.jpg"].startswith("not an image of a known format")
    assert got["happy/cut.png"].startswith("damaged image")
    assert got["happy/dot.png"] == "1x1 pixels, smaller than 16x16"
    assert got["happy/notes.txt"] == "not an image file (.txt)"
    assert got["loose.png"] == "not in a class folder"
    assert "Did you mean 'happy'?" in got["happpy/typo.png"]
    assert all((root / name).exists() for name in bad)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs links and pipes")
def test_links_and_pipes_do_no_harm(tmp_path):
    root = write_files(tmp_path / "set", class_files(1))
    (root / "happy" / "loop").symlink_to(root, target_is_directory=True)
    (root / "happy" / "broken.png").symlink_to(tmp_path / "gone.png")
    (root / "happy" / "linked.png").symlink_to(root / "angry" / "0.png")
    os.mkfifo(root / "happy" / "pipe.png")
    ds = load_folder(root, 48)
    assert ds.ids.tolist() == ["angry/0.png", "happy/0.png", "happy/linked.png"]
    assert reasons(ds)["happy/loop"] == "link to a folder, not followed"
    assert reasons(ds)["happy/broken.png"] == "cannot be read (No such file or directory)"
    assert reasons(ds)["happy/pipe.png"] == "is not a regular file"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the file system takes no such names")
def test_file_names_with_odd_characters(tmp_path):
    root = write_files(tmp_path / "set", class_files(1) | {"happy/a\u202fb ü.png": encoded(face(1))})
    (root / "happy" / "new\nline.png").write_bytes(encoded(face(2)))
    with open(os.fsencode(root) + b"/happy/\xff\xfe.png", "wb") as file:
        file.write(encoded(face(3)))
    ds = load_folder(root, 48)
    assert "happy/a\u202fb ü.png" in ds.ids
    assert reasons(ds) == {
        "happy/new\\nline.png": "file name with unprintable characters",
        "happy/\\udcff\\udcfe.png": "file name with unprintable characters",
    }
    ds.fingerprint()


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, ""),
        ({"readme.txt": b"x"}, "Found: readme.txt: not an image file (.txt)."),
        ({"cats/1.png": encoded(face(0))}, "Found: cats/1.png: not in a class folder. Unknown emotion 'cats'."),
        ({"happy/1.png": b""}, "Found: happy/1.png: empty file."),
    ],
    ids=["empty", "no image", "no emotion", "all damaged"],
)
def test_nothing_usable_is_refused(tmp_path, files, found):
    (tmp_path / "set").mkdir()
    with pytest.raises(DataError) as error:
        load_folder(write_files(tmp_path / "set", files), 48)
    assert "holds no usable image. Expected class folders such as happy/ with images inside" in str(error.value)
    assert found in str(error.value)
