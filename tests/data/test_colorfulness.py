"""The colorfulness of Hasler and Suesstrunk, against its formula worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from data.colorfulness import colorfulness


def random_pictures(count=3, seed=0):
    shape = (count, 7, 5, 3)
    return np.random.default_rng(seed).uniform(0.0, 255.0, shape).astype("float32")


def test_one_red_and_one_blue_pixel_by_hand():
    # rg is 255 and 0, yb is 127.5 and -255: their deviations are 127.5 and 191.25, their means
    # 127.5 and -63.75.
    picture = np.array([[[255.0, 0.0, 0.0], [0.0, 0.0, 255.0]]])
    expected = np.hypot(127.5, 191.25) + 0.3 * np.hypot(127.5, -63.75)
    assert colorfulness(picture) == pytest.approx(expected)


def test_differences_keep_their_sign():
    # Red and green in equal parts: the mean of rg is 0, and its deviation 100.
    picture = np.array([[[100.0, 0.0, 50.0], [0.0, 100.0, 50.0]]])
    assert colorfulness(picture) == pytest.approx(100.0)


def test_one_color_has_only_the_offset():
    picture = np.full((4, 4, 3), [255.0, 0.0, 0.0])
    assert colorfulness(picture) == pytest.approx(0.3 * np.hypot(255.0, 127.5))


def test_gray_has_none():
    gray = np.random.default_rng(0).uniform(0, 255, (6, 6, 1)).repeat(3, axis=-1)
    assert colorfulness(gray) == pytest.approx(0.0, abs=1e-9)


def test_every_picture_of_a_batch_gets_its_number():
    pictures = random_pictures()
    expected = [colorfulness(picture) for picture in pictures]
    assert colorfulness(pictures).shape == (3,)
    np.testing.assert_allclose(colorfulness(pictures), expected, rtol=1e-5)


def test_numpy_and_keras_agree():
    pictures = random_pictures()
    np.testing.assert_allclose(colorfulness(pictures, numpy=ops), colorfulness(pictures), rtol=1e-5)


def test_keras_computes_it_inside_a_graph():
    pictures = random_pictures()
    in_graph = tf.function(lambda rgb255: colorfulness(rgb255, numpy=ops))
    np.testing.assert_allclose(in_graph(pictures), colorfulness(pictures), rtol=1e-5)
