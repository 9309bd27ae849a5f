"""The base class of the colorizers: lightness in, ab out."""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from data.color.ab_bins import BINS
from data.color.lab import join_lab, lab1_to_rgb1
from models.batch_statistics import BatchStatistics, first_lightness
from models.layers.fused_batch_normalization import collect_batch_statistics, has_batch_statistics
from models.layers.replicas import is_one_of_several, replicas
from models.layers.resizing import enlarge_squares, mean_of_squares
from models.replicated_model import ReplicatedModel, by_name


class Colorizer(ReplicatedModel):
    """Base class of the colorizers: the generator, its moving average, and validation.

    A subclass builds its networks and overrides `compile` and `train_step`. Coloring, validation
    and the weights that ship use the *EMA generator*, whose weights are an exponential moving
    average of the trained ones.

    Lightness and ab are scaled as in `lab1`: L/50 - 1 and ab/110. `call` takes lightness of shape
    (batch, height, width, 1), of any size, and returns ab of shape (batch, height, width, 2),
    float32. A colorizer with a `hint_network` also takes hints of shape (batch, height, width, 3):
    ab, and how much of each pixel is hinted, from 0 to 1; and palettes of shape (batch, 529), as
    made by `data.color.ab_bins.ab1_to_palette`.

    Args:
        generator: `keras.Model`, the network that is trained. The EMA generator is a copy of it.
        architecture: dict, the arguments of the subclass that describe its networks, for
            settings.json and `get_config`.
        ema_decay: float in [0, 1), decay of the moving average; 0 makes it a plain copy. After n
            steps the decay is min(ema_decay, (1 + n) / (10 + n)), so that the random initial
            weights do not dominate the first validations. Defaults to `0.999`.
        name: str.

    Attributes:
        network: a class attribute, the function that builds the generator.
        needs_labels: bool, a class attribute: whether batches are (lightness, ab, label) and not
            (lightness, ab).
        sample_grids: int, a class attribute: how many validation batches are shown after every
            epoch.
        takes_hints: bool, whether the generator takes hints and palettes.
        trains_hints_alone: bool, whether all else of the generator is frozen.
        color_stride: int, the generator predicts ab of size ceil(side / color_stride), and `call`
            enlarges it to the size of the lightness.
        step_losses: dict of variables by name, the losses of the last training step alone.
        nonfinite_count: int variable, how many losses and gradients of the last training step are
            NaN or infinite.
    """

    network: Callable[..., keras.Model]
    needs_labels = False
    sample_grids = 1

    def __init__(
        self,
        generator: keras.Model,
        architecture: dict[str, Any],
        ema_decay: float = 0.999,
        name: str = "colorizer",
    ):
        super().__init__(name=name)
        self.architecture = architecture
        self.takes_hints = architecture.get("hints", False)
        self.trains_hints_alone = False
        self.color_stride = architecture.get("color_stride", 1)
        self.ema_decay = ema_decay
        self.generator = generator
        self.generator_ema = keras.models.clone_model(generator)
        self.generator_ema.set_weights(generator.get_weights())
        self.generator_ema.trainable = False
        self._collect_batch_statistics = tf.function(self._collect)
        self.training_means = by_name([])
        # These hold values of a single step and are not saved in checkpoints.
        self.step_losses: dict[str, tf.Variable] = {}
        self.nonfinite_count = tf.Variable(0, trainable=False)
        self.validation_means = by_name([])
        self.validation_metrics = by_name([])
        # Keras builds a model by calling it, but these networks are built already.
        self.built = True

    @classmethod
    def build_generator(cls, architecture: dict[str, Any]) -> keras.Model:
        """Builds the generator alone from the `architecture` of a model, without its weights."""
        accepted = inspect.signature(cls.network).parameters
        return cls.network(
            **{name: value for name, value in architecture.items() if name in accepted}
        )

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        **options: Any,
    ) -> keras.callbacks.History:
        """Trains as Keras does, and measures the batch statistics of the EMA generator.

        What validation judges and callbacks save is then what colors: see
        `update_batch_statistics`.

        Args:
            x: array of lightness, or an iterable of batches of (lightness, ab), such as a
                `tf.data.Dataset`.
            y: array of ab, if `x` is an array. Defaults to `None`.
            batch_size, epochs, verbose, callbacks, **options: as in `keras.Model.fit`.
        """
        callbacks = keras.tree.flatten(callbacks) if callbacks else []
        if not any(isinstance(callback, BatchStatistics) for callback in callbacks):
            batches = functools.partial(first_lightness, x, batch_size)
            callbacks = [BatchStatistics(batches), *callbacks]
        return super().fit(x, y, batch_size, epochs, verbose, callbacks, **options)

    def call(self, lightness, hints=None, palette=None, training=False):
        return self.color(self.generator_ema, lightness, hints, palette, training=training)

    def color(
        self,
        generator: keras.Model,
        lightness: tf.Tensor,
        hints: tf.Tensor | None = None,
        palette: tf.Tensor | None = None,
        *,
        training: bool = False,
    ) -> tf.Tensor:
        """The ab that one of the two generators predicts, at the size of the lightness.

        Raises:
            ValueError: the generator takes no hints and palettes, but there are some.
        """
        inputs = lightness
        if self.takes_hints:
            if hints is None:
                hints = ops.zeros((*ops.shape(lightness)[:3], 3))
            if palette is None:
                palette = ops.zeros((ops.shape(lightness)[0], BINS))
            # Keras refuses lists of tensors and arrays.
            inputs = [ops.convert_to_tensor(each) for each in (lightness, hints, palette)]
        elif hints is not None or palette is not None:
            raise ValueError(
                "the network of this colorizer takes no hints and no palette. Received: "
                f"`{'palette' if hints is None else 'hints'}`"
            )
        return self.enlarge(generator(inputs, training=training), lightness)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, except for the encoder's weights at the beginning."""
        return {**self.architecture, "ema_decay": self.ema_decay, "name": self.name}

    def enlarge(self, ab: tf.Tensor, lightness: tf.Tensor) -> tf.Tensor:
        """Enlarges the ab of a generator to the size of its input."""
        if self.color_stride == 1:
            return ab
        return enlarge_squares(ab, self.color_stride, ops.shape(lightness)[1:3])

    def coarsen(self, ab: tf.Tensor) -> tf.Tensor:
        """Reduces true ab to what a perfect generator could predict, at its own size."""
        if self.color_stride == 1:
            return ab
        return self.enlarge(mean_of_squares(ab, self.color_stride), ab)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [*self.training_means.values(), *self.validation_trackers()]

    def test_step(self, data):
        """Evaluates the EMA generator on a batch of (lightness, ab), with or without extra targets.

        Of the extra targets only hints and palettes are used.
        """
        data = (*data[:2], *self.given(data))
        if is_one_of_several():
            self.vote()
            # Some replicas may get no images of the last batch.
            tf.cond(tf.shape(data[0])[0] > 0, lambda: self._evaluate_batch(*data), lambda: None)
        else:
            self._evaluate_batch(*data)
        return self.as_logs({metric.name: metric.result() for metric in self.validation_trackers()})

    def given(self, data: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, ...]:
        """The hints and palettes of a batch that `data.input.batches` makes, if they are used."""
        return data[2:4] if self.takes_hints else ()

    def _evaluate_batch(self, lightness, true_ab, *given):
        colored_ab = self(lightness, *given, training=False)
        images = tf.shape(lightness)[0]
        for name, value in self.validation_losses(lightness, true_ab, colored_ab).items():
            self.validation_means[name].update_state(value, sample_weight=images)
        true_rgb1 = lab1_to_rgb1(join_lab(lightness, true_ab))
        colored_rgb1 = lab1_to_rgb1(join_lab(lightness, colored_ab))
        for metric in self.validation_metrics.values():
            metric.update_state(true_rgb1, colored_rgb1)

    def validation_losses(
        self, lightness: tf.Tensor, true_ab: tf.Tensor, colored_ab: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """The losses that validation reports, scalars by name; `loss` selects the best weights."""
        raise NotImplementedError

    def update_ema(self, step: tf.Tensor) -> None:
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

    def update_batch_statistics(self, batches: Iterable[tf.Tensor]) -> None:
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
        if self.trains_hints_alone or not has_batch_statistics(self.generator_ema):
            return
        for number, lightness in enumerate(batches):
            # All batches have the same weight.
            self._collect_batch_statistics(
                tf.constant(number / (number + 1.0), tf.float32), lightness
            )

    def _collect(self, momentum, lightness):
        def color(own_lightness):
            self(own_lightness, training=False)

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

    def report(self, losses: dict) -> None:
        """Adds a training step's losses, averaged over the replicas, to their means."""
        self.count_nonfinite(losses.values())
        losses, count = self.average_over_replicas(losses, self.nonfinite_count)
        self.nonfinite_count.assign(count)
        for name, value in losses.items():
            # All replicas add the same value, which counts once.
            self.training_means[name].update_state(value, sample_weight=1.0 / replicas())
            self.step_losses[name].assign(value)

    def count_nonfinite(self, values: Iterable[tf.Tensor | None]) -> None:
        """Counts the losses or gradients of a step that contain NaN or infinity."""
        # A sum takes one pass through memory, and is nonfinite if one of its terms is.
        sums = [tf.reduce_sum(tf.cast(value, tf.float32)) for value in values if value is not None]
        is_bad = tf.math.logical_not(tf.math.is_finite(tf.stack(sums)))
        self.nonfinite_count.assign_add(tf.reduce_sum(tf.cast(is_bad, tf.int32)))

    def validation_trackers(self) -> list[keras.metrics.Metric]:
        """The means of the validation losses, and the metrics."""
        return [*self.validation_means.values(), *self.validation_metrics.values()]

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Does nothing: the networks are built in `__init__`, the optimizers in `compile`."""
