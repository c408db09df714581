"""A Keras model as a list of calls, and rebuilt with some of its layers replaced; nested models are opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras


class Call(NamedTuple):
    """One call of a layer on the way from the input to the output of a model.

    Attributes:
        operation: a layer, a nested model, or a plain operation such as the addition of a number.
        given: the tensors that it was given, perhaps with other values among them.
        output: what came out; of a nested model the output of its last layer.
    """

    operation: Any
    given: list
    output: Any


def trace(operation, *given, calls: list[Call], **options):
    """Call a model layer by layer, those of nested models included, and note what came out of each.

    Args:
        operation: a functional or sequential model; also a single layer or operation.
        given: its input, symbolic (`keras.Input`).
        calls: gets a `Call` for every layer in the order of calling, a nested model's own behind those of its layers.

    Returns:
        The output of the whole.
    """
    tensors = keras.tree.flatten((given, options))
    if isinstance(operation, keras.Sequential):
        output = tensors[0]
        for layer in operation.layers:
            output = trace(layer, output, calls=calls)
    elif hasattr(operation, "operations"):  # a functional model; one of another kind cannot be opened
        # Keras's own walk over a graph. The copy that it returns is not needed, the calls on the way are.
        keras.models.clone_model(
            operation,
            input_tensors=keras.tree.pack_sequence_as(operation.input, keras.tree.flatten(given)),
            clone_function=lambda same: same,
            call_function=lambda inner, *args, **kwargs: trace(inner, *args, calls=calls, **kwargs),
        )
        output = calls[-1].output
    else:
        output = operation(*given, **options)
    calls.append(Call(operation, tensors, output))
    return output


def makers(calls: list[Call]) -> dict[int, Call]:
    """Return the layer's call by the id of its output; a model around it gives the same output, later."""
    return {id(c.output): c for c in reversed(calls)}


def symbolic_input(model: keras.Model):
    """Return a new symbolic input like that of a model."""
    return keras.Input(batch_shape=(None, *model.input_shape[1:]), dtype=model.inputs[0].dtype)


def clone_layers(
    model: keras.Model, replace: Callable[[keras.layers.Layer], keras.layers.Layer | None], call: Callable | None = None
) -> keras.Model:
    """Rebuild a functional model, nested ones included, with some of its layers replaced.

    Args:
        model: stays as it is.
        replace: layer -> the new layer in its place, or None for a copy with the same weights.
            A new layer's weights are its own business once the model is built.
        call: called as call(layer, *args, **kwargs) with each new layer, to insert layers behind it; see
            `keras.models.clone_model`.

    Returns:
        The new model: same names and nesting; layers that were not replaced have their old weights and `trainable`.
    """
    copies: list[tuple[keras.layers.Layer, keras.layers.Layer]] = []

    def clone(layer):
        if not isinstance(layer, keras.layers.Layer):
            return layer  # a plain operation has no state
        new = replace(layer)
        if new is None:
            new = layer.__class__.from_config(layer.get_config())
            copies.append((layer, new))
        return new

    rebuilt = keras.models.clone_model(model, clone_function=clone, call_function=call, recursive=True)
    for old, new in copies:
        new.set_weights(old.get_weights())
    return rebuilt
