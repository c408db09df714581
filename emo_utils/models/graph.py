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


def leaf_calls(model: keras.Model) -> tuple[Any, list[Call]]:
    """Return a new symbolic input of a model and what is called on the way from it, nested models only opened.

    The output of the last call is the model's.
    """
    face = symbolic_input(model)
    calls: list[Call] = []
    trace(model, face, calls=calls)
    return face, [c for c in calls if not _opens(c.operation)]


def _opens(operation) -> bool:
    """Say whether `trace` looks inside: at a sequential or functional model, but not at one of another kind."""
    return isinstance(operation, keras.Sequential) or hasattr(operation, "operations")


def makers(calls: list[Call]) -> dict[int, Call]:
    """Return the layer's call by the id of its output; a model around it gives the same output, later."""
    return {id(c.output): c for c in reversed(calls)}


def symbolic_input(model: keras.Model):
    """Return a new symbolic input like that of a model."""
    return keras.Input(batch_shape=(None, *model.input_shape[1:]), dtype=model.inputs[0].dtype)


def clone_layers(
    model: keras.Model,
    replace: Callable[[keras.layers.Layer], keras.layers.Layer | None],
    call: Callable | None = None,
    channels: dict[int, int] | None = None,
) -> keras.Model:
    """Rebuild a functional model, nested ones included, with some of its layers replaced.

    Args:
        model: stays as it is.
        replace: layer -> the new layer in its place, or None for a copy with the same weights.
            A new layer's weights are its own business once the model is built.
        call: called as call(layer, *args, **kwargs) with each new layer, to insert layers behind it; see
            `keras.models.clone_model`.
        channels: how many channels a nested model takes, by its id, where that is no longer what it was.

    Returns:
        The new model: same names and nesting; layers that were not replaced have their old weights and `trainable`.
    """
    if call is not None and isinstance(model, keras.Sequential):  # whose calls cannot be changed
        model = keras.Model(model.inputs, model.outputs, name=model.name)
    copies: list[tuple[keras.layers.Layer, keras.layers.Layer]] = []
    done: dict[int, Any] = {}  # a layer may stand in several of the models

    def clone(layer):
        if not isinstance(layer, keras.layers.Layer):
            return layer  # a plain operation has no state
        if id(layer) not in done:
            done[id(layer)] = rebuild(layer) if _opens(layer) else renew(layer)
        return done[id(layer)]

    def rebuild(part):
        # Left to itself, Keras gives every nested model an input of the old shape, under a new name.
        n = (channels or {}).get(id(part))
        given = part.inputs[0] if isinstance(part, keras.Sequential) else part.input
        inputs = keras.tree.map_structure(lambda x: _input_like(x, n), given)
        use_call = part is model or not isinstance(part, keras.Sequential)  # which takes none
        return keras.models.clone_model(part, inputs, clone_function=clone, call_function=call if use_call else None)

    def renew(layer):
        new = replace(layer)
        if new is None and isinstance(layer, keras.layers.Lambda):
            return layer  # it has no weights, and Keras refuses to make another from its code
        if new is None:
            new = layer.__class__.from_config(layer.get_config())
            copies.append((layer, new))
        return new

    rebuilt = rebuild(model)
    for old, new in copies:
        new.set_weights(old.get_weights())
    return rebuilt


def _input_like(tensor, channels: int | None):
    """Return an input like one of a model, by default with as many channels."""
    shape = tensor.shape if channels is None else (*tensor.shape[:-1], channels)
    return keras.Input(batch_shape=shape, dtype=tensor.dtype, name=tensor._keras_history.operation.name)
