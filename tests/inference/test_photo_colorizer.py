"""The colors of a photograph are those of the network, whatever the batch and the source."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from PIL import Image
from skimage import color, data

from data.color.ab_bins import BIN_CENTERS
from data.color.lab import split_lab
from data.photos import page as page_module
from data.photos.file import PhotoFile
from data.photos.page import page_of_pixels
from errors import InputError
from inference.frozen_generator import FrozenGenerator
from inference.hints import Hint
from inference.look import AS_SET, Look
from inference.palette import Palette
from inference.photo_colorizer import PhotoColorizer
from inference.unsureness import unsureness
from tests.inference.red import A_LITTLE_RED, RENDER_SIZE, ConstantColors, colored, lab100


class OneSidedColors(keras.Model):
    """Colors by the position and the pixel to the left, and records the batches."""

    def __init__(self):
        super().__init__()
        self.batches = []

    def call(self, lightness, training=False):
        tf.py_function(lambda batch: self.batches.append(batch.numpy()), [lightness], [])
        positions = np.linspace(-0.1, 0.1, RENDER_SIZE, dtype="float32")[:, None]
        neighbor = ops.roll(lightness, 1, axis=2)
        return ops.concatenate([positions - 0.1 * neighbor, 0.15 * lightness - positions], axis=-1)


class Traced(ConstantColors):
    """Counts how often it is traced."""

    count = 0

    def call(self, lightness, training=False):
        self.count += 1
        return super().call(lightness)


class QuarterColors(keras.Model):
    """Adds red on the left, green on the right, yellow at the top and blue at the bottom."""

    def call(self, lightness, training=False):
        sides = np.where(np.arange(RENDER_SIZE) < RENDER_SIZE // 2, 0.2, -0.2).astype("float32")
        a, b = np.meshgrid(sides, sides)
        return ops.zeros_like(lightness) + np.stack([a, b], axis=-1)


class ColorsByLightness(keras.Model):
    def call(self, lightness, training=False):
        return ops.concatenate([0.2 * lightness, -0.2 * lightness], axis=-1)


class Memory(FrozenGenerator):
    """A graph with memory for a batch of `room` photographs, which colors by their lightness."""

    def __init__(self, room):
        self.room = room
        self.tried = []

    def __call__(self, lightness):
        self.tried.append(len(lightness))
        if len(lightness) > self.room:
            raise tf.errors.ResourceExhaustedError(None, None, "no room")
        return tf.concat([lightness, -lightness], axis=-1)


@pytest.fixture(scope="module")
def one_sided():
    return PhotoColorizer(OneSidedColors(), RENDER_SIZE)


@pytest.fixture(scope="module")
def flip_averaging():
    return PhotoColorizer(OneSidedColors(), RENDER_SIZE, flip_average=True)


def gray_version(rgb255):
    gray = color.lab2rgb(color.rgb2lab(rgb255) * [1, 0, 0])
    return np.round(gray * 255).astype("uint8")


def difference(first, second):
    return np.abs(first.astype(int) - second.astype(int))


def test_only_lightness_is_used(page_of):
    # The photograph has the size of the network's input: shrinking a color photograph does not
    # give quite the same lightness as shrinking a gray one.
    photograph = data.astronaut()[:RENDER_SIZE, 200 : 200 + RENDER_SIZE]
    generator = OneSidedColors()
    colorizer = PhotoColorizer(generator, RENDER_SIZE)
    results = [
        colored(colorizer, page_of(pixels)) for pixels in (photograph, gray_version(photograph))
    ]
    in_color, in_gray = generator.batches
    assert in_color.shape == (1, RENDER_SIZE, RENDER_SIZE, 1)
    assert np.ptp(in_color) > 1
    np.testing.assert_allclose(in_color, in_gray, atol=0.01)
    np.testing.assert_allclose(in_color[0, ..., 0], lab100(photograph)[..., 0] / 50 - 1, atol=1e-4)
    assert difference(*results).max() <= 2


def test_network_input_is_the_whole_photograph_in_a_square(a_little_red, page_of):
    photograph = np.repeat(data.coffee()[:64, :96].mean(axis=-1, keepdims=True), 3, axis=-1)
    lab = a_little_red.lab_at_render_size(page_of(photograph.astype("uint8")))
    assert lab.shape == (RENDER_SIZE, RENDER_SIZE, 3)
    assert lab.dtype == np.float32
    squares = lab100(photograph.astype("uint8"))[..., 0].reshape(32, 2, 32, 3).mean(axis=(1, 3))
    assert np.abs(lab[..., 0] - squares).mean() < 1.5
    assert np.abs(lab[..., 1:]).max() < 0.1


def test_network_input_is_the_same_for_gray_photographs_of_one_and_three_channels(
    a_little_red, page_of
):
    gray = data.camera()[100:150, 100:180, None]
    inputs = [
        a_little_red.lab_at_render_size(page_of(pixels))
        for pixels in (gray, np.repeat(gray, 3, axis=-1))
    ]
    lightness, ab = zip(*map(split_lab, inputs), strict=True)
    np.testing.assert_allclose(*lightness, atol=1e-4)
    # Of three equal channels the rounded matrices make a color that nobody sees.
    np.testing.assert_allclose(*ab, atol=1e-2)
    deep = a_little_red.lab_at_render_size(page_of(gray.astype("uint16") * 257))
    # Shrinking rounds 8-bit pixels.
    np.testing.assert_allclose(deep, inputs[0], atol=0.6)


def test_colors_are_at_the_positions_of_the_network_output(page_of):
    result = colored(
        PhotoColorizer(QuarterColors(), RENDER_SIZE), page_of(np.full((40, 300, 1), 128, "uint8"))
    )
    a, b = np.moveaxis(lab100(result)[..., 1:], -1, 0)
    np.testing.assert_allclose(a[:, [0, 60, 120]], 22, atol=1.5)
    np.testing.assert_allclose(a[:, [180, 240, 299]], -22, atol=1.5)
    np.testing.assert_allclose(b[[0, 8, 15]], 22, atol=1.5)
    np.testing.assert_allclose(b[[24, 31, 39]], -22, atol=1.5)


def test_color_follows_the_edges_of_the_photograph(page_of):
    """The edge lies inside a pixel of the network's input, and stays as sharp as it was."""
    pixels = np.full((256, 256, 1), 60, "uint8")
    pixels[:, 131:] = 200
    after = lab100(colored(PhotoColorizer(ColorsByLightness(), RENDER_SIZE), page_of(pixels)))
    low, high = after[128, 20, 1], after[128, -20, 1]
    assert high - low > 10
    fraction = (after[128, 124:140, 1] - low) / (high - low)
    assert np.abs(fraction - (np.arange(124, 140) >= 131)).mean() < 0.1


