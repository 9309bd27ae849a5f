"""Glaring colors where the true image is almost gray."""

import keras
from keras import KerasTensor as Tensor
from keras import ops

from data.color.lab import lab100_to_chroma
from metrics.image.lab_metric import LabMetric

# Chroma in units of ab: true colors below the first are almost gray, and colors above the second
# are glaring.
_ALMOST_GRAY = 15.0
_GLARING = 40.0


@keras.saving.register_keras_serializable("colorizer")
class Blotches(LabMetric):
    """The share of almost gray pixels that were given a glaring color: 0 to 1, lower is better.

    Counts, among the pixels whose chroma is below 15 in the true images, those whose chroma is
    above 40 in the colored images, such as red spots on gray walls. Mean errors hardly show them.

    Args:
        name, dtype: as in `keras.metrics.Metric`.

    Example:
        metric = Blotches()
        metric.update_state(true_rgb1, colored_rgb1)
        metric.result()
    """

    def __init__(self, name: str = "blotches", dtype: str | None = None):
        super().__init__((2,), name, dtype)

    def measure(self, true_lab100: Tensor, colored_lab100: Tensor) -> Tensor:
        is_gray = lab100_to_chroma(true_lab100) < _ALMOST_GRAY
        is_glaring = ops.logical_and(is_gray, lab100_to_chroma(colored_lab100) > _GLARING)
        return ops.mean(
            ops.cast(ops.stack([is_gray, is_glaring], axis=-1), self.dtype), axis=(1, 2)
        )

    def result(self) -> Tensor:
        gray, glaring = ops.unstack(self.sums)
        return ops.divide_no_nan(glaring, gray)
