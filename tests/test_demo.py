"""The demo's widgets without a browser: what is sent to them, and what they show. The page has a test of its own."""

from __future__ import annotations

import base64
import io
import re
import sys
import types
from datetime import UTC, datetime

import numpy as np
import pytest
from conftest import REPO
from PIL import Image

from emo_utils.demo import build_demo, capture_webcam
from emo_utils.demo.webcam import _MAX_CHARACTERS
from emo_utils.demo.widget import sent_file
from emo_utils.demo.words import answer_html, problem_html, table_html
from emo_utils.errors import DataError, ModelError
from emo_utils.faces import render_face
from emo_utils.prediction import predict, shipped_models

# Colab's ipywidgets 7.7 calls ipykernel's comms by their old name.
pytestmark = pytest.mark.filterwarnings("ignore:The `ipykernel.comm.Comm` class:DeprecationWarning")

DRAWN = "embedded-small-cnn"
ASTRONAUT = REPO / "data" / "samples" / "astronaut.jpg"


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


class Hand:
    """Works the widgets of a demo as a visitor would."""

    def __init__(self, models=(DRAWN,)):
        parts = {}

        def collect(widget):
            parts.setdefault(getattr(widget, "description", "") or type(widget).__name__, []).append(widget)
            for child in getattr(widget, "children", ()):
                collect(child)

        collect(build_demo(list(models)))
        self.sample, self.model, self.face = (parts[name][0] for name in ("Sample", "Model", "Face"))
        self.upload, self.heat = parts["Upload a picture"][0], parts["Show where it looks (Grad-CAM)"][0]
        self.words, self.table = parts["HTML"]
        [self.figure] = parts["Image"]

    def send(self, name: str, content: bytes) -> None:
        """Upload a file in the form of the ipywidgets that is installed."""
        if isinstance(self.upload.value, tuple):
            about = {"name": name, "type": "", "size": len(content), "last_modified": datetime.now(UTC)}
            self.upload.value = ({**about, "content": memoryview(content)},)
        else:
            self.upload.set_trait("value", {name: {"metadata": {"name": name}, "content": content}})

    @property
    def said(self) -> str:
        return re.sub(r"<[^>]*>", " ", self.words.value)

    @property
    def is_clear(self) -> bool:
        return self.figure.value == b"" and self.table.value == "" and self.figure.layout.display == "none"


@pytest.fixture(scope="module")
def happy() -> bytes:
    return png(render_face("happy", person=7, nuisance=0))


@pytest.fixture
def answered(happy):
    """A demo that shows its answer to a happy face."""
    hand = Hand()
    hand.send("smile.png", happy)
    return hand


@pytest.mark.parametrize(
    "value",
    [
        {"a.png": {"metadata": {"name": "a.png"}, "content": b"pixels"}},  # ipywidgets 7
        ({"name": "a.png", "type": "image/png", "size": 6, "content": memoryview(b"pixels")},),  # ipywidgets 8
    ],
)
def test_both_forms_of_an_upload_are_read(value):
    assert sent_file(value) == ("a.png", b"pixels")


@pytest.mark.parametrize("nothing", [{}, ()])
def test_an_emptied_upload_is_none(nothing):
    assert sent_file(nothing) is None


def test_an_upload_is_answered_with_words_figure_and_table(answered):
    assert "happy" in answered.said
    assert "smile.png, face 1 of 1" in answered.said
    assert bytes(answered.figure.value[:4]) == b"\x89PNG"
    assert answered.figure.layout.display is None
    assert answered.table.value.index("happy") < answered.table.value.index("sad")
    assert not answered.upload.value


def test_the_same_file_can_be_sent_again(answered, happy):
    answered.send("junk.jpg", b"no picture")
    answered.send("smile.png", happy)
    assert "happy" in answered.said


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("junk.jpg", b"a text, not a picture", "junk.jpg: not an image of a known format"),
        ("empty.png", b"", "empty.png: empty file"),
        ("tiny.png", png(np.zeros((8, 8), np.uint8)), "tiny.png: 8x8 pixels, smaller than"),
        ("wall.png", png(np.full((400, 600), 90, np.uint8)), "wall.png: .*face"),
        ("large.png", b"\x89PNG" + bytes(64 * 2**20), "large.png: 64 MiB, more than 64 MiB"),
        ("<b>bad</b>.jpg", b"x", "&lt;b&gt;bad"),
    ],
    ids=["text", "empty", "tiny", "no face", "large", "markup"],
)
def test_what_cannot_be_answered_is_said_and_the_last_answer_goes(answered, name, content, message):
    answered.send(name, content)
    assert "role='alert'" in answered.words.value
    assert re.search(message, answered.said)
    assert answered.is_clear


