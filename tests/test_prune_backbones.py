"""Backbones with what the small ones lack, at their smallest input: skips that join, batch norm first, separable."""

from __future__ import annotations

import pytest
from test_prune import check_same_as_silenced, faces, trained_like

from emo_utils.models import build_model
from emo_utils.models.backbones import BACKBONES
from emo_utils.prune import LEVELS
from emo_utils.recipe import Recipe


@pytest.mark.parametrize(
    ("name", "criterion"), [("MobileNetV2", "batch_norm"), ("DenseNet121", "l1"), ("Xception", "batch_norm")]
)
def test_a_backbone_prunes_as_if_silenced(name, criterion):
    model = build_model(Recipe("a", backbone=name, input_size=BACKBONES[name].min_size))
    trained_like(model, faces(model, 8))
    check_same_as_silenced(model, LEVELS["medium"], criterion)
