"""The colorfulness of Hasler and Suesstrunk, against its formula worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from data.color.colorfulness import colorfulness


def random_images(count=3, seed=0):
    shape = (count, 7, 5, 3)
    return np.random.default_rng(seed).uniform(0.0, 255.0, shape).astype("float32")


def test_one_red_and_one_blue_pixel_by_hand():
    # rg is 255 and 0, yb is 127.5 and -255: their deviations are 127.5 and 191.25, their means
    # 127.5 and -63.75.
    image = np.array([[[255.0, 0.0, 0.0], [0.0, 0.0, 255.0]]])
    expected = np.hypot(127.5, 191.25) + 0.3 * np.hypot(127.5, -63.75)
    assert colorfulness(image) == pytest.approx(expected)


def test_differences_keep_their_sign():
    # Red and green in equal parts: the mean of rg is 0, and its deviation 100.
    image = np.array([[[100.0, 0.0, 50.0], [0.0, 100.0, 50.0]]])
    assert colorfulness(image) == pytest.approx(100.0)


def test_single_color_has_only_the_term_of_the_means():
    image = np.full((4, 4, 3), [255.0, 0.0, 0.0])
    assert colorfulness(image) == pytest.approx(0.3 * np.hypot(255.0, 127.5))


def test_gray_has_no_colorfulness():
    gray = np.random.default_rng(0).uniform(0, 255, (6, 6, 1)).repeat(3, axis=-1)
    assert colorfulness(gray) == pytest.approx(0.0, abs=1e-9)


def test_every_image_of_a_batch_has_its_own_value():
    images = random_images()
    expected = [colorfulness(image) for image in images]
    assert colorfulness(images).shape == (3,)
    np.testing.assert_allclose(colorfulness(images), expected, rtol=1e-5)


def test_numpy_and_keras_agree():
    images = random_images()
    np.testing.assert_allclose(colorfulness(images, numpy=ops), colorfulness(images), rtol=1e-5)


def test_colorfulness_runs_inside_a_graph():
    images = random_images()
    in_graph = tf.function(lambda rgb255: colorfulness(rgb255, numpy=ops))
    np.testing.assert_allclose(in_graph(images), colorfulness(images), rtol=1e-5)
