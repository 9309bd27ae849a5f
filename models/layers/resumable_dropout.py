"""Dropout that resumes from a checkpoint, and drops the same on any number of devices."""

import keras
from keras import ops

from models.layers.replicas import is_one_of_several, own_part, replicas


class ResumableDropout(keras.layers.Dropout):
    """`keras.layers.Dropout` whose random numbers are kept with the weights.

    Keras saves no state of random generators: a training that goes on from a checkpoint would drop
    other features than one that was never stopped. Replicas that learn together drop of the whole
    batch what one alone would.

    Args:
        rate, noise_shape, seed: those of `keras.layers.Dropout`.

    Example:
        features = ResumableDropout(0.5)(keras.Input((64, 64, 32)))
    """

    def call(self, inputs, training=False):
        if not training or not is_one_of_several():
            return super().call(inputs, training=training)
        batch, *others = ops.shape(inputs)
        kept = super().call(ops.ones((batch * replicas(), *others), inputs.dtype), training=True)
        return inputs * own_part(kept)

    def save_own_variables(self, store):
        super().save_own_variables(store)
        if self.rate > 0:
            store["random_state"] = self.seed_generator.state

    def load_own_variables(self, store):
        if self.rate > 0:
            self.seed_generator.state.assign(store["random_state"])
