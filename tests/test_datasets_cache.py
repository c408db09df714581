from __future__ import annotations

import os

import numpy as np
import pytest
from datasets_helpers import class_files, encoded, face, write_files, write_zip

from emo_utils.datasets import cache, load_dataset
from emo_utils.paths import data_dir


@pytest.fixture
def decoded(monkeypatch):
    """Count how often something is decoded rather than taken from the cache."""
    calls = []
    read = load_dataset.__globals__["_read"]
    monkeypatch.setitem(load_dataset.__globals__, "_read", lambda *a: calls.append(a) or read(*a))
    return calls


def cache_files(folder):
    return sorted((folder / cache.FOLDER).glob("*"))


@pytest.mark.parametrize("form", ["folder", "zip", "ckplus"])
def test_second_load_is_the_same_and_decodes_nothing(tmp_path, decoded, form):
    files = class_files() | {"happy/bad.png": b"x"}
    if form == "ckplus":
        files = {"anger/S010_004_00000017.png": encoded(face(1)), "happy/S010_005_00000017.png": encoded(face(2))}
    source = write_zip(tmp_path / "set.zip", files) if form == "zip" else write_files(tmp_path / "set", files)
    first, second = load_dataset(source), load_dataset(source)
    assert len(decoded) == 1
    assert first.fingerprint() == second.fingerprint()
    assert (first.name, first.skipped, first.class_names) == (second.name, second.skipped, second.class_names)
    assert np.array_equal(first.groups, second.groups)


def test_cache_lies_beside_the_source_and_is_no_part_of_a_folder_above(tmp_path):
    load_dataset(write_files(tmp_path / "all" / "set", class_files()))
    assert len(cache_files(tmp_path / "all")) == 1
    assert load_dataset(tmp_path / "all").skipped == ()


def replace_keeping_size_and_time(path):
    info, content = path.stat(), bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "happy" / "0.png").write_bytes(encoded(face(77))),
        lambda root: (root / "happy" / "0.png").unlink(),
        lambda root: (root / "happy" / "new.png").write_bytes(encoded(face(77))),
        lambda root: (root / "happy" / "0.png").rename(root / "angry" / "9.png"),
        lambda root: os.utime(root / "happy" / "0.png", (1, 1)),
        lambda root: replace_keeping_size_and_time(root / "happy" / "0.png"),
    ],
    ids=["content", "deleted", "added", "moved", "time", "same size and time"],
)
def test_changed_source_is_read_again_and_leaves_one_cache(tmp_path, decoded, change):
    root = write_files(tmp_path / "set", class_files())
    load_dataset(root)
    change(root)
    load_dataset(root)
    assert len(decoded) == 2
    assert len(cache_files(tmp_path)) == 1


def test_new_version_and_other_size_are_read_again(tmp_path, decoded, monkeypatch):
    root = write_files(tmp_path / "set", class_files())
    load_dataset(root)
    assert load_dataset(root, size=32).images.shape[1:] == (32, 32)
    monkeypatch.setattr(cache, "CACHE_VERSION", cache.CACHE_VERSION + 1)
    load_dataset(root)
    assert len(decoded) == 3


def overwrite(path, **arrays):
    with np.load(path) as file:
        content = dict(file) | arrays
    np.savez(path, **content)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"garbage"),
        lambda path: path.write_bytes(path.read_bytes()[:-200]),
        lambda path: path.write_bytes(path.read_bytes().replace(face(1000).tobytes(), face(1).tobytes())),
        lambda path: overwrite(path, labels=np.arange(6) + 90),
        lambda path: overwrite(path, ids=np.array(["one"])),
        lambda path: overwrite(path, ids=np.array([{"an": "object"}] * 6, dtype=object)),
    ],
    ids=["empty", "garbage", "cut", "other pixels", "labels", "length", "pickle"],
)
def test_damaged_cache_is_rebuilt_not_believed(tmp_path, decoded, damage):
    root = write_files(tmp_path / "set", class_files())
    good = load_dataset(root).fingerprint()
    damage(cache_files(tmp_path)[0])
    assert load_dataset(root).fingerprint() == good
    assert load_dataset(root).fingerprint() == good
    assert len(decoded) == 2


def test_read_only_folder_is_left_alone(tmp_path, decoded):
    (tmp_path / "locked").mkdir()
    source = write_zip(tmp_path / "locked" / "set.zip", class_files())
    (tmp_path / "locked").chmod(0o555)
    try:
        load_dataset(source)
        load_dataset(source)
        assert [p.name for p in (tmp_path / "locked").iterdir()] == ["set.zip"]
    finally:
        (tmp_path / "locked").chmod(0o755)
    assert len(cache_files(data_dir())) == 1
    assert len(decoded) == 1


def test_without_a_writable_place_the_data_is_simply_read(tmp_path, monkeypatch):
    monkeypatch.setattr(cache.tempfile, "mkstemp", lambda **_: (_ for _ in ()).throw(OSError("disk full")))
    assert len(load_dataset(write_files(tmp_path / "set", class_files()))) == 6


def test_interrupted_write_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(cache.np, "savez", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load_dataset(write_files(tmp_path / "set", class_files()))
    assert cache_files(tmp_path) == []


def test_two_sources_of_one_name_have_two_caches(tmp_path, decoded):
    a = write_files(tmp_path / "a" / "set", class_files(1))
    b = write_files(tmp_path / "b" / "set", class_files(2))
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.chmod(0o555)
    assert (len(load_dataset(a)), len(load_dataset(b)), len(load_dataset(a))) == (2, 4, 2)
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.chmod(0o755)
    assert len(decoded) == 2
