"""Recipe: one frozen dataclass that names a whole experiment, from the data to the seed.

A recipe is validated when it is made, travels as JSON, and has a hash that depends on its values alone. Change one
thing at a time with `dataclasses.replace(recipe, seed=1)` or `recipe.but(seed=1)`. The named ones are in `recipes`.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from emo_utils.emotions import EMOTIONS, SEVEN, canonical_emotion
from emo_utils.errors import DataError, RecipeError

# What a recipe can be about, and the emotions each has labels for; "folder" is any folder of class folders.
DATA_CLASSES = {
    "embedded": EMOTIONS,
    "fer2013": SEVEN,
    "ferplus": EMOTIONS,
    "ckplus": ("angry", "disgust", "fear", "happy", "sad", "surprise", "contempt"),
    "folder": EMOTIONS,
}
BACKBONES = ("SmallCNN", "MobileNetV3Small")
TRAINABLE = ("head", "top", "all")
OPTIMIZERS = ("adam", "adamw", "sgd")
SCHEDULES = ("constant", "cosine", "plateau")
BALANCING = ("none", "oversample", "class_weights")


def _require(owner: object, field: str, ok: bool, allowed: str) -> None:
    if not ok:
        name = type(owner).__name__
        raise RecipeError(f"{name}.{field} must be {allowed}. Got {getattr(owner, field)!r}.")


def _one_of(owner: object, field: str, allowed: tuple[str, ...]) -> None:
    value = getattr(owner, field)
    if value not in allowed:
        close = difflib.get_close_matches(str(value), allowed, n=1, cutoff=0.5)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise RecipeError(f"{type(owner).__name__}.{field} must be one of {', '.join(allowed)}. Got {value!r}.{hint}")


def _tuple(owner: object, field: str, allowed: str) -> None:
    """Check that a field is a list or tuple and store it as a tuple."""
    value = getattr(owner, field)
    _require(owner, field, isinstance(value, (list, tuple)), allowed)
    object.__setattr__(owner, field, tuple(value))


def _numbers(owner: object, kind: type, fields: tuple[str, ...], low: float, high: float = float("inf")) -> None:
    """Check that fields are finite numbers in [low, high] and store them as `kind`, so that 1 and 1.0 hash alike."""
    for field in fields:
        value = getattr(owner, field)
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and value == value
        whole = kind is float or (number and float(value).is_integer())
        span = f"at least {low:g}" if high == float("inf") else f"between {low:g} and {high:g}"
        word = "a number" if kind is float else "a whole number"
        finite = number and abs(value) != float("inf")
        _require(owner, field, finite and whole and low <= value <= high, f"{word} {span}")
        object.__setattr__(owner, field, kind(value))


@dataclass(frozen=True)
class Augmentation:
    """Random changes to a training image, drawn anew in every epoch; all zero means none.

    Attributes:
        flip: mirror left-right with probability one half.
        rotation: largest rotation to either side, in degrees.
        zoom: largest relative change of scale, e.g. .2 for 80 % to 120 %.
        shift: largest shift in each direction, as a share of the image side.
        brightness: largest change of grey level, as a share of 255.
        contrast: largest relative change of contrast about the mean grey.
    """

    flip: bool = False
    rotation: float = 0.0
    zoom: float = 0.0
    shift: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0

    def __post_init__(self):
        _require(self, "flip", isinstance(self.flip, bool), "true or false")
        _numbers(self, float, ("rotation",), 0, 180)
        _numbers(self, float, ("zoom", "shift", "brightness", "contrast"), 0, 0.9)

    def __bool__(self) -> bool:
        return self != Augmentation()


@dataclass(frozen=True)
class Head:
    """What stands between the backbone's last feature map and the logits.

    Attributes:
        pooling: "avg" (global average) or "flatten".
        units: widths of hidden ReLU layers, possibly none.
        dropout: dropout rate before each dense layer.
    """

    pooling: str = "avg"
    units: tuple[int, ...] = ()
    dropout: float = 0.2

    def __post_init__(self):
        _one_of(self, "pooling", ("avg", "flatten"))
        allowed = "a list of positive whole numbers"
        _tuple(self, "units", allowed)
        _require(self, "units", all(isinstance(u, int) and u > 0 for u in self.units), allowed)
        _numbers(self, float, ("dropout",), 0, 0.95)


@dataclass(frozen=True)
class Stage:
    """One stretch of training.

    Attributes:
        train: "head" (backbone frozen), "top" (the backbone's last block too) or "all".
        epochs: how many at most; early stopping may end it sooner.
        learning_rate: at the start of the stage (after warm-up).
    """

    train: str = "all"
    epochs: int = 10
    learning_rate: float = 1e-3

    def __post_init__(self):
        _one_of(self, "train", TRAINABLE)
        _numbers(self, int, ("epochs",), 1, 10_000)
        _require(self, "learning_rate", self.learning_rate != 0, "above 0")
        _numbers(self, float, ("learning_rate",), 0, 10)


@dataclass(frozen=True)
class Recipe:
    """A whole experiment.

    Attributes:
        name: what people call it, and what its folders are named after; not part of the hash.
        data: a key of `DATA_CLASSES`.
        classes: emotion names in label order.
        clean: leave blank, repeated and leaked images out of the training part.
        val_fraction: share of the training part that is kept for selecting, where the data has no "val" part.
        input_size: side of the model's square grey input, in pixels.
        augmentation: see `Augmentation`.
        balancing: "none", "oversample" (draw rare classes more often) or "class_weights" (weigh their loss).
        backbone: one of `BACKBONES`.
        weights: None (from scratch), "imagenet", or the path of a .keras file whose backbone is taken over.
        head: see `Head`.
        stages: see `Stage`; they follow one another, each starting from the best weights so far.
        label_smoothing: share of the target that is spread over all classes.
        optimizer: one of `OPTIMIZERS`.
        weight_decay: decoupled weight decay (AdamW only).
        schedule: learning rate within a stage: "constant", "cosine" (to zero) or "plateau" (halved when stuck).
        warmup_epochs: epochs of linear rise to the learning rate ("cosine" only).
        batch_size: images a step.
        patience: epochs without a better validation accuracy before a stage ends; 0 means never.
        seed: of initial weights, batch order, augmentation and the validation split.
    """

    name: str
    data: str = "embedded"
    classes: tuple[str, ...] = SEVEN
    clean: bool = True
    val_fraction: float = 0.1
    input_size: int = 48
    augmentation: Augmentation = Augmentation()
    balancing: str = "none"
    backbone: str = "SmallCNN"
    weights: str | None = None
    head: Head = Head()
    stages: tuple[Stage, ...] = (Stage(),)
    label_smoothing: float = 0.0
    optimizer: str = "adam"
    weight_decay: float = 0.0
    schedule: str = "constant"
    warmup_epochs: int = 0
    batch_size: int = 64
    patience: int = 0
    seed: int = 0

    def __post_init__(self):
        named = isinstance(self.name, str) and re.fullmatch(r"[A-Za-z0-9][\w.-]*", self.name) is not None
        _require(self, "name", named, "a text of letters, digits, '.', '_' and '-' that starts with a letter or digit")
        _one_of(self, "data", tuple(DATA_CLASSES))
        self._check_classes()
        _require(self, "clean", isinstance(self.clean, bool), "true or false")
        _numbers(self, float, ("val_fraction",), 0.01, 0.5)
        _numbers(self, int, ("input_size",), 32, 512)
        _require(self, "augmentation", isinstance(self.augmentation, Augmentation), "an Augmentation")
        _one_of(self, "balancing", BALANCING)
        _one_of(self, "backbone", BACKBONES)
        _require(
            self,
            "weights",
            self.weights in (None, "imagenet") or str(self.weights).endswith(".keras"),
            "null, 'imagenet' or the path of a .keras file",
        )
        _require(self, "head", isinstance(self.head, Head), "a Head")
        allowed = "a list of one or more Stage"
        _tuple(self, "stages", allowed)
        _require(self, "stages", bool(self.stages) and all(isinstance(s, Stage) for s in self.stages), allowed)
        _numbers(self, float, ("label_smoothing",), 0, 0.9)
        _one_of(self, "optimizer", OPTIMIZERS)
        _numbers(self, float, ("weight_decay",), 0, 1)
        decays = self.optimizer == "adamw" or self.weight_decay == 0
        _require(self, "weight_decay", decays, f"0 with optimizer {self.optimizer!r} (only adamw decays)")
        _one_of(self, "schedule", SCHEDULES)
        _numbers(self, int, ("warmup_epochs",), 0, 1000)
        warms = self.schedule == "cosine" or self.warmup_epochs == 0
        _require(self, "warmup_epochs", warms, f"0 with schedule {self.schedule!r} (only cosine warms up)")
        _numbers(self, int, ("batch_size",), 1, 65_536)
        _numbers(self, int, ("patience",), 0, 10_000)
        _numbers(self, int, ("seed",), 0, 2**31 - 1)

    def _check_classes(self):
        _tuple(self, "classes", "a list of two or more different emotions")
        try:
            names = tuple(canonical_emotion(c) for c in self.classes)
        except DataError as error:
            raise RecipeError(f"Recipe.classes: {error}") from None
        object.__setattr__(self, "classes", names)
        allowed = DATA_CLASSES[self.data]
        lacking = [c for c in names if c not in allowed]
        if lacking:
            raise RecipeError(
                f"Recipe.classes: {self.data} has no class {', '.join(lacking)}. It has: {', '.join(allowed)}."
            )
        _require(self, "classes", len(names) >= 2 and len(set(names)) == len(names), "two or more different emotions")

    @property
    def epochs(self) -> int:
        """Return the largest number of epochs over all stages."""
        return sum(stage.epochs for stage in self.stages)

    @property
    def hash(self) -> str:
        """Return 12 hex digits over all values but the name: two recipes with the same hash are the same experiment."""
        return self._digest(exclude=("name",))

    @property
    def family(self) -> str:
        """Return 12 hex digits over all values but name and seed: runs to be averaged over seeds share it."""
        return self._digest(exclude=("name", "seed"))

    def _digest(self, exclude: tuple[str, ...]) -> str:
        values = {k: v for k, v in self.to_dict().items() if k not in exclude}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]

    def but(self, **changes: Any) -> Recipe:
        """Return a copy with some fields changed, e.g. `recipe.but(seed=1)`; an unknown field is an error."""
        return Recipe.from_dict({**self.to_dict(), **{k: _plain(v) for k, v in changes.items()}})

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `Recipe.from_dict` takes them back."""
        return _plain(self)

    def to_json(self) -> str:
        """Return the recipe as indented JSON."""
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Recipe:
        """Build a recipe from `to_dict` or from parsed JSON.

        Raises:
            RecipeError: an unknown or missing field, or a value that is not allowed.
        """
        values = dict(_checked_keys(cls, values))
        if "augmentation" in values:
            values["augmentation"] = Augmentation(**_checked_keys(Augmentation, values["augmentation"]))
        if "head" in values:
            values["head"] = Head(**_checked_keys(Head, values["head"]))
        if "stages" in values:
            if not isinstance(values["stages"], (list, tuple)):
                raise RecipeError(f"Recipe.stages must be a list. Got {values['stages']!r}.")
            values["stages"] = tuple(Stage(**_checked_keys(Stage, s)) for s in values["stages"])
        return cls(**values)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Build a recipe from JSON text."""
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise RecipeError(f"The recipe is not valid JSON: {error}.") from None
        return cls.from_dict(values)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return [_plain(v) for v in value] if isinstance(value, (tuple, list)) else value


def _checked_keys(cls: type, values: Any) -> dict[str, Any]:
    """Return `values` if it is a mapping that gives each required field and no unknown one."""
    if not isinstance(values, dict):
        raise RecipeError(f"{cls.__name__} must be a mapping of its fields. Got {values!r}.")
    known = [f.name for f in dataclasses.fields(cls)]
    for key in values:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise RecipeError(f"{cls.__name__} has no field {key!r}. It has: {', '.join(known)}.{hint}")
    if cls is Recipe and "name" not in values:
        raise RecipeError("Recipe.name is missing.")
    return values
