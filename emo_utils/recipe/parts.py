"""The parts of a recipe that have settings of their own: augmentation, head, the shape of a ResNeXt, stages."""

from __future__ import annotations

from dataclasses import dataclass

from emo_utils.recipe.checks import make_tuple, numbers, one_of, require

TRAINABLE = ("head", "top", "all")


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
        randaugment: magnitude of RandAugment (Cubuk et al. 2020, two operations an image), 0 to 1.
        mixup: alpha of MixUp (Zhang et al. 2018): two faces of a batch and their targets are blended, with a share from
            Beta(alpha, alpha). Given together with `cutmix`, each batch draws one of the two.
        cutmix: alpha of CutMix (Yun et al. 2019): a rectangle of one face is pasted onto another.
    """

    flip: bool = False
    rotation: float = 0.0
    zoom: float = 0.0
    shift: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    randaugment: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0

    def __post_init__(self):
        require(self, "flip", isinstance(self.flip, bool), "true or false")
        numbers(self, float, ("rotation",), 0, 180)
        numbers(self, float, ("zoom", "shift", "brightness", "contrast"), 0, 0.9)
        numbers(self, float, ("randaugment",), 0, 1)
        numbers(self, float, ("mixup", "cutmix"), 0, 10)

    def __bool__(self) -> bool:
        return self != Augmentation()


@dataclass(frozen=True)
class Head:
    """What stands between the backbone's last feature map and the logits.

    Attributes:
        pooling: "avg" (global average) or "flatten".
        units: widths of hidden ReLU layers, possibly none.
        dropout: dropout rate before every dense layer, or one rate before each, that of the logits included.
    """

    pooling: str = "avg"
    units: tuple[int, ...] = ()
    dropout: float | tuple[float, ...] = 0.2

    def __post_init__(self):
        one_of(self, "pooling", ("avg", "flatten"))
        allowed = "a list of positive whole numbers"
        make_tuple(self, "units", allowed)
        require(self, "units", all(isinstance(u, int) and u > 0 for u in self.units), allowed)
        if not isinstance(self.dropout, (list, tuple)):
            numbers(self, float, ("dropout",), 0, 0.95)
            return
        allowed = f"a rate from 0 to 0.95, or a list of {len(self.units) + 1} (one a dense layer, the logits' last)"
        make_tuple(self, "dropout", allowed)
        rates = all(isinstance(r, (int, float)) and not isinstance(r, bool) and 0 <= r <= 0.95 for r in self.dropout)
        require(self, "dropout", rates and len(self.dropout) == len(self.units) + 1, allowed)
        object.__setattr__(self, "dropout", tuple(float(r) for r in self.dropout))

    @property
    def rates(self) -> tuple[float, ...]:
        """Return the dropout rate before each dense layer, the logits' last."""
        return self.dropout if isinstance(self.dropout, tuple) else (self.dropout,) * (len(self.units) + 1)


@dataclass(frozen=True)
class ResNeXt:
    """The shape of a ResNeXt (Xie et al. 2017) that is trained from scratch.

    Attributes:
        blocks: residual blocks in each stage; every stage but the first halves the map.
        channels: of each stage's output.
        group_width: channels that one group of the 3x3 convolution sees, the reading of d2l.ai's `groups`; or
        cardinality: the number of groups, the paper's C. Give one of the two and leave the other 0.
        dropout: rates behind the last blocks of the network, in order; () for none.
    """

    blocks: tuple[int, ...] = (2, 2, 2)
    channels: tuple[int, ...] = (64, 128, 256)
    group_width: int = 32
    cardinality: int = 0
    dropout: tuple[float, ...] = (0.2, 0.4)

    def __post_init__(self):
        for field in ("blocks", "channels"):
            allowed = "a list of positive whole numbers, one a stage"
            make_tuple(self, field, allowed)
            require(self, field, all(isinstance(v, int) and v > 0 for v in getattr(self, field)), allowed)
        same = 1 <= len(self.blocks) == len(self.channels) <= 5
        require(self, "channels", same, f"as many as blocks ({len(self.blocks)}), at most 5")
        numbers(self, int, ("group_width", "cardinality"), 0, 1024)
        one = bool(self.cardinality) != bool(self.group_width)
        require(self, "cardinality", one, "0 where group_width is given, and above 0 where it is not")
        size = self.group_width or self.cardinality
        fits = all(c % size == 0 for c in self.channels)
        require(self, "channels", fits, f"multiples of {size}, so that the groups come out even")
        allowed = f"a list of at most {sum(self.blocks)} rates from 0 to 0.95"
        make_tuple(self, "dropout", allowed)
        rates = all(isinstance(r, (int, float)) and 0 <= r <= 0.95 for r in self.dropout)
        require(self, "dropout", rates and len(self.dropout) <= sum(self.blocks), allowed)
        object.__setattr__(self, "dropout", tuple(float(r) for r in self.dropout))


@dataclass(frozen=True)
class Stage:
    """One stretch of training.

    Attributes:
        train: "head" (backbone frozen), "top" (the backbone's last block too), "all", or a number: that many of the
            backbone's last layers.
        epochs: how many at most; early stopping may end it sooner.
        learning_rate: at the start of the stage (after warm-up).
        views: 0 embeds every face anew in every epoch. K embeds each face K times before the first epoch, once as it is
            and K - 1 times augmented, and trains on these cached features ("head" only).
    """

    train: str | int = "all"
    epochs: int = 10
    learning_rate: float = 1e-3
    views: int = 0

    def __post_init__(self):
        if isinstance(self.train, (int, float)):
            numbers(self, int, ("train",), 1, 10_000)
        else:
            one_of(self, "train", TRAINABLE)
        numbers(self, int, ("views",), 0, 100)
        cacheable = self.views == 0 or self.train == "head"
        require(self, "views", cacheable, f"0 with train={self.train!r} (only a frozen backbone's features stay)")
        numbers(self, int, ("epochs",), 1, 10_000)
        require(self, "learning_rate", self.learning_rate != 0, "above 0")
        numbers(self, float, ("learning_rate",), 0, 10)
