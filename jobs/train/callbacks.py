"""The callbacks of a training, from its settings."""

import functools
import itertools
from collections.abc import Iterator
from typing import Any

import keras

from callbacks.frozen_encoder import FrozenEncoder
from callbacks.learning_rates import LearningRates
from callbacks.metrics_to_tensorboard import MetricsToTensorBoard
from callbacks.nonfinite_steps import NonfiniteSteps
from callbacks.order import in_order
from callbacks.phases import Phases
from callbacks.plateau import Plateau
from callbacks.sample_grid import SampleGrid
from callbacks.save_best_then_last import SaveBestThenLast
from callbacks.stop_on_signal import StopOnSignal
from callbacks.training_checkpoint import TrainingCheckpoint
from callbacks.training_log import TrainingLog
from callbacks.training_progress_bar import TrainingProgressBar
from config.settings import Settings
from jobs.common.progress_bar import can_draw_bars
from jobs.common.signals import SignalWatch
from jobs.train.dataset import TrainingData
from jobs.train.devices import Worker, wait_for_all
from models.adversarial_colorizer import Phase
from models.batch_statistics import MEASURED_BATCHES, BatchStatistics
from models.checkpoints.folder import WeightsFolder
from models.checkpoints.progress import Progress
from models.colorizer import Colorizer


def training_callbacks(
    model: Colorizer,
    data: TrainingData,
    settings: Settings,
    folder: WeightsFolder,
    progress: Progress,
    worker: Worker,
    watch: SignalWatch,
) -> list[keras.callbacks.Callback]:
    """The callbacks of a training in order. Only the chief of several workers writes anything.

    Args:
        model: `Colorizer`, compiled.
        data: `TrainingData`.
        settings: `Settings`.
        folder: `WeightsFolder` of the training.
        progress: `Progress`, which the callbacks update.
        worker: `Worker`, this process.
        watch: `SignalWatch`, which says whether the training was asked to stop.
    """
    strategy = model.distribute_strategy
    checkpoint = TrainingCheckpoint(
        folder,
        progress,
        folder.network() if worker.is_chief else {},
        settings.checkpoint_steps,
        settings.keep,
        writes=worker.is_chief,
    )

    def batches_to_measure():
        # A generator: nothing is built for a network that has no batch statistics. The batches
        # depend on the number of steps alone, so that a resumed training measures the same.
        start = progress.total_steps * settings.batch_size
        batches = data.shared_training_batches(strategy, start)
        count = min(MEASURED_BATCHES, data.steps_per_epoch)
        for batch in itertools.islice(batches, count):
            yield batch[0]

    wait = functools.partial(wait_for_all, strategy) if worker.workers > 1 else None
    callbacks = [
        BatchStatistics(batches_to_measure),
        *_schedule(settings, data.steps_per_epoch, progress),
        NonfiniteSteps(
            folder, progress, data.images_of_batch, settings.nan_limit, writes=worker.is_chief
        ),
        checkpoint,
        StopOnSignal(watch, checkpoint, wait),
    ]
    if worker.is_chief:
        callbacks += [
            SaveBestThenLast(folder, progress),
            MetricsToTensorBoard(
                progress.log_dir, progress, settings.batch_size, settings.log_every
            ),
            *_sample_grids(model, data, settings, progress),
            _progress_of(settings.epochs),
        ]
    return in_order(callbacks)


def _progress_of(epochs: int) -> keras.callbacks.Callback:
    return TrainingProgressBar(epochs) if can_draw_bars() else TrainingLog(epochs)


def _schedule(
    settings: Settings, steps_per_epoch: int, progress: Progress
) -> Iterator[keras.callbacks.Callback]:
    """The callbacks that decide which networks are trained when, and at which learning rates."""
    alone = settings.epochs if settings.adversarial == "none" else settings.generator_epochs
    together = settings.generator_lr, settings.discriminator_lr
    rates = {
        Phase.GENERATOR: (settings.generator_lr_alone or together[0], together[1]),
        Phase.DISCRIMINATOR: (together[0], settings.discriminator_lr_alone or together[1]),
        Phase.BOTH: together,
    }
    yield Phases(alone, settings.discriminator_epochs)
    if settings.freeze_encoder_epochs:
        yield FrozenEncoder(settings.freeze_encoder_epochs)
    yield LearningRates(
        rates,
        progress,
        settings.lr_schedule,
        settings.epochs,
        steps_per_epoch,
        settings.warmup_steps,
    )
    if settings.lr_schedule == "plateau":
        yield Plateau(progress, settings.plateau_patience, settings.plateau_factor)


def _sample_grids(
    model: Colorizer, data: TrainingData, settings: Settings, progress: Progress
) -> Iterator[SampleGrid]:
    if not settings.sample_every:
        return
    options: dict[str, Any] = {
        "log_dir": progress.log_dir,
        "progress": progress,
        "every": settings.sample_every,
    }
    for number, batch in enumerate(data.samples(model.sample_grids), start=1):
        yield SampleGrid(f"validation_{number}" if number > 1 else "validation", *batch, **options)
    if settings.sample_images:
        photographs = data.samples_without_truth(settings.sample_images)
        yield SampleGrid("photographs", photographs, None, **options)
