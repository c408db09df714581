"""The parts of a recipe that make a network smaller: a teacher to learn from, filters to remove, bits to do with."""

from __future__ import annotations

from dataclasses import dataclass

from emo_utils.recipe.checks import make_tuple, numbers, one_of, require

BITS = (2, 3, 4, 6, 8, 16, 32)


@dataclass(frozen=True)
class Distillation:
    """Learning from a teacher's probabilities as well as from the labels (Hinton et al. 2015).

    The loss is alpha * cross-entropy + (1 - alpha) * T**2 * KL(teacher || student), the latter at temperature T.

    Attributes:
        teachers: a .keras file or a run of the table each; the probabilities of several are averaged.
        temperature: T, which the logits are divided by; above 1 it shows how alike the teacher finds the wrong classes.
        alpha: weight of the labels; 1 ignores the teacher.
    """

    teachers: tuple[str, ...] = ()
    temperature: float = 4.0
    alpha: float = 0.5

    def __post_init__(self):
        allowed = "a list of one or more .keras files or runs"
        make_tuple(self, "teachers", allowed)
        require(self, "teachers", bool(self.teachers) and all(t and isinstance(t, str) for t in self.teachers), allowed)
        numbers(self, float, ("temperature",), 0.1, 100)
        numbers(self, float, ("alpha",), 0, 1)


@dataclass(frozen=True)
class Pruning:
    """Removing whole filters before training; see `emo_utils.prune.prune_model`.

    Attributes:
        ratios: the share of filters to remove, one for all convolutions or several spread over the depth.
        criterion: what ranks them, "l1" (their weights) or "batch_norm" (the scale of the batch norm behind them).
    """

    ratios: tuple[float, ...] = ()
    criterion: str = "l1"

    def __post_init__(self):
        allowed = "a list of one or more shares from 0 to below 1"
        make_tuple(self, "ratios", allowed)
        shares = all(isinstance(r, (int, float)) and not isinstance(r, bool) and 0 <= r < 1 for r in self.ratios)
        require(self, "ratios", bool(self.ratios) and shares, allowed)
        object.__setattr__(self, "ratios", tuple(float(r) for r in self.ratios))
        one_of(self, "criterion", ("l1", "batch_norm"))


@dataclass(frozen=True)
class Quantisation:
    """Training with rounded weights and activations; see `emo_utils.quantise.quantise_model`.

    Attributes:
        weight_bits: of every kernel.
        activation_bits: of what passes between layers; 32 leaves it unrounded.
        per_channel: one scale an output channel, or one a kernel.
    """

    weight_bits: int = 8
    activation_bits: int = 32
    per_channel: bool = True

    def __post_init__(self):
        one_of(self, "weight_bits", BITS[:-1])
        one_of(self, "activation_bits", BITS)
        require(self, "per_channel", isinstance(self.per_channel, bool), "true or false")


def check_compression(recipe) -> None:
    """Check the fields of a recipe that say what it starts from, what goes, and who teaches; see `Recipe`."""
    named = recipe.start is None or (isinstance(recipe.start, str) and recipe.start != "")
    require(recipe, "start", named, "null, a .keras file or a run")
    alone = recipe.start is None or recipe.weights is None
    require(recipe, "start", alone, "null where weights are given: it brings its own")
    for field, kind in (("pruning", Pruning), ("quantisation", Quantisation), ("distillation", Distillation)):
        value = getattr(recipe, field)
        require(recipe, field, value is None or isinstance(value, kind), f"null or a {kind.__name__}")
        trained = value is None or field == "distillation" or recipe.start is not None
        require(recipe, field, trained, "null without `start`: only a trained model says what can go")
    weighs = recipe.balancing in ("class_weights", "effective_number")
    require(
        recipe,
        "distillation",
        not (recipe.distillation and weighs),
        f"null with balancing {recipe.balancing!r}: Keras's Distiller leaves the weights of faces out",
    )
    require(
        recipe,
        "stages",
        not ((recipe.start or recipe.distillation) and any(stage.views for stage in recipe.stages)),
        "without views where training starts from a model or has a teacher",
    )