def test_an_unforeseen_error_is_said_without_a_traceback(answered, happy, monkeypatch, caplog):
    def broken(*_, **__):
        raise KeyError("boxes")

    monkeypatch.setattr("emo_utils.demo.widget.predict", broken)
    answered.send("smile.png", happy)
    assert "This should not have happened" in answered.said
    assert "Traceback" not in answered.words.value
    assert answered.is_clear
    assert "the demo failed" in caplog.text


def test_a_model_that_is_gone_is_said(answered):
    hand = Hand([DRAWN, "no-such-model"])
    hand.sample.value = hand.sample.options[-1][1]
    hand.model.value = "no-such-model"
    assert "no-such-model" in hand.said
    assert hand.is_clear


def test_samples_get_an_answer():
    hand = Hand()
    for _, path in (hand.sample.options[1], hand.sample.options[-1]):
        hand.sample.value = path
        assert f"{path.name}, face 1 of" in hand.said


def test_another_model_answers_to_the_same_picture(happy):
    hand = Hand(shipped_models())
    hand.send("smile.png", happy)
    before = hand.table.value
    hand.model.value = DRAWN
    assert hand.table.value != before
    assert "smile.png" in hand.said


def test_of_several_faces_one_is_picked():
    hand = Hand()
    face = np.asarray(Image.open(ASTRONAUT))[:300, 80:380]
    hand.send("two.png", png(np.concatenate([face, face[:, ::-1]], axis=1)))
    assert [label for label, _ in hand.face.options] == ["1 of 2", "2 of 2"]
    assert hand.face.layout.display is None
    first = hand.figure.value
    hand.face.value = 1
    assert "face 2 of 2" in hand.said
    assert hand.figure.value != first


def test_no_model_at_all_is_an_error():
    with pytest.raises(ModelError, match="no model to choose from"):
        build_demo([])


def test_below_the_threshold_it_says_not_sure():
    row = {"emotion": "happy", "confidence": 0.41, "sure": False, "found": True}
    said = answer_html(row, 0.55, "a.png, face 1 of 1")
    assert "<b style='font-size: 1.5em'>not sure</b>" in said
    assert "happy comes first with 41%; this model answers from 55% on" in said
    assert "happy, 41%" in answer_html({**row, "sure": True}, 0, "a.png")


def test_a_picture_without_a_face_is_answered_as_predict_answers_it():
    gradient = np.tile(np.linspace(0, 255, 160, dtype=np.uint8), (160, 1))
    hand = Hand()
    hand.send("gradient.png", png(gradient))
    (row,) = predict(gradient, DRAWN).to_dict("records")
    assert not row["found"]
    assert not row["sure"]
    assert "<b style='font-size: 1.5em'>not sure</b>" in hand.words.value
    assert "no face was found: the whole picture was taken for one" in hand.words.value


def test_nothing_from_outside_becomes_markup():
    row = {"emotion": "a", "confidence": 1, "sure": True, "found": True}
    page = answer_html(row, 0, "<script>") + problem_html("<script>") + table_html({"<script>": 1.0})
    assert "<script>" not in page


@pytest.fixture
def colab(monkeypatch):
    """A double of google.colab.output, which exists in Colab alone; its eval_js answers what `colab.answer` says."""
    double = types.ModuleType("google.colab.output")

    def eval_js(script):
        assert "getUserMedia" in script
        if isinstance(double.answer, Exception):
            raise double.answer
        return double.answer

    double.eval_js = eval_js
    for name in ("google", "google.colab"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "google.colab.output", double)
    return double


def data_address(content: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(content).decode()


def test_outside_colab_one_line_says_what_to_do():
    with pytest.raises(DataError, match="needs Google Colab") as error:
        capture_webcam()
    assert "\n" not in str(error.value)


def test_a_picture_from_the_browser_is_decoded(colab):
    colab.answer = data_address(ASTRONAUT.read_bytes())
    np.testing.assert_array_equal(capture_webcam(), np.asarray(Image.open(ASTRONAUT)))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("", "No picture was taken"),
        (None, "No picture was taken"),
        ("data:text/html;base64,AAAA", "not a JPEG picture"),
        ("data:image/jpeg;base64", "not a JPEG picture"),
        ("data:image/jpeg;base64,@@@@", "damaged"),
        (data_address(b"no picture"), "not an image of a known format"),
        ("data:image/jpeg;base64," + "A" * _MAX_CHARACTERS, "not a JPEG picture"),
        (RuntimeError("NotAllowedError: Permission denied\n  at line 3"), r"NotAllowedError: Permission denied\)"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_line(colab, answer, message):
    colab.answer = answer
    with pytest.raises(DataError, match=message):
        capture_webcam()
