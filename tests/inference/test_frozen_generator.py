"""A frozen generator colors as its layers do, also after it was saved and loaded."""

import keras
import numpy as np
import pytest

from inference.frozen_generator import FrozenGenerator
from models.networks.pix2pix_unet import pix2pix_unet
from models.networks.unet import unet

LIGHTNESS = np.random.default_rng(0).uniform(-1, 1, (3, 80, 80, 1)).astype("float32")


@pytest.fixture(scope="module", params=["unet", "pix2pix"])
def generator(request):
    """A generator with a loop (attention in parts) and one with dropout."""
    keras.utils.set_random_seed(0)
    if request.param == "pix2pix":
        return pix2pix_unet(filters=2, depth=3)
    network = unet(filters=2, depth=2, attention_level=1, color_stride=2)
    for layer in network.layers:
        if layer.name.startswith("attention"):
            layer.gamma.assign(1.0)
    return network


@pytest.fixture(scope="module")
def file(generator, tmp_path_factory):
    path = tmp_path_factory.mktemp("frozen") / "generator.npz"
    FrozenGenerator.freeze(generator, side=80).save(path)
    return path


def test_colors_as_the_layers_do(generator):
    frozen = FrozenGenerator.freeze(generator, side=80)
    expected = generator(LIGHTNESS, training=False)
    for count in (3, 1):
        np.testing.assert_allclose(frozen(LIGHTNESS[:count]), expected[:count], atol=1e-6)
    assert np.ptp(expected) > 1e-4


def test_weights_are_those_of_the_moment():
    generator = keras.Sequential([keras.Input((None, None, 1)), keras.layers.Conv2D(2, 1)])
    frozen = FrozenGenerator.freeze(generator, side=80)
    expected = generator(LIGHTNESS)
    generator.set_weights([np.zeros(weight.shape) for weight in generator.get_weights()])
    np.testing.assert_allclose(frozen(LIGHTNESS), expected, atol=1e-6)


def test_a_saved_generator_colors_the_same(generator, file):
    frozen = FrozenGenerator.freeze(generator, side=80)
    np.testing.assert_array_equal(FrozenGenerator.load(file)(LIGHTNESS), frozen(LIGHTNESS))


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_truncated_file_is_refused(file, tmp_path, share):
    content = file.read_bytes()
    damaged = tmp_path / "damaged.npz"
    damaged.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"file of a frozen generator. Received: .*damaged\.npz"):
        FrozenGenerator.load(damaged)


def test_a_changed_graph_is_refused(file, tmp_path):
    content = bytearray(file.read_bytes())
    place = content.index(b"output_of_frozen_generator")
    content[place] ^= 0x55
    (tmp_path / "damaged.npz").write_bytes(content)
    with pytest.raises(ValueError, match="Received"):
        FrozenGenerator.load(tmp_path / "damaged.npz")


def test_another_array_file_is_refused(tmp_path):
    np.savez(tmp_path / "other.npz", first=np.zeros(3))
    with pytest.raises(ValueError, match="Received"):
        FrozenGenerator.load(tmp_path / "other.npz")


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        FrozenGenerator.load(tmp_path / "absent.npz")
