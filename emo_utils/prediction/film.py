"""Videos and cameras: not every frame is answered, but all that is answered keeps up with what is seen."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import cv2
import numpy as np

from emo_utils.datasets.images import grey_array
from emo_utils.errors import DataError
from emo_utils.export.quiet import quiet_stderr
from emo_utils.prediction.answers import Answer, answer_frame
from emo_utils.prediction.classifier import Classifier
from emo_utils.prediction.pictures import FILM_SUFFIXES

ANSWERS_A_SECOND = 2  # of film; an expression lasts half a second and more
_USUAL_RATE = 25.0  # frames a second, where a file does not say, or says what cannot be
_PATIENCE = 10  # seconds without a picture until a camera counts as gone


def is_film(path: str | Path) -> bool:
    """Return whether a path is named like a video."""
    return Path(path).suffix.lower() in FILM_SUFFIXES


def answer_film(path: str | Path, classifier: Classifier, *, all_faces: bool = False) -> Iterator[Answer]:
    """Answer two frames of every second of a video file.

    A frame without a face gives its problem. A file that cannot be read, or not to its end, gives one that belongs to
    no frame.
    """
    name = str(path)
    try:
        for frame, seconds, grey in _film_frames(Path(path)):
            yield from answer_frame(name, grey, classifier, all_faces=all_faces, frame=frame, seconds=seconds)
    except DataError as error:
        yield Answer(name, str(error))


def answer_camera(number: int, classifier: Classifier, *, all_faces: bool = False) -> Iterator[Answer]:
    """Answer what a camera shows, always its newest picture, until it is gone or the caller has enough.

    A camera that cannot be opened, or that is gone, gives a problem that belongs to no frame.
    """
    name = f"camera {number}"
    try:
        for frame, seconds, grey in _camera_frames(number):
            yield from answer_frame(name, grey, classifier, all_faces=all_faces, frame=frame, seconds=seconds)
    except DataError as error:
        yield Answer(name, str(error))


def _film_frames(path: Path) -> Iterator[tuple[int, float, np.ndarray]]:
    if not path.is_file():  # OpenCV would take the name for an address on the network, or a camera
        raise DataError("no such file")
    with _open(str(path), "not a video that OpenCV can read here") as capture:
        rate = capture.get(cv2.CAP_PROP_FPS)
        rate = rate if math.isfinite(rate) and 1 <= rate <= 1000 else _USUAL_RATE
        step = max(1, round(rate / ANSWERS_A_SECOND))
        announced = capture.get(cv2.CAP_PROP_FRAME_COUNT)  # not by all files, and by some as an estimate
        frame, seconds = 0, 0.0
        while _grab(capture):
            seconds = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if frame % step == 0:
                good, picture = capture.retrieve()
                if good:
                    yield frame, round(frame / rate, 3), _grey(picture)
            frame += 1
        if not frame:
            raise DataError("a video without a frame that can be read")
        # Frames of uneven length come in time, if not in number.
        if announced - frame >= step and announced / rate - seconds > 1 / ANSWERS_A_SECOND:
            raise DataError(f"cut short or damaged: {frame} of its {announced:.0f} frames came")


def _grab(capture: cv2.VideoCapture) -> bool:
    with quiet_stderr():  # FFmpeg's words about a damaged file
        return capture.grab()


def _camera_frames(number: int) -> Iterator[tuple[int, float, np.ndarray]]:
    with (
        _open(number, "cannot be opened. Is it plugged in, and not in use by another program?") as capture,
        _newest(capture) as frames,
    ):
        start = time.monotonic()
        while True:
            try:
                frame, picture = frames.get(timeout=_PATIENCE)
            except queue.Empty:
                picture = None
            if picture is None:
                raise DataError("sends no pictures any more")
            yield frame, round(time.monotonic() - start, 3), _grey(picture)


@contextmanager
def _open(source: str | int, problem: str) -> Iterator[cv2.VideoCapture]:
    with quiet_stderr():  # each of its backends complains, in its own words
        capture = cv2.VideoCapture(source)
    try:
        if not capture.isOpened():
            raise DataError(problem)
        yield capture
    finally:
        capture.release()


@contextmanager
def _newest(capture: cv2.VideoCapture) -> Iterator[queue.Queue]:
    """Yield a queue of at most one (frame, picture), the newest; (frame, None) when there are no more.

    A camera keeps old pictures for who asks late, and answers would fall behind: a thread takes all of them.
    """
    frames: queue.Queue = queue.Queue(maxsize=1)
    enough = threading.Event()

    def read() -> None:
        frame, good = 0, True
        while good and not enough.is_set():
            good, picture = capture.read()
            with suppress(queue.Empty):
                frames.get_nowait()
            frames.put((frame, picture if good else None))
            frame += 1

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield frames
    finally:
        enough.set()
        thread.join(timeout=2)


def _grey(picture: np.ndarray) -> np.ndarray:
    return grey_array(picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
