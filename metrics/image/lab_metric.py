"""The base class of metrics that compare how much of an image has certain colors."""

import keras
from keras import KerasTensor as Tensor
from keras import ops

from data.color.lab import rgb1_to_lab100


class LabMetric(keras.metrics.Metric):
    """Sums over images of shares of pixels that a subclass measures in CIE Lab.

    Sums of shares, because float32 cannot count all the pixels.

    Args:
        shape: tuple of int, the shape of the shares of one image.
        name, dtype: as in `keras.metrics.Metric`.
    """

    def __init__(self, shape: tuple[int, ...], name: str, dtype: str | None = None):
        super().__init__(name=name, dtype=dtype)
        self.images = self.add_variable((), "zeros", name="images")
        self.sums = self.add_variable(shape, "zeros", name="sums")

    def measure(self, true_lab100: Tensor, colored_lab100: Tensor) -> Tensor:
        """Computes the shares of each image, (batch, *shape), from two batches in CIE Lab."""
        raise NotImplementedError

    def update_state(self, true_rgb1: Tensor, colored_rgb1: Tensor) -> None:
        """Updates the metric with two tensors of (batch, height, width, 3), sRGB in [0, 1]."""
        self.add(self.measure(rgb1_to_lab100(true_rgb1), rgb1_to_lab100(colored_rgb1)))

    def add(self, shares: Tensor) -> None:
        """Updates the metric with shares from `measure`."""
        self.images.assign_add(ops.cast(ops.shape(shares)[0], self.dtype))
        self.sums.assign_add(ops.sum(shares, axis=0))
