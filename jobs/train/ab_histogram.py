"""The ab histogram of the training images: saved with the weights, or counted."""

import numpy as np

from config.settings import OF_IMAGES, Settings
from jobs.train.dataset import TrainingData
from models.checkpoints.folder import WeightsFolder

# Settings that change the colors of the training images. Other crops have the same colors.
_CHANGE_COLORS = OF_IMAGES | {"dataset_weights", "target_saturation"}


def find_ab_histogram(
    settings: Settings, explicit: set[str], folder: WeightsFolder, data: TrainingData
) -> np.ndarray | None:
    """The ab histogram for color rebalancing, or None without color rebalancing.

    A resumed training uses the histogram that it was started with.

    Args:
        settings: `Settings`.
        explicit: set of str, the names of the explicit settings.
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
    if settings.load_weights and not explicit.intersection(_CHANGE_COLORS):
        ab_histogram = folder.read_ab_histogram()
    return data.ab_histogram() if ab_histogram is None else ab_histogram
