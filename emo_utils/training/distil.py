"""Distillation: a student that learns from labels and from teachers, by Keras's own Distiller."""

from __future__ import annotations

import keras
from keras.distillation import Distiller, LogitsDistillation

from emo_utils.evaluation.evaluate import face_size
from emo_utils.recipe import Recipe
from emo_utils.training.sources import load_trained

# Below it a probability counts as this: its logarithm, divided by the temperature, tells nothing any more.
_SMALLEST = 1e-7


def make_distiller(model: keras.Model, recipe: Recipe) -> Distiller:
    """Return the model that trains a student on faces and one-hot targets; compile it with a loss for logits.

    The total loss is Distiller's alpha * loss(labels) + (1 - alpha) * T**2 * KL(teacher || student at temperature T),
    as in Hinton et al. 2015.

    Args:
        model: the student, from `build_model` or `start_model`; the distiller trains its layers.
        recipe: its distillation, and the classes that every teacher must have.

    Raises:
        ModelError: a teacher that is not there, or of other classes.
    """
    # Keras's loss wants logits; softmax outputs would pass through a second softmax without a word.
    student = keras.Model(model.input, model.get_layer("probabilities").input, name="student")
    teachers = [load_trained(name, recipe.classes)[0] for name in recipe.distillation.teachers]
    distiller = Distiller(
        teacher=average_teacher(teachers, recipe.input_size),
        student=student,
        distillation_losses=temperature_loss(recipe.distillation.temperature),
        student_loss_weight=recipe.distillation.alpha,
    )
    distiller.build(model.input_shape)  # until then it takes no weights of a training that was broken off
    return distiller


def temperature_loss(temperature: float) -> LogitsDistillation:
    """Return T**2 * KL(teacher || student), both being the softmax of logits / T, averaged over a batch."""
    # An instance, not the default "kl_divergence": Keras (3.13 to 3.15) turns the name into a bare function, does not
    # recognise it as the KL divergence, and hands it the logits as if they were probabilities.
    return LogitsDistillation(temperature=temperature, loss=keras.losses.KLDivergence())


def average_teacher(teachers: list[keras.Model], size: int) -> keras.Model:
    """Return one frozen model that gives the logarithm of the teachers' mean probabilities.

    For a softmax at any temperature these logarithms do what logits do; unlike logits they can be had from any model
    that gives probabilities, and averaged.

    Args:
        teachers: grey faces in, probabilities out; each sees the faces at its own size.
        size: side of the faces that the student sees, in pixels.
    """
    faces = keras.Input((size, size, 1), name="face")
    answers = []
    for number, teacher in enumerate(teachers, start=1):
        own = face_size(teacher)
        # Not the layer Resizing: called without `training` it switches the dropout behind it on.
        seen = faces if own == size else keras.ops.image.resize(faces, (own, own))
        # Two models of one recipe bear one name, which Keras does not take.
        answers.append(keras.Model(teacher.input, teacher.output, name=f"teacher_{number}")(seen))
    mean = keras.layers.Average(name="mean")(answers) if len(answers) > 1 else answers[0]
    return keras.Model(faces, keras.ops.log(keras.ops.maximum(mean, _SMALLEST)), name="teacher")
