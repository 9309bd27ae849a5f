"""Colors photographs of any size with a generator."""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from threadpoolctl import threadpool_limits

from data.color.ab_bins import BINS
from data.color.lab import AB_SCALE, LIGHTNESS_SCALE, integers_to_rgb1, rgb1_to_lab100
from data.color.lab_planes import integers_to_lightness100
from data.image_io import UnreadableImageError
from data.photos.file import PhotoFile
from data.photos.page import PhotoPage, page_of_pixels
from data.photos.provenance import Provenance
from data.photos.writer import what_is_lost, write_photo
from errors import InputError, shown
from inference import __version__
from inference.frozen_generator import FrozenGenerator
from inference.generator_cache import cached_generator
from inference.hint_spreading import FAR, NEAR, spread_residuals
from inference.hints import Hint, HintSquare, draw_squares, place_hints
from inference.lab_recombiner import recombined_strips
from inference.look import AS_SET, Look
from inference.palette import Palette
from inference.saved_network import SavedNetwork
from inference.unsureness import unsureness
from models.checkpoints.folder import WeightsFolder
from models.layers.devices import fastest_precision
from models.networks.without_hints import without_hints

# Of the hash of the weights, enough to tell any two files apart.
_DIGITS = 12


class PhotoColorizer:
    """Colors photographs: shrinks them, runs the network, and upsamples its ab to full size.

    Every photograph is shrunk to a square of `render_size`, so that photographs of all shapes
    share a batch. The distortion costs nothing: on the validation photographs PSNR is the same as
    with the photograph's own shape, and on panoramas of 3:1 it is 0.7 dB better.

    Args:
        generator: `keras.Model` or `FrozenGenerator` from lightness to ab, both scaled for networks
            (`data.color.lab`).
        render_size: int, side of the network's input.
        batch_size: int, photographs in a batch. Halved permanently when memory runs out. Defaults
            to `16`.
        saturation: float, factor for ab. Defaults to `1.0`.
        calm: float in [0, 1], the share by which colors that the network is unsure of are pulled
            toward gray, as `unsureness` measures it. Defaults to `0.0`.
        flip_average: bool, whether to also color the mirrored photograph and average the two.
            Defaults to `False`.
        color_stride: int, how many times coarser than the lightness the generator's colors are.
            Defaults to `1`.
        hinted_generator: function without arguments that returns a `keras.Model` or
            `FrozenGenerator` from lightness and hints to ab; called when there are hints for the
            first time. Defaults to `None`: hints are spread over the colors of the generator by
            `spread_residuals` alone.
        provenance: `Provenance` or None, what the XMP of colored photographs says of their colors.
            Defaults to `None`.

    Example:
        colorizer = PhotoColorizer.from_folder("weights/pretrained/sagan")
        colorizer.color("gray.jpg", "colored.jpg")
        rgb = colorizer.color_array(np.full((48, 64), 128, "uint8"))    # (48, 64, 3), uint8
    """

    def __init__(
        self,
        generator: keras.Model | FrozenGenerator,
        render_size: int,
        batch_size: int = 16,
        saturation: float = 1.0,
        calm: float = 0.0,
        flip_average: bool = False,
        color_stride: int = 1,
        hinted_generator: Callable[[], keras.Model | FrozenGenerator] | None = None,
        provenance: Provenance | None = None,
    ):
        self.generator = generator
        self.render_size = render_size
        self.batch_size = batch_size
        self.saturation = saturation
        self.calm = calm
        self.flip_average = flip_average
        self.provenance = provenance
        self.color_stride = color_stride
        self._color = self._callable(generator)
        self._hinted_generator = hinted_generator

    @classmethod
    def from_folder(
        cls,
        path: str | os.PathLike,
        render_size: int | None = None,
        precision: str = "auto",
        **options: Any,
    ) -> "PhotoColorizer":
        """Loads the weights in a folder, as a training writes them.

        Args:
            path: the folder.
            render_size: int or None, side of the network's input. Defaults to `None`, the size in
                the folder's settings.json.
            precision: str, a dtype policy of Keras, or `auto`: `mixed_bfloat16` where bfloat16 is
                native, else `float32`. Defaults to `"auto"`.
            **options: as for the constructor.

        Raises:
            InputError: it is not a folder of weights, or its weights cannot be loaded or not used
                for images of this size.
        """
        network = SavedNetwork.read(path, render_size)
        precision = fastest_precision() if precision == "auto" else precision
        with _precision(precision):
            generator = cached_generator(
                network.folder, network.side, lambda: _automatic(network.build())
            )

        def hinted_generator():
            with _precision(precision):
                return cached_generator(
                    network.folder, network.side, network.build, with_hints=True
                )

        return cls(
            generator,
            network.side,
            color_stride=network.color_stride,
            hinted_generator=hinted_generator if network.has_hints else None,
            provenance=_provenance(network.folder),
            **options,
        )

    def color(
        self,
        source: str | os.PathLike,
        target: str | os.PathLike,
        quality: int = 95,
        says_provenance: bool = True,
        hints: Sequence[Hint] = (),
        look: Look = AS_SET,
    ) -> list[str]:
        """Colors a photograph in a file, as `python run.py --images` does.

        Args:
            source: the photograph.
            target: the file to write, in the format of its suffix. It has the size of the
                photograph and keeps depth, alpha, profile, metadata and pages where the format can.
            quality: int from 1 to 100, quality of lossy formats. Defaults to `95`.
            says_provenance: bool, whether the XMP of the file says that the colors are
                machine-made, and by which weights. Defaults to `True`.
            hints: sequence of `Hint`. Defaults to none.
            look: `Look`, of which the weights do not count. Defaults to that of the colorizer.

        Returns:
            List of str, problems of the photograph and what the format cannot store.

        Raises:
            InputError: the photograph cannot be read, or not be written in this format, or the
                network takes no palette.
            OSError: the target cannot be written.
        """
        if os.path.realpath(source) == os.path.realpath(target):
            raise InputError(
                f"`target` should be another file than `source`. Received: {shown(target)}"
            )
        provenance = self.provenance if says_provenance else None
        try:
            photo = PhotoFile(source)
            lost = what_is_lost(target, photo.pages, provenance)
            lightness = [self.lab_at_render_size(page)[..., :1] for page in photo.pages]
            squares = self.place(hints, photo.pages)
            # As in the pipeline: the number of threads may change the rounding.
            with threadpool_limits(1, user_api="blas"):
                colors = self.predict(lightness, squares, [look] * len(lightness))
                parts = zip(photo.pages, lightness, colors, strict=True)
                colored = ((part[0], self.strips(*part)) for part in parts)
                write_photo(target, colored, quality, provenance)
        except UnreadableImageError as error:
            raise InputError(
                f"`source` should be a photograph. Received: {shown(source)} ({error})"
            ) from error
        return photo.notes + lost

    def color_array(
        self, gray: np.ndarray, hints: Sequence[Hint] = (), look: Look = AS_SET
    ) -> np.ndarray:
        """Colors an image in memory.

        Args:
            gray: array of shape (height, width), (height, width, 1) or (height, width, 3), gray or
                sRGB: uint8 in [0, 255], uint16 in [0, 65535], or floating-point in [0, 1], which is
                colored with 16 bits. Of sRGB only the lightness is used.
            hints: sequence of `Hint`. Defaults to none.
            look: as in `color`.

        Returns:
            Array of shape (height, width, 3), sRGB of the same dtype and range.

        Raises:
            ValueError: the shape, dtype or range is another one, or the network takes no palette.
        """
        gray = np.asarray(gray)
        is_float = np.issubdtype(gray.dtype, np.floating)
        if gray.dtype not in (np.uint8, np.uint16) and not is_float:
            raise ValueError(
                f"`gray` should be uint8, uint16 or floating-point. Received: {gray.dtype}"
            )
        pixels = gray[..., None] if gray.ndim == 2 else gray
        if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or not pixels.size:
            raise ValueError(
                "`gray` should have the shape (height, width), (height, width, 1) or (height, "
                f"width, 3). Received: {gray.shape}"
            )
        if is_float:
            low, high = gray.min(), gray.max()
            if not 0.0 <= low <= high <= 1.0:
                raise ValueError(
                    f"`gray` of {gray.dtype} should be in [0, 1]. Received: {low} to {high}"
                )
            pixels = np.round(pixels.astype("float64") * 65535.0).astype("uint16")
        page = page_of_pixels(pixels)
        lightness = self.lab_at_render_size(page)[..., :1]
        [ab] = self.predict([lightness], self.place(hints, [page]), [look])
        colored = np.concatenate(list(self.strips(page, lightness, ab)))
        return (colored / 65535.0).astype(gray.dtype) if is_float else colored

    def trace(self) -> None:
        """Traces the graph in advance, so that the first batch does not have to wait for it."""
        self._color.get_concrete_function()

    def lab_at_render_size(self, page: PhotoPage) -> np.ndarray:
        """Shrinks a page to the size of the network's input.

        Args:
            page: `PhotoPage`.

        Returns:
            float32 array of shape (render_size, render_size, 3), CIE Lab. The network receives
            only L.
        """
        return _lab100(page.shrunk(self.render_size, self.render_size)).numpy()

    def place(self, hints: Sequence[Hint], pages: Sequence[PhotoPage]) -> list[list[HintSquare]]:
        """Places the hints of a photograph on its pages, as `predict` takes them.

        Raises:
            ValueError: a hint is on a page that is not there, or there are too many.
        """
        for hint in hints:
            if hint.page >= len(pages):
                raise ValueError(
                    f"a hint should be on one of the {len(pages)} pages, from 0 on. Received: "
                    f"page={hint.page}"
                )
        return [
            place_hints(
                [hint for hint in hints if hint.page == number],
                page.height,
                page.width,
                self.render_size,
                self.color_stride,
            )
            for number, page in enumerate(pages)
        ]

    def predict(
        self,
        lightness: Sequence[np.ndarray],
        squares: Sequence[Sequence[HintSquare]] | None = None,
        looks: Sequence[Look] | None = None,
    ) -> list[np.ndarray]:
        """Predicts the ab of any number of photographs at `render_size`.

        When memory runs out, `batch_size` is halved and the batch is tried again.

        Args:
            lightness: sequence of arrays of shape (render_size, render_size, 1), the L of what
                `lab_at_render_size` returns.
            squares: sequence of the hints of each, from `place`, or None. Hints outrank
                saturation and calm. Defaults to `None`.
            looks: sequence of `Look`, the saturation, calm and palette of each; None in them
                stands for that of the colorizer. Defaults to `None`, for all.

        Returns:
            List of float32 arrays of shape (side, side, 2), a and b of CIE Lab: the side is
            `render_size`, or a part of it where the generator's colors are coarser.

        Raises:
            InputError: there is a palette, and the network takes none.
            tf.errors.ResourceExhaustedError: memory does not suffice for a single photograph.
        """
        squares = squares or [()] * len(lightness)
        looks = looks or [AS_SET] * len(lightness)
        images = list(zip(lightness, squares, looks, strict=True))
        colored: dict[int, np.ndarray] = {}
        for have_hints in (False, True):
            chosen = [
                number
                for number, (_, own, look) in enumerate(images)
                if bool(own or look.palette) is have_hints
            ]
            batch = [images[number] for number in chosen]
            colored |= zip(chosen, self._predict(batch, have_hints), strict=True)
        return [colored[number] for number in range(len(lightness))]

    @property
    def takes_palette(self) -> bool:
        """Whether the weights take a palette."""
        return self._hinted_generator is not None

    def check(self, look: Look) -> None:
        """Raises an `InputError` if the network cannot color like this."""
        if look.palette and not self.takes_palette:
            raise InputError("these weights take no palette; those of the default model do")

    def _predict(
        self,
        images: Sequence[tuple[np.ndarray, Sequence[HintSquare], Look]],
        have_hints: bool,
    ) -> list[np.ndarray]:
        for _, _, look in images:
            self.check(look)
        colored: list[np.ndarray] = []
        while len(colored) < len(images):
            batch = images[len(colored) : len(colored) + self.batch_size]
            inputs = [np.stack([lightness for lightness, *_ in batch]) / LIGHTNESS_SCALE - 1.0]
            if have_hints and self._hinted_generator:
                inputs += [
                    np.stack([draw_squares(own, self.render_size) for _, own, _ in batch]),
                    np.stack([_shares(look.palette) for *_, look in batch]),
                ]
            try:
                predicted = self._generate(inputs)
            except tf.errors.ResourceExhaustedError:
                if len(batch) == 1:
                    raise
                self.batch_size = len(batch) // 2
                continue
            deviations = NEAR if self._hinted_generator else FAR
            for ab, (lightness, own, look) in zip(predicted, batch, strict=True):
                if calm := self.calm if look.calm is None else look.calm:
                    ab *= np.float32(1.0) - np.float32(calm) * unsureness(ab)
                ab *= np.float32(self.saturation if look.saturation is None else look.saturation)
                colored.append(self.spread(lightness, ab, own, deviations) if own else ab)
        return colored

    def spread(
        self,
        lightness: np.ndarray,
        ab: np.ndarray,
        squares: Sequence[HintSquare],
        deviations: tuple[float, float, float] = FAR,
    ) -> np.ndarray:
        """Spreads over predicted colors what is left of hints, as `spread_residuals` does.

        Args:
            lightness: array, the input of `predict` for a page.
            ab: array, the output of `predict` for it.
            squares: sequence of `HintSquare`, from `place`.
            deviations: as in `spread_residuals`. Defaults to `FAR`.

        Returns:
            float32 array like `ab`.
        """
        stride = self.color_stride
        side = self.render_size // stride
        means = lightness.reshape(side, stride, side, stride, 1).mean(axis=(1, 3))
        cells = [square.scaled(stride) for square in squares]
        return spread_residuals(means, ab, cells, deviations)

    def strips(
        self, page: PhotoPage, lightness: np.ndarray, ab: np.ndarray
    ) -> Iterator[np.ndarray]:
        """Colors a page at full size.

        Args:
            page: `PhotoPage`.
            lightness: array, the input of `predict` for the page.
            ab: array, the output of `predict` for the page.

        Yields:
            Strips from top to bottom, arrays of shape (rows, width, 3), or (rows, width, 4) with
            alpha, in the type (uint8 or uint16) and the profile of the page.
        """
        return recombined_strips(page, lightness, ab)

    @functools.cached_property
    def _color_with_hints(self) -> Callable:
        assert self._hinted_generator
        return self._callable(self._hinted_generator(), inputs=3)

    def _callable(self, generator: keras.Model | FrozenGenerator, inputs: int = 1) -> Any:
        """A function of lightness, or of lightness, hints and palettes, that returns ab."""
        if isinstance(generator, FrozenGenerator):
            return generator

        def color(*inputs):
            ab = generator([*inputs] if len(inputs) > 1 else inputs[0], training=False)
            return tf.cast(ab, tf.float32)

        side = self.render_size
        # The batch size is left open, so that the graph is traced only once.
        shapes = [[None, side, side, 1], [None, side, side, 3], [None, BINS]]
        return tf.function(
            color,
            # AutoGraph has nothing to convert here, but takes long to find that out.
            autograph=False,
            input_signature=[tf.TensorSpec(shape) for shape in shapes[:inputs]],
        )

    def _generate(self, inputs: list[np.ndarray]) -> np.ndarray:
        """The ab of a batch of lightness, in the range of networks, and any hints and palettes."""
        color = self._color if len(inputs) == 1 else self._color_with_hints
        if self.flip_average:
            both = color(*(np.concatenate([each, _mirrored(each)]) for each in inputs)).numpy()
            straight, mirrored = np.split(both, 2)
            ab = (straight + mirrored[:, :, ::-1]) / 2.0
        else:
            ab = color(*inputs).numpy()
        return ab * np.float32(AB_SCALE)


