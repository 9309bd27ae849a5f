"""The base class of metrics that are means over images."""

import keras
from keras import KerasTensor as Tensor


class ImageMetric(keras.metrics.Mean):
    """The mean over images of a value that a subclass computes for each image.

    Args:
        name, dtype: as in `keras.metrics.Metric`.
    """

    def measure(self, true_rgb1: Tensor, colored_rgb1: Tensor) -> Tensor:
        """Computes the value of each image, shape (batch,), from two batches of sRGB in [0, 1]."""
        raise NotImplementedError

    def update_state(
        self, true_rgb1: Tensor, colored_rgb1: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Updates the metric with two tensors of (batch, height, width, 3), sRGB in [0, 1]."""
        self.add(self.measure(true_rgb1, colored_rgb1), sample_weight)

    def add(self, values: Tensor, sample_weight: Tensor | None = None) -> None:
        """Updates the metric with values from `measure`."""
        super().update_state(values, sample_weight)
