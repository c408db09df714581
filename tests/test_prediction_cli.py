"""`predict` on the command line: what is printed where, what is written, and the exit code."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys

import pytest

from emo_utils.atomic import check_replaceable, replacing
from emo_utils.cli import main, predict
from emo_utils.errors import ModelError
from emo_utils.prediction import Answer, Box
from emo_utils.prediction import answers as answers_module
from emo_utils.prediction import film as film_module
from emo_utils.prediction.answers import NO_FACE
from emo_utils.prediction.lines import answer_lines, bar, blocks_for, clock
from tests.conftest import REPO

SAMPLES = REPO / "data" / "samples"
HAPPY, SAD = str(SAMPLES / "drawn_happy.png"), str(SAMPLES / "drawn_sad.png")
MODEL = ("--model", "embedded-small-cnn")


def answer(**more):
    known = {"face": 1, "n_faces": 1, "box": Box(0, 0, 9, 9), "probabilities": {"happy": 0.41, "sad": 0.59}}
    return Answer(**{"picture": "a.png", "not_sure_below": 0.5, **known, **more})


def test_lines():
    assert answer_lines(answer(), "#.") == ["a.png  sad 59 %                   ############........"]
    assert answer_lines(answer(not_sure_below=0.6), "#.", name_width=7) == [
        "a.png    not sure (sad 59 %)        ############........"
    ]
    assert answer_lines(answer(n_faces=3), "#.")[0].startswith("a.png  face 1 of 3  sad 59 %")
    assert answer_lines(answer(face=2, n_faces=3), "#.")[0].startswith("a.png  face 2  sad 59 %")
    assert answer_lines(answer(), "#.", show_all=True)[1:] == [
        "    sad     59 %  ############........",
        "    happy   41 %  ########............",
    ]
    assert answer_lines(answer(frame=45, seconds=1.5), "#.")[0].startswith("00:01.5  sad 59 %")
    assert answer_lines(Answer("f.mp4", NO_FACE, frame=45, seconds=61.5), "#.") == ["01:01.5  no face"]


@pytest.mark.parametrize(("seconds", "text"), [(0, "00:00.0"), (59.97, "01:00.0"), (3725.04, "62:05.0")])
def test_clock(seconds, text):
    assert clock(seconds) == text


def test_bars_a_terminal_can_show():
    assert (blocks_for("utf-8"), blocks_for("cp1252"), blocks_for(None), blocks_for("no such")) == ("█░", *["#."] * 3)
    assert bar(0, "#.") == "." * 20
    assert bar(1, "#.") == "#" * 20


def test_pictures_one_line_each_and_problems_on_stderr(tmp_path, capsys):
    (tmp_path / "words.jpg").write_text("not a picture")
    code = main(["predict", HAPPY, str(tmp_path / "words.jpg"), str(tmp_path / "gone.png"), SAD, *MODEL])
    out, err = capsys.readouterr()
    assert code == 1
    first, second = out.splitlines()
    assert first.startswith(HAPPY)
    assert "happy 9" in first
    assert "sad 8" in second
    unknown, gone = err.splitlines()
    assert unknown.startswith(f"error: {tmp_path / 'words.jpg'}: not an image of a known format")
    assert gone == f"error: {tmp_path / 'gone.png'}: cannot be read (No such file or directory)"


def test_the_same_words_on_every_run(capsys):
    texts = []
    for _ in range(2):
        assert main(["predict", HAPPY, SAD, *MODEL, "--show-all"]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert len(texts[0].splitlines()) == 2 * 8


def test_json_is_all_there_is_on_stdout(tmp_path, capsys):
    assert main(["predict", HAPPY, str(tmp_path / "gone.png"), *MODEL, "--json", "--show-all"]) == 1
    good, bad = map(json.loads, capsys.readouterr().out.splitlines())
    assert (good["emotion"], good["sure"], good["problem"]) == ("happy", True, None)
    assert sum(good[name] for name in ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")) == (
        pytest.approx(1, abs=0.001)
    )
    assert "frame" not in good
    assert (bad["emotion"], bad["happy"], bad["sure"]) == (None, None, False)
    assert "No such file" in bad["problem"]


def test_csv_has_a_row_a_face_and_replaces_the_file_whole(tmp_path, capsys, monkeypatch):
    path = tmp_path / "new" / "answers.csv"
    assert main(["predict", HAPPY, SAD, *MODEL, "--csv", str(path)]) == 0
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["emotion"] for row in rows] == ["happy", "sad"]
    assert rows[0]["picture"] == HAPPY
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(csv.DictWriter, "writerows", full)
    assert main(["predict", HAPPY, *MODEL, "--csv", str(path)]) == 1
    assert "No space left" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["answers.csv"]


def test_films_are_told_by_their_name(tmp_path, capsys, monkeypatch):
    frames = [answer(picture="f.mp4", frame=0, seconds=0.0), Answer("f.mp4", NO_FACE, frame=12, seconds=0.5)]
    monkeypatch.setattr(film_module, "answer_film", lambda *_, **__: iter(frames))
    path = tmp_path / "answers.csv"
    assert main(["predict", "f.mp4", *MODEL, "--csv", str(path)]) == 0
    name, first, second = capsys.readouterr().out.splitlines()
    assert name == "f.mp4"
    assert first.startswith("00:00.0  sad 59 %")
    assert second == "00:00.5  no face"
    with open(path, encoding="utf-8", newline="") as file:
        assert [(row["frame"], row["seconds"]) for row in csv.DictReader(file)] == [("0", "0.0"), ("12", "0.5")]
    monkeypatch.setattr(film_module, "answer_film", lambda *_, **__: iter(frames[1:]))
    assert main(["predict", "f.mp4", *MODEL]) == 1
    assert capsys.readouterr().err == "error: f.mp4: no face in any of the frames that were answered\n"


def test_a_camera_ends_with_what_was_seen(tmp_path, capsys, monkeypatch):
    def seen_and_stopped(*_, **__):
        yield answer(picture="camera 0", frame=3, seconds=0.1)
        raise KeyboardInterrupt

    monkeypatch.setattr(film_module, "answer_camera", seen_and_stopped)
    path = tmp_path / "answers.csv"
    assert main(["predict", "--camera", *MODEL, "--csv", str(path)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines()[0] == "camera 0"
    assert len(path.read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "name a picture, a folder or a video"),
        (["a.png", "--camera"], 2, "--camera: invalid int value|name a picture"),
        (["a.png", "--camera", "0"], 2, "name a picture, a folder or a video"),
        (["--camera", "-1"], 2, "cameras are counted from 0"),
        (["a.png", "--csv", "."], 2, "--csv .: is a folder"),
        (["a.png", "--csv", "a.csv", "--explain", "a.csv"], 2, "is the folder of --explain"),
        (["a.png", "--explain", __file__], 2, "is a file; --explain wants a folder"),
        (["words", "--csv", "./words"], 2, "--csv words: is one of the pictures"),
        (["a.png", "--csv", "b.JPG"], 2, "--csv b.JPG: is named like a picture, a film or a model"),
        (["a.png", "--csv", "b.mp4"], 2, "named like a picture, a film or a model"),
        (["a.png", "--csv", "b.keras"], 2, "named like a picture, a film or a model"),
        ([""], 2, "an empty name"),
        (["a.png", "--csv", ""], 2, "an empty name"),
        (["a.png", "--explain", ""], 2, "an empty name"),
        (["a.png", "--model", ""], 2, "an empty name"),
        (["a.png", "--csv", f"{__file__}/a.csv"], 1, f"{__file__}"),
        (["a.png", "--model", "nonsense"], 1, "nonsense: no such model"),
    ],
)
def test_wrong_use_is_one_line(words, code, message, capsys):
    assert main(["predict", *words]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert any(part in err for part in message.split("|"))
    assert err.count("\n") == 1


def test_explanations_need_the_keras_file(tmp_path, capsys):
    shutil.copy(REPO / "model" / "embedded-small-cnn.tflite", tmp_path / "alone.tflite")
    words = ["predict", HAPPY, "--model", str(tmp_path / "alone.tflite"), "--explain", str(tmp_path / "heat")]
    assert main(words) == 1
    assert "put its Keras file beside it: alone.keras" in capsys.readouterr().err
    assert not (tmp_path / "heat").exists()


def test_no_picture_of_heat_replaces_another(tmp_path):
    assert predict._free(tmp_path, answer()).name == "a-face1.png"
    (tmp_path / "a-face1.png").touch()
    assert predict._free(tmp_path, answer()).name == "a-face1-2.png"
    assert predict._free(tmp_path, answer(picture="f.mp4", frame=12)).name == "f-000012-face1.png"


def table_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_no_picture_becomes_a_table_through_a_link_or_in_a_folder(tmp_path, capsys):
    photo = tmp_path / "photos" / "happy.png"
    photo.parent.mkdir()
    shutil.copy(HAPPY, photo)
    (tmp_path / "link.csv").symlink_to(photo)
    shutil.copy(HAPPY, tmp_path / "photos" / "bare")
    assert main(["predict", str(photo.parent), *MODEL, "--csv", str(tmp_path / "link.csv")]) == 2
    assert "is one of the pictures" in capsys.readouterr().err
    assert main(["predict", SAD, *MODEL, "--csv", str(tmp_path / "link.csv")]) == 2
    assert "named like a picture" in capsys.readouterr().err
    assert photo.read_bytes() == (SAMPLES / "drawn_happy.png").read_bytes()


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "there" / "answers.csv")
    for text in ("first", "second"):
        with replacing(link) as partial:
            partial.write_text(text, encoding="utf-8")
        assert link.is_symlink()
        assert (tmp_path / "there" / "answers.csv").read_text(encoding="utf-8") == text
    assert [entry.name for entry in (tmp_path / "there").iterdir()] == ["answers.csv"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_what_is_no_ordinary_file_is_not_replaced(tmp_path, capsys):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(FileExistsError, match="not an ordinary file"), replacing(pipe):
        pass
    assert main(["predict", HAPPY, *MODEL, "--csv", str(pipe)]) == 1
    out, err = capsys.readouterr()
    assert out == ""  # before the first answer
    assert err.startswith(f"error: {pipe}: not an ordinary file")
    assert [entry.name for entry in tmp_path.iterdir()] == ["pipe"]
    assert pipe.is_fifo()


def test_a_folder_that_takes_no_files_is_named_as_the_user_did(tmp_path, capsys, monkeypatch):
    def refuse(*_, dir, **__):
        raise PermissionError(13, "Permission denied", f"{dir}/.answers-1234.csv")

    monkeypatch.setattr("emo_utils.atomic.tempfile.mkstemp", refuse)
    for option, name in (("--csv", "answers.csv"), ("--explain", "heat")):
        path = tmp_path / name
        assert main(["predict", HAPPY, *MODEL, option, str(path)]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(f"error: {path}: Permission denied")


def test_a_check_leaves_nothing(tmp_path):
    check_replaceable(tmp_path)
    check_replaceable(tmp_path / "new.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text here")
def test_names_that_are_no_text_are_escaped(tmp_path, capsys):
    names = [os.fsencode(tmp_path) + name for name in (b"/lat\xe9.png", b"/two\nlines.png")]
    for name in names:
        shutil.copy(HAPPY, name)
    path = tmp_path / "answers.csv"
    assert main(["predict", *map(os.fsdecode, names), *MODEL, "--csv", str(path)]) == 0
    latin, lines = capsys.readouterr().out.splitlines()
    assert latin.startswith(f"{tmp_path}/lat\\udce9.png  ")
    assert lines.startswith(f"{tmp_path}/two\\nlines.png  ")
    assert [row["picture"] for row in table_of(path)] == [f"{tmp_path}/lat\\udce9.png", f"{tmp_path}/two\nlines.png"]
    assert main(["predict", os.fsdecode(names[0]), *MODEL, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["picture"] == f"{tmp_path}/lat\\udce9.png"
    assert main(["predict", f"{tmp_path}/no\nsuch.png", *MODEL]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(("stop", "code"), [(KeyboardInterrupt(), 130), (ModelError("no probabilities"), 1)])
def test_answers_given_are_written_whatever_comes_after(stop, code, tmp_path, capsys, monkeypatch):
    def one_and_no_more(*_, **__):
        yield answer()
        raise stop

    monkeypatch.setattr(answers_module, "answer_pictures", one_and_no_more)
    path = tmp_path / "answers.csv"
    assert main(["predict", "a.png", *MODEL, "--csv", str(path)]) == code
    assert [row["picture"] for row in table_of(path)] == ["a.png"]


def test_answers_are_written_though_nobody_reads_on(tmp_path, monkeypatch):
    def closed(*_, **__):
        raise BrokenPipeError

    monkeypatch.setattr(predict, "_show", closed)
    monkeypatch.setattr("emo_utils.cli.os.dup2", lambda *_: None)
    monkeypatch.setattr(sys.stdout, "fileno", lambda: 1, raising=False)
    path = tmp_path / "answers.csv"
    assert main(["predict", HAPPY, SAD, *MODEL, "--csv", str(path)]) == 0
    assert [row["emotion"] for row in table_of(path)] == ["happy"]


def test_a_python_without_the_packages_says_what_to_do():
    words = [sys.executable, "-S", "-E", "-m", "emo_utils", "predict", HAPPY]
    done = subprocess.run(words, cwd=REPO, capture_output=True, text=True, encoding="utf-8")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: this Python has no package ")
    assert 'pip install -e ".[tf,course]"' in done.stderr


def test_a_module_of_our_own_that_is_missing_keeps_its_traceback(monkeypatch):
    from emo_utils.__main__ import _run

    monkeypatch.setitem(sys.modules, "emo_utils.prediction.classifier", None)
    monkeypatch.setattr(sys, "argv", ["emo_utils", "predict", HAPPY])
    with pytest.raises(ModuleNotFoundError, match=r"emo_utils\.prediction\.classifier"):
        _run()
