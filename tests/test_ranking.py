from __future__ import annotations

import numpy as np
import pytest

from emo_utils.errors import DataError
from emo_utils.evaluation import ranking_curves


def test_areas_by_hand():
    # Faces of happy have scores .9 and .4, others .6 and .1: of the four pairs three are in order.
    said = np.array([[0.9, 0.1], [0.4, 0.6], [0.6, 0.4], [0.1, 0.9]])
    happy = ranking_curves(np.array([0, 0, 1, 1]), said, ["happy", "sad"])["happy"]
    assert happy["roc_auc"] == pytest.approx(0.75)
    # Precision is 1 at the first of the two, 2/3 at the second.
    assert happy["average_precision"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert happy["share"] == 0.5
    assert (happy["true_positive_rate"][-1], happy["recall"][0]) == (1, 1)


def test_a_class_without_faces_is_refused():
    with pytest.raises(DataError, match="shows sad"):
        ranking_curves(np.array([0, 0]), np.array([[0.5, 0.5]] * 2), ["happy", "sad"])
