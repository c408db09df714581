"""Films and cameras: which frames are answered, and what happens where there are none."""

from __future__ import annotations

import itertools
import time

import cv2
import numpy as np
import pytest
from PIL import Image

from emo_utils.prediction import film, open_classifier
from emo_utils.prediction.film import answer_camera, answer_film
from tests.conftest import REPO

SAMPLES = REPO / "data" / "samples"
HEAD = np.asarray(Image.open(SAMPLES / "astronaut.jpg").convert("L"))[20:220, 120:320]
DARK = np.zeros((300, 300, 3), np.uint8)


@pytest.fixture(scope="module")
def classifier():
    return open_classifier()


class VideoCaptureDouble:
    """A double of cv2.VideoCapture: shows `pictures`, BGR arrays or None for a failure, at its own pace."""

    pictures: tuple = ()
    rate = 10.0
    announced = 0
    pause = 0.0
    opened = True
    released = 0

    def __init__(self, source):
        self.source = source
        self._left = iter(self.pictures)
        self._now = None

    def isOpened(self):
        return self.opened

    def get(self, what):
        return {cv2.CAP_PROP_FPS: self.rate, cv2.CAP_PROP_FRAME_COUNT: self.announced, cv2.CAP_PROP_POS_MSEC: 500}[what]

    def grab(self):
        self._now = next(self._left, None)
        return self._now is not None

    def retrieve(self):
        return True, self._now

    def read(self):
        time.sleep(self.pause)
        return self.grab(), self._now

    def release(self):
        type(self).released += 1


@pytest.fixture
def double(monkeypatch):
    made = type("Made", (VideoCaptureDouble,), {})
    monkeypatch.setattr(film.cv2, "VideoCapture", made)
    return made


def bgr(grey):
    return np.repeat(grey[..., None], 3, axis=2)


@pytest.mark.parametrize(
    ("rate", "frames", "seconds"),
    [(10.0, [0, 5, 10], [0, 0.5, 1.0]), (1.0, [*range(12)], [*range(12)]), (float("nan"), [0], [0]), (0.0, [0], [0])],
)
def test_two_answers_a_second_of_film(double, classifier, tmp_path, rate, frames, seconds):
    double.pictures, double.rate = (bgr(HEAD),) * 12, rate
    (tmp_path / "film.mp4").touch()
    answers = list(answer_film(tmp_path / "film.mp4", classifier))
    assert [answer.frame for answer in answers] == frames
    assert [answer.seconds for answer in answers] == seconds
    assert {answer.emotion for answer in answers} == {"happy"}
    assert double.released == 1


def test_a_real_film(classifier, tmp_path):
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 4.0, (200, 200))
    if not writer.isOpened():
        pytest.skip("this OpenCV writes no MJPG")
    for _ in range(5):
        writer.write(bgr(HEAD))
    writer.release()
    answers = list(answer_film(path, classifier))
    assert [(answer.frame, answer.seconds, answer.emotion) for answer in answers] == [
        (0, 0.0, "happy"),
        (2, 0.5, "happy"),
        (4, 1.0, "happy"),
    ]


def test_frames_without_a_face_say_so(double, classifier, tmp_path):
    double.pictures = (DARK,)
    (tmp_path / "film.mp4").touch()
    (answer,) = answer_film(tmp_path / "film.mp4", classifier)
    assert answer.problem.startswith("no face found")
    assert answer.frame == 0


def test_small_films_are_no_faces(double, classifier, tmp_path):
    double.pictures = (np.random.default_rng(0).integers(0, 256, (72, 96, 3), dtype=np.uint8),)
    (tmp_path / "film.mp4").touch()
    (answer,) = answer_film(tmp_path / "film.mp4", classifier)
    assert answer.problem.startswith("no face found")


def test_a_film_cut_short_says_so(double, classifier, tmp_path):
    double.pictures, double.announced = (bgr(HEAD),) * 6, 60
    (tmp_path / "film.mp4").touch()
    *answers, last = answer_film(tmp_path / "film.mp4", classifier)
    assert [answer.frame for answer in answers] == [0, 5]
    assert (last.problem, last.frame) == ("cut short or damaged: 6 of its 60 frames came", None)


def test_files_that_are_no_films(double, classifier, tmp_path):
    (tmp_path / "empty.mp4").touch()
    (answer,) = answer_film(tmp_path / "empty.mp4", classifier)
    assert answer.problem == "a video without a frame that can be read"
    double.opened = False
    (answer,) = answer_film(tmp_path / "empty.mp4", classifier)
    assert answer.problem == "not a video that OpenCV can read here"
    (answer,) = answer_film(tmp_path / "gone.mp4", classifier)
    assert (answer.picture, answer.problem, answer.frame) == (str(tmp_path / "gone.mp4"), "no such file", None)


def test_a_camera_is_answered_until_it_is_gone(double, classifier):
    double.pictures, double.pause = (bgr(HEAD),) * 3, 0.1
    *answers, last = answer_camera(2, classifier)
    assert last.problem == "sends no pictures any more"
    assert 1 <= len(answers) <= 3
    assert {answer.picture for answer in answers} == {"camera 2"}


def test_what_a_camera_shows_meanwhile_is_dropped(double, classifier):
    double.pictures, double.pause = itertools.repeat(bgr(HEAD)), 0.001
    answers = answer_camera(0, classifier)
    frames = []
    for answer in itertools.islice(answers, 3):
        frames.append(answer.frame)
        time.sleep(0.1)  # a slow reader
    answers.close()
    assert frames[2] - frames[1] > 1
    assert double.released == 1


def test_no_camera_is_one_problem(double, classifier):
    double.opened = False
    (answer,) = answer_camera(7, classifier)
    assert answer.picture == "camera 7"
    assert answer.problem.startswith("cannot be opened")
