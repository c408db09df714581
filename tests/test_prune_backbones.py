"""Every backbone of the registry, at its smallest input."""

from __future__ import annotations

import pytest
from test_prune import RECIPES, check_same_as_silenced, faces, trained_like

from emo_utils.models import build_model
from emo_utils.models.backbones import BACKBONES
from emo_utils.prune import LEVELS
from emo_utils.recipe import Recipe

# The others have no batch norm behind some of their filters.
WITH_NORM = ("MobileNetV2", "DenseNet121", "NASNetMobile", "TeacherCNN")


@pytest.mark.parametrize("name", [name for name in BACKBONES if name not in RECIPES])
def test_each_backbone_prunes_as_if_silenced(name):
    model = build_model(Recipe("a", backbone=name, input_size=BACKBONES[name].min_size))
    trained_like(model, faces(model, 8))
    check_same_as_silenced(model, LEVELS["medium"], "batch_norm" if name in WITH_NORM else "l1")