def test_coarse_colors_are_upsampled_along_the_lightness(page_of):
    # Two halves that differ in lightness and color: the border is within a coarse pixel.
    pixels = np.full((96, 96, 3), 60, "uint8")
    pixels[:, 50:] = 190
    page = page_of(pixels)
    inputs = keras.Input((None, None, 1))
    ab = keras.layers.Lambda(lambda lightness: keras.ops.tile(lightness, (1, 1, 1, 2)) / 8)(inputs)
    fine = PhotoColorizer(keras.Model(inputs, ab), RENDER_SIZE)
    pooled = keras.layers.AveragePooling2D(4)(ab)
    coarse = PhotoColorizer(keras.Model(inputs, pooled), RENDER_SIZE)
    lightness = coarse.lab_at_render_size(page)[..., :1]
    [coarse_ab] = coarse.predict([lightness])
    assert coarse_ab.shape == (RENDER_SIZE // 4, RENDER_SIZE // 4, 2)
    np.testing.assert_allclose(lab100(colored(coarse, page)), lab100(colored(fine, page)), atol=1.5)


def test_strips_fit_together(one_sided, page_of, monkeypatch):
    page = page_of(data.astronaut()[:130, :90])
    whole = colored(one_sided, page)
    monkeypatch.setattr(page_module, "PIXELS_IN_A_STRIP", 90 * 7)
    lightness, _ = split_lab(one_sided.lab_at_render_size(page))
    [ab] = one_sided.predict([lightness])
    strips = list(one_sided.strips(page, lightness, ab))
    assert len(strips) > 10
    assert difference(np.concatenate(strips), whole).max() <= 1


def test_the_network_is_traced_once(page_of):
    generator = Traced()
    colorizer = PhotoColorizer(generator, RENDER_SIZE, batch_size=3)
    colorizer.trace()
    for count in (1, 2, 3, 4, 7):
        assert len(colorizer.predict(some_lightness(count))) == count
    assert generator.count == 1
    assert colorizer.predict([]) == []


def some_lightness(count):
    shape = (count, RENDER_SIZE, RENDER_SIZE, 1)
    return list(np.random.default_rng(0).uniform(0, 100, shape).astype("float32"))


@pytest.mark.parametrize("flip_average", [False, True])
def test_every_photograph_gets_its_own_colors_in_a_batch_of_any_size(flip_average):
    generator = OneSidedColors()
    colorizer = PhotoColorizer(generator, RENDER_SIZE, 3, flip_average=flip_average)
    lightness = some_lightness(8)
    together = colorizer.predict(lightness)
    assert [len(batch) // (1 + flip_average) for batch in generator.batches] == [3, 3, 2]
    alone = [colorizer.predict([image])[0] for image in lightness]
    np.testing.assert_allclose(together, alone, atol=1e-4)
    assert together[0].shape == (RENDER_SIZE, RENDER_SIZE, 2)
    assert together[0].dtype == np.float32


@pytest.mark.parametrize(
    ("batch_size", "room", "tried", "tried_again"),
    [
        # The smaller size stays, so the next photographs do not run out of memory again.
        (6, 3, [6, 3, 3, 1], [3, 3, 1]),
        (16, 1, [7, 3, *[1] * 7], [1] * 7),
    ],
)
def test_batch_is_halved_when_memory_runs_out(batch_size, room, tried, tried_again):
    memory = Memory(room)
    colorizer = PhotoColorizer(memory, RENDER_SIZE, batch_size)
    lightness = some_lightness(7)
    for expected in (tried, tried_again):
        memory.tried.clear()
        colors = colorizer.predict(lightness)
        assert memory.tried == expected
        np.testing.assert_allclose(
            np.stack(colors)[..., :1], 2.2 * np.stack(lightness) - 110, atol=1e-3
        )


def test_no_memory_for_a_single_photograph_is_an_error():
    memory = Memory(0)
    with pytest.raises(tf.errors.ResourceExhaustedError):
        PhotoColorizer(memory, RENDER_SIZE, batch_size=4).predict(some_lightness(5))
    assert memory.tried == [4, 2, 1]


@pytest.mark.parametrize("factor", [0.0, 2.0])
def test_saturation_is_a_factor_of_the_colors(a_little_red, page_of, factor):
    page = page_of(np.linspace(20000, 50000, 50 * 50).astype("uint16").reshape(50, 50, 1))
    other = PhotoColorizer(ConstantColors(), RENDER_SIZE, saturation=factor)
    once, changed = (lab100(colored(colorizer, page)) for colorizer in (a_little_red, other))
    np.testing.assert_allclose(changed[..., 1:], factor * once[..., 1:], atol=0.1)
    np.testing.assert_allclose(changed[..., 0], once[..., 0], atol=0.1)


def test_calm_pulls_colors_toward_gray_as_far_as_they_are_unsure():
    lightness = some_lightness(2)
    colorizer = PhotoColorizer(Memory(4), RENDER_SIZE)
    plain, calm = (
        colorizer.predict(lightness),
        colorizer.predict(lightness, looks=[AS_SET, Look(calm=0.5)]),
    )
    np.testing.assert_array_equal(calm[0], plain[0])
    np.testing.assert_allclose(calm[1], plain[1] * (1.0 - 0.5 * unsureness(plain[1])), atol=1e-4)
    [other] = PhotoColorizer(Memory(4), RENDER_SIZE, calm=0.5).predict(lightness[1:])
    np.testing.assert_array_equal(other, calm[1])


def test_a_palette_is_given_to_the_network_and_does_not_mirror():
    class Colors(keras.Model):
        """The mean color of the palette, and of the hints where there are some."""

        def call(self, given, training=False):
            _, hints, palette = given
            mean = ops.matmul(palette, ops.convert_to_tensor(BIN_CENTERS))[:, None, None]
            return ops.where(hints[..., 2:] > 0.0, hints[..., :2], mean)

    colorizer = PhotoColorizer(
        ConstantColors(), RENDER_SIZE, flip_average=True, hinted_generator=Colors
    )
    look = Look(palette=Palette(((20, 0, 1), (0, 40, 3))))
    plain, colored_ab = colorizer.predict(some_lightness(2), looks=[AS_SET, look])
    np.testing.assert_allclose(plain, np.broadcast_to(A_LITTLE_RED, plain.shape), atol=1e-4)
    np.testing.assert_allclose(colored_ab, np.broadcast_to((5, 30), plain.shape), atol=1e-4)


def test_a_network_without_hints_takes_no_palette(a_little_red):
    with pytest.raises(InputError, match="these weights take no palette"):
        a_little_red.predict(some_lightness(1), looks=[Look(palette=Palette(((0, 0, 1),)))])


def test_hints_outrank_calm():
    colorizer = PhotoColorizer(Memory(4), RENDER_SIZE, calm=1.0)
    page = page_of_pixels(np.linspace(0, 255, 64 * 64).astype("uint8").reshape(64, 64, 1))
    hint = Hint(0.5, 0.5, "#806070", radius=0.1)
    [[square]] = colorizer.place([hint], [page])
    [ab] = colorizer.predict([colorizer.lab_at_render_size(page)[..., :1]], [[square]])
    kept = ab[square.rows, square.columns].mean(axis=(0, 1))
    np.testing.assert_allclose(kept, hint.ab(), atol=1e-3)


def test_flip_average_makes_a_mirrored_photograph_the_mirror_image(
    one_sided, flip_averaging, page_of
):
    photograph = data.chelsea()[:60, :81]
    pages = page_of(photograph, "straight.png"), page_of(photograph[:, ::-1], "mirrored.png")
    differences = []
    for colorizer in (one_sided, flip_averaging):
        straight, mirrored = (colored(colorizer, page) for page in pages)
        differences.append(difference(straight, mirrored[:, ::-1]).max())
    assert differences[0] > 5
    assert differences[1] <= 1


def test_flip_average_is_the_mean_of_both(one_sided, flip_averaging):
    [lightness] = some_lightness(1)
    straight, mirrored = one_sided.predict([lightness, lightness[:, ::-1]])
    [mean] = flip_averaging.predict([lightness])
    np.testing.assert_allclose(mean, (straight + mirrored[:, ::-1]) / 2, atol=1e-4)


def test_threads_share_a_colorizer(one_sided, page_of):
    photographs = [data.astronaut()[50 * number :][:40, :60] for number in range(6)]
    pages = [page_of(pixels, f"{number}.png") for number, pixels in enumerate(photographs)]
    with ThreadPoolExecutor(4) as pool:
        lightness = [split_lab(lab)[0] for lab in pool.map(one_sided.lab_at_render_size, pages)]
        colors = one_sided.predict(lightness)
        strips = [
            pool.submit(list, strips) for strips in map(one_sided.strips, pages, lightness, colors)
        ]
        results = [np.concatenate(future.result()) for future in strips]
    for page, result in zip(pages, results, strict=True):
        np.testing.assert_array_equal(result, colored(one_sided, page))


# --- from a folder, files and arrays -------------------------------------------------------------


def test_a_folder_gives_its_render_size_and_keeps_the_global_precision(tiny_weights):
    keras.config.set_dtype_policy("mixed_bfloat16")
    colorizer = PhotoColorizer.from_folder(
        tiny_weights, precision="float32", batch_size=3, saturation=0.5, flip_average=True
    )
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
    assert (colorizer.render_size, colorizer.batch_size, colorizer.saturation) == (32, 3, 0.5)
    assert colorizer.flip_average
    [ab] = colorizer.predict(some_lightness(1))
    assert ab.shape == (8, 8, 2)
    assert PhotoColorizer.from_folder(tiny_weights, render_size=64).render_size == 64


def test_a_file_is_colored_with_all_its_pages(a_little_red, tmp_path):
    pages = [Image.new("L", size, 100) for size in [(40, 30), (12, 50)]]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert a_little_red.color(tmp_path / "a.tif", tmp_path / "new" / "a.tif") == []
    colored_pages = PhotoFile(tmp_path / "new" / "a.tif").pages
    assert [(page.height, page.width) for page in colored_pages] == [(30, 40), (50, 12)]
    for page in colored_pages:
        [(rgb, _)] = page.strips()
        np.testing.assert_allclose(lab100(rgb)[..., 1:].mean((0, 1)), A_LITTLE_RED, atol=0.6)
    [lost] = a_little_red.color(tmp_path / "a.tif", tmp_path / "a.jpg")
    assert "only one page of its 2" in lost


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("absent.jpg", "a.jpg", "`source` should be a photograph. Received: .*no such file"),
        ("text.jpg", "a.jpg", "`source` should be a photograph. Received: .*not an image"),
        ("a.png", "a.gif", r"ends in one of .jpg .*Received: .*a\.gif"),
        ("a.png", "a.png", "`target` should be another file than `source`. Received: "),
    ],
)
def test_a_file_that_cannot_be_colored_is_an_input_error(
    a_little_red, tmp_path, source, target, words
):
    (tmp_path / "text.jpg").write_text("no image")
    Image.new("L", (30, 20)).save(tmp_path / "a.png")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=words):
        a_little_red.color(tmp_path / source, tmp_path / target)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("shape", [(40, 30), (40, 30, 1), (40, 30, 3)])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "float32", "float64"])
