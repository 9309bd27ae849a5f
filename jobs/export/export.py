"""Exports a network for other programs: ONNX, LiteRT, OpenVINO, SavedModel.

python run.py --export onnx
python run.py --export litert --quantize --weights weights/sagan --output_dir exported/
"""

import contextlib
import io
import runpy
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from config.settings import Settings
from data.color.lab import AB_SCALE, integers_to_rgb1, rgb1_to_lab100
from data.datasets.folder import demo_images
from data.photos.file import PhotoFile
from errors import InputError, first_line, shown
from inference.saved_network import SavedNetwork
from jobs.common.error_translation import about_option
from jobs.common.folders import make_folder
from jobs.common.load_colorizer import weights_folders
from jobs.common.runtime import prepare_keras, silent_unless_it_fails
from jobs.export.documents import write_readme, write_sample
from jobs.export.fixed_network import FixedNetwork
from jobs.export.formats import FORMATS

# The largest difference of a and b, in units of CIE Lab, from those of Keras: with weights in
# float32 rounding alone, and with 8 bits what is hard to see.
_FLOAT32_BOUND = 0.05
_QUANTIZED_BOUND = 6.0

# Runs of the network that are timed, after the first.
_RUNS = 5

# The inputs of a network by name, and its output.
Example = tuple[dict[str, np.ndarray], np.ndarray]


def export(settings: Settings) -> int:
    """Writes the network of the settings in each of their formats, and compares it with Keras.

    Args:
        settings: `Settings`.

    Returns:
        The exit status, 0.

    Raises:
        InputError: a package is missing, the network cannot be exported at this size, or what was
            written does not color as Keras does.
    """
    names = tuple(dict.fromkeys(settings.export or ()))
    for name in names:
        with about_option("export"):
            FORMATS[name].check_packages(settings.quantize)
    prepare_keras("float32", settings.seed)
    [folder] = weights_folders(settings)
    saved = SavedNetwork.read(folder.path, settings.render_size)
    generator = saved.build()
    with about_option("render_size"):
        network = FixedNetwork(generator, saved.side, saved.color_stride)
    examples = _examples(network)
    make_folder(settings.output_dir, "output_dir")
    # In the same file system, so that what was compared is only renamed.
    with tempfile.TemporaryDirectory(dir=settings.output_dir, prefix=".writing-") as scratch:
        saved_model = Path(scratch) / "network"
        module = tf.Module()
        module.color = network.function
        with silent_unless_it_fails():
            tf.saved_model.save(module, saved_model, signatures=network.function)
        for name in names:
            written = Path(scratch) / name
            written.mkdir()
            line = _write(name, saved_model, saved, network, examples, written, settings.quantize)
            target = Path(settings.output_dir) / name
            make_folder(target, "output_dir")
            _move_all(written, target)
            print(f"{shown(target / FORMATS[name].file)}: {line}", flush=True)
    return 0


def _examples(network: FixedNetwork) -> list[Example]:
    """The inputs of the network for each demo photograph, and their ab in Keras."""
    examples = []
    for path in demo_images():
        rgb = PhotoFile(path).pages[0].shrunk(network.side, network.side)
        lightness = np.asarray(rgb1_to_lab100(integers_to_rgb1(rgb)))[..., :1]
        examples += [(each, network.color(each)) for each in network.inputs_of(lightness)]
    return examples


def _write(
    name: str,
    saved_model: Path,
    saved: SavedNetwork,
    network: FixedNetwork,
    examples: Sequence[Example],
    folder: Path,
    quantize: bool,
) -> str:
    """Writes a network in one format, compares it, and says what was written.

    Raises:
        InputError: what was written does not color as Keras does.
    """
    format = FORMATS[name]
    path = folder / format.file
    problem: Exception | None = None
    # What converters print is for their developers.
    with silent_unless_it_fails(), contextlib.redirect_stdout(io.StringIO()):
        try:
            format.write(saved_model, network, path, quantize)
            predict = runpy.run_path(str(write_sample(format, network, folder)))["predict"]
            found = [predict(given) for given, _ in examples]
            milliseconds = 1e3 * _median_seconds(lambda: predict(examples[0][0]))
        # Converters and runtimes raise exceptions of any type.
        except Exception as error:
            problem = error
    if problem:
        raise InputError(
            f"--export {name}: this network cannot be converted, or not be read back: "
            f"{first_line(problem)}"
        ) from problem
    differences = [
        AB_SCALE * np.abs(ab - true) for ab, (_, true) in zip(found, examples, strict=True)
    ]
    # Written so that NaN, too, is over the bound.
    largest, mean = float(np.max(differences)), float(np.mean(differences))
    bound = _QUANTIZED_BOUND if quantize else _FLOAT32_BOUND
    if not largest <= bound:
        raise InputError(
            f"--export {name}: what was written colors otherwise than Keras: ab differs by up to "
            f"{largest:.2g}, and {bound:g} is the bound; it is removed"
            + ("; leave out --quantize" if quantize else "; please report it")
        )
    difference = f"by at most {largest:.2g}, and by {mean:.2g} on average"
    precision = "with weights of 8 bits" if quantize else "in float32"
    photographs = [path.name for path in demo_images()]
    size = sum(file.stat().st_size for file in _files_of_network(path))
    write_readme(format, saved, network, folder, precision, difference, photographs)
    return (
        f"{size / 1e6:.1f} MB {precision}, {milliseconds:.0f} ms for an image of {network.side} "
        f"px; ab differs from that of Keras {difference}"
    )


def _files_of_network(path: Path) -> list[Path]:
    """The files of an exported network, without what lies beside it."""
    # OpenVINO keeps its weights beside, in a file of the same stem.
    return [file for file in (path, *path.rglob("*"), path.with_suffix(".bin")) if file.is_file()]


def _median_seconds(run: Callable[[], object]) -> float:
    seconds = []
    for _ in range(_RUNS):
        begun = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def _move_all(source: Path, target: Path) -> None:
    """Moves what is in a folder into another, in place of what has the same names there."""
    for path in source.iterdir():
        older = target / path.name
        if older.is_dir():
            shutil.rmtree(older)
        path.replace(older)
