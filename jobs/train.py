"""Trains a colorizer, from the start, from other weights, or on from a snapshot.

python run.py --dataset my_photographs/
python run.py --load_weights
"""

import contextlib
import dataclasses
import os
import platform
import sys
import time
from importlib import metadata

import keras
import tensorflow as tf

from callbacks.best_weights import BestWeights
from callbacks.metrics_to_tensorboard import MetricsToTensorBoard
from callbacks.phases import Phases
from callbacks.sample_grid import SampleGrid
from callbacks.snapshots import Snapshots
from callbacks.stop_on_divergence import StopOnDivergence
from callbacks.stop_on_signal import StopOnSignal
from errors import InputError
from jobs.folders import make_folder
from jobs.runtime import prepare_keras
from jobs.settings import SHAPES, Settings, check_use, fields
from jobs.training_data import TrainingData
from jobs.training_model import compile_model, new_model, resumed_model
from models.colorizer import Colorizer
from models.weights_folder import Progress, WeightsFolder


def train(settings: Settings, given: set[str]) -> int:
    """Trains and keeps weights, snapshots and records.

    Args:
        settings: all settings.
        given: the names of those that stood on the command line; a resumed training takes the
            others from its folder.

    Returns:
        The exit status, 0.

    Raises:
        ColorizerError: one of its kinds; see `errors`.
    """
    folder = WeightsFolder(settings.weights_folder)
    snapshot = folder.last_snapshot()
    if settings.load_weights:
        settings = _resumed_settings(settings, given, folder, snapshot)
        progress = folder.read_progress(snapshot)
    else:
        _refuse_to_overwrite(folder, snapshot)
        progress = Progress()
    progress.log_dir = settings.log_dir or progress.log_dir or _new_log_dir(settings)

    make_folder(folder.path, "weights_dir")
    make_folder(progress.log_dir, "log_dir")

    prepare_keras(settings.precision, settings.seed)
    data = TrainingData(settings, progress.log_dir)
    if settings.load_weights:
        model = resumed_model(settings, folder)
        settings = compile_model(model, settings, given)
        folder.load_snapshot(snapshot, model)
        # A snapshot holds the rates of its time.
        model.set_learning_rates(settings.generator_lr, settings.discriminator_lr)
    else:
        model = new_model(settings, given)
        settings = compile_model(model, settings, given)
    folder.write_settings(_self_description(model, settings))

    _say_what_begins(settings, model, data, progress)
    if settings.load_weights:
        _say_from_where(snapshot, progress)
    try:
        _fit(model, data, settings, folder, progress)
    except tf.errors.ResourceExhaustedError as error:
        raise InputError(
            f"a step of {settings.batch_size} pictures of {settings.resolution} px does not fit "
            "into memory; lower --batch_size or --resolution"
        ) from error
    except tf.errors.OpError as error:
        # What the pipeline raises comes out wrapped in TensorFlow's errors.
        if data.left_out.failure:
            raise data.left_out.failure from error
        raise
    _say_what_is_done(folder, progress, data)
    return 0


def _resumed_settings(
    settings: Settings, given: set[str], folder: WeightsFolder, snapshot: os.PathLike | None
) -> Settings:
    """The settings of the training in the folder, with what the command line changes."""
    if snapshot is None:
        raise InputError(
            f"--load_weights: there is nothing to go on from in {folder.path}; train first, or "
            "say where with --weights_dir"
        )
    saved = folder.read_settings()["settings"]
    known = {entry.name for entry in fields()}
    saved = {name: value for name, value in saved.items() if name in known}
    for name in sorted(given.intersection(SHAPES)):
        if saved[name] != getattr(settings, name):
            raise InputError(
                f"--{name} {getattr(settings, name)}: the training in {folder.path} was begun with "
                f"{saved[name]} and cannot change it; leave the argument out"
            )
    changes = {name: getattr(settings, name) for name in given | {"load_weights", "weights_dir"}}
    resumed = dataclasses.replace(Settings(**saved), **changes)
    check_use(resumed, given)
    return resumed


def _refuse_to_overwrite(folder: WeightsFolder, snapshot: os.PathLike | None) -> None:
    if snapshot is not None:
        raise InputError(
            f"{folder.path} holds a training already: go on with it by --load_weights, or begin "
            "another one in another --weights_dir"
        )


