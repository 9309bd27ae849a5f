"""Writes losses and metrics to TensorBoard."""

import os
import time

import keras
import tensorflow as tf

from models.checkpoints.progress import Progress
from models.layers.replicas import read


class MetricsToTensorBoard(keras.callbacks.Callback):
    """Writes training losses every few steps, and validation losses and metrics after every epoch.

    The same loss has the same tag in the runs `train` and `validation`, so that TensorBoard draws
    both in one chart. The axis counts the steps since the beginning of the training, also after it
    was resumed.

    Args:
        log_dir: str or path, the folder of the logs.
        progress: `Progress`, the number of the step.
        batch_size: int, for the images per second.
        every: int, the number of steps between two records. Defaults to `50`.
    """

    def __init__(
        self, log_dir: str | os.PathLike, progress: Progress, batch_size: int, every: int = 50
    ):
        super().__init__()
        self.progress = progress
        self.batch_size = batch_size
        self.every = every
        self.training = tf.summary.create_file_writer(os.path.join(log_dir, "train"))
        self.validation = tf.summary.create_file_writer(os.path.join(log_dir, "validation"))
        self._since: tuple[float, int] | None = None

    def on_epoch_begin(self, epoch, logs=None):
        self._since = None

    def on_train_batch_end(self, batch, logs=None):
        steps = self.progress.total_steps
        now = time.perf_counter()
        if steps % self.every == 0:
            self._write_training(logs, steps)
            if self._since is not None:
                begun, first = self._since
                speed = (steps - first) * self.batch_size / (now - begun)
                _write(self.training, {"images_per_second": speed}, steps)
        # The speed is measured from the end of the first step on, which traces the graph.
        if self._since is None or steps % self.every == 0:
            self._since = (now, steps)

    def on_epoch_end(self, epoch, logs=None):
        steps = self.progress.total_steps
        values = {
            name.removeprefix("val_"): value
            for name, value in logs.items()
            if name.startswith("val_")
        }
        _write(self.validation, values, steps)
        if steps % self.every:
            # Epochs may be shorter than `every` steps.
            training = {name: logs[name] for name in logs if not name.startswith("val_")}
            self._write_training(training, steps)

    def _write_training(self, losses, steps):
        rate = float(read(self.model.generator_optimizer.learning_rate))
        _write(self.training, {**losses, "generator_lr": rate}, steps)

    def on_train_end(self, logs=None):
        self.training.flush()
        self.validation.flush()


def _write(writer: tf.summary.SummaryWriter, values: dict, step: int) -> None:
    with writer.as_default():
        for name, value in values.items():
            tf.summary.scalar(name, float(value), step=step)
    writer.flush()
