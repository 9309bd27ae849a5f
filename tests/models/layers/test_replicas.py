"""What replicas do together, on two devices of one process, beside what one does alone."""

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

# Devices are made before TensorFlow has computed anything: this runs in a process of its own.
HEAD = f"""{TWO_DEVICES}
import keras
import numpy as np

both = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
random = np.random.default_rng(0)

def of_each(of_all):
    # Rows of the first replica and of the second.
    parts = np.split(np.asarray(of_all), 2)
    give = lambda context: tf.constant(parts[context.replica_id_in_sync_group])
    return both.experimental_distribute_values_from_function(give)

def results(values):
    return [np.asarray(value) for value in both.experimental_local_results(values)]
"""

TOGETHER = """
from models.layers.replicas import *

def step(mine):
    assert replicas() == 2 and is_one_of_several()
    with tf.GradientTape() as tape:
        tape.watch(mine)
        value = tf.reduce_sum(each_of_replicas(mine) ** 3)
    part = own_part(tf.range(6))
    return sum_over_replicas(mine), each_of_replicas(mine), part, tape.gradient(value, mine)

mine = np.array([[1.0, 2.0], [3.0, 5.0]], "float32")
total, each, part, gradient = both.run(tf.function(step), [of_each(mine)])
for row in results(total):
    np.testing.assert_array_equal(row[0], [4, 7])
for rows in results(each):
    np.testing.assert_array_equal(rows[:, 0], mine)
np.testing.assert_array_equal(results(part), [[0, 1, 2], [3, 4, 5]])
# Both have the sum of both, and what the optimizers add up is that of all of it.
for row, own in zip(results(gradient), mine):
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

# Keras' own, alone, with the whole batch.
alone = keras.layers.BatchNormalization()
alone.build(images.shape)
outputs, of_inputs, *gradients = losses(alone, tf.constant(images), wanted)
with both.scope():
    layer = FusedBatchNormalization()
    layer.build(images.shape)
parts = both.run(
    tf.function(lambda *data: losses(layer, *data)), [of_each(images), of_each(wanted)]
)
np.testing.assert_allclose(np.concatenate(results(parts[0])), outputs, atol=1e-5)
assert np.abs(of_inputs).max() > 1e-3
np.testing.assert_allclose(np.concatenate(results(parts[1])), of_inputs, rtol=1e-4, atol=1e-7)
for mine, whole in zip(parts[2:], gradients):
    np.testing.assert_allclose(sum(results(mine)), whole, rtol=1e-4, atol=1e-6)
for moved, whole in zip(layer.non_trainable_weights, alone.non_trainable_weights):
    for copy in results(moved.value):
        np.testing.assert_allclose(copy, whole, rtol=1e-5)

# One that is no longer trained, or keeps its statistics, asks nobody.
layer.trainable = False
statistics = layer.moving_mean.value, layer.moving_variance.value
before = [results(each) for each in statistics]
both.run(tf.function(lambda mine: layer(mine, training=True)), [of_each(images)])
np.testing.assert_array_equal(before, [results(each) for each in statistics])
"""

DROPOUT = """
from models.layers.resumable_dropout import ResumableDropout

features = random.normal(size=(6, 5)).astype("float32")
alone = ResumableDropout(0.5, seed=7)
wanted = [alone(features, training=True).numpy() for _ in range(2)]
with both.scope():
    layer = ResumableDropout(0.5, seed=7)
step = tf.function(lambda mine: layer(mine, training=True))
for whole in wanted:
    parts = both.run(step, [of_each(features)])
    np.testing.assert_array_equal(np.concatenate(results(parts)), whole)
assert (wanted[0] != wanted[1]).any() and (wanted[0][:3] == 0).sum() > 0
np.testing.assert_array_equal(
    np.concatenate(results(both.run(lambda mine: layer(mine), [of_each(features)]))), features
)
"""


def test_two_replicas_do_what_one_does(request):
    # In one process: TensorFlow takes longer to start than all of it.
    ran = subprocess.run(
        [sys.executable, "-c", HEAD + TOGETHER + NORMALIZATION + DROPOUT],
        cwd=request.config.rootpath,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]


def test_one_alone_changes_nothing():
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
