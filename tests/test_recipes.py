"""Every named recipe, run in its quick form."""

from __future__ import annotations

import os
import re

import keras
import pytest

from emo_utils.datasets.embedded import load_embedded
from emo_utils.recipes import CATALOGUE, RECIPES, quick
from emo_utils.training import run_experiment

pytestmark = pytest.mark.usefixtures("drawn_once")

# Of recipes that differ in what another one has too, that other one is trained; EMO_SLOW=1 trains them all. The two
# large nets are built, saved and loaded by the tests of the backbones.
TWINS = re.compile(
    r"transfer-[a-z0-9]+(-augmented|-unfrozen)?|resnext-3-(augmented|balanced)|resnext-4(-dropout-0)?|resnext-5"
    r"|five-(nasnetmobile|densenet121)|jetson-teacher|fer2013-teacher|fer2013-mobilenetv2|.*-minimalistic"
    r"|transfer-(xception|resnet50)-unfrozen-augmented|fer2013-mobilenetv3small|fer2013-small-cnn(-votes)?"
)
SLOW = os.environ.get("EMO_SLOW") == "1"
TRAINED = [name for name in RECIPES if SLOW or not TWINS.fullmatch(name)]


@pytest.fixture
def without_tracing():
    """Two steps do not repay the tracing of a large net; the tests of training trace theirs."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.mark.filterwarnings("ignore:Even though the `tf.config:UserWarning")
@pytest.mark.usefixtures("without_tracing")
@pytest.mark.parametrize("name", TRAINED)
def test_each_recipe_runs_in_its_quick_form(name):
    recipe = quick(RECIPES[name])
    result = run_experiment(recipe, load_embedded(200), limit=32, progress=False)
    assert result.row["status"] == "ok"
    assert result.row["profile"] == "quick"
    assert len(result.curves) == len(recipe.stages)
    assert result.test.class_names == recipe.classes
    assert result.model.input_shape == (None, recipe.input_size, recipe.input_size, 1)


@pytest.mark.parametrize("name", RECIPES)
def test_the_quick_form_needs_no_network_and_changes_only_the_size_of_things(name):
    full, small = RECIPES[name], quick(RECIPES[name])
    assert small.data == "embedded"
    assert small.weights != "imagenet"
    assert (small.backbone, small.head, small.balancing, small.loss, small.augmentation) == (
        full.backbone, full.head, full.balancing, full.loss, full.augmentation,
    )  # fmt: skip
    assert small.classes == tuple(c for c in full.classes if c != "contempt")
    assert [stage.train for stage in small.stages] == [stage.train for stage in full.stages]


def test_every_recipe_has_an_origin_and_its_own_settings():
    assert all(named.source for named in CATALOGUE.values())
    hashes = {}
    for name, recipe in RECIPES.items():
        hashes.setdefault(recipe.hash, []).append(name)
    assert [names for names in hashes.values() if len(names) > 1] == []
