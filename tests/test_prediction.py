"""Faces found and answered in pictures: scale, place, order, calibration, what cannot be used."""

from __future__ import annotations

import glob
import os
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from datasets_helpers import encoded
from PIL import Image

from emo_utils import predict
from emo_utils.cli import main
from emo_utils.datasets.images import decode_grey, grey_array, read_face
from emo_utils.errors import DataError, ModelError
from emo_utils.models.info import DEFAULT_MODEL
from emo_utils.prediction import Box, answer_pictures, crop_face, find_faces, open_classifier, shipped_models
from emo_utils.prediction.faces import find_or_take_whole
from tests.conftest import REPO

SAMPLES = REPO / "data" / "samples"
PHOTO = np.asarray(Image.open(SAMPLES / "astronaut.jpg"))
HEAD = Box(175, 68, 98, 98)  # of the astronaut, as people see it
DRAWN = "embedded-small-cnn"


@pytest.fixture(scope="module")
def classifier():
    return open_classifier()


def inside(box: Box, expected: tuple[float, ...], tolerance: float) -> bool:
    """Return whether a box is where one is expected, within a share of its side."""
    return bool(np.abs(np.subtract(box, expected)).max() <= tolerance * expected[2])


@pytest.mark.parametrize("scale", [0.6, 1.0, 2.5])
def test_the_astronaut_is_found_at_any_scale(scale):
    picture = cv2.resize(
        PHOTO, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    box = find_faces(picture)[0]
    assert inside(box, tuple(scale * value for value in HEAD), 0.15)


def test_faces_are_found_where_they_are_and_the_largest_is_first():
    head = PHOTO[20:220, 120:320]
    canvas = np.full((400, 600, 3), 90, np.uint8)
    canvas[10:210, 10:210] = head
    canvas[240:380, 440:580] = cv2.resize(head, (140, 140), interpolation=cv2.INTER_AREA)
    large, small = find_faces(canvas)
    assert inside(large, (10 + 55, 10 + 48, 98, 98), 0.15)
    assert inside(small, (440 + 0.7 * 55, 240 + 0.7 * 48, 0.7 * 98, 0.7 * 98), 0.15)
    both, one = predict(canvas, all_faces=True), predict(canvas)
    assert both["face"].tolist() == [1, 2]
    assert both["width"].is_monotonic_decreasing
    assert one.iloc[0].equals(both.iloc[0])


def test_no_face_is_no_answer():
    (row,) = predict(np.ascontiguousarray(PHOTO[:, 290:])).itertuples()
    assert row.problem.startswith("no face found")
    assert not row.sure
    assert np.isnan([row.x, row.confidence, row.happy]).all()


@pytest.mark.parametrize("shape", [(48, 48), (99, 180), (180, 200)])
def test_a_picture_that_may_be_a_face_itself_is_taken_whole(shape):
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert find_faces(noise) == []
    assert find_or_take_whole(noise) == ([Box(0, 0, shape[1], shape[0])], False)


def test_a_larger_picture_taken_whole_is_never_sure(classifier):
    class Certain:
        class_names, input_size, not_sure_below = classifier.class_names, 48, 0.5

        def __call__(self, faces):
            return np.eye(7)[[0] * len(faces)]

    certain = Certain()
    grey = np.full((180, 180), 90, np.uint8)
    answers = list(answer_pictures([grey, grey[:99, :99], PHOTO], certain))
    assert [answer.sure for answer in answers] == [False, True, True]
    assert [answer.row(certain.class_names)["found"] for answer in answers] == [False, False, True]


def test_a_small_portrait_is_searched():
    (row,) = predict(cv2.resize(PHOTO, (170, 170), interpolation=cv2.INTER_AREA)).itertuples()
    assert row.found
    assert inside(Box(row.x, row.y, row.width, row.height), tuple(170 / 512 * value for value in HEAD), 0.15)


@pytest.mark.parametrize(
    ("format", "how"), [("JPEG", {"quality": 50}), ("JPEG", {"quality": 40}), ("WEBP", {"quality": 30}), ("GIF", {})]
)
def test_copies_of_the_astronaut_have_one_face(format, how):
    copy = np.asarray(Image.open(BytesIO(encoded(PHOTO, format, **how))).convert("RGB"))
    (box,) = find_faces(copy)
    assert inside(box, HEAD, 0.15)


@pytest.mark.parametrize("scale", [0.85, 0.95, 1.03])
def test_scaled_copies_of_the_astronaut_have_one_face(scale):
    assert len(find_faces(cv2.resize(PHOTO, None, fx=scale, fy=scale))) == 1


def test_small_faces_of_a_group_are_found_if_all_are_asked_for():
    group = np.tile(cv2.resize(PHOTO, (320, 320), interpolation=cv2.INTER_AREA), (3, 4, 1))
    assert len(find_faces(group, fine=True)) == 12


@pytest.mark.parametrize("shape", [(300, 300), (16, 4000), (101, 50_000), (120, 257)])
def test_no_face_is_seen_in_noise_of_any_shape(shape):
    assert find_faces(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)) == []


