"""The VGG-like discriminator."""

import numpy as np

from models.layers.spectral_normalization import SpectralNormalization
from models.networks.discriminators import vgg_discriminator


def test_one_float32_logit_for_each_image_of_any_size():
    network = vgg_discriminator(filters=2, depth=2, attention_level=1)
    for size in ((16, 16), (21, 34)):
        logits = network(np.zeros((3, *size, 3), "float32"))
        assert logits.shape == (3, 1)
        assert logits.dtype == "float32"


def test_every_kernel_is_spectrally_normalized():
    network = vgg_discriminator(filters=2, depth=2, attention_level=1)
    kinds = {type(layer).__name__ for layer in network.layers}
    assert not kinds & {"Conv2D", "Dense"}
    pairs = sum(isinstance(layer, SpectralNormalization) for layer in network.layers)
    # Two convolutions at each of three levels, and the dense unit.
    assert pairs == 7


def test_samples_do_not_affect_each_other():
    network = vgg_discriminator(filters=2, depth=2, attention_level=1)
    images = np.random.default_rng(0).uniform(-1, 1, (3, 16, 16, 3)).astype("float32")
    np.testing.assert_allclose(network(images)[:1], network(images[:1]), atol=1e-5)
