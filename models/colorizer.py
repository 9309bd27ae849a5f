"""The base class of the colorizers: lightness in, ab out."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import keras
import tensorflow as tf
from keras import ops

from data.color.lab import join_lab, lab1_to_rgb1
from models.layers.fused_batch_normalization import collect_batch_statistics, has_batch_statistics
from models.layers.replicas import is_one_of_several, replicas, sum_over_replicas
from models.layers.resizing import enlarge_squares, mean_of_squares

_TOGETHER = "together"


class Colorizer(keras.Model):
    """Base class of the colorizers: the generator, its moving average, and validation.

    A subclass builds its networks and overrides `compile` and `train_step`. Coloring, validation
    and the weights that ship use the *EMA generator*, whose weights are an exponential moving
    average of the trained ones.

    Lightness and ab are scaled as in `lab1`: L/50 - 1 and ab/110. `call` takes lightness of shape
    (batch, height, width, 1), of any size, and returns ab of shape (batch, height, width, 2),
    float32.

    Args:
        generator: `keras.Model`, the network that is trained.
        generator_ema: `keras.Model` of the same architecture; it starts with the same weights.
        ema_decay: float in [0, 1), decay of the moving average; 0 makes it a plain copy. After n
            steps the decay is min(ema_decay, (1 + n) / (10 + n)), so that the random initial
            weights do not dominate the first validations. Defaults to `0.999`.
        name: str.

    Attributes:
        architecture: dict, the arguments of the subclass that describe its networks, for
            settings.json and `get_config`.
        needs_labels: bool, a class attribute: whether batches are (lightness, ab, label) and not
            (lightness, ab).
        sample_grids: int, a class attribute: how many validation batches are shown after every
            epoch.
        color_stride: int, the generator predicts ab of size ceil(side / color_stride), and `call`
            enlarges it to the size of the lightness.
        step_losses: dict of variables by name, the losses of the last training step alone.
        nonfinite_count: int variable, how many losses and gradients of the last training step are
            NaN or infinite.
        wants_to_stop: bool variable, set by a worker that is asked to stop.
        stop_votes: int variable, how many replicas wanted to stop in the last training step or,
            with several replicas, validation step. It is the same on all workers.
    """

    needs_labels = False
    sample_grids = 1
    color_stride = 1

    def __init__(
        self,
        generator: keras.Model,
        generator_ema: keras.Model,
        ema_decay: float = 0.999,
        name: str = "colorizer",
    ):
        super().__init__(name=name)
        self.generator = generator
        self.generator_ema = generator_ema
        self.generator_ema.set_weights(self.generator.get_weights())
        self.generator_ema.trainable = False
        self._collect_batch_statistics = tf.function(self._collect)
        self.ema_decay = ema_decay
        self.training_means = by_name([])
        # These hold values of a single step and are not saved in checkpoints.
        self.step_losses: dict[str, tf.Variable] = {}
        self.nonfinite_count = tf.Variable(0, trainable=False)
        self.wants_to_stop = tf.Variable(False, trainable=False)
        self.stop_votes = tf.Variable(0, trainable=False)
        self.validation_means = by_name([])
        self.validation_metrics = by_name([])
        # Keras builds a model by calling it, but these networks are built already.
        self.built = True

    def compile(self, validation_metrics=(), jit_compile=False):
        """Sets the metrics; a subclass adds its optimizers and losses.

        Args:
            validation_metrics: iterable of metrics with `update_state(true_rgb1, colored_rgb1)`.
            jit_compile: bool, whether to compile the steps with XLA. Defaults to `False`, because
                XLA makes the steps several times slower on a CPU.
        """
        # Without `optimizer=None` Keras would create an RMSprop and save it with the weights.
        super().compile(optimizer=None, jit_compile=jit_compile)
        self.validation_metrics = by_name(validation_metrics)

    def call(self, lightness, training=False):
        return self.enlarge(self.generator_ema(lightness, training=training), lightness)

    def get_config(self):
        """The arguments of the constructor, except for the encoder's weights at the beginning."""
        return {**self.architecture, "ema_decay": self.ema_decay, "name": self.name}

    def enlarge(self, ab, lightness):
        """Enlarges the ab of a generator to the size of its input."""
        if self.color_stride == 1:
            return ab
        return enlarge_squares(ab, self.color_stride, ops.shape(lightness)[1:3])

    def coarsen(self, ab):
        """Reduces true ab to what a perfect generator could predict, at its own size."""
        if self.color_stride == 1:
            return ab
        return self.enlarge(mean_of_squares(ab, self.color_stride), ab)

    @property
    def metrics(self):
        return [
            *self.training_means.values(),
            *self.validation_means.values(),
            *self.validation_metrics.values(),
        ]

    def test_step(self, data):
        """Evaluates the EMA generator on a batch of (lightness, ab), with or without labels."""
        if is_one_of_several():
            # Some replicas may get no images of the last batch.
            self.stop_votes.assign(sum_over_replicas(tf.cast(self.wants_to_stop, tf.int32)))
            tf.cond(tf.shape(data[0])[0] > 0, lambda: self._evaluate_batch(*data[:2]), lambda: None)
        else:
            self._evaluate_batch(*data[:2])
        trackers = self._validation_trackers()
        return self._as_logs({metric.name: metric.result() for metric in trackers})

    def evaluate(self, *args, **options):
        """Evaluates as Keras does; with `return_dict` the results of all replicas are combined."""
        logs = super().evaluate(*args, **options)
        if isinstance(logs, dict) and self.distribute_strategy.num_replicas_in_sync > 1:
            trackers = self._validation_trackers()
            logs = {metric.name: float(metric.result()) for metric in trackers}
        return logs

    def _evaluate_batch(self, lightness, true_ab):
        colored_ab = self(lightness, training=False)
        images = tf.shape(lightness)[0]
        for name, value in self.validation_losses(lightness, true_ab, colored_ab).items():
            self.validation_means[name].update_state(value, sample_weight=images)
        true_rgb1 = lab1_to_rgb1(join_lab(lightness, true_ab))
        colored_rgb1 = lab1_to_rgb1(join_lab(lightness, colored_ab))
        for metric in self.validation_metrics.values():
            metric.update_state(true_rgb1, colored_rgb1)

    def validation_losses(self, lightness, true_ab, colored_ab) -> dict:
        """The losses that validation reports, scalars by name; `loss` selects the best weights."""
        raise NotImplementedError

    def update_ema(self, step):
        """Updates the weights of the EMA generator.

        Args:
            step: scalar, the number of steps that the generator was trained.
        """
        step = tf.cast(step, tf.float32)
        decay = tf.minimum(self.ema_decay, (1.0 + step) / (10.0 + step))
        for average, trained in zip(
            self.generator_ema.variables, self.generator.variables, strict=True
        ):
            if trained.trainable:
                average.assign(average * decay + trained * (1.0 - decay))
            else:
                # The vectors of spectral normalization change as slowly as their kernels. The
                # statistics of batch normalization are better measured at the end: see
                # `update_batch_statistics`.
                average.assign(trained)

    def update_batch_statistics(self, batches):
        """Replaces the EMA generator's batch statistics with those of its own features.

        The moving statistics of the trained generator belong to the weights of many earlier steps.
        A kernel before a normalization may drift without changing the loss, and with it the mean
        that the normalization subtracts: after 2,000 steps at the learning rate of pix2pix the EMA
        generator had 22.9 dB with moving statistics of its own and 23.8 dB with those of 40
        batches.

        Args:
            batches: iterable of lightness of shape (batch, height, width, 1), as the model's
                strategy distributes it to the replicas.

        Reference: Izmailov et al., "Averaging Weights Leads to Wider Optima and Better
        Generalization", UAI 2018, section 3.2; Wu, Johnson, "Rethinking 'Batch' in BatchNorm",
        arXiv 2105.07576, section 3.
        """
        if not has_batch_statistics(self.generator_ema):
            return
        for number, lightness in enumerate(batches):
            # All batches have the same weight.
            self._collect_batch_statistics(
                tf.constant(number / (number + 1.0), tf.float32), lightness
            )

    def _collect(self, momentum, lightness):
        def color(own_lightness):
            self.generator_ema(own_lightness, training=False)

        # One context encloses the calls of all replicas, because they share the layers.
        with collect_batch_statistics(self.generator_ema, momentum):
            self.distribute_strategy.run(color, args=(lightness,))

    def is_finite(self) -> bool:
        """Whether all weights of both generators are finite."""
        return all(
            bool(tf.reduce_all(tf.math.is_finite(tf.cast(variable, "float32"))))
            for network in (self.generator, self.generator_ema)
            for variable in network.variables
        )

    def report(self, losses: dict) -> dict:
        """Adds a training step's losses, averaged over replicas, to their means; returns these."""
        self.count_nonfinite(losses.values())
        values = tf.stack([tf.cast(value, tf.float32) for value in losses.values()])
        counts = tf.stack([self.nonfinite_count, tf.cast(self.wants_to_stop, tf.int32)])
        # A single message, because its latency costs more than its size.
        message = tf.concat([values / replicas(), tf.cast(counts, tf.float32)], 0)
        *values, nonfinite_count, votes = tf.unstack(sum_over_replicas(message))
        self.nonfinite_count.assign(tf.cast(nonfinite_count, tf.int32))
        self.stop_votes.assign(tf.cast(votes, tf.int32))
        for name, value in zip(losses, values, strict=True):
            # All replicas add the same value, which counts once.
            self.training_means[name].update_state(value, sample_weight=1.0 / replicas())
            self.step_losses[name].assign(value)
        return {name: self.training_means[name].result() for name in losses}

    def count_nonfinite(self, values) -> None:
        """Counts the losses or gradients of a step that contain NaN or infinity."""
        # A sum takes one pass through memory, and is nonfinite if one of its terms is.
        sums = [tf.reduce_sum(tf.cast(value, tf.float32)) for value in values if value is not None]
        is_bad = tf.math.logical_not(tf.math.is_finite(tf.stack(sums)))
        self.nonfinite_count.assign_add(tf.reduce_sum(tf.cast(is_bad, tf.int32)))

    def _validation_trackers(self):
        return [*self.validation_means.values(), *self.validation_metrics.values()]

    def make_train_function(self, force=False):
        """Makes Keras' train function, and splits logs that workers send as one tensor."""
        before = self.train_function
        super().make_train_function(force)
        if self.train_function is not before:
            self.train_function = self._with_logs_by_name(self.train_function)

    def make_test_function(self, force=False):
        """Makes Keras' test function, and splits logs that workers send as one tensor."""
        before = self.test_function
        super().make_test_function(force)
        if self.test_function is not before:
            self.test_function = self._with_logs_by_name(self.test_function)

    def _as_logs(self, values: dict) -> dict:
        """The return value of a step; Keras 3.15 averages logs of workers over the first axis."""
        if not isinstance(self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy):
            return values
        self._names_of_logs = list(values)
        return {_TOGETHER: tf.stack(list(values.values()))[None]}

    def _with_logs_by_name(self, function):
        if not isinstance(self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy):
            return function
        names = []

        def step(iterator):
            logs = function(iterator)
            if not names:
                # The first call has traced the step, which sets the names.
                names.extend(self._names_of_logs)
            return dict(zip(names, tf.unstack(logs[_TOGETHER]), strict=True))

        return step

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Does nothing: the networks are built in `__init__`, the optimizers in `compile`."""


def by_name(metrics: Iterable[keras.metrics.Metric]) -> Mapping[str, keras.metrics.Metric]:
    """Maps metrics by name, in a type that Keras does not save with the weights.

    Only one of several workers saves, but reading a metric of several replicas needs all workers.
    """
    return MappingProxyType({metric.name: metric for metric in metrics})
