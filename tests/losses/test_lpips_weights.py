"""The weights of LPIPS are found, downloaded and converted, or an error says where to put them."""

import os

import numpy as np
import pytest

from errors import InputError
from losses import lpips_weights
from losses.lpips_network import LPIPSNetwork
from losses.lpips_weights import convert_lpips_weights, find_lpips_weights

SHAPES = [(64, 3, 11, 11), (192, 64, 5, 5), (384, 192, 3, 3), (256, 384, 3, 3), (256, 256, 3, 3)]


@pytest.fixture
def official(monkeypatch):
    """Replaces the official files by random weights of the same names; returns those of AlexNet."""
    random = np.random.default_rng(0)
    alexnet, channels = {}, {}
    for number, (layer, shape) in enumerate(zip((0, 3, 6, 8, 10), SHAPES, strict=True)):
        alexnet[f"features.{layer}.weight"] = random.normal(0, 0.1, shape).astype("float32")
        alexnet[f"features.{layer}.bias"] = random.normal(0, 0.1, shape[0]).astype("float32")
        weights = random.uniform(0, 1, (1, shape[0], 1, 1)).astype("float32")
        channels[f"lin{number}.model.1.weight"] = weights
    files = {"alexnet": alexnet, "channels": channels}
    monkeypatch.setattr(lpips_weights, "read_state_dict", files.__getitem__)
    return alexnet


def test_kernels_are_transposed_to_the_layout_of_keras(official, tmp_path):
    convert_lpips_weights("alexnet", "channels", tmp_path / "made.npz")
    kernel = np.load(tmp_path / "made.npz")["conv2_w"]
    np.testing.assert_array_equal(kernel[1, 2, 3, 4], official["features.3.weight"][4, 3, 1, 2])
    LPIPSNetwork(tmp_path / "made.npz")


def test_official_files_are_downloaded_once(official, tmp_path, monkeypatch):
    downloaded = []

    def fetch(origin, file_hash, cache_subdir):
        downloaded.append(file_hash)
        return "alexnet" if "alexnet" in origin else "channels"

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("keras.utils.get_file", fetch)
    path = find_lpips_weights()
    assert find_lpips_weights() == path == os.path.join(tmp_path, "models/lpips_alexnet_v0.1.npz")
    assert [len(sha256) for sha256 in downloaded] == [64, 64]
    LPIPSNetwork(path)


def test_failed_download_says_where_to_put_the_files(tmp_path, monkeypatch):
    def no_network(**options):
        raise Exception("URL fetch failure\non https://...")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("keras.utils.get_file", no_network)
    with pytest.raises(InputError) as caught:
        find_lpips_weights()
    message = str(caught.value)
    assert f"alexnet-owt-7be5be79.pth at {tmp_path}/models/alexnet-owt-7be5be79.pth, or" in message
    assert len(message.splitlines()) == 1
    assert os.listdir(tmp_path) == []
