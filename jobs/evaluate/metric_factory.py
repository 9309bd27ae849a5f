"""The metrics of an evaluation, and the footnotes that explain them."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from config.settings import Settings
from data.color.lab import rgb1_to_lab100, rgb255_to_rgb1
from errors import InputError
from jobs.common.error_translation import about_option
from losses.lpips_network import SMALLEST_SIDE, LPIPSNetwork
from metrics.distribution.feature_network import FeatureNetwork
from metrics.evaluator import Evaluator
from metrics.image_features import ImageFeatures

# The features of InceptionV3: the covariance of fewer images does not have full rank.
_ENOUGH = 2048

# XLA fuses the many small operations on each pixel into one.
_rgb1_to_lab100 = tf.function(rgb1_to_lab100, jit_compile=True)


class MetricFactory:
    """Makes evaluators with the networks that are available.

    A network that the user gave the path of must load. Where a default network is not available,
    its metrics are skipped and a footnote says so.

    Args:
        settings: `Settings`.
        has_truth: bool, whether there are true images to compare with.

    Raises:
        InputError: a file that the user gave cannot be used.
    """

    def __init__(self, settings: Settings, has_truth: bool):
        self._has_truth = has_truth
        self._missing: list[str] = []
        self._lpips = self._lpips_features = None
        if has_truth and settings.resolution < SMALLEST_SIDE:
            self._missing.append(f"LPIPS: needs images of at least {SMALLEST_SIDE} px")
        elif has_truth:
            self._lpips = self._load(settings, "lpips_weights", LPIPSNetwork, "LPIPS")
        if self._lpips:
            self._lpips_features = tf.function(self._lpips.features, reduce_retracing=True)
        names = "FID, KID, IS" if has_truth else "IS"
        self._network = self._load(settings, "feature_network", FeatureNetwork, names)
        if self._network and not self._network.has_classes:
            self._missing.append(f"IS: {self._network.name} has no classes")
            self._network = self._network if has_truth else None

    @property
    def feature_network(self) -> str | None:
        """The name of the feature network and of its weights, or None without a network."""
        return self._network and self._network.name

    def new_evaluator(self, truth: Evaluator | None = None) -> Evaluator:
        """Makes the evaluator of one row.

        Args:
            truth: `Evaluator` of the true images, or None to make that one. Defaults to `None`.
        """
        return Evaluator(truth, self._has_truth, self._lpips)

    def features_of(self, rgb255: np.ndarray) -> ImageFeatures:
        """Computes what the metrics need from images, uint8 of shape (batch, height, width, 3)."""
        rgb1 = rgb255_to_rgb1(rgb255)
        lpips_features = self._lpips_features and self._lpips_features(rgb1)
        features, classes = self._network(rgb1) if self._network else (None, None)
        lab100 = _rgb1_to_lab100(rgb1) if self._has_truth else None
        return ImageFeatures(rgb1, lpips_features, features, classes, lab100)

    def footnotes(self, count: int) -> list[str]:
        """The footnotes of a table of `count` images, one line each."""
        lines, missing = [], list(self._missing)
        if self._has_truth:
            lines.append("^ higher is better, v lower is better, CF closer to the truth is better")
        if self._lpips:
            lines.append("LPIPS: version 0.1 with AlexNet")
        if self._network:
            names = ["FID", "KID"] if self._has_truth else []
            names += ["IS"] if self._network.has_classes else []
            lines.append(
                f"{', '.join(names)}: computed with {self._network.name}; values of other networks "
                "are not comparable"
            )
            lines.append("+- standard deviation over splits (IS) or subsets (KID) of the images")
            if count < _ENOUGH:
                biases = {"FID": "FID is too high", "IS": "IS is too low"}
                biased = " and ".join(biases[name] for name in names if name in biases)
                lines.append(
                    f"warning: with {count:,} images, fewer than {_ENOUGH:,}, {biased}: compare "
                    "them only with values of as many images"
                    + ("; KID does not have this bias" if self._has_truth else "")
                )
            if self._has_truth and count < 2:
                missing.append("FID, KID: need at least 2 images")
            if "IS" in names and count < 10:
                missing.append("IS: needs at least 10 images")
        return lines + [f"- {line}" for line in missing]

    def _load(self, settings: Settings, option: str, make: Callable, metrics: str):
        """The network of an option, or None, and a footnote, if a default one is missing."""
        path = getattr(settings, option)
        try:
            with about_option(option):
                return make(path)
        except InputError as error:
            if path:
                raise
            self._missing.append(f"{metrics}: {error}")
            return None
