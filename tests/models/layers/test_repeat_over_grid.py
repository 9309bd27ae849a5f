"""A vector is concatenated to the features at every position."""

import keras
import numpy as np
import tensorflow as tf

from models.layers.repeat_over_grid import RepeatOverGrid


def test_every_position_has_its_features_and_the_vector_of_its_image():
    random = np.random.default_rng(0)
    features = random.normal(size=(2, 3, 5, 4)).astype("float32")
    vector = random.normal(size=(2, 6)).astype("float32")
    joined = RepeatOverGrid()([features, vector]).numpy()
    assert joined.shape == (2, 3, 5, 10)
    for image in range(2):
        for row, column in np.ndindex(3, 5):
            expected = np.concatenate([features[image, row, column], vector[image]])
            np.testing.assert_array_equal(joined[image, row, column], expected)


def test_output_size_is_unknown_only_if_the_input_size_is():
    vector = keras.Input((6,))
    for side in (7, None):
        assert RepeatOverGrid()([keras.Input((side, side, 4)), vector]).shape == (
            None,
            side,
            side,
            10,
        )


def test_a_graph_of_unknown_sizes_accepts_any_size():
    features, vector = keras.Input((None, None, 4)), keras.Input((6,))
    network = keras.Model([features, vector], RepeatOverGrid()([features, vector]))
    join = tf.function(network, reduce_retracing=True)
    for batch, height, width in ((1, 1, 1), (2, 3, 5), (4, 7, 2)):
        joined = join([tf.ones((batch, height, width, 4)), tf.zeros((batch, 6))])
        assert joined.shape == (batch, height, width, 10)


def test_mixed_precision_computes_in_half_precision():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    joined = RepeatOverGrid()([tf.ones((1, 2, 2, 3)), tf.ones((1, 4))])
    assert joined.dtype == tf.bfloat16
