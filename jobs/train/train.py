"""Trains a colorizer from scratch, from pretrained weights or from a checkpoint.

Usage:
    python run.py --dataset my_photographs/
    python run.py --load_weights
"""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from callbacks.training_progress_bar import TrainingProgressBar
from config.saved_settings import count_images, saved_names, saved_settings
from config.settings import Settings, is_path, names_where
from data.datasets.image_lists import ImageLists
from data.input.extra_target import ExtraTarget
from errors import DivergedError, InputError, InterruptedBySignalError, first_line, quoted
from jobs.common.folder_lock import alone_in
from jobs.common.folders import check_folder, make_folder
from jobs.common.progress_bar import can_draw_bars
from jobs.common.runtime import describe_device, installed_versions, prepare_keras
from jobs.common.signals import SignalWatch
from jobs.train.ab_histogram import find_ab_histogram
from jobs.train.build import class_numbers, compile_model, new_model, resumed_model
from jobs.train.callbacks import training_callbacks
from jobs.train.curves import draw_curves
from jobs.train.dataset import TrainingData, find_training_images, print_datasets
from jobs.train.devices import (
    Worker,
    check_agreement,
    check_batch_size,
    chief_first,
    find_worker,
    join_workers,
    use_devices,
    wait_for_all,
)
from jobs.train.resolve import resolve_settings
from jobs.train.resume import (
    changed_settings,
    forget,
    last_checkpoint,
    note_other_images,
    refuse_to_resume,
    resume_command,
    resumed_settings,
)
from jobs.train.teacher_cache import cache_distributions, describe_teacher, make_teacher
from models.checkpoints.folder import WeightsFolder
from models.checkpoints.progress import Progress
from models.colorizer import Colorizer
from models.teacher import Teacher


def train(settings: Settings, explicit: set[str]) -> int:
    """Trains a colorizer, and writes its weights, checkpoints and records.

    Args:
        settings: `Settings`.
        explicit: set of str, the names of the explicit settings. A resumed training takes the
            others from its folder.

    Returns:
        The exit status, 0.

    Raises:
        ColorizerError: one of its subclasses; see `errors`.
    """
    folder = WeightsFolder(settings.weights_folder)
    folder.check_version()
    if settings.load_weights and not folder.path.is_dir():
        refuse_to_resume(folder)
    worker = find_worker(settings.strategy)
    with worker.translate_errors(), contextlib.ExitStack() as stack:
        if settings.quiet or not worker.is_chief:
            # The chief prints the same messages.
            devnull = stack.enter_context(open(os.devnull, "w"))
            stack.enter_context(contextlib.redirect_stdout(devnull))
        if not worker.is_chief:
            return _train(settings, explicit, folder, worker)
        with alone_in(folder.path):
            folder.remove_unfinished()
            return _train(settings, explicit, folder, worker)


def _train(settings: Settings, explicit: set[str], folder: WeightsFolder, worker: Worker) -> int:
    # Before reading the folder: a chief that is about to end may still be writing to it.
    strategy = join_workers(worker) if worker.workers > 1 else None
    progress, checkpoint = Progress(), None
    changed: frozenset[str] = frozenset()
    if settings.load_weights:
        progress, checkpoint = last_checkpoint(folder)
        settings = resumed_settings(settings, explicit, folder)
        changed = changed_settings(settings, folder)
        forget(progress, changed)
    else:
        _refuse_to_overwrite(folder)
    log_dir = settings.log_dir or progress.log_dir or _new_log_dir(settings)
    # Other workers write no TensorBoard records, and their paths may differ from the chief's.
    progress.log_dir = os.path.abspath(log_dir if worker.is_chief else folder.path)

    strategy = strategy or use_devices(settings.strategy, settings.batch_size)
    check_batch_size(
        strategy,
        batch_size=settings.batch_size,
        validation_batch_size=settings.validation_batch_size,
    )
    prepare_keras(settings.precision, settings.seed, settings.deterministic)
    lists = find_training_images(settings)
    print_datasets(lists)
    if settings.load_weights:
        note_other_images(lists, changed, folder, progress)
    data = TrainingData(settings, lists, progress.log_dir, worker.list_name)
    if not settings.load_weights:
        settings = resolve_settings(settings, explicit)
    _check_discriminator_steps(settings, data.steps_per_epoch)
    check_folder(progress.log_dir, "log_dir")
    if worker.workers > 1:
        check_agreement(strategy, _starting_point(settings, lists, checkpoint))
    with data.translate_errors():
        ab_histogram = find_ab_histogram(settings, changed, folder, data)
        with strategy.scope():
            teacher = make_teacher(settings, lists)
            model = _model(settings, folder, teacher, checkpoint, ab_histogram)
        check_agreement(strategy, {"precision": model.dtype_policy.name})
        make_folder(progress.log_dir, "log_dir")
        if worker.is_chief:
            folder.write_settings(_self_description(model, settings, lists, teacher))
            if ab_histogram is not None:
                folder.write_ab_histogram(ab_histogram)

        _print_overview(settings, model, data, progress, folder, checkpoint)
        if teacher:
            print(describe_teacher(settings, teacher))
        extra_target = None
        if teacher and settings.teacher_cache:
            with chief_first(strategy, worker):
                extra_target = cache_distributions(teacher, data, settings)
        try:
            _fit(model, data, settings, folder, progress, worker, extra_target)
        finally:
            # Also if the training was interrupted or diverged.
            if worker.is_chief:
                _draw_curves(progress.log_dir, folder)
    wait_for_all(strategy)
    print(
        f"trained {progress.epoch} of {settings.epochs} epochs, {progress.total_steps} steps; "
        f"color with\n    python run.py --images PATH --weights {quoted(folder.path)}"
    )
    return 0


