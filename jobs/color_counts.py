"""How often each color occurs in what is learned from: kept with the weights, or counted."""

import numpy as np

from jobs.settings import OF_PICTURES, Settings
from jobs.training_data import TrainingData
from models.weights_folder import WeightsFolder

# With these there are other colors to learn from. Other crops have the same ones.
_CHANGES_OF_COLORS = OF_PICTURES | {"target_saturation"}


def find_color_counts(
    settings: Settings, given: set[str], folder: WeightsFolder, data: TrainingData
) -> np.ndarray | None:
    """The counts by which rare colors weigh more, or None where all weigh the same.

    A training that goes on takes those that it was begun with.

    Args:
        settings: all settings.
        given: the names of those that stood on the command line.
        folder: of the training.
        data: what is learned from.

    Raises:
        InputError: the counts that were kept are damaged, or the pictures cannot be used.
    """
    if not settings.rebalances_colors:
        return None
    counts = None
    if settings.load_weights and not given.intersection(_CHANGES_OF_COLORS):
        counts = folder.read_color_counts()
    return data.count_colors() if counts is None else counts
