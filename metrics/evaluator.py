"""Computes all metrics of one colorizer in one pass over the images."""

import math
from collections.abc import Callable

import keras
import tensorflow as tf

from data.color.lab import rgb1_to_lab100
from losses.lpips_network import LPIPSNetwork
from metrics.distribution.feature_statistics import FeatureStatistics
from metrics.distribution.fid import frechet_distance
from metrics.distribution.inception_score import InceptionScore
from metrics.distribution.kid import KID
from metrics.image.blotches import Blotches
from metrics.image.colorfulness import Colorfulness
from metrics.image.hue_coverage import HueCoverage
from metrics.image.image_metric import ImageMetric
from metrics.image.lab_metric import LabMetric
from metrics.image.pooled_psnr import PooledPSNR
from metrics.image.psnr import LARGEST_PSNR, PSNR
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
        self._of_rgb1: list[ImageMetric] = [self._colorfulness]
        self._of_lab100: list[LabMetric] = []
        if has_truth:
            self._of_rgb1 = [PSNR(), PooledPSNR(), SSIM(), self._colorfulness]
            self._of_lab100 = [HueCoverage(), Blotches()]
        # Shared, so that it is traced only once.
        self._measure: Callable[[list[tf.Tensor], list[tf.Tensor]], list[tf.Tensor]] = (
            truth._measure if truth else tf.function(self._measure_batch, reduce_retracing=True)
        )
        self._lpips_mean = keras.metrics.Mean(name="lpips", dtype="float32")
        self._statistics = FeatureStatistics()
        self._kernel = KID()
        self._score = InceptionScore()

    def update(self, colored: ImageFeatures, true: ImageFeatures | None = None) -> None:
        """Updates the metrics with a batch.

        Args:
            colored: `ImageFeatures` of the colored images.
            true: `ImageFeatures` of the same images in their true colors, or None without ground
                truth. Defaults to `None`.
        """
        self.count += len(colored.rgb1)
        pair = (true or colored, colored)
        lab100 = [_lab100_of(images) for images in pair] if self._of_lab100 else []
        values = self._measure([images.rgb1 for images in pair], lab100)
        metrics: list[ImageMetric | LabMetric] = [*self._of_rgb1, *self._of_lab100]
        for metric, value in zip(metrics, values, strict=True):
            metric.add(value)
        if colored.classes is not None:
            self._score.update_with_classes(colored.classes)
        if self._truth:
            # Of both, the caller has computed the same features.
            assert true is not None
            if self._lpips:
                assert true.lpips_features is not None
                assert colored.lpips_features is not None
                self._lpips_mean.update_state(
                    self._lpips.distance(true.lpips_features, colored.lpips_features)
                )
            if colored.features is not None:
                assert true.features is not None
                self._statistics.update(colored.features)
                self._kernel.update_with_features(true.features, colored.features)

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
        numbers = _results_of(self._of_rgb1)
        for name in numbers.keys() & {"psnr", "pooled_psnr"}:
            if numbers[name] > LARGEST_PSNR - _TOLERANCE:
                numbers[name] = math.inf
        if self._truth:
            of_truth = float(self._truth._colorfulness.result())
            numbers["delta_colorfulness"] = abs(numbers["colorfulness"] - of_truth)
            numbers |= _results_of(self._of_lab100)
            numbers["lpips"] = float(self._lpips_mean.result()) if self._lpips else math.nan
            numbers |= dict.fromkeys(("fid", "kid", "kid_deviation"), math.nan)
            if self._statistics.count > 1:
                numbers["fid"] = frechet_distance(self._truth._statistics, self._statistics)
                numbers |= self._kernel.result()
        numbers |= dict.fromkeys(("inception_score", "inception_score_deviation"), math.nan)
        if self._score.count >= self._score.splits:
            numbers |= self._score.result()
        return {name: None if math.isnan(value) else value for name, value in numbers.items()}

    def _measure_batch(self, rgb1: list[tf.Tensor], lab100: list[tf.Tensor]) -> list[tf.Tensor]:
        """The values of all metrics of pixels, from true and colored images."""
        values = [metric.measure(*rgb1) for metric in self._of_rgb1]
        return values + [metric.measure(*lab100) for metric in self._of_lab100]


def _results_of(metrics: list[keras.metrics.Metric]) -> dict[str, float]:
    numbers: dict[str, tf.Tensor] = {}
    for metric in metrics:
        result = metric.result()
        numbers |= result if isinstance(result, dict) else {metric.name: result}
    return {name: float(number) for name, number in numbers.items()}


def _lab100_of(images: ImageFeatures) -> tf.Tensor:
    return rgb1_to_lab100(images.rgb1) if images.lab100 is None else images.lab100
