"""Computes all metrics of one colorizer in one pass over the images."""

import math

import keras
import tensorflow as tf

from data.color.lab import rgb1_to_lab100
from losses.lpips_network import LPIPSNetwork
from metrics.distribution.feature_statistics import FeatureStatistics
from metrics.distribution.frechet_distance import FrechetDistance
from metrics.distribution.inception_score import InceptionScore
from metrics.distribution.kernel_distance import KernelDistance
from metrics.image.blotches import Blotches
from metrics.image.colorfulness import Colorfulness
from metrics.image.decibels import LARGEST_PSNR
from metrics.image.hue_coverage import HueCoverage
from metrics.image.pooled_psnr import PooledPSNR
from metrics.image.psnr import PSNR
from metrics.image.ssim import SSIM
from metrics.image_features import ImageFeatures

# In dB, for float32 rounding in the mean of many images.
_TOLERANCE = 0.01


class Evaluator:
    """Compares colored images with the true images, batch by batch, or measures them alone.

    A metric that cannot be computed is None: LPIPS without its network, FID and KID without
    features, the Inception Score without classes, and any metric that needs more images than there
    were.

    The features of the images are passed in, so that they are computed once for all evaluators.
    The statistics of the true images are taken from their own evaluator.

    Args:
        truth: `Evaluator` of the true images, updated with the same batches, or None if this is
            that evaluator. Defaults to `None`.
        has_truth: bool, whether there are true images. Without them only `colorfulness` and the
            Inception Score are computed. Defaults to `True`.
        lpips: `LPIPSNetwork` or None. Defaults to `None`.

    Example:
        true, colored = ImageFeatures(true_rgb1), ImageFeatures(colored_rgb1)
        truth = Evaluator()
        evaluator = Evaluator(truth)
        truth.update(true, true)
        evaluator.update(colored, true)
        evaluator.results()["psnr"]
    """

    def __init__(
        self,
        truth: "Evaluator | None" = None,
        has_truth: bool = True,
        lpips: LPIPSNetwork | None = None,
    ):
        self.count = 0
        self._truth = (truth or self) if has_truth else None
        self._lpips = lpips
        self._colorfulness = Colorfulness()
        self._comparisons: list[keras.metrics.Metric] = []
        if has_truth:
            self._comparisons = [PSNR(), PooledPSNR(), SSIM()]
            self._blotches, self._hues = Blotches(), HueCoverage()
        self._lpips_mean = keras.metrics.Mean(name="lpips", dtype="float32")
        self._statistics = FeatureStatistics()
        self._kernel = KernelDistance()
        self._score = InceptionScore()
        self._update = tf.function(self._update_metrics, reduce_retracing=True)
        self._update_hues = tf.function(self._compare_hues, reduce_retracing=True)

    def update(self, colored: ImageFeatures, true: ImageFeatures | None = None) -> None:
        """Updates the metrics with a batch.

        Args:
            colored: `ImageFeatures` of the colored images.
            true: `ImageFeatures` of the same images in their true colors, or None without ground
                truth. Defaults to `None`.
        """
        self.count += len(colored.rgb1)
        self._update(colored.rgb1, true and true.rgb1)
        if self._truth:
            self._update_hues(_lab100_of(true), _lab100_of(colored))
        if self._lpips and self._truth:
            self._update_lpips(colored, true)
        if self._truth and colored.features is not None:
            self._statistics.update(colored.features)
            self._kernel.update(true.features, colored.features)
        if colored.classes is not None:
            self._score.update(colored.classes)

    def results(self) -> dict[str, float | None]:
        """The metrics by name, None where one cannot be computed.

        With ground truth: `psnr` and `pooled_psnr` (dB, infinite for the true images themselves),
        `ssim`, `lpips`, `fid`, `kid` with `kid_deviation`, `blotches`; `hue_0` to `hue_315`, the
        amount of each of eight hues relative to the true images (`HueCoverage`), and `least_hue`,
        the smallest of them; and `delta_colorfulness`, the absolute difference between the mean
        colorfulness and that of the true images: from 0, lower is better, the delta CF of DDColor
        (Kang et al. 2023). With or without ground truth: `colorfulness`, and `inception_score` with
        `inception_score_deviation`. The deviations are over the subsets (KID) and splits (Inception
        Score), not of the mean.

        Raises:
            ValueError: there was no image.
        """
        if not self.count:
            raise ValueError("there was no image to evaluate")
        numbers = {metric.name: float(metric.result()) for metric in self._comparisons}
        for name in numbers.keys() & {"psnr", "pooled_psnr"}:
            if numbers[name] > LARGEST_PSNR - _TOLERANCE:
                numbers[name] = math.inf
        numbers["colorfulness"] = float(self._colorfulness.result())
        if self._truth:
            of_truth = float(self._truth._colorfulness.result())
            numbers["delta_colorfulness"] = abs(numbers["colorfulness"] - of_truth)
            numbers |= self._hue_coverage()
            numbers["blotches"] = float(self._blotches.result())
            numbers["lpips"] = float(self._lpips_mean.result()) if self._lpips else None
            numbers |= self._feature_distances()
        return numbers | self._class_score()

    def _update_metrics(self, colored_rgb1: tf.Tensor, true_rgb1: tf.Tensor | None) -> None:
        # Colorfulness does not use the true images, which may be missing.
        self._colorfulness.update_state(colored_rgb1, colored_rgb1)
        for metric in self._comparisons:
            metric.update_state(true_rgb1, colored_rgb1)

    def _compare_hues(self, true_lab100: tf.Tensor, colored_lab100: tf.Tensor) -> None:
        for metric in (self._blotches, self._hues):
            metric.update_with_lab100(true_lab100, colored_lab100)

    def _update_lpips(self, colored: ImageFeatures, true: ImageFeatures) -> None:
        self._lpips_mean.update_state(
            self._lpips.distance(true.lpips_features, colored.lpips_features)
        )

    def _hue_coverage(self) -> dict[str, float | None]:
        coverage = map(float, self._hues.result())
        numbers = {f"hue_{45 * hue}": share for hue, share in enumerate(coverage)}
        least = min((share for share in numbers.values() if not math.isnan(share)), default=None)
        return {
            "least_hue": least,
            **{name: None if math.isnan(share) else share for name, share in numbers.items()},
        }

    def _feature_distances(self) -> dict[str, float | None]:
        if self._statistics.count < 2:
            return dict.fromkeys(("fid", "kid", "kid_deviation"))
        fid = FrechetDistance(self._truth._statistics, self._statistics).result()
        kid, deviation = self._kernel.result()
        return {"fid": fid, "kid": kid, "kid_deviation": deviation}

    def _class_score(self) -> dict[str, float | None]:
        if self._score.count < self._score.splits:
            return dict.fromkeys(("inception_score", "inception_score_deviation"))
        score, deviation = self._score.result()
        return {"inception_score": score, "inception_score_deviation": deviation}


def _lab100_of(images: ImageFeatures) -> tf.Tensor:
    return rgb1_to_lab100(images.rgb1) if images.lab100 is None else images.lab100
