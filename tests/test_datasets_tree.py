from __future__ import annotations

import stat
import struct
import zipfile

import numpy as np
import pytest
from datasets_helpers import class_files, encoded, face, write_zip

from emo_utils.datasets import tree
from emo_utils.datasets.folder import load_folder
from emo_utils.datasets.tree import open_tree
from emo_utils.errors import DataError


def load_with(tmp_path, extra: dict[str, bytes]):
    return load_folder(write_zip(tmp_path / "set.zip", class_files(1) | extra), 48)


@pytest.mark.parametrize(
    "name",
    ["../happy/x.png", "a/../../happy/x.png", "/happy/x.png", "C:/happy/x.png", "..\\happy\\x.png", "happy/.."],
)
def test_entries_that_lead_out_are_skipped_by_name(tmp_path, name):
    ds = load_with(tmp_path, {name: encoded(face(5))})
    assert len(ds) == 2
    assert [reason for _, reason in ds.skipped] == ["entry leads out of the archive"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["set.zip"]


def test_two_dots_inside_a_name_are_harmless(tmp_path):
    assert len(load_with(tmp_path, {"happy/a..b.png": encoded(face(5))})) == 3


def test_hidden_entries_and_mac_leftovers_are_ignored(tmp_path):
    ds = load_with(tmp_path, {"__MACOSX/happy/._0.png": b"x", "happy/.DS_Store": b"x"})
    assert (len(ds), ds.skipped) == (2, ())


def test_link_entries_are_not_followed(tmp_path):
    path = write_zip(tmp_path / "set.zip", class_files(1))
    link = zipfile.ZipInfo("happy/passwd.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert load_folder(path, 48).skipped == (("happy/passwd.png", "link, not followed"),)


def test_entry_that_stands_twice_is_read_once(tmp_path):
    path = write_zip(tmp_path / "set.zip", class_files(1))
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("happy/0.png", encoded(face(99)))
    ds = load_folder(path, 48)
    assert ds.skipped == (("happy/0.png", "stands twice in the archive; the first is used"),)
    np.testing.assert_array_equal(ds.images[1], face(1000))


def test_bomb_entry_is_skipped(tmp_path):
    ds = load_with(tmp_path, {"happy/bomb.bmp": bytes(8 * 2**20)})
    assert dict(ds.skipped) == {"happy/bomb.bmp": "entry packed more than 100 to 1: a possible zip bomb"}


def test_large_entry_is_skipped(tmp_path, monkeypatch):
    monkeypatch.setattr(tree, "MAX_BYTES", 2**20)
    ds = load_with(tmp_path, {"happy/big.bmp": np.random.default_rng(0).bytes(2 * 2**20)})
    assert dict(ds.skipped) == {"happy/big.bmp": "entry of 2 MiB, more than 1 MiB"}


def test_bomb_archive_is_refused(tmp_path):
    bombs = {f"happy/{i}.bmp": bytes(16 * 2**20) for i in range(8)}
    with pytest.raises(DataError, match=r"set\.zip would unpack to 0\.1 GiB: refused as a possible zip bomb\."):
        load_with(tmp_path, bombs)


def test_archive_that_is_too_large_unpacked_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(tree, "MAX_TOTAL", 100)
    with pytest.raises(DataError, match="refused as a possible zip bomb"):
        load_with(tmp_path, {})


def test_encrypted_archive_is_refused(tmp_path):
    path = write_zip(tmp_path / "set.zip", class_files(1))
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flag that says "encrypted"
        at = data.find(signature)
        struct.pack_into("<H", data, at + offset, 1)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"set\.zip is encrypted\. Unpack it with its password"):
        load_folder(path, 48)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut off"])
def test_damaged_archive_is_refused(tmp_path, content):
    (tmp_path / "set.zip").write_bytes(content)
    with pytest.raises(DataError, match=r"set\.zip is not a readable zip archive \(.*\)\. Download it again\."):
        load_folder(tmp_path / "set.zip", 48)


def test_archive_cut_off_is_refused(tmp_path):
    path = write_zip(tmp_path / "set.zip", class_files(3))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="is not a readable zip archive"):
        load_folder(path, 48)


def test_one_damaged_entry_costs_one_image(tmp_path):
    path = write_zip(tmp_path / "set.zip", class_files(2))
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("happy/1.png")
    start = info.header_offset + 30 + len(info.filename)
    data[start + 10 : start + 60] = bytes(50)
    path.write_bytes(data)
    ds = load_folder(path, 48)
    assert len(ds) == 3
    assert ds.skipped[0][0] == "happy/1.png"
    assert ds.skipped[0][1].startswith("damaged archive entry (")


def test_damaged_lzma_entry_costs_one_image(tmp_path):
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        for name, content in class_files(1).items():
            archive.writestr(name, content)
        info = archive.getinfo("happy/0.png")
    data = bytearray(path.read_bytes())
    start = info.header_offset + 30 + len(info.filename)
    data[start + 4] = 255  # the properties of the LZMA stream
    path.write_bytes(data)
    ds = load_folder(path, 48)
    assert ds.ids.tolist() == ["angry/0.png"]
    assert ds.skipped[0][1].startswith("damaged archive entry (")


def test_archive_without_permission_is_not_said_to_be_damaged(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    path = write_zip(tmp_path / "set.zip", class_files(1))
    monkeypatch.setattr(zipfile, "ZipFile", refuse)
    with pytest.raises(DataError, match=r"Permission denied\)\. Check its permissions\.$"):
        load_folder(path, 48)


def test_names_are_sorted_whatever_the_order_in_the_archive(tmp_path):
    path = write_zip(tmp_path / "set.zip", dict(reversed(class_files(3).items())))
    with open_tree(path) as files:
        assert list(files.names) == sorted(files.names)