@contextlib.contextmanager
def _precision(policy: str) -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _shares(palette: Palette | None) -> np.ndarray:
    return palette.shares() if palette else np.zeros(BINS, "float32")


def _mirrored(given: np.ndarray) -> np.ndarray:
    """An input of a generator for the mirrored image; a palette stays what it is."""
    return given[:, :, ::-1] if given.ndim == 4 else given


def _automatic(generator: keras.Model) -> keras.Model:
    """The generator without its part for hints."""
    return without_hints(generator) if len(generator.inputs) > 1 else generator


def _provenance(folder: WeightsFolder) -> Provenance:
    # The name alone: a whole path may be private.
    name = shown(folder.path.resolve().name)
    return Provenance(
        f"Colorizer {__version__}", f"{name}, SHA-256 {folder.weights_hash()[:_DIGITS]}"
    )


@tf.function(autograph=False, jit_compile=True)
def _lab100(rgb):
    """CIE Lab (height, width, 3) of integers (height, width, 1 or 3)."""
    if rgb.shape[-1] == 3:
        return rgb1_to_lab100(integers_to_rgb1(rgb))
    lightness = integers_to_lightness100([rgb[..., 0]])
    return ops.stack([lightness, ops.zeros_like(lightness), ops.zeros_like(lightness)], axis=-1)
