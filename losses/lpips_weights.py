"""Finds the weights of LPIPS in Keras' cache, or makes them from the official PyTorch files."""

import os

import numpy as np

from data.atomic import write_beside
from data.keras_cache import in_keras_cache
from data.torch_file import read_state_dict
from errors import InputError
from losses.pretrained import download

_CACHED = "lpips_alexnet_v0.1.npz"
# AlexNet of torchvision, and the channel weights of richzhang/PerceptualSimilarity at its newest
# commit, which the package `lpips` 0.1.4 on PyPI contains too. Their SHA-256 were computed from
# these files; the first begins with the digits in the name that torchvision gave the file.
_ALEXNET = (
    "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
)
_CHANNELS = (
    "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/"
    "082bb24f84c091ea94de2867d34c4544f68e0963/lpips/weights/v0.1/alex.pth",
    "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
)
# The indices of the convolutions in torchvision's AlexNet.
_CONVOLUTIONS = (0, 3, 6, 8, 10)


def find_lpips_weights() -> str:
    """Returns the path of the .npz with the weights of LPIPS in Keras' cache.

    If it is missing, it is converted from the official files of torchvision and of the reference
    implementation, which are downloaded.

    Raises:
        InputError: the official files cannot be downloaded or converted, or the cache cannot be
            written. The message says where to put the files.
    """
    cached = in_keras_cache(_CACHED)
    if not cached.exists():
        files = [download(*file, what="LPIPS's weights") for file in (_ALEXNET, _CHANNELS)]
        try:
            convert_lpips_weights(*files, cached)
        except OSError as error:
            raise InputError(f"LPIPS's weights cannot be saved ({error}); give a file") from error
    return str(cached)


def convert_lpips_weights(alexnet: str, channels: str, target: str | os.PathLike) -> None:
    """Writes the .npz that `LPIPSNetwork` reads.

    Args:
        alexnet: str, path of torchvision's weights of AlexNet.
        channels: str, path of the channel weights of the reference implementation, version 0.1.
        target: str or path, the file to write.

    Raises:
        KeyError, ValueError: the files do not contain these weights.
    """
    layers, linear = read_state_dict(alexnet), read_state_dict(channels)
    arrays = {}
    for number, layer in enumerate(_CONVOLUTIONS):
        # From PyTorch's (out, in, height, width) to (height, width, in, out).
        kernel = layers[f"features.{layer}.weight"]
        arrays[f"conv{number + 1}_w"] = np.transpose(kernel, (2, 3, 1, 0))
        arrays[f"conv{number + 1}_b"] = layers[f"features.{layer}.bias"]
        arrays[f"lin{number}"] = linear[f"lin{number}.model.1.weight"].reshape(-1)
    with write_beside(target) as temporary:
        np.savez(temporary, **arrays)
