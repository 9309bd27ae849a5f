"""A model whose steps run on one device, or on the replicas of several devices or machines."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import keras
import tensorflow as tf

from models.layers.replicas import replicas, sum_over_replicas

_TOGETHER = "together"


class ReplicatedModel(keras.Model):
    """Base class of models that may be trained on several replicas, and on several workers.

    Keras 3.15 averages what the step of a worker returns over its first axis, and so do
    `evaluate`'s results. This class returns one tensor instead, and splits it afterwards.

    Attributes:
        wants_to_stop: bool variable, set by a worker that is asked to stop.
        stop_votes: int variable, how many replicas wanted to stop in the last training step or,
            with several replicas, validation step. It is the same on all workers.
    """

    train_function: Callable
    test_function: Callable

    def __init__(self, name: str):
        super().__init__(name=name)
        self._names_of_logs: list[str] = []
        self.wants_to_stop = tf.Variable(False, trainable=False)
        self.stop_votes = tf.Variable(0, trainable=False)

    def average_over_replicas(self, values: dict, count: tf.Tensor) -> tuple[dict, tf.Tensor]:
        """Averages the values of a step over the replicas, and counts the votes to stop.

        Args:
            values: dict of scalars by name.
            count: int scalar, which is summed.

        Returns:
            The averages, float32 scalars by name, and the sum of the counts.
        """
        averaged = tf.stack([tf.cast(value, tf.float32) for value in values.values()]) / replicas()
        summed = tf.stack([count, tf.cast(self.wants_to_stop, tf.int32)])
        # A single message, because its latency costs more than its size.
        message = sum_over_replicas(tf.concat([averaged, tf.cast(summed, tf.float32)], 0))
        *averages, total, votes = tf.unstack(message)
        self.stop_votes.assign(tf.cast(votes, tf.int32))
        return dict(zip(values, averages, strict=True)), tf.cast(total, tf.int32)

    def vote(self) -> None:
        """Counts the votes to stop, in a step that averages nothing."""
        self.stop_votes.assign(sum_over_replicas(tf.cast(self.wants_to_stop, tf.int32)))

    def as_logs(self, values: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """What a step returns to Keras, from the values of its logs by name."""
        if not self._has_workers():
            return values
        self._names_of_logs = list(values)
        return {_TOGETHER: tf.stack(list(values.values()))[None]}

    def evaluate(self, *args: Any, **options: Any) -> Any:
        """Evaluates as Keras does; with `return_dict` the results of all replicas are combined."""
        logs = super().evaluate(*args, **options)
        if isinstance(logs, dict) and self.distribute_strategy.num_replicas_in_sync > 1:
            logs = {metric.name: float(metric.result()) for metric in self.validation_trackers()}
        return logs

    def validation_trackers(self) -> list[keras.metrics.Metric]:
        """The metrics that `test_step` updates."""
        raise NotImplementedError

    def make_train_function(self, force: bool = False) -> None:
        """Makes Keras' train function, and splits logs that workers send as one tensor."""
        before = self.train_function
        super().make_train_function(force)
        if self.train_function is not before:
            self.train_function = self._with_logs_by_name(self.train_function)

    def make_test_function(self, force: bool = False) -> None:
        """Makes Keras' test function, and splits logs that workers send as one tensor."""
        before = self.test_function
        super().make_test_function(force)
        if self.test_function is not before:
            self.test_function = self._with_logs_by_name(self.test_function)

    def _with_logs_by_name(self, function: Callable) -> Callable:
        if not self._has_workers():
            return function
        names: list[str] = []

        def step(iterator):
            logs = function(iterator)
            if not names:
                # The first call has traced the step, which sets the names.
                names.extend(self._names_of_logs)
            return dict(zip(names, tf.unstack(logs[_TOGETHER]), strict=True))

        return step

    def _has_workers(self) -> bool:
        return isinstance(self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy)


def by_name(metrics: Iterable[keras.metrics.Metric]) -> Mapping[str, keras.metrics.Metric]:
    """Maps metrics by name, in a type that Keras does not save with the weights.

    Only one of several workers saves, but reading a metric of several replicas needs all workers.
    """
    return MappingProxyType({metric.name: metric for metric in metrics})