def test_an_array_keeps_its_size_dtype_and_lightness(a_little_red, shape, dtype):
    white = 1.0 if dtype.startswith("float") else np.iinfo(dtype).max
    gray = np.full(shape, 0.4 * white).astype(dtype)
    found = a_little_red.color_array(gray)
    assert found.shape == (40, 30, 3)
    assert found.dtype == dtype
    lab = color.rgb2lab(found.astype("float64") / white)
    np.testing.assert_allclose(lab[..., 1:].mean((0, 1)), A_LITTLE_RED, atol=0.3)
    expected = color.rgb2lab(np.full(3, gray.flat[0] / white))[0]
    np.testing.assert_allclose(lab[..., 0], expected, atol=0.3)


@pytest.mark.parametrize(
    ("gray", "words"),
    [
        (np.zeros((3, 3), bool), "uint8, uint16 or floating-point. Received: bool"),
        (np.zeros((3, 3), int), "uint8, uint16 or floating-point. Received: int64"),
        (np.zeros(3, "uint8"), r"\(height, width\).* Received: \(3,\)"),
        (np.zeros((3, 3, 4), "uint8"), r"Received: \(3, 3, 4\)"),
        (np.zeros((0, 3)), r"Received: \(0, 3\)"),
        (np.full((3, 3), 200.0), r"in \[0, 1\]. Received: 200.0 to 200.0"),
        (np.full((3, 3), np.nan), "Received: nan to nan"),
    ],
)
def test_an_array_of_another_kind_is_a_value_error(a_little_red, gray, words):
    with pytest.raises(ValueError, match=words):
        a_little_red.color_array(gray)


def test_the_package_imports_tensorflow_only_for_the_colorizer():
    program = """
import sys
import inference
print("tensorflow" in sys.modules)
from inference import PhotoColorizer
print(PhotoColorizer.__name__)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["False", "PhotoColorizer"]
