"""Two replicas on two devices of one process, compared with a single one."""

import subprocess
import sys

import tensorflow as tf

from benchmarks.replicas import TWO_DEVICES
from models.layers.replicas import (
    each_of_replicas,
    gradients_of_mean,
    is_one_of_several,
    own_part,
    replicas,
    sum_over_replicas,
)

# The devices have to be created before TensorFlow computes anything: this runs in a process of
# its own.
HEAD = f"""{TWO_DEVICES}
import keras
import numpy as np

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
random = np.random.default_rng(0)

def distribute(rows):
    # The first half is for the first replica, the second half for the second.
    parts = np.split(np.asarray(rows), 2)
    give = lambda context: tf.constant(parts[context.replica_id_in_sync_group])
    return strategy.experimental_distribute_values_from_function(give)

def results(values):
    return [np.asarray(value) for value in strategy.experimental_local_results(values)]
"""

TOGETHER = """
from models.layers.replicas import *

def step(own):
    assert replicas() == 2 and is_one_of_several()
    with tf.GradientTape() as tape:
        tape.watch(own)
        value = tf.reduce_sum(each_of_replicas(own) ** 3)
    part = own_part(tf.range(6))
    return sum_over_replicas(own), each_of_replicas(own), part, tape.gradient(value, own)

values = np.array([[1.0, 2.0], [3.0, 5.0]], "float32")
total, each, part, gradient = strategy.run(tf.function(step), [distribute(values)])
for row in results(total):
    np.testing.assert_array_equal(row[0], [4, 7])
for rows in results(each):
    np.testing.assert_array_equal(rows[:, 0], values)
np.testing.assert_array_equal(results(part), [[0, 1, 2], [3, 4, 5]])
# Both replicas sum the cubes of both, so each gradient has a factor of two.
for row, own in zip(results(gradient), values):
    np.testing.assert_allclose(row[0], 2 * 3 * own**2)
"""

NORMALIZATION = """
from models.layers.fused_batch_normalization import FusedBatchNormalization
from models.layers.replicas import gradients_of_mean

images = random.normal(3.0, 2.0, (8, 4, 4, 3)).astype("float32")
wanted = random.normal(size=images.shape).astype("float32")

def losses(layer, inputs, targets):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=True)
        loss = tf.reduce_mean(tf.square(outputs - targets))
    weights = [weight.value for weight in layer.trainable_weights]
    return outputs, *gradients_of_mean(tape, loss, [inputs, *weights])

# Keras' own layer on the whole batch.
alone = keras.layers.BatchNormalization()
alone.build(images.shape)
outputs, input_gradient, *gradients = losses(alone, tf.constant(images), wanted)
with strategy.scope():
    layer = FusedBatchNormalization()
    layer.build(images.shape)
parts = strategy.run(
    tf.function(lambda *data: losses(layer, *data)), [distribute(images), distribute(wanted)]
)
np.testing.assert_allclose(np.concatenate(results(parts[0])), outputs, atol=1e-5)
assert np.abs(input_gradient).max() > 1e-3
np.testing.assert_allclose(np.concatenate(results(parts[1])), input_gradient, rtol=1e-4, atol=1e-7)
for gradient, whole in zip(parts[2:], gradients):
    np.testing.assert_allclose(sum(results(gradient)), whole, rtol=1e-4, atol=1e-6)
for statistic, whole in zip(layer.non_trainable_weights, alone.non_trainable_weights):
    for copy in results(statistic.value):
        np.testing.assert_allclose(copy, whole, rtol=1e-5)

# A layer that is not trained leaves its statistics unchanged.
layer.trainable = False
statistics = layer.moving_mean.value, layer.moving_variance.value
before = [results(each) for each in statistics]
strategy.run(tf.function(lambda own: layer(own, training=True)), [distribute(images)])
np.testing.assert_array_equal(before, [results(each) for each in statistics])
"""

DROPOUT = """
from models.layers.resumable_dropout import ResumableDropout

features = random.normal(size=(6, 5)).astype("float32")
alone = ResumableDropout(0.5, seed=7)
wanted = [alone(features, training=True).numpy() for _ in range(2)]
with strategy.scope():
    layer = ResumableDropout(0.5, seed=7)
step = tf.function(lambda own: layer(own, training=True))
for whole in wanted:
    parts = strategy.run(step, [distribute(features)])
    np.testing.assert_array_equal(np.concatenate(results(parts)), whole)
assert (wanted[0] != wanted[1]).any() and (wanted[0][:3] == 0).sum() > 0
np.testing.assert_array_equal(
    np.concatenate(results(strategy.run(lambda own: layer(own), [distribute(features)]))), features
)
"""


def test_two_replicas_compute_what_one_computes(request):
    # A single process runs all three: starting TensorFlow takes longer than all of them.
    ran = subprocess.run(
        [sys.executable, "-c", HEAD + TOGETHER + NORMALIZATION + DROPOUT],
        cwd=request.config.rootpath,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]


def test_one_replica_alone_changes_nothing():
    value = tf.constant([1.0, 2.0])
    assert replicas() == 1
    assert not is_one_of_several()
    assert sum_over_replicas(value) is value
    assert own_part(value) is value
    assert each_of_replicas(value).numpy().tolist() == [[1.0, 2.0]]
    with tf.GradientTape() as tape:
        tape.watch(value)
        loss = tf.reduce_sum(value**2)
    [gradient] = gradients_of_mean(tape, loss, [value])
    assert gradient.numpy().tolist() == [2.0, 4.0]
