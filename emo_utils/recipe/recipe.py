"""Recipe: the whole of an experiment, its hash and its way to JSON and back."""

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
from emo_utils.recipe.checks import make_tuple, numbers, one_of, require
from emo_utils.recipe.compression import Distillation, Pruning, Quantisation, check_compression
from emo_utils.recipe.parts import Augmentation, Head, ResNeXt, Stage

# What a recipe can be about, and the emotions each has labels for; "folder" is any folder of class folders.
DATA_CLASSES = {
    "embedded": EMOTIONS,
    "fer2013": SEVEN,
    "ferplus": EMOTIONS,
    "ckplus": ("angry", "disgust", "fear", "happy", "sad", "surprise", "contempt"),
    "folder": EMOTIONS,
}
BACKBONES = (
    "SmallCNN",
    "ResNeXt",
    "ResNet50",
    "VGG16",
    "Xception",
    "MobileNetShort",
    "MobileNetV2",
    "MobileNetV3Small",
    "MobileNetV3SmallMinimalistic",
    "DenseNet121",
    "NASNetMobile",
    "TeacherCNN",
    "StudentCNN",
)
OPTIMIZERS = ("adam", "adamw", "sgd")
SCHEDULES = ("constant", "cosine", "plateau")
BALANCING = ("none", "oversample", "balanced_sampler", "class_weights", "effective_number")
LOSSES = ("cross_entropy", "focal")

