"""Keras' bar of progress, for a training that a `fit` may be a part of."""

import keras


class TrainingProgressBar(keras.callbacks.ProgbarLogger):
    """Keras' bar of progress, which counts the epochs of the whole training.

    Where a training was broken off within an epoch, the rest of that epoch is a `fit` of its own:
    Keras would call it the last one, "Epoch 7/7".

    Args:
        epochs: int, how many the whole training has.
    """

    def __init__(self, epochs: int):
        super().__init__()
        self._epochs_in_all = epochs

    def set_params(self, params):
        super().set_params({**params, "epochs": self._epochs_in_all})
