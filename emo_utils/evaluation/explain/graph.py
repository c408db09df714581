"""Cut a Keras model in two at one of its feature maps, however deep in nested models that map lies."""

from __future__ import annotations

import keras

from emo_utils.errors import ModelError
from emo_utils.models.graph import Call, makers, symbolic_input, trace


def split_at_maps(model: keras.Model, layer: str | None = None) -> tuple[keras.Model, keras.Model]:
    """Return two models that share the layers of a classifier: images -> maps, and maps -> scores.

    The scores are the logits: where the model ends in a softmax, what goes into it. A softmax near 0 or 1 has next to
    no gradient, however much the maps matter.

    Args:
        model: functional or sequential, from images of shape (n, h, w, c) to scores or probabilities (n, n_classes);
            models inside are opened.
        layer: whose output to cut at, by name, also inside a nested model (of two with that name, the later one);
            None for the last layer whose output is a map, (n, h, w, channels), of more than one place.

    Raises:
        ModelError: no such layer or map; or the layer is no bottleneck: something of the image reaches the scores
            beside it, as over a skip connection.
    """
    images = symbolic_input(model)
    calls: list[Call] = []
    trace(model, images, calls=calls)
    name, maps = _find_maps(calls, layer, model.name)
    scores = _before_softmax(calls)
    if _passes_by(calls, images, maps, scores):
        raise ModelError(
            f"Layer {name!r} of {model.name} is no bottleneck: something of the image passes beside it. "
            "Choose a layer where the branches have met, e.g. an addition or the activation behind it."
        )
    return keras.Model(images, maps), keras.Model(maps, scores)


def _find_maps(calls: list[Call], layer: str | None, model_name: str):
    """Return the name and the output of the layer to cut at."""
    found = [c for c in calls if layer in (None, c.operation.name)]
    if not found:
        names = dict.fromkeys(c.operation.name for c in calls if _is_map(c.output))
        raise ModelError(f"{model_name} has no layer {layer!r}. The last ones with maps: {', '.join([*names][-8:])}.")
    chosen = [c for c in found if _is_map(c.output)]
    if not chosen:
        which = f"Layer {layer!r} of {model_name} gives" if layer else f"No layer of {model_name} gives"
        raise ModelError(
            f"{which} {'no' if layer else 'a'} map (n, h, w, channels) of more than one place. "
            "Name an earlier layer, or use larger inputs."
        )
    return chosen[-1].operation.name, chosen[-1].output


def _is_map(output) -> bool:
    shape = getattr(output, "shape", ())
    return len(shape) == 4 and (shape[1], shape[2]) != (1, 1)


def _before_softmax(calls: list[Call]):
    """Return what goes into the softmax that a model ends in; its output where it ends in something else."""
    made_by = makers(calls)
    last = made_by[id(calls[-1].output)]
    while _activation(last) is keras.activations.linear and id(last.given[0]) in made_by:
        last = made_by[id(last.given[0])]  # only passes on what it gets, perhaps as another number type
    layer = last.operation
    if isinstance(layer, keras.layers.Softmax) or _activation(last) is keras.activations.softmax:
        return last.given[0]
    if getattr(layer, "activation", None) is not keras.activations.softmax:
        return last.output
    linear = layer.__class__.from_config({**layer.get_config(), "activation": "linear"})
    output = trace(linear, last.given[0], calls=calls)
    linear.set_weights(layer.get_weights())
    return output


def _activation(call: Call):
    """Return the function of a layer that does nothing but to apply it; None for other layers."""
    return call.operation.activation if isinstance(call.operation, keras.layers.Activation) else None


def _passes_by(calls: list[Call], images, maps, scores) -> bool:
    """Tell whether the scores can be traced back to the images without passing the maps."""
    made_by, seen, todo = makers(calls), {id(maps)}, [scores]
    while todo:
        tensor = todo.pop()
        if tensor is images:
            return True
        if id(tensor) not in seen and id(tensor) in made_by:
            todo += made_by[id(tensor)].given
        seen.add(id(tensor))
    return False