def _new_log_dir(settings: Settings) -> str:
    return os.path.join("logs", settings.model, time.strftime("%Y-%m-%d_%H-%M-%S"))


def _fit(
    model: Colorizer,
    data: TrainingData,
    settings: Settings,
    folder: WeightsFolder,
    progress: Progress,
) -> None:
    """Runs the epochs that are left."""
    snapshots = Snapshots(folder, progress)
    stop_on_signal = StopOnSignal(snapshots)
    callbacks = [
        Phases(settings.generator_epochs if settings.adversarial != "none" else settings.epochs),
        StopOnDivergence(progress),
        BestWeights(folder, progress),
        snapshots,
        MetricsToTensorBoard(progress.log_dir, progress, settings.batch_size, settings.log_every),
        *_sample_grids(data, settings, progress),
        stop_on_signal,
    ]
    validation = data.validation_batches()

    def fit(last_epoch: int, steps: int) -> None:
        model.fit(
            data.training_batches(start=progress.total_steps * settings.batch_size),
            initial_epoch=progress.epoch,
            epochs=last_epoch,
            steps_per_epoch=steps,
            # The stream is shuffled already.
            shuffle=False,
            validation_data=validation,
            validation_steps=settings.validation_steps,
            callbacks=callbacks,
        )

    with contextlib.closing(stop_on_signal.install()):
        # Keras wants one length for all epochs: one that was broken off is finished by itself.
        if 0 < progress.step < data.steps_per_epoch:
            fit(progress.epoch + 1, data.steps_per_epoch - progress.step)
        elif progress.step:
            # Stopped after its last step, in validation.
            judged = model.evaluate(validation, steps=settings.validation_steps, return_dict=True)
            logs = {f"val_{name}": value for name, value in judged.items()}
            keras.callbacks.CallbackList(callbacks, model=model).on_epoch_end(progress.epoch, logs)
        if progress.epoch < settings.epochs:
            fit(settings.epochs, data.steps_per_epoch)


def _sample_grids(data: TrainingData, settings: Settings, progress: Progress) -> list[SampleGrid]:
    if not settings.sample_every:
        return []
    lightness, true_ab = data.samples()
    places = {"log_dir": progress.log_dir, "progress": progress, "every": settings.sample_every}
    grids = [SampleGrid("validation", lightness, true_ab, **places)]
    if settings.sample_images:
        grids.append(SampleGrid("photographs", data.samples_without_truth(), None, **places))
    return grids


def _self_description(model: Colorizer, settings: Settings) -> dict:
    """What stands in settings.json."""
    packages = ("tensorflow", "keras", "numpy", "pillow")
    return {
        "model": settings.model,
        "architecture": model.architecture,
        "resolution": settings.resolution,
        "render_size": settings.resolution,
        "precision": model.dtype_policy.name,
        "settings": {
            entry.name: getattr(settings, entry.name)
            for entry in fields()
            if "train" in entry.metadata["jobs"]
            # Of the call, and not of the training.
            and entry.name not in ("load_weights", "weights_dir")
        },
        "versions": {
            "python": platform.python_version(),
            **{package: metadata.version(package) for package in packages},
        },
    }


def _say_what_begins(
    settings: Settings, model: Colorizer, data: TrainingData, progress: Progress
) -> None:
    networks = ", ".join(
        f"{network.name} {network.count_params():,} parameters"
        for network in (model.generator, model.discriminator)
    )
    print(f"{settings.model}: {networks}; {model.dtype_policy.name}")
    print(
        f"{len(data.lists.training):,} pictures to learn from, {len(data.lists.validation):,} to "
        f"judge by, {settings.resolution} px; {data.steps_per_epoch} steps of "
        f"{settings.batch_size} in an epoch"
    )
    print(f"weights in {settings.weights_folder}; tensorboard --logdir {progress.log_dir}")


def _say_from_where(snapshot: os.PathLike, progress: Progress) -> None:
    print(
        f"going on from {snapshot}: epoch {progress.epoch + 1}, step {progress.step}; "
        f"{progress.total_steps} steps are done"
    )


def _say_what_is_done(folder: WeightsFolder, progress: Progress, data: TrainingData) -> None:
    if len(data.left_out):
        print(f"warning: {data.left_out.summary()}", file=sys.stderr)
    print(
        f"trained {progress.epoch} epochs, {progress.total_steps} steps; color with\n"
        f"    python run.py --images PATH --weights {folder.path}"
    )
