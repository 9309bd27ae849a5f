"""Caches frozen generators in the user's cache folder, so that the next coloring starts sooner.

A cached generator is used only with the same weights, settings, size, precision, processor,
versions and program. Whatever is wrong with a cached file or with the folder, the generator is
built from its weights, as without a cache.
"""

import contextlib
import hashlib
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from inference.frozen_generator import FrozenGenerator
from models.checkpoints.folder import WeightsFolder
from models.layers.devices import has_gpu, processor_flags

_MODELS = Path(__file__).resolve().parents[1] / "models"

# Of 28 MB each, with the default weights.
MOST_FILES = 4


def cached_generator(
    folder: WeightsFolder, side: int, build: Callable[[], keras.Model], with_hints: bool = False
) -> keras.Model | FrozenGenerator:
    """Loads a frozen generator from the cache, or builds it and adds it to the cache.

    Args:
        folder: `WeightsFolder`, which has the weights.
        side: int, the height and width of the network's input.
        build: function without arguments that builds the generator and loads its weights.
        with_hints: bool, whether the generator takes hints. Defaults to `False`.

    Returns:
        `FrozenGenerator`, or, on a GPU, for which nothing is cached, the generator.
    """
    if has_gpu():
        return build()
    path = None
    # `Path.home` raises a RuntimeError for a user without a home.
    with contextlib.suppress(OSError, RuntimeError):
        path = _cache_folder() / f"{_key(folder, side, with_hints)}.npz"
        with contextlib.suppress(ValueError):
            frozen = FrozenGenerator.load(path)
            # The files that were used last are kept.
            path.touch()
            return frozen
    frozen = FrozenGenerator.freeze(build(), side)
    if path:
        with contextlib.suppress(OSError):
            frozen.save(path)
            _remove_oldest(path.parent)
    return frozen


def _cache_folder() -> Path:
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME")
    return Path(base or Path.home() / ".cache") / "colorizer"


def _key(folder: WeightsFolder, side: int, with_hints: bool) -> str:
    """A hash of all that the graph depends on."""
    digest = hashlib.sha256()
    facts = {
        "side": side,
        "with_hints": with_hints,
        "precision": keras.mixed_precision.dtype_policy().name,
        "processor": (platform.machine(), sorted(processor_flags())),
        "versions": (platform.python_version(), keras.__version__, tf.__version__),
    }
    digest.update(repr(facts).encode())
    for path in (*folder.files_to_color, *sorted(_MODELS.rglob("*.py"))):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _remove_oldest(cache: Path) -> None:
    files = sorted(cache.glob("*.npz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[MOST_FILES:]:
        path.unlink(missing_ok=True)
