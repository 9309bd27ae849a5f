"""The ab histogram of the training images: saved with the weights, or counted."""

from collections.abc import Set

import numpy as np

from config.groups.setting import Remembered
from config.settings import Settings
from jobs.train.dataset import TrainingData
from jobs.train.resume import makes_forget
from models.checkpoints.folder import WeightsFolder


def find_ab_histogram(
    settings: Settings, changed: Set[str], folder: WeightsFolder, data: TrainingData
) -> np.ndarray | None:
    """The ab histogram for color rebalancing, or None without color rebalancing.

    A resumed training uses the histogram that it was started with.

    Args:
        settings: `Settings`.
        changed: set of str, the names of the settings that a resumed training has changed.
        folder: `WeightsFolder` of the training.
        data: `TrainingData`.

    Returns:
        int64 array of shape (23, 23), as from `data.color.ab_bins.count_bins`, or None.

    Raises:
        InputError: the saved histogram is damaged, or the images cannot be used.
    """
    if not settings.rebalances_colors:
        return None
    ab_histogram = None
    if settings.load_weights and not makes_forget(changed, Remembered.AB_HISTOGRAM):
        ab_histogram = folder.read_ab_histogram()
    return data.ab_histogram() if ab_histogram is None else ab_histogram
