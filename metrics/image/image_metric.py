"""What the metrics of single images have in common."""

import keras


class ImageMetric(keras.metrics.Metric):
    """The mean over all images of a number that each image has. A subclass says which.

    Args:
        name: str.
        **kwargs: those of `keras.metrics.Metric`.
    """

    def __init__(self, name, **kwargs):
        super().__init__(name=name, **kwargs)
        self._mean = keras.metrics.Mean(dtype="float32")

    def measure(self, true_rgb1, colored_rgb1):
        """The number of each image, shape (batch,), from two batches of sRGB in [0, 1]."""
        raise NotImplementedError

    def update_state(self, true_rgb1, colored_rgb1, sample_weight=None):
        """Takes two tensors of shape (batch, height, width, 3), sRGB in [0, 1]."""
        self._mean.update_state(self.measure(true_rgb1, colored_rgb1), sample_weight)

    def result(self):
        return self._mean.result()

    def reset_state(self):
        self._mean.reset_state()
