"""Finds the weights of LPIPS: in a file, in Keras' cache, or in the official PyTorch files."""

import os

import keras
import numpy as np

from data.atomic import write_beside
from data.keras_cache import in_keras_cache
from data.torch_file import read_state_dict
from errors import InputError, first_line

_CACHED = "lpips_alexnet_v0.1.npz"
_ALEXNET = "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth"
_CHANNELS = (
    "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights/v0.1/"
    "alex.pth"
)
# The indices of the convolutions in torchvision's AlexNet.
_CONVOLUTIONS = (0, 3, 6, 8, 10)


def find_lpips_weights(path: str | None = None) -> str:
    """Returns the path of the .npz with the weights of LPIPS.

    Args:
        path: str or None, a file to use. Defaults to `None`, the file in Keras' cache, which is
            converted from the official files of torchvision and of the reference implementation if
            it is missing.

    Raises:
        InputError: the official files cannot be downloaded or converted, or the cache cannot be
            written. The message says where to put the files.
    """
    if path is not None:
        return path
    cached = in_keras_cache(_CACHED)
    if not cached.exists():
        try:
            files = _download(_ALEXNET), _download(_CHANNELS)
        # `get_file` raises a bare Exception when a download fails.
        except Exception as error:
            raise InputError(
                f"LPIPS's weights cannot be downloaded; put {_ALEXNET} and {_CHANNELS} into "
                f"{cached.parent}, or give an .npz with --lpips_weights PATH"
            ) from error
        try:
            convert_lpips_weights(*files, cached)
        except (KeyError, ValueError) as error:
            raise InputError(
                f"{' and '.join(files)} are not LPIPS's weights ({first_line(error)}); remove "
                "them, or give an .npz with --lpips_weights PATH"
            ) from error
        except OSError as error:
            raise InputError(
                f"LPIPS's weights cannot be saved ({error}); give an .npz with --lpips_weights PATH"
            ) from error
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


def _download(address: str) -> str:
    return keras.utils.get_file(origin=address, cache_subdir="models")
