from __future__ import annotations

import hashlib
import json

import pytest

from emo_utils.errors import RecipeError
from emo_utils.recipe import Augmentation, Head, Recipe, Stage
from emo_utils.recipes import RECIPES, get_recipe


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_named_recipes_survive_json(recipe):
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert Recipe.from_json(recipe.to_json()).hash == recipe.hash


def test_hash_ignores_key_order_float_format_and_name():
    values = get_recipe("fer2013-small-cnn").to_dict()
    text = json.dumps(dict(reversed(values.items()))).replace("0.003", "3e-3").replace("0.1,", "1.0e-1,")
    other = Recipe.from_json(text).but(name="another.name_2")
    assert other.hash == get_recipe("fer2013-small-cnn").hash
    assert Recipe("a", weight_decay=0).hash == Recipe("a", weight_decay=0.0).hash


def test_hash_counts_only_what_differs_from_the_defaults():
    # A field that is added later, with a default that changes nothing, must not rename the runs that are recorded.
    assert Recipe("a").hash == hashlib.sha256(b"{}").hexdigest()[:12]
    assert Recipe("a", head=Head(units=(8,))).hash == Recipe("b", head=Head(units=[8], dropout=0.2)).hash


def test_hash_depends_on_every_value_family_on_all_but_the_seed():
    base = Recipe("a")
    assert base.but(seed=1).hash != base.hash
    assert base.but(seed=1).family == base.family
    assert base.but(batch_size=32).family != base.family
    assert base.but(augmentation=Augmentation(flip=True)).hash != base.hash
    assert base.but(stages=[Stage(epochs=3)]).hash != base.hash


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backbone": "MobilNetV3Small"}, "Recipe.backbone must be one of .* Got 'MobilNetV3Small'. Did you mean"),
        ({"data": "ckplus"}, "ckplus has no class neutral. It has: angry, disgust"),
        ({"data": "fer2013", "classes": ["happy", "contempt"]}, "fer2013 has no class contempt"),
        ({"classes": ["happy", "hapy"]}, "Unknown emotion 'hapy'.*Did you mean 'happy'"),
        ({"classes": ["happy"]}, "two or more different emotions"),
        ({"classes": ["happy", "joy"]}, "two or more different emotions"),
        ({"batch_size": 0}, "Recipe.batch_size must be a whole number between 1 and 65536. Got 0"),
        ({"batch_size": 1.5}, "Recipe.batch_size must be a whole number"),
        ({"batch_size": True}, "Recipe.batch_size must be a whole number"),
        ({"label_smoothing": float("nan")}, "Recipe.label_smoothing must be a number between 0 and 0.9"),
        ({"weight_decay": 0.1}, "only adamw decays"),
        ({"warmup_epochs": 1}, "only cosine warms up"),
        ({"weights": "resnet.h5"}, "path of a .keras or .weights.h5 file"),
        ({"stages": []}, "Recipe.stages must be a list of one or more Stage"),
        ({"classes": 5}, "Recipe.classes must be a list of two or more different emotions. Got 5"),
        ({"classes": "happy"}, "Recipe.classes must be a list of two or more different emotions. Got 'happy'"),
        ({"name": ""}, "Recipe.name must be a text of letters, digits"),
        ({"name": "../up"}, "Recipe.name must be a text of letters, digits"),
        ({"name": "two words"}, "Recipe.name must be a text of letters, digits"),
        ({"name": 5}, "Recipe.name must be a text of letters, digits"),
        ({"stages": [{"epochs": 1, "learning_rate": -0.1}]}, "Stage.learning_rate must be a number between 0 and 10"),
        ({"stages": [{"learning_rate": 0}]}, "Stage.learning_rate must be above 0"),
        ({"stages": [{"epochs": 0}]}, "Stage.epochs must be a whole number"),
        ({"augmentation": {"rotation": -5}}, "Augmentation.rotation must be a number between 0 and 180. Got -5"),
        ({"head": {"pooling": "max"}}, "Head.pooling must be one of avg, flatten. Got 'max'"),
        ({"head": {"units": [0]}}, "Head.units must be a list of positive whole numbers"),
        ({"head": {"units": [8], "dropout": [0.5]}}, r"Head.dropout must be a rate from 0 to 0.95, or a list of 2 "),
        ({"stages": [{"train": "all", "views": 2}]}, "Stage.views must be 0 with train='all'"),
        ({"stages": [{"train": "middle"}]}, "Stage.train must be one of head, top, all. Got 'middle'"),
        (
            {"stages": [{"train": "head", "views": 2}], "augmentation": {"mixup": 0.2}},
            "Recipe.stages must be without views where MixUp or CutMix",
        ),
        ({"votes": 0.5}, r"Recipe.votes must be 0 with data 'embedded' \(the raters saw FER2013\)"),
        (
            {"data": "fer2013", "votes": 0.5, "stages": [{"train": "head", "views": 2}]},
            "Recipe.votes must be 0 where a stage has views",
        ),
        ({"adapt_norm": 1}, "Recipe.adapt_norm must be true or false"),
        ({"loss": "hinge"}, "Recipe.loss must be one of cross_entropy, focal. Got 'hinge'"),
        ({"effective_beta": 1}, "Recipe.effective_beta must be a number between 0 and"),
        ({"resnext": {"channels": [64, 100, 256]}}, "multiples of 32"),
        ({"resnext": {"cardinality": 32}}, "ResNeXt.cardinality must be 0 where group_width is given"),
        ({"resnext": {"blocks": [2, 2]}}, r"ResNeXt.channels must be as many as blocks \(2\)"),
        ({"resnext": {"dropout": [0.5]}}, "Recipe.resnext must be left alone with backbone 'SmallCNN'"),
        ({"optimiser": "adam"}, "Recipe has no field 'optimiser'.*Did you mean 'optimizer'"),
    ],
)
def test_bad_values_name_field_value_and_what_is_allowed(changes, message):
    with pytest.raises(RecipeError, match=message):
        Recipe("a").but(**changes)


def test_a_value_in_place_of_a_list_is_refused_by_the_dataclasses_themselves():
    with pytest.raises(RecipeError, match=r"Head\.units must be a list .* Got 5"):
        Head(units=5)
    with pytest.raises(RecipeError, match=r"Recipe\.stages must be a list .* Got 5"):
        Recipe("a", stages=5)


def test_bad_json_and_missing_name():
    with pytest.raises(RecipeError, match="not valid JSON"):
        Recipe.from_json("{")
    with pytest.raises(RecipeError, match=r"Recipe\.name"):
        Recipe.from_json("{}")
    with pytest.raises(RecipeError, match="must be a mapping"):
        Recipe.from_json("[1]")


def test_unknown_recipe_lists_the_known_ones():
    with pytest.raises(RecipeError, match=r"There are: embedded-small-cnn.*Did you mean 'embedded-small-cnn'"):
        get_recipe("embeded-small-cnn")


def test_aliases_become_canonical_names():
    assert Recipe("a", classes=("Happiness", "anger")).classes == ("happy", "angry")