_PARTS = {
    "augmentation": Augmentation,
    "head": Head,
    "resnext": ResNeXt,
    "pruning": Pruning,
    "quantisation": Quantisation,
    "distillation": Distillation,
}


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
        balancing: "none"; "oversample" (repeat faces of rare classes until all are equal); "balanced_sampler" (as many
            draws as there are faces, each from a class drawn uniformly); "class_weights" (weigh the loss by inverse
            frequency); "effective_number" (weigh it by the effective number of faces).
        effective_beta: of "effective_number" (Cui et al. 2019); nearer 1 is nearer to inverse frequency.
        backbone: one of `BACKBONES`.
        resnext: shape of the backbone "ResNeXt"; no other one looks at it.
        weights: None (from scratch), "imagenet", or the path of a .keras or .weights.h5 file to take the backbone from.
        adapt_norm: let the backbone's batch norm learn with the layers around it even where its weights come from
            elsewhere. By default it then stays as it came, which is safer on few faces; tens of thousands can move it.
        start: None, or a .keras file or a run of the table: the trained model, head and all, that training starts from.
            Its backbone, head, classes and input size must be those of the recipe.
        pruning: see `Pruning`; which filters of `start` go before training.
        quantisation: see `Quantisation`; how `start` is rounded while it trains on.
        distillation: see `Distillation`; who teaches.
        head: see `Head`.
        stages: see `Stage`; they follow one another, each starting from the best weights so far.
        loss: "cross_entropy" or "focal" (Lin et al. 2017).
        focal_gamma: exponent of the focal loss; 0 is cross-entropy times `focal_alpha`.
        focal_alpha: factor of the focal loss.
        label_smoothing: share of the target that is spread over all classes.
        votes: share of the target that FER+'s raters give, by their votes over the recipe's classes; the rest is the
            label's. Faces without such votes keep their label. FER2013 only.
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
    effective_beta: float = 0.999
    backbone: str = "SmallCNN"
    resnext: ResNeXt = ResNeXt()
    weights: str | None = None
    adapt_norm: bool = False
    start: str | None = None
    pruning: Pruning | None = None
    quantisation: Quantisation | None = None
    distillation: Distillation | None = None
    head: Head = Head()
    stages: tuple[Stage, ...] = (Stage(),)
    loss: str = "cross_entropy"
    focal_gamma: float = 2.0
    focal_alpha: float = 0.25
    label_smoothing: float = 0.0
    votes: float = 0.0
    optimizer: str = "adam"
    weight_decay: float = 0.0
    schedule: str = "constant"
    warmup_epochs: int = 0
    batch_size: int = 64
    patience: int = 0
    seed: int = 0

    def __post_init__(self):
        named = isinstance(self.name, str) and re.fullmatch(r"[A-Za-z0-9][\w.-]*", self.name) is not None
        require(self, "name", named, "a text of letters, digits, '.', '_' and '-' that starts with a letter or digit")
        one_of(self, "data", tuple(DATA_CLASSES))
        self._check_classes()
        require(self, "clean", isinstance(self.clean, bool), "true or false")
        numbers(self, float, ("val_fraction",), 0.01, 0.5)
        numbers(self, int, ("input_size",), 32, 512)
        require(self, "augmentation", isinstance(self.augmentation, Augmentation), "an Augmentation")
        one_of(self, "balancing", BALANCING)
        numbers(self, float, ("effective_beta",), 0, 0.999999)
        one_of(self, "backbone", BACKBONES)
        require(self, "resnext", isinstance(self.resnext, ResNeXt), "a ResNeXt")
        shaped = self.backbone == "ResNeXt" or self.resnext == ResNeXt()
        require(self, "resnext", shaped, f"left alone with backbone {self.backbone!r}")
        require(
            self,
            "weights",
            self.weights in (None, "imagenet") or str(self.weights).endswith((".keras", ".weights.h5")),
            "null, 'imagenet' or the path of a .keras or .weights.h5 file",
        )
        require(self, "adapt_norm", isinstance(self.adapt_norm, bool), "true or false")
        check_compression(self)
        require(self, "head", isinstance(self.head, Head), "a Head")
        allowed = "a list of one or more Stage"
        make_tuple(self, "stages", allowed)
        require(self, "stages", bool(self.stages) and all(isinstance(s, Stage) for s in self.stages), allowed)
        mixes = self.augmentation.mixup or self.augmentation.cutmix
        cached = any(s.views for s in self.stages)
        require(self, "stages", not (mixes and cached), "without views where MixUp or CutMix blends faces")
        one_of(self, "loss", LOSSES)
        numbers(self, float, ("focal_gamma", "focal_alpha"), 0, 100)
        require(self, "focal_alpha", self.focal_alpha > 0, "above 0")
        numbers(self, float, ("label_smoothing",), 0, 0.9)
        numbers(self, float, ("votes",), 0, 1)
        cached_labels = self.votes and cached
        rated = self.data in ("fer2013", "ferplus") or not self.votes
        require(self, "votes", rated, f"0 with data {self.data!r} (the raters saw FER2013)")
        require(self, "votes", not cached_labels, "0 where a stage has views (a head on cached features sees labels)")
        one_of(self, "optimizer", OPTIMIZERS)
        numbers(self, float, ("weight_decay",), 0, 1)
        decays = self.optimizer == "adamw" or self.weight_decay == 0
        require(self, "weight_decay", decays, f"0 with optimizer {self.optimizer!r} (only adamw decays)")
        one_of(self, "schedule", SCHEDULES)
        numbers(self, int, ("warmup_epochs",), 0, 1000)
        warms = self.schedule == "cosine" or self.warmup_epochs == 0
        require(self, "warmup_epochs", warms, f"0 with schedule {self.schedule!r} (only cosine warms up)")
        numbers(self, int, ("batch_size",), 1, 65_536)
        numbers(self, int, ("patience",), 0, 10_000)
        numbers(self, int, ("seed",), 0, 2**31 - 1)

    def _check_classes(self):
        make_tuple(self, "classes", "a list of two or more different emotions")
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
        require(self, "classes", len(names) >= 2 and len(set(names)) == len(names), "two or more different emotions")

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
        # What has its default is left out, so that a field that is added later does not change the hash of every recipe
        # there is. The price: the meaning and value of a default never change.
        values = {k: v for k, v in _changed(self).items() if k not in exclude}
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
        for field, part in _PARTS.items():
            if values.get(field) is not None:
                values[field] = part(**_checked_keys(part, values[field]))
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


def _changed(value: Any) -> Any:
    """Return plain JSON values of the fields that differ from their defaults."""
    if dataclasses.is_dataclass(value):
        fields = [f for f in dataclasses.fields(value) if getattr(value, f.name) != f.default]
        return {f.name: _changed(getattr(value, f.name)) for f in fields}
    return [_changed(v) for v in value] if isinstance(value, (tuple, list)) else value


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