def _refuse_to_overwrite(folder: WeightsFolder) -> None:
    if folder.holds_weights():
        raise InputError(
            f"{folder.path} already holds weights; resume their training with "
            f"{resume_command(folder)}, or start a new one in another --weights_dir"
        )


def _check_discriminator_steps(settings: Settings, steps_per_epoch: int) -> None:
    if settings.adversarial != "none" and settings.discriminator_steps > steps_per_epoch:
        raise InputError(
            f"--discriminator_steps {settings.discriminator_steps}: the generator would not be "
            f"trained in every epoch, which has {steps_per_epoch} steps; lower it, or raise "
            "--steps_per_epoch"
        )


def _starting_point(
    settings: Settings, lists: ImageLists, checkpoint: Path | None
) -> dict[str, Any]:
    """The facts that have to be the same on all workers of a training, by name."""
    paths = names_where(is_path)
    names = [name for name in saved_names() if name not in paths]
    return {
        "checkpoint": checkpoint and checkpoint.name,
        # The folders may differ between machines.
        "training images": [os.path.basename(name) for name in lists.training.names()],
        "validation images": [os.path.basename(name) for name in lists.validation.names()],
        **{f"--{name}": getattr(settings, name) for name in names},
    }


def _new_log_dir(settings: Settings) -> str:
    return os.path.join(
        "logs", settings.preset or settings.model, time.strftime("%Y-%m-%d_%H-%M-%S")
    )


def _model(
    settings: Settings,
    folder: WeightsFolder,
    teacher: Teacher | None,
    checkpoint: Path | None,
    ab_histogram: np.ndarray | None,
) -> Colorizer:
    """The compiled model with its weights."""
    if checkpoint is None:
        model = new_model(settings, teacher)
    else:
        model = resumed_model(settings, folder, teacher)
    compile_model(model, settings, teacher, ab_histogram)
    if checkpoint is not None:
        folder.checkpoints.load(checkpoint, model)
    return model


def _fit(
    model: Colorizer,
    data: TrainingData,
    settings: Settings,
    folder: WeightsFolder,
    progress: Progress,
    worker: Worker,
    extra_target: ExtraTarget | None = None,
) -> None:
    """Runs the remaining epochs."""
    strategy = model.distribute_strategy
    watch = SignalWatch()
    callbacks = training_callbacks(model, data, settings, folder, progress, worker, watch)
    validation = data.validation_batches(strategy)

    def fit(last_epoch: int, steps: int) -> None:
        model.fit(
            data.shared_training_batches(
                strategy, progress.total_steps * settings.batch_size, extra_target
            ),
            initial_epoch=progress.epoch,
            epochs=last_epoch,
            steps_per_epoch=steps,
            # The stream is shuffled already.
            shuffle=False,
            verbose=_verbosity(worker),
            validation_data=validation,
            validation_steps=settings.validation_steps,
            callbacks=callbacks,
        )

    with watch, _advice(folder):
        # Keras takes one length for all epochs: an interrupted epoch is finished in its own `fit`.
        if 0 < progress.step < data.steps_per_epoch:
            fit(progress.epoch + 1, data.steps_per_epoch - progress.step)
        elif progress.step:
            # The training was stopped during validation, after the last step of its epoch.
            _validate(model, callbacks, validation, settings, progress, _verbosity(worker))
        if progress.epoch < settings.epochs:
            fit(settings.epochs, data.steps_per_epoch)


