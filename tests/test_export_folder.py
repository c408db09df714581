from __future__ import annotations

import pytest

from emo_utils.errors import EmoUtilsError
from emo_utils.export.folder import new_folder


def test_a_folder_appears_whole(tmp_path):
    target = tmp_path / "deep" / "out"
    with new_folder(target) as draft:
        (draft / "a.txt").write_text("a", encoding="utf-8")
        assert not target.exists()
    assert [p.name for p in target.iterdir()] == ["a.txt"]
    assert [p.name for p in target.parent.iterdir()] == ["out"]


def test_after_an_error_nothing_is_left(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(FileNotFoundError), new_folder(tmp_path / "out") as draft:
        (draft / "a.txt").rename(draft / "b.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert not any((tmp_path / "out").iterdir())


def test_what_is_there_stays(tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(EmoUtilsError, match="not empty"), new_folder(tmp_path):
        pass
    with pytest.raises(EmoUtilsError, match=r"mine\.txt is a file"), new_folder(tmp_path / "mine.txt"):
        pass
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "mine"


def test_a_link_to_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with new_folder(tmp_path / "link") as draft:
        (draft / "a.txt").touch()
    assert (tmp_path / "link").is_symlink()
    assert [p.name for p in (tmp_path / "real").iterdir()] == ["a.txt"]
