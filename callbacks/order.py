"""The order of the callbacks of a training."""

from collections.abc import Iterable

import keras

from callbacks.frozen_encoder import FrozenEncoder
from callbacks.learning_rates import LearningRates
from callbacks.metrics_to_tensorboard import MetricsToTensorBoard
from callbacks.nonfinite_steps import NonfiniteSteps
from callbacks.phases import Phases
from callbacks.plateau import Plateau
from callbacks.sample_grid import SampleGrid
from callbacks.save_best_then_last import SaveBestThenLast
from callbacks.stop_on_signal import StopOnSignal
from callbacks.training_checkpoint import TrainingCheckpoint
from callbacks.training_log import TrainingLog
from callbacks.training_progress_bar import TrainingProgressBar
from models.batch_statistics import BatchStatistics

ORDER = (
    # The EMA generator is complete before anything judges, shows or saves it.
    BatchStatistics,
    # The learning rates depend on which networks are trained.
    Phases,
    FrozenEncoder,
    LearningRates,
    # A step that went wrong ends the training before it is counted or saved.
    NonfiniteSteps,
    # A checkpoint contains the best loss and the plateau of its epoch.
    SaveBestThenLast,
    Plateau,
    TrainingCheckpoint,
    # The records of a step have the number that the checkpoint has counted.
    MetricsToTensorBoard,
    SampleGrid,
    # A training that is asked to stop has written all of its records.
    StopOnSignal,
    TrainingProgressBar,
    TrainingLog,
)


def in_order(callbacks: Iterable[keras.callbacks.Callback]) -> list[keras.callbacks.Callback]:
    """Sorts the callbacks of a training so that each comes after those whose results it uses.

    Args:
        callbacks: iterable of callbacks of the types in `ORDER`. Those of one type stay in order.

    Raises:
        ValueError: a callback is of another type.
    """
    callbacks = list(callbacks)
    for callback in callbacks:
        if type(callback) not in ORDER:
            raise ValueError(f"`callbacks` should be of the types in `ORDER`. Received: {callback}")
    return sorted(callbacks, key=lambda callback: ORDER.index(type(callback)))
