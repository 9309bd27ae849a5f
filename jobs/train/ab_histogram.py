"""How often each color occurs in what is learned from: kept with the weights, or counted."""

import numpy as np

from config.settings import OF_IMAGES, Settings
from jobs.train.dataset import TrainingData
from models.checkpoints.folder import WeightsFolder

# With these there are other colors to learn from. Other crops have the same ones.
_CHANGES_OF_COLORS = OF_IMAGES | {"target_saturation"}


def find_ab_histogram(
    settings: Settings, explicit: set[str], folder: WeightsFolder, data: TrainingData
) -> np.ndarray | None:
    """The counts by which rare colors weigh more, or None where all weigh the same.

    A training that goes on takes those that it was begun with.

    Args:
        settings: all settings.
        explicit: the names of the settings that the command line gives.
        folder: of the training.
        data: what is learned from.

    Raises:
        InputError: the counts that were kept are damaged, or the images cannot be used.
    """
    if not settings.rebalances_colors:
        return None
    ab_histogram = None
    if settings.load_weights and not explicit.intersection(_CHANGES_OF_COLORS):
        ab_histogram = folder.read_ab_histogram()
    return data.ab_histogram() if ab_histogram is None else ab_histogram
