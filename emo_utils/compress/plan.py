"""What is compared: the student's recipe with a teacher, without filters, with fewer bits, and their combinations."""

from __future__ import annotations

from typing import NamedTuple

from emo_utils.prune import LEVELS
from emo_utils.recipe import Distillation, Pruning, Quantisation, Recipe, Stage

# After pruning, half the epochs of the training from scratch at half its rate. FER-Jetson-Nano takes a fifth of both,
# which on FER2013 left the student at the medium level 2.3 points below itself on validation faces; this leaves none.
_AFTER_PRUNING = (2, 2)
# For rounded weights a fifth of the epochs, slowly: they jump from code to code and at a higher rate never settle.
_AFTER_ROUNDING = (5, 20)

COMBINED_LEVEL = "medium"


class Rounded(NamedTuple):
    """A way to store a trained model in fewer bits, nothing being trained.

    Attributes:
        name: in tables and figures.
        format: of a TFLite file, see `emo_utils.export.FORMATS`; "" for a packed file of `emo_utils.quantise`.
        weight_bits, activation_bits, per_channel: of a packed file, see `emo_utils.quantise.quantise_model`. The bits
            of activations are of the arithmetic and cost nothing in the file.
    """

    name: str
    format: str = ""
    weight_bits: int = 32
    activation_bits: int = 32
    per_channel: bool = True


TFLITE = (
    Rounded("TFLite float16", "float16", 16),
    Rounded("TFLite dynamic range", "dynamic", 8),
    Rounded("TFLite int8", "int8", 8, 8),
    Rounded("TFLite int8, 16-bit activations", "int8x16", 8, 16),
    Rounded("TFLite int4 weights", "int4", 4),
)
_WEIGHTS_ONLY = tuple(
    Rounded(f"{bits}-bit weights per {'channel' if per_channel else 'tensor'}", "", bits, 32, per_channel)
    for per_channel in (True, False)
    for bits in (16, 8, 6, 4)
)
_FULL_INTEGER = tuple(Rounded(f"{bits}-bit weights and activations", "", bits, bits) for bits in (16, 8, 6, 4))
POST_TRAINING = (Rounded("32-bit weights, packed"), *_WEIGHTS_ONLY, *_FULL_INTEGER, *TFLITE)
# Of a combination: what an integer chip runs, and the smallest file.
COMBINED = (TFLITE[2], Rounded("4-bit weights per channel", "", 4))
# Widths at which rounding after training breaks a model, so that it is worth training for them.
TRAINED_BITS = (6, 4)


def distilled(recipe: Recipe, teachers: tuple[str, ...]) -> Recipe:
    """Return a student's recipe with teachers, at the source's temperature of 4 and alpha of .5."""
    return recipe.but(name=f"{recipe.name}-distilled", distillation=Distillation(teachers))


def pruned(recipe: Recipe, start: str, level: str, criterion: str = "l1") -> Recipe:
    """Return the recipe that removes filters of a trained model and trains on for a while.

    Args:
        recipe: of the trained model; its teachers go on teaching.
        start: the model's file or run.
        level: a key of `emo_utils.prune.LEVELS`.
        criterion: see `emo_utils.recipe.Pruning`.
    """
    return recipe.but(
        name=f"{recipe.name}-pruned-{level}",
        weights=None,
        start=start,
        pruning=Pruning(LEVELS[level], criterion),
        stages=_stages_after(recipe, *_AFTER_PRUNING),
        warmup_epochs=0,
    )


def quantised(recipe: Recipe, start: str, bits: int) -> Recipe:
    """Return the recipe that trains a model on with weights, by channel, and activations of so many bits.

    Args:
        recipe: of the trained model; its teachers go on teaching.
        start: the model's file or run.
        bits: of weights and of activations.
    """
    return recipe.but(
        name=f"{recipe.name}-quantised-{bits}",
        weights=None,
        start=start,
        pruning=None,  # of a pruned model the filters are gone already
        quantisation=Quantisation(bits, bits),
        stages=_stages_after(recipe, *_AFTER_ROUNDING),
        warmup_epochs=0,
    )


def _stages_after(recipe: Recipe, shorter: int, slower: int) -> tuple[Stage, ...]:
    """Return one stage on all layers: a part of the epochs of a recipe, and a part of the rate of its last stage."""
    return (Stage("all", max(1, round(recipe.epochs / shorter)), recipe.stages[-1].learning_rate / slower),)
