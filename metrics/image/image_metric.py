"""The base class of metrics that are means over images."""

import keras


class ImageMetric(keras.metrics.Metric):
    """The mean over images of a value that a subclass computes for each image.

    Args:
        name: str.
        **kwargs: arguments of `keras.metrics.Metric`.
    """

    def __init__(self, name, **kwargs):
        super().__init__(name=name, **kwargs)
        self._mean = keras.metrics.Mean(dtype="float32")

    def measure(self, true_rgb1, colored_rgb1):
        """Computes the value of each image, shape (batch,), from two batches of sRGB in [0, 1]."""
        raise NotImplementedError

    def update_state(self, true_rgb1, colored_rgb1, sample_weight=None):
        """Updates the metric with two tensors of (batch, height, width, 3), sRGB in [0, 1]."""
        self._mean.update_state(self.measure(true_rgb1, colored_rgb1), sample_weight)

    def result(self):
        return self._mean.result()

    def reset_state(self):
        self._mean.reset_state()
