"""Mean colorfulness of colored images."""

from typing import Any

import keras
from keras import KerasTensor as Tensor
from keras import ops

from data.color.colorfulness import colorfulness
from metrics.image.image_metric import ImageMetric


@keras.saving.register_keras_serializable("colorizer")
class Colorfulness(ImageMetric):
    """The mean over the colored images of Hasler and Suesstrunk's colorfulness.

    0 is gray, 15 slightly, 33 moderately and 59 quite colorful. Neither higher nor lower is better
    in itself; closer to the value of the true images is. The definition, with signed color
    differences, its source (Hasler and Suesstrunk 2003) and how other variants differ are in
    `data.color.colorfulness`.

    Args:
        of_truth: bool, whether to measure the true images instead. Defaults to `False`.
        name: str or None. Defaults to `None`: `colorfulness`, or `true_colorfulness` with
            `of_truth`.
        dtype: as in `keras.metrics.Metric`.

    Example:
        metric = Colorfulness()
        metric.update_state(true_rgb1, colored_rgb1)
        metric.result()
    """

    def __init__(self, of_truth: bool = False, name: str | None = None, dtype: str | None = None):
        default_name = "true_colorfulness" if of_truth else "colorfulness"
        super().__init__(name=name or default_name, dtype=dtype)
        self.of_truth = of_truth

    def measure(self, true_rgb1: Tensor, colored_rgb1: Tensor) -> Tensor:
        images = true_rgb1 if self.of_truth else colored_rgb1
        return colorfulness(images * 255.0, numpy=ops)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "of_truth": self.of_truth}
