"""The progress bar of a training that may consist of several calls of `fit`."""

from typing import Any

import keras


class TrainingProgressBar(keras.callbacks.ProgbarLogger):
    """Keras' progress bar, with the number of epochs of the whole training.

    When a training is resumed within an epoch, the rest of that epoch is a `fit` of its own, and
    Keras would show it as the last one: "Epoch 7/7".

    Args:
        epochs: int, the number of epochs of the whole training.
    """

    def __init__(self, epochs: int):
        super().__init__()
        self._total_epochs = epochs

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params({**params, "epochs": self._total_epochs})
