"""One figure of a picture, a face in it and the answer to this face."""

from __future__ import annotations

import cv2
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emo_utils.datasets.images import grey_array
from emo_utils.plots.prediction import plot_prediction
from emo_utils.prediction import Box, Classifier, crop_face

_LONGEST = 640  # pixels of the longer side as drawn; a phone's 12 million would take seconds and not be seen


def draw_answer(picture: np.ndarray, rows: pd.DataFrame, classifier: Classifier, *, chosen: int = 0) -> Figure:
    """Draw what `predict` found in one picture.

    Args:
        picture: uint8 array of shape (height, width), grey, or (height, width, 3), RGB.
        rows: from `predict` for this picture alone, without a problem; its `heat` is drawn where it is there.
        classifier: the one that answered.
        chosen: the face, counted from 0.
    """
    boxes = rows[["x", "y", "width", "height"]].to_numpy(dtype=int)
    row = rows.iloc[chosen]
    scale = min(1.0, _LONGEST / max(picture.shape[:2]))
    return plot_prediction(
        cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else picture,
        boxes * scale,
        crop_face(grey_array(picture), Box(*boxes[chosen].tolist()), classifier.input_size),
        row[list(classifier.class_names)].astype(float).to_dict(),
        chosen=chosen,
        not_sure_below=classifier.not_sure_below,
        heat=row.get("heat"),
    )