def _validate(
    model: Colorizer,
    callbacks: list[keras.callbacks.Callback],
    validation: tf.data.Dataset | tf.distribute.DistributedDataset | None,
    settings: Settings,
    progress: Progress,
    verbose: int,
) -> None:
    """Ends an epoch whose steps are done, as `fit` does."""
    callback_list = keras.callbacks.CallbackList(
        [callback for callback in callbacks if not isinstance(callback, TrainingProgressBar)],
        model=model,
    )
    logs = progress.mean_losses()
    callback_list.on_epoch_begin(progress.epoch)
    if validation is not None:
        callback_list.on_test_begin()
        results = model.evaluate(
            validation, steps=settings.validation_steps, return_dict=True, verbose=verbose
        )
        logs |= {f"val_{name}": value for name, value in results.items()}
    callback_list.on_epoch_end(progress.epoch, logs)


def _verbosity(worker: Worker) -> int:
    """1 for the progress bar of Keras, 0 for none."""
    return int(worker.is_chief and can_draw_bars())


@contextlib.contextmanager
def _advice(folder: WeightsFolder) -> Iterator[None]:
    """Adds to the errors that end a training how to resume it."""
    command = resume_command(folder)
    try:
        yield
    except InterruptedBySignalError as stop:
        raise InterruptedBySignalError(
            stop.signal_number, f"{stop}; resume with: {command}"
        ) from stop
    except DivergedError as error:
        checkpoint = folder.checkpoints.last()
        advice = "there is no checkpoint yet; start again with a lower --generator_lr"
        if checkpoint is not None:
            advice = (
                f"the checkpoint {checkpoint} was saved before; resume with a lower "
                f"--generator_lr: {command}"
            )
        raise DivergedError(f"{error}; {advice}") from error


def _draw_curves(log_dir: str, folder: WeightsFolder) -> None:
    try:
        if draw_curves(log_dir, folder.curves):
            print(f"curves in {folder.curves}")
    # No failure to draw may hide how the training itself ended.
    except Exception as error:
        print(f"warning: no curves in {folder.curves}: {first_line(error)}", file=sys.stderr)


def _self_description(
    model: Colorizer, settings: Settings, lists: ImageLists, teacher: Teacher | None
) -> dict:
    """The contents of settings.json."""
    return {
        "model": settings.model,
        "architecture": model.architecture,
        "resolution": settings.resolution,
        "render_size": settings.resolution,
        "precision": model.dtype_policy.name,
        "images": count_images(lists),
        "classes": class_numbers(teacher),
        "settings": saved_settings(settings),
        "versions": installed_versions(),
    }


def _print_overview(
    settings: Settings,
    model: Colorizer,
    data: TrainingData,
    progress: Progress,
    folder: WeightsFolder,
    checkpoint: Path | None,
) -> None:
    networks = ", ".join(
        f"{network.name} {network.count_params():,} parameters"
        for network in (model.generator, model.discriminator)
    )
    print(f"{settings.model}: {networks}; {model.dtype_policy.name} {describe_device()}")
    if settings.encoder != "none" and not settings.pretrained and not settings.load_weights:
        print(f"encoder {settings.encoder} with the weights {settings.encoder_weights}")
    replicas = model.distribute_strategy.num_replicas_in_sync
    shared = f", each divided among {replicas} replicas" if replicas > 1 else ""
    print(
        f"{settings.resolution} px; {data.steps_per_epoch} steps per epoch with batches of "
        f"{settings.batch_size}{shared}"
    )
    print(f"weights in {folder.path}; tensorboard --logdir {quoted(progress.log_dir)}")
    if checkpoint:
        print(
            f"resuming from {checkpoint}: epoch {progress.epoch + 1}, step {progress.step}; "
            f"{progress.total_steps} steps are done"
        )
    if progress.epoch >= settings.epochs:
        print(f"all {settings.epochs} epochs are done; raise --epochs to train longer")
