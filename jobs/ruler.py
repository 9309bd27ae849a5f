"""What pictures are measured with in an evaluation, and what cannot be measured here."""

from collections.abc import Sequence

import numpy as np

from data.lab import rgb255_to_rgb1
from errors import InputError
from jobs.settings import Settings
from metrics.feature_network import FeatureNetwork
from metrics.judge import Judge
from metrics.lpips_weights import find_lpips_weights

# The channels of Inception's features: a covariance of fewer pictures is not of full rank.
_ENOUGH_FOR_FID = 2048


class Ruler:
    """The networks that metrics need, those of them that can be had.

    One that was asked for by its path and cannot be had is an error; the default one is done
    without, and a footnote says so.

    Args:
        settings: all settings.
        has_truth: bool, whether there are true pictures to compare with.

    Raises:
        InputError: a file that was asked for cannot be used.
    """

    def __init__(self, settings: Settings, has_truth: bool):
        self._has_truth = has_truth
        self._lpips_weights, self._network = None, None
        self._missing: list[str] = []
        if has_truth:
            try:
                self._lpips_weights = find_lpips_weights(settings.lpips_weights)
            except InputError as error:
                if settings.lpips_weights:
                    raise
                self._missing.append(f"LPIPS: {error}")
        try:
            self._network = FeatureNetwork(settings.feature_network)
        except InputError as error:
            if settings.feature_network:
                raise
            self._missing.append(f"{self._of_features()}: {error}")

    def new_judge(self) -> Judge:
        """A judge for one row."""
        return Judge(self._lpips_weights, self._has_truth)

    def measure(self, judges: Sequence[Judge], colored_rgb255: Sequence[np.ndarray]) -> None:
        """Shows a batch to all judges.

        Args:
            judges: one for each row.
            colored_rgb255: for each row the same pictures, uint8 of shape
                (batch, height, width, 3). Where there is truth, the first row is the truth.
        """
        colored = [np.asarray(rgb255_to_rgb1(each)) for each in colored_rgb255]
        seen = [self._network(each) if self._network else (None, None) for each in colored]
        true, true_features = (colored[0], seen[0][0]) if self._has_truth else (None, None)
        for judge, each, (features, classes) in zip(judges, colored, seen, strict=True):
            judge.update(true, each, true_features, features, classes)

    def footnotes(self, count: int) -> list[str]:
        """What is to be said of the numbers of this many pictures, a line each."""
        lines = []
        if self._has_truth:
            lines.append("^ more is better, v less is; CF: the nearer to the truth's, the better")
        if self._lpips_weights:
            lines.append("LPIPS: version 0.1 with AlexNet")
        if self._network:
            lines.append(
                f"{self._of_features()}: features of {self._network.name}; they do not compare "
                "with numbers of another network"
            )
            lines += self._of_few(count)
            if not self._network.has_classes:
                self._missing.append(f"IS: {self._network.name} has no classes")
        return lines + [f"- {line}" for line in self._missing]

    def _of_features(self) -> str:
        return "FID, KID, IS" if self._has_truth else "IS"

    def _of_few(self, count: int) -> list[str]:
        lines = []
        if self._has_truth and count < 2:
            lines.append("- FID, KID: they take at least 2 pictures")
        elif self._has_truth and count < _ENOUGH_FOR_FID:
            lines.append(
                f"warning: FID of {count:,} pictures, fewer than {_ENOUGH_FOR_FID:,}, is too high: "
                "it compares with FID of as many pictures alone; KID does not depend on it"
            )
        return lines
