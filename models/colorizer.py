"""What every colorizer is: lightness in, ab out."""

import keras
import tensorflow as tf

from data.lab import join_lab, lab1_to_rgb1
from models.layers.fused_batch_normalization import collect_moments, has_moments


class Colorizer(keras.Model):
    """Base of the colorizers: the generator, its slow copy, and how it is judged.

    A subclass builds its networks, and overrides `compile` and `train_step`. Coloring, validation
    and the shipped weights use the *slow* generator, whose weights are an exponential moving
    average of the trained ones.

    The networks see L/50 - 1 and ab/110. `call` takes lightness of shape (batch, height, width,
    1), of any size, and returns ab of shape (batch, height, width, 2), float32.

    Args:
        generator: `keras.Model`, the network that is trained.
        slow_generator: a second one of the same architecture; it starts with the same weights.
        ema_decay: float in [0, 1), of the moving average; 0 makes it a plain copy. Early on it
            is smaller, min(ema_decay, (1 + n) / (10 + n)) after n steps, so that the first
            validations are not of the random weights.
        name: str.

    Attributes:
        needs_labels: bool, of the class. Whether the batches are (lightness, ab, label), and not
            (lightness, ab).
        sample_grids: int, of the class. How many validation batches are shown after every epoch.
        step_losses: variables by name, the losses of the last training step alone.
        bad_numbers: int variable, how many losses and gradients of it are NaN or infinite.
    """

    needs_labels = False
    sample_grids = 1

    def __init__(
        self,
        generator: keras.Model,
        slow_generator: keras.Model,
        ema_decay: float = 0.999,
        name: str = "colorizer",
    ):
        super().__init__(name=name)
        self.generator = generator
        self.slow_generator = slow_generator
        self.slow_generator.set_weights(self.generator.get_weights())
        self.slow_generator.trainable = False
        self._collect_moments = tf.function(self._collect)
        self.ema_decay = ema_decay
        self.training_means: dict[str, keras.metrics.Mean] = {}
        # Of one step: no part of a snapshot.
        self.step_losses: dict[str, tf.Variable] = {}
        self.bad_numbers = tf.Variable(0, trainable=False)
        self.validation_means: dict[str, keras.metrics.Mean] = {}
        self.validation_metrics: list[keras.metrics.Metric] = []
        # Keras builds a model by calling it; ours is whole already.
        self.built = True

    def compile(self, validation_metrics=(), jit_compile=False):
        """Prepares for training and validation; a subclass adds its optimizers and losses.

        Args:
            validation_metrics: metrics with `update_state(true_rgb1, colored_rgb1)`.
            jit_compile: bool, compile the steps with XLA. Never chosen for the user: on a CPU it
                makes the steps several times slower.
        """
        # Without `optimizer=None` Keras would make an RMSprop and save it along.
        super().compile(optimizer=None, jit_compile=jit_compile)
        self.validation_metrics = list(validation_metrics)

    def call(self, lightness, training=False):
        return self.slow_generator(lightness, training=training)

    @property
    def metrics(self):
        return [
            *self.training_means.values(),
            *self.validation_means.values(),
            *self.validation_metrics,
        ]

    def test_step(self, data):
        """Judges the slow generator on a batch of (lightness, ab), with or without labels."""
        lightness, true_ab = data[:2]
        colored_ab = self(lightness, training=False)
        pictures = tf.shape(lightness)[0]
        for name, value in self.validation_losses(lightness, true_ab, colored_ab).items():
            self.validation_means[name].update_state(value, sample_weight=pictures)
        true_rgb1 = lab1_to_rgb1(join_lab(lightness, true_ab))
        colored_rgb1 = lab1_to_rgb1(join_lab(lightness, colored_ab))
        for metric in self.validation_metrics:
            metric.update_state(true_rgb1, colored_rgb1)
        return {metric.name: metric.result() for metric in self._validation_trackers()}

    def validation_losses(self, lightness, true_ab, colored_ab) -> dict:
        """The losses that validation reports, scalars by name; `loss` is the one to choose by."""
        raise NotImplementedError

    def update_slow_generator(self, step):
        """Moves the slow generator towards the trained one.

        Args:
            step: scalar, how many steps the generator was trained.
        """
        step = tf.cast(step, tf.float32)
        decay = tf.minimum(self.ema_decay, (1.0 + step) / (10.0 + step))
        for slow, fast in zip(self.slow_generator.variables, self.generator.variables, strict=True):
            if fast.trainable:
                slow.assign(slow * decay + fast * (1.0 - decay))
            else:
                # The vectors of spectral normalization move as slowly as the kernels that they
                # belong to. Moments of batch normalization are better measured in the end.
                slow.assign(fast)

    def measure_moments(self, batches):
        """Gives the slow generator's batch normalization the moments of its own features.

        The moving ones of the trained generator belong to other weights, those of many steps. A
        kernel before a normalization may drift without any loss, and with it the mean that is
        taken off again: after 2,000 steps at pix2pix' rate the slow generator had 22.9 dB with
        moving moments of its own and 23.8 dB with those of 40 batches.

        Args:
            batches: of lightness, of shape (batch, height, width, 1).

        Reference: Izmailov et al., "Averaging Weights Leads to Wider Optima and Better
        Generalization", UAI 2018, section 3.2; Wu, Johnson, "Rethinking 'Batch' in BatchNorm",
        arXiv 2105.07576, section 3.
        """
        if not has_moments(self.slow_generator):
            return
        for number, lightness in enumerate(batches):
            # All batches count the same.
            self._collect_moments(tf.constant(number / (number + 1.0), tf.float32), lightness)

    def _collect(self, momentum, lightness):
        with collect_moments(self.slow_generator, momentum):
            self.slow_generator(lightness, training=False)

    def is_finite(self) -> bool:
        """Whether every weight of the generators is a number."""
        return all(
            bool(tf.reduce_all(tf.math.is_finite(tf.cast(variable, "float32"))))
            for network in (self.generator, self.slow_generator)
            for variable in network.variables
        )

    def report(self, losses: dict) -> dict:
        """Adds a training step's losses to their running means and returns those."""
        for name, value in losses.items():
            self.training_means[name].update_state(value)
            self.step_losses[name].assign(tf.cast(value, tf.float32))
        self.count_bad_numbers(losses.values())
        return {name: self.training_means[name].result() for name in losses}

    def count_bad_numbers(self, values) -> None:
        """Counts which of a step's losses or gradients hold NaN or infinity."""
        # A sum is one pass through memory, and no number if one of its terms is none.
        sums = [tf.reduce_sum(tf.cast(value, tf.float32)) for value in values if value is not None]
        is_bad = tf.math.logical_not(tf.math.is_finite(tf.stack(sums)))
        self.bad_numbers.assign_add(tf.reduce_sum(tf.cast(is_bad, tf.int32)))

    def _validation_trackers(self):
        return [*self.validation_means.values(), *self.validation_metrics]

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Nothing: the networks are built in `__init__`, the optimizers in `compile`."""
