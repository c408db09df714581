"""A student that learns from teachers: the loss is Hinton's, teachers are averaged, and wrong ones are refused."""

import keras
import numpy as np
import pytest

from emo_utils.datasets import load_dataset
from emo_utils.errors import ModelError, RecipeError
from emo_utils.models import build_model, save_model
from emo_utils.recipe import Distillation, Recipe
from emo_utils.recipes import get_recipe
from emo_utils.training import run_experiment
from emo_utils.training.callbacks import EpochClock
from emo_utils.training.distil import average_teacher, make_distiller, temperature_loss
from emo_utils.training.losses import make_loss

pytestmark = pytest.mark.usefixtures("drawn_once")
CLASSES = ("angry", "happy")
begin_epoch = EpochClock.on_epoch_begin


def small(**changes) -> Recipe:
    return Recipe("a", classes=CLASSES, batch_size=32).but(**changes)


@pytest.fixture
def teacher(tmp_path):
    recipe = small(input_size=64, seed=5)
    path = tmp_path / "teacher.keras"
    save_model(build_model(recipe), path, {"class_names": list(CLASSES), "recipe": recipe.to_dict()})
    return path


def softmax(logits, temperature):
    powers = np.exp(logits / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def test_the_loss_is_hintons_at_any_temperature():
    teacher, student = np.array([[2.0, 0, -1], [0, 3, 1]], "float32"), np.array([[0.0, 1, 0], [1, 1, 1]], "float32")
    for temperature in (1, 4, 10):
        p, q = softmax(teacher, temperature), softmax(student, temperature)
        expected = temperature**2 * (p * np.log(p / q)).sum(axis=1).mean()
        loss = temperature_loss(temperature).compute_loss(
            keras.ops.convert_to_tensor(teacher), keras.ops.convert_to_tensor(student)
        )
        assert float(loss) == pytest.approx(expected, abs=1e-4)


def test_logarithms_of_mean_probabilities_stand_for_logits_and_each_teacher_sees_its_own_size():
    teachers = [build_model(small(seed=1)), build_model(small(seed=2, input_size=64))]
    faces = np.full((3, 48, 48, 1), 90, "float32")
    logs = keras.ops.convert_to_numpy(average_teacher(teachers, 48)(faces))
    large = np.full((3, 64, 64, 1), 90, "float32")
    mean = (keras.ops.convert_to_numpy(teachers[0](faces)) + keras.ops.convert_to_numpy(teachers[1](large))) / 2
    np.testing.assert_allclose(np.exp(logs), mean, rtol=1e-4)
    own = keras.ops.convert_to_numpy(keras.Model(teachers[0].input, teachers[0].get_layer("logits").output)(faces))
    alone = keras.ops.convert_to_numpy(average_teacher(teachers[:1], 48)(faces))
    np.testing.assert_allclose(softmax(alone, 4), softmax(own, 4), rtol=1e-4)


def test_the_total_weighs_labels_and_teacher_by_alpha(teacher):
    faces = np.random.default_rng(0).integers(0, 255, (8, 48, 48, 1)).astype("float32")
    targets = np.eye(2, dtype="float32")[[0, 1] * 4]
    losses = {}
    for alpha in (0.0, 0.3, 1.0):
        recipe = small(distillation={"teachers": [str(teacher)], "alpha": alpha})
        distiller = make_distiller(build_model(recipe), recipe)
        distiller.compile(loss=make_loss(recipe, logits=True))
        losses[alpha] = distiller.evaluate(faces, targets, verbose=0, return_dict=True)["loss"]
    assert losses[0.3] == pytest.approx(0.3 * losses[1.0] + 0.7 * losses[0.0], rel=1e-4)


def test_training_moves_the_student_and_leaves_the_teacher(teacher):
    recipe = small(distillation={"teachers": [str(teacher)]})
    model = build_model(recipe)
    distiller = make_distiller(model, recipe)
    before, taught = model.get_weights(), distiller.teacher.get_weights()
    distiller.compile(optimizer=keras.optimizers.Adam(0.01), loss=make_loss(recipe, logits=True))
    distiller.fit(np.full((8, 48, 48, 1), 90, "float32"), np.eye(2, dtype="float32")[[0, 1] * 4], verbose=0)
    assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
    for a, b in zip(taught, distiller.teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_teacher_of_other_classes_and_one_that_is_not_there_are_named(teacher):
    other = small(classes=("happy", "angry"), distillation={"teachers": [str(teacher)]})
    with pytest.raises(ModelError, match=r"teacher\.keras tells angry, happy apart, wanted is happy, angry"):
        make_distiller(build_model(other), other)
    missing = small(distillation={"teachers": ["nobody.keras"]})
    with pytest.raises(ModelError, match=r"nobody\.keras: no such model file"):
        make_distiller(build_model(missing), missing)


def test_a_distilled_run_says_who_taught_it_and_ends_as_an_ordinary_model(teacher, tmp_path, monkeypatch):
    monkeypatch.setenv("EMO_OUT", str(tmp_path))
    recipe = get_recipe("embedded-student").but(
        classes=CLASSES,
        stages=[{"train": "all", "epochs": 1}],
        distillation={"teachers": [str(teacher)], "temperature": 2},
    )
    result = run_experiment(recipe, load_dataset("embedded"), progress=False, limit=60)
    assert result.row["compression"].endswith("teacher.keras (T 2, alpha 0.5)")
    assert set(result.curves[0]) == {"stage", "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "lr"}
    assert [layer.name for layer in result.model.layers][-1] == "probabilities"


def test_a_distillation_that_was_killed_ends_as_the_unbroken_one(teacher, tmp_path, monkeypatch):
    recipe = small(distillation={"teachers": [str(teacher)]}, stages=[{"train": "all", "epochs": 2}])
    results = []
    for folder, dies in (("whole", False), ("killed", True)):
        monkeypatch.setenv("EMO_OUT", str(tmp_path / folder))
        if dies:
            with monkeypatch.context() as patch:
                patch.setattr(EpochClock, "on_epoch_begin", dies_in_second_epoch)
                with pytest.raises(KeyboardInterrupt):
                    run_experiment(recipe, load_dataset("embedded"), progress=False, limit=60)
        results.append(run_experiment(recipe, load_dataset("embedded"), progress=False, limit=60))
    for a, b in zip(*(result.model.get_weights() for result in results), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def dies_in_second_epoch(clock, epoch, logs=None):
    if epoch == 1:
        raise KeyboardInterrupt
    begin_epoch(clock, epoch, logs)


def test_a_student_starts_from_a_pruned_or_rounded_model_of_its_own_architecture(tmp_path, monkeypatch):
    monkeypatch.setenv("EMO_OUT", str(tmp_path))
    data = load_dataset("embedded")
    recipe = small(classes=("angry", "happy", "sad"), stages=[{"train": "all", "epochs": 1}])
    first = run_experiment(recipe, data, progress=False, limit=120)
    pruned = run_experiment(recipe.but(start=first.run_id, pruning={"ratios": [0.5]}), data, progress=False, limit=120)
    assert pruned.row["parameters"] < first.row["parameters"] / 3
    assert pruned.row["compression"] == "pruned 0.5 by l1"
    assert pruned.row["of_run"] == first.run_id
    rounded = run_experiment(
        recipe.but(start=pruned.run_id, quantisation={"weight_bits": 4, "activation_bits": 8}),
        data,
        progress=False,
        limit=120,
    )
    assert "4-bit weights per channel, 8-bit activations" in rounded.row["compression"]
    with pytest.raises(ModelError, match="has input_size 48, the recipe 64"):
        run_experiment(recipe.but(start=first.run_id, input_size=64), data, progress=False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pruning": {"ratios": [0.5]}}, "null without `start`"),
        ({"pruning": {"ratios": [1.0]}, "start": "a.keras"}, "Pruning.ratios must be .* below 1"),
        ({"quantisation": {"weight_bits": 5}, "start": "a.keras"}, "weight_bits must be one of 2, 3, 4, 6, 8, 16"),
        ({"distillation": {"teachers": []}}, "one or more .keras files or runs"),
        ({"distillation": {"teachers": ["a"], "alpha": 2}}, "alpha must be a number between 0 and 1"),
        ({"distillation": {"teachers": ["a"]}, "balancing": "class_weights"}, "Distiller leaves the weights"),
        ({"start": "a.keras", "weights": "b.keras"}, "it brings its own"),
    ],
)
def test_what_does_not_go_together_is_said_when_the_recipe_is_made(changes, message):
    with pytest.raises(RecipeError, match=message):
        small(**changes)


def test_a_recipe_with_a_teacher_survives_json():
    recipe = small(distillation={"teachers": ["a"]}, start="b", pruning={"ratios": [0.1, 0.2]})
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert recipe.distillation == Distillation(("a",))
    assert recipe.hash != small().hash
