"""Dropout that can be resumed from a checkpoint and is the same on any number of devices."""

from collections.abc import Mapping, MutableMapping
from typing import Any

import keras
from keras import ops

from models.layers.replicas import is_one_of_several, own_part, replicas


@keras.saving.register_keras_serializable("colorizer")
class ResumableDropout(keras.layers.Dropout):
    """`keras.layers.Dropout` whose random state is saved with the weights.

    Keras does not save the state of random generators, so that a resumed training would drop other
    features than one that was never stopped. Several replicas together drop the same features of
    the batch as a single one would.

    Args:
        rate, noise_shape, seed: as in `keras.layers.Dropout`.

    Example:
        features = ResumableDropout(0.5)(keras.Input((64, 64, 32)))
    """

    def call(self, inputs, training=False):
        if not training or not is_one_of_several():
            return super().call(inputs, training=training)
        batch, *others = ops.shape(inputs)
        kept = super().call(ops.ones((batch * replicas(), *others), inputs.dtype), training=True)
        return inputs * own_part(kept)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        super().save_own_variables(store)
        if self.rate > 0:
            store["random_state"] = self.seed_generator.state

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        if self.rate > 0:
            self.seed_generator.state.assign(store["random_state"])
