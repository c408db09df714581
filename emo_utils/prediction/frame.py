"""`predict`: pictures in, a table out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emo_utils.prediction.answers import answer_pictures
from emo_utils.prediction.classifier import Classifier, open_classifier
from emo_utils.prediction.pictures import Picture

if TYPE_CHECKING:
    import pandas as pd


def predict(
    pictures: Picture | Sequence[Picture],
    model: str | Path | Classifier | None = None,
    *,
    all_faces: bool = False,
    explain: bool = False,
) -> pd.DataFrame:
    """Find the faces in pictures and say which emotion each shows, and how sure that is.

    Args:
        pictures: a path, a uint8 array, grey (height, width), RGB or RGBA (height, width, channels), or a sequence of
            these. A folder means the images in it and below. A file named twice is answered once. Pictures are turned
            as their EXIF tag says.
        model: see `open_classifier`; None means the model that ships for photographs.
        all_faces: all faces of a picture instead of the largest, and also those of 1/32 to 1/16 of its longer side.
        explain: add a column `heat`, see `grad_cam`; needs Keras and the model's .keras file.

    Returns:
        A row a face: picture, face (from 1, the largest first), x, y, width, height (pixels in the picture), found
        (whether the detector saw a face there; if not, the picture, a small one, was taken whole), emotion, confidence
        (calibrated, 0 to 1), sure (whether it reaches the model's threshold; never if the picture was taken whole and
        has no side below 100 pixels), a column a class with its calibrated probability, problem (None), with `explain`
        heat (float32 array of the shape of the face as the model gets it, 0 to 1). A picture that cannot be read, or
        without a face, has one row, with its problem in words; it is not sure, and all else is missing.

    Raises:
        ModelError: no such model, or no Keras file of it to explain with.
        DataError: neither a path nor an array among the pictures.
    """
    import pandas as pd

    classifier = open_classifier(model)
    answers = list(answer_pictures(pictures, classifier, all_faces=all_faces))
    rows = [answer.row(classifier.class_names) for answer in answers]
    numbers = ("face", "x", "y", "width", "height")
    columns = [*("picture", *numbers, "found", "emotion", "confidence", "sure"), *classifier.class_names, "problem"]
    frame = pd.DataFrame(rows, columns=columns)
    for name in ("confidence", *classifier.class_names):
        frame[name] = frame[name].astype(float)
    for name in numbers:  # NaN has no place in a column of integers
        frame[name] = frame[name].astype(float if frame["problem"].notna().any() else int)
    for name in ("found", "sure"):
        frame[name] = frame[name].astype(bool)
    frame["problem"] = pd.Series([answer.problem for answer in answers], dtype=object)
    if explain:
        from emo_utils.prediction.heat import heat_of

        frame["heat"] = pd.Series(heat_of(answers, classifier), dtype=object)
    return frame
