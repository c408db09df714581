"""Which filter makes which channel.

Every filter of a convolution and every unit of a dense layer gets a number. The channel axis of a tensor is then an int
array of such numbers: a concatenation joins two arrays, Flatten repeats one for each place, an addition says which
numbers must stay or go together. What a layer does to the arrays of its inputs is in `emo_utils.prune.rules`; here is
what gets noted on the way.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import keras
import numpy as np


@dataclass(frozen=True)
class Use:
    """A layer whose weights or settings depend on the channels around it.

    Attributes:
        layer: the layer.
        given: numbers of the filters that make its input channels, int array of shape (channels,).
        output: likewise of its output channels.
    """

    layer: keras.layers.Layer
    given: np.ndarray
    output: np.ndarray

    @property
    def groups(self) -> int:
        """How many groups a convolution splits its channels into; 1 for every other layer."""
        return getattr(self.layer, "groups", 1)


@dataclass
class Axes:
    """What is known of a model's channels.

    Attributes:
        uses: by the id of the layer, in the order of the first call.
        models: nested models and what they take and give.
        makers: the layers that start new channels; first None, which stands for what cannot change.
        made_by: for each number the index of its maker.
        ties: pairs of int arrays of one shape: numbers that stay or go together.
        fixed: numbers that must stay.
        gates: indices of makers that only weigh what others make, as in squeeze-and-excite.
    """

    uses: dict[int, Use] = field(default_factory=dict)
    models: list[Use] = field(default_factory=list)
    makers: list[keras.layers.Layer | None] = field(default_factory=lambda: [None])
    made_by: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=int))
    ties: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    fixed: list[np.ndarray] = field(default_factory=list)
    gates: set[int] = field(default_factory=set)

    def start(self, n: int, maker: keras.layers.Layer | None) -> np.ndarray:
        """Return n new numbers; without a maker they are fixed from the start."""
        if maker is not None:
            self.makers.append(maker)
        index = 0 if maker is None else len(self.makers) - 1
        self.made_by = np.concatenate([self.made_by, np.full(n, index)])
        return np.arange(len(self.made_by) - n, len(self.made_by))

    def note(self, layer: keras.layers.Layer, given: np.ndarray, output: np.ndarray) -> np.ndarray:
        """Remember a layer and return its output; of one that is called again the inputs are tied."""
        first = self.uses.setdefault(id(layer), Use(layer, given, output))
        if first.given is not given:
            self.ties.append((first.given, given))
            self.ties.append((first.output, output))
        return output

    def from_input(self, channels: list[np.ndarray]) -> bool:
        """Tell whether nothing that can be pruned lies before these channels."""
        return not any(self.made_by[numbers].any() for numbers in channels)
