"""All metrics of one colorizer in one pass over the pictures."""

import math

import keras
import numpy as np
import tensorflow as tf

from metrics.colorfulness import Colorfulness
from metrics.feature_statistics import FeatureStatistics
from metrics.frechet_distance import frechet_distance
from metrics.inception_score import InceptionScore
from metrics.kernel_distance import KernelDistance
from metrics.lpips import LPIPS
from metrics.pooled_psnr import PooledPSNR
from metrics.psnr import PSNR
from metrics.ssim import SSIM


class Judge:
    """Compares colored pictures with the true ones, batch by batch; or looks at them alone.

    What cannot be computed is None, and never made up: LPIPS without its weights, distances of
    features without a network that gives any, the Inception Score without classes, and whatever
    takes more pictures than there were.

    Args:
        lpips_weights: path of LPIPS's weights, or None to do without.
        has_truth: bool, whether there are true pictures. Without them there are no numbers but
            `colorfulness` and the Inception Score.

    Example:
        judge = Judge()
        judge.update(true_rgb1, colored_rgb1)
        judge.results()["psnr"]
    """

    def __init__(self, lpips_weights: str | None = None, has_truth: bool = True):
        self._metrics: list[keras.metrics.Metric] = [Colorfulness()]
        if has_truth:
            self._metrics += [PSNR(), PooledPSNR(), SSIM(), Colorfulness(of_truth=True)]
            if lpips_weights is not None:
                self._metrics.append(LPIPS(lpips_weights))
        self._has_truth = has_truth
        self._update = tf.function(self._update_metrics, reduce_retracing=True)
        self._true, self._colored = FeatureStatistics(), FeatureStatistics()
        self._kernel = KernelDistance()
        self._score = InceptionScore()
        self.count = 0

    def update(
        self,
        true_rgb1: np.ndarray | None,
        colored_rgb1: np.ndarray,
        true_features: np.ndarray | None = None,
        colored_features: np.ndarray | None = None,
        colored_classes: np.ndarray | None = None,
    ) -> None:
        """Takes a batch.

        Args:
            true_rgb1: float32 of shape (batch, height, width, 3), sRGB in [0, 1]; None without
                truth.
            colored_rgb1: likewise.
            true_features: float32 of shape (batch, channels), or None.
            colored_features: likewise.
            colored_classes: probabilities of shape (batch, classes), or None.
        """
        if true_rgb1 is None:
            # What is measured without truth does not look at it.
            true_rgb1 = colored_rgb1
        self._update(tf.convert_to_tensor(true_rgb1), tf.convert_to_tensor(colored_rgb1))
        if self._has_truth and colored_features is not None:
            self._true.update(true_features)
            self._colored.update(colored_features)
            self._kernel.update(true_features, colored_features)
        if colored_classes is not None:
            self._score.update(colored_classes)
        self.count += len(colored_rgb1)

    def _update_metrics(self, true_rgb1: tf.Tensor, colored_rgb1: tf.Tensor) -> None:
        for metric in self._metrics:
            metric.update_state(true_rgb1, colored_rgb1)

    def results(self) -> dict[str, float | None]:
        """Each number by its name, None where it cannot be computed.

        `psnr` and `pooled_psnr` of pictures that are the truth itself are infinite.

        Raises:
            ValueError: there was no picture.
        """
        if not self.count:
            raise ValueError("there was no picture to judge")
        numbers = {metric.name: float(metric.result()) for metric in self._metrics}
        if self._has_truth:
            for name in ("psnr", "pooled_psnr"):
                # An error of 0 counts as 100 dB there.
                numbers[name] = math.inf if numbers[name] > 99.99 else numbers[name]
            numbers.setdefault("lpips", None)
            true_colorfulness = numbers.pop("true_colorfulness")
            numbers["delta_colorfulness"] = abs(numbers["colorfulness"] - true_colorfulness)
            numbers |= self._feature_distances()
        return numbers | self._class_score()

    def _feature_distances(self) -> dict[str, float | None]:
        if self._colored.count < 2:
            return dict.fromkeys(("fid", "kid", "kid_deviation"))
        kid, deviation = self._kernel.result()
        fid = frechet_distance(self._true, self._colored)
        return {"fid": fid, "kid": kid, "kid_deviation": deviation}

    def _class_score(self) -> dict[str, float | None]:
        if self._score.count < self._score.splits:
            return dict.fromkeys(("inception_score", "inception_score_deviation"))
        score, deviation = self._score.result()
        return {"inception_score": score, "inception_score_deviation": deviation}