def test_a_face_cut_out_already_is_answered_as_in_an_evaluation(classifier):
    path = SAMPLES / "drawn_happy.png"
    whole = read_face(path, classifier.input_size)
    expected = classifier(whole[None])[0]
    (row,) = predict(path, classifier).to_dict("records")
    np.testing.assert_array_equal([row[name] for name in classifier.class_names], expected)


@pytest.mark.parametrize(
    ("box", "corner"),
    [
        ((40, 30, 20, 20), (30, 40)),
        ((-5, 0, 20, 20), (0, 0)),
        ((95, 70, 20, 20), (60, 80)),
        ((0, 0, 140, 140), (0, 20)),
    ],
)
def test_crops_stay_inside_the_picture(box, corner):
    grey = np.arange(80)[:, None] + np.arange(100)[None].astype(np.uint8)
    side = min(box[2], 80)
    crop = crop_face(grey.astype(np.uint8), Box(*box), side, margin=1)
    assert crop.shape == (side, side)
    assert crop[0, 0] == sum(corner)


def test_margin_widens_the_crop():
    grey = np.zeros((100, 100), np.uint8)
    grey[40:60, 40:60] = 255
    assert crop_face(grey, Box(40, 40, 20, 20), 40, margin=1).mean() == 255
    assert crop_face(grey, Box(40, 40, 20, 20), 40, margin=2).mean() == pytest.approx(255 / 4, abs=2)


def test_kinds_of_pictures_agree(tmp_path, classifier):
    grey = cv2.cvtColor(PHOTO, cv2.COLOR_RGB2GRAY)
    rgba = np.dstack([PHOTO, np.full(PHOTO.shape[:2], 255, np.uint8)])
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side: to be turned clockwise
    (tmp_path / "turned.png").write_bytes(encoded(np.ascontiguousarray(np.rot90(PHOTO)), exif=exif))
    (tmp_path / "palette.gif").write_bytes(encoded(grey, "GIF"))
    pictures = [PHOTO, grey, rgba, tmp_path / "turned.png", str(tmp_path / "palette.gif"), SAMPLES / "astronaut.jpg"]
    frame = predict(pictures, classifier)
    assert frame["problem"].isna().all()
    assert frame["picture"].tolist()[:3] == ["picture 1", "picture 2", "picture 3"]
    assert (frame["emotion"] == "happy").all()
    for row in frame.to_dict("records"):
        assert inside(Box(row["x"], row["y"], row["width"], row["height"]), HEAD, 0.15)
    assert frame["confidence"].max() - frame["confidence"].min() < 0.01
    assert frame["sure"].all()


def test_every_bad_picture_has_its_line_and_the_rest_is_done(tmp_path):
    (tmp_path / "words.jpg").write_text("not a picture")
    (tmp_path / "empty.png").touch()
    (tmp_path / "cut.jpg").write_bytes((SAMPLES / "astronaut.jpg").read_bytes()[:9000])
    (tmp_path / "none").mkdir()
    with open(tmp_path / "huge.png", "wb") as file:
        file.truncate(65 * 2**20)  # sparse: takes no room
    bad = {
        "words.jpg": "not an image of a known format",
        "empty.png": "empty file",
        "cut.jpg": "damaged image",
        "none": "no image in this folder",
        "huge.png": "file of 65 MiB",
        "gone.jpg": "No such file",
    }
    arrays = [np.zeros((200, 200)), np.zeros((200, 200, 2), np.uint8), np.zeros((8, 8), np.uint8)]
    frame = predict([*(tmp_path / name for name in bad), *arrays, SAMPLES / "astronaut.jpg"])
    *problems, good = frame["problem"]
    wanted = [*bad.values(), "float64 array", "wanted is uint8", "smaller than 16x16"]
    for problem, text in zip(problems, wanted, strict=True):
        assert text in problem
    assert good is None
    assert frame["sure"].tolist() == [False] * len(problems) + [True]


