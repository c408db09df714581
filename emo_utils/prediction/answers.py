"""One answer a face, for pictures of any kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from emo_utils.errors import DataError
from emo_utils.prediction.classifier import Classifier
from emo_utils.prediction.faces import FACE_ITSELF, Box, crop_face, find_faces, find_or_take_whole
from emo_utils.prediction.pictures import Picture, list_pictures, read_grey

NO_FACE = (
    "no face found; try a picture taken from the front, or crop it to the face: 1/16 of the longer side can be seen, "
    "1/32 where all faces are asked for"
)


@dataclass(frozen=True, eq=False)
class Answer:
    """What a model says of one face, or why it says nothing of a picture.

    Attributes:
        picture: its name.
        problem: why there is no answer; the fields below then have their defaults. None otherwise.
        face: its number, from 1, the largest.
        n_faces: in the picture.
        taken_whole: whether no face was found, and the whole picture was taken for one.
        box: of the face, in pixels of the picture.
        crop: uint8 array of shape (input_size, input_size), the face as the model got it.
        probabilities: class -> calibrated probability, in the order of the model's outputs.
        not_sure_below: least confidence of an answer that counts.
        frame, seconds: of a film, its frame from 0 and the time since its start; None for a picture.
    """

    picture: str
    problem: str | None = None
    face: int | None = None
    n_faces: int = 0
    box: Box | None = None
    taken_whole: bool = False
    crop: np.ndarray | None = field(default=None, repr=False)
    probabilities: Mapping[str, float] = field(default_factory=dict)
    not_sure_below: float = 0.0
    frame: int | None = None
    seconds: float | None = None

    @property
    def emotion(self) -> str | None:
        """Return the likeliest class."""
        return max(self.probabilities, key=self.probabilities.get) if self.probabilities else None

    @property
    def confidence(self) -> float | None:
        """Return its probability."""
        return self.probabilities[self.emotion] if self.probabilities else None

    @property
    def sure(self) -> bool:
        """Return whether there is an answer, and one that counts: of a face found, or of a picture as small as one."""
        if not self.probabilities or (self.taken_whole and min(self.box.width, self.box.height) >= FACE_ITSELF):
            return False
        return self.confidence >= self.not_sure_below

    def row(self, class_names: Sequence[str]) -> dict[str, Any]:
        """Return the answer as a flat row; None where there is nothing to say."""
        x, y, width, height = self.box or (None,) * 4
        return {
            "picture": self.picture,
            "face": self.face,
            "x": x,
            "y": y,
            "width": width,
            "height": height,
            "found": self.box is not None and not self.taken_whole,
            "emotion": self.emotion,
            "confidence": self.confidence,
            "sure": self.sure,
            **{name: self.probabilities.get(name) for name in class_names},
            "problem": self.problem,
        }


def answer_pictures(
    pictures: Picture | Sequence[Picture], classifier: Classifier, *, all_faces: bool = False
) -> Iterator[Answer]:
    """Answer pictures one by one; see `predict` for the arguments. One that cannot be used gives its problem."""
    for name, picture in list_pictures(pictures):
        try:
            grey = read_grey(picture)
        except DataError as error:
            yield Answer(name, str(error))
        else:
            boxes, found = find_or_take_whole(grey, fine=all_faces)
            chosen = boxes if all_faces else boxes[:1]
            yield from _answers(grey, chosen, classifier, picture=name, n_faces=len(boxes), taken_whole=not found)


def answer_frame(
    name: str, grey: np.ndarray, classifier: Classifier, *, all_faces: bool = False, **place: Any
) -> list[Answer]:
    """Return the answers to the largest or to all faces found in one frame of a film, which is never a face itself.

    Args:
        name: of the film.
        grey: uint8 array of shape (height, width).
        classifier: from `open_classifier`.
        all_faces: whether to answer all.
        place: frame and seconds.
    """
    boxes = find_faces(grey)
    chosen = boxes if all_faces else boxes[:1]
    return _answers(grey, chosen, classifier, picture=name, n_faces=len(boxes), **place)


def _answers(grey: np.ndarray, boxes: list[Box], classifier: Classifier, **known: Any) -> list[Answer]:
    """Return an answer a box, or the one that there is none; `known` are fields that all of them share."""
    if not boxes:
        return [Answer(problem=NO_FACE, **known)]
    crops = np.stack([crop_face(grey, box, classifier.input_size) for box in boxes])
    return [
        Answer(
            face=number,
            box=box,
            crop=crop,
            probabilities=dict(zip(classifier.class_names, said.tolist(), strict=True)),
            not_sure_below=classifier.not_sure_below,
            **known,
        )
        for number, (box, crop, said) in enumerate(zip(boxes, crops, classifier(crops), strict=True), 1)
    ]
