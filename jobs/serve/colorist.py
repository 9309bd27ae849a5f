"""What the model does with the photographs on the page."""

import io
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
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
from inference.palette import Palette
from inference.photo_colorizer import PhotoColorizer
from inference.preview import Preview, mean_at
from inference.suggestions import suggest_colors
from inference.variants import VARIANTS
from jobs.colorize.colorize import result_path
from jobs.serve.photos import COLORING, FAILED, READY, Photo

# Of the pictures on the page, which are looked at and not kept.
_QUALITY = 90

# Decoded previews that are kept, each of at most 9 MB (3,072 px) beside the network's input.
_KEPT = 12

# Predictions of variants that are kept for suggestions, each of 0.3 MB at 192 px.
_KEPT_VARIANTS = 30

# The variants that need no other weights and no palette.
OWN_VARIANTS = tuple(each for each in VARIANTS.values() if not (each.weights or each.palette))

_ANY_PALETTE = Look(palette=Palette(((0, 0, 1),)))

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
        variants: sequence of `Look`, what a person may choose from.
        with_weights: function of the name of pretrained weights that returns a `PhotoColorizer`, or
            None if there are no other weights.
    """

    def __init__(
        self,
        colorizer: PhotoColorizer,
        quality: int,
        says_provenance: bool,
        common_colors: CommonColors | None,
        variants: Sequence[Look],
        with_weights: Callable[[str], PhotoColorizer] | None,
    ):
        self._colorizer = colorizer
        self._variants = variants
        self._with_weights = with_weights
        self._quality = quality
        self._says_provenance = says_provenance
        self._common_colors = common_colors
        self._previews: OrderedDict[tuple[str, int, str | None, int | Part], Preview]
        self._previews = OrderedDict()
        # By the id, the page and the look.
        self._predicted: OrderedDict[tuple[str, int, Look], np.ndarray] = OrderedDict()
        # Photographs are dropped on other threads.
        self._lock = threading.Lock()

    def first_look(self, photo: Photo) -> None:
        """Reads and colors a photograph once, so that what is wrong with it is known early."""
        photo.state = COLORING
        try:
            preview = self._preview(photo, 0, None, _SMALL)
            preview.colored()
        except UncolorableError as error:
            photo.state, photo.error = FAILED, str(error)
            return
        photo.is_in_color = bool(has_colors(preview.lab))
        if photo.is_in_color:
            photo.notes.append("it had colors already; only the lightness is used")
        photo.state = READY

    def gray(self, photo: Photo, page: int, view: int | Part) -> bytes:
        """The page of a photograph in gray, as a JPEG.

        Args:
            photo: `Photo`.
            page: int, from 0 on.
            view: int, the longer side of the whole page in pixels; or `Part`, at full size.
        """
        return _jpeg(self._preview(photo, page, photo.edits.look().weights, view).gray[..., 0])

    def check(self, edits: HintsFile) -> bool:
        """Checks that a photograph can be colored like this.

        Returns:
            Whether the weights that color it take a palette.

        Raises:
            InputError: the weights are missing or cannot be loaded, or take no palette.
        """
        look = edits.look()
        colorizer = self._colorizer_of(look.weights)
        colorizer.check(look)
        return colorizer.takes_palette

    def values(self, look: Look) -> tuple[float, float]:
        """The saturation and the calm of a look, where it has none those of the colorizer."""
        return (
            self._colorizer.saturation if look.saturation is None else look.saturation,
            self._colorizer.calm if look.calm is None else look.calm,
        )

    def variants(self, photo: Photo) -> list[tuple[Look, bool]]:
        """The variants of a photograph, and whether each is chosen.

        Where it has a palette, those of weights that take none are left out.
        """
        return [
            (variant, self._is_chosen(variant, photo.edits))
            for variant in self._variants
            if not photo.edits.palette or self._takes_palette(variant)
        ]

    def variant(self, photo: Photo, page: int, variant: Look, longest: int) -> bytes:
        """The page of a photograph as a variant with its hints and any palette, as `gray`.

        Its colors are suggested from then on.
        """
        hints, look = photo.edits.hints, _with_palette(variant, photo)
        preview = self._preview(photo, page, look.weights, longest)
        key = (photo.id, page, look)
        plain = self._predicted.get(key)
        if plain is None:
            plain = _explained(lambda: preview.predict(look=look))
            self._keep(self._predicted, key, plain, _KEPT_VARIANTS)
        return _jpeg(
            _explained(lambda: preview.colored(hints, look) if hints else preview.recombined(plain))
        )

    def colored(self, photo: Photo, page: int, view: int | Part) -> bytes:
        """The page of a photograph in color with its hints, as `gray`."""
        edits = photo.edits
        look = edits.look()
        preview = self._preview(photo, page, look.weights, view)
        return _jpeg(_explained(lambda: preview.colored(edits.hints, look)))

    def suggestions(
        self, photo: Photo, page: int, x: float, y: float
    ) -> tuple[float, list[tuple[str, str]]]:
        """The lightness at a place, and the colors of `suggest_colors`.

        Of the variants only those that were looked at: to predict the others would take long.
        """
        look = photo.edits.look()
        preview = self._any_preview(photo, page, look.weights)
        lab100 = _explained(lambda: preview.lab_at(x, y, look))
        variants = []
        for variant in self._variants:
            key = (photo.id, page, _with_palette(variant, photo))
            if (ab := self._predicted.get(key)) is not None:
                variants.append((label(variant), mean_at(ab, x, y)))
        return float(lab100[0]), suggest_colors(lab100, self._common_colors, variants)

    def result(self, photo: Photo, format: str | None, target: Path) -> Path:
        """Colors a photograph at full size, as `run.py --images` does.

        Args:
            photo: `Photo`.
            format: str or None, the format that was asked for.
            target: `Path` of the file to write, without its suffix.

        Returns:
            `Path` of the file.
        """
        edits = photo.edits
        look = edits.look()
        target = target.with_suffix(Path(result_name(photo, format)).suffix)
        photo.notes[:] = dict.fromkeys(
            [
                *photo.notes,
                *_explained(
                    lambda: self._colorizer_of(look.weights).color(
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
        tables: tuple[dict[Any, Any], ...] = (self._previews, self._predicted)
        with self._lock:
            for kept in tables:
                for key in [key for key in kept if key[0] == photo.id]:
                    del kept[key]

    def _colorizer_of(self, weights: str | None) -> PhotoColorizer:
        if weights is None:
            return self._colorizer
        if self._with_weights is None:
            raise InputError(f"there are no weights {weights} beside those of this page")
        return self._with_weights(weights)

    def _takes_palette(self, variant: Look) -> bool:
        try:
            return self._colorizer_of(variant.weights).takes_palette
        except InputError:
            return False

    def _is_chosen(self, variant: Look, edits: HintsFile) -> bool:
        if edits.variant:
            return edits.variant == variant.name
        is_plain = not (variant.weights or variant.palette or edits.palette)
        return is_plain and self.values(edits.look()) == self.values(variant)

    def _any_preview(self, photo: Photo, page: int, weights: str | None) -> Preview:
        own = (photo.id, page, weights)
        with self._lock:
            kept = [each for key, each in self._previews.items() if key[:3] == own]
        return kept[-1] if kept else self._preview(photo, page, weights, _SMALL)

    def _preview(self, photo: Photo, page: int, weights: str | None, view: int | Part) -> Preview:
        key = (photo.id, page, weights, view)
        with self._lock:
            found = self._previews.get(key)
            if found:
                self._previews.move_to_end(key)
                return found
        if isinstance(view, int):
            pages = _explained(lambda: PhotoFile(photo.path).pages)
            made = _explained(lambda: Preview(self._colorizer_of(weights), pages, page, view))
        else:
            whole = self._any_preview(photo, page, weights)
            made = _explained(lambda: whole.part(*view))
        self._keep(self._previews, key, made, _KEPT)
        return made

    def _keep(self, kept: OrderedDict, key: tuple, value: Any, most: int) -> None:
        with self._lock:
            kept[key] = value
            while len(kept) > most:
                kept.popitem(last=False)


def prepare(colorizer: PhotoColorizer) -> None:
    """Makes ready what the first photograph, and the first touch-up, would have to wait for."""
    colorizer.trace()
    if colorizer.takes_palette:
        side = colorizer.render_size
        colorizer.predict([np.zeros((side, side, 1), "float32")], looks=[_ANY_PALETTE])


def _with_palette(variant: Look, photo: Photo) -> Look:
    """A variant with the palette that a person chose for the photograph, which outranks its own."""
    return replace(variant, palette=photo.edits.palette or variant.palette)


def label(variant: Look) -> str:
    """The name of a variant as people read it."""
    return variant.name.replace("_", " ")


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
