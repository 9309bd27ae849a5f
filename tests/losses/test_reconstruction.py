"""The weighted sum of the terms that compare colors."""

import numpy as np
import pytest
import tensorflow as tf

from data.lab import join_lab, lab1_to_unclipped_rgb1
from losses import TERMS
from losses.reconstruction import Reconstruction


class RecordingPerceptual:
    """Stands in for `Perceptual`: keeps what it is given, and answers 7."""

    def __call__(self, true_rgb1, colored_rgb1):
        self.pictures = np.asarray(true_rgb1), np.asarray(colored_rgb1)
        return tf.constant(7.0)


def random_pictures(seed=0):
    lab1 = np.random.default_rng(seed).uniform(-0.9, 0.9, (2, 4, 4, 5)).astype("float32")
    return lab1[..., :1], lab1[..., 1:3], lab1[..., 3:]


def test_l1_by_hand():
    true_ab = np.zeros((1, 1, 2, 2), "float32")
    colored_ab = np.array([[[[0.5, -1.0], [0.0, 0.1]]]], "float32")
    terms = Reconstruction({"l1": 3.0}).terms(np.zeros((1, 1, 2, 1)), true_ab, colored_ab)
    assert list(terms) == ["l1"]
    assert float(terms["l1"]) == pytest.approx(1.6 / 4)


def test_mse_by_hand():
    true_ab = np.zeros((1, 1, 2, 2), "float32")
    colored_ab = np.array([[[[0.5, -1.0], [0.0, 0.1]]]], "float32")
    loss = Reconstruction({"mse": 3.0})
    terms = loss.terms(np.zeros((1, 1, 2, 1)), true_ab, colored_ab)
    assert list(terms) == ["mse"]
    assert float(terms["mse"]) == pytest.approx((0.25 + 1.0 + 0.01) / 4)
    assert float(loss.total(terms)) == pytest.approx(3 * 1.26 / 4)


@pytest.mark.parametrize("term", ["l1", "mse"])
def test_distance_of_half_precision_is_float32(term):
    lightness, true_ab, colored_ab = random_pictures()
    half = tf.cast(colored_ab, tf.bfloat16)
    assert Reconstruction({term: 1.0}).terms(lightness, true_ab, half)[term].dtype == tf.float32


@pytest.mark.parametrize("term", ["l1", "mse"])
def test_equal_colors_have_no_distance(term):
    lightness, true_ab, _ = random_pictures()
    assert float(Reconstruction({term: 1.0}).terms(lightness, true_ab, true_ab)[term]) == 0.0


def test_terms_are_not_yet_weighted_and_the_total_is():
    loss = Reconstruction({"l1": 10.0, "perceptual": 0.5}, RecordingPerceptual())
    terms = loss.terms(*random_pictures())
    assert float(terms["perceptual"]) == 7.0
    assert float(loss.total(terms)) == pytest.approx(10.0 * float(terms["l1"]) + 3.5)


def test_perceptual_is_given_colored_rgb_pictures():
    perceptual = RecordingPerceptual()
    lightness, true_ab, colored_ab = random_pictures()
    Reconstruction({"perceptual": 1.0}, perceptual).terms(lightness, true_ab, colored_ab)
    for picture, ab in zip(perceptual.pictures, (true_ab, colored_ab), strict=True):
        np.testing.assert_allclose(picture, lab1_to_unclipped_rgb1(join_lab(lightness, ab)))


def test_term_of_weight_zero_is_neither_computed_nor_needed():
    loss = Reconstruction({"l1": 2.0, "perceptual": 0.0})
    assert list(loss.terms(*random_pictures())) == ["l1"]
    assert loss.weights == {"l1": 2.0}


def test_every_named_term_is_computed():
    loss = Reconstruction(dict.fromkeys(TERMS, 1.0), RecordingPerceptual())
    assert set(loss.terms(*random_pictures())) == set(TERMS)


def test_unknown_term_is_an_error():
    with pytest.raises(ValueError, match=r"should be of the terms.*Received: .*'style'"):
        Reconstruction({"l1": 1.0, "style": 1.0})


def test_perceptual_term_without_perceptual_is_an_error():
    with pytest.raises(ValueError, match="`perceptual` needs `perceptual`"):
        Reconstruction({"perceptual": 1.0})
