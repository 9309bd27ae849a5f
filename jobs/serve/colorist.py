"""What the model does with the photographs on the page."""

import io
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf
from PIL import Image

from data.color.common_colors import CommonColors
from data.image_io import (
    MAXIMUM_PIXELS,
    UnreadableImageError,
    first_reason,
    is_heif_supported,
)
from data.photos.file import PhotoFile
from data.photos.writer import what_is_lost
from errors import InputError
from inference.color_cast import has_colors
from inference.hints_file import HintsFile
from inference.look import Look
from inference.photo_colorizer import PhotoColorizer
from inference.preview import Preview
from inference.suggestions import suggest_colors
from jobs.colorize.colorize import result_path
from jobs.serve.photos import COLORING, FAILED, READY, Photo

# Of the pictures on the page, which are looked at and not kept.
_QUALITY = 90

# Decoded previews that are kept, each of at most 9 MB (3,072 px) beside the network's input.
_KEPT = 8

# The longer side in pixels of what is shown in the list.
_SMALL = 320

# The left, top, width and height of a part of a page in pixels.
Part = tuple[int, int, int, int]


class UncolorableError(Exception):
    """A photograph that cannot be colored; the message says why, in words for its owner."""


class Colorist:
    """Colors the photographs on the page, on the thread of the worker alone.

    Args:
        colorizer: `PhotoColorizer`.
        quality: int, of results in lossy formats.
        says_provenance: bool, whether results say that their colors are machine-made.
        common_colors: `CommonColors` of the training images, or None if they are not known.
    """

    def __init__(
        self,
        colorizer: PhotoColorizer,
        quality: int,
        says_provenance: bool,
        common_colors: CommonColors | None,
    ):
        self._colorizer = colorizer
        self._quality = quality
        self._says_provenance = says_provenance
        self._common_colors = common_colors
        self._previews: OrderedDict[tuple[str, int, int | Part], Preview] = OrderedDict()
        # Photographs are dropped on other threads.
        self._lock = threading.Lock()

    def first_look(self, photo: Photo) -> None:
        """Reads and colors a photograph once, so that what is wrong with it is known early."""
        photo.state = COLORING
        try:
            preview = self._preview(photo, 0, _SMALL)
            preview.colored()
        except UncolorableError as error:
            photo.state, photo.error = FAILED, str(error)
            return
        if has_colors(preview.lab):
            photo.notes.append("it had colors already; only the lightness is used")
        photo.state = READY

    def gray(self, photo: Photo, page: int, view: int | Part) -> bytes:
        """The page of a photograph in gray, as a JPEG.

        Args:
            photo: `Photo`.
            page: int, from 0 on.
            view: int, the longer side of the whole page in pixels; or `Part`, at full size.
        """
        return _jpeg(self._preview(photo, page, view).gray[..., 0])

    def check(self, edits: HintsFile) -> None:
        """Raises an `InputError` if the network cannot color like this."""
        self._colorizer.check(edits.look())

    def colored(self, photo: Photo, page: int, view: int | Part) -> bytes:
        """The page of a photograph in color with its hints, as `gray`."""
        edits, look = photo.edits, _look(photo)
        preview = self._preview(photo, page, view)
        return _jpeg(_explained(lambda: preview.colored(edits.hints, look)))

    def suggestions(
        self, photo: Photo, page: int, x: float, y: float
    ) -> tuple[float, list[tuple[str, str]]]:
        """The lightness at a place, and the colors of `suggest_colors`."""
        preview = self._any_preview(photo, page)
        lab100 = _explained(lambda: preview.lab_at(x, y))
        return float(lab100[0]), suggest_colors(lab100, self._common_colors)

    def result(self, photo: Photo, format: str | None, target: Path) -> Path:
        """Colors a photograph at full size, as `run.py --images` does.

        Args:
            photo: `Photo`.
            format: str or None, the format that was asked for.
            target: `Path` of the file to write, without its suffix.

        Returns:
            `Path` of the file.
        """
        edits, look = photo.edits, _look(photo)
        target = target.with_suffix(Path(result_name(photo, format)).suffix)
        photo.notes[:] = dict.fromkeys(
            [
                *photo.notes,
                *_explained(
                    lambda: self._colorizer.color(
                        *(photo.path, target, self._quality, self._says_provenance),
                        hints=edits.hints,
                        look=look,
                    )
                ),
            ]
        )
        return target

    def forget(self, photo: Photo) -> None:
        """Forgets the previews of a photograph."""
        with self._lock:
            for key in [key for key in self._previews if key[0] == photo.id]:
                del self._previews[key]

    def _any_preview(self, photo: Photo, page: int) -> Preview:
        with self._lock:
            kept = [each for key, each in self._previews.items() if key[:2] == (photo.id, page)]
        return kept[-1] if kept else self._preview(photo, page, _SMALL)

    def _preview(self, photo: Photo, page: int, view: int | Part) -> Preview:
        key = (photo.id, page, view)
        with self._lock:
            found = self._previews.get(key)
            if found:
                self._previews.move_to_end(key)
                return found
        if isinstance(view, int):
            pages = _explained(lambda: PhotoFile(photo.path).pages)
            made = _explained(lambda: Preview(self._colorizer, pages, page, view))
        else:
            whole = self._any_preview(photo, page)
            made = _explained(lambda: whole.part(*view))
        with self._lock:
            self._previews[key] = made
            while len(self._previews) > _KEPT:
                self._previews.popitem(last=False)
        return made


def result_name(photo: Photo, format: str | None) -> str:
    """The name of the result of a photograph, as `run.py --images` would give it."""
    return result_path(photo.path, Path(photo.name), format).name


def is_writable(format: str) -> bool:
    """Whether this installation can write a format."""
    return format != "heic" or is_heif_supported()


def open_photo(
    path: Path, name: str, format: str | None, colorizer: PhotoColorizer
) -> tuple[list, list[str]]:
    """Reads the head of a file.

    Args:
        path: `Path` of the file.
        name: str, its name where it came from, which decides the format of its result
        format: str or None, unless this says another.
        colorizer: `PhotoColorizer`, for what it says in the result.

    Returns:
        The width and height of each page, and what a person should know.

    Raises:
        UncolorableError: it is not a photograph.
    """
    photo = _explained(lambda: PhotoFile(path))
    sizes = [(page.width, page.height) for page in photo.pages]
    pixels = sum(width * height for width, height in sizes)
    if pixels > MAXIMUM_PIXELS:
        raise UncolorableError(
            f"its pages have {pixels // 10**6} megapixels together, and at most "
            f"{MAXIMUM_PIXELS // 10**6} are accepted"
        )
    target = result_path(path, Path(name), format)
    lost = what_is_lost(target, photo.pages, colorizer.provenance)
    return sizes, photo.notes + lost


def _look(photo: Photo) -> Look:
    look = photo.edits.look()
    if look.weights is not None:
        raise UncolorableError(f"the variant {look.name} needs other weights than this page has")
    return look


def _explained(run: Callable[[], Any]) -> Any:
    """Calls a function; whatever it raises becomes an `UncolorableError`."""
    # Decoders raise exceptions of any type for a broken file.
    try:
        return run()
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        raise UncolorableError("it does not fit into memory") from error
    except Exception as error:
        # The path of the file is of no use to its owner.
        cause = error.__cause__ if isinstance(error, InputError) else error
        reason = cause if isinstance(cause, UnreadableImageError) else error
        raise UncolorableError(first_reason(reason)) from error


def _jpeg(pixels: Any) -> bytes:
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "JPEG", quality=_QUALITY, subsampling=0)
    return encoded.getvalue()
