"""Dropout that goes on where a snapshot was taken."""

import keras


class ResumableDropout(keras.layers.Dropout):
    """`keras.layers.Dropout` whose random numbers are kept with the weights.

    Keras saves no state of random generators: a training that goes on from a snapshot would drop
    other features than one that was never stopped.

    Args:
        rate, noise_shape, seed: those of `keras.layers.Dropout`.

    Example:
        features = ResumableDropout(0.5)(keras.Input((64, 64, 32)))
    """

    def save_own_variables(self, store):
        super().save_own_variables(store)
        if self.rate > 0:
            store["random_state"] = self.seed_generator.state

    def load_own_variables(self, store):
        if self.rate > 0:
            self.seed_generator.state.assign(store["random_state"])
