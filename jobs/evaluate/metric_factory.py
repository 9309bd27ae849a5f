"""What images are measured with in an evaluation, and what cannot be measured here."""

import numpy as np
import tensorflow as tf

from config.settings import Settings
from data.color.lab import rgb1_to_lab100, rgb255_to_rgb1
from errors import InputError
from losses.lpips_network import SMALLEST_SIDE, LPIPSNetwork
from losses.lpips_weights import find_lpips_weights
from metrics.distribution.feature_network import FeatureNetwork
from metrics.evaluator import Evaluator
from metrics.image_features import ImageFeatures

# The channels of Inception's features: a covariance of fewer images is not of full rank.
_ENOUGH = 2048
# What these metrics can do with at all.
_LEAST = {"FID, KID": 2, "IS": 10}


class MetricFactory:
    """The networks that metrics need, those of them that can be had.

    One that was asked for by its path and cannot be had is an error; the default one is done
    without, and a footnote says so.

    Args:
        settings: all settings.
        has_truth: bool, whether there are true images to compare with.

    Raises:
        InputError: a file that was asked for cannot be used.
    """

    def __init__(self, settings: Settings, has_truth: bool):
        self._has_truth = has_truth
        self._missing: list[str] = []
        self._lpips = self._find_lpips(settings) if has_truth else None
        self._network = self._find_network(settings)
        self._see = tf.function(self._features_for_lpips, reduce_retracing=True)
        # Many small operations on each pixel, of which XLA makes one.
        self._to_lab = tf.function(rgb1_to_lab100, jit_compile=True)

    @property
    def feature_network(self) -> str | None:
        """The name of the network that gives features, and of its weights."""
        return self._network and self._network.name

    def new_evaluator(self, truth: Evaluator | None = None) -> Evaluator:
        """A judge for one row: of the truth itself, or beside that one."""
        return Evaluator(truth, self._has_truth, self._lpips)

    def features_of(self, rgb255: np.ndarray) -> ImageFeatures:
        """What metrics ask of images, uint8 of shape (batch, height, width, 3)."""
        rgb1 = rgb255_to_rgb1(rgb255)
        lpips_features = self._see(rgb1) if self._lpips else None
        features, classes = self._network(rgb1) if self._network else (None, None)
        lab100 = self._to_lab(rgb1) if self._has_truth else None
        return ImageFeatures(rgb1, lpips_features, features, classes, lab100)

    def footnotes(self, count: int) -> list[str]:
        """What is to be said of the numbers of this many images, a line each."""
        lines, missing = [], list(self._missing)
        if self._has_truth:
            lines.append("^ more is better, v less is; CF: the nearer to the truth's, the better")
        if self._lpips:
            lines.append("LPIPS: version 0.1 with AlexNet")
        if self._network:
            names = self._names_of_feature_metrics(self._network.has_classes)
            lines.append(
                f"{names}: by {self._network.name}; numbers of other networks do not compare"
            )
            lines.append("+- is the deviation over parts (IS) and subsets (KID) of the images")
            lines += self._about_few(count)
            if not self._network.has_classes:
                missing.append(f"IS: {self._network.name} has no classes")
            missing += [
                f"{each}: {'it takes' if each == 'IS' else 'they take'} at least {least} images"
                for each, least in _LEAST.items()
                if each in names and count < least
            ]
        return lines + [f"- {line}" for line in missing]

    def _find_lpips(self, settings: Settings) -> LPIPSNetwork | None:
        if settings.resolution < SMALLEST_SIDE:
            self._missing.append(f"LPIPS: it takes images of at least {SMALLEST_SIDE} px")
            return None
        try:
            return LPIPSNetwork(find_lpips_weights(settings.lpips_weights))
        except InputError as error:
            if settings.lpips_weights:
                raise
            self._missing.append(f"LPIPS: {error}")
            return None

    def _find_network(self, settings: Settings) -> FeatureNetwork | None:
        try:
            network = FeatureNetwork(settings.feature_network)
        except InputError as error:
            if settings.feature_network:
                raise
            self._missing.append(f"{self._names_of_feature_metrics()}: {error}")
            return None
        if not self._has_truth and not network.has_classes:
            self._missing.append(f"IS: {network.name} has no classes")
            return None
        return network

    def _features_for_lpips(self, rgb1: tf.Tensor) -> list[tf.Tensor]:
        return self._lpips.features(rgb1)

    def _names_of_feature_metrics(self, has_classes: bool = True) -> str:
        names = ["FID", "KID"] if self._has_truth else []
        return ", ".join([*names, "IS"] if has_classes else names)

    def _about_few(self, count: int) -> list[str]:
        if count >= _ENOUGH:
            return []
        biased = ["FID is too high"] if self._has_truth else []
        biased += ["IS is too low"] if self._network.has_classes else []
        return [
            f"warning: of {count:,} images, fewer than {_ENOUGH:,}, {' and '.join(biased)}: such "
            "numbers compare with those of as many images alone"
            + ("; KID does not depend on it" if self._has_truth else "")
        ]