def test_a_folder_gives_its_images_by_name(tmp_path):
    for name in ("b.png", "a/c.PNG", "notes.txt", ".hidden.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((SAMPLES / "drawn_happy.png").read_bytes())
    frame = predict([tmp_path, tmp_path / "b.png", tmp_path / "a" / ".." / "b.png"])  # b.png thrice
    assert frame["picture"].tolist() == [str(tmp_path / "a" / "c.PNG"), str(tmp_path / "b.png")]


def test_what_a_folder_holds_and_is_not_read_is_said(tmp_path):
    for name in ("b.png", "c.HEIC", "d.heic", "film.mp4", "notes.txt"):
        (tmp_path / name).write_bytes((SAMPLES / "drawn_happy.png").read_bytes())
    (tmp_path / "e\n.png").touch()
    problems = dict(zip(*(predict(tmp_path)[name] for name in ("picture", "problem")), strict=True))
    assert problems[str(tmp_path / "b.png")] is None
    assert problems[str(tmp_path / "e\\n.png")] == "file name with unprintable characters"
    assert problems[str(tmp_path)].startswith("not answered: 2 .heic, 1 .mp4.")
    (film,) = predict(tmp_path / "film.mp4")["problem"]
    assert "python -m emo_utils predict FILM" in film


def test_a_path_that_cannot_be_stops_nothing(tmp_path, monkeypatch):
    scandir, closed = os.scandir, tmp_path / "closed"
    closed.mkdir()

    def guarded(path):
        if Path(path) == closed:
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr("emo_utils.datasets.tree.os.scandir", guarded)
    frame = predict([closed, "x" * 300, "a\0b", SAMPLES / "astronaut.jpg"])
    for problem, text in zip(frame["problem"], ("cannot be listed", "too long", "no file can have"), strict=False):
        assert text in problem
    assert frame["problem"].iloc[3] is None


def test_no_pictures_give_an_empty_table(classifier):
    frame = predict([], classifier)
    assert len(frame) == 0
    assert set(classifier.class_names) < set(frame.columns)


def test_what_is_no_picture_is_refused(classifier):
    with pytest.raises(DataError, match=r"Picture 2 is of type int. Give a path"):
        predict([PHOTO, 3], classifier)
    for wrong in (None, 3, Image.fromarray(PHOTO)):
        with pytest.raises(DataError, match=r"Nothing to predict on.*Give a path"):
            predict(wrong, classifier)


def test_one_channel_and_wide_integers_are_grey():
    grey = cv2.cvtColor(PHOTO, cv2.COLOR_RGB2GRAY)
    np.testing.assert_array_equal(grey_array(grey[..., None]), grey)
    np.testing.assert_array_equal(decode_grey(encoded(grey.astype(np.int32), "TIFF")), grey)


def test_models_by_name_path_and_as_they_are(tmp_path, classifier):
    assert classifier.name == DEFAULT_MODEL == shipped_models()[0]
    assert open_classifier(classifier) is classifier
    assert open_classifier(f"model/{DRAWN}.tflite").class_names == open_classifier(DRAWN).class_names
    assert open_classifier(f"{DRAWN}-int8").path.name == f"{DRAWN}-int8.tflite"
    (tmp_path / "junk.tflite").write_bytes(b"junk")
    for model, message in (
        ("nonsense", f"no such model.*{DRAWN}"),
        (tmp_path / "junk.tflite", "LiteRT cannot load it"),
        (tmp_path / "gone.tflite", "no such model file"),
        (SAMPLES / "astronaut.jpg", "takes .tflite and .keras files"),
    ):
        with pytest.raises(ModelError, match=message):
            open_classifier(model)


def test_the_threshold_decides_what_is_sure(classifier):
    rows = predict(sorted(SAMPLES.glob("*.png")), classifier)
    assert (rows["sure"] == (rows["confidence"] >= classifier.not_sure_below)).all()
    assert 0 < classifier.not_sure_below < 1
    assert rows["sure"].nunique() == 2  # it knows no drawn faces, so there are both


def test_the_model_for_drawn_faces_knows_the_drawn_samples():
    rows = predict(sorted(SAMPLES.glob("drawn_*.png")), DRAWN)
    right = [f"drawn_{row.emotion}.png" in row.picture for row in rows.itertuples()]
    assert sum(right) >= 5


@pytest.mark.parametrize("page", ["README.md", "data/samples/README.md"])
def test_transcripts_are_what_comes_out(page, capsys, monkeypatch):
    """Every command `$ python -m emo_utils predict ...` of a page is followed by its output."""
    monkeypatch.chdir(REPO)
    text = (REPO / page).read_text(encoding="utf-8")
    for command, shown in re.findall(r"^\$ python -m emo_utils (predict .*)\n((?:(?!```|\$ ).*\n)*)", text, re.M):
        words = [name for word in command.split() for name in (sorted(glob.glob(word)) if "*" in word else [word])]
        main(words)
        assert [line.rstrip() for line in shown.splitlines()] == capsys.readouterr().out.splitlines(), command


def test_neither_keras_nor_its_kin_is_imported():
    code = (
        "import sys; from emo_utils.cli import main; code = main(sys.argv[1:]); "
        "heavy = {'tensorflow', 'keras', 'jax', 'matplotlib', 'sklearn', 'pandas'} & set(sys.modules); "
        "print(sorted(heavy), file=sys.stderr); sys.exit(code)"
    )
    words = ("predict", str(SAMPLES / "astronaut.jpg"))
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, encoding="utf-8")
    assert (done.returncode, done.stderr.strip()) == (0, "[]")
    assert "happy 9" in done.stdout
